package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"mlp"
)

func TestCohorts(t *testing.T) {
	for digits, want := range map[int]string{
		1000: "500×320 1000×160", 1200: "500×320 1000×160 1200×160", 4000: "500×320 1000×160 4000×40", 60000: "500×320 1000×160 4000×40 60000×40",
	} {
		var got []string
		for _, c := range cohortsOf(digits) {
			got = append(got, fmt.Sprintf("%d×%d", c.digits, c.epochs))
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%d digits: %s, want %s", digits, got, want)
		}
	}
	for _, s := range sizes {
		if s.digits*s.epochs != sizes[0].digits*sizes[0].epochs {
			t.Errorf("%d epochs of %d digits are another number of images", s.epochs, s.digits)
		}
	}
}

// better says by how many standard errors an accuracy is better than another.
func better(accuracy, than float64, tested int) float64 {
	return (accuracy - than) / math.Hypot(standardError(accuracy, tested), standardError(than, tested))
}

// dataLab is a lab with so many digits.
func dataLab(t *testing.T, train, test int) *lab {
	t.Helper()
	l, err := newLab(context.Background(), &options{seed: 1, out: t.TempDir()}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	l.train, l.test = l.train.Slice(0, train), l.test.Slice(0, test)
	return l
}

// Deskewed and deformed digits teach more than plain ones, already in a short training.
func TestBothBeatsPlain(t *testing.T) {
	if testing.Short() || mlp.Kernel() == "Go" {
		t.Skip("the kernel in Go is slow")
	}
	l := dataLab(t, 500, 1000)
	digits := [2]parts{{l.train, l.test}, {l.train.Deskew(), l.test.Deskew()}}
	var accuracy [2]float64
	for i, way := range []int{plain, both} {
		n, err := l.learn(ways[way], size{500, 20}, digits, false)
		if err != nil {
			t.Fatal(err)
		}
		accuracy[i] = n.accuracy
	}
	if z := better(accuracy[1], accuracy[0], l.test.Len()); z < 3 {
		t.Errorf("both %.4f, plain %.4f: %.1f standard errors", accuracy[1], accuracy[0], z)
	}
}

// The experiment has one hash, whatever the number of threads, the kernel and the
// processor. These networks are small, for the sake of emulators.
func TestOneHashOfData(t *testing.T) {
	defer func(s []size) { sizes = s }(sizes)
	sizes = []size{{40, 3}}
	const want = "ec0aedda1c939ee273920a9982f1fef4969c2822fe36764be65e7199852b34a3"
	for _, threads := range []int{1, 3} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		l := dataLab(t, 40, 50)
		if _, err := data(l); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", l.hash.Sum(nil)); got != want {
			t.Errorf("%d threads: %s, want %s", threads, got, want)
		}
	}
}

// The sheet of pictures has each of the first digits in each version, and the deformed
// ones are those that a network is trained on.
func TestDeformedDigits(t *testing.T) {
	l := dataLab(t, 4000, 1)
	sheet := string(l.deformedDigits(40))
	if n := strings.Count(sheet, `class="paper"`); n != 4*bands*bandDigits {
		t.Errorf("%d pictures", n)
	}
	if sheet != readFile(t, "testdata", "svg", deformedName) {
		t.Errorf("%s is not the one in testdata/svg", deformedName)
	}
	digits := l.train.Slice(0, 3)
	first, again, second := l.deformedPixels(digits, 40, 1), l.deformedPixels(digits, 40, 1), l.deformedPixels(digits, 40, 2)
	if !slices.Equal(first, again) || slices.Equal(first, second) || slices.Equal(first, digits.Images) {
		t.Error("the digits are not deformed anew in each epoch, and always the same in one")
	}
	l.train = l.train.Slice(0, bandDigits+1)
	if n := strings.Count(string(l.deformedDigits(40)), `class="paper"`); n != 4*(bandDigits+1) {
		t.Errorf("%d pictures of %d digits", n, bandDigits+1)
	}
}

// The sheet and the sentences have the numbers of the networks: errors, their ratios, the
// standard error √(p(1−p)/n), and the epochs 1, 2, 4 and the last.
func TestDataNumbers(t *testing.T) {
	c := cohort{size: size{500, 5}}
	for way, accuracy := range []float64{0.8, 0.79, 0.9, 0.85, 0.95} {
		c.by[way].accuracy = accuracy
		for epoch := range 5 {
			c.by[way].history = append(c.by[way].history, mlp.Epoch{TestAccuracy: float64(10*way + epoch + 1)})
		}
	}
	want := []string{"Errors in 1000 test digits after training on 500: plain 200, twice as deep 210, deskewed 100, deformed 150, both 50.",
		"With 500 digits, plain makes 4.0 times as many errors as both and 1.0 times as many as twice as deep; its accuracy has a standard error of 0.0126."}
	if got := dataSentences([]cohort{c}, 1000); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	charts := dataSheet([]cohort{c}).Charts
	bySize, byEpoch := charts[0].Series[2], charts[1].Series[3]
	if got := fmt.Sprint(bySize, byEpoch); got != "{deskewed [500] [0.9] false} {deformed [1 2 4 5] [31 32 34 35] false}" {
		t.Error(got)
	}
}

// Nothing that is printed divides by zero if a network makes no error.
func TestNoErrors(t *testing.T) {
	c := cohort{size: sizes[0]}
	for way := range c.by {
		c.by[way].accuracy = 1
	}
	for _, s := range dataSentences([]cohort{c}, 1000) {
		if strings.Contains(s, "NaN") || strings.Contains(s, "Inf") {
			t.Error(s)
		}
	}
}
