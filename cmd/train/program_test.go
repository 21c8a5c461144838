package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// program returns the command's executable file, for tests that need a process. It is
// built once.
func program(t *testing.T) string {
	t.Helper()
	name, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

var (
	programDir string
	build      = sync.OnceValues(func() (name string, err error) {
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
)

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(programDir)
	os.Exit(code)
}
