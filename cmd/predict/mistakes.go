// mistakes.svg: the mistakes of a model that it was most certain of, as pictures. Not
// here: which they are (measure.go).

package main

import (
	"bytes"
	"fmt"

	"mlp"
	"mlp/cmd/internal/cli"
)

// The chart's measures in CSS pixels. A tile is a digit, with two lines below it.
const (
	tileColumns = 8
	tileRows    = 5
	tileWidth   = 110
	tileHeight  = 140
	digitSize   = 28 * pixelSize
	pixelSize   = 3
	chartMargin = 16
	chartWidth  = 2*chartMargin + (tileColumns-1)*tileWidth + digitSize
)

// drawMistakes returns the chart of the first mistakes.
func drawMistakes(test *mlp.MNIST, mistakes []mistake) []byte {
	worst := mistakes[:min(len(mistakes), tileColumns*tileRows)]
	rows := (len(worst) + tileColumns - 1) / tileColumns
	about := fmt.Sprintf("%d of %d test digits were read wrong.", len(mistakes), test.Len())
	if len(worst) > 0 {
		about += fmt.Sprintf(" Here are the %d that the network was most certain of.", len(worst))
	}
	b := new(bytes.Buffer)
	cli.StartPictures(b, "The worst mistakes", about, chartWidth, cli.PicturesHead+rows*tileHeight+chartMargin)
	for i, m := range worst {
		x, y := chartMargin+i%tileColumns*tileWidth, cli.PicturesHead+i/tileColumns*tileHeight
		fmt.Fprintf(b, "<g transform=\"translate(%d %d)\"><title>test digit %d, counted from 0</title>\n", x, y, m.index)
		cli.DrawDigit(b, test.Images[m.index*mlp.MNISTPixels:][:mlp.MNISTPixels], 0, 0, pixelSize)
		fmt.Fprintf(b, "<text class=\"strong\" y=\"%d\">%d, read as %d</text>\n", digitSize+18, m.meant, m.read)
		fmt.Fprintf(b, "<text class=\"dim\" y=\"%d\">%.2f%% certain</text></g>\n", digitSize+34, 100*m.probability)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}
