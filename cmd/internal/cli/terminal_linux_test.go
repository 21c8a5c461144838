package cli

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"
)

// A pseudo is a terminal whose other end is the test.
type pseudo struct{ test, terminal *os.File }

func open(t *testing.T) *pseudo {
	t.Helper()
	p := new(pseudo)
	var err error
	if p.test, err = os.OpenFile("/dev/ptmx", os.O_RDWR, 0); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { p.test.Close() })
	unlocked, number := new(int32), new(int32)
	p.control(t, syscall.TIOCSPTLCK, unlocked)
	p.control(t, syscall.TIOCGPTN, number)
	if p.terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", *number), os.O_RDWR|syscall.O_NOCTTY, 0); err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { p.terminal.Close() })
	return p
}

func (p *pseudo) control(t *testing.T, request uintptr, to any) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, p.test.Fd(), request, reflect.ValueOf(to).Pointer()); errno != 0 {
		t.Skip(errno)
	}
}

// The bar has the width of the terminal, also after that has changed, and is never so long
// that it would scroll.
func TestTerminal(t *testing.T) {
	p := open(t)
	bar := NewBar(p.terminal, 100, func(float64) []string { return []string{"epoch 75/123", "test 0.983"} })
	bar.start = bar.start.Add(-time.Minute)
	for _, columns := range []uint16{30, 80, 200, 50} {
		p.control(t, syscall.TIOCSWINSZ, &[4]uint16{24, columns})
		if got := Width(p.terminal); got != int(columns) {
			t.Fatalf("the width is %d, want %d", got, columns)
		}
		bar.last = time.Time{}
		bar.Add(15)
		text := make([]byte, 4096)
		n, err := p.test.Read(text)
		line, ok := strings.CutPrefix(string(text[:n]), "\r\x1b[K")
		if err != nil || !ok || utf8.RuneCountInString(line) != int(columns)-1 || !strings.HasSuffix(line, " left") {
			t.Errorf("%d columns: %q, %v", columns, line, err)
		}
		if has := strings.Contains(line, "test 0.983"); has != (columns >= 80) {
			t.Errorf("%d columns: %q", columns, line)
		}
	}
	f, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if Terminal(f) != nil || Width(f) < 1<<30 || Terminal(&strings.Builder{}) != nil {
		t.Error("a file is a terminal")
	}
}
