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
	cli.Training
	data, out            string
	load, resume, verify string
	limit, patience      int
	holdout, decay       float64
	shuffle, check, best bool
	scale                cli.Choice[bool] // one mean and deviation for all pixels
	deskew               bool
	deform               deformation
	interval             int // epochs between two measurements of the training images
	flags                *flag.FlagSet
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
	o := &options{Training: cli.NewTraining("small", "sgd", "constant", 256, 128), scale: cli.NewChoice("pixel", scaleByName), flags: f}
	o.LR, o.Batch = 0.1, 64
	o.Define(f, "images")
	f.StringVar(&o.data, "data", "", "`folder` of the four IDX files, gzipped or not (default the embedded sample)")
	f.IntVar(&o.limit, "limit", 0, "use only the first N training images; 0 is all")
	f.Float64Var(&o.holdout, "holdout", 0, "hold out this share of the training images, the last ones, to test on")
	f.IntVar(&o.Epochs, "epochs", 20, "how many times all images are used; 0 with -load measures the model and trains nothing")
	f.BoolVar(&o.shuffle, "shuffle", true, "take the images in a new order each epoch")
	f.Float64Var(&o.decay, "decay", 0, "add this times the weights to their gradient (L2); with -opt adamw, take this times the learning rate times the weights from the weights instead")
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
	case o.flags.NArg() > 0:
		return fmt.Errorf("%q is not a flag (write -shuffle=false, -hidden 256,128)", o.flags.Arg(0))
	case o.limit < 0:
		return fmt.Errorf("-limit %d: want 0 (all) or more", o.limit)
	case !(0 <= o.holdout && o.holdout < 1):
		return fmt.Errorf("-holdout %v: want a share from 0 to below 1", o.holdout)
	case !(o.decay >= 0) || math.IsInf(o.decay, 0):
		return fmt.Errorf("-decay %v: want 0 or a finite number above", o.decay)
	case o.patience < 0:
		return fmt.Errorf("-patience %d: want 0 or more", o.patience)
	case o.interval < 1:
		return fmt.Errorf("-measure %d: want 1 or more", o.interval)
	case o.Epochs == 0 && o.load == "":
		return errors.New("-epochs 0 measures a model: want -load with it, or 1 or more epochs")
	case o.Epochs < 0:
		return fmt.Errorf("-epochs %d: want 0 or more", o.Epochs)
	}
	if err := o.Validate(o.load == ""); err != nil {
		return err
	}
	return o.validateSize()
}

// validateSize returns an error for a network that is too large.
func (o *options) validateSize() error {
	return cli.CheckSize(mlp.MNISTPixels, o.Hidden, mlp.MNISTClasses, o.Norm.Value, o.Opt.Value, o.patience)
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
	if err == nil {
		err = earlier.HasBegun(&from.Run)
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
	if err == nil && e.Epochs == 0 {
		err = errors.New("-epochs 0 is no training")
	}
	if err != nil {
		return nil, fmt.Errorf("its recipe: %w", err)
	}
	if now, ok := given["epochs"]; ok && now != recipe["epochs"] {
		for _, c := range []struct {
			what    string
			depends bool
		}{{e.Schedule.Name + " schedule", e.Schedule.Name != "constant"}, {"-warmup", e.Warmup > 0}, {"-deform", e.deform.on}} {
			if c.depends {
				return nil, fmt.Errorf("-epochs %s: the run's %s is for -epochs %s, which cannot change", now, c.what, recipe["epochs"])
			}
		}
	}
	e.out, e.resume, e.verify, e.check = o.out, o.resume, o.verify, o.check
	return e, nil
}
