package mlp

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"testing/iotest"
)

// idxFile returns an IDX file: a header of those dimensions, then data.
func idxFile(data []byte, dims ...uint32) []byte {
	file := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		file = binary.BigEndian.AppendUint32(file, d)
	}
	return append(file, data...)
}

func gzipped(data []byte) []byte {
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	z.Write(data)
	z.Close()
	return file.Bytes()
}

// endless is a file of zeros without end that counts how much of it was read.
type endless struct{ read int }

func (z *endless) Read(p []byte) (int, error) {
	clear(p)
	z.read += len(p)
	return len(p), nil
}

func TestReadIDX(t *testing.T) {
	big := make([]byte, 300_001) // several doublings
	for i := range big {
		big[i] = byte(i * i >> 3)
	}
	for _, test := range []struct {
		data []byte
		dims []uint32
	}{
		{[]byte{7}, []uint32{1}},
		{[]byte{1, 2, 3, 4, 5, 6}, []uint32{6}},
		{[]byte{1, 2, 3, 4, 5, 6}, []uint32{1, 2, 3}},
		{[]byte("<!doctype html>"), []uint32{15}},
		{[]byte{9}, slices.Repeat([]uint32{1}, 255)},
		{nil, []uint32{0}},
		{nil, []uint32{0, 28, 28}},
		{big[:1<<16], []uint32{1 << 16}},
		{big[:1<<16+1], []uint32{1<<16 + 1}},
		{big, []uint32{300_001}},
	} {
		plain := idxFile(test.data, test.dims...)
		zipped := gzipped(plain)
		for name, r := range map[string]io.Reader{
			"plain":   bytes.NewReader(plain),
			"gzip":    bytes.NewReader(zipped),
			"bytes":   iotest.OneByteReader(bytes.NewReader(zipped)),
			"members": io.MultiReader(bytes.NewReader(gzipped(plain[:3])), bytes.NewReader(gzipped(plain[3:]))),
		} {
			dims, data, err := ReadIDX(r)
			if err != nil || fmt.Sprint(dims) != fmt.Sprint(test.dims) || !bytes.Equal(data, test.data) {
				t.Errorf("%v %s: dims %v, %d bytes, error %v", test.dims, name, dims, len(data), err)
			}
			if len(data) != cap(data) {
				t.Errorf("%v %s: %d bytes held for %d", test.dims, name, cap(data), len(data))
			}
		}
	}
}

func TestReadIDXErrors(t *testing.T) {
	good := idxFile([]byte{1, 2, 3, 4, 5, 6}, 2, 3)
	badSum := gzipped(good)
	badSum[len(badSum)-8] ^= 1
	page := []byte("\n<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n")
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "stopped at byte 0 of 4: unexpected EOF"},
		{"cut header", good[:9], "stopped at byte 9 of 12: unexpected EOF"},
		{"cut data", good[:15], "stopped at byte 15 of 18: unexpected EOF"},
		{"cut in gzip", gzipped(good[:15]), "stopped at byte 15 of 18: unexpected EOF"},
		{"cut gzip header", gzipped(good)[:5], "gzip header: unexpected EOF"},
		{"checksum", badSum, "stopped at byte 18 of 18: gzip: invalid checksum"},
		{"tail", append(good, 0), "bytes left over after the 18 that the header claims"},
		{"tail in gzip", gzipped(append(good, 0)), "bytes left over after the 18 that the header claims"},
		{"tail after gzip", append(gzipped(good), "garbage of any sort"...), "stopped at byte 18 of 18: gzip: invalid header"},
		{"short tail after gzip", append(gzipped(good), 0), "stopped at byte 18 of 18: unexpected EOF"},
		{"twice", append(gzipped(good), gzipped(good)...), "bytes left over after the 18 that the header claims"},
		{"HTML", page, "an HTML page, not an IDX file"},
		{"HTML in gzip", gzipped(page), "an HTML page, not an IDX file"},
		{"text", []byte("AccessDenied"), `not an IDX file: it begins with "Acce"`},
		{"zip", []byte("PK\x03\x04...."), `not an IDX file: it begins with "PK\x03\x04"`},
		{"zeros", make([]byte, 64), `not an IDX file: it begins with "\x00\x00\x00\x00"`},
		{"magic", []byte{0, 1, 8, 1, 0, 0, 0, 0}, `not an IDX file: it begins with "\x00\x01\b\x01"`},
		{"float32", []byte{0, 0, 13, 1, 0, 0, 0, 0}, "an IDX file of float32, want uint8"},
		{"rank 0", []byte{0, 0, 8, 0}, "an IDX file of rank 0, want 1 or more"},
		{"2³² wide", idxFile(nil, 0, math.MaxUint32), "the header claims 0 × 4294967295 bytes, over the limit of 1073741824"},
		{"2⁴⁸", idxFile(nil, 65536, 65536, 65536), "the header claims 65536 × 65536 bytes, over the limit of 1073741824"},
		{"2⁶⁴", idxFile(nil, 1<<30, 1<<30, 16), "the header claims 1073741824 × 1073741824 bytes, over the limit of 1073741824"},
	} {
		dims, data, err := ReadIDX(bytes.NewReader(test.file))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
		var format FormatError
		if strings.Contains(test.want, "EOF") != errors.Is(err, io.ErrUnexpectedEOF) ||
			strings.Contains(test.want, "IDX") && !errors.As(err, &format) {
			t.Errorf("%s: error of type %T", test.name, err)
		}
		if dims != nil || data != nil {
			t.Errorf("%s: dims %v and %d bytes beside the error", test.name, dims, len(data))
		}
	}
}

func TestReadIDXTruncated(t *testing.T) {
	plain := idxFile([]byte("twelve bytes"), 3, 4)
	for _, file := range [][]byte{plain, gzipped(plain)} {
		for n := range file {
			if _, _, err := ReadIDX(bytes.NewReader(file[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d of %d bytes: error %v", n, len(file), err)
			}
		}
	}
}

func TestReadIDXFlippedBits(t *testing.T) {
	want := []byte("a few bytes, a few bytes")
	file := gzipped(idxFile(want, 2, 12))
	for bit := range 8 * len(file) {
		flipped := slices.Clone(file)
		flipped[bit/8] ^= 1 << (bit % 8)
		_, data, err := ReadIDX(bytes.NewReader(flipped))
		if err == nil && !bytes.Equal(data, want) {
			t.Errorf("bit %d of byte %d: read %q without an error", bit%8, bit/8, data)
		}
	}
}

func TestReadIDXPassesErrorsOn(t *testing.T) {
	want := errors.New("the disk is on fire")
	file := idxFile(make([]byte, 20), 20)
	for n := range file {
		r := io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(want))
		if _, _, err := ReadIDX(r); !errors.Is(err, want) {
			t.Errorf("failing after %d bytes: error %v", n, err)
		}
	}
}

// A header may claim what it likes: memory and time follow the bytes there.
func TestReadIDXBelievesNoHeader(t *testing.T) {
	for _, dims := range [][]uint32{
		{math.MaxUint32, 28, 28},
		{math.MaxUint32},
		{1 << 20, 28, 28}, // 822 MB, within the limit
	} {
		for _, file := range [][]byte{idxFile(make([]byte, 10), dims...), gzipped(idxFile(make([]byte, 10), dims...))} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := ReadIDX(bytes.NewReader(file))
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; err == nil || n > 1<<20 {
				t.Errorf("%v with 10 bytes there: %d bytes allocated, error %v", dims, n, err)
			}
		}
	}
	for _, dims := range [][]uint32{{100}, {0}, {math.MaxUint32, 28, 28}} {
		var tail endless
		if _, _, err := ReadIDX(io.MultiReader(bytes.NewReader(idxFile(nil, dims...)), &tail)); err == nil || tail.read > 1<<16 {
			t.Errorf("%v: %d bytes read from an endless file, error %v", dims, tail.read, err)
		}
	}
}

func FuzzReadIDX(f *testing.F) {
	good := idxFile([]byte{1, 2, 3, 4, 5, 6}, 1, 2, 3)
	f.Add(good)
	f.Add(gzipped(good))
	f.Add(idxFile(nil, 0))
	f.Add(idxFile([]byte{1}, 65536, 65536))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, file []byte) {
		dims, data, err := ReadIDX(bytes.NewReader(file))
		if err != nil {
			if s := err.Error(); dims != nil || data != nil || s == "" || strings.Contains(s, "\n") {
				t.Fatalf("dims %v, %d bytes, error %q", dims, len(data), s)
			}
			return
		}
		size := 1
		sizes := make([]uint32, len(dims))
		for i, d := range dims {
			size *= d
			sizes[i] = uint32(d)
		}
		if size != len(data) || len(dims) == 0 {
			t.Fatalf("dims %v of %d bytes", dims, len(data))
		}
		again, same, err := ReadIDX(bytes.NewReader(idxFile(data, sizes...)))
		if err != nil || !slices.Equal(again, dims) || !bytes.Equal(same, data) {
			t.Fatalf("round trip: dims %v, want %v, error %v", again, dims, err)
		}
	})
}

// randomDigits returns n random images with labels 0, 1, …, 9, 0, … .
func randomDigits(n int) (images, labels []byte) {
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	images, labels = make([]byte, n*MNISTPixels), make([]byte, n)
	for i := range images {
		images[i] = byte(rng.Uint32())
	}
	for i := range labels {
		labels[i] = byte(i % MNISTClasses)
	}
	return images, labels
}

func TestLoadMNISTSpellings(t *testing.T) {
	images, labels := randomDigits(12)
	forms := map[string]func([]byte) []byte{"": bytes.Clone, ".gz": gzipped}
	for _, dot := range []string{"-", "."} {
		for imageExt, packImages := range forms {
			for labelExt, packLabels := range forms {
				fsys := fstest.MapFS{
					"train-images" + dot + "idx3-ubyte" + imageExt: {Data: packImages(idxFile(images, 12, 28, 28))},
					"train-labels" + dot + "idx1-ubyte" + labelExt: {Data: packLabels(idxFile(labels, 12))},
				}
				m, err := LoadMNIST(fsys, "train")
				if err != nil {
					t.Errorf("%v: %v", fsys, err)
				} else if m.Len() != 12 || !bytes.Equal(m.Images, images) || !bytes.Equal(m.Labels, labels) {
					t.Errorf("%v: other digits than were written", fsys)
				}
			}
		}
	}
}

// Of the first images no more is kept, but all is read and checked.
func TestLoadMNISTN(t *testing.T) {
	images, labels := randomDigits(12)
	whole, labelled := idxFile(images, 12, 28, 28), idxFile(labels, 12)
	load := func(images, labels []byte, n int) (*MNIST, error) {
		return LoadMNISTN(fstest.MapFS{"train-images-idx3-ubyte": {Data: images}, "train-labels-idx1-ubyte": {Data: labels}}, "train", n)
	}
	for n := 1; n <= 13; n++ {
		m, err := load(gzipped(whole), labelled, n)
		if err != nil {
			t.Fatal(err)
		}
		have := min(n, 12)
		if m.Len() != have || !bytes.Equal(m.Images, images[:have*MNISTPixels]) || cap(m.Images) > max(1<<16, have*MNISTPixels) || !bytes.Equal(m.Labels, labels[:have]) {
			t.Errorf("the first %d of 12: other digits than were written", n)
		}
	}
	flipped := gzipped(whole)
	flipped[len(flipped)-8] ^= 1 // of the checksum
	cut := whole[:len(whole)-100]
	wrong := bytes.Clone(labelled)
	wrong[len(wrong)-1] = 10
	for want, files := range map[string][2][]byte{
		"stopped at byte 9324 of 9424: unexpected EOF": {cut, labelled},
		"gzip: invalid checksum":                       {flipped, labelled},
		"bytes left over after the 9424":               {append(bytes.Clone(whole), 0), labelled},
		"label 10 at index 11, want 0 to 9":            {whole, wrong},
		"11 labels for the 12 images":                  {whole, idxFile(labels[:11], 11)},
	} {
		if _, err := load(files[0], files[1], 3); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// Packed and unpacked may each have the other's name, and a folder may have a
// file's.
func TestLoadMNISTNamesMislead(t *testing.T) {
	images, labels := randomDigits(3)
	m, err := LoadMNIST(fstest.MapFS{
		"t10k-images-idx3-ubyte/t10k-images-idx3-ubyte": {Data: []byte("not this one")},
		"t10k-images.idx3-ubyte":                        {Data: gzipped(idxFile(images, 3, 28, 28))},
		"t10k-labels-idx1-ubyte.gz":                     {Data: idxFile(labels, 3)},
	}, "t10k")
	if err != nil || !bytes.Equal(m.Images, images) || !bytes.Equal(m.Labels, labels) {
		t.Errorf("error %v", err)
	}
}

func TestLoadMNISTErrors(t *testing.T) {
	images, labels := randomDigits(12)
	goodImages, goodLabels := idxFile(images, 12, 28, 28), idxFile(labels, 12)
	eleven := bytes.Clone(goodLabels)
	eleven[8+5] = 10
	const I, L = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	for _, test := range []struct {
		images, labels []byte
		want           string
	}{
		{nil, goodLabels, I + ": file does not exist, nor train-images.idx3-ubyte, nor either with .gz"},
		{goodImages, nil, L + ": file does not exist, nor train-labels.idx1-ubyte, nor either with .gz"},
		{goodLabels, goodImages, I + ": an IDX file of rank 1, want rank 3 (are the images and the labels swapped?)"},
		{goodImages, goodImages, L + ": an IDX file of rank 3, want rank 1 (are the images and the labels swapped?)"},
		{idxFile(images, 12, 784), goodLabels, I + ": an IDX file of rank 2, want rank 3"},
		{idxFile(images, 6, 28, 56), goodLabels, I + ": 6 images of 28×56 pixels, want some of 28×28"},
		{idxFile(nil, 0, 28, 28), idxFile(nil, 0), I + ": 0 images of 28×28 pixels, want some of 28×28"},
		{goodImages, idxFile(labels[:11], 11), L + ": 11 labels for the 12 images of " + I},
		{goodImages, eleven, L + ": label 10 at index 5, want 0 to 9"},
		{goodImages[:1000], goodLabels, I + ": stopped at byte 1000 of 9424: unexpected EOF"},
		{goodImages, []byte("<html>"), L + ": an HTML page, not an IDX file"},
	} {
		fsys := fstest.MapFS{I: {Data: test.images}, L: {Data: test.labels}}
		for name, file := range fsys {
			if file.Data == nil {
				delete(fsys, name)
			}
		}
		m, err := LoadMNIST(fsys, "train")
		if m != nil || err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if strings.Contains(test.want, "exist") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: error of type %T", err, err)
		}
	}
}

// The error for a file that cannot be opened names it once.
func TestLoadMNISTNoPermission(t *testing.T) {
	_, err := LoadMNIST(locked{}, "train")
	if want := "train-images-idx3-ubyte: permission denied"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

type locked struct{}

func (locked) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func TestSample(t *testing.T) {
	for part, each := range map[string]int{"train": 400, "t10k": 100} {
		m, err := LoadMNIST(SampleMNIST(), part)
		if err != nil {
			t.Fatal(err)
		}
		for digit := range MNISTClasses {
			if n := bytes.Count(m.Labels, []byte{byte(digit)}); n != each {
				t.Errorf("%s has %d of digit %d, want %d", part, n, digit, each)
			}
		}
		if slices.IsSorted(m.Labels) {
			t.Errorf("%s is not shuffled", part)
		}
	}
}

func TestSampleHasNoImageTwice(t *testing.T) {
	seen := map[string]string{}
	for _, part := range []string{"train", "t10k"} {
		m, err := LoadMNIST(SampleMNIST(), part)
		if err != nil {
			t.Fatal(err)
		}
		for i := range m.Len() {
			image, here := string(m.Slice(i, i+1).Images), fmt.Sprintf("%s %d", part, i)
			if there, ok := seen[image]; ok {
				t.Errorf("%s is the same image as %s", here, there)
			}
			seen[image] = here
		}
	}
}

// contentSum is the SHA-256 of a file, unpacked if it is gzipped.
func contentSum(t *testing.T, file io.Reader, name string) string {
	t.Helper()
	if path.Ext(name) == ".gz" {
		z, err := gzip.NewReader(file)
		if err != nil {
			t.Fatal(err)
		}
		file = z
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sum.Sum(nil))
}

// The sums in testdata/README.md are those of the files.
func TestTestdataREADME(t *testing.T) {
	readme, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz",
		"mnist/t10k-images-idx3-ubyte.gz", "mnist/t10k-labels-idx1-ubyte.gz", "numpy.json",
	} {
		f, err := os.Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if line := fmt.Sprintf("| `%s` | `%s` |", name, contentSum(t, f, name)); !bytes.Contains(readme, []byte(line)) {
			t.Errorf("testdata/README.md lacks the line %s", line)
		}
	}
}

func TestStats(t *testing.T) {
	images, labels := randomDigits(301)
	for i := range labels {
		images[i*MNISTPixels+5] = 0            // a blank pixel
		images[i*MNISTPixels+6] = 201          // never varies
		images[i*MNISTPixels+7] = 254          // varies once, below
		images[i*MNISTPixels+8] = byte(i % 2)  // 0 and 1
		images[i*MNISTPixels+9] = byte(-i % 2) // 0 and 255
	}
	images[7] = 255
	m := &MNIST{Images: images, Labels: labels}
	mean, std := m.Stats()
	for j := range MNISTPixels {
		sum := 0.0
		for i := range labels {
			sum += float64(images[i*MNISTPixels+j]) / 255
		}
		naive := sum / 301
		square := 0.0
		for i := range labels {
			d := float64(images[i*MNISTPixels+j])/255 - naive
			square += float64(d * d)
		}
		if d := math.Abs(mean[j] - naive); d > 1e-14 {
			t.Errorf("pixel %d: mean %v, want %v", j, mean[j], naive)
		}
		if d := math.Abs(std[j] - math.Sqrt(square/301)); d > 1e-14 {
			t.Errorf("pixel %d: std %v, want %v", j, std[j], math.Sqrt(square/301))
		}
	}
	if mean[5] != 0 || mean[6] != 201.0/255 || std[5] != 0 || std[6] != 0 || std[7] == 0 {
		t.Errorf("constant pixels: mean %v, std %v", mean[5:8], std[5:8])
	}
}

func TestStatsOfNothing(t *testing.T) {
	mean, std := new(MNIST).Stats()
	if !math.IsNaN(mean[0]) || !math.IsNaN(std[0]) {
		t.Errorf("mean %v, std %v, want NaN", mean[0], std[0])
	}
}

func TestBatch(t *testing.T) {
	train, err := LoadMNIST(SampleMNIST(), "train")
	if err != nil {
		t.Fatal(err)
	}
	mean, std := train.Stats()
	var x, y Matrix
	index := []int{3, 0, 3999, 3}
	for _, standardized := range []bool{false, true} {
		if standardized {
			train.Standardize(mean, std)
		}
		train.Batch(&x, &y, []int{9, 8, 7, 6}) // leave something to overwrite
		train.Batch(&x, &y, index)
		if x.Rows != 4 || x.Cols != MNISTPixels || y.Rows != 4 || y.Cols != MNISTClasses {
			t.Fatalf("shapes %d×%d and %d×%d", x.Rows, x.Cols, y.Rows, y.Cols)
		}
		for i, k := range index {
			for j, p := range train.Images[k*MNISTPixels:][:MNISTPixels] {
				want := float64(p) / 255
				if standardized {
					want -= mean[j]
					if std[j] != 0 {
						want /= std[j]
					}
				}
				if got := x.Data[i*MNISTPixels+j]; math.Abs(got-want) > 1e-14*max(1, math.Abs(want)) {
					t.Fatalf("x(%d, %d) = %v, want %v", i, j, got, want)
				}
			}
			for c, got := range y.Data[i*MNISTClasses:][:MNISTClasses] {
				if want := c == int(train.Labels[k]); (got == 1) != want || (got == 0) == want {
					t.Fatalf("y(%d, %d) = %v for label %d", i, c, got, train.Labels[k])
				}
			}
		}
	}
}

func TestBatchOfConstantPixels(t *testing.T) {
	for p := range 256 {
		m := &MNIST{Images: bytes.Repeat([]byte{byte(p)}, 3*MNISTPixels), Labels: []byte{1, 2, 3}}
		m.Standardize(m.Stats())
		var x, y Matrix
		m.Batch(&x, &y, []int{1})
		if got := x.Data[0]; math.Abs(got) > 0x1p-54 || p == 0 && got != 0 {
			t.Errorf("a pixel that is always %d becomes %v", p, got)
		}
	}
}

// A standardized set has mean 0 and deviation 1.
func TestBatchIsStandardized(t *testing.T) {
	images, labels := randomDigits(200)
	m := &MNIST{Images: images, Labels: labels}
	m.Standardize(m.Stats())
	index := make([]int, 200)
	for i := range index {
		index[i] = i
	}
	var x, y Matrix
	m.Batch(&x, &y, index)
	for j := range MNISTPixels {
		var sum, square float64
		for i := range index {
			sum += x.Data[i*MNISTPixels+j]
			square += x.Data[i*MNISTPixels+j] * x.Data[i*MNISTPixels+j]
		}
		if math.Abs(sum/200) > 1e-13 || math.Abs(square/200-1) > 1e-13 {
			t.Fatalf("pixel %d: mean %v, mean square %v", j, sum/200, square/200)
		}
	}
}

func TestBatchAllocatesNothing(t *testing.T) {
	images, labels := randomDigits(64)
	m := &MNIST{Images: images, Labels: labels}
	m.Standardize(m.Stats())
	x, y, index := NewMatrix(64, MNISTPixels), NewMatrix(64, MNISTClasses), make([]int, 64)
	if n := testing.AllocsPerRun(10, func() { m.Batch(x, y, index) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	m.Batch(x, y, index[:5]) // a smaller last batch, and a whole one again
	if n := testing.AllocsPerRun(10, func() { m.Batch(x, y, index) }); n != 0 {
		t.Errorf("%v allocations after a smaller batch", n)
	}
}

func TestSlice(t *testing.T) {
	images, labels := randomDigits(30)
	m := &MNIST{Images: images, Labels: labels}
	m.Standardize(m.Stats())
	part := m.Slice(10, 17)
	if part.Len() != 7 || m.Slice(30, 30).Len() != 0 {
		t.Errorf("lengths %d, want 7, and %d, want 0", part.Len(), m.Slice(30, 30).Len())
	}
	var x, y, wantX, wantY Matrix
	part.Batch(&x, &y, []int{6, 0})
	m.Batch(&wantX, &wantY, []int{16, 10})
	if !slices.Equal(x.Data, wantX.Data) || !slices.Equal(y.Data, wantY.Data) {
		t.Error("rows 6 and 0 of the slice from 10 are not rows 16 and 10")
	}
	part.Standardize(part.Stats())
	m.Batch(&x, &y, []int{16, 10})
	if !slices.Equal(x.Data, wantX.Data) {
		t.Error("standardizing the slice changed the whole")
	}
	if cap(part.Images) != 7*MNISTPixels || cap(part.Labels) != 7 {
		t.Error("the slice can grow into the whole")
	}
}

func TestStandardizePanics(t *testing.T) {
	defer func() {
		want := "mlp: Standardize: mean 1×784, std 1×10, want 1×784"
		if got := recover(); got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	new(MNIST).Standardize(make([]float64, MNISTPixels), make([]float64, 10))
}

// fullMNIST returns the folder of full MNIST that $MNIST_DIR names.
func fullMNIST(t testing.TB) fs.FS {
	dir := os.Getenv("MNIST_DIR")
	if dir == "" {
		t.Skip("skipped: $MNIST_DIR does not name a folder of full MNIST")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("skipped: $MNIST_DIR: %v", err)
	}
	return os.DirFS(dir)
}

func TestFullMNIST(t *testing.T) {
	fsys := fullMNIST(t)
	for _, test := range []struct {
		part           string
		images, labels string // SHA-256 of the files' contents
		histogram      [MNISTClasses]int
	}{
		{
			"train",
			"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
			"65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
			[MNISTClasses]int{5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
		},
		{
			"t10k",
			"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
			"ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
			[MNISTClasses]int{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009},
		},
	} {
		m, err := LoadMNIST(fsys, test.part)
		if err != nil {
			t.Fatal(err)
		}
		n := uint32(m.Len())
		if sum := fmt.Sprintf("%x", sha256.Sum256(idxFile(m.Images, n, 28, 28))); sum != test.images {
			t.Errorf("%s images have SHA-256 %s, want %s", test.part, sum, test.images)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(idxFile(m.Labels, n))); sum != test.labels {
			t.Errorf("%s labels have SHA-256 %s, want %s", test.part, sum, test.labels)
		}
		var histogram [MNISTClasses]int
		for _, label := range m.Labels {
			histogram[label]++
		}
		if histogram != test.histogram {
			t.Errorf("%s has %v of the digits, want %v", test.part, histogram, test.histogram)
		}
		if cap(m.Images) != len(m.Images) {
			t.Errorf("%s images hold %d bytes for %d", test.part, cap(m.Images), len(m.Images))
		}
	}
}

// Every digit of the sample is one of MNIST's first 10,000 to train on.
func TestSampleIsMNIST(t *testing.T) {
	full, err := LoadMNIST(fullMNIST(t), "train")
	if err != nil {
		t.Fatal(err)
	}
	label := map[string]byte{}
	for i := range 10_000 {
		label[string(full.Slice(i, i+1).Images)] = full.Labels[i]
	}
	for _, part := range []string{"train", "t10k"} {
		m, err := LoadMNIST(SampleMNIST(), part)
		if err != nil {
			t.Fatal(err)
		}
		for i, got := range m.Labels {
			if want, ok := label[string(m.Slice(i, i+1).Images)]; !ok || got != want {
				t.Errorf("%s %d: label %d, MNIST has %d (found: %v)", part, i, got, want, ok)
			}
		}
	}
}
