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
	cells  []float64
	digest string // the SHA-256 of the file
}

func (t *table) cols() int           { return len(t.Inputs) + len(t.Targets) }
func (t *table) rows() int           { return len(t.cells) / t.cols() }
func (t *table) row(i int) []float64 { return t.cells[i*t.cols() : (i+1)*t.cols()] }

// target returns the k-th target of row i.
func (t *table) target(i, k int) float64 { return t.row(i)[len(t.Inputs)+k] }

// readTable reads the table that the flags name.
func (o *options) readTable(ctx context.Context, stderr io.Writer) (*table, error) {
	s, err := openSource(o.data, maxBytes)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return o.tableOf(ctx, s, stderr)
}

// tableOf reads a table in two readings: the first finds its columns, the second its rows.
func (o *options) tableOf(ctx context.Context, s *source, stderr io.Writer) (*table, error) {
	e, n, err := o.columnsOf(ctx, s, stderr)
	if err != nil {
		return nil, err
	}
	t := &table{encoding: e, cells: make([]float64, 0, min(maxCells, n*len(e.columns())))}
	if err := t.fill(ctx, s, &decoder{learn: true}); err != nil {
		return nil, err
	}
	for i, c := range e.columns() {
		if c.isCategory() {
			t.recode(i, c.sort())
		}
	}
	if err := o.check(t); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return t, nil
}

// readLike reads a file with the columns of e, whose categories are known.
func (e *encoding) readLike(ctx context.Context, name string, stderr io.Writer) (*table, error) {
	s, err := openSource(name, maxBytes)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	t := &table{encoding: e}
	return t, t.fill(ctx, s, &decoder{warnings: stderr})
}

// fill reads a file and adds its rows.
func (t *table) fill(ctx context.Context, s *source, d *decoder) error {
	if err := d.open(ctx, s, t.encoding, t.encoding.columns()); err != nil {
		return err
	}
	err := d.all(func(_ []string, cells []float64) error {
		if d.n > maxCells/len(cells) {
			return d.errorf("more than %d cells", maxCells)
		}
		t.cells = append(t.cells, cells...)
		return nil
	})
	if err == nil && t.rows() == 0 {
		err = fmt.Errorf("%s: there is a header, but no row", s.name)
	}
	t.digest = s.digest
	return err
}

// recode replaces in column i of each row the place of a category by its new place.
func (t *table) recode(i int, places []float64) {
	for r := range t.rows() {
		if cell := &t.row(r)[i]; *cell >= 0 {
			*cell = places[int(*cell)]
		}
	}
}

// check returns an error for a table that nothing can be learnt from.
func (o *options) check(t *table) error {
	for _, c := range t.columns() {
		if n := len(c.Values); n > 2 && n == t.rows() {
			return fmt.Errorf("column %.60q has %d different categories in %d rows, which say nothing about another row; -without %s leaves it out",
				c.Name, n, t.rows(), flagged(c.Name))
		}
	}
	if o.weights.Value && t.task() != classes {
		return errors.New("-weights balanced is for one target of categories")
	}
	return t.validateTargets()
}
