// What a network does on rows that it has not seen: the confusion of classes, the labels it
// finds, or how far its numbers are off, each beside a baseline; what each column matters; and
// figures.

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
	"mlp/cmd/internal/stat"
	"mlp/cmd/internal/training"
)

// Conclude returns what the ensemble does on rows that it has not seen, and what the table is
// like. A matrix has at most so many columns, and at most 200 if it goes to a file.
func (j *job) Conclude(ctx context.Context, columns int) (string, error) {
	var b bytes.Buffer
	judge := j.judge()
	e := &exam{judge.rows, judge.answers(judge.rows), j.train}
	e.report(&b, j.judgedBy(), min(columns, 200))
	j.found = &found{judge: judge, exam: e, printed: b.String()}
	if j.calibrate {
		y, want := judge.logits()
		b.WriteString(training.Calibration(y, want, j.Temperature))
	}
	for k, margin := range j.Margins {
		fmt.Fprintf(&b, "%s: with a probability of %v within %s of the answer\n", short(j.Targets[k].Name), j.interval, people(margin))
	}
	if j.importance {
		var err error
		if j.found.importance, err = judge.importance(ctx, upTo(len(judge.rows.Inputs)), j.Seed); err != nil {
			return "", err
		}
		j.found.importance.report(&b)
	}
	advice := j.table.advice()
	if !j.weights.Value {
		advice = append(advice, e.rare()...)
	}
	if j.testData != "" {
		advice = append(advice, j.table.differs(j.test.table)...)
	}
	for _, line := range advice {
		fmt.Fprintf(&b, "Advice: %s\n", cli.Plain(line))
	}
	fmt.Fprintf(&b, "Weights SHA-256: %s\n", j.Fingerprint())
	return b.String(), nil
}

// judgedBy says which rows judge the model.
func (j *job) judgedBy() string {
	if j.test != nil {
		return "Test part"
	}
	return "Out of fold, answered by networks that had not seen the row"
}

// A judge has rows that are no part of the training: the test rows, or those that a network has
// held out, for which only the networks answer that have done so.
type judge struct {
	rows   *part
	models []*mlp.Model
	model  []int32 // the place in models of what answers each row of rows
}

// judge returns the judge of the run.
func (j *job) judge() *judge {
	if j.test != nil {
		return &judge{j.test, []*mlp.Model{&j.Model}, make([]int32, j.test.Len())}
	}
	models := make([]*mlp.Model, min(j.folds, 1+len(j.Others)))
	for f := range models {
		models[f] = &mlp.Model{Net: j.Net, Columns: j.Columns, Targets: j.Targets, Temperature: j.Temperature}
		if f > 0 {
			models[f].Net = j.Others[f-1].Net
		}
		for i := f + j.folds; i <= len(j.Others); i += j.folds {
			models[f].Others = append(models[f].Others, j.Others[i-1])
		}
	}
	rows := j.train.where(func(r int32) bool { return int(j.fold[r]) < len(models) })
	of := make([]int32, rows.Len())
	for i, r := range rows.index {
		of[i] = j.fold[r]
	}
	return &judge{rows, models, of}
}

// answers returns the answers to rows like those of the judge, in their order.
func (g *judge) answers(p *part) *mlp.Matrix { return p.answers(g.predict(p)) }

// predict returns what is predicted for rows like those of the judge.
func (g *judge) predict(p *part) *mlp.Matrix {
	all := mlp.NewMatrix(p.Len(), p.outputs())
	var raw, y mlp.Matrix
	for m, model := range g.models {
		var rows []int
		for i, of := range g.model {
			if int(of) == m {
				rows = append(rows, i)
			}
		}
		for index := range slices.Chunk(rows, rowsAtOnce(model)) {
			model.Predict(&y, p.rawOf(&raw, index))
			for k, i := range index {
				copy(all.Row(i), y.Row(k))
			}
		}
	}
	return all
}

// loss returns the loss of what is predicted for rows like those of the judge.
func (g *judge) loss(p *part) float64 {
	y := g.predict(p)
	for i := range y.Rows {
		for k, c := range p.Targets {
			if p.task() == numbers {
				y.Row(i)[k] = (y.Row(i)[k] - c.Mean[0]) / c.Std[0]
			}
		}
	}
	return p.task().Loss()(nil, y, p.allWanted())
}

// logits returns the logits for the rows of the judge before the temperature, and their targets.
// Those of labels are in one column.
func (g *judge) logits() (y, want *mlp.Matrix) {
	plain := *g
	plain.models = nil
	for _, m := range g.models {
		hot := *m
		hot.Temperature = 0
		plain.models = append(plain.models, &hot)
	}
	y, want = plain.predict(g.rows), g.rows.allWanted()
	if g.rows.task() == labels {
		y, want = mlp.NewMatrix(len(y.Data), 1, y.Data...), mlp.NewMatrix(len(y.Data), 1, want.Data...)
	}
	return y, want
}

// rowsAtOnce is how many rows are predicted together: if they have many inputs, fewer.
func rowsAtOnce(m *mlp.Model) int { return max(1, min(1024, 1<<20/m.Net[0].W.Rows)) }

// An exam is rows with the answers to them: probabilities, or numbers in the units of the table.
type exam struct {
	*part
	y     *mlp.Matrix // n×outputs
	train *part       // what is most frequent, or the mean, in these rows is the baseline
}

// report prints the figures under a title. Columns is the width of the terminal.
func (e *exam) report(b *bytes.Buffer, title string, columns int) {
	fmt.Fprintf(b, "%s: %d rows\n", title, e.Len())
	switch e.task() {
	case classes:
		e.reportClasses(b, columns)
	case labels:
		e.reportLabels(b)
	case numbers:
		e.reportNumbers(b)
	}
}

// confusion counts the classes of the rows and of their answers, if each probability is
// multiplied by the weight of its class. A class that no training row has, which is NaN, is the
// last if there is any.
func (e *exam) confusion(weights []float64) stat.Confusion {
	unseen := len(weights)
	c, p := stat.NewConfusion(unseen+1), make([]float64, unseen)
	for i := range e.Len() {
		for k, w := range weights {
			p[k] = w * e.y.Row(i)[k]
		}
		truth := unseen
		if v := e.truth(i, 0); v == v {
			truth = int(v)
		}
		c[truth][mlp.Argmax(p)]++
	}
	if _, _, n := c.Class(unseen); n > 0 {
		return c
	}
	for k := range c {
		c[k] = c[k][:unseen]
	}
	return c[:unseen]
}

// reportClasses prints the confusion of the classes, the accuracy beside that of the class that
// most training rows have, the balanced accuracy, which is the mean of the classes' recalls,
// the log-loss beside that of the training rows' shares and, of two classes, the area under the
// curve. The last two are of the rows whose class a training row has.
func (e *exam) reportClasses(b *bytes.Buffer, columns int) {
	var names []string
	for _, v := range e.Targets[0].Values {
		names = append(names, short(v))
	}
	n := e.Len()
	confusion := e.confusion(slices.Repeat([]float64{1}, len(names)))
	if len(confusion) > len(names) {
		names = append(names, "(new)")
	}
	confusion.Write(b, names, columns)
	counts := e.train.count(0)
	usual := mlp.Argmax(counts)
	_, _, most := confusion.Class(usual)
	fmt.Fprintf(b, "Accuracy: %.4f (baseline %.4f: always %s)\n", confusion.Accuracy(), float64(most)/float64(n), names[usual])
	balanced, present := confusion.Balanced()
	fmt.Fprintf(b, "Balanced accuracy: %.4f (baseline %.4f)\n", balanced, 1/float64(present))

	var truth, second, right, share []float64 // of rows of a known class; right is the probability of the true one
	for i := range n {
		if v := e.truth(i, 0); v == v {
			truth, second = append(truth, v), append(second, e.y.Row(i)[1])
			right, share = append(right, e.y.Row(i)[int(v)]), append(share, counts[int(v)]/float64(e.train.Len()))
		}
	}
	column := func(x []float64) *mlp.Matrix { return mlp.NewMatrix(len(x), 1, x...) }
	ones := column(slices.Repeat([]float64{1}, len(truth)))
	fmt.Fprintf(b, "Log-loss: %.4f (baseline %.4f: always the shares of the classes)\n",
		mlp.CrossEntropy(column(right), ones), mlp.CrossEntropy(column(share), ones))
	if area := mlp.AUC.Of(column(second), column(truth)); len(counts) == 2 && area == area {
		fmt.Fprintf(b, "Area under the curve: %.4f (baseline 0.5)\n", area)
	}
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

// reportLabels prints for each target how many of its second category were found (recall), how
// many of those found are right (precision), F1, the area under the curve, and the accuracy
// beside that of the answer that most training rows have.
func (e *exam) reportLabels(b *bytes.Buffer) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "target\tis\trows\trecall\tprecision\tF1\tAUC\taccuracy\tbaseline\t")
	n := e.Len()
	y, truth := mlp.NewMatrix(n, 1), mlp.NewMatrix(n, 1)
	for k, c := range e.Targets {
		confusion := e.labelConfusion(k)
		for i := range n {
			y.Data[i], truth.Data[i] = e.y.Row(i)[k], e.truth(i, k)
		}
		area := "-"
		if v := mlp.AUC.Of(y, truth); v == v {
			area = fmt.Sprintf("%.3f", v)
		}
		_, _, rows := confusion.Class(1)
		_, _, most := confusion.Class(mlp.Argmax(e.train.count(k)))
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%.3f\t%s\t\n", short(c.Name), short(c.Values[1]), rows,
			strings.Join(confusion.Scores(1), "\t"), area, confusion.Accuracy(), stat.Share(most, n))
	}
	w.Flush()
}

// labelConfusion counts the answers to the k-th label.
func (e *exam) labelConfusion(k int) stat.Confusion {
	c := stat.NewConfusion(2)
	for i := range e.Len() {
		c[int(e.truth(i, k))][isYes(e.y.Row(i)[k])]++
	}
	return c
}

// reportNumbers prints for each target R², the root of the mean squared error and the mean
// absolute error, beside those of the training rows' mean. They are computed of standardized
// numbers, whose squares are in the range of a float64.
func (e *exam) reportNumbers(b *bytes.Buffer) {
	n := e.Len()
	answers, want, mean := mlp.NewMatrix(n, 1), mlp.NewMatrix(n, 1), mlp.NewMatrix(n, 1)
	for k, c := range e.Targets {
		for i := range n {
			answers.Data[i], want.Data[i] = (e.y.Row(i)[k]-c.Mean[0])/c.Std[0], (e.truth(i, k)-c.Mean[0])/c.Std[0]
		}
		off := func(y *mlp.Matrix) (rmse, mae string) {
			return people(c.Std[0] * math.Sqrt(mlp.SquaredError(nil, y, want))), people(c.Std[0] * mlp.MeanAbsoluteError.Of(y, want))
		}
		r2 := "undefined, as the rows do not vary"
		if v := mlp.RSquared.Of(answers, want); v == v {
			r2 = fmt.Sprintf("%.4f", v)
		}
		rmse, mae := off(answers)
		baseRMSE, baseMAE := off(mean)
		fmt.Fprintf(b, "%s: R² %s, RMSE %s (always the mean: %s), mean absolute error %s (%s)\n", short(c.Name), r2, rmse, baseRMSE, mae, baseMAE)
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

// shuffles is how often the importance of a column is measured.
const shuffles = 10

// An importance is by how much a loss on rows rises when the cells of a column are shuffled among
// them (Breiman 2001, section 10): the mean of ten shuffles and their standard deviation.
type importance struct {
	rows  *part
	base  float64              // the loss with no column shuffled
	order []int                // the columns, the most important first
	rise  *mlp.Standardization // of each input; of a column that was not shuffled it is 0
}

// importance measures that of some columns on the rows of the judge.
func (g *judge) importance(ctx context.Context, columns []int, seed uint64) (*importance, error) {
	return g.rows.importance(ctx, columns, seed, g.loss)
}

// importance measures that of some columns on the rows of p. The rows that loss gets have the
// order of those of p.
func (p *part) importance(ctx context.Context, columns []int, seed uint64, loss func(*part) float64) (*importance, error) {
	base := loss(p)
	t := &table{encoding: p.encoding} // of the rows of p, with the column shuffled
	for i := range p.Len() {
		t.cells = append(t.cells, p.at(i)...)
	}
	shuffled := t.part(t.all())
	rises := mlp.NewMatrix(shuffles, len(p.Inputs))
	for _, c := range columns {
		rng := rand.New(rand.NewPCG(seed, uint64(c+1)))
		for k := range shuffles {
			if err := context.Cause(ctx); err != nil {
				return nil, err
			}
			for i, from := range rng.Perm(t.rows()) {
				t.row(i)[c] = p.at(from)[c]
			}
			rises.Row(k)[c] = loss(shuffled) - base
		}
		for i := range t.rows() {
			t.row(i)[c] = p.at(i)[c]
		}
	}
	rise := mlp.FitStandardization(rises)
	order := slices.Clone(columns)
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rise.Mean[b], rise.Mean[a]) })
	return &importance{p, base, order, &rise}, nil
}

// report prints a line for each column, the most important first.
func (m *importance) report(b *bytes.Buffer) {
	fmt.Fprintf(b, "Importance: the loss, %.4f, rises with a column shuffled by (mean ± deviation of %d times)\n", m.base, shuffles)
	for _, c := range m.order {
		fmt.Fprintf(b, "%+.4f ± %.4f  %s\n", m.rise.Mean[c], m.rise.Std[c], cli.Plain(m.rows.Inputs[c].label()))
	}
}

// The files beside the model, in the order in which they are replaced.
const (
	curvesName = "curves.svg"
	pointsName = "predicted-against-true.svg"
	reportName = "report.html" // which is made at the end of a run
)

// Names returns the names of the files beside the model.
func (j *job) Names() (files []string, page string) {
	return []string{curvesName, pointsName}, reportName
}

// Files returns the files of the run's history and of the network that it led to.
func (j *job) Files() []files.File {
	all := []files.File{{Name: curvesName, Content: j.curves(j.History()).SVG()}}
	if j.table.task() == numbers {
		judge := j.judge().some(maxPoints)
		e := exam{judge.rows, judge.answers(judge.rows), j.train}
		all = append(all, files.File{Name: pointsName, Content: e.points().SVG()})
	}
	return all
}

// curves is the losses over the epochs.
func (j *job) curves(h mlp.History) *mlp.Figure {
	f := h.Figure()
	f.Title, f.Charts = "Training a network on a table", f.Charts[:1]
	if f.Charts[0].YLabel = "Cross-entropy loss"; j.table.task() == numbers {
		f.Charts[0].YLabel = "Squared error, standardized"
	}
	best := h.Best()
	f.Desc += fmt.Sprintf(" The mean loss on held-out rows is lowest after epoch %d: %.4f.", best.N, best.ValidationLoss)
	return f
}

// The most rows and the most targets that are drawn; so many targets are looked at for advice too.
const maxPoints, maxTargets = 500, 4

// some returns a judge of at most so many of the rows, as far apart as another.
func (g *judge) some(most int) *judge {
	few := *g
	few.rows, few.model = g.rows.some(most), nil
	for i := range few.rows.index {
		few.model = append(few.model, g.model[i*g.rows.Len()/few.rows.Len()])
	}
	return &few
}

// points is a chart for each target, the first ones, with a point for each row.
func (e *exam) points() *mlp.Figure {
	f := &mlp.Figure{Title: "Predicted against true", Columns: 2,
		Desc: fmt.Sprintf("What is predicted of %d rows that had not been seen, against what is true.", e.Len())}
	if len(e.Targets) == 1 {
		f.Height = 340
	}
	for k, c := range e.Targets[:min(maxTargets, len(e.Targets))] {
		var truth, predicted []float64
		for i := range e.Len() {
			truth, predicted = append(truth, e.truth(i, k)), append(predicted, e.y.Row(i)[k])
		}
		both := append(slices.Clone(truth), predicted...)
		ends := []float64{slices.Min(both), slices.Max(both)} // of both axes, which so have one range
		f.Charts = append(f.Charts, mlp.Chart{Title: c.Name, XLabel: "True", YLabel: "Predicted", Equal: true, Series: []mlp.Series{
			{Name: "Row", X: truth, Y: predicted, Points: true, Size: 0.7}, {Name: "Predicted = true", X: ends, Y: ends}}})
	}
	return f
}
