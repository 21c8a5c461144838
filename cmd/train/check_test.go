package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"mlp"
)

// backward is another backward pass, for layers of ReLU and a linear output, which has
// one of five bugs or none.
func backward(net mlp.Network, x, dy *mlp.Matrix, bug string) {
	inputs := []*mlp.Matrix{x}
	for _, l := range net[:len(net)-1] {
		z := new(mlp.Matrix).Mul(inputs[len(inputs)-1], &l.W)
		for i := range z.Data {
			z.Data[i] = max(0, z.Data[i]+l.B.Data[i%z.Cols])
		}
		inputs = append(inputs, z)
	}
	d := dy
	for i, l := range slices.Backward(net) {
		l.DW.TMul(inputs[i], d)
		clear(l.DB.Reset(1, l.W.Cols).Data)
		for r := range d.Rows {
			for j, v := range d.Row(r) {
				l.DB.Data[j] += v
			}
		}
		switch {
		case bug == "not divided" && i == 1:
			for j := range l.DW.Data {
				l.DW.Data[j] *= float64(x.Rows)
			}
		case bug == "slightly off" && i == 1:
			for j := range l.DW.Data {
				l.DW.Data[j] *= 1.001
			}
		case bug == "bias forgotten":
			clear(l.DB.Data)
		}
		weights := mlp.NewMatrix(l.W.Rows, l.W.Cols, l.W.Data...)
		if bug == "wrong row" {
			copy(weights.Row(3), l.W.Row(4))
		}
		below := new(mlp.Matrix).MulT(d, weights)
		for j, a := range inputs[i].Data {
			if i > 0 && a == 0 && bug != "no mask" {
				below.Data[j] = 0
			}
		}
		d = below
	}
}

// The tests pass a right gradient and find each of five bugs, also if the biases are
// zero, as before training.
func TestCheckCatches(t *testing.T) {
	caught := map[string]bool{}
	for _, biases := range []float64{0, 0.1} {
		for _, bug := range []string{"", "no mask", "not divided", "bias forgotten", "wrong row", "slightly off"} {
			rng := rand.New(rand.NewPCG(1, 1))
			net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, 20, 12, 8, 3)
			x, y := mlp.NewMatrix(16, 20), mlp.NewMatrix(16, 3)
			for i := range x.Data {
				x.Data[i] = rng.NormFloat64()
			}
			for i := range y.Rows {
				y.Row(i)[rng.IntN(3)] = 1
			}
			for _, l := range net {
				for j := range l.B.Data {
					l.B.Data[j] = biases * rng.NormFloat64()
				}
			}
			var dy mlp.Matrix
			mlp.SoftmaxCrossEntropy(&dy, net.Forward(x), y)
			backward(net, x, &dy, bug)
			g := &gradientTest{context.Background(), net, x, y, mlp.SoftmaxCrossEntropy, io.Discard}
			balance, differences := g.balance(), g.differences(1)
			if bug == "" && (balance != nil || differences != nil) {
				t.Errorf("a right gradient is refused: %v, %v", balance, differences)
			}
			if bug != "" && differences == nil {
				t.Errorf("biases %v: %s is not seen in the differences", biases, bug)
			}
			caught[bug] = caught[bug] || balance != nil
		}
	}
	// The balance has the bias in it, so that each of these bugs disturbs it.
	for _, bug := range []string{"no mask", "not divided", "bias forgotten", "wrong row"} {
		if !caught[bug] {
			t.Errorf("%s is not seen in the balance", bug)
		}
	}
}

// -check prints both tests and changes nothing, not even running averages.
func TestCheck(t *testing.T) {
	variants := []string{"", "-act sigmoid", "-hidden 30,30,30 -init small -norm batch"}
	if os.Getenv("MLP_ATTACK") != "" {
		variants = append(variants, "-norm batch", "-hidden 30,30,30,30,30 -init small",
			"-hidden 30,30,30,30,30,30,30,30,30,30 -init small", "-hidden 30,30,30,30,30,30,30,30,30,30 -init small -norm batch")
	}
	for _, more := range variants {
		flags := quick(append(strings.Fields(more), "-epochs", "1", "-out", t.TempDir())...)
		want := must(t, flags...)
		var stdout strings.Builder
		stderr, code := command(t, context.Background(), &stdout, append(flags, "-check")...)
		if code != 0 || stdout.String() != want {
			t.Errorf("%s: exit code %d, %s%s, without -check %s", more, code, stderr, stdout.String(), want)
		}
		first := "check: layer 1, ⟨W,∇W⟩"
		if strings.Contains(more, "norm") || strings.Contains(more, "sigmoid") {
			first = "nothing to balance"
		}
		if !strings.Contains(stderr, first) || !strings.Contains(stderr, "derivatives agree with central differences") {
			t.Errorf("%s: standard error\n%s", more, stderr)
		}
	}
	out := t.TempDir()
	must(t, quick("-out", out)...)
	stderr, code := command(t, context.Background(), io.Discard, "-verify", out+"/model.npz", "-check")
	if code != 0 || !strings.Contains(stderr, "derivatives agree with central differences") {
		t.Errorf("-verify: exit code %d, %s", code, stderr)
	}
	refused(t, []string{"-limit", "1", "-norm", "batch", "-out", out}, "two images or more in a step: -batch is 64, and there are 1 to train on")
}

// Derivatives that the rounding of the losses hides are counted apart from those that
// agree.
func TestCheckCounts(t *testing.T) {
	net := mlp.NewNetwork(1, mlp.He, mlp.Tanh, 4, 3, 2)
	clear(net[1].W.Data) // so that the first layer's gradient is 0
	x, y := mlp.NewMatrix(1, 4, 1, 2, 3, 4), mlp.NewMatrix(1, 2, 1, 0)
	var dy mlp.Matrix
	mlp.SoftmaxCrossEntropy(&dy, net.Forward(x), y)
	net.Backward(&dy)
	var text strings.Builder
	g := &gradientTest{context.Background(), net, x, y, mlp.SoftmaxCrossEntropy, &text}
	if err := g.differences(1); err != nil {
		t.Fatal(err)
	}
	if got := text.String(); !strings.HasPrefix(got, "check: 64 derivatives agree ") || !strings.HasSuffix(got, "; 64 more are too small to compare\n") {
		t.Errorf("it says %q", got)
	}
}

// With -patience the best network is kept, and the last lines are about it.
func TestPatience(t *testing.T) {
	out := t.TempDir()
	var stdout strings.Builder
	stderr, code := command(t, context.Background(), &stdout, "-limit", "400", "-hidden", "64", "-init", "he", "-opt", "adam",
		"-lr", "0.01", "-epochs", "200", "-patience", "3", "-out", out)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	m := readBack(t, out+"/model.npz")
	best := m.Run.History.Best()
	lines := strings.Split(stdout.String(), "\n")
	if len(m.Run.History) != best.N+3 || len(lines) != len(m.Run.History)+3 {
		t.Fatalf("%d epochs, the best is %d, %d lines", len(m.Run.History), best.N, len(lines))
	}
	final := strings.TrimPrefix(lines[len(lines)-3], "Final ")
	if !strings.HasSuffix(lines[best.N-1], final) || hash(stdout.String()) != m.Net.Fingerprint() {
		t.Errorf("%q and %q", lines[best.N-1], final)
	}
	if !strings.Contains(stderr, "held out: 40 more") || !strings.Contains(stderr, "kept: epoch ") {
		t.Errorf("standard error: %s", stderr)
	}
	refused(t, []string{"-limit", "9", "-patience", "3", "-out", t.TempDir()}, "-patience needs at least 10 training images, there are 9")
	stderr, code = command(t, context.Background(), io.Discard, "-resume", out+"/model.npz", "-epochs", "300")
	if want := fmt.Sprintf("the run is finished after epoch %d of 300: there is nothing left to train", len(m.Run.History)); code != 0 || !strings.Contains(stderr, want) {
		t.Errorf("resumed: exit code %d, %s", code, stderr)
	}
}
