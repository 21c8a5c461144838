// How an experiment's results are presented: the tables and captions on standard
// output, the hash, the sheets, the progress bar.

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
)

// perform runs an experiment, writes its sheets and prints its tables.
func (l *lab) perform(e experiment, stdout io.Writer) error {
	l.pictures = nil
	sheet, err := e.run(l)
	l.bar.Clear()
	if err == nil {
		l.printf("%s\n\n", sheet.Caption)
		err = files.Replace(l.out, append(l.pictures, files.File{Name: e.sheets[0], Content: sheet.SVG()})...)
	}
	if err == nil {
		l.written = append(l.written, e.sheets...)
	} else {
		err = fmt.Errorf("%s: %w", e.name, err)
	}
	if _, printErr := l.text.WriteTo(stdout); err == nil && printErr != nil {
		err = fmt.Errorf("standard output, %s: %w", e.name, printErr)
	}
	return err
}

// start shows a bar of the experiment's progress, which is full at total.
func (l *lab) start(experiment string, total int) {
	l.bar = cli.NewBar(l.stderr, float64(total), func(float64) []string { return []string{experiment} })
}

// counts returns a function for Config.OnEpoch that adds the size of an epoch to the bar.
func (l *lab) counts(size int) func(mlp.Epoch) error {
	return func(mlp.Epoch) error {
		l.bar.Add(float64(size))
		return nil
	}
}

func (l *lab) printf(format string, a ...any) { fmt.Fprintf(&l.text, format, a...) }

// times says a ratio in words.
func times(ratio float64) string {
	switch {
	case !(ratio > 0) || math.IsInf(ratio, 1): // one of the two numbers is 0
		return "incomparable"
	case ratio > 1/1.05 && ratio < 1.05:
		return "the same"
	case ratio < 1:
		return short(1/ratio) + " times smaller"
	}
	return short(ratio) + " times larger"
}

// table prints a table with these heads of its rows, and a column of that width for each
// of those that are compared: beginnings or ways.
func table[C fmt.Stringer](l *lab, head string, rows []string, compared []C, width int, cell func(row, column int) string) {
	l.printf("%-14s", head)
	for _, c := range compared {
		l.printf("  %*s", width, c)
	}
	for row, name := range rows {
		l.printf("\n%-14s", name)
		for column := range compared {
			l.printf("  %*s", width, cell(row, column))
		}
	}
	l.printf("\n\n")
}

// numbers returns the numbers from 1 to n, which are heads of rows.
func numbers(n int) (rows []string) {
	for i := range n {
		rows = append(rows, strconv.Itoa(i+1))
	}
	return rows
}

// lines returns a line of n points, at x or, if x is nil, at 1, 2, 3 and so on, for each of
// those that are compared.
func lines[C fmt.Stringer](compared []C, n int, x []float64, y func(line, point int) float64) (all []mlp.Series) {
	for line, c := range compared {
		s := mlp.Series{Name: c.String(), X: x}
		for point := range n {
			s.Y = append(s.Y, y(line, point))
		}
		all = append(all, s)
	}
	return all
}

// list names those that are compared, and says of each what there is to say.
func list[C fmt.Stringer](compared []C, say func(i int) string) string {
	var all []string
	for i, c := range compared {
		all = append(all, c.String()+" "+say(i))
	}
	return strings.Join(all, ", ")
}

// record adds numbers to the hash, as the bytes of little-endian float64. Processors
// have different NaNs, so all of them count as one.
func (l *lab) record(values ...float64) {
	for _, v := range values {
		if v != v {
			v = math.NaN()
		}
		l.hash.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	}
}

// short returns v with three digits and, if it is far from 1, a power of ten.
func short(v float64) string {
	s, exponent, ok := strings.Cut(fmt.Sprintf("%.3g", v), "e")
	if !ok {
		return s
	}
	superscript := strings.NewReplacer("+0", "", "-0", "⁻", "+", "", "-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")
	return s + "×10" + superscript.Replace(exponent)
}
