// Predictions, which compute the output and change nothing in the network. A file of its
// own because threads share out the rows of a prediction, and not parts of products.

package mlp

import (
	"fmt"
	"slices"
	"sync"
)

// Predict sets y to the network's output for x, n×in to n×out, and returns y.
// A layer with Norm normalises by its running averages, so that a row's output
// does not depend on the others. Predict only reads the network: any number of
// goroutines may predict with it as long as none trains it.
func (net Network) Predict(y, x *Matrix) *Matrix {
	net.mustFit("Predict", x)
	if y.Reset(x.Rows, net[len(net)-1].W.Cols); overlap(y.Data, x.Data) {
		panic("mlp: Predict: the output shares storage with the input")
	}
	parts := passes(x.Rows, maxThreads())
	p := predictions.Get().(*prediction)
	p.net, p.y, p.x, p.parts = net, y, x, parts
	p.packWeights()
	share(parts, p)
	p.net, p.y, p.x = nil, nil, nil
	predictions.Put(p)
	return y
}

// Predict sets y to the network's output for the raw inputs in x, n×in to n×out, and
// returns y: it normalises images if m.Deskew is set, and standardizes by m.Input. Any
// number of goroutines may call it. For classes, y.Softmax() makes the output
// probabilities.
func (m *Model) Predict(y, x *Matrix) *Matrix {
	m.Net.mustFit("Model.Predict", x)
	if m.Deskew {
		if x.Cols != MNISTPixels {
			panic(fmt.Sprintf("mlp: Model.Predict: images of %d pixels, want %d", x.Cols, MNISTPixels))
		}
		x = NewMatrix(x.Rows, x.Cols, x.Data...)
		deskewRows(x)
	}
	return m.Net.Predict(y, m.Input.Apply(new(Matrix), x))
}

// A forward pass takes at most maxPassRows rows through the network on one thread, so
// that its activations stay in the cache. If there are not enough rows for two passes of
// minPassRows, the threads share out each product instead.
const maxPassRows, minPassRows = 128, 32

// passes returns how many passes so many rows take. If there are enough rows, it is the same
// number for each thread.
func passes(rows, threads int) int {
	needed := ceil(rows, maxPassRows)
	return max(needed, min(roundUp(needed, threads), rows/minPassRows))
}

// minPackedRows is the fewest rows of a call for which it pays to pack the weights first.
const minPackedRows = 1024

// A prediction is the forward passes of a call of Predict, which threads share out.
type prediction struct {
	net   Network
	y, x  *Matrix
	parts int

	weights []packed // of each layer, or none if there are few rows
}

var predictions = sync.Pool{New: func() any { return new(prediction) }}

func (r *prediction) packWeights() {
	r.weights = r.weights[:0]
	if r.x.Rows < minPackedRows {
		return
	}
	for i, l := range r.net {
		r.weights = slices.Grow(r.weights, 1)[:i+1]
		r.weights[i].pack(&l.W)
	}
}

func (r *prediction) part(c int) {
	p := forwardPasses.Get().(*forwardPass)
	rows := interval{0, r.x.Rows}.split(1, r.parts, c)
	p.run(r.net, r.weights, p.out.setRows(r.y, rows.lo, rows.hi), p.in.setRows(r.x, rows.lo, rows.hi), r.parts > 1)
	p.release()
}

// A forwardPass has the buffers for some rows on their way through a network, which
// Forward would keep in the layers.
type forwardPass struct {
	outputs      []Matrix // of each layer but the last
	in, out      Matrix
	layer        *Layer // whose product is being computed
	scale, shift Matrix // of the layer's normalisation
}

var forwardPasses = sync.Pool{New: func() any { return new(forwardPass) }}

// release returns p to the pool and drops its references.
func (p *forwardPass) release() {
	p.in, p.out, p.layer = Matrix{}, Matrix{}, nil
	forwardPasses.Put(p)
}

// run sets y to the network's output for x. The products read the weights, if there are
// any, in place of the layers'. If alone is false, the worker pool shares the products.
func (p *forwardPass) run(net Network, weights []packed, y, x *Matrix, alone bool) {
	for len(p.outputs) < len(net)-1 {
		p.outputs = append(p.outputs, Matrix{})
	}
	for i, l := range net {
		z := y
		if i < len(net)-1 {
			z = &p.outputs[i]
		}
		p.layer = l
		if l.Norm != nil {
			l.Norm.affine(&p.scale, &p.shift, &l.B)
		}
		w := l.W.operand()
		if len(weights) > 0 {
			w = weights[i].operand()
		}
		q := newProduct("Predict", x.operand(), w, p)
		q.storeIn(z)
		if alone {
			q.compute()
		} else {
			q.share()
		}
		x = z
	}
}

// apply is the epilogue of each layer's product: the bias or the normalisation, and
// the activation.
func (p *forwardPass) apply(z []float64, stride, i0, i1, j0, j1 int) {
	l := p.layer
	for i := range i1 - i0 {
		row := z[i*stride:][:j1-j0]
		if l.Norm == nil {
			add(row, l.B.Data[j0:j1])
		} else {
			scale(row, p.scale.Data[j0:j1], p.shift.Data[j0:j1])
		}
		l.Act.Forward(row)
	}
}
