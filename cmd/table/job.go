// What is trained: a table in three parts, and a network for it.

package main

import (
	"context"
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
	options
	table             *table
	train, held, test *part // held is nil without -patience
}

// Instead predicts with the model of -model.
func (j *job) Instead(ctx context.Context, stdout, stderr io.Writer) (did bool, err error) {
	if j.model == "" {
		return false, nil
	}
	return true, predict(ctx, &j.options, stdout, stderr)
}

// Check returns an error if a model has no columns, or such as do not fit its network.
func (j *job) Check(m *mlp.Model) error {
	_, err := encodingOf(m)
	return err
}

// Gather reads the table, divides it, fits the standardization and makes the network.
func (j *job) Gather(ctx context.Context, from *mlp.Model, stderr io.Writer) (facts map[string]string, err error) {
	if j.table, err = j.readTable(ctx, stderr); err != nil {
		return nil, err
	}
	facts = map[string]string{training.DigestPrefix + "data": j.table.digest}
	if err := j.divide(ctx, facts, stderr); err != nil {
		return nil, err
	}
	if err := j.CheckSteps(j.train.Len()); err != nil {
		return nil, err
	}
	in, out := j.table.width(), j.table.outputs()
	if err := j.CheckSize(in, out); err != nil {
		return nil, err
	}
	input, err := j.train.fit(j.fileName())
	if err != nil {
		return nil, err
	}
	for _, p := range []*part{j.train, j.held, j.test} {
		if p != nil {
			p.input = input
		}
	}
	if facts[training.TableKey], err = j.table.text(); err != nil {
		return nil, fmt.Errorf("%s: %w", j.fileName(), err)
	}
	if from == nil {
		j.Model = mlp.Model{Net: j.Network(in, out)}
	} else if j.Model = *from; in != j.Net[0].W.Rows || out != j.Net[len(j.Net)-1].W.Cols {
		return nil, fmt.Errorf("the network has %d inputs and %d outputs, the table makes %d and %d", j.Net[0].W.Rows, j.Net[len(j.Net)-1].W.Cols, in, out)
	}
	j.Input = input
	j.Guess = guess(j.table.task(), out)
	return facts, nil
}

// guess is the loss of a network whose outputs are all 0: each class is as likely as another,
// each label as likely as not, and each number the mean, about which the standardized numbers
// have the variance 1.
func guess(t task, outputs int) float64 {
	switch t {
	case classes:
		return math.Log(float64(outputs))
	case labels:
		return math.Ln2
	}
	return 1
}

// fileName is the table's name in messages.
func (o *options) fileName() string {
	if o.data == "" {
		return "iris.csv in the program"
	}
	return o.data
}

// divide makes the parts, and replaces auto by what fits the number of rows to train on. The
// digest of the rows of -test is one of the facts.
func (j *job) divide(ctx context.Context, facts map[string]string, stderr io.Writer) error {
	tests := j.holdout
	if j.options.test != "" {
		tests = 0
	}
	n := j.table.rows()
	n -= int(float64(n) * tests)
	j.resolve(n, len(j.table.Targets))
	tenth := 0.0
	if j.Patience > 0 {
		tenth = 0.1
	}
	rows := j.table.split(j.Seed, tests, tenth)
	j.train, j.test = j.table.part(rows[0]), j.table.part(rows[1])
	switch {
	case tests > 0 && j.test.Len() == 0:
		return fmt.Errorf("%s: -holdout %v of %d rows is none, there is nothing to test on", j.fileName(), j.holdout, n)
	case tenth > 0 && len(rows[2]) == 0:
		return fmt.Errorf("%s: %d rows to train on, -patience needs at least 10", j.fileName(), n)
	case j.train.Len() == 0:
		return fmt.Errorf("%s: -holdout %v leaves no row to train on", j.fileName(), j.holdout)
	}
	if tenth > 0 {
		j.held = j.table.part(rows[2])
	}
	if j.options.test == "" {
		return nil
	}
	test, err := j.table.readLike(ctx, j.options.test, stderr)
	if err != nil {
		return err
	}
	j.test = test.part(test.all())
	facts[training.DigestPrefix+"test"] = test.digest
	return nil
}

// Samples returns the rows to train on, with the weights that -weights asks for.
func (j *job) Samples(c *mlp.Config) (mlp.Dataset, error) {
	weighted := func(p *part) mlp.Dataset {
		if !j.weights.Value {
			return p
		}
		return balanced{p, j.train.balance()}
	}
	if c.Loss = j.table.task().loss(); j.held != nil {
		c.Validation = weighted(j.held)
	}
	return weighted(j.train), nil
}

// Describe says what is about to be trained on.
func (j *job) Describe(w io.Writer) {
	fmt.Fprintf(w, "data: %d rows to train on, %d to test on, from %s\n", j.train.Len(), j.test.Len(), cli.Plain(j.fileName()))
	if j.held != nil {
		fmt.Fprintf(w, "held out: %d more, to decide when to stop\n", j.held.Len())
	}
	fmt.Fprintf(w, "columns: %s\n", cli.Plain(j.table.describe()))
}

// describe says how many columns are what.
func (e *encoding) describe() string {
	categories := 0
	for _, c := range e.Inputs {
		if c.isCategory() {
			categories++
		}
	}
	var targets []string
	for _, c := range e.Targets {
		what := "a number"
		if c.isCategory() {
			what = fmt.Sprintf("%d categories", len(c.Values))
		}
		targets = append(targets, fmt.Sprintf("%s (%s)", c.Name, what))
	}
	if n := len(targets); n > 3 {
		targets = append(targets[:3], fmt.Sprintf("%d more", n-3))
	}
	return fmt.Sprintf("%d of numbers and %d of categories predict %s", len(e.Inputs)-categories, categories, strings.Join(targets, ", "))
}

// Line is the line of an epoch.
func (j *job) Line(e mlp.Epoch) string {
	line := fmt.Sprintf("Epoch %d/%d, Loss: %.4f", e.N, j.Epochs, e.Loss)
	if j.held != nil {
		line += fmt.Sprintf(", Held-out Loss: %.4f", e.ValidationLoss)
	}
	return line
}
