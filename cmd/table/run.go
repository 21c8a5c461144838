// A run: training with a line and the files for each epoch, from the beginning or from
// where a file's run stopped, or again and compared. Not here: what is printed of the test
// rows (report.go).

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"mlp"
	"mlp/cmd/internal/cli"
)

// complete trains until the run is finished, writes its files and prints what the network
// does on the test rows.
func (j *job) complete(ctx context.Context, stdout io.Writer, stderr *os.File) error {
	out, err := cli.NewOutput(j.out, j.files, curvesName, pointsName)
	if err != nil {
		return err
	}
	if cli.SameFile(j.resume, filepath.Join(out.Dir, cli.ModelName)) {
		out.Saved = len(j.Run.History)
		if err := out.Write(j.Run.History, nil); err != nil {
			return err
		}
	}
	if j.finished() {
		fmt.Fprintf(stderr, "%s: the run is finished after epoch %d of %d: there is nothing left to train\n", cli.Plain(j.resume), len(j.Run.History), j.Epochs)
		err = out.Save(&j.Model)
	} else {
		j.describe(stderr)
		out.Next = time.Now().Add(time.Second) // a short run is saved once
		err = j.trainInto(ctx, out, stdout, stderr)
	}
	if err == nil {
		err = j.conclude(ctx, stdout, stderr)
	}
	if err == nil {
		out.Report(stderr)
	}
	return err
}

// finished reports whether the run has trained all its epochs, or whether its patience
// is over.
func (j *job) finished() bool {
	n := len(j.Run.History)
	return n >= j.Epochs || n > 0 && j.held != nil && n-j.Run.History.Best().N >= int(j.patience.value)
}

// trainInto trains the epochs that are left. However training ends, it saves the last epoch
// that was finished.
func (j *job) trainInto(ctx context.Context, out *cli.Output, stdout io.Writer, stderr *os.File) error {
	begin := time.Now()
	err := j.learn(ctx, stderr, j.Epochs-len(j.Run.History), func(e mlp.Epoch) error {
		if err := out.Add(&j.Model); err != nil {
			return err
		}
		return j.printEpoch(e, stdout)
	})
	if err == nil {
		fmt.Fprintf(stderr, "trained in %.1f ms\n", float64(time.Since(begin).Microseconds())/1000)
	}
	saveErr := out.Save(&j.Model)
	smaller := "-lr"
	if j.decay.value > 0 {
		smaller = "-lr or -decay"
	}
	err = out.Explain(err, smaller)
	if err != nil && saveErr != nil && !errors.Is(err, saveErr) {
		return fmt.Errorf("%w; %w", err, saveErr)
	}
	if err == nil {
		err = saveErr
	}
	return err
}

func (j *job) printEpoch(e mlp.Epoch, stdout io.Writer) error {
	line := fmt.Sprintf("Epoch %d/%d, Loss: %.4f", e.N, j.Epochs, e.Loss)
	if j.held != nil {
		line += fmt.Sprintf(", Held-out Loss: %.4f", e.HeldLoss)
	}
	if _, err := fmt.Fprintln(stdout, line); err != nil {
		return fmt.Errorf("standard output, epoch %d: %w", e.N, err)
	}
	return nil
}

// learn trains the job's network for that many more epochs, and calls onEpoch after each.
func (j *job) learn(ctx context.Context, stderr *os.File, epochs int, onEpoch func(mlp.Epoch) error) error {
	c := j.Config(&j.Run)
	c.Loss, c.Decay, c.Patience = j.table.task().loss(), j.decay.value, int(j.patience.value)
	if j.held != nil {
		c.Held = j.weighted(j.held)
	}
	return cli.Learn(ctx, stderr, j.Net, j.weighted(j.train), c, epochs, onEpoch)
}

// weighted returns a part with the weights that -weights asks for.
func (j *job) weighted(p *part) mlp.Dataset {
	if !j.weights.Value {
		return p
	}
	return balanced{p, j.train.balance()}
}

// resume goes on with the run of a file.
func resume(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	if _, ok := o.given()["out"]; !ok {
		o.out = filepath.Dir(o.resume)
	}
	from, j, err := again(ctx, o, o.resume, stderr)
	if err == nil && !slices.Equal(sizes(from.Net), sizes(j.Net)) {
		err = fmt.Errorf("%s: its layers are %v, its recipe and the table make %v", o.resume, sizes(from.Net), sizes(j.Net))
	}
	if err != nil {
		return err
	}
	from.Recipe = j.Recipe
	j.Model = *from
	return j.complete(ctx, stdout, stderr)
}

// verify trains again what is in a file, and compares.
func verify(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	want, j, err := again(ctx, o, o.verify, stderr)
	if err != nil {
		return err
	}
	j.describe(stderr)
	if err = j.learn(ctx, stderr, len(want.Run.History), func(mlp.Epoch) error { return nil }); err != nil {
		return fmt.Errorf("%s: %w", o.verify, err)
	}
	return cli.Reproduced(stdout, o.verify, &j.Model, want)
}

// again reads the model of a run and prepares the same run from its beginning.
func again(ctx context.Context, o *options, name string, stderr io.Writer) (*mlp.Model, *job, error) {
	from, earlier, err := o.reopen(name)
	if err != nil {
		return nil, nil, err
	}
	j, err := newJob(ctx, earlier, stderr)
	if err == nil {
		err = sameFiles(j.Recipe, from.Recipe)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return from, j, nil
}

// sizes returns the widths of a network's layers, the input's first.
func sizes(net mlp.Network) []int {
	all := []int{net[0].W.Rows}
	for _, l := range net {
		all = append(all, l.W.Cols)
	}
	return all
}
