// The table of flags in the README beside this file. Not here: its commands, which the
// package's readme_test.go runs.

package main

import (
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"
)

// The table of flags has each flag with its default, and no others.
func TestReadmeFlags(t *testing.T) {
	o, err := parse([]string{"-target", "x"})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	o.flags.VisitAll(func(f *flag.Flag) {
		want[f.Name] = f.DefValue
		if m := regexp.MustCompile(`\(default ([^)]*)\)$`).FindStringSubmatch(f.Usage); m != nil {
			want[f.Name] = m[1]
		}
	})
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `-([a-z]+)[^|]*\\|[^|]*\\|([^|]*)\\|$").FindAllStringSubmatch(string(text), -1) {
		value, ok := want[m[1]]
		if !ok || strings.TrimSpace(m[2]) != value {
			t.Errorf("the README has -%s with the default %q, the command has %q", m[1], strings.TrimSpace(m[2]), value)
		}
		delete(want, m[1])
	}
	for name := range want {
		t.Errorf("the README lacks -%s", name)
	}
}
