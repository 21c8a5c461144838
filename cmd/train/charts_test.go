package main

import (
	"math"
	"testing"

	"mlp"
)

// The figures show what the history has.
func TestCharts(t *testing.T) {
	nan := math.NaN()
	first := []mlp.LayerStats{{GradMeanAbs: 1, GradNorm: 2, DeltaNorm: 3, UpdateRatio: 4, ActivationStd: 9}, {GradMeanAbs: 5, GradNorm: 6, DeltaNorm: 7, UpdateRatio: 8, ActivationStd: 10}}
	h := mlp.History{
		{N: 1, Loss: 10, TestLoss: 11, HeldLoss: nan, Accuracy: 0.1, TestAccuracy: 0.2, First: first,
			Layers: []mlp.LayerStats{{DeltaNorm: 31, UpdateRatio: 41}, {DeltaNorm: 71, UpdateRatio: 81}}},
		{N: 2, Loss: 20, TestLoss: 21, HeldLoss: nan, Accuracy: 0.3, TestAccuracy: 0.4,
			Layers: []mlp.LayerStats{{DeltaNorm: 32, UpdateRatio: 42}, {DeltaNorm: 72, UpdateRatio: 82}}},
	}
	compare := func(what string, s mlp.Series, name string, y ...float64) {
		t.Helper()
		for i, v := range y {
			if s.Name != name || len(s.Y) != len(y) || s.Y[i] != v {
				t.Errorf("%s: %+v, want %s %v", what, s, name, y)
				return
			}
		}
	}
	f := gradients(h)
	compare("speed", f.Charts[0].Series[0], "layer 1", 3, 31, 32)
	compare("speed", f.Charts[0].Series[1], "layer 2", 7, 71, 72)
	compare("step", f.Charts[1].Series[1], "layer 2", 8, 81, 82)
	for i, want := range [][]float64{{1.0 / 5, 1}, {2.0 / 6, 1}, {3.0 / 7, 1}, {4.0 / 8, 1}} {
		compare("four statistics", f.Charts[2].Series[i], []string{"mean |∇W|", "‖∇W‖", "‖δ‖", "‖ΔW‖/‖W‖"}[i], want...)
	}
	compare("activations", f.Charts[3].Series[0], "", 9, 10)
	if len(f.Charts) != 4 || f.Charts[1].Guides[0].Y != 1e-3 {
		t.Errorf("%d charts, guide %v", len(f.Charts), f.Charts[1].Guides)
	}
	c := curves(h)
	compare("loss", c.Charts[0].Series[0], "Training", 10, 20)
	compare("loss", c.Charts[0].Series[1], "Test", 11, 21)
	compare("accuracy", c.Charts[1].Series[1], "Test", 0.2, 0.4)
	if len(c.Charts[0].Series) != 2 {
		t.Error("a curve of what was not held out")
	}
	h[0].HeldLoss, h[1].HeldLoss = 12, 22
	compare("loss", curves(h).Charts[0].Series[2], "Held out", 12, 22)
	h[0].Loss = nan // -measure 2
	c = curves(h)
	compare("loss", c.Charts[0].Series[0], "Training", 20)
	if x := c.Charts[0].Series[0].X; x[0] != 2 {
		t.Errorf("the loss of epoch 2 is at %v", x[0])
	}
}
