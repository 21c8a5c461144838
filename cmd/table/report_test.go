// The figures of a report, computed by hand.

package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mlp"
)

// made returns a job with one input, these targets, and rows that have these values of
// them.
func made(train, test [][]float64, targets ...*column) *job {
	j, _ := parse(nil)
	t := &table{encoding: &encoding{Inputs: []*column{numeric("x", 0, 1)}, Targets: targets}}
	t.inputs = fitted(t.Inputs)
	for i, row := range append(train, test...) {
		t.cells = append(append(t.cells, float64(i)), row...)
	}
	all := t.all()
	j.table, j.train, j.test = t, t.part(all[:len(train)]), t.part(all[len(train):])
	j.Columns, j.Targets = t.inputs, fitted(targets)
	return j
}

// categories returns a column of them.
func categories(name string, values ...string) *column {
	return &column{Name: name, Column: mlp.Column{Values: values}, codes: map[string]int{}}
}

// numeric returns a column of numbers that are standardized by a mean and a deviation.
func numeric(name string, mean, std float64) *column {
	return &column{Name: name, Column: mlp.Column{Mean: []float64{mean}, Std: []float64{std}}}
}

// Of the true classes a, a, a, a, b, b, c the answers are a, a, a, b, b, b, a. Most training
// rows are b.
func TestClassFigures(t *testing.T) {
	long := strings.Repeat("c", 40)
	j := made([][]float64{{1}, {0}, {1}}, [][]float64{{0}, {0}, {0}, {0}, {1}, {1}, {2}}, categories("k", "a", "b", long))
	y := mlp.NewMatrix(7, 3)
	loss, baseline := 0.0, 0.0
	for i, answer := range []int{0, 0, 0, 1, 1, 1, 0} {
		copy(y.Row(i), []float64{0.3, 0.3, 0.3})
		y.Row(i)[answer] = 0.4
		loss -= math.Log(y.Row(i)[int(j.test.truth(i, 0))]) / 7
	}
	for _, share := range []float64{1.0 / 3, 1.0 / 3, 1.0 / 3, 1.0 / 3, 2.0 / 3, 2.0 / 3, 1e-15} {
		baseline -= math.Log(share) / 7
	}
	figures := regexp.QuoteMeta("Accuracy: 0.7143 (baseline 0.2857: always b)\nBalanced accuracy: 0.5833 (baseline 0.3333)\n" +
		"Log-loss: @ (baseline @: always the shares of the classes)\n")
	figures = fmt.Sprintf(strings.ReplaceAll(figures, "@", "%.4f"), loss, baseline)
	matrix := `^ +true . predicted  a  b +c{40} +recall +precision +F1\n +a  3  1 +0 +0.750 +0.750 +0.750\n +b  0  2 +0 +1.000 +0.667 +0.800\n +c{40}  1  0 +0 +0.000 +- +0.000\n`
	mistakes := `1 × a taken for b\n1 × c{40} taken for a\n`
	for columns, want := range map[int]string{116: matrix + figures, 115: `^ +true +rows[^×]*` + mistakes + figures, 5: `^ +true +rows`} {
		var b bytes.Buffer
		if (&exam{j.test, y, j.train}).reportClasses(&b, columns); !regexp.MustCompile(want).MatchString(b.String()) {
			t.Errorf("with %d columns:\n%s", columns, b.String())
		}
	}
}

// Of ten rows four are yes. Three of these are found, and two others are taken for yes. Most
// training rows are yes. The other label is always no, in truth and in the answers.
func TestLabelFigures(t *testing.T) {
	test := [][]float64{{0, 1}, {0, 1}, {0, 1}, {0, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}
	j := made([][]float64{{0, 1}, {1, 1}, {0, 0}}, test, categories("rare", "n", "y"), categories("big", "no", "yes"))
	y := mlp.NewMatrix(10, 2)
	for i, p := range []float64{0.9, 0.6, 0.51, 0.5, 0.8, 0.7, 0.1, 0.2, 0.3, 0} {
		y.Row(i)[1] = p
	}
	var b bytes.Buffer
	(&exam{j.test, y, j.train}).reportLabels(&b)
	want := `^target +is +rows +recall +precision +F1 +AUC +accuracy +baseline\n +rare +y +0 +- +- +- +- +1.000 +1.000\n +big +yes +4 +0.750 +0.600 +0.667 +0.750 +0.700 +0.400\n$`
	if got := regexp.MustCompile(` *\n *`).ReplaceAllString(strings.TrimSpace(b.String()), "\n ") + "\n"; !regexp.MustCompile(want).MatchString(got) {
		t.Errorf("printed\n%s", b.String())
	}
}

// Of 1, 2, 3 and 4 the answers are 1, 2, 3 and 5: R² is 1 - 1/5, and the mean squared error
// is 1/4, as is the mean absolute error. The training rows' mean is 2, for which these are 6/4 and 1. The unit does not matter, not
// even if the square of a number is none.
func TestNumberFigures(t *testing.T) {
	for unit, want := range map[float64]string{
		1: "0.5 (always the mean: 1.225), mean absolute error 0.25 (1)", 1e5: "50,000 (always the mean: 122,500), mean absolute error 25,000 (100,000)",
		1e154:     "5e+153 (always the mean: 1.225e+154), mean absolute error 2.5e+153 (1e+154)",
		1e-300:    "5e-301 (always the mean: 1.225e-300), mean absolute error 2.5e-301 (1e-300)",
		1e308 / 4: "1.25e+307 (always the mean: 3.062e+307), mean absolute error 6.25e+306 (2.5e+307)",
	} {
		j := made(nil, [][]float64{{7, unit}, {7, 2 * unit}, {7, 3 * unit}, {7, 4 * unit}},
			numeric("same", 8, 1), numeric("n", 2*unit, unit/4))
		y := mlp.NewMatrix(4, 2, 7, unit, 7, 2*unit, 7, 3*unit, 7, 5*unit)
		var b bytes.Buffer
		(&exam{j.test, y, j.train}).reportNumbers(&b)
		if got := b.String(); got != "same: R² undefined, as the rows do not vary, RMSE 0 (always the mean: 1), mean absolute error 0 (1)\nn: R² 0.8000, RMSE "+want+"\n" {
			t.Errorf("in units of %v: %s", unit, got)
		}
	}
	for v, want := range map[float64]string{0.00123456: "0.001235", 999.94: "999.9", 999.96: "1,000", 44512.3: "44,510", 211849: "211,800", 1234567: "1,235,000",
		1e15: "1,000,000,000,000,000", 1.1e15: "1.1e+15", math.NaN(): "NaN", math.Inf(1): "+Inf"} {
		if got := people(v); got != want {
			t.Errorf("%v is printed as %s, want %s", v, got, want)
		}
	}
}

// The importance of a column is the rise of the mean of (y - want)² if it alone is shuffled,
// in the mean of ten times, for y = 3·b of the inputs b and a, and for targets of b: for a that
// is none.
func TestImportance(t *testing.T) {
	j := prepared(t, "-target", "y", "-holdout", "0.2", "-seed", "4", file(t, "ba.csv", "b,a,y\n"+strings.Repeat("4,1,4\n1,2,1\n3,3,3\n1,4,1\n5,5,5\n", 20)))
	j.Others, j.Net = nil, mlp.Network{{W: *mlp.NewMatrix(j.Columns.Width(), 1), B: *mlp.NewMatrix(1, 1), Act: mlp.Linear}}
	j.Net[0].W.Data[0] = 3
	loss := j.judge().loss
	var b bytes.Buffer
	measured, err := j.test.importance(context.Background(), []int{0, 1}, 4, loss)
	if err != nil {
		t.Fatal(err)
	}
	measured.report(&b)
	n, rng := j.test.Len(), rand.New(rand.NewPCG(4, 1))
	input := func(i int) float64 { return (j.test.at(i)[0] - j.Columns[0].Mean[0]) / j.Columns[0].Std[0] }
	off := func(at []int) (mean float64) {
		for i := range n {
			want := (j.test.truth(i, 0) - j.Targets[0].Mean[0]) / j.Targets[0].Std[0]
			mean += math.Pow(3*input(at[i])-want, 2) / float64(n)
		}
		return mean
	}
	unshuffled := make([]int, n)
	for i := range unshuffled {
		unshuffled[i] = i
	}
	base := off(unshuffled)
	mean, square := 0.0, 0.0
	for range 10 {
		rise := off(rng.Perm(n)) - base
		mean, square = mean+rise/10, square+rise*rise/10
	}
	if want := fmt.Sprintf("Importance: the loss, %.4f, rises with a column shuffled by (mean ± deviation of 10 times)\n%+.4f ± %.4f  b\n+0.0000 ± 0.0000  a\n",
		base, mean, math.Sqrt(square-mean*mean)); b.String() != want {
		t.Errorf("printed\n%swant\n%s", b.String(), want)
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := j.test.importance(cancelled, []int{0}, 4, loss); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

// A row of the training part is answered by the networks that held it out, and by no other: here
// a network's number is in the thousands of its answer, so that another's would be far off. The
// truth is 1 more than what these networks answer in the mean, or 1 less.
func TestOutOfFold(t *testing.T) {
	const rows = 48
	for _, c := range []struct{ networks, folds, answered int }{{1, 8, 6}, {3, 8, 18}, {12, 12, 48}, {20, 16, 48}} {
		j := made(slices.Repeat([][]float64{{0}}, rows), nil, numeric("n", 50, 100))
		j.test, j.folds, j.Ensemble = nil, c.folds, c.networks
		for r := range rows {
			f := r * 7 % c.folds // network f holds it out, and f+folds if there is one
			j.fold = append(j.fold, int32(f))
			thousands := float64(f)
			if f+c.folds < c.networks {
				thousands += float64(c.folds) / 2
			}
			j.table.row(r)[1] = float64(r) + 1000*thousands + float64(r/c.folds%2*2-1)
		}
		for i := range c.networks { // which answers x + 1000·i
			net := mlp.Network{{W: *mlp.NewMatrix(1, 1, 0.01), B: *mlp.NewMatrix(1, 1, 10*float64(i)-0.5), Act: mlp.Linear}}
			if i == 0 {
				j.Net = net
			} else {
				j.Others = append(j.Others, mlp.Member{Net: net})
			}
		}
		text, err := j.Conclude(context.Background(), 80)
		if err != nil {
			t.Fatal(err)
		}
		want := regexp.MustCompile(fmt.Sprintf(`\AOut of fold, answered by networks that had not seen the row: %d rows\nn: R² \S+, RMSE 1 \(.*\), mean absolute error 1 \(.*\n`, c.answered))
		if !want.MatchString(text) {
			t.Errorf("%d networks: printed\n%s", c.networks, text)
		}
		some := j.judge().some(5)
		for i, y := range some.answers(some.rows).Data {
			if truth := some.rows.truth(i, 0); math.Abs(math.Abs(y-truth)-1) > 1e-9 {
				t.Errorf("%d networks: in the chart %v is answered by %v", c.networks, truth, y)
			}
		}
	}
}

// With -test and -holdout all networks answer for the test rows.
func TestTestPart(t *testing.T) {
	j := made([][]float64{{0}, {1}}, [][]float64{{5}, {4}}, numeric("n", 0, 1))
	j.folds, j.fold = 2, []int32{0, 1, -1, -1}
	j.Net = mlp.Network{{W: *mlp.NewMatrix(1, 1, 1), B: *mlp.NewMatrix(1, 1, 0), Act: mlp.Linear}} // of x, which is the row
	j.Others = []mlp.Member{{Net: mlp.Network{{W: *mlp.NewMatrix(1, 1, 1), B: *mlp.NewMatrix(1, 1, 4), Act: mlp.Linear}}}}
	text, err := j.Conclude(context.Background(), 80)
	if want := "Test part: 2 rows\nn: R² -3.0000, RMSE 1 (always the mean: 4.528), mean absolute error 1 (4.5)\n"; err != nil || !strings.HasPrefix(text, want) {
		t.Errorf("error %v, printed\n%s", err, text)
	}
}

// The points of the chart are what is true to the right and what is predicted above, in the
// units of the table; that of the losses has each for its rows.
func TestCharts(t *testing.T) {
	var rows [][]float64
	for i := range 1000 {
		rows = append(rows, []float64{float64(i)})
	}
	j := made(nil, rows, numeric("n", 10, 100))
	j.Net = mlp.Network{{W: *mlp.NewMatrix(1, 1, 0.02), B: *mlp.NewMatrix(1, 1, 0), Act: mlp.Linear}} // of x, which is the row
	some := j.judge().some(500)
	points := (&exam{some.rows, some.answers(some.rows), nil}).points().Charts[0].Series[0]
	if len(points.X) != 500 || points.X[7] != 14 || math.Abs(points.Y[7]-(14*0.02*100+10)) > 1e-12 {
		t.Errorf("%d points, one at %v, %v", len(points.X), points.X[7], points.Y[7])
	}
	losses := j.curves(mlp.History{{N: 1, Loss: 1, TestLoss: math.NaN(), ValidationLoss: 2}, {N: 2, Loss: 3, TestLoss: math.NaN(), ValidationLoss: 4}}).Charts[0].Series
	if losses[0].Name != "Training" || losses[0].Y[1] != 3 || losses[1].Name != "Held out" || losses[1].Y[1] != 4 {
		t.Errorf("the losses are %v", losses)
	}
}
