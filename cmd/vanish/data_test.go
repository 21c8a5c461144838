package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"regexp"
	"runtime"
	"slices"
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

// What the README says of data and depth follows from what the command has printed.
func TestDataClaims(t *testing.T) {
	table, _, _ := strings.Cut(section(readFile(t, "testdata", "vanish.txt"), "data"), "\nepoch")
	rows := regexp.MustCompile(`(?m)^ +(\d+) +\d+  (.* · .*)$`).FindAllStringSubmatch(table, -1)
	if len(rows) != len(sizes) {
		t.Fatalf("%d rows in\n%s", len(rows), table)
	}
	var byDigits [][]float64
	for _, row := range rows {
		digits, _ := strconv.Atoi(row[1])
		var test []float64
		for _, cell := range regexp.MustCompile(`(\S+) · (\S+)`).FindAllStringSubmatch(row[2], -1) {
			accuracy, _ := strconv.ParseFloat(cell[1], 64)
			onTraining, _ := strconv.ParseFloat(cell[2], 64)
			if test = append(test, accuracy); onTraining < 0.995 {
				t.Errorf("%d digits: %.4f of them are read right after training", digits, onTraining)
			}
		}
		byDigits = append(byDigits, test)
		for way, w := range ways {
			least := 2.0
			if way == both {
				least = 3
			}
			if z := better(test[way], test[plain], 1000); w.deform && z < least {
				t.Errorf("%d digits: %s is better than plain by %.1f standard errors", digits, w.name, z)
			}
		}
		if z := better(test[deeper], test[plain], 1000); z > 1 {
			t.Errorf("%d digits: depth helps by %.1f standard errors", digits, z)
		}
		if test[both] != slices.Max(test) {
			t.Errorf("%d digits: both is not the best of %v", digits, test)
		}
	}
	if most := byDigits[len(byDigits)-1]; byDigits[0][both] <= most[plain] {
		t.Errorf("both on few digits, %.4f, is not better than plain on many, %.4f", byDigits[0][both], most[plain])
	}
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
		n, err := l.learn(ways[way], size{500, 20}, digits, false, nil)
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

// A network in the README's table has the weights and the operations that its layers
// give: of an epoch of MNIST's 60,000 digits 2·in·out for each layer forward, as many for
// the gradient of the weights, and as many for that of the input but in the first layer.
func TestPlainNetworks(t *testing.T) {
	_, text, _ := strings.Cut(readFile(t, "cmd", "vanish", "README.md"), "\n## Plain networks on all of MNIST")
	rows := regexp.MustCompile(`(?m)^\| .*?(?:, (\d+) epochs)? \| (?:(\d) × )?(\d+(?:-\d+)+) \| ([\d.]+) \| (\S+) \| (?:(\S+) )?\| 0\.\d{4} \|$`).FindAllStringSubmatch(text, -1)
	if n := strings.Count(text, "\n| ") - 1; len(rows) != n || n < 7 {
		t.Fatalf("%d of %d rows can be read", len(rows), n)
	}
	for _, row := range rows {
		number := func(text string) int {
			n, err := strconv.Atoi(text)
			if err != nil {
				return 1 // network or epoch
			}
			return n
		}
		weights, first := 0, 0
		widths := strings.Split(row[3], "-")
		for i := range widths[1:] {
			weights += number(widths[i]) * number(widths[i+1])
			first = cmp.Or(first, weights)
		}
		epoch := 60000 * float64(number(row[2])) * float64(6*weights-2*first)
		want := []string{fmt.Sprintf("%.2g", float64(number(row[2])*weights)/1e6), power(epoch), ""}
		if row[1] != "" {
			want[2] = power(float64(number(row[1])) * epoch)
		}
		if !slices.Equal(row[4:], want) {
			t.Errorf("%s has %q, want %q", row[3], row[4:], want)
		}
	}
}

// power returns v with two digits and a power of ten.
func power(v float64) string {
	mantissa, exponent, _ := strings.Cut(fmt.Sprintf("%.1e", v), "e+")
	raised := strings.NewReplacer("0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴", "5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")
	return mantissa + "×10" + raised.Replace(exponent)
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
