package mlp

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
)

// uneven returns samples with whole weights, and the same samples without weights, each as
// often as its weight says.
func uneven(n int) (weighted WeightedSamples, repeated Samples) {
	data, rng := blobs(n), newRand()
	weighted.Samples = data
	var index []int
	for i := range n {
		w := rng.IntN(4)
		weighted.W = append(weighted.W, float64(w))
		index = append(index, slices.Repeat([]int{i}, w)...)
	}
	repeated = Samples{new(Matrix), new(Matrix)}
	data.Batch(repeated.X, repeated.Y, index)
	return weighted, repeated
}

// A weight of 2 is the sample twice, except that the mean is over fewer samples.
func TestWeightsRepeat(t *testing.T) {
	for _, l := range losses {
		weighted, repeated := uneven(300)
		ratio := float64(repeated.Len()) / float64(weighted.Len())
		train := func(data Dataset, rate float64) (Network, Epoch) {
			net := NewNetwork(1, He, Tanh, 4, 5, 2)
			h, err := Train(context.Background(), net, data, Config{Loss: l.loss, Rate: rate, Epochs: 5, Batch: data.Len(), InOrder: true, Test: data})
			if err != nil {
				t.Fatal(err)
			}
			return net, h[4]
		}
		a, of := train(weighted, 0.3/ratio)
		b, want := train(repeated, 0.3)
		for i := range a {
			near(t, fmt.Sprintf("%s W%d", l.name, i+1), &a[i].W, &b[i].W, 1e-12)
			near(t, fmt.Sprintf("%s b%d", l.name, i+1), &a[i].B, &b[i].B, 1e-12)
		}
		for _, got := range []float64{of.Loss, of.TestLoss} {
			if math.Abs(got-want.Loss*ratio) > 1e-12 {
				t.Errorf("%s: the loss is %v, want %v", l.name, got, want.Loss*ratio)
			}
		}
	}
}

// Weights of 1 change nothing but the rounding of the sums over rows.
func TestWeightsOfOne(t *testing.T) {
	data := blobs(300)
	weighted := WeightedSamples{data, slices.Repeat([]float64{1}, 300)}
	net := NewNetwork(1, He, Tanh, 4, 5, 2)
	for _, l := range losses {
		a, _ := Evaluate(net, data, l.loss)
		b, _ := Evaluate(net, weighted, l.loss)
		if math.Abs(a-b) > 1e-14 {
			t.Errorf("%s: %v, with weights of 1 %v", l.name, a, b)
		}
	}
}

// blind has samples of the same weights in each epoch, which does not say so.
type blind struct{ WeightedSamples }

func (b blind) Epoch(int) Dataset { return b.Samples }

// An augmented data set keeps its weights, or has those of the epoch.
func TestWeightsAugmented(t *testing.T) {
	weighted, _ := uneven(60)
	c := Config{Rate: 0.1, Epochs: 2, Batch: 10}
	var prints []string
	for _, data := range []Dataset{weighted, blind{weighted}, weighted.Samples} {
		net := NewNetwork(1, He, Tanh, 4, 5, 2)
		if _, err := Train(context.Background(), net, data, c); err != nil {
			t.Fatal(err)
		}
		prints = append(prints, net.Fingerprint())
	}
	if prints[0] != prints[1] || prints[0] == prints[2] {
		t.Error("the weights of an augmented data set are lost, or those of any")
	}
}

// The weighted logistic regression of scikit-learn is a network without hidden layers.
func TestWeightsSklearn(t *testing.T) {
	c := reference(t, "sklearn.json", "logistic_regression")
	net := NewNetwork(1, Small, ReLU, 2, 1)
	n := c.In["X"].Rows
	data := WeightedSamples{Samples{c.In["X"], NewMatrix(n, 1, c.In["c"].Data...)}, c.In["weights"].Data}
	h, err := Train(context.Background(), net, data, Config{Loss: SigmoidCrossEntropy, Optimizer: Momentum, Rate: 0.3, Epochs: 500, Batch: n})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "W", &net[0].W, c.Out["W"], 1e-6)
	near(t, "b", &net[0].B, c.Out["b"], 1e-6)
	near(t, "the loss", scalar(h[499].Loss), c.Out["loss"], 1e-9)

	c = reference(t, "sklearn.json", "balanced")
	near(t, "balanced", NewMatrix(1, n, BalancedWeights(NewMatrix(n, 1, c.In["c"].Data...))...), c.Out["weights"], 1e-15)
	classes := make([]int, n)
	for i, v := range c.In["c"].Data {
		classes[i] = 2 * int(v) // of three classes one has no row
	}
	near(t, "balanced", NewMatrix(1, n, BalancedWeights(OneHot(classes, 3))...), c.Out["weights"], 1e-15)
}

// Of three classes each counts a third, however many rows it has.
func TestBalancedWeights(t *testing.T) {
	got := BalancedWeights(OneHot([]int{0, 1, 1, 2, 2, 2}, 3))
	near(t, "weights", NewMatrix(1, 6, got...), NewMatrix(1, 6, 2, 1, 1, 2./3, 2./3, 2./3), 1e-15)
}

func TestWeightsRefused(t *testing.T) {
	data := WeightedSamples{blobs(3), []float64{1, math.NaN(), 1}}
	c := Config{Rate: 0.1, Epochs: 1, Batch: 2}
	_, err := Train(context.Background(), NewNetwork(1, He, ReLU, 4, 2), data, c)
	if want := "train: the weight of sample 1 is NaN, want a finite number from 0"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	c.Test = data
	_, err = Train(context.Background(), NewNetwork(1, He, ReLU, 4, 2), blobs(3), c)
	if want := "Test: the weight of sample 1 is NaN, want a finite number from 0"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestSmoothLabels(t *testing.T) {
	near(t, "three classes", SmoothLabels(OneHot([]int{2, 0}, 3), 0.3), NewMatrix(2, 3, 0.1, 0.1, 0.8, 0.8, 0.1, 0.1), 1e-15)
	near(t, "yes and no", SmoothLabels(NewMatrix(2, 1, 0, 1), 0.2), NewMatrix(2, 1, 0.1, 0.9), 1e-15)
}
