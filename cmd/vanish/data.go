// What data do that depth does not: one network on more and more digits, which are taken
// as they are, normalised, deformed, or both; and pictures of what becomes of them.

package main

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"

	"mlp"
	"mlp/cmd/internal/files"
)

// A way is a network and what is done to its digits.
type way struct {
	name           string
	hidden         []int
	deskew, deform bool
}

func (w way) String() string { return w.name }

var ways = [...]way{
	{"plain", []int{256, 128}, false, false},
	{"twice as deep", []int{256, 256, 128, 128}, false, false},
	{"deskewed", []int{256, 128}, true, false},
	{"deformed", []int{256, 128}, false, true},
	{"both", []int{256, 128}, true, true},
}

const (
	plain, deeper, both = 0, 1, len(ways) - 1 // among ways
	dataRate, dataBatch = 0.002, 128
)

// A cohort is the networks of all ways that are trained on as many digits, the first ones,
// and for as many epochs.
type cohort struct {
	digits, epochs int
	by             [len(ways)]outcome
}

// cohorts are those of an experiment with many digits. The fewer digits, the more epochs, so
// that each network sees as many images.
var cohorts = []cohort{{digits: 500, epochs: 320}, {digits: 1000, epochs: 160}, {digits: 4000, epochs: 40}}

// cohortsOf returns the cohorts for which there are enough digits and, if there are more,
// one of all of them.
func cohortsOf(digits int) (all []cohort) {
	for _, c := range cohorts {
		if c.digits <= digits {
			all = append(all, c)
		}
	}
	if last := all[len(all)-1]; last.digits < digits {
		all = append(all, cohort{digits: digits, epochs: last.epochs})
	}
	return all
}

func data(l *lab) (*mlp.Figure, error) {
	all := cohortsOf(l.train.Len())
	last := &all[len(all)-1]
	images := 0
	for _, c := range all {
		images += len(ways) * c.digits * c.epochs
	}
	l.start("data", images)
	deskewedTrain, deskewedTest := l.train.Deskew(), l.test.Deskew()
	err := l.each(len(all)*len(ways), func(i int) (err error) {
		c, w := &all[i/len(ways)], ways[i%len(ways)]
		train, test := l.train, l.test
		if w.deskew {
			train, test = deskewedTrain, deskewedTest
		}
		part := train.Slice(0, c.digits)
		part, test = standardized(part.StatsOfAll(), part, test)
		var samples mlp.Dataset = part
		if w.deform {
			if samples, err = part.Deform(mlp.UsualDeformation, l.seed, c.epochs); err != nil {
				return err
			}
		}
		config := mlp.Config{Optimizer: mlp.Adam, Rate: dataRate, Schedule: mlp.Warmup(0.1, mlp.Cosine), Epochs: c.epochs,
			Batch: dataBatch, Measure: c.epochs}
		if c == last {
			config.Test = test
		}
		net := beginning{init: mlp.He, norm: true}.network(l.seed, mlp.ReLU, w.hidden...)
		if c.by[i%len(ways)], err = l.learn(net, samples, test, config, c.digits); err != nil {
			err = fmt.Errorf("%s, %d digits: %w", w.name, c.digits, err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	l.printf("data: 784-256-128-10, twice as deep 784-256-256-128-128-10, relu, he + batch norm, batches of %d, adam\n",
		dataBatch)
	l.printf("rate %v with a warm-up and a cosine, pixels standardized by one mean and deviation\n\n", dataRate)
	l.pictures = append(l.pictures, files.File{Name: deformedName, Content: l.deformedDigits(last.epochs)})
	return l.showData(all), nil
}

// showData prints and draws the accuracies at the end of training, by the number of digits,
// and on the most digits after some of the epochs. The sentences count the errors.
func (l *lab) showData(all []cohort) *mlp.Figure {
	last, tested := &all[len(all)-1], l.test.Len()
	onTraining := func(n *outcome) float64 { return n.history[len(n.history)-1].Metric } // which is not deformed for that
	var sizes, sentences []string
	var digits []float64
	for _, c := range all {
		for _, n := range c.by {
			l.record(n.accuracy, onTraining(&n))
			l.hash.Write([]byte(n.weights))
		}
		digits = append(digits, float64(c.digits))
		sizes = append(sizes, fmt.Sprintf("%6d  %6d", c.digits, c.epochs))
		sentences = append(sentences, fmt.Sprintf("Errors in %d test digits after training on %d: %s.", tested, c.digits,
			list(ways[:], func(way int) string {
				return fmt.Sprintf("%.0f", math.Round((1-c.by[way].accuracy)*float64(tested)))
			})))
	}
	l.printf("accuracy on %d test digits · on the training digits\n\n", tested)
	table(l, "digits  epochs", sizes, ways[:], 15, func(row, way int) string {
		n := &all[row].by[way]
		return fmt.Sprintf("%.4f · %.4f", n.accuracy, onTraining(n))
	})

	var epochs []float64 // 1, 2, 4 and so on, and the last
	var heads []string
	for n := 1; n < 2*last.epochs; n *= 2 {
		epochs = append(epochs, float64(min(n, last.epochs)))
		heads = append(heads, fmt.Sprintf("%5d", min(n, last.epochs)))
	}
	after := func(way, i int) float64 { return last.by[way].history[int(epochs[i])-1].TestMetric }
	l.printf("%d digits: accuracy on the test digits\n\n", last.digits)
	table(l, "epoch", heads, ways[:], 15, func(row, way int) string { return fmt.Sprintf("%.4f", after(way, row)) })
	for _, n := range last.by {
		for _, e := range n.history {
			l.record(e.TestMetric)
		}
	}

	p := last.by[plain].accuracy
	sentences = append(sentences, fmt.Sprintf("With %d digits, plain makes %s as many errors as both and %s as many "+
		"as twice as deep; its accuracy has a standard error of %.4f.",
		last.digits, last.ratio(both), last.ratio(deeper), math.Sqrt(float64(p*(1-p))/float64(tested))))
	return &mlp.Figure{Title: "What data do that depth does not", SameY: true, Charts: []mlp.Chart{
		{Title: "By the number of training digits", XLabel: "Training digits", YLabel: "Test accuracy", LogX: true,
			Series: lines(ways[:], len(all), digits, func(way, i int) float64 { return all[i].by[way].accuracy })},
		{Title: fmt.Sprintf("By epoch, with %d digits", last.digits), XLabel: "Epoch", YLabel: "Test accuracy", LogX: true,
			Series: lines(ways[:], len(epochs), epochs, after)},
	}, Caption: strings.Join(sentences, "\n")}
}

// ratio says how many times the errors of a way plain makes.
func (c *cohort) ratio(way int) string {
	if c.by[way].accuracy == 1 {
		return "infinitely"
	}
	return fmt.Sprintf("%.1f times", (1-c.by[plain].accuracy)/(1-c.by[way].accuracy))
}

const deformedName = "deformed.svg"

// This sheet has 18 digits in three bands below its head, and in each band a row for each
// version of a digit. Lengths are in CSS pixels.
const (
	bands       = 3
	bandDigits  = 6
	digitSide   = 28 // pixels of a digit
	digitSize   = 2  // of each of a digit's pixels
	tile        = 70 // a digit and a gap
	labelWidth  = 102
	sheetMargin = 16
	sheetHead   = 70
	bandGap     = 16
)

// sheetStart is the sheet up to the first picture. It takes the width, the height and the
// number of digits. Its colours are those of the package's charts.
const sheetStart = `<svg xmlns="http://www.w3.org/2000/svg" class="pictures" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img" aria-labelledby="title-deformed desc-deformed">
<title id="title-deformed">What the network sees</title>
<desc id="desc-deformed">The first %[3]d training digits: as they are, deskewed, and then deformed anew in each epoch.</desc>
<style>
.pictures{max-width:100%%;height:auto;font:13px "Helvetica Neue",Helvetica,Arial,sans-serif}
.bg{fill:#fff}.pictures text{fill:#1c2126}.pictures .dim{fill:#59636e}
.head{font-size:17px;font-weight:600}
.paper{fill:#f3f5f7}.ink path{fill:none;stroke:#1c2126}.i1{opacity:.2}.i2{opacity:.4}.i3{opacity:.6}.i4{opacity:.8}
@media (prefers-color-scheme:dark){
.bg{fill:#14171b}.pictures text{fill:#e8eaed}.pictures .dim{fill:#a4adb7}
.paper{fill:#1d2126}.ink path{stroke:#e8eaed}
}
</style>
<rect class="bg" width="100%%" height="100%%"/>
<text class="head" x="16" y="33">What the network sees</text>
<text class="dim" x="16" y="52">%[3]d training digits as they are, deskewed, and deformed anew in each epoch</text>
`

// deformedDigits returns the sheet of the first training digits. The deformed ones are
// those of the first two of so many epochs.
func (l *lab) deformedDigits(epochs int) []byte {
	digits := l.train.Slice(0, min(bands*bandDigits, l.train.Len()))
	deskewed := digits.Deskew()
	type version struct {
		label  string
		pixels []byte
	}
	rows := []version{{"as it is", digits.Images}, {"deskewed", deskewed.Images}}
	deformed, err := deskewed.Deform(mlp.UsualDeformation, l.seed, epochs)
	if err != nil {
		panic(err) // the usual amounts are in their ranges
	}
	for epoch := 1; epoch <= 2; epoch++ {
		x := mlp.SamplesOf(deformed.Epoch(epoch)).X
		pixels := make([]byte, len(x.Data))
		for i, v := range x.Data {
			pixels[i] = byte(math.Round(v * 255))
		}
		rows = append(rows, version{fmt.Sprintf("in epoch %d", epoch), pixels})
	}
	bandHeight := len(rows)*tile + bandGap
	b := new(bytes.Buffer)
	fmt.Fprintf(b, sheetStart, 2*sheetMargin+labelWidth+bandDigits*tile-(tile-digitSize*digitSide), sheetHead+bands*bandHeight, digits.Len())
	for band := range bands {
		for r, row := range rows {
			y := sheetHead + band*bandHeight + r*tile
			fmt.Fprintf(b, "<text class=\"dim\" x=\"%d\" y=\"%d\">%s</text>\n", sheetMargin, y+digitSize*digitSide/2+4, row.label)
			for i := band * bandDigits; i < min((band+1)*bandDigits, digits.Len()); i++ {
				drawDigit(b, row.pixels[i*mlp.MNISTPixels:][:mlp.MNISTPixels], sheetMargin+labelWidth+i%bandDigits*tile, y)
			}
		}
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// shades is how many shades of ink there are, with the classes i1, i2 and so on.
const shades = 5

// drawDigit draws a digit's pixels, with its top left corner at (x, y). The pixels of a shade
// are strokes from left to right, in a path that begins in the middle of the first row's
// left edge.
func drawDigit(b io.Writer, pixels []byte, x, y int) {
	fmt.Fprintf(b, "<g class=\"ink\" transform=\"translate(%d %d) scale(%d)\" shape-rendering=\"crispEdges\"><rect class=\"paper\" width=\"%[4]d\" height=\"%[4]d\"/>\n",
		x, y, digitSize, digitSide)
	for shade := 1; shade <= shades; shade++ {
		var path []byte
		fromX, fromY := 0, 0
		for i := 0; i < len(pixels); i++ {
			begin := i
			for i < len(pixels) && i/digitSide == begin/digitSide && (int(pixels[i])*shades+127)/255 == shade {
				i++
			}
			if i > begin {
				path = fmt.Appendf(path, "m%d %dh%d", begin%digitSide-fromX, begin/digitSide-fromY, i-begin)
				fromX, fromY = begin%digitSide+i-begin, begin/digitSide
				i--
			}
		}
		if len(path) > 0 {
			fmt.Fprintf(b, "<path class=\"i%d\" d=\"M0 .5%s\"/>\n", shade, path)
		}
	}
	io.WriteString(b, "</g>\n")
}
