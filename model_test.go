package mlp

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// trained is a small model with all that a file can hold.
func trained(t *testing.T) *Model {
	t.Helper()
	m := &Model{Net: NewNetwork(1, He, Tanh, 4, 5, 3, 2), Input: Standardization{[]float64{1, 2, 3, 4}, []float64{1, 0, 2, 1}},
		Recipe: map[string]string{"lr": "0.1"}}
	m.Net[0].Norm = NewBatchNorm(5)
	if _, err := Train(context.Background(), m.Net, blobs(20), Config{Optimizer: Adam, Rate: 0.01, Epochs: 2, Batch: 7,
		Held: blobs(8), Patience: 9, Run: &m.Run}); err != nil {
		t.Fatal(err)
	}
	return m
}

func written(t *testing.T, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(file []byte) (*Model, error) { return ReadModel(bytes.NewReader(file), int64(len(file))) }

func TestModelRoundTrip(t *testing.T) {
	m := trained(t)
	file := written(t, m)
	got, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	if got.Net.Fingerprint() != m.Net.Fingerprint() || !slices.Equal(got.Input.Mean, m.Input.Mean) || !slices.Equal(got.Input.Std, m.Input.Std) ||
		got.Recipe["lr"] != "0.1" || len(got.Run.History) != 2 || got.Run.History[1].Loss != m.Run.History[1].Loss {
		t.Errorf("read %+v, wrote %+v", got, m)
	}
	for i, l := range got.Net {
		if l.Act != m.Net[i].Act {
			t.Errorf("layer %d is %s, was %s", i+1, l.Act.Name, m.Net[i].Act.Name)
		}
	}
	if !bytes.Equal(written(t, got), file) {
		t.Error("written again, the file differs")
	}
}

// archive is an .npz of the given members.
func archive(t *testing.T, members ...npzMember) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeNPZ(&b, members...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestModelRefused(t *testing.T) {
	array := func(name string, rows, cols int, elements ...float64) npzMember {
		return npzMember{Name: name, Matrix: NewMatrix(rows, cols, elements...)}
	}
	w1, b1, w2, b2 := array("W1", 2, 3), array("b1", 1, 3), array("W2", 3, 1), array("b2", 1, 1)
	json := func(s string) npzMember { return npzMember{Name: "run.json", Bytes: []byte(s)} }
	for _, c := range []struct {
		reason  string
		members []npzMember
	}{
		{"W1: file does not exist in the archive", nil},
		{"b1: file does not exist in the archive", []npzMember{w1}},
		{"W2: 4×1, want 3 rows as the layer before has units", []npzMember{w1, b1, array("W2", 4, 1), b2}},
		{"b2: 1×2, want 1×1", []npzMember{w1, b1, w2, array("b2", 1, 2)}},
		{"W1: 0×3", []npzMember{array("W1", 0, 3), b1}},
		{"W1: element (0, 1) is NaN", []npzMember{array("W1", 1, 3, 0, math.NaN(), 0), b1}},
		{"b1: element (0, 2) is -Inf", []npzMember{w1, array("b1", 1, 3, 0, 0, math.Inf(-1))}},
		{"mean: 1×3, want 1×2", []npzMember{w1, b1, array("mean", 1, 3), array("std", 1, 2)}},
		{"mean: there is no std", []npzMember{w1, b1, array("mean", 1, 2)}},
		{"std: there is no mean", []npzMember{w1, b1, array("std", 1, 2, 1, 1)}},
		{"W3: there is no W2", []npzMember{w1, b1, array("W3", 3, 1), array("b3", 1, 1)}},
		{"b2: there is no W2", []npzMember{w1, b1, b2}},
		{"W0: the first layer is W1", []npzMember{array("W0", 4, 2), array("b0", 1, 2), w1, b1}},
		{"std: element (0, 1) is -1", []npzMember{w1, b1, array("mean", 1, 2), array("std", 1, 2, 1, -1)}},
		{"run.json: invalid character", []npzMember{w1, b1, json("nonsense")}},
		{"run.json: 2 activations for 1 layers", []npzMember{w1, b1, json(`{"Activations": ["relu", "relu"]}`)}},
		{`run.json: layer 1: activation "cos": want one of linear, relu, sigmoid, tanh, or one passed to ReadModel as own`, []npzMember{w1, b1, json(`{"Activations": ["cos"]}`)}},
		{"run.json: 2 numbers of Dropout for 1 layers", []npzMember{w1, b1, json(`{"Activations": ["relu"], "Dropout": [0, 0]}`)}},
		{"run.json: layer 1 has Dropout 1, want a number from 0 to below 1", []npzMember{w1, b1, json(`{"Activations": ["relu"], "Dropout": [1]}`)}},
		{"history: 1×4, want 7 columns", []npzMember{w1, b1, array("history", 1, 4)}},
		{"history: row 0 is of epoch 2", []npzMember{w1, b1, array("history", 1, 7, 2, 0, 0, 0, 0, 0, 0)}},
		{"gain1, mean1, var1: 1 of the three are missing", []npzMember{w1, b1, array("mean1", 1, 3), array("var1", 1, 3)}},
		{"gain1: 1×2, want 1×3", []npzMember{w1, b1, array("gain1", 1, 2), array("mean1", 1, 3), array("var1", 1, 3)}},
		{"var1: element (0, 1) is -1", []npzMember{w1, b1, array("gain1", 1, 3), array("mean1", 1, 3), array("var1", 1, 3, 1, -1, 1)}},
		{"layer_stats: 2×6, want 1×6", []npzMember{w1, b1, array("layer_stats", 2, 6)}},
		{"layer_stats: 2×5, want 2×6", []npzMember{w1, b1, array("history", 1, 7, 1, 0, 0, 0, 0, 0, 0), array("layer_stats", 2, 5)}},
		{"last.b1: file does not exist", []npzMember{w1, b1, array("last.W1", 2, 3)}},
		{"last.W1: 3×2, want 2×3", []npzMember{w1, b1, array("last.W1", 3, 2), array("last.b1", 1, 3)}},
		{"last.W1: element (0, 0) is NaN", []npzMember{w1, b1, array("last.W1", 2, 3, math.NaN(), 0, 0, 0, 0, 0), array("last.b1", 1, 3)}},
		{"v.W1: element (1, 0) is -1", []npzMember{w1, b1, array("v.W1", 2, 3, 0, 0, 0, -1, 0, 0), array("v.b1", 1, 3)}},
		{"v.W1: element (1, 0) is -1", []npzMember{w1, b1, array("v.W1", 2, 3, 0, 0, 0, -1, 0, 0), array("v.b1", 1, 3), json(`{"Activations": ["relu"], "Optimizer": "adam"}`)}},
		{"m.b1: file does not exist", []npzMember{w1, b1, array("m.W1", 2, 3)}},
		{"v.W1: 3×2, want 2×3", []npzMember{w1, b1, array("m.W1", 2, 3), array("m.b1", 1, 3), array("v.W1", 3, 2), array("v.b1", 1, 3)}},
	} {
		_, err := read(archive(t, c.members...))
		if err == nil || !strings.Contains(err.Error(), c.reason) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %q", err, c.reason)
		}
	}
	if _, err := read([]byte("PK")); err == nil {
		t.Error("two bytes are a model")
	}
}

// A model that could not be read again, or would be read as another, is not written.
func TestModelNotWritten(t *testing.T) {
	act := func(layer int, name string) func(m *Model) {
		return func(m *Model) { m.Net[layer].Act = &Activation{name, ReLU.Forward, ReLU.Backward} }
	}
	for _, c := range []struct {
		reason string
		spoil  func(m *Model)
	}{
		{"", func(m *Model) {}},
		{"a network without layers", func(m *Model) { m.Net = nil }},
		{"history: row 0 is of epoch 2", func(m *Model) { m.Run.History = m.Run.History[1:] }},
		{"mean of 4 and std of 0 inputs, want 4", func(m *Model) { m.Input.Std = nil }},
		{"b2: element (0, 1) is NaN", func(m *Model) { m.Net[1].B.Data[1] = math.NaN() }},
		{"b2: 1×2, want 1×3", func(m *Model) { m.Net[1].B = *NewMatrix(1, 2) }},
		{"layer 2 has no Act", func(m *Model) { m.Net[1].Act = nil }},
		{"W2: 4×3, want 5 rows as the layer before has units", func(m *Model) { m.Net[1].W = *NewMatrix(4, 3) }},
		{"var1: element (0, 2) is -1", func(m *Model) { m.Net[0].Norm.Var.Data[2] = -1 }},
		{"std: element (0, 1) is -1", func(m *Model) { m.Input.Std[1] = -1 }},
		{"mean: element (0, 1) is NaN", func(m *Model) { m.Input.Mean[1] = math.NaN() }},
		{"images of 4 pixels cannot be deskewed, want 784", func(m *Model) { m.Deskew = true }},
		{"run.json: 1048599 bytes, over the limit of 1048576", func(m *Model) { m.Recipe["lr"] = strings.Repeat("1", 1<<20-82) }},
		{"mean: element (0, 1) is NaN", func(m *Model) { m.Input.Mean[1], m.Input.Std[1] = math.NaN(), math.NaN() }},
		{"history: epoch 2 has statistics of 4 layers, the network has 3", func(m *Model) { m.Run.History[1].Layers = make([]LayerStats, 4) }},
		{`layer 1: its activation is named "relu": give it a name that the package does not use`, act(0, "relu")},
		{`layer 1: its activation is named "": give it a name that the package does not use`, act(0, "")},
		{`layer 2: its activation is named "a\xff", which is not UTF-8`, act(1, "a\xff")},
		{`layers 1 and 2: their activations differ but are both named "twice"`, func(m *Model) { act(0, "twice")(m); act(1, "twice")(m) }},
		{`the optimizer is named "\xff", which is not UTF-8`, func(m *Model) { m.Run.Optimizer = "\xff" }},
		{`the metric is named "\xff", which is not UTF-8`, func(m *Model) { m.Run.Metric = "\xff" }},
		{`recipe: the key "l\xff" is not UTF-8`, func(m *Model) { m.Recipe["l\xff"] = "1" }},
		{`recipe: the value "\xff" of "lr" is not UTF-8`, func(m *Model) { m.Recipe["lr"] = "\xff" }},
		{"v.W1: element (1, 0) is -1", func(m *Model) { m.Run.slots[0][1][0].Data[5] = -1 }},
		{"v.W1: 5×4, want 4×5", func(m *Model) { m.Run.slots[0][1][0] = *NewMatrix(5, 4) }},
		{"running values of 2 layers, the network has 3", func(m *Model) { m.Run.slots = m.Run.slots[:2] }},
		{"last weights in 1 arrays, the network has 9", func(m *Model) { m.Run.last = m.Run.last[:1] }},
		{"last weights of 1×1, want 4×5", func(m *Model) { m.Run.last[0] = *NewMatrix(1, 1) }},
		{"v.W1: element (1, 0) is +Inf", func(m *Model) { m.Run.slots[0][1][0].Data[5] = math.Inf(1) }},
	} {
		m, err := read(written(t, trained(t)))
		if err != nil {
			t.Fatal(err)
		}
		c.spoil(m)
		var b bytes.Buffer
		reason := ""
		if err := m.Write(&b); err != nil {
			reason = err.Error()
		}
		if reason != c.reason || (b.Len() == 0) != (reason != "") {
			t.Errorf("error %q and %d bytes, want %q", reason, b.Len(), c.reason)
		}
	}
}

// An activation of one's own is read if it is given to ReadModel.
func TestModelWithOwnActivation(t *testing.T) {
	own := &Activation{Name: "twice", Forward: func([]float64) {}, Backward: func(_, _ []float64) {}}
	file := written(t, &Model{Net: NewNetwork(1, He, own, 2, 3, 1)})
	if _, err := read(file); err == nil || err.Error() != `run.json: layer 1: activation "twice": want one of linear, relu, sigmoid, tanh, or one passed to ReadModel as own` {
		t.Errorf("without it: error %v", err)
	}
	m, err := ReadModel(bytes.NewReader(file), int64(len(file)), ReLU, own)
	if err != nil || m.Net[0].Act != own || m.Net[1].Act != Linear {
		t.Errorf("with it: error %v", err)
	}
}

// Only Adam's second running value is an average of squares: that of another optimizer may
// be negative, in the file too.
func TestModelWithOwnOptimizer(t *testing.T) {
	own := &Optimizer{Name: "signed", Slots: 2, Update: func(w, g, m, v []float64, s OptimizerStep) {
		for i := range w {
			v[i] = g[i]
			w[i] -= s.Rate * v[i]
		}
	}}
	m := &Model{Net: NewNetwork(1, He, ReLU, 4, 3, 2)}
	c := Config{Optimizer: own, Rate: 0.1, Epochs: 1, Batch: 5, Run: &m.Run}
	if _, err := Train(context.Background(), m.Net, blobs(20), c); err != nil {
		t.Fatal(err)
	}
	v := m.Run.slots[0][1][0]
	if !slices.ContainsFunc(v.Data, func(x float64) bool { return x < 0 }) {
		t.Fatal("no second running value is negative")
	}
	file := written(t, m)
	got, err := read(file)
	if err != nil || got.Run.Optimizer != "signed" || !identical(&got.Run.slots[0][1][0], &v) || !bytes.Equal(written(t, got), file) {
		t.Errorf("another model is read, error %v", err)
	}
}

// The arrays of a model have a limit all together, as those of any archive.
func TestModelLimit(t *testing.T) {
	z, err := openFile(written(t, &Model{Net: NewNetwork(1, He, ReLU, 2, 3, 1)}))
	if err != nil {
		t.Fatal(err)
	}
	z.limit = 8 * (2*3 + 3 + 3*1)
	if err := new(Model).read(z, nil); err == nil || err.Error() != "b2: the arrays up to here take 104 bytes as float64, over the limit of 96 in all" {
		t.Errorf("error %v", err)
	}
}

// As many layers as a model may have, and one more.
func TestModelOfManyLayers(t *testing.T) {
	var members []npzMember
	for i := range maxLayers + 1 {
		members = append(members, npzMember{Name: fmt.Sprintf("W%d", i+1), Matrix: NewMatrix(1, 1)}, npzMember{Name: fmt.Sprintf("b%d", i+1), Matrix: NewMatrix(1, 1)})
	}
	if m, err := read(archive(t, members[:2*maxLayers]...)); err != nil || len(m.Net) != maxLayers {
		t.Errorf("%d layers: error %v", maxLayers, err)
	}
	if _, err := read(archive(t, members...)); err == nil || err.Error() != "more than 1000 layers" {
		t.Errorf("%d layers: error %v", maxLayers+1, err)
	}
}

// A file of NumPy's has no run.json: ReLU, and a linear output.
func TestModelWithoutRun(t *testing.T) {
	m, err := read(archive(t, npzMember{Name: "W1", Matrix: NewMatrix(2, 3)}, npzMember{Name: "b1", Matrix: NewMatrix(1, 3)},
		npzMember{Name: "W2", Matrix: NewMatrix(3, 1)}, npzMember{Name: "b2", Matrix: NewMatrix(1, 1)}))
	if err != nil || m.Net[0].Act != ReLU || m.Net[1].Act != Linear || m.Recipe != nil || m.Input.Mean != nil {
		t.Errorf("model %+v, error %v", m, err)
	}
}

// A Run that has not begun goes on from nothing, whatever network it is given.
func TestTrainedAnew(t *testing.T) {
	train, held := overfitted()
	c := Config{Rate: 1, Batch: 5, Held: held, Patience: 5, Epochs: 20, Optimizer: Adam}
	net, other := NewNetwork(1, He, Tanh, 4, 20, 2), NewNetwork(1, He, Tanh, 4, 20, 2)
	if _, err := Train(context.Background(), net, train, c); err != nil {
		t.Fatal(err)
	}
	for i, l := range other {
		copy(l.W.Data, net[i].W.Data)
		copy(l.B.Data, net[i].B.Data)
	}
	for _, n := range []Network{net, other} {
		if _, err := Train(context.Background(), n, train, c); err != nil {
			t.Fatal(err)
		}
	}
	if net.Fingerprint() != other.Fingerprint() {
		t.Error("the network itself keeps something of the earlier run")
	}
	m := &Model{Net: net, Run: Run{Optimizer: "adam", slots: make([]runningValues, 2), last: make(snapshot, 4)}}
	if _, err := Train(context.Background(), net, train, Config{Rate: 0.1, Batch: 5, Epochs: 1, Run: &m.Run}); err != nil {
		t.Fatal(err)
	}
	if arrays := m.arrays(); len(arrays) != 4 || m.Run.Optimizer != "sgd" {
		t.Errorf("a run of %s keeps %d arrays, want 4", m.Run.Optimizer, len(arrays))
	}
}

// A run that cannot go on says why.
func TestRunRefused(t *testing.T) {
	adam := func() *Model {
		m := &Model{Net: NewNetwork(1, He, ReLU, 4, 2)}
		if _, err := Train(context.Background(), m.Net, blobs(9), Config{Optimizer: Adam, Rate: 0.1, Batch: 3, Epochs: 3, Run: &m.Run}); err != nil {
			t.Fatal(err)
		}
		return m
	}
	for _, c := range []struct {
		want  string
		spoil func(m *Model, c *Config)
	}{
		{"Run: 3 epochs are trained already, Epochs is 2", func(m *Model, c *Config) { c.Epochs = 2 }},
		{`Run: its 3 epochs were trained by the optimizer "adam", not "momentum"`, func(m *Model, c *Config) { c.Optimizer = Momentum }},
		{"Run: layer 1 has 8 running values in slot 2, for momentum want 0", func(m *Model, c *Config) { c.Optimizer, m.Run.Optimizer = Momentum, "" }},
		{"Run: it lacks the running values of adam", func(m *Model, c *Config) { c.Run = &Run{History: m.Run.History} }},
		{"Run: running values of 1 layers, the network has 2", func(m *Model, c *Config) { m.Net = NewNetwork(1, He, ReLU, 4, 3, 2) }},
		{"Run: m.W1: 4×2, want 4×3", func(m *Model, c *Config) { m.Net = NewNetwork(1, He, ReLU, 4, 3) }},
		{"Run: last weights of 4×3, want 4×2", func(m *Model, c *Config) { m.Run.last = snapshot{*NewMatrix(4, 3), *NewMatrix(1, 2)} }},
		{"Run: it was trained without Patience and has not kept its best weights", func(m *Model, c *Config) { c.Patience, c.Held = 1, blobs(9) }},
	} {
		m := adam()
		config := Config{Optimizer: Adam, Rate: 0.1, Batch: 3, Epochs: 4, Run: &m.Run}
		c.spoil(m, &config)
		if _, err := Train(context.Background(), m.Net, blobs(9), config); fmt.Sprint(err) != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
	}
	m := adam()
	if h, err := Train(context.Background(), m.Net, blobs(9), Config{Optimizer: Adam, Rate: 0.1, Batch: 3, Epochs: 3, Run: &m.Run}); err != nil || len(h) != 3 {
		t.Errorf("a run that is at its end: %d epochs, error %v", len(h), err)
	}
}

func FuzzModel(f *testing.F) {
	var b bytes.Buffer
	if err := (&Model{Net: NewNetwork(1, He, Tanh, 2, 2), Input: Standardization{[]float64{0, 0}, []float64{1, 1}}}).Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		m, err := read(file)
		if err != nil {
			return
		}
		m.Net.Forward(NewMatrix(1, m.Net[0].W.Rows))
	})
}

// np.load of a model feeds the article's forward_mlp_3layer and gives the
// network's own probabilities.
func TestModelInNumPy(t *testing.T) {
	python := withNumPy(t)
	train, test, err := sampleDigits()
	if err != nil {
		t.Fatal(err)
	}
	m := &Model{Net: NewNetwork(1, He, ReLU, MNISTPixels, 32, 16, MNISTClasses)}
	m.Input = train.Stats()
	if _, err := Train(context.Background(), m.Net, train, Config{Rate: 0.1, Epochs: 1, Batch: 64}); err != nil {
		t.Fatal(err)
	}
	var x, y Matrix
	index := make([]int, 100)
	for i := range index {
		index[i] = i
	}
	test.Batch(&x, &y, index)
	dir := t.TempDir()
	pixels := NewMatrix(100, MNISTPixels)
	for i, p := range test.Images[:100*MNISTPixels] {
		pixels.Data[i] = float64(p)
	}
	os.WriteFile(filepath.Join(dir, "model.npz"), written(t, m), 0o666)
	os.WriteFile(filepath.Join(dir, "ours.npz"), archive(t, npzMember{Name: "pixels", Matrix: pixels},
		npzMember{Name: "A3", Matrix: m.Net.Forward(&x).Softmax()}), 0o666)
	out, err := exec.Command(python, "-c", `
import sys, numpy as np
p, ours = np.load(sys.argv[1] + "/model.npz"), np.load(sys.argv[1] + "/ours.npz")
X = ours["pixels"] / 255 - p["mean"]
s = p["std"] != 0
X[:, s[0]] /= p["std"][s]
A1 = np.maximum(0, X @ p["W1"] + p["b1"])
A2 = np.maximum(0, A1 @ p["W2"] + p["b2"])
Z = A2 @ p["W3"] + p["b3"]
E = np.exp(Z - Z.max(axis=1, keepdims=True))
print(np.abs(E / E.sum(axis=1, keepdims=True) - ours["A3"]).max() <= 1e-12)
`, dir).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "True" {
		t.Errorf("NumPy says %s (%v)", out, err)
	}
}

// A copy has the same weights and averages, and training it leaves the network as it was.
func TestClone(t *testing.T) {
	net := normalized(NewNetwork(1, He, Tanh, 4, 5, 2))
	net[0].Dropout = 0.5
	before, copied := net.Fingerprint(), net.Clone()
	if copied.Fingerprint() != before || copied[0].Act != Tanh || copied[0].Dropout != 0.5 {
		t.Error("the copy is another network")
	}
	if _, err := Train(context.Background(), copied, blobs(20), Config{Rate: 0.1, Epochs: 1, Batch: 5}); err != nil {
		t.Fatal(err)
	}
	if net.Fingerprint() != before || copied.Fingerprint() == before {
		t.Error("training the copy trains the network")
	}
}

// Without its run a model's file has the weights and little else.
func TestModelForUse(t *testing.T) {
	m := &Model{Net: NewNetwork(1, He, ReLU, 100, 50, 2)}
	c := Config{Optimizer: Adam, Rate: 0.01, Epochs: 3, Batch: 5, Run: &m.Run}
	data := Samples{fill(NewMatrix(20, 100), newRand()), blobs(20).Y}
	if _, err := Train(context.Background(), m.Net, data, c); err != nil {
		t.Fatal(err)
	}
	whole := len(written(t, m))
	m.Run = Run{}
	file := written(t, m)
	if weights := 8 * (101*50 + 51*2); len(file) > weights+2000 || whole < 3*weights {
		t.Errorf("%d bytes for weights of %d, with the run %d", len(file), weights, whole)
	}
	if again, err := read(file); err != nil || again.Net.Fingerprint() != m.Net.Fingerprint() {
		t.Errorf("read again: error %v", err)
	}
}
