// Data sets, the order of their samples, and targets. Not here: weights of samples
// (weights.go), the digits (mnist.go) and training (train.go).

package mlp

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
)

// A Dataset gives samples by their index. Batch gives x and y len(index) rows with Reset,
// writes the input of sample index[i] to row i of x, and its target to row i of y. Train
// and Evaluate call it from one goroutine at a time. Samples,
// WeightedSamples and MNIST must not be changed or standardized anew while Train runs,
// because it leaves out the inputs that are zero in all samples. An [Augmented] data set
// may give other samples in each epoch.
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

// samplesOf returns the samples that train trains on in epoch n, and their weights, or nil
// if they have none.
func samplesOf(train Dataset, n int) (samples Dataset, weights []float64) {
	samples = train
	if a, ok := train.(Augmented); ok {
		samples = a.Epoch(n)
		if got, want := samples.Len(), train.Len(); got != want {
			panic(fmt.Sprintf("mlp: Train: epoch %d has %d samples, the data set has %d", n, got, want))
		}
	}
	weights, err := weightsOf(samples)
	if weights == nil && err == nil {
		weights, err = weightsOf(train)
	}
	if err != nil {
		panic(fmt.Sprintf("mlp: Train: epoch %d: %v", n, err))
	}
	return samples, weights
}

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
	s.batch(x, y, index, []interval{{0, s.X.Cols}})
}

// batch is Batch of these columns of X.
func (s Samples) batch(x, y *Matrix, index []int, columns []interval) {
	x.Reset(len(index), total(columns))
	y.Reset(len(index), s.Y.Cols)
	for i, r := range index {
		row := x.Row(i)
		for _, c := range columns {
			copy(row, s.X.Row(r)[c.lo:c.hi])
			row = row[c.len():]
		}
		copy(y.Row(i), s.Y.Row(r))
	}
}

// Split returns copies of the rows in a random order, which depends on seed alone, in two
// parts. The share of the rows that test has is rounded to whole rows. Split panics unless
// share is from 0 to 1.
func (s Samples) Split(share float64, seed uint64) (train, test Samples) {
	if !(0 <= share && share <= 1) {
		panic(fmt.Sprintf("mlp: Samples.Split: a share of %v, want 0 to 1", share))
	}
	order := shuffle(make([]int, s.Len()), seed, 0, false)
	cut := len(order) - int(math.Round(share*float64(len(order))))
	rows := func(index []int) Samples {
		part := Samples{new(Matrix), new(Matrix)}
		s.Batch(part.X, part.Y, index)
		return part
	}
	return rows(order[:cut]), rows(order[cut:])
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

// mustHaveSamples returns an error if a data set of that name is missing or empty, or has
// a wrong weight.
func mustHaveSamples(name string, data Dataset) error {
	if data == nil {
		return fmt.Errorf("%s is nil", name)
	}
	if data.Len() == 0 {
		return fmt.Errorf("%s has no samples", name)
	}
	if _, err := weightsOf(data); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// OneHot returns the targets of samples of these classes, which count from 0 to k-1:
// len(classes)×k, with 1 in the column of the class and 0 in the others. It panics if a
// class is out of range.
func OneHot(classes []int, k int) *Matrix {
	z := NewMatrix(len(classes), k)
	for i, c := range classes {
		if c < 0 || c >= k {
			panic(fmt.Sprintf("mlp: OneHot: class %d at index %d, want 0 to %d", c, i, k-1))
		}
		z.Row(i)[c] = 1
	}
	return z
}

// SmoothLabels moves the targets y of classes, n×k, by a share towards no class in
// particular, so that the network does not become too sure (Szegedy et al. 2016, section
// 7): y = (1-share)·y + share/k. In a single column it moves them towards 1/2. It returns
// y, and panics unless share is from 0 to below 1.
func SmoothLabels(y *Matrix, share float64) *Matrix {
	if !(0 <= share && share < 1) {
		panic(fmt.Sprintf("mlp: SmoothLabels: a share of %v, want 0 to below 1", share))
	}
	equal := share / float64(max(2, y.Cols))
	for i, v := range y.Data {
		y.Data[i] = float64((1-share)*v) + equal
	}
	return y
}
