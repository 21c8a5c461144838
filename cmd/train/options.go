// The command line: its flags, their ranges, and the recipe that a model file keeps
// of them. Not here: what the flags name (job.go).

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"

	"mlp"
	"mlp/cmd/internal/cli"
)

// options is the command line, checked.
type options struct {
	data, out             string
	load, resume, verify  string
	limit, batch, epochs  int
	patience              int
	holdout, lr, momentum float64
	decay, clip, dropout  float64
	hidden                cli.Widths
	seed                  uint64
	shuffle, check, best  bool
	act                   cli.Choice[*mlp.Activation]
	init                  cli.Choice[mlp.Init]
	opt                   cli.Choice[*mlp.Optimizer]
	schedule              cli.Choice[mlp.Schedule]
	norm                  cli.Choice[bool] // batch normalisation
	scale                 cli.Choice[bool] // one mean and deviation for all pixels
	deskew                bool
	deform                deformation
	warmup                float64
	interval              int // epochs between two measurements of the training images
	flags                 *flag.FlagSet
}

// laterFlags are the flags that recipes of earlier versions do not have. Such a run had
// their defaults.
var laterFlags = []string{"warmup", "deskew", "scale", "deform", "measure", "dropout"}

func scaleByName(name string) (together bool, err error) {
	if name != "pixel" && name != "image" {
		err = errors.New("want one of image, pixel")
	}
	return name == "image", err
}

// parse reads the command line. An error is one line.
func parse(args []string) (*options, error) {
	f := flag.NewFlagSet("train", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	o := &options{
		flags:    f,
		hidden:   cli.Widths{256, 128},
		act:      cli.NewChoice("relu", cli.ActByName),
		init:     cli.NewChoice("small", mlp.InitByName),
		opt:      cli.NewChoice("sgd", mlp.OptimizerByName),
		schedule: cli.NewChoice("constant", mlp.ScheduleByName),
		norm:     cli.NewChoice("none", cli.NormByName),
		scale:    cli.NewChoice("pixel", scaleByName),
	}
	f.StringVar(&o.data, "data", "", "`folder` of the four IDX files, gzipped or not (default the embedded sample)")
	f.IntVar(&o.limit, "limit", 0, "use only the first N training images; 0 is all")
	f.Float64Var(&o.holdout, "holdout", 0, "hold out this share of the training images, the last ones, to test on")
	f.Var(&o.hidden, "hidden", "`widths` of the hidden layers, empty for none")
	f.Var(&o.act, "act", "activation, by `name`: relu, sigmoid or tanh")
	f.Var(&o.init, "init", "standard deviation of the first weights, by `name`: small (0.01), xavier, he or lecun")
	f.Var(&o.opt, "opt", "optimizer, by `name`: sgd, momentum, or adam or adamw, for which -lr 0.001 is usual")
	f.Float64Var(&o.lr, "lr", 0.1, "learning rate")
	f.Float64Var(&o.momentum, "momentum", 0.9, "momentum of -opt momentum, and the first decay rate of adam and adamw")
	f.IntVar(&o.batch, "batch", 64, "images in a step")
	f.IntVar(&o.epochs, "epochs", 20, "how many times all images are used; 0 with -load measures the model and trains nothing")
	f.Uint64Var(&o.seed, "seed", 1, "seed of the first weights and of the order of the images")
	f.BoolVar(&o.shuffle, "shuffle", true, "take the images in a new order each epoch")
	f.Var(&o.norm, "norm", "normalisation in the hidden layers, by `name`: none or batch")
	f.Float64Var(&o.decay, "decay", 0, "add this times the weights to their gradient (L2); with -opt adamw, take this times the learning rate times the weights from the weights instead")
	f.Float64Var(&o.dropout, "dropout", 0, "in each step drop the outputs of hidden units with this probability")
	f.Float64Var(&o.clip, "clip", 0, "scale the gradient down if its norm over all layers is larger than this; 0 never does")
	f.Var(&o.schedule, "schedule", "schedule of the learning rate, by `name`: constant, step (a tenth from half of the run on, a hundredth from three quarters on) or cosine")
	f.Float64Var(&o.warmup, "warmup", 0, "over this share of the run raise the learning rate from a twentieth, and take -schedule's course from then")
	f.BoolVar(&o.deskew, "deskew", false, "normalise each digit's position, slant and size, in the training part and in the test part")
	f.Var(&o.scale, "scale", "standardize each pixel, or the image with one mean and deviation for all pixels, by `name`: pixel or image")
	f.Var(&o.deform, "deform", "deform the training images, anew in each epoch: none, usual, or `amounts` such as rotation=10,shear=7,scale=0.1,shift=0.5,elastic=0.9,smooth=4")
	f.IntVar(&o.interval, "measure", 1, "measure all training images after each Nth epoch and the last")
	f.IntVar(&o.patience, "patience", 0, "hold out a tenth of the training images, stop when so many epochs have not lowered the loss on it, and keep the best weights; 0 does not")
	f.BoolVar(&o.best, "best", false, "train the best network that this program knows for MNIST: sets those of the other flags that are not given")
	f.BoolVar(&o.check, "check", false, "check the gradient before training")
	f.StringVar(&o.load, "load", "", "start from the weights in this `FILE.npz`; with -verify, the new path of the file that the run began with")
	f.StringVar(&o.resume, "resume", "", "go on with the run of this `FILE.npz` until it has had -epochs epochs, and write to the file's folder unless -out names another; if the run is finished, only write its files")
	f.StringVar(&o.verify, "verify", "", "train again what is in this `FILE.npz` and compare")
	f.StringVar(&o.out, "out", "out", "`folder` for the files. Each is complete at any moment; model.npz is written last, and -resume goes on from it after a kill")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.best {
		o.applyBest()
	}
	return o, o.validate()
}

// validate returns an error for the first flag that is out of its range.
func (o *options) validate() error {
	switch {
	case o.resume != "" && o.load+o.verify != "":
		return errors.New("-resume excludes -load and -verify")
	case o.best && o.resume+o.verify != "":
		return errors.New("-best begins a run, and -resume and -verify take the flags of the file's")
	case len(o.hidden) == 0 && o.norm.Value && o.load == "":
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
		return fmt.Errorf("-decay %v: want 0 or a finite number above", o.decay)
	case !(o.clip >= 0) || math.IsInf(o.clip, 0):
		return fmt.Errorf("-clip %v: want 0 or a finite number above", o.clip)
	case !(0 <= o.dropout && o.dropout < 1):
		return fmt.Errorf("-dropout %v: want a probability from 0 to below 1", o.dropout)
	case len(o.hidden) == 0 && o.dropout > 0 && o.load == "":
		return errors.New("-dropout: there is no hidden layer to drop units of")
	case o.patience < 0:
		return fmt.Errorf("-patience %d: want 0 or more", o.patience)
	case !(0 <= o.warmup && o.warmup < 1):
		return fmt.Errorf("-warmup %v: want a share from 0 to below 1", o.warmup)
	case o.interval < 1:
		return fmt.Errorf("-measure %d: want 1 or more", o.interval)
	case o.batch == 1 && o.norm.Value:
		return errors.New("-norm batch: a batch of one image has no variance")
	case o.batch < 1:
		return fmt.Errorf("-batch %d: want 1 or more", o.batch)
	case o.epochs == 0 && o.load == "":
		return errors.New("-epochs 0 measures a model: want -load with it, or 1 or more epochs")
	case o.epochs < 0:
		return fmt.Errorf("-epochs %d: want 0 or more", o.epochs)
	}
	return o.validateSize()
}

// validateSize returns an error for a network that is too large.
func (o *options) validateSize() error {
	return cli.CheckSize(mlp.MNISTPixels, o.hidden, mlp.MNISTClasses, o.norm.Value, o.opt.Value, o.patience)
}

// settings returns the flags that the weights depend on, by name, with values that
// parse accepts. A model file keeps them as its recipe.
func (o *options) settings() map[string]string {
	return cli.Settings(o.flags, "out", "resume", "verify", "check", "best")
}

// given returns the flags that were set, with values as in settings: those on the
// command line or, if the options are those of an earlier run, all in its recipe.
func (o *options) given() map[string]string {
	return cli.Given(o.flags)
}

// reopen reads the model file of a run that has begun and returns the model and the
// run's options.
func (o *options) reopen(name string) (*mlp.Model, *options, error) {
	from, _, err := cli.ReadModel(name)
	if err != nil {
		return nil, nil, err
	}
	earlier, err := o.earlier(from.Recipe)
	if err == nil {
		err = earlier.takeLayers(from) // which need not be those of the recipe
	}
	if n := len(from.Run.History); err == nil && n == 0 {
		err = errors.New("no epoch was trained")
	} else if err == nil && n > earlier.epochs {
		err = fmt.Errorf("the run has had %d epochs, more than -epochs %d", n, earlier.epochs)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return from, earlier, nil
}

// earlier returns the options of an earlier run from its recipe. The recipe comes
// from a file, so it is checked like a command line. A flag of this command line that
// contradicts the recipe is an error, with three exceptions: -data and -load, which may
// name other places, and -epochs if the run is resumed.
func (o *options) earlier(recipe map[string]string) (*options, error) {
	given := o.given()
	args, err := cli.RecipeArgs(o.flags, o.settings(), given, recipe, laterFlags, func(name, value string) bool {
		return name == "data" || name == "epochs" && o.resume != "" || name == "load" && value != ""
	})
	if err != nil {
		return nil, err
	}
	e, err := parse(args)
	if err == nil && e.epochs == 0 {
		err = errors.New("-epochs 0 is no training")
	}
	if err != nil {
		return nil, fmt.Errorf("its recipe: %w", err)
	}
	if now, ok := given["epochs"]; ok && now != recipe["epochs"] {
		for _, c := range []struct {
			what    string
			depends bool
		}{{e.schedule.Name + " schedule", e.schedule.Name != "constant"}, {"-warmup", e.warmup > 0}, {"-deform", e.deform.on}} {
			if c.depends {
				return nil, fmt.Errorf("-epochs %s: the run's %s is for -epochs %s, which cannot change", now, c.what, recipe["epochs"])
			}
		}
	}
	e.out, e.resume, e.verify, e.check = o.out, o.resume, o.verify, o.check
	return e, nil
}
