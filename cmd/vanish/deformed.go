// Pictures of digits, and what deskewing and deformation make of them.

package main

import (
	"bytes"
	"fmt"
	"math"

	"mlp"
	"mlp/cmd/internal/mnist"
)

const deformedName = "deformed.svg"

// The sheet has 24 digits in two bands, and in each band a row for each version of a
// digit. Lengths are in CSS pixels.
const (
	bands       = 2
	bandDigits  = 12
	digitSize   = 2  // of each of a digit's pixels
	tile        = 70 // a digit and a gap
	labelWidth  = 102
	sheetMargin = 16
	bandGap     = 16
)

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
	startPictures(b, "What the network sees",
		fmt.Sprintf("The first %d training digits: as they are, deskewed, and then deformed anew in each epoch.", digits.Len()),
		2*sheetMargin+labelWidth+bandDigits*tile-(tile-digitSize*28), picturesHead+bands*bandHeight)
	for band := range bands {
		for r, row := range rows {
			y := picturesHead + band*bandHeight + r*tile
			fmt.Fprintf(b, "<text class=\"dim\" x=\"%d\" y=\"%d\">%s</text>\n", sheetMargin, y+digitSize*28/2+4, row.label)
			for i := band * bandDigits; i < min((band+1)*bandDigits, digits.Len()); i++ {
				drawDigit(b, row.pixels[i*mlp.MNISTPixels:][:mlp.MNISTPixels], sheetMargin+labelWidth+i%bandDigits*tile, y, digitSize)
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
