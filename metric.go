// How a network is measured on data: its loss, and a metric beside it. Not here: the
// statistics of layers (layerstats.go).

package mlp

import (
	"errors"
	"math"
)

// A Metric says how good outputs are, in other words than the loss.
type Metric struct {
	Name string // for charts, in lower case
	// Of returns the metric of the outputs y against the targets want, both n×k. Train and
	// Evaluate call it with all rows of a data set.
	Of func(y, want *Matrix) float64
}

// The metrics.
var (
	// Accuracy is for classes: the fraction of the rows whose largest output is in the
	// column of the largest target. Of a single column it is LabelAccuracy.
	Accuracy = &Metric{"accuracy", accuracy}
	// LabelAccuracy is for answers of yes or no that do not depend on one another, in a
	// column each: the fraction of all outputs that are positive, as logits of
	// SigmoidCrossEntropy are for yes, just if the target is over 1/2. It is NaN if a target
	// is not from 0 to 1.
	LabelAccuracy = &Metric{"label accuracy", labelAccuracy}
	// RSquared is for numbers: 1 - Σ(y - want)²/Σ(want - mean of want)² of each column, and
	// of several columns the mean. It is NaN if a column of targets does not vary.
	RSquared = &Metric{"R²", rSquared}
)

func accuracy(y, want *Matrix) float64 {
	if y.Cols == 1 {
		return labelAccuracy(y, want)
	}
	right := 0
	for i := range y.Rows {
		if Argmax(y.Row(i)) == Argmax(want.Row(i)) {
			right++
		}
	}
	return float64(right) / float64(y.Rows)
}

func labelAccuracy(y, want *Matrix) float64 {
	right := 0
	for i, w := range want.Data {
		if !(0 <= w && w <= 1) {
			return math.NaN()
		}
		if y.Data[i] > 0 == (w > 0.5) {
			right++
		}
	}
	return float64(right) / float64(len(want.Data))
}

func rSquared(y, want *Matrix) float64 {
	total := 0.0
	for j, std := range FitStandardization(want).Std {
		if std == 0 {
			return math.NaN()
		}
		squares := 0.0
		for i := range y.Rows {
			d := y.Row(i)[j] - want.Row(i)[j]
			squares += float64(d * d)
		}
		total += 1 - squares/float64(y.Rows)/float64(std*std)
	}
	return total / float64(want.Cols)
}

// Evaluate returns net's mean loss and its accuracy on data, by Predict. If loss is
// nil, it is SoftmaxCrossEntropy, which needs two outputs or more. Evaluate panics if
// net is not complete, or if data has no samples or a wrong weight.
func Evaluate(net Network, data Dataset, loss Loss) (mean, accuracy float64) {
	return EvaluateBy(net, data, loss, Accuracy)
}

// EvaluateBy is Evaluate with another metric than Accuracy.
func EvaluateBy(net Network, data Dataset, loss Loss, by *Metric) (mean, metric float64) {
	err := net.validate()
	if err == nil {
		loss, err = lossFor(net, loss)
	}
	if err == nil {
		err = mustHaveSamples("data", data)
	}
	if err == nil {
		err = by.validate()
	}
	if err != nil {
		panic("mlp: Evaluate: " + err.Error())
	}
	return new(evaluation).measure(net, data, data.Len(), loss, by, nil)
}

func (m *Metric) validate() error {
	switch {
	case m == nil:
		return errors.New("Metric is nil")
	case m.Name == "":
		return errors.New("Metric has no Name")
	case m.Of == nil:
		return errors.New("Metric has no Of")
	}
	return nil
}

// lossFor returns the loss to use for a network: SoftmaxCrossEntropy if loss is nil.
func lossFor(net Network, loss Loss) (Loss, error) {
	if loss != nil {
		return loss, nil
	}
	if net[len(net)-1].W.Cols == 1 {
		return nil, errors.New("Loss is nil, and SoftmaxCrossEntropy of a single output is always 0")
	}
	return SoftmaxCrossEntropy, nil
}

// An evaluation has the storage that measuring a network needs.
type evaluation struct {
	x, y      Matrix // some rows of the data set
	out, want Matrix // the outputs for all samples that are measured, and their targets
	index     []int
	row       rowLoss
}

// evaluationRows is the number of rows whose loss is computed by one call. It is fixed, so
// that the sums do not depend on the number of threads. The activations of the layers
// are measured on the first evaluationRows samples.
const evaluationRows = 256

// measure returns the mean loss and the metric of the first n samples. If stats is not
// nil, it receives the statistics of each layer's activations.
func (v *evaluation) measure(net Network, data Dataset, n int, loss Loss, by *Metric, stats []LayerStats) (mean, metric float64) {
	weights, err := weightsOf(data)
	if err != nil {
		panic("mlp: Evaluate: " + err.Error())
	}
	v.out.Reset(n, net[len(net)-1].W.Cols)
	rowsAtOnce := evaluationRows * max(2, (maxThreads()+1)/2) // two forward passes or more for each thread
	for lo := 0; lo < n; lo += rowsAtOnce {
		v.predict(net, data, lo, min(lo+rowsAtOnce, n), stats)
		stats = nil
	}
	return v.meanLoss(loss, weights), by.Of(&v.out, &v.want)
}

// predict fills rows lo to hi-1 of out and want.
func (v *evaluation) predict(net Network, data Dataset, lo, hi int, stats []LayerStats) {
	v.index = v.index[:0]
	for i := lo; i < hi; i++ {
		v.index = append(v.index, i)
	}
	data.Batch(&v.x, &v.y, v.index)
	copy(v.want.Reset(v.out.Rows, v.y.Cols).Data[lo*v.y.Cols:], v.y.Data)
	var out, x Matrix
	rest := 0
	if stats != nil {
		rest = min(evaluationRows, hi-lo)
		p := forwardPasses.Get().(*forwardPass)
		p.run(net, nil, out.setRows(&v.out, lo, lo+rest), x.setRows(&v.x, 0, rest), false)
		p.measureLayers(net, &out, stats)
		p.release()
	}
	net.Predict(out.setRows(&v.out, lo+rest, hi), x.setRows(&v.x, rest, hi-lo))
}

// meanLoss returns the mean loss of the rows.
func (v *evaluation) meanLoss(loss Loss, weights []float64) (mean float64) {
	var out, want Matrix
	n := v.out.Rows
	for lo := 0; lo < n; lo += evaluationRows {
		hi := min(lo+evaluationRows, n)
		some := weights
		if weights != nil {
			some = weights[lo:hi]
		}
		mean += float64(v.row.of(loss, nil, out.setRows(&v.out, lo, hi), want.setRows(&v.want, lo, hi), some) * float64(hi-lo))
	}
	return mean / float64(n)
}
