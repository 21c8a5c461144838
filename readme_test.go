// The READMEs: their commands as they are written, their Go, their Python, their links, and
// the table of a model's arrays.

package mlp

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// readmes are the READMEs whose commands are run, in the order in which they are run: that
// of predict is first, because it shows what the model of a first run reads.
var readmes = []string{"cmd/predict/README.md", "README.md", "cmd/train/README.md", "cmd/vanish/README.md", "cmd/table/README.md", "testdata/perf/README.md"}

func readText(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	markdownLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	markdownHeading = regexp.MustCompile(`(?m)^#+ (.*)$`)
)

// anchors returns what a link can name after # in a file of Markdown.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range markdownHeading.FindAllStringSubmatch(text, -1) {
		words := regexp.MustCompile("[^a-z0-9 -]").ReplaceAllString(strings.ToLower(m[1]), "")
		all[strings.ReplaceAll(words, " ", "-")] = true
	}
	return all
}

// Each file and each heading that a link or a picture names is there.
func TestReadmeLinks(t *testing.T) {
	for _, file := range append([]string{"SECURITY.md", "testdata/README.md", "testdata/article.md"}, readmes...) {
		links := markdownLink.FindAllStringSubmatch(readText(t, file), -1)
		if len(links) == 0 {
			t.Errorf("%s has no link", file)
		}
		for _, m := range links {
			if strings.Contains(m[1], "://") {
				continue
			}
			name, heading, _ := strings.Cut(m[1], "#")
			target := file
			if name != "" {
				target = filepath.Join(filepath.Dir(file), name)
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", file, m[1], err)
			} else if heading != "" && !anchors(readText(t, target))[heading] {
				t.Errorf("%s links to %s, which has no such heading", file, m[1])
			}
		}
	}
}

// fencedBlocks returns the blocks of a language.
func fencedBlocks(text, language string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// Each block of Go stands in a file of examples, which go test runs, or is a program, which
// TestExportPrograms runs.
func TestReadmeGo(t *testing.T) {
	flat := func(s string) string {
		lines := strings.Split(strings.TrimSpace(s), "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		return strings.Join(lines, "\n")
	}
	examples := ""
	names, _ := filepath.Glob("example*_test.go")
	for _, name := range names {
		examples += flat(readText(t, name)) + "\n"
	}
	blocks := 0
	for _, file := range readmes {
		for _, block := range fencedBlocks(readText(t, file), "go") {
			blocks++
			if !strings.HasPrefix(block, "package main") && !strings.Contains(examples, flat(block)) {
				t.Errorf("no example has this block of %s:\n%s", file, block)
			}
		}
	}
	if blocks < 4 {
		t.Errorf("%d blocks of Go, want one each for one's own data, predicting and vendoring", blocks)
	}
}

// A readmeLine is a command, or what a command should have printed.
type readmeLine struct {
	command, output string
}

var (
	shellStart  = regexp.MustCompile(`^(go (run|test|build|mod|doc) |gunzip |MNIST_DIR=DIR go )`)
	inlineCode  = regexp.MustCompile("`([^`]+)`")
	tableResult = regexp.MustCompile("^\\| `(go run [^`]+)` \\| (0\\.\\d{4})\\b")
)

// readmeLines returns the commands of the indented blocks and of running text, each
// once, and what stands indented after them.
func readmeLines(text string) (lines []readmeLine) {
	seen := map[string]bool{}
	add := func(command string) {
		command, _, _ = strings.Cut(command, "  #")
		if command = strings.TrimSpace(command); shellStart.MatchString(command) && !seen[command] {
			seen[command] = true
			lines = append(lines, readmeLine{command: command})
		}
	}
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	for _, line := range strings.Split(text, "\n") {
		indented, ok := strings.CutPrefix(line, "    ")
		switch {
		case ok && shellStart.MatchString(indented):
			add(indented)
		case ok && !strings.HasPrefix(indented, "testdata/perf/compare.sh"): // which needs OpenBLAS
			lines = append(lines, readmeLine{output: strings.TrimSpace(indented)})
		}
		for _, m := range inlineCode.FindAllStringSubmatch(line, -1) {
			add(m[1])
		}
		if m := tableResult.FindStringSubmatch(line); m != nil {
			lines = append(lines, readmeLine{output: "Final Test Accuracy: " + m[2]})
		}
	}
	return lines
}

// firstCells returns the code in the first column of the table that has this header.
func firstCells(t *testing.T, file, header string) (cells []string) {
	t.Helper()
	_, table, found := strings.Cut(readText(t, file), "\n"+header+"\n")
	if !found {
		t.Fatalf("%s has no table %q", file, header)
	}
	for _, line := range strings.Split(table, "\n")[1:] {
		cell, _, ok := strings.Cut(strings.TrimPrefix(line, "| "), " |")
		if !ok {
			break
		}
		for _, m := range inlineCode.FindAllStringSubmatch(cell, -1) {
			cells = append(cells, m[1])
		}
	}
	return cells
}

// The table of arrays has those of a model's file, and no others.
func TestReadmeArrays(t *testing.T) {
	digits, _ := sampleDigits(t)
	m := &Model{Net: NewNetwork(1, He, ReLU, MNISTPixels, 4, MNISTClasses)}
	m.Net[0].Norm = NewBatchNorm(4)
	m.Input, m.Familiarity = digits.Stats(), mustFamiliar(t)
	mustTrain(t, m.Net, digits.Slice(0, 20), Config{
		Optimizer: Adam, Rate: 0.01, Epochs: 1, Batch: 10, Run: &m.Run, Validation: digits.Slice(20, 30), Patience: 1})
	file := written(t, m)
	arrays, err := ReadNPZ(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	// The table has the first layer's array for those of all layers, and W1 for all
	// arrays that an optimizer or -patience adds.
	reduce := regexp.MustCompile(`^((?:m|v|last)\.)?[A-Za-z]+\d+$`)
	got, want := map[string]bool{}, map[string]bool{}
	for name := range arrays {
		if prefix := reduce.FindStringSubmatch(name); prefix != nil && prefix[1] != "" {
			name = prefix[1] + "W1"
		} else if prefix != nil {
			name = strings.TrimRight(name, "0123456789") + "1"
		}
		want[name] = true
	}
	for _, name := range firstCells(t, "cmd/train/README.md", "| array | shape | |") {
		if name != "W2" {
			got[name] = true
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the table has %v, a model's file %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// A gradient as the table "From NumPy to Go" takes it is that of the loss which the
// table measures.
func TestReadmeGradient(t *testing.T) {
	net := NewNetwork(1, He, ReLU, 5, 4, 3)
	random := normal(2)
	for _, l := range net {
		for i := range l.B.Data {
			l.B.Data[i] = random()
		}
	}
	x, y := NewMatrix(6, 5), NewMatrix(6, 3)
	for i := range x.Data {
		x.Data[i] = random()
	}
	for i := range y.Rows {
		y.Row(i)[i%3] = 1
	}
	var a, dy Matrix
	SoftmaxCrossEntropy(&dy, net.Forward(x), y)
	net.Backward(&dy)
	loss := func() float64 { return CrossEntropy(net.Predict(&a, x).Softmax(), y) }
	for _, l := range net {
		want := NumericalGradient(loss, l.W.Data, 1e-5)
		near(t, "the gradient", &l.DW, &Matrix{l.W.Rows, l.W.Cols, want}, 1e-8)
	}
	for _, line := range []string{
		"| `cross_entropy(A, y)` | `mlp.CrossEntropy(a, y)`",
		"| `forward_mlp(X, W1, b1, W2, b2)` | `net.Predict(&a, x).Softmax()`",
		"| `backward_mlp(X, A1, A2, y, …)` | `mlp.SoftmaxCrossEntropy(&dy, net.Forward(x), y); net.Backward(&dy)`",
	} {
		if !strings.Contains(readText(t, "testdata/article.md"), line) {
			t.Errorf("testdata/article.md lacks %s", line)
		}
	}
}

// cleanCopy copies the files that git keeps.
func cleanCopy(t *testing.T, to string) {
	t.Helper()
	list, err := exec.Command("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		t.Skip("not a git repository: ", err)
	}
	for _, name := range strings.Split(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		data, err := os.ReadFile(name)
		if os.IsNotExist(err) {
			continue // removed, and not yet committed
		}
		target := filepath.Join(to, name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(target), 0o777)
		}
		if err == nil {
			err = os.WriteFile(target, data, 0o777)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// pythonAfter are the commands after which the blocks of Python in a command's README read the
// model, one each.
var pythonAfter = map[string][]string{
	"cmd/train/README.md": {"go run ./cmd/train", "go run ./cmd/train -best"},
	"cmd/table/README.md": {"go run ./cmd/table"},
}

// readmePython runs block i of a README in a folder. It ends with what it prints.
func readmePython(t *testing.T, dir, readme string, i int) {
	python := withNumPy(t)
	blocks := fencedBlocks(readText(t, readme), "python")
	if len(blocks) != len(pythonAfter[readme]) {
		t.Fatalf("%d blocks of Python", len(blocks))
	}
	c := exec.Command(python, "-c", blocks[i])
	c.Dir = dir
	out, err := c.CombinedOutput()
	if want := blocks[i][strings.LastIndex(blocks[i], "  # ")+4:]; err != nil || string(out) != want {
		t.Errorf("%q (%v), want %q", out, err, want)
	}
}

// TestReadmeCommands runs everything, go test too, in a clean copy; CI asks for it by
// name. In the commands DIR is a folder of MNIST and FILE one of its files. What is said
// of a module of one's own is done in one beside the copy.
func TestReadmeCommands(t *testing.T) {
	if os.Getenv("MLP_ATTACK") == "" || os.Getenv("MLP_README") != "" {
		t.Skip("$MLP_ATTACK is not set, or this is the README's own go test")
	}
	mnist := os.Getenv("MNIST_DIR")
	root := t.TempDir()
	here, yours := filepath.Join(root, "mlp"), filepath.Join(root, "yours")
	cleanCopy(t, here)
	if err := os.Mkdir(yours, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"main.go": vendoringMain, "go.mod": "module yours\n\ngo 1.25\n"} {
		if err := os.WriteFile(filepath.Join(yours, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var printed bytes.Buffer
	ran := map[string]bool{}
	for _, file := range readmes {
		for _, l := range readmeLines(readText(t, file)) {
			switch {
			case l.output != "":
				if !strings.Contains(printed.String(), l.output) && (mnist != "" || !strings.HasPrefix(l.output, "Final")) {
					t.Errorf("%s: no command before it printed %q", file, l.output)
				}
			case ran[l.command]:
			case mnist == "" && regexp.MustCompile(`\b(DIR|FILE)\b`).MatchString(l.command):
				t.Logf("%s: left out, there is no $MNIST_DIR", l.command)
			default:
				dir := here
				if strings.HasPrefix(l.command, "go mod ") || strings.Contains(l.command, "=vendor") {
					dir = yours
				}
				printed.Write(runReadmeCommand(t, dir, l.command, mnist))
				ran[l.command] = true
				if i := slices.Index(pythonAfter[file], l.command); i >= 0 {
					t.Run("python", func(t *testing.T) { readmePython(t, here, file, i) })
				}
			}
		}
	}
	if len(ran) < 25 {
		t.Errorf("%d commands", len(ran))
	}
	if sum := "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"; mnist != "" && !strings.Contains(printed.String(), sum) {
		t.Error("the sum of a file's content is another")
	}
}

// runReadmeCommand runs a command and returns what it printed. Of a benchmark it asks
// for one iteration only.
func runReadmeCommand(t *testing.T, dir, command, mnist string) []byte {
	words := strings.NewReplacer("FILE ", mnist+"/t10k-labels-idx1-ubyte.gz ", "=DIR ", "="+mnist+" ", " DIR", " "+mnist).Replace(command)
	if strings.Contains(words, " -bench ") {
		words += " -benchtime 1x -count 1"
	}
	c := exec.Command("sh", "-c", words)
	c.Dir = dir
	c.Env = append(os.Environ(), "MLP_README=1", "MLP_ATTACK=", "GOFLAGS=")
	begin := time.Now()
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", command, err, out)
	}
	t.Logf("%s: %.1f s", command, time.Since(begin).Seconds())
	return out
}
