// The cells of a file's rows as numbers, and what is wrong with one that cannot be.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// maxCategories is the most categories of a column.
const maxCategories = 1000

// A decoder makes the cells of a file's rows numbers: a number, the place of a category in its
// column's Values, or NaN for a cell that is missing and for a text that is no category.
type decoder struct {
	learn bool // add categories that are new

	*rows
	encoding *encoding
	columns  []*column // of the encoding: the inputs, and the targets if they are read
	at       []int     // where in a row of the file each is
	width    int       // of the inputs, as far as their categories are known
	unseen   unseen    // unless it learns
}

// open begins to read a file, in which it finds the columns of an encoding, all or the
// inputs alone.
func (d *decoder) open(ctx context.Context, s *source, e *encoding, columns []*column) (err error) {
	if d.rows, err = s.rows(ctx); err != nil {
		return err
	}
	d.encoding, d.columns, d.width = e, columns, e.width()
	d.at, err = d.positions(columns)
	return err
}

// all decodes all rows, and calls each with a row and with a number for each column.
func (d *decoder) all(each func(row []string, cells []float64) error) error {
	cells := make([]float64, len(d.columns))
	for {
		row, err := d.next()
		if err == io.EOF {
			return nil
		}
		for i := 0; i < len(cells) && err == nil; i++ {
			cells[i], err = d.cell(i, strings.TrimSpace(row[d.at[i]]))
		}
		if err == nil {
			err = each(row, cells)
		}
		if err != nil {
			return err
		}
	}
}

// cell decodes a cell of column i.
func (d *decoder) cell(i int, text string) (float64, error) {
	c, isTarget := d.columns[i], i >= len(d.encoding.Inputs)
	if code, ok := c.codes[text]; ok {
		return float64(code), nil
	}
	v, isNumber := number(text, d.separator == ';')
	switch {
	case text == "" || !c.isCategory() && isGap(text):
		if isTarget {
			return 0, d.errorf(c.Name, "the target is missing")
		}
		if !d.encoding.Fill {
			return 0, d.errorf(c.Name, "the cell is missing; -missing mean takes the column's mean")
		}
		return math.NaN(), nil
	case !c.isCategory() && !isNumber:
		return 0, d.errorf(c.Name, "%.60q is not a number", text)
	case !c.isCategory() && !finite(v):
		return 0, d.errorf(c.Name, "%.60q is infinite", text)
	case !c.isCategory():
		if !d.learn && !isTarget && c.excludes(v) {
			d.unseen.outside.add(d.n, c.Name, "%.60q is %.60s in row %d (%v to %v)", c.Name, text, d.n, c.Min, c.Max)
		}
		return v, nil
	case !d.learn && isTarget && d.encoding.task() != classes:
		return 0, d.errorf(c.Name, "%.60q is not a category of the training file", text)
	case !d.learn:
		kind := &d.unseen.categories
		if isTarget {
			kind = &d.unseen.classes
		}
		kind.add(d.n, c.Name+"\n"+text, "%.60q is %.60q in row %d", c.Name, text, d.n)
		return math.NaN(), nil
	case len(c.Values) == maxCategories:
		return 0, d.errorf(c.Name, "more than %d categories; -without %s leaves the column out", maxCategories, flagged(c.Name))
	case !isTarget && d.width == maxColumns:
		return 0, fmt.Errorf("%s: numbers and categories make more than %d inputs", d.name, maxColumns)
	case !isTarget:
		d.width++
	}
	text = strings.Clone(text)
	c.codes[text], c.Values = len(c.Values), append(c.Values, text)
	return float64(c.codes[text]), nil
}

// isGap reports whether a cell in a column of numbers says that the number is missing.
func isGap(text string) bool {
	switch strings.ToLower(text) {
	case "", "na", "n/a", "nan", "null", "none", "?", "-":
		return true
	}
	return false
}

// number returns the number that a text is. In a file with semicolons a number may have a
// comma for the point. A number that is too large is infinite, and NaN is none.
func number(text string, comma bool) (v float64, ok bool) {
	if strings.ContainsAny(text, "xX_") { // as numbers of Go's may have
		return 0, false
	}
	if comma && strings.Count(text, ",") == 1 && !strings.Contains(text, ".") {
		text = strings.Replace(text, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, v == v && (err == nil || errors.Is(err, strconv.ErrRange))
}
