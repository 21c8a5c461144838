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
	Recipe    map[string]string // how to train it again, in the trainer's words; after reading, nil if the file has no run.json
}

// run is the member run.json: what of a model is no array.
type run struct {
	Activations []string
	Recipe      map[string]string
}

// What resuming needs is named so, out of the way of who takes all that begins
// with W or b: the optimizers' running values, and the weights of the last
// epoch where W and b are those of the best.
var (
	slotNames = [2]string{"m.", "v."}
	otherName = "last."
)

// Write writes m as an .npz archive: W1 (in×out), b1 (1×out), W2 and so on,
// with normalisation gain1, mean1 and var1 (1×out), mean and std (1×in),
// history (a row per epoch: its number, loss, accuracy, test loss, test
// accuracy, held-out loss, rise), rulers (a row for the first step and one per
// epoch: six for each layer), the optimizer's running values as m.W1, v.W1, …,
// and run.json. The same model gives the same bytes. It refuses weights and running
// values that are not finite, and a History that lacks epochs from the first on:
// ReadModel would.
func (m *Model) Write(w io.Writer) error {
	if err := m.check(); err != nil {
		return err
	}
	var members []npzMember
	array := func(name string, x *Matrix) { members = append(members, npzMember{Name: name, Matrix: x}) }
	var r run
	if len(m.Recipe) > 0 {
		r.Recipe = m.Recipe
	}
	for i, l := range m.Net {
		for s, x := range l.state() {
			array(fmt.Sprintf("%s%d", stateNames[s], i+1), x)
		}
		r.Activations = append(r.Activations, l.Act.Name)
	}
	if m.Mean != nil {
		array("mean", NewMatrix(1, len(m.Mean), m.Mean...))
		array("std", NewMatrix(1, len(m.Std), m.Std...))
	}
	history, rulers := m.History.matrices(len(m.Net))
	array("history", history)
	if rulers != nil {
		array("rulers", rulers)
	}
	for i, l := range m.Net {
		for s, prefix := range slotNames {
			for which, x := range l.slots[s] {
				if len(x.Data) > 0 {
					array(fmt.Sprintf("%s%s%d", prefix, stateNames[which], i+1), &x)
				}
			}
		}
		for s := range l.other {
			array(fmt.Sprintf("%s%s%d", otherName, stateNames[s], i+1), &l.other[s])
		}
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return writeNPZ(w, append(members, npzMember{Name: "run.json", Bytes: text})...)
}

func (m *Model) check() error {
	if len(m.Net) == 0 || len(m.Net) > maxLayers {
		return FormatError(fmt.Sprintf("a network of %d layers", len(m.Net)))
	}
	if in := m.Net[0].W.Rows; m.Mean != nil && (len(m.Mean) != in || len(m.Std) != in) {
		return FormatError(fmt.Sprintf("mean of %d and std of %d inputs, want %d", len(m.Mean), len(m.Std), in))
	}
	for i, e := range m.History {
		if e.N != i+1 {
			return FormatError(fmt.Sprintf("history: row %d is of epoch %d", i, e.N))
		}
	}
	return m.Net.sound()
}

// sound returns an error where what the layers have learnt or an optimizer keeps is
// not finite.
func (net Network) sound() error {
	for i, l := range net {
		for s, m := range l.state() {
			if err := allFinite(fmt.Sprintf("%s%d", stateNames[s], i+1), m); err != nil {
				return err
			}
		}
		for s, prefix := range slotNames {
			for which := range l.slots[s] {
				if err := allFinite(fmt.Sprintf("%s%s%d", prefix, stateNames[which], i+1), &l.slots[s][which]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// historyCols and rulerCols are how many numbers an epoch has, and a layer in
// it. The methods below them are their order.
const historyCols, rulerCols = 7, 6

func (e *Epoch) numbers() []*float64 {
	return []*float64{&e.Loss, &e.Accuracy, &e.TestLoss, &e.TestAccuracy, &e.HeldLoss, &e.Rise}
}

func (r *Rulers) numbers() []*float64 {
	return []*float64{&r.GradMean, &r.GradNorm, &r.Delta, &r.Spread, &r.Idle, &r.Update}
}

// matrices returns the epochs as rows, and their rulers, nil if none were kept.
func (h History) matrices(layers int) (history, rulers *Matrix) {
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
	rulers = NewMatrix(len(h)+1, layers*rulerCols)
	put := func(row []float64, rulers []Rulers) {
		for i := range rulers {
			for j, v := range rulers[i].numbers() {
				row[i*rulerCols+j] = *v
			}
		}
	}
	put(rulers.Row(0), h[0].First)
	for i, e := range h {
		put(rulers.Row(i+1), e.Layers)
	}
	return history, rulers
}

// ReadModel reads what Write wrote, or any .npz archive with W1, b1, W2 and so
// on, whose activations are then ReLU and, of the last layer, Linear. Arrays
// whose shapes do not fit or that are not all finite are refused by name.
func ReadModel(r io.ReaderAt, size int64) (*Model, error) {
	z, err := openNPZ(r, size)
	if err != nil {
		return nil, err
	}
	m := new(Model)
	for _, read := range []func(*npz) error{m.readLayers, m.readStandardization, m.readRun, m.readHistory, m.readRulers, m.readSlots} {
		if err := read(z); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// maxLayers bounds what an archive of tiny arrays can ask for.
const maxLayers = 1000

func (m *Model) readLayers(z *npz) error {
	in := -1
	for i := 1; ; i++ {
		w, err := z.Matrix(fmt.Sprintf("W%d", i))
		if i > 1 && errors.Is(err, fs.ErrNotExist) {
			m.Net[i-2].Act = Linear
			return nil
		}
		if err == nil && i > maxLayers {
			err = FormatError(fmt.Sprintf("more than %d layers", maxLayers))
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
		norm, err := z.norm(i, w.Cols)
		if err != nil {
			return err
		}
		m.Net = append(m.Net, &Layer{W: *w, B: *b, Norm: norm, Act: ReLU})
		in = w.Cols
	}
}

// norm reads the normalisation of layer i, nil where it has none.
func (z *npz) norm(i, width int) (*BatchNorm, error) {
	var read [3]*Matrix
	missing := 0
	for s, name := range stateNames[2:] {
		x, err := z.sized(fmt.Sprintf("%s%d", name, i), 1, width)
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return nil, err
		}
		read[s] = x
	}
	switch missing {
	case 0:
		return &BatchNorm{Gain: *read[0], Mean: *read[1], Var: *read[2]}, notNegative(fmt.Sprintf("var%d", i), read[2])
	case 3:
		return nil, nil
	}
	return nil, FormatError(fmt.Sprintf("gain%d, mean%d, var%d: %d of the three are missing", i, i, i, missing))
}

func notNegative(name string, x *Matrix) error {
	for i, v := range x.Data {
		if v < 0 {
			return FormatError(fmt.Sprintf("%s: element (%d, %d) is %v", name, i/x.Cols, i%x.Cols, v))
		}
	}
	return nil
}

// sized reads a finite array that must have the given shape.
func (z *npz) sized(name string, rows, cols int) (*Matrix, error) {
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

func (m *Model) readStandardization(z *npz) error {
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
	m.Mean, m.Std = mean.Data, std.Data
	return notNegative("std", std)
}

func (m *Model) readRun(z *npz) error {
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
			return FormatError(fmt.Sprintf("run.json: layer %d has the activation %.60q, which is not in Activations", i+1, name))
		}
	}
	if m.Recipe = r.Recipe; m.Recipe == nil {
		m.Recipe = map[string]string{}
	}
	return nil
}

// float64s reads an array that only Write makes, of float64: out of smaller
// numbers would come many times as many bytes.
func (z *npz) float64s(name string) (*Matrix, error) {
	x, err := z.Matrix(name)
	if err == nil && z.files[name].UncompressedSize64 < 8*uint64(len(x.Data)) {
		err = FormatError(name + ": not of float64")
	}
	return x, err
}

func (m *Model) readHistory(z *npz) error {
	x, err := z.float64s("history")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if x.Cols != historyCols {
		return FormatError(fmt.Sprintf("history: %d×%d, want %d columns", x.Rows, x.Cols, historyCols))
	}
	m.History = make(History, 0, x.Rows)
	for i := range x.Rows {
		row := x.Row(i)
		if row[0] != float64(i+1) {
			return FormatError(fmt.Sprintf("history: row %d is of epoch %v", i, row[0]))
		}
		e := Epoch{N: i + 1}
		for j, v := range e.numbers() {
			*v = row[1+j]
		}
		m.History = append(m.History, e)
	}
	return nil
}

func (m *Model) readRulers(z *npz) error {
	x, err := z.float64s("rulers")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if rows, cols := len(m.History)+1, len(m.Net)*rulerCols; x.Rows != rows || x.Cols != cols || rows == 1 {
		return FormatError(fmt.Sprintf("rulers: %d×%d, want %d×%d", x.Rows, x.Cols, rows, cols))
	}
	take := func(row []float64) []Rulers {
		rulers := make([]Rulers, len(m.Net))
		for i := range rulers {
			for j, v := range rulers[i].numbers() {
				*v = row[i*rulerCols+j]
			}
		}
		return rulers
	}
	m.History[0].First = take(x.Row(0))
	for i := range m.History {
		m.History[i].Layers = take(x.Row(i + 1))
	}
	return nil
}

// readSlots reads what resuming needs, of each layer or of none.
func (m *Model) readSlots(z *npz) error {
	for s, prefix := range slotNames {
		all, err := m.readBeside(z, prefix, func(l *Layer) []*Matrix { return l.state()[:min(3, len(l.state()))] })
		for i := range all {
			copy(m.Net[i].slots[s][:], all[i])
		}
		if err != nil {
			return err
		}
	}
	all, err := m.readBeside(z, otherName, (*Layer).state)
	for i := range all {
		m.Net[i].other = all[i]
	}
	return err
}

// readBeside reads, for each layer, an array of the shape of each of like's,
// whose names have the given prefix. There may be none at all.
func (m *Model) readBeside(z *npz, prefix string, like func(*Layer) []*Matrix) (all [][]Matrix, err error) {
	for i, l := range m.Net {
		var read []Matrix
		for s, shape := range like(l) {
			name := fmt.Sprintf("%s%s%d", prefix, stateNames[s], i+1)
			x, err := z.sized(name, shape.Rows, shape.Cols)
			if i == 0 && s == 0 && errors.Is(err, fs.ErrNotExist) {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			if prefix == slotNames[1] || stateNames[s] == "var" {
				if err := notNegative(name, x); err != nil {
					return nil, err
				}
			}
			read = append(read, *x)
		}
		all = append(all, read)
	}
	return all, nil
}
