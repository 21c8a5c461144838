package mlp

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"
)

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
// exactly 0 and 1, and right as far as that can be said.
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
				if right && !slices.Contains([]string{"SquaredError", "Huber"}, l.name) && !(loss >= -1e-14 && loss < 1e-14) {
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

func TestMetrics(t *testing.T) {
	c := reference(t, "sklearn.json", "r2_score")
	near(t, "R²", scalar(RSquared.Of(c.In["y"], c.In["want"])), c.Out["r2"], 1e-12)
	c = reference(t, "sklearn.json", "label_accuracy")
	near(t, "label accuracy", scalar(LabelAccuracy.Of(c.In["y"], c.In["want"])), c.Out["accuracy"], 0)
	c = reference(t, "sklearn.json", "absolute_error")
	near(t, "mean absolute error", scalar(MeanAbsoluteError.Of(c.In["y"], c.In["want"])), c.Out["mae"], 1e-15)
	c = reference(t, "sklearn.json", "huber")
	near(t, "Huber's loss", scalar(Huber(c.In["delta"].Data[0])(nil, c.In["y"], c.In["want"])), c.Out["loss"], 1e-15)
	for _, name := range []string{"macro", "binary"} {
		c = reference(t, "sklearn.json", name)
		for metric, want := range c.Out {
			by := map[string]*Metric{"precision": Precision, "recall": Recall, "f1": F1, "auc": AUC}[metric]
			near(t, name+" "+metric, scalar(by.Of(c.In["y"], c.In["want"])), want, 1e-15)
			if name == "macro" {
				continue
			}
			y, want2 := NewMatrix(c.In["y"].Rows, 1), NewMatrix(c.In["y"].Rows, 1) // in a single column
			for i := range y.Rows {
				y.Data[i], want2.Data[i] = c.In["y"].Row(i)[1]-c.In["y"].Row(i)[0], c.In["want"].Row(i)[1]
			}
			near(t, "of a column "+metric, scalar(by.Of(y, want2)), want, 1e-15)
		}
	}
	column := func(x ...float64) *Matrix { return NewMatrix(len(x), 1, x...) }
	for _, c := range []struct {
		by      *Metric
		y, want *Matrix
		is      float64
	}{
		{Accuracy, column(-1, 2, -3, 4), column(0, 1, 1, 1), 0.75},
		{Accuracy, column(-1, 2, -3, 4), column(0.1, 0.9, 0.9, 0.9), 0.75}, // smoothed
		{Accuracy, NewMatrix(2, 2, 1, 2, 4, 3), NewMatrix(2, 2, 0, 1, 0, 1), 0.5},
		{RSquared, column(1, 2, 4), column(1, 2, 3), 0.5},
		{Precision, column(-1, -2), column(0, 1), 0}, // without an answer
		{Recall, column(1, 1), column(0, 0), 0},      // without a row
		{F1, column(1, 1, nan, -1), column(1, 0, 1, 0), 0.5},
		{Recall, NewMatrix(1, 3, 0, 5, nan), NewMatrix(1, 3, 0, 1, 0), 0},
		{AUC, column(3, 3, 3), column(0, 1, 1), 0.5},
	} {
		if got := c.by.Of(c.y, c.want); got != c.is {
			t.Errorf("the %s of %v for %v is %v, want %v", c.by.Name, c.y.Data, c.want.Data, got, c.is)
		}
	}
	for _, v := range []float64{Accuracy.Of(column(1, 2), column(1, 2)), RSquared.Of(column(1, 2, 3), column(0.1, 0.1, 0.1)),
		AUC.Of(column(1, 2), column(1, 1)), AUC.Of(column(1, nan), column(1, 0)), AUC.Of(NewMatrix(1, 3), NewMatrix(1, 3))} {
		if v == v {
			t.Errorf("a metric that means nothing is %v", v)
		}
	}
}

// A metric sees all rows at once, in training and in evaluation.
func TestMetricOfAllRows(t *testing.T) {
	data := blobs(1500)
	y := NewMatrix(1500, 1)
	for i := range y.Data {
		y.Data[i] = float64(i)
	}
	numbers := Samples{data.X, y}
	net := NewNetwork(1, He, Tanh, 4, 5, 1)
	m := &Model{Net: net}
	c := Config{Loss: SquaredError, Metric: RSquared, Rate: 1e-6, Epochs: 1, Batch: 100, Test: numbers, Run: &m.Run}
	h := mustTrain(t, net, numbers, c)
	want := RSquared.Of(net.Predict(new(Matrix), data.X), y)
	_, evaluated := EvaluateBy(net, numbers, SquaredError, RSquared)
	for _, got := range []float64{h[0].Metric, h[0].TestMetric, evaluated} {
		if got != want {
			t.Errorf("R² %v, of all rows %v", got, want)
		}
	}
	// The file of the run names the metric, and the run cannot go on with another.
	m, err := read(written(t, m))
	if err != nil || m.Run.Metric != "R²" {
		t.Fatalf("the metric %q, error %v", m.Run.Metric, err)
	}
	c.Metric, c.Epochs, c.Run = nil, 2, &m.Run
	_, err = Train(context.Background(), m.Net, numbers, c)
	if want := `Run: its accuracies are by the metric "R²", not "accuracy"`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// A weight of 2 is the sample twice, except that the mean is over fewer samples.
func TestWeightsRepeat(t *testing.T) {
	for _, l := range losses {
		weighted, repeated := uneven(300)
		ratio := float64(repeated.Len()) / float64(weighted.Len())
		train := func(data Dataset, rate float64) (Network, Epoch) {
			net := NewNetwork(1, He, Tanh, 4, 5, 2)
			h := mustTrain(t, net, data,
				Config{Loss: l.loss, Rate: rate, Epochs: 5, Batch: data.Len(), InOrder: true, Test: data})
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

// The weighted logistic regression of scikit-learn is a network without hidden layers.
func TestWeightsSklearn(t *testing.T) {
	c := reference(t, "sklearn.json", "logistic_regression")
	net := NewNetwork(1, Small, ReLU, 2, 1)
	n := c.In["X"].Rows
	data := WeightedSamples{Samples{c.In["X"], NewMatrix(n, 1, c.In["c"].Data...)}, c.In["weights"].Data}
	h := mustTrain(t, net, data, Config{Loss: SigmoidCrossEntropy, Optimizer: Momentum, Rate: 0.3, Epochs: 500, Batch: n})
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

// If the output or the target holds NaN, the loss is NaN. If one holds an infinity, the
// loss is infinite or NaN. There is one exception: a logit of -∞ is a probability of 0,
// and the loss is finite if the target is 0 there too.
func TestSpecialsInLosses(t *testing.T) {
	for _, l := range losses {
		for at := range 3 {
			for _, v := range []float64{nan, inf, -inf} {
				for _, inWant := range []bool{false, true} {
					y, want := NewMatrix(2, 3, .2, .3, .5, .3, .3, .4), NewMatrix(2, 3, 0, 1, 0, 1, 0, 0)
					if inWant {
						want.Data[at] = v
					} else {
						y.Data[at] = v
					}
					loss := l.loss(nil, y, want)
					nothing := l.name == "SoftmaxCrossEntropy" && v == -inf && !inWant && want.Data[at] == 0
					if finite(loss) != nothing || v != v && loss == loss {
						t.Errorf("%s with %v at %d (in what is wanted: %v) is %v", l.name, v, at, inWant, loss)
					}
				}
			}
		}
	}
}

// Logits so large that their loss leaves the range of float64 have the largest float64 as
// their loss, and the gradient of any other logits that are so far apart.
func TestHugeLogits(t *testing.T) {
	y, want := NewMatrix(2, 2, 1e308, -1e308, -1e308, 1e308), NewMatrix(2, 2, 0, 1, 1, 0)
	for name, c := range map[string]struct {
		loss Loss
		dy   []float64
	}{
		"softmax": {SoftmaxCrossEntropy, []float64{0.5, -0.5, -0.5, 0.5}},
		"sigmoid": {SigmoidCrossEntropy, []float64{0.25, -0.25, -0.25, 0.25}},
	} {
		var dy Matrix
		if got := c.loss(&dy, y, want); got != math.MaxFloat64 || !slices.Equal(dy.Data, c.dy) {
			t.Errorf("%s: loss %v, gradient %v", name, got, dy.Data)
		}
		if got := c.loss(nil, y, NewMatrix(2, 2, 0, math.Inf(1), 1, 0)); finite(got) {
			t.Errorf("%s: with an infinite target the loss is %v", name, got)
		}
	}
}

// An output that is NaN is right for no class and for no label.
func TestMetricsOfNaN(t *testing.T) {
	nan := math.NaN()
	y := NewMatrix(3, 2, nan, nan, 1, nan, 2, 1)
	if got := Accuracy.Of(y, NewMatrix(3, 2, 1, 0, 1, 0, 1, 0)); got != 1.0/3 {
		t.Errorf("accuracy %v, want 1/3", got)
	}
	if got := LabelAccuracy.Of(y, NewMatrix(3, 2, 0, 0, 1, 0, 1, 1)); got != 0.5 {
		t.Errorf("label accuracy %v, want 1/2", got)
	}
}

// SciPy's minimum, and NumPy's calibration errors. Two classes are a label whose logit is their
// difference. All right or all wrong is at an end of the range, and NaN stays.
func TestCalibration(t *testing.T) {
	c := reference(t, "sklearn.json", "calibration")
	y, want := c.In["y"], c.In["want"]
	temperature := FitTemperature(y, want)
	near(t, "temperature", scalar(temperature), c.Out["T"], 1e-6)
	near(t, "before", scalar(CalibrationError.Of(y, want)), c.Out["before"], 1e-14)
	for i := range y.Data {
		y.Data[i] /= c.Out["T"].Data[0]
	}
	near(t, "after", scalar(CalibrationError.Of(y, want)), c.Out["after"], 1e-14)

	two, yes, label, isYes := NewMatrix(300, 2), NewMatrix(300, 2), NewMatrix(300, 1), NewMatrix(300, 1)
	for i := range 300 {
		copy(two.Row(i), y.Row(i))
		k := Argmax(want.Row(i)) % 2
		yes.Row(i)[k], isYes.Data[i], label.Data[i] = 1, float64(k), y.Row(i)[1]-y.Row(i)[0]
	}
	near(t, "label", scalar(FitTemperature(label, isYes)), scalar(FitTemperature(two, yes)), 1e-9)
	near(t, "label", scalar(CalibrationError.Of(label, isYes)), scalar(CalibrationError.Of(two, yes)), 1e-14)

	for i, right := range []float64{1, 0} {
		got := FitTemperature(NewMatrix(1, 2, 1, -1), NewMatrix(1, 2, right, 1-right))
		near(t, "the end", scalar(got), scalar([]float64{1.0 / 16, 16}[i]), 1e-12)
	}
	if v := CalibrationError.Of(NewMatrix(2, 2, 1, 0, math.NaN(), 0), NewMatrix(2, 2, 1, 0, 1, 0)); v == v {
		t.Errorf("of NaN %v", v)
	}
}
