// The figures of a run: its losses by epoch and, for numbers, what was predicted of the
// test rows against what is true.

package main

import (
	"fmt"
	"io"
	"math"

	"mlp"
	"mlp/cmd/internal/files"
)

// The files beside the model, in the order in which they are replaced.
const (
	curvesName = "curves.svg"
	pointsName = "predicted-against-true.svg"
)

// Names returns the names of the files beside the model.
func (j *job) Names() (files []string, page string) { return []string{curvesName, pointsName}, "" }

// Files returns the files of the run's history and of the network that it led to.
func (j *job) Files() []files.File {
	all := []files.File{{Name: curvesName, Content: j.curves(j.Run.History).SVG()}}
	if j.table.task() == numbers {
		all = append(all, files.File{Name: pointsName, Content: j.points().SVG()})
	}
	return all
}

// Page returns nil: a table's model has no page.
func (j *job) Page(io.Writer) *files.File { return nil }

// curves is the losses over the epochs.
func (j *job) curves(h mlp.History) *mlp.Figure {
	train, held := mlp.Series{Name: "Training"}, mlp.Series{Name: "Held out"}
	for _, e := range h {
		train.Y, held.Y = append(train.Y, e.Loss), append(held.Y, e.ValidationLoss)
	}
	series := []mlp.Series{train}
	desc := fmt.Sprintf("Over %d epochs the training loss ends at %.4f.", len(h), h[len(h)-1].Loss)
	if j.held != nil {
		best := h.Best()
		series = append(series, held)
		desc += fmt.Sprintf(" The loss on the held-out rows is lowest after epoch %d: %.4f.", best.N, best.ValidationLoss)
	}
	label := "Cross-entropy loss"
	if j.table.task() == numbers {
		label = "Squared error, standardized"
	}
	return &mlp.Figure{Title: "Training a network on a table", Desc: desc, Charts: []mlp.Chart{
		{Title: "Loss over epochs", XLabel: "Epoch", YLabel: label, Series: series}}}
}

// The most rows and the most targets that are drawn.
const maxPoints, maxTargets = 500, 4

// points is a chart for each target, the first ones, with a point for each test row.
func (j *job) points() *mlp.Figure {
	n := min(maxPoints, j.test.Len())
	some := *j.test
	some.index = make([]int32, n)
	for i := range some.index {
		some.index[i] = j.test.index[i*j.test.Len()/n]
	}
	y := some.answers(some.predict(j.Net))
	f := &mlp.Figure{Title: "Predicted against true", Columns: 2,
		Desc: fmt.Sprintf("What the network predicts of %d test rows, against what is true.", n)}
	for k, c := range j.table.Targets[:min(maxTargets, len(j.table.Targets))] {
		var truth, predicted []float64
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := range n {
			t := some.truth(i, k)
			truth, predicted = append(truth, t), append(predicted, y.Row(i)[k])
			lo, hi = min(lo, t), max(hi, t)
		}
		f.Charts = append(f.Charts, mlp.Chart{Title: c.Name, XLabel: "True", YLabel: "Predicted", Series: []mlp.Series{
			{Name: "Test row", X: truth, Y: predicted, Points: true}, {Name: "Predicted = true", X: []float64{lo, hi}, Y: []float64{lo, hi}}}})
	}
	return f
}
