// The page of a run: what it shows of the rows that judge the model, within bounds that do not
// depend on how large the table is.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
	"mlp/cmd/internal/report"
	"mlp/cmd/internal/stat"
	"mlp/cmd/internal/training"
)

// What Conclude has found, which the page shows too.
type found struct {
	judge      *judge
	exam       *exam
	importance *importance // nil without -importance
	printed    string
}

// The bounds of the page. The importance and the effects each take about pageWork operations.
const (
	pageRows     = 1000 // that are points in a chart
	pageColumns  = 40   // that have a field
	pageEffects  = 4    // columns
	pageSteps    = 21   // of such a column
	pageMean     = 60   // rows whose answers are averaged
	pageSingles  = 20   // rows, each with a line
	pageOutputs  = 6    // with effects
	pageClasses  = 20   // in a confusion
	pageWorst    = 20   // rows
	pageWork     = 2e9
	pageShortest = 30 // rows that are shuffled, at least
)

// Page returns the page of the model.
func (j *job) Page(stderr io.Writer) *files.File {
	err, html := report.CheckTable(&j.Model), []byte(nil)
	if err == nil {
		html, err = report.TableHTML(&j.Model, filepath.Join(j.Out, training.ModelName), j.page())
	}
	if err != nil {
		fmt.Fprintf(stderr, "warning: %s is not written: %s\n", reportName, cli.Plain(err.Error()))
		return nil
	}
	return &files.File{Name: reportName, Content: html}
}

// work estimates how many operations the given number of networks take to answer for a row. An
// exponential counts as a hundred.
func (j *job) work(networks int) float64 {
	return float64(networks * (2*j.Net.Parameters() + 20*j.table.inputs.Width() + 200*j.table.outputs()))
}

// page returns what the page shows of the table.
func (j *job) page() *report.Table {
	e, sample := j.found.exam, j.train.some(2*pageRows)
	t := &report.Table{Fill: j.table.Fill, Start: sample.median(), Printed: j.found.printed, Judged: j.judgedBy(), Rows: people(float64(e.Len()))}
	for _, c := range j.table.Inputs {
		of := c.Column
		of.Name = c.label()
		t.Columns = append(t.Columns, report.TableColumn{Column: of, File: c.Name, Kind: c.Kind, Part: c.Part, Unit: c.Unit,
			Comma: c.Comma, Grouped: c.Grouped, Other: c.Other})
	}
	of := j.ranked()
	t.Loss, t.Ranked = of.base, fmt.Sprintf("%s rows", people(float64(of.rows.Len())))
	if n := len(j.table.Inputs); len(of.order) < n {
		t.Ranked += fmt.Sprintf(" and of the %d of %d columns with the largest weights", len(of.order), n)
	}
	for _, c := range of.order {
		t.Importance = append(t.Importance, report.Important{Column: c, Rise: report.Numbers{of.rise.Mean[c], of.rise.Std[c]}})
	}
	t.Shown = of.order[:min(pageColumns, len(of.order))]
	if len(j.table.Inputs) <= pageColumns {
		t.Shown = upTo(len(j.table.Inputs))
	}
	for _, c := range of.order[:min(pageEffects, len(of.order))] {
		t.Effects = append(t.Effects, j.effect(c, sample))
	}
	if j.table.task() == numbers {
		some := j.found.judge.some(pageRows)
		t.Points, t.Usual = e.pagePoints(some.rows, some.answers(some.rows)), e.usual()
	} else {
		t.Bins, t.Confusions = e.bins(), e.confusions()
	}
	t.Worst = e.worst()
	return t
}

// ranked returns the importance of columns that Conclude has measured, or that of as many rows
// and columns as pageWork allows. Then the columns are those with the largest weights in the first
// layers, whose inputs are standardized.
func (j *job) ranked() *importance {
	if j.found.importance != nil {
		return j.found.importance
	}
	g := j.found.judge
	each := shuffles * j.work(1+len(g.models[0].Others)) // for a row and a column
	columns := upTo(len(j.table.Inputs))
	if n := int(min(pageColumns, max(pageEffects, pageWork/(each*pageShortest)))); len(columns) > n {
		weights := make([]float64, len(columns))
		at := 0
		for i, c := range j.table.inputs {
			for range c.Width() {
				for _, w := range j.Net[0].W.Row(at) {
					weights[i] += float64(w * w)
				}
				at++
			}
		}
		slices.SortStableFunc(columns, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
		columns = columns[:n]
	}
	rows := int(min(2*pageRows, max(pageShortest, pageWork/(each*float64(len(columns))))))
	of, _ := g.some(rows).importance(context.Background(), columns, j.Seed) // which is not cancelled
	return of
}

// upTo returns the numbers from 0 to n − 1.
func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// known returns a column's cells of the rows of p that are not missing, in ascending order.
func (p *part) known(c int) (all []float64) {
	for i := range p.Len() {
		if v := p.at(i)[c]; v == v {
			all = append(all, v)
		}
	}
	slices.Sort(all)
	return all
}

// median returns the median of each input, of categories the most frequent. It is missing if all
// cells are.
func (p *part) median() (row []float64) {
	for i, c := range p.Inputs {
		switch known := p.known(i); {
		case len(known) == 0:
			row = append(row, math.NaN())
		case c.isCategory():
			row = append(row, float64(mlp.Argmax(c.Mean)))
		default:
			row = append(row, known[(len(known)-1)/2])
		}
	}
	return row
}

// effect returns the effect of an input on some rows of p, which has some rows of the table: the
// partial dependence (Friedman 2001, section 8.2). The column runs through the middle 98 % of its
// numbers, or through the most frequent categories.
func (j *job) effect(c int, p *part) report.Effect {
	e := report.Effect{Column: c}
	of, known := j.table.Inputs[c], p.known(c)
	if of.isCategory() {
		order := upTo(len(of.Values))
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(of.Mean[b], of.Mean[a]) })
		for _, k := range order[:min(len(order), 8)] {
			e.Grid = append(e.Grid, float64(k))
		}
		slices.Sort(e.Grid)
	} else if n := len(known) - 1; n >= 0 {
		lo, hi := known[n/100], known[n-n/100]
		for s := range pageSteps {
			share := float64(s) / (pageSteps - 1)
			e.Grid = append(e.Grid, float64(lo*(1-share))+float64(hi*share))
		}
	}
	each := pageSteps * pageEffects * j.work(1+len(j.Others))
	rows := p.some(int(min(pageMean, max(pageSingles, pageWork/each))))
	outputs := min(pageOutputs, j.table.outputs())
	e.Mean, e.Single = make([]report.Numbers, outputs), make([][]report.Numbers, outputs)
	for k := range outputs {
		e.Single[k] = make([]report.Numbers, min(pageSingles, rows.Len()))
	}
	for i := range rows.Len() {
		e.Rug = append(e.Rug, rows.at(i)[c])
	}
	var raw, y mlp.Matrix
	for _, v := range e.Grid {
		rows.rawOf(&raw, upTo(rows.Len()))
		for i := range raw.Rows {
			raw.Row(i)[c] = v
		}
		j.table.answers(j.Model.Predict(&y, &raw))
		for k := range outputs {
			mean := 0.0
			for i := range y.Rows {
				mean += y.Row(i)[k] / float64(y.Rows)
				if s := e.Single[k]; i*len(s)/y.Rows > (i-1)*len(s)/y.Rows || i == 0 {
					at := i * len(s) / y.Rows
					s[at] = append(s[at], y.Row(i)[k])
				}
			}
			e.Mean[k] = append(e.Mean[k], mean)
		}
	}
	return e
}

// pagePoints returns what is true and predicted of rows, for each of the first targets.
func (e *exam) pagePoints(rows *part, y *mlp.Matrix) (all []report.Points) {
	for k := range e.Targets[:min(maxTargets, len(e.Targets))] {
		var p report.Points
		for i := range y.Rows {
			p.True, p.Predicted = append(p.True, rows.truth(i, k)), append(p.Predicted, y.Row(i)[k])
		}
		all = append(all, p)
	}
	return all
}

// usual returns how far off the answers are: the root of the mean squared error of each target.
func (e *exam) usual() (all []float64) {
	for k, c := range e.Targets {
		mean := 0.0
		for i := range e.Len() {
			off := (e.y.Row(i)[k] - e.truth(i, k)) / c.Std[0]
			mean += float64(off*off) / float64(e.Len())
		}
		all = append(all, c.Std[0]*math.Sqrt(mean))
	}
	return all
}

// bins puts the answers in ten bins of equal width: of classes by the largest probability, and of
// two classes and of labels by that of the second category, which is right if it is the true one.
func (e *exam) bins() []report.Bin {
	all := make([]report.Bin, 10)
	add := func(p float64, right bool) {
		if p != p {
			return
		}
		b := &all[min(len(all)-1, int(p*float64(len(all))))]
		b.N, b.Mean = b.N+1, b.Mean+p
		if right {
			b.Right++
		}
	}
	for i := range e.Len() {
		y := e.y.Row(i)
		switch k := mlp.Argmax(y); {
		case e.task() == labels:
			for k, p := range y {
				add(p, e.truth(i, k) == 1)
			}
		case len(y) == 2:
			add(y[1], e.truth(i, 0) == 1)
		default:
			add(y[k], e.truth(i, 0) == float64(k))
		}
	}
	for i := range all {
		if b := &all[i]; b.N > 0 {
			b.Mean, b.Right = b.Mean/float64(b.N), b.Right/float64(b.N)
		}
	}
	return all
}

// confusions returns the confusion of the classes, or of each of the first labels. Of many classes
// it has those that most rows have, and the others as one.
func (e *exam) confusions() (all []report.Confusion) {
	add := func(k int, c stat.Confusion, names []string) {
		of := report.Confusion{Target: e.Targets[k].Name, Counts: c}
		for i := range c {
			of.Names, of.Scores = append(of.Names, short(names[i])), append(of.Scores, c.Scores(i))
		}
		all = append(all, of)
	}
	if e.task() == labels {
		for k := range e.Targets[:min(pageOutputs, len(e.Targets))] {
			add(k, e.labelConfusion(k), e.Targets[k].Values)
		}
		return all
	}
	values := e.Targets[0].Values
	full := e.confusion(slices.Repeat([]float64{1}, len(values)))
	if len(full) > len(values) {
		values = append(slices.Clone(values), "(new)")
	}
	if len(full) <= pageClasses {
		add(0, full, values)
		return all
	}
	order := upTo(len(full))
	rows := func(i int) int { _, _, n := full.Class(i); return n }
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rows(b), rows(a)) })
	few, names := stat.NewConfusion(pageClasses), []string{}
	for i, a := range order {
		for k, b := range order {
			few[min(i, pageClasses-1)][min(k, pageClasses-1)] += full[a][b]
		}
		if i < pageClasses-1 {
			names = append(names, values[a])
		}
	}
	add(0, few, append(names, fmt.Sprintf("%d others", len(full)-pageClasses+1)))
	return all
}

// worst returns the rows with the largest loss.
func (e *exam) worst() (all []report.Worst) {
	type row struct {
		i    int
		loss float64
	}
	var worst []row // the worst first
	for i := range e.Len() {
		r := row{i, e.rowLoss(i)}
		at, _ := slices.BinarySearchFunc(worst, r, func(a, b row) int { return cmp.Or(cmp.Compare(b.loss, a.loss), cmp.Compare(a.i, b.i)) })
		if at < pageWorst {
			worst = slices.Insert(worst, at, r)[:min(pageWorst, len(worst)+1)]
		}
	}
	for _, r := range worst {
		i := r.i
		var truth, answered []string
		for k, c := range e.Targets {
			v, y := e.truth(i, k), e.y.Row(i)
			switch {
			case e.task() == numbers:
				truth, answered = append(truth, fmt.Sprintf("%.6g", v)), append(answered, fmt.Sprintf("%.6g", y[k]))
			case v != v:
				truth, answered = append(truth, "(new)"), append(answered, c.Values[mlp.Argmax(y)])
			case e.task() == classes:
				truth, answered = append(truth, c.Values[int(v)]), append(answered, c.Values[mlp.Argmax(y)])
			default:
				truth, answered = append(truth, c.Values[int(v)]), append(answered, c.Values[isYes(y[k])])
			}
		}
		all = append(all, report.Worst{Row: int(e.index[i]) + 1, Cells: slices.Clone(e.at(i)[:len(e.Inputs)]),
			Truth: strings.Join(truth, ", "), Answered: strings.Join(answered, ", ")})
	}
	return all
}

// rowLoss returns how wrong the answer to a row is: the cross-entropy, or the sum of the squares
// of standardized numbers.
func (e *exam) rowLoss(i int) (loss float64) {
	for k, c := range e.Targets {
		v, y := e.truth(i, k), e.y.Row(i)
		switch {
		case v != v:
			return math.Inf(1)
		case e.task() == numbers:
			off := (y[k] - v) / c.Std[0]
			loss += float64(off * off)
		case e.task() == classes:
			loss -= math.Log(y[int(v)])
		default:
			loss -= math.Log(math.Abs(1 - v - y[k]))
		}
	}
	return loss
}
