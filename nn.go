// The network: activations, initialisations, and dense layers forward and backward.
// Not here: batch normalisation (norm.go), predictions (predict.go), losses (loss.go),
// training (train.go) and how a product is computed (product.go).

package mlp

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
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

// ActivationByName returns the activation of that name: relu, sigmoid, tanh or linear.
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

// LeCun is the initialisation of LeCun et al. 1998, "Efficient BackProp", eq. 16:
// √(1/in).
func LeCun(in, out int) float64 { return math.Sqrt(1 / float64(in)) }

// InitByName returns the initialisation of that name: small, xavier, he or lecun.
func InitByName(name string) (Init, error) {
	return byName(map[string]Init{"small": Small, "xavier": Xavier, "he": He, "lecun": LeCun}, name)
}

// Layer is a dense layer: a = f(x·W + B), n×in to n×out, or with Norm
// a = f(norm(x·W) + B).
type Layer struct {
	W, B   Matrix // weights in×out, bias 1×out
	DW, DB Matrix // the loss's gradient by W and by B, which Backward computes
	Norm   *BatchNorm
	Act    *Activation

	// Dropout is the probability, in multiples of 1/65536, with which a step of Train drops
	// an output of the layer: the layer above sees 0, and the other outputs divided by
	// 1-Dropout (Srivastava et al. 2014). Predict and Forward drop none. The last layer of a
	// network that is trained may not have it.
	Dropout float64

	x             *Matrix // the last Forward's input, n×in
	a, dz         Matrix  // f(…) of the last Forward, and the gradient by x·W, n×out
	mask, dropped Matrix  // if the last step dropped outputs, their factors, and a times these; else empty
}

// output returns what the last Forward gave to the layer above.
func (l *Layer) output() *Matrix {
	if l.mask.Rows > 0 {
		return &l.dropped
	}
	return &l.a
}

// arrays returns the layer's weights and averages, in the order in which Fingerprint and
// files have them.
func (l *Layer) arrays() []*Matrix {
	if l.Norm == nil {
		return []*Matrix{&l.W, &l.B}
	}
	return []*Matrix{&l.W, &l.B, &l.Norm.Gain, &l.Norm.Mean, &l.Norm.Var}
}

// arrayNames has the names of those arrays in a file, without the layer's number.
var arrayNames = [...]string{"W", "b", "gain", "mean", "var"}

// maxParameters is how many of the arrays an optimizer moves at most: W, B and the gain.
const maxParameters = 3

// parameter returns the layer's weights (which = 0), bias (1) or gain (2), and the
// gradient by it. Both are empty if the layer has none.
func (l *Layer) parameter(which int) (w, g *Matrix) {
	switch {
	case which == 0:
		return &l.W, &l.DW
	case which == 1:
		return &l.B, &l.DB
	case l.Norm != nil:
		return &l.Norm.Gain, &l.Norm.DGain
	}
	return &noParameter, &noParameter
}

var noParameter Matrix

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

// Clone returns a copy of the network that shares no array with it. The gradients are not
// copied, and the activations are the same.
func (net Network) Clone() Network {
	copied := make(Network, len(net))
	for i, l := range net {
		copied[i] = &Layer{Act: l.Act, Dropout: l.Dropout}
		if l.Norm != nil {
			copied[i].Norm = new(BatchNorm)
		}
		arrays := l.arrays()
		for which, to := range copied[i].arrays() {
			*to = *NewMatrix(arrays[which].Rows, arrays[which].Cols, arrays[which].Data...)
		}
	}
	return copied
}

// normal returns a source of numbers from N(0, 1), by Marsaglia's polar
// method. The standard library's NormFloat64 may differ in the last bit between
// processors.
func normal(seed uint64) func() float64 {
	rng := rand.NewPCG(seed, 0)
	uniform := func() float64 { return float64(rng.Uint64()>>11)*0x1p-52 - 1 }
	var spare float64
	var haveSpare bool
	return func() float64 {
		if haveSpare {
			haveSpare = false
			return spare
		}
		for {
			u, v := uniform(), uniform()
			s := float64(u*u) + float64(v*v)
			if 0 < s && s < 1 {
				f := math.Sqrt(-2 * log(s) / s)
				spare, haveSpare = v*f, true
				return u * f
			}
		}
	}
}

// validate returns an error if the layers lack something or do not fit one another.
func (net Network) validate() error {
	if len(net) == 0 {
		return FormatError("a network without layers")
	}
	for i, l := range net {
		if err := l.validate(i + 1); err != nil {
			return err
		}
		if i > 0 && l.W.Rows != net[i-1].W.Cols {
			return formatErrorf("W%d: %d×%d, want %d rows as the layer before has units", i+1, l.W.Rows, l.W.Cols, net[i-1].W.Cols)
		}
	}
	return nil
}

func (l *Layer) validate(number int) error {
	if l == nil {
		return formatErrorf("layer %d is nil", number)
	}
	rows, cols := l.W.Rows, l.W.Cols
	if rows < 1 || cols < 1 || len(l.W.Data) != rows*cols || len(l.W.Data)/cols != rows {
		return formatErrorf("W%d: %d elements for %d×%d", number, len(l.W.Data), rows, cols)
	}
	for i, m := range l.arrays()[1:] {
		if m.Rows != 1 || m.Cols != cols || len(m.Data) != cols {
			return formatErrorf("%s%d: %d×%d, want 1×%d", arrayNames[i+1], number, m.Rows, m.Cols, cols)
		}
	}
	switch {
	case !(0 <= l.Dropout && l.Dropout < 1):
		return formatErrorf("layer %d has Dropout %v, want a number from 0 to below 1", number, l.Dropout)
	case l.Act == nil:
		return formatErrorf("layer %d has no Act", number)
	case l.Act.Forward == nil:
		return formatErrorf("layer %d has an Act without Forward", number)
	case l.Act.Backward == nil:
		return formatErrorf("layer %d has an Act without Backward", number)
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

// A layerPlan is how forward and backward treat a layer in a step of Train. Forward and
// Backward use the zero value.
type layerPlan struct {
	weights *packed  // if not nil, the products read it in place of W, and DW is not stored
	update  epilogue // if not nil, it is applied to each finished part of the gradient by W
	drop    epilogue // if not nil, it is applied to the layer's outputs
}

func (p layerPlan) operand(l *Layer) operand {
	if p.weights != nil {
		return p.weights.operand()
	}
	return l.W.operand()
}

// Forward returns the network's output for x, n×in to n×out, as training
// computes it: a layer with Norm normalises by the statistics of these rows.
// The layers keep the result and what Backward needs, so that only one goroutine may
// use the network at a time. Until Backward, x and the result must stay as they are,
// and the result must not be passed to Forward.
func (net Network) Forward(x *Matrix) *Matrix {
	net.mustFit("Forward", x)
	net[0].dz.Reset(0, 0) // so that InputGradient asks for a Backward
	return net.forward(x, make([]layerPlan, len(net)))
}

func (net Network) forward(x *Matrix, plans []layerPlan) *Matrix {
	for i, l := range net {
		l.x = x
		w, drop := plans[i].operand(l), plans[i].drop
		if drop == nil {
			l.mask.Reset(0, 0)
		}
		if l.Norm == nil {
			l.a.multiply("Forward", x.operand(), w, (*biasAndActivation)(l), drop)
		} else {
			l.a.multiply("Forward", x.operand(), w)
			l.Norm.forward(&l.a, &l.B)
			l.Act.Forward(l.a.Data)
			if drop != nil {
				drop.apply(l.a.Data, l.a.Cols, 0, l.a.Rows, 0, l.a.Cols)
			}
		}
		x = l.output()
	}
	return x
}

// Backward computes DW, DB and Norm.DGain of every layer, overwriting the last ones,
// from dy, n×out, the loss's gradient by what the last Forward returned. It also updates
// Norm's running averages with the statistics of that Forward.
func (net Network) Backward(dy *Matrix) {
	if len(net) == 0 {
		panic("mlp: Backward: a network without layers")
	}
	if net[0].x == nil {
		panic("mlp: Backward: there was no Forward")
	}
	dy.mustBeFilled("Backward")
	if a := &net[len(net)-1].a; dy.Rows != a.Rows || dy.Cols != a.Cols {
		panic(fmt.Sprintf("mlp: Backward: dy is %d×%d, the output %d×%d", dy.Rows, dy.Cols, a.Rows, a.Cols))
	}
	net.backward(dy, make([]layerPlan, len(net)))
}

// InputGradient sets dx, n×in, to the gradient by the input of the last Forward, after its
// Backward, and returns dx: what the loss of each row depends on, or the dy of another
// network, whose output was the input.
func (net Network) InputGradient(dx *Matrix) *Matrix {
	if len(net) == 0 || net[0].x == nil || net[0].dz.Rows != net[0].x.Rows {
		panic("mlp: InputGradient: there was no Backward")
	}
	return dx.multiply("InputGradient", net[0].dz.operand(), net[0].W.operand().transpose())
}

func (net Network) backward(dy *Matrix, plans []layerPlan) {
	last := net[len(net)-1]
	copy(last.dz.Reset(dy.Rows, dy.Cols).Data, dy.Data)
	last.Act.Backward(last.dz.Data, last.a.Data)
	for i := len(net) - 1; i >= 0; i-- {
		l, plan := net[i], plans[i]
		l.DB.Reset(1, l.W.Cols)
		if l.Norm != nil {
			l.Norm.backward(&l.dz, &l.DB)
		}
		if i > 0 {
			below := net[i-1]
			below.dz.multiply("Backward", l.dz.operand(), plan.operand(l).transpose(), (*derivative)(below))
		}
		gradient := newProduct("Backward", l.x.operand().transpose(), l.dz.operand(), (*biasGradient)(l), plan.update)
		if plan.weights == nil {
			gradient.storeIn(&l.DW)
		}
		gradient.share()
	}
}

// The epilogues of a layer's products.
type (
	biasAndActivation Layer // after a = x·W
	derivative        Layer // after the next layer's dz·Wᵀ: times f′ and what was dropped, this is the layer's dz
	biasGradient      Layer // after DW = xᵀ·dz, and before DW updates the layer
)

func (l *biasAndActivation) apply(z []float64, stride, i0, i1, j0, j1 int) {
	for i := range i1 - i0 {
		row := z[i*stride:][:j1-j0]
		add(row, l.B.Data[j0:j1])
		l.Act.Forward(row)
	}
}

func (l *derivative) apply(z []float64, stride, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		row := z[(i-i0)*stride:][:j1-j0]
		if l.mask.Rows > 0 {
			mul(row, l.mask.Row(i)[j0:j1])
		}
		l.Act.Backward(row, l.a.Row(i)[j0:j1])
	}
}

// The bias's gradient is the sum of dz's rows. If the layer has Norm, Norm.backward has
// set it already. Otherwise the parts of DW that begin with row 0 compute it, each for
// its columns.
func (l *biasGradient) apply(_ []float64, _, i0, _, j0, j1 int) {
	if i0 > 0 || l.Norm != nil {
		return
	}
	total := l.DB.Data[j0:j1]
	clear(total)
	for i := range l.dz.Rows {
		add(total, l.dz.Row(i)[j0:j1])
	}
}

// Fingerprint is the SHA-256, in hexadecimal, of the little-endian bytes of
// W1, b1, W2, b2 and so on. If a layer has Norm, its b is followed by Norm.Gain,
// Norm.Mean and Norm.Var.
func (net Network) Fingerprint() string {
	hash := sha256.New()
	for _, m := range net.arrays() {
		writeElements(hash, m.Data)
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// arrays returns the arrays of all layers.
func (net Network) arrays() (all []*Matrix) {
	for _, l := range net {
		all = append(all, l.arrays()...)
	}
	return all
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
