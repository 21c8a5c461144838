package training

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/clitest"
	"mlp/cmd/internal/files"
)

// A toy is a task on twelve points. Its limit scales them, so that there are different data.
type toy struct {
	Job
	limit  int
	points *mlp.Samples
	begin  func()            // called before the training
	slow   func()            // called before each line
	facts  map[string]string // more for the recipe

	measure int
}

func parseToy(command string) func([]string) (Task, error) {
	return func(args []string) (Task, error) {
		j := &toy{}
		j.Flags = NewFlags(command, "he", "sgd", "constant", 4)
		j.LR, j.Batch, j.Epochs = 0.1, 5, 3
		j.Guess = math.Log(3)
		j.Define()
		j.Args.Add("patience", &j.Patience)
		if command == Train {
			j.Args.Add("limit", &j.limit)
		}
		if _, err := j.Args.Parse(args); err != nil {
			return nil, err
		}
		return j, j.Validate(true)
	}
}

func (j *toy) Instead(context.Context, io.Writer, io.Writer) (bool, error) { return false, nil }

func (j *toy) Check(m *mlp.Model) error { return nil }

func (j *toy) Gather(_ context.Context, from *mlp.Model, _ io.Writer) (map[string]string, error) {
	x, labels := mlp.NewMatrix(12, 2), make([]int, 12)
	for i := range labels {
		x.Row(i)[0], x.Row(i)[1], labels[i] = math.Sin(float64(i+j.limit)), math.Cos(float64(i*i)), i%3
	}
	j.points = &mlp.Samples{X: x, Y: mlp.OneHot(labels, 3)}
	if from != nil {
		j.Model = *from
	} else {
		j.Networks(&j.Model, 2, 3)
	}
	facts := map[string]string{DigestPrefix + "train": fmt.Sprint(j.limit)}
	maps.Copy(facts, j.facts)
	return facts, nil
}

func (j *toy) Describe(w io.Writer) { fmt.Fprintln(w, "data: twelve points") }

func (j *toy) Samples(_ int, c *mlp.Config) (mlp.Dataset, error) {
	if j.begin != nil {
		j.begin()
	}
	c.Validation, c.Measure = j.points, j.measure
	return j.points, nil
}

func (j *toy) Watch() {}

func (j *toy) Calibrate() {}

func (j *toy) Len() int { return j.points.Len() }

func (j *toy) Line(e mlp.Epoch) string {
	if j.slow != nil {
		j.slow()
	}
	return fmt.Sprintf("epoch %d", e.N)
}

func (j *toy) Files() []files.File {
	return []files.File{{Name: "history.csv", Content: fmt.Append(nil, len(j.Run.History))}}
}

func (j *toy) Page(io.Writer) *files.File {
	return &files.File{Name: "page.html", Content: []byte(j.Net.Fingerprint())}
}

func (j *toy) Names() (names []string, page string) { return []string{"history.csv"}, "page.html" }

func (j *toy) Conclude(context.Context, int) (string, error) { return "done\n", nil }

// train runs a toy and returns what it printed.
func train(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	return trainAs(t, Train, func(*toy) {}, args...)
}

func trainAs(t *testing.T, command string, change func(j *toy), args ...string) (stdout, stderr string, err error) {
	t.Helper()
	parse := parseToy(command)
	task, err := parse(args)
	if err != nil {
		return "", "", err
	}
	change(task.(*toy))
	var b bytes.Buffer
	stderr, _ = clitest.Stderr(t, func(f *os.File) int {
		err = (&runner{parse: parse, stdout: &b, stderr: f}).do(context.Background(), task)
		return 0
	})
	return b.String(), stderr, err
}

// must trains, which must succeed, and returns standard error.
func must(t *testing.T, args ...string) string {
	t.Helper()
	_, stderr, err := train(t, args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return stderr
}

// refused trains, which must fail with an error that has the text.
func refused(t *testing.T, want string, args ...string) {
	t.Helper()
	if _, _, err := train(t, args...); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v: %v, want %q", args, err, want)
	}
}

func read(t *testing.T, name ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// epochs returns how many epochs each model in a folder was trained, by the file's name.
func epochs(t *testing.T, dir string) string {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(dir, "*.npz"))
	var all []string
	for _, name := range names {
		m, err := mlp.ReadModelFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s:%d", filepath.Base(name), len(m.Run.History)))
	}
	return strings.Join(all, " ")
}

// A new run keeps the model of another run and says so before it trains. The same run
// replaces its own model, which is then the same.
func TestKeepsAnother(t *testing.T) {
	dir := t.TempDir()
	must(t, "-out", dir)
	first := read(t, dir, ModelName)
	if said := must(t, "-out", dir); strings.Contains(said, "another model") || strings.Contains(said, "this run replaces history") || read(t, dir, ModelName) != first || epochs(t, dir) != "model.npz:3" {
		t.Errorf("the same run again: %s, %s", epochs(t, dir), said)
	}
	said := must(t, "-out", dir, "-seed", "2", "-epochs", "2")
	want := dir + ": there is another model, which is kept as model.1.npz\n" + dir + ": this run replaces history.csv, page.html\ndata: twelve points\n"
	if !strings.Contains(said, want) || epochs(t, dir) != "model.1.npz:3 model.npz:2" || read(t, dir, "model.1.npz") != first {
		t.Errorf("another run: %s, %s", epochs(t, dir), said)
	}
	must(t, "-out", dir, "-seed", "3", "-epochs", "2") // only the seed is another
	if epochs(t, dir) != "model.1.npz:3 model.2.npz:2 model.npz:2" {
		t.Errorf("a third run: %s", epochs(t, dir))
	}
	os.Remove(filepath.Join(dir, "page.html"))
	os.WriteFile(filepath.Join(dir, ModelName), []byte("no model"), 0o666)
	must(t, "-out", dir, "-epochs", "1")
	if read(t, dir, "model.3.npz") != "no model" {
		t.Error("what is not a model is gone")
	}
	other := t.TempDir()
	os.WriteFile(filepath.Join(other, "history.csv"), []byte("mine"), 0o666)
	if said := must(t, "-out", other); !strings.HasPrefix(said, other+": this run replaces history.csv\n") {
		t.Errorf("a file without a model: %s", said)
	}
}

// While a run is shorter than the same run before, the longer model stays, however the run
// ends. An error that is both that of the training and that of saving is said once.
func TestKeepsLonger(t *testing.T) {
	dir := t.TempDir()
	must(t, "-out", dir, "-epochs", "6")
	n := 0
	_, said, err := trainAs(t, Train, func(j *toy) {
		j.slow = func() {
			if n++; n == 2 {
				if got := epochs(t, dir); got != "model.npz:6" {
					t.Errorf("after 2 of 6 epochs: %s", got)
				}
				os.RemoveAll(dir)
			}
		}
	}, "-out", dir, "-epochs", "6")
	if err == nil || strings.Count(err.Error(), "no such file") != 1 ||
		!strings.Contains(said, "there are epochs 1 to 6 of a run with the same flags, which this run replaces when it has had as many\n") {
		t.Errorf("error %v, said %q", err, said)
	}
}

// A copy of a run's earlier state does not take the place of the run.
func TestCopyOfEarlier(t *testing.T) {
	dir := t.TempDir()
	model, earlier := filepath.Join(dir, ModelName), filepath.Join(dir, "epoch2.npz")
	must(t, "-out", dir, "-epochs", "2")
	if err := os.Link(model, earlier); err != nil { // the run replaces the other name
		t.Skip(err)
	}
	must(t, "-resume", model, "-epochs", "6")
	for _, more := range [][]string{nil, {"-epochs", "4"}} {
		refused(t, model+" is another model than "+earlier+", with epochs 1 to 6: name another folder with -out", append(more, "-resume", earlier)...)
	}
	if got := epochs(t, dir); got != "epoch2.npz:2 model.npz:6" {
		t.Errorf("the folder has %s", got)
	}
	other := t.TempDir()
	must(t, "-resume", earlier, "-epochs", "6", "-out", other)
	if read(t, other, ModelName) != read(t, model) {
		t.Error("resumed elsewhere, the run ends with another model")
	}
}

// A command neither reads nor replaces what another one made, by the file's word or, if the
// file is of an earlier version, by what its recipe has.
func TestAnotherCommand(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, ModelName)
	if _, _, err := trainAs(t, Table, func(*toy) {}, "-out", dir); err != nil {
		t.Fatal(err)
	}
	before := read(t, model)
	for range 2 {
		for _, flag := range []string{"-resume", "-verify"} {
			refused(t, model+" is a table's model: use cmd/table", flag, model)
		}
		refused(t, model+" is a table's model: name another folder with -out", "-out", dir)
		if read(t, model) != before {
			t.Fatal("the table's model has changed")
		}
		m, _ := mlp.ReadModelFile(model)
		delete(m.Recipe, commandKey)
		m.Recipe[TableKey] = "{}"
		m.WriteFile(model)
		before = read(t, model)
	}
	must(t, "-out", filepath.Join(dir, "digits"))
	if _, err := ReadModel(filepath.Join(dir, "digits", ModelName), Table); err == nil || !strings.HasSuffix(err.Error(), "is a model of digits: use cmd/train or cmd/predict") {
		t.Errorf("a table of digits: %v", err)
	}
}

// The second of two runs in one folder is refused with the id of the first one's process.
func TestTwoAtOnce(t *testing.T) {
	dir := t.TempDir()
	_, _, err := trainAs(t, Train, func(j *toy) {
		j.slow = func() {
			refused(t, fmt.Sprintf("-out %s: %s: process %d writes here", dir, dir, os.Getpid()), "-out", dir, "-seed", "2")
		}
	}, "-out", dir)
	if err != nil || epochs(t, dir) != "model.npz:3" {
		t.Errorf("the first run: %v, %s", err, epochs(t, dir))
	}
}

// -verify compares all that a user of a model reads.
func TestVerifyAll(t *testing.T) {
	dir := t.TempDir()
	model, forged := filepath.Join(dir, ModelName), filepath.Join(dir, "forged.npz")
	must(t, "-out", dir)
	if stdout, _, err := train(t, "-verify", model); err != nil || !strings.HasPrefix(stdout, "reproduced: ") {
		t.Fatalf("verified: %q, %v", stdout, err)
	}
	for want, change := range map[string]func(m *mlp.Model){
		"Dropout":                               func(m *mlp.Model) { m.Net[0].Dropout = 0.5 },
		"Metric":                                func(m *mlp.Model) { m.Run.Metric = "correct" },
		"mean":                                  func(m *mlp.Model) { m.Input = mlp.Standardization{Mean: []float64{0, 0}, Std: []float64{1, 1}} },
		"its layers have -act":                  func(m *mlp.Model) { m.Net[0].Act = mlp.Sigmoid },
		`Recipe note is "", in the file "mine"`: func(m *mlp.Model) { m.Recipe["note"] = "mine" },
		"the training data differ":              func(m *mlp.Model) { m.Recipe[DigestPrefix+"train"] = "7" },
		"rows of -data differ":                  func(m *mlp.Model) { m.Recipe[DigestPrefix+"data"] = "7" },
		"W1 differs in 1 of 8":                  func(m *mlp.Model) { m.Net[0].W.Data[3] = math.Nextafter(m.Net[0].W.Data[3], 9) },
		"history differs":                       func(m *mlp.Model) { m.Run.History[1].ValidationLoss = 0 },
		"layer_stats differs":                   func(m *mlp.Model) { m.Run.History[1].Layers[0].GradNorm = 0 },
		"optimizer \"adamadam":                  func(m *mlp.Model) { m.Run.Optimizer = strings.Repeat("adam", 25000) },
	} {
		m, err := mlp.ReadModelFile(model)
		if err != nil {
			t.Fatal(err)
		}
		if change(m); m.WriteFile(forged) != nil {
			t.Fatalf("%s: the file cannot be written", want)
		}
		_, _, err = train(t, "-verify", forged)
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 500 {
			t.Errorf("%s: %.600v", want, err)
		}
	}
}

// A file of an earlier version has no command and may lack later flags. It is resumed and
// verified all the same, and what it becomes has both.
func TestEarlierVersion(t *testing.T) {
	dir := t.TempDir()
	model := filepath.Join(dir, ModelName)
	must(t, "-out", dir)
	m, _ := mlp.ReadModelFile(model)
	delete(m.Recipe, commandKey)
	m.WriteFile(model)
	must(t, "-verify", model)
	must(t, "-resume", model, "-epochs", "5")
	if m, _ := mlp.ReadModelFile(model); m.Recipe[commandKey] != Train || len(m.Run.History) != 5 {
		t.Errorf("it has become one of %d epochs by %q", len(m.Run.History), m.Recipe[commandKey])
	}
	delete(m.Recipe, "momentum")
	m.WriteFile(model)
	refused(t, "its recipe lacks -momentum", "-verify", model)
}

// What a file could not hold, or what would not be read again, is refused before training.
func TestRehearse(t *testing.T) {
	for want, facts := range map[string]map[string]string{
		"model.npz: run.json: 12":                           {"note": strings.Repeat("\\", 600_000)},
		"could not be read again: its recipe has 65537 byt": {"limit": strings.Repeat("0", maxValue+1)},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		_, _, err := trainAs(t, Train, func(j *toy) { j.facts = facts }, "-out", dir)
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 200 {
			t.Errorf("%.200v, want %q", err, want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: the folder was made", want)
		}
	}
}

// A model is written only when that is due: at once at first, then not before the next save
// is due, and at the end. After an error nothing is written, and that of the end is not
// reported twice.
func TestSavedWhenDue(t *testing.T) {
	dir := t.TempDir()
	j := gathered(t, "-out", dir)
	out, err := openOutput(j, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer out.release()
	check := func(what string, epochs int, save func() error, want int) {
		t.Helper()
		j.Run.History = nil
		for n := range epochs {
			j.Run.History = append(j.Run.History, mlp.Epoch{N: n + 1})
		}
		if err := save(); err != nil || out.saved != want {
			t.Errorf("%s: %d saved, error %v", what, out.saved, err)
		}
	}
	check("the first epoch", 1, out.add, 1)
	out.next = time.Now().Add(time.Hour)
	check("not due", 2, out.add, 1)
	check("at the end", 2, out.save, 2)
	out.start, out.next = out.start.Add(-time.Minute), time.Time{}
	before := time.Now()
	if check("due", 3, out.add, 3); out.next.Before(before.Add(time.Second)) {
		t.Errorf("after a minute the next save is due in %v", out.next.Sub(before))
	}
	os.RemoveAll(dir)
	j.Run.History = append(j.Run.History, mlp.Epoch{N: 4})
	first, second := out.save(), out.save()
	if first == nil || !errors.Is(second, first) || out.saved != 3 {
		t.Errorf("without a folder: %v, then %v, %d saved", first, second, out.saved)
	}
}

// gathered returns a toy that has its data, its network and its recipe.
func gathered(t *testing.T, args ...string) *toy {
	t.Helper()
	task, err := parseToy(Train)(args)
	if err != nil {
		t.Fatal(err)
	}
	if err := new(runner).gather(context.Background(), task, nil); err != nil {
		t.Fatal(err)
	}
	return task.(*toy)
}

// To resume a finished run writes the other files anew from the model, whatever is in their
// place, and does not touch the model; with another -out it writes all of them there, in the
// place of another run's. A run that goes on writes them anew before it trains.
func TestResumeFinished(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	model, history := filepath.Join(dir, ModelName), filepath.Join(dir, "history.csv")
	must(t, "-out", dir)
	must(t, "-out", other, "-seed", "2", "-epochs", "1")
	first, page := read(t, model), read(t, dir, "page.html")
	before, _ := os.Stat(model)
	for _, out := range []string{dir, other} {
		os.Remove(history)
		os.WriteFile(filepath.Join(dir, "page.html"), []byte("of another run"), 0o666)
		said := must(t, "-resume", model, "-out", out)
		if !strings.Contains(said, "there is nothing left to train\n") || !strings.Contains(said, "written to "+out+": ") ||
			read(t, out, "history.csv") != "3" || read(t, out, "page.html") != page || read(t, out, ModelName) != first {
			t.Errorf("%s: the files are not those of the run: %s", out, said)
		}
	}
	if after, _ := os.Stat(model); !after.ModTime().Equal(before.ModTime()) || epochs(t, other) != "model.1.npz:1 model.npz:3" {
		t.Errorf("the model was written again, or the other is not kept: %s", epochs(t, other))
	}
	_, _, err := trainAs(t, Train, func(j *toy) {
		j.begin = func() {
			if read(t, history) != "3" {
				t.Error("the other files are not written before training")
			}
		}
	}, "-resume", model, "-epochs", "4")
	os.Remove(history)
	if os.Mkdir(history, 0o777); err != nil {
		t.Error(err)
	}
	refused(t, "history.csv: a folder is in the place of the file", "-resume", model)
}

// Patience ends a run, and a finished run writes its files again.
func TestPatienceEnds(t *testing.T) {
	dir := t.TempDir()
	said := must(t, "-out", dir, "-epochs", "40", "-patience", "1", "-lr", "3")
	m, err := mlp.ReadModelFile(filepath.Join(dir, ModelName))
	if err != nil {
		t.Fatal(err)
	}
	h := m.Run.History
	best := slices.IndexFunc(h, func(e mlp.Epoch) bool { return e.ValidationLoss == h.Best().ValidationLoss })
	if len(h) != best+2 || len(h) == 40 || !strings.Contains(said, fmt.Sprintf("kept: epoch %d of %d, whose loss", best+1, len(h))) {
		t.Errorf("%d epochs, the best is %d: %s", len(h), best+1, said)
	}
	os.Remove(filepath.Join(dir, "history.csv"))
	if said := must(t, "-resume", filepath.Join(dir, ModelName)); !strings.Contains(said, "there is nothing left to train") || read(t, dir, "history.csv") != fmt.Sprint(len(h)) {
		t.Errorf("resumed: %s", said)
	}
}

// Whatever a recipe has, it is used, or refused with one short line.
func FuzzRecipe(f *testing.F) {
	for _, s := range [][2]string{{"lr", "0.1"}, {"lr", "NaN"}, {"hidden", "4,4"}, {"hidden", "65536"}, {"act", "cos"}, {"epochs", "0"}, {"batch", "-1"},
		{"sha256 train", ""}, {"command", "table"}, {"schedule", "cosine"}, {"load", "a\nb"}, {"\x00", "\x1b[2J"}, {"seed", strings.Repeat("9", 70000)}} {
		f.Add(s[0], s[1])
	}
	f.Fuzz(func(t *testing.T, key, value string) {
		j := gathered(t)
		j.Recipe[key] = value
		_, err := (&runner{parse: parseToy(Train)}).again(j.Base(), &j.Model)
		if err != nil && (len(err.Error()) > 1500 || strings.Contains(cli.Plain(err.Error()), "\n")) {
			t.Errorf("%.100q: %.100q: %.2000v", key, value, err)
		}
	})
}

// A terminal shows the epochs in which the training samples were measured, and another output
// all. Any device counts as a terminal.
func TestMeasuredOnly(t *testing.T) {
	device, err := os.OpenFile("/dev/zero", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer device.Close()
	for want, stdout := range map[int]io.Writer{3: device, 7: io.Discard} { // of 1 to 7: 3, 6 and the last
		n := 0
		j := gathered(t, "-epochs", "7", "-out", t.TempDir())
		j.measure, j.slow = 3, func() { n++ }
		err := (&runner{parse: parseToy(Train), stdout: stdout}).do(context.Background(), j)
		if err != nil || n != want {
			t.Errorf("%d lines, want %d, error %v", n, want, err)
		}
	}
}

// A network in words.
func TestSummary(t *testing.T) {
	net := mlp.NewNetwork(1, mlp.He, mlp.Tanh, 5, 4, 3, 2)
	net[0].Norm = mlp.NewBatchNorm(4)
	net[1].Act, net[1].Dropout = mlp.ReLU, 0.5
	if got, want := Summary(net), "5-4-3-2, tanh and relu, batch normalisation, dropout 0.5"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
