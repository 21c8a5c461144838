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
	want, _, err := readModel(o.verify)
	if err != nil {
		return err
	}
	then, err := o.again(flagsOf(want.Recipe))
	if err == nil && len(want.History) == 0 {
		err = errors.New("no epoch was trained")
	}
	if err == nil {
		err = then.takeWidths(want) // the recipe may say what the weights are not
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.verify, err)
	}
	j, err := newJob(then, stderr)
	if err != nil {
		return fmt.Errorf("%s: %w", o.verify, err) // also where what its recipe names is not there
	}
	if err := sameDigests(j.Recipe, want.Recipe); err != nil {
		return fmt.Errorf("%s: %w", o.verify, err)
	}
	j.describe(stderr)
	if o.checkGradient {
		if err := j.check(ctx, stderr); err != nil {
			return j.explain(err, 0)
		}
	}
	bar := newProgress(stderr, j.epochs, j.rows(len(want.History)))
	enough := errors.New("as many epochs as the file has")
	err = j.learn(ctx, bar, func(e mlp.Epoch) error {
		if e.N == len(want.History) {
			return enough
		}
		return nil
	})
	bar.clear()
	if err != nil && err != enough {
		return j.explain(err, 0)
	}
	if err := compare(&j.Model, want); err != nil {
		return fmt.Errorf("%s: %w", o.verify, err)
	}
	_, err = fmt.Fprintf(stdout, "reproduced: %s\n", want.Net.Fingerprint())
	return err
}

// compare holds what two models write to their files against one another and
// names the first array that is not the same to the last bit.
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
	if theirs := slices.Sorted(maps.Keys(b)); !slices.Equal(names, theirs) {
		return fmt.Errorf("not reproduced: its arrays are %v, here they are %v", theirs, names)
	}
	for _, name := range names {
		if err := compareArrays(name, a[name], b[name]); err != nil {
			return fmt.Errorf("not reproduced: %w", err)
		}
	}
	return nil
}

// arrays returns what m writes to its file, but for run.json, which is no array.
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
