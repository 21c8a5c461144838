package main

import (
	"os"
	"os/exec"
	"testing"
)

// The test's binary is the command, too, for tests that need a process.
func TestMain(m *testing.M) {
	if os.Getenv("TRAIN_IS_THE_COMMAND") != "" {
		main()
	}
	os.Exit(m.Run())
}

// program returns the command with arguments, in a process that is not started yet.
func program(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = programEnv()
	return c
}

func programEnv() []string { return append(os.Environ(), "TRAIN_IS_THE_COMMAND=1") }
