// The flags of a command.

package cli

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Flags are the flags of one command. Each is in the table of all flags, which says what it
// means.
type Flags struct {
	set     *flag.FlagSet
	command string
}

// NewFlags returns no flags yet of the command of that name.
func NewFlags(command string) *Flags {
	f := &Flags{flag.NewFlagSet(command, flag.ContinueOnError), command}
	f.set.SetOutput(io.Discard)
	return f
}

// Add adds the flag of that name. To is a flag.Value or a pointer to a number, a bool or a
// text, and has the default. A text is a name, of a file for example, and cannot be empty.
func (f *Flags) Add(name string, to any) {
	if !slices.ContainsFunc(rows(f.command), func(r row) bool { return r.name == name }) {
		panic("cli: the table of flags has no -" + name + " of " + f.command)
	}
	switch to := to.(type) {
	case *bool:
		f.set.BoolVar(to, name, *to, "")
	case *int:
		f.set.IntVar(to, name, *to, "")
	case *uint64:
		f.set.Uint64Var(to, name, *to, "")
	case *float64:
		f.set.Float64Var(to, name, *to, "")
	case *string:
		f.set.Var((*text)(to), name, "")
	default:
		f.set.Var(to.(flag.Value), name, "")
	}
}

// Parse reads a command line, on which flags and other words may stand in any order, and
// returns the other words. Behind -- there are no more flags. For -h the error is the help.
func (f *Flags) Parse(args []string) (words []string, err error) {
	for {
		err := f.set.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			return nil, helpText(f.help())
		case err != nil:
			return nil, WrongFlag(err)
		}
		rest := f.set.Args()
		if parsed := len(args) - len(rest); len(rest) == 0 || parsed > 0 && args[parsed-1] == "--" {
			return append(words, rest...), nil
		}
		words, args = append(words, rest[0]), rest[1:]
	}
}

// Command returns the name of the command.
func (f *Flags) Command() string { return f.command }

// Set sets a flag to what text says, as if it stood on the command line.
func (f *Flags) Set(name, text string) error { return f.set.Set(name, text) }

// SetDefault gives a flag another value unless it was set. It does not count as set.
func (f *Flags) SetDefault(name, text string) error {
	if _, given := f.Given()[name]; given {
		return nil
	}
	return f.set.Lookup(name).Value.Set(text)
}

// Default returns the default of a flag as a text.
func (f *Flags) Default(name string) string { return f.set.Lookup(name).DefValue }

// Given returns the values of the flags that were set, and All of all flags.
func (f *Flags) Given() map[string]string { return values(f.set.Visit) }
func (f *Flags) All() map[string]string   { return values(f.set.VisitAll) }

func values(visit func(func(*flag.Flag))) map[string]string {
	values := map[string]string{}
	visit(func(g *flag.Flag) { values[g.Name] = g.Value.String() })
	return values
}

// WrongFlag marks an error as that of a wrong flag. It returns nil for nil.
func WrongFlag(err error) error {
	if err != nil {
		err = wrongFlag{err}
	}
	return err
}

type wrongFlag struct{ error }

// helpText is what -h prints, as the error of Parse.
type helpText string

func (h helpText) Error() string { return "help was asked for" }

// help returns what -h prints: what the command does, examples, and its flags, those that
// matter most first and then the others by what they are about.
func (f *Flags) help() string {
	var b strings.Builder
	c := commands[f.command]
	fmt.Fprintf(&b, "%s\n\n", wrapped(c.about, ""))
	width := 0
	for _, e := range c.examples {
		width = max(width, len(e[0]))
	}
	for _, e := range c.examples {
		fmt.Fprintf(&b, "    %-*s  %s\n", width, e[0], e[1])
	}
	sections := map[string][]row{firstGroup: make([]row, len(c.first))}
	for _, r := range rows(f.command) {
		if place := slices.Index(c.first, r.name); place >= 0 {
			sections[firstGroup][place] = r
		} else {
			sections[r.group] = append(sections[r.group], r)
		}
	}
	for _, title := range append([]string{firstGroup}, groups...) {
		if len(sections[title]) > 0 {
			fmt.Fprintf(&b, "\n%s:\n\n", title)
		}
		for _, r := range sections[title] {
			if value := f.Default(r.name); value != "" && value != "false" {
				r.meaning += " (default " + value + ")"
			}
			fmt.Fprintf(&b, "  %s\n%s\n", strings.TrimSpace("-"+r.name+" "+r.value), wrapped(r.meaning, "      "))
		}
	}
	return b.String()
}

// wrapped breaks a text into lines of at most 80 columns that begin with an indent.
func wrapped(text, indent string) string {
	var lines []string
	line := indent
	for _, word := range strings.Fields(text) {
		if line != indent && len([]rune(line))+1+len([]rune(word)) > 80 {
			lines, line = append(lines, line), indent
		}
		if line != indent {
			line += " "
		}
		line += word
	}
	return strings.Join(append(lines, line), "\n")
}
