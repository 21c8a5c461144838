// The page in a real browser: its numbers are the package's, and what one does moves.

package report

import (
	"context"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/doctor"
	"mlp/cmd/internal/picture"
)

// sample returns n digits to train on and n test digits.
func sample(t *testing.T, n int) (train, test *mlp.MNIST) {
	t.Helper()
	train, err := mlp.LoadMNIST(mlp.SampleMNIST(), "train", n)
	if err != nil {
		t.Fatal(err)
	}
	if test, err = mlp.LoadMNIST(mlp.SampleMNIST(), "t10k", n); err != nil {
		t.Fatal(err)
	}
	return train, test
}

// trained returns a model after some epochs on 500 digits.
func trained(t *testing.T, act *mlp.Activation, norm, deskew bool, epochs int, hidden ...int) *mlp.Model {
	t.Helper()
	train, test := sample(t, 500)
	if deskew {
		train, test = train.Deskew(), test.Deskew()
	}
	sizes := append(append([]int{mlp.MNISTPixels}, hidden...), mlp.MNISTClasses)
	m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.Xavier, act, sizes...), Input: train.Stats(), Deskew: deskew, Recipe: map[string]string{"seed": "1"}}
	for _, l := range m.Net[:len(hidden)] {
		if norm {
			l.Norm = mlp.NewBatchNorm(l.W.Cols)
		}
	}
	train.Standardize(m.Input)
	test.Standardize(m.Input)
	if _, err := mlp.Train(context.Background(), m.Net, train, mlp.Config{Rate: 0.05, Epochs: epochs, Batch: 50, Run: &m.Run, Test: test}); err != nil {
		t.Fatal(err)
	}
	return m
}

func mustHTML(t *testing.T, m *mlp.Model, test *mlp.MNIST, findings ...doctor.Finding) []byte {
	t.Helper()
	html, err := HTML(m, "model.npz", test, "some digits", findings, nil)
	if err != nil {
		t.Fatal(err)
	}
	return html
}

// difference opens the page of a model and returns the largest difference between its
// probabilities of digits, which must not be standardized, and the package's.
func difference(t *testing.T, b *browser, m *mlp.Model, digits *mlp.MNIST) (most float64) {
	t.Helper()
	b.open(mustHTML(t, m, digits))
	images := make([][]int, digits.Len())
	for i, p := range digits.Images {
		images[i/mlp.MNISTPixels] = append(images[i/mlp.MNISTPixels], int(p))
	}
	text, _ := json.Marshal(images)
	var got []float64
	b.eval(string(text)+".flatMap(image => mlp.predict(image))", &got)
	var y mlp.Matrix
	x := mlp.SamplesOf(digits).X
	want := m.Predict(&y, x).Softmax().Data
	if len(got) != len(want) {
		t.Fatalf("%d probabilities, want %d", len(got), len(want))
	}
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= most) {
			most = d
		}
	}
	return most
}

// One browser shows all pages.
func TestPage(t *testing.T) {
	inBrowser(t, []pageTest{
		{"numbers", testNumbers}, {"use", testUse}, {"keyboard", testKeyboard}, {"windows", testWindows},
		{"center", testCenter}, {"decision", testDecision}, {"strip", testStrip}, {"why", testWhy},
		{"drawing", testDrawing}, {"ticks", testTicks}, {"charts", testCharts}, {"unlike", testUnlike}, {"media", testMedia}, {"exploded", testExploded}, {"large", testLarge},
		{"snapshots", testSnapshots}, {"playground steps", testPlaygroundSteps}, {"playground use", testPlaygroundUse},
		{"classes", testClasses}, {"mixed", testMixed}, {"labels", testTableLabels}, {"hostile", testHostileTable},
	})
}

// For 100 test digits the page's probabilities are Predict's. In CI it does so for every
// activation, with and without normalisation, for zero, one and three hidden layers;
// otherwise for two networks.
func testNumbers(t *testing.T, b *browser) {
	_, test := sample(t, 100)
	all := os.Getenv("MLP_ATTACK") != ""
	for _, act := range []*mlp.Activation{mlp.ReLU, mlp.Sigmoid, mlp.Tanh} {
		for _, norm := range []bool{false, true} {
			for _, hidden := range [][]int{nil, {40}, {30, 20, 15}} {
				few := act == mlp.Tanh && norm && len(hidden) == 3 || act == mlp.ReLU && !norm && len(hidden) == 1
				if all || few {
					deskew := act == mlp.Tanh // images are normalised by their moments, or not
					if d := difference(t, b, trained(t, act, norm, deskew, 1, hidden...), test); !(d < 1e-6) {
						t.Errorf("%s, normalisation %v, hidden %v: probabilities differ by %.2g", act.Name, norm, hidden, d)
					}
				}
			}
		}
	}
}

// A stroke moves the bars, and cells, units and the slider show something else.
func testUse(t *testing.T, b *browser) {
	m := trained(t, mlp.ReLU, false, false, 3, 32, 16)
	_, test := sample(t, 300)
	b.open(mustHTML(t, m, test, doctor.Finding{Illness: "over-fitting", Number: "a number", Cure: "a cure"}))

	changes := func(what, selector string, do func()) {
		t.Helper()
		before := b.text(selector)
		if do(); b.text(selector) == before {
			t.Errorf("%s: %s still says %.60q", what, selector, before)
		}
	}
	box := b.place("#draw")
	at := func(x, y float64) [2]float64 { return [2]float64{box[0] + x*box[2], box[1] + y*box[3]} }
	changes("a stroke", "#bars", func() { b.mouse(at(0.5, 0.1), at(0.5, 0.3), at(0.5, 0.5), at(0.5, 0.9)) })
	sumToOne(t, b)
	drawn := b.image()
	changes("another stroke", "#bars", func() { b.mouse(at(0.2, 0.5), at(0.5, 0.5), at(0.8, 0.5)) })
	if b.image() == drawn {
		t.Error("another stroke left the image as it was")
	}
	changes("undo", "#bars", func() { b.click("#undo") })
	if b.image() != drawn {
		t.Error("undo has not brought back the image")
	}
	b.click("#clear")
	if strings.Trim(b.image(), "[0, ]") != "" {
		t.Error("clear left something")
	}
	changes("a test digit", "#bars", func() { b.click("#starts button:nth-child(8)") })
	changes("a cell", "#cell", func() { b.click(`[data-true="7"][data-read="7"]`) })
	changes("a digit of the cell", "#bars", func() { b.click("#cell button:first-child") })
	changes("a unit", "#unit", func() { b.click("[data-unit]:not([aria-pressed=true])") })
	changes("the slider", "#moment", func() {
		b.click("#epoch") // in the middle
	})
	if !strings.HasPrefix(b.text("#moment"), "Epoch 2 of 3") {
		t.Errorf("the slider in the middle says %q", b.text("#moment"))
	}
	changes("dropped weights", "#broken-accuracy", func() {
		b.click("#break-drop")
		b.eval("new Promise(f => setTimeout(f, 200))", nil)
	})
}

// image returns mlp.image() as text.
func (b *browser) image() (text string) {
	b.eval("JSON.stringify(mlp.image())", &text)
	return text
}

// sumToOne fails unless the bars are the probabilities of the image.
func sumToOne(t *testing.T, b *browser) {
	t.Helper()
	var bars, want []float64
	b.eval("[...document.querySelectorAll('[data-digit]')].map(e => Number(e.dataset.probability))", &bars)
	b.eval("mlp.predict(mlp.image())", &want)
	sum := 0.0
	for i := range bars {
		if sum += bars[i]; math.Abs(bars[i]-want[i]) > 1e-12 {
			t.Errorf("the bar of %d is %v, mlp.predict gives %v", i, bars[i], want[i])
		}
	}
	if len(bars) != 10 || math.Abs(sum-1) > 1e-9 {
		t.Errorf("%d bars add up to %v", len(bars), sum)
	}
}

// A finger draws, and nothing is wider than a window of 380 or of 1600 pixels, in light
// and in dark.
func testWindows(t *testing.T, b *browser) {
	slowly(t)
	_, test := sample(t, 100)
	html := mustHTML(t, trained(t, mlp.ReLU, false, false, 2, 40, 20), test, doctor.Finding{Illness: "dead units", Number: "a number", Cure: "a cure"})
	defer b.call("Emulation.clearDeviceMetricsOverride", nil, nil)
	for _, width := range []int{380, 1600} {
		b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false}, nil)
		b.open(html)
		for _, scheme := range []string{"dark", "light"} {
			b.prefer(scheme)
			b.frame()
			var wide int
			if b.eval("document.documentElement.scrollWidth", &wide); wide > width {
				t.Errorf("in a window of %d pixels the page has %d", width, wide)
			}
		}
		b.click("#clear")
		box := b.place("#draw")
		for i, kind := range []string{"touchStart", "touchMove", "touchEnd"} {
			points := []any{map[string]any{"x": box[0] + box[2]/2, "y": box[1] + box[3]*(0.3+0.4*float64(i))}}
			if kind == "touchEnd" {
				points = []any{}
			}
			b.call("Input.dispatchTouchEvent", map[string]any{"type": kind, "touchPoints": points}, nil)
		}
		b.frame()
		if strings.Trim(b.image(), "[0, ]") == "" {
			t.Error("a finger draws nothing")
		}
		sumToOne(t, b)
	}
}

// exploded returns a model whose history has numbers that no float32 has.
func exploded(t *testing.T) *mlp.Model {
	m := trained(t, mlp.ReLU, false, false, 2, 5)
	e := &m.Run.History[1]
	e.Loss, e.TestLoss = 1.23456789e138, math.Inf(1)
	e.Layers[0].GradMeanAbs, e.Layers[0].GradNorm = math.NaN(), math.Inf(1)
	m.Run.History[0].First[1].DeltaNorm = 1e300
	return m
}

// The page of a run that exploded opens, and shows what is not finite.
func testExploded(t *testing.T, b *browser) {
	slowly(t)
	_, test := sample(t, 50)
	b.open(mustHTML(t, exploded(t), test))
	var text string
	b.eval("document.querySelector('#moment').textContent + document.querySelector('#stats').textContent", &text)
	for _, want := range []string{"loss 1.2·10¹³⁸ in training, ∞ in the test", "layer 1not a number∞"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in %q", want, text)
		}
	}
	sumToOne(t, b)
	b.settle()
	b.nodes()
	b.healthy()

	full := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.Sigmoid, mlp.MNISTPixels, 5, mlp.MNISTClasses)}
	for i := range full.Net[0].W.Data {
		full.Net[0].W.Data[i] = 1e308
	}
	b.open(mustHTML(t, full, test))
	if b.eval("document.querySelector('#unit').textContent", &text); !strings.Contains(text, "sum∞") {
		t.Errorf("%q lacks an infinite sum", text)
	}
	b.nodes()
	b.click(`[data-digit="4"] button`)
	sumToOne(t, b)
}

// The keyboard draws, and walks from cell to cell.
func testKeyboard(t *testing.T, b *browser) {
	slowly(t)
	_, test := sample(t, 50)
	b.open(mustHTML(t, trained(t, mlp.Sigmoid, false, false, 1), test))
	b.click("#clear")
	b.eval("document.querySelector('#draw').focus()", nil)
	b.press(0, " ", "ArrowDown", "ArrowDown", "ArrowLeft", " ", "ArrowUp")
	if strings.Trim(b.image(), "[0, ]") == "" {
		t.Error("nothing is drawn")
	}
	sumToOne(t, b)
	b.click(`[data-true="4"][data-read="4"]`)
	b.press(0, "ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown")
	var at string
	if b.eval("document.activeElement.dataset.true + document.activeElement.dataset.read", &at); at != "55" {
		t.Errorf("from 44 the keys walk to %s, want 55", at)
	}
}

// quickest returns how many milliseconds the steps of a stroke take to show all of their
// effect: the quickest tenth, which does not depend on what else the machine does.
func quickest(t *testing.T, b *browser) (ms float64) {
	t.Helper()
	box := b.place("#draw")
	var points [][2]float64
	for i := range 60 {
		a := float64(i) / 10
		points = append(points, [2]float64{box[0] + box[2]*(0.5+0.4*math.Cos(a)), box[1] + box[3]*(0.5+0.4*math.Sin(a))})
	}
	b.eval("performance.clearMeasures()", nil)
	b.mouse(points...)
	b.eval("(d => d[Math.floor(d.length / 10)])(performance.getEntriesByName('draw').map(e => e.duration).sort((a, b) => a - b))", &ms)
	return ms
}

// Drawing answers in time with large networks, whose numbers are the package's too.
func testLarge(t *testing.T, b *browser) {
	slowly(t)
	_, test := sample(t, 100)
	for _, c := range []struct {
		hidden []int
		limit  float64 // ms
		size   int     // bytes
	}{{[]int{256, 128}, 16, 3e6}, {[]int{1000, 500}, 100, 12e6}} {
		m := trained(t, mlp.ReLU, false, false, 1, c.hidden...)
		if d := difference(t, b, m, test); !(d < 1e-6) {
			t.Errorf("hidden %v: probabilities differ by %.2g", c.hidden, d)
		}
		_, all := sample(t, 1000)
		ms, n := quickest(t, b), len(mustHTML(t, m, all))
		t.Logf("hidden %v: a page of %.1f MB, and %.1f ms for a step of a stroke", c.hidden, float64(n)/1e6, ms)
		if !(ms < c.limit) {
			t.Errorf("hidden %v: a step of a stroke takes %.1f ms, want %v", c.hidden, ms, c.limit)
		}
		if n > c.size {
			t.Errorf("hidden %v: %d bytes, want %d at most", c.hidden, n, c.size)
		}
	}
}

// Strokes, also across a test digit and beyond the edge, become the bytes that cmd/predict
// makes of a picture of them, whatever bounds a pixel.
func testCenter(t *testing.T, b *browser) {
	slowly(t)
	m := trained(t, mlp.ReLU, false, false, 1)
	_, test := sample(t, 20)
	b.open(mustHTML(t, m, test))
	rng := rand.New(rand.NewPCG(1, 2))
	for round := range 12 {
		if b.click("#clear"); round%4 == 3 {
			b.click(fmt.Sprintf("#starts button:nth-child(%d)", 1+round/4))
		}
		box := b.place("#draw")
		for range 1 + round%3 {
			var points [][2]float64
			x, y, direction := 0.2+0.6*rng.Float64(), 0.2+0.6*rng.Float64(), 7*rng.Float64()
			for range 2 + rng.IntN(8) {
				points = append(points, [2]float64{box[0] + x*box[2], box[1] + y*box[3]})
				direction += rng.Float64() - 0.5
				x, y = x+0.1*math.Cos(direction), y+0.1*math.Sin(direction)
			}
			b.mouse(points...)
		}
		var alpha, got []int
		b.eval("(c => [...c.getContext('2d').getImageData(0, 0, 280, 280).data].filter((_, i) => i % 4 === 3))(document.querySelector('#draw'))", &alpha)
		b.eval("mlp.image()", &got)
		ink := image.NewGray(image.Rect(0, 0, 280, 280))
		for i, v := range alpha {
			ink.Pix[i] = byte(v)
		}
		want := picture.Center(ink)
		picture.Bound(want, m.Input)
		for i, p := range want.Pix {
			if got[i] != int(p) {
				t.Fatalf("pixel %d is %d, want %d", i, got[i], p)
			}
		}
	}
}
