package mlp

import (
	"fmt"
	"math"
	"reflect"
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

// Every layer and activation under every loss of logits, with biases that are
// not zero so that no unit sits on ReLU's kink.
func TestGradients(t *testing.T) {
	for _, act := range activations {
		for _, l := range losses[:3] {
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
				for i, layer := range net {
					what := fmt.Sprintf("%s %s %v layer %d", l.name, act.Name, sizes, i+1)
					closeTo(t, what+" W", layer.DW.Data, NumericalGradient(loss, layer.W.Data, 1e-5))
					closeTo(t, what+" B", layer.DB.Data, NumericalGradient(loss, layer.B.Data, 1e-5))
				}
			}
		}
	}
}

func TestLossGradients(t *testing.T) {
	rng := newRand()
	for _, l := range losses {
		y, want := fill(NewMatrix(4, 3), rng), NewMatrix(4, 3)
		for i := range y.Data {
			want.Data[i] = float64(rng.IntN(2))
			if l.probabilities {
				y.Data[i] = 0.1 + 0.8*rng.Float64()
			}
		}
		var dy Matrix
		l.loss(&dy, y, want)
		closeTo(t, l.name, dy.Data, NumericalGradient(func() float64 { return l.loss(nil, y, want) }, y.Data, 1e-5))
		if with, alone := l.loss(&dy, y, want), l.loss(nil, y, want); with != alone {
			t.Errorf("%s is %v, without its gradient %v", l.name, with, alone)
		}
	}
}

// Measuring asks each loss for the loss alone, and that allocates nothing.
func TestLossAlone(t *testing.T) {
	skipUnderRaceDetector(t)
	y, want := NewMatrix(9, 3), NewMatrix(9, 3)
	for _, l := range losses {
		if n := testing.AllocsPerRun(20, func() { l.loss(nil, y, want) }); n > 0 {
			t.Errorf("%s alone allocates %v times", l.name, n)
		}
	}
	spy := func(dy, y, want *Matrix) float64 {
		if dy != nil {
			t.Error("Evaluate asks for a gradient")
		}
		return 0
	}
	Evaluate(NewNetwork(1, He, ReLU, 4, 2), blobs(300), spy)
}

// Losses and gradients are finite for logits of ±1000 and probabilities of
// exactly 0 and 1, and right where that can be said.
func TestLossesAtTheEnds(t *testing.T) {
	for _, l := range losses {
		low, high := -1000.0, 1000.0
		if l.probabilities {
			low, high = 0, 1
		}
		for _, want := range [][]float64{{1, 0}, {0, 1}} {
			for _, y := range [][]float64{{low, high}, {high, low}, {low, low}, {high, high}} {
				var dy Matrix
				loss := l.loss(&dy, NewMatrix(1, 2, y...), NewMatrix(1, 2, want...))
				for _, v := range append(dy.Data, loss) {
					if !finite(v) {
						t.Errorf("%s of %v where %v is wanted is %v, gradient %v", l.name, y, want, loss, dy.Data)
					}
				}
				right := y[0] > y[1] == (want[0] > want[1]) && y[0] != y[1]
				if right && l.name != "SquaredError" && !(loss >= -1e-14 && loss < 1e-14) {
					t.Errorf("%s of %v where %v is wanted is %v, want 0", l.name, y, want, loss)
				}
			}
		}
	}
	// A sure and wrong answer costs the distance of its logits.
	if got := SoftmaxCrossEntropy(nil, NewMatrix(1, 2, 1000, -1000), NewMatrix(1, 2, 0, 1)); got != 2000 {
		t.Errorf("softmax cross-entropy %v, want 2000", got)
	}
	if got := SigmoidCrossEntropy(nil, NewMatrix(1, 1, 1000), NewMatrix(1, 1, 0)); got != 1000 {
		t.Errorf("sigmoid cross-entropy %v, want 1000", got)
	}
	// ln(1+e^-40) is e^-40 to 17 digits, and not 0.
	if got, want := SigmoidCrossEntropy(nil, NewMatrix(1, 1, 40), NewMatrix(1, 1, 1)), math.Exp(-40); math.Abs(got-want) > 1e-15*want {
		t.Errorf("sigmoid cross-entropy %v, want %v", got, want)
	}
}

// Nobody trains on a loss of probabilities by mistake: it is no Loss.
func TestProbabilitiesAreNoLoss(t *testing.T) {
	for name, measure := range map[string]any{"CrossEntropy": CrossEntropy, "BinaryCrossEntropy": BinaryCrossEntropy} {
		if reflect.TypeOf(measure).AssignableTo(reflect.TypeFor[Loss]()) {
			t.Errorf("%s can be Config.Loss", name)
		}
	}
	for _, p := range []float64{0, 1} { // exactly, where ln p or ln(1-p) is infinite
		y, want := NewMatrix(1, 2, p, 1-p), NewMatrix(1, 2, 1-p, p)
		if a, b := CrossEntropy(y, want), BinaryCrossEntropy(y, want); !finite(a) || !finite(b) || a < 30 || b < 30 {
			t.Errorf("wrong and sure: %v and %v", a, b)
		}
		if a, b := CrossEntropy(y, y), BinaryCrossEntropy(y, y); math.Abs(a) > 1e-14 || math.Abs(b) > 1e-14 {
			t.Errorf("right and sure: %v and %v", a, b)
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

func TestNormalizeColumns(t *testing.T) {
	z := NewMatrix(3, 2, 1, 0.1, 2, 0.1, 6, 0.1).Normalize()
	for i := range 3 {
		if z.at(i, 1) != 0 {
			t.Errorf("a column that never varies became %v", z.at(i, 1))
		}
	}
	if s := z.at(0, 0) + z.at(1, 0) + z.at(2, 0); math.Abs(s) > 1e-15 {
		t.Errorf("the mean is %v", s/3)
	}
	new(Matrix).Normalize()
	for _, far := range []float64{1e-170, 1e-300, 1e160, 1e300} { // whose squares are 0 or infinite
		if z := NewMatrix(2, 1, -far, far).Normalize(); math.Abs(z.Data[0]+1) > 1e-15 || math.Abs(z.Data[1]-1) > 1e-15 {
			t.Errorf("±%v became %v", far, z.Data)
		}
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
		{"mlp: Evaluate: Metric is nil", func() { EvaluateBy(net, blobs(3), nil, nil) }},
		{"mlp: Evaluate: Metric has no Of", func() { EvaluateBy(net, blobs(3), nil, &Metric{Name: "x"}) }},
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
		{"mlp: loss: the output is 4×2, the targets are 3×2", func() { SquaredError(nil, y, NewMatrix(3, 2)) }},
		{"mlp: loss: the output is 4×2, the targets are 4×1", func() { SoftmaxCrossEntropy(nil, y, NewMatrix(4, 1)) }},
	} {
		func() {
			defer func() {
				if got := fmt.Sprint(recover()); got != c.want {
					t.Errorf("case %d: panic %v, want %q", i, got, c.want)
				}
			}()
			c.do()
		}()
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
