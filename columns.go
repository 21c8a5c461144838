// The columns of a table: how the raw numbers of a row become the inputs of a network.

package mlp

import (
	"fmt"
	"math"
	"slices"
)

// A Column is how one raw number of a row becomes inputs: a quantity, or the place of a category
// in Values.
//
// A quantity v becomes v itself and, for each bin between two neighbours a and b of Edges, its
// piecewise-linear encoding (Gorishniy et al. 2022, section 3.2):
//
//	0 if v ≤ a,   (v-a)/(b-a) if a < v < b,   1 if b ≤ v
//
//	1 ┤        ┌───    Such an input changes only within its bin. So a network learns of each
//	  │       ╱        range of v separately, and a value far outside of all bins changes v
//	0 ┼──────┘         alone.
//	        a   b
//
// These inputs are standardized by Mean and Std. A category becomes an input for each of Values,
// which is 1 for the row's and else 0.
//
// A raw number that is NaN is missing: all these inputs are 0. If Gaps is set, one more input is
// 1 if the raw number is missing, and else 0.
type Column struct {
	Name      string
	Values    []string  // the categories, or nil for a quantity
	Edges     []float64 // of a quantity's bins, ascending; nil for none
	Mean, Std []float64 // of v and of each bin
	Gaps      bool
}

// FitColumn returns the column of a quantity that fits values, of which NaN are missing. Edges
// are quantiles, so that equally many values lie in each bin: at most so many bins, and fewer
// if quantiles are equal. Gaps is set if a value is missing.
func FitColumn(name string, values []float64, bins int) (Column, error) {
	c := Column{Name: name}
	v := slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return v != v })
	if c.Gaps = len(v) < len(values); len(v) == 0 {
		return c, fmt.Errorf("column %.60q: no number in the training rows", name)
	}
	slices.Sort(v)
	for b := range bins + 1 {
		c.Edges = append(c.Edges, v[b*(len(v)-1)/max(1, bins)])
	}
	if c.Edges = slices.Compact(c.Edges); len(c.Edges) < 2 {
		c.Edges = nil
	}
	input := NewMatrix(len(v), 1)
	for k := range c.quantities() {
		for i, v := range v {
			input.Data[i] = c.quantity(v, k)
		}
		s := FitStandardization(input)
		c.Mean, c.Std = append(c.Mean, s.Mean[0]), append(c.Std, s.Std[0])
	}
	if !finite(c.Mean[0]) || !finite(c.Std[0]) {
		return c, fmt.Errorf("column %.60q: its numbers are too large for a mean and a deviation", name)
	}
	return c, nil
}

// quantities returns how many inputs a quantity becomes without the one for gaps.
func (c *Column) quantities() int { return 1 + max(0, len(c.Edges)-1) }

// quantity returns input k for the quantity v before it is standardized.
func (c *Column) quantity(v float64, k int) float64 {
	if k == 0 {
		return v
	}
	a, b := c.Edges[k-1], c.Edges[k]
	switch {
	case v <= a:
		return 0
	case v < b:
		return (v - a) / (b - a)
	}
	return 1
}

// Width returns how many inputs the column becomes.
func (c *Column) Width() int {
	n := len(c.Values)
	if c.Values == nil {
		n = c.quantities()
	}
	if c.Gaps {
		n++
	}
	return n
}

// encode sets inputs, of the column's width, to those of the raw number v.
func (c *Column) encode(inputs []float64, v float64) {
	clear(inputs)
	switch {
	case v != v:
		if c.Gaps {
			inputs[len(inputs)-1] = 1
		}
	case c.Values != nil:
		if 0 <= v && v < float64(len(c.Values)) {
			inputs[int(v)] = 1
		}
	default:
		for k, mean := range c.Mean {
			if inputs[k] = c.quantity(v, k) - mean; c.Std[k] != 0 {
				inputs[k] /= c.Std[k]
			}
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
		cs.encode(z.Row(i), x.Row(i))
	}
	return z
}

// encode sets inputs to those of a raw row.
func (cs Columns) encode(inputs, row []float64) {
	for j, v := range row {
		n := cs[j].Width()
		cs[j].encode(inputs[:n], v)
		inputs = inputs[n:]
	}
}

const maxEdges = 1001 // of a column: a thousand bins

// validate returns an error for the first column that Apply cannot take.
func (cs Columns) validate() error {
	for i := range cs {
		c := &cs[i]
		means := c.quantities()
		if c.Values != nil {
			means = 0
		}
		switch {
		case len(c.Mean) != means || len(c.Std) != means:
			return fmt.Errorf("column %.60q has %d means and %d deviations, want %d", c.Name, len(c.Mean), len(c.Std), means)
		case len(c.Edges) == 1 || len(c.Edges) > maxEdges:
			return fmt.Errorf("column %.60q has %d edges, want 0 or 2 to %d", c.Name, len(c.Edges), maxEdges)
		case c.Values != nil && len(c.Edges) > 0:
			return fmt.Errorf("column %.60q has categories and edges", c.Name)
		}
		for k, v := range c.Edges {
			if !finite(v) || k > 0 && !(c.Edges[k-1] < v) {
				return fmt.Errorf("column %.60q: edge %d is %v, want finite numbers that ascend", c.Name, k+1, v)
			}
		}
	}
	return nil
}

// columnJSON is what run.json has of a Column.
type columnJSON struct {
	Name   string
	Values []string `json:",omitempty"`
	Gaps   bool     `json:",omitempty"`
}

func (cs Columns) inJSON() (all []columnJSON) {
	for _, c := range cs {
		all = append(all, columnJSON{c.Name, c.Values, c.Gaps})
	}
	return all
}

func columnsOf(all []columnJSON) (cs Columns) {
	for _, c := range all {
		cs = append(cs, Column{Name: c.Name, Values: c.Values, Gaps: c.Gaps})
	}
	return cs
}

// standardization returns the mean and the deviation of each input, zeros for one that is not
// standardized.
func (cs Columns) standardization() (s Standardization) {
	for i := range cs {
		c := &cs[i]
		zeros := make([]float64, c.Width()-len(c.Mean))
		s.Mean, s.Std = slices.Concat(s.Mean, c.Mean, zeros), slices.Concat(s.Std, c.Std, zeros)
	}
	return s
}

// standardize sets the means and deviations of quantities to those of the inputs in s, of a
// file.
func (cs Columns) standardize(s Standardization) error {
	if s.Mean == nil {
		return FormatError("the mean and std of its columns or its targets are missing")
	}
	at := 0
	for i := range cs {
		c := &cs[i]
		if n := c.quantities(); c.Values == nil {
			c.Mean, c.Std = s.Mean[at:at+n], s.Std[at:at+n]
		}
		at += c.Width()
	}
	return nil
}

// arrays returns what is fitted as arrays of a file: mean and std, 1×in, and edges, a row for
// each of the n columns, filled up with NaN.
func (cs Columns) arrays() []fileArray {
	most := 0
	for _, c := range cs {
		most = max(most, len(c.Edges))
	}
	edges := NewMatrix(len(cs), most)
	for i, c := range cs {
		row := edges.Row(i)
		for j := copy(row, c.Edges); j < most; j++ {
			row[j] = math.NaN()
		}
	}
	s := cs.standardization()
	return append(s.arrays("", len(s.Mean)), fileArray{name: "edges", matrix: edges, may: measured, shared: true})
}

// read sets what is fitted by the arrays of a file.
func (cs Columns) read(z *npz) error {
	edges := &Matrix{Rows: len(cs)}
	if err := (fileArray{name: "edges", matrix: edges, may: measured, shared: true}).read(z); err != nil {
		return err
	}
	for i := range cs {
		row := edges.Row(i)
		if n := slices.IndexFunc(row, func(v float64) bool { return v != v }); n >= 0 {
			row = row[:n]
		}
		if len(row) > 0 {
			cs[i].Edges = row
		}
	}
	var s Standardization
	if err := s.read(z, "", cs.Width()); err != nil {
		return err
	}
	return cs.standardize(s)
}
