// The confusion matrix of answers.

package stat

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"
)

// A Confusion counts samples, in a row for each true class and a column for each answer.
type Confusion [][]int

// NewConfusion returns one of so many classes, without samples.
func NewConfusion(classes int) Confusion {
	c := make(Confusion, classes)
	for i := range c {
		c[i] = make([]int, classes)
	}
	return c
}

// Write writes the matrix with the names of the classes. At the end of a row stand the
// class's recall, the share of its samples that were answered right, and its precision, the
// share of its answers that were right. If the matrix would be wider than the terminal, only
// the mistakes that are made most are written.
func (c Confusion) Write(b *bytes.Buffer, names []string, columns int) {
	if 2*len(names) > columns {
		c.writeMistakes(b, names)
		return
	}
	answers := make([]int, len(c))
	for _, row := range c {
		for k, n := range row {
			answers[k] += n
		}
	}
	var matrix bytes.Buffer
	w := tabwriter.NewWriter(&matrix, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "true \\ predicted\t%s\trecall\tprecision\t\n", strings.Join(names, "\t"))
	for i, row := range c {
		fmt.Fprintf(w, "%s\t", names[i])
		total := 0
		for _, n := range row {
			fmt.Fprintf(w, "%d\t", n)
			total += n
		}
		fmt.Fprintf(w, "%s\t%s\t\n", Share(row[i], total), Share(row[i], answers[i]))
	}
	w.Flush()
	if line, _, _ := strings.Cut(matrix.String(), "\n"); utf8.RuneCountInString(line) > columns {
		c.writeMistakes(b, names)
		return
	}
	b.Write(matrix.Bytes())
}

// maxMistakes is how many pairs of classes writeMistakes writes.
const maxMistakes = 10

// writeMistakes writes the pairs of classes that are confused most.
func (c Confusion) writeMistakes(b *bytes.Buffer, names []string) {
	type mistake struct{ n, truth, answer int }
	var all []mistake
	for i, row := range c {
		for k, n := range row {
			if i != k && n > 0 {
				all = append(all, mistake{n, i, k})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b mistake) int { return b.n - a.n })
	for _, m := range all[:min(maxMistakes, len(all))] {
		fmt.Fprintf(b, "%d × %s taken for %s\n", m.n, names[m.truth], names[m.answer])
	}
}

// Share returns n of total with three digits, or a dash if there is nothing to share.
func Share(n, total int) string {
	if total == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", float64(n)/float64(total))
}
