// The model that a flag names. Not here: what a command does with it.

package cli

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"

	"mlp"
)

// ReadModel reads a model file; digest is the SHA-256, in hexadecimal, of its bytes. An
// error names the file. A folder, a pipe and a device are errors, because opening one may
// wait for ever.
func ReadModel(name string) (m *mlp.Model, digest string, err error) {
	f, size, err := OpenRegular(name)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	if m, err = mlp.ReadModel(f, size); err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(f, 0, size)); err != nil {
		return nil, "", err
	}
	return m, fmt.Sprintf("%x", h.Sum(nil)), nil
}

// OpenRegular opens a file that is not a folder, a pipe or a device, and returns its size
// in bytes.
func OpenRegular(name string) (f *os.File, size int64, err error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, 0, err
	}
	if info.IsDir() {
		return nil, 0, fmt.Errorf("%s: a folder, want a file", name)
	}
	if !info.Mode().IsRegular() { // to open a pipe would wait for its other end
		return nil, 0, fmt.Errorf("%s: not a regular file", name)
	}
	f, err = os.Open(name)
	return f, info.Size(), err
}

// CheckDigits returns an error if a network's inputs are not the pixels of a digit, or
// its outputs not one for each of the ten.
func CheckDigits(net mlp.Network) error {
	if in, out := net[0].W.Rows, net[len(net)-1].W.Cols; in != mlp.MNISTPixels || out != mlp.MNISTClasses {
		return fmt.Errorf("a network of %d inputs and %d outputs, want %d and %d", in, out, mlp.MNISTPixels, mlp.MNISTClasses)
	}
	return nil
}
