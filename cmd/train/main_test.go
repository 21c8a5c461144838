package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"mlp/cmd/internal/clitest"
)

// command runs train and returns what it printed and its exit code.
func command(t *testing.T, ctx context.Context, stdout io.Writer, args ...string) (stderr string, code int) {
	t.Helper()
	return clitest.Stderr(t, func(stderr *os.File) int { return run(ctx, args, stdout, stderr) })
}

// quick is a run of a fraction of a second.
func quick(more ...string) []string {
	return append([]string{"-limit", "300", "-hidden", "16", "-init", "he", "-epochs", "3"}, more...)
}

func TestRun(t *testing.T) {
	out := filepath.Join(t.TempDir(), "deep", "out")
	var stdout bytes.Buffer
	stderr, code := command(t, context.Background(), &stdout, quick("-out", out)...)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	want := regexp.MustCompile(`\A(Epoch [123]/3, Loss: \d\.\d{4}, Test Accuracy: 0\.\d{4}\n){3}` +
		`Final Test Accuracy: 0\.\d{4}\nWeights SHA-256: [0-9a-f]{64}\n\z`)
	if !want.MatchString(stdout.String()) {
		t.Errorf("standard output:\n%s", stdout.String())
	}
	for _, text := range []string{"300 images to train on, 1000 images to test on", "784-16-10, relu, 12730 parameters, from init he by sgd", "kernel: ",
		"written to " + out + ": history.csv, curves.svg, gradients.svg, model.npz, report.html\n"} {
		if !strings.Contains(stderr, text) {
			t.Errorf("standard error lacks %q:\n%s", text, stderr)
		}
	}
	table, err := os.Open(filepath.Join(out, "history.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	rows, err := csv.NewReader(table).ReadAll()
	if err != nil || len(rows) != 4 || strings.Join(rows[0][:8], " ") != "epoch loss accuracy test_loss test_accuracy held_loss loss_rise grad_mean_abs_1" ||
		len(rows[0]) != 7+2*6 || rows[3][0] != "3" {
		t.Errorf("history %v, error %v", rows, err)
	}
	for _, name := range []string{"curves.svg", "gradients.svg"} {
		chart, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := xml.Unmarshal(chart, new(struct{})); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	names, _ := filepath.Glob(filepath.Join(out, "*"))
	hidden, _ := filepath.Glob(filepath.Join(out, ".*"))
	if len(names) != 5 || len(hidden) != 0 {
		t.Errorf("files %v %v", names, hidden)
	}
}

// A run is a function of its flags alone, and each flag changes it. Every fourth run is
// repeated, in CI each.
func TestFlagsMatter(t *testing.T) {
	seen := map[string]string{}
	for i, more := range []string{"", "-seed 2", "-act tanh", "-act sigmoid", "-init xavier", "-init lecun", "-init small",
		"-opt momentum", "-opt adam", "-lr 0.2", "-batch 7", "-epochs 2", "-shuffle=false", "-holdout 0.5", "-hidden 8,8", "-hidden=",
		"-limit 299", "-opt momentum -momentum 0.5",
		"-norm batch", "-decay 0.01", "-opt adamw -decay 0.01", "-dropout 0.2", "-clip 0.1", "-schedule step", "-schedule cosine", "-patience 3",
		"-warmup 0.5", "-deskew", "-scale image", "-deform usual", "-deform shift=1"} {
		args := quick(append([]string{"-out", t.TempDir()}, strings.Fields(more)...)...)
		stdout := must(t, args...)
		if i%4 == 0 || os.Getenv("MLP_ATTACK") != "" {
			if repeated := must(t, args...); repeated != stdout {
				t.Errorf("%s: two runs differ", more)
			}
		}
		if other, ok := seen[hash(stdout)]; ok {
			t.Errorf("%q gives the weights of %q", more, other)
		}
		seen[hash(stdout)] = more
	}
}

func TestHelp(t *testing.T) {
	var stdout bytes.Buffer
	stderr, code := command(t, context.Background(), &stdout, "-h")
	if code != 0 || stderr != "" {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
	j, err := parse(nil)
	if err != nil {
		t.Fatal(err)
	}
	for name := range j.Args.All() {
		if strings.Count(stdout.String(), "\n  -"+name+" ")+strings.Count(stdout.String(), "\n  -"+name+"\n") != 1 {
			t.Errorf("the help does not have -%s once", name)
		}
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
		"-shuffle=maybe", "-momentum 1", "-momentum 0", "-norm layer", "-norm batch -batch 1", "-hidden= -norm batch", "-hidden 65536,1500", "-hidden 1500,65536 -opt adam", "-hidden 65536,1000 -opt momentum -patience 3", "-resume a -load b", "-resume a -verify b",
		"-dropout 1", "-dropout NaN", "-hidden= -dropout 0.5", "-decay -1", "-decay NaN", "-decay +Inf", "-clip -1", "-clip NaN", "-schedule linear", "-patience -1", "-warmup 1", "-warmup NaN", "-measure 0", "-scale all",
		"-deform rotation=46", "-deform elastic=NaN", "-deform shift=x", "-deform twist=3", "-deform=", "-deform none,shift=1", "-resume a -best", "-verify a -best", "-load a -best", "-verify a -out b", "-nonsense", "extra",
		"-verify=", "-resume=", "-load=", "-out=", "-data="} {
		var stdout bytes.Buffer
		out := t.TempDir()
		stderr, code := command(t, context.Background(), &stdout, append([]string{"-out", out}, strings.Fields(flags)...)...)
		if code != 2 || stdout.Len() > 0 || !oneLine(stderr) {
			t.Errorf("%s: exit code %d, standard error %q", flags, code, stderr)
		}
	}
}

// The limit on a model file counts all that the file has of the network.
func TestSizes(t *testing.T) {
	for flags, want := range map[string]string{
		"-hidden 65536,1262":                           "",
		"-hidden 65536,1262 -norm batch":               "-hidden: 134232882 parameters, more than 134217728",
		"-hidden 65536,1240 -opt momentum":             "-hidden: with -opt momentum and -patience 0 the model file would have 265448100 numbers of the network, more than 264241152",
		"-hidden 65536,1230 -opt momentum":             "",
		"-hidden 65536,1230 -opt momentum -norm batch": "-hidden: with -opt momentum and -patience 0 the model file would have 264404224 numbers of the network, more than 264241152",
	} {
		_, err := parse(strings.Fields(flags))
		if got := fmt.Sprint(err); got != want && (want != "" || err != nil) {
			t.Errorf("%s: %s, want %q", flags, got, want)
		}
	}
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

func TestBadData(t *testing.T) {
	images, labels := idx(9, 28, 28), idx(9)
	flipped := zipped(images)
	flipped[len(flipped)-6] ^= 1 // in the checksum
	far := bytes.Clone(labels)
	far[len(far)-1] = 10
	for _, c := range []struct {
		name           string
		images, labels []byte
		reason         string
	}{
		{"no images", nil, labels, "train-images-idx3-ubyte"},
		{"no labels", images, nil, "train-labels-idx1-ubyte"},
		{"not IDX", []byte("PK\x03\x04 a zip file"), labels, "not an IDX file"},
		{"HTML", []byte("<!DOCTYPE html><html>Not found</html>"), labels, "HTML"},
		{"cut short", images[:1000], labels, "1000"},
		{"left over", append(bytes.Clone(images), 0), labels, "left over"},
		{"flipped bit", flipped, labels, "checksum"},
		{"another type", []byte("\x00\x00\x0d\x01\x00\x00\x00\x01\x00\x00\x00\x00"), labels, "float32"},
		{"claims", []byte("\x00\x00\x08\x03\xff\xff\xff\xff\x00\x00\x00\x1c\x00\x00\x00\x1c"), labels, "claims"},
		{"other rank", idx(9), labels, "rank"},
		{"counts", images, idx(8), "8 labels"},
		{"label 10", images, far, "label 10"},
	} {
		dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
		if c.images != nil {
			os.WriteFile(filepath.Join(dir, "train-images-idx3-ubyte.gz"), c.images, 0o666)
		}
		if c.labels != nil {
			os.WriteFile(filepath.Join(dir, "train-labels-idx1-ubyte.gz"), c.labels, 0o666)
		}
		stderr, code := command(t, context.Background(), io.Discard, "-data", dir, "-out", out)
		line := last(stderr)
		if code != 1 || !oneLine(line) || !strings.Contains(line, dir) || !strings.Contains(line, c.reason) {
			t.Errorf("%s: exit code %d, standard error %q", c.name, code, stderr)
		}
		if strings.Contains(stderr, "ba891046") != (c.images == nil || c.labels == nil) {
			t.Errorf("%s: where MNIST is found: %q", c.name, stderr)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: the output folder was made", c.name)
		}
	}
	if stderr, code := command(t, context.Background(), io.Discard, "-data", "/no/such/folder"); code != 1 || !oneLine(last(stderr)) {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}

func TestHoldout(t *testing.T) {
	stderr, code := command(t, context.Background(), io.Discard, quick("-limit", "100", "-holdout", "0.29", "-out", t.TempDir())...)
	if code != 0 || !strings.Contains(stderr, "71 images to train on, 29 images to test on") {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
	if stderr, code := command(t, context.Background(), io.Discard, "-limit", "4", "-holdout", "0.2"); code != 1 || !oneLine(stderr) {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}

func TestUnwritableOutput(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o666)
	for _, out := range []string{file, filepath.Join(file, "below"), "/proc/no"} {
		stderr, code := command(t, context.Background(), io.Discard, quick("-out", out)...)
		if code != 1 || !oneLine(stderr) || !strings.Contains(stderr, out) {
			t.Errorf("%s: exit code %d, standard error %q", out, code, stderr)
		}
	}
}

func TestDivergence(t *testing.T) {
	out := t.TempDir()
	os.WriteFile(filepath.Join(out, "history.csv"), []byte("old"), 0o666)
	stderr, code := command(t, context.Background(), io.Discard, quick("-lr", "1e300", "-out", out)...)
	line := last(stderr)
	if code != 1 || !strings.HasPrefix(line, "train: ") || !strings.Contains(line, "epoch 1, batch") || !strings.Contains(line, "smaller -lr") {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
	refused(t, quick("-decay", "1e308", "-out", out), "a smaller -lr or -decay is the usual cure")
	if old, _ := os.ReadFile(filepath.Join(out, "history.csv")); string(old) != "old" {
		t.Errorf("the old history is %q", old)
	}
}

// There is a warning for a flag that does nothing, but none for flags of an earlier run.
func TestIdleFlags(t *testing.T) {
	out := t.TempDir()
	model := filepath.Join(out, "model.npz")
	for _, c := range []struct{ flags, want string }{
		{"-out " + out, ""},
		{"-opt momentum -momentum 0.5 -out " + t.TempDir(), ""},
		{"-momentum 0.5 -out " + t.TempDir(), "warning: -momentum does nothing with -opt sgd\n"},
		{"-load " + model + " -out " + t.TempDir(), "warning: -init does nothing beside -load\n"},
		{"-opt adamw -out " + t.TempDir(), "warning: -opt adamw without -decay is adam\n"},
		{"-deform shift=1 -out " + t.TempDir(), "warning: -deform moves strokes to pixels that are rarely lit, which -scale pixel makes enormous: take -scale image\n"},
		{"-deform shift=1 -scale image -out " + t.TempDir(), ""},
	} {
		stderr, code := command(t, context.Background(), io.Discard, quick(strings.Fields(c.flags)...)...)
		if code != 0 || !strings.Contains(stderr, c.want) || strings.Contains(stderr, "warning") != (c.want != "") {
			t.Errorf("%s: exit code %d, %s", c.flags, code, stderr)
		}
	}
	if stderr, _ := command(t, context.Background(), io.Discard, "-verify", model); strings.Contains(stderr, "warning") {
		t.Errorf("-verify: %s", stderr)
	}
}

// -best sets the flags that were not given, and the epochs by how many images there are.
// Its recipe has them, and neither -verify nor -resume needs -best.
func TestBest(t *testing.T) {
	out := t.TempDir()
	stdout := must(t, "-best", "-limit", "300", "-hidden", "8", "-epochs", "2", "-out", out)
	m := readBack(t, filepath.Join(out, "model.npz"))
	for name, want := range bestFlags {
		if name == "hidden" {
			want = "8"
		}
		if m.Recipe[name] != want {
			t.Errorf("the recipe has -%s %s, want %s", name, m.Recipe[name], want)
		}
	}
	if _, ok := m.Recipe["best"]; ok || !m.Deskew || m.Input.Mean[0] != m.Input.Mean[400] {
		t.Errorf("best %v, deskew %v, means %v and %v", ok, m.Deskew, m.Input.Mean[0], m.Input.Mean[400])
	}
	if got := must(t, "-verify", filepath.Join(out, "model.npz")); got != "reproduced: "+hash(stdout)+"\n" {
		t.Errorf("verified: %s", got)
	}
	for n, want := range map[int]int{60000: 50, 50000: 53, 4000: 123} {
		if got := bestEpochs(n); got != want {
			t.Errorf("%d epochs with %d images, want %d", got, n, want)
		}
	}
}

// A recipe of an earlier version lacks the flags that were added since.
func TestRecipeOfEarlierVersion(t *testing.T) {
	out := t.TempDir()
	want := must(t, quick("-out", out)...)
	model := filepath.Join(out, "model.npz")
	m := readBack(t, model)
	for _, name := range laterFlags {
		delete(m.Recipe, name)
	}
	writeModel(t, model, m)
	if got := must(t, "-verify", model); got != "reproduced: "+hash(want)+"\n" {
		t.Errorf("verified: %s", got)
	}
	delete(m.Recipe, "lr")
	writeModel(t, model, m)
	refused(t, []string{"-verify", model}, model, "its recipe lacks -lr")
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

func TestInterrupt(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	out := t.TempDir()
	stderr, code := command(t, ctx, &canceller{cancel: cancel}, quick("-out", out)...)
	if code != 1 || !strings.Contains(last(stderr), "interrupted: "+out+" holds epochs 1 to 2; -resume "+filepath.Join(out, "model.npz")+" goes on") {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
	table, _ := os.ReadFile(filepath.Join(out, "history.csv"))
	if n := bytes.Count(table, []byte("\n")); n != 3 {
		t.Errorf("history.csv has %d lines:\n%s", n, table)
	}
}

type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestClosedOutput(t *testing.T) {
	stderr, code := command(t, context.Background(), closed{}, quick("-out", t.TempDir())...)
	if code != 1 || !strings.Contains(last(stderr), "broken pipe") {
		t.Errorf("exit code %d, standard error %q", code, stderr)
	}
}

// TestFullMNIST is the article's experiment at its full size.
func TestFullMNIST(t *testing.T) {
	dir := os.Getenv("MNIST_DIR")
	if _, err := os.Stat(filepath.Join(dir, "train-images-idx3-ubyte.gz")); err != nil {
		t.Skip("$MNIST_DIR does not name a folder of full MNIST")
	}
	var stdout bytes.Buffer
	stderr, code := command(t, context.Background(), &stdout, "-data", dir, "-limit", "5000", "-holdout", "0.2", "-out", t.TempDir())
	var accuracy float64
	_, final, _ := strings.Cut(stdout.String(), "Final Test Accuracy: ")
	fmt.Sscan(final, &accuracy)
	if code != 0 || accuracy < 0.91 || accuracy > 0.95 {
		t.Errorf("exit code %d, accuracy %v: %s", code, accuracy, stderr)
	}
}
