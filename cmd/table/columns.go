// What the columns of a file to train on are: inputs or targets, numbers or categories.
// A first reading of all rows decides.

package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"mlp/cmd/internal/cli"
)

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
		return nil, cli.WrongFlag(fmt.Errorf("%s: -target must name the column to predict, one of %.500s", r.name, list(r.header...)))
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

// list returns names as a flag takes them.
func list(names ...string) string {
	c := columnNames(names)
	return c.String()
}

// flagged returns a column's name as a shell passes it to a flag.
func flagged(name string) string {
	return "'" + strings.ReplaceAll(list(name), "'", `'\''`) + "'"
}
