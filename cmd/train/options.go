// The command line: its flags, their ranges, and those that -best sets.

package main

import (
	"errors"
	"fmt"
	"math"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/training"
)

// options are the flags that only this command has.
type options struct {
	data, load    string
	limit         int
	holdout       float64
	shuffle, best bool
	deskew        bool
	scale         cli.Choice[bool] // one mean and deviation for all pixels
	deform        deformation
	interval      int // epochs between two measurements of the training images
	calibrate     bool
	freeze        int // the first layers, which stay as they are in the file of -load
}

// laterFlags are the flags that recipes of earlier versions do not have. Such a run had
// their defaults.
var laterFlags = []string{"warmup", "deskew", "scale", "deform", "measure", "dropout", "ensemble", "freeze", "calibrate"}

// parse reads the command line. An error is one line.
func parse(args []string) (*job, error) {
	j := &job{options: options{shuffle: true, interval: 1}}
	j.Flags = training.NewFlags(training.Train, "small", "sgd", "constant", 256, 128)
	j.LR, j.Batch, j.Epochs, j.Guess, j.Later = 0.1, 64, 20, math.Log(mlp.MNISTClasses), laterFlags
	j.scale = cli.NewChoice("pixel", cli.OneOf(map[string]bool{"pixel": false, "image": true}))
	j.Define("best")
	for name, to := range map[string]any{
		"data": &j.data, "limit": &j.limit, "holdout": &j.holdout, "deskew": &j.deskew, "scale": &j.scale, "deform": &j.deform,
		"shuffle": &j.shuffle, "decay": &j.Decay, "patience": &j.Patience, "measure": &j.interval, "best": &j.best, "load": &j.load, "freeze": &j.freeze, "calibrate": &j.calibrate,
	} {
		j.Args.Add(name, to)
	}
	words, err := j.Args.Parse(args)
	if err != nil {
		return nil, err
	}
	for name, value := range bestFlags {
		if j.best {
			j.Args.SetDefault(name, value)
		}
	}
	j.Deformed = j.deform.on
	return j, cli.WrongFlag(j.validate(words))
}

// validate returns an error for the first flag that is out of its range.
func (j *job) validate(words []string) error {
	switch {
	case j.Resume != "" && j.load != "":
		return errors.New("-resume excludes -load")
	case j.best && j.Resume+j.Verify != "":
		return errors.New("-best begins a run, and -resume and -verify take the flags of the file's")
	case j.best && j.load != "":
		return errors.New("-best begins with a network of its own: it excludes -load")
	case len(words) > 0:
		return fmt.Errorf("%.60q is not a flag (write -shuffle=false, -hidden 256,128)", words[0])
	case j.limit < 0:
		return fmt.Errorf("-limit %d: want 0 (all) or more", j.limit)
	case !(0 <= j.holdout && j.holdout < 1):
		return fmt.Errorf("-holdout %v: want a share from 0 to below 1", j.holdout)
	case j.freeze < 0:
		return fmt.Errorf("-freeze %d: want 0 or more", j.freeze)
	case j.freeze > 0 && j.load == "":
		return errors.New("-freeze keeps layers of a file: want -load with it")
	case j.calibrate && (j.Patience == 0 || j.Epochs == 0):
		return errors.New("-calibrate needs images that are not trained on: want -patience, which holds some out")
	case j.interval < 1:
		return fmt.Errorf("-measure %d: want 1 or more", j.interval)
	case j.Epochs == 0 && j.load == "":
		return errors.New("-epochs 0 measures a model: want -load with it, or 1 or more epochs")
	case j.Epochs < 0:
		return fmt.Errorf("-epochs %d: want 0 or more", j.Epochs)
	}
	if err := j.Validate(j.load == ""); err != nil {
		return err
	}
	return j.CheckSize(mlp.MNISTPixels, mlp.MNISTClasses)
}

// bestFlags are the flags that -best sets, unless they are given. Its -epochs depends on
// how many images there are: see bestEpochs.
var bestFlags = map[string]string{
	"hidden": "256,256", "init": "he", "opt": "adam", "norm": "batch", "batch": "128", "lr": "0.004",
	"warmup": "0.1", "schedule": "cosine", "deskew": "true", "scale": "image", "measure": "10",
	"deform": "rotation=10,shear=7,scale=0.1,shift=0.5,elastic=1.2,smooth=4",
}

// bestEpochs is how many epochs -best trains with n images. The fewer there are, the more
// often each is used, but the shorter is the run.
func bestEpochs(n int) int {
	return int(math.Round(50 * math.Cbrt(60000/float64(n))))
}
