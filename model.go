// A network as a file: which arrays and which words a model.npz holds. Not
// here: NumPy's format itself (npz.go) and folders, which are the command's.

package mlp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
)

// Model is a network with what is needed to use it, to go on training it and
// to train it again.
type Model struct {
	Net       Network
	Mean, Std []float64         // of the inputs' standardization; nil for none
	History   History           // of the epochs it was trained
	Recipe    map[string]string // how to train it again, in the trainer's words; nil for none
}

// run is the member run.json: what of a model is no array.
type run struct {
	Activations []string
	Recipe      map[string]string
}

// The names of the optimizers' running values begin so, and out of the way of
// who takes all that begins with W or b.
var slotNames = [2]string{"m.", "v."}

// Write writes m as an .npz archive: W1 (in×out), b1 (1×out), W2 and so on,
// mean and std (1×in), history (a row per epoch: its number, loss, accuracy,
// test loss, test accuracy), the optimizer's running values as m.W1, v.W1, …,
// and run.json. The same model gives the same bytes.
func (m *Model) Write(w io.Writer) error {
	var members []Member
	array := func(name string, x *Matrix) { members = append(members, Member{Name: name, Matrix: x}) }
	r := run{Recipe: m.Recipe}
	for i, l := range m.Net {
		array(fmt.Sprintf("W%d", i+1), &l.W)
		array(fmt.Sprintf("b%d", i+1), &l.B)
		r.Activations = append(r.Activations, l.Act.Name)
	}
	if m.Mean != nil {
		array("mean", NewMatrix(1, len(m.Mean), m.Mean...))
		array("std", NewMatrix(1, len(m.Std), m.Std...))
	}
	history := NewMatrix(len(m.History), 5)
	for i, e := range m.History {
		copy(history.Row(i), []float64{float64(e.N), e.Loss, e.Accuracy, e.TestLoss, e.TestAccuracy})
	}
	array("history", history)
	for s, prefix := range slotNames {
		for i, l := range m.Net {
			if len(l.slots[s][0].Data) > 0 {
				array(fmt.Sprintf("%sW%d", prefix, i+1), &l.slots[s][0])
				array(fmt.Sprintf("%sb%d", prefix, i+1), &l.slots[s][1])
			}
		}
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return WriteNPZ(w, append(members, Member{Name: "run.json", Bytes: text})...)
}

// ReadModel reads what Write wrote, or any .npz archive with W1, b1, W2 and so
// on, whose activations are then ReLU and, of the last layer, Linear. Arrays
// whose shapes do not fit or that are not all finite are refused by name.
func ReadModel(r io.ReaderAt, size int64) (*Model, error) {
	z, err := OpenNPZ(r, size)
	if err != nil {
		return nil, err
	}
	m := new(Model)
	for _, read := range []func(*NPZ) error{m.readLayers, m.readStandardization, m.readRun, m.readHistory, m.readSlots} {
		if err := read(z); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// maxLayers bounds what an archive of tiny arrays can ask for.
const maxLayers = 1000

func (m *Model) readLayers(z *NPZ) error {
	in := -1
	for i := 1; i <= maxLayers; i++ {
		w, err := z.Matrix(fmt.Sprintf("W%d", i))
		if i > 1 && errors.Is(err, fs.ErrNotExist) {
			m.Net[i-2].Act = Linear
			return nil
		}
		if err != nil {
			return err
		}
		if w.Rows < 1 || w.Cols < 1 || in >= 0 && w.Rows != in {
			return FormatError(fmt.Sprintf("W%d: %d×%d after a layer of %d", i, w.Rows, w.Cols, in))
		}
		b, err := z.sized(fmt.Sprintf("b%d", i), 1, w.Cols)
		if err != nil {
			return err
		}
		if err := allFinite(fmt.Sprintf("W%d", i), w); err != nil {
			return err
		}
		m.Net = append(m.Net, &Layer{W: *w, B: *b, Act: ReLU})
		in = w.Cols
	}
	return FormatError(fmt.Sprintf("more than %d layers", maxLayers))
}

// sized reads a finite array that must have the given shape.
func (z *NPZ) sized(name string, rows, cols int) (*Matrix, error) {
	x, err := z.Matrix(name)
	if err != nil {
		return nil, err
	}
	if x.Rows != rows || x.Cols != cols {
		return nil, FormatError(fmt.Sprintf("%s: %d×%d, want %d×%d", name, x.Rows, x.Cols, rows, cols))
	}
	return x, allFinite(name, x)
}

func allFinite(name string, x *Matrix) error {
	for i, v := range x.Data {
		if !finite(v) {
			return FormatError(fmt.Sprintf("%s: element (%d, %d) is %v", name, i/x.Cols, i%x.Cols, v))
		}
	}
	return nil
}

func (m *Model) readStandardization(z *NPZ) error {
	in := m.Net[0].W.Rows
	mean, err := z.sized("mean", 1, in)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	std, err := z.sized("std", 1, in)
	if err != nil {
		return err
	}
	for i, v := range std.Data {
		if v < 0 {
			return FormatError(fmt.Sprintf("std: element (0, %d) is %v", i, v))
		}
	}
	m.Mean, m.Std = mean.Data, std.Data
	return nil
}

func (m *Model) readRun(z *NPZ) error {
	text, err := z.Bytes("run.json", 1<<20)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var r run
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("run.json: %w", err)
	}
	if len(r.Activations) != len(m.Net) {
		return FormatError(fmt.Sprintf("run.json: %d activations for %d layers", len(r.Activations), len(m.Net)))
	}
	for i, name := range r.Activations {
		if m.Net[i].Act = Activations[name]; m.Net[i].Act == nil {
			return FormatError(fmt.Sprintf("run.json: layer %d has the activation %.60q", i+1, name))
		}
	}
	m.Recipe = r.Recipe
	return nil
}

func (m *Model) readHistory(z *NPZ) error {
	x, err := z.Matrix("history")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if x.Cols != 5 {
		return FormatError(fmt.Sprintf("history: %d×%d, want 5 columns", x.Rows, x.Cols))
	}
	for i := range x.Rows {
		e := x.Row(i)
		if e[0] != float64(i+1) {
			return FormatError(fmt.Sprintf("history: row %d is of epoch %v", i, e[0]))
		}
		m.History = append(m.History, Epoch{i + 1, e[1], e[2], e[3], e[4]})
	}
	return nil
}

func (m *Model) readSlots(z *NPZ) error {
	for s, prefix := range slotNames {
		for i, l := range m.Net {
			w, err := z.sized(fmt.Sprintf("%sW%d", prefix, i+1), l.W.Rows, l.W.Cols)
			if i == 0 && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			b, err := z.sized(fmt.Sprintf("%sb%d", prefix, i+1), 1, l.B.Cols)
			if err != nil {
				return err
			}
			l.slots[s] = [2]Matrix{*w, *b}
		}
	}
	return nil
}
