// Package doctor says what the history of a run shows is wrong with it, and what to try.
package doctor

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"mlp"
)

// Thresholds of the diagnoses; rules of thumb. The tests have runs on both sides of them.
const (
	nearGuessing = 0.005 // a loss from that of guessing less this to that of guessing and 20 times this counts as guessing
	unequal      = 100   // ratio of ‖δ‖ of the first hidden layer and another
	smallUpdate  = 1e-4  // ‖ΔW‖/‖W‖ of a first layer that hardly learns
	tooSlow      = 1e-5  // ‖ΔW‖/‖W‖ of the layer that moves most
	tooLarge     = 0.1   // ‖ΔW‖/‖W‖ of any layer, if the loss is twice that of guessing
	tooSteep     = 0.5   // rise of the loss over five steps in a row
	tooInactive  = 0.5   // share of a layer's units that are inactive
	overfit      = 1.05  // loss on samples that were not trained on, relative to the best epoch's
	overfitBy    = 5     // epochs since the best
)

// A Finding is an illness of a run, the numbers that show it, and what to try.
type Finding struct{ Illness, Number, Cure string }

func (f Finding) String() string { return f.Illness + ": " + f.Number + "; try " + f.Cure }

// Print prints a line for each finding.
func Print(w io.Writer, found []Finding) {
	for _, f := range found {
		fmt.Fprintf(w, "doctor: %s\n", f)
	}
}

// An exam is what the doctor looks at and what has been found so far.
type exam struct {
	*mlp.Model // whose recipe has the flags of the run, and may come from a stranger's file
	guess      float64
	last       mlp.Epoch
	hidden     []mlp.LayerStats // of the hidden layers, after the last epoch
	found      []Finding
}

// Diagnose returns each illness of a run with the numbers that show it and with the flags
// to try. guess is the loss of a network that only guesses. Diagnose does not look for dead
// units if the gradient vanishes, because that explains them, nor for a loss of guessing if
// anything else was found. It returns nil if the model has no recipe or no layer statistics:
// then there was nothing to look at. Otherwise the findings are not nil.
func Diagnose(m *mlp.Model, guess float64) []Finding {
	h := m.Run.History
	if len(m.Recipe) == 0 || len(h) == 0 || len(h[0].First) != len(m.Net) || len(h[len(h)-1].Layers) != len(m.Net) {
		return nil
	}
	last := h[len(h)-1]
	e := &exam{Model: m, guess: guess, last: last, hidden: last.Layers[:len(m.Net)-1], found: []Finding{}}
	vanishing := e.vanishing()
	e.exploding()
	if !vanishing {
		e.inactive()
	}
	e.learningRate()
	e.overfitting()
	return e.found
}

// number returns the value of a flag, or 0 if the recipe has no finite number for it.
func (e *exam) number(flag string) float64 {
	v, err := strconv.ParseFloat(e.Recipe[flag], 64)
	if err != nil || v != v || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// note adds a diagnosis with the cures that the run does not use already.
func (e *exam) note(name string, cures []string, shows string, numbers ...any) {
	cures = slices.DeleteFunc(cures, e.useless)
	if last := len(cures) - 1; last > 0 {
		cures[last] = "or " + cures[last]
	}
	e.found = append(e.found, Finding{Illness: name, Number: fmt.Sprintf(shows, numbers...), Cure: strings.Join(cures, ", ")})
}

// useless reports whether a cure cannot help: the run has the values of all its flags
// already, or a flag says how a network begins, which the file of -load decides.
func (e *exam) useless(cure string) bool {
	words := strings.Fields(cure)
	if words[0][0] != '-' {
		return false
	}
	all := true
	for i := 0; i < len(words) && words[i][0] == '-'; i += 2 {
		flag := words[i][1:]
		if e.Recipe["load"] != "" && (flag == "init" || flag == "norm" || flag == "act") {
			return true
		}
		all = all && e.Recipe[flag] == words[i+1]
	}
	return all
}

func (e *exam) vanishing() bool {
	seen, first := e.hidden, e.Run.History[0].First
	if most, _ := largestDelta(seen); most == 0 { // the last batch had no error left
		seen = first[:min(len(seen), len(first))]
	}
	decayed := 2 * e.number("lr") * e.number("decay") // the penalty alone moves the weights by about that
	most, at := largestDelta(seen)
	if at == 0 || e.number("freeze") > 0 || !(most > unequal*seen[0].DeltaNorm) || !(e.hidden[0].UpdateRatio < smallUpdate+decayed) {
		return false
	}
	other := "fewer layers"
	switch {
	case e.Recipe["load"] != "":
		other = "other weights to begin with"
	case e.Recipe["norm"] == "batch":
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
	if e.number("clip") > 0 {
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
	name, what, cures := "dead units", "are 0 for every sample", []string{"a smaller -lr", "-norm batch"}
	if act := e.Net[at].Act; act != mlp.ReLU {
		name, what, cures = "saturated units", "are at an end of "+act.Name+", which is flat there", []string{"a smaller -lr", "-init xavier"}
	}
	e.note(name, cures, "%.0f %% of layer %d's units %s, and at least half in %d of %d hidden layers",
		100*worst, at+1, what, n, len(e.hidden))
}

func (e *exam) learningRate() {
	loss, rise, step := e.last.Loss, e.last.LossRise, e.largestUpdate()
	slower, faster := []string{"a smaller -lr"}, []string{"a larger -lr"}
	if rate := e.number("lr"); rate > 0 {
		slower[0], faster[0] = fmt.Sprintf("-lr %.2g or less", rate/10), fmt.Sprintf("-lr %.2g", rate*100)
	}
	if rise > tooSteep {
		e.note("learning rate too high", slower, "over five steps in a row the loss rose by %.3g", rise)
	} else if loss > 2*e.guess && step > tooLarge {
		e.note("learning rate too high", slower, "a step moved a layer by %.2g of its size, and the loss is %.3g", step, loss)
	}
	if len(e.found) == 0 && e.guess-nearGuessing < loss && loss < e.guess+20*nearGuessing {
		e.note("guessing", []string{"-init he", "a larger -lr"}, "the loss is %.4f, and guessing gives %.4f", loss, e.guess)
	}
	if len(e.found) == 0 && step < tooSlow && loss > e.guess/2 {
		e.note("learning rate too low", faster, "no step moved a layer by more than %.1g of its size", step)
	}
}

func (e *exam) overfitting() {
	what, cures, h := "held-out", []string{"-dropout 0.2", "-decay 0.001", "more data"}, slices.Clone(e.Run.History)
	if e.last.ValidationLoss != e.last.ValidationLoss { // nothing was held out: then the test part shows it
		what, cures = "test", slices.Insert(cures, 0, fmt.Sprintf("-patience %d", overfitBy))
		for i := range h {
			h[i].ValidationLoss = h[i].TestLoss
		}
	}
	last, best := h[len(h)-1], h.Best()
	if last.N-best.N < overfitBy || !(last.ValidationLoss > overfit*best.ValidationLoss) || !(last.Loss < best.Loss) {
		return
	}
	e.note("over-fitting", cures,
		"since epoch %d the training loss fell from %.4f to %.4f and the %s loss rose from %.4f to %.4f",
		best.N, best.Loss, last.Loss, what, best.ValidationLoss, last.ValidationLoss)
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
func (e *exam) largestUpdate() (most float64) {
	for _, epoch := range e.Run.History {
		for _, l := range slices.Concat(epoch.First, epoch.Layers) { // only the first epoch has First
			most = max(most, l.UpdateRatio)
		}
	}
	return most
}
