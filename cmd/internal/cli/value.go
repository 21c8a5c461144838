// Flags whose values are more than a number.

package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The limits of the hidden layers that a flag asks for.
const (
	MaxHidden = 100     // layers
	MaxWidth  = 1 << 16 // units of a layer
)

// text is a flag that names something and so is not empty: an empty value is most often a
// shell's variable that was not set.
type text string

func (t *text) String() string { return string(*t) }

// Set makes t the text s.
func (t *text) Set(s string) error {
	if s == "" {
		return errors.New("the value is empty")
	}
	*t = text(s)
	return nil
}

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

// OneOf returns the function of a choice among these names.
func OneOf[T any](values map[string]T) func(name string) (T, error) {
	return func(name string) (T, error) {
		value, ok := values[name]
		if !ok {
			return value, fmt.Errorf("want one of %s", strings.Join(slices.Sorted(maps.Keys(values)), ", "))
		}
		return value, nil
	}
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
