// How bright the paper is at each place of a picture.

package picture

import "math"

const (
	gridSide     = 64   // the paper is looked for on a grid of at most so many cells a side
	borderWeight = 16   // a cell on the border, where paper is, counts as so many
	black        = 0.15 // of darker paper than this, ink takes a smaller share
)

// subtractPaper replaces each brightness by how much of the paper's is missing, from 0
// to 1. The paper is the smooth surface that fits most of the picture. Ink deviates from
// it to one side: if it is the bright side, darkness takes the place of brightness.
func (f field) subtractPaper() {
	c := (max(f.w, f.h) + gridSide - 1) / gridSide
	paper := f.cells(c).surface()
	skew := 0.0
	for i, v := range f.v {
		d := v - paper.at(f, i)
		skew += d * d * d
	}
	for i, v := range f.v {
		b := paper.at(f, i)
		if skew > 0 {
			b, v = 1-b, 1-v
		}
		f.v[i] = min(max((b-v)/max(b, black), 0), 1)
	}
}

// cells returns the means of squares of c×c places.
func (f field) cells(c int) field {
	return each((f.w+c-1)/c, (f.h+c-1)/c, func(x, y int) float64 {
		sum, n := 0.0, 0
		for v := y * c; v < min(f.h, (y+1)*c); v++ {
			for u := x * c; u < min(f.w, (x+1)*c); u++ {
				sum += f.v[v*f.w+u]
				n++
			}
		}
		return sum / float64(n)
	})
}

// A surface is c₀ + c₁x + c₂y + c₃x² + c₄xy + c₅y², with x and y from -1 to 1.
type surface [6]float64

// terms returns what a surface's numbers are multiplied by at place i of f.
func (f field) terms(i int) surface {
	x := (2*float64(i%f.w)+1)/float64(f.w) - 1
	y := (2*float64(i/f.w)+1)/float64(f.h) - 1
	return surface{1, x, y, x * x, x * y, y * y}
}

// at returns the surface's value at place i of f.
func (s surface) at(f field, i int) float64 {
	sum := 0.0
	for k, t := range f.terms(i) {
		sum += s[k] * t
	}
	return sum
}

// surface returns the surface with the least sum of absolute deviations, in which ink
// matters little if there is more paper. It is found by least squares, over and over, with
// the weights 1/|deviation| of the time before (Schlossmacher, An Iterative Technique for
// Absolute Deviations Curve Fitting, 1973).
func (f field) surface() (s surface) {
	for range 30 {
		var equations [6][7]float64
		for i, v := range f.v {
			weight := 1 / max(math.Abs(v-s.at(f, i)), 1e-3)
			if x, y := i%f.w, i/f.w; x == 0 || y == 0 || x == f.w-1 || y == f.h-1 {
				weight *= borderWeight
			}
			terms := f.terms(i)
			for k, t := range terms {
				for j, u := range terms {
					equations[k][j] += weight * t * u
				}
				equations[k][6] += weight * t * v
			}
		}
		s = solve(equations)
	}
	return s
}

// solve solves six equations, whose matrix is positive or nearly singular, by elimination.
func solve(e [6][7]float64) (s surface) {
	for k := range e {
		e[k][k] += 1e-6 // so that a picture of one row has a solution
	}
	for k := range e {
		for row := range e {
			if ratio := e[row][k] / e[k][k]; row != k {
				for j := k; j < 7; j++ {
					e[row][j] -= ratio * e[k][j]
				}
			}
		}
	}
	for k := range s {
		s[k] = e[k][6] / e[k][k]
	}
	return s
}
