// What data do that depth does not: one network on more and more digits, which are taken
// as they are, normalised, deformed, or both.

package main

import (
	"fmt"
	"math"

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

// A size is how many digits, the first ones, a network is trained on, and for how many
// epochs: the fewer digits, the more epochs, so that each network sees as many images.
type size struct{ digits, epochs int }

var sizes = []size{{500, 320}, {1000, 160}, {4000, 40}}

// A trained network is what is known of one when its training is over.
type trained struct {
	history  mlp.History
	accuracy float64 // on the test part
	weights  string  // their fingerprint
}

// onTraining returns the accuracy on the training digits, which are not deformed for that.
func (n *trained) onTraining() float64 { return n.history[len(n.history)-1].Metric }

// A cohort is the networks of all ways that were trained on as many digits.
type cohort struct {
	size
	by [len(ways)]trained
}

// cohortsOf returns a cohort of each size for which there are enough digits and, if there
// are more, one of all of them.
func cohortsOf(digits int) (all []cohort) {
	for _, s := range sizes {
		if s.digits <= digits {
			all = append(all, cohort{size: s})
		}
	}
	if last := all[len(all)-1]; last.digits < digits {
		all = append(all, cohort{size: size{digits, last.epochs}})
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
	digits := [2]parts{{l.train, l.test}, {l.train.Deskew(), l.test.Deskew()}}
	err := l.each(len(all)*len(ways), func(i int) (err error) {
		c, way := &all[i/len(ways)], i%len(ways)
		c.by[way], err = l.learn(ways[way], c.size, digits, c == last)
		return err
	})
	if err != nil {
		return nil, err
	}
	l.sizeTable(all)
	l.epochTable(last)
	l.pictures = append(l.pictures, files.File{Name: deformedName, Content: l.deformedDigits(last.epochs)})
	return l.caption(dataSheet(all), dataSentences(all, l.test.Len())...), nil
}

// parts are the two parts of the digits.
type parts struct{ train, test *mlp.MNIST }

// learn trains a network in one of the ways on one of the two kinds of digits: as they
// are, and deskewed. If byEpoch is true, it is tested after each epoch.
func (l *lab) learn(w way, s size, digits [2]parts, byEpoch bool) (n trained, err error) {
	from := digits[0]
	if w.deskew {
		from = digits[1]
	}
	part := from.train.Slice(0, s.digits)
	train, test := standardized(part.StatsOfAll(), part, from.test)
	c := mlp.Config{Optimizer: mlp.Adam, Rate: dataRate, Schedule: mlp.Warmup(0.1, mlp.Cosine), Epochs: s.epochs, Batch: dataBatch,
		Seed: l.seed, Measure: s.epochs, OnEpoch: l.counts(s.digits)}
	if byEpoch {
		c.Test = test
	}
	var samples mlp.Dataset = train
	if w.deform {
		if samples, err = train.Deform(mlp.UsualDeformation, l.seed, s.epochs); err != nil {
			return n, err
		}
	}
	net := beginning{init: mlp.He, norm: true}.network(l.seed, mlp.ReLU, w.hidden...)
	if n.history, err = mlp.Train(l.ctx, net, samples, c); err != nil {
		return n, fmt.Errorf("%s, %d digits: %w", w.name, s.digits, err)
	}
	_, n.accuracy = mlp.Evaluate(net, test, nil)
	n.weights = net.Fingerprint()
	return n, nil
}

// sizeTable prints what was trained, and the accuracies at the end.
func (l *lab) sizeTable(all []cohort) {
	l.printf("data: 784-256-128-10, twice as deep 784-256-256-128-128-10, relu, he + batch norm, batches of %d, adam\n", dataBatch)
	l.printf("rate %v with a warm-up and a cosine, pixels standardized by one mean and deviation\n\n", dataRate)
	l.printf("accuracy on %d test digits · on the training digits\n\n", l.test.Len())
	var rows []string
	for _, c := range all {
		for _, n := range c.by {
			l.record(n.accuracy, n.onTraining())
			l.hash.Write([]byte(n.weights))
		}
		rows = append(rows, fmt.Sprintf("%6d  %6d", c.digits, c.epochs))
	}
	table(l, "digits  epochs", rows, ways[:], 15, func(row, way int) string {
		n := &all[row].by[way]
		return fmt.Sprintf("%.4f · %.4f", n.accuracy, n.onTraining())
	})
}

// epochTable prints the accuracy on the test digits after some of the epochs.
func (l *lab) epochTable(c *cohort) {
	l.printf("%d digits: accuracy on the test digits\n\n", c.digits)
	epochs, rows := doubling(c.epochs), []string(nil)
	for _, n := range epochs {
		rows = append(rows, fmt.Sprintf("%5d", n))
	}
	table(l, "epoch", rows, ways[:], 15, func(row, way int) string {
		return fmt.Sprintf("%.4f", c.by[way].history[epochs[row]-1].TestMetric)
	})
	for _, n := range c.by {
		for _, e := range n.history {
			l.record(e.TestMetric)
		}
	}
}

// doubling returns the epochs 1, 2, 4 and so on, and the last one.
func doubling(epochs int) (some []int) {
	for n := 1; n < epochs; n *= 2 {
		some = append(some, n)
	}
	return append(some, epochs)
}

// dataSheet has the accuracies by size and, on the most digits, by epoch.
func dataSheet(all []cohort) *mlp.Figure {
	last := &all[len(all)-1]
	epochs := doubling(last.epochs)
	return &mlp.Figure{Title: "What data do that depth does not", Columns: 2, SameY: true, Charts: []mlp.Chart{
		{Title: "By the number of training digits", XLabel: "Training digits", YLabel: "Test accuracy", LogX: true,
			Series: lines(ways[:], len(all), func(i int) float64 { return float64(all[i].digits) },
				func(way, i int) float64 { return all[i].by[way].accuracy })},
		{Title: fmt.Sprintf("By epoch, with %d digits", last.digits), XLabel: "Epoch", YLabel: "Test accuracy", LogX: true,
			Series: lines(ways[:], len(epochs), func(i int) float64 { return float64(epochs[i]) },
				func(way, i int) float64 { return last.by[way].history[epochs[i]-1].TestMetric })},
	}}
}

// dataSentences count the errors.
func dataSentences(all []cohort, tested int) (s []string) {
	for _, c := range all {
		s = append(s, fmt.Sprintf("Errors in %d test digits after training on %d: %s.", tested, c.digits, list(ways[:], func(way int) string {
			return fmt.Sprintf("%.0f", math.Round((1-c.by[way].accuracy)*float64(tested)))
		})))
	}
	last := &all[len(all)-1]
	return append(s, fmt.Sprintf("With %d digits, plain makes %s as many errors as both and %s as many as twice as deep; its accuracy has a standard error of %.4f.",
		last.digits, last.ratio(both), last.ratio(deeper), standardError(last.by[plain].accuracy, tested)))
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
