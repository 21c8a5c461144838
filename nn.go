// The network: activations, initialisations, dense layers forward and
// backward, predictions, numerical gradients. Not here: batch normalisation
// (norm.go), losses (loss.go), training (train.go) and how a product is
// computed (mat.go).

package mlp

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
)

// Activation is an elementwise function and its derivative. Both may be
// called for parts of a matrix at the same time.
type Activation struct {
	Name     string
	Forward  func(z []float64)     // z = f(z)
	Backward func(dz, a []float64) // dz *= f′(z), in terms of a = f(z)
}

// The activations, with derivatives in terms of a = f(z).
var (
	// ReLU is max(0, z); its derivative is 1 where a > 0, else 0.
	ReLU = &Activation{"relu", relu, reluBack}
	// Sigmoid is 1/(1+e^-z); its derivative is a(1-a).
	Sigmoid = &Activation{"sigmoid", sigmoids, sigmoidBack}
	// Tanh is the hyperbolic tangent; its derivative is 1-a².
	Tanh = &Activation{"tanh", tanhs, tanhBack}
	// Linear is z itself: the output layer's, where the loss is taken of logits.
	Linear = &Activation{"linear", func([]float64) {}, func(_, _ []float64) {}}
)

// Activations has the activations by name. One of your own must be put there before
// ReadModel can find it.
var Activations = map[string]*Activation{"relu": ReLU, "sigmoid": Sigmoid, "tanh": Tanh, "linear": Linear}

// Init gives the standard deviation of a layer's first weights, which are
// drawn from a normal distribution around zero.
type Init func(in, out int) float64

// Inits has the initialisations by name: small is the article's 0.01, xavier
// is Glorot & Bengio 2010, eq. 12, he is He et al. 2015, eq. 10, lecun is
// LeCun et al. 1998, "Efficient BackProp", eq. 16.
var Inits = map[string]Init{
	"small":  func(in, out int) float64 { return 0.01 },
	"xavier": func(in, out int) float64 { return math.Sqrt(2 / float64(in+out)) },
	"he":     func(in, out int) float64 { return math.Sqrt(2 / float64(in)) },
	"lecun":  func(in, out int) float64 { return math.Sqrt(1 / float64(in)) },
}

// Layer is a dense layer: a = f(x·W + B), n×in to n×out, or with Norm
// a = f(norm(x·W) + B).
type Layer struct {
	W, B   Matrix // weights in×out, bias 1×out
	DW, DB Matrix // the loss's gradient by W and B, from the last Backward; see Train
	Norm   *BatchNorm
	Act    *Activation

	x      *Matrix // the last Forward's input, n×in
	a, dz  Matrix  // its output, and the gradient by x·W, n×out
	update *updater
	slots  [2][3]Matrix // the optimizer's running values for W, B and Norm.Gain
	other  []Matrix     // a second set of state; see trainer.swap
	blocks [3][]float64 // W and its slots in blocks, while they are trained
}

// state is what the layer has learnt, and what a file keeps of it.
func (l *Layer) state() []*Matrix {
	if l.Norm == nil {
		return []*Matrix{&l.W, &l.B}
	}
	return []*Matrix{&l.W, &l.B, &l.Norm.Gain, &l.Norm.Mean, &l.Norm.Var}
}

// stateNames has the names of state's matrices in a file, less the number of
// the layer.
var stateNames = [...]string{"W", "b", "gain", "mean", "var"}

// Network is a stack of layers, the first one first.
type Network []*Layer

// NewNetwork returns a network of dense layers of the given widths, sizes[0]
// being the input's: zero biases, weights drawn with seed, act between the
// layers, and a linear output.
func NewNetwork(seed uint64, init Init, act *Activation, sizes ...int) Network {
	if init == nil || act == nil || len(sizes) < 2 {
		panic("mlp: NewNetwork: no initialisation, no activation, or fewer than two widths")
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

// normal returns a source of numbers from N(0, 1), by Marsaglia's polar
// method. The standard library's is exact to the last bit on one kind of
// processor only.
func normal(seed uint64) func() float64 {
	rng := rand.NewPCG(seed, 0)
	uniform := func() float64 { return float64(rng.Uint64()>>11)*0x1p-52 - 1 }
	var spare float64
	var have bool
	return func() float64 {
		if have {
			have = false
			return spare
		}
		for {
			u, v := uniform(), uniform()
			s := float64(u*u) + float64(v*v)
			if 0 < s && s < 1 {
				f := math.Sqrt(-2 * log(s) / s)
				spare, have = v*f, true
				return u * f
			}
		}
	}
}

// Forward returns the network's output for x, n×in to n×out, as training
// computes it: a layer with Norm normalises by the statistics of these rows.
// The result and what Backward needs are kept in the layers, so that one
// network serves one goroutine at a time; x must stay as it is until Backward.
func (net Network) Forward(x *Matrix) *Matrix {
	for i, l := range net {
		if len(l.B.Data) != l.W.Cols {
			panic(fmt.Sprintf("mlp: Forward: %d biases of %d units in layer %d", len(l.B.Data), l.W.Cols, i+1))
		}
		l.x = x
		if l.Norm == nil {
			x = l.a.product(opMul, x, &l.W, l.blocks[0], (*output)(l))
			continue
		}
		x = l.a.product(opMul, x, &l.W, l.blocks[0], nil)
		l.Norm.forward(x, &l.B)
		l.Act.Forward(x.Data)
	}
	return x
}

// Predict sets y to the network's output for x, n×in to n×out, and returns y.
// A layer with Norm normalises by its running averages, so that a row's output
// does not depend on the others. The network is only read: any number of
// goroutines may predict with it as long as none trains it.
func (net Network) Predict(y, x *Matrix) *Matrix {
	net.check(x)
	if y.Reset(x.Rows, net[len(net)-1].W.Cols); overlap(y.Data, x.Data) {
		panic("mlp: Predict: the output shares storage with the input")
	}
	p := predictions.get()
	// Counted once: GOMAXPROCS may change on the way.
	parts := max((x.Rows+passRows-1)/passRows, min(x.Rows/fewRows, runtime.GOMAXPROCS(0)))
	*p = prediction{net, y, x, parts}
	share(parts, p)
	*p = prediction{}
	predictions.put(p)
	return y
}

// check panics where the layers do not fit x or one another: before their work is
// shared out, so that it is the caller who can recover.
func (net Network) check(x *Matrix) {
	x.check("Predict")
	if len(net) == 0 {
		panic("mlp: Predict: a network without layers")
	}
	in := x.Cols
	for i, l := range net {
		l.W.check("Predict")
		if l.W.Rows != in {
			panic(fmt.Sprintf("mlp: Predict: shapes %d×%d · %d×%d in layer %d", x.Rows, in, l.W.Rows, l.W.Cols, i+1))
		}
		if in = l.W.Cols; len(l.B.Data) != in {
			panic(fmt.Sprintf("mlp: Predict: %d biases of %d units in layer %d", len(l.B.Data), in, i+1))
		}
		if l.Norm != nil {
			l.Norm.check("Predict", in)
		}
	}
}

// prediction is the passes of a Predict, which threads share out.
type prediction struct {
	net   Network
	y, x  *Matrix
	parts int
}

var predictions = make(spares[prediction], 16)

func (r *prediction) part(c int) {
	p := passes.get()
	i0, i1 := split(r.x.Rows, r.parts, c)
	p.run(r.net, p.out.rows(r.y, i0, i1-i0), p.in.rows(r.x, i0, i1-i0))
	p.done()
}

// rows makes z the n rows of x from row i, in x's storage, and returns z.
func (z *Matrix) rows(x *Matrix, i, n int) *Matrix {
	*z = Matrix{n, x.Cols, x.Data[i*x.Cols : (i+n)*x.Cols]}
	return z
}

// A pass takes at most passRows rows, whose activations stay in the cache, and goes
// through the network on one thread: with 64, 128, 256 rows 10,000 images took two
// cores of Zen 5 that share no cache 28, 27, 27 ms, and 38 where they shared out each
// product. But fewer rows than fewRows for each thread had better do that.
const passRows, fewRows = 128, 32

// pass is a prediction under way. It has what Forward keeps in the layers.
type pass struct {
	a            []Matrix // each layer's output but the last one's
	in, out      Matrix
	layer        *Layer // at which it is
	z            *Matrix
	scale, shift Matrix // of the layer's normalisation
}

var passes = make(spares[pass], 256)

// done puts p by, for another network to take.
func (p *pass) done() {
	p.in, p.out, p.layer, p.z = Matrix{}, Matrix{}, nil, nil
	passes.put(p)
}

// run sets y to the output for x.
func (p *pass) run(net Network, y, x *Matrix) {
	for len(p.a) < len(net)-1 {
		p.a = append(p.a, Matrix{})
	}
	for i, l := range net {
		p.layer, p.z = l, y
		if i < len(net)-1 {
			p.z = &p.a[i]
		}
		if l.Norm != nil {
			l.Norm.affine(&p.scale, &p.shift, &l.B)
		}
		x = p.z.product(opMul, x, &l.W, l.blocks[0], p)
	}
}

func (p *pass) finish(z []float64, ldz, i0, i1, j0, j1 int) {
	for i := range i1 - i0 {
		row := z[i*ldz:][:j1-j0]
		if p.layer.Norm == nil {
			add(row, p.layer.B.Data[j0:j1])
		} else {
			scale, shift := p.scale.Data[j0:j1], p.shift.Data[j0:j1]
			for j, v := range row {
				row[j] = math.FMA(v, scale[j], shift[j])
			}
		}
		p.layer.Act.Forward(row)
	}
}

// Backward computes DW (unless Train has no use for it), DB and Norm.DGain of every
// layer, overwriting the last ones, from dy, the loss's gradient by what the last
// Forward returned. It takes that Forward's statistics into the running averages of
// Norm.
func (net Network) Backward(dy *Matrix) {
	last := net[len(net)-1]
	if dy.Rows != last.a.Rows || dy.Cols != last.a.Cols {
		panic(fmt.Sprintf("mlp: Backward: gradient %d×%d of an output %d×%d", dy.Rows, dy.Cols, last.a.Rows, last.a.Cols))
	}
	copy(last.dz.Reset(dy.Rows, dy.Cols).Data, dy.Data)
	last.Act.Backward(last.dz.Data, last.a.Data)
	for i := len(net) - 1; i >= 0; i-- {
		l := net[i]
		l.DB.Reset(1, l.W.Cols)
		if l.Norm != nil {
			l.Norm.backward(&l.dz, &l.DB)
		}
		if i > 0 {
			below := net[i-1]
			below.dz.product(opMulT, &l.dz, &l.W, l.blocks[0], (*delta)(below))
		}
		dW := &l.DW
		if l.blocks[0] != nil {
			dW = nil
		}
		dW.product(opTMul, l.x, &l.dz, nil, (*gradient)(l))
	}
}

// What follows a product, on the chunk that a goroutine has just computed.
type (
	output   Layer // after a = x·W: the bias and the activation
	delta    Layer // after dz = δ·Wᵀ of the layer above: the derivative
	gradient Layer // after DW = xᵀ·dz: the bias's gradient and the update
)

func (l *output) finish(z []float64, ldz, i0, i1, j0, j1 int) {
	for i := range i1 - i0 {
		row := z[i*ldz:][:j1-j0]
		add(row, l.B.Data[j0:j1])
		l.Act.Forward(row)
	}
}

func (l *delta) finish(z []float64, ldz, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		l.Act.Backward(z[(i-i0)*ldz:][:j1-j0], l.a.Row(i)[j0:j1])
	}
}

// The bias's gradient is the sum of dz's rows, unless Norm has it already; the
// chunk of the first rows stands for its columns.
func (l *gradient) finish(z []float64, ldz, i0, i1, j0, j1 int) {
	if i0 == 0 && l.Norm == nil {
		sum := l.DB.Data[j0:j1]
		clear(sum)
		for i := range l.dz.Rows {
			add(sum, l.dz.Row(i)[j0:j1])
		}
	}
	if l.update != nil {
		l.update.chunk((*Layer)(l), z, ldz, i0, i1, j0, j1)
	}
}

// Fingerprint is the SHA-256, in hexadecimal, of the little-endian bytes of
// W1, b1, W2, b2 and so on, each b being followed by its layer's Norm.Gain,
// Norm.Mean and Norm.Var where there is a Norm.
func (net Network) Fingerprint() string {
	hash := sha256.New()
	for _, l := range net {
		for _, m := range l.state() {
			writeElements(hash, m.Data)
		}
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Softmax sets each row of z to e^z / Σ e^z and returns z.
func (z *Matrix) Softmax() *Matrix {
	z.exponentials(z)
	for i := range z.Rows {
		row := z.Row(i)
		total := sum(row)
		for j := range row {
			row[j] /= total
		}
	}
	return z
}

// exponentials sets each row of e to e^(z - max z), which cannot overflow.
func (e *Matrix) exponentials(z *Matrix) {
	for i := range z.Rows {
		row, most := e.Row(i), largest(z.Row(i))
		for j, v := range z.Row(i) {
			row[j] = v - most
		}
	}
	exps(e.Data[:z.Rows*z.Cols])
}

func largest(x []float64) float64 {
	most := math.Inf(-1)
	for _, v := range x {
		most = max(most, v)
	}
	return most
}

func sum(x []float64) (total float64) {
	for _, v := range x {
		total += v
	}
	return total
}

// Normalize standardizes each column of z to mean 0 and standard deviation 1
// and returns z. A column that does not vary becomes zero.
func (z *Matrix) Normalize() *Matrix {
	z.check("Normalize")
	column := make([]float64, z.Rows)
	for j := range z.Cols {
		varies := false
		for i := range column {
			column[i] = z.Row(i)[j]
			varies = varies || column[i] != column[0]
		}
		mean, std := moments(column)
		for i, v := range column {
			if z.Row(i)[j] = 0; varies {
				z.Row(i)[j] = (v - mean) / std
			}
		}
	}
	return z
}

// NumericalGradient returns the gradient of loss by each of w's elements as
// the central difference (loss(w+h) - loss(w-h))/2h. It sets them one at a
// time and puts each back.
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
