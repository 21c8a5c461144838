// How a model file is read: nothing in it is believed before it is checked. Not here:
// what it holds (model.go) and NumPy's format itself (npz.go).

package mlp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// ReadModel reads what Write wrote, or any .npz archive with W1, b1, W2 and so on,
// whose activations are then ReLU and, of the last layer, Linear. A model with
// activations that are not the package's needs them as own. Arrays whose shapes do not
// fit or that are not all finite are refused by name.
func ReadModel(r io.ReaderAt, size int64, own ...*Activation) (*Model, error) {
	z, err := openNPZ(r, size)
	if err != nil {
		return nil, err
	}
	m := new(Model)
	if err := m.read(z, own); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *Model) read(z *npz, own []*Activation) error {
	for _, read := range []func(*npz) error{m.readLayers, m.readStandardization,
		func(z *npz) error { return m.readRunJSON(z, own) }, m.readHistory, m.readLayerStats, m.readRunningValues, m.readLast} {
		if err := read(z); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) readLayers(z *npz) error {
	for i := 1; ; i++ {
		w, err := z.matrix(fmt.Sprintf("W%d", i))
		if i > 1 && errors.Is(err, fs.ErrNotExist) {
			m.Net[i-2].Act = Linear
			return m.Net.validate()
		}
		if err == nil && i > maxLayers {
			err = FormatError(fmt.Sprintf("more than %d layers", maxLayers))
		}
		if err == nil && (w.Rows < 1 || w.Cols < 1) {
			err = FormatError(fmt.Sprintf("W%d: %d×%d", i, w.Rows, w.Cols))
		}
		if err == nil {
			err = allFinite(fmt.Sprintf("W%d", i), w)
		}
		if err != nil {
			return err
		}
		l := &Layer{W: *w, Act: ReLU}
		if err := l.readRest(z, i); err != nil {
			return err
		}
		m.Net = append(m.Net, l)
	}
}

// readRest reads the bias and the normalisation of layer number, if there is one.
func (l *Layer) readRest(z *npz, number int) error {
	b, err := z.sized(fmt.Sprintf("b%d", number), 1, l.W.Cols, false)
	if err != nil {
		return err
	}
	l.B = *b
	norm := new(BatchNorm)
	missing := 0
	for s, to := range []*Matrix{&norm.Gain, &norm.Mean, &norm.Var} {
		name := arrayNames[2+s]
		x, err := z.sized(fmt.Sprintf("%s%d", name, number), 1, l.W.Cols, name == "var")
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return err
		}
		*to = *x
	}
	switch missing {
	case 0:
		l.Norm = norm
	case 1, 2:
		return FormatError(fmt.Sprintf("gain%d, mean%d, var%d: %d of the three are missing", number, number, number, missing))
	}
	return nil
}

// sized reads a finite array that must have the given shape.
func (z *npz) sized(name string, rows, cols int, square bool) (*Matrix, error) {
	x, err := z.matrix(name)
	if err != nil {
		return nil, err
	}
	if x.Rows != rows || x.Cols != cols {
		return nil, FormatError(fmt.Sprintf("%s: %d×%d, want %d×%d", name, x.Rows, x.Cols, rows, cols))
	}
	return x, namedArray{name, x, square}.validate()
}

func (m *Model) readStandardization(z *npz) error {
	in := m.Net[0].W.Rows
	mean, err := z.sized("mean", 1, in, false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	std, err := z.sized("std", 1, in, true)
	if err != nil {
		return err
	}
	m.Mean, m.Std = mean.Data, std.Data
	return nil
}

func (m *Model) readRunJSON(z *npz, own []*Activation) error {
	text, err := z.bytes("run.json", maxRunJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var r runJSON
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("run.json: %w", err)
	}
	if len(r.Activations) != len(m.Net) {
		return FormatError(fmt.Sprintf("run.json: %d activations for %d layers", len(r.Activations), len(m.Net)))
	}
	for i, name := range r.Activations {
		if j := slices.IndexFunc(own, func(a *Activation) bool { return a.Name == name }); j >= 0 {
			m.Net[i].Act = own[j]
		} else if m.Net[i].Act, err = ActivationByName(name); err != nil {
			return FormatError(fmt.Sprintf("run.json: layer %d has the activation %v, or one of your own", i+1, err))
		}
	}
	m.Run.Optimizer = r.Optimizer
	if m.Recipe = r.Recipe; m.Recipe == nil {
		m.Recipe = map[string]string{}
	}
	return nil
}

// float64s reads an array that only Write makes, of float64. An array of smaller
// numbers would take many times the bytes of its file.
func (z *npz) float64s(name string) (*Matrix, error) {
	x, err := z.matrix(name)
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
	m.Run.History = make(History, 0, x.Rows)
	for i := range x.Rows {
		row := x.Row(i)
		if row[0] != float64(i+1) {
			return FormatError(fmt.Sprintf("history: row %d is of epoch %v", i, row[0]))
		}
		e := Epoch{N: i + 1}
		for j, v := range e.numbers() {
			*v = row[1+j]
		}
		m.Run.History = append(m.Run.History, e)
	}
	return nil
}

func (m *Model) readLayerStats(z *npz) error {
	x, err := z.float64s("layer_stats")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	h := m.Run.History
	if rows, cols := len(h)+1, len(m.Net)*statsCols; x.Rows != rows || x.Cols != cols || rows == 1 {
		return FormatError(fmt.Sprintf("layer_stats: %d×%d, want %d×%d", x.Rows, x.Cols, rows, cols))
	}
	take := func(row []float64) []LayerStats {
		stats := make([]LayerStats, len(m.Net))
		for i := range stats {
			for j, v := range stats[i].numbers() {
				*v = row[i*statsCols+j]
			}
		}
		return stats
	}
	h[0].First = take(x.Row(0))
	for i := range h {
		h[i].Layers = take(x.Row(i + 1))
	}
	return nil
}

// readRunningValues reads the optimizer's running values: for each slot those of all
// layers or of none.
func (m *Model) readRunningValues(z *npz) error {
	slots := make([]runningValues, len(m.Net))
	for s, prefix := range slotPrefixes {
		for i, l := range m.Net {
			arrays := l.arrays()
			read, err := z.like(prefix, i+1, arrays[:min(maxParameters, len(arrays))])
			if err != nil {
				return err
			}
			if read == nil {
				break
			}
			copy(slots[i][s][:], read)
		}
	}
	m.Run.slots = slots
	return nil
}

// readLast reads the weights of the last epoch of a run with patience.
func (m *Model) readLast(z *npz) error {
	for i, l := range m.Net {
		read, err := z.like(lastPrefix, i+1, l.arrays())
		if err != nil || read == nil {
			return err
		}
		m.Run.last = append(m.Run.last, read...)
	}
	return nil
}

// like reads, for layer number, an array of the shape of each of shapes. Their names
// begin with prefix. It returns nil if the first layer's first array is missing: then
// the file has none of the kind.
func (z *npz) like(prefix string, number int, shapes []*Matrix) (read []Matrix, err error) {
	for i, shape := range shapes {
		name := arrayNames[i]
		x, err := z.sized(fmt.Sprintf("%s%s%d", prefix, name, number), shape.Rows, shape.Cols, name == "var" || prefix == slotPrefixes[1])
		if number == 1 && i == 0 && errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		read = append(read, *x)
	}
	return read, nil
}
