// Models in files, by name. Not here: what a file holds (model.go), how it is read
// (readmodel.go), and several files that belong together, which are the commands' business.

package mlp

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ReadModelFile reads the model in a file as ReadModel does. An error names the file; if
// there is none, it is fs.ErrNotExist.
func ReadModelFile(name string, own ...*Activation) (*Model, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s: a folder, want a file", name)
	case !info.Mode().IsRegular(): // to open a pipe would wait for its other end
		return nil, fmt.Errorf("%s: not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, err := ReadModel(f, info.Size(), own...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

// WriteFile writes m to a file as Write does, in place of an earlier one. It writes under a
// hidden name beside the file, syncs and then renames, so that the file is complete at any
// moment, the earlier one or the new one. An error names the file.
func (m *Model) WriteFile(name string) error {
	temporary := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+".tmp")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(temporary, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	if err = cmp.Or(m.Write(f), f.Sync(), f.Close()); err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	} else {
		err = os.Rename(temporary, name)
	}
	if err != nil {
		os.Remove(temporary)
	}
	return err
}
