// How a model file is read: every value is checked before it is used. Not here: what the
// file holds (model.go) and NumPy's format itself (npz.go).

package mlp

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

// ReadModel reads what Write wrote, or any .npz archive with W1, b1, W2 and so on. Without
// run.json all layers are ReLU, except the last, which is Linear. If the model uses
// activations that are not the package's, pass them in own. An error names the array that
// is missing, whose shape does not fit or that has an element which is not finite.
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

// read reads run.json before the running values, because whether these may be negative
// depends on the optimizer.
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
	for i := 0; i == 0 || z.has(fmt.Sprintf("W%d", i+1)); i++ {
		if i == maxLayers {
			return formatErrorf("more than %d layers", maxLayers)
		}
		if err := m.readLayer(z, i); err != nil {
			return err
		}
	}
	m.Net[len(m.Net)-1].Act = Linear
	if err := m.refuseStrays(z); err != nil {
		return err
	}
	return m.Net.validate()
}

// refuseStrays returns an error if there are weights or a bias of a layer that was not
// read, for example W3 without W2, or W0.
func (m *Model) refuseStrays(z *npz) error {
	for _, name := range z.arrays {
		for _, prefix := range arrayNames[:2] {
			digits, ok := strings.CutPrefix(name, prefix)
			number, err := strconv.Atoi(digits)
			switch {
			case ok && err == nil && number < 1:
				return formatErrorf("%s: the first layer is W1", name)
			case ok && err == nil && number > len(m.Net):
				return formatErrorf("%s: there is no W%d", name, len(m.Net)+1)
			}
		}
	}
	return nil
}

func (m *Model) readLayer(z *npz, i int) error {
	name := fmt.Sprintf("W%d", i+1)
	w, err := z.matrix(name)
	if err == nil && (w.Rows < 1 || w.Cols < 1) {
		err = formatErrorf("%s: %d×%d", name, w.Rows, w.Cols)
	}
	if err == nil {
		err = allFinite(name, w)
	}
	if err != nil {
		return err
	}
	b, err := z.like(m.named("", 1, i, &Matrix{Rows: 1, Cols: w.Cols}))
	if err != nil {
		return err
	}
	l := &Layer{W: *w, B: *b, Act: ReLU}
	m.Net = append(m.Net, l)
	l.Norm, err = m.readNorm(z, i)
	return err
}

// readNorm reads the normalisation of layer i. It returns nil if the layer has none.
func (m *Model) readNorm(z *npz, i int) (*BatchNorm, error) {
	norm, missing := new(BatchNorm), 0
	for s, to := range []*Matrix{&norm.Gain, &norm.Mean, &norm.Var} {
		a := m.named("", 2+s, i, &Matrix{Rows: 1, Cols: m.Net[i].W.Cols})
		if !z.has(a.name) {
			missing++
			continue
		}
		x, err := z.like(a)
		if err != nil {
			return nil, err
		}
		*to = *x
	}
	switch missing {
	case 0:
		return norm, nil
	case 3:
		return nil, nil
	}
	return nil, formatErrorf("gain%d, mean%d, var%d: %d of the three are missing", i+1, i+1, i+1, missing)
}

// like reads the array that has the name of a. The array must have a's shape, and
// elements that such an array may have.
func (z *npz) like(a namedArray) (*Matrix, error) {
	x, err := z.matrix(a.name)
	if err != nil {
		return nil, err
	}
	if x.Rows != a.matrix.Rows || x.Cols != a.matrix.Cols {
		return nil, formatErrorf("%s: %d×%d, want %d×%d", a.name, x.Rows, x.Cols, a.matrix.Rows, a.matrix.Cols)
	}
	a.matrix = x
	return x, a.validate()
}

func (m *Model) readStandardization(z *npz) error {
	switch hasMean, hasStd := z.has("mean"), z.has("std"); {
	case !hasMean && !hasStd:
		return nil
	case !hasMean:
		return FormatError("std: there is no mean")
	case !hasStd:
		return FormatError("mean: there is no std")
	}
	shape := &Matrix{Rows: 1, Cols: m.Net[0].W.Rows}
	mean, err := z.like(namedArray{"mean", shape, false})
	if err != nil {
		return err
	}
	std, err := z.like(namedArray{"std", shape, true})
	if err != nil {
		return err
	}
	m.Input = Standardization{mean.Data, std.Data}
	return nil
}

func (m *Model) readRunJSON(z *npz, own []*Activation) error {
	text, err := z.read("run.json", false, maxRunJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var r runJSON
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		return fmt.Errorf("run.json: %w", err)
	}
	if len(r.Activations) != len(m.Net) {
		return formatErrorf("run.json: %d activations for %d layers", len(r.Activations), len(m.Net))
	}
	for i, name := range r.Activations {
		if j := slices.IndexFunc(own, func(a *Activation) bool { return a.Name == name }); j >= 0 {
			m.Net[i].Act = own[j]
		} else if m.Net[i].Act, err = ActivationByName(name); err != nil {
			return formatErrorf("run.json: layer %d: activation %v, or one passed to ReadModel as own", i+1, err)
		}
	}
	if len(r.Dropout) > 0 {
		if len(r.Dropout) != len(m.Net) {
			return formatErrorf("run.json: %d numbers of Dropout for %d layers", len(r.Dropout), len(m.Net))
		}
		for i, l := range m.Net {
			l.Dropout = r.Dropout[i]
		}
		if err := m.Net.validate(); err != nil {
			return fmt.Errorf("run.json: %w", err)
		}
	}
	m.Run.Optimizer, m.Run.Metric, m.Deskew = r.Optimizer, r.Metric, r.Deskew
	if in := m.Net[0].W.Rows; m.Deskew && in != MNISTPixels {
		return formatErrorf("run.json: images of %d pixels cannot be deskewed, want %d", in, MNISTPixels)
	}
	if m.Recipe = r.Recipe; m.Recipe == nil {
		m.Recipe = map[string]string{}
	}
	return nil
}

// float64s reads an array that only Write makes. Its elements must be float64 in the file,
// because smaller ones would become many times as many bytes as there are.
func (z *npz) float64s(name string) (*Matrix, error) {
	x, err := z.matrix(name)
	if err == nil && z.members[name].size < 8*int64(len(x.Data)) {
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
		return formatErrorf("history: %d×%d, want %d columns", x.Rows, x.Cols, historyCols)
	}
	m.Run.History = make(History, 0, x.Rows)
	for i := range x.Rows {
		row := x.Row(i)
		if row[0] != float64(i+1) {
			return formatErrorf("history: row %d is of epoch %v", i, row[0])
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
		return formatErrorf("layer_stats: %d×%d, want %d×%d", x.Rows, x.Cols, rows, cols)
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

func (m *Model) readRunningValues(z *npz) (err error) {
	for s, prefix := range slotPrefixes {
		if m.Run.slots[s], err = m.readVector(z, prefix, false); err != nil {
			return err
		}
	}
	return nil
}

func (m *Model) readLast(z *npz) (err error) {
	m.Run.last, err = m.readVector(z, lastPrefix, true)
	return err
}

func (m *Model) readVector(z *npz, prefix string, all bool) ([]float64, error) {
	parts := m.Net.parts()
	if !z.has(prefix + parts[0].name) {
		return nil, nil
	}
	vector := make([]float64, length(parts))
	for _, p := range parts {
		if !all && p.gradient == nil {
			continue
		}
		x, err := z.like(m.named(prefix, p.kind, p.layer, p.array))
		if err != nil {
			return nil, err
		}
		copy(p.of(vector).Data, x.Data)
	}
	return vector, nil
}
