// What the columns of a table mean to a network: the inputs and the outputs that a row of
// numbers and categories becomes. A model file keeps it.

package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"mlp"
	"mlp/cmd/internal/training"
)

// maxEncoding is the most bytes of an encoding in a model file. There it is a text in
// run.json, which may have 1 MiB in all.
const maxEncoding = 1_000_000

// An encoding is the columns that a network was trained on.
type encoding struct {
	Inputs, Targets []*column
	Fill            bool // a missing input is taken as the column's mean
}

// A column is one of an encoding: a number or a category of each row. A date of the file makes
// more than one.
type column struct {
	mlp.Column `json:"-"` // what it is to the networks: a model's file has it beside the encoding; Values are sorted

	Name    string // in the file
	Kind    string `json:",omitempty"` // the name of a kind of dates; none for numbers and categories
	Part    string `json:",omitempty"` // of a date
	Unit    string `json:",omitempty"` // of numbers
	Comma   bool   `json:",omitempty"` // the comma is the decimal mark of numbers
	Grouped bool   `json:",omitempty"` // numbers have thousands separators
	Other   bool   `json:",omitempty"` // the last of Values, behind the sorted ones, is what all other texts are

	codes        map[string]int // the place of each category in Values; nil if the column has numbers
	isMany       bool           // there were too many categories to learn
	cells, words int            // of the training file, and those that are not what the column has

	read func(text string) (t time.Time, ok bool) // of dates
	of   func(t time.Time) float64                // the part
}

func (c *column) isCategory() bool { return c.codes != nil }

// trained returns the range of a column of numbers in the training rows, or an empty one.
func (c *column) trained() (lo, hi float64) {
	if n := len(c.Edges); n > 0 {
		return c.Edges[0], c.Edges[n-1]
	}
	return math.Inf(-1), math.Inf(1)
}

// people returns a number as people write it.
func (c *column) people(v float64) string {
	if c.Part == dateParts[0].name {
		return time.Unix(int64(v)*86400, 0).UTC().Format(time.DateOnly)
	}
	return fmt.Sprint(v)
}

// label returns the name for people.
func (c *column) label() string {
	if c.Part == "" {
		return c.Name
	}
	return fmt.Sprintf("%s (%s)", c.Name, c.Part)
}

// sorted returns the categories that texts are looked up in.
func (c *column) sorted() []string {
	if c.Other {
		return c.Values[:len(c.Values)-1]
	}
	return c.Values
}

// compareCategories compares categories as numbers, if both are, and otherwise as texts.
// Numbers come first.
func compareCategories(a, b string) int {
	x, okX := number(a)
	y, okY := number(b)
	switch {
	case okX && okY && x != y:
		return cmp.Compare(x, y)
	case okX && !okY:
		return -1
	case okY && !okX:
		return 1
	}
	return cmp.Compare(a, b)
}

// columns returns the inputs and then the targets.
func (e *encoding) columns() []*column { return slices.Concat(e.Inputs, e.Targets) }

// outputs returns how many outputs the network has.
func (e *encoding) outputs() int {
	if e.task() == classes {
		return len(e.Targets[0].Values)
	}
	return len(e.Targets)
}

// What a network is for: to name the class, to say yes or no to each of several labels, or to
// give numbers.
const (
	classes = mlp.Classes
	labels  = mlp.Labels
	numbers = mlp.Numbers
)

func (e *encoding) task() mlp.Task {
	switch {
	case !e.Targets[0].isCategory():
		return numbers
	case len(e.Targets) > 1:
		return labels
	}
	return classes
}

// guess returns how large the loss is if all outputs are 0: each class is as likely as another,
// each label as likely as not, and each number the mean, about which the standardized numbers
// have the variance 1.
func (e *encoding) guess() float64 {
	switch e.task() {
	case classes:
		return math.Log(float64(e.outputs()))
	case labels:
		return math.Ln2
	}
	return 1
}

// fitted returns columns as a model has them.
func fitted(columns []*column) (all mlp.Columns) {
	for _, c := range columns {
		of := c.Column
		of.Name = c.label()
		all = append(all, of)
	}
	return all
}

// text returns the encoding as JSON, or an error if that is too long for a model's recipe.
func (e *encoding) text() (string, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	inRecipe, err := json.Marshal(string(text))
	if err == nil && len(inRecipe) > maxEncoding {
		err = fmt.Errorf("the names of the columns and categories take %d bytes, more than %d", len(inRecipe), maxEncoding)
	}
	return string(text), err
}

// encodingOf returns the encoding of a model that comes from a file.
func encodingOf(m *mlp.Model) (*encoding, error) {
	text, ok := m.Recipe[training.TableKey]
	if !ok {
		return nil, errors.New("its recipe has no columns: another command trained it")
	}
	e, err := parseEncoding(text, m)
	if err != nil {
		return nil, fmt.Errorf("its columns: %w", err)
	}
	return e, nil
}

// parseEncoding reads what text returned, checks it, takes the columns of the model, and gives
// categories their codes.
func parseEncoding(text string, m *mlp.Model) (*encoding, error) {
	e := new(encoding)
	if err := json.Unmarshal([]byte(text), e); err != nil {
		return nil, err
	}
	if len(e.Inputs) == 0 || len(e.Targets) == 0 {
		return nil, errors.New("there is no input or no target")
	}
	if m.Columns == nil {
		return nil, errors.New("an earlier version trained it, whose models this one cannot use: train it again")
	}
	if len(e.Inputs) != len(m.Columns) || len(e.Targets) != len(m.Targets) {
		return nil, fmt.Errorf("the recipe has %d inputs and %d targets, the model %d and %d", len(e.Inputs), len(e.Targets), len(m.Columns), len(m.Targets))
	}
	of, seen := slices.Concat(m.Columns, m.Targets), map[[2]string]bool{}
	for i, c := range e.columns() {
		if c == nil || c.Name == "" || seen[[2]string{c.Name, c.Part}] {
			return nil, errors.New("a column has no name, or two have one")
		}
		if seen[[2]string{c.Name, c.Part}] = true; c.label() != of[i].Name {
			return nil, fmt.Errorf("the recipe has %.60q where the model has %.60q", c.label(), of[i].Name)
		}
		c.Column = of[i]
		if err := c.validate(i >= len(e.Inputs)); err != nil {
			return nil, fmt.Errorf("%.60q: %w", c.Name, err)
		}
	}
	return e, e.validateTargets()
}

// validate returns an error for a column that none becomes, gives categories their codes and
// finds the part of a date.
func (c *column) validate(isTarget bool) error {
	switch hasParts := c.Kind != "" || c.Part != ""; {
	case c.Other && len(c.Values) < 2 || len(c.Values) > maxCategories:
		return fmt.Errorf("%d categories", len(c.Values))
	case hasParts && c.findPart() != nil:
		return c.findPart()
	case len(c.Values) > 0 && (hasParts || c.Gaps), isTarget && (hasParts || c.Gaps || c.Other):
		return errors.New("it is of two kinds")
	case len(c.Values) > 0:
		c.codes = map[string]int{}
	}
	for i, v := range c.sorted() {
		if c.codes[v] = i; v == "" && isTarget || i > 0 && compareCategories(c.Values[i-1], v) >= 0 {
			return errors.New("its categories are not in order")
		}
	}
	return nil
}

// findPart finds the part of a date by its name.
func (c *column) findPart() error {
	k := slices.IndexFunc(kinds[:], func(k kind) bool { return k.name == c.Kind })
	if k < 0 {
		return fmt.Errorf("%.60q is no kind of dates", c.Kind)
	}
	part := slices.IndexFunc(kinds[k].parts, func(p datePart) bool { return p.name == c.Part })
	if part < 0 {
		return fmt.Errorf("%.60q is no part of a date", c.Part)
	}
	c.read, c.of = kinds[k].read, kinds[k].parts[part].of
	return nil
}

// validateTargets returns an error for targets that one network cannot have.
func (e *encoding) validateTargets() error {
	for _, c := range e.Targets {
		switch {
		case c.isCategory() != e.Targets[0].isCategory():
			return fmt.Errorf("%.60q and %.60q are targets, one of numbers and one of categories", e.Targets[0].Name, c.Name)
		case c.isCategory() && len(c.Values) < 2:
			return fmt.Errorf("the target %.60q has one category", c.Name)
		case c.isCategory() && len(e.Targets) > 1 && len(c.Values) != 2:
			return fmt.Errorf("the target %.60q has %d categories, but each of two or more targets must be a yes or no", c.Name, len(c.Values))
		}
	}
	return nil
}

// wanted writes to y, 1×outputs, what the network shall answer to a row of cells. No answer is
// right for a class that is new.
func (e *encoding) wanted(y, cells []float64) {
	clear(y)
	for k, v := range cells[len(e.Inputs):] {
		switch c := e.Targets[k]; e.task() {
		case classes:
			if v == v {
				y[int(v)] = 1
			}
		case labels:
			y[k] = v
		case numbers:
			y[k] = (v - c.Mean[0]) / c.Std[0]
		}
	}
}

// answers makes what a model predicts probabilities; numbers are answers already.
func (e *encoding) answers(y *mlp.Matrix) *mlp.Matrix {
	switch e.task() {
	case classes:
		y.Softmax()
	case labels:
		mlp.Sigmoid.Forward(y.Data)
	}
	return y
}

// finite reports whether x is neither NaN nor infinite.
func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }
