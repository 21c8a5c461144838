package mlp

import (
	"context"
	"fmt"
	"testing"
)

// normalized puts a normalisation into every layer but the last, with gains
// that are not one.
func normalized(net Network) Network {
	rng := newRand()
	for _, l := range net[:len(net)-1] {
		l.Norm = NewBatchNorm(l.W.Cols)
		for j := range l.Norm.Gain.Data {
			l.Norm.Gain.Data[j] = 1 + rng.Float64()
		}
	}
	return net
}

func TestBatchNormGradients(t *testing.T) {
	for _, act := range activations {
		rng := newRand()
		net := normalized(NewNetwork(3, LeCun, act, 5, 7, 6, 3))
		for _, l := range net {
			fill(&l.B, rng)
		}
		x, y := fill(NewMatrix(6, 5), rng), fill(NewMatrix(6, 3), rng)
		loss := func() float64 { return SquaredError(nil, net.Forward(x), y) }
		var dy Matrix
		SquaredError(&dy, net.Forward(x), y)
		net.Backward(&dy)
		for i, l := range net {
			for which, name := range []string{"W", "B", "Gain"} {
				w, g := l.parameter(which)
				closeTo(t, fmt.Sprintf("%s layer %d %s", act.Name, i+1, name), g.Data, NumericalGradient(loss, w.Data, 1e-5))
			}
		}
	}
}

// Five steps by the gradients that the paper gives, in NumPy.
func TestNumPyBatchNorm(t *testing.T) {
	c := numpy(t, "batch_norm")
	first := dense(c.In["W1"], c.In["b1"], ReLU)
	first.Norm = &BatchNorm{Gain: *clone(c.In["gain"]), Mean: *clone(c.In["mean"]), Var: *clone(c.In["var"])}
	net := Network{first, dense(c.In["W2"], c.In["b2"], Linear)}
	_, err := Train(context.Background(), net, Samples{c.In["X"], c.In["y"]},
		Config{Rate: c.In["lr"].Data[0], Epochs: 5, Batch: 9, InOrder: true})
	if err != nil {
		t.Fatal(err)
	}
	for name, got := range map[string]*Matrix{"W1": &first.W, "b1": &first.B, "gain": &first.Norm.Gain, "mean": &first.Norm.Mean,
		"var": &first.Norm.Var, "W2": &net[1].W, "b2": &net[1].B, "logits": net.Predict(new(Matrix), c.In["X"])} {
		near(t, "batch_norm "+name, got, c.Out[name], 1e-12)
	}
}

// A prediction depends on its own row alone, whatever rows are beside it and
// whatever Forward saw last; what Forward gives depends on its rows alone.
func TestPredictIsNoForward(t *testing.T) {
	rng := newRand()
	net := normalized(NewNetwork(1, He, ReLU, 4, 6, 5, 2))
	x := fill(NewMatrix(700, 4), rng)
	all := net.Predict(new(Matrix), x)
	forward := clone(net.Forward(x))
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
	if one := clone(net.Forward(NewMatrix(1, 4, x.Row(0)...))); one.Data[0] != net.Forward(NewMatrix(1, 4, x.Row(1)...)).Data[0] {
		t.Error("Forward does not normalise by the rows it is given")
	}
}

// Without normalisation Predict is Forward, to the last bit, also if it packs the weights
// of networks that have fewer or more layers than the one before.
func TestPredictIsForward(t *testing.T) {
	for _, sizes := range [][]int{{4, 300, 5, 2}, {4, 100, 2}, {4, 120, 110, 7, 2}} {
		net := NewNetwork(1, He, Tanh, sizes...)
		for _, rows := range []int{300, minPackedRows + 1} {
			x := fill(NewMatrix(rows, 4), newRand())
			y, want := net.Predict(new(Matrix), x), net.Forward(x)
			for i, v := range want.Data {
				if y.Data[i] != v {
					t.Fatalf("%v, %d rows: element %d is %v, Forward's %v", sizes, rows, i, y.Data[i], v)
				}
			}
		}
	}
}

func TestPredictDoesNotAllocate(t *testing.T) {
	skipUnderRaceDetector(t)
	net := normalized(NewNetwork(1, He, ReLU, 4, 6, 2))
	for _, rows := range []int{1, minPackedRows} {
		x, y := fill(NewMatrix(rows, 4), newRand()), new(Matrix)
		net.Predict(y, x)
		if n := testing.AllocsPerRun(20, func() { net.Predict(y, x) }); n > 0 {
			t.Errorf("a prediction of %d rows allocates %v times", rows, n)
		}
	}
}

// A single sample that is left over has no variance: it is left out of the
// epoch, and batches of one are refused.
func TestNormLeavesOneOut(t *testing.T) {
	data := &counting{Samples: blobs(13)}
	net := normalized(NewNetwork(1, He, ReLU, 4, 6, 2))
	h, err := Train(context.Background(), net, data, Config{Rate: 0.1, Epochs: 2, Batch: 4})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{4, 4, 4, 13} {
		if got := len(data.batches[i]); got != want {
			t.Errorf("batch %d is of %d samples, want %d", i+1, got, want)
		}
	}
	if h[0].Layers[0].DeltaNorm == 0 {
		t.Error("the last step moved nothing")
	}
	for _, bad := range []struct{ samples, batch int }{{13, 1}, {1, 4}} {
		if _, err := Train(context.Background(), net, blobs(bad.samples), Config{Rate: 0.1, Epochs: 1, Batch: bad.batch}); err == nil {
			t.Errorf("%d samples in batches of %d were taken", bad.samples, bad.batch)
		}
	}
	before := clone(&net[0].Norm.Var)
	one, wanted := NewMatrix(1, 4, 1, 2, 3, 4), NewMatrix(1, 2, 1, 0)
	var dy Matrix
	SoftmaxCrossEntropy(&dy, net.Forward(one), wanted)
	net.Backward(&dy)
	near(t, "variance after a batch of one", &net[0].Norm.Var, before, 0)
}

// A unit that never varies has a variance of zero, not by rounding below it: such a
// model could not be read again.
func TestNormOfAConstant(t *testing.T) {
	net := normalized(NewNetwork(1, He, ReLU, 4, 3, 2))
	data := Samples{NewMatrix(100, 4), blobs(100).Y}
	if _, err := Train(context.Background(), net, data, Config{Rate: 0.1, Epochs: 60, Batch: 5}); err != nil {
		t.Fatal(err)
	}
	if err := (namedArray{"var1", &net[0].Norm.Var, true}).validate(); err != nil {
		t.Error(err)
	}
}

func TestNormPanics(t *testing.T) {
	plain, net := NewNetwork(1, He, ReLU, 4, 6, 2), NewNetwork(1, He, ReLU, 4, 6, 2)
	net[0].Norm = NewBatchNorm(5)
	misfit := append(NewNetwork(1, He, ReLU, 4, 70), NewNetwork(1, He, ReLU, 71, 2)...)
	short := NewNetwork(1, He, ReLU, 4, 6)
	short[0].B = *NewMatrix(1, 5)
	for want, f := range map[string]func(){
		"mlp: Forward: gain1: 1×5, want 1×6":                                 func() { net.Forward(NewMatrix(1, 4)) },
		"mlp: Predict: gain1: 1×5, want 1×6":                                 func() { net.Predict(new(Matrix), NewMatrix(1, 4)) },
		"mlp: Predict: shapes 1×3 · 4×6":                                     func() { plain.Predict(new(Matrix), NewMatrix(1, 3)) },
		"mlp: Predict: W2: 71×2, want 70 rows as the layer before has units": func() { misfit.Predict(new(Matrix), NewMatrix(1000, 4)) },
		"mlp: Predict: b1: 1×5, want 1×6":                                    func() { short.Predict(new(Matrix), NewMatrix(1000, 4)) },
		"mlp: Predict: 3 elements for 1×4":                                   func() { plain.Predict(new(Matrix), &Matrix{1, 4, make([]float64, 3)}) },
		"mlp: Predict: the output shares storage with the input": func() {
			x := NewMatrix(2, 4)
			NewNetwork(1, He, ReLU, 4, 2).Predict(&Matrix{Data: x.Data[4:]}, x)
		},
	} {
		func() {
			defer func() {
				if got := recover(); got != want {
					t.Errorf("panic %v, want %s", got, want)
				}
			}()
			f()
		}()
	}
}
