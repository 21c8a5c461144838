// The article's exercise 4, by four layer statistics.

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"mlp"
	"mlp/cmd/internal/stat"
)

// A reading is the statistics of a network's first step, and what explains them, by
// layer.
type reading struct {
	beginning beginning
	layers    []mlp.LayerStats
	size      []float64 // elements of W
	input     []float64 // ‖x‖ of the batch's input to the layer
	blank     float64   // share of W1's elements that belong to pixels which never vary
}

func article(l *lab) (*mlp.Figure, error) {
	train := l.train.Slice(0, 800)
	pixels := train.Stats()
	train.Standardize(pixels)
	batch := train.Slice(0, 32)
	f := &mlp.Figure{Title: "Four layer statistics of the article's first step", SameY: true}
	var sentences []string
	l.printf("article: 784-256-128-10, relu, the first %d of %d digits, rate 0.1\n", batch.Len(), train.Len())
	l.printf("%-8s%6s%10s%10s", "", "layer", "elements", "‖x‖")
	for _, s := range stat.Learning {
		l.printf("%12s", s.Label)
	}
	l.printf("\n")
	for _, b := range []beginning{beginnings[0], beginnings[2]} {
		m, err := l.firstStep(b, batch)
		if err != nil {
			return nil, err
		}
		m.blank = constant(pixels)
		for i, layer := range m.layers {
			l.printf("%-8s%6d%10.0f%10.3g%12.6f", b, i+1, m.size[i], m.input[i], layer.GradMeanAbs)
			l.record(m.size[i], m.input[i], layer.GradMeanAbs)
			for _, s := range stat.Learning[1:] {
				l.printf("%12.3g", s.Of(layer))
				l.record(s.Of(layer))
			}
			l.printf("\n")
		}
		f.Charts = append(f.Charts, mlp.Chart{Title: "First weights: " + b.name, XLabel: "Layer", YLabel: "Relative to the last layer",
			LogY: true, Guides: []mlp.Guide{{Y: 1}}, Series: stat.RelativeToLast(m.layers)})
		for _, s := range m.sentences() {
			if !slices.Contains(sentences, s) {
				sentences = append(sentences, s)
			}
		}
	}
	l.printf("\n")
	f.Caption = strings.Join(sentences, "\n")
	return f, nil
}

// constant returns the share of the pixels that are the same in all digits.
func constant(pixels mlp.Standardization) float64 {
	n := 0
	for _, std := range pixels.Std {
		if std == 0 {
			n++
		}
	}
	return float64(n) / float64(len(pixels.Std))
}

// firstStep trains a network for one step, with the batch.
func (l *lab) firstStep(b beginning, batch *mlp.MNIST) (*reading, error) {
	net := b.network(l.seed, mlp.ReLU, 256, 128)
	m := &reading{beginning: b}
	x := mlp.SamplesOf(batch).X
	for i, layer := range net {
		m.size = append(m.size, float64(len(layer.W.Data)))
		m.input = append(m.input, norm(x.Data))
		x = net[i : i+1].Forward(x)
	}
	history, err := mlp.Train(l.ctx, net, batch, mlp.Config{Rate: 0.1, Epochs: 1, Batch: batch.Len(), InOrder: true})
	if err == nil {
		m.layers = history[0].First
	}
	return m, err
}

// sentences say how each statistic of the first layer compares with that of the last,
// which of them disagree on whether the gradient vanishes, and why.
func (m *reading) sentences() []string {
	n := len(m.layers) - 1
	first, last := m.layers[0], m.layers[n]
	says, vanishes := make([]string, len(stat.Learning)), make([]bool, len(stat.Learning))
	for i, s := range stat.Learning {
		ratio := s.Of(first) / s.Of(last)
		says[i], vanishes[i] = s.Label+" "+times(ratio), ratio < 1./3
	}
	more := m.size[0] / m.size[n]
	s := []string{fmt.Sprintf("%s, layer 1 against %d: %s.", m.beginning.name, n+1, strings.Join(says, ", "))}
	if vanishes[0] != vanishes[1] {
		s = append(s, fmt.Sprintf("Why %s and %s disagree: W1 has %.0f times the elements of W%d; shared out among them the same norm is a mean √%.0f = %.1f times smaller; and %.0f%% of them lie behind pixels that never vary.",
			stat.Learning[0].Label, stat.Learning[1].Label, more, n+1, more, math.Sqrt(more), 100*m.blank))
	}
	if vanishes[1] != vanishes[2] {
		s = append(s, fmt.Sprintf("Why %s and %s disagree: ∇W = xᵀδ; ‖x‖, layer 1 against %d: %s.",
			stat.Learning[1].Label, stat.Learning[2].Label, n+1, times(m.input[0]/m.input[n])))
	}
	if vanishes[1] != vanishes[3] {
		weights := first.GradNorm / first.UpdateRatio / (last.GradNorm / last.UpdateRatio)
		s = append(s, fmt.Sprintf("Why %s and %s disagree: ‖W‖, layer 1 against %d: %s.", stat.Learning[1].Label, stat.Learning[3].Label, n+1, times(weights)))
	}
	return s
}
