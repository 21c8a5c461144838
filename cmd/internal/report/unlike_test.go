// What the page says of a drawing that does not look like a digit, and how sure the network is.

package report

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"mlp"
)

// odd returns the package's drawings of what is no digit.
func odd(t *testing.T) *mlp.MNIST {
	file, err := os.Open("../../../testdata/odd/odd-idx3-ubyte.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	dims, data, err := mlp.ReadIDX(file)
	if err != nil {
		t.Fatal(err)
	}
	return &mlp.MNIST{Images: data, Labels: make([]byte, dims[0]*dims[1])}
}

// Of test digits and of odd drawings the page says what Familiarity says, and it shows the three
// digits that are nearest. A line across is said to be no digit, and blank paper nothing.
func testUnlike(t *testing.T, b *browser) {
	slowly(t)
	train, test := sample(t, 0)
	m := trained(t, mlp.ReLU, false, true, 1)
	m.Familiarity, m.Temperature = mlp.FitFamiliarity(train), 2
	b.open(mustHTML(t, m, test))
	some := test.Slice(0, 200)
	all := odd(t)
	all.Images, all.Labels = append(all.Images, some.Images...), append(all.Labels, some.Labels...)
	images := make([][]int, all.Len())
	for i, p := range all.Images {
		images[i/mlp.MNISTPixels] = append(images[i/mlp.MNISTPixels], int(p))
	}
	text, _ := json.Marshal(images)
	var got []bool
	b.eval(string(text)+".map(image => mlp.unlike(image))", &got)
	for i, l := range m.Familiarity.Compare(all) {
		if got[i] != l.Unlike {
			t.Errorf("image %d: unlike is %v, want %v", i, got[i], l.Unlike)
		}
	}
	shown := func() string { return b.text("#unlike") + "," + b.text("#nearest") }
	for _, start := range []string{"1", "5", "9"} {
		b.click("#starts button:nth-child(" + start + ")")
		var image []int
		b.eval("mlp.image()", &image)
		one := &mlp.MNIST{Labels: []byte{0}}
		for _, p := range image {
			one.Images = append(one.Images, byte(p))
		}
		want := ","
		for _, k := range m.Familiarity.Compare(one)[0].Nearest {
			want += string('0' + rune(m.Familiarity.Digits.Labels[k]))
		}
		if got := strings.TrimPrefix(shown(), "Does not look like a digit."); got != want {
			t.Errorf("test digit %s: %q, want %q", start, got, want)
		}
	}
	b.click("#clear")
	if got := shown(); got != "," {
		t.Errorf("of blank paper it says %q", got)
	}
	box := b.place("#draw")
	b.mouse([2]float64{box[0] + 0.1*box[2], box[1] + 0.5*box[3]}, [2]float64{box[0] + 0.9*box[2], box[1] + 0.5*box[3]})
	if got := shown(); !strings.HasPrefix(got, "Does not look like a digit.,") || len(got) != len("Does not look like a digit.,123") {
		t.Errorf("of a line across it says %q", got)
	}
	var digits, lines int
	b.eval("[...document.querySelectorAll('#sure tr')].slice(1).reduce((n, r) => n + Number(r.children[1].textContent), 0)", &digits)
	b.eval("document.querySelectorAll('#reliability-chart path').length", &lines)
	if digits != test.Len() || lines != 3 {
		t.Errorf("%d digits in the bins and %d lines", digits, lines)
	}

	m.Familiarity = nil
	b.open(mustHTML(t, m, test))
	if got := shown(); got != "," {
		t.Errorf("without digits to compare with it says %q", got)
	}
	b.eval("[mlp.unlike(mlp.image()) ?? true]", &got)
	if !got[0] {
		t.Error("and mlp.unlike knows")
	}
}
