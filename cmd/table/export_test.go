// -export: the model that is written knows its columns.

package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// The columns of a model stand in each kind of file, with their units and what their categories are.
func TestExport(t *testing.T) {
	rows := "price,kind,size,day,kind2,yes\n" + strings.Repeat("3 €,a,1,2026-01-02,u,no\n4 €,b,,2026-03-01,v,yes\n5 €,,2.5,2025-03-04,v,no\n7 €,a,3,2025-07-04,u,yes\n", 10)
	data := file(t, "data.csv", rows)
	for target, wants := range map[string][]string{
		"yes":       {`x[0]: "price in EUR", NaN is missing`, `: "kind", 0 is "", 1 is "a", 2 is "b", NaN is missing`, `: "day (`, `y[1]: "yes"`, "probabilities of classes"},
		"price":     {`y[0]: "price"`, "1 numbers"},
		"kind2,yes": {`y[0]: "kind2=v"`, `y[1]: "yes=yes"`, "probabilities of labels"},
	} {
		model := trained(t, "-target", target, data)
		for _, kind := range []string{".onnx", ".go", ".c", ".js"} {
			name := filepath.Join(t.TempDir(), "model"+kind)
			stdout, stderr := must(t, "-model", model, "-export", name)
			if stdout != "" || !strings.HasSuffix(stderr, ": model"+kind+"\n") {
				t.Errorf("%q, standard error %q", stdout, stderr)
			}
			for _, want := range wants {
				if !strings.Contains(read(t, name), want) {
					t.Errorf("%s: %s lacks %s", target, name, want)
				}
			}
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
