// The article's exercise 4, and what three other rulers say of the same step.

package main

import (
	"fmt"
	"math"
	"slices"
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
	var sentences []string
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
		for _, s := range reading.sentences() {
			if !slices.Contains(sentences, s) {
				sentences = append(sentences, s)
			}
		}
	}
	l.printf("\n")
	return l.caption(f, sentences...), nil
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
	for pixel := range mlp.MNISTPixels {
		if norm(net[0].DW.Row(pixel)) == 0 {
			m.blank += 1. / mlp.MNISTPixels
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

// sentences say by how much each ruler differs from the last layer to the first,
// which of them disagree on whether the gradient vanishes, and why.
func (m *reading) sentences() []string {
	n := len(m.layers) - 1
	first, last := m.layers[0], m.layers[n]
	says, vanishes := make([]string, len(rulers)), make([]bool, len(rulers))
	for i, r := range rulers {
		ratio := r.of(first) / r.of(last)
		says[i], vanishes[i] = r.name+" "+times(ratio), ratio < 1./3
	}
	more := m.size[0] / m.size[n]
	s := []string{fmt.Sprintf("%s, layer 1 against %d: %s.", m.recipe.name, n+1, strings.Join(says, ", "))}
	if vanishes[0] != vanishes[1] {
		s = append(s, fmt.Sprintf("Why %s and %s disagree: W1 has %.0f times the elements of W%d; shared out among them the same norm is a mean √%.0f = %.1f times smaller; and %.0f%% of them lie behind pixels that never vary.",
			rulers[0].name, rulers[1].name, more, n+1, more, math.Sqrt(more), 100*m.blank))
	}
	if vanishes[1] != vanishes[2] {
		s = append(s, fmt.Sprintf("Why %s and %s disagree: ∇W = xᵀδ, and the x of layer 1 is %s than that of layer %d.",
			rulers[1].name, rulers[2].name, times(m.input[0]/m.input[n]), n+1))
	}
	if vanishes[1] != vanishes[3] {
		weights := first.GradNorm / first.Update / (last.GradNorm / last.Update)
		s = append(s, fmt.Sprintf("Why %s and %s disagree: ‖W1‖ is %s than ‖W%d‖.", rulers[1].name, rulers[3].name, times(weights), n+1))
	}
	return s
}
