// The network: activations, initialisations, dense layers forward and backward, batch
// normalisation, dropout, and the one vector that has all of a network's numbers.

package mlp

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"text/tabwriter"
)

// Activation is an elementwise function and its derivative. Several goroutines may call
// the functions at the same time, each with a part of a matrix.
type Activation struct {
	Name     string
	Forward  func(z []float64)     // z = f(z)
	Backward func(dz, a []float64) // dz *= f′(z), in terms of a = f(z)
}

// The activations.
var (
	// ReLU is max(0, z); its derivative is 1 if a > 0, else 0.
	ReLU = &Activation{"relu", relu, reluBack}
	// Sigmoid is 1/(1+e^-z); its derivative is a(1-a).
	Sigmoid = &Activation{"sigmoid", sigmoids, sigmoidBack}
	// Tanh is the hyperbolic tangent; its derivative is 1-a².
	Tanh = &Activation{"tanh", tanhs, tanhBack}
	// Linear leaves z as it is: for an output layer whose loss takes logits.
	Linear = &Activation{"linear", func([]float64) {}, func(_, _ []float64) {}}
)

// ActivationByName returns the activation named relu, sigmoid, tanh or linear.
func ActivationByName(name string) (*Activation, error) {
	return byName(map[string]*Activation{"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh, "linear": Linear}, name)
}

// byName returns the value of a name, or an error that lists the names.
func byName[T any](values map[string]T, name string) (T, error) {
	v, ok := values[name]
	if !ok {
		return v, fmt.Errorf("%.60q: want one of %s", name, strings.Join(slices.Sorted(maps.Keys(values)), ", "))
	}
	return v, nil
}

// Init gives the standard deviation of a layer's first weights, which are drawn from
// a normal distribution around zero.
type Init func(in, out int) float64

// Small is the article's initialisation: a standard deviation of 0.01.
func Small(in, out int) float64 { return 0.01 }

// Xavier is the initialisation of Glorot & Bengio 2010, eq. 12: √(2/(in+out)).
func Xavier(in, out int) float64 { return math.Sqrt(2 / float64(in+out)) }

// He is the initialisation of He et al. 2015, eq. 10: √(2/in).
func He(in, out int) float64 { return math.Sqrt(2 / float64(in)) }

// LeCun is the initialisation of LeCun et al. 1998, eq. 16: √(1/in).
func LeCun(in, out int) float64 { return math.Sqrt(1 / float64(in)) }

// InitByName returns the initialisation named small, xavier, he or lecun.
func InitByName(name string) (Init, error) {
	return byName(map[string]Init{"small": Small, "xavier": Xavier, "he": He, "lecun": LeCun}, name)
}

// Layer is a dense layer: a = f(x·W + B), n×in to n×out, or with Norm a = f(norm(x·W) + B).
type Layer struct {
	W, B   Matrix // weights in×out, bias 1×out
	DW, DB Matrix // the loss's gradient by W and by B, which Backward computes
	Norm   *BatchNorm
	Act    *Activation

	// Dropout is the probability, in multiples of 1/65536, with which a step of Train drops
	// an output of the layer: the layer above sees 0, and the other outputs divided by
	// 1-Dropout (Srivastava et al. 2014). Train refuses a last layer that has it.
	Dropout float64

	// Frozen keeps the layer as it is while others are trained: W, B and Norm do not move, and
	// Norm normalises by its running averages. It belongs to a training: no file keeps it.
	Frozen bool

	x     *Matrix // the last Forward's input, n×in; nil before the first
	a     Matrix  // f(…) of the last Forward, n×out
	drop  dropout // what the last Forward dropped of a
	dz    Matrix  // the gradient by x·W, n×out
	hasDz bool    // dz is of the last Forward, because its Backward was computed
}

// Network is a stack of layers, the first one first.
type Network []*Layer

// NewNetwork returns a network of dense layers. sizes[0] is the width of the input, and
// the others are those of the layers. The biases are zero, seed determines the weights,
// the hidden layers use act, and the last layer is linear.
func NewNetwork(seed uint64, init Init, act *Activation, sizes ...int) Network {
	switch {
	case init == nil:
		panic("mlp: NewNetwork: init is nil")
	case act == nil:
		panic("mlp: NewNetwork: act is nil")
	case len(sizes) < 2:
		panic(fmt.Sprintf("mlp: NewNetwork: sizes %v, want two widths or more", sizes))
	case slices.Min(sizes) < 1:
		panic(fmt.Sprintf("mlp: NewNetwork: sizes %v, want widths of 1 or more", sizes))
	}
	net := make(Network, len(sizes)-1)
	random := normal(seed)
	for i := range net {
		in, out := sizes[i], sizes[i+1]
		l := &Layer{W: *NewMatrix(in, out), B: *NewMatrix(1, out), Act: act}
		std := init(in, out)
		for j := range l.W.Data {
			l.W.Data[j] = std * random()
		}
		net[i] = l
	}
	net[len(net)-1].Act = Linear
	return net
}

// Clone returns a copy of the network, without its gradients, that shares no array with it.
func (net Network) Clone() Network {
	copied := make(Network, len(net))
	for i, l := range net {
		copied[i] = &Layer{W: l.W, B: l.B, Act: l.Act, Dropout: l.Dropout, Frozen: l.Frozen}
		if n := l.Norm; n != nil {
			copied[i].Norm = &BatchNorm{Gain: n.Gain, Mean: n.Mean, Var: n.Var}
		}
	}
	parts := copied.parts()
	gather(parts, make([]float64, length(parts)))
	return copied
}

// A part is an array of a network, and its place in a vector. A vector has a number for each
// element of all arrays: the element itself, its gradient, or a running value of an optimizer.
// The arrays are in the order of Fingerprint:
//
//	┌───────┬────┬───────┬───────┬──────┬───────┬────┐
//	│  W1   │ b1 │ gain1 │ mean1 │ var1 │  W2   │ b2 │ …   if the first layer has Norm
//	└───────┴────┴───────┴───────┴──────┴───────┴────┘     and the second has none
type part struct {
	name               string // in a file
	kind               int
	layer              int // from 0
	offset, rows, cols int
	array              *Matrix // the layer's own
	gradient           *Matrix // the layer's own, or nil for Norm's running averages
}

// The kinds of parts.
const (
	partW = iota
	partB
	partGain
	partMean
	partVar
)

// of returns the part's place in a vector, as a matrix that shares its storage.
func (p *part) of(vector []float64) *Matrix {
	end := p.offset + p.rows*p.cols
	return &Matrix{p.rows, p.cols, vector[p.offset:end:end]}
}

// parts returns the parts of the network in order.
func (net Network) parts() (all []part) {
	offset := 0
	for i, l := range net {
		add := func(name string, kind int, array, gradient *Matrix) {
			all = append(all, part{fmt.Sprint(name, i+1), kind, i, offset, array.Rows, array.Cols, array, gradient})
			offset += array.Rows * array.Cols
		}
		add("W", partW, &l.W, &l.DW)
		add("b", partB, &l.B, &l.DB)
		if n := l.Norm; n != nil {
			add("gain", partGain, &n.Gain, &n.DGain)
			add("mean", partMean, &n.Mean, nil)
			add("var", partVar, &n.Var, nil)
		}
	}
	return all
}

// Parameters returns how many weights, biases and gains the network has.
func (net Network) Parameters() (n int) {
	for _, p := range net.parts() {
		if p.gradient != nil {
			n += p.rows * p.cols
		}
	}
	return n
}

// String is a table of the layers: their shapes, activations and what else they do, how many
// parameters they have, and how many operations, 2·in·out, their product takes for a row.
func (net Network) String() string {
	if err := net.validate(); err != nil {
		return "mlp.Network: " + err.Error()
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "layer\tshape\tactivation\tparameters\toperations")
	operations := 0
	for i, l := range net {
		does := []string{l.Act.Name}
		if l.Norm != nil {
			does = append(does, "batch norm")
		}
		if l.Dropout > 0 {
			does = append(does, fmt.Sprint("dropout ", l.Dropout))
		}
		if l.Frozen {
			does = append(does, "frozen")
		}
		n := 2 * l.W.Rows * l.W.Cols
		operations += n
		fmt.Fprintf(w, "%d\t%d×%d\t%s\t%d\t%d\n", i+1, l.W.Rows, l.W.Cols, strings.Join(does, ", "), net[i:i+1].Parameters(), n)
	}
	fmt.Fprintf(w, "all\t%d×%d\t\t%d\t%d\n", net[0].W.Rows, net[len(net)-1].W.Cols, net.Parameters(), operations)
	w.Flush() // to a Builder, which does not fail
	return b.String()
}

// length returns how many elements a vector of these parts has.
func length(parts []part) (n int) {
	for _, p := range parts {
		n += p.rows * p.cols
	}
	return n
}

// gather copies the arrays of a network to the vector and makes each array a part of it.
func gather(parts []part, vector []float64) {
	for _, p := range parts {
		place := p.of(vector)
		copy(place.Data, p.array.Data)
		*p.array = *place
	}
}

// Fingerprint is the SHA-256, in hexadecimal, of the little-endian bytes of
// W1, b1, W2, b2 and so on. If a layer has Norm, its b is followed by Norm.Gain,
// Norm.Mean and Norm.Var.
func (net Network) Fingerprint() string {
	hash := sha256.New()
	for _, p := range net.parts() {
		writeElements(hash, p.array.Data)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// validate returns an error if the layers lack something or do not fit one another.
func (net Network) validate() error {
	if len(net) == 0 {
		return errors.New("a network without layers")
	}
	for i, l := range net {
		number := i + 1
		if l == nil {
			return fmt.Errorf("layer %d is nil", number)
		}
		rows, cols := l.W.Rows, l.W.Cols
		if rows < 1 || cols < 1 || len(l.W.Data) != rows*cols || len(l.W.Data)/cols != rows {
			return fmt.Errorf("W%d: %d elements for %d×%d", number, len(l.W.Data), rows, cols)
		}
		err := validateRow("b", number, cols, &l.B)
		if n := l.Norm; n != nil {
			err = cmp.Or(err, validateRow("gain", number, cols, &n.Gain),
				validateRow("mean", number, cols, &n.Mean), validateRow("var", number, cols, &n.Var))
		}
		switch {
		case err != nil:
			return err
		case !(0 <= l.Dropout && l.Dropout < 1):
			return fmt.Errorf("layer %d has Dropout %v, want a number from 0 to below 1", number, l.Dropout)
		case l.Act == nil:
			return fmt.Errorf("layer %d has no Act", number)
		case l.Act.Forward == nil:
			return fmt.Errorf("layer %d has an Act without Forward", number)
		case l.Act.Backward == nil:
			return fmt.Errorf("layer %d has an Act without Backward", number)
		case i > 0 && rows != net[i-1].W.Cols:
			return fmt.Errorf("W%d: %d×%d, want %d rows as the layer before has units",
				number, rows, cols, net[i-1].W.Cols)
		}
	}
	return nil
}

// validateRow returns an error unless an array of a layer is 1×cols.
func validateRow(name string, number, cols int, x *Matrix) error {
	switch {
	case x.Rows != 1 || x.Cols != cols:
		return fmt.Errorf("%s%d: %d×%d, want 1×%d", name, number, x.Rows, x.Cols, cols)
	case len(x.Data) != cols:
		return fmt.Errorf("%s%d: %d elements for 1×%d", name, number, len(x.Data), cols)
	}
	return nil
}

// mustFit panics if the layers do not fit x or one another.
func (net Network) mustFit(method string, x *Matrix) {
	x.mustBeFilled(method)
	if err := net.validate(); err != nil {
		panic(fmt.Sprintf("mlp: %s: %v", method, err))
	}
	if w := &net[0].W; x.Cols != w.Rows {
		panic(fmt.Sprintf("mlp: %s: shapes %d×%d · %d×%d", method, x.Rows, x.Cols, w.Rows, w.Cols))
	}
}

// Forward returns the network's output for x, n×in to n×out, as training computes it, but
// without dropout: a layer with Norm normalises by the statistics of these rows, unless it is
// Frozen. Until Backward, x and the result must stay as they are. The result is the network's
// own, and must not be passed to Forward.
func (net Network) Forward(x *Matrix) *Matrix {
	net.mustFit("Forward", x)
	for _, l := range net {
		l.drop.on = false
	}
	return net.forward(maxThreads(), x)
}

// forward computes on at most so many threads.
func (net Network) forward(threads int, x *Matrix) *Matrix {
	for _, l := range net {
		l.x, l.hasDz = x, false
		if l.drop.on {
			l.drop.mask.Reset(x.Rows, l.W.Cols)
			l.drop.kept.Reset(x.Rows, l.W.Cols)
		}
		if l.Norm == nil {
			l.a.product(threads, "Forward", x.operand(), l.W.operand(), (*biasAndActivation)(l))
		} else {
			l.a.product(threads, "Forward", x.operand(), l.W.operand(), nil)
			l.Norm.forward(&l.a, &l.B, l.Frozen)
			for i := range l.a.Rows {
				l.activate(l.a.Row(i), i, 0)
			}
		}
		if x = &l.a; l.drop.on {
			x = &l.drop.kept
		}
	}
	return x
}

// activate applies the activation and dropout to z, a part of row i of x·W + B that begins
// with column j.
func (l *Layer) activate(z []float64, i, j int) {
	l.Act.Forward(z)
	if l.drop.on {
		l.drop.apply(z, i, j)
	}
}

// Backward computes DW, DB and Norm.DGain of every layer that is not Frozen from dy, n×out, the
// loss's gradient by what the last Forward returned. It also updates Norm's running averages
// with the statistics of that Forward.
func (net Network) Backward(dy *Matrix) {
	switch {
	case len(net) == 0:
		panic("mlp: Backward: a network without layers")
	case net[0].x == nil:
		panic("mlp: Backward: there was no Forward")
	}
	dy.mustBeFilled("Backward")
	if a := &net[len(net)-1].a; dy.Rows != a.Rows || dy.Cols != a.Cols {
		panic(fmt.Sprintf("mlp: Backward: dy is %d×%d, the output %d×%d", dy.Rows, dy.Cols, a.Rows, a.Cols))
	}
	net.backward(maxThreads(), dy, nil, 0)
}

// backward is Backward down to the lowest layer, on at most so many threads. If there are updates, one for each layer, each
// moves the weights of its layer by their gradient.
func (net Network) backward(threads int, dy *Matrix, updates []weightUpdate, lowest int) {
	last := net[len(net)-1]
	copy(last.dz.Reset(dy.Rows, dy.Cols).Data, dy.Data)
	last.Act.Backward(last.dz.Data, last.a.Data)
	for i, l := range slices.Backward(net[lowest:]) {
		i += lowest
		l.hasDz = true
		switch {
		case l.Frozen && l.Norm != nil:
			l.Norm.backwardFixed(&l.dz)
		case l.Norm != nil:
			l.Norm.backward(&l.dz, l.DB.Reset(1, l.W.Cols))
		case !l.Frozen:
			l.DB.Reset(1, l.W.Cols).sumRows(&l.dz)
		}
		if i > lowest { // before the update: the gradient of the layer below is by the W of Forward
			below := net[i-1]
			below.dz.product(threads, "Backward", l.dz.operand(), l.W.operand().transpose(), (*derivative)(below))
		}
		if l.Frozen {
			continue
		}
		var e epilogue
		if updates != nil {
			e = &updates[i]
		}
		l.DW.product(threads, "Backward", l.x.operand().transpose(), l.dz.operand(), e)
	}
}

// InputGradient sets dx, n×in, to the gradient by the input of the last Forward, after its
// Backward, and returns dx: what the loss of each row depends on, or the dy of another
// network, whose output was the input.
func (net Network) InputGradient(dx *Matrix) *Matrix {
	if len(net) == 0 || net[0].x == nil || !net[0].hasDz {
		panic("mlp: InputGradient: there was no Backward, or the weights have moved since")
	}
	return dx.product(maxThreads(), "InputGradient", net[0].dz.operand(), net[0].W.operand().transpose(), nil)
}

// The epilogues of a layer's products.
type (
	biasAndActivation Layer // after x·W: what follows makes it the layer's output
	derivative        Layer // after the next layer's dz·Wᵀ: times f′ and what was dropped, it is the layer's dz
)

func (e *biasAndActivation) apply(z []float64, stride, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		row := z[(i-i0)*stride:][:j1-j0]
		add(row, e.B.Data[j0:j1])
		(*Layer)(e).activate(row, i, j0)
	}
}

func (e *derivative) apply(z []float64, stride, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		row := z[(i-i0)*stride:][:j1-j0]
		if e.drop.on {
			mul(row, e.drop.mask.Row(i)[j0:j1])
		}
		e.Act.Backward(row, e.a.Row(i)[j0:j1])
	}
}

// BatchNorm normalises each column of z = x·W, n×out, before the bias is added
// (Ioffe & Szegedy 2015, algorithms 1 and 2):
//
//	ẑ = (z - μ)/√(σ² + 1e-5), y = Gain·ẑ + B
//
// Forward takes μ and σ² from the n rows it is given, Predict from the running
// averages Mean and Var. Each Backward moves Mean and Var a tenth of the way to its
// batch's μ and σ²·n/(n-1). A single row has no variance: its ẑ is zero, and Train
// leaves out a last batch of one.
type BatchNorm struct {
	Gain, DGain Matrix // 1×out, and the loss's gradient by it
	Mean, Var   Matrix // 1×out

	hat       Matrix // the last Forward's ẑ, n×out
	mean, dev Matrix // the last Forward's μ and √(σ² + 1e-5), 1×out
	factors   Matrix // what backward computes for each column, 3×out
}

const (
	normEpsilon = 1e-5
	averageRate = 0.1
)

// NewBatchNorm returns the normalisation of width units: Gain and Var are one, Mean is zero.
func NewBatchNorm(width int) *BatchNorm {
	b := &BatchNorm{Gain: *NewMatrix(1, width), Mean: *NewMatrix(1, width), Var: *NewMatrix(1, width)}
	for j := range width {
		b.Gain.Data[j], b.Var.Data[j] = 1, 1
	}
	return b
}

// hasNorm reports whether a layer normalises by the statistics of a batch.
func (net Network) hasNorm() bool {
	return slices.ContainsFunc(net, func(l *Layer) bool { return l.Norm != nil && !l.Frozen })
}

// lowest returns the index of the first layer that is trained, or len(net) if all are Frozen.
func (net Network) lowest() int {
	for i, l := range net {
		if !l.Frozen {
			return i
		}
	}
	return len(net)
}

// forward sets z to Gain·ẑ + shift. If fixed is true, μ and σ² are the running averages.
func (b *BatchNorm) forward(z, shift *Matrix, fixed bool) {
	n := float64(z.Rows)
	b.hat.Reset(z.Rows, z.Cols)
	mean, dev := b.mean.Reset(1, z.Cols).Data, b.dev.Reset(1, z.Cols).Data
	b.mean.sumRows(z)
	for j := range mean {
		mean[j] /= n
	}
	if fixed {
		copy(mean, b.Mean.Data)
	}
	clear(dev)
	for i := range z.Rows {
		d := b.hat.Row(i) // z - μ, for now
		copy(d, z.Row(i))
		sub(d, mean)
		addProduct(dev, d, d)
	}
	for j, squares := range dev {
		if dev[j] = math.Sqrt(squares/n + normEpsilon); fixed {
			dev[j] = math.Sqrt(b.Var.Data[j] + normEpsilon)
		}
	}
	for i := range z.Rows {
		row, hat := z.Row(i), b.hat.Row(i)
		div(hat, dev)
		copy(row, shift.Data)
		addProduct(row, b.Gain.Data, hat)
	}
}

// backward takes dz, the loss's gradient by Gain·ẑ + B, sets dB and DGain, makes dz the
// gradient by x·W, and moves the running averages. As μ and σ depend on every row, so does
// the gradient of each row:
//
//	dz = Gain/√(σ² + ε)·(dz - dB/n - ẑ·DGain/n)
func (b *BatchNorm) backward(dz, dB *Matrix) {
	n := float64(dz.Rows)
	dGain := b.DGain.Reset(1, dz.Cols).Data
	clear(dGain)
	dB.sumRows(dz)
	for i := range dz.Rows {
		addProduct(dGain, dz.Row(i), b.hat.Row(i))
	}
	b.factors.Reset(3, dz.Cols)
	factor, slope, shift := b.factors.Row(0), b.factors.Row(1), b.factors.Row(2)
	for j := range factor {
		factor[j], slope[j], shift[j] = b.Gain.Data[j]/b.dev.Data[j], -(dGain[j] / n), dB.Data[j]/n
	}
	for i := range dz.Rows {
		row := dz.Row(i)
		sub(row, shift)
		addProduct(row, b.hat.Row(i), slope)
		mul(row, factor)
	}
	if n < 2 { // a single row has no variance
		return
	}
	for j, mean := range b.mean.Data {
		variance := max(0, math.FMA(b.dev.Data[j], b.dev.Data[j], -normEpsilon)) * n / (n - 1)
		b.Mean.Data[j] = math.FMA(averageRate, mean-b.Mean.Data[j], b.Mean.Data[j])
		b.Var.Data[j] = math.FMA(averageRate, variance-b.Var.Data[j], b.Var.Data[j])
	}
}

// backwardFixed is backward after forward with fixed running averages, which no row moves.
func (b *BatchNorm) backwardFixed(dz *Matrix) {
	factor := b.factors.Reset(1, dz.Cols).Data
	for j := range factor {
		factor[j] = b.Gain.Data[j] / b.dev.Data[j]
	}
	for i := range dz.Rows {
		mul(dz.Row(i), factor)
	}
}

// affine sets scale and shift, 1×out, so that with the running averages
// Gain·ẑ + bias = scale·z + shift.
func (b *BatchNorm) affine(scale, shift, bias *Matrix) {
	scale.Reset(1, bias.Cols)
	shift.Reset(1, bias.Cols)
	for j, v := range b.Var.Data {
		scale.Data[j] = b.Gain.Data[j] / math.Sqrt(v+normEpsilon)
		shift.Data[j] = math.FMA(-b.Mean.Data[j], scale.Data[j], bias.Data[j])
	}
}

// A dropout drops outputs of a layer in one step, and scales the others up so that the
// expectation of each stays. What it drops depends on the seed, the step, the layer, and the
// output's row and column alone, because each is drawn from a hash of its number.
type dropout struct {
	on         bool
	key        uint64
	least      uint64  // of 16 random bits, the least number that keeps an output
	scale      float64 // of an output that is kept
	mask, kept Matrix  // n×out: 0 or the scale for each output, and the outputs times these
}

// begin prepares a step for layer number i, which drops an output with probability p.
func (d *dropout) begin(p float64, seed uint64, step, i int) {
	if d.on = p > 0; !d.on {
		return
	}
	var rng rand.PCG
	rng.Seed(seed, 1<<63|uint64(step*maxLayers+i)) // the order of samples has the seeds below
	d.key = rng.Uint64()
	d.least = min(uint64(p*(1<<16)+0.5), 1<<16-1)
	d.scale = 1 << 16 / float64(1<<16-d.least)
}

// apply drops some of the outputs a, a part of row i that begins with column j. They stay
// as they are in a, and kept gets what the layer above sees. One hash has the bits of four.
func (d *dropout) apply(a []float64, i, j int) {
	mask, kept := d.mask.Row(i)[j:j+len(a)], d.kept.Row(i)[j:j+len(a)]
	scale := math.Float64bits(d.scale)
	var random uint64
	for c := range mask {
		if k := i*d.mask.Cols + j + c; c == 0 || k%4 == 0 {
			random = splitMix(d.key, uint64(k/4)) >> (k % 4 * 16)
		}
		bits := scale // chosen without a branch, which no processor could predict
		if random&(1<<16-1) < d.least {
			bits = 0
		}
		mask[c] = math.Float64frombits(bits)
		random >>= 16
	}
	copy(kept, a)
	mul(kept, mask)
}

// NumericalGradient returns the gradient of loss by each of w's elements as
// the central difference (loss(w+h) - loss(w-h))/(2h). It sets the elements one at a
// time and restores each.
func NumericalGradient(loss func() float64, w []float64, h float64) []float64 {
	gradient := make([]float64, len(w))
	for i, v := range w {
		w[i] = v + h
		above := loss()
		w[i] = v - h
		gradient[i] = (above - loss()) / (2 * h)
		w[i] = v
	}
	return gradient
}
