// The axes of a chart, linear and logarithmic: the range that they span, the round
// numbers that they show, and how these numbers are written. Not here: how the axes are
// drawn (svgplot.go).

package mlp

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// A value in axis units is the value itself on a linear axis, and its decimal logarithm
// on a log axis.

// axisUnits returns v in axis units, and whether it can be drawn.
func axisUnits(v float64, log bool) (float64, bool) {
	if log {
		v = math.Log10(v)
	}
	return v, math.Abs(v) <= 1e300
}

// A span is the range of the values that are drawn along one axis, in axis units. It is
// empty if lo > hi.
type span struct {
	lo, hi float64
	whole  bool // all values are integers
}

func (s *span) add(v float64) {
	s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	s.whole = s.whole && v == math.Trunc(v)
}

// spans returns the ranges of the points and the guides of c. A y axis is never whole:
// it may have ticks between integers.
func (c *Chart) spans() (x, y span) {
	x = span{math.Inf(1), math.Inf(-1), true}
	y = x
	for i := range c.Series {
		s := &c.Series[i]
		for j := range s.points() {
			if p, ok := c.pointAt(s, j); ok {
				x.add(p.x)
				y.add(p.y)
			}
		}
	}
	for _, g := range c.Guides {
		if v, ok := axisUnits(g.Y, c.LogY); ok {
			y.add(v)
		}
	}
	y.whole = false
	return x, y
}

// ySpans returns the range of each chart's y axis, if a row has cols charts.
func (f *Figure) ySpans(cols int) []span {
	y := make([]span, len(f.Charts))
	for i := range f.Charts {
		_, y[i] = f.Charts[i].spans()
	}
	if f.SameY {
		for row := range slices.Chunk(y, cols) {
			all := row[0]
			for _, s := range row {
				all.lo, all.hi = min(all.lo, s.lo), max(all.hi, s.hi)
			}
			for i := range row {
				row[i] = all
			}
		}
	}
	return y
}

// An axis maps the values from lo to hi, in axis units, to the pixels from and to.
type axis struct {
	lo, hi, from, to float64
	ticks            []tick
}

func (a *axis) pixel(v float64) float64 {
	return a.from + float64((v-a.lo)/(a.hi-a.lo)*(a.to-a.from))
}

// yAxis returns an axis that begins and ends at a tick.
func (l *layout) yAxis(s span, log bool) axis {
	t := roundTicks(s, log, int(l.plotH/32))
	return axis{t[0].at, t[len(t)-1].at, l.plotH, 0, t}
}

// xAxis returns an axis that begins and ends with the data, or at ticks if fewer than
// two ticks lie within the data.
func xAxis(s span, log bool, width float64) axis {
	t := roundTicks(s, log, int(width/45))
	t = roundTicks(s, log, int(width/max(36, widest(t)+14)))
	a := axis{t[0].at, t[len(t)-1].at, inset, width - inset, t}
	slack := (s.hi - s.lo) / 1e9 // a tick may miss the end by rounding: 3·0.1 > 0.3
	inside := slices.DeleteFunc(slices.Clone(t), func(t tick) bool { return t.at < s.lo-slack || t.at > s.hi+slack })
	if len(inside) > 1 {
		a.lo, a.hi, a.ticks = s.lo, s.hi, inside
	}
	return a
}

// A tick is a labelled place on an axis, in axis units.
type tick struct {
	at    float64
	label string
}

// widest returns the width of the widest label in pixels.
func widest(ticks []tick) (w float64) {
	for _, t := range ticks {
		w = max(w, textWidth(t.label, tickSize))
	}
	return w
}

// roundTicks returns ticks at round values, at least two: the first tick is at or below
// s.lo, and the last tick is at or above s.hi. Between them are at most max(n, 2) steps. On
// a log axis the values are 1, 2 and 5 in each decade or, if these are too many, one value
// in each decade or in every few decades.
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

// decadeTicks returns ticks at 1, 2 and 5 in each decade, from the last one that is at or
// below lo to the first one that is at or above hi.
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

// logLabel writes m·10^exp. It writes a plain number if all plain numbers on the axis, from
// 10^lo to 10^hi, are short.
func logLabel(m float64, exp int, lo, hi float64) string {
	switch {
	case lo > -3.01 && hi < 4.01:
		return fixed(m*math.Pow10(exp), -exp)
	case m == 1:
		return tenTo(exp)
	}
	return fixed(m, 0) + "×" + tenTo(exp)
}

// widen returns a range around lo to hi that is wide enough for labels of six digits
// to differ, and for a step not to be lost in a float64.
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

// roundStep returns the smallest step m·10^exp, with m 1, 2 or 5, such that n steps cover
// the range from lo to hi. Such a step exists: with a large enough step, one step on each
// side of zero covers any range. If whole is true, the step is an integer.
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

// stepsDown and stepsUp return v as a number of steps, rounded to an integer. A value
// within a billionth of a step is on it, because 0.7/0.1 is 6.999999999999999.
func stepsDown(v, step float64) float64 { return math.Floor(v/step + 1e-9) }
func stepsUp(v, step float64) float64   { return math.Ceil(v/step - 1e-9) }

// linearLabels returns the function that writes multiples of 10^exp from -size to size:
// as plain numbers if these are short, otherwise as multiples of one power of ten.
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

// fixed writes v with that many decimals, and with a minus sign that is as wide as a plus.
func fixed(v float64, decimals int) string {
	return strings.Replace(strconv.FormatFloat(v, 'f', max(decimals, 0), 64), "-", "−", 1)
}

// tenTo writes 10 with a raised exponent.
func tenTo(exp int) string {
	return "10" + strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(strconv.Itoa(exp))
}
