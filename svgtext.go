// The text of a chart: how it is written as XML, and how wide it is, so that it can be
// cut or wrapped. Not here: where it is drawn (svgplot.go).

package mlp

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// writeText writes s with its baseline at y. The class says whether s begins at x, ends
// there or is centred there.
func writeText(b io.Writer, class string, x, y float64, s string) {
	if s != "" {
		fmt.Fprintf(b, "<text class=\"%s\" x=\"%v\" y=\"%v\">%s</text>\n", class, pixel(x), pixel(y), xmlText(s))
	}
}

// A pixel is a length in CSS pixels. It is written with at most two decimals.
type pixel float64

func (p pixel) String() string {
	return strconv.FormatFloat(math.Round(float64(p)*100)/100, 'f', -1, 64)
}

// xmlText escapes s for XML 1.0. It drops the characters that XML cannot hold and
// writes U+FFFD for bytes that are not UTF-8.
func xmlText(s string) string {
	legal := strings.Map(func(r rune) rune {
		if r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
	var b strings.Builder
	xml.EscapeText(&b, []byte(legal)) // a Builder returns no errors
	return b.String()
}

// textWidth estimates the width of s in pixels at a font size in pixels. The reader's font
// is unknown, so the estimate assumes a wide one. The width is an integer computed from
// integers, so that every processor draws the same chart.
func textWidth(s string, size int) float64 {
	w := 0
	for _, r := range s {
		w += runeWidth(r)
	}
	return float64((w*size + 99) / 100)
}

// runeWidth returns the width of r in hundredths of the font size.
func runeWidth(r rune) int {
	switch {
	case strings.ContainsRune("ijl.,:;'|!()[] ⁰¹²³⁴⁵⁶⁷⁸⁹⁻", r):
		return 38
	case strings.ContainsRune("mwMW@%…×−", r) || r >= 0x1100 && r < 0x2000 || r >= 0x2E80:
		return 100
	case r >= 'A' && r <= 'Z':
		return 72
	}
	return 60
}

// fitText returns s, cut and ended with an ellipsis if it is wider than width.
func fitText(s string, size int, width float64) string {
	if textWidth(s, size) <= width {
		return s
	}
	w := runeWidth('…')
	for i, r := range s {
		if w += runeWidth(r); float64(w*size) > width*100 {
			return s[:i] + "…"
		}
	}
	return s
}

// wrapText returns s as lines that are no wider than width. It keeps the line breaks of
// s and cuts a word that is wider than a line.
func wrapText(s string, size int, width float64) (lines []string) {
	for line := range strings.Lines(s) {
		begun := ""
		for _, word := range strings.Fields(line) {
			if longer := begun + " " + word; begun != "" && textWidth(longer, size) <= width {
				begun = longer
				continue
			}
			if begun != "" {
				lines = append(lines, begun)
			}
			begun = fitText(word, size, width)
		}
		lines = append(lines, begun)
	}
	return lines
}
