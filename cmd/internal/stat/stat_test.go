package stat

import (
	"fmt"
	"testing"

	"mlp"
)

// Each statistic is the field that its name says.
func TestStats(t *testing.T) {
	layer := mlp.LayerStats{GradMeanAbs: 1, GradNorm: 2, DeltaNorm: 3, ActivationStd: 4, InactiveFraction: 5, UpdateRatio: 6}
	names := [...]string{"grad_mean_abs", "grad_norm", "delta_norm", "activation_std", "inactive_fraction", "update_ratio"}
	for i, s := range All {
		if s.Of(layer) != float64(i+1) || s.Column != names[i] {
			t.Errorf("%s is %v, want %s of %d", s.Column, s.Of(layer), names[i], i+1)
		}
	}
}

func TestRelativeToLast(t *testing.T) {
	lines := RelativeToLast([]mlp.LayerStats{{GradMeanAbs: 1, GradNorm: 2, DeltaNorm: 3, UpdateRatio: 4}, {GradMeanAbs: 2, GradNorm: 2, DeltaNorm: 2, UpdateRatio: 2}})
	var got string
	for _, s := range lines {
		got += fmt.Sprint(s.Name, s.Y)
	}
	if want := "mean |∇W|[0.5 1]‖∇W‖[1 1]‖δ‖[1.5 1]‖ΔW‖/‖W‖[2 1]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
