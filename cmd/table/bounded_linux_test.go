// How much memory a table makes the process take: at most 64 MiB and ten times its size.

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"testing"
)

// resident returns a size of the process in bytes, by its name in /proc/self/status.
func resident(t *testing.T, name string) (n int) {
	status := read(t, "/proc/self/status")
	if _, err := fmt.Sscanf(status[strings.Index(status, name):], name+": %d kB", &n); err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// A row of as many cells as there can be, one of quotes, very many short rows, and rows to
// predict that together would take more than 24 MiB, from a file and from a pipe. CI asks for it by name.
func TestBounded(t *testing.T) {
	if os.Getenv("MLP_ATTACK") == "" {
		t.Skip("$MLP_ATTACK is not set")
	}
	model := trained(t)
	for _, c := range []struct {
		head, row         string
		rows, times, more int // most is so many times the file and so many bytes more
		args              []string
	}{
		{"", ",", 1 << 24, 10, 64 << 20, []string{"-target", "a"}},
		{"a,b\n1,\"", `""`, 1<<23 - 8, 10, 64 << 20, []string{"-target", "a"}},
		{"a,b\n", "1,2\n2,3\n3,4\n1,5\n", 1 << 18, 10, 64 << 20, []string{"-target", "b", "-epochs", "1", "-hidden", "", "-out", t.TempDir()}},
		{"sepal length,sepal width,petal length,petal width,note\n", "5,3,1,1," + strings.Repeat("x", 1<<20) + "\n", 24, 0, 24 << 20, []string{"-model", model}},
		{"sepal length,sepal width,petal length,petal width,note\n", "5,3,1,1," + strings.Repeat("x", 1<<20) + "\n", 48, 0, 24 << 20, []string{"-model", model, "-"}},
	} {
		isPipe := c.args[len(c.args)-1] == "-"
		if !isPipe {
			c.args = append(c.args, file(t, "data.csv", c.head+strings.Repeat(c.row, c.rows)))
		}
		most := c.times*(len(c.head)+c.rows*len(c.row)) + c.more
		debug.FreeOSMemory()
		before := resident(t, "VmRSS")
		if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // VmHWM begins again
			t.Skip(err)
		}
		stdin, end := piped(t, context.Background(), io.Discard, c.args...)
		if isPipe {
			io.WriteString(stdin, c.head)
			for range c.rows {
				io.WriteString(stdin, c.row)
			}
		}
		stdin.Close()
		stderr, _ := end()
		got := resident(t, "VmHWM") - before
		if t.Logf("%d of %d KiB: %.100s", got>>10, most>>10, stderr); got > most {
			t.Errorf("%.20q, %d times %.20q: %d KiB of memory, want at most %d", c.head, c.rows, c.row, got>>10, most>>10)
		}
	}
}
