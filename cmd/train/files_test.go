package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mlp"
)

// hash is the last word of standard output.
func hash(stdout string) string {
	words := strings.Fields(stdout)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// must runs the command, which must succeed, and returns its standard output.
func must(t *testing.T, args ...string) string {
	t.Helper()
	var stdout bytes.Buffer
	if stderr, code := command(t, context.Background(), &stdout, args...); code != 0 {
		t.Fatalf("train %v: exit code %d: %s", args, code, stderr)
	}
	return stdout.String()
}

// refused runs the command, which must fail with one line that has each part.
func refused(t *testing.T, args []string, parts ...string) {
	t.Helper()
	stderr, code := command(t, context.Background(), io.Discard, args...)
	line := last(stderr)
	if code != 1 || !oneLine(line) {
		t.Errorf("train %v: exit code %d, standard error %q", args, code, stderr)
	}
	for _, part := range parts {
		if !strings.Contains(line, part) {
			t.Errorf("train %v: %q lacks %q", args, line, part)
		}
	}
}

func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text, err := os.ReadFile(filepath.Join(dir, name))
			files[name] = string(text)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A run that stops and goes on ends with the files of one that never stopped,
// to the last byte.
func TestResume(t *testing.T) {
	for _, more := range []string{"-opt sgd", "-opt momentum -momentum 0.8", "-opt adam -lr 0.01", "-shuffle=false -act tanh", "-holdout 0.3 -batch 17",
		"-norm batch -decay 0.001 -clip 1", "-schedule step", "-norm batch -patience 5 -opt momentum"} {
		flags := append(strings.Fields(more), "-limit", "300", "-hidden", "16", "-init", "he")
		straight, stopped := t.TempDir(), t.TempDir()
		want := must(t, append(flags, "-epochs", "5", "-out", straight)...)
		model := filepath.Join(stopped, "model.npz")
		if strings.Contains(more, "schedule") { // it is one of five epochs, so these are not to end as planned
			ctx, cancel := context.WithCancel(context.Background())
			command(t, ctx, &canceller{cancel: cancel}, append(flags, "-epochs", "5", "-out", stopped)...)
		} else {
			must(t, append(flags, "-epochs", "2", "-out", stopped)...)
		}
		got := must(t, "-resume", model, "-epochs", "5")
		if !strings.HasSuffix(want, got) || !strings.HasPrefix(got, "Epoch 3/5") {
			t.Errorf("%s: resumed:\n%s, straight:\n%s", more, got, want)
		}
		a, b := contents(t, straight), contents(t, stopped)
		for name := range a {
			if a[name] != b[name] {
				t.Errorf("%s: %s differs", more, name)
			}
		}
		if len(a) != 4 || len(b) != 4 {
			t.Errorf("%s: %d and %d files, want 4", more, len(a), len(b))
		}
	}
}

// To go on with a finished run writes the other files anew from the model, whatever
// is in their place, and leaves the model alone.
func TestResumeFinished(t *testing.T) {
	for _, more := range []string{"", "-lr 0.3 -epochs 50 -patience 2"} {
		dir := t.TempDir()
		model := filepath.Join(dir, "model.npz")
		want := must(t, quick(append(strings.Fields(more), "-out", dir)...)...)
		whole := contents(t, dir)
		before, _ := os.Stat(model)
		os.Remove(filepath.Join(dir, "history.csv"))
		os.WriteFile(filepath.Join(dir, "curves.svg"), []byte("of an earlier epoch"), 0o666)
		os.WriteFile(filepath.Join(dir, ".gradients.svg.tmp"), []byte("<svg"), 0o666)
		var stdout bytes.Buffer
		stderr, code := command(t, context.Background(), &stdout, "-resume", model)
		after, _ := os.Stat(model)
		if code != 0 || !strings.Contains(stderr, "there is nothing left to train\n") || !strings.HasSuffix(want, stdout.String()) ||
			last(stderr) != "written to "+dir+": history.csv, curves.svg, gradients.svg\n" || !after.ModTime().Equal(before.ModTime()) {
			t.Errorf("%q: exit code %d, %s%s", more, code, stderr, stdout.String())
		}
		if !maps.Equal(contents(t, dir), whole) {
			t.Errorf("%q: the files are not those of the run", more)
		}
		os.Remove(filepath.Join(dir, "curves.svg"))
		os.Mkdir(filepath.Join(dir, "curves.svg"), 0o777)
		refused(t, []string{"-resume", model}, "curves.svg", "a folder is in the place of the file")
	}
}

// What a kill has left of another epoch is written anew before training goes on.
func TestResumeDerives(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	must(t, quick("-out", dir)...)
	whole := contents(t, dir)
	for _, name := range []string{"history.csv", "curves.svg", "gradients.svg"} {
		os.WriteFile(filepath.Join(dir, name), []byte("of another epoch"), 0o666)
	}
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for _, out := range []string{other, dir} {
		command(t, done, io.Discard, "-resume", filepath.Join(dir, "model.npz"), "-epochs", "9", "-out", out)
	}
	if !maps.Equal(contents(t, dir), whole) || len(contents(t, other)) > 0 {
		t.Errorf("the files are not those of the run, or there are files of no model: %v", slices.Sorted(maps.Keys(contents(t, other))))
	}
}

// A figure that an earlier run left and this one has not is removed.
func TestNoGradients(t *testing.T) {
	dir := t.TempDir()
	must(t, quick("-out", dir)...)
	m := readBack(t, filepath.Join(dir, "model.npz"))
	m.Run.History[0].First = nil
	for i := range m.Run.History {
		m.Run.History[i].Layers = nil
	}
	writeModel(t, filepath.Join(dir, "model.npz"), m)
	stderr, code := command(t, context.Background(), io.Discard, "-resume", filepath.Join(dir, "model.npz"))
	if got := contents(t, dir); code != 0 || len(got) != 3 || got["gradients.svg"] != "" {
		t.Errorf("exit code %d, %d files: %s", code, len(got), stderr)
	}
}

func TestResumeInterrupted(t *testing.T) {
	out := t.TempDir()
	want := must(t, quick("-epochs", "6", "-out", t.TempDir())...)
	ctx, cancel := context.WithCancel(context.Background())
	if stderr, code := command(t, ctx, &canceller{cancel: cancel}, quick("-epochs", "6", "-out", out)...); code != 1 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if got := must(t, "-resume", filepath.Join(out, "model.npz")); hash(got) != hash(want) || !strings.HasPrefix(got, "Epoch 3/6") {
		t.Errorf("resumed:\n%s, straight:\n%s", got, want)
	}
}

func TestResumeRefused(t *testing.T) {
	out := t.TempDir()
	must(t, quick("-out", out)...)
	model := filepath.Join(out, "model.npz")
	for flags, parts := range map[string][]string{
		"-lr 0.2":                 {"-lr 0.2", "-lr 0.1"},
		"-hidden 17":              {"-hidden 17", "-hidden 16"},
		"-act tanh":               {"-act tanh", "-act relu"},
		"-opt adam":               {"-opt adam", "-opt sgd"},
		"-seed 2":                 {"-seed 2", "-seed 1"},
		"-shuffle=false":          {"-shuffle false", "-shuffle true"},
		"-epochs 9 -data none":    {"none"},
		"-epochs 9 -out " + model: {model},
	} {
		refused(t, append([]string{"-resume", model}, strings.Fields(flags)...), parts...)
	}
	refused(t, []string{"-resume", filepath.Join(out, "none.npz")}, "none.npz", "no such file")
	refused(t, []string{"-resume", out}, out, "a folder, want a file")
	refused(t, []string{"-resume", filepath.Join(out, "curves.svg")}, "curves.svg", "not an .npz archive")
	plain := filepath.Join(out, "plain.npz")
	writePlain(t, plain, mlp.MNISTPixels, 7, mlp.MNISTClasses)
	refused(t, []string{"-resume", plain}, plain, "does not say how it was trained")
	if stderr, code := command(t, context.Background(), io.Discard, "-resume", model, "-load", model); code != 2 || !oneLine(stderr) {
		t.Errorf("-resume and -load: exit code %d, %q", code, stderr)
	}
	cosine := t.TempDir()
	must(t, quick("-schedule", "cosine", "-out", cosine)...)
	refused(t, []string{"-resume", filepath.Join(cosine, "model.npz"), "-epochs", "9"}, "cosine schedule", "of 3 epochs")
	// A recipe from a file is checked as a command line is.
	m := readBack(t, model)
	m.Recipe["batch"] = "0"
	bad := filepath.Join(out, "bad.npz")
	writeModel(t, bad, m)
	refused(t, []string{"-resume", bad}, bad, "-batch 0")
	delete(m.Recipe, "batch")
	writeModel(t, bad, m)
	refused(t, []string{"-resume", bad}, bad, "lacks -batch")
}

// readBack and writeModel are for a model file to be tampered with.
func readBack(t *testing.T, name string) *mlp.Model {
	t.Helper()
	m, _, err := readModel(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func writeModel(t *testing.T, name string, m *mlp.Model) {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, b.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
}

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
	// What was loaded can be verified, and a change of it is seen.
	must(t, append(flags, "-load", plain)...)
	model := filepath.Join(dir, "out", "model.npz")
	if got := must(t, "-verify", model); !strings.HasPrefix(got, "reproduced: ") || hash(got) != hash(first) {
		t.Errorf("verified: %s", got)
	}
	writePlain(t, plain, mlp.MNISTPixels, 7, 7, mlp.MNISTClasses)
	refused(t, []string{"-verify", model}, plain, "-hidden 7 contradicts the file's -hidden 7,7")
}

// What a file says of its network holds, wherever the file comes from and
// however often the run was taken up.
func TestLoadKeepsItsWord(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name, "model.npz") }
	must(t, quick("-act", "tanh", "-norm", "batch", "-out", filepath.Join(dir, "a"))...)
	refused(t, []string{"-load", at("a"), "-norm", "none", "-out", dir}, at("a"), "-norm none contradicts the file's -norm batch")
	// Loaded, stopped, gone on with: it can still be verified.
	must(t, "-load", at("a"), "-limit", "300", "-epochs", "1", "-out", filepath.Join(dir, "b"))
	must(t, "-resume", at("b"), "-epochs", "2")
	must(t, "-verify", at("b"))
	refused(t, []string{"-verify", at("b"), "-epochs", "1"}, "-epochs 1 contradicts the file's -epochs 2")
	// Not where it begins with a file that it replaces, of which it warns.
	again := []string{"-load", at("b"), "-limit", "300", "-epochs", "1", "-out", filepath.Join(dir, "b")}
	if stderr, _ := command(t, context.Background(), io.Discard, again...); !strings.Contains(stderr, "warning: this run replaces the "+at("b")) {
		t.Errorf("no warning in %q", stderr)
	}
	refused(t, []string{"-verify", at("b")}, at("b")+": it was made with other weights to begin with (-load)")
	must(t, "-load", at("a"), "-limit", "300", "-epochs", "1", "-out", filepath.Join(dir, "b"))
	if err := os.Rename(at("a"), filepath.Join(dir, "moved.npz")); err != nil {
		t.Fatal(err)
	}
	refused(t, []string{"-verify", at("b")}, at("b")+": ", at("a"), "; -load FILE.npz says where")
	// Where that is now can be said, and it must be that.
	must(t, "-verify", at("b"), "-load", filepath.Join(dir, "moved.npz"))
	refused(t, []string{"-verify", at("b"), "-load", at("b")}, at("b")+": it was made with other weights to begin with (-load)")
	// A model that no command made says what its layers are all the same.
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
	refused(t, []string{"-verify", model}, model, "other data to train")
	if entries, _ := os.ReadDir(out); len(entries) != 4 {
		t.Errorf("-verify left %d files", len(entries))
	}
}

// The README quotes the article's run, and the sample's is part of the promise.
func TestReadmeFingerprint(t *testing.T) {
	if mlp.Kernel() == "Go" {
		t.Skip("the kernel in Go would take minutes; TestFingerprints covers it")
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	got := must(t, "-out", t.TempDir())
	lines := strings.Split(strings.TrimSpace(got), "\n")
	for _, line := range lines[len(lines)-2:] {
		if !strings.Contains(string(readme), line) {
			t.Errorf("the README lacks %q", line)
		}
	}
	if chart, err := os.ReadFile("../../testdata/svg/curves.svg"); err != nil || len(chart) == 0 {
		t.Errorf("the README's chart: %v", err)
	}
}

// A disk that is full leaves the old files and one line.
func TestFullDisk(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh to limit the size of files with")
	}
	out := t.TempDir()
	must(t, quick("-out", out)...)
	before := contents(t, out)
	c := exec.Command("sh", append([]string{"-c", `ulimit -f 40 && exec "$@"`, "sh", program(t)}, quick("-seed", "2", "-out", out)...)...)
	var stderr strings.Builder
	c.Stderr = &stderr
	var exit *exec.ExitError
	if err := c.Run(); !errors.As(err, &exit) || exit.ExitCode() != 1 {
		t.Errorf("%v: %s", err, stderr.String())
	}
	if line := last(stderr.String()); !oneLine(line) || !strings.Contains(line, "model.npz") || !strings.Contains(line, "file too large") {
		t.Errorf("standard error %q", stderr.String())
	}
	after := contents(t, out)
	if !maps.Equal(after, before) {
		t.Errorf("%d files, which are not the old ones", len(after))
	}
}

// TestKilled kills a training process fifty times at random moments and goes
// on each time: the weights are those of the run never interrupted. It takes
// half a minute; CI asks for it by name.
func TestKilled(t *testing.T) {
	if os.Getenv("MLP_ATTACK") == "" {
		t.Skip("$MLP_ATTACK is not set")
	}
	binary, dir := program(t), t.TempDir()
	flags := []string{"-limit", "1000", "-hidden", "64,32", "-init", "he", "-opt", "adam", "-lr", "0.001", "-epochs", "150"}
	whole, err := exec.Command(binary, append(flags, "-out", filepath.Join(dir, "whole"))...).Output()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	kills, ends := 0, 0
	for run := 0; kills < 50 || ends == 0; run++ {
		out := filepath.Join(dir, "killed")
		args := append(flags, "-out", out)
		if _, err := os.Stat(filepath.Join(out, "model.npz")); err == nil {
			args = []string{"-resume", filepath.Join(out, "model.npz")}
		}
		c := exec.Command(binary, args...)
		var stdout, stderr bytes.Buffer
		c.Stdout, c.Stderr = &stdout, &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(1+rng.IntN(400))*time.Millisecond, func() { c.Process.Kill() })
		err := c.Wait()
		kill.Stop()
		switch {
		case err == nil:
			ends++
			if hash(stdout.String()) != hash(string(whole)) {
				t.Fatalf("after %d kills the weights are %s, want %s", kills, hash(stdout.String()), hash(string(whole)))
			}
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
		case c.ProcessState.ExitCode() != -1:
			t.Fatalf("after %d kills: %v: %s", kills, err, stderr.String())
		default:
			kills++
		}
	}
	t.Logf("%d kills, %d runs brought to their end", kills, ends)
}

// A folder in the place of a file is found before any work is done, and a link that a
// killed run has left does not lead out of the folder.
func TestObstructed(t *testing.T) {
	for _, obstacle := range []string{"model.npz", "gradients.svg", ".model.npz.tmp"} {
		dir := t.TempDir()
		must(t, quick("-epochs", "1", "-out", dir)...)
		os.Remove(filepath.Join(dir, obstacle))
		if err := os.MkdirAll(filepath.Join(dir, obstacle, "full"), 0o777); err != nil {
			t.Fatal(err)
		}
		before := contents(t, dir)
		stderr, code := command(t, context.Background(), io.Discard, quick("-epochs", "1", "-seed", "3", "-out", dir)...)
		if code != 1 || !oneLine(stderr) || !strings.Contains(stderr, obstacle) {
			t.Errorf("%s: exit code %d, standard error %q", obstacle, code, stderr)
		}
		if !maps.Equal(contents(t, dir), before) {
			t.Errorf("%s: the earlier files are not whole", obstacle)
		}
	}
	dir, precious := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	if err := errors.Join(os.WriteFile(precious, []byte("x"), 0o666), os.Symlink(precious, filepath.Join(dir, ".model.npz.tmp"))); err != nil {
		t.Skip(err)
	}
	must(t, quick("-epochs", "1", "-out", dir)...)
	if text, err := os.ReadFile(precious); string(text) != "x" || len(contents(t, dir)) != 4 {
		t.Errorf("a file outside of -out holds %q (%v), and there are %d files", text, err, len(contents(t, dir)))
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
	if _, err := os.Stat(out); err == nil || len(contents(t, dir)) != 4 {
		t.Error("it has written files")
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

// What is wrong is said shortly and plainly, whatever the file holds.
func TestSaidPlainly(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "model.npz")
	must(t, quick("-epochs", "1", "-out", dir)...)
	m, _, err := readModel(name)
	if err != nil {
		t.Fatal(err)
	}
	m.Run.History = nil
	m.Recipe["load"] = "\x1b]0;owned\a\nnetwork: another"
	writeModel(t, name, m)
	stderr, _ := command(t, context.Background(), io.Discard, "-resume", name, "-out", t.TempDir())
	if strings.ContainsAny(stderr, "\x1b\a") || strings.Contains(stderr, "\nnetwork: another") || !strings.Contains(stderr, `\x1b]0;owned\a\n`) {
		t.Errorf("standard error %q", stderr)
	}
	m.Recipe["seed"] = strings.Repeat("x", 1e6)
	writeModel(t, name, m)
	refused(t, []string{"-resume", name}, name, "its recipe has 1000000 bytes for -seed, more than 4096")
	refused(t, quick("-holdout", "0.99999999999999", "-out", dir), "-holdout 0.99999999999999 of 300 images is all")
	if stderr, code := command(t, context.Background(), closed{}, "-h"); code != 1 || stderr != "train: standard output: broken pipe\n" {
		t.Errorf("-h: exit code %d, standard error %q", code, stderr)
	}
}

// What an interrupted run says that it has kept is what it has saved itself.
func TestInterruptedBeforeSaving(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	must(t, quick("-out", dir)...)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	for _, args := range [][]string{
		{"-verify", filepath.Join(dir, "model.npz")},
		{"-resume", filepath.Join(dir, "model.npz"), "-epochs", "9", "-out", other},
	} {
		if stderr, code := command(t, done, io.Discard, args...); code != 1 || last(stderr) != "train: interrupted: no epoch was saved\n" {
			t.Errorf("%v: exit code %d, standard error %q", args, code, stderr)
		}
	}
}
