// A CSV file, row by row: its separator, its header, and where in it something is wrong.
// Not here: what the cells mean (encoding.go).

package main

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"mlp/cmd/internal/cli"
)

// The limits of a file.
const (
	maxColumns = 10_000
	maxRow     = 16 << 20 // bytes
)

// iris is the table in the program: testdata/README.md says whose it is.
//
//go:embed testdata/iris.csv
var iris []byte

const irisTarget = "species"

// A source is a CSV file that can be read more than once.
type source struct {
	name string // in messages
	file io.ReaderAt
	size int64
	io.Closer
}

// openSource opens a file, or iris if name is empty.
func openSource(name string) (*source, error) {
	if name == "" {
		return &source{"iris.csv in the program", bytes.NewReader(iris), int64(len(iris)), io.NopCloser(nil)}, nil
	}
	f, size, err := cli.OpenRegular(name)
	if err != nil {
		return nil, err
	}
	return &source{name, f, size, f}, nil
}

// rows is a reading of a source.
type rows struct {
	source    string
	csv       *csv.Reader
	meter     *meter
	separator rune
	header    []string
	n         int // of the row that next returned, from 1
}

// A meter reads at most left bytes, so that a quote that never closes does not make the
// rest of the file one cell.
type meter struct {
	io.Reader
	left int
}

var errLongRow = fmt.Errorf("more than %d bytes, is there a quote that never closes?", maxRow)

func (m *meter) Read(p []byte) (int, error) {
	if m.left <= 0 {
		return 0, errLongRow
	}
	n, err := m.Reader.Read(p)
	m.left -= n
	return n, err
}

// rows begins a reading. What is read is also written to copy, unless it is nil.
func (s *source) rows(copy io.Writer) (*rows, error) {
	head := make([]byte, min(s.size, 1<<16))
	if _, err := s.file.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("%s: UTF-16, want UTF-8", s.name)
	}
	var file io.Reader = io.NewSectionReader(s.file, 0, s.size)
	if copy != nil {
		file = io.TeeReader(file, copy)
	}
	buffered := bufio.NewReaderSize(file, 1<<16)
	if mark := []byte("\ufeff"); bytes.HasPrefix(head, mark) {
		head = head[len(mark):]
		buffered.Discard(len(mark))
	}
	r := &rows{source: s.name, meter: &meter{buffered, 0}, separator: separator(head)}
	r.csv = csv.NewReader(r.meter)
	r.csv.Comma, r.csv.FieldsPerRecord, r.csv.ReuseRecord = r.separator, -1, true
	r.csv.TrimLeadingSpace = r.separator != '\t' // which is a space itself
	return r, r.readHeader()
}

// separator returns the one of comma, semicolon and tab that the first line has most of
// outside of quotes.
func separator(text []byte) rune {
	counts, quoted := map[byte]int{}, false
	for _, b := range text {
		if b == '"' {
			quoted = !quoted
		}
		if b == '\n' && !quoted {
			break
		}
		if !quoted {
			counts[b]++
		}
	}
	best := byte(',')
	for _, b := range []byte(";\t") {
		if counts[b] > counts[best] {
			best = b
		}
	}
	return rune(best)
}

// readHeader reads the names of the columns. A column without a name, as pandas writes one
// for its index, is called by its number.
func (r *rows) readHeader() error {
	cells, err := r.read()
	if err == io.EOF {
		return fmt.Errorf("%s: the file is empty", r.source)
	}
	if err != nil {
		return err
	}
	if len(cells) > maxColumns {
		return fmt.Errorf("%s: %d columns, more than %d", r.source, len(cells), maxColumns)
	}
	numbers, seen := 0, map[string]int{}
	for i, name := range cells {
		name = strings.TrimSpace(name)
		if !utf8.ValidString(name) {
			return fmt.Errorf("%s: the name of column %d is not UTF-8", r.source, i+1)
		}
		if _, ok := number(name, false); ok {
			numbers++
		}
		if name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		if before, ok := seen[name]; ok {
			return fmt.Errorf("%s: columns %d and %d are both named %.60q", r.source, before+1, i+1, name)
		}
		seen[name] = i
		r.header = append(r.header, strings.Clone(name))
	}
	if numbers == len(cells) && cells[0] != "0" { // pandas numbers columns that have no names
		return fmt.Errorf("%s: the first line has only numbers, want the names of the columns", r.source)
	}
	return nil
}

// next returns the cells of the next row, which are valid until it is called again, or
// io.EOF.
func (r *rows) next() ([]string, error) {
	r.n++
	cells, err := r.read()
	if err != nil {
		return nil, err
	}
	if len(cells) != len(r.header) {
		return nil, r.errorf("%d cells, the header has %d", len(cells), len(r.header))
	}
	if cells[0] == r.header[0] && slices.Equal(cells, r.header) {
		return nil, r.errorf("the header again")
	}
	return cells, nil
}

// read returns the cells of a line, or an error that names the place.
func (r *rows) read() ([]string, error) {
	r.meter.left = maxRow
	cells, err := r.csv.Read()
	if err == nil || err == io.EOF {
		return cells, err
	}
	var wrong *csv.ParseError
	place := "the header"
	if r.n > 0 {
		place = fmt.Sprintf("row %d", r.n)
	}
	switch {
	case errors.Is(err, errLongRow):
		return nil, fmt.Errorf("%s: %s: %w", r.source, place, errLongRow)
	case errors.As(err, &wrong) && errors.Is(err, csv.ErrBareQuote):
		return nil, fmt.Errorf("%s: %s (line %d): a quote inside a cell that does not begin with one", r.source, place, wrong.StartLine)
	case errors.As(err, &wrong):
		return nil, fmt.Errorf("%s: %s (line %d): a quote that never closes, or one inside a quoted cell", r.source, place, wrong.StartLine)
	}
	return nil, fmt.Errorf("%s: %s: %w", r.source, place, pathless(err))
}

// pathless returns an error of the operating system without the name of the file.
func pathless(err error) error {
	var of *os.PathError
	if errors.As(err, &of) {
		return of.Err
	}
	return err
}

// errorf is an error at the row that next returned last.
func (r *rows) errorf(format string, args ...any) error {
	line, _ := r.csv.FieldPos(0)
	return fmt.Errorf("%s: row %d (line %d): %s", r.source, r.n, line, fmt.Sprintf(format, args...))
}

// cellError is an error in a column of that row.
func (r *rows) cellError(column, format string, args ...any) error {
	line, _ := r.csv.FieldPos(0)
	return fmt.Errorf("%s: row %d (line %d), column %.60q: %s", r.source, r.n, line, column, fmt.Sprintf(format, args...))
}

// position returns the place of a column in the header.
func (r *rows) position(column string) (int, error) {
	i := slices.Index(r.header, column)
	if i < 0 {
		return 0, fmt.Errorf("%s: there is no column %.60q; the nearest name is %.60q", r.source, column, nearest(column, r.header))
	}
	return i, nil
}

// nearest returns the name that the fewest edits make of word.
func nearest(word string, names []string) (best string) {
	least := -1
	for _, name := range names {
		if d := edits(word, name); least < 0 || d < least {
			best, least = name, d
		}
	}
	return best
}

// edits is the distance of Levenshtein between two words, of their first 60 bytes, and
// without regard to case.
func edits(a, b string) int {
	a, b = strings.ToLower(a[:min(60, len(a))]), strings.ToLower(b[:min(60, len(b))])
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
