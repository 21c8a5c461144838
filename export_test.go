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
	"regexp"
	"strings"
	"testing"

	digitsexport "mlp/testdata/export/digits"
	tableexport "mlp/testdata/export/table"
)

// An exported model has rows to try it on.
type exported struct {
	name string
	m    *Model
	as   Export
	rows *Matrix
}

// randomNetwork returns a network that nothing has trained, with averages if norm is set.
func randomNetwork(random func() float64, act *Activation, norm bool, widths ...int) Network {
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

// tableColumns are columns of every kind, with names that could end a comment.
var tableColumns = Columns{
	{Name: "length", Edges: []float64{-1, 0, 0.5, 3}, Gaps: true, Mean: []float64{1, 0.5, 0, 0.25, 0.1}, Std: []float64{2, 0.3, 0, 1, 0.3}},
	{Name: "*/\n\"kind\"", Values: []string{"a", "b\u2028", "c"}, Gaps: true, Mean: []float64{0.2, 0.4, 0.3, 0}, Std: []float64{0.4, 0.6, 0, 1}},
	{Name: "constant", Edges: []float64{5, 6}, Mean: []float64{5}, Std: []float64{0}},
	{Name: "yes", Values: []string{"no", "yes"}, Mean: []float64{0.5, 0.5}, Std: []float64{0.5, 0.5}},
}

func quantity(name string, mean, std float64) Column {
	return Column{Name: name, Mean: []float64{mean}, Std: []float64{std}}
}

// tableRows are rows of tableColumns, with edges, numbers that are missing and categories that
// are not there.
func tableRows(random func() float64) *Matrix {
	table := NewMatrix(50, len(tableColumns))
	for i := range table.Rows {
		copy(table.Row(i), []float64{4 * random(), float64(i % 4), 5 + float64(i%2), float64(i%3) - 1})
		table.Row(i)[i%4] += []float64{0, math.NaN(), 0, 0, 0.25}[i%5]
	}
	table.Row(0)[0], table.Row(1)[0], table.Row(2)[0], table.Row(3)[1] = -1, 0.5, 3, 1e300
	return table
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
		return randomNetwork(random, act, norm, widths...)
	}
	for _, act := range []*Activation{ReLU, Sigmoid, Tanh, Linear} {
		for _, norm := range []bool{false, true} {
			m := &Model{Net: network(act, norm, MNISTPixels, 12, 30, MNISTClasses), Deskew: norm == (act == ReLU || act == Tanh)}
			m.Input = digits.Stats()
			if act == Tanh {
				m.Temperature = 0.6
			}
			m.Targets = Columns{{Name: "digit", Values: strings.Split("0123456789", "")}}
			name := fmt.Sprintf("%s, norm %v, deskew %v", act.Name, norm, m.Deskew)
			all = append(all, exported{name, m, Export{Grey: true}, images})
		}
	}
	ensemble := &Model{Input: digits.Stats(), Net: network(ReLU, false, MNISTPixels, 5, MNISTClasses), Others: []Member{{Net: network(ReLU, false, MNISTPixels, 5, MNISTClasses)}}}
	all = append(all, exported{"two networks of digits", ensemble, Export{Grey: true}, images})
	table := tableRows(random)
	yes := []string{"no", "yes"}
	for _, targets := range []Columns{{{Name: "kind", Values: []string{"a", "b", "c"}}}, {{Name: "u", Values: yes}, {Name: "v", Values: yes}, {Name: "w", Values: yes}},
		{quantity("price", 1e5, 3e4), quantity("size", 0, 1), quantity("constant", -3, 0)}} {
		for _, members := range []int{1, 3} {
			m := &Model{Net: network(Tanh, true, tableColumns.Width(), 70, 3), Targets: targets, Columns: tableColumns, Recipe: map[string]string{"data": "x\n*/"}}
			if m.Task() != Numbers && members > 1 {
				m.Temperature = 1.7
			}
			for range members - 1 {
				m.Others = append(m.Others, Member{Net: network(Tanh, true, tableColumns.Width(), 70, 3)})
			}
			all = append(all, exported{fmt.Sprintf("table, task %d, %d networks", m.Task(), members), m, Export{}, table})
		}
	}
	// A scale stands beside a product here: of grey values, and if a row or a layer has one number.
	plain := &Model{Net: network(ReLU, false, MNISTPixels, 12, 1), Targets: Columns{quantity("y", 1, 2)}}
	narrow := &Model{Net: network(Linear, true, 1, 1, 1), Targets: plain.Targets, Input: Standardization{[]float64{0.2}, []float64{0.3}}}
	all = append(all, exported{"no input", plain, Export{Grey: true}, images}, exported{"one of each", narrow, Export{Grey: true}, NewMatrix(3, 1, 7, 100, 251)})
	return append(all, exported{"one layer", &Model{Net: network(Linear, false, 1, 1), Targets: Columns{quantity("y", 1, 2)}}, Export{}, NewMatrix(3, 1, 1, -1, 0)})
}

// The files in testdata/export, whose names begin with those of the models: what is written of
// two small models. Their Go is part of this test.
func TestExportFiles(t *testing.T) {
	random := normal(2)
	digits := exportedModels(t)[1] // for its images
	digits.m = &Model{Net: randomNetwork(random, Tanh, true, MNISTPixels, 1, 2), Deskew: true, Recipe: map[string]string{"epochs": "20"}}
	digits.m.Net[1].Act = Sigmoid
	table := exported{"", &Model{Columns: tableColumns, Targets: Columns{{Name: "u", Values: []string{"no", "yes"}}, {Name: "v", Values: []string{"a", "b"}}}}, Export{}, tableRows(random)}
	table.m.Net, table.m.Temperature = randomNetwork(random, ReLU, false, tableColumns.Width(), 3, 2), 1.5
	table.m.Others = []Member{{Net: randomNetwork(random, ReLU, false, tableColumns.Width(), 3, 2)}}
	for _, c := range []struct {
		name    string
		e       exported
		predict func([]float64) []float64
	}{{"digits", digits, digitsexport.Predict}, {"table", table, tableexport.Predict}} {
		for _, member := range c.e.m.members() {
			for _, p := range member.Net.parts() { // so that the files are short
				for i, v := range p.array.Data {
					p.array.Data[i] = math.Floor(v*64) / 64
				}
			}
		}
		c.e.as.Package = c.name + "export"
		for _, kind := range []string{"go", "c", "js", "onnx"} {
			name := filepath.Join("testdata/export", c.name+"."+kind)
			if kind == "go" {
				name = filepath.Join("testdata/export", c.name, "model.go") // a package for itself
			}
			got := c.e.file(t, kind)
			if *rewrite {
				if err := os.WriteFile(name, got, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if readText(t, name) != string(got) {
				t.Errorf("%s is not what is written; -update writes it anew", name)
			}
		}
		want := c.e.answers()
		for i := range want.Rows {
			for j, v := range c.predict(c.e.rows.Row(i)) {
				if w := want.Row(i)[j]; math.Float64bits(v) != math.Float64bits(w) && (v == v || w == w) {
					t.Errorf("%s: row %d, output %d is %v, want %v", c.name, i, j, v, w)
				}
			}
		}
	}
}

// file returns what is written of a model.
func (e *exported) file(t *testing.T, kind string) []byte {
	t.Helper()
	var b bytes.Buffer
	err := error(nil)
	if kind == "onnx" {
		err = e.m.WriteONNX(&b, e.as)
	} else {
		err = e.m.WriteSource(&b, kind, e.as)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
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
	e.as.Package = "main"
	model := e.file(t, kind)
	main := strings.NewReplacer("IN", fmt.Sprint(e.m.rowWidth()), "OUT", fmt.Sprint(want.Cols)).Replace(p.main)
	for name, text := range map[string]string{p.file: main, "model." + kind: string(model), "go.mod": "module main\n\ngo 1.25\n"} {
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

// A protoField is a field of a message: a number or bytes.
type protoField struct {
	number int
	value  int
	bytes  []byte
}

// protoFields returns the fields of a message of numbers and bytes.
func protoFields(t *testing.T, b []byte) (all []protoField) {
	t.Helper()
	for len(b) > 0 {
		key, n := binary.Uvarint(b)
		v, m := binary.Uvarint(b[max(n, 0):])
		if n <= 0 || m <= 0 || key&7 != 0 && (key&7 != 2 || v > uint64(len(b)-n-m)) {
			t.Fatalf("no field: % x", b[:min(len(b), 20)])
		}
		f := protoField{number: int(key >> 3), value: int(v)}
		if b = b[n+m:]; key&7 == 2 {
			f.bytes, b = b[:v], b[v:]
		}
		all = append(all, f)
	}
	return all
}

// texts returns the texts of the fields of a message that have this number.
func texts(t *testing.T, message []byte, number int) (all []string) {
	t.Helper()
	for _, f := range protoFields(t, message) {
		if f.number == number {
			all = append(all, string(f.bytes))
		}
	}
	return all
}

// A graph is what https://github.com/onnx/onnx/blob/main/onnx/onnx.proto says: each value has one
// name and is there before it is read, and the constants are as large as their shapes.
func TestONNXStructure(t *testing.T) {
	for _, e := range exportedModels(t) {
		var graph []byte
		file := map[string]string{}
		for _, f := range protoFields(t, e.file(t, "onnx")) {
			switch f.number {
			case 1:
				file["version"] = fmt.Sprint(f.value)
			case 7:
				graph = f.bytes
			case 8:
				file["operators"] = fmt.Sprint(protoFields(t, f.bytes)[0].value)
			case 14:
				file[texts(t, f.bytes, 1)[0]] = texts(t, f.bytes, 2)[0]
			}
		}
		if file["version"] != "7" || file["operators"] != "13" || file["sha256"] != e.m.Fingerprint() || e.m.Columns != nil && !strings.Contains(file["columns"], `"Name":"constant"`) {
			t.Errorf("%s: %v", e.name, file)
		}
		weights, weight, known := 0, regexp.MustCompile(`^(net\d_)?w\d$`), map[string]bool{}
		define := func(name string) {
			if known[name] {
				t.Errorf("%s: two values are named %s", e.name, name)
			}
			known[name] = true
		}
		define("x")
		for _, f := range protoFields(t, graph) {
			switch f.number {
			case 1:
				for _, name := range texts(t, f.bytes, 1) {
					if !known[name] {
						t.Errorf("%s: %s is not known yet", e.name, name)
					}
				}
				define(texts(t, f.bytes, 2)[0])
			case 5:
				size, name := 8, texts(t, f.bytes, 8)[0]
				for _, d := range protoFields(t, f.bytes) {
					if d.number == 1 {
						size *= d.value
					}
				}
				if data := texts(t, f.bytes, 9); len(data) > 0 && len(data[0]) != size {
					t.Errorf("%s: %s has %d bytes, want %d", e.name, name, len(data[0]), size)
				}
				if weight.MatchString(name) {
					weights += size
				}
				define(name)
			case 12:
				if name := texts(t, f.bytes, 1)[0]; !known[name] || name != "probabilities" && name != "numbers" {
					t.Errorf("%s: the output is %s", e.name, name)
				}
			}
		}
		want := 0
		for _, l := range e.m.Net {
			want += 8 * len(l.W.Data) * (1 + len(e.m.Others))
		}
		if weights != want {
			t.Errorf("%s: %d bytes of weights, want %d", e.name, weights, want)
		}
	}
}

// What no export can express is refused by name, before anything is written.
func TestExportRefused(t *testing.T) {
	small := func() *Model { return &Model{Net: NewNetwork(1, He, ReLU, 3, 2, 2)} }
	swish, broken := small(), small()
	swish.Net[0].Act = &Activation{"swish", relu, reluBack}
	broken.Net[1].B.Data[1] = math.Inf(1)
	large := &Model{Net: NewNetwork(1, He, ReLU, 1000, 2000, 2)}
	for _, c := range []struct {
		m        *Model
		language string
		as       Export
		want     string
	}{
		{swish, "c", Export{}, `layer 1: its activation, "swish", is not the package's, and cannot be exported`},
		{swish, "onnx", Export{}, `layer 1: its activation, "swish", is not the package's, and cannot be exported`},
		{broken, "onnx", Export{}, "b2: element (0, 1) is +Inf"},
		{new(Model), "js", Export{}, "a network without layers"},
		{&Model{Net: NewNetwork(1, He, ReLU, 3, 1)}, "js", Export{}, "a single output and no Targets: Softmax of it is always 1"},
		{large, "go", Export{}, "a model of 2006002 numbers, more than the 2000000 that a compiler takes; ONNX takes more"},
		{small(), "go", Export{Package: "a b"}, `package "a b": want a name of Go's`},
		{small(), "rust", Export{}, `language "rust": want one of c, go, js`},
	} {
		var b bytes.Buffer
		write := func() error { return c.m.WriteSource(&b, c.language, c.as) }
		if c.language == "onnx" {
			write = func() error { return c.m.WriteONNX(&b, c.as) }
		}
		if err := write(); err == nil || err.Error() != c.want || b.Len() > 0 {
			t.Errorf("error %v, want %s; %d bytes", err, c.want, b.Len())
		}
	}
	for _, kind := range []string{"onnx", "go"} {
		e := exported{m: small()}
		full := &failing{left: len(e.file(t, kind)) - 1}
		err := e.m.WriteSource(full, "go", e.as)
		if kind == "onnx" {
			err = e.m.WriteONNX(full, e.as)
		}
		if err == nil {
			t.Errorf("%s: no error from a writer that is full", kind)
		}
	}
}

// The programs in cmd/predict/README.md, one in each language, read digits with a model that
// cmd/predict has written as it says. CI asks for it by name.
func TestExportPrograms(t *testing.T) {
	if os.Getenv("MLP_ATTACK") == "" {
		t.Skip("$MLP_ATTACK is not set")
	}
	digits, _ := sampleDigits(t)
	e := exported{"", &Model{Net: NewNetwork(1, He, ReLU, MNISTPixels, 8, MNISTClasses), Input: digits.Stats(), Deskew: true}, Export{Grey: true}, NewMatrix(1, MNISTPixels)}
	for i, p := range digits.image(7) {
		e.rows.Data[i] = float64(p)
	}
	p := e.answers().Row(0)
	want := fmt.Sprintf("%d %.4f\n", Argmax(p), p[Argmax(p)])
	dir := t.TempDir()
	if err := e.m.WriteFile(filepath.Join(dir, "model.npz")); err != nil {
		t.Fatal(err)
	}
	readme := readText(t, "cmd/predict/README.md")
	for _, c := range []struct{ language, program, export, build, run string }{
		{"go", "main.go", "model/model.go", "go mod init yours && go build -o read", "./read"},
		{"c", "read.c", "model.c", "cc -std=c99 -O2 -Wall -Werror -o read read.c model.c -lm", "./read"},
		{"js", "read.js", "model.js", `echo '{"type": "module"}' >package.json`, "node read.js"},
		{"js", "onnx.cjs", "model.onnx", "true", "node onnx.cjs"},
	} {
		blocks := fencedBlocks(readme, c.language)
		program := blocks[len(blocks)-1]
		if c.program == "read.js" {
			program = blocks[0]
		}
		there := filepath.Join(dir, c.program)
		if err := os.MkdirAll(filepath.Join(there, "model"), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(there, c.program), []byte(program), 0o666); err != nil {
			t.Fatal(err)
		}
		export := exec.Command("go", "run", "./cmd/predict", "-model", filepath.Join(dir, "model.npz"), "-export", filepath.Join(there, c.export))
		if out, err := export.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		run := exec.Command("sh", "-c", "("+c.build+") >&2 && "+c.run)
		run.Dir, run.Stdin, run.Stderr = there, bytes.NewReader(digits.image(7)), os.Stderr
		if out, err := run.Output(); err != nil || string(out) != want {
			t.Errorf("%s: %q (%v), want %q", c.program, out, err, want)
		}
	}
}
