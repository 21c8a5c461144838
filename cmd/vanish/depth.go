// How deep is too deep: the gradient that reaches the first hidden layer, and how
// accurate the network becomes, by depth, activation and first weights.

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

// outcomes has an outcome for each activation, each beginning and each number of hidden
// layers from 1 on.
type outcomes [len(activations)][len(beginnings)][deepest]outcome

func depth(l *lab) (*mlp.Figure, error) {
	train, test := standardized(l.train.Stats(), l.train, l.test)
	first := mlp.SamplesOf(train.Slice(0, few))
	var all outcomes
	n := len(activations) * len(beginnings) * deepest
	l.start("depth", n*depthEpochs)
	err := l.each(n, func(i int) (err error) {
		a, b, h := i/deepest/len(beginnings), i/deepest%len(beginnings), i%deepest
		net := beginnings[b].network(l.seed, activations[a], hidden(h+1)...)
		norms := deltas(net, mlp.SoftmaxCrossEntropy, first)
		o := &all[a][b][h]
		*o, err = l.learn(net, train, test, mlp.Config{Epochs: depthEpochs}, 1)
		o.ratio = norms[0] / norms[h]
		var diverged *mlp.DivergedError
		if errors.As(err, &diverged) {
			err = nil
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	l.printf("depth: 784-30-…-30-10, %d digits, %d epochs, batches of 64, rate 0.1\n", train.Len(), depthEpochs)
	l.printf("‖δ‖ of the first hidden layer ÷ that of the last, before training · test accuracy after it\n\n")
	return l.showDepth(&all), nil
}

// score returns the accuracy as a table has it.
func (o *outcome) score() string {
	if o.weights == "" {
		return "diverged"
	}
	return fmt.Sprintf("%.3f", o.accuracy)
}

// showDepth prints a table for each activation. The sheet has two charts for each: the ratio
// and the accuracy. The sentences say how the deepest networks did.
func (l *lab) showDepth(all *outcomes) *mlp.Figure {
	sentences := []string{fmt.Sprintf("Networks of %d hidden layers: ‖δ‖ of the first ÷ that of the last before training, "+
		"and the test accuracy after %d epochs.", deepest, depthEpochs)}
	var charts []mlp.Chart
	for a, act := range activations {
		for _, byDepth := range all[a] {
			for _, o := range byDepth {
				l.record(o.ratio, o.accuracy)
				l.hash.Write([]byte(o.weights))
			}
		}
		table(l, act.Name+" layers", numbers(deepest), beginnings[:], 17, func(row, b int) string {
			return fmt.Sprintf("%.2g · %s", all[a][b][row].ratio, all[a][b][row].score())
		})
		charts = append(charts, mlp.Chart{Title: act.Name + ", before training", XLabel: "Hidden layers",
			YLabel: "‖δ‖ first ÷ last layer", LogY: true, Guides: []mlp.Guide{{Y: 1}},
			Series: lines(beginnings[:], deepest, nil, func(b, h int) float64 { return all[a][b][h].ratio })}, mlp.Chart{Title: act.Name + ", after training", XLabel: "Hidden layers",
			YLabel: "Test accuracy", Guides: []mlp.Guide{{Label: "guessing", Y: 0.1}},
			Series: lines(beginnings[:], deepest, nil, func(b, h int) float64 { return all[a][b][h].accuracy })})
		sentences = append(sentences, fmt.Sprintf("%s: %s.", act.Name, list(beginnings[:], func(b int) string {
			return short(all[a][b][deepest-1].ratio) + " and " + all[a][b][deepest-1].score()
		})))
	}
	return &mlp.Figure{Title: "The gradient vanishes with depth, and what cures it", Height: 140,
		SameY: true, Charts: charts, Caption: strings.Join(sentences, "\n")}
}
