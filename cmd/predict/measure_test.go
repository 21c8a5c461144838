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
	"mlp/cmd/internal/training"
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
	m, err := training.ReadModel(model, training.Train)
	if err != nil {
		t.Fatal(err)
	}
	_, test := trained()
	copied := *test
	copied.Standardize(m.Input)
	loss, accuracy := mlp.Evaluate(m.Net, &copied, nil)
	if want := fmt.Sprintf("Test Accuracy: %.4f\nTest Loss: %.4f\n\n", accuracy, loss); !strings.HasPrefix(stdout, want) {
		t.Errorf("%q, want %q", stdout, want)
	}
	_, table, _ := strings.Cut(stdout, "recall\n")
	lines := strings.Split(table, "\n")
	var columns [10]float64
	right := 0.0
	for meant, line := range lines[:10] {
		fields, row := strings.Fields(line), 0.0
		for read, f := range fields[1:11] {
			var n float64
			fmt.Sscan(f, &n)
			row += n
			if columns[read] += n; read == meant {
				right += n
			}
		}
		var diagonal float64
		fmt.Sscan(fields[1+meant], &diagonal)
		if want := fmt.Sprintf("%.4f", diagonal/100); row != 100 || fields[11] != want {
			t.Errorf("row %d: %s, want a sum of 100 and a recall of %s", meant, line, want)
		}
	}
	precision := strings.Fields(lines[10])
	for read, all := range columns {
		var diagonal float64
		fmt.Sscan(strings.Fields(lines[read])[1+read], &diagonal)
		if want := fmt.Sprintf("%.4f", diagonal/all); precision[1+read] != want {
			t.Errorf("precision of %d: %s, want %s", read, precision[1+read], want)
		}
	}
	if right != math.Round(1000*accuracy) {
		t.Errorf("%v on the diagonal, an accuracy of %v", right, accuracy)
	}
	if _, stderr, code := command(t, nil, "-model", model, "-data", dir); code != 1 || !strings.Contains(stderr, "predict: "+filepath.Join(dir, "t10k-images-idx3-ubyte")) {
		t.Errorf("a folder without digits: exit code %d, %q", code, stderr)
	}
}

// A digit that is never read has no precision.
func TestConfusion(t *testing.T) {
	meant, read := mlp.NewMatrix(4, mlp.MNISTClasses), mlp.NewMatrix(4, mlp.MNISTClasses)
	for i, pair := range [][2]int{{3, 3}, {5, 3}, {5, 3}, {5, 5}} {
		meant.Row(i)[pair[0]], read.Row(i)[pair[1]] = 1, 0.5
	}
	var counts confusion
	if accuracy := counts.count(read, meant); accuracy != 0.5 || counts[5][3] != 2 || counts[3][3] != 1 || counts[5][5] != 1 || counts[3][5] != 0 {
		t.Errorf("%v, %v", accuracy, counts)
	}
	var b bytes.Buffer
	if counts.print(&b); strings.Count(b.String(), "–") != 8+8 || !strings.Contains(b.String(), " 0.3333 ") {
		t.Error(b.String())
	}
}

// The page is that of the model, wherever it is written, and an earlier file stays if it
// cannot be.
func TestReport(t *testing.T) {
	dir := workplace(t)
	model, page := filepath.Join(dir, "model.npz"), filepath.Join(dir, "new", "page.html")
	stdout, stderr, code := command(t, nil, "-model", model, "-report", page)
	if code != 0 || stdout != "" || stderr != "written to "+filepath.Dir(page)+": page.html\n" {
		t.Fatalf("exit code %d, %q, %q", code, stdout, stderr)
	}
	m, err := training.ReadModel(model, training.Train)
	if err != nil {
		t.Fatal(err)
	}
	html := string(read(t, page))
	if !strings.Contains(html, m.Net.Fingerprint()) || !strings.Contains(html, "1000 images, from the sample in the program") {
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
