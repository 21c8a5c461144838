package mlp

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/fingerprints.txt anew")

const fingerprints = "testdata/fingerprints.txt"

// A recipe is a short training. All of them stand in testdata/fingerprints.txt
// with what comes out, for the next change, the next version of Go and the
// next processor to be held to.
type recipe struct{ act, opt, init string }

func (r recipe) String() string { return r.act + " " + r.opt + " " + r.init }

func recipes() (all []recipe) {
	for _, act := range []string{"relu", "sigmoid", "tanh"} {
		for _, opt := range slices.Sorted(maps.Keys(Optimizers)) {
			for _, init := range slices.Sorted(maps.Keys(Inits)) {
				all = append(all, recipe{act, opt, init})
			}
		}
	}
	return all
}

// train is 3 epochs of 70 digits in batches of 32 through 784-40-30-10. With
// stop it goes through a file after so many epochs.
func (r recipe) train(t *testing.T, digits *MNIST, stop int) string {
	t.Helper()
	m := &Model{Net: NewNetwork(5, Inits[r.init], Activations[r.act], Pixels, 40, 30, Classes)}
	c := Config{Optimizer: Optimizers[r.opt], Rate: 0.01, Epochs: 3, Batch: 32, Seed: 5}
	if stop > 0 {
		first := c
		first.Epochs = stop
		h, err := Train(context.Background(), m.Net, digits, first)
		if err != nil {
			t.Fatal(err)
		}
		m.History = h
		var file bytes.Buffer
		err = m.Write(&file)
		if err == nil {
			m, err = ReadModel(bytes.NewReader(file.Bytes()), int64(file.Len()))
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Past = m.History
	}
	if _, err := Train(context.Background(), m.Net, digits, c); err != nil {
		t.Fatal(err)
	}
	return m.Net.Fingerprint()
}

func TestFingerprints(t *testing.T) {
	all, _, err := sampleDigits()
	if err != nil {
		t.Fatal(err)
	}
	digits := all.Slice(0, 70)
	if *update {
		var b strings.Builder
		for _, r := range recipes() {
			fmt.Fprintf(&b, "%s %s\n", r, r.train(t, digits, 0))
		}
		if err := os.WriteFile(fingerprints, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(fingerprints)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(recipes()) {
		t.Fatalf("%s has %d lines, want %d", fingerprints, len(lines), len(recipes()))
	}
	eachKernel(t, func(t *testing.T) {
		for _, procs := range []int{2, 1, 7} {
			if testing.Short() && procs != 2 {
				break // emulators are slow
			}
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for i, r := range recipes() {
				for _, stop := range []int{0, 1 + i%2} {
					if got := r.String() + " " + r.train(t, digits, stop); got != lines[i] {
						t.Errorf("%s, %d threads, stopped after epoch %d:\n%s, want\n%s", Kernel(), procs, stop, got, lines[i])
					}
				}
			}
		}
	})
}
