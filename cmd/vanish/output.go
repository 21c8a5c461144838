// How an experiment's results are presented: the tables and captions on standard
// output, the hash, the sheets, the progress bar. Not here: any experiment.

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
)

// perform runs an experiment, writes its sheets and prints its tables.
func (l *lab) perform(e experiment, stdout io.Writer) error {
	l.pictures = nil
	sheet, err := e.run(l)
	if err == nil {
		err = files.Replace(l.out, append(l.pictures, files.File{Name: e.sheets[0], Content: sheet.SVG()})...)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", e.name, err)
	}
	if _, printErr := l.text.WriteTo(stdout); err == nil && printErr != nil {
		err = fmt.Errorf("standard output, %s: %w", e.name, printErr)
	}
	return err
}

// progress shows a bar until stop is called. The bar is full after that many epochs of
// training, at the end of each of which onEpoch must be called.
func (l *lab) progress(experiment string, epochs int) (onEpoch func(mlp.Epoch) error, stop func()) {
	bar := cli.NewBar(l.stderr, float64(epochs), func(float64) []string { return []string{experiment} })
	onEpoch = func(mlp.Epoch) error {
		bar.Add(1)
		return nil
	}
	return onEpoch, bar.Clear
}

func (l *lab) printf(format string, a ...any) { fmt.Fprintf(&l.text, format, a...) }

// caption prints the sentences, a line each, and puts them on the sheet.
func (l *lab) caption(sheet *mlp.Figure, sentences ...string) *mlp.Figure {
	sheet.Caption = strings.Join(sentences, "\n")
	l.printf("%s\n\n", sheet.Caption)
	return sheet
}

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

// table prints n numbered rows with a column for each beginning.
func (l *lab) table(head string, n int, cell func(row, b int) string) {
	l.printf("%-14s", head)
	for _, b := range beginnings {
		l.printf("  %17s", b.name)
	}
	for row := range n {
		l.printf("\n%-14d", row+1)
		for b := range beginnings {
			l.printf("  %17s", cell(row, b))
		}
	}
	l.printf("\n\n")
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
