// -verify's comparison of two models.

package training

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"

	"mlp"
)

// compare returns an error that names the first difference between two models: got, which
// was trained now, and want, the one in a file. It compares the files that Write makes of
// them, because these have all that a user of a model reads. They may differ in the folder
// of the data and in what an earlier version did not write.
func compare(got, want *mlp.Model) error {
	mine := *got
	mine.Recipe = maps.Clone(got.Recipe)
	if want.Familiarity == nil {
		mine.Familiarity = nil
	}
	for key := range mine.Recipe {
		if value, ok := want.Recipe[key]; !ok {
			delete(mine.Recipe, key) // that there are all of them was checked before the training
		} else if slices.Contains(moves, key) {
			mine.Recipe[key] = value
		}
	}
	a, textA, err := contents(&mine)
	if err != nil {
		return err
	}
	b, textB, err := contents(want)
	if err != nil {
		return err
	}
	for _, name := range eitherKey(a, b) {
		if err := compareArrays(name, a[name], b[name]); err != nil {
			return err
		}
	}
	for _, key := range eitherKey(mine.Recipe, want.Recipe) {
		if err := compareTexts("Recipe "+key, mine.Recipe[key], want.Recipe[key]); err != nil {
			return err
		}
	}
	return compareTexts("run.json", textA, textB)
}

// eitherKey returns the keys that one or both of two maps have.
func eitherKey[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.Sorted(maps.Keys(all))
}

// contents returns the arrays of a model's file and its run.json.
func contents(m *mlp.Model) (arrays map[string]*mlp.Matrix, text string, err error) {
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		return nil, "", err
	}
	r := bytes.NewReader(b.Bytes())
	if arrays, err = mlp.ReadNPZ(r, r.Size()); err != nil {
		return nil, "", err
	}
	archive, err := zip.NewReader(r, r.Size())
	if err != nil {
		return nil, "", err
	}
	words, err := fs.ReadFile(archive, "run.json")
	return arrays, string(words), err
}

// compareArrays compares two arrays of that name. One may be nil.
func compareArrays(name string, got, want *mlp.Matrix) error {
	switch {
	case got == nil:
		return fmt.Errorf("%s is in the file only", name)
	case want == nil:
		return fmt.Errorf("%s is not in the file", name)
	case got.Rows != want.Rows || got.Cols != want.Cols:
		return fmt.Errorf("%s is %d×%d, in the file %d×%d", name, got.Rows, got.Cols, want.Rows, want.Cols)
	}
	differ, most := 0, 0.0
	for i, v := range got.Data {
		if math.Float64bits(v) != math.Float64bits(want.Data[i]) {
			differ++
			most = max(most, math.Abs(v-want.Data[i]))
		}
	}
	if differ > 0 {
		return fmt.Errorf("%s differs in %d of %d elements, by up to %.3g", name, differ, len(got.Data), most)
	}
	return nil
}

// compareTexts compares two texts. The error shows them from shortly before they differ.
func compareTexts(name, got, want string) error {
	if got == want {
		return nil
	}
	same := 0
	for same < min(len(got), len(want)) && got[same] == want[same] {
		same++
	}
	from := max(0, same-20)
	return fmt.Errorf("%.60s is %.60q, in the file %.60q", name, got[from:], want[from:])
}
