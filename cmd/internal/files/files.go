// Package files opens files that may be anything, and writes files that are complete at any
// moment, in a folder that is locked.
package files

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// OpenRegular opens a file that is not a folder, a pipe or a device, and returns its size
// in bytes.
func OpenRegular(name string) (f *os.File, size int64, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if info.IsDir() {
		return nil, 0, fmt.Errorf("%s: a folder, want a file", name)
	}
	if !info.Mode().IsRegular() { // to open a pipe would wait for its other end
		return nil, 0, fmt.Errorf("%s: not a regular file", name)
	}
	if f, err = os.Open(name); err != nil {
		return nil, 0, err
	}
	if info, err = f.Stat(); err != nil { // the file may be another by now
		f.Close()
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// Same reports whether two names are of one file.
func Same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}

// File is the name of a file in a folder and what it must contain. If Content is nil,
// there must be no such file.
type File struct {
	Name    string
	Content []byte
}

// Claim makes the folder dir, unless it exists, and locks it until release is called or the
// process ends, however it ends. If Claim has made the folder and it is empty, release removes
// it. Claim returns an error if another process has locked it, or if
// files of these names cannot be written there. A command calls it before its work begins.
func Claim(dir string, names ...string) (release func(), err error) {
	_, err = os.Stat(dir)
	isNew := errors.Is(err, fs.ErrNotExist)
	if err := os.MkdirAll(filepath.Clean(dir), 0o777); err != nil {
		return nil, err
	}
	unlock, err := lock(dir)
	if err != nil {
		return nil, err
	}
	release = func() {
		if unlock(); isNew {
			os.Remove(dir)
		}
	}
	for _, name := range names {
		target := filepath.Join(dir, name)
		temporary, err := writeBeside(dir, File{Name: name})
		os.Remove(temporary)
		if info, statErr := os.Lstat(target); statErr == nil && info.IsDir() {
			err = fmt.Errorf("%s: a folder is in the place of the file", target)
		}
		if err != nil {
			release()
			return nil, err
		}
	}
	return release, nil
}

// Replace writes files to the folder dir in place of those of the same names, one
// after the other in the given order. At any moment each name refers to a complete
// file, old or new, even if the process is killed. All are written under hidden names
// before the first is replaced: if the disk is full, the earlier files stay. But if
// replacing one fails, because its name has become a folder's for example, those before
// it in the order are new already.
func Replace(dir string, files ...File) (err error) {
	temporary := make([]string, len(files))
	defer func() {
		for _, name := range temporary {
			if err != nil {
				os.Remove(name)
			}
		}
	}()
	for i, f := range files {
		if f.Content == nil {
			continue
		}
		if temporary[i], err = writeBeside(dir, f); err != nil {
			return err
		}
	}
	for i, f := range files {
		target := filepath.Join(dir, f.Name)
		if f.Content != nil {
			err = os.Rename(temporary[i], target)
		} else if err = os.Remove(target); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// writeBeside writes and syncs a file under the hidden name that it returns. It
// first removes what a killed process has left there, and never writes through a
// link. An error names the file, not the hidden one, which no user knows of.
func writeBeside(dir string, f File) (temporary string, err error) {
	temporary = filepath.Join(dir, "."+f.Name+".tmp")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	w, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err == nil {
		_, err = w.Write(f.Content)
		err = cmp.Or(err, w.Sync(), w.Close())
	}
	return temporary, inPlaceOf(filepath.Join(dir, f.Name), err)
}

// inPlaceOf returns an error of a hidden file as that of the file or folder that the user
// knows.
func inPlaceOf(name string, err error) error {
	var failed *fs.PathError
	if errors.As(err, &failed) {
		return fmt.Errorf("%s: %w", name, failed.Err)
	}
	return err
}
