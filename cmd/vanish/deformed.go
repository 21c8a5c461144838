// Pictures of digits, and what deskewing and deformation make of them, as a sheet for light
// pages and dark ones.

package main

import (
	"bytes"
	"fmt"
	"io"
	"math"

	"mlp"
	"mlp/cmd/internal/mnist"
)

const deformedName = "deformed.svg"

// The sheet has 24 digits in two bands below its head, and in each band a row for each
// version of a digit. Lengths are in CSS pixels.
const (
	bands       = 2
	bandDigits  = 12
	digitSide   = 28 // pixels of a digit
	digitSize   = 2  // of each of a digit's pixels
	tile        = 70 // a digit and a gap
	labelWidth  = 102
	sheetMargin = 16
	sheetHead   = 70
	bandGap     = 16
)

// sheetStart is the sheet up to the first picture. It takes the width, the height and the
// number of digits. Its colours are those of the package's charts.
const sheetStart = `<svg xmlns="http://www.w3.org/2000/svg" class="pictures" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title-deformed desc-deformed">
<title id="title-deformed">What the network sees</title>
<desc id="desc-deformed">The first %[3]d training digits: as they are, deskewed, and then deformed anew in each epoch.</desc>
<style>
.pictures{max-width:100%%;height:auto;font:12px "Helvetica Neue",Helvetica,Arial,sans-serif}
.bg{fill:#fff}.pictures text{fill:#1c2126}.pictures .dim{fill:#59636e}
.head{font-size:17px;font-weight:600}
.paper{fill:#f3f5f7}.ink path{fill:none;stroke:#1c2126}.i1{opacity:.2}.i2{opacity:.4}.i3{opacity:.6}.i4{opacity:.8}
@media (prefers-color-scheme:dark){
.bg{fill:#14171b}.pictures text{fill:#e8eaed}.pictures .dim{fill:#a4adb7}
.paper{fill:#1d2126}.ink path{stroke:#e8eaed}
}
</style>
<rect class="bg" width="100%%" height="100%%"/>
<text class="head" x="16" y="33">What the network sees</text>
<text class="dim" x="16" y="52">The first %[3]d training digits: as they are, deskewed, and then deformed anew in each epoch.</text>
`

// deformedDigits returns the sheet of the first training digits. The deformed ones are
// those of the first two of so many epochs.
func (l *lab) deformedDigits(epochs int) []byte {
	digits := l.train.Slice(0, min(bands*bandDigits, l.train.Len()))
	deskewed := digits.Deskew()
	rows := []struct {
		label  string
		pixels []byte
	}{
		{"as it is", digits.Images},
		{"deskewed", deskewed.Images},
		{"in epoch 1", l.deformedPixels(deskewed, epochs, 1)},
		{"in epoch 2", l.deformedPixels(deskewed, epochs, 2)},
	}
	bandHeight := len(rows)*tile + bandGap
	b := new(bytes.Buffer)
	fmt.Fprintf(b, sheetStart, 2*sheetMargin+labelWidth+bandDigits*tile-(tile-digitSize*digitSide), sheetHead+bands*bandHeight, digits.Len())
	for band := range bands {
		for r, row := range rows {
			y := sheetHead + band*bandHeight + r*tile
			fmt.Fprintf(b, "<text class=\"dim\" x=\"%d\" y=\"%d\">%s</text>\n", sheetMargin, y+digitSize*digitSide/2+4, row.label)
			for i := band * bandDigits; i < min((band+1)*bandDigits, digits.Len()); i++ {
				drawDigit(b, row.pixels[i*mlp.MNISTPixels:][:mlp.MNISTPixels], sheetMargin+labelWidth+i%bandDigits*tile, y)
			}
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// deformedPixels returns the digits as a network sees them in epoch n.
func (l *lab) deformedPixels(digits *mlp.MNIST, epochs, n int) []byte {
	deformed, err := digits.Deform(mlp.UsualDeformation, l.seed, epochs)
	if err != nil {
		panic(err) // the usual amounts are in their ranges
	}
	x, _ := mnist.FirstBatch(deformed.Epoch(n), digits.Len())
	pixels := make([]byte, len(x.Data))
	for i, v := range x.Data {
		pixels[i] = byte(math.Round(v * 255))
	}
	return pixels
}

// shades is how many shades of ink there are, with the classes i1, i2 and so on.
const shades = 5

// drawDigit draws a digit's pixels, with its top left corner at (x, y). The pixels of a shade
// are strokes from left to right, in a path that begins in the middle of the first row's
// left edge.
func drawDigit(b io.Writer, pixels []byte, x, y int) {
	fmt.Fprintf(b, "<g class=\"ink\" transform=\"translate(%d %d) scale(%d)\" shape-rendering=\"crispEdges\"><rect class=\"paper\" width=\"%[4]d\" height=\"%[4]d\"/>\n",
		x, y, digitSize, digitSide)
	for shade := 1; shade <= shades; shade++ {
		var path []byte
		fromX, fromY := 0, 0
		for i := 0; i < len(pixels); i++ {
			begin := i
			for i < len(pixels) && i/digitSide == begin/digitSide && (int(pixels[i])*shades+127)/255 == shade {
				i++
			}
			if i > begin {
				path = fmt.Appendf(path, "m%d %dh%d", begin%digitSide-fromX, begin/digitSide-fromY, i-begin)
				fromX, fromY = begin%digitSide+i-begin, begin/digitSide
				i--
			}
		}
		if len(path) > 0 {
			fmt.Fprintf(b, "<path class=\"i%d\" d=\"M0 .5%s\"/>\n", shade, path)
		}
	}
	io.WriteString(b, "</g>\n")
}
