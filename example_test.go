package mlp_test

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"mlp"
)

// What the README shows: a network is trained on the digits in the package.
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
	fmt.Printf("training accuracy %.3f\n", history[2].Accuracy)
	// Output: training accuracy 0.966
}

// small is the network of the article's first two exercises and its data.
func small() (net mlp.Network, x, y *mlp.Matrix) {
	net = mlp.NewNetwork(1, func(in, out int) float64 { return 0.1 }, mlp.ReLU, 2, 4, 3, 2)
	return net, mlp.NewMatrix(2, 2, 1, 2, 3, 4), mlp.NewMatrix(2, 2, 1, 0, 0, 1)
}

// Exercise 1: a forward and a backward pass on two samples; the shapes.
func Example_exercise1() {
	net, x, y := small()
	var dy mlp.Matrix
	probabilities := *net.Forward(x)
	mlp.SoftmaxCrossEntropy(&dy, &probabilities, y)
	net.Backward(&dy)
	fmt.Printf("output: %d×%d\n", probabilities.Rows, probabilities.Cols)
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

// digits1000 is what exercises 3 and 4 train on: 1,000 digits, a fifth of
// them held out.
func digits1000() (train, test *mlp.MNIST) {
	all, err := mlp.LoadMNIST(mlp.SampleMNIST(), "train", 0)
	if err != nil {
		panic(err)
	}
	train, test = all.Slice(0, 800), all.Slice(800, 1000)
	mean, std := train.Stats()
	train.Standardize(mean, std)
	test.Standardize(mean, std)
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
		fmt.Printf("%d layers: loss %.3f, then %.3f; test accuracy %.3f\n", len(net), h[0].Loss, h[9].Loss, h[9].TestAccuracy)
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

// Data, an activation and a loss of one's own: the exclusive or of two numbers, a
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

// A model file is written, read, and used. Forward is for training: a layer
// with normalisation takes its statistics from the rows it is given.
func ExampleNetwork_Predict() {
	train, test := digits1000()
	m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, mlp.MNISTPixels, 32, mlp.MNISTClasses)}
	m.Net[0].Norm = mlp.NewBatchNorm(32)
	m.Mean, m.Std = train.Stats()
	if _, err := mlp.Train(context.Background(), m.Net, train, mlp.Config{Rate: 0.1, Epochs: 5, Batch: 50}); err != nil {
		panic(err)
	}
	var file bytes.Buffer
	if err := m.Write(&file); err != nil {
		panic(err)
	}

	read, err := mlp.ReadModel(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		panic(err)
	}
	test.Standardize(read.Mean, read.Std)
	var x, y, p mlp.Matrix
	test.Batch(&x, &y, []int{0})
	read.Net.Predict(&p, &x).Softmax()
	for digit, share := range p.Data {
		if share > 0.05 {
			fmt.Printf("a %d with probability %.2f, labelled %d\n", digit, share, test.Labels[0])
		}
	}
	// Output: a 1 with probability 0.94, labelled 1
}
