// What is to be trained: a table in three parts, and a network for it, with the recipe that
// a model file keeps. Not here: the training (run.go).

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
)

// A job is a run: its options, the rows, and the model that it makes.
type job struct {
	*options
	mlp.Model
	table             *table
	train, held, test *part // held is nil without -patience
}

// newJob prepares a run from its beginning.
func newJob(ctx context.Context, o *options, stderr io.Writer) (*job, error) {
	j := &job{options: o}
	if err := j.gather(ctx, stderr); err != nil {
		return nil, err
	}
	sizes := slices.Concat([]int{j.table.width()}, o.Hidden, []int{j.table.outputs()})
	j.Net = cli.NewNetworkOf(o.Seed, o.Init.Value, o.Act.Value, o.Norm.Value, sizes...)
	for _, l := range j.Net[:len(o.Hidden)] {
		l.Dropout = o.Dropout
	}
	return j, nil
}

// gather reads the table, splits it, fits the standardization and writes the recipe.
func (j *job) gather(ctx context.Context, stderr io.Writer) (err error) {
	if j.table, err = j.readTable(ctx, stderr); err != nil {
		return err
	}
	j.Recipe = j.settings()
	j.Recipe[cli.DigestPrefix+"data"] = j.table.digest
	if err := j.divide(ctx, stderr); err != nil {
		return err
	}
	if err := cli.CheckSize(j.table.width(), j.Hidden, j.table.outputs(), j.Norm.Value, j.Opt.Value, int(j.patience.value)); err != nil {
		return err
	}
	if j.Input, err = j.train.fit(j.fileName()); err != nil {
		return err
	}
	for _, p := range []*part{j.train, j.held, j.test} {
		if p != nil {
			p.input = j.Input
		}
	}
	if j.Recipe[encodingKey], err = j.table.text(); err != nil {
		return fmt.Errorf("%s: %w", j.fileName(), err)
	}
	return nil
}

// fileName is the table's name in messages.
func (o *options) fileName() string {
	if o.data == "" {
		return "iris.csv in the program"
	}
	return o.data
}

// divide makes the parts, and replaces auto by what fits the number of rows to train on.
func (j *job) divide(ctx context.Context, stderr io.Writer) error {
	tests := j.holdout
	if j.options.test != "" {
		tests = 0
	}
	n := j.table.rows()
	n -= int(float64(n) * tests)
	j.resolve(n, len(j.table.Targets))
	tenth := 0.0
	if j.patience.value > 0 {
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
	case j.Norm.Value && min(j.Batch, j.train.Len()) == 1:
		return errors.New("-norm batch: there is one row to train on, which has no variance")
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
	j.Recipe[cli.DigestPrefix+"test"] = test.digest
	return nil
}

// sameFiles returns an error if this run has other rows than an earlier one, by the digests
// in their recipes.
func sameFiles(now, earlier map[string]string) error {
	for _, name := range []string{"data", "test"} {
		if a, b := now[cli.DigestPrefix+name], earlier[cli.DigestPrefix+name]; a != b {
			return fmt.Errorf("the file of -%s differs: SHA-256 %.16s…, in the recipe %.16s…", name, a, b)
		}
	}
	return nil
}

// describe says what is about to be trained.
func (j *job) describe(w io.Writer) {
	fmt.Fprintf(w, "data: %d rows to train on, %d to test on, from %s\n", j.train.Len(), j.test.Len(), cli.Plain(j.fileName()))
	if j.held != nil {
		fmt.Fprintf(w, "held out: %d more, to decide when to stop\n", j.held.Len())
	}
	fmt.Fprintf(w, "columns: %s\n", cli.Plain(j.table.describe()))
	fmt.Fprintf(w, "network: %s\n", j.network())
	fmt.Fprintf(w, "kernel: %s, %d threads\n", mlp.Kernel(), runtime.GOMAXPROCS(0))
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

// network says what the network is and where its weights are from.
func (j *job) network() string {
	text, parameters := strconv.Itoa(j.table.width()), 0
	for _, l := range j.Net {
		text += fmt.Sprintf("-%d", l.W.Cols)
		parameters += len(l.W.Data) + len(l.B.Data)
		if l.Norm != nil {
			parameters += len(l.Norm.Gain.Data)
		}
	}
	if len(j.Hidden) > 0 {
		text += ", " + j.Act.Name
	}
	if j.Dropout > 0 {
		text += fmt.Sprintf(", dropout %v", j.Dropout)
	}
	if j.Norm.Value {
		text += ", " + j.Norm.Name + " normalisation"
	}
	from := "init " + j.Init.Name
	if n := len(j.Run.History); n > 0 {
		from = fmt.Sprintf("epoch %d", n)
	}
	return text + fmt.Sprintf(", %d parameters, from %s by %s", parameters, from, j.Opt.Name)
}
