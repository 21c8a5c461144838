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

// A fate is what became of a network.
type fate struct {
	act    *mlp.Activation
	recipe recipe
	hidden int // layers

	ratio    float64 // ‖δ‖ of the first hidden layer by that of the last, before training
	accuracy float64 // on the test part, after training
	weights  string  // their fingerprint
}

// fates are 3 activations, 4 recipes and 10 depths, in this order.
func fates() (all []*fate) {
	for _, act := range []*mlp.Activation{mlp.Sigmoid, mlp.Tanh, mlp.ReLU} {
		for _, r := range recipes {
			for n := range deepest {
				all = append(all, &fate{act: act, recipe: r, hidden: n + 1})
			}
		}
	}
	return all
}

func depth(l *lab) (*mlp.Figure, error) {
	train, test := standardized(l.train, l.test)
	x, y := firstBatch(train, few)
	all := fates()
	l.bar.begin("depth", len(all)*depthEpochs)
	err := l.each(len(all), func(i int) error { return l.live(all[i], train, test, x, y) })
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		l.record(f.ratio, f.accuracy)
		l.hash.Write([]byte(f.weights))
	}
	l.printf("depth: 784-30-…-30-10, %d digits, %d epochs, batches of 64, rate 0.1\n", train.Len(), depthEpochs)
	l.printf("‖δ‖ of the first hidden layer ÷ that of the last, before training · test accuracy after it\n\n")
	for act := range 3 {
		of := all[act*len(recipes)*deepest:]
		l.table(of[0].act.Name+" layers", deepest, func(row, r int) string {
			f := of[r*deepest+row]
			return fmt.Sprintf("%.2g · %.3f", f.ratio, f.accuracy)
		})
	}
	return l.caption(depthSheet(all), depthSentences(all)...), nil
}

// live measures the network before training, trains it and tests it. One that
// diverges is tested as it ended.
func (l *lab) live(f *fate, train, test mlp.Dataset, x, y *mlp.Matrix) error {
	net := f.recipe.network(l.seed, f.act, hidden(f.hidden)...)
	norms := deltas(net, mlp.SoftmaxCrossEntropy, x, y)
	f.ratio = norms[0] / norms[f.hidden-1]
	_, err := mlp.Train(l.ctx, net, train, mlp.Config{Rate: 0.1, Epochs: depthEpochs, Batch: 64, Seed: l.seed, OnEpoch: l.bar.epoch})
	if diverged := new(mlp.DivergedError); err != nil && !errors.As(err, &diverged) {
		return err
	}
	_, f.accuracy = mlp.Evaluate(net, test, nil)
	f.weights = net.Fingerprint()
	return nil
}

// depthSheet is a column for each activation: above the ratio, below the
// accuracy.
func depthSheet(all []*fate) *mlp.Figure {
	f := &mlp.Figure{Title: "The gradient vanishes with depth, and what cures it", Columns: 3, SameY: true}
	charts := make([]mlp.Chart, 6)
	for column := range 3 {
		act := all[column*len(recipes)*deepest].act.Name
		charts[column] = mlp.Chart{Title: act + ", before training", XLabel: "Hidden layers", YLabel: "‖δ‖ first ÷ last layer", LogY: true,
			Guides: []mlp.Guide{{Y: 1}}}
		charts[column+3] = mlp.Chart{Title: act + ", after training", XLabel: "Hidden layers", YLabel: "Test accuracy"}
	}
	for i := 0; i < len(all); i += deepest {
		ratio, accuracy := mlp.Series{Name: all[i].recipe.name}, mlp.Series{Name: all[i].recipe.name}
		for _, g := range all[i : i+deepest] {
			ratio.Y, accuracy.Y = append(ratio.Y, g.ratio), append(accuracy.Y, g.accuracy)
		}
		column := i / deepest / len(recipes)
		charts[column].Series = append(charts[column].Series, ratio)
		charts[column+3].Series = append(charts[column+3].Series, accuracy)
	}
	f.Charts = charts
	return f
}

// depthSentences say what the deepest networks came to.
func depthSentences(all []*fate) []string {
	s := []string{fmt.Sprintf("What came of %d hidden layers: ‖δ‖ of the first ÷ that of the last before training, and the test accuracy after %d epochs.", deepest, depthEpochs)}
	for act := range 3 {
		var cells []string
		for r := range recipes {
			f := all[(act*len(recipes)+r+1)*deepest-1]
			cells = append(cells, fmt.Sprintf("%s %s and %.3f", f.recipe.name, short(f.ratio), f.accuracy))
		}
		s = append(s, fmt.Sprintf("%s: %s.", all[act*len(recipes)*deepest].act.Name, strings.Join(cells, ", ")))
	}
	return s
}
