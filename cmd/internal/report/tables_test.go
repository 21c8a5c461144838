// The page of a table's model in a real browser: it answers as cmd/table -model does, its
// contributions add up, and names that are HTML stay texts.

package report

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"mlp"
)

// tableCommand builds cmd/table once, and returns the name of the program.
var tableCommand = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "table")
	if err == nil {
		err = exec.Command("go", "build", "-o", dir, "../../table").Run()
	}
	return filepath.Join(dir, "table"), err
})

// A tableRun is a finished run of cmd/table.
type tableRun struct {
	t      *testing.T
	out    string
	model  *mlp.Model
	header []string
}

// runTable trains three networks for a few epochs on a table.
func runTable(t *testing.T, table string, flags ...string) *tableRun {
	t.Helper()
	r := &tableRun{t: t, out: t.TempDir()}
	name := filepath.Join(r.out, "data.csv")
	if err := os.WriteFile(name, []byte(table), 0o666); err != nil {
		t.Fatal(err)
	}
	said := r.table(append([]string{"-ensemble", "3", "-epochs", "8", "-hidden", "16,8", "-out", r.out, name}, flags...)...)
	if !strings.Contains(said, "Weights SHA-256") {
		t.Fatalf("printed %s", said)
	}
	m, err := mlp.ReadModelFile(filepath.Join(r.out, "model.npz"))
	if err != nil {
		t.Fatal(err)
	}
	r.model = m
	return r
}

// table runs cmd/table and returns what it prints.
func (r *tableRun) table(args ...string) string {
	r.t.Helper()
	program, err := tableCommand()
	if err != nil {
		r.t.Fatal(err)
	}
	c := exec.Command(program, args...)
	var stderr strings.Builder
	c.Stderr = &stderr
	text, err := c.Output()
	if err != nil {
		r.t.Fatalf("%q: %v: %s", args, err, stderr.String())
	}
	return string(text)
}

// page is the page of the run.
func (r *tableRun) page() []byte {
	html, err := os.ReadFile(filepath.Join(r.out, "report.html"))
	if err != nil {
		r.t.Fatal(err)
	}
	return html
}

// agrees fails unless mlp.row returns for each row of a table what cmd/table -model prints behind
// it.
func (r *tableRun) agrees(b *browser, table string) {
	r.t.Helper()
	name := filepath.Join(r.out, "new.csv")
	if err := os.WriteFile(name, []byte(table), 0o666); err != nil {
		r.t.Fatal(err)
	}
	given, _ := csv.NewReader(strings.NewReader(table)).ReadAll()
	answered, err := csv.NewReader(strings.NewReader(r.table("-model", filepath.Join(r.out, "model.npz"), name))).ReadAll()
	if err != nil || len(answered) != len(given) {
		r.t.Fatalf("%d of %d rows, error %v", len(answered), len(given), err)
	}
	var rows []map[string]string
	for _, cells := range given[1:] {
		row := map[string]string{}
		for i, v := range cells {
			row[given[0][i]] = v
		}
		rows = append(rows, row)
	}
	text, _ := json.Marshal(rows)
	text, _ = json.Marshal(string(text)) // JSON.parse makes __proto__ a column, and JavaScript would not
	var got [][][2]any
	b.eval(fmt.Sprintf("JSON.parse(%s).map(row => Object.entries(mlp.row(row)))", text), &got)
	for i, row := range got {
		want := answered[1+i][len(given[0]):]
		if len(row) != len(want) {
			r.t.Fatalf("row %d: %v, want %q", i+1, row, want)
		}
		for k, cell := range row {
			ok := cell[0] == answered[0][len(given[0])+k]
			if v, isNumber := cell[1].(float64); isNumber {
				w, err := strconv.ParseFloat(want[k], 64)
				ok = ok && err == nil && math.Abs(v-w) <= 1e-6*max(1, math.Abs(w))+5e-6*math.Abs(w) // which has six digits
			} else {
				ok = ok && cell[1] == want[k]
			}
			if !ok {
				r.t.Errorf("row %d: %q is %v, cmd/table has %q %s", i+1, cell[0], cell[1], answered[0][len(given[0])+k], want[k])
			}
		}
	}
}

// raw returns the raw numbers of a row of texts for columns that are numbers or categories.
func (r *tableRun) raw(row map[string]string) (raw []float64) {
	for _, c := range r.model.Columns {
		v, err := strconv.ParseFloat(row[c.Name], 64)
		if c.Values != nil {
			v, err = float64(slices.Index(c.Values, row[c.Name])), nil
		}
		if err != nil || row[c.Name] == "" {
			v = math.NaN()
		}
		raw = append(raw, v)
	}
	return raw
}

// addsUp fails unless the contributions to each output add up to what the package computes of the
// row and the median row: the difference in the number, in the logit of a label, or in that of a
// class less the mean of the others'.
func (r *tableRun) addsUp(b *browser, row map[string]string) {
	r.t.Helper()
	_, text, _ := strings.Cut(string(r.page()), `id="data">`)
	text, _, _ = strings.Cut(text, "</script>")
	var d struct{ Start []*float64 }
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		r.t.Fatal(err)
	}
	x := mlp.NewMatrix(2, len(d.Start), slices.Concat(make([]float64, len(d.Start)), r.raw(row))...)
	for i, v := range d.Start {
		if x.Data[i] = math.NaN(); v != nil {
			x.Data[i] = *v
		}
	}
	inputs, y, z := r.model.Columns.Apply(new(mlp.Matrix), x), mlp.NewMatrix(2, r.model.Net[len(r.model.Net)-1].W.Cols), new(mlp.Matrix)
	nets := []mlp.Network{r.model.Net}
	for _, other := range r.model.Others {
		nets = append(nets, other.Net)
	}
	for _, net := range nets {
		net.Predict(z, inputs)
		for i, v := range z.Data {
			k, others := i%z.Cols, 0.0
			switch r.model.Task() {
			case mlp.Numbers:
				v *= r.model.Targets[k].Std[0]
			case mlp.Classes:
				for j, w := range z.Row(i / z.Cols) {
					if j != k {
						others += w / float64(z.Cols-1)
					}
				}
			}
			y.Data[i] += (v - others) / float64(len(nets))
		}
	}
	given, _ := json.Marshal(row)
	for k := range y.Cols {
		var parts []float64
		b.eval(fmt.Sprintf("mlp.attribution(%s, %d)", given, k), &parts)
		total, want := 0.0, y.Row(1)[k]-y.Row(0)[k]
		for _, v := range parts {
			total += v
		}
		if !(math.Abs(total-want) < 1e-6*max(1, math.Abs(want))) || want == 0 {
			r.t.Errorf("output %d: %v add up to %v, want %v", k, parts, total, want)
		}
	}
}

func irisTable(t *testing.T) string {
	text, err := os.ReadFile("../../table/testdata/iris.csv")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Of iris the page answers as the command, its parts add up, a bar explains another class, the
// smallest change changes the answer, a warning says what is outside, and a row loads.
func testClasses(t *testing.T, b *browser) {
	table := irisTable(t)
	r := runTable(t, table, "-target", "species", "-holdout", "0.2", "-calibrate")
	b.open(r.page())
	lines := strings.Split(table, "\n")
	r.agrees(b, strings.Join(append(lines[:40:40], "9.9,,0,NA,x", "none,?,-,1e1,x", "5.1,\"3,5\",1.4,.2,x"), "\n")+"\n")
	row := map[string]string{"sepal length": "7.7", "sepal width": "2.6", "petal length": "6.9", "petal width": "2.3"}
	r.addsUp(b, row)
	row["petal width"] = ""
	r.addsUp(b, row)

	first, why := b.text("#verdict"), b.text("#why")
	if b.click("#bars li:not(.first) button"); b.text("#why") == why {
		t.Errorf("a bar of another class still says %q", why)
	}
	b.press(0, "ArrowDown")
	if b.click("#try"); b.text("#verdict") == first {
		t.Errorf("after the smallest change it still answers %q", first)
	}
	b.eval("(e => { e.value = '99'; e.dispatchEvent(new Event('input', {bubbles: true})) })(document.querySelector('#fields input'))", nil)
	if got := b.text("#fields .warning"); got != "is outside the range of training" {
		t.Errorf("of 99 it says %q", got)
	}
	b.click("#median")
	if got := b.text("#verdict"); got != first {
		t.Errorf("of the median row again it answers %q, before %q", got, first)
	}
	b.click("[data-worst='0']")
	var cells []float64
	var at int
	b.eval("[...document.querySelectorAll('#fields input')].map(e => Number(e.value))", &cells)
	b.eval("Number(document.querySelector('[data-worst]').textContent)", &at)
	if want := strings.Join(strings.Split(lines[at], ",")[:4], " "); strings.NewReplacer("[", "", "]", "", ".0 ", " ").Replace(fmt.Sprint(cells)+" ") != strings.ReplaceAll(want+" ", ".0 ", " ") {
		t.Errorf("row %d loads as %v, want %s", at, cells, want)
	}
	for selector, want := range map[string]int{"#effects path.mean": 4, "#effects path.single": 80, "#charts path.mine": 1, ".counts [data-count]": 9, "#loss-chart path": 1} {
		var n int
		if b.eval(fmt.Sprintf("document.querySelectorAll(%q).length", selector), &n); n != want {
			t.Errorf("%d of %s, want %d", n, selector, want)
		}
	}
	defer b.call("Emulation.clearDeviceMetricsOverride", nil, nil)
	for _, width := range []int{380, 1600} {
		b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false}, nil)
		b.frame()
		var wide int
		if b.eval("document.documentElement.scrollWidth", &wide); wide > width {
			t.Errorf("in a window of %d pixels the page has %d", width, wide)
		}
	}
}

// mixed is a table of every kind of column: numbers with gaps, units and percent, categories of
// which some are rare, and dates and times.
func mixed() string {
	var b strings.Builder
	b.WriteString("size,rate,colour,town,day,at,when,price,weight\n")
	for i := range 240 {
		size, colour := fmt.Sprintf("%d.%03d km", 1+i%7, i*37%1000), []string{"red", "green", "", "light, blue"}[i%4]
		town := fmt.Sprintf("town %d", i%12)
		if i%8 == 0 {
			town = fmt.Sprintf("village %d", i%96)
		}
		if i%11 == 0 {
			size = ""
		}
		fmt.Fprintf(&b, "%s,%d %%,%q,%s,2024-%02d-%02d,%02d:%02d,%02d/%02d/2023 %02d:00,%d,%v\n", size, i%13, colour, town, 1+i%12, 1+i*7%28, i%24, i%60, 1+i%12, 1+i%28, i%24,
			10*(1+i%7)+100*(i%4), float64(i%13)/8-float64(i%24)/100)
	}
	return b.String()
}

// Two targets, with margins and without, and cells that are missing, new or outside.
func testMixed(t *testing.T, b *browser) {
	slowly(t)
	r := runTable(t, mixed(), "-target", "price,weight", "-holdout", "0.2", "-interval", "0.5")
	b.open(r.page())
	rows := "size,rate,colour,town,day,at,when\n1.5 km,3 %,red,town 3,2024-05-06,10:30,2023-03-04 10:00\n,,,,,,\n12.345,-1%,mauve,village 1,1999-12-31,23:59:59,2025-01-01\n" +
		"\"1,25\",NA,\"light, blue\",none,NA,0:00,?\n1e3 km,4e-1 %,None,other,2024-02-29T01:02,?,2023-03-04T10:00:30\n"
	r.agrees(b, rows)
	var ranges string
	if b.eval("[...document.querySelectorAll('#fields label')].map(e => e.textContent).join()", &ranges); !strings.Contains(ranges, "2024-01-01 to 2024-12-22") {
		t.Errorf("the fields are %s", ranges)
	}
	var refused []string
	b.eval(`['1.5 mi', '1,234', 'x', '1e999', '4,5,6'].map(size => { try { return JSON.stringify(mlp.row({size, rate: '', colour: '', town: '', day: '', at: '', when: ''})) } catch (e) { return e.message } })`, &refused)
	for _, got := range refused {
		if got != "size is no number that this page reads" {
			t.Errorf("%q", got)
		}
	}
	file, _ := csv.NewReader(strings.NewReader(mixed())).ReadAll()
	for i := range 20 { // each worst row loads, and its cells are those of the file
		var loaded []string
		b.eval(fmt.Sprintf("(b => { b.click(); return [b.textContent, ...[...document.querySelectorAll('#fields :is(input, select)')].map(e => e.value)] })(document.querySelector(`[data-worst='%d']`))", i), &loaded)
		row, _ := strconv.Atoi(loaded[0])
		want := slices.Clone(file[row][:7])
		want[0], want[5] = strings.TrimRight(strings.TrimSuffix(want[0], " km"), "0"), want[5]+":00"
		want[6] = want[6][6:10] + "-" + want[6][:2] + "-" + want[6][3:5] + want[6][10:] + ":00"
		loaded[1] = strings.TrimRight(loaded[1], "0")
		if loaded[4] == "other" {
			want[3] = "other"
		}
		if !slices.Equal(loaded[1:], want) {
			t.Errorf("row %d loads as %q, want %q", row, loaded[1:], want)
		}
	}
	if n := strings.Count(string(r.page()), "NaN"); n > strings.Count(common+tablesScript, "NaN") {
		t.Error("the data have NaN")
	}
	if b.text("#change") == "" || strings.Contains(b.text("#parts"), "not a number") {
		t.Errorf("%q, %q", b.text("#change"), b.text("#parts"))
	}

	plain := runTable(t, "a,c,y,z\n"+strings.Repeat("1,x,1,2\n2,y,3,1\n3,x,4,4\n,y,2,7\n5,x,7,5\n", 12), "-target", "y,z", "-ensemble", "1", "-missing", "mean")
	b.open(plain.page())
	plain.agrees(b, "c,a\nx,4\ny,\nz,2.5\n,9\n")
	plain.addsUp(b, map[string]string{"a": "5", "c": "y"})
}

// Two labels, one of numbers, of networks that are calibrated.
func testTableLabels(t *testing.T, b *browser) {
	slowly(t)
	var table strings.Builder
	table.WriteString("x,y,big,near\n")
	for i := range 200 {
		x, y := float64(i%20)/10-1, float64(i/10)/10-1
		fmt.Fprintf(&table, "%v,%v,%v,%d\n", x, y, map[bool]string{false: "no", true: "yes"}[x > 0.1], map[bool]int{true: 1}[x*x+y*y < 0.5])
	}
	r := runTable(t, table.String(), "-target", "big,near", "-holdout", "0.3", "-calibrate")
	b.open(r.page())
	r.agrees(b, "x,y,big\n0.9,0,?\n-0.9,0.9,yes\n0.1,0,\n,5,no\n")
	r.addsUp(b, map[string]string{"x": "0.7", "y": "-0.2"})
	var tables int
	if b.eval("document.querySelectorAll('.counts').length", &tables); tables != 2 {
		t.Errorf("%d confusions", tables)
	}
}

// Names and values that are HTML, or JavaScript's own, are texts, and columns like others.
func testHostileTable(t *testing.T, b *browser) {
	slowly(t)
	const evil = `</script><img src=x onerror=alert(1)><!-- " '`
	table := fmt.Sprintf("__proto__,constructor,%q,toString\n", strings.ReplaceAll(evil, `"`, "`"))
	for i := range 80 {
		table += fmt.Sprintf("%d,%s,%s %d,%s\n", i%9, []string{"__proto__", "valueOf", ""}[i%3], "<b>bold</b>", i%5, []string{"constructor", "__proto__"}[i%9/5])
	}
	for _, target := range []string{"toString", "__proto__"} {
		r := runTable(t, table, "-target", target)
		b.open(r.page())
		r.agrees(b, strings.Join(strings.Split(table, "\n")[:12], "\n")+"\n")
		var images int
		if b.eval("document.querySelectorAll('img, b b').length", &images); images > 0 {
			t.Errorf("%d elements", images)
		}
		if !strings.Contains(b.text("#fields"), "onerror=alert(1)") {
			t.Errorf("the fields are %q", b.text("#fields"))
		}
		b.click("[data-worst='0']")
	}
}
