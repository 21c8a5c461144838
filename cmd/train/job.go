// What is to be trained: the digits, and the network, new or from a file. Not here: the
// training (run.go).

package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
)

// A job is a run: its options, the digits, and the model that it makes.
type job struct {
	*options
	mlp.Model
	train, test *mlp.MNIST
	held        *mlp.MNIST // nil without -patience
	plain       *mlp.MNIST // the test part as its file has it
}

// newJob prepares a run from its beginning.
func newJob(o *options, stderr io.Writer) (*job, error) {
	j := &job{options: o}
	loaded := ""
	if o.load != "" {
		from, digest, err := cli.ReadModel(o.load)
		if o.verify != "" && errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%w; if the file that the run began with has moved, give its new path with -load FILE.npz", err)
		}
		if err != nil {
			return nil, err
		}
		if err := o.takeLayers(from); err != nil {
			return nil, fmt.Errorf("%s: %w", o.load, err)
		}
		j.Net, j.Input, loaded = from.Net, from.Input, digest
	} else {
		j.Net = cli.NewNetwork(o.Seed, o.Init.Value, o.Act.Value, o.Norm.Value, o.Hidden...)
	}
	j.Deskew = o.deskew
	j.setDropout()
	err := j.gather(stderr)
	if err == nil && loaded != "" {
		j.Recipe[cli.DigestPrefix+"load"] = loaded
	}
	return j, err
}

// setDropout gives the hidden layers the probability of -dropout.
func (j *job) setDropout() {
	for _, l := range j.Net[:len(j.Net)-1] {
		l.Dropout = j.Dropout
	}
}

// takeLayers makes the flags of the hidden layers those of a model from a file. If the
// flags were set, they must agree with the model. The value of -act is the last hidden
// layer's if the layers have different activations, as another program can make them.
func (o *options) takeLayers(from *mlp.Model) error {
	if err := cli.CheckDigits(from.Net); err != nil {
		return err
	}
	given := o.given()
	o.Hidden, o.Norm.Name, o.Norm.Value = nil, "none", false
	for _, l := range from.Net[:len(from.Net)-1] {
		if from.Recipe == nil { // NumPy wrote it, and it does not say
			l.Act = o.Act.Value
		}
		if l.Act == mlp.Linear {
			return errors.New("a hidden layer is linear, which -act cannot be")
		}
		o.Hidden = append(o.Hidden, l.W.Cols)
		o.Act.Name, o.Act.Value = l.Act.Name, l.Act
		if l.Norm != nil {
			o.Norm.Name, o.Norm.Value = "batch", true
		}
	}
	if from.Recipe != nil {
		o.deskew = from.Deskew
	}
	inFile := o.settings()
	if err := o.Hidden.Set(inFile["hidden"]); err != nil { // Set checks the same limits as for a flag
		return err
	}
	for _, name := range []string{"hidden", "act", "norm", "deskew"} {
		value, ok := given[name]
		if !ok || value == inFile[name] {
			continue
		}
		if run := o.resume + o.verify; run != "" { // the flag is in that file's recipe
			return fmt.Errorf("its layers have -%s %s, but the recipe in %s has -%s %s", name, cmp.Or(inFile[name], `""`), run, name, cmp.Or(value, `""`))
		}
		return cli.Contradiction(name, value, inFile[name])
	}
	return o.validateSize()
}

// gather reads the digits and standardizes all parts: by the model's mean and
// deviation or, if it has none, by those of the training part.
func (j *job) gather(stderr io.Writer) (err error) {
	if j.train, j.test, err = j.digits(stderr); err != nil {
		return err
	}
	if _, ok := j.given()["epochs"]; j.best && !ok {
		j.Epochs = bestEpochs(j.train.Len())
	}
	j.Recipe = j.settings()
	j.Recipe[cli.DigestPrefix+"train"] = cli.Digest(j.train)
	j.Recipe[cli.DigestPrefix+"test"] = cli.Digest(j.test)
	if j.plain = j.test; j.Deskew {
		j.train, j.test = j.train.Deskew(), j.test.Deskew()
	}
	if j.patience > 0 && j.Epochs > 0 {
		n := j.train.Len()
		if n < 10 {
			return fmt.Errorf("-patience needs at least 10 training images, there are %d", n)
		}
		j.train, j.held = j.train.Slice(0, n-n/10), j.train.Slice(n-n/10, n)
	}
	if n := j.train.Len(); j.Epochs > 0 && j.Norm.Value && min(j.Batch, n) == 1 {
		return fmt.Errorf("batch normalisation needs two images or more in a step: -batch is %d, and there are %d to train on", j.Batch, n)
	}
	if j.Input.Mean == nil {
		if j.Input = j.train.Stats(); j.scale.Value {
			j.Input = j.train.StatsOfAll()
		}
	}
	for _, m := range []*mlp.MNIST{j.train, j.test, j.held} {
		if m != nil {
			m.Standardize(j.Input)
		}
	}
	return nil
}

// digits reads the training part and the test part, or divides the training part.
func (o *options) digits(stderr io.Writer) (train, test *mlp.MNIST, err error) {
	if train, err = cli.Load(o.data, "train", o.limit, stderr); err != nil {
		return nil, nil, err
	}
	n := train.Len()
	if o.limit > n {
		fmt.Fprintf(stderr, "warning: -limit %d, but there are %d\n", o.limit, n)
	}
	if o.holdout == 0 {
		test, err = cli.Load(o.data, "t10k", 0, stderr)
		return train, test, err
	}
	tests := int(math.Floor(float64(o.holdout*float64(n)) + 1e-9)) // 0.29·100 is 29, not 28
	switch tests {
	case 0:
		return nil, nil, fmt.Errorf("-holdout %v of %d images is none: there is nothing to test on", o.holdout, n)
	case n:
		return nil, nil, fmt.Errorf("-holdout %v of %d images is all: there is nothing to train on", o.holdout, n)
	}
	return train.Slice(0, n-tests), train.Slice(n-tests, n), nil
}

// sameFiles returns an error if this run has other digits than an earlier one, or
// began with other weights, by the digests in their recipes.
func sameFiles(now, earlier map[string]string) error {
	what := map[string]string{"train": "training data", "test": "test data", "load": "weights of the -load file"}
	for _, name := range []string{"train", "test", "load"} {
		if a, b := now[cli.DigestPrefix+name], earlier[cli.DigestPrefix+name]; a != "" && a != b {
			return fmt.Errorf("the %s differ: SHA-256 %.16s…, in the file %.16s…", what[name], a, b)
		}
	}
	return nil
}

// describe says what is about to be trained, or measured.
func (j *job) describe(w io.Writer) {
	fmt.Fprintf(w, "data: %v to train on, %v to test on, from %s\n", j.train, j.test, cli.Plain(j.source()))
	if j.held != nil {
		fmt.Fprintf(w, "held out: %d more, to decide when to stop\n", j.held.Len())
	}
	fmt.Fprintf(w, "network: %s\n", cli.Plain(j.network()))
	fmt.Fprintf(w, "kernel: %s, %d threads\n", mlp.Kernel(), min(runtime.GOMAXPROCS(0), runtime.NumCPU()))
	if j.Epochs > 0 {
		j.warn(w)
	}
}

// source names the folder of the digits, or the sample.
func (o *options) source() string { return cmp.Or(o.data, "the sample in the program") }

// network says what the network is and where its weights are from.
func (j *job) network() string {
	text, parameters := strconv.Itoa(mlp.MNISTPixels), 0
	var acts []string
	for i, l := range j.Net {
		text += fmt.Sprintf("-%d", l.W.Cols)
		if i < len(j.Hidden) && !slices.Contains(acts, l.Act.Name) {
			acts = append(acts, l.Act.Name)
		}
		parameters += len(l.W.Data) + len(l.B.Data)
		if l.Norm != nil {
			parameters += len(l.Norm.Gain.Data)
		}
	}
	if len(acts) > 0 {
		text += ", " + strings.Join(acts, " and ")
	}
	if j.Norm.Value {
		text += ", " + j.Norm.Name + " normalisation"
	}
	if j.Dropout > 0 && j.Epochs > 0 {
		text += fmt.Sprintf(", dropout %v", j.Dropout)
	}
	from := cmp.Or(j.load, "init "+j.Init.Name)
	if n := len(j.Run.History); n > 0 {
		from = fmt.Sprintf("epoch %d", n)
	}
	text += fmt.Sprintf(", %d parameters, from %s", parameters, from)
	if j.Epochs > 0 {
		text += " by " + j.Opt.Name
	}
	return text
}

// warn names what the user may not have meant.
func (j *job) warn(w io.Writer) {
	if j.Batch > j.train.Len() {
		fmt.Fprintf(w, "warning: -batch %d is more than there is: one step an epoch\n", j.Batch)
	}
	if j.resume+j.verify != "" { // the flags are those of the earlier run
		return
	}
	given := j.given()
	if _, ok := given["init"]; ok && j.load != "" {
		fmt.Fprintln(w, "warning: -init does nothing beside -load")
	}
	if _, ok := given["momentum"]; ok && j.Opt.Value == mlp.SGD {
		fmt.Fprintln(w, "warning: -momentum does nothing with -opt sgd")
	}
	if j.Opt.Value == mlp.AdamW && j.decay == 0 {
		fmt.Fprintln(w, "warning: -opt adamw without -decay is adam")
	}
	if _, ok := given["scale"]; ok && j.load != "" {
		fmt.Fprintln(w, "warning: -scale does nothing beside -load, whose file has a mean and a deviation")
	}
	if j.deform.on && !j.scale.Value && j.load == "" {
		fmt.Fprintln(w, "warning: -deform moves strokes to pixels that are rarely lit, which -scale pixel makes enormous: take -scale image")
	}
	if j.load != "" && cli.SameFile(j.load, filepath.Join(j.out, cli.ModelName)) {
		fmt.Fprintf(w, "warning: this run replaces the %s that it starts from, without which -verify cannot train it again; another -out keeps both\n", cli.Plain(j.load))
	}
}
