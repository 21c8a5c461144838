// Chapter 5 of Michael Nielsen, "Neural Networks and Deep Learning" (2015), as
// an outside oracle: his norms of the error term before training, and his
// pictures of the speed of learning.

package main

import (
	"fmt"
	"slices"

	"mlp"
)

// published is what he prints for 2, 3 and 4 hidden layers: ‖δ‖ of the first,
// the second and so on.
var published = [][]float64{
	{0.0657, 0.309},
	{0.0118, 0.0600, 0.283},
	{0.00298, 0.0171, 0.0695, 0.285},
}

// oracleSeeds is how many networks a published value is held against: those of
// the seeds 1 to 20, whatever -seed is. He, too, had one network of each kind, and
// not every 20 of ours enclose it: 30 of the seeds 1 to 300 give more than his
// 0.0171, and 38 of the 281 windows of 20 seeds have none of them.
const oracleSeeds = 20

// nielsenNetwork has weights from N(0, 1/fan-in) and biases from N(0, 1).
func nielsenNetwork(seed uint64, layers int) mlp.Network {
	net := recipe{init: "lecun"}.network(seed, mlp.Sigmoid, hidden(layers)...)
	one := func(in, out int) float64 { return 1 }
	biases := mlp.NewNetwork(^seed, one, mlp.Linear, 1, 30*layers+mlp.MNISTClasses)[0].W.Data
	for _, l := range net {
		biases = biases[copy(l.B.Data, biases):]
	}
	return net
}

// nielsenLoss is the cross-entropy of his equation 63: the sum over the outputs,
// where ours is their mean.
func nielsenLoss(dy, y, want *mlp.Matrix) float64 {
	mean, k := mlp.SigmoidCrossEntropy(dy, y, want), float64(y.Cols)
	if dy != nil {
		for i := range dy.Data {
			dy.Data[i] *= k
		}
	}
	return mean * k
}

func nielsen(l *lab) (*mlp.Figure, error) {
	data := l.train.Slice(0, few)
	if err := l.oracle(data); err != nil {
		return nil, err
	}
	return l.speeds(data)
}

// oracle prints the published values beside ours. One that lies outside the
// range of ours is an error.
func (l *lab) oracle(data *mlp.MNIST) error {
	x, y := firstBatch(data, data.Len())
	l.printf("nielsen: 784-30-…-30-10, sigmoid, cross-entropy, %d digits: ‖δ‖ before training\n", data.Len())
	l.printf("hidden layers  layer  published   median   lowest  highest  of %d networks\n", oracleSeeds)
	var failed error
	for _, values := range published {
		ours, err := l.ensemble(len(values), x, y)
		if err != nil {
			return err
		}
		for layer, v := range values {
			if err := l.compare(len(values), layer+1, v, ours[layer]); failed == nil {
				failed = err
			}
		}
	}
	l.printf("\n")
	return failed
}

// ensemble returns ‖δ‖ of each hidden layer in each of our networks.
func (l *lab) ensemble(layers int, x, y *mlp.Matrix) ([][]float64, error) {
	norms := make([][]float64, layers)
	for layer := range norms {
		norms[layer] = make([]float64, oracleSeeds)
	}
	return norms, l.each(oracleSeeds, func(i int) error {
		for layer, v := range deltas(nielsenNetwork(uint64(i+1), layers), nielsenLoss, x, y)[:layers] {
			norms[layer][i] = v
		}
		return nil
	})
}

// compare prints a published value beside the median and the range of ours, and
// returns an error where it lies outside.
func (l *lab) compare(layers, layer int, value float64, ours []float64) error {
	l.record(ours...)
	slices.Sort(ours)
	lowest, highest := ours[0], ours[oracleSeeds-1]
	median := (ours[oracleSeeds/2-1] + ours[oracleSeeds/2]) / 2
	l.printf("%13d  %5d  %#9.3g  %#7.3g  %#7.3g  %#7.3g\n", layers, layer, value, median, lowest, highest)
	if value < lowest || value > highest {
		return fmt.Errorf("%d hidden layers, layer %d: the published %.3g lies outside of our %.3g to %.3g", layers, layer, value, lowest, highest)
	}
	return nil
}

// nielsenEpochs is for how long he trains.
const nielsenEpochs = 500

// speeds trains as he does, in epochs of one step at a rate of 0.1 with his λ = 5,
// and draws ‖δ‖ of each hidden layer as he does.
func (l *lab) speeds(data *mlp.MNIST) (*mlp.Figure, error) {
	f := &mlp.Figure{Title: "The speed of learning, as in Nielsen's chapter 5", Columns: 3, SameY: true,
		Charts: make([]mlp.Chart, len(published))}
	l.bar.begin("nielsen", nielsenEpochs*len(published))
	err := l.each(len(published), func(i int) (err error) {
		f.Charts[i], err = l.speed(i+2, data)
		return err
	})
	if err != nil {
		return nil, err
	}
	sentences := []string{fmt.Sprintf("Every published value lies within the range of our %d networks.", oracleSeeds)}
	for i, c := range f.Charts {
		first, last := c.Series[0].Y, c.Series[i+1].Y
		for _, s := range c.Series {
			l.record(s.Y...)
		}
		sentences = append(sentences, fmt.Sprintf("With %d hidden layers, ‖δ‖ of the first against the last: %s before training, %s after %d epochs.",
			i+2, times(first[0]/last[0]), times(first[nielsenEpochs]/last[nielsenEpochs]), nielsenEpochs))
	}
	return l.caption(f, sentences...), nil
}

// speed trains one network and returns its chart, with the published values
// where it begins.
func (l *lab) speed(layers int, data *mlp.MNIST) (mlp.Chart, error) {
	c := mlp.Chart{Title: fmt.Sprintf("%d hidden layers", layers), XLabel: "Number of epochs of training", YLabel: "‖δ‖", LogY: true}
	net := nielsenNetwork(l.seed, layers)
	history, err := mlp.Train(l.ctx, net, data, mlp.Config{Loss: nielsenLoss, Rate: 0.1, Epochs: nielsenEpochs,
		Batch: data.Len(), InOrder: true, Decay: 5 / float64(data.Len()), OnEpoch: l.bar.epoch})
	if err != nil {
		return c, fmt.Errorf("%d hidden layers: %w", layers, err)
	}
	x, y := firstBatch(data, data.Len())
	end := deltas(net, nielsenLoss, x, y)
	for layer := range len(published) + 1 { // empty beyond layers, so that a layer looks the same in every chart
		s := mlp.Series{Name: fmt.Sprintf("Hidden layer %d", layer+1)}
		if layer < layers {
			for epoch, e := range history { // of its one step, so from the weights before it
				s.X, s.Y = append(s.X, float64(epoch)), append(s.Y, e.Layers[layer].Delta)
			}
			s.X, s.Y = append(s.X, nielsenEpochs), append(s.Y, end[layer])
		}
		c.Series = append(c.Series, s)
	}
	for _, v := range published[layers-2] {
		c.Series = append(c.Series, mlp.Series{Name: "Published, at the start", X: []float64{0}, Y: []float64{v}})
	}
	return c, nil
}
