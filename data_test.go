package mlp

import (
	"slices"
	"testing"
)

// A split has each row once, with its target, in an order of its own for each seed.
func TestSplit(t *testing.T) {
	s := Samples{NewMatrix(100, 2), NewMatrix(100, 1)}
	for i := range 100 {
		s.X.Row(i)[1], s.Y.Data[i] = float64(i), float64(i)
	}
	train, test := s.Split(0.255, 1)
	if train.Len() != 74 || test.Len() != 26 {
		t.Fatalf("%d and %d rows", train.Len(), test.Len())
	}
	all := slices.Concat(train.Y.Data, test.Y.Data)
	for i, v := range slices.Concat(train.X.Data, test.X.Data) {
		if i%2 == 1 && v != all[i/2] {
			t.Errorf("a row of %v has the target %v", v, all[i/2])
		}
	}
	_, again := s.Split(0.255, 1)
	_, other := s.Split(0.255, 2)
	if !slices.Equal(again.Y.Data, test.Y.Data) || slices.Equal(other.Y.Data, test.Y.Data) {
		t.Error("the order is not the seed's")
	}
	if slices.IsSorted(test.Y.Data) {
		t.Error("the rows are in order")
	}
	slices.Sort(all)
	if !slices.Equal(all, s.Y.Data) {
		t.Errorf("rows %v", all)
	}
	train.X.Data[0] = -1
	if slices.Contains(s.X.Data, -1) {
		t.Error("a part shares rows with the whole")
	}
}

func TestSliceAndOneHot(t *testing.T) {
	z := NewMatrix(3, 2, 1, 2, 3, 4, 5, 6)
	view := z.Slice(1, 3)
	view.Row(0)[0] = 7
	near(t, "rows 1 and 2", view, NewMatrix(2, 2, 7, 4, 5, 6), 0)
	if z.Data[2] != 7 {
		t.Error("a slice is a copy")
	}
	if y := OneHot([]int{2, 0}, 3); !slices.Equal(y.Data, []float64{0, 0, 1, 1, 0, 0}) || Argmax(y.Row(0)) != 2 {
		t.Errorf("one-hot %v", y.Data)
	}
}
