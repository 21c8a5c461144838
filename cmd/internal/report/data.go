// The numbers in the page: the network, some test digits, and the history of the
// training.

package report

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"image"
	"math"
	"slices"
	"strconv"

	"mlp"
	"mlp/cmd/internal/picture"
	"mlp/cmd/internal/stat"
)

// How many test digits a page has: the first ones, to try the network on, and the worst
// of each cell of the confusion matrix.
const sampleDigits, cellDigits = 500, 20

// data is what the script reads, as JSON.
type data struct {
	Layers       []layer
	Deskew       bool   // images are normalised by their moments
	Scale, Shift floats // 1×784: input = byte·scale + shift
	Most         []byte // 1×784: the largest byte that a drawing may have
	Digits       digits
	Sample       int                                       // the first digits, which are also the first of the test part
	Cells        [mlp.MNISTClasses][mlp.MNISTClasses][]int // by true digit and read digit: indices of digits, the worst first
	Order        []int                                     // the first layer's units, the one that matters most first
	Familiar     *familiar                                 // nil if the model has no Familiarity
	Reliability  []reliability                             // of the model and, if it has a temperature, without that
	History      []epoch
	First        [][]number  // the layer statistics of the first step
	Stats        []statistic // what they are
	Epoch        int         // which the network has trained
	Earlier      Snapshots   `json:",omitempty"` // of epochs before it
	Packed       []byte      `json:",omitempty"` // their bytes

	// What the network reads in all test digits, which is not in the JSON.
	p              mlp.Matrix // n×10: the probabilities
	read           []int      // the most probable digit
	accuracy, loss float64
	unlike         int                                     // how many do not look like a digit
	confusion      [mlp.MNISTClasses][mlp.MNISTClasses]int // how often each digit, by row, is read as each digit, by column
}

// familiar is mlp.Familiarity.
type familiar struct {
	Labels []int
	Pixels []byte // packed
	Limits [mlp.MNISTClasses][4]float64
}

// A reliability compares the probabilities of what is read with how often that is right: the
// calibration error, and ten bins of equal width by the probability.
type reliability struct {
	Error float64
	Bins  [10]struct {
		N           int
		Said, Right float64 // the mean probability, and the share that is right
	}
}

type layer struct {
	In, Out int
	Act     string
	W, B    floats
}

type statistic struct {
	Label, Says string // its name, and what it says in plain words
	Share       bool   // it is a share, from 0 to 1
}

// says has the plain words for each statistic.
var says = map[string]string{
	stat.GradMeanAbs.Label:      "how far a weight would be moved, on average",
	stat.GradNorm.Label:         "how far all weights together would be moved",
	stat.DeltaNorm.Label:        "how strongly the error reaches it",
	stat.ActivationStd.Label:    "how much its answers vary",
	stat.InactiveFraction.Label: "how many of its units are dead or saturated",
	stat.UpdateRatio.Label:      "how much of the weights a step changes",
}

type epoch struct {
	Loss, Metric, TestLoss, TestMetric, ValidationLoss number
	Layers                                             [][]number // of each layer, in the order of Stats
}

type digits struct {
	Labels []int
	Pixels []byte // packed
	Read   []int
	P      floats // n×10: the probabilities
}

// floats are numbers of which JSON gets the six upper bytes, as base64. They differ from
// the numbers by at most a part in 2³⁶.
type floats []float64

func (f floats) MarshalJSON() ([]byte, error) {
	b := make([]byte, 0, 2+8*len(f)) // six bytes are eight characters
	b = append(b, '"')
	var six [8]byte
	for _, v := range f {
		binary.LittleEndian.PutUint64(six[:], math.Float64bits(v)>>16)
		b = base64.StdEncoding.AppendEncode(b, six[:6])
	}
	return append(b, '"'), nil
}

// A number has seven digits in JSON.
type number float64

func (x number) MarshalJSON() ([]byte, error) { return appendNumber(nil, float64(x), 7), nil }

// appendNumber appends v to JSON with the given number of digits, or with −1 in the shortest form that is
// read back as v.
// NaN is null there, and an infinity is 1e999, which JavaScript reads as one.
func appendNumber(b []byte, v float64, digits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, "null"...)
	case math.IsInf(v, 0):
		return fmt.Appendf(b, "%de999", int(math.Copysign(1, v)))
	}
	return strconv.AppendFloat(b, v, 'g', digits, 64)
}

// newData returns the numbers of the page for m.
func newData(m *mlp.Model, test *mlp.MNIST) (*data, error) {
	d := &data{Deskew: m.Deskew, Sample: min(sampleDigits, test.Len())}
	var x mlp.Matrix // of some digits, whose memory is used again and again
	if err := d.readAll(m, test, &x); err != nil {
		return nil, err
	}
	var err error
	if d.Layers, err = layersOf(m.Net); err != nil {
		return nil, err
	}
	last := d.Layers[len(d.Layers)-1]
	for _, x := range []floats{last.W, last.B} {
		for i := range x {
			x[i] /= cmp.Or(m.Temperature, 1)
		}
	}
	d.addInput(m)
	if i := max(slices.IndexFunc(d.Scale, notFinite), slices.IndexFunc(d.Shift, notFinite)); i >= 0 {
		return nil, fmt.Errorf("pixel %d: its standard deviation, %.3g, is too small for the page to divide by", i, m.Input.Std[i])
	}
	d.addDigits(test)
	d.addFamiliar(m.Familiarity, test)
	d.addReliability(test, 1)
	if m.Temperature != 0 {
		d.addReliability(test, m.Temperature)
	}
	d.Order = order(m, pixels(&x, test, 0, d.Sample))
	d.addHistory(m.Run.History)
	return d, nil
}

func notFinite(v float64) bool { return v-v != 0 }

// layersOf returns the layers of a network, folded.
func layersOf(net mlp.Network) (all []layer, err error) {
	for i, l := range net {
		of := folded(l)
		if slices.ContainsFunc(of.W, notFinite) || slices.ContainsFunc(of.B, notFinite) {
			return nil, fmt.Errorf("layer %d: the page cannot multiply its normalisation into its weights, because a product is not finite", i+1)
		}
		all = append(all, of)
	}
	return all, nil
}

// folded returns l with its normalisation multiplied into the weights.
func folded(l *mlp.Layer) layer {
	w := slices.Clone(l.W.Data)
	scale, b := normalisation(l)
	for i := range w {
		w[i] *= scale[i%l.W.Cols]
	}
	return layer{l.W.Rows, l.W.Cols, l.Act.Name, w, b}
}

// normalisation returns what l multiplies the columns of x·W by, and what it then adds. The
// averages of a normalisation do not change any more:
//
//	Gain·(x·W − Mean)/√(Var + 1e-5) + B = x·W·s + (B − Mean·s), s = Gain/√(Var + 1e-5)
func normalisation(l *mlp.Layer) (scale, b []float64) {
	scale, b = make([]float64, l.W.Cols), slices.Clone(l.B.Data)
	for j := range b {
		scale[j] = 1
		if l.Norm != nil {
			scale[j] = l.Norm.Gain.Data[j] / math.Sqrt(l.Norm.Var.Data[j]+1e-5)
			b[j] -= float64(l.Norm.Mean.Data[j] * scale[j])
		}
	}
	return scale, b
}

// addInput sets what is done to pixels before they are the network's inputs.
func (d *data) addInput(m *mlp.Model) {
	n := mlp.MNISTPixels
	d.Scale, d.Shift = make(floats, n), make(floats, n)
	mean, std := m.Input.Mean, m.Input.Std
	if mean == nil {
		mean, std = make([]float64, n), make([]float64, n)
	}
	for j := range n {
		divisor := cmp.Or(std[j], 1)
		d.Scale[j], d.Shift[j] = 1/(255*divisor), -mean[j]/divisor
	}
	white := &image.Gray{Pix: bytes.Repeat([]byte{255}, n), Stride: 28, Rect: image.Rect(0, 0, 28, 28)}
	picture.Bound(white, m.Input)
	d.Most = white.Pix
}

// readAll gives the test digits to the network. It returns an error if an answer is not a
// number, as it may be if the weights are enormous.
func (d *data) readAll(m *mlp.Model, test *mlp.MNIST, x *mlp.Matrix) error {
	n := test.Len()
	d.p.Reset(n, mlp.MNISTClasses)
	var p mlp.Matrix
	for lo := 0; lo < n; lo += sampleDigits {
		copy(d.p.Data[lo*mlp.MNISTClasses:], m.Predict(&p, pixels(x, test, lo, min(lo+sampleDigits, n))).Softmax().Data)
	}
	for i, want := range test.Labels {
		row := d.p.Row(i)
		if slices.ContainsFunc(row, math.IsNaN) {
			return fmt.Errorf("test digit %d: the network's answer is not finite", i)
		}
		d.read = append(d.read, mlp.Argmax(row))
		d.confusion[want][d.read[i]]++
		d.loss -= math.Log(row[want]+1e-300) / float64(n)
	}
	for digit := range d.confusion {
		d.accuracy += float64(d.confusion[digit][digit]) / float64(n)
	}
	return nil
}

// pixels sets x to the digits from lo to hi as a model takes them, from 0 to 1, and returns it.
func pixels(x *mlp.Matrix, digits *mlp.MNIST, lo, hi int) *mlp.Matrix {
	plain, index := mlp.MNIST{Images: digits.Images, Labels: digits.Labels}, make([]int, hi-lo)
	for i := range index {
		index[i] = lo + i
	}
	plain.Batch(x, new(mlp.Matrix), index)
	return x
}

// addDigits adds the digits that the page has: the first of the test part, and the worst of
// each cell.
func (d *data) addDigits(test *mlp.MNIST) {
	var images []byte
	at := map[int]int{} // from the place in the test part to that in the page
	add := func(i int) int {
		if _, ok := at[i]; !ok {
			at[i] = len(at)
			d.Digits.Labels = append(d.Digits.Labels, int(test.Labels[i]))
			d.Digits.Read = append(d.Digits.Read, d.read[i])
			d.Digits.P = append(d.Digits.P, d.p.Row(i)...)
			images = append(images, test.Images[i*mlp.MNISTPixels:(i+1)*mlp.MNISTPixels]...)
		}
		return at[i]
	}
	for i := range d.Sample {
		add(i)
	}
	var cells [mlp.MNISTClasses][mlp.MNISTClasses][]int
	for i, k := range d.read {
		cells[test.Labels[i]][k] = append(cells[test.Labels[i]][k], i)
	}
	for want := range cells {
		for read, worst := range cells[want] {
			slices.SortStableFunc(worst, func(a, b int) int { return cmp.Compare(d.p.Row(a)[want], d.p.Row(b)[want]) })
			d.Cells[want][read] = []int{}
			for _, i := range worst[:min(len(worst), cellDigits)] {
				d.Cells[want][read] = append(d.Cells[want][read], add(i))
			}
		}
	}
	d.Digits.Pixels = packPixels(images)
}

// addFamiliar adds the digits that a drawing is compared with, and counts the test digits that
// do not look like one.
func (d *data) addFamiliar(f *mlp.Familiarity, test *mlp.MNIST) {
	if f == nil {
		return
	}
	d.Familiar = &familiar{Pixels: packPixels(f.Digits.Images), Limits: f.Limits}
	for _, label := range f.Digits.Labels {
		d.Familiar.Labels = append(d.Familiar.Labels, int(label))
	}
	for _, l := range f.Compare(test) {
		if l.Unlike {
			d.unlike++
		}
	}
}

// addReliability adds how reliable the probabilities are with the logits multiplied by so much.
func (d *data) addReliability(test *mlp.MNIST, times float64) {
	var r reliability
	y, labels := d.p.Clone(), make([]int, test.Len())
	for i, p := range y.Data {
		y.Data[i] = times * math.Log(p+1e-300)
	}
	for i, label := range test.Labels {
		labels[i] = int(label)
	}
	r.Error = mlp.CalibrationError.Of(y, mlp.OneHot(labels, mlp.MNISTClasses))
	y.Softmax()
	for i, k := range d.read {
		b := &r.Bins[min(9, int(10*y.Row(i)[k]))]
		b.N++
		b.Said += y.Row(i)[k]
		if k == labels[i] {
			b.Right++
		}
	}
	for i := range r.Bins {
		n := float64(max(1, r.Bins[i].N))
		r.Bins[i].Said, r.Bins[i].Right = r.Bins[i].Said/n, r.Bins[i].Right/n
	}
	d.Reliability = append(d.Reliability, r)
}

// packPixels writes each run of up to 255 zeros as a zero and its length.
func packPixels(pixels []byte) (packed []byte) {
	for i := 0; i < len(pixels); i++ {
		packed = append(packed, pixels[i])
		if pixels[i] == 0 {
			zeros := 1
			for zeros < 255 && i+1 < len(pixels) && pixels[i+1] == 0 {
				zeros++
				i++
			}
			packed = append(packed, byte(zeros))
		}
	}
	return packed
}

// order sorts the first layer's units by how much they matter to the next layer: the
// standard deviation of a unit's activation over the digits x, times the norm of the
// weights that go out of it. If the first layer is the last, its units are the ten digits
// and stay in their order.
func order(m *mlp.Model, x *mlp.Matrix) []int {
	all := make([]int, m.Net[0].W.Cols)
	for k := range all {
		all[k] = k
	}
	if len(m.Net) == 1 {
		return all
	}
	below := mlp.Model{Net: m.Net[:1], Input: m.Input, Deskew: m.Deskew}
	var a mlp.Matrix
	matters := mlp.FitStandardization(below.Predict(&a, x)).Std
	for k := range matters {
		squares := 0.0
		for _, w := range m.Net[1].W.Row(k) {
			squares += float64(w * w)
		}
		matters[k] *= math.Sqrt(squares)
	}
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(matters[b], matters[a]) })
	return all
}

// addHistory adds what was measured at each epoch.
func (d *data) addHistory(h mlp.History) {
	for _, s := range stat.All {
		d.Stats = append(d.Stats, statistic{s.Label, says[s.Label], s.Label == stat.InactiveFraction.Label})
	}
	if len(h) > 0 {
		d.Epoch = h.Best().N
	}
	for i, e := range h {
		if i == 0 {
			d.First = numbers(e.First)
		}
		d.History = append(d.History, epoch{number(e.Loss), number(e.Metric), number(e.TestLoss), number(e.TestMetric), number(e.ValidationLoss), numbers(e.Layers)})
	}
}

func numbers(layers []mlp.LayerStats) (all [][]number) {
	for _, l := range layers {
		var of []number
		for _, s := range stat.All {
			of = append(of, number(s.Of(l)))
		}
		all = append(all, of)
	}
	return all
}
