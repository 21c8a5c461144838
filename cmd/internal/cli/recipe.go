// The recipe that a model file keeps: the flags of the run and the digests of what they
// name. Not here: which flags may differ when the run is trained again.

package cli

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
)

// DigestPrefix begins the keys of a recipe that are no flags: after it comes the name of
// what the value is the SHA-256 of.
const DigestPrefix = "sha256 "

// maxValue is the most bytes of a flag's value in a recipe: a path on Linux has at most so
// many.
const maxValue = 4096

// Settings returns the values of the flags by name, except those of these names.
func Settings(flags *flag.FlagSet, except ...string) map[string]string {
	settings := map[string]string{}
	flags.VisitAll(func(f *flag.Flag) { settings[f.Name] = f.Value.String() })
	for _, name := range except {
		delete(settings, name)
	}
	return settings
}

// Given returns the values of the flags that were set.
func Given(flags *flag.FlagSet) map[string]string {
	given := map[string]string{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = f.Value.String() })
	return given
}

// RecipeArgs returns the command line of an earlier run from its recipe, which must have
// each of the settings. A recipe may lack the flags in later, which were added since: then
// they have their defaults. A flag in given that differs from the recipe is an error,
// unless mayDiffer returns true for its name and its value in the recipe.
func RecipeArgs(flags *flag.FlagSet, settings, given, recipe map[string]string, later []string,
	mayDiffer func(name, value string) bool) (args []string, err error) {
	if len(recipe) == 0 {
		return nil, errors.New("the file does not say how it was trained")
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		value, ok := recipe[name]
		if !ok && slices.Contains(later, name) {
			value = flags.Lookup(name).DefValue
		} else if !ok {
			return nil, fmt.Errorf("its recipe lacks -%s", name)
		}
		if len(value) > maxValue {
			return nil, fmt.Errorf("its recipe has %d bytes for -%s, more than %d", len(value), name, maxValue)
		}
		if now, ok := given[name]; ok && mayDiffer(name, value) {
			value = now
		} else if ok && now != value {
			return nil, Contradiction(name, now, value)
		}
		args = append(args, "-"+name+"="+value)
	}
	return args, nil
}

// Contradiction is the error for a flag that has another value in the file.
func Contradiction(name, given, inFile string) error {
	return fmt.Errorf("-%s %s contradicts the file's -%s %s", name, given, name, cmp.Or(inFile, `""`))
}
