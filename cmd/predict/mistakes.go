// mistakes.svg: the mistakes of a model that it was most certain of, as pictures. Not
// here: which they are (measure.go).

package main

import (
	"bytes"
	"fmt"

	"mlp"
)

// The chart's measures in CSS pixels. A tile is a digit, with two lines below it.
const (
	tileColumns = 8
	tileRows    = 5
	tileWidth   = 110
	tileHeight  = 140
	pixelSize   = 3 // of a digit's 28×28
	chartMargin = 16
	chartHead   = 70
	chartWidth  = 2*chartMargin + (tileColumns-1)*tileWidth + side*pixelSize
)

// chartStart is the document up to the first tile. It takes the width, the height and
// what the chart shows. Its colours are those of the package's charts.
const chartStart = `<svg xmlns="http://www.w3.org/2000/svg" class="mistakes" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title desc">
<title id="title">The worst mistakes</title>
<desc id="desc">%[3]s</desc>
<style>
.mistakes{max-width:100%%;height:auto;font:12px "Helvetica Neue",Helvetica,Arial,sans-serif}
.bg{fill:#fff}.mistakes text{fill:#1c2126}.mistakes .dim{fill:#59636e}
.head{font-size:17px;font-weight:600}.read{font-size:13px;font-weight:600}
.paper{fill:#f3f5f7}.ink{fill:#1c2126}
@media (prefers-color-scheme:dark){
.bg{fill:#14171b}.mistakes text{fill:#e8eaed}.mistakes .dim{fill:#a4adb7}
.paper{fill:#1d2126}.ink{fill:#e8eaed}
}
</style>
<rect class="bg" width="100%%" height="100%%"/>
<text class="head" x="16" y="33">The worst mistakes</text>
<text class="dim" x="16" y="52">%[3]s</text>
`

// drawMistakes returns the chart of the first mistakes.
func drawMistakes(test *mlp.MNIST, mistakes []mistake) []byte {
	worst := mistakes[:min(len(mistakes), tileColumns*tileRows)]
	rows := (len(worst) + tileColumns - 1) / tileColumns
	about := fmt.Sprintf("%d of %d test digits were read wrong.", len(mistakes), test.Len())
	if len(worst) > 0 {
		about += fmt.Sprintf(" Here are the %d that the network was most certain of.", len(worst))
	}
	b := new(bytes.Buffer)
	fmt.Fprintf(b, chartStart, chartWidth, chartHead+rows*tileHeight+chartMargin, about)
	for i, m := range worst {
		x, y := chartMargin+i%tileColumns*tileWidth, chartHead+i/tileColumns*tileHeight
		fmt.Fprintf(b, "<g transform=\"translate(%d %d)\"><title>test digit %d, counted from 0</title>\n", x, y, m.index)
		drawDigit(b, test.Images[m.index*mlp.MNISTPixels:][:mlp.MNISTPixels])
		fmt.Fprintf(b, "<text class=\"read\" y=\"%d\">%d, read as %d</text>\n", side*pixelSize+18, m.meant, m.read)
		fmt.Fprintf(b, "<text class=\"dim\" y=\"%d\">%.2f%% certain</text></g>\n", side*pixelSize+34, 100*m.probability)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// side is how many rows and columns a digit has.
const side = 28

// drawDigit draws a digit's pixels: one path for each of eight shades of ink, with the
// pixels that have it, those side by side as one rectangle.
func drawDigit(b *bytes.Buffer, pixels []byte) {
	const shades = 8
	shade := func(x, y int) int { return (int(pixels[y*side+x])*shades + 127) / 255 }
	fmt.Fprintf(b, "<rect class=\"paper\" width=\"%[1]d\" height=\"%[1]d\"/>\n", side*pixelSize)
	for s := 1; s <= shades; s++ {
		fmt.Fprintf(b, "<path class=\"ink\" opacity=\"%v\" transform=\"scale(%d)\" shape-rendering=\"crispEdges\" d=\"", float64(s)/shades, pixelSize)
		for y := range side {
			for x := 0; x < side; x++ {
				from := x
				for x < side && shade(x, y) == s {
					x++
				}
				if x > from {
					fmt.Fprintf(b, "M%d %dh%dv1h-%dz", from, y, x-from, x-from)
				}
			}
		}
		b.WriteString("\"/>\n")
	}
}
