// Digits as pictures in an SVG document, for light pages and dark ones.

package main

import (
	"fmt"
	"hash/fnv"
	"html"
	"io"
)

// digitSide is how many rows and columns a digit has.
const digitSide = 28

// picturesStart is the document up to the first picture. It takes the width, the height,
// the title, what the pictures show, and what keeps its ids apart from those of another. Its colours are those of the package's charts.
const picturesStart = `<svg xmlns="http://www.w3.org/2000/svg" class="pictures" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title-%[5]x desc-%[5]x">
<title id="title-%[5]x">%[3]s</title>
<desc id="desc-%[5]x">%[4]s</desc>
<style>
.pictures{max-width:100%%;height:auto;font:12px "Helvetica Neue",Helvetica,Arial,sans-serif}
.bg{fill:#fff}.pictures text{fill:#1c2126}.pictures .dim{fill:#59636e}
.head{font-size:17px;font-weight:600}.strong{font-size:13px;font-weight:600}
.paper{fill:#f3f5f7}.ink path{fill:none;stroke:#1c2126}.i1{opacity:.2}.i2{opacity:.4}.i3{opacity:.6}.i4{opacity:.8}
@media (prefers-color-scheme:dark){
.bg{fill:#14171b}.pictures text{fill:#e8eaed}.pictures .dim{fill:#a4adb7}
.paper{fill:#1d2126}.ink path{stroke:#e8eaed}
}
</style>
<rect class="bg" width="100%%" height="100%%"/>
<text class="head" x="16" y="33">%[3]s</text>
<text class="dim" x="16" y="52">%[4]s</text>
`

// picturesHead is the height in CSS pixels of what startPictures draws.
const picturesHead = 70

// startPictures begins a document of so many CSS pixels with its title and, below it, a
// line about the pictures. The caller adds pictures and text and ends the document with
// </svg>. The classes of text are dim and strong.
func startPictures(b io.Writer, title, about string, width, height int) {
	hash := fnv.New64a()
	io.WriteString(hash, title+about)
	fmt.Fprintf(b, picturesStart, width, height, html.EscapeString(title), html.EscapeString(about), hash.Sum64())
}

// drawDigit draws a digit's 28×28 pixels, each of them size CSS pixels wide and high, with
// its top left corner at (x, y).
func drawDigit(b io.Writer, pixels []byte, x, y, size int) {
	fmt.Fprintf(b, "<g class=\"ink\" transform=\"translate(%d %d) scale(%d)\" shape-rendering=\"crispEdges\"><rect class=\"paper\" width=\"%[4]d\" height=\"%[4]d\"/>\n",
		x, y, size, digitSide)
	for shade := 1; shade <= shades; shade++ {
		if path := strokes(pixels, shade); len(path) > 0 {
			fmt.Fprintf(b, "<path class=\"i%d\" d=\"M0 .5%s\"/>\n", shade, path)
		}
	}
	io.WriteString(b, "</g>\n")
}

// shades is how many shades of ink there are, with the classes i1, i2 and so on.
const shades = 5

// strokes returns strokes from left to right through the pixels of a shade, in the
// syntax of a path that begins in the middle of the first row's left edge.
func strokes(pixels []byte, shade int) (path []byte) {
	is := func(i int) bool { return (int(pixels[i])*shades+127)/255 == shade }
	x, y := 0, 0
	for row := range digitSide {
		for column := 0; column < digitSide; column++ {
			from := column
			for column < digitSide && is(row*digitSide+column) {
				column++
			}
			if column > from {
				path = fmt.Appendf(path, "m%d %dh%d", from-x, row-y, column-from)
				x, y = column, row
			}
		}
	}
	return path
}
