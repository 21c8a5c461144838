// What is said on a terminal: its width, and the progress bar.

package cli

import (
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Terminal returns the file to which w writes if that is a terminal, and otherwise nil. The
// standard library can only tell that a file is a character device: any but the null device
// counts as a terminal.
func Terminal(w io.Writer) *os.File {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	info, err := f.Stat()
	null, _ := os.Stat(os.DevNull)
	if err != nil || info.Mode()&os.ModeCharDevice == 0 || os.SameFile(info, null) {
		return nil
	}
	return f
}

// Width returns how many columns a line on w may have: those of the terminal, or any number if w is no
// terminal.
func Width(w io.Writer) int {
	if f := Terminal(w); f != nil {
		return columns(f)
	}
	return math.MaxInt
}

// Bar shows on a terminal how much of a long piece of work is done. Its methods
// may be called from several goroutines at once.
type Bar struct {
	terminal    *os.File // nil if standard error is not a terminal
	mu          sync.Mutex
	label       func(share float64) []string
	done, total float64
	start, last time.Time
	shown       bool
}

// NewBar returns a bar on stderr for a piece of work of the given size, in any unit.
// Label returns what to print beside the bar once a share of the work, from 0 to 1, is
// done, the most important first. If stderr is not a terminal, the bar shows nothing.
func NewBar(stderr *os.File, total float64, label func(share float64) []string) *Bar {
	return &Bar{terminal: Terminal(stderr), label: label, total: total, start: time.Now()}
}

// Add counts n more units of the work as done. After the first second it draws
// the bar, at most ten times a second, as wide as the terminal is then.
func (b *Bar) Add(n float64) {
	if b.terminal == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done += n
	now := time.Now()
	if now.Sub(b.start) < time.Second || now.Sub(b.last) < 100*time.Millisecond {
		return
	}
	b.last, b.shown = now, true
	fmt.Fprint(b.terminal, "\r\x1b[K"+b.line(now.Sub(b.start), columns(b.terminal)))
}

// Clear takes the bar away, so that a line can be printed.
func (b *Bar) Clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shown {
		fmt.Fprint(b.terminal, "\r\x1b[K")
		b.shown = false
	}
}

// line is the text of the bar: how much is done, the label, and the time left if the work
// goes on as fast as it did. It is shorter than the terminal is wide, because a full line
// would scroll. For want of room the label goes, its end first, and only then the time left.
func (b *Bar) line(elapsed time.Duration, width int) string {
	const shortest = 10 // of the bar without its brackets
	share := min(1, b.done/b.total)
	label := b.label(share)
	end := "  " + clock(time.Duration(min(1e18, float64(elapsed)*(1/share-1)))) + " left"
	for {
		text := strings.Join(append([]string{fmt.Sprintf("%3.0f%%", 100*share)}, label...), "  ") + end
		size := max(0, width-1-len("[] ")-utf8.RuneCountInString(text))
		switch {
		case size >= shortest || end == "":
			full := int(share * float64(size))
			return "[" + strings.Repeat("#", full) + strings.Repeat(".", size-full) + "] " + text
		case len(label) > 0:
			label = label[:len(label)-1]
		default:
			end = ""
		}
	}
}

// clock writes a duration as 0:21, 12:04 or 1:02:03.
func clock(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	text := fmt.Sprintf("%d:%02d", s/60, s%60)
	if s >= 3600 {
		text = fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return text
}
