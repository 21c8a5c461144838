// Table trains a multi-layer perceptron on the rows of a CSV file, and predicts with it.
//
//	go run ./cmd/table [flags] -target COLUMN FILE.csv
//	go run ./cmd/table -model out/table/model.npz NEW.csv > PREDICTED.csv
//
// Standard output has a line per epoch, what the network does on rows that it has not
// seen, and the weights' fingerprint; or the predicted rows. The files go to -out. The exit
// code is 0, 1 with one line on standard error that says what went wrong, or 2 for a wrong
// flag.
package main

import (
	"context"
	"io"
	"os"
	"runtime/debug"

	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/training"
)

func main() { cli.Main(run) }

// run is the command with its arguments and outputs. It returns the exit code.
func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int {
	debug.SetGCPercent(25) // a table has no pointers, so that a collection costs little
	return training.Run(ctx, training.Table, args, func(args []string) (training.Task, error) { return parse(args) }, stdout, stderr)
}
