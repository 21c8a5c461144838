// What is trained: the digits, and a network for them, new or from a file.

package main

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"strconv"
	"sync"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/mnist"
	"mlp/cmd/internal/report"
	"mlp/cmd/internal/training"
)

// A job is a run on digits.
type job struct {
	training.Job
	options
	train, test *mlp.MNIST
	held        *mlp.MNIST // nil without -patience
	plain       *mlp.MNIST // the test part as its file has it
	earlier     report.Snapshots
}

// Instead measures the model of -load if no epoch is asked for.
func (j *job) Instead(ctx context.Context, stdout, stderr io.Writer) (did bool, err error) {
	if j.Epochs > 0 || j.Resume+j.Verify != "" {
		return false, nil
	}
	return true, j.measure(ctx, stdout, stderr)
}

// Check returns an error if a model does not read digits.
func (j *job) Check(m *mlp.Model) error { return mnist.Check(m.Net) }

// Gather reads the digits and makes the network. What is left of a run that is finished
// needs no digits, except for the page.
func (j *job) Gather(ctx context.Context, from *mlp.Model, stderr io.Writer) (facts map[string]string, err error) {
	facts = map[string]string{}
	switch {
	case from != nil:
		j.Model = *from
		j.SetDropout(&j.Model)
	case j.load != "":
		if facts[training.DigestPrefix+"load"], err = j.takeFile(); err != nil {
			return nil, err
		}
	default:
		j.Networks(&j.Model, mlp.MNISTPixels, mlp.MNISTClasses)
		j.Deskew = j.deskew
	}
	if err := j.freezeLayers(); err != nil {
		return nil, err
	}
	j.train, j.test, err = j.digits(stderr)
	if err != nil && from != nil && j.Finished() {
		fmt.Fprintf(stderr, "warning: %s is not written: %s\n", reportName, cli.Plain(err.Error()))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	facts[training.DigestPrefix+"train"], facts[training.DigestPrefix+"test"] = mnist.Digest(j.train), mnist.Digest(j.test)
	if _, given := j.Args.Given()["epochs"]; j.best && !given {
		j.Args.SetDefault("epochs", strconv.Itoa(bestEpochs(j.train.Len())))
	}
	return facts, j.prepare()
}

// freezeLayers keeps the first layers as they are.
func (j *job) freezeLayers() error {
	if n := len(j.Net); j.freeze >= n {
		return fmt.Errorf("-freeze %d: the network has %d layers, and one must be left to train", j.freeze, n)
	}
	for _, l := range j.Net[:j.freeze] {
		l.Frozen = true
	}
	for _, other := range j.Others {
		for _, l := range other.Net[:j.freeze] {
			l.Frozen = true
		}
	}
	return nil
}

// takeFile begins with the network in the file of -load, and returns the file's SHA-256. The
// flags of its layers become those of the network. If they were set, they must agree with it.
// The value of -act is the last hidden layer's if the layers have different activations, as
// another program can make them.
func (j *job) takeFile() (digest string, err error) {
	from, err := training.ReadModel(j.load, training.Train)
	if errors.Is(err, fs.ErrNotExist) && j.Verify != "" {
		err = fmt.Errorf("%w; if the file that the run began with has moved, give its new path with -load FILE.npz", err)
	}
	if err != nil {
		return "", err
	}
	if err := j.takeLayers(from); err != nil {
		return "", fmt.Errorf("%s: %w", j.load, err)
	}
	j.Net, j.Others, j.Input, j.Deskew, j.From = from.Net, from.Others, from.Input, j.deskew, j.load
	j.SetDropout(&j.Model)
	content, err := os.ReadFile(j.load)
	return fmt.Sprintf("%x", sha256.Sum256(content)), err
}

func (j *job) takeLayers(from *mlp.Model) error {
	if err := mnist.Check(from.Net); err != nil {
		return err
	}
	for _, l := range from.Net[:len(from.Net)-1] {
		if from.Recipe == nil { // NumPy wrote it, and it does not say
			l.Act = j.Act.Value
		}
		if l.Act == mlp.Linear {
			return errors.New("a hidden layer is linear, which -act cannot be")
		}
	}
	inFile, given := training.Layers(from), j.Args.Given()
	if from.Recipe != nil {
		inFile["deskew"] = strconv.FormatBool(from.Deskew)
	}
	for _, name := range []string{"ensemble", "hidden", "act", "norm", "deskew"} {
		value, ok := inFile[name]
		if now, set := given[name]; ok && set && now != value {
			return training.Contradiction(name, now, value)
		} else if ok {
			if err := j.Args.SetDefault(name, value); err != nil { // the limits of a flag hold for a file
				return err
			}
		}
	}
	return j.CheckSize(mlp.MNISTPixels, mlp.MNISTClasses)
}

// digits reads the training part and, at the same time, the test part; or it divides the training part. With
// -limit, what the files have after the last image that is wanted is read while the network is trained.
func (j *job) digits(stderr io.Writer) (train, test *mlp.MNIST, err error) {
	var testErr error
	var other sync.WaitGroup
	if j.holdout == 0 {
		other.Go(func() { test, testErr = mnist.Open(j.data, "t10k", 0) })
	}
	train, err = mnist.Open(j.data, "train", j.limit)
	other.Wait()
	if err == nil {
		j.Checked = func() error { return mnist.Checked(j.data, train, test) }
		if j.limit == 0 || testErr != nil {
			err = cmp.Or(mnist.Checked(j.data, train), testErr, j.Checked())
		}
	}
	if err != nil {
		return nil, nil, err
	}
	n := train.Len()
	if j.limit > n {
		fmt.Fprintf(stderr, "warning: -limit %d, but there are %d\n", j.limit, n)
	}
	if j.holdout == 0 {
		return train, test, nil
	}
	tests := int(math.Floor(float64(j.holdout*float64(n)) + 1e-9)) // 0.29·100 is 29, not 28
	switch tests {
	case 0:
		return nil, nil, fmt.Errorf("-holdout %v of %d images is none: there is nothing to test on", j.holdout, n)
	case n:
		return nil, nil, fmt.Errorf("-holdout %v of %d images is all: there is nothing to train on", j.holdout, n)
	}
	return train.Slice(0, n-tests), train.Slice(n-tests, n), nil
}

// prepare begins to choose digits to compare images with, deskews the digits, holds some out, and standardizes
// all: by the model's mean and deviation or, if it has none, by those of the training part.
func (j *job) prepare() error {
	if j.plain = j.test; j.Epochs > 0 {
		j.beginFamiliarity(j.train)
	}
	if j.Deskew {
		j.train, j.test = j.train.Deskew(), j.test.Deskew()
	}
	parts := []*mlp.MNIST{j.train, j.test}
	if j.Patience > 0 && j.Epochs > 0 {
		n := j.train.Len()
		if n < 10 {
			return fmt.Errorf("-patience needs at least 10 training images, there are %d", n)
		}
		j.train, j.held = j.train.Slice(0, n-n/10), j.train.Slice(n-n/10, n)
		parts = []*mlp.MNIST{j.train, j.test, j.held}
	}
	if j.Input.Mean == nil {
		if j.Input = j.train.Stats(); j.scale.Value {
			j.Input = j.train.StatsOfAll()
		}
	}
	for _, m := range parts {
		m.Standardize(j.Input)
	}
	if j.Epochs == 0 {
		return nil
	}
	return j.CheckSteps(j.train.Len())
}

// beginFamiliarity fits the model's Familiarity while the network is trained. Checked waits for it.
func (j *job) beginFamiliarity(digits *mlp.MNIST) {
	fitted := make(chan *mlp.Familiarity, 1)
	go func() { fitted <- mlp.FitFamiliarity(digits) }()
	whole := j.Checked
	j.Checked = sync.OnceValue(func() error {
		j.Familiarity = <-fitted
		return whole()
	})
}

// Samples returns what the network is trained on: the training images, or deformed
// versions of them.
func (j *job) Samples(_ int, c *mlp.Config) (mlp.Dataset, error) {
	c.InOrder, c.Test, c.Measure = !j.shuffle, j.test, j.interval
	if j.held != nil {
		c.Validation = j.held
	}
	if !j.deform.on {
		return j.train, nil
	}
	return j.train.Deform(j.deform.Deformation, c.Seed, j.Epochs)
}

// Watch keeps what the page shows of earlier epochs.
func (j *job) Watch() { j.earlier.Take(&j.Model, j.Epochs) }

// Len returns how many training images there are.
func (j *job) Len() int { return j.train.Len() }

// Describe says what is about to be trained on, or measured, and names what the user may not
// have meant.
func (j *job) Describe(w io.Writer) {
	train, test := fmt.Sprint(j.train.Len(), " images"), fmt.Sprint(j.test.Len(), " images")
	if j.limit == 0 { // else which set it is of is known when the file is read to its end
		train, test = j.train.String(), j.test.String()
	}
	fmt.Fprintf(w, "data: %s to train on, %s to test on, from %s\n", train, test, cli.Plain(mnist.Source(j.data)))
	if j.held != nil {
		fmt.Fprintf(w, "held out: %d more, to decide when to stop\n", j.held.Len())
	}
	if j.Epochs > 0 && j.Batch > j.train.Len() {
		fmt.Fprintf(w, "warning: -batch %d is more than there is: one step an epoch\n", j.Batch)
	}
	if j.Epochs == 0 || j.Resume+j.Verify != "" { // the flags of an earlier run are as they are
		return
	}
	given := j.Args.Given()
	for _, c := range []struct {
		idle bool
		what string
	}{
		{given["init"] != "" && j.load != "", "-init does nothing beside -load"},
		{given["momentum"] != "" && j.Opt.Value == mlp.SGD, "-momentum does nothing with -opt sgd"},
		{j.Opt.Value == mlp.AdamW && j.Decay == 0, "-opt adamw without -decay is adam"},
		{given["scale"] != "" && j.load != "", "-scale does nothing beside -load, whose file has a mean and a deviation"},
		{j.deform.on && !j.scale.Value && j.load == "",
			"-deform moves strokes to pixels that are rarely lit, which -scale pixel makes enormous: take -scale image"},
	} {
		if c.idle {
			fmt.Fprintf(w, "warning: %s\n", c.what)
		}
	}
}

// Calibrate fits the temperature to the images that -patience holds out.
func (j *job) Calibrate() {
	if j.calibrate {
		_, j.Temperature = j.Evaluate(j.held, &mlp.Metric{Name: "temperature", Of: mlp.FitTemperature})
	}
}

// Line is the article's line of an epoch.
func (j *job) Line(e mlp.Epoch) string {
	loss := "not measured"
	if e.Loss == e.Loss {
		loss = fmt.Sprintf("%.4f", e.Loss)
	}
	return fmt.Sprintf("Epoch %d/%d, Loss: %s, Test Accuracy: %.4f", e.N, j.Epochs, loss, e.TestMetric)
}

// Conclude returns the last two lines and, with -calibrate, one before them.
func (j *job) Conclude(context.Context, int) (string, error) {
	accuracy := j.Run.History.Best().TestMetric
	if len(j.Others) > 0 {
		_, accuracy = j.Evaluate(j.test, mlp.Accuracy)
	}
	if !j.calibrate || j.test == nil {
		return j.conclusion(accuracy), nil
	}
	plain, line := j.Model, ""
	plain.Temperature = 0
	plain.Evaluate(j.test, &mlp.Metric{Name: "calibration", Of: func(y, want *mlp.Matrix) float64 {
		line = training.Calibration(y, want, j.Temperature)
		return 0
	}})
	return line + j.conclusion(accuracy), nil
}

func (j *job) conclusion(accuracy float64) string {
	return fmt.Sprintf("Final Test Accuracy: %.4f\nWeights SHA-256: %s\n", accuracy, j.Fingerprint())
}

// measure prints how accurate the model of -load is. It writes no file.
func (j *job) measure(ctx context.Context, stdout, stderr io.Writer) error {
	if _, err := j.Gather(ctx, nil, stderr); err != nil {
		return err
	}
	if err := j.Checked(); err != nil {
		return err
	}
	j.Describe(stderr)
	training.DescribeNetwork(stderr, &j.Model, j.load)
	_, accuracy := j.Evaluate(j.test, mlp.Accuracy)
	if _, err := io.WriteString(stdout, j.conclusion(accuracy)); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}
