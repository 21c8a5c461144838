// The errors of all readers: what is wrong with a file's content, and where reading
// it stopped. The name of the file is added by whoever opened it.

package mlp

import (
	"fmt"
	"io"
)

// A FormatError says why the content of a file is not what it should be.
type FormatError string

func (e FormatError) Error() string { return string(e) }

// formatErrorf formats like fmt.Sprintf and returns the text as a FormatError.
func formatErrorf(format string, args ...any) error {
	return FormatError(fmt.Sprintf(format, args...))
}

// stoppedAt wraps err, which ended reading after at of size unpacked bytes. An io.EOF
// becomes io.ErrUnexpectedEOF, because more bytes were due.
func stoppedAt(at, size int, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("stopped at byte %d of %d: %w", at, size, err)
}
