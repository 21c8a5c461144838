// A run: training with a line and the files for each epoch, from the beginning or
// from where a file's run stopped; and measuring without training. Not here: how
// the files are written (output.go).

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"mlp"
	"mlp/cmd/internal/cli"
)

// run trains to the end.
func (j *job) run(ctx context.Context, stdout io.Writer, stderr *os.File) error {
	out, err := newOutput(j.out)
	if err == nil && sameFile(j.resume, filepath.Join(out.dir, modelName)) {
		err = out.derive(j.Run.History) // a kill may have left files of another epoch
	}
	if err != nil {
		return err
	}
	if err := j.begin(ctx, stderr); err != nil {
		return err
	}
	bar := cli.NewBar(stderr)
	err = j.learn(ctx, bar, j.epochs-len(j.Run.History), func(e mlp.Epoch) error {
		if err := out.add(&j.Model); err != nil {
			return err
		}
		bar.Clear()
		_, err := fmt.Fprintf(stdout, "Epoch %d/%d, Loss: %.4f, Test Accuracy: %.4f\n", e.N, j.epochs, e.Loss, e.TestAccuracy)
		if err != nil {
			return fmt.Errorf("standard output, epoch %d: %w", e.N, err)
		}
		if e.N == 1 {
			j.report(stderr)
		}
		return nil
	})
	bar.Clear()
	if saveErr := out.save(&j.Model); saveErr != nil {
		return saveErr
	}
	if len(j.Run.History) > 1 {
		j.report(stderr)
	}
	if err != nil {
		return j.explain(err, out.saved)
	}
	if best := j.Run.History.Best(); j.patience > 0 {
		fmt.Fprintf(stderr, "kept: epoch %d of %d, whose loss on the held-out tenth is %.4f\n", best.N, len(j.Run.History), best.HeldLoss)
	}
	if err := j.conclude(stdout, j.Run.History.Best().TestAccuracy); err != nil {
		return err
	}
	out.report(stderr)
	return nil
}

// begin says what the run is and, with -check, tests the gradient.
func (j *job) begin(ctx context.Context, stderr io.Writer) error {
	j.describe(stderr)
	if !j.check {
		return nil
	}
	if err := j.testGradient(ctx, stderr); err != nil {
		return j.explain(err, 0)
	}
	return nil
}

// measure prints how accurate a loaded model is. It writes no file.
func (j *job) measure(ctx context.Context, stdout io.Writer, stderr *os.File) error {
	if err := j.begin(ctx, stderr); err != nil {
		return err
	}
	_, accuracy := mlp.Evaluate(j.Net, j.test, nil)
	return j.conclude(stdout, accuracy)
}

// conclude prints the results of the network.
func (j *job) conclude(stdout io.Writer, accuracy float64) error {
	_, err := fmt.Fprintf(stdout, "Final Test Accuracy: %.4f\nWeights SHA-256: %s\n", accuracy, j.Net.Fingerprint())
	if err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// explain adds to the reason why training ended early what can be done about it
// and what is kept: the files hold the epochs up to saved.
func (j *job) explain(err error, saved int) error {
	kept, further := "no epoch was saved", ""
	if saved > 0 {
		out := filepath.Clean(j.out)
		kept, further = fmt.Sprintf("%s holds epochs 1 to %d", out, saved), "; -resume "+filepath.Join(out, modelName)+" goes on"
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

// learn trains the job's network until it has had the epochs that it shall have, and
// calls onEpoch after each. The bar is for that many of them.
func (j *job) learn(ctx context.Context, bar *cli.Bar, epochs int, onEpoch func(mlp.Epoch) error) error {
	rows := 2*j.train.Len() + j.test.Len()
	if j.held != nil {
		rows += j.held.Len()
	}
	past := len(j.Run.History)
	bar.Begin(float64(epochs)*float64(rows), func(share float64) string {
		return fmt.Sprintf("epoch %d/%d", past+min(epochs, int(share*float64(epochs))+1), j.epochs)
	})
	c := mlp.Config{
		Optimizer: j.opt, Rate: j.lr, Schedule: j.schedule, Beta1: j.momentum, Decay: j.decay, Clip: j.clip,
		Epochs: j.epochs, Run: &j.Run, Batch: j.batch, Seed: j.seed, InOrder: !j.shuffle,
		Test: watched{j.test, bar}, Patience: j.patience, OnEpoch: onEpoch,
	}
	if j.held != nil {
		c.Held = watched{j.held, bar}
	}
	_, err := mlp.Train(ctx, j.Net, watched{j.train, bar}, c)
	return err
}

// watched is a data set that tells a bar how many rows it has given.
type watched struct {
	mlp.Dataset
	bar *cli.Bar
}

func (d watched) Batch(x, y *mlp.Matrix, index []int) {
	d.Dataset.Batch(x, y, index)
	d.bar.Add(float64(len(index)))
}

// resume goes on with the run of a file. If nothing is left to train, it writes the
// files that follow from the model anew, without the model.
func resume(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	from, _, err := readModel(o.resume)
	if err != nil {
		return err
	}
	if _, ok := o.given()["out"]; !ok {
		o.out = filepath.Dir(o.resume)
	}
	earlier, err := o.earlier(from.Recipe)
	if err == nil {
		err = earlier.takeLayers(from) // which need not be those of the recipe
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.resume, err)
	}
	j := &job{options: earlier, Model: *from}
	if j.finished() {
		return j.derive(stdout, stderr)
	}
	err = j.gather(stderr)
	if err == nil {
		err = sameFiles(j.Recipe, from.Recipe)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.resume, err)
	}
	if loaded, ok := from.Recipe[digestPrefix+"load"]; ok {
		j.Recipe[digestPrefix+"load"] = loaded
	}
	return j.run(ctx, stdout, stderr)
}

// finished reports whether the run has had its epochs or was ended by -patience.
func (j *job) finished() bool {
	n := len(j.Run.History)
	return n >= j.epochs || j.patience > 0 && n > 0 && n-j.Run.History.Best().N >= j.patience
}

// derive writes the files that follow from the model of a finished run.
func (j *job) derive(stdout io.Writer, stderr *os.File) error {
	fmt.Fprintf(stderr, "%s: the run is finished after %d epochs of %d: there is nothing left to train\n",
		cli.Plain(j.resume), len(j.Run.History), j.epochs)
	out, err := newOutput(j.out)
	if err == nil {
		err = out.derive(j.Run.History)
	}
	if err == nil {
		err = j.conclude(stdout, j.Run.History.Best().TestAccuracy)
	}
	if err == nil {
		out.report(stderr)
	}
	return err
}
