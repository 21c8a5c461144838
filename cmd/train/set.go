// How the files of a run are replaced all at the same moment, so that whoever
// looks, also after a kill, finds those of one epoch. Not here: what they hold.
//
// While a run goes on, its files are a set in a hidden folder, and the names in
// -out are links through one more, current, to the set that counts. To rename
// that link is the one step that replaces all. When the run ends, or the next one
// there if this is killed, the files take the place of the links.

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
)

const (
	current = ".train-current"
	setA    = ".train-a" // the two that take turns
	setB    = ".train-b"
)

type file struct {
	name    string
	content []byte // nil: there shall be none
}

// replace puts files in the place of those in dir, all or none of them. They are
// written and synced before anything is replaced, so that a full disk leaves the
// old ones.
func replace(dir string, files []file) error {
	at, set, old := filepath.Join(dir, current), setA, setB
	if to, _ := os.Readlink(at); to == setA {
		set, old = setB, setA
	}
	err := writeSet(filepath.Join(dir, set), files)
	if err == nil {
		err = link(dir, old, files)
	}
	switch {
	case err == nil:
		err = point(at, set)
	case errors.Is(err, errNoLinks):
		err = replaceEach(dir, set, files)
	}
	if err != nil {
		os.RemoveAll(filepath.Join(dir, set))
		return err
	}
	return os.RemoveAll(filepath.Join(dir, old))
}

// writeSet makes a folder of the files.
func writeSet(set string, files []file) error {
	err := os.RemoveAll(set)
	if err == nil {
		err = os.Mkdir(set, 0o777)
	}
	for _, f := range files {
		if err == nil && f.content != nil {
			err = writeSynced(filepath.Join(set, f.name), f.content)
		}
	}
	return err
}

var errNoLinks = errors.New("no links here")

// link makes links of the files' names in dir that are none yet. A link to a
// folder cannot be renamed over another on Windows.
func link(dir, old string, files []file) error {
	if runtime.GOOS == "windows" {
		return errNoLinks
	}
	if _, err := os.Lstat(filepath.Join(dir, current)); err != nil {
		if err := keep(dir, old, files); err != nil {
			os.RemoveAll(filepath.Join(dir, old))
			return errNoLinks
		}
	}
	for _, f := range files {
		name, target := filepath.Join(dir, f.name), filepath.Join(current, f.name)
		if to, _ := os.Readlink(name); to == target {
			continue
		}
		if err := point(name, target); err != nil {
			return err
		}
	}
	return nil
}

// keep makes the set old, which counts until the first one does, of what is in dir
// already, so that nobody sees the change from files to links.
func keep(dir, old string, files []file) error {
	if err := writeSet(filepath.Join(dir, old), nil); err != nil {
		return err
	}
	for _, f := range files {
		err := os.Link(filepath.Join(dir, f.name), filepath.Join(dir, old, f.name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return point(filepath.Join(dir, current), old)
}

// point makes name a link to target in one step, whatever it was.
func point(name, target string) error {
	temporary := name + ".tmp"
	os.Remove(temporary)
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}

// replaceEach is where links are refused: one after the other, the first not before
// all are written and there is a place for each.
func replaceEach(dir, set string, files []file) error {
	for _, f := range files {
		name := filepath.Join(dir, f.name)
		if info, err := os.Lstat(name); err == nil && info.IsDir() {
			return fmt.Errorf("%s: a folder in the place of a file", name)
		}
	}
	for _, f := range files {
		var err error
		if name := filepath.Join(dir, f.name); f.content != nil {
			err = os.Rename(filepath.Join(dir, set, f.name), name)
		} else if err = os.Remove(name); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return os.RemoveAll(filepath.Join(dir, set))
}

// settle puts the files of the set that counts in the place of the links to
// them, and removes what else a run leaves beside them.
func settle(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if target, _ := os.Readlink(name); filepath.Dir(target) != current {
			continue
		}
		err := os.Rename(filepath.Join(dir, current, e.Name()), name)
		if errors.Is(err, fs.ErrNotExist) {
			err = os.Remove(name) // there shall be none
		}
		if err != nil {
			return err
		}
	}
	for _, name := range []string{current, current + ".tmp"} {
		os.Remove(filepath.Join(dir, name))
	}
	return errors.Join(os.RemoveAll(filepath.Join(dir, setA)), os.RemoveAll(filepath.Join(dir, setB)))
}
