// -verify: the run of a file again, and the comparison.

package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"mlp"
	"mlp/cmd/internal/cli"
)

// verify trains again what is in a file, and compares.
func verify(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	want, earlier, err := o.reopen(o.verify)
	if err != nil {
		return err
	}
	j, err := newJob(earlier, stderr)
	if err == nil {
		err = sameFiles(j.Recipe, want.Recipe)
	}
	if err == nil {
		err = j.begin(ctx, stderr)
	}
	if err == nil {
		err = j.learn(ctx, stderr, len(want.Run.History), func(mlp.Epoch) error { return nil })
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.verify, err)
	}
	return cli.Reproduced(stdout, o.verify, &j.Model, want)
}
