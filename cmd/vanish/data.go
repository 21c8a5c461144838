// What data do that depth does not: one network on more and more digits, which are taken
// as they are, normalised, deformed, or both. Not here: pictures of such digits
// (deformed.go), and how digits are normalised and deformed (the package).

package main

import (
	"fmt"
	"math"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
)

// A way is a network and what is done to its digits.
type way struct {
	name           string
	hidden         []int
	deskew, deform bool
}

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
func (n *trained) onTraining() float64 { return n.history[len(n.history)-1].Accuracy }

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
	if err := l.learnAll(all); err != nil {
		return nil, err
	}
	last := &all[len(all)-1]
	l.sizeTable(all)
	l.epochTable(last)
	l.pictures = append(l.pictures, files.File{Name: deformedName, Content: l.deformedDigits(last.epochs)})
	return l.caption(dataSheet(all), dataSentences(all, l.test.Len())...), nil
}

// learnAll trains all networks. Those of the last cohort are tested after each epoch.
func (l *lab) learnAll(all []cohort) error {
	images := 0
	for _, c := range all {
		images += len(ways) * c.digits * c.epochs
	}
	bar := cli.NewBar(l.stderr, float64(images), func(float64) []string { return []string{"data"} })
	defer bar.Clear()
	digits := [2]parts{{l.train, l.test}, {l.train.Deskew(), l.test.Deskew()}}
	return l.each(len(all)*len(ways), func(i int) (err error) {
		c, way := &all[i/len(ways)], i%len(ways)
		onEpoch := func(mlp.Epoch) error {
			bar.Add(float64(c.digits))
			return nil
		}
		c.by[way], err = l.learn(ways[way], c.size, digits, c == &all[len(all)-1], onEpoch)
		return err
	})
}

// parts are the two parts of the digits.
type parts struct{ train, test *mlp.MNIST }

// learn trains a network in one of the ways on one of the two kinds of digits: as they
// are, and deskewed. If byEpoch is true, it is tested after each epoch.
func (l *lab) learn(w way, s size, digits [2]parts, byEpoch bool, onEpoch func(mlp.Epoch) error) (n trained, err error) {
	from := digits[0]
	if w.deskew {
		from = digits[1]
	}
	part := from.train.Slice(0, s.digits)
	train, test := standardizedBy(part.StatsOfAll(), part, from.test)
	c := mlp.Config{Optimizer: mlp.Adam, Rate: dataRate, Schedule: mlp.Warmup(0.1, mlp.Cosine), Epochs: s.epochs, Batch: dataBatch,
		Seed: l.seed, Measure: s.epochs, OnEpoch: onEpoch}
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
	l.wayRow("digits  epochs", func(way int) string { return ways[way].name })
	for _, c := range all {
		for _, n := range c.by {
			l.record(n.accuracy, n.onTraining())
			l.hash.Write([]byte(n.weights))
		}
		l.wayRow(fmt.Sprintf("%6d  %6d", c.digits, c.epochs), func(way int) string {
			return fmt.Sprintf("%.4f · %.4f", c.by[way].accuracy, c.by[way].onTraining())
		})
	}
}

// epochTable prints the accuracy on the test digits after some of the epochs.
func (l *lab) epochTable(c *cohort) {
	l.printf("\n%d digits: accuracy on the test digits\n\n", c.digits)
	l.wayRow("epoch", func(way int) string { return ways[way].name })
	for _, n := range doubling(c.epochs) {
		l.wayRow(fmt.Sprintf("%5d", n), func(way int) string { return fmt.Sprintf("%.4f", c.by[way].history[n-1].TestAccuracy) })
	}
	l.printf("\n")
	for _, n := range c.by {
		for _, e := range n.history {
			l.record(e.TestAccuracy)
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

// wayRow prints a row with a column for each way.
func (l *lab) wayRow(head string, cell func(way int) string) {
	l.printf("%-14s", head)
	for way := range ways {
		l.printf("  %15s", cell(way))
	}
	l.printf("\n")
}

// dataSheet has the accuracies by size and, on the most digits, by epoch.
func dataSheet(all []cohort) *mlp.Figure {
	last := &all[len(all)-1]
	bySize := mlp.Chart{Title: "By the number of training digits", XLabel: "Training digits", YLabel: "Test accuracy", LogX: true}
	byEpoch := mlp.Chart{Title: fmt.Sprintf("By epoch, with %d digits", last.digits), XLabel: "Epoch", YLabel: "Test accuracy", LogX: true}
	for way, w := range ways {
		ends, course := mlp.Series{Name: w.name}, mlp.Series{Name: w.name}
		for _, c := range all {
			ends.X, ends.Y = append(ends.X, float64(c.digits)), append(ends.Y, c.by[way].accuracy)
		}
		for _, n := range doubling(last.epochs) {
			course.X, course.Y = append(course.X, float64(n)), append(course.Y, last.by[way].history[n-1].TestAccuracy)
		}
		bySize.Series, byEpoch.Series = append(bySize.Series, ends), append(byEpoch.Series, course)
	}
	return &mlp.Figure{Title: "What data do that depth does not", Columns: 2, SameY: true, Charts: []mlp.Chart{bySize, byEpoch}}
}

// dataSentences count the errors.
func dataSentences(all []cohort, tested int) (s []string) {
	for _, c := range all {
		var errors []string
		for way, w := range ways {
			errors = append(errors, fmt.Sprintf("%s %.0f", w.name, math.Round((1-c.by[way].accuracy)*float64(tested))))
		}
		s = append(s, fmt.Sprintf("Errors in %d test digits after training on %d: %s.", tested, c.digits, strings.Join(errors, ", ")))
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
