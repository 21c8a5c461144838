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
		{N: 1, Loss: 10, TestLoss: 11, ValidationLoss: nan, Metric: 0.1, TestMetric: 0.2, First: first,
			Layers: []mlp.LayerStats{{DeltaNorm: 31, UpdateRatio: 41}, {DeltaNorm: 71, UpdateRatio: 81}}},
		{N: 2, Loss: 20, TestLoss: 21, ValidationLoss: nan, Metric: 0.3, TestMetric: 0.4,
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
	h[0].ValidationLoss, h[1].ValidationLoss = 12, 22
	compare("loss", curves(h).Charts[0].Series[2], "Held out", 12, 22)
	h[0].Loss = nan // -measure 2
	c = curves(h)
	compare("loss", c.Charts[0].Series[0], "Training", 20)
	if x := c.Charts[0].Series[0].X; x[0] != 2 {
		t.Errorf("the loss of epoch 2 is at %v", x[0])
	}
}

// history.csv has each number below its name.
func TestHistory(t *testing.T) {
	layers := func(n float64) []mlp.LayerStats {
		return []mlp.LayerStats{{GradMeanAbs: n + 1, GradNorm: n + 2, DeltaNorm: n + 3, ActivationStd: n + 4, InactiveFraction: n + 5, UpdateRatio: n + 6},
			{GradMeanAbs: n + 11, GradNorm: n + 12, DeltaNorm: n + 13, ActivationStd: n + 14, InactiveFraction: n + 15, UpdateRatio: n + 16}}
	}
	h := mlp.History{
		{N: 1, Loss: 0.1, Metric: 0.2, TestLoss: 0.3, TestMetric: 0.4, ValidationLoss: 0.5, LossRise: 0.6, Layers: layers(100), First: layers(0)},
		{N: 2, Loss: math.NaN(), Metric: 1.2, TestLoss: 1.3, TestMetric: 1.4, ValidationLoss: 1.5, LossRise: 1e-300, Layers: layers(200)},
	}
	want := "epoch,loss,accuracy,test_loss,test_accuracy,held_loss,loss_rise," +
		"grad_mean_abs_1,grad_norm_1,delta_norm_1,activation_std_1,inactive_fraction_1,update_ratio_1," +
		"grad_mean_abs_2,grad_norm_2,delta_norm_2,activation_std_2,inactive_fraction_2,update_ratio_2\n" +
		"1,0.1,0.2,0.3,0.4,0.5,0.6,101,102,103,104,105,106,111,112,113,114,115,116\n" +
		"2,NaN,1.2,1.3,1.4,1.5,1e-300,201,202,203,204,205,206,211,212,213,214,215,216\n"
	if got := string(historyCSV(h)); got != want {
		t.Errorf("history.csv is\n%swant\n%s", got, want)
	}
}
