// Vanish is a laboratory: it measures how the gradient vanishes on its way down a
// deep network, what cures that, and what data do that depth does not.
//
//	go run ./cmd/vanish [depth] [article] [nielsen] [init] [data] [-data DIR] [-out DIR] [-seed N]
//
// Without a name it runs all five experiments. Standard output has their tables
// and captions and, last, one hash of all numbers and weights; each experiment
// writes its sheet of charts to -out. The exit code is 0, 1 with one line on
// standard error that says what went wrong, or 2 for a wrong flag.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
)

// An experiment prints its table and caption to the lab and returns its sheet.
type experiment struct {
	name   string
	sheets []string // the first is the one that run returns
	about  string
	run    func(*lab) (*mlp.Figure, error)
}

var experiments = []experiment{
	{"depth", []string{"vanish.svg"}, "1 to 10 hidden layers, by activation and first weights", depth},
	{"article", []string{"statistics.svg"}, "the article's exercise 4 with four layer statistics", article},
	{"nielsen", []string{"nielsen.svg"}, "chapter 5 of Nielsen's book compared with ours", nielsen},
	{"init", []string{"init.svg"}, "one deep network from four first weights", initialisation},
	{"data", []string{"data.svg", deformedName}, "one network on more digits, deskewed and deformed ones", data},
}

func main() { cli.Main(run) }

// run is the command with its arguments and outputs. It returns the exit code.
func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int {
	o, err := parse(args)
	if err != nil {
		err = cli.ParseError(err, o.flags, usage(), stdout)
	} else {
		err = vanish(ctx, o, stdout, stderr)
	}
	return cli.Exit("vanish", err, stderr)
}

// options is the command line, checked.
type options struct {
	data, out string
	seed      uint64
	chosen    []experiment
	flags     *flag.FlagSet
}

// parse reads names and flags in any order. An error is one line.
func parse(args []string) (*options, error) {
	o := &options{flags: flag.NewFlagSet("vanish", flag.ContinueOnError)}
	o.flags.SetOutput(io.Discard)
	o.flags.StringVar(&o.data, "data", "", "folder of the four IDX files, gzipped or not (default the embedded sample)")
	o.flags.StringVar(&o.out, "out", "out", "folder that the sheets are written to")
	o.flags.Uint64Var(&o.seed, "seed", 1, "seed of the first weights and of the order of the images")
	for {
		if err := o.flags.Parse(args); err != nil {
			return o, err
		}
		if o.flags.NArg() == 0 {
			break
		}
		name := o.flags.Arg(0)
		i := slices.IndexFunc(experiments, func(e experiment) bool { return e.name == name })
		if i < 0 {
			return o, fmt.Errorf("%q is no experiment: want one of depth, article, nielsen, init, data", name)
		}
		o.chosen, args = append(o.chosen, experiments[i]), o.flags.Args()[1:]
	}
	if len(o.chosen) == 0 {
		o.chosen = experiments
	}
	return o, nil
}

// usage is the beginning of the help text.
func usage() string {
	var b strings.Builder
	b.WriteString("usage: vanish [experiment …] [flags]\n")
	for _, e := range experiments {
		fmt.Fprintf(&b, "  %s\n    \t%s: %s\n", e.name, strings.Join(e.sheets, ", "), e.about)
	}
	return b.String()
}

// vanish runs the chosen experiments one after the other.
func vanish(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	l, err := newLab(ctx, o, stderr)
	if err != nil {
		return err
	}
	for _, e := range o.chosen {
		if err = l.perform(e, stdout); err != nil {
			break
		}
	}
	if err == nil {
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
