// Deskewing and deforming of digits. Deskew normalises the position, the slant and the size of each digit.
// Deform gives a training slightly different digits in each epoch.

package mlp

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
)

const (
	side   = 28               // how many rows and columns an image has
	middle = (side - 1) / 2.0 // the centre of an image, in x and in y
)

// Deskew returns a set of the same digits, each normalised by its moments: upright, about as wide and as
// high as any other, and with its centre of mass in the middle. A model that is trained on such images has
// Deskew set; Model.Predict then does the same. The new set is not standardized.
//
// For an image with the pixels p let (mx, my) be the centre of mass, xx, xy and yy the central second
// moments of x and y, weighted by p, and w² = xx − 2s·xy + s²·yy. Pixel (13.5+u, 13.5+v) of the result is
// the image at (mx + gx·u + s·gy·v, my + gy·v), by bilinear interpolation and rounded, with
//
//	s  = xy/yy, from -1 to 1      the slant; after it x and y are not correlated
//	gx = √(w/3.6)                 w/3.6 from 0.4 to 1.6
//	gy = √(√yy/5.4)               √yy/5.4 from 0.6 to 1.5
//
// 3.6 and 5.4 are typical deviations of a digit's x and y, in pixels. The square root leaves half of the
// difference between digits, because a 1 is narrow. A blank image stays blank.
func (m *MNIST) Deskew() *MNIST {
	m.mustFit("Deskew")
	d := &MNIST{Images: make([]byte, len(m.Images)), Labels: m.Labels, check: m.check}
	parallelFor(maxThreads(), m.Len(), deskewTask{d, m})
	return d
}

// A deskewTask is a task for parallelFor. Part i is image i.
type deskewTask struct{ dst, src *MNIST }

func (t deskewTask) part(i int) {
	deskew((*[MNISTPixels]byte)(t.dst.image(i)), (*[MNISTPixels]byte)(t.src.image(i)))
}

// deskew sets dst to the normalised image. It returns how far src leans backwards, xy/yy.
func deskew(dst, src *[MNISTPixels]byte) (lean float64) {
	var from [framedSide * framedSide]float64
	frame(&from, src)
	mx, my, xx, xy, yy := imageMoments(src)
	if yy > 0 { // otherwise the image has no height
		lean = xy / yy
	}
	s := max(-1, min(1, lean))
	width := math.Sqrt(max(0, xx-float64(2*s*xy)+float64(s*s*yy)))
	gx := math.Sqrt(max(0.4, min(1.6, width/3.6)))
	gy := math.Sqrt(max(0.6, min(1.5, math.Sqrt(yy)/5.4)))
	for i := range side {
		v := float64(gy * (float64(i) - middle))
		x, y := mx+float64(s*v), my+v
		for j := range side {
			dst[i*side+j] = byte(math.Floor(bilinear(&from, x+float64(gx*(float64(j)-middle)), y) + 0.5))
		}
	}
	return lean
}

// imageMoments returns the centre of mass of an image and its central second moments. The sums are
// integers, so that they are exact. For a blank image the centre is the middle, and the moments are 0.
func imageMoments(image *[MNISTPixels]byte) (mx, my, xx, xy, yy float64) {
	var mass, sx, sy, sxx, sxy, syy int64
	for i := range int64(side) {
		var row, rowX, rowXX int64 // sums of one row
		for j, p := range image[i*side:][:side] {
			row += int64(p)
			rowX += int64(p) * int64(j)
			rowXX += int64(p) * int64(j*j)
		}
		mass, sx, sxx = mass+row, sx+rowX, sxx+rowXX
		sy += i * row
		sxy += i * rowX
		syy += i * i * row
	}
	if mass == 0 {
		return middle, middle, 0, 0, 0
	}
	m := float64(mass)
	central := func(square, a, b int64) float64 { return float64(mass*square-a*b) / float64(m*m) }
	return float64(sx) / m, float64(sy) / m, central(sxx, sx, sx), central(sxy, sx, sy), central(syy, sy, sy)
}

// framedSide is the side of an image with a pixel of paper around it.
const framedSide = side + 2

// frame sets what is inside of the paper.
func frame(framed *[framedSide * framedSide]float64, image *[MNISTPixels]byte) {
	for i := range side {
		row := framed[(i+1)*framedSide+1:][:side]
		for j, p := range image[i*side:][:side] {
			row[j] = float64(p)
		}
	}
}

// bilinear returns the image at the point (x, y) between its pixels. Outside it is 0.
func bilinear(framed *[framedSide * framedSide]float64, x, y float64) float64 {
	i, j := int(math.Floor(y)), int(math.Floor(x))
	if i < -1 || i >= side || j < -1 || j >= side {
		return 0
	}
	fx, fy := x-float64(j), y-float64(i)
	at := framed[(i+1)*framedSide+j+1:][:framedSide+2]
	above := float64(at[0]*(1-fx)) + float64(at[1]*fx)
	below := float64(at[framedSide]*(1-fx)) + float64(at[framedSide+1]*fx)
	return float64(above*(1-fy)) + float64(below*fy)
}

// deskewRow replaces an image with pixels from 0 to 1 by the normalised image. The pixels are rounded to 256
// grey values first, as those of MNIST are. A row with a NaN stays as it is.
func deskewRow(row []float64) {
	var src, dst [MNISTPixels]byte
	for j, v := range row {
		if v != v {
			return
		}
		src[j] = byte(math.Floor(float64(max(0, min(1, v))*255) + 0.5))
	}
	deskew(&dst, &src)
	for j, p := range dst {
		row[j] = float64(p) / 255
	}
}

// Deformation says how much a training image is deformed. Each image is rotated, sheared, scaled and
// shifted by random amounts, uniform between the given ones and their negatives, as in Cireşan et al. 2010,
// and then displaced pixel by pixel by a smooth random field, as in Simard et al. 2003. The network never
// sees the same image twice, so that it cannot learn one by heart.
type Deformation struct {
	Rotation float64 // degrees, from 0 to 30; half for a 1 and a 7, which would become one another
	Shear    float64 // degrees of slant, from 0 to 30; half for a 1 and a 7
	Scale    float64 // by this share, from 0 to 0.3, of the width and, independently, of the height
	Shift    float64 // pixels, from 0 to 4, in x and in y
	Elastic  float64 // root mean square of the random field in x and in y, in pixels, from 0 to 2
	Smooth   float64 // standard deviation of the Gaussian that smooths the field, in pixels, from 1 to 16; 0 is 4
}

// UsualDeformation is what suits digits that Deskew has normalised and a run of a few tens of epochs. A
// longer run can do with more.
var UsualDeformation = Deformation{Rotation: 10, Shear: 7, Scale: 0.1, Shift: 0.5, Elastic: 0.9, Smooth: usualSmooth}

const usualSmooth = 4.0

// Validate returns an error that names an amount which is out of its range.
func (d Deformation) Validate() error {
	for _, a := range []struct {
		name             string
		v, lowest, limit float64
	}{
		{"rotation", d.Rotation, 0, 30},
		{"shear", d.Shear, 0, 30},
		{"scale", d.Scale, 0, 0.3},
		{"shift", d.Shift, 0, 4},
		{"elastic", d.Elastic, 0, 2},
		{"smooth", cmp.Or(d.Smooth, usualSmooth), 1, 16},
	} {
		if !(a.lowest <= a.v && a.v <= a.limit) {
			return fmt.Errorf("%s is %v, want a number from %v to %v", a.name, a.v, a.lowest, a.limit)
		}
	}
	return nil
}

// Deform returns the digits of m as a data set for a training of this many epochs. Train trains on them
// deformed, anew in each epoch, and measures them as they are. How image i is deformed in epoch n depends
// on seed, n and i alone. The amounts are those of d for the first half of the epochs, and then fall in a
// straight line to 0.3 of those, because the last steps should learn what real digits look like. An error
// names an amount of d that is out of its range, or says that there are no epochs.
func (m *MNIST) Deform(d Deformation, seed uint64, epochs int) (Augmented, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("deformation: %w", err)
	}
	if epochs < 1 {
		return nil, fmt.Errorf("deformation: a training of %d epochs, want 1 or more", epochs)
	}
	return &deformed{m, d, seed, epochs, newField(seed, cmp.Or(d.Smooth, usualSmooth))}, nil
}

// deformed is what Deform returns.
type deformed struct {
	digits  *MNIST // not embedded: a promoted method, such as Slice, would give digits that are not deformed
	amounts Deformation
	seed    uint64
	epochs  int
	field   *field
}

func (s *deformed) Len() int                        { return s.digits.Len() }
func (s *deformed) Batch(x, y *Matrix, index []int) { s.digits.Batch(x, y, index) }

// Epoch returns the digits as they are deformed in epoch n.
func (s *deformed) Epoch(n int) Dataset {
	const fullUntil, least = 0.5, 0.3
	fall := (float64(n-1)/float64(s.epochs) - fullUntil) / (1 - fullUntil)
	strength := 1 - float64((1-least)*max(0, min(1, fall)))
	return &deformedEpoch{s, n, strength, s.field.scaled(strength * s.amounts.Elastic)}
}

// A deformedEpoch is the digits of epoch n.
type deformedEpoch struct {
	of       *deformed
	n        int
	strength float64        // the share of the amounts that is left
	field    *displacements // of this strength
}

func (e *deformedEpoch) Len() int { return e.of.digits.Len() }
func (e *deformedEpoch) Batch(x, y *Matrix, index []int) {
	e.batchOn(maxThreads(), x, y, index)
}

func (e *deformedEpoch) batchOn(threads int, x, y *Matrix, index []int) {
	e.of.digits.batch(threads, x, y, index, e, allPixels)
}

// A field is smooth random numbers, of variance 1 over all its points, which repeat in both directions.
type field [fieldSide * fieldSide]float64

const fieldSide = 256

// newField returns normally distributed numbers, smoothed by a Gaussian of standard deviation sigma.
func newField(seed uint64, sigma float64) *field {
	var noise, rows field
	random := normal(seed)
	for i := range noise {
		noise[i] = random()
	}
	weights := make([]float64, 2*int(4*sigma)+1)
	for k := range weights {
		d := float64(k-len(weights)/2) / sigma
		weights[k] = exp(-0.5 * d * d)
	}
	smooth := func(to, from *field, rowStride, colStride int) {
		for i := range fieldSide {
			for j := range fieldSide {
				sum := 0.0
				for k, w := range weights {
					sum = math.FMA(w, from[i*rowStride+(j+k)%fieldSide*colStride], sum)
				}
				to[i*rowStride+j*colStride] = sum
			}
		}
	}
	smooth(&rows, &noise, fieldSide, 1)
	smooth(&noise, &rows, 1, fieldSide)
	_, std := moments(noise[:])
	for i := range noise {
		noise[i] /= std
	}
	return &noise
}

// displacements is a field in 1/256 pixels. The first side elements of each row are repeated at its end, so
// that a row of an image may begin anywhere in it.
type displacements [fieldSide * (fieldSide + side)]int16

// scaled returns the field with the given root mean square in pixels.
func (f *field) scaled(pixels float64) *displacements {
	d := new(displacements)
	for i := range d {
		row, col := i/(fieldSide+side), i%(fieldSide+side)%fieldSide
		d[i] = int16(math.Floor(float64(f[row*fieldSide+col]*pixels*256) + 0.5))
	}
	return d
}

// row returns the displacements of row i of an image whose window of the field begins at the row in the low
// byte of window and the column in its next byte.
func (d *displacements) row(window uint32, i int) *[side]int16 {
	return (*[side]int16)(d[int(uint8(window)+uint8(i))*(fieldSide+side)+int(uint8(window>>8)):])
}

// A canvas is an image with empty space around it. The place of a point is taken modulo canvasSide, so that
// no point lies outside: the image repeats in both directions. With the largest amounts a point lies at
// most 45 pixels from the centre, counting four standard deviations of the field, and the next image begins
// at 50. Behind the last row there is room for the pixels to the right of a point and below it.
type canvas [canvasSide*canvasSide + canvasSide + 2]byte

const (
	canvasSide   = 64
	canvasMargin = (canvasSide - side) / 2
	fraction     = 16 // coordinates are fixed-point numbers with this many bits after the binary point
)

func (c *canvas) set(image []byte) {
	for i := range side {
		*(*[side]byte)(c[(canvasMargin+i)*canvasSide+canvasMargin:]) = [side]byte(image[i*side:])
	}
}

// deform sets dst to image k, deformed. It puts the image on the canvas and reads the canvas by bilinear
// interpolation, in integers, so that the result is the same on every processor.
func (e *deformedEpoch) deform(dst *[MNISTPixels]byte, c *canvas, k int) {
	c.set(e.of.digits.image(k))
	m, windows := e.affine(k, e.of.digits.Labels[k])
	for i := range side {
		c.row((*[side]byte)(dst[i*side:]), e.field.row(windows, i), e.field.row(windows>>16, i), m)
		m.x0 += m.xv
		m.y0 += m.yv
	}
}

// row sets dst to a row of a deformed image, whose first point is (m.x0, m.y0) before its displacement. The
// weights of the four pixels around a point are in 1/256. The halves of a uint32 hold the two columns of
// pixels and are interpolated together. A difference may be negative and borrow from the other half. The
// result is right nevertheless, because it is one modulo 2³² and each half of it fits 16 bits.
func (c *canvas) row(dst *[side]byte, dx, dy *[side]int16, m affineMap) {
	x, y := m.x0, m.y0
	for j := range dst {
		px := uint32(x + int32(dx[j])<<(fraction-8))
		py := uint32(y + int32(dy[j])<<(fraction-8))
		x, y = x+m.xu, y+m.yu
		four := (*[canvasSide + 2]byte)(c[py>>fraction%canvasSide*canvasSide+px>>fraction%canvasSide:])
		above := uint32(four[0]) | uint32(four[1])<<16
		below := uint32(four[canvasSide]) | uint32(four[canvasSide+1])<<16
		fx, fy := px>>8&255, py>>8&255
		column := above<<8 + (below-above)*fy
		left, right := column&0xffff, column>>16
		dst[j] = byte((left<<8 + (right-left)*fx + 1<<15) >> 16)
	}
}

// An affineMap takes pixel (u, v) of an image to (x0 + xu·u + xv·v, y0 + yu·u + yv·v) on a canvas.
type affineMap struct{ x0, xu, xv, y0, yu, yv int32 }

// affine returns the map of image k and its windows of the field, of 16 bits each: one for x and one for y.
// They come from 128 random bits. Each amount of the map takes 16 of them.
func (e *deformedEpoch) affine(k int, label byte) (m affineMap, windows uint32) {
	var rng rand.PCG
	rng.Seed(e.of.seed, uint64(e.n)<<32|uint64(k))
	first, second := rng.Uint64(), rng.Uint64()
	d := &e.of.amounts
	amount := func(bits uint64, most float64) float64 {
		return float64(float64(int16(bits)) / 0x1p15 * e.strength * most)
	}
	turn := 1.0
	if label == 1 || label == 7 {
		turn = 0.5
	}
	sin, cos := sinCos(amount(first, turn*d.Rotation))
	sinShear, cosShear := sinCos(amount(first>>16, turn*d.Shear))
	width, height := 1+amount(first>>32, d.Scale), 1+amount(first>>48, d.Scale)
	slant := float64(sinShear/cosShear) * height
	// The rotation of (width·u + slant·v, height·v).
	xu, xv := float64(cos*width), float64(cos*slant)-float64(sin*height)
	yu, yv := float64(sin*width), float64(sin*slant)+float64(cos*height)
	const centre = canvasMargin + middle
	x0 := centre + amount(second, d.Shift) - float64(middle*(xu+xv))
	y0 := centre + amount(second>>16, d.Shift) - float64(middle*(yu+yv))
	fixed := func(v float64) int32 { return int32(math.Floor(float64(v*(1<<fraction)) + 0.5)) }
	return affineMap{fixed(x0), fixed(xu), fixed(xv), fixed(y0), fixed(yu), fixed(yv)}, uint32(second >> 32)
}

// sinCos returns the sine, by its Taylor series, and the cosine of an angle from -30 to 30 degrees.
func sinCos(degrees float64) (sin, cos float64) {
	x := degrees * (math.Pi / 180)
	xx := x * x
	series := 1.0
	for k := 10.0; k > 0; k -= 2 {
		series = 1 - float64(xx/(k*(k+1))*series)
	}
	sin = x * series
	return sin, math.Sqrt(1 - float64(sin*sin))
}
