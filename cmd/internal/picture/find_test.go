// Several digits on a page, and what is on it beside them.

package picture

import (
	"image"
	"image/color"
	"image/draw"
	"slices"
	"testing"
)

// write draws a digit of MNIST in black with k×k pixels for each of its own, and returns the
// box of its ink.
func write(img *image.Gray, digit []byte, k int, at image.Point) (box image.Rectangle) {
	for i, p := range digit {
		if p >= 128 {
			square := image.Rect(0, 0, k, k).Add(at).Add(image.Pt(i%side*k, i/side*k))
			draw.Draw(img, square, image.NewUniform(color.Gray{40}), image.Point{}, draw.Src)
			box = box.Union(square)
		}
	}
	return box
}

// sheet is ruled paper with a thumb in a corner and a shadow over its right half.
func sheet(w, h int) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, w, h))
	for i := range img.Pix {
		x, y := i%w, i/w
		v := 220.0
		if y%40 == 9 || x == 30 {
			v *= 0.85
		}
		if x > w/2 {
			v *= 0.7
		}
		if x*x+(h-y)*(h-y) < 1600 {
			v = 90
		}
		img.Pix[i] = uint8(v)
	}
	return img
}

// Find returns each digit's place, row by row. It joins the two parts of a broken digit, and returns no
// line, thumb, shadow or speck.
func TestFind(t *testing.T) {
	m := sample(t)
	img := sheet(480, 320)
	var want []image.Rectangle
	for i, at := range []image.Point{{40, 20}, {140, 30}, {240, 40}, {80, 150}, {330, 180}} {
		want = append(want, write(img, m.Images[i*784:][:784], 3, at))
	}
	draw.Draw(img, image.Rect(want[0].Min.X, want[0].Min.Y+30, want[0].Max.X, want[0].Min.Y+32), image.NewUniform(color.Gray{220}), image.Point{}, draw.Src)
	draw.Draw(img, image.Rect(400, 60, 403, 63), image.Black, image.Point{}, draw.Src)
	found, err := Find(img, certain)
	if err != nil || len(found) != len(want) {
		t.Fatalf("%d digits, %v", len(found), err)
	}
	for i, d := range found {
		if row := i / 3; d.Row != row || !d.Box.In(want[i].Inset(-4)) || !want[i].In(d.Box.Inset(-4)) {
			t.Errorf("digit %d is in row %d at %v, want row %d at %v", i, d.Row, d.Box, row, want[i])
		}
	}
}

// Digits that touch are cut if that makes each of them more certain, and otherwise said to
// be wide.
func TestTouching(t *testing.T) {
	img := image.NewGray(image.Rect(0, 0, 400, 200))
	draw.Draw(img, img.Rect, image.White, image.Point{}, draw.Src)
	for _, r := range []image.Rectangle{{image.Pt(100, 50), image.Pt(110, 150)}, {image.Pt(110, 95), image.Pt(190, 105)}, {image.Pt(190, 50), image.Pt(200, 150)}} {
		draw.Draw(img, r.Sub(image.Pt(40, 0)), image.Black, image.Point{}, draw.Src)
	}
	draw.Draw(img, image.Rect(300, 50, 310, 150), image.Black, image.Point{}, draw.Src)
	narrow := func(ink *image.Gray) float64 { return min(1, 0.6*float64(ink.Rect.Dy())/float64(ink.Rect.Dx())) }
	for name, c := range map[string]struct {
		sure func(*image.Gray) float64
		want int
	}{"as a whole": {certain, 2}, "cut": {narrow, 3}} {
		if found, err := Find(img, c.sure); err != nil || len(found) != c.want {
			t.Errorf("%s: %d digits, %v", name, len(found), err)
		}
	}
}

// A stroke of a pixel becomes as wide and as bright as MNIST's are.
func TestThicken(t *testing.T) {
	thin := image.NewGray(image.Rect(0, 0, 60, 100))
	draw.Draw(thin, image.Rect(30, 0, 32, 100), image.White, image.Point{}, draw.Src)
	if width := strokeWidth(thin); width < 1.8 || width > 2.2 {
		t.Errorf("a stroke of 2 pixels is %v wide", width)
	}
	sum := 0
	for _, p := range Center(Thicken(thin)).Pix[14*side:][:side] {
		sum += int(p)
	}
	if sum < 2*255 || sum > 3*255 {
		t.Errorf("a row of the stroke has become %d, want 2.2 of 255", sum)
	}
	thick := image.NewGray(image.Rect(0, 0, 60, 100))
	draw.Draw(thick, image.Rect(20, 0, 40, 100), image.White, image.Point{}, draw.Src)
	if Thicken(thick) != thick {
		t.Error("a thick stroke is not as it was")
	}
}

// What is paper in another field is left out of a piece, and a piece of nothing else is none.
func TestDark(t *testing.T) {
	f := field{4, 1, []float64{1, 0, -1, 2}}
	got := f.dark([]piece{{places: []int{0, 1}}, {places: []int{1, 2}}, {places: []int{3}}})
	if len(got) != 2 || !slices.Equal(got[0].places, []int{0}) || got[0].box != image.Rect(0, 0, 1, 1) || !slices.Equal(got[1].places, []int{3}) {
		t.Errorf("%v", got)
	}
}
