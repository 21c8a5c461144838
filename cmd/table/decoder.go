// The cells of a file's rows as numbers, and what is wrong with one that cannot be.

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
)

// maxCategories is the most categories of a column.
const maxCategories = 1000

// The most different texts of a column whose categories are learnt, and of all columns together.
const maxTexts, maxAllTexts = 10_000, 1 << 18

// A decoder makes the cells of a file's rows numbers: a number, the place of a category in its
// column's Values, or NaN for a cell that is missing and for a text that is no category.
type decoder struct {
	learn    bool      // add categories that are new
	warnings io.Writer // says then what is no number

	*rows
	encoding *encoding
	columns  []*column // of the encoding: the inputs, and the targets if they are read
	at       []int     // where in a row of the file each is
	texts    int       // of all categories that were learnt
	words    []int     // of each column, cells that are not what it has
	dropped  int       // rows without a target
	warned   map[[2]string]bool
	unseen   unseen // unless it learns

	date   time.Time // of the cell that was decoded last
	isDate bool
}

// open begins to read a file, in which it finds the columns of an encoding, all or the
// inputs alone.
func (d *decoder) open(ctx context.Context, s *source, e *encoding, columns []*column) (err error) {
	if d.rows, err = s.rows(ctx); err != nil {
		return err
	}
	d.encoding, d.columns, d.words, d.warned = e, columns, make([]int, len(columns)), map[[2]string]bool{}
	d.at, err = d.positions(columns)
	return err
}

// all decodes all rows, and calls each with a row and with a number for each column. It counts
// the rows whose target is missing and leaves them out.
func (d *decoder) all(each func(row []string, cells []float64) error) error {
	cells := make([]float64, len(d.columns))
	for {
		row, err := d.next()
		if err == io.EOF {
			return nil
		}
		hasTarget := true
		for i := 0; i < len(cells) && err == nil; i++ {
			text := strings.TrimSpace(row[d.at[i]])
			cells[i], err = d.cell(i, text)
			if err == errMissing {
				hasTarget, err = false, nil
			}
			c := d.columns[i]
			if lo, hi := c.trained(); cells[i] < lo || cells[i] > hi {
				d.unseen.outside.add(d.n, c.label(), func() string {
					return fmt.Sprintf("%.60q is %.60s in row %d (%s to %s)", c.label(), text, d.n, c.people(lo), c.people(hi))
				})
			}
		}
		if !hasTarget {
			d.dropped++
		} else if err == nil {
			err = each(row, cells)
		}
		if err != nil {
			return err
		}
	}
}

// errMissing says that a cell of a target is missing.
var errMissing = errors.New("missing")

// cell decodes a cell of column i.
func (d *decoder) cell(i int, text string) (float64, error) {
	c := d.columns[i]
	switch {
	case isGap(text, c.isCategory()):
		return d.gap(i)
	case c.isCategory():
		return d.category(i, text)
	case c.of == nil:
		v, err := c.number(text)
		if err != nil {
			return d.word(i, text, err)
		}
		if !finite(v) {
			return 0, d.errorf(c.Name, "%.60q is infinite", text)
		}
		return v, nil
	case i == 0 || d.at[i] != d.at[i-1]: // the first part of a date
		if d.date, d.isDate = c.read(text); !d.isDate && c.Part != "" {
			d.date, d.isDate = certainDate(text)
		}
		if !d.isDate {
			return d.word(i, text, errors.New("is not a date or time as the others"))
		}
	}
	if !d.isDate {
		return math.NaN(), nil
	}
	return c.of(d.date), nil
}

// gap decodes a cell of column i that is missing.
func (d *decoder) gap(i int) (float64, error) {
	switch c := d.columns[i]; {
	case i >= len(d.encoding.Inputs):
		return 0, errMissing
	case !d.encoding.Fill:
		return 0, d.errorf(c.Name, "the cell is missing, and -missing refuse is set")
	case c.isCategory():
		return d.category(i, "")
	}
	return math.NaN(), nil
}

// word decodes a cell of a column of numbers or dates that is none. Few are taken as missing.
func (d *decoder) word(i int, text string, reason error) (float64, error) {
	c := d.columns[i]
	d.words[i]++
	if d.learn && !tolerable(c.words, c.cells) {
		return 0, d.errorf(c.Name, "%.60q %v, as %d of %d cells; -category %s takes them as texts", text, reason, c.words, c.cells, flagged(c.Name))
	}
	if !d.encoding.Fill || !d.learn && !tolerable(d.words[i], d.n) {
		return 0, d.errorf(c.Name, "%.60q %v", text, reason)
	}
	if d.learn {
		d.warn(c, text, fmt.Sprintf("%v, and is taken as missing", reason))
	} else {
		d.unseen.words.addText(d.n, c, text)
	}
	return d.gap(i)
}

// number reads a number as the column has them. It is written otherwise if that can mean only
// one number.
func (c *column) number(text string) (float64, error) {
	v, other, unit := numberIn(text)
	if c.Comma {
		v, other = other, v
	}
	switch isOwn, isOther := v == v, other == other; {
	case !isOwn && !isOther:
		return 0, errors.New("is not a number")
	case unit != c.Unit && (unit != "" || c.Unit == percent):
		return 0, fmt.Errorf("is not a number in %s", cmp.Or(c.Unit, "no unit"))
	case !isOwn:
		return other, nil
	case isOther && math.Abs(v) > math.Abs(other) && !c.Grouped:
		return 0, fmt.Errorf("may be %v or %v", other, v)
	}
	return v, nil
}

// category returns the place of a category of column i.
func (d *decoder) category(i int, text string) (float64, error) {
	c, isTarget := d.columns[i], i >= len(d.encoding.Inputs)
	code, ok := c.codes[text]
	switch {
	case ok:
		return float64(code), nil
	case !d.learn && isTarget && d.encoding.task() != classes:
		return 0, d.errorf(c.Name, "%.60q is not a category of the training file", text)
	case !d.learn && text == "":
		return math.NaN(), nil
	case !d.learn && c.Other:
		return float64(len(c.Values) - 1), nil
	case !d.learn:
		kind := &d.unseen.categories
		if isTarget {
			kind = &d.unseen.classes
		}
		kind.addText(d.n, c, text)
		return math.NaN(), nil
	case isTarget && len(c.Values) == maxCategories:
		return 0, d.errorf(c.Name, "more than %d categories", maxCategories)
	case c.isMany:
		return math.NaN(), nil
	case len(c.Values) == maxTexts:
		d.texts -= maxTexts
		c.isMany, c.Values = true, nil
		clear(c.codes)
		return math.NaN(), nil
	case d.texts == maxAllTexts:
		return 0, d.errorf(c.Name, "the columns have more than %d different texts; -without %s leaves this one out", maxAllTexts, flagged(c.Name))
	}
	text = strings.Clone(text)
	c.codes[text], c.Values = len(c.Values), append(c.Values, text)
	d.texts++
	return float64(c.codes[text]), nil
}

// maxWarnings is the most texts that warn names.
const maxWarnings = 20

// warn says what is wrong with a text, once for each, but not for too many.
func (d *decoder) warn(c *column, text, what string) {
	key := [2]string{c.Name, strings.Clone(text)}
	if d.warned[key] || len(d.warned) > maxWarnings {
		return
	}
	if d.warned[key] = true; len(d.warned) > maxWarnings {
		warn(d.warnings, "there are more such cells")
		return
	}
	warn(d.warnings, "%v", d.errorf(c.Name, "%.60q %s", text, what))
}
