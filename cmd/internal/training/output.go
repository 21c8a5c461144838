// The folder of a run: model.npz, and the files that can be made from it.

package training

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
)

// ModelName is the file of a run's model. At whatever moment a run is killed, each of its
// files is complete. The model is replaced last, and the others can be made from it.
const ModelName = "model.npz"

// An output is the folder that a run writes to.
type output struct {
	task    Task
	dir     string
	saved   int          // how many epochs of the run the folder has
	failed  error        // why saving failed; nothing is saved after that
	next    time.Time    // when the run may save again
	start   time.Time    // when the run began
	model   bytes.Buffer // what is written of the model
	written []string     // the names of the files
	release func()

	other     files.File // the model of another run, until it is written under its new name
	unchanged int        // the same run was in the folder before with so many epochs: fewer are not written
}

// openOutput claims the folder of a task. If the model that is resumed is in it, openOutput
// writes the other files anew, because a kill may have left those of another epoch. If
// another model is in it, openOutput says what becomes of that.
func openOutput(t Task, stderr io.Writer) (*output, error) {
	j := t.Base()
	out := &output{task: t, dir: filepath.Clean(j.Out), start: time.Now()}
	out.next = out.start.Add(j.SaveAfter)
	var err error
	if out.release, err = files.Claim(j.Out, append(out.names(), ModelName)...); err != nil {
		return nil, fmt.Errorf("-out %s: %w", j.Out, err)
	}
	if files.Same(j.Resume, filepath.Join(out.dir, ModelName)) {
		out.saved = len(j.Run.History)
		if err = j.checked(); err == nil {
			err = out.write(nil)
		}
	} else {
		err = out.look(stderr)
	}
	if err != nil {
		out.release()
		return nil, err
	}
	return out, nil
}

// look decides what becomes of the files that are in the folder, and says it. No network
// that took its time to train is lost: a run with the same recipe replaces the earlier one
// once it has as many epochs, and any other model is kept under another name.
func (out *output) look(stderr io.Writer) error {
	exists := func(name string) bool {
		_, err := os.Lstat(filepath.Join(out.dir, name))
		return err == nil
	}
	replaced := slices.DeleteFunc(out.names(), func(name string) bool { return !exists(name) })
	if exists(ModelName) {
		m, err := out.readOther()
		if err != nil {
			return err
		}
		if m != nil && sameRun(m.Recipe, out.task.Base().Recipe) {
			out.other.Content, out.unchanged = nil, len(m.Run.History)
			fmt.Fprintf(stderr, "%s: there are epochs 1 to %d of a run with the same flags, which this run replaces when it has had as many\n",
				cli.Plain(out.dir), out.unchanged)
			return nil
		}
		for n := 1; n == 1 || exists(out.other.Name); n++ {
			out.other.Name = fmt.Sprintf("model.%d.npz", n)
		}
		fmt.Fprintf(stderr, "%s: there is another model, which is kept as %s\n", cli.Plain(out.dir), out.other.Name)
	}
	if len(replaced) > 0 {
		fmt.Fprintf(stderr, "%s: this run replaces %s\n", cli.Plain(out.dir), strings.Join(replaced, ", "))
	}
	return nil
}

// readOther reads the model in the folder into out.other. It returns nil if that is no model,
// and an error if the run may not write beside it.
func (out *output) readOther() (*mlp.Model, error) {
	j, name := out.task.Base(), filepath.Join(out.dir, ModelName)
	f, _, err := files.OpenRegular(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if out.other.Content, err = io.ReadAll(f); err != nil {
		return nil, err
	}
	m, err := mlp.ReadModel(bytes.NewReader(out.other.Content), int64(len(out.other.Content)))
	if err != nil {
		return nil, nil
	}
	what, _ := another(m, j.Args.Command())
	if what == "" && j.Resume != "" && filepath.Dir(j.Resume) == out.dir {
		what = fmt.Sprintf("another model than %s, with epochs 1 to %d", j.Resume, len(m.Run.History))
	}
	if what != "" {
		return nil, fmt.Errorf("%s is %s: name another folder with -out", name, what)
	}
	return m, nil
}

// add saves so rarely that saving takes at most a fiftieth of the time and, after the first
// second, at most once a second.
func (out *output) add() error {
	begin := time.Now()
	if begin.Before(out.next) {
		return nil
	}
	err := out.save()
	now := time.Now()
	wait := 49 * now.Sub(begin)
	if now.Sub(out.start) > time.Second {
		wait = max(wait, time.Second)
	}
	out.next = now.Add(wait)
	return err
}

// save writes the files of the last finished epoch, unless the folder has them. Before that it waits until
// the data are checked.
func (out *output) save() error {
	m := &out.task.Base().Model
	n := len(m.Run.History)
	if out.failed != nil || n == out.saved || n < out.unchanged {
		return out.failed
	}
	out.model.Reset()
	if out.failed = out.task.Base().checked(); out.failed != nil {
		return out.failed
	}
	if out.failed = m.Write(&out.model); out.failed == nil {
		out.failed = out.write(out.model.Bytes())
	}
	if out.failed == nil {
		out.saved = n
	}
	return out.failed
}

// names returns the names of the files that a run may have beside its model.
func (out *output) names() []string {
	names, page := out.task.Names()
	if page != "" {
		names = append(names, page)
	}
	return names
}

// write writes the files that can be made from the model and then, unless it is nil, the
// model. It removes those of an earlier run that this one has not. The page of another model
// goes before that model does.
func (out *output) write(model []byte) error {
	var all []files.File
	if out.other.Content != nil {
		all = append(all, out.other)
	}
	made := map[string][]byte{}
	for _, f := range out.task.Files() {
		made[f.Name] = f.Content
	}
	names, page := out.task.Names()
	for _, name := range names {
		all = append(all, files.File{Name: name, Content: made[name]})
	}
	if model != nil {
		if page != "" {
			all = append(all, files.File{Name: page})
		}
		all = append(all, files.File{Name: ModelName, Content: model})
	}
	out.written = nil
	if err := out.replace(all...); err != nil {
		return err
	}
	out.other.Content = nil
	return nil
}

// replace writes files and notes their names.
func (out *output) replace(all ...files.File) error {
	if err := files.Replace(out.dir, all...); err != nil {
		return err
	}
	for _, f := range all {
		if f.Content != nil {
			out.written = append(out.written, f.Name)
		}
	}
	return nil
}

// explain adds to the reason why training ended early what can be done about it and what
// is kept.
func (out *output) explain(err error) error {
	kept, goesOn := "no epoch was saved", ""
	if n := max(out.saved, out.unchanged); n > 0 {
		kept = fmt.Sprintf("%s holds epochs 1 to %d", out.dir, n)
		goesOn = fmt.Sprintf("; -resume %s goes on", filepath.Join(out.dir, ModelName))
	}
	var diverged *mlp.DivergedError
	switch {
	case errors.As(err, &diverged):
		smaller := "-lr"
		if out.task.Base().Decay > 0 {
			smaller = "-lr or -decay"
		}
		return fmt.Errorf("%w; a smaller %s is the usual cure (%s)", err, smaller, kept)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: %s", kept+goesOn)
	}
	return err
}
