// A network as a file: which arrays and which words a model.npz holds, and how they are
// written. Not here: how they are read (readmodel.go), NumPy's format itself (npz.go)
// and folders, which are the commands' business.

package mlp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Model is a network with what is needed to use it, to go on training it and to train
// it again.
type Model struct {
	Net       Network
	Mean, Std []float64         // of the inputs' standardization, x = (raw - Mean)/Std, or raw - Mean if Std is 0; nil for none
	Run       Run               // how far it has been trained
	Recipe    map[string]string // how to train it again, in the trainer's words; after reading, nil if the file has no run.json
}

// runJSON is the member run.json: what of a model is no array.
type runJSON struct {
	Activations []string
	Optimizer   string `json:",omitempty"`
	Recipe      map[string]string
}

// The limits of a model's file, which Write and ReadModel share.
const (
	maxLayers  = 1000    // an archive of tiny arrays could ask for many
	maxRunJSON = 1 << 20 // bytes
)

// namedArray is an array and its name in the file, without .npy.
type namedArray struct {
	name   string
	matrix *Matrix
	square bool // it may not be negative: a variance, or an average of squares
}

// Arrays that are needed only to go on with a run have names that do not begin with W
// or b, so that they are out of the way of who reads all that do.
var (
	slotPrefixes = [maxSlots]string{"m.", "v."}
	lastPrefix   = "last."
)

// arrays lists the weights, the optimizer's running values and the last weights.
func (m *Model) arrays() (all []namedArray) {
	list := func(prefix string, layer int, of []*Matrix) {
		for i, x := range of {
			if len(x.Data) > 0 {
				name := arrayNames[i]
				all = append(all, namedArray{fmt.Sprintf("%s%s%d", prefix, name, layer+1), x, name == "var" || prefix == slotPrefixes[1]})
			}
		}
	}
	for i, l := range m.Net {
		list("", i, l.arrays())
	}
	last := m.Run.last
	for i, l := range m.Net {
		if len(m.Run.slots) > i {
			for s, prefix := range slotPrefixes {
				values := &m.Run.slots[i][s]
				list(prefix, i, []*Matrix{&values[0], &values[1], &values[2]})
			}
		}
		if n := len(l.arrays()); len(last) >= n {
			list(lastPrefix, i, last[:n].pointers())
			last = last[n:]
		}
	}
	return all
}

// pointers returns the snapshot's matrices.
func (s snapshot) pointers() (all []*Matrix) {
	for i := range s {
		all = append(all, &s[i])
	}
	return all
}

// Write writes m as an .npz archive: W1 (in×out), b1 (1×out), W2 and so on; with
// normalisation gain1, mean1 and var1 (1×out); mean and std (1×in); history (a row per
// epoch: its number, loss, accuracy, test loss, test accuracy, held-out loss, loss
// rise); layer_stats (a row for the first step and one per epoch: six numbers for each
// layer); the optimizer's running values as m.W1, v.W1, …; with Config.Patience the
// last epoch's weights as last.W1, …; and run.json. The same model gives the same
// bytes. Write refuses, with an error, what ReadModel would refuse.
func (m *Model) Write(w io.Writer) error {
	text, err := m.validate()
	if err != nil {
		return err
	}
	var members []npzMember
	for _, a := range m.arrays() {
		members = append(members, npzMember{Name: a.name, Matrix: a.matrix})
	}
	if m.Mean != nil {
		members = append(members, npzMember{Name: "mean", Matrix: NewMatrix(1, len(m.Mean), m.Mean...)},
			npzMember{Name: "std", Matrix: NewMatrix(1, len(m.Std), m.Std...)})
	}
	history, stats := m.Run.History.matrices(len(m.Net))
	members = append(members, npzMember{Name: "history", Matrix: history})
	if stats != nil {
		members = append(members, npzMember{Name: "layer_stats", Matrix: stats})
	}
	return writeNPZ(w, append(members, npzMember{Name: "run.json", Bytes: text})...)
}

// validate returns an error for a model that could not be read again, or else its
// run.json.
func (m *Model) validate() (text []byte, err error) {
	if len(m.Net) > maxLayers {
		return nil, FormatError(fmt.Sprintf("a network of %d layers, more than %d", len(m.Net), maxLayers))
	}
	if err := m.Net.validate(); err != nil {
		return nil, err
	}
	if err := m.Run.validate(m.Net); err != nil {
		return nil, err
	}
	for _, a := range m.arrays() {
		if err := a.validate(); err != nil {
			return nil, err
		}
	}
	if err := m.validateStandardization(); err != nil {
		return nil, err
	}
	return m.runJSON()
}

// validate returns an error if the array has an element that a file may not have.
func (a namedArray) validate() error {
	if err := allFinite(a.name, a.matrix); err != nil {
		return err
	}
	if a.square {
		return notNegative(a.name, a.matrix)
	}
	return nil
}

func (m *Model) validateStandardization() error {
	if m.Mean == nil && m.Std == nil {
		return nil
	}
	if in := m.Net[0].W.Rows; len(m.Mean) != in || len(m.Std) != in {
		return FormatError(fmt.Sprintf("mean of %d and std of %d inputs, want %d", len(m.Mean), len(m.Std), in))
	}
	mean, std := namedArray{"mean", &Matrix{1, len(m.Mean), m.Mean}, false}, namedArray{"std", &Matrix{1, len(m.Std), m.Std}, true}
	return errors.Join(mean.validate(), std.validate())
}

// validate returns an error if the run is not one of net.
func (r *Run) validate(net Network) error {
	for i, e := range r.History {
		if e.N != i+1 {
			return FormatError(fmt.Sprintf("history: row %d is of epoch %d", i, e.N))
		}
	}
	if len(r.slots) > 0 && len(r.slots) != len(net) {
		return FormatError(fmt.Sprintf("running values of %d layers, the network has %d", len(r.slots), len(net)))
	}
	for i := range r.slots {
		for which := range maxParameters {
			w, _ := net[i].parameter(which)
			for s, prefix := range slotPrefixes {
				if x := &r.slots[i][s][which]; len(x.Data) > 0 && (x.Rows != w.Rows || x.Cols != w.Cols) {
					return FormatError(fmt.Sprintf("%s%s%d: %d×%d, want %d×%d", prefix, arrayNames[which], i+1, x.Rows, x.Cols, w.Rows, w.Cols))
				}
			}
		}
	}
	weights := net.arrays()
	if len(r.last) > 0 && len(r.last) != len(weights) {
		return FormatError(fmt.Sprintf("last weights in %d arrays, the network has %d", len(r.last), len(weights)))
	}
	for i := range r.last {
		if got, want := &r.last[i], weights[i]; got.Rows != want.Rows || got.Cols != want.Cols {
			return FormatError(fmt.Sprintf("last weights of %d×%d, want %d×%d", got.Rows, got.Cols, want.Rows, want.Cols))
		}
	}
	return nil
}

func (m *Model) runJSON() ([]byte, error) {
	r := runJSON{Optimizer: m.Run.Optimizer}
	if len(m.Recipe) > 0 {
		r.Recipe = m.Recipe
	}
	for i, l := range m.Net {
		if known, err := ActivationByName(l.Act.Name); l.Act.Name == "" || err == nil && known != l.Act {
			return nil, FormatError(fmt.Sprintf("layer %d: an activation of one's own needs a name of its own, not %q", i+1, l.Act.Name))
		}
		r.Activations = append(r.Activations, l.Act.Name)
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err == nil && len(text) > maxRunJSON {
		err = FormatError(fmt.Sprintf("run.json: %d bytes, over the limit of %d", len(text), maxRunJSON))
	}
	return text, err
}

// allFinite returns an error that names the first element that is not finite.
func allFinite(name string, x *Matrix) error {
	return allElements(name, x, finite)
}

func notNegative(name string, x *Matrix) error {
	return allElements(name, x, func(v float64) bool { return !(v < 0) })
}

func allElements(name string, x *Matrix, right func(float64) bool) error {
	i := slices.IndexFunc(x.Data, func(v float64) bool { return !right(v) })
	if i < 0 {
		return nil
	}
	return FormatError(fmt.Sprintf("%s: element (%d, %d) is %v", name, i/x.Cols, i%x.Cols, x.Data[i]))
}

// historyCols and statsCols are how many numbers a row has for an epoch, and for a
// layer in it. The methods below give their order.
const historyCols, statsCols = 7, 6

func (e *Epoch) numbers() []*float64 {
	return []*float64{&e.Loss, &e.Accuracy, &e.TestLoss, &e.TestAccuracy, &e.HeldLoss, &e.LossRise}
}

func (s *LayerStats) numbers() []*float64 {
	return []*float64{&s.GradMeanAbs, &s.GradNorm, &s.DeltaNorm, &s.ActivationStd, &s.InactiveFraction, &s.UpdateRatio}
}

// matrices returns the epochs as rows, and the statistics of their layers, nil if there
// are none.
func (h History) matrices(layers int) (history, stats *Matrix) {
	history = NewMatrix(len(h), historyCols)
	for i, e := range h {
		row := history.Row(i)
		row[0] = float64(e.N)
		for j, v := range e.numbers() {
			row[1+j] = *v
		}
	}
	if len(h) == 0 || len(h[0].First) != layers {
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
