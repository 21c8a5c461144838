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
	"runtime/debug"

	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/training"
)

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // The digits are large and have no pointers, so collecting often costs little.
	}
	cli.Main(run)
}

// run is the command with its arguments and outputs. It returns the exit code.
func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int {
	return training.Run(ctx, training.Train, args, func(args []string) (training.Task, error) { return parse(args) }, stdout, stderr)
}
