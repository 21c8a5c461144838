// The rows that a network is trained on, those that decide when to stop, and those that it
// is tested on; and what is fitted on the first.

package main

import (
	"cmp"
	"errors"
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

	moved int   // a column whose cells are those of other rows, or -1
	from  []int // the row of each
}

func (t *table) part(index []int32) *part { return &part{table: t, index: index, moved: -1} }

// Len returns the number of rows.
func (p *part) Len() int { return len(p.index) }

// at returns the cells of row i of p.
func (p *part) at(i int) []float64 { return p.row(int(p.index[i])) }

// truth returns the k-th target of row i of p.
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
		cells := p.at(r)
		if p.moved >= 0 {
			cells = slices.Clone(cells)
			cells[p.moved] = p.at(p.from[r])[p.moved]
		}
		p.encoding.input(x.Row(i), cells, p.input.Mean)
	}
}

// A balanced part has weights for its rows, as mlp.Weighted says.
type balanced struct {
	*part
	weights []float64 // of each class
}

// Weight returns the weight of row i's class.
func (b balanced) Weight(i int) float64 { return b.weights[int(b.truth(i, 0))] }

// balance returns a weight for each class, so that all classes of p weigh the same and the
// mean over its rows is 1. They are those of mlp.BalancedWeights, which needs a matrix with
// a column for each class. For a large table that is too large.
func (p *part) balance() []float64 {
	weights := make([]float64, p.outputs())
	for i := range p.index {
		weights[int(p.truth(i, 0))]++
	}
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

// strata is how many parts of equal size a target of numbers is cut in.
const strata = 10

// split divides the rows in a training part and, with one share for each, others. Each
// part has the same share of each class, of each combination of labels, or of each tenth
// of the numbers. Which rows they are depends on the seed.
func (t *table) split(seed uint64, shares ...float64) [][]int32 {
	order := t.all()
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	stratum := t.strata()
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(stratum[a], stratum[b]) })
	var parts [][]int32
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
		parts = append(parts, taken)
	}
	slices.Sort(order)
	return append([][]int32{order}, parts...)
}

// all returns the numbers of all rows.
func (t *table) all() []int32 {
	index := make([]int32, t.rows())
	for i := range index {
		index[i] = int32(i)
	}
	return index
}

// strata returns the stratum of each row.
func (t *table) strata() []int32 {
	stratum := make([]int32, t.rows())
	if t.task() == numbers {
		order := t.all()
		slices.SortFunc(order, func(a, b int32) int {
			return cmp.Or(cmp.Compare(t.target(int(a), 0), t.target(int(b), 0)), cmp.Compare(a, b))
		})
		for rank, r := range order {
			stratum[r] = int32(rank * strata / len(order))
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
// Categories stay zeros and ones.
func (p *part) fit(source string) (mlp.Standardization, error) {
	s := mlp.Standardization{Mean: make([]float64, p.width()), Std: make([]float64, p.width())}
	at := 0
	for i, c := range p.columns() {
		isTarget := i >= len(p.Inputs)
		if !c.isCategory() {
			mean, std, err := p.fitColumn(i)
			if err == nil && isTarget && std == 0 {
				err = errors.New("the target never varies in the training rows")
			}
			if err != nil {
				return s, fmt.Errorf("%s: column %.60q: %w", source, c.Name, err)
			}
			if isTarget {
				c.Mean, c.Std = mean, std
			} else {
				s.Mean[at], s.Std[at] = mean, std
			}
		}
		if !isTarget {
			at += c.width()
		}
	}
	return s, nil
}

// fitColumn returns the mean and the deviation of the numbers in column i.
func (p *part) fitColumn(i int) (mean, std float64, err error) {
	x := &mlp.Matrix{Cols: 1, Data: make([]float64, 0, len(p.index))}
	for r := range p.index {
		if v := p.at(r)[i]; v == v {
			x.Data = append(x.Data, v)
		}
	}
	x.Rows = len(x.Data)
	if x.Rows == 0 {
		return 0, 0, errors.New("no number in the training rows")
	}
	s := mlp.FitStandardization(x)
	if !finite(s.Mean[0]) || !finite(s.Std[0]) {
		return 0, 0, errors.New("its numbers are too large for a mean and a deviation")
	}
	return s.Mean[0], s.Std[0], nil
}
