package main

import (
	"math"
	"testing"

	"mlp"
)

// What the figures show is what the history has.
func TestCharts(t *testing.T) {
	nan := math.NaN()
	first := []mlp.Rulers{{GradMean: 1, GradNorm: 2, Delta: 3, Update: 4, Spread: 9}, {GradMean: 5, GradNorm: 6, Delta: 7, Update: 8, Spread: 10}}
	h := mlp.History{
		{N: 1, Loss: 10, TestLoss: 11, HeldLoss: nan, Accuracy: 0.1, TestAccuracy: 0.2, First: first,
			Layers: []mlp.Rulers{{Delta: 31, Update: 41}, {Delta: 71, Update: 81}}},
		{N: 2, Loss: 20, TestLoss: 21, HeldLoss: nan, Accuracy: 0.3, TestAccuracy: 0.4,
			Layers: []mlp.Rulers{{Delta: 32, Update: 42}, {Delta: 72, Update: 82}}},
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
}
