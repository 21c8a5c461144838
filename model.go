// Models in files: what a model.npz holds, how it is written and how it is read.

package mlp

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Model is a network, or an ensemble of several, with what is needed to use it, to go on
// training it and to train it again.
type Model struct {
	Net         Network
	Others      []Member          // the networks of an ensemble beside Net, with layers like Net's
	Columns     Columns           // how the raw rows of a table become inputs; then Input is not used
	Targets     Columns           // what the outputs are; nil are those of one target of classes
	Input       Standardization   // of what the network sees
	Temperature float64           // what Predict divides logits by, as FitTemperature returns it; 0 is 1
	Margins     []float64         // of Numbers, how far off each may be, as FitMargins returns them; nil are unknown
	Deskew      bool              // inputs are images of MNISTPixels pixels, which MNIST.Deskew normalised before the standardization
	Familiarity *Familiarity      // of images of MNISTPixels pixels, what tells digits from anything else; nil is unknown
	Run         Run               // how far Net has been trained
	Recipe      map[string]string // how to train it again, in the words of the program that trained it; after reading, nil if the file has no run.json
}

// A Member is a network of an ensemble.
type Member struct {
	Net Network
	Run *Run // how far it has been trained
}

// members returns the networks of m, Net first.
func (m *Model) members() []Member {
	for i := range m.Others {
		if m.Others[i].Run == nil {
			m.Others[i].Run = new(Run)
		}
	}
	return append([]Member{{m.Net, &m.Run}}, m.Others...)
}

// Task says what the outputs of a network are.
type Task int

// The tasks of a network, which is trained by the loss that Task.Loss returns.
const (
	Classes Task = iota // one target of Values: Softmax makes the outputs their probabilities
	Labels              // several targets of two Values: Sigmoid makes an output the probability of the second
	Numbers             // each output is a target without Values, standardized by its Mean and Std
)

// Task returns what the outputs of m's networks are.
func (m *Model) Task() Task {
	switch {
	case len(m.Targets) > 0 && m.Targets[0].Values == nil:
		return Numbers
	case len(m.Targets) > 1:
		return Labels
	}
	return Classes
}

// Loss returns the loss by which the task is learnt.
func (t Task) Loss() Loss { return []Loss{SoftmaxCrossEntropy, SigmoidCrossEntropy, SquaredError}[t] }

// validateTargets returns an error if m's networks cannot have its targets.
func (m *Model) validateTargets() error {
	if m.Targets == nil {
		return nil
	}
	want := len(m.Targets)
	if m.Task() == Classes {
		want = len(m.Targets[0].Values)
	}
	if out := m.Net[len(m.Net)-1].W.Cols; out != want {
		return fmt.Errorf("its targets are %d outputs, the network has %d", want, out)
	}
	for _, c := range m.Targets {
		switch values := len(c.Values); {
		case len(c.Edges) > 0 || c.Gaps:
			return fmt.Errorf("the target %.60q has edges or gaps", c.Name)
		case (values == 0) != (m.Task() == Numbers):
			return fmt.Errorf("%.60q and %.60q are targets, one of numbers and one of categories", m.Targets[0].Name, c.Name)
		case values == 1 || m.Task() == Labels && values != 2:
			return fmt.Errorf("the target %.60q has %d categories, want two", c.Name, values)
		}
	}
	if m.Task() != Numbers {
		return nil
	}
	return m.Targets.validate()
}

// History returns the history of Net or, of an ensemble, the means over its networks. The
// statistics of layers are those of Net.
func (m *Model) History() History {
	all := slices.Clone(m.Run.History)
	for i := range all {
		all[i] = m.epoch(all[i].N)
	}
	return all
}

// epoch returns epoch n of the history.
func (m *Model) epoch(n int) Epoch {
	e := m.Run.History[n-1]
	if len(m.Others) == 0 {
		return e
	}
	for _, other := range m.Others {
		o := other.Run.History[n-1]
		for i, v := range o.numbers() {
			*e.numbers()[i] += *v
		}
	}
	for _, v := range e.numbers() {
		*v /= float64(1 + len(m.Others))
	}
	return e
}

// Fingerprint is that of Net or, of an ensemble, the SHA-256 of the fingerprints of its
// networks.
func (m *Model) Fingerprint() string {
	if len(m.Others) == 0 {
		return m.Net.Fingerprint()
	}
	hash := sha256.New()
	for _, member := range m.members() {
		io.WriteString(hash, member.Net.Fingerprint())
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// The limits of a model's file, which Write and ReadModel share.
const (
	maxLayers   = 1000    // an archive of tiny arrays could ask for many
	maxNetworks = 1000    // of an ensemble
	maxRunJSON  = 1 << 20 // bytes
)

// A fileArray is an array in a model's file. Write and ReadModel get its name, its shape and
// what its elements may be from the same place. To be read, the matrix needs only a shape, in
// which 0 stands for any number. In the file of an ensemble, the arrays of its networks are
// stacked: an array has one axis more, the first.
type fileArray struct {
	name   string
	matrix *Matrix
	may    elements
	shared bool // by the networks of an ensemble: it is not stacked
	stack  int  // the length of the first of three axes, or 0
}

// elements says what the elements of an array may be.
type elements int

const (
	finiteNumbers elements = iota
	squares                // variances or averages of squares: finite, and none is negative
	measured               // may be NaN
	greys                  // whole numbers from 0 to 255, each a byte in the file
)

// validate returns an error that names the first element that the array may not have.
func (a fileArray) validate() error {
	wrong := func(v float64) bool {
		return a.may != measured && (!finite(v) || a.may == squares && v < 0) || a.may == greys && (v < 0 || v > 255 || v != math.Trunc(v))
	}
	i := slices.IndexFunc(a.matrix.Data, wrong)
	if i < 0 {
		return nil
	}
	place := fmt.Sprintf("%d, %d", i/a.matrix.Cols, i%a.matrix.Cols)
	if a.stack > 0 {
		n := len(a.matrix.Data) / a.stack
		place = fmt.Sprintf("%d, %d, %d", i/n, i%n/a.matrix.Cols, i%a.matrix.Cols)
	}
	return fmt.Errorf("%s: element (%s) is %v", a.name, place, a.matrix.Data[i])
}

// read reads the array, of the network that is being read unless it is shared. What was
// measured must be float64 in the file, because smaller elements would become many times as
// many bytes as there are.
func (a fileArray) read(z *npz) error {
	x, rows, cols := a.matrix, a.matrix.Rows, a.matrix.Cols
	get := z.layer
	if a.shared {
		get = z.matrix
	}
	if err := get(x, a.name); err != nil {
		return err
	}
	if rows > 0 && x.Rows != rows || cols > 0 && x.Cols != cols {
		want := fmt.Sprintf("%d×%d", rows, cols)
		if rows == 0 {
			want = fmt.Sprintf("n×%d", cols)
		}
		return formatErrorf("%s: %d×%d, want %s", a.name, x.Rows, x.Cols, want)
	}
	if a.may == measured && z.members[a.name].size < 8*int64(len(x.Data)) {
		return FormatError(a.name + ": not of float64")
	}
	if err := a.validate(); err != nil {
		return FormatError(err.Error())
	}
	return nil
}

// inFile returns x, the network's part p or one of the same shape, as an array of a file.
func (p *part) inFile(prefix string, x *Matrix, may elements) fileArray {
	if p.kind == partVar {
		may = squares
	}
	return fileArray{name: prefix + p.name, matrix: x, may: may}
}

// A runVector is a vector of a run, as a file has it: an array for each part of the network up
// to a kind. The names of the arrays begin with a prefix, so that a reader that takes all names
// with W or b does not find them.
type runVector struct {
	prefix string
	vector *[]float64
	kinds  int
	may    elements
}

// vectors returns the vectors that a run may have. The second running value is an average of
// squares if the optimizer is Adam or AdamW. Files of earlier versions do not name the
// optimizer, and then it is Adam, because no other had a second running value.
func (r *Run) vectors() []runVector {
	second := finiteNumbers
	if r.Optimizer == "" || r.Optimizer == Adam.Name || r.Optimizer == AdamW.Name {
		second = squares
	}
	return []runVector{
		{"m.", &r.slots[0], partGain, finiteNumbers},
		{"v.", &r.slots[1], partGain, second},
		{"last.", &r.last, partVar, finiteNumbers},
	}
}

// arrays returns the standardization of so many columns as arrays of a file, whose names begin
// with a prefix.
func (s *Standardization) arrays(prefix string, columns int) []fileArray {
	return []fileArray{
		{name: prefix + "mean", matrix: &Matrix{1, columns, s.Mean}, shared: true},
		{name: prefix + "std", matrix: &Matrix{1, columns, s.Std}, may: squares, shared: true},
	}
}

// arrays returns the weights and the vectors of the run as arrays of a file in order.
func (m Member) arrays() (all []fileArray) {
	parts := m.Net.parts()
	for _, p := range parts {
		all = append(all, p.inFile("", p.array, finiteNumbers))
	}
	for layer := range m.Net {
		for _, v := range m.Run.vectors() {
			for _, p := range parts {
				if *v.vector != nil && p.layer == layer && p.kind <= v.kinds {
					all = append(all, p.inFile(v.prefix, p.of(*v.vector), v.may))
				}
			}
		}
	}
	return all
}

// arrays returns the arrays of a file in order.
func (m *Model) arrays() []fileArray {
	all := m.stacked(Member.arrays)
	switch {
	case m.Columns != nil:
		all = append(all, m.Columns.arrays()...)
	case m.Input.Mean != nil:
		all = append(all, m.Input.arrays("", m.Net[0].W.Rows)...)
	}
	if s := m.Targets.standardization(); m.Task() == Numbers {
		all = append(all, s.arrays("target_", len(m.Targets))...)
	}
	return append(all, m.stacked(func(n Member) []fileArray { return n.Run.History.arrays(len(n.Net)) })...)
}

// stacked returns arrays of each network, stacked if there is more than one. What only Net has
// is not stacked.
func (m *Model) stacked(arrays func(Member) []fileArray) []fileArray {
	all := arrays(Member{m.Net, &m.Run})
	for _, other := range m.Others {
		for i, a := range arrays(other) {
			if all[i].stack == 0 {
				x := *all[i].matrix
				x.Data = slices.Clone(x.Data)
				all[i].matrix, all[i].stack = &x, 1+len(m.Others)
			}
			all[i].matrix.Rows += a.matrix.Rows
			all[i].matrix.Data = append(all[i].matrix.Data, a.matrix.Data...)
		}
	}
	return all
}

// Write writes m as an .npz archive: W1 (in×out), b1 (1×out), W2 and so on; with
// normalisation gain1, mean1 and var1 (1×out); mean and std (1×in); with Columns edges (a
// row for each column, filled up with NaN); target_mean and target_std
// (1×out); with Familiarity familiar (n×784), familiar_labels (1×n) and familiar_limits (10×4), the first
// two of bytes; history (a row per
// epoch: its number, loss, metric, test loss, test metric, validation loss, loss rise);
// layer_stats (a row for the first step and one per epoch: six numbers for each layer); the
// optimizer's running values as m.W1, v.W1, …; with Config.Patience the last epoch's
// weights as last.W1, …; and run.json. Of an ensemble of k networks, what each has for itself
// has one axis more: W1 is k×in×out. Only Net has layer_stats. The same model gives the same bytes. To write only
// what is needed to use the model, set m.Run to Run{} before. Write returns an error, and
// writes nothing, if ReadModel would refuse the file or read another model from it.
func (m *Model) Write(w io.Writer) error {
	if err := m.validate(); err != nil {
		return err
	}
	if err := m.validateNames(); err != nil {
		return err
	}
	var members []npzMember
	for _, a := range m.arrays() {
		if err := a.validate(); err != nil {
			return err
		}
		members = append(members, npzMember{Name: a.name, Matrix: a.matrix, Stack: a.stack})
	}
	if m.Familiarity != nil {
		members = append(members, m.Familiarity.members()...)
	}
	text, err := m.runJSON()
	if err != nil {
		return err
	}
	return writeNPZ(w, append(members, npzMember{Name: "run.json", Bytes: text})...)
}

// validate returns an error if the parts of the model do not fit one another.
func (m *Model) validate() error {
	if err := m.Net.validate(); err != nil {
		return err
	}
	in, mean, std := m.Net[0].W.Rows, m.Input.Mean, m.Input.Std
	switch {
	case m.Columns != nil && (mean != nil || m.Deskew):
		return errors.New("it has Columns, and Input or Deskew too")
	case m.Columns != nil && m.Columns.Width() != in:
		return fmt.Errorf("its columns become %d inputs, the network has %d", m.Columns.Width(), in)
	case len(m.Net) > maxLayers:
		return fmt.Errorf("a network of %d layers, more than %d", len(m.Net), maxLayers)
	case m.Temperature != 0 && !(0x1p-10 <= m.Temperature && m.Temperature <= 0x1p10):
		return fmt.Errorf("a temperature of %v, want 1/1024 to 1024", m.Temperature)
	case m.Temperature != 0 && m.Task() == Numbers:
		return errors.New("it has a temperature, which is for probabilities, and its targets are numbers")
	case m.Margins != nil && m.Task() != Numbers:
		return errors.New("it has margins, which are for numbers, and its targets are categories")
	case m.Margins != nil && len(m.Margins) != len(m.Targets):
		return fmt.Errorf("%d margins for %d targets", len(m.Margins), len(m.Targets))
	case slices.ContainsFunc(m.Margins, func(v float64) bool { return !(v >= 0) || !finite(v) }):
		return fmt.Errorf("margins of %v, want finite numbers from 0", m.Margins)
	case m.Deskew && in != MNISTPixels:
		return fmt.Errorf("images of %d pixels cannot be deskewed, want %d", in, MNISTPixels)
	case m.Familiarity != nil && (in != MNISTPixels || m.Columns != nil):
		return fmt.Errorf("it has digits to compare images with, and its %d inputs are no images", in)
	case (mean != nil || std != nil) && (len(mean) != in || len(std) != in):
		return fmt.Errorf("mean of %d and std of %d inputs, want %d", len(mean), len(std), in)
	}
	if err := cmp.Or(m.Columns.validate(), m.validateTargets(), m.Familiarity.validate()); err != nil {
		return err
	}
	for i, member := range m.members() {
		if err := member.validate(m); err != nil {
			return memberError(i, 1+len(m.Others), err)
		}
	}
	return nil
}

// validate returns an error if the network is not like m.Net, or has not been trained alike.
func (n Member) validate(m *Model) error {
	if err := n.Net.validate(); err != nil {
		return err
	}
	if err := n.Run.validate(n.Net); err != nil {
		return err
	}
	if len(n.Net) != len(m.Net) {
		return fmt.Errorf("%d layers, network 1 has %d", len(n.Net), len(m.Net))
	}
	if history := n.Run.History; n.Run != &m.Run && len(history.arrays(len(n.Net))) > 1 {
		return errors.New("it has statistics of layers, which only network 1 may have")
	}
	for i, l := range n.Net {
		if f := m.Net[i]; l.W.Rows != f.W.Rows || l.W.Cols != f.W.Cols || l.Act != f.Act || l.Dropout != f.Dropout || (l.Norm == nil) != (f.Norm == nil) {
			return fmt.Errorf("layer %d is not like that of network 1", i+1)
		}
	}
	has := func(n Member) (names []string) {
		for _, a := range n.arrays() {
			names = append(names, a.name)
		}
		return append(names, n.Run.Optimizer, n.Run.Metric, fmt.Sprint(len(n.Run.History)))
	}
	if !slices.Equal(has(n), has(Member{m.Net, &m.Run})) {
		return errors.New("it has not been trained like network 1")
	}
	return nil
}

// validate returns an error if the run is not one of net.
func (r *Run) validate(net Network) error {
	for i, e := range r.History {
		if e.N != i+1 {
			return fmt.Errorf("history: row %d is of epoch %d", i, e.N)
		}
		if i > 0 && len(e.First) > 0 {
			return fmt.Errorf("history: epoch %d has statistics of the first step, which is in epoch 1", e.N)
		}
		for _, n := range []int{len(e.First), len(e.Layers)} {
			if n > 0 && n != len(net) {
				return fmt.Errorf("history: epoch %d has statistics of %d layers, the network has %d", e.N, n, len(net))
			}
		}
	}
	n := length(net.parts())
	for _, v := range r.vectors() {
		if got := len(*v.vector); *v.vector != nil && got != n {
			return fmt.Errorf("%sW1 and so on have %d elements, the network has %d", v.prefix, got, n)
		}
	}
	return nil
}

// validateNames returns an error if an activation could not be found again by its name.
func (m *Model) validateNames() error {
	for i, l := range m.Net {
		name := l.Act.Name
		if known, err := ActivationByName(name); name == "" || err == nil && known != l.Act {
			return fmt.Errorf("layer %d: its activation is named %q: give it a name that the package does not use", i+1, name)
		}
		first := slices.IndexFunc(m.Net, func(l *Layer) bool { return l.Act.Name == name })
		if m.Net[first].Act != l.Act {
			return fmt.Errorf("layers %d and %d: their activations differ but are both named %.60q", first+1, i+1, name)
		}
	}
	return nil
}

// runJSON is the member run.json: the parts of a model that are not arrays.
type runJSON struct {
	Activations      []string
	Dropout          []float64    `json:",omitempty"` // of each layer, if one has any
	Optimizer        string       `json:",omitempty"`
	Metric           string       `json:",omitempty"`
	Temperature      float64      `json:",omitempty"`
	Margins          []float64    `json:",omitempty"`
	Deskew           bool         `json:",omitempty"`
	Columns, Targets []columnJSON `json:",omitempty"`
	Recipe           map[string]string
}

// runJSON returns the content of run.json. It returns an error if JSON would alter a text.
func (m *Model) runJSON() ([]byte, error) {
	r := runJSON{Optimizer: m.Run.Optimizer, Metric: m.Run.Metric, Temperature: m.Temperature, Margins: m.Margins, Deskew: m.Deskew, Columns: m.Columns.inJSON(), Targets: m.Targets.inJSON()}
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
	texts := append([]string{r.Optimizer, r.Metric}, r.Activations...)
	for _, c := range slices.Concat(m.Columns, m.Targets) {
		texts = append(append(texts, c.Name), c.Values...)
	}
	for key, value := range r.Recipe {
		texts = append(texts, key, value)
	}
	for _, s := range texts {
		if !utf8.ValidString(s) {
			return nil, fmt.Errorf("run.json: %.60q is not UTF-8", s)
		}
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err == nil && len(text) > maxRunJSON {
		err = fmt.Errorf("run.json: %d bytes, over the limit of %d", len(text), maxRunJSON)
	}
	return text, err
}

// historyCols is how many numbers a row of history has: the epoch's number and six that were
// measured. statsCols is how many a row of layer_stats has for each layer.
const historyCols, statsCols = 7, 6

// transfer calls move for each number of the epochs, with its place in the arrays history and
// layer_stats.
func (h History) transfer(history, stats *Matrix, move func(element, number *float64)) {
	moveLayers := func(row int, of []LayerStats) {
		for i := range of {
			s := &of[i]
			for j, v := range []*float64{&s.GradMeanAbs, &s.GradNorm, &s.DeltaNorm, &s.ActivationStd, &s.InactiveFraction, &s.UpdateRatio} {
				move(&stats.Row(row)[i*statsCols+j], v)
			}
		}
	}
	for i := range h {
		e := &h[i]
		for j, v := range e.numbers() {
			move(&history.Row(i)[1+j], v)
		}
		moveLayers(0, e.First)
		moveLayers(i+1, e.Layers)
	}
}

// arrays returns the epochs as the arrays of a file. It leaves layer_stats out if no step has
// statistics. The row of a step that has none is NaN.
func (h History) arrays(layers int) []fileArray {
	if len(h) == 0 {
		return nil
	}
	history, stats := NewMatrix(len(h), historyCols), NewMatrix(len(h)+1, layers*statsCols)
	for i, e := range h {
		history.Row(i)[0] = float64(e.N)
	}
	for i := range stats.Data {
		stats.Data[i] = math.NaN()
	}
	h.transfer(history, stats, func(element, number *float64) { *element = *number })
	all := []fileArray{{name: "history", matrix: history, may: measured}, {name: "layer_stats", matrix: stats, may: measured}}
	if !slices.ContainsFunc(h, func(e Epoch) bool { return len(e.First)+len(e.Layers) > 0 }) {
		return all[:1]
	}
	return all
}

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
	if err := m.readMembers(z, own); err != nil {
		return nil, err
	}
	if err := m.validate(); err != nil {
		return nil, FormatError(err.Error())
	}
	return m, nil
}

// readMembers reads the networks, of which W1 says how many there are, and what they share.
func (m *Model) readMembers(z *npz, own []*Activation) error {
	for ; z.network < max(1, z.networks); z.network++ {
		n := Member{Run: new(Run)}
		if err := n.readNet(z); err != nil {
			return err
		}
		if z.network > 0 {
			m.Others = append(m.Others, n)
			continue
		}
		m.Net = n.Net
	}
	if err := m.readRunJSON(z, own); err != nil {
		return err
	}
	if err := cmp.Or(m.readInput(z), m.readFamiliarity(z)); err != nil {
		return err
	}
	for i, n := range m.members() {
		z.network = i
		if err := cmp.Or(n.readHistory(z), n.readVectors(z)); err != nil {
			return err
		}
	}
	return nil
}

// readNet reads W1, W2 and so on, which determine the shapes of all other arrays, and then
// the others of the network.
func (m *Member) readNet(z *npz) error {
	for n := 1; n == 1 || z.has(fmt.Sprint("W", n)); n++ {
		if n > maxLayers {
			return formatErrorf("more than %d layers", maxLayers)
		}
		l, w := &Layer{Act: ReLU}, fmt.Sprint("W", n)
		if err := (fileArray{name: w, matrix: &l.W}).read(z); err != nil {
			return err
		}
		if l.W.Rows < 1 || l.W.Cols < 1 {
			return formatErrorf("%s: %d×%d", w, l.W.Rows, l.W.Cols)
		}
		row, missing := Matrix{Rows: 1, Cols: l.W.Cols}, 0
		for _, name := range []string{"gain", "mean", "var"} {
			if !z.has(fmt.Sprint(name, n)) {
				missing++
			}
		}
		switch l.B = row; missing {
		case 0:
			l.Norm = &BatchNorm{Gain: row, Mean: row, Var: row}
		case 1, 2:
			return formatErrorf("gain%d, mean%d, var%d: %d of the three are missing", n, n, n, missing)
		}
		m.Net = append(m.Net, l)
	}
	m.Net[len(m.Net)-1].Act = Linear
	for _, p := range m.Net.parts() {
		if p.kind == partW {
			continue
		}
		if err := p.inFile("", p.array, finiteNumbers).read(z); err != nil {
			return err
		}
	}
	for _, name := range z.arrays { // of W3 without W2, or of W0, nothing was read
		number, err := strconv.Atoi(name[1:])
		switch isLayer := err == nil && (name[0] == 'W' || name[0] == 'b'); {
		case isLayer && number < 1:
			return formatErrorf("%s: the first layer is W1", name)
		case isLayer && number > len(m.Net):
			return formatErrorf("%s: there is no W%d", name, len(m.Net)+1)
		}
	}
	return nil
}

// readInput reads what the inputs and the targets are made by.
func (m *Model) readInput(z *npz) error {
	var targets Standardization
	if m.Task() == Numbers {
		if err := targets.read(z, "target_", len(m.Targets)); err != nil {
			return err
		}
		if err := m.Targets.standardize(targets); err != nil {
			return err
		}
	}
	if m.Columns != nil {
		return m.Columns.read(z)
	}
	return m.Input.read(z, "", m.Net[0].W.Rows)
}

// read reads the arrays of a standardization, if there are any.
func (s *Standardization) read(z *npz, prefix string, columns int) error {
	arrays := s.arrays(prefix, columns)
	mean, std := arrays[0], arrays[1]
	switch has := z.has(mean.name); {
	case has != z.has(std.name):
		return formatErrorf("%s, %s: one of the two is missing", mean.name, std.name)
	case !has:
		return nil
	}
	if err := cmp.Or(mean.read(z), std.read(z)); err != nil {
		return err
	}
	*s = Standardization{mean.matrix.Data, std.matrix.Data}
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
	if len(r.Dropout) == 0 {
		r.Dropout = make([]float64, len(m.Net))
	}
	if len(r.Dropout) != len(m.Net) {
		return formatErrorf("run.json: %d numbers of Dropout for %d layers", len(r.Dropout), len(m.Net))
	}
	for i, name := range r.Activations {
		var act *Activation
		if j := slices.IndexFunc(own, func(a *Activation) bool { return a.Name == name }); j >= 0 {
			act = own[j]
		} else if act, err = ActivationByName(name); err != nil {
			return formatErrorf("run.json: layer %d: activation %v, or one passed to ReadModel as own", i+1, err)
		}
		for _, n := range m.members() {
			n.Net[i].Act, n.Net[i].Dropout = act, r.Dropout[i]
		}
	}
	for _, n := range m.members() {
		n.Run.Optimizer, n.Run.Metric = r.Optimizer, r.Metric
	}
	m.Temperature, m.Margins, m.Deskew = r.Temperature, r.Margins, r.Deskew
	m.Columns, m.Targets = columnsOf(r.Columns), columnsOf(r.Targets)
	if m.Recipe = r.Recipe; m.Recipe == nil {
		m.Recipe = map[string]string{}
	}
	return nil
}

func (m Member) readHistory(z *npz) error {
	history, stats := Matrix{Cols: historyCols}, Matrix{}
	if z.has("history") {
		if err := (fileArray{name: "history", matrix: &history, may: measured}).read(z); err != nil {
			return err
		}
	}
	h := make(History, history.Rows)
	for i := range h {
		h[i].N = i + 1
		if n := history.Row(i)[0]; n != float64(i+1) {
			return formatErrorf("history: row %d is of epoch %v", i, n)
		}
	}
	if z.has("layer_stats") && z.network == 0 {
		if len(h) == 0 {
			return FormatError("layer_stats: there is no history")
		}
		stats = Matrix{Rows: len(h) + 1, Cols: len(m.Net) * statsCols}
		if err := (fileArray{name: "layer_stats", matrix: &stats, may: measured, shared: true}).read(z); err != nil {
			return err
		}
	}
	for i := range stats.Rows {
		to := &h[0].First
		if i > 0 {
			to = &h[i-1].Layers
		}
		if slices.ContainsFunc(stats.Row(i), func(v float64) bool { return v == v }) {
			*to = make([]LayerStats, len(m.Net))
		}
	}
	h.transfer(&history, &stats, func(element, number *float64) { *number = *element })
	m.Run.History = h
	return nil
}

// readVectors reads the vectors of the run after run.json, which names the optimizer. The
// file has all arrays of a vector, or none.
func (m Member) readVectors(z *npz) error {
	parts := m.Net.parts()
	for _, v := range m.Run.vectors() {
		if !z.has(v.prefix + "W1") {
			continue
		}
		*v.vector = make([]float64, length(parts))
		for _, p := range parts {
			if p.kind > v.kinds {
				continue
			}
			if err := p.inFile(v.prefix, p.of(*v.vector), v.may).read(z); err != nil {
				return err
			}
		}
	}
	return nil
}

// ReadModelFile reads the model in a file as ReadModel does. An error names the file; if
// there is none, it is fs.ErrNotExist.
func ReadModelFile(name string, own ...*Activation) (*Model, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := mustBeRegular(name, info); err != nil { // to open a pipe would wait for its other end
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil { // the file may be another by now
		return nil, err
	}
	m, err := ReadModel(f, info.Size(), own...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func mustBeRegular(name string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("%s: a folder, want a file", name)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s: not a regular file", name)
	}
	return nil
}

// WriteFile writes m to a file as Write does, and replaces the file as the function WriteFile
// does.
func (m *Model) WriteFile(name string) error { return WriteFile(name, m.Write) }

// WriteFile replaces a file by what write writes, or makes the file. At any moment the file is
// complete, the earlier one or the new one, even if several programs write it at once: WriteFile
// writes and syncs a hidden file beside it, and renames that. If the program is killed, the
// hidden file stays. The new file has the permissions of the earlier one. A link stays, and the
// file that it leads to is replaced.
func WriteFile(name string, write func(io.Writer) error) error {
	target := name
	earlier, err := os.Lstat(name)
	if err == nil {
		if target, err = filepath.EvalSymlinks(name); err != nil {
			return err
		}
		if earlier, err = os.Stat(target); err != nil {
			return err
		}
		if err := mustBeRegular(name, earlier); err != nil {
			return err
		}
	}
	hidden := filepath.Join(filepath.Dir(target), fmt.Sprintf(".%s.%x", filepath.Base(target), rand.Uint64()))
	defer os.Remove(hidden)
	f, err := os.OpenFile(hidden, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err == nil {
		if earlier != nil {
			err = f.Chmod(earlier.Mode().Perm())
		}
		err = cmp.Or(err, write(f), f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(hidden, target)
	}
	if err == nil {
		return nil
	}
	var path *fs.PathError
	var link *os.LinkError
	if errors.As(err, &path) && path.Path == hidden { // which the caller does not know
		err = path.Err
	} else if errors.As(err, &link) {
		err = link.Err
	}
	return fmt.Errorf("%s: %w", name, err)
}
