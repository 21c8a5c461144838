// Axes, linear and log: which round numbers they show and how these are written.
// Not here: how they are drawn (svgplot.go).

package mlp

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// axis maps lo to hi, in axis units, onto the pixels from and to.
type axis struct {
	lo, hi, from, to float64
	ticks            []tick
}

func (a *axis) pixel(v float64) float64 {
	return a.from + float64((v-a.lo)/(a.hi-a.lo)*(a.to-a.from))
}

// yAxis ends at ticks.
func (l *layout) yAxis(s span, log bool) axis {
	t := roundTicks(s, log, int(l.plotH/32))
	return axis{t[0].at, t[len(t)-1].at, l.plotH, 0, t}
}

// xAxis ends where the data end, not at a tick, unless that left it without ticks.
func xAxis(s span, log bool, width float64) axis {
	t := roundTicks(s, log, int(width/45))
	t = roundTicks(s, log, int(width/max(36, widest(t)+14)))
	a := axis{t[0].at, t[len(t)-1].at, inset, width - inset, t}
	slack := (s.hi - s.lo) / 1e9
	inside := slices.DeleteFunc(slices.Clone(t), func(t tick) bool { return t.at < s.lo-slack || t.at > s.hi+slack })
	if len(inside) > 1 {
		a.lo, a.hi, a.ticks = s.lo, s.hi, inside
	}
	return a
}

// tick is a labelled place on an axis, in axis units.
type tick struct {
	at    float64
	label string
}

// roundTicks returns at least two ticks at round values, the first not above s.lo
// and the last not below s.hi, with at most n steps between them (but n ≥ 2). On a
// log axis those are 1, 2 and 5 in each decade or, if that is too many, whole decades.
func roundTicks(s span, log bool, n int) (t []tick) {
	n = max(n, 2)
	if s.lo > s.hi {
		s.lo, s.hi = 0, 1
	}
	lo, hi := widen(s.lo, s.hi)
	if log && hi-lo < 0.01 {
		lo, hi = lo-0.1, hi+0.1
	}
	if log && hi-lo < float64(n) {
		if t = decadeTicks(lo, hi); len(t) <= n+1 {
			return t
		}
	}
	step, exp := roundStep(lo, hi, n, s.whole || log)
	first, last := int(stepsDown(lo, step)), int(stepsUp(hi, step))
	label := linearLabels(max(math.Abs(float64(first)), math.Abs(float64(last)))*step, exp)
	if log {
		label = func(v float64) string { return logLabel(1, int(v), lo, hi) }
	}
	t = nil
	for i := first; i <= last; i++ {
		t = append(t, tick{float64(i) * step, label(float64(i) * step)})
	}
	return t
}

// decadeTicks is for a range of log values that holds few decades.
func decadeTicks(lo, hi float64) (t []tick) {
	for d := math.Floor(lo); ; d++ {
		for _, m := range []float64{1, 2, 5} {
			at := d + float64(math.Log10(m))
			if at <= lo+1e-9 {
				t = t[:0]
			}
			t = append(t, tick{at, logLabel(m, int(d), lo, hi)})
			if at >= hi-1e-9 {
				return t
			}
		}
	}
}

// logLabel writes m·10^exp, plainly if that is short for all of the log values from
// lo to hi.
func logLabel(m float64, exp int, lo, hi float64) string {
	switch {
	case lo > -3.01 && hi < 4.01:
		return fixed(m*math.Pow10(exp), -exp)
	case m == 1:
		return tenTo(exp)
	}
	return fixed(m, 0) + "×" + tenTo(exp)
}

// widen keeps the range wide enough for labels of six digits and for floats.
func widen(lo, hi float64) (float64, float64) {
	size := max(math.Abs(lo), math.Abs(hi))
	least := max(size/1e4, 1e-300)
	switch mid := lo/2 + hi/2; {
	case lo == hi && size <= 1e-300:
		return -1, 1
	case lo == hi:
		return lo - size/10, hi + size/10
	case hi-lo < least:
		return mid - least/2, mid + least/2
	}
	return lo, hi
}

// roundStep returns the smallest m·10^exp, m being 1, 2 or 5, of which n steps cover
// the range. It ends because one step each side of zero covers any range.
func roundStep(lo, hi float64, n int, whole bool) (step float64, exp int) {
	exp = int(math.Floor(math.Log10((hi-lo)/float64(n)))) - 1
	if whole {
		exp = max(exp, 0)
	}
	for ; ; exp++ {
		for _, m := range []float64{1, 2, 5} {
			step = m * math.Pow10(exp)
			if stepsUp(hi, step)-stepsDown(lo, step) <= float64(n) {
				return step, exp
			}
		}
	}
}

// A value within a billionth of a step counts as on it: 0.7/0.1 is 6.999999999999999.
func stepsDown(v, step float64) float64 { return math.Floor(v/step + 1e-9) }
func stepsUp(v, step float64) float64   { return math.Ceil(v/step - 1e-9) }

// linearLabels returns how to write multiples of 10^exp up to ±size: plainly where
// that is short, else as multiples of one power of ten.
func linearLabels(size float64, exp int) func(float64) string {
	if size >= 1e-3 && size < 1e6 {
		return func(v float64) string { return fixed(v, -exp) }
	}
	top := int(math.Floor(float64(math.Log10(size)) + 1e-9))
	if top == exp+1 {
		top = exp
	}
	return func(v float64) string {
		if v == 0 {
			return "0"
		}
		return fixed(v/math.Pow10(top), top-exp) + "×" + tenTo(top)
	}
}

func fixed(v float64, decimals int) string {
	return strings.Replace(strconv.FormatFloat(v, 'f', max(decimals, 0), 64), "-", "−", 1)
}

func tenTo(exp int) string {
	return "10" + strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(strconv.Itoa(exp))
}
