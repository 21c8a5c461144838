// -export: what the file has, and what is refused.

package main

import (
	"path/filepath"
	"strings"
	"testing"

	"mlp/cmd/internal/training"
)

// An export names the units of columns and the parts of dates, and has all that a row needs.
func TestExport(t *testing.T) {
	rows := "price,kind,size,day,kind2,yes\n" + strings.Repeat("3 €,a,1,2026-01-02,u,no\n4 €,b,,2026-03-01,v,yes\n5 €,,2.5,2025-03-04,v,no\n7 €,a,3,2025-07-04,u,yes\n", 10)
	data, out := file(t, "data.csv", rows), filepath.Join(t.TempDir(), "model.c")
	for target, answer := range map[string]string{"kind": `y[0]: "a"`, "size": `y[0]: "size"`, "kind2,yes": `y[1]: "yes`} {
		name := trained(t, "-target", target, data)
		stdout, stderr := must(t, "-model", name, "-export", out)
		if stdout != "" || !strings.HasSuffix(stderr, ": model.c\n") {
			t.Errorf("%q, standard error %q", stdout, stderr)
		}
		for _, want := range []string{`x[0]: "price in EUR"`, `"day (days)"`, answer} {
			if text := read(t, out); !strings.Contains(text, want) {
				t.Errorf("%s: the file lacks %s", target, want)
			}
		}
		m, err := training.ReadModel(name, training.Table)
		if err != nil || m.Columns[0].Name != "price" {
			t.Errorf("the model has the column %q, error %v", m.Columns[0].Name, err)
		}
	}
}

func TestExportRefused(t *testing.T) {
	model := trained(t)
	there := filepath.Join(t.TempDir(), "there.c")
	for line, want := range map[string]string{
		"-export x.onnx":                   "-export: -model must name the model to write\n",
		"-model M -export x.py":            "-export x.py: want a FILE.onnx, FILE.go, FILE.c or FILE.js\n",
		"-model M -export x.c -package p":  "-package is for -export FILE.go\n",
		"-model M -package p a.csv":        "-model excludes -package\n",
		"-model M -export x.go -package 2": "-package \"2\": want a name of Go's\n",
		"-model M -export x.c -data a.csv": "-export excludes -data\n",
		"-model M -export x.c a.csv":       "-export excludes -data\n",
		"-model M -export x.c -epochs 2":   "-export excludes -epochs\n",
	} {
		refusedWith(t, 2, strings.Fields(strings.Replace(line, "M", model, 1)), want)
	}
	refused(t, []string{"-model", model, "-export", filepath.Join(there, "x.c")}, "table: -export "+filepath.Join(there, "x.c")+": no such file or directory\n")
}
