// The optimizers, the schedules of the learning rate, and how a layer's parameters are
// updated. Not here: where a gradient comes from (nn.go) and when it is applied
// (train.go).

package mlp

import (
	"fmt"
	"math"
)

// Optimizer is a rule that moves weights by their gradient.
type Optimizer struct {
	Name  string
	Slots int // how many running values it keeps for each weight, 0 to 2
	// Update moves w by its gradient g. m and v are the running values, zeros before the
	// first step; v is nil if Slots is 1, both are nil if Slots is 0. Train calls Update at
	// the same time for different parts of a layer, of any size. So Update must treat each
	// element by itself.
	Update func(w, g, m, v []float64, s OptimizerStep)
	// Decays says that Update itself applies OptimizerStep.Decay. Otherwise Train adds the
	// gradient of an L2 penalty, Decay·w, to g.
	Decays bool
}

// maxSlots is the most running values that an optimizer keeps for a weight.
const maxSlots = 2

// OptimizerStep is what an optimizer needs to know beside the gradient.
type OptimizerStep struct {
	N     int     // the number of the step, from 1
	Rate  float64 // the learning rate
	Beta1 float64 // the decay of the first running value
	Decay float64 // Config.Decay if w are weights, 0 if they are biases or gains
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

// OptimizerByName returns the optimizer of that name: sgd, momentum, adam or adamw.
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
	f := newAdamFactors(s.N, s.Beta1, s.Rate)
	adamStep(w, g, m, v, &f)
}

// intPower returns xⁿ by repeated squaring. The result has the same bits on every
// processor.
func intPower(x float64, n int) float64 {
	z := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			z *= x
		}
		x *= x
	}
	return z
}

// Schedule gives the factor by which the learning rate is multiplied. Its argument is
// the fraction of the run that is over, from 0 to below 1.
type Schedule func(progress float64) float64

// Constant leaves the learning rate as it is.
func Constant(progress float64) float64 { return 1 }

// Step divides the learning rate by ten at half and again at three quarters of the run
// (He et al. 2016, section 4.2).
func Step(progress float64) float64 {
	switch {
	case progress < 0.5:
		return 1
	case progress < 0.75:
		return 0.1
	}
	return 0.01
}

// Cosine is (1+cos(π·progress))/2 (Loshchilov & Hutter 2017, eq. 5). It is computed as
// cos²(π/2·progress) by the Taylor series of the cosine. The first omitted term is below
// 1e-21.
func Cosine(progress float64) float64 {
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

// ScheduleByName returns the schedule of that name: constant, step or cosine.
func ScheduleByName(name string) (Schedule, error) {
	return byName(map[string]Schedule{"constant": Constant, "step": Step, "cosine": Cosine}, name)
}

// An updateRule is how parameters move in the current step.
type updateRule struct {
	optimizer *Optimizer
	decay     float64 // Config.Decay, of the weights alone
	step      OptimizerStep
}

// A layerState is how training updates one layer. As an epilogue of the product
// DW = xᵀ·dz it applies each finished part of the gradient to the weights. The running
// values are the Run's.
type layerState struct {
	layer  *Layer
	rule   *updateRule
	slots  *runningValues
	rows   []interval           // the rows of W that are packed; none stands for all
	packed [1 + maxSlots]packed // W and its running values, if isPacked
	// While isPacked, the weights and their running values are those in packed, and
	// those in the layer and in slots are of an earlier step.
	isPacked bool
}

// runningValues has an optimizer's running values of one layer: for each slot those of
// W, B and the gain.
type runningValues [maxSlots][maxParameters]Matrix

// pack packs the weights and their running values; unpack brings them back.
func (s *layerState) pack() {
	s.packed[0].pack(&s.layer.W, s.rows...)
	for i := range s.rule.optimizer.Slots {
		s.packed[1+i].pack(&s.slots[i][0], s.rows...)
	}
	s.isPacked = true
}

func (s *layerState) unpack() {
	s.packed[0].unpack(&s.layer.W)
	for i := range s.rule.optimizer.Slots {
		s.packed[1+i].unpack(&s.slots[i][0])
	}
	s.isPacked = false
}

// apply updates rows i0 to i1-1, columns j0 to j1-1 of the weights by their gradient
// g, and with the first row the same columns of the bias and the gain.
func (s *layerState) apply(g []float64, stride, i0, i1, j0, j1 int) {
	if s.isPacked {
		s.updatePanel(g[:(i1-i0)*(j1-j0)], i0, i1, j0, j1)
	} else {
		for i := i0; i < i1; i++ {
			s.update(0, g[(i-i0)*stride:], i*s.layer.W.Cols+j0, j1-j0)
		}
	}
	if i0 > 0 {
		return
	}
	for which := 1; which < maxParameters; which++ {
		if w, g := s.layer.parameter(which); len(w.Data) > 0 {
			s.update(which, g.Data[j0:], j0, j1-j0)
		}
	}
}

// update updates n elements of a parameter, which begin at index at, by their gradient g.
func (s *layerState) update(which int, g []float64, at, n int) {
	w, _ := s.layer.parameter(which)
	var running [maxSlots][]float64
	for i := range s.rule.optimizer.Slots {
		running[i] = s.slots[i][which].Data[at : at+n]
	}
	decay := s.rule.decay
	if which > 0 {
		decay = 0
	}
	s.rule.move(w.Data[at:at+n], g[:n], running, decay)
}

// updatePanel updates some rows of a panel of the packed weights.
func (s *layerState) updatePanel(g []float64, i0, i1, j0, j1 int) {
	var running [maxSlots][]float64
	for i := range s.rule.optimizer.Slots {
		running[i] = s.packed[1+i].columns(i0, i1, j0, j1)
	}
	s.rule.move(s.packed[0].columns(i0, i1, j0, j1), g, running, s.rule.decay)
}

// move has the optimizer move w by its gradient g, to which it adds decay·w unless the
// optimizer decays w itself.
func (r *updateRule) move(w, g []float64, running [maxSlots][]float64, decay float64) {
	if decay > 0 && !r.optimizer.Decays {
		axpy(g, w, decay)
	}
	step := r.step
	step.Decay = decay
	r.optimizer.Update(w, g, running[0], running[1], step)
}
