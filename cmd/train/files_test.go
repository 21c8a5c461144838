// The files of a run: resumed, replaced, made again.

package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/training"
)

// A run that was stopped and resumed ends with the same files as one that was not, to
// the last byte. CI asks for all.
func TestResume(t *testing.T) {
	for i, more := range []string{
		"-schedule cosine -warmup 0.3 -deskew -scale image -deform usual -measure 2", "-norm batch -patience 5 -opt momentum",
		"-opt adamw -lr 0.01 -decay 0.1 -dropout 0.3",
		"-opt sgd", "-opt momentum -momentum 0.8", "-opt adam -lr 0.01", "-shuffle=false -act tanh", "-batch 17",
		"-norm batch -decay 0.001 -clip 1", "-schedule step"} {
		if i > 2 && !attack {
			break
		}
		flags := append(quick("-epochs", "5"), strings.Fields(more)...)
		straight, dir := t.TempDir(), t.TempDir()
		want := must(t, append(flags, "-out", straight)...)
		if strings.Contains(more, "schedule") { // of five epochs, so that a run of two is another run
			stopped(t, append(flags, "-out", dir)...)
		} else {
			must(t, append(flags, "-epochs", "2", "-out", dir)...)
		}
		got := must(t, "-resume", filepath.Join(dir, training.ModelName), "-epochs", "5")
		if !strings.HasSuffix(want, got) || !strings.HasPrefix(got, "Epoch 3/5") {
			t.Errorf("%s: resumed:\n%s, straight:\n%s", more, got, want)
		}
		if files := contents(t, dir); !maps.Equal(files, contents(t, straight)) || len(files) != 5 {
			t.Errorf("%s: the %d files are not the same", more, len(files))
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
	must(t, quick("-holdout", "0", "-data", data, "-out", dir)...)
	whole := contents(t, dir)
	moved, other := data+"-moved", t.TempDir()
	if err := os.Rename(data, moved); err != nil {
		t.Fatal(err)
	}
	resume := []string{"-resume", filepath.Join(dir, training.ModelName)}
	for _, flags := range [][]string{nil, {"-out", other}} {
		says(t, "warning: report.html is not written: "+data, append(flags, resume...)...)
	}
	if !maps.Equal(contents(t, dir), whole) || len(contents(t, other)) != 4 {
		t.Error("the files are not those of the run without the page")
	}
	must(t, append(resume, "-data", moved, "-out", other)...)
	if got := contents(t, other); len(got) != 5 || !strings.Contains(got[reportName], moved) {
		t.Errorf("with the digits' new folder there are %d files", len(got))
	}
	zeros := append([]byte("\x00\x00\x08\x01\x00\x00\x03\xe8"), make([]byte, 1000)...)
	os.WriteFile(filepath.Join(moved, "t10k-labels-idx1-ubyte"), zeros, 0o666)
	refused(t, append(resume, "-data", moved), "the test data differ")
}

// The page has the accuracy of the run, whatever is done to the digits before, and the
// same bytes if the finished run writes it again.
func TestPageAccuracy(t *testing.T) {
	for _, more := range []string{"-holdout 0", "-deskew -scale image -norm batch"} {
		dir := t.TempDir()
		accuracy := accuracyIn(must(t, quick(append(strings.Fields(more), "-out", dir)...)...))
		page := contents(t, dir)[reportName]
		if !strings.Contains(page, fmt.Sprintf("<dd>%.2f %% of ", 100*accuracy)) {
			t.Errorf("%s: the page lacks the accuracy %v", more, accuracy)
		}
		if must(t, "-resume", filepath.Join(dir, training.ModelName)); contents(t, dir)[reportName] != page {
			t.Errorf("%s: written again, the page differs", more)
		}
	}
}

// A run that is stopped leaves no page of an earlier one beside its model. A figure that an
// earlier run left and this one has not is removed.
func TestFilesOfAnother(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, training.ModelName)
	must(t, quick("-out", dir)...)
	stopped(t, quick("-seed", "2", "-epochs", "9", "-out", dir)...)
	if n, same := epochsOf(t, dir); n == 0 || !same || contents(t, dir)[reportName] != "" {
		t.Errorf("the files are of epoch %d, the same: %v, and there is a page", n, same)
	}
	must(t, quick("-out", dir)...)
	os.Rename(changed(t, model, func(m *mlp.Model) {
		for i := range m.Run.History {
			m.Run.History[i].First, m.Run.History[i].Layers = nil, nil
		}
	}), model)
	must(t, "-resume", model)
	if files := contents(t, dir); files[gradientsName] != "" || files[curvesName] == "" {
		t.Errorf("a figure of no layer statistics is there")
	}
}

func TestResumeRefused(t *testing.T) {
	dir, cosine := t.TempDir(), t.TempDir()
	must(t, quick("-out", dir)...)
	must(t, quick("-schedule", "cosine", "-out", cosine)...)
	model := filepath.Join(dir, training.ModelName)
	for flags, part := range map[string]string{
		"-lr 0.2":                 "-lr 0.2 contradicts the file's -lr 0.1",
		"-hidden 17":              "-hidden 17 contradicts the file's -hidden 16",
		"-act tanh":               "-act tanh contradicts the file's -act relu",
		"-shuffle=false":          "-shuffle false contradicts the file's -shuffle true",
		"-epochs 9 -data none":    "none",
		"-epochs 2":               model + ": the run has had 3 epochs, more than -epochs 2",
		"-epochs 9 -out " + model: model,
	} {
		refused(t, append([]string{"-resume", model}, strings.Fields(flags)...), part)
	}
	refused(t, []string{"-resume", filepath.Join(dir, "none.npz")}, "none.npz", "no such file")
	refused(t, []string{"-resume", filepath.Join(dir, curvesName)}, curvesName, "not an .npz archive")
	plain := writePlain(t, dir, mlp.MNISTPixels, 7, mlp.MNISTClasses)
	refused(t, []string{"-resume", plain}, plain, "does not say how it was trained")
	refused(t, []string{"-resume", filepath.Join(cosine, training.ModelName), "-epochs", "9"},
		"-epochs 9: the run's cosine schedule is for -epochs 3, which cannot change")
}

// If the disk is full, the earlier files stay as they are.
func TestFullDisk(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh to limit the size of files with")
	}
	out := t.TempDir()
	must(t, quick("-out", out)...)
	before := contents(t, out)
	c := program(quick("-seed", "2", "-out", out)...)
	c = exec.Command("sh", append([]string{"-c", `ulimit -f 40 && exec "$@"`, "sh"}, c.Args...)...)
	c.Env = programEnv()
	var stderr strings.Builder
	c.Stderr = &stderr
	c.Run()
	line := last(stderr.String())
	if c.ProcessState.ExitCode() != 1 || !oneLine(line) || !strings.Contains(line, "model.1.npz: file too large") {
		t.Errorf("%v, standard error %q", c.ProcessState, stderr.String())
	}
	if !maps.Equal(contents(t, out), before) {
		t.Error("the files are not the old ones")
	}
}

// An error is short and printable, whatever the file has in it.
func TestSaidPlainly(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, training.ModelName)
	must(t, quick("-epochs", "1", "-out", dir)...)
	strange := filepath.Join(dir, "\x1b]0;owned\a\nnetwork: another")
	if err := os.Link(model, strange); err != nil {
		t.Skip(err)
	}
	_, stderr := says(t, `\x1b]0;owned\a\n`, "-load", strange, "-epochs", "0")
	if strings.ContainsAny(stderr, "\x1b\a") || strings.Contains(stderr, "\nnetwork: another") {
		t.Errorf("standard error %q", stderr)
	}
}

// A run that ends before its first new epoch says which epochs the files have.
func TestEndsBeforeSaving(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	must(t, quick("-out", dir)...)
	done, cancel := context.WithCancel(context.Background())
	cancel()
	model := filepath.Join(dir, training.ModelName)
	holds := "train: interrupted: %s holds epochs 1 to 3; -resume %[1]s/model.npz goes on\n"
	for args, want := range map[string]string{
		"-verify " + model:                              "train: interrupted\n",
		"-resume " + model + " -epochs 9":               fmt.Sprintf(holds, dir),
		"-resume " + model + " -epochs 9 -out " + other: fmt.Sprintf(holds, other),
		strings.Join(quick("-out", t.TempDir()), " "):   "train: interrupted: no epoch was saved\n",
	} {
		if stderr, code := command(t, done, io.Discard, strings.Fields(args)...); code != 1 || last(stderr) != filepath.FromSlash(want) {
			t.Errorf("%v: exit code %d, standard error %q, want %q", args, code, stderr, want)
		}
	}
	if n, same := epochsOf(t, other); n != 3 || !same {
		t.Errorf("in the other folder the model is of epoch %d; the other files are of the same: %v", n, same)
	}
	os.Rename(changed(t, model, func(m *mlp.Model) {
		for i := range m.Net[1].W.Data {
			m.Net[1].W.Data[i] *= 1e300
		}
	}), model)
	refused(t, []string{"-resume", model, "-epochs", "9"}, "training has diverged; a smaller -lr is the usual cure ("+dir+" holds epochs 1 to 3)")
}

// epochsOf returns the epoch of model.npz in dir, or 0 if there is none, and whether
// the other files have the same. It fails if a file is not whole, if the model, which is
// replaced last, is ahead of another file, or if the page is of another model.
func epochsOf(t *testing.T, dir string) (model int, same bool) {
	t.Helper()
	files := contents(t, dir)
	var epochs []int
	if text, ok := files[historyName]; ok {
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil || len(rows) < 2 {
			t.Fatalf("%s is not whole: %d rows, %v", historyName, len(rows), err)
		}
		epochs = append(epochs, len(rows)-1)
	}
	for name, word := range map[string]string{curvesName: "Over ", gradientsName: "after "} {
		if text, ok := files[name]; ok {
			n := 0
			_, rest, _ := strings.Cut(text, word)
			if fmt.Sscan(rest, &n); n == 0 || !strings.HasSuffix(text, "</svg>\n") {
				t.Fatalf("%s is not whole", name)
			}
			epochs = append(epochs, n)
		}
	}
	if text, ok := files[training.ModelName]; ok {
		m, err := mlp.ReadModel(strings.NewReader(text), int64(len(text)))
		if err != nil {
			t.Fatal(err)
		}
		model = len(m.Run.History)
		if page, ok := files[reportName]; ok && (!strings.Contains(page, m.Net.Fingerprint()) || !strings.HasSuffix(page, "</html>\n")) {
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
