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
	Name    string   // in the file
	Kind    string   `json:",omitempty"` // the name of a kind of dates; none for numbers and categories
	Part    string   `json:",omitempty"` // of a date
	Unit    string   `json:",omitempty"` // of numbers
	Comma   bool     `json:",omitempty"` // the comma is the decimal mark of numbers
	Grouped bool     `json:",omitempty"` // numbers have thousands separators
	Gaps    bool     `json:",omitempty"` // numbers are missing in the training file: an input more says so
	Values  []string `json:",omitempty"` // the categories, sorted; none if the column has numbers
	Other   bool     `json:",omitempty"` // the last of Values, behind the sorted ones, is what all other texts are
	Mean    float64  `json:",omitempty"` // of a target of numbers, over the training rows
	Std     float64  `json:",omitempty"`
	Min     float64  `json:",omitempty"` // of an input of numbers, over the training rows
	Max     float64  `json:",omitempty"`

	codes        map[string]int // the place of each category in Values; nil if the column has numbers
	isMany       bool           // there were too many categories to learn
	cells, words int            // of the training file, and those that are not what the column has

	read func(text string) (t time.Time, ok bool) // of dates
	of   func(t time.Time) float64                // the part
}

func (c *column) isCategory() bool { return c.codes != nil }

// excludes reports whether a number is outside the range of the training rows, if c has one.
func (c *column) excludes(v float64) bool {
	return (v < c.Min || v > c.Max) && (c.Min != 0 || c.Max != 0)
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

// width returns how many inputs the column is.
func (c *column) width() int {
	if c.isCategory() {
		return len(c.Values)
	}
	if c.Gaps {
		return 2
	}
	return 1
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

// width returns how many inputs the network has.
func (e *encoding) width() (n int) {
	for _, c := range e.Inputs {
		n += c.width()
	}
	return n
}

// outputs returns how many outputs the network has.
func (e *encoding) outputs() int {
	if e.task() == classes {
		return len(e.Targets[0].Values)
	}
	return len(e.Targets)
}

// A task is what a network is for: to name the class, to say yes or no to each of several
// labels, or to give numbers.
type task int

const (
	classes task = iota
	labels
	numbers
)

func (e *encoding) task() task {
	switch {
	case !e.Targets[0].isCategory():
		return numbers
	case len(e.Targets) > 1:
		return labels
	}
	return classes
}

// loss returns the loss to train by, and how large it is if all outputs are 0: each class is
// as likely as another, each label as likely as not, and each number the mean, about which the
// standardized numbers have the variance 1.
func (e *encoding) loss() (loss mlp.Loss, guess float64) {
	switch e.task() {
	case classes:
		return mlp.SoftmaxCrossEntropy, math.Log(float64(e.outputs()))
	case labels:
		return mlp.SigmoidCrossEntropy, math.Ln2
	}
	return mlp.SquaredError, 1
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
	e, err := parseEncoding(text)
	if err != nil {
		return nil, fmt.Errorf("its columns: %w", err)
	}
	in, out := m.Net[0].W.Rows, m.Net[len(m.Net)-1].W.Cols
	if in != e.width() || out != e.outputs() || len(m.Input.Mean) != in {
		return nil, fmt.Errorf("its columns make %d inputs and %d outputs, the network has %d and %d", e.width(), e.outputs(), in, out)
	}
	return e, nil
}

// parseEncoding reads what text returned, checks it, and gives categories their codes.
func parseEncoding(text string) (*encoding, error) {
	e := new(encoding)
	if err := json.Unmarshal([]byte(text), e); err != nil {
		return nil, err
	}
	if len(e.Inputs) == 0 || len(e.Targets) == 0 {
		return nil, errors.New("there is no input or no target")
	}
	seen := map[[2]string]bool{}
	for i, c := range e.columns() {
		if c == nil || c.Name == "" || seen[[2]string{c.Name, c.Part}] {
			return nil, errors.New("a column has no name, or two have one")
		}
		seen[[2]string{c.Name, c.Part}] = true
		if err := c.validate(i >= len(e.Inputs)); err != nil {
			return nil, fmt.Errorf("%.60q: %w", c.Name, err)
		}
	}
	if err := e.validateTargets(); err != nil {
		return nil, err
	}
	for _, c := range e.Targets {
		if !c.isCategory() && !(c.Std > 0 && finite(c.Std) && finite(c.Mean)) {
			return nil, fmt.Errorf("the target %.60q has the mean %v and the deviation %v", c.Name, c.Mean, c.Std)
		}
	}
	return e, nil
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

// input writes to x, 1×width, the inputs of a row of cells. The inputs of a category are
// all zeros, except a one for the row's. A missing number is what the model subtracts, its
// column's mean; if the training file misses some, another input is 1 then and otherwise 0.
func (e *encoding) input(x, cells []float64, mean []float64) {
	at := 0
	for i, c := range e.Inputs {
		v, to := cells[i], x[at:at+c.width()]
		clear(to)
		switch {
		case c.isCategory() && v >= 0:
			to[int(v)] = 1
		case c.isCategory(): // none
		case v == v:
			to[0] = v
		default:
			to[0] = mean[at]
			if c.Gaps {
				to[1] = 1
			}
		}
		at += len(to)
	}
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
			y[k] = (v - c.Mean) / c.Std
		}
	}
}

// answers makes a network's outputs probabilities, or numbers in the units of the table.
func (e *encoding) answers(y *mlp.Matrix) *mlp.Matrix {
	switch e.task() {
	case classes:
		return y.Softmax()
	case labels:
		mlp.Sigmoid.Forward(y.Data)
	case numbers:
		for i := range y.Rows {
			for k, c := range e.Targets {
				y.Row(i)[k] = float64(y.Row(i)[k]*c.Std) + c.Mean
			}
		}
	}
	return y
}

// finite reports whether x is neither NaN nor infinite.
func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }
