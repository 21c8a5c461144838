// The files of a run: model.npz, and those that can be made from it. Not here: what is
// in the others.

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mlp"
)

// ModelName is the file of a run's model. At whatever moment a run is killed, each of its
// files is complete. The model is replaced last, and the others can be made from it.
const ModelName = "model.npz"

// Output is the folder that a run writes to.
type Output struct {
	Dir    string
	Saved  int       // how many epochs the run's files in the folder have
	Failed error     // why saving failed; nothing is saved after that
	Next   time.Time // when the run may save again
	Last   string    // the name of the file of Finish; that of another model is removed before the model is replaced

	start   time.Time // when the run began
	files   func(mlp.History) []File
	written []string // the names of the files
}

// NewOutput makes the folder and checks that ModelName and files of these names can be
// written there. Files returns the files that stand beside the model of such a history, in
// the order in which they are replaced.
func NewOutput(dir string, files func(mlp.History) []File, names ...string) (*Output, error) {
	if err := MakeFolder(dir, append(names, ModelName)...); err != nil {
		return nil, fmt.Errorf("-out %s: %w", dir, err)
	}
	return &Output{Dir: filepath.Clean(dir), files: files, start: time.Now()}, nil
}

// Add saves at most once a second. In the first second saving takes at most a fiftieth
// of the time.
func (out *Output) Add(m *mlp.Model) error {
	begin := time.Now()
	if begin.Before(out.Next) {
		return nil
	}
	err := out.Save(m)
	out.Next = begin.Add(time.Second)
	if now := time.Now(); now.Sub(out.start) <= time.Second {
		out.Next = now.Add(min(time.Second, 49*now.Sub(begin)))
	}
	return err
}

// Save writes the files of the last finished epoch, unless the folder has them.
func (out *Output) Save(m *mlp.Model) error {
	n := len(m.Run.History)
	if out.Failed != nil || out.Saved == n {
		return out.Failed
	}
	var model bytes.Buffer
	if out.Failed = m.Write(&model); out.Failed == nil {
		out.Failed = out.Write(m.Run.History, model.Bytes())
	}
	if out.Failed == nil {
		out.Saved = n
	}
	return out.Failed
}

// Write writes the files of a history and then, unless it is nil, the model.
func (out *Output) Write(h mlp.History, model []byte) error {
	files := out.files(h)
	if model != nil {
		if out.Last != "" {
			files = append(files, File{Name: out.Last})
		}
		files = append(files, File{Name: ModelName, Content: model})
	}
	if err := Replace(out.Dir, files...); err != nil {
		return err
	}
	out.written = nil
	for _, f := range files {
		if f.Content != nil {
			out.written = append(out.written, f.Name)
		}
	}
	return nil
}

// Finish writes the file Last, which needs the model that the folder has.
func (out *Output) Finish(content []byte) error {
	err := Replace(out.Dir, File{Name: out.Last, Content: content})
	if err == nil {
		out.written = append(out.written, out.Last)
	}
	return err
}

// Kept says which epochs of the run the folder has.
func (out *Output) Kept() string {
	if out.Saved == 0 {
		return "no epoch was saved"
	}
	return fmt.Sprintf("%s holds epochs 1 to %d", out.Dir, out.Saved)
}

// Report says which files were written, and where.
func (out *Output) Report(w io.Writer) {
	fmt.Fprintf(w, "written to %s: %s\n", Plain(out.Dir), strings.Join(out.written, ", "))
}

// Explain adds to the reason why training ended early what can be done about it and what
// is kept. Smaller is the flags that make a step smaller.
func (out *Output) Explain(err error, smaller string) error {
	var diverged *mlp.DivergedError
	switch {
	case errors.As(err, &diverged):
		return fmt.Errorf("%w; a smaller %s is the usual cure (%s)", err, smaller, out.Kept())
	case errors.Is(err, context.Canceled) && out.Saved > 0:
		return fmt.Errorf("interrupted: %s; -resume %s goes on", out.Kept(), filepath.Join(out.Dir, ModelName))
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("interrupted: %s", out.Kept())
	}
	return err
}

// SameFile reports whether two names are of one file.
func SameFile(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
