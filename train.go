// Training: mini-batch gradient descent. Not here: what it can be told (config.go), how an
// optimizer moves the weights (optimizer.go), what is measured of the layers
// (layerstats.go), what a run leaves (history.go), the network's mathematics (nn.go) and
// files.

package mlp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Train trains net on train and returns the history of all epochs, those of Config.Run
// included. It stops early, with an error, in four cases: ctx is done, which Train looks at
// before each batch; the loss of a batch is not finite, and the error names a number of the
// batch that is not; the loss or, at the end of an epoch, a weight or a running value is not
// finite, and the data are (*DivergedError); or OnEpoch returns an error.
//
// When Train returns, and when it calls OnEpoch, the network and Config.Run are in the
// state of the last finished epoch, so that both can be written to a file. With
// Config.Patience the network has the weights of the best epoch instead. After a
// finished epoch DW and DB are the gradients of its last step. During an epoch nobody
// else may use the network, because its layers may hold the weights of an earlier step.
func Train(ctx context.Context, net Network, train Dataset, c Config) (History, error) {
	t, err := newTrainer(net, train, c)
	if err != nil {
		return nil, err
	}
	defer t.forgetBatch()
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

// A trainer is the state of one call of Train.
type trainer struct {
	config Config
	net    Network
	data   Dataset
	batch  Dataset // the samples of this epoch
	run    *Run
	order  []int // the order of the samples in this epoch
	rule   updateRule
	layers []layerState
	plans  []layerPlan // how forward and backward treat each layer
	drops  []dropout

	weights, running []*Matrix // the arrays of the network, and the optimizer's of run
	last, best       snapshot  // the weights of the last epoch and of the best
	lastRunning      snapshot  // the running values of the last epoch

	x, y, dy   Matrix
	fixedBatch func(x, y *Matrix, index []int, inputs []interval) // gives a batch of the inputs in layers[0].rows
	row        rowLoss
	// The weights of the samples of this epoch, nil if they have none, and those of a batch.
	sampleWeights, batchWeights []float64

	gradients [][]float64 // of all layers, for their norm
	before    Matrix      // a layer's weights before a step that is measured
	withDecay Matrix      // a layer's gradient to which Decay's is added
	measuring evaluation
}

func newTrainer(net Network, train Dataset, c Config) (*trainer, error) {
	err := net.validate()
	if err == nil && net[len(net)-1].Dropout > 0 {
		err = errors.New("the last layer has Dropout, which would drop answers")
	}
	if err == nil {
		c.Loss, err = lossFor(net, c.Loss)
	}
	if err == nil {
		err = c.complete()
	}
	if err == nil {
		err = mustHaveSamples("train", train)
	}
	if err != nil {
		return nil, err
	}
	t := &trainer{config: c, net: net, data: train, batch: train, run: c.Run, order: make([]int, train.Len()),
		plans: make([]layerPlan, len(net)), drops: make([]dropout, len(net)), weights: net.arrays()}
	if net.hasNorm() && (c.Batch == 1 || t.stepsPerEpoch() == 0) {
		return nil, fmt.Errorf("Batch is %d and train has %d samples: Norm needs batches of two or more", c.Batch, train.Len())
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
	t.best.take(t.weights)
	metric := c.Metric.Name
	if metric == Accuracy.Name {
		metric = ""
	}
	if len(t.run.History) == 0 {
		t.run.begin(t.net, c.Optimizer)
		t.run.Metric = metric
		return nil
	}
	if t.run.Metric != metric {
		return fmt.Errorf("its accuracies are by the metric %q, not %q", cmp.Or(t.run.Metric, Accuracy.Name), c.Metric.Name)
	}
	if n := len(t.run.History); n > c.Epochs {
		return fmt.Errorf("%d epochs are trained already, Epochs is %d", n, c.Epochs)
	}
	if err := t.run.fits(t.net, c.Optimizer); err != nil {
		return err
	}
	if c.Patience > 0 && len(t.run.last) == 0 {
		return errors.New("it was trained without Patience and has not kept its best weights")
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

// beginEpoch keeps what undoEpoch restores. If the network has the best weights, it
// first gets the last epoch's.
func (t *trainer) beginEpoch() {
	t.run.last.restore(t.weights)
	t.last.take(t.weights)
	t.lastRunning.take(t.running)
}

// undoEpoch restores what the network and the run were before the epoch.
func (t *trainer) undoEpoch() {
	t.unpack()
	t.lastRunning.restore(t.running)
	if len(t.run.last) > 0 {
		t.best.restore(t.weights)
	} else {
		t.last.restore(t.weights)
	}
}

// isMeasured reports whether epoch n is measured on the training samples.
func (t *trainer) isMeasured(n int) bool {
	return n%t.config.Measure == 0 || n == t.config.Epochs
}

// finishEpoch adds e to the run. If the epoch before was measured only because it was to
// be the last of a shorter run, finishEpoch drops what was measured, so that the history
// is that of a run that never stopped. With Patience it puts the best weights into the
// network and the last ones into the run.
func (t *trainer) finishEpoch(e Epoch) {
	if h := t.run.History; e.N > 1 && !t.isMeasured(e.N-1) {
		h[e.N-2].Loss, h[e.N-2].Accuracy = math.NaN(), math.NaN()
	}
	t.run.History = append(t.run.History, e)
	if t.config.Patience == 0 {
		t.run.last = nil
		return
	}
	t.run.last.take(t.weights)
	if t.run.History.Best().N == e.N {
		t.best.take(t.weights)
	}
	t.best.restore(t.weights)
}

// forgetBatch has the network forget the last batch, which is the trainer's, and with it
// the data sets.
func (t *trainer) forgetBatch() {
	for _, l := range t.net {
		l.x = nil
	}
}

// epoch takes one step for each batch and then measures the network.
func (t *trainer) epoch(ctx context.Context, n int) (Epoch, error) {
	e := Epoch{N: n, TestLoss: math.NaN(), TestAccuracy: math.NaN(), HeldLoss: math.NaN()}
	shuffle(t.order, t.config.Seed, n, t.config.InOrder)
	t.batch, t.sampleWeights = samplesOf(t.data, n)
	var rise lossRise
	steps := t.stepsPerEpoch()
	for b := range steps {
		if ctx.Err() != nil {
			return e, context.Cause(ctx)
		}
		firstOfRun := n == 1 && b == 0
		var stats []LayerStats
		if firstOfRun || b == steps-1 {
			stats = make([]LayerStats, len(t.net))
			t.unpack()
		} else if t.mayPack() {
			t.pack()
		}
		index := t.order[b*t.config.Batch : min((b+1)*t.config.Batch, len(t.order))]
		loss := t.step(index, stats)
		if !finite(loss) {
			if err := t.validateBatch(index); err != nil {
				return e, err
			}
			return e, &DivergedError{n, b + 1, loss, fmt.Sprintf("the loss is %v", loss)}
		}
		rise.add(loss)
		if t.config.OnStep != nil {
			t.config.OnStep(t.rule.step.N, loss, t.rule.step.Rate)
		}
		if firstOfRun {
			e.First = slices.Clone(stats)
			for i, l := range t.net {
				e.First[i].measureActivations(l.Act, &l.a)
			}
		}
		e.Layers = stats
	}
	e.LossRise = rise.most
	err := t.measure(&e, steps)
	return e, err
}

// measure measures the network at the end of epoch e, after its last step.
func (t *trainer) measure(e *Epoch, lastStep int) error {
	c := &t.config
	n, of := t.data.Len(), "all"
	if !t.isMeasured(e.N) { // the activations are measured nevertheless
		n, of = min(evaluationRows, n), "the first"
	}
	e.Loss, e.Accuracy = t.measuring.measure(t.net, t.data, n, c.Loss, c.Metric, e.Layers)
	if !finite(e.Loss) {
		return &DivergedError{e.N, lastStep, e.Loss, fmt.Sprintf("the loss over %s samples is %v", of, e.Loss)}
	}
	if !t.isMeasured(e.N) {
		e.Loss, e.Accuracy = math.NaN(), math.NaN()
	}
	if err := t.checkFinite(); err != nil {
		return &DivergedError{e.N, lastStep, e.Loss, err.Error()}
	}
	if c.Test != nil {
		e.TestLoss, e.TestAccuracy = t.measuring.measure(t.net, c.Test, c.Test.Len(), c.Loss, c.Metric, nil)
	}
	if c.Held != nil {
		e.HeldLoss, _ = t.measuring.measure(t.net, c.Held, c.Held.Len(), c.Loss, c.Metric, nil)
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
	if t.leavesOut() {
		t.fixedBatch(&t.x, &t.y, index, t.layers[0].rows)
	} else {
		t.batch.Batch(&t.x, &t.y, index)
	}
	t.beginDropout()
	loss := t.row.of(t.config.Loss, &t.dy, t.net.forward(&t.x, t.plans), &t.y, t.weightsOf(index))
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

// beginDropout draws anew what the layers drop of the batch in x.
func (t *trainer) beginDropout() {
	for i, l := range t.net {
		if t.plans[i].drop = nil; l.Dropout > 0 {
			t.drops[i].begin(l, t.x.Rows, t.config.Seed, t.rule.step.N, i)
			t.plans[i].drop = &t.drops[i]
		}
	}
}

// validateBatch returns an error that names the first input or target of a batch that is
// not finite.
func (t *trainer) validateBatch(index []int) error {
	if t.leavesOut() {
		t.batch.Batch(&t.x, &t.y, index) // with all inputs
	}
	for _, m := range []struct {
		name string
		*Matrix
	}{{"input", &t.x}, {"target", &t.y}} {
		for at, v := range m.Data {
			if !finite(v) {
				return fmt.Errorf("train: sample %d: column %d of its %s is %v", index[at/m.Cols], at%m.Cols, m.name, v)
			}
		}
	}
	return nil
}

// weightsOf returns the weights of the samples of a batch, or nil if samples have none.
func (t *trainer) weightsOf(index []int) []float64 {
	if t.sampleWeights == nil {
		return nil
	}
	t.batchWeights = t.batchWeights[:0]
	for _, k := range index {
		t.batchWeights = append(t.batchWeights, t.sampleWeights[k])
	}
	return t.batchWeights
}

// minPackedSteps is the fewest steps of an epoch for which it pays to pack the weights
// and unpack them again.
const minPackedSteps = 9

// maxPackedBatch is the most samples of a batch for which the weights are packed. A
// gradient that is not stored has all its terms in one block, which becomes too large.
const maxPackedBatch = 512

// mayPack reports whether the weights are packed for steps whose gradients are needed for
// the update alone: each part of a gradient is dropped once it has moved its weights. That
// excludes clipping, which needs all gradients before the update.
func (t *trainer) mayPack() bool {
	return t.config.Clip == 0 && t.config.Batch <= maxPackedBatch && t.stepsPerEpoch() >= minPackedSteps
}

// leavesOut reports whether a step leaves out inputs that are always zero.
func (t *trainer) leavesOut() bool { return t.layers[0].isPacked && t.layers[0].rows != nil }

// pack packs the weights of all layers, unless they are packed. The first time it decides
// which inputs are left out.
func (t *trainer) pack() {
	if first := &t.layers[0]; t.fixedBatch == nil && t.config.mayLeaveOut() {
		if t.fixedBatch = fixedBatch(t.data); t.fixedBatch != nil {
			first.rows = liveInputs(t.data, first.layer.W.Rows, first.slots)
		}
	}
	for i := range t.layers {
		if !t.layers[i].isPacked {
			t.layers[i].pack()
			t.plans[i].weights = &t.layers[i].packed[0]
		}
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

// update updates all layers once all gradients are computed. DW and DB stay the loss's
// gradients: Decay's part is added to a copy.
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
