// The reading of a CSV file: as package csv reads it, twice the same, within its bounds, and
// until it is interrupted.

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"mlp"
	"mlp/cmd/internal/cli"
)

// sourceOf returns a source with this content.
func sourceOf(content io.ReaderAt, size int) *source {
	return &source{name: "F", file: content, size: int64(size)}
}

// converted returns a text in which bytes that are not UTF-8 are those of Windows-1252.
func converted(text []byte) string {
	var b strings.Builder
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			r = []rune(pythonWindows1252)[text[0]-0x80]
		}
		b.WriteRune(r)
		text = text[size:]
	}
	return b.String()
}

// pythonWindows1252 is what Python prints for
//
//	print("".join(bytes([b]).decode("cp1252", "ignore") or chr(b) for b in range(128, 256)))
const pythonWindows1252 = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ\u00a0¡¢£¤¥¦§¨©ª«¬\u00ad®¯°±²³´µ¶·¸¹º»¼½¾¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖ×ØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõö÷øùúûüýþÿ"

// A byte that is not UTF-8 is one of Windows-1252, wherever a reading is cut into pieces.
func TestWindows1252(t *testing.T) {
	text := []byte("a\xff\u00e9\xe9\u20ac\U0001f600\xf0\x9f\x98\n\xe2\x82")
	for b := 0x80; b < 0x100; b++ {
		text = append(text, byte(b), '\n')
	}
	text = append(text, "\u20ac\xe2\x82"...)
	for _, cut := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		first := 0
		u := &utf8Reader{Reader: bufio.NewReaderSize(cut(bytes.NewReader(text)), 16), first: func(b byte, line int) { first += 1000*int(b) + line }}
		got, err := io.ReadAll(cut(u))
		if want := converted(text); err != nil || string(got) != want || first != 255_001 {
			t.Errorf("got %q and error %v, the first byte %d; want %q", got, err, first, want)
		}
	}
}

// Whatever is in a file: its cells are those that package csv reads, what is printed is short, and
// a table of it can be encoded, and by the encoding that is read again it is the same table.
func FuzzCSV(f *testing.F) {
	for _, text := range []string{
		"a,b\n1,x\n2,y\n1,x\n", "\ufeffa;b\r\n1,5;x\r\n2;y\r\n", "a\tb\n 1\t x\n\n2\t\"y\n,\"\"z\"\n", "a,a\n1,2\n", ",b\n1,nan\n2,3\n3,1_0\n", "a,b\n1,\"x\n",
		"a,b\n1,x\"y\"\n", "\xff\xfea\x00", "a,\xe9\n1,\xe9\n2,y\n", "a,b\n1,<\x1b[2J\u2028>\n2,\\\n", "a,b\n1,1e999\n2,inf\n3,0x1p2\n", "a b,a  b\nNA,1\n?,2\n", "x\r,y\n\r1,2\r\n3,\r",
		strings.Repeat("c", 1000) + ",b\n,1\n,2\n",
		"a,b\n\"$1,234\",x\n€5,y\n(7) ,x\n", "a\tb\n1,5 km\t1\n2,25 km\t2\n−3 m²\t3\n7%\t1\n", "a;b\n1.234;2\n1'000;3\n1 000,5;4\n",
		"a,b\n31.12.2024,1\n2024-12-31 10:00,2\n1/2/2024,3\n31-Dec-2024,4\n", "a,b\n9:30,x\n24:00,y\n,\n1:5,x\n",
		"a,b\n" + strings.Repeat("2024-12-31T10:00:00+02:00,1\n1/2/2024,2\n1/2/2024,3\n", 3), "i,a,b\n" + strings.Repeat("1,1,2\n2,two,\n", 50),
		"a,b\n" + strings.Join(different(30, "name %d,1\nname 1,2\n"), "") + strings.Repeat("x,1\nother,2\n", 70),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		check := func(err error) {
			if len(err.Error()) > 1000 || !strings.HasPrefix(err.Error(), "F: ") {
				t.Fatalf("error %.2000q", err)
			}
		}
		s := sourceOf(bytes.NewReader(text), len(text))
		r, err := s.rows(context.Background())
		if err != nil {
			check(err)
			return
		}
		direct := csv.NewReader(strings.NewReader(converted(bytes.TrimPrefix(text, []byte("\ufeff")))))
		direct.Comma, direct.FieldsPerRecord, direct.TrimLeadingSpace = r.separator, len(r.header), r.separator != '\t'
		direct.Read()
		for err == nil {
			var cells []string
			cells, err = r.next()
			want, wrong := direct.Read()
			if err == nil && (wrong != nil || !slices.Equal(cells, want)) || (err == io.EOF) != (wrong == io.EOF) {
				t.Fatalf("cells %q and error %v, package csv has %q and %v", cells, err, want, wrong)
			}
		}
		if err != io.EOF {
			check(err)
		}
		r, _ = s.rows(context.Background())
		for cells, err := r.next(); err == nil; cells, err = r.next() {
			again := csv.NewReader(strings.NewReader(string(r.raw()) + string(r.separator) + "x\n"))
			again.Comma, again.TrimLeadingSpace = r.separator, r.separator != '\t'
			if got, err := again.Read(); err != nil || !slices.Equal(got, append(slices.Clone(cells), "x")) {
				t.Fatalf("%q with another cell is %q with error %v, want %q", r.raw(), got, err, cells)
			}
		}
		for _, flags := range [][]string{nil, {"-category", columnNames{r.header[0]}.String(), "-missing", "mean"}} {
			o, err := parse(append(flags, "-target", columnNames{r.header[len(r.header)-1]}.String(), "F"))
			if err != nil {
				return // a name that no flag can have
			}
			var stderr bytes.Buffer
			learnt, err := o.tableOf(context.Background(), sourceOf(bytes.NewReader(text), len(text)), &stderr)
			for line := range strings.Lines(stderr.String()) {
				if line = strings.TrimSuffix(line, "\n"); len(line) > 1000 || line != cli.Plain(line) {
					t.Fatalf("printed %.2000q", line)
				}
			}
			if err != nil {
				check(err)
				continue
			}
			e, err := encoded(learnt)
			if err != nil {
				if len(err.Error()) > 1000 {
					t.Fatalf("error %.2000q", err)
				}
				continue
			}
			again := &table{encoding: e}
			err = again.fill(context.Background(), sourceOf(bytes.NewReader(text), len(text)), new(decoder), io.Discard)
			if err != nil {
				check(err) // of words, which are more than a share of the rows before
			} else if fmt.Sprint(again.cells) != fmt.Sprint(learnt.cells) {
				t.Fatalf("cells %v, learnt were %v", again.cells, learnt.cells)
			}
			var x, y mlp.Matrix
			learnt.part(learnt.all()).Batch(&x, &y, []int{0, learnt.rows() - 1})
			if slices.ContainsFunc(append(x.Data, y.Data...), func(v float64) bool { return !finite(v) }) {
				t.Fatalf("cells %v, inputs %v, outputs %v", learnt.cells, x.Data, y.Data)
			}
		}
	})
}

// A changing file is another one from its second reading on.
type changing struct {
	now, then []byte
}

func (c *changing) ReadAt(p []byte, at int64) (int, error) {
	n, err := bytes.NewReader(c.now).ReadAt(p, at)
	if at+int64(n) == int64(len(c.now)) {
		c.now = c.then
	}
	return n, err
}

// A file that is edited or cut short between two readings is refused, when it is trained on
// and when it is predicted.
func TestChanged(t *testing.T) {
	o, _ := parse([]string{"-target", "c", "F"})
	for _, then := range []string{strings.Replace(abc(), "2,3,y", "2,4,y", 1), abc()[:len(abc())-6]} {
		s := sourceOf(&changing{[]byte(abc()), []byte(then)}, len(abc()))
		if _, err := o.tableOf(context.Background(), s, io.Discard); err == nil || err.Error() != "F: the file has changed while it was read" {
			t.Errorf("error %v", err)
		}
	}
	rows := strings.Repeat("5.1,3.5,1.4,0.2\n", 20_000)
	name := file(t, "new.csv", "sepal length,sepal width,petal length,petal width\n"+rows)
	cut := writerFunc(func(p []byte) (int, error) { return len(p), os.Truncate(name, int64(len(rows))) })
	stderr, code := command(t, context.Background(), cut, "-model", trained(t), name)
	if code != 1 || stderr != "table: "+name+": the file has changed while it was read\n" {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A row has at most so many bytes and cells, not counting what is in quotes, and is refused
// before more of it is read.
func TestGuard(t *testing.T) {
	for text, want := range map[string]error{
		strings.Repeat(",", maxColumns) + "\n":                                              errManyCells,
		"a\n" + strings.Repeat("\"x\",", maxColumns) + "\n":                                 errManyCells,
		strings.Repeat(",", maxColumns-1) + "\n":                                            nil,
		strings.Repeat("\""+strings.Repeat(",\n", maxColumns)+"\"\n,1\n", 9):                nil,
		strings.Repeat("\"\n\"", maxRow/3+1):                                                errLongRow,
		strings.Repeat("\"\n\"", maxRow/3-1):                                                nil,
		strings.Repeat(strings.Repeat(",", maxColumns/2)+"\r\n", 9) + "\"\"\"" + ",\n,\"\n": nil,
	} {
		g := &guard{Reader: strings.NewReader(text + strings.Repeat("\n1,2", 1<<15)), ctx: context.Background(), separator: ','}
		n, err := io.Copy(io.Discard, g)
		if err != want {
			t.Errorf("%.20q and so on, of %d bytes: error %v, want %v", text, len(text), err, want)
		}
		if want != nil && n > int64(len(text)) {
			t.Errorf("%.20q and so on, of %d bytes: %d bytes were read", text, len(text), n)
		}
	}
}

// Ctrl-C ends the reading of a table, and a closed pipe the printing of it, which is no
// error.
func TestInterrupted(t *testing.T) {
	model := trained(t)
	name := file(t, "new.csv", string(iris))
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, args := range [][]string{{"-model", model, name}, {"-target", "species", "-out", t.TempDir(), name}, {"-out", t.TempDir(), "-test", name}} {
		var stdout bytes.Buffer
		if stderr, code := command(t, cancelled, &stdout, args...); code != 1 || stderr != "table: interrupted\n" || stdout.Len() > 0 {
			t.Errorf("%q: exit code %d, standard error %q", args, code, stderr)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r, err := sourceOf(strings.NewReader(strings.Repeat("a,b\n", 1<<20)), 4<<20).rows(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		if _, err = r.read(); r.csv.InputOffset() > 1<<20 {
			cancel()
		}
	}
	if r.csv.InputOffset() > 1<<20+1<<16 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled after 1 MiB, reading ends after %d bytes with %v", r.csv.InputOffset(), err)
	}
	for _, args := range [][]string{{"-model", model, name}, {"-ensemble", "2", "-epochs", "2", "-out", t.TempDir()}} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		read.Close()
		if stderr, code := command(t, context.Background(), write, args...); code != 0 || strings.Contains(stderr, "table: ") {
			t.Errorf("%q to a closed pipe: exit code %d, standard error %q", args, code, stderr)
		}
	}
}
