// Package training trains a network for a command: from the beginning, from where a file's
// run stopped, or again to compare. It owns the run's recipe, its folder and its messages;
// the command has a Task, its data.
package training

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
)

// Flags say how a network is trained and where its files go. A command sets their defaults
// before NewFlags.
type Flags struct {
	Hidden              cli.Widths
	Act                 cli.Choice[*mlp.Activation]
	Init                cli.Choice[mlp.Init]
	Norm                cli.Choice[bool] // batch normalisation
	Opt                 cli.Choice[*mlp.Optimizer]
	Schedule            cli.Choice[mlp.Schedule]
	LR, Momentum        float64
	Clip, Dropout       float64
	Warmup              float64
	Batch, Epochs       int
	Ensemble            int // how many networks
	Seed                uint64
	Out, Resume, Verify string

	// The command defines the flags of these two, because they differ.
	Decay    float64
	Patience int

	Args *cli.Flags // the command line

	unkept []string // the flags that the weights do not depend on
}

// NewFlags returns the flags of a command with these defaults, a momentum of 0.9, a seed of
// 1, the folder out/command, and one network, and zeros for the other numbers.
func NewFlags(command, init, opt, schedule string, hidden ...int) Flags {
	acts := map[string]*mlp.Activation{"relu": mlp.ReLU, "sigmoid": mlp.Sigmoid, "tanh": mlp.Tanh}
	return Flags{
		Hidden: hidden, Act: cli.NewChoice("relu", cli.OneOf(acts)), Init: cli.NewChoice(init, mlp.InitByName),
		Norm: cli.NewChoice("none", cli.OneOf(map[string]bool{"none": false, "batch": true})),
		Opt:  cli.NewChoice(opt, mlp.OptimizerByName), Schedule: cli.NewChoice(schedule, mlp.ScheduleByName),
		Momentum: 0.9, Ensemble: 1, Seed: 1, Out: "out/" + command, Args: cli.NewFlags(command),
	}
}

// Define adds the flags to the command line. The command adds its own. A recipe does not
// keep those of these names.
func (f *Flags) Define(unkept ...string) {
	f.unkept = append(unkept, "out", "resume", "verify")
	for name, to := range map[string]any{
		"hidden": &f.Hidden, "act": &f.Act, "init": &f.Init, "norm": &f.Norm, "dropout": &f.Dropout,
		"opt": &f.Opt, "lr": &f.LR, "momentum": &f.Momentum, "schedule": &f.Schedule, "warmup": &f.Warmup, "clip": &f.Clip,
		"batch": &f.Batch, "epochs": &f.Epochs, "ensemble": &f.Ensemble, "seed": &f.Seed, "out": &f.Out, "resume": &f.Resume, "verify": &f.Verify,
	} {
		f.Args.Add(name, to)
	}
}

// Validate returns an error for the first of the flags that is out of its range, or for two
// that exclude each other. If ownLayers is false, the layers are not those of the flags but
// a file's.
func (f *Flags) Validate(ownLayers bool) error {
	fromZero := func(x float64) bool { return x >= 0 && !math.IsInf(x, 0) }
	noLayer := ownLayers && len(f.Hidden) == 0
	switch {
	case f.Resume != "" && f.Verify != "":
		return errors.New("-resume excludes -verify")
	case f.Verify != "" && f.Args.Given()["out"] != "":
		return errors.New("-verify writes nothing: it excludes -out")
	case !fromZero(f.LR) || f.LR == 0:
		return fmt.Errorf("-lr %v: want a finite number above 0", f.LR)
	case !(0 < f.Momentum && f.Momentum < 1):
		return fmt.Errorf("-momentum %v: want a number between 0 and 1", f.Momentum)
	case !(0 <= f.Warmup && f.Warmup < 1):
		return fmt.Errorf("-warmup %v: want a share from 0 to below 1", f.Warmup)
	case !fromZero(f.Clip):
		return fmt.Errorf("-clip %v: want 0 or a finite number above", f.Clip)
	case !(0 <= f.Dropout && f.Dropout < 1):
		return fmt.Errorf("-dropout %v: want a probability from 0 to below 1", f.Dropout)
	case !fromZero(f.Decay):
		return fmt.Errorf("-decay %v: want 0 or a finite number above", f.Decay)
	case f.Patience < 0:
		return fmt.Errorf("-patience %d: want 0 or more", f.Patience)
	case noLayer && f.Dropout > 0:
		return errors.New("-dropout: there is no hidden layer to drop units of")
	case noLayer && f.Norm.Value:
		return errors.New("-norm batch: there is no hidden layer to normalise")
	case !(1 <= f.Ensemble && f.Ensemble <= maxEnsemble):
		return fmt.Errorf("-ensemble %d: want 1 to %d networks", f.Ensemble, maxEnsemble)
	case f.Batch < 1:
		return fmt.Errorf("-batch %d: want 1 or more", f.Batch)
	case f.Batch == 1 && f.Norm.Value:
		return errors.New("-norm batch: a batch of one has no variance")
	}
	return nil
}

// CheckSteps returns an error if a step of so many samples to train on has a single one,
// which batch normalisation cannot take.
func (f *Flags) CheckSteps(samples int) error {
	if f.Norm.Value && min(f.Batch, samples) == 1 {
		return fmt.Errorf("-norm batch needs two samples or more in a step: -batch is %d, and there are %d to train on", f.Batch, samples)
	}
	return nil
}

// The limits of what flags ask for.
const (
	maxEnsemble   = 1000
	maxParameters = 1 << 27       // they fill 1 GiB
	maxStored     = 1<<28 - 1<<22 // numbers that a model file has of the network: 2 GiB less 32 MiB for the rest
)

// CheckSize returns an error for a network that is too large, or whose model file would
// be. The file has the parameters, the averages of batch normalisation and the optimizer's
// running values of the parameters. With patience it has the best and the last of
// parameters and averages.
func (f *Flags) CheckSize(in, out int) error {
	parameters, averages := 0, 0
	for _, n := range f.Hidden {
		parameters += (in + 1) * n
		if f.Norm.Value {
			parameters += n
			averages += 2 * n
		}
		in = n
	}
	parameters += (in + 1) * out
	if parameters > maxParameters {
		return fmt.Errorf("-hidden: %d parameters, more than %d", parameters, maxParameters)
	}
	networks := 1 + min(1, f.Patience)
	if stored := f.Ensemble * (networks*(parameters+averages) + f.Opt.Value.Slots*parameters); stored > maxStored {
		return fmt.Errorf("-hidden: with -opt %s, -patience %d and -ensemble %d the model file would have %d numbers of the networks, more than %d",
			f.Opt.Name, f.Patience, f.Ensemble, stored, maxStored)
	}
	return nil
}

// Networks gives m the networks that the flags ask for. Each has a seed of its own.
func (f *Flags) Networks(m *mlp.Model, in, out int) {
	m.Net, m.Others = f.network(f.Seed, in, out), nil
	for i := 1; i < f.Ensemble; i++ {
		m.Others = append(m.Others, mlp.Member{Net: f.network(mlp.MemberSeed(f.Seed, i), in, out)})
	}
}

func (f *Flags) network(seed uint64, in, out int) mlp.Network {
	net := mlp.NewNetwork(seed, f.Init.Value, f.Act.Value, slices.Concat([]int{in}, f.Hidden, []int{out})...)
	f.setDropout(net)
	for _, l := range net[:len(net)-1] {
		if f.Norm.Value {
			l.Norm = mlp.NewBatchNorm(l.W.Cols)
		}
	}
	return net
}

// SetDropout gives the hidden layers of m's networks the probability of -dropout.
func (f *Flags) SetDropout(m *mlp.Model) {
	f.setDropout(m.Net)
	for _, other := range m.Others {
		f.setDropout(other.Net)
	}
}

func (f *Flags) setDropout(net mlp.Network) {
	for _, l := range net[:len(net)-1] {
		l.Dropout = f.Dropout
	}
}

// Layers is what the flags of a model's layers are, by name.
func Layers(m *mlp.Model) map[string]string {
	hidden, flags := cli.Widths(nil), map[string]string{"norm": "none", "ensemble": strconv.Itoa(1 + len(m.Others))}
	for _, l := range m.Net[:len(m.Net)-1] {
		hidden = append(hidden, l.W.Cols)
		if flags["act"] = l.Act.Name; l.Norm != nil {
			flags["norm"] = "batch"
		}
	}
	flags["hidden"] = hidden.String()
	return flags
}

// Summary is a network in words: its widths, the activations of its hidden layers and what
// else they do.
func Summary(net mlp.Network) string {
	widths := strconv.Itoa(net[0].W.Rows)
	var acts, more []string
	add := func(to *[]string, what string) {
		if !slices.Contains(*to, what) {
			*to = append(*to, what)
		}
	}
	for i, l := range net {
		widths += fmt.Sprintf("-%d", l.W.Cols)
		if l.Norm != nil {
			add(&more, "batch normalisation")
		}
		if l.Dropout > 0 {
			add(&more, fmt.Sprintf("dropout %v", l.Dropout))
		}
		if i < len(net)-1 {
			add(&acts, l.Act.Name)
		}
	}
	words := []string{widths}
	if len(acts) > 0 {
		words = append(words, strings.Join(acts, " and "))
	}
	return strings.Join(append(words, more...), ", ")
}
