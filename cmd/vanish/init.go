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

func initialisation(l *lab) (*mlp.Figure, error) {
	train, test := standardized(l.train.Stats(), l.train, l.test)
	histories, weights := make([]mlp.History, len(beginnings)), make([]string, len(beginnings))
	l.start("init", len(beginnings)*initEpochs)
	err := l.each(len(beginnings), func(i int) (err error) {
		net := beginnings[i].network(l.seed, mlp.ReLU, hidden(deepest)...)
		histories[i], err = mlp.Train(l.ctx, net, train, mlp.Config{Rate: 0.1, Epochs: initEpochs, Batch: 64, Seed: l.seed,
			Test: test, OnEpoch: l.counts(1)})
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
			l.record(e.Loss, e.TestMetric)
		}
		for _, r := range h[0].First {
			l.record(r.DeltaNorm, r.ActivationStd)
		}
	}
	l.printf("‖δ‖ of each hidden layer · standard deviation of its activations, at the first step\n\n")
	table(l, "layer", numbers(deepest), beginnings[:], 17, func(row, b int) string {
		first := histories[b][0].First[row]
		return fmt.Sprintf("%.2g · %.2g", first.DeltaNorm, first.ActivationStd)
	})
	l.printf("training loss · test accuracy\n\n")
	table(l, "epoch", numbers(initEpochs), beginnings[:], 17, func(row, b int) string {
		return fmt.Sprintf("%.4f · %.3f", histories[b][row].Loss, histories[b][row].TestMetric)
	})
}

// initSheet draws the four networks in the same charts.
func initSheet(histories []mlp.History) *mlp.Figure {
	first := func(of func(mlp.LayerStats) float64) []mlp.Series {
		return lines(beginnings[:], deepest, nil, func(b, layer int) float64 { return of(histories[b][0].First[layer]) })
	}
	course := func(of func(mlp.Epoch) float64) []mlp.Series {
		return lines(beginnings[:], initEpochs, nil, func(b, epoch int) float64 { return of(histories[b][epoch]) })
	}
	return &mlp.Figure{Title: "One network of ten hidden layers, four beginnings", Columns: 2, Charts: []mlp.Chart{
		{Title: "‖δ‖ at the first step", XLabel: "Hidden layer", YLabel: "‖δ‖", LogY: true, Series: first(stat.DeltaNorm.Of)},
		{Title: "Activations at the first step", XLabel: "Hidden layer", YLabel: "Standard deviation", LogY: true, Series: first(stat.ActivationStd.Of)},
		{Title: "Loss", XLabel: "Epoch", YLabel: "Cross-entropy loss", Guides: []mlp.Guide{{Label: "ln 10", Y: math.Ln10}},
			Series: course(func(e mlp.Epoch) float64 { return e.Loss })},
		{Title: "Accuracy", XLabel: "Epoch", YLabel: "Test accuracy", Series: course(func(e mlp.Epoch) float64 { return e.TestMetric })},
	}}
}

// initSentences say what becomes of the gradient and the activations over the layers,
// and how well the networks did.
func initSentences(histories []mlp.History) []string {
	ends := func(b int) (first, last mlp.LayerStats) {
		return histories[b][0].First[0], histories[b][0].First[deepest-1]
	}
	return []string{
		fmt.Sprintf("At the first step, ‖δ‖ of the first of %d hidden layers against the last: %s.", deepest, list(beginnings[:], func(b int) string {
			first, last := ends(b)
			return times(first.DeltaNorm / last.DeltaNorm)
		})),
		fmt.Sprintf("The standard deviation of the last one's activations against the first one's: %s.", list(beginnings[:], func(b int) string {
			first, last := ends(b)
			return times(last.ActivationStd / first.ActivationStd)
		})),
		fmt.Sprintf("Test accuracy after %d epochs: %s.", initEpochs, list(beginnings[:], func(b int) string {
			return fmt.Sprintf("%.3f", histories[b][initEpochs-1].TestMetric)
		})),
	}
}
