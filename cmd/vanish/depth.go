// How deep is too deep: the gradient that reaches the first hidden layer, and
// what the network then learns, by depth, activation and first weights.

package main

import (
	"errors"
	"fmt"
	"strings"

	"mlp"
)

const (
	deepest     = 10 // hidden layers
	depthEpochs = 5
)

var activations = [...]*mlp.Activation{mlp.Sigmoid, mlp.Tanh, mlp.ReLU}

// A fate is what became of a network.
type fate struct {
	ratio    float64 // ‖δ‖ of the first hidden layer ÷ that of the last, before training
	accuracy float64 // on the test part, after training
	weights  string  // their fingerprint; empty where training diverged
}

// fates are those of each activation, by recipe, with 1 to deepest hidden layers.
type fates [len(activations)][len(recipes)][deepest]fate

func depth(l *lab) (*mlp.Figure, error) {
	train, test := standardized(l.train, l.test)
	x, y := firstBatch(train, few)
	var all fates
	n := len(activations) * len(recipes) * deepest
	l.bar.begin("depth", n*depthEpochs)
	err := l.each(n, func(i int) error {
		a, r, h := i/deepest/len(recipes), i/deepest%len(recipes), i%deepest
		net := recipes[r].network(l.seed, activations[a], hidden(h+1)...)
		return l.live(&all[a][r][h], net, train, test, x, y)
	})
	if err != nil {
		return nil, err
	}
	l.printf("depth: 784-30-…-30-10, %d digits, %d epochs, batches of 64, rate 0.1\n", train.Len(), depthEpochs)
	l.printf("‖δ‖ of the first hidden layer ÷ that of the last, before training · test accuracy after it\n\n")
	l.depthTables(&all)
	return l.caption(depthSheet(&all), depthSentences(&all)...), nil
}

// live measures a network before training, trains it and tests it. One that
// diverges is tested as it ended.
func (l *lab) live(f *fate, net mlp.Network, train, test mlp.Dataset, x, y *mlp.Matrix) error {
	norms := deltas(net, mlp.SoftmaxCrossEntropy, x, y)
	f.ratio = norms[0] / norms[len(net)-2]
	_, err := mlp.Train(l.ctx, net, train, mlp.Config{Rate: 0.1, Epochs: depthEpochs, Batch: 64, Seed: l.seed, OnEpoch: l.bar.epoch})
	var diverged *mlp.DivergedError
	switch {
	case err == nil:
		f.weights = net.Fingerprint()
	case !errors.As(err, &diverged):
		return err
	}
	_, f.accuracy = mlp.Evaluate(net, test, nil)
	return nil
}

// depthTables prints a table for each activation.
func (l *lab) depthTables(all *fates) {
	for a, act := range activations {
		for _, recipe := range all[a] {
			for _, f := range recipe {
				l.record(f.ratio, f.accuracy)
				l.hash.Write([]byte(f.weights))
			}
		}
		l.table(act.Name+" layers", deepest, func(row, r int) string {
			return fmt.Sprintf("%.2g · %.3f", all[a][r][row].ratio, all[a][r][row].accuracy)
		})
	}
}

// depthSheet is a column for each activation: above the ratio, below the
// accuracy.
func depthSheet(all *fates) *mlp.Figure {
	var above, below []mlp.Chart
	for a, act := range activations {
		ratio := mlp.Chart{Title: act.Name + ", before training", XLabel: "Hidden layers", YLabel: "‖δ‖ first ÷ last layer", LogY: true,
			Guides: []mlp.Guide{{Y: 1}}}
		accuracy := mlp.Chart{Title: act.Name + ", after training", XLabel: "Hidden layers", YLabel: "Test accuracy",
			Guides: []mlp.Guide{{Label: "guessing", Y: 0.1}}}
		for r, recipe := range recipes {
			ratios, accuracies := mlp.Series{Name: recipe.name}, mlp.Series{Name: recipe.name}
			for _, f := range all[a][r] {
				ratios.Y, accuracies.Y = append(ratios.Y, f.ratio), append(accuracies.Y, f.accuracy)
			}
			ratio.Series, accuracy.Series = append(ratio.Series, ratios), append(accuracy.Series, accuracies)
		}
		above, below = append(above, ratio), append(below, accuracy)
	}
	return &mlp.Figure{Title: "The gradient vanishes with depth, and what cures it", Columns: len(activations), SameY: true,
		Charts: append(above, below...)}
}

// depthSentences say what the deepest networks came to.
func depthSentences(all *fates) []string {
	s := []string{fmt.Sprintf("What came of %d hidden layers: ‖δ‖ of the first ÷ that of the last before training, and the test accuracy after %d epochs.",
		deepest, depthEpochs)}
	for a, act := range activations {
		var came []string
		for r, recipe := range recipes {
			f := all[a][r][deepest-1]
			came = append(came, fmt.Sprintf("%s %s and %.3f", recipe.name, short(f.ratio), f.accuracy))
		}
		s = append(s, fmt.Sprintf("%s: %s.", act.Name, strings.Join(came, ", ")))
	}
	return s
}
