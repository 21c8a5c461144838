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
func predict(ctx context.Context, o *options, stdout, stderr io.Writer) error {
	m, err := training.ReadModel(o.model, training.Table)
	if err != nil {
		return err
	}
	e, err := encodingOf(m)
	if err != nil {
		return fmt.Errorf("%s: %w", o.model, err)
	}
	s, err := openSource(o.data, math.MaxInt64)
	if err != nil {
		return err
	}
	defer s.Close()
	p := &predictor{encoding: e, model: m}
	if err := p.print(ctx, s, io.Discard, stderr); err != nil {
		return err
	}
	return p.print(ctx, s, stdout, nil)
}

// A predictor collects rows, so that many are predicted together.
type predictor struct {
	*encoding
	model *mlp.Model
	from  *decoder
	to    *csv.Writer
	lines [][]string
	bytes int // in lines
	done  int // rows that were printed before lines
	x, y  mlp.Matrix
}

// maxText is the number of bytes in lines from which on no more are collected.
const maxText = 1 << 20

// print prints the header and the rows of a source with the answers behind.
func (p *predictor) print(ctx context.Context, s *source, to, warnings io.Writer) error {
	p.from, p.to, p.done = &decoder{warnings: warnings}, csv.NewWriter(to), 0
	if err := p.from.open(ctx, s, p.encoding, p.Inputs); err != nil {
		return err
	}
	p.to.Comma = p.from.separator
	p.to.Write(slices.Concat(p.from.header, p.header(p.from.header)))
	p.x.Reset(p.rowsAtOnce(), p.width())
	err := p.from.all(func(row []string, cells []float64) error {
		p.input(p.x.Row(len(p.lines)), cells, p.model.Input.Mean)
		p.lines = append(p.lines, slices.Clone(row))
		for _, cell := range row {
			p.bytes += len(cell)
		}
		if len(p.lines) < p.x.Rows && p.bytes < maxText {
			return nil
		}
		return p.flush()
	})
	if err == nil {
		err = p.flush()
	}
	return err
}

// header returns the names of the answers, which no column of the file has.
func (p *predictor) header(columns []string) (names []string) {
	add := func(name string) {
		for slices.Contains(columns, name) || slices.Contains(names, name) {
			name = "predicted " + name
		}
		names = append(names, name)
	}
	for _, c := range p.Targets {
		add(c.Name)
		for _, v := range c.Values {
			add(c.Name + "=" + v)
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
			return fmt.Errorf("%s: row %d: its numbers are so large that the answer is not finite", p.from.name, p.done+i+1)
		}
		p.to.Write(append(line, p.answer(y)...))
	}
	p.done, p.lines, p.bytes = p.done+len(p.lines), p.lines[:0], 0
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
		texts = append(texts, p.Targets[0].Values[mlp.Argmax(y)])
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
