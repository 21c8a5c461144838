// Prediction and evaluation, which change nothing in a network: threads share out rows, and
// not parts of products.

package mlp

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// Predict sets y to the network's output for x, n×in to n×out, and returns y.
// A layer with Norm normalises by its running averages, so that a row's output
// does not depend on the others. Predict only reads the network.
func (net Network) Predict(y, x *Matrix) *Matrix {
	return net.predict(maxThreads(), y, x)
}

// predict is Predict on at most so many threads.
func (net Network) predict(threads int, y, x *Matrix) *Matrix {
	if y == nil {
		panic("mlp: Predict: y is nil")
	}
	net.mustFit("Predict", x)
	if y.Reset(x.Rows, net[len(net)-1].W.Cols); overlap(y.Data, x.Data) {
		panic("mlp: Predict: the output shares storage with the input")
	}
	parts := passes(x.Rows, threads)
	p := predictions.Get().(*prediction)
	*p = prediction{net, y, x, threads, parts}
	parallelFor(threads, parts, p)
	*p = prediction{}
	predictions.Put(p)
	return y
}

// Predict sets y to the answers for the raw inputs in x, n×in to n×out, and returns y. It
// normalises images if m.Deskew is set, and standardizes by m.Input; or encodes the rows of a
// table by m.Columns. The answers are logits, of which y.Softmax() makes the probabilities of
// Classes and Sigmoid those of Labels, or Numbers in the units of m.Targets. Any number of
// goroutines may call Predict.
//
// An ensemble answers with the mean over its networks of the probabilities or the Numbers. Logits
// are divided by m.Temperature, those of an ensemble after the mean.
func (m *Model) Predict(y, x *Matrix) *Matrix {
	inputs := scratches.Get().(*Matrix)
	defer scratches.Put(inputs)
	if m.Columns != nil {
		m.Columns.Apply(inputs, x)
	} else {
		m.Net.mustFit("Model.Predict", x)
		if m.Deskew {
			if x.Cols != MNISTPixels {
				panic(fmt.Sprintf("mlp: Model.Predict: images of %d pixels, want %d", x.Cols, MNISTPixels))
			}
			x = NewMatrix(x.Rows, x.Cols, x.Data...)
			for i := range x.Rows {
				deskewRow(x.Row(i))
			}
		}
		m.Input.Apply(inputs, x)
	}
	m.outputs(maxThreads(), y, inputs)
	if m.Task() == Numbers {
		for i := range y.Rows {
			row := y.Row(i)
			for j, c := range m.Targets {
				row[j] = float64(row[j]*c.Std[0]) + c.Mean[0]
			}
		}
	}
	return y
}

// outputs sets y to the output for x, the inputs as the networks see them, on at most so many
// threads.
func (m *Model) outputs(threads int, y, x *Matrix) {
	if m.Net.predict(threads, y, x); len(m.Others) > 0 {
		m.average(threads, y, x)
	}
	if m.Temperature != 0 {
		for i := range y.Data {
			y.Data[i] /= m.Temperature
		}
	}
}

// average makes y, the output of m.Net for x, that of the ensemble. The logits of Classes are
// ln p, and those of Labels ln p - ln(1-p), for the mean probability p. A probability that
// underflows counts as the smallest normal number, so that all logits are finite.
func (m *Model) average(threads int, y, x *Matrix) {
	logOf := func(p float64) float64 { return log(max(p, 0x1p-1022)) }
	n := float64(1 + len(m.Others))
	total := NewMatrix(y.Rows, y.Cols) // of the probabilities or the numbers
	rest := NewMatrix(y.Rows, y.Cols)  // of 1-p, for Labels
	for i := range 1 + len(m.Others) {
		if i > 0 {
			m.Others[i-1].Net.predict(threads, y, x)
		}
		switch m.Task() {
		case Classes:
			y.Softmax()
		case Labels:
			for j, z := range y.Data {
				rest.Data[j] += sigmoid(-z)
			}
			sigmoids(y.Data)
		}
		add(total.Data, y.Data)
	}
	for j, sum := range total.Data {
		switch m.Task() {
		case Classes:
			y.Data[j] = logOf(sum / n)
		case Labels:
			y.Data[j] = logOf(sum/n) - logOf(rest.Data[j]/n)
		case Numbers:
			y.Data[j] = sum / n
		}
	}
}

// A forward pass takes at most maxPassRows rows through the network on one thread, so that
// its activations stay in the cache. If there are too few rows for two passes of minPassRows,
// the threads share each product instead.
const maxPassRows, minPassRows = 128, 32

// passes returns how many passes so many rows take: as many for each thread, if there are
// enough rows.
func passes(rows, threads int) int {
	needed := ceil(rows, maxPassRows)
	return max(needed, min(roundUp(needed, threads), rows/minPassRows))
}

// A prediction is a call of Predict: the task of its forward passes.
type prediction struct {
	net            Network
	y, x           *Matrix
	threads, parts int
}

var predictions = sync.Pool{New: func() any { return new(prediction) }}

func (r *prediction) part(c int) {
	var y, x Matrix
	rows := interval{0, r.x.Rows}.split(1, r.parts, c)
	y.setRows(r.y, rows.lo, rows.hi)
	x.setRows(r.x, rows.lo, rows.hi)
	threads := 1
	if r.parts == 1 {
		threads = r.threads
	}
	p := forwardPasses.Get().(*forwardPass)
	p.run(r.net, y, x, threads)
	p.release()
}

// A forwardPass takes some rows through a network. It has what Forward would keep in the
// layers.
type forwardPass struct {
	outputs      []Matrix // of each layer; the last is the caller's
	layer        *Layer   // whose product is being computed
	scale, shift Matrix   // of the layer's normalisation
}

var forwardPasses = sync.Pool{New: func() any { return new(forwardPass) }}

// release returns p to the pool, without what is not its own.
func (p *forwardPass) release() {
	p.outputs[len(p.outputs)-1], p.layer = Matrix{}, nil
	forwardPasses.Put(p)
}

// run sets y to the network's output for x, with each product on so many threads.
func (p *forwardPass) run(net Network, y, x Matrix, threads int) {
	p.outputs = slices.Grow(p.outputs[:0], len(net))[:len(net)]
	p.outputs[len(net)-1] = y
	in := &x
	for i, l := range net {
		p.layer = l
		if l.Norm != nil {
			l.Norm.affine(&p.scale, &p.shift, &l.B)
		}
		in = p.outputs[i].product(threads, "Predict", in.operand(), l.W.operand(), p)
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

// Evaluate returns net's mean loss and its accuracy on data, by Predict. A nil loss is
// SoftmaxCrossEntropy. Evaluate panics if net is not complete, or if data has no samples, a
// wrong weight or target, or a wrong width.
func Evaluate(net Network, data Dataset, loss Loss) (mean, accuracy float64) {
	return evaluate("Evaluate", &Model{Net: net}, data, loss, Accuracy)
}

// EvaluateBy is Evaluate with another metric than Accuracy.
func EvaluateBy(net Network, data Dataset, loss Loss, by *Metric) (mean, metric float64) {
	return evaluate("EvaluateBy", &Model{Net: net}, data, loss, by)
}

// Evaluate returns the mean loss by m.Task().Loss() and a metric on data, whose inputs are as
// the networks see them: images are standardized, and numbers that are targets too.
func (m *Model) Evaluate(data Dataset, by *Metric) (mean, metric float64) {
	return evaluate("Model.Evaluate", m, data, m.Task().Loss(), by)
}

func evaluate(method string, m *Model, data Dataset, loss Loss, by *Metric) (mean, metric float64) {
	err := m.validate()
	if err == nil {
		loss, err = lossFor(m.Net, loss)
	}
	if err == nil {
		err = cmp.Or(validateMeasured("data", data, m.Net, loss), by.validate())
	}
	if err != nil {
		panic(fmt.Sprintf("mlp: %s: %v", method, err))
	}
	return new(evaluation).measure(new(pace), m, data, data.Len(), loss, by, nil)
}

// An evaluation has the storage that measuring a network needs.
type evaluation struct {
	x, y      Matrix // some rows of the data set
	out, want Matrix // the outputs for all samples that are measured, and their targets
	rows      rowLoss
}

// evaluationRows is the number of rows whose loss is computed by one call. It is fixed, so
// that the sums do not depend on the number of threads. Layers are measured on so many samples.
const evaluationRows = 256

// measure returns the mean loss and the metric of the first n samples. If stats is not
// nil, it receives the statistics of each layer's activations. Each batch is a round of p.
func (v *evaluation) measure(p *pace, m *Model, data Dataset, n int, loss Loss, by *Metric, stats []LayerStats) (
	mean, metric float64) {
	weights, err := weightsOf("mlp: Evaluate", data)
	if err != nil { // the weights have changed since validateData
		panic(err.Error())
	}
	v.out.Reset(n, m.Net[len(m.Net)-1].W.Cols)
	index := shuffle(make([]int, n), 0, 0, true)
	rowsAtOnce := evaluationRows * max(2, (maxThreads()+1)/2) // two forward passes or more for each thread
	var out, want Matrix
	for lo, hi := 0, min(n, evaluationRows); lo < n; lo, hi = hi, min(n, hi+rowsAtOnce) {
		threads := p.begin()
		batch(threads, data, &v.x, &v.y, index[lo:hi])
		copy(v.want.Reset(n, v.y.Cols).Data[lo*v.y.Cols:], v.y.Data)
		out.setRows(&v.out, lo, hi)
		if lo > 0 || stats == nil {
			m.outputs(threads, &out, &v.x)
			p.end(hi - lo)
			continue
		}
		f := forwardPasses.Get().(*forwardPass)
		f.run(m.Net, out, v.x, threads)
		for i, l := range m.Net {
			stats[i].measureActivations(l.Act, &f.outputs[i])
		}
		f.release()
	}
	for lo := 0; lo < n; lo += evaluationRows {
		hi := min(n, lo+evaluationRows)
		some := weights[min(lo, len(weights)):min(hi, len(weights))] // none if there are no weights
		out.setRows(&v.out, lo, hi)
		want.setRows(&v.want, lo, hi)
		mean += float64(v.rows.of(loss, nil, &out, &want, some) * float64(hi-lo))
	}
	return mean / float64(n), by.Of(&v.out, &v.want)
}
