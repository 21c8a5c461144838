// -verify: the run of a file again, and the comparison.

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"

	"mlp"
)

// verify trains again what is in a file, and compares.
func verify(ctx context.Context, o *options, stdout io.Writer, stderr *os.File) error {
	want, earlier, err := o.reopen(o.verify)
	if err != nil {
		return err
	}
	named := func(err error) error { return fmt.Errorf("%s: %w", o.verify, err) }
	epochs := len(want.Run.History)
	if epochs == 0 {
		return named(errors.New("no epoch was trained"))
	}
	j, err := newJob(earlier, stderr)
	if err == nil {
		err = sameFiles(j.Recipe, want.Recipe)
	}
	if err != nil {
		return named(err)
	}
	if err := j.begin(ctx, stderr); err != nil {
		return err
	}
	enough := errors.New("as many epochs as the file has")
	err = j.learn(ctx, stderr, epochs, func(e mlp.Epoch) error {
		if e.N == epochs {
			return enough
		}
		return nil
	})
	if err != nil && err != enough {
		return j.explain(err, 0)
	}
	if err := compare(&j.Model, want); err != nil {
		return named(err)
	}
	_, err = fmt.Fprintf(stdout, "reproduced: %s\n", want.Net.Fingerprint())
	return err
}

// compare returns an error that names the first array, of those that the two models
// write to a file, which is not the same to the last bit.
func compare(got, want *mlp.Model) error {
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
