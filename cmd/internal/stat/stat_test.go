package stat

import (
	"bytes"
	"math"
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
// the classes with the lowest F1 and the ten mistakes that are made most.
func TestConfusion(t *testing.T) {
	c := Confusion{{3, 1, 0}, {2, 5, 0}, {0, 0, 0}}
	names := []string{"a", "b", "x"}
	narrow := "  true  rows  recall  precision     F1\n     a     4   0.750      0.600  0.667\n     b     7   0.714      0.833  0.769\n" +
		"     x     0       -          -      -\n2 × b taken for a\n1 × a taken for b\n"
	for columns, want := range map[int]string{
		53: "  true \\ predicted  a  b  x  recall  precision     F1\n                 a  3  1  0   0.750      0.600  0.667\n" +
			"                 b  2  5  0   0.714      0.833  0.769\n                 x  0  0  0       -          -      -\n",
		52: narrow,
		5:  narrow,
	} {
		var b bytes.Buffer
		if c.Write(&b, names, columns); b.String() != want {
			t.Errorf("%d columns:\n%s\nwant\n%s", columns, b.String(), want)
		}
	}
	if balanced, n := c.Balanced(); n != 2 || math.Abs(balanced-(3.0/4+5.0/7)/2) > 1e-15 || c.Accuracy() != 8.0/11 {
		t.Errorf("balanced accuracy %v of %d classes, accuracy %v", balanced, n, c.Accuracy())
	}
	c = NewConfusion(12)
	for i := range c {
		c[i][(i+1)%12] = 1 + i%3*5
	}
	var b bytes.Buffer
	c.Write(&b, strings.Split("a b c d e f g h i j k l", " "), 12)
	if lines := strings.Split(b.String(), "\n")[13:]; len(lines) != 11 || lines[0] != "11 × c taken for d" || lines[9] != "1 × d taken for e" {
		t.Errorf("the most frequent mistakes are %q", lines)
	}
}
