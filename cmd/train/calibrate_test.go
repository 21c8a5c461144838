package main

import (
	"path/filepath"
	"regexp"
	"testing"

	"mlp"
)

// The temperature belongs to a run that is finished: one that was stopped has none. Resumed, it
// ends with the bytes of one that was not, and -verify trains each of them.
func TestCalibrate(t *testing.T) {
	flags := quick("-calibrate", "-patience", "20", "-epochs", "4", "-opt", "adam", "-lr", "0.02", "-out")
	straight, halves := t.TempDir(), t.TempDir()
	stdout := must(t, append(flags, straight)...)
	if !regexp.MustCompile(`\nCalibration error: 0\.\d{4} \(before: 0\.\d{4}\) at temperature \d\.\d{3}\nFinal`).MatchString(stdout) {
		t.Error(stdout)
	}
	temperature := func(dir string) float64 {
		m, err := mlp.ReadModelFile(filepath.Join(dir, "model.npz"))
		if err != nil {
			t.Fatal(err)
		}
		return m.Temperature
	}
	stopped(t, append(flags, halves)...)
	if temperature(straight) == 0 || temperature(halves) != 0 {
		t.Errorf("temperatures %v, stopped %v", temperature(straight), temperature(halves))
	}
	must(t, "-verify", filepath.Join(halves, "model.npz"))
	must(t, "-resume", filepath.Join(halves, "model.npz"))
	must(t, "-verify", filepath.Join(halves, "model.npz"))
	if contents(t, straight)["model.npz"] != contents(t, halves)["model.npz"] {
		t.Error("resumed, it is another file")
	}
}
