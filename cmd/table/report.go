// What a network does on the test rows: the confusion of classes, the labels it finds, or
// how far its numbers are off, each beside a baseline; and what each column matters. Not
// here: the figures (charts.go).

package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"text/tabwriter"

	"mlp"
	"mlp/cmd/internal/cli"
)

// conclude prints the results of a finished run.
func (j *job) conclude(stdout, stderr io.Writer) error {
	if best := j.Run.History.Best(); j.held != nil {
		fmt.Fprintf(stderr, "kept: epoch %d of %d, whose loss on the held-out tenth is %.4f\n", best.N, len(j.Run.History), best.HeldLoss)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "Test part: %d rows\n", j.test.Len())
	y := j.test.predict(j.Net)
	switch j.table.task() {
	case classes:
		j.reportClasses(&b, y)
	case labels:
		j.reportLabels(&b, y)
	case numbers:
		j.reportNumbers(&b, y)
	}
	if j.importance {
		j.reportImportance(&b)
	}
	fmt.Fprintf(&b, "Weights SHA-256: %s\n", j.Net.Fingerprint())
	if _, err := stdout.Write(b.Bytes()); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// predict returns the answers of a network to the rows of p: probabilities, or numbers in
// the units of the table.
func (p *part) predict(net mlp.Network) *mlp.Matrix {
	all := mlp.NewMatrix(p.Len(), p.outputs())
	var x, y mlp.Matrix
	index := make([]int, 0, rowsAtOnce)
	for lo := 0; lo < p.Len(); lo += rowsAtOnce {
		index = index[:0]
		for i := lo; i < min(lo+rowsAtOnce, p.Len()); i++ {
			index = append(index, i)
		}
		p.raw(&x, index)
		p.input.Apply(&x, &x)
		p.answers(net.Predict(&y, &x))
		copy(all.Data[lo*all.Cols:], y.Data)
	}
	return all
}

// rowsAtOnce is how many rows are predicted together.
const rowsAtOnce = 1024

// answers makes a network's outputs probabilities, or numbers in the units of the table.
func (e *encoding) answers(y *mlp.Matrix) *mlp.Matrix {
	switch e.task() {
	case classes:
		return y.Softmax()
	case labels:
		mlp.Sigmoid.Forward(y.Data)
	case numbers:
		for i := range y.Rows {
			for k, c := range e.Targets {
				y.Row(i)[k] = float64(y.Row(i)[k]*c.Std) + c.Mean
			}
		}
	}
	return y
}

// largest returns the place of the largest element, the first if there are several.
func largest(x []float64) (at int) {
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}

// maxMatrix is the most classes whose confusion is printed as a matrix.
const maxMatrix = 20

// reportClasses prints the confusion matrix, a row for each true class, and the accuracy
// beside that of the class that most training rows have.
func (j *job) reportClasses(b *bytes.Buffer, y *mlp.Matrix) {
	names := j.table.Targets[0].Values
	confusion := make([][]int, len(names))
	for i := range confusion {
		confusion[i] = make([]int, len(names))
	}
	right := 0
	for i, r := range j.test.index {
		truth, answer := int(j.test.target(r, 0)), largest(y.Row(i))
		if confusion[truth][answer]++; truth == answer {
			right++
		}
	}
	writeConfusion(b, names, confusion)
	counts := make([]float64, len(names))
	for _, r := range j.train.index {
		counts[int(j.table.target(r, 0))]++
	}
	usual := largest(counts)
	most := 0
	for _, n := range confusion[usual] {
		most += n
	}
	n := float64(j.test.Len())
	fmt.Fprintf(b, "Accuracy: %.4f (baseline %.4f: always %s)\n", float64(right)/n, float64(most)/n, cli.Plain(names[usual]))
}

// writeConfusion prints a confusion matrix with the share of each class that was found or,
// if there are many classes, only the mistakes that are made most.
func writeConfusion(b *bytes.Buffer, names []string, confusion [][]int) {
	if len(names) > maxMatrix {
		writeMistakes(b, names, confusion)
		return
	}
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "true \\ predicted\t")
	for _, name := range names {
		fmt.Fprintf(w, "%s\t", short(name))
	}
	fmt.Fprintln(w, "recall\t")
	for i, row := range confusion {
		fmt.Fprintf(w, "%s\t", short(names[i]))
		total := 0
		for _, n := range row {
			fmt.Fprintf(w, "%d\t", n)
			total += n
		}
		fmt.Fprintf(w, "%s\t\n", share(row[i], total))
	}
	w.Flush()
}

// writeMistakes prints the pairs of classes that are confused most.
func writeMistakes(b *bytes.Buffer, names []string, confusion [][]int) {
	type mistake struct{ n, truth, answer int }
	var all []mistake
	for i, row := range confusion {
		for k, n := range row {
			if i != k && n > 0 {
				all = append(all, mistake{n, i, k})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b mistake) int { return b.n - a.n })
	for _, m := range all[:min(10, len(all))] {
		fmt.Fprintf(b, "%d × %s taken for %s\n", m.n, short(names[m.truth]), short(names[m.answer]))
	}
}

// short returns a name on one line, cut if it is long.
func short(name string) string {
	r := []rune(cli.Plain(name))
	if len(r) > 20 {
		return string(r[:19]) + "…"
	}
	return string(r)
}

// share returns n of total with three digits, or a dash if there is nothing to share.
func share(n, total int) string {
	if total == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", float64(n)/float64(total))
}

// reportLabels prints for each target how many of its second category were found (recall),
// how many of those found are right (precision), and the accuracy beside that of the answer
// that most training rows have.
func (j *job) reportLabels(b *bytes.Buffer, y *mlp.Matrix) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "target\tis\trows\trecall\tprecision\taccuracy\tbaseline\t")
	for k, c := range j.table.Targets {
		var n [2][2]int // by what is true and what is answered
		for i, r := range j.test.index {
			answer := 0
			if y.Row(i)[k] > 0.5 {
				answer = 1
			}
			n[int(j.test.target(r, k))][answer]++
		}
		trained := 0
		for _, r := range j.train.index {
			trained += int(j.table.target(r, k))
		}
		usual := 0
		if 2*trained > j.train.Len() {
			usual = 1
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t\n", short(c.Name), short(c.Values[1]), n[1][0]+n[1][1],
			share(n[1][1], n[1][0]+n[1][1]), share(n[1][1], n[0][1]+n[1][1]),
			share(n[0][0]+n[1][1], j.test.Len()), share(n[usual][0]+n[usual][1], j.test.Len()))
	}
	w.Flush()
}

// reportNumbers prints for each target R² and the root of the mean squared error, beside
// that of the training rows' mean.
func (j *job) reportNumbers(b *bytes.Buffer, y *mlp.Matrix) {
	for k, c := range j.table.Targets {
		n, mean := float64(j.test.Len()), 0.0
		for _, r := range j.test.index {
			mean += j.test.target(r, k) / n
		}
		var residual, total, baseline float64
		for i, r := range j.test.index {
			truth := j.test.target(r, k)
			residual += square(truth - y.Row(i)[k])
			total += square(truth - mean)
			baseline += square(truth - c.Mean)
		}
		fmt.Fprintf(b, "%s: R² %.4f, RMSE %.4g (baseline %.4g: always the mean, %.4g)\n", short(c.Name),
			1-residual/total, math.Sqrt(residual/n), math.Sqrt(baseline/n), c.Mean)
	}
}

func square(x float64) float64 { return x * x }

// reportImportance prints by how much the loss on the test rows rises when the cells of a
// column are shuffled among them (Breiman 2001, section 10), the most important first.
func (j *job) reportImportance(b *bytes.Buffer) {
	loss := j.table.task().loss()
	base, _ := mlp.Evaluate(j.Net, j.test, loss)
	rise := make([]float64, len(j.table.Inputs))
	order := make([]int, len(rise))
	for i := range rise {
		moved := *j.test
		moved.moved, moved.from = i, rand.New(rand.NewPCG(j.Seed, uint64(i+1))).Perm(j.test.Len())
		shuffled, _ := mlp.Evaluate(j.Net, &moved, loss)
		rise[i], order[i] = shuffled-base, i
	}
	slices.SortStableFunc(order, func(a, b int) int { return compare(rise[b], rise[a]) })
	fmt.Fprintf(b, "Importance: the test loss, %.4f, rises with a column shuffled by\n", base)
	for _, i := range order {
		fmt.Fprintf(b, "%+.4f  %s\n", rise[i], cli.Plain(j.table.Inputs[i].Name))
	}
}
