// -model: the rows of a file with a network's answers behind.

package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"mlp"
	"mlp/cmd/internal/training"
)

// predict answers for all rows twice. The first time it prints nothing, so that if a row is
// wrong, nothing is printed.
func (j *job) predict(ctx context.Context, stdout, stderr io.Writer) error {
	m, err := training.ReadModel(j.model, training.Table)
	if err != nil {
		return err
	}
	e, err := encodingOf(m)
	if err != nil {
		return fmt.Errorf("%s: %w", j.model, err)
	}
	s, err := openSource(j.data, math.MaxInt64)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := e.print(ctx, m, s, io.Discard, stderr); err != nil {
		return err
	}
	return e.print(ctx, m, s, stdout, nil)
}

// maxText is the number of bytes from which on no more rows are collected.
const maxText = 1 << 20

// print prints the header and the rows of a source with the answers behind. It collects rows,
// so that many are predicted together.
func (e *encoding) print(ctx context.Context, m *mlp.Model, s *source, to, warnings io.Writer) error {
	from, w := &decoder{warnings: warnings}, csv.NewWriter(to)
	if err := from.open(ctx, s, e, e.Inputs); err != nil {
		return err
	}
	w.Comma = from.separator
	w.Write(slices.Concat(from.header, e.header(from.header)))
	var lines [][]string
	bytes, done := 0, 0 // bytes in lines, and rows that were printed before
	var x, y mlp.Matrix
	x.Reset(e.rowsAtOnce(), e.width())
	flush := func() error {
		e.answers(m.Predict(&y, &mlp.Matrix{Rows: len(lines), Cols: x.Cols, Data: x.Data[:len(lines)*x.Cols]}))
		for i, line := range lines {
			done++
			if slices.ContainsFunc(y.Row(i), func(v float64) bool { return !finite(v) }) {
				return fmt.Errorf("%s: row %d: its numbers are so large that the answer is not finite", s.name, done)
			}
			w.Write(append(line, e.answer(y.Row(i))...))
		}
		lines, bytes = lines[:0], 0
		if w.Flush(); w.Error() != nil {
			return fmt.Errorf("standard output: %w", w.Error())
		}
		return nil
	}
	err := from.all(func(row []string, cells []float64) error {
		e.input(x.Row(len(lines)), cells, m.Input.Mean)
		lines = append(lines, slices.Clone(row))
		for _, cell := range row {
			bytes += len(cell)
		}
		if len(lines) == x.Rows || bytes >= maxText {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	return err
}

// header returns the names of the answers, which no column of the file has.
func (e *encoding) header(columns []string) (names []string) {
	add := func(name string) {
		for slices.Contains(columns, name) || slices.Contains(names, name) {
			name = "predicted " + name
		}
		names = append(names, name)
	}
	for _, c := range e.Targets {
		add(c.Name)
		for _, v := range c.Values {
			add(c.Name + "=" + v)
		}
	}
	return names
}

// answer returns the answers of one row as texts.
func (e *encoding) answer(y []float64) (texts []string) {
	add := func(v float64) { texts = append(texts, strconv.FormatFloat(v, 'g', 6, 64)) }
	if e.task() == classes {
		texts = append(texts, e.Targets[0].Values[mlp.Argmax(y)])
	}
	for k, v := range y {
		if e.task() == labels {
			texts = append(texts, e.Targets[k].Values[isYes(v)])
			add(1 - v)
		}
		add(v)
	}
	return texts
}

// isYes returns the category of a label, 0 or 1, that has the larger probability if the
// second has p.
func isYes(p float64) int {
	if p > 0.5 {
		return 1
	}
	return 0
}
