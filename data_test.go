package mlp

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"testing"
)

// A split has each row once, with its target, in an order of its own for each seed.
func TestSplit(t *testing.T) {
	s := Samples{NewMatrix(100, 2), NewMatrix(100, 1)}
	for i := range 100 {
		s.X.Row(i)[1], s.Y.Data[i] = float64(i), float64(i)
	}
	train, test := s.Split(0.255, 1)
	if train.Len() != 74 || test.Len() != 26 {
		t.Fatalf("%d and %d rows", train.Len(), test.Len())
	}
	all := slices.Concat(train.Y.Data, test.Y.Data)
	for i, v := range slices.Concat(train.X.Data, test.X.Data) {
		if i%2 == 1 && v != all[i/2] {
			t.Errorf("a row of %v has the target %v", v, all[i/2])
		}
	}
	_, again := s.Split(0.255, 1)
	_, other := s.Split(0.255, 2)
	if !slices.Equal(again.Y.Data, test.Y.Data) || slices.Equal(other.Y.Data, test.Y.Data) {
		t.Error("the order is not the seed's")
	}
	if slices.IsSorted(test.Y.Data) {
		t.Error("the rows are in order")
	}
	slices.Sort(all)
	if !slices.Equal(all, s.Y.Data) {
		t.Errorf("rows %v", all)
	}
	if some := train.Slice(3, 5); some.Len() != 2 || some.X.Data[1] != train.X.Row(3)[1] || &some.Y.Data[0] != &train.Y.Data[3] {
		t.Errorf("rows 3 and 4 are %v, %v", some.X, some.Y)
	}
	copied := train.X.Clone()
	if train.X.Data[0] = -1; slices.Contains(s.X.Data, -1) || slices.Contains(copied.Data, -1) {
		t.Error("a part shares rows with the whole")
	}
}

// A stratified split has as many rows as another and its share of each class, of one-hot
// targets and of a single column, and the classes are mixed.
func TestSplitStratified(t *testing.T) {
	classes := slices.Concat(slices.Repeat([]int{2}, 4), slices.Repeat([]int{0}, 83), slices.Repeat([]int{1}, 13))
	s := Samples{NewMatrix(100, 1), OneHot(classes, 3)}
	column := NewMatrix(100, 1)
	for i, c := range classes {
		s.X.Data[i], column.Data[i] = float64(i), float64(c%2)
	}
	train, test := s.SplitStratified(0.255, 1)
	rows := slices.Concat(train.X.Data, test.X.Data)
	if slices.Sort(rows); !slices.Equal(rows, s.X.Data) || test.Len() != 26 {
		t.Errorf("%d of the rows %v", test.Len(), rows)
	}
	changes, n := 0, [3]int{}
	for i := range test.Len() {
		class := classes[int(test.X.Data[i])]
		if n[class]++; test.Y.Row(i)[class] != 1 || i > 0 && test.Y.Row(i - 1)[class] != 1 {
			changes++
		}
	}
	if n[0] < 21 || n[0] > 22 || n[1] < 3 || n[1] > 4 || n[2] < 1 || n[2] > 2 || changes < 5 {
		t.Errorf("%v rows of the classes to test on, which change %d times", n, changes)
	}
	s.Y = column
	if _, test := s.SplitStratified(0.5, 2); test.Len() != 50 || math.Abs(sum(test.Y.Data)-6.5) > 1 {
		t.Errorf("of a column %v of %d", sum(test.Y.Data), test.Len())
	}
}

func TestSliceAndOneHot(t *testing.T) {
	z := NewMatrix(3, 2, 1, 2, 3, 4, 5, 6)
	view := z.Slice(1, 3)
	view.Row(0)[0] = 7
	near(t, "rows 1 and 2", view, NewMatrix(2, 2, 7, 4, 5, 6), 0)
	if z.Data[2] != 7 {
		t.Error("a slice is a copy")
	}
	if y := OneHot([]int{2, 0}, 3); !slices.Equal(y.Data, []float64{0, 0, 1, 1, 0, 0}) || Argmax(y.Row(0)) != 2 {
		t.Errorf("one-hot %v", y.Data)
	}
}

// uneven returns samples with whole weights, and the same samples without weights, each as
// often as its weight says.
func uneven(n int) (weighted WeightedSamples, repeated Samples) {
	data, rng := blobs(n), newRand()
	weighted.Samples = data
	var index []int
	for i := range n {
		w := rng.IntN(4)
		weighted.W = append(weighted.W, float64(w))
		index = append(index, slices.Repeat([]int{i}, w)...)
	}
	repeated = Samples{new(Matrix), new(Matrix)}
	data.Batch(repeated.X, repeated.Y, index)
	return weighted, repeated
}

// renewed has samples without weights in each epoch.
type renewed struct {
	WeightedSamples
	epoch Samples
}

func (r renewed) Epoch(int) Dataset { return r.epoch }

// An augmented data set keeps its weights, or has those of the epoch.
func TestWeightsAugmented(t *testing.T) {
	weighted, _ := uneven(60)
	c := Config{Rate: 0.1, Epochs: 2, Batch: 10}
	var prints []string
	for _, data := range []Dataset{weighted, renewed{weighted, weighted.Samples}, weighted.Samples} {
		net := NewNetwork(1, He, Tanh, 4, 5, 2)
		mustTrain(t, net, data, c)
		prints = append(prints, net.Fingerprint())
	}
	if prints[0] != prints[1] || prints[0] == prints[2] {
		t.Error("the weights of an augmented data set are lost, or those of any")
	}
}

// Of three classes each counts a third, however many rows it has.
func TestBalancedWeights(t *testing.T) {
	got := BalancedWeights(OneHot([]int{0, 1, 1, 2, 2, 2}, 3))
	near(t, "weights", NewMatrix(1, 6, got...), NewMatrix(1, 6, 2, 1, 1, 2./3, 2./3, 2./3), 1e-15)
}

func TestWeightsRefused(t *testing.T) {
	data := WeightedSamples{blobs(3), []float64{1, math.NaN(), 1}}
	c := Config{Rate: 0.1, Epochs: 1, Batch: 2}
	_, err := Train(context.Background(), NewNetwork(1, He, ReLU, 4, 2), data, c)
	if want := "train: the weight of sample 1 is NaN, want a finite number from 0"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	c.Test = data
	_, err = Train(context.Background(), NewNetwork(1, He, ReLU, 4, 2), blobs(3), c)
	if want := "Test: the weight of sample 1 is NaN, want a finite number from 0"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestSmoothLabels(t *testing.T) {
	near(t, "three classes", SmoothLabels(OneHot([]int{2, 0}, 3), 0.3), NewMatrix(2, 3, 0.1, 0.1, 0.8, 0.8, 0.1, 0.1), 1e-15)
	near(t, "yes and no", SmoothLabels(NewMatrix(2, 1, 0, 1), 0.2), NewMatrix(2, 1, 0.1, 0.9), 1e-15)
}

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
	digits, _ := sampleDigits(t)
	train := func(data Dataset, c Config) (string, *Run) {
		t.Helper()
		sizes := []int{9, 70, 20, 2}
		if data.Len() != 200 {
			sizes = []int{MNISTPixels, 70, 20, MNISTClasses}
		}
		net := normalized(NewNetwork(1, He, Tanh, sizes...))
		net[0].Dropout = 0.2
		c.Run, c.Epochs, c.Batch = new(Run), 2, 20
		mustTrain(t, net, data, c)
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
			for i, running := range run.slots {
				if !slices.EqualFunc(running, wantRun.slots[i], sameBits) {
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
	find := func(data Dataset, inputs int) (c compactLayer) {
		c.find(data, &part{rows: inputs}, [maxSlots][]float64{})
		return c
	}
	if got := find(s, 6); !slices.Equal(got.inputs, []interval{{1, 3}, {4, 5}}) || !slices.Equal(got.rows, []int{1, 2, 4}) {
		t.Errorf("live inputs %v, one by one %v", got.inputs, got.rows)
	}
	digits, _ := sampleDigits(t)
	if n := len(find(digits, MNISTPixels).rows); n != MNISTPixels-129 {
		t.Errorf("%d live pixels of the sample, want all but 129", n)
	}
	deformed, err := digits.Deform(UsualDeformation, 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]Dataset{"a type of the user's": unknown{s}, "deformed digits": deformed, "all live": blobs(20)} {
		inputs := map[string]int{"deformed digits": MNISTPixels, "a type of the user's": 6}[name]
		if got := find(data, cmp.Or(inputs, 4)).rows; got != nil {
			t.Errorf("%s: %v, want nil", name, got)
		}
	}
	own := *SGD
	loss := func(dy, y, want *Matrix) float64 { return SquaredError(dy, y, want) }
	for name, c := range map[string]Config{"": {}, "decay": {Decay: 0.1}, "a rule of the user's": {Optimizer: &own},
		"a loss of the user's": {Loss: loss}, "OnStep": {OnStep: func(int, float64, float64) {}}} {
		c.Rate, c.Epochs, c.Batch = 0.1, 1, 20
		trainer := mustTrainer(t, NewNetwork(1, He, Tanh, 6, 4, 2), s, c)
		if trainer.contract(); trainer.compact.on != (name == "") {
			t.Errorf("%s: inputs are left out: %v", name, trainer.compact.on)
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
			mustTrain(t, net, data, c)
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

// Every place is as likely for a sample as any other.
func TestShuffleIsFair(t *testing.T) {
	const n, epochs = 6, 6000
	var counts [n][n]float64
	index := make([]int, n)
	for e := range epochs {
		shuffle(index, 1, e, false)
		for place, sample := range index {
			counts[place][sample]++
		}
	}
	chi := 0.0
	for _, row := range counts {
		for _, c := range row {
			chi += (c - epochs/n) * (c - epochs/n) / (epochs / n)
		}
	}
	if chi > 52.6 { // 25 degrees of freedom: one in a thousand
		t.Errorf("χ² = %.1f", chi)
	}
}

// shifted is a data set whose inputs are larger by the number of the epoch.
type shifted struct{ Samples }

func (s shifted) Epoch(n int) Dataset {
	x := s.X.Clone()
	for i := range x.Data {
		x.Data[i] += float64(n)
	}
	return Samples{x, s.Y}
}

// Training sees the samples of the epoch, and measuring sees the data set itself.
func TestAugmented(t *testing.T) {
	data := shifted{blobs(30)}
	a, b := NewNetwork(1, He, ReLU, 4, 3, 2), NewNetwork(1, He, ReLU, 4, 3, 2)
	c := Config{Rate: 0.1, Epochs: 2, Batch: 10, InOrder: true}
	h := mustTrain(t, a, data, c)
	if loss, _ := Evaluate(a, data.Samples, nil); loss != h[1].Loss {
		t.Errorf("the loss %v is not that of the samples as they are, %v", h[1].Loss, loss)
	}
	c.Run = new(Run)
	for n := 1; n <= 2; n++ {
		c.Epochs = n
		mustTrain(t, b, data.Epoch(n), c)
	}
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("the weights are not those of the epochs' samples")
	}
}
