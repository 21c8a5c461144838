// The confusion matrix of answers.

package stat

import (
	"bytes"
	"cmp"
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

// Class returns how many samples of class i were answered right, how many of all were answered
// with i, and how many are of class i.
func (c Confusion) Class(i int) (right, answers, samples int) {
	for k := range c {
		answers += c[k][i]
		samples += c[i][k]
	}
	return c[i][i], answers, samples
}

// Accuracy returns the share of the samples that were answered right.
func (c Confusion) Accuracy() float64 {
	right, samples := 0, 0
	for i := range c {
		r, _, n := c.Class(i)
		right, samples = right+r, samples+n
	}
	return float64(right) / float64(samples)
}

// Balanced returns the mean of the recalls of the classes that have samples, and how many these
// are.
func (c Confusion) Balanced() (recall float64, classes int) {
	for i := range c {
		if right, _, n := c.Class(i); n > 0 {
			recall += float64(right) / float64(n)
			classes++
		}
	}
	return recall / float64(classes), classes
}

// Scores returns, as texts, class i's recall, the share of its samples that were answered
// right; its precision, the share of its answers that were right; and F1, the harmonic mean of
// both.
func (c Confusion) Scores(i int) []string {
	right, answers, samples := c.Class(i)
	return []string{Share(right, samples), Share(right, answers), Share(2*right, samples+answers)}
}

// Write writes the matrix with the names of the classes, and at the end of each row the class's
// Scores. If that would be wider than the terminal, the scores are written alone, of the classes
// with the lowest F1, and the mistakes that are made most.
func (c Confusion) Write(b *bytes.Buffer, names []string, columns int) {
	if 2*len(names) > columns {
		c.writeClasses(b, names)
		return
	}
	var matrix bytes.Buffer
	w := tabwriter.NewWriter(&matrix, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "true \\ predicted\t%s\trecall\tprecision\tF1\t\n", strings.Join(names, "\t"))
	for i, row := range c {
		fmt.Fprintf(w, "%s\t", names[i])
		for _, n := range row {
			fmt.Fprintf(w, "%d\t", n)
		}
		fmt.Fprintf(w, "%s\t\n", strings.Join(c.Scores(i), "\t"))
	}
	w.Flush()
	if line, _, _ := strings.Cut(matrix.String(), "\n"); utf8.RuneCountInString(line) > columns {
		c.writeClasses(b, names)
		return
	}
	b.Write(matrix.Bytes())
}

// maxClasses is how many classes writeClasses writes, and maxMistakes how many pairs of them.
const maxClasses, maxMistakes = 20, 10

// writeClasses writes the scores of the classes with the lowest F1, and the pairs of classes
// that are confused most.
func (c Confusion) writeClasses(b *bytes.Buffer, names []string) {
	order, f1 := make([]int, len(c)), make([]float64, len(c))
	for i := range c {
		right, answers, samples := c.Class(i)
		order[i], f1[i] = i, 1
		if answers+samples > 0 {
			f1[i] = 2 * float64(right) / float64(answers+samples)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(f1[a], f1[b]) })
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "true\trows\trecall\tprecision\tF1\t\n")
	for _, i := range order[:min(maxClasses, len(c))] {
		_, _, samples := c.Class(i)
		fmt.Fprintf(w, "%s\t%d\t%s\t\n", names[i], samples, strings.Join(c.Scores(i), "\t"))
	}
	w.Flush()
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
