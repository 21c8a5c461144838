// Tests of deskewing, against NumPy, and of deforming.

package mlp

import (
	"crypto/sha256"
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"
)

// deskewed returns what NumPy made of some images: testdata/npz/deskew.py.
func deskewed(t *testing.T) (images, normalised *Matrix) {
	file, err := os.Open("testdata/npz/deskewed.npz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	arrays, err := ReadNPZ(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	return arrays["images"], arrays["deskewed"]
}

// bytesOf returns grey values as bytes.
func bytesOf(x *Matrix) []byte {
	b := make([]byte, len(x.Data))
	for i, v := range x.Data {
		b[i] = byte(v)
	}
	return b
}

// Digits, and images that are blank, one pixel, all ink, one row or one line become what
// NumPy makes of them.
func TestDeskewNumPy(t *testing.T) {
	images, want := deskewed(t)
	m := &MNIST{Images: bytesOf(images), Labels: make([]byte, images.Rows)}
	got := m.Deskew()
	for i := range images.Rows {
		if !slices.Equal(got.image(i), bytesOf(want)[i*MNISTPixels:][:MNISTPixels]) {
			t.Errorf("image %d differs", i)
		}
	}
}

// deformedSample returns the sample's training part as it is deformed for ten epochs.
func deformedSample(t testing.TB, d Deformation) *deformed {
	t.Helper()
	s, err := sample(t, "train").Deform(d, 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	return s.(*deformed)
}

// rows returns samples of a data set, scaled back to grey values.
func rows(d Dataset, index ...int) *Matrix {
	x := new(Matrix)
	d.Batch(x, new(Matrix), index)
	for i, v := range x.Data {
		x.Data[i] = math.Round(v * 255)
	}
	return x
}

// The deformed digits are the same on every processor, in any batch and with any number of
// threads; another epoch, another seed and another image have others.
func TestDeformOneHash(t *testing.T) {
	s := deformedSample(t, UsualDeformation)
	all := rows(s.Epoch(7), shuffle(make([]int, 200), 0, 0, true)...)
	const want = "301ccd07d09ce67a7eee3f2271f151374d0a47aa37f0e8e57db1bedb9a88d9c5"
	if got := fmt.Sprintf("%x", sha256.Sum256(bytesOf(all))); got != want {
		t.Errorf("the deformed digits have the SHA-256 %s, want %s", got, want)
	}
	defer withThreads(3)()
	for _, k := range []int{0, 17, 199} {
		if got := rows(s.Epoch(7), 3, k, 5); !slices.Equal(got.Row(1), all.Row(k)) {
			t.Errorf("image %d is another one in another batch", k)
		}
	}
	other, err := s.digits.Deform(UsualDeformation, 2, 10)
	if err != nil {
		t.Fatal(err)
	}
	for what, e := range map[string]Dataset{"epoch": s.Epoch(8), "seed": other.Epoch(7)} {
		if slices.Equal(rows(e, 0).Data, all.Row(0)) {
			t.Errorf("another %s deforms alike", what)
		}
	}
}

// What is measured is not deformed, and amounts of zero deform nothing.
func TestDeformNothing(t *testing.T) {
	s := deformedSample(t, UsualDeformation)
	plain := deformedSample(t, Deformation{})
	for k := range 50 {
		want := s.digits.image(k)
		for what, got := range map[string]*Matrix{"measured": rows(s, k), "deformed by nothing": rows(plain.Epoch(3), k)} {
			if !slices.Equal(bytesOf(got), want) {
				t.Fatalf("image %d, %s, has changed", k, what)
			}
		}
	}
}

// A deformed image is the image at the points of its affine map, by the interpolation that
// NumPy has confirmed, to the grey levels that weights of 8 binary digits lose.
func TestDeformAffine(t *testing.T) {
	s := deformedSample(t, Deformation{})
	var paper canvas
	var plain [framedSide * framedSide]float64
	var none [side]int16
	var got [side]byte
	for k := range 20 {
		image := (*[MNISTPixels]byte)(s.digits.image(k))
		paper.set(image[:])
		frame(&plain, image)
		const one = 1 << fraction
		m := affineMap{canvasMargin*one - 40000, 59000, 13000, canvasMargin*one + 70000, -9800, 72000}
		for i := range side {
			line := m
			line.x0 += int32(i) * m.xv
			line.y0 += int32(i) * m.yv
			paper.row(&got, &none, &none, line)
			for j, p := range got {
				x := (float64(line.x0)+float64(j)*float64(m.xu))/one - canvasMargin
				y := (float64(line.y0)+float64(j)*float64(m.yu))/one - canvasMargin
				if want := bilinear(&plain, x, y); math.Abs(float64(p)-want) > 2.5 {
					t.Fatalf("image %d, pixel (%d, %d) is %d, want %.2f", k, i, j, p, want)
				}
			}
		}
	}
}

// The maps reach the amounts, and no further: the angle, the slant, the width and the height
// of a map are those that its matrix has.
func TestDeformAmounts(t *testing.T) {
	d := Deformation{Rotation: 10, Shear: 7, Scale: 0.1, Shift: 0.5}
	s := deformedSample(t, d)
	most := map[bool][5]float64{}
	for n := 1; n <= 6; n++ {
		e := s.Epoch(n).(*deformedEpoch)
		for k, label := range s.digits.Labels[:2000] {
			m, _ := e.affine(k, label)
			xu, xv, yu, yv := float64(m.xu)/(1<<fraction), float64(m.xv)/(1<<fraction), float64(m.yu)/(1<<fraction), float64(m.yv)/(1<<fraction)
			angle := math.Atan2(yu, xu)
			width, height := math.Hypot(xu, yu), math.Cos(angle)*yv-math.Sin(angle)*xv
			slant := math.Atan((math.Cos(angle)*xv + math.Sin(angle)*yv) / height)
			shift := float64(m.x0)/(1<<fraction) + middle*(xu+xv) - canvasMargin - middle
			straight := label == 1 || label == 7
			worst := most[straight]
			for i, v := range []float64{angle * 180 / math.Pi, slant * 180 / math.Pi, width - 1, height - 1, shift} {
				worst[i] = max(worst[i], math.Abs(v))
			}
			most[straight] = worst
		}
	}
	for straight, got := range most {
		want := [5]float64{d.Rotation, d.Shear, d.Scale, d.Scale, d.Shift}
		if straight {
			want[0], want[1] = want[0]/2, want[1]/2
		}
		for i, v := range got {
			if v > want[i]*1.001 || v < want[i]*0.98 {
				t.Errorf("1 or 7: %v: amount %d reaches %v, want %v", straight, i, v, want[i])
			}
		}
	}
}

// The field has the root mean square that is asked for, and it is as smooth as noise is
// after a Gaussian: at a distance of r its correlation is e^(-r²/4σ²).
func TestDeformField(t *testing.T) {
	const sigma = 4.0
	f := newField(5, sigma)
	scaled := f.scaled(0.9)
	squares, products := 0.0, 0.0
	const r = 6
	for i := range fieldSide {
		for j := range fieldSide {
			v := float64(scaled[i*(fieldSide+side)+j]) / 256
			squares += v * v
			products += f[i*fieldSide+j] * f[i*fieldSide+(j+r)%fieldSide]
		}
	}
	const n = fieldSide * fieldSide
	if rms := math.Sqrt(squares / n); math.Abs(rms-0.9) > 0.01 {
		t.Errorf("root mean square %v, want 0.9", rms)
	}
	if got, want := products/n, math.Exp(-r*r/(4*sigma*sigma)); math.Abs(got-want) > 0.05 {
		t.Errorf("correlation %v at a distance of %d, want %v", got, r, want)
	}
}

// The strength stays for half of the run and then falls to 0.3.
func TestDeformStrength(t *testing.T) {
	s := deformedSample(t, UsualDeformation)
	for n, want := range map[int]float64{1: 1, 6: 1, 7: 0.86, 8: 0.72, 9: 0.58, 10: 0.44, 11: 0.3, 20: 0.3} {
		if got := s.Epoch(n).(*deformedEpoch).strength; math.Abs(got-want) > 1e-15 {
			t.Errorf("epoch %d of 10 has the strength %v, want %v", n, got, want)
		}
	}
}

// An amount that is out of its range is named, and so is a number of epochs.
func TestDeformRefuses(t *testing.T) {
	m := &MNIST{Images: make([]byte, MNISTPixels), Labels: []byte{0}}
	for want, d := range map[string]Deformation{
		"rotation is 31, want a number from 0 to 30": {Rotation: 31},
		"rotation is -3, want a number from 0 to 30": {Rotation: -3},
		"shear is -1, want a number from 0 to 30":    {Shear: -1},
		"scale is -0.1, want a number from 0 to 0.3": {Scale: -0.1},
		"scale is NaN, want a number from 0 to 0.3":  {Scale: math.NaN()},
		"shift is -1, want a number from 0 to 4":     {Shift: -1},
		"shift is +Inf, want a number from 0 to 4":   {Shift: math.Inf(1)},
		"elastic is -1, want a number from 0 to 2":   {Elastic: -1},
		"elastic is 2.1, want a number from 0 to 2":  {Elastic: 2.1},
		"smooth is 0.5, want a number from 1 to 16":  {Smooth: 0.5},
		"smooth is -4, want a number from 1 to 16":   {Smooth: -4},
	} {
		_, err := m.Deform(d, 1, 1)
		if invalid := d.Validate(); invalid == nil || invalid.Error() != want || err == nil || err.Error() != "deformation: "+want {
			t.Errorf("errors %v and %v, want %s", invalid, err, want)
		}
	}
	for _, epochs := range []int{0, -5} {
		want := fmt.Sprintf("deformation: a training of %d epochs, want 1 or more", epochs)
		if _, err := m.Deform(UsualDeformation, 1, epochs); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// Deformed digits have no method of MNIST, such as Slice, that would give undeformed ones.
func TestDeformPromotesNothing(t *testing.T) {
	s := deformedSample(t, UsualDeformation)
	for want, data := range map[string]Dataset{"[Batch Epoch Len]": s, "[Batch Len]": s.Epoch(1)} {
		var methods []string
		for i := range reflect.TypeOf(data).NumMethod() {
			methods = append(methods, reflect.TypeOf(data).Method(i).Name)
		}
		if fmt.Sprint(methods) != want || data.Len() != 4000 {
			t.Errorf("%T has the methods %v and %d samples, want %s and 4000", data, methods, data.Len(), want)
		}
	}
}

// With the largest amounts no pixel of a deformed image is so far away that it shows the
// next of the images in which a canvas repeats.
func TestDeformLargest(t *testing.T) {
	s := deformedSample(t, Deformation{30, 30, 0.3, 4, 2, 4})
	farthest := 0.0
	for n := 1; n <= 4; n++ {
		e := s.Epoch(n).(*deformedEpoch)
		for k := range 2000 {
			m, _ := e.affine(k, 0)
			for corner := range int32(4) {
				u, v := corner%2*(side-1), corner/2*(side-1)
				for _, p := range []int32{m.x0 + u*m.xu + v*m.xv, m.y0 + u*m.yu + v*m.yv} {
					farthest = max(farthest, math.Abs(float64(p)/(1<<fraction)-canvasMargin-middle))
				}
			}
		}
	}
	if limit := canvasSide - side/2 - 8.0; !(farthest < limit && farthest > limit-10) {
		t.Errorf("before its displacement a point lies up to %v pixels from the centre, want less than %v", farthest, limit)
	}
}

func BenchmarkDeform(b *testing.B) {
	s := deformedSample(b, UsualDeformation)
	e := s.Epoch(1).(*deformedEpoch)
	var paper canvas
	var to [MNISTPixels]byte
	for i := 0; b.Loop(); i++ {
		k := i % s.Len()
		e.deform(&to, &paper, k)
	}
}
