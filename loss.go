// The losses, each with its gradient. Not here: anything that knows of layers.

package mlp

import (
	"fmt"
	"math"
)

// Loss returns the loss of a network's output y where want is wanted, both
// n×k, and makes dy n×k by Reset and its gradient by y; a nil dy asks for the
// loss alone.
type Loss func(dy, y, want *Matrix) float64

// SoftmaxCrossEntropy is the categorical cross-entropy of softmax(y), y being
// logits: the mean over the rows of -Σ want·ln softmax(y). Its gradient is
// (softmax(y)·Σ want - want)/n.
func SoftmaxCrossEntropy(dy, y, want *Matrix) float64 {
	dy = gradientLike(dy, y, want)
	n, loss := float64(y.Rows), 0.0
	dy.exponentials(y)
	for i := range y.Rows {
		e, z, w := dy.Row(i), y.Row(i), want.Row(i)
		most, total := largest(z), sum(e)
		logSum, weight := log(total), 0.0
		for j, v := range w {
			if v != 0 { // a class of probability 0 that is not wanted costs nothing
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

// SigmoidCrossEntropy is the binary cross-entropy of sigmoid(y), y being
// logits: the mean over all elements of max(y, 0) - y·want + ln(1+e^-|y|).
// Its gradient is (sigmoid(y) - want)/(n·k).
func SigmoidCrossEntropy(dy, y, want *Matrix) float64 {
	dy = gradientLike(dy, y, want)
	n, total := float64(len(y.Data)), 0.0
	for i, z := range y.Data {
		w, e := want.Data[i], exp(-math.Abs(z))
		u := 1 + e
		log1p := log(u) + (e-(u-1))/u // what 1+e rounds off put back
		total += max(z, 0) - float64(z*w) + log1p
		dy.Data[i] = (sigmoid(z) - w) / n
	}
	return total / n
}

// SquaredError is the mean over all elements of (y - want)²; its gradient is
// 2(y - want)/(n·k).
func SquaredError(dy, y, want *Matrix) float64 {
	dy = gradientLike(dy, y, want)
	n, total := float64(len(y.Data)), 0.0
	for i, v := range y.Data {
		d := v - want.Data[i]
		total += float64(d * d)
		dy.Data[i] = 2 * d / n
	}
	return total / n
}

// epsilon keeps the article's losses of probabilities away from ln 0.
const epsilon = 1e-15

// CrossEntropy is the categorical cross-entropy of probabilities y: the mean
// over the rows of -Σ want·ln(y + 1e-15).
func CrossEntropy(dy, y, want *Matrix) float64 {
	dy = gradientLike(dy, y, want)
	n, total := float64(y.Rows), 0.0
	for i, v := range y.Data {
		w := want.Data[i]
		total -= float64(w * log(v+epsilon))
		dy.Data[i] = -w / (v + epsilon) / n
	}
	return total / n
}

// BinaryCrossEntropy is the binary cross-entropy of probabilities y: the mean
// over all elements of -(want·ln(y + 1e-15) + (1-want)·ln(1-y + 1e-15)).
func BinaryCrossEntropy(dy, y, want *Matrix) float64 {
	dy = gradientLike(dy, y, want)
	n, total := float64(len(y.Data)), 0.0
	for i, v := range y.Data {
		w, p, q := want.Data[i], v+epsilon, 1-v+epsilon
		total -= float64(w*log(p)) + float64((1-w)*log(q))
		dy.Data[i] = ((1-w)/q - w/p) / n
	}
	return total / n
}

// gradientLike checks that y and want are of one shape, and gives dy, or a
// stand-in where it is nil, that shape and storage of its own.
func gradientLike(dy, y, want *Matrix) *Matrix {
	if y.Rows != want.Rows || y.Cols != want.Cols {
		panic(fmt.Sprintf("mlp: loss of an output %d×%d where %d×%d is wanted", y.Rows, y.Cols, want.Rows, want.Cols))
	}
	if dy == nil {
		dy = new(Matrix)
	}
	dy.Reset(y.Rows, y.Cols)
	if overlap(dy.Data, y.Data) || overlap(dy.Data, want.Data) {
		panic("mlp: loss: the gradient shares storage with the output or with what is wanted")
	}
	return dy
}
