// How ink is found on paper, from pixels of any colour.

package picture

import (
	"image"
	"image/draw"
	"math"
	"slices"
)

// maxSide is how many pixels of a side are enough to find ink; a larger picture is made
// smaller first.
const maxSide = 1400

// smallSide is how many are enough to see whether the ink is dark or bright.
const smallSide = 500

// A field is w×h numbers, row by row.
type field struct {
	w, h int
	v    []float64
}

// at returns the number at (x, y), or at the nearest place inside.
func (f field) at(x, y int) float64 {
	return f.v[min(max(y, 0), f.h-1)*f.w+min(max(x, 0), f.w-1)]
}

// between returns the number at a point between places, by linear interpolation.
func (f field) between(x, y float64) float64 {
	i, j := int(math.Floor(x)), int(math.Floor(y))
	s, t := x-float64(i), y-float64(j)
	return (1-t)*((1-s)*f.at(i, j)+s*f.at(i+1, j)) + t*((1-s)*f.at(i, j+1)+s*f.at(i+1, j+1))
}

// each returns a field of w×h values of a function.
func each(w, h int, value func(x, y int) float64) field {
	f := field{w, h, make([]float64, w*h)}
	for y := range h {
		for x := range w {
			f.v[y*w+x] = value(x, y)
		}
	}
	return f
}

// light returns a picture's brightness, or its opposite if its ink is bright, and how many
// pixels of the picture are a side of one place of it.
func light(img image.Image) (f field, k int) {
	size := img.Bounds().Size()
	k = (max(size.X, size.Y) + maxSide - 1) / maxSide
	f, opaque := brightness(img, k)
	g := ground(f, opaque)
	for i := range f.v {
		f.v[i] += g * (1 - opaque.v[i])
	}
	// Ink deviates from what is around it to one side, most so if what is around is as large as the ink:
	// the sign of the largest skewness says to which. A shadow's edge deviates to both.
	largest, small := 0.0, f.cells((max(f.w, f.h)+smallSide-1)/smallSide)
	for r := max(small.w, small.h) / 4; r > 0; r /= 2 {
		squares, cubes, around := 1e-9, 0.0, small.smooth(r)
		for i, v := range small.v {
			d := v - around.v[i]
			squares += d * d
			cubes += d * d * d
		}
		if skewness := cubes / math.Pow(squares, 1.5); math.Abs(skewness) > math.Abs(largest) {
			largest = skewness
		}
	}
	if largest > 0 {
		f = f.negative()
	}
	return f, k
}

// brightness returns a picture's brightness from 0 to 1, times its opacity, and that opacity.
// Both are means of squares of k×k pixels, of smaller ones at the right and at the bottom.
// Brightness is the luminance of JPEG (ITU-R BT.601) of the values as they are stored.
func brightness(img image.Image, k int) (lit, opaque field) {
	b := img.Bounds()
	w, h := (b.Dx()+k-1)/k, (b.Dy()+k-1)/k
	lit, opaque = field{w, h, make([]float64, w*h)}, field{w, h, make([]float64, w*h)}
	row := image.NewRGBA(image.Rect(0, 0, b.Dx(), 1)) // draw knows how to fill it from any picture, quickly
	for y := range b.Dy() {
		draw.Draw(row, row.Rect, img, image.Pt(b.Min.X, b.Min.Y+y), draw.Src)
		for x := range b.Dx() {
			p, i := row.Pix[4*x:][:4], y/k*w+x/k
			n := 255 * float64(min(k, b.Dx()-x/k*k)*min(k, b.Dy()-y/k*k))
			lit.v[i] += (0.299*float64(p[0]) + 0.587*float64(p[1]) + 0.114*float64(p[2])) / n
			opaque.v[i] += float64(p[3]) / n
		}
	}
	return lit, opaque
}

// ground returns the brightness to put behind a picture that is transparent in places. If
// what is visible has bright and dark parts, it has paper of its own, and the ground is
// the more frequent of the two. Otherwise what is visible is ink, and the ground is its
// opposite.
func ground(lit, opaque field) float64 {
	const apart = 0.25
	var visible []float64
	for i, a := range opaque.v {
		if a > 0.5 {
			visible = append(visible, lit.v[i]/a)
		}
	}
	slices.Sort(visible)
	n := len(visible)
	switch {
	case n == 0:
		return 0
	case visible[n-1-n/20]-visible[n/20] > apart:
		return visible[n/2]
	case visible[n/2] < 0.5:
		return 1
	}
	return 0
}

// smooth averages squares of side 2r+1, with what is inside of the field: first along the
// rows, then along the columns.
func (f field) smooth(r int) field {
	for range 2 {
		t := field{f.h, f.w, make([]float64, len(f.v))} // columns become rows
		sums := make([]float64, f.w+1)
		for y := range f.h {
			for x, v := range f.v[y*f.w:][:f.w] {
				sums[x+1] = sums[x] + v
			}
			for x := range f.w {
				from, to := max(0, x-r), min(f.w, x+r+1)
				t.v[x*f.h+y] = (sums[to] - sums[from]) / float64(to-from)
			}
		}
		f = t
	}
	return f
}
