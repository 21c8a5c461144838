//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package files

import (
	"errors"
	"io/fs"
	"os"
)

// lockFile makes the file. Windows does not remove a file while a process has it open: if the
// file is still there, that process holds the lock. Other systems than Windows have no lock.
func lockFile(name string) (*os.File, error) {
	os.Remove(name)
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		err = errLocked
	}
	return f, err
}
