// The files of a run: model.npz, and what follows from its history. Not here: what
// is in the table and the charts (charts.go).

package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"mlp"
	"mlp/cmd/internal/cli"
)

// The files of a run, in the order in which they are replaced. Whatever moment a
// run is killed at, each of them is whole. The model is the last, and all others
// can be written anew from it.
const (
	historyName   = "history.csv"
	curvesName    = "curves.svg"
	gradientsName = "gradients.svg"
	modelName     = "model.npz"
)

// output is the folder that a run writes to.
type output struct {
	dir         string
	saved       int       // the epochs that the files have
	unsaved     bool      // a finished epoch is not in the files
	written     []string  // the names of the files
	start, next time.Time // when the run began, and when it may save again
}

// newOutput makes the folder and checks that the files can be written there.
func newOutput(dir string) (*output, error) {
	if err := cli.MakeFolder(dir, historyName, curvesName, gradientsName, modelName); err != nil {
		return nil, fmt.Errorf("-out %s: %w", dir, err)
	}
	return &output{dir: filepath.Clean(dir), start: time.Now()}, nil
}

// add saves a finished epoch, unless the run has saved one a moment ago: at most
// once a second and, in the first second, for at most a fiftieth of the time.
func (out *output) add(m *mlp.Model) error {
	out.unsaved = true
	begin := time.Now()
	if begin.Before(out.next) {
		return nil
	}
	err := out.save(m)
	out.next = begin.Add(time.Second)
	if now := time.Now(); now.Sub(out.start) <= time.Second {
		out.next = now.Add(min(time.Second, 49*now.Sub(begin)))
	}
	return err
}

// save saves the last finished epoch, unless it is saved.
func (out *output) save(m *mlp.Model) error {
	if !out.unsaved {
		return nil
	}
	var model bytes.Buffer
	err := m.Write(&model)
	if err == nil {
		err = out.derive(m.Run.History, cli.File{Name: modelName, Content: model.Bytes()})
	}
	if err == nil {
		out.saved, out.unsaved = len(m.Run.History), false
	}
	return err
}

// derive writes the files that follow from a model's history, and then others.
func (out *output) derive(h mlp.History, others ...cli.File) error {
	files := []cli.File{{Name: historyName, Content: historyCSV(h)}, {Name: curvesName, Content: curves(h).SVG()}, {Name: gradientsName}}
	if f := gradients(h); f != nil {
		files[2].Content = f.SVG()
	}
	files = append(files, others...)
	if err := cli.Replace(out.dir, files...); err != nil {
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

// report says which files were written, and where.
func (out *output) report(w io.Writer) {
	fmt.Fprintf(w, "written to %s: %s\n", cli.Plain(out.dir), strings.Join(out.written, ", "))
}
