package main

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The strokes of a picture, followed as SVG says, go through each pixel in its shade.
func TestDrawDigit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	pixels := make([]byte, digitSide*digitSide)
	for i := range pixels {
		pixels[i] = byte(rng.IntN(256))
	}
	clear(pixels[100:140])
	copy(pixels[200:], bytes.Repeat([]byte{255}, 3*digitSide)) // across the ends of rows
	var b bytes.Buffer
	fmt.Fprintf(&b, sheetStart, 100, 100, 1)
	drawDigit(&b, pixels, 7, 9)
	b.WriteString("</svg>\n")
	for d := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	got := make([]int, len(pixels))
	for _, path := range regexp.MustCompile(`<path class="i(\d)" d="M0 .5((?:m-?\d+ \d+h\d+)+)"/>`).FindAllStringSubmatch(b.String(), -1) {
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
	for i, p := range pixels {
		if want := int(math.Round(float64(p) / 255 * shades)); got[i] != want {
			t.Fatalf("pixel %d, %d, has shade %d, want %d", i, p, got[i], want)
		}
	}
	if text := b.String(); !strings.Contains(text, `translate(7 9) scale(2)`) {
		t.Error("the picture is in another place")
	}
}
