// What a run leaves when something goes wrong around it: signals, kills, a pipe
// that closes, a folder that disappears.

//go:build unix

package main

import (
	"bufio"
	"bytes"
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
	p.Cmd = exec.Command(program(t), "-limit", "500", "-hidden", "32", "-init", "he", "-epochs", "1000000", "-out", p.out)
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

func TestSignals(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		p := start(t, nil)
		p.Process.Signal(signal)
		p.ends(t, "interrupted: "+p.out+" holds epochs 1 to ")
		line := last(p.stderr.String())
		if n, same := epochsOf(t, p.out); n < 2 || !same || !strings.Contains(line, fmt.Sprintf(" 1 to %d;", n)) {
			t.Errorf("%v: the files are of epoch %d: %s", signal, n, line)
		}
		if got := contents(t, p.out); len(got) != 4 {
			t.Errorf("%v: %d files", signal, len(got))
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
	if n, _ := epochsOf(t, p.out); n < 1 {
		t.Errorf("the files are of epoch %d", n)
	}
}

// Standard output is a pipe that is closed, as by head -2, which is no error, and then a
// full disk.
func TestStandardOutputGone(t *testing.T) {
	p := start(t, nil)
	p.pipe.Close()
	if err := p.Wait(); err != nil || strings.Contains(p.stderr.String(), "train: ") {
		t.Errorf("%v: %s", err, p.stderr.String())
	}
	if n, same := epochsOf(t, p.out); n < 3 || !same {
		t.Errorf("the files are of epoch %d", n)
	}
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no /dev/full")
	}
	p = start(t, func(p *process) { p.Stdout, _ = os.OpenFile("/dev/full", os.O_WRONLY, 0) })
	p.ends(t, "standard output", "no space left on device")
	if n, same := epochsOf(t, p.out); n != 1 || !same {
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
	p = start(t, nil)
	for os.RemoveAll(p.out) != nil { // while it writes there
	}
	p.ends(t, p.out, "no such file or directory")
}

// The output folder becomes read-only. The process is not root's, who may write there
// all the same.
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
	n, _ := epochsOf(t, p.out)
	if n < 1 {
		t.Errorf("the files are of epoch %d", n)
	}
	// Once the folder can be written again, the run goes on and leaves nothing else.
	os.Chmod(p.out, 0o755)
	must(t, "-resume", filepath.Join(p.out, training.ModelName), "-epochs", fmt.Sprint(n+1))
	got, same := epochsOf(t, p.out)
	if files := contents(t, p.out); got != n+1 || !same || len(files) != 5 {
		t.Errorf("gone on: the files are of epoch %d, and there are %d", got, len(files))
	}
}

// After a kill at a random moment each file is whole, and -resume makes them all of the
// model's epoch. CI asks for 200 kills.
func TestRunKilled(t *testing.T) {
	kills := 3
	if os.Getenv("MLP_ATTACK") != "" {
		kills = 200
	}
	models, mixed := map[int]bool{}, 0
	for range kills {
		p := start(t, nil)
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		p.Process.Kill()
		p.Wait()
		n, same := epochsOf(t, p.out)
		if n < 1 {
			t.Fatalf("the model is of epoch %d", n)
		}
		if models[n] = true; !same {
			mixed++
		}
		must(t, "-resume", filepath.Join(p.out, training.ModelName), "-epochs", fmt.Sprint(n))
		if got, same := epochsOf(t, p.out); got != n || !same || len(contents(t, p.out)) != 5 {
			t.Errorf("resumed: the model is of epoch %d, before of %d, and there are %d files", got, n, len(contents(t, p.out)))
		}
	}
	t.Logf("%d kills, models of %d different epochs, %d times with files of a later one", kills, len(models), mixed)
}

// TestKilled kills a training process fifty times at random moments and resumes it each
// time: the weights are those of a run that is not killed. CI asks for it by name.
func TestKilled(t *testing.T) {
	if os.Getenv("MLP_ATTACK") == "" {
		t.Skip("$MLP_ATTACK is not set")
	}
	binary, dir := program(t), t.TempDir()
	flags := []string{"-limit", "1000", "-hidden", "64,32", "-init", "he", "-opt", "adam", "-lr", "0.001", "-epochs", "150"}
	whole, err := exec.Command(binary, append(flags, "-out", filepath.Join(dir, "whole"))...).Output()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	kills, ends := 0, 0
	for run := 0; kills < 50 || ends == 0; run++ {
		out := filepath.Join(dir, "killed")
		args := append(flags, "-out", out)
		if _, err := os.Stat(filepath.Join(out, "model.npz")); err == nil {
			args = []string{"-resume", filepath.Join(out, "model.npz")}
		}
		c := exec.Command(binary, args...)
		var stdout, stderr bytes.Buffer
		c.Stdout, c.Stderr = &stdout, &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(1+rng.IntN(400))*time.Millisecond, func() { c.Process.Kill() })
		err := c.Wait()
		kill.Stop()
		switch {
		case err == nil:
			ends++
			if hash(stdout.String()) != hash(string(whole)) {
				t.Fatalf("after %d kills the weights are %s, want %s", kills, hash(stdout.String()), hash(string(whole)))
			}
			if err := os.RemoveAll(out); err != nil {
				t.Fatal(err)
			}
		case c.ProcessState.ExitCode() != -1:
			t.Fatalf("after %d kills: %v: %s", kills, err, stderr.String())
		default:
			kills++
		}
	}
	t.Logf("%d kills, %d runs brought to their end", kills, ends)
}
