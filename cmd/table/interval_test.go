package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// noise is a table of two numbers that a third tells up to noise, whose size it tells too.
func noise(rows int, seed uint64) string {
	random := rand.New(rand.NewPCG(seed, 1))
	var b strings.Builder
	b.WriteString("x,price,size\n")
	for range rows {
		x := random.Float64()
		fmt.Fprintf(&b, "%.4f,%.2f,%.4f\n", x, 1e5+1e4*(x+x*random.NormFloat64()), x*x+0.1*random.ExpFloat64())
	}
	return b.String()
}

// Of new rows as many are in the intervals as -interval says, up to chance: that of the rows and
// that of the rows which the margins are from. The intervals are in the two columns behind each
// number. -verify and -resume make the same margins.
func TestInterval(t *testing.T) {
	out, rows, calibrated := t.TempDir(), 3000, 600
	must(t, "-target", "price,size", "-interval", "0.8", "-holdout", "0.5", "-ensemble", "2", "-hidden", "8", "-epochs", "3", "-out", out, file(t, "train.csv", noise(2*calibrated, 1)))
	model := filepath.Join(out, "model.npz")
	stdout, _ := must(t, "-model", model, file(t, "new.csv", noise(rows, 2)))
	cells, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(cells[0], ","), "x,price,size,predicted price,predicted price from,predicted price to,predicted size,predicted size from,predicted size to"; got != want {
		t.Fatalf("header %s, want %s", got, want)
	}
	for k := range 2 {
		covered := 0
		for _, row := range cells[1:] {
			number := func(i int) float64 {
				v, err := strconv.ParseFloat(row[i], 64)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			truth, answer, from, to := number(1+k), number(3+3*k), number(4+3*k), number(5+3*k)
			if !(from < answer && answer < to) || math.Abs(from+to-2*answer) > 1e-4*math.Abs(answer)+1e-4 {
				t.Fatalf("%v in %v to %v", answer, from, to)
			}
			if from <= truth && truth <= to {
				covered++
			}
		}
		deviation := math.Sqrt(0.8 * 0.2 * (1/float64(rows) + 1/float64(calibrated)))
		if share := float64(covered) / float64(rows); math.Abs(share-0.8) > 3*deviation {
			t.Errorf("target %d: %v of the rows are in their intervals, want 0.8 ± %v", k, share, 3*deviation)
		}
	}
	before := read(t, model)
	must(t, "-verify", model)
	if must(t, "-resume", model); read(t, model) != before {
		t.Error("a finished run has changed its file")
	}
}

func TestIntervalRefuses(t *testing.T) {
	few := file(t, "few.csv", noise(40, 1))
	refusedWith(t, 2, []string{"-interval", "1", "-holdout", "0.2", few}, "-interval 1: want a share from 0 to below 1")
	refusedWith(t, 2, []string{"-interval", "NaN", "-holdout", "0.2", few}, "-interval NaN")
	refusedWith(t, 2, []string{"-interval", "0.9", few}, "-interval needs rows that no network has seen: want -holdout or -test")
	refused(t, []string{"-interval", "0.9", "-holdout", "0.2", "-target", "price", few}, "-interval 0.9 needs 9 rows or more of -holdout or -test, there are 8")
	refused(t, []string{"-interval", "0.9", "-holdout", "0.2"}, "-interval is for numbers, and the target is a category")
}
