package main

import (
	"fmt"
	"math"
	"regexp"
	"runtime"
	"strconv"
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
}

// The experiment has one hash, whatever the number of threads, the kernel and the
// processor. These networks are small, for the sake of emulators.
func TestOneHashOfData(t *testing.T) {
	defer func(c []cohort) { cohorts = c }(cohorts)
	cohorts = []cohort{{digits: 40, epochs: 3}}
	const want = "ec0aedda1c939ee273920a9982f1fef4969c2822fe36764be65e7199852b34a3"
	for _, threads := range []int{1, 3} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		l := sampleLab(t)
		l.train, l.test = l.train.Slice(0, 40), l.test.Slice(0, 50)
		if _, err := data(l); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprintf("%x", l.hash.Sum(nil)); got != want {
			t.Errorf("%d threads: %s, want %s", threads, got, want)
		}
	}
}

// The sheet of pictures has each of the first digits in each version.
func TestDeformedDigits(t *testing.T) {
	l := sampleLab(t)
	sheet := string(l.deformedDigits(40))
	if n := strings.Count(sheet, `class="paper"`); n != 4*bands*bandDigits {
		t.Errorf("%d pictures", n)
	}
	if sheet != readFile(t, "testdata", "svg", deformedName) {
		t.Errorf("%s is not the one in testdata/svg", deformedName)
	}
	l.train = l.train.Slice(0, bandDigits+1)
	if n := strings.Count(string(l.deformedDigits(40)), `class="paper"`); n != 4*(bandDigits+1) {
		t.Errorf("%d pictures of %d digits", n, bandDigits+1)
	}
}

// The sheet and the sentences have the numbers of the networks: errors, their ratios, the
// standard error √(p(1−p)/n), and the epochs 1, 2, 4 and the last. Nothing is divided by zero
// if a network makes no error.
func TestDataNumbers(t *testing.T) {
	l := sampleLab(t) // with 1000 test digits
	c := cohort{digits: 500, epochs: 5}
	for way, accuracy := range []float64{0.8, 0.79, 0.9, 0.85, 0.95} {
		c.by[way].accuracy = accuracy
		for epoch := range 5 {
			c.by[way].history = append(c.by[way].history, mlp.Epoch{TestMetric: float64(10*way + epoch + 1)})
		}
	}
	want := "Errors in 1000 test digits after training on 500: plain 200, twice as deep 210, deskewed 100, deformed 150, both 50.\n" +
		"With 500 digits, plain makes 4.0 times as many errors as both and 1.0 times as many as twice as deep; its accuracy has a standard error of 0.0126."
	f := l.showData([]cohort{c})
	if f.Caption != want {
		t.Errorf("%q, want %q", f.Caption, want)
	}
	if got := fmt.Sprint(f.Charts[0].Series[2], f.Charts[1].Series[3]); got != "{deskewed [500] [0.9] false 0} {deformed [1 2 4 5] [31 32 34 35] false 0}" {
		t.Error(got)
	}
	c.by[both].accuracy = 1
	if f := l.showData([]cohort{c}); !strings.Contains(f.Caption, "plain makes infinitely as many errors as both") {
		t.Error(f.Caption)
	}
}

// The strokes of the sheet's first picture, followed as SVG says, go through each pixel of the
// first digit in its shade.
func TestDrawDigit(t *testing.T) {
	l := sampleLab(t)
	for i := range l.train.Images[:2*digitSide] {
		l.train.Images[i] = byte(5 * i) // all shades, across the end of a row
	}
	_, picture, _ := strings.Cut(string(l.deformedDigits(1)), `<g class="ink" transform="translate(118 70) scale(2)"`)
	picture, _, _ = strings.Cut(picture, "</g>")
	got := make([]int, digitSide*digitSide)
	for _, path := range regexp.MustCompile(`<path class="i(\d)" d="M0 .5((?:m-?\d+ \d+h\d+)+)"/>`).FindAllStringSubmatch(picture, -1) {
		shade, _ := strconv.Atoi(path[1])
		x, y := 0, 0
		for _, stroke := range regexp.MustCompile(`m(-?\d+) (\d+)h(\d+)`).FindAllStringSubmatch(path[2], -1) {
			dx, _ := strconv.Atoi(stroke[1])
			dy, _ := strconv.Atoi(stroke[2])
			n, _ := strconv.Atoi(stroke[3])
			x, y = x+dx, y+dy
			if x < 0 || x+n > digitSide {
				t.Fatalf("a stroke from (%d, %d) to %d", x, y, x+n)
			}
			for range n {
				got[y*digitSide+x] += shade
				x++
			}
		}
	}
	for i, p := range l.train.Images[:len(got)] {
		if want := int(math.Round(float64(p) / 255 * shades)); got[i] != want {
			t.Fatalf("pixel %d, %d, has shade %d, want %d", i, p, got[i], want)
		}
	}
}
