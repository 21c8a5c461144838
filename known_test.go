// Tests of the known files: a set of digits names its data set, and a known file under
// another file's name is refused.

package mlp

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// cmd/train/README.md has the sums of all known files, and WhereMNIST those of MNIST.
func TestKnownSums(t *testing.T) {
	readme, err := os.ReadFile("cmd/train/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for sum, file := range knownFiles {
		if !bytes.Contains(readme, []byte(sum)) {
			t.Errorf("the README lacks the sum of the %v", file)
		}
		if file.set == "MNIST" && !strings.Contains(WhereMNIST, sum) {
			t.Errorf("WhereMNIST lacks the sum of the %v", file)
		}
	}
}

// makeKnown makes a file with that SHA-256 known until the test ends.
func makeKnown(t *testing.T, sum string, file origin) {
	t.Helper()
	if _, ok := knownFiles[sum]; ok {
		t.Fatalf("%s is known already", sum)
	}
	knownFiles[sum] = file
	t.Cleanup(func() { delete(knownFiles, sum) })
}

// set returns the four files of a set with 10,000 images in each part, and makes them
// known under the given name. Sets of different seeds differ.
func set(t *testing.T, name string, seed byte) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	const n = 10000
	for _, part := range []string{"train", "t10k"} {
		labels := make([]byte, n)
		images := make([]byte, n*MNISTPixels)
		images[0], labels[0] = seed, seed
		images[1], labels[1] = byte(len(part)), byte(len(part))
		for kind, file := range map[string][]byte{"images-idx3": idxFile(images, n, 28, 28), "labels-idx1": idxFile(labels, n)} {
			files[part+"-"+kind+"-ubyte"] = &fstest.MapFile{Data: file}
			makeKnown(t, contentSum(t, bytes.NewReader(file), ""), origin{name, part, kind[:6]})
		}
	}
	return files
}

func TestKnown(t *testing.T) {
	const I, L, TI, TL = "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
	a, b := set(t, "A", 1), set(t, "B", 2)
	altered := bytes.Clone(a[L].Data)
	altered[100] ^= 1
	alteredImages := bytes.Clone(a[I].Data)
	alteredImages[100] ^= 1
	for _, c := range []struct {
		part, is, refused string
		images, labels    *fstest.MapFile
	}{
		{"train", "10000 images of A", "", a[I], a[L]},
		{"t10k", "10000 images of B", "", b[TI], b[TL]},
		{"train", "10000 images of A", "", &fstest.MapFile{Data: gzipped(a[I].Data)}, a[L]},
		{"train", "10000 images of A, unknown labels", "", a[I], &fstest.MapFile{Data: altered}},
		{"train", "10000 images, labels of A", "", &fstest.MapFile{Data: alteredImages}, a[L]},
		{"train", "", I + ": it holds the train-labels of A", a[L], a[I]},
		{"train", "", I + ": it holds the t10k-images of A", a[TI], a[L]},
		{"t10k", "", TI + ": it holds the train-images of B", b[I], b[TL]},
		{"t10k", "", TL + ": it holds the train-labels of B", b[TI], b[L]},
		{"t10k", "", TL + ": it holds the t10k-images of B", b[TI], b[TI]},
		{"train", "", L + ": it holds the train-labels of B, beside the train-images of A", a[I], b[L]},
	} {
		m, err := LoadMNIST(fstest.MapFS{c.part + "-images-idx3-ubyte": c.images, c.part + "-labels-idx1-ubyte": c.labels}, c.part, 0)
		switch {
		case c.refused != "" && (err == nil || err.Error() != c.refused):
			t.Errorf("error %v, want %s", err, c.refused)
		case c.refused == "" && (err != nil || m.String() != c.is):
			t.Errorf("%v, error %v, want %s", m, err, c.is)
		case c.refused == "" && m.Slice(1, 3).String() != strings.Replace(c.is, "10000", "2", 1):
			t.Errorf("two of the %v are %v", m, m.Slice(1, 3))
		}
	}
	if m, err := LoadMNIST(SampleMNIST(), "train", 3); err != nil || m.String() != "3 images" {
		t.Errorf("the first three of the sample are %v, error %v", m, err)
	}
}

// A file of full MNIST is refused under another file's name.
func TestKnownMNIST(t *testing.T) {
	dir, files := fullMNIST(t), fstest.MapFS{}
	for from, to := range map[string]string{"t10k-images-idx3-ubyte.gz": "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte.gz": "train-labels-idx1-ubyte"} {
		data, err := fs.ReadFile(dir, from)
		if err != nil {
			t.Fatal(err)
		}
		files[to] = &fstest.MapFile{Data: data}
	}
	_, err := LoadMNIST(files, "train", 0)
	if want := "train-images-idx3-ubyte: it holds the t10k-images of MNIST"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
