// Columns: what is fitted, the inputs by their formulas, and what a file may not have.

package mlp

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func fit(t *testing.T, values []string, raw []float64, bins int) Column {
	t.Helper()
	c, err := FitColumn("c", values, raw, bins)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Edges are the smallest number, the largest and quantiles between them. Equal ones are one.
func TestColumnEdges(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		raw   []float64
		bins  int
		edges []float64
		width int
	}{
		{[]float64{5, 1, 4, 2, 3}, 4, []float64{1, 2, 3, 4, 5}, 5},
		{[]float64{5, 1, 4, 2, 3}, 2, []float64{1, 3, 5}, 3},
		{[]float64{5, 1, 4, 2, 3}, 1, []float64{1, 5}, 1},
		{[]float64{5, 1, 4, 2, 3}, 0, nil, 1},
		{[]float64{5, 1, nan, 4, 2, 3, nan}, 2, []float64{1, 3, 5}, 4},
		{[]float64{1, 1, 1, 1, 9}, 4, []float64{1, 9}, 1},
		{[]float64{0, 0, 0, 7, 7, 7, 7, 7, 7, 8, 8}, 5, []float64{0, 7, 8}, 3},
		{[]float64{1, 2, 3}, 100, []float64{1, 2, 3}, 3},
		{[]float64{6, 6, 6}, 12, nil, 1},
		{[]float64{6, nan, 6}, 12, nil, 2},
		{[]float64{6}, 12, nil, 1},
	} {
		got := fit(t, nil, c.raw, c.bins)
		if !slices.Equal(got.Edges, c.edges) || got.Width() != c.width || got.Gaps != slices.ContainsFunc(c.raw, math.IsNaN) {
			t.Errorf("%v in %d bins: edges %v, %d inputs, gaps %v", c.raw, c.bins, got.Edges, got.Width(), got.Gaps)
		}
	}
}

// The inputs of the fitted rows have the mean 0 and the deviation 1, unless they do not vary. A
// missing number, a category that is none and one between two are 0, except in the input for gaps.
func TestColumnInputs(t *testing.T) {
	nan := math.NaN()
	quantity := []float64{7, -3, nan, 2.5, 100, 0, 0, 8, nan, 41}
	cs := Columns{fit(t, nil, quantity, 4), fit(t, []string{"a", "b", "none has it"}, []float64{0, 1, 1, 0, 1, 1, 1, 0, 1, 1}, 4), fit(t, nil, slices.Repeat([]float64{6}, 10), 4)}
	if want := []float64{-3, 0, 2.5, 8, 100}; !slices.Equal(cs[0].Edges, want) {
		t.Fatalf("edges %v, want %v", cs[0].Edges, want)
	}
	raw := NewMatrix(12, 3)
	for i := range 10 {
		copy(raw.Row(i), []float64{quantity[i], []float64{0, 1, 1, 0, 1, 1, 1, 0, 1, 1}[i], 6})
	}
	copy(raw.Row(10), []float64{5, nan, nan})
	copy(raw.Row(11), []float64{1e300, 3, 7})
	z := cs.Apply(new(Matrix), raw)
	if z.Rows != 12 || z.Cols != 1+4+1+3+1 || cs.Width() != z.Cols {
		t.Fatalf("%d×%d inputs", z.Rows, z.Cols)
	}
	for k := range z.Cols {
		sum, square, known := 0.0, 0.0, 0.0
		for i := range 10 {
			if k < 5 && quantity[i] != quantity[i] {
				if z.Row(i)[k] != 0 {
					t.Errorf("input %d of a missing number is %v", k, z.Row(i)[k])
				}
				continue
			}
			sum, square, known = sum+z.Row(i)[k], square+z.Row(i)[k]*z.Row(i)[k], known+1
		}
		variance := 1.0
		if k == 8 || k == 9 { // which do not vary
			variance = 0
		}
		if math.Abs(sum/known) > 1e-12 || math.Abs(square/known-variance) > 1e-12 {
			t.Errorf("input %d has the mean %v and the variance %v, want 0 and %v", k, sum/known, square/known, variance)
		}
	}
	// 5 lies in the third bin, from 2.5 to 8, and 1e300 behind all.
	of := func(k int, input float64) float64 { return (input - cs[0].Mean[k]) / cs[0].Std[k] }
	for i, want := range map[int][]float64{
		10: {of(0, 5), of(1, 1), of(2, 1), of(3, 2.5/5.5), of(4, 0), of(5, 0), 0, 0, 0, 0},
		11: {of(0, 1e300), of(1, 1), of(2, 1), of(3, 1), of(4, 1), of(5, 0), 0, 0, 0, 1},
		2:  {0, 0, 0, 0, 0, of(5, 1), (0 - 0.3) / math.Sqrt(0.21), (1 - 0.7) / math.Sqrt(0.21), 0, 0},
	} {
		for k, v := range want {
			if got := z.Row(i)[k]; math.Abs(got-v) > 1e-12*max(1, math.Abs(v)) {
				t.Errorf("row %d, input %d is %v, want %v", i, k, got, v)
			}
		}
	}
}

func TestFitColumnRefused(t *testing.T) {
	for want, raw := range map[string][]float64{
		`column "c": no number in the training rows`:                        {math.NaN()},
		`column "c": its numbers are too large for a mean and a deviation`:  {1e308, -1e308, 1e308, -1e308, math.Inf(1)},
		`column "c": its numbers are too large for a mean and a deviation `: {1e308, 1e308, -1e308, -1e308},
	} {
		if _, err := FitColumn("c", nil, raw, 12); err == nil || err.Error() != strings.TrimSpace(want) {
			t.Errorf("%v: error %v, want %s", raw, err, want)
		}
	}
}

func TestColumnsApplyPanics(t *testing.T) {
	cs := Columns{fit(t, nil, []float64{1, 2, 3}, 2), fit(t, nil, []float64{1, 2, 3}, 1)}
	x := NewMatrix(2, 3)
	for want, call := range map[string]func(){
		"mlp: Columns.Apply: rows of 3 numbers for 2 columns":            func() { cs.Apply(new(Matrix), x) },
		"mlp: Columns.Apply: the inputs share storage with the raw rows": func() { cs[1:].Apply(&Matrix{Data: x.Data}, &Matrix{Rows: 2, Cols: 1, Data: x.Data[:2]}) },
		"mlp: Columns.Apply: 3 elements for 2×2":                         func() { cs.Apply(new(Matrix), &Matrix{Rows: 2, Cols: 2, Data: x.Data[:3]}) },
	} {
		t.Run(want, func(t *testing.T) {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v", got)
				}
			}()
			call()
		})
	}
}

// What columns a model cannot have, when it is written and when it is read.
func TestColumnsRefused(t *testing.T) {
	whole := func() *Model {
		c := fit(t, nil, []float64{1, 2, 3, 4, 5, math.NaN()}, 2)
		d := fit(t, []string{"a", "b"}, []float64{0, 1, 1}, 0)
		return &Model{Net: NewNetwork(1, He, ReLU, 6, 2), Columns: Columns{c, d}}
	}
	for _, c := range []struct {
		want  string
		spoil func(m *Model)
	}{
		{`column "c" has 3 means and 4 deviations, want 4`, func(m *Model) { m.Columns[0].Mean = m.Columns[0].Mean[1:] }},
		{`column "c" has 1 edges, want 0 or 2 to 1001`, func(m *Model) {
			c := &m.Columns[0]
			c.Edges, c.Mean, c.Std = c.Edges[:1], c.Mean[:2], c.Std[:2]
			m.Net = NewNetwork(1, He, ReLU, 4, 2)
		}},
		{`column "c": edge 2 is 1, want finite numbers that ascend`, func(m *Model) { m.Columns[0].Edges[1] = 1 }},
		{`column "c": edge 2 is NaN, want finite numbers that ascend`, func(m *Model) { m.Columns[0].Edges[1] = math.NaN() }},
		{`column "c": edge 3 is +Inf, want finite numbers that ascend`, func(m *Model) { m.Columns[0].Edges[2] = math.Inf(1) }},
		{`column "c" has categories and edges`, func(m *Model) { m.Columns[1].Edges = []float64{1, 2} }},
		{`its columns become 4 inputs, the network has 6`, func(m *Model) { m.Columns = m.Columns[:1] }},
		{`it has Columns, and Input or Deskew too`, func(m *Model) { m.Input = m.Columns.standardization() }},
		{`mean: element (0, 2) is NaN`, func(m *Model) { m.Columns[0].Mean[2] = math.NaN() }},
		{`std: element (0, 5) is -1`, func(m *Model) { m.Columns[1].Std[1] = -1 }},
	} {
		m := whole()
		c.spoil(m)
		if err := m.Write(new(strings.Builder)); err == nil || err.Error() != c.want {
			t.Errorf("written with error %v, want %s", err, c.want)
		}
	}
	file := func(m *Model, edges, mean, std *Matrix) []byte {
		text, err := m.runJSON()
		if err != nil {
			t.Fatal(err)
		}
		members := []npzMember{{Name: "W1", Matrix: &m.Net[0].W}, {Name: "b1", Matrix: &m.Net[0].B}, {Name: "run.json", Bytes: text}}
		for name, x := range map[string]*Matrix{"edges": edges, "mean": mean, "std": std} {
			if x != nil {
				members = append(members, npzMember{Name: name, Matrix: x})
			}
		}
		return npzFile(t, members...)
	}
	nan := math.NaN()
	edges, six := NewMatrix(2, 3, 1, 3, 5, nan, nan, nan), NewMatrix(1, 6, 1, 1, 1, 1, 1, 1)
	if m, err := read(file(whole(), edges, six, six)); err != nil || !slices.Equal(m.Columns[0].Edges, []float64{1, 3, 5}) || m.Columns[1].Edges != nil || m.Columns[1].Mean[1] != 1 {
		t.Fatalf("error %v", err)
	}
	for _, c := range []struct {
		want             string
		edges, mean, std *Matrix
	}{
		{`edges: file does not exist in the archive`, nil, six, six},
		{`edges: 1×3, want 2×0`, NewMatrix(1, 3, 1, 3, 5), six, six},
		{`column "c": edge 2 is 1, want finite numbers that ascend`, NewMatrix(2, 3, 1, 1, 5, nan, nan, nan), six, six},
		{`column "c": edge 1 is -Inf, want finite numbers that ascend`, NewMatrix(2, 3, math.Inf(-1), 1, 5, nan, nan, nan), six, six},
		{`mean: 1×6, want 1×4`, NewMatrix(2, 3, nan, 1, 5, nan, nan, nan), six, six},
		{`mean, std: one of the two is missing`, edges, six, nil},
		{`the mean and std of its columns or its targets are missing`, edges, nil, nil},
		{`std: element (0, 5) is -1`, edges, six, NewMatrix(1, 6, 1, 1, 1, 1, 1, -1)},
		{`mean: element (0, 0) is NaN`, edges, NewMatrix(1, 6, nan, 1, 1, 1, 1, 1), six},
	} {
		if _, err := read(file(whole(), c.edges, c.mean, c.std)); err == nil || err.Error() != c.want {
			t.Errorf("read with error %v, want %s", err, c.want)
		}
	}
}
