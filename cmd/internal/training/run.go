// A run: training with a line and the files for each epoch, from the beginning or from
// where a file's run stopped; or again, to compare.

package training

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/doctor"
	"mlp/cmd/internal/files"
)

// A Job is a run: its flags and the model that it makes.
type Job struct {
	Flags
	mlp.Model
	Guess     float64       // the loss of a network that only guesses, which the doctor asks for
	SaveAfter time.Duration // how long after its beginning the run saves for the first time
	Later     []string      // the flags that recipes of earlier versions do not have
	From      string        // the file that the weights are from, if the run did not begin with its own
	Deformed  bool          // the samples of an epoch depend on how many epochs there are
	Checked   func() error  // waits until all that Gather began is done, with an error if the data are not whole; or nil
}

// Base returns j. It makes what embeds a Job a Task.
func (j *Job) Base() *Job { return j }

func (j *Job) checked() error {
	if j.Checked == nil {
		return nil
	}
	return j.Checked()
}

// A Task is a Job of one command, with its data.
type Task interface {
	Base() *Job

	// Instead does what the flags ask for instead of training, and reports whether that was
	// anything.
	Instead(ctx context.Context, stdout, stderr io.Writer) (did bool, err error)

	// Check returns an error if the command cannot use a model, which is from a file.
	Check(m *mlp.Model) error

	// Gather reads the data. It makes the job's network and what it sees: from is the model
	// of the run that goes on, or nil if the run begins. It returns what a recipe keeps of
	// the data beside the flags, or nil if it needs no data for what is left to do.
	Gather(ctx context.Context, from *mlp.Model, stderr io.Writer) (facts map[string]string, err error)

	// Describe says what the data are, in lines.
	Describe(w io.Writer)

	// Samples returns what network i is trained on and adds to c what is measured.
	Samples(i int, c *mlp.Config) (mlp.Dataset, error)

	// Watch may look at the networks. The runner calls it before the first epoch that it trains,
	// and after each.
	Watch()

	// Len returns how many samples that is.
	Len() int

	// Calibrate fits the model's temperature or margins if the flags ask for it. The runner calls
	// it after the last epoch.
	Calibrate()

	// Line returns the line of an epoch on standard output.
	Line(e mlp.Epoch) string

	// Files returns the files that can be made from the model, and Page the one that is only
	// made when the run has ended, after Conclude, or nil. Names returns the names of all that there may be,
	// the files in the order in which they are replaced.
	Files() []files.File
	Page(stderr io.Writer) *files.File
	Names() (files []string, page string)

	// Conclude returns the last lines of standard output, which has so many columns.
	Conclude(ctx context.Context, columns int) (string, error)
}

// Run is a command with its arguments and outputs. It returns the exit code. Parse reads a
// command line to a task.
func Run(ctx context.Context, command string, args []string, parse func(args []string) (Task, error), stdout io.Writer, stderr *os.File) int {
	t, err := parse(args)
	if err == nil {
		r := &runner{parse: parse, stdout: stdout, stderr: stderr}
		err = r.do(ctx, t)
	}
	return cli.Exit(command, err, stdout, stderr)
}

// do does what the flags of a task ask for.
func (r *runner) do(ctx context.Context, t Task) error {
	if did, err := t.Instead(ctx, r.stdout, r.stderr); did {
		return err
	}
	j := t.Base()
	switch {
	case j.Verify != "":
		return r.verify(ctx, j)
	case j.Resume != "":
		return r.resume(ctx, j)
	}
	if err := r.gather(ctx, t, nil); err != nil {
		return err
	}
	if err := r.rehearse(j); err != nil {
		return err
	}
	return r.complete(ctx, t)
}

// about says what an error is about, such as a file.
func about(what string, err error) error {
	if err != nil {
		err = fmt.Errorf("%s: %w", what, err)
	}
	return err
}

// A runner trains a task.
type runner struct {
	parse  func(args []string) (Task, error)
	stdout io.Writer
	stderr *os.File
}

// gather lets a task read its data, and writes the recipe, which the model file keeps. From is
// the model of the run that goes on: what the run began with is not read again.
func (r *runner) gather(ctx context.Context, t Task, from *mlp.Model) error {
	facts, err := t.Gather(ctx, from, r.stderr)
	if err != nil || facts == nil {
		return err
	}
	j := t.Base()
	j.Recipe = j.settings()
	maps.Copy(j.Recipe, facts)
	j.Recipe[commandKey] = j.Args.Command()
	const load = DigestPrefix + "load"
	if from != nil && from.Recipe[load] != "" {
		j.Recipe[load] = from.Recipe[load]
	}
	return nil
}

// reopen reads the model in a file and returns it with the task that made it, whose flags
// are those of the recipe and, of j, those that say what to do with it.
func (r *runner) reopen(j *Job, name string) (*mlp.Model, Task, error) {
	m, err := ReadModel(name, j.Args.Command())
	if err != nil {
		return nil, nil, err
	}
	t, err := r.again(j, m)
	if err == nil {
		switch n, want := len(m.Run.History), t.Base().Epochs; {
		case n == 0:
			err = errors.New("no epoch was trained")
		case n > want:
			err = fmt.Errorf("the run has had %d epochs, more than -epochs %d", n, want)
		}
	}
	return m, t, about(name, err)
}

// again returns the task that made a model, by the recipe, which must fit the network. The
// recipe comes from a file, and so it is checked like a command line.
func (r *runner) again(j *Job, m *mlp.Model) (Task, error) {
	args, err := j.again(m.Recipe, j.Later)
	if err != nil {
		return nil, err
	}
	t, err := r.parse(args)
	if err != nil {
		return nil, fmt.Errorf("its recipe: %.300s", err.Error()) // which may have a long value
	}
	k := t.Base()
	if k.Epochs == 0 {
		return nil, errors.New("its recipe: -epochs 0 is no training")
	}
	if now := j.Args.Given()["epochs"]; now != "" && now != m.Recipe["epochs"] {
		if what := k.dependsOnEpochs(); what != "" {
			return nil, fmt.Errorf("-epochs %s: the run's %s is for -epochs %s, which cannot change", now, what, m.Recipe["epochs"])
		}
	}
	inFile := Layers(m)
	for _, name := range []string{"ensemble", "hidden", "norm", "act"} {
		if name == "act" && m.Recipe["load"] != "" {
			break // another program can have given the layers different ones
		}
		if value, ok := inFile[name]; ok && value != k.settings()[name] {
			return nil, fmt.Errorf("its layers have -%s %.60s, its recipe has -%s %.60s", name, value, name, k.settings()[name])
		}
	}
	if o := m.Run.Optimizer; o != "" && o != k.Opt.Name {
		return nil, fmt.Errorf("its epochs were trained by the optimizer %.60q, its recipe has -opt %s", o, k.Opt.Name)
	}
	k.Out, k.Resume, k.Verify = j.Out, j.Resume, j.Verify
	return t, t.Check(m)
}

// dependsOnEpochs names what makes a run of more epochs another run, or is empty.
func (j *Job) dependsOnEpochs() string {
	switch {
	case j.Schedule.Name != "constant":
		return j.Schedule.Name + " schedule"
	case j.Warmup > 0:
		return "-warmup"
	case j.Deformed:
		return "-deform"
	}
	return ""
}

// rehearse writes the model of a run that begins and reads it again, so that no run is
// trained whose file would be refused.
func (r *runner) rehearse(j *Job) error {
	var b bytes.Buffer
	m := j.Model
	m.Run, m.Others = mlp.Run{Optimizer: j.Opt.Name}, nil
	for _, other := range j.Others {
		m.Others = append(m.Others, mlp.Member{Net: other.Net, Run: &mlp.Run{Optimizer: j.Opt.Name}})
	}
	if err := m.Write(&b); err != nil {
		return about(ModelName, err)
	}
	read, err := mlp.ReadModel(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err == nil {
		_, err = r.again(j, read)
	}
	return about(ModelName+" could not be read again", err)
}

// resume goes on with the run of a file.
func (r *runner) resume(ctx context.Context, j *Job) error {
	if j.Args.Given()["out"] == "" {
		j.Out = filepath.Dir(j.Resume)
	}
	m, t, err := r.reopen(j, j.Resume)
	if err != nil {
		return err
	}
	if err = r.gather(ctx, t, m); err == nil {
		err = sameData(t.Base().Recipe, m.Recipe)
	}
	if err != nil {
		return about(j.Resume, err)
	}
	return r.complete(ctx, t)
}

// verify trains again what is in a file, and compares.
func (r *runner) verify(ctx context.Context, j *Job) error {
	want, t, err := r.reopen(j, j.Verify)
	if err != nil {
		return err
	}
	k := t.Base()
	if err = r.gather(ctx, t, nil); err == nil {
		err = sameData(k.Recipe, want.Recipe)
	}
	if err == nil {
		r.describe(t)
		err = r.learn(ctx, t, len(want.Run.History), func(mlp.Epoch) error { return nil })
	}
	if err == nil {
		err = cmp.Or(k.checked(), about("not reproduced", compare(&k.Model, want)))
	}
	if err != nil {
		return about(j.Verify, err)
	}
	_, err = fmt.Fprintf(r.stdout, "reproduced: %s\n", want.Fingerprint())
	return about("standard output", err)
}

// describe says what is about to be trained.
func (r *runner) describe(t Task) {
	j := t.Base()
	t.Describe(r.stderr)
	from := cmp.Or(j.From, "init "+j.Init.Name)
	if n := len(j.Run.History); n > 0 {
		from = fmt.Sprintf("epoch %d", n)
	}
	DescribeNetwork(r.stderr, &j.Model, from+" by "+j.Opt.Name)
}

// DescribeNetwork says what a model's network is, how many there are, and from which file they come.
func DescribeNetwork(w io.Writer, m *mlp.Model, from string) {
	what := "network: "
	if n := len(m.Others); n > 0 {
		what = fmt.Sprintf("%d networks: each ", n+1)
	}
	fmt.Fprintf(w, "%s%s, %d parameters, from %s\n", what, Summary(m.Net), m.Net.Parameters(), cli.Plain(from))
}

// Finished reports whether the run has trained all its epochs, or whether its patience
// with each network is over.
func (j *Job) Finished() bool {
	n := len(j.Run.History)
	hope := j.Patience == 0 || n == 0 || n-j.Run.History.Best().N < j.Patience
	for _, other := range j.Others {
		hope = hope || n-other.Run.History.Best().N < j.Patience
	}
	return n >= j.Epochs || !hope
}

// complete trains until the run is finished, writes its files and prints its results.
func (r *runner) complete(ctx context.Context, t Task) error {
	out, err := openOutput(t, r.stderr)
	if err != nil {
		return err
	}
	defer out.release()
	j := t.Base()
	if j.Finished() {
		fmt.Fprintf(r.stderr, "%s: the run is finished after epoch %d of %d: there is nothing left to train\n", cli.Plain(j.Resume), len(j.Run.History), j.Epochs)
		err = out.save()
	} else {
		r.describe(t)
		err = r.trainInto(ctx, t, out)
	}
	if err != nil {
		return err
	}
	if j.Patience > 0 && len(j.Others) == 0 {
		best := j.Run.History.Best()
		fmt.Fprintf(r.stderr, "kept: epoch %d of %d, whose loss on what was held out is %.4f\n", best.N, len(j.Run.History), best.ValidationLoss)
	} else if j.Patience > 0 {
		fmt.Fprintf(r.stderr, "kept: of each network the epoch of %d whose loss on what it held out is lowest\n", len(j.Run.History))
	}
	text, err := t.Conclude(ctx, cli.Width(r.stdout))
	if err != nil {
		return out.explain(err)
	}
	runtime.GC() // the page takes the place of what only the training needed
	if page := t.Page(r.stderr); page != nil && out.saved == len(j.Run.History) {
		if err := out.replace(*page); err != nil {
			return err
		}
	}
	if _, err := io.WriteString(r.stdout, text); err != nil {
		return fmt.Errorf("standard output: %w", err)
	}
	if len(out.written) > 0 {
		fmt.Fprintf(r.stderr, "written to %s: %s\n", cli.Plain(out.dir), strings.Join(out.written, ", "))
	}
	return nil
}

// Calibration is a line for people: the calibration error of samples that were not trained on,
// whose logits are y before the temperature.
func Calibration(y, want *mlp.Matrix, temperature float64) string {
	before := mlp.CalibrationError.Of(y, want)
	cooled := y.Clone()
	for i := range cooled.Data {
		cooled.Data[i] /= temperature
	}
	return fmt.Sprintf("Calibration error: %.4f (before: %.4f) at temperature %.3f\n", mlp.CalibrationError.Of(cooled, want), before, temperature)
}

// trainInto trains the epochs that are left. However training ends, it saves the last
// epoch that was finished.
func (r *runner) trainInto(ctx context.Context, t Task, out *output) error {
	j := t.Base()
	begin := time.Now()
	t.Watch()
	err := r.learn(ctx, t, j.Epochs-len(j.Run.History), func(e mlp.Epoch) error {
		t.Watch()
		if err := out.add(); err != nil {
			return err
		}
		if cli.Terminal(r.stdout) == nil || e.Loss == e.Loss {
			if _, err := fmt.Fprintln(r.stdout, t.Line(e)); err != nil {
				return fmt.Errorf("standard output, epoch %d: %w", e.N, err)
			}
		}
		if e.N == 1 && e.Loss == e.Loss {
			doctor.Print(r.stderr, doctor.Diagnose(&j.Model, j.Guess))
		}
		return nil
	})
	if err == nil {
		fmt.Fprintf(r.stderr, "trained in %v\n", time.Since(begin).Round(time.Millisecond))
	}
	saveErr := out.save()
	if len(j.Run.History) > 1 {
		doctor.Print(r.stderr, doctor.Diagnose(&j.Model, j.Guess))
	}
	if err = out.explain(err); err != nil && saveErr != nil && !errors.Is(err, saveErr) {
		return fmt.Errorf("%w; %w", err, saveErr)
	}
	return cmp.Or(err, saveErr)
}

var errEnough = errors.New("as many epochs as are wanted")

// learn trains the task's network for that many more epochs, unless patience ends the
// training earlier, and calls onEpoch after each. In between it shows a progress bar.
func (r *runner) learn(ctx context.Context, t Task, epochs int, onEpoch func(mlp.Epoch) error) error {
	j := t.Base()
	c := mlp.Config{Optimizer: j.Opt.Value, Rate: j.LR, Schedule: mlp.Warmup(j.Warmup, j.Schedule.Value), Beta1: j.Momentum,
		Decay: j.Decay, Clip: j.Clip, Epochs: j.Epochs, Batch: j.Batch, Seed: j.Seed, Patience: j.Patience}
	j.Temperature, j.Margins = 0, nil // of a run that was finished and goes on
	past := len(j.Run.History)
	steps := math.Ceil(float64(t.Len()) / float64(c.Batch))
	var measured []string
	bar := cli.NewBar(r.stderr, float64(epochs)*steps, func(share float64) []string {
		epoch := past + min(epochs, int(share*float64(epochs))+1)
		return append([]string{fmt.Sprintf("epoch %d/%d", epoch, c.Epochs)}, measured...)
	})
	defer bar.Clear()
	long := steps > 1000 // With OnStep, Train cannot leave out inputs that are always zero.
	if long && len(j.Others) == 0 && cli.Terminal(r.stderr) != nil {
		c.OnStep = func(int, float64, float64) { bar.Add(1) }
	}
	c.OnEpoch = func(e mlp.Epoch) error {
		bar.Clear()
		if j.Finished() {
			t.Calibrate()
		}
		if e.TestMetric == e.TestMetric {
			measured = []string{fmt.Sprintf("test %.3f", e.TestMetric)}
		}
		if err := onEpoch(e); err != nil {
			return err
		}
		if e.N == past+epochs {
			return errEnough
		}
		if c.OnStep == nil {
			bar.Add(steps)
		}
		return nil
	}
	err := j.Model.Train(ctx, c, t.Samples)
	if fewest, most := j.Run.Threads(); most > 0 {
		bar.Clear()
		fmt.Fprintf(r.stderr, "kernel: %s, %s\n", mlp.Kernel(), threads(fewest, most))
	}
	if err == errEnough {
		err = nil
	}
	return err
}

// threads says how many threads computed.
func threads(fewest, most int) string {
	switch {
	case most == 1:
		return "1 thread"
	case fewest == most:
		return fmt.Sprintf("%d threads", most)
	}
	return fmt.Sprintf("%d to %d threads", fewest, most)
}
