// A table: the rows of a file as numbers, by a second reading, which knows the columns of
// the first.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
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
