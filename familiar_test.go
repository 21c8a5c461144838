// Tests of what looks like a digit: odd drawings, test digits, and files with digits to compare with.

package mlp

import (
	"bytes"
	"errors"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// familiar is fitted to the sample once.
var familiar = sync.OnceValues(func() (*Familiarity, error) {
	train, err := LoadMNIST(SampleMNIST(), "train", 0)
	return FitFamiliarity(train), err
})

func mustFamiliar(t *testing.T) *Familiarity {
	t.Helper()
	f, err := familiar()
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// oddDrawings returns 14 kinds of drawings that are no digit, eight of each, and the kinds' names.
func oddDrawings(t *testing.T) (*MNIST, []string) {
	t.Helper()
	file, err := os.Open("testdata/odd/odd-idx3-ubyte.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	dims, data, err := ReadIDX(file)
	if err != nil || !slices.Equal(dims, []int{14, 8, 784}) {
		t.Fatal(dims, err)
	}
	return &MNIST{Images: data, Labels: make([]byte, 14*8)}, strings.Fields("A b X heart scribble smiley 47 blank black line dots noise text face")
}

// At least 12 of 14 kinds of odd drawings look like no digit, each in most of its drawings, and at
// most 2 % of the test digits do.
func TestUnlike(t *testing.T) {
	f := mustFamiliar(t)
	count := func(of []Likeness) (n int) {
		for _, l := range of {
			if l.Unlike {
				n++
			}
		}
		return n
	}
	odd, kinds := oddDrawings(t)
	all, found := f.Compare(odd), 0
	for k, kind := range kinds {
		n := count(all[8*k : 8*k+8])
		if t.Logf("%d of 8: %s", n, kind); n > 4 {
			found++
		}
	}
	test, err := LoadMNIST(SampleMNIST(), "t10k", 0)
	if err != nil {
		t.Fatal(err)
	}
	wrong := count(f.Compare(test))
	t.Logf("%d of 14 kinds, %d of 112 drawings, and %d of %d test digits", found, count(all), wrong, test.Len())
	if found < 12 || wrong > test.Len()/50 {
		t.Error("too few kinds, or too many digits")
	}
}

// The most similar digit to each of Familiarity's digits is that digit itself, also if it is moved. Compare takes
// no digits too, and of 200 for each label none are chosen.
func TestCompare(t *testing.T) {
	f := mustFamiliar(t)
	moved := &MNIST{Images: make([]byte, MNISTPixels), Labels: []byte{0}}
	copy(moved.Images, f.Digits.image(7)[3:]) // three pixels to the left
	some := f.Compare(f.Digits.Slice(0, 10))
	for i, l := range some {
		if l.Nearest[0] != i || math.Abs(l.Similarity[0]-1) > 1e-12 || l.Similarity[1] < l.Similarity[2] {
			t.Errorf("digit %d: %+v", i, l)
		}
	}
	if l := f.Compare(moved)[0]; l.Nearest[0] != 7 || l.Similarity[0] < 0.99 {
		t.Errorf("moved: %+v", l)
	}
	if n := len(f.Compare(&MNIST{})); n != 0 {
		t.Errorf("%d of none", n)
	}
	small, _ := LoadMNIST(SampleMNIST(), "train", 2000)
	if FitFamiliarity(small) != nil {
		t.Error("200 of each digit are enough")
	}
}

// By hand: pieces touch by corners, and holes are closed by them.
func TestPieces(t *testing.T) {
	for _, c := range []struct {
		rows       string
		ink, holes float64
	}{
		{"", 0, 0}, {"#", 1, 0}, {"# #", 2, 0}, {"#. .#", 2, 0}, {"#./.#", 1, 0}, {".#./#.#/.#.", 1, 1}, {"###/#.#/###", 1, 1},
		{"#####/#.#.#/#####/..#", 1, 2}, {"#####/#...#/#.#.#/#...#/#####", 2, 1},
	} {
		var image [MNISTPixels]byte
		for i, row := range strings.Split(c.rows, "/") {
			for j, p := range row {
				if p == '#' {
					image[i*side+j] = inkFrom
				}
			}
		}
		if ink, holes := pieces(&image); ink != c.ink || holes != c.holes {
			t.Errorf("%q has %v pieces and %v holes, want %v and %v", c.rows, ink, holes, c.ink, c.holes)
		}
	}
}

// A file keeps what looks like a digit, and one that is not whole is refused.
func TestFamiliarityFile(t *testing.T) {
	f := mustFamiliar(t)
	m := &Model{Net: NewNetwork(1, He, ReLU, MNISTPixels, MNISTClasses), Familiarity: f, Recipe: map[string]string{}}
	file := written(t, m)
	got, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	if g := got.Familiarity; !bytes.Equal(g.Digits.Images, f.Digits.Images) || !bytes.Equal(g.Digits.Labels, f.Digits.Labels) || g.Limits != f.Limits {
		t.Error("read back, it is another")
	}
	if !bytes.Equal(written(t, got), file) || len(file) > 1_200_000 {
		t.Errorf("written again, it is another file, or its %d bytes are too many", len(file))
	}
	array := func(name string, rows, cols int, elements ...float64) npzMember {
		return npzMember{Name: name, Matrix: NewMatrix(rows, cols, elements...)}
	}
	labels, limits := array("familiar_labels", 1, 3), array("familiar_limits", 10, 4)
	for _, c := range []struct {
		reason string
		arrays []npzMember
	}{
		{"familiar_labels: file does not exist", []npzMember{array("familiar", 3, 784)}},
		{"familiar: file does not exist", []npzMember{labels, limits}},
		{"familiar_limits: 4×10, want 10×4", []npzMember{array("familiar", 3, 784), labels, array("familiar_limits", 4, 10)}},
		{"familiar: 3×783, want n×784", []npzMember{array("familiar", 3, 783), labels, limits}},
		{"familiar: 3136 bytes of images for 3 labels", []npzMember{array("familiar", 4, 784), labels, limits}},
		{"familiar_labels: element (0, 1) is 0.5", []npzMember{array("familiar", 3, 784), array("familiar_labels", 1, 3, 0, 0.5, 0), limits}},
		{"familiar_labels: a label of 10", []npzMember{array("familiar", 3, 784), array("familiar_labels", 1, 3, 0, 10, 0), limits}},
		{"familiar_labels: element (0, 1) is NaN", []npzMember{array("familiar", 3, 784), array("familiar_labels", 1, 3, 0, math.NaN(), 0), limits}},
		{"or not 3 to 2000", []npzMember{array("familiar", 0, 784), array("familiar_labels", 1, 0), limits}},
		{"more than 2000 digits", []npzMember{array("familiar", 2100, 784), array("familiar_labels", 1, 2100), limits}},
	} {
		net := []npzMember{array("W1", 784, 10), array("b1", 1, 10)}
		if _, err := read(npzFile(t, append(net, c.arrays...)...)); err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("error %v, want %q", err, c.reason)
		} else if !strings.Contains(c.reason, "exist") && !errors.As(err, new(FormatError)) {
			t.Errorf("%v: error of type %T", err, err)
		}
	}
	m.Net = NewNetwork(1, He, ReLU, 2, 2)
	if err := m.Write(&bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "2 inputs are no images") {
		t.Errorf("written for a network of two inputs: %v", err)
	}
}
