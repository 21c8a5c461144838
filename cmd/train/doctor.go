// The doctor: what the rulers of a run show, and what cures it.

package main

import (
	"fmt"
	"io"
	"math"

	"mlp"
)

// Where health ends. Of the runs tried (3 activations, 4 initialisations, 3
// optimizers), those that learn stay a factor of three or more on its good side.
const (
	guessing  = 0.005 // distance of the loss from ln 10
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

// diagnose returns what the rulers show, with the numbers, and what to try.
func (j *job) diagnose() (all []diagnosis) {
	e := j.History[len(j.History)-1]
	hidden := e.Layers[:max(0, len(e.Layers)-1)]
	found := func(name, cure, shows string, numbers ...any) {
		all = append(all, diagnosis{name, fmt.Sprintf(shows, numbers...), cure})
	}
	if math.Abs(e.Loss-math.Ln10) < guessing {
		found("guessing", "-init he or a larger -lr", "the loss is %.4f, as if guessing among ten (ln 10 = %.4f)", e.Loss, math.Ln10)
	}
	if most, at := largestDelta(hidden); at > 0 && most > unequal*hidden[0].Delta && hidden[0].Update < still+2*j.lr*j.decay {
		found("vanishing gradient", "-norm batch, or -act relu -init he",
			"a step moves layer 1 by %.1g of its size; its error term ‖δ‖ is %.1g, layer %d's is %.1g", hidden[0].Update, hidden[0].Delta, at+1, most)
	}
	if n := len(hidden); n > 1 && hidden[0].Delta > unequal*hidden[n-1].Delta && hidden[n-1].Delta > 0 {
		found("exploding gradient", "-norm batch, or -init he",
			"the error term ‖δ‖ of layer %d is %.1g, of layer 1 it is %.1g", n, hidden[n-1].Delta, hidden[0].Delta)
	}
	for i, l := range hidden {
		switch act := j.Net[i].Act; {
		case l.Idle < idle:
		case act == mlp.ReLU:
			found("dead units", "a smaller -lr, or -norm batch", "%.0f %% of layer %d's units fire for no digit", 100*l.Idle, i+1)
		default:
			found("saturated units", "a smaller -lr, or -init xavier",
				"%.0f %% of layer %d's units lie where %s is flat", 100*l.Idle, i+1, act.Name)
		}
	}
	slower := fmt.Sprintf("-lr %.2g", j.lr/10)
	if most := largestUpdate(e.Layers); e.Rise > tooFast {
		found("learning rate too high", slower, "over five steps running the loss rose by %.3g", e.Rise)
	} else if e.Loss > 2*math.Ln10 && most > tooLong {
		found("learning rate too high", slower, "a step moves a layer by %.2g of its size, and the loss is %.3g", most, e.Loss)
	}
	if most := largestUpdate(e.Layers); len(all) == 0 && most < tooSlow {
		found("learning rate too low", fmt.Sprintf("-lr %.2g", j.lr*100), "a step moves no layer by more than %.1g of its size", most)
	}
	what, best := bestHeld(j.History)
	if e.N-best.N >= overfitBy && held(e) > overfit*held(best) && e.Loss < best.Loss {
		found("over-fitting", fmt.Sprintf("-patience %d, -decay 0.001, or more digits", overfitBy),
			"since epoch %d the training loss fell from %.4f to %.4f and the %s loss rose from %.4f to %.4f",
			best.N, best.Loss, e.Loss, what, held(best), held(e))
	}
	return all
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

func largestUpdate(layers []mlp.Rulers) (most float64) {
	for _, l := range layers {
		most = max(most, l.Update)
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
