// The flags that say how a network is trained, which several commands have, and the
// training that they ask for. Not here: flags of one command, and what a run writes
// (output.go).

package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"

	"mlp"
)

// Training is those flags. A command sets their defaults before Define.
type Training struct {
	Hidden        Widths
	Act           Choice[*mlp.Activation]
	Init          Choice[mlp.Init]
	Norm          Choice[bool] // batch normalisation
	Opt           Choice[*mlp.Optimizer]
	Schedule      Choice[mlp.Schedule]
	LR, Momentum  float64
	Clip, Dropout float64
	Warmup        float64
	Batch, Epochs int
	Seed          uint64
}

// NewTraining returns the flags with these defaults, a momentum of 0.9, a seed of 1, and
// zeros for the other numbers.
func NewTraining(init, opt, schedule string, hidden ...int) Training {
	return Training{
		Hidden: hidden, Act: NewChoice("relu", ActByName), Init: NewChoice(init, mlp.InitByName),
		Norm: NewChoice("none", NormByName), Opt: NewChoice(opt, mlp.OptimizerByName),
		Schedule: NewChoice(schedule, mlp.ScheduleByName), Momentum: 0.9, Seed: 1,
	}
}

// Define defines the flags. Samples is what a step is made of: images or rows.
func (t *Training) Define(f *flag.FlagSet, samples string) {
	f.Var(&t.Hidden, "hidden", "`widths` of the hidden layers, empty for none")
	f.Var(&t.Act, "act", "activation, by `name`: relu, sigmoid or tanh")
	f.Var(&t.Init, "init", "standard deviation of the first weights, by `name`: small (0.01), xavier, he or lecun")
	f.Var(&t.Norm, "norm", "normalisation in the hidden layers, by `name`: none or batch")
	f.Var(&t.Opt, "opt", "optimizer, by `name`: sgd, momentum, or adam or adamw, for which -lr 0.001 is usual")
	f.Float64Var(&t.LR, "lr", t.LR, "learning rate")
	f.Float64Var(&t.Momentum, "momentum", t.Momentum, "momentum of -opt momentum, and the first decay rate of adam and adamw")
	f.Var(&t.Schedule, "schedule", "schedule of the learning rate, by `name`: constant, step (a tenth from half of the run on, a hundredth from three quarters on) or cosine")
	f.Float64Var(&t.Warmup, "warmup", t.Warmup, "over this share of the run raise the learning rate from a twentieth, and take -schedule's course from then")
	f.Float64Var(&t.Clip, "clip", t.Clip, "scale the gradient down if its norm over all layers is larger than this; 0 never does")
	f.Float64Var(&t.Dropout, "dropout", t.Dropout, "in each step drop the outputs of hidden units with this probability")
	f.IntVar(&t.Batch, "batch", t.Batch, samples+" in a step")
	f.Uint64Var(&t.Seed, "seed", t.Seed, "seed of the first weights, of the order of the "+samples+" and of all else that is random")
}

// Validate returns an error for the first of the flags that is out of its range. If
// ownLayers is false, the layers are not those of the flags but a file's.
func (t *Training) Validate(ownLayers bool) error {
	fromZero := func(x float64) bool { return x >= 0 && !math.IsInf(x, 0) }
	noLayer := ownLayers && len(t.Hidden) == 0
	switch {
	case !fromZero(t.LR) || t.LR == 0:
		return fmt.Errorf("-lr %v: want a finite number above 0", t.LR)
	case !(0 < t.Momentum && t.Momentum < 1):
		return fmt.Errorf("-momentum %v: want a number between 0 and 1", t.Momentum)
	case !(0 <= t.Warmup && t.Warmup < 1):
		return fmt.Errorf("-warmup %v: want a share from 0 to below 1", t.Warmup)
	case !fromZero(t.Clip):
		return fmt.Errorf("-clip %v: want 0 or a finite number above", t.Clip)
	case !(0 <= t.Dropout && t.Dropout < 1):
		return fmt.Errorf("-dropout %v: want a probability from 0 to below 1", t.Dropout)
	case noLayer && t.Dropout > 0:
		return errors.New("-dropout: there is no hidden layer to drop units of")
	case noLayer && t.Norm.Value:
		return errors.New("-norm batch: there is no hidden layer to normalise")
	case t.Batch < 1:
		return fmt.Errorf("-batch %d: want 1 or more", t.Batch)
	case t.Batch == 1 && t.Norm.Value:
		return errors.New("-norm batch: a batch of one has no variance")
	}
	return nil
}

// Config is how the flags say to go on with a run.
func (t *Training) Config(run *mlp.Run) mlp.Config {
	return mlp.Config{Optimizer: t.Opt.Value, Rate: t.LR, Schedule: mlp.Warmup(t.Warmup, t.Schedule.Value), Beta1: t.Momentum,
		Clip: t.Clip, Epochs: t.Epochs, Batch: t.Batch, Seed: t.Seed, Run: run}
}

// HasBegun returns an error if no epoch of the run was trained, or more epochs than the
// flags ask for.
func (t *Training) HasBegun(run *mlp.Run) error {
	switch n := len(run.History); {
	case n == 0:
		return errors.New("no epoch was trained")
	case n > t.Epochs:
		return fmt.Errorf("the run has had %d epochs, more than -epochs %d", n, t.Epochs)
	}
	return nil
}

var errEnough = errors.New("as many epochs as are wanted")

// Learn trains net for that many more epochs of the run in c, unless c.Patience ends the
// training earlier, and calls onEpoch after each. In between it shows a progress bar.
func Learn(ctx context.Context, stderr *os.File, net mlp.Network, train mlp.Dataset, c mlp.Config, epochs int, onEpoch func(mlp.Epoch) error) error {
	past := len(c.Run.History)
	steps := math.Ceil(float64(train.Len()) / float64(c.Batch))
	bar := NewBar(stderr, float64(epochs)*steps, func(share float64) string {
		return fmt.Sprintf("epoch %d/%d", past+min(epochs, int(share*float64(epochs))+1), c.Epochs)
	})
	defer bar.Clear()
	c.OnStep = func(int, float64, float64) { bar.Add(1) }
	c.OnEpoch = func(e mlp.Epoch) error {
		bar.Clear()
		if err := onEpoch(e); err != nil || e.N < past+epochs {
			return err
		}
		return errEnough
	}
	if _, err := mlp.Train(ctx, net, train, c); err != errEnough {
		return err
	}
	return nil
}
