// What a network does on the test rows: the confusion of classes, the labels it finds, or
// how far its numbers are off, each beside a baseline; what each column matters; and figures.

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"text/tabwriter"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
	"mlp/cmd/internal/stat"
)

// Conclude returns what the network does on the test rows. A matrix has at most so many
// columns, and at most 200 if it goes to a file.
func (j *job) Conclude(ctx context.Context, columns int) (string, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "Test part: %d rows\n", j.test.Len())
	y := j.test.predict(j.Net)
	switch j.table.task() {
	case classes:
		j.reportClasses(&b, j.test.answers(y), min(columns, 200))
	case labels:
		j.reportLabels(&b, j.test.answers(y))
	case numbers:
		j.reportNumbers(&b, y)
	}
	if j.importance {
		if err := j.reportImportance(ctx, &b); err != nil {
			return "", err
		}
	}
	fmt.Fprintf(&b, "Weights SHA-256: %s\n", j.Net.Fingerprint())
	return b.String(), nil
}

// predict returns the outputs of a network for the rows of p.
func (p *part) predict(net mlp.Network) *mlp.Matrix {
	all := mlp.NewMatrix(p.Len(), p.outputs())
	rows := make([]int, p.Len())
	for i := range rows {
		rows[i] = i
	}
	var x, y mlp.Matrix
	for index := range slices.Chunk(rows, p.rowsAtOnce()) {
		p.raw(&x, index)
		net.Predict(&y, p.input.Apply(&x, &x))
		copy(all.Data[index[0]*all.Cols:], y.Data)
	}
	return all
}

// rowsAtOnce is how many rows are predicted together: if they have many inputs, fewer.
func (e *encoding) rowsAtOnce() int { return max(1, min(1024, 1<<20/e.width())) }

// reportClasses prints the confusion of the classes, and the accuracy beside that of the
// class that most training rows have. Columns is the width of the terminal.
func (j *job) reportClasses(b *bytes.Buffer, y *mlp.Matrix, columns int) {
	var names []string
	for _, v := range j.table.Targets[0].Values {
		names = append(names, short(v))
	}
	confusion := stat.NewConfusion(len(names))
	right := 0
	for i := range j.test.Len() {
		truth, answer := int(j.test.truth(i, 0)), mlp.Argmax(y.Row(i))
		if confusion[truth][answer]++; truth == answer {
			right++
		}
	}
	confusion.Write(b, names, columns)
	usual := mlp.Argmax(j.train.count(0))
	most := 0
	for _, n := range confusion[usual] {
		most += n
	}
	n := float64(j.test.Len())
	fmt.Fprintf(b, "Accuracy: %.4f (baseline %.4f: always %s)\n", float64(right)/n, float64(most)/n, names[usual])
}

// short returns a name on one line, cut if it is very long.
func short(name string) string {
	const most = 60
	r := []rune(cli.Plain(name))
	if len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return string(r)
}

// reportLabels prints for each target how many of its second category were found (recall),
// how many of those found are right (precision), and the accuracy beside that of the answer
// that most training rows have.
func (j *job) reportLabels(b *bytes.Buffer, y *mlp.Matrix) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "target\tis\trows\trecall\tprecision\taccuracy\tbaseline\t")
	for k, c := range j.table.Targets {
		var n [2][2]int // by what is true and what is answered
		for i := range j.test.Len() {
			n[int(j.test.truth(i, k))][isYes(y.Row(i)[k])]++
		}
		usual := mlp.Argmax(j.train.count(k))
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t\n", short(c.Name), short(c.Values[1]), n[1][0]+n[1][1],
			stat.Share(n[1][1], n[1][0]+n[1][1]), stat.Share(n[1][1], n[0][1]+n[1][1]),
			stat.Share(n[0][0]+n[1][1], j.test.Len()), stat.Share(n[usual][0]+n[usual][1], j.test.Len()))
	}
	w.Flush()
}

// reportNumbers prints for each target R² and the root of the mean squared error, beside
// that of the training rows' mean. Both are computed of standardized numbers, whose squares
// are in the range of a float64.
func (j *job) reportNumbers(b *bytes.Buffer, y *mlp.Matrix) {
	n := j.test.Len()
	answers, want := mlp.NewMatrix(n, 1), mlp.NewMatrix(n, 1)
	for k, c := range j.table.Targets {
		var residual, baseline float64
		for i := range n {
			answers.Data[i], want.Data[i] = y.Row(i)[k], (j.test.truth(i, k)-c.Mean)/c.Std
			off := answers.Data[i] - want.Data[i]
			residual += off * off
			baseline += want.Data[i] * want.Data[i]
		}
		r2 := "undefined, as the test rows do not vary"
		if v := mlp.RSquared.Of(answers, want); v == v {
			r2 = fmt.Sprintf("%.4f", v)
		}
		fmt.Fprintf(b, "%s: R² %s, RMSE %s (always the mean: %s)\n", short(c.Name), r2,
			people(c.Std*math.Sqrt(residual/float64(n))), people(c.Std*math.Sqrt(baseline/float64(n))))
	}
}

// people returns a number that is not negative, rounded to four digits, as people write it:
// 44,510 for 4.451e+04.
func people(v float64) string {
	text := strconv.FormatFloat(v, 'g', 4, 64)
	rounded, err := strconv.ParseFloat(text, 64)
	if err != nil || rounded < 1000 || rounded > 1e15 {
		return text
	}
	text = strconv.FormatFloat(rounded, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// reportImportance prints by how much the loss on the test rows rises when the cells of a
// column are shuffled among them (Breiman 2001, section 10), the most important first.
func (j *job) reportImportance(ctx context.Context, b *bytes.Buffer) error {
	loss, _ := j.table.loss()
	base, _ := mlp.Evaluate(j.Net, j.test, loss)
	rise := make([]float64, len(j.table.Inputs))
	order := make([]int, len(rise))
	t := &table{encoding: j.table.encoding} // of the test rows, with the column shuffled
	for i := range j.test.Len() {
		t.cells = append(t.cells, j.test.at(i)...)
	}
	shuffled := &part{table: t, index: t.all(), input: j.Input}
	for i := range rise {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		for row, from := range rand.New(rand.NewPCG(j.Seed, uint64(i+1))).Perm(t.rows()) {
			t.row(row)[i] = j.test.at(from)[i]
		}
		loss, _ := mlp.Evaluate(j.Net, shuffled, loss)
		rise[i], order[i] = loss-base, i
		for row := range t.rows() {
			t.row(row)[i] = j.test.at(row)[i]
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rise[b], rise[a]) })
	fmt.Fprintf(b, "Importance: the test loss, %.4f, rises with a column shuffled by\n", base)
	for _, i := range order {
		fmt.Fprintf(b, "%+.4f  %s\n", rise[i], cli.Plain(j.table.Inputs[i].Name))
	}
	return nil
}

// The files beside the model, in the order in which they are replaced.
const (
	curvesName = "curves.svg"
	pointsName = "predicted-against-true.svg"
)

// Names returns the names of the files beside the model.
func (j *job) Names() (files []string, page string) { return []string{curvesName, pointsName}, "" }

// Files returns the files of the run's history and of the network that it led to.
func (j *job) Files() []files.File {
	all := []files.File{{Name: curvesName, Content: j.curves(j.Run.History).SVG()}}
	if j.table.task() == numbers {
		all = append(all, files.File{Name: pointsName, Content: j.points().SVG()})
	}
	return all
}

// Page returns nil: a table's model has no page.
func (j *job) Page(io.Writer) *files.File { return nil }

// curves is the losses over the epochs.
func (j *job) curves(h mlp.History) *mlp.Figure {
	f := h.Figure()
	f.Title, f.Charts = "Training a network on a table", f.Charts[:1]
	if f.Charts[0].YLabel = "Cross-entropy loss"; j.table.task() == numbers {
		f.Charts[0].YLabel = "Squared error, standardized"
	}
	if j.held != nil {
		best := h.Best()
		f.Desc += fmt.Sprintf(" The loss on the held-out rows is lowest after epoch %d: %.4f.", best.N, best.ValidationLoss)
	}
	return f
}

// The most rows and the most targets that are drawn.
const maxPoints, maxTargets = 500, 4

// points is a chart for each target, the first ones, with a point for each test row.
func (j *job) points() *mlp.Figure {
	n := min(maxPoints, j.test.Len())
	some := *j.test
	some.index = make([]int32, n)
	for i := range some.index {
		some.index[i] = j.test.index[i*j.test.Len()/n]
	}
	y := some.answers(some.predict(j.Net))
	f := &mlp.Figure{Title: "Predicted against true", Columns: 2,
		Desc: fmt.Sprintf("What the network predicts of %d test rows, against what is true.", n)}
	for k, c := range j.table.Targets[:min(maxTargets, len(j.table.Targets))] {
		var truth, predicted []float64
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := range n {
			t := some.truth(i, k)
			truth, predicted = append(truth, t), append(predicted, y.Row(i)[k])
			lo, hi = min(lo, t), max(hi, t)
		}
		f.Charts = append(f.Charts, mlp.Chart{Title: c.Name, XLabel: "True", YLabel: "Predicted", Series: []mlp.Series{
			{Name: "Test row", X: truth, Y: predicted, Points: true}, {Name: "Predicted = true", X: []float64{lo, hi}, Y: []float64{lo, hi}}}})
	}
	return f
}
