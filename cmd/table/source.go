// A CSV file, row by row: its conventions, its header, and where in it something is wrong.

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"mlp/cmd/internal/files"
)

// The limits of a file.
const (
	maxBytes   = 4 << 30 // of one to train on
	maxColumns = 10_000
	maxRow     = 16 << 20 // bytes
)

// iris is the table in the program: testdata/README.md says whose it is.
//
//go:embed testdata/iris.csv
var iris []byte

const irisTarget = "species"

// A source is a CSV file. One that is no stream can be read more than once; if it changes in
// between, the later reading ends with an error.
type source struct {
	name   string // in messages
	file   io.ReaderAt
	size   int64
	stream *stream // in place of file
	io.Closer
	decimal  byte      // the comma or the point before fractions; 0 if not known
	digest   string    // the SHA-256 of the file in hexadecimal, known at the end of a reading
	warnings io.Writer // is told that the file is not UTF-8; nil if it was, or need not be
}

// openSource opens a file of at most limit bytes, or iris if the name is empty.
func openSource(name string, limit int64, stderr io.Writer) (*source, error) {
	if name == "" {
		return &source{name: "iris.csv in the program", file: bytes.NewReader(iris), size: int64(len(iris)), Closer: io.NopCloser(nil)}, nil
	}
	f, size, err := files.OpenRegular(name)
	if err == nil && size > limit {
		f.Close()
		err = fmt.Errorf("%s: %d bytes, more than %d", name, size, limit)
	}
	return &source{name: name, file: f, size: size, Closer: f, warnings: stderr}, err
}

// rows is a reading of a source.
type rows struct {
	*source
	csv       *csv.Reader
	hash      hash.Hash    // of what was read
	text      bytes.Buffer // what csv has read, from the end of line on
	line      []byte       // what read returned the cells of, with the empty lines before
	offset    int64        // of the end of line
	separator rune
	hasMark   bool // the file begins with a byte order mark
	hasCRLF   bool // the header ends with a carriage return too
	header    []string
	n         int // of the row that next returned, from 1
}

// rows begins a reading, which ends early if the context is cancelled.
func (s *source) rows(ctx context.Context) (*rows, error) {
	r := &rows{source: s, hash: sha256.New()}
	var content io.Reader = io.NewSectionReader(s.file, 0, s.size)
	if s.stream != nil {
		content = s.stream
	}
	file := bufio.NewReaderSize(io.TeeReader(content, r.hash), 1<<16)
	mark, err := file.Peek(len("\ufeff"))
	if bytes.HasPrefix(mark, []byte("\xff\xfe")) || bytes.HasPrefix(mark, []byte("\xfe\xff")) {
		return nil, fmt.Errorf("%s: UTF-16, want UTF-8; iconv -f UTF-16 -t UTF-8 converts it", s.name)
	}
	if r.hasMark = string(mark) == "\ufeff"; r.hasMark {
		file.Discard(len(mark))
	}
	if err == nil || err == io.EOF {
		r.separator, err = separator(file)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name, err)
	}
	text := &utf8Reader{Reader: file, first: r.notUTF8}
	r.csv = csv.NewReader(io.TeeReader(&guard{Reader: text, ctx: ctx, separator: byte(r.separator)}, &r.text))
	r.csv.Comma, r.csv.FieldsPerRecord, r.csv.ReuseRecord = r.separator, -1, true
	r.csv.TrimLeadingSpace = r.separator != '\t' // which is a space itself
	return r, r.readHeader()
}

// separator returns the one of comma, semicolon and tab that the first line has most of
// outside of quotes. It reads no further than it must.
func separator(file *bufio.Reader) (rune, error) {
	var count [256]int
	for n, quoted := 1, false; ; n++ {
		line, err := file.Peek(n)
		if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
			return 0, err
		}
		if err != nil || line[n-1] == '\n' && !quoted {
			break
		}
		if b := line[n-1]; b == '"' {
			quoted = !quoted
		} else if !quoted {
			count[b]++
		}
	}
	best := ','
	for _, s := range ";\t" {
		if count[s] > count[best] {
			best = s
		}
	}
	return best, nil
}

// notUTF8 warns, in one reading, that the file is converted.
func (s *source) notUTF8(b byte, line int) {
	if s.warnings != nil {
		warn(s.warnings, "%s: line %d: byte %X is not UTF-8, and is read as Windows-1252, %q; so are others, and what is written is UTF-8", s.name, line, b, windows1252(b))
	}
	s.warnings = nil
}

// A guard is a CSV file up to the first row that is too long. Package csv takes about a
// hundred bytes for each cell before it returns the row, and all of the file for a cell
// whose quote never closes.
type guard struct {
	io.Reader
	ctx          context.Context
	separator    byte
	quoted       bool // a quote is open
	bytes, cells int  // of the row so far, without its last cell
}

var (
	errLongRow   = fmt.Errorf("more than %d bytes, is there a quote that never closes?", maxRow)
	errManyCells = fmt.Errorf("more than %d columns", maxColumns)
)

func (g *guard) Read(p []byte) (int, error) {
	if err := context.Cause(g.ctx); err != nil {
		return 0, err
	}
	n, err := g.Reader.Read(p)
	for i, b := range p[:n] {
		g.bytes++
		switch {
		case b == '"':
			g.quoted = !g.quoted
		case g.quoted:
		case b == '\n':
			g.bytes, g.cells = 0, 0
		case b == g.separator:
			g.cells++
		}
		if g.bytes > maxRow {
			return i, errLongRow
		}
		if g.cells == maxColumns {
			return i, errManyCells
		}
	}
	return n, err
}

// readHeader reads the names of the columns. A column without a name, as pandas writes one
// for its index, is called by its number.
func (r *rows) readHeader() error {
	cells, err := r.read()
	if err == io.EOF {
		return fmt.Errorf("%s: the file is empty", r.name)
	}
	if err != nil {
		return err
	}
	r.hasCRLF = bytes.HasSuffix(r.line, []byte("\r\n"))
	numbers, seen := 0, map[string]int{}
	for i, name := range cells {
		name = strings.TrimSpace(name)
		if _, ok := number(name); ok {
			numbers++
		}
		if name == "" {
			name = fmt.Sprintf("column %d", i+1)
		}
		if before, ok := seen[name]; ok {
			return fmt.Errorf("%s: columns %d and %d are both named %.60q", r.name, before+1, i+1, name)
		}
		seen[name] = i
		r.header = append(r.header, strings.Clone(name))
	}
	if numbers == len(cells) && cells[0] != "0" { // pandas numbers columns that have no names
		return fmt.Errorf("%s: the first line has only numbers, want the names of the columns", r.name)
	}
	return nil
}

// next returns the cells of the next row, which are valid until it is called again, or
// io.EOF.
func (r *rows) next() ([]string, error) {
	r.n++
	cells, err := r.read()
	if err == io.EOF {
		digest := fmt.Sprintf("%x", r.hash.Sum(nil))
		if r.digest != "" && r.digest != digest {
			return nil, fmt.Errorf("%s: the file has changed while it was read", r.name)
		}
		r.digest = digest
	}
	if err != nil {
		return nil, err
	}
	if len(cells) != len(r.header) {
		return nil, r.errorf("", "%d cells, the header has %d", len(cells), len(r.header))
	}
	if cells[0] == r.header[0] && slices.Equal(cells, r.header) {
		return nil, r.errorf("", "the header again")
	}
	return cells, nil
}

// read returns the cells of a line, or an error that names the place.
func (r *rows) read() ([]string, error) {
	cells, err := r.csv.Read()
	end := r.csv.InputOffset()
	r.line, r.offset = r.text.Next(int(end-r.offset)), end
	if err == nil || err == io.EOF || errors.Is(err, context.Canceled) {
		return cells, err
	}
	place := "the header"
	if r.n > 0 {
		place = fmt.Sprintf("row %d", r.n)
	}
	var wrong *csv.ParseError
	if !errors.As(err, &wrong) {
		return nil, fmt.Errorf("%s: %s: %w", r.name, place, err)
	}
	what := "a quote that never closes, or one inside a quoted cell"
	if errors.Is(err, csv.ErrBareQuote) {
		what = "a quote inside a cell that does not begin with one"
	}
	return nil, fmt.Errorf("%s: %s (line %d): %s", r.name, place, wrong.StartLine, what)
}

// raw returns the row that read returned last as it stands in the file, without the end of
// the line.
func (r *rows) raw() []byte {
	line := r.line
	for bytes.HasPrefix(line, []byte("\n")) || bytes.HasPrefix(line, []byte("\r\n")) { // as csv does
		_, line, _ = bytes.Cut(line, []byte("\n"))
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}

// errorf is an error at the row that next returned last and, if column is not empty, in that
// column.
func (r *rows) errorf(column, format string, args ...any) error {
	line, _ := r.csv.FieldPos(0)
	place := fmt.Sprintf("%s: row %d (line %d)", r.name, r.n, line)
	if column != "" {
		place += fmt.Sprintf(", column %.60q", column)
	}
	return fmt.Errorf("%s: %s", place, fmt.Sprintf(format, args...))
}

// positions returns the places of columns in the header.
func (r *rows) positions(columns []*column) (at []int, err error) {
	for _, c := range columns {
		i, err := r.position(c.Name)
		if err != nil {
			return nil, err
		}
		at = append(at, i)
	}
	return at, nil
}

// position returns the place of a column in the header.
func (r *rows) position(column string) (int, error) {
	i := slices.Index(r.header, column)
	if i < 0 {
		return 0, fmt.Errorf("%s: there is no column %.60q; the nearest name is %.60q", r.name, column, nearest(column, r.header))
	}
	return i, nil
}

// nearest returns the name that begins with word, or else the one that the fewest edits
// make of it, both without regard to case.
func nearest(word string, names []string) string {
	distance := func(name string) int {
		if strings.HasPrefix(strings.ToLower(name), strings.ToLower(word)) {
			return 0
		}
		return edits(word, name)
	}
	return slices.MinFunc(names, func(a, b string) int { return distance(a) - distance(b) })
}

// edits is the distance of Levenshtein between two words, of their first 60 bytes.
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
