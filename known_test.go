// Whose digits they are: what is known by its content is named, and refused where
// something else should be.

package mlp

import (
	"bytes"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// The sums are those of the README, and of the command's hint.
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

// known makes a sum known for the length of a test.
func known(t *testing.T, sum string, is origin) {
	t.Helper()
	if _, ok := origins[sum]; ok {
		t.Fatalf("%s is known already", sum)
	}
	origins[sum] = is
	t.Cleanup(func() { delete(origins, sum) })
}

// set makes the four files of a set of 10,000 images that is known by that name.
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
	for _, c := range []struct {
		part, known, refused string
		images, labels       *fstest.MapFile
	}{
		{"train", "A", "", a[I], a[L]},
		{"t10k", "B", "", b[TI], b[TL]},
		{"train", "A", "", &fstest.MapFile{Data: gzipped(a[I].Data)}, a[L]},
		{"train", "images of A", "", a[I], &fstest.MapFile{Data: altered}},
		{"train", "", I + ": it holds the train-labels of A", a[L], a[I]},
		{"train", "", I + ": it holds the t10k-images of A", a[TI], a[L]},
		{"t10k", "", TI + ": it holds the train-images of B", b[I], b[TL]},
		{"t10k", "", TL + ": it holds the train-labels of B", b[TI], b[L]},
		{"t10k", "", TL + ": it holds the t10k-images of B", b[TI], b[TI]},
		{"train", "", L + ": it holds the train-labels of B, beside the train-images of A", a[I], b[L]},
	} {
		m, err := LoadMNIST(fstest.MapFS{c.part + "-images-idx3-ubyte": c.images, c.part + "-labels-idx1-ubyte": c.labels}, c.part)
		switch {
		case c.refused != "" && (err == nil || err.Error() != c.refused):
			t.Errorf("error %v, want %s", err, c.refused)
		case c.refused == "" && (err != nil || m.Known != c.known || m.Slice(1, 3).Known != c.known):
			t.Errorf("error %v, want %s", err, c.known)
		}
	}
	for _, part := range []string{"train", "t10k"} {
		if m, err := LoadMNIST(SampleMNIST(), part); err != nil || m.Known != "" {
			t.Errorf("the sample is known: %v", err)
		}
	}
}

// Full MNIST is known by its name, and so are its files out of place.
func TestKnownMNIST(t *testing.T) {
	dir := fullMNIST(t)
	read := func(name string) *fstest.MapFile {
		data, err := fs.ReadFile(dir, name)
		if err != nil {
			t.Fatal(err)
		}
		return &fstest.MapFile{Data: data}
	}
	for _, part := range []string{"train", "t10k"} {
		if m, err := LoadMNIST(dir, part); err != nil || m.Known != "MNIST" {
			t.Errorf("%s: error %v", part, err)
		}
	}
	_, err := LoadMNIST(fstest.MapFS{
		"t10k-images-idx3-ubyte.gz": read("train-images-idx3-ubyte.gz"),
		"t10k-labels-idx1-ubyte.gz": read("train-labels-idx1-ubyte.gz"),
	}, "t10k")
	if err == nil || !strings.HasSuffix(err.Error(), "it holds the train-images of MNIST") {
		t.Errorf("the train part in t10k's place: error %v", err)
	}
}
