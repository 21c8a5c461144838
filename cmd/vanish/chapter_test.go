package main

import (
	"context"
	"math"
	"math/rand/v2"
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

// section is what an experiment has printed.
func section(stdout, name string) string {
	_, rest, _ := strings.Cut("\n"+stdout, "\n"+name+": ")
	for _, e := range experiments {
		rest, _, _ = strings.Cut(rest, "\n"+e.name+": ")
	}
	rest, _, _ = strings.Cut(rest, "\nResults SHA-256: ")
	return rest
}

// The command prints testdata/vanish.txt and draws the sheets in testdata/svg. The two
// short experiments are repeated here, in CI all five.
func TestTranscript(t *testing.T) {
	if testing.Short() || mlp.Kernel() == "Go" {
		t.Skip("the kernel in Go would take minutes; TestOneHash covers it")
	}
	names := []string{"article", "init"}
	if os.Getenv("MLP_ATTACK") != "" {
		names = []string{"depth", "article", "nielsen", "init", "data"}
	}
	out, want := t.TempDir(), readFile(t, "testdata", "vanish.txt")
	stdout, stderr, code := command(t, context.Background(), append([]string{"-out", out}, names...)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	for _, e := range experiments {
		if !slices.Contains(names, e.name) {
			continue
		}
		if got := section(stdout, e.name); got == "" || got != section(want, e.name) {
			t.Errorf("%s prints\n%s, want\n%s", e.name, got, section(want, e.name))
		}
		for _, name := range e.sheets {
			sheet, err := os.ReadFile(filepath.Join(out, name))
			if err != nil || string(sheet) != readFile(t, "testdata", "svg", name) {
				t.Errorf("%s is not the one in testdata/svg (error %v)", name, err)
			}
		}
	}
	if len(names) == len(experiments) && stdout != want {
		t.Errorf("it ends with %q, want %q", stdout[len(stdout)-82:], want[len(want)-82:])
	}
}

// nielsenLab is a lab with digits from a folder, and the batch of the comparison.
func nielsenLab(t *testing.T, dir string) (l *lab, data *mlp.MNIST, x, y *mlp.Matrix) {
	t.Helper()
	l, err := newLab(context.Background(), &options{data: dir, out: t.TempDir()}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	data = l.train.Slice(0, few)
	x, y = mnist.FirstBatch(data, few)
	return l, data, x, y
}

// The published values for 2 hidden layers lie among ours, and a value that Nielsen did
// not publish does not. TestTranscript compares all of them in CI.
func TestNielsen(t *testing.T) {
	l, data, _, _ := nielsenLab(t, "")
	l.seed = 7 // which has no part in it
	defer func(v [][]float64) { published = v }(published)
	published = published[:1]
	_, compared, err := l.comparePublished(data)
	_, table, _ := strings.Cut(section(readFile(t, "testdata", "vanish.txt"), "nielsen"), "\n")
	if got := strings.TrimSuffix(l.text.String(), "\n"); err != nil || !compared || !strings.HasPrefix(table, got) {
		t.Errorf("error %v, and\n%s, want\n%s", err, got, table)
	}
	published = [][]float64{{0.0657, 0.309 * 1.5}}
	if _, _, err := l.comparePublished(data); err == nil || !strings.Contains(err.Error(), "2 hidden layers, layer 2: the published 0.464 lies outside our range of 0.171 to 0.424") {
		t.Errorf("a value that he did not publish: %v", err)
	}
}

// Formulas that are not Nielsen's fail the comparison.
func TestNielsenWrong(t *testing.T) {
	l, _, x, y := nielsenLab(t, "")
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
		layers  int
		network func(seed uint64, layers int) mlp.Network
		loss    mlp.Loss
	}{
		{"the mean over the outputs for their sum", 2, nielsenNetwork, mlp.SigmoidCrossEntropy},
		{"weights from N(0, 2/fan-in)", 3, he, nielsenLoss},
	} {
		ours, err := l.norms(c.layers, c.network, c.loss, x, y)
		if err != nil {
			t.Fatal(err)
		}
		passed := 0
		for i, v := range published[c.layers-2] {
			slices.Sort(ours[i])
			if percentile(ours[i], low) <= v && v <= percentile(ours[i], high) {
				passed++
			}
		}
		if passed == c.layers {
			t.Errorf("%s passes", c.what)
		}
		t.Logf("%s: %d of %d values pass", c.what, passed, c.layers)
	}
}

// Nielsen's thousand digits are the first of full MNIST's.
func TestNielsenFullMNIST(t *testing.T) {
	dir := os.Getenv("MNIST_DIR")
	if _, err := os.Stat(filepath.Join(dir, "train-images-idx3-ubyte.gz")); err != nil {
		t.Skip("$MNIST_DIR does not name a folder of full MNIST")
	}
	l, data, _, _ := nielsenLab(t, dir)
	if _, compared, err := l.comparePublished(data); err != nil || !compared {
		t.Errorf("compared %v, error %v", compared, err)
	}
}

// With other digits nothing is compared, and that is no error.
func TestNielsenOtherDigits(t *testing.T) {
	sample, err := mnist.Load("", "train", 2*few)
	if err != nil {
		t.Fatal(err)
	}
	for first, want := range map[int]bool{0: true, 1: false} {
		if got := isMNIST(sample.Slice(first, first+few)); got != want {
			t.Errorf("the sample from digit %d on: compared %v, want %v", first, got, want)
		}
	}
	l, _, _, _ := nielsenLab(t, "")
	sentence, compared, err := l.comparePublished(sample.Slice(1, 1+few))
	if err != nil || compared || l.text.Len() > 0 || !strings.HasSuffix(sentence, "These digits are others, so the values are not compared.") {
		t.Errorf("it says %q, error %v", sentence, err)
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
	if got := percentile([]float64{3, 4, 5}, 50); got != 4 {
		t.Errorf("the median of 3, 4, 5 is %v", got)
	}
}

// The norm is right if the squares of the elements are not, and the bits of other norms
// are those of √Σv².
func TestNorm(t *testing.T) {
	for _, c := range []struct {
		v    []float64
		want float64
	}{
		{nil, 0}, {[]float64{0, 0}, 0}, {[]float64{3, -4}, 5},
		{[]float64{3e-200, 4e-200}, 5e-200}, {[]float64{3e-160, 4e-160}, 5e-160}, {[]float64{-3e200, 4e200}, 5e200}, {[]float64{5e-324, 0}, 5e-324},
		{[]float64{math.MaxFloat64, 0}, math.MaxFloat64},
		{[]float64{1, math.Inf(-1)}, math.Inf(1)}, {[]float64{1, math.NaN()}, math.NaN()}, {[]float64{1e200, math.NaN()}, math.NaN()},
	} {
		got := norm(c.v)
		if same := got != got && c.want != c.want || math.Abs(got-c.want) <= 1e-15*c.want || got == c.want; !same {
			t.Errorf("the norm of %v is %v, want %v", c.v, got, c.want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 1000 {
		v, squares := make([]float64, 30), 0.0
		scale := math.Pow(10, float64(rng.IntN(200)-100))
		for i := range v {
			v[i] = scale * rng.NormFloat64()
			squares += float64(v[i] * v[i])
		}
		if got := norm(v); got != math.Sqrt(squares) {
			t.Fatalf("the norm of %v is %v, want %v", v, got, math.Sqrt(squares))
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
	l, data, _, _ := nielsenLab(t, "")
	train, test := standardized(data.Stats(), data, l.test)
	net := beginnings[2].network(1, mlp.ReLU, hidden(1)...)
	for i := range net[1].W.Data {
		net[1].W.Data[i] *= 1e200
	}
	var all outcomes
	o := &all[2][2][deepest-1]
	o.ratio = 0.5
	if err := l.fit(o, net, train, test); err != nil || o.weights != "" || o.accuracy == o.accuracy {
		t.Errorf("accuracy %v, weights %q, error %v", o.accuracy, o.weights, err)
	}
	l.depthTables(&all)
	if text := l.text.String() + strings.Join(depthSentences(&all), "\n"); !strings.Contains(text, " 0.5 · diverged") || !strings.Contains(text, "he 0.5 and diverged,") {
		t.Errorf("nothing says that training diverged:\n%s", text)
	}
}

// The share of blank pixels is of those that never vary, whatever the gradient is.
func TestConstantPixels(t *testing.T) {
	digits := &mlp.MNIST{Images: make([]byte, 2*mlp.MNISTPixels), Labels: make([]byte, 2)}
	for i := range mlp.MNISTPixels {
		digits.Images[i], digits.Images[mlp.MNISTPixels+i] = 7, 7
	}
	for i := range mlp.MNISTPixels / 4 {
		digits.Images[i] = 8
	}
	if got := constantPixels(digits); got != 0.75 {
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
