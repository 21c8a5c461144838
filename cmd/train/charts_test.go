package main

import (
	"math"
	"strings"
	"testing"

	"mlp"
)

// history is two epochs of two layers, all of whose numbers differ.
func history() mlp.History {
	layers := func(n float64) (all []mlp.LayerStats) {
		for _, n := range []float64{n, n + 10} {
			all = append(all, mlp.LayerStats{GradMeanAbs: n + 1, GradNorm: n + 2, DeltaNorm: n + 3,
				ActivationStd: n + 4, InactiveFraction: n + 5, UpdateRatio: n + 6})
		}
		return all
	}
	return mlp.History{
		{N: 1, Loss: 0.1, Metric: 0.2, TestLoss: 0.3, TestMetric: 0.4, ValidationLoss: 0.5, LossRise: 0.6,
			Layers: layers(100), First: layers(0)},
		{N: 2, Loss: math.NaN(), Metric: 1.2, TestLoss: 1.3, TestMetric: 1.4, ValidationLoss: 1.5, LossRise: 1e-300, Layers: layers(200)},
	}
}

// The figures show what the history has.
func TestCharts(t *testing.T) {
	h := history()
	compare := func(what string, s mlp.Series, name string, y ...float64) {
		t.Helper()
		for i, v := range y {
			if s.Name != name || len(s.Y) != len(y) || !(s.Y[i] == v || s.Y[i] != s.Y[i] && v != v) {
				t.Errorf("%s: %+v, want %s %v", what, s, name, y)
				return
			}
		}
	}
	f := gradients(h)
	compare("speed", f.Charts[0].Series[0], "layer 1", 3, 103, 203)
	compare("speed", f.Charts[0].Series[1], "layer 2", 13, 113, 213)
	compare("step", f.Charts[1].Series[1], "layer 2", 16, 116, 216)
	for i, first := range []float64{1, 2, 3, 6} {
		compare("four statistics", f.Charts[2].Series[i], []string{"mean |∇W|", "‖∇W‖", "‖δ‖", "‖ΔW‖/‖W‖"}[i], first/(first+10), 1)
	}
	compare("activations", f.Charts[3].Series[0], "", 4, 14)
	if len(f.Charts) != 4 || f.Charts[1].Guides[0].Y != 1e-3 {
		t.Errorf("%d charts, guide %v", len(f.Charts), f.Charts[1].Guides)
	}
	c := curves(h)
	compare("loss", c.Charts[0].Series[0], "Training", 0.1, math.NaN()) // a gap
	compare("loss", c.Charts[0].Series[1], "Test", 0.3, 1.3)
	compare("loss", c.Charts[0].Series[2], "Held out", 0.5, 1.5)
	compare("accuracy", c.Charts[1].Series[0], "Training", 0.2, 1.2)
	compare("accuracy", c.Charts[1].Series[1], "Test", 0.4, 1.4)
	h[0].Loss, h[1].Loss = math.NaN(), 0.1 // -measure 2
	h[0].ValidationLoss, h[1].ValidationLoss = math.NaN(), math.NaN()
	c = curves(h)
	compare("loss", c.Charts[0].Series[0], "Training", math.NaN(), 0.1)
	if n := len(c.Charts[0].Series); n != 2 {
		t.Errorf("%d curves, want those of training and test", n)
	}

	// The step at the end of a cosine is left out, so that the axis does not go down to it.
	h[1].Layers[0].UpdateRatio, h[1].Layers[1].UpdateRatio = 1e-10, 1.2
	f = gradients(h)
	compare("step", f.Charts[1].Series[0], "layer 1", 6, 106, math.NaN())
	compare("step", f.Charts[1].Series[1], "layer 2", 16, 116, 1.2)
	if label := f.Charts[1].Guides[0].Label; !strings.Contains(label, "rule of thumb") {
		t.Errorf("the guide is named %q", label)
	}
}

// history.csv has each number below its name.
func TestHistory(t *testing.T) {
	want := "epoch,loss,accuracy,test_loss,test_accuracy,held_loss,loss_rise," +
		"grad_mean_abs_1,grad_norm_1,delta_norm_1,activation_std_1,inactive_fraction_1,update_ratio_1," +
		"grad_mean_abs_2,grad_norm_2,delta_norm_2,activation_std_2,inactive_fraction_2,update_ratio_2\n" +
		"1,0.1,0.2,0.3,0.4,0.5,0.6,101,102,103,104,105,106,111,112,113,114,115,116\n" +
		"2,NaN,1.2,1.3,1.4,1.5,1e-300,201,202,203,204,205,206,211,212,213,214,215,216\n"
	if got := string(historyCSV(history())); got != want {
		t.Errorf("history.csv is\n%swant\n%s", got, want)
	}
}
