// What depends on the interfaces of the package that may grow: the loss of a task, weights
// of classes, and points in a chart. A file of its own so that it is easy to change.

package main

import (
	"math"

	"mlp"
)

// loss returns the loss of a task.
func (t task) loss() mlp.Loss {
	return []mlp.Loss{classes: mlp.SoftmaxCrossEntropy, labels: mlp.SigmoidCrossEntropy, numbers: mlp.SquaredError}[t]
}

// balance gives each class a weight so that all weigh the same over the training rows and
// the mean weight is 1.
func (j *job) balance() {
	counts := make([]float64, j.table.outputs())
	present := 0.0
	for _, r := range j.train.index {
		c := int(j.table.target(r, 0))
		if counts[c]++; counts[c] == 1 {
			present++
		}
	}
	weights := make([]float64, len(counts))
	for c, n := range counts {
		if n > 0 {
			weights[c] = float64(j.train.Len()) / (present * n)
		}
	}
	j.train.weights = weights
	if j.held != nil {
		j.held.weights = weights
	}
}

// weigh multiplies what is wanted of a row by the weight of its class: SoftmaxCrossEntropy
// is linear in it.
func (p *part) weigh(y []float64) {
	for c, w := range p.weights {
		y[c] *= w
	}
}

// points returns a series of points that no line connects, in the order of x: after each
// is a gap, and so far to the left that the two are not in one column of pixels.
func points(name string, x, y []float64) mlp.Series {
	s := mlp.Series{Name: name}
	for i := range x {
		s.X, s.Y = append(s.X, x[i], x[i]), append(s.Y, y[i], math.NaN())
	}
	return s
}
