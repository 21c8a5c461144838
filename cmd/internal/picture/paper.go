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

// highest returns the maximum of the square of side 2r+1 around each place.
func (f field) highest(r int) field { return f.highestInRow(r).highestInRow(r) }

// highestInRow returns the maximum of the 2r+1 places of a row around each place, with rows as
// columns. In blocks of 2r+1 places, these are the end of one block and the beginning of the next
// (van Herk, A fast algorithm for local minimum and maximum filters, 1992).
func (f field) highestInRow(r int) field {
	t, n := field{f.h, f.w, make([]float64, len(f.v))}, 2*r+1
	end, beginning := make([]float64, f.w+n), make([]float64, f.w+n)
	for y := range f.h {
		row := f.v[y*f.w:][:f.w]
		for from := 0; from < f.w; from += n {
			to := min(from+n, f.w)
			copy(end[from:], row[from:to])
			copy(beginning[from:], row[from:to])
			for x := from + 1; x < to; x++ {
				beginning[x] = max(beginning[x], beginning[x-1])
			}
			for x := to - 2; x >= from; x-- {
				end[x] = max(end[x], end[x+1])
			}
		}
		for x := range f.w {
			from, to := max(0, x-r), min(x+r, f.w-1)
			switch {
			case x < r:
				t.v[x*f.h+y] = beginning[to]
			case from/n == to/n:
				t.v[x*f.h+y] = end[from]
			default:
				t.v[x*f.h+y] = max(end[from], beginning[to])
			}
		}
	}
	return t
}

func (f field) transposed() field {
	return each(f.h, f.w, func(x, y int) float64 { return f.v[x*f.w+y] })
}

// ruled returns how dark the lines are that are ruled on the paper, at most 25° from the
// picture's rows or columns. They may bend a little.
func (f field) ruled() field {
	thin := f.darkness(max(f.w, f.h) / 100).highest(1) // a line is not perfectly straight
	noise := quantile(thin.v, 0.5)
	for i, v := range thin.v {
		thin.v[i] = max(0, v-noise)
	}
	down, across := thin.ruledColumns(), thin.transposed().ruledColumns().transposed()
	for i, v := range across.v {
		down.v[i] += v * (1 - down.v[i]) // squared paper is darkest at its crossings
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
		for _, dark := range small.columns(s, lineParts/2).v {
			sum += dark * dark
		}
		if sum > most {
			slope, most = s, sum
		}
	}
	lines := field{f.w, f.h, make([]float64, len(f.v))}
	for s := slope - apart; s <= slope+apart; s += 6 / float64(f.h) {
		columns := f.columns(s, lineParts/12)
		for y := range f.h {
			along := columns.v[y*lineParts/f.h*columns.w+f.first(s, y):]
			for x, v := range lines.v[y*f.w:][:f.w] {
				if along[x] > v {
					lines.v[y*f.w+x] = along[x]
				}
			}
		}
	}
	return lines
}

// first returns which line of a slope begins row y.
func (f field) first(slope float64, y int) int {
	return f.h/4 + int(math.Round(slope*float64(y-f.h/2)))
}

const (
	lineParts = 48 // into which lines are cut
	beyond    = 2  // the darkness of parts that are not in the picture, whose lines may go on
)

// columns returns the darkness of all lines of a slope, from -½ to ½ pixels a row: a row for each
// part, and a column for each line. A ruled line is dark in all parts, and a digit only in some.
// So each part is as dark as the palest of a stretch of parts around it, the darkest of such
// stretches. They are half a picture long: a longer one would not follow a line that bends. A
// line with fewer than least parts in the picture is none.
func (f field) columns(slope float64, least int) field {
	parts := f.parts(slope)
	long := int(min(0.5*float64(max(f.w, f.h)), 0.85*float64(f.h)) / float64(f.h) * lineParts)
	ruled, palest, inside := field{parts.w, parts.h, make([]float64, len(parts.v))}, make([]float64, parts.w), make([]int, parts.w)
	for from := 0; from+long <= lineParts; from++ {
		copy(palest, parts.v[from*parts.w:])
		for p := from + 1; p < from+long; p++ {
			for i, v := range parts.v[p*parts.w:][:parts.w] {
				palest[i] = min(palest[i], v)
			}
		}
		for p := from; p < from+long; p++ {
			part := ruled.v[p*parts.w:][:parts.w]
			for i, v := range palest {
				part[i] = max(part[i], v)
			}
		}
	}
	for i, v := range parts.v {
		if v != beyond {
			inside[i%parts.w]++
		}
	}
	for i, v := range parts.v {
		if v == beyond || inside[i%parts.w] < least {
			ruled.v[i] = 0
		}
	}
	return ruled
}

// parts returns the mean of each part of the lines of a slope.
func (f field) parts(slope float64) field {
	lines := field{f.w + f.h/2 + 1, lineParts, nil}
	lines.v = make([]float64, lines.w*lines.h)
	for p := range lineParts {
		from, to := (p*f.h+lineParts-1)/lineParts, ((p+1)*f.h+lineParts-1)/lineParts
		part := lines.v[p*lines.w:][:lines.w]
		for y := from; y < to; y++ {
			along := part[f.first(slope, y):][:f.w]
			for x, v := range f.v[y*f.w:][:f.w] {
				along[x] += v
			}
		}
		left, right := f.first(slope, from), f.first(slope, max(from, to-1))
		for i := range part {
			part[i] /= float64(max(1, to-from))
			if i < max(left, right) || i >= min(left, right)+f.w {
				part[i] = beyond
			}
		}
	}
	return lines
}

// without returns what is darker than lines, and than the paper around: a closing leaves the
// edge of a picture too dark if the light decreases there. Most of what is around a place is paper, and
// three tenths are paler than what is taken for it.
func (f field) without(lines field) field {
	const cells, reach, share = 96, 12, 0.3
	d := each(f.w, f.h, func(x, y int) float64 { return max(0, f.v[y*f.w+x]-lines.v[y*f.w+x]) })
	c := (max(f.w, f.h) + cells - 1) / cells
	small := d.cells(c)
	around := make([]float64, 0, reach*reach)
	paper := each(small.w, small.h, func(x, y int) float64 {
		around = around[:0]
		for v := max(0, y-reach); v < min(small.h, y+reach+1); v += 3 {
			for u := max(0, x-reach); u < min(small.w, x+reach+1); u += 3 {
				around = append(around, small.v[v*small.w+u])
			}
		}
		slices.Sort(around)
		return around[int(share*float64(len(around)))]
	})
	return each(f.w, f.h, func(x, y int) float64 {
		return d.v[y*f.w+x] - paper.between((float64(x)+0.5)/float64(c)-0.5, (float64(y)+0.5)/float64(c)-0.5)
	})
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
