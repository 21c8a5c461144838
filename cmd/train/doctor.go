// The doctor: what the layer statistics of a run say is wrong with it, and what to try.
// Not here: how they are measured, which the package does.

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"mlp"
	"mlp/cmd/internal/report"
)

// Thresholds of the diagnoses; rules of thumb. doctor_test.go has runs on both sides of
// them.
const (
	nearGuessing = 0.005 // a loss from ln 10 − nearGuessing to ln 10 + 20·nearGuessing counts as guessing
	unequal      = 100   // ratio of ‖δ‖ of the first hidden layer and another
	smallUpdate  = 1e-4  // ‖ΔW‖/‖W‖ of a first layer that hardly learns
	tooSlow      = 1e-5  // ‖ΔW‖/‖W‖ of the layer that moves most
	tooLarge     = 0.1   // ‖ΔW‖/‖W‖ of any layer, if the loss is twice that of guessing
	tooSteep     = 0.5   // rise of the loss over five steps in a row
	tooInactive  = 0.5   // share of a layer's units that are inactive
	overfit      = 1.05  // loss on digits that were not trained on, relative to the best epoch's
	overfitBy    = 5     // epochs since the best
)

// report prints a line for each thing that is wrong after the last epoch.
func (j *job) report(w io.Writer) {
	for _, finding := range j.diagnose() {
		fmt.Fprintf(w, "doctor: %s\n", finding)
	}
}

// An exam is what the doctor looks at and what has been found so far.
type exam struct {
	*job
	last   mlp.Epoch
	hidden []mlp.LayerStats // of the hidden layers, after the last epoch
	found  []report.Finding // the diagnoses; not nil
}

// diagnose returns each illness, with the numbers that show it and what to try. It does
// not look for dead units if the gradient vanishes, because that explains them, nor for
// a loss of guessing if anything else was found.
func (j *job) diagnose() []report.Finding {
	e := &exam{job: j, last: j.Run.History[len(j.Run.History)-1], found: []report.Finding{}}
	e.hidden = e.last.Layers[:max(0, len(e.last.Layers)-1)]
	vanishing := e.vanishing()
	e.exploding()
	if !vanishing {
		e.inactive()
	}
	e.rate()
	e.overfitting()
	return e.found
}

// note adds a diagnosis with the cures that the run does not use already.
func (e *exam) note(name string, cures []string, shows string, numbers ...any) {
	cures = slices.DeleteFunc(cures, e.useless)
	if last := len(cures) - 1; last > 0 {
		cures[last] = "or " + cures[last]
	}
	e.found = append(e.found, report.Finding{Illness: name, Number: fmt.Sprintf(shows, numbers...), Cure: strings.Join(cures, ", ")})
}

// useless reports whether a cure cannot help: the run has the values of all its flags
// already, or a flag says how a network begins, which the file of -load decides.
func (e *exam) useless(cure string) bool {
	words, settings := strings.Fields(cure), e.settings()
	if words[0][0] != '-' {
		return false
	}
	all := true
	for i := 0; i < len(words) && words[i][0] == '-'; i += 2 {
		flag := words[i][1:]
		if e.load != "" && (flag == "init" || flag == "norm" || flag == "act") {
			return true
		}
		all = all && settings[flag] == words[i+1]
	}
	return all
}

func (e *exam) vanishing() bool {
	seen, first := e.hidden, e.Run.History[0].First
	if most, _ := largestDelta(seen); most == 0 { // the last batch had no error left
		seen = first[:min(len(seen), len(first))]
	}
	most, at := largestDelta(seen)
	if at == 0 || !(most > unequal*seen[0].DeltaNorm) || !(e.hidden[0].UpdateRatio < smallUpdate+float64(2*e.LR*e.decay)) {
		return false
	}
	other := "fewer layers"
	switch {
	case e.load != "":
		other = "other weights to begin with"
	case e.Norm.Value:
		other = "a larger -batch"
	}
	e.note("vanishing gradient", []string{"-norm batch", "-act relu -init he", other},
		"a step moves layer 1 by %.1g of its size; its error term ‖δ‖ is %.1g, layer %d's %.1g, and the loss %.4f",
		e.hidden[0].UpdateRatio, seen[0].DeltaNorm, at+1, most, e.last.Loss)
	return true
}

func (e *exam) exploding() {
	n := len(e.hidden)
	if n < 2 || e.hidden[n-1].DeltaNorm == 0 || !(e.hidden[0].DeltaNorm > unequal*e.hidden[n-1].DeltaNorm) {
		return
	}
	other := "-clip 1"
	if e.Clip > 0 {
		other = "a smaller -clip"
	}
	e.note("exploding gradient", []string{"-norm batch", "-init he", other},
		"the error term ‖δ‖ of layer %d is %.1g, of layer 1 it is %.1g", n, e.hidden[n-1].DeltaNorm, e.hidden[0].DeltaNorm)
}

func (e *exam) inactive() {
	worst, at, n := 0.0, 0, 0 // the largest share, its layer, and how many layers have too many
	for i, l := range e.hidden {
		if l.InactiveFraction > worst {
			worst, at = l.InactiveFraction, i
		}
		if l.InactiveFraction >= tooInactive {
			n++
		}
	}
	if n == 0 {
		return
	}
	name, what, cures := "dead units", "are 0 for every digit", []string{"a smaller -lr", "-norm batch"}
	if act := e.Net[at].Act; act != mlp.ReLU {
		name, what, cures = "saturated units", "are at an end of "+act.Name+", which is flat there", []string{"a smaller -lr", "-init xavier"}
	}
	e.note(name, cures, "%.0f %% of layer %d's units %s, and at least half in %d of %d hidden layers",
		100*worst, at+1, what, n, len(e.hidden))
}

func (e *exam) rate() {
	loss, rise, step := e.last.Loss, e.last.LossRise, e.largestUpdate()
	slower := []string{fmt.Sprintf("-lr %.2g or less", e.LR/10)}
	if rise > tooSteep {
		e.note("learning rate too high", slower, "over five steps in a row the loss rose by %.3g", rise)
	} else if loss > 2*math.Ln10 && step > tooLarge {
		e.note("learning rate too high", slower, "a step moved a layer by %.2g of its size, and the loss is %.3g", step, loss)
	}
	if len(e.found) == 0 && math.Ln10-nearGuessing < loss && loss < math.Ln10+20*nearGuessing {
		e.note("guessing", []string{"-init he", "a larger -lr"}, "the loss is %.4f, and guessing among ten gives ln 10 = %.4f", loss, math.Ln10)
	}
	if len(e.found) == 0 && step < tooSlow && loss > math.Ln10/2 {
		e.note("learning rate too low", []string{fmt.Sprintf("-lr %.2g", e.LR*100)}, "no step moved a layer by more than %.1g of its size", step)
	}
}

func (e *exam) overfitting() {
	what, h := "held-out", slices.Clone(e.Run.History)
	if e.patience == 0 { // then the test part shows it
		what = "test"
		for i := range h {
			h[i].HeldLoss = h[i].TestLoss
		}
	}
	last, best := h[len(h)-1], h.Best()
	if last.N-best.N < overfitBy || !(last.HeldLoss > overfit*best.HeldLoss) || !(last.Loss < best.Loss) {
		return
	}
	cures := []string{"-dropout 0.2", "-decay 0.001", "more digits"}
	if e.patience == 0 {
		cures = slices.Insert(cures, 0, fmt.Sprintf("-patience %d", overfitBy))
	}
	e.note("over-fitting", cures,
		"since epoch %d the training loss fell from %.4f to %.4f and the %s loss rose from %.4f to %.4f",
		best.N, best.Loss, last.Loss, what, best.HeldLoss, last.HeldLoss)
}

// largestDelta returns the largest ‖δ‖ and its layer.
func largestDelta(layers []mlp.LayerStats) (most float64, at int) {
	for i, l := range layers {
		if l.DeltaNorm > most {
			most, at = l.DeltaNorm, i
		}
	}
	return most, at
}

// largestUpdate returns the largest ‖ΔW‖/‖W‖ of all measured steps. That of the last
// step is not enough: a schedule, or a batch without an error, makes it small.
func (j *job) largestUpdate() (most float64) {
	steps := [][]mlp.LayerStats{j.Run.History[0].First}
	for _, e := range j.Run.History {
		steps = append(steps, e.Layers)
	}
	for _, l := range slices.Concat(steps...) {
		most = max(most, l.UpdateRatio)
	}
	return most
}
