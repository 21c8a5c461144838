// Tests of models in files: what is written is read back, what could not be is not written, and
// a file is complete at any moment.

package mlp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// trained is a small model with all that a file can hold.
func trained(t *testing.T) *Model {
	t.Helper()
	m := &Model{Net: NewNetwork(1, He, Tanh, 4, 5, 3, 2), Input: Standardization{[]float64{1, 2, 3, 4}, []float64{1, 0, 2, 1}},
		Recipe: map[string]string{"lr": "0.1"}}
	m.Net[0].Norm = NewBatchNorm(5)
	mustTrain(t, m.Net, blobs(20), Config{Optimizer: Adam, Rate: 0.01, Epochs: 2, Batch: 7,
		Validation: blobs(8), Patience: 9, Run: &m.Run})
	return m
}

func written(t testing.TB, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(file []byte) (*Model, error) { return ReadModel(bytes.NewReader(file), int64(len(file))) }

// A model is read back as it was written, whichever steps have statistics of their layers.
func TestModelRoundTrip(t *testing.T) {
	for i, spoil := range []func(h History){
		func(h History) {},
		func(h History) { h[0].First = nil },
		func(h History) { h[1].Layers = nil },
		func(h History) { h[0].Layers, h[1].Layers = nil, nil },
		func(h History) { h[0].First, h[0].Layers, h[1].Layers = nil, nil, nil },
	} {
		m := trained(t)
		m.Run.threads = threadRange{} // no file keeps them
		spoil(m.Run.History)
		file := written(t, m)
		got, err := read(file)
		if err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(file)); i == 0 && sum != "df041cf2a45f309ee73221e6a090564375f10d6a06dcf05cf4582bc866ce06eb" {
			t.Errorf("SHA-256 %s: a file of another format", sum)
		}
		acts := func(m *Model) []*Activation { return []*Activation{m.Net[0].Act, m.Net[1].Act, m.Net[2].Act} }
		if got.Net.Fingerprint() != m.Net.Fingerprint() || !slices.Equal(acts(got), acts(m)) ||
			fmt.Sprint(got.Input, got.Run, got.Recipe) != fmt.Sprint(m.Input, m.Run, m.Recipe) {
			t.Errorf("%d: read %+v, wrote %+v", i, got, m)
		}
		if !bytes.Equal(written(t, got), file) || bytes.Contains(file, []byte("layer_stats")) != (i < 4) {
			t.Errorf("%d: written again, the file differs, or it has other arrays than the model", i)
		}
	}
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
		{"mean, std: one of the two is missing", []npzMember{w1, b1, array("mean", 1, 2)}},
		{"mean, std: one of the two is missing", []npzMember{w1, b1, array("std", 1, 2, 1, 1)}},
		{"W3: there is no W2", []npzMember{w1, b1, array("W3", 3, 1), array("b3", 1, 1)}},
		{"b2: there is no W2", []npzMember{w1, b1, b2}},
		{"W0: the first layer is W1", []npzMember{array("W0", 4, 2), array("b0", 1, 2), w1, b1}},
		{"std: element (0, 1) is -1", []npzMember{w1, b1, array("mean", 1, 2), array("std", 1, 2, 1, -1)}},
		{"run.json: invalid character", []npzMember{w1, b1, json("nonsense")}},
		{"run.json: 2 activations for 1 layers", []npzMember{w1, b1, json(`{"Activations": ["relu", "relu"]}`)}},
		{`run.json: layer 1: activation "cos": want one of linear, relu, sigmoid, tanh, or one passed to ReadModel as own`, []npzMember{w1, b1, json(`{"Activations": ["cos"]}`)}},
		{"run.json: 2 numbers of Dropout for 1 layers", []npzMember{w1, b1, json(`{"Activations": ["relu"], "Dropout": [0, 0]}`)}},
		{"layer 1 has Dropout 1, want a number from 0 to below 1", []npzMember{w1, b1, json(`{"Activations": ["relu"], "Dropout": [1]}`)}},
		{"history: 1×4, want n×7", []npzMember{w1, b1, array("history", 1, 4)}},
		{"history: row 0 is of epoch 2", []npzMember{w1, b1, array("history", 1, 7, 2, 0, 0, 0, 0, 0, 0)}},
		{"gain1, mean1, var1: 1 of the three are missing", []npzMember{w1, b1, array("mean1", 1, 3), array("var1", 1, 3)}},
		{"gain1: 1×2, want 1×3", []npzMember{w1, b1, array("gain1", 1, 2), array("mean1", 1, 3), array("var1", 1, 3)}},
		{"var1: element (0, 1) is -1", []npzMember{w1, b1, array("gain1", 1, 3), array("mean1", 1, 3), array("var1", 1, 3, 1, -1, 1)}},
		{"layer_stats: there is no history", []npzMember{w1, b1, array("layer_stats", 2, 6)}},
		{"layer_stats: there is no history", []npzMember{w1, b1, array("layer_stats", 1, 6)}},
		{"layer_stats: there is no history", []npzMember{w1, b1, array("history", 0, 7), array("layer_stats", 1, 6)}},
		{"images of 2 pixels cannot be deskewed, want 784", []npzMember{w1, b1, json(`{"Activations": ["relu"], "Deskew": true}`)}},
		{"layer_stats: 2×5, want 2×6", []npzMember{w1, b1, array("history", 1, 7, 1, 0, 0, 0, 0, 0, 0), array("layer_stats", 2, 5)}},
		{"layer_stats: 3×6, want 2×6", []npzMember{w1, b1, array("history", 1, 7, 1, 0, 0, 0, 0, 0, 0), array("layer_stats", 3, 6)}},
		{"history: not of float64", []npzMember{w1, b1, {Name: "history.npy", Bytes: npyFile("{'descr': '|u1', 'fortran_order': False, 'shape': (100, 7)}", make([]byte, 700)...)}}},
		{"last.b1: file does not exist", []npzMember{w1, b1, array("last.W1", 2, 3)}},
		{"last.W1: 3×2, want 2×3", []npzMember{w1, b1, array("last.W1", 3, 2), array("last.b1", 1, 3)}},
		{"last.W1: element (0, 0) is NaN", []npzMember{w1, b1, array("last.W1", 2, 3, math.NaN(), 0, 0, 0, 0, 0), array("last.b1", 1, 3)}},
		{"v.W1: element (1, 0) is -1", []npzMember{w1, b1, array("v.W1", 2, 3, 0, 0, 0, -1, 0, 0), array("v.b1", 1, 3)}},
		{"v.W1: element (1, 0) is -1", []npzMember{w1, b1, array("v.W1", 2, 3, 0, 0, 0, -1, 0, 0), array("v.b1", 1, 3), json(`{"Activations": ["relu"], "Optimizer": "adam"}`)}},
		{"m.b1: file does not exist", []npzMember{w1, b1, array("m.W1", 2, 3)}},
		{"v.W1: 3×2, want 2×3", []npzMember{w1, b1, array("m.W1", 2, 3), array("m.b1", 1, 3), array("v.W1", 3, 2), array("v.b1", 1, 3)}},
	} {
		_, err := read(npzFile(t, c.members...))
		if err == nil || !strings.Contains(err.Error(), c.reason) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %q", err, c.reason)
		}
		if isMissing := errors.Is(err, fs.ErrNotExist); !isMissing && !errors.As(err, new(FormatError)) && !strings.HasPrefix(c.reason, "run.json: invalid") {
			t.Errorf("%v: error of type %T", err, err)
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
		{`run.json: "a\xff" is not UTF-8`, act(1, "a\xff")},
		{`layers 1 and 2: their activations differ but are both named "twice"`, func(m *Model) { act(0, "twice")(m); act(1, "twice")(m) }},
		{`run.json: "\xff" is not UTF-8`, func(m *Model) { m.Run.Optimizer = "\xff" }},
		{`run.json: "\xff" is not UTF-8`, func(m *Model) { m.Run.Metric = "\xff" }},
		{`run.json: "l\xff" is not UTF-8`, func(m *Model) { m.Recipe["l\xff"] = "1" }},
		{`run.json: "\xff" is not UTF-8`, func(m *Model) { m.Recipe["lr"] = "\xff" }},
		{"history: epoch 1 has statistics of 2 layers, the network has 3", func(m *Model) { m.Run.History[0].First = make([]LayerStats, 2) }},
		{"history: epoch 2 has statistics of the first step, which is in epoch 1", func(m *Model) { m.Run.History[1].First = make([]LayerStats, 3) }},
		{"v.W1: element (1, 0) is -1", func(m *Model) { m.Run.slots[1][5] = -1 }},
		{"v.W1: element (1, 0) is -1", func(m *Model) { m.Run.slots[1][5], m.Run.Optimizer = -1, "adamw" }},
		{"v.W1: element (1, 0) is +Inf", func(m *Model) { m.Run.slots[1][5] = math.Inf(1) }},
		{"m.b1: element (0, 0) is NaN", func(m *Model) { m.Run.slots[0][20] = math.NaN() }},
		{"last.var1: element (0, 4) is -1", func(m *Model) { m.Run.last[39] = -1 }},
		{"v.W1 and so on have 65 elements, the network has 66", func(m *Model) { m.Run.slots[1] = m.Run.slots[1][1:] }},
		{"last.W1 and so on have 0 elements, the network has 66", func(m *Model) { m.Run.last = []float64{} }},
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
			if errors.As(err, new(FormatError)) {
				t.Errorf("%v: error of type %T, but there is no file", err, err)
			}
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
	mustTrain(t, m.Net, blobs(20), c)
	v := m.Run.slots[1]
	if slices.Min(v) >= 0 {
		t.Fatal("no second running value is negative")
	}
	file := written(t, m)
	got, err := read(file)
	if err != nil || got.Run.Optimizer != "signed" || !slices.Equal(got.Run.slots[1], v) || !bytes.Equal(written(t, got), file) {
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
	if err := new(Member).readNet(z); err == nil || err.Error() != "b2: the arrays up to here take 104 bytes as float64, over the limit of 96 in all" {
		t.Errorf("error %v", err)
	}
}

// As many layers as a model may have, and one more.
func TestModelOfManyLayers(t *testing.T) {
	var members []npzMember
	for i := range maxLayers + 1 {
		members = append(members, npzMember{Name: fmt.Sprintf("W%d", i+1), Matrix: NewMatrix(1, 1)}, npzMember{Name: fmt.Sprintf("b%d", i+1), Matrix: NewMatrix(1, 1)})
	}
	m, err := read(npzFile(t, members[:2*maxLayers]...))
	if err != nil || len(m.Net) != maxLayers {
		t.Fatalf("%d layers: error %v", maxLayers, err)
	}
	m.Net = append(m.Net, m.Net[0])
	if err := m.Write(io.Discard); err == nil || err.Error() != "a network of 1001 layers, more than 1000" {
		t.Errorf("%d layers: error %v", len(m.Net), err)
	}
	if _, err := read(npzFile(t, members...)); err == nil || err.Error() != "more than 1000 layers" {
		t.Errorf("%d layers: error %v", maxLayers+1, err)
	}
}

// A file of NumPy's has no run.json: ReLU, and a linear output.
func TestModelWithoutRun(t *testing.T) {
	m, err := read(npzFile(t, npzMember{Name: "W1", Matrix: NewMatrix(2, 3)}, npzMember{Name: "b1", Matrix: NewMatrix(1, 3)},
		npzMember{Name: "W2", Matrix: NewMatrix(3, 1)}, npzMember{Name: "b2", Matrix: NewMatrix(1, 1)}))
	if err != nil || m.Net[0].Act != ReLU || m.Net[1].Act != Linear || m.Recipe != nil || m.Input.Mean != nil {
		t.Errorf("model %+v, error %v", m, err)
	}
}

// A Run that has not begun goes on from nothing, whatever network it is given.
func TestTrainedAnew(t *testing.T) {
	train, held := overfitted()
	c := Config{Rate: 1, Batch: 5, Validation: held, Patience: 5, Epochs: 20, Optimizer: Adam}
	net, other := NewNetwork(1, He, Tanh, 4, 20, 2), NewNetwork(1, He, Tanh, 4, 20, 2)
	mustTrain(t, net, train, c)
	for i, l := range other {
		copy(l.W.Data, net[i].W.Data)
		copy(l.B.Data, net[i].B.Data)
	}
	for _, n := range []Network{net, other} {
		mustTrain(t, n, train, c)
	}
	if net.Fingerprint() != other.Fingerprint() {
		t.Error("the network itself keeps something of the earlier run")
	}
	m := &Model{Net: net, Run: Run{Optimizer: "adam", slots: [maxSlots][]float64{{1}, {2}}, last: []float64{3}}}
	mustTrain(t, net, train, Config{Rate: 0.1, Batch: 5, Epochs: 1, Run: &m.Run})
	if arrays := m.arrays(); len(arrays) != 6 || m.Run.Optimizer != "sgd" {
		t.Errorf("a run of %s keeps %d arrays, want 4 and those of the history", m.Run.Optimizer, len(arrays))
	}
}

// A run that cannot go on says why.
func TestRunRefused(t *testing.T) {
	adam := func() *Model {
		m := &Model{Net: NewNetwork(1, He, ReLU, 4, 2)}
		mustTrain(t, m.Net, blobs(9), Config{Optimizer: Adam, Rate: 0.1, Batch: 3, Epochs: 3, Run: &m.Run})
		return m
	}
	for _, c := range []struct {
		want  string
		spoil func(m *Model, c *Config)
	}{
		{"Run: 3 epochs are trained already, Epochs is 2", func(m *Model, c *Config) { c.Epochs = 2 }},
		{`Run: its 3 epochs were trained by the optimizer "adam", not "momentum"`, func(m *Model, c *Config) { c.Optimizer = Momentum }},
		{"Run: it has running values in slot 2: true, for momentum want false", func(m *Model, c *Config) { c.Optimizer, m.Run.Optimizer = Momentum, "" }},
		{"Run: it has running values in slot 1: false, for adam want true", func(m *Model, c *Config) { c.Run = &Run{History: m.Run.History} }},
		{"Run: history: epoch 1 has statistics of 1 layers, the network has 2", func(m *Model, c *Config) { m.Net = NewNetwork(1, He, ReLU, 4, 3, 2) }},
		{"Run: m.W1 and so on have 10 elements, the network has 15", func(m *Model, c *Config) { m.Net = NewNetwork(1, He, ReLU, 4, 3) }},
		{"Run: last.W1 and so on have 14 elements, the network has 10", func(m *Model, c *Config) { m.Run.last = make([]float64, 14) }},
		{"Run: it was trained without Patience and has not kept its best weights", func(m *Model, c *Config) { c.Patience, c.Validation = 1, blobs(9) }},
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
	input := Standardization{[]float64{0, 0}, []float64{1, 1}}
	f.Add(written(f, &Model{Net: NewNetwork(1, He, Tanh, 2, 2), Input: input}))
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
	train, test := sampleDigits(t)
	m := &Model{Net: NewNetwork(1, He, ReLU, MNISTPixels, 32, 16, MNISTClasses)}
	m.Input = train.Stats()
	mustTrain(t, m.Net, train.Slice(0, 640), Config{Rate: 0.1, Epochs: 1, Batch: 64})
	var x, y Matrix
	test.Batch(&x, &y, shuffle(make([]int, 100), 0, 0, true))
	dir := t.TempDir()
	pixels := NewMatrix(100, MNISTPixels)
	for i, p := range test.Images[:100*MNISTPixels] {
		pixels.Data[i] = float64(p)
	}
	os.WriteFile(filepath.Join(dir, "model.npz"), written(t, m), 0o666)
	os.WriteFile(filepath.Join(dir, "ours.npz"), npzFile(t, npzMember{Name: "pixels", Matrix: pixels},
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

// NumPy's broadcasting computes all networks of an ensemble at once. The mean of their softmax
// is the answer.
func TestEnsembleInNumPy(t *testing.T) {
	python := withNumPy(t)
	targets := map[Task]Columns{
		Classes: nil, Labels: {{Name: "a", Values: []string{"n", "y"}}, {Name: "b", Values: []string{"n", "y"}}},
		Numbers: {{Name: "a", Mean: []float64{3}, Std: []float64{2}}, {Name: "b", Mean: []float64{-1}, Std: []float64{0.5}}},
	}
	dir := t.TempDir()
	script := "import numpy as np\n"
	for task, answer := range map[Task]string{
		Classes: "(lambda E: E / E.sum(axis=-1, keepdims=True))(np.exp(Z)).mean(axis=0)", Labels: "(1 / (1 + np.exp(-Z))).mean(axis=0)",
		Numbers: `Z.mean(axis=0) * p["target_std"] + p["target_mean"]`,
	} {
		m := &Model{Net: NewNetwork(1, He, ReLU, 9, 5, 2), Targets: targets[task]}
		for i := range 2 {
			m.Others = append(m.Others, Member{Net: NewNetwork(uint64(2+i), He, ReLU, 9, 5, 2)})
		}
		values := []float64{1, 5, math.NaN(), 2, 9, 2, 3, 7}
		number, err := FitColumn("n", nil, values, 3)
		if err != nil {
			t.Fatal(err)
		}
		category, err := FitColumn("c", []string{"x", "y", "z"}, []float64{0, 1, 1, 2, 2, math.NaN(), 2, 0, 0}, 0)
		category.Gaps, category.Mean, category.Std = true, append(category.Mean, 0.25), append(category.Std, 0.5)
		m.Columns = Columns{number, category}
		raw := NewMatrix(len(values), 2)
		for i, v := range values {
			raw.Row(i)[0], raw.Row(i)[1] = v, float64(i%4)
			if i%4 == 3 {
				raw.Row(i)[1] = math.NaN()
			}
		}
		if m, err = read(written(t, m)); err != nil {
			t.Fatal(err)
		}
		y := m.Predict(new(Matrix), raw)
		switch task {
		case Classes:
			y.Softmax()
		case Labels:
			Sigmoid.Forward(y.Data)
		}
		model, ours := filepath.Join(dir, fmt.Sprintf("model%d.npz", task)), filepath.Join(dir, fmt.Sprintf("ours%d.npz", task))
		os.WriteFile(model, written(t, m), 0o666)
		os.WriteFile(ours, npzFile(t, npzMember{Name: "raw", Matrix: raw}, npzMember{Name: "y", Matrix: y}), 0o666)
		script += fmt.Sprintf("p, ours = np.load(%q), np.load(%q)", model, ours) + `
v, c = ours["raw"].T
gap, e = np.isnan(v), p["edges"][0][~np.isnan(p["edges"][0])]
X = np.column_stack([v, np.clip((v[:, None] - e[:-1]) / np.diff(e), 0, 1)])
C = c[:, None] == np.arange(3)
X = (np.column_stack([X, gap, C, np.isnan(c)]) - p["mean"]) / p["std"]
X[:, :4][gap], X[:, 5:8][np.isnan(c)] = 0, 0
A = np.maximum(0, X @ p["W1"] + p["b1"])
Z = A @ p["W2"] + p["b2"]
print(p["W1"].shape, np.abs(` + answer + ` - ours["y"]).max() <= 1e-12)
`
	}
	out, err := exec.Command(python, "-c", script).CombinedOutput()
	if err != nil || strings.Count(string(out), "(3, 9, 5) True") != 3 {
		t.Errorf("NumPy says %s (%v)", out, err)
	}
}

// What a file of an ensemble cannot have.
func TestEnsembleRefused(t *testing.T) {
	member := func(name string, stack, rows, cols int) npzMember {
		return npzMember{Name: name, Matrix: NewMatrix(rows, cols), Stack: stack}
	}
	for want, members := range map[string][]npzMember{
		"b1: the first of three axes is 3, that of W1 is 2": {member("W1", 2, 4, 3), member("b1", 3, 3, 3)},
		"b1: the first of three axes is 0, that of W1 is 2": {member("W1", 2, 4, 3), member("b1", 0, 1, 3)},
		"b1: three axes, W1 has two":                        {member("W1", 0, 2, 3), member("b1", 2, 2, 3)},
		"W1: of 1001 networks, more than 1000":              {member("W1", 1001, 1001, 1)},
		"b1: 2×3, want 1×3":                                 {member("W1", 2, 4, 3), member("b1", 2, 4, 3)},
	} {
		if _, err := read(npzFile(t, members...)); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	m, err := read(npzFile(t, member("W1", 2, 4, 3), member("b1", 2, 2, 3)))
	if err != nil || len(m.Others) != 1 {
		t.Fatal(err)
	}
	m.Others[0].Net = NewNetwork(1, He, ReLU, 2, 4)
	if err := m.Write(io.Discard); err == nil || err.Error() != "network 2: layer 1 is not like that of network 1" {
		t.Errorf("error %v", err)
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
	mustTrain(t, copied, blobs(20), Config{Rate: 0.1, Epochs: 1, Batch: 5})
	if net.Fingerprint() != before || copied.Fingerprint() == before {
		t.Error("training the copy trains the network")
	}
}

// Without its run a model's file has the weights and little else.
func TestModelForUse(t *testing.T) {
	m := &Model{Net: NewNetwork(1, He, ReLU, 100, 50, 2)}
	n := length(m.Net.parts())
	m.Run = Run{slots: [maxSlots][]float64{make([]float64, n), make([]float64, n)}}
	whole := len(written(t, m))
	m.Run = Run{}
	file := written(t, m)
	if len(file) > 8*n+2000 || whole < 3*8*n {
		t.Errorf("%d bytes for weights of %d, with the run %d", len(file), 8*n, whole)
	}
	if again, err := read(file); err != nil || again.Net.Fingerprint() != m.Net.Fingerprint() {
		t.Errorf("read again: error %v", err)
	}
}

func TestModelFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "m.npz")
	if _, err := ReadModelFile(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
	m := &Model{Net: NewNetwork(1, He, ReLU, 4, 3, 2)}
	want := m.Net.Fingerprint()
	for range 2 { // the second replaces the first
		if err := m.WriteFile(name); err != nil {
			t.Fatal(err)
		}
	}
	// What cannot be written leaves the earlier file.
	m.Net[0].W.Data[0] = math.NaN()
	if err := m.WriteFile(name); err == nil || err.Error() != name+": W1: element (0, 0) is NaN" {
		t.Errorf("a model with NaN: error %v", err)
	}
	if again, err := ReadModelFile(name); err != nil || again.Net.Fingerprint() != want {
		t.Errorf("read again: error %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files are left, want 1", len(files))
	}
	m.Net[0].W.Data[0] = 0
	if err := m.WriteFile(filepath.Join(dir, "none", "m.npz")); !errors.Is(err, fs.ErrNotExist) || strings.Contains(err.Error(), ".m.npz") {
		t.Errorf("no folder: error %v", err)
	}
	pipe := filepath.Join(dir, "pipe") // to open it would wait for its other end
	notFiles := map[string]string{"a folder, want a file": dir, "not a regular file": pipe}
	if exec.Command("mkfifo", pipe).Run() != nil {
		delete(notFiles, "not a regular file")
	}
	for what, name := range notFiles {
		_, err := ReadModelFile(name)
		for _, err := range []error{err, m.WriteFile(name)} {
			if fmt.Sprint(err) != name+": "+what {
				t.Errorf("error %v, want %s", err, what)
			}
		}
	}
	if err := os.WriteFile(name, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadModelFile(name); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
		t.Errorf("no archive: error %v", err)
	}
}

// A file that is replaced keeps its permissions, and a link stays a link.
func TestModelFileReplaced(t *testing.T) {
	dir := t.TempDir()
	file, link, nowhere := filepath.Join(dir, "folder", "m.npz"), filepath.Join(dir, "link"), filepath.Join(dir, "nowhere")
	os.Mkdir(filepath.Dir(file), 0o777)
	os.WriteFile(file, nil, 0o600)
	if err := errors.Join(os.Chmod(file, 0o600), os.Symlink(filepath.Join("folder", "m.npz"), link), os.Symlink("none", nowhere)); err != nil {
		t.Skip(err)
	}
	m := &Model{Net: NewNetwork(1, He, ReLU, 4, 3, 2)}
	if err := m.WriteFile(link); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().Type() != fs.ModeSymlink {
		t.Errorf("the link is %v, error %v", info.Mode(), err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
		t.Errorf("the file is %v, error %v", info.Mode(), err)
	}
	if _, err := ReadModelFile(file); err != nil {
		t.Error(err)
	}
	if err := m.WriteFile(nowhere); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a link to nowhere: error %v", err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "folder", ".*"))
	if len(files) > 0 {
		t.Errorf("hidden files are left: %q", files)
	}
}

// A writer that begins while another writes does not disturb it.
func TestWriteFileTwice(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	holds := func(want string) {
		t.Helper()
		if text, err := os.ReadFile(name); string(text) != want {
			t.Errorf("the file holds %q, want %q, error %v", text, want, err)
		}
	}
	err := WriteFile(name, func(w io.Writer) error {
		io.WriteString(w, "outer ")
		err := WriteFile(name, func(w io.Writer) error { _, err := io.WriteString(w, "inner"); return err })
		holds("inner")
		io.WriteString(w, "writer")
		return err
	})
	if err != nil {
		t.Error(err)
	}
	holds("outer writer")
}

// A file that is replaced while it is read is read as it was, or as it is now.
func TestReadModelFileReplaced(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("an open file is not replaced there")
	}
	name := filepath.Join(t.TempDir(), "m.npz")
	files := [][]byte{written(t, &Model{Net: NewNetwork(1, He, ReLU, 4, 2)}), written(t, &Model{Net: NewNetwork(1, He, ReLU, 4, 3, 2)})}
	replace := func(i int) {
		if err := errors.Join(os.WriteFile(name+".tmp", files[i%2], 0o666), os.Rename(name+".tmp", name)); err != nil {
			t.Error(err)
		}
	}
	replace(0)
	var done atomic.Bool
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for i := 0; !done.Load(); i++ {
			replace(i)
		}
	}()
	for range 1000 {
		if _, err := ReadModelFile(name); err != nil {
			t.Error(err)
			break
		}
	}
	done.Store(true)
	<-stopped
}

// A temperature divides logits, also those of an ensemble, and is in the file. A temperature or
// margins that do not fit are refused.
func TestTemperature(t *testing.T) {
	yes := []string{"no", "yes"}
	x := fill(NewMatrix(5, 3), newRand())
	for _, targets := range []Columns{nil, {{Name: "a", Values: yes}, {Name: "b", Values: yes}}} {
		m := &Model{Net: NewNetwork(1, He, ReLU, 3, 2), Others: []Member{{Net: NewNetwork(2, He, ReLU, 3, 2)}}, Targets: targets}
		want := m.Predict(new(Matrix), x)
		m.Temperature = 1.25
		var b bytes.Buffer
		if err := m.Write(&b); err != nil {
			t.Fatal(err)
		}
		got, err := ReadModel(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got.Predict(new(Matrix), x).Data {
			if v != want.Data[i]/1.25 {
				t.Errorf("%v, without the temperature %v", v, want.Data[i])
			}
		}
	}
	for _, v := range []float64{-1, 1e-4, 1e4, math.NaN(), math.Inf(1)} {
		m := &Model{Net: NewNetwork(1, He, ReLU, 3, 2), Temperature: v}
		if err := m.Write(io.Discard); err == nil || !strings.HasPrefix(err.Error(), "a temperature of ") {
			t.Errorf("%v: error %v", v, err)
		}
	}
	number := Columns{quantity("y", 0, 1)}
	for want, m := range map[string]Model{
		"it has a temperature": {Targets: number, Temperature: 2},
		"it has margins":       {Margins: []float64{1}},
		"2 margins for 1":      {Targets: number, Margins: []float64{1, 2}},
		"margins of [-1]":      {Targets: number, Margins: []float64{-1}},
		"margins of [+Inf]":    {Targets: number, Margins: []float64{math.Inf(1)}},
	} {
		m.Net = NewNetwork(1, He, ReLU, 3, 1)
		if err := m.Write(io.Discard); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
