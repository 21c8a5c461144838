// The digits that a command's -data names, and networks for them.

package cli

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"mlp"
)

// Load reads a part of MNIST, "train" or "t10k", from the folder dir, or from the
// sample in the package if dir is empty. It keeps the first limit images, or all
// if limit is 0. If a file is missing, Load prints to stderr where MNIST is found.
func Load(dir, part string, limit int, stderr io.Writer) (*mlp.MNIST, error) {
	files := mlp.SampleMNIST()
	if dir != "" {
		files = os.DirFS(dir)
	}
	m, err := mlp.LoadMNIST(files, part, limit)
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprint(stderr, mlp.WhereMNIST)
	}
	if err != nil {
		return nil, fmt.Errorf("%s%c%w", dir, filepath.Separator, err)
	}
	return m, nil
}

// Digest returns the SHA-256, in hexadecimal, of m's images and then its labels.
func Digest(m *mlp.MNIST) string {
	h := sha256.New()
	h.Write(m.Images)
	h.Write(m.Labels)
	return fmt.Sprintf("%x", h.Sum(nil))
}

// FirstBatch returns the first n samples of a data set.
func FirstBatch(data mlp.Dataset, n int) (x, y *mlp.Matrix) {
	index := make([]int, n)
	for i := range index {
		index[i] = i
	}
	x, y = new(mlp.Matrix), new(mlp.Matrix)
	data.Batch(x, y, index)
	return x, y
}

// NewNetwork returns a network for the digits with hidden layers of these widths and,
// if norm is true, batch normalisation in them.
func NewNetwork(seed uint64, init mlp.Init, act *mlp.Activation, norm bool, hidden ...int) mlp.Network {
	return NewNetworkOf(seed, init, act, norm, slices.Concat([]int{mlp.MNISTPixels}, hidden, []int{mlp.MNISTClasses})...)
}

// NewNetworkOf is NewNetwork for any sizes, as mlp.NewNetwork takes them.
func NewNetworkOf(seed uint64, init mlp.Init, act *mlp.Activation, norm bool, sizes ...int) mlp.Network {
	net := mlp.NewNetwork(seed, init, act, sizes...)
	for _, l := range net[:len(net)-1] {
		if norm {
			l.Norm = mlp.NewBatchNorm(l.W.Cols)
		}
	}
	return net
}
