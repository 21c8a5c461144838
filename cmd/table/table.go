// A table: the rows of a file as numbers. A first reading of all rows decides what its columns
// are, and a second one reads them.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
)

// maxCells is the most cells of a table. They are 2 GiB of numbers.
const maxCells = 1 << 28

// A table is the rows of a file as numbers: the inputs, then the targets, as a decoder
// makes them.
type table struct {
	*encoding
	cells        []float64
	inputs       mlp.Columns // the fitted Inputs
	encoded      *mlp.Matrix // the inputs of the networks for all rows, or nil if they are too many
	name, digest string      // of the file: the name in messages, and the SHA-256
}

func (t *table) cols() int           { return len(t.Inputs) + len(t.Targets) }
func (t *table) rows() int           { return len(t.cells) / t.cols() }
func (t *table) row(i int) []float64 { return t.cells[i*t.cols() : (i+1)*t.cols()] }

// target returns the k-th target of row i.
func (t *table) target(i, k int) float64 { return t.row(i)[len(t.Inputs)+k] }

// readTable reads a file with the columns of like, or finds them if like is nil.
func (j *job) readTable(ctx context.Context, name string, like *encoding, stderr io.Writer) (*table, error) {
	s, err := openSource(name, maxBytes, stderr)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if like == nil {
		return j.tableOf(ctx, s, stderr)
	}
	t, d := &table{encoding: like}, new(decoder)
	err = t.fill(ctx, s, d, stderr)
	if err == nil {
		d.unseen.report(stderr, s.name, t.rows())
	}
	return t, err
}

// tableOf reads a table in two readings: the first finds its columns, the second its rows.
func (j *job) tableOf(ctx context.Context, s *source, stderr io.Writer) (*table, error) {
	profiles, n, err := j.profilesOf(ctx, s, stderr)
	if err != nil {
		return nil, err
	}
	t := &table{encoding: &encoding{Fill: j.missing.Value}}
	for _, p := range profiles {
		if p.isTarget {
			t.Targets = append(t.Targets, p.columns...)
		} else {
			t.Inputs = append(t.Inputs, p.columns...)
		}
	}
	t.cells = make([]float64, 0, min(maxCells, n*t.cols()))
	if err := t.fill(ctx, s, &decoder{learn: true, warnings: stderr}, stderr); err != nil {
		return nil, err
	}
	t.settle(profiles)
	describe(stderr, profiles)
	if err := j.check(t); err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	return t, nil
}

// settle decides what can only be decided when all rows are read: which categories share an
// input, and which columns say nothing about another row.
func (t *table) settle(profiles []*profile) {
	rows, cols := t.rows(), t.cols()
	values := make([]float64, rows) // of a column
	var kept []int                  // places in a row
	at := 0
	t.Inputs = t.Inputs[:0]
	for _, p := range profiles {
		columns := p.columns
		p.columns = nil
		for _, c := range columns {
			for r := range values {
				values[r] = t.cells[r*cols+at]
			}
			says, isLeft := p.settle(c, values)
			if p.columns == nil {
				p.says = says
			}
			if !isLeft {
				p.columns, kept = append(p.columns, c), append(kept, at)
			}
			for r, v := range values {
				t.cells[r*cols+at] = v
			}
			at++
		}
		if !p.isTarget {
			t.Inputs = append(t.Inputs, p.columns...)
		}
	}
	for r := range rows {
		for k, i := range kept {
			t.cells[r*len(kept)+k] = t.cells[r*cols+i]
		}
	}
	t.cells = t.cells[:rows*len(kept)]
}

// fill reads a file and adds its rows.
func (t *table) fill(ctx context.Context, s *source, d *decoder, stderr io.Writer) error {
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
	if err == nil && d.dropped > 0 {
		fmt.Fprintf(stderr, "rows without a target: %d, left out\n", d.dropped)
	}
	if err == nil && len(t.cells) == 0 {
		err = fmt.Errorf("%s: there is a header, but no row with a target", s.name)
	}
	t.name, t.digest = s.name, s.digest
	return err
}

// check returns an error for a table that nothing can be learnt from.
func (j *job) check(t *table) error {
	for _, c := range t.Targets {
		if n := len(c.Values); n > 2 && n == t.rows() {
			return fmt.Errorf("the target %.60q has %d different categories in %d rows, which say nothing about another row", c.Name, n, n)
		}
	}
	switch {
	case len(t.Inputs) == 0:
		return errors.New("no column is left to predict from")
	case fitted(t.Inputs).Width() > maxColumns:
		return fmt.Errorf("numbers and categories make more than %d inputs", maxColumns)
	case j.calibrate && t.task() == numbers:
		return errors.New("-calibrate is for probabilities, and the target is a number")
	case j.weights.Value && t.task() != classes:
		return errors.New("-weights balanced is for one target of categories")
	}
	return t.validateTargets()
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
