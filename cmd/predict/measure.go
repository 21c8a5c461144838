// A model on the test digits: accuracy, loss, the confusion matrix, precision and recall,
// and the page.

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/doctor"
	"mlp/cmd/internal/files"
	"mlp/cmd/internal/mnist"
	"mlp/cmd/internal/report"
)

// A confusion counts the test digits: row for what was meant, column for what was read.
type confusion [mlp.MNISTClasses][mlp.MNISTClasses]int

// measure prints how well a model reads the test digits.
func (o *options) measure(ctx context.Context, m *mlp.Model, stdout, stderr io.Writer) error {
	test, err := mnist.Load(o.data, "t10k", 0)
	if err != nil {
		return err
	}
	fmt.Fprintf(stderr, "data: %v to test on, from %s\n", test, cli.Plain(mnist.Source(o.data)))
	if m.Deskew {
		test = test.Deskew()
	}
	test.Standardize(m.Input)
	var counts confusion
	loss, accuracy := mlp.EvaluateBy(m.Net, test, nil, &mlp.Metric{Name: "accuracy", Of: counts.count})
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("%s: the network's output is not finite", o.model)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "Test Accuracy: %.4f\nTest Loss: %.4f\n\n", accuracy, loss)
	counts.print(&text)
	if _, err := text.WriteTo(stdout); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// writeReport writes the page of a model, as cmd/train does when a run ends.
func (o *options) writeReport(m *mlp.Model, stderr io.Writer) error {
	test, err := mnist.Load(o.data, "t10k", 0)
	if err != nil {
		return err
	}
	html, err := report.HTML(m, test, fmt.Sprintf("%v, from %s", test, mnist.Source(o.data)), doctor.Diagnose(m, math.Log(mlp.MNISTClasses)))
	if err != nil {
		return fmt.Errorf("%s: %w", o.model, err)
	}
	dir, name := filepath.Split(filepath.Clean(o.report))
	dir = filepath.Clean(dir)
	release, err := files.Claim(dir, name)
	if err == nil {
		defer release()
		err = files.Replace(dir, files.File{Name: name, Content: html})
	}
	if err != nil {
		return fmt.Errorf("-report %s: %w", o.report, err)
	}
	fmt.Fprintf(stderr, "written to %s: %s\n", cli.Plain(dir), cli.Plain(name))
	return nil
}

// count adds what the network read and what was meant. It returns the accuracy.
func (c *confusion) count(read, meant *mlp.Matrix) float64 {
	for i := range read.Rows {
		c[mlp.Argmax(meant.Row(i))][mlp.Argmax(read.Row(i))]++
	}
	return mlp.Accuracy.Of(read, meant)
}

// print writes the confusion matrix, with the recall of each digit at the end of its row
// and the precision at the foot of its column.
func (c *confusion) print(w io.Writer) {
	var read [mlp.MNISTClasses]int
	fmt.Fprintf(w, "%-12s", "meant \\ read")
	for digit := range c {
		fmt.Fprintf(w, " %6d", digit)
	}
	fmt.Fprintf(w, "  recall\n")
	for meant, row := range c {
		all := 0
		fmt.Fprintf(w, "%-12d", meant)
		for digit, n := range row {
			fmt.Fprintf(w, " %6d", n)
			all += n
			read[digit] += n
		}
		fmt.Fprintf(w, "  %6s\n", share(row[meant], all))
	}
	fmt.Fprintf(w, "%-12s", "precision")
	for digit, all := range read {
		fmt.Fprintf(w, " %6s", share(c[digit][digit], all))
	}
	fmt.Fprintln(w)
}

// share returns n/all with four decimals, or a dash if all is 0.
func share(n, all int) string {
	if all == 0 {
		return "–"
	}
	return fmt.Sprintf("%.4f", float64(n)/float64(all))
}
