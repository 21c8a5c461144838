// Data sets: samples, their weights, their order and their targets.

package mlp

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
)

// A Dataset gives samples by their index. Batch gives x and y len(index) rows with Reset,
// writes the input of sample index[i] to row i of x, and its target to row i of y. Train
// and Evaluate call it from one goroutine at a time. Samples, WeightedSamples and MNIST must
// not be changed or standardized anew while Train runs.
type Dataset interface {
	Len() int
	Batch(x, y *Matrix, index []int)
}

// An Augmented data set has other samples in each epoch, deformed ones for example. Train
// trains on Epoch(n), with n from 1, which must have the same length. Train and Evaluate
// measure on the data set itself.
type Augmented interface {
	Dataset
	Epoch(n int) Dataset
}

// epochOf returns the samples that train trains on in epoch n, and their weights, or nil
// if they have none.
func epochOf(train Dataset, n int) (samples Dataset, weights []float64) {
	samples = train
	if a, ok := train.(Augmented); ok {
		samples = a.Epoch(n)
		if got, want := samples.Len(), train.Len(); got != want {
			panic(fmt.Sprintf("mlp: Train: epoch %d has %d samples, the data set has %d", n, got, want))
		}
	}
	name := fmt.Sprintf("mlp: Train: epoch %d", n)
	weights, err := weightsOf(name, samples)
	if weights == nil && err == nil {
		weights, err = weightsOf(name, train)
	}
	if err != nil {
		panic(err.Error())
	}
	return samples, weights
}

// Samples is a Dataset of matrices: row i of Y is the target of row i of X.
type Samples struct{ X, Y *Matrix }

// Len returns the number of rows. It panics if X and Y differ in it.
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
	s.batch(1, x, y, index, []interval{{0, s.X.Cols}})
}

// batch is Batch of these columns of X, on one thread.
func (s Samples) batch(_ int, x, y *Matrix, index []int, columns []interval) {
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

// SamplesOf returns all samples of a data set as matrices: of a part of MNIST, for example, the
// standardized images. What a Weighted set weighs them by is not among them.
func SamplesOf(data Dataset) Samples {
	s := Samples{new(Matrix), new(Matrix)}
	batch(maxThreads(), data, s.X, s.Y, shuffle(make([]int, data.Len()), 0, 0, true))
	return s
}

// A Weighted data set says how much each sample counts: the loss is then the mean over the
// samples of Weight(i) times the loss of sample i. Weights whose mean is 1 leave the loss its
// size. A Metric knows no weights. If an Augmented data set is Weighted, and that of an epoch
// is not, the epoch has its weights.
type Weighted interface {
	Dataset
	Weight(i int) float64 // a finite number from 0; 2 counts as if the sample were there twice
}

// WeightedSamples are samples with a weight for each row.
type WeightedSamples struct {
	Samples
	W []float64
}

// Len returns the number of rows. It panics if X, Y and W differ in it.
func (s WeightedSamples) Len() int {
	n := s.Samples.Len()
	if len(s.W) != n {
		panic(fmt.Sprintf("mlp: WeightedSamples: W has %d weights for %d rows", len(s.W), n))
	}
	return n
}

// Weight returns W[i].
func (s WeightedSamples) Weight(i int) float64 { return s.W[i] }

// BalancedWeights returns weights for the rows of y, n×k, with which each class counts as
// much as any other: n/(c·m) for a row of a class that has m rows, if c classes have any.
// A row's class is the column of its largest element or, in a single column, whether it
// is over 1/2.
func BalancedWeights(y *Matrix) []float64 {
	y.mustBeFilled("BalancedWeights")
	rows := map[int]int{}
	for i := range y.Rows {
		rows[classOf(y.Row(i), 0.5)]++
	}
	weights := make([]float64, y.Rows)
	for i := range weights {
		weights[i] = float64(y.Rows) / float64(len(rows)*rows[classOf(y.Row(i), 0.5)])
	}
	return weights
}

// weightsOf returns the weights of all samples of the data set of that name, or nil if it is
// not Weighted, and an error for the first weight that is not finite or below 0.
func weightsOf(name string, data Dataset) ([]float64, error) {
	d, ok := data.(Weighted)
	if !ok {
		return nil, nil
	}
	weights := make([]float64, d.Len())
	for i := range weights {
		if weights[i] = d.Weight(i); !(weights[i] >= 0) || !finite(weights[i]) {
			return nil, fmt.Errorf("%s: the weight of sample %d is %v, want a finite number from 0",
				name, i, weights[i])
		}
	}
	return weights, nil
}

// Slice returns rows lo to hi-1, which share the storage of s. It panics if s has no such rows.
func (s Samples) Slice(lo, hi int) Samples {
	s.Len()
	return Samples{s.X.Slice(lo, hi), s.Y.Slice(lo, hi)}
}

// Split returns copies of the rows in a random order, which depends on seed alone, in two
// parts. test has so large a share of them, rounded. Split panics unless share is from 0 to 1.
func (s Samples) Split(share float64, seed uint64) (train, test Samples) {
	return s.split("Split", share, shuffle(make([]int, s.Len()), seed, 0, false))
}

// SplitStratified is Split by class: test has this share of the rows of each, to within one
// row. A row's class is that of BalancedWeights.
func (s Samples) SplitStratified(share float64, seed uint64) (train, test Samples) {
	order := shuffle(make([]int, s.Len()), seed, 0, false)
	byClass, inTest := slices.Clone(order), make([]float64, len(order))
	slices.SortStableFunc(byClass, func(a, b int) int {
		return cmp.Compare(classOf(s.Y.Row(a), 0.5), classOf(s.Y.Row(b), 0.5))
	})
	for i, r := range byClass {
		inTest[r] = math.Round(share*float64(i+1)) - math.Round(share*float64(i)) // 0 or 1
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(inTest[a], inTest[b]) })
	return s.split("SplitStratified", share, order)
}

// split returns the rows in this order, in two parts as Split does.
func (s Samples) split(method string, share float64, order []int) (train, test Samples) {
	if !(0 <= share && share <= 1) {
		panic(fmt.Sprintf("mlp: Samples.%s: a share of %v, want 0 to 1", method, share))
	}
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

// batch is data.Batch, on at most so many threads if the data set is the package's. It panics if
// that does not give as many rows as it was asked for.
func batch(threads int, data Dataset, x, y *Matrix, index []int) {
	if d, ok := data.(interface {
		batchOn(threads int, x, y *Matrix, index []int)
	}); ok {
		d.batchOn(threads, x, y, index)
	} else {
		data.Batch(x, y, index)
	}
	x.mustBeFilled("Batch")
	y.mustBeFilled("Batch")
	if x.Rows != len(index) || y.Rows != len(index) {
		panic(fmt.Sprintf("mlp: Batch of %T: %d rows of inputs and %d of targets for %d samples",
			data, x.Rows, y.Rows, len(index)))
	}
}

// validateData returns an error if a data set of that name is missing or empty, or has a wrong
// weight or, as far as all targets are at hand, a wrong target.
func validateData(name string, data Dataset, loss Loss) error {
	if data == nil {
		return fmt.Errorf("%s is nil", name)
	}
	if data.Len() == 0 {
		return fmt.Errorf("%s has no samples", name)
	}
	_, err := weightsOf(name, data)
	switch d := data.(type) {
	case Samples:
		err = cmp.Or(err, validateTargets(name, d.Y, loss, nil))
	case WeightedSamples:
		err = cmp.Or(err, validateTargets(name, d.Y, loss, nil))
	}
	return err
}

// validateMeasured returns an error if a network cannot be measured on data of that name.
func validateMeasured(name string, data Dataset, net Network, loss Loss) error {
	if err := validateData(name, data, loss); err != nil {
		return err
	}
	var x, y Matrix
	batch(1, data, &x, &y, []int{0})
	return validateWidths(name, &x, &y, net, loss)
}

// validateTargets returns an error for the first target that is not finite or, if the loss is
// a cross-entropy, negative. Row i of y is the target of sample index[i] or, if index is nil,
// of sample i.
func validateTargets(name string, y *Matrix, loss Loss, index []int) error {
	from0 := loss.isOneOf(SoftmaxCrossEntropy, SigmoidCrossEntropy)
	at := slices.IndexFunc(y.Data, func(v float64) bool { return !finite(v) || from0 && v < 0 })
	if at < 0 {
		return nil
	}
	sample, v, want := at/y.Cols, y.Data[at], ""
	if index != nil {
		sample = index[sample]
	}
	if finite(v) {
		want = ", want 0 or more for a cross-entropy"
	}
	return fmt.Errorf("%s: sample %d: column %d of its target is %v%s", name, sample, at%y.Cols, v, want)
}

// validateInputs returns an error for the first input that is not finite. Row i of x is sample
// index[i] or, if index is nil, sample i.
func validateInputs(name string, x *Matrix, index []int) error {
	at := slices.IndexFunc(x.Data, func(v float64) bool { return !finite(v) })
	if at < 0 {
		return nil
	}
	sample := at / x.Cols
	if index != nil {
		sample = index[sample]
	}
	return fmt.Errorf("%s: sample %d: column %d of its input is %v", name, sample, at%x.Cols, x.Data[at])
}

// validateWidths returns an error if samples x, y of a data set of that name have other widths
// than the network. A loss of the caller's may take targets of any width.
func validateWidths(name string, x, y *Matrix, net Network, loss Loss) error {
	in, out := net[0].W.Rows, net[len(net)-1].W.Cols
	if x.Cols != in {
		return fmt.Errorf("%s: samples have %d inputs, the network takes %d", name, x.Cols, in)
	}
	if y.Cols == out || !loss.isOwn() {
		return nil
	}
	hint := ": if they are indices of classes, see OneHot"
	if y.Cols > 1 || slices.ContainsFunc(y.Data, func(v float64) bool { return v != math.Trunc(v) }) {
		hint = ""
	}
	return fmt.Errorf("%s: targets are n×%d, the outputs n×%d%s", name, y.Cols, out, hint)
}

// OneHot returns the targets of samples of these classes, len(classes)×k: 1 in the column of
// the class, which counts from 0, and 0 in the others. It panics if a class is out of range.
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

// total returns how many indices the intervals have.
func total(intervals []interval) (n int) {
	for _, v := range intervals {
		n += v.len()
	}
	return n
}
