//go:build darwin || linux

package cli

import (
	"cmp"
	"os"
	"reflect"
	"runtime"
	"syscall"
)

// columns returns how many columns a terminal has: 80, if it does not say. Package reflect
// stands for unsafe, which only the kernel may import.
func columns(terminal *os.File) int {
	size := new([4]uint16) // rows, columns, and the same in pixels
	if raw, err := terminal.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) {
			syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCGWINSZ, reflect.ValueOf(size).Pointer())
		})
	}
	runtime.KeepAlive(size)
	return int(cmp.Or(size[1], 80))
}
