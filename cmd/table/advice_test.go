// Advice: when it is given, and that it is not given without a reason.

package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mlp"
)

// drawn returns a CSV file of a header and so many rows, which it draws by a seed.
func drawn(t *testing.T, seed uint64, rows int, header string, row func(i int, rng *rand.Rand) []any) string {
	t.Helper()
	var b strings.Builder
	b.WriteString(header + "\n")
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range rows {
		b.WriteString(strings.Trim(strings.Join(strings.Fields(fmt.Sprintln(row(i, rng)...)), ","), ",") + "\n")
	}
	return file(t, "drawn.csv", b.String())
}

// What tells the target is named, and what only has to do with it is not.
func TestTellers(t *testing.T) {
	classes := drawn(t, 1, 400, "k,noise,near,interval,code,word,sometimes,number", func(i int, rng *rand.Rand) []any {
		k := rng.IntN(3)
		sometimes := "?"
		if k == 1 {
			sometimes = fmt.Sprint(rng.IntN(9))
		}
		return []any{[]string{"a", "b", "c"}[k], rng.NormFloat64(), float64(k) + rng.NormFloat64()/2, float64(k) + rng.Float64()/2,
			[]int{7, 1, 4}[k] + 10*rng.IntN(3), []string{"x", "y", "z"}[k], sometimes, i}
	})
	numbers := drawn(t, 2, 400, "n,noise,near,other,word", func(i int, rng *rand.Rand) []any {
		n := 1.6*rng.Float64() - 0.8
		return []any{n, rng.NormFloat64(), n + rng.NormFloat64()/5, fmt.Sprintf("%.3g", 1-n*n*n), fmt.Sprintf("w%.1f", n)}
	})
	rare := drawn(t, 3, 400, "k,noise,same,size", func(i int, rng *rand.Rand) []any {
		return []any{i % 100 / 99, rng.NormFloat64(), 1, i % 100}
	})
	for data, want := range map[string]string{classes: "interval,code,word", numbers: "other,word", rare: ""} {
		target, _, _ := strings.Cut(read(t, data), ",")
		j := prepared(t, "-target", target, data)
		if got := strings.Join(j.table.tellers(0), ","); got != want {
			t.Errorf("%s tell %s, want %s", got, target, want)
		}
		if advice := j.table.advice(); len(advice) != min(1, len(want)) || want != "" && !strings.Contains(advice[0], fmt.Sprintf("alone tells %q: '%s'; ", target, want)) {
			t.Errorf("advice %q", advice)
		}
	}
}

// A copy says the same in each row, be it of other words; a column that does not vary is none.
func TestCopies(t *testing.T) {
	data := drawn(t, 1, 99, "a,b,c,one,uno,word,wort,y", func(i int, rng *rand.Rand) []any {
		a := rng.NormFloat64()
		return []any{a, a, a + float64(i/98), 1, 1, []string{"f", "m"}[i%2], []string{"femme", "male"}[i%2], rng.NormFloat64()}
	})
	j := prepared(t, "-target", "y", data)
	if got := j.table.copies(); !slices.Equal(got, []string{"b", "wort"}) {
		t.Errorf("copies %q", got)
	}
	want := []string{"99 rows are few: with other rows, or another -seed, the figures can be quite different",
		"columns say in each row the same as one before them: -without 'b,wort' leaves them out"}
	if got := j.table.advice(); !slices.Equal(got, want) {
		t.Errorf("advice %q", got)
	}
}

// Of a class with 5 % of the rows the line says what -weights balanced would change: the rows
// with probabilities over 0.05 would be answered with it.
func TestRare(t *testing.T) {
	train := slices.Concat(slices.Repeat([][]float64{{0}}, 95), slices.Repeat([][]float64{{1}}, 5))
	j := made(train, [][]float64{{0}, {0}, {0}, {1}, {1}}, categories("k", "no", "yes"))
	e := exam{j.test, mlp.NewMatrix(5, 2, .99, .01, .98, .02, .93, .07, .9, .1, .4, .6), j.train}
	want := `"yes" has 5.0 % of the training rows; with -weights balanced its recall would be about 1.000 instead of 0.500, ` +
		"its precision 0.667 instead of 1.000, and the balanced accuracy 0.833 instead of 0.750"
	if got := e.rare(); len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
	e.y = mlp.NewMatrix(5, 2, .99, .01, .98, .02, .97, .03, .1, .9, .4, .6)
	if got := e.rare(); got != nil {
		t.Errorf("of a class that is found already %q", got)
	}
	j = made(slices.Repeat([][]float64{{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}, {9}, {10}}, 9), nil, categories("k", strings.Split("abcdefghijk", "")...))
	if got := (&exam{j.train, mlp.NewMatrix(99, 11), j.train}).rare(); got != nil {
		t.Errorf("of classes with equal shares %q", got)
	}
}

// Rows that are drawn alike are alike. A shift, another category and missing cells are seen.
func TestDiffers(t *testing.T) {
	draw := func(seed uint64, rows int, shift float64, words, missing int) string {
		return drawn(t, seed, rows, "y,n,word,gap,heavy", func(i int, rng *rand.Rand) []any {
			gap := "?"
			if i%10 >= missing {
				gap = fmt.Sprint(rng.NormFloat64())
			}
			return []any{rng.IntN(2), rng.NormFloat64() + shift, "w" + fmt.Sprint(rng.IntN(words)), gap, 1 / (rng.Float64() - 0.5)}
		})
	}
	j := prepared(t, "-target", "y", draw(1, 1000, 0, 5, 1))
	differs := func(name string) []string {
		test, err := j.readTable(context.Background(), name, j.table.encoding, io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		return j.table.differs(test)
	}
	for seed := range uint64(20) {
		if got := differs(draw(seed+2, 100, 0, 5, 1)); got != nil {
			t.Errorf("seed %d: %q", seed, got)
		}
	}
	if got := differs(draw(30, 9, 1, 5, 1)); got != nil { // of so few rows that it can be chance
		t.Errorf("%q", got)
	}
	if got := differs(draw(31, 5000, 0.3, 5, 1)); got != nil { // a difference that is small
		t.Errorf("%q", got)
	}
	for want, other := range map[string]string{
		`"n" is at most 1.006 in 14 % of them and in 84 %`: draw(2, 100, 2, 5, 1),
		`"word" is "w0" in 100`:                            draw(2, 100, 0, 1, 1),
		`"gap" is missing in 90 % of them and in 10 % of the training file; columns that differ beside it: 1`: draw(2, 100, 1.5, 5, 9),
	} {
		if got := differs(other); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%q, want %s", got, want)
		}
	}
}

// The advice is printed, and that on rare classes only if they do not weigh more already.
func TestAdvicePrinted(t *testing.T) {
	draw := func(shift float64) string {
		return drawn(t, 1, 400, "y,n", func(i int, rng *rand.Rand) []any {
			k := i % 20 / 19
			return []any{[]string{"no", "yes"}[k], rng.NormFloat64() + 2*float64(k) + shift}
		})
	}
	data, out := draw(0), t.TempDir()
	rare, differs := "\nAdvice: \"yes\" has 5.0 % of the training rows; ", "\nAdvice: the rows of -test are not like "
	for flags, want := range map[string]string{"": rare, "-weights balanced": "", "-test " + draw(9): differs} {
		stdout, _ := must(t, append(strings.Fields(flags), "-target", "y", "-epochs", "3", "-hidden", "8", "-out", out, data)...)
		if !strings.Contains(stdout, want) || want == "" && strings.Contains(stdout, rare) ||
			want != differs && strings.Contains(stdout, differs) || !strings.Contains(stdout, "\nArea under the curve: ") {
			t.Errorf("%s: printed\n%s", flags, stdout)
		}
	}
}
