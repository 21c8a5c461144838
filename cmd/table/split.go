// The rows that a network is trained on, those that decide when to stop, and those that it
// is tested on; and what is fitted on the first.

package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"mlp"
)

// A part is some rows of a table as a data set of the package: inputs standardized, and a
// target for each output.
type part struct {
	*table
	index []int32 // the rows
	input mlp.Standardization
}

func (t *table) part(index []int32) *part { return &part{table: t, index: index} }

// all returns the numbers of all rows.
func (t *table) all() []int32 {
	index := make([]int32, t.rows())
	for i := range index {
		index[i] = int32(i)
	}
	return index
}

// Len is how many rows p has, at(i) the cells of one, and truth(i, k) its k-th target.
func (p *part) Len() int               { return len(p.index) }
func (p *part) at(i int) []float64     { return p.row(int(p.index[i])) }
func (p *part) truth(i, k int) float64 { return p.target(int(p.index[i]), k) }

// Batch encodes the rows of index.
func (p *part) Batch(x, y *mlp.Matrix, index []int) {
	p.raw(x, index)
	p.input.Apply(x, x)
	y.Reset(len(index), p.outputs())
	for i, r := range index {
		p.wanted(y.Row(i), p.at(r))
	}
}

// raw encodes the inputs of the rows of index as the model takes them.
func (p *part) raw(x *mlp.Matrix, index []int) {
	x.Reset(len(index), p.width())
	for i, r := range index {
		p.encoding.input(x.Row(i), p.at(r), p.input.Mean)
	}
}

// A balanced part has weights for its rows, as mlp.Weighted says.
type balanced struct {
	*part
	weights []float64 // of each class
}

// Weight returns the weight of row i's class.
func (b balanced) Weight(i int) float64 { return b.weights[int(b.truth(i, 0))] }

// count returns how many rows of p have each category of the k-th target.
func (p *part) count(k int) []float64 {
	n := make([]float64, len(p.Targets[k].Values))
	for i := range p.index {
		n[int(p.truth(i, k))]++
	}
	return n
}

// balance returns a weight for each class, so that all classes of p weigh the same and the
// mean over its rows is 1. They are those of mlp.BalancedWeights, which needs a matrix with
// a column for each class. For a large table that is too large.
func (p *part) balance() []float64 {
	weights := p.count(0)
	present := 0.0
	for _, n := range weights {
		if n > 0 {
			present++
		}
	}
	for c, n := range weights {
		if n > 0 {
			weights[c] = float64(p.Len()) / (present * n)
		}
	}
	return weights
}

// split divides the rows in a training part and, with one share for each, others. Each
// part has the same share of each class, of each combination of labels, or of each tenth
// of the numbers. Which rows they are depends on the seed.
func (t *table) split(seed uint64, shares ...float64) []*part {
	order := t.all()
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	stratum := t.strata()
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(stratum[a], stratum[b]) })
	var parts []*part
	for _, share := range shares {
		n := int(float64(len(order)) * share)
		taken, left := make([]int32, 0, n), make([]int32, 0, len(order)-n)
		for i, r := range order {
			if math.Floor(float64(i+1)*share) > math.Floor(float64(i)*share) {
				taken = append(taken, r)
			} else {
				left = append(left, r)
			}
		}
		order = left
		slices.Sort(taken)
		parts = append(parts, t.part(taken))
	}
	slices.Sort(order)
	return append([]*part{t.part(order)}, parts...)
}

// strata returns the stratum of each row: the class, the labels, or the tenth of the numbers.
func (t *table) strata() []int32 {
	stratum := make([]int32, t.rows())
	if t.task() == numbers {
		order := t.all()
		slices.SortFunc(order, func(a, b int32) int {
			return cmp.Or(cmp.Compare(t.target(int(a), 0), t.target(int(b), 0)), cmp.Compare(a, b))
		})
		for rank, r := range order {
			stratum[r] = int32(10 * rank / len(order))
		}
		return stratum
	}
	for i := range stratum {
		for k := range t.Targets {
			stratum[i] = (stratum[i]*maxCategories + int32(t.target(i, k))) % (1 << 20)
		}
	}
	return stratum
}

// fit returns the standardization of the inputs of p, and sets that of targets of numbers.
// Inputs that are zeros and ones stay so.
func (p *part) fit() (s mlp.Standardization, err error) {
	cells := make([]float64, 0, p.Len()) // of a column, without the missing ones
	for i, c := range p.columns() {
		isTarget := i >= len(p.Inputs)
		if c.isCategory() {
			if !isTarget {
				zeros := make([]float64, len(c.Values))
				s.Mean, s.Std = append(s.Mean, zeros...), append(s.Std, zeros...)
			}
			continue
		}
		cells = cells[:0]
		for r := range p.index {
			if v := p.at(r)[i]; v == v {
				cells = append(cells, v)
			}
		}
		if len(cells) == 0 {
			return s, fmt.Errorf("column %.60q: no number in the training rows", c.Name)
		}
		of := mlp.FitStandardization(&mlp.Matrix{Rows: len(cells), Cols: 1, Data: cells})
		switch mean, std := of.Mean[0], of.Std[0]; {
		case !finite(mean) || !finite(std):
			return s, fmt.Errorf("column %.60q: its numbers are too large for a mean and a deviation", c.Name)
		case isTarget && std == 0:
			return s, fmt.Errorf("column %.60q: the target never varies in the training rows", c.Name)
		case isTarget:
			c.Mean, c.Std = mean, std
		default:
			c.Min, c.Max = slices.Min(cells), slices.Max(cells)
			s.Mean, s.Std = append(s.Mean, mean), append(s.Std, std)
			if c.Gaps {
				s.Mean, s.Std = append(s.Mean, 0), append(s.Std, 0)
			}
		}
	}
	return s, nil
}
