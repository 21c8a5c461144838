// Normalisation of digits by their moments: position, slant and size. Not here: the
// deformation of training images (deform.go) and standardization (standardize.go).

package mlp

import (
	"math"
	"slices"
)

// side is how many rows and columns an image has.
const side = 28

// Deskew returns a set of the same digits, each normalised by its moments: upright, about
// as wide and as high as any other, and with its centre of mass in the middle. A model
// that is trained on such images has Deskew set; Model.Predict then does the same. The
// new set is not standardized.
//
// For an image with the pixels p let (mx, my) be the centre of mass, xx, xy and yy the
// central second moments of x and y, weighted by p, and w² = xx − 2s·xy + s²·yy. Pixel
// (13.5+u, 13.5+v) of the result is the image at (mx + gx·u + s·gy·v, my + gy·v), by
// bilinear interpolation and rounded, with
//
//	s  = xy/yy, from -1 to 1      the slant; after it x and y are not correlated
//	gx = √(w/3.6)                 w/3.6 from 0.4 to 1.6
//	gy = √(√yy/5.4)               √yy/5.4 from 0.6 to 1.5
//
// 3.6 and 5.4 are typical deviations of a digit's x and y, in pixels. The square root
// leaves half of the difference between digits, because a 1 is narrow. A blank image stays
// blank, and one without height has no slant.
func (m *MNIST) Deskew() *MNIST {
	m.mustFit("Deskew")
	d := &MNIST{Images: make([]byte, len(m.Images)), Labels: m.Labels, imageSet: m.imageSet, labelSet: m.labelSet}
	share((m.Len()+batchRows-1)/batchRows, &deskewTask{d.Images, m.Images})
	return d
}

// A deskewTask is a task for share. A part of it is batchRows images.
type deskewTask struct{ to, from []byte }

func (t *deskewTask) part(c int) {
	lo := c * batchRows * MNISTPixels
	hi := min(lo+batchRows*MNISTPixels, len(t.to))
	for ; lo < hi; lo += MNISTPixels {
		deskew((*[MNISTPixels]byte)(t.to[lo:]), (*[MNISTPixels]byte)(t.from[lo:]))
	}
}

// deskew sets to to the normalised image.
func deskew(to, from *[MNISTPixels]byte) {
	mx, my, xx, xy, yy := imageMoments(from)
	s := 0.0
	if yy > 0 {
		s = max(-1, min(1, xy/yy))
	}
	width := math.Sqrt(max(0, xx-float64(2*s*xy)+float64(s*s*yy)))
	gx := math.Sqrt(max(0.4, min(1.6, width/3.6)))
	gy := math.Sqrt(max(0.6, min(1.5, math.Sqrt(yy)/5.4)))
	for i := range side {
		v := float64(gy * (float64(i) - middle))
		x, y := mx+float64(s*v), my+v
		for j := range side {
			to[i*side+j] = byte(math.Floor(bilinear(from, x+float64(gx*(float64(j)-middle)), y) + 0.5))
		}
	}
}

// middle is the centre of an image, in x and in y.
const middle = (side - 1) / 2.0

// imageMoments returns the centre of mass of an image and its central second moments. The
// sums are integers, so that they are exact. For a blank image the centre is the middle,
// and the moments are 0.
func imageMoments(image *[MNISTPixels]byte) (mx, my, xx, xy, yy float64) {
	var mass, sx, sy, sxx, sxy, syy int64
	for i := range int64(side) {
		for j := range int64(side) {
			p := int64(image[i*side+j])
			mass += p
			sx += p * j
			sy += p * i
			sxx += p * j * j
			sxy += p * i * j
			syy += p * i * i
		}
	}
	if mass == 0 {
		return middle, middle, 0, 0, 0
	}
	m := float64(mass)
	central := func(square, a, b int64) float64 { return float64(mass*square-a*b) / float64(m*m) }
	return float64(sx) / m, float64(sy) / m, central(sxx, sx, sx), central(sxy, sx, sy), central(syy, sy, sy)
}

// bilinear returns the image at the point (x, y) between its pixels. Outside it is 0.
func bilinear(image *[MNISTPixels]byte, x, y float64) float64 {
	if !(-1 < x && x < side && -1 < y && y < side) {
		return 0
	}
	left, top := math.Floor(x), math.Floor(y)
	fx, fy := x-left, y-top
	at := func(i, j int) float64 {
		if i < 0 || i >= side || j < 0 || j >= side {
			return 0
		}
		return float64(image[i*side+j])
	}
	i, j := int(top), int(left)
	above := float64(at(i, j)*(1-fx)) + float64(at(i, j+1)*fx)
	below := float64(at(i+1, j)*(1-fx)) + float64(at(i+1, j+1)*fx)
	return float64(above*(1-fy)) + float64(below*fy)
}

// deskewRows replaces each row of x, an image with pixels from 0 to 1, by the normalised
// image. The pixels are rounded to 256 grey values first, as those of MNIST are. A row
// with a NaN stays as it is.
func deskewRows(x *Matrix) {
	var from, to [MNISTPixels]byte
	for i := range x.Rows {
		row := x.Row(i)
		if slices.ContainsFunc(row, math.IsNaN) {
			continue
		}
		for j, v := range row {
			from[j] = byte(math.Floor(float64(max(0, min(1, v))*255) + 0.5))
		}
		deskew(&to, &from)
		for j, p := range to {
			row[j] = float64(p) / 255
		}
	}
}
