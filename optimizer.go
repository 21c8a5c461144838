// The optimizers, the schedules of the learning rate, and how a layer's weights
// are updated. Not here: where a gradient comes from (nn.go).

package mlp

import "math"

// Optimizer is a rule that moves weights by their gradient.
type Optimizer struct {
	Name  string
	Slots int // how many running values it keeps for each weight, at most 2
	// Update moves w by its gradient g; m and v are the first and the second
	// running value, nil where there is none. It is called for parts of a layer,
	// of any size and at the same time, so it must do each element by itself.
	Update func(w, g, m, v []float64, s Step)
}

// Step is what an optimizer needs to know beside the gradient.
type Step struct {
	N              int // of the step, from 1
	Rate, Momentum float64

	correct1, correct2 float64 // Adam's 1-β₁ᴺ and 1-β₂ᴺ
}

// The optimizers.
var (
	// SGD is w -= rate·g.
	SGD = &Optimizer{Name: "sgd", Update: func(w, g, _, _ []float64, s Step) { axpy(w, g, -s.Rate) }}
	// Momentum is v = momentum·v + g, w -= rate·v (Polyak 1964).
	Momentum = &Optimizer{Name: "momentum", Slots: 1, Update: func(w, g, m, _ []float64, s Step) {
		xpay(m, g, s.Momentum)
		axpy(w, m, -s.Rate)
	}}
	// Adam is algorithm 1 of Kingma & Ba 2015, its β₁ being Momentum.
	Adam = &Optimizer{Name: "adam", Slots: 2, Update: adam}
)

// Optimizers has the optimizers by name.
var Optimizers = map[string]*Optimizer{"sgd": SGD, "momentum": Momentum, "adam": Adam}

const beta2, adamEpsilon = 0.999, 1e-8

func adam(w, g, m, v []float64, s Step) {
	adamStep(w, g, m, v, &adamFactors{s.Momentum, 1 - s.Momentum, beta2, 1 - beta2, s.correct1, s.correct2, adamEpsilon, -s.Rate})
}

// Schedule gives the factor by which the learning rate is multiplied when a
// share of the run, from 0 to below 1, is over.
type Schedule func(progress float64) float64

// Schedules has the schedules by name. step divides the rate by ten at half
// and again at three quarters of the run (He et al. 2016, section 4.2), cosine
// is (1+cos(π·progress))/2 (Loshchilov & Hutter 2017, eq. 5).
var Schedules = map[string]Schedule{
	"constant": func(float64) float64 { return 1 },
	"step": func(progress float64) float64 {
		switch {
		case progress < 0.5:
			return 1
		case progress < 0.75:
			return 0.1
		}
		return 0.01
	},
	"cosine": cosine,
}

// cosine is cos²(π/2·progress), by the Taylor series of the cosine, whose next
// term is below 1e-21.
func cosine(progress float64) float64 {
	x := math.Pi / 2 * progress
	squared, c := x*x, 1.0
	for k := 26.0; k > 0; k -= 2 {
		c = 1 - float64(squared/(k*(k-1))*c)
	}
	return c * c
}

// updater applies an optimizer to a layer's weights as their gradients come.
type updater struct {
	Step
	rule  *Optimizer
	decay float64
}

// next begins a step.
func (u *updater) next(rate float64) {
	u.Rate = rate
	u.N++
	u.correct1 = 1 - power1(u.Momentum, u.N)
	u.correct2 = 1 - power1(beta2, u.N)
}

// power1 is xⁿ by squaring, the same to the last bit everywhere.
func power1(x float64, n int) float64 {
	z := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			z *= x
		}
		x *= x
	}
	return z
}

// parameter returns the layer's weights (which = 0), bias (1) or gain (2), all
// that the optimizer moves, and its gradient. Both are empty where there is
// none.
func (l *Layer) parameter(which int) (w, g *Matrix) {
	switch {
	case which == 0:
		return &l.W, &l.DW
	case which == 1:
		return &l.B, &l.DB
	case l.Norm != nil:
		return &l.Norm.Gain, &l.Norm.DGain
	}
	return &none, &none
}

var none Matrix

// chunk updates rows i0 to i1, columns j0 to j1 of l's weights by their gradient
// g, whose rows are ldg apart, and with the first rows their columns of the bias
// and the gain.
func (u *updater) chunk(l *Layer, g []float64, ldg, i0, i1, j0, j1 int) {
	values := [3][]float64{l.W.Data, l.slots[0][0].Data, l.slots[1][0].Data}
	at, stride := i0*l.W.Cols+j0, l.W.Cols
	rows, width := i1-i0, j1-j0
	if l.blocks[0] != nil { // of which columns j0 to j1 are one
		values = l.blocks
		at, stride = j0*l.W.Rows+i0*width, width
	}
	if width == stride && width == ldg {
		rows, width = 1, rows*width
	}
	for i := range rows {
		u.move(values, g[i*ldg:], at+i*stride, width, u.decay)
	}
	if i0 > 0 {
		return
	}
	for which := 1; which < len(l.slots[0]); which++ {
		if w, g := l.parameter(which); len(w.Data) > 0 {
			u.move([3][]float64{w.Data, l.slots[0][which].Data, l.slots[1][which].Data}, g.Data[j0:], j0, j1-j0, 0)
		}
	}
}

// move updates n of the values, which are weights and their slots, from at on, by
// their gradient g.
func (u *updater) move(values [3][]float64, g []float64, at, n int, decay float64) {
	for s := range 1 + u.rule.Slots {
		values[s] = values[s][at : at+n]
	}
	if g = g[:n]; decay > 0 {
		axpy(g, values[0], decay)
	}
	u.rule.Update(values[0], g, values[1], values[2], u.Step)
}
