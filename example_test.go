// Examples: what the README shows, and the article's exercises. The example of ReadNPZ
// has a file of its own.

package mlp_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"mlp"
)

// A network is trained on the digits in the package.
func Example() {
	train, err := mlp.LoadMNIST(mlp.SampleMNIST(), "train", 0)
	if err != nil {
		panic(err)
	}
	train.Standardize(train.Stats())
	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, mlp.MNISTPixels, 32, mlp.MNISTClasses)
	history, err := mlp.Train(context.Background(), net, train, mlp.Config{Rate: 0.1, Epochs: 3, Batch: 64})
	if err != nil {
		panic(err)
	}
	fmt.Printf("training accuracy %.3f\n", history[2].Metric)
	// Output: training accuracy 0.966
}

// small returns the network of the article's first two exercises, and its data.
func small() (net mlp.Network, x, y *mlp.Matrix) {
	net = mlp.NewNetwork(1, func(in, out int) float64 { return 0.1 }, mlp.ReLU, 2, 4, 3, 2)
	return net, mlp.NewMatrix(2, 2, 1, 2, 3, 4), mlp.NewMatrix(2, 2, 1, 0, 0, 1)
}

// Exercise 1: the shapes of a forward and a backward pass on two samples.
func Example_exercise1() {
	net, x, y := small()
	var dy mlp.Matrix
	logits := net.Forward(x)
	mlp.SoftmaxCrossEntropy(&dy, logits, y)
	net.Backward(&dy)
	fmt.Printf("output: %d×%d\n", logits.Rows, logits.Cols)
	for i, l := range net {
		fmt.Printf("gradient W%d: %d×%d, b%d: %d×%d\n", i+1, l.DW.Rows, l.DW.Cols, i+1, l.DB.Rows, l.DB.Cols)
	}
	// Output:
	// output: 2×2
	// gradient W1: 2×4, b1: 1×4
	// gradient W2: 4×3, b2: 1×3
	// gradient W3: 3×2, b3: 1×2
}

// Exercise 2: one update lowers the loss.
func Example_exercise2() {
	net, x, y := small()
	before := mlp.SoftmaxCrossEntropy(nil, net.Forward(x), y)
	_, err := mlp.Train(context.Background(), net, mlp.Samples{x, y}, mlp.Config{Rate: 0.1, Epochs: 1, Batch: 2})
	after := mlp.SoftmaxCrossEntropy(nil, net.Forward(x), y)
	fmt.Printf("loss %.6f, after one update %.6f, error %v\n", before, after, err)
	// Output: loss 0.693530, after one update 0.693510, error <nil>
}

// digits1000 returns what exercises 3 and 4 train on: 1,000 digits, of which the last
// fifth is held out to test on.
func digits1000() (train, test *mlp.MNIST) {
	all, err := mlp.LoadMNIST(mlp.SampleMNIST(), "train", 1000)
	if err != nil {
		panic(err)
	}
	train, test = all.Slice(0, 800), all.Slice(800, 1000)
	stats := train.Stats()
	train.Standardize(stats)
	test.Standardize(stats)
	return train, test
}

// Exercise 3: does a third layer help, after 10 epochs with batches of 32?
func Example_exercise3() {
	train, test := digits1000()
	for _, sizes := range [][]int{{mlp.MNISTPixels, 256, mlp.MNISTClasses}, {mlp.MNISTPixels, 256, 128, mlp.MNISTClasses}} {
		net := mlp.NewNetwork(1, mlp.Small, mlp.ReLU, sizes...)
		h, err := mlp.Train(context.Background(), net, train, mlp.Config{Rate: 0.1, Epochs: 10, Batch: 32, Seed: 1, Test: test})
		if err != nil {
			panic(err)
		}
		fmt.Printf("%d layers: loss %.3f, then %.3f; test accuracy %.3f\n", len(net), h[0].Loss, h[9].Loss, h[9].TestMetric)
	}
	// Output:
	// 2 layers: loss 1.451, then 0.043; test accuracy 0.860
	// 3 layers: loss 2.299, then 0.272; test accuracy 0.845
}

// Exercise 4: the mean |gradient| of each layer's weights in the first batch.
func Example_exercise4() {
	train, _ := digits1000()
	net := mlp.NewNetwork(1, mlp.Small, mlp.ReLU, mlp.MNISTPixels, 256, 128, mlp.MNISTClasses)
	var x, y, dy mlp.Matrix
	first := make([]int, 32)
	for i := range first {
		first[i] = i
	}
	train.Batch(&x, &y, first)
	mlp.SoftmaxCrossEntropy(&dy, net.Forward(&x), &y)
	net.Backward(&dy)
	for i, l := range net {
		sum := 0.0
		for _, v := range l.DW.Data {
			sum += math.Abs(v)
		}
		fmt.Printf("W%d: %.6f\n", i+1, sum/float64(len(l.DW.Data)))
	}
	// Output:
	// W1: 0.000048
	// W2: 0.000154
	// W3: 0.000754
}

// Data, an activation and a loss of your own: the exclusive or of two numbers, a
// leaky ReLU, and the mean |y - want|.
func ExampleTrain() {
	xor := mlp.Samples{
		X: mlp.NewMatrix(4, 2, 0, 0, 0, 1, 1, 0, 1, 1),
		Y: mlp.NewMatrix(4, 1, 0, 1, 1, 0),
	}
	leaky := &mlp.Activation{
		Name: "leaky",
		Forward: func(z []float64) {
			for i, v := range z {
				z[i] = max(v, v/10)
			}
		},
		Backward: func(dz, a []float64) {
			for i, v := range a {
				if v < 0 {
					dz[i] /= 10
				}
			}
		},
	}
	absolute := func(dy, y, want *mlp.Matrix) (loss float64) {
		n := float64(len(y.Data))
		for i, v := range y.Data {
			loss += math.Abs(v-want.Data[i]) / n
		}
		if dy != nil {
			dy.Reset(y.Rows, y.Cols)
			for i, v := range y.Data {
				dy.Data[i] = math.Copysign(1/n, v-want.Data[i])
			}
		}
		return loss
	}
	net := mlp.NewNetwork(1, mlp.He, leaky, 2, 8, 1)
	h, err := mlp.Train(context.Background(), net, xor, mlp.Config{Loss: absolute, Optimizer: mlp.Adam, Rate: 0.01, Epochs: 500, Batch: 4})
	if err != nil {
		panic(err)
	}
	fmt.Println("learnt:", h[499].Loss < 0.05)
	var y mlp.Matrix
	for _, v := range net.Predict(&y, xor.X).Data {
		fmt.Printf("%.0f ", math.Abs(v))
	}
	// Output:
	// learnt: true
	// 0 1 1 0
}

// grid returns n×n points of the square from -1 to 1, and the class of each: 1 inside
// the circle of radius 0.7, and 0 outside.
func grid(n int) (points [][2]float64, classes []int) {
	for i := range n * n {
		x, y := 2*(float64(i/n)+0.5)/float64(n)-1, 2*(float64(i%n)+0.5)/float64(n)-1
		class := 0
		if x*x+y*y < 0.7*0.7 {
			class = 1
		}
		points, classes = append(points, [2]float64{x, y}), append(classes, class)
	}
	return points, classes
}

// samples makes a data set of points and their classes, 0 or 1.
func samples(points [][2]float64, classes []int) mlp.Samples {
	x := mlp.NewMatrix(len(points), 2)
	for i, p := range points {
		copy(x.Row(i), p[:])
	}
	return mlp.Samples{X: x, Y: mlp.OneHot(classes, 2)}
}

// Data of your own are two matrices with a row for each sample.
func ExampleSamples() {
	train, test := samples(grid(20)), samples(grid(33))
	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, 2, 16, 16, 2)
	history, err := mlp.Train(context.Background(), net, train, mlp.Config{
		Optimizer: mlp.Adam, Rate: 0.01, Schedule: mlp.Cosine, Epochs: 100, Batch: 20, Test: test,
	})
	if err != nil {
		panic(err)
	}
	fmt.Printf("accuracy on the test points %.3f\n", history[99].TestMetric)
	// Output: accuracy on the test points 0.983
}

// What a network answers in every place, the points that it was trained on, and its curves.
func ExampleFigure() {
	points, classes := grid(20)
	data := samples(points, classes)
	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, 2, 16, 16, 2)
	history, err := mlp.Train(context.Background(), net, data, mlp.Config{Optimizer: mlp.Adam, Rate: 0.01, Epochs: 50, Batch: 20})
	if err != nil {
		panic(err)
	}
	c := mlp.Chart{Equal: true, Series: []mlp.Series{{Name: "outside", Points: true, Size: 0.6}, {Name: "inside", Points: true, Size: 0.6}}}
	for i, p := range points {
		s := &c.Series[classes[i]]
		s.X, s.Y = append(s.X, p[0]), append(s.Y, p[1])
	}
	var y mlp.Matrix
	c.Region = func(a, b float64) string {
		return c.Series[mlp.Argmax(net.Predict(&y, mlp.NewMatrix(1, 2, a, b)).Data)].Name
	}
	boundary := mlp.Figure{Title: "Inside and outside", Height: 400, Charts: []mlp.Chart{c}}

	fmt.Printf("%.4s… %.4s…\n", boundary.SVG(), history.Figure().SVG())
	// Output: <svg… <svg…
}

// A model is read from its file and asked for a digit. Predict, unlike Forward, only
// reads the network, and gives a row the same output whatever the other rows are.
func ExampleNetwork_Predict() {
	dir, err := os.MkdirTemp("", "mlp")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	name := filepath.Join(dir, "model.npz")
	saveDigitModel(name)

	m, err := mlp.ReadModelFile(name)
	if err != nil {
		panic(err)
	}
	test, err := mlp.LoadMNIST(mlp.SampleMNIST(), "t10k", 0)
	if err != nil {
		panic(err)
	}
	if m.Deskew {
		test = test.Deskew()
	}
	test.Standardize(m.Input)
	var x, y, p mlp.Matrix
	test.Batch(&x, &y, []int{3})
	m.Net.Predict(&p, &x).Softmax()
	for digit, probability := range p.Row(0) {
		if probability > 0.05 {
			fmt.Printf("a %d with probability %.2f, labelled %d\n", digit, probability, test.Labels[3])
		}
	}
	// Output:
	// a 4 with probability 0.11, labelled 9
	// a 9 with probability 0.79, labelled 9
}

// saveDigitModel trains a network with batch normalisation and saves it.
func saveDigitModel(name string) {
	train, _ := digits1000()
	m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, mlp.MNISTPixels, 32, mlp.MNISTClasses)}
	m.Net[0].Norm = mlp.NewBatchNorm(32)
	m.Input = train.Stats()
	if _, err := mlp.Train(context.Background(), m.Net, train, mlp.Config{Rate: 0.1, Epochs: 5, Batch: 50}); err != nil {
		panic(err)
	}
	if err := m.WriteFile(name); err != nil {
		panic(err)
	}
}

// learn trains a network for so many epochs in all, and saves the model after each. If
// the file is there already, it goes on from it.
func learn(ctx context.Context, train *mlp.MNIST, name string, epochs int) (*mlp.Model, error) {
	m, err := mlp.ReadModelFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		m, err = &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, mlp.MNISTPixels, 32, mlp.MNISTClasses)}, nil
		m.Input = train.Stats() // which predicting needs
	}
	if err != nil {
		return nil, err
	}
	_, err = mlp.Train(ctx, m.Net, train, mlp.Config{
		Optimizer: mlp.Adam, Rate: 0.001, Epochs: epochs, Batch: 50, Run: &m.Run,
		OnEpoch: func(mlp.Epoch) error { return m.WriteFile(name) },
	})
	return m, err
}

// A training that saves its model after each epoch can be stopped at any moment. It
// goes on from the file and ends with the weights of one that was never stopped.
func ExampleRun() {
	digits, _ := digits1000()
	dir, err := os.MkdirTemp("", "mlp")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	var weights [2]string
	for i, stops := range [][]int{{5}, {2, 5}} { // straight through, and with a stop after two epochs
		name := filepath.Join(dir, fmt.Sprintf("model%d.npz", i))
		for _, epochs := range stops {
			m, err := learn(context.Background(), digits, name, epochs)
			if err != nil {
				panic(err)
			}
			weights[i] = m.Net.Fingerprint()
		}
	}
	fmt.Println("the same weights:", weights[0] == weights[1])
	// Output: the same weights: true
}

// Linear regression by gradient descent with the three products alone: y = 2a - b + 3.
func ExampleMatrix() {
	x := mlp.NewMatrix(5, 2, 1, 5, 2, 1, 3, 4, 4, 2, 5, 3)
	y := mlp.NewMatrix(5, 1, 0, 6, 5, 9, 10)
	x.Normalize()
	w, bias := mlp.NewMatrix(2, 1), 0.0
	var predicted, gradient, again mlp.Matrix
	for range 200 {
		predicted.Mul(x, w)
		for i := range predicted.Data {
			predicted.Data[i] += bias - y.Data[i] // the error
		}
		gradient.TMul(x, &predicted)
		for j, g := range gradient.Data {
			w.Data[j] -= 0.5 * g / 5
		}
		for _, e := range predicted.Data {
			bias -= 0.5 * e / 5
		}
	}
	again.MulT(mlp.NewMatrix(1, 2, w.Data...), x)
	fmt.Printf("%.3f %.3f %.3f; the first y again %.3f\n", w.Data[0], w.Data[1], bias, again.Data[0]+bias)
	// Output: 2.828 -1.414 6.000; the first y again 0.000
}

// The gradient of a network's loss, compared with central differences. The losses of
// probabilities, as the article writes them, are those of the logits.
func ExampleNumericalGradient() {
	net, x, y := small()
	var dy mlp.Matrix
	loss := func() float64 { return mlp.SoftmaxCrossEntropy(nil, net.Forward(x), y) }
	mlp.SoftmaxCrossEntropy(&dy, net.Forward(x), y)
	net.Backward(&dy)
	largest := 0.0
	for i, g := range mlp.NumericalGradient(loss, net[0].W.Data, 1e-5) {
		largest = max(largest, math.Abs(g-net[0].DW.Data[i]))
	}
	p := net.Predict(new(mlp.Matrix), x).Softmax()
	first, want := mlp.NewMatrix(2, 1, p.Data[0], p.Data[2]), mlp.NewMatrix(2, 1, y.Data[0], y.Data[2])
	fmt.Println("differences below 1e-9:", largest < 1e-9)
	fmt.Printf("%.6f %.6f %.6f\n", loss(), mlp.CrossEntropy(p, y), mlp.BinaryCrossEntropy(first, want))
	// Output:
	// differences below 1e-9: true
	// 0.693530 0.693530 0.693530
}

// An optimizer of one's own, Nesterov's momentum, that decays the weights itself.
func ExampleOptimizer() {
	nesterov := &mlp.Optimizer{Name: "nesterov", Slots: 1, Decays: true,
		Update: func(w, g, m, _ []float64, s mlp.OptimizerStep) {
			for i := range w {
				d := g[i] + s.Decay*w[i]
				m[i] = s.Beta1*m[i] + d
				w[i] -= s.Rate * (d + s.Beta1*m[i])
			}
		}}
	net, x, y := small()
	c := mlp.Config{Optimizer: nesterov, Rate: 0.1, Schedule: mlp.StepDecay, Decay: 0.001, Epochs: 300, Batch: 2}
	h, err := mlp.Train(context.Background(), net, mlp.Samples{X: x, Y: y}, c)
	if err != nil {
		panic(err)
	}
	fmt.Printf("accuracy %.0f, loss below 0.01: %t\n", h[299].Metric, h[299].Loss < 0.01)
	// Output: accuracy 1, loss below 0.01: true
}

// A rate that is too large is named, and so is a file that is no model.
func ExampleDivergedError() {
	net, x, y := small()
	c := mlp.Config{Loss: mlp.SquaredError, Rate: 1e6, Schedule: mlp.Warmup(0.1, mlp.Constant), Epochs: 99, Batch: 2}
	_, err := mlp.Train(context.Background(), net, mlp.Samples{X: x, Y: y}, c)
	var diverged *mlp.DivergedError
	fmt.Println(errors.As(err, &diverged), diverged.Epoch, diverged.Reason)
	_, err = mlp.ReadModel(strings.NewReader("W1"), 2)
	fmt.Println(errors.As(err, new(mlp.FormatError)), err)
	// Output:
	// true 27 the loss over all samples is +Inf
	// true not an .npz archive: it begins with "W1"
}

// A network in words.
func ExampleNetwork_String() {
	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, mlp.MNISTPixels, 256, 128, mlp.MNISTClasses)
	net[0].Norm, net[1].Dropout = mlp.NewBatchNorm(256), 0.2
	fmt.Println(net)
	// Output:
	// layer  shape    activation         parameters  operations
	// 1      784×256  relu, batch norm   201216      401408
	// 2      256×128  relu, dropout 0.2  32896       65536
	// 3      128×10   linear             1290        2560
	// all    784×10                      235402      469504
}

// Transfer: what a network has learned of the digits serves to tell even ones from odd ones. Its
// first layer stays as it is, and a new last one is trained.
func ExampleLayer() {
	train, test := digits1000()
	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, mlp.MNISTPixels, 32, mlp.MNISTClasses)
	c := mlp.Config{Rate: 0.1, Epochs: 5, Batch: 32}
	if _, err := mlp.Train(context.Background(), net, train, c); err != nil {
		panic(err)
	}
	net[0].Frozen = true
	net[1] = mlp.NewNetwork(2, mlp.He, mlp.ReLU, 32, 2)[0]
	parity := func(digits *mlp.MNIST) mlp.Samples {
		classes := make([]int, digits.Len())
		for i, digit := range digits.Labels {
			classes[i] = int(digit) % 2
		}
		return mlp.Samples{X: mlp.SamplesOf(digits).X, Y: mlp.OneHot(classes, 2)}
	}
	c.Test = parity(test)
	history, err := mlp.Train(context.Background(), net, parity(train), c)
	if err != nil {
		panic(err)
	}
	fmt.Printf("even or odd: test accuracy %.2f\n", history[4].TestMetric)
	// Output: even or odd: test accuracy 0.92
}

// Which rate to begin with: a third of that at which the loss was lowest.
func ExampleRangeTest() {
	train, _ := digits1000()
	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, mlp.MNISTPixels, 32, mlp.MNISTClasses)
	t, err := mlp.RangeTest(context.Background(), net, train, mlp.Config{Epochs: 8, Batch: 32}, 1e-4, 100)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%d rates up to %.1f; take %.2f\n", len(t.Rates), t.Rates[len(t.Rates)-1], t.Suggestion())
	// Output: 137 rates up to 1.2; take 0.19
}

// Two networks that train each other (Goodfellow et al. 2014): one makes numbers of noise, and
// the other tells them from real ones, which are normally distributed around 4.
func ExampleStepper() {
	generator, critic := mlp.NewNetwork(1, mlp.He, mlp.Tanh, 1, 16, 1), mlp.NewNetwork(2, mlp.He, mlp.Tanh, 1, 16, 1)
	c := mlp.Config{Loss: mlp.SigmoidCrossEntropy, Optimizer: mlp.Adam, Rate: 0.01, Beta1: 0.5}
	makes, err := mlp.NewStepper(generator, c)
	if err != nil {
		panic(err)
	}
	tells, err := mlp.NewStepper(critic, c)
	if err != nil {
		panic(err)
	}
	const n = 64
	rng := rand.New(rand.NewPCG(1, 1))
	noise, real, yes, no := mlp.NewMatrix(n, 1), mlp.NewMatrix(n, 1), mlp.NewMatrix(n, 1), mlp.NewMatrix(n, 1)
	var dy, dx mlp.Matrix
	for range 1000 {
		for i := range n {
			noise.Data[i], real.Data[i], yes.Data[i] = rng.NormFloat64(), 4+0.5*rng.NormFloat64(), 1
		}
		for _, batch := range [][2]*mlp.Matrix{{real, yes}, {generator.Forward(noise), no}} {
			if _, err := tells.Step(batch[0], batch[1]); err != nil {
				panic(err)
			}
		}
		mlp.SigmoidCrossEntropy(&dy, critic.Forward(generator.Forward(noise)), yes)
		critic.Backward(&dy) // which moves nothing
		generator.Backward(critic.InputGradient(&dx))
		makes.Move()
	}
	mean := 0.0
	for _, v := range generator.Predict(&dx, noise).Data {
		mean += v / n
	}
	fmt.Printf("the mean of what it makes is %.0f\n", mean)
	// Output: the mean of what it makes is 4
}

// A policy learns from rewards (Williams 1992): a step goes left or right by chance, and only
// that towards 0 is rewarded.
func ExampleStepper_Move() {
	policy := mlp.NewNetwork(1, mlp.He, mlp.Tanh, 1, 8, 2)
	s, err := mlp.NewStepper(policy, mlp.Config{Optimizer: mlp.Adam, Rate: 0.02})
	if err != nil {
		panic(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	place, dy := mlp.NewMatrix(32, 1), mlp.NewMatrix(32, 2)
	rewarded := 0
	for n := range 200 {
		for i := range place.Data {
			place.Data[i] = 2*rng.Float64() - 1
		}
		p := policy.Predict(new(mlp.Matrix), place).Softmax()
		policy.Forward(place)
		for i, x := range place.Data {
			right := 0
			if rng.Float64() < p.Row(i)[1] {
				right = 1
			}
			reward := -1.0
			if (x < 0) == (right == 1) {
				if reward = 1; n >= 190 {
					rewarded++
				}
			}
			for j, v := range p.Row(i) { // the gradient of -reward·ln p of what it did
				dy.Row(i)[j] = reward * v / 32
			}
			dy.Row(i)[right] -= reward / 32
		}
		policy.Backward(dy)
		s.Move()
	}
	fmt.Printf("%.2f of the last steps are rewarded\n", float64(rewarded)/(10*32))
	// Output: 0.98 of the last steps are rewarded
}
