// The layer statistics as tables and charts name them, and numbers as text.

package cli

import (
	"fmt"
	"strings"

	"mlp"
)

// LayerStat is one of the layer statistics.
type LayerStat struct {
	Column string // in history.csv, where "_1" for the first layer follows, and so on
	Label  string // in tables and charts
	Of     func(mlp.LayerStats) float64
}

// Each of the layer statistics, all in the order of mlp.LayerStats' fields, and the four
// that say how fast a layer learns, the article's own first.
var (
	GradMeanAbs      = LayerStat{"grad_mean_abs", "mean |∇W|", func(s mlp.LayerStats) float64 { return s.GradMeanAbs }}
	GradNorm         = LayerStat{"grad_norm", "‖∇W‖", func(s mlp.LayerStats) float64 { return s.GradNorm }}
	DeltaNorm        = LayerStat{"delta_norm", "‖δ‖", func(s mlp.LayerStats) float64 { return s.DeltaNorm }}
	ActivationStd    = LayerStat{"activation_std", "standard deviation of the activations", func(s mlp.LayerStats) float64 { return s.ActivationStd }}
	InactiveFraction = LayerStat{"inactive_fraction", "share of inactive units", func(s mlp.LayerStats) float64 { return s.InactiveFraction }}
	UpdateRatio      = LayerStat{"update_ratio", "‖ΔW‖/‖W‖", func(s mlp.LayerStats) float64 { return s.UpdateRatio }}

	LayerStats    = []LayerStat{GradMeanAbs, GradNorm, DeltaNorm, ActivationStd, InactiveFraction, UpdateRatio}
	LearningStats = []LayerStat{GradMeanAbs, GradNorm, DeltaNorm, UpdateRatio}
)

// RelativeToLast returns a line for each of LearningStats: the layers' values divided by
// the last layer's.
func RelativeToLast(layers []mlp.LayerStats) (lines []mlp.Series) {
	for _, s := range LearningStats {
		line := mlp.Series{Name: s.Label}
		for _, l := range layers {
			line.Y = append(line.Y, s.Of(l)/s.Of(layers[len(layers)-1]))
		}
		lines = append(lines, line)
	}
	return lines
}

// Short returns v with three digits and, if it is far from 1, a power of ten.
func Short(v float64) string {
	s, exponent, ok := strings.Cut(fmt.Sprintf("%.3g", v), "e")
	if !ok {
		return s
	}
	superscript := strings.NewReplacer("+0", "", "-0", "⁻", "+", "", "-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")
	return s + "×10" + superscript.Replace(exponent)
}
