// A table: the rows of a file as numbers. A first reading of all rows decides what its columns
// are, inputs or targets, numbers or categories, and a second one reads them.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"mlp/cmd/internal/cli"
)

// maxCells is the most cells of a table. They are 2 GiB of numbers.
const maxCells = 1 << 28

// A table is the rows of a file as numbers: the inputs, then the targets, as a decoder
// makes them.
type table struct {
	*encoding
	cells        []float64
	name, digest string // of the file: the name in messages, and the SHA-256
}

func (t *table) cols() int           { return len(t.Inputs) + len(t.Targets) }
func (t *table) rows() int           { return len(t.cells) / t.cols() }
func (t *table) row(i int) []float64 { return t.cells[i*t.cols() : (i+1)*t.cols()] }

// target returns the k-th target of row i.
func (t *table) target(i, k int) float64 { return t.row(i)[len(t.Inputs)+k] }

// readTable reads a file with the columns of like, or finds them if like is nil.
func (j *job) readTable(ctx context.Context, name string, like *encoding, stderr io.Writer) (*table, error) {
	s, err := openSource(name, maxBytes)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if like == nil {
		return j.tableOf(ctx, s, stderr)
	}
	t := &table{encoding: like}
	return t, t.fill(ctx, s, &decoder{warnings: stderr})
}

// tableOf reads a table in two readings: the first finds its columns, the second its rows.
func (j *job) tableOf(ctx context.Context, s *source, stderr io.Writer) (*table, error) {
	e, n, err := j.columnsOf(ctx, s, stderr)
	if err != nil {
		return nil, err
	}
	t := &table{encoding: e, cells: make([]float64, 0, min(maxCells, n*len(e.columns())))}
	if err := t.fill(ctx, s, &decoder{learn: true}); err != nil {
		return nil, err
	}
	for i, c := range e.columns() {
		if !c.isCategory() {
			continue
		}
		places := c.sort()
		for r := range t.rows() {
			if cell := &t.row(r)[i]; *cell >= 0 {
				*cell = places[int(*cell)]
			}
		}
	}
	if err := j.check(t); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return t, nil
}

// fill reads a file and adds its rows.
func (t *table) fill(ctx context.Context, s *source, d *decoder) error {
	err := d.open(ctx, s, t.encoding, t.columns())
	if err == nil {
		err = d.all(func(_ []string, cells []float64) error {
			if d.n > maxCells/len(cells) {
				return d.errorf("", "more than %d cells", maxCells)
			}
			t.cells = append(t.cells, cells...)
			return nil
		})
	}
	if err == nil && t.rows() == 0 {
		err = fmt.Errorf("%s: there is a header, but no row", s.name)
	}
	t.name, t.digest = s.name, s.digest
	return err
}

// check returns an error for a table that nothing can be learnt from.
func (j *job) check(t *table) error {
	for _, c := range t.columns() {
		if n := len(c.Values); n > 2 && n == t.rows() {
			return fmt.Errorf("column %.60q has %d different categories in %d rows, which say nothing about another row; -without %s leaves it out",
				c.Name, n, t.rows(), flagged(c.Name))
		}
	}
	if j.weights.Value && t.task() != classes {
		return errors.New("-weights balanced is for one target of categories")
	}
	return t.validateTargets()
}

// A profile is what the first reading finds in a column.
type profile struct {
	numbers, words int
	values         []string // the first that differ
}

// fewValues is how many different numbers of a target look like classes.
const fewValues = 10

// columnsOf reads a file and returns an encoding with its columns, which has no categories
// yet, and the number of rows.
func (j *job) columnsOf(ctx context.Context, s *source, stderr io.Writer) (e *encoding, n int, err error) {
	r, err := s.rows(ctx)
	if err != nil {
		return nil, 0, err
	}
	if e, err = j.used(r); err != nil {
		return nil, 0, err
	}
	at, err := r.positions(e.columns())
	if err != nil {
		return nil, 0, err
	}
	profiles := make([]profile, len(at))
	for {
		cells, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		for i := range profiles {
			profiles[i].add(strings.TrimSpace(cells[at[i]]), r.separator == ';')
		}
	}
	if r.n == 1 {
		return nil, 0, fmt.Errorf("%s: there is a header, but no row", s.name)
	}
	for i, c := range e.columns() {
		if err := j.decide(c, &profiles[i], i >= len(e.Inputs), stderr); err != nil {
			return nil, 0, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return e, r.n - 1, nil
}

// used returns the columns that are used: inputs in the order of the file, and targets in
// that of -target.
func (j *job) used(r *rows) (*encoding, error) {
	if len(j.target) == 0 {
		return nil, cli.WrongFlag(fmt.Errorf("%s: -target must name the column to predict, one of %.500s", r.name, columnNames(r.header)))
	}
	for _, name := range slices.Concat(j.target, j.without, j.text) {
		if _, err := r.position(name); err != nil {
			return nil, err
		}
	}
	e := &encoding{Fill: j.missing.Value}
	for _, name := range r.header {
		if !slices.Contains(j.target, name) && !slices.Contains(j.without, name) {
			e.Inputs = append(e.Inputs, &column{Name: name})
		}
	}
	if len(e.Inputs) == 0 {
		return nil, fmt.Errorf("%s: no column is left to predict from", r.name)
	}
	for _, name := range j.target {
		if slices.Contains(j.without, name) {
			return nil, fmt.Errorf("%s: column %.60q is a target, and -without leaves it out", r.name, name)
		}
		e.Targets = append(e.Targets, &column{Name: name})
	}
	return e, nil
}

// add counts a cell. In a file with semicolons a number may have a comma for the point.
func (p *profile) add(text string, comma bool) {
	if _, ok := number(text, comma); ok {
		p.numbers++
	} else if !isGap(text) {
		p.words++
	}
	if len(p.values) <= fewValues && text != "" && !slices.Contains(p.values, text) {
		p.values = append(p.values, strings.Clone(text))
	}
}

// decide decides what a column is. If more cells are numbers than words, the column has
// numbers, and a word is an error of the second reading. A target of two different values
// has categories.
func (j *job) decide(c *column, p *profile, isTarget bool, stderr io.Writer) error {
	switch {
	case p.numbers+p.words == 0:
		return fmt.Errorf("column %.60q has no values; -without %s leaves it out", c.Name, flagged(c.Name))
	case isTarget && len(p.values) == 1:
		return fmt.Errorf("the target %.60q is always %.60q, there is nothing to learn", c.Name, p.values[0])
	case p.words >= p.numbers || slices.Contains(j.text, c.Name) || isTarget && len(p.values) == 2:
		c.codes = map[string]int{}
	case isTarget && len(p.values) <= fewValues:
		warn(stderr, "the target %.60q is taken as a number; if its %d values are classes, take -category %s",
			c.Name, len(p.values), flagged(c.Name))
	}
	return nil
}

// warn prints a warning on one line, whatever is in the names that it has.
func warn(stderr io.Writer, format string, args ...any) {
	fmt.Fprintf(stderr, "warning: %s\n", cli.Plain(fmt.Sprintf(format, args...)))
}

// flagged returns the names of columns as a shell passes them to a flag, or NAMES for some that
// are too long to be repeated in a message.
func flagged(names ...string) string {
	text := columnNames(names).String()
	if len(text) > 200 {
		return "NAMES"
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
