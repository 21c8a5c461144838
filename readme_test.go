// The README's commands, as they are written, and its Go. Not here: its tables of
// functions and of flags, which article_test.go and the commands' tests hold.

package mlp

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// fenced returns the blocks of a language.
func fencedBlocks(text, language string) (blocks []string) {
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```$").FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// Each block of Go stands in example_test.go, where go test runs it.
func TestReadmeGo(t *testing.T) {
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	flat := func(s string) string {
		lines := strings.Split(strings.TrimSpace(s), "\n")
		for i := range lines {
			lines[i] = strings.TrimSpace(lines[i])
		}
		return strings.Join(lines, "\n")
	}
	blocks := fencedBlocks(readme(t), "go")
	if len(blocks) == 0 {
		t.Error("there is none")
	}
	for _, block := range blocks {
		if !strings.Contains(flat(string(examples)), flat(block)) {
			t.Errorf("no example has\n%s", block)
		}
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

// readmeLines returns the commands of the indented and the fenced blocks and of
// running text, each once, and what stands indented behind them.
func readmeLines(text string) (lines []readmeLine) {
	seen := map[string]bool{}
	add := func(command string) {
		command, _, _ = strings.Cut(command, "  #")
		if command = strings.TrimSpace(command); shellStart.MatchString(command) && !seen[command] {
			seen[command] = true
			lines = append(lines, readmeLine{command: command})
		}
	}
	for _, block := range fencedBlocks(text, "sh") {
		for _, line := range strings.Split(block, "\n") {
			add(line)
		}
	}
	text = regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(text, "")
	for _, line := range strings.Split(text, "\n") {
		if indented, ok := strings.CutPrefix(line, "    "); ok && shellStart.MatchString(indented) {
			add(indented)
		} else if ok {
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

func TestReadmeLines(t *testing.T) {
	lines := readmeLines(readme(t))
	commands := 0
	for _, l := range lines {
		if l.command != "" {
			commands++
			t.Log(l.command)
		} else {
			t.Log("    ", l.output)
		}
	}
	if commands < 8 || len(lines)-commands < 4 {
		t.Errorf("%d commands and %d lines of output", commands, len(lines)-commands)
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

// readmePython runs the blocks of Python in a folder, each of which ends with what it
// prints.
func readmePython(t *testing.T, dir string) {
	python := withNumPy(t)
	for _, block := range fencedBlocks(readme(t), "python") {
		_, want, _ := strings.Cut(block, "  # ")
		c := exec.Command(python, "-c", block)
		c.Dir = dir
		if out, err := c.CombinedOutput(); err != nil || want == "" || string(out) != want {
			t.Errorf("%q (%v), want %q", out, err, want)
		}
	}
}

// TestReadmeCommands runs everything, go test too, in a clean copy; CI asks for it
// by name. DIR is a folder of MNIST and FILE one of its files; what is said of a
// module of one's own is done in one beside the copy.
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
	for name, text := range map[string]string{"main.go": vendoringMain, "go.mod": "module yours\n\ngo 1.24\n"} {
		if err := os.WriteFile(filepath.Join(yours, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var printed bytes.Buffer
	for _, l := range readmeLines(readme(t)) {
		if l.output != "" {
			if !strings.Contains(printed.String(), l.output) && (mnist != "" || !strings.HasPrefix(l.output, "Final")) {
				t.Errorf("no command before it printed %q", l.output)
			}
			continue
		}
		if strings.Contains(l.command, "DIR ") || strings.Contains(l.command, "FILE") || strings.HasSuffix(l.command, "DIR") {
			if mnist == "" {
				t.Logf("%s: left out, there is no $MNIST_DIR", l.command)
				continue
			}
		}
		words := strings.NewReplacer("FILE ", mnist+"/t10k-labels-idx1-ubyte.gz ", "=DIR ", "="+mnist+" ", " DIR", " "+mnist)
		c := exec.Command("sh", "-c", words.Replace(l.command))
		c.Dir = here
		if strings.HasPrefix(l.command, "go mod ") || strings.Contains(l.command, "=vendor") {
			c.Dir = yours
		}
		c.Env = append(os.Environ(), "MLP_README=1", "MLP_ATTACK=", "GOFLAGS=")
		begin := time.Now()
		out, err := c.CombinedOutput()
		printed.Write(out)
		if err != nil {
			t.Errorf("%s: %v\n%s", l.command, err, out)
		}
		t.Logf("%s: %.1f s", l.command, time.Since(begin).Seconds())
		if l.command == "go run ./cmd/train" {
			t.Run("python", func(t *testing.T) { readmePython(t, here) })
		}
	}
	if sums := "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"; mnist != "" && !strings.Contains(printed.String(), sums) {
		t.Error("the sum of a file's content is another")
	}
}
