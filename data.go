// Data sets, the order of their samples, and how a network is measured on them. Not
// here: the digits (mnist.go) and training (train.go).

package mlp

import (
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
)

// A Dataset gives samples by their index. Batch gives x and y len(index) rows with Reset,
// writes the input of sample index[i] to row i of x, and its target to row i of y. Train
// and Evaluate call it from one goroutine at a time.
type Dataset interface {
	Len() int
	Batch(x, y *Matrix, index []int)
}

// An Augmented data set has other samples in each epoch, deformed ones for example. Train
// takes the samples of epoch n, which counts from 1, from Epoch(n). That data set must
// have the same length. Measuring, by Train and by Evaluate, takes the data set itself.
type Augmented interface {
	Dataset
	Epoch(n int) Dataset
}

// samplesOf returns the samples that train trains on in epoch n.
func samplesOf(train Dataset, n int) Dataset {
	a, ok := train.(Augmented)
	if !ok {
		return train
	}
	samples := a.Epoch(n)
	if got, want := samples.Len(), train.Len(); got != want {
		panic(fmt.Sprintf("mlp: Train: epoch %d has %d samples, the data set has %d", n, got, want))
	}
	return samples
}

// firstOf is the first n samples of a data set.
type firstOf struct {
	Dataset
	n int
}

func (f firstOf) Len() int { return f.n }

// Samples is a Dataset of two matrices: row i of Y is the target of row i of X.
type Samples struct{ X, Y *Matrix }

// Len returns the number of rows. It panics if X and Y do not have the same number.
func (s Samples) Len() int {
	if s.X == nil || s.Y == nil {
		panic("mlp: Samples: X or Y is nil")
	}
	if s.X.Rows != s.Y.Rows {
		panic(fmt.Sprintf("mlp: Samples: X has %d rows, Y has %d", s.X.Rows, s.Y.Rows))
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
// net is not complete, or if data has no samples.
func Evaluate(net Network, data Dataset, loss Loss) (mean, accuracy float64) {
	err := net.validate()
	if err == nil {
		loss, err = lossFor(net, loss)
	}
	if err == nil {
		err = mustHaveSamples("data", data)
	}
	if err != nil {
		panic("mlp: Evaluate: " + err.Error())
	}
	return new(evaluation).measure(net, data, loss, nil)
}

// mustHaveSamples returns an error if a data set of that name is missing or empty.
func mustHaveSamples(name string, data Dataset) error {
	if data == nil {
		return fmt.Errorf("%s is nil", name)
	}
	if data.Len() == 0 {
		return fmt.Errorf("%s has no samples", name)
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
type evaluation struct{ x, y, out Matrix }

// evaluationRows is the number of rows whose loss is computed by one call. It is fixed, so
// that the sums do not depend on the number of threads. The activations of the layers
// are measured on the first evaluationRows samples.
const evaluationRows = 256

// measure returns the mean loss and the accuracy. If stats is not nil, it receives the
// statistics of each layer's activations.
func (v *evaluation) measure(net Network, data Dataset, loss Loss, stats []LayerStats) (mean, accuracy float64) {
	rowsAtOnce := evaluationRows * max(2, (maxThreads()+1)/2) // two forward passes or more for each thread
	index := make([]int, 0, rowsAtOnce)
	total, right, n := 0.0, 0, data.Len()
	for i := 0; i < n; i += len(index) {
		index = index[:0]
		for k := i; k < min(n, i+rowsAtOnce); k++ {
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

// predictMeasured predicts the first evaluationRows rows by themselves and measures the
// layers on them. Then it predicts the others.
func (v *evaluation) predictMeasured(net Network, stats []LayerStats) {
	var out, x Matrix
	n := min(evaluationRows, v.x.Rows)
	p := forwardPasses.Get().(*forwardPass)
	p.run(net, nil, out.setRows(&v.out, 0, n), x.setRows(&v.x, 0, n), false)
	p.measureLayers(net, &out, stats)
	p.release()
	net.Predict(out.setRows(&v.out, n, v.out.Rows), x.setRows(&v.x, n, v.x.Rows))
}

// addLosses adds the loss of each row to total.
func (v *evaluation) addLosses(total float64, loss Loss) float64 {
	var out, want Matrix
	for lo := 0; lo < v.out.Rows; lo += evaluationRows {
		hi := min(lo+evaluationRows, v.out.Rows)
		total += float64(loss(nil, out.setRows(&v.out, lo, hi), want.setRows(&v.y, lo, hi)) * float64(hi-lo))
	}
	return total
}

// countRight counts the rows whose largest output is in the column of the largest target.
func countRight(y, want *Matrix) int {
	n := 0
	for i := range y.Rows {
		if argmax(y.Row(i)) == argmax(want.Row(i)) {
			n++
		}
	}
	return n
}
