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
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"mlp"
)

func main() {
	// To write to a closed pipe or beyond a file's limit is an error like others.
	const sigpipe, sigxfsz = syscall.Signal(13), syscall.Signal(25)
	signal.Ignore(sigpipe, sigxfsz)
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
		if _, err := fmt.Fprint(stdout, o.usage()); err != nil {
			fmt.Fprintln(stderr, "train: standard output:", plain(err.Error()))
			return 1
		}
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "train:", plain(err.Error()))
		return 2
	}
	if err := train(ctx, o, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "train:", plain(err.Error()))
		return 1
	}
	return 0
}

// plain returns s on one line that a terminal can be trusted with: what cannot
// be printed stands as Go would write it. Names of flags, files and what is in
// files come from outside.
func plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}

// train does what o asks for, from the data to the files.
func train(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	switch {
	case o.verify != "":
		return verify(ctx, o, stdout, stderr)
	case o.resume != "":
		return resume(ctx, o, stdout, stderr)
	}
	j, err := newJob(o, stderr)
	if err != nil {
		return err
	}
	return j.run(ctx, stdout, stderr)
}

// run trains to the end, with a line and the files for each epoch.
func (j *job) run(ctx context.Context, stdout io.Writer, stderr *os.File) error {
	out, err := newOutput(j.out)
	if err != nil {
		return err
	}
	j.describe(stderr)
	if j.checkGradient {
		if err := j.check(ctx, stderr); err != nil {
			return j.explain(err, 0)
		}
	}
	bar := newProgress(stderr, j.epochs, j.rows(j.epochs-len(j.History)))
	err = j.learn(ctx, bar, func(e mlp.Epoch) error {
		if err := out.add(&j.Model); err != nil {
			return err
		}
		bar.clear()
		_, err := fmt.Fprintf(stdout, "Epoch %d/%d, Loss: %.4f, Test Accuracy: %.4f\n", e.N, j.epochs, e.Loss, e.TestAccuracy)
		if err != nil {
			return fmt.Errorf("standard output, epoch %d: %w", e.N, err)
		}
		if e.N == 1 {
			j.report(stderr)
		}
		return nil
	})
	bar.clear()
	if saveErr := out.close(); saveErr != nil {
		return saveErr
	}
	if len(j.History) > 1 {
		j.report(stderr)
	}
	if err != nil {
		return j.explain(err, len(out.history))
	}
	if best := j.History.Best(); j.patience > 0 {
		fmt.Fprintf(stderr, "kept: epoch %d of %d, whose loss on the held-out tenth is %.4f\n", best.N, len(j.History), best.HeldLoss)
	}
	return j.conclude(stdout)
}

// conclude prints the results of the network that is kept.
func (j *job) conclude(stdout io.Writer) error {
	_, err := fmt.Fprintf(stdout, "Final Test Accuracy: %.4f\nWeights SHA-256: %s\n", j.History.Best().TestAccuracy, j.Net.Fingerprint())
	return err
}

// explain adds to the reason why training ended early what there is to do and,
// the epochs being saved up to this one, what there is to keep.
func (j *job) explain(err error, saved int) error {
	kept, further := "no epoch was saved", ""
	if saved > 0 {
		out := filepath.Clean(j.out)
		kept, further = fmt.Sprintf("%s holds epochs 1 to %d", out, saved), "; -resume "+filepath.Join(out, "model.npz")+" goes on"
	}
	var diverged *mlp.DivergedError
	switch {
	case errors.As(err, &diverged):
		smaller := "-lr"
		if j.decay > 0 {
			smaller = "-lr or -decay"
		}
		return fmt.Errorf("%w; a smaller %s is the usual cure (%s)", err, smaller, kept)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: %s%s", kept, further)
	}
	return err
}
