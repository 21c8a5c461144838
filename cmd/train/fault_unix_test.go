// What a run leaves when something goes wrong around it: signals, kills, a pipe
// that closes, a folder that goes away. Not here: wrong flags and wrong data.

//go:build unix

package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A child process puts sets of one number in place of one another until it is
// killed, a hundred times: whoever looks then finds one number, and so does
// who cleans up after it.
func TestSetKilled(t *testing.T) {
	names := []string{"history.csv", "curves.svg", "model.npz"}
	dir := os.Getenv("TRAIN_SET_CHILD")
	if dir != "" {
		fmt.Println("begun")
	}
	for i := rand.Int(); dir != ""; i++ {
		var files []file
		for _, name := range names {
			files = append(files, file{name, fmt.Append(nil, i)})
		}
		err := replace(dir, files)
		if err == nil && i%3 == 0 {
			err = settle(dir)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	dir = t.TempDir()
	last, seen := "", 0
	for kill := range 100 {
		c := exec.Command(os.Args[0], "-test.run", "^TestSetKilled$")
		c.Env = append(os.Environ(), "TRAIN_SET_CHILD="+dir)
		stdout, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(stdout, make([]byte, len("begun\n")))
		time.Sleep(time.Duration(rand.IntN(15000)) * time.Microsecond)
		c.Process.Kill()
		output, _ := io.ReadAll(stdout)
		if c.Wait(); c.ProcessState.ExitCode() != -1 {
			t.Fatalf("the child: %v: %s", c.ProcessState, output)
		}
		for _, cleaned := range []bool{false, true} {
			if cleaned {
				if err := settle(dir); err != nil {
					t.Fatal(err)
				}
				if entries, _ := os.ReadDir(dir); len(entries) != 0 && len(entries) != len(names) {
					t.Fatalf("after kill %d, cleaned: %v", kill, entries)
				}
			}
			var found []string
			for _, name := range names {
				text, err := os.ReadFile(filepath.Join(dir, name))
				if err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				found = append(found, string(text))
			}
			if found[0] != found[1] || found[0] != found[2] || found[0] == "" && last != "" {
				t.Fatalf("after kill %d, cleaned %v: the files hold %q, before %q", kill, cleaned, found, last)
			}
			if found[0] != last {
				last = found[0]
				seen++
			}
		}
	}
	if seen < 10 {
		t.Errorf("only %d of 100 children got as far as a set", seen)
	}
}

// What is in the way of one name does not leave the others ahead, also not when
// it is tried again, as at the end of a run.
func TestReplaceObstructed(t *testing.T) {
	dir := t.TempDir()
	files := func(n string) []file { return []file{{"a", []byte(n)}, {"b", []byte(n)}, {"c", []byte(n)}} }
	if err := errors.Join(replace(dir, files("1")), settle(dir)); err != nil {
		t.Fatal(err)
	}
	obstacle := filepath.Join(dir, "b.tmp") // where the link to b is made
	if err := os.MkdirAll(filepath.Join(obstacle, "full"), 0o777); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := replace(dir, files("2")); err == nil {
			t.Error("no error")
		}
		for _, name := range []string{"a", "b", "c"} {
			if got, err := os.ReadFile(filepath.Join(dir, name)); string(got) != "1" {
				t.Errorf("%s is %q, error %v", name, got, err)
			}
		}
	}
	if err := errors.Join(os.RemoveAll(obstacle), replace(dir, files("3")), settle(dir)); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(contents(t, dir)); got != "map[a:3 b:3 c:3]" {
		t.Errorf("files %s", got)
	}
}

// Where there are no links, files are still replaced whole and nothing is left.
func TestReplaceEach(t *testing.T) {
	dir := t.TempDir()
	if err := writeSet(filepath.Join(dir, setA), []file{{"a", []byte("1")}, {"b", []byte("2")}}); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "c"), nil, 0o666)
	if err := replaceEach(dir, setA, []file{{"a", []byte("1")}, {"b", []byte("2")}, {name: "c"}}); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, dir); len(got) != 2 || got["a"] != "1" || got["b"] != "2" {
		t.Errorf("files %q", got)
	}
}

// A file that the next set has not goes with the set that had it.
func TestReplaceWithFewer(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "b"), []byte("0"), 0o666)
	os.WriteFile(filepath.Join(dir, "another's"), []byte("0"), 0o666)
	for i, want := range []string{"map[a:1 another's:0 b:1]", "map[a:2 another's:0]", "map[a:3 another's:0 b:3]"} {
		n := fmt.Append(nil, i+1)
		files := []file{{"a", n}, {"b", n}}
		if i == 1 {
			files[1].content = nil
		}
		if err := errors.Join(replace(dir, files), replace(dir, files), settle(dir), settle(dir)); err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(contents(t, dir)); got != want {
			t.Errorf("files %s, want %s", got, want)
		}
	}
}

// setOf returns the epoch that the files in dir are of, 0 where there are none,
// and fails where they are not a complete set of one.
func setOf(t *testing.T, dir string) int {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(dir, "history.csv"))
	chart, chartErr := os.ReadFile(filepath.Join(dir, "curves.svg"))
	model, modelErr := os.ReadFile(filepath.Join(dir, "model.npz"))
	if err != nil && chartErr != nil && modelErr != nil {
		return 0
	}
	if err := errors.Join(err, chartErr, modelErr); err != nil {
		t.Fatal(err)
	}
	n := strings.Count(string(table), "\n") - 1
	if got := len(readBack(t, filepath.Join(dir, "model.npz")).History); got != n || len(model) == 0 {
		t.Fatalf("history.csv has %d epochs, model.npz %d", n, got)
	}
	if !strings.Contains(string(chart), fmt.Sprintf("Over %d epochs", n)) {
		t.Fatalf("history.csv has %d epochs, curves.svg others", n)
	}
	if rulers, _ := os.ReadFile(filepath.Join(dir, "gradients.svg")); !strings.Contains(string(rulers), fmt.Sprintf("after %d epochs", n)) {
		t.Fatalf("history.csv has %d epochs, gradients.svg others", n)
	}
	return n
}

// program is the command as a program, built once.
var program = sync.OnceValues(func() (name string, err error) {
	if programDir, err = os.MkdirTemp("", "train"); err != nil {
		return "", err
	}
	name = filepath.Join(programDir, "train")
	out, err := exec.Command("go", "build", "-o", name, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return name, err
})

var programDir string

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(programDir)
	os.Exit(code)
}

// A process is a run that would not end by itself.
type process struct {
	*exec.Cmd
	out    string // its -out
	stdout *bufio.Reader
	pipe   *os.File // what stdout reads
	stderr strings.Builder
}

// start starts a run and waits until it has printed its second epoch.
func start(t *testing.T, prepare func(p *process)) *process {
	t.Helper()
	name, err := program()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{out: filepath.Join(t.TempDir(), "out")}
	p.Cmd = exec.Command(name, "-limit", "500", "-hidden", "32", "-init", "he", "-epochs", "1000000", "-out", p.out)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.Stdout, p.Stderr, p.pipe, p.stdout = w, &p.stderr, r, bufio.NewReader(r)
	if prepare != nil {
		prepare(p)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	t.Cleanup(func() { p.Process.Kill(); r.Close() })
	if p.Stdout == w {
		for range 2 {
			if _, err := p.stdout.ReadString('\n'); err != nil {
				t.Fatalf("%v: %s", err, p.stderr.String())
			}
		}
	}
	return p
}

// ends waits for the end, which is to be with exit code 1 and one line that has
// each part.
func (p *process) ends(t *testing.T, parts ...string) {
	t.Helper()
	go p.stdout.WriteTo(discard{}) // so that a full pipe does not hold it up
	stuck := time.AfterFunc(30*time.Second, func() { p.Process.Kill() })
	p.Wait()
	stuck.Stop()
	line := last(p.stderr.String())
	if p.ProcessState.ExitCode() != 1 || !oneLine(line) {
		t.Fatalf("%v, standard error %q", p.ProcessState, p.stderr.String())
	}
	for _, part := range parts {
		if !strings.Contains(line, part) {
			t.Errorf("%q lacks %q", line, part)
		}
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := start(t, nil)
		p.Process.Signal(signal)
		p.ends(t, "interrupted: "+p.out+" holds epochs 1 to ")
		line := last(p.stderr.String())
		if n := setOf(t, p.out); n < 2 || !strings.Contains(line, fmt.Sprintf(" 1 to %d;", n)) {
			t.Errorf("%v: the files are of epoch %d: %s", signal, n, line)
		}
		if got := contents(t, p.out); len(got) != 4 {
			t.Errorf("%v: %d files", signal, len(got))
		}
	}
}

// The second Ctrl-C ends the process wherever it is.
func TestInterruptedTwice(t *testing.T) {
	for i := range 10 {
		p := start(t, nil)
		p.Process.Signal(syscall.SIGINT)
		time.Sleep(time.Duration(i*i*20) * time.Microsecond)
		p.Process.Signal(syscall.SIGINT)
		p.Wait()
		status := p.ProcessState.Sys().(syscall.WaitStatus)
		if status.ExitStatus() != 1 && status.Signal() != syscall.SIGINT {
			t.Errorf("%v: %s", p.ProcessState, p.stderr.String())
		}
		if n := setOf(t, p.out); n < 1 {
			t.Errorf("the files are of epoch %d", n)
		}
	}
}

// | head -2, and then a disk that is full where standard output goes.
func TestStandardOutputGone(t *testing.T) {
	p := start(t, nil)
	p.pipe.Close()
	p.ends(t, "standard output", "broken pipe")
	if n := setOf(t, p.out); n < 3 {
		t.Errorf("the files are of epoch %d", n)
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	p = start(t, func(p *process) { p.Stdout, _ = os.OpenFile("/dev/full", os.O_WRONLY, 0) })
	p.ends(t, "standard output", "no space left on device")
	if n := setOf(t, p.out); n != 1 {
		t.Errorf("the files are of epoch %d", n)
	}
}

// The output folder goes away: what it held goes with it, whole.
func TestOutputMoved(t *testing.T) {
	p := start(t, nil)
	if err := os.Rename(p.out, p.out+" moved"); err != nil {
		t.Fatal(err)
	}
	p.ends(t, p.out, "no such file or directory")
	if n := setOf(t, p.out+" moved"); n < 1 {
		t.Errorf("the files are of epoch %d", n)
	}
	if _, err := os.Stat(p.out); err == nil {
		t.Error("the folder was made again")
	}
	p = start(t, nil)
	for os.RemoveAll(p.out) != nil { // while it writes there
	}
	p.ends(t, p.out, "no such file or directory")
}

// The output folder becomes read-only: root would not notice.
func TestOutputReadOnly(t *testing.T) {
	p := start(t, func(p *process) {
		dir := filepath.Dir(p.out)
		for _, d := range []string{filepath.Dir(p.Path), filepath.Dir(dir)} {
			os.Chmod(d, 0o755)
		}
		if err := os.Mkdir(p.out, 0o755); err != nil {
			t.Fatal(err)
		}
		if os.Getuid() == 0 {
			const nobody = 65534
			if err := os.Chown(p.out, nobody, nobody); err != nil {
				t.Fatal(err)
			}
			p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		}
	})
	if err := os.Chmod(p.out, 0o555); err != nil {
		t.Fatal(err)
	}
	p.ends(t, p.out, "permission denied")
	if n := setOf(t, p.out); n < 1 {
		t.Errorf("the files are of epoch %d", n)
	}
	// The next run there, when it may write again, leaves files and nothing else.
	os.Chmod(p.out, 0o755)
	n := setOf(t, p.out)
	must(t, "-resume", filepath.Join(p.out, "model.npz"), "-epochs", fmt.Sprint(n+1))
	if got := contents(t, p.out); setOf(t, p.out) != n+1 || len(got) != 4 {
		t.Errorf("gone on: the files are of epoch %d, and they are %d", setOf(t, p.out), len(got))
	}
}

// TestRunKilled looks after kills at random moments; CI asks for 200.
func TestRunKilled(t *testing.T) {
	kills := 5
	if os.Getenv("MLP_ATTACK") != "" {
		kills = 200
	}
	epochs := map[int]bool{}
	for range kills {
		p := start(t, nil)
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		p.Process.Kill()
		p.Wait()
		n := setOf(t, p.out)
		if n < 1 {
			t.Fatalf("the files are of epoch %d", n)
		}
		epochs[n] = true
	}
	t.Logf("%d kills, the files of %d different epochs", kills, len(epochs))
}
