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

// A profile is what the first reading finds in a column that is used.
type profile struct {
	name           string
	at             int // where in a row it is
	isTarget       bool
	numbers, words int
	values         []string // of a target, the first that differ
}

// fewValues is how many different numbers of a target look like classes.
const fewValues = 10

// columnsOf reads a file and returns an encoding with its columns, which has no categories
// yet, and the number of rows.
func (o *options) columnsOf(ctx context.Context, s *source, stderr io.Writer) (e *encoding, n int, err error) {
	r, err := s.rows(ctx)
	if err != nil {
		return nil, 0, err
	}
	profiles, err := o.used(r)
	if err != nil {
		return nil, 0, err
	}
	for {
		cells, err := r.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		for i := range profiles {
			p := &profiles[i]
			p.add(strings.TrimSpace(cells[p.at]), r.separator == ';')
		}
	}
	if r.n == 1 {
		return nil, 0, fmt.Errorf("%s: there is a header, but no row", s.name)
	}
	e = &encoding{Fill: o.missing.Value}
	for _, p := range profiles {
		c, err := o.column(&p, stderr)
		if err != nil {
			return nil, 0, fmt.Errorf("%s: %w", s.name, err)
		}
		if p.isTarget {
			e.Targets = append(e.Targets, c)
		} else {
			e.Inputs = append(e.Inputs, c)
		}
	}
	return e, r.n - 1, nil
}

// used returns an empty profile for each column that is used: for the inputs in the order
// of the file, and then for the targets in that of -target.
func (o *options) used(r *rows) (used []profile, err error) {
	if len(o.target) == 0 {
		return nil, cli.WrongFlag(fmt.Errorf("%s: -target must name the column to predict, one of %.500s", r.name, list(r.header...)))
	}
	for _, names := range []columnNames{o.target, o.without, o.text} {
		for _, name := range names {
			if _, err := r.position(name); err != nil {
				return nil, err
			}
		}
	}
	for i, name := range r.header {
		if !slices.Contains(o.target, name) && !slices.Contains(o.without, name) {
			used = append(used, profile{name: name, at: i})
		}
	}
	if len(used) == 0 {
		return nil, fmt.Errorf("%s: no column is left to predict from", r.name)
	}
	for _, name := range o.target {
		if slices.Contains(o.without, name) {
			return nil, fmt.Errorf("%s: column %.60q is a target, and -without leaves it out", r.name, name)
		}
		used = append(used, profile{name: name, at: slices.Index(r.header, name), isTarget: true})
	}
	return used, nil
}

// add counts a cell. In a file with semicolons a number may have a comma for the point.
func (p *profile) add(text string, comma bool) {
	if _, ok := number(text, comma); ok {
		p.numbers++
	} else if !isGap(text) {
		p.words++
	}
	if p.isTarget && len(p.values) <= fewValues && text != "" && !slices.Contains(p.values, text) {
		p.values = append(p.values, strings.Clone(text))
	}
}

// column decides what a column is. If more cells are numbers than words, the column has
// numbers, and a word is an error of the second reading. A target of two different values
// has categories.
func (o *options) column(p *profile, stderr io.Writer) (*column, error) {
	c := &column{Name: p.name}
	switch {
	case p.numbers+p.words == 0:
		return nil, fmt.Errorf("column %.60q has no values; -without %s leaves it out", c.Name, flagged(c.Name))
	case p.isTarget && len(p.values) == 1:
		return nil, fmt.Errorf("the target %.60q is always %.60q, there is nothing to learn", c.Name, p.values[0])
	case p.words >= p.numbers || slices.Contains(o.text, c.Name) || p.isTarget && len(p.values) == 2:
		c.codes = map[string]int{}
	case p.isTarget && len(p.values) <= fewValues:
		warn(stderr, "the target %.60q is taken as a number; if its %d values are classes, take -category %s", c.Name, len(p.values), flagged(c.Name))
	}
	return c, nil
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
