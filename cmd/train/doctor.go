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

// A patient is a run under examination.
type patient struct {
	*job
	last   mlp.Epoch
	hidden []mlp.Rulers // of the hidden layers, after the last epoch
	found  []diagnosis
}

// diagnose returns what the rulers show, with the numbers, and what to try. A
// gradient that vanishes explains dead units, and any other illness a loss of
// guessing.
func (j *job) diagnose() []diagnosis {
	p := &patient{job: j, last: j.History[len(j.History)-1]}
	p.hidden = p.last.Layers[:max(0, len(p.last.Layers)-1)]
	vanishing := p.vanishing()
	p.exploding()
	if !vanishing {
		p.idling()
	}
	p.rate()
	p.overfitting()
	return p.found
}

// has notes an illness and those of its cures that the run has not had: flags with
// values it did not have, and with -load none that say how a network begins.
func (p *patient) has(name string, cures []string, shows string, numbers ...any) {
	had := p.recipe()
	cures = slices.DeleteFunc(cures, func(cure string) bool {
		all, words := true, strings.Fields(cure)
		for i := 0; i < len(words) && words[0][0] == '-'; i += 2 {
			name := words[i][1:]
			if p.load != "" && (name == "init" || name == "norm" || name == "act") {
				return true
			}
			all = all && had[name] == words[i+1]
		}
		return all && words[0][0] == '-'
	})
	if last := len(cures) - 1; last > 0 {
		cures[last] = "or " + cures[last]
	}
	p.found = append(p.found, diagnosis{name, fmt.Sprintf(shows, numbers...), strings.Join(cures, ", ")})
}

func (p *patient) vanishing() bool {
	seen, first := p.hidden, p.History[0].First
	if most, _ := largestDelta(seen); most == 0 { // nothing is left to see
		seen = first[:min(len(seen), len(first))]
	}
	most, at := largestDelta(seen)
	if at == 0 || !(most > unequal*seen[0].Delta) || !(p.hidden[0].Update < still+float64(2*p.lr*p.decay)) {
		return false
	}
	other := "fewer layers"
	switch {
	case p.load != "":
		other = "other weights to begin with"
	case p.norm == "batch":
		other = "a larger -batch"
	}
	p.has("vanishing gradient", []string{"-norm batch", "-act relu -init he", other},
		"a step moves layer 1 by %.1g of its size; its error term ‖δ‖ is %.1g, layer %d's %.1g, and the loss %.4f",
		p.hidden[0].Update, seen[0].Delta, at+1, most, p.last.Loss)
	return true
}

func (p *patient) exploding() {
	n := len(p.hidden)
	if n < 2 || p.hidden[n-1].Delta == 0 || !(p.hidden[0].Delta > unequal*p.hidden[n-1].Delta) {
		return
	}
	other := "-clip 1"
	if p.clip > 0 {
		other = "a smaller -clip"
	}
	p.has("exploding gradient", []string{"-norm batch", "-init he", other},
		"the error term ‖δ‖ of layer %d is %.1g, of layer 1 it is %.1g", n, p.hidden[n-1].Delta, p.hidden[0].Delta)
}

func (p *patient) idling() {
	worst, at, n := mostIdle(p.hidden)
	if n == 0 {
		return
	}
	name, where, cures := "dead units", "fire for no digit", []string{"a smaller -lr", "-norm batch"}
	if act := p.Net[at].Act; act != mlp.ReLU {
		name, where, cures = "saturated units", "lie where "+act.Name+" is flat", []string{"a smaller -lr", "-init xavier"}
	}
	p.has(name, cures, "%.0f %% of layer %d's units %s, and at least half in %d of %d hidden layers",
		100*worst, at+1, where, n, len(p.hidden))
}

func (p *patient) rate() {
	loss, rise, step := p.last.Loss, p.last.Rise, p.largestStep()
	slower := []string{fmt.Sprintf("-lr %.2g or less", p.lr/10)}
	if rise > tooFast {
		p.has("learning rate too high", slower, "over five steps running the loss rose by %.3g", rise)
	} else if loss > 2*math.Ln10 && step > tooLong {
		p.has("learning rate too high", slower, "a step moved a layer by %.2g of its size, and the loss is %.3g", step, loss)
	}
	if len(p.found) == 0 && math.Ln10-nearly < loss && loss < math.Ln10+20*nearly {
		p.has("guessing", []string{"-init he", "a larger -lr"}, "the loss is %.4f, and guessing among ten gives ln 10 = %.4f", loss, math.Ln10)
	}
	if len(p.found) == 0 && step < tooSlow && loss > math.Ln10/2 {
		p.has("learning rate too low", []string{fmt.Sprintf("-lr %.2g", p.lr*100)}, "no step moved a layer by more than %.1g of its size", step)
	}
}

func (p *patient) overfitting() {
	e := p.last
	what, best := bestHeld(p.History)
	if e.N-best.N < overfitBy || !(held(e) > overfit*held(best)) || !(e.Loss < best.Loss) {
		return
	}
	cures := []string{"-decay 0.001", "more digits"}
	if p.patience == 0 {
		cures = slices.Insert(cures, 0, fmt.Sprintf("-patience %d", overfitBy))
	}
	p.has("over-fitting", cures,
		"since epoch %d the training loss fell from %.4f to %.4f and the %s loss rose from %.4f to %.4f",
		best.N, best.Loss, e.Loss, what, held(best), held(e))
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
