// What is trained: a table in three parts, and a network for it.

package main

import (
	"context"
	"fmt"
	"io"
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
	holdout               float64
	decay, patience       auto
	importance            bool
	missing               cli.Choice[bool] // a cell may be missing
	weights               cli.Choice[bool] // each class weighs the same
	export                training.Export

	table             *table
	train, held, test *part // held is nil without -patience
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

// Gather reads the table, divides it, fits the standardization and makes the network.
func (j *job) Gather(ctx context.Context, from *mlp.Model, stderr io.Writer) (facts map[string]string, err error) {
	if j.table, err = j.readTable(ctx, j.data, nil, stderr); err != nil {
		return nil, err
	}
	facts = map[string]string{training.DigestPrefix + "data": j.table.digest}
	if err := j.divide(); err != nil {
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
	if err := j.CheckSteps(j.train.Len()); err != nil {
		return nil, err
	}
	in, out := j.table.width(), j.table.outputs()
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
	if j.Input, err = j.train.fit(); err == nil {
		facts[training.TableKey], err = j.table.text()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", j.table.name, err)
	}
	for _, p := range []*part{j.train, j.held, j.test} {
		if p != nil {
			p.input = j.Input
		}
	}
	_, j.Guess = j.table.loss()
	return facts, nil
}

// divide makes the parts, and replaces auto by what fits the number of rows to train on.
func (j *job) divide() error {
	tests := j.holdout
	if j.testData != "" {
		tests = 0
	}
	n := j.table.rows()
	n -= int(float64(n) * tests)
	j.resolve(n, len(j.table.Targets))
	tenth := 0.0
	if j.Patience > 0 {
		tenth = 0.1
	}
	parts := j.table.split(j.Seed, tests, tenth)
	j.train, j.test = parts[0], parts[1]
	switch {
	case tests > 0 && j.test.Len() == 0:
		return fmt.Errorf("-holdout %v of %d rows is none, there is nothing to test on", j.holdout, n)
	case tenth > 0 && parts[2].Len() == 0:
		return fmt.Errorf("%d rows to train on, -patience needs at least 10", n)
	case j.train.Len() == 0:
		return fmt.Errorf("-holdout %v leaves no row to train on", j.holdout)
	case tenth > 0:
		j.held = parts[2]
	}
	return nil
}

// Samples returns the rows to train on, with the weights that -weights asks for.
func (j *job) Samples(_ int, c *mlp.Config) (mlp.Dataset, error) {
	weighted := func(p *part) mlp.Dataset {
		if !j.weights.Value {
			return p
		}
		return balanced{p, j.train.balance()}
	}
	if c.Loss, _ = j.table.loss(); j.held != nil {
		c.Validation = weighted(j.held)
	}
	return weighted(j.train), nil
}

// Len returns how many rows there are to train on.
func (j *job) Len() int { return j.train.Len() }

// Describe says what is about to be trained on: rows, and how many columns are what.
func (j *job) Describe(w io.Writer) {
	fmt.Fprintf(w, "data: %d rows to train on, %d to test on, from %s\n", j.train.Len(), j.test.Len(), cli.Plain(j.table.name))
	if j.held != nil {
		fmt.Fprintf(w, "held out: %d more, to decide when to stop\n", j.held.Len())
	}
	categories := 0
	for _, c := range j.table.Inputs {
		if c.isCategory() {
			categories++
		}
	}
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
	fmt.Fprintf(w, "columns: %d of numbers and %d of categories predict %s\n",
		len(j.table.Inputs)-categories, categories, strings.Join(targets, ", "))
}

// Line is the line of an epoch.
func (j *job) Line(e mlp.Epoch) string {
	line := fmt.Sprintf("Epoch %d/%d, Loss: %.4f", e.N, j.Epochs, e.Loss)
	if j.held != nil {
		line += fmt.Sprintf(", Held-out Loss: %.4f", e.ValidationLoss)
	}
	return line
}
