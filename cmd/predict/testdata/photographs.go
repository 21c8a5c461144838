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

// photograph draws a picture and returns it as a JPEG, with the digits in reading order. If
// something hides a digit, it draws another picture.
func photograph(m *mlp.MNIST, kind string, rng *rand.Rand) ([]byte, []written) {
	s := scene{Rand: rng, w: 640 + 160*rng.IntN(4), h: 480 + 120*rng.IntN(4)}
	if s.chance(0.3) {
		s.w, s.h = s.h, s.w
	}
	s.W, s.H = float64(s.w), float64(s.h)
	pen, paper, _ := strings.Cut(kind, " on ")
	s.placeDigits(m)
	s.tiltX, s.tiltY, s.curl = s.between(-0.05, 0.05), s.between(-0.05, 0.05), s.between(-0.006, 0.006)
	s.choosePen(pen)
	s.choosePaper(paper)
	s.chooseLight()
	s.chooseSurroundings()
	light := s.light()
	if s.hidden() {
		return photograph(m, kind, rng)
	}
	return s.develop(light), s.digits
}

// A scene is what stands before the camera. All of its steps draw from one stream of random numbers,
// so another order of the steps, or of the draws in one, gives other photographs.
type scene struct {
	*rand.Rand
	w, h int     // of the photograph, in pixels
	W, H float64 // the same

	digits             []written
	height             float64 // of a digit, on average
	cos, sin           float64 // of the angle by which the paper is turned
	shiftX, shiftY     float64 // from the middle of the photograph to that of the text
	tiltX, tiltY, curl float64 // how much nearer one side of the paper is, and how bent it is

	width, darkness, grain float64    // of a stroke; grain is how uneven it is
	tint                   [3]float64 // how much of the darkness each colour of light has
	chalk                  bool       // lighter than what it writes on
	asMNIST                bool       // strokes as wide as in MNIST's pixels, not of one width

	ground                              float64 // how light the paper is
	sheet                               [3]float64
	paper                               string  // "", "lines" or "squares"
	lineGap, lineDark, lineWidth, phase float64 // the phase is a share of the gap
	lineTint                            [3]float64
	margin                              float64 // the place of a red line from top to bottom

	across, down, corners, noise                        float64 // how uneven the light is, and the noise of the camera
	shadow, shadowCos, shadowSin, shadowAt, shadowWidth float64 // how dark it is, and its edge

	clouds, wood, fine                   noise   // how uneven the paper, the desk and the ink are
	deskCos, deskSin, deskAt, deskLight  float64 // beyond the paper's edge
	thumbX, thumbY, thumbSize, thumbSkin float64
}

func (s *scene) between(lo, hi float64) float64 { return lo + (hi-lo)*s.Float64() }
func (s *scene) chance(p float64) bool          { return s.Float64() < p }

// placeDigits writes one or two rows of digits on paper whose origin is the middle of the text. It
// counts in heights of a digit first, then makes the height fit the photograph.
func (s *scene) placeDigits(m *mlp.MNIST) {
	n, rows := 1+s.IntN(8), 1
	if n >= 4 && s.chance(0.35) {
		rows = 2
	}
	height := math.Exp(s.between(math.Log(20), math.Log(300)))
	gap := s.between(0.1, 0.5)
	if s.chance(0.2) {
		gap = s.between(0.5, 1.2)
	}
	angle := s.between(-20, 20) * math.Pi / 180
	if s.chance(0.4) {
		angle /= 4
	}
	tall, widest := 0.0, 0.0
	for row := range rows {
		x, from := 0.0, len(s.digits)
		for range (n - from) / (rows - row) {
			d := newDigit(m, s.Rand)
			d.scale = s.between(0.85, 1.15) / max(d.h, d.w*0.8)
			d.x, d.y = x+(14-d.left)*d.scale, tall+(14-d.top-d.h)*d.scale+s.between(-0.08, 0.08)
			x += d.w*d.scale + gap*s.between(0.6, 1.4)
			s.digits = append(s.digits, d)
		}
		for i := from; i < len(s.digits); i++ {
			s.digits[i].x -= x / 2
		}
		widest = max(widest, x)
		tall += s.between(1.5, 2.2)
	}
	cos, sin := math.Cos(angle), math.Sin(angle)
	turnedW, turnedH := widest*cos+tall*math.Abs(sin), widest*math.Abs(sin)+tall*cos
	height = min(height, 0.8*s.W/turnedW, 0.8*s.H/turnedH)
	s.shiftX = s.between(-1, 1) * max(s.W/2-height*turnedW/2-0.06*s.W, 0)
	s.shiftY = s.between(-1, 1) * max(s.H/2-height*turnedH/2-0.06*s.H, 0)
	for i := range s.digits {
		d := &s.digits[i]
		d.x, d.y, d.scale = d.x*height, (d.y-tall/2+1.2)*height, d.scale*height
	}
	s.height, s.cos, s.sin = height, cos, sin
}

// choosePen chooses the strokes, and how light the paper or the board below them is.
func (s *scene) choosePen(pen string) {
	tints := [][3]float64{{1, 1, 1}, {1, 0.9, 0.45}, {0.35, 1, 1}, {1, 0.45, 0.9}}
	s.tint, s.ground = tints[0], s.between(0.6, 0.92)
	width := 0.0 // as a share of the height
	switch pen {
	case "ballpoint":
		width, s.darkness, s.grain, s.tint = s.between(0.035, 0.075), s.between(0.5, 0.85), 0.15, tints[s.IntN(4)]
	case "pencil":
		width, s.darkness, s.grain = s.between(0.03, 0.065), s.between(0.3, 0.6), 0.45
	case "marker":
		width, s.darkness, s.grain, s.tint = s.between(0.09, 0.17), s.between(0.65, 0.95), 0.1, tints[s.IntN(4)]
	case "chalkboard":
		width, s.darkness, s.grain, s.ground, s.chalk = s.between(0.06, 0.13), s.between(0.55, 0.95), 0.5, s.between(0.12, 0.35), true
	}
	s.asMNIST = (pen == "marker" || s.chalk) && s.chance(0.5)
	s.width = max(width*s.height, 1.4)
}

// choosePaper chooses the colour of the paper and its lines. A line may run through a digit.
func (s *scene) choosePaper(paper string) {
	s.paper, s.margin = paper, math.Inf(1)
	s.lineGap, s.lineDark = s.height*s.between(1, 1.6), s.between(0.08, 0.3)
	s.lineWidth = max(s.between(0.008, 0.02)*s.height, s.between(0.9, 1.5))
	if paper == "squares" {
		s.lineGap = s.height * s.between(0.45, 1.1)
	}
	if paper == "lines" && s.chance(0.6) {
		s.margin = -s.W * s.between(0.2, 0.4)
	}
	s.phase, s.lineTint = s.between(0, 1), [][3]float64{{1, 0.7, 0.3}, {1, 1, 1}, {0.6, 1, 1}}[s.IntN(3)]
	s.sheet = [3]float64{1, s.between(0.95, 1), s.between(0.8, 1)}
	if s.chalk {
		s.sheet = [3]float64{0.8, 1, 0.85}
	}
}

// chooseLight chooses a lamp, which lights one side more, the camera's noise, and maybe a shadow.
func (s *scene) chooseLight() {
	s.across, s.down, s.corners, s.noise = s.between(-0.25, 0.25), s.between(-0.25, 0.25), s.between(0, 0.25), s.between(0.004, 0.03)
	s.shadowSin, s.shadowCos = math.Sincos(s.between(0, 7))
	s.shadowAt, s.shadowWidth = s.between(-0.35, 0.35)*s.W, s.between(4, 80)
	if s.chance(0.4) {
		s.shadow = s.between(0.15, 0.45)
	}
}

// chooseSurroundings chooses how uneven everything is, and maybe a desk beyond the paper's edge and a
// thumb that holds the paper.
func (s *scene) chooseSurroundings() {
	s.clouds, s.wood = newNoise(s.Rand, 12), newNoise(s.Rand, 40)
	s.fine = newNoise(s.Rand, max(16, int(min(s.W, s.H)/2)))
	s.deskSin, s.deskCos = math.Sincos(s.between(0, 7))
	s.deskLight = s.between(0.15, 0.95)
	desk := s.chance(0.3)
	s.deskAt = 0.48*(s.W*math.Abs(s.deskCos)+s.H*math.Abs(s.deskSin)) - s.between(0.0, 0.1)*s.W
	if !desk {
		s.deskAt = math.Inf(1)
	}
	thumb := s.chance(0.2)
	s.thumbX, s.thumbY, s.thumbSize = float64(s.IntN(2))*s.W, s.H*s.between(0, 1), s.between(0.05, 0.13)*s.W
	s.thumbSkin = s.between(0.35, 0.85)
	if !thumb {
		s.thumbSize = 0
	}
}

// light is what reaches each pixel of the camera, in three colours. It finds the digits' boxes too.
func (s *scene) light() [][3]float64 {
	light := make([][3]float64, s.w*s.h)
	for y := range s.h {
		for x := range s.w {
			u, v := s.onPaper(float64(x)+0.5, float64(y)+0.5)
			clouds := s.clouds.at(float64(x)/s.W, float64(y)/s.H)
			c := s.page(u, v, s.ink(x, y, u, v), clouds)
			s.cover(&c, float64(x), float64(y))
			lamp := s.lamp(float64(x)-s.W/2, float64(y)-s.H/2)
			for k := range c {
				light[y*s.w+x][k] = c[k] * lamp
			}
		}
	}
	return light
}

// onPaper is the place on the paper that the camera sees at a place of the photograph.
func (s *scene) onPaper(x, y float64) (u, v float64) {
	x, y = x-s.W/2-s.shiftX, y-s.H/2-s.shiftY
	z := 1 + s.tiltX*x/s.W + s.tiltY*y/s.H
	x, y = x/z, y/z
	return s.cos*x + s.sin*y, -s.sin*x + s.cos*y + s.curl*x*x/s.W
}

// ink is how much of it is at pixel (x, y), place (u, v) of the paper. The box of a digit that covers
// more than half of the pixel grows to hold it.
func (s *scene) ink(x, y int, u, v float64) float64 {
	ink := 0.0
	for i := range s.digits {
		d := &s.digits[i]
		a, b := (u-d.x)/d.scale+14, (v-d.y)/d.scale+14
		if a < 0 || b < 0 || a > 28 || b > 28 {
			continue
		}
		cover := 0.5 + (s.width/2 - d.stroke.at(a, b)*d.scale)
		if s.asMNIST {
			cover = 0.5 + (bilinear(d.natural, a-0.5, b-0.5)-0.5)*d.scale/2
		}
		if cover = min(max(cover, 0), 1); cover > 0.5 {
			d.box = d.box.Union(image.Rect(x, y, x+1, y+1))
		}
		ink = max(ink, cover)
	}
	return ink * (s.darkness * (1 - s.grain*s.fine.at(u/s.W+0.5, v/s.H+0.5)))
}

// page is the colour of the paper or the board at place (u, v), with its lines and the ink.
func (s *scene) page(u, v, ink, clouds float64) (c [3]float64) {
	line := 0.0
	if s.paper != "" {
		line = stripe(v, s.lineGap, s.phase, s.lineWidth)
	}
	if s.paper == "squares" {
		line = max(line, stripe(u, s.lineGap, s.phase, s.lineWidth))
	}
	line *= s.lineDark
	margin := min(max(0.5+s.lineWidth/2-math.Abs(u-s.margin), 0), 1) * 1.3 * s.lineDark
	for k := range c {
		c[k] = s.ground * s.sheet[k] * (1 - 0.03*clouds)
		if s.chalk {
			c[k] *= 1 + 0.3*clouds
			c[k] += (1 - c[k]) * ink * (0.7 + 0.3*s.tint[k])
		} else {
			c[k] *= (1 - line*s.lineTint[k]) * (1 - margin*[3]float64{0.3, 1, 1}[k]) * (1 - ink*s.tint[k])
		}
	}
	return c
}

// cover changes colour c of pixel (x, y) to that of the desk or the thumb if one of them is there.
func (s *scene) cover(c *[3]float64, x, y float64) {
	if s.towardsDesk(x, y) > s.deskAt {
		for k := range c {
			c[k] = s.deskLight * (1 - 0.2*s.wood.at(y/s.H+3*x/s.W, x/s.W/8)) * [3]float64{1, 0.85, 0.7}[k]
		}
	}
	if r := s.fromThumb(x, y) / s.thumbSize; r < 1 {
		for k := range c {
			c[k] = s.thumbSkin * (1 - 0.4*r*r) * [3]float64{1, 0.75, 0.65}[k]
		}
	}
}

// towardsDesk is how far a pixel is from the middle in the direction of the desk.
func (s *scene) towardsDesk(x, y float64) float64 {
	return (x-s.W/2)*s.deskCos + (y-s.H/2)*s.deskSin
}

// fromThumb is how far a pixel is from the middle of the thumb, which is wider than high.
func (s *scene) fromThumb(x, y float64) float64 {
	return math.Hypot((x-s.thumbX)/1.6, y-s.thumbY)
}

// lamp is how much light falls on a place, counted from the middle of the photograph.
func (s *scene) lamp(x, y float64) float64 {
	lamp := (1 + s.across*x/s.W*2 + s.down*y/s.H*2) * (1 - s.corners*(x*x/s.W/s.W+y*y/s.H/s.H)*2)
	return lamp * (1 - s.shadow/(1+math.Exp(-(x*s.shadowCos+y*s.shadowSin-s.shadowAt)/s.shadowWidth*4)))
}

// hidden says whether a digit is not whole in the photograph: at its edge, or below desk or thumb.
func (s *scene) hidden() bool {
	for _, d := range s.digits {
		for _, p := range []image.Point{d.box.Min, d.box.Max, {d.box.Min.X, d.box.Max.Y}, {d.box.Max.X, d.box.Min.Y}} {
			x, y := float64(p.X), float64(p.Y)
			if s.towardsDesk(x, y) > s.deskAt-0.02*s.W || s.fromThumb(x, y) < s.thumbSize*1.15 || !p.In(image.Rect(3, 3, s.w-3, s.h-3)) {
				return true
			}
		}
	}
	return false
}

// develop is the camera: out of focus, with noise, held in one of eight orientations.
func (s *scene) develop(light [][3]float64) []byte {
	blurred(light, s.w, s.h, s.between(0, 1.4)*min(1, s.height/70))
	img := image.NewRGBA(image.Rect(0, 0, s.w, s.h))
	for i, c := range light {
		var p [3]uint8
		for k := range c {
			p[k] = uint8(255*min(max(c[k]+s.noise*s.NormFloat64(), 0), 1) + 0.5)
		}
		img.Set(i%s.w, i/s.w, color.RGBA{p[0], p[1], p[2], 255})
	}
	quality, held := 40, 1
	if s.chance(0.6) {
		quality = 60 + s.IntN(35)
	}
	if s.chance(0.4) {
		held = 2 + s.IntN(7)
	}
	return exif(img, held, quality)
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
