// Models that a run begins with, measures or trains again: -load, -epochs 0, -verify.

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/training"
)

// writePlain writes weights alone, as numpy.savez would.
func writePlain(t *testing.T, name string, sizes ...int) {
	t.Helper()
	arrays := map[string]*mlp.Matrix{}
	for i, l := range mlp.NewNetwork(3, mlp.He, mlp.ReLU, sizes...) {
		arrays[fmt.Sprintf("W%d", i+1)], arrays[fmt.Sprintf("b%d", i+1)] = &l.W, &l.B
	}
	if err := os.WriteFile(name, npzOf(t, arrays, nil), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	plain, small := filepath.Join(dir, "plain.npz"), filepath.Join(dir, "small.npz")
	writePlain(t, plain, mlp.MNISTPixels, 7, mlp.MNISTClasses)
	writePlain(t, small, 5, mlp.MNISTClasses)
	flags := []string{"-limit", "300", "-epochs", "2", "-out", filepath.Join(dir, "out")}
	first := must(t, append(flags, "-load", plain)...)
	if second := must(t, append(flags, "-load", plain, "-hidden", "7")...); first != second {
		t.Error("a -hidden that agrees changes the run")
	}
	if second := must(t, append(flags, "-load", plain, "-act", "tanh")...); first == second {
		t.Error("-act does nothing to weights that do not say theirs")
	}
	refused(t, append(flags, "-load", plain, "-hidden", "8"), plain, "-hidden 8 contradicts the file's -hidden 7")
	refused(t, append(flags, "-load", small), small, "5 inputs")
	// A run that began with a file can be verified, unless the file has changed.
	must(t, append(flags, "-load", plain)...)
	model := filepath.Join(dir, "out", "model.npz")
	if got := must(t, "-verify", model); !strings.HasPrefix(got, "reproduced: ") || hash(got) != hash(first) {
		t.Errorf("verified: %s", got)
	}
	writePlain(t, plain, mlp.MNISTPixels, 7, 7, mlp.MNISTClasses)
	refused(t, []string{"-verify", model}, model+": "+plain+": -hidden 7 contradicts the file's -hidden 7,7")
}

// What a file says about its network cannot be overruled, and a run can be verified
// however often it was resumed.
func TestLoadKeepsItsWord(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name, "model.npz") }
	must(t, quick("-act", "tanh", "-norm", "batch", "-out", filepath.Join(dir, "a"))...)
	refused(t, []string{"-load", at("a"), "-norm", "none", "-out", dir}, at("a"), "-norm none contradicts the file's -norm batch")
	refused(t, []string{"-load", at("a"), "-deskew", "-out", dir}, at("a"), "-deskew true contradicts the file's -deskew false")
	refused(t, []string{"-load", at("a"), "-batch", "1", "-out", dir}, "two samples or more in a step: -batch is 1,")
	// A run that was loaded, stopped and resumed can still be verified.
	must(t, "-load", at("a"), "-limit", "300", "-epochs", "1", "-out", filepath.Join(dir, "b"))
	must(t, "-resume", at("b"), "-epochs", "2")
	must(t, "-verify", at("b"))
	refused(t, []string{"-verify", at("b"), "-epochs", "1"}, "-epochs 1 contradicts the file's -epochs 2")
	// A run whose folder has the file that it begins with keeps that under another name.
	must(t, "-load", at("b"), "-limit", "300", "-epochs", "1", "-out", filepath.Join(dir, "b"))
	refused(t, []string{"-verify", at("b")}, at("b")+": the weights of the -load file differ: SHA-256 ", "…, in the file ")
	must(t, "-verify", at("b"), "-load", filepath.Join(dir, "b", "model.1.npz"))
	must(t, "-load", at("a"), "-limit", "300", "-epochs", "1", "-out", filepath.Join(dir, "b"))
	if err := os.Rename(at("a"), filepath.Join(dir, "moved.npz")); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"-verify", at("b")}, at("b")+": ", at("a"), "; if the file that the run began with has moved, give its new path with -load FILE.npz")
	// -load gives the new path of the file, which must be the same file.
	must(t, "-verify", at("b"), "-load", filepath.Join(dir, "moved.npz"))
	refused(t, []string{"-verify", at("b"), "-load", at("b")}, at("b")+": the weights of the -load file differ: ")
	// A model that no command has made says what its layers are, too.
	for act, part := range map[*mlp.Activation]string{mlp.Tanh: "784-8-10, tanh", mlp.Linear: "hidden layer is linear"} {
		m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, act, mlp.MNISTPixels, 8, mlp.MNISTClasses)}
		writeModel(t, filepath.Join(dir, "plain.npz"), m)
		stderr, _ := command(t, context.Background(), io.Discard, "-load", filepath.Join(dir, "plain.npz"), "-limit", "50", "-epochs", "1", "-out", dir)
		if !strings.Contains(stderr, part) {
			t.Errorf("a %s network: %s", act.Name, stderr)
		}
	}
}

func TestVerify(t *testing.T) {
	out := t.TempDir()
	want := must(t, quick("-opt", "momentum", "-out", out)...)
	model := filepath.Join(out, "model.npz")
	if got := must(t, "-verify", model); got != "reproduced: "+hash(want)+"\n" {
		t.Errorf("verified: %s", got)
	}
	other := t.TempDir() // stopped by patience, under a schedule, in the midst of 50 epochs
	want = must(t, quick("-epochs", "50", "-schedule", "cosine", "-patience", "2", "-norm", "batch", "-out", other)...)
	if got := must(t, "-verify", filepath.Join(other, "model.npz")); got != "reproduced: "+hash(want)+"\n" {
		t.Errorf("verified: %s", got)
	}
	m := readBack(t, model)
	m.Net[1].B.Data[3] += 0.25
	writeModel(t, model, m)
	refused(t, []string{"-verify", model, "-load", model}, model, "-load "+model+" contradicts the file's -load \"\"")
	refused(t, []string{"-verify", model}, model, "b2 differs in 1 of 10 elements, by up to 0.25")
	m.Net[1].B.Data[3] -= 0.25
	m.Recipe["sha256 train"] = "abc"
	writeModel(t, model, m)
	refused(t, []string{"-verify", model}, model, "the training data differ: SHA-256 ", "…, in the file abc…")
	if entries, _ := os.ReadDir(out); len(entries) != 5 {
		t.Errorf("-verify left %d files", len(entries))
	}
}

// -epochs 0 measures a model on the test part and writes nothing.
func TestMeasure(t *testing.T) {
	dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	model := filepath.Join(dir, "model.npz")
	want := must(t, quick("-norm", "batch", "-act", "tanh", "-out", dir)...)
	var stdout bytes.Buffer
	stderr, code := command(t, context.Background(), &stdout, "-load", model, "-epochs", "0", "-out", out)
	if code != 0 || stdout.Len() == 0 || !strings.HasSuffix(want, stdout.String()) {
		t.Errorf("exit code %d, %s%s, want the end of %s", code, stderr, stdout.String(), want)
	}
	if !strings.Contains(stderr, "network: 784-16-10, tanh, batch normalisation, 12746 parameters, from "+model+"\n") {
		t.Errorf("standard error %q", stderr)
	}
	if _, err := os.Stat(out); err == nil || len(contents(t, dir)) != 5 {
		t.Error("it has written files")
	}
	stderr, code = command(t, context.Background(), io.Discard, "-load", model, "-epochs", "0", "-patience", "2", "-batch", "1")
	if code != 0 || strings.Contains(stderr, "held out") {
		t.Errorf("nothing is held out if nothing is trained: exit code %d, %s", code, stderr)
	}
	m := readBack(t, model)
	m.Recipe["epochs"], m.Recipe["load"] = "0", model
	writeModel(t, model, m)
	refused(t, []string{"-resume", model}, model, "its recipe: -epochs 0 is no training")
}

// A network without a hidden layer has no activation.
func TestNoHiddenLayer(t *testing.T) {
	stderr, code := command(t, context.Background(), io.Discard, quick("-hidden=", "-epochs", "1", "-out", t.TempDir())...)
	if want := "network: 784-10, 7850 parameters, from init he by sgd\n"; code != 0 || !strings.Contains(stderr, want) {
		t.Errorf("exit code %d, standard error %q, want %q", code, stderr, want)
	}
}

// A network of several activations is described by all of them, and trained again.
func TestSeveralActivations(t *testing.T) {
	dir := t.TempDir()
	mixed := filepath.Join(dir, "mixed.npz")
	m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.Tanh, mlp.MNISTPixels, 8, 8, 8, mlp.MNISTClasses)}
	m.Net[1].Act = mlp.ReLU
	writeModel(t, mixed, m)
	stderr, code := command(t, context.Background(), io.Discard, "-load", mixed, "-limit", "50", "-epochs", "1", "-out", dir)
	if code != 0 || !strings.Contains(stderr, "network: 784-8-8-8-10, tanh and relu, ") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
	must(t, "-verify", filepath.Join(dir, training.ModelName))
}
