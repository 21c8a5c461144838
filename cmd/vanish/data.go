// What data do that depth does not: one network on more and more digits, which are taken
// as they are, normalised, deformed, or both.

package main

import (
	"fmt"
	"math"
	"strings"

	"mlp"
	"mlp/cmd/internal/files"
)

// A way is a network and what is done to its digits.
type way struct {
	name           string
	hidden         []int
	deskew, deform bool
}

func (w way) String() string { return w.name }

var ways = [...]way{
	{"plain", []int{256, 128}, false, false},
	{"twice as deep", []int{256, 256, 128, 128}, false, false},
	{"deskewed", []int{256, 128}, true, false},
	{"deformed", []int{256, 128}, false, true},
	{"both", []int{256, 128}, true, true},
}

const (
	plain, deeper, both = 0, 1, len(ways) - 1 // among ways
	dataRate, dataBatch = 0.002, 128
)

// A cohort is the networks of all ways that are trained on as many digits, the first ones,
// and for as many epochs.
type cohort struct {
	digits, epochs int
	by             [len(ways)]outcome
}

// cohorts are those of an experiment with many digits. The fewer digits, the more epochs, so
// that each network sees as many images.
var cohorts = []cohort{{digits: 500, epochs: 320}, {digits: 1000, epochs: 160}, {digits: 4000, epochs: 40}}

// cohortsOf returns the cohorts for which there are enough digits and, if there are more,
// one of all of them.
func cohortsOf(digits int) (all []cohort) {
	for _, c := range cohorts {
		if c.digits <= digits {
			all = append(all, c)
		}
	}
	if last := all[len(all)-1]; last.digits < digits {
		all = append(all, cohort{digits: digits, epochs: last.epochs})
	}
	return all
}

func data(l *lab) (*mlp.Figure, error) {
	all := cohortsOf(l.train.Len())
	last := &all[len(all)-1]
	images := 0
	for _, c := range all {
		images += len(ways) * c.digits * c.epochs
	}
	l.start("data", images)
	deskewedTrain, deskewedTest := l.train.Deskew(), l.test.Deskew()
	err := l.each(len(all)*len(ways), func(i int) (err error) {
		c, w := &all[i/len(ways)], ways[i%len(ways)]
		train, test := l.train, l.test
		if w.deskew {
			train, test = deskewedTrain, deskewedTest
		}
		part := train.Slice(0, c.digits)
		part, test = standardized(part.StatsOfAll(), part, test)
		var samples mlp.Dataset = part
		if w.deform {
			if samples, err = part.Deform(mlp.UsualDeformation, l.seed, c.epochs); err != nil {
				return err
			}
		}
		config := mlp.Config{Optimizer: mlp.Adam, Rate: dataRate, Schedule: mlp.Warmup(0.1, mlp.Cosine), Epochs: c.epochs,
			Batch: dataBatch, Measure: c.epochs}
		if c == last {
			config.Test = test
		}
		net := beginning{init: mlp.He, norm: true}.network(l.seed, mlp.ReLU, w.hidden...)
		if c.by[i%len(ways)], err = l.learn(net, samples, test, config, c.digits); err != nil {
			err = fmt.Errorf("%s, %d digits: %w", w.name, c.digits, err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	l.printf("data: 784-256-128-10, twice as deep 784-256-256-128-128-10, relu, he + batch norm, batches of %d, adam\n",
		dataBatch)
	l.printf("rate %v with a warm-up and a cosine, pixels standardized by one mean and deviation\n\n", dataRate)
	l.pictures = append(l.pictures, files.File{Name: deformedName, Content: l.deformedDigits(last.epochs)})
	return l.showData(all), nil
}

// showData prints and draws the accuracies at the end of training, by the number of digits,
// and on the most digits after some of the epochs. The sentences count the errors.
func (l *lab) showData(all []cohort) *mlp.Figure {
	last, tested := &all[len(all)-1], l.test.Len()
	onTraining := func(n *outcome) float64 { return n.history[len(n.history)-1].Metric } // which is not deformed for that
	var sizes, sentences []string
	var digits []float64
	for _, c := range all {
		for _, n := range c.by {
			l.record(n.accuracy, onTraining(&n))
			l.hash.Write([]byte(n.weights))
		}
		digits = append(digits, float64(c.digits))
		sizes = append(sizes, fmt.Sprintf("%6d  %6d", c.digits, c.epochs))
		sentences = append(sentences, fmt.Sprintf("Errors in %d test digits after training on %d: %s.", tested, c.digits,
			list(ways[:], func(way int) string {
				return fmt.Sprintf("%.0f", math.Round((1-c.by[way].accuracy)*float64(tested)))
			})))
	}
	l.printf("accuracy on %d test digits · on the training digits\n\n", tested)
	table(l, "digits  epochs", sizes, ways[:], 15, func(row, way int) string {
		n := &all[row].by[way]
		return fmt.Sprintf("%.4f · %.4f", n.accuracy, onTraining(n))
	})

	var epochs []float64 // 1, 2, 4 and so on, and the last
	var heads []string
	for n := 1; n < 2*last.epochs; n *= 2 {
		epochs = append(epochs, float64(min(n, last.epochs)))
		heads = append(heads, fmt.Sprintf("%5d", min(n, last.epochs)))
	}
	after := func(way, i int) float64 { return last.by[way].history[int(epochs[i])-1].TestMetric }
	l.printf("%d digits: accuracy on the test digits\n\n", last.digits)
	table(l, "epoch", heads, ways[:], 15, func(row, way int) string { return fmt.Sprintf("%.4f", after(way, row)) })
	for _, n := range last.by {
		for _, e := range n.history {
			l.record(e.TestMetric)
		}
	}

	sentences = append(sentences, fmt.Sprintf("With %d digits, plain makes %s as many errors as both and %s as many "+
		"as twice as deep; its accuracy has a standard error of %.4f.",
		last.digits, last.ratio(both), last.ratio(deeper), standardError(last.by[plain].accuracy, tested)))
	return &mlp.Figure{Title: "What data do that depth does not", Columns: 2, SameY: true, Charts: []mlp.Chart{
		{Title: "By the number of training digits", XLabel: "Training digits", YLabel: "Test accuracy", LogX: true,
			Series: lines(ways[:], len(all), digits, func(way, i int) float64 { return all[i].by[way].accuracy })},
		{Title: fmt.Sprintf("By epoch, with %d digits", last.digits), XLabel: "Epoch", YLabel: "Test accuracy", LogX: true,
			Series: lines(ways[:], len(epochs), epochs, after)},
	}, Caption: strings.Join(sentences, "\n")}
}

// ratio says how many times the errors of a way plain makes.
func (c *cohort) ratio(way int) string {
	if c.by[way].accuracy == 1 {
		return "infinitely"
	}
	return fmt.Sprintf("%.1f times", (1-c.by[plain].accuracy)/(1-c.by[way].accuracy))
}

// standardError returns that of an accuracy which was measured on n digits.
func standardError(accuracy float64, n int) float64 {
	return math.Sqrt(float64(accuracy*(1-accuracy)) / float64(n))
}
