// The command line: its flags and their ranges, and the options of an earlier run from its
// recipe. Not here: what the flags name (job.go).

package main

import (
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
)

// options is the command line, checked.
type options struct {
	cli.Training
	data, test, out       string
	model, resume, verify string
	target, without, text columnNames
	holdout               float64
	decay, patience       auto
	importance            bool
	missing               cli.Choice[bool] // a missing cell is taken as the column's mean
	weights               cli.Choice[bool] // each class weighs the same
	flags                 *flag.FlagSet
}

// unkept are the flags that the weights do not depend on. A recipe does not have them.
var unkept = []string{"out", "model", "resume", "verify", "importance"}

// either returns the function of a choice between two names. The second stands for true.
func either(no, yes string) func(string) (bool, error) {
	return func(name string) (bool, error) {
		if name != no && name != yes {
			return false, fmt.Errorf("want one of %s, %s", no, yes)
		}
		return name == yes, nil
	}
}

// columnNames is a flag of columns: their names with commas between them, quoted as in CSV.
type columnNames []string

// Set makes c the names in text.
func (c *columnNames) Set(text string) (err error) {
	if *c = nil; text == "" {
		return nil
	}
	r := csv.NewReader(strings.NewReader(text))
	r.TrimLeadingSpace = true
	*c, err = r.Read()
	if err != nil {
		return errors.New(`want names with commas between them, quoted like "a,b" if they have one`)
	}
	for i, name := range *c {
		if (*c)[i] = strings.TrimSpace(name); slices.Contains((*c)[:i], name) {
			return fmt.Errorf("%q is there twice", name)
		}
	}
	return nil
}

func (c *columnNames) String() string {
	if len(*c) == 0 {
		return ""
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(*c)
	w.Flush() // to a string, which does not fail
	return strings.TrimSuffix(b.String(), "\n")
}

// An auto is a flag that is a number from 0, or auto, which depends on the rows.
type auto struct {
	value float64
	isSet bool
}

// Set makes a the number in text.
func (a *auto) Set(text string) (err error) {
	if *a = (auto{}); text == "auto" {
		return nil
	}
	a.isSet = true
	if a.value, err = strconv.ParseFloat(text, 64); err != nil || !(a.value >= 0) || math.IsInf(a.value, 0) {
		return errors.New("want auto, or a finite number from 0")
	}
	return nil
}

func (a *auto) String() string {
	if !a.isSet {
		return "auto"
	}
	return strconv.FormatFloat(a.value, 'g', -1, 64)
}

// The values of auto. The loss is a mean over rows and targets, and the penalty beside it
// becomes as much smaller as there are more of both: autoDecay is that of their sum. A tenth
// of fewer rows than patientRows says too little of when to stop.
const (
	autoDecay    = 10
	autoPatience = 10
	patientRows  = 2000
)

// resolve replaces auto by the values for so many rows to train on and targets.
func (o *options) resolve(rows, targets int) {
	if !o.decay.isSet {
		o.decay.value = autoDecay / (float64(rows) * float64(targets))
	}
	if !o.patience.isSet && rows >= patientRows {
		o.patience.value = autoPatience
	}
}

// parse reads the command line. An error is one line.
func parse(args []string) (*options, error) {
	f := flag.NewFlagSet("table", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	o := &options{
		Training: cli.NewTraining("he", "adam", "cosine", 64, 32), flags: f,
		missing: cli.NewChoice("refuse", either("refuse", "mean")),
		weights: cli.NewChoice("none", either("none", "balanced")),
	}
	o.LR, o.Batch = 0.02, 32
	o.Define(f, "rows")
	f.StringVar(&o.data, "data", "", "`FILE.csv` to train on, or with -model to predict; its name may stand after the flags instead (default iris, which is in the program)")
	f.Var(&o.target, "target", "the `column` to predict, or several with commas between them (default species, for iris)")
	f.Var(&o.without, "without", "leave these `columns` out")
	f.Var(&o.text, "category", "take these `columns` as categories, although they look like numbers")
	f.Var(&o.missing, "missing", "what a missing cell is, by `name`: refuse, or mean, the column's mean over the training rows")
	f.Var(&o.weights, "weights", "weights of the rows, by `name`: none, or balanced, so that each class weighs the same")
	f.Float64Var(&o.holdout, "holdout", 0.2, "hold out this share of the rows to test on")
	f.StringVar(&o.test, "test", "", "test on the rows of this `FILE.csv` instead")
	f.BoolVar(&o.importance, "importance", false, "print how much the loss on the test rows rises when each column is shuffled")
	f.IntVar(&o.Epochs, "epochs", 15, "how many times all rows are used, at most")
	f.Var(&o.decay, "decay", "add this `number` times the weights to their gradient (L2); with -opt adamw, take this times the learning rate times the weights from the weights instead; auto is 10 divided by the rows to train on and, if there are several targets, by their number")
	f.Var(&o.patience, "patience", "hold out a tenth of the training rows, stop when this `number` of epochs has not lowered the loss on it, and keep the best weights; 0 does not; auto is 10, or 0 if there are fewer than 2000 rows to train on")
	f.StringVar(&o.model, "model", "", "predict with this `FILE.npz`, and train nothing")
	f.StringVar(&o.resume, "resume", "", "go on with the run of this `FILE.npz` until it has had -epochs epochs, and write to the file's folder unless -out names another")
	f.StringVar(&o.verify, "verify", "", "train again what is in this `FILE.npz` and compare")
	f.StringVar(&o.out, "out", "out", "`folder` for the files. Each is complete at any moment; model.npz is written last, and -resume goes on from it after a kill")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if err := o.takeFile(); err != nil {
		return o, err
	}
	return o, o.validate()
}

// takeFile makes the argument after the flags that of -data, and the target of iris, which
// is in the program, species.
func (o *options) takeFile() error {
	switch _, twice := o.given()["data"]; {
	case o.flags.NArg() > 1:
		return fmt.Errorf("%q: want one file, after the flags", o.flags.Arg(1))
	case o.flags.NArg() == 1 && twice:
		return fmt.Errorf("%q: -data names a file already", o.flags.Arg(0))
	case o.flags.NArg() == 1:
		return o.flags.Set("data", o.flags.Arg(0))
	case o.data == "" && len(o.target) == 0:
		o.target = columnNames{irisTarget}
	}
	return nil
}

// validate returns an error for the first flag that is out of its range.
func (o *options) validate() error {
	if err := o.validateMode(); err != nil || o.model != "" {
		return err
	}
	switch {
	case !(0 < o.holdout && o.holdout < 1):
		return fmt.Errorf("-holdout %v: want a share between 0 and 1", o.holdout)
	case o.patience.value != math.Trunc(o.patience.value) || o.patience.value > math.MaxInt32:
		return fmt.Errorf("-patience %v: want a whole number", o.patience.value)
	case o.Epochs < 1:
		return fmt.Errorf("-epochs %d: want 1 or more", o.Epochs)
	}
	return o.Validate(true)
}

// validateMode returns an error for flags that exclude one another.
func (o *options) validateMode() error {
	if o.resume != "" && o.verify != "" {
		return errors.New("-resume excludes -verify")
	}
	if o.model == "" {
		return nil
	}
	if o.data == "" {
		return errors.New("-model: want the file to predict, after the flags")
	}
	for name := range o.given() {
		if name != "model" && name != "data" {
			return fmt.Errorf("-model excludes -%s", name)
		}
	}
	return nil
}

// settings returns the flags that the weights depend on, by name, with values that parse
// accepts. A model file keeps them as its recipe.
func (o *options) settings() map[string]string { return cli.Settings(o.flags, unkept...) }

// given returns the flags that were set.
func (o *options) given() map[string]string { return cli.Given(o.flags) }

// reopen reads the model file of a run that has begun and returns the model and the run's
// options.
func (o *options) reopen(name string) (*mlp.Model, *options, error) {
	from, _, err := cli.ReadModel(name)
	if err != nil {
		return nil, nil, err
	}
	earlier, err := o.earlier(from.Recipe)
	if err == nil {
		err = earlier.HasBegun(&from.Run)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return from, earlier, nil
}

// earlier returns the options of an earlier run from its recipe. The recipe comes from a
// file, so it is checked like a command line. A flag of this command line that contradicts
// the recipe is an error, with two exceptions: -data and -test, which may name other
// places, and -epochs if the run is resumed.
func (o *options) earlier(recipe map[string]string) (*options, error) {
	given := o.given()
	args, err := cli.RecipeArgs(o.flags, o.settings(), given, recipe, nil, func(name, value string) bool {
		return name == "data" || name == "test" && value != "" || name == "epochs" && o.resume != ""
	})
	if err != nil {
		return nil, err
	}
	e, err := parse(args)
	if err != nil {
		return nil, fmt.Errorf("its recipe: %w", err)
	}
	if now, ok := given["epochs"]; ok && now != recipe["epochs"] && (e.Schedule.Name != "constant" || e.Warmup > 0) {
		return nil, fmt.Errorf("-epochs %s: the run's schedule is for -epochs %s, which cannot change", now, recipe["epochs"])
	}
	e.out, e.resume, e.verify, e.importance = o.out, o.resume, o.verify, o.importance
	return e, nil
}
