// Measuring a model: the numbers, the table and the chart.

package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/cli"
)

// The measurements are those that follow from the table, and cmd/train's.
func TestMeasure(t *testing.T) {
	dir := workplace(t)
	model, out := filepath.Join(dir, "model.npz"), filepath.Join(dir, "out")
	stdout, stderr, code := command(t, nil, "-model", model, "-out", out)
	if code != 0 || !strings.Contains(stderr, "data: 1000 images to test on, from the sample in the program\n") || !strings.HasSuffix(stderr, "written to "+out+": mistakes.svg\n") {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	m, _, err := cli.ReadModel(model)
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
	chart := string(read(t, filepath.Join(out, "mistakes.svg")))
	if err := xml.Unmarshal([]byte(chart), new(struct{})); err != nil || strings.Count(chart, ", read as ") != int(min(40, 1000-right)) {
		t.Errorf("the chart has %d mistakes of %v, error %v", strings.Count(chart, ", read as "), 1000-right, err)
	}
	if want := fmt.Sprintf(">%v of 1000 test digits were read wrong.", 1000-right); !strings.Contains(chart, want) {
		t.Errorf("the chart lacks %q", want)
	}
	if _, stderr, code := command(t, nil, "-model", model, "-data", dir); code != 1 || !strings.Contains(stderr, "predict: "+filepath.Join(dir, "t10k-images-idx3-ubyte")) {
		t.Errorf("a folder without digits: exit code %d, %q", code, stderr)
	}
}

// The most certain mistakes come first, and a digit that is never read has no precision.
func TestConfuse(t *testing.T) {
	_, test := trained()
	net := cli.NewNetwork(1, mlp.He, mlp.ReLU, false) // one layer
	clear(net[0].W.Data)
	net[0].B.Data[3] = 1
	for j := range mlp.MNISTPixels {
		net[0].W.Row(j)[3] = 0.001 // the more ink, the more certain that it is a 3
	}
	counts, mistakes, err := confuse(context.Background(), net, test)
	if err != nil || len(mistakes) != 900 || counts[5][3] != 100 || counts[3][3] != 100 {
		t.Fatalf("%d mistakes, %v, %v", len(mistakes), counts, err)
	}
	for i := range mistakes[1:] {
		if mistakes[i].probability < mistakes[i+1].probability || int(test.Labels[mistakes[i].index]) != mistakes[i].meant {
			t.Fatalf("mistake %d: %+v before %+v", i, mistakes[i], mistakes[i+1])
		}
	}
	var b bytes.Buffer
	if counts.print(&b); strings.Count(b.String(), "–") != 9 || !strings.Contains(b.String(), " 0.1000 ") {
		t.Error(b.String())
	}
	if chart := string(drawMistakes(test, nil)); xml.Unmarshal([]byte(chart), new(struct{})) != nil || !strings.Contains(chart, ">0 of 1000 test digits were read wrong.<") {
		t.Error(chart)
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
	m, _, err := cli.ReadModel(model)
	if err != nil {
		t.Fatal(err)
	}
	html := string(read(t, page))
	if !strings.Contains(html, m.Net.Fingerprint()) || !strings.Contains(html, "1000 images, from the sample in the program") {
		t.Error("it is of another model, or of other digits")
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("it has written other files")
	}
	for flags, want := range map[string]string{
		"-report " + dir:                      dir + ": a folder is in the place of the file",
		"-report " + model + "/page.html":     model,
		"-report " + page + " -data " + dir:   dir,
		"-report " + page + " -model " + page: page + ": not an .npz archive",
	} {
		_, stderr, code := command(t, nil, append([]string{"-model", model}, strings.Fields(flags)...)...)
		if lines := strings.Split(strings.TrimSpace(stderr), "\n"); code != 1 || !strings.Contains(lines[len(lines)-1], want) {
			t.Errorf("%s: exit code %d, %q", flags, code, stderr)
		}
	}
	for _, flags := range []string{"-report=", "-report x -out y", "-report x seven.png"} {
		if _, stderr, code := command(t, nil, strings.Fields(flags)...); code != 2 || !strings.Contains(stderr, "-report") {
			t.Errorf("%s: exit code %d, %q", flags, code, stderr)
		}
	}
	if string(read(t, page)) != html {
		t.Error("the earlier page has changed")
	}
}
