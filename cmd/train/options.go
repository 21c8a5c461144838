// The command line: its flags, their ranges and their help.

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"mlp"
)

// options is the command line, checked.
type options struct {
	data, out, initName   string
	limit, batch, epochs  int
	holdout, lr, momentum float64
	hidden                []int
	seed                  uint64
	shuffle               bool
	act                   *mlp.Activation
	init                  mlp.Init
	opt                   *mlp.Optimizer
	flags                 *flag.FlagSet
}

// The largest network that the flags may ask for.
const (
	maxWidth      = 1 << 16
	maxHidden     = 100
	maxParameters = 1 << 28
)

// parse reads the command line. An error is one line.
func parse(args []string) (*options, error) {
	o := &options{hidden: []int{256, 128}, act: mlp.ReLU, initName: "small", opt: mlp.SGD}
	f := flag.NewFlagSet("train", flag.ContinueOnError)
	o.flags = f
	f.SetOutput(io.Discard)
	f.StringVar(&o.data, "data", "", "folder of the four IDX files, gzipped or not (default the embedded sample)")
	f.IntVar(&o.limit, "limit", 0, "use only the first N training images; 0 is all")
	f.Float64Var(&o.holdout, "holdout", 0, "hold this last share of the training images out to test on")
	f.Func("hidden", "widths of the hidden layers, empty for none (default 256,128)", o.setHidden)
	f.Func("act", "activation: relu, sigmoid or tanh (default relu)", func(s string) (err error) {
		o.act, err = named(mlp.Activations, s, "linear")
		return err
	})
	f.Func("init", "standard deviation of the first weights: small (0.01), xavier, he or lecun (default small)", func(s string) (err error) {
		o.initName = s
		o.init, err = named(mlp.Inits, s, "")
		return err
	})
	f.Func("opt", "optimizer: sgd, momentum or adam (default sgd)", func(s string) (err error) {
		o.opt, err = named(mlp.Optimizers, s, "")
		return err
	})
	f.Float64Var(&o.lr, "lr", 0.1, "learning rate")
	f.Float64Var(&o.momentum, "momentum", 0.9, "momentum, for -opt momentum")
	f.IntVar(&o.batch, "batch", 64, "images in a step")
	f.IntVar(&o.epochs, "epochs", 20, "how many times all images are seen")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the first weights and of the order of the images")
	f.BoolVar(&o.shuffle, "shuffle", true, "take the images in a new order each epoch")
	f.StringVar(&o.out, "out", "out", "folder that the files are written to")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.init = mlp.Inits[o.initName]
	return o, o.check()
}

// check holds the flags to their ranges.
func (o *options) check() error {
	switch {
	case o.flags.NArg() > 0:
		return fmt.Errorf("%q is not a flag", o.flags.Arg(0))
	case o.limit < 0:
		return fmt.Errorf("-limit %d: want 0 (all) or more", o.limit)
	case !(0 <= o.holdout && o.holdout < 1):
		return fmt.Errorf("-holdout %v: want a share from 0 to below 1", o.holdout)
	case !(o.lr > 0) || math.IsInf(o.lr, 0):
		return fmt.Errorf("-lr %v: want a number above 0", o.lr)
	case !(0 <= o.momentum && o.momentum < 1):
		return fmt.Errorf("-momentum %v: want a number from 0 to below 1", o.momentum)
	case o.batch < 1:
		return fmt.Errorf("-batch %d: want 1 or more", o.batch)
	case o.epochs < 1:
		return fmt.Errorf("-epochs %d: want 1 or more", o.epochs)
	}
	return nil
}

// setHidden reads widths with commas between them.
func (o *options) setHidden(s string) error {
	o.hidden = nil
	if strings.TrimSpace(s) == "" {
		return nil
	}
	parameters, in := 0, mlp.Pixels
	for _, field := range strings.Split(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 || n > maxWidth {
			return fmt.Errorf("%q is not a width from 1 to %d", field, maxWidth)
		}
		o.hidden = append(o.hidden, n)
		parameters += (in + 1) * n
		in = n
		if len(o.hidden) > maxHidden || parameters > maxParameters {
			return fmt.Errorf("more than %d layers or %d parameters", maxHidden, maxParameters)
		}
	}
	return nil
}

// named returns the value of a name, or an error that lists the names but for
// the one that is no choice here.
func named[T any](values map[string]T, name, except string) (T, error) {
	v, ok := values[name]
	if !ok || name == except {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(values)), func(n string) bool { return n == except })
		return v, errors.New("want one of " + strings.Join(names, ", "))
	}
	return v, nil
}

// usage is the help text.
func (o *options) usage() string {
	var b strings.Builder
	b.WriteString("usage: train [flags]\n")
	o.flags.SetOutput(&b)
	o.flags.PrintDefaults()
	return b.String()
}
