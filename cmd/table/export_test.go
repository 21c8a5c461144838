// -export: the model that is written answers as this command does.

package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/training"
)

// The columns of an export make the answers of this command, to the last bit, of rows with
// gaps, categories, units and dates.
func TestExport(t *testing.T) {
	rows := "price,kind,size,day,kind2,yes\n" + strings.Repeat("3 €,a,1,2026-01-02,u,no\n4 €,b,,2026-03-01,v,yes\n5 €,,2.5,2025-03-04,v,no\n7 €,a,3,2025-07-04,u,yes\n", 10)
	data, file := file(t, "data.csv", rows), filepath.Join(t.TempDir(), "model.onnx")
	for _, target := range []string{"kind", "price", "kind2,yes"} {
		name := trained(t, "-target", target, data)
		m, err := training.ReadModel(name, training.Table)
		if err != nil {
			t.Fatal(err)
		}
		e, err := encodingOf(m)
		if err != nil {
			t.Fatal(err)
		}
		random := rand.New(rand.NewPCG(1, 1))
		cells, x := mlp.NewMatrix(100, len(e.Inputs)), mlp.NewMatrix(100, e.width())
		for i := range cells.Rows {
			for j, c := range e.Inputs {
				switch v := random.NormFloat64(); {
				case random.IntN(4) == 0:
					v = math.NaN()
					fallthrough
				case !c.isCategory():
					cells.Row(i)[j] = 10 * v
				default:
					cells.Row(i)[j] = float64(random.IntN(len(c.Values)))
				}
			}
			e.input(x.Row(i), cells.Row(i), m.Input.Mean)
		}
		want := e.answers(m.Predict(new(mlp.Matrix), x))
		exported := e.withColumns(m)
		got := exported.Predict(new(mlp.Matrix), cells)
		switch exported.Task() {
		case mlp.Classes:
			got.Softmax()
		case mlp.Labels:
			mlp.Sigmoid.Forward(got.Data)
		}
		for i, v := range got.Data {
			if v != want.Data[i] {
				t.Fatalf("%s: row %d: %v, want %v", target, i/got.Cols, v, want.Data[i])
			}
		}
		stdout, stderr := must(t, "-model", name, "-export", file)
		if stdout != "" || !strings.HasSuffix(stderr, ": model.onnx\n") {
			t.Errorf("%q, standard error %q", stdout, stderr)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`x[0]: "price in EUR"`, `"kind"`, `"day (`, `y[1]: "yes=yes"`, `columns`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%s lacks %s", file, want)
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
