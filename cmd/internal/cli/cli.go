// Package cli is what the commands share of a command line: how a command starts and ends,
// its flags and their help, and what is said on a terminal.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

// Main runs a command and ends the process with the exit code that run returns.
// Ctrl-C, or SIGTERM, cancels run's context. A second signal ends the process.
func Main(run func(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) int) {
	// If these are ignored, a write to a closed pipe or beyond the largest file
	// allowed returns an error, like any other write that fails.
	const sigpipe, sigxfsz = syscall.Signal(13), syscall.Signal(25)
	signal.Ignore(sigpipe, sigxfsz)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit ends a command with err and returns its exit code. That is 0 without an error, if
// the pipe that stdout is has no reader any more, and for the help that Flags.Parse
// returns, which Exit prints to stdout. Any other error is one
// line of stderr that begins with the command's name, and the note of a NotedError below
// it: the code is 2 if a flag was wrong, and otherwise 1.
func Exit(name string, err error, stdout, stderr io.Writer) int {
	if help, ok := err.(helpText); ok {
		if _, err = io.WriteString(stdout, string(help)); err != nil {
			err = fmt.Errorf("standard output: %w", err)
		}
	}
	if err == nil || errors.Is(err, syscall.EPIPE) { // a reader such as head has enough
		return 0
	}
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	fmt.Fprintf(stderr, "%s: %s\n", name, Plain(text))
	var noted *NotedError
	if errors.As(err, &noted) {
		io.WriteString(stderr, noted.Note)
	}
	if _, ok := err.(wrongFlag); ok {
		return 2
	}
	return 1
}

// NotedError is an error with lines that help to mend it.
type NotedError struct {
	Err  error
	Note string
}

func (e *NotedError) Error() string { return e.Err.Error() }
func (e *NotedError) Unwrap() error { return e.Err }

// Plain returns s as one line that is safe to print on a terminal: a character
// that cannot be printed is replaced by its Go escape. Names of flags and files
// need it, and so do words from a file.
func Plain(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strconv.IsPrint(r) {
			b.WriteRune(r)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRune(r), "'"))
		}
	}
	return b.String()
}
