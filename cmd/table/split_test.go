// The parts of a table: which rows, their weights, and what is fitted on them.

package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"mlp"
)

// Each part has its share of each class, of each combination of labels, and of each tenth
// of the numbers, and no row is in two parts. The seed decides which rows.
func TestSplit(t *testing.T) {
	var b strings.Builder
	b.WriteString("n,yes,no,x\n")
	for i := range 1000 {
		n := i * 7919 % 1000
		fmt.Fprintf(&b, "%d,%d,%d,%d\n", n*n, i%2, i%5/3, i%7)
	}
	data := file(t, "data.csv", b.String())
	for target, stratum := range map[string]func(cells []float64) int{
		"":       func(cells []float64) int { return int(cells[4]) },
		"n":      func(cells []float64) int { return int(math.Sqrt(cells[3])) / 100 },
		"yes,no": func(cells []float64) int { return int(2*cells[2] + cells[3]) },
	} {
		args := []string{"-holdout", "0.3", "-seed", "5", "-patience", "3"}
		if target != "" {
			args = append(args, "-target", target, data)
		}
		j := prepared(t, args...)
		all := map[int]float64{}
		for i := range j.table.rows() {
			all[stratum(j.table.row(i))]++
		}
		seen := make([]int, j.table.rows())
		for part, share := range map[*part]float64{j.test: 0.3, j.held: 0.07, j.train: 0.63} {
			has := map[int]float64{}
			for i, r := range part.index {
				seen[r]++
				has[stratum(part.at(i))]++
			}
			for s, n := range all {
				if math.Abs(has[s]-share*n) > 1.5 {
					t.Errorf("target %q: of %v rows in stratum %d a share of %v is %v", target, n, s, share, has[s])
				}
			}
		}
		if slices.Min(seen) != 1 || slices.Max(seen) != 1 {
			t.Errorf("target %q: rows are in %d to %d parts", target, slices.Min(seen), slices.Max(seen))
		}
		for _, l := range j.Net {
			clear(l.W.Data)
		}
		loss, _ := j.table.loss()
		if guess, _ := mlp.Evaluate(j.Net, j.train, loss); math.Abs(guess-j.Guess) > 1e-9 {
			t.Errorf("target %q: a network of zeros has the loss %v, want %v", target, guess, j.Guess)
		}
		if other := j.table.split(6, 0.3)[1]; slices.Equal(other.index, j.test.index) {
			t.Error("another seed has the same test rows")
		}
	}
}

// With -weights balanced the weights are those of the package, of the training rows.
func TestBalance(t *testing.T) {
	j := prepared(t, "-weights", "balanced", "-patience", "1")
	j.train.index = []int32{0, 1, 2, 3, 60, 61, 120} // 4, 2 and 1 of the classes
	var config mlp.Config
	samples, err := j.Samples(0, &config)
	if err != nil {
		t.Fatal(err)
	}
	var x, y mlp.Matrix
	samples.Batch(&x, &y, []int{0, 1, 2, 3, 4, 5, 6})
	for i, want := range mlp.BalancedWeights(&y) {
		if got := samples.(mlp.Weighted).Weight(i); got != want {
			t.Errorf("row %d weighs %v, want %v", i, got, want)
		}
		held := config.Validation.(mlp.Weighted).Weight(0) // as the training row of its class
		if truth := j.held.truth(0, 0); truth == j.train.truth(i, 0) && held != want {
			t.Errorf("a row held out weighs %v, want %v", held, want)
		}
	}
}

// Inputs of numbers and targets are standardized by the training rows alone. A missing
// number is 0 then and 1 in the input behind, and a missing category is one more category.
func TestEncoded(t *testing.T) {
	j := prepared(t, "-target", "y", "-category", "b", file(t, "gaps.csv", "a,b,y\n"+strings.Repeat("5,10,1\n7,9,2\n,10,3\n8,,4.5\n", 10)))
	moments := func(column int) (mean, std float64) {
		n := 0.0
		for i := range j.train.Len() {
			if v := j.train.at(i)[column]; v == v {
				mean, std, n = mean+v, std+v*v, n+1
			}
		}
		mean /= n
		return mean, math.Sqrt(std/n - mean*mean)
	}
	a, stdA := moments(0)
	y, stdY := moments(2)
	var gotX, gotY mlp.Matrix
	all := j.table.part(j.table.all())
	all.input = j.Input
	all.Batch(&gotX, &gotY, []int{0, 1, 2, 3})
	wantX := []float64{(5 - a) / stdA, 0, 0, 1, 0, (7 - a) / stdA, 0, 1, 0, 0, 0, 1, 0, 1, 0, (8 - a) / stdA, 0, 0, 0, 1}
	for i, want := range append(wantX, (1-y)/stdY, (2-y)/stdY, (3-y)/stdY, (4.5-y)/stdY) {
		if got := append(gotX.Data, gotY.Data...)[i]; math.Abs(got-want) > 1e-12 {
			t.Errorf("number %d is %v, want %v", i, got, want)
		}
	}
}

// As many words as numbers make categories.
func TestColumns(t *testing.T) {
	j := prepared(t, "-target", "y", file(t, "half.csv", "half,y\n"+strings.Repeat("2,5\n10,6\n3,7\nv,5\nu,6\nv,7\n", 2)))
	if got := j.table.Inputs[0].Values; !slices.Equal(got, []string{"2", "3", "10", "u", "v"}) {
		t.Errorf("the categories are %q", got)
	}
}

// What auto stands for.
func TestAuto(t *testing.T) {
	for _, c := range []struct {
		rows, targets int
		flags         string
		decay         float64
		patience      int
	}{{2000, 1, "", 0.005, 10}, {1999, 2, "", 10.0 / 1999 / 2, 0}, {5000, 1, "-decay=0 -patience=0", 0, 0}, {20, 1, "-patience=7", 0.5, 7}} {
		j, err := parse(strings.Fields(c.flags))
		if err != nil {
			t.Fatal(err)
		}
		if j.resolve(c.rows, c.targets); j.Decay != c.decay || j.Patience != c.patience {
			t.Errorf("%d rows, %d targets, %s: decay %v and patience %v", c.rows, c.targets, c.flags, j.Decay, j.Patience)
		}
	}
}
