package doctor

import (
	"math"
	"strings"
	"testing"

	"mlp"
)

// healthy is a run of two epochs of a network with two hidden layers. Nothing is wrong with it.
func healthy() *mlp.Model {
	layers := func() []mlp.LayerStats {
		all := make([]mlp.LayerStats, 3)
		for i := range all {
			all[i] = mlp.LayerStats{DeltaNorm: 1, UpdateRatio: 1e-3, InactiveFraction: 0.1}
		}
		return all
	}
	nan := math.NaN()
	return &mlp.Model{
		Net:    mlp.NewNetwork(1, mlp.He, mlp.ReLU, 4, 3, 3, 10),
		Recipe: map[string]string{"lr": "0.1", "decay": "0", "clip": "0", "norm": "none", "init": "small", "act": "relu"},
		Run: mlp.Run{History: mlp.History{
			{N: 1, Loss: 1, TestLoss: 1, ValidationLoss: nan, Layers: layers(), First: layers()},
			{N: 2, Loss: 0.9, TestLoss: 1, ValidationLoss: nan, Layers: layers()},
		}},
	}
}

// Each threshold has the value that it is said to have: the run is healthy on one side of it and
// ill on the other.
func TestThresholds(t *testing.T) {
	type sick = func(e *mlp.Epoch, m *mlp.Model, amount float64)
	hidden := func(of func(l *mlp.LayerStats, v float64)) sick {
		return func(e *mlp.Epoch, m *mlp.Model, v float64) { of(&e.Layers[0], v) }
	}
	still := func(m *mlp.Model, v float64) {
		for _, e := range m.Run.History {
			for _, layers := range [][]mlp.LayerStats{e.First, e.Layers} {
				for i := range layers {
					layers[i].UpdateRatio = v
				}
			}
		}
	}
	late := func(e *mlp.Epoch, m *mlp.Model, test float64) { // the best epoch is the second
		m.Run.History[0].TestLoss = 2
		for n := 3; n <= 7; n++ {
			next := *e
			next.N, next.TestLoss, next.Loss = n, test, 0.8
			m.Run.History = append(m.Run.History, next)
		}
	}
	for name, c := range map[string]struct {
		well, ill float64
		set       sick
	}{
		"vanishing gradient: a step moves layer 1 by 1e-05 of its size; its error term ‖δ‖ is 0.01, layer 2's 1,": {0.0101, 0.0099, func(e *mlp.Epoch, _ *mlp.Model, v float64) {
			e.Layers[0].DeltaNorm, e.Layers[0].UpdateRatio = v, 1e-5
		}},
		"vanishing gradient: a step moves layer 1 by 0.0001 of": {1.01e-4, 0.99e-4, func(e *mlp.Epoch, _ *mlp.Model, v float64) {
			e.Layers[0].DeltaNorm, e.Layers[0].UpdateRatio = 0.001, v
		}},
		"vanishing gradient: a step moves layer 1 by 0.0003 of": {3.01e-4, 2.99e-4, func(e *mlp.Epoch, m *mlp.Model, v float64) {
			e.Layers[0].DeltaNorm, e.Layers[0].UpdateRatio, m.Recipe["decay"] = 0.001, v, "0.001"
		}},
		"exploding gradient: the error term ‖δ‖ of layer 2 is 1, of layer 1 it is 1e+02; try -norm batch, -init he, or -clip 1": {99, 101, hidden(func(l *mlp.LayerStats, v float64) { l.DeltaNorm = v })},
		"dead units: 50 % of layer 1's units are 0 for every sample, and at least half in 1 of 2 hidden layers":                 {0.499, 0.5, hidden(func(l *mlp.LayerStats, v float64) { l.InactiveFraction = v })},
		"saturated units: 50 % of layer 1's units are at an end of tanh": {0.499, 0.5, func(e *mlp.Epoch, m *mlp.Model, v float64) {
			m.Net[0].Act, e.Layers[0].InactiveFraction = mlp.Tanh, v
		}},
		"learning rate too high: over five steps in a row the loss rose by 0.501; try -lr 0.01 or less":                                                    {0.5, 0.501, func(e *mlp.Epoch, _ *mlp.Model, v float64) { e.LossRise = v }},
		"learning rate too high: a step moved a layer by 0.11 of its size, and the loss is 5":                                                              {0.1, 0.11, func(e *mlp.Epoch, m *mlp.Model, v float64) { e.Loss = 5; still(m, v) }},
		"learning rate too high: a step moved a layer by 0.2 of its size, and the loss is 4.61":                                                            {4.60, 4.61, func(e *mlp.Epoch, m *mlp.Model, v float64) { e.Loss = v; still(m, 0.2) }},
		"guessing: the loss is 2.2980, and guessing gives 2.3026":                                                                                          {2.297, 2.298, func(e *mlp.Epoch, _ *mlp.Model, v float64) { e.Loss = v }},
		"guessing: the loss is 2.4020, and guessing gives 2.3026":                                                                                          {2.403, 2.402, func(e *mlp.Epoch, _ *mlp.Model, v float64) { e.Loss = v }},
		"learning rate too low: no step moved a layer by more than 1e-05 of its size; try -lr 10":                                                          {1.01e-5, 0.99e-5, func(e *mlp.Epoch, m *mlp.Model, v float64) { e.Loss = 2; still(m, v) }},
		"learning rate too low: no step moved a layer by more than 1e-06":                                                                                  {1.15, 1.16, func(e *mlp.Epoch, m *mlp.Model, v float64) { e.Loss = v; still(m, 1e-6) }},
		"over-fitting: since epoch 2 the training loss fell from 0.9000 to 0.8000 and the test loss rose from 1.0000 to 1.0510; try -patience 5, -dropout": {1.05, 1.051, late},
	} {
		for _, v := range []float64{c.well, c.ill} {
			m := healthy()
			e := &m.Run.History[1]
			c.set(e, m, v)
			found := Diagnose(m, math.Log(10))
			switch {
			case found == nil:
				t.Errorf("%s, %v: it was not looked at", name, v)
			case v == c.well && len(found) > 0:
				t.Errorf("%v is healthy, the doctor says %q", v, found)
			case v == c.ill && (len(found) != 1 || !strings.HasPrefix(found[0].String(), name)):
				t.Errorf("%v: the doctor says %q, want %q", v, found, name)
			}
		}
	}
}

// Over-fitting takes five epochs since the best, and a training loss that still falls. A
// loss that is not a number is not the best.
func TestOverfitting(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		test, held []float64
		loss       float64 // of the last epoch; it is 1 in the others
		want       string
	}{
		{[]float64{1, 0.5, 1, 1, 1, 1}, nil, 0.9, ""},
		{[]float64{nan, 0.5, 1, 1, 1, 1, 1}, nil, 0.9, "over-fitting: since epoch 2 the training loss fell from 1.0000 to 0.9000 and the test loss rose"},
		{[]float64{1, 0.5, 1, 1, 1, 1, 1}, nil, 1, ""},
		{[]float64{1, 1, 1, 1, 1, 1, 1}, []float64{1, 0.5, 1, 1, 1, 1, 1}, 0.9,
			"over-fitting: since epoch 2 the training loss fell from 1.0000 to 0.9000 and the held-out loss rose from 0.5000 to 1.0000; try -dropout 0.2"},
	} {
		m := healthy()
		first := m.Run.History[0]
		m.Run.History = nil
		for i, loss := range c.test {
			e := mlp.Epoch{N: i + 1, TestLoss: loss, ValidationLoss: nan, Loss: 1, Layers: first.Layers, First: first.First}
			if c.held != nil {
				e.ValidationLoss = c.held[i]
			}
			m.Run.History = append(m.Run.History, e)
		}
		m.Run.History[len(c.test)-1].Loss = c.loss
		got := ""
		for _, f := range Diagnose(m, math.Ln10) {
			got += f.String()
		}
		if !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("test losses %v, held-out %v: %q, want %q", c.test, c.held, got, c.want)
		}
	}
}

// What the run has done already, or cannot do, is no cure.
func TestCures(t *testing.T) {
	for _, c := range []struct{ recipe, cures, want string }{
		{"", "-norm batch,-act relu -init he,fewer layers", "-norm batch, -act relu -init he, or fewer layers"},
		{"norm batch", "-norm batch,-act relu -init he,fewer layers", "-act relu -init he, or fewer layers"},
		{"act relu init he", "-norm batch,-act relu -init he,fewer layers", "-norm batch, or fewer layers"},
		{"load x.npz", "-norm batch,-act relu -init he,fewer layers", "fewer layers"},
		{"load x.npz", "a smaller -lr,-init xavier", "a smaller -lr"},
		{"decay 0.001", "-patience 5,-decay 0.001,more data", "-patience 5, or more data"},
		{"lr 0.1", "-lr 0.01 or less", "-lr 0.01 or less"},
	} {
		e := &exam{Model: &mlp.Model{Recipe: map[string]string{}}}
		words := strings.Fields(c.recipe)
		for i := 0; i < len(words); i += 2 {
			e.Recipe[words[i]] = words[i+1]
		}
		if e.note("something", strings.Split(c.cures, ","), ""); e.found[0].String() != "something: ; try "+c.want {
			t.Errorf("%s: of %q it says %q, want %q", c.recipe, c.cures, e.found[0], c.want)
		}
	}
}

// A model that no command trained, or without statistics, is not looked at. A recipe from a
// stranger's file may have anything for a number.
func TestStrangers(t *testing.T) {
	for name, change := range map[string]func(m *mlp.Model){
		"no recipe":     func(m *mlp.Model) { m.Recipe = nil },
		"no epoch":      func(m *mlp.Model) { m.Run.History = nil },
		"no statistics": func(m *mlp.Model) { m.Run.History[0].First = nil },
		"other layers":  func(m *mlp.Model) { m.Net = m.Net[:2] },
	} {
		m := healthy()
		if change(m); Diagnose(m, math.Ln10) != nil {
			t.Errorf("%s: it was looked at", name)
		}
	}
	m := healthy()
	m.Recipe = map[string]string{"lr": "fast; rm -r /", "decay": "NaN"}
	m.Run.History[1].LossRise = 1
	if found := Diagnose(m, math.Ln10); len(found) != 1 || found[0].Cure != "a smaller -lr" {
		t.Errorf("the doctor says %q", found)
	}
}
