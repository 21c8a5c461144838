// Package stat names the layer statistics in tables and charts.
package stat

import "mlp"

// Stat is one of the statistics of a layer.
type Stat struct {
	Column string // in history.csv, where "_1" for the first layer follows, and so on
	Label  string // in tables and charts
	Of     func(mlp.LayerStats) float64
}

// Each of the statistics, all in the order of mlp.LayerStats' fields, and the four that say
// how fast a layer learns, the article's own first.
var (
	GradMeanAbs      = Stat{"grad_mean_abs", "mean |∇W|", func(s mlp.LayerStats) float64 { return s.GradMeanAbs }}
	GradNorm         = Stat{"grad_norm", "‖∇W‖", func(s mlp.LayerStats) float64 { return s.GradNorm }}
	DeltaNorm        = Stat{"delta_norm", "‖δ‖", func(s mlp.LayerStats) float64 { return s.DeltaNorm }}
	ActivationStd    = Stat{"activation_std", "standard deviation of the activations", func(s mlp.LayerStats) float64 { return s.ActivationStd }}
	InactiveFraction = Stat{"inactive_fraction", "share of inactive units", func(s mlp.LayerStats) float64 { return s.InactiveFraction }}
	UpdateRatio      = Stat{"update_ratio", "‖ΔW‖/‖W‖", func(s mlp.LayerStats) float64 { return s.UpdateRatio }}

	All      = []Stat{GradMeanAbs, GradNorm, DeltaNorm, ActivationStd, InactiveFraction, UpdateRatio}
	Learning = []Stat{GradMeanAbs, GradNorm, DeltaNorm, UpdateRatio}
)

// RelativeToLast returns a line for each of Learning: the layers' values divided by the
// last layer's.
func RelativeToLast(layers []mlp.LayerStats) (lines []mlp.Series) {
	for _, s := range Learning {
		line := mlp.Series{Name: s.Label}
		for _, l := range layers {
			line.Y = append(line.Y, s.Of(l)/s.Of(layers[len(layers)-1]))
		}
		lines = append(lines, line)
	}
	return lines
}
