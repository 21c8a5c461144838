// Files that are complete at any moment. Not here: what is in them.

package cli

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// File is the name of a file in a folder and what it must contain. If Content is nil,
// there must be no such file.
type File struct {
	Name    string
	Content []byte
}

// MakeFolder makes the folder dir, unless it exists, and reports whether files of
// these names can be written there. A command calls it before its work begins.
func MakeFolder(dir string, names ...string) error {
	if err := os.MkdirAll(filepath.Clean(dir), 0o777); err != nil {
		return err
	}
	for _, name := range names {
		target := filepath.Join(dir, name)
		if info, err := os.Lstat(target); err == nil && info.IsDir() {
			return fmt.Errorf("%s: a folder is in the place of the file", target)
		}
		temporary, err := writeBeside(dir, File{Name: name})
		os.Remove(temporary)
		if err != nil {
			return err
		}
	}
	return nil
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
// link.
func writeBeside(dir string, f File) (temporary string, err error) {
	temporary = filepath.Join(dir, "."+f.Name+".tmp")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	w, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return "", err
	}
	_, err = w.Write(f.Content)
	return temporary, cmp.Or(err, w.Sync(), w.Close())
}
