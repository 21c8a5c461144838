// Models written for other programs: what the programs answer, and what is written.

package mlp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An exported model has rows to try it on.
type exported struct {
	name string
	m    *Model
	as   Export
	rows *Matrix
}

// exportedModels are models of every kind: activations, normalisation, deskewing, columns,
// ensembles and tasks. Nothing is trained.
func exportedModels(t *testing.T) (all []exported) {
	digits, _ := sampleDigits(t)
	images := NewMatrix(100, MNISTPixels)
	for i := range images.Data {
		images.Data[i] = float64(digits.Images[i])
	}
	clear(images.Row(1)) // blank
	clear(images.Row(2)) // a line of one row
	for j := range side {
		images.Row(2)[5*side+j] = 255
	}
	clear(images.Row(3)) // one pixel in the corner
	images.Row(3)[MNISTPixels-1] = 7
	images.Row(4)[0] = math.NaN()
	random := normal(1)
	network := func(act *Activation, norm bool, widths ...int) Network {
		net := NewNetwork(uint64(1+1e6*math.Abs(random())), He, act, widths...)
		for i, l := range net {
			for j := range l.B.Data {
				l.B.Data[j] = random()
			}
			if norm && i < len(net)-1 {
				l.Norm = NewBatchNorm(l.W.Cols)
				for j := range l.B.Data {
					l.Norm.Gain.Data[j], l.Norm.Mean.Data[j], l.Norm.Var.Data[j] = random(), random(), math.Abs(random())
				}
			}
		}
		return net
	}
	for _, act := range []*Activation{ReLU, Sigmoid, Tanh, Linear} {
		for _, norm := range []bool{false, true} {
			m := &Model{Net: network(act, norm, MNISTPixels, 12, 30, MNISTClasses), Deskew: norm == (act == ReLU || act == Tanh)}
			m.Input = digits.Stats()
			m.Targets = Columns{{Name: "digit", Values: strings.Split("0123456789", "")}}
			name := fmt.Sprintf("%s, norm %v, deskew %v", act.Name, norm, m.Deskew)
			all = append(all, exported{name, m, Export{Grey: true}, images})
		}
	}
	columns := Columns{
		{Name: "length", Mean: []float64{1, 0.5, 0, 0.25}, Std: []float64{2, 0.3, 0, 1}, Edges: []float64{-1, 0, 0.5, 3}, Gaps: true},
		{Name: "*/\n\"kind\"", Values: []string{"a", "b\u2028", "c"}, Gaps: true},
		{Name: "constant", Mean: []float64{5}, Std: []float64{0}},
		{Name: "yes", Values: []string{"no", "yes"}},
	}
	table := NewMatrix(50, len(columns))
	for i := range table.Rows {
		copy(table.Row(i), []float64{4 * random(), float64(i % 4), 5 + float64(i%2), float64(i%3) - 1})
		table.Row(i)[i%4] += []float64{0, math.NaN(), 0, 0, 0.25}[i%5]
	}
	table.Row(0)[0], table.Row(1)[0], table.Row(2)[0], table.Row(3)[1] = -1, 0.5, 3, 1e300
	number := func(name string, mean, std float64) Column {
		return Column{Name: name, Mean: []float64{mean}, Std: []float64{std}}
	}
	yes := []string{"no", "yes"}
	for _, targets := range []Columns{{{Name: "kind", Values: []string{"a", "b", "c"}}}, {{Name: "u", Values: yes}, {Name: "v", Values: yes}, {Name: "w", Values: yes}},
		{number("price", 1e5, 3e4), number("size", 0, 1), number("constant", -3, 0)}} {
		for _, members := range []int{1, 3} {
			m := &Model{Net: network(Tanh, true, columns.Width(), 70, 3), Targets: targets, Columns: columns, Recipe: map[string]string{"data": "x\n*/"}}
			for range members - 1 {
				m.Others = append(m.Others, Member{Net: network(Tanh, true, columns.Width(), 70, 3)})
			}
			all = append(all, exported{fmt.Sprintf("table, task %d, %d networks", m.Task(), members), m, Export{}, table})
		}
	}
	return append(all, exported{"one layer", &Model{Net: network(Linear, false, 1, 1), Targets: Columns{number("y", 1, 2)}}, Export{}, NewMatrix(3, 1, 1, -1, 0)})
}

// answers returns what the exports answer: probabilities or numbers.
func (e *exported) answers() *Matrix {
	x := NewMatrix(e.rows.Rows, e.rows.Cols, e.rows.Data...)
	for i := range x.Data {
		if e.as.Grey {
			x.Data[i] /= 255
		}
	}
	y := e.m.Predict(new(Matrix), x)
	switch e.m.Task() {
	case Classes:
		y.Softmax()
	case Labels:
		Sigmoid.Forward(y.Data)
	}
	return y
}

// programs are what runs an export for all rows of standard input, float64s, in a folder with
// the model's file.
var programs = map[string]struct {
	file, main string
	commands   [][]string
}{
	"onnx": {"main.js", `
const ort = require('onnxruntime-node')
const input = require('fs').readFileSync(0)
async function main() {
	const session = await ort.InferenceSession.create('model.onnx')
	const x = new Float64Array(input.buffer.slice(input.byteOffset, input.byteOffset + input.length))
	const [, width] = session.inputMetadata[0].shape
	const y = await session.run({ x: new ort.Tensor('float64', x, [x.length / width, width]) })
	process.stdout.write(Buffer.from(y[session.outputNames[0]].data.buffer))
}
main().catch(e => { console.error(e.message); process.exit(1) })`,
		[][]string{{"node", "main.js"}}},
	"js": {"main.mjs", `
import { predict } from './model.mjs'
import fs from 'fs'
const input = fs.readFileSync(0)
const x = new Float64Array(input.buffer.slice(input.byteOffset, input.byteOffset + input.length))
for (let i = 0; i < x.length; i += IN) process.stdout.write(Buffer.from(predict(x.subarray(i, i + IN)).buffer))`,
		[][]string{{"cp", "model.js", "model.mjs"}, {"node", "main.mjs"}}},
	"c": {"main.c", `
#include <stdio.h>
void predict(const double *x, double *y);
int main(void) {
	double x[IN], y[OUT];
	while (fread(x, sizeof x, 1, stdin) == 1) {
		predict(x, y);
		fwrite(y, sizeof y, 1, stdout);
	}
	return 0;
}
`,
		[][]string{{"CC", "-std=c99", "-O2", "-Wall", "-Wextra", "-Wmissing-prototypes", "-pedantic", "-Werror", "-o", "main", "main.c", "model.c", "-lm"}, {"./main"}}},
	"go": {"main.go", `package main

import (
	"encoding/binary"
	"os"
)

func main() {
	x := make([]float64, IN)
	for binary.Read(os.Stdin, binary.LittleEndian, x) == nil {
		binary.Write(os.Stdout, binary.LittleEndian, Predict(x))
	}
}
`,
		[][]string{{"sh", "-c", "test -z \"$(gofmt -l .)\""}, {"go", "build", "-o", "main", "."}, {"./main"}}},
}

// The same answers, in Go to the last bit and elsewhere to 1e-12, of a graph in ONNX Runtime,
// of C that gcc and clang compile, of JavaScript in Node.js, and of Go. CI asks for it by name.
func TestExportsAnswer(t *testing.T) {
	if os.Getenv("MLP_ATTACK") == "" {
		t.Skip("$MLP_ATTACK is not set")
	}
	for _, e := range exportedModels(t) {
		t.Run(e.name, func(t *testing.T) {
			t.Run("onnx", func(t *testing.T) { e.run(t, "onnx", "", 1e-12) })
			t.Run("gcc", func(t *testing.T) { e.run(t, "c", "gcc", 1e-12) })
			t.Run("clang", func(t *testing.T) { e.run(t, "c", "clang", 1e-12) })
			t.Run("node", func(t *testing.T) { e.run(t, "js", "", 1e-12) })
			t.Run("go", func(t *testing.T) { e.run(t, "go", "", 0) })
		})
	}
}

func (e *exported) run(t *testing.T, kind, compiler string, tolerance float64) {
	p, dir, want := programs[kind], t.TempDir(), e.answers()
	var model bytes.Buffer
	var err error
	if kind == "onnx" {
		err = e.m.WriteONNX(&model, e.as)
	} else {
		as := e.as
		as.Package = "main"
		err = e.m.WriteSource(&model, kind, as)
	}
	if err != nil {
		t.Fatal(err)
	}
	main := strings.NewReplacer("IN", fmt.Sprint(e.m.rowWidth()), "OUT", fmt.Sprint(want.Cols)).Replace(p.main)
	for name, text := range map[string]string{p.file: main, "model." + kind: model.String(), "go.mod": "module main\n\ngo 1.25\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var in, out bytes.Buffer
	writeElements(&in, e.rows.Data)
	for i, words := range p.commands {
		c := exec.Command(strings.Replace(words[0], "CC", compiler, 1), words[1:]...)
		var stderr bytes.Buffer
		if c.Dir, c.Stdout, c.Stderr = dir, &out, &stderr; i == len(p.commands)-1 {
			c.Stdin = &in
		}
		if err := c.Run(); err != nil {
			t.Fatalf("%v: %v\n%s%s", words, err, stderr.Bytes(), out.Bytes())
		}
	}
	if out.Len() != 8*len(want.Data) {
		t.Fatalf("%d bytes for %d numbers", out.Len(), len(want.Data))
	}
	for i, v := range want.Data {
		got := math.Float64frombits(binary.LittleEndian.Uint64(out.Next(8)))
		same := math.Float64bits(got) == math.Float64bits(v) || v != v && got != got
		if !same && !(math.Abs(got-v) <= tolerance*max(1, math.Abs(v))) {
			t.Fatalf("row %d, output %d is %v, want %v", i/want.Cols, i%want.Cols, got, v)
		}
	}
}
