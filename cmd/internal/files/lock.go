// Locks, so that two processes do not write to one folder.

package files

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// lockName is the file in a locked folder that has the process's id.
const lockName = ".lock"

// errLocked says that another process holds a lock.
var errLocked = errors.New("locked")

// lock locks a folder until unlock is called or the process ends. If another process has
// locked it, the error has that process's id.
func lock(dir string) (unlock func(), err error) {
	name := filepath.Join(dir, lockName)
	for {
		f, err := lockFile(name)
		switch {
		case errors.Is(err, errLocked):
			return nil, fmt.Errorf("%s: process %s writes here", dir, holder(name))
		case err != nil:
			return nil, inPlaceOf(dir, err)
		}
		// The process that had the lock before may have removed the file since it was opened.
		here, _ := f.Stat()
		if there, err := os.Stat(name); err != nil || !os.SameFile(here, there) {
			f.Close()
			continue
		}
		f.Truncate(0)
		fmt.Fprintln(f, os.Getpid())
		return func() {
			removed := os.Remove(name)
			if f.Close(); removed != nil { // not while it is open, on Windows
				os.Remove(name)
			}
		}, nil
	}
}

// holder returns the id in a lock's file.
func holder(name string) string {
	text, _ := os.ReadFile(name)
	if id, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return strconv.Itoa(id)
	}
	return "of another program"
}
