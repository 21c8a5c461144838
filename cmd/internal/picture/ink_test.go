// Ink on paper of many kinds, and pages without any. For cutting out and centring the oracle is
// MNIST itself, whose digits were made that way.

package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"math"
	"math/rand/v2"
	"testing"

	"mlp"
	"mlp/cmd/internal/mnist"
)

// page is a digit of 10 pixels for each of its own on a page of 300×300 pixels, where
// shade says what colour a place has that is covered with ink or, if ink is 0, is not.
func page(digit []byte, shade func(x, y int, ink float64) color.Color) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(5, 7, 305, 307)) // bounds need not begin at (0, 0)
	for y := range 300 {
		for x := range 300 {
			ink := 0.0
			if u, v := (x-10)/10, (y-10)/10; x >= 10 && y >= 10 && u < side && v < side && digit[v*side+u] >= 128 {
				ink = 1
			}
			img.Set(5+x, 7+y, shade(x, y, ink))
		}
	}
	return img
}

func grey(v float64) color.Gray { return color.Gray{uint8(255*min(max(v, 0), 1) + 0.5)} }

// papers are pages that all show the same digit.
var papers = map[string]func(x, y int, ink float64) color.Color{
	"black on white": func(_, _ int, ink float64) color.Color { return grey(1 - ink) },
	"white on black": func(_, _ int, ink float64) color.Color { return grey(ink) },
	"pencil":         func(_, _ int, ink float64) color.Color { return grey(0.8 - 0.25*ink) },
	"chalk":          func(_, _ int, ink float64) color.Color { return grey(0.2 + 0.5*ink) },
	"blue on yellow": func(_, _ int, ink float64) color.Color {
		return color.RGBA{uint8(255 - 255*ink), uint8(230 - 230*ink), 128, 255}
	},
	"lit from the side":    func(x, y int, ink float64) color.Color { return grey((0.4 + 0.5*float64(x+y)/600) * (1 - 0.7*ink)) },
	"dark corners":         func(x, y int, ink float64) color.Color { return grey((0.9 - 0.25*(sq(x)+sq(y))) * (1 - 0.7*ink)) },
	"black on transparent": func(_, _ int, ink float64) color.Color { return color.NRGBA{0, 0, 0, uint8(255 * ink)} },
	"white on transparent": func(_, _ int, ink float64) color.Color { return color.NRGBA{255, 255, 255, uint8(255 * ink)} },
	"a card, transparent around": func(x, y int, ink float64) color.Color {
		if x < 8 || x > 292 || y < 8 || y > 292 {
			return color.Transparent
		}
		return grey(0.9 - 0.8*ink)
	},
}

// sq is the square of a coordinate's distance from the middle, from 0 to 1.
func sq(x int) float64 { return math.Pow(float64(x-150)/150, 2) }

// certain takes all ink for digits.
func certain(*image.Gray) float64 { return 1 }

// On any paper the digit becomes what its ink alone becomes. Only the edges differ, because
// they are smoothed. Noise and specks do not matter.
func TestInk(t *testing.T) {
	m := sample(t)
	rng := rand.New(rand.NewPCG(1, 2))
	for name, shade := range papers {
		digit := m.Images[:mlp.MNISTPixels]
		img := page(digit, shade)
		if img.NRGBAAt(5, 7).A == 255 {
			for j := range img.Pix {
				if j%4 < 3 {
					img.Pix[j] = uint8(min(max(float64(img.Pix[j])+5*rng.NormFloat64(), 0), 255))
				}
			}
			for k := range 2 { // a speck
				img.Set(20+k, 290, color.Black)
				img.Set(290+k, 20, color.White)
			}
		}
		found, err := Find(img, certain)
		if err != nil || len(found) != 1 {
			t.Fatalf("%s: %d digits, %v", name, len(found), err)
		}
		alone := image.NewGray(image.Rect(0, 0, side, side))
		for j, p := range digit {
			alone.Pix[j] = p / 128 * 255
		}
		off, mass := 0.0, 0.0
		want := Center(enlarged(alone.Pix, 10, 0, 0)).Pix
		for j, p := range Center(found[0].Ink).Pix {
			off += math.Abs(float64(p)-float64(want[j])) / 255
			mass += float64(want[j]) / 255
		}
		if off > 0.1*mass {
			t.Errorf("%s: %.1f of %.1f pixels differ", name, off, mass)
		}
	}
}

func TestNoInk(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	blank := make([]byte, mlp.MNISTPixels)
	pages := map[string]image.Image{
		"one pixel":   image.NewGray(image.Rect(0, 0, 1, 1)),
		"one row":     image.NewGray(image.Rect(0, 0, 500, 1)),
		"transparent": image.NewNRGBA(image.Rect(0, 0, 30, 20)),
		"noise":       page(blank, func(_, _ int, _ float64) color.Color { return grey(0.7 + 0.05*rng.NormFloat64()) }),
		"darkness":    page(blank, func(_, _ int, _ float64) color.Color { return grey(0.03 + 0.01*rng.NormFloat64()) }),
	}
	for name, shade := range papers {
		if name != "a card, transparent around" {
			pages[name] = page(blank, shade)
		}
	}
	for name, img := range pages {
		if _, err := Find(img, certain); err == nil || err.Error() != "no ink stands out from the paper" {
			t.Errorf("%s: error %v", name, err)
		}
	}
}

// A picture of millions of pixels, and one that is all width, are read too.
func TestLargeInk(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	img := image.NewGray(image.Rect(0, 0, 4000, 2500))
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	for y := 1000; y < 1300; y++ {
		for x := 2000; x < 2040; x++ {
			img.Pix[y*4000+x] = 30
		}
	}
	found, err := Find(img, certain)
	if err != nil || len(found) != 1 {
		t.Fatal(len(found), err)
	}
	if off := found[0].Box.Min.Sub(image.Pt(2000, 1000)); max(off.X, off.Y, -off.X, -off.Y) > 8 {
		t.Errorf("a stroke is found at %v", found[0].Box)
	}
	if d := Center(found[0].Ink); d.GrayAt(14, 14).Y != 255 || d.GrayAt(14, 2).Y != 0 || d.GrayAt(10, 14).Y != 0 {
		t.Errorf("a stroke has become %v", d.Pix)
	}
	line := image.NewGray(image.Rect(0, 0, 100000, 1))
	for x := 50000; x < 52000; x++ {
		line.Pix[x] = 255
	}
	if _, err := Find(line, certain); err != nil && err != errNoInk {
		t.Error(err)
	}
}

func sample(t *testing.T) *mlp.MNIST {
	t.Helper()
	m, err := mnist.Load("", "t10k", 0)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// enlarged is a digit with k×k pixels for each of its own, shifted in a larger picture.
func enlarged(digit []byte, k, right, down int) *image.Gray {
	ink := image.NewGray(image.Rect(0, 0, (side+7)*k+right, (side+9)*k+down))
	for i, p := range digit {
		at := image.Pt(right+i%side*k, down+i/side*k)
		draw.Draw(ink, image.Rectangle{at, at.Add(image.Pt(k, k))}, image.NewUniform(color.Gray{p}), image.Point{}, draw.Src)
	}
	return ink
}

// A digit of MNIST that is enlarged and shifted comes back as it was, to the last bit: its
// longer side has 20 pixels, and its centre of mass is where MNIST's is.
func TestCenterGivesMNISTBack(t *testing.T) {
	m := sample(t)
	step := 1
	if testing.Short() {
		step = 20
	}
	for i := 0; i < m.Len(); i += step {
		digit := m.Images[i*mlp.MNISTPixels:][:mlp.MNISTPixels]
		k := 1 + i%7
		if got := Center(enlarged(digit, k, i%13, i%11)); !bytes.Equal(got.Pix, digit) {
			t.Fatalf("test digit %d, %d times as large: got\n%v\nwant\n%v", i, k, got.Pix, digit)
		}
	}
}

// A rectangle has means that can be computed by hand, at sizes that do not divide.
func TestCenterRectangle(t *testing.T) {
	ink := image.NewGray(image.Rect(0, 0, 100, 100))
	draw.Draw(ink, image.Rect(50, 30, 50+30, 30+45), image.White, image.Point{}, draw.Src)
	digit := Center(ink) // k = 45/20, so that it becomes 13⅓ × 20 pixels, from column 14−6 and row 14−10 on
	for i, p := range digit.Pix {
		x, y, want := i%side, i/side, 0
		if 8 <= x && x < 8+13 && 4 <= y && y < 24 {
			want = 255
		} else if x == 8+13 && 4 <= y && y < 24 {
			want = 85
		}
		if int(p) != want {
			t.Errorf("column %d, row %d: %d, want %d", x, y, p, want)
		}
	}
	if Center(image.NewGray(image.Rect(0, 0, 9, 9))) != nil {
		t.Error("no ink has become a digit")
	}
	if one := Center(enlarged([]byte{255}, 1, 3, 4)); one.GrayAt(13, 13).Y == 0 && one.GrayAt(14, 14).Y == 0 {
		t.Error("a dot has vanished")
	}
}

// Bound lowers what training hardly ever saw, and nothing else.
func TestBound(t *testing.T) {
	in := mlp.Standardization{Mean: make([]float64, mlp.MNISTPixels), Std: make([]float64, mlp.MNISTPixels)}
	in.Mean[1], in.Std[1] = 0.5, 0.4
	in.Mean[2], in.Std[2] = 0.1, 0.1
	digit := image.NewGray(image.Rect(0, 0, side, side))
	copy(digit.Pix, []byte{255, 255, 255, 7, 0})
	Bound(digit, mlp.Standardization{})
	if digit.Pix[0] != 255 || digit.Pix[3] != 7 {
		t.Errorf("without a standardization: %v", digit.Pix[:4])
	}
	Bound(digit, in)
	if want := []byte{0, 255, 128, 0, 0}; !bytes.Equal(digit.Pix[:5], want) {
		t.Errorf("%v, want %v", digit.Pix[:5], want)
	}
}

// The maximum of a square is what looking at each of its places finds, at the edges of a field too.
func TestHighest(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	f := each(13, 8, func(_, _ int) float64 { return rng.Float64() })
	for r := range 15 {
		got := f.highest(r)
		for i := range f.v {
			x, y, want := i%f.w, i/f.w, 0.0
			for j, v := range f.v {
				if u, w := j%f.w-x, j/f.w-y; max(u, -u, w, -w) <= r {
					want = max(want, v)
				}
			}
			if got.v[i] != want {
				t.Fatalf("radius %d at (%d, %d): %v, want %v", r, x, y, got.v[i], want)
			}
		}
	}
}
