package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"mlp"
)

func TestExit(t *testing.T) {
	for _, c := range []struct {
		err  error
		code int
		line string
	}{
		{nil, 0, ""},
		{errors.New("a\nb\x1b[2J"), 1, `name: a\nb\x1b[2J` + "\n"},
		{fmt.Errorf("epoch 3: %w", context.Canceled), 1, "name: interrupted\n"},
		{ParseError(errors.New("no such flag"), nil, "", nil), 2, "name: no such flag\n"},
	} {
		var stderr bytes.Buffer
		if code := Exit("name", c.err, &stderr); code != c.code || stderr.String() != c.line {
			t.Errorf("%v: exit code %d and %q, want %d and %q", c.err, code, stderr.String(), c.code, c.line)
		}
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestHelp(t *testing.T) {
	flags := flag.NewFlagSet("name", flag.ContinueOnError)
	flags.Int("n", 3, "how many")
	var stdout bytes.Buffer
	if err := ParseError(flag.ErrHelp, flags, "usage: name\n", &stdout); err != nil {
		t.Error(err)
	}
	if want := "usage: name\n  -n int\n    \thow many (default 3)\n"; stdout.String() != want {
		t.Errorf("help %q, want %q", stdout.String(), want)
	}
	err := ParseError(flag.ErrHelp, flags, "usage: name\n", closed{})
	if code := Exit("name", err, &stdout); code != 1 || err.Error() != "standard output: broken pipe" {
		t.Errorf("a closed output: exit code %d, error %v", code, err)
	}
}

// The bar fits a terminal of 40 columns and says the most important first.
func TestBarLine(t *testing.T) {
	epoch := func(n int) func(float64) string {
		return func(share float64) string { return fmt.Sprintf("epoch %d/%d", int(share*float64(n))+1, n) }
	}
	for _, c := range []struct {
		done, total float64
		label       func(float64) string
		elapsed     time.Duration
		want        string
	}{
		{0.5, 1, epoch(20), 3 * time.Second, "[#####.....]  50%, epoch 11/20, 3s left"},
		{1, 1, func(float64) string { return "depth" }, time.Hour, "[##########] 100%, depth, 0s left"},
		{1, 4, epoch(1000), time.Hour, "[##........]  25%, epoch 251/1000"},
		{1, math.MaxInt, epoch(math.MaxInt), time.Hour, "[..........]   0%, 277777h46m40s left"},
		{1.5, 1, func(float64) string { return "more than there was" }, 0, "[##########] 100%, more than there was"},
	} {
		b := &Bar{done: c.done, total: c.total, label: c.label}
		got := b.line(c.elapsed)
		if got != c.want || utf8.RuneCountInString(got) >= 40 {
			t.Errorf("%q, want %q", got, c.want)
		}
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
	label := func(float64) string { return "work" }
	none, bar := NewBar(f, 10, label), NewBar(f, 10, label)
	bar.terminal = f
	for _, b := range []*Bar{none, bar} {
		b.Add(1)
		b.Clear()
		b.start = b.start.Add(-time.Minute)
	}
	none.Add(1)
	bar.Add(1)
	bar.Add(1) // too soon to be drawn
	none.Clear()
	bar.Clear()
	bar.Clear()
	got, _ := os.ReadFile(f.Name())
	if want := "\r\x1b[K[##........]  20%, work, 4m0s left\r\x1b[K"; string(got) != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// The null device is not a terminal.
func TestNullDevice(t *testing.T) {
	f, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	if b := NewBar(f, 1, nil); b.terminal != nil {
		t.Error("the bar is drawn on the null device")
	}
}

func TestLoad(t *testing.T) {
	var stderr bytes.Buffer
	m, err := Load("", "t10k", 7, &stderr)
	if err != nil || m.Len() != 7 || stderr.Len() > 0 {
		t.Errorf("%v, %v, %q", m, err, stderr.String())
	}
	all, err := Load("", "t10k", 0, &stderr)
	if err != nil || all.Len() != 1000 {
		t.Errorf("%v, %v", all, err)
	}
	if a, b := Digest(m), Digest(all.Slice(0, 7)); a != b || len(a) != 64 || a == Digest(all) {
		t.Errorf("digests %s and %s", a, b)
	}
	dir := t.TempDir()
	_, err = Load(dir, "train", 0, &stderr)
	if err == nil || !strings.HasPrefix(err.Error(), filepath.Join(dir, "train-images-idx3-ubyte")) || stderr.String() != mlp.WhereMNIST {
		t.Errorf("no files: %v, %q", err, stderr.String())
	}
}

// Each statistic is the field that its name says.
func TestLayerStats(t *testing.T) {
	layer := mlp.LayerStats{GradMeanAbs: 1, GradNorm: 2, DeltaNorm: 3, ActivationStd: 4, InactiveFraction: 5, UpdateRatio: 6}
	for i, s := range LayerStats {
		if s.Of(layer) != float64(i+1) {
			t.Errorf("%s is %v, want %d", s.Column, s.Of(layer), i+1)
		}
	}
	if DeltaNorm.Column != "delta_norm" || DeltaNorm.Of(layer) != 3 || UpdateRatio.Of(layer) != 6 || len(LayerStats) != 6 {
		t.Error("the names and the fields are mixed up")
	}
}

func TestRelativeToLast(t *testing.T) {
	lines := RelativeToLast([]mlp.LayerStats{{GradMeanAbs: 1, GradNorm: 2, DeltaNorm: 3, UpdateRatio: 4}, {GradMeanAbs: 2, GradNorm: 2, DeltaNorm: 2, UpdateRatio: 2}})
	var got string
	for _, s := range lines {
		got += fmt.Sprint(s.Name, s.Y)
	}
	if want := "mean |∇W|[0.5 1]‖∇W‖[1 1]‖δ‖[1.5 1]‖ΔW‖/‖W‖[2 1]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestNewNetwork(t *testing.T) {
	for _, norm := range []bool{false, true} {
		net := NewNetwork(1, mlp.He, mlp.Tanh, norm, 7, 5)
		for i, l := range net {
			if wide := []int{mlp.MNISTPixels, 7, 5, mlp.MNISTClasses}; l.W.Rows != wide[i] || l.W.Cols != wide[i+1] || (l.Norm != nil) != (norm && i < 2) {
				t.Errorf("norm %v: layer %d is %d×%d", norm, i+1, l.W.Rows, l.W.Cols)
			}
		}
	}
}

func TestShort(t *testing.T) {
	for v, want := range map[float64]string{0.5: "0.5", 123.4: "123", 2.923e12: "2.92×10¹²", 4e-13: "4×10⁻¹³", 1e-6: "1×10⁻⁶", 1e100: "1×10¹⁰⁰"} {
		if got := Short(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}
