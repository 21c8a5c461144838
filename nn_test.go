package mlp

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
)

// activations in a fixed order.
var activations = []*Activation{ReLU, Sigmoid, Tanh, Linear}

var optimizers = map[string]*Optimizer{"sgd": SGD, "momentum": Momentum, "adam": Adam, "adamw": AdamW}

// losses, and what each takes its outputs and its targets to be.
var losses = []struct {
	name                string
	loss                Loss
	probabilities, rows bool // outputs are probabilities; each row is one choice
}{
	{"SoftmaxCrossEntropy", SoftmaxCrossEntropy, false, true},
	{"SigmoidCrossEntropy", SigmoidCrossEntropy, false, false},
	{"SquaredError", SquaredError, false, false},
	{"Huber", Huber(0.7), false, false},
}

// closeTo fails where a gradient is not its central difference.
func closeTo(t *testing.T, what string, got, numerical []float64) {
	t.Helper()
	for i, v := range numerical {
		if d := math.Abs(got[i] - v); !(d <= 1e-7*max(1, math.Abs(v))) {
			t.Errorf("%s: element %d is %v, by central difference %v", what, i, got[i], v)
		}
	}
}

// checkGradients fails if a gradient that Backward left is not the central difference of the loss.
func checkGradients(t *testing.T, what string, net Network, loss func() float64) {
	t.Helper()
	for i, l := range net {
		closeTo(t, fmt.Sprintf("%s W%d", what, i+1), l.DW.Data, NumericalGradient(loss, l.W.Data, 1e-5))
		closeTo(t, fmt.Sprintf("%s b%d", what, i+1), l.DB.Data, NumericalGradient(loss, l.B.Data, 1e-5))
		if n := l.Norm; n != nil {
			closeTo(t, fmt.Sprintf("%s gain%d", what, i+1), n.DGain.Data, NumericalGradient(loss, n.Gain.Data, 1e-5))
		}
	}
}

// backprop computes the gradients of the softmax cross-entropy, as a caller of the package does.
func backprop(net Network, x, y *Matrix) {
	var dy Matrix
	SoftmaxCrossEntropy(&dy, net.Forward(x), y)
	net.Backward(&dy)
}

// Every layer and activation under every loss of logits, with biases that are
// not zero so that no unit sits on ReLU's kink.
func TestGradients(t *testing.T) {
	for _, act := range activations {
		for _, l := range losses {
			for _, sizes := range [][]int{{5, 3}, {5, 4, 3}, {5, 7, 6, 4, 3}, {5, 2, 1}} {
				rng := newRand()
				net := NewNetwork(3, LeCun, act, sizes...)
				for _, layer := range net {
					fill(&layer.B, rng)
				}
				x, y := fill(NewMatrix(6, 5), rng), fill(NewMatrix(6, sizes[len(sizes)-1]), rng)
				loss := func() float64 { return l.loss(nil, net.Forward(x), y) }
				var dy Matrix
				l.loss(&dy, net.Forward(x), y)
				net.Backward(&dy)
				checkGradients(t, fmt.Sprintf("%s %s %v", l.name, act.Name, sizes), net, loss)
			}
		}
	}
}

func TestNaNGoesThrough(t *testing.T) {
	for _, act := range activations {
		z := []float64{math.NaN()}
		act.Forward(z)
		if z[0] == z[0] {
			t.Errorf("%s of NaN is %v", act.Name, z[0])
		}
	}
	y, want := NewMatrix(1, 2, math.NaN(), 0), NewMatrix(1, 2, 1, 0)
	for _, l := range losses {
		if loss := l.loss(nil, y, want); loss == loss {
			t.Errorf("%s of NaN is %v", l.name, loss)
		}
	}
}

func TestInitialisation(t *testing.T) {
	for name, std := range map[string]float64{
		"small": 0.01, "xavier": math.Sqrt(2.0 / 500), "he": math.Sqrt(2.0 / 300), "lecun": math.Sqrt(1.0 / 300),
	} {
		init, err := InitByName(name)
		if err != nil {
			t.Fatal(err)
		}
		l := NewNetwork(1, init, ReLU, 300, 200, 10)[0]
		mean, square, beyond := 0.0, 0.0, 0.0
		for _, v := range l.W.Data {
			mean += v / 60000
			square += v * v / 60000
			if math.Abs(v) > 2*std {
				beyond += 1.0 / 60000
			}
		}
		// Four standard errors; 4.55 % of a normal distribution lie beyond 2σ.
		if math.Abs(mean) > 4*std/245 || math.Abs(square/std/std-1) > 0.023 || math.Abs(beyond-0.0455) > 0.0034 {
			t.Errorf("%s: mean %v, variance %v of %v, %.4f beyond 2σ", name, mean, square, std*std, beyond)
		}
	}
	a, b := NewNetwork(1, He, ReLU, 4, 3), NewNetwork(2, He, ReLU, 4, 3)
	if a.Fingerprint() == b.Fingerprint() || a.Fingerprint() != NewNetwork(1, He, ReLU, 4, 3).Fingerprint() {
		t.Error("the weights are not a function of the seed alone")
	}
}

func TestMisusePanics(t *testing.T) {
	net := NewNetwork(1, He, ReLU, 3, 2)
	y := net.Forward(NewMatrix(4, 3))
	bare := NewNetwork(1, He, ReLU, 3, 2)
	bare[0].Act = nil
	for i, c := range []struct {
		want string
		do   func()
	}{
		{"mlp: NewNetwork: init is nil", func() { NewNetwork(1, nil, ReLU, 3, 2) }},
		{"mlp: NewNetwork: act is nil", func() { NewNetwork(1, He, nil, 3, 2) }},
		{"mlp: NewNetwork: sizes [3], want two widths or more", func() { NewNetwork(1, He, ReLU, 3) }},
		{"mlp: NewNetwork: sizes [3 0 2], want widths of 1 or more", func() { NewNetwork(1, He, ReLU, 3, 0, 2) }},
		{"mlp: Predict: y is nil", func() { net.Predict(nil, NewMatrix(4, 3)) }},
		{"mlp: Predict: the matrix is nil", func() { net.Predict(new(Matrix), nil) }},
		{"mlp: Forward: b1: 3 elements for 1×2", func() {
			Network{{W: *NewMatrix(3, 2), B: Matrix{1, 2, make([]float64, 3)}, Act: ReLU}}.Forward(NewMatrix(4, 3))
		}},
		{"mlp: History.Best: no epoch was trained", func() { History{}.Best() }},
		{"mlp: Accuracy: the output is 4×2, the targets are 3×2", func() { Accuracy.Of(y, NewMatrix(3, 2)) }},
		{"mlp: LabelAccuracy: the output is 4×2, the targets are 4×1", func() { LabelAccuracy.Of(y, NewMatrix(4, 1)) }},
		{"mlp: RSquared: the output is 4×2, the targets are 4×3", func() { RSquared.Of(y, NewMatrix(4, 3)) }},
		{"mlp: Evaluate: data: samples have 4 inputs, the network takes 3", func() { Evaluate(net, blobs(3), nil) }},
		{"mlp: EvaluateBy: data is nil", func() { EvaluateBy(net, nil, nil, Accuracy) }},
		{"mlp: Forward: layer 1 has no Act", func() { bare.Forward(NewMatrix(4, 3)) }},
		{"mlp: Predict: layer 1 has no Act", func() { bare.Predict(new(Matrix), NewMatrix(4, 3)) }},
		{"mlp: Evaluate: layer 1 has no Act", func() { Evaluate(bare, Samples{NewMatrix(4, 3), y}, nil) }},
		{"mlp: Backward: a network without layers", func() { Network{}.Backward(NewMatrix(3, 2)) }},
		{"mlp: Backward: there was no Forward", func() { NewNetwork(1, He, ReLU, 3, 2).Backward(NewMatrix(4, 2)) }},
		{"mlp: Backward: 0 elements for 4×2", func() { net.Backward(&Matrix{Rows: 4, Cols: 2}) }},
		{"mlp: Forward: layer 1 is nil", func() { Network{nil}.Forward(NewMatrix(4, 3)) }},
		{"mlp: Forward: b1: 2×1, want 1×2", func() { Network{{W: *NewMatrix(3, 2), B: *NewMatrix(2, 1), Act: ReLU}}.Forward(NewMatrix(4, 3)) }},
		{"mlp: Forward: layer 1 has an Act without Backward", func() {
			NewNetwork(1, He, &Activation{Forward: ReLU.Forward}, 3, 2, 2).Forward(NewMatrix(4, 3))
		}},
		{"runtime error: invalid memory address or nil pointer dereference", func() { (*Matrix)(nil).Mul(NewMatrix(1, 1), NewMatrix(1, 1)) }},
		{"mlp: Forward: W1: 0 elements for 0×0", func() { Network{{}}.Forward(NewMatrix(4, 3)) }},
		{"mlp: Forward: W2: 4×2, want 2 rows as the layer before has units", func() {
			append(NewNetwork(1, He, ReLU, 3, 2), NewNetwork(1, He, ReLU, 4, 2)...).Forward(NewMatrix(4, 3))
		}},
		{"mlp: Evaluate: Loss is nil, and SoftmaxCrossEntropy of a single output is always 0", func() {
			Evaluate(NewNetwork(1, He, ReLU, 3, 1), Samples{NewMatrix(4, 3), NewMatrix(4, 1)}, nil)
		}},
		{"mlp: Evaluate: data has no samples", func() { Evaluate(net, Samples{new(Matrix), new(Matrix)}, nil) }},
		{"mlp: Samples: X or Y is nil", func() { Evaluate(net, Samples{}, nil) }},
		{"mlp: Evaluate: data is nil", func() { Evaluate(net, nil, nil) }},
		{"mlp: Matrix.Slice: rows 1 to 4 of 3", func() { NewMatrix(3, 2).Slice(1, 4) }},
		{"mlp: Samples.Split: a share of NaN, want 0 to 1", func() { blobs(3).Split(math.NaN(), 1) }},
		{"mlp: Samples.SplitStratified: a share of -1, want 0 to 1", func() { blobs(3).SplitStratified(-1, 1) }},
		{"mlp: Samples: X has 4 rows, Y has 3", func() { Samples{NewMatrix(4, 3), NewMatrix(3, 2)}.Slice(0, 3) }},
		{"mlp: Clone: 0 elements for 4×2", func() { (&Matrix{Rows: 4, Cols: 2}).Clone() }},
		{"mlp: Huber: a delta of NaN, want more than 0", func() { Huber(math.NaN()) }},
		{"mlp: EvaluateBy: Metric is nil", func() { EvaluateBy(net, Samples{NewMatrix(4, 3), y}, nil, nil) }},
		{"mlp: EvaluateBy: Metric has no Of", func() { EvaluateBy(net, Samples{NewMatrix(4, 3), y}, nil, &Metric{Name: "x"}) }},
		{"mlp: Evaluate: data: the weight of sample 1 is -1, want a finite number from 0", func() {
			Evaluate(net, WeightedSamples{Samples{NewMatrix(2, 3), NewMatrix(2, 2)}, []float64{1, -1}}, nil)
		}},
		{"mlp: WeightedSamples: W has 1 weights for 3 rows", func() { Evaluate(net, WeightedSamples{blobs(3), []float64{1}}, nil) }},
		{"mlp: OneHot: class 2 at index 1, want 0 to 1", func() { OneHot([]int{0, 2}, 2) }},
		{"mlp: SmoothLabels: a share of 1, want 0 to below 1", func() { SmoothLabels(NewMatrix(1, 2), 1) }},
		{"mlp: Adam: OptimizerStep.N is 0, want the number of the step, from 1", func() { Adam.Update(make([]float64, 2), nil, nil, nil, OptimizerStep{}) }},
		{"mlp: Adam: m has 2 and v 0 elements for 2 weights", func() {
			Adam.Update(make([]float64, 2), make([]float64, 2), make([]float64, 2), nil, OptimizerStep{N: 1})
		}},
		{"mlp: Momentum: m has 0 elements for 2 weights", func() { Momentum.Update(make([]float64, 2), nil, nil, nil, OptimizerStep{}) }},
		{"mlp: Backward: dy is 3×2, the output 4×2", func() { net.Backward(NewMatrix(3, 2)) }},
		{"mlp: Backward: dy is 4×3, the output 4×2", func() { net.Backward(NewMatrix(4, 3)) }},
		{"mlp: Forward: b1: 1×3, want 1×2", func() { Network{{W: *NewMatrix(3, 2), B: *NewMatrix(1, 3), Act: ReLU}}.Forward(NewMatrix(4, 3)) }},
		{"mlp: Normalize: 3 elements for 1×2", func() { (&Matrix{1, 2, make([]float64, 3)}).Normalize() }},
		{"mlp: Evaluate: a network without layers", func() { Evaluate(nil, blobs(3), nil) }},
		{"mlp: Predict: a network without layers", func() { Network{}.Predict(new(Matrix), NewMatrix(4, 3)) }},
		{"mlp: Samples: X has 4 rows, Y has 3", func() { Evaluate(net, Samples{NewMatrix(4, 3), NewMatrix(3, 2)}, nil) }},
		{"mlp: SquaredError: the output is 4×2, the targets are 3×2", func() { SquaredError(nil, y, NewMatrix(3, 2)) }},
		{"mlp: SoftmaxCrossEntropy: the output is 4×2, the targets are 4×1", func() { SoftmaxCrossEntropy(nil, y, NewMatrix(4, 1)) }},
	} {
		if got := panicOf(c.do); got != c.want {
			t.Errorf("case %d: panic %q, want %q", i, got, c.want)
		}
	}
}

// A name that is not known is an error that lists those that are.
func TestByName(t *testing.T) {
	_, act := ActivationByName("swish")
	_, init := InitByName("kaiming")
	_, opt := OptimizerByName("lion")
	_, schedule := ScheduleByName("warm")
	for want, err := range map[string]error{
		`"swish": want one of linear, relu, sigmoid, tanh`: act,
		`"kaiming": want one of he, lecun, small, xavier`:  init,
		`"lion": want one of adam, adamw, momentum, sgd`:   opt,
		`"warm": want one of constant, cosine, step`:       schedule,
	} {
		if fmt.Sprint(err) != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	for _, act := range activations {
		if got, err := ActivationByName(act.Name); got != act || err != nil {
			t.Errorf("%s: %v", act.Name, err)
		}
	}
	for name, rule := range optimizers {
		if got, err := OptimizerByName(name); got != rule || err != nil || rule.Name != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

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
		checkGradients(t, act.Name, net, loss)
	}
}

// Five steps by the gradients that the paper gives, in NumPy.
func TestNumPyBatchNorm(t *testing.T) {
	c := numpy(t, "batch_norm")
	first := dense(c.In["W1"], c.In["b1"], ReLU)
	first.Norm = &BatchNorm{Gain: *c.In["gain"].Clone(), Mean: *c.In["mean"].Clone(), Var: *c.In["var"].Clone()}
	net := Network{first, dense(c.In["W2"], c.In["b2"], Linear)}
	mustTrain(t, net, Samples{c.In["X"], c.In["y"]},
		Config{Rate: c.In["lr"].Data[0], Epochs: 5, Batch: 9, InOrder: true})
	for name, got := range map[string]*Matrix{"W1": &first.W, "b1": &first.B, "gain": &first.Norm.Gain, "mean": &first.Norm.Mean,
		"var": &first.Norm.Var, "W2": &net[1].W, "b2": &net[1].B, "logits": net.Predict(new(Matrix), c.In["X"])} {
		near(t, "batch_norm "+name, got, c.Out[name], 1e-12)
	}
}

// A single sample that is left over has no variance: it is left out of the
// epoch, and batches of one are refused.
func TestNormLeavesOneOut(t *testing.T) {
	data := &counting{Samples: blobs(13)}
	net := normalized(NewNetwork(1, He, ReLU, 4, 6, 2))
	h := mustTrain(t, net, data, Config{Rate: 0.1, Epochs: 2, Batch: 4})
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
	before := net[0].Norm.Var.Clone()
	one, wanted := NewMatrix(1, 4, 1, 2, 3, 4), NewMatrix(1, 2, 1, 0)
	backprop(net, one, wanted)
	near(t, "variance after a batch of one", &net[0].Norm.Var, before, 0)
}

// A unit that never varies has a variance of zero, not by rounding below it: such a
// model could not be read again.
func TestNormOfAConstant(t *testing.T) {
	net := normalized(NewNetwork(1, He, ReLU, 4, 3, 2))
	data := Samples{NewMatrix(100, 4), blobs(100).Y}
	mustTrain(t, net, data, Config{Rate: 0.1, Epochs: 60, Batch: 5})
	if err := (fileArray{name: "var1", matrix: &net[0].Norm.Var, may: squares}).validate(); err != nil {
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
		if got := panicOf(f); got != want {
			t.Errorf("panic %q, want %q", got, want)
		}
	}
}

// masks returns what layer 1 and layer 2 drop of 40 rows of 50 units in a step.
func masks(seed uint64, step int, p float64) (a, b []float64) {
	one, two := Layer{W: *NewMatrix(1, 50), Dropout: p}, Layer{W: *NewMatrix(1, 50), Dropout: p}
	x := NewMatrix(40, 50)
	for i, l := range []*Layer{&one, &two} {
		l.drop.begin(p, seed, step, i)
		l.drop.mask.Reset(40, 50)
		l.drop.kept.Reset(40, 50)
		for i := range x.Rows {
			l.drop.apply(x.Row(i), i, 0)
		}
	}
	return one.drop.mask.Data, two.drop.mask.Data
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
// normalisation, as it begins step 7.
func dropping(act *Activation) Network {
	net := NewNetwork(3, LeCun, act, 5, 6, 4, 7, 3)
	rng := newRand()
	for i, l := range net {
		fill(&l.B, rng)
		if l.Dropout = 0.5; i == 1 {
			l.Norm = NewBatchNorm(4)
		}
	}
	net[3].Dropout = 0
	for i, l := range net {
		l.drop.begin(l.Dropout, 1, 7, i)
	}
	return net
}

// The gradient by weights and by the input with outputs dropped, and without.
func TestDropoutGradient(t *testing.T) {
	for _, act := range activations {
		net := dropping(act)
		rng := newRand()
		x, y := fill(NewMatrix(6, 5), rng), fill(NewMatrix(6, 3), rng)
		dropping := func(x *Matrix) *Matrix { return net.forward(maxThreads(), x) }
		for what, forward := range map[string]func(*Matrix) *Matrix{act.Name + ", dropping": dropping, act.Name: net.Forward} {
			var dy, dx Matrix
			loss := func() float64 { return SquaredError(nil, forward(x), y) }
			SquaredError(&dy, forward(x), y)
			net.backward(maxThreads(), &dy, nil, 0)
			closeTo(t, what+" x", net.InputGradient(&dx).Data, NumericalGradient(loss, x.Data, 1e-5))
			checkGradients(t, what, net, loss)
			for i, l := range net {
				l.drop.begin(l.Dropout, 1, 7, i)
			}
		}
	}
}

// What is measured, Forward and Predict drop nothing.
func TestDropoutOnlyInSteps(t *testing.T) {
	net := dropping(Tanh)
	data := Samples{fill(NewMatrix(30, 5), newRand()), fill(NewMatrix(30, 3), newRand())}
	c := Config{Loss: SquaredError, Rate: 0.01, Epochs: 1, Batch: 5, Test: data, Validation: data}
	h := mustTrain(t, net, data, c)
	want, _ := Evaluate(net, data, SquaredError)
	for _, got := range []float64{h[0].Loss, h[0].TestLoss, h[0].ValidationLoss} {
		if got != want {
			t.Errorf("a loss of %v was measured, want %v", got, want)
		}
	}
	without := net.Clone()
	for _, l := range without {
		l.Dropout = 0
	}
	near(t, "Forward", net.Forward(data.X), without.Forward(data.X).Clone(), 0)
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
	backprop(whole, data.X, data.Y)
	SoftmaxCrossEntropy(&dy, above.Forward(below.Forward(data.X)), data.Y)
	above.Backward(&dy)
	below.Backward(above.InputGradient(&da))
	for i := range whole {
		near(t, fmt.Sprintf("W%d", i+1), &parted[i].DW, &whole[i].DW, 0)
		near(t, fmt.Sprintf("b%d", i+1), &parted[i].DB, &whole[i].DB, 0)
	}
	below.Forward(data.X)
	if got := panicOf(func() { below.InputGradient(&da) }); got != "mlp: InputGradient: there was no Backward, or the weights have moved since" {
		t.Errorf("panic %q", got)
	}
}

func TestNetworkString(t *testing.T) {
	net := NewNetwork(1, He, ReLU, 784, 256, 128, 10)
	net[0].Norm, net[0].Dropout, net[1].Frozen = NewBatchNorm(256), 0.25, true
	want := `layer  shape    activation                      parameters  operations
1      784×256  relu, batch norm, dropout 0.25  201216      401408
2      256×128  relu, frozen                    32896       65536
3      128×10   linear                          1290        2560
all    784×10                                   235402      469504
`
	if got := fmt.Sprint(net); got != want {
		t.Errorf("\n%swant\n%s", got, want)
	}
	for want, net := range map[string]Network{
		"mlp.Network: a network without layers": nil,
		"mlp.Network: layer 1 is nil":           {nil},
		"mlp.Network: layer 1 has no Act":       {{W: *NewMatrix(1, 1), B: *NewMatrix(1, 1)}},
	} {
		if got := fmt.Sprint(net); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
