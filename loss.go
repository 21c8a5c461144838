// The losses, each with its gradient, and the metrics.

package mlp

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
)

// Loss returns the loss of a network's output y against the targets want, both n×k: the
// mean over the rows of a loss of each row. If dy is not nil, the loss makes it n×k by
// Reset and sets it to the gradient by y. A nil dy asks for the loss alone.
type Loss func(dy, y, want *Matrix) float64

// SoftmaxCrossEntropy is the categorical cross-entropy of softmax(y), y being
// logits: the mean over the rows of -Σ want·ln softmax(y). Its gradient is
// (softmax(y)·Σ want - want)/n.
func SoftmaxCrossEntropy(dy, y, want *Matrix) float64 {
	prepareLoss("SoftmaxCrossEntropy", dy, y, want)
	if dy == nil {
		dy = scratches.Get().(*Matrix)
		defer scratches.Put(dy)
		dy.Reset(y.Rows, y.Cols)
	}
	n, loss := float64(y.Rows), 0.0
	dy.expShifted(y)
	for i := range y.Rows {
		e, z, w := dy.Row(i), y.Row(i), want.Row(i)
		most, total := largest(z), sum(e)
		logSum, weight := log(total), 0.0
		for j, v := range w {
			if v != 0 { // of a class that is not wanted, 0·ln 0 would be NaN
				loss += float64(v * (logSum - (z[j] - most)))
				weight += v
			}
		}
		for j, v := range w {
			e[j] = (float64(e[j]/total*weight) - v) / n
		}
	}
	return saturate(loss/n, y, want)
}

// scratches have the exponentials of a softmax without a gradient, the gradient of an L2
// penalty, and the inputs of a prediction by a model.
var scratches = sync.Pool{New: func() any { return new(Matrix) }}

// SigmoidCrossEntropy is the binary cross-entropy of sigmoid(y), y being
// logits: the mean over all elements of max(y, 0) - y·want + ln(1+e^-|y|).
// Its gradient is (sigmoid(y) - want)/(n·k).
func SigmoidCrossEntropy(dy, y, want *Matrix) float64 {
	prepareLoss("SigmoidCrossEntropy", dy, y, want)
	n, total := float64(len(y.Data)), 0.0
	for i, z := range y.Data {
		w, e := want.Data[i], exp(-math.Abs(z))
		u := 1 + e
		log1p := log(u) + (e-(u-1))/u // the second term corrects the rounding of 1+e
		total += max(z, 0) - float64(z*w) + log1p
		if dy != nil {
			dy.Data[i] = (sigmoid(z) - w) / n
		}
	}
	return saturate(total/n, y, want)
}

// saturate returns loss, or the largest float64 if finite logits have made it infinite.
func saturate(loss float64, y, want *Matrix) float64 {
	infinite := func(v float64) bool { return !finite(v) }
	if !math.IsInf(loss, 1) || slices.ContainsFunc(y.Data, infinite) || slices.ContainsFunc(want.Data, infinite) {
		return loss
	}
	return math.MaxFloat64
}

// SquaredError is the mean over all elements of (y - want)²; its gradient is
// 2(y - want)/(n·k).
func SquaredError(dy, y, want *Matrix) float64 {
	prepareLoss("SquaredError", dy, y, want)
	n, total := float64(len(y.Data)), 0.0
	for i, v := range y.Data {
		d := v - want.Data[i]
		total += float64(d * d)
		if dy != nil {
			dy.Data[i] = 2 * d / n
		}
	}
	return total / n
}

// Huber returns the loss of P. J. Huber (1964), which outliers pull less than SquaredError:
// the mean over all elements of d²/2 if |d| ≤ delta, and of delta·(|d| - delta/2) if not, with
// d = y - want. Its gradient is d, at least -delta and at most delta, divided by n·k. Huber
// panics unless delta is above 0.
//
//go:noinline
func Huber(delta float64) Loss {
	if !(delta > 0) {
		panic(fmt.Sprintf("mlp: Huber: a delta of %v, want more than 0", delta))
	}
	// isOneOf knows it by its code, of which inlining would make more than one.
	return func(dy, y, want *Matrix) float64 {
		prepareLoss("Huber", dy, y, want)
		n, total := float64(len(y.Data)), 0.0
		for i, v := range y.Data {
			d := v - want.Data[i]
			slope := max(-delta, min(delta, d))
			total += float64(slope * (d - float64(slope/2)))
			if dy != nil {
				dy.Data[i] = slope / n
			}
		}
		return total / n
	}
}

// epsilon keeps the losses of probabilities away from ln 0, as the article does.
const epsilon = 1e-15

// CrossEntropy is the categorical cross-entropy of the probabilities p against the
// targets want, both n×k: the mean over the rows of -Σ want·ln(p + 1e-15). It is a measure
// and no Loss: to train, take SoftmaxCrossEntropy of logits, whose gradient is exact.
func CrossEntropy(p, want *Matrix) float64 {
	mustBeAlike("CrossEntropy", p, want)
	total := 0.0
	for i, v := range p.Data {
		total -= float64(want.Data[i] * log(v+epsilon))
	}
	return total / float64(p.Rows)
}

// BinaryCrossEntropy is the binary cross-entropy of the probabilities p against the
// targets want, both n×k: the mean over all elements of
// -(want·ln(p + 1e-15) + (1-want)·ln(1-p + 1e-15)). It is a measure and no Loss: to
// train, take SigmoidCrossEntropy of logits.
func BinaryCrossEntropy(p, want *Matrix) float64 {
	mustBeAlike("BinaryCrossEntropy", p, want)
	total := 0.0
	for i, v := range p.Data {
		w := want.Data[i]
		total -= float64(w*log(v+epsilon)) + float64((1-w)*log(1-v+epsilon))
	}
	return total / float64(len(p.Data))
}

// prepareLoss gives dy, if it is not nil, the shape of y. It panics if y and want differ
// in shape, or if dy shares storage with them.
func prepareLoss(name string, dy, y, want *Matrix) {
	mustBeAlike(name, y, want)
	if dy == nil {
		return
	}
	dy.Reset(y.Rows, y.Cols)
	if overlap(dy.Data, y.Data) || overlap(dy.Data, want.Data) {
		panic("mlp: " + name + ": the gradient shares storage with the output or with the targets")
	}
}

func mustBeAlike(name string, y, want *Matrix) {
	y.mustBeFilled(name)
	want.mustBeFilled(name)
	if y.Rows != want.Rows || y.Cols != want.Cols {
		panic(fmt.Sprintf("mlp: %s: the output is %d×%d, the targets are %d×%d",
			name, y.Rows, y.Cols, want.Rows, want.Cols))
	}
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

// isOneOf reports whether loss is one of these functions of the package's.
func (loss Loss) isOneOf(own ...Loss) bool {
	code := func(l Loss) uintptr { return reflect.ValueOf(l).Pointer() }
	return slices.ContainsFunc(own, func(l Loss) bool { return code(l) == code(loss) })
}

// isOwn reports whether loss is the package's, and not a function of the caller's.
func (loss Loss) isOwn() bool {
	return loss.isOneOf(SoftmaxCrossEntropy, SigmoidCrossEntropy, SquaredError, Huber(1))
}

// A rowLoss computes a loss row by row, so that each row can have its weight.
type rowLoss struct{ dy, y, want Matrix }

// of returns the mean over the rows of weight·loss and, if dy is not nil, sets dy to its
// gradient by y. Without weights it is the loss itself.
func (r *rowLoss) of(loss Loss, dy, y, want *Matrix, weights []float64) float64 {
	if len(weights) == 0 {
		return callLoss(loss, dy, y, want)
	}
	n, total := float64(y.Rows), 0.0
	var gradient *Matrix
	if dy != nil {
		dy.Reset(y.Rows, y.Cols)
		gradient = &r.dy
	}
	for i, w := range weights {
		total += float64(w * callLoss(loss, gradient, r.y.setRows(y, i, i+1), r.want.setRows(want, i, i+1)))
		if dy != nil {
			for j, g := range r.dy.Data {
				dy.Row(i)[j] = w / n * g
			}
		}
	}
	return total / n
}

// callLoss calls loss, and panics if it leaves dy without its gradient.
func callLoss(loss Loss, dy, y, want *Matrix) float64 {
	if dy == nil {
		return loss(nil, y, want)
	}
	dy.Reset(0, 0)
	mean := loss(dy, y, want)
	if dy.mustBeFilled("Loss"); dy.Rows != y.Rows || dy.Cols != y.Cols {
		panic(fmt.Sprintf("mlp: Loss: it made dy %d×%d, the output is %d×%d", dy.Rows, dy.Cols, y.Rows, y.Cols))
	}
	return mean
}

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
	// column of the largest target. Of a single column it is LabelAccuracy. An output that
	// is NaN is never right.
	Accuracy = &Metric{"accuracy", accuracy}
	// LabelAccuracy is for answers of yes or no that do not depend on one another, in a
	// column each: the fraction of all outputs that are right. An output is right if it is
	// above 0 and the target is over 1/2, or if it is at most 0 and the target at most 1/2.
	// LabelAccuracy is NaN if a target is not from 0 to 1.
	LabelAccuracy = &Metric{"label accuracy", labelAccuracy}
	// RSquared is for numbers: 1 - Σ(y - want)²/Σ(want - mean of want)² of each column, and
	// of several columns the mean. It is NaN if a column of targets does not vary.
	RSquared = &Metric{"R²", rSquared}
	// MeanAbsoluteError is for numbers: the mean over all elements of |y - want|.
	MeanAbsoluteError = &Metric{"mean absolute error", meanAbsoluteError}

	// Precision is for classes: of the rows that are answered with a class, the fraction that
	// have it; Recall is, of the rows that have it, the fraction that are answered with it; and
	// F1 is the harmonic mean of the two. Each is 0 if no answer with the class is right. Of
	// two columns, and of a single one, the class is the second: there an output above 0 answers
	// with it, and a target over 1/2 has it. Of more columns the metric is the mean over the
	// classes that have a row or an answer. A row with an output that is NaN has no answer.
	Precision = &Metric{"precision", perClass("Precision", func(right, answers, _ float64) float64 { return right / answers })}
	Recall    = &Metric{"recall", perClass("Recall", func(right, _, rows float64) float64 { return right / rows })}
	F1        = &Metric{"F1", perClass("F1", func(right, answers, rows float64) float64 { return 2 * right / (answers + rows) })}
	// AUC is for two classes, in two columns or in a single one: the area under the curve of
	// the receiver operating characteristic. It is the fraction of the pairs of a row of the
	// second class and one of the first in which the former has the larger output, or the larger
	// second minus first output; equal ones count half. AUC is NaN if a class has no row, if an
	// output is NaN, and of more columns.
	AUC = &Metric{"area under the curve", auc}
	// CalibrationError says how far the probabilities of logits are from how often they are
	// right (Guo et al. 2017, section 2): the rows are put in 15 bins of equal width by the largest
	// probability, and it is the mean over the rows of the distance, in their bin, between
	// the share of right answers and the mean of these probabilities. The targets are one-hot.
	// In a single column outputs are logits of labels. It is NaN if an output is NaN.
	CalibrationError = &Metric{"calibration error", calibrationError}
)

func calibrationError(y, want *Matrix) float64 {
	mustBeAlike("CalibrationError", y, want)
	const bins = 15
	var excess [bins]float64 // of right answers over those that the probabilities promise
	p := y.Clone()
	if p.Cols == 1 {
		sigmoids(p.Data)
	} else {
		p.Softmax()
	}
	for i := range p.Rows {
		k := Argmax(p.Row(i))
		promised, right := p.Row(i)[k], want.Row(i)[k]
		if p.Cols == 1 && promised <= 0.5 {
			promised, right = 1-promised, 1-right
		}
		if promised != promised {
			return math.NaN()
		}
		excess[min(bins-1, int(bins*promised))] += right - promised
	}
	total := 0.0
	for _, v := range excess {
		total += math.Abs(v)
	}
	return total / float64(p.Rows)
}

// FitTemperature returns the temperature T, from 1/16 to 16, for which the logits y/T of samples
// that were not trained on have the lowest cross-entropy against want, both n×k (C. Guo and others,
// "On calibration of modern neural networks", 2017, section 4.2). It is above 1 if the
// probabilities are too sure. Columns are classes; the logits of labels must be a single column.
// The temperature changes no answer, only how sure it is. Of an ensemble y must be what the
// ensemble answers for samples that none of its networks has seen: a network by itself is surer.
func FitTemperature(y, want *Matrix) float64 {
	loss := SoftmaxCrossEntropy
	if y.Cols == 1 {
		loss = SigmoidCrossEntropy
	}
	z, dz := y.Clone(), new(Matrix)
	lo, hi := 1.0/16, 16.0 // 1/T, in which the loss is convex: its slope rises
	for range 60 {
		middle, slope := (lo+hi)/2, 0.0
		for i, v := range y.Data {
			z.Data[i] = middle * v
		}
		loss(dz, z, want)
		for i, v := range y.Data {
			slope += float64(v * dz.Data[i])
		}
		if slope < 0 {
			lo = middle
		} else {
			hi = middle
		}
	}
	return 1 / hi
}

// FitMargins returns for each column how far the answers y may be from the true numbers want, both
// n×k, of samples that were not trained on: another sample of the same kind is within the margin
// with a probability of level or more, and at most level + 1/(n+1) if no two are equally far off
// (split conformal prediction: J. Lei and others, "Distribution-free predictive inference for
// regression", 2018, section 2.2). That is so whatever the model is, if all samples
// are drawn alike; it is a mean over samples, and not of each kind of them. A margin is
// infinite if n is below level/(1-level), or if too many answers are not finite. FitMargins panics
// unless level is between 0 and 1.
func FitMargins(y, want *Matrix, level float64) []float64 {
	mustBeAlike("FitMargins", y, want)
	if !(0 < level && level < 1) {
		panic(fmt.Sprintf("mlp: FitMargins: a level of %v, want a number between 0 and 1", level))
	}
	margins, off := make([]float64, y.Cols), make([]float64, y.Rows+1)
	rank := int(math.Ceil(float64(float64(len(off))*level) - 1e-9)) // 0.9·10 is 9
	for j := range margins {
		for i := range y.Rows {
			if off[i] = math.Abs(y.Row(i)[j] - want.Row(i)[j]); off[i] != off[i] {
				off[i] = math.Inf(1)
			}
		}
		off[y.Rows] = math.Inf(1) // of the other sample, which could be the farthest
		slices.Sort(off)
		margins[j] = off[max(0, rank-1)]
	}
	return margins
}

func accuracy(y, want *Matrix) float64 {
	mustBeAlike("Accuracy", y, want)
	if y.Cols == 1 {
		return labelAccuracy(y, want)
	}
	right := 0
	for i := range y.Rows {
		if most := largest(y.Row(i)); most == most && Argmax(y.Row(i)) == Argmax(want.Row(i)) {
			right++
		}
	}
	return float64(right) / float64(y.Rows)
}

func labelAccuracy(y, want *Matrix) float64 {
	mustBeAlike("LabelAccuracy", y, want)
	right := 0
	for i, w := range want.Data {
		if !(0 <= w && w <= 1) {
			return math.NaN()
		}
		if yes := w > 0.5; yes && y.Data[i] > 0 || !yes && y.Data[i] <= 0 {
			right++
		}
	}
	return float64(right) / float64(len(want.Data))
}

func rSquared(y, want *Matrix) float64 {
	mustBeAlike("RSquared", y, want)
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

func meanAbsoluteError(y, want *Matrix) float64 {
	mustBeAlike("MeanAbsoluteError", y, want)
	total := 0.0
	for i, v := range y.Data {
		total += math.Abs(v - want.Data[i])
	}
	return total / float64(len(y.Data))
}

// classOf returns the class of a row of targets or of outputs: the column of the largest
// element or, in a single column, whether it is over a threshold.
func classOf(row []float64, threshold float64) int {
	if len(row) == 1 && row[0] > threshold {
		return 1
	}
	return Argmax(row)
}

// perClass returns the metric of that name, a score of how many of a class's answers are right,
// how many it has, and how many rows.
func perClass(name string, score func(right, answers, rows float64) float64) func(y, want *Matrix) float64 {
	return func(y, want *Matrix) float64 {
		mustBeAlike(name, y, want)
		counts := make([]struct{ right, answers, rows float64 }, max(2, y.Cols))
		for i := range y.Rows {
			truth := classOf(want.Row(i), 0.5)
			counts[truth].rows++
			if most := largest(y.Row(i)); most != most {
				continue
			}
			answer := classOf(y.Row(i), 0)
			if counts[answer].answers++; answer == truth {
				counts[answer].right++
			}
		}
		if len(counts) == 2 {
			counts = counts[1:]
		}
		total, classes := 0.0, 0.0
		for _, c := range counts {
			if c.right > 0 {
				total += score(c.right, c.answers, c.rows)
			}
			if c.answers+c.rows > 0 {
				classes++
			}
		}
		return total / max(1, classes)
	}
}

func auc(y, want *Matrix) float64 {
	mustBeAlike("AUC", y, want)
	if y.Cols > 2 {
		return math.NaN()
	}
	type row struct {
		output float64
		class  int
	}
	rows := make([]row, y.Rows)
	for i := range rows {
		out := y.Row(i)
		rows[i] = row{out[len(out)-1], classOf(want.Row(i), 0.5)}
		if len(out) == 2 {
			rows[i].output -= out[0]
		}
		if v := rows[i].output; v != v {
			return v
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(a.output, b.output) })
	pairs, seen := 0.0, [2]float64{} // rows of each class with smaller outputs
	for lo, hi := 0, 0; lo < len(rows); lo = hi {
		var equal [2]float64
		for ; hi < len(rows) && rows[hi].output == rows[lo].output; hi++ {
			equal[rows[hi].class]++
		}
		pairs += float64(equal[1] * (seen[0] + equal[0]/2))
		seen[0], seen[1] = seen[0]+equal[0], seen[1]+equal[1]
	}
	return pairs / (seen[0] * seen[1])
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
