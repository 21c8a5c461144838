// What a training leaves beside the weights: the history of its epochs, and what it
// needs to go on. Not here: the training itself (train.go) and files (model.go).

package mlp

import (
	"fmt"
	"slices"
)

// Epoch is what was measured in one pass over the samples. The losses and accuracies are
// measured at its end, with the weights of that moment. Loss and Accuracy, those of the
// training samples, are NaN in an epoch that Config.Measure leaves out. An accuracy is what
// Config.Metric makes it, which Run.Metric names.
type Epoch struct {
	N                      int // from 1
	Loss, Accuracy         float64
	TestLoss, TestAccuracy float64      // NaN without Config.Test
	HeldLoss               float64      // NaN without Config.Held
	LossRise               float64      // the largest rise of a batch's loss over five consecutive steps, each of which raised it; or 0
	Layers                 []LayerStats // of the epoch's last step
	First                  []LayerStats // of the run's first step; only in the first epoch
}

// History is the epochs of a run in order.
type History []Epoch

// Best returns the epoch with the lowest loss on what was held out or, if nothing was,
// the last epoch. It panics if there is none.
func (h History) Best() Epoch {
	best := h[len(h)-1]
	for _, e := range slices.Backward(h) {
		if !(best.HeldLoss < e.HeldLoss) && e.HeldLoss == e.HeldLoss {
			best = e
		}
	}
	return best
}

// DivergedError says that the loss, a weight or a running value of the optimizer is no
// longer a finite number.
type DivergedError struct {
	Epoch, Batch int // from 1
	Loss         float64
	Reason       string // what is not finite
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("%s at epoch %d, batch %d: training has diverged", e.Reason, e.Epoch, e.Batch)
}

// Run is how far a training has come and what it needs, beside the network's weights
// and the same Config, to go on exactly as if it had never stopped. The zero value is a
// run that has not begun. A copy of a Run shares its arrays.
type Run struct {
	History   History
	Optimizer string // the name of the optimizer whose running values are kept
	Metric    string // the name of the metric that the history has as accuracy; empty is Accuracy's

	slots []runningValues // of each layer
	last  snapshot        // with Config.Patience, the last epoch's arrays; the network has the best epoch's
}

// begin gives a run that has not begun the optimizer's running values, zeros.
func (r *Run) begin(net Network, o *Optimizer) {
	*r = Run{Optimizer: o.Name, slots: make([]runningValues, len(net))}
	for i, l := range net {
		for s := range o.Slots {
			for which := range maxParameters {
				w, _ := l.parameter(which)
				r.slots[i][s][which] = *NewMatrix(w.Rows, w.Cols)
			}
		}
	}
}

// fits returns an error if the run cannot go on with this network and optimizer.
func (r *Run) fits(net Network, o *Optimizer) error {
	if err := r.validate(net); err != nil {
		return err
	}
	if r.Optimizer != "" && r.Optimizer != o.Name { // files of earlier versions do not name it
		return fmt.Errorf("its %d epochs were trained by the optimizer %q, not %q", len(r.History), r.Optimizer, o.Name)
	}
	if len(r.slots) == 0 {
		return fmt.Errorf("it lacks the running values of %s", o.Name)
	}
	for i, l := range net {
		for s := range maxSlots {
			for which := range maxParameters {
				w, _ := l.parameter(which)
				want := len(w.Data)
				if s >= o.Slots {
					want = 0
				}
				if got := len(r.slots[i][s][which].Data); got != want {
					return fmt.Errorf("layer %d has %d running values in slot %d, for %s want %d", i+1, got, s+1, o.Name, want)
				}
			}
		}
	}
	return nil
}

// arrays returns the running values that the optimizer keeps.
func (r *Run) arrays() (all []*Matrix) {
	for i := range r.slots {
		for s := range r.slots[i] {
			for which := range r.slots[i][s] {
				all = append(all, &r.slots[i][s][which])
			}
		}
	}
	return all
}

// A snapshot is a copy of some matrices.
type snapshot []Matrix

// take makes s a copy of the matrices, reusing its storage.
func (s *snapshot) take(of []*Matrix) {
	if len(*s) != len(of) {
		*s = make(snapshot, len(of))
	}
	for i, m := range of {
		copy((*s)[i].Reset(m.Rows, m.Cols).Data, m.Data)
	}
}

// restore copies s back to the matrices, if a copy was taken.
func (s snapshot) restore(to []*Matrix) {
	for i := range s {
		copy(to[i].Data, s[i].Data)
	}
}
