package main

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/training"
)

// chances is a table in which a number tells two yes or no by chance.
func chances(rows int) string {
	random := rand.New(rand.NewPCG(1, 1))
	var b strings.Builder
	b.WriteString("x,ill,old\n")
	for range rows {
		x := random.NormFloat64()
		is := func() int {
			if x+2*random.NormFloat64() > 0 {
				return 1
			}
			return 0
		}
		fmt.Fprintf(&b, "%.3f,%d,%d\n", x, is(), is())
	}
	return b.String()
}

// The temperature is that of the answers for the test rows, of classes and of labels. A run that
// is resumed, finished or not, ends with the same file, and -verify trains the same.
func TestCalibrate(t *testing.T) {
	data := file(t, "chances.csv", chances(300))
	for _, target := range []string{"ill", "ill,old"} {
		flags := []string{"-calibrate", "-holdout", "0.3", "-ensemble", "2", "-hidden", "8", "-schedule", "constant", "-decay", "0", "-patience", "9", "-target", target, data}
		run := func(out, epochs string) string {
			stdout, _ := must(t, append([]string{"-out", out, "-epochs", epochs}, flags...)...)
			return stdout
		}
		out, halves := t.TempDir(), t.TempDir()
		name := filepath.Join(out, "model.npz")
		stdout := run(out, "7")
		m, err := training.ReadModel(name, training.Table)
		if err != nil {
			t.Fatal(err)
		}
		j := prepared(t, flags...)
		var x, y mlp.Matrix
		calibrated := m.Predict(new(mlp.Matrix), j.test.rawOf(&x, all(j.test.Len())))
		temperature := m.Temperature
		m.Temperature = 0
		m.Predict(&y, &x)
		for i, v := range y.Data {
			if calibrated.Data[i] != v/temperature {
				t.Fatalf("%v, without the temperature %v", calibrated.Data[i], v)
			}
		}
		want := j.test.allWanted()
		if target != "ill" {
			y.Rows, y.Cols, want.Rows, want.Cols = len(y.Data), 1, len(y.Data), 1
		}
		if got := mlp.FitTemperature(&y, want); got != temperature || got == 1 {
			t.Errorf("%s: the temperature is %v, want %v", target, temperature, got)
		}
		if line := training.Calibration(&y, want, temperature); !strings.Contains(stdout, line) || !regexp.MustCompile(`^Calibration error: 0\.\d{4} \(before: 0\.\d{4}\) at temperature \d\.\d{3}\n$`).MatchString(line) {
			t.Errorf("%q is not in\n%s", line, stdout)
		}

		file := read(t, name)
		run(halves, "4")
		half := filepath.Join(halves, "model.npz")
		must(t, "-verify", half)
		must(t, "-resume", half, "-epochs", "7")
		if read(t, half) != file {
			t.Errorf("%s: resumed, it is another file", target)
		}
		must(t, "-resume", half)
		must(t, "-verify", name)
		if read(t, half) != file {
			t.Errorf("%s: a finished run has changed its file", target)
		}
	}
	refusedWith(t, 2, []string{"-calibrate"}, "-calibrate needs rows that no network has seen: want -holdout or -test")
	refused(t, []string{"-calibrate", "-holdout", "0.2", "-target", "x", data}, "-calibrate is for probabilities, and the target is a number")
}

func all(n int) []int {
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	return index
}
