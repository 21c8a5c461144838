// Package clitest runs commands in tests.
package clitest

import (
	"os"
	"path/filepath"
	"testing"
)

// Stderr calls a command with a file for standard error. It returns what is in the file then,
// and the command's exit code.
func Stderr(t *testing.T, command func(stderr *os.File) int) (text string, code int) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	code = command(f)
	content, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(content), code
}
