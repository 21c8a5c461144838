// The progress bar.

package cli

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Bar shows on a terminal how much of a long piece of work is done. Its methods
// may be called from several goroutines at once.
type Bar struct {
	terminal    *os.File // nil if standard error is not a terminal
	mu          sync.Mutex
	label       func(share float64) string
	done, total float64
	start, last time.Time
	shown       bool
}

// barColumns is the bar's maximum width; it fits a terminal of 40 columns. A longer
// line would scroll instead of being overwritten.
const barColumns = 39

// NewBar returns a bar on stderr for a piece of work of the given size, in any unit.
// Label returns what to print beside the bar once a share of the work, from 0 to 1, is
// done. If stderr is not a terminal, the bar shows nothing. The standard library can only
// tell that stderr is a character device: any but the null device counts as a terminal.
func NewBar(stderr *os.File, total float64, label func(share float64) string) *Bar {
	b := &Bar{label: label, total: total, start: time.Now()}
	info, err := stderr.Stat()
	null, _ := os.Stat(os.DevNull)
	if err == nil && info.Mode()&os.ModeCharDevice != 0 && !os.SameFile(info, null) {
		b.terminal = stderr
	}
	return b
}

// Add counts n more units of the work as done. After the first second it draws
// the bar, at most ten times a second.
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
	fmt.Fprint(b.terminal, "\r\x1b[K"+b.line(now.Sub(b.start)))
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

// line is the text of the bar: how much is done, the label, and the time left if
// the work goes on as fast as it did. What does not fit is left out.
func (b *Bar) line(elapsed time.Duration) string {
	const width = 10
	share := min(1, b.done/b.total)
	full := int(share * width)
	left := time.Duration(min(1e18, float64(elapsed)*(1/share-1))).Round(time.Second)
	line := "[" + strings.Repeat("#", full) + strings.Repeat(".", width-full) + "]"
	for _, text := range []string{
		fmt.Sprintf(" %3.0f%%", 100*share),
		", " + b.label(share),
		fmt.Sprintf(", %v left", left),
	} {
		if utf8.RuneCountInString(line+text) <= barColumns {
			line += text
		}
	}
	return line
}
