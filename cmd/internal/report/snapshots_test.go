// The page's slider: the network of each epoch answers, and the page stays small.

package report

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mlp"
)

// watched trains a model on 500 digits and returns it with its snapshots, and the networks
// after each epoch, the first ones before.
func watched(t *testing.T, norm bool, c mlp.Config, hidden ...int) (m *mlp.Model, s Snapshots, nets []mlp.Network) {
	t.Helper()
	train, test := sample(t, 500)
	sizes := append(append([]int{mlp.MNISTPixels}, hidden...), mlp.MNISTClasses)
	m = &mlp.Model{Net: mlp.NewNetwork(1, mlp.Xavier, mlp.ReLU, sizes...), Input: train.Stats()}
	for _, l := range m.Net[:len(hidden)] {
		if norm {
			l.Norm = mlp.NewBatchNorm(l.W.Cols)
		}
	}
	train.Standardize(m.Input)
	test.Standardize(m.Input)
	c.Batch, c.Run, c.Test = 50, &m.Run, test
	if c.Patience > 0 {
		c.Validation = test
	}
	look := func(mlp.Epoch) error {
		var b bytes.Buffer
		s.Take(m, c.Epochs)
		err := m.Write(&b)
		copied, err2 := mlp.ReadModel(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		nets = append(nets, copied.Net)
		return nil
	}
	look(mlp.Epoch{})
	c.OnEpoch = look
	if _, err := mlp.Train(context.Background(), m.Net, train, c); err != nil {
		t.Fatal(err)
	}
	return m, s, nets
}

func (s Snapshots) epochs() (all []int) {
	for _, x := range s {
		all = append(all, x.Epoch)
	}
	return all
}

// At each place of the slider the page answers as the network of that epoch, and at the last
// exactly. The button plays to the end, or takes one step if one prefers no motion.
func testSnapshots(t *testing.T, b *browser) {
	m, s, nets := watched(t, true, mlp.Config{Rate: 0.05, Epochs: 3}, 32, 16)
	_, test := sample(t, 50)
	html, err := HTML(m, "model.npz", test, "some digits", nil, s)
	if err != nil {
		t.Fatal(err)
	}
	b.open(html)
	b.settle()
	b.eval("new Promise(f => { const look = () => document.querySelector('#epochs').hidden ? setTimeout(look, 10) : f(0); look(); })", nil)
	tiles := "document.querySelector('[data-unit] canvas').toDataURL() + document.querySelector('#heat').toDataURL() + document.querySelector('[data-layer] canvas').toDataURL()"
	seen := map[string]bool{}
	for place, epoch := range []int{0, 1, 2, 3} {
		b.eval(fmt.Sprintf("(s => { s.value = %d; s.dispatchEvent(new Event('input')) })(document.querySelector('#snapshot'))", place), nil)
		b.agrees(nets[epoch], m, map[bool]float64{true: 1e-6, false: 0.02}[epoch == 3])
		text, picture := b.text("#epoch-text"), ""
		b.eval(tiles, &picture)
		want := "the beginning"
		if epoch > 0 {
			want = fmt.Sprintf("%.1f %% read right", 100*m.Run.History[epoch-1].TestMetric)
		}
		if want = fmt.Sprintf("Epoch %d of 3: %s", epoch, want); text != want || seen[picture] {
			t.Errorf("it says %q, want %q, with pictures as before: %v", text, want, seen[picture])
		}
		seen[picture] = true
	}
	place := func() (at string) {
		b.eval("document.querySelector('#play').textContent + ' ' + document.querySelector('#snapshot').value", &at)
		return at
	}
	if b.click("#play"); place() != "Next 0" {
		t.Errorf("without motion a click leads to %q", place())
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{}}, nil)
	defer b.prefer("light")
	b.eval("document.querySelector('#said').textContent = ''", nil)
	if b.click("#play"); place() != "Pause 1" || b.text("#said") != "" {
		t.Errorf("a click leads to %q and says %q", place(), b.text("#said"))
	}
	b.eval("new Promise(f => { const look = () => document.querySelector('#snapshot').value > 1 ? f(0) : setTimeout(look, 10); look(); })", nil)
	b.prefer("light")
	b.frame() // in which the page hears of it
	if b.text("#play") != "Next" {
		t.Errorf("whoever then prefers no motion has %q", place())
	}
}

// agrees fails the test unless the bars are a network's answer to the image.
func (b *browser) agrees(net mlp.Network, m *mlp.Model, most float64) {
	b.t.Helper()
	var bars []float64
	b.eval("[...document.querySelectorAll('[data-digit]')].map(e => Number(e.dataset.probability))", &bars)
	var y mlp.Matrix
	net.Predict(&y, b.shownInput(m)).Softmax()
	for k, p := range y.Data {
		if !(math.Abs(bars[k]-p) <= most) {
			b.t.Errorf("the bar of %d is %v, want %v", k, bars[k], p)
		}
	}
	sumToOne(b.t, b)
}

// A run keeps the first network and those of powers of two or more, ten at most with the
// last, and none of an ensemble. With Patience an epoch is the best until then.
func TestTake(t *testing.T) {
	take := func(from, epochs int) []int {
		var s Snapshots
		m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, 784, 1, 10)}
		for n := 0; n <= epochs; n++ {
			if n > 0 {
				m.Run.History = append(m.Run.History, mlp.Epoch{N: n, ValidationLoss: math.NaN()})
			}
			if n >= from {
				s.Take(m, epochs)
			}
		}
		s, _ = s.before(epochs, maxPage)
		return s.epochs()
	}
	for _, c := range []struct {
		from, epochs int
		want         string
	}{{0, 1, "[0]"}, {0, 20, "[0 1 2 4 8 16]"}, {5, 20, "[5 8 16]"}, {0, 256, "[0 1 2 4 8 16 32 64 128]"}, {20, 20, "[]"}} {
		if got := fmt.Sprint(take(c.from, c.epochs)); got != c.want {
			t.Errorf("epochs %d to %d: %s, want %s", c.from, c.epochs, got, c.want)
		}
	}
	for _, epochs := range []int{257, 300, 1000, 2000} {
		if got := take(0, epochs); len(got) > 9 || len(got) < 7 {
			t.Errorf("%d epochs: %d", epochs, got)
		}
	}
	var s Snapshots
	m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, 784, 1, 10)}
	m.Others = []mlp.Member{{Net: m.Net}}
	if s.Take(m, 3); len(s) > 0 {
		t.Error("an ensemble has snapshots")
	}
	patient, s, _ := watched(t, false, mlp.Config{Rate: 5, Epochs: 4, Patience: 4}, 8)
	best := patient.Run.History.Best().N
	if got := s.epochs(); !slices.IsSorted(got) || got[len(got)-1] > best || len(slices.Compact(got)) < len(got) {
		t.Errorf("epochs %d, the best being %d", got, best)
	}
}

// The page of the article's network has less than 4 MB, also if nothing in its snapshots
// repeats itself; then some of them are left out. That of a large one has none.
func TestSmallPage(t *testing.T) {
	_, test := sample(t, 1000)
	m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, 784, 256, 128, 10)}
	var s Snapshots
	s.Take(m, 10)
	random := rand.NewChaCha8([32]byte{})
	for n := 1; n < 10; n++ {
		s = append(s, s[0])
		s[n].Epoch, s[n].bytes = n, make([]byte, len(s[0].bytes))
		random.Read(s[n].bytes)
	}
	m.Run.History = mlp.History{{N: 10}}
	html, err := HTML(m, "model.npz", test, "", nil, s)
	if err != nil || len(html) >= 4e6 || len(html) < 3.5e6 {
		t.Errorf("%d bytes, error %v", len(html), err)
	}
	if s.Take(&mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, 784, 1000, 10)}, 10); len(s) != 10 {
		t.Error("a large network has snapshots")
	}
}
