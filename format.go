// The errors that all readers share: what is wrong with a file's content, and the byte at
// which reading stopped. Not here: the name of the file, which is added by whoever opened
// the file.

package mlp

import (
	"fmt"
	"io"
)

// A FormatError says what is wrong with the content of a file, or with a model.
type FormatError string

func (e FormatError) Error() string { return string(e) }

// formatErrorf formats like fmt.Sprintf and returns the text as a FormatError.
func formatErrorf(format string, args ...any) error {
	return FormatError(fmt.Sprintf(format, args...))
}

// stoppedAt wraps err, the reason why reading stopped after at of size unpacked bytes. It
// turns io.EOF into io.ErrUnexpectedEOF, because more bytes were due.
func stoppedAt(at, size int, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("stopped at byte %d of %d: %w", at, size, err)
}
