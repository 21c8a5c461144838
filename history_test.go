package mlp

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

func TestBestAndFirst(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		losses []float64
		best   int
	}{{[]float64{3, 1, 1, 2}, 2}, {[]float64{nan, nan, nan}, 3}, {[]float64{nan, 2, nan}, 2}} {
		var h History
		for i, v := range c.losses {
			h = append(h, Epoch{N: i + 1, ValidationLoss: v})
		}
		if got := h.Best().N; got != c.best {
			t.Errorf("of %v the best is %d, want %d", c.losses, got, c.best)
		}
	}
	if y := NewMatrix(1, 3, 0, 1, 1); Accuracy.Of(y, NewMatrix(1, 3, 0, 1, 0)) != 1 || Accuracy.Of(y, NewMatrix(1, 3, 0, 0, 1)) != 0 {
		t.Error("of two largest outputs it is not the first that counts")
	}
}

// The curves have what was measured, and gaps where an epoch was not.
func TestHistoryFigure(t *testing.T) {
	h := History{{1, nan, nan, 3, 0.3, nan, 0, nil, nil}, {2, 2, 0.5, 4, 0.4, nan, 0, nil, nil}, {3, 1, 0.6, 5, 0.5, nan, 0, nil, nil}}
	lines := func(h History) (s string) {
		for _, c := range h.Figure().Charts {
			for _, line := range c.Series {
				s += fmt.Sprint(line.Name, " ", line.X, line.Y, "; ")
			}
			s += "| "
		}
		return s
	}
	want := "Training [1 2 3] [NaN 2 1]; Test [1 2 3] [3 4 5]; | Training [1 2 3] [NaN 0.5 0.6]; Test [1 2 3] [0.3 0.4 0.5]; | "
	if got := lines(h); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	h[1].ValidationLoss = 7
	for i := range h {
		h[i].TestLoss, h[i].TestMetric = nan, nan
	}
	if got, want := lines(h), "Training [1 2 3] [NaN 2 1]; Held out [1 2 3] [NaN 7 NaN]; | Training [1 2 3] [NaN 0.5 0.6]; | "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := lines(nil); got != "| | " {
		t.Errorf("of no epochs: %s", got)
	}
}

// The layer statistics of one step, each from its definition.
func TestLayerStats(t *testing.T) {
	data := blobs(12)
	net, start := NewNetwork(1, He, Sigmoid, 4, 5, 2), NewNetwork(1, He, Sigmoid, 4, 5, 2)
	h := mustTrain(t, net, data, Config{Rate: 0.5, Epochs: 1, Batch: 12})
	backprop(start, data.X, data.Y)
	norm := func(x []float64) float64 {
		s := 0.0
		for _, v := range x {
			s += v * v
		}
		return math.Sqrt(s)
	}
	for i, l := range start {
		var want LayerStats
		step := make([]float64, len(l.W.Data))
		for j, g := range l.DW.Data {
			want.GradMeanAbs += math.Abs(g) / float64(len(l.W.Data))
			step[j] = 0.5 * g
		}
		want.GradNorm, want.DeltaNorm, want.UpdateRatio = norm(l.DW.Data), norm(l.DB.Data), norm(step)/norm(l.W.Data)
		for which, got := range map[string]LayerStats{"first": h[0].First[i], "last": h[0].Layers[i]} {
			for j, v := range []float64{got.GradMeanAbs / want.GradMeanAbs, got.GradNorm / want.GradNorm, got.DeltaNorm / want.DeltaNorm, got.UpdateRatio / want.UpdateRatio} {
				if math.Abs(v-1) > 1e-12 {
					t.Errorf("layer %d, %s step, statistic %d: %v times what it should be", i+1, which, j, v)
				}
			}
		}
		// The first step's units are seen before it, the epoch's after it.
		var before, after LayerStats
		before.measureActivations(l.Act, &l.a)
		net.Forward(data.X)
		after.measureActivations(l.Act, &net[i].a)
		first, last := h[0].First[i], h[0].Layers[i]
		if first.ActivationStd != before.ActivationStd || last.ActivationStd != after.ActivationStd || first.InactiveFraction != before.InactiveFraction || last.InactiveFraction != after.InactiveFraction {
			t.Errorf("layer %d: units %+v and %+v, want %+v and %+v", i+1, first, last, before, after)
		}
	}
}

// The units are those of the first 256 samples, however many follow; and LossRise
// is of one epoch.
func TestLayerStatsOfAnEpoch(t *testing.T) {
	data := blobs(600)
	for i := 256; i < 600; i++ {
		clear(data.X.Row(i)) // as if all units of layer 1 saw nothing
	}
	net := NewNetwork(1, He, Tanh, 4, 5, 2)
	h := mustTrain(t, net, data, Config{Rate: 0.1, Epochs: 1, Batch: 100})
	var want LayerStats
	net.Forward(new(Matrix).setRows(data.X, 0, 256))
	want.measureActivations(net[0].Act, &net[0].a)
	if h[0].Layers[0].ActivationStd != want.ActivationStd {
		t.Errorf("spread %v, of the first 256 samples %v", h[0].Layers[0].ActivationStd, want.ActivationStd)
	}
	step := 0.0
	climb := func(dy, y, _ *Matrix) float64 { // rises in the first epoch, falls in the second
		if dy == nil {
			return 0
		}
		clear(dy.Reset(y.Rows, y.Cols).Data)
		if step++; step <= 8 {
			return step
		}
		return 100 - step
	}
	h = mustTrain(t, net, blobs(70), Config{Loss: climb, Rate: 0.1, Epochs: 2, Batch: 10})
	if h[0].LossRise != 5 || h[1].LossRise != 0 {
		t.Errorf("the loss rose by %v and %v, want 5 and 0", h[0].LossRise, h[1].LossRise)
	}
}

// Decay moves the weights; the gradients that are measured are the loss's.
func TestLayerStatsWithoutDecay(t *testing.T) {
	var of [2]LayerStats
	var left [2][]float64
	for i, decay := range []float64{0, 0.5} {
		net := NewNetwork(1, He, Tanh, 4, 5, 2)
		h := mustTrain(t, net, blobs(20), Config{Rate: 0.1, Epochs: 1, Batch: 20, Decay: decay})
		of[i], left[i] = h[0].Layers[0], net[0].DW.Data
	}
	if !slices.Equal(left[0], left[1]) {
		t.Error("DW is not the gradient of the loss alone")
	}
	if of[1].GradNorm != of[0].GradNorm || of[1].GradMeanAbs != of[0].GradMeanAbs || of[1].UpdateRatio == of[0].UpdateRatio {
		t.Errorf("with decay %+v, without %+v", of[1], of[0])
	}
}

// A gradient that has vanished is still measured, and if no weight moves, UpdateRatio
// is 0.
func TestLayerStatsOfLittle(t *testing.T) {
	l := &Layer{W: *NewMatrix(1, 2), DW: *NewMatrix(1, 2, 3e-200, 4e-200), DB: *NewMatrix(1, 2, -6e-200, 8e-200)}
	var r LayerStats
	r.measureUpdate(l, []float64{0, 0})
	for i, ratio := range []float64{r.GradMeanAbs / 3.5e-200, r.GradNorm / 5e-200, r.DeltaNorm / 1e-199} {
		if math.Abs(ratio-1) > 1e-15 {
			t.Errorf("statistic %d is %v times what it should be", i, ratio)
		}
	}
	if r.UpdateRatio != 0 {
		t.Errorf("an update of %v of weights that are zero", r.UpdateRatio)
	}
	l.W.Data[0] = 1
	r.measureUpdate(l, []float64{0, 0})
	if r.UpdateRatio != 0 {
		t.Errorf("weights that were zero moved by %v of their size", r.UpdateRatio)
	}
	if _, got := moments([]float64{1e-200, 3e-200}); math.Abs(got/1e-200-1) > 1e-15 {
		t.Errorf("a deviation of %v, want 1e-200", got)
	}
	if _, got := moments([]float64{2, 2}); got != 0 {
		t.Errorf("a deviation of %v where nothing varies", got)
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		act          *Activation
		a            *Matrix // three units, three samples
		idle, spread float64
	}{
		{ReLU, NewMatrix(3, 3, 0, 0, 1, 0, 0, 1, 0, 3, 1), 1.0 / 3, math.Sqrt(12.0/9 - 4.0/9)}, // one never fires
		{Sigmoid, NewMatrix(3, 3, 0.99, 0.5, 0.01, 0.99, 0.5, 0.01, 0.99, 0.5, 0.01), 2.0 / 3, 0.49 * math.Sqrt(2.0/3)},
		{Tanh, NewMatrix(3, 3, 0.99, 0, -0.99, 0.99, 0, -0.99, 0.99, 0, 0.99), 2.0 / 3, math.Sqrt(0.99*0.99*6/9 - 0.22*0.22)},
		{Linear, NewMatrix(3, 3), 0, 0},
	} {
		var r LayerStats
		r.measureActivations(c.act, c.a)
		if r.InactiveFraction != c.idle || math.Abs(r.ActivationStd-c.spread) > 1e-12 {
			t.Errorf("%s: idle %v, spread %v, want %v and %v", c.act.Name, r.InactiveFraction, r.ActivationStd, c.idle, c.spread)
		}
	}
}

func TestLossRise(t *testing.T) {
	for _, c := range []struct {
		losses []float64
		want   float64
	}{
		{[]float64{1, 2, 3, 4, 5}, 0},
		{[]float64{1, 2, 3, 4, 5, 6}, 5},
		{[]float64{1, 2, 3, 3, 4, 5, 6}, 0},
		{[]float64{9, 1, 2, 3, 4, 5, 7, 9, 1}, 7},
	} {
		if got := lossRise(c.losses); got != c.want {
			t.Errorf("%v rise by %v, want %v", c.losses, got, c.want)
		}
	}
}

// BenchmarkLayerStats reports what measuring once costs beside an epoch of the
// sample's 4,000 digits.
func BenchmarkLayerStats(b *testing.B) {
	train, _ := sampleDigits(b)
	net := NewNetwork(1, Small, ReLU, MNISTPixels, 256, 128, MNISTClasses)
	t := mustTrainer(b, net, train, Config{Rate: 0.1, Epochs: 1 << 30, Batch: 64})
	var whole, measuring time.Duration
	for n := range b.N {
		begin := time.Now()
		if _, err := t.epoch(context.Background(), n+2); err != nil {
			b.Fatal(err)
		}
		whole += time.Since(begin)
		begin = time.Now()
		stats := make([]LayerStats, len(net))
		for i, l := range net {
			stats[i].measureActivations(l.Act, &l.a)
		}
		for i, l := range net {
			stats[i].measureUpdate(l, append(t.before[:0], l.W.Data...))
		}
		measuring += time.Since(begin)
	}
	b.ReportMetric(100*measuring.Seconds()/whole.Seconds(), "%")
}
