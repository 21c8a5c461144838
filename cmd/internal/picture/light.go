// From pixels of any colour to brightness: luminance, alpha, and fewer pixels.

package picture

import (
	"image"
	"image/draw"
	"slices"
)

// A light is a picture's brightness from 0 to 1, times its opacity, and that opacity, for
// w×h squares of pixels, row by row.
type light struct {
	w, h        int
	lit, opaque []float64
}

// lightOf returns the means of squares of k×k pixels, of smaller ones at the right and
// at the bottom. Brightness is the luminance of JPEG (ITU-R BT.601) of the values as they
// are stored.
func lightOf(img image.Image, k int) light {
	b := img.Bounds()
	w, h := (b.Dx()+k-1)/k, (b.Dy()+k-1)/k
	l := light{w, h, make([]float64, w*h), make([]float64, w*h)}
	row := image.NewRGBA(image.Rect(0, 0, b.Dx(), 1)) // draw knows how to fill it from any picture, quickly
	for y := range b.Dy() {
		draw.Draw(row, row.Rect, img, image.Pt(b.Min.X, b.Min.Y+y), draw.Src)
		for x := range b.Dx() {
			p, i := row.Pix[4*x:][:4], y/k*w+x/k
			n := 255 * float64(min(k, b.Dx()-x/k*k)*min(k, b.Dy()-y/k*k))
			l.lit[i] += (0.299*float64(p[0]) + 0.587*float64(p[1]) + 0.114*float64(p[2])) / n
			l.opaque[i] += float64(p[3]) / n
		}
	}
	return l
}

// over returns the brightness of the picture on a ground of brightness g.
func (l light) over(g float64) []float64 {
	v := make([]float64, len(l.lit))
	for i := range v {
		v[i] = l.lit[i] + g*(1-l.opaque[i])
	}
	return v
}

// ground returns the brightness to put behind a picture that is transparent in places. If
// what is visible has bright and dark parts, it has paper of its own, and the ground is
// the more frequent of the two. Otherwise what is visible is ink, and the ground is its
// opposite.
func (l light) ground() float64 {
	const apart = 0.25
	var visible []float64
	for i, a := range l.opaque {
		if a > 0.5 {
			visible = append(visible, l.lit[i]/a)
		}
	}
	if len(visible) == 0 {
		return 0
	}
	slices.Sort(visible)
	n := len(visible)
	middle := visible[n/2]
	if visible[n-1-n/20]-visible[n/20] > apart {
		return middle
	}
	if middle < 0.5 {
		return 1
	}
	return 0
}
