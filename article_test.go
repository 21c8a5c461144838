package mlp

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"
)

// The article's functions, each as the table in testdata/article.md has
// it, held against what NumPy printed: testdata/numpy_json.py.

type numpyCase struct{ In, Out map[string]*Matrix }

// UnmarshalJSON reads {"shape": [rows, cols], "data": […]}.
func (z *Matrix) UnmarshalJSON(text []byte) error {
	var v struct {
		Shape [2]int
		Data  []float64
	}
	err := json.Unmarshal(text, &v)
	*z = Matrix{v.Shape[0], v.Shape[1], v.Data}
	return err
}

func numpy(t *testing.T, name string) numpyCase {
	t.Helper()
	return reference(t, "numpy.json", name)
}

// reference returns what a file in testdata has of a function.
func reference(t *testing.T, file, name string) numpyCase {
	t.Helper()
	var cases map[string]numpyCase
	if err := json.Unmarshal([]byte(readText(t, "testdata/"+file)), &cases); err != nil {
		t.Fatal(err)
	}
	c, ok := cases[name]
	if !ok {
		t.Fatalf("%s has no %s", file, name)
	}
	return c
}

// near fails where got differs from want by more than tolerance relative to
// want's largest element.
func near(t *testing.T, what string, got, want *Matrix, tolerance float64) {
	t.Helper()
	if got.Rows != want.Rows || got.Cols != want.Cols {
		t.Fatalf("%s is %d×%d, NumPy's %d×%d", what, got.Rows, got.Cols, want.Rows, want.Cols)
	}
	largest := 0.0
	for _, v := range want.Data {
		largest = max(largest, math.Abs(v))
	}
	for i, v := range want.Data {
		if d := math.Abs(got.Data[i] - v); !(d <= tolerance*largest) {
			t.Errorf("%s: element %d is %v, NumPy's %v", what, i, got.Data[i], v)
		}
	}
}

func scalar(v float64) *Matrix { return NewMatrix(1, 1, v) }

// clone returns a copy of z.

// dense returns a layer of the given weights.
func dense(w, b *Matrix, act *Activation) *Layer {
	return &Layer{W: *w.Clone(), B: *b.Clone(), Act: act}
}

func TestNumPyElementary(t *testing.T) {
	c := numpy(t, "normalize")
	near(t, "normalize", c.In["X"].Clone().Normalize(), c.Out["Y"], 1e-12)
	c = numpy(t, "matrix_multiply")
	near(t, "matrix_multiply", new(Matrix).Mul(c.In["X"], c.In["W"]), c.Out["Y"], 1e-12)
	c = numpy(t, "softmax")
	near(t, "softmax", c.In["Z"].Clone().Softmax(), c.Out["A"], 1e-12)
	for name, act := range map[string]*Activation{"sigmoid": Sigmoid, "relu": ReLU} {
		c = numpy(t, name)
		a := c.In["Z"].Clone()
		act.Forward(a.Data)
		for i, v := range c.Out["A"].Data {
			near(t, name, scalar(a.Data[i]), scalar(v), 1e-12) // each relative to itself
		}
	}
}

func TestNumPyLosses(t *testing.T) {
	for name, loss := range map[string]func(a, y *Matrix) float64{
		"mse_loss":             func(a, y *Matrix) float64 { return SquaredError(nil, a, y) },
		"binary_cross_entropy": BinaryCrossEntropy, "cross_entropy": CrossEntropy,
	} {
		c := numpy(t, name)
		near(t, name, scalar(loss(c.In["A"], c.In["y"])), c.Out["loss"], 1e-12)
	}
}

// permuted is a data set in the order of a row of NumPy's permutations.
type permuted struct {
	Samples
	order []float64
}

func (p permuted) Batch(x, y *Matrix, index []int) {
	there := make([]int, len(index))
	for i, k := range index {
		there[i] = int(p.order[k])
	}
	p.Samples.Batch(x, y, there)
}

func TestNumPyGradientDescent(t *testing.T) {
	for _, v := range []struct {
		name  string
		loss  Loss
		share float64 // the article's mean squared error leaves the derivative's 2 out
	}{{"gradient_descent", SquaredError, 0.5}, {"gradient_descent_sigmoid", SigmoidCrossEntropy, 1}} {
		c := numpy(t, v.name)
		data := Samples{c.In["X"], c.In["y"]}
		net := Network{dense(c.In["W"], c.In["b"], Linear)}
		history := NewMatrix(1, c.In["order"].Rows)
		for e := range history.Data {
			h := mustTrain(t, net, permuted{data, c.In["order"].Row(e)}, Config{
				Loss: v.loss, Rate: v.share * c.In["lr"].Data[0], Epochs: 1, Batch: int(c.In["batch_size"].Data[0]), InOrder: true})
			history.Data[e] = h[0].Loss
		}
		near(t, v.name+" W", &net[0].W, c.Out["W"], 1e-12)
		near(t, v.name+" b", &net[0].B, c.Out["b"], 1e-12)
		near(t, v.name+" history", history, c.Out["history"], 1e-12)
	}
}

func TestNumPyNumericalGradient(t *testing.T) {
	for name, loss := range map[string]Loss{"numerical_gradient": SquaredError, "numerical_gradient_sigmoid": SigmoidCrossEntropy} {
		c := numpy(t, name)
		net := Network{dense(c.In["W"], c.In["b"], Linear)}
		f := func() float64 { return loss(nil, net.Forward(c.In["X"]), c.In["y"]) }
		h := c.In["h"].Data[0]
		// The difference of two losses that agree to four digits keeps twelve.
		near(t, name+" W", NewMatrix(3, 1, NumericalGradient(f, net[0].W.Data, h)...), c.Out["W"], 1e-11)
		near(t, name+" b", NewMatrix(1, 1, NumericalGradient(f, net[0].B.Data, h)...), c.Out["b"], 1e-11)
	}
}

func TestNumPyPerceptron(t *testing.T) {
	c := numpy(t, "forward_perceptron")
	net := Network{dense(c.In["W"], c.In["b"], Sigmoid)}
	near(t, "forward_perceptron", net.Forward(c.In["X"]), c.Out["A"], 1e-12)
}

func TestNumPyMLP(t *testing.T) {
	for _, suffix := range []string{"", "_3layer"} {
		c := numpy(t, "forward_mlp"+suffix)
		var net Network
		for i := 1; c.In[fmt.Sprintf("W%d", i)] != nil; i++ {
			net = append(net, dense(c.In[fmt.Sprintf("W%d", i)], c.In[fmt.Sprintf("b%d", i)], ReLU))
		}
		net[len(net)-1].Act = Linear
		logits := net.Forward(c.In["X"])
		for i, l := range net[:len(net)-1] {
			near(t, fmt.Sprintf("forward_mlp%s A%d", suffix, i+1), &l.a, c.Out[fmt.Sprintf("A%d", i+1)], 1e-12)
		}
		near(t, "forward_mlp"+suffix, logits.Clone().Softmax(), c.Out[fmt.Sprintf("A%d", len(net))], 1e-12)

		c = numpy(t, "backward_mlp"+suffix)
		var dy Matrix
		SoftmaxCrossEntropy(&dy, logits, c.In["y"])
		net.Backward(&dy)
		for i, l := range net {
			near(t, fmt.Sprintf("backward_mlp%s W%d", suffix, i+1), &l.DW, c.Out[fmt.Sprintf("W%d", i+1)], 1e-12)
			near(t, fmt.Sprintf("backward_mlp%s b%d", suffix, i+1), &l.DB, c.Out[fmt.Sprintf("b%d", i+1)], 1e-12)
		}
	}
}

// An optimizer that is stepped by hand, as a user can.
func TestNumPyOptimizers(t *testing.T) {
	for name, rule := range map[string]*Optimizer{"momentum": Momentum, "adam": Adam} {
		c := numpy(t, name)
		w := c.In["w"].Clone()
		n := len(w.Data)
		m, v := make([]float64, n), make([]float64, n)
		for i := range c.In["G"].Rows {
			rule.Update(w.Data, c.In["G"].Row(i), m, v, OptimizerStep{N: i + 1, Rate: c.In["lr"].Data[0], Beta1: 0.9})
			near(t, fmt.Sprintf("%s step %d", name, i+1), &Matrix{1, n, w.Data}, &Matrix{1, n, c.Out["w"].Row(i)}, 1e-12)
		}
	}
}

func TestAdamWFormula(t *testing.T) {
	c := reference(t, "sklearn.json", "adamw")
	w := c.In["w"].Clone()
	n := len(w.Data)
	m, v := make([]float64, n), make([]float64, n)
	for i := range c.In["G"].Rows {
		AdamW.Update(w.Data, c.In["G"].Row(i), m, v, OptimizerStep{N: i + 1, Rate: c.In["lr"].Data[0], Beta1: 0.9, Decay: c.In["decay"].Data[0]})
		near(t, fmt.Sprintf("step %d", i+1), &Matrix{1, n, w.Data}, &Matrix{1, n, c.Out["w"].Row(i)}, 1e-12)
	}
}
