// Line charts as SVG. A figure is laid out (its axes, margins, names and legend) and then drawn from top
// to bottom into one buffer. Colours, dashes and fonts are classes of a style sheet, which has one set of
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

// Figure is the content of one SVG file: charts in a grid, filled row by row. A line is named at its right
// end. If a chart's lines are too many for that, or a name is too long, a legend above the charts
// names them; it names scatters too. A figure is 540 CSS pixels wide, so that its text can be read on a
// telephone; its height follows from its rows. Its points say their values to the pointer.
type Figure struct {
	Title   string  // is drawn on top; screen readers read it out
	Desc    string  // says in words what the figure shows, only for screen readers; if empty, they read Caption
	Caption string  // is drawn below the charts, wrapped
	Columns int     // charts side by side, 1 or 2; less counts as 1, more as 2
	Height  float64 // of each plot in CSS pixels, 60 to 2000; 0 is 190 in one column, and 150 in two
	SameY   bool    // the charts with a linear y axis share it, and so do those with a log y axis
	Charts  []Chart
}

// Chart is one chart of a figure. Its axes span the points and the guides, in the units of the data,
// which the labels should name. A range that is too narrow to label with six digits is widened.
type Chart struct {
	Title, XLabel, YLabel string
	LogX, LogY            bool // a log axis leaves out values that are not positive
	Equal                 bool // a unit is as long along x as along y: the plot is narrower or lower, and a square if the ranges are equal
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
	Name   string // series of one name look the same in all charts; one without a name has the colour of the text
	X, Y   []float64
	Points bool    // draw a transparent mark at each point and no line
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
	figureWidth = 540
	margin      = 14 // around the figure
	inset       = 8  // a small gap, as between the frame and the first x
	tickSize    = 13 // font sizes, as in plotStart
	labelSize   = 13
	titleSize   = 14
	headSize    = 17
	nameGap     = 12 // a mark beside a name
	nameRow     = 15 // from one name at a line's end to the next
	legendRow   = 20 // from one line of a legend or of the caption to the next
	captionRow  = 18
	sampleSize  = 30 // the piece of line in a legend
	markGap     = 12 // from one mark of a line to the next, at least

	colours, dashes, markers = 7, 5, 6
)

// plotStart is the document up to the legends. It takes the width, the height, the title and the
// description. <id> stands for the hash at the end of each id. No text contains it, because xmlText
// escapes <.
const plotStart = `<svg xmlns="http://www.w3.org/2000/svg" class="plot" width="%[1]s" height="%[2]s" viewBox="0 0 %[1]s %[2]s" role="img" aria-labelledby="title<id> desc<id>">
<title id="title<id>">%[3]s</title>
<desc id="desc<id>">%[4]s</desc>
<style>
.plot{max-width:100%%;height:auto;font:13px "Helvetica Neue",Helvetica,Arial,sans-serif}
.bg{fill:#fff}.plot text{fill:#1c2126}.plot .dim{fill:#59636e}
.head{font-size:17px;font-weight:600}.title{font-size:14px;font-weight:600}
.mid{text-anchor:middle}.end{text-anchor:end}
.grid{stroke:#e6e9ec}.axis{stroke:#7d868f}.guide{stroke:#59636e}
.line{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}.lead{stroke:currentColor}
.mark{fill:currentColor;stroke:#fff;stroke-width:.8}.dot{fill:currentColor;fill-opacity:.35;stroke:currentColor;stroke-width:.8}.hover{opacity:0}.hover:hover{opacity:1}
.d1{stroke-dasharray:7 3}.d2{stroke-dasharray:2 2.5}.d3{stroke-dasharray:9 3 2 3}.d4{stroke-dasharray:13 3}
.s-1{color:#1c2126}.s0{color:#0069ad}.s1{color:#d04f00}.s2{color:#008a64}.s3{color:#b4478a}.s4{color:#9a6b00}.s5{color:#3892cf}.s6{color:#4a4f55}
@media (prefers-color-scheme:dark){
.bg{fill:#14171b}.plot text{fill:#e8eaed}.plot .dim{fill:#a4adb7}
.grid{stroke:#2a2f36}.axis{stroke:#7d868f}.guide{stroke:#a4adb7}.mark{stroke:#14171b}
.s-1{color:#e8eaed}.s0{color:#5aa9f0}.s1{color:#ff8a4a}.s2{color:#2fc795}.s3{color:#e795c6}.s4{color:#e8b23c}.s5{color:#a5d8ff}.s6{color:#c6cbd1}
}
</style>
<defs><circle id="m0<id>" r="3.5"/><path id="m1<id>" d="M-3.2-3.2H3.2V3.2H-3.2Z"/><path id="m2<id>" d="M0-4.4L4.2 3.2H-4.2Z"/><path id="m3<id>" d="M0-4.6L4.6 0 0 4.6-4.6 0Z"/><path id="m4<id>" d="M0 4.4L4.2-3.2H-4.2Z"/><path id="m5<id>" d="M-1.4-4.2H1.4V-1.4H4.2V1.4H1.4V4.2H-1.4V1.4H-4.2V-1.4H-1.4Z"/></defs>
<rect class="bg" width="100%%" height="100%%"/>
`

// SVG returns the figure as an SVG document. The same figure gives the same bytes. Its ids end with a
// hash of the document without it, so that several figures can stand in one HTML page.
func (f *Figure) SVG() []byte {
	d := f.layout()
	fmt.Fprintf(d, plotStart, pixel(figureWidth), pixel(d.height), xmlText(cmp.Or(f.Title, "Line chart")), xmlText(cmp.Or(f.Desc, f.Caption)))
	d.text("head", margin, margin+headSize, fitText(f.Title, headSize, figureWidth-2*margin))
	for style, k := range d.looks {
		if !k.listed {
			continue
		}
		fmt.Fprintf(d, "<g class=\"s%d\">", style%colours)
		if k.line {
			d.drawLine(style, []point{{x: k.x, y: k.y}, {x: k.x + sampleSize, y: k.y}})
		}
		if !k.line {
			d.drawMark("dot", style, point{x: k.x + sampleSize/2, y: k.y}, 1, "")
		} else if d.marks {
			d.drawMark("mark", style, point{x: k.x + sampleSize/2, y: k.y}, 1, "")
		}
		d.WriteString("</g>\n")
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
	height       float64
	panelW       float64 // of each panel: a chart with its margins
	plotW, plotH float64 // of each plot, whose axes may need less of the width
	left, right  float64 // from the edges of a panel to its plot
	panels       []panel
	looks        []look         // by style
	styles       map[string]int // by the name of a series; a series without a name has the style -1
	marks        bool           // the longest line has space for a mark at each point
	caption      []string       // its lines
}

// A panel is a chart with its margins. All panels of a figure have the same shape, so that their plots
// line up.
type panel struct {
	*Chart
	xSpan  span
	ySpan  *span // of all charts that share the y axis
	x, y   axis
	guides []float64 // those that can be drawn, in axis units
	names  []name    // of guides and lines, from the top down
	origin point     // the top left corner of the plot
	drawn  bool      // it has a point

	width, height float64 // of the plot
}

// A name stands to the right of the plot, as near to the end of its line as the others let it.
type name struct {
	label string
	style int     // -1 for a guide's
	end   float64 // of the line, in axis units
	y     float64 // of the middle of the name, in pixels
}

// A look is what the series of one name have in common: a style, which is the look's index, and perhaps an
// entry in the legend.
type look struct {
	name         string  // cut to fit
	line, listed bool    // one of the series is no scatter; the look is in the legend
	x, y         float64 // the left end of the entry, half way up
}

// layout decides where everything in f is drawn.
func (f *Figure) layout() *drawing {
	cols := max(1, min(f.Columns, 2, len(f.Charts)))
	d := &drawing{plotH: 230 - 40*float64(cols), styles: map[string]int{"": -1}}
	if f.Height > 0 {
		d.plotH = max(60, min(f.Height, 2000))
	}
	d.panelW = (figureWidth - 2*margin) / float64(cols)

	// The margins of all plots are those of the panel that needs the most.
	d.right = 20
	title, label, bottom, longest := 0.0, 0.0, 22.0, 0
	empty := span{math.Inf(1), math.Inf(-1), true}
	shared := map[bool]*span{} // by LogY
	for i := range f.Charts {
		c := &f.Charts[i]
		y := empty
		y.integers = false
		p := panel{Chart: c, xSpan: empty, ySpan: &y}
		if f.SameY {
			p.ySpan = cmp.Or(shared[c.LogY], p.ySpan)
			shared[c.LogY] = p.ySpan
		}
		longest = max(longest, d.add(&p))
		for _, n := range p.names {
			d.right = max(d.right, textWidth(n.label, tickSize)+inset+nameGap)
		}
		if c.Title != "" {
			title = titleSize + inset
		}
		if c.YLabel != "" {
			label = labelSize + inset
		}
		if c.XLabel != "" {
			bottom = 22 + labelSize + inset
		}
		d.panels = append(d.panels, p)
	}
	for i := range d.panels {
		p := &d.panels[i]
		t := roundTicks(*p.ySpan, p.LogY, int(d.plotH/32))
		p.y = axis{t[0].at, t[len(t)-1].at, d.plotH, 0, t}
		d.left = max(d.left, widest(t)+inset)
	}
	d.plotW = d.panelW - d.left - d.right
	d.marks = float64(longest) <= d.plotW/markGap

	head := float64(margin)
	if f.Title != "" {
		head += headSize + 12
	}
	head += d.placeLegend(head)
	top := inset + title + label
	panelH := top + d.plotH + bottom + inset
	for i := range d.panels {
		p := &d.panels[i]
		p.origin = point{x: margin + float64(float64(i%cols)*d.panelW) + d.left, y: head + float64(float64(i/cols)*panelH) + top}
		p.width, p.height = d.plotW, d.plotH
		if p.x = xAxis(p.xSpan, p.LogX, d.plotW); p.Equal {
			p.equalize()
		}
		p.placeNames(d.plotH)
	}
	d.height = head + float64(float64((len(f.Charts)+cols-1)/cols)*panelH) + inset
	if d.caption = wrapText(f.Caption, labelSize, figureWidth-2*margin); len(d.caption) > 0 {
		d.height += float64(len(d.caption)*captionRow) + inset
	}
	return d
}

// add finds what p spans, the looks of its series, and which of them are named at their ends. It
// returns the number of points of the longest line.
func (d *drawing) add(p *panel) (longest int) {
	var guides, lines []name
	for _, g := range p.Guides {
		if v, ok := axisUnits(g.Y, p.LogY); ok {
			p.ySpan.add(v)
			p.guides = append(p.guides, v)
			if g.Label != "" && len(guides) < int(d.plotH/nameRow) {
				guides = append(guides, name{label: fitText(g.Label, tickSize, d.panelW/3), style: -1, end: v})
			}
		}
	}
	fit := true
	for i := range p.Series {
		s := &p.Series[i]
		style, ok := d.styles[s.Name]
		if !ok {
			style = len(d.looks)
			d.styles[s.Name] = style
			d.looks = append(d.looks, look{name: fitText(s.Name, labelSize, figureWidth-2*margin-sampleSize-6)})
		}
		n, end, drawn := s.points(), 0.0, false
		for j := range n {
			v, ok := p.pointAt(s, j)
			if math.Abs(v.x) <= 1e300 { // the gaps at the ends are shown too
				p.xSpan.add(v.x)
			}
			if ok {
				p.ySpan.add(v.y)
				end, drawn, p.drawn = v.y, true, true
			}
		}
		if !s.Points {
			longest = max(longest, n)
		}
		if style < 0 {
			continue
		}
		k := &d.looks[style]
		k.line, k.listed = k.line || !s.Points, k.listed || s.Points
		if drawn && !s.Points {
			lines = append(lines, name{label: s.Name, style: style, end: end})
			fit = fit && textWidth(s.Name, tickSize) <= d.panelW/3
		}
	}
	if p.names = append(guides, lines...); !fit || float64(len(p.names)*nameRow) > d.plotH {
		p.names = guides
		for _, n := range lines {
			d.looks[n.style].listed = true
		}
	}
	return longest
}

// placeNames puts the names at the ends of their lines, and then as far down or up as the others need.
func (p *panel) placeNames(height float64) {
	slices.SortStableFunc(p.names, func(a, b name) int { return cmp.Compare(b.end, a.end) })
	free := math.Inf(-1)
	for i := range p.names {
		n := &p.names[i]
		n.y = max(free, p.y.pixel(n.end))
		free = n.y + nameRow
	}
	free = height
	for i := range slices.Backward(p.names) {
		n := &p.names[i]
		n.y = min(free, n.y)
		free = n.y - nameRow
	}
}

// placeLegend places the entries of the looks that are listed, from top down. It returns the legend's
// height.
func (d *drawing) placeLegend(top float64) float64 {
	x, lines := float64(figureWidth), 0
	for i := range d.looks {
		k := &d.looks[i]
		if !k.listed {
			continue
		}
		w := sampleSize + 6 + textWidth(k.name, labelSize)
		if x+w > figureWidth-margin {
			x, lines = margin, lines+1
		}
		k.x, k.y = x, top+float64(lines*legendRow-legendRow/2)
		x += w + 18
	}
	return float64(lines * legendRow)
}

// equalize makes the plot so narrow or so low that a unit is as long along x as along y. Both axes begin
// and end at ticks.
func (p *panel) equalize() {
	t := roundTicks(span{p.xSpan.lo, p.xSpan.hi, false}, p.LogX, int(p.height/32))
	x, y := t[len(t)-1].at-t[0].at, p.y.hi-p.y.lo
	unit := min(p.width/x, p.height/y)
	p.width, p.height = float64(x*unit), float64(y*unit)
	p.x, p.y.from = axis{t[0].at, t[len(t)-1].at, 0, p.width, t}, p.height
}

// drawPanel draws the axes of a chart, its guides and, on top of them, its lines and their names.
func (d *drawing) drawPanel(p *panel) {
	fmt.Fprintf(d, "<g transform=\"translate(%s %s)\">\n", pixel(p.origin.x), pixel(p.origin.y))
	above := -2.0 * inset
	if p.YLabel != "" {
		d.text("dim", -d.left, 4-2*inset, fitText(p.YLabel, labelSize, d.panelW-inset))
		above -= labelSize + 2
	}
	d.text("title", -d.left, above, fitText(p.Title, titleSize, d.panelW-inset))
	d.drawRegion(p)
	free := math.Inf(-1) // from here on there is room for the next label
	for _, t := range p.x.ticks {
		x := p.x.pixel(t.at)
		fmt.Fprintf(d, "<path class=\"grid\" d=\"M%s 0V%s\"/>\n", pixel(x), pixel(p.height))
		half := textWidth(t.label, tickSize) / 2
		if x = min(x, d.plotW+d.right-half); x-half > free {
			d.text("dim mid", x, p.height+tickSize+6, t.label)
			free = x + half + 6
		}
	}
	d.text("mid", p.width/2, p.height+22+labelSize+2, fitText(p.XLabel, labelSize, p.width))
	free = math.Inf(1)
	for _, t := range p.y.ticks {
		y := p.y.pixel(t.at)
		fmt.Fprintf(d, "<path class=\"grid\" d=\"M0 %sH%s\"/>\n", pixel(y), pixel(p.width))
		if y < free {
			d.text("dim end", -inset, y+4, t.label)
			free = y - tickSize
		}
	}
	fmt.Fprintf(d, "<path class=\"axis\" d=\"M0 %sH%s\"/>\n", pixel(p.height), pixel(p.width))
	for _, v := range p.guides {
		fmt.Fprintf(d, "<path class=\"guide\" d=\"M0 %sH%s\"/>\n", pixel(p.y.pixel(v)), pixel(p.width))
	}
	for _, n := range p.names { // a thin line leads to the name
		class, x := "guide", p.width
		if n.style >= 0 {
			class, x = "lead", p.x.to
		}
		fmt.Fprintf(d, "<g class=\"s%d\"><path class=\"%s\" d=\"M%s %sL%s %s\"/>", n.style%colours, class, pixel(x), pixel(p.y.pixel(n.end)), pixel(p.width+inset), pixel(n.y))
		if n.style >= 0 && d.marks {
			d.drawMark("mark", n.style, point{x: p.width + inset + 4, y: n.y}, 0.9, "")
		}
		d.WriteString("</g>\n")
		d.text("name", p.width+inset+nameGap, n.y+4, n.label)
	}
	for i := range p.Series {
		s := &p.Series[i]
		for _, piece := range p.pieces(s) {
			d.drawPiece(p, s, piece)
		}
	}
	if !p.drawn {
		d.text("dim mid", p.width/2, p.height/2+4, "no data")
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
	for y := 0.0; y < p.height; y += square {
		for x := 0.0; x < p.width; {
			from, style := x, styleAt(x, y)
			for x < p.width && styleAt(x, y) == style {
				x += square
			}
			if style >= 0 {
				paths[style] = fmt.Appendf(paths[style], "M%s %sH%sv%sH%sz",
					pixel(from), pixel(y), pixel(min(x, p.width)), pixel(min(square, p.height-y)), pixel(from))
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
		end := tick{s.hi, plain(s.hi, 0)}
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

// roundTicks returns at least two ticks at round values. The first is at or below s.lo, the last is at or
// above s.hi, and between them are at most max(n, 2) steps. A step of a linear axis is 1, 2 or 5 times a
// power of ten. On a log axis are 1, 2 and 5 times the powers of ten or, if these are too many, every
// power of ten, every second, every third and so on. The page's axis has the same rule.
func roundTicks(s span, log bool, n int) (ticks []tick) {
	n = max(n, 2)
	lo, hi := s.lo, s.hi
	if lo > hi {
		lo, hi = 0, 1
	}
	if log {
		return logTicks(lo, hi, n)
	}
	// A narrower range is widened, so that labels of six digits differ and a step is not lost in a float64.
	size := max(-lo, hi)
	least := max(size/1e4, 1e-300)
	if lo == hi {
		least = size / 5
		if size <= 1e-300 {
			least = 2
		}
	}
	if hi-lo < least {
		middle := lo/2 + hi/2
		lo, hi = middle-least/2, middle+least/2
	}
	exp := int(math.Floor(math.Log10((hi - lo) / float64(n))))
	if s.integers {
		exp = max(exp, 0)
	}
	// Take the smallest step such that n steps cover the range. Such a step exists: with a large enough
	// step, one on each side of zero covers any range.
	for ; ; exp++ {
		for _, m := range []float64{1, 2, 5} {
			step := m * math.Pow10(exp)
			// A value this close to a step is on it: 0.7/0.1 is 6.999999999999999.
			first, last := math.Floor(lo/step+1e-10), math.Ceil(hi/step-1e-10)
			if last-first > float64(n) {
				continue
			}
			size := max(-first, last) * step
			for i := first; i <= last; i++ {
				label := "0"
				if size >= 1e-3 && size < 1e8 {
					label = plain(i*step, -exp)
				} else if i != 0 {
					label = scientific(i*step, 6)
				}
				ticks = append(ticks, tick{i * step, label})
			}
			return ticks
		}
	}
}

// logTicks returns the ticks of a log axis. Its labels are plain numbers if all of them are short.
func logTicks(lo, hi float64, n int) []tick {
	isPlain := lo > -3-1e-9 && hi < 7+1e-9
	for every := int((hi - lo) / float64(n)); ; every++ { // decades from one power of ten to the next, or 0: 1, 2 and 5 times each
		var ticks []tick
		factors, step := []float64{1}, float64(every)
		if every == 0 {
			factors, step = []float64{1, 2, 5}, 1
		}
		for e := math.Floor(lo/step) * step; len(ticks) <= n+1; e += step {
			for _, m := range factors {
				at := e + float64(math.Log10(m))
				if at <= lo+1e-9 {
					ticks = nil
				}
				label := timesTen(plain(m, 0), int(e))
				if isPlain {
					label = plain(m*math.Pow10(int(e)), int(-e))
				}
				if ticks = append(ticks, tick{at, label}); at >= hi-1e-9 && len(ticks) > 1 && len(ticks) <= n+1 {
					return ticks
				}
			}
		}
	}
}

// plain writes v with that many decimals, with commas between the thousands, and with a minus sign that is
// as wide as a plus.
func plain(v float64, decimals int) string {
	text := strconv.FormatFloat(math.Abs(v), 'f', max(decimals, 0), 64)
	whole, _, _ := strings.Cut(text, ".")
	for i := len(whole) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	if v < 0 {
		return "−" + text
	}
	return text
}

// short writes v with four digits, as a plain number unless that is long.
func short(v float64) string {
	size := math.Abs(v)
	switch {
	case v == 0:
		return "0"
	case size >= 1e-3 && size < 1e8:
		return trimmed(plain(v, 3-int(math.Floor(math.Log10(size)))))
	}
	return scientific(v, 4)
}

// scientific writes v with up to that many digits, times a power of ten.
func scientific(v float64, digits int) string {
	m, e, _ := strings.Cut(strconv.FormatFloat(v, 'e', digits-1, 64), "e")
	exp, _ := strconv.Atoi(e) // which FormatFloat wrote
	return timesTen(strings.Replace(trimmed(m), "-", "−", 1), exp)
}

// trimmed drops the zeros at the end of decimals.
func trimmed(number string) string {
	if strings.Contains(number, ".") {
		number = strings.TrimRight(strings.TrimRight(number, "0"), ".")
	}
	return number
}

// timesTen writes m·10^exp, and m only if it is not one.
func timesTen(m string, exp int) string {
	if m += "·"; m == "1·" || m == "−1·" {
		m = strings.TrimSuffix(m, "1·")
	}
	return m + "10" + strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
		"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹").Replace(strconv.Itoa(exp))
}

// points returns the number of points of s.
func (s *Series) points() int {
	if len(s.X) == 0 {
		return len(s.Y)
	}
	return min(len(s.X), len(s.Y))
}

// A point is in axis units or in pixels. In pixels, i is its place in the series.
type point struct {
	x, y float64
	i    int
}

// pointAt returns point i of s in axis units, and whether it can be drawn.
func (c *Chart) pointAt(s *Series, i int) (point, bool) {
	v := float64(i + 1)
	if len(s.X) > 0 {
		v = s.X[i]
	}
	x, okX := axisUnits(v, c.LogX)
	y, okY := axisUnits(s.Y[i], c.LogY)
	return point{x: x, y: y}, okX && okY
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
		v = point{p.x.pixel(v.x), p.y.pixel(v.y), i}
		at := point{x: math.Floor(v.x), y: math.Floor(v.y)}
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

// drawPiece draws a piece of s: its line, and marks that say their values. Where there is no space for a
// mark at each point, marks stand at some, and only the pointer shows them. A piece of one point always has
// its mark, because it has no line.
func (d *drawing) drawPiece(p *panel, s *Series, piece []point) {
	style, class := d.styles[s.Name], "mark"
	fmt.Fprintf(d, "<g class=\"s%d\">", style%colours)
	if len(piece) > 1 {
		d.drawLine(style, piece)
		if !d.marks {
			class = "hover"
		}
	} else if s.Points {
		class = "dot"
	}
	free := math.Inf(-1)
	for _, at := range piece {
		if class != "hover" || at.x >= free {
			free = at.x + markGap
			x := float64(at.i + 1)
			if len(s.X) > 0 {
				x = s.X[at.i]
			}
			says := strings.TrimSpace(fitText(p.XLabel, labelSize, d.panelW)+" "+short(x)) + ": " + short(s.Y[at.i])
			if style >= 0 {
				says = d.looks[style].name + ", " + says
			}
			d.drawMark(class, style, at, cmp.Or(s.Size, 1), says)
		}
	}
	d.WriteString("</g>\n")
}

func (d *drawing) drawLine(style int, piece []point) {
	fmt.Fprintf(d, "<path class=\"line d%d\" d=\"M", style%dashes)
	for _, p := range piece {
		fmt.Fprintf(d, "%s %s ", pixel(p.x), pixel(p.y))
	}
	d.WriteString("\"/>")
}

// drawMark draws a mark of that size, which says a text to the pointer.
func (d *drawing) drawMark(class string, style int, at point, size float64, says string) {
	place := fmt.Sprintf(`x="%s" y="%s"`, pixel(at.x), pixel(at.y))
	if size > 0 && size != 1 {
		place = fmt.Sprintf(`transform="translate(%s %s) scale(%s)"`, pixel(at.x), pixel(at.y), pixel(min(size, 10)))
	}
	fmt.Fprintf(d, "\n<use class=\"%s\" href=\"#m%d<id>\" %s>", class, max(style, 0)%markers, place)
	if says != "" {
		fmt.Fprintf(d, "<title>%s</title>", xmlText(says))
	}
	d.WriteString("</use>")
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
	case strings.ContainsRune("ijl.,:;'|!()[]· ⁰¹²³⁴⁵⁶⁷⁸⁹⁻", r):
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
