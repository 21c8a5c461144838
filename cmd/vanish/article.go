// The article's exercise 4, by four layer statistics.

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
)

// stats are the statistics to compare, the article's own first.
var stats = []cli.LayerStat{cli.GradMeanAbs, cli.GradNorm, cli.DeltaNorm, cli.UpdateRatio}

// A reading is the statistics of a network's first step, and what explains them, by
// layer.
type reading struct {
	recipe recipe
	layers []mlp.LayerStats
	size   []float64 // elements of W
	input  []float64 // ‖x‖ of the batch's input to the layer
	blank  float64   // share of W1's elements whose gradient is 0 because their pixel never varies
}

func article(l *lab) (*mlp.Figure, error) {
	train, _ := standardized(l.train.Slice(0, 800), l.test)
	batch := train.Slice(0, 32)
	f := &mlp.Figure{Title: "Four layer statistics of the article's first step", Columns: 2, SameY: true}
	var sentences []string
	l.printf("article: 784-256-128-10, relu, the first %d of %d digits, rate 0.1\n", batch.Len(), train.Len())
	l.printf("%-8s%6s%10s%10s", "", "layer", "elements", "‖x‖")
	for _, s := range stats {
		l.printf("%12s", s.Label)
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
	x, _ := cli.FirstBatch(batch, batch.Len())
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
		l.printf("%-8s%6d%10.0f%10.3g%12.6f", m.recipe.name, i+1, m.size[i], m.input[i], layer.GradMeanAbs)
		l.record(m.size[i], m.input[i])
		for _, s := range stats[1:] {
			l.printf("%12.3g", s.Of(layer))
		}
		for _, s := range stats {
			l.record(s.Of(layer))
		}
		l.printf("\n")
	}
}

// chart has each statistic relative to that of the last layer.
func (m *reading) chart() mlp.Chart {
	c := mlp.Chart{Title: "First weights: " + m.recipe.name, XLabel: "Layer", YLabel: "Relative to the last layer",
		LogY: true, Guides: []mlp.Guide{{Y: 1}}}
	last := m.layers[len(m.layers)-1]
	for _, s := range stats {
		line := mlp.Series{Name: s.Label}
		for _, layer := range m.layers {
			line.Y = append(line.Y, s.Of(layer)/s.Of(last))
		}
		c.Series = append(c.Series, line)
	}
	return c
}

// sentences say how each statistic of the first layer compares with that of the last,
// which of them disagree on whether the gradient vanishes, and why.
func (m *reading) sentences() []string {
	n := len(m.layers) - 1
	first, last := m.layers[0], m.layers[n]
	says, vanishes := make([]string, len(stats)), make([]bool, len(stats))
	for i, s := range stats {
		ratio := s.Of(first) / s.Of(last)
		says[i], vanishes[i] = s.Label+" "+times(ratio), ratio < 1./3
	}
	more := m.size[0] / m.size[n]
	s := []string{fmt.Sprintf("%s, layer 1 against %d: %s.", m.recipe.name, n+1, strings.Join(says, ", "))}
	if vanishes[0] != vanishes[1] {
		s = append(s, fmt.Sprintf("Why %s and %s disagree: W1 has %.0f times the elements of W%d; shared out among them the same norm is a mean √%.0f = %.1f times smaller; and %.0f%% of them lie behind pixels that never vary.",
			stats[0].Label, stats[1].Label, more, n+1, more, math.Sqrt(more), 100*m.blank))
	}
	if vanishes[1] != vanishes[2] {
		s = append(s, fmt.Sprintf("Why %s and %s disagree: ∇W = xᵀδ, and the x of layer 1 is %s than that of layer %d.",
			stats[1].Label, stats[2].Label, times(m.input[0]/m.input[n]), n+1))
	}
	if vanishes[1] != vanishes[3] {
		weights := first.GradNorm / first.UpdateRatio / (last.GradNorm / last.UpdateRatio)
		s = append(s, fmt.Sprintf("Why %s and %s disagree: ‖W1‖ is %s than ‖W%d‖.", stats[1].Label, stats[3].Label, times(weights), n+1))
	}
	return s
}
