package mlp

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
)

// The numbers of SplitMix64's author: vigna.di.unimi.it/splitmix64.c, seed 1234567.
func TestSplitMix(t *testing.T) {
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431} {
		if got := splitMix(1234567, uint64(i+1)); got != want {
			t.Errorf("number %d is %d, want %d", i, got, want)
		}
	}
}

// masks returns what layer 1 and layer 2 drop of 40 rows of 50 units in a step.
func masks(seed uint64, step int, p float64) (a, b []float64) {
	one, two := Layer{W: *NewMatrix(1, 50), Dropout: p}, Layer{W: *NewMatrix(1, 50), Dropout: p}
	x := NewMatrix(40, 50)
	for i, l := range []*Layer{&one, &two} {
		var d dropout
		d.begin(l, 40, seed, step, i)
		d.apply(x.Data, 50, 0, 40, 0, 50)
	}
	return one.mask.Data, two.mask.Data
}

// The right share is dropped, what is kept makes up for it, and each unit, row, layer, step
// and seed is independent of the others.
func TestDropoutIsFair(t *testing.T) {
	for _, p := range []float64{0.125, 0.5, 0.9} {
		var all [][]float64
		for _, at := range []struct {
			seed uint64
			step int
		}{{1, 0}, {1, 1}, {2, 0}} {
			a, b := masks(at.seed, at.step, p)
			all = append(all, a, b)
		}
		all = append(all, append(slices.Clone(all[0][1:]), 0), append(slices.Clone(all[0][50:]), make([]float64, 50)...))
		for i, mask := range all {
			kept, slack := 0.0, 0.0
			if i >= 6 { // one is shifted
				slack = 50
			}
			for _, v := range mask {
				if v != 0 {
					kept++
				}
				if v != 0 && math.Abs(v*(1-p)-1) > 1e-4 {
					t.Fatalf("dropout %v: an output is scaled by %v", p, v)
				}
			}
			spread := math.Sqrt(2000 * p * (1 - p))
			if off := kept - 2000*(1-p); math.Abs(off) > 5*spread+slack {
				t.Errorf("dropout %v: %v of 2000 are kept", p, kept)
			}
			for _, other := range all[:i] {
				both := 0.0
				for j, v := range mask {
					if v != 0 && other[j] != 0 {
						both++
					}
				}
				if q := (1 - p) * (1 - p); math.Abs(both-2000*q) > 5*math.Sqrt(2000*q*(1-q))+slack {
					t.Errorf("dropout %v: masks share %v of 2000 outputs, want about %v", p, both, 2000*q)
				}
			}
		}
	}
}

// dropping returns a network of three layers that drop a half, one of them with
// normalisation, and the plans of its step 7.
func dropping(act *Activation, rows int) (Network, []layerPlan) {
	net := NewNetwork(3, LeCun, act, 5, 6, 4, 7, 3)
	rng := newRand()
	for i, l := range net {
		fill(&l.B, rng)
		if l.Dropout = 0.5; i == 1 {
			l.Norm = NewBatchNorm(4)
		}
	}
	net[3].Dropout = 0
	plans := make([]layerPlan, 4)
	for i, l := range net[:3] {
		d := new(dropout)
		d.begin(l, rows, 1, 7, i)
		plans[i].drop = d
	}
	return net, plans
}

// The gradient by weights and by the input with outputs dropped, and without.
func TestDropoutGradient(t *testing.T) {
	for _, act := range activations {
		net, plans := dropping(act, 6)
		rng := newRand()
		x, y := fill(NewMatrix(6, 5), rng), fill(NewMatrix(6, 3), rng)
		for i, plans := range [][]layerPlan{plans, make([]layerPlan, 4)} {
			var dy, dx Matrix
			loss := func() float64 { return SquaredError(nil, net.forward(x, plans), y) }
			SquaredError(&dy, net.forward(x, plans), y)
			net.backward(&dy, plans)
			what := fmt.Sprintf("%s, %d of 2", act.Name, i+1)
			closeTo(t, what+" x", net.InputGradient(&dx).Data, NumericalGradient(loss, x.Data, 1e-5))
			for i, l := range net {
				closeTo(t, fmt.Sprintf("%s W%d", what, i+1), l.DW.Data, NumericalGradient(loss, l.W.Data, 1e-5))
				closeTo(t, fmt.Sprintf("%s b%d", what, i+1), l.DB.Data, NumericalGradient(loss, l.B.Data, 1e-5))
			}
			closeTo(t, what+" gain", net[1].Norm.DGain.Data, NumericalGradient(loss, net[1].Norm.Gain.Data, 1e-5))
			if got, want := net[2].mask.Rows > 0, plans[2].drop != nil; got != want {
				t.Errorf("%s: dropped %t", what, got)
			}
		}
	}
}

// What is measured, Forward and Predict drop nothing.
func TestDropoutOnlyInSteps(t *testing.T) {
	net, _ := dropping(Tanh, 5)
	data := Samples{fill(NewMatrix(30, 5), newRand()), fill(NewMatrix(30, 3), newRand())}
	c := Config{Loss: SquaredError, Rate: 0.01, Epochs: 1, Batch: 5, Test: data, Held: data}
	h, err := Train(context.Background(), net, data, c)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := Evaluate(net, data, SquaredError)
	for _, got := range []float64{h[0].Loss, h[0].TestLoss, h[0].HeldLoss} {
		if got != want {
			t.Errorf("a loss of %v was measured, want %v", got, want)
		}
	}
	without := net.Clone()
	for _, l := range without {
		l.Dropout = 0
	}
	near(t, "Forward", net.Forward(data.X), clone(without.Forward(data.X)), 0)
	near(t, "Predict", net.Predict(new(Matrix), data.X), without.Predict(new(Matrix), data.X), 0)
}

func TestDropoutRefused(t *testing.T) {
	for at, want := range map[int]string{0: "layer 1 has Dropout 1, want a number from 0 to below 1", 1: "the last layer has Dropout, which would drop answers"} {
		net := NewNetwork(1, He, ReLU, 4, 3, 2)
		net[at].Dropout = 1 - 0.5*float64(at)
		_, err := Train(context.Background(), net, blobs(4), Config{Rate: 0.1, Epochs: 1, Batch: 2})
		if err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// Two networks, one on the other, have the gradients of one network, to the last bit.
func TestInputGradientJoins(t *testing.T) {
	whole := normalized(NewNetwork(1, He, Tanh, 4, 6, 5, 2))
	parted := whole.Clone()
	below, above := parted[:1], parted[1:]
	data := blobs(20)
	var dy, da Matrix
	SoftmaxCrossEntropy(&dy, whole.Forward(data.X), data.Y)
	whole.Backward(&dy)
	SoftmaxCrossEntropy(&dy, above.Forward(below.Forward(data.X)), data.Y)
	above.Backward(&dy)
	below.Backward(above.InputGradient(&da))
	for i := range whole {
		near(t, fmt.Sprintf("W%d", i+1), &parted[i].DW, &whole[i].DW, 0)
		near(t, fmt.Sprintf("b%d", i+1), &parted[i].DB, &whole[i].DB, 0)
	}
	defer func() {
		if got, want := recover(), "mlp: InputGradient: there was no Backward"; got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	below.Forward(data.X)
	below.InputGradient(&da)
}
