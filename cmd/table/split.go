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

// A part is some rows of a table as a data set of the package: the inputs of the networks, and
// a target for each output.
type part struct {
	*table
	index []int32 // the rows
	raw   mlp.Matrix
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

// Batch encodes the rows of index, or copies them if the table is encoded.
func (p *part) Batch(x, y *mlp.Matrix, index []int) {
	if p.encoded != nil {
		x.Reset(len(index), p.encoded.Cols)
		for i, r := range index {
			copy(x.Row(i), p.encoded.Row(int(p.index[r])))
		}
	} else {
		p.inputs.Apply(x, p.rawOf(&p.raw, index))
	}
	y.Reset(len(index), p.outputs())
	for i, r := range index {
		p.wanted(y.Row(i), p.at(r))
	}
}

// allWanted returns what the networks shall answer to the rows.
func (p *part) allWanted() *mlp.Matrix {
	want := mlp.NewMatrix(p.Len(), p.outputs())
	for i := range p.index {
		p.wanted(want.Row(i), p.at(i))
	}
	return want
}

// truths returns the targets of the rows in their units.
func (p *part) truths() *mlp.Matrix {
	all := mlp.NewMatrix(p.Len(), len(p.Targets))
	for i := range p.index {
		copy(all.Row(i), p.at(i)[len(p.Inputs):])
	}
	return all
}

// rawOf sets raw to the inputs of the rows of index as a model takes them.
func (p *part) rawOf(raw *mlp.Matrix, index []int) *mlp.Matrix {
	raw.Reset(len(index), len(p.Inputs))
	for i, r := range index {
		copy(raw.Row(i), p.at(r))
	}
	return raw
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

// dealt returns the rows in a random order, stratum after stratum, which depends on the seed. If
// they are dealt to parts in turn, each part has its share of each class, of each combination of
// labels, or of each tenth of the numbers.
func (t *table) dealt(seed uint64) []int32 {
	order := t.all()
	rand.New(rand.NewPCG(seed, 0)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	stratum := t.strata()
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(stratum[a], stratum[b]) })
	return order
}

// split divides the rows in a part to train on and one of so large a share to test on.
func (t *table) split(seed uint64, share float64) (train, test *part) {
	train, test = t.part(nil), t.part(nil)
	for i, r := range t.dealt(seed) {
		to := train
		if math.Floor(float64(i+1)*share) > math.Floor(float64(i)*share) {
			to = test
		}
		to.index = append(to.index, r)
	}
	slices.Sort(train.index)
	slices.Sort(test.index)
	return train, test
}

// folds divides the rows of p in n parts, and returns the part of each row of the table, or -1.
func (p *part) folds(n int, seed uint64) []int32 {
	fold := slices.Repeat([]int32{-1}, p.rows())
	for _, r := range p.index {
		fold[r] = 0
	}
	rank := 0
	for _, r := range p.dealt(seed) {
		if fold[r] == 0 {
			fold[r] = int32(rank % n)
			rank++
		}
	}
	return fold
}

// where returns the rows of p for which is(row) holds.
func (p *part) where(is func(r int32) bool) *part {
	index := slices.DeleteFunc(slices.Clone(p.index), func(r int32) bool { return !is(r) })
	return p.part(slices.Clone(index)) // which has room for no more
}

// some returns at most so many of the rows of p, as far apart as another.
func (p *part) some(most int) *part {
	few, n := p.part(nil), min(most, p.Len())
	for i := range n {
		few.index = append(few.index, p.index[i*p.Len()/n])
	}
	return few
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

// fit fits the columns to the rows of p. Quantities get so many bins at most, and fewer if all
// together would become more than maxColumns inputs.
func (p *part) fit(bins int) error {
	bins = max(1, min(bins, maxColumns/len(p.Inputs)-1))
	raw := make([]float64, p.Len()) // of a column
	for i, c := range p.columns() {
		isTarget := i >= len(p.Inputs)
		if isTarget && c.isCategory() {
			continue
		}
		for r := range raw {
			raw[r] = p.at(r)[i]
		}
		n := bins
		if isTarget {
			n = 0
		}
		of, err := mlp.FitColumn(c.label(), c.Values, raw, n)
		if err == nil && isTarget && of.Std[0] == 0 {
			err = fmt.Errorf("column %.60q: the target never varies in the training rows", c.Name)
		}
		if err != nil {
			return err
		}
		c.Column = of
	}
	p.inputs = fitted(p.Inputs)
	return nil
}

// maxEncoded is the most numbers of an encoded table that are kept, 64 MiB.
const maxEncoded = 1 << 23

// encode encodes the rows of the table once for all networks and epochs, unless that takes too
// much memory.
func (t *table) encode() {
	if width := t.inputs.Width(); t.rows() <= maxEncoded/width {
		raw := mlp.NewMatrix(t.rows(), len(t.Inputs))
		for i := range t.rows() {
			copy(raw.Row(i), t.row(i))
		}
		t.encoded = t.inputs.Apply(new(mlp.Matrix), raw)
	}
}
