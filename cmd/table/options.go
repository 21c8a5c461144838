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

// The values of auto. The loss is a mean over rows and targets, and the penalty beside it
// becomes as much smaller as there are more of both: autoDecay is that of their sum. A tenth
// of fewer rows than patientRows says too little of when to stop.
const (
	autoDecay    = 10
	autoPatience = 10
	patientRows  = 2000
)

// resolve replaces auto by the values for so many rows to train on and targets.
func (j *job) resolve(rows, targets int) {
	j.Decay, j.Patience = j.decay.value, int(j.patience.value)
	if !j.decay.isSet {
		j.Decay = autoDecay / (float64(rows) * float64(targets))
	}
	if !j.patience.isSet && rows >= patientRows {
		j.Patience = autoPatience
	}
}

// parse reads the command line. An error is one line.
func parse(args []string) (*job, error) {
	j := &job{
		holdout: 0.2,
		missing: cli.NewChoice("keep", cli.OneOf(map[string]bool{"refuse": false, "keep": true, "mean": true})),
		weights: cli.NewChoice("none", cli.OneOf(map[string]bool{"none": false, "balanced": true})),
	}
	j.Flags = training.NewFlags(training.Table, "he", "adam", "cosine", 64, 32)
	j.LR, j.Batch, j.Epochs = 0.02, 32, 15
	j.SaveAfter = time.Second // a short run is saved once
	j.Define("model", "importance", "export", "package")
	for name, to := range map[string]any{
		"data": &j.data, "target": &j.target, "without": &j.without, "category": &j.text, "missing": &j.missing,
		"weights": &j.weights, "holdout": &j.holdout, "test": &j.testData, "importance": &j.importance,
		"decay": &j.decay, "patience": &j.patience, "model": &j.model,
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
	case !(0 < j.holdout && j.holdout < 1):
		return fmt.Errorf("-holdout %v: want a share between 0 and 1", j.holdout)
	case j.patience.value != math.Trunc(j.patience.value) || j.patience.value > math.MaxInt32:
		return fmt.Errorf("-patience %v: want a whole number of epochs, at most %d", j.patience.value, math.MaxInt32)
	case j.Epochs < 1:
		return fmt.Errorf("-epochs %d: want 1 or more", j.Epochs)
	}
	return j.Validate(true)
}
