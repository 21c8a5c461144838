// What rows have that no training row had. It is counted, and told once, at the end.

package main

import (
	"fmt"
	"io"
	"strings"
)

// Unseen is what a file has that the training file did not.
type unseen struct {
	outside    finding // numbers outside the range of the training rows
	categories finding // of inputs
	classes    finding
	words      finding // where numbers or dates are wanted
}

// A finding counts the rows that have something, and names some of it.
type finding struct {
	rows, last int // how many, and the last one
	named      map[string]bool
	examples   []string
	hasMore    bool // than are named
}

// maxExamples is how many examples a finding names.
const maxExamples = 5

// add counts a row, and describes what it has unless the like, which has the same key, is
// named already.
func (f *finding) add(row int, key string, describe func() string) {
	if f.last != row {
		f.rows++
		f.last = row
	}
	switch {
	case f.named[key]:
	case len(f.examples) == maxExamples:
		f.hasMore = true
	default:
		if f.named == nil {
			f.named = map[string]bool{}
		}
		f.named[key] = true
		f.examples = append(f.examples, describe())
	}
}

// addText counts a row with a text in a column.
func (f *finding) addText(row int, c *column, text string) {
	f.add(row, c.Name+"\n"+text, func() string { return fmt.Sprintf("%.60q is %.60q in row %d", c.Name, text, row) })
}

// report tells what was found in so many rows of a file.
func (u *unseen) report(stderr io.Writer, name string, rows int) {
	for _, c := range []struct {
		finding
		what string
	}{
		{u.outside, "a number is outside the range of the training rows"},
		{u.categories, "a category is new, and is taken as none"},
		{u.classes, "the class is new, and any answer counts as wrong"},
		{u.words, "a cell is no number or date as others of its column, and is taken as missing"},
	} {
		if c.rows == 0 {
			continue
		}
		if c.hasMore {
			c.examples = append(c.examples, "and more")
		}
		warn(stderr, "%s: in %d of %d rows %s: %s", name, c.rows, rows, c.what, strings.Join(c.examples, ", "))
	}
}
