// What the article promised for a later chapter: one deep network, from four kinds of
// first weights.

package main

import (
	"fmt"
	"math"
	"strings"

	"mlp"
	"mlp/cmd/internal/stat"
)

const initEpochs = 10

// initialisation prints and draws what was measured at the first step, by layer, and how
// well the networks did, by epoch.
func initialisation(l *lab) (*mlp.Figure, error) {
	train, test := standardized(l.train.Stats(), l.train, l.test)
	var all [len(beginnings)]outcome
	l.start("init", len(all)*initEpochs)
	err := l.each(len(all), func(i int) (err error) {
		net := beginnings[i].network(l.seed, mlp.ReLU, hidden(deepest)...)
		if all[i], err = l.learn(net, train, test, mlp.Config{Epochs: initEpochs, Test: test}, 1); err != nil {
			err = fmt.Errorf("%s: %w", beginnings[i].name, err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		l.hash.Write([]byte(o.weights))
	}
	for _, o := range all {
		for _, e := range o.history {
			l.record(e.Loss, e.TestMetric)
		}
		for _, s := range o.history[0].First {
			l.record(s.DeltaNorm, s.ActivationStd)
		}
	}

	first := func(b, layer int) mlp.LayerStats { return all[b].history[0].First[layer] }
	l.printf("init: 784-30-…-30-10, %d hidden layers, relu, %d digits, %d epochs, batches of 64, rate 0.1\n",
		deepest, train.Len(), initEpochs)
	l.printf("‖δ‖ of each hidden layer · standard deviation of its activations, at the first step\n\n")
	table(l, "layer", numbers(deepest), beginnings[:], 17, func(row, b int) string {
		return fmt.Sprintf("%.2g · %.2g", first(b, row).DeltaNorm, first(b, row).ActivationStd)
	})
	l.printf("training loss · test accuracy\n\n")
	table(l, "epoch", numbers(initEpochs), beginnings[:], 17, func(row, b int) string {
		return fmt.Sprintf("%.4f · %.3f", all[b].history[row].Loss, all[b].history[row].TestMetric)
	})

	byLayer := func(s stat.Stat) []mlp.Series {
		return lines(beginnings[:], deepest, nil, func(b, layer int) float64 { return s.Of(first(b, layer)) })
	}
	byEpoch := func(of func(mlp.Epoch) float64) []mlp.Series {
		return lines(beginnings[:], initEpochs, nil, func(b, epoch int) float64 { return of(all[b].history[epoch]) })
	}
	sentences := []string{
		fmt.Sprintf("At the first step, ‖δ‖ of the first of %d hidden layers against the last: %s.", deepest,
			list(beginnings[:], func(b int) string { return times(first(b, 0).DeltaNorm / first(b, deepest-1).DeltaNorm) })),
		fmt.Sprintf("The standard deviation of the last one's activations against the first one's: %s.",
			list(beginnings[:], func(b int) string {
				return times(first(b, deepest-1).ActivationStd / first(b, 0).ActivationStd)
			})),
		fmt.Sprintf("Test accuracy after %d epochs: %s.", initEpochs,
			list(beginnings[:], func(b int) string { return fmt.Sprintf("%.3f", all[b].history[initEpochs-1].TestMetric) })),
	}
	return &mlp.Figure{Title: "One network of ten hidden layers, four beginnings",
		Caption: strings.Join(sentences, "\n"), Charts: []mlp.Chart{
			{Title: "‖δ‖ at the first step", XLabel: "Hidden layer", YLabel: "‖δ‖", LogY: true, Series: byLayer(stat.DeltaNorm)},
			{Title: "Activations at the first step", XLabel: "Hidden layer", YLabel: "Standard deviation", LogY: true,
				Series: byLayer(stat.ActivationStd)},
			{Title: "Loss", XLabel: "Epoch", YLabel: "Cross-entropy loss", Guides: []mlp.Guide{{Label: "ln 10", Y: math.Ln10}},
				Series: byEpoch(func(e mlp.Epoch) float64 { return e.Loss })},
			{Title: "Accuracy", XLabel: "Epoch", YLabel: "Test accuracy", Series: byEpoch(func(e mlp.Epoch) float64 { return e.TestMetric })},
		}}, nil
}
