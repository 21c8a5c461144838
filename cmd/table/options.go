// The command line: its flags and their ranges.

package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/training"
)

// columnNames is a flag of columns: their names with commas between them, quoted as in CSV.
type columnNames []string

// Set makes c the names in text.
func (c *columnNames) Set(text string) (err error) {
	if text == "" {
		return errors.New("the value is empty")
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

func (c columnNames) String() string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	w.Write(c)
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

// The defaults, which the README explains.
const (
	bins       = 12 // of a quantity, at most
	leastFolds = 8  // the fewest parts of the rows; each network holds out one of them
	mostFolds  = 16 // the most
	interval   = 10 // epochs between two measurements of all rows that a network is trained on
)

// resolve gives the flags that depend on the rows to train on and the targets their values,
// unless they are set. AdamW's decay does not depend on the loss. To other optimizers it is a
// penalty beside a loss that is a mean over rows and targets, and becomes as much smaller as
// there are more of both. A table of many rows needs fewer epochs
// and has larger steps.
func (j *job) resolve(rows, targets int) {
	const enough = 20_000 // rows
	if j.Decay = j.decay.value; !j.decay.isSet {
		if j.Decay = 0.1; !j.Opt.Value.Decays {
			j.Decay = 1 / (float64(rows) * float64(targets))
		}
	}
	given := j.Args.Given()
	if given["epochs"] == "" {
		epochs := 40 * math.Sqrt(min(1, enough/float64(rows)))
		j.Args.SetDefault("epochs", strconv.Itoa(int(math.Round(epochs))))
	}
	if given["batch"] == "" {
		j.Args.SetDefault("batch", strconv.Itoa(min(max(32, rows/30), max(64, rows/300), 256)))
	}
}

// parse reads the command line. An error is one line.
func parse(args []string) (*job, error) {
	j := &job{
		missing: cli.NewChoice("keep", cli.OneOf(map[string]bool{"refuse": false, "keep": true, "mean": true})),
		weights: cli.NewChoice("none", cli.OneOf(map[string]bool{"none": false, "balanced": true})),
	}
	j.Flags = training.NewFlags(training.Table, "he", "adamw", "cosine", 48, 48, 48)
	j.LR, j.Batch, j.Epochs, j.Ensemble, j.Patience = 0.01, 32, 40, 10, 12
	j.Later = []string{"calibrate", "interval"}
	j.SaveAfter = time.Second // a short run is saved once
	j.Define("model", "importance", "export", "package")
	for name, to := range map[string]any{
		"data": &j.data, "target": &j.target, "without": &j.without, "category": &j.text, "missing": &j.missing,
		"weights": &j.weights, "holdout": &j.holdout, "test": &j.testData, "importance": &j.importance,
		"decay": &j.decay, "calibrate": &j.calibrate, "interval": &j.interval, "patience": &j.Patience, "model": &j.model,
	} {
		j.Args.Add(name, to)
	}
	j.export.Define(j.Args)
	words, err := j.Args.Parse(args)
	if err == nil {
		err = cli.WrongFlag(j.validate(words))
	}
	return j, err
}

// validate takes the word beside the flags as that of -data, and the target of iris, which is
// in the program, as species. It returns an error for the first flag that is out of its range,
// or for two that exclude each other.
func (j *job) validate(words []string) error {
	switch {
	case len(words) > 1:
		return fmt.Errorf("%.60q: want one file", words[1])
	case len(words) == 1 && j.data != "":
		return fmt.Errorf("%.60q: -data names a file already", words[0])
	case len(words) == 1:
		if err := j.Args.Set("data", words[0]); err != nil {
			return err
		}
	case j.data == "" && len(j.target) == 0:
		j.target = columnNames{irisTarget}
	}
	if j.model != "" {
		may := []string{"model", "data"}
		if j.export.IsSet() {
			may = []string{"model", "export", "package"}
		} else if j.data == "" {
			return errors.New("-model: want the file to predict")
		}
		for name := range j.Args.Given() {
			if !slices.Contains(may, name) {
				return fmt.Errorf("-%s excludes -%s", may[len(may)-2], name)
			}
		}
		return j.export.Validate()
	}
	switch {
	case j.export.IsSet():
		return errors.New("-export: -model must name the model to write")
	case j.data == "-" || j.testData == "-":
		return errors.New("-: what is learnt must be a file, because -verify reads it again")
	case !(0 <= j.holdout && j.holdout < 1):
		return fmt.Errorf("-holdout %v: want a share from 0 to below 1", j.holdout)
	case !(0 <= j.interval && j.interval < 1):
		return fmt.Errorf("-interval %v: want a share from 0 to below 1", j.interval)
	case j.interval > 0 && j.holdout == 0 && j.testData == "":
		return errors.New("-interval needs rows that no network has seen: want -holdout or -test")
	case j.calibrate && j.holdout == 0 && j.testData == "":
		return errors.New("-calibrate needs rows that no network has seen: want -holdout or -test")
	case j.Epochs < 1:
		return fmt.Errorf("-epochs %d: want 1 or more", j.Epochs)
	}
	return j.Validate(true)
}
