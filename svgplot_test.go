// Tests of the charts: figures are read back as XML and searched for texts, lines and marks and
// for their places, and ticks are compared with those chosen by hand.

package mlp

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var nan, inf = math.NaN(), math.Inf(1)

// drawnText is a text element and its box, in pixels of the whole figure.
type drawnText struct {
	s                      string
	left, top, right, base float64
}

// picture is what the tests look at in an SVG file.
type picture struct {
	width, height float64
	title, desc   string
	texts         []drawnText
	lines         []string     // the paths of the series, without the legend
	values        []string     // what the pointer is told
	uses          [][2]float64 // the marks of the series, without the legend and those that only the pointer shows, in pixels of their plot
}

// readSVG reads a figure. It fails the test unless svg is well-formed XML and all of its
// numbers are finite.
func readSVG(t testing.TB, svg []byte) (d picture) {
	t.Helper()
	if regexp.MustCompile(`="[^"]*(NaN|Inf)`).Match(svg) {
		t.Fatalf("a number that is not finite in\n%s", svg)
	}
	dec := xml.NewDecoder(bytes.NewReader(svg))
	type group struct {
		x, y   float64
		turned bool
		name   xml.StartElement
	}
	stack := []group{{}}
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			return d
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, svg)
		}
		top := stack[len(stack)-1]
		switch e := tok.(type) {
		case xml.StartElement:
			g := group{top.x, top.y, top.turned, e.Copy()}
			if n, _ := fmt.Sscanf(attr(e, "transform"), "translate(%g %g)", &g.x, &g.y); n == 2 {
				g.x, g.y = g.x+top.x, g.y+top.y
			}
			g.turned = g.turned || strings.Contains(attr(e, "transform"), "rotate")
			inPanel := g.x != 0
			switch {
			case e.Name.Local == "svg":
				d.width, d.height = number(t, e, "width"), number(t, e, "height")
			case inPanel && strings.HasPrefix(attr(e, "class"), "line"):
				d.lines = append(d.lines, attr(e, "d"))
			case inPanel && e.Name.Local == "use" && attr(e, "x") != "" && attr(e, "class") != "hover":
				d.uses = append(d.uses, [2]float64{number(t, e, "x"), number(t, e, "y")})
			}
			stack = append(stack, g)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			switch top.name.Name.Local {
			case "title":
				if len(stack) > 3 {
					d.values = append(d.values, string(e))
				} else {
					d.title += string(e)
				}
			case "desc":
				d.desc += string(e)
			case "text":
				x, y, class := number(t, top.name, "x"), number(t, top.name, "y"), attr(top.name, "class")
				d.texts = append(d.texts, textBox(string(e), class, x, y, top.x, top.y, top.turned))
			}
		}
	}
}

// textBox returns the box of a text element of this class at (x, y), in a group that
// is at (dx, dy) and may be turned to read upwards.
func textBox(s, class string, x, y, dx, dy float64, turned bool) drawnText {
	size := labelSize
	for c, n := range map[string]int{"tick": tickSize, "title": titleSize, "head": headSize} {
		if strings.Contains(class, c) {
			size = n
		}
	}
	w := textWidth(s, size)
	switch {
	case strings.Contains(class, "mid"):
		x -= w / 2
	case strings.Contains(class, "end"):
		x -= w
	}
	high := 0.8 * float64(size)
	if turned {
		return drawnText{s, dx - high, dy - x - w, dx, dy - x}
	}
	return drawnText{s, dx + x, dy + y - high, dx + x + w, dy + y}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func number(t testing.TB, e xml.StartElement, name string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(attr(e, name), 64)
	if err != nil {
		t.Fatalf("%s of %s: %v", name, e.Name.Local, err)
	}
	return v
}

// checkLabels fails the test if a label is cut off or touches another.
func checkLabels(t testing.TB, d picture) {
	t.Helper()
	for i, a := range d.texts {
		if a.left < 0 || a.top < 0 || a.right > d.width || a.base > d.height {
			t.Errorf("%q is cut off: %+v in %v×%v", a.s, a, d.width, d.height)
		}
		for _, b := range d.texts[:i] {
			if a.left < b.right && b.left < a.right && a.top < b.base && b.top < a.base {
				t.Errorf("%q and %q touch: %+v %+v", a.s, b.s, a, b)
			}
		}
	}
}

func oneChart(c Chart) *Figure { return &Figure{Title: "t", Desc: "d", Charts: []Chart{c}} }

func line(y ...float64) Chart { return Chart{Series: []Series{{Name: "s", Y: y}}} }

func logLine(y ...float64) Chart {
	c := line(y...)
	c.LogY = true
	return c
}

func articleFigure() *Figure {
	var loss, accuracy []float64
	for i := range 20 {
		loss = append(loss, 2.24/float64(1+i)+0.05)
		accuracy = append(accuracy, 0.94-0.7/float64(1+i))
	}
	return &Figure{Title: "Training", Desc: "Loss falls, accuracy rises.", Charts: []Chart{
		{Title: "Training loss", XLabel: "epoch", YLabel: "cross-entropy (nats)", Series: []Series{{Name: "training set", Y: loss}}},
		{Title: "Test accuracy", XLabel: "epoch", YLabel: "fraction correct", Series: []Series{{Name: "test set", Y: accuracy}}},
	}}
}

func TestSVGGolden(t *testing.T) {
	const name = "testdata/svg/article.svg"
	svg := articleFigure().SVG()
	if string(svg) != readText(t, name) {
		t.Errorf("the article's figure is not %s byte for byte:\n%s", name, svg)
	}
	if again := articleFigure().SVG(); !bytes.Equal(svg, again) {
		t.Error("the same figure gave other bytes")
	}
	d := readSVG(t, svg)
	checkLabels(t, d)
	if d.title != "Training" || d.desc != "Loss falls, accuracy rises." {
		t.Errorf("title %q, desc %q", d.title, d.desc)
	}
	for _, want := range []string{`role="img"`, `aria-labelledby="title-`, `id="title-`, `id="desc-`, "@media (prefers-color-scheme:dark)"} {
		if !bytes.Contains(svg, []byte(want)) {
			t.Errorf("no %s", want)
		}
	}
	for _, want := range []string{"Training loss", "Test accuracy", "epoch", "fraction correct", "test set", "0.2", "2.5", "20"} {
		if !slices.ContainsFunc(d.texts, func(x drawnText) bool { return x.s == want }) {
			t.Errorf("no text %q in %+v", want, d.texts)
		}
	}
	if len(d.lines) != 2 || len(d.uses) != 40 {
		t.Errorf("%d lines and %d marks, want 2 and 40", len(d.lines), len(d.uses))
	}
}

func TestSVGStyles(t *testing.T) {
	seen := map[string]int{}
	for i := range colours * dashes {
		var d drawing
		d.drawLine(i, []point{{x: 0}, {x: 1, y: 1}})
		fmt.Fprint(&d, i%colours)
		if j, ok := seen[d.String()]; ok {
			t.Errorf("series %d and %d look alike", i, j)
		}
		seen[d.String()] = i
	}
	for i := range colours {
		if n := strings.Count(plotStart, fmt.Sprintf(".s%d{", i)); n != 2 {
			t.Errorf("colour %d is set %d times, want once for light and once for dark", i, n)
		}
	}
	f := &Figure{Columns: 2, Charts: []Chart{
		{Series: []Series{{Name: "a", Y: []float64{1, 2}}, {Name: "b", Y: []float64{2, 1}}}},
		{Series: []Series{{Name: "b", Y: []float64{2, 1}}}},
	}}
	if n := strings.Count(string(f.SVG()), `class="line d1"`); n != 2 {
		t.Errorf("b is drawn in its style %d times, want in two charts", n)
	}
}

func TestSVGEscapes(t *testing.T) {
	hostile := "<script><id>&\"'\x00\x1b]]>\xff\uFFFE\n--><!--"
	want := "<script><id>&\"']]>\uFFFD\n--><!--"
	c := Chart{Title: hostile, XLabel: hostile, YLabel: hostile,
		Series: []Series{{Name: hostile, Y: []float64{1, 2}}}, Guides: []Guide{{hostile, 1}}}
	f := &Figure{Title: hostile, Desc: hostile, Charts: []Chart{c}}
	d := readSVG(t, f.SVG())
	if d.title != want || d.desc != want {
		t.Errorf("title %q, desc %q, want %q", d.title, d.desc, want)
	}
	n := 0
	for _, x := range d.texts {
		if strings.HasPrefix(x.s, "<script>") {
			n++
		}
	}
	if n != 6 {
		t.Errorf("%d texts, want head, title, two axes, legend and guide", n)
	}
}

func TestSVGGaps(t *testing.T) {
	dense := make([]float64, 500)
	dense[249], dense[251] = nan, nan
	for _, tt := range []struct {
		name         string
		chart        Chart
		lines, marks int
	}{
		{"no gap", line(1, 2, 3), 1, 3},
		{"gap", line(1, 2, nan, 3, 4), 2, 4},
		{"lone point", line(1, 2, inf, 3, -inf, 4, 5), 2, 5},
		{"only lone points", line(nan, 1, nan, 2, nan), 0, 2},
		{"one point", line(7), 0, 1},
		{"nothing", line(), 0, 0},
		{"not a number", line(nan, nan), 0, 0},
		{"zero on a linear axis", line(1, 0, -1, 2), 1, 4},
		{"zero on a log axis", logLine(1, 10, 0, -1, 2, 3), 2, 4},
		{"too large for a linear axis", line(1, 2, math.MaxFloat64, 2, 1), 2, 4},
		{"lone point of a dense line, which alone has a mark", line(dense...), 2, 1},
		{"shorter X", Chart{Series: []Series{{X: []float64{1, 2}, Y: []float64{1, 2, 3}}}}, 1, 2},
	} {
		d := readSVG(t, oneChart(tt.chart).SVG())
		if len(d.lines) != tt.lines || len(d.uses) != tt.marks {
			t.Errorf("%s: %d lines and %d marks, want %d and %d", tt.name, len(d.lines), len(d.uses), tt.lines, tt.marks)
		}
	}
}

func TestSVGExtremes(t *testing.T) {
	const big, tiny = math.MaxFloat64, math.SmallestNonzeroFloat64
	for i, y := range [][]float64{
		{-big, big}, {big, big}, {tiny, 2 * tiny}, {-tiny, big}, {1e-300, 1e300}, {-1e300, 1e300},
		{0, 0}, {1, 1}, {-5, -5}, {1, math.Nextafter(1, 2)}, {1e15, 1e15 + 1}, {1e-5, 3e-5}, {nan}, {inf, -inf},
		{123456, 123457}, {0, 1e6}, {-1e-9, 1e9}, {0.3, 0.7},
	} {
		for _, log := range []bool{false, true} {
			c := Chart{Title: "t", XLabel: "x", YLabel: "y", LogX: log, LogY: log, Guides: []Guide{{"guide", y[0]}, {"other", y[0]}}}
			c.Series = []Series{{Name: "s", X: y, Y: y}}
			for columns := range 5 {
				f := &Figure{Title: "t", Columns: columns, SameY: columns%2 == 0, Charts: []Chart{c, c, c, c, line(1, 2)}}
				d := readSVG(t, f.SVG())
				checkLabels(t, d)
				if n := len(d.texts); n > 5*30 {
					t.Errorf("case %d: %d texts", i, n)
				}
			}
		}
	}
	readSVG(t, new(Figure).SVG())
	readSVG(t, oneChart(Chart{}).SVG())
	wide := Chart{Title: "t", XLabel: "x", YLabel: "y", Series: []Series{{Y: []float64{10000, 90000}}}, Guides: []Guide{{"half way", 5e4}}}
	checkLabels(t, readSVG(t, (&Figure{Charts: []Chart{wide, line(1, 2)}}).SVG()))
}

func TestSVGManyLabels(t *testing.T) {
	long := strings.Repeat("a long name ", 40)
	c := Chart{Title: long, XLabel: long, YLabel: long}
	for i := range 30 {
		c.Series = append(c.Series, Series{Name: fmt.Sprint("series number ", i), Y: []float64{1, 2}})
		c.Guides = append(c.Guides, Guide{long, float64(i)})
	}
	c.Series = append(c.Series, Series{Name: long})
	for columns := range 5 {
		f := &Figure{Title: long, Caption: long + "\n" + strings.Repeat("x", 500), Columns: columns, Charts: []Chart{c, c, c, c}}
		checkLabels(t, readSVG(t, f.SVG()))
	}
}

func TestSVGCaption(t *testing.T) {
	f := &Figure{Caption: "First.\n" + strings.Repeat("word ", 58) + "last", Charts: []Chart{line(1, 2)}}
	d := readSVG(t, f.SVG())
	checkLabels(t, d)
	var lines []string
	for _, x := range d.texts {
		if strings.Contains(x.s, "word") || x.s == "First." {
			lines = append(lines, x.s)
		}
	}
	if len(lines) < 4 || lines[0] != "First." || strings.Join(lines[1:], " ") != strings.Repeat("word ", 58)+"last" {
		t.Errorf("the caption is %q", lines)
	}
	if d.desc != f.Caption {
		t.Errorf("the description is %q", d.desc)
	}
}

func TestSVGSameY(t *testing.T) {
	f := &Figure{Charts: []Chart{line(1, 10), line(1, 1000), line(2, 20), line(1, 10)}}
	top := func(i int) float64 { return readSVG(t, f.SVG()).uses[2*i+1][1] } // where the second point of chart i is
	if top(0) != top(1) {
		t.Errorf("10 is at %v and 1000 at %v on axes of their own", top(0), top(1))
	}
	f.SameY = true
	if uses := readSVG(t, f.SVG()).uses; uses[0][1] != uses[2][1] || top(0) <= top(1) {
		t.Errorf("1 is at %v and %v, 10 at %v and 1000 at %v on one axis", uses[0][1], uses[2][1], top(0), top(1))
	}
	f.Charts[1].LogY = true
	if uses := readSVG(t, f.SVG()).uses; uses[2][1] != 190 || uses[3][1] != 0 || uses[5][1] >= uses[7][1] {
		t.Errorf("with a log axis in another chart: %v", uses)
	}
}

// A line is named at its end, from the top down in the order of the ends, and a thin line leads there. If
// the lines are too many, or a name is too long, the legend names all of the chart, each once.
func TestSVGNames(t *testing.T) {
	lines := func(names ...string) (c Chart) {
		for i, name := range names {
			c.Series = append(c.Series, Series{Name: name, Y: []float64{float64(-i), float64(i)}})
		}
		return c
	}
	many := strings.Fields("a b c d e f g h i j k l m")
	long := strings.Repeat("long name ", 3)
	scatter := Chart{Series: []Series{{Name: "a", Y: []float64{1, 2}, Points: true}, {Name: "b", Y: []float64{1, 1}}}}
	for _, test := range []struct {
		charts    []Chart
		columns   int
		ends, top string // the names beside the plots, and in the legend
	}{
		{[]Chart{lines("a", "b", "c")}, 1, "c b a", ""},
		{[]Chart{lines("a", ""), lines("c", "a")}, 2, "a a c", ""},
		{[]Chart{lines(many[:12]...)}, 1, "l k j i h g f e d c b a", ""},
		{[]Chart{lines(many...)}, 1, "", "a b c d e f g h i j k l m"},
		{[]Chart{lines(many...), lines("a", "n")}, 1, "n a", "a b c d e f g h i j k l m"},
		{[]Chart{lines("a", long)}, 1, "", "a " + long},
		{[]Chart{scatter}, 1, "b", "a"},
	} {
		svg := (&Figure{Columns: test.columns, Charts: test.charts}).SVG()
		d := readSVG(t, svg)
		checkLabels(t, d)
		head, _, _ := strings.Cut(string(svg), "<g transform")
		name := regexp.MustCompile(`class="name"[^>]*>([^<]*)<`)
		texts := func(svg string) string {
			var all []string
			for _, m := range name.FindAllStringSubmatch(svg, -1) {
				all = append(all, m[1])
			}
			return strings.Join(all, " ")
		}
		if got := texts(head); got != test.top {
			t.Errorf("the legend has %q, want %q", got, test.top)
		}
		if got := texts(string(svg[len(head):])); got != test.ends {
			t.Errorf("at the ends stands %q, want %q", got, test.ends)
		}
	}
	svg := string(oneChart(lines("a", "b")).SVG())
	for i := range 2 {
		end := regexp.MustCompile(fmt.Sprintf(`class="line d%d" d="M\S+ \S+ (\S+) (\S+) "`, i)).FindStringSubmatch(svg)
		if !strings.Contains(svg, fmt.Sprintf(`<g class="s%d"><path class="lead" d="M%s %sL`, i, end[1], end[2])) {
			t.Errorf("nothing leads from the end of line %d, %v, to its name", i, end)
		}
	}
}

// A point says its name and its numbers to the pointer. On a line that has no space for marks, points say so at
// places that are apart, and cannot be seen before.
func TestSVGHover(t *testing.T) {
	c := Chart{XLabel: "epoch", Series: []Series{{Name: "loss", X: []float64{1, 2, 1e6}, Y: []float64{-1234.5678, 0, 2.5e-12}}, {Y: []float64{0.1}}}}
	want := []string{"loss, epoch 1: −1,235", "loss, epoch 2: 0", "loss, epoch 1,000,000: 2.5·10⁻¹²", "epoch 1: 0.1"}
	if d := readSVG(t, oneChart(c).SVG()); !slices.Equal(d.values, want) {
		t.Errorf("the points say %q, want %q", d.values, want)
	}
	svg := oneChart(line(make([]float64, 500)...)).SVG()
	d := readSVG(t, svg)
	if n := bytes.Count(svg, []byte(`class="hover"`)); n < 30 || n > 40 || n != len(d.values) || len(d.uses) != 0 {
		t.Errorf("%d places, %d texts and %d marks of a long line", n, len(d.values), len(d.uses))
	}
}

// In a window of 380 pixels all text is at least nine pixels high.
func TestSVGLegible(t *testing.T) {
	for columns := range 5 {
		svg := (&Figure{Columns: columns, Charts: []Chart{line(1, 2), line(1, 2), line(1, 2)}}).SVG()
		width := readSVG(t, svg).width
		for _, m := range regexp.MustCompile(`font(?:-size)?:([0-9.]+)px`).FindAllSubmatch(svg, -1) {
			if size, _ := strconv.ParseFloat(string(m[1]), 64); size*380/width < 9 {
				t.Errorf("text of %s pixels in a figure %v wide", m[1], width)
			}
		}
	}
}

// A series without a name has a colour that no other has.
func TestSVGUnnamed(t *testing.T) {
	var c Chart
	for i := range 2 * colours {
		c.Series = append(c.Series, Series{Name: fmt.Sprint(i), Y: []float64{1, 2}})
	}
	c.Series = append(c.Series, Series{Y: []float64{1, 2}})
	if n := strings.Count(string(oneChart(c).SVG()), `<g class="s-1">`); n != 1 {
		t.Errorf("%d series have the colour of the text, want 1", n)
	}
}

func TestSVGGuide(t *testing.T) {
	c := logLine(1e-5, 1e-3, 1)
	c.Guides = []Guide{{"small", 1e-3}, {"none", 0}, {"none", nan}}
	svg := oneChart(c).SVG()
	d := readSVG(t, svg)
	m := regexp.MustCompile(`class="guide" d="M0 ([0-9.]+)H`).FindAllSubmatch(svg, -1)
	if len(m) != 1 || string(m[0][1]) != pixel(d.uses[1][1]) {
		t.Errorf("guides at %s, want one at the point of its height, %v", m, d.uses[1][1])
	}
}

func TestSVGLogAxis(t *testing.T) {
	d := readSVG(t, oneChart(logLine(1e-4, 1e-3, 1e-2, 1e-1, 1)).SVG())
	if len(d.uses) != 5 {
		t.Fatalf("%d marks, want 5", len(d.uses))
	}
	for i := 2; i < 5; i++ {
		if a, b := d.uses[i-1][1]-d.uses[i][1], d.uses[1][1]-d.uses[0][1]; math.Abs(a+b) > 0.02 || a <= 0 {
			t.Errorf("decade %d is %v px high, the first %v", i, a, -b)
		}
	}
}

// A long series is drawn with few points, but a peak and a trough of one point each
// are among them.
func TestSVGThins(t *testing.T) {
	y := make([]float64, 100_000)
	for i := range y {
		y[i] = math.Sin(float64(i)) / 2
	}
	y[31_234], y[77_777] = 9, -9
	svg := oneChart(line(y...)).SVG()
	if len(svg) > 60_000 {
		t.Errorf("%d bytes for a long series", len(svg))
	}
	d := readSVG(t, svg)
	if len(d.lines) != 1 {
		t.Fatalf("%d lines, want 1", len(d.lines))
	}
	lo, hi := inf, -inf
	for _, m := range regexp.MustCompile(`[M ]\S+ (\S+)`).FindAllStringSubmatch(d.lines[0], -1) {
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	if want := 190 * 0.05; math.Abs(lo-want) > 0.02 || math.Abs(hi-(190-want)) > 0.02 {
		t.Errorf("the line spans %v to %v px, want %v to %v", lo, hi, want, 190-want)
	}
	for i := range y {
		if i%2 == 0 {
			y[i] = nan
		}
	}
	if n := len(oneChart(line(y...)).SVG()); n > 120_000 {
		t.Errorf("%d bytes for a long series with as many gaps", n)
	}
}

func TestThin(t *testing.T) {
	points := func(xy ...float64) (piece []point) {
		for i := 0; i < len(xy); i += 2 {
			piece = append(piece, point{x: xy[i], y: xy[i+1]})
		}
		return piece
	}
	piece := points(0, 5, 0.1, 9, 0.2, 7, 0.3, 1, 0.4, 2, 0.5, 4, 1, 3, 2, 3, 2.5, 3, 3, 2, 3.1, 1, 3.2, 5, 3.3, 1, 3.4, 5, 3.5, 3)
	want := points(0, 5, 0.1, 9, 0.3, 1, 0.5, 4, 1, 3, 2, 3, 2.5, 3, 3, 2, 3.1, 1, 3.2, 5, 3.5, 3)
	var got []point
	for _, p := range piece {
		got = thin(append(got, p))
	}
	if !slices.Equal(got, want) {
		t.Errorf("thin: %v, want %v", got, want)
	}
}

// Points have marks and no line, however many there are, also in the legend; those in one
// pixel are drawn once.
func TestSVGPoints(t *testing.T) {
	var x, y []float64
	for i := range 500 {
		x, y = append(x, float64(i*7%500)), append(y, float64(i*11%500))
	}
	f := &Figure{Charts: []Chart{{Series: []Series{
		{Name: "measured", X: append(x, x...), Y: append(y, y...), Points: true},
		{Name: "fitted", X: []float64{0, 500}, Y: []float64{0, 500}},
	}}}}
	svg := string(f.SVG())
	if d := readSVG(t, f.SVG()); len(d.lines) != 1 || len(d.uses) < 450 || len(d.uses) > 502 {
		t.Errorf("%d lines and %d marks, want a line and about 500 marks", len(d.lines), len(d.uses))
	}
	head, _, _ := strings.Cut(svg, "<g transform")
	if line, mark := strings.Count(head, `class="line d0"`), strings.Count(head, `href="#m0-`); line != 0 || mark != 1 {
		t.Errorf("the legend shows points by %d lines and %d marks", line, mark)
	}
}

// With Equal a unit has as many pixels along x as along y, whatever the shape of the data, and all
// points lie in the plot.
func TestSVGEqual(t *testing.T) {
	for _, size := range [][2]float64{{1, 1}, {1, 3}, {3, 1}, {1, 1000}, {1000, 1}, {0, 0}, {1e-300, 1e300}, {1e300, 1e-300}} {
		for columns := range 4 {
			c := Chart{Title: "t", XLabel: "x", YLabel: "y", Equal: true,
				Series: []Series{{X: []float64{-size[0], size[0]}, Y: []float64{-size[1], size[1]}, Points: true}}}
			f := &Figure{Columns: columns, Height: 300, Charts: []Chart{c, c, c}}
			checkLabels(t, readSVG(t, f.SVG()))
			d := f.layout()
			for _, p := range d.panels {
				x, y := (p.x.to-p.x.from)/(p.x.hi-p.x.lo), p.height/(p.y.hi-p.y.lo)
				if math.Abs(x/y-1) > 1e-9 && min(p.width, p.height) > 1e-9 {
					t.Errorf("%v in %d columns: a unit is %v pixels long along x, %v along y", size, columns, x, y)
				}
				a, b := p.x.pixel(-size[0]), p.x.pixel(size[0])
				if size[0] == size[1] && size[0] > 0 && (p.width != p.height || p.x.lo != p.y.lo) {
					t.Errorf("%v in %d columns: %v×%v is no square", size, columns, p.width, d.plotH)
				}
				if !(a >= -1e-6 && b <= p.width+1e-6 && p.width <= d.plotW+1e-9 && p.y.pixel(size[1]) > -1e-6) {
					t.Errorf("%v in %d columns: x from %v to %v of %v", size, columns, a, b, p.width)
				}
			}
		}
	}
	if h := (&Figure{Height: 300, Charts: []Chart{line(1, 2)}}).layout().plotH; h != 300 {
		t.Errorf("the plot is %v pixels high, want 300", h)
	}
}

// A region fills each side of x = 2y in the colour of its series, and nothing beyond x = 8.
func TestSVGRegion(t *testing.T) {
	c := Chart{Series: []Series{
		{Name: "below", X: []float64{0, 10}, Y: []float64{0, 5}, Points: true, Size: 0.5}, {Name: "above", X: []float64{0}, Y: []float64{5}}}}
	c.Region = func(x, y float64) string {
		switch {
		case x > 8:
			return "none"
		case x > 2*y:
			return "below"
		}
		return "above"
	}
	svg := string(oneChart(c).SVG())
	d := oneChart(c).layout()
	p := d.panels[0]
	unit := (p.x.to - p.x.from) / 10 * d.plotH / 5
	for style, want := range []float64{16, 8*5 - 16 + inset*d.plotH/unit} { // with the gap to the left of 0
		path := regexp.MustCompile(fmt.Sprintf(`<path class="s%d" fill="currentColor"[^>]* d="([^"]*)"`, style)).FindStringSubmatch(svg)
		if path == nil {
			t.Fatalf("no region of series %d", style)
		}
		area := 0.0
		for _, m := range regexp.MustCompile(`M(\S+) (\S+)H([0-9.]+)v([0-9.]+)H`).FindAllStringSubmatch(path[1], -1) {
			var v [4]float64
			for i := range v {
				v[i], _ = strconv.ParseFloat(m[i+1], 64)
			}
			area += (v[2] - v[0]) * v[3]
			x, y := p.x.value((v[0]+v[2])/2), p.y.value(v[1]+v[3]/2)
			if (x > 2*y) != (style == 0) || x > 8 {
				t.Fatalf("(%v, %v) has the colour of series %d", x, y, style)
			}
		}
		if math.Abs(area/unit-want) > 0.2 {
			t.Errorf("series %d has an area of %v, want %v", style, area/unit, want)
		}
	}
	if n := strings.Count(svg, " scale(0.5)"); n != 2 {
		t.Errorf("%d marks of half the size, want 2", n)
	}
	c.LogX = true
	if strings.Contains(string(oneChart(c).SVG()), "fill-opacity=") {
		t.Error("a region on a log axis")
	}
}

// Two figures have no id in common, and each reference is to an id of its own figure.
func TestSVGIds(t *testing.T) {
	ids := regexp.MustCompile(` id="([^"]*)"`)
	seen := map[string]bool{}
	for i := range 2 {
		svg := (&Figure{Title: "a", Charts: []Chart{{Series: []Series{{Y: []float64{1, float64(2 + i)}}}}}}).SVG()
		own := map[string]bool{}
		for _, m := range ids.FindAllSubmatch(svg, -1) {
			if id := string(m[1]); seen[id] {
				t.Errorf("figure %d has the id %s again", i, id)
			} else {
				seen[id], own[id] = true, true
			}
		}
		references := regexp.MustCompile(`href="#([^"]*)"|labelledby="([^ ]*) ([^"]*)"`).FindAllSubmatch(svg, -1)
		for _, m := range references {
			for _, id := range m[1:] {
				if len(id) > 0 && !own[string(id)] {
					t.Errorf("figure %d refers to %s, which it does not have", i, id)
				}
			}
		}
		if len(own) != 8 || len(references) < 3 {
			t.Errorf("%d ids, %d references", len(own), len(references))
		}
	}
}

func labels(ticks []tick) string {
	var s []string
	for _, k := range ticks {
		s = append(s, k.label)
	}
	return strings.Join(s, " ")
}

func TestRoundTicks(t *testing.T) {
	for _, tt := range []struct {
		lo, hi        float64
		log, integers bool
		n             int
		want          string
	}{
		{0.05, 2.29, false, false, 7, "0.0 0.5 1.0 1.5 2.0 2.5"},
		{0.24, 0.936, false, false, 7, "0.2 0.4 0.6 0.8 1.0"},
		{0.3, 0.7, false, false, 4, "0.3 0.4 0.5 0.6 0.7"},
		{1, 20, false, true, 13, "0 2 4 6 8 10 12 14 16 18 20"},
		{1, 5, false, true, 13, "1 2 3 4 5"},
		{1, 1, false, true, 13, "0 1 2"},
		{-1, 1, false, false, 2, "−1 0 1"},
		{0, 3e6, false, false, 4, "0 1,000,000 2,000,000 3,000,000"},
		{-2e4, 1e4, false, false, 4, "−20,000 −10,000 0 10,000"},
		{0, 9999, false, false, 5, "0 2,000 4,000 6,000 8,000 10,000"},
		{0, 3e8, false, false, 4, "0 10⁸ 2·10⁸ 3·10⁸"},
		{0, 2e-5, false, false, 4, "0 5·10⁻⁶ 10⁻⁵ 1.5·10⁻⁵ 2·10⁻⁵"},
		{2.30251, 2.30258, false, false, 6, "2.30240 2.30245 2.30250 2.30255 2.30260 2.30265 2.30270"},
		{inf, -inf, false, false, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{-5, 0, true, false, 7, "10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 10⁰"},
		{-8, 0, true, false, 5, "10⁻⁸ 10⁻⁶ 10⁻⁴ 10⁻² 10⁰"},
		{-11.2, 0, true, false, 5, "10⁻¹² 10⁻⁹ 10⁻⁶ 10⁻³ 10⁰"},
		{2.3049, 2.3081, false, false, 5, "2.304 2.305 2.306 2.307 2.308 2.309"},
		{0.1, 0.1, false, false, 5, "0.090 0.095 0.100 0.105 0.110"},
		{0, 1.4e6, false, false, 5, "0 500,000 1,000,000 1,500,000"},
		{0, 0, true, false, 5, "1 2"},
		{-1, 2, true, false, 3, "0.1 1 10 100"},
		{math.Log10(16), math.Log10(1024), true, false, 9, "10 20 50 100 200 500 1,000 2,000"},
		{-5.1, -4.9, true, false, 5, "5·10⁻⁶ 10⁻⁵ 2·10⁻⁵"},
	} {
		if s := labels(roundTicks(span{tt.lo, tt.hi, tt.integers}, tt.log, tt.n)); s != tt.want {
			t.Errorf("%v to %v in %d: %s, want %s", tt.lo, tt.hi, tt.n, s, tt.want)
		}
	}
}

// The x axis has ticks at both ends of the data, although rounding puts them a little
// outside: 3·0.1 > 0.3 and log10(1000) < 3.
func TestXAxisEnds(t *testing.T) {
	for _, tt := range []struct {
		x    []float64
		log  bool
		want string
	}{
		{[]float64{0, 0.3}, false, "0.00 0.05 0.10 0.15 0.20 0.25 0.30"},
		{[]float64{10, 1000}, true, "10 20 50 100 200 500 1,000"},
		{[]float64{1, 9}, false, "1 2 3 4 5 6 7 8 9"},
		{[]float64{11, 12}, true, "10 20"},
		{[]float64{1, 17}, false, "2 4 6 8 10 12 14 16 17"},
		{[]float64{0, 57}, false, "0 10 20 30 40 50 57"},
		{[]float64{0, 51}, false, "0 5 10 15 20 25 30 35 40 45 51"},
		{[]float64{0, 54}, false, "0 5 10 15 20 25 30 35 40 45 50 54"},
	} {
		c := Chart{LogX: tt.log, Series: []Series{{X: tt.x, Y: []float64{1, 1}}}}
		a := xAxis(oneChart(c).layout().panels[0].xSpan, tt.log, 400)
		if s := labels(a.ticks); s != tt.want {
			t.Errorf("x from %v to %v: %s, want %s", tt.x[0], tt.x[1], s, tt.want)
		}
	}
}

// A y axis has ticks between integers, even if all values are integers.
func TestYAxisFractions(t *testing.T) {
	p := oneChart(line(1, 2)).layout().panels[0]
	if k := roundTicks(*p.ySpan, false, 5); !p.xSpan.integers || p.ySpan.integers || len(k) != 6 {
		t.Errorf("x %+v, y %+v, ticks %v", p.xSpan, p.ySpan, k)
	}
}

// Whatever the range, there are enough ticks and not too many, they cover the range, no
// two have the same label, and a linear step is 1, 2 or 5 times a power of ten.
func TestRoundTicksProperties(t *testing.T) {
	values := []float64{0, 5e-324, 1e-310, 1e-300, 3e-7, 0.1, 0.3, 1, 1 + 1e-15, 7, 20, 12345.678, 1e6, 1e15, 1e15 + 1, 9.99e299, 1e300}
	for _, a := range values {
		for _, b := range values {
			for _, s := range []span{{a, b, false}, {-a, b, false}, {-a, -b, false}, {math.Trunc(a), math.Trunc(b), true}} {
				for n := range 12 {
					checkTicks(t, s, false, n)
					if math.Abs(s.lo) < 325 && math.Abs(s.hi) < 325 {
						checkTicks(t, s, true, n)
					}
				}
			}
		}
	}
}

func checkTicks(t *testing.T, s span, log bool, n int) {
	t.Helper()
	k := roundTicks(s, log, n)
	if len(k) < 2 || len(k) > max(n, 2)+1 {
		t.Fatalf("%v log %v: %d ticks for n = %d", s, log, len(k), n)
	}
	first, last, step := k[0].at, k[len(k)-1].at, k[1].at-k[0].at
	if slack := (last - first) * 1e-8; s.lo <= s.hi && (first > s.lo+slack || last < s.hi-slack) {
		t.Fatalf("%v log %v: ticks from %v to %v", s, log, first, last)
	}
	for i := 1; i < len(k); i++ {
		if !(k[i].at > k[i-1].at) || k[i].label == k[i-1].label || len([]rune(k[i].label)) > 16 {
			t.Fatalf("%v log %v: tick %q at %v after %q at %v", s, log, k[i].label, k[i].at, k[i-1].label, k[i-1].at)
		}
	}
	m := step / math.Pow10(int(math.Floor(math.Log10(step)+1e-6)))
	if !log && math.Abs(m-1) > 1e-6 && math.Abs(m-2) > 1e-6 && math.Abs(m-5) > 1e-6 {
		t.Fatalf("%v: step %v is not 1, 2 or 5 times a power of ten", s, step)
	}
	if s.integers && !log && s.hi < 1e15 && step != math.Trunc(step) {
		t.Fatalf("%v: step %v on an axis of integers", s, step)
	}
}

// Labels may be drawn in DejaVu Sans, the widest of the usual fonts. The table has its
// widths in thousandths of the font size. In this font too a tick's label must not
// touch the label of the axis: of the gap of 8 pixels between them, the descenders of
// the axis label take 3, and an error of the estimated width may take 3 more.
func TestTickWidths(t *testing.T) {
	width := map[rune]float64{'.': 318, ',': 318, '·': 318, '−': 838, '⁻': 528}
	for _, r := range "0123456789" {
		width[r] = 636
	}
	for _, r := range "⁰¹²³⁴⁵⁶⁷⁸⁹" {
		width[r] = 401
	}
	for _, s := range []span{{-3.5, -2.1, false}, {-9, -8.2, false}, {-0.3, 0.3, false}, {0, 3e-7, false}, {2.30251, 2.30258, false}, {-15, 0, false}} {
		for _, log := range []bool{false, true} {
			for _, k := range roundTicks(s, log, 5) {
				w := 0.0
				for _, r := range k.label {
					if width[r] == 0 {
						t.Fatalf("the label %q has another character", k.label)
					}
					w += width[r] * tickSize / 1000
				}
				if got := textWidth(k.label, tickSize); got < w-3 {
					t.Errorf("%q is taken to be %v pixels wide, but is %.1f", k.label, got, w)
				}
			}
		}
	}
}

func FuzzSVG(f *testing.F) {
	f.Add("loss", "train", 2.29, 0.05, 1.0, false)
	f.Add("<&>\x00\xff", "]]>", nan, inf, -inf, true)
	f.Add("", "\u202e\U0010FFFF", math.MaxFloat64, -math.MaxFloat64, 5e-324, false)
	f.Add("a\nb", "…", 1.0, math.Nextafter(1, 2), 1.0, true)
	f.Fuzz(func(t *testing.T, title, name string, a, b, c float64, log bool) {
		s := Series{Name: name, X: []float64{a, b, c, a}, Y: []float64{b, c, a, nan}}
		chart := Chart{Title: title, XLabel: name, YLabel: title, LogX: log, LogY: log,
			Series: []Series{s, {Name: title, Y: []float64{a, b, c}}}, Guides: []Guide{{name, c}}}
		fig := &Figure{Title: title, Desc: name, Columns: 2, Charts: []Chart{chart, chart, line(a, b)}} // the rows have legends of their own, unless a name is s
		checkLabels(t, readSVG(t, fig.SVG()))
	})
}
