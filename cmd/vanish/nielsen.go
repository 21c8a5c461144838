// Chapter 5 of Michael Nielsen, "Neural Networks and Deep Learning" (2015): his
// norms of the error term before training, which ours are compared with, and his
// charts of the speed of learning.

package main

import (
	"fmt"
	"slices"
	"strings"

	"mlp"
	"mlp/cmd/internal/mnist"
)

// published is what he prints for 2, 3 and 4 hidden layers: ‖δ‖ of the first,
// the second and so on, of one network each.
var published = [][]float64{
	{0.0657, 0.309},
	{0.0118, 0.0600, 0.283},
	{0.00298, 0.0171, 0.0695, 0.285},
}

// ensemble is how many networks of ours, with the seeds 1, 2, 3 and so on whatever
// -seed is, a published value is compared with. The value must lie between the
// percentiles low and high of theirs.
const (
	ensemble  = 200
	low, high = 1, 99
)

// nielsenEpochs is the number of epochs in Nielsen's charts.
const nielsenEpochs = 500

// mnistDigits are the digests of the two sets of 1000 digits, both from MNIST's
// training part, that may be compared with Nielsen's: the first of the whole training
// part, and the first of the sample in the package.
var mnistDigits = []string{
	"95d85e11b2d2a0c8dbe9c4d58cb7ed30815729bec83b36c769d57aad68214912",
	"4fa4a6dec9482049b18de500691396b3015a00a6b12114a883685d474ae34418",
}

func isMNIST(digits *mlp.MNIST) bool { return slices.Contains(mnistDigits, mnist.Digest(digits)) }

// nielsenNetwork has weights from N(0, 1/fan-in) and biases from N(0, 1).
func nielsenNetwork(seed uint64, layers int) mlp.Network {
	net := beginning{init: mlp.LeCun}.network(seed, mlp.Sigmoid, hidden(layers)...)
	one := func(in, out int) float64 { return 1 }
	biases := mlp.NewNetwork(^seed, one, mlp.Linear, 1, 30*layers+mlp.MNISTClasses)[0].W.Data
	for _, l := range net {
		biases = biases[copy(l.B.Data, biases):]
	}
	return net
}

// nielsenLoss is the cross-entropy of his equation 63: the sum over the k outputs,
// of which mlp.SigmoidCrossEntropy takes the mean.
func nielsenLoss(dy, y, want *mlp.Matrix) float64 {
	mean, k := mlp.SigmoidCrossEntropy(dy, y, want), float64(y.Cols)
	if dy != nil {
		for i := range dy.Data {
			dy.Data[i] *= k
		}
	}
	return mean * k
}

// nielsen compares, trains as he does, in epochs of one step at a rate of 0.1 with his λ = 5,
// and draws ‖δ‖ of each hidden layer as he does, with the published values if these are
// compared.
func nielsen(l *lab) (*mlp.Figure, error) {
	data := l.train.Slice(0, few)
	l.printf("nielsen: 784-30-…-30-10, sigmoid, cross-entropy, %d digits\n", data.Len())
	sentence, compared, err := l.comparePublished(data)
	if err != nil {
		return nil, err
	}
	sentences := []string{sentence}
	norms := make([][][]float64, len(published)) // of each network, by epoch, of each layer
	l.start("nielsen", nielsenEpochs*len(published))
	err = l.each(len(published), func(i int) (err error) {
		norms[i], err = l.speed(i+2, data)
		return err
	})
	if err != nil {
		return nil, err
	}
	f := &mlp.Figure{Title: "The speed of learning, as in Nielsen's chapter 5", SameY: true}
	for i, byEpoch := range norms {
		layers := i + 2
		c := mlp.Chart{Title: fmt.Sprintf("%d hidden layers", layers), XLabel: "Number of epochs of training", YLabel: "‖δ‖", LogY: true}
		for layer := range len(published) + 1 {
			s := mlp.Series{Name: fmt.Sprintf("Hidden layer %d", layer+1)}
			for n := 0; n < len(byEpoch) && layer < layers; n++ { // others are empty, so that a layer looks the same in every chart
				s.X, s.Y = append(s.X, float64(n)), append(s.Y, byEpoch[n][layer])
			}
			c.Series = append(c.Series, s)
		}
		if compared {
			for _, v := range published[i] {
				c.Series = append(c.Series, mlp.Series{Name: "Published, at the start", X: []float64{0}, Y: []float64{v}, Points: true})
			}
		}
		for _, s := range c.Series {
			l.record(s.Y...)
		}
		f.Charts = append(f.Charts, c)
		before, after := byEpoch[0], byEpoch[nielsenEpochs]
		sentences = append(sentences, fmt.Sprintf("With %d hidden layers, ‖δ‖ of the first against the last: "+
			"%s before training, %s after %d epochs.",
			layers, times(before[0]/before[layers-1]), times(after[0]/after[layers-1]), nielsenEpochs))
	}
	f.Caption = strings.Join(sentences, "\n")
	return f, nil
}

// speed trains a network and returns ‖δ‖ of its layers before each epoch and after the
// last.
func (l *lab) speed(layers int, data *mlp.MNIST) (norms [][]float64, err error) {
	net := nielsenNetwork(l.seed, layers)
	o, err := l.learn(net, data, data, mlp.Config{Loss: nielsenLoss, Epochs: nielsenEpochs, Batch: data.Len(), InOrder: true,
		Decay: 5 / float64(data.Len())}, 1)
	if err != nil {
		return nil, fmt.Errorf("%d hidden layers: %w", layers, err)
	}
	for _, e := range o.history { // an epoch is one step, so its statistics are of the weights before it
		var before []float64
		for _, s := range e.Layers {
			before = append(before, s.DeltaNorm)
		}
		norms = append(norms, before)
	}
	return append(norms, deltas(net, nielsenLoss, mlp.SamplesOf(data))), nil
}

// comparePublished prints the published values beside ours, if the digits are MNIST's,
// and says whether it has compared them. The first value that lies outside our range is
// an error.
func (l *lab) comparePublished(data *mlp.MNIST) (sentence string, compared bool, err error) {
	if !isMNIST(data) {
		return "The published values are of digits of MNIST's training part. These digits are others, so the values are not compared.", false, nil
	}
	first := mlp.SamplesOf(data)
	l.printf("‖δ‖ before training, and percentiles of ours in %d networks\n", ensemble)
	l.printf("hidden layers  layer  published  %8d  %8d  %8d\n", low, 50, high)
	for _, values := range published {
		ours, failed := l.norms(len(values), nielsenNetwork, nielsenLoss, first)
		if failed != nil {
			return "", false, failed
		}
		for layer, v := range values {
			l.record(ours[layer]...)
			slices.Sort(ours[layer])
			lowest, median, highest := percentile(ours[layer], low), percentile(ours[layer], 50), percentile(ours[layer], high)
			l.printf("%13d  %5d  %#9.3g  %#8.3g  %#8.3g  %#8.3g\n", len(values), layer+1, v, lowest, median, highest)
			if err == nil && !(lowest <= v && v <= highest) {
				err = fmt.Errorf("%d hidden layers, layer %d: the published %.3g lies outside our range of %.3g to %.3g", len(values), layer+1, v, lowest, highest)
			}
		}
	}
	l.printf("\n")
	return fmt.Sprintf("Each published value lies between the %dst and the %dth percentile of our %d networks.", low, high, ensemble), true, err
}

// norms returns, for each hidden layer, ‖δ‖ in each of our networks.
func (l *lab) norms(layers int, network func(seed uint64, layers int) mlp.Network, loss mlp.Loss, first mlp.Samples) ([][]float64, error) {
	norms := make([][]float64, layers)
	for layer := range norms {
		norms[layer] = make([]float64, ensemble)
	}
	return norms, l.each(ensemble, func(i int) error {
		for layer, v := range deltas(network(uint64(i+1), layers), loss, first)[:layers] {
			norms[layer][i] = v
		}
		return nil
	})
}

// percentile returns the smallest element of sorted that at least p percent of the
// elements, p > 0, do not exceed.
func percentile(sorted []float64, p int) float64 {
	return sorted[(p*len(sorted)+99)/100-1]
}
