// Data sets, the order of their samples, and how a network is measured on them. Not
// here: the digits (mnist.go) and training (train.go).

package mlp

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
)

// Dataset answers with samples by index: Batch makes x and y len(index) rows by
// Reset, and sets row i of x to the input of sample index[i], and row i of y to what
// is wanted for it. Train and Evaluate call it from one goroutine at a time.
type Dataset interface {
	Len() int
	Batch(x, y *Matrix, index []int)
}

// Samples is a Dataset of two matrices: row i of Y is wanted for row i of X.
type Samples struct{ X, Y *Matrix }

// Len returns the number of rows. It panics if X and Y do not have the same number.
func (s Samples) Len() int {
	if s.X.Rows != s.Y.Rows {
		panic(fmt.Sprintf("mlp: Samples: X of %d×%d, Y of %d×%d", s.X.Rows, s.X.Cols, s.Y.Rows, s.Y.Cols))
	}
	return s.X.Rows
}

// Batch copies the rows of index.
func (s Samples) Batch(x, y *Matrix, index []int) {
	x.Reset(len(index), s.X.Cols)
	y.Reset(len(index), s.Y.Cols)
	for i, r := range index {
		copy(x.Row(i), s.X.Row(r))
		copy(y.Row(i), s.Y.Row(r))
	}
}

// shuffle fills index with 0, 1, 2 … in an order that depends on seed and epoch alone,
// by the method of Fisher and Yates, or in ascending order if inOrder is true.
func shuffle(index []int, seed uint64, epoch int, inOrder bool) []int {
	for i := range index {
		index[i] = i
	}
	if inOrder {
		return index
	}
	rng := rand.NewPCG(seed, uint64(epoch))
	for i := len(index) - 1; i > 0; i-- {
		j, _ := bits.Mul64(rng.Uint64(), uint64(i+1))
		index[i], index[j] = index[j], index[i]
	}
	return index
}

// Evaluate returns net's mean loss and its accuracy on data, by Predict. If loss is
// nil, it is SoftmaxCrossEntropy, which needs two outputs or more. Evaluate panics if
// net is not complete, or if there are no data.
func Evaluate(net Network, data Dataset, loss Loss) (mean, accuracy float64) {
	err := net.validate()
	if err == nil {
		loss, err = lossFor(net, loss)
	}
	if err == nil && data.Len() == 0 {
		err = errNoSamples
	}
	if err != nil {
		panic("mlp: Evaluate: " + err.Error())
	}
	return new(evaluation).measure(net, data, loss, nil)
}

var errNoSamples = errors.New("the data set has no samples")

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

// An evaluation is the storage that measuring needs.
type evaluation struct{ x, y, out, dy Matrix }

// evaluationRows is of how many rows the loss is computed at once. The number is fixed,
// so that the sums do not depend on the number of threads. Layer statistics are those
// of the first so many samples.
const evaluationRows = 256

// measure returns the mean loss and the accuracy. If stats is not nil, it receives the
// statistics of each layer's activations.
func (v *evaluation) measure(net Network, data Dataset, loss Loss, stats []LayerStats) (mean, accuracy float64) {
	together := evaluationRows * max(2, (runtime.GOMAXPROCS(0)+1)/2) // a few forward passes for each thread
	index := make([]int, 0, together)
	total, right, n := 0.0, 0, data.Len()
	for i := 0; i < n; i += len(index) {
		index = index[:0]
		for k := i; k < min(n, i+together); k++ {
			index = append(index, k)
		}
		data.Batch(&v.x, &v.y, index)
		if v.out.Reset(v.x.Rows, net[len(net)-1].W.Cols); i == 0 && stats != nil {
			v.predictMeasured(net, stats)
		} else {
			net.Predict(&v.out, &v.x)
		}
		total = v.addLosses(total, loss)
		right += countRight(&v.out, &v.y)
	}
	if v.y.Cols == 1 {
		return total / float64(n), math.NaN()
	}
	return total / float64(n), float64(right) / float64(n)
}

// predictMeasured predicts the first rows by themselves, so that the layers can be
// measured on them, and then the others.
func (v *evaluation) predictMeasured(net Network, stats []LayerStats) {
	var out, x Matrix
	n := min(evaluationRows, v.x.Rows)
	p := forwardPasses.Get().(*forwardPass)
	p.run(net, out.setRows(&v.out, 0, n), x.setRows(&v.x, 0, n), false)
	p.measureActivations(net, &out, stats)
	p.release()
	net.Predict(out.setRows(&v.out, n, v.out.Rows), x.setRows(&v.x, n, v.x.Rows))
}

// addLosses adds the loss of each row to total.
func (v *evaluation) addLosses(total float64, loss Loss) float64 {
	var out, want Matrix
	for lo := 0; lo < v.out.Rows; lo += evaluationRows {
		hi := min(lo+evaluationRows, v.out.Rows)
		total += float64(loss(&v.dy, out.setRows(&v.out, lo, hi), want.setRows(&v.y, lo, hi)) * float64(hi-lo))
	}
	return total
}

// countRight counts the rows whose largest output is in the column of the largest
// wanted value.
func countRight(y, want *Matrix) int {
	n := 0
	for i := range y.Rows {
		if argmax(y.Row(i)) == argmax(want.Row(i)) {
			n++
		}
	}
	return n
}
