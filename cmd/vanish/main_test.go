package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/clitest"
	"mlp/cmd/internal/report"
)

// command runs vanish and returns what it printed and its exit code.
func command(t *testing.T, ctx context.Context, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out bytes.Buffer
	stderr, code = into(t, ctx, &out, args...)
	return out.String(), stderr, code
}

// into runs vanish with the given standard output.
func into(t *testing.T, ctx context.Context, stdout io.Writer, args ...string) (stderr string, code int) {
	t.Helper()
	return clitest.Stderr(t, func(stderr *os.File) int { return run(ctx, args, stdout, stderr) })
}

// refused runs vanish, which must end with that exit code and one line that has each
// text, and leave no file.
func refused(t *testing.T, want int, args []string, texts ...string) {
	t.Helper()
	dir := t.TempDir()
	_, stderr, code := command(t, context.Background(), append([]string{"-out", filepath.Join(dir, "out")}, args...)...)
	last, note, _ := strings.Cut(stderr, "\n")
	if code != want || !strings.HasPrefix(last, "vanish: ") || note != "" && note != mlp.WhereMNIST {
		t.Errorf("vanish %v: exit code %d, standard error %q", args, code, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(last, text) {
			t.Errorf("vanish %v: %q lacks %q", args, last, text)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) > 0 {
		t.Errorf("vanish %v left %v", args, entries)
	}
}

func TestWrongFlags(t *testing.T) {
	for _, flags := range []string{"-seed -1", "-seed x", "-nonsense", "-data", "sideways", "depth sideways", "article -seed 1.5", "-out=", "-data="} {
		refused(t, 2, strings.Fields(flags))
	}
	refused(t, 2, []string{"-a\x1b[31m\nb"}, `-a\x1b[31m\nb`) // one line, no escape
	refused(t, 2, []string{"deep"}, `"deep"`, "depth, article, nielsen, init, data")
	if stdout, stderr, code := command(t, context.Background(), "-h"); code != 0 || stderr != "" || !strings.Contains(stdout, "\n  -seed N\n") {
		t.Errorf("help: exit code %d, %q%q", code, stdout, stderr)
	}
}

// The playground is a page of its own, without results.
func TestPlayground(t *testing.T) {
	out := t.TempDir()
	stdout, stderr, code := command(t, context.Background(), "playground", "-out", out)
	if code != 0 || stdout != "" || stderr != "written to "+out+": playground.html\n" {
		t.Errorf("exit code %d, %q%q", code, stdout, stderr)
	}
	page, err := os.ReadFile(filepath.Join(out, "playground.html"))
	if want, _ := report.Playground(); err != nil || len(want) == 0 || !bytes.Equal(page, want) {
		t.Errorf("a page of %d bytes, error %v", len(page), err)
	}
}

// What is missing, too little or not to be written is named before any work begins.
func TestBad(t *testing.T) {
	none, few, out := t.TempDir(), t.TempDir(), t.TempDir()
	images := append([]byte{0, 0, 8, 3, 0, 0, 3, 0xe7, 0, 0, 0, 28, 0, 0, 0, 28}, make([]byte, 999*mlp.MNISTPixels)...)
	os.WriteFile(filepath.Join(few, "train-images-idx3-ubyte"), images, 0o666)
	os.WriteFile(filepath.Join(few, "train-labels-idx1-ubyte"), append([]byte{0, 0, 8, 1, 0, 0, 3, 0xe7}, make([]byte, 999)...), 0o666)
	refused(t, 1, []string{"-data", none}, none, "train-images-idx3-ubyte")
	refused(t, 1, []string{"-data", few}, few, "999 images in train, want at least 1000")
	if _, stderr, _ := command(t, context.Background(), "-data", none); !strings.HasSuffix(stderr, mlp.WhereMNIST) {
		t.Errorf("it does not say where MNIST is: %q", stderr)
	}
	os.MkdirAll(filepath.Join(out, "statistics.svg", "full"), 0o777)
	refused(t, 1, []string{"article", "-out", out}, "-out "+out, "statistics.svg")
	if entries, _ := os.ReadDir(out); len(entries) != 1 {
		t.Errorf("left over: %v", entries)
	}
}

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, e := range experiments {
		out := t.TempDir()
		_, stderr, code := command(t, ctx, e.name, "-out", out)
		if entries, _ := os.ReadDir(out); code != 1 || stderr != "vanish: interrupted before the first sheet was finished\n" || len(entries) > 0 {
			t.Errorf("%s: exit code %d, standard error %q, files %v", e.name, code, stderr, entries)
		}
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// The sheets of the experiments that have ended before an interruption are kept, and named.
func TestInterruptKeeps(t *testing.T) {
	out := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	stdout := writerFunc(func(p []byte) (int, error) {
		cancel()
		return len(p), nil
	})
	stderr, code := into(t, ctx, stdout, "article", "depth", "-out", out)
	if want := "written to " + out + ": statistics.svg\nvanish: interrupted\n"; code != 1 || stderr != want {
		t.Errorf("exit code %d, standard error %q, want %q", code, stderr, want)
	}
	entries, _ := os.ReadDir(out)
	sheet, err := os.ReadFile(filepath.Join(out, "statistics.svg"))
	if len(entries) != 1 || err != nil || string(sheet) != readFile(t, "testdata", "svg", "statistics.svg") {
		t.Errorf("files %v, error %v", entries, err)
	}
}

func TestClosedOutput(t *testing.T) {
	closed := writerFunc(func([]byte) (int, error) { return 0, errors.New("broken pipe") })
	stderr, code := into(t, context.Background(), closed, "article", "-out", t.TempDir())
	if code != 1 || !strings.HasSuffix(stderr, "statistics.svg\nvanish: standard output, article: broken pipe\n") {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}

// The hash does not depend on the number of threads, the kernel and the processor.
func TestOneHash(t *testing.T) {
	want := map[string]string{
		"article": "ef4b0a25e69d1b82164f9202a6f0aa5fcde2182e7c873c22170ba4e62bfaccac",
		"init":    "73a13c71b098940daea2aaf493e3cb806611c998853a51df4e8c710db9f3df84",
	}
	for name, sum := range want {
		if name == "init" && os.Getenv("MLP_ATTACK") == "" {
			continue // it is long, and TestTranscript runs it on all processors
		}
		for _, threads := range []int{1, 2, 7} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
			stdout, stderr, code := command(t, context.Background(), name, "-out", t.TempDir())
			if _, got, _ := strings.Cut(stdout, "\nResults SHA-256: "); code != 0 || got != sum+"\n" {
				t.Errorf("%s, %d threads: exit code %d, %s%s, want %s", name, threads, code, stderr, got, sum)
			}
		}
	}
	first, _, _ := command(t, context.Background(), "article", "-out", t.TempDir())
	second, _, _ := command(t, context.Background(), "article", "-seed", "2", "-out", t.TempDir())
	if first == second {
		t.Error("-seed changes nothing")
	}
}
