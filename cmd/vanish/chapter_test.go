package main

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/mnist"
)

// readFile returns the text of a file of the module.
func readFile(t *testing.T, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{"../.."}, name...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The command prints testdata/vanish.txt and draws the sheets in testdata/svg. The two
// short experiments are repeated here, in CI all six.
func TestTranscript(t *testing.T) {
	if testing.Short() || mlp.Kernel() == "Go" {
		t.Skip("the kernel in Go would take minutes; TestOneHash covers it")
	}
	out, want := t.TempDir(), readFile(t, "testdata", "vanish.txt")
	runs := [][]string{{"article"}, {"init"}}
	if os.Getenv("MLP_ATTACK") != "" {
		runs = [][]string{nil}
	}
	for _, names := range runs {
		stdout, stderr, code := command(t, context.Background(), append(names, "-out", out)...)
		text, hash, _ := strings.Cut(stdout, "\nResults SHA-256: ")
		if code != 0 || text == "" || !strings.Contains(want, text+"\n") || names == nil && !strings.HasSuffix(want, hash) {
			t.Errorf("%v: exit code %d, %s\n%s", names, code, stderr, stdout)
		}
	}
	sheets, _ := filepath.Glob(filepath.Join(out, "*.svg"))
	if len(sheets) != 2 && len(sheets) != 7 {
		t.Errorf("sheets %v", sheets)
	}
	for _, name := range sheets {
		sheet, err := os.ReadFile(name)
		if err != nil || string(sheet) != readFile(t, "testdata", "svg", filepath.Base(name)) {
			t.Errorf("%s is not the one in testdata/svg (error %v)", name, err)
		}
	}
}

// sampleLab is a lab with the sample in the program.
func sampleLab(t *testing.T) *lab {
	t.Helper()
	l, err := newLab(context.Background(), &options{seed: 1, out: t.TempDir()}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// The published values lie among ours. If one is not Nielsen's, or a formula is not, one
// does not. CI asks for this test by name.
func TestNielsen(t *testing.T) {
	if os.Getenv("MLP_ATTACK") == "" {
		t.Skip("$MLP_ATTACK is not set")
	}
	l := sampleLab(t)
	l.seed = 7 // which has no part in it
	first := mlp.SamplesOf(l.train.Slice(0, few))
	he := func(seed uint64, layers int) mlp.Network {
		net := nielsenNetwork(seed, layers)
		for _, layer := range net {
			for i := range layer.W.Data {
				layer.W.Data[i] *= math.Sqrt2
			}
		}
		return net
	}
	for _, c := range []struct {
		what    string
		values  []float64
		network func(seed uint64, layers int) mlp.Network
		loss    mlp.Loss
		all     bool
	}{
		{"Nielsen", published[0], nielsenNetwork, nielsenLoss, true},
		{"a value that he did not publish", []float64{0.0657, 0.309 * 1.5}, nielsenNetwork, nielsenLoss, false},
		{"the mean over the outputs for their sum", published[0], nielsenNetwork, mlp.SigmoidCrossEntropy, false},
		{"weights from N(0, 2/fan-in)", published[1], he, nielsenLoss, false},
	} {
		ours, err := l.norms(len(c.values), c.network, c.loss, first)
		if err != nil {
			t.Fatal(err)
		}
		passed := 0
		for i, v := range c.values {
			slices.Sort(ours[i])
			if percentile(ours[i], low) <= v && v <= percentile(ours[i], high) {
				passed++
			}
		}
		if (passed == len(c.values)) != c.all {
			t.Errorf("%s: %d of %d values pass", c.what, passed, len(c.values))
		}
	}
	published[0][1] *= 1.5
	defer func() { published[0][1] /= 1.5 }()
	want := "2 hidden layers, layer 2: the published 0.464 lies outside our range of 0.171 to 0.424"
	if _, _, err := l.comparePublished(l.train.Slice(0, few)); err == nil || err.Error() != want {
		t.Errorf("a value that he did not publish: %v", err)
	}
}

// Nielsen's thousand digits are the first of the sample, and the first of full MNIST's. With
// others nothing is compared, and that is no error.
func TestNielsenDigits(t *testing.T) {
	l := sampleLab(t)
	if !isMNIST(l.train.Slice(0, few)) {
		t.Error("the sample's are others")
	}
	sentence, compared, err := l.comparePublished(l.train.Slice(1, 1+few))
	if err != nil || compared || l.text.Len() > 0 || !strings.HasSuffix(sentence, "These digits are others, so the values are not compared.") {
		t.Errorf("it says %q, error %v", sentence, err)
	}
	if dir := os.Getenv("MNIST_DIR"); dir != "" {
		if full, err := mnist.Load(dir, "train", few); err != nil || !isMNIST(full) {
			t.Errorf("full MNIST's are others, error %v", err)
		}
	}
}

func TestPercentile(t *testing.T) {
	var sorted []float64
	for i := range 200 {
		sorted = append(sorted, float64(i+1))
	}
	for p, want := range map[int]float64{1: 2, 50: 100, 99: 198, 100: 200} {
		if got := percentile(sorted, p); got != want {
			t.Errorf("percentile %d of 1 to 200 is %v, want %v", p, got, want)
		}
	}
}

// The biases of Nielsen's networks are N(0, 1), each its own, and no weights.
func TestNielsenBiases(t *testing.T) {
	var all []float64
	for seed := range uint64(50) {
		for _, l := range nielsenNetwork(seed, 4) {
			all = append(all, l.B.Data...)
		}
	}
	n, squares := float64(len(all)), norm(all)
	if deviation := squares / math.Sqrt(n); math.Abs(deviation-1) > 3/math.Sqrt(2*n) {
		t.Errorf("the deviation of %v biases is %v", n, deviation)
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != int(n) {
		t.Error("biases are drawn twice")
	}
}

// The caption follows from the statistics.
func TestSentences(t *testing.T) {
	alike := mlp.LayerStats{GradMeanAbs: 1, GradNorm: 1, DeltaNorm: 1, UpdateRatio: 1}
	m := &reading{beginning: beginnings[0], layers: []mlp.LayerStats{alike, alike}, size: []float64{8, 2}, input: []float64{6, 2}}
	want := "small, layer 1 against 2: mean |∇W| the same, ‖∇W‖ the same, ‖δ‖ the same, ‖ΔW‖/‖W‖ the same."
	if s := m.sentences(); len(s) != 1 || s[0] != want {
		t.Errorf("if all agree it says %q", s)
	}
	m.layers[0] = mlp.LayerStats{GradMeanAbs: 0.25, GradNorm: 2, DeltaNorm: 0.1, UpdateRatio: 0.2}
	s := strings.Join(m.sentences(), "\n")
	for _, text := range []string{"mean |∇W| 4 times smaller, ‖∇W‖ 2 times larger, ‖δ‖ 10 times smaller, ‖ΔW‖/‖W‖ 5 times smaller",
		"mean |∇W| and ‖∇W‖ disagree: W1 has 4 times the elements of W2", "√4 = 2.0 times smaller",
		"‖∇W‖ and ‖δ‖ disagree: ∇W = xᵀδ; ‖x‖, layer 1 against 2: 3 times larger.", "‖W‖, layer 1 against 2: 10 times larger."} {
		if !strings.Contains(s, text) {
			t.Errorf("%q is not in\n%s", text, s)
		}
	}
	m.input[1] = 6
	if s, want := strings.Join(m.sentences(), "\n"), "‖x‖, layer 1 against 2: the same."; !strings.Contains(s, want) {
		t.Errorf("%q is not in\n%s", want, s)
	}
}

// A network whose training diverges has no accuracy, and the table and the caption say so.
func TestDiverged(t *testing.T) {
	l := sampleLab(t)
	l.train = l.train.Slice(0, few)
	train, test := standardized(l.train.Stats(), l.train, l.test)
	net := beginnings[2].network(1, mlp.ReLU, hidden(1)...)
	for i := range net[1].W.Data {
		net[1].W.Data[i] *= 1e200
	}
	o, err := l.learn(net, train, test, mlp.Config{Epochs: 1}, 1)
	if diverged := new(mlp.DivergedError); !errors.As(err, &diverged) || o.weights != "" || o.accuracy == o.accuracy {
		t.Errorf("accuracy %v, weights %q, error %v", o.accuracy, o.weights, err)
	}
	var all outcomes
	o.ratio = 0.5
	all[2][2][deepest-1] = o
	if f := l.showDepth(&all); !strings.Contains(l.text.String(), " 0.5 · diverged") || !strings.Contains(f.Caption, "he 0.5 and diverged,") {
		t.Errorf("nothing says that training diverged:\n%s", l.text.String())
	}
}

// The share of blank pixels is of those that never vary, whatever the gradient is.
func TestConstantPixels(t *testing.T) {
	if got := constant(mlp.Standardization{Std: []float64{0, 0, 1e-9, 0}}); got != 0.75 {
		t.Errorf("the share is %v, want 0.75", got)
	}
}

func TestTimes(t *testing.T) {
	for ratio, want := range map[float64]string{1.04: "the same", 0.96: "the same", 0.01: "100 times smaller", 0.8: "1.25 times smaller", 1.2: "1.2 times larger", 2.5: "2.5 times larger",
		0: "incomparable", math.Inf(1): "incomparable", math.NaN(): "incomparable"} {
		if got := times(ratio); got != want {
			t.Errorf("%v is %q, want %q", ratio, got, want)
		}
	}
}
