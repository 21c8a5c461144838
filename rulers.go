// Rulers: how much each layer learns, by six measures. A file of its own
// because the training does not depend on it.

package mlp

import "math"

// Rulers are measures of one layer at one step of the training. The gradients
// and the update are those of the step's batch, the units' activations those
// of the first 256 training samples, or in Epoch.First of the batch. The
// gradients are the loss's, after Config.Clip and without Config.Decay.
//
// Delta is the norm of the error term δ = ∂L/∂z, summed over the batch, which
// for the mean loss is that of the bias's gradient: the speed of learning of
// Nielsen, "Neural Networks and Deep Learning", chapter 5. Unlike GradMean and
// GradNorm it does not depend on how many inputs the layer has and how large
// they are.
type Rulers struct {
	GradMean float64 // mean |∇W|, the article's ruler
	GradNorm float64 // ‖∇W‖
	Delta    float64 // ‖∇b‖
	Spread   float64 // standard deviation of the activations
	Idle     float64 // share of units whose derivative over the samples is on average at most a tenth of that at 0: dead, for ReLU, or saturated
	Update   float64 // ‖ΔW‖/‖W‖
}

// step measures l's gradients and what update does to its weights; w is room for
// those that were.
func (r *Rulers) step(l *Layer, w *Matrix, update func(*Layer)) {
	total, squares := sums(l.DW.Data)
	r.GradMean = total / float64(len(l.DW.Data))
	r.GradNorm, r.Delta = root(squares, l.DW.Data), norm(l.DB.Data)
	old := norm(l.W.Data)
	copy(w.Reset(l.W.Rows, l.W.Cols).Data, l.W.Data)
	update(l)
	axpy(w.Data, l.W.Data, -1)
	if moved := norm(w.Data); moved > 0 {
		r.Update = moved / old
	}
}

// measure measures the units of a pass whose output is y.
func (p *pass) measure(net Network, y *Matrix, rulers []Rulers) {
	for i, l := range net {
		a := y
		if i < len(net)-1 {
			a = &p.a[i]
		}
		rulers[i].units(l.Act, a)
	}
}

// units measures the activations a, a row per sample and a column per unit.
func (r *Rulers) units(act *Activation, a *Matrix) {
	slope := []float64{1, 0}
	act.Forward(slope[1:])
	act.Backward(slope[:1], slope[1:])
	derivative, total := make([]float64, a.Cols), make([]float64, a.Cols)
	for i := range a.Rows {
		for j := range derivative {
			derivative[j] = 1
		}
		act.Backward(derivative, a.Row(i))
		add(total, derivative)
	}
	idle := 0
	for _, sum := range total {
		if sum <= slope[0]/10*float64(a.Rows) {
			idle++
		}
	}
	r.Idle = float64(idle) / float64(a.Cols)
	_, r.Spread = moments(a.Data)
}

// moments returns the mean of x and its standard deviation.
func moments(x []float64) (mean, std float64) {
	n, squares := float64(len(x)), 0.0
	mean = sum(x) / n
	for _, v := range x {
		squares = math.FMA(v-mean, v-mean, squares)
	}
	if beyond(squares) {
		centred := make([]float64, len(x))
		for i, v := range x {
			centred[i] = v - mean
		}
		return mean, norm(centred) / math.Sqrt(n)
	}
	return mean, math.Sqrt(squares / n)
}

// sums returns Σ|x| and Σx². Two chains of each need not wait for one another.
func sums(x []float64) (absolute, squares float64) {
	var a0, a1, s0, s1 float64
	for ; len(x) >= 2; x = x[2:] {
		a0 += math.Abs(x[0])
		a1 += math.Abs(x[1])
		s0 = math.FMA(x[0], x[0], s0)
		s1 = math.FMA(x[1], x[1], s1)
	}
	for _, v := range x {
		a0 += math.Abs(v)
		s0 = math.FMA(v, v, s0)
	}
	return a0 + a1, s0 + s1
}

// norm is √Σx² over all elements of parts.
func norm(parts ...[]float64) float64 {
	squares := 0.0
	for _, x := range parts {
		_, s := sums(x)
		squares += s
	}
	return root(squares, parts...)
}

// beyond reports whether squares, those of a vanished gradient say, may have left
// the range of a float64, so that their sum says nothing.
func beyond(squares float64) bool { return !(0x1p-900 < squares && squares < math.Inf(1)) }

// root is the root of parts' sum of squares or, where that says nothing, of those of
// x less a power of two.
func root(squares float64, parts ...[]float64) float64 {
	if !beyond(squares) {
		return math.Sqrt(squares)
	}
	most := 0.0
	for _, x := range parts {
		for _, v := range x {
			most = max(most, math.Abs(v))
		}
	}
	if most == 0 || !finite(most) {
		return most
	}
	_, exponent := math.Frexp(most)
	squares = 0
	for _, x := range parts {
		for _, v := range x {
			v = math.Ldexp(v, -exponent)
			squares += float64(v * v)
		}
	}
	return math.Ldexp(math.Sqrt(squares), exponent)
}

// rise follows the loss from step to step.
type rise struct {
	losses [6]float64 // the last ones, the newest last
	seen   int
	most   float64
}

func (r *rise) add(loss float64) {
	copy(r.losses[:], r.losses[1:])
	r.losses[5] = loss
	if r.seen++; r.seen < 6 {
		return
	}
	for i, v := range r.losses[:5] {
		if !(v < r.losses[i+1]) {
			return
		}
	}
	r.most = max(r.most, loss-r.losses[0])
}
