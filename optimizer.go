// The optimizers, the schedules of the learning rate, a test of rates, and the update of a network.

package mlp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Optimizer is a rule that moves weights by their gradient.
type Optimizer struct {
	Name  string
	Slots int // how many running values it keeps for each weight, 0 to 2
	// Update moves w by its gradient g. m and v are the running values, zeros before the
	// first step; v is nil if Slots is 1, both are nil if Slots is 0. Train calls Update at
	// the same time for different pieces of the weights, of any size, so that Update must
	// treat each element by itself.
	Update func(w, g, m, v []float64, s OptimizerStep)
	Decays bool // Update applies OptimizerStep.Decay itself; otherwise Train adds Decay·w to g
}

// maxSlots is the most running values that an optimizer keeps for a weight.
const maxSlots = 2

// OptimizerStep is what an optimizer needs to know beside the gradient.
type OptimizerStep struct {
	N     int     // the number of the step, from 1
	Rate  float64 // the learning rate
	Beta1 float64 // the decay of the first running value
	Decay float64 // Config.Decay if w are weights, 0 if they are biases or gains

	adam *adamFactors // which Train computes once for all calls of a step; else nil
}

// The optimizers.
var (
	// SGD is w -= rate·g.
	SGD = &Optimizer{Name: "sgd", Update: func(w, g, _, _ []float64, s OptimizerStep) { axpy(w, g, -s.Rate) }}
	// Momentum is m = β₁·m + g, w -= rate·m (Polyak 1964).
	Momentum = &Optimizer{Name: "momentum", Slots: 1, Update: momentum}
	// Adam is algorithm 1 of Kingma & Ba 2015, with β₂ = 0.999 and ε = 10⁻⁸.
	Adam = &Optimizer{Name: "adam", Slots: 2, Update: adam}
	// AdamW is Adam after w -= rate·decay·w, which an L2 penalty is not for Adam (Loshchilov
	// & Hutter 2019, algorithm 2).
	AdamW = &Optimizer{Name: "adamw", Slots: 2, Decays: true, Update: func(w, g, m, v []float64, s OptimizerStep) {
		axpy(w, w, -s.Rate*s.Decay)
		adam(w, g, m, v, s)
	}}
)

// OptimizerByName returns the optimizer named sgd, momentum, adam or adamw.
func OptimizerByName(name string) (*Optimizer, error) {
	return byName(map[string]*Optimizer{"sgd": SGD, "momentum": Momentum, "adam": Adam, "adamw": AdamW}, name)
}

func momentum(w, g, m, _ []float64, s OptimizerStep) {
	if len(m) != len(w) {
		panic(fmt.Sprintf("mlp: Momentum: m has %d elements for %d weights", len(m), len(w)))
	}
	xpay(m, g, s.Beta1)
	axpy(w, m, -s.Rate)
}

func adam(w, g, m, v []float64, s OptimizerStep) {
	switch {
	case s.N < 1:
		panic(fmt.Sprintf("mlp: Adam: OptimizerStep.N is %d, want the number of the step, from 1", s.N))
	case len(m) != len(w) || len(v) != len(w):
		panic(fmt.Sprintf("mlp: Adam: m has %d and v %d elements for %d weights", len(m), len(v), len(w)))
	}
	f := s.adam
	if f == nil {
		factors := newAdamFactors(s.N, s.Beta1, s.Rate)
		f = &factors
	}
	adamStep(w, g, m, v, f)
}

// Schedule gives the factor by which the learning rate is multiplied. Its argument is
// the fraction of the run that is over, from 0 to below 1.
type Schedule func(progress float64) float64

// Constant leaves the learning rate as it is.
func Constant(progress float64) float64 { return 1 }

// StepDecay divides the learning rate by ten at half and again at three quarters of the run
// (He et al. 2016, section 4.2).
func StepDecay(progress float64) float64 {
	switch {
	case progress < 0.5:
		return 1
	case progress < 0.75:
		return 0.1
	}
	return 0.01
}

// Cosine is (1+cos(π·progress))/2 (Loshchilov & Hutter 2017, eq. 5).
func Cosine(progress float64) float64 {
	// This is cos²(π/2·progress) by the cosine's Taylor series; the first omitted term is
	// below 1e-21.
	x := math.Pi / 2 * progress
	squared, c := x*x, 1.0
	for k := 26.0; k > 0; k -= 2 {
		c = 1 - float64(squared/(k*(k-1))*c)
	}
	return c * c
}

// Warmup returns a schedule that rises over the first share of the run, in a straight line
// from a twentieth to 1, and then takes its course from then (Goyal et al. 2017, section
// 2.2). It panics unless share is from 0 to below 1.
func Warmup(share float64, then Schedule) Schedule {
	if !(0 <= share && share < 1) {
		panic(fmt.Sprintf("mlp: Warmup: a share of %v, want 0 to below 1", share))
	}
	return func(progress float64) float64 {
		if progress < share {
			return 0.05 + float64(0.95*(progress/share))
		}
		return then((progress - share) / (1 - share))
	}
}

// ScheduleByName returns the schedule named constant, step or cosine.
func ScheduleByName(name string) (Schedule, error) {
	return byName(map[string]Schedule{"constant": Constant, "step": StepDecay, "cosine": Cosine}, name)
}

// A RateTest is how the loss went while the rate rose: for each step its rate, the loss of its
// batch before it, and the mean of the losses so far, of which each counts 0.9 times the next.
type RateTest struct{ Rates, Losses, Smooth []float64 }

// Suggestion is a third of the rate at which the smooth loss was lowest. It is NaN without a step.
func (t *RateTest) Suggestion() float64 {
	if len(t.Smooth) == 0 {
		return math.NaN()
	}
	return t.Rates[slices.Index(t.Smooth, slices.Min(t.Smooth))] / 3
}

// RangeTest trains a copy of net as c says, but with a rate that rises from lowest to highest
// over c.Epochs epochs, by the same factor in each step (Smith 2017, section 3.3). It ends early
// if training diverges or the smooth loss is twice what it was at first. Of c it takes what a
// step depends on and how the samples are divided into steps.
func RangeTest(ctx context.Context, net Network, train Dataset, c Config, lowest, highest float64) (*RateTest, error) {
	switch {
	case ctx == nil:
		return nil, errors.New("ctx is nil")
	case !(0 < lowest && lowest < highest && finite(highest)):
		return nil, fmt.Errorf("rates from %v to %v, want finite numbers above 0 that rise", lowest, highest)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	t, enough := new(RateTest), errors.New("the loss has doubled")
	rise, total, weight := log(highest)-log(lowest), 0.0, 0.0
	_, err := Train(ctx, net.Clone(), train, Config{
		Loss: c.Loss, Optimizer: c.Optimizer, Beta1: c.Beta1, Decay: c.Decay, Clip: c.Clip,
		Epochs: c.Epochs, Batch: c.Batch, Seed: c.Seed, InOrder: c.InOrder, Measure: math.MaxInt,
		Rate: lowest, Schedule: func(progress float64) float64 { return exp(progress * rise) },
		OnStep: func(_ int, loss, rate float64) {
			total, weight = float64(0.9*total)+loss, float64(0.9*weight)+1
			t.Rates, t.Losses, t.Smooth = append(t.Rates, rate), append(t.Losses, loss), append(t.Smooth, total/weight)
			if total/weight > 2*t.Smooth[0] {
				stop(enough)
			}
		},
	})
	if diverged := new(DivergedError); err == enough || errors.As(err, &diverged) {
		err = nil
	}
	return t, err
}

// An update moves the numbers of a network by their gradients.
type update struct {
	optimizer *Optimizer
	slots     *[maxSlots][]float64 // the running values, vectors of the network
	decay     float64              // Config.Decay
	step      OptimizerStep        // without Decay
}

// move moves w by its gradient g. Its running values begin at that index of their vectors.
// The gradient of an L2 penalty is added to a copy, so that g stays the loss's gradient.
func (u *update) move(w, g []float64, at int, decay float64) {
	var running [maxSlots][]float64
	for s := range u.optimizer.Slots {
		running[s] = u.slots[s][at : at+len(w)]
	}
	if decay > 0 && !u.optimizer.Decays {
		penalized := scratches.Get().(*Matrix)
		defer scratches.Put(penalized)
		copy(penalized.Reset(1, len(g)).Data, g)
		g = penalized.Data
		axpy(g, w, decay)
	}
	step := u.step
	step.Decay = decay
	u.optimizer.Update(w, g, running[0], running[1], step)
}

// A weightUpdate is the epilogue of the product DW = xᵀ·dz that moves each finished part of W.
type weightUpdate struct {
	*update
	w       part          // the layer's W
	compact *compactLayer // of the first layer, else nil: if it is on, row i of W is row compact.rows[i] of w
}

func (e *weightUpdate) apply(dw []float64, stride, i0, i1, j0, j1 int) {
	isCompact := e.compact != nil && e.compact.on
	if cols := e.w.cols; j1-j0 == cols && stride == cols && !isCompact { // whole rows, one behind the other
		e.move(e.w.array.Data[i0*cols:i1*cols], dw[:(i1-i0)*cols], e.w.offset+i0*cols, e.decay)
		return
	}
	for i := i0; i < i1; i++ {
		row := i
		if isCompact {
			row = e.compact.rows[i]
		}
		e.move(e.w.array.Row(i)[j0:j1], dw[(i-i0)*stride:][:j1-j0], e.w.offset+row*e.w.cols+j0, e.decay)
	}
}
