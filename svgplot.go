// Line charts as SVG: panels in a grid, one palette for light pages and one for
// dark. Deliberately not here: which numbers an axis shows (axis.go), bars,
// error bands, interaction, files. The caller picks the data and writes the bytes.

package mlp

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Figure is what one SVG file holds: charts in a grid, filled row by row, under one
// legend. It is 720 CSS pixels wide with one column and 960 with more; its height
// follows from the number of rows.
type Figure struct {
	Title   string // shown on top; screen readers read it out
	Desc    string // what the figure shows, in words, for screen readers only; empty: Caption
	Caption string // stands below the charts, wrapped
	Columns int    // charts side by side, 1 to 4; less counts as 1, more as 4
	SameY   bool   // charts of one row have one y axis, linear or log
	Charts  []Chart
}

// Chart is one panel. Its axes span the data and the guides, in the units of the
// data; labels should name those units. A range too narrow to label with six
// digits is widened.
type Chart struct {
	Title, XLabel, YLabel string
	LogX, LogY            bool // a log axis leaves out values that are not positive
	Series                []Series
	Guides                []Guide
}

// Series is one line. A point that is NaN, infinite, or on a linear axis beyond
// ±1e300 leaves a gap in it. Where X is empty the points stand at 1, 2, 3 and so
// on; otherwise there are as many points as the shorter of X and Y.
type Series struct {
	Name string // in the legend unless empty; looks the same in every chart
	X, Y []float64
}

// Guide is a horizontal reference line at Y, in units of the y axis.
type Guide struct {
	Label string // stands at the right end of the line
	Y     float64
}

// Sizes are in CSS pixels.
const (
	margin     = 16 // around the figure
	inset      = 8  // a small gap, as between the frame and the first x
	tickSize   = 11 // font sizes, as in plotStart
	labelSize  = 12
	titleSize  = 13
	headSize   = 17
	legendRow  = 19
	captionRow = 17
	sampleSize = 30 // the piece of line in a legend
)

// Series i wears colour i%7, dash i%5 and marker i%6, so that lines differ without
// colour and the first 35 differ in colour or dash alone.
const (
	colours = 7
	dashes  = 5
	markers = 6
)

// plotStart takes width, height, title and description.
const plotStart = `<svg xmlns="http://www.w3.org/2000/svg" class="plot" width="%[1]v" height="%[2]v" viewBox="0 0 %[1]v %[2]v" role="img" aria-labelledby="title desc">
<title id="title">%[3]s</title>
<desc id="desc">%[4]s</desc>
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
<defs><circle id="m0" r="3.5"/><path id="m1" d="M-3.2-3.2H3.2V3.2H-3.2Z"/><path id="m2" d="M0-4.4L4.2 3.2H-4.2Z"/><path id="m3" d="M0-4.6L4.6 0 0 4.6-4.6 0Z"/><path id="m4" d="M0 4.4L4.2-3.2H-4.2Z"/><path id="m5" d="M-1.4-4.2H1.4V-1.4H4.2V1.4H1.4V4.2H-1.4V1.4H-4.2V-1.4H-1.4Z"/></defs>
<rect class="bg" width="100%%" height="100%%"/>
`

// SVG returns the figure as an SVG document. The same figure gives the same bytes.
func (f *Figure) SVG() []byte {
	l := f.layout()
	b := new(bytes.Buffer)
	fmt.Fprintf(b, plotStart, pixel(l.width), pixel(l.height), xmlText(cmp.Or(f.Title, "Line chart")), xmlText(cmp.Or(f.Desc, f.Caption)))
	writeText(b, "head", margin, margin+headSize, fitText(f.Title, headSize, l.width-2*margin))
	l.writeLegend(b)
	for i := range f.Charts {
		x := margin + float64(float64(i%l.cols)*l.panelW) + l.left
		y := l.head + float64(float64(i/l.cols)*l.panelH) + l.top
		fmt.Fprintf(b, "<g transform=\"translate(%v %v)\">\n", pixel(x), pixel(y))
		l.writeChart(b, &f.Charts[i], l.y[i])
		b.WriteString("</g>\n")
	}
	for i, line := range l.caption {
		writeText(b, "name", margin, l.height-margin-float64((len(l.caption)-1-i)*captionRow), line)
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

// layout holds the measures of a figure, in pixels. Its panels share one shape, so
// that plots line up.
type layout struct {
	width, height            float64
	legendTop, head          float64 // head is all above the first row of panels
	panelW, panelH           float64 // a panel with its margins
	left, right, top, bottom float64 // margins of the plot in its panel
	plotW, plotH             float64
	cols                     int
	y                        []span   // of each chart
	caption                  []string // its lines
	names                    []string // of the series, in order of appearance; the index is the style
	points                   []int    // of the longest series of each name
	marks                    bool     // even the longest series has room to mark each point
}

func (f *Figure) layout() *layout {
	cols := max(1, min(f.Columns, 4, len(f.Charts)))
	l := &layout{width: 720, legendTop: margin, right: 20, top: inset, bottom: 20, cols: cols}
	if cols > 1 {
		l.width = 960
	}
	if f.Title != "" {
		l.legendTop += headSize + 12
	}
	l.panelW = (l.width - 2*margin) / float64(cols)
	l.plotH = 130 + 100/float64(cols)
	l.y = f.ySpans(cols)
	longest := 0
	for i := range f.Charts {
		longest = max(longest, l.makeRoom(&f.Charts[i], l.y[i]))
	}
	l.plotW = l.panelW - l.left - l.right
	l.marks = float64(longest) <= l.plotW/12
	l.panelH = l.top + l.plotH + l.bottom + inset
	l.head = l.legendTop + float64(l.writeLegend(io.Discard)*legendRow) + inset
	l.height = l.head + float64(float64((len(f.Charts)+cols-1)/cols)*l.panelH) + inset
	if l.caption = wrapText(f.Caption, labelSize, l.width-2*margin); len(l.caption) > 0 {
		l.height += float64(len(l.caption)*captionRow) + inset
	}
	return l
}

// ySpans returns what each chart's y axis has to span, the rows being cols long.
func (f *Figure) ySpans(cols int) []span {
	y := make([]span, len(f.Charts))
	for i := range f.Charts {
		_, y[i] = f.Charts[i].spans()
	}
	if f.SameY {
		for row := range slices.Chunk(y, cols) {
			all := row[0]
			for _, s := range row {
				all.lo, all.hi = min(all.lo, s.lo), max(all.hi, s.hi)
			}
			for i := range row {
				row[i] = all
			}
		}
	}
	return y
}

// makeRoom widens the margins to what c needs, notes the names of its series and
// returns the length of the longest.
func (l *layout) makeRoom(c *Chart, y span) (longest int) {
	left := widest(l.yAxis(y, c.LogY).ticks) + inset
	if c.YLabel != "" {
		left += labelSize + inset
	}
	if c.XLabel != "" {
		l.bottom = 20 + labelSize + inset
	}
	if c.Title != "" {
		l.top = titleSize + 2*inset
	}
	l.left = max(l.left, left)
	for _, g := range c.Guides {
		l.right = max(l.right, textWidth(l.guideLabel(g), tickSize)+2*inset)
	}
	for _, s := range c.Series {
		longest = max(longest, s.points())
		i := slices.Index(l.names, s.Name)
		if i < 0 {
			i, l.names, l.points = len(l.names), append(l.names, s.Name), append(l.points, 0)
		}
		l.points[i] = max(l.points[i], s.points())
	}
	return longest
}

func (l *layout) guideLabel(g Guide) string { return fitText(g.Label, tickSize, l.panelW/5) }

// writeLegend sets out the names in rows and returns the number of rows.
func (l *layout) writeLegend(b io.Writer) (rows int) {
	right := l.width - margin
	x := right
	for style, name := range l.names {
		if name == "" {
			continue
		}
		name = fitText(name, labelSize, right-margin-sampleSize-6)
		w := sampleSize + 6 + textWidth(name, labelSize)
		if x+w > right {
			x, rows = margin, rows+1
		}
		y := l.legendTop + float64(rows*legendRow) - legendRow/2
		if l.points[style] != 1 {
			writeRun(b, []point{{x, y}, {x + sampleSize, y}}, style, false)
		}
		if l.marks || l.points[style] == 1 {
			writeRun(b, []point{{x + sampleSize/2, y}}, style, true)
		}
		writeText(b, "name", x+sampleSize+6, y+4, name)
		x += w + 18
	}
	return rows
}

func (l *layout) writeChart(b io.Writer, c *Chart, sy span) {
	sx, _ := c.spans()
	x, y := xAxis(sx, c.LogX, l.plotW), l.yAxis(sy, c.LogY)
	writeText(b, "title", 0, titleSize-l.top, fitText(c.Title, titleSize, l.plotW))
	l.writeXAxis(b, c, x)
	l.writeYAxis(b, c, y)
	l.writeGuides(b, c, y)
	for i := range c.Series {
		style := slices.Index(l.names, c.Series[i].Name)
		for _, run := range c.runs(&c.Series[i], x, y) {
			writeRun(b, run, style, l.marks)
		}
	}
	if sx.lo > sx.hi {
		writeText(b, "dim mid", l.plotW/2, l.plotH/2+4, "no data")
	}
}

func (l *layout) writeXAxis(b io.Writer, c *Chart, a axis) {
	end := math.Inf(-1)
	for _, t := range a.ticks {
		x := a.pixel(t.at)
		fmt.Fprintf(b, "<path class=\"grid\" d=\"M%v 0V%v\"/>\n", pixel(x), pixel(l.plotH))
		if half := textWidth(t.label, tickSize) / 2; x-half > end {
			writeText(b, "tick dim mid", x, l.plotH+tickSize+6, t.label)
			end = x + half + 6
		}
	}
	writeText(b, "mid", l.plotW/2, l.plotH+20+labelSize+2, fitText(c.XLabel, labelSize, l.plotW))
}

func (l *layout) writeYAxis(b io.Writer, c *Chart, a axis) {
	for _, t := range a.ticks {
		y := a.pixel(t.at)
		fmt.Fprintf(b, "<path class=\"grid\" d=\"M0 %vH%v\"/>\n", pixel(y), pixel(l.plotW))
		writeText(b, "tick dim end", -inset, y+4, t.label)
	}
	fmt.Fprintf(b, "<path class=\"axis\" d=\"M0 %vH%v\"/>\n", pixel(l.plotH), pixel(l.plotW))
	fmt.Fprintf(b, "<g transform=\"translate(%v %v) rotate(-90)\">\n", pixel(labelSize-l.left), pixel(l.plotH/2))
	writeText(b, "mid", 0, 0, fitText(c.YLabel, labelSize, l.plotH))
	io.WriteString(b, "</g>\n")
}

// writeGuides moves a label down where it would touch the one above and leaves out
// those that end up below the plot.
func (l *layout) writeGuides(b io.Writer, c *Chart, a axis) {
	guides := slices.Clone(c.Guides)
	slices.SortStableFunc(guides, func(g, h Guide) int { return cmp.Compare(h.Y, g.Y) })
	free := math.Inf(-1)
	for _, g := range guides {
		v, ok := axisUnits(g.Y, c.LogY)
		if !ok {
			continue
		}
		y := a.pixel(v)
		fmt.Fprintf(b, "<path class=\"guide\" d=\"M0 %vH%v\"/>\n", pixel(y), pixel(l.plotW))
		if y = max(y, free); y <= l.plotH {
			writeText(b, "tick dim", l.plotW+inset, y+4, l.guideLabel(g))
			free = y + tickSize + 2
		}
	}
}

// span is the range of the drawable values along one axis, in axis units: the
// value, or its decimal logarithm on a log axis. It is empty if lo > hi.
type span struct {
	lo, hi float64
	whole  bool // all values are integers
}

func (s *span) add(v float64) {
	s.lo, s.hi = min(s.lo, v), max(s.hi, v)
	s.whole = s.whole && v == math.Trunc(v)
}

func (c *Chart) spans() (x, y span) {
	x = span{math.Inf(1), math.Inf(-1), true}
	y = x
	for i := range c.Series {
		s := &c.Series[i]
		for j := range s.points() {
			if p, ok := c.point(s, j); ok {
				x.add(p.x)
				y.add(p.y)
			}
		}
	}
	for _, g := range c.Guides {
		if v, ok := axisUnits(g.Y, c.LogY); ok {
			y.add(v)
		}
	}
	y.whole = false
	return x, y
}

func (s *Series) points() int {
	if len(s.X) == 0 {
		return len(s.Y)
	}
	return min(len(s.X), len(s.Y))
}

type point struct{ x, y float64 }

// point returns point i of s in axis units, and whether it can be drawn.
func (c *Chart) point(s *Series, i int) (point, bool) {
	v := float64(i + 1)
	if len(s.X) > 0 {
		v = s.X[i]
	}
	x, okX := axisUnits(v, c.LogX)
	y, okY := axisUnits(s.Y[i], c.LogY)
	return point{x, y}, okX && okY
}

func axisUnits(v float64, log bool) (float64, bool) {
	if log {
		v = math.Log10(v)
	}
	return v, math.Abs(v) <= 1e300
}

// runs returns the unbroken stretches of s in pixels, thinned. A gap narrower than
// a pixel column does not break the line.
func (c *Chart) runs(s *Series, x, y axis) (runs [][]point) {
	gap := true
	for i := range s.points() {
		v, ok := c.point(s, i)
		if !ok {
			gap = true
			continue
		}
		v = point{x.pixel(v.x), y.pixel(v.y)}
		if n := len(runs) - 1; n >= 0 && (!gap || column(v) == column(runs[n][len(runs[n])-1])) {
			runs[n] = append(runs[n], v)
		} else {
			runs = append(runs, []point{v})
		}
		gap = false
	}
	for i := range runs {
		runs[i] = thin(runs[i])
	}
	return runs
}

func column(p point) float64 { return math.Floor(p.x) }

// thin keeps of the points that follow one another in a pixel column the first, the
// lowest, the highest and the last, in their order.
func thin(run []point) []point {
	var kept []point
	for len(run) > 0 {
		lo, hi, n := 0, 0, 1
		for ; n < len(run) && column(run[n]) == column(run[0]); n++ {
			if run[n].y < run[lo].y {
				lo = n
			}
			if run[n].y > run[hi].y {
				hi = n
			}
		}
		keep := []int{0, min(lo, hi), max(lo, hi), n - 1}
		for _, i := range slices.Compact(keep) {
			kept = append(kept, run[i])
		}
		run = run[n:]
	}
	return kept
}

// writeRun marks each point if marks is set, and a point that stands alone in any
// case, as no line would show it.
func writeRun(b io.Writer, run []point, style int, marks bool) {
	fmt.Fprintf(b, "<g class=\"s%d\">", style%colours)
	if len(run) > 1 {
		fmt.Fprintf(b, `<path class="line d%d" d="M`, style%dashes)
		for _, p := range run {
			fmt.Fprintf(b, "%v %v ", pixel(p.x), pixel(p.y))
		}
		io.WriteString(b, `"/>`)
	}
	for _, p := range run {
		if marks || len(run) == 1 {
			fmt.Fprintf(b, "\n<use class=\"mark\" href=\"#m%d\" x=\"%v\" y=\"%v\"/>", style%markers, pixel(p.x), pixel(p.y))
		}
	}
	io.WriteString(b, "</g>\n")
}

func writeText(b io.Writer, class string, x, y float64, s string) {
	if s != "" {
		fmt.Fprintf(b, "<text class=\"%s\" x=\"%v\" y=\"%v\">%s</text>\n", class, pixel(x), pixel(y), xmlText(s))
	}
}

// pixel is a length that prints with at most two decimals.
type pixel float64

func (p pixel) String() string {
	return strconv.FormatFloat(math.Round(float64(p)*100)/100, 'f', -1, 64)
}

// xmlText escapes s. It drops what XML 1.0 cannot hold and puts U+FFFD for bytes
// that are not UTF-8.
func xmlText(s string) string {
	legal := strings.Map(func(r rune) rune {
		if r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, s)
	var b strings.Builder
	xml.EscapeText(&b, []byte(legal)) // a Builder does not fail
	return b.String()
}

// textWidth estimates the width of s in whole pixels, rather too wide than too
// narrow. Sizes are whole, so that no rounding hangs on the machine.
func textWidth(s string, size int) float64 {
	w := 0
	for _, r := range s {
		w += runeWidth(r)
	}
	return float64((w*size + 99) / 100)
}

// runeWidth is in hundredths of the font size.
func runeWidth(r rune) int {
	switch {
	case strings.ContainsRune("ijl.,:;'|!()[] ⁰¹²³⁴⁵⁶⁷⁸⁹⁻", r):
		return 38
	case strings.ContainsRune("mwMW@%…", r) || r >= 0x1100 && r < 0x2000 || r >= 0x2E80:
		return 100
	case r >= 'A' && r <= 'Z':
		return 72
	}
	return 60
}

func widest(ticks []tick) (w float64) {
	for _, t := range ticks {
		w = max(w, textWidth(t.label, tickSize))
	}
	return w
}

// fitText returns s, cut and ended with an ellipsis where it is wider than width.
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

// wrapText returns s in lines that are no wider than width; a line of s begins a
// line.
func wrapText(s string, size int, width float64) (lines []string) {
	for line := range strings.Lines(s) {
		begun := ""
		for _, word := range strings.Fields(line) {
			if longer := begun + " " + word; begun != "" && textWidth(longer, size) <= width {
				begun = longer
				continue
			}
			if begun != "" {
				lines = append(lines, begun)
			}
			begun = fitText(word, size, width)
		}
		lines = append(lines, begun)
	}
	return lines
}
