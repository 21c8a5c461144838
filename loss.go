// The losses, each with its gradient. Not here: anything that knows of layers.

package mlp

import (
	"fmt"
	"math"
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
	prepareLoss(dy, y, want)
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
	return loss / n
}

// scratches have the exponentials of a softmax whose gradient nobody wants.
var scratches = sync.Pool{New: func() any { return new(Matrix) }}

// SigmoidCrossEntropy is the binary cross-entropy of sigmoid(y), y being
// logits: the mean over all elements of max(y, 0) - y·want + ln(1+e^-|y|).
// Its gradient is (sigmoid(y) - want)/(n·k).
func SigmoidCrossEntropy(dy, y, want *Matrix) float64 {
	prepareLoss(dy, y, want)
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
	return total / n
}

// SquaredError is the mean over all elements of (y - want)²; its gradient is
// 2(y - want)/(n·k).
func SquaredError(dy, y, want *Matrix) float64 {
	prepareLoss(dy, y, want)
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

// epsilon keeps the losses of probabilities away from ln 0, as the article does.
const epsilon = 1e-15

// CrossEntropy is the categorical cross-entropy of the probabilities p against the
// targets want, both n×k: the mean over the rows of -Σ want·ln(p + 1e-15). It is a measure
// and no Loss: to train, let the network's output be logits and take
// SoftmaxCrossEntropy, whose gradient is exact.
func CrossEntropy(p, want *Matrix) float64 {
	mustBeAlike(p, want)
	total := 0.0
	for i, v := range p.Data {
		total -= float64(want.Data[i] * log(v+epsilon))
	}
	return total / float64(p.Rows)
}

// BinaryCrossEntropy is the binary cross-entropy of the probabilities p against the
// targets want, both n×k: the mean over all elements of
// -(want·ln(p + 1e-15) + (1-want)·ln(1-p + 1e-15)). It is a measure and no Loss: to
// train, let the network's output be logits and take SigmoidCrossEntropy.
func BinaryCrossEntropy(p, want *Matrix) float64 {
	mustBeAlike(p, want)
	total := 0.0
	for i, v := range p.Data {
		w := want.Data[i]
		total -= float64(w*log(v+epsilon)) + float64((1-w)*log(1-v+epsilon))
	}
	return total / float64(len(p.Data))
}

// prepareLoss gives dy, unless it is nil, the shape of y. It panics if y and want differ
// in shape, or if dy shares storage with them.
func prepareLoss(dy, y, want *Matrix) {
	mustBeAlike(y, want)
	if dy == nil {
		return
	}
	dy.Reset(y.Rows, y.Cols)
	if overlap(dy.Data, y.Data) || overlap(dy.Data, want.Data) {
		panic("mlp: loss: the gradient shares storage with the output or with what is wanted")
	}
}

func mustBeAlike(y, want *Matrix) {
	y.mustBeFilled("loss")
	want.mustBeFilled("loss")
	if y.Rows != want.Rows || y.Cols != want.Cols {
		panic(fmt.Sprintf("mlp: loss: the output is %d×%d, the targets are %d×%d", y.Rows, y.Cols, want.Rows, want.Cols))
	}
}
