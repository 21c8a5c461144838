// The table of flags in the README beside this file. Not here: its commands and what they
// print, which the package's readme_test.go runs.

package main

import (
	"flag"
	"regexp"
	"strings"
	"testing"
)

// The table of flags has each flag with its default, and no others.
func TestReadmeFlags(t *testing.T) {
	o, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	text, flags := string(read(t, "README.md")), 0
	o.flags.VisitAll(func(f *flag.Flag) {
		flags++
		want := f.DefValue
		if m := regexp.MustCompile(`\(default ([^)]*)\)$`).FindStringSubmatch(f.Usage); m != nil {
			want = m[1]
		}
		line := regexp.MustCompile("(?m)^\\| `-" + f.Name + "\\b.*$").FindString(text)
		cells := strings.Split(strings.Trim(line, "|"), "|")
		if len(cells) != 3 || strings.TrimSpace(cells[2]) != want {
			t.Errorf("the line of -%s is %q, its default is %q", f.Name, line, want)
		}
	})
	if n := len(regexp.MustCompile("(?m)^\\| `-").FindAllString(text, -1)); n != flags {
		t.Errorf("the table has %d flags, the command %d", n, flags)
	}
}
