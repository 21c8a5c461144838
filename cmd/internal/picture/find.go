// Which ink of a picture is a digit: pieces of ink, put together and cut, in rows.

package picture

import (
	"cmp"
	"errors"
	"image"
	"math"
	"slices"
)

// A Digit is one of a picture's.
type Digit struct {
	Ink  *image.Gray     // 255 for ink and 0 for paper, with grey values at the edges of strokes
	Box  image.Rectangle // of its ink, in pixels of the picture
	Row  int             // in which row of digits it is, from 0
	Wide bool            // it may be several digits that touch
}

const (
	maxDigits    = 1000 // are found at most
	maxQuestions = 5000 // are put to the network at most, so that a picture full of scribbles ends soon
	minContrast  = 0.08 // how much darker than the paper ink must be, as a share of the paper's brightness
)

var errNoInk = errors.New("no ink stands out from the paper")

// Find returns the digits in a picture, row by row from the left to the right. The picture
// may be in colour, unevenly lit, transparent, on ruled paper, with bright ink on dark paper,
// and turned by up to 25°. It returns an error if nothing stands out from the paper. The
// function sure returns how certainly some ink is one digit, from 0 to 1; it chooses between
// ways to put pieces together.
func Find(img image.Image, sure func(ink *image.Gray) float64) ([]Digit, error) {
	questions, answer := 0, sure
	sure = func(ink *image.Gray) float64 {
		if questions++; questions > maxQuestions {
			return 1
		}
		return answer(ink)
	}
	sharp, k := light(img)
	f := sharp
	if max(f.w, f.h) > 200 {
		f = f.smooth(1) // against the noise of a camera
	}
	lines := f.ruled()
	d := f.darkness(max(f.w/6, f.h/6, side/4)).without(lines) // strokes are thinner, and wedges of shadow wider
	pieces, edge := d.pieces(max(f.w, f.h)/8, rotation{1, 0, f})
	if len(pieces) == 0 {
		return nil, errNoInk
	}
	height := typical(pieces)
	angle := slope(pieces, height)
	if img.Bounds().Size() == image.Pt(side, side) {
		angle = 0
	}
	turn := rotation{math.Cos(angle), math.Sin(angle), f}
	width := int(0.6 * height)
	ink := func(f field) field {
		d := f.darkness(width).without(lines)
		for _, p := range edge {
			for _, i := range p.places {
				d.v[i] = 0
			}
		}
		return turn.apply(d)
	}
	d = ink(f)
	pieces, _ = d.pieces(int(height/2), turn)
	height = typical(pieces)
	if height < 40 { // smoothing would fill the holes of small digits
		d = ink(sharp)
		pieces = d.dark(pieces)
	}
	if len(pieces) == 0 {
		return nil, errNoInk
	}
	all := d.alike(d.join(pieces, height, sure))
	if size := img.Bounds().Size(); size == image.Pt(side, side) { // as MNIST's are: one digit, in whatever pieces
		var places []int
		for _, p := range pieces {
			places = append(places, p.places...)
		}
		p := d.pieceOf(places)
		return []Digit{{Ink: d.draw(p), Box: turn.box(d, p, k, size)}}, nil
	}
	var digits []Digit
	for i, row := range rows(all, height) {
		for _, p := range row {
			for _, p := range d.split(p, height, sure) {
				digits = append(digits, Digit{d.draw(p), turn.box(d, p, k, img.Bounds().Size()), i, float64(p.box.Dx()) > 1.3*height})
				if len(digits) == maxDigits {
					return digits, nil
				}
			}
		}
	}
	if len(digits) == 0 {
		return nil, errNoInk
	}
	return digits, nil
}

// quantile returns the number below which that share of some of many numbers lies.
func quantile(v []float64, share float64) float64 {
	var some []float64
	for i := 0; i < len(v); i += 1 + len(v)/50000 {
		some = append(some, v[i])
	}
	slices.Sort(some)
	return some[int(share*float64(len(some)))]
}

// A rotation turns a field to the left by an angle, around its middle.
type rotation struct {
	cos, sin float64
	from     field
}

// apply returns the field turned, as large as it needs to be.
func (r rotation) apply(f field) field {
	if r.sin == 0 {
		return f
	}
	w, h := int(float64(f.w)*r.cos+float64(f.h)*math.Abs(r.sin)), int(float64(f.h)*r.cos+float64(f.w)*math.Abs(r.sin))
	t := field{w, h, nil}
	return each(w, h, func(x, y int) float64 {
		u, v := r.source(t, x, y)
		if u < 0 || v < 0 || u > float64(f.w-1) || v > float64(f.h-1) {
			return 0
		}
		return f.between(u, v)
	})
}

// source returns where a place of the turned field t was.
func (r rotation) source(t field, x, y int) (float64, float64) {
	u, v := float64(x)-float64(t.w-1)/2, float64(y)-float64(t.h-1)/2
	return r.cos*u - r.sin*v + float64(r.from.w-1)/2, r.sin*u + r.cos*v + float64(r.from.h-1)/2
}

// box returns where a piece of the turned field t is in the picture, whose size is given,
// with k×k pixels at each place.
func (r rotation) box(t field, p piece, k int, size image.Point) (box image.Rectangle) {
	for _, i := range p.places {
		u, v := r.source(t, i%t.w, i/t.w)
		x, y := int(math.Round(u)), int(math.Round(v))
		box = box.Union(image.Rect(x*k, y*k, (x+1)*k, (y+1)*k))
	}
	return box.Intersect(image.Rectangle{Max: size})
}

// A piece is ink that touches no other, or all ink of a digit.
type piece struct {
	box      image.Rectangle
	places   []int   // in the field
	contrast float64 // how dark it is: nine tenths of it are paler
	edge     bool    // it touches the edge of the picture
}

// pieceOf returns a piece of a field's places.
func (f field) pieceOf(places []int) piece {
	p := piece{places: places}
	var dark []float64
	for _, i := range places {
		x, y := i%f.w, i/f.w
		p.box = p.box.Union(image.Rect(x, y, x+1, y+1))
		dark = append(dark, f.v[i])
	}
	slices.Sort(dark)
	p.contrast = dark[len(dark)*9/10]
	return p
}

// dark returns what of some pieces is dark in f, which need not be the field they were found in.
func (f field) dark(pieces []piece) (dark []piece) {
	for _, p := range pieces {
		if p.places = slices.DeleteFunc(p.places, func(i int) bool { return f.v[i] <= 0 }); len(p.places) > 0 {
			dark = append(dark, f.pieceOf(p.places))
		}
	}
	return dark
}

// size is the longer side of a piece.
func (p piece) size() float64 { return float64(max(p.box.Dx(), p.box.Dy())) }

// thickness is about the width of a piece's strokes, if they are as long as the piece or a few times that.
func (p piece) thickness() float64 { return float64(len(p.places)) / p.size() }

// pieces returns the ink that stands out. A place is ink if it is nearly half as dark as the
// darkest place around, and darker than noise.
func (f field) pieces(reach int, turn rotation) (pieces, edge []piece) {
	changes := make([]float64, len(f.v))
	for i, v := range f.v {
		changes[i] = math.Abs(v - f.v[max(0, i-3)])
	}
	floor := max(0.05, 6*1.05*quantile(changes, 0.5))
	dark := f.highest(reach)
	seen := make([]bool, len(f.v))
	for i := range f.v {
		var places []int
		add := func(j int) {
			if !seen[j] && f.v[j] >= floor && f.v[j] >= 0.45*dark.v[j] {
				seen[j] = true
				places = append(places, j)
			}
		}
		add(i)
		for n := 0; n < len(places); n++ {
			for j := range f.around(places[n]) {
				add(j)
			}
		}
		if len(places) < 4 {
			continue
		}
		p := f.pieceOf(places)
		for _, j := range places {
			u, v := turn.source(f, j%f.w, j/f.w)
			p.edge = p.edge || u < 1.5 || v < 1.5 || u > float64(turn.from.w)-2.5 || v > float64(turn.from.h)-2.5
		}
		if p.contrast >= minContrast {
			pieces = append(pieces, p)
		}
	}
	// What touches the picture's edge is no digit, unless nothing else is there.
	inside := slices.DeleteFunc(slices.Clone(pieces), func(p piece) bool { return p.edge })
	if len(inside) > 0 {
		edge = slices.DeleteFunc(pieces, func(p piece) bool { return !p.edge })
		pieces = inside
	} else {
		pieces = slices.DeleteFunc(pieces, func(p piece) bool { return p.contrast < 0.25 || strokeWidth(f.draw(p)) > p.size()/4 })
	}
	darkest := 0.0
	for _, p := range pieces {
		if p.size() >= 6 {
			darkest = max(darkest, p.contrast)
		}
	}
	pieces = slices.DeleteFunc(pieces, func(p piece) bool { return p.contrast < 0.35*darkest })
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Compare(b.size(), a.size()) })
	return pieces[:min(len(pieces), maxDigits)], edge
}

// around are place i and those that touch it with a side or a corner.
func (f field) around(i int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		x, y := i%f.w, i/f.w
		for v := max(0, y-1); v < min(f.h, y+2); v++ {
			for u := max(0, x-1); u < min(f.w, x+2); u++ {
				if !yield(v*f.w + u) {
					return
				}
			}
		}
	}
}

// typical returns the height of most of the ink: the median of the pieces' sizes, where
// dark and thick pieces count most.
func typical(pieces []piece) float64 {
	sorted := slices.SortedFunc(slices.Values(pieces), func(a, b piece) int { return cmp.Compare(a.size(), b.size()) })
	weight := func(p piece) float64 { return p.contrast * p.contrast * p.thickness() * math.Sqrt(p.size()) }
	sum := 0.0
	for _, p := range sorted {
		sum += weight(p)
	}
	half := 0.0
	for _, p := range sorted {
		if half += weight(p); half >= sum/2 {
			return p.size()
		}
	}
	return 0
}

// slope returns the angle of the rows of digits: the median of the angles from each piece to the
// next on its right.
func slope(pieces []piece, height float64) float64 {
	const steepest = 28 * math.Pi / 180
	var angles []float64
	for _, p := range pieces {
		nearest := 4 * height
		angle := math.NaN()
		for _, q := range pieces {
			if min(p.size(), q.size()) < 0.6*height || max(p.size(), q.size()) > 1.8*height {
				continue
			}
			x, y := float64(q.box.Min.X+q.box.Max.X-p.box.Min.X-p.box.Max.X)/2, float64(q.box.Min.Y+q.box.Max.Y-p.box.Min.Y-p.box.Max.Y)/2
			if a := math.Atan2(y, x); math.Abs(a) < steepest && x+2*math.Abs(y) < nearest && x > 0.2*height {
				nearest, angle = x+2*math.Abs(y), a
			}
		}
		if !math.IsNaN(angle) {
			angles = append(angles, angle)
		}
	}
	if len(angles) == 0 {
		return 0
	}
	slices.Sort(angles)
	return (angles[len(angles)/2] + angles[(len(angles)-1)/2]) / 2
}

// join puts the pieces of each digit together. Pieces of half the height are digits, or halves
// of one if they lie above each other. Smaller ones belong to the nearest digit.
func (f field) join(pieces []piece, height float64, sure func(*image.Gray) float64) []piece {
	gap := func(a, b piece) (x, y float64) {
		return float64(max(a.box.Min.X-b.box.Max.X, b.box.Min.X-a.box.Max.X, 0)), float64(max(a.box.Min.Y-b.box.Max.Y, b.box.Min.Y-a.box.Max.Y, 0))
	}
	// Small pieces that nearly touch are one.
	for i := 0; i < len(pieces); i++ {
		for j := i + 1; j < len(pieces); j++ {
			a, b := pieces[i], pieces[j]
			both := a.box.Union(b.box)
			x, y := gap(a, b)
			if max(a.box.Dy(), b.box.Dy()) < int(0.6*height) && max(x, y) < 0.15*height && float64(max(both.Dx(), both.Dy())) < 1.2*height {
				pieces[i] = f.pieceOf(slices.Concat(a.places, b.places))
				pieces = slices.Delete(pieces, j, j+1)
				j = i
			}
		}
	}
	var digits, crumbs []piece
	for _, p := range pieces {
		switch w, h := float64(p.box.Dx()), float64(p.box.Dy()); {
		case h > 2.5*height || w > 12*height:
		case h >= 0.5*height:
			digits = append(digits, p)
		case w <= height:
			crumbs = append(crumbs, p)
		}
	}
	for _, c := range crumbs {
		nearest, at := 0.3*height, -1
		for i, p := range digits {
			x, y := gap(p, c)
			far := 2*x + y
			if far < nearest && 40*len(c.places) > len(p.places) {
				nearest, at = far, i
			}
		}
		if at >= 0 {
			digits[at] = f.pieceOf(slices.Concat(digits[at].places, c.places))
		}
	}
	slices.SortFunc(digits, func(a, b piece) int { return cmp.Compare(a.box.Min.X, b.box.Min.X) })
	for i := 0; i < len(digits); i++ {
		for j := i + 1; j < len(digits) && digits[j].box.Min.X < digits[i].box.Max.X; j++ {
			a, b := digits[i], digits[j]
			both := a.box.Union(b.box)
			overlap := min(a.box.Max.X, b.box.Max.X) - max(a.box.Min.X, b.box.Min.X)
			if 2*overlap < min(a.box.Dx(), b.box.Dx()) || float64(both.Dy()) > 1.5*height || float64(both.Dx()) > 1.3*height {
				continue
			}
			union := f.pieceOf(slices.Concat(a.places, b.places))
			if sure(f.draw(union)) > sure(f.draw(a))*sure(f.draw(b)) {
				digits[i] = union
				digits = slices.Delete(digits, j, j+1)
				j = i
			}
		}
	}
	return digits
}

// alike returns the digits that the pen of most may have written: about as dark, not
// much lower, and with strokes about as wide.
func (f field) alike(digits []piece) []piece {
	var darks, widths, heights []float64
	for _, p := range digits {
		darks, widths, heights = append(darks, p.contrast), append(widths, strokeWidth(f.draw(p))), append(heights, float64(p.box.Dy()))
	}
	if len(digits) == 0 {
		return nil
	}
	dark, width, height := quantile(darks, 0.5), quantile(widths, 0.5), quantile(heights, 0.5)
	var same []piece
	for i, p := range digits {
		if heights[i] > 0.6*height && p.contrast > 0.45*dark && widths[i] < 2.2*width && 2.2*widths[i] > width {
			same = append(same, p)
		}
	}
	return same
}

// rows returns the digits of each row in their order. A digit belongs to a row if it is as
// high as the digit before it.
func rows(digits []piece, height float64) (rows [][]piece) {
	middle := func(p piece) float64 { return float64(p.box.Min.Y+p.box.Max.Y) / 2 }
	slices.SortFunc(digits, func(a, b piece) int {
		return cmp.Compare(a.box.Min.X+a.box.Max.X, b.box.Min.X+b.box.Max.X)
	})
	for _, p := range digits {
		nearest, at := 0.7*height, -1
		for i, row := range rows {
			if far := math.Abs(middle(row[len(row)-1]) - middle(p)); far < nearest {
				nearest, at = far, i
			}
		}
		if at < 0 {
			at = len(rows)
			rows = append(rows, nil)
		}
		rows[at] = append(rows[at], p)
	}
	slices.SortStableFunc(rows, func(a, b []piece) int { return cmp.Compare(middle(a[0]), middle(b[0])) })
	return rows
}

// split cuts a piece into the digits of which it most probably consists.
func (f field) split(p piece, height float64, sure func(*image.Gray) float64) []piece {
	w, h := float64(p.box.Dx()), float64(p.box.Dy())
	if w < 0.7*max(h, height) {
		return []piece{p}
	}
	best := sure(f.draw(p)) * min(1, math.Exp(-4*(w/max(h, height)-1.35)))
	if best > 0.9 {
		return []piece{p}
	}
	stroke := strokeWidth(f.draw(p))
	var cut [2]piece
	for x := 0.2 * w; x <= 0.8*w; x += w / 24 {
		for slant := -0.4; slant <= 0.4; slant += 0.2 {
			var sides [2][]int
			crossed := 0
			for _, i := range p.places {
				u := float64(i%f.w-p.box.Min.X) + slant*(float64(i/f.w-p.box.Min.Y)-h/2) - x
				switch {
				case u < 0:
					sides[0] = append(sides[0], i)
				default:
					sides[1] = append(sides[1], i)
				}
				if math.Abs(u) <= 0.5 {
					crossed++
				}
			}
			if float64(crossed) > 1.3*stroke+1 || len(sides[0])*len(sides[1]) == 0 || len(sides[0]) < len(p.places)/6 || len(sides[1]) < len(p.places)/6 {
				continue
			}
			a, b := f.pieceOf(sides[0]), f.pieceOf(sides[1])
			if float64(min(a.box.Dy(), b.box.Dy())) < 0.5*height {
				continue
			}
			if s := sure(f.draw(a)) * sure(f.draw(b)) * math.Exp(-float64(crossed)/stroke/8) * min(1, 0.8*w/height); s > best {
				best, cut = s, [2]piece{a, b}
			}
		}
	}
	if cut[0].places == nil {
		return []piece{p}
	}
	return append(f.split(cut[0], height, sure), f.split(cut[1], height, sure)...)
}

// draw returns a piece as a picture of its own: 255 if a place is as dark as the mean of
// the piece, and less at the edges of strokes.
func (f field) draw(p piece) *image.Gray {
	sum := 0.0
	for _, i := range p.places {
		sum += f.v[i]
	}
	ink := sum / float64(len(p.places))
	page := image.NewGray(image.Rect(0, 0, p.box.Dx()+2, p.box.Dy()+2))
	for _, i := range p.places {
		for j := range f.around(i) {
			x, y := j%f.w-p.box.Min.X+1, j/f.w-p.box.Min.Y+1
			page.Pix[y*page.Stride+x] = uint8(255*min(max(f.v[j]/ink, 0), 1) + 0.5)
		}
	}
	return page
}
