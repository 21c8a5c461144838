// Vanish is a laboratory: it measures how the gradient fades on its way down a
// deep network, and what cures it.
//
//	go run ./cmd/vanish [depth] [article] [nielsen] [init] [-data DIR] [-out DIR] [-seed N]
//
// Without a name it does all four experiments. Standard output has their tables
// and captions and, last, one hash of every number and weight; each experiment
// writes its sheet to -out. The exit code is 0, 1 with one line on standard
// error for what went wrong, or 2 for a wrong flag.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"

	"mlp"
)

// An experiment prints its table and caption to the lab and returns its sheet.
type experiment struct {
	name, sheet, about string
	run                func(*lab) (*mlp.Figure, error)
}

var experiments = []experiment{
	{"depth", "vanish.svg", "1 to 10 hidden layers, by activation and first weights", depth},
	{"article", "rulers.svg", "the article's exercise 4 with four rulers", article},
	{"nielsen", "nielsen.svg", "his chapter 5 held against ours", nielsen},
	{"init", "init.svg", "one deep network from four first weights", initialisation},
}

func main() {
	// To write to a closed pipe or beyond a file's limit is an error like others.
	const sigpipe, sigxfsz = syscall.Signal(13), syscall.Signal(25)
	signal.Ignore(sigpipe, sigxfsz)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the command with its standard output and error; it returns the exit
// code.
func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int {
	o, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		if _, err := fmt.Fprint(stdout, o.usage()); err != nil {
			fmt.Fprintln(stderr, "vanish: standard output:", plain(err.Error()))
			return 1
		}
		return 0
	case err != nil:
		fmt.Fprintln(stderr, "vanish:", plain(err.Error()))
		return 2
	}
	err = vanish(ctx, o, stdout, stderr)
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(stderr, "vanish:", plain(err.Error()))
		return 1
	}
	return 0
}

// plain returns s on one line that a terminal can be trusted with: names of
// flags and files come from outside.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if strconv.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, s)
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
		e, err := named(o.flags.Arg(0))
		if err != nil {
			return o, err
		}
		o.chosen, args = append(o.chosen, e), o.flags.Args()[1:]
	}
	if len(o.chosen) == 0 {
		o.chosen = experiments
	}
	return o, nil
}

func named(name string) (experiment, error) {
	var names []string
	for _, e := range experiments {
		if e.name == name {
			return e, nil
		}
		names = append(names, e.name)
	}
	return experiment{}, fmt.Errorf("%q is no experiment: want one of %s", name, strings.Join(names, ", "))
}

// usage is the help text.
func (o *options) usage() string {
	var b strings.Builder
	b.WriteString("usage: vanish [experiment …] [flags]\n")
	for _, e := range experiments {
		fmt.Fprintf(&b, "  %s\n    \t%s: %s\n", e.name, e.sheet, e.about)
	}
	o.flags.SetOutput(&b)
	o.flags.PrintDefaults()
	return b.String()
}

// vanish does the experiments that o names, one after the other.
func vanish(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	l, err := newLab(ctx, o, stderr)
	if err != nil {
		return err
	}
	for _, e := range o.chosen {
		if err := l.perform(e, stdout); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(stdout, "Results SHA-256: %x\n", l.hash.Sum(nil))
	return err
}
