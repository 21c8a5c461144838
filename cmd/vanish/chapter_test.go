package main

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mlp"
)

func read(t *testing.T, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"../.."}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// section is what an experiment has printed.
func section(stdout, name string) string {
	_, rest, _ := strings.Cut("\n"+stdout, "\n"+name+": ")
	for _, e := range experiments {
		rest, _, _ = strings.Cut(rest, "\n"+e.name+": ")
	}
	rest, _, _ = strings.Cut(rest, "\nResults SHA-256: ")
	return rest
}

// The command prints testdata/vanish.txt and draws the sheets in testdata/svg. The
// two experiments of seconds are repeated here, all four with MLP_ATTACK set.
func TestTranscript(t *testing.T) {
	if testing.Short() || mlp.Kernel() == "Go" {
		t.Skip("the kernel in Go would take minutes; TestOneHash covers it")
	}
	names := []string{"article", "init"}
	if os.Getenv("MLP_ATTACK") != "" {
		names = []string{"depth", "article", "nielsen", "init"}
	}
	out, want := t.TempDir(), read(t, "testdata", "vanish.txt")
	stdout, stderr, code := command(t, context.Background(), append([]string{"-out", out}, names...)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, e := range experiments {
		if !slices.Contains(names, e.name) {
			continue
		}
		if got := section(stdout, e.name); got == "" || got != section(want, e.name) {
			t.Errorf("%s prints\n%s, want\n%s", e.name, got, section(want, e.name))
		}
		sheet, err := os.ReadFile(filepath.Join(out, e.sheet))
		if err != nil || string(sheet) != read(t, "testdata", "svg", e.sheet) {
			t.Errorf("%s is not the one in testdata/svg (error %v)", e.sheet, err)
		}
	}
	if len(names) == len(experiments) && stdout != want {
		t.Errorf("it ends with %q, want %q", stdout[len(stdout)-82:], want[len(want)-82:])
	}
}

// Every number of the README's chapter is one that the command beside it printed.
func TestReadme(t *testing.T) {
	text := read(t, "testdata", "vanish.txt")
	_, chapter, found := strings.Cut(read(t, "cmd", "vanish", "README.md"), "\n## Why deep networks stop learning")
	chapter, _, _ = strings.Cut(chapter, "\n## ")
	if _, hash, _ := strings.Cut(text, "Results SHA-256: "); !found || !strings.Contains(chapter, "Results SHA-256: "+hash) {
		t.Error("the chapter lacks the hash")
	}
	numbers := regexp.MustCompile(`\d(?:[\d.,]*\d)?(?:×10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?`)
	aside := regexp.MustCompile("`[^`]*`|\\]\\([^)]*\\)")
	seen := map[string]bool{}
	for _, part := range strings.Split(chapter, "\n### ")[1:] {
		command := regexp.MustCompile(`go run ./cmd/vanish (\w+)`).FindStringSubmatch(part)
		if command == nil {
			t.Fatalf("no command beside %.40q", part)
		}
		printed := numbers.FindAllString(section(text, command[1]), -1)
		stated := numbers.FindAllString(aside.ReplaceAllString(part, ""), -1)
		for _, n := range stated {
			if !slices.Contains(printed, n) {
				t.Errorf("%s does not print %s", command[0], n)
			}
		}
		seen[command[1]] = len(stated) > 3
	}
	for _, e := range experiments {
		if !seen[e.name] || !strings.Contains(chapter, "(../../testdata/svg/"+e.sheet+")") {
			t.Errorf("the chapter lacks %s, its numbers or %s", e.name, e.sheet)
		}
	}
}

// oracle holds Nielsen's values against ours and returns the table, and the reason
// why not.
func oracle(t *testing.T, dir string) (table string, err error) {
	t.Helper()
	l, err := newLab(context.Background(), &options{data: dir, out: t.TempDir()}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	err = l.oracle(l.train.Slice(0, few))
	return l.text.String(), err
}

func TestNielsen(t *testing.T) {
	table, err := oracle(t, "")
	if want := "nielsen: " + section(read(t, "testdata", "vanish.txt"), "nielsen"); err != nil || !strings.HasPrefix(want, table) {
		t.Errorf("error %v, and\n%s, want\n%s", err, table, want)
	}
	if testing.Short() {
		return
	}
	defer func(v float64) { published[2][1] = v }(published[2][1])
	published[2][1] *= 1.2
	if _, err := oracle(t, ""); err == nil || !strings.Contains(err.Error(), "4 hidden layers, layer 2: the published 0.0205 lies outside") {
		t.Errorf("a value that he did not publish: %v", err)
	}
}

// His thousand digits are the first of full MNIST's.
func TestNielsenFullMNIST(t *testing.T) {
	dir := os.Getenv("MNIST_DIR")
	if _, err := os.Stat(filepath.Join(dir, "train-images-idx3-ubyte.gz")); err != nil {
		t.Skip("$MNIST_DIR does not name a folder of full MNIST")
	}
	if _, err := oracle(t, dir); err != nil {
		t.Error(err)
	}
}

// The biases of Nielsen's networks are N(0, 1), each its own, and no weights.
func TestNielsenBiases(t *testing.T) {
	var all []float64
	for seed := range uint64(50) {
		for _, l := range nielsenNetwork(seed, 4) {
			all = append(all, l.B.Data...)
		}
	}
	n, squares := float64(len(all)), norm(all)
	if deviation := squares / math.Sqrt(n); math.Abs(deviation-1) > 3/math.Sqrt(2*n) {
		t.Errorf("the deviation of %v biases is %v", n, deviation)
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != int(n) {
		t.Error("biases are drawn twice")
	}
}

// What the caption says follows from the rulers.
func TestSentences(t *testing.T) {
	alike := mlp.Rulers{GradMean: 1, GradNorm: 1, Delta: 1, Update: 1}
	m := &reading{recipe: recipes[0], layers: []mlp.Rulers{alike, alike}, size: []float64{8, 2}, input: []float64{6, 2}}
	want := "small, layer 1 against 2: mean |∇W| the same, ‖∇W‖ the same, ‖δ‖ the same, ‖ΔW‖/‖W‖ the same."
	if s := m.sentences(); len(s) != 1 || s[0] != want {
		t.Errorf("where all agree it says %q", s)
	}
	m.layers[0] = mlp.Rulers{GradMean: 0.25, GradNorm: 2, Delta: 0.1, Update: 0.2}
	s := strings.Join(m.sentences(), "\n")
	for _, part := range []string{"mean |∇W| 4 times smaller, ‖∇W‖ 2 times larger, ‖δ‖ 10 times smaller, ‖ΔW‖/‖W‖ 5 times smaller",
		"mean |∇W| and ‖∇W‖ disagree: W1 has 4 times the elements of W2", "√4 = 2.0 times smaller",
		"‖∇W‖ and ‖δ‖ disagree: ∇W = xᵀδ, and the x of layer 1 is 3 times larger", "‖W1‖ is 10 times larger than ‖W2‖"} {
		if !strings.Contains(s, part) {
			t.Errorf("%q is not in\n%s", part, s)
		}
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0.5: "0.5", 123.4: "123", 2.923e12: "2.92×10¹²", 4e-13: "4×10⁻¹³", 1e-6: "1×10⁻⁶", 1e100: "1×10¹⁰⁰"} {
		if got := short(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	for ratio, want := range map[float64]string{1.04: "the same", 0.96: "the same", 0.01: "100 times smaller", 2.5: "2.5 times larger",
		0: "incomparable", math.Inf(1): "incomparable", math.NaN(): "incomparable"} {
		if got := times(ratio); got != want {
			t.Errorf("%v is %q, want %q", ratio, got, want)
		}
	}
}
