// The files of a run beside its model: its history as a table and two figures, and its page.

package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/doctor"
	"mlp/cmd/internal/files"
	"mlp/cmd/internal/mnist"
	"mlp/cmd/internal/report"
	"mlp/cmd/internal/stat"
	"mlp/cmd/internal/training"
)

// The names of the files, in the order in which they are replaced.
const (
	historyName   = "history.csv"
	curvesName    = "curves.svg"
	gradientsName = "gradients.svg"
	reportName    = "report.html"
)

// Names returns the names of the files beside the model.
func (j *job) Names() (files []string, page string) {
	return []string{historyName, curvesName, gradientsName}, reportName
}

// Files returns the files of the run's history.
func (j *job) Files() []files.File {
	h := j.Run.History
	all := []files.File{{Name: historyName, Content: historyCSV(h)}, {Name: curvesName, Content: curves(h).SVG()}}
	if f := gradients(h); f != nil {
		all = append(all, files.File{Name: gradientsName, Content: f.SVG()})
	}
	return all
}

// Page returns the page of a run that has ended. A warning says if there is none, for example
// because the network is too large.
func (j *job) Page(stderr io.Writer) *files.File {
	if j.plain == nil {
		return nil // Gather has said why
	}
	about := fmt.Sprintf("%v, from %s", j.plain, mnist.Source(j.data))
	html, err := report.HTML(&j.Model, filepath.Join(j.Out, training.ModelName), j.plain, about, doctor.Diagnose(&j.Model, j.Guess), j.earlier)
	if err != nil {
		fmt.Fprintf(stderr, "warning: %s is not written: %s\n", reportName, cli.Plain(err.Error()))
		return nil
	}
	return &files.File{Name: reportName, Content: html}
}

// historyCSV has a header and a row per epoch: what was measured on the data, then
// the statistics of each layer.
func historyCSV(h mlp.History) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	header := []string{"epoch", "loss", "accuracy", "test_loss", "test_accuracy", "held_loss", "loss_rise"}
	for i := range h[0].First {
		for _, s := range stat.All {
			header = append(header, fmt.Sprintf("%s_%d", s.Column, i+1))
		}
	}
	w.Write(header)
	for _, e := range h {
		row := []string{strconv.Itoa(e.N), number(e.Loss), number(e.Metric), number(e.TestLoss), number(e.TestMetric),
			number(e.ValidationLoss), number(e.LossRise)}
		for _, layer := range e.Layers[:len(h[0].First)] {
			for _, s := range stat.All {
				row = append(row, number(s.Of(layer)))
			}
		}
		w.Write(row)
	}
	w.Flush() // to a buffer, which does not fail
	return b.Bytes()
}

// curves is the article's figure: the loss above, the accuracy below.
func curves(h mlp.History) *mlp.Figure {
	f, last := h.Figure(), h[len(h)-1]
	f.Title = "Training a multi-layer perceptron on MNIST"
	f.Desc = fmt.Sprintf("Over %d epochs the training loss ends at %.4f and the test accuracy at %.4f.",
		len(h), last.Loss, last.TestMetric)
	f.Charts[0].YLabel = "Cross-entropy loss"
	f.Charts[1].Title, f.Charts[1].YLabel = "Accuracy over epochs", "Accuracy"
	return f
}

// gradients is the figure of how each layer learns, or nil if that was not measured:
// above two layer statistics over the epochs, below four of them at the first batch,
// on one scale, and the activations.
func gradients(h mlp.History) *mlp.Figure {
	first, last := h[0].First, h[len(h)-1].Layers
	if first == nil {
		return nil
	}
	top := len(first) - 1
	desc := fmt.Sprintf("At the first batch the norm of the error term is %.3g in the first layer and %.3g in the last; after %d epochs %.3g and %.3g.",
		stat.DeltaNorm.Of(first[0]), stat.DeltaNorm.Of(first[top]), len(h), stat.DeltaNorm.Of(last[0]), stat.DeltaNorm.Of(last[top]))
	var activations mlp.Series
	for _, l := range first {
		activations.Y = append(activations.Y, stat.ActivationStd.Of(l))
	}
	steps := byEpoch(h, stat.UpdateRatio)
	for _, s := range steps {
		if n := len(s.Y) - 1; s.Y[n] < s.Y[n-1]/100 { // a step at the end of a schedule is next to nothing, and would flatten the others
			s.Y[n] = math.NaN()
		}
	}
	return &mlp.Figure{Title: "How fast each layer learns", Desc: desc, Charts: []mlp.Chart{
		{Title: "Speed of learning", XLabel: "Epoch", YLabel: stat.DeltaNorm.Label, LogY: true, Series: byEpoch(h, stat.DeltaNorm)},
		{Title: "Size of a step", XLabel: "Epoch", YLabel: stat.UpdateRatio.Label, LogY: true, Series: steps,
			Guides: []mlp.Guide{{Label: "rule of thumb: 10⁻³", Y: 1e-3}}},
		{Title: "Four statistics at the first batch", XLabel: "Layer", YLabel: "Relative to the last layer", LogY: true,
			Series: stat.RelativeToLast(first)},
		{Title: "Activations at the first batch", XLabel: "Layer", YLabel: "Standard deviation", LogY: true,
			Series: []mlp.Series{activations}},
	}}
}

// byEpoch has a line for each layer, from the first step, at 0, over the epochs.
func byEpoch(h mlp.History, stat stat.Stat) (all []mlp.Series) {
	for i := range h[0].First {
		s := mlp.Series{Name: fmt.Sprintf("layer %d", i+1), X: []float64{0}, Y: []float64{stat.Of(h[0].First[i])}}
		for _, e := range h {
			s.X, s.Y = append(s.X, float64(e.N)), append(s.Y, stat.Of(e.Layers[i]))
		}
		all = append(all, s)
	}
	return all
}
