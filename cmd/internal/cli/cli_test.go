package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestExit(t *testing.T) {
	for _, c := range []struct {
		err    error
		code   int
		stderr string
	}{
		{nil, 0, ""},
		{errors.New("a\nb\x1b[2J"), 1, `name: a\nb\x1b[2J` + "\n"},
		{fmt.Errorf("epoch 3: %w", context.Canceled), 1, "name: interrupted\n"},
		{WrongFlag(errors.New("no such flag")), 2, "name: no such flag\n"},
		{fmt.Errorf("its recipe: %w", WrongFlag(errors.New("no such flag"))), 1, "name: its recipe: no such flag\n"},
		{fmt.Errorf("a: %w", &NotedError{errors.New("missing"), "here\nor there\n"}), 1, "name: a: missing\nhere\nor there\n"},
		{WrongFlag(nil), 0, ""},
	} {
		var stdout, stderr bytes.Buffer
		if code := Exit("name", c.err, &stdout, &stderr); code != c.code || stderr.String() != c.stderr || stdout.Len() > 0 {
			t.Errorf("%v: exit code %d and %q, want %d and %q", c.err, code, stderr.String(), c.code, c.stderr)
		}
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// vanishFlags are the flags of a command that has few.
func vanishFlags() *Flags {
	f, out := NewFlags("vanish"), "out/vanish"
	f.Add("data", new(string))
	f.Add("out", &out)
	f.Add("seed", new(uint64))
	return f
}

// The help has two sentences, three examples, and each flag of the command once with its
// default.
func TestHelp(t *testing.T) {
	f := vanishFlags()
	_, err := f.Parse([]string{"-h"})
	var stdout bytes.Buffer
	if code := Exit("vanish", err, &stdout, &stdout); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		"what\ncures that, and what data do that depth does not. It runs",
		"\n\n    go run ./cmd/vanish                  run all five experiments\n    go run ./cmd/vanish depth init       run two",
		"\n\nThe flags that matter most:\n\n  -data DIR\n      folder of MNIST's four IDX files, gzipped or not; " +
			"without it, the digits\n      in the program\n" +
			"  -out DIR\n      folder for the sheets (default out/vanish)\n  -seed N\n",
	} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("the help lacks %q:\n%s", want, stdout.String())
		}
	}
	if code := Exit("name", err, closed{}, &stdout); code != 1 || !strings.HasSuffix(stdout.String(), "name: standard output: broken pipe\n") {
		t.Errorf("a closed output: exit code %d, %s", code, stdout.String())
	}
}

// Flags and other words stand in any order, and an empty name is a wrong flag.
func TestParse(t *testing.T) {
	for line, want := range map[string]string{
		"a -seed 7 b -data d -": "[a b -] map[data:d seed:7]",
		"-seed 7 -- -data":      "[-data] map[seed:7]",
		"a -- -- b":             "[a -- b] map[]",
		"":                      "[] map[]",
		"-data=":                `invalid value "" for flag -data: the value is empty`,
		"a -lr 1":               "flag provided but not defined: -lr",
	} {
		f := vanishFlags()
		words, err := f.Parse(strings.Fields(line))
		got := fmt.Sprint(words, f.Given())
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: %s, want %s", line, got, want)
		}
	}
}

// A command has no row twice, and a name means one thing except in the few rows that are
// listed here. What matters most is a flag of the command, and each command has three
// examples.
func TestTable(t *testing.T) {
	meanings := map[string]int{}
	for _, r := range table {
		meanings[r.name]++
		if !slices.Contains(groups, r.group) {
			t.Errorf("-%s is in no group of the help: %q", r.name, r.group)
		}
	}
	maps.DeleteFunc(meanings, func(_ string, n int) bool { return n == 1 })
	want := map[string]int{"batch": 2, "calibrate": 2, "data": 3, "holdout": 2, "epochs": 2, "decay": 2, "patience": 2, "out": 2, "model": 2}
	if !maps.Equal(meanings, want) {
		t.Errorf("names with several meanings: %v, want %v", meanings, want)
	}
	for name, c := range commands {
		names := Names(name)
		slices.Sort(names)
		if n := len(names); len(slices.Compact(names)) != n || n == 0 {
			t.Errorf("%s has a flag twice, or none: %v", name, names)
		}
		for _, first := range c.first {
			if !slices.Contains(names, first) {
				t.Errorf("%s has no -%s", name, first)
			}
		}
		if strings.Count(c.about, ". ") != 1 || len(c.examples) != 3 || len(c.first) > 5 {
			t.Errorf("%s: %q, %d examples, %d flags first", name, c.about, len(c.examples), len(c.first))
		}
	}
}

// A flag that is not in the table cannot be added.
func TestUnknownFlag(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("-lr of vanish was added")
		}
	}()
	NewFlags("vanish").Add("lr", new(float64))
}

// For want of room the label goes, its end first, and then the time left. A line is shorter
// than the terminal is wide.
func TestBarLine(t *testing.T) {
	label := func(share float64) []string {
		return []string{fmt.Sprintf("epoch %d/%d", int(share*123), 123), "test 0.983"}
	}
	for _, c := range []struct {
		width       int
		done, total float64
		elapsed     time.Duration
		want        string
	}{
		{80, 0.61, 1, 33 * time.Second, "[#####################..............]  61%  epoch 75/123  test 0.983  0:21 left"},
		{60, 0.61, 1, 33 * time.Second, "[#########......]  61%  epoch 75/123  test 0.983  0:21 left"},
		{50, 0.61, 1, 33 * time.Second, "[##########.......]  61%  epoch 75/123  0:21 left"},
		{30, 0.61, 1, 33 * time.Second, "[######.....]  61%  0:21 left"},
		{20, 0.61, 1, 33 * time.Second, "[#######.....]  61%"},
		{1, 0.61, 1, 33 * time.Second, "[]  61%"},
		{30, 1, 1, time.Hour, "[###########] 100%  0:00 left"},
		{40, 1, 4, time.Hour, "[####..............]  25%  3:00:00 left"},
		{40, 1, math.MaxInt, time.Hour, "[.............]   0%  277777:46:40 left"},
		{30, 1.5, 1, 0, "[###########] 100%  0:00 left"},
	} {
		b := &Bar{done: c.done, total: c.total, label: label}
		got := b.line(c.elapsed, c.width)
		if got != c.want || utf8.RuneCountInString(got) >= max(c.width, 20) {
			t.Errorf("%d columns: %q (%d), want %q", c.width, got, utf8.RuneCountInString(got), c.want)
		}
	}
	b := &Bar{done: 0.61, total: 1, label: label}
	if got := b.line(33*time.Second, 200); utf8.RuneCountInString(got) != 199 || !strings.HasPrefix(got, "["+strings.Repeat("#", 94)+strings.Repeat(".", 61)+"]") {
		t.Errorf("200 columns: %q", got)
	}
}

// The bar is not drawn before the first second, and Clear removes it. Without a terminal
// there is none.
func TestBar(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "terminal"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err != nil || Terminal(null) != nil {
		t.Error("the null device is a terminal")
	}
	label := func(float64) []string { return []string{"work"} }
	none, bar := NewBar(f, 10, label), NewBar(f, 10, label)
	bar.terminal = f
	for _, b := range []*Bar{none, bar} {
		b.Add(1)
		b.Clear()
		b.start = b.start.Add(-time.Minute)
		b.Add(1)
		b.Add(1) // too soon to be drawn
		b.Clear()
		b.Clear()
	}
	got, _ := os.ReadFile(f.Name())
	if want := "\r\x1b[K[###########............................................]  20%  work  4:00 left\r\x1b[K"; string(got) != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}
