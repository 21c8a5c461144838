package mlp

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

// unknown hides the type of a data set, so that no input is left out.
type unknown struct{ Dataset }

// Training without the inputs that are always zero gives the same weights and running
// values.
func TestInputsLeftOut(t *testing.T) {
	data := blobs(200)
	wide := Samples{NewMatrix(200, 9), data.Y}
	for i := range data.X.Rows {
		row := wide.X.Row(i)
		copy(row[1:3], data.X.Row(i)[:2])
		copy(row[6:8], data.X.Row(i)[2:])
		row[8] = math.Copysign(0, -1)
	}
	digits, _, err := sampleDigits()
	if err != nil {
		t.Fatal(err)
	}
	train := func(data Dataset, c Config) (string, *Run) {
		t.Helper()
		sizes := []int{9, 70, 20, 2}
		if data.Len() != 200 {
			sizes = []int{MNISTPixels, 70, 20, MNISTClasses}
		}
		net := normalized(NewNetwork(1, He, Tanh, sizes...))
		net[0].Dropout = 0.2
		c.Run, c.Epochs, c.Batch = new(Run), 2, 20
		if _, err := Train(context.Background(), net, data, c); err != nil {
			t.Fatal(err)
		}
		return net.Fingerprint(), c.Run
	}
	configs := []Config{{Decay: 0.01}, {Decay: 0.01, Optimizer: AdamW}, {Clip: 0.1}}
	for _, rule := range optimizers {
		configs = append(configs, Config{Optimizer: rule})
	}
	for _, c := range configs {
		c.Rate = 0.01
		for _, data := range []Dataset{wide, WeightedSamples{wide, slices.Repeat([]float64{0.5, 2}, 100)}, digits.Slice(0, 300)} {
			want, wantRun := train(weightedUnknown(data), c)
			got, run := train(data, c)
			if got != want {
				t.Errorf("%+v, %T: other weights", c, data)
			}
			for i, m := range run.arrays() {
				if !slices.EqualFunc(m.Data, wantRun.arrays()[i].Data, sameBits) {
					t.Errorf("%+v, %T: other running values", c, data)
				}
			}
		}
	}
}

// weightedUnknown hides the type of data, but not its weights.
func weightedUnknown(data Dataset) Dataset {
	if d, ok := data.(Weighted); ok {
		return struct{ Weighted }{d}
	}
	return unknown{data}
}

// Which inputs are left out, and when none is.
func TestLiveInputs(t *testing.T) {
	x := NewMatrix(300, 6)
	x.Row(299)[1], x.Row(3)[2], x.Row(0)[4] = 1, math.NaN(), -1
	s := Samples{x, NewMatrix(300, 2)}
	if got := liveInputs(s, 6, new(runningValues)); !slices.Equal(got, []interval{{1, 3}, {4, 5}}) {
		t.Errorf("live inputs %v", got)
	}
	digits, _, err := sampleDigits()
	if err != nil {
		t.Fatal(err)
	}
	if n := total(liveInputs(digits, MNISTPixels, new(runningValues))); n != MNISTPixels-129 {
		t.Errorf("%d live pixels of the sample, want all but 129", n)
	}
	deformed, err := digits.Deform(UsualDeformation, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]Dataset{"a type of the user's": unknown{s}, "deformed digits": deformed, "all live": blobs(20), "another width": s} {
		inputs := map[string]int{"deformed digits": MNISTPixels, "a type of the user's": 6, "another width": 5}[name]
		if got := liveInputs(data, cmp.Or(inputs, 4), new(runningValues)); got != nil {
			t.Errorf("%s: %v, want nil", name, got)
		}
	}
	own := *SGD
	for name, c := range map[string]Config{"": {}, "decay": {Decay: 0.1}, "a rule of the user's": {Optimizer: &own}} {
		c.Rate, c.Epochs, c.Batch = 0.1, 1, 20
		trainer, err := newTrainer(NewNetwork(1, He, Tanh, 6, 4, 2), s, c)
		if err != nil {
			t.Fatal(err)
		}
		if trainer.pack(); trainer.leavesOut() != (name == "") {
			t.Errorf("%s: inputs are left out: %v", name, trainer.leavesOut())
		}
	}
}

// A weight whose input was not zero in an earlier run has a running value that moves it on.
func TestRunningValueOfZeroInput(t *testing.T) {
	data := blobs(200)
	zero := Samples{NewMatrix(200, 4, data.X.Data...), data.Y}
	for i := range zero.X.Rows {
		zero.X.Row(i)[1], zero.X.Row(i)[2] = 0, 0
	}
	var fingerprints []string
	for _, second := range []Dataset{zero, unknown{zero}} {
		net := NewNetwork(1, He, Tanh, 4, 30, 2)
		c := Config{Optimizer: Momentum, Rate: 0.01, Epochs: 1, Batch: 10, Run: new(Run)}
		for _, data := range []Dataset{data, second} {
			if _, err := Train(context.Background(), net, data, c); err != nil {
				t.Fatal(err)
			}
			c.Epochs++
		}
		fingerprints = append(fingerprints, net.Fingerprint())
	}
	if fingerprints[0] != fingerprints[1] {
		t.Error("resumed without the zeros, the weights are others")
	}
}

// An error names the column of the data set, also if columns before it are left out.
func TestColumnBehindZeros(t *testing.T) {
	data := blobs(200)
	x := NewMatrix(200, 6)
	for i := range x.Rows {
		copy(x.Row(i)[2:], data.X.Row(i))
	}
	x.Row(57)[4] = math.NaN()
	_, err := Train(context.Background(), NewNetwork(1, He, Tanh, 6, 3, 2), Samples{x, data.Y},
		Config{Rate: 0.1, Epochs: 1, Batch: 10, InOrder: true})
	if err == nil || !strings.Contains(err.Error(), "sample 57: column 4 of its input") {
		t.Errorf("error %v", err)
	}
}
