// How deep is too deep: the gradient that reaches the first hidden layer, and how
// accurate the network becomes, by depth, activation and first weights.

package main

import (
	"errors"
	"fmt"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
)

const (
	deepest     = 10 // hidden layers
	depthEpochs = 5
)

var activations = [...]*mlp.Activation{mlp.Sigmoid, mlp.Tanh, mlp.ReLU}

// An outcome is what became of a network.
type outcome struct {
	ratio    float64 // ‖δ‖ of the first hidden layer ÷ that of the last, before training
	accuracy float64 // on the test part, after training
	weights  string  // their fingerprint; empty if training diverged
}

// outcomes has an outcome for each activation, recipe and number of hidden layers,
// of which the first is 1.
type outcomes [len(activations)][len(recipes)][deepest]outcome

func depth(l *lab) (*mlp.Figure, error) {
	train, test := standardized(l.train, l.test)
	x, y := cli.FirstBatch(train, few)
	var all outcomes
	n := len(activations) * len(recipes) * deepest
	onEpoch, stop := l.progress("depth", n*depthEpochs)
	defer stop()
	err := l.each(n, func(i int) (err error) {
		a, r, h := i/deepest/len(recipes), i/deepest%len(recipes), i%deepest
		o := &all[a][r][h]
		net := recipes[r].network(l.seed, activations[a], hidden(h+1)...)
		norms := deltas(net, mlp.SoftmaxCrossEntropy, x, y)
		o.ratio = norms[0] / norms[h]
		o.weights, err = l.fit(net, train, onEpoch)
		_, o.accuracy = mlp.Evaluate(net, test, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.printf("depth: 784-30-…-30-10, %d digits, %d epochs, batches of 64, rate 0.1\n", train.Len(), depthEpochs)
	l.printf("‖δ‖ of the first hidden layer ÷ that of the last, before training · test accuracy after it\n\n")
	l.depthTables(&all)
	return l.caption(depthSheet(&all), depthSentences(&all)...), nil
}

// fit trains a network and returns the fingerprint of its weights, or "" if training
// diverged.
func (l *lab) fit(net mlp.Network, train mlp.Dataset, onEpoch func(mlp.Epoch) error) (weights string, err error) {
	_, err = mlp.Train(l.ctx, net, train, mlp.Config{Rate: 0.1, Epochs: depthEpochs, Batch: 64, Seed: l.seed, OnEpoch: onEpoch})
	var diverged *mlp.DivergedError
	if errors.As(err, &diverged) {
		return "", nil
	}
	return net.Fingerprint(), err
}

// depthTables prints a table for each activation.
func (l *lab) depthTables(all *outcomes) {
	for a, act := range activations {
		for _, recipe := range all[a] {
			for _, o := range recipe {
				l.record(o.ratio, o.accuracy)
				l.hash.Write([]byte(o.weights))
			}
		}
		l.table(act.Name+" layers", deepest, func(row, r int) string {
			return fmt.Sprintf("%.2g · %.3f", all[a][r][row].ratio, all[a][r][row].accuracy)
		})
	}
}

// depthSheet has a column for each activation: the ratio above, the accuracy below.
func depthSheet(all *outcomes) *mlp.Figure {
	var above, below []mlp.Chart
	for a, act := range activations {
		ratio := mlp.Chart{Title: act.Name + ", before training", XLabel: "Hidden layers", YLabel: "‖δ‖ first ÷ last layer", LogY: true,
			Guides: []mlp.Guide{{Y: 1}}}
		accuracy := mlp.Chart{Title: act.Name + ", after training", XLabel: "Hidden layers", YLabel: "Test accuracy",
			Guides: []mlp.Guide{{Label: "guessing", Y: 0.1}}}
		for r, recipe := range recipes {
			ratios, accuracies := mlp.Series{Name: recipe.name}, mlp.Series{Name: recipe.name}
			for _, o := range all[a][r] {
				ratios.Y, accuracies.Y = append(ratios.Y, o.ratio), append(accuracies.Y, o.accuracy)
			}
			ratio.Series, accuracy.Series = append(ratio.Series, ratios), append(accuracy.Series, accuracies)
		}
		above, below = append(above, ratio), append(below, accuracy)
	}
	return &mlp.Figure{Title: "The gradient vanishes with depth, and what cures it", Columns: len(activations), SameY: true,
		Charts: append(above, below...)}
}

// depthSentences say what became of the deepest networks.
func depthSentences(all *outcomes) []string {
	s := []string{fmt.Sprintf("What came of %d hidden layers: ‖δ‖ of the first ÷ that of the last before training, and the test accuracy after %d epochs.",
		deepest, depthEpochs)}
	for a, act := range activations {
		var came []string
		for r, recipe := range recipes {
			o := all[a][r][deepest-1]
			came = append(came, fmt.Sprintf("%s %s and %.3f", recipe.name, cli.Short(o.ratio), o.accuracy))
		}
		s = append(s, fmt.Sprintf("%s: %s.", act.Name, strings.Join(came, ", ")))
	}
	return s
}
