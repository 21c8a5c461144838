// What a run's history looks like: a table and two figures.

package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strconv"

	"mlp"
)

// rulers are the columns that each layer has in the table, and how the charts
// call them.
var rulers = []struct {
	column, name string
	of           func(mlp.Rulers) float64
}{
	{"grad_mean", "mean |∇W|", func(r mlp.Rulers) float64 { return r.GradMean }},
	{"grad_norm", "‖∇W‖", func(r mlp.Rulers) float64 { return r.GradNorm }},
	{"delta", "‖δ‖", func(r mlp.Rulers) float64 { return r.Delta }},
	{"update", "‖ΔW‖/‖W‖", func(r mlp.Rulers) float64 { return r.Update }},
	{"spread", "standard deviation of activations", func(r mlp.Rulers) float64 { return r.Spread }},
	{"idle", "share of idle units", func(r mlp.Rulers) float64 { return r.Idle }},
}

// historyCSV has a header and a row per epoch: what was measured on the data,
// then each ruler of each layer.
func historyCSV(h mlp.History) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	header := []string{"epoch", "loss", "accuracy", "test_loss", "test_accuracy", "held_loss", "rise"}
	for i := range h[0].First {
		for _, r := range rulers {
			header = append(header, fmt.Sprintf("%s_%d", r.column, i+1))
		}
	}
	w.Write(header)
	for _, e := range h {
		row := []string{strconv.Itoa(e.N), number(e.Loss), number(e.Accuracy), number(e.TestLoss), number(e.TestAccuracy),
			number(e.HeldLoss), number(e.Rise)}
		for _, l := range e.Layers[:len(h[0].First)] {
			for _, r := range rulers {
				row = append(row, number(r.of(l)))
			}
		}
		w.Write(row)
	}
	w.Flush()
	return b.Bytes(), w.Error()
}

// column returns f of each epoch.
func column(h mlp.History, f func(e mlp.Epoch) float64) []float64 {
	y := make([]float64, len(h))
	for i, e := range h {
		y[i] = f(e)
	}
	return y
}

// curves is the article's figure: the loss above, the accuracy below.
func curves(h mlp.History) *mlp.Figure {
	last := h[len(h)-1]
	loss := []mlp.Series{
		{Name: "Training", Y: column(h, func(e mlp.Epoch) float64 { return e.Loss })},
		{Name: "Test", Y: column(h, func(e mlp.Epoch) float64 { return e.TestLoss })}}
	if last.HeldLoss == last.HeldLoss {
		loss = append(loss, mlp.Series{Name: "Held out", Y: column(h, func(e mlp.Epoch) float64 { return e.HeldLoss })})
	}
	return &mlp.Figure{
		Title: "Training a multi-layer perceptron on MNIST",
		Desc: fmt.Sprintf("Over %d epochs the training loss ends at %.4f and the test accuracy at %.4f.",
			len(h), last.Loss, last.TestAccuracy),
		Charts: []mlp.Chart{
			{Title: "Loss over epochs", XLabel: "Epoch", YLabel: "Cross-entropy loss", Series: loss},
			{Title: "Accuracy over epochs", XLabel: "Epoch", YLabel: "Accuracy", Series: []mlp.Series{
				{Name: "Training", Y: column(h, func(e mlp.Epoch) float64 { return e.Accuracy })},
				{Name: "Test", Y: column(h, func(e mlp.Epoch) float64 { return e.TestAccuracy })}}},
		},
	}
}

// gradients is the figure of how each layer learns, nil where that was not
// measured: two rulers over the epochs, and below, at the first batch, the four
// that a gradient can be measured by side by side, and the activations.
func gradients(h mlp.History) *mlp.Figure {
	first, last := h[0].First, h[len(h)-1].Layers
	if first == nil {
		return nil
	}
	delta, update, spread := rulers[2], rulers[3], rulers[4]
	top := len(first) - 1
	f := &mlp.Figure{Title: "How fast each layer learns", Columns: 2, Desc: fmt.Sprintf(
		"At the first batch the norm of the error term is %.3g in the first layer and %.3g in the last; after %d epochs %.3g and %.3g.",
		first[0].Delta, first[top].Delta, len(h), last[0].Delta, last[top].Delta)}
	f.Charts = []mlp.Chart{
		{Title: "Speed of learning", XLabel: "Epoch", YLabel: delta.name, LogY: true, Series: layerSeries(h, delta.of)},
		{Title: "Size of a step", XLabel: "Epoch", YLabel: update.name, LogY: true, Series: layerSeries(h, update.of),
			Guides: []mlp.Guide{{Label: "10⁻³", Y: 1e-3}}},
		{Title: "Four rulers at the first batch", XLabel: "Layer", YLabel: "Relative to the last layer", LogY: true},
		{Title: "Activations at the first batch", XLabel: "Layer", YLabel: "Standard deviation", LogY: true},
	}
	for _, r := range rulers[:4] {
		f.Charts[2].Series = append(f.Charts[2].Series, byLayer(r.name, first, func(l mlp.Rulers) float64 { return r.of(l) / r.of(first[top]) }))
	}
	f.Charts[3].Series = []mlp.Series{byLayer("activations", first, spread.of)}
	return f
}

// byLayer is a line through the layers.
func byLayer(name string, layers []mlp.Rulers, of func(mlp.Rulers) float64) mlp.Series {
	s := mlp.Series{Name: name}
	for _, l := range layers {
		s.Y = append(s.Y, of(l))
	}
	return s
}

// layerSeries is a ruler over the epochs, a line per layer, from the first step
// at 0 on.
func layerSeries(h mlp.History, of func(mlp.Rulers) float64) (all []mlp.Series) {
	for i := range h[0].First {
		s := mlp.Series{Name: fmt.Sprintf("layer %d", i+1), X: []float64{0}, Y: []float64{of(h[0].First[i])}}
		for _, e := range h {
			s.X, s.Y = append(s.X, float64(e.N)), append(s.Y, of(e.Layers[i]))
		}
		all = append(all, s)
	}
	return all
}
