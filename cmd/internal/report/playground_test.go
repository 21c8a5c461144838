// The playground in a real browser: its steps are the package's, and what one does to it moves it.

package report

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"mlp"
)

// A playLayer is a layer as the page's script has it.
type playLayer struct {
	W    []float64 `json:"w"`
	B    []float64 `json:"b"`
	Gain []float64 `json:"gain,omitempty"`
	Norm float64   `json:"norm,omitempty"` // ‖δ‖
}

// play has the page take steps, and returns what it has then.
func (b *browser) play(steps int) (got struct {
	Loss   float64
	Layers []playLayer
}) {
	b.t.Helper()
	b.eval(fmt.Sprintf("playground.step(%d)", steps), &got)
	return got
}

// openPlayground shows the playground.
func (b *browser) openPlayground() {
	b.t.Helper()
	html, err := Playground()
	if err != nil {
		b.t.Fatal(err)
	}
	b.open(html)
}

// deltaNorms returns of each layer the root of the summed squares of the loss's derivatives by
// what the activation takes, and the loss.
func deltaNorms(net mlp.Network, x, want *mlp.Matrix) (norms []float64, loss float64) {
	for k := range net {
		below := net[:k+1].Forward(x).Clone()
		dy := new(mlp.Matrix)
		if above := net[k+1:]; len(above) == 0 {
			loss = mlp.SoftmaxCrossEntropy(dy, below, want)
		} else {
			mlp.SoftmaxCrossEntropy(dy, above.Forward(below), want)
			above.Backward(dy)
			dy = above.InputGradient(new(mlp.Matrix))
		}
		net[k].Act.Backward(dy.Data, below.Data)
		squares := 0.0
		for _, d := range dy.Data {
			squares += float64(d * d)
		}
		norms = append(norms, math.Sqrt(squares))
	}
	return norms, loss
}

// After 100 steps the page has the weights, the loss and the gradients of Stepper. Batch
// normalisation makes deep networks chaotic at the larger rate: there two of Go's own, one of
// which begins with one weight moved by its last bit, differ by hundredths after 100 steps.
func testPlaygroundSteps(t *testing.T, b *browser) {
	b.openPlayground()
	const n, width, tolerance = 40, 5, 1e-9
	rng := rand.New(rand.NewPCG(1, 2))
	x, want := mlp.NewMatrix(n, 2), mlp.NewMatrix(n, 2)
	var points [][3]float64
	for i := range n {
		p := [3]float64{4*rng.Float64() - 2, 4*rng.Float64() - 2, float64(rng.IntN(2))}
		points = append(points, p)
		copy(x.Row(i), p[:2])
		want.Row(i)[int(p[2])] = 1
	}
	for _, depth := range []int{1, 3, 6} {
		for _, act := range []*mlp.Activation{mlp.ReLU, mlp.Sigmoid, mlp.Tanh} {
			for _, norm := range []string{"none", "batch"} {
				rate := map[string]float64{"none": 0.1, "batch": 0.01}[norm]
				sizes := []int{2}
				for range depth {
					sizes = append(sizes, width)
				}
				few := depth == 1 && act == mlp.ReLU || depth == 3 && act == mlp.Tanh || depth == 6 && act == mlp.Sigmoid
				if !few && os.Getenv("MLP_ATTACK") == "" {
					continue
				}
				net := mlp.NewNetwork(1, mlp.He, act, append(sizes, 2)...)
				var layers []playLayer
				for k, l := range net {
					for j := range l.B.Data {
						l.B.Data[j] = rng.NormFloat64() / 4
					}
					first := playLayer{W: l.W.Data, B: l.B.Data}
					if k < depth && norm == "batch" {
						l.Norm = mlp.NewBatchNorm(width)
						for j := range width {
							l.Norm.Gain.Data[j] = 1 + rng.NormFloat64()/4
						}
						first.Gain = l.Norm.Gain.Data
					}
					layers = append(layers, first)
				}
				text, err := json.Marshal([]any{map[string]any{"activation": act.Name, "norm": norm, "depth": depth, "width": width, "rate": rate}, points, layers})
				if err != nil {
					t.Fatal(err)
				}
				b.eval(fmt.Sprintf("playground.load(...%s)", text), nil)
				got := b.play(100)

				s, err := mlp.NewStepper(net, mlp.Config{Rate: rate})
				if err != nil {
					t.Fatal(err)
				}
				for range 100 {
					if _, err := s.Step(x, want); err != nil {
						t.Fatal(err)
					}
				}
				norms, loss := deltaNorms(net.Clone(), x, want)
				most, largest := math.Abs(got.Loss-loss), 0.0
				compare := func(got, want []float64) {
					if len(got) != len(want) {
						t.Fatalf("%d numbers, want %d", len(got), len(want))
					}
					for i, v := range want {
						largest = max(largest, math.Abs(v))
						if d := math.Abs(got[i] - v); !(d <= most) {
							most = d
						}
					}
				}
				for k, l := range net {
					p := got.Layers[k]
					compare(p.W, l.W.Data)
					compare(p.B, l.B.Data)
					if l.Norm != nil {
						compare(p.Gain, l.Norm.Gain.Data)
					}
					if !(math.Abs(p.Norm-norms[k]) <= tolerance*norms[k]) {
						t.Errorf("depth %d, %s, normalisation %s, layer %d: ‖δ‖ is %v, want %v", depth, act.Name, norm, k+1, p.Norm, norms[k])
					}
				}
				t.Logf("depth %d, %s, normalisation %s: %.2g", depth, act.Name, norm, most/largest)
				if !(most <= tolerance*largest) {
					t.Errorf("depth %d, %s, normalisation %s: numbers differ by %.2g, the largest is %.2g", depth, act.Name, norm, most, largest)
				}
			}
		}
	}
}

// A knob, clicks and keys change the network and the points, the sentence says that the gradient
// has vanished, and the page moves by itself only if its reader wants that.
func testPlaygroundUse(t *testing.T, b *browser) {
	slowly(t)
	b.openPlayground()
	expect := func(what, selector, want string) {
		t.Helper()
		if got := b.text(selector); !strings.Contains(got, want) {
			t.Errorf("%s: %s says %q, want %q", what, selector, got, want)
		}
	}
	count := func(what, selector string, want int) {
		t.Helper()
		var n int
		if b.eval(fmt.Sprintf("document.querySelectorAll(%q).length", selector), &n); n != want {
			t.Errorf("%s: %d of %s, want %d", what, n, selector, want)
		}
	}
	turn := func(knob, value string) {
		b.eval(fmt.Sprintf("(k => { k.value = %q; k.dispatchEvent(new Event('change', { bubbles: true })); })(document.querySelector('[name=%s]'))", value, knob), nil)
	}
	expect("at first", "#now", "Step 0:")
	b.click("#step")
	expect("a step", "#now", "Step 1:")
	turn("depth", "2")
	count("two hidden layers of 8 units", "#layers canvas", 2*8+2)
	turn("data", "none")
	expect("no points", "#verdict", "Without points")
	b.click("#points")
	turn("side", "1")
	b.click("#points")
	b.press(8, "ArrowUp", "Enter")
	count("a click and a key with shift", "#points .for", 2)
	count("a click", "#points .against", 1)
	expect("three points", "#verdict", "Layer 1 gets")

	b.click("[data-knobs]")
	b.click("#play")
	expect("six layers of sigmoid", "#verdict", "it has vanished")
	if now := b.text("#now"); b.text("#play") != "Play" || !strings.HasPrefix(b.text("#said"), now) {
		t.Errorf("when it stops, a screen reader says %q, want %q", b.text("#said"), now)
	}
	turn("init", "he")
	turn("activation", "relu")
	turn("rate", "10")
	b.play(200)
	b.healthy()

	defer b.prefer("light")
	defer b.call("Emulation.clearDeviceMetricsOverride", nil, nil)
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": false}, nil)
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{}}, nil)
	b.openPlayground()
	var wide int
	if b.eval("document.documentElement.scrollWidth", &wide); wide > 380 || b.text("#play") != "Pause" {
		t.Errorf("in a window of 380 pixels the page has %d, and its button says %s", wide, b.text("#play"))
	}
}
