// Package mnist is what the commands share of MNIST: the digits that -data names, and the
// shape of a network that reads them.
package mnist

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mlp"
	"mlp/cmd/internal/cli"
)

// Load reads a part of MNIST, "train" or "t10k", from the folder dir, or from the sample
// in the package if dir is empty. It keeps the first limit images, or all if limit is 0.
// If a file is missing, the error says where MNIST is found.
func Load(dir, part string, limit int) (*mlp.MNIST, error) {
	m, err := Open(dir, part, limit)
	if err == nil {
		err = Checked(dir, m)
	}
	return m, err
}

// Open is Load, but leaves it to Checked to wait until the files are read to their ends.
func Open(dir, part string, limit int) (*mlp.MNIST, error) {
	files := mlp.SampleMNIST()
	if dir != "" {
		files = os.DirFS(dir)
	}
	m, err := mlp.OpenMNIST(files, part, limit)
	return m, located(dir, err)
}

// Checked waits until the files of digits from Open are read to their ends, and returns the error of Load.
// Digits that are nil have no files.
func Checked(dir string, digits ...*mlp.MNIST) error {
	for _, m := range digits {
		if m == nil {
			continue
		}
		if err := m.Check(); err != nil {
			return located(dir, err)
		}
	}
	return nil
}

// located adds the folder to an error, and where MNIST is found if a file is missing.
func located(dir string, err error) error {
	if err == nil {
		return nil
	}
	missing := errors.Is(err, fs.ErrNotExist)
	err = fmt.Errorf("%s%c%w", dir, filepath.Separator, err)
	if missing {
		err = &cli.NotedError{Err: err, Note: mlp.WhereMNIST}
	}
	return err
}

// Source names where Load reads from.
func Source(dir string) string {
	if dir == "" {
		return "the sample in the program"
	}
	return dir
}

// Digest returns the SHA-256, in hexadecimal, of m's images and then its labels.
func Digest(m *mlp.MNIST) string {
	h := sha256.New()
	h.Write(m.Images)
	h.Write(m.Labels)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// Network returns a network for the digits with hidden layers of these widths and, if norm
// is true, batch normalisation in them.
func Network(seed uint64, init mlp.Init, act *mlp.Activation, norm bool, hidden ...int) mlp.Network {
	net := mlp.NewNetwork(seed, init, act, slices.Concat([]int{mlp.MNISTPixels}, hidden, []int{mlp.MNISTClasses})...)
	for _, l := range net[:len(net)-1] {
		if norm {
			l.Norm = mlp.NewBatchNorm(l.W.Cols)
		}
	}
	return net
}

// Check returns an error if a network's inputs are not the pixels of a digit, or its
// outputs not one for each of the ten.
func Check(net mlp.Network) error {
	if in, out := net[0].W.Rows, net[len(net)-1].W.Cols; in != mlp.MNISTPixels || out != mlp.MNISTClasses {
		return fmt.Errorf("a network of %d inputs and %d outputs, want %d and %d", in, out, mlp.MNISTPixels, mlp.MNISTClasses)
	}
	return nil
}
