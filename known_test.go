// Tests of the known files: a set of digits names its data set, and a known file is
// refused in the place of another.

package mlp

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// The README has the sums of all known files, and WhereMNIST those of MNIST.
func TestKnownSums(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for sum, is := range origins {
		if !bytes.Contains(readme, []byte(sum)) {
			t.Errorf("the README lacks the sum of the %v", is)
		}
		if is.set == "MNIST" && !strings.Contains(WhereMNIST, sum) {
			t.Errorf("WhereMNIST lacks the sum of the %v", is)
		}
	}
}

// known makes a sum known until the test ends.
func known(t *testing.T, sum string, is origin) {
	t.Helper()
	if _, ok := origins[sum]; ok {
		t.Fatalf("%s is known already", sum)
	}
	origins[sum] = is
	t.Cleanup(func() { delete(origins, sum) })
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
			known(t, contentSum(t, bytes.NewReader(file), ""), origin{name, part, kind[:6]})
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

// The files of full MNIST are known, and refused in another's place.
func TestKnownMNIST(t *testing.T) {
	dir := fullMNIST(t)
	read := func(name string) *fstest.MapFile {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: data}
	}
	for part, want := range map[string]string{"train": "60000 images of MNIST", "t10k": "10000 images of MNIST"} {
		if m, err := LoadMNIST(dir, part, 0); err != nil || m.String() != want {
			t.Errorf("%s: %v, error %v, want %s", part, m, err, want)
		}
	}
	_, err := LoadMNIST(fstest.MapFS{
		"t10k-images-idx3-ubyte.gz": read("train-images-idx3-ubyte.gz"),
		"t10k-labels-idx1-ubyte.gz": read("train-labels-idx1-ubyte.gz"),
	}, "t10k", 0)
	if err == nil || !strings.HasSuffix(err.Error(), "it holds the train-images of MNIST") {
		t.Errorf("the train part in t10k's place: error %v", err)
	}
}
