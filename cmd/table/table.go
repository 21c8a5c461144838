// Reading a table: a first reading decides what the columns are and counts the rows, and a
// second keeps the cells. Not here: what a cell means (encoding.go).

package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"mlp"
)

// The limits of a table.
const (
	maxBytes = 4 << 30 // of the file
	maxCells = 1 << 28 // 2 GiB of numbers
)

// A table is the rows of a file as numbers.
type table struct {
	*encoding
	cells  []float64 // of each row: the inputs, then the targets, as a decoder makes them
	digest string    // the SHA-256 of the file
}

func (t *table) cols() int               { return len(t.Inputs) + len(t.Targets) }
func (t *table) rows() int               { return len(t.cells) / t.cols() }
func (t *table) row(i int) []float64     { return t.cells[i*t.cols() : (i+1)*t.cols()] }
func (t *table) target(i, k int) float64 { return t.row(i)[len(t.Inputs)+k] }

// A profile is what the first reading finds in a column.
type profile struct {
	numbers, words int
	values         []string // of a target, the first that differ
}

// fewValues is how many different numbers of a target look like classes.
const fewValues = 10

// readTable reads the table that the flags name.
func (o *options) readTable(stderr io.Writer) (*table, error) {
	s, err := openSource(o.data)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if s.size > maxBytes {
		return nil, fmt.Errorf("%s: %d bytes, more than %d", s.name, s.size, int64(maxBytes))
	}
	t, n, err := o.decide(s, stderr)
	if err != nil {
		return nil, err
	}
	if err := t.fill(s, n); err != nil {
		return nil, err
	}
	return t, o.check(t, s.name)
}

// decide is the first reading. n is the number of rows.
func (o *options) decide(s *source, stderr io.Writer) (t *table, n int, err error) {
	digest := sha256.New()
	r, err := s.rows(digest)
	if err != nil {
		return nil, 0, err
	}
	used, err := o.used(r)
	if err != nil {
		return nil, 0, err
	}
	profiles := make([]profile, len(r.header))
	for {
		cells, err := r.next()
		if err == io.EOF {
			break
		}
		if err == nil && r.n > maxCells/len(used) {
			err = r.errorf("more than %d cells", maxCells)
		}
		if err != nil {
			return nil, 0, err
		}
		for k, i := range used {
			profiles[i].add(strings.TrimSpace(cells[i]), r.separator == ';', k >= len(used)-len(o.target))
		}
	}
	if r.n == 1 {
		return nil, 0, fmt.Errorf("%s: there is a header, but no row", s.name)
	}
	t = &table{encoding: &encoding{Fill: o.missing.Value}, digest: fmt.Sprintf("%x", digest.Sum(nil))}
	for k, i := range used {
		if err := o.addColumn(t, r, i, &profiles[i], k >= len(used)-len(o.target), stderr); err != nil {
			return nil, 0, err
		}
	}
	return t, r.n - 1, nil
}

// used returns the columns that are used: those that are inputs, in the order of the file,
// and then the targets.
func (o *options) used(r *rows) (used []int, err error) {
	for _, names := range []columnNames{o.target, o.without, o.text} {
		for _, name := range names {
			if _, err := r.position(name); err != nil {
				return nil, err
			}
		}
	}
	for i, name := range r.header {
		if !slices.Contains(o.target, name) && !slices.Contains(o.without, name) {
			used = append(used, i)
		}
	}
	if len(used) == 0 {
		return nil, fmt.Errorf("%s: no column is left to predict from", r.source)
	}
	for _, name := range o.target {
		i, _ := r.position(name)
		if slices.Contains(o.without, name) {
			return nil, fmt.Errorf("%s: column %.60q is a target, and -without leaves it out", r.source, name)
		}
		used = append(used, i)
	}
	return used, nil
}

// add counts a cell.
func (p *profile) add(text string, comma, isTarget bool) {
	if _, ok := number(text, comma); ok && !isGap(text) {
		p.numbers++
	} else if !isGap(text) {
		p.words++
	}
	if isTarget && len(p.values) <= fewValues && text != "" && !slices.Contains(p.values, text) {
		p.values = append(p.values, strings.Clone(text))
	}
}

// addColumn decides what column i is. If more cells are numbers than words, the column has
// numbers, and a word is an error of the second reading. A target of two different values
// has categories.
func (o *options) addColumn(t *table, r *rows, i int, p *profile, isTarget bool, stderr io.Writer) error {
	c := &column{Name: r.header[i]}
	if p.numbers+p.words == 0 {
		return fmt.Errorf("%s: column %.60q has no values", r.source, c.Name)
	}
	if isTarget && len(p.values) == 1 {
		return fmt.Errorf("%s: the target %.60q is always %.60q, there is nothing to learn", r.source, c.Name, p.values[0])
	}
	if p.words >= p.numbers || slices.Contains(o.text, c.Name) || isTarget && len(p.values) == 2 {
		c.codes = map[string]int{}
	} else if isTarget && len(p.values) <= fewValues {
		fmt.Fprintf(stderr, "warning: the target %.60q is taken as a number; if its %d values are classes, take -category %s\n",
			c.Name, len(p.values), (&columnNames{c.Name}).String())
	}
	if isTarget {
		t.Targets = append(t.Targets, c)
	} else {
		t.Inputs = append(t.Inputs, c)
	}
	return nil
}

// fill is the second reading.
func (t *table) fill(s *source, n int) error {
	r, err := s.rows(nil)
	if err != nil {
		return err
	}
	d, err := newDecoder(t.encoding, r, true)
	if err != nil {
		return err
	}
	d.learn = true
	changed := fmt.Errorf("%s: the file has changed while it was read", s.name)
	t.cells = make([]float64, 0, n*len(d.columns))
	if err := d.all(func(_ []string, cells []float64) error {
		if len(t.cells) == cap(t.cells) {
			return changed
		}
		t.cells = append(t.cells, cells...)
		return nil
	}); err != nil {
		return err
	}
	if len(t.cells) < cap(t.cells) {
		return changed
	}
	for i, c := range d.columns {
		t.sortCategories(i, c)
	}
	return nil
}

// sortCategories puts the categories of column i in their order.
func (t *table) sortCategories(i int, c *column) {
	if !c.isCategory() {
		return
	}
	found := slices.Clone(c.Values)
	slices.SortFunc(c.Values, func(a, b string) int {
		if before(a, b) {
			return -1
		}
		return 1
	})
	codes := make([]float64, len(found))
	for k, v := range c.Values {
		codes[c.codes[v]] = float64(k)
	}
	for k, v := range c.Values {
		c.codes[v] = k
	}
	for at := i; at < len(t.cells); at += t.cols() {
		if code := t.cells[at]; code >= 0 {
			t.cells[at] = codes[int(code)]
		}
	}
}

// check returns an error for a table that nothing can be learnt from.
func (o *options) check(t *table, name string) error {
	for _, c := range t.columns() {
		if n := len(c.Values); n > 2 && n == t.rows() {
			return fmt.Errorf("%s: column %.60q has %d different categories in %d rows, which say nothing about another row; -without %s leaves it out",
				name, c.Name, n, t.rows(), (&columnNames{c.Name}).String())
		}
	}
	for _, c := range t.Targets { // whose deviations are not known yet
		if !c.isCategory() {
			c.Std = 1
		}
	}
	err := t.validateTargets()
	if err == nil && t.width() > maxColumns {
		err = fmt.Errorf("numbers and categories make %d inputs, more than %d", t.width(), maxColumns)
	}
	if err == nil && o.weights.Value && t.task() != classes {
		err = errors.New("-weights balanced is for one target of categories")
	}
	if err == nil {
		_, err = t.text()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// readLike reads a file with the columns of t, whose categories are known.
func (t *table) readLike(name string, stderr io.Writer) (*table, error) {
	s, err := openSource(name)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if s.size > maxBytes {
		return nil, fmt.Errorf("%s: %d bytes, more than %d", s.name, s.size, int64(maxBytes))
	}
	digest := sha256.New()
	r, err := s.rows(digest)
	if err != nil {
		return nil, err
	}
	d, err := newDecoder(t.encoding, r, true)
	if err != nil {
		return nil, err
	}
	d.warn = newWarner(stderr).warn
	like := &table{encoding: t.encoding}
	err = d.all(func(_ []string, cells []float64) error {
		if len(like.cells) > maxCells-len(cells) {
			return r.errorf("more than %d cells", maxCells)
		}
		like.cells = append(like.cells, cells...)
		return nil
	})
	if err == nil && like.rows() == 0 {
		err = fmt.Errorf("%s: there is a header, but no row", name)
	}
	like.digest = fmt.Sprintf("%x", digest.Sum(nil))
	return like, err
}

// A warner prints a warning for each category that is new, but not for too many.
type warner struct {
	to   io.Writer
	seen map[string]bool
}

const maxWarnings = 20

func newWarner(to io.Writer) *warner { return &warner{to, map[string]bool{}} }

func (w *warner) warn(column, value string, err error) {
	if key := column + "\x00" + value; !w.seen[key] && len(w.seen) <= maxWarnings {
		if w.seen[key] = true; len(w.seen) > maxWarnings {
			err = errors.New("there are more categories that are new")
		}
		fmt.Fprintf(w.to, "warning: %s\n", plain(err))
	}
}

// A task is what a network is for: to name the class, to say yes or no to each of several
// labels, or to give numbers.
type task int

const (
	classes task = iota
	labels
	numbers
)

// loss returns the loss of a task.
func (t task) loss() mlp.Loss {
	return []mlp.Loss{classes: mlp.SoftmaxCrossEntropy, labels: mlp.SigmoidCrossEntropy, numbers: mlp.SquaredError}[t]
}

func (e *encoding) task() task {
	switch {
	case !e.Targets[0].isCategory():
		return numbers
	case len(e.Targets) > 1:
		return labels
	}
	return classes
}

// outputs returns how many outputs the network has.
func (e *encoding) outputs() int {
	if e.task() == classes {
		return len(e.Targets[0].Values)
	}
	return len(e.Targets)
}

// wanted writes to y, 1×outputs, what the network shall answer to a row of cells.
func (e *encoding) wanted(y, cells []float64) {
	clear(y)
	for k, v := range cells[len(e.Inputs):] {
		switch c := e.Targets[k]; e.task() {
		case classes:
			y[int(v)] = 1
		case labels:
			y[k] = v
		case numbers:
			y[k] = (v - c.Mean) / c.Std
		}
	}
}

// finite reports whether x is neither NaN nor infinite.
func finite(x float64) bool { return math.Abs(x) <= math.MaxFloat64 }
