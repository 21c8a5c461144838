// The columns of a table: how the raw numbers of a row become the inputs of a network.

package mlp

import (
	"fmt"
	"math"
	"slices"
)

// A Column is how a number of a raw row becomes inputs: a number that is measured, or the place
// of a category in Values.
//
// A category becomes an input for each of Values, which is 1 for the row's and else 0. A number
// v becomes (v-Mean)/Std, or v-Mean if Std is 0, and then one input for each bin between two
// neighbours a and b of Edges, the piecewise-linear encoding of Gorishniy et al. 2022, section
// 3.2:
//
//	0 if v ≤ a,   (v-a)/(b-a) if a < v < b,   1 if b ≤ v
//
//	1 ┤        ┌───    An input of this kind changes only within its bin, so that a network
//	  │       ╱        learns of each range of v separately, and a value far outside of all bins
//	0 ┼──────┘         moves only the first input.
//	        a   b
//
// NaN is a raw number that is missing. A number is then taken as Mean, and a category as none
// of Values. If Gaps is set, one more input is 1 if the raw number is missing, and else 0.
type Column struct {
	Name      string
	Values    []string  // the categories, or nil
	Mean, Std float64   // of a number
	Edges     []float64 // of a number's bins, ascending; nil for none
	Gaps      bool
}

// FitColumn returns the column of numbers that fits values, of which NaN are missing: their
// mean and standard deviation, and edges between which lie equally many, as far as they differ:
// at most bins bins. Gaps is set if a value is missing.
func FitColumn(name string, values []float64, bins int) (Column, error) {
	c := Column{Name: name}
	sorted := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return v != v })
	if len(sorted) == 0 {
		return c, fmt.Errorf("column %.60q: no number in the training rows", name)
	}
	c.Gaps = len(sorted) < len(values)
	of := FitStandardization(&Matrix{len(sorted), 1, sorted})
	c.Mean, c.Std = of.Mean[0], of.Std[0]
	if !finite(c.Mean) || !finite(c.Std) {
		return c, fmt.Errorf("column %.60q: its numbers are too large for a mean and a deviation", name)
	}
	slices.Sort(sorted)
	for b := range bins + 1 {
		c.Edges = append(c.Edges, sorted[b*(len(sorted)-1)/max(1, bins)])
	}
	if c.Edges = slices.Compact(c.Edges); len(c.Edges) < 2 {
		c.Edges = nil
	}
	return c, nil
}

// Width returns how many inputs the column becomes.
func (c *Column) Width() int {
	n := len(c.Values)
	if c.Values == nil {
		n = 1 + max(0, len(c.Edges)-1)
	}
	if c.Gaps {
		n++
	}
	return n
}

// encode sets inputs, of the column's width, to those of the raw number v.
func (c *Column) encode(inputs []float64, v float64) {
	clear(inputs)
	if v != v {
		if c.Gaps {
			inputs[len(inputs)-1] = 1
		}
		v = c.Mean
		if c.Values != nil {
			return
		}
	}
	if c.Values != nil {
		if k := int(v); 0 <= k && k < len(c.Values) {
			inputs[k] = 1
		}
		return
	}
	if inputs[0] = v - c.Mean; c.Std != 0 {
		inputs[0] /= c.Std
	}
	for b := 1; b < len(c.Edges); b++ {
		from, to := c.Edges[b-1], c.Edges[b]
		switch {
		case v >= to:
			inputs[b] = 1
		case v > from:
			inputs[b] = (v - from) / (to - from)
		}
	}
}

// Columns are those of a raw row, in order.
type Columns []Column

// Width returns how many inputs a row becomes.
func (cs Columns) Width() (n int) {
	for i := range cs {
		n += cs[i].Width()
	}
	return n
}

// Apply sets z to the inputs for the raw rows x, n×len(cs) to n×cs.Width(), and returns z.
func (cs Columns) Apply(z, x *Matrix) *Matrix {
	x.mustBeFilled("Columns.Apply")
	if x.Cols != len(cs) {
		panic(fmt.Sprintf("mlp: Columns.Apply: rows of %d numbers for %d columns", x.Cols, len(cs)))
	}
	z.Reset(x.Rows, cs.Width())
	if overlap(z.Data, x.Data) {
		panic("mlp: Columns.Apply: the inputs share storage with the raw rows")
	}
	for i := range x.Rows {
		inputs := z.Row(i)
		for j, v := range x.Row(i) {
			n := cs[j].Width()
			cs[j].encode(inputs[:n], v)
			inputs = inputs[n:]
		}
	}
	return z
}

// validate returns an error for the first column that Apply cannot take.
func (cs Columns) validate() error {
	for i := range cs {
		c := &cs[i]
		switch {
		case !finite(c.Mean) || !(c.Std >= 0) || !finite(c.Std):
			return fmt.Errorf("column %.60q has the mean %v and the deviation %v", c.Name, c.Mean, c.Std)
		case len(c.Edges) == 1 || len(c.Edges) > maxEdges:
			return fmt.Errorf("column %.60q has %d edges, want 0 or 2 to %d", c.Name, len(c.Edges), maxEdges)
		case c.Values != nil && len(c.Edges) > 0:
			return fmt.Errorf("column %.60q has categories and edges", c.Name)
		}
		for b, v := range c.Edges {
			if !finite(v) || b > 0 && !(c.Edges[b-1] < v) {
				return fmt.Errorf("column %.60q: edge %d is %v, want finite numbers that ascend", c.Name, b+1, v)
			}
		}
	}
	return nil
}

const maxEdges = 1000 // of a column

// arrays returns what is fitted as arrays of a file: mean and std, 1×n, and edges, a row for
// each of the n columns, filled up with NaN.
func (cs Columns) arrays() []fileArray {
	most := 0
	for _, c := range cs {
		most = max(most, len(c.Edges))
	}
	var s Standardization
	edges := NewMatrix(len(cs), most)
	for i, c := range cs {
		s.Mean, s.Std = append(s.Mean, c.Mean), append(s.Std, c.Std)
		row := edges.Row(i)
		for j := copy(row, c.Edges); j < most; j++ {
			row[j] = math.NaN()
		}
	}
	return append(s.arrays("", len(cs)), fileArray{name: "edges", matrix: edges, may: measured, shared: true})
}

// read sets what is fitted by the arrays of a file.
func (cs Columns) read(z *npz) error {
	var s Standardization
	arrays := append(s.arrays("", len(cs)), fileArray{name: "edges", matrix: &Matrix{Rows: len(cs)}, may: measured, shared: true})
	for _, a := range arrays {
		if err := a.read(z); err != nil {
			return err
		}
	}
	for i := range cs {
		c := &cs[i]
		c.Mean, c.Std = arrays[0].matrix.Data[i], arrays[1].matrix.Data[i]
		edges := arrays[2].matrix.Row(i)
		if n := slices.IndexFunc(edges, func(v float64) bool { return v != v }); n >= 0 {
			edges = edges[:n]
		}
		if len(edges) > 0 {
			c.Edges = edges
		}
	}
	return cs.validate()
}
