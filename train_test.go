package mlp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// blobs is a data set of two classes that a line parts.
func blobs(n int) Samples {
	rng := newRand()
	s := Samples{fill(NewMatrix(n, 4), rng), NewMatrix(n, 2)}
	for i := range n {
		c := i % 2
		s.X.Row(i)[0] += float64(4*c - 2)
		s.Y.Row(i)[c] = 1
	}
	return s
}

// counting notes which samples each batch asks for.
type counting struct {
	Samples
	batches [][]int
}

func (c *counting) Batch(x, y *Matrix, index []int) {
	c.batches = append(c.batches, slices.Clone(index))
	c.Samples.Batch(x, y, index)
}

func TestTrainSeesEverySampleOnce(t *testing.T) {
	data := &counting{Samples: blobs(10)}
	net := NewNetwork(1, Inits["he"], ReLU, 4, 3, 2)
	if _, err := Train(context.Background(), net, data, Config{Rate: 0.1, Epochs: 2, Batch: 4, Seed: 7}); err != nil {
		t.Fatal(err)
	}
	var orders [][]int
	for e := range 2 { // three batches, then the measurement
		b := data.batches[4*e:][:3]
		if len(b[0]) != 4 || len(b[1]) != 4 || len(b[2]) != 2 {
			t.Errorf("batches of %d, %d and %d samples", len(b[0]), len(b[1]), len(b[2]))
		}
		orders = append(orders, slices.Concat(b...))
		if sorted := slices.Sorted(slices.Values(orders[e])); !slices.Equal(sorted, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("epoch %d sees %v", e+1, sorted)
		}
	}
	if slices.Equal(orders[0], orders[1]) {
		t.Error("two epochs have the same order")
	}
}

func TestTrainInOrder(t *testing.T) {
	data := &counting{Samples: blobs(5)}
	if _, err := Train(context.Background(), NewNetwork(1, Inits["he"], ReLU, 4, 2), data,
		Config{Rate: 0.1, Epochs: 1, Batch: 3, InOrder: true}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(data.batches[:2]); got != "[[0 1 2] [3 4]]" {
		t.Errorf("batches %s", got)
	}
}

// Every place is as likely for a sample as any other.
func TestShuffleIsFair(t *testing.T) {
	const n, epochs = 6, 6000
	var counts [n][n]float64
	index := make([]int, n)
	for e := range epochs {
		order(index, 1, e, false)
		for place, sample := range index {
			counts[place][sample]++
		}
	}
	chi := 0.0
	for _, row := range counts {
		for _, c := range row {
			chi += (c - epochs/n) * (c - epochs/n) / (epochs / n)
		}
	}
	if chi > 52.6 { // 25 degrees of freedom: one in a thousand
		t.Errorf("χ² = %.1f", chi)
	}
}

// The loss and the accuracy of an epoch are those of the weights at its end.
func TestHistoryIsOfFinalWeights(t *testing.T) {
	data := blobs(300)
	net := NewNetwork(1, Inits["he"], ReLU, 4, 3, 2)
	seen := 0
	h, err := Train(context.Background(), net, data, Config{Rate: 0.1, Epochs: 3, Batch: 7, Test: blobs(50),
		OnEpoch: func(e Epoch) error {
			seen++
			y := net.Forward(data.X)
			if want := SoftmaxCrossEntropy(nil, y, data.Y); math.Abs(e.Loss-want) > 1e-14 || e.N != seen {
				t.Errorf("epoch %d: loss %v, want %v", e.N, e.Loss, want)
			}
			if want := float64(hits(y, data.Y)) / 300; e.Accuracy != want {
				t.Errorf("epoch %d: accuracy %v, want %v", e.N, e.Accuracy, want)
			}
			if loss, accuracy := Evaluate(net, blobs(50), nil); e.TestLoss != loss || e.TestAccuracy != accuracy {
				t.Errorf("epoch %d: test %v %v, want %v %v", e.N, e.TestLoss, e.TestAccuracy, loss, accuracy)
			}
			return nil
		}})
	if err != nil || len(h) != 3 || seen != 3 || h[2].Accuracy < 0.99 {
		t.Errorf("history %v, error %v", h, err)
	}
}

// The optimizers, each updating while the gradient is in the cache, give what
// Forward, Backward and one update afterwards give.
func TestFusedUpdate(t *testing.T) {
	for name, rule := range Optimizers {
		data := blobs(64)
		a, b := NewNetwork(1, Inits["he"], Tanh, 4, 300, 70, 2), NewNetwork(1, Inits["he"], Tanh, 4, 300, 70, 2)
		c := Config{Optimizer: rule, Rate: 0.01, Epochs: 1, Batch: 64, InOrder: true}
		ta, err := newTrainer(a, data, c)
		if err != nil {
			t.Fatal(err)
		}
		tb, _ := newTrainer(b, data, c)
		tb.release()
		order(ta.order, 1, 1, true)
		for range 3 {
			ta.step(ta.order)
			var dy Matrix
			tb.next(tb.Config.Rate)
			SoftmaxCrossEntropy(&dy, b.Forward(data.X), data.Y)
			b.Backward(&dy)
			for _, l := range b {
				tb.chunk(l, 0, l.W.Rows, 0, l.W.Cols)
			}
		}
		if a.Fingerprint() != b.Fingerprint() {
			t.Errorf("%s: the fused update differs", name)
		}
	}
}

func TestTrainStops(t *testing.T) {
	data := blobs(40)
	c := Config{Rate: 0.1, Epochs: 5, Batch: 4}
	net := NewNetwork(1, Inits["he"], ReLU, 4, 2)

	ctx, cancel := context.WithCancel(context.Background())
	c.OnEpoch = func(e Epoch) error {
		if e.N == 2 {
			cancel()
		}
		return nil
	}
	if h, err := Train(ctx, net, data, c); len(h) != 2 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled after epoch 2: %d epochs, error %v", len(h), err)
	}
	full := errors.New("disk full")
	c.OnEpoch = func(Epoch) error { return full }
	if h, err := Train(context.Background(), net, data, c); len(h) != 1 || err != full {
		t.Errorf("callback failed: %d epochs, error %v", len(h), err)
	}
	c.OnEpoch, c.Rate = nil, 1e200
	net = NewNetwork(1, Inits["he"], ReLU, 4, 3, 2)
	var diverged *DivergedError
	if _, err := Train(context.Background(), net, data, c); !errors.As(err, &diverged) || diverged.Epoch < 1 || diverged.Batch < 1 {
		t.Errorf("a rate of 1e200: error %v", err)
	}
	for _, bad := range []Config{{Rate: 0, Batch: 1}, {Rate: math.NaN(), Batch: 1}, {Rate: 1, Batch: 0}} {
		if _, err := Train(context.Background(), net, data, bad); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

func TestStepDoesNotAllocate(t *testing.T) {
	train, _, err := sampleDigits()
	if err != nil {
		t.Fatal(err)
	}
	for name, rule := range Optimizers {
		net := NewNetwork(1, Inits["small"], ReLU, Pixels, 256, 128, Classes)
		tr, err := newTrainer(net, train, Config{Optimizer: rule, Rate: 0.1, Epochs: 1, Batch: 64})
		if err != nil {
			t.Fatal(err)
		}
		index := order(tr.order, 1, 1, false)[:64]
		tr.step(index)
		if n := testing.AllocsPerRun(20, func() { tr.step(index) }); n > 0 {
			t.Errorf("a step by %s allocates %v times", name, n)
		}
	}
}

// The same weights come out with any number of threads and any kernel.
func TestOneHash(t *testing.T) {
	data := blobs(100)
	want := ""
	eachKernel(t, func(t *testing.T) {
		for _, procs := range []int{1, 2, 7} {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			net := NewNetwork(1, Inits["he"], Tanh, 4, 200, 100, 2)
			if _, err := Train(context.Background(), net, data, Config{Rate: 0.1, Epochs: 3, Batch: 33}); err != nil {
				t.Fatal(err)
			}
			got := net.Fingerprint()
			if want == "" {
				want = got
			}
			if got != want {
				t.Errorf("%s with %d threads: %s, want %s", Kernel(), procs, got, want)
			}
		}
	})
}

// Two networks train side by side, and no goroutine is left behind.
func TestTrainSideBySide(t *testing.T) {
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	prints := make([]string, 4)
	for i := range prints {
		wg.Add(1)
		go func() {
			defer wg.Done()
			net := NewNetwork(1, Inits["he"], ReLU, 4, 200, 100, 2)
			if _, err := Train(context.Background(), net, blobs(100), Config{Rate: 0.1, Epochs: 3, Batch: 33}); err != nil {
				t.Error(err)
			}
			prints[i] = net.Fingerprint()
		}()
	}
	wg.Wait()
	for _, p := range prints {
		if p != prints[0] {
			t.Errorf("weights %s and %s", p, prints[0])
		}
	}
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// sampleDigits is the sample, standardized.
func sampleDigits() (train, test *MNIST, err error) {
	if train, err = LoadMNIST(Sample(), "train"); err != nil {
		return nil, nil, err
	}
	if test, err = LoadMNIST(Sample(), "t10k"); err != nil {
		return nil, nil, err
	}
	mean, std := train.Stats()
	train.Standardize(mean, std)
	test.Standardize(mean, std)
	return train, test, nil
}

func BenchmarkStep(b *testing.B) {
	b.Run("net=784-256-128-10/batch=64", func(b *testing.B) {
		train, _, err := sampleDigits()
		if err != nil {
			b.Fatal(err)
		}
		net := NewNetwork(1, Inits["small"], ReLU, Pixels, 256, 128, Classes)
		t, err := newTrainer(net, train, Config{Rate: 0.1, Epochs: 1, Batch: 64})
		if err != nil {
			b.Fatal(err)
		}
		order(t.order, 1, 1, false)
		at := 0
		t.step(t.order[:64]) // makes the buffers
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			if at+64 > len(t.order) {
				at = 0
			}
			t.step(t.order[at : at+64])
			at += 64
		}
		samples := 64 * float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(samples, "samples/s")
		b.ReportMetric(samples*1007104/1e9, "GFLOP/s")
	})
}
