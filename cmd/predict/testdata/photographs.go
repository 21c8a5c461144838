// Photographs draws photographs of MNIST's digits, one to eight in each, has a command read
// them, and prints how many it read right, by kind. From the module's folder:
//
//	go run ./cmd/predict/testdata/photographs.go -data DIR go run ./cmd/predict -model best/model.npz
//
// The command gets the files as arguments and prints for each digit the file, the digit, and
// in the last column the box x,y,w,h, with tabs between them, in reading order. One seed
// gives one set of photographs.
package main

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"mlp"
)

// kinds are the pens and the papers.
var kinds = []string{"ballpoint", "ballpoint on lines", "ballpoint on squares", "pencil", "pencil on lines", "pencil on squares", "marker", "chalkboard"}

// A written digit stands on the paper with its box there, in pixels of the photograph
// before it is turned.
type written struct {
	label           int
	row             int
	x, y, scale     float64 // the middle of its 28×28 pixels, and the side of one
	box             image.Rectangle
	stroke          field // how far each place is from the middle of a stroke, in its own pixels
	natural         []byte
	left, top, w, h float64 // of the ink in its own pixels
}

func main() {
	log.SetFlags(0)
	data := flag.String("data", "", "folder of MNIST's files; the digits in the package if it is empty")
	part := flag.String("part", "t10k", "train or t10k")
	n := flag.Int("n", 400, "photographs")
	seed := flag.Uint64("seed", 1, "another seed draws others")
	out := flag.String("out", "", "keep the photographs in this folder, with answers.tsv")
	flag.Parse()
	files := mlp.SampleMNIST()
	if *data != "" {
		files = os.DirFS(*data)
	}
	digits, err := mlp.LoadMNIST(files, *part, 0)
	check(err)
	dir := *out
	if dir == "" {
		dir, err = os.MkdirTemp("", "photographs")
		check(err)
		defer os.RemoveAll(dir)
	}
	check(os.MkdirAll(dir, 0o777))
	var names []string
	var truth [][]written
	var answers bytes.Buffer
	for i := range *n {
		rng := rand.New(rand.NewPCG(*seed, uint64(i)))
		name := filepath.Join(dir, fmt.Sprintf("%03d-%s.jpg", i, strings.ReplaceAll(kinds[i%len(kinds)], " ", "-")))
		file, all := photograph(digits, kinds[i%len(kinds)], rng)
		check(os.WriteFile(name, file, 0o666))
		names, truth = append(names, name), append(truth, all)
		for _, d := range all {
			fmt.Fprintf(&answers, "%s\t%d\t%d,%d,%d,%d\n", filepath.Base(name), d.label, d.box.Min.X, d.box.Min.Y, d.box.Dx(), d.box.Dy())
		}
	}
	check(os.WriteFile(filepath.Join(dir, "answers.tsv"), answers.Bytes(), 0o666))
	if flag.NArg() == 0 {
		return
	}
	command := exec.Command(flag.Arg(0), append(flag.Args()[1:], names...)...)
	command.Stderr = os.Stderr
	answer, err := command.Output()
	if _, ok := err.(*exec.ExitError); !ok {
		check(err)
	}
	report(names, truth, string(answer))
}

func check(err error) {
	if err != nil {
		log.Fatal("photographs: ", err)
	}
}

// report prints the table. A digit is right if the found box whose middle is nearest to its own lies
// within half of its size and has the right answer.
func report(names []string, truth [][]written, answer string) {
	type found struct {
		digit int
		x, y  float64
	}
	read := map[string][]found{}
	for line := range strings.Lines(answer) {
		column := strings.Split(strings.TrimSpace(line), "\t")
		var x, y, w, h float64
		_, err := fmt.Sscanf(column[len(column)-1], "%f,%f,%f,%f", &x, &y, &w, &h)
		check(err)
		digit, err := strconv.Atoi(column[1])
		check(err)
		read[column[0]] = append(read[column[0]], found{digit, x + w/2, y + h/2})
	}
	type row struct{ pictures, counted, exact, digits, right int }
	rows := make([]row, len(kinds)+1)
	for i, name := range names {
		right, got, want := 0, "", ""
		for _, d := range truth[i] {
			want += strconv.Itoa(d.label)
			best, nearest := float64(max(d.box.Dx(), d.box.Dy()))/2, -1
			for _, f := range read[name] {
				if far := math.Hypot(f.x-float64(d.box.Min.X+d.box.Max.X)/2, f.y-float64(d.box.Min.Y+d.box.Max.Y)/2); far < best {
					best, nearest = far, f.digit
				}
			}
			if nearest == d.label {
				right++
			}
		}
		for _, f := range read[name] {
			got += strconv.Itoa(f.digit)
		}
		if got != want {
			fmt.Fprintf(os.Stderr, "%s: %s, read as %s\n", name, want, got)
		}
		for _, r := range []*row{&rows[i%len(kinds)], &rows[len(kinds)]} {
			r.pictures++
			r.digits += len(want)
			r.right += right
			if len(got) == len(want) {
				r.counted++
			}
			if got == want {
				r.exact++
			}
		}
	}
	fmt.Printf("%-20s %8s %13s %8s %6s %6s\n", "kind", "pictures", "right number", "all read", "digits", "right")
	for i, r := range rows {
		name := append(kinds, "all")[i]
		fmt.Printf("%-20s %8d %6d %5.1f%% %8d %6d %6d %5.1f%%\n", name, r.pictures, r.counted, 100*float64(r.counted)/float64(r.pictures), r.exact, r.digits, r.right, 100*float64(r.right)/float64(max(r.digits, 1)))
	}
}

// photograph draws a picture and returns it as a JPEG, with the digits in reading order.
func photograph(m *mlp.MNIST, kind string, rng *rand.Rand) ([]byte, []written) {
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	chance := func(p float64) bool { return rng.Float64() < p }
	pen, paper, _ := strings.Cut(kind, " on ")
	w, h := 640+160*rng.IntN(4), 480+120*rng.IntN(4)
	if chance(0.3) {
		w, h = h, w
	}
	W, H := float64(w), float64(h)

	// The digits, in rows of a height, on paper whose origin is the middle of the picture.
	n, rowsOf := 1+rng.IntN(8), 1
	if n >= 4 && chance(0.35) {
		rowsOf = 2
	}
	height := math.Exp(between(math.Log(20), math.Log(300)))
	gap := between(0.1, 0.5)
	if chance(0.2) {
		gap = between(0.5, 1.2)
	}
	angle := between(-20, 20) * math.Pi / 180
	if chance(0.4) {
		angle /= 4
	}
	var all []written
	y, widest := 0.0, 0.0
	for row := range rowsOf {
		x, from := 0.0, len(all)
		for range (n - from) / (rowsOf - row) {
			d := newDigit(m, rng)
			d.row, d.scale = row, between(0.85, 1.15)/max(d.h, d.w*0.8)
			d.x, d.y = x+(14-d.left)*d.scale, y+(14-d.top-d.h)*d.scale+between(-0.08, 0.08)
			x += d.w*d.scale + gap*between(0.6, 1.4)
			all = append(all, d)
		}
		for i := from; i < len(all); i++ {
			all[i].x -= x / 2
		}
		widest = max(widest, x)
		y += between(1.5, 2.2)
	}
	tall := y
	cos, sin := math.Cos(angle), math.Sin(angle)
	height = min(height, 0.8*W/(widest*cos+tall*math.Abs(sin)), 0.8*H/(widest*math.Abs(sin)+tall*cos))
	freeX, freeY := W/2-height*(widest*cos+tall*math.Abs(sin))/2-0.06*W, H/2-height*(widest*math.Abs(sin)+tall*cos)/2-0.06*H
	shiftX, shiftY := between(-1, 1)*max(freeX, 0), between(-1, 1)*max(freeY, 0)
	for i := range all {
		d := &all[i]
		d.x, d.y, d.scale = d.x*height, (d.y-tall/2+1.2)*height, d.scale*height
	}

	// The camera: from a place of the picture to one of the paper.
	tiltX, tiltY, curl := between(-0.05, 0.05), between(-0.05, 0.05), between(-0.006, 0.006)
	place := func(x, y float64) (float64, float64) {
		x, y = x-W/2-shiftX, y-H/2-shiftY
		z := 1 + tiltX*x/W + tiltY*y/H
		x, y = x/z, y/z
		return cos*x + sin*y, -sin*x + cos*y + curl*x*x/W
	}

	// What is drawn with.
	width, darkness, grain := 0.0, 0.0, 0.0 // of a stroke: its width as a share of the height, how dark, how uneven
	tints := [][3]float64{{1, 1, 1}, {1, 0.9, 0.45}, {0.35, 1, 1}, {1, 0.45, 0.9}}
	tint := tints[0] // how much of the darkness each colour of light has
	ground, chalk := between(0.6, 0.92), false
	switch pen {
	case "ballpoint":
		width, darkness, grain, tint = between(0.035, 0.075), between(0.5, 0.85), 0.15, tints[rng.IntN(4)]
	case "pencil":
		width, darkness, grain = between(0.03, 0.065), between(0.3, 0.6), 0.45
	case "marker":
		width, darkness, grain, tint = between(0.09, 0.17), between(0.65, 0.95), 0.1, tints[rng.IntN(4)]
	case "chalkboard":
		width, darkness, grain, ground, chalk = between(0.06, 0.13), between(0.55, 0.95), 0.5, between(0.12, 0.35), true
	}
	asMNIST := (pen == "marker" || chalk) && chance(0.5)
	width = max(width*height, 1.4)
	lineGap, lineDark, lineWidth, margin := height*between(1, 1.6), between(0.08, 0.3), max(between(0.008, 0.02)*height, between(0.9, 1.5)), math.Inf(1)
	if paper == "squares" {
		lineGap = height * between(0.45, 1.1)
	}
	if paper == "lines" && chance(0.6) {
		margin = -W * between(0.2, 0.4)
	}
	phase, lineTint := between(0, 1), [][3]float64{{1, 0.7, 0.3}, {1, 1, 1}, {0.6, 1, 1}}[rng.IntN(3)]
	sheet := [3]float64{1, between(0.95, 1), between(0.8, 1)}
	if chalk {
		sheet = [3]float64{0.8, 1, 0.85}
	}

	// The light and what else is in the picture.
	across, down, corners, noise := between(-0.25, 0.25), between(-0.25, 0.25), between(0, 0.25), between(0.004, 0.03)
	shadow, shadowAngle, shadowAt, soft := 0.0, between(0, 7), between(-0.35, 0.35)*W, between(4, 80)
	if chance(0.4) {
		shadow = between(0.15, 0.45)
	}
	cloud, wood := newNoise(rng, 12), newNoise(rng, 40)
	fine := newNoise(rng, max(16, int(min(W, H)/2)))
	sin1, cos1 := math.Sincos(shadowAngle)
	deskAngle, deskLight, desk := between(0, 7), between(0.15, 0.95), chance(0.3)
	sin2, cos2 := math.Sincos(deskAngle)
	deskAt := 0.48*(W*math.Abs(cos2)+H*math.Abs(sin2)) - between(0.0, 0.1)*W
	thumb, thumbX, thumbY, thumbR := chance(0.2), float64(rng.IntN(2))*W, H*between(0, 1), between(0.05, 0.13)*W
	skin := between(0.35, 0.85)

	img := image.NewRGBA(image.Rect(0, 0, w, h))
	light := make([][3]float64, w*h)
	for y := range h {
		for x := range w {
			u, v := place(float64(x)+0.5, float64(y)+0.5)
			ink := 0.0
			for i := range all {
				d := &all[i]
				a, b := (u-d.x)/d.scale+14, (v-d.y)/d.scale+14
				if a < 0 || b < 0 || a > 28 || b > 28 {
					continue
				}
				cover := 0.5 + (width/2 - d.stroke.at(a, b)*d.scale)
				if asMNIST {
					cover = 0.5 + (bilinear(d.natural, a-0.5, b-0.5)-0.5)*d.scale/2
				}
				if cover = min(max(cover, 0), 1); cover > 0.5 {
					d.box = d.box.Union(image.Rect(x, y, x+1, y+1))
				}
				ink = max(ink, cover)
			}
			ink *= darkness * (1 - grain*fine.at(u/W+0.5, v/H+0.5))
			line := 0.0
			if paper != "" {
				line = stripe(v, lineGap, phase, lineWidth)
			}
			if paper == "squares" {
				line = max(line, stripe(u, lineGap, phase, lineWidth))
			}
			line *= lineDark
			rule := min(max(0.5+lineWidth/2-math.Abs(u-margin), 0), 1) * 1.3 * lineDark
			X, Y := float64(x)-W/2, float64(y)-H/2
			lamp := (1 + across*X/W*2 + down*Y/H*2) * (1 - corners*(X*X/W/W+Y*Y/H/H)*2)
			lamp *= 1 - shadow/(1+math.Exp(-(X*cos1+Y*sin1-shadowAt)/soft*4))
			at := cloud.at(float64(x)/W, float64(y)/H)
			var c [3]float64
			for k := range c {
				c[k] = ground * sheet[k] * (1 - 0.03*at)
				if chalk {
					c[k] *= 1 + 0.3*at
					c[k] += (1 - c[k]) * ink * (0.7 + 0.3*tint[k])
				} else {
					c[k] *= (1 - line*lineTint[k]) * (1 - rule*[3]float64{0.3, 1, 1}[k]) * (1 - ink*tint[k])
				}
			}
			if desk && X*cos2+Y*sin2 > deskAt {
				for k := range c {
					c[k] = deskLight * (1 - 0.2*wood.at(float64(y)/H+3*float64(x)/W, float64(x)/W/8)) * [3]float64{1, 0.85, 0.7}[k]
				}
			}
			if r := math.Hypot((float64(x)-thumbX)/1.6, float64(y)-thumbY) / thumbR; thumb && r < 1 {
				for k := range c {
					c[k] = skin * (1 - 0.4*r*r) * [3]float64{1, 0.75, 0.65}[k]
				}
			}
			for k := range c {
				light[y*w+x][k] = c[k] * lamp
			}
		}
	}
	// What covers a digit was not in the picture, after all.
	for _, d := range all {
		for _, p := range []image.Point{d.box.Min, d.box.Max, {d.box.Min.X, d.box.Max.Y}, {d.box.Max.X, d.box.Min.Y}} {
			X, Y := float64(p.X)-W/2, float64(p.Y)-H/2
			over := desk && X*cos2+Y*sin2 > deskAt-0.02*W || thumb && math.Hypot((float64(p.X)-thumbX)/1.6, float64(p.Y)-thumbY) < thumbR*1.15
			if over || !p.In(image.Rect(3, 3, w-3, h-3)) {
				return photograph(m, kind, rng)
			}
		}
	}
	blurred(light, w, h, between(0, 1.4)*min(1, height/70))
	for i, c := range light {
		var p [3]uint8
		for k := range c {
			p[k] = uint8(255*min(max(c[k]+noise*rng.NormFloat64(), 0), 1) + 0.5)
		}
		img.Set(i%w, i/w, color.RGBA{p[0], p[1], p[2], 255})
	}
	quality, held := 40, 1
	if chance(0.6) {
		quality = 60 + rng.IntN(35)
	}
	if chance(0.4) {
		held = 2 + rng.IntN(7)
	}
	return exif(img, held, quality), all
}

// stripe is how much of a line, one in each gap, covers place v.
func stripe(v, gap, phase, width float64) float64 {
	t := v/gap + phase
	return min(max(0.5+width/2-math.Abs(t-math.Round(t))*gap, 0), 1)
}

// A field is 112×112 values between the pixels of a digit, four for each.
type field [112 * 112]float32

// at is the value at a place in the digit's pixels.
func (f *field) at(x, y float64) float64 {
	x, y = min(max(4*x-0.5, 0), 110.99), min(max(4*y-0.5, 0), 110.99)
	i, j, s, t := int(x), int(y), float32(x-math.Floor(x)), float32(y-math.Floor(y))
	p := f[j*112+i:]
	return float64((1-t)*((1-s)*p[0]+s*p[1]) + t*((1-s)*p[112]+s*p[113]))
}

// newDigit takes a digit of MNIST and finds the middle of its strokes, by thinning (Zhang and
// Suen, A Fast Parallel Algorithm for Thinning Digital Patterns, 1984).
func newDigit(m *mlp.MNIST, rng *rand.Rand) (d written) {
	i := rng.IntN(m.Len())
	d.label, d.natural = int(m.Labels[i]), m.Images[i*784:][:784]
	box := image.Rectangle{}
	for i, p := range d.natural {
		if p >= 128 {
			box = box.Union(image.Rect(i%28, i/28, i%28+1, i/28+1))
		}
	}
	d.left, d.top, d.w, d.h = float64(box.Min.X), float64(box.Min.Y), float64(box.Dx()), float64(box.Dy())
	var ink [112 * 112]bool
	for i := range ink {
		ink[i] = bilinear(d.natural, (float64(i%112)+0.5)/4-0.5, (float64(i/112)+0.5)/4-0.5) > 0.5
	}
	for changed, turn := true, 0; changed || turn%2 == 1; turn++ {
		if turn%2 == 0 {
			changed = false
		}
		var gone []int
		for i, on := range ink {
			if x, y := i%112, i/112; !on || x == 0 || y == 0 || x == 111 || y == 111 {
				continue
			}
			p := [9]bool{ink[i-112], ink[i-111], ink[i+1], ink[i+113], ink[i+112], ink[i+111], ink[i-1], ink[i-113], ink[i-112]}
			sum, steps := 0, 0
			for k := range 8 {
				if p[k] {
					sum++
				}
				if !p[k] && p[k+1] {
					steps++
				}
			}
			north, east, south, west := p[0], p[2], p[4], p[6]
			ends := !(north && east && south) && !(east && south && west)
			if turn%2 == 1 {
				ends = !(north && east && west) && !(north && south && west)
			}
			if 2 <= sum && sum <= 6 && steps == 1 && ends {
				gone = append(gone, i)
			}
		}
		for _, i := range gone {
			ink[i], changed = false, true
		}
	}
	for i := range d.stroke {
		best := 1e9
		for y := max(0, i/112-24); y < min(112, i/112+25); y++ {
			for x := max(0, i%112-24); x < min(112, i%112+25); x++ {
				if ink[y*112+x] {
					best = min(best, float64((x-i%112)*(x-i%112)+(y-i/112)*(y-i/112)))
				}
			}
		}
		d.stroke[i] = float32(min(math.Sqrt(best)/4, 10))
	}
	return d
}

// bilinear is a digit's ink, from 0 to 1, at a point between its pixels' middles.
func bilinear(digit []byte, x, y float64) float64 {
	i, j := int(math.Floor(x)), int(math.Floor(y))
	at := func(i, j int) float64 {
		if i < 0 || i >= 28 || j < 0 || j >= 28 {
			return 0
		}
		return float64(digit[j*28+i]) / 255
	}
	s, t := x-float64(i), y-float64(j)
	return (1-t)*((1-s)*at(i, j)+s*at(i+1, j)) + t*((1-s)*at(i, j+1)+s*at(i+1, j+1))
}

// A noise is smooth: random values on a grid of n×n cells.
type noise struct {
	n int
	v []float64
}

func newNoise(rng *rand.Rand, n int) noise {
	v := make([]float64, n*n)
	for i := range v {
		v[i] = rng.Float64()
	}
	return noise{n, v}
}

// at is the noise at a place from 0 to 1, and repeats beyond.
func (f noise) at(x, y float64) float64 {
	x, y = (x-math.Floor(x))*float64(f.n), (y-math.Floor(y))*float64(f.n)
	i, j, s, t := int(x), int(y), x-math.Floor(x), y-math.Floor(y)
	at := func(i, j int) float64 { return f.v[j%f.n*f.n+i%f.n] }
	return (1-t)*((1-s)*at(i, j)+s*at(i+1, j)) + t*((1-s)*at(i, j+1)+s*at(i+1, j+1))
}

// blurred convolves light with a Gaussian of deviation sigma, along rows and columns.
func blurred(light [][3]float64, w, h int, sigma float64) {
	if sigma < 0.2 {
		return
	}
	r := int(3*sigma) + 1
	for _, step := range []image.Point{{1, 0}, {0, 1}} {
		from := append([][3]float64(nil), light...)
		for i := range light {
			var sum [3]float64
			total := 0.0
			for k := -r; k <= r; k++ {
				x, y := min(max(i%w+k*step.X, 0), w-1), min(max(i/w+k*step.Y, 0), h-1)
				g := math.Exp(-float64(k*k) / (2 * sigma * sigma))
				total += g
				for c := range sum {
					sum[c] += g * from[y*w+x][c]
				}
			}
			for c := range sum {
				light[i][c] = sum[c] / total
			}
		}
	}
}

// exif is a JPEG that a camera wrote that was held in one of Exif's eight orientations.
func exif(img *image.RGBA, held, quality int) []byte {
	w, h := img.Rect.Dx(), img.Rect.Dy()
	stored := image.NewRGBA(image.Rect(0, 0, w, h))
	if held >= 5 {
		stored = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range h {
		for x := range w {
			u, v := x, y
			if held == 2 || held == 3 || held == 6 || held == 7 {
				u = w - 1 - x
			}
			if held == 3 || held == 4 || held == 7 || held == 8 {
				v = h - 1 - y
			}
			if held >= 5 {
				u, v = v, u
			}
			stored.SetRGBA(u, v, img.RGBAAt(x, y))
		}
	}
	var file bytes.Buffer
	check(jpeg.Encode(&file, stored, &jpeg.Options{Quality: quality}))
	tiff := []byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00")
	tiff = append(tiff, byte(held), 0, 0, 0, 0, 0, 0)
	head := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(tiff)+2))
	return append(append(head, tiff...), file.Bytes()[2:]...)
}
