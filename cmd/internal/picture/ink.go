// How ink is found on paper: which of the two is darker, how bright the paper is at each
// place, what is ink and not a speck. Not here: one digit of several, ruled lines, and a
// desk around the paper.

package picture

import (
	"errors"
	"image"
	"math"
	"slices"
)

// maxSide is how many pixels of a side are enough to find ink; a larger picture is made
// smaller first.
const maxSide = 1024

// minContrast is how much darker than the paper ink must be, as a share of the paper's
// brightness.
const minContrast = 0.1

// Ink returns where a picture has ink: 255 for ink and 0 for paper, with grey values
// between them at the edges of a stroke. The picture may be in colour, unevenly lit,
// transparent, and with bright ink on dark paper. It returns an error if nothing stands
// out from the paper.
//
// The paper's brightness at a place is the picture closed by a square that is wider than
// a stroke, and ink is what is darker than that (the top-hat transform of Serra 1982; as
// a cure of uneven light in Gonzalez & Woods, Digital Image Processing, section 9.6).
// The threshold between them is Otsu's (1979).
func Ink(img image.Image) (*image.Gray, error) {
	size := img.Bounds().Size()
	l := lightOf(img, (max(size.X, size.Y)+maxSide-1)/maxSide)
	g := field{l.w, l.h, l.over(l.ground())}
	g = g.smooth(max(g.w, g.h) / 300)
	if g.brightInk() {
		for i, v := range g.v {
			g.v[i] = 1 - v
		}
	}
	g.subtractPaper()
	threshold, paper, ink := otsu(g.v)
	if !(ink-paper >= minContrast) {
		return nil, errors.New("no ink stands out from the paper")
	}
	return g.strokes(threshold, paper, ink), nil
}

// A field is w×h numbers, row by row.
type field struct {
	w, h int
	v    []float64
}

// at returns the number at (x, y), or at the nearest place inside.
func (f field) at(x, y int) float64 {
	return f.v[min(max(y, 0), f.h-1)*f.w+min(max(x, 0), f.w-1)]
}

// each returns a field of w×h values of a function.
func each(w, h int, value func(x, y int) float64) field {
	f := field{w, h, make([]float64, w*h)}
	for i := range f.v {
		f.v[i] = value(i%w, i/w)
	}
	return f
}

// slide replaces each number by what fold makes of the 2r+1 numbers around it in its row,
// and then in its column. At the edges it repeats the last one.
func (f field) slide(r int, fold func(window []float64) float64) field {
	window := make([]float64, 2*r+1)
	rows := each(f.w, f.h, func(x, y int) float64 {
		for i := range window {
			window[i] = f.at(x+i-r, y)
		}
		return fold(window)
	})
	return each(f.w, f.h, func(x, y int) float64 {
		for i := range window {
			window[i] = rows.at(x, y+i-r)
		}
		return fold(window)
	})
}

func average(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// smooth averages squares of side 2r+1, against the noise of a camera.
func (f field) smooth(r int) field { return f.slide(r, average) }

// brightInk reports whether ink is brighter than paper. The border is paper, its median
// brightness is the paper's, and ink is what differs most from it.
func (f field) brightInk() bool {
	var border []float64
	for x := range f.w {
		border = append(border, f.at(x, 0), f.at(x, f.h))
	}
	for y := range f.h {
		border = append(border, f.at(0, y), f.at(f.w, y))
	}
	slices.Sort(border)
	paper := border[len(border)/2]
	return slices.Max(f.v)-paper > paper-slices.Min(f.v)
}

// The paper is looked for on a grid of at most gridSide cells a side. A stroke is
// narrower than 2·strokeCells+1 cells.
const gridSide, strokeCells = 64, 10

// subtractPaper replaces each brightness by how much of the paper's is missing, from 0
// to 1. Of paper that is nearly black it takes the difference instead of the share.
func (f field) subtractPaper() {
	const black = 0.25
	c := (max(f.w, f.h) + gridSide - 1) / gridSide
	grid := each((f.w+c-1)/c, (f.h+c-1)/c, func(x, y int) float64 {
		sum, n := 0.0, 0
		for v := y * c; v < min(f.h, (y+1)*c); v++ {
			for u := x * c; u < min(f.w, (x+1)*c); u++ {
				sum += f.v[v*f.w+u]
				n++
			}
		}
		return sum / float64(n)
	})
	paper := grid.slide(strokeCells, slices.Max[[]float64]).slide(strokeCells, slices.Min[[]float64])
	for i, v := range f.v {
		b := paper.between((float64(i%f.w)+0.5)/float64(c)-0.5, (float64(i/f.w)+0.5)/float64(c)-0.5)
		f.v[i] = max(0, b-v) / max(b, black)
	}
}

// between interpolates linearly between the four numbers around (x, y).
func (f field) between(x, y float64) float64 {
	u, v := int(math.Floor(x)), int(math.Floor(y))
	s, t := x-float64(u), y-float64(v)
	top := (1-s)*f.at(u, v) + s*f.at(u+1, v)
	bottom := (1-s)*f.at(u, v+1) + s*f.at(u+1, v+1)
	return (1-t)*top + t*bottom
}

// otsu returns the threshold that divides numbers from 0 to 1 in two classes whose means
// are furthest apart: it maximises n₀·n₁·(m₁−m₀)² for n₀ and n₁ numbers with the means m₀
// and m₁ (Otsu 1979, equation 18).
func otsu(v []float64) (threshold, mean0, mean1 float64) {
	const bins = 256
	var count, sum [bins]float64
	total := 0.0
	for _, x := range v {
		b := min(int(x*bins), bins-1)
		count[b]++
		sum[b] += x
		total += x
	}
	n0, sum0, best := 0.0, 0.0, -1.0
	for b := range bins - 1 {
		n0 += count[b]
		sum0 += sum[b]
		n1 := float64(len(v)) - n0
		if n0 == 0 || n1 == 0 {
			continue
		}
		m0, m1 := sum0/n0, (total-sum0)/n1
		if between := n0 * n1 * (m1 - m0) * (m1 - m0); between > best {
			best, threshold, mean0, mean1 = between, float64(b+1)/bins, m0, m1
		}
	}
	return threshold, mean0, mean1
}

// strokes returns ink from 0 for a number that paper has to 255 for one that ink has. What
// is not within a pixel of a piece that keep returns is paper.
func (f field) strokes(threshold, paper, ink float64) *image.Gray {
	kept := f.keep(threshold)
	near := kept.slide(1, slices.Max[[]float64])
	page := image.NewGray(image.Rect(0, 0, f.w, f.h))
	for i, v := range f.v {
		if near.v[i] > 0 {
			page.Pix[i] = uint8(255*min(max((v-paper)/(ink-paper), 0), 1) + 0.5)
		}
	}
	return page
}

// keep returns 1 for the numbers from a threshold on, without specks: pieces that touch
// each other nowhere and that are smaller than a twentieth of the largest.
func (f field) keep(threshold float64) field {
	kept := field{f.w, f.h, make([]float64, len(f.v))}
	seen := make([]bool, len(f.v))
	var pieces [][]int
	largest := 0
	for i, v := range f.v {
		if v >= threshold && !seen[i] {
			piece := f.piece(i, threshold, seen)
			pieces = append(pieces, piece)
			largest = max(largest, len(piece))
		}
	}
	for _, piece := range pieces {
		if 20*len(piece) >= largest {
			for _, i := range piece {
				kept.v[i] = 1
			}
		}
	}
	return kept
}

// piece returns the places that touch place i, with sides or corners, and have numbers
// from the threshold on. It marks them as seen.
func (f field) piece(i int, threshold float64, seen []bool) []int {
	piece := []int{i}
	seen[i] = true
	for n := 0; n < len(piece); n++ {
		x, y := piece[n]%f.w, piece[n]/f.w
		for v := max(0, y-1); v < min(f.h, y+2); v++ {
			for u := max(0, x-1); u < min(f.w, x+2); u++ {
				if j := v*f.w + u; !seen[j] && f.v[j] >= threshold {
					seen[j] = true
					piece = append(piece, j)
				}
			}
		}
	}
	return piece
}
