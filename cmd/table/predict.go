// -model: the rows of a file with a network's answers behind.

package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"mlp"
	"mlp/cmd/internal/training"
)

// predict prints the rows of a file with the answers behind. It answers for the rows of a
// regular file twice, and prints nothing the first time, so that nothing is printed if a row
// is wrong. Those of a stream it prints as they come.
func (j *job) predict(ctx context.Context, stdout, stderr io.Writer) error {
	m, e, err := j.readModel()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if isStream(j.data) {
		s := &source{name: j.data, stream: openStream(ctx, j.data), warnings: stderr}
		if j.data == "-" {
			s.name = "standard input"
		}
		return e.print(ctx, m, s, stdout, stderr)
	}
	s, err := openSource(j.data, math.MaxInt64, stderr)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := e.print(ctx, m, s, io.Discard, io.Discard); err != nil {
		return err
	}
	return e.print(ctx, m, s, stdout, stderr)
}

// readModel reads the model of -model.
func (j *job) readModel() (*mlp.Model, *encoding, error) {
	m, err := training.ReadModel(j.model, training.Table)
	if err != nil {
		return nil, nil, err
	}
	e, err := encodingOf(m)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", j.model, err)
	}
	return m, e, nil
}

// A printer prints rows with the answers behind, in the conventions of their file. It collects
// rows, so that many are predicted together.
type printer struct {
	*decoder
	model     *mlp.Model
	x, y      mlp.Matrix // x has room for the rows that are predicted together
	lines     []byte     // the rows that are not printed yet, as they stand in the file
	ends      []int      // of each in lines
	done      int        // rows that are printed
	to        *bufio.Writer
	cells     *csv.Writer // writes to it
	hasCommas bool        // if the rows do not tell
	err       error       // of the first flush that failed
}

// maxText is the number of bytes from which on no more rows are collected.
const maxText = 1 << 20

// print prints the header and the rows of a source, and tells what in them is new.
func (e *encoding) print(ctx context.Context, m *mlp.Model, s *source, stdout, stderr io.Writer) error {
	p := &printer{decoder: new(decoder), model: m, to: bufio.NewWriterSize(stdout, 1<<16)}
	if s.stream != nil {
		s.stream.idle = p.flush
	}
	if err := p.open(ctx, s, e, e.Inputs); err != nil {
		return err
	}
	p.x.Reset(rowsAtOnce(m), len(e.Inputs))
	p.cells = csv.NewWriter(p.to) // which has no buffer of its own then
	p.cells.Comma, p.cells.UseCRLF = p.separator, p.hasCRLF
	p.hasCommas = p.separator == ';' || slices.ContainsFunc(e.Inputs, func(c *column) bool { return c.Comma })
	if p.hasMark {
		p.to.WriteString("\ufeff")
	}
	p.write(p.raw(), e.header(p.header, m.Margins != nil))
	err := p.all(p.add)
	if failed := p.flush(); failed != nil {
		return failed
	}
	if err == nil || s.stream != nil { // whose answers were printed, whatever ended it
		p.unseen.report(stderr, s.name, p.done)
	}
	return err
}

// add takes a row, which is printed with others. The first number with a fraction says what
// stands before fractions: of a file any row's, of a stream the first row's, so that its
// answers do not depend on how fast it comes.
func (p *printer) add(row []string, cells []float64) error {
	if p.decimal == 0 && (p.stream == nil || p.n == 1) {
		for i, c := range p.columns {
			if p.decimal == 0 && !c.isCategory() && c.of == nil {
				p.decimal = c.decimalMark(strings.TrimSpace(row[p.at[i]]))
			}
		}
	}
	copy(p.x.Row(len(p.ends)), cells)
	p.lines = append(p.lines, p.raw()...)
	p.ends = append(p.ends, len(p.lines))
	if len(p.ends) == p.x.Rows || len(p.lines) >= maxText {
		return p.flush()
	}
	return nil
}

// flush prints the rows that were collected. After an error it does nothing more.
func (p *printer) flush() error {
	if p.err != nil {
		return p.err
	}
	if n := len(p.ends); n > 0 {
		p.encoding.answers(p.model.Predict(&p.y, &mlp.Matrix{Rows: n, Cols: p.x.Cols, Data: p.x.Data[:n*p.x.Cols]}))
	}
	begin := 0
	for i, end := range p.ends {
		if slices.ContainsFunc(p.y.Row(i), func(v float64) bool { return !finite(v) }) {
			p.err = fmt.Errorf("%s: row %d: its numbers are so large that the answer is not finite", p.name, p.done+1)
			break
		}
		p.write(p.lines[begin:end], p.answer(p.y.Row(i)))
		p.done++
		begin = end
	}
	p.lines, p.ends = p.lines[:0], p.ends[:0]
	if err := p.to.Flush(); err != nil {
		p.err = fmt.Errorf("standard output: %w", err)
	}
	return p.err
}

// write writes a row and cells behind it.
func (p *printer) write(row []byte, cells []string) {
	p.to.Write(row)
	p.to.WriteRune(p.separator)
	p.cells.Write(cells)
}

// header returns the names of the answers, which no column of the file has, and of the ends of
// their intervals.
func (e *encoding) header(columns []string, hasMargins bool) (names []string) {
	add := func(name string) {
		for slices.Contains(columns, name) || slices.Contains(names, name) {
			name = "predicted " + name
		}
		names = append(names, name)
	}
	for _, c := range e.Targets {
		add(c.Name)
		if hasMargins {
			answer := names[len(names)-1]
			add(answer + " from")
			add(answer + " to")
		}
		for _, v := range c.Values {
			add(c.Name + "=" + v)
		}
	}
	return names
}

// answer returns the answers of one row as texts.
func (p *printer) answer(y []float64) (texts []string) {
	e := p.encoding
	add := func(v float64) {
		text := strconv.FormatFloat(v, 'g', 6, 64)
		if p.decimal == ',' || p.decimal == 0 && p.hasCommas {
			text = strings.Replace(text, ".", ",", 1)
		}
		texts = append(texts, text)
	}
	if e.task() == classes {
		texts = append(texts, e.Targets[0].Values[mlp.Argmax(y)])
	}
	for k, v := range y {
		if e.task() == labels {
			texts = append(texts, e.Targets[k].Values[isYes(v)])
			add(1 - v)
		}
		add(v)
		if margins := p.model.Margins; margins != nil {
			add(v - margins[k])
			add(v + margins[k])
		}
	}
	return texts
}

// decimalMark returns the comma or the point that a number of c has, or would have, before its
// fraction, or 0 if it does not say.
func (c *column) decimalMark(text string) byte {
	point, comma, _ := numberIn(text)
	switch isPoint, isComma := point == point, comma == comma; {
	case !isPoint && !isComma || point == comma:
		return 0
	case isComma && (!isPoint || c.Comma):
		return ','
	}
	return '.'
}

// isYes returns the category of a label, 0 or 1, that has the larger probability if the
// second has p.
func isYes(p float64) int {
	if p > 0.5 {
		return 1
	}
	return 0
}
