// What becomes of an experiment's results: the tables and captions on standard
// output, the hash, the sheets, the progress on a terminal.

package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"mlp"
)

// perform does an experiment, writes its sheet and prints what it has to say.
func (l *lab) perform(e experiment, stdout io.Writer) error {
	sheet, err := e.run(l)
	l.bar.clear()
	if err == nil {
		err = replace(filepath.Join(l.out, e.sheet), sheet.SVG())
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", e.name, err)
	}
	if _, printErr := l.text.WriteTo(stdout); err == nil && printErr != nil {
		err = fmt.Errorf("standard output, %s: %w", e.name, printErr)
	}
	return err
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
	case !(ratio > 0) || math.IsInf(ratio, 1): // one of the two is nothing
		return "incomparable"
	case ratio > 1/1.05 && ratio < 1.05:
		return "the same"
	case ratio < 1:
		return short(1/ratio) + " times smaller"
	}
	return short(ratio) + " times larger"
}

// short is three digits and, if need be, a power of ten.
func short(v float64) string {
	s, exponent, ok := strings.Cut(fmt.Sprintf("%.3g", v), "e")
	if !ok {
		return s
	}
	superscript := strings.NewReplacer("+0", "", "-0", "⁻", "+", "", "-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")
	return s + "×10" + superscript.Replace(exponent)
}

// table prints n numbered rows with a column for each recipe.
func (l *lab) table(head string, n int, cell func(row, recipe int) string) {
	l.printf("%-14s", head)
	for _, r := range recipes {
		l.printf("  %17s", r.name)
	}
	for row := range n {
		l.printf("\n%-14d", row+1)
		for r := range recipes {
			l.printf("  %17s", cell(row, r))
		}
	}
	l.printf("\n\n")
}

// record adds numbers to the hash, as the bytes of little-endian float64. NaN has
// many, by processor, and is one here.
func (l *lab) record(values ...float64) {
	for _, v := range values {
		if v != v {
			v = math.NaN()
		}
		l.hash.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	}
}

// writable makes a folder and sees that a file can be made in it.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	probe := filepath.Join(dir, ".probe.tmp")
	if err := os.WriteFile(probe, nil, 0o666); err != nil {
		return err
	}
	return os.Remove(probe)
}

// replace puts a file in the place of the one of that name, whole or not at all.
func replace(name string, content []byte) error {
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".tmp")
	f, err := os.Create(temporary)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}

// A bar says on a terminal how far an experiment has come.
type bar struct {
	w           io.Writer // nil: no bar
	mu          sync.Mutex
	what        string
	done, total int
	last        time.Time
}

// begin starts an experiment of so many epochs of training in all.
func (b *bar) begin(what string, total int) {
	b.what, b.done, b.total, b.last = what, 0, total, time.Now()
}

// epoch is a Config.OnEpoch. It draws at most ten times a second.
func (b *bar) epoch(mlp.Epoch) error {
	if b.w == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done++
	if now := time.Now(); now.Sub(b.last) > 100*time.Millisecond {
		b.last = now
		fmt.Fprintf(b.w, "\r\x1b[K%s: %d of %d epochs", b.what, b.done, b.total)
	}
	return nil
}

// clear takes the bar away.
func (b *bar) clear() {
	if b.w != nil {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
