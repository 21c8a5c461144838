// ONNX: a model as a graph of operations that other programs run. A file is one message of
// Google's protocol buffers, by https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.

package mlp

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

// What a file claims to need: any program that runs ONNX of 2020 or later.
const onnxVersion, onnxOperators = 7, 13

// The types of elements.
const onnxInt64, onnxDouble = 7, 11

// WriteONNX writes the model as an ONNX graph, in float64 throughout. Its input x is n×in and
// takes what Model.Predict does, or what as says. Its output is n×out: the probabilities of
// classes or labels, or numbers. The graph contains the deskewing. The metadata are the names
// of the outputs as JSON under outputs, and Network.Fingerprint under sha256. The same model
// gives the same bytes. Softmax and the other functions are those of the program that runs the
// graph, which may differ in the last bits. WriteONNX returns an error, and writes nothing, if
// a layer's activation is not the package's, or if the file would have more than 2 GiB.
func (m *Model) WriteONNX(w io.Writer, as Export) error {
	if err := m.validateExport(as); err != nil {
		return err
	}
	g := &onnxGraph{scalars: map[string]bool{}}
	x := "x"
	if as.Grey {
		x = g.compute("Div(x, 255)")
	}
	if m.Deskew {
		x = g.deskew(x)
	}
	if m.Input.Mean != nil {
		g.numbers("mean", m.Input.Mean, len(m.Input.Mean))
		g.numbers("std", m.Input.divisors(), len(m.Input.Mean))
		x = g.compute("Div(Sub(%s, mean), std)", x)
	}
	x = g.network(m.Net, x)
	g.let("probabilities", "Softmax(%s)", x)
	g.message.text(2, "mlp")
	g.message.embed(11, onnxMatrix("x", m.Net[0].W.Rows))
	g.message.embed(12, onnxMatrix("probabilities", m.Net[len(m.Net)-1].W.Cols))

	var operators, file message
	operators.number(2, onnxOperators)
	file.number(1, onnxVersion)
	file.text(2, "mlp")
	file.text(6, strings.Join(m.about(as), "\n"))
	file.embed(7, &g.message)
	file.embed(8, &operators)
	outputs, err := json.Marshal(as.Outputs)
	if err != nil {
		return err
	}
	for _, entry := range [][2]string{{"outputs", string(outputs)}, {"sha256", m.Net.Fingerprint()}} {
		var e message
		e.text(1, entry[0])
		e.text(2, entry[1])
		file.embed(14, &e)
	}
	if file.size > math.MaxInt32 {
		return fmt.Errorf("an ONNX file of %d bytes, more than %d", file.size, math.MaxInt32)
	}
	return file.write(w)
}

// network adds the layers, and returns the name of the last one's output.
func (g *onnxGraph) network(net Network, x string) string {
	operations := map[*Activation]string{ReLU: "Relu", Sigmoid: "Sigmoid", Tanh: "Tanh", Linear: "Identity"}
	for i, l := range net {
		n := i + 1
		g.numbers(fmt.Sprint("W", n), l.W.Data, l.W.Rows, l.W.Cols)
		if l.Norm == nil {
			g.numbers(fmt.Sprint("b", n), l.B.Data, l.W.Cols)
			x = g.compute("Gemm(%s, W%d, b%d)", x, n, n)
		} else {
			var scale, shift Matrix
			l.Norm.affine(&scale, &shift, &l.B)
			g.numbers(fmt.Sprint("scale", n), scale.Data, l.W.Cols)
			g.numbers(fmt.Sprint("shift", n), shift.Data, l.W.Cols)
			x = g.compute("Add(Mul(MatMul(%s, W%d), scale%d), shift%d)", x, n, n, n)
		}
		x = g.compute("%s(%s)", operations[l.Act], x)
	}
	return x
}

// deskew adds what deskewRow does to images with pixels from 0 to 1, operation for
// operation, so that the bits are the same. Pixels come from padded, 32×32, in which an image
// has two empty rows or columns on each side. flaw is NaN for an image with a NaN, and else 0.
func (g *onnxGraph) deskew(x string) string {
	g.integers("last", 1)
	g.integers("squares", -1, side, side)
	g.integers("margins", 0, 2, 2, 0, 2, 2)
	g.integers("rows", -1, 32*32)
	for line := range strings.Lines(strings.ReplaceAll(`
		flaw = ReduceSum(Where(IsNaN(image), image, 0), last)
		p = Floor(Add(Mul(Clip(Where(IsNaN(image), 0, image), 0, 1), 255), 0.5))
		k = Range(0, 784, 1)
		i = Floor(Div(k, 28))
		j = Sub(k, Mul(i, 28))
		m = ReduceSum(p, last)
		pj = Mul(p, j)
		pi = Mul(p, i)
		sx = ReduceSum(pj, last)
		sy = ReduceSum(pi, last)
		hasInk = Greater(m, 0)
		mass = Where(hasInk, m, 1)
		mx = Where(hasInk, Div(sx, mass), 13.5)
		my = Where(hasInk, Div(sy, mass), 13.5)
		mm = Mul(mass, mass)
		xx = Div(Sub(Mul(m, ReduceSum(Mul(pj, j), last)), Mul(sx, sx)), mm)
		xy = Div(Sub(Mul(m, ReduceSum(Mul(pi, j), last)), Mul(sx, sy)), mm)
		yy = Div(Sub(Mul(m, ReduceSum(Mul(pi, i), last)), Mul(sy, sy)), mm)
		s = Where(Greater(yy, 0), Clip(Div(xy, yy), -1, 1), 0)
		width = Sqrt(Max(Add(Sub(xx, Mul(Mul(2, s), xy)), Mul(Mul(s, s), yy)), 0))
		gx = Sqrt(Clip(Div(width, 3.6), 0.4, 1.6))
		gy = Sqrt(Clip(Div(Sqrt(yy), 5.4), 0.6, 1.5))
		v = Mul(gy, Sub(i, 13.5))
		row = Add(my, v)
		column = Add(Add(mx, Mul(s, v)), Mul(gx, Sub(j, 13.5)))
		top = Floor(row)
		left = Floor(column)
		fy = Sub(row, top)
		fx = Sub(column, left)
		at = Add(Add(Mul(Clip(top, -2, 28), 32), Clip(left, -2, 28)), 66)
		padded = Reshape(Pad(Reshape(p, squares), margins), rows)
		above0 = GatherElements(padded, Cast(at, to=7), axis=1)
		above1 = GatherElements(padded, Cast(Add(at, 1), to=7), axis=1)
		below0 = GatherElements(padded, Cast(Add(at, 32), to=7), axis=1)
		below1 = GatherElements(padded, Cast(Add(at, 33), to=7), axis=1)
		above = Add(Mul(above0, Sub(1, fx)), Mul(above1, fx))
		below = Add(Mul(below0, Sub(1, fx)), Mul(below1, fx))
		deskewed = Add(Div(Floor(Add(Add(Mul(above, Sub(1, fy)), Mul(below, fy)), 0.5)), 255), flaw)`[1:],
		"image", x)) {
		name, formula, _ := strings.Cut(strings.TrimSpace(line), " = ")
		g.let(name, "%s", formula)
	}
	return "deskewed"
}

// An onnxGraph is a graph as far as it has been built.
type onnxGraph struct {
	message message
	nodes   int
	scalars map[string]bool
}

// compute adds the operations of a formula such as Mul(Sub(x, mean), 2), and returns the name
// of its value. An argument is the name of a value, a number, a formula, or an attribute such
// as axis=1.
func (g *onnxGraph) compute(format string, args ...any) string { return g.let("", format, args...) }

// let is compute with a name for the value.
func (g *onnxGraph) let(name, format string, args ...any) string {
	value, _ := g.parse(name, fmt.Sprintf(format, args...))
	return value
}

func (g *onnxGraph) parse(name, formula string) (value, rest string) {
	end := strings.IndexAny(formula, "(,)")
	if end < 0 || formula[end] != '(' {
		if end < 0 {
			end = len(formula)
		}
		value, rest = strings.TrimSpace(formula[:end]), formula[end:]
		if v, err := strconv.ParseFloat(value, 64); err == nil && !g.scalars[value] {
			g.scalars[value] = true
			g.numbers(value, []float64{v})
		}
		return value, rest
	}
	operation, rest := strings.TrimSpace(formula[:end]), formula[end:]
	var node message
	for rest[0] != ')' {
		value, rest = g.parse("", rest[1:])
		if attribute, number, ok := strings.Cut(value, "="); ok {
			v, _ := strconv.Atoi(number)
			var a message
			a.text(1, attribute)
			a.number(3, v)
			a.number(20, 2) // the kind of attribute: an integer
			node.embed(5, &a)
		} else {
			node.text(1, value)
		}
	}
	if g.nodes++; name == "" {
		name = fmt.Sprint("v", g.nodes)
	}
	node.text(2, name)
	node.text(4, operation)
	g.message.embed(1, &node)
	return name, rest[1:]
}

// numbers adds a constant of this shape, which is empty for a scalar.
func (g *onnxGraph) numbers(name string, x []float64, shape ...int) {
	t := onnxTensor(name, onnxDouble, shape)
	t.float64s(9, x)
	g.message.embed(5, t)
}

// integers adds a constant.
func (g *onnxGraph) integers(name string, x ...int64) {
	t := onnxTensor(name, onnxInt64, []int{len(x)})
	t.head(9, 8*len(x))
	for _, v := range x {
		t.append(binary.LittleEndian.AppendUint64(nil, uint64(v))...)
	}
	g.message.embed(5, t)
}

func onnxTensor(name string, kind int, shape []int) *message {
	t := new(message)
	for _, n := range shape {
		t.number(1, n)
	}
	t.number(2, kind)
	t.text(8, name)
	return t
}

// onnxMatrix describes an input or an output of any number of rows.
func onnxMatrix(name string, cols int) *message {
	var rows, columns, shape, tensor, kind message
	rows.text(2, "n")
	columns.number(1, cols)
	shape.embed(1, &rows)
	shape.embed(1, &columns)
	tensor.number(1, onnxDouble)
	tensor.embed(2, &shape)
	kind.embed(1, &tensor)
	value := new(message)
	value.text(1, name)
	value.embed(2, &kind)
	return value
}

// A message is one of protocol buffers: fields, each a key and a number, or a key, a length and
// so many bytes. It refers to float64s, and does not copy them.
type message struct {
	pieces []piece
	size   int
}

// A piece is bytes and the numbers after them.
type piece struct {
	bytes   []byte
	numbers []float64
}

func (m *message) append(b ...byte) {
	if n := len(m.pieces); n == 0 || m.pieces[n-1].numbers != nil {
		m.pieces = append(m.pieces, piece{})
	}
	last := &m.pieces[len(m.pieces)-1]
	last.bytes = append(last.bytes, b...)
	m.size += len(b)
}

func (m *message) appendFloat64s(x []float64) {
	m.pieces[len(m.pieces)-1].numbers = x
	m.size += 8 * len(x)
}

func (m *message) number(field, v int) {
	m.append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3), uint64(v))...)
}

// head begins a field of so many bytes.
func (m *message) head(field, size int) {
	m.append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(field)<<3|2), uint64(size))...)
}

func (m *message) text(field int, s string) {
	m.head(field, len(s))
	m.append([]byte(s)...)
}

func (m *message) float64s(field int, x []float64) {
	m.head(field, 8*len(x))
	m.appendFloat64s(x)
}

func (m *message) embed(field int, sub *message) {
	m.head(field, sub.size)
	for _, p := range sub.pieces {
		m.append(p.bytes...)
		if p.numbers != nil {
			m.appendFloat64s(p.numbers)
		}
	}
}

func (m *message) write(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, p := range m.pieces {
		b.Write(p.bytes)
		if err := writeElements(b, p.numbers); err != nil {
			return err
		}
	}
	return b.Flush()
}
