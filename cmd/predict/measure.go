// A model on the test digits: accuracy, loss, the confusion matrix, recall, precision
// and F1, and the page.

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/doctor"
	"mlp/cmd/internal/files"
	"mlp/cmd/internal/mnist"
	"mlp/cmd/internal/report"
	"mlp/cmd/internal/stat"
)

// measure prints how well a model reads the test digits, or writes its page.
func (o *options) measure(ctx context.Context, m *mlp.Model, stdout, stderr io.Writer) error {
	test, err := mnist.Load(o.data, "t10k", 0)
	if err != nil {
		return err
	}
	if o.report != "" {
		return o.writeReport(m, test, stderr)
	}
	fmt.Fprintf(stderr, "data: %v to test on, from %s\n", test, cli.Plain(mnist.Source(o.data)))
	unlike := ""
	if m.Familiarity != nil {
		n := 0
		for _, l := range m.Familiarity.Compare(test) {
			if l.Unlike {
				n++
			}
		}
		unlike = fmt.Sprintf("Do not look like a digit: %d of %d\n", n, test.Len())
	}
	if m.Deskew {
		test = test.Deskew()
	}
	test.Standardize(m.Input)
	confusion := stat.NewConfusion(mlp.MNISTClasses)
	count := func(y, want *mlp.Matrix) float64 {
		for i := range y.Rows {
			confusion[mlp.Argmax(want.Row(i))][mlp.Argmax(y.Row(i))]++
		}
		return mlp.Accuracy.Of(y, want)
	}
	loss, accuracy := m.Evaluate(test, &mlp.Metric{Name: "accuracy", Of: count})
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return fmt.Errorf("%s: the network's output is not finite", o.model)
	}
	if err := context.Cause(ctx); err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "Test Accuracy: %.4f\nTest Loss: %.4f\n%s\n", accuracy, loss, unlike)
	confusion.Write(&text, strings.Split("0123456789", ""), cli.Width(stdout))
	if _, err := text.WriteTo(stdout); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// writeReport writes the page of a model, as cmd/train does when a run ends.
func (o *options) writeReport(m *mlp.Model, test *mlp.MNIST, stderr io.Writer) error {
	html, err := report.HTML(m, o.model, test, fmt.Sprintf("%v, from %s", test, mnist.Source(o.data)), doctor.Diagnose(m, math.Log(mlp.MNISTClasses)), nil)
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

// writeExport writes a model for other programs, whose images are of grey values.
func (o *options) writeExport(m *mlp.Model, stderr io.Writer) error {
	named := *m
	named.Targets = mlp.Columns{{Name: "digit", Values: strings.Split("0123456789", "")}}
	return o.export.Write(&named, true, stderr)
}
