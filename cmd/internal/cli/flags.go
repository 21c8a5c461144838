// Flags that name a value, the widths of the hidden layers, and the limits of what they
// may ask for. Not here: which flags a command has, and their defaults.

package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mlp"
)

// The limits of a network that flags ask for.
const (
	MaxHidden     = 100     // layers
	MaxWidth      = 1 << 16 // units of a layer
	MaxParameters = 1 << 27 // they fill 1 GiB

	maxStored = 1<<28 - 1<<22 // numbers that a model file has of the network: 2 GiB less 32 MiB for the rest
)

// A Choice is a flag that names a value.
type Choice[T any] struct {
	Name   string
	Value  T
	ByName func(name string) (T, error)
}

// NewChoice returns the flag with the value of that name, which must be one.
func NewChoice[T any](name string, byName func(name string) (T, error)) Choice[T] {
	value, err := byName(name)
	if err != nil {
		panic("cli: NewChoice: " + err.Error())
	}
	return Choice[T]{name, value, byName}
}

// Set makes the value the one of that name.
func (c *Choice[T]) Set(name string) (err error) {
	c.Name = name
	c.Value, err = c.ByName(name)
	return err
}

func (c *Choice[T]) String() string { return c.Name }

// ActByName returns the activation of that name, for a layer below the output.
func ActByName(name string) (*mlp.Activation, error) {
	act, err := mlp.ActivationByName(name)
	if act == mlp.Linear {
		err = errors.New("a hidden layer that is linear adds nothing")
	}
	return act, err
}

// NormByName reports whether a name asks for batch normalisation: batch does, none does
// not, and any other is an error.
func NormByName(name string) (batch bool, err error) {
	if name != "batch" && name != "none" {
		err = errors.New("want one of batch, none")
	}
	return name == "batch", err
}

// Widths is the flag of the hidden layers: numbers with commas between them.
type Widths []int

// Set makes w the widths in s.
func (w *Widths) Set(s string) error {
	*w = nil
	if strings.TrimSpace(s) == "" {
		return nil
	}
	for _, field := range strings.Split(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1 || n > MaxWidth {
			return fmt.Errorf("%q is not a width from 1 to %d", field, MaxWidth)
		}
		if *w = append(*w, n); len(*w) > MaxHidden {
			return fmt.Errorf("more than %d layers", MaxHidden)
		}
	}
	return nil
}

func (w *Widths) String() string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint([]int(*w)), " ", ","), "[]")
}

// CheckSize returns an error for a network that is too large, or whose model file would
// be. The file has the parameters, the averages of batch normalisation and the optimizer's
// running values of the parameters. With patience it has the best and the last of
// parameters and averages.
func CheckSize(in int, hidden Widths, out int, norm bool, opt *mlp.Optimizer, patience int) error {
	parameters, averages := 0, 0
	for _, n := range hidden {
		parameters += (in + 1) * n
		if norm {
			parameters += n
			averages += 2 * n
		}
		in = n
	}
	parameters += (in + 1) * out
	if parameters > MaxParameters {
		return fmt.Errorf("-hidden: %d parameters, more than %d", parameters, MaxParameters)
	}
	networks := 1 + min(1, patience)
	if stored := networks*(parameters+averages) + opt.Slots*parameters; stored > maxStored {
		return fmt.Errorf("-hidden: with -opt %s and -patience %d the model file would have %d numbers of the network, more than %d",
			opt.Name, patience, stored, maxStored)
	}
	return nil
}
