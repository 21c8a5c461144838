//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd

package files

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strconv"
)

// lockFile makes the file. If there is one already, the process whose id it has holds the
// lock, unless that process has ended.
func lockFile(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if !errors.Is(err, fs.ErrExist) {
		return f, err
	}
	if id, err := strconv.Atoi(holder(name)); err == nil && lives(id) {
		return nil, errLocked
	}
	return os.OpenFile(name, os.O_RDWR, 0o666)
}

// lives reports whether there is a process of that id. Only Windows says so here: there to
// find a process fails if it has ended.
func lives(id int) bool {
	p, err := os.FindProcess(id)
	if err == nil {
		p.Release()
	}
	return err == nil && runtime.GOOS == "windows"
}
