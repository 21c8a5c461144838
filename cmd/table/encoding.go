// What the columns of a table mean: numbers or categories, inputs or targets, and how a row
// becomes numbers. A model file keeps it. Not here: how it is decided (table.go).

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"mlp"
	"mlp/cmd/internal/cli"
)

// The limits of an encoding. In a model file it is part of run.json, which may have 1 MiB,
// and as a text in a text, so that quotes take two bytes.
const (
	maxCategories = 1000 // of a column
	maxEncoding   = 700_000
)

// encodingKey is where a model's recipe has the encoding.
const encodingKey = "table"

// A column is one of an encoding.
type column struct {
	Name   string
	Values []string `json:",omitempty"` // the categories, sorted; none if the column has numbers
	Mean   float64  `json:",omitempty"` // of a target of numbers, over the training rows
	Std    float64  `json:",omitempty"`

	codes map[string]int // the place of each category in Values
}

func (c *column) isCategory() bool { return c.codes != nil }

// width returns how many inputs the column is.
func (c *column) width() int {
	if c.isCategory() {
		return len(c.Values)
	}
	return 1
}

// add adds a category, if the column does not have it, and returns its code.
func (c *column) add(value string) int {
	code, ok := c.codes[value]
	if !ok {
		code = len(c.Values)
		value = strings.Clone(value)
		c.codes[value], c.Values = code, append(c.Values, value)
	}
	return code
}

// An encoding is the columns that a network was trained on.
type encoding struct {
	Inputs, Targets []*column
	Fill            bool // a missing input is taken as the column's mean
}

// columns returns the inputs and then the targets.
func (e *encoding) columns() []*column { return slices.Concat(e.Inputs, e.Targets) }

// width returns how many inputs the network has.
func (e *encoding) width() (n int) {
	for _, c := range e.Inputs {
		n += c.width()
	}
	return n
}

// text returns the encoding as JSON.
func (e *encoding) text() (string, error) {
	text, err := json.Marshal(e)
	if err == nil && len(text) > maxEncoding {
		err = fmt.Errorf("the names of the columns and categories have %d bytes, more than %d", len(text), maxEncoding)
	}
	return string(text), err
}

// encodingOf returns the encoding of a model that comes from a file.
func encodingOf(m *mlp.Model) (*encoding, error) {
	text, ok := m.Recipe[encodingKey]
	if !ok {
		return nil, errors.New("its recipe has no columns: another command trained it")
	}
	e := new(encoding)
	if err := json.Unmarshal([]byte(text), e); err != nil {
		return nil, fmt.Errorf("its columns: %w", err)
	}
	if err := e.validate(); err != nil {
		return nil, fmt.Errorf("its columns: %w", err)
	}
	in, out := m.Net[0].W.Rows, m.Net[len(m.Net)-1].W.Cols
	if in != e.width() || out != e.outputs() || len(m.Input.Mean) != in {
		return nil, fmt.Errorf("its columns make %d inputs and %d outputs, the network has %d and %d", e.width(), e.outputs(), in, out)
	}
	return e, nil
}

// validate checks an encoding from a file, and gives categories their codes.
func (e *encoding) validate() error {
	if len(e.Inputs) == 0 || len(e.Targets) == 0 {
		return errors.New("there is no input or no target")
	}
	seen := map[string]bool{}
	for _, c := range e.columns() {
		if c == nil || c.Name == "" || seen[c.Name] {
			return errors.New("a column has no name, or two have one")
		}
		if seen[c.Name] = true; len(c.Values) > 0 {
			c.codes = map[string]int{}
		}
		for i, v := range c.Values {
			if c.codes[v] = i; v == "" || i > 0 && !before(c.Values[i-1], v) {
				return fmt.Errorf("the categories of %.60q are not in order", c.Name)
			}
		}
	}
	return e.validateTargets()
}

func (e *encoding) validateTargets() error {
	for _, c := range e.Targets {
		switch {
		case c.isCategory() != e.Targets[0].isCategory():
			return fmt.Errorf("%.60q and %.60q are targets, one of numbers and one of categories", e.Targets[0].Name, c.Name)
		case c.isCategory() && len(c.Values) < 2:
			return fmt.Errorf("the target %.60q has one category", c.Name)
		case c.isCategory() && len(e.Targets) > 1 && len(c.Values) != 2:
			return fmt.Errorf("the target %.60q has %d categories, but each of two or more targets must be a yes or no", c.Name, len(c.Values))
		case !c.isCategory() && !(c.Std > 0 && c.Std <= math.MaxFloat64 && math.Abs(c.Mean) <= math.MaxFloat64):
			return fmt.Errorf("the target %.60q has the mean %v and the deviation %v", c.Name, c.Mean, c.Std)
		}
	}
	return nil
}

// before orders categories: as numbers, if both are, and otherwise as texts.
func before(a, b string) bool {
	x, okX := number(a, false)
	y, okY := number(b, false)
	if okX && okY && x != y {
		return x < y
	}
	if okX != okY {
		return okX
	}
	return a < b
}

// input writes to x, 1×width, the inputs of a row of cells. The inputs of a category are
// all zeros, except a one for the row's. A missing number is what the model subtracts, its
// column's mean.
func (e *encoding) input(x, cells []float64, mean []float64) {
	at := 0
	for i, c := range e.Inputs {
		v := cells[i]
		if c.codes == nil {
			if x[at] = v; v != v {
				x[at] = mean[at]
			}
			at++
			continue
		}
		if clear(x[at : at+len(c.Values)]); v >= 0 {
			x[at+int(v)] = 1
		}
		at += len(c.Values)
	}
}

// A decoder makes the cells of a file's rows numbers: a number, NaN for a missing one, the
// place of a category in Values, or -1 for a text that is no category.
type decoder struct {
	*encoding
	*rows
	columns []*column
	at      []int // where in a row of the file each column is
	learn   bool  // add categories that are new
	targets int   // where in columns the targets begin
	warn    func(column, value string, err error)
}

// newDecoder finds an encoding's columns in a file. Without targets, they need not be there.
func newDecoder(e *encoding, r *rows, targets bool) (*decoder, error) {
	d := &decoder{encoding: e, rows: r, columns: e.Inputs, targets: len(e.Inputs)}
	if targets {
		d.columns = e.columns()
	}
	for _, c := range d.columns {
		i, err := r.position(c.Name)
		if err != nil {
			return nil, err
		}
		d.at = append(d.at, i)
	}
	return d, nil
}

// next decodes the next row into cells, one for each column, or returns io.EOF.
func (d *decoder) next(cells []float64) (row []string, err error) {
	if row, err = d.rows.next(); err != nil {
		return nil, err
	}
	for i, c := range d.columns {
		text := strings.TrimSpace(row[d.at[i]])
		if c.isCategory() {
			cells[i], err = d.category(c, text, i >= d.targets)
		} else {
			cells[i], err = d.number(c, text, i >= d.targets)
		}
		if err != nil {
			return nil, err
		}
	}
	return row, nil
}

func (d *decoder) number(c *column, text string, isTarget bool) (float64, error) {
	v, ok := number(text, d.separator == ';')
	switch {
	case isGap(text):
		return math.NaN(), d.missing(c, isTarget)
	case !ok:
		return 0, d.cellError(c.Name, "%.60q is not a number", text)
	case math.IsInf(v, 0):
		return 0, d.cellError(c.Name, "%.60q is infinite", text)
	}
	return v, nil
}

func (d *decoder) category(c *column, text string, isTarget bool) (float64, error) {
	code, ok := c.codes[text]
	switch {
	case text == "":
		return -1, d.missing(c, isTarget)
	case ok:
		return float64(code), nil
	case !utf8.ValidString(text):
		return 0, d.cellError(c.Name, "the cell is not UTF-8")
	case d.learn && len(c.Values) == maxCategories:
		return 0, d.cellError(c.Name, "more than %d categories; -without %s leaves the column out", maxCategories, d.flagged(c))
	case d.learn:
		return float64(c.add(text)), nil
	case isTarget:
		return 0, d.cellError(c.Name, "%.60q is not a category of the training file", text)
	}
	if d.warn != nil {
		d.warn(c.Name, text, d.cellError(c.Name, "%.60q is not a category of the training file, and is taken as none", text))
	}
	return -1, nil
}

// flagged returns a column's name as a flag takes it.
func (d *decoder) flagged(c *column) string {
	names := columnNames{c.Name}
	return strconv.Quote(names.String())
}

// missing returns an error, unless a missing cell may be filled.
func (d *decoder) missing(c *column, isTarget bool) error {
	switch {
	case isTarget:
		return d.cellError(c.Name, "the target is missing")
	case !d.Fill:
		return d.cellError(c.Name, "the cell is missing; -missing mean takes the column's mean")
	}
	return nil
}

// all decodes all rows that are left.
func (d *decoder) all(each func(row []string, cells []float64) error) error {
	cells := make([]float64, len(d.columns))
	for {
		row, err := d.next(cells)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = each(row, cells)
		}
		if err != nil {
			return err
		}
	}
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
// comma for the point. A number that is too large is infinite.
func number(text string, comma bool) (v float64, ok bool) {
	if text == "" || strings.ContainsAny(text, "xX_") { // which ParseFloat takes in hexadecimal
		return 0, false
	}
	if comma && strings.Count(text, ",") == 1 && !strings.Contains(text, ".") {
		text = strings.Replace(text, ",", ".", 1)
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil || errors.Is(err, strconv.ErrRange)
}

// plain returns an error's text as one line that a terminal can show.
func plain(err error) string { return cli.Plain(err.Error()) }
