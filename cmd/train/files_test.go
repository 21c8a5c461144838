// The files of a run: resumed, obstructed, killed.

package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/training"
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

// refused runs the command, which must fail with one line that has each text.
func refused(t *testing.T, args []string, texts ...string) {
	t.Helper()
	stderr, code := command(t, context.Background(), io.Discard, args...)
	line := last(stderr)
	if code != 1 || !oneLine(line) {
		t.Errorf("train %v: exit code %d, standard error %q", args, code, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(line, text) {
			t.Errorf("train %v: %q lacks %q", args, line, text)
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

// A run that was stopped and resumed ends with the same files as one that was not, to
// the last byte.
func TestResume(t *testing.T) {
	for _, more := range []string{"-opt sgd", "-opt momentum -momentum 0.8", "-opt adam -lr 0.01", "-opt adamw -lr 0.01 -decay 0.1", "-dropout 0.3", "-shuffle=false -act tanh", "-holdout 0.3 -batch 17",
		"-norm batch -decay 0.001 -clip 1", "-schedule step",
		"-schedule cosine -warmup 0.3 -deskew -scale image -deform usual -measure 2", "-norm batch -patience 5 -opt momentum"} {
		flags := append(strings.Fields(more), "-limit", "300", "-hidden", "16", "-init", "he")
		straight, stopped := t.TempDir(), t.TempDir()
		want := must(t, append(flags, "-epochs", "5", "-out", straight)...)
		model := filepath.Join(stopped, "model.npz")
		if strings.Contains(more, "schedule") { // of five epochs, so that a run of two is another run
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
		if len(a) != 5 || len(b) != 5 {
			t.Errorf("%s: %d and %d files, want 5", more, len(a), len(b))
		}
	}
}

// To resume a finished run writes the other files anew from the model, whatever is in
// their place, and does not touch the model.
func TestResumeFinished(t *testing.T) {
	for _, more := range []string{"", "-lr 0.3 -epochs 50 -patience 2"} {
		dir := t.TempDir()
		model := filepath.Join(dir, "model.npz")
		want := must(t, quick(append(strings.Fields(more), "-out", dir)...)...)
		whole := contents(t, dir)
		before, _ := os.Stat(model)
		os.Remove(filepath.Join(dir, "history.csv"))
		os.WriteFile(filepath.Join(dir, "curves.svg"), []byte("of an earlier epoch"), 0o666)
		os.Remove(filepath.Join(dir, "report.html"))
		os.WriteFile(filepath.Join(dir, ".gradients.svg.tmp"), []byte("<svg"), 0o666)
		var stdout bytes.Buffer
		stderr, code := command(t, context.Background(), &stdout, "-resume", model)
		after, _ := os.Stat(model)
		if code != 0 || !strings.Contains(stderr, "there is nothing left to train\n") || !strings.HasSuffix(want, stdout.String()) ||
			last(stderr) != "written to "+dir+": history.csv, curves.svg, gradients.svg, report.html\n" || !after.ModTime().Equal(before.ModTime()) {
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

// Files of another epoch, which a kill may leave, are written anew before training.
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
	if !maps.Equal(contents(t, dir), whole) {
		t.Error("the files are not those of the run")
	}
	if n, same := epochsOf(t, other); n != 3 || !same {
		t.Errorf("in the other folder the model is of epoch %d; the other files are of the same: %v", n, same)
	}
}

// With another -out, a finished run's files are written there with the model, in the
// place of another run's.
func TestResumeFinishedElsewhere(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	must(t, quick("-out", dir)...)
	must(t, quick("-seed", "2", "-epochs", "1", "-out", other)...)
	another := contents(t, other)[training.ModelName]
	for _, out := range []string{other, filepath.Join(t.TempDir(), "new")} {
		must(t, "-resume", filepath.Join(dir, training.ModelName), "-out", out)
		got := contents(t, out)
		if kept := got["model.1.npz"]; (kept == another) != (out == other) {
			t.Error("the model of the other run is not kept")
		}
		if delete(got, "model.1.npz"); !maps.Equal(got, contents(t, dir)) {
			t.Error("the files are not those of the run")
		}
	}
}

// A finished run has its page even if its digits have moved. Where the page has to be
// written, a line says that it is not.
func TestPageWithoutDigits(t *testing.T) {
	dir, data := t.TempDir(), filepath.Join(t.TempDir(), "data")
	if err := os.CopyFS(data, mlp.SampleMNIST()); err != nil {
		t.Fatal(err)
	}
	must(t, quick("-data", data, "-out", dir)...)
	whole := contents(t, dir)
	moved := data + "-moved"
	if err := os.Rename(data, moved); err != nil {
		t.Fatal(err)
	}
	other := t.TempDir()
	for _, flags := range [][]string{nil, {"-out", other}} {
		stderr, code := command(t, context.Background(), io.Discard, append([]string{"-resume", filepath.Join(dir, training.ModelName)}, flags...)...)
		if code != 0 || !strings.Contains(stderr, "warning: report.html is not written: "+data) {
			t.Errorf("%v: exit code %d, %s", flags, code, stderr)
		}
	}
	if !maps.Equal(contents(t, dir), whole) || len(contents(t, other)) != 4 {
		t.Error("the files are not those of the run without the page")
	}
	must(t, "-resume", filepath.Join(dir, training.ModelName), "-data", moved, "-out", other)
	if got := contents(t, other); len(got) != 5 || !strings.Contains(got[reportName], moved) {
		t.Errorf("with the digits' new folder there are %d files", len(got))
	}
	os.WriteFile(filepath.Join(moved, "t10k-labels-idx1-ubyte"), append([]byte("\x00\x00\x08\x01\x00\x00\x03\xe8"), make([]byte, 1000)...), 0o666)
	if stderr, code := command(t, context.Background(), io.Discard, "-resume", filepath.Join(dir, training.ModelName), "-data", moved); code != 1 || !strings.Contains(stderr, "the test data differ") {
		t.Errorf("other digits: exit code %d, %s", code, stderr)
	}
}

// The page has the accuracy of the run, whatever is done to the digits before, and the
// same bytes if the finished run writes it again.
func TestPageAccuracy(t *testing.T) {
	for _, more := range []string{"", "-deskew -scale image -norm batch", "-deskew -holdout 0.3"} {
		dir := t.TempDir()
		stdout := must(t, quick(append(strings.Fields(more), "-out", dir)...)...)
		var accuracy float64
		_, rest, _ := strings.Cut(stdout, "Final Test Accuracy: ")
		fmt.Sscan(rest, &accuracy)
		page := contents(t, dir)[reportName]
		if !strings.Contains(page, fmt.Sprintf("<dd>%.2f %% of ", 100*accuracy)) {
			t.Errorf("%s: the page lacks the accuracy %v", more, accuracy)
		}
		if must(t, "-resume", filepath.Join(dir, training.ModelName)); contents(t, dir)[reportName] != page {
			t.Errorf("%s: written again, the page differs", more)
		}
	}
}

// A run that is stopped leaves no page of an earlier one beside its model.
func TestPageOfAnother(t *testing.T) {
	dir := t.TempDir()
	must(t, quick("-out", dir)...)
	ctx, cancel := context.WithCancel(context.Background())
	command(t, ctx, &canceller{cancel: cancel}, quick("-seed", "2", "-epochs", "9", "-out", dir)...)
	if n, same := epochsOf(t, dir); n == 0 || !same || contents(t, dir)[reportName] != "" {
		t.Errorf("the files are of epoch %d, the same: %v, and there is a page", n, same)
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
	if got := contents(t, dir); code != 0 || len(got) != 4 || got["gradients.svg"] != "" {
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
		"-epochs 2":               {model + ": the run has had 3 epochs, more than -epochs 2"},
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
	refused(t, []string{"-resume", filepath.Join(cosine, "model.npz"), "-epochs", "9"}, "-epochs 9: the run's cosine schedule is for -epochs 3, which cannot change")
	// A recipe from a file is checked like a command line.
	m := readBack(t, model)
	m.Recipe["batch"] = "0"
	bad := filepath.Join(out, "bad.npz")
	writeModel(t, bad, m)
	refused(t, []string{"-resume", bad}, bad, "-batch 0")
	delete(m.Recipe, "batch")
	writeModel(t, bad, m)
	refused(t, []string{"-resume", bad}, bad, "lacks -batch")
}

// readBack and writeModel are for tampering with a model file.
func readBack(t *testing.T, name string) *mlp.Model {
	t.Helper()
	m, err := training.ReadModel(name, training.Train)
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

// The README has the last lines of the article's run, with the hash that must not change.
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

// If the disk is full, the earlier files stay as they are.
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
	if line := last(stderr.String()); !oneLine(line) || !strings.Contains(line, "model.1.npz") || !strings.Contains(line, "file too large") {
		t.Errorf("standard error %q", stderr.String())
	}
	after := contents(t, out)
	if !maps.Equal(after, before) {
		t.Errorf("%d files, which are not the old ones", len(after))
	}
}

// A folder in the place of a file is found before any work is done. A link in the place
// of a temporary file is not written through.
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
	if text, err := os.ReadFile(precious); string(text) != "x" || len(contents(t, dir)) != 5 {
		t.Errorf("a file outside of -out holds %q (%v), and there are %d files", text, err, len(contents(t, dir)))
	}
}

// An error is short and printable, whatever the file has in it.
func TestSaidPlainly(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "model.npz")
	must(t, quick("-epochs", "1", "-out", dir)...)
	m, err := training.ReadModel(name, training.Train)
	if err != nil {
		t.Fatal(err)
	}
	strange := filepath.Join(dir, "\x1b]0;owned\a\nnetwork: another")
	writeModel(t, strange, m)
	stderr, _ := command(t, context.Background(), io.Discard, "-load", strange, "-epochs", "0")
	if strings.ContainsAny(stderr, "\x1b\a") || strings.Contains(stderr, "\nnetwork: another") || !strings.Contains(stderr, `\x1b]0;owned\a\n`) {
		t.Errorf("standard error %q", stderr)
	}
	m.Recipe["seed"] = strings.Repeat("x", 1e6)
	writeModel(t, name, m)
	refused(t, []string{"-resume", name}, name, "its recipe has 1000000 bytes for -seed, more than 65536")
	refused(t, quick("-holdout", "0.99999999999999", "-out", dir), "-holdout 0.99999999999999 of 300 images is all")
	if stderr, code := command(t, context.Background(), closed{}, "-h"); code != 1 || stderr != "train: standard output: broken pipe\n" {
		t.Errorf("-h: exit code %d, standard error %q", code, stderr)
	}
}

// A run that ends before its first new epoch says which epochs the files have.
func TestEndsBeforeSaving(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	must(t, quick("-out", dir)...)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	model := filepath.Join(dir, training.ModelName)
	holds := func(out string) string {
		return "train: interrupted: " + out + " holds epochs 1 to 3; -resume " + filepath.Join(out, training.ModelName) + " goes on\n"
	}
	for args, want := range map[string]string{
		"-verify " + model:                              "train: interrupted\n",
		"-resume " + model + " -epochs 9":               holds(dir),
		"-resume " + model + " -epochs 9 -out " + other: holds(other),
		strings.Join(quick("-out", t.TempDir()), " "):   "train: interrupted: no epoch was saved\n",
	} {
		if stderr, code := command(t, done, io.Discard, strings.Fields(args)...); code != 1 || last(stderr) != want {
			t.Errorf("%v: exit code %d, standard error %q, want %q", args, code, stderr, want)
		}
	}
	m := readBack(t, model)
	for i := range m.Net[1].W.Data {
		m.Net[1].W.Data[i] *= 1e300
	}
	writeModel(t, model, m)
	refused(t, []string{"-resume", model, "-epochs", "9"}, "training has diverged; a smaller -lr is the usual cure ("+dir+" holds epochs 1 to 3)")
}

// epochsOf returns the epoch of model.npz in dir, or 0 if there is none, and whether
// the other files have the same. It fails if a file is not whole, if the model, which is
// replaced last, is ahead of another file, or if the page is of another model.
func epochsOf(t *testing.T, dir string) (model int, same bool) {
	t.Helper()
	var epochs []int
	if f, err := os.Open(filepath.Join(dir, historyName)); err == nil {
		defer f.Close()
		rows, err := csv.NewReader(f).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatalf("%s is not whole: %d rows, %v", historyName, len(rows), err)
		}
		epochs = append(epochs, len(rows)-1)
	}
	for name, words := range map[string]string{curvesName: "Over %d epochs", gradientsName: "after %d epochs"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		n := 0
		word, _, _ := strings.Cut(words, "%")
		_, rest, _ := strings.Cut(string(text), word)
		if fmt.Sscan(rest, &n); n == 0 || !strings.HasSuffix(string(text), "</svg>\n") {
			t.Fatalf("%s is not whole", name)
		}
		epochs = append(epochs, n)
	}
	if _, err := os.Stat(filepath.Join(dir, training.ModelName)); err == nil {
		m := readBack(t, filepath.Join(dir, training.ModelName))
		model = len(m.Run.History)
		page, err := os.ReadFile(filepath.Join(dir, reportName))
		if err == nil && (!strings.Contains(string(page), m.Net.Fingerprint()) || !strings.HasSuffix(string(page), "</html>\n")) {
			t.Fatalf("%s is not whole, or of another model", reportName)
		}
	}
	same = len(epochs) == 3
	for _, n := range epochs {
		same = same && n == model
		if n < model {
			t.Fatalf("%s is of epoch %d, the other files of epochs %v", training.ModelName, model, epochs)
		}
	}
	return model, same
}
