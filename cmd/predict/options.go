// The command line.

package main

import (
	"fmt"
	"path/filepath"

	"mlp/cmd/internal/cli"
)

// defaultModel is what cmd/train writes.
const defaultModel = "out/train/model.npz"

// options is the command line, checked.
type options struct {
	model, data, save, report string
	raw, json                 bool
	pictures                  []string
}

// parse reads the command line. An error is one line.
func parse(args []string) (*options, error) {
	o, f := &options{model: defaultModel}, cli.NewFlags("predict")
	f.Add("model", &o.model)
	f.Add("data", &o.data)
	f.Add("report", &o.report)
	f.Add("raw", &o.raw)
	f.Add("json", &o.json)
	f.Add("save", &o.save)
	var err error
	if o.pictures, err = f.Parse(args); err != nil {
		return nil, err
	}
	return o, cli.WrongFlag(o.validate(f.Given()))
}

// validate returns an error for flags that do not go together.
func (o *options) validate(given map[string]string) error {
	if o.report != "" && filepath.Ext(o.report) != ".html" {
		return fmt.Errorf("-report %s: want a FILE.html", o.report)
	}
	for _, name := range []string{"raw", "json", "save"} {
		if _, ok := given[name]; ok && len(o.pictures) == 0 {
			return fmt.Errorf("-%s: there is no picture to read", name)
		}
	}
	for _, name := range []string{"data", "report"} {
		if _, ok := given[name]; ok && len(o.pictures) > 0 {
			return fmt.Errorf("-%s is for measuring a model, without pictures", name)
		}
	}
	return nil
}
