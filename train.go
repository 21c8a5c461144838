// Training: mini-batch gradient descent, the optimizers, and the history of a
// run. Not here: the network's mathematics (nn.go) and files.

package mlp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
)

// Dataset answers with samples by index: Batch sets row i of x to the input
// of sample index[i], and row i of y to what is wanted for it.
type Dataset interface {
	Len() int
	Batch(x, y *Matrix, index []int)
}

// Samples is a Dataset of two matrices, row i of Y being wanted for row i of X.
type Samples struct{ X, Y *Matrix }

// Len returns the number of rows.
func (s Samples) Len() int { return s.X.Rows }

// Batch copies the rows of index.
func (s Samples) Batch(x, y *Matrix, index []int) {
	x.Reset(len(index), s.X.Cols)
	y.Reset(len(index), s.Y.Cols)
	for i, r := range index {
		copy(x.Row(i), s.X.Row(r))
		copy(y.Row(i), s.Y.Row(r))
	}
}

// Config says how Train trains.
type Config struct {
	Loss      Loss       // of the network's output; nil is SoftmaxCrossEntropy
	Optimizer *Optimizer // nil is SGD
	Rate      float64    // the learning rate
	Momentum  float64    // for Momentum, and Adam's first decay; 0 is 0.9
	Epochs    int        // how many times all samples are seen
	Done      int        // how many of them net has been trained before, by the same Config
	Batch     int        // samples per step; an epoch's last step takes what is left
	Seed      uint64     // of the order of the samples
	InOrder   bool       // take them as they lie, not in a new order each epoch
	Test      Dataset    // what to measure on beside the training samples; may be nil

	// OnEpoch, unless nil, sees each epoch when it is over; an error of its
	// stops the training and is returned.
	OnEpoch func(Epoch) error
}

// Epoch is one pass over the samples and what was measured at its end, with
// the weights of its end. Accuracy is the share of rows whose largest output
// is where the largest wanted value is, NaN for a single output.
type Epoch struct {
	N                      int // from 1
	Loss, Accuracy         float64
	TestLoss, TestAccuracy float64 // NaN without Config.Test
}

// History is the epochs of a run in order.
type History []Epoch

// DivergedError says that the loss is no longer a finite number.
type DivergedError struct {
	Epoch, Batch int // from 1
	Loss         float64
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("the loss is %v at epoch %d, batch %d: training has diverged", e.Loss, e.Epoch, e.Batch)
}

// Train trains net on train and returns the epochs that it finished. With
// Config.Done it goes on exactly as if it had never stopped, with the
// optimizer's running values that the earlier Train left in net. It ends
// early, with an error, when ctx is done (between two batches), when the loss
// is not finite (*DivergedError) or when OnEpoch says so.
func Train(ctx context.Context, net Network, train Dataset, c Config) (History, error) {
	t, err := newTrainer(net, train, c)
	if err != nil {
		return nil, err
	}
	defer t.release()
	var history History
	for n := c.Done + 1; n <= c.Epochs; n++ {
		if err := t.epoch(ctx, n); err != nil {
			return history, err
		}
		e := Epoch{N: n, TestLoss: math.NaN(), TestAccuracy: math.NaN()}
		e.Loss, e.Accuracy = t.evaluate(train)
		if !finite(e.Loss) {
			return history, &DivergedError{n, t.batches(), e.Loss}
		}
		if c.Test != nil {
			e.TestLoss, e.TestAccuracy = t.evaluate(c.Test)
		}
		history = append(history, e)
		if c.OnEpoch != nil {
			if err := c.OnEpoch(e); err != nil {
				return history, err
			}
		}
	}
	return history, nil
}

// trainer is what a run of Train keeps between its steps.
type trainer struct {
	Config
	updater
	net      Network
	train    Dataset
	order    []int
	x, y, dy Matrix
}

func newTrainer(net Network, train Dataset, c Config) (*trainer, error) {
	switch {
	case len(net) == 0:
		return nil, errors.New("train: a network without layers")
	case train.Len() == 0:
		return nil, errors.New("train: no samples")
	case c.Batch < 1:
		return nil, fmt.Errorf("train: batches of %d samples", c.Batch)
	case !(c.Rate > 0) || !finite(c.Rate):
		return nil, fmt.Errorf("train: a learning rate of %v", c.Rate)
	}
	if c.Loss == nil {
		c.Loss = SoftmaxCrossEntropy
	}
	if c.Optimizer == nil {
		c.Optimizer = SGD
	}
	if c.Momentum == 0 {
		c.Momentum = 0.9
	}
	t := &trainer{Config: c, net: net, train: train, order: make([]int, train.Len())}
	t.updater = updater{rule: c.Optimizer, Step: Step{Rate: c.Rate, Momentum: c.Momentum}}
	t.N = c.Done * t.batches()
	for i, l := range net {
		for s := range l.slots {
			switch {
			case s >= c.Optimizer.Slots:
				l.slots[s] = [2]Matrix{}
			case c.Done == 0:
				l.slots[s] = [2]Matrix{*NewMatrix(l.W.Rows, l.W.Cols), *NewMatrix(1, l.B.Cols)}
			case len(l.slots[s][0].Data) != len(l.W.Data):
				return nil, fmt.Errorf("train: layer %d lacks the running values of %s", i+1, c.Optimizer.Name)
			}
		}
	}
	for _, l := range net {
		l.update = &t.updater
	}
	return t, nil
}

// release takes the update out of Backward again.
func (t *trainer) release() {
	for _, l := range t.net {
		l.update = nil
	}
}

func (t *trainer) batches() int { return (len(t.order) + t.Batch - 1) / t.Batch }

// epoch takes one step for each batch.
func (t *trainer) epoch(ctx context.Context, n int) error {
	order(t.order, t.Seed, n, t.InOrder)
	for b := range t.batches() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		loss := t.step(t.order[b*t.Batch : min((b+1)*t.Batch, len(t.order))])
		if !finite(loss) {
			return &DivergedError{n, b + 1, loss}
		}
	}
	return nil
}

// order fills index with 0, 1, 2 …, shuffled by Fisher and Yates' method with
// random numbers derived from seed and epoch alone, and returns it.
func order(index []int, seed uint64, epoch int, asTheyLie bool) []int {
	for i := range index {
		index[i] = i
	}
	if asTheyLie {
		return index
	}
	rng := rand.NewPCG(seed, uint64(epoch))
	for i := len(index) - 1; i > 0; i-- {
		j, _ := bits.Mul64(rng.Uint64(), uint64(i+1))
		index[i], index[j] = index[j], index[i]
	}
	return index
}

// step is forward, loss, backward and update for one batch. It returns the
// loss before the update, and makes none where that is not finite.
func (t *trainer) step(index []int) float64 {
	t.train.Batch(&t.x, &t.y, index)
	loss := t.Loss(&t.dy, t.net.Forward(&t.x), &t.y)
	if finite(loss) {
		t.next()
		t.net.Backward(&t.dy)
	}
	return loss
}

func finite(x float64) bool { return x-x == 0 }

// Evaluate returns net's mean loss and its accuracy on data. A nil loss is
// SoftmaxCrossEntropy.
func Evaluate(net Network, data Dataset, loss Loss) (mean, accuracy float64) {
	if loss == nil {
		loss = SoftmaxCrossEntropy
	}
	return (&trainer{Config: Config{Loss: loss}, net: net}).evaluate(data)
}

// evaluate measures in batches of a fixed size, so that the sums do not
// depend on how the network was trained.
func (t *trainer) evaluate(data Dataset) (loss, accuracy float64) {
	const batch = 256
	index := make([]int, 0, batch)
	right, n := 0, data.Len()
	for i := range n {
		index = append(index, i)
		if len(index) == batch || i == n-1 {
			data.Batch(&t.x, &t.y, index)
			y := t.net.Forward(&t.x)
			loss += float64(t.Loss(&t.dy, y, &t.y) * float64(len(index)))
			right += hits(y, &t.y)
			index = index[:0]
		}
	}
	if t.y.Cols == 1 {
		return loss / float64(n), math.NaN()
	}
	return loss / float64(n), float64(right) / float64(n)
}

// hits counts the rows whose largest output is the wanted one.
func hits(y, want *Matrix) int {
	n := 0
	for i := range y.Rows {
		if argmax(y.Row(i)) == argmax(want.Row(i)) {
			n++
		}
	}
	return n
}

// argmax returns where the first of the largest elements is.
func argmax(x []float64) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// Optimizer is a rule that moves weights by their gradient.
type Optimizer struct {
	Name  string
	Slots int // how many running values it keeps for each weight, at most 2
	// Update moves w by its gradient g; m and v are the first and the second
	// running value, nil where there is none.
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
		for i, d := range g {
			m[i] = math.FMA(s.Momentum, m[i], d)
		}
		axpy(w, m, -s.Rate)
	}}
	// Adam is algorithm 1 of Kingma & Ba 2015, its β₁ being Momentum.
	Adam = &Optimizer{Name: "adam", Slots: 2, Update: adam}
)

// Optimizers has the optimizers by name.
var Optimizers = map[string]*Optimizer{"sgd": SGD, "momentum": Momentum, "adam": Adam}

const beta2, adamEpsilon = 0.999, 1e-8

func adam(w, g, m, v []float64, s Step) {
	for i, d := range g {
		m[i] = math.FMA(s.Momentum, m[i], (1-s.Momentum)*d)
		v[i] = math.FMA(beta2, v[i], float64((1-beta2)*d)*d)
		w[i] = math.FMA(-s.Rate, m[i]/s.correct1/(math.Sqrt(v[i]/s.correct2)+adamEpsilon), w[i])
	}
}

// updater applies an optimizer to a layer's weights as their gradients come.
type updater struct {
	Step
	rule *Optimizer
}

// next begins a step.
func (u *updater) next() {
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

// chunk updates rows i0 to i1, columns j0 to j1 of l's weights, and with the
// first rows their columns of the bias.
func (u *updater) chunk(l *Layer, i0, i1, j0, j1 int) {
	if j0 == 0 && j1 == l.W.Cols {
		u.part(l, 0, i0*j1, i1*j1)
	} else {
		for i := i0; i < i1; i++ {
			u.part(l, 0, i*l.W.Cols+j0, i*l.W.Cols+j1)
		}
	}
	if i0 == 0 {
		u.part(l, 1, j0, j1)
	}
}

// part updates elements lo to hi of l's weights (which = 0) or bias (1).
func (u *updater) part(l *Layer, which, lo, hi int) {
	w, g := [2]*Matrix{&l.W, &l.B}[which], [2]*Matrix{&l.DW, &l.DB}[which]
	var slot [2][]float64
	for s := range u.rule.Slots {
		slot[s] = l.slots[s][which].Data[lo:hi]
	}
	u.rule.Update(w.Data[lo:hi], g.Data[lo:hi], slot[0], slot[1], u.Step)
}
