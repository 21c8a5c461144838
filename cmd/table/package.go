// What depends on the interfaces of the package that may grow: the loss of a task, weights
// of classes, and points in a chart. A file of its own so that it is easy to change.

package main

import (
	"math"
	"slices"

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

// points returns a series of points that no line connects: each is followed by a gap. A gap
// does not part two points in one column of pixels, so that the points of the lower half of
// x and of the upper half come in turn.
func points(name string, x, y []float64) mlp.Series {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(x[a], x[b]) })
	s, half := mlp.Series{Name: name}, (len(order)+1)/2
	add := func(i int) {
		s.X, s.Y = append(s.X, x[i], x[i]), append(s.Y, y[i], math.NaN())
	}
	for k := range half {
		add(order[k])
		if k+half < len(order) {
			add(order[k+half])
		}
	}
	return s
}
