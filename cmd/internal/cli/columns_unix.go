//go:build darwin || linux

package cli

import (
	"os"
	"reflect"
	"runtime"
	"syscall"
)

// columns returns how many columns a terminal has, or 0 if it does not say.
func columns(terminal *os.File) int {
	size := new([4]uint16) // rows, columns, and the same in pixels
	raw, err := terminal.SyscallConn()
	if err != nil {
		return 0
	}
	raw.Control(func(fd uintptr) {
		syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGWINSZ, reflect.ValueOf(size).Pointer())
	})
	runtime.KeepAlive(size)
	return int(size[1])
}
