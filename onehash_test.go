package mlp

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
)

var rewrite = flag.Bool("update", false, "write testdata/fingerprints.txt anew")

const fingerprints = "testdata/fingerprints.txt"

// A recipe is a short training. All of them stand in testdata/fingerprints.txt
// with what comes out, for the next change, the next version of Go and the
// next processor to be held to.
type recipe struct{ act, opt, init, more string }

func (r recipe) String() string {
	return strings.TrimSpace(r.act + " " + r.opt + " " + r.init + " " + r.more)
}

// mores are what a recipe can have beside.
var mores = map[string]func(*Config, Network, Dataset){
	"":     func(*Config, Network, Dataset) {},
	"norm": func(_ *Config, net Network, _ Dataset) { normalized(net) },
	"clip": func(c *Config, net Network, _ Dataset) {
		normalized(net)
		c.Clip, c.Decay = 0.5, 0.01
	},
	"decay":   func(c *Config, _ Network, _ Dataset) { c.Decay = 0.1 },
	"dropout": func(_ *Config, net Network, _ Dataset) { net[0].Dropout, net[1].Dropout = 0.2, 0.5 },
	"cosine":  func(c *Config, _ Network, _ Dataset) { c.Schedule, c.Decay = Cosine, 0.01 },
	"patience": func(c *Config, net Network, held Dataset) {
		normalized(net)
		c.Rate, c.Validation, c.Patience = 0.1, held, 1
	},
}

func recipes() (all []recipe) {
	for _, act := range []string{"relu", "sigmoid", "tanh"} {
		for _, opt := range []string{"adam", "momentum", "sgd"} {
			for _, init := range []string{"he", "lecun", "small", "xavier"} {
				all = append(all, recipe{act, opt, init, ""})
			}
		}
		all = append(all, recipe{act, "adamw", "he", "decay"}, recipe{act, "momentum", "he", "dropout"},
			recipe{act, "adam", "he", "norm"}, recipe{act, "momentum", "small", "clip"},
			recipe{act, "sgd", "he", "cosine"}, recipe{act, "adam", "he", "patience"})
	}
	return all
}

// train is 3 epochs of 70 digits in batches of 32 through 784-40-30-10. With
// stop it goes through a file after so many epochs.
func (r recipe) train(t *testing.T, digits, held *MNIST, stop int) string {
	t.Helper()
	act, _ := ActivationByName(r.act)
	init, _ := InitByName(r.init)
	opt, _ := OptimizerByName(r.opt)
	m := &Model{Net: NewNetwork(5, init, act, MNISTPixels, 40, 30, MNISTClasses)}
	c := Config{Optimizer: opt, Rate: 0.01, Epochs: 3, Batch: 32, Seed: 5, Run: &m.Run}
	mores[r.more](&c, m.Net, held)
	if stop > 0 {
		first, stopped := c, errors.New("stopped")
		first.OnEpoch = func(e Epoch) error {
			if e.N == stop {
				return stopped
			}
			return nil
		}
		if _, err := Train(context.Background(), m.Net, digits, first); err != stopped && err != nil {
			t.Fatal(err)
		}
		var err error
		if m, err = read(written(t, m)); err != nil {
			t.Fatal(err)
		}
		c.Run = &m.Run
	}
	mustTrain(t, m.Net, digits, c)
	return m.Net.Fingerprint()
}

// The machine's own kernel trains each recipe on two threads. Recipes are also stopped and
// trained on from a file, on one thread and on seven, and by the other kernels: three or four in each
// of these ways, others in each. With MLP_ATTACK all are in all ways.
func TestFingerprints(t *testing.T) {
	all, test := sampleDigits(t)
	digits, held := all.Slice(0, 70), test.Slice(0, 40)
	if *rewrite {
		var b strings.Builder
		for _, r := range recipes() {
			fmt.Fprintf(&b, "%s %s\n", r, r.train(t, digits, held, 0))
		}
		if err := os.WriteFile(fingerprints, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	lines := strings.Split(strings.TrimSpace(readText(t, fingerprints)), "\n")
	if len(lines) != len(recipes()) {
		t.Fatalf("%s has %d lines, want %d", fingerprints, len(lines), len(recipes()))
	}
	own, turn := Kernel(), 0
	eachKernel(t, func(t *testing.T) {
		for _, procs := range []int{2, 1, 7} {
			if testing.Short() && procs != 2 {
				break
			}
			defer withThreads(procs)()
			for i, r := range recipes() {
				for k, stop := range []int{0, 1 + i%2} {
					some := stop > 0 || procs != 2 || Kernel() != own
					if some && (i+turn+k)%17 > 0 && os.Getenv("MLP_ATTACK") == "" {
						continue
					}
					if got := r.String() + " " + r.train(t, digits, held, stop); got != lines[i] {
						t.Errorf("%s, %d threads, stopped after epoch %d:\n%s, want\n%s", Kernel(), procs, stop, got, lines[i])
					}
				}
			}
			turn += 2
		}
	})
}

// The number of threads may change at every step.
func TestThreadsChange(t *testing.T) {
	defer withThreads(7)()
	train, held := sampleDigits(t)
	digits := train.Slice(0, 400) // so many steps that inputs are left out
	for _, r := range []recipe{{"relu", "sgd", "he", ""}, {"tanh", "adam", "he", "norm"}, {"sigmoid", "momentum", "he", "dropout"}} {
		weights := func(inUse func(step int) int) string {
			act, _ := ActivationByName(r.act)
			opt, _ := OptimizerByName(r.opt)
			net := NewNetwork(5, He, act, MNISTPixels, 200, 100, MNISTClasses)
			c := Config{Optimizer: opt, Rate: 0.01, Epochs: 2, Batch: 32, Seed: 5, Test: held.Slice(0, 300)}
			mores[r.more](&c, net, held)
			one, err := newTrainer(net, digits, c)
			if err != nil {
				t.Fatal(err)
			}
			step := 0
			one.config.Schedule = func(float64) float64 { // is called in each step
				step++
				one.pace.inUse, one.reading.inUse = inUse(step), inUse(step)
				return 1
			}
			if err := trainAll(context.Background(), []*trainer{one}, func(int) error { return nil }); err != nil {
				t.Fatal(err)
			}
			return net.Fingerprint()
		}
		random := newRand()
		want, got := weights(func(int) int { return 0 }), weights(func(int) int { return random.IntN(4) })
		if got != want {
			t.Errorf("%s: weights %s with a number of threads that changes, want %s", r, got, want)
		}
	}
}
