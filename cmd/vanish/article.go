// The article's exercise 4, and what three other rulers say of the same step.

package main

import (
	"fmt"
	"strings"

	"mlp"
)

// The rulers, the article's own first.
var rulers = []struct {
	name string
	of   func(mlp.Rulers) float64
}{
	{"mean |∇W|", func(r mlp.Rulers) float64 { return r.GradMean }},
	{"‖∇W‖", func(r mlp.Rulers) float64 { return r.GradNorm }},
	{"‖δ‖", func(r mlp.Rulers) float64 { return r.Delta }},
	{"‖ΔW‖/‖W‖", func(r mlp.Rulers) float64 { return r.Update }},
}

// A reading is what the rulers show of a network's first step, and what
// explains it, by layer.
type reading struct {
	recipe recipe
	layers []mlp.Rulers
	size   []float64 // elements of W
	input  []float64 // ‖x‖ of the batch that reaches the layer
	blank  float64   // share of W1's elements whose gradient is 0 as their pixel never varies
}

func article(l *lab) (*mlp.Figure, error) {
	train, _ := standardized(l.train.Slice(0, 800), l.test)
	batch := train.Slice(0, 32)
	f := &mlp.Figure{Title: "Four rulers on the article's first step", Columns: 2, SameY: true}
	l.printf("article: 784-256-128-10, relu, the first %d of %d digits, rate 0.1\n", batch.Len(), train.Len())
	l.printf("%-8s%6s%10s%10s", "", "layer", "elements", "‖x‖")
	for _, r := range rulers {
		l.printf("%12s", r.name)
	}
	l.printf("\n")
	for _, r := range []recipe{recipes[0], recipes[2]} {
		reading, err := l.read(r, batch)
		if err != nil {
			return nil, err
		}
		reading.print(l)
		f.Charts = append(f.Charts, reading.chart())
		f.Caption += reading.caption()
	}
	l.printf("%s\n", f.Caption)
	return f, nil
}

// read takes one step with the batch.
func (l *lab) read(r recipe, batch *mlp.MNIST) (*reading, error) {
	net := r.network(l.seed, mlp.ReLU, 256, 128)
	m := &reading{recipe: r}
	x, _ := firstBatch(batch, batch.Len())
	m.input = append(m.input, norm(x.Data))
	for i := range net[1:] {
		m.input = append(m.input, norm(net[:i+1].Forward(x).Data))
	}
	history, err := mlp.Train(l.ctx, net, batch, mlp.Config{Rate: 0.1, Epochs: 1, Batch: batch.Len(), InOrder: true})
	if err != nil {
		return nil, err
	}
	m.layers = history[0].First
	for _, layer := range net {
		m.size = append(m.size, float64(len(layer.W.Data)))
	}
	for pixel := range mlp.Pixels {
		if norm(net[0].DW.Row(pixel)) == 0 {
			m.blank += 1. / mlp.Pixels
		}
	}
	return m, nil
}

func (m *reading) print(l *lab) {
	for i, layer := range m.layers {
		l.printf("%-8s%6d%10.0f%10.3g%12.6f", m.recipe.name, i+1, m.size[i], m.input[i], layer.GradMean)
		l.record(m.size[i], m.input[i])
		for _, r := range rulers[1:] {
			l.printf("%12.3g", r.of(layer))
		}
		for _, r := range rulers {
			l.record(r.of(layer))
		}
		l.printf("\n")
	}
}

// chart shows each ruler relative to what it shows of the last layer.
func (m *reading) chart() mlp.Chart {
	c := mlp.Chart{Title: "First weights: " + m.recipe.name, XLabel: "Layer", YLabel: "Relative to the last layer",
		LogY: true, Guides: []mlp.Guide{{Y: 1}}}
	last := m.layers[len(m.layers)-1]
	for _, r := range rulers {
		s := mlp.Series{Name: r.name}
		for _, layer := range m.layers {
			s.Y = append(s.Y, r.of(layer)/r.of(last))
		}
		c.Series = append(c.Series, s)
	}
	return c
}

// caption says by how much each ruler differs from the last layer to the first,
// which of them disagree on whether the gradient vanishes, and why.
func (m *reading) caption() string {
	var b strings.Builder
	n := len(m.layers) - 1
	says := make([]string, len(rulers))
	vanishes := make([]bool, len(rulers))
	for i, r := range rulers {
		ratio := r.of(m.layers[0]) / r.of(m.layers[n])
		says[i], vanishes[i] = r.name+" is "+times(ratio), ratio < 1./3
	}
	fmt.Fprintf(&b, "From %s weights, in layer 1 against layer %d: %s. ", m.recipe.name, n+1, strings.Join(says, ", "))
	if vanishes[0] != vanishes[1] {
		fmt.Fprintf(&b, "The first two disagree because W1 has %.0f times as many elements as W%d, %.0f %% of them behind pixels that never vary. ",
			m.size[0]/m.size[n], n+1, 100*m.blank)
	}
	if vanishes[1] != vanishes[2] {
		fmt.Fprintf(&b, "‖∇W‖ and ‖δ‖ disagree because ∇W = xᵀδ, and the x of layer 1 is %s. ", times(m.input[0]/m.input[n]))
	}
	return b.String()
}

// times says a ratio in words.
func times(ratio float64) string {
	switch {
	case ratio > 1/1.05 && ratio < 1.05:
		return "the same"
	case ratio < 1:
		return fmt.Sprintf("%.2g times smaller", 1/ratio)
	}
	return fmt.Sprintf("%.3g times larger", ratio)
}
