// How ink is found on paper, from pixels of any colour, and specks are left out.

package picture

import (
	"errors"
	"image"
	"image/draw"
	"iter"
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
// out from the paper. What is ink and what is not is Otsu's threshold (1979).
func Ink(img image.Image) (*image.Gray, error) {
	size := img.Bounds().Size()
	f, opaque := brightness(img, (max(size.X, size.Y)+maxSide-1)/maxSide)
	g := ground(f, opaque)
	for i := range f.v {
		f.v[i] += g * (1 - opaque.v[i])
	}
	f = f.smooth(max(f.w, f.h) / 300)
	f.subtractPaper()
	threshold, paper, ink := otsu(f.v)
	if !(ink-paper >= minContrast) {
		return nil, errors.New("no ink stands out from the paper")
	}
	page := image.NewGray(image.Rect(0, 0, f.w, f.h))
	for i, near := range f.keep(threshold) {
		if near {
			page.Pix[i] = uint8(255*min(max((f.v[i]-paper)/(ink-paper), 0), 1) + 0.5)
		}
	}
	return page, nil
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

// smooth averages squares of side 2r+1, against the noise of a camera: first along the
// rows, then along the columns.
func (f field) smooth(r int) field {
	for _, step := range []image.Point{{1, 0}, {0, 1}} {
		from := f
		f = each(f.w, f.h, func(x, y int) float64 {
			sum := 0.0
			for i := -r; i <= r; i++ {
				sum += from.at(x+i*step.X, y+i*step.Y)
			}
			return sum / float64(2*r+1)
		})
	}
	return f
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

// keep reports which places are ink, or beside it, without specks: pieces that touch no
// other and are smaller than a twentieth of the largest. Ink has numbers from the threshold on.
func (f field) keep(threshold float64) []bool {
	seen, near := make([]bool, len(f.v)), make([]bool, len(f.v))
	var pieces [][]int
	largest := 0
	for i := range f.v {
		var piece []int
		add := func(j int) {
			if f.v[j] >= threshold && !seen[j] {
				seen[j] = true
				piece = append(piece, j)
			}
		}
		add(i)
		for n := 0; n < len(piece); n++ {
			for j := range f.around(piece[n]) {
				add(j)
			}
		}
		if largest = max(largest, len(piece)); len(piece) > 0 {
			pieces = append(pieces, piece)
		}
	}
	for _, piece := range pieces {
		if 20*len(piece) < largest {
			continue
		}
		for _, i := range piece {
			for j := range f.around(i) {
				near[j] = true
			}
		}
	}
	return near
}

// around are place i and those that touch it with a side or a corner.
func (f field) around(i int) iter.Seq[int] {
	return func(yield func(int) bool) {
		x, y := i%f.w, i/f.w
		for v := max(0, y-1); v < min(f.h, y+2); v++ {
			for u := max(0, x-1); u < min(f.w, x+2); u++ {
				if !yield(v*f.w + u) {
					return
				}
			}
		}
	}
}
