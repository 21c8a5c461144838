// Predict reads digits in pictures with a model of cmd/train's, measures the model on
// MNIST's test digits, writes its page, or writes it for other
// programs.
//
//	go run ./cmd/predict [-model out/train/model.npz] seven.png photo.jpg …
//	go run ./cmd/predict [-model out/train/model.npz] [-data DIR]
//	go run ./cmd/predict [-model out/train/model.npz] -report FILE.html
//	go run ./cmd/predict [-model out/train/model.npz] -export FILE.onnx, .go, .c or .js
//
// Standard output has a line for each digit, or the measurements. The exit code is 0, 1
// with a line on standard error for each thing that went wrong, or 2 for a wrong flag.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/mnist"
	"mlp/cmd/internal/training"
)

func main() {
	cli.Main(func(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int {
		return run(ctx, args, os.Stdin, stdout, stderr)
	})
}

// run is the command with its arguments, its input and its outputs. It returns the exit
// code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer, stderr *os.File) int {
	o, err := parse(args)
	if err != nil {
		return cli.Exit("predict", err, stdout, stderr)
	}
	model, err := training.ReadModel(o.model, training.Train)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: no such file; `go run ./cmd/train` trains a network and writes %s", o.model, defaultModel)
	}
	if err == nil {
		if err = mnist.Check(model.Net); err != nil {
			err = fmt.Errorf("%s: %w", o.model, err)
		}
	}
	switch {
	case err != nil:
	case o.export.IsSet():
		err = o.writeExport(model, stderr)
	case len(o.pictures) == 0:
		err = o.measure(ctx, model, stdout, stderr)
	default:
		r := &reader{options: o, model: model, stdin: stdin, stdout: stdout, stderr: stderr}
		return r.readAll(ctx)
	}
	return cli.Exit("predict", err, stdout, stderr)
}

// defaultModel is what cmd/train writes.
const defaultModel = "out/train/model.npz"

// options is the command line, checked.
type options struct {
	model, data, save, report string
	raw, json                 bool
	export                    training.Export
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
	o.export.Define(f)
	var err error
	if o.pictures, err = f.Parse(args); err != nil {
		return nil, err
	}
	reads := len(o.pictures) > 0
	switch {
	case o.report != "" && filepath.Ext(o.report) != ".html":
		err = fmt.Errorf("-report %s: want a FILE.html", o.report)
	case !reads && (o.raw || o.json || o.save != ""):
		err = errors.New("-raw, -json and -save are for pictures, and none is named")
	case reads && (o.data+o.report != "" || o.export.IsSet()):
		err = errors.New("-data, -report and -export measure, show and write a network, without pictures")
	case o.export.IsSet() && o.data+o.report != "":
		err = errors.New("-export excludes -data and -report")
	default:
		err = o.export.Validate()
	}
	return o, cli.WrongFlag(err)
}
