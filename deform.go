// Deformation: digits that are a little different in each epoch of training. Not here:
// the normalisation of digits, which is the same for all data (deskew.go).

package mlp

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// Deformation says how much a training image is deformed. Each image is rotated, sheared,
// scaled and shifted by random amounts, uniform between the given ones and their
// negatives, as in Cireşan et al. 2010, and then displaced pixel by pixel by a smooth
// random field, as in Simard et al. 2003. A digit is still the same digit to a reader,
// and the network, which never sees the same image twice, cannot learn it by heart.
type Deformation struct {
	Rotation float64 // degrees, at most 30; half for a 1 and a 7, which would become one another
	Shear    float64 // degrees of slant, at most 30; half for a 1 and a 7
	Scale    float64 // by this share, at most 0.3, of the width and, independently, of the height
	Shift    float64 // pixels, at most 4, in x and in y
	Elastic  float64 // root mean square of the random field in x and in y, in pixels; at most 2
	Smooth   float64 // standard deviation of the Gaussian that smooths the field, in pixels, from 1 to 16; 0 is 4
}

// UsualDeformation is what suits digits that Deskew has normalised and a run of a few tens
// of epochs. A longer run can do with more.
var UsualDeformation = Deformation{Rotation: 10, Shear: 7, Scale: 0.1, Shift: 0.5, Elastic: 0.9, Smooth: usualSmooth}

const usualSmooth = 4.0

// Validate returns an error that names an amount which is out of its range.
func (d Deformation) Validate() error {
	for _, amount := range []struct {
		name            string
		v, least, limit float64
	}{
		{"Rotation", d.Rotation, 0, 30},
		{"Shear", d.Shear, 0, 30},
		{"Scale", d.Scale, 0, 0.3},
		{"Shift", d.Shift, 0, 4},
		{"Elastic", d.Elastic, 0, 2},
		{"Smooth", cmp.Or(d.Smooth, usualSmooth), 1, 16},
	} {
		if !(amount.least <= amount.v && amount.v <= amount.limit) {
			return fmt.Errorf("%s is %v, want a number from %v to %v", amount.name, amount.v, amount.least, amount.limit)
		}
	}
	return nil
}

// Deformed is a set of digits of which Train sees other versions in each epoch. It is
// measured as it is: Len and Batch are those of MNIST.
type Deformed struct {
	*MNIST
	deformation Deformation
	seed        uint64
	epochs      int
	field       *field
}

// Deform returns the digits of m as a data set for a training of so many epochs that is
// to see them deformed. How image i is deformed in epoch n depends on seed, n and i alone.
// The amounts are those of d for the first half of the epochs, and then fall in a straight
// line to 0.3 of those, because the last steps should learn what real digits look like.
// An error names an amount of d that is out of its range.
func (m *MNIST) Deform(d Deformation, seed uint64, epochs int) (*Deformed, error) {
	if err := d.Validate(); err != nil {
		return nil, fmt.Errorf("Deformation: %w", err)
	}
	return &Deformed{m, d, seed, epochs, newField(seed, cmp.Or(d.Smooth, usualSmooth))}, nil
}

// Epoch returns the digits as they are deformed in epoch n.
func (s *Deformed) Epoch(n int) Dataset {
	const whole, least = 0.5, 0.3
	strength := 1.0
	if progress := float64(n-1) / float64(s.epochs); progress > whole {
		strength = 1 - float64((1-least)*min(1, (progress-whole)/(1-whole)))
	}
	return &deformedEpoch{s, n, strength, s.field.scaled(strength * s.deformation.Elastic)}
}

// A deformedEpoch is the digits of one epoch.
type deformedEpoch struct {
	*Deformed
	n        int
	strength float64
	field    *displacements
}

// Batch is MNIST.Batch of the deformed images.
func (e *deformedEpoch) Batch(x, y *Matrix, index []int) { e.MNIST.batch(x, y, index, e, allPixels) }

// A field is smooth random numbers, of variance 1 over all its points, which repeat
// in both directions.
type field [fieldSide * fieldSide]float64

const fieldSide = 256

// newField returns normally distributed numbers, smoothed by a Gaussian of the standard
// deviation sigma in each direction.
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
	smooth := func(to, from *field, down, across int) {
		for i := range fieldSide {
			for j := range fieldSide {
				total := 0.0
				for k, w := range weights {
					total = math.FMA(w, from[i*down+(j+k)%fieldSide*across], total)
				}
				to[i*down+j*across] = total
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

// displacements is a field in 1/256 pixels. Behind each row its first elements stand
// again, so that a row of an image may begin at any of them.
type displacements [fieldSide * (fieldSide + side)]int16

// scaled returns the field with the given root mean square in pixels.
func (f *field) scaled(pixels float64) *displacements {
	d := new(displacements)
	for i := range d {
		v := f[i/(fieldSide+side)*fieldSide+i%(fieldSide+side)%fieldSide]
		d[i] = int16(math.Floor(float64(v*pixels*256) + 0.5))
	}
	return d
}

// row returns the displacements of row i of an image in the window that begins at the
// given place: a row in its low byte and a column in its high byte.
func (d *displacements) row(window uint32, i int) *[side]int16 {
	return (*[side]int16)(d[int(uint8(window)+uint8(i))*(fieldSide+side)+int(uint8(window>>8)):])
}

// A canvas is an image with empty space around it. The place of a point is taken modulo
// canvasSide, so that no point lies outside: the image repeats in both directions. With
// the largest amounts a point lies at most 45 pixels from the centre, counting four
// standard deviations of the field, and the next image begins at 50. Behind the last row
// there is room for the pixels to the right of a point and below it.
type canvas [canvasSide*canvasSide + canvasSide + 2]byte

const (
	canvasSide   = 64
	canvasMargin = (canvasSide - side) / 2
)

func (c *canvas) set(image []byte) {
	for i := range side {
		copy(c[(canvasMargin+i)*canvasSide+canvasMargin:][:side], image[i*side:])
	}
}

// Points are in 1/65536 of a pixel: with 16 binary digits behind the point.
const fraction = 16

// random returns the random bits that deform image k.
func (e *deformedEpoch) random(k int) [2]uint64 {
	var rng rand.PCG
	rng.Seed(e.seed, uint64(e.n)<<32|uint64(k))
	return [2]uint64{rng.Uint64(), rng.Uint64()}
}

// deform sets to to image k of the canvas, deformed. It reads the canvas by bilinear
// interpolation, in integers, so that the result is the same on every processor.
func (e *deformedEpoch) deform(to *[MNISTPixels]byte, c *canvas, k int) {
	random := e.random(k)
	m, windows := e.affine(random, e.Labels[k]), uint32(random[1]>>32)
	for i := range side {
		c.row((*[side]byte)(to[i*side:]), e.field.row(windows, i), e.field.row(windows>>16, i), m)
		m.x0 += m.xv
		m.y0 += m.yv
	}
}

// row sets to to a row of a deformed image, whose first point is (m.x0, m.y0) before its
// displacement. The weights of a point's four pixels have 8 binary digits. The two
// columns are computed in the halves of one number. A difference may be negative, but the
// result of each half fits its 16 digits, so that it is right modulo 2³².
func (c *canvas) row(to *[side]byte, dx, dy *[side]int16, m affineMap) {
	x, y := m.x0, m.y0
	for j := range to {
		px := uint32(x + int32(dx[j])<<(fraction-8))
		py := uint32(y + int32(dy[j])<<(fraction-8))
		x, y = x+m.xu, y+m.yu
		four := c[py>>fraction%canvasSide*canvasSide+px>>fraction%canvasSide:][:canvasSide+2]
		above := uint32(binary.LittleEndian.Uint16(four))
		below := uint32(binary.LittleEndian.Uint16(four[canvasSide:]))
		above, below = (above|above<<8)&0xff00ff, (below|below<<8)&0xff00ff
		fx, fy := px>>8&255, py>>8&255
		column := above<<8 + (below-above)*fy
		left, right := column&0xffff, column>>16
		to[j] = byte((left<<8 + (right-left)*fx + 1<<15) >> 16)
	}
}

// An affineMap takes pixel (u, v) of an image to the point (x0 + xu·u + xv·v,
// y0 + yu·u + yv·v) of a canvas.
type affineMap struct{ x0, xu, xv, y0, yu, yv int32 }

// affine returns the map that 96 random bits give, 16 for each amount.
func (e *deformedEpoch) affine(random [2]uint64, label byte) affineMap {
	d := &e.deformation
	first, second := random[0], random[1]
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
	return affineMap{fixed(x0), fixed(xu), fixed(xv), fixed(y0), fixed(yu), fixed(yv)}
}

// sinCos returns the sine, by its Taylor series, and the cosine of an angle of at most 30
// degrees either way.
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
