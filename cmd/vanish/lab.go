// What the experiments share: digits, first weights, training, the norm of the error term,
// goroutines; and how results are presented: the tables and captions on standard output, the
// hash, the sheets, the progress bar.

package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
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
func newLab(ctx context.Context, o *options, stderr *os.File) (l *lab, err error) {
	l = &lab{options: o, ctx: ctx, hash: sha256.New(), stderr: stderr}
	l.start("", 1)
	if l.train, err = mnist.Load(l.data, "train", 0); err != nil {
		return nil, err
	}
	if n := l.train.Len(); n < few {
		return nil, fmt.Errorf("%s: %d images in train, want at least %d", l.data, n, few)
	}
	if l.test, err = mnist.Load(l.data, "t10k", 0); err != nil {
		return nil, err
	}
	sheets := []string{playgroundName}
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

// deltas returns ‖δ‖ = ‖∂L/∂b‖ of each layer, for the loss over all samples.
func deltas(net mlp.Network, loss mlp.Loss, samples mlp.Samples) []float64 {
	var dy mlp.Matrix
	loss(&dy, net.Forward(samples.X), samples.Y)
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
	c.OnEpoch = func(mlp.Epoch) error {
		l.bar.Add(float64(work))
		return nil
	}
	o.accuracy = math.NaN()
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

// perform runs an experiment, writes its sheets and prints its tables.
func (l *lab) perform(e experiment, stdout io.Writer) error {
	l.pictures = nil
	sheet, err := e.run(l)
	l.bar.Clear()
	if err == nil {
		l.printf("%s\n\n", sheet.Caption)
		err = files.Replace(l.out, append(l.pictures, files.File{Name: e.sheets[0], Content: sheet.SVG()})...)
	}
	if err == nil {
		l.written = append(l.written, e.sheets...)
	} else {
		err = fmt.Errorf("%s: %w", e.name, err)
	}
	if _, printErr := l.text.WriteTo(stdout); err == nil && printErr != nil {
		err = fmt.Errorf("standard output, %s: %w", e.name, printErr)
	}
	return err
}

// start shows a bar of the experiment's progress, which is full at total.
func (l *lab) start(experiment string, total int) {
	l.bar = cli.NewBar(l.stderr, float64(total), func(float64) []string { return []string{experiment} })
}

func (l *lab) printf(format string, a ...any) { fmt.Fprintf(&l.text, format, a...) }

// times says a ratio in words.
func times(ratio float64) string {
	switch {
	case !(ratio > 0) || math.IsInf(ratio, 1): // one of the two numbers is 0
		return "incomparable"
	case ratio > 1/1.05 && ratio < 1.05:
		return "the same"
	case ratio < 1:
		return short(1/ratio) + " times smaller"
	}
	return short(ratio) + " times larger"
}

// table prints a table with these heads of its rows, and a column of that width for each
// of those that are compared: beginnings or ways.
func table[C fmt.Stringer](l *lab, head string, rows []string, compared []C, width int, cell func(row, column int) string) {
	l.printf("%-14s", head)
	for _, c := range compared {
		l.printf("  %*s", width, c)
	}
	for row, name := range rows {
		l.printf("\n%-14s", name)
		for column := range compared {
			l.printf("  %*s", width, cell(row, column))
		}
	}
	l.printf("\n\n")
}

// numbers returns the numbers from 1 to n, which are heads of rows.
func numbers(n int) (rows []string) {
	for i := range n {
		rows = append(rows, strconv.Itoa(i+1))
	}
	return rows
}

// lines returns a line of n points, at x or, if x is nil, at 1, 2, 3 and so on, for each of
// those that are compared.
func lines[C fmt.Stringer](compared []C, n int, x []float64, y func(line, point int) float64) (all []mlp.Series) {
	for line, c := range compared {
		s := mlp.Series{Name: c.String(), X: x}
		for point := range n {
			s.Y = append(s.Y, y(line, point))
		}
		all = append(all, s)
	}
	return all
}

// list names those that are compared, and says of each what there is to say.
func list[C fmt.Stringer](compared []C, say func(i int) string) string {
	var all []string
	for i, c := range compared {
		all = append(all, c.String()+" "+say(i))
	}
	return strings.Join(all, ", ")
}

// record adds numbers to the hash, as the bytes of little-endian float64. Processors
// have different NaNs, so all of them count as one.
func (l *lab) record(values ...float64) {
	for _, v := range values {
		if v != v {
			v = math.NaN()
		}
		l.hash.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	}
}

// short returns v with three digits and, if it is far from 1, a power of ten.
func short(v float64) string {
	s, exponent, ok := strings.Cut(fmt.Sprintf("%.3g", v), "e")
	if !ok {
		return s
	}
	superscript := strings.NewReplacer("+0", "", "-0", "⁻", "+", "", "-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")
	return s + "×10" + superscript.Replace(exponent)
}
