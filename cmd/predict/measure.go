// A model on the test digits: accuracy, loss, the confusion matrix, precision and recall.
// Not here: the chart of its mistakes (mistakes.go).

package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/report"
)

const mistakesName = "mistakes.svg"

// A mistake is a test digit that was read wrong.
type mistake struct {
	index       int // in the test part, from 0
	meant, read int
	probability float64 // of the digit that was read
}

// A confusion counts the test digits: row for what was meant, column for what was read.
type confusion [mlp.MNISTClasses][mlp.MNISTClasses]int

// measure prints how well a model reads the test digits, and draws its worst mistakes.
func (o *options) measure(ctx context.Context, m *mlp.Model, stdout, stderr io.Writer) error {
	test, err := cli.Load(o.data, "t10k", 0, stderr)
	if err != nil {
		return err
	}
	if err := cli.MakeFolder(o.out, mistakesName); err != nil {
		return fmt.Errorf("-out %s: %w", o.out, err)
	}
	fmt.Fprintf(stderr, "data: %v to test on, from %s\n", test, cli.Plain(cmp.Or(o.data, "the sample in the program")))
	shown := test
	if m.Deskew {
		shown = test.Deskew()
	}
	shown.Standardize(m.Input)
	loss, accuracy := mlp.Evaluate(m.Net, shown, nil)
	counts, mistakes, err := confuse(ctx, m.Net, shown)
	if err != nil {
		return err
	}
	chart := drawMistakes(test, mistakes)
	if err := cli.Replace(o.out, cli.File{Name: mistakesName, Content: chart}); err != nil {
		return err
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "Test Accuracy: %.4f\nTest Loss: %.4f\n\n", accuracy, loss)
	counts.print(&text)
	if _, err := text.WriteTo(stdout); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	fmt.Fprintf(stderr, "written to %s: %s\n", cli.Plain(filepath.Clean(o.out)), mistakesName)
	return nil
}

// writeReport writes the page of a model, as cmd/train does when a run ends.
func (o *options) writeReport(m *mlp.Model, stderr io.Writer) error {
	test, err := cli.Load(o.data, "t10k", 0, stderr)
	if err != nil {
		return err
	}
	html, err := report.HTML(m, test, fmt.Sprintf("%v, from %s", test, cmp.Or(o.data, "the sample in the program")), nil)
	if err != nil {
		return fmt.Errorf("%s: %w", o.model, err)
	}
	dir, name := filepath.Split(filepath.Clean(o.report))
	dir = filepath.Clean(dir)
	if err = cli.MakeFolder(dir, name); err == nil {
		err = cli.Replace(dir, cli.File{Name: name, Content: html})
	}
	if err != nil {
		return fmt.Errorf("-report %s: %w", o.report, err)
	}
	fmt.Fprintf(stderr, "written to %s: %s\n", cli.Plain(dir), cli.Plain(name))
	return nil
}

// confuse reads all digits of a standardized set. Its mistakes come with the most
// certain first.
func confuse(ctx context.Context, net mlp.Network, test *mlp.MNIST) (*confusion, []mistake, error) {
	const rows = 1000 // at a time
	counts, mistakes := new(confusion), []mistake(nil)
	var p mlp.Matrix
	for lo := 0; lo < test.Len(); lo += rows {
		if err := context.Cause(ctx); err != nil {
			return nil, nil, err
		}
		part := test.Slice(lo, min(lo+rows, test.Len()))
		x, _ := cli.FirstBatch(part, part.Len())
		net.Predict(&p, x).Softmax()
		for i, label := range part.Labels {
			meant, probability := int(label), slices.Max(p.Row(i))
			read := slices.Index(p.Row(i), probability)
			if read < 0 {
				return nil, nil, fmt.Errorf("test digit %d: the network's output is not finite", lo+i)
			}
			counts[meant][read]++
			if meant != read {
				mistakes = append(mistakes, mistake{lo + i, meant, read, probability})
			}
		}
	}
	slices.SortStableFunc(mistakes, func(a, b mistake) int { return cmp.Compare(b.probability, a.probability) })
	return counts, mistakes, nil
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
