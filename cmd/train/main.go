// Train builds a multi-layer perceptron, trains it on MNIST digits and draws
// what happened: the run of the article "Deeper MLPs and Vanishing Gradients".
//
//	go run ./cmd/train [-data DIR] [-hidden 256,128] [-epochs 20] …
//
// Standard output has a line per epoch, the final accuracy and the weights'
// fingerprint; the files go to -out. The exit code is 0, 1 with one line on
// standard error that says what went wrong, or 2 for a wrong flag.
package main

import (
	"context"
	"io"
	"os"

	"mlp/cmd/internal/cli"
)

func main() { cli.Main(run) }

// run is the command with its arguments and outputs. It returns the exit code.
func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int {
	o, err := parse(args)
	if err != nil {
		err = cli.ParseError(err, o.flags, "usage: train [flags]\n", stdout)
	} else {
		err = train(ctx, o, stdout, stderr)
	}
	return cli.Exit("train", err, stderr)
}

// train does what the flags ask for.
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
	if o.Epochs == 0 {
		return j.measure(ctx, stdout, stderr)
	}
	return j.complete(ctx, stdout, stderr)
}
