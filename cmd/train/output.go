// The files of a run: model.npz, and those that can be made from it. Not here: what is
// in the table and the charts (charts.go), and in the page (package report).

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

// The files of a run, in the order in which they are replaced. At whatever moment a run
// is killed, each of them is complete. The model is the last, and the others can be
// made from it. The page is written when the run ends; until then there is none, because
// that of another model is removed before the model is replaced.
const (
	historyName   = "history.csv"
	curvesName    = "curves.svg"
	gradientsName = "gradients.svg"
	reportName    = "report.html"
	modelName     = "model.npz"
)

// output is the folder that a run writes to.
type output struct {
	dir         string
	saved       int       // how many epochs the run's files in the folder have
	failed      error     // why saving failed; nothing is saved after that
	written     []string  // the names of the files
	start, next time.Time // when the run began, and when it may save again
}

// newOutput makes the folder and checks that the files can be written there.
func newOutput(dir string) (*output, error) {
	if err := cli.MakeFolder(dir, historyName, curvesName, gradientsName, reportName, modelName); err != nil {
		return nil, fmt.Errorf("-out %s: %w", dir, err)
	}
	return &output{dir: filepath.Clean(dir), start: time.Now()}, nil
}

// add saves at most once a second. In the first second saving takes at most a fiftieth
// of the time.
func (out *output) add(m *mlp.Model) error {
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

// save writes the files of the last finished epoch, unless the folder has them.
func (out *output) save(m *mlp.Model) error {
	n := len(m.Run.History)
	if out.failed != nil || out.saved == n {
		return out.failed
	}
	var model bytes.Buffer
	if out.failed = m.Write(&model); out.failed == nil {
		out.failed = out.write(m.Run.History, model.Bytes())
	}
	if out.failed == nil {
		out.saved = n
	}
	return out.failed
}

// write writes the files of a history and then, unless it is nil, the model.
func (out *output) write(h mlp.History, model []byte) error {
	files := []cli.File{{Name: historyName, Content: historyCSV(h)}, {Name: curvesName, Content: curves(h).SVG()}, {Name: gradientsName}}
	if f := gradients(h); f != nil {
		files[2].Content = f.SVG()
	}
	if model != nil {
		files = append(files, cli.File{Name: reportName}, cli.File{Name: modelName, Content: model})
	}
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

// writePage writes the page of the model that the folder has.
func (out *output) writePage(html []byte) error {
	err := cli.Replace(out.dir, cli.File{Name: reportName, Content: html})
	if err == nil {
		out.written = append(out.written, reportName)
	}
	return err
}

// kept says which epochs of the run the folder has.
func (out *output) kept() string {
	if out.saved == 0 {
		return "no epoch was saved"
	}
	return fmt.Sprintf("%s holds epochs 1 to %d", out.dir, out.saved)
}

// report says which files were written, and where.
func (out *output) report(w io.Writer) {
	fmt.Fprintf(w, "written to %s: %s\n", cli.Plain(out.dir), strings.Join(out.written, ", "))
}
