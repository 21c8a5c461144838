// -model: the rows of a file with a network's answers behind. Not here: what is printed of
// a run (report.go).

package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"

	"mlp"
	"mlp/cmd/internal/cli"
)

// predict reads all rows once, so that nothing is printed if one is wrong, and then again
// with their answers.
func predict(ctx context.Context, o *options, stdout io.Writer, stderr io.Writer) error {
	m, _, err := cli.ReadModel(o.model)
	if err != nil {
		return err
	}
	e, err := encodingOf(m)
	if err != nil {
		return fmt.Errorf("%s: %w", o.model, err)
	}
	s, err := openSource(o.data)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := e.checkRows(s, stderr); err != nil {
		return err
	}
	p := &predictor{encoding: e, model: m, to: csv.NewWriter(stdout), name: s.name}
	return p.rows(ctx, s)
}

// checkRows returns an error for the first row that cannot be predicted.
func (e *encoding) checkRows(s *source, stderr io.Writer) error {
	r, err := s.rows(nil)
	if err != nil {
		return err
	}
	d, err := newDecoder(e, r, false)
	if err != nil {
		return err
	}
	d.warn = newWarner(stderr).warn
	return d.all(func([]string, []float64) error { return nil })
}

// A predictor collects rows, so that many are predicted together.
type predictor struct {
	*encoding
	model *mlp.Model
	to    *csv.Writer
	name  string // of the file
	lines [][]string
	done  int // rows that are printed
	x, y  mlp.Matrix
}

// rows prints the header and the rows of a source with the answers behind.
func (p *predictor) rows(ctx context.Context, s *source) error {
	r, err := s.rows(nil)
	if err != nil {
		return err
	}
	d, err := newDecoder(p.encoding, r, false)
	if err != nil {
		return err
	}
	p.to.Comma = r.separator
	p.to.Write(slices.Concat(r.header, p.header(r.header)))
	p.x.Reset(rowsAtOnce, p.width())
	err = d.all(func(row []string, cells []float64) error {
		p.input(p.x.Row(len(p.lines)), cells, p.model.Input.Mean)
		if p.lines = append(p.lines, slices.Clone(row)); len(p.lines) < rowsAtOnce {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return p.flush()
	})
	if err == nil {
		err = p.flush()
	}
	return err
}

// header returns the names of the answers. If the file has a column of the target's name,
// the answer is called predicted.
func (p *predictor) header(columns []string) (names []string) {
	for _, c := range p.Targets {
		name := c.Name
		if slices.Contains(columns, name) {
			name = "predicted " + name
		}
		names = append(names, name)
		for _, v := range c.Values {
			names = append(names, c.Name+"="+v)
		}
	}
	return names
}

// flush predicts the rows that were collected, and prints them.
func (p *predictor) flush() error {
	x := &mlp.Matrix{Rows: len(p.lines), Cols: p.x.Cols, Data: p.x.Data[:len(p.lines)*p.x.Cols]}
	p.answers(p.model.Predict(&p.y, x))
	for i, line := range p.lines {
		y := p.y.Row(i)
		if slices.ContainsFunc(y, func(v float64) bool { return !finite(v) }) {
			return fmt.Errorf("%s: row %d: its numbers are so large that the answer is not finite", p.name, p.done+i+1)
		}
		p.to.Write(append(line, p.answer(y)...))
	}
	p.done, p.lines = p.done+len(p.lines), p.lines[:0]
	if p.to.Flush(); p.to.Error() != nil {
		return fmt.Errorf("standard output: %w", p.to.Error())
	}
	return nil
}

// answer returns the answers of one row as texts.
func (p *predictor) answer(y []float64) (texts []string) {
	text := func(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }
	switch p.task() {
	case classes:
		texts = append(texts, p.Targets[0].Values[largest(y)])
		for _, v := range y {
			texts = append(texts, text(v))
		}
	case labels:
		for k, c := range p.Targets {
			yes := 0
			if y[k] > 0.5 {
				yes = 1
			}
			texts = append(texts, c.Values[yes], text(1-y[k]), text(y[k]))
		}
	case numbers:
		for _, v := range y {
			texts = append(texts, text(v))
		}
	}
	return texts
}
