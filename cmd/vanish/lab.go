// What the experiments share: digits, first weights, the norm of the error term,
// goroutines.

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
	"mlp/cmd/internal/mnist"
)

// A lab is what the experiments work with and report to.
type lab struct {
	*options
	ctx         context.Context
	train, test *mlp.MNIST   // pixels in [0, 1]
	pictures    []files.File // what the experiment draws beside its sheet
	written     []string     // the names of the sheets of finished experiments
	bar         *cli.Bar
	text        bytes.Buffer
	hash        hash.Hash
	stderr      *os.File
	release     func() // the folder
}

// newLab reads the digits and checks that the sheets can be written, before any
// work is done.
func newLab(ctx context.Context, o *options, stderr *os.File) (*lab, error) {
	l := &lab{options: o, ctx: ctx, hash: sha256.New(), stderr: stderr}
	l.start("", 1)
	var err error
	if l.train, err = mnist.Load(l.data, "train", 0); err != nil {
		return nil, err
	}
	if n := l.train.Len(); n < few {
		return nil, fmt.Errorf("%s: %d images in train, want at least %d", l.data, n, few)
	}
	if l.test, err = mnist.Load(l.data, "t10k", 0); err != nil {
		return nil, err
	}
	var sheets []string
	for _, e := range l.chosen {
		sheets = append(sheets, e.sheets...)
	}
	if l.release, err = files.Claim(l.out, sheets...); err != nil {
		return nil, fmt.Errorf("-out %s: %w", l.out, err)
	}
	return l, nil
}

// few is the number of digits for `nielsen` and for ‖δ‖ in `depth`.
const few = 1000

// standardized returns both parts, standardized by these means and deviations.
func standardized(stats mlp.Standardization, train, test *mlp.MNIST) (*mlp.MNIST, *mlp.MNIST) {
	train, test = train.Slice(0, train.Len()), test.Slice(0, test.Len())
	train.Standardize(stats)
	test.Standardize(stats)
	return train, test
}

// A beginning is how a network begins.
type beginning struct {
	name string
	init mlp.Init
	norm bool // batch normalisation in the hidden layers
}

var beginnings = [...]beginning{
	{"small", mlp.Small, false},
	{"xavier", mlp.Xavier, false},
	{"he", mlp.He, false},
	{"he + batch norm", mlp.He, true},
}

func (b beginning) String() string { return b.name }

func (b beginning) network(seed uint64, act *mlp.Activation, hidden ...int) mlp.Network {
	return mnist.Network(seed, b.init, act, b.norm, hidden...)
}

// hidden returns the widths of n hidden layers. Each has 30 units, like Nielsen's.
func hidden(n int) []int { return slices.Repeat([]int{30}, n) }

// deltas returns ‖δ‖ = ‖∂L/∂b‖ of each layer, for the loss over all of x.
func deltas(net mlp.Network, loss mlp.Loss, x, y *mlp.Matrix) []float64 {
	var dy mlp.Matrix
	loss(&dy, net.Forward(x), y)
	net.Backward(&dy)
	norms := make([]float64, len(net))
	for i, l := range net {
		norms[i] = norm(l.DB.Data)
	}
	return norms
}

// norm returns √Σv².
func norm(v []float64) float64 {
	squares := 0.0
	for _, x := range v {
		squares += float64(x * x)
	}
	return math.Sqrt(squares)
}

// An outcome is what is known of a network when its training is over.
type outcome struct {
	ratio    float64 // in depth: ‖δ‖ of the first hidden layer ÷ that of the last, before training
	history  mlp.History
	accuracy float64 // on the test part; NaN if training diverged
	weights  string  // their fingerprint; empty if training diverged
}

// learn trains a network as c says, with a rate of 0.1 and batches of 64 if it does not, and
// measures it on the test part. Each epoch adds work to the bar.
func (l *lab) learn(net mlp.Network, samples, test mlp.Dataset, c mlp.Config, work int) (o outcome, err error) {
	c.Rate, c.Batch, c.Seed = cmp.Or(c.Rate, 0.1), cmp.Or(c.Batch, 64), l.seed
	c.OnEpoch, o.accuracy = l.counts(work), math.NaN()
	if o.history, err = mlp.Train(l.ctx, net, samples, c); err == nil {
		_, o.accuracy = mlp.Evaluate(net, test, nil)
		o.weights = net.Fingerprint()
	}
	return o, err
}

// each does n pieces of work, GOMAXPROCS of them at a time, and returns the error of
// the first piece that has one.
func (l *lab) each(n int, work func(i int) error) error {
	failed := make([]error, n)
	running := make(chan bool, runtime.GOMAXPROCS(0))
	var all sync.WaitGroup
	for i := range n {
		running <- true
		all.Add(1)
		go func() {
			if failed[i] = context.Cause(l.ctx); failed[i] == nil {
				failed[i] = work(i)
			}
			<-running
			all.Done()
		}()
	}
	all.Wait()
	return cmp.Or(failed...)
}
