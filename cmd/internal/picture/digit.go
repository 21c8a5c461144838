// From ink to a digit like MNIST's: cut out, scaled, centred, and no darker at a pixel than
// training has seen. The page does the same to a drawing, in the same order of the same
// operations.

package picture

import (
	"image"
	"math"

	"mlp"
)

const (
	side   = 28 // of a digit, in pixels
	box    = 20 // the longer side of what has ink in it
	middle = 14 // the column and the row with the centre of mass, from 0
)

// Center cuts out the ink of a picture, where 255 is ink and 0 is paper, and sets it into
// 28×28 pixels as MNIST's digits were (LeCun et al. 1998, section III-A): scaled to 20
// pixels on the longer side of its bounding box, with anti-aliasing, and moved by whole
// pixels until its centre of mass lies in column 14 and row 14, counted from 0, as it
// does in MNIST's files. It returns nil if there is no ink.
//
// One of the 20 is k = max(w, h)/20 pixels of a picture whose ink is in the box of w×h
// pixels from (x0, y0) on. The pixel in column j is the mean of the picture between
// x0 + (j−left)·k and x0 + (j−left+1)·k, with left = 14 − ⌊(mx−x0)/k⌋ for the centre of
// mass mx = Σp·(x+½) / Σp. Rows likewise.
func Center(ink *image.Gray) *image.Gray {
	x0, y0, x1, y1 := ink.Rect.Dx(), ink.Rect.Dy(), 0, 0
	var sum, sumX, sumY float64 // of integers, so they are exact
	for y := range ink.Rect.Dy() {
		for x, p := range ink.Pix[y*ink.Stride:][:ink.Rect.Dx()] {
			if p > 0 {
				x0, y0, x1, y1 = min(x0, x), min(y0, y), max(x1, x+1), max(y1, y+1)
				sum += float64(p)
				sumX += float64(int(p) * (2*x + 1))
				sumY += float64(int(p) * (2*y + 1))
			}
		}
	}
	if sum == 0 {
		return nil
	}
	k := float64(max(x1-x0, y1-y0)) / box
	left := middle - math.Floor((sumX/(2*sum)-float64(x0))/k)
	top := middle - math.Floor((sumY/(2*sum)-float64(y0))/k)
	digit := image.NewGray(image.Rect(0, 0, side, side))
	for i := range side {
		for j := range side {
			x, y := float64(x0)+float64((float64(j)-left)*k), float64(y0)+float64((float64(i)-top)*k)
			digit.Pix[i*side+j] = uint8(math.Floor(mean(ink, x, y, k) + 0.5))
		}
	}
	return digit
}

// mean returns the mean of a picture over the square of side k from (x, y) on. Outside of
// the picture is paper.
func mean(ink *image.Gray, x, y, k float64) float64 {
	sum := 0.0
	for v := max(0, int(math.Floor(y))); v < min(ink.Rect.Dy(), int(math.Ceil(y+k))); v++ {
		row := 0.0
		for u := max(0, int(math.Floor(x))); u < min(ink.Rect.Dx(), int(math.Ceil(x+k))); u++ {
			row += float64(overlap(u, x, k) * float64(ink.Pix[v*ink.Stride+u]))
		}
		sum += float64(overlap(v, y, k) * row)
	}
	return sum / (k * k)
}

// overlap is how much of pixel u, which reaches from u to u+1, lies between x and x+k.
func overlap(u int, x, k float64) float64 {
	return min(float64(u)+1, x+k) - max(float64(u), x)
}

// Bound lowers the grey values p of a digit that are higher than those of training by too
// much: to p/255 ≤ Mean + 4·Std for the pixel's Mean and Std in training. At a pixel that
// training hardly ever lit, Std is so small that ink would become an enormous input. If
// the network's inputs are not standardized, Bound changes nothing.
func Bound(digit *image.Gray, in mlp.Standardization) {
	for j, mean := range in.Mean {
		most := math.Floor(float64(255*(mean+float64(4*in.Std[j]))) + 0.5)
		digit.Pix[j] = uint8(min(float64(digit.Pix[j]), most))
	}
}

// thinnest is how wide strokes are at least that Thicken has drawn, in pixels of a digit.
const thinnest = 2.2

// strokeWidth returns the width of the strokes of ink: twice its area, divided by the length
// of its outline, which is the sum of the absolute gradient.
func strokeWidth(ink *image.Gray) float64 {
	area, outline := 0.0, 0.0
	for y := -1; y < ink.Rect.Dy(); y++ {
		for x := -1; x < ink.Rect.Dx(); x++ {
			p := float64(ink.GrayAt(x, y).Y) // 0 outside
			area += p
			outline += math.Hypot(float64(ink.GrayAt(x+1, y).Y)-p, float64(ink.GrayAt(x, y+1).Y)-p)
		}
	}
	return 2 * area / outline
}

// Thicken draws ink with wider strokes if a pencil or a pen was so thin that Center would
// leave it paler and thinner than MNIST's.
func Thicken(ink *image.Gray) *image.Gray {
	w, h := ink.Rect.Dx(), ink.Rect.Dy()
	wider := (thinnest*float64(max(w, h))/box - strokeWidth(ink)) / 2 // to each side
	if !(wider > 0.1) {
		return ink
	}
	r := int(wider) + 1
	padded := each(w+2*r, h+2*r, func(x, y int) float64 {
		return float64(ink.GrayAt(x-r, y-r).Y) // 0 outside
	})
	less, more := padded.highest(r-1), padded.highest(r)
	thick := image.NewGray(image.Rect(0, 0, padded.w, padded.h))
	for i := range thick.Pix {
		thick.Pix[i] = uint8(less.v[i] + (wider-float64(r-1))*(more.v[i]-less.v[i]) + 0.5)
	}
	return thick
}
