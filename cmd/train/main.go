// Train builds a multi-layer perceptron, trains it on MNIST digits and draws
// what happened: the run of the article "Deeper MLPs and Vanishing Gradients".
//
//	go run ./cmd/train [-data DIR] [-hidden 256,128] [-epochs 20] …
//
// Standard output has a line per epoch, the final accuracy and the weights'
// fingerprint; the files go to -out. The exit code is 0, 1 with one line on
// standard error for what went wrong, or 2 for a wrong flag.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"mlp"
)

func main() {
	const sigpipe = syscall.Signal(13)
	signal.Ignore(sigpipe) // to write to a closed pipe is an error like others
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the command with its standard output and error; it returns the exit
// code.
func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int {
	o, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, o.usage())
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "train:", err)
		return 2
	}
	if err := train(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "train:", err)
		return 1
	}
	return 0
}

// train does what o asks for, from the data to the files.
func train(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	digits, test, err := load(o, stderr)
	if err != nil {
		return err
	}
	out, err := newOutput(o.out)
	if err != nil {
		return err
	}
	sizes := append(append([]int{mlp.Pixels}, o.hidden...), mlp.Classes)
	net := mlp.NewNetwork(o.seed, o.init, o.act, sizes...)
	describe(stderr, o, digits, test, net)

	bar := newProgress(stderr, o.epochs, o.epochs*(2*digits.Len()+test.Len()))
	history, err := mlp.Train(ctx, net, bar.watch(digits), mlp.Config{
		Optimizer: o.opt, Rate: o.lr, Momentum: o.momentum, Epochs: o.epochs, Batch: o.batch,
		Seed: o.seed, InOrder: !o.shuffle, Test: bar.watch(test),
		OnEpoch: func(e mlp.Epoch) error {
			bar.clear()
			out.add(e)
			_, err := fmt.Fprintf(stdout, "Epoch %d/%d, Loss: %.4f, Test Accuracy: %.4f\n", e.N, o.epochs, e.Loss, e.TestAccuracy)
			if err != nil {
				return fmt.Errorf("standard output, epoch %d: %w", e.N, err)
			}
			return out.saveSometimes()
		},
	})
	bar.clear()
	if saveErr := out.save(); saveErr != nil {
		return saveErr
	}
	if err != nil {
		return explain(err, out, len(history))
	}
	last := history[len(history)-1]
	_, err = fmt.Fprintf(stdout, "Final Test Accuracy: %.4f\nWeights SHA-256: %s\n", last.TestAccuracy, net.Fingerprint())
	return err
}

// explain adds to the reason why training ended early what there is to do and
// what there is to keep.
func explain(err error, out *output, epochs int) error {
	kept := fmt.Sprintf("%s holds epochs 1 to %d", out.dir, epochs)
	if epochs == 0 {
		kept = "no epoch was finished"
	}
	var diverged *mlp.DivergedError
	switch {
	case errors.As(err, &diverged):
		return fmt.Errorf("%w; a smaller -lr is the usual cure (%s)", err, kept)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: %s", kept)
	}
	return err
}

// load reads the digits that o names and standardizes both parts by the
// training part's statistics.
func load(o *options, stderr io.Writer) (train, test *mlp.MNIST, err error) {
	files := mlp.Sample()
	if o.data != "" {
		files = os.DirFS(o.data)
	}
	part := func(name string) *mlp.MNIST {
		if err != nil {
			return nil
		}
		var m *mlp.MNIST
		if m, err = mlp.LoadMNIST(files, name); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				fmt.Fprint(stderr, whereDataAre)
			}
			err = fmt.Errorf("%s%c%w", o.data, filepath.Separator, err)
		}
		return m
	}
	if train = part("train"); err != nil {
		return nil, nil, err
	}
	if o.limit > 0 {
		train = train.Slice(0, min(o.limit, train.Len()))
	}
	if o.holdout > 0 {
		n := train.Len()
		held := int(math.Floor(o.holdout*float64(n) + 1e-9)) // 0.29·100 is 29, not 28
		if held == 0 {
			return nil, nil, fmt.Errorf("-holdout %v of %d images is none: there is nothing to test on", o.holdout, n)
		}
		train, test = train.Slice(0, n-held), train.Slice(n-held, n)
	} else if test = part("t10k"); err != nil {
		return nil, nil, err
	}
	mean, std := train.Stats()
	train.Standardize(mean, std)
	test.Standardize(mean, std)
	return train, test, nil
}

// whereDataAre is for a folder that lacks a file: nothing here downloads.
const whereDataAre = `MNIST is four files: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz,
t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz. Two public mirrors are
  https://storage.googleapis.com/cvdf-datasets/mnist/
  https://ossci-datasets.s3.amazonaws.com/mnist/
and the SHA-256 of the files' content, unpacked, in that order:
  ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
  65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
  0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
  ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
`

// describe says on standard error what is about to be trained.
func describe(w io.Writer, o *options, train, test *mlp.MNIST, net mlp.Network) {
	from, parameters := "the sample in the program", 0
	if o.data != "" {
		from = o.data
	}
	widths := fmt.Sprint(mlp.Pixels)
	for _, l := range net {
		parameters += len(l.W.Data) + len(l.B.Data)
		widths += fmt.Sprintf("-%d", l.W.Cols)
	}
	fmt.Fprintf(w, "data: %d digits to train and %d to test on, from %s\n", train.Len(), test.Len(), from)
	fmt.Fprintf(w, "network: %s, %s, %d parameters, from init %s by %s\n", widths, o.act.Name, parameters, o.initName, o.opt.Name)
	fmt.Fprintf(w, "kernel: %s, %d threads\n", mlp.Kernel(), runtime.GOMAXPROCS(0))
	if o.limit > train.Len()+test.Len() {
		fmt.Fprintf(w, "warning: -limit %d, but there are %d\n", o.limit, train.Len())
	}
	if o.batch > train.Len() {
		fmt.Fprintf(w, "warning: -batch %d is more than there is: one step an epoch\n", o.batch)
	}
}
