// The README beside this file: its table of flags and its table of columns. Not here:
// its commands, which the package's readme_test.go runs.

package main

import (
	"encoding/csv"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mlp"
)

// tableOf returns the cells of the README's table that has this header.
func tableOf(t *testing.T, header string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "\n"+header+"\n")
	if !found {
		t.Fatalf("README.md has no table %q", header)
	}
	for _, line := range strings.Split(table, "\n")[1:] {
		if !strings.HasPrefix(line, "|") {
			break
		}
		cells := strings.Split(strings.Trim(strings.ReplaceAll(line, `\|`, "¦"), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

// The table of flags has each flag with its default, and no others.
func TestReadmeFlags(t *testing.T) {
	o, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	defaults := map[string]string{}
	o.flags.VisitAll(func(f *flag.Flag) {
		defaults[f.Name] = f.DefValue
		if m := regexp.MustCompile(`\(default ([^)]*)\)$`).FindStringSubmatch(f.Usage); m != nil {
			defaults[f.Name] = m[1]
		}
	})
	for _, row := range tableOf(t, "| flag | meaning | default |") {
		name := regexp.MustCompile("^`-([a-z]+)").FindStringSubmatch(row[0])
		if name == nil {
			t.Fatalf("the table has the line %q", row)
		}
		want, ok := defaults[name[1]]
		if !ok || len(row) != 3 || row[2] != want {
			t.Errorf("the line of -%s is %q, its default is %q", name[1], row, want)
		}
		delete(defaults, name[1])
	}
	for name := range defaults {
		t.Errorf("the table lacks -%s", name)
	}
}

// The table of history.csv has its columns in their order.
func TestReadmeColumns(t *testing.T) {
	layer := make([]mlp.LayerStats, 1)
	text := historyCSV(mlp.History{{N: 1, First: layer, Layers: layer}})
	want, err := csv.NewReader(strings.NewReader(string(text))).Read()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range tableOf(t, "| column | |") {
		for _, m := range regexp.MustCompile("`([a-z_]+[a-z1])`").FindAllStringSubmatch(row[0], -1) {
			got = append(got, m[1])
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the table has %v, history.csv %v", got, want)
	}
}
