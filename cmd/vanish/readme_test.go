// The table of flags in the README beside this file. Not here: its numbers
// (chapter_test.go) and its commands, which the package's readme_test.go runs.

package main

import (
	"flag"
	"regexp"
	"slices"
	"testing"
)

// The table of flags has each flag, and no others.
func TestReadmeFlags(t *testing.T) {
	o, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got, want []string
	o.flags.VisitAll(func(f *flag.Flag) { want = append(want, f.Name) })
	for _, m := range regexp.MustCompile("(?m)^\\| `-([a-z]+)").FindAllStringSubmatch(readFile(t, "cmd", "vanish", "README.md"), -1) {
		got = append(got, m[1])
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("the table has the flags %v, the command %v", got, want)
	}
}
