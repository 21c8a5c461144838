// The lines of a chart: which points of a series can be drawn, where gaps break the
// line, and which points of a long line are dropped. Not here: the axes (axis.go) and the
// charts around the lines (svgplot.go).

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

// pointAt returns point i of s in axis units, and whether it can be drawn.
func (c *Chart) pointAt(s *Series, i int) (point, bool) {
	v := float64(i + 1)
	if len(s.X) > 0 {
		v = s.X[i]
	}
	x, okX := axisUnits(v, c.LogX)
	y, okY := axisUnits(s.Y[i], c.LogY)
	return point{x, y}, okX && okY
}

// pieces returns the pieces of s between its gaps, in pixels and thinned. A gap within
// one column of pixels does not break the line. If s has no line, each point is a piece,
// and only the first of those in one pixel.
func (c *Chart) pieces(s *Series, x, y axis) (pieces [][]point) {
	gap, drawn := true, map[point]bool{}
	for i := range s.points() {
		v, ok := c.pointAt(s, i)
		if !ok {
			gap = true
			continue
		}
		v = point{x.pixel(v.x), y.pixel(v.y)}
		if s.Points {
			if at := (point{math.Floor(v.x), math.Floor(v.y)}); !drawn[at] {
				pieces, drawn[at] = append(pieces, []point{v}), true
			}
			continue
		}
		if n := len(pieces) - 1; n >= 0 && (!gap || column(v) == column(pieces[n][len(pieces[n])-1])) {
			pieces[n] = append(pieces[n], v)
		} else {
			pieces = append(pieces, []point{v})
		}
		gap = false
	}
	for i := range pieces {
		pieces[i] = thin(pieces[i])
	}
	return pieces
}

// column returns the column of pixels that p is in.
func column(p point) float64 { return math.Floor(p.x) }

// thin drops points that do not change the picture. Of successive points in one column of
// pixels it keeps the first, the lowest, the highest and the last, in their order.
func thin(piece []point) []point {
	var kept []point
	for len(piece) > 0 {
		lo, hi, n := 0, 0, 1
		for ; n < len(piece) && column(piece[n]) == column(piece[0]); n++ {
			if piece[n].y < piece[lo].y {
				lo = n
			}
			if piece[n].y > piece[hi].y {
				hi = n
			}
		}
		keep := []int{0, min(lo, hi), max(lo, hi), n - 1}
		for _, i := range slices.Compact(keep) {
			kept = append(kept, piece[i])
		}
		piece = piece[n:]
	}
	return kept
}

// writePiece draws the line through the points of a piece, and a mark at each point if marks
// is true. A piece of one point always has its mark, because it has no line.
func (l *layout) writePiece(b io.Writer, piece []point, style int, marks bool) {
	fmt.Fprintf(b, "<g class=\"s%d\">", style%colours)
	if len(piece) > 1 {
		fmt.Fprintf(b, `<path class="line d%d" d="M`, style%dashes)
		for _, p := range piece {
			fmt.Fprintf(b, "%v %v ", pixel(p.x), pixel(p.y))
		}
		io.WriteString(b, `"/>`)
	}
	for _, p := range piece {
		if marks || len(piece) == 1 {
			fmt.Fprintf(b, "\n<use class=\"mark\" href=\"#m%d%s\" x=\"%v\" y=\"%v\"/>", style%markers, l.id, pixel(p.x), pixel(p.y))
		}
	}
	io.WriteString(b, "</g>\n")
}
