// What the article promised for a later chapter: one deep network, from four kinds of
// first weights.

package main

import (
	"fmt"
	"math"
	"strings"

	"mlp"
)

const initEpochs = 10

func initialisation(l *lab) (*mlp.Figure, error) {
	train, test := standardized(l.train, l.test)
	histories, weights := make([]mlp.History, len(beginnings)), make([]string, len(beginnings))
	onEpoch, stop := l.progress("init", len(beginnings)*initEpochs)
	defer stop()
	err := l.each(len(beginnings), func(i int) (err error) {
		net := beginnings[i].network(l.seed, mlp.ReLU, hidden(deepest)...)
		histories[i], err = mlp.Train(l.ctx, net, train, mlp.Config{Rate: 0.1, Epochs: initEpochs, Batch: 64, Seed: l.seed,
			Test: test, OnEpoch: onEpoch})
		if err != nil {
			return fmt.Errorf("%s: %w", beginnings[i].name, err)
		}
		weights[i] = net.Fingerprint()
		return nil
	})
	if err != nil {
		return nil, err
	}
	l.hash.Write([]byte(strings.Join(weights, "")))
	l.printf("init: 784-30-…-30-10, %d hidden layers, relu, %d digits, %d epochs, batches of 64, rate 0.1\n", deepest, train.Len(), initEpochs)
	l.initTables(histories)
	return l.caption(initSheet(histories), initSentences(histories)...), nil
}

// initTables prints what was measured at the first step, by layer, and how well the
// networks did, by epoch.
func (l *lab) initTables(histories []mlp.History) {
	for _, h := range histories {
		for _, e := range h {
			l.record(e.Loss, e.TestAccuracy)
		}
		for _, r := range h[0].First {
			l.record(r.DeltaNorm, r.ActivationStd)
		}
	}
	l.printf("‖δ‖ of each hidden layer · standard deviation of its activations, at the first step\n\n")
	l.table("layer", deepest, func(row, b int) string {
		first := histories[b][0].First[row]
		return fmt.Sprintf("%.2g · %.2g", first.DeltaNorm, first.ActivationStd)
	})
	l.printf("training loss · test accuracy\n\n")
	l.table("epoch", initEpochs, func(row, b int) string {
		return fmt.Sprintf("%.4f · %.3f", histories[b][row].Loss, histories[b][row].TestAccuracy)
	})
}

// initSheet draws the four networks in the same charts.
func initSheet(histories []mlp.History) *mlp.Figure {
	charts := []mlp.Chart{
		{Title: "‖δ‖ at the first step", XLabel: "Hidden layer", YLabel: "‖δ‖", LogY: true},
		{Title: "Activations at the first step", XLabel: "Hidden layer", YLabel: "Standard deviation", LogY: true},
		{Title: "Loss", XLabel: "Epoch", YLabel: "Cross-entropy loss", Guides: []mlp.Guide{{Label: "ln 10", Y: math.Ln10}}},
		{Title: "Accuracy", XLabel: "Epoch", YLabel: "Test accuracy"},
	}
	for i, h := range histories {
		series := [4]mlp.Series{}
		for j := range deepest {
			series[0].Y = append(series[0].Y, h[0].First[j].DeltaNorm)
			series[1].Y = append(series[1].Y, h[0].First[j].ActivationStd)
		}
		for _, e := range h {
			series[2].Y = append(series[2].Y, e.Loss)
			series[3].Y = append(series[3].Y, e.TestAccuracy)
		}
		for c := range charts {
			series[c].Name = beginnings[i].name
			charts[c].Series = append(charts[c].Series, series[c])
		}
	}
	return &mlp.Figure{Title: "One network of ten hidden layers, four beginnings", Columns: 2, Charts: charts}
}

// initSentences say what becomes of the gradient and the activations over the layers,
// and how well the networks did.
func initSentences(histories []mlp.History) []string {
	var gradient, deviation, learnt []string
	for i, h := range histories {
		first, last, name := h[0].First[0], h[0].First[deepest-1], beginnings[i].name
		gradient = append(gradient, name+" "+times(first.DeltaNorm/last.DeltaNorm))
		deviation = append(deviation, name+" "+times(last.ActivationStd/first.ActivationStd))
		learnt = append(learnt, fmt.Sprintf("%s %.3f", name, h[len(h)-1].TestAccuracy))
	}
	return []string{
		fmt.Sprintf("At the first step, ‖δ‖ of the first of %d hidden layers against the last: %s.", deepest, strings.Join(gradient, ", ")),
		fmt.Sprintf("The standard deviation of the last one's activations against the first one's: %s.", strings.Join(deviation, ", ")),
		fmt.Sprintf("Test accuracy after %d epochs: %s.", initEpochs, strings.Join(learnt, ", ")),
	}
}
