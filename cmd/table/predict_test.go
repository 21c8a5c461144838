// Predicting: in the conventions of the file, from a pipe as the rows come, and what rows have
// that no training row had.

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"mlp"
	"mlp/cmd/internal/training"
)

// piped runs table with standard input from a pipe, and closes stdout when it ends.
func piped(t *testing.T, ctx context.Context, stdout io.Writer, args ...string) (stdin *os.File, end func() (stderr string, code int)) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	old := os.Stdin
	os.Stdin = r
	type result struct {
		stderr string
		code   int
	}
	done := make(chan result, 1)
	go func() {
		stderr, code := command(t, ctx, stdout, args...)
		if c, ok := stdout.(io.Closer); ok {
			c.Close()
		}
		done <- result{stderr, code}
	}()
	return w, func() (string, int) {
		t.Helper()
		select {
		case got := <-done:
			os.Stdin = old
			r.Close()
			return got.stderr, got.code
		case <-time.After(time.Minute):
			t.Fatal("table does not end")
			panic("unreachable")
		}
	}
}

// Rows stand as they stood, and what is behind them is written as they are. A file and a pipe
// give the same.
func TestConventions(t *testing.T) {
	model := trained(t, "-target", "petal width", "-without", "species")
	named := trained(t)
	for _, c := range []struct{ model, text, want string }{
		{model, "sepal length,sepal width,petal length,id\n5.1,3.5,1.4,7\n6,3,5, \"a\"\n", `\Asepal length,sepal width,petal length,id,petal width\n5.1,3.5,1.4,7,-?\d\.\d+\n6,3,5, "a",-?\d\.\d+\n\z`},
		{model, "\ufeff\"sepal length\";sepal width;petal length;\"a;\r\nb\"\r\n5,1;3,5;1,4;\"x\r\ny\"\r\n\r\n6;3;5; z", `\A\x{feff}"sepal length";sepal width;petal length;"a;\r\nb";petal width\r\n5,1;3,5;1,4;"x\r\ny";-?\d,\d+\r\n6;3;5; z;-?\d,\d+\r\n\z`},
		{model, "sepal length;sepal width;petal length\n6.0;3;5\n6;3;5\n", `\Asepal length;sepal width;petal length;petal width\n6.0;3;5;-?\d\.\d+\n6;3;5;-?\d\.\d+\n\z`},
		{model, "sepal length;sepal width;petal length\n6;3;5\n6;3;5\n", `\Asepal length;sepal width;petal length;petal width\n6;3;5;-?\d,\d+\n6;3;5;-?\d,\d+\n\z`},
		{model, "sepal length\tsepal width\tpetal length\n6\t3\t5\n", `\Asepal length\tsepal width\tpetal length\tpetal width\n6\t3\t5\t-?\d\.\d+\n\z`},
		{named, "petal width;sepal length;sepal width;petal length\r\n0,2;5,1;3,5;1,4\r\n", `\Apetal width;.*;petal length;species;species=setosa;species=versicolor;species=virginica\r\n0,2;5,1;3,5;1,4;[a-z]+(;0,\d+){3}\r\n\z`},
		{named, "petal width,sepal length,sepal width,petal length", `\Apetal width,.*,species=virginica\n\z`},
	} {
		want := regexp.MustCompile(c.want)
		got, _ := must(t, "-model", c.model, file(t, "new.csv", c.text))
		if !want.MatchString(got) {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
		var stdout bytes.Buffer
		stdin, end := piped(t, context.Background(), &stdout, "-model", c.model, "-")
		io.WriteString(stdin, c.text)
		stdin.Close()
		if stderr, code := end(); code != 0 || stdout.String() != got {
			t.Errorf("%q: exit code %d and %q from a pipe, %q from a file: %s", c.text, code, stdout.String(), got, stderr)
		}
	}
	// Decimal commas, in a file with tabs and in quotes. If no row has one, the training file's mark is taken.
	data := file(t, "commas.csv", "a\tday\tword\ty\n"+strings.Repeat("1,25\t31.12.2024\tx\t1\n2,5\t30.11.2024\ty\t2\n3\t1.2.2024\tx\t4\n", 10))
	commas := trained(t, "-target", "y", data)
	for text, want := range map[string]string{
		"a\tday\tword\n3\t31.12.2024\tx\n":           `\t31.12.2024\tx\t-?\d,\d+\n\z`,
		"a\tday\tword\n3.5\t31.12.2024\tx\n":         `\t31.12.2024\tx\t-?\d\.\d+\n\z`,
		"a,day,word\n\"1,25\",31.12.2024,x\n":        `"1,25",31.12.2024,x,"-?\d,\d+"\n\z`,
		"a,day,word\n3,31.12.2024,\"a \"\"b\"\"\"\n": `3,31.12.2024,"a ""b""","-?\d,\d+"\n\z`,
	} {
		if got, _ := must(t, "-model", commas, file(t, "new.csv", text)); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	name := file(t, "new.csv", "a\tday\tword\n9,5\t3.2.2026\tx\n1,5\tsoon\tx\n1,5\tsoon\tx\n")
	_, stderr := must(t, "-model", commas, name)
	if want := "warning: " + name + `: in 1 of 3 rows a number is outside the range of the training rows: "a" is 9,5 in row 1 (1.25 to 3), "day (days)" is 3.2.2026 in row 1 (2024-02-01 to 2024-12-31)` + "\n" +
		"warning: " + name + `: in 2 of 3 rows a cell is no number or date as others of its column, and is taken as missing: "day" is "soon" in row 2` + "\n"; stderr != want {
		t.Errorf("standard error\n%swant\n%s", stderr, want)
	}
	// A later row decides for a file, whose rows were read before, but not for a pipe.
	text := "sepal length;sepal width;petal length\n6;3;5\n6.5;3;5\n"
	if got, _ := must(t, "-model", model, file(t, "new.csv", text)); strings.Contains(got, ",") {
		t.Errorf("decimal commas in a file with points: %q", got)
	}
	var stdout bytes.Buffer
	stdin, end := piped(t, context.Background(), &stdout, "-model", model, "-")
	io.WriteString(stdin, text)
	stdin.Close()
	if end(); strings.Count(stdout.String(), ",") != 2 {
		t.Errorf("the second row's point decides for a pipe: %q", stdout.String())
	}
}

// A pipe gets the header and each answer before the next row is written, rows and even bytes
// come as they come, and a row that is wrong ends it.
func TestPipe(t *testing.T) {
	model := trained(t)
	out, stdout, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	out.SetReadDeadline(time.Now().Add(time.Minute))
	stdin, end := piped(t, context.Background(), stdout, "-model", model, "-")
	answers := bufio.NewReader(out)
	for i, text := range []string{"sepal length,sepal width,petal length,petal width,\"no\nte\"\n", "5.1,3.5,1.4,0.2,a\n", "9,3.5,1.4,0.2,\"b\n\"\n"} {
		for _, b := range []byte(text) {
			stdin.Write([]byte{b})
		}
		var got string
		for range strings.Count(text, "\n") {
			line, err := answers.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			got += line
		}
		if !strings.HasPrefix(got, strings.TrimSuffix(text, "\n")+",") {
			t.Fatalf("to row %d, %q, the answer is %q", i, text, got)
		}
	}
	io.WriteString(stdin, "5.1,3.5,1.4,0.2,c\n5.1,3.5,0.2,d\n5.1,3.5,1.4,0.2,e\n")
	rest, _ := io.ReadAll(answers)
	if !strings.HasPrefix(string(rest), "5.1,3.5,1.4,0.2,c,") || bytes.Count(rest, []byte("\n")) != 1 {
		t.Errorf("at the end %q", rest)
	}
	stderr, code := end()
	if want := "warning: standard input: in 1 of 3 rows a number is outside the range of the training rows: \"sepal length\" is 9 in row 2 (4.3 to 7.9)\n" +
		"table: standard input: row 4 (line 7): 4 cells, the header has 5\n"; code != 1 || stderr != want {
		t.Errorf("exit code %d, standard error %q, want %q", code, stderr, want)
	}
	stdin.Close()
}

// What waits for a row ends when it is interrupted, and at the next row if nobody reads any more.
func TestPipeEnds(t *testing.T) {
	model := trained(t)
	const header, row = "sepal length,sepal width,petal length,petal width\n", "5.1,3.5,1.4,0.2\n"
	ctx, cancel := context.WithCancel(context.Background())
	out, stdout := io.Pipe()
	stdin, end := piped(t, ctx, stdout, "-model", model, "-")
	io.WriteString(stdin, header+row)
	answers := bufio.NewReader(out)
	for range 2 {
		answers.ReadString('\n')
	}
	cancel()
	if stderr, code := end(); code != 1 || stderr != "table: interrupted\n" {
		t.Errorf("interrupted: exit code %d, standard error %q", code, stderr)
	}
	stdin.Close()

	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	stdin, end = piped(t, context.Background(), w, "-model", model, "-")
	io.WriteString(stdin, header+row)
	if stderr, code := end(); code != 0 || stderr != "" {
		t.Errorf("a reader that has enough: exit code %d, standard error %q", code, stderr)
	}
	stdin.Close()
}

// A file that is a pipe is read as standard input is, and many rows give the bytes that they
// give as a file.
func TestPipeFile(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	name := fmt.Sprintf("/dev/fd/%d", r.Fd())
	if _, err := os.Stat(name); err != nil {
		t.Skip(err)
	}
	model := trained(t)
	text := string(iris) + strings.Repeat(string(iris[bytes.IndexByte(iris, '\n')+1:]), 30)
	want, _ := must(t, "-model", model, file(t, "new.csv", text))
	go func() {
		io.WriteString(w, text)
		w.Close()
	}()
	if got, _ := must(t, "-model", model, name); got != want {
		t.Errorf("%d bytes from a pipe, %d from a file", len(got), len(want))
	}
}

// A table in Latin-1 is the same as in UTF-8, and so is a model of it. There is one warning.
func TestLatin1(t *testing.T) {
	text := "größe;farbe;preis\r\n" + strings.Repeat("1,5;weiß;1 €\r\n2,5;grün;5 €\r\n", 10)
	latin1 := strings.NewReplacer("ö", "\xf6", "ß", "\xdf", "ü", "\xfc", "€", "\x80").Replace(text)
	latin, plain := file(t, "latin.csv", latin1), file(t, "plain.csv", text)
	out := t.TempDir()
	stdout, stderr := must(t, "-ensemble", "2", "-epochs", "3", "-target", "preis", "-out", out, latin)
	warning := "warning: " + latin + ": line 1: byte F6 is not UTF-8, and is read as Windows-1252, 'ö'; so are others, and what is written is UTF-8\n"
	if strings.Count(stderr, "warning") != 1 || !strings.HasPrefix(stderr, warning) {
		t.Errorf("standard error %q, want %q", stderr, warning)
	}
	if want, _ := must(t, "-ensemble", "2", "-epochs", "3", "-target", "preis", "-out", t.TempDir(), plain); stdout != want {
		t.Errorf("in Latin-1\n%s in UTF-8\n%s", stdout, want)
	}
	model := filepath.Join(out, "model.npz")
	want, _ := must(t, "-model", model, plain)
	if got, stderr := must(t, "-model", model, latin); got != want || stderr != warning {
		t.Errorf("predicted in Latin-1 %q, in UTF-8 %q, standard error %q", got, want, stderr)
	}
	var b bytes.Buffer
	stdin, end := piped(t, context.Background(), &b, "-model", model, "-")
	io.WriteString(stdin, latin1)
	stdin.Close()
	if stderr, code := end(); code != 0 || b.String() != want || stderr != strings.Replace(warning, latin, "standard input", 1) {
		t.Errorf("exit code %d, predicted from a pipe %q, want %q, standard error %q", code, b.String(), want, stderr)
	}
}

// Numbers outside the training range and categories that are new are counted by rows, and
// named once, but not too many.
func TestUnseen(t *testing.T) {
	model := trained(t, "-target", "y", "-missing", "mean", file(t, "data.csv", "age,fare,port,y\n"+strings.Repeat("17,-1,a,1\n90,0,b,2\n50,0.5,a,3\n", 20)))
	name := file(t, "new.csv", "age,fare,port\n17,0,a\n90.5,7,c\n120,0,\n,0,c\n16,-2,d\n17,-1,e\n17,0,f\n17,0,g\n17,0,h\n17,0,i\n90,0,\x1b\n")
	_, stderr := must(t, "-model", model, name)
	want := "warning: " + name + `: in 3 of 11 rows a number is outside the range of the training rows: "age" is 90.5 in row 2 (17 to 90), "fare" is 7 in row 2 (-1 to 0.5)` + "\n" +
		"warning: " + name + `: in 9 of 11 rows a category is new, and is taken as none: "port" is "c" in row 2, "port" is "d" in row 5, "port" is "e" in row 6, "port" is "f" in row 7, "port" is "g" in row 8, and more` + "\n"
	if stderr != want {
		t.Errorf("standard error\n%swant\n%s", stderr, want)
	}
}

// What -model prints are the means over the networks of the probabilities that their outputs
// give. The printed rows can be predicted again: no two columns have one name.
func TestPredictedProbabilities(t *testing.T) {
	name := trained(t, "-ensemble", "3")
	predicted, _ := must(t, "-model", name, file(t, "new.csv", string(iris)))
	rows, err := csv.NewReader(strings.NewReader(predicted)).ReadAll()
	if err != nil || len(rows) != 151 || strings.Join(rows[0][4:], " ") != "species predicted species species=setosa species=versicolor species=virginica" {
		t.Fatalf("%d rows, header %v, error %v", len(rows), rows[0], err)
	}
	m, err := training.ReadModel(name, training.Table)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		var x []float64
		for j, c := range m.Columns {
			v, _ := strconv.ParseFloat(row[j], 64)
			inputs := []float64{v}
			for k, a := range c.Edges[:len(c.Edges)-1] {
				inputs = append(inputs, math.Min(1, math.Max(0, (v-a)/(c.Edges[k+1]-a))))
			}
			for k, v := range inputs {
				x = append(x, (v-c.Mean[k])/c.Std[k])
			}
		}
		want := make([]float64, 3)
		for _, net := range []mlp.Network{m.Net, m.Others[0].Net, m.Others[1].Net} {
			a, total := net.Forward(mlp.NewMatrix(1, len(x), x...)).Data, 0.0
			for _, v := range a {
				total += math.Exp(v)
			}
			for j, v := range a {
				want[j] += math.Exp(v) / total / 3
			}
		}
		for j, want := range want {
			if got, _ := strconv.ParseFloat(row[6+j], 64); math.Abs(got-want) > 1e-5 {
				t.Fatalf("%v: probability %d is %v, want %v", row, j, got, want)
			}
		}
		if want := []string{"setosa", "versicolor", "virginica"}[mlp.Argmax(want)]; row[5] != want {
			t.Fatalf("%v: want %s", row, want)
		}
	}
	for range 2 {
		predicted, _ = must(t, "-model", name, file(t, "rows.csv", predicted))
	}
	if header := strings.Split(predicted[:strings.IndexByte(predicted, '\n')], ","); len(header) != 17 || header[13] != "predicted predicted predicted species" {
		t.Errorf("the header is %q", header)
	}
}
