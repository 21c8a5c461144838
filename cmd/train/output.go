// The files of a run, and the progress bar.

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mlp"
)

// output is the folder that a run writes to and what it has to write there:
// the files of the last finished epoch. The weights go on changing, so its
// model is kept as the bytes of its file.
type output struct {
	dir     string
	history mlp.History
	model   bytes.Buffer
	start   time.Time
	next    time.Time // not to save before
	unsaved bool
}

// newOutput makes the folder and sees that it can be written to, before any
// work is done. What a killed run has left there becomes files: a first save
// would take the place of those that were files already.
func newOutput(dir string) (*output, error) {
	if err := os.MkdirAll(filepath.Clean(dir), 0o777); err != nil {
		return nil, fmt.Errorf("-out %s: %w", dir, err)
	}
	out := &output{dir: filepath.Clean(dir), start: time.Now()}
	probe := filepath.Join(out.dir, ".probe.tmp")
	os.Remove(probe) // it may be a link to elsewhere
	err := writeSynced(probe, nil)
	if err == nil {
		err = os.Remove(probe)
	}
	if err == nil {
		err = settle(out.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("-out %s: %w", dir, err)
	}
	return out, nil
}

// add takes a finished epoch, and saves unless it did so a moment ago: beyond a
// second of work not more than once a second, before that for at most a fiftieth
// of the time.
func (out *output) add(m *mlp.Model) error {
	out.model.Reset()
	if err := m.Write(&out.model); err != nil {
		return err
	}
	out.history, out.unsaved = m.History, true
	begin := time.Now()
	if begin.Before(out.next) {
		return nil
	}
	err := out.save()
	now := time.Now()
	out.next = now.Add(min(time.Second, 49*now.Sub(begin)))
	if now.Sub(out.start) > time.Second {
		out.next = begin.Add(time.Second)
	}
	return err
}

// close saves what is not, and leaves files and nothing else.
func (out *output) close() error {
	err := out.save()
	if settleErr := settle(out.dir); err == nil {
		err = settleErr
	}
	return err
}

// save writes the files.
func (out *output) save() error {
	if !out.unsaved {
		return nil
	}
	table, err := historyCSV(out.history)
	if err != nil {
		return err
	}
	files := []file{{"history.csv", table}, {"curves.svg", curves(out.history).SVG()}, {"gradients.svg", nil}, {"model.npz", out.model.Bytes()}}
	if rulers := gradients(out.history); rulers != nil {
		files[2].content = rulers.SVG()
	}
	err = replace(out.dir, files)
	if err != nil {
		return err
	}
	out.unsaved = false
	return nil
}

func writeSynced(name string, content []byte) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// progress is a bar on standard error, where that is a terminal and the work
// takes more than a second. It counts the rows that data sets are asked for.
type progress struct {
	w           *os.File // nil: no bar
	epochs      int
	rows, total float64
	start, last time.Time
	shown       bool
}

func newProgress(w *os.File, epochs int, rows float64) *progress {
	p := &progress{epochs: epochs, total: rows, start: time.Now()}
	if info, err := w.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		p.w = w
	}
	return p
}

// watched is a data set that tells a bar how many rows it gave.
type watched struct {
	mlp.Dataset
	bar *progress
}

func (p *progress) watch(d mlp.Dataset) mlp.Dataset {
	if p.w == nil {
		return d
	}
	return watched{d, p}
}

func (d watched) Batch(x, y *mlp.Matrix, index []int) {
	d.Dataset.Batch(x, y, index)
	d.bar.add(len(index))
}

// add draws the bar at most ten times a second.
func (p *progress) add(rows int) {
	p.rows += float64(rows)
	now := time.Now()
	if now.Sub(p.start) < time.Second || now.Sub(p.last) < 100*time.Millisecond {
		return
	}
	p.last, p.shown = now, true
	share := p.rows / p.total
	left := time.Duration(min(1e18, float64(now.Sub(p.start))*(1/share-1))).Round(time.Second)
	const width = 30
	full := min(width, int(share*width))
	fmt.Fprintf(p.w, "\r\x1b[K[%s%s] %3.0f%%, epoch %d/%d, %v left", strings.Repeat("#", full),
		strings.Repeat(".", width-full), 100*share, min(p.epochs, int(share*float64(p.epochs))+1), p.epochs, left)
}

// clear takes the bar away, for a line to be printed.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}
