// What Train can be told: the fields of Config, their defaults, and what is refused. Not
// here: what Train does with it (train.go).

package mlp

import (
	"cmp"
	"errors"
	"fmt"
)

// Config says how Train trains.
type Config struct {
	Loss      Loss       // nil is SoftmaxCrossEntropy, which needs two or more outputs
	Optimizer *Optimizer // nil is SGD
	Rate      float64    // the learning rate
	Schedule  Schedule   // of the rate; nil is Constant
	Beta1     float64    // the decay of Momentum's and Adam's first running value, below 1; 0 is 0.9
	Decay     float64    // of an L2 penalty Decay/2·Σ W²: adds its gradient, Decay·W, to that of the weights; AdamW takes Rate·Decay·W from the weights instead
	Clip      float64    // if the norm of the loss's gradient over all layers exceeds Clip, the gradient is scaled to that norm before Decay is added; 0 never does
	Epochs    int        // how many epochs there shall be, those of Run included
	Batch     int        // samples per step; an epoch's last step takes what is left, but not a single sample if a layer has Norm
	Seed      uint64     // of the order of the samples, and of what Layer.Dropout drops
	InOrder   bool       // take the samples in the order of the data set, not in a new order each epoch
	Metric    *Metric    // what is measured beside the loss, as Epoch.Accuracy and TestAccuracy; nil is Accuracy
	Test      Dataset    // what to measure on beside the training samples; may be nil
	Held      Dataset    // samples held out, not trained on, that Patience looks at; may be nil
	Patience  int        // stop when so many epochs have not lowered the loss on Held; 0 never does
	Measure   int        // measure the loss and the metric on the training samples after each epoch whose number is a multiple of Measure, and after the last; 0 is 1

	// Run, if it is not nil, is how far the training has come. Train goes on from there,
	// exactly as if it had never stopped if all else in Config is as it was, and updates
	// Run at the end of each epoch. A Model takes it to a file.
	Run *Run

	// OnStep, if it is not nil, is called after each step with the number of the step in
	// the run, from 1, the loss of its batch before the step, and the learning rate.
	OnStep func(n int, loss, rate float64)

	// OnEpoch, if it is not nil, is called with each epoch when it is over. If it
	// returns an error, the training stops and returns that error.
	OnEpoch func(Epoch) error
}

// complete replaces zero values by their defaults, and returns an error that names a
// field whose value is wrong.
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
	case c.Patience < 0:
		return fmt.Errorf("Patience is %d, want 0 or more", c.Patience)
	case c.Measure < 0:
		return fmt.Errorf("Measure is %d, want 0 or more", c.Measure)
	}
	if c.Optimizer == nil {
		c.Optimizer = SGD
	}
	switch o := c.Optimizer; {
	case o.Name == "":
		return errors.New("Optimizer has no Name")
	case o.Update == nil:
		return errors.New("Optimizer has no Update")
	case o.Slots < 0 || o.Slots > maxSlots:
		return fmt.Errorf("Optimizer.Slots is %d, want 0 to %d", o.Slots, maxSlots)
	}
	if c.Schedule == nil {
		c.Schedule = Constant
	}
	if c.Beta1 == 0 {
		c.Beta1 = 0.9
	}
	if c.Measure == 0 {
		c.Measure = 1
	}
	if c.Run == nil {
		c.Run = new(Run)
	}
	if c.Metric == nil {
		c.Metric = Accuracy
	}
	return cmp.Or(c.Metric.validate(), c.validateData())
}

// validateData returns an error if Test or Held is given and cannot be measured, or if
// Held is missing.
func (c *Config) validateData() (err error) {
	if c.Patience > 0 && c.Held == nil {
		return errors.New("Patience: Held is nil")
	}
	if c.Test != nil {
		err = mustHaveSamples("Test", c.Test)
	}
	if err == nil && c.Held != nil {
		err = mustHaveSamples("Held", c.Held)
	}
	return err
}
