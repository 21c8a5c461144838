// The page for everybody: drawing with what one has, what a screen reader says, charts that
// can be read, print, and the colours of the system.

package report

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"mlp"
)

// slowly skips a test that only CI needs.
func slowly(t *testing.T) {
	t.Helper()
	if os.Getenv("MLP_ATTACK") == "" {
		t.Skip("$MLP_ATTACK is not set")
	}
}

// text returns the text of the element that a selector finds.
func (b *browser) text(selector string) (s string) {
	b.t.Helper()
	b.eval(fmt.Sprintf("document.querySelector(%q).textContent", selector), &s)
	return s
}

// press presses keys one after another. A browser scrolls by the codes of the arrows.
func (b *browser) press(modifiers int, keys ...string) {
	for _, key := range keys {
		code := 0
		if i := slices.Index([]string{"ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"}, key); i >= 0 {
			code = 37 + i
		}
		for _, kind := range []string{"keyDown", "keyUp"} {
			b.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": key, "modifiers": modifiers, "windowsVirtualKeyCode": code}, nil)
		}
	}
	b.frame()
}

// A tap is a dot, which is too small; Clear and strokes can be undone; a screen reader says
// the answer once a stroke; a test digit says what it is labelled.
func testDrawing(t *testing.T, b *browser) {
	slowly(t)
	_, test := sample(t, 60)
	b.open(mustHTML(t, trained(t, mlp.ReLU, false, false, 1, 16), test))
	b.settle()
	if got := b.text("#remark"); !strings.HasPrefix(got, "A test digit, labelled 3, read ") {
		t.Errorf("a test digit: %q", got)
	}
	box := b.place("#draw")
	at := func(x, y float64) [2]float64 { return [2]float64{box[0] + x*box[2], box[1] + y*box[3]} }
	b.mouse(at(0.3, 0.4))
	if got := b.text("#remark"); strings.Trim(b.image(), "[0, ]") == "" || !strings.HasPrefix(got, "Draw larger") {
		t.Errorf("a tap leaves %.40s and says %q", b.image(), got)
	}
	b.eval(`window.said = []; new MutationObserver(all => said.push(document.querySelector('#said').textContent)).observe(document.querySelector('#said'), {childList: true});
		document.querySelectorAll('[aria-live], [role=status]').length`, new(int))
	stroke := [][2]float64{}
	for i := range 25 {
		stroke = append(stroke, at(0.5+0.3*math.Cos(float64(i)/4), 0.5+0.4*math.Sin(float64(i)/4)))
	}
	b.mouse(stroke...)
	var said []string
	var regions int
	b.eval("said", &said)
	b.eval("document.querySelectorAll('[aria-live], [role=status]').length", &regions)
	if len(said) != 1 || !strings.Contains(said[0], " %, then ") || regions != 1 {
		t.Errorf("in %d regions a screen reader says %q", regions, said)
	}
	if got := b.text("#remark"); got != "" {
		t.Errorf("of a large drawing the page says %q", got)
	}
	drawn := b.image()
	b.click("#clear")
	cleared := b.image()
	b.press(2, "z")
	if got := b.image(); cleared == drawn || got != drawn {
		t.Error("Ctrl-Z does not bring back what Clear took")
	}
	b.press(2, "z")
	if b.click("#undo"); b.text("#verdict") != "Nothing yet." {
		t.Errorf("without strokes it reads %q", b.text("#verdict"))
	}
	b.click("#undo")
	if got := b.text("#remark"); !strings.HasPrefix(got, "A test digit") {
		t.Errorf("undone to the beginning: %q", got)
	}
}

// Ticks enclose their range and are few. Their labels differ, each is the number at which its tick
// stands, and a chart as SVG has the same ones.
func testTicks(t *testing.T, b *browser) {
	slowly(t)
	type tick struct {
		V     float64
		Label string
	}
	type span struct {
		Low, High float64
		Log       bool
		Ticks     []tick
	}
	spans := []span{{Low: 2.3056, High: 2.3061}, {Low: 0.92, High: 0.9998}, {}, {Low: 5, High: 5}, {High: 1.4e6}, {High: 1.2e138}, {Low: -3, High: 1e-9}, {Low: 0.1, High: 0.1},
		{Low: 1e-12, High: 1, Log: true}, {Low: 3, High: 3, Log: true}, {Low: 0.11, High: 0.3, Log: true}, {Low: 5e-324, High: 1e300, Log: true}}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		low, gap := math.Exp(40*rng.Float64()-20), math.Exp(20*rng.Float64()-10)
		spans = append(spans, span{Low: low, High: low * (1 + gap), Log: rng.IntN(2) == 0})
	}
	text, _ := json.Marshal(spans)
	b.eval(fmt.Sprintf("(() => {%s; return %s.map(s => ({...s, Ticks: axis(s.Low, s.High, s.Log)}))})()", common, text), &spans)
	for _, s := range spans {
		n, labels := len(s.Ticks), map[string]bool{}
		for _, tick := range s.Ticks {
			labels[tick.Label] = true
			var v float64
			digits := strings.NewReplacer("−", "-", ",", "", "·10", "e", "⁻", "-", "⁰", "0", "¹", "1", "²", "2", "³", "3", "⁴", "4", "⁵", "5", "⁶", "6", "⁷", "7", "⁸", "8", "⁹", "9").Replace(tick.Label)
			if strings.HasPrefix(tick.Label, "10") && digits != tick.Label && !strings.Contains(tick.Label, ",") {
				digits = "1e" + digits[2:]
			}
			fmt.Sscan(digits, &v)
			if math.Abs(v-tick.V) > 1e-9*math.Abs(tick.V) {
				t.Errorf("%v is labelled %q", tick.V, tick.Label)
			}
		}
		if n < 2 || n > 8 || len(labels) != n || s.Ticks[0].V > s.Low || s.Ticks[n-1].V < s.High {
			t.Errorf("%v", s)
		}
		chart := mlp.Chart{LogY: s.Log, Series: []mlp.Series{{Y: []float64{s.Low, s.High}}}}
		drawn := (&mlp.Figure{Height: 160, Charts: []mlp.Chart{chart}}).SVG() // so high that five steps have space
		same := slices.EqualFunc(regexp.MustCompile(`"dim end"[^>]*>([^<]*)<`).FindAllSubmatch(drawn, -1), s.Ticks, func(m [][]byte, k tick) bool { return string(m[1]) == k.Label })
		if !same {
			t.Errorf("%v has others in %s", s, drawn)
		}
	}
	for _, want := range []string{"2.3056", "1,500,000", "1.5·10¹³⁸", "10⁻¹²", "1.0", "0.96"} {
		if !slices.ContainsFunc(spans, func(s span) bool {
			return slices.ContainsFunc(s.Ticks, func(k tick) bool { return k.Label == want })
		}) {
			t.Errorf("no tick is labelled %s", want)
		}
	}
}

// A chart has titles, names its lines, leaves out what was not measured, has the last epoch,
// and shows the values at the pointer. The keyboard scrolls the table below it.
func testCharts(t *testing.T, b *browser) {
	slowly(t)
	_, test := sample(t, 60)
	m := trained(t, mlp.ReLU, false, false, 13, 12)
	h := m.Run.History
	h[4].TestLoss, h[5].TestLoss, h[6].TestLoss, h[8].TestLoss, h[12].TestMetric = math.NaN(), 0.123, math.Inf(1), math.NaN(), 0.9876
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": false}, nil)
	defer b.call("Emulation.clearDeviceMetricsOverride", nil, nil)
	b.open(mustHTML(t, m, test))
	chart := b.text("#loss-chart")
	for _, want := range []string{"loss", "epoch", "13", "training 0.", "test 0."} {
		if !strings.Contains(chart, want) {
			t.Errorf("%q lacks %q", chart, want)
		}
	}
	var path string
	if b.eval("document.querySelectorAll('#loss-chart path')[1].getAttribute('d')", &path); strings.Count(path, "M") != 4 {
		t.Errorf("a line with three gaps is %q", path)
	}
	var top string
	b.eval("[...document.querySelectorAll('#accuracy-chart text')].map(e => e.textContent).filter(s => s === '1.0').join()", &top)
	if top != "1.0" {
		t.Errorf("accuracy goes up to %q: %s", top, b.text("#accuracy-chart"))
	}
	box := b.place("#loss-chart svg")
	b.call("Input.dispatchMouseEvent", map[string]any{"type": "mouseMoved", "x": box[0] + box[2]*0.37, "y": box[1] + box[3]/2}, nil)
	b.frame()
	if hovered := b.text("#loss-chart"); hovered == chart {
		t.Error("the pointer changes nothing")
	}
	b.eval("(s => { s.value = 4; s.dispatchEvent(new Event('input')) })(document.querySelector('#stat'))", nil)
	if ticks := b.text("#layer-chart"); !strings.HasPrefix(ticks, "0") && !strings.Contains(ticks, "0.0") {
		t.Errorf("the axis of a share does not begin at 0: %q", ticks)
	}
	b.eval("document.querySelector('#stats').parentNode.focus()", nil)
	for range 8 {
		b.press(0, "ArrowRight")
	}
	var scrolled float64
	if b.eval("new Promise(f => setTimeout(() => f(document.querySelector('#stats').parentNode.scrollLeft), 300))", &scrolled); scrolled <= 0 {
		t.Error("the keys do not scroll the table")
	}
}

// On paper the page is light, also of one who prefers dark, and its bars have their colours; so
// they have if the system forces its own. A count of zero can be read.
func testMedia(t *testing.T, b *browser) {
	slowly(t)
	_, test := sample(t, 60)
	b.prefer("dark")
	defer b.prefer("light")
	b.open(mustHTML(t, trained(t, mlp.ReLU, false, false, 2, 12), test))
	b.settle()
	const colours = `(() => {
		const lightness = c => c.map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4).reduce((s, v, i) => s + v * [0.2126, 0.7152, 0.0722][i], 0);
		const of = (selector, property) => lightness(getComputedStyle(document.querySelector(selector))[property].match(/[\d.]+/g).slice(0, 3).map(Number));
		const seen = document.querySelector('#seen').getContext('2d').getImageData(0, 0, 1, 1).data;
		return [of('.card', 'backgroundColor'), lightness([...seen].slice(0, 3)), of('.first .track i', 'backgroundColor'), of('.track', 'backgroundColor'), of('[data-count="0"]', 'color')];
	})()`
	get := func() (l [5]float64) { // the relative luminance of a card, a canvas, a bar, its track, and a zero
		b.frame()
		b.eval(colours, &l)
		return l
	}
	contrast := func(a, b float64) float64 { return (max(a, b) + 0.05) / (min(a, b) + 0.05) }
	if l := get(); l[0] > 0.1 || l[1] > 0.1 || contrast(l[0], l[4]) < 4.5 {
		t.Errorf("dark: %v", l)
	}
	feature := func(name, value string) map[string]any { return map[string]any{"name": name, "value": value} }
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "print", "features": []any{feature("prefers-color-scheme", "dark")}}, nil)
	if l := get(); l[0] < 0.8 || l[1] < 0.8 || contrast(l[2], l[3]) < 3 {
		t.Errorf("printed: %v", l)
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"media": "", "features": []any{feature("forced-colors", "active")}}, nil)
	if l := get(); contrast(l[2], l[3]) < 3 {
		t.Errorf("with forced colours: %v", l)
	}
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{}}, nil)
	if l := get(); contrast(l[0], l[4]) < 4.5 {
		t.Errorf("light: %v", l)
	}
}
