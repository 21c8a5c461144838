package mlp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
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

// atEpoch returns an OnEpoch that calls do after epoch n.
func atEpoch(n int, do func()) func(Epoch) error {
	return func(e Epoch) error {
		if e.N == n {
			do()
		}
		return nil
	}
}

// mustTrain is Train, which must end without an error.
func mustTrain(t testing.TB, net Network, train Dataset, c Config) History {
	t.Helper()
	h, err := Train(context.Background(), net, train, c)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// mustTrainer is newTrainer, which must end without an error. The trainer's batches are of train.
func mustTrainer(t testing.TB, net Network, train Dataset, c Config) *trainer {
	t.Helper()
	tr, err := newTrainer(net, train, c)
	if err != nil {
		t.Fatal(err)
	}
	tr.batch = train
	return tr
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
	net := NewNetwork(1, He, ReLU, 4, 3, 2)
	mustTrain(t, net, data, Config{Rate: 0.1, Epochs: 2, Batch: 4, Seed: 7})
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
	mustTrain(t, NewNetwork(1, He, ReLU, 4, 2), data,
		Config{Rate: 0.1, Epochs: 1, Batch: 3, InOrder: true})
	if got := fmt.Sprint(data.batches[:2]); got != "[[0 1 2] [3 4]]" {
		t.Errorf("batches %s", got)
	}
}

// The loss and the accuracy of an epoch are those of the weights at its end.
func TestHistoryIsOfFinalWeights(t *testing.T) {
	data := blobs(300)
	net := NewNetwork(1, He, ReLU, 4, 3, 2)
	seen := 0
	h, err := Train(context.Background(), net, data, Config{Rate: 0.1, Epochs: 3, Batch: 7, Test: blobs(50),
		OnEpoch: func(e Epoch) error {
			seen++
			y := net.Forward(data.X)
			if want := SoftmaxCrossEntropy(nil, y, data.Y); math.Abs(e.Loss-want) > 1e-14 || e.N != seen {
				t.Errorf("epoch %d: loss %v, want %v", e.N, e.Loss, want)
			}
			if want := Accuracy.Of(y, data.Y); e.Metric != want {
				t.Errorf("epoch %d: accuracy %v, want %v", e.N, e.Metric, want)
			}
			if loss, accuracy := Evaluate(net, blobs(50), nil); e.TestLoss != loss || e.TestMetric != accuracy {
				t.Errorf("epoch %d: test %v %v, want %v %v", e.N, e.TestLoss, e.TestMetric, loss, accuracy)
			}
			return nil
		}})
	if err != nil || len(h) != 3 || seen != 3 || h[2].Metric < 0.99 {
		t.Errorf("history %v, error %v", h, err)
	}
}

// A step, with and without the inputs that are always zero, is what Forward, Backward and one
// call of the optimizer for each array give.
func TestStep(t *testing.T) {
	for name, rule := range optimizers {
		data := blobs(64)
		for i := range data.X.Rows {
			data.X.Row(i)[1] = 0
		}
		a, b := NewNetwork(1, He, Tanh, 4, 1100, 70, 2), NewNetwork(1, He, Tanh, 4, 1100, 70, 2)
		ta := mustTrainer(t, a, data, Config{Optimizer: rule, Rate: 0.01, Epochs: 1, Batch: 6, InOrder: true})
		running := map[*Matrix][2][]float64{}
		order := shuffle(make([]int, data.Len()), 1, 1, true)
		for s := range 4 {
			if ta.contract(); s%2 == 1 {
				ta.expand()
			}
			ta.step(order, nil)
			backprop(b, data.X, data.Y)
			for _, p := range b.parts() {
				n := len(p.array.Data)
				if s == 0 {
					running[p.array] = [2][]float64{make([]float64, n), make([]float64, n)}
				}
				rule.Update(p.array.Data, p.gradient.Data, running[p.array][0], running[p.array][1], OptimizerStep{N: s + 1, Rate: 0.01, Beta1: 0.9})
			}
		}
		ta.expand()
		if a.Fingerprint() != b.Fingerprint() {
			t.Errorf("%s: a step differs from its parts", name)
		}
	}
}

// A step by a clipped gradient is as long as the clip says and points the same
// way; a clip that is not reached changes no bit.
func TestClip(t *testing.T) {
	data := blobs(20)
	train := func(clip float64) (moved []float64) {
		net, start := NewNetwork(1, He, Tanh, 4, 5, 2), NewNetwork(1, He, Tanh, 4, 5, 2)
		mustTrain(t, net, data, Config{Rate: 0.5, Epochs: 1, Batch: 20, Clip: clip})
		from := start.parts()
		for i, p := range net.parts() {
			for j, v := range p.array.Data {
				moved = append(moved, v-from[i].array.Data[j])
			}
		}
		return moved
	}
	free, tight := train(0), train(0.01)
	loose := train(1.5 * norm(free) / 0.5)
	if !slices.Equal(free, loose) {
		t.Error("a clip that is not reached changes the step")
	}
	if got := norm(tight); math.Abs(got-0.5*0.01) > 1e-12 {
		t.Errorf("a step of length %v, want %v", got, 0.5*0.01)
	}
	for i, v := range tight {
		if want := free[i] * 0.5 * 0.01 / norm(free); math.Abs(v-want) > 1e-12 {
			t.Errorf("element %d moved %v, want %v", i, v, want)
		}
	}
	// A gradient whose squares overflow is clipped as any other.
	cliff := func(dy, y, _ *Matrix) float64 {
		if dy != nil {
			for i := range dy.Reset(y.Rows, y.Cols).Data {
				dy.Data[i] = 1e200
			}
		}
		return 1
	}
	net := NewNetwork(1, He, Tanh, 4, 2)
	before := slices.Clone(net[0].B.Data)
	mustTrain(t, net, Samples{NewMatrix(1, 4), NewMatrix(1, 2)},
		Config{Loss: cliff, Rate: 0.5, Epochs: 1, Batch: 1, Clip: 0.01})
	axpy(before, net[0].B.Data, -1)
	if got := norm(before); math.Abs(got-0.5*0.01) > 1e-12 {
		t.Errorf("off the cliff a step of length %v, want %v", got, 0.5*0.01)
	}
}

// An epoch that Measure leaves out has no loss, but it has statistics of the layers. A run
// that went on after its last epoch has the history of one that never stopped.
func TestMeasure(t *testing.T) {
	train := func(r *Run, net Network, epochs int) {
		t.Helper()
		mustTrain(t, net, blobs(300), Config{Rate: 0.1, Epochs: epochs, Batch: 50, Measure: 3, Test: blobs(10), Run: r})
	}
	var whole, stopped, every Run
	a, b := NewNetwork(1, He, ReLU, 4, 3, 2), NewNetwork(1, He, ReLU, 4, 3, 2)
	train(&whole, a, 7)
	train(&stopped, b, 4)
	if h := stopped.History; h[3].Loss != h[3].Loss {
		t.Error("the last epoch is not measured")
	}
	train(&stopped, b, 7)
	net := NewNetwork(1, He, ReLU, 4, 3, 2)
	mustTrain(t, net, blobs(300), Config{Rate: 0.1, Epochs: 7, Batch: 50, Test: blobs(10), Run: &every})
	for i, e := range whole.History {
		want := every.History[i]
		if n := i + 1; n != 3 && n != 6 && n != 7 {
			want.Loss, want.Metric = math.NaN(), math.NaN()
		}
		for _, other := range []Epoch{want, stopped.History[i]} {
			if got, want := fmt.Sprint(e), fmt.Sprint(other); got != want {
				t.Errorf("epoch %s, want %s", got, want)
			}
		}
	}
}

// OnStep hears of each step of the run, also after it was resumed.
func TestOnStep(t *testing.T) {
	var run Run
	var heard []string
	c := Config{Rate: 0.1, Schedule: StepDecay, Epochs: 1, Batch: 2, Run: &run,
		OnStep: func(n int, loss, rate float64) { heard = append(heard, fmt.Sprintf("%d %.3g %t", n, rate, loss > 0)) }}
	net := NewNetwork(1, He, ReLU, 4, 2)
	for range 2 {
		mustTrain(t, net, blobs(4), c)
		c.Epochs++
	}
	if got, want := fmt.Sprint(heard), "[1 0.1 true 2 0.01 true 3 0.01 true 4 0.001 true]"; got != want {
		t.Errorf("heard %s, want %s", got, want)
	}
}

// overfitted are few samples of noise and others of the same noise: the loss
// on the others falls little and soon rises.
func overfitted() (train, held Samples) {
	all := blobs(60)
	rng := newRand()
	for i := range 60 {
		all.X.Row(i)[0] += 6 * (rng.Float64() - 0.5)
	}
	rows := func(lo, hi int) Samples {
		return Samples{new(Matrix).setRows(all.X, lo, hi), new(Matrix).setRows(all.Y, lo, hi)}
	}
	return rows(0, 20), rows(20, 60)
}

// Whatever ends the run, the network has the weights of the epoch that was the
// best on the held-out samples.
func TestPatience(t *testing.T) {
	train, held := overfitted()
	halt := errors.New("halt")
	for name, c := range map[string]Config{
		"patience":  {Patience: 5, Epochs: 1000},
		"epochs":    {Patience: 100, Epochs: 90},
		"callback":  {Patience: 100, Epochs: 1000, OnEpoch: func(e Epoch) error { return map[bool]error{true: halt}[e.N == 80] }},
		"cancelled": {Patience: 100, Epochs: 1000},
	} {
		c.Rate, c.Batch, c.Validation = 1, 5, held
		ctx, cancel := context.WithCancel(context.Background())
		net := NewNetwork(1, He, Tanh, 4, 20, 2)
		if name == "cancelled" {
			c.OnEpoch = atEpoch(80, cancel)
		}
		then, best := c.OnEpoch, math.Inf(1)
		c.OnEpoch = func(e Epoch) error {
			best = min(best, e.ValidationLoss)
			if loss, _ := Evaluate(net, held, nil); loss != best {
				t.Errorf("%s: after epoch %d the network's loss is %v, the best was %v", name, e.N, loss, best)
			}
			if then != nil {
				return then(e)
			}
			return nil
		}
		h, err := Train(ctx, net, train, c)
		cancel()
		if loss, _ := Evaluate(net, held, nil); loss != best || loss != h.Best().ValidationLoss || h.Best().N == len(h) {
			t.Errorf("%s: the network's loss is %v, the best %v was epoch %d of %d", name, loss, best, h.Best().N, len(h))
		}
		wantErr := map[string]error{"callback": halt, "cancelled": context.Canceled}[name]
		if err != wantErr || name == "patience" && len(h) != h.Best().N+5 {
			t.Errorf("%s: %d epochs, the best is %d, error %v", name, len(h), h.Best().N, err)
		}
	}
	if _, err := Train(context.Background(), NewNetwork(1, He, Tanh, 4, 2), train,
		Config{Rate: 1, Batch: 5, Epochs: 1, Patience: 1}); err == nil {
		t.Error("patience with nothing held out was taken")
	}
}

// A run that was stopped goes on to the weights and the end that it would have had.
func TestPatienceGoesOn(t *testing.T) {
	train, held := overfitted()
	c := Config{Rate: 1, Batch: 5, Validation: held, Patience: 5, Epochs: 1000, Optimizer: Momentum}
	straight := NewNetwork(1, He, Tanh, 4, 20, 2)
	want := mustTrain(t, straight, train, c)
	for _, stop := range []int{1, want.Best().N, len(want) - 1} {
		m := &Model{Net: NewNetwork(1, He, Tanh, 4, 20, 2)}
		first := c
		first.Epochs, first.Run = stop, &m.Run
		mustTrain(t, m.Net, train, first)
		m, err := read(written(t, m))
		if err != nil {
			t.Fatal(err)
		}
		rest := c
		rest.Run = &m.Run
		got, err := Train(context.Background(), m.Net, train, rest)
		if err != nil || m.Net.Fingerprint() != straight.Fingerprint() || len(got) != len(want) || got.Best().N != want.Best().N {
			t.Errorf("stopped after %d: %d epochs, want %d (%v)", stop, len(got), len(want), err)
		}
	}
}

// A run that goes on without Patience goes on from its last weights, not from its best.
func TestPatienceEnds(t *testing.T) {
	train, held := overfitted()
	c := Config{Rate: 1, Batch: 5, Validation: held, Epochs: 90, Optimizer: Momentum}
	straight := NewNetwork(1, He, Tanh, 4, 20, 2)
	mustTrain(t, straight, train, c)
	m := &Model{Net: NewNetwork(1, He, Tanh, 4, 20, 2)}
	c.Epochs, c.Patience, c.Run = 80, 100, &m.Run
	if h, err := Train(context.Background(), m.Net, train, c); err != nil || h.Best().N == 80 {
		t.Fatalf("the best epoch is the last of %d, error %v", len(h), err)
	}
	c.Epochs, c.Patience = 90, 0
	before := written(t, m)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Train(cancelled, m.Net, train, c); err != context.Canceled || !bytes.Equal(written(t, m), before) {
		t.Errorf("cancelled at once: error %v, or another model than before", err)
	}
	if _, err := Train(context.Background(), m.Net, train, c); err != nil || m.Net.Fingerprint() != straight.Fingerprint() || m.Run.last != nil {
		t.Errorf("error %v, %d arrays of last weights, or other weights than straight on", err, len(m.Run.last))
	}
}

// After Train the network keeps nothing of its data.
func TestNetworkForgetsData(t *testing.T) {
	net := NewNetwork(1, He, ReLU, 4, 2)
	freed := make(chan bool)
	func() {
		data := &counting{Samples: blobs(9)}
		runtime.SetFinalizer(data, func(*counting) { close(freed) })
		mustTrain(t, net, data, Config{Rate: 0.1, Batch: 3, Epochs: 1})
	}()
	for range 5 {
		runtime.GC()
	}
	select {
	case <-freed:
	case <-time.After(5 * time.Second):
		t.Error("the data set is still reachable")
	}
	runtime.KeepAlive(net)
}

// Patience does not wait for a loss that is not a number.
func TestHeldNaN(t *testing.T) {
	held := blobs(9)
	held.X.Data[0] = math.NaN()
	_, err := Train(context.Background(), NewNetwork(1, He, ReLU, 4, 2), blobs(9), Config{Rate: 0.1, Batch: 3, Epochs: 5, Validation: held, Patience: 2})
	var diverged *DivergedError
	if !errors.As(err, &diverged) || err.Error() != "the loss on Validation is NaN at epoch 1, batch 3: training has diverged" {
		t.Errorf("error %v", err)
	}
}

// However long the batches and short the epochs, Train's steps are those of step.
func TestTrainSteps(t *testing.T) {
	for _, c := range []struct{ batch, steps int }{{600, 10}, {512, 10}, {7, 3}, {5, 20}} {
		data := blobs(c.batch * c.steps)
		a, b := NewNetwork(1, He, Tanh, 4, 150, 2), NewNetwork(1, He, Tanh, 4, 150, 2)
		config := Config{Optimizer: Adam, Rate: 0.01, Epochs: 1, Batch: c.batch, InOrder: true}
		mustTrain(t, a, data, config)
		tb := mustTrainer(t, b, data, config)
		order := shuffle(make([]int, data.Len()), 1, 1, true)
		for s := range c.steps {
			tb.step(order[s*c.batch:(s+1)*c.batch], nil)
		}
		if a.Fingerprint() != b.Fingerprint() {
			t.Errorf("%v: the weights are not those of so many steps", c)
		}
	}
}

// However an epoch is interrupted, the network and the run are those of the epoch
// before, and can go on to the weights of a run that was not interrupted.
func TestInterruptedEpoch(t *testing.T) {
	train, held := overfitted()
	for _, how := range []string{"cancelled", "diverged", "panicked"} {
		for _, patience := range []int{0, 5} {
			c := Config{Rate: 0.1, Batch: 2, Epochs: 8, Optimizer: Adam, Beta1: 0.8}
			if patience > 0 {
				c.Validation, c.Patience = held, patience
			}
			straight := normalized(NewNetwork(1, He, Tanh, 4, 20, 2))
			mustTrain(t, straight, train, c)
			m := &Model{Net: normalized(NewNetwork(1, He, Tanh, 4, 20, 2))}
			c.Run = &m.Run
			ctx, cancel := context.WithCancel(context.Background())
			var afterThree []byte
			steps := 0
			broken := c
			broken.OnEpoch = atEpoch(3, func() { afterThree = written(t, m) })
			broken.Loss = func(dy, y, want *Matrix) float64 {
				loss := SoftmaxCrossEntropy(dy, y, want)
				if afterThree == nil {
					return loss
				}
				if steps++; steps == 6 {
					switch how {
					case "cancelled":
						cancel()
					case "diverged":
						return math.NaN()
					case "panicked":
						panic("enough")
					}
				}
				return loss
			}
			panicOf(func() { Train(ctx, m.Net, train, broken) })
			cancel()
			what := fmt.Sprintf("%s, patience %d", how, patience)
			if !bytes.Equal(written(t, m), afterThree) || steps != 6 {
				t.Errorf("%s: the model is not that of epoch 3 (%d steps of epoch 4)", what, steps)
			}
			if h, err := Train(context.Background(), m.Net, train, c); err != nil || m.Net.Fingerprint() != straight.Fingerprint() {
				t.Errorf("%s: goes on to other weights, %d epochs, error %v", what, len(h), err)
			}
		}
	}
}

func TestTrainRefuses(t *testing.T) {
	one, none := Samples{NewMatrix(1, 2), NewMatrix(1, 2)}, Samples{NewMatrix(0, 2), NewMatrix(0, 2)}
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		want  string
		train Dataset
		Config
	}{
		{"<nil>", one, Config{Epochs: 1, Batch: 1, Rate: 1}},
		{"train has no samples", none, Config{Epochs: 1, Batch: 1, Rate: 1}},
		{"Epochs is 0, want 1 or more", one, Config{Batch: 1, Rate: 1}},
		{"Batch is 0, want 1 or more", one, Config{Epochs: 1, Rate: 1}},
		{"Rate is 0, want a finite number above 0", one, Config{Epochs: 1, Batch: 1}},
		{"Rate is +Inf, want a finite number above 0", one, Config{Epochs: 1, Batch: 1, Rate: inf}},
		{"Rate is NaN, want a finite number above 0", one, Config{Epochs: 1, Batch: 1, Rate: nan}},
		{"Beta1 is 1, want a number from 0 to below 1", one, Config{Epochs: 1, Batch: 1, Rate: 1, Beta1: 1}},
		{"Beta1 is NaN, want a number from 0 to below 1", one, Config{Epochs: 1, Batch: 1, Rate: 1, Beta1: nan}},
		{"Decay is -1, want a finite number from 0", one, Config{Epochs: 1, Batch: 1, Rate: 1, Decay: -1}},
		{"Decay is +Inf, want a finite number from 0", one, Config{Epochs: 1, Batch: 1, Rate: 1, Decay: inf}},
		{"Clip is NaN, want a number from 0", one, Config{Epochs: 1, Batch: 1, Rate: 1, Clip: nan}},
		{"Clip is -1, want a number from 0", one, Config{Epochs: 1, Batch: 1, Rate: 1, Clip: -1}},
		{"train is nil", nil, Config{Epochs: 1, Batch: 1, Rate: 1}},
		{"Patience is -1, want 0 or more", one, Config{Epochs: 1, Batch: 1, Rate: 1, Patience: -1}},
		{"Optimizer has no Name", one, Config{Epochs: 1, Batch: 1, Rate: 1, Optimizer: &Optimizer{Update: SGD.Update}}},
		{"Optimizer has no Update", one, Config{Epochs: 1, Batch: 1, Rate: 1, Optimizer: &Optimizer{Name: "x"}}},
		{"Optimizer.Slots is 3, want 0 to 2", one, Config{Epochs: 1, Batch: 1, Rate: 1, Optimizer: &Optimizer{Name: "x", Slots: 3, Update: SGD.Update}}},
		{"Patience: Validation is nil", one, Config{Epochs: 1, Batch: 1, Rate: 1, Patience: 1}},
		{"Validation has no samples", one, Config{Epochs: 1, Batch: 1, Rate: 1, Patience: 1, Validation: none}},
	} {
		_, err := Train(context.Background(), NewNetwork(1, He, ReLU, 2, 2), c.train, c.Config)
		if fmt.Sprint(err) != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	if _, err := Train(context.Background(), nil, one, Config{Epochs: 1, Batch: 1, Rate: 1}); err == nil {
		t.Error("a network without layers was trained")
	}
	single := NewNetwork(1, He, ReLU, 2, 1)
	if _, err := Train(context.Background(), single, Samples{NewMatrix(1, 2), NewMatrix(1, 1)}, Config{Epochs: 1, Batch: 1, Rate: 1}); err == nil || !strings.HasPrefix(err.Error(), "Loss is nil, and SoftmaxCrossEntropy of a single output") {
		t.Errorf("a single output with no loss: error %v", err)
	}
}

func TestTrainStops(t *testing.T) {
	data := blobs(40)
	c := Config{Rate: 0.1, Epochs: 5, Batch: 4}
	net := NewNetwork(1, He, ReLU, 4, 2)

	ctx, cancel := context.WithCancel(context.Background())
	c.OnEpoch = atEpoch(2, cancel)
	if h, err := Train(ctx, net, data, c); len(h) != 2 || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled after epoch 2: %d epochs, error %v", len(h), err)
	}
	full := errors.New("disk full")
	c.OnEpoch = func(Epoch) error { return full }
	if h, err := Train(context.Background(), net, data, c); len(h) != 1 || err != full {
		t.Errorf("callback failed: %d epochs, error %v", len(h), err)
	}
	c.OnEpoch, c.Rate = nil, 1e200
	net = NewNetwork(1, He, ReLU, 4, 3, 2)
	var diverged *DivergedError
	if _, err := Train(context.Background(), net, data, c); !errors.As(err, &diverged) || diverged.Epoch < 1 || diverged.Batch < 1 {
		t.Errorf("a rate of 1e200: error %v", err)
	}
	c.Batch, c.Epochs = data.Len(), 1 // and after the only step
	if _, err := Train(context.Background(), NewNetwork(1, He, ReLU, 4, 3, 2), data, c); !errors.As(err, &diverged) || diverged.Batch != 1 {
		t.Errorf("one step at a rate of 1e200: error %v", err)
	}
	// A step whose loss is not finite changes nothing.
	data.X.Data[0], c.Rate = math.NaN(), 0.1
	net = NewNetwork(1, He, ReLU, 4, 3, 2)
	before := net.Fingerprint()
	if _, err := Train(context.Background(), net, data, c); err == nil || net.Fingerprint() != before {
		t.Errorf("a loss of NaN: error %v, and the weights were %s and are %s", err, before, net.Fingerprint())
	}
	c.Batch, c.InOrder = 4, true
	data.X.Data[0], data.X.Row(9)[2] = 0, math.NaN()
	if _, err := Train(context.Background(), net, data, c); err == nil || err.Error() != "train: sample 9: column 2 of its input is NaN" {
		t.Errorf("NaN in sample 9: error %v", err)
	}
	data.X.Row(9)[2], data.Y.Row(11)[1] = 0, math.Inf(1)
	c.InOrder = false
	if _, err := Train(context.Background(), net, data, c); err == nil || err.Error() != "train: sample 11: column 1 of its target is +Inf" {
		t.Errorf("an infinite target in sample 11: error %v", err)
	}
	data.Y.Row(11)[1] = 0
	// A running value that overflows is seen where the loss is finite.
	adam := Config{Optimizer: Adam, Rate: 0.001, Epochs: 2, Batch: 10, Decay: 1e160}
	_, err := Train(context.Background(), NewNetwork(1, He, ReLU, 4, 3, 2), blobs(40), adam)
	if !errors.As(err, &diverged) || !strings.Contains(err.Error(), "v.W1: element (0, 0) is +Inf at epoch 1") {
		t.Errorf("a decay of 1e160: error %v", err)
	}
	// Backward moves nothing once Train has ended, though in the midst of an epoch.
	midway, cancelMidway := context.WithCancel(context.Background())
	batches := 0
	rest := Config{Rate: 0.1, Epochs: 3, Batch: 5, Loss: func(dy, y, want *Matrix) float64 {
		if batches++; batches == 3 {
			cancelMidway()
		}
		return SoftmaxCrossEntropy(dy, y, want)
	}}
	net = NewNetwork(1, He, ReLU, 4, 3, 2)
	if _, err := Train(midway, net, blobs(40), rest); !errors.Is(err, context.Canceled) || batches != 3 {
		t.Errorf("cancelled in batch 3: error %v in batch %d", err, batches)
	}
	before = net.Fingerprint()
	backprop(net, blobs(40).X, blobs(40).Y)
	if net.Fingerprint() != before {
		t.Error("Backward trains on after Train")
	}
	// The reason of a context that is done is the error.
	why, cancelWhy := context.WithCancelCause(context.Background())
	cancelWhy(full)
	if _, err := Train(why, net, data, c); err != full {
		t.Errorf("cancelled because of %v: error %v", full, err)
	}
}

// skipUnderRaceDetector skips a test of allocations: under the race detector a sync.Pool
// drops what it is given at random.
func skipUnderRaceDetector(t *testing.T) {
	t.Helper()
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector is on")
	}
}

func TestStepDoesNotAllocate(t *testing.T) {
	skipUnderRaceDetector(t)
	defer withThreads(2)()
	train, _ := sampleDigits(t)
	for name, rule := range optimizers {
		net := NewNetwork(1, Small, ReLU, MNISTPixels, 256, 128, MNISTClasses)
		net[0].Dropout = 0.2
		tr := mustTrainer(t, net, train, Config{Optimizer: rule, Rate: 0.1, Epochs: 1, Batch: 64})
		index := shuffle(make([]int, train.Len()), 1, 1, false)[:64]
		tr.contract()
		tr.step(index, nil)
		if n := testing.AllocsPerRun(20, func() { tr.step(index, nil) }); n > 0 {
			t.Errorf("a step by %s allocates %v times", name, n)
		}
		// AllocsPerRun has one thread. On more a helper may have to be started.
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 100 {
			tr.step(index, nil)
		}
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > 50 {
			t.Errorf("100 steps by %s on more threads allocate %v times", name, n)
		}
	}
}

// The same weights come out with any number of threads and any kernel.
func TestOneHash(t *testing.T) {
	data := blobs(100)
	want := ""
	eachKernel(t, func(t *testing.T) {
		for _, procs := range []int{1, 2, 7} {
			defer withThreads(procs)()
			net := NewNetwork(1, He, Tanh, 4, 200, 100, 2)
			mustTrain(t, net, data, Config{Rate: 0.1, Epochs: 3, Batch: 33})
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

// sample returns a part of the sample.
func sample(t testing.TB, part string) *MNIST {
	t.Helper()
	parts, err := sampleParts()
	if err != nil {
		t.Fatal(err)
	}
	m := *parts[part]
	return &m
}

var sampleParts = sync.OnceValues(func() (map[string]*MNIST, error) {
	train, err := LoadMNIST(SampleMNIST(), "train", 0)
	test, err2 := LoadMNIST(SampleMNIST(), "t10k", 0)
	return map[string]*MNIST{"train": train, "t10k": test}, errors.Join(err, err2)
})

// sampleDigits is the sample, standardized.
func sampleDigits(t testing.TB) (train, test *MNIST) {
	t.Helper()
	train, test = sample(t, "train"), sample(t, "t10k")
	stats := train.Stats()
	train.Standardize(stats)
	test.Standardize(stats)
	return train, test
}

// BenchmarkStep is a step with ReLU and SGD, with the other activations and optimizers, with
// batch normalisation and with dropout.
func BenchmarkStep(b *testing.B) {
	const name = "net=784-256-128-10/batch=64"
	benchmarkStep(b, ReLU, SGD, name)
	benchmarkStep(b, ReLU, SGD, name+"/norm=batch")
	benchmarkStep(b, ReLU, SGD, name+"/dropout=0.2")
	for _, act := range []*Activation{Sigmoid, Tanh} {
		benchmarkStep(b, act, SGD, name+"/act="+act.Name)
	}
	for _, rule := range []*Optimizer{Momentum, Adam, AdamW} {
		benchmarkStep(b, ReLU, rule, name+"/opt="+rule.Name)
	}
}

func benchmarkStep(b *testing.B, act *Activation, rule *Optimizer, name string) {
	b.Run(name, func(b *testing.B) {
		train, _ := sampleDigits(b)
		net := NewNetwork(1, Small, act, MNISTPixels, 256, 128, MNISTClasses)
		if strings.Contains(name, "norm=batch") {
			net = normalized(net)
		}
		if strings.Contains(name, "dropout=0.2") {
			net[0].Dropout, net[1].Dropout = 0.2, 0.2
		}
		t := mustTrainer(b, net, train, Config{Optimizer: rule, Rate: 0.1, Epochs: 1, Batch: 64})
		order := shuffle(make([]int, train.Len()), 1, 1, false)
		at := 0
		t.contract()
		t.step(order[:64], nil) // allocates what a step needs
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			if at+64 > len(order) {
				at = 0
			}
			t.step(order[at:at+64], nil)
			at += 64
		}
		samples := 64 * float64(b.N) / b.Elapsed().Seconds()
		b.ReportMetric(samples, "samples/s")
		inputs := len(t.compact.rows) // without those that are always zero
		operations := 4*inputs*256 + 6*(256*128+128*MNISTClasses)
		b.ReportMetric(samples*float64(operations)/1e9, "GFLOP/s")
	})
}

// A loss or OnStep that reads the network sees the weights of the last step, also if an input
// is always zero.
func TestLookDuringEpoch(t *testing.T) {
	data := blobs(100)
	for i := range data.X.Rows {
		data.X.Row(i)[1] = 0
	}
	net, plain := NewNetwork(1, He, ReLU, 4, 8, 2), NewNetwork(1, He, ReLU, 4, 8, 2)
	seen := func(c *Config, net Network) (prints *[]string) {
		prints = new([]string)
		c.Loss = func(dy, y, want *Matrix) float64 {
			if dy != nil {
				*prints = append(*prints, net.Fingerprint())
			}
			return SoftmaxCrossEntropy(dy, y, want)
		}
		return prints
	}
	c := Config{Rate: 0.1, Epochs: 2, Batch: 5}
	fromLoss := seen(&c, net)
	var fromStep []string
	c.OnStep = func(int, float64, float64) { fromStep = append(fromStep, net.Fingerprint()) }
	mustTrain(t, net, data, c)
	// The weights before each step, by Forward, Backward and the rule.
	for n := range 40 {
		if got, want := (*fromLoss)[n], plain.Fingerprint(); got != want || n > 0 && fromStep[n-1] != want {
			t.Fatalf("before step %d the loss sees %.8s and OnStep %.8s, want %.8s", n+1, got, fromStep[max(0, n-1)], want)
		}
		var x, y Matrix
		data.Batch(&x, &y, shuffle(make([]int, 100), 0, n/20+1, false)[n%20*5:][:5])
		backprop(plain, &x, &y)
		for _, p := range plain.parts() {
			SGD.Update(p.array.Data, p.gradient.Data, nil, nil, OptimizerStep{N: n + 1, Rate: 0.1})
		}
	}
}

// Going on with a run leaves a history that was returned before as it is.
func TestHistoryStays(t *testing.T) {
	c := Config{Rate: 0.1, Epochs: 3, Batch: 5, Measure: 2, Run: new(Run)}
	net := NewNetwork(1, He, ReLU, 4, 2)
	before := mustTrain(t, net, blobs(20), c)
	loss := before[2].Loss
	c.Epochs = 4
	after, err := Train(context.Background(), net, blobs(20), c)
	if err != nil || before[2].Loss != loss || after[2].Loss == after[2].Loss {
		t.Errorf("error %v; the loss of epoch 3 was %v, is %v, and is %v in the new history", err, loss, before[2].Loss, after[2].Loss)
	}
}

// Train takes a network that is written as a literal. Its weights move to memory of Train's,
// and the caller's slice keeps those from before.
func TestTrainLiteral(t *testing.T) {
	of := NewNetwork(1, He, Tanh, 4, 3, 2)
	mine := slices.Clone(of[0].W.Data)
	net := Network{{W: Matrix{4, 3, mine}, B: *NewMatrix(1, 3), Act: Tanh}, {W: of[1].W, B: of[1].B, Act: Linear}}
	c := Config{Rate: 0.1, Clip: 0.1, Epochs: 2, Batch: 5, OnEpoch: atEpoch(1, func() {
		// The caller's own weights again, which Train takes over.
		net[0].W.Data = slices.Clone(net[0].W.Data)
		net[0].W.Data[0] += 1
		net[0].DW = Matrix{}
	})}
	mustTrain(t, net, blobs(20), c)
	want := of.Clone()
	c.OnEpoch = atEpoch(1, func() { want[0].W.Data[0] += 1 })
	if _, err := Train(context.Background(), want, blobs(20), c); err != nil || net.Fingerprint() != want.Fingerprint() {
		t.Errorf("error %v, weights %.8s, want %.8s", err, net.Fingerprint(), want.Fingerprint())
	}
	if !slices.Equal(mine, of[0].W.Data) {
		t.Error("the caller's slice has changed")
	}
}

// expiring is a context that is done when it has been asked so many times.
type expiring struct {
	context.Context
	left int
}

func (c *expiring) Err() error {
	if c.left--; c.left < 0 {
		return context.Canceled
	}
	return nil
}

// An epoch that is interrupted while inputs are left out leaves the weights from before it,
// also those that the caller has put in place of Train's.
func TestInterruptedWithoutInputs(t *testing.T) {
	data := blobs(200)
	for i := range data.X.Rows {
		data.X.Row(i)[1] = 0
	}
	net, between := NewNetwork(1, He, ReLU, 4, 3, 2), ""
	c := Config{Optimizer: Adam, Rate: 0.1, Epochs: 3, Batch: 10, OnEpoch: func(e Epoch) error {
		net[0].W.Data = slices.Clone(net[0].W.Data)
		net[0].W.Data[0] += 1
		between = net.Fingerprint()
		return nil
	}}
	_, err := Train(&expiring{context.Background(), 30}, net, data, c) // 20 steps an epoch
	if invalid := net.validate(); err != context.Canceled || net.Fingerprint() != between || invalid != nil || net[0].DW.Rows != 4 {
		t.Errorf("error %v, weights %.8s, want %.8s; %v, DW1 has %d rows", err, net.Fingerprint(), between, invalid, net[0].DW.Rows)
	}
}

// rowsOff is a data set whose batches have so many rows too many.
type rowsOff struct {
	Samples
	off int
}

func (d rowsOff) Batch(x, y *Matrix, index []int) {
	d.Samples.Batch(x, y, index)
	x.Reset(len(index)+d.off, x.Cols)
}

// What does not fit is named before the first step.
func TestTrainRefusesShapes(t *testing.T) {
	good := blobs(20)
	classes, negative, nan := NewMatrix(20, 1), NewMatrix(20, 2, good.Y.Data...), NewMatrix(20, 2, good.Y.Data...)
	classes.Data[3], negative.Data[7], nan.Data[9] = 1, -0.5, math.NaN()
	half := NewMatrix(20, 1, classes.Data...)
	half.Data[0] = 0.5
	wide := Samples{NewMatrix(20, 3), good.Y}
	for _, c := range []struct {
		want  string
		train Dataset
		Config
	}{
		{"train: samples have 3 inputs, the network takes 4", wide, Config{}},
		{"train: samples have 3 inputs, the network takes 4", unknown{wide}, Config{}},
		{"train: samples have 3 inputs, the network takes 4", renewed{WeightedSamples{good, make([]float64, 20)}, wide}, Config{}},
		{"Test: samples have 3 inputs, the network takes 4", good, Config{Test: wide}},
		{"Validation: samples have 3 inputs, the network takes 4", good, Config{Validation: unknown{wide}}},
		{"train: targets are n×3, the outputs n×2", Samples{good.X, NewMatrix(20, 3)}, Config{}},
		{"train: targets are n×1, the outputs n×2: if they are indices of classes, see OneHot", Samples{good.X, classes}, Config{}},
		{"train: targets are n×1, the outputs n×2", Samples{good.X, half}, Config{Loss: SquaredError}},
		{"train: targets are n×3, the outputs n×2", Samples{good.X, NewMatrix(20, 3)}, Config{Loss: Huber(2)}},
		{"Test: targets are n×3, the outputs n×2", good, Config{Test: Samples{good.X, NewMatrix(20, 3)}}},
		{"train: sample 3: column 1 of its target is -0.5, want 0 or more for a cross-entropy", Samples{good.X, negative}, Config{}},
		{"train: sample 3: column 1 of its target is -0.5, want 0 or more for a cross-entropy", unknown{Samples{good.X, negative}}, Config{Loss: SigmoidCrossEntropy}},
		{"", Samples{good.X, negative}, Config{Loss: SquaredError}},
		{"train: sample 4: column 1 of its target is NaN", Samples{good.X, nan}, Config{Loss: SquaredError}},
		{"Validation: sample 4: column 1 of its target is NaN", good, Config{Validation: Samples{good.X, nan}}},
		{"mlp: Batch of mlp.rowsOff: 21 rows of inputs and 20 of targets for 20 samples", rowsOff{good, 1}, Config{}},
		{"mlp: Batch of mlp.rowsOff: 19 rows of inputs and 20 of targets for 20 samples", rowsOff{good, -1}, Config{}},
		{"mlp: Loss: it made dy 0×0, the output is 20×2", good, Config{Loss: func(dy, y, want *Matrix) float64 { return 1 }}},
	} {
		c.Rate, c.Epochs, c.Batch = 0.1, 1, 20
		net := NewNetwork(1, He, ReLU, 4, 2)
		before, got := net.Fingerprint(), ""
		if p := panicOf(func() {
			if _, err := Train(context.Background(), net, c.train, c.Config); err != nil {
				got = err.Error()
			}
		}); p != "" {
			got = p
		}
		if got != c.want || (got == "") == (net.Fingerprint() == before) {
			t.Errorf("%q, want %q; weights %.8s, were %.8s", got, c.want, net.Fingerprint(), before)
		}
	}
	if _, err := Train(nil, NewNetwork(1, He, ReLU, 4, 2), good, Config{Rate: 1, Epochs: 1, Batch: 1}); err == nil || err.Error() != "ctx is nil" {
		t.Errorf("without a context: error %v", err)
	}
}

// stepConfigs are configurations of a step, with layers that are normalised or drop outputs.
func stepConfigs() map[string]Config {
	all := map[string]Config{"clip": {Optimizer: Momentum, Clip: 0.1}, "decay": {Optimizer: AdamW, Decay: 0.1}}
	for name, o := range optimizers {
		all[name] = Config{Optimizer: o}
	}
	for name, c := range all {
		c.Rate, c.Epochs, c.Batch, c.InOrder, c.Seed = 0.05, 3, 10, true, 7
		all[name] = c
	}
	return all
}

// A loop over Step has the weights of Train, to the last bit, and so has a loop over the parts
// of a step, which drops no outputs. The losses are those of OnStep.
func TestStepper(t *testing.T) {
	data := blobs(40)
	for name, c := range stepConfigs() {
		for _, parts := range []bool{false, true} {
			net := normalized(NewNetwork(1, He, Tanh, 4, 6, 5, 2))
			if !parts {
				net[1].Dropout = 0.3
			}
			own := net.Clone()
			var losses []float64
			c.OnStep = func(_ int, loss, _ float64) { losses = append(losses, loss) }
			mustTrain(t, net, data, c)
			s, err := NewStepper(own, c)
			if err != nil {
				t.Fatal(err)
			}
			var dy Matrix
			for n, want := range losses {
				lo := n * 10 % 40
				x, y := data.X.Slice(lo, lo+10), data.Y.Slice(lo, lo+10)
				var loss float64
				if parts {
					loss = SoftmaxCrossEntropy(&dy, own.Forward(x), y)
					own.Backward(&dy)
					s.Move()
				} else if loss, err = s.Step(x, y); err != nil {
					t.Fatal(err)
				}
				if loss != want {
					t.Errorf("%s: step %d has the loss %v, Train's %v", name, n+1, loss, want)
				}
			}
			if own.Fingerprint() != net.Fingerprint() {
				t.Errorf("%s: the weights of a loop, in parts %t, are not Train's", name, parts)
			}
		}
	}
}

// What Step cannot take it names, and it leaves the network as it was.
func TestStepperRefuses(t *testing.T) {
	net := NewNetwork(1, He, ReLU, 2, 3, 2)
	if _, err := NewStepper(net, Config{}); fmt.Sprint(err) != "Rate is 0, want a finite number above 0" {
		t.Errorf("without a rate: error %v", err)
	}
	s, err := NewStepper(net, Config{Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := panicOf(s.Move); got != "mlp: Stepper.Move: there was no Backward" {
		t.Errorf("panic %q", got)
	}
	before := net.Fingerprint()
	for want, data := range map[string][2]*Matrix{
		"Step: samples have 3 inputs, the network takes 2":                                 {NewMatrix(1, 3), NewMatrix(1, 2)},
		"Step: sample 0: column 1 of its target is -1, want 0 or more for a cross-entropy": {NewMatrix(1, 2), NewMatrix(1, 2, 0, -1)},
		"Step: sample 1: column 0 of its input is NaN":                                     {NewMatrix(2, 2, 0, 0, math.NaN(), 0), NewMatrix(2, 2, 0, 1, 0, 1)},
	} {
		if _, err := s.Step(data[0], data[1]); fmt.Sprint(err) != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	s.config.Loss = func(dy, y, want *Matrix) float64 { SquaredError(dy, y, want); return math.Inf(1) }
	_, err = s.Step(NewMatrix(1, 2), NewMatrix(1, 2))
	if diverged := new(DivergedError); !errors.As(err, &diverged) || diverged.Batch != 1 {
		t.Errorf("an infinite loss: error %v", err)
	}
	if net.Fingerprint() != before {
		t.Error("a step that was refused has moved the network")
	}
}

// After a step there is no gradient by the input, because W is another.
func TestStepForgetsInputGradient(t *testing.T) {
	net, data := NewNetwork(1, He, ReLU, 4, 2), blobs(4)
	s, err := NewStepper(net, Config{Rate: 1})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Step(data.X, data.Y); err != nil || panicOf(func() { net.InputGradient(new(Matrix)) }) == "" {
			t.Errorf("InputGradient after a step, whose error is %v", err)
		}
		backprop(net, data.X, data.Y)
		net.InputGradient(new(Matrix))
		s.Move()
	}
}

// Frozen layers stay to the last bit, and the others move as with an optimizer that leaves
// those alone.
func TestFrozen(t *testing.T) {
	data := blobs(40)
	for name, c := range stepConfigs() {
		if name == "clip" { // the norm is of what moves
			continue
		}
		for _, frozen := range [][]int{{0}, {1}, {0, 1}, {2}, {0, 2}} {
			net := NewNetwork(1, He, Tanh, 4, 6, 5, 2)
			net[0].Dropout = 0.3
			for i := range net {
				if i != frozen[0] && i != frozen[len(frozen)-1] && i < 2 {
					net[i].Norm = NewBatchNorm(net[i].W.Cols)
				}
			}
			want := net.Clone()
			keeping := *c.Optimizer
			keeping.Update = func(w, g, m, v []float64, s OptimizerStep) {
				for _, i := range frozen {
					if l := want[i]; overlap(w, l.W.Data) || overlap(w, l.B.Data) {
						return
					}
				}
				c.Optimizer.Update(w, g, m, v, s)
			}
			own := c
			own.Optimizer = &keeping
			mustTrain(t, want, data, own)
			for _, i := range frozen {
				net[i].Frozen = true
			}
			stats := mustTrain(t, net, data, c)[0].First
			if net.Fingerprint() != want.Fingerprint() {
				t.Errorf("%s: layers %v: other weights than with an optimizer that leaves them alone", name, frozen)
			}
			for i, s := range stats {
				if still := slices.Contains(frozen, i); still != (s.UpdateRatio == 0) || still != (s.GradNorm == 0) {
					t.Errorf("%s: layers %v: layer %d moves by %v", name, frozen, i+1, s.UpdateRatio)
				}
			}
		}
	}
	net := NewNetwork(1, He, Tanh, 4, 2)
	net[0].Frozen = true
	if _, err := Train(context.Background(), net, data, Config{Rate: 1, Epochs: 1, Batch: 4}); fmt.Sprint(err) != "all layers are Frozen: there is nothing to train" {
		t.Errorf("error %v", err)
	}
}

// The norm to which a gradient is clipped is that of the layers that are trained, also if
// another was trained before.
func TestFrozenClip(t *testing.T) {
	data := blobs(10)
	net := NewNetwork(1, He, Tanh, 4, 6, 2)
	s, err := NewStepper(net, Config{Rate: 1, Clip: 1e-3})
	if err != nil {
		t.Fatal(err)
	}
	for _, frozen := range []int{0, 1} {
		net[frozen].Frozen, net[1-frozen].Frozen = true, false
		before := net.Clone()
		backprop(net, data.X, data.Y)
		s.Move()
		squares := 0.0
		for i, p := range net.parts() {
			for j, v := range before.parts()[i].array.Data {
				squares += (p.array.Data[j] - v) * (p.array.Data[j] - v)
			}
		}
		if math.Abs(math.Sqrt(squares)-1e-3) > 1e-12 {
			t.Errorf("layer %d frozen: the step is %v long", frozen+1, math.Sqrt(squares))
		}
	}
}

// A frozen layer normalises by its running averages: Forward of a frozen network is Predict,
// its averages stay, and the gradients of the layers around it are right.
func TestFrozenNorm(t *testing.T) {
	data := blobs(20)
	net := normalized(NewNetwork(1, He, Tanh, 4, 6, 5, 3, 2))
	mustTrain(t, net, data, Config{Rate: 0.1, Epochs: 1, Batch: 10})
	net[1].Frozen = true
	backprop(net, data.X, data.Y)
	mean, variance := net[1].Norm.Mean.Clone(), net[1].Norm.Var.Clone()
	backprop(net, data.X, data.Y)
	near(t, "mean", &net[1].Norm.Mean, mean, 0)
	near(t, "var", &net[1].Norm.Var, variance, 0)
	loss := func() float64 { return SoftmaxCrossEntropy(nil, net.Forward(data.X), data.Y) }
	var dx Matrix
	closeTo(t, "x", net.InputGradient(&dx).Data, NumericalGradient(loss, data.X.Data, 1e-5))
	for _, i := range []int{0, 2, 3} {
		checkGradients(t, fmt.Sprint("beside a frozen layer, layer ", i+1), net[i:i+1], loss)
	}
	for _, l := range net {
		l.Frozen = true
	}
	near(t, "Forward", net.Forward(data.X), net.Predict(new(Matrix), data.X), 1e-14)
}

// ensemble returns n networks that begin differently.
func ensemble(n int) *Model {
	m := new(Model)
	for i := range n {
		net := NewNetwork(MemberSeed(3, i), He, ReLU, 4, 6, 5, 2)
		net[0].Norm, net[1].Dropout = NewBatchNorm(6), 0.2
		if i == 0 {
			m.Net = net
		} else {
			m.Others = append(m.Others, Member{Net: net})
		}
	}
	return m
}

func ensembleConfig(epochs int) Config {
	return Config{Optimizer: Adam, Rate: 0.1, Epochs: epochs, Batch: 7, Seed: 9, Patience: 2}
}

// foldOf returns the data of network i: three quarters of blobs and the last for validation.
func foldOf(i int, c *Config) (Dataset, error) {
	all := blobs(100)
	for i := range all.X.Rows {
		all.X.Row(i)[1] = 0 // an input that Train leaves out of the products
	}
	var parts [2]Samples
	parts[0], parts[1] = all.Split(0.25, uint64(i))
	c.Validation = parts[1]
	return parts[0], nil
}

// An ensemble is its networks, each trained alone: with any number of threads, and stopped,
// written and resumed.
func TestEnsembleIsItsNetworks(t *testing.T) {
	alone, longest, shortest := ensemble(3), 0, math.MaxInt
	for i, n := range alone.members() {
		c := ensembleConfig(12)
		c.Seed, c.Run = MemberSeed(9, i), n.Run
		samples, _ := foldOf(i, &c)
		h := mustTrain(t, n.Net, samples, c)
		longest, shortest = max(longest, len(h)), min(shortest, len(h))
	}
	if shortest == longest {
		t.Errorf("patience with all networks is over after epoch %d", longest)
	}
	for i, n := range alone.members() {
		for j := range n.Run.History {
			if e := &n.Run.History[j]; i > 0 {
				e.First, e.Layers = nil, nil
			}
		}
		for h := n.Run.History; len(n.Run.History) < longest; {
			again := h.Best()
			again.N, again.First = len(n.Run.History)+1, nil
			n.Run.History = append(n.Run.History, again)
		}
	}
	want := written(t, alone)
	for _, threads := range []int{1, 2, 8} {
		restore := withThreads(threads)
		m := ensemble(3)
		for _, epochs := range []int{shortest - 1, shortest + 1, 12} {
			c := ensembleConfig(epochs)
			c.OnEpoch = func(e Epoch) error {
				if got := m.History()[e.N-1]; got.ValidationLoss != e.ValidationLoss {
					t.Errorf("epoch %d: %v, in the history %v", e.N, e.ValidationLoss, got.ValidationLoss)
				}
				return nil
			}
			if err := m.Train(context.Background(), c, foldOf); err != nil {
				t.Fatal(err)
			}
			var err error
			if m, err = read(written(t, m)); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(written(t, m), want) {
			t.Errorf("%d threads: another ensemble", threads)
		}
		restore()
	}
}

// If one network cannot finish an epoch, by an error or a panic, none has trained it.
func TestEnsembleIsUndone(t *testing.T) {
	m := ensemble(3)
	if err := m.Train(context.Background(), ensembleConfig(1), foldOf); err != nil {
		t.Fatal(err)
	}
	before := written(t, m)
	poisoned := func(i int, c *Config) (Dataset, error) {
		d, _ := foldOf(i, c)
		if i == 1 {
			d.(Samples).X.Row(3)[2] = math.NaN()
		}
		return d, nil
	}
	err := m.Train(context.Background(), ensembleConfig(4), poisoned)
	if want := "network 2: train: sample 3: column 2 of its input is NaN"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	panicking := func(i int, c *Config) (Dataset, error) {
		d, _ := foldOf(i, c)
		if i == 2 {
			d = panics{d}
		}
		return d, nil
	}
	func() {
		defer func() {
			if v := recover(); v != "no sample" {
				t.Errorf("recovered %v", v)
			}
		}()
		m.Train(context.Background(), ensembleConfig(4), panicking)
	}()
	if !bytes.Equal(written(t, m), before) {
		t.Error("an epoch that was not finished has changed the ensemble")
	}
	m.Others[0].Run.History = m.Others[0].Run.History[:0]
	if err := m.Train(context.Background(), ensembleConfig(4), foldOf); err == nil || err.Error() != "network 2 has had 0 epochs, network 1 1" {
		t.Errorf("error %v", err)
	}
}

// panics is a data set whose samples are not there, except for the first, which Train reads to
// see how wide it is.
type panics struct{ Dataset }

func (p panics) Batch(x, y *Matrix, index []int) {
	if len(index) > 1 {
		panic("no sample")
	}
	p.Dataset.Batch(x, y, index)
}

// Fit is Train of standardized samples, bit for bit, and its model takes raw rows. The samples stay.
func TestFit(t *testing.T) {
	raw := Samples{fill(NewMatrix(40, 3), newRand()), fill(NewMatrix(40, 2), newRand())}
	for i := range raw.X.Rows {
		raw.X.Row(i)[0] = 1e6 + 1e5*raw.X.Row(i)[0]
		raw.X.Row(i)[2] = 7
		raw.Y.Row(i)[1] = 199_000 * raw.Y.Row(i)[1]
	}
	before, test := Samples{raw.X.Clone(), raw.Y.Clone()}, raw.Slice(30, 40)
	c := Config{Loss: SquaredError, Metric: RSquared, Rate: 0.1, Epochs: 3, Batch: 8, Test: test}
	m, err := Fit(context.Background(), NewNetwork(1, He, Tanh, 3, 4, 2), raw, c)
	if err != nil {
		t.Fatal(err)
	}
	x, y := FitStandardization(raw.X), FitStandardization(raw.Y)
	all := Samples{x.Apply(new(Matrix), raw.X), y.Apply(new(Matrix), raw.Y)}
	c.Test = all.Slice(30, 40)
	net := NewNetwork(1, He, Tanh, 3, 4, 2)
	history, err := Train(context.Background(), net, all, c)
	if err != nil {
		t.Fatal(err)
	}
	if m.Fingerprint() != net.Fingerprint() || fmt.Sprint(m.Run.History) != fmt.Sprint(history) || !reflect.DeepEqual(raw, before) {
		t.Error("not Train of standardized samples, or the samples have changed")
	}
	want := net.Predict(new(Matrix), all.X)
	for i, v := range m.Predict(new(Matrix), raw.X).Data {
		if v != float64(want.Data[i]*y.Std[i%2])+y.Mean[i%2] {
			t.Fatalf("answer %d is %v", i, v)
		}
	}
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Error(err)
	}
}

// What Fit refuses.
func TestFitRefuses(t *testing.T) {
	for want, change := range map[string]func(*Samples, *Config){
		"train: sample 2: column 1 of its input is NaN":     func(s *Samples, c *Config) { s.X.Row(2)[1] = math.NaN() },
		"train: sample 0: column 0 of its target is +Inf":   func(s *Samples, c *Config) { s.Y.Data[0] = math.Inf(1) },
		"train: numbers are too large":                      func(s *Samples, c *Config) { s.Y.Data[0], s.Y.Data[1] = 1e308, 1e308 },
		"train: samples have 3 inputs, the network takes 2": func(s *Samples, c *Config) { s.X = NewMatrix(4, 3) },
		"train: a single label: make it two classes":        func(s *Samples, c *Config) { c.Loss = SigmoidCrossEntropy },
		"Rate is 0":                                    func(s *Samples, c *Config) { c.Rate = 0 },
		"Test is a *mlp.MNIST, want Samples":           func(s *Samples, c *Config) { c.Test = new(MNIST) },
		"Validation: targets are n×2, the outputs n×1": func(s *Samples, c *Config) { c.Validation = Samples{NewMatrix(1, 2), NewMatrix(1, 2)} },
	} {
		s, c := Samples{NewMatrix(4, 2), NewMatrix(4, 1)}, Config{Loss: SquaredError, Rate: 0.1, Epochs: 1, Batch: 2}
		change(&s, &c)
		if _, err := Fit(context.Background(), NewNetwork(1, He, ReLU, 2, 1), s, c); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
