// Advice: what in a table makes the figures of a network say less than it seems.

package main

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"mlp"
)

// fewRows is how many rows are too few to say much.
const fewRows = 100

// advice returns a line for each thing that is wrong with a table: it is small, columns are
// copies of others, a column alone tells a target, one of the first.
func (t *table) advice() (lines []string) {
	say := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	inputs := 0
	for _, c := range t.Inputs {
		inputs += max(1, len(c.Values))
	}
	switch n := t.rows(); {
	case n < fewRows:
		say("%d rows are few: with other rows, or another -seed, the figures can be quite different", n)
	case n < inputs:
		say("%d rows are few for the %d numbers and categories of the columns; -without leaves out columns that cannot matter", n, inputs)
	}
	if copied := t.copies(); len(copied) > 0 {
		say("columns say in each row the same as one before them: -without %s leaves them out", flagged(copied...))
	}
	for k, c := range t.Targets[:min(maxTargets, len(t.Targets))] {
		if names := t.tellers(k); len(names) > 0 {
			say("one column alone tells %.60q: %s; if that is known only after the target, the figures are too good, and -without leaves it out",
				c.Name, flagged(names...))
		}
	}
	return lines
}

// rare returns a line if a class has less than a tenth of the training rows, and less than half
// of what it would have if all classes had as many. With -weights balanced a network answers
// about as if its probabilities were multiplied by the weights (Elkan 2001, "The foundations of
// cost-sensitive learning"), so that the line can say what would change. If the recall would not,
// there is no line.
func (e *exam) rare() []string {
	if e.task() != classes {
		return nil
	}
	counts, rarest := e.train.count(0), 0
	for k, n := range counts {
		if n > 0 && (n < counts[rarest] || counts[rarest] == 0) {
			rarest = k
		}
	}
	share := counts[rarest] / float64(e.train.Len())
	if share >= min(0.1, 0.5/float64(len(counts))) {
		return nil
	}
	now, then := e.confusion(slices.Repeat([]float64{1}, len(counts))), e.confusion(e.train.balance())
	is, would := now.Scores(rarest), then.Scores(rarest)
	if is[0] == would[0] {
		return nil
	}
	mean, _ := now.Balanced()
	wouldMean, _ := then.Balanced()
	return []string{fmt.Sprintf("%.60q has %.1f %% of the training rows; with -weights balanced its recall would be about %s instead of %s, "+
		"its precision %s instead of %s, and the balanced accuracy %.3f instead of %.3f",
		e.Targets[0].Values[rarest], 100*share, would[0], is[0], would[1], is[1], wouldMean, mean)}
}

// copies returns the names of the columns with an input that is a copy of one of a column before
// them, by a hash of their cells. An input that does not vary is none.
func (t *table) copies() (names []string) {
	hashes, varies := make([]uint64, len(t.Inputs)), make([]bool, len(t.Inputs))
	for i := range t.rows() {
		for c := range hashes {
			v := t.row(i)[c]
			hashes[c] = (hashes[c] ^ math.Float64bits(v)) * 0x9e3779b97f4a7c15
			hashes[c] ^= hashes[c] >> 32
			varies[c] = varies[c] || math.Float64bits(v) != math.Float64bits(t.row(0)[c])
		}
	}
	first := map[uint64]int{}
	for c, hash := range hashes {
		original, seen := first[hash]
		if !seen {
			first[hash] = c
			continue
		}
		a, b := t.Inputs[original], t.Inputs[c]
		if varies[c] && a.isCategory() == b.isCategory() && a.Name != b.Name && !slices.Contains(names, b.Name) {
			names = append(names, b.Name)
		}
	}
	return names
}

// sample returns some rows in random order: at most 10,000, and fewer of a wide table.
func (t *table) sample() []int32 {
	rows := t.all()
	rand.New(rand.NewPCG(1, 0)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	return rows[:min(len(rows), 10_000, max(200, 2_000_000/t.cols()))]
}

// tellers returns the names of the columns with an input that tells the k-th target. The rows are put in the
// order of an input, equal ones in random order. If it tells nothing, the targets of neighbours
// are as far apart as those of any two rows; if it tells all, they are equal, or for numbers
// nearly so. What is compared is whether two are equal or, of numbers, the square of the
// distance of their ranks (Bartels 1982; Chatterjee 2021). An input tells the target if less
// than a hundredth is left, of all neighbours or of those whose input is equal.
func (t *table) tellers(k int) (names []string) {
	rows := t.sample()
	n := float64(len(rows))
	targets, order := make([]float64, len(rows)), make([]int, len(rows))
	for i, r := range rows {
		targets[i], order[i] = t.target(int(r), k), i
	}
	distance := func(a, b float64) float64 { return (a - b) * (a - b) }
	apart, borders := 0.0, 0.0 // of two rows in the mean; neighbours that differ if classes are intervals
	if c := t.Targets[k]; c.isCategory() {
		counts := make([]float64, len(c.Values))
		for _, class := range targets {
			counts[int(class)]++
		}
		apart, borders = 1, float64(len(c.Values)-1)
		for _, count := range counts {
			apart -= count / n * count / n
		}
		distance = func(a, b float64) float64 {
			if a == b {
				return 0
			}
			return 1
		}
	} else {
		targets = ranks(targets)
		std := mlp.FitStandardization(&mlp.Matrix{Rows: len(rows), Cols: 1, Data: targets}).Std[0]
		apart = 2 * std * std
	}
	const left, fewest = 0.01, 10 // fewest rules out what can be chance
	if apart*n < fewest {
		return nil
	}
	for c, input := range t.Inputs {
		cell := func(i int) float64 { return t.row(int(rows[i]))[c] }
		slices.Sort(order)
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(cell(a), cell(b)) })
		var all, ofEqual, equal float64
		for i, b := range order[1:] {
			a := order[i]
			d := distance(targets[a], targets[b])
			if all += d; cmp.Compare(cell(a), cell(b)) == 0 {
				ofEqual, equal = ofEqual+d, equal+1
			}
		}
		if all <= borders+left*apart*n || equal > n/2 && ofEqual <= left*apart*equal {
			names = append(names, input.Name)
		}
	}
	return slices.Compact(names) // the parts of a date have one name
}

// ranks returns the rank of each number as a share of all; equal ones have the mean of theirs.
func ranks(x []float64) []float64 {
	sorted := slices.Sorted(slices.Values(x))
	rank := make([]float64, len(x))
	for i, v := range x {
		lo, _ := slices.BinarySearch(sorted, v)
		hi, _ := slices.BinarySearch(sorted, math.Nextafter(v, math.Inf(1)))
		rank[i] = float64(lo+hi) / 2 / float64(len(x))
	}
	return rank
}

// differs returns a line if the rows of another file are not like those of t. It takes, of the
// columns in which a value is in another share of the rows, or for numbers those up to it are,
// the one with the largest difference. A difference counts from 0.2, if that is more than chance
// (the statistic of Kolmogorov and Smirnov is 3 or more).
func (t *table) differs(test *table) []string {
	rows, tests := t.sample(), test.sample()
	a, b := make([]float64, len(rows)), make([]float64, len(tests))
	n := float64(len(a)) / float64(len(a)+len(b)) * float64(len(b))
	largest, line, others := 0.0, "", -1
	for i, c := range t.columns() {
		for k, r := range rows {
			a[k] = t.row(int(r))[i]
		}
		for k, r := range tests {
			b[k] = test.row(int(r))[i]
		}
		at, before, after := farthest(a, b, !c.isCategory())
		off := math.Abs(after - before)
		if off < 0.2 || off*math.Sqrt(n) < 3 {
			continue
		}
		if others++; off <= largest {
			continue
		}
		what := "at most " + strconv.FormatFloat(at, 'g', 4, 64)
		if at != at {
			what = "missing"
		} else if c.isCategory() {
			what = fmt.Sprintf("%.60q", c.Values[int(at)])
		}
		largest, line = off, fmt.Sprintf("%.60q is %s in %.0f %% of them and in %.0f %% of the training file", c.label(), what, 100*after, 100*before)
	}
	if largest == 0 {
		return nil
	}
	if others > 0 {
		line += fmt.Sprintf("; columns that differ beside it: %d", others)
	}
	return []string{"the rows of -test are not like those to train on, and the figures hold for such rows alone: " + line}
}

// farthest returns the number whose share in a and in b differs most or, if cumulated, that of
// all up to it, and the two shares. NaN is the smallest number.
func farthest(a, b []float64, cumulated bool) (at, inA, inB float64) {
	both := slices.Concat(a, b)
	for _, x := range [][]float64{a, b, both} {
		slices.Sort(x)
	}
	upTo := func(x []float64, v float64) int {
		n, _ := slices.BinarySearchFunc(x, v, func(e, v float64) int { return cmp.Or(cmp.Compare(e, v), -1) })
		return n
	}
	beforeA, beforeB := 0, 0
	for _, v := range slices.CompactFunc(both, func(a, b float64) bool { return cmp.Compare(a, b) == 0 }) {
		nA, nB := upTo(a, v), upTo(b, v)
		shareA, shareB := float64(nA-beforeA)/float64(len(a)), float64(nB-beforeB)/float64(len(b))
		if math.Abs(shareA-shareB) > math.Abs(inA-inB) {
			at, inA, inB = v, shareA, shareB
		}
		if !cumulated {
			beforeA, beforeB = nA, nB
		}
	}
	return at, inA, inB
}
