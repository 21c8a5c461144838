// The page as text: its size, what it may load, and what cannot be a page.

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/doctor"
)

// The pages name no place to load anything from, and their policy would not let them.
func TestSelfContained(t *testing.T) {
	_, test := sample(t, 20)
	play, err := Playground()
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range [][]byte{mustHTML(t, trained(t, mlp.ReLU, false, false, 1, 5), test), play} {
		selfContained(t, string(page))
	}
}

func selfContained(t *testing.T, html string) {
	t.Helper()
	for _, address := range regexp.MustCompile(`(?i)(https?:)?//[a-z0-9.-]+\.[a-z]+[^ "'<]*`).FindAllString(html, -1) {
		if address != "http://www.w3.org/2000/svg" { // a name, which is not loaded
			t.Errorf("it names %s", address)
		}
	}
	if !strings.Contains(html, `http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;; script-src &#39;sha256-`) {
		t.Error("it has no policy")
	}
	for _, handler := range regexp.MustCompile(`(?i)<[^>]* (on[a-z]+|style)=`).FindAllString(strings.Split(html, "<script")[0], -1) {
		t.Errorf("its policy forbids %s", handler)
	}
}

const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(2)>` + "\u2028"

// Texts of a model cannot end an element.
func TestEscaped(t *testing.T) {
	m := trained(t, mlp.ReLU, false, false, 1)
	m.Recipe = map[string]string{"data": hostile, hostile: hostile}
	_, test := sample(t, 20)
	html, err := HTML(m, hostile, test, hostile, []doctor.Finding{{Illness: hostile, Number: hostile, Cure: hostile}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(html, []byte("<script")); n != 2 || bytes.Contains(html, []byte("<img")) {
		t.Errorf("the page has %d scripts", n)
	}
}

// A run that explodes has numbers beyond any float32, and infinities. The page's JSON has
// all of them, and can be read: 1e999 is JSON, and a browser's infinity.
func TestExploded(t *testing.T) {
	_, test := sample(t, 20)
	m := exploded(t)
	_, text, _ := strings.Cut(string(mustHTML(t, m, test)), `id="data">`)
	text, _, _ = strings.Cut(text, "</script>")
	var d struct {
		History []struct {
			Loss, TestLoss json.Number
			ValidationLoss *float64
			Layers         [][]*json.Number
		}
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil || len(d.History) != 2 {
		t.Fatalf("%d epochs, error %v in %.60q", len(d.History), err, text)
	}
	e := d.History[1]
	if got := fmt.Sprintf("%s %s %s %v %v", e.Loss, e.TestLoss, *e.Layers[0][1], e.Layers[0][0], e.ValidationLoss); got != "1.234568e+138 1e999 1e999 <nil> <nil>" {
		t.Error(got)
	}
}

// Pasted into a shell, the command has the recipe's flags as its arguments and does
// nothing else. A recipe that would paste a control character gives no command.
func TestCommandLine(t *testing.T) {
	printable := ""
	for c := ' '; c <= '~'; c++ {
		printable += string(c)
	}
	recipe := map[string]string{"data": printable + "é", "hidden": "", "opt": "adam", "clip": "", "deform": "rotation=15,shear=0.2",
		"sha256 train": "abc", "x;id": "1", "$(id)": "1", "out": "/", "resume": "x", "verify": "x", "best": "true", "": "1", "lr -out": "1"}
	words, err := exec.Command("sh", "-c", "printf '%s\\n'"+commandLine("train", recipe)).Output()
	want := "-data=" + printable + "é\n-deform=rotation=15,shear=0.2\n-hidden=\n-opt=adam\n"
	if err != nil || string(words) != want {
		t.Errorf("%q, error %v, want %q", words, err, want)
	}
	for _, name := range strings.Fields("act batch clip data decay deform deskew dropout epochs hidden holdout init limit load lr measure momentum norm opt patience scale schedule seed shuffle warmup") {
		if got := commandLine("train", map[string]string{name: "1"}); got != " -"+name+"=1" {
			t.Errorf("-%s is %q", name, got)
		}
	}
	for c := ' '; c < 0x100; c++ {
		value, safe := commandLine("train", map[string]string{"data": string(c)}), regexp.MustCompile("[A-Za-z0-9._,/=+-]").MatchString(string(c))
		if quoted := strings.HasPrefix(value, " -data='"); quoted == safe && strconv.IsPrint(c) {
			t.Errorf("%q is %s", c, value)
		}
	}
	for _, c := range []string{"\x03", "\n", "\x7f", "\u009b", "\u202e"} {
		if got := commandLine("train", map[string]string{"data": "a" + c + "id", "lr": "1"}); got != "" {
			t.Errorf("%q: %q", c, got)
		}
	}
}

// The command that trains again names the model's file, if a shell takes its name.
func TestVerifyCommand(t *testing.T) {
	m := &mlp.Model{Recipe: map[string]string{"seed": "1"}}
	for file, want := range map[string]string{"out/train/model.npz": "-verify=out/train/model.npz", "my model.npz": "-verify='my model.npz'", "a\nid": ""} {
		_, got, _ := strings.Cut(fmt.Sprint(facts(m, "train", file, fact{})), "go run ./cmd/train -verify")
		if _, want, _ := strings.Cut(want, "-verify"); !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%q: %q, want %q", file, got, want)
		}
	}
}

// What the page cannot compute is refused, and texts that name it are short.
func TestRefused(t *testing.T) {
	_, test := sample(t, 20)
	huge := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, 784, 5, 10)}
	for _, l := range huge.Net {
		for i := range l.W.Data {
			l.W.Data[i] *= 1e307
		}
	}
	own := *mlp.Tanh
	own.Name = strings.Repeat(hostile, 10)
	of := func(act *mlp.Activation, sizes ...int) *mlp.Model {
		return &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, act, sizes...)}
	}
	tiny := trained(t, mlp.ReLU, false, false, 1) // its first pixel is the same in all digits
	tiny.Input.Std[0] = 1e-320
	product := func() *mlp.Model { // what the third unit's weights are multiplied by is enormous
		m := trained(t, mlp.ReLU, true, false, 1, 5)
		m.Net[0].Norm.Gain.Data[2], m.Net[0].Norm.Var.Data[2], m.Net[0].Norm.Mean.Data[2] = 1e308, 1e300, 0
		return m
	}
	means, weights := product(), product()
	means.Net[0].Norm.Mean.Data[2] = 1e200
	weights.Net[0].W.Data[2] = 1e200 // of the first pixel, which is never lit
	for want, m := range map[string]*mlp.Model{
		"pixel 0: its standard deviation, 1e-320,":        tiny,
		"layer 1: the page cannot multiply":               means,
		"layer 1: the page cannot multiply its":           weights,
		"layer 1: the page cannot compute its activation": of(&own, 784, 5, 10),
		"a network of 5 inputs and 10 outputs":            of(mlp.ReLU, 5, 10),
		"a network of 784 inputs and 3 outputs":           of(mlp.ReLU, 784, 3),
		"a network without layers":                        {},
		"test digit 0: the network's answer":              huge,
		"a network of 5565010 parameters":                 of(mlp.ReLU, 784, 7000, 10),
	} {
		if html, err := HTML(m, "model.npz", test, "", nil, nil); html != nil || err == nil || !strings.HasPrefix(err.Error(), want) || len(err.Error()) > 300 {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// The same arguments give the same bytes, and a network without a history, a recipe or a
// standardization has a page.
func TestRepeatable(t *testing.T) {
	_, test := sample(t, 200)
	m := trained(t, mlp.Sigmoid, true, false, 2, 6)
	html := mustHTML(t, m, test)
	if !bytes.Equal(html, mustHTML(t, m, test)) {
		t.Error("the bytes differ")
	}
	if n := 784*6 + 6 + 6 + 6*10 + 10; !bytes.Contains(html, fmt.Appendf(nil, "<dd>%d,%03d</dd>", n/1000, n%1000)) { // with the gains
		t.Errorf("the page lacks the number of parameters, %d", n)
	}
	html = mustHTML(t, &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.Tanh, 784, 4, 10)}, test)
	if !bytes.Contains(html, []byte("has no history")) {
		t.Error("without a history it does not say so")
	}
}

// What has two findings has their texts, what was found healthy says so, and so does what
// nobody has looked at.
func TestFindings(t *testing.T) {
	_, test := sample(t, 20)
	m := trained(t, mlp.ReLU, false, false, 1)
	for want, findings := range map[string][]doctor.Finding{
		"<h4>dead units</h4>": {{Illness: "dead units", Number: "half of them", Cure: "-lr 0.01"}}, "Nothing is wrong": {}, "only the page that cmd/train writes": nil,
	} {
		html, err := HTML(m, "model.npz", test, "", findings, nil)
		if err != nil || !bytes.Contains(html, []byte(want)) {
			t.Errorf("%v: the page lacks %q, error %v", findings, want, err)
		}
	}
}

// Packed pixels are the digits' again.
func TestPack(t *testing.T) {
	_, test := sample(t, 30)
	clear(test.Images[:2*mlp.MNISTPixels]) // two blank ones
	for i := range mlp.MNISTPixels {
		test.Images[2*mlp.MNISTPixels+i] = 255
	}
	var got []byte
	for packed := packPixels(test.Images); len(packed) > 0; packed = packed[1:] {
		if packed[0] != 0 {
			got = append(got, packed[0])
			continue
		}
		packed = packed[1:]
		got = append(got, make([]byte, packed[0])...)
	}
	if !slices.Equal(got, test.Images) {
		t.Error("they are others")
	}
}

// Units come in the order of how much their answers vary, times the norm of the weights
// that go out of them.
func TestOrder(t *testing.T) {
	m := &mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, mlp.MNISTPixels, 3, mlp.MNISTClasses)}
	clear(m.Net[0].W.Data)
	m.Net[0].B.Data[0] = 1            // always answers 1
	m.Net[0].W.Row(14*28 + 14)[1] = 1 // a pixel that many digits have
	m.Net[0].W.Row(14*28 + 14)[2] = 3
	for unit, weight := range []float64{100, 10, 1} {
		for k := range mlp.MNISTClasses {
			m.Net[1].W.Row(unit)[k] = weight
		}
	}
	_, test := sample(t, 50)
	if got := order(m, pixels(new(mlp.Matrix), test, 0, 50)); !slices.Equal(got, []int{1, 2, 0}) {
		t.Errorf("%v, want 1, 2, 0", got)
	}
}

// A cell has the digits that were read so, with the worst first, and the page has the
// first test digits in their order.
func TestCells(t *testing.T) {
	_, test := sample(t, 1000)
	m := trained(t, mlp.ReLU, false, false, 1)
	d, err := newData(m, test)
	if err != nil || d.Sample != sampleDigits || len(d.Digits.Labels) < sampleDigits {
		t.Fatalf("%d of %d digits", d.Sample, len(d.Digits.Labels))
	}
	for i := range d.Sample {
		if d.Digits.Labels[i] != int(test.Labels[i]) {
			t.Fatalf("digit %d is another", i)
		}
	}
	for want := range 10 {
		for as := range 10 {
			cell := d.Cells[want][as]
			if n := d.confusion[want][as]; len(cell) != min(cellDigits, n) {
				t.Errorf("%d read as %d: %d digits of %d", want, as, len(cell), n)
			}
			last := 0.0
			for _, i := range cell {
				p := d.Digits.P[10*i+want]
				if d.Digits.Labels[i] != want || d.Digits.Read[i] != as || p < last {
					t.Errorf("%d read as %d: a %d read as %d with %v after %v", want, as, d.Digits.Labels[i], d.Digits.Read[i], p, last)
				}
				last = p
			}
		}
	}
	test.Standardize(m.Input)
	loss, accuracy := mlp.Evaluate(m.Net, test, nil)
	if math.Abs(d.accuracy-accuracy) > 1e-9 || math.Abs(d.loss-loss) > 1e-9 {
		t.Errorf("accuracy %v and loss %v, want %v and %v", d.accuracy, d.loss, accuracy, loss)
	}
}

// The page's last layer has the temperature, so that its logits are those of Predict.
func TestTemperature(t *testing.T) {
	_, test := sample(t, 20)
	m := trained(t, mlp.ReLU, false, false, 1)
	plain, err := newData(m, test)
	if err != nil {
		t.Fatal(err)
	}
	m.Temperature = 2
	d, err := newData(m, test)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range d.Layers {
		divisor := 1.0
		if i == len(d.Layers)-1 {
			divisor = 2
		}
		for k, w := range append(l.W, l.B...) {
			if v := append(plain.Layers[i].W, plain.Layers[i].B...)[k]; w != v/divisor {
				t.Fatalf("layer %d: %v, without the temperature %v", i+1, w, v)
			}
		}
	}
	if slices.Max(d.p.Row(0)) >= slices.Max(plain.p.Row(0)) {
		t.Error("the digits' probabilities are without it")
	}
}
