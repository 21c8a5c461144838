// The command as it is run: what it prints and writes, one hash, resuming, verifying and
// predicting.

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/clitest"
	"mlp/cmd/internal/training"
)

// command runs table and returns what it printed and its exit code.
func command(t *testing.T, ctx context.Context, stdout io.Writer, args ...string) (stderr string, code int) {
	t.Helper()
	return clitest.Stderr(t, func(stderr *os.File) int { return run(ctx, args, stdout, stderr) })
}

// must runs table, which must succeed, and returns standard output and standard error.
func must(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var b bytes.Buffer
	stderr, code := command(t, context.Background(), &b, args...)
	if code != 0 {
		t.Fatalf("%q: exit code %d: %s", args, code, stderr)
	}
	return b.String(), stderr
}

// file writes a file and returns its name.
func file(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// prepared returns a run that has not begun.
func prepared(t *testing.T, args ...string) *job {
	t.Helper()
	j, err := parse(args)
	if err == nil {
		_, err = j.Gather(context.Background(), nil, io.Discard)
	}
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// trained trains two networks for an epoch, on iris if no flag says otherwise, and returns the
// model's name.
func trained(t *testing.T, args ...string) string {
	t.Helper()
	out := t.TempDir()
	must(t, append([]string{"-ensemble", "2", "-hidden", "8", "-epochs", "1", "-out", out}, args...)...)
	return filepath.Join(out, "model.npz")
}

// With no argument the command trains on iris.
func TestIris(t *testing.T) {
	out := filepath.Join(t.TempDir(), "deep", "out")
	stdout, stderr := must(t, "-out", out, "-importance")
	want := regexp.MustCompile(`\A(Epoch \d+/40, Loss: (?:\d\.\d{4}|not measured), Held-out Loss: \d\.\d{4}\n)+` +
		`Out of fold, answered by networks that had not seen the row: 150 rows\n` +
		` +true \\ predicted +setosa +versicolor +virginica +recall +precision +F1\n( +[a-z]+( +\d+){3}(?: +\d\.\d{3}){3}\n){3}` +
		`Accuracy: (\d\.\d{4}) \(baseline 0\.3333: always setosa\)\n` +
		`Balanced accuracy: \d\.\d{4} \(baseline 0\.3333\)\nLog-loss: \d\.\d{4} \(baseline 1\.0986: always the shares of the classes\)\n` +
		`Importance: the loss, \d\.\d{4}, rises with a column shuffled by \(mean ± deviation of 10 times\)\n([+-]\d\.\d{4} ± \d\.\d{4}  (sepal|petal) (length|width)\n){4}` +
		`Weights SHA-256: [0-9a-f]{64}\n\z`)
	m := want.FindStringSubmatch(stdout)
	if m == nil {
		t.Fatalf("standard output:\n%s", stdout)
	}
	if accuracy, _ := strconv.ParseFloat(m[4], 64); accuracy < 0.95 {
		t.Errorf("accuracy %v", accuracy)
	}
	if top := regexp.MustCompile(`times\)\n\S+ ± \S+  petal`); !top.MatchString(stdout) {
		t.Errorf("the petals do not matter most:\n%s", stdout)
	}
	for _, text := range []string{"data: 150 rows to train on, from iris.csv in the program\n", "held out: by each network another of 10 parts, to decide when to stop\n",
		"4 columns predict species (3 categories)\n", "10 networks: each 50-48-48-48-3, relu, 7299 parameters, from init he by adamw\n",
		"written to " + out + ": curves.svg, model.npz, report.html\n"} {
		if !strings.Contains(stderr, text) {
			t.Errorf("standard error lacks %q:\n%s", text, stderr)
		}
	}
	if names, _ := filepath.Glob(filepath.Join(out, "*")); len(names) != 3 {
		t.Errorf("files %v", names)
	}
}

// One seed gives the same bytes for any number of threads.
func TestOneHash(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	flags := []string{"-ensemble", "3", "-epochs", "5", "-out"}
	var want, out string
	for _, threads := range []int{1, 4} {
		runtime.GOMAXPROCS(threads)
		out = t.TempDir()
		stdout, _ := must(t, append(flags, out)...)
		got := stdout + read(t, filepath.Join(out, "model.npz")) + read(t, filepath.Join(out, "curves.svg"))
		if want == "" {
			want = got
		} else if got != want {
			t.Errorf("%d threads: other bytes", threads)
		}
	}
	runtime.GOMAXPROCS(1)
	verified, _ := must(t, "-verify", filepath.Join(out, "model.npz"))
	if hash, ok := strings.CutPrefix(verified, "reproduced: "); !ok || !strings.Contains(want, "Weights SHA-256: "+hash) {
		t.Errorf("-verify prints %q", verified)
	}
	if other, _ := must(t, append(flags, t.TempDir(), "-seed", "2")...); strings.HasPrefix(want, other) {
		t.Error("another seed gives the same weights")
	}
}

// A run that is stopped and resumed ends with the bytes of one that was not, also if the
// patience with a network was over before.
func TestResume(t *testing.T) {
	straight, halves := t.TempDir(), t.TempDir()
	flags := []string{"-ensemble", "3", "-hidden", "16", "-schedule", "constant", "-patience", "3", "-batch", "8", "-out"}
	want, _ := must(t, append(flags, straight, "-epochs", "12")...)
	must(t, append(flags, halves, "-epochs", "6")...)
	m, err := training.ReadModel(filepath.Join(halves, "model.npz"), training.Table)
	if err != nil {
		t.Fatal(err)
	}
	lost := 0 // networks with which there is no patience any more
	for _, h := range []mlp.History{m.Run.History, m.Others[0].Run.History, m.Others[1].Run.History} {
		if len(h)-h.Best().N >= 3 {
			lost++
		}
	}
	if lost == 0 || lost == 3 {
		t.Errorf("the patience with %d of 3 networks is over after half the epochs", lost)
	}
	got, _ := must(t, "-resume", filepath.Join(halves, "model.npz"), "-epochs", "12")
	if !strings.HasSuffix(want, got) || !strings.HasPrefix(got, "Epoch 7/12") {
		t.Errorf("resumed:\n%s\nstraight:\n%s", got, want)
	}
	for _, name := range []string{"model.npz", "curves.svg"} {
		if read(t, filepath.Join(straight, name)) != read(t, filepath.Join(halves, name)) {
			t.Errorf("%s differs", name)
		}
	}
	must(t, "-verify", filepath.Join(halves, "model.npz"))
	finished, _ := must(t, "-resume", filepath.Join(halves, "model.npz"))
	if !strings.HasPrefix(finished, "Out of fold") || !strings.HasSuffix(want, finished) {
		t.Errorf("a finished run prints\n%s", finished)
	}
}

// shop is a table of every kind of column: numbers with gaps, categories, and a number that
// depends on them.
func shop(rows int) string {
	var b strings.Builder
	b.WriteString("\ufeffsize;\"the; colour\";weight;price\r\n")
	for i := range rows {
		size, colour := 1+i%7, []string{"red", "green", "\"light; blue\""}[i%3]
		weight := fmt.Sprint(i % 5)
		if i%11 == 0 {
			weight = ""
		}
		fmt.Fprintf(&b, "%d,5;%s;%s;%d\r\n", size, colour, weight, 10*size+100*(i%3))
	}
	return b.String()
}

// A network learns a number from numbers and categories, of a file as Excel writes one.
func TestNumbers(t *testing.T) {
	out, data := t.TempDir(), file(t, "shop.csv", shop(210))
	stdout, stderr := must(t, "-ensemble", "4", "-target", "price", "-out", out, data)
	m := regexp.MustCompile(`price: R² (0\.\d{4}), RMSE \S+ \(always the mean: \S+\), mean absolute error \S+ \(\S+\)`).FindStringSubmatch(stdout)
	if m == nil {
		t.Fatalf("standard output:\n%s", stdout)
	}
	if r2, _ := strconv.ParseFloat(m[1], 64); r2 < 0.97 {
		t.Errorf("R² %v", r2)
	}
	if !strings.Contains(stderr, "\n3 columns predict price (a number)\n") {
		t.Errorf("standard error:\n%s", stderr)
	}
	chart := read(t, filepath.Join(out, "predicted-against-true.svg"))
	if n := strings.Count(chart, `<use class="dot"`); n < 30 {
		t.Errorf("the chart has %d dots", n)
	}
	if size := regexp.MustCompile(`class="axis" d="M0 (\S+)H(\S+)"`).FindStringSubmatch(chart); size == nil || size[1] != size[2] {
		t.Errorf("the plot is no square: %q", size)
	}
	// Columns in another order, one that is new, a category that is new, and no number.
	more := file(t, "new.csv", "the; colour\tnote\tweight\tsize\nred\tfirst\t\t1.5\nmauve\t\"a \"\"b\"\"\"\t2\t6.5\nlight; blue\tthird\t3\t6.5\n")
	predicted, stderr := must(t, "-model", filepath.Join(out, "model.npz"), more)
	rows, err := csv.NewReader(strings.NewReader(strings.ReplaceAll(strings.ReplaceAll(predicted, ",", "."), "\t", ","))).ReadAll()
	if err != nil || len(rows) != 4 || !slices.Equal(rows[0], []string{"the; colour", "note", "weight", "size", "price"}) || rows[2][1] != `a "b"` {
		t.Fatalf("predicted %q, error %v", predicted, err)
	}
	first, _ := strconv.ParseFloat(rows[1][4], 64)
	third, _ := strconv.ParseFloat(rows[3][4], 64)
	if math.Abs(first-10) > 25 || math.Abs(third-260) > 25 {
		t.Errorf("predicted %v and %v, want about 10 and 260", first, third)
	}
	if want := `warning: ` + more + `: in 1 of 3 rows a category is new, and is taken as none: "the; colour" is "mauve" in row 2` + "\n"; stderr != want {
		t.Errorf("standard error %q, want %q", stderr, want)
	}
}

// NaN is a category like any text, and a name is printed without what a terminal obeys.
func TestOddNames(t *testing.T) {
	name := "y\x1b[2J\n\u009b"
	data := file(t, "nan.csv", "k,\""+name+"\"\n"+strings.Repeat("1,1\n2,2\nnan,1\nNaN,2\n3,3\n", 10))
	for _, flags := range [][]string{{"-target", "k", "-category", "k"}, {"-target", "\"" + name + "\"", "-category", "k"}} {
		out := t.TempDir()
		stdout, stderr := must(t, append(flags, "-ensemble", "2", "-epochs", "1", "-out", out, data)...)
		if text := stdout + stderr; strings.ContainsAny(text, "\x1b\u009b") || strings.Count(stderr, "\n") > 11 {
			t.Errorf("%q: printed %q", flags, text)
		}
		must(t, "-model", filepath.Join(out, "model.npz"), data)
	}
}

// Two or more targets are independent.
func TestLabels(t *testing.T) {
	var b strings.Builder
	b.WriteString("x,y,big,near\n")
	for i := range 300 {
		x, y := float64(i%20)/10-1, float64(i/15)/10-1
		fmt.Fprintf(&b, "%v,%v,%v,%d\n", x, y, map[bool]string{false: "no", true: "yes"}[x > 0], map[bool]int{true: 1}[x*x+y*y < 0.5])
	}
	out, data := t.TempDir(), file(t, "labels.csv", b.String())
	stdout, _ := must(t, "-ensemble", "4", "-target", "big,near", "-out", out, data)
	if rows := regexp.MustCompile(`\n +(big +yes|near +1) +\d+( +(0\.[89]\d\d|1\.000)){5} +0\.\d+`).FindAllString(stdout, -1); len(rows) != 2 {
		t.Fatalf("standard output:\n%s", stdout)
	}
	predicted, _ := must(t, "-model", filepath.Join(out, "model.npz"), file(t, "new.csv", "x,y\n0.9,0\n-0.9,0.9\n0.1,0\n"))
	const small, large = `(0\.[0-4]\d*|\d\S*e-\d+)`, `(0\.[5-9]\d*|1)`
	if want := regexp.MustCompile(`\Ax,y,big,big=no,big=yes,near,near=0,near=1\n0.9,0,yes,` + small + `,` + large + `,0,` + large + `,` + small +
		`\n-0.9,0.9,no,` + large + `,` + small + `,0,` + large + `,` + small + `\n0.1,0,(yes|no),\S+,1,` + small + `,` + large + `\n\z`); !want.MatchString(predicted) {
		t.Errorf("predicted\n%s", predicted)
	}
}
