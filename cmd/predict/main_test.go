// The command from its arguments to what it prints, and everything that can be wrong with
// them.

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/clitest"
	"mlp/cmd/internal/mnist"
	"mlp/cmd/internal/picture"
)

// trained is a model of a second's training on the sample, and the test part.
var trained = sync.OnceValues(func() (*mlp.Model, *mlp.MNIST) {
	train, err1 := mlp.LoadMNIST(mlp.SampleMNIST(), "train", 0)
	test, err2 := mlp.LoadMNIST(mlp.SampleMNIST(), "t10k", 0)
	if err := cmp.Or(err1, err2); err != nil {
		panic(err)
	}
	m := &mlp.Model{Net: mnist.Network(1, mlp.He, mlp.ReLU, false, 48), Input: train.Stats()}
	train.Standardize(m.Input)
	if _, err := mlp.Train(context.Background(), m.Net, train, mlp.Config{Optimizer: mlp.Adam, Rate: 0.002, Epochs: 4, Batch: 50}); err != nil {
		panic(err)
	}
	return m, test
})

func fileOf(m *mlp.Model) []byte {
	var file bytes.Buffer
	if err := m.Write(&file); err != nil {
		panic(err)
	}
	return file.Bytes()
}

// workplace is a folder with model.npz and five digits of the test part as PNGs.
func workplace(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	model, test := trained()
	write(t, filepath.Join(dir, "model.npz"), fileOf(model))
	for i := range 5 {
		digit := &image.Gray{Pix: test.Images[i*150*mlp.MNISTPixels:][:mlp.MNISTPixels], Stride: side, Rect: image.Rect(0, 0, side, side)}
		write(t, filepath.Join(dir, fmt.Sprintf("digit%d.png", i)), encoded(t, digit))
	}
	return dir
}

func encoded(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// command runs predict and returns what it printed and its exit code.
func command(t *testing.T, stdin io.Reader, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out bytes.Buffer
	stderr, code = commandTo(t, &out, stdin, args...)
	return out.String(), stderr, code
}

func commandTo(t *testing.T, stdout io.Writer, stdin io.Reader, args ...string) (stderr string, code int) {
	t.Helper()
	return clitest.Stderr(t, func(stderr *os.File) int { return run(context.Background(), args, stdin, stdout, stderr) })
}

// The numbers of a raw digit are those of Model.Predict, as text, as JSON and by way of
// standard input.
func TestRaw(t *testing.T) {
	dir := workplace(t)
	model, name := filepath.Join(dir, "model.npz"), filepath.Join(dir, "digit1.png")
	m, test := trained()
	x := mlp.NewMatrix(1, mlp.MNISTPixels)
	for j := range x.Data {
		x.Data[j] = float64(test.Images[150*mlp.MNISTPixels+j]) / 255
	}
	var p mlp.Matrix
	m.Predict(&p, x).Softmax()
	sorted := slices.Sorted(slices.Values(p.Data))
	first, second := slices.Index(p.Data, sorted[9]), slices.Index(p.Data, sorted[8])
	want := fmt.Sprintf("%s\t%d\t%.4f\t%d\t%.4f\t0,0,28,28\n", name, first, p.Data[first], second, p.Data[second])
	stdout, stderr, code := command(t, nil, "-model", model, "-raw", name)
	if stdout != want || stderr != "" || code != 0 {
		t.Errorf("%q, standard error %q, exit code %d, want %q", stdout, stderr, code, want)
	}
	stdout, _, code = command(t, bytes.NewReader(read(t, name)), "-model", model, "-raw", "-json", "-")
	var got reading
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != 0 || strings.Count(stdout, "\n") != 1 {
		t.Fatalf("%q: %v, exit code %d", stdout, err, code)
	}
	if got.File != "-" || got.Digit != first || got.Probability != p.Data[first] || got.RunnerUp != second || got.RunnerUpProbability != p.Data[second] || fmt.Sprint(got.Probabilities) != fmt.Sprint(p.Data) {
		t.Errorf("%+v, want %v", got, p.Data)
	}
}

// A file's name in JSON has no character that a terminal would take for more than a sign,
// and is the name again when it is read.
func TestEscape(t *testing.T) {
	dir := workplace(t)
	name := filepath.Join(dir, "a\x1b\x7f\u009b2J\u202e\u2066é\U000e0041<.png")
	write(t, name, read(t, filepath.Join(dir, "digit0.png")))
	stdout, stderr, code := command(t, nil, "-model", filepath.Join(dir, "model.npz"), "-json", name)
	var got reading
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || got.File != name || code != 0 {
		t.Errorf("%q, error %v, exit code %d, %s", got.File, err, code, stderr)
	}
	if stdout != cli.Plain(strings.TrimSuffix(stdout, "\n"))+"\n" || !strings.Contains(stdout, `\u007f\u009b2J\u202e\u2066é\udb40\udc41\u003c`) {
		t.Errorf("%q", stdout)
	}
}

// What -save writes is what the network was shown: read again with -raw it gives the same
// line, and a file that is there is kept if it is one of the pictures.
func TestSave(t *testing.T) {
	dir := workplace(t)
	model, saved := filepath.Join(dir, "model.npz"), filepath.Join(dir, "deep", "saved")
	args := []string{"-model", model, "-save", saved}
	for i := range 5 {
		args = append(args, filepath.Join(dir, fmt.Sprintf("digit%d.png", i)))
	}
	first, stderr, code := command(t, bytes.NewReader(read(t, args[5])), append(args, "-")...)
	if code != 0 || stderr != "" {
		t.Fatalf("exit code %d, %s", code, stderr)
	}
	again := []string{"-model", model, "-raw"}
	for i := range 5 {
		again = append(again, filepath.Join(saved, fmt.Sprintf("%04d-digit%d.png", i+1, i)))
	}
	second, _, _ := command(t, nil, append(again, filepath.Join(saved, "0006-stdin.png"))...)
	numbers := regexp.MustCompile(`(?m)^[^\t]*|[^\t\n]*$`) // without the file and the box
	if a, b := numbers.ReplaceAllString(first, ""), numbers.ReplaceAllString(second, ""); a != b || strings.Count(a, "\n") != 6 {
		t.Errorf("%q, read again %q", a, b)
	}
	if entries, _ := os.ReadDir(saved); len(entries) != 6 {
		t.Errorf("%d files", len(entries))
	}
	own := filepath.Join(saved, "0001-digit0.png")
	before := read(t, own)
	_, stderr, code = command(t, nil, "-model", model, "-save", saved, args[4], own)
	if want := "predict: " + own + ": one of the pictures is in the place of the file\n"; stderr != want || code != 1 || !bytes.Equal(read(t, own), before) {
		t.Errorf("exit code %d, %q, want %q", code, stderr, want)
	}
}

// A model that was trained on normalised digits is shown normalised ones.
func TestDeskew(t *testing.T) {
	dir := workplace(t)
	name := filepath.Join(dir, "model.npz")
	upright, test := trained()
	m := *upright
	m.Deskew = true
	write(t, name, fileOf(&m))
	saved := filepath.Join(dir, "saved")
	if _, stderr, code := command(t, nil, "-model", name, "-save", saved, filepath.Join(dir, "digit0.png")); code != 0 {
		t.Fatal(stderr)
	}
	r := &reader{options: &options{}, model: &mlp.Model{}}
	img, err := picture.Read(bytes.NewReader(read(t, filepath.Join(dir, "digit0.png"))))
	if err != nil {
		t.Fatal(err)
	}
	found, err := picture.Find(img, func(*image.Gray) float64 { return 1 })
	if err != nil {
		t.Fatal(err)
	}
	want := setOf(r.shown(picture.Center(picture.Thicken(found[0].Ink)))).Deskew().Images
	img, err = picture.Read(bytes.NewReader(read(t, filepath.Join(saved, "0001-digit0.png"))))
	if err != nil {
		t.Fatal(err)
	}
	shown, err := picture.Raw(img)
	if err != nil {
		t.Fatal(err)
	}
	bounded := false
	for i, p := range shown.Pix {
		most := math.Floor(255*(m.Input.Mean[i]+4*m.Input.Std[i]) + 0.5)
		if float64(p) != min(float64(want[i]), most) {
			t.Errorf("pixel %d is %d, want %d or at most %v", i, p, want[i], most)
		}
		bounded = bounded || float64(want[i]) > most
	}
	if !bounded {
		t.Error("the digit has no pixel that is rarely lit")
	}
	test = test.Deskew()
	test.Standardize(m.Input)
	loss, accuracy := mlp.Evaluate(m.Net, test, nil)
	stdout, _, _ := command(t, nil, "-model", name)
	if want := fmt.Sprintf("Test Accuracy: %.4f\nTest Loss: %.4f\n", accuracy, loss); !strings.HasPrefix(stdout, want) {
		t.Errorf("%q, want %q", stdout, want)
	}
}

// Each bad picture has a line of its own, and the others are read.
func TestBadPictures(t *testing.T) {
	dir := workplace(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("text.png"), []byte("hello\n"))
	write(t, at("paper.png"), encoded(t, image.NewGray(image.Rect(0, 0, 200, 200))))
	os.Mkdir(at("folder"), 0o777)
	bad := map[string]string{
		"missing.png": "no such file", "text.png": "not a PNG, JPEG or GIF", "paper.png": "no ink", "folder": "a folder, want a file",
		"line\nbreak\x1b[2J.png": `line\nbreak\x1b[2J.png`,
	}
	args := []string{"-model", at("model.npz"), at("digit0.png")}
	for name := range bad {
		args = append(args, at(name))
	}
	stdout, stderr, code := command(t, nil, append(args, at("digit1.png"))...)
	if code != 1 || strings.Count(stdout, "\n") != 2 || strings.Count(stderr, "\n") != len(bad) {
		t.Errorf("exit code %d, standard output %q, standard error:\n%s", code, stdout, stderr)
	}
	for name, reason := range bad {
		pattern := "(?m)^predict: .*" + regexp.QuoteMeta(cli.Plain(name)) + ".*$"
		if line := regexp.MustCompile(pattern).FindString(stderr); !strings.Contains(line, reason) {
			t.Errorf("%q: %q, want %q", name, line, reason)
		}
	}
	for _, stdin := range []string{"", "nothing"} {
		if _, stderr, code := command(t, strings.NewReader(stdin), args[0], args[1], "-"); code != 1 || !strings.HasPrefix(stderr, "predict: -: ") {
			t.Errorf("standard input %q: exit code %d, %q", stdin, code, stderr)
		}
	}
	if _, stderr, code := command(t, nil, args[0], args[1], "-raw", at("paper.png")); code != 1 || !strings.HasSuffix(stderr, "paper.png: a picture of 200×200 pixels, want 28×28\n") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestBadModels(t *testing.T) {
	dir := workplace(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("text.npz"), []byte("hello"))
	write(t, at("small.npz"), fileOf(&mlp.Model{Net: mlp.NewNetwork(1, mlp.He, mlp.ReLU, 5, 3)}))
	enormous := &mlp.Model{Net: mnist.Network(1, mlp.He, mlp.ReLU, false)}
	for i := range enormous.Net[0].W.Data {
		enormous.Net[0].W.Data[i] = 1e308 * float64(1-2*(i%2))
	}
	write(t, at("enormous.npz"), fileOf(enormous))
	write(t, at("table.npz"), fileOf(&mlp.Model{Net: mnist.Network(1, mlp.He, mlp.ReLU, false), Recipe: map[string]string{"command": "table"}}))
	for name, want := range map[string]string{
		"table.npz":   "table.npz is a table's model: use cmd/table",
		"missing.npz": "missing.npz: no such file; `go run ./cmd/train` trains a network and writes out/", "text.npz": "not an .npz archive", "small.npz": "a network of 5 inputs and 3 outputs, want 784 and 10",
		".": "a folder, want a file", "enormous.npz": " is not finite",
	} {
		for _, more := range [][]string{{at("digit0.png")}, nil, {"-report", at("page.html")}} {
			stdout, stderr, code := command(t, nil, append([]string{"-model", at(name)}, more...)...)
			line := stderr[strings.Index(stderr, "predict: "):]
			if code != 1 || stdout != "" || strings.Count(line, "\n") != 1 || !strings.Contains(line, want) {
				t.Errorf("%s: exit code %d, %q, standard error %q", name, code, stdout, stderr)
			}
		}
	}
	if _, err := os.Stat(at("page.html")); err == nil {
		t.Error("there is a page of nothing")
	}
}

func TestWrongFlags(t *testing.T) {
	for _, flags := range []string{"-nonsense", "-json", "-raw", "-save x", "-save= a.png", "-data x a.png", "a.png -nonsense",
		"-model=", "-data=", "-report=", "-export=", "-export x", "-export x.py", "-export x.c a.png", "-export x.c -data x", "-export x.c -report x.html",
		"-package x", "-export x.c -package x", "-export x.go -package 2", "-report newdir/", "-report page", "-report model.npz", "-report x.html a.png"} {
		stdout, stderr, code := command(t, nil, strings.Fields(flags)...)
		if code != 2 || stdout != "" || !strings.HasPrefix(stderr, "predict: ") || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit code %d, %q", flags, code, stderr)
		}
	}
	stdout, _, code := command(t, nil, "-h")
	if code != 0 || !strings.HasPrefix(stdout, "Predict reads ") || !strings.Contains(stdout, "\n  -save DIR\n") {
		t.Errorf("exit code %d, %q", code, stdout)
	}
}

// What is exported knows that it reads digits, and another file stays if it cannot be replaced.
func TestExport(t *testing.T) {
	dir := workplace(t)
	model := filepath.Join(dir, "model.npz")
	for _, kind := range []string{".onnx", ".go", ".c", ".js"} {
		name := filepath.Join(dir, "digits"+kind)
		stdout, stderr, code := command(t, nil, "-model", model, "-export", name)
		if stdout != "" || stderr != "written to "+dir+": digits"+kind+"\n" || code != 0 {
			t.Errorf("%q, standard error %q, exit code %d", stdout, stderr, code)
		}
		text := string(read(t, name))
		for _, want := range []string{"x: an image, 28 rows of 28 grey values", `y[9]: "9"`} {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
	big := filepath.Join(dir, "big.npz")
	write(t, big, fileOf(&mlp.Model{Net: mnist.Network(1, mlp.He, mlp.ReLU, false, 2600)}))
	before := read(t, filepath.Join(dir, "digits.c"))
	_, stderr, code := command(t, nil, "-model", big, "-export", filepath.Join(dir, "digits.c"))
	if code != 1 || !strings.Contains(stderr, "a model of 2067010 numbers") || !bytes.Equal(read(t, filepath.Join(dir, "digits.c")), before) {
		t.Errorf("%q, exit code %d", stderr, code)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

// A closed output ends the command at once.
func TestClosedOutput(t *testing.T) {
	dir := workplace(t)
	args := []string{"-model", filepath.Join(dir, "model.npz"), "-save", filepath.Join(dir, "saved")}
	stderr, code := commandTo(t, closed{}, nil, append(args, filepath.Join(dir, "digit0.png"), filepath.Join(dir, "digit1.png"))...)
	if code != 1 || stderr != "predict: standard output: broken pipe\n" {
		t.Errorf("exit code %d, %q", code, stderr)
	}
	stderr, code = commandTo(t, closed{}, nil, "-model", args[1])
	if code != 1 || !strings.HasSuffix(stderr, "predict: standard output: broken pipe\n") {
		t.Errorf("exit code %d, %q", code, stderr)
	}
}

func TestInterrupted(t *testing.T) {
	dir := workplace(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, more := range [][]string{{filepath.Join(dir, "digit0.png")}, nil} {
		stderr, code := clitest.Stderr(t, func(stderr *os.File) int {
			return run(ctx, append([]string{"-model", filepath.Join(dir, "model.npz")}, more...), nil, io.Discard, stderr)
		})
		if code != 1 || !strings.HasSuffix(stderr, "predict: interrupted\n") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	}
}

// A folder that cannot be written to is named before anything is read.
func TestUnwritable(t *testing.T) {
	dir := workplace(t)
	model := filepath.Join(dir, "model.npz")
	for _, args := range [][]string{{"-save", model, filepath.Join(dir, "digit0.png")}, {"-report", filepath.Join(model, "page.html")}, {"-export", filepath.Join(model, "x.c")}} {
		stdout, stderr, code := command(t, nil, append([]string{"-model", model}, args...)...)
		if code != 1 || stdout != "" || !strings.HasPrefix(stderr, "predict: "+args[0]+" "+args[1]+": ") {
			t.Errorf("exit code %d, %q", code, stderr)
		}
	}
}
