// Line charts as SVG: charts in a grid, under a legend, with one set of colours for
// light pages and one for dark. Not here: the axes (axis.go), the lines (svgline.go) and
// the text (svgtext.go), bars, error bands, interaction, and files.

package mlp

import (
	"bytes"
	"cmp"
	"fmt"
	"hash/fnv"
	"io"
	"math"
	"slices"
)

// Figure is the content of one SVG file: charts in a grid, filled row by row, under one
// legend. If the grid has several rows and columns and no series appears in two rows,
// each row has a legend of its own. A figure is 720 CSS pixels wide if it has one
// column, otherwise 960; its height follows from its rows.
type Figure struct {
	Title   string // is drawn on top; screen readers read it out
	Desc    string // says in words what the figure shows, only for screen readers; if empty, they read Caption
	Caption string // is drawn below the charts, wrapped
	Columns int    // charts side by side, 1 to 4; less counts as 1, more as 4
	SameY   bool   // the charts of a row share one y axis; they must be all linear or all log
	Charts  []Chart
}

// Chart is one chart of a figure. Its axes span the points and the guides, in the units
// of the data, which the labels should name. A range that is too narrow to label with
// six digits is widened.
type Chart struct {
	Title, XLabel, YLabel string
	LogX, LogY            bool // a log axis leaves out values that are not positive
	Series                []Series
	Guides                []Guide
}

// Series is one line, or points. A point that is NaN, infinite or, on a linear axis, beyond ±1e300
// leaves a gap in it. If X is empty, the points are at 1, 2, 3 and so on; otherwise
// the series has as many points as the shorter of X and Y.
type Series struct {
	Name   string // for the legend, if not empty; series of one name look the same in all charts
	X, Y   []float64
	Points bool // draw a mark at each point and no line: a scatter
}

// Guide is a horizontal line at Y, in the units of the y axis, to compare with.
type Guide struct {
	Label string // is drawn at the right end of the line
	Y     float64
}

// Sizes in CSS pixels.
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

// The style of a series is a number: style i has colour i%7, dash i%5 and marker i%6. So
// lines differ without colour too, and the first 35 styles differ even without markers.
const (
	colours = 7
	dashes  = 5
	markers = 6
)

// plotStart is the document up to the first chart. It takes the width, the height, the
// title, the description and what ends each id.
const plotStart = `<svg xmlns="http://www.w3.org/2000/svg" class="plot" width="%[1]v" height="%[2]v" viewBox="0 0 %[1]v %[2]v" role="img" aria-labelledby="title%[5]s desc%[5]s">
<title id="title%[5]s">%[3]s</title>
<desc id="desc%[5]s">%[4]s</desc>
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
<defs><circle id="m0%[5]s" r="3.5"/><path id="m1%[5]s" d="M-3.2-3.2H3.2V3.2H-3.2Z"/><path id="m2%[5]s" d="M0-4.4L4.2 3.2H-4.2Z"/><path id="m3%[5]s" d="M0-4.6L4.6 0 0 4.6-4.6 0Z"/><path id="m4%[5]s" d="M0 4.4L4.2-3.2H-4.2Z"/><path id="m5%[5]s" d="M-1.4-4.2H1.4V-1.4H4.2V1.4H1.4V4.2H-1.4V1.4H-4.2V-1.4H-1.4Z"/></defs>
<rect class="bg" width="100%%" height="100%%"/>
`

// SVG returns the figure as an SVG document. The same figure gives the same bytes. Its ids
// end with a hash of the document without it, so that several figures can stand in one HTML
// page.
func (f *Figure) SVG() []byte {
	l, hash := f.layout(), fnv.New64a()
	hash.Write(f.draw(l))
	l.id = fmt.Sprintf("-%x", hash.Sum64())
	return f.draw(l)
}

func (f *Figure) draw(l *layout) []byte {
	b := new(bytes.Buffer)
	fmt.Fprintf(b, plotStart, pixel(l.width), pixel(l.height), xmlText(cmp.Or(f.Title, "Line chart")), xmlText(cmp.Or(f.Desc, f.Caption)), l.id)
	writeText(b, "head", margin, margin+headSize, fitText(f.Title, headSize, l.width-2*margin))
	for _, g := range l.legends {
		l.writeLegend(b, g)
	}
	for i := range f.Charts {
		x := margin + float64(float64(i%l.cols)*l.panelW) + l.left
		y := l.rowTop(i/l.cols) + l.rowLegend + l.top
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

// A layout is where everything in a figure is drawn, in pixels. A panel is a chart with
// its margins. All panels have the same shape, so that their plots line up.
type layout struct {
	width, height            float64
	head                     float64 // all that is above the first row
	rowLegend                float64 // the legend of each row, if it has one
	panelW, panelH           float64
	left, right, top, bottom float64 // margins of the plot in its panel
	plotW, plotH             float64
	cols                     int
	y                        []span   // the range of each chart's y axis
	caption                  []string // its lines
	names                    []string // of the series, in order of appearance; the index is the style
	points                   []int    // of the longest line of each name
	marks                    bool     // each point has a mark, because there is space for those of the longest series
	legends                  []legend
	id                       string // ends the ids of the document
}

// A legend explains some styles, from top down.
type legend struct {
	top    float64
	styles []int
}

func (f *Figure) layout() *layout {
	cols := max(1, min(f.Columns, 4, len(f.Charts)))
	l := &layout{width: 720, right: 20, top: inset, bottom: 20, cols: cols}
	if cols > 1 {
		l.width = 960
	}
	l.panelW = (l.width - 2*margin) / float64(cols)
	l.plotH = 130 + 100/float64(cols)
	l.y = f.ySpans(cols)
	longest := 0
	for i := range f.Charts {
		longest = max(longest, l.fit(&f.Charts[i], l.y[i]))
	}
	l.plotW = l.panelW - l.left - l.right
	l.marks = float64(longest) <= l.plotW/12
	l.placeLegends(f)
	l.height = l.rowTop((len(f.Charts)+cols-1)/cols) + inset
	if l.caption = wrapText(f.Caption, labelSize, l.width-2*margin); len(l.caption) > 0 {
		l.height += float64(len(l.caption)*captionRow) + inset
	}
	return l
}

// fit widens the margins to what c needs, gives its series their styles and returns the
// number of points of the longest.
func (l *layout) fit(c *Chart, y span) (longest int) {
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
		n := s.points()
		if s.Points {
			n = min(n, 1) // as that of a series of one point its piece in the legend has no line
		}
		longest = max(longest, n)
		i := slices.Index(l.names, s.Name)
		if i < 0 {
			i, l.names, l.points = len(l.names), append(l.names, s.Name), append(l.points, 0)
		}
		l.points[i] = max(l.points[i], n)
	}
	return longest
}

func (l *layout) guideLabel(g Guide) string { return fitText(g.Label, tickSize, l.panelW/5) }

// rowTop returns where a row of panels begins.
func (l *layout) rowTop(row int) float64 { return l.head + float64(float64(row)*l.panelH) }

// placeLegends sets how high the head and the panels are, and puts one legend into the
// head or one above each row.
func (l *layout) placeLegends(f *Figure) {
	l.head = margin
	if f.Title != "" {
		l.head += headSize + 12
	}
	l.panelH = l.top + l.plotH + l.bottom + inset
	height, groups, first := 0.0, l.legendStyles(f.Charts), l.head
	for _, styles := range groups {
		height = max(height, float64(l.writeLegend(io.Discard, legend{styles: styles})*legendRow)+inset)
	}
	if len(groups) == 1 {
		l.head += height
	} else {
		l.rowLegend = height
		l.panelH += height
	}
	for i, styles := range groups {
		l.legends = append(l.legends, legend{first + float64(float64(i)*l.panelH), styles})
	}
}

// legendStyles returns the styles of each row, for a legend each, or all styles for one
// legend if there is only one column or a style is in two rows.
func (l *layout) legendStyles(charts []Chart) (rows [][]int) {
	var all []int
	for row := range slices.Chunk(charts, l.cols) {
		var styles []int
		for _, c := range row {
			for _, s := range c.Series {
				if style := slices.Index(l.names, s.Name); s.Name != "" && !slices.Contains(styles, style) {
					styles = append(styles, style)
				}
			}
		}
		rows, all = append(rows, styles), append(all, styles...)
	}
	slices.Sort(all)
	once := slices.Compact(slices.Clone(all))
	if l.cols == 1 || len(once) < len(all) {
		return [][]int{once}
	}
	return rows
}

// writeLegend sets out the names of g's styles in lines and returns how many lines it
// took.
func (l *layout) writeLegend(b io.Writer, g legend) (lines int) {
	right := l.width - margin
	x := right
	for _, style := range g.styles {
		name := fitText(l.names[style], labelSize, right-margin-sampleSize-6)
		w := sampleSize + 6 + textWidth(name, labelSize)
		if x+w > right {
			x, lines = margin, lines+1
		}
		y := g.top + float64(lines*legendRow) - legendRow/2
		if l.points[style] != 1 {
			l.writePiece(b, []point{{x, y}, {x + sampleSize, y}}, style, false)
		}
		if l.marks || l.points[style] == 1 {
			l.writePiece(b, []point{{x + sampleSize/2, y}}, style, true)
		}
		writeText(b, "name", x+sampleSize+6, y+4, name)
		x += w + 18
	}
	return lines
}

// writeChart draws c, whose y axis spans sy. Its origin is the top left of the plot.
func (l *layout) writeChart(b io.Writer, c *Chart, sy span) {
	sx, _ := c.spans()
	x, y := xAxis(sx, c.LogX, l.plotW), l.yAxis(sy, c.LogY)
	writeText(b, "title", 0, titleSize-l.top, fitText(c.Title, titleSize, l.plotW))
	l.writeXAxis(b, c, x)
	l.writeYAxis(b, c, y)
	l.writeGuides(b, c, y)
	for i := range c.Series {
		style := slices.Index(l.names, c.Series[i].Name)
		for _, p := range c.pieces(&c.Series[i], x, y) {
			l.writePiece(b, p, style, l.marks)
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

// writeGuides moves a label down if it would touch the one above, and leaves it out if
// it would end up below the plot.
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
