// The page shows how an answer comes about: its sums are the network's numbers, and what
// contributed adds up.

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/picture"
)

// A node is what the page shows of a unit: its place, its answer, and its sum.
type node struct {
	Layer, Node int
	Value       float64
	Terms       []float64 // the parts of the sum, then the sum, then the answer
}

// nodes chooses each node of the strip in turn and returns what the page shows.
func (b *browser) nodes() (all []node) {
	b.eval(`[...document.querySelectorAll('[data-layer][data-node]')].map(e => {
		e.click();
		const Terms = [...document.querySelectorAll('#sum [data-value]')].map(t => Number(t.dataset.value));
		return {Layer: Number(e.dataset.layer), Node: Number(e.dataset.node), Value: Number(e.dataset.value), Terms};
	})`, &all)
	return all
}

// settle waits until the page has explained the answer, and has read its digits.
func (b *browser) settle() {
	b.t.Helper()
	b.eval(`new Promise(done => {
		const look = () => document.querySelector('#flow').ariaBusy === 'false' && document.querySelector('#broken-accuracy').textContent ? done(0) : setTimeout(look, 20);
		look();
	})`, nil)
}

// within reports whether got differs from want by at most a millionth of it, or of 1.
func within(got, want float64) bool { return math.Abs(got-want) <= 1e-6*max(1, math.Abs(want)) }

// The nodes of the strip have the network's numbers, the parts of each sum add up to it, and
// the contributions of the pixels to the difference from blank paper. In CI they do for no hidden
// layer to six, otherwise for two layers with normalisation and deskewed digits.
func testDecision(t *testing.T, b *browser) {
	_, test := sample(t, 60)
	for _, c := range []struct {
		act          *mlp.Activation
		norm, deskew bool
		hidden       []int
	}{
		{mlp.ReLU, true, true, []int{30, 20}}, {mlp.ReLU, false, false, nil}, {mlp.Sigmoid, false, false, []int{6}},
		{mlp.Tanh, false, false, []int{20, 5, 12}}, {mlp.ReLU, false, true, []int{20, 20, 20, 20}},
		{mlp.Tanh, true, true, []int{20, 20, 20, 20, 20}}, {mlp.ReLU, true, false, []int{20, 20, 20, 20, 20, 20}},
	} {
		name := fmt.Sprintf("%s, normalisation %v, deskewed %v, hidden %v", c.act.Name, c.norm, c.deskew, c.hidden)
		m := trained(t, c.act, c.norm, c.deskew, 2, c.hidden...)
		b.open(mustHTML(t, m, test))
		b.settle()
		var opened bool // the unit that contributes most, below
		if b.eval("document.querySelector('[data-unit][aria-pressed=true]').dataset.unit === document.querySelector('[data-layer=\"1\"]').dataset.node", &opened); !opened && c.hidden != nil {
			t.Errorf("%s: another tile than that of the strongest unit is open", name)
		}
		shown := b.nodes()
		want := 10
		for _, n := range c.hidden {
			want += min(8, n)
		}
		if len(shown) != want {
			t.Errorf("%s: %d nodes, want %d", name, len(shown), want)
		}
		x := b.shownInput(m)
		for _, n := range shown {
			sum, answer := unit(m, x, n.Layer, n.Node)
			parts := len(n.Terms) - 2
			if parts < 3 {
				t.Fatalf("%s: %+v has no sum", name, n)
			}
			total := 0.0
			for _, v := range n.Terms[:parts] {
				total += v
			}
			if !within(total, sum) || !within(n.Terms[parts], sum) || !within(n.Terms[parts+1], answer) || !within(n.Value, answer) {
				t.Errorf("%s: %+v, the parts adding up to %v, want the sum %v and the answer %v", name, n, total, sum, answer)
			}
		}
		b.addsUp(name, m, test)
		if os.Getenv("MLP_ATTACK") == "" {
			return
		}
	}
}

// shownInput returns what the network sees of the drawing, standardized.
func (b *browser) shownInput(m *mlp.Model) *mlp.Matrix {
	var image []float64
	b.eval("mlp.image()", &image)
	return input(m, image)
}

// input returns the network's input for 784 grey values.
func input(m *mlp.Model, image []float64) *mlp.Matrix {
	digits := &mlp.MNIST{Labels: []byte{0}}
	for _, p := range image {
		digits.Images = append(digits.Images, byte(p))
	}
	if m.Deskew {
		digits = digits.Deskew()
	}
	return m.Input.Apply(new(mlp.Matrix), pixels(new(mlp.Matrix), digits, 0, 1))
}

// unit returns what a unit adds up and answers. Layers are counted from 1.
func unit(m *mlp.Model, x *mlp.Matrix, layer, k int) (sum, answer float64) {
	last := *m.Net[layer-1]
	act := last.Act
	last.Act = mlp.Linear
	var y mlp.Matrix
	sum = append(m.Net[:layer-1:layer-1], &last).Predict(&y, x).Row(0)[k]
	a := []float64{sum}
	act.Forward(a)
	return sum, a[0]
}

// addsUp fails the test unless mlp.logits gives the network's, and the numbers of
// mlp.attribution are Go's integrated gradients and add up to what the digit's logit is above
// the blank page's.
func (b *browser) addsUp(name string, m *mlp.Model, test *mlp.MNIST) {
	blank := make([]float64, mlp.MNISTPixels)
	for digit := range 2 {
		grey := make([]float64, mlp.MNISTPixels)
		for i := range grey {
			grey[i] = float64(test.Images[digit*mlp.MNISTPixels+i])
		}
		text, _ := json.Marshal(grey)
		var logits [][]float64
		var parts []float64
		b.eval(fmt.Sprintf("[mlp.logits(%s), mlp.logits(new Uint8Array(784))]", text), &logits)
		b.eval(fmt.Sprintf("mlp.attribution(%s, %d)", text, 2*digit), &parts)
		var y, y0 mlp.Matrix
		from, to := input(m, blank), input(m, grey)
		m.Net.Predict(&y, to)
		m.Net.Predict(&y0, from)
		for k := range logits[0] {
			if !within(logits[0][k], y.Data[k]) || !within(logits[1][k], y0.Data[k]) {
				b.t.Fatalf("%s: logits %v, want %v and %v", name, logits, y.Data, y0.Data)
			}
		}
		want, rise := integrated(m.Net, from, to, 2*digit), y.Data[2*digit]-y0.Data[2*digit]
		total, scale, off := 0.0, 0.0, 0.0
		for i, v := range parts {
			total += v
			scale = max(scale, math.Abs(want[i]))
			off = max(off, math.Abs(v-want[i]))
		}
		if !(math.Abs(total-rise) <= 1e-6*math.Abs(rise)) || len(parts) != mlp.MNISTPixels {
			b.t.Errorf("%s: %d contributions add up to %v, want %v", name, len(parts), total, rise)
		}
		if !(off <= 0.03*scale) {
			b.t.Errorf("%s: a contribution differs by %.2g from Go's, of which the largest is %.2g", name, off, scale)
		}
	}
}

// integrated returns the integrated gradients of a logit along the line between two inputs, by
// the definition: the mean gradient at the middles of 400 pieces, times the inputs' differences.
func integrated(net mlp.Network, from, to *mlp.Matrix, digit int) []float64 {
	const steps = 400
	x, dy := mlp.NewMatrix(steps, from.Cols), mlp.NewMatrix(steps, mlp.MNISTClasses)
	for s := range steps {
		for i := range from.Data {
			x.Row(s)[i] = from.Data[i] + (to.Data[i]-from.Data[i])*(float64(s)+0.5)/steps
		}
		dy.Row(s)[digit] = 1
	}
	a := []*mlp.Matrix{x}
	for n := range net {
		a = append(a, net[:n+1].Predict(new(mlp.Matrix), x))
	}
	for n := len(net) - 1; n >= 0; n-- {
		of := folded(net[n])
		w := mlp.NewMatrix(of.In, of.Out, of.W...)
		net[n].Act.Backward(dy.Data, a[n+1].Data)
		dy = new(mlp.Matrix).MulT(dy, w)
	}
	all := make([]float64, from.Cols)
	for s := range steps {
		for i, v := range dy.Row(s) {
			all[i] += v * (to.Data[i] - from.Data[i]) / steps
		}
	}
	return all
}

// The keys walk through the strip, and choosing a node, also by them, fades what does not touch
// it, until it is chosen again.
func testStrip(t *testing.T, b *browser) {
	slowly(t)
	_, test := sample(t, 60)
	b.open(mustHTML(t, trained(t, mlp.ReLU, false, false, 2, 20, 12), test))
	b.settle()
	b.eval("document.querySelector('[data-layer]').focus()", nil)
	b.press(0, "ArrowRight", "ArrowDown", "ArrowRight", "ArrowLeft")
	faded := func() (n [3]int) { // nodes, lines and lines that are not faded
		b.eval("['.node.faded', 'line.faded', '#flow line:not(.faded)'].map(s => document.querySelectorAll(s).length)", &n)
		return n
	}
	before := faded()
	b.eval("document.activeElement.click()", nil)
	after, sum := faded(), b.text("#sum")
	if before[0]+before[1] != 0 || after[0] != 7 || after[2] != 8+10 || !strings.HasPrefix(sum, "Unit ") || !strings.Contains(sum, " of layer 2: 12 strongest inputs ") {
		t.Errorf("%d faded, then %d, and %q", before, after, sum)
	}
	b.eval("document.activeElement.click()", nil)
	if faded() != before {
		t.Errorf("chosen again it leaves %d", faded())
	}
}

// Choosing a bar compares its digit with the one that is read, and ink in the hatched places
// makes the network read it, if the page says so.
func testWhy(t *testing.T, b *browser) {
	slowly(t)
	m := trained(t, mlp.ReLU, false, false, 3, 32, 16)
	_, test := sample(t, 60)
	b.open(mustHTML(t, m, test))
	b.settle()
	white := &image.Gray{Pix: bytes.Repeat([]byte{255}, mlp.MNISTPixels), Stride: 28, Rect: image.Rect(0, 0, 28, 28)}
	picture.Bound(white, m.Input)
	most := strings.ReplaceAll(fmt.Sprint(white.Pix), " ", ",") // as JavaScript has it
	changed := 0
	for other := range 10 {
		b.click(fmt.Sprintf(`[data-digit="%d"] button`, other))
		why, legend := b.text("#why"), b.text("#against")
		var read int
		b.eval("(p => p.indexOf(Math.max(...p)))(mlp.predict(mlp.image()))", &read)
		if other == read {
			if legend != "speaks against it" {
				t.Errorf("of the digit that is read: %q", legend)
			}
			continue
		}
		if !strings.HasPrefix(why, fmt.Sprintf("Why %d and not %d?", read, other)) || legend != fmt.Sprintf("speaks for %d", other) {
			t.Errorf("%d: %q and %q", other, why, legend)
		}
		var after int
		b.eval(fmt.Sprintf(`(image => {
			for (const j of document.querySelector('#why').dataset.hatched.split(',')) image[j] = %s[j];
			return (p => p.indexOf(Math.max(...p)))(mlp.predict(image));
		})(mlp.image())`, most), &after)
		if strings.Contains(why, "would make it read") {
			if changed++; after != other {
				t.Errorf("%q, but it reads %d", why, after)
			}
		}
	}
	if changed < 5 {
		t.Errorf("ink changes its mind to %d digits only", changed)
	}
}
