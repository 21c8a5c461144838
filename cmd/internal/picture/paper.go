// How bright the paper is at each place of a picture, and which lines are ruled on it.

package picture

import (
	"math"
	"slices"
)

const black = 0.15 // of darker paper than this, ink takes a smaller share

// darkness returns how much of the paper's brightness is missing, from 0 to 1. The paper is
// what remains of f if everything dark is filled that is narrower than width: the closing
// of f with a square (Serra, Image Analysis and Mathematical Morphology, 1982). Shadows and
// desks are wider, and keep their edges.
func (f field) darkness(width int) field {
	paper := f.highest(width / 2).negative().highest(width / 2).negative()
	return each(f.w, f.h, func(x, y int) float64 {
		b := paper.v[y*f.w+x]
		return (b - f.v[y*f.w+x]) / max(b, black)
	})
}

func (f field) negative() field {
	return each(f.w, f.h, func(x, y int) float64 { return 1 - f.v[y*f.w+x] })
}

// highest returns the maximum of the square of side 2r+1 around each place: first along the
// rows, then along the columns.
func (f field) highest(r int) field {
	for range 2 {
		t := field{f.h, f.w, make([]float64, len(f.v))} // columns become rows
		for y := range f.h {
			row := f.v[y*f.w:][:f.w]
			var falling []int // the places up to x that have no higher one behind them
			for x := range f.w + r {
				if x < f.w {
					for len(falling) > 0 && row[falling[len(falling)-1]] <= row[x] {
						falling = falling[:len(falling)-1]
					}
					falling = append(falling, x)
				}
				if falling[0] < x-2*r {
					falling = falling[1:]
				}
				if x >= r {
					t.v[(x-r)*f.h+y] = row[falling[0]]
				}
			}
		}
		f = t
	}
	return f
}

func (f field) transposed() field {
	return each(f.h, f.w, func(x, y int) float64 { return f.v[x*f.w+y] })
}

// ruled returns how dark the straight lines are that cross the picture, at most 25° from
// its rows or columns.
func (f field) ruled() field {
	thin := f.darkness(max(f.w, f.h) / 50)
	across, down := thin.ruledRows(), thin.transposed().ruledRows().transposed()
	for i := range across.v {
		across.v[i] = max(across.v[i], down.v[i])
	}
	return across
}

func (f field) ruledRows() field {
	// Lines are nearly parallel: their slope is looked for in a small picture.
	const steepest, apart = 0.47, 0.04
	small := f.cells((max(f.w, f.h) + 255) / 256)
	slope, most := 0.0, 0.0
	for s := -steepest; s <= steepest; s += 1.0 / 128 {
		sum := 0.0
		for _, dark := range small.rows(s) {
			sum += dark * dark
		}
		if sum > most {
			slope, most = s, sum
		}
	}
	lines := field{f.w, f.h, make([]float64, len(f.v))}
	for s := slope - apart; s <= slope+apart; s += 2.5 / float64(f.w) {
		for start, dark := range f.rows(s) {
			if dark > 0 {
				for x := range f.w {
					if y := f.row(start, s, x); 0 <= y && y < f.h {
						lines.v[y*f.w+x] = max(lines.v[y*f.w+x], dark)
					}
				}
			}
		}
	}
	return lines
}

// row returns at which height the line of this slope and number is in column x.
func (f field) row(number int, slope float64, x int) int {
	return number - f.w/4 + int(math.Round(slope*float64(x-f.w/2)))
}

// rows returns the darkness of all lines of a slope. A line has 16 parts, and is as dark as
// the darkest of its palest fifth: digits are on some parts only, a ruled line is on all.
func (f field) rows(slope float64) []float64 {
	const parts = 16
	lines := make([]float64, f.h+f.w/2)
	for number := range lines {
		var means []float64
		for p := range parts {
			sum, n, from, to := 0.0, 0, p*f.w/parts, (p+1)*f.w/parts
			for x := from; x < to; x++ {
				if y := f.row(number, slope, x); 0 <= y && y < f.h {
					sum += f.v[y*f.w+x]
					n++
				}
			}
			if n > (to-from)/2 {
				means = append(means, sum/float64(n))
			}
		}
		if len(means) > parts/2 {
			slices.Sort(means)
			lines[number] = means[len(means)/5]
		}
	}
	return lines
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
