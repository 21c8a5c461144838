// Package cli is what the commands share: how a command starts and ends, flags that name a
// value, the progress bar, files that are complete at any moment, model files, their
// recipes and their comparison, the digits that -data names, networks, and the names of the
// layer statistics. Which flags there are, and what is printed, is each command's own.
package cli

import (
	"bytes"
	"context"
	"errors"
	"flag"
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

// Exit prints err, unless it is nil, on one line of stderr that begins with the
// command's name. It returns the exit code: 0 without an error, or if the pipe that
// standard output is has no reader any more, 2 for an error of ParseError, 1 for any other.
func Exit(name string, err error, stderr io.Writer) int {
	if err == nil || errors.Is(err, syscall.EPIPE) { // a reader such as head has enough
		return 0
	}
	text := err.Error()
	if errors.Is(err, context.Canceled) {
		text = "interrupted"
	}
	fmt.Fprintf(stderr, "%s: %s\n", name, Plain(text))
	if _, ok := err.(wrongFlags); ok {
		return 2
	}
	return 1
}

type wrongFlags struct{ error }

// ParseError returns the error for Exit if parsing flags has returned err. For -h
// that is nil: ParseError prints head and the description of the flags to stdout.
func ParseError(err error, flags *flag.FlagSet, head string, stdout io.Writer) error {
	if !errors.Is(err, flag.ErrHelp) {
		return wrongFlags{err}
	}
	help := bytes.NewBufferString(head)
	flags.SetOutput(help)
	flags.PrintDefaults()
	if _, err := help.WriteTo(stdout); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

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
