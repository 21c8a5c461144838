// How much memory a table makes the process take: at most 64 MiB and ten times its size.

package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
)

// TestBoundedChild is a run in a process of its own, which prints its exit code and its
// peak resident size in KiB, from /proc.
func TestBoundedChild(t *testing.T) {
	words := os.Getenv("TABLE_BOUNDED_CHILD")
	if words == "" {
		t.Skip("not a child")
	}
	code := run(context.Background(), strings.Split(words, "\n"), io.Discard, os.Stderr)
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	var peak int
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Sscan(line, &peak)
	fmt.Printf("peak %d %d\n", code, peak)
}

// A row of as many cells as it can have, very long rows, and very many short ones.
func TestBounded(t *testing.T) {
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector has memory of its own")
	}
	out := t.TempDir()
	must(t, "-out", out, "-epochs", "1")
	model := filepath.Join(out, "model.npz")
	flowers := "sepal length,sepal width,petal length,petal width,note\n" + strings.Repeat("5,3,1,1,"+strings.Repeat("x", 1<<20)+"\n", 24)
	for _, c := range []struct {
		name, text string
		most       int // bytes, if it is fewer than may be
		code       int
		args       []string
	}{
		{"16 MiB of commas", strings.Repeat(",", 1<<24), 0, 1, []string{"-target", "a"}},
		{"16 MiB of quotes", "a,b\n1,\"" + strings.Repeat(`""`, 1<<23-8) + "\"\n", 0, 1, []string{"-target", "a"}},
		{"rows of 1 MiB", flowers, 24 << 20, 0, []string{"-model", model}},
		{"1,000 columns of categories", strings.Join(numbered(1000, "c%d,"), "") + "y\n" + alike(1000, 900), 0, 1, []string{"-target", "y"}},
		{"short rows", "a,b\n" + strings.Repeat("1,2\n2,3\n3,4\n1,5\n", 1<<18), 0, 0, []string{"-target", "b", "-epochs", "1", "-hidden", "", "-out", out}},
	} {
		name := file(t, "data.csv", c.text)
		child := exec.Command(os.Args[0], "-test.run", "^TestBoundedChild$")
		child.Env = append(os.Environ(), "TABLE_BOUNDED_CHILD="+strings.Join(append(c.args, name), "\n"))
		child.Stderr = new(strings.Builder)
		stdout, err := child.Output()
		if err != nil {
			t.Fatalf("%s: %v: %s", c.name, err, child.Stderr)
		}
		var code, peak int
		if _, err := fmt.Sscanf(string(stdout), "peak %d %d", &code, &peak); err != nil || code != c.code {
			t.Fatalf("%s: exit code %d: %s", c.name, code, child.Stderr)
		}
		most := cmp.Or(c.most, 10*len(c.text)+64<<20) >> 10
		if t.Logf("%s: %d KiB of at most %d: %.200s", c.name, peak, most, child.Stderr); peak > most {
			t.Errorf("%s: a peak of %d KiB, more than %d", c.name, peak, most)
		}
	}
}

// numbered returns texts of the numbers from 0 to n-1.
func numbered(n int, format string) (texts []string) {
	for i := range n {
		texts = append(texts, fmt.Sprintf(format, i))
	}
	return texts
}
