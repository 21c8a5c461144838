// The columns of a table: how the raw numbers of a row become the inputs of a network.

package mlp

import (
	"fmt"
	"math"
	"slices"
)

// A Column is how one raw number of a row becomes inputs: a quantity, or the place of a category
// in Values. NaN is a raw number that is missing.
//
// A category becomes an input for each of Values, which is 1 for the row's and else 0. A quantity
// v becomes v itself and, for each bin between two neighbours a and b of Edges, its
// piecewise-linear encoding (Gorishniy et al. 2022, section 3.2):
//
//	0 if v ≤ a,   (v-a)/(b-a) if a < v < b,   1 if b ≤ v
//
//	1 ┤        ┌───    Such an input changes only within its bin. So a network learns of each
//	  │       ╱        range of v separately, and a value far outside of all bins changes v
//	0 ┼──────┘         alone. A single bin would be v again, and is no input.
//	        a   b
//
// If Gaps is set, one more input is 1 if the raw number is missing, and else 0.
//
// All inputs are standardized by Mean and Std, as Standardization says. If the raw number is
// missing or the place of no category, the others are 0, their mean.
type Column struct {
	Name      string
	Values    []string  // the categories, or nil for a quantity
	Edges     []float64 // between the bins of a quantity, in ascending order, or nil without bins
	Gaps      bool
	Mean, Std []float64 // of each input
}

// FitColumn returns a column of that name that fits raw numbers: the categories of values or, if
// values is nil, quantities. Their Edges are quantiles, so that equally many quantities lie in
// each bin: at most so many bins, and fewer if quantiles are equal. Gaps is set if a quantity is
// missing.
func FitColumn(name string, values []string, raw []float64, bins int) (Column, error) {
	c := Column{Name: name, Values: values}
	known := slices.DeleteFunc(slices.Clone(raw), func(v float64) bool { return v != v })
	if slices.Sort(known); values == nil {
		if c.Gaps = len(known) < len(raw); len(known) == 0 {
			return c, fmt.Errorf("column %.60q: no number in the training rows", name)
		}
		for b := range bins + 1 {
			c.Edges = append(c.Edges, known[b*(len(known)-1)/max(1, bins)])
		}
		if c.Edges = slices.Compact(c.Edges); len(c.Edges) < 2 {
			c.Edges = nil
		}
	}
	input := NewMatrix(len(known), 1)
	for k := range c.inputs() {
		for i, v := range known {
			input.Data[i] = c.input(k, v)
		}
		s := FitStandardization(input)
		if !finite(s.Mean[0]) || !finite(s.Std[0]) {
			return c, fmt.Errorf("column %.60q: its numbers are too large for a mean and a deviation", name)
		}
		c.Mean, c.Std = append(c.Mean, s.Mean[0]), append(c.Std, s.Std[0])
	}
	if share := 1 - float64(len(known))/float64(len(raw)); c.Gaps {
		c.Mean, c.Std = append(c.Mean, share), append(c.Std, math.Sqrt(share*(1-share)))
	}
	return c, nil
}

// inputs returns how many inputs there are without the one for gaps.
func (c *Column) inputs() int {
	switch bins := len(c.Edges) - 1; {
	case c.Values != nil:
		return len(c.Values)
	case bins > 1:
		return 1 + bins
	}
	return 1
}

// input returns input k for the raw number v, which is not missing, before it is standardized.
func (c *Column) input(k int, v float64) float64 {
	switch {
	case c.Values != nil && v == float64(k):
		return 1
	case c.Values != nil:
		return 0
	case k == 0:
		return v
	case v <= c.Edges[k-1]:
		return 0
	case v < c.Edges[k]:
		return (v - c.Edges[k-1]) / (c.Edges[k] - c.Edges[k-1])
	}
	return 1
}

// Width returns how many inputs the column becomes.
func (c *Column) Width() int {
	if c.Gaps {
		return c.inputs() + 1
	}
	return c.inputs()
}

// encode sets inputs, of the column's width, to those of the raw number v.
func (c *Column) encode(inputs []float64, v float64) {
	clear(inputs)
	n, missing := c.inputs(), 0.0
	if v != v {
		missing = 1
	} else if c.Values == nil || 0 <= v && v < float64(n) {
		for k := range n {
			inputs[k] = c.standardized(k, c.input(k, v))
		}
	}
	if c.Gaps {
		inputs[n] = c.standardized(n, missing)
	}
}

func (c *Column) standardized(k int, input float64) float64 {
	if input -= c.Mean[k]; c.Std[k] != 0 {
		input /= c.Std[k]
	}
	return input
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
		switch n := c.Width(); {
		case len(c.Mean) != n || len(c.Std) != n:
			return fmt.Errorf("column %.60q has %d means and %d deviations, want %d", c.Name, len(c.Mean), len(c.Std), n)
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

// standardization returns the mean and the deviation of each input.
func (cs Columns) standardization() (s Standardization) {
	for _, c := range cs {
		s.Mean, s.Std = append(s.Mean, c.Mean...), append(s.Std, c.Std...)
	}
	return s
}

// standardize sets the means and deviations to those in s, of a file.
func (cs Columns) standardize(s Standardization) error {
	if s.Mean == nil {
		return FormatError("the mean and std of its columns or its targets are missing")
	}
	at := 0
	for i := range cs {
		n := cs[i].Width()
		cs[i].Mean, cs[i].Std = s.Mean[at:at+n], s.Std[at:at+n]
		at += n
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
