// What a run leaves when something goes wrong around it: signals, kills, a pipe
// that closes, a folder that disappears.

//go:build unix

package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mlp/cmd/internal/training"
)

// A process is a run with more epochs than it can finish.
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
	p := &process{out: filepath.Join(t.TempDir(), "out")}
	p.Cmd = program(quick("-epochs", "1000000", "-out", p.out)...)
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

// ends waits for the process to end with exit code 1 and one line that has each text.
func (p *process) ends(t *testing.T, texts ...string) {
	t.Helper()
	go p.stdout.WriteTo(io.Discard) // the run would wait if the pipe was full
	stuck := time.AfterFunc(30*time.Second, func() { p.Process.Kill() })
	p.Wait()
	stuck.Stop()
	line := last(p.stderr.String())
	if p.ProcessState.ExitCode() != 1 || !oneLine(line) {
		t.Fatalf("%v, standard error %q", p.ProcessState, p.stderr.String())
	}
	for _, text := range texts {
		if !strings.Contains(line, text) {
			t.Errorf("%q lacks %q", line, text)
		}
	}
}

// leaves returns the epoch of the files in a folder. It fails unless that is at least a
// number, and the same for all files.
func leaves(t *testing.T, dir string, least int) (epoch int) {
	t.Helper()
	epoch, same := epochsOf(t, dir)
	if epoch < least || !same {
		t.Errorf("the files are of epoch %d, the same: %v", epoch, same)
	}
	return epoch
}

func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := start(t, nil)
		p.Process.Signal(signal)
		p.ends(t, "interrupted: "+p.out+" holds epochs 1 to ")
		n := leaves(t, p.out, 2)
		if line := last(p.stderr.String()); !strings.Contains(line, fmt.Sprintf(" 1 to %d;", n)) || len(contents(t, p.out)) != 4 {
			t.Errorf("%v: the files are of epoch %d: %s", signal, n, line)
		}
	}
}

// A second Ctrl-C ends the process at once, even while it waits: here for somebody to read
// its standard output, a full pipe, for which it would wait for ever after the first.
func TestInterruptedTwice(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	w.Write(make([]byte, 1<<21))
	p := start(t, func(p *process) { p.Stdout = w })
	w.Close()
	saved := func() bool { _, err := os.Stat(filepath.Join(p.out, training.ModelName)); return err == nil }
	for limit := time.Now().Add(time.Minute); !saved() && time.Now().Before(limit); time.Sleep(20 * time.Millisecond) {
	}
	p.Process.Signal(syscall.SIGINT)
	time.Sleep(200 * time.Millisecond)
	p.Process.Signal(syscall.SIGINT)
	stuck := time.AfterFunc(30*time.Second, func() { p.Process.Kill() })
	defer stuck.Stop()
	p.Wait()
	if status := p.ProcessState.Sys().(syscall.WaitStatus); status.Signal() != syscall.SIGINT {
		t.Errorf("%v: %s", p.ProcessState, p.stderr.String())
	}
	leaves(t, p.out, 1)
}

// Standard output is a pipe that is closed, as by head -2, which is no error, and then a
// full disk.
func TestStandardOutputGone(t *testing.T) {
	p := start(t, nil)
	p.pipe.Close()
	if err := p.Wait(); err != nil || strings.Contains(p.stderr.String(), "train: ") {
		t.Errorf("%v: %s", err, p.stderr.String())
	}
	leaves(t, p.out, 3)
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	p = start(t, func(p *process) { p.Stdout, _ = os.OpenFile("/dev/full", os.O_WRONLY, 0) })
	p.ends(t, "standard output", "no space left on device")
	if n := leaves(t, p.out, 1); n != 1 {
		t.Errorf("the files are of epoch %d", n)
	}
}

// If the output folder is moved, its files move with it, whole. Nor may the run make the
// folder anew.
func TestOutputMoved(t *testing.T) {
	p := start(t, nil)
	if err := os.Rename(p.out, p.out+" moved"); err != nil {
		t.Fatal(err)
	}
	p.ends(t, p.out, "no such file or directory")
	if n, _ := epochsOf(t, p.out+" moved"); n < 1 {
		t.Errorf("the files are of epoch %d", n)
	}
	if _, err := os.Stat(p.out); err == nil {
		t.Error("the folder was made anew")
	}
}

// The output folder becomes read-only. The process is not root's, who may write there
// all the same.
func TestOutputReadOnly(t *testing.T) {
	p := start(t, func(p *process) {
		if err := os.Mkdir(p.out, 0o755); err != nil {
			t.Fatal(err)
		}
		if os.Getuid() > 0 {
			return
		}
		const nobody = 65534
		if err := os.Chown(p.out, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		p.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		for _, name := range []string{p.Path, p.out} { // nobody needs a way to both
			for dir := filepath.Dir(name); dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
				if info, err := os.Stat(dir); err == nil && info.Mode()&0o005 != 0o005 {
					os.Chmod(dir, info.Mode()|0o055)
					t.Cleanup(func() { os.Chmod(dir, info.Mode()) })
				}
			}
		}
	})
	if err := os.Chmod(p.out, 0o555); err != nil {
		t.Fatal(err)
	}
	p.ends(t, p.out, "permission denied")
	n, _ := epochsOf(t, p.out)
	// Once the folder can be written again, the run goes on and leaves nothing else.
	os.Chmod(p.out, 0o755)
	must(t, "-resume", filepath.Join(p.out, training.ModelName), "-epochs", fmt.Sprint(n+1))
	if got := leaves(t, p.out, 2); got != n+1 || len(contents(t, p.out)) != 5 {
		t.Errorf("gone on: the files are of epoch %d, before of %d, and there are %d", got, n, len(contents(t, p.out)))
	}
}

// A process is killed at random moments, and resumed each time. After each kill every file
// is whole, and -resume makes them all of the model's epoch. The weights at the end are those
// of a run that is not killed. CI asks for two hundred kills.
func TestKilled(t *testing.T) {
	kills, images, epochs := 2, "300", "50"
	if attack {
		kills, images, epochs = 200, "1000", "150"
	}
	dir := t.TempDir()
	flags := []string{"-limit", images, "-holdout", "0.1", "-hidden", "32", "-init", "he", "-opt", "adam", "-lr", "0.001", "-epochs", epochs}
	want := hash(must(t, append(flags, "-out", filepath.Join(dir, "whole"))...))
	out := filepath.Join(dir, "killed")
	model := filepath.Join(out, training.ModelName)
	for killed, ended := 0, 0; killed < kills || attack && ended == 0; {
		args := append(flags, "-out", out)
		if _, err := os.Stat(model); err == nil {
			args = []string{"-resume", model}
		}
		c := program(args...)
		var stdout, stderr strings.Builder
		c.Stdout, c.Stderr = &stdout, &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(1+rand.IntN(400))*time.Millisecond, func() { c.Process.Kill() })
		err := c.Wait()
		if kill.Stop(); err == nil {
			if ended++; hash(stdout.String()) != want {
				t.Fatalf("after %d kills the weights are %s, want %s", killed, hash(stdout.String()), want)
			}
			os.RemoveAll(out)
			continue
		}
		if killed++; c.ProcessState.ExitCode() != -1 {
			t.Fatalf("after %d kills: %v: %s", killed, err, stderr.String())
		}
		if _, err := os.Stat(model); err == nil {
			n, _ := epochsOf(t, out)
			must(t, "-resume", model, "-epochs", fmt.Sprint(n))
			if got := leaves(t, out, n); got != n || len(contents(t, out)) != 5 {
				t.Errorf("resumed: the model is of epoch %d, before of %d, and there are %d files", got, n, len(contents(t, out)))
			}
		}
	}
}
