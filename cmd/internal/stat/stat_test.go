package stat

import (
	"bytes"
	"strings"
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

// Of three classes one is never answered, and one never true. In a narrow terminal stand
// the ten mistakes that are made most.
func TestConfusion(t *testing.T) {
	c := Confusion{{3, 1, 0}, {2, 5, 0}, {0, 0, 0}}
	names := []string{"a", "b", "x"}
	for columns, want := range map[int]string{
		46: "  true \\ predicted  a  b  x  recall  precision\n                 a  3  1  0   0.750      0.600\n" +
			"                 b  2  5  0   0.714      0.833\n                 x  0  0  0       -          -\n",
		45: "2 × b taken for a\n1 × a taken for b\n",
		5:  "2 × b taken for a\n1 × a taken for b\n",
	} {
		var b bytes.Buffer
		if c.Write(&b, names, columns); b.String() != want {
			t.Errorf("%d columns:\n%s\nwant\n%s", columns, b.String(), want)
		}
	}
	c = NewConfusion(12)
	for i := range c {
		c[i][(i+1)%12] = 1 + i%3*5
	}
	var b bytes.Buffer
	c.Write(&b, strings.Split("a b c d e f g h i j k l", " "), 12)
	if lines := strings.Split(b.String(), "\n"); len(lines) != 11 || lines[0] != "11 × c taken for d" || lines[9] != "1 × d taken for e" {
		t.Errorf("the most frequent mistakes are %q", lines)
	}
}
