// Line charts as SVG. A figure is laid out (its axes, margins and legends) and then drawn from top to
// bottom into one buffer. Colours, dashes and fonts are classes of a style sheet, which has one set of
// colours for light pages and one for dark.

package mlp

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Figure is the content of one SVG file: charts in a grid, filled row by row, under one legend. If the
// grid has several rows and columns and no series appears in two rows, each row has a legend of its
// own. A figure is 720 CSS pixels wide if it has one column, otherwise 960; its height follows from
// its rows.
type Figure struct {
	Title   string  // is drawn on top; screen readers read it out
	Desc    string  // says in words what the figure shows, only for screen readers; if empty, they read Caption
	Caption string  // is drawn below the charts, wrapped
	Columns int     // charts side by side, 1 to 4; less counts as 1, more as 4
	Height  float64 // of each plot in CSS pixels, 60 to 2000; 0 is 230 in one column, and less in more
	SameY   bool    // the charts of a row share one y axis; they must be all linear or all log
	Charts  []Chart
}

// Chart is one chart of a figure. Its axes span the points and the guides, in the units of the data,
// which the labels should name. A range that is too narrow to label with six digits is widened.
type Chart struct {
	Title, XLabel, YLabel string
	LogX, LogY            bool // a log axis leaves out values that are not positive
	Equal                 bool // a unit is as long along x as along y: the plot is narrower or an axis longer
	Series                []Series
	Guides                []Guide

	// Region, if it is not nil, fills the plot with pale colours: at (x, y) with that of the
	// series whose name it returns, or with none. Both axes must be linear.
	Region func(x, y float64) string
}

// Series is a line or, if Points is true, a scatter. A point that is NaN, infinite or, on a linear axis,
// beyond ±1e300 is left out, and the line has a gap there. If X is empty, the points are at 1, 2, 3 and
// so on; otherwise there are as many points as the shorter of X and Y has.
type Series struct {
	Name   string // for the legend, if not empty; series of one name look the same in all charts
	X, Y   []float64
	Points bool    // draw a mark at each point and no line
	Size   float64 // of the marks, beside the usual size; 0 is 1
}

// Guide is a horizontal line at Y, in the units of the y axis, to compare with.
type Guide struct {
	Label string // is drawn at the right end of the line
	Y     float64
}

// Sizes in CSS pixels, and the numbers of colours, dashes and markers. Style i has colour i%7, dash i%5
// and marker i%6, so that lines differ without colour too; the first 35 differ even without markers.
const (
	margin     = 16 // around the figure
	inset      = 8  // a small gap, as between the frame and the first x
	tickSize   = 11 // font sizes, as in plotStart
	labelSize  = 12
	titleSize  = 13
	headSize   = 17
	legendRow  = 19 // from one line of a legend or of the caption to the next
	captionRow = 17
	sampleSize = 30 // the piece of line in a legend

	colours, dashes, markers = 7, 5, 6
)

// plotStart is the document up to the legends. It takes the width, the height, the title and the
// description. <id> stands for the hash at the end of each id. No text contains it, because xmlText
// escapes <.
const plotStart = `<svg xmlns="http://www.w3.org/2000/svg" class="plot" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" role="img" aria-labelledby="title<id> desc<id>">
<title id="title<id>">%[3]s</title>
<desc id="desc<id>">%[4]s</desc>
<style>
.plot{max-width:100%%;height:auto;font:12px "Helvetica Neue",Helvetica,Arial,sans-serif}
.bg{fill:#fff}.plot text{fill:#1c2126}.plot .dim{fill:#59636e}
.head{font-size:17px;font-weight:600}.title{font-size:13px;font-weight:600}.tick{font-size:11px}
.mid{text-anchor:middle}.end{text-anchor:end}
.grid{stroke:#e6e9ec}.axis{stroke:#7d868f}.guide{stroke:#59636e}
.line{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}
.mark{fill:currentColor;stroke:#fff;stroke-width:.8}
.d1{stroke-dasharray:7 3}.d2{stroke-dasharray:2 2.5}.d3{stroke-dasharray:9 3 2 3}.d4{stroke-dasharray:13 3}
.s0{color:#0069ad}.s1{color:#d04f00}.s2{color:#008a64}.s3{color:#b4478a}.s4{color:#9a6b00}.s5{color:#3892cf}.s6{color:#4a4f55}
@media (prefers-color-scheme:dark){
.bg{fill:#14171b}.plot text{fill:#e8eaed}.plot .dim{fill:#a4adb7}
.grid{stroke:#2a2f36}.axis{stroke:#7d868f}.guide{stroke:#a4adb7}.mark{stroke:#14171b}
.s0{color:#5aa9f0}.s1{color:#ff8a4a}.s2{color:#2fc795}.s3{color:#e795c6}.s4{color:#e8b23c}.s5{color:#a5d8ff}.s6{color:#c6cbd1}
}
</style>
<defs><circle id="m0<id>" r="3.5"/><path id="m1<id>" d="M-3.2-3.2H3.2V3.2H-3.2Z"/><path id="m2<id>" d="M0-4.4L4.2 3.2H-4.2Z"/><path id="m3<id>" d="M0-4.6L4.6 0 0 4.6-4.6 0Z"/><path id="m4<id>" d="M0 4.4L4.2-3.2H-4.2Z"/><path id="m5<id>" d="M-1.4-4.2H1.4V-1.4H4.2V1.4H1.4V4.2H-1.4V1.4H-4.2V-1.4H-1.4Z"/></defs>
<rect class="bg" width="100%%" height="100%%"/>
`

// SVG returns the figure as an SVG document. The same figure gives the same bytes. Its ids end with a
// hash of the document without it, so that several figures can stand in one HTML page.
func (f *Figure) SVG() []byte {
	d := f.layout()
	fmt.Fprintf(d, plotStart, pixel(d.width), pixel(d.height), xmlText(cmp.Or(f.Title, "Line chart")), xmlText(cmp.Or(f.Desc, f.Caption)))
	d.text("head", margin, margin+headSize, fitText(f.Title, headSize, d.width-2*margin))
	for style, k := range d.looks {
		if k.name == "" {
			continue
		}
		if k.points != 1 {
			d.drawPiece([]point{{k.x, k.y}, {k.x + sampleSize, k.y}}, style, false, 1)
		}
		if d.marks || k.points == 1 {
			d.drawPiece([]point{{k.x + sampleSize/2, k.y}}, style, true, 1)
		}
		d.text("name", k.x+sampleSize+6, k.y+4, k.name)
	}
	for i := range d.panels {
		d.drawPanel(&d.panels[i])
	}
	for i, line := range d.caption {
		d.text("name", margin, d.height-margin-float64((len(d.caption)-1-i)*captionRow), line)
	}
	d.WriteString("</svg>\n")
	hash := fnv.New64a()
	hash.Write(bytes.ReplaceAll(d.Bytes(), []byte("<id>"), nil))
	return bytes.ReplaceAll(d.Bytes(), []byte("<id>"), fmt.Appendf(nil, "-%x", hash.Sum64()))
}

// A drawing is the layout of a figure, in pixels, and the document so far.
type drawing struct {
	bytes.Buffer
	width, height float64
	plotW, plotH  float64 // of each plot, whose axes may need less of the width
	left          float64 // from the left edge of a panel to its plot
	panels        []panel
	looks         []look         // by style
	styles        map[string]int // by the name of a series
	marks         bool           // the longest line has space for a mark at each point
	caption       []string       // its lines
}

// A panel is a chart with its margins. All panels of a figure have the same shape, so that their plots
// line up.
type panel struct {
	*Chart
	xSpan  span
	ySpan  *span // of the row, if its charts share one y axis
	x, y   axis
	guides []tick // those that can be drawn, from the top down
	origin point  // the top left corner of the plot
	width  float64
}

// layout decides where everything in f is drawn.
func (f *Figure) layout() *drawing {
	cols := max(1, min(f.Columns, 4, len(f.Charts)))
	d := &drawing{width: 720, plotH: 130 + 100/float64(cols), styles: map[string]int{}}
	if cols > 1 {
		d.width = 960
	}
	if f.Height > 0 {
		d.plotH = max(60, min(f.Height, 2000))
	}
	panelW := (d.width - 2*margin) / float64(cols)

	// The margins of all plots are those of the panel that needs the most.
	right, top, bottom := 20.0, float64(inset), 20.0
	for i := range f.Charts {
		c := &f.Charts[i]
		p := panel{Chart: c, xSpan: span{math.Inf(1), math.Inf(-1), true}, ySpan: &span{math.Inf(1), math.Inf(-1), false}}
		if f.SameY && i%cols > 0 {
			p.ySpan = d.panels[i-1].ySpan
		}
		for _, s := range c.Series {
			for j := range s.points() {
				if v, ok := c.pointAt(&s, j); ok {
					p.xSpan.add(v.x)
					p.ySpan.add(v.y)
				}
			}
		}
		for _, g := range slices.SortedStableFunc(slices.Values(c.Guides), func(g, h Guide) int { return cmp.Compare(h.Y, g.Y) }) {
			label := fitText(g.Label, tickSize, panelW/5)
			right = max(right, textWidth(label, tickSize)+2*inset)
			if v, ok := axisUnits(g.Y, c.LogY); ok {
				p.ySpan.add(v)
				p.guides = append(p.guides, tick{v, label})
			}
		}
		if c.XLabel != "" {
			bottom = 20 + labelSize + inset
		}
		if c.Title != "" {
			top = titleSize + 2*inset
		}
		d.panels = append(d.panels, p)
	}
	for i := range d.panels {
		p := &d.panels[i]
		t := roundTicks(*p.ySpan, p.LogY, int(d.plotH/32))
		p.y = axis{t[0].at, t[len(t)-1].at, d.plotH, 0, t}
		left := widest(t) + inset
		if p.YLabel != "" {
			left += labelSize + inset
		}
		d.left = max(d.left, left)
	}
	d.plotW = panelW - d.left - right

	head := float64(margin)
	if f.Title != "" {
		head += headSize + 12
	}
	height, perRow := d.placeLegends(cols, head)
	if perRow {
		top += height
	} else {
		head += height
	}
	panelH := top + d.plotH + bottom + inset
	for i := range d.looks {
		d.looks[i].y += float64(float64(d.looks[i].row) * panelH)
	}
	for i := range d.panels {
		p := &d.panels[i]
		p.origin = point{margin + float64(float64(i%cols)*panelW) + d.left, head + float64(float64(i/cols)*panelH) + top}
		p.width = d.plotW
		if p.x = xAxis(p.xSpan, p.LogX, d.plotW); p.Equal {
			p.equalize(d.plotH)
		}
	}
	d.height = head + float64(float64((len(f.Charts)+cols-1)/cols)*panelH) + inset
	if d.caption = wrapText(f.Caption, labelSize, d.width-2*margin); len(d.caption) > 0 {
		d.height += float64(len(d.caption)*captionRow) + inset
	}
	return d
}

// equalize makes the plot so narrow that a unit is as long along x as along y. If it would be wider
// than it can be, or narrower than 100 pixels, an axis gets longer on both sides instead.
func (p *panel) equalize(height float64) {
	const least = 100
	longer := func(a *axis, log bool, size float64) {
		more := (size - (a.hi - a.lo)) / 2
		a.lo, a.hi = a.lo-more, a.hi+more
		t := slices.DeleteFunc(roundTicks(span{a.lo, a.hi, false}, log, len(a.ticks)), func(t tick) bool { return t.at < a.lo || t.at > a.hi })
		if widest(t) <= widest(a.ticks) { // there is no more room than those had
			a.ticks = t
		}
	}
	unit := height / (p.y.hi - p.y.lo)
	p.x = xAxis(p.xSpan, p.LogX, max(least, min(p.width, float64((p.x.hi-p.x.lo)*unit)+2*inset)))
	switch width := float64((p.x.hi-p.x.lo)*unit) + 2*inset; {
	case width > p.width:
		longer(&p.y, p.LogY, height*((p.x.hi-p.x.lo)/(p.width-2*inset)))
	case width < least:
		p.width = least
		longer(&p.x, p.LogX, (least-2*inset)/unit)
	default:
		p.width = width
	}
	p.x.to = p.width - inset
}

// drawPanel draws the axes of a chart, its guides and, on top of them, its lines.
func (d *drawing) drawPanel(p *panel) {
	fmt.Fprintf(d, "<g transform=\"translate(%s %s)\">\n", pixel(p.origin.x), pixel(p.origin.y))
	d.text("title", 0, -2*inset, fitText(p.Title, titleSize, d.plotW))
	d.drawRegion(p)
	free := math.Inf(-1) // from here on there is room for the next label
	for _, t := range p.x.ticks {
		x := p.x.pixel(t.at)
		fmt.Fprintf(d, "<path class=\"grid\" d=\"M%s 0V%s\"/>\n", pixel(x), pixel(d.plotH))
		if half := textWidth(t.label, tickSize) / 2; x-half > free {
			d.text("tick dim mid", x, d.plotH+tickSize+6, t.label)
			free = x + half + 6
		}
	}
	d.text("mid", p.width/2, d.plotH+20+labelSize+2, fitText(p.XLabel, labelSize, p.width))
	free = math.Inf(1)
	for _, t := range p.y.ticks {
		y := p.y.pixel(t.at)
		fmt.Fprintf(d, "<path class=\"grid\" d=\"M0 %sH%s\"/>\n", pixel(y), pixel(p.width))
		if y < free {
			d.text("tick dim end", -inset, y+4, t.label)
			free = y - tickSize
		}
	}
	fmt.Fprintf(d, "<path class=\"axis\" d=\"M0 %sH%s\"/>\n", pixel(d.plotH), pixel(p.width))
	fmt.Fprintf(d, "<g transform=\"translate(%s %s) rotate(-90)\">\n", pixel(labelSize-d.left), pixel(d.plotH/2))
	d.text("mid", 0, 0, fitText(p.YLabel, labelSize, d.plotH))
	d.WriteString("</g>\n")

	// A guide's label moves down if it would touch the one above, and is left out if it would end up
	// below the plot.
	free = math.Inf(-1)
	for _, g := range p.guides {
		y := p.y.pixel(g.at)
		fmt.Fprintf(d, "<path class=\"guide\" d=\"M0 %sH%s\"/>\n", pixel(y), pixel(p.width))
		if y = max(y, free); y <= d.plotH {
			d.text("tick dim", p.width+inset, y+4, g.label)
			free = y + tickSize + 2
		}
	}

	for _, s := range p.Series {
		for _, piece := range p.pieces(&s) {
			d.drawPiece(piece, d.styles[s.Name], d.marks, s.Size)
		}
	}
	if p.xSpan.lo > p.xSpan.hi {
		d.text("dim mid", p.width/2, d.plotH/2+4, "no data")
	}
	d.WriteString("</g>\n")
}

// drawRegion fills the plot in squares of two pixels, those of one series in one path.
func (d *drawing) drawRegion(p *panel) {
	const square = 2
	if p.Region == nil || p.LogX || p.LogY {
		return
	}
	styleAt := func(x, y float64) int {
		if style, ok := d.styles[p.Region(p.x.value(x+square/2), p.y.value(y+square/2))]; ok {
			return style
		}
		return -1
	}
	paths := make([][]byte, len(d.looks))
	for y := 0.0; y < d.plotH; y += square {
		for x := 0.0; x < p.width; {
			from, style := x, styleAt(x, y)
			for x < p.width && styleAt(x, y) == style {
				x += square
			}
			if style >= 0 {
				paths[style] = fmt.Appendf(paths[style], "M%s %sH%sv%sH%sz",
					pixel(from), pixel(y), pixel(min(x, p.width)), pixel(min(square, d.plotH-y)), pixel(from))
			}
		}
	}
	for style, path := range paths {
		if len(path) > 0 {
			fmt.Fprintf(d, "<path class=\"s%d\" fill=\"currentColor\" fill-opacity=\".2\" shape-rendering=\"crispEdges\" d=\"%s\"/>\n", style%colours, path)
		}
	}
}

// axisUnits returns v in axis units, and whether it can be drawn. A value in axis units is the value
// itself on a linear axis, and its decimal logarithm on a log axis. math.Log10 ends in a product, which
// the conversion keeps from being fused with a sum.
func axisUnits(v float64, log bool) (float64, bool) {
	if log {
		v = float64(math.Log10(v))
	}
	return v, math.Abs(v) <= 1e300
}

// A span is the range of the values that are drawn along one axis, in axis units. It is empty if lo > hi.
type span struct {
	lo, hi   float64
	integers bool // all values are integers, and so will be all ticks; false for a y axis
}

func (s *span) add(v float64) {
	s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	s.integers = s.integers && v == math.Trunc(v)
}

// An axis maps the values from lo to hi, in axis units, to the pixels from and to.
type axis struct {
	lo, hi, from, to float64
	ticks            []tick
}

func (a *axis) pixel(v float64) float64 {
	return a.from + float64((v-a.lo)/(a.hi-a.lo)*(a.to-a.from))
}

// value is the inverse of pixel.
func (a *axis) value(pixel float64) float64 {
	return a.lo + float64((pixel-a.from)/(a.to-a.from)*(a.hi-a.lo))
}

// xAxis returns an axis that begins and ends with the data, or at ticks if fewer than two ticks lie
// within the data. A first choice of ticks shows how wide their labels are. Integers, such as epochs,
// have a tick at the last one, in place of the one before if their labels would touch.
func xAxis(s span, log bool, width float64) axis {
	t := roundTicks(s, log, int(width/45))
	t = roundTicks(s, log, int(width/max(36, widest(t)+14)))
	a := axis{t[0].at, t[len(t)-1].at, inset, width - inset, t}
	slack := (s.hi - s.lo) / 1e9 // a tick may miss the end by rounding: 3·0.1 > 0.3
	inside := slices.DeleteFunc(slices.Clone(t), func(t tick) bool { return t.at < s.lo-slack || t.at > s.hi+slack })
	if len(inside) < 2 {
		return a
	}
	a.lo, a.hi, a.ticks = s.lo, s.hi, inside
	if last := inside[len(inside)-1].at; s.integers && !log && last < s.hi && s.hi < 1e8 {
		end := tick{s.hi, linearLabel(s.hi, 0, s.hi)}
		if a.pixel(s.hi)-a.pixel(last) < textWidth(end.label, tickSize)+inset {
			inside = inside[:len(inside)-1]
		}
		a.ticks = append(inside, end)
	}
	return a
}

// A tick is a labelled place on an axis, in axis units.
type tick struct {
	at    float64
	label string
}

// widest returns the width of the widest label in pixels.
func widest(ticks []tick) (w float64) {
	for _, t := range ticks {
		w = max(w, textWidth(t.label, tickSize))
	}
	return w
}

// roundTicks returns ticks at round values, at least two: the first tick is at or below s.lo, and the
// last tick is at or above s.hi. Between them are at most max(n, 2) steps. On a linear axis a step is
// 1, 2 or 5 times a power of ten. On a log axis the values are 1, 2 and 5 in each decade or, if these
// are too many, one value in each decade or in every few decades.
func roundTicks(s span, log bool, n int) (ticks []tick) {
	n = max(n, 2)
	lo, hi := s.widened()
	if log && hi-lo < 0.01 {
		lo, hi = lo-0.1, hi+0.1
	}
	if log && hi-lo < float64(n) {
		if t := decadeTicks(lo, hi); len(t) <= n+1 {
			return t
		}
	}
	exp := int(math.Floor(math.Log10((hi-lo)/float64(n)))) - 1
	if s.integers || log {
		exp = max(exp, 0)
	}
	// Take the smallest step such that n steps cover the range. Such a step exists: with a large enough
	// step, one on each side of zero covers any range.
	for ; ; exp++ {
		for _, m := range []float64{1, 2, 5} {
			step := m * math.Pow10(exp)
			// A value within a billionth of a step is on it: 0.7/0.1 is 6.999999999999999.
			first, last := math.Floor(lo/step+1e-9), math.Ceil(hi/step-1e-9)
			if last-first > float64(n) {
				continue
			}
			for i := first; i <= last; i++ {
				label := linearLabel(i*step, exp, max(-first, last)*step)
				if log {
					label = logLabel(1, int(i*step), lo, hi)
				}
				ticks = append(ticks, tick{i * step, label})
			}
			return ticks
		}
	}
}

// widened returns a range around s that is wide enough for labels of six digits to differ, and for a
// step not to be lost in a float64.
func (s span) widened() (lo, hi float64) {
	size := max(math.Abs(s.lo), math.Abs(s.hi))
	least := max(size/1e4, 1e-300)
	switch mid := s.lo/2 + s.hi/2; {
	case s.lo > s.hi:
		return 0, 1
	case s.lo == s.hi && size <= 1e-300:
		return -1, 1
	case s.lo == s.hi:
		return s.lo - size/10, s.hi + size/10
	case s.hi-s.lo < least:
		return mid - least/2, mid + least/2
	}
	return s.lo, s.hi
}

// decadeTicks returns ticks at 1, 2 and 5 in each decade, from the last one that is at or below lo to the
// first one that is at or above hi.
func decadeTicks(lo, hi float64) (ticks []tick) {
	for d := math.Floor(lo); ; d++ {
		for _, m := range []float64{1, 2, 5} {
			at := d + float64(math.Log10(m))
			if at <= lo+1e-9 {
				ticks = ticks[:0]
			}
			ticks = append(ticks, tick{at, logLabel(m, int(d), lo, hi)})
			if at >= hi-1e-9 {
				return ticks
			}
		}
	}
}

// logLabel writes m·10^exp. It writes a plain number if all plain numbers on the axis, from 10^lo to
// 10^hi, are short.
func logLabel(m float64, exp int, lo, hi float64) string {
	switch {
	case lo > -3.01 && hi < 4.01:
		return fixed(m*math.Pow10(exp), -exp)
	case m == 1:
		return tenTo(exp)
	}
	return fixed(m, 0) + "×" + tenTo(exp)
}

// linearLabel writes v, a multiple of 10^exp, on an axis whose largest magnitude is size. It writes a
// plain number if all plain numbers on the axis are short, otherwise a multiple of one power of ten.
func linearLabel(v float64, exp int, size float64) string {
	if size >= 1e-3 && size < 1e8 {
		text := fixed(v, -exp)
		if size >= 1e4 && exp >= 0 {
			digits := strings.TrimPrefix(text, "−")
			for i := len(digits) - 3; i > 0; i -= 3 {
				digits = digits[:i] + "," + digits[i:]
			}
			text = strings.Repeat("−", strings.Count(text, "−")) + digits
		}
		return text
	}
	if v == 0 {
		return "0"
	}
	top := int(math.Floor(float64(math.Log10(size)) + 1e-9))
	if top == exp+1 {
		top = exp // 15×10⁻⁶ rather than 1.5×10⁻⁵
	}
	return fixed(v/math.Pow10(top), top-exp) + "×" + tenTo(top)
}

// fixed writes v with that many decimals, and with a minus sign that is as wide as a plus.
func fixed(v float64, decimals int) string {
	return strings.Replace(strconv.FormatFloat(v, 'f', max(decimals, 0), 64), "-", "−", 1)
}

// tenTo writes 10 with a raised exponent.
func tenTo(exp int) string {
	return "10" + strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(strconv.Itoa(exp))
}

// points returns the number of points of s.
func (s *Series) points() int {
	if len(s.X) == 0 {
		return len(s.Y)
	}
	return min(len(s.X), len(s.Y))
}

// A point is in axis units or in pixels.
type point struct{ x, y float64 }

// pointAt returns point i of s in axis units, and whether it can be drawn.
func (c *Chart) pointAt(s *Series, i int) (point, bool) {
	v := float64(i + 1)
	if len(s.X) > 0 {
		v = s.X[i]
	}
	x, okX := axisUnits(v, c.LogX)
	y, okY := axisUnits(s.Y[i], c.LogY)
	return point{x, y}, okX && okY
}

// pieces returns the pieces of s between its gaps, in pixels and thinned. A gap within one column of
// pixels does not break the line. Each point of a scatter is a piece, but only the first of those in
// one pixel.
func (p *panel) pieces(s *Series) (pieces [][]point) {
	gap, column, drawn := true, math.NaN(), map[point]bool{}
	for i := range s.points() {
		v, ok := p.pointAt(s, i)
		if !ok {
			gap = true
			continue
		}
		v = point{p.x.pixel(v.x), p.y.pixel(v.y)}
		at := point{math.Floor(v.x), math.Floor(v.y)}
		switch last := len(pieces) - 1; {
		case s.Points && drawn[at]:
		case s.Points:
			pieces, drawn[at] = append(pieces, []point{v}), true
		case gap && at.x != column:
			pieces = append(pieces, []point{v})
		default:
			pieces[last] = thin(append(pieces[last], v))
		}
		gap, column = false, at.x
	}
	return pieces
}

// thin drops points that do not change the picture. Of those at the end of piece that lie in one column
// of pixels it keeps the first, the lowest, the highest and the last, in their order.
func thin(piece []point) []point {
	last := len(piece) - 1
	first, lo, hi := last, last, last
	for i := last; i >= 0 && math.Floor(piece[i].x) == math.Floor(piece[last].x); i-- {
		first = i
		if piece[i].y <= piece[lo].y {
			lo = i
		}
		if piece[i].y >= piece[hi].y {
			hi = i
		}
	}
	kept := piece[:first]
	for _, i := range slices.Compact([]int{first, min(lo, hi), max(lo, hi), last}) {
		kept = append(kept, piece[i])
	}
	return kept
}

// drawPiece draws the line through the points of a piece, and a mark of that size at each point if
// marks is true. A piece of one point always has its mark, because it has no line.
func (d *drawing) drawPiece(piece []point, style int, marks bool, size float64) {
	fmt.Fprintf(d, `<g class="s%d">`, style%colours)
	if len(piece) > 1 {
		fmt.Fprintf(d, `<path class="line d%d" d="M`, style%dashes)
		for _, p := range piece {
			fmt.Fprintf(d, "%s %s ", pixel(p.x), pixel(p.y))
		}
		d.WriteString(`"/>`)
	}
	for _, p := range piece {
		switch {
		case !marks && len(piece) > 1:
		case size > 0 && size != 1:
			fmt.Fprintf(d, "\n<use class=\"mark\" href=\"#m%d<id>\" transform=\"translate(%s %s) scale(%s)\"/>",
				style%markers, pixel(p.x), pixel(p.y), pixel(min(size, 10)))
		default:
			fmt.Fprintf(d, "\n<use class=\"mark\" href=\"#m%d<id>\" x=\"%s\" y=\"%s\"/>", style%markers, pixel(p.x), pixel(p.y))
		}
	}
	d.WriteString("</g>\n")
}

// A look is what the series of one name have in common: a style, which is the look's index, and an entry
// in a legend.
type look struct {
	name   string  // cut to fit; a look without a name is in no legend
	points int     // of the longest line; a scatter counts as one point, because its entry has a mark and no line
	row    int     // of the panels that the legend is for
	x, y   float64 // the left end of the entry, half way up
}

// placeLegends finds the looks of all series and places their entries: in one legend or, if perRow is
// true, in one for each row of panels. Each legend begins at top and is at most height pixels high.
func (d *drawing) placeLegends(cols int, top float64) (height float64, perRow bool) {
	right, longest := d.width-margin, 0
	perRow = cols > 1
	for i, p := range d.panels {
		for _, s := range p.Series {
			style, ok := d.styles[s.Name]
			if !ok {
				style = len(d.looks)
				d.styles[s.Name] = style
				d.looks = append(d.looks, look{name: fitText(s.Name, labelSize, right-margin-sampleSize-6), row: i / cols})
			}
			k, n := &d.looks[style], s.points()
			if s.Points {
				n = min(n, 1)
			}
			k.points, longest = max(k.points, n), max(longest, n)
			perRow = perRow && (k.name == "" || k.row == i/cols)
		}
	}
	d.marks = float64(longest) <= d.plotW/12

	x, line, row, lines := right, 0, 0, 0
	for i := range d.looks {
		k := &d.looks[i]
		if k.name == "" {
			continue
		}
		if !perRow {
			k.row = 0
		}
		if k.row != row {
			x, line, row = right, 0, k.row
		}
		w := sampleSize + 6 + textWidth(k.name, labelSize)
		if x+w > right {
			x, line = margin, line+1
		}
		k.x, k.y = x, top+float64(line*legendRow-legendRow/2)
		x += w + 18
		lines = max(lines, line)
	}
	return float64(lines*legendRow) + inset, perRow
}

// text writes s with its baseline at y. The class says whether s begins at x, ends there or is centred
// there.
func (d *drawing) text(class string, x, y float64, s string) {
	if s != "" {
		fmt.Fprintf(d, "<text class=\"%s\" x=\"%s\" y=\"%s\">%s</text>\n", class, pixel(x), pixel(y), xmlText(s))
	}
}

// pixel writes a length in CSS pixels, with at most two decimals.
func pixel(v float64) string {
	return strconv.FormatFloat(math.Round(v*100)/100, 'f', -1, 64)
}

// xmlText escapes s for XML 1.0. It drops the characters that XML cannot hold and writes U+FFFD for
// bytes that are not UTF-8.
func xmlText(s string) string {
	legal := strings.Map(func(r rune) rune {
		if r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
	var b strings.Builder
	xml.EscapeText(&b, []byte(legal)) // a Builder returns no errors
	return b.String()
}

// textWidth estimates the width of s in pixels at a font size in pixels. The reader's font is unknown,
// so the estimate assumes a wide one. The width is an integer computed from integers, so that every
// processor draws the same chart.
func textWidth(s string, size int) float64 {
	w := 0
	for _, r := range s {
		w += runeWidth(r)
	}
	return float64((w*size + 99) / 100)
}

// runeWidth returns the width of r in hundredths of the font size.
func runeWidth(r rune) int {
	switch {
	case strings.ContainsRune("ijl.,:;'|!()[] ⁰¹²³⁴⁵⁶⁷⁸⁹⁻", r):
		return 38
	case strings.ContainsRune("mwMW@%…×−", r) || r >= 0x1100 && r < 0x2000 || r >= 0x2E80:
		return 100
	case r >= 'A' && r <= 'Z':
		return 72
	}
	return 60
}

// fitText returns s, cut and ended with an ellipsis if it is wider than width.
func fitText(s string, size int, width float64) string {
	if textWidth(s, size) <= width {
		return s
	}
	w := runeWidth('…')
	for i, r := range s {
		if w += runeWidth(r); float64(w*size) > width*100 {
			return s[:i] + "…"
		}
	}
	return s
}

// wrapText returns s as lines that are no wider than width. It keeps the line breaks of s and cuts a
// word that is wider than a line.
func wrapText(s string, size int, width float64) (lines []string) {
	for line := range strings.Lines(s) {
		begun := ""
		for word := range strings.FieldsSeq(line) {
			if begun != "" && textWidth(begun+" "+word, size) > width {
				lines, begun = append(lines, begun), ""
			}
			begun = fitText(strings.TrimSpace(begun+" "+word), size, width)
		}
		lines = append(lines, begun)
	}
	return lines
}
