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

// Each part and each fold has its share of each class, of each combination of labels, and of
// each tenth of the numbers, and no row is in two. The seed decides which rows.
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
		for networks, folds := range map[string]int{"1": 8, "3": 8, "20": 16} {
			args := []string{"-holdout", "0.3", "-seed", "5", "-ensemble", networks}
			if target != "" {
				args = append(args, "-target", target, data)
			}
			j := prepared(t, args...)
			all := map[int]float64{}
			for i := range j.table.rows() {
				all[stratum(j.table.row(i))]++
			}
			seen := make([]int, j.table.rows())
			parts := map[*part]float64{j.test: 0.3}
			for f := range folds {
				parts[j.train.where(func(r int32) bool { return int(j.fold[r]) == f })] = 0.7 / float64(folds)
			}
			for part, share := range parts {
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
			for i := range 1 + len(j.Others) {
				var c mlp.Config
				samples, err := j.Samples(i, &c)
				if err != nil {
					t.Fatal(err)
				}
				held, learnt := c.Validation.(*part), samples.(*part)
				if both := slices.Sorted(slices.Values(slices.Concat(held.index, learnt.index))); !slices.Equal(both, j.train.index) || int(j.fold[held.index[0]]) != i%folds {
					t.Errorf("target %q: network %d learns %d and holds out %d of %d rows", target, i, learnt.Len(), held.Len(), j.train.Len())
				}
			}
			for _, l := range j.Net {
				clear(l.W.Data)
			}
			if guess, _ := mlp.Evaluate(j.Net, j.train, j.Task().Loss()); math.Abs(guess-j.Guess) > 1e-9 {
				t.Errorf("target %q: a network of zeros has the loss %v, want %v", target, guess, j.Guess)
			}
			if _, other := j.table.split(6, 0.3); slices.Equal(other.index, j.test.index) {
				t.Error("another seed has the same test rows")
			}
		}
	}
}

// With -weights balanced the weights are those of the package, of all training rows, also of
// those that a network holds out.
func TestBalance(t *testing.T) {
	j := prepared(t, "-weights", "balanced")
	j.train.index = []int32{0, 1, 2, 3, 60, 61, 120} // 4, 2 and 1 of the classes
	clear(j.fold)
	j.fold[3], j.fold[61] = 1, 1
	var c mlp.Config
	learnt, err := j.Samples(1, &c)
	if err != nil {
		t.Fatal(err)
	}
	var x, y mlp.Matrix
	j.train.Batch(&x, &y, []int{0, 1, 2, 3, 4, 5, 6})
	want := mlp.BalancedWeights(&y)
	for i, r := range []int{0, 1, 2, 4, 6} {
		if got := learnt.(mlp.Weighted).Weight(i); got != want[r] {
			t.Errorf("row %d weighs %v, want %v", r, got, want[r])
		}
	}
	for i, r := range []int{3, 5} {
		if got := c.Validation.(mlp.Weighted).Weight(i); got != want[r] {
			t.Errorf("row %d, which is held out, weighs %v, want %v", r, got, want[r])
		}
	}
}

// Inputs and targets of numbers are standardized by the training rows alone, whose quantiles
// are the bins. A missing number is 0 then, and a missing category is one more category.
func TestEncoded(t *testing.T) {
	text := "a,b,y\n" + strings.Repeat("5,10,1\n7,9,2\n,10,3\n8,,4.5\n", 10) + strings.Repeat("-300,11,100\n6,9,2\n", 5)
	j := prepared(t, "-target", "y", "-category", "b", file(t, "gaps.csv", text))
	train := j.table.part(j.table.all()[:40])
	if err := train.fit(bins); err != nil {
		t.Fatal(err)
	}
	j.table.encoded = nil
	clip := func(v float64) float64 { return math.Min(1, math.Max(0, v)) }
	is := func(v, category float64) float64 {
		if v == category {
			return 1
		}
		return 0
	}
	// The categories are 9, 10, 11 and none. NaN in place of an input is the mean.
	inputs := []func(cells []float64) float64{
		func(cells []float64) float64 { return cells[0] },
		func(cells []float64) float64 { return clip((cells[0] - 5) / 2) },
		func(cells []float64) float64 { return clip(cells[0] - 7) },
		func(cells []float64) float64 { return 1 - is(cells[0], cells[0]) },
		func(cells []float64) float64 { return is(cells[1], 0) },
		func(cells []float64) float64 { return is(cells[1], 1) },
		func(cells []float64) float64 { return is(cells[1], 2) },
		func(cells []float64) float64 { return is(cells[1], 3) },
		func(cells []float64) float64 { return cells[2] },
	}
	var gotX, gotY mlp.Matrix
	rows := []int{0, 1, 2, 3, 40, 41}
	all := j.table.part(j.table.all())
	all.Batch(&gotX, &gotY, rows)
	if gotX.Cols != len(inputs)-1 {
		t.Fatalf("%d inputs, want %d", gotX.Cols, len(inputs)-1)
	}
	for k, input := range inputs {
		mean, square, n := 0.0, 0.0, 0.0
		for i := range train.Len() {
			if v := input(train.at(i)); v == v {
				mean, square, n = mean+v, square+v*v, n+1
			}
		}
		mean /= n
		std := math.Sqrt(square/n - mean*mean)
		if std == 0 {
			std = 1
		}
		for i, r := range rows {
			want := (input(all.at(r)) - mean) / std
			if want != want {
				want = 0
			}
			got := gotY.Row(i)[0]
			if k < gotX.Cols {
				got = gotX.Row(i)[k]
			}
			if math.Abs(got-want) > 1e-12 {
				t.Errorf("row %d: number %d is %v, want %v", r, k, got, want)
			}
		}
	}
	want := slices.Clone(gotX.Data)
	j.table.encode()
	if all.Batch(&gotX, &gotY, rows); !slices.Equal(gotX.Data, want) {
		t.Errorf("rows that were encoded before are %v, want %v", gotX.Data, want)
	}
}

// A table of very many columns has fewer bins, so that the networks have not many times as many
// inputs.
func TestManyColumns(t *testing.T) {
	for columns, want := range map[int]int{50: 50 * 13, 1000: 1000 * 10, 4000: 4000} {
		var b strings.Builder
		b.WriteString(manyNames(columns) + "y\n")
		for i := range 20 {
			b.WriteString(strings.Repeat(fmt.Sprintf("%d.5,", i), columns) + fmt.Sprintln(i))
		}
		learnt, _ := tableFrom(t, b.String())
		if err := learnt.part(learnt.all()).fit(bins); err != nil || learnt.inputs.Width() != want {
			t.Errorf("%d columns become %d inputs, want %d, error %v", columns, learnt.inputs.Width(), want, err)
		}
		if lo, hi := learnt.Inputs[0].trained(); lo != 0.5 || hi != 19.5 {
			t.Errorf("of %d columns one has the range %v to %v", columns, lo, hi)
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

// What depends on the rows, unless it is given.
func TestAuto(t *testing.T) {
	for _, c := range []struct {
		rows, targets int
		flags         string
		decay         float64
		epochs, batch int
	}{
		{20, 1, "", 0.1, 40, 32}, {1500, 2, "-opt=adam", 1.0 / 3000, 40, 50}, {3000, 1, "", 0.1, 40, 64}, {20_000, 1, "-opt=sgd", 0.00005, 40, 66},
		{80_000, 1, "", 0.1, 20, 256}, {80_000, 1, "-decay=0 -epochs=3 -batch=7", 0, 3, 7},
	} {
		j, err := parse(strings.Fields(c.flags))
		if err != nil {
			t.Fatal(err)
		}
		if j.resolve(c.rows, c.targets); j.Decay != c.decay || j.Epochs != c.epochs || j.Batch != c.batch {
			t.Errorf("%d rows, %d targets, %s: decay %v, %d epochs, batches of %d", c.rows, c.targets, c.flags, j.Decay, j.Epochs, j.Batch)
		}
	}
}
