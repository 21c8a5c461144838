package mlp

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
)

// still is a loss that moves nothing.
func still(dy, y, _ *Matrix) float64 {
	if dy != nil {
		clear(dy.Reset(y.Rows, y.Cols).Data)
	}
	return 0
}

// Decay is the gradient of Decay/2·Σ W²: the biases have no part in it.
func TestDecay(t *testing.T) {
	plain, decayed := NewNetwork(1, He, Tanh, 4, 5, 2), NewNetwork(1, He, Tanh, 4, 5, 2)
	start := NewNetwork(1, He, Tanh, 4, 5, 2)
	c := Config{Rate: 0.5, Epochs: 1, Batch: 20}
	for net, decay := range map[*Network]float64{&plain: 0, &decayed: 0.25} {
		c.Decay = decay
		mustTrain(t, *net, blobs(20), c)
	}
	normal := normalized(NewNetwork(1, He, Tanh, 4, 5, 2))
	gain := normal[0].Norm.Gain.Clone()
	mustTrain(t, normal, blobs(20), Config{Loss: still, Rate: 0.5, Epochs: 1, Batch: 20, Decay: 0.25})
	near(t, "gain", &normal[0].Norm.Gain, gain, 0)
	for i, l := range decayed {
		for j, v := range l.W.Data {
			if want := plain[i].W.Data[j] - 0.5*0.25*start[i].W.Data[j]; math.Abs(v-want) > 1e-15 {
				t.Errorf("layer %d, weight %d is %v, want %v", i+1, j, v, want)
			}
		}
		if !slices.Equal(l.B.Data, plain[i].B.Data) {
			t.Errorf("layer %d: the decay moved the biases", i+1)
		}
	}
}

// AdamW's decay takes a share of each weight, but nothing from biases and gains.
func TestAdamWDecay(t *testing.T) {
	for _, batch := range []int{20, 2} {
		net, start := normalized(NewNetwork(1, He, Tanh, 4, 5, 2)), normalized(NewNetwork(1, He, Tanh, 4, 5, 2))
		c := Config{Loss: still, Optimizer: AdamW, Rate: 0.5, Epochs: 1, Batch: batch, Decay: 0.25}
		mustTrain(t, net, blobs(20), c)
		for i, l := range net {
			for j, v := range start[i].W.Data {
				start[i].W.Data[j] = v * math.Pow(1-0.5*0.25, 20/float64(batch))
			}
			near(t, "W", &l.W, &start[i].W, 1e-14)
			near(t, "b", &l.B, &start[i].B, 0)
		}
		near(t, "gain", &net[0].Norm.Gain, &start[0].Norm.Gain, 0)
	}
}

func TestSchedules(t *testing.T) {
	for i := range 1000 {
		p := float64(i) / 1000
		if got, want := Cosine(p), (1+math.Cos(math.Pi*p))/2; math.Abs(got-want) > 5e-16 {
			t.Errorf("cosine of %v is %v, want %v", p, got, want)
		}
	}
	// Of 8 steps by a constant gradient the first four are whole, two a tenth, two a hundredth.
	w := NewMatrix(1, 1)
	net := Network{{W: *w, B: *NewMatrix(1, 1), Act: Linear}}
	pull := func(dy, y, want *Matrix) float64 {
		if dy != nil {
			dy.Reset(1, 1).Data[0] = 1
		}
		return 0
	}
	_, err := Train(context.Background(), net, Samples{NewMatrix(2, 1, 1, 1), NewMatrix(2, 1)},
		Config{Loss: pull, Rate: 1, Schedule: StepDecay, Epochs: 4, Batch: 1})
	if got := net[0].W.Data[0]; err != nil || math.Abs(got+4.22) > 1e-15 {
		t.Errorf("went %v, want -4.22 (%v)", got, err)
	}
}

// A warm-up rises to 1 and then takes the whole course of the other schedule.
func TestWarmup(t *testing.T) {
	s := Warmup(0.2, StepDecay)
	for progress, want := range map[float64]float64{0: 0.05, 0.1: 0.525, 0.2: 1, 0.59: 1, 0.61: 0.1, 0.79: 0.1, 0.81: 0.01} {
		if got := s(progress); math.Abs(got-want) > 1e-15 {
			t.Errorf("factor %v at %v, want %v", got, progress, want)
		}
	}
	if s := Warmup(0, Cosine); s(0.3) != Cosine(0.3) {
		t.Error("a warm-up of no length is not the other schedule")
	}
	if got := panicOf(func() { Warmup(1, Cosine) }); got != "mlp: Warmup: a share of 1, want 0 to below 1" {
		t.Errorf("panic %q", got)
	}
}

// On a parabola the losses, and what follows from them, are those of a loop that multiplies the rate
// by a factor in each step.
func TestRangeTest(t *testing.T) {
	const n, lowest, highest = 40, 1e-2, 1e2
	net := Network{{W: *NewMatrix(1, 1, 3), B: *NewMatrix(1, 1), Act: Linear, Dropout: 0}}
	before := net.Fingerprint()
	data := Samples{NewMatrix(1, 1, 1), NewMatrix(1, 1)} // the loss is (w+b)²
	r, err := RangeTest(context.Background(), net, data, Config{Loss: SquaredError, Epochs: n, Batch: 1}, lowest, highest)
	if err != nil {
		t.Fatal(err)
	}
	sum, smooth, weight, least, at := 3.0, 0.0, 0.0, 9.0, 0.0
	for i, loss := range r.Losses {
		rate := lowest * math.Pow(highest/lowest, float64(i)/n)
		smooth, weight = 0.9*smooth+sum*sum, 0.9*weight+1
		near(t, "rate", scalar(r.Rates[i]), scalar(rate), 1e-13)
		near(t, "loss", scalar(loss), scalar(sum*sum), 1e-9)
		near(t, "smooth", scalar(r.Smooth[i]), scalar(smooth/weight), 1e-9)
		if last := smooth/weight > 2*9; last != (i == len(r.Losses)-1) {
			t.Errorf("it ends after step %d of %d", len(r.Losses), i+1)
		}
		if smooth/weight < least {
			least, at = smooth/weight, rate
		}
		sum -= rate * 2 * 2 * sum // w and b each move by rate·2·sum
	}
	if n := len(r.Losses); n < 10 || n > 35 {
		t.Errorf("it ends after %d steps", n)
	}
	near(t, "suggestion", scalar(r.Suggestion()), scalar(at/3), 1e-13)
	if net.Fingerprint() != before {
		t.Error("the network is not as it was")
	}
	if s := new(RateTest).Suggestion(); s == s {
		t.Errorf("without a step it suggests %v", s)
	}
	_, err = RangeTest(context.Background(), net, data, Config{Loss: SquaredError, Epochs: n, Batch: 1}, 1, 1)
	if fmt.Sprint(err) != "rates from 1 to 1, want finite numbers above 0 that rise" {
		t.Errorf("error %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err = RangeTest(ctx, net, data, Config{Loss: SquaredError, Epochs: n, Batch: 1}, 1, 2); err != context.Canceled {
		t.Errorf("error %v", err)
	}
}
