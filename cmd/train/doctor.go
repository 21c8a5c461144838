// The doctor: what the rulers of a run show, and what cures it.

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"mlp"
)

// Where health ends, by rule of thumb: doctor_test.go has runs on both sides.
const (
	nearly    = 0.005 // as far below ln 10 as a loss is that of guessing; above it, 20 times as far
	unequal   = 100   // ratio of error terms, of the first and another hidden layer
	still     = 1e-4  // of its size that a step moves layer 1
	tooSlow   = 1e-5  // of its size that a step moves any layer
	tooFast   = 0.5   // rise of the loss over five steps running
	tooLong   = 0.1   // of its size that a step moves any layer, the loss being twice that of guessing
	idle      = 0.5   // share of a layer's units
	overfit   = 1.05  // loss on other digits, relative to the best
	overfitBy = 5     // epochs since the best
)

// report prints a line for each thing that is wrong after the last epoch.
func (j *job) report(w io.Writer) {
	for _, d := range j.diagnose() {
		fmt.Fprintf(w, "doctor: %s: %s; try %s\n", d.name, d.shows, d.cure)
	}
}

type diagnosis struct{ name, shows, cure string }

// diagnose returns what the rulers show, with the numbers, and what to try. A
// gradient that vanishes explains dead units, and any other illness a loss of
// guessing.
func (j *job) diagnose() (all []diagnosis) {
	e := j.History[len(j.History)-1]
	hidden := e.Layers[:max(0, len(e.Layers)-1)]
	found := func(name string, cures []string, shows string, numbers ...any) {
		all = append(all, diagnosis{name, fmt.Sprintf(shows, numbers...), j.untried(cures)})
	}
	seen := hidden
	if most, _ := largestDelta(seen); most == 0 { // nothing is left to see
		seen = j.History[0].First[:min(len(hidden), len(j.History[0].First))]
	}
	most, at := largestDelta(seen)
	vanishing := at > 0 && most > unequal*seen[0].Delta && hidden[0].Update < still+float64(2*j.lr*j.decay)
	if vanishing {
		last := "fewer layers"
		switch {
		case j.load != "":
			last = "other weights to begin with"
		case j.norm == "batch":
			last = "a larger -batch"
		}
		found("vanishing gradient", []string{"-norm batch", "-act relu -init he", last},
			"a step moves layer 1 by %.1g of its size; its error term ‖δ‖ is %.1g, layer %d's %.1g, and the loss %.4f",
			hidden[0].Update, seen[0].Delta, at+1, most, e.Loss)
	}
	if n := len(hidden); n > 1 && hidden[0].Delta > unequal*hidden[n-1].Delta && hidden[n-1].Delta > 0 {
		last := "-clip 1"
		if j.clip > 0 {
			last = "a smaller -clip"
		}
		found("exploding gradient", []string{"-norm batch", "-init he", last},
			"the error term ‖δ‖ of layer %d is %.1g, of layer 1 it is %.1g", n, hidden[n-1].Delta, hidden[0].Delta)
	}
	if worst, at, n := mostIdle(hidden); n > 0 && !vanishing {
		name, where, cures := "dead units", "fire for no digit", []string{"a smaller -lr", "-norm batch"}
		if act := j.Net[at].Act; act != mlp.ReLU {
			name, where, cures = "saturated units", "lie where "+act.Name+" is flat", []string{"a smaller -lr", "-init xavier"}
		}
		found(name, cures, "%.0f %% of layer %d's units %s, and at least half in %d of %d hidden layers", 100*worst, at+1, where, n, len(hidden))
	}
	slower := []string{fmt.Sprintf("-lr %.2g or less", j.lr/10)}
	step := j.largestStep()
	if e.Rise > tooFast {
		found("learning rate too high", slower, "over five steps running the loss rose by %.3g", e.Rise)
	} else if e.Loss > 2*math.Ln10 && step > tooLong {
		found("learning rate too high", slower, "a step moved a layer by %.2g of its size, and the loss is %.3g", step, e.Loss)
	}
	if len(all) == 0 && math.Ln10-nearly < e.Loss && e.Loss < math.Ln10+20*nearly {
		found("guessing", []string{"-init he", "a larger -lr"}, "the loss is %.4f, and guessing among ten gives ln 10 = %.4f", e.Loss, math.Ln10)
	}
	if len(all) == 0 && step < tooSlow && e.Loss > math.Ln10/2 {
		found("learning rate too low", []string{fmt.Sprintf("-lr %.2g", j.lr*100)}, "no step moved a layer by more than %.1g of its size", step)
	}
	what, best := bestHeld(j.History)
	if e.N-best.N >= overfitBy && held(e) > overfit*held(best) && e.Loss < best.Loss {
		cures := []string{fmt.Sprintf("-patience %d", overfitBy), "-decay 0.001", "more digits"}
		if j.patience > 0 {
			cures = cures[1:]
		}
		found("over-fitting", cures,
			"since epoch %d the training loss fell from %.4f to %.4f and the %s loss rose from %.4f to %.4f",
			best.N, best.Loss, e.Loss, what, held(best), held(e))
	}
	return all
}

// untried returns those of the cures that the run has not had: flags with values
// it did not have, and with -load none that say how a network begins.
func (j *job) untried(cures []string) string {
	had := j.recipe()
	cures = slices.DeleteFunc(cures, func(cure string) bool {
		all, words := true, strings.Fields(cure)
		for i := 0; i < len(words) && words[0][0] == '-'; i += 2 {
			name := words[i][1:]
			if j.load != "" && (name == "init" || name == "norm" || name == "act") {
				return true
			}
			all = all && had[name] == words[i+1]
		}
		return all && words[0][0] == '-'
	})
	last := len(cures) - 1
	if last > 0 {
		cures[last] = "or " + cures[last]
	}
	return strings.Join(cures, ", ")
}

// largestDelta returns the largest error term and its layer.
func largestDelta(layers []mlp.Rulers) (most float64, at int) {
	for i, l := range layers {
		if l.Delta > most {
			most, at = l.Delta, i
		}
	}
	return most, at
}

// mostIdle returns the largest share of idle units, its layer, and how many
// layers have too many.
func mostIdle(layers []mlp.Rulers) (worst float64, at, n int) {
	for i, l := range layers {
		if l.Idle > worst {
			worst, at = l.Idle, i
		}
		if l.Idle >= idle {
			n++
		}
	}
	return worst, at, n
}

func largestUpdate(layers []mlp.Rulers) (most float64) {
	for _, l := range layers {
		most = max(most, l.Update)
	}
	return most
}

// largestStep returns the largest update of the steps that were measured. A
// schedule, or a batch without an error, makes the last one small.
func (j *job) largestStep() float64 {
	most := largestUpdate(j.History[0].First)
	for _, e := range j.History {
		most = max(most, largestUpdate(e.Layers))
	}
	return most
}

// held returns the loss on digits that were not trained on.
func held(e mlp.Epoch) float64 {
	if e.HeldLoss == e.HeldLoss {
		return e.HeldLoss
	}
	return e.TestLoss
}

// bestHeld returns the epoch with the lowest such loss, and what they are called.
func bestHeld(h mlp.History) (what string, best mlp.Epoch) {
	best = h[0]
	for _, e := range h {
		if held(e) < held(best) {
			best = e
		}
	}
	if best.HeldLoss == best.HeldLoss {
		return "held-out", best
	}
	return "test", best
}
