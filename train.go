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
	Decay      float64    // of an L2 penalty, Decay/2·Σ W²; AdamW takes Rate·Decay·W from W instead
	Clip       float64    // the norm to which a larger gradient is scaled, before Decay; 0 is no limit
	Epochs     int        // how many epochs there shall be, those of Run included
	Batch      int        // samples per step; an epoch's last step takes what is left
	Seed       uint64     // of the order of the samples, and of what Layer.Dropout drops
	InOrder    bool       // take the samples in the data set's order, not in a new one each epoch
	Metric     *Metric    // what to measure beside the loss; nil is Accuracy
	Test       Dataset    // what to measure on beside the training samples; may be nil
	Validation Dataset    // samples that are not trained on, for Patience; may be nil
	Measure    int        // measure on the training samples every Measure epochs and after the last; 0 is 1

	// Patience stops the training when so many epochs have not lowered the loss on Validation,
	// and keeps the best epoch's weights. 0 trains all epochs and keeps the last weights.
	Patience int

	// Run, if it is not nil, is how far the training has come. Train goes on from there,
	// exactly as if it had never stopped if all else in Config is as it was, and updates
	// Run at the end of each epoch.
	Run *Run

	// OnStep, if it is not nil, is called after each step with the number of the step in the
	// run, from 1, the loss of its batch before the step, and the learning rate.
	OnStep func(n int, loss, rate float64)

	// OnEpoch, if it is not nil, is called after each epoch. If it returns an error, the
	// training stops and returns that error.
	OnEpoch func(Epoch) error
}

// completeStep replaces zero values of what a step depends on by their defaults, and returns an
// error that names what is wrong with a field or the network.
func (c *Config) completeStep(net Network) error {
	if err := net.validate(); err != nil {
		return err
	}
	var err error
	c.Loss, err = lossFor(net, c.Loss)
	c.Optimizer, c.Beta1 = cmp.Or(c.Optimizer, SGD), cmp.Or(c.Beta1, 0.9)
	switch o := c.Optimizer; {
	case net[len(net)-1].Dropout > 0:
		return errors.New("the last layer has Dropout, which would drop answers")
	case err != nil:
		return err
	case net.lowest() == len(net):
		return errors.New("all layers are Frozen: there is nothing to train")
	case !(c.Rate > 0) || !finite(c.Rate):
		return fmt.Errorf("Rate is %v, want a finite number above 0", c.Rate)
	case !(0 < c.Beta1 && c.Beta1 < 1):
		return fmt.Errorf("Beta1 is %v, want a number from 0 to below 1", c.Beta1)
	case !(c.Decay >= 0) || !finite(c.Decay):
		return fmt.Errorf("Decay is %v, want a finite number from 0", c.Decay)
	case !(c.Clip >= 0):
		return fmt.Errorf("Clip is %v, want a number from 0", c.Clip)
	case o.Name == "":
		return errors.New("Optimizer has no Name")
	case o.Update == nil:
		return errors.New("Optimizer has no Update")
	case o.Slots < 0 || o.Slots > maxSlots:
		return fmt.Errorf("Optimizer.Slots is %d, want 0 to %d", o.Slots, maxSlots)
	}
	return nil
}

// complete is completeStep for all fields, and looks at the samples too.
func (c *Config) complete(net Network, train Dataset) error {
	if err := c.completeStep(net); err != nil {
		return err
	}
	c.Metric, c.Measure = cmp.Or(c.Metric, Accuracy), cmp.Or(c.Measure, 1)
	if c.Schedule == nil {
		c.Schedule = Constant
	}
	if c.Run == nil {
		c.Run = new(Run)
	}
	switch {
	case c.Epochs < 1:
		return fmt.Errorf("Epochs is %d, want 1 or more", c.Epochs)
	case c.Batch < 1:
		return fmt.Errorf("Batch is %d, want 1 or more", c.Batch)
	case c.Patience < 0:
		return fmt.Errorf("Patience is %d, want 0 or more", c.Patience)
	case c.Patience > 0 && c.Validation == nil:
		return errors.New("Patience: Validation is nil")
	case c.Measure < 0:
		return fmt.Errorf("Measure is %d, want 0 or more", c.Measure)
	}
	err := cmp.Or(c.Metric.validate(), validateData("train", train, c.Loss))
	if err == nil && c.Test != nil {
		err = validateMeasured("Test", c.Test, net, c.Loss)
	}
	if err == nil && c.Validation != nil {
		err = validateMeasured("Validation", c.Validation, net, c.Loss)
	}
	return err
}

// Train trains net on train and returns the history of all epochs, those of Config.Run
// included. It stops early, with an error, if ctx is done before a batch, if OnEpoch returns
// an error, if a batch has a number that is not finite, or if the loss or, at the end of an
// epoch, a weight or a running value is not finite, which is a [DivergedError].
//
// When Train returns, and when it calls OnEpoch, the network and Config.Run are in the
// state of the last finished epoch, so that both can be written to a file. With
// Config.Patience the network has the weights of the best epoch instead. After a
// finished epoch DW and DB are the gradients of its last step.
//
// Train moves all arrays of the network and its gradients into memory of its own: a slice of
// the caller's that was a layer's W.Data keeps the weights from before. During an epoch only
// the functions in Config may use the network.
func Train(ctx context.Context, net Network, train Dataset, c Config) (History, error) {
	t, err := newTrainer(net, train, c)
	if err != nil {
		return nil, err
	}
	err = trainAll(ctx, []*trainer{t}, func(int) error {
		if c.OnEpoch == nil {
			return nil
		}
		return c.OnEpoch(t.run.History[len(t.run.History)-1])
	})
	return t.run.History, err
}

// Fit trains net as Train does, on raw samples, and returns a model that takes raw rows. It
// standardizes the inputs by train.X. If c.Loss is SquaredError or Huber, the targets are numbers,
// named y1, y2 and so on, which Fit standardizes by train.Y, and Model.Predict answers in their
// units; the losses in the history are of the standardized ones. If c.Loss is SigmoidCrossEntropy,
// they are two or more labels, no or yes. Any other loss is taken as one of classes. c.Test and
// c.Validation must be nil or raw Samples. Fit changes no samples. After an error that is Train's
// the model is that of the last finished epoch.
func Fit(ctx context.Context, net Network, train Samples, c Config) (*Model, error) {
	if err := c.completeStep(net); err != nil {
		return nil, err
	}
	err := validateMeasured("train", train, net, c.Loss)
	if err == nil {
		err = validateInputs("train", train.X, nil)
	}
	if err != nil {
		return nil, err
	}
	m, targets := &Model{Net: net, Input: FitStandardization(train.X)}, Standardization{}
	if c.Loss.isOneOf(SquaredError, Huber(1)) {
		targets = FitStandardization(train.Y)
		for j := range targets.Mean {
			m.Targets = append(m.Targets, Column{Name: fmt.Sprint("y", j+1), Mean: targets.Mean[j : j+1], Std: targets.Std[j : j+1]})
		}
	} else if c.Loss.isOneOf(SigmoidCrossEntropy) {
		if train.Y.Cols == 1 {
			return nil, errors.New("train: a single label: make it two classes, with two outputs and a nil Loss")
		}
		for j := range train.Y.Cols {
			m.Targets = append(m.Targets, Column{Name: fmt.Sprint("y", j+1), Values: []string{"no", "yes"}})
		}
	}
	infinite := func(v float64) bool { return !finite(v) }
	if slices.ContainsFunc(slices.Concat(m.Input.Mean, m.Input.Std, targets.Mean, targets.Std), infinite) {
		return nil, errors.New("train: numbers are too large for a mean and a deviation")
	}
	standardized := func(raw Samples) Samples {
		return Samples{m.Input.Apply(new(Matrix), raw.X), targets.Apply(new(Matrix), raw.Y)}
	}
	for i, data := range []*Dataset{&c.Test, &c.Validation} {
		if *data == nil {
			continue
		}
		name := []string{"Test", "Validation"}[i]
		raw, ok := (*data).(Samples)
		if !ok {
			return nil, fmt.Errorf("%s is a %T, want Samples", name, *data)
		}
		if err := validateMeasured(name, raw, net, c.Loss); err != nil {
			return nil, err
		}
		*data = standardized(raw)
	}
	c.Run = cmp.Or(c.Run, new(Run))
	_, err = Train(ctx, net, standardized(train), c)
	m.Run = *c.Run
	return m, err
}

// Train trains the networks of m epoch by epoch, several at the same time, as the function
// Train does: network i on what data returns for it, with its own run and a seed of its own. data
// may change the Config of a network, for example its Validation. OnEpoch is called when all
// networks have trained an epoch, with what History returns for it. Only Net keeps statistics of
// its layers. An epoch that cannot be
// finished by one network is undone for all. With Patience a network is trained no further when
// the patience with it is over; its run then has its best epoch once more for each epoch of the
// others. The result does not depend on how many are trained at the same time.
func (m *Model) Train(ctx context.Context, c Config, data func(i int, c *Config) (Dataset, error)) error {
	var all []*trainer
	for i, member := range m.members() {
		own := c
		own.Run, own.Seed = member.Run, MemberSeed(c.Seed, i)
		samples, err := data(i, &own)
		if err != nil {
			return err
		}
		t, err := newTrainer(member.Net, samples, own)
		if err != nil {
			return memberError(i, 1+len(m.Others), err)
		}
		if len(t.run.History) != len(m.Run.History) {
			return fmt.Errorf("network %d has had %d epochs, network 1 %d", i+1, len(t.run.History), len(m.Run.History))
		}
		t.isQuiet = i > 0
		all = append(all, t)
	}
	return trainAll(ctx, all, func(n int) error {
		if c.OnEpoch == nil {
			return nil
		}
		return c.OnEpoch(m.epoch(n))
	})
}

// MemberSeed returns the seed of network i of an ensemble: that of network 0 is seed itself.
func MemberSeed(seed uint64, i int) uint64 { return seed + uint64(i)<<32 }

// memberError says which of so many networks an error is about, if there are more than one.
func memberError(i, of int, err error) error {
	if of == 1 || err == nil {
		return err
	}
	return fmt.Errorf("network %d: %w", i+1, err)
}

// trainAll trains epochs until there are as many as there shall be, or until no trainer has
// patience any more, and calls onEpoch after each with its number.
func trainAll(ctx context.Context, all []*trainer, onEpoch func(n int) error) error {
	if ctx == nil {
		return errors.New("ctx is nil")
	}
	defer func() {
		for _, t := range all {
			for _, l := range t.net { // x is the trainer's, and the trainer has the data sets
				l.x = nil
			}
		}
	}()
	idle := make(chan *evaluation, len(all))
	for _, t := range all {
		t.idle = idle
	}
	first := all[0]
	for n := len(first.run.History) + 1; n <= first.config.Epochs && slices.ContainsFunc(all, (*trainer).hasPatience); n++ {
		err := trainEpoch(ctx, all, n)
		if err == nil {
			err = onEpoch(n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// trainEpoch trains epoch n of all networks with which there is patience, and adds it to their
// runs; the runs of the others get their best epoch once more. If one cannot finish the epoch,
// also if a data set, a loss or an activation panics, trainEpoch leaves all networks and runs as
// they were.
func trainEpoch(ctx context.Context, all []*trainer, n int) error {
	var active []int
	for i, t := range all {
		if t.hasPatience() {
			active = append(active, i)
			t.keep()
		}
	}
	for _, i := range active {
		all[i].pace.loops, all[i].reading.loops = len(active), len(active)
	}
	finished := false
	defer func() {
		for _, i := range active {
			if !finished {
				all[i].undo()
			}
		}
	}()
	epochs, errs := make([]Epoch, len(all)), make([]error, len(all))
	together(len(active), func(k int) {
		i := active[k]
		epochs[i], errs[i] = all[i].epoch(ctx, n)
		errs[i] = memberError(i, len(all), errs[i])
	})
	if err := cmp.Or(errs...); err != nil {
		return err
	}
	for i, t := range all {
		if slices.Contains(active, i) {
			t.finish(epochs[i])
			continue
		}
		again := t.run.History.Best()
		again.N, again.First = n, nil
		t.run.History = append(t.run.History, again)
	}
	finished = true
	return nil
}

// A Stepper takes the steps of gradient descent in a loop of one's own. Train is such a loop.
//
// Step is a whole step for a loss of outputs and targets. If the gradient comes from somewhere
// else, from another network or a reward, a step is net.Forward, net.Backward and Move. The
// network may be used in any way between two steps.
type Stepper struct {
	Rate float64 // the learning rate of the next step, at first Config.Rate

	config   Config
	net      Network
	parts    []part
	gradient []float64 // DW, DB and DGain are its parts
	update   update
	updates  []weightUpdate // of each layer
	before   []float64      // of one layer, the weights before a step that is measured
	pace     pace
	dy       Matrix
}

// NewStepper returns a Stepper of net. It takes Loss, Optimizer, Rate, Beta1, Decay, Clip and
// Seed, which is of Dropout, from c. An error names what is wrong with one of them or with net.
func NewStepper(net Network, c Config) (*Stepper, error) {
	if err := c.completeStep(net); err != nil {
		return nil, err
	}
	s := &Stepper{Rate: c.Rate, config: c, net: net, parts: net.parts()}
	var slots [maxSlots][]float64
	for i := range c.Optimizer.Slots {
		slots[i] = make([]float64, length(s.parts))
	}
	s.prepare(&slots, 0)
	return s, nil
}

// prepare makes ready for step n+1, with the optimizer's running values in slots.
func (s *Stepper) prepare(slots *[maxSlots][]float64, n int) {
	c := &s.config
	s.gradient = make([]float64, length(s.parts))
	step := OptimizerStep{N: n, Beta1: c.Beta1}
	if c.Optimizer == Adam || c.Optimizer == AdamW {
		step.adam = new(adamFactors)
	}
	s.update = update{c.Optimizer, slots, c.Decay, step}
	for _, p := range s.parts {
		if p.kind == partW {
			s.updates = append(s.updates, weightUpdate{&s.update, p, nil})
		}
	}
}

// attach makes the gradients of the layers parts of the vector.
func (s *Stepper) attach() {
	for _, p := range s.parts {
		if p.gradient != nil {
			*p.gradient = *p.of(s.gradient)
		}
	}
}

// Step moves the network by one step for the samples x, n×in, with the targets want, and
// returns their loss before it. If that is not finite, nothing moves, and the error names the
// input that is not finite or is a [DivergedError] of epoch 1, with the step as its batch.
func (s *Stepper) Step(x, want *Matrix) (loss float64, err error) {
	x.mustBeFilled("Step")
	want.mustBeFilled("Step")
	err = cmp.Or(validateWidths("Step", x, want, s.net, s.config.Loss), validateTargets("Step", want, s.config.Loss, nil))
	if err != nil {
		return math.NaN(), err
	}
	s.attach()
	threads := s.pace.begin()
	defer func() { s.pace.end(x.Rows) }()
	loss = callLoss(s.config.Loss, &s.dy, s.forward(threads, x), want)
	if finite(loss) {
		s.descend(threads, &s.dy, nil)
	} else if err = validateInputs("Step", x, nil); err == nil {
		err = &DivergedError{1, s.update.step.N + 1, loss, fmt.Sprintf("the loss is %v", loss)}
	}
	return loss, err
}

// Move moves the network by the gradient in DW, DB and DGain of its layers, which the
// network's Backward has computed, and which the caller may have changed. It panics if there
// was no Backward.
func (s *Stepper) Move() {
	for _, p := range s.parts {
		switch {
		case p.gradient == nil || s.net[p.layer].Frozen:
		case p.gradient.Rows != p.rows || p.gradient.Cols != p.cols:
			panic("mlp: Stepper.Move: there was no Backward")
		default:
			copy(p.of(s.gradient).Data, p.gradient.Data)
		}
	}
	s.attach()
	s.begin()
	s.move(nil)
}

// forward is the network's, with what this step drops.
func (s *Stepper) forward(threads int, x *Matrix) *Matrix {
	for i, l := range s.net {
		l.drop.begin(l.Dropout, s.config.Seed, s.update.step.N, i)
	}
	return s.net.forward(threads, x)
}

// descend is the step for dy, the gradient by what forward returned. If stats is not nil, it
// measures the layers.
func (s *Stepper) descend(threads int, dy *Matrix, stats []LayerStats) {
	s.begin()
	lowest := s.net.lowest()
	if s.config.Clip > 0 || stats != nil {
		s.net.backward(threads, dy, nil, lowest)
		s.move(stats)
		return
	}
	s.net.backward(threads, dy, s.updates, lowest)
	s.moveRows()
}

// begin begins the next step.
func (s *Stepper) begin() {
	step := &s.update.step
	step.Rate = s.Rate
	step.N++
	if step.adam != nil {
		*step.adam = newAdamFactors(step.N, step.Beta1, step.Rate)
	}
}

// move moves the network by the whole gradient.
func (s *Stepper) move(stats []LayerStats) {
	s.clip()
	for i, l := range s.net {
		if stats != nil {
			stats[i].measureActivations(l.Act, &l.a)
		}
		if l.Frozen {
			continue
		}
		if stats != nil {
			s.before = append(s.before[:0], l.W.Data...)
		}
		s.updates[i].apply(l.DW.Data, l.W.Cols, 0, l.W.Rows, 0, l.W.Cols)
		if stats != nil {
			stats[i].measureUpdate(l, s.before)
		}
	}
	s.moveRows()
}

// moveRows moves the biases and gains.
func (s *Stepper) moveRows() {
	for _, p := range s.parts {
		if (p.kind == partB || p.kind == partGain) && !s.net[p.layer].Frozen {
			s.update.move(p.array.Data, p.gradient.Data, p.offset, 0)
		}
	}
	s.net[0].hasDz = false // the gradient by the input would be by the new W
}

// clip scales the gradient down if its norm is larger than Clip.
func (s *Stepper) clip() {
	if s.config.Clip == 0 {
		return
	}
	squares := 0.0
	for _, p := range s.parts {
		if s.net[p.layer].Frozen {
			clear(p.of(s.gradient).Data) // of an earlier step, before it was frozen
		}
		_, more := absAndSquares(p.of(s.gradient).Data)
		squares += more
	}
	if scale := s.config.Clip / rootOfSquares(squares, s.gradient); scale < 1 {
		for i := range s.gradient {
			s.gradient[i] *= scale
		}
	}
}

// A trainer is the state of one call of Train. Its vectors have the layout of parts.
type trainer struct {
	Stepper
	data    Dataset
	run     *Run // its slots are the running values
	isQuiet bool // it keeps no statistics of layers
	reading pace // of evaluations

	weights     []float64           // the network's arrays are its parts
	last        []float64           // the weights of the last finished epoch
	lastRunning [maxSlots][]float64 // the running values then
	best        []float64           // the weights of the best epoch, if there is or was Patience

	batch         Dataset   // the samples of this epoch
	sampleWeights []float64 // and their weights; nil if they have none
	x, y          Matrix    // of a batch
	batchWeights  []float64 // empty if the samples have none
	rows          rowLoss
	compact       compactLayer // the first layer without the inputs that are always zero

	// The storage of evaluations that are over. The trainers of an ensemble share it, because
	// only those that measure at the same time need storage each.
	idle chan *evaluation
}

func newTrainer(net Network, train Dataset, c Config) (*trainer, error) {
	if err := c.complete(net, train); err != nil {
		return nil, err
	}
	t := &trainer{Stepper: Stepper{config: c, net: net, parts: net.parts()}, data: train, run: c.Run}
	if net.hasNorm() && (c.Batch == 1 || t.stepsPerEpoch() == 0) {
		return nil, fmt.Errorf("Batch is %d and train has %d samples: Norm needs batches of two or more",
			c.Batch, train.Len())
	}
	if err := t.prepareRun(); err != nil {
		return nil, fmt.Errorf("Run: %w", err)
	}
	vector := func() []float64 { return make([]float64, length(t.parts)) }
	t.weights, t.last = vector(), vector()
	for s := range c.Optimizer.Slots {
		t.lastRunning[s] = vector()
	}
	gather(t.parts, t.weights)
	if c.Patience > 0 || t.run.last != nil {
		t.best = slices.Clone(t.weights)
	}
	t.prepare(&t.run.slots, len(t.run.History)*t.stepsPerEpoch())
	t.updates[0].compact = &t.compact
	if t.mayCompact() {
		t.compact.find(train, &t.parts[0], t.run.slots)
	}
	return t, nil
}

// prepareRun begins the run, or returns an error if it cannot go on.
func (t *trainer) prepareRun() error {
	c, r, n := &t.config, t.run, len(t.run.History)
	o, metric := c.Optimizer, c.Metric.Name
	if metric == Accuracy.Name {
		metric = ""
	}
	if n == 0 {
		*r = Run{Optimizer: o.Name, Metric: metric}
		for s := range o.Slots {
			r.slots[s] = make([]float64, length(t.parts))
		}
		return nil
	}
	switch err := r.validate(t.net); {
	case r.Metric != metric:
		return fmt.Errorf("its accuracies are by the metric %q, not %q",
			cmp.Or(r.Metric, Accuracy.Name), c.Metric.Name)
	case n > c.Epochs:
		return fmt.Errorf("%d epochs are trained already, Epochs is %d", n, c.Epochs)
	case err != nil:
		return err
	case r.Optimizer != "" && r.Optimizer != o.Name: // files of earlier versions do not name it
		return fmt.Errorf("its %d epochs were trained by the optimizer %q, not %q", n, r.Optimizer, o.Name)
	case c.Patience > 0 && r.last == nil:
		return errors.New("it was trained without Patience and has not kept its best weights")
	}
	for s, running := range r.slots {
		if kept := running != nil; kept != (s < o.Slots) {
			return fmt.Errorf("it has running values in slot %d: %t, for %s want %t", s+1, kept, o.Name, !kept)
		}
	}
	return nil
}

// stepsPerEpoch leaves out a last batch of one sample if a layer has Norm.
func (t *trainer) stepsPerEpoch() int {
	n, batch := t.data.Len(), t.config.Batch
	if t.net.hasNorm() && n%batch == 1 {
		return n / batch
	}
	return (n-1)/batch + 1
}

// hasPatience reports whether not too many epochs have passed since the best.
func (t *trainer) hasPatience() bool {
	h := t.run.History
	return t.config.Patience == 0 || len(h) == 0 || len(h)-h.Best().N < t.config.Patience
}

// keep prepares an epoch, and keeps what undo needs.
func (t *trainer) keep() {
	gather(t.parts, t.weights) // the caller may have changed the network since
	t.attach()
	if t.run.last != nil {
		copy(t.weights, t.run.last) // and not the best weights, which the network has
	}
	copy(t.last, t.weights)
	for s, running := range t.run.slots {
		copy(t.lastRunning[s], running)
	}
}

// undo leaves the network and the run as they were before keep.
func (t *trainer) undo() {
	t.expand()
	copy(t.weights, t.last)
	if t.run.last != nil {
		copy(t.weights, t.best)
	}
	for s, running := range t.run.slots {
		copy(running, t.lastRunning[s])
	}
}

// isMeasured reports whether epoch n is measured on the training samples.
func (t *trainer) isMeasured(n int) bool {
	return n%t.config.Measure == 0 || n == t.config.Epochs
}

// finish adds e to the run. If the run was stopped after the epoch before, and has
// measured that as its last although Measure leaves it out, finish blanks it, as if the
// run had never stopped. With Patience the network gets the best weights, and the run the last.
func (t *trainer) finish(e Epoch) {
	if e.N > 1 && !t.isMeasured(e.N-1) {
		t.run.History = slices.Clone(t.run.History) // the caller may hold it
		before := &t.run.History[e.N-2]
		before.Loss, before.Metric = math.NaN(), math.NaN()
	}
	t.run.History = append(t.run.History, e)
	t.run.threads = t.pace.used.and(t.reading.used)
	if t.run.last = nil; t.config.Patience > 0 {
		copy(t.last, t.weights)
		t.run.last = t.last
		if t.run.History.Best().N == e.N {
			copy(t.best, t.weights)
		}
		copy(t.weights, t.best)
	}
}

// epoch takes one step for each batch and then measures the network.
func (t *trainer) epoch(ctx context.Context, n int) (Epoch, error) {
	e := Epoch{N: n, Loss: math.NaN(), Metric: math.NaN(), TestLoss: math.NaN(), TestMetric: math.NaN(), ValidationLoss: math.NaN()}
	order := shuffle(make([]int, t.data.Len()), t.config.Seed, n, t.config.InOrder)
	t.batch, t.sampleWeights = epochOf(t.data, n)
	steps := t.stepsPerEpoch()
	losses := make([]float64, 0, steps)
	for index := range slices.Chunk(order[:min(len(order), steps*t.config.Batch)], t.config.Batch) {
		if ctx.Err() != nil {
			return e, context.Cause(ctx)
		}
		firstOfRun := n == 1 && len(losses) == 0
		var stats []LayerStats
		if firstOfRun || len(losses) == steps-1 {
			t.expand()
			if !t.isQuiet {
				stats = make([]LayerStats, len(t.net))
			}
		} else {
			t.contract()
		}
		loss, err := t.step(index, stats)
		if err != nil {
			return e, err
		}
		losses = append(losses, loss)
		if !finite(loss) {
			return e, &DivergedError{n, len(losses), loss, fmt.Sprintf("the loss is %v", loss)}
		}
		if t.config.OnStep != nil {
			t.config.OnStep(t.update.step.N, loss, t.update.step.Rate)
		}
		if firstOfRun {
			e.First = slices.Clone(stats)
		}
		e.Layers = stats
	}
	e.LossRise = lossRise(losses)
	err := t.measure(&e, steps)
	return e, err
}

// step is forward, loss, backward and update for one batch. It returns the loss before the
// update. If the loss is not finite, there is no update, and an error if the batch is to
// blame. If stats is not nil, the layers are measured.
func (t *trainer) step(index []int, stats []LayerStats) (float64, error) {
	c := &t.config
	threads := t.pace.begin()
	defer t.pace.end(len(index))
	if err := t.readBatch(threads, index); err != nil {
		return 0, err
	}
	y := t.forward(threads, &t.x)
	loss := t.rows.of(c.Loss, &t.dy, y, &t.y, t.batchWeights)
	if !finite(loss) {
		t.batch.Batch(&t.x, &t.y, index) // with all inputs
		return loss, validateInputs("train", &t.x, index)
	}
	t.Rate = c.Rate * c.Schedule(float64(t.update.step.N)/(float64(c.Epochs)*float64(t.stepsPerEpoch())))
	t.descend(threads, &t.dy, stats)
	return loss, nil
}

// readBatch reads the samples of a batch into x and y, and their weights into batchWeights.
func (t *trainer) readBatch(threads int, index []int) error {
	if t.compact.on {
		t.compact.batch(threads, &t.x, &t.y, index, t.compact.inputs)
	} else {
		batch(threads, t.batch, &t.x, &t.y, index)
	}
	t.batchWeights = t.batchWeights[:0]
	if t.sampleWeights != nil {
		for _, k := range index {
			t.batchWeights = append(t.batchWeights, t.sampleWeights[k])
		}
	}
	return cmp.Or(validateWidths("train", &t.x, &t.y, t.net, t.config.Loss),
		validateTargets("train", &t.y, t.config.Loss, index))
}

// measure measures the network at the end of epoch e, after its last step.
func (t *trainer) measure(e *Epoch, lastStep int) error {
	c := &t.config
	m := &Model{Net: t.net, Run: Run{Optimizer: c.Optimizer.Name, slots: t.run.slots}}
	var measuring *evaluation
	select {
	case measuring = <-t.idle:
	default:
		measuring = new(evaluation)
	}
	defer func() {
		select {
		case t.idle <- measuring:
		default: // a trainer by itself has no place for it
		}
	}()
	diverged := func(loss float64, reason string) error {
		return &DivergedError{e.N, lastStep, loss, reason}
	}
	n, of := t.data.Len(), "all"
	if !t.isMeasured(e.N) { // the activations are measured nevertheless
		n, of = min(evaluationRows, n), "the first"
	}
	if t.isMeasured(e.N) || !t.isQuiet {
		e.Loss, e.Metric = measuring.measure(&t.reading, m, t.data, n, c.Loss, c.Metric, e.Layers)
		if !finite(e.Loss) {
			return diverged(e.Loss, fmt.Sprintf("the loss over %s samples is %v", of, e.Loss))
		}
	}
	for _, a := range m.arrays() {
		if err := a.validate(); err != nil {
			return diverged(e.Loss, err.Error())
		}
	}
	if !t.isMeasured(e.N) {
		e.Loss, e.Metric = math.NaN(), math.NaN()
	}
	if c.Test != nil {
		e.TestLoss, e.TestMetric = measuring.measure(&t.reading, m, c.Test, c.Test.Len(), c.Loss, c.Metric, nil)
	}
	if v := c.Validation; v != nil {
		e.ValidationLoss, _ = measuring.measure(&t.reading, m, v, v.Len(), c.Loss, c.Metric, nil)
		if !finite(e.ValidationLoss) && c.Patience > 0 {
			return diverged(e.ValidationLoss, fmt.Sprintf("the loss on Validation is %v", e.ValidationLoss))
		}
	}
	return nil
}

// A compactLayer is the first layer without the inputs that are zero in every sample: steps
// are faster without them. In MNIST, 67 of the 784 pixels are always black, and standardized
// they are zeros.
//
// If w is finite, adding 0·w changes nothing of a sum but the sign of a zero. An optimizer
// of this package does not move a weight if its gradient is zero in every step, its running
// values are zero and there is no decay. So a step computes the same without the zeros and
// their weights.
type compactLayer struct {
	batch  func(threads int, x, y *Matrix, index []int, inputs []interval) // Batch of some inputs
	inputs []interval                                                      // that stay
	rows   []int                                                           // the same, one by one; nil if none is left out

	on     bool   // the layer's W is w, and the weights in the trainer's vector are out of date
	w, all Matrix // the layer's W while on, and while not
}

// mayCompact reports whether steps may leave out inputs: a weight stays as it is if its input
// is always zero, no function of the caller's can look at the network meanwhile, and an epoch
// has so many steps that it pays to copy the weights and to copy them back.
func (t *trainer) mayCompact() bool {
	const minSteps = 9
	c := &t.config
	known := slices.Contains([]*Optimizer{SGD, Momentum, Adam, AdamW}, c.Optimizer) && c.Loss.isOwn()
	for _, l := range t.net {
		known = known && slices.Contains([]*Activation{ReLU, Sigmoid, Tanh, Linear}, l.Act)
	}
	return known && c.Decay == 0 && c.Clip == 0 && c.OnStep == nil && t.stepsPerEpoch() >= minSteps
}

// find sets batch, inputs and rows, unless all inputs must stay: those that are not zero in
// some sample, those whose weights, the part w of the vectors in running, have a running value
// that is not zero, and all inputs of data of a type whose samples may change.
func (c *compactLayer) find(data Dataset, w *part, running [maxSlots][]float64) {
	switch d := data.(type) {
	case Samples:
		c.batch = d.batch
	case WeightedSamples:
		c.batch = d.batch
	case *MNIST:
		c.batch = func(threads int, x, y *Matrix, index []int, inputs []interval) {
			d.batch(threads, x, y, index, nil, inputs)
		}
	default:
		return
	}
	live := make([]bool, w.rows)
	for _, vector := range running {
		for i := range live {
			nonzero := func(v float64) bool { return v != 0 }
			live[i] = live[i] || vector != nil && slices.ContainsFunc(w.of(vector).Row(i), nonzero)
		}
	}
	var x, y Matrix
	for index := range slices.Chunk(shuffle(make([]int, data.Len()), 0, 0, true), evaluationRows) {
		data.Batch(&x, &y, index)
		for i := range x.Rows {
			for j, v := range x.Row(i) {
				live[j] = live[j] || v != 0
			}
		}
		if !slices.Contains(live, false) {
			return
		}
	}
	for i := range live {
		if !live[i] {
			continue
		}
		c.rows = append(c.rows, i)
		if last := len(c.inputs) - 1; last >= 0 && c.inputs[last].hi == i {
			c.inputs[last].hi++
		} else {
			c.inputs = append(c.inputs, interval{i, i + 1})
		}
	}
}

// contract takes the rows of inputs that are always zero out of the first layer's weights.
func (t *trainer) contract() {
	c, w := &t.compact, &t.net[0].W
	if c.rows == nil || c.on {
		return
	}
	c.all = *w
	c.w.Reset(len(c.rows), w.Cols)
	for i, row := range c.rows {
		copy(c.w.Row(i), c.all.Row(row))
	}
	*w, c.on = c.w, true
}

// expand brings the weights back to the trainer's vector.
func (t *trainer) expand() {
	c := &t.compact
	if !c.on {
		return
	}
	for i, row := range c.rows {
		copy(c.all.Row(row), c.w.Row(i))
	}
	t.net[0].W, c.on = c.all, false
	t.net[0].DW.Reset(c.all.Rows, c.all.Cols)
}
