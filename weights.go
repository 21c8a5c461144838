// Weights of samples: how much each counts in the loss. Not here: the weights of layers
// (nn.go), and the losses themselves (loss.go).

package mlp

import "fmt"

// A Weighted data set says how much each sample counts. For Train and Evaluate the loss is
// then the mean over the samples of Weight(i) times the loss of sample i, and a gradient is
// that of this mean. Weights whose mean is 1 leave the loss its size. What a Metric counts
// has no weights. If an Augmented data set is Weighted, and that of an epoch is not, the
// epoch has its weights.
type Weighted interface {
	Dataset
	Weight(i int) float64 // a finite number from 0; 2 counts as if the sample were there twice
}

// WeightedSamples are samples with a weight for each row.
type WeightedSamples struct {
	Samples
	W []float64
}

// Len returns the number of rows. It panics if X, Y and W do not have the same number.
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
	class := func(i int) int {
		if y.Cols == 1 && y.Data[i] > 0.5 {
			return 1
		}
		return Argmax(y.Row(i))
	}
	rows := map[int]int{}
	for i := range y.Rows {
		rows[class(i)]++
	}
	weights := make([]float64, y.Rows)
	for i := range weights {
		weights[i] = float64(y.Rows) / float64(len(rows)*rows[class(i)])
	}
	return weights
}

// weightsOf returns the weights of all samples, or nil if data is not Weighted, and an
// error for the first weight that is not finite or below 0.
func weightsOf(data Dataset) ([]float64, error) {
	d, ok := data.(Weighted)
	if !ok {
		return nil, nil
	}
	weights := make([]float64, d.Len())
	for i := range weights {
		if weights[i] = d.Weight(i); !(weights[i] >= 0) || !finite(weights[i]) {
			return nil, fmt.Errorf("the weight of sample %d is %v, want a finite number from 0", i, weights[i])
		}
	}
	return weights, nil
}

// A rowLoss computes a loss row by row, so that each row can have its weight.
type rowLoss struct{ dy, y, want Matrix }

// of returns the mean over the rows of weight·loss and, unless dy is nil, sets dy to its
// gradient by y. Without weights it is the loss itself.
func (r *rowLoss) of(loss Loss, dy, y, want *Matrix, weights []float64) float64 {
	if weights == nil {
		return loss(dy, y, want)
	}
	prepareLoss(dy, y, want)
	n, total := float64(y.Rows), 0.0
	var gradient *Matrix
	if dy != nil {
		gradient = &r.dy
	}
	for i, w := range weights {
		total += float64(w * loss(gradient, r.y.setRows(y, i, i+1), r.want.setRows(want, i, i+1)))
		if dy != nil {
			row := dy.Row(i)
			for j, g := range r.dy.Data {
				row[j] = w / n * g
			}
		}
	}
	r.y, r.want = Matrix{}, Matrix{}
	return total / n
}
