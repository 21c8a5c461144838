// Measuring a model: the numbers, the table and the page.

package main

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/doctor"
	"mlp/cmd/internal/mnist"
	"mlp/cmd/internal/stat"
)

// The measurements are those that follow from the table, and cmd/train's.
func TestMeasure(t *testing.T) {
	dir := workplace(t)
	model := filepath.Join(dir, "model.npz")
	t.Chdir(t.TempDir())
	stdout, stderr, code := command(t, nil, "-model", model)
	if entries, _ := os.ReadDir("."); code != 0 || stderr != "data: 1000 images to test on, from the sample in the program\n" || len(entries) > 0 {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	m, test := trained()
	copied := *test
	copied.Standardize(m.Input)
	loss, accuracy := mlp.Evaluate(m.Net, &copied, nil)
	if want := fmt.Sprintf("Test Accuracy: %.4f\nTest Loss: %.4f\n\n", accuracy, loss); !strings.HasPrefix(stdout, want) {
		t.Errorf("%q, want %q", stdout, want)
	}
	confusion := stat.NewConfusion(mlp.MNISTClasses) // the true digit is the row
	x := mlp.SamplesOf(&mlp.MNIST{Images: test.Images, Labels: test.Labels}).X
	var y mlp.Matrix
	m.Predict(&y, x)
	for i, meant := range test.Labels {
		confusion[meant][mlp.Argmax(y.Row(i))]++
	}
	var b bytes.Buffer
	if confusion.Write(&b, strings.Split("0123456789", ""), 200); !strings.HasSuffix(stdout, "\n\n"+b.String()) {
		t.Errorf("%s, want\n%s", stdout, b.String())
	}
	if _, stderr, code := command(t, nil, "-model", model, "-data", dir); code != 1 || !strings.Contains(stderr, "predict: "+filepath.Join(dir, "t10k-images-idx3-ubyte")) {
		t.Errorf("a folder without digits: exit code %d, %q", code, stderr)
	}
}

// The page is that of the model, with what the doctor finds in its history, wherever it is
// written. An earlier file stays if it cannot be.
func TestReport(t *testing.T) {
	dir := workplace(t)
	_, test := trained()
	slow := &mlp.Model{Net: mnist.Network(1, mlp.Small, mlp.ReLU, false), Recipe: map[string]string{"lr": "1e-07"}}
	config := mlp.Config{Rate: 1e-7, Epochs: 1, Batch: 10, Run: &slow.Run}
	if _, err := mlp.Train(t.Context(), slow.Net, test.Slice(0, 100), config); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "model.npz"), fileOf(slow))
	model, page := filepath.Join(dir, "model.npz"), filepath.Join(dir, "new", "page.html")
	stdout, stderr, code := command(t, nil, "-model", model, "-report", page)
	if code != 0 || stdout != "" || stderr != "written to "+filepath.Dir(page)+": page.html\n" {
		t.Fatalf("exit code %d, %q, %q", code, stdout, stderr)
	}
	html := string(read(t, page))
	if found := doctor.Diagnose(slow, math.Ln10); len(found) != 1 || !strings.Contains(html, "<h4>"+found[0].Illness+"</h4><p>"+found[0].Number) {
		t.Errorf("the page lacks what the doctor finds: %v", found)
	}
	if !strings.Contains(html, slow.Net.Fingerprint()) || !strings.Contains(html, "1000 images, from the sample in the program") {
		t.Error("it is of another model, or of other digits")
	}
	folder := filepath.Join(dir, "folder.html")
	os.Mkdir(folder, 0o777)
	for flags, want := range map[string]string{
		"-report " + folder:                   folder + ": a folder is in the place of the file",
		"-report " + model + "/page.html":     model,
		"-report " + page + " -data " + dir:   dir,
		"-report " + page + " -model " + page: page + ": not an .npz archive",
	} {
		_, stderr, code := command(t, nil, append([]string{"-model", model}, strings.Fields(flags)...)...)
		if line, _, _ := strings.Cut(stderr, "\n"); code != 1 || !strings.Contains(line, want) {
			t.Errorf("%s: exit code %d, %q", flags, code, stderr)
		}
	}
	if string(read(t, page)) != html {
		t.Error("the earlier page has changed")
	}
}
