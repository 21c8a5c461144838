package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/clitest"
	"mlp/cmd/internal/training"
)

// attack says that CI has asked for a test by name, with all that takes long.
var attack = os.Getenv("MLP_ATTACK") != ""

// command runs train and returns what it printed and its exit code.
func command(t *testing.T, ctx context.Context, stdout io.Writer, args ...string) (stderr string, code int) {
	t.Helper()
	return clitest.Stderr(t, func(stderr *os.File) int { return run(ctx, args, stdout, stderr) })
}

// must runs the command, which must succeed, and returns its standard output.
func must(t *testing.T, args ...string) string {
	t.Helper()
	stdout, _ := says(t, "", args...)
	return stdout
}

// says runs the command, which must succeed and say a text on standard error.
func says(t *testing.T, text string, args ...string) (stdout, stderr string) {
	t.Helper()
	var b bytes.Buffer
	stderr, code := command(t, context.Background(), &b, args...)
	if code != 0 || !strings.Contains(stderr, text) {
		t.Fatalf("train %v: exit code %d, want %q: %s", args, code, text, stderr)
	}
	return b.String(), stderr
}

// refused runs the command, which must fail with one line that has each text.
func refused(t *testing.T, args []string, texts ...string) {
	t.Helper()
	stderr, code := command(t, context.Background(), io.Discard, args...)
	line := last(stderr)
	if code != 1 || !oneLine(line) || strings.ContainsAny(stderr, "\x1b\a") {
		t.Errorf("train %v: exit code %d, standard error %q", args, code, stderr)
	}
	for _, text := range texts {
		if !strings.Contains(line, text) {
			t.Errorf("train %v: %q lacks %q", args, line, text)
		}
	}
}

// stopped runs the command until it has printed its second epoch.
func stopped(t *testing.T, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	if stderr, code := command(t, ctx, &canceller{cancel: cancel}, args...); code != 1 || !strings.Contains(last(stderr), "interrupted") {
		t.Errorf("train %v: exit code %d, standard error %q", args, code, stderr)
	}
}

// A canceller cancels when the second epoch is printed.
type canceller struct {
	cancel func()
	lines  int
}

func (c *canceller) Write(p []byte) (int, error) {
	if c.lines++; c.lines == 2 {
		c.cancel()
	}
	return len(p), nil
}

// quick is a run of a fraction of a second.
func quick(more ...string) []string {
	return append([]string{"-limit", "300", "-holdout", "0.2", "-hidden", "16", "-init", "he", "-epochs", "3"}, more...)
}

// hash is the last word of standard output.
func hash(stdout string) string {
	text := strings.TrimSpace(stdout)
	return text[strings.LastIndexByte(text, ' ')+1:]
}

// oneLine reports whether standard error is just the line that says what failed.
func oneLine(stderr string) bool {
	return strings.HasPrefix(stderr, "train: ") && strings.Count(stderr, "\n") == 1
}

// last is the line of standard error that says what failed or, if there is none, the last.
func last(stderr string) (line string) {
	for line = range strings.Lines(stderr) {
		if strings.HasPrefix(line, "train: ") {
			break
		}
	}
	return line
}

// earlier are the parts of a page which that of a resumed run has not.
var earlier = []*regexp.Regexp{
	regexp.MustCompile(`<div class="timeline" id="epochs"(?s:.*?)</div>`), regexp.MustCompile(`,"Earlier":(?s:.*?)"Packed":"[^"]*"`),
	regexp.MustCompile(`\. All but the last two answer for the epoch that the slider shows`),
}

// contents returns the files in a folder and those below it.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if name == reportName {
			for _, part := range earlier {
				text = part.ReplaceAll(text, nil)
			}
		}
		files[name] = strings.ReplaceAll(string(text), dir, "DIR") // which the page names
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// changed changes a model, writes it to a file and returns the file's name.
func changed(t *testing.T, model string, change func(m *mlp.Model)) string {
	t.Helper()
	m, err := mlp.ReadModelFile(model)
	if err != nil {
		t.Fatal(err)
	}
	change(m)
	return written(t, m)
}

func written(t *testing.T, m *mlp.Model) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "changed.npz")
	if err := m.WriteFile(name); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "deep", "out")
	stdout, stderr := says(t, "written to "+out+": history.csv, curves.svg, gradients.svg, model.npz, report.html\n", quick("-out", out)...)
	want := regexp.MustCompile(`\A(Epoch [123]/3, Loss: \d\.\d{4}, Test Accuracy: 0\.\d{4}\n){3}` +
		`Final Test Accuracy: 0\.\d{4}\nWeights SHA-256: [0-9a-f]{64}\n\z`)
	if !want.MatchString(stdout) {
		t.Errorf("standard output:\n%s", stdout)
	}
	for _, text := range []string{"240 images to train on, 60 images to test on", "784-16-10, relu, 12730 parameters, from init he by sgd",
		"kernel: "} {
		if !strings.Contains(stderr, text) {
			t.Errorf("standard error lacks %q:\n%s", text, stderr)
		}
	}
	files := contents(t, out)
	for _, name := range []string{curvesName, gradientsName} {
		if err := xml.Unmarshal([]byte(files[name]), new(struct{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n, same := epochsOf(t, out); n != 3 || !same || len(files) != 5 {
		t.Errorf("%d files of epoch %d", len(files), n)
	}
	const slider = `<input id="snapshot" type="range" min="0" max="3"`
	if page, _ := os.ReadFile(filepath.Join(out, reportName)); !strings.Contains(string(page), slider) {
		t.Error("the page lacks epochs 0, 1 and 2")
	}
}

// The weights after the first epoch of the default run, and in CI after the last, whose
// lines the README has.
func TestFingerprint(t *testing.T) {
	if !attack {
		const want = "23c3c44080206c7ea9e175550d3f88757570206414a1946ac7231e153820321e"
		if got := hash(must(t, "-epochs", "1", "-out", t.TempDir())); got != want {
			t.Errorf("after an epoch the weights are %s, want %s", got, want)
		}
		return
	}
	if mlp.Kernel() == "Go" {
		t.Skip("the kernel in Go would take minutes; TestFingerprints covers it")
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(must(t, "-out", t.TempDir())), "\n")
	for _, line := range lines[len(lines)-2:] {
		if !strings.Contains(string(readme), line) {
			t.Errorf("the README lacks %q", line)
		}
	}
}

// A run is a function of its flags alone, and each flag changes it. In CI each run is
// repeated.
func TestFlagsMatter(t *testing.T) {
	if !attack {
		t.Skip("$MLP_ATTACK is not set")
	}
	seen := map[string]string{}
	for _, more := range []string{"", "-seed 2", "-act tanh", "-act sigmoid", "-init xavier", "-init lecun", "-init small",
		"-opt momentum", "-opt adam", "-lr 0.2", "-batch 7", "-epochs 2", "-shuffle=false", "-holdout 0.5", "-hidden 8,8", "-hidden=",
		"-limit 95", "-opt momentum -momentum 0.5",
		"-norm batch", "-decay 0.01", "-opt adamw -decay 0.01", "-dropout 0.2", "-clip 0.1", "-schedule step", "-schedule cosine", "-patience 3",
		"-warmup 0.5", "-deskew", "-scale image", "-deform usual", "-deform shift=1"} {
		args := quick(append([]string{"-limit", "100", "-out", t.TempDir()}, strings.Fields(more)...)...)
		stdout := must(t, args...)
		if repeated := must(t, args...); repeated != stdout {
			t.Errorf("%s: two runs differ", more)
		}
		if other, ok := seen[hash(stdout)]; ok {
			t.Errorf("%q gives the weights of %q", more, other)
		}
		seen[hash(stdout)] = more
	}
}

func TestWrongFlags(t *testing.T) {
	for flags, want := range map[string]string{
		"-act foo":              "want one of relu, sigmoid, tanh\n",
		"-deform rotation=1000": "-deform: rotation is 1000, want a number from 0 to 30\n",
		"-verify=":              "-verify: the value is empty\n",
		"-best -load a":         "-best begins with a network of its own: it excludes -load\n",
	} {
		if stderr, code := command(t, context.Background(), io.Discard, strings.Fields(flags)...); code != 2 || !strings.HasSuffix(stderr, want) {
			t.Errorf("%s: exit code %d, standard error %q, want %q", flags, code, stderr, want)
		}
	}
	for _, flags := range []string{"-batch 0", "-batch x", "-lr NaN", "-lr 0", "-lr -1", "-lr +Inf", "-holdout 1", "-holdout -0.1",
		"-holdout NaN", "-hidden 3,x", "-hidden 0", "-hidden 3,,4", "-hidden 99999999999999999999", "-hidden 65536,65536",
		"-act linear", "-act cos", "-init big", "-opt lbfgs", "-epochs 0", "-epochs -1", "-limit -1", "-seed -1", "-seed 1.5",
		"-shuffle=maybe", "-momentum 1", "-momentum 0", "-norm layer", "-norm batch -batch 1", "-hidden= -norm batch",
		"-hidden 65536,1500", "-hidden 1500,65536 -opt adam", "-hidden 65536,1000 -opt momentum -patience 3",
		"-resume a -load b", "-freeze 1", "-load a -freeze -1", "-resume a -verify b", "-dropout 1", "-dropout NaN", "-hidden= -dropout 0.5", "-decay -1", "-decay NaN",
		"-decay +Inf", "-clip -1", "-clip NaN", "-schedule linear", "-patience -1", "-warmup 1", "-warmup NaN", "-measure 0", "-scale all",
		"-deform rotation=46", "-deform elastic=NaN", "-deform shift=x", "-deform twist=3", "-deform=", "-deform none,shift=1",
		"-resume a -best", "-calibrate", "-calibrate -patience 3 -load a -epochs 0", "-verify a -best", "-load a -best", "-verify a -out b", "-nonsense", "extra",
		"-verify=", "-resume=", "-load=", "-out=", "-data="} {
		var stdout bytes.Buffer
		stderr, code := command(t, context.Background(), &stdout, append([]string{"-out", t.TempDir()}, strings.Fields(flags)...)...)
		if code != 2 || stdout.Len() > 0 || !oneLine(stderr) {
			t.Errorf("%s: exit code %d, standard error %q", flags, code, stderr)
		}
	}
	if help := must(t, "-h"); !strings.Contains(help, "\n  -lr R\n") {
		t.Errorf("the help is %s", help)
	}
}

// The limit on a model file counts all that the file has of the network.
func TestSizes(t *testing.T) {
	for flags, want := range map[string]string{
		"-hidden 65536,1262":                           "<nil>",
		"-hidden 65536,1262 -norm batch":               "-hidden: 134232882 parameters, more than 134217728",
		"-hidden 65536,1240 -opt momentum":             "-hidden: with -opt momentum, -patience 0 and -ensemble 1 the model file would have 265448100 numbers of the networks, more than 264241152",
		"-hidden 65536,1230 -opt momentum":             "<nil>",
		"-hidden 65536,1230 -opt momentum -norm batch": "-hidden: with -opt momentum, -patience 0 and -ensemble 1 the model file would have 264404224 numbers of the networks, more than 264241152",
	} {
		if _, err := parse(strings.Fields(flags)); fmt.Sprint(err) != want {
			t.Errorf("%s: %v, want %q", flags, err, want)
		}
	}
}

// idx is an IDX file of zeros.
func idx(dims ...byte) []byte {
	file := []byte{0, 0, 8, byte(len(dims))}
	size := 1
	for _, d := range dims {
		file = append(file, 0, 0, 0, d)
		size *= int(d)
	}
	return append(file, make([]byte, size)...)
}

func zipped(data []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.Bytes()
}

// The package's tests have each fault of an IDX file. Here its name is made a path, and where
// MNIST is found is said if a file is missing.
func TestBadData(t *testing.T) {
	images, labels := idx(9, 28, 28), idx(9)
	for _, c := range []struct {
		images, labels []byte
		reason         string
	}{
		{nil, labels, "train-images-idx3-ubyte"},
		{images, nil, "train-labels-idx1-ubyte"},
		{[]byte("<!DOCTYPE html><html>Not found</html>"), labels, "HTML"},
		{images[:1000], labels, "1000"},
		{images, idx(8), "8 labels"},
	} {
		dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
		for name, file := range map[string][]byte{"train-images-idx3-ubyte.gz": c.images, "train-labels-idx1-ubyte.gz": c.labels} {
			if file != nil {
				os.WriteFile(filepath.Join(dir, name), file, 0o666)
			}
		}
		args := []string{"-data", dir, "-out", out}
		refused(t, args, dir+string(filepath.Separator), c.reason)
		stderr, _ := command(t, context.Background(), io.Discard, args...)
		if strings.Contains(stderr, "ba891046") != (c.images == nil || c.labels == nil) {
			t.Errorf("%s: where MNIST is found: %q", c.reason, stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: the output folder was made", c.reason)
		}
	}
}

// With -limit a network is trained while the files are read to their ends. If they are not whole, nothing is
// written, and nothing is kept of what was trained.
func TestBadRest(t *testing.T) {
	whole, dir := zipped(idx(99, 28, 28)), t.TempDir()
	os.WriteFile(filepath.Join(dir, "train-labels-idx1-ubyte"), idx(99), 0o666)
	for reason, images := range map[string][]byte{
		"unexpected EOF":   zipped(idx(99, 28, 28)[:60000]),
		"invalid checksum": append(bytes.Clone(whole[:len(whole)-8]), make([]byte, 8)...),
		"bytes left over":  zipped(append(idx(99, 28, 28), 0)),
	} {
		os.WriteFile(filepath.Join(dir, "train-images-idx3-ubyte"), images, 0o666)
		out := filepath.Join(dir, "out")
		var stdout bytes.Buffer
		stderr, code := command(t, context.Background(), &stdout, quick("-data", dir, "-limit", "20", "-out", out)...)
		if line := last(stderr); code != 1 || stdout.Len() > 0 || !strings.HasPrefix(line, "train: "+dir) || !strings.Contains(line, reason) {
			t.Errorf("%s: exit code %d, standard output %q, standard error %q", reason, code, stdout.String(), stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: the output folder was made", reason)
		}
	}
}

func TestHoldout(t *testing.T) {
	says(t, "71 images to train on, 29 images to test on", quick("-limit", "100", "-holdout", "0.29", "-out", t.TempDir())...)
	refused(t, []string{"-limit", "4", "-holdout", "0.2"}, "-holdout 0.2 of 4 images is none")
	refused(t, quick("-holdout", "0.99999999999999"), "-holdout 0.99999999999999 of 300 images is all")
}

func TestUnwritableOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o666)
	for _, out := range []string{file, filepath.Join(file, "below"), "/proc/no"} {
		if stderr, _ := command(t, context.Background(), io.Discard, quick("-out", out)...); !strings.HasPrefix(stderr, "train: -out "+out) {
			t.Errorf("%s: standard error %q", out, stderr)
		}
	}
}

func TestDivergence(t *testing.T) {
	out := t.TempDir()
	old := filepath.Join(out, historyName)
	os.WriteFile(old, []byte("old"), 0o666)
	refused(t, quick("-lr", "1e300", "-out", out), "epoch 1, batch", "a smaller -lr is the usual cure")
	refused(t, quick("-decay", "1e308", "-out", out), "a smaller -lr or -decay is the usual cure")
	if text, _ := os.ReadFile(old); string(text) != "old" {
		t.Errorf("the old history is %q", text)
	}
}

// There is a warning for a flag that does nothing, but none for flags of an earlier run.
func TestIdleFlags(t *testing.T) {
	out := t.TempDir()
	model := filepath.Join(out, training.ModelName)
	for _, c := range []struct{ flags, want string }{
		{"", ""},
		{"-opt momentum -momentum 0.5", ""},
		{"-momentum 0.5", "warning: -momentum does nothing with -opt sgd\n"},
		{"-load " + model, "warning: -init does nothing beside -load\n"},
		{"-opt adamw", "warning: -opt adamw without -decay is adam\n"},
		{"-deform shift=1", "warning: -deform moves strokes to pixels that are rarely lit, which -scale pixel makes enormous: take -scale image\n"},
		{"-deform shift=1 -scale image", ""},
	} {
		_, stderr := says(t, c.want, quick(append(strings.Fields(c.flags), "-out", out)...)...)
		if strings.Contains(stderr, "warning") != (c.want != "") {
			t.Errorf("%s: %s", c.flags, stderr)
		}
		out = t.TempDir()
	}
	if _, stderr := says(t, "", "-verify", model); strings.Contains(stderr, "warning") {
		t.Errorf("-verify: %s", stderr)
	}
}

// -best sets the flags that were not given, and the epochs by how many images there are.
// Its recipe has them, and neither -verify nor -resume needs -best.
func TestBest(t *testing.T) {
	out := t.TempDir()
	stdout := must(t, "-best", "-limit", "300", "-hidden", "8", "-epochs", "2", "-out", out)
	m, err := mlp.ReadModelFile(filepath.Join(out, training.ModelName))
	if err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(bestFlags)
	want["hidden"] = "8"
	for name := range want {
		if m.Recipe[name] != want[name] {
			t.Errorf("the recipe has -%s %s, want %s", name, m.Recipe[name], want[name])
		}
	}
	if _, ok := m.Recipe["best"]; ok || !m.Deskew || m.Input.Mean[0] != m.Input.Mean[400] {
		t.Errorf("best %v, deskew %v, means %v and %v", ok, m.Deskew, m.Input.Mean[0], m.Input.Mean[400])
	}
	if got := must(t, "-verify", filepath.Join(out, training.ModelName)); got != "reproduced: "+hash(stdout)+"\n" {
		t.Errorf("verified: %s", got)
	}
	for n, want := range map[int]int{60000: 50, 50000: 53, 4000: 123} {
		if got := bestEpochs(n); got != want {
			t.Errorf("%d epochs with %d images, want %d", got, n, want)
		}
	}
}

// TestFullMNIST is the article's experiment at its full size.
func TestFullMNIST(t *testing.T) {
	dir := os.Getenv("MNIST_DIR")
	if _, err := os.Stat(filepath.Join(dir, "train-images-idx3-ubyte.gz")); err != nil || !attack {
		t.Skip("$MNIST_DIR does not name a folder of full MNIST, or $MLP_ATTACK is not set")
	}
	stdout := must(t, "-data", dir, "-limit", "5000", "-holdout", "0.2", "-out", t.TempDir())
	if accuracy := accuracyIn(stdout); accuracy < 0.91 || accuracy > 0.95 {
		t.Errorf("accuracy %v", accuracy)
	}
}

// accuracyIn is the final accuracy in standard output.
func accuracyIn(stdout string) (accuracy float64) {
	_, rest, _ := strings.Cut(stdout, "Final Test Accuracy: ")
	fmt.Sscan(rest, &accuracy)
	return accuracy
}
