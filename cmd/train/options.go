// The command line: its flags, their ranges and their help.

package main

import (
	"cmp"
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
	data, out, initName    string
	load, resume, verify   string
	norm, schedule         string
	limit, batch, epochs   int
	patience               int
	holdout, lr, momentum  float64
	decay, clip            float64
	hidden                 []int
	seed                   uint64
	shuffle, checkGradient bool
	act                    *mlp.Activation
	init                   mlp.Init
	opt                    *mlp.Optimizer
	flags                  *flag.FlagSet
}

// The largest network that the flags may ask for, whose weights fill 1 GiB, and the
// longest value that a flag may have in a file: a path on Linux.
const (
	maxValue      = 4096
	maxWidth      = 1 << 16
	maxHidden     = 100
	maxParameters = 1 << 27
	maxStored     = 1<<28 - 1<<22 // numbers: the 2 GiB that a file holds, less what else is in it
)

// norms has the values of -norm.
var norms = map[string]string{"none": "none", "batch": "batch"}

// parse reads the command line. An error is one line.
func parse(args []string) (*options, error) {
	o := &options{hidden: []int{256, 128}, act: mlp.ReLU, initName: "small", opt: mlp.SGD, norm: "none", schedule: "constant"}
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
	f.Func("opt", "optimizer: sgd, momentum, or adam, which wants -lr 0.001 or so (default sgd)", func(s string) (err error) {
		o.opt, err = named(mlp.Optimizers, s, "")
		return err
	})
	f.Float64Var(&o.lr, "lr", 0.1, "learning rate")
	f.Float64Var(&o.momentum, "momentum", 0.9, "for -opt momentum, and the first decay of adam")
	f.IntVar(&o.batch, "batch", 64, "images in a step")
	f.IntVar(&o.epochs, "epochs", 20, "how many times all images are seen")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the first weights and of the order of the images")
	f.BoolVar(&o.shuffle, "shuffle", true, "take the images in a new order each epoch")
	f.Func("norm", "normalisation in the hidden layers: none or batch (default none)", func(s string) (err error) {
		o.norm, err = named(norms, s, "")
		return err
	})
	f.Float64Var(&o.decay, "decay", 0, "add this times the weights to their gradient (L2)")
	f.Float64Var(&o.clip, "clip", 0, "scale a gradient down whose norm is larger; 0 never does")
	f.Func("schedule", "of the learning rate: constant, step (a tenth at half, a hundredth at three quarters) or cosine (default constant)", func(s string) error {
		o.schedule = s
		_, err := named(mlp.Schedules, s, "")
		return err
	})
	f.IntVar(&o.patience, "patience", 0, "hold a tenth of the training images out, stop when so many epochs have not lowered the loss on it, and keep the best weights; 0 does not")
	f.BoolVar(&o.checkGradient, "check", false, "check the gradient before training")
	f.StringVar(&o.load, "load", "", "start from the weights in this `FILE.npz`; with -verify, where those of that run are now")
	f.StringVar(&o.resume, "resume", "", "go on with the run of this `FILE.npz`, to -epochs in all, writing to its folder")
	f.StringVar(&o.verify, "verify", "", "train again what is in this `FILE.npz` and compare")
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
	case o.resume != "" && o.load+o.verify != "":
		return errors.New("-resume excludes -load and -verify")
	case len(o.hidden) == 0 && o.norm == "batch" && o.load == "":
		return errors.New("-norm batch: there is no hidden layer to normalise")
	case o.flags.NArg() > 0:
		return fmt.Errorf("%q is not a flag (write -shuffle=false, -hidden 256,128)", o.flags.Arg(0))
	case o.limit < 0:
		return fmt.Errorf("-limit %d: want 0 (all) or more", o.limit)
	case !(0 <= o.holdout && o.holdout < 1):
		return fmt.Errorf("-holdout %v: want a share from 0 to below 1", o.holdout)
	case !(o.lr > 0) || math.IsInf(o.lr, 0):
		return fmt.Errorf("-lr %v: want a finite number above 0", o.lr)
	case !(0 < o.momentum && o.momentum < 1):
		return fmt.Errorf("-momentum %v: want a number between 0 and 1", o.momentum)
	case !(o.decay >= 0) || math.IsInf(o.decay, 0):
		return fmt.Errorf("-decay %v: want 0 or a number above", o.decay)
	case !(o.clip >= 0) || math.IsInf(o.clip, 0):
		return fmt.Errorf("-clip %v: want 0 or a number above", o.clip)
	case o.patience < 0:
		return fmt.Errorf("-patience %d: want 0 or more", o.patience)
	case o.batch == 1 && o.norm == "batch":
		return errors.New("-norm batch: a batch of one image has no variance")
	case o.batch < 1:
		return fmt.Errorf("-batch %d: want 1 or more", o.batch)
	case o.epochs < 1:
		return fmt.Errorf("-epochs %d: want 1 or more", o.epochs)
	}
	return o.checkSize()
}

// checkSize returns an error for too large a network: also where a file cannot hold
// the parameters, an optimizer's running values of them and, with -patience, the best
// ones beside the last.
func (o *options) checkSize() error {
	parameters, in := 0, mlp.MNISTPixels
	for _, n := range slices.Concat(o.hidden, []int{mlp.MNISTClasses}) {
		parameters += (in + 1) * n
		in = n
	}
	if parameters > maxParameters {
		return fmt.Errorf("-hidden: %d parameters, more than %d", parameters, maxParameters)
	}
	copies := 1 + o.opt.Slots + min(1, o.patience)
	if parameters*copies > maxStored {
		return fmt.Errorf("-hidden: %d parameters, of which %s and -patience %d keep %d sets, are more than the 2 GiB of a file", parameters, o.opt.Name, o.patience, copies)
	}
	return nil
}

// recipe is the flags that the weights depend on, by name, in words that parse
// understands.
func (o *options) recipe() map[string]string {
	number := func(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
	widths := make([]string, len(o.hidden))
	for i, n := range o.hidden {
		widths[i] = strconv.Itoa(n)
	}
	return map[string]string{
		"data": o.data, "limit": strconv.Itoa(o.limit), "holdout": number(o.holdout), "load": o.load,
		"hidden": strings.Join(widths, ","), "act": o.act.Name, "init": o.initName, "opt": o.opt.Name,
		"lr": number(o.lr), "momentum": number(o.momentum), "batch": strconv.Itoa(o.batch),
		"norm": o.norm, "decay": number(o.decay), "clip": number(o.clip), "schedule": o.schedule,
		"patience": strconv.Itoa(o.patience),
		"epochs":   strconv.Itoa(o.epochs), "seed": strconv.FormatUint(o.seed, 10), "shuffle": strconv.FormatBool(o.shuffle),
	}
}

// given returns the flags that stand on the command line, with their values as
// recipe has them.
func (o *options) given() map[string]string {
	all, given := o.recipe(), map[string]string{}
	o.flags.Visit(func(f *flag.Flag) { given[f.Name] = all[f.Name] })
	return given
}

// again returns the options of an earlier run from its recipe, which comes
// from a file and is checked as a command line is. A flag of this command line
// that contradicts it is an error; only where files lie and how many epochs
// there shall be may differ.
func (o *options) again(recipe map[string]string) (*options, error) {
	if len(recipe) == 0 {
		return nil, errors.New("the file does not say how it was trained")
	}
	given := o.given()
	var args []string
	for _, name := range slices.Sorted(maps.Keys(o.recipe())) {
		value, ok := recipe[name]
		if !ok {
			return nil, fmt.Errorf("its recipe lacks -%s", name)
		}
		if len(value) > maxValue {
			return nil, fmt.Errorf("its recipe's -%s is of %d bytes, more than %d", name, len(value), maxValue)
		}
		if mine, ok := given[name]; ok && (name == "data" || name == "epochs" && o.resume != "" || name == "load" && value != "") {
			value = mine
		} else if ok && mine != value {
			return nil, fmt.Errorf("-%s %s contradicts -%s %s, with which it was trained", name, mine, name, cmp.Or(value, `""`))
		}
		args = append(args, "-"+name+"="+value)
	}
	then, err := parse(args)
	if err != nil {
		return nil, fmt.Errorf("its recipe: %w", err)
	}
	if recipe["epochs"] != then.recipe()["epochs"] && then.schedule != "constant" {
		return nil, fmt.Errorf("-epochs %d: its %s schedule is one of %s epochs", then.epochs, then.schedule, recipe["epochs"])
	}
	then.out, then.resume, then.verify, then.checkGradient = o.out, o.resume, o.verify, o.checkGradient
	return then, nil
}

// setHidden reads widths with commas between them.
func (o *options) setHidden(s string) error {
	o.hidden = nil
	if strings.TrimSpace(s) == "" {
		return nil
	}
	for _, field := range strings.Split(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 || n > maxWidth {
			return fmt.Errorf("%q is not a width from 1 to %d", field, maxWidth)
		}
		if o.hidden = append(o.hidden, n); len(o.hidden) > maxHidden {
			return fmt.Errorf("more than %d layers", maxHidden)
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
