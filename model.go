// A network as a file: which arrays and which texts a model.npz holds, what it may not
// hold, and how it is written. Not here: how it is read (readmodel.go), NumPy's format
// itself (npz.go) and folders, which are the commands' business.

package mlp

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"unicode/utf8"
)

// Model is a network with what is needed to use it, to go on training it and to train
// it again.
type Model struct {
	Net    Network
	Input  Standardization   // of what the network sees
	Deskew bool              // inputs are images of MNISTPixels pixels, which MNIST.Deskew normalised before the standardization
	Run    Run               // how far it has been trained
	Recipe map[string]string // how to train it again, in the words of the program that trained it; after reading, nil if the file has no run.json
}

// runJSON is the member run.json: the parts of a model that are not arrays.
type runJSON struct {
	Activations []string
	Dropout     []float64 `json:",omitempty"` // of each layer, if one has any
	Optimizer   string    `json:",omitempty"`
	Metric      string    `json:",omitempty"`
	Deskew      bool      `json:",omitempty"`
	Recipe      map[string]string
}

// The limits of a model's file, which Write and ReadModel share.
const (
	maxLayers  = 1000    // an archive of tiny arrays could ask for many
	maxRunJSON = 1 << 20 // bytes
)

// Arrays that are needed only to go on with a run have names that do not begin with W
// or b, so that a reader that takes all names with W or b does not find them.
var (
	slotPrefixes = [maxSlots]string{"m.", "v."}
	lastPrefix   = "last."
)

// A namedArray is an array and its name in the file, without .npy.
type namedArray struct {
	name    string
	matrix  *Matrix
	squares bool // the elements are variances or averages of squares: none may be negative
}

// named returns an array of a layer, which counts from 0, with its name in the file.
// which is the array's place in arrayNames. The second running value is an average of
// squares if the optimizer is Adam or AdamW. Files of earlier versions do not name the optimizer,
// and then it is Adam too, because no other had a second running value.
func (m *Model) named(prefix string, which, layer int, x *Matrix) namedArray {
	optimizer := cmp.Or(m.Run.Optimizer, Adam.Name)
	isAdam := optimizer == Adam.Name || optimizer == AdamW.Name
	squares := arrayNames[which] == "var" || prefix == slotPrefixes[1] && isAdam
	return namedArray{arrayName(prefix, which, layer), x, squares}
}

func (m *Model) arrays() (all []namedArray) {
	parts := m.Net.parts()
	for _, p := range parts {
		all = append(all, m.named("", p.kind, p.layer, p.array))
	}
	for i := range m.Net {
		for v, vector := range [...][]float64{m.Run.slots[0], m.Run.slots[1], m.Run.last} {
			for _, p := range parts {
				if p.layer == i && vector != nil && (v == 2 || p.gradient != nil) {
					all = append(all, m.named([...]string{"m.", "v.", "last."}[v], p.kind, i, p.of(vector)))
				}
			}
		}
	}
	return all
}

var arrayNames = [...]string{"W", "b", "gain", "mean", "var"}

func arrayName(prefix string, which, layer int) string {
	return fmt.Sprintf("%s%s%d", prefix, arrayNames[which], layer+1)
}

// Write writes m as an .npz archive: W1 (in×out), b1 (1×out), W2 and so on; with
// normalisation gain1, mean1 and var1 (1×out); mean and std (1×in); history (a row per
// epoch: its number, loss, accuracy, test loss, test accuracy, held-out loss, loss
// rise); layer_stats (a row for the first step and one per epoch: six numbers for each
// layer); the optimizer's running values as m.W1, v.W1, …; with Config.Patience the
// last epoch's weights as last.W1, …; and run.json. The same model gives the same
// bytes. To write only what is needed to use the model, set m.Run to Run{} before. Write
// returns an error, and writes nothing, if ReadModel would refuse the file or
// read another model from it.
func (m *Model) Write(w io.Writer) error {
	if err := m.validate(); err != nil {
		return err
	}
	text, err := m.runJSON()
	if err != nil {
		return err
	}
	var members []npzMember
	for _, a := range m.arrays() {
		members = append(members, npzMember{Name: a.name, Matrix: a.matrix})
	}
	if m.Input.Mean != nil {
		members = append(members, npzMember{Name: "mean", Matrix: NewMatrix(1, len(m.Input.Mean), m.Input.Mean...)},
			npzMember{Name: "std", Matrix: NewMatrix(1, len(m.Input.Std), m.Input.Std...)})
	}
	history, stats := m.Run.History.matrices(len(m.Net))
	if history != nil {
		members = append(members, npzMember{Name: "history", Matrix: history})
	}
	if stats != nil {
		members = append(members, npzMember{Name: "layer_stats", Matrix: stats})
	}
	return writeNPZ(w, append(members, npzMember{Name: "run.json", Bytes: text})...)
}

// runJSON returns the content of run.json.
func (m *Model) runJSON() ([]byte, error) {
	r := runJSON{Optimizer: m.Run.Optimizer, Metric: m.Run.Metric, Deskew: m.Deskew}
	if len(m.Recipe) > 0 {
		r.Recipe = m.Recipe
	}
	for _, l := range m.Net {
		r.Activations = append(r.Activations, l.Act.Name)
		r.Dropout = append(r.Dropout, l.Dropout)
	}
	if slices.Max(r.Dropout) == 0 {
		r.Dropout = nil
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err == nil && len(text) > maxRunJSON {
		err = formatErrorf("run.json: %d bytes, over the limit of %d", len(text), maxRunJSON)
	}
	return text, err
}

// validate returns an error for a model of which a file could not be read again, or would
// be read as another model. The size of run.json is checked when it is written.
func (m *Model) validate() error {
	if len(m.Net) > maxLayers {
		return formatErrorf("a network of %d layers, more than %d", len(m.Net), maxLayers)
	}
	if err := m.Net.validate(); err != nil {
		return err
	}
	if err := m.Run.validate(m.Net); err != nil {
		return err
	}
	for _, validate := range []func() error{m.validateArrays, m.validateStandardization, m.validateActivations, m.validateTexts} {
		if err := validate(); err != nil {
			return err
		}
	}
	return nil
}

// validateArrays returns an error if an array has an element that a file may not have.
func (m *Model) validateArrays() error {
	for _, a := range m.arrays() {
		if err := a.validate(); err != nil {
			return err
		}
	}
	return nil
}

// validate returns an error that names the first element that is not finite, or that is
// negative among squares.
func (a namedArray) validate() error {
	i := slices.IndexFunc(a.matrix.Data, func(v float64) bool { return !finite(v) || a.squares && v < 0 })
	if i < 0 {
		return nil
	}
	return formatErrorf("%s: element (%d, %d) is %v", a.name, i/a.matrix.Cols, i%a.matrix.Cols, a.matrix.Data[i])
}

// allFinite returns an error that names the first element that is not finite.
func allFinite(name string, x *Matrix) error {
	return namedArray{name: name, matrix: x}.validate()
}

func (m *Model) validateStandardization() error {
	in, mean, std := m.Net[0].W.Rows, m.Input.Mean, m.Input.Std
	if m.Deskew && in != MNISTPixels {
		return formatErrorf("images of %d pixels cannot be deskewed, want %d", in, MNISTPixels)
	}
	if mean == nil && std == nil {
		return nil
	}
	if len(mean) != in || len(std) != in {
		return formatErrorf("mean of %d and std of %d inputs, want %d", len(mean), len(std), in)
	}
	if err := allFinite("mean", &Matrix{1, in, mean}); err != nil {
		return err
	}
	return namedArray{"std", &Matrix{1, in, std}, true}.validate()
}

// validateActivations returns an error if an activation could not be found again by its
// name.
func (m *Model) validateActivations() error {
	for i, l := range m.Net {
		name := l.Act.Name
		if known, err := ActivationByName(name); name == "" || err == nil && known != l.Act {
			return formatErrorf("layer %d: its activation is named %q: give it a name that the package does not use", i+1, name)
		}
		another := func(below *Layer) bool { return below.Act.Name == name && below.Act != l.Act }
		if j := slices.IndexFunc(m.Net[:i], another); j >= 0 {
			return formatErrorf("layers %d and %d: their activations differ but are both named %.60q", j+1, i+1, name)
		}
		if !utf8.ValidString(name) {
			return formatErrorf("layer %d: its activation is named %.60q, which is not UTF-8", i+1, name)
		}
	}
	return nil
}

// validateTexts returns an error if JSON would alter a text, because it is not UTF-8.
func (m *Model) validateTexts() error {
	if name := m.Run.Optimizer; !utf8.ValidString(name) {
		return formatErrorf("the optimizer is named %.60q, which is not UTF-8", name)
	}
	if name := m.Run.Metric; !utf8.ValidString(name) {
		return formatErrorf("the metric is named %.60q, which is not UTF-8", name)
	}
	for _, key := range slices.Sorted(maps.Keys(m.Recipe)) {
		if !utf8.ValidString(key) {
			return formatErrorf("recipe: the key %.60q is not UTF-8", key)
		}
		if value := m.Recipe[key]; !utf8.ValidString(value) {
			return formatErrorf("recipe: the value %.60q of %.60q is not UTF-8", value, key)
		}
	}
	return nil
}

// validate returns an error if the run is not one of net.
func (r *Run) validate(net Network) error {
	if err := r.History.validate(len(net)); err != nil {
		return err
	}
	n := length(net.parts())
	for _, v := range [...][]float64{r.slots[0], r.slots[1], r.last} {
		if v != nil && len(v) != n {
			return formatErrorf("running values or last weights: %d, the network has %d", len(v), n)
		}
	}
	return nil
}

// validate returns an error unless the epochs are numbered from 1. If the first step has
// statistics of each of the layers, each epoch must have them too.
func (h History) validate(layers int) error {
	for i, e := range h {
		if e.N != i+1 {
			return formatErrorf("history: row %d is of epoch %d", i, e.N)
		}
		if n := len(e.Layers); len(h[0].First) == layers && n != layers {
			return formatErrorf("history: epoch %d has statistics of %d layers, the network has %d", e.N, n, layers)
		}
	}
	return nil
}

// historyCols is how many numbers a row of history has: the epoch's number and numbers().
// statsCols is how many numbers a row of layer_stats has for each layer.
const historyCols, statsCols = 7, 6

func (e *Epoch) numbers() []*float64 {
	return []*float64{&e.Loss, &e.Metric, &e.TestLoss, &e.TestMetric, &e.ValidationLoss, &e.LossRise}
}

func (s *LayerStats) numbers() []*float64 {
	return []*float64{&s.GradMeanAbs, &s.GradNorm, &s.DeltaNorm, &s.ActivationStd, &s.InactiveFraction, &s.UpdateRatio}
}

// matrices returns the epochs as rows, and the statistics of their layers as rows. Without
// epochs both are nil. If the first step has no statistics of each of the layers, stats is
// nil.
func (h History) matrices(layers int) (history, stats *Matrix) {
	if len(h) == 0 {
		return nil, nil
	}
	history = NewMatrix(len(h), historyCols)
	for i, e := range h {
		row := history.Row(i)
		row[0] = float64(e.N)
		for j, v := range e.numbers() {
			row[1+j] = *v
		}
	}
	if len(h[0].First) != layers {
		return history, nil
	}
	stats = NewMatrix(len(h)+1, layers*statsCols)
	put := func(row []float64, of []LayerStats) {
		for i := range of {
			for j, v := range of[i].numbers() {
				row[i*statsCols+j] = *v
			}
		}
	}
	put(stats.Row(0), h[0].First)
	for i, e := range h {
		put(stats.Row(i+1), e.Layers)
	}
	return history, stats
}
