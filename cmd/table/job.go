// What is trained: the rows of a table, and an ensemble of networks for them.

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/training"
)

// A job is a run on a table.
type job struct {
	training.Job

	// The flags that only this command has.
	data, testData, model string
	target, without, text columnNames
	holdout, interval     float64
	decay                 auto
	importance, calibrate bool
	missing               cli.Choice[bool] // a cell may be missing
	weights               cli.Choice[bool] // each class weighs the same
	export                training.Export

	table       *table
	train, test *part   // test is nil without -holdout and -test
	fold        []int32 // the fold of each row of train, by its number in the table
	folds       int     // network i holds out fold i%folds
	found       *found  // by Conclude, for the page
}

// Instead predicts with the model of -model, or writes it for other programs.
func (j *job) Instead(ctx context.Context, stdout, stderr io.Writer) (did bool, err error) {
	switch {
	case j.model == "":
		return false, nil
	case j.export.IsSet():
		return true, j.writeExport(stderr)
	}
	return true, j.predict(ctx, stdout, stderr)
}

// Check returns an error if a model has no columns, or such as do not fit its network.
func (j *job) Check(m *mlp.Model) error {
	_, err := encodingOf(m)
	return err
}

// Gather reads the table, divides it, fits its columns and makes the networks.
func (j *job) Gather(ctx context.Context, from *mlp.Model, stderr io.Writer) (facts map[string]string, err error) {
	if j.table, err = j.readTable(ctx, j.data, nil, stderr); err != nil {
		return nil, err
	}
	facts = map[string]string{training.DigestPrefix + "data": j.table.digest}
	if err = j.divide(); err == nil {
		err = j.train.fit(bins)
	}
	if err == nil {
		facts[training.TableKey], err = j.table.text()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", j.table.name, err)
	}
	if j.testData != "" {
		test, err := j.readTable(ctx, j.testData, j.table.encoding, stderr)
		if err != nil {
			return nil, err
		}
		j.test = test.part(test.all())
		facts[training.DigestPrefix+"test"] = test.digest
	}
	if least := int(math.Ceil(j.interval/(1-j.interval) - 1e-9)); j.interval > 0 && j.test.Len() < least {
		return nil, fmt.Errorf("-interval %v needs %d rows or more of -holdout or -test, there are %d", j.interval, least, j.test.Len())
	}
	if err := j.CheckSteps(j.train.Len() - j.train.Len()/j.folds); err != nil {
		return nil, err
	}
	in, out := j.table.inputs.Width(), j.table.outputs()
	if err := j.CheckSize(in, out); err != nil {
		return nil, err
	}
	if from == nil {
		j.Networks(&j.Model, in, out)
	} else {
		j.Model = *from
	}
	if has, gives := j.Net[0].W.Rows, j.Net[len(j.Net)-1].W.Cols; has != in || gives != out {
		return nil, fmt.Errorf("the network has %d inputs and %d outputs, the table makes %d and %d", has, gives, in, out)
	}
	j.Columns, j.Targets = j.table.inputs, fitted(j.table.Targets)
	j.Guess = j.table.guess()
	j.table.encode()
	return facts, nil
}

// divide makes the parts and their folds, and replaces auto by what fits the number of rows.
func (j *job) divide() error {
	tests := j.holdout
	if j.testData != "" {
		tests = 0
	}
	n := j.table.rows()
	if j.train, j.test = j.table.split(j.Seed, tests); tests > 0 && j.test.Len() == 0 {
		return fmt.Errorf("-holdout %v of %d rows is none, there is nothing to test on", j.holdout, n)
	}
	if tests == 0 {
		j.test = nil
	}
	j.folds = min(max(j.Ensemble, leastFolds), mostFolds, j.train.Len())
	if j.folds < 2 {
		return errors.New("a row to train on and one to hold out are needed")
	}
	j.fold = j.train.folds(j.folds, j.Seed)
	j.resolve(j.train.Len(), len(j.table.Targets))
	return nil
}

// Samples returns the rows that network i is trained on, with the weights that -weights asks
// for. It holds out a fold.
func (j *job) Samples(i int, c *mlp.Config) (mlp.Dataset, error) {
	weighted := func(p *part) mlp.Dataset {
		if !j.weights.Value {
			return p
		}
		return balanced{p, j.train.balance()}
	}
	own := int32(i % j.folds)
	c.Loss, c.Measure = j.Task().Loss(), interval
	c.Validation = weighted(j.train.where(func(r int32) bool { return j.fold[r] == own }))
	return weighted(j.train.where(func(r int32) bool { return j.fold[r] != own })), nil
}

// Len returns about how many rows a network is trained on.
func (j *job) Len() int { return j.train.Len() - j.train.Len()/j.folds }

// Watch does nothing.
func (j *job) Watch() {}

// Describe says what is about to be trained on.
func (j *job) Describe(w io.Writer) {
	fmt.Fprintf(w, "data: %d rows to train on", j.train.Len())
	if j.test != nil {
		fmt.Fprintf(w, ", %d to test on", j.test.Len())
	}
	fmt.Fprintf(w, ", from %s\n", cli.Plain(j.table.name))
	fmt.Fprintf(w, "held out: by each network another of %d parts, to decide when to stop\n", j.folds)
	var targets []string
	for _, c := range j.table.Targets {
		what := "a number"
		if c.isCategory() {
			what = fmt.Sprintf("%d categories", len(c.Values))
		}
		targets = append(targets, fmt.Sprintf("%s (%s)", cli.Plain(c.Name), what))
	}
	if n := len(targets); n > 3 {
		targets = append(targets[:3], fmt.Sprintf("%d more", n-3))
	}
	fmt.Fprintf(w, "%d columns predict %s\n", len(j.table.Inputs), strings.Join(targets, ", "))
}

// Calibrate fits the temperature or the margins to the answers for the test rows. Those that are
// out of fold would not do, because a single network is surer than an ensemble, and farther off.
func (j *job) Calibrate() {
	if j.calibrate {
		j.Temperature = mlp.FitTemperature(j.judge().logits())
	}
	if j.interval > 0 {
		j.Margins = mlp.FitMargins(j.judge().predict(j.test), j.test.truths(), j.interval)
	}
}

// Line is the line of an epoch.
func (j *job) Line(e mlp.Epoch) string {
	loss := "not measured"
	if e.Loss == e.Loss {
		loss = fmt.Sprintf("%.4f", e.Loss)
	}
	return fmt.Sprintf("Epoch %d/%d, Loss: %s, Held-out Loss: %.4f", e.N, j.Epochs, loss, e.ValidationLoss)
}
