package mlp

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestOnnxTry(t *testing.T) {
	digits, _ := sampleDigits(t)
	for _, act := range []*Activation{ReLU, Sigmoid, Tanh, Linear} {
		for _, norm := range []bool{false, true} {
			for _, deskew := range []bool{false, true} {
				m := &Model{Net: NewNetwork(1, He, act, MNISTPixels, 30, 20, MNISTClasses), Deskew: deskew}
				random := normal(3)
				if norm {
					for _, l := range m.Net[:2] {
						l.Norm = NewBatchNorm(l.W.Cols)
						for j := range l.B.Data {
							l.B.Data[j] = random()
							l.Norm.Mean.Data[j] = random()
							l.Norm.Var.Data[j] = math.Abs(random())
							l.Norm.Gain.Data[j] = random()
						}
					}
				}
				m.Input = digits.Stats()
				n := 100
				x, g := NewMatrix(n, MNISTPixels), NewMatrix(n, MNISTPixels)
				for i := range g.Data {
					g.Data[i] = float64(digits.Images[i])
				}
				clear(g.Row(5))
				clear(g.Row(6))
				g.Row(6)[700] = 200
				clear(g.Row(8))
				for j := range 28 {
					g.Row(8)[140+j] = 255
				}
				g.Row(7)[3] = math.NaN()
				for i := range g.Data {
					x.Data[i] = g.Data[i] / 255
				}
				var want Matrix
				m.Predict(&want, x).Softmax()
				var b bytes.Buffer
				if err := m.WriteONNX(&b, Export{Grey: true}); err != nil {
					t.Fatal(err)
				}
				dir := t.TempDir()
				at := func(s string) string { return filepath.Join(dir, s) }
				os.WriteFile(at("m.onnx"), b.Bytes(), 0o666)
				var xb bytes.Buffer
				writeElements(&xb, g.Data)
				os.WriteFile(at("x"), xb.Bytes(), 0o666)
				c := exec.Command("node", "testdata/export/run.js", at("m.onnx"), at("x"), at("y"))
				c.Env = append(os.Environ(), "NODE_PATH=/tmp/x/ort/node_modules")
				out, err := c.CombinedOutput()
				if err != nil {
					t.Fatal(err, string(out))
				}
				yb, _ := os.ReadFile(at("y"))
				y := mustElements(yb)
				worst := 0.0
				for i, v := range want.Data {
					if v != v && y[i] != y[i] {
						continue
					}
					d := math.Abs(v - y[i])
					if !(d <= 1e-12) {
						t.Fatalf("%s %v %v: element %d row %d is %v, want %v", act.Name, norm, deskew, i, i/10, y[i], v)
					}
					worst = max(worst, d)
				}
				weights := 8 * m.Net.Parameters()
				fmt.Println(act.Name, norm, deskew, worst, b.Len()-weights, string(out))
			}
		}
	}
}

func mustElements(b []byte) (x []float64) {
	for i := 0; i < len(b); i += 8 {
		u := uint64(0)
		for k := range 8 {
			u |= uint64(b[i+k]) << (8 * k)
		}
		x = append(x, math.Float64frombits(u))
	}
	return x
}

func TestSourceTry(t *testing.T) {
	digits, _ := sampleDigits(t)
	m := &Model{Net: NewNetwork(1, He, ReLU, MNISTPixels, 5, 4, 3, MNISTClasses), Deskew: true, Input: digits.Stats()}
	m.Net[1].Act, m.Net[2].Act = Tanh, Sigmoid
	m.Net[1].Norm = NewBatchNorm(4)
	m.Recipe = map[string]string{"command": "train", "x": "a*/b\n\u2028c\\"}
	for _, l := range []string{"go", "c", "js"} {
		var b bytes.Buffer
		if err := m.WriteSource(&b, l, Export{Grey: true}); err != nil {
			t.Fatal(err)
		}
		os.MkdirAll("/tmp/x/src/"+l, 0o777)
		os.WriteFile("/tmp/x/src/"+l+"/model."+l, b.Bytes(), 0o666)
	}
}
