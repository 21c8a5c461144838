// Vanish is a laboratory: it measures how the gradient vanishes on its way down a
// deep network, what cures that, what data do that depth does not, and which learning rate to take.
//
//	go run ./cmd/vanish [depth] [article] [nielsen] [init] [data] [rate] [playground] [-data DIR] [-out DIR] [-seed N]
//
// Without a name it runs all six experiments and writes the playground. Standard output has
// the experiments' tables and captions and, last, one hash of all numbers and weights; each
// writes its sheet of charts to -out. The playground is a page there that trains a small
// network in the browser. The exit code is 0, 1 with one line on
// standard error that says what went wrong, or 2 for a wrong flag.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
	"mlp/cmd/internal/report"
)

// An experiment prints its table and caption to the lab and returns its sheet.
type experiment struct {
	name   string
	sheets []string // the first is the one that run returns
	run    func(*lab) (*mlp.Figure, error)
}

var experiments = []experiment{
	{"depth", []string{"vanish.svg"}, depth},
	{"article", []string{"statistics.svg"}, article},
	{"nielsen", []string{"nielsen.svg"}, nielsen},
	{"init", []string{"init.svg"}, initialisation},
	{"data", []string{"data.svg", deformedName}, data},
	{"rate", []string{"rate.svg"}, rate},
}

func main() { cli.Main(run) }

// run is the command with its arguments and outputs. It returns the exit code.
func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int {
	o, err := parse(args)
	if err == nil {
		err = vanish(ctx, o, stdout, stderr)
	}
	return cli.Exit("vanish", err, stdout, stderr)
}

// options is the command line, checked.
type options struct {
	data, out  string
	seed       uint64
	chosen     []experiment
	playground bool
}

const playgroundName = "playground.html"

// parse reads names and flags in any order. An error is one line.
func parse(args []string) (*options, error) {
	o, f := &options{out: "out/vanish", seed: 1}, cli.NewFlags("vanish")
	f.Add("data", &o.data)
	f.Add("out", &o.out)
	f.Add("seed", &o.seed)
	names, err := f.Parse(args)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if name == "playground" {
			o.playground = true
			continue
		}
		i := slices.IndexFunc(experiments, func(e experiment) bool { return e.name == name })
		if i < 0 {
			return nil, cli.WrongFlag(fmt.Errorf("%.60q is no experiment: want one of depth, article, nielsen, init, data, rate, or playground", name))
		}
		o.chosen = append(o.chosen, experiments[i])
	}
	if len(names) == 0 {
		o.chosen, o.playground = experiments, true
	}
	return o, nil
}

// vanish writes the playground and runs the chosen experiments one after the other.
func vanish(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	l, err := newLab(ctx, o, stderr)
	if err != nil {
		return err
	}
	defer l.release()
	if o.playground {
		page, err := report.Playground()
		if err == nil {
			err = files.Replace(l.out, files.File{Name: playgroundName, Content: page})
		}
		if err != nil {
			return fmt.Errorf("playground: %w", err)
		}
		l.written = append(l.written, playgroundName)
	}
	for _, e := range o.chosen {
		if err = l.perform(e, stdout); err != nil {
			break
		}
	}
	if err == nil && len(o.chosen) > 0 {
		if _, err = fmt.Fprintf(stdout, "Results SHA-256: %x\n", l.hash.Sum(nil)); err != nil {
			err = fmt.Errorf("standard output: %w", err)
		}
	}
	switch {
	case len(l.written) > 0:
		fmt.Fprintf(stderr, "written to %s: %s\n", cli.Plain(l.out), strings.Join(l.written, ", "))
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted before the first sheet was finished")
	}
	return err
}
