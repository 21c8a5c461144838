// Training: mini-batch gradient descent and the history of a run. Not here: how
// an optimizer moves the weights (optimizer.go), what is measured of the layers
// (rulers.go), the network's mathematics (nn.go) and files.

package mlp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"
	"runtime"
	"slices"
)

// Dataset answers with samples by index: Batch makes x and y len(index) rows by
// Reset, and sets row i of x to the input of sample index[i], and row i of y to what
// is wanted for it. A trainer calls it from one goroutine at a time.
type Dataset interface {
	Len() int
	Batch(x, y *Matrix, index []int)
}

// Samples is a Dataset of two matrices, row i of Y being wanted for row i of X.
type Samples struct{ X, Y *Matrix }

// Len returns the number of rows. It panics where X and Y have not the same.
func (s Samples) Len() int {
	if s.X.Rows != s.Y.Rows {
		panic(fmt.Sprintf("mlp: Samples: X of %d×%d, Y of %d×%d", s.X.Rows, s.X.Cols, s.Y.Rows, s.Y.Cols))
	}
	return s.X.Rows
}

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
	Loss      Loss       // of the network's output; nil is SoftmaxCrossEntropy, for two outputs or more
	Optimizer *Optimizer // nil is SGD
	Rate      float64    // the learning rate
	Schedule  Schedule   // of the rate; nil is constant
	Momentum  float64    // for Momentum, and Adam's first decay, below 1; 0 is 0.9
	Decay     float64    // adds Decay·W to the gradient of the weights W, that of Decay/2·Σ W²
	Clip      float64    // scales the loss's gradient down, before Decay, where its norm over all layers is larger; 0 never does
	Epochs    int        // how many times all samples are seen
	Past      History    // the epochs that net has been trained already, by the same Config
	Batch     int        // samples per step; an epoch's last step takes what is left, unless that is one sample and a layer has Norm
	Seed      uint64     // of the order of the samples
	InOrder   bool       // take them as they lie, not in a new order each epoch
	Test      Dataset    // what to measure on beside the training samples; may be nil
	Held      Dataset    // samples held out, not trained on, that Patience looks at; may be nil
	Patience  int        // stop when so many epochs have not lowered the loss on Held; 0 never does

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
	TestLoss, TestAccuracy float64  // NaN without Config.Test
	HeldLoss               float64  // NaN without Config.Held
	Rise                   float64  // the most that the loss of a batch rose over five steps that each raised it; 0 if none did
	Layers                 []Rulers // of the epoch's last step
	First                  []Rulers // of the run's first step, in its first epoch
}

// History is the epochs of a run in order.
type History []Epoch

// Best returns the epoch with the lowest loss on what was held out, or the
// last one where nothing was. It panics if there is none.
func (h History) Best() Epoch {
	best := h[len(h)-1]
	for _, e := range slices.Backward(h) {
		if !(best.HeldLoss < e.HeldLoss) && e.HeldLoss == e.HeldLoss {
			best = e
		}
	}
	return best
}

// DivergedError says that the loss is no longer a finite number.
type DivergedError struct {
	Epoch, Batch int // from 1
	Loss         float64
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("the loss is %v at epoch %d, batch %d: training has diverged", e.Loss, e.Epoch, e.Batch)
}

// Train trains net on train and returns the epochs that it finished. With
// Config.Past it goes on exactly as if it had never stopped, with the running
// values that the earlier Train left in net. It ends early, with an error,
// when ctx is done (between two batches), when the loss is not finite
// (*DivergedError), at an epoch's end when a weight or a running value is not, or
// when OnEpoch says so. With Config.Patience the network
// has the weights of its best epoch whenever Train is not in the midst of one:
// when OnEpoch is called, and after the end, whatever brought it. Without it, and when
// Train ends within an epoch, net has a part of that epoch: to go on from, take what
// OnEpoch saw last.
//
// While an epoch is under way, a layer's W and DW may be those of an earlier step:
// Forward and Predict know where the weights are. At its end they are the last step's.
func Train(ctx context.Context, net Network, train Dataset, c Config) (History, error) {
	t, err := newTrainer(net, train, c)
	if err != nil {
		return nil, err
	}
	defer t.release()
	for n := len(c.Past) + 1; n <= c.Epochs && !t.exhausted(); n++ {
		e, err := t.epoch(ctx, n)
		if err != nil {
			return t.finished(), err
		}
		t.history = append(t.history, e)
		if c.Patience > 0 && t.history.Best().N == n {
			t.keep()
		}
		if c.OnEpoch != nil {
			t.swap()
			err := c.OnEpoch(e)
			t.swap()
			if err != nil {
				return t.finished(), err
			}
		}
	}
	return t.finished(), nil
}

// trainer is what a run of Train keeps between its steps.
type trainer struct {
	Config
	updater
	net           Network
	train         Dataset
	history       History
	order         []int
	x, y, out, dy Matrix
	before, sum   Matrix      // a layer's weights before a step, and its gradient with Decay's part
	gradients     [][]float64 // of all layers, for their norm
	blocks        [][3]Matrix // room for the weights and their slots in blocks
	blocked       bool        // they are there
	rise          rise
}

// complete checks c and puts what its zero values stand for.
func (c *Config) complete() error {
	switch {
	case c.Batch < 1:
		return fmt.Errorf("batches of %d samples", c.Batch)
	case !(c.Rate > 0) || !finite(c.Rate):
		return fmt.Errorf("a learning rate of %v", c.Rate)
	case c.Momentum != 0 && !(0 < c.Momentum && c.Momentum < 1):
		return fmt.Errorf("a momentum of %v", c.Momentum)
	case !(c.Decay >= 0) || !finite(c.Decay):
		return fmt.Errorf("a decay of %v", c.Decay)
	case !(c.Clip >= 0):
		return fmt.Errorf("a gradient clipped to %v", c.Clip)
	case c.Patience > 0 && (c.Held == nil || c.Held.Len() == 0):
		return errors.New("patience with no samples held out")
	}
	if c.Loss == nil {
		c.Loss = SoftmaxCrossEntropy
	}
	if c.Optimizer == nil {
		c.Optimizer = SGD
	}
	if c.Schedule == nil {
		c.Schedule = Schedules["constant"]
	}
	if c.Momentum == 0 {
		c.Momentum = 0.9
	}
	return nil
}

func newTrainer(net Network, train Dataset, c Config) (*trainer, error) {
	if len(net) == 0 {
		return nil, errors.New("a network without layers")
	}
	if train.Len() == 0 {
		return nil, errors.New("no samples")
	}
	if c.Loss == nil && net[len(net)-1].W.Cols == 1 {
		return nil, errors.New("no loss for a single output, of which the softmax is always 1")
	}
	if err := c.complete(); err != nil {
		return nil, err
	}
	t := &trainer{Config: c, net: net, train: train, order: make([]int, train.Len()),
		history: slices.Clone(c.Past), blocks: make([][3]Matrix, len(net))}
	t.updater = updater{rule: c.Optimizer, decay: c.Decay, Step: Step{Momentum: c.Momentum}}
	t.N = len(c.Past) * t.batches()
	for _, l := range net {
		if l.Norm != nil && (c.Batch == 1 || t.batches() == 0) {
			return nil, errors.New("batch normalisation of batches of one sample")
		}
	}
	for i, l := range net {
		if err := t.prepare(l); err != nil {
			return nil, fmt.Errorf("layer %d lacks %w", i+1, err)
		}
	}
	t.swap()
	return t, nil
}

// prepare gives l what the run keeps beside its weights: as at a run's
// beginning, or else what the run so far has left there.
func (t *trainer) prepare(l *Layer) error {
	for s := range l.slots {
		for which := range l.slots[s] {
			w, _ := l.parameter(which)
			slot := &l.slots[s][which]
			switch {
			case s >= t.rule.Slots:
				*slot = Matrix{}
			case len(t.Past) == 0:
				*slot = *NewMatrix(w.Rows, w.Cols)
			case len(slot.Data) != len(w.Data):
				return fmt.Errorf("the running values of %s", t.rule.Name)
			}
		}
	}
	if len(t.Past) == 0 || t.Patience == 0 {
		l.other = nil
	}
	if t.Patience > 0 && len(t.Past) == 0 {
		for _, m := range l.state() {
			l.other = append(l.other, *NewMatrix(m.Rows, m.Cols, m.Data...))
		}
	}
	if t.Patience > 0 && len(l.other) == 0 {
		return errors.New("the weights of the last epoch beside the best")
	}
	return nil
}

// swap exchanges the weights that are being trained and the best ones, which
// are the network's while no epoch is under way.
func (t *trainer) swap() {
	for _, l := range t.net {
		for i, m := range l.state()[:len(l.other)] {
			*m, l.other[i] = l.other[i], *m
		}
	}
}

// keep makes the best weights those that are being trained.
func (t *trainer) keep() {
	for _, l := range t.net {
		for i, m := range l.state() {
			copy(l.other[i].Data, m.Data)
		}
	}
}

// exhausted reports whether Patience is at its end.
func (t *trainer) exhausted() bool {
	return t.Patience > 0 && len(t.history) > 0 && len(t.history)-t.history.Best().N >= t.Patience
}

// finished returns the epochs of this Train.
func (t *trainer) finished() History { return t.history[len(t.Past):] }

// release takes the update out of Backward again.
func (t *trainer) release() {
	t.swap()
	t.fuse(false)
}

// batches is how many steps an epoch has.
func (t *trainer) batches() int {
	n := len(t.order)
	for _, l := range t.net {
		if l.Norm != nil && n%t.Batch == 1 {
			return n / t.Batch
		}
	}
	return (n-1)/t.Batch + 1
}

// epoch takes one step for each batch and measures what has come of it.
func (t *trainer) epoch(ctx context.Context, n int) (Epoch, error) {
	e := Epoch{N: n, TestLoss: math.NaN(), TestAccuracy: math.NaN(), HeldLoss: math.NaN()}
	t.rise = rise{}
	order(t.order, t.Seed, n, t.InOrder)
	last := t.batches() - 1
	defer t.inBlocks(false)
	for b := range last + 1 {
		if ctx.Err() != nil {
			return e, context.Cause(ctx)
		}
		first := n == 1 && b == 0
		t.inBlocks(!first && b < last && last >= fewSteps)
		var rulers []Rulers
		if first || b == last {
			rulers = make([]Rulers, len(t.net))
			e.Layers = rulers
		}
		loss := t.step(t.order[b*t.Batch:min((b+1)*t.Batch, len(t.order))], rulers)
		if !finite(loss) {
			return e, &DivergedError{n, b + 1, loss}
		}
		t.rise.add(loss)
		if first {
			e.First = slices.Clone(rulers)
			for i, l := range t.net {
				e.First[i].units(l.Act, &l.a)
			}
		}
	}
	e.Loss, e.Accuracy = t.evaluate(t.train, e.Layers)
	if !finite(e.Loss) {
		return e, &DivergedError{n, last + 1, e.Loss}
	}
	if err := t.net.sound(); err != nil {
		return e, fmt.Errorf("epoch %d: %w: training has diverged", n, err)
	}
	e.Rise = t.rise.most
	if t.Test != nil {
		e.TestLoss, e.TestAccuracy = t.evaluate(t.Test, nil)
	}
	if t.Held != nil {
		e.HeldLoss, _ = t.evaluate(t.Held, nil)
	}
	return e, nil
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

// fewSteps do not make up for what it takes to go into blocks and back.
const fewSteps = 8

// inBlocks puts the weights and their slots into blocks, for steps whose gradient
// nobody sees, or back. There are none where the gradient is needed before the
// update, or its sums take more than one run of k.
func (t *trainer) inBlocks(want bool) {
	if t.Clip > 0 || t.Batch > kBlock || want == t.blocked {
		return
	}
	t.blocked = want
	for i, l := range t.net {
		for s, m := range []*Matrix{&l.W, &l.slots[0][0], &l.slots[1][0]}[:1+t.rule.Slots] {
			if !want {
				m.fromBlocks(l.blocks[s])
				l.blocks[s] = nil
				continue
			}
			l.blocks[s] = t.blocks[i][s].Reset(m.Rows, m.Cols).Data
			m.toBlocks(l.blocks[s])
		}
	}
}

// step is forward, loss, backward and update for one batch. It returns the
// loss before the update, and makes none where that is not finite. Into rulers,
// unless nil, it measures all but the units.
func (t *trainer) step(index []int, rulers []Rulers) float64 {
	t.train.Batch(&t.x, &t.y, index)
	loss := t.Loss(&t.dy, t.net.Forward(&t.x), &t.y)
	if !finite(loss) {
		return loss
	}
	t.next(t.Rate * t.Schedule(float64(t.N)/(float64(t.Epochs)*float64(t.batches()))))
	fused := t.Clip == 0 && rulers == nil
	t.fuse(fused)
	t.net.Backward(&t.dy)
	if fused {
		return loss
	}
	t.clip()
	for i, l := range t.net {
		if rulers == nil {
			t.apply(l)
		} else {
			rulers[i].step(l, &t.before, t.apply)
		}
	}
	return loss
}

// fuse has Backward update each layer's weights with their gradient, or not.
func (t *trainer) fuse(want bool) {
	for _, l := range t.net {
		if l.update = nil; want {
			l.update = &t.updater
		}
	}
}

// apply updates l and leaves its gradient the loss's, without Decay's part.
func (t *trainer) apply(l *Layer) {
	rows, cols, g := l.W.Rows, l.W.Cols, l.DW.Data
	if t.decay > 0 {
		g = t.sum.Reset(rows, cols).Data
		copy(g, l.DW.Data)
	}
	t.chunk(l, g, cols, 0, rows, 0, cols)
}

// clip scales the gradients of all layers down where their norm is too large.
func (t *trainer) clip() {
	if t.Clip == 0 {
		return
	}
	t.gradients = t.gradients[:0]
	for _, l := range t.net {
		for which := range l.slots[0] {
			_, g := l.parameter(which)
			t.gradients = append(t.gradients, g.Data)
		}
	}
	if scale := t.Clip / norm(t.gradients...); scale < 1 {
		for _, g := range t.gradients {
			for i := range g {
				g[i] *= scale
			}
		}
	}
}

func finite(x float64) bool { return x-x == 0 }

// Evaluate returns net's mean loss and its accuracy on data, by Predict. A nil
// loss is SoftmaxCrossEntropy, for two outputs or more.
func Evaluate(net Network, data Dataset, loss Loss) (mean, accuracy float64) {
	if len(net) == 0 {
		panic("mlp: Evaluate: a network without layers")
	}
	if loss == nil {
		loss = SoftmaxCrossEntropy
	}
	return (&trainer{Config: Config{Loss: loss}, net: net}).evaluate(data, nil)
}

// lossRows is how many rows evaluate takes the loss of at once: fixed, so that the
// sums depend on nothing else. Rulers look at the first so many samples.
const lossRows = 256

// evaluate measures the loss and the accuracy, and into rulers, unless nil, what
// the units do.
func (t *trainer) evaluate(data Dataset, rulers []Rulers) (loss, accuracy float64) {
	var x, out, want Matrix
	together := lossRows * max(2, (runtime.GOMAXPROCS(0)+1)/2) // some passes for each thread
	index := make([]int, 0, together)
	right, n := 0, data.Len()
	for i := 0; i < n; i += len(index) {
		index = index[:0]
		for k := i; k < min(n, i+together); k++ {
			index = append(index, k)
		}
		data.Batch(&t.x, &t.y, index)
		t.out.Reset(t.x.Rows, t.net[len(t.net)-1].W.Cols)
		done := 0
		if i == 0 && rulers != nil {
			done = min(lossRows, len(index))
			p := passes.get()
			p.run(t.net, out.rows(&t.out, 0, done), x.rows(&t.x, 0, done))
			p.measure(t.net, &out, rulers)
			p.done()
		}
		rest := len(index) - done
		t.net.Predict(out.rows(&t.out, done, rest), x.rows(&t.x, done, rest))
		for r := 0; r < len(index); r += lossRows {
			rows := min(lossRows, len(index)-r)
			loss += float64(t.Loss(&t.dy, out.rows(&t.out, r, rows), want.rows(&t.y, r, rows)) * float64(rows))
		}
		right += hits(&t.out, &t.y)
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
