// The recipe that a model file keeps: what the model is for, the flags of its run, and the
// digests of what they name.

package training

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mlp"
)

// The commands that train, as a recipe names them.
const (
	Train = "train" // a network of digits
	Table = "table" // a network of a table
)

// The keys of a recipe that are not flags.
const (
	commandKey   = "command" // the command
	TableKey     = "table"   // the columns of a table's model
	DigestPrefix = "sha256 " // begins digests: after it comes the name of what the value is the SHA-256 of
)

// maxValue is the most bytes of a flag's value in a recipe.
const maxValue = 1 << 16

// another says what a model is, and which command to use, if another command than this one
// made it.
func another(m *mlp.Model, command string) (what, use string) {
	by := m.Recipe[commandKey]
	switch { // files of earlier versions do not name it, but have what only one command writes
	case by != "":
	case m.Recipe[TableKey] != "":
		by = Table
	case m.Recipe[DigestPrefix+"train"] != "":
		by = Train
	}
	switch by {
	case "", command:
		return "", ""
	case Table:
		return "a table's model", "cmd/table"
	case Train:
		return "a model of digits", "cmd/train or cmd/predict"
	}
	return "another program's model", fmt.Sprintf("%.60q", by)
}

// ReadModel reads a model file for a command. An error names the file: it may be another
// command's.
func ReadModel(name, command string) (*mlp.Model, error) {
	m, err := mlp.ReadModelFile(name)
	if err != nil {
		return nil, err
	}
	if what, use := another(m, command); what != "" {
		return nil, fmt.Errorf("%s is %s: use %s", name, what, use)
	}
	return m, nil
}

// settings returns the flags that the weights depend on, by name, with values that the
// command line accepts.
func (f *Flags) settings() map[string]string {
	settings := f.Args.All()
	for _, name := range f.unkept {
		delete(settings, name)
	}
	return settings
}

// moves are the flags that name a place. The same run may find its files at another place.
var moves = []string{"data", "test", "load"}

// again returns the command line of the run that has a recipe. The recipe comes from a file,
// and so it is checked. A recipe may lack flags that were added since it was written: those
// in later have their defaults then. A flag that is given now and differs from the recipe is
// an error, unless it names the place of a file, or is -epochs and the run is resumed.
func (f *Flags) again(recipe map[string]string, later []string) (args []string, err error) {
	if len(recipe) == 0 {
		return nil, errors.New("the file does not say how it was trained")
	}
	given := f.Args.Given()
	for _, name := range slices.Sorted(maps.Keys(f.settings())) {
		value, ok := recipe[name]
		if !ok && slices.Contains(later, name) {
			value = f.Args.Default(name)
		} else if !ok {
			return nil, fmt.Errorf("its recipe lacks -%s", name)
		}
		if len(value) > maxValue {
			return nil, fmt.Errorf("its recipe has %d bytes for -%s, more than %d", len(value), name, maxValue)
		}
		place := slices.Contains(moves, name) && (value != "" || name == "data")
		if now, ok := given[name]; ok && (place || name == "epochs" && f.Resume != "") {
			value = now
		} else if ok && now != value {
			return nil, Contradiction(name, now, value)
		}
		if value != "" || name == "hidden" { // no other flag can be empty
			args = append(args, "-"+name+"="+value)
		}
	}
	return args, nil
}

// Contradiction is the error for a flag that has another value in the file.
func Contradiction(name, given, inFile string) error {
	return fmt.Errorf("-%s %.60s contradicts the file's -%s %.60s", name, cmp.Or(given, `""`), name, cmp.Or(inFile, `""`))
}

// dataNames are the things of which a recipe has a digest, in words.
var dataNames = map[string]string{
	"train": "training data", "test": "test data", "data": "rows of -data", "load": "weights of the -load file",
}

// sameData returns an error if a run sees other data, or begins with other weights, than
// that of an earlier recipe.
func sameData(now, earlier map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(dataNames)) {
		if a, b := now[DigestPrefix+key], earlier[DigestPrefix+key]; a != b {
			return fmt.Errorf("the %s differ: SHA-256 %.16s…, in the file %.16s…", dataNames[key], cmp.Or(a, "none"), cmp.Or(b, "none"))
		}
	}
	return nil
}

// sameRun reports whether two recipes are of one run, wherever its files are.
func sameRun(a, b map[string]string) bool {
	a, b = maps.Clone(a), maps.Clone(b)
	for _, name := range append(moves, commandKey) {
		delete(a, name)
		delete(b, name)
	}
	return maps.Equal(a, b)
}
