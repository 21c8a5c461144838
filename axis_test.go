// Tests of the ticks: the numbers that an axis shows, for chosen ranges and for ranges
// of all sizes.

package mlp

import (
	"math"
	"strings"
	"testing"
)

func TestRoundTicks(t *testing.T) {
	for _, tt := range []struct {
		lo, hi float64
		log    bool
		whole  bool
		n      int
		want   string
	}{
		{0.05, 2.29, false, false, 7, "0.0 0.5 1.0 1.5 2.0 2.5"},
		{0.24, 0.936, false, false, 7, "0.2 0.4 0.6 0.8 1.0"},
		{0.3, 0.7, false, false, 4, "0.3 0.4 0.5 0.6 0.7"},
		{1, 20, false, true, 13, "0 2 4 6 8 10 12 14 16 18 20"},
		{1, 5, false, true, 13, "1 2 3 4 5"},
		{1, 1, false, true, 13, "0 1 2"},
		{-1, 1, false, false, 2, "−1 0 1"},
		{0, 3e6, false, false, 4, "0 1×10⁶ 2×10⁶ 3×10⁶"},
		{0, 2e-5, false, false, 4, "0 5×10⁻⁶ 10×10⁻⁶ 15×10⁻⁶ 20×10⁻⁶"},
		{2.30251, 2.30258, false, false, 6, "2.30240 2.30245 2.30250 2.30255 2.30260 2.30265 2.30270"},
		{inf, -inf, false, false, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{-5, 0, true, false, 7, "10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 10⁰"},
		{-8, 0, true, false, 5, "10⁻⁸ 10⁻⁶ 10⁻⁴ 10⁻² 10⁰"},
		{-1, 2, true, false, 3, "0.1 1 10 100"},
		{math.Log10(16), math.Log10(1024), true, false, 9, "10 20 50 100 200 500 1000 2000"},
		{-5.1, -4.9, true, false, 5, "5×10⁻⁶ 10⁻⁵ 2×10⁻⁵"},
	} {
		var got []string
		for _, k := range roundTicks(span{tt.lo, tt.hi, tt.whole}, tt.log, tt.n) {
			got = append(got, k.label)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%v to %v in %d: %s, want %s", tt.lo, tt.hi, tt.n, s, tt.want)
		}
	}
}

// The x axis has ticks at both ends of the data, although rounding puts them a little
// outside: 3·0.1 > 0.3 and log10(1000) < 3.
func TestXAxisEnds(t *testing.T) {
	for _, tt := range []struct {
		x    []float64
		log  bool
		want string
	}{
		{[]float64{0, 0.3}, false, "0.00 0.05 0.10 0.15 0.20 0.25 0.30"},
		{[]float64{10, 1000}, true, "10 20 50 100 200 500 1000"},
		{[]float64{1, 9}, false, "1 2 3 4 5 6 7 8 9"},
		{[]float64{11, 12}, true, "10 20"},
	} {
		c := Chart{LogX: tt.log, Series: []Series{{X: tt.x, Y: []float64{1, 1}}}}
		s, _ := c.spans()
		a := xAxis(s, tt.log, 400)
		var got []string
		for _, k := range a.ticks {
			got = append(got, k.label)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("x from %v to %v: %s, want %s", tt.x[0], tt.x[1], s, tt.want)
		}
	}
}

// Whatever the range, there are enough ticks and not too many, they cover the range, no
// two have the same label, and a linear step is 1, 2 or 5 times a power of ten.
func TestRoundTicksProperties(t *testing.T) {
	values := []float64{0, 5e-324, 1e-310, 1e-300, 3e-7, 0.1, 0.3, 1, 1 + 1e-15, 7, 20, 12345.678, 1e6, 1e15, 1e15 + 1, 9.99e299, 1e300}
	for _, a := range values {
		for _, b := range values {
			for _, s := range []span{{a, b, false}, {-a, b, false}, {-a, -b, false}, {math.Trunc(a), math.Trunc(b), true}} {
				for n := range 12 {
					checkTicks(t, s, false, n)
					if math.Abs(s.lo) < 325 && math.Abs(s.hi) < 325 {
						checkTicks(t, s, true, n)
					}
				}
			}
		}
	}
}

func checkTicks(t *testing.T, s span, log bool, n int) {
	t.Helper()
	k := roundTicks(s, log, n)
	if len(k) < 2 || len(k) > max(n, 2)+1 {
		t.Fatalf("%v log %v: %d ticks for n = %d", s, log, len(k), n)
	}
	first, last, step := k[0].at, k[len(k)-1].at, k[1].at-k[0].at
	if slack := (last - first) * 1e-8; s.lo <= s.hi && (first > s.lo+slack || last < s.hi-slack) {
		t.Fatalf("%v log %v: ticks from %v to %v", s, log, first, last)
	}
	for i := 1; i < len(k); i++ {
		if !(k[i].at > k[i-1].at) || k[i].label == k[i-1].label || len([]rune(k[i].label)) > 16 {
			t.Fatalf("%v log %v: tick %q at %v after %q at %v", s, log, k[i].label, k[i].at, k[i-1].label, k[i-1].at)
		}
	}
	m := step / math.Pow10(int(math.Floor(math.Log10(step)+1e-6)))
	if !log && math.Abs(m-1) > 1e-6 && math.Abs(m-2) > 1e-6 && math.Abs(m-5) > 1e-6 {
		t.Fatalf("%v: step %v is not 1, 2 or 5 times a power of ten", s, step)
	}
	if s.whole && !log && s.hi < 1e15 && step != math.Trunc(step) {
		t.Fatalf("%v: step %v on an axis of integers", s, step)
	}
}

// Labels may be drawn in DejaVu Sans, the widest of the usual fonts. The table has its
// widths in thousandths of the font size. In this font too a tick's label must not
// touch the label of the axis: of the gap of 8 pixels between them, the descenders of
// the axis label take 3, and an error of the estimated width may take 3 more.
func TestTickWidths(t *testing.T) {
	width := map[rune]float64{'.': 318, '×': 838, '−': 838, '⁻': 528}
	for i, r := range "0123456789⁰¹²³⁴⁵⁶⁷⁸⁹" {
		width[r] = 636
		if i >= 10 {
			width[r] = 401
		}
	}
	for _, s := range []span{{-3.5, -2.1, false}, {-9, -8.2, false}, {-0.3, 0.3, false}, {0, 3e-7, false}, {2.30251, 2.30258, false}, {-15, 0, false}} {
		for _, log := range []bool{false, true} {
			for _, k := range roundTicks(s, log, 5) {
				w := 0.0
				for _, r := range k.label {
					if width[r] == 0 {
						t.Fatalf("the label %q has another character", k.label)
					}
					w += width[r] * tickSize / 1000
				}
				if got := textWidth(k.label, tickSize); got < w-3 {
					t.Errorf("%q is taken to be %v pixels wide, but is %.1f", k.label, got, w)
				}
			}
		}
	}
}
