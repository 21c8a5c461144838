// Training: mini-batch gradient descent. Not here: how an optimizer moves the weights
// (optimizer.go), what is measured of the layers (layerstats.go), what a run leaves
// (history.go), the network's mathematics (nn.go) and files.

package mlp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Config says how Train trains.
type Config struct {
	Loss      Loss       // of the network's output; nil is SoftmaxCrossEntropy, for two outputs or more
	Optimizer *Optimizer // nil is SGD
	Rate      float64    // the learning rate
	Schedule  Schedule   // of the rate; nil is Constant
	Beta1     float64    // the decay of Momentum's and Adam's first running value, below 1; 0 is 0.9
	Decay     float64    // adds Decay·W to the gradient by the weights W, the gradient of Decay/2·Σ W²
	Clip      float64    // scales the loss's gradient down, before Decay, if its norm over all layers is larger; 0 never does
	Epochs    int        // how many times all samples are seen, those of Run's epochs included
	Batch     int        // samples per step; an epoch's last step takes what is left, but not a single sample if a layer has Norm
	Seed      uint64     // of the order of the samples
	InOrder   bool       // take the samples in the order of the data set, not in a new order each epoch
	Test      Dataset    // what to measure on beside the training samples; may be nil
	Held      Dataset    // samples held out, not trained on, that Patience looks at; may be nil
	Patience  int        // stop when so many epochs have not lowered the loss on Held; 0 never does

	// Run, if it is not nil, is how far the training has come. Train goes on from there,
	// exactly as if it had never stopped if all else in Config is as it was, and updates
	// Run at the end of each epoch. A Model takes it to a file.
	Run *Run

	// OnEpoch, if it is not nil, is called with each epoch when it is over. If it
	// returns an error, the training stops and returns that error.
	OnEpoch func(Epoch) error
}

// Train trains net on train and returns the history of all epochs, those of Config.Run
// included. It ends early, with an error, if ctx is done (it looks between two
// batches), if the loss or, at an epoch's end, a weight or a running value is not finite
// (*DivergedError), or if OnEpoch returns one.
//
// However Train ends, the network and Config.Run are those of the last epoch that was
// finished, and so they are when OnEpoch is called: then both can be written to a file.
// With Config.Patience the network has the weights of the best epoch instead. DW and DB
// are the gradients of the last step. While an epoch is under way, the network is
// Train's alone: its layers may hold the weights of an earlier step.
func Train(ctx context.Context, net Network, train Dataset, c Config) (History, error) {
	t, err := newTrainer(net, train, c)
	if err != nil {
		return nil, err
	}
	for n := len(t.run.History) + 1; n <= c.Epochs && !t.patienceIsOver(); n++ {
		e, err := t.wholeEpoch(ctx, n)
		if err != nil {
			return t.run.History, err
		}
		if c.OnEpoch != nil {
			if err := c.OnEpoch(e); err != nil {
				return t.run.History, err
			}
		}
	}
	return t.run.History, nil
}

// complete replaces the zero values that stand for something, and returns an error
// for a value that is wrong.
func (c *Config) complete() error {
	switch {
	case c.Epochs < 1:
		return fmt.Errorf("Epochs is %d, want 1 or more", c.Epochs)
	case c.Batch < 1:
		return fmt.Errorf("Batch is %d, want 1 or more", c.Batch)
	case !(c.Rate > 0) || !finite(c.Rate):
		return fmt.Errorf("Rate is %v, want a finite number above 0", c.Rate)
	case c.Beta1 != 0 && !(0 < c.Beta1 && c.Beta1 < 1):
		return fmt.Errorf("Beta1 is %v, want a number from 0 to below 1", c.Beta1)
	case !(c.Decay >= 0) || !finite(c.Decay):
		return fmt.Errorf("Decay is %v, want a finite number from 0", c.Decay)
	case !(c.Clip >= 0):
		return fmt.Errorf("Clip is %v, want a number from 0", c.Clip)
	case c.Patience > 0 && (c.Held == nil || c.Held.Len() == 0):
		return errors.New("Patience without samples in Held")
	}
	if c.Optimizer == nil {
		c.Optimizer = SGD
	}
	if c.Schedule == nil {
		c.Schedule = Constant
	}
	if c.Beta1 == 0 {
		c.Beta1 = 0.9
	}
	if c.Run == nil {
		c.Run = new(Run)
	}
	return nil
}

// A trainer is what a call of Train keeps between its steps.
type trainer struct {
	config Config
	net    Network
	data   Dataset
	run    *Run
	order  []int // of the samples, in this epoch
	rule   updateRule
	layers []layerState
	plans  []layerPlan // for forward and backward, of each layer

	weights, running []*Matrix // the arrays of the network, and the optimizer's of run
	last, best       snapshot  // the weights of the last epoch and, with Patience, of the best
	lastRunning      snapshot  // the running values of the last epoch

	x, y, dy  Matrix
	gradients [][]float64 // of all layers, for their norm
	before    Matrix      // a layer's weights before a step that is measured
	withDecay Matrix      // a layer's gradient to which Decay's is added
	measuring evaluation
}

func newTrainer(net Network, train Dataset, c Config) (*trainer, error) {
	err := net.validate()
	if err == nil {
		c.Loss, err = lossFor(net, c.Loss)
	}
	if err == nil {
		err = c.complete()
	}
	if err == nil && train.Len() == 0 {
		err = errNoSamples
	}
	if err != nil {
		return nil, err
	}
	t := &trainer{config: c, net: net, data: train, run: c.Run, order: make([]int, train.Len()),
		plans: make([]layerPlan, len(net)), weights: net.arrays()}
	if net.hasNorm() && (c.Batch == 1 || t.stepsPerEpoch() == 0) {
		return nil, errors.New("batch normalisation of batches of one sample")
	}
	if err := t.prepareRun(); err != nil {
		return nil, fmt.Errorf("Run: %w", err)
	}
	t.rule = updateRule{c.Optimizer, c.Decay, OptimizerStep{N: len(t.run.History) * t.stepsPerEpoch(), Beta1: c.Beta1}}
	for i, l := range net {
		t.layers = append(t.layers, layerState{layer: l, rule: &t.rule, slots: &t.run.slots[i]})
	}
	t.running = t.run.arrays()
	return t, nil
}

// prepareRun begins the run, or checks that it can go on.
func (t *trainer) prepareRun() error {
	c := &t.config
	t.last.take(t.weights)
	t.best.take(t.weights)
	if len(t.run.History) == 0 {
		t.run.begin(t.net, c.Optimizer)
		return nil
	}
	if n := len(t.run.History); n > c.Epochs {
		return fmt.Errorf("%d epochs are trained already, Epochs is %d", n, c.Epochs)
	}
	if err := t.run.fits(t.net, c.Optimizer); err != nil {
		return err
	}
	switch {
	case c.Patience > 0 && len(t.run.last) == 0:
		return errors.New("it was trained without Patience and has not kept its best weights")
	case c.Patience > 0:
		t.last = t.run.last
	case len(t.run.last) > 0: // it goes on without Patience
		t.run.last.restore(t.weights)
		t.run.last = nil
	}
	return nil
}

func (net Network) hasNorm() bool {
	return slices.ContainsFunc(net, func(l *Layer) bool { return l.Norm != nil })
}

// stepsPerEpoch leaves out a last batch of one sample if a layer has Norm.
func (t *trainer) stepsPerEpoch() int {
	n, batch := len(t.order), t.config.Batch
	if t.net.hasNorm() && n%batch == 1 {
		return n / batch
	}
	return (n-1)/batch + 1
}

// patienceIsOver reports whether too many epochs have passed since the best.
func (t *trainer) patienceIsOver() bool {
	h := t.run.History
	return t.config.Patience > 0 && len(h) > 0 && len(h)-h.Best().N >= t.config.Patience
}

// wholeEpoch trains an epoch and adds it to the run, or else leaves the network and the
// run as they were, also if the data set, the loss or an activation panics.
func (t *trainer) wholeEpoch(ctx context.Context, n int) (e Epoch, err error) {
	t.beginEpoch()
	finished := false
	defer func() {
		if !finished {
			t.undoEpoch()
		}
	}()
	if e, err = t.epoch(ctx, n); err == nil {
		t.finishEpoch(e)
		finished = true
	}
	return e, err
}

// beginEpoch keeps what undoEpoch restores. With Patience it first puts the last
// epoch's weights in the place of the best.
func (t *trainer) beginEpoch() {
	if t.config.Patience > 0 {
		t.last.restore(t.weights)
	} else {
		t.last.take(t.weights)
	}
	t.lastRunning.take(t.running)
}

// undoEpoch restores what the network and the run were before the epoch.
func (t *trainer) undoEpoch() {
	t.unpack()
	t.lastRunning.restore(t.running)
	if t.config.Patience > 0 {
		t.best.restore(t.weights)
	} else {
		t.last.restore(t.weights)
	}
}

// finishEpoch adds e to the run. With Patience it puts the best weights into the
// network and the last ones into the run.
func (t *trainer) finishEpoch(e Epoch) {
	t.run.History = append(t.run.History, e)
	if t.config.Patience == 0 {
		return
	}
	t.last.take(t.weights)
	t.run.last = t.last
	if t.run.History.Best().N == e.N {
		t.best.take(t.weights)
	}
	t.best.restore(t.weights)
}

// epoch takes one step for each batch and measures what has come of it.
func (t *trainer) epoch(ctx context.Context, n int) (Epoch, error) {
	e := Epoch{N: n, TestLoss: math.NaN(), TestAccuracy: math.NaN(), HeldLoss: math.NaN()}
	shuffle(t.order, t.config.Seed, n, t.config.InOrder)
	var rise lossRise
	steps := t.stepsPerEpoch()
	for b := range steps {
		if ctx.Err() != nil {
			return e, context.Cause(ctx)
		}
		firstOfRun, last := n == 1 && b == 0, b == steps-1
		var stats []LayerStats
		if firstOfRun || last {
			stats = make([]LayerStats, len(t.net))
			t.unpack()
		} else {
			t.pack(steps)
		}
		loss := t.step(t.order[b*t.config.Batch:min((b+1)*t.config.Batch, len(t.order))], stats)
		if !finite(loss) {
			return e, &DivergedError{n, b + 1, loss, fmt.Sprintf("the loss is %v", loss)}
		}
		rise.add(loss)
		if firstOfRun {
			e.First = slices.Clone(stats)
			for i, l := range t.net {
				e.First[i].measureActivations(l.Act, &l.a)
			}
		}
		e.Layers = stats
	}
	e.LossRise = rise.most
	return e, t.measure(&e, steps)
}

// measure measures the network at the end of epoch e, after its last step.
func (t *trainer) measure(e *Epoch, lastStep int) error {
	c := &t.config
	e.Loss, e.Accuracy = t.measuring.measure(t.net, t.data, c.Loss, e.Layers)
	if !finite(e.Loss) {
		return &DivergedError{e.N, lastStep, e.Loss, fmt.Sprintf("the loss is %v", e.Loss)}
	}
	if err := t.checkFinite(); err != nil {
		return &DivergedError{e.N, lastStep, e.Loss, err.Error()}
	}
	if c.Test != nil {
		e.TestLoss, e.TestAccuracy = t.measuring.measure(t.net, c.Test, c.Loss, nil)
	}
	if c.Held != nil {
		e.HeldLoss, _ = t.measuring.measure(t.net, c.Held, c.Loss, nil)
		if !finite(e.HeldLoss) && c.Patience > 0 {
			return &DivergedError{e.N, lastStep, e.HeldLoss, fmt.Sprintf("the loss on Held is %v", e.HeldLoss)}
		}
	}
	return nil
}

// checkFinite returns an error if a weight or a running value is not finite.
func (t *trainer) checkFinite() error {
	m := Model{Net: t.net, Run: Run{slots: t.run.slots}}
	for _, a := range m.arrays() {
		if err := allFinite(a.name, a.matrix); err != nil {
			return err
		}
	}
	return nil
}

// step is forward, loss, backward and update for one batch. It returns the loss before
// the update, and does not update if the loss is not finite. If stats is not nil, it
// receives what is measured of the gradients and the update.
func (t *trainer) step(index []int, stats []LayerStats) float64 {
	t.data.Batch(&t.x, &t.y, index)
	loss := t.config.Loss(&t.dy, t.net.forward(&t.x, t.plans), &t.y)
	if !finite(loss) {
		return loss
	}
	progress := float64(t.rule.step.N) / (float64(t.config.Epochs) * float64(t.stepsPerEpoch()))
	t.rule.step.Rate = t.config.Rate * t.config.Schedule(progress)
	t.rule.step.N++

	updateAtOnce := t.config.Clip == 0 && stats == nil
	for i := range t.plans {
		if t.plans[i].update = nil; updateAtOnce {
			t.plans[i].update = &t.layers[i]
		}
	}
	t.net.backward(&t.dy, t.plans)
	if !updateAtOnce {
		t.clip()
		t.update(stats)
	}
	return loss
}

// minPackedSteps is for how many steps of an epoch it is worth it to pack the weights
// and to unpack them again.
const minPackedSteps = 9

// pack packs the weights of all layers for steps whose gradients are needed for the
// update alone: each part of a gradient is dropped once it has moved its weights. That
// excludes clipping, which needs all gradients before the update, and batches of more
// than KC samples, whose sums have more than one block of terms.
func (t *trainer) pack(steps int) {
	if t.layers[0].isPacked || t.config.Clip > 0 || t.config.Batch > activeKernel().kc || steps < minPackedSteps {
		return
	}
	for i := range t.layers {
		t.layers[i].pack()
		t.plans[i].weights = &t.layers[i].packed[0]
	}
}

// unpack brings the weights back into the layers, if they are packed.
func (t *trainer) unpack() {
	for i := range t.layers {
		if t.layers[i].isPacked {
			t.layers[i].unpack()
			t.plans[i].weights = nil
		}
	}
}

// update updates all layers by their gradients, which are complete, and leaves the
// gradients as they are, without Decay's part.
func (t *trainer) update(stats []LayerStats) {
	for i := range t.layers {
		l := t.net[i]
		update := func() {
			g := &l.DW
			if t.config.Decay > 0 {
				g = t.withDecay.Reset(l.W.Rows, l.W.Cols)
				copy(g.Data, l.DW.Data)
			}
			t.layers[i].apply(g.Data, l.W.Cols, 0, l.W.Rows, 0, l.W.Cols)
		}
		if stats == nil {
			update()
		} else {
			stats[i].measureUpdate(l, &t.before, update)
		}
	}
}

// clip scales the gradients of all layers down if their norm is larger than Clip.
func (t *trainer) clip() {
	if t.config.Clip == 0 {
		return
	}
	t.gradients = t.gradients[:0]
	for _, l := range t.net {
		for which := range maxParameters {
			_, g := l.parameter(which)
			t.gradients = append(t.gradients, g.Data)
		}
	}
	if scale := t.config.Clip / norm(t.gradients...); scale < 1 {
		for _, g := range t.gradients {
			for i := range g {
				g[i] *= scale
			}
		}
	}
}
