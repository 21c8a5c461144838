// The lines of a chart: which points of a series can be drawn, where gaps break the
// line, and how a long line is made short.

package mlp

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// points returns the number of points of s.
func (s *Series) points() int {
	if len(s.X) == 0 {
		return len(s.Y)
	}
	return min(len(s.X), len(s.Y))
}

// A point is in axis units or in pixels.
type point struct{ x, y float64 }

// point returns point i of s in axis units, and whether it can be drawn.
func (c *Chart) point(s *Series, i int) (point, bool) {
	v := float64(i + 1)
	if len(s.X) > 0 {
		v = s.X[i]
	}
	x, okX := axisUnits(v, c.LogX)
	y, okY := axisUnits(s.Y[i], c.LogY)
	return point{x, y}, okX && okY
}

// runs returns the pieces of s between its gaps, in pixels and thinned. A gap within
// one column of pixels does not break the line.
func (c *Chart) runs(s *Series, x, y axis) (runs [][]point) {
	gap := true
	for i := range s.points() {
		v, ok := c.point(s, i)
		if !ok {
			gap = true
			continue
		}
		v = point{x.pixel(v.x), y.pixel(v.y)}
		if n := len(runs) - 1; n >= 0 && (!gap || column(v) == column(runs[n][len(runs[n])-1])) {
			runs[n] = append(runs[n], v)
		} else {
			runs = append(runs, []point{v})
		}
		gap = false
	}
	for i := range runs {
		runs[i] = thin(runs[i])
	}
	return runs
}

// column returns the column of pixels that p is in.
func column(p point) float64 { return math.Floor(p.x) }

// thin makes a long run short without a change that can be seen. Of successive points in
// one column of pixels it keeps the first, the lowest, the highest and the last, in
// their order.
func thin(run []point) []point {
	var kept []point
	for len(run) > 0 {
		lo, hi, n := 0, 0, 1
		for ; n < len(run) && column(run[n]) == column(run[0]); n++ {
			if run[n].y < run[lo].y {
				lo = n
			}
			if run[n].y > run[hi].y {
				hi = n
			}
		}
		keep := []int{0, min(lo, hi), max(lo, hi), n - 1}
		for _, i := range slices.Compact(keep) {
			kept = append(kept, run[i])
		}
		run = run[n:]
	}
	return kept
}

// writeRun draws the line through the points of a run, and a mark at each point if marks
// is true. A run of one point always has its mark, because it has no line.
func writeRun(b io.Writer, run []point, style int, marks bool) {
	fmt.Fprintf(b, "<g class=\"s%d\">", style%colours)
	if len(run) > 1 {
		fmt.Fprintf(b, `<path class="line d%d" d="M`, style%dashes)
		for _, p := range run {
			fmt.Fprintf(b, "%v %v ", pixel(p.x), pixel(p.y))
		}
		io.WriteString(b, `"/>`)
	}
	for _, p := range run {
		if marks || len(run) == 1 {
			fmt.Fprintf(b, "\n<use class=\"mark\" href=\"#m%d\" x=\"%v\" y=\"%v\"/>", style%markers, pixel(p.x), pixel(p.y))
		}
	}
	io.WriteString(b, "</g>\n")
}
