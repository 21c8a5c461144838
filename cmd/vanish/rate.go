// Which learning rate: the range test of Smith 2017 for runs of this project, beside the rates
// that these have, and what becomes of networks at the rates that it suggests.

package main

import (
	"errors"
	"fmt"
	"strings"

	"mlp"
)

// A ratedRun is a run of this project in short.
type ratedRun struct {
	name      string
	beginning beginning
	hidden    []int
	optimizer *mlp.Optimizer
	schedule  mlp.Schedule
	batch     int
	rate      float64
	best      bool // the digits are those of -best of train
}

func (r ratedRun) String() string { return r.name }

var ratedRuns = [...]ratedRun{
	{"train", beginnings[0], []int{256, 128}, mlp.SGD, mlp.Constant, 64, 0.1, false},
	{"train -init he", beginnings[2], []int{256, 128}, mlp.SGD, mlp.Constant, 64, 0.1, false},
	{"depth", beginnings[2], hidden(deepest), mlp.SGD, mlp.Constant, 64, 0.1, false},
	{"data", beginnings[3], []int{256, 128}, mlp.Adam, mlp.Warmup(0.1, mlp.Cosine), dataBatch, dataRate, false},
	{"train -best", beginnings[3], []int{256, 256}, mlp.Adam, mlp.Warmup(0.1, mlp.Cosine), 128, 0.004, true},
}

const (
	lowestRate, highestRate = 1e-5, 10
	rangeSteps              = 250 // or a few more, because an epoch is whole
	rateEpochs              = 5
)

// A run is trained at so many times the suggested rate, and last at its own.
var rateFactors = [...]float64{0.1, 0.3, 1, 3, 10}

const suggested, own = 2, len(rateFactors) // among the rates of a run that was tried

// A tried run has been through the range test, and trained at each rate.
type tried struct {
	test     *mlp.RateTest
	rates    [own + 1]float64
	outcomes [own + 1]outcome
}

// atRate returns the smooth loss of the range test at the rate that is next to this one.
func (t *tried) atRate(rate float64) float64 {
	i := 0
	for i < len(t.test.Rates)-1 && t.test.Rates[i] < rate {
		i++
	}
	return t.test.Smooth[i]
}

func rate(l *lab) (*mlp.Figure, error) {
	deskewedTrain, deskewedTest := l.train.Deskew(), l.test.Deskew()
	// samples returns the digits of a run of so many epochs.
	samples := func(r *ratedRun, epochs int) (train mlp.Dataset, test *mlp.MNIST, err error) {
		if !r.best {
			stats := l.train.Stats()
			if r.optimizer == mlp.Adam {
				stats = l.train.StatsOfAll()
			}
			train, test = standardized(stats, l.train, l.test)
			return train, test, nil
		}
		digits, test := standardized(deskewedTrain.StatsOfAll(), deskewedTrain, deskewedTest)
		amounts := mlp.UsualDeformation
		amounts.Elastic = 1.2
		train, err = digits.Deform(amounts, l.seed, epochs)
		return train, test, err
	}
	config := func(r *ratedRun, epochs int) mlp.Config {
		return mlp.Config{Optimizer: r.optimizer, Schedule: r.schedule, Batch: r.batch, Epochs: epochs, Measure: epochs, Seed: l.seed}
	}
	network := func(r *ratedRun) mlp.Network { return r.beginning.network(l.seed, mlp.ReLU, r.hidden...) }

	var all [len(ratedRuns)]tried
	trainings := len(all[0].rates)
	l.start("rate", len(all)*(trainings+1)*rateEpochs)
	err := l.each(len(all), func(i int) error {
		r, t := &ratedRuns[i], &all[i]
		epochs := 1 + rangeSteps*r.batch/l.train.Len()
		train, _, err := samples(r, epochs)
		if err == nil {
			t.test, err = mlp.RangeTest(l.ctx, network(r), train, config(r, epochs), lowestRate, highestRate)
			l.bar.Add(rateEpochs)
		}
		return err
	})
	if err == nil {
		err = l.each(len(all)*trainings, func(i int) error {
			r, t, k := &ratedRuns[i/trainings], &all[i/trainings], i%trainings
			c := config(r, rateEpochs)
			if c.Rate = r.rate; k < own {
				c.Rate = t.test.Suggestion() * rateFactors[k]
			}
			train, test, err := samples(r, rateEpochs)
			if err == nil {
				t.rates[k] = c.Rate
				t.outcomes[k], err = l.learn(network(r), train, test, c, 1)
			}
			var diverged *mlp.DivergedError
			if errors.As(err, &diverged) {
				err = nil
			}
			return err
		})
	}
	if err != nil {
		return nil, err
	}
	l.printf("rate: %d steps or a few more at rates from 10⁻⁵ to 10, on %d digits\n\n", rangeSteps, l.train.Len())
	return l.showRates(all[:]), nil
}

// showRates prints the rates and the accuracies. The sheet has the range tests, and beside them the
// accuracy by rate.
func (l *lab) showRates(all []tried) *mlp.Figure {
	for i := range all {
		l.record(all[i].test.Rates...)
		l.record(all[i].test.Losses...)
		for _, o := range all[i].outcomes {
			l.record(o.accuracy)
			l.hash.Write([]byte(o.weights))
		}
	}
	table(l, "rate", []string{"of the run", "suggested", "at an end"}, ratedRuns[:], 14, func(row, i int) string {
		t := &all[i]
		return short([]float64{t.rates[own], t.rates[suggested], t.test.Rates[len(t.test.Rates)-1]}[row])
	})
	var rows []string
	for _, f := range rateFactors {
		rows = append(rows, fmt.Sprintf("suggested ×%v", f))
	}
	l.printf("test accuracy after %d epochs\n\n", rateEpochs)
	table(l, "rate", append(rows, "of the run"), ratedRuns[:], 14, func(row, i int) string { return all[i].outcomes[row].score() })

	tests := mlp.Chart{Title: "Range test", XLabel: "Learning rate", YLabel: "Smooth loss", LogX: true}
	trained := mlp.Chart{Title: fmt.Sprintf("Trained for %d epochs", rateEpochs), XLabel: "Learning rate", YLabel: "Test accuracy", LogX: true}
	for i, r := range ratedRuns {
		smooth := all[i].test.Smooth
		n := len(smooth)
		if smooth[n-1] > 2*smooth[0] { // the last one would flatten all others
			n--
		}
		tests.Series = append(tests.Series, mlp.Series{Name: r.name, X: all[i].test.Rates[:n], Y: smooth[:n]})
		line := mlp.Series{Name: r.name, X: all[i].rates[:own]}
		for _, o := range all[i].outcomes[:own] {
			line.Y = append(line.Y, o.accuracy)
		}
		trained.Series = append(trained.Series, line)
	}
	for _, mark := range []struct {
		name string
		at   int
	}{{"the run's own rate", own}, {"the suggested rate", suggested}} {
		inTest, inTrained := mlp.Series{Name: mark.name, Points: true}, mlp.Series{Name: mark.name, Points: true}
		for i := range all {
			rate := all[i].rates[mark.at]
			inTest.X, inTest.Y = append(inTest.X, rate), append(inTest.Y, all[i].atRate(rate))
			inTrained.X, inTrained.Y = append(inTrained.X, rate), append(inTrained.Y, all[i].outcomes[mark.at].accuracy)
		}
		tests.Series, trained.Series = append(tests.Series, inTest), append(trained.Series, inTrained)
	}
	score := func(at int) string {
		return list(ratedRuns[:], func(i int) string { return all[i].outcomes[at].score() })
	}
	sentences := []string{
		"The suggested rates: " + list(ratedRuns[:], func(i int) string { return short(all[i].rates[suggested]) }) + ".",
		fmt.Sprintf("Test accuracy after %d epochs at the suggested rate: %s.", rateEpochs, score(suggested)),
		fmt.Sprintf("At the run's own rate: %s.", score(own)),
	}
	return &mlp.Figure{Title: "Which learning rate", Height: 240, Charts: []mlp.Chart{tests, trained}, Caption: strings.Join(sentences, "\n")}
}
