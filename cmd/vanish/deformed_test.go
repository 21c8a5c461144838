package main

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The strokes of the sheet's first picture, followed as SVG says, go through each pixel of the
// first digit in its shade.
func TestDrawDigit(t *testing.T) {
	l := sampleLab(t)
	for i := range l.train.Images[:2*digitSide] {
		l.train.Images[i] = byte(5 * i) // all shades, across the end of a row
	}
	_, picture, _ := strings.Cut(string(l.deformedDigits(1)), `<g class="ink" transform="translate(118 70) scale(2)"`)
	picture, _, _ = strings.Cut(picture, "</g>")
	got := make([]int, digitSide*digitSide)
	for _, path := range regexp.MustCompile(`<path class="i(\d)" d="M0 .5((?:m-?\d+ \d+h\d+)+)"/>`).FindAllStringSubmatch(picture, -1) {
		shade, _ := strconv.Atoi(path[1])
		x, y := 0, 0
		for _, stroke := range regexp.MustCompile(`m(-?\d+) (\d+)h(\d+)`).FindAllStringSubmatch(path[2], -1) {
			dx, _ := strconv.Atoi(stroke[1])
			dy, _ := strconv.Atoi(stroke[2])
			n, _ := strconv.Atoi(stroke[3])
			x, y = x+dx, y+dy
			if x < 0 || x+n > digitSide {
				t.Fatalf("a stroke from (%d, %d) to %d", x, y, x+n)
			}
			for range n {
				got[y*digitSide+x] += shade
				x++
			}
		}
	}
	for i, p := range l.train.Images[:len(got)] {
		if want := int(math.Round(float64(p) / 255 * shades)); got[i] != want {
			t.Fatalf("pixel %d, %d, has shade %d, want %d", i, p, got[i], want)
		}
	}
}
