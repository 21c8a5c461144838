// What is to be trained: the digits, and the network, new or from a file.

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"mlp"
)

// A job is a run: its options, the digits, and the model that it makes.
type job struct {
	*options
	mlp.Model
	train, test *mlp.MNIST
	held        *mlp.MNIST // nil without -patience
}

// The recipe in a model file is the flags and, with this prefix, the SHA-256
// of what they name.
const digestPrefix = "sha256 "

// newJob prepares a run from its beginning.
func newJob(o *options, stderr io.Writer) (*job, error) {
	j := &job{options: o}
	loaded := ""
	if o.load != "" {
		from, digest, err := readModel(o.load)
		if err != nil {
			return nil, err
		}
		if err := o.takeWidths(from); err != nil {
			return nil, fmt.Errorf("%s: %w", o.load, err)
		}
		j.Net, j.Mean, j.Std, loaded = from.Net, from.Mean, from.Std, digest
	} else {
		j.Net = mlp.NewNetwork(o.seed, o.init, o.act, slices.Concat([]int{mlp.MNISTPixels}, o.hidden, []int{mlp.MNISTClasses})...)
		if o.norm == "batch" {
			for _, l := range j.Net[:len(o.hidden)] {
				l.Norm = mlp.NewBatchNorm(l.W.Cols)
			}
		}
	}
	err := j.gather(stderr)
	if err == nil && loaded != "" {
		j.Recipe[digestPrefix+"load"] = loaded
	}
	return j, err
}

// takeWidths takes the hidden layers of a model that was loaded. What the
// command line says of them must agree with it.
func (o *options) takeWidths(from *mlp.Model) error {
	if in, out := from.Net[0].W.Rows, from.Net[len(from.Net)-1].W.Cols; in != mlp.MNISTPixels || out != mlp.MNISTClasses {
		return fmt.Errorf("a network of %d inputs and %d outputs, want %d and %d", in, out, mlp.MNISTPixels, mlp.MNISTClasses)
	}
	given := o.given()
	o.hidden, o.norm = nil, "none"
	for _, l := range from.Net[:len(from.Net)-1] {
		o.hidden = append(o.hidden, l.W.Cols)
		if act, ok := given["act"]; from.Recipe != nil && ok && act != l.Act.Name {
			return fmt.Errorf("its layers are %s, -act says %s", l.Act.Name, act)
		}
		if from.Recipe == nil {
			l.Act = o.act
		}
		if l.Act == mlp.Linear {
			return errors.New("a hidden layer is linear, which -act cannot be")
		}
		o.act = l.Act
		if l.Norm != nil {
			o.norm = "batch"
		}
	}
	if norm, ok := given["norm"]; ok && norm != o.norm {
		return fmt.Errorf("its normalisation is %s, -norm says %s", o.norm, norm)
	}
	if widths, ok := given["hidden"]; ok && widths != o.recipe()["hidden"] {
		return fmt.Errorf("its hidden layers are %s, -hidden says %s", o.recipe()["hidden"], widths)
	}
	if err := o.setHidden(o.recipe()["hidden"]); err != nil { // within the limits of a command line
		return err
	}
	return o.checkSize()
}

// gather reads the digits and standardizes both parts: as the model says or,
// where it does not, by the training part's statistics.
func (j *job) gather(stderr io.Writer) (err error) {
	if j.train, j.test, err = digits(j.options, stderr); err != nil {
		return err
	}
	j.Recipe = j.recipe()
	j.Recipe[digestPrefix+"train"] = digest(j.train)
	j.Recipe[digestPrefix+"test"] = digest(j.test)
	if j.patience > 0 {
		n := j.train.Len()
		if n < 10 {
			return fmt.Errorf("-patience: a tenth of %d images is none", n)
		}
		j.train, j.held = j.train.Slice(0, n-n/10), j.train.Slice(n-n/10, n)
	}
	if j.norm == "batch" && j.train.Len() == 1 {
		return errors.New("-norm batch: one image to train on has no variance")
	}
	if j.Mean == nil {
		j.Mean, j.Std = j.train.Stats()
	}
	for _, part := range []*mlp.MNIST{j.train, j.test, j.held} {
		if part != nil {
			part.Standardize(j.Mean, j.Std)
		}
	}
	return nil
}

func digest(m *mlp.MNIST) string {
	h := sha256.New()
	h.Write(m.Images)
	h.Write(m.Labels)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// learn trains the job's network. Each epoch is in its history before then
// sees it.
func (j *job) learn(ctx context.Context, bar *progress, then func(mlp.Epoch) error) error {
	c := mlp.Config{
		Optimizer: j.opt, Rate: j.lr, Schedule: mlp.Schedules[j.schedule], Momentum: j.momentum, Decay: j.decay, Clip: j.clip,
		Epochs: j.epochs, Past: j.History, Batch: j.batch, Seed: j.seed, InOrder: !j.shuffle,
		Test: bar.watch(j.test), Patience: j.patience,
		OnEpoch: func(e mlp.Epoch) error {
			j.History = append(j.History, e)
			return then(e)
		},
	}
	if j.held != nil {
		c.Held = bar.watch(j.held)
	}
	_, err := mlp.Train(ctx, j.Net, bar.watch(j.train), c)
	return err
}

// rows is how many rows a number of epochs asks the data sets for.
func (j *job) rows(epochs int) float64 {
	n := 2*j.train.Len() + j.test.Len()
	if j.held != nil {
		n += j.held.Len()
	}
	return float64(epochs) * float64(n)
}

// resume goes on with the run of a file.
func resume(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	from, _, err := readModel(o.resume)
	if err != nil {
		return err
	}
	if _, ok := o.given()["out"]; !ok {
		o.out = filepath.Dir(o.resume)
	}
	then, err := o.again(flagsOf(from.Recipe))
	if err == nil {
		err = then.takeWidths(from) // the recipe may say what the weights are not
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.resume, err)
	}
	j := &job{options: then, Model: *from}
	if len(j.History) >= j.epochs {
		fmt.Fprintf(stderr, "%s has %d epochs of %d: there is nothing left to do, and nothing is written\n", plain(o.resume), len(j.History), j.epochs)
		return j.conclude(stdout)
	}
	if err := j.gather(stderr); err != nil {
		return err
	}
	if err := sameDigests(j.Recipe, from.Recipe); err != nil {
		return fmt.Errorf("%s: %w", o.resume, err)
	}
	if sum, ok := from.Recipe[digestPrefix+"load"]; ok {
		j.Recipe[digestPrefix+"load"] = sum
	}
	past := len(j.History)
	err = j.run(ctx, stdout, stderr)
	switch {
	case len(j.History) > past || ctx.Err() != nil:
		return err
	case err != nil:
		return fmt.Errorf("%s: %w", o.resume, err)
	}
	fmt.Fprintf(stderr, "%s had been ended by -patience %d: there was nothing left to do, and nothing is written\n", plain(o.resume), j.patience)
	return nil
}

// readModel reads a model file; digest is the SHA-256 of its bytes.
func readModel(name string) (m *mlp.Model, sum string, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, "", err
	}
	if info.IsDir() {
		return nil, "", fmt.Errorf("%s: a folder, want a file", name)
	}
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, "", fmt.Errorf("%s: not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	if m, err = mlp.ReadModel(f, info.Size()); err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, info.Size())); err != nil {
		return nil, "", err
	}
	return m, fmt.Sprintf("%x", h.Sum(nil)), nil
}

// flagsOf returns the flags of a recipe.
func flagsOf(recipe map[string]string) map[string]string {
	flags := maps.Clone(recipe)
	maps.DeleteFunc(flags, func(name, _ string) bool { return strings.HasPrefix(name, digestPrefix) })
	return flags
}

// sameDigests holds what this run sees against what the file's run saw.
func sameDigests(now, then map[string]string) error {
	for _, part := range []string{"train", "test", "load"} {
		if a, b := now[digestPrefix+part], then[digestPrefix+part]; a != "" && a != b {
			if part == "load" {
				return fmt.Errorf("-load names another file than it began with, whose SHA-256 was %.16s…; here it is %.16s…", b, a)
			}
			return fmt.Errorf("it was made with other data to %s: their SHA-256 was %.16s…, here it is %.16s…", part, b, a)
		}
	}
	return nil
}

// digits reads the two parts that o names.
func digits(o *options, stderr io.Writer) (train, test *mlp.MNIST, err error) {
	files := mlp.SampleMNIST()
	if o.data != "" {
		files = os.DirFS(o.data)
	}
	part := func(name string, n int) *mlp.MNIST {
		var m *mlp.MNIST
		if m, err = mlp.LoadMNIST(files, name, n); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				fmt.Fprint(stderr, mlp.WhereMNIST)
			}
			err = fmt.Errorf("%s%c%w", o.data, filepath.Separator, err)
		}
		return m
	}
	if train = part("train", o.limit); err != nil {
		return nil, nil, err
	}
	if o.limit > train.Len() {
		fmt.Fprintf(stderr, "warning: -limit %d, but there are %d\n", o.limit, train.Len())
	}
	if o.holdout > 0 {
		n := train.Len()
		held := int(math.Floor(float64(o.holdout*float64(n)) + 1e-9)) // 0.29·100 is 29, not 28
		if held == 0 {
			return nil, nil, fmt.Errorf("-holdout %v of %d images is none: there is nothing to test on", o.holdout, n)
		}
		if held == n {
			return nil, nil, fmt.Errorf("-holdout %v of %d images is all: there is nothing to train on", o.holdout, n)
		}
		train, test = train.Slice(0, n-held), train.Slice(n-held, n)
	} else if test = part("t10k", 0); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

func sameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// describe says on standard error what is about to be trained.
func (j *job) describe(w io.Writer) {
	from, parameters := "the sample in the program", 0
	if j.data != "" {
		from = j.data
	}
	widths := fmt.Sprint(mlp.MNISTPixels)
	for _, l := range j.Net {
		parameters += len(l.W.Data) + len(l.B.Data)
		if l.Norm != nil {
			parameters += len(l.Norm.Gain.Data)
		}
		widths += fmt.Sprintf("-%d", l.W.Cols)
	}
	start := "init " + j.initName
	switch {
	case len(j.History) > 0:
		start = fmt.Sprintf("epoch %d", len(j.History))
	case j.load != "":
		start = plain(j.load)
	}
	fmt.Fprintf(w, "data: %v to train and %v to test on, from %s\n", j.train, j.test, plain(from))
	norm := ""
	if j.norm != "none" {
		norm = j.norm + " normalisation, "
	}
	if j.held != nil {
		fmt.Fprintf(w, "held out: %d more, to decide when to stop\n", j.held.Len())
	}
	fmt.Fprintf(w, "network: %s, %s, %s%d parameters, from %s by %s\n", widths, j.act.Name, norm, parameters, start, j.opt.Name)
	fmt.Fprintf(w, "kernel: %s, %d threads\n", mlp.Kernel(), runtime.GOMAXPROCS(0))
	if j.batch > j.train.Len() {
		fmt.Fprintf(w, "warning: -batch %d is more than there is: one step an epoch\n", j.batch)
	}
	if j.resume+j.verify != "" {
		return
	}
	given := j.given()
	if _, ok := given["init"]; ok && j.load != "" {
		fmt.Fprintln(w, "warning: -init does nothing beside -load")
	}
	if _, ok := given["momentum"]; ok && j.opt == mlp.SGD {
		fmt.Fprintln(w, "warning: -momentum does nothing with -opt sgd")
	}
	if j.load != "" && sameFile(j.load, filepath.Join(j.out, "model.npz")) {
		fmt.Fprintf(w, "warning: this run replaces the %s that it starts from, without which -verify cannot train it again; another -out keeps both\n", plain(j.load))
	}
}
