// -verify's comparison of two models. Not here: how the second is trained.

package cli

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"mlp"
)

// Reproduced says on standard output that a run was reproduced: got is the model that it
// has now, and want the model in the file of that name. The error names the file and the
// first array, of those that the two models write to a file, which is not the same to the
// last bit.
func Reproduced(stdout io.Writer, name string, got, want *mlp.Model) error {
	if err := compareModels(got, want); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if _, err := fmt.Fprintf(stdout, "reproduced: %s\n", want.Net.Fingerprint()); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	return nil
}

func compareModels(got, want *mlp.Model) error {
	a, err := arrays(got)
	if err != nil {
		return err
	}
	b, err := arrays(want)
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
	return nil
}

// arrays returns the arrays of a model's file.
func arrays(m *mlp.Model) (map[string]*mlp.Matrix, error) {
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		return nil, err
	}
	return mlp.ReadNPZ(bytes.NewReader(b.Bytes()), int64(b.Len()))
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
