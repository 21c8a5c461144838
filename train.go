// Training: what Train can be told, an epoch, and a step of mini-batch gradient descent.

package mlp

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Config says how Train trains.
type Config struct {
	Loss       Loss       // nil is SoftmaxCrossEntropy, which needs two or more outputs
	Optimizer  *Optimizer // nil is SGD
	Rate       float64    // the learning rate
	Schedule   Schedule   // of the rate; nil is Constant
	Beta1      float64    // the decay of Momentum's and Adam's first running value, below 1; 0 is 0.9
	Decay      float64    // of an L2 penalty Decay/2·Σ W²: adds its gradient, Decay·W, to that of the weights; AdamW takes Rate·Decay·W from the weights instead
	Clip       float64    // if the norm of the loss's gradient over all layers exceeds Clip, the gradient is scaled to that norm before Decay is added; 0 never does
	Epochs     int        // how many epochs there shall be, those of Run included
	Batch      int        // samples per step; an epoch's last step takes what is left, but not a single sample if a layer has Norm
	Seed       uint64     // of the order of the samples, and of what Layer.Dropout drops
	InOrder    bool       // take the samples in the order of the data set, not in a new order each epoch
	Metric     *Metric    // what is measured beside the loss, as Epoch.Metric and TestMetric; nil is Accuracy
	Test       Dataset    // what to measure on beside the training samples; may be nil
	Validation Dataset    // samples that are not trained on, whose loss Patience looks at; may be nil
	Patience   int        // stop when so many epochs have not lowered the loss on Validation, and keep the best epoch's weights; 0 trains all epochs and keeps the last weights, also with Validation
	Measure    int        // measure the loss and the metric on the training samples after each epoch whose number is a multiple of Measure, and after the last; 0 is 1

	// Run, if it is not nil, is how far the training has come. Train goes on from there,
	// exactly as if it had never stopped if all else in Config is as it was, and updates
	// Run at the end of each epoch. A Model takes it to a file.
	Run *Run

	// OnStep, if it is not nil, is called after each step with the number of the step in
	// the run, from 1, the loss of its batch before the step, and the learning rate. The
	// network then has the weights after the step.
	OnStep func(n int, loss, rate float64)

	// OnEpoch, if it is not nil, is called with each epoch when it is over. If it
	// returns an error, the training stops and returns that error.
	OnEpoch func(Epoch) error
}

// complete replaces zero values by their defaults, and returns an error that names what is
// wrong with a field, the network or the samples.
func (c *Config) complete(net Network, train Dataset) error {
	if err := net.validate(); err != nil {
		return err
	}
	var err error
	c.Loss, err = lossFor(net, c.Loss)
	c.Optimizer, c.Metric = cmp.Or(c.Optimizer, SGD), cmp.Or(c.Metric, Accuracy)
	c.Beta1, c.Measure = cmp.Or(c.Beta1, 0.9), cmp.Or(c.Measure, 1)
	if c.Schedule == nil {
		c.Schedule = Constant
	}
	if c.Run == nil {
		c.Run = new(Run)
	}
	switch o := c.Optimizer; {
	case net[len(net)-1].Dropout > 0:
		return errors.New("the last layer has Dropout, which would drop answers")
	case err != nil:
		return err
	case c.Epochs < 1:
		return fmt.Errorf("Epochs is %d, want 1 or more", c.Epochs)
	case c.Batch < 1:
		return fmt.Errorf("Batch is %d, want 1 or more", c.Batch)
	case !(c.Rate > 0) || !finite(c.Rate):
		return fmt.Errorf("Rate is %v, want a finite number above 0", c.Rate)
	case !(0 < c.Beta1 && c.Beta1 < 1):
		return fmt.Errorf("Beta1 is %v, want a number from 0 to below 1", c.Beta1)
	case !(c.Decay >= 0) || !finite(c.Decay):
		return fmt.Errorf("Decay is %v, want a finite number from 0", c.Decay)
	case !(c.Clip >= 0):
		return fmt.Errorf("Clip is %v, want a number from 0", c.Clip)
	case c.Patience < 0:
		return fmt.Errorf("Patience is %d, want 0 or more", c.Patience)
	case c.Patience > 0 && c.Validation == nil:
		return errors.New("Patience: Validation is nil")
	case c.Measure < 0:
		return fmt.Errorf("Measure is %d, want 0 or more", c.Measure)
	case o.Name == "":
		return errors.New("Optimizer has no Name")
	case o.Update == nil:
		return errors.New("Optimizer has no Update")
	case o.Slots < 0 || o.Slots > maxSlots:
		return fmt.Errorf("Optimizer.Slots is %d, want 0 to %d", o.Slots, maxSlots)
	}
	if err := cmp.Or(c.Metric.validate(), mustHaveSamples("train", train, c.Loss)); err != nil {
		return err
	}
	if c.Test != nil {
		err = mustBeMeasurable("Test", c.Test, net, c.Loss)
	}
	if c.Validation != nil {
		err = cmp.Or(err, mustBeMeasurable("Validation", c.Validation, net, c.Loss))
	}
	return err
}

// Train trains net on train and returns the history of all epochs, those of Config.Run
// included. It stops early, with an error, in four cases: ctx is done, which Train looks at
// before each batch; the loss of a batch is not finite, and the error names a number of the
// batch that is not; the loss or, at the end of an epoch, a weight or a running value is not
// finite, and the data are (*DivergedError); or OnEpoch returns an error.
//
// When Train returns, and when it calls OnEpoch, the network and Config.Run are in the
// state of the last finished epoch, so that both can be written to a file. With
// Config.Patience the network has the weights of the best epoch instead. After a
// finished epoch DW and DB are the gradients of its last step.
//
// Train moves the network's weights, biases and gains into memory of its own. A slice of
// the caller's that was a layer's W.Data keeps the weights from before. During an epoch
// only the functions in Config may use the network.
func Train(ctx context.Context, net Network, train Dataset, c Config) (History, error) {
	if ctx == nil {
		return nil, errors.New("ctx is nil")
	}
	t, err := newTrainer(net, train, c)
	if err != nil {
		return nil, err
	}
	defer t.forgetBatch()
	for n := len(t.run.History) + 1; n <= c.Epochs && !t.patienceIsOver(); n++ {
		e, err := t.trainEpoch(ctx, n)
		if err == nil && c.OnEpoch != nil {
			err = c.OnEpoch(e)
		}
		if err != nil {
			return t.run.History, err
		}
	}
	return t.run.History, nil
}

// A trainer is the state of one call of Train. Its vectors have the layout of parts.
type trainer struct {
	config Config
	net    Network
	parts  []part
	data   Dataset
	run    *Run // its slots are the running values

	weights     []float64           // the network's arrays are its parts
	last        []float64           // the weights of the last finished epoch
	lastRunning [maxSlots][]float64 // the running values then
	best        []float64           // the weights of the best epoch, if the run keeps the last epoch's beside them

	batch         Dataset   // the samples of this epoch
	sampleWeights []float64 // and their weights; nil if they have none
	order         []int     // of the samples in this epoch
	update        update
	updates       []weightUpdate // of each layer
	compact       compactLayer   // the first layer without the inputs that are always zero

	x, y, dy     Matrix
	batchWeights []float64
	rows         rowLoss
	before       []float64 // the weights before a step that is measured
	measuring    evaluation
}

func newTrainer(net Network, train Dataset, c Config) (*trainer, error) {
	if err := c.complete(net, train); err != nil {
		return nil, err
	}
	t := &trainer{config: c, net: net, parts: net.parts(), data: train, run: c.Run, order: make([]int, train.Len())}
	if net.hasNorm() && (c.Batch == 1 || t.stepsPerEpoch() == 0) {
		return nil, fmt.Errorf("Batch is %d and train has %d samples: Norm needs batches of two or more", c.Batch, train.Len())
	}
	if err := t.prepareRun(); err != nil {
		return nil, fmt.Errorf("Run: %w", err)
	}
	n := length(t.parts)
	t.weights, t.last, t.before = make([]float64, n), make([]float64, n), make([]float64, n)
	gather(t.parts, t.weights)
	gradient := make([]float64, n)
	for i := range t.parts {
		if p := &t.parts[i]; p.gradient != nil {
			*p.gradient = *p.of(gradient)
		}
	}
	if c.Patience > 0 || t.run.last != nil {
		t.best = slices.Clone(t.weights)
	}
	for s := range c.Optimizer.Slots {
		t.lastRunning[s] = make([]float64, n)
	}
	t.compact.layer = net[0]
	if t.mayCompact() {
		t.compact.inputs = liveInputs(train, &t.parts[0], t.run.slots)
	}
	t.update = update{c.Optimizer, &t.run.slots, c.Decay, OptimizerStep{N: len(t.run.History) * t.stepsPerEpoch(), Beta1: c.Beta1}}
	if c.Optimizer == Adam || c.Optimizer == AdamW {
		t.update.step.adam = new(adamFactors)
	}
	for _, p := range t.parts {
		if p.kind == partW {
			t.updates = append(t.updates, weightUpdate{&t.update, net[p.layer], p.offset, nil})
		}
	}
	return t, nil
}

// prepareRun begins the run, or checks that it can go on.
func (t *trainer) prepareRun() error {
	c, r := &t.config, t.run
	metric := c.Metric.Name
	if metric == Accuracy.Name {
		metric = ""
	}
	n := len(r.History)
	if n == 0 {
		*r = Run{Optimizer: c.Optimizer.Name, Metric: metric}
		for s := range c.Optimizer.Slots {
			r.slots[s] = make([]float64, length(t.parts))
		}
		return nil
	}
	switch err := r.fits(t.net, c.Optimizer); {
	case r.Metric != metric:
		return fmt.Errorf("its accuracies are by the metric %q, not %q", cmp.Or(r.Metric, Accuracy.Name), c.Metric.Name)
	case n > c.Epochs:
		return fmt.Errorf("%d epochs are trained already, Epochs is %d", n, c.Epochs)
	case err != nil:
		return err
	case c.Patience > 0 && r.last == nil:
		return errors.New("it was trained without Patience and has not kept its best weights")
	}
	return nil
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

// trainEpoch trains an epoch and adds it to the run. If the epoch cannot be finished, also if
// the data set, the loss or an activation panics, it leaves the network and the run as they
// were.
func (t *trainer) trainEpoch(ctx context.Context, n int) (e Epoch, err error) {
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

// beginEpoch gives the network the last epoch's weights, if it has the best, and keeps what
// undoEpoch restores. The caller may have changed the network after an epoch.
func (t *trainer) beginEpoch() {
	gather(t.parts, t.weights)
	if t.run.last != nil {
		copy(t.weights, t.run.last)
	}
	copy(t.last, t.weights)
	for s, running := range t.run.slots {
		copy(t.lastRunning[s], running)
	}
}

// undoEpoch restores what the network and the run were before the epoch.
func (t *trainer) undoEpoch() {
	t.expand()
	for s, running := range t.run.slots {
		copy(running, t.lastRunning[s])
	}
	if t.run.last != nil {
		copy(t.weights, t.best)
	} else {
		copy(t.weights, t.last)
	}
}

// isMeasured reports whether epoch n is measured on the training samples.
func (t *trainer) isMeasured(n int) bool {
	return n%t.config.Measure == 0 || n == t.config.Epochs
}

// finishEpoch adds e to the run. A run that was resumed has measured the epoch it had stopped
// after, as its last. If Measure leaves that epoch out now, finishEpoch blanks it, so that the
// history is that of a run that never stopped. With Patience it puts the best weights into
// the network and the last ones into the run.
func (t *trainer) finishEpoch(e Epoch) {
	if e.N > 1 && !t.isMeasured(e.N-1) {
		t.run.History = slices.Clone(t.run.History) // the caller may hold it
		before := &t.run.History[e.N-2]
		before.Loss, before.Metric = math.NaN(), math.NaN()
	}
	t.run.History = append(t.run.History, e)
	if t.run.last = nil; t.config.Patience > 0 {
		copy(t.last, t.weights)
		t.run.last = t.last
		if t.run.History.Best().N == e.N {
			copy(t.best, t.weights)
		}
		copy(t.weights, t.best)
	}
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
	e := Epoch{N: n, TestLoss: math.NaN(), TestMetric: math.NaN(), ValidationLoss: math.NaN()}
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
			t.expand()
		} else {
			t.contract()
		}
		index := t.order[b*t.config.Batch : min((b+1)*t.config.Batch, len(t.order))]
		loss, err := t.step(index, stats)
		if err != nil {
			return e, err
		}
		if !finite(loss) {
			return e, &DivergedError{n, b + 1, loss, fmt.Sprintf("the loss is %v", loss)}
		}
		rise.add(loss)
		if t.config.OnStep != nil {
			t.config.OnStep(t.update.step.N, loss, t.update.step.Rate)
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

// step is forward, loss, backward and update for one batch. It returns the loss before
// the update, and does not update if the loss is not finite. It returns an error if the
// batch is to blame. If stats is not nil, it receives what is measured of the gradients and
// the update.
func (t *trainer) step(index []int, stats []LayerStats) (float64, error) {
	c, step := &t.config, &t.update.step
	if err := t.readBatch(index); err != nil {
		return 0, err
	}
	for i, l := range t.net {
		l.drop.begin(l.Dropout, c.Seed, step.N, i)
	}
	y := t.net.forward(&t.x)
	loss := t.rows.of(c.Loss, &t.dy, y, &t.y, t.weightsOf(index))
	if !finite(loss) {
		return loss, t.validateBatch(index)
	}
	rate := c.Rate * c.Schedule(float64(step.N)/(float64(c.Epochs)*float64(t.stepsPerEpoch())))
	t.update.begin(rate)
	if c.Clip == 0 && stats == nil {
		t.net.backward(&t.dy, t.updates)
	} else {
		t.net.backward(&t.dy, nil)
		t.clip()
		if stats != nil {
			copy(t.before, t.weights)
		}
		for i, l := range t.net {
			t.updates[i].apply(l.DW.Data, l.W.Cols, 0, l.W.Rows, 0, l.W.Cols)
		}
	}
	for _, p := range t.parts {
		if p.kind == partB || p.kind == partGain {
			t.update.move(p.array.Data, p.gradient.Data, p.offset, 0)
		}
	}
	if stats != nil {
		t.measureUpdate(stats)
	}
	return loss, nil
}

// readBatch reads the samples of a batch into x and y.
func (t *trainer) readBatch(index []int) error {
	if t.compact.on {
		fixedBatch(t.data)(&t.x, &t.y, index, t.compact.inputs)
	} else {
		batch(t.batch, &t.x, &t.y, index)
	}
	if err := mustFitNetwork("train", &t.x, &t.y, t.net, t.config.Loss); err != nil {
		return err
	}
	if err := validateTargets(&t.y, t.config.Loss, index); err != nil {
		return fmt.Errorf("train: %w", err)
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

// clip scales the gradient down if its norm is larger than Clip.
func (t *trainer) clip() {
	if t.config.Clip == 0 {
		return
	}
	var gradients [][]float64
	for _, p := range t.parts {
		if p.gradient != nil {
			gradients = append(gradients, p.gradient.Data)
		}
	}
	if scale := t.config.Clip / norm(gradients...); scale < 1 {
		for _, g := range gradients {
			for i := range g {
				g[i] *= scale
			}
		}
	}
}

// A compactLayer takes the rows of inputs that are zero in every sample out of the weights of
// a network's first layer for some steps, which are faster without them. See liveInputs.
type compactLayer struct {
	layer  *Layer
	inputs []interval // the other inputs; nil if no input is always zero
	on     bool       // layer.W lacks rows. It is then up to date, and the weights in the trainer's vector are not.
	w      Matrix     // layer.W while on
	all    Matrix     // layer.W while not
}

// minCompactSteps is the fewest steps of an epoch for which it pays to copy the weights and
// to copy them back.
const minCompactSteps = 9

// mayCompact reports whether steps may leave out inputs: whether a weight stays as it is if its
// input is always zero, and whether no function of the caller's can look at the network
// meanwhile.
func (t *trainer) mayCompact() bool {
	c := &t.config
	known := slices.Contains([]*Optimizer{SGD, Momentum, Adam, AdamW}, c.Optimizer) && c.Loss.isOwn()
	for _, l := range t.net {
		known = known && slices.Contains([]*Activation{ReLU, Sigmoid, Tanh, Linear}, l.Act)
	}
	return known && c.Decay == 0 && c.Clip == 0 && c.OnStep == nil && t.stepsPerEpoch() >= minCompactSteps
}

// contract takes the rows of inputs that are always zero out of the first layer's weights.
func (t *trainer) contract() {
	c := &t.compact
	if c.inputs == nil || c.on {
		return
	}
	rows := indices(c.inputs)
	c.all = c.layer.W
	c.w.Reset(len(rows), c.all.Cols)
	for i, row := range rows {
		copy(c.w.Row(i), c.all.Row(row))
	}
	c.layer.W, c.on, t.updates[0].rows = c.w, true, rows
}

// expand brings the weights back to the trainer's vector.
func (t *trainer) expand() {
	c := &t.compact
	if !c.on {
		return
	}
	for i, row := range t.updates[0].rows {
		copy(c.all.Row(row), c.w.Row(i))
	}
	c.layer.W, c.on, t.updates[0].rows = c.all, false, nil
	c.layer.DW.Reset(c.all.Rows, c.all.Cols)
}

// validateBatch returns an error that names the first input of a batch that is not finite.
func (t *trainer) validateBatch(index []int) error {
	t.batch.Batch(&t.x, &t.y, index) // with all inputs
	if at := slices.IndexFunc(t.x.Data, func(v float64) bool { return !finite(v) }); at >= 0 {
		return fmt.Errorf("train: sample %d: column %d of its input is %v", index[at/t.x.Cols], at%t.x.Cols, t.x.Data[at])
	}
	return nil
}

// measure measures the network at the end of epoch e, after its last step.
func (t *trainer) measure(e *Epoch, lastStep int) error {
	c := &t.config
	n, of := t.data.Len(), "all"
	if !t.isMeasured(e.N) { // the activations are measured nevertheless
		n, of = min(evaluationRows, n), "the first"
	}
	e.Loss, e.Metric = t.measuring.measure(t.net, t.data, n, c.Loss, c.Metric, e.Layers)
	if !finite(e.Loss) {
		return &DivergedError{e.N, lastStep, e.Loss, fmt.Sprintf("the loss over %s samples is %v", of, e.Loss)}
	}
	if err := t.checkFinite(); err != nil {
		return &DivergedError{e.N, lastStep, e.Loss, err.Error()}
	}
	if !t.isMeasured(e.N) {
		e.Loss, e.Metric = math.NaN(), math.NaN()
	}
	if c.Test != nil {
		e.TestLoss, e.TestMetric = t.measuring.measure(t.net, c.Test, c.Test.Len(), c.Loss, c.Metric, nil)
	}
	if c.Validation != nil {
		e.ValidationLoss, _ = t.measuring.measure(t.net, c.Validation, c.Validation.Len(), c.Loss, c.Metric, nil)
		if !finite(e.ValidationLoss) && c.Patience > 0 {
			return &DivergedError{e.N, lastStep, e.ValidationLoss, fmt.Sprintf("the loss on Validation is %v", e.ValidationLoss)}
		}
	}
	return nil
}

// checkFinite returns an error if a weight or a running value is not finite.
func (t *trainer) checkFinite() error {
	m := Model{Net: t.net, Run: Run{Optimizer: t.run.Optimizer, slots: t.run.slots}}
	for _, a := range m.arrays() {
		if err := a.validate(); err != nil {
			return err
		}
	}
	return nil
}

// measureUpdate measures the gradient of each layer, and how far the update has moved its
// weights.
func (t *trainer) measureUpdate(stats []LayerStats) {
	for i := range t.parts {
		if p := &t.parts[i]; p.kind == partW {
			l := t.net[p.layer]
			stats[p.layer].measureUpdate(l, p.of(t.before).Data)
		}
	}
}
