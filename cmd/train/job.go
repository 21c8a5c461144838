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
		j.Net = mlp.NewNetwork(o.seed, o.init, o.act, slices.Concat([]int{mlp.Pixels}, o.hidden, []int{mlp.Classes})...)
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
	if in, out := from.Net[0].W.Rows, from.Net[len(from.Net)-1].W.Cols; in != mlp.Pixels || out != mlp.Classes {
		return fmt.Errorf("a network of %d inputs and %d outputs, want %d and %d", in, out, mlp.Pixels, mlp.Classes)
	}
	given := o.given()
	o.hidden = nil
	for _, l := range from.Net[:len(from.Net)-1] {
		o.hidden = append(o.hidden, l.W.Cols)
		if act, ok := given["act"]; from.Recipe != nil && ok && act != l.Act.Name {
			return fmt.Errorf("its layers are %s, -act says %s", l.Act.Name, act)
		}
		if from.Recipe == nil {
			l.Act = o.act
		}
		o.act = l.Act
	}
	if widths, ok := given["hidden"]; ok && widths != o.recipe()["hidden"] {
		return fmt.Errorf("its hidden layers are %s, -hidden says %s", o.recipe()["hidden"], widths)
	}
	return nil
}

// gather reads the digits and standardizes both parts: as the model says or,
// where it does not, by the training part's statistics.
func (j *job) gather(stderr io.Writer) (err error) {
	if j.train, j.test, err = digits(j.options, stderr); err != nil {
		return err
	}
	if j.Mean == nil {
		j.Mean, j.Std = j.train.Stats()
	}
	j.train.Standardize(j.Mean, j.Std)
	j.test.Standardize(j.Mean, j.Std)
	j.Recipe = j.recipe()
	j.Recipe[digestPrefix+"train"] = digest(j.train)
	j.Recipe[digestPrefix+"test"] = digest(j.test)
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
	_, err := mlp.Train(ctx, j.Net, bar.watch(j.train), mlp.Config{
		Optimizer: j.opt, Rate: j.lr, Momentum: j.momentum, Epochs: j.epochs, Past: j.History, Batch: j.batch,
		Seed: j.seed, InOrder: !j.shuffle, Test: bar.watch(j.test),
		OnEpoch: func(e mlp.Epoch) error {
			j.History = append(j.History, e)
			return then(e)
		},
	})
	return err
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
	if err != nil {
		return fmt.Errorf("%s: %w", o.resume, err)
	}
	j := &job{options: then, Model: *from}
	if len(j.History) >= j.epochs {
		fmt.Fprintf(stderr, "%s has %d epochs of %d: there is nothing left to do\n", o.resume, len(j.History), j.epochs)
		return j.conclude(stdout)
	}
	if err := j.gather(stderr); err != nil {
		return err
	}
	if err := sameDigests(j.Recipe, from.Recipe); err != nil {
		return fmt.Errorf("%s: %w", o.resume, err)
	}
	return j.run(ctx, stdout, stderr)
}

// verify trains again what is in a file, and compares.
func verify(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	want, _, err := readModel(o.verify)
	if err != nil {
		return err
	}
	then, err := o.again(flagsOf(want.Recipe))
	if err == nil && len(want.History) == 0 {
		err = errors.New("no epoch was trained")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.verify, err)
	}
	then.epochs = len(want.History)
	j, err := newJob(then, stderr)
	if err != nil {
		return err
	}
	if err := sameDigests(j.Recipe, want.Recipe); err != nil {
		return fmt.Errorf("%s: %w", o.verify, err)
	}
	j.describe(stderr)
	bar := newProgress(stderr, j.epochs, j.epochs*(2*j.train.Len()+j.test.Len()))
	err = j.learn(ctx, bar, func(mlp.Epoch) error { return nil })
	bar.clear()
	if err != nil {
		return j.explain(err)
	}
	if err := compare(&j.Model, want); err != nil {
		return fmt.Errorf("%s: %w", o.verify, err)
	}
	_, err = fmt.Fprintf(stdout, "reproduced: %s\n", want.Net.Fingerprint())
	return err
}

// compare names the first array that is not the same to the last bit.
func compare(got, want *mlp.Model) error {
	type array struct {
		name      string
		got, want []float64
	}
	var arrays []array
	if len(got.Net) != len(want.Net) {
		return fmt.Errorf("not reproduced: %d layers, the file has %d", len(got.Net), len(want.Net))
	}
	for i, l := range got.Net {
		arrays = append(arrays, array{fmt.Sprintf("W%d", i+1), l.W.Data, want.Net[i].W.Data},
			array{fmt.Sprintf("b%d", i+1), l.B.Data, want.Net[i].B.Data})
	}
	for _, a := range append(arrays, array{"mean", got.Mean, want.Mean}, array{"std", got.Std, want.Std}) {
		if len(a.got) != len(a.want) {
			return fmt.Errorf("not reproduced: %s has %d elements, in the file %d", a.name, len(a.got), len(a.want))
		}
		differ, most := 0, 0.0
		for i, v := range a.got {
			if math.Float64bits(v) != math.Float64bits(a.want[i]) {
				differ++
				most = max(most, math.Abs(v-a.want[i]))
			}
		}
		if differ > 0 {
			return fmt.Errorf("not reproduced: %s differs in %d of %d elements, by up to %.3g", a.name, differ, len(a.got), most)
		}
	}
	for i, e := range got.History {
		if fmt.Sprint(e) != fmt.Sprint(want.History[i]) {
			return fmt.Errorf("not reproduced: history differs at epoch %d: loss %v, in the file %v", e.N, e.Loss, want.History[i].Loss)
		}
	}
	return nil
}

// readModel reads a model file; digest is the SHA-256 of its bytes.
func readModel(name string) (m *mlp.Model, sum string, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if !info.Mode().IsRegular() {
		return nil, "", fmt.Errorf("%s: not a regular file", name)
	}
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
			return fmt.Errorf("it was made with other data to %s: their SHA-256 was %.16s…, here it is %.16s…", part, b, a)
		}
	}
	return nil
}

// digits reads the two parts that o names.
func digits(o *options, stderr io.Writer) (train, test *mlp.MNIST, err error) {
	files := mlp.Sample()
	if o.data != "" {
		files = os.DirFS(o.data)
	}
	part := func(name string) *mlp.MNIST {
		if err != nil {
			return nil
		}
		var m *mlp.MNIST
		if m, err = mlp.LoadMNIST(files, name); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				fmt.Fprint(stderr, mlp.WhereMNIST)
			}
			err = fmt.Errorf("%s%c%w", o.data, filepath.Separator, err)
		}
		return m
	}
	if train = part("train"); err != nil {
		return nil, nil, err
	}
	if o.limit > 0 {
		train = train.Slice(0, min(o.limit, train.Len()))
	}
	if o.holdout > 0 {
		n := train.Len()
		held := int(math.Floor(float64(o.holdout*float64(n)) + 1e-9)) // 0.29·100 is 29, not 28
		if held == 0 {
			return nil, nil, fmt.Errorf("-holdout %v of %d images is none: there is nothing to test on", o.holdout, n)
		}
		train, test = train.Slice(0, n-held), train.Slice(n-held, n)
	} else if test = part("t10k"); err != nil {
		return nil, nil, err
	}
	return train, test, nil
}

// describe says on standard error what is about to be trained.
func (j *job) describe(w io.Writer) {
	from, parameters := "the sample in the program", 0
	if j.data != "" {
		from = j.data
	}
	widths := fmt.Sprint(mlp.Pixels)
	for _, l := range j.Net {
		parameters += len(l.W.Data) + len(l.B.Data)
		widths += fmt.Sprintf("-%d", l.W.Cols)
	}
	start := "init " + j.initName
	switch {
	case len(j.History) > 0:
		start = fmt.Sprintf("epoch %d", len(j.History))
	case j.load != "":
		start = j.load
	}
	fmt.Fprintf(w, "data: %d digits to train and %d to test on, from %s\n", j.train.Len(), j.test.Len(), from)
	fmt.Fprintf(w, "network: %s, %s, %d parameters, from %s by %s\n", widths, j.act.Name, parameters, start, j.opt.Name)
	fmt.Fprintf(w, "kernel: %s, %d threads\n", mlp.Kernel(), runtime.GOMAXPROCS(0))
	if j.limit > j.train.Len()+j.test.Len() {
		fmt.Fprintf(w, "warning: -limit %d, but there are %d\n", j.limit, j.train.Len())
	}
	if j.batch > j.train.Len() {
		fmt.Fprintf(w, "warning: -batch %d is more than there is: one step an epoch\n", j.batch)
	}
}
