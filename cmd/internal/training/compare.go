// -verify's comparison of two models.

package training

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"mlp"
)

// compare returns an error that names the first difference between two models: got, which
// was trained now, and want, the one in a file. It compares the files that Write makes of
// them, because these have all that a user of a model reads. They may differ in where the
// run found its data and in what an earlier version did not write.
func compare(got, want *mlp.Model) error {
	mine := *got
	mine.Recipe = maps.Clone(got.Recipe)
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
	names := slices.Sorted(maps.Keys(a))
	if others := slices.Sorted(maps.Keys(b)); !slices.Equal(names, others) {
		return fmt.Errorf("not reproduced: its arrays are %v, here they are %v", others, names)
	}
	for _, name := range names {
		if err := compareArrays(name, a[name], b[name]); err != nil {
			return fmt.Errorf("not reproduced: %w", err)
		}
	}
	if err := compareTexts("", textA, textB); err != nil {
		return fmt.Errorf("not reproduced: %w", err)
	}
	return nil
}

// contents returns the arrays and the texts of a model's file.
func contents(m *mlp.Model) (arrays map[string]*mlp.Matrix, texts map[string]any, err error) {
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		return nil, nil, err
	}
	r := bytes.NewReader(b.Bytes())
	if arrays, err = mlp.ReadNPZ(r, r.Size()); err != nil {
		return nil, nil, err
	}
	archive, err := zip.NewReader(r, r.Size())
	if err != nil {
		return nil, nil, err
	}
	f, err := archive.Open("run.json")
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err == nil {
		err = json.Unmarshal(text, &texts)
	}
	return arrays, texts, err
}

func compareArrays(name string, got, want *mlp.Matrix) error {
	if got.Rows != want.Rows || got.Cols != want.Cols {
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

// compareTexts returns an error that names the first text that differs, with the names of
// the objects that it is in.
func compareTexts(in string, got, want map[string]any) error {
	names := slices.Concat(slices.Collect(maps.Keys(got)), slices.Collect(maps.Keys(want)))
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		a, b := got[name], want[name]
		objectA, okA := a.(map[string]any)
		objectB, okB := b.(map[string]any)
		if okA && okB {
			if err := compareTexts(in+name+" ", objectA, objectB); err != nil {
				return err
			}
		} else if textA, textB := fmt.Sprint(a), fmt.Sprint(b); textA != textB {
			from := max(0, commonPrefix(textA, textB)-20)
			return fmt.Errorf("%s%.60s is %.60q, in the file %.60q", in, name, textA[from:], textB[from:])
		}
	}
	return nil
}

// commonPrefix returns how many bytes two texts share at their beginning.
func commonPrefix(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
