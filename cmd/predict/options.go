// The command line.

package main

import (
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// defaultModel is what cmd/train writes.
const defaultModel = "out/model.npz"

// options is the command line, checked.
type options struct {
	model, data, save, report string
	raw, json                 bool
	pictures                  []string
	flags                     *flag.FlagSet
}

// parse reads the command line. An error is one line.
func parse(args []string) (*options, error) {
	f := flag.NewFlagSet("predict", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	o := &options{flags: f}
	f.StringVar(&o.model, "model", defaultModel, "the network, in this `FILE.npz`")
	f.StringVar(&o.data, "data", "", "`folder` of the IDX files whose test part measures the model, gzipped or not (default the embedded sample)")
	f.StringVar(&o.report, "report", "", "write the page of the network, with the test digits, to this `FILE.html`, and do not measure it")
	f.BoolVar(&o.raw, "raw", false, "take pictures of 28×28 pixels, white on black, as they are")
	f.BoolVar(&o.json, "json", false, "print an object of JSON for each picture, with all ten probabilities")
	f.StringVar(&o.save, "save", "", "write what the network was shown of each picture to this `folder`, as PNGs of 28×28 pixels")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	o.pictures = f.Args()
	return o, o.validate()
}

// validate returns an error for flags that do not go together.
func (o *options) validate() error {
	given := map[string]bool{}
	empty := ""
	o.flags.Visit(func(f *flag.Flag) {
		if given[f.Name] = true; f.Value.String() == "" {
			empty = f.Name
		}
	})
	switch {
	case empty != "":
		return fmt.Errorf("-%s: the value is empty", empty)
	case given["report"] && filepath.Ext(o.report) != ".html":
		return fmt.Errorf("-report %s: want a FILE.html", o.report)
	}
	for _, name := range []string{"raw", "json", "save"} {
		if given[name] && len(o.pictures) == 0 {
			return fmt.Errorf("-%s: there is no picture to read", name)
		}
	}
	for _, name := range []string{"data", "report"} {
		if given[name] && len(o.pictures) > 0 {
			return fmt.Errorf("-%s is for measuring a model, without pictures", name)
		}
	}
	for _, name := range o.pictures {
		if strings.HasPrefix(name, "-") && name != "-" {
			return fmt.Errorf("%s: flags come before the pictures", name)
		}
	}
	return nil
}
