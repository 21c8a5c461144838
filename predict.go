// Prediction and evaluation, which change nothing in a network: threads share out rows, and
// not parts of products.

package mlp

import (
	"fmt"
	"sync"
)

// Predict sets y to the network's output for x, n×in to n×out, and returns y.
// A layer with Norm normalises by its running averages, so that a row's output
// does not depend on the others. Predict only reads the network: any number of
// goroutines may predict with it as long as none trains it.
func (net Network) Predict(y, x *Matrix) *Matrix {
	if y == nil {
		panic("mlp: Predict: y is nil")
	}
	net.mustFit("Predict", x)
	if y.Reset(x.Rows, net[len(net)-1].W.Cols); overlap(y.Data, x.Data) {
		panic("mlp: Predict: the output shares storage with the input")
	}
	parts := passes(x.Rows, maxThreads())
	p := predictions.Get().(*prediction)
	*p = prediction{net, y, x, parts}
	parallelFor(parts, p)
	*p = prediction{}
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

// A prediction is the forward passes of a call of Predict, which threads share out.
type prediction struct {
	net   Network
	y, x  *Matrix
	parts int
}

var predictions = sync.Pool{New: func() any { return new(prediction) }}

func (r *prediction) part(c int) {
	p := forwardPasses.Get().(*forwardPass)
	rows := interval{0, r.x.Rows}.split(1, r.parts, c)
	p.run(r.net, p.out.setRows(r.y, rows.lo, rows.hi), p.in.setRows(r.x, rows.lo, rows.hi), r.parts > 1)
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

// run sets y to the network's output for x. If alone is false, the worker pool shares the
// products.
func (p *forwardPass) run(net Network, y, x *Matrix, alone bool) {
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
		if alone {
			z.productAlone("Predict", x.operand(), l.W.operand(), p)
		} else {
			z.product("Predict", x.operand(), l.W.operand(), p)
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

// Evaluate returns net's mean loss and its accuracy on data, by Predict. If loss is
// nil, it is SoftmaxCrossEntropy, which needs two outputs or more. Evaluate panics if
// net is not complete, or if data has no samples or a wrong weight.
func Evaluate(net Network, data Dataset, loss Loss) (mean, accuracy float64) {
	return evaluate("Evaluate", net, data, loss, Accuracy)
}

// EvaluateBy is Evaluate with another metric than Accuracy.
func EvaluateBy(net Network, data Dataset, loss Loss, by *Metric) (mean, metric float64) {
	return evaluate("EvaluateBy", net, data, loss, by)
}

func evaluate(method string, net Network, data Dataset, loss Loss, by *Metric) (mean, metric float64) {
	err := net.validate()
	if err == nil {
		loss, err = lossFor(net, loss)
	}
	if err == nil {
		err = mustBeMeasurable("data", data, net, loss)
	}
	if err == nil {
		err = by.validate()
	}
	if err != nil {
		panic(fmt.Sprintf("mlp: %s: %v", method, err))
	}
	return new(evaluation).measure(net, data, data.Len(), loss, by, nil)
}

// An evaluation has the storage that measuring a network needs.
type evaluation struct {
	x, y      Matrix // some rows of the data set
	out, want Matrix // the outputs for all samples that are measured, and their targets
	index     []int
	rows      rowLoss
}

// evaluationRows is the number of rows whose loss is computed by one call. It is fixed, so
// that the sums do not depend on the number of threads. The activations of the layers
// are measured on the first evaluationRows samples.
const evaluationRows = 256

// measure returns the mean loss and the metric of the first n samples. If stats is not
// nil, it receives the statistics of each layer's activations.
func (v *evaluation) measure(net Network, data Dataset, n int, loss Loss, by *Metric, stats []LayerStats) (mean, metric float64) {
	weights, err := weightsOf(data)
	if err != nil {
		panic("mlp: Evaluate: " + err.Error())
	}
	v.out.Reset(n, net[len(net)-1].W.Cols)
	rowsAtOnce := evaluationRows * max(2, (maxThreads()+1)/2) // two forward passes or more for each thread
	for lo := 0; lo < n; lo += rowsAtOnce {
		v.predict(net, data, lo, min(lo+rowsAtOnce, n), stats)
		stats = nil
	}
	return v.meanLoss(loss, weights), by.Of(&v.out, &v.want)
}

// predict fills rows lo to hi-1 of out and want.
func (v *evaluation) predict(net Network, data Dataset, lo, hi int, stats []LayerStats) {
	v.index = v.index[:0]
	for i := lo; i < hi; i++ {
		v.index = append(v.index, i)
	}
	batch(data, &v.x, &v.y, v.index)
	copy(v.want.Reset(v.out.Rows, v.y.Cols).Data[lo*v.y.Cols:], v.y.Data)
	var out, x Matrix
	rest := 0
	if stats != nil {
		rest = min(evaluationRows, hi-lo)
		p := forwardPasses.Get().(*forwardPass)
		p.run(net, out.setRows(&v.out, lo, lo+rest), x.setRows(&v.x, 0, rest), false)
		p.measureLayers(net, &out, stats)
		p.release()
	}
	net.Predict(out.setRows(&v.out, lo+rest, hi), x.setRows(&v.x, rest, hi-lo))
}

// meanLoss returns the mean loss of the rows.
func (v *evaluation) meanLoss(loss Loss, weights []float64) (mean float64) {
	var out, want Matrix
	n := v.out.Rows
	for lo := 0; lo < n; lo += evaluationRows {
		hi := min(lo+evaluationRows, n)
		some := weights
		if weights != nil {
			some = weights[lo:hi]
		}
		mean += float64(v.rows.of(loss, nil, out.setRows(&v.out, lo, hi), want.setRows(&v.want, lo, hi), some) * float64(hi-lo))
	}
	return mean / float64(n)
}
