// Models that a run begins with, measures or trains again: -load, -epochs 0, -verify.

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/training"
)

// writePlain writes weights alone, as numpy.savez would, to plain.npz in a folder.
func writePlain(t *testing.T, dir string, sizes ...int) (name string) {
	t.Helper()
	arrays := map[string]*mlp.Matrix{}
	for i, l := range mlp.NewNetwork(3, mlp.He, mlp.ReLU, sizes...) {
		arrays[fmt.Sprintf("W%d", i+1)], arrays[fmt.Sprintf("b%d", i+1)] = &l.W, &l.B
	}
	name = filepath.Join(dir, "plain.npz")
	if err := os.WriteFile(name, npzOf(t, arrays, nil), 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	small := writePlain(t, t.TempDir(), 5, mlp.MNISTClasses)
	plain := writePlain(t, dir, mlp.MNISTPixels, 7, mlp.MNISTClasses)
	flags := []string{"-limit", "300", "-epochs", "2", "-out", filepath.Join(dir, "out")}
	first := must(t, append(flags, "-load", plain, "-hidden", "7")...)
	if second := must(t, append(flags, "-load", plain, "-act", "tanh")...); first == second {
		t.Error("-act does nothing to weights that do not say theirs")
	}
	refused(t, append(flags, "-load", plain, "-hidden", "8"), plain, "-hidden 8 contradicts the file's -hidden 7")
	refused(t, append(flags, "-load", small), small, "5 inputs")
	// A run that began with a file can be verified, unless the file has changed.
	if second := must(t, append(flags, "-load", plain)...); first != second {
		t.Error("a -hidden that agrees changes the run")
	}
	model := filepath.Join(dir, "out", training.ModelName)
	if got := must(t, "-verify", model); got != "reproduced: "+hash(first)+"\n" {
		t.Errorf("verified: %s", got)
	}
	writePlain(t, dir, mlp.MNISTPixels, 7, 7, mlp.MNISTClasses)
	refused(t, []string{"-verify", model}, model+": "+plain+": -hidden 7 contradicts the file's -hidden 7,7")
}

// What a file says about its network cannot be overruled, and a run can be verified
// however often it was resumed.
func TestLoadKeepsItsWord(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name, training.ModelName) }
	load := func(from, out string) {
		must(t, "-load", at(from), "-limit", "300", "-epochs", "1", "-out", filepath.Join(dir, out))
	}
	must(t, quick("-act", "tanh", "-norm", "batch", "-out", filepath.Join(dir, "a"))...)
	refused(t, []string{"-load", at("a"), "-norm", "none", "-out", dir}, at("a"), "-norm none contradicts the file's -norm batch")
	refused(t, []string{"-load", at("a"), "-deskew", "-out", dir}, at("a"), "-deskew true contradicts the file's -deskew false")
	refused(t, []string{"-load", at("a"), "-batch", "1", "-out", dir}, "two samples or more in a step: -batch is 1,")
	// A run that was loaded, stopped and resumed can still be verified.
	load("a", "b")
	must(t, "-resume", at("b"), "-epochs", "2")
	must(t, "-verify", at("b"))
	refused(t, []string{"-verify", at("b"), "-epochs", "1"}, "-epochs 1 contradicts the file's -epochs 2")
	// A run whose folder has the file that it begins with keeps that under another name.
	load("b", "b")
	refused(t, []string{"-verify", at("b")}, at("b")+": the weights of the -load file differ: SHA-256 ", "…, in the file ")
	must(t, "-verify", at("b"), "-load", filepath.Join(dir, "b", "model.1.npz"))
	// -load gives the new path of the file, which must be the same file.
	load("a", "b")
	moved := filepath.Join(dir, "moved.npz")
	if err := os.Rename(at("a"), moved); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"-verify", at("b")}, at("b")+": ", at("a"), "; if the file that the run began with has moved, give its new path with -load FILE.npz")
	must(t, "-verify", at("b"), "-load", moved)
	refused(t, []string{"-verify", at("b"), "-load", at("b")}, at("b")+": the weights of the -load file differ: ")
}

// A model that no command has made says what its layers are, too. Different activations are
// all named, and trained again.
func TestLoadStrangers(t *testing.T) {
	dir := t.TempDir()
	linear := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.Linear, mlp.MNISTPixels, 8, mlp.MNISTClasses)}
	refused(t, []string{"-load", written(t, linear), "-out", dir}, "a hidden layer is linear, which -act cannot be")
	mixed := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.Tanh, mlp.MNISTPixels, 8, 8, 8, mlp.MNISTClasses)}
	mixed.Net[1].Act = mlp.ReLU
	says(t, "network: 784-8-8-8-10, tanh and relu, ", "-load", written(t, mixed), "-limit", "50", "-epochs", "1", "-out", dir)
	must(t, "-verify", filepath.Join(dir, training.ModelName))
	says(t, "network: 784-10, 7850 parameters, from init he by sgd\n", quick("-hidden=", "-epochs", "1", "-out", t.TempDir())...)
}

// The layers that -freeze keeps are those of the file, also after the run was resumed, and with
// batch normalisation. The others are trained. The doctor does not take a layer that is kept for
// one whose gradient vanishes.
func TestFreeze(t *testing.T) {
	dir := t.TempDir()
	base, model := filepath.Join(dir, "base", training.ModelName), filepath.Join(dir, training.ModelName)
	must(t, quick("-hidden", "12,8", "-norm", "batch", "-out", filepath.Dir(base))...)
	_, stderr := says(t, "", "-load", base, "-freeze", "1", "-limit", "300", "-epochs", "1", "-out", dir)
	if strings.Contains(stderr, "doctor: vanishing") {
		t.Error(stderr)
	}
	must(t, "-resume", model, "-epochs", "3")
	must(t, "-verify", model)
	read := func(name string) mlp.Network {
		m, err := mlp.ReadModelFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return m.Net
	}
	before, after := read(base), read(model)
	for i := range after {
		if same := before[i:i+1].Fingerprint() == after[i:i+1].Fingerprint(); same != (i == 0) {
			t.Errorf("layer %d is as it was: %t", i+1, same)
		}
	}
	refused(t, []string{"-load", base, "-freeze", "3", "-out", dir}, "-freeze 3: the network has 3 layers, and one must be left to train")
}

func TestVerify(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, training.ModelName)
	for _, more := range []string{
		"-epochs 50 -schedule cosine -patience 2 -norm batch", // stopped in the midst
		"-opt momentum",
	} {
		want := must(t, quick(append(strings.Fields(more), "-out", dir)...)...)
		if got := must(t, "-verify", model); got != "reproduced: "+hash(want)+"\n" {
			t.Errorf("%s: verified: %s", more, got)
		}
	}
	refused(t, []string{"-verify", model, "-load", model}, model, "-load "+model+" contradicts the file's -load \"\"")
	forged := changed(t, model, func(m *mlp.Model) { m.Net[1].B.Data[3] += 0.25 })
	refused(t, []string{"-verify", forged}, forged, "b2 differs in 1 of 10 elements, by up to 0.25")
	forged = changed(t, model, func(m *mlp.Model) { m.Recipe["sha256 train"] = "abc" })
	refused(t, []string{"-verify", forged}, forged, "the training data differ: SHA-256 ", "…, in the file abc…")
	if n := len(contents(t, filepath.Dir(forged))); n != 1 {
		t.Errorf("-verify left %d files", n)
	}
	// A recipe of an earlier version lacks the flags that were added since.
	must(t, "-verify", changed(t, model, func(m *mlp.Model) {
		for _, name := range laterFlags {
			delete(m.Recipe, name)
		}
	}))
}

// -epochs 0 measures a model on the test part and writes nothing.
func TestMeasure(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	model := filepath.Join(dir, training.ModelName)
	want := must(t, quick("-holdout", "0", "-norm", "batch", "-act", "tanh", "-out", dir)...)
	network := "network: 784-16-10, tanh, batch normalisation, 12746 parameters, from " + model + "\n"
	stdout, _ := says(t, network, "-load", model, "-epochs", "0", "-out", out)
	if stdout == "" || !strings.HasSuffix(want, stdout) {
		t.Errorf("%s, want the end of %s", stdout, want)
	}
	if _, err := os.Stat(out); err == nil || len(contents(t, dir)) != 5 {
		t.Error("it has written files")
	}
	if _, stderr := says(t, "", "-load", model, "-epochs", "0", "-patience", "2", "-batch", "1"); strings.Contains(stderr, "held out") {
		t.Errorf("nothing is held out if nothing is trained: %s", stderr)
	}
	measured := changed(t, model, func(m *mlp.Model) { m.Recipe["epochs"], m.Recipe["load"] = "0", model })
	refused(t, []string{"-resume", measured}, measured, "its recipe: -epochs 0 is no training")
}
