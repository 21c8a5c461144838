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
	thin := f.darkness(max(f.w, f.h) / 50).highest(1) // a line is not perfectly straight
	down, across := thin.ruledColumns(), thin.transposed().ruledColumns().transposed()
	for i := range down.v {
		down.v[i] = max(down.v[i], across.v[i])
	}
	return down
}

// ruledColumns returns the lines that are nearly columns. They are nearly parallel: their
// slope is looked for in a small picture.
func (f field) ruledColumns() field {
	const steepest, apart = 0.43, 0.06
	small := f.cells((max(f.w, f.h) + 255) / 256)
	slope, most := 0.0, 0.0
	for s := -steepest; s <= steepest; s += 1.0 / 128 {
		sum := 0.0
		for _, dark := range small.columns(s) {
			sum += dark * dark
		}
		if sum > most {
			slope, most = s, sum
		}
	}
	lines := field{f.w, f.h, make([]float64, len(f.v))}
	for s := slope - apart; s <= slope+apart; s += 3 / float64(f.h) {
		columns := f.columns(s)
		for y := range f.h {
			first := f.first(s, y)
			for x := range f.w {
				lines.v[y*f.w+x] = max(lines.v[y*f.w+x], columns[first+x])
			}
		}
	}
	return lines
}

// first returns which line of a slope begins row y.
func (f field) first(slope float64, y int) int {
	return f.h/4 + int(math.Round(slope*float64(y-f.h/2)))
}

// columns returns the darkness of all lines of a slope, from -½ to ½ pixels a row. A line
// has 48 parts, and is as dark as the darkest of its palest fifth: digits are on some parts only,
// a ruled line is on all.
func (f field) columns(slope float64) []float64 {
	const parts = 48
	lines := make([]float64, f.w+f.h/2+1)
	var sums, counts [parts][]float64
	for p := range parts {
		sums[p], counts[p] = make([]float64, len(lines)), make([]float64, len(lines))
	}
	for y := range f.h {
		p, first := y*parts/f.h, f.first(slope, y)
		for x, v := range f.v[y*f.w:][:f.w] {
			sums[p][first+x] += v
			counts[p][first+x]++
		}
	}
	means := make([]float64, parts)
	for i := range lines {
		means = means[:0]
		sum := 0.0
		for p := range parts {
			if n := counts[p][i]; n > float64(f.h)/parts/2 {
				means = append(means, sums[p][i]/n)
				sum += sums[p][i] / n
			}
		}
		if len(means) > parts/8 && sum > 0.02*float64(len(means)) { // what is paler does not matter
			slices.Sort(means)
			lines[i] = means[len(means)/5]
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
