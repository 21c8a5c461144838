// A run: training with a line and the files for each epoch, from the beginning or
// from where a file's run stopped; and measuring without training. Not here: how
// the files are written (cli.Output).

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
	"mlp/cmd/internal/report"
)

// complete trains until the run is finished and writes its files.
func (j *job) complete(ctx context.Context, stdout io.Writer, stderr *os.File) error {
	out, err := j.open()
	if err != nil {
		return err
	}
	if j.finished() {
		fmt.Fprintf(stderr, "%s: the run is finished after epoch %d of %d: there is nothing left to train\n", cli.Plain(j.resume), len(j.Run.History), j.Epochs)
		err = out.Save(&j.Model)
	} else if err = j.begin(ctx, stderr); err != nil {
		err = j.explain(err, out)
	} else {
		err = j.trainInto(ctx, out, stdout, stderr)
	}
	if err == nil {
		err = j.writePage(out, stderr)
	}
	if err != nil {
		return err
	}
	return j.end(out, stdout, stderr)
}

// writePage writes the page of a run that is over. A warning says if there is none: the
// network may be too large, and the digits of a run that had finished earlier may have
// moved since.
func (j *job) writePage(out *cli.Output, stderr io.Writer) error {
	html, err := j.page()
	if err != nil {
		fmt.Fprintf(stderr, "warning: %s is not written: %s\n", reportName, cli.Plain(err.Error()))
		return nil
	}
	return out.Finish(html)
}

// page returns the page of the run.
func (j *job) page() ([]byte, error) {
	test := j.plain
	if test == nil {
		var err error
		if _, test, err = j.digits(io.Discard); err == nil {
			err = sameFiles(map[string]string{cli.DigestPrefix + "test": cli.Digest(test)}, j.Recipe)
		}
		if err != nil {
			return nil, err
		}
	}
	var findings []report.Finding
	if j.Run.History[0].First != nil {
		findings = j.diagnose()
	}
	return report.HTML(&j.Model, test, fmt.Sprintf("%v, from %s", test, j.source()), findings)
}

// finished reports whether the run has trained all its epochs, or whether its patience
// is over.
func (j *job) finished() bool {
	n := len(j.Run.History)
	return n >= j.Epochs || n > 0 && j.patience > 0 && n-j.Run.History.Best().N >= j.patience
}

// open makes the folder for the files. If the model that is resumed is in it, open
// writes the other files anew, because a kill may have left those of another epoch.
func (j *job) open() (*cli.Output, error) {
	out, err := cli.NewOutput(j.out, files, historyName, curvesName, gradientsName, reportName)
	if err != nil {
		return nil, err
	}
	if out.Last = reportName; cli.SameFile(j.resume, filepath.Join(out.Dir, cli.ModelName)) {
		out.Saved = len(j.Run.History)
		err = out.Write(j.Run.History, nil)
	}
	return out, err
}

// begin says what the run is and, with -check, tests the gradient.
func (j *job) begin(ctx context.Context, stderr io.Writer) error {
	j.describe(stderr)
	if j.check {
		return j.testGradient(ctx, stderr)
	}
	return nil
}

// trainInto trains the epochs that are left. However training ends, it saves the last
// epoch that was finished.
func (j *job) trainInto(ctx context.Context, out *cli.Output, stdout io.Writer, stderr *os.File) error {
	err := j.learn(ctx, stderr, j.Epochs-len(j.Run.History), func(e mlp.Epoch) error {
		return j.endEpoch(e, out, stdout, stderr)
	})
	saveErr := out.Save(&j.Model)
	if len(j.Run.History) > 1 {
		j.report(stderr)
	}
	err = j.explain(err, out)
	switch {
	case err == nil:
		return saveErr
	case saveErr != nil && !errors.Is(err, saveErr):
		return fmt.Errorf("%w; %w", err, saveErr)
	}
	return err
}

// endEpoch saves an epoch, if that is due, and prints its line.
func (j *job) endEpoch(e mlp.Epoch, out *cli.Output, stdout, stderr io.Writer) error {
	if err := out.Add(&j.Model); err != nil {
		return err
	}
	loss := "not measured"
	if e.Loss == e.Loss {
		loss = fmt.Sprintf("%.4f", e.Loss)
	}
	_, err := fmt.Fprintf(stdout, "Epoch %d/%d, Loss: %s, Test Accuracy: %.4f\n", e.N, j.Epochs, loss, e.TestAccuracy)
	if err != nil {
		return fmt.Errorf("standard output, epoch %d: %w", e.N, err)
	}
	if e.N == 1 && e.Loss == e.Loss {
		j.report(stderr)
	}
	return nil
}

// learn trains the job's network for that many more epochs, and calls onEpoch after each.
func (j *job) learn(ctx context.Context, stderr *os.File, epochs int, onEpoch func(mlp.Epoch) error) error {
	train, err := j.trainingSet()
	if err != nil {
		return err
	}
	c := j.Config(&j.Run)
	c.Decay, c.InOrder, c.Test, c.Patience, c.Measure = j.decay, !j.shuffle, j.test, j.patience, j.interval
	if j.held != nil {
		c.Held = j.held
	}
	return cli.Learn(ctx, stderr, j.Net, train, c, epochs, onEpoch)
}

// trainingSet returns what the network is trained on: the training images, or deformed
// versions of them.
func (j *job) trainingSet() (mlp.Dataset, error) {
	if !j.deform.on {
		return j.train, nil
	}
	return j.train.Deform(j.deform.Deformation, j.Seed, j.Epochs)
}

// end prints the results of a finished run and the names of its files.
func (j *job) end(out *cli.Output, stdout, stderr io.Writer) error {
	best := j.Run.History.Best()
	if j.patience > 0 {
		fmt.Fprintf(stderr, "kept: epoch %d of %d, whose loss on the held-out tenth is %.4f\n", best.N, len(j.Run.History), best.HeldLoss)
	}
	if err := j.conclude(stdout, best.TestAccuracy); err != nil {
		return err
	}
	out.Report(stderr)
	return nil
}

// conclude prints the last two lines.
func (j *job) conclude(stdout io.Writer, accuracy float64) error {
	_, err := fmt.Fprintf(stdout, "Final Test Accuracy: %.4f\nWeights SHA-256: %s\n", accuracy, j.Net.Fingerprint())
	if err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

// measure prints how accurate a loaded model is. It writes no file.
func (j *job) measure(ctx context.Context, stdout, stderr io.Writer) error {
	if err := j.begin(ctx, stderr); err != nil {
		return err
	}
	_, accuracy := mlp.Evaluate(j.Net, j.test, nil)
	return j.conclude(stdout, accuracy)
}

// explain adds to the reason why training ended early what can be done about it and
// what is kept.
func (j *job) explain(err error, out *cli.Output) error {
	smaller := "-lr"
	if j.decay > 0 {
		smaller = "-lr or -decay"
	}
	return out.Explain(err, smaller)
}

// resume goes on with the run of a file. If that is finished, resume needs no digits.
func resume(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	if _, ok := o.given()["out"]; !ok {
		o.out = filepath.Dir(o.resume)
	}
	from, earlier, err := o.reopen(o.resume)
	if err != nil {
		return err
	}
	j := &job{options: earlier, Model: *from}
	j.setDropout()
	if !j.finished() {
		err = j.gather(stderr)
		if err == nil {
			err = sameFiles(j.Recipe, from.Recipe)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", o.resume, err)
		}
		if loaded, ok := from.Recipe[cli.DigestPrefix+"load"]; ok {
			j.Recipe[cli.DigestPrefix+"load"] = loaded
		}
	}
	return j.complete(ctx, stdout, stderr)
}
