// Cutting out and centring. The oracle is MNIST itself, whose digits were made that way.

package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"testing"

	"mlp"
	"mlp/cmd/internal/mnist"
)

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
