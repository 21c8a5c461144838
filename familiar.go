// What looks like a digit and what does not: training digits to compare an image with, and how much training
// digits differ from them.

package mlp

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"
)

// Familiarity tells digits from images of anything else, which a network reads as digits too. It asks no
// network. FitFamiliarity returns it, and a Model keeps it.
//
// An image is compared by its outlines: the image is normalised as [MNIST.Deskew] says, and the brightness
// gradient (gx, gy) of length g of each of its pixels adds to the 7×7 cells of 4×4 pixels, for each of the
// eight directions a = 0°, 22.5° to 157.5°,
//
//	max(0, |gx·cos a + gy·sin a| − g·cos 22.5°)
//
// The similarity of two images is the cosine of the angle between their 8·49 sums (compare the histograms of
// oriented gradients of Dalal and Triggs 2005). Of an image four numbers are measured: 1 minus its similarity
// to the nearest of Digits; the pieces of its ink, pixels from 64 that touch by a side or a corner; the holes
// in it; and how far it leans backwards, xy/yy in the words of Deskew. If one of the four is beyond the
// limit for the label of the nearest, the image does not look like a digit.
type Familiarity struct {
	Digits *MNIST                   // at most 2,000 training digits, as their file has them
	Limits [MNISTClasses][4]float64 // by the label of the nearest of Digits, in the order above

	once     sync.Once
	outlines Matrix // of Digits, a row of outlineSize for each
}

// A Likeness is what an image looks like.
type Likeness struct {
	Nearest    [3]int     // the most similar of Familiarity.Digits, by their places, the nearest first
	Similarity [3]float64 // of these, from 0 to 1
	Unlike     bool       // the image does not look like a digit

	measured [4]float64
}

const (
	cellSide, directions = 4, 8
	outlineSize          = directions * MNISTPixels / (cellSide * cellSide)
	cos22, cos45, cos67  = 0.9238795325112867, 0.7071067811865476, 0.3826834323650898 // of 22.5°, 45° and 67.5°
	inkFrom              = 64                                                         // the least grey value of ink whose pieces are counted

	maxFamiliar = 2000 // digits in a file

	// Of each label:
	chosenOfEach = 175 // digits that are chosen at first; then a fifth of them is left out
	mostOfEach   = 775 // digits that are used; from those that are not chosen come the limits
	fewestOfEach = 250 // digits that are enough to know limits
)

// FitFamiliarity chooses from the digits of a training part, which must not be deskewed, some to compare
// with: of 175 of each label, spread over the part, the 140 that are most similar to another of them. The
// limits come from other digits, 600 of each label at most, by the label of the nearest. That of 1 minus the
// similarity is m + k·s for the mean m and the standard deviation s, with one k for all labels, so that at
// most one digit in 150 is beyond it; for pieces and for holes it is a number that at most one in 500 is
// beyond; and for leaning m + 3.5·s. FitFamiliarity returns nil if there are fewer than 250 digits of a label.
// It computes on one thread, so that a network can be trained at the same time.
func FitFamiliarity(digits *MNIST) *Familiarity {
	digits.mustFit("FitFamiliarity")
	var of [MNISTClasses][]int
	for i, label := range digits.Labels {
		of[label] = append(of[label], i)
	}
	var f Familiarity
	var kept, others []int // places of digits
	var outlines, similar Matrix
	f.outlines.Data = make([]float64, 0, MNISTClasses*chosenOfEach*outlineSize)
	for _, places := range of {
		if len(places) < fewestOfEach {
			return nil
		}
		var chosen []int
		n := min(len(places), mostOfEach)
		for i := range n {
			place := places[i*len(places)/n]
			if (i+1)*chosenOfEach/n > i*chosenOfEach/n {
				chosen = append(chosen, place)
			} else {
				others = append(others, place)
			}
		}
		outlinesOf(&outlines, digits.pick(chosen))
		similar.product(1, "FitFamiliarity", outlines.operand(), outlines.operand().transpose(), nil)
		nearest := make([]float64, chosenOfEach)
		for i := range nearest {
			similar.Row(i)[i] = 0 // not to itself
			nearest[i] = slices.Max(similar.Row(i))
		}
		least := slices.Sorted(slices.Values(nearest))[chosenOfEach/5]
		for i, v := range nearest {
			if v >= least {
				kept = append(kept, chosen[i])
				f.outlines.Data = append(f.outlines.Data, outlines.Row(i)...)
			}
		}
	}
	f.Digits, f.outlines.Rows, f.outlines.Cols = digits.pick(kept), len(kept), outlineSize
	f.once.Do(func() {}) // the outlines are there
	var measured [MNISTClasses][4][]float64
	for _, l := range f.Compare(digits.pick(others)) {
		for k, v := range l.measured {
			m := &measured[f.Digits.Labels[l.Nearest[0]]][k]
			*m = append(*m, v)
		}
	}
	var deviations []float64 // how many standard deviations each digit is less similar than the mean
	for label, m := range measured {
		mean, std := moments(m[0])
		for _, v := range m[0] {
			deviations = append(deviations, (v-mean)/max(std, 1e-9))
		}
		for k := 1; k < 3 && len(m[k]) > 0; k++ {
			slices.Sort(m[k])
			f.Limits[label][k] = m[k][len(m[k])-1-len(m[k])/500]
		}
	}
	slices.Sort(deviations)
	most := deviations[len(deviations)-1-len(deviations)/150]
	for label, m := range measured {
		for k, deviations := range map[int]float64{0: most, 3: 3.5} {
			if len(m[k]) > 0 { // otherwise nothing looks like this label
				mean, std := moments(m[k])
				f.Limits[label][k] = mean + float64(deviations*std)
			}
		}
	}
	return &f
}

// pick returns the images at some places, as their file has them.
func (m *MNIST) pick(places []int) *MNIST {
	some := &MNIST{Images: make([]byte, 0, len(places)*MNISTPixels)}
	for _, i := range places {
		some.Images = append(some.Images, m.image(i)...)
		some.Labels = append(some.Labels, m.Labels[i])
	}
	return some
}

// validate returns an error if f cannot be used.
func (f *Familiarity) validate() error {
	if f == nil {
		return nil
	}
	d := f.Digits
	switch {
	case d == nil || d.Len() < 3 || d.Len() > maxFamiliar:
		return fmt.Errorf("familiar: no digits to compare with, or not 3 to %d", maxFamiliar)
	case len(d.Images) != d.Len()*MNISTPixels:
		return fmt.Errorf("familiar: %d bytes of images for %d labels", len(d.Images), d.Len())
	case slices.Max(d.Labels) >= MNISTClasses:
		return fmt.Errorf("familiar_labels: a label of %d", slices.Max(d.Labels))
	}
	for _, of := range f.Limits {
		if slices.ContainsFunc(of[:], func(v float64) bool { return !finite(v) }) {
			return errors.New("familiar_limits: a limit is not finite")
		}
	}
	return nil
}

// members returns f as members of a file.
func (f *Familiarity) members() []npzMember {
	limits := NewMatrix(MNISTClasses, 4)
	for label, of := range f.Limits {
		copy(limits.Row(label), of[:])
	}
	return []npzMember{
		{Name: "familiar", Bytes: f.Digits.Images, Cols: MNISTPixels},
		{Name: "familiar_labels", Bytes: f.Digits.Labels, Cols: f.Digits.Len()},
		{Name: "familiar_limits", Matrix: limits},
	}
}

// readFamiliarity reads those members, if there are any.
func (m *Model) readFamiliarity(z *npz) error {
	array := func(name string, rows, cols int, may elements) fileArray {
		return fileArray{name: name, matrix: NewMatrix(rows, cols), may: may, shared: true}
	}
	images, labels := array("familiar", 0, MNISTPixels, greys), array("familiar_labels", 1, 0, greys)
	limits := array("familiar_limits", MNISTClasses, 4, finiteNumbers)
	if !z.has(images.name) && !z.has(labels.name) && !z.has(limits.name) {
		return nil
	}
	if n := z.members[images.name].size; n > 8*maxFamiliar*MNISTPixels+maxNPYHeader {
		return formatErrorf("%s: %d bytes, more than %d digits", images.name, n, maxFamiliar)
	}
	if err := cmp.Or(images.read(z), labels.read(z), limits.read(z)); err != nil {
		return err
	}
	f := &Familiarity{Digits: new(MNIST)}
	for _, p := range images.matrix.Data {
		f.Digits.Images = append(f.Digits.Images, byte(p))
	}
	for _, label := range labels.matrix.Data {
		f.Digits.Labels = append(f.Digits.Labels, byte(label))
	}
	for label := range f.Limits {
		copy(f.Limits[label][:], limits.matrix.Row(label))
	}
	m.Familiarity = f
	return nil
}

// Compare compares images, as their file has them, with f.Digits, which must not change after the first call.
// Any number of goroutines may call it. It panics if f is nil or has no digits that can be compared.
func (f *Familiarity) Compare(images *MNIST) []Likeness {
	if f == nil {
		panic("mlp: Familiarity.Compare: the Familiarity is nil")
	}
	if err := f.validate(); err != nil {
		panic("mlp: Familiarity.Compare: " + err.Error())
	}
	images.mustFit("Compare")
	f.once.Do(func() { outlinesOf(&f.outlines, f.Digits) })
	var all []Likeness
	var outlines, similar Matrix
	const rows = 500 // at once, to bound the memory
	for lo := 0; lo < images.Len(); lo += rows {
		some := outlinesOf(&outlines, images.Slice(lo, min(images.Len(), lo+rows)))
		similar.product(1, "Compare", outlines.operand(), f.outlines.operand().transpose(), nil)
		for i := range some {
			some[i].compare(f, similar.Row(i))
		}
		all = append(all, some...)
	}
	return all
}

// outlinesOf sets outlines to those of images, n×outlineSize, and returns what is measured of each image alone.
func outlinesOf(outlines *Matrix, images *MNIST) []Likeness {
	measured := make([]Likeness, images.Len())
	outlines.Reset(images.Len(), outlineSize)
	for i := range measured {
		image, m := (*[MNISTPixels]byte)(images.image(i)), &measured[i].measured
		m[1], m[2] = pieces(image)
		m[3] = outline(outlines.Row(i), image)
	}
	return measured
}

// compare sets what follows from the similarity to each of f.Digits.
func (l *Likeness) compare(f *Familiarity, similar []float64) {
	l.Similarity = [3]float64{-1, -1, -1}
	for i, v := range similar {
		for k := range l.Nearest {
			if v > l.Similarity[k] {
				copy(l.Similarity[k+1:], l.Similarity[k:])
				copy(l.Nearest[k+1:], l.Nearest[k:])
				l.Similarity[k], l.Nearest[k] = v, i
				break
			}
		}
	}
	l.measured[0] = 1 - l.Similarity[0]
	for k, limit := range f.Limits[f.Digits.Labels[l.Nearest[0]]] {
		l.Unlike = l.Unlike || l.measured[k] > limit
	}
}

// outline sets row to the outlines of an image, as a vector of length 1, and returns how far the image leans
// backwards.
func outline(row []float64, image *[MNISTPixels]byte) (lean float64) {
	var upright [MNISTPixels]byte
	lean = deskew(&upright, image)
	var from [framedSide * framedSide]float64
	frame(&from, &upright)
	clear(row)
	for i := range side {
		for j := range side {
			at := from[i*framedSide+j:][:2*framedSide+2]
			x, y := at[framedSide+2]-at[framedSide], at[2*framedSide+1]-at[1]
			if x == 0 && y == 0 {
				continue
			}
			g := float64(cos22 * math.Sqrt(float64(x*x)+float64(y*y)))
			cell := row[i/cellSide*(side/cellSide)+j/cellSide:]
			add := func(k int, along float64) {
				if along > g {
					cell[k*outlineSize/directions] += along - g
				}
			}
			// The directions that may be near are at 0°, 22.5° and 45° from the nearest axis.
			near := 0
			if x < 0 != (y < 0) {
				near = 2
			}
			x, y = math.Abs(x), math.Abs(y)
			if y > x {
				x, y, near = y, x, near+1
			}
			k := [...][3]int{{0, 1, 2}, {4, 3, 2}, {0, 7, 6}, {4, 5, 6}}[near]
			add(k[0], x)
			add(k[1], float64(cos22*x)+float64(cos67*y))
			add(k[2], float64(cos45*(x+y)))
		}
	}
	squares := 0.0
	for _, v := range row {
		squares += float64(v * v)
	}
	length := max(math.Sqrt(squares), 1)
	for k := range row {
		row[k] /= length
	}
	return lean
}

// pieces counts the pieces of ink of an image and the holes in it: the parts of the paper that touch by sides,
// without the one around the image. Pieces less holes is (n₁ − n₃ − 2n₂)/4, if of all squares of 2×2 pixels n₁ have
// one pixel of ink, n₃ have three, and n₂ have two that only touch by a corner (Gray 1971).
func pieces(image *[MNISTPixels]byte) (ink, holes float64) {
	var rows [side + 2]uint32 // a bit for each pixel of ink, with paper around the image
	for j, p := range image {
		if p >= inkFrom {
			rows[j/side+1] |= 2 << (j % side)
		}
	}
	euler := 0
	for i := range side + 1 {
		a, b := rows[i], rows[i+1]
		nextA, nextB := a>>1, b>>1
		odd := a ^ nextA ^ b ^ nextB
		three := odd & (a&nextA | b&nextB)
		corner := a&nextB&^(nextA|b) | nextA&b&^(a|nextB)
		euler += bits.OnesCount32(odd&^three) - bits.OnesCount32(three) - 2*bits.OnesCount32(corner)
	}
	for i := range rows {
		for ; rows[i] != 0; ink++ {
			var piece [side + 2]uint32
			piece[i] = rows[i] & -rows[i]
			for grows := true; grows; {
				grows = false
				for k := 1; k <= side; k++ {
					near := piece[k-1] | piece[k] | piece[k+1]
					near = (near | near<<1 | near>>1) & rows[k]
					grows = grows || near != piece[k]
					piece[k] = near
				}
			}
			for k := range rows {
				rows[k] &^= piece[k]
			}
		}
	}
	return ink, ink - float64(euler/4)
}
