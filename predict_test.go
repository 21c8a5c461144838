package mlp

import (
	"fmt"
	"math"
	"slices"
	"testing"
)

// A prediction depends on its own row alone, whatever rows are beside it and
// whatever Forward saw last; what Forward gives depends on its rows alone.
func TestPredictIsNoForward(t *testing.T) {
	rng := newRand()
	net := normalized(NewNetwork(1, He, ReLU, 4, 6, 5, 2))
	x := fill(NewMatrix(700, 4), rng)
	all := net.Predict(new(Matrix), x)
	forward := net.Forward(x).Clone()
	for _, i := range []int{0, 255, 256, 699} {
		one := net.Predict(new(Matrix), NewMatrix(1, 4, x.Row(i)...))
		for j, v := range one.Data {
			if v != all.at(i, j) {
				t.Errorf("row %d alone is %v, among others %v", i, one.Data, all.Row(i))
			}
			if v == forward.at(i, j) {
				t.Errorf("row %d: Predict used the batch's statistics", i)
			}
		}
	}
	// Of a single row ẑ is zero, whatever the row.
	if one := net.Forward(NewMatrix(1, 4, x.Row(0)...)).Clone(); one.Data[0] != net.Forward(NewMatrix(1, 4, x.Row(1)...)).Data[0] {
		t.Error("Forward does not normalise by the rows it is given")
	}
}

// Without normalisation Predict is Forward, to the last bit, also if it packs the weights
// of networks that have fewer or more layers than the one before.
func TestPredictIsForward(t *testing.T) {
	for _, sizes := range [][]int{{4, 300, 5, 2}, {4, 100, 2}, {4, 120, 110, 7, 2}} {
		net := NewNetwork(1, He, Tanh, sizes...)
		for _, rows := range []int{300, 1024 + 1} {
			x := fill(NewMatrix(rows, 4), newRand())
			y, want := net.Predict(new(Matrix), x), net.Forward(x)
			if !slices.Equal(y.Data, want.Data) {
				t.Errorf("%v, %d rows: other outputs than Forward's", sizes, rows)
			}
		}
	}
}

func TestPredictDoesNotAllocate(t *testing.T) {
	skipUnderRaceDetector(t)
	net := normalized(NewNetwork(1, He, ReLU, 4, 6, 2))
	for _, rows := range []int{1, 1024} {
		x, y := fill(NewMatrix(rows, 4), newRand()), new(Matrix)
		net.Predict(y, x)
		if n := testing.AllocsPerRun(20, func() { net.Predict(y, x) }); n > 0 {
			t.Errorf("a prediction of %d rows allocates %v times", rows, n)
		}
	}
}

// BenchmarkPredict is one image, whose cost is to read the weights, and many.
func BenchmarkPredict(b *testing.B) {
	net := NewNetwork(1, Small, ReLU, MNISTPixels, 256, 128, MNISTClasses)
	for _, n := range []int{1, 10000} {
		b.Run(fmt.Sprintf("net=784-256-128-10/images=%d", n), func(b *testing.B) {
			x, y := fill(NewMatrix(n, MNISTPixels), newRand()), new(Matrix)
			net.Predict(y, x)
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				net.Predict(y, x)
			}
			flop := 2 * (784*256 + 256*128 + 128*10) * float64(n)
			b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
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
	index := shuffle(make([]int, m.Len()), 0, 0, true)
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
