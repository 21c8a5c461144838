// What a training leaves beside the weights: the history of its epochs, statistics of the
// layers, and what it needs to go on.

package mlp

import (
	"fmt"
	"slices"
)

// Epoch is what was measured in one pass over the samples. The losses and metrics are
// measured at its end, with the weights of that moment. Loss and Metric, those of the
// training samples, are NaN in an epoch that Config.Measure leaves out.
type Epoch struct {
	N                    int // from 1
	Loss, Metric         float64
	TestLoss, TestMetric float64      // NaN without Config.Test
	ValidationLoss       float64      // NaN without Config.Validation
	LossRise             float64      // the largest rise of the batch's loss in five steps, each of which raised it; or 0
	Layers               []LayerStats // of the epoch's last step
	First                []LayerStats // of the run's first step; only in the first epoch
}

// numbers are what was measured, in the order of a file.
func (e *Epoch) numbers() []*float64 {
	return []*float64{&e.Loss, &e.Metric, &e.TestLoss, &e.TestMetric, &e.ValidationLoss, &e.LossRise}
}

// History is the epochs of a run in order.
type History []Epoch

// Best returns the epoch with the lowest ValidationLoss or, without Config.Validation, the
// last epoch. It panics if there is none.
func (h History) Best() Epoch {
	if len(h) == 0 {
		panic("mlp: History.Best: no epoch was trained")
	}
	best := h[len(h)-1]
	for _, e := range slices.Backward(h) {
		if !(best.ValidationLoss < e.ValidationLoss) && e.ValidationLoss == e.ValidationLoss {
			best = e
		}
	}
	return best
}

// Figure returns the curves over the epochs: in the first chart the loss of the training
// samples, of Config.Test and of Config.Validation, in the second the metric of the first two.
// The lines have gaps where an epoch was not measured. The caller may change titles, labels and the rest.
func (h History) Figure() *Figure {
	loss := Chart{Title: "Loss over epochs", XLabel: "Epoch", YLabel: "Loss"}
	metric := Chart{Title: "Metric over epochs", XLabel: "Epoch", YLabel: "Metric"}
	for _, line := range []struct {
		chart *Chart
		name  string
		of    func(*Epoch) float64
	}{
		{&loss, "Training", func(e *Epoch) float64 { return e.Loss }},
		{&loss, "Test", func(e *Epoch) float64 { return e.TestLoss }},
		{&loss, "Held out", func(e *Epoch) float64 { return e.ValidationLoss }},
		{&metric, "Training", func(e *Epoch) float64 { return e.Metric }},
		{&metric, "Test", func(e *Epoch) float64 { return e.TestMetric }},
	} {
		s := Series{Name: line.name}
		for i := range h {
			s.X, s.Y = append(s.X, float64(h[i].N)), append(s.Y, line.of(&h[i]))
		}
		if slices.ContainsFunc(s.Y, func(v float64) bool { return v == v }) {
			line.chart.Series = append(line.chart.Series, s)
		}
	}
	f := &Figure{Title: "Training", Charts: []Chart{loss, metric}}
	if n := len(h); n > 0 {
		f.Desc = fmt.Sprintf("Over %d epochs the training loss ends at %.4f.", n, h[n-1].Loss)
	}
	return f
}

// DivergedError says that the loss, a weight or a running value is no longer finite.
type DivergedError struct {
	Epoch, Batch int // from 1
	Loss         float64
	Reason       string // what is not finite
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("%s at epoch %d, batch %d: training has diverged", e.Reason, e.Epoch, e.Batch)
}

// Run is how far a training has come: what it needs, beside the network's weights and the
// same Config, to go on exactly as if it had never stopped. The zero value is a run that has
// not begun. A copy shares its arrays.
type Run struct {
	History   History
	Optimizer string // the name of the optimizer whose running values are kept
	Metric    string // the name of the metric in History; empty is Accuracy's

	// Vectors with the layout of the network's parts: the optimizer's running values, nil for
	// those that it does not keep, and the last epoch's weights, if the network has the best
	// epoch's.
	slots [maxSlots][]float64
	last  []float64

	threads threadRange
}

// Threads returns the fewest and the most threads that have computed at the same time since Train
// began, or 0 and 0 before it has. Train finds the number that is fastest.
func (r *Run) Threads() (fewest, most int) { return r.threads.fewest, r.threads.most }

// LayerStats are measures of one layer at one step of the training. The gradients and the
// update are those of the step's batch. The gradients are the loss's, after Config.Clip and
// without Config.Decay. The activations are those of the first 256 training samples or, in
// Epoch.First, of the batch.
type LayerStats struct {
	GradMeanAbs   float64 // mean |∇W|, the article's measure
	GradNorm      float64 // ‖∇W‖
	ActivationStd float64 // standard deviation of the activations
	UpdateRatio   float64 // ‖ΔW‖/‖W‖, or 0 if W was all zeros

	// DeltaNorm is ‖∇b‖, the norm of the error terms δ = ∂L/∂z summed over the batch: the speed
	// of learning in Nielsen, "Neural Networks and Deep Learning", chapter 5. Unlike the norm
	// of ∇W it does not depend on how many inputs the layer has and how large they are.
	DeltaNorm float64

	// InactiveFraction is the fraction of units whose derivative, averaged over the
	// samples, is at most a tenth of the activation's derivative at 0. Such a unit is
	// dead, if the activation is ReLU, or saturated.
	InactiveFraction float64
}

// measureUpdate measures l's gradients, and how far an update has moved its weights, which
// were before. It changes before.
func (s *LayerStats) measureUpdate(l *Layer, before []float64) {
	total, squares := absAndSquares(l.DW.Data)
	s.GradMeanAbs = total / float64(len(l.DW.Data))
	s.GradNorm, s.DeltaNorm = rootOfSquares(squares, l.DW.Data), norm(l.DB.Data)
	size := norm(before)
	axpy(before, l.W.Data, -1)
	if moved := norm(before); moved > 0 && size > 0 {
		s.UpdateRatio = moved / size
	}
}

// measureActivations measures the activations a, n×out, of n samples.
func (s *LayerStats) measureActivations(act *Activation, a *Matrix) {
	slopeAtZero := []float64{1, 0}
	act.Forward(slopeAtZero[1:])
	act.Backward(slopeAtZero[:1], slopeAtZero[1:])
	slopes, total := make([]float64, a.Cols), make([]float64, a.Cols)
	for i := range a.Rows {
		for j := range slopes {
			slopes[j] = 1
		}
		act.Backward(slopes, a.Row(i))
		add(total, slopes)
	}
	inactive := 0
	for _, slope := range total {
		if slope <= slopeAtZero[0]/10*float64(a.Rows) {
			inactive++
		}
	}
	s.InactiveFraction = float64(inactive) / float64(a.Cols)
	_, s.ActivationStd = moments(a.Data)
}

// lossRise returns the largest rise of the losses over five consecutive steps, each of which
// raised it, or 0.
func lossRise(losses []float64) (most float64) {
	rises := 0 // one after the other, up to this step
	for i := 1; i < len(losses); i++ {
		if rises++; !(losses[i-1] < losses[i]) {
			rises = 0
		}
		if rises >= 5 {
			most = max(most, losses[i]-losses[i-5])
		}
	}
	return most
}
