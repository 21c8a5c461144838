package mlp

import (
	"math"
	"os"
	"slices"
	"testing"
)

// A column that does not vary is shifted and not divided, and rows that were not fitted
// are standardized by the fitted ones.
func TestStandardization(t *testing.T) {
	x := NewMatrix(3, 3, 1, 5, 0.1, 2, 5, 0.1, 6, 5, 0.1)
	s := FitStandardization(x)
	if want := []float64{3, 5, 0.1}; !slices.Equal(s.Mean, want) {
		t.Errorf("mean %v, want %v", s.Mean, want)
	}
	if want := []float64{math.Sqrt(14.0 / 3), 0, 0}; !slices.Equal(s.Std, want) {
		t.Errorf("std %v, want %v", s.Std, want)
	}
	var z Matrix
	s.Apply(&z, NewMatrix(1, 3, 10, 7, 0.1))
	if want := []float64{7 / math.Sqrt(14.0/3), 2, 0}; !slices.Equal(z.Data, want) {
		t.Errorf("other rows become %v, want %v", z.Data, want)
	}
	if (Standardization{}).Apply(&z, x); !slices.Equal(z.Data, x.Data) {
		t.Errorf("without a mean rows become %v, want %v", z.Data, x.Data)
	}
	defer func() {
		if got, want := recover(), "mlp: Standardization.Apply: mean 1×3, std 1×3 for 2 columns"; got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	s.Apply(&z, NewMatrix(1, 2))
}

// deskewed returns what NumPy made of some images: testdata/npz/deskew.py.
func deskewed(t *testing.T) (images, normalised *Matrix) {
	file, err := os.Open("testdata/npz/deskewed.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := ReadNPZ(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return arrays["images"], arrays["deskewed"]
}

// bytesOf returns grey values as bytes.
func bytesOf(x *Matrix) []byte {
	b := make([]byte, len(x.Data))
	for i, v := range x.Data {
		b[i] = byte(v)
	}
	return b
}

// Digits, and images that are blank, one pixel, all ink, one row or one line become what
// NumPy makes of them.
func TestDeskewNumPy(t *testing.T) {
	images, want := deskewed(t)
	m := &MNIST{Images: bytesOf(images), Labels: make([]byte, images.Rows)}
	got := m.Deskew()
	for i := range images.Rows {
		if !slices.Equal(got.image(i), bytesOf(want)[i*MNISTPixels:][:MNISTPixels]) {
			t.Errorf("image %d differs", i)
		}
	}
}

// A model that carries the normalisation and the standardization answers raw images as its
// network answers what training saw.
func TestModelPredict(t *testing.T) {
	images, _ := deskewed(t)
	m := &MNIST{Images: bytesOf(images), Labels: make([]byte, images.Rows)}
	model := Model{Net: NewNetwork(1, He, ReLU, MNISTPixels, 8, MNISTClasses), Deskew: true}
	seen := m.Deskew()
	model.Input = seen.StatsOfAll()
	seen.Standardize(model.Input)
	index := make([]int, m.Len())
	for i := range index {
		index[i] = i
	}
	var x, y, raw, want, got Matrix
	seen.Batch(&x, &y, index)
	model.Net.Predict(&want, &x)
	m.Batch(&raw, &y, index)
	before := slices.Clone(raw.Data)
	model.Predict(&got, &raw)
	for i, v := range got.Data {
		if math.Abs(v-want.Data[i]) > 1e-13 {
			t.Fatalf("output %d is %v, want %v", i, v, want.Data[i])
		}
	}
	if !slices.Equal(raw.Data, before) {
		t.Error("Predict changed its input")
	}
	raw.Data[3] = math.NaN()
	if model.Predict(&got, &raw); got.Data[0] == got.Data[0] || got.Row(1)[0] != got.Row(1)[0] {
		t.Error("a NaN does not pass, or passes to other rows")
	}
}
