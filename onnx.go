// ONNX: a model as a graph of operations that other programs run. A file is a message of
// protocol buffers: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto names its fields.

package mlp

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
)

const (
	onnxVersion, onnxOperators = 7, 13 // of 2020, which programs since then can run
	onnxInt64, onnxDouble      = 7, 11 // types of elements
)

// WriteONNX writes the model as an ONNX graph, in float64 throughout. The input x, n×in, is what
// Model.Predict takes, or what as says. The output, n×out, is named probabilities, of classes or
// labels, or numbers. The graph contains all that Predict does, also the deskewing, the encoding
// of a table's columns and the mean of an ensemble. Its metadata are outputs, the names as JSON;
// columns, the Columns as JSON; and sha256, the model's Fingerprint. The same model gives the
// same bytes. The program that runs the graph may round results otherwise than Predict. WriteONNX
// returns an error, and writes nothing, if a layer's activation is not the
// package's, or if the file would have more than 2 GiB.
func (m *Model) WriteONNX(w io.Writer, as Export) error {
	if err := m.validateExport(); err != nil {
		return err
	}
	g := &onnxGraph{isScalar: map[string]bool{}}
	values := map[string]string{"x": "x"} // the name of the value that a buffer has by now
	for _, s := range m.program(as).statements {
		switch to := strings.Split(s.to, ", "); s.function {
		case "encode":
			values[s.to] = g.encode(m.Columns)
		case "deskewTo":
			values[s.to] = g.deskew(values[s.from])
		default:
			var args []any
			for _, name := range to {
				args = append(args, values[name])
			}
			if s.from != "" {
				args = append(args, values[s.from])
			}
			for _, c := range s.constants {
				g.numbers(c.name, c.Data, c.Rows, c.Cols)
				args = append(args, c.name)
			}
			formulas := fmt.Sprintf(onnxFormulas[s.function], append(args, s.numbers...)...)
			for i, formula := range strings.Split(formulas, "; ") {
				values[to[i]], _ = g.parse("", formula)
			}
		}
	}
	answers := "probabilities"
	if m.Task() == Numbers {
		answers = "numbers"
	}
	g.parse(answers, fmt.Sprintf("Identity(%s)", values["y"]))
	g.message = append(g.message, item{2, "mlp"}, item{11, onnxMatrix("x", m.rowWidth())}, item{12, onnxMatrix(answers, m.Net[len(m.Net)-1].W.Cols)})

	file := message{{1, onnxVersion}, {2, "mlp"}, {6, strings.Join(m.about(as), "\n")}, {7, g.message}, {8, message{{2, onnxOperators}}}}
	columns, err1 := json.Marshal(m.Columns)
	outputs, err2 := json.Marshal(m.outputNames())
	if err := cmp.Or(err1, err2); err != nil {
		return err
	}
	for _, entry := range [][2]string{{"columns", string(columns)}, {"outputs", string(outputs)}, {"sha256", m.Fingerprint()}} {
		if key, text := entry[0], entry[1]; text != "null" {
			file = append(file, item{14, message{{1, key}, {2, text}}})
		}
	}
	if n := file.size(); n > math.MaxInt32 {
		return fmt.Errorf("an ONNX file of %d bytes, more than %d", n, math.MaxInt32)
	}
	to := bufio.NewWriter(w)
	file.write(to)
	return to.Flush()
}

// onnxFormulas are the statements of a program, a formula for each value that it changes. The verbs
// are for the values that a statement changes and reads, and then for its constants and numbers.
// A layer is a Gemm because ONNX Runtime joins a MatMul and a scalar beside it, which it rounds to float32.
var onnxFormulas = map[string]string{
	"take":          "Div(%[2]s, %[4]d)",
	"standardize":   "Div(Sub(%[1]s, %[2]s), %[3]s)",
	"dense":         "Gemm(%[2]s, %[3]s)",
	"addTo":         "Add(%[1]s, %[2]s)",
	"affine":        "Add(Mul(%[1]s, %[2]s), %[3]s)",
	"relus":         "Relu(%[1]s)",
	"sigmoids":      "Sigmoid(%[1]s)",
	"tanhs":         "Tanh(%[1]s)",
	"softmax":       "Softmax(%[1]s)",
	"zero":          "%[1]s0",
	"addLabels":     "Add(%[1]s, Sigmoid(%[3]s)); Add(%[2]s, Sigmoid(Neg(%[3]s)))",
	"meanOfClasses": "Log(Max(Div(%[1]s, %[3]d), 2.2250738585072014e-308))",
	"meanOfLabels":  "Sub(Log(Max(Div(%[1]s, %[4]d), 2.2250738585072014e-308)), Log(Max(Div(%[2]s, %[4]d), 2.2250738585072014e-308)))",
	"divide":        "Div(%[1]s, %[3]v)",
	"restore":       "Add(Mul(%[1]s, %[3]s), %[2]s)",
}

// encode adds the inputs that columns make before they are standardized, by one formula for all.
// That of a quantity or a bin is (raw-from)/width, cut off at low and high, and that of a category
// whether the raw number is code. If that is missing or not from least to below most, it is
// filler: 1 for gaps, and the mean for others, which standardization makes 0.
func (g *onnxGraph) encode(columns Columns) string {
	var places []int
	names := []string{"from", "width", "low", "high", "code", "least", "most", "filler"}
	constants, nan, inf := NewMatrix(len(names), columns.Width()), math.NaN(), math.Inf(1)
	for i, c := range columns {
		for k, mean := range c.Mean {
			numbers := []float64{0, 1, -inf, inf, nan, nan, nan, mean}
			switch {
			case k == c.inputs():
				numbers = []float64{0, 1, 0, 0, nan, nan, nan, 1}
			case c.Values != nil:
				numbers = []float64{0, 1, 0, 0, float64(k), 0, float64(len(c.Values)), mean}
			case k > 0:
				numbers = []float64{c.Edges[k-1], c.Edges[k] - c.Edges[k-1], 0, 1, nan, nan, nan, mean}
			}
			for row, v := range numbers {
				constants.Row(row)[len(places)] = v
			}
			places = append(places, i)
		}
	}
	g.integers("places", places...)
	for row, name := range names {
		g.numbers(name, constants.Row(row), len(places))
	}
	return g.run(`
		raw = Gather(x, places, axis=1)
		measured = Min(Max(Div(Sub(raw, from), width), low), high)
		chosen = Cast(Equal(raw, code), to=11)
		unknown = Or(IsNaN(raw), Or(Less(raw, least), GreaterOrEqual(raw, most)))
		inputs = Where(unknown, filler, Add(measured, chosen))`)
}

// deskew adds what deskewRow does to images with pixels from 0 to 1, operation for operation, so
// that the bits are the same. Pixels are read from padded, images of 32×32 with two empty rows and
// columns on each side. The flaw of an image is NaN if a pixel is, and else 0.
func (g *onnxGraph) deskew(image string) string {
	g.integers("last", 1)
	g.integers("squares", -1, side, side)
	g.integers("margins", 0, 2, 2, 0, 2, 2)
	g.integers("rows", -1, 32*32)
	return g.run(strings.ReplaceAll(`
		flaw = ReduceSum(Where(IsNaN(image), image, 0), last)
		p = Floor(Add(Mul(Clip(Where(IsNaN(image), 0, image), 0, 1), 255), 0.5))
		k = Range(0, 784, 1)
		i = Floor(Div(k, 28))
		j = Sub(k, Mul(i, 28))
		pj = Mul(p, j)
		pi = Mul(p, i)
		m = ReduceSum(p, last)
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
		ww = Max(Add(Sub(xx, Mul(Mul(2, s), xy)), Mul(Mul(s, s), yy)), 0)
		gx = Sqrt(Clip(Div(Sqrt(ww), 3.6), 0.4, 1.6))
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
		grey = Floor(Add(Add(Mul(above, Sub(1, fy)), Mul(below, fy)), 0.5))
		deskewed = Add(Div(grey, 255), flaw)`, "image", image))
}

// An onnxGraph is a graph as far as it has been built.
type onnxGraph struct {
	message
	isScalar map[string]bool // the numbers that formulas have had
}

// run adds formulas, a line each with a name before it, and returns the last name.
func (g *onnxGraph) run(formulas string) (name string) {
	for _, line := range strings.Split(strings.TrimSpace(formulas), "\n") {
		var formula string
		name, formula, _ = strings.Cut(strings.TrimSpace(line), " = ")
		g.parse(name, formula)
	}
	return name
}

// parse adds the operations of a formula such as Mul(Sub(x, mean), 2), and returns the name of
// its value and what follows it. An argument is the name of a value, a number, a formula, or an
// attribute that is an integer, such as axis=1.
func (g *onnxGraph) parse(name, formula string) (value, rest string) {
	end := strings.IndexAny(formula+")", "(,)")
	word, rest := strings.TrimSpace(formula[:end]), formula[end:]
	if !strings.HasPrefix(rest, "(") {
		if v, err := strconv.ParseFloat(word, 64); err == nil && !g.isScalar[word] {
			g.isScalar[word] = true
			g.numbers(word, []float64{v})
		}
		return word, rest
	}
	var node message
	for rest[0] != ')' {
		value, rest = g.parse("", rest[1:])
		if attribute, number, ok := strings.Cut(value, "="); ok {
			v, _ := strconv.Atoi(number)
			node = append(node, item{5, message{{1, attribute}, {3, v}, {20, 2}}}) // 2: an integer
		} else {
			node = append(node, item{1, value})
		}
	}
	if name == "" {
		name = fmt.Sprint("v", len(g.message))
	}
	g.message = append(g.message, item{1, append(node, item{2, name}, item{4, word})})
	return name, rest[1:]
}

// numbers adds a constant of this shape, which is empty for a scalar.
func (g *onnxGraph) numbers(name string, x []float64, shape ...int) {
	tensor := message{{2, onnxDouble}, {8, name}, {9, x}}
	for _, n := range shape {
		tensor = append(tensor, item{1, n})
	}
	g.message = append(g.message, item{5, tensor})
}

// integers adds a constant.
func (g *onnxGraph) integers(name string, x ...int) {
	tensor := message{{1, len(x)}, {2, onnxInt64}, {8, name}}
	for _, v := range x {
		tensor = append(tensor, item{7, v})
	}
	g.message = append(g.message, item{5, tensor})
}

// onnxMatrix describes an input or an output, n×cols.
func onnxMatrix(name string, cols int) message {
	shape := message{{1, message{{2, "n"}}}, {1, message{{1, cols}}}}
	return message{{1, name}, {2, message{{1, message{{1, onnxDouble}, {2, shape}}}}}}
}

// A message is a list of numbered items. The value of an item is an int, or what stands after its
// length: a string, a []float64, or another message.
type message []item

type item struct {
	number int
	value  any
}

// head returns the number with the value of an int, or with the length of another value.
func (f item) head() []byte {
	if v, ok := f.value.(int); ok {
		return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(f.number)<<3), uint64(v))
	}
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(f.number)<<3|2), uint64(f.size()))
}

// size returns how many bytes stand after the head.
func (f item) size() int {
	switch v := f.value.(type) {
	case string:
		return len(v)
	case []float64:
		return 8 * len(v)
	case message:
		return v.size()
	}
	return 0
}

func (m message) size() (n int) {
	for _, f := range m {
		n += len(f.head()) + f.size()
	}
	return n
}

// write writes the message. An error stays in w.
func (m message) write(w *bufio.Writer) {
	for _, f := range m {
		w.Write(f.head())
		switch v := f.value.(type) {
		case string:
			w.WriteString(v)
		case []float64:
			writeElements(w, v)
		case message:
			v.write(w)
		}
	}
}
