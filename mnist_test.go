// Tests of the digits: IDX files that are whole, cut, changed or hostile; the files of MNIST,
// their names and checksums; and the numbers that Batch makes of the pixels. The sample's files
// are flipped and cut in attack_test.go.

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
	"math/big"
	"math/rand/v2"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"testing/iotest"
)

// idxFile returns an IDX file: a header with these dimensions, then data.
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

func TestReadIDX(t *testing.T) {
	big := make([]byte, 300_001) // the slice of data grows several times
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
		{"rank 0", []byte{0, 0, 8, 0}, "an IDX file without dimensions"},
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

// A file that is cut, or whose reader fails, at any byte is refused, and the reader's own error
// is passed on.
func TestReadIDXTruncated(t *testing.T) {
	fire := errors.New("the disk is on fire")
	plain := idxFile([]byte("twelve bytes"), 3, 4)
	for _, file := range [][]byte{plain, gzipped(plain)} {
		for n := range file {
			_, _, cut := ReadIDX(bytes.NewReader(file[:n]))
			_, _, failed := ReadIDX(io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(fire)))
			if !errors.Is(cut, io.ErrUnexpectedEOF) || !errors.Is(failed, fire) {
				t.Errorf("%d of %d bytes: errors %v and %v", n, len(file), cut, failed)
			}
		}
	}
}

func TestReadIDXFlippedBits(t *testing.T) {
	want := []byte("a few bytes, a few bytes")
	file, refused := gzipped(idxFile(want, 2, 12)), 0
	for bit := range 8 * len(file) {
		flipped := slices.Clone(file)
		flipped[bit/8] ^= 1 << (bit % 8)
		_, data, err := ReadIDX(bytes.NewReader(flipped))
		if err != nil {
			refused++
		} else if !bytes.Equal(data, want) {
			t.Errorf("bit %d of byte %d: read %q without an error", bit%8, bit/8, data)
		}
	}
	if header := 8 * 10; refused < 8*len(file)-header || refused == 8*len(file) {
		t.Errorf("%d of %d flips are refused, want all outside gzip's header and not all inside", refused, 8*len(file))
	}
}

// endless is a file of zeros that never ends. It counts how many bytes were read.
type endless struct{ read int }

func (z *endless) Read(p []byte) (int, error) {
	clear(p)
	z.read += len(p)
	return len(p), nil
}

// Memory and time grow with the bytes that are there, not with those that the header claims. All
// that ReadIDX allocates is the pieces of its slice of data, each three times as long as the one
// before, and some buffers. The last two pieces, which it holds at the same time, are four times
// the data, and all pieces are 4.5 times the data.
func TestReadIDXBelievesNoHeader(t *testing.T) {
	for _, test := range []struct {
		n    int
		dims []uint32
	}{
		{10, []uint32{math.MaxUint32, 28, 28}}, {10, []uint32{math.MaxUint32}}, {10, []uint32{1 << 20, 28, 28}},
		{0, []uint32{1 << 20, 28, 28}}, {1 << 16, []uint32{1 << 20, 28, 28}}, {3<<16 + 1, []uint32{1 << 20, 28, 28}},
		{16 << 16, []uint32{1 << 20, 28, 28}}, {27 << 16, []uint32{1 << 20, 28, 28}},
	} {
		plain := idxFile(make([]byte, test.n), test.dims...)
		for _, file := range [][]byte{plain, gzipped(plain)} {
			var err error
			got := allocated(func() { _, _, err = ReadIDX(bytes.NewReader(file)) })
			if tooLarge := test.dims[0] == math.MaxUint32; err == nil || errors.Is(err, io.ErrUnexpectedEOF) == tooLarge {
				t.Errorf("%v with %d bytes there: error %v", test.dims, test.n, err)
			}
			if most := uint64(test.n*9/2 + 256<<10); got > most {
				t.Errorf("%v with %d bytes there: %d bytes allocated, want at most %d", test.dims, test.n, got, most)
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
	for _, file := range [][]byte{good, gzipped(good), idxFile(nil, 0), idxFile([]byte{1}, 65536, 65536), []byte("<html>")} {
		f.Add(file)
	}
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

// randomDigits returns n images of random pixels, with the labels 0, 1, …, 9, 0, … .
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

// A file has one of four names, and it may be gzipped whatever its name. A folder may have the
// name of a file.
func TestLoadMNISTSpellings(t *testing.T) {
	images, labels := randomDigits(12)
	wholeImages, wholeLabels := idxFile(images, 12, 28, 28), idxFile(labels, 12)
	all := []fstest.MapFS{{
		"train-images-idx3-ubyte/train-images-idx3-ubyte": {Data: []byte("not this one")},
		"train-images.idx3-ubyte":                         {Data: gzipped(wholeImages)},
		"train-labels-idx1-ubyte.gz":                      {Data: wholeLabels},
	}}
	forms := map[string]func([]byte) []byte{"": bytes.Clone, ".gz": gzipped}
	for _, dot := range []string{"-", "."} {
		for imageExt, packImages := range forms {
			for labelExt, packLabels := range forms {
				all = append(all, fstest.MapFS{
					"train-images" + dot + "idx3-ubyte" + imageExt: {Data: packImages(wholeImages)},
					"train-labels" + dot + "idx1-ubyte" + labelExt: {Data: packLabels(wholeLabels)},
				})
			}
		}
	}
	for _, fsys := range all {
		m, err := LoadMNIST(fsys, "train", 0)
		if err != nil || m.Len() != 12 || !bytes.Equal(m.Images, images) || !bytes.Equal(m.Labels, labels) {
			t.Errorf("%v: other digits than were written, or error %v", fsys, err)
		}
	}
}

// digitFiles returns a folder with the files of the training part. It leaves out a file that is nil.
func digitFiles(images, labels []byte) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, data := range map[string][]byte{"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels} {
		if data != nil {
			fsys[name] = &fstest.MapFile{Data: data}
		}
	}
	return fsys
}

// With a limit, both files are read and checked to their ends, but only the first images and
// labels are kept.
func TestLoadMNISTLimit(t *testing.T) {
	images, labels := randomDigits(12)
	whole, labelled := idxFile(images, 12, 28, 28), idxFile(labels, 12)
	for n := range 14 {
		m, err := LoadMNIST(digitFiles(gzipped(whole), labelled), "train", n)
		if err != nil {
			t.Fatal(err)
		}
		have := min(n, 12)
		if n == 0 {
			have = 12
		}
		if !bytes.Equal(m.Images, images[:have*MNISTPixels]) || cap(m.Images) > have*MNISTPixels || !bytes.Equal(m.Labels, labels[:have]) {
			t.Errorf("limit %d of 12: %d bytes of images, %d bytes held, %d labels", n, len(m.Images), cap(m.Images), len(m.Labels))
		}
	}
	flipped := gzipped(whole)
	flipped[len(flipped)-8] ^= 1 // in the checksum
	wrong := bytes.Clone(labelled)
	wrong[len(wrong)-1] = 10
	for want, files := range map[string]fstest.MapFS{
		"stopped at byte 9324 of 9424: unexpected EOF": digitFiles(whole[:len(whole)-100], labelled),
		"gzip: invalid checksum":                       digitFiles(flipped, labelled),
		"bytes left over after the 9424":               digitFiles(append(bytes.Clone(whole), 0), labelled),
		"label 10 at index 11, want 0 to 9":            digitFiles(whole, wrong),
		"11 labels for the 12 images":                  digitFiles(whole, idxFile(labels[:11], 11)),
	} {
		_, err := LoadMNIST(files, "train", 3)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
		m, opened := OpenMNIST(files, "train", 3)
		if opened == nil {
			opened = m.Check()
		}
		if opened == nil || err == nil || opened.Error() != err.Error() {
			t.Errorf("OpenMNIST and Check: error %v, LoadMNIST: %v", opened, err)
		}
	}
}

// slowFile is a file that stops in the middle until goOn is closed.
type slowFile struct {
	fs.File
	left int
	goOn chan bool
}

func (f *slowFile) Read(p []byte) (int, error) {
	if f.left == 0 {
		<-f.goOn
		return f.File.Read(p)
	}
	n, err := f.File.Read(p[:min(len(p), f.left)])
	f.left -= n
	return n, err
}

type slowFolder struct {
	fstest.MapFS
	goOn chan bool
}

func (d slowFolder) Open(name string) (fs.File, error) {
	f, err := d.MapFS.Open(name)
	if strings.Contains(name, "images") {
		f = &slowFile{f, 12 * MNISTPixels / 2, d.goOn}
	}
	return f, err
}

// OpenMNIST returns before the files are read to their ends, and its set can be used. The first file with a
// fault is the one that is named, whichever fault comes first.
func TestOpenMNIST(t *testing.T) {
	images, labels := randomDigits(12)
	whole := idxFile(images, 12, 28, 28)
	slow := slowFolder{digitFiles(whole, idxFile(labels, 12)), make(chan bool)}
	m, err := OpenMNIST(slow, "train", 3)
	if err != nil || !bytes.Equal(m.Images, images[:3*MNISTPixels]) || !bytes.Equal(m.Labels, labels[:3]) {
		t.Fatalf("other digits than were written, or error %v", err)
	}
	close(slow.goOn)
	if err := m.Slice(1, 2).Check(); err != nil || m.String() != "3 images" {
		t.Errorf("%v, error %v", m, err)
	}
	_, err = OpenMNIST(digitFiles(whole[:len(whole)-1], nil), "train", 3)
	if err == nil || !strings.HasPrefix(err.Error(), "train-images-idx3-ubyte: stopped at byte 9423") {
		t.Errorf("error %v", err)
	}
	if err := new(MNIST).Check(); err != nil {
		t.Error(err)
	}
}

func TestLoadMNISTErrors(t *testing.T) {
	images, labels := randomDigits(12)
	goodImages, goodLabels := idxFile(images, 12, 28, 28), idxFile(labels, 12)
	eleven := bytes.Clone(goodLabels)
	eleven[8+5] = 10
	const I, L = "train-images-idx3-ubyte", "train-labels-idx1-ubyte"
	for _, test := range []struct {
		fsys fs.FS
		want string
	}{
		{digitFiles(nil, goodLabels), I + ": file does not exist, nor does train-images.idx3-ubyte, with or without .gz"},
		{digitFiles(goodImages, nil), L + ": file does not exist, nor does train-labels.idx1-ubyte, with or without .gz"},
		{digitFiles(goodLabels, goodImages), I + ": an IDX file of rank 1, want rank 3 (are the images and the labels swapped?)"},
		{digitFiles(goodImages, goodImages), L + ": an IDX file of rank 3, want rank 1 (are the images and the labels swapped?)"},
		{digitFiles(idxFile(images, 12, 784), goodLabels), I + ": an IDX file of rank 2, want rank 3"},
		{digitFiles(idxFile(images, 6, 28, 56), goodLabels), I + ": 6 images of 28×56 pixels, want one or more of 28×28"},
		{digitFiles(idxFile(nil, 6, 28, 56), goodLabels), I + ": 6 images of 28×56 pixels, want one or more of 28×28"}, // and no data
		{digitFiles(goodImages, idxFile(make([]byte, 10000), 10000)), L + ": 10000 labels for the 12 images of " + I},
		{digitFiles(idxFile(nil, 0, 28, 28), idxFile(nil, 0)), I + ": 0 images of 28×28 pixels, want one or more of 28×28"},
		{digitFiles(goodImages, idxFile(labels[:11], 11)), L + ": 11 labels for the 12 images of " + I},
		{digitFiles(goodImages, eleven), L + ": label 10 at index 5, want 0 to 9"},
		{digitFiles(goodImages[:1000], goodLabels), I + ": stopped at byte 1000 of 9424: unexpected EOF"},
		{digitFiles(goodImages, []byte("<html>")), L + ": an HTML page, not an IDX file"},
		// The file is named only once, and one that is not regular is not opened.
		{locked{}, I + ": permission denied"},
		{lockedFile{}, I + ": file is closed"},
		{fstest.MapFS{I: {Mode: fs.ModeNamedPipe}}, I + ": not a regular file"},
	} {
		m, err := LoadMNIST(test.fsys, "train", 0)
		if m != nil || err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if strings.Contains(test.want, "exist") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: error of type %T", err, err)
		}
	}
}

// locked is a folder that cannot be looked into, lockedFile one whose files cannot be opened.
type locked struct{}
type lockedFile struct{}

func (locked) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
}

func (lockedFile) Stat(name string) (fs.FileInfo, error) {
	return fstest.MapFS{name: {}}.Stat(name)
}

func (lockedFile) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: errors.New("file is closed")}
}

// cmd/train/README.md has the sums of all known files, and WhereMNIST those of MNIST.
func TestKnownSums(t *testing.T) {
	readme := readText(t, "cmd/train/README.md")
	for sum, file := range knownFiles {
		if !strings.Contains(readme, sum) {
			t.Errorf("the README lacks the sum of the %v", file)
		}
		if file.set == "MNIST" && !strings.Contains(WhereMNIST, sum) {
			t.Errorf("WhereMNIST lacks the sum of the %v", file)
		}
	}
}

// knownSet returns the four files of a set with 10,000 images in each part, and makes them known
// under the given name until the test ends. Sets of different seeds differ.
func knownSet(t *testing.T, name string, seed byte) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	const n = 10000
	for _, part := range []string{"train", "t10k"} {
		images, labels := make([]byte, n*MNISTPixels), make([]byte, n)
		images[0], labels[0] = seed, seed
		images[1], labels[1] = byte(len(part)), byte(len(part))
		for kind, file := range map[string][]byte{"-images-idx3": idxFile(images, n, 28, 28), "-labels-idx1": idxFile(labels, n)} {
			files[part+kind+"-ubyte"] = &fstest.MapFile{Data: file}
			sum := contentSum(t, bytes.NewReader(file), "")
			if _, ok := knownFiles[sum]; ok {
				t.Fatalf("%s is known already", sum)
			}
			knownFiles[sum] = knownFile{name, part + kind[:7]}
			t.Cleanup(func() { delete(knownFiles, sum) })
		}
	}
	return files
}

// A set of digits names its data set, and a known file under another file's name is refused.
func TestKnown(t *testing.T) {
	const I, L, TI, TL = "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"
	a, b := knownSet(t, "A", 1), knownSet(t, "B", 2)
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

// The sample has as many of each digit, shuffled, and no image twice.
func TestSample(t *testing.T) {
	seen := map[string]string{}
	for part, each := range map[string]int{"train": 400, "t10k": 100} {
		m := sample(t, part)
		for digit := range MNISTClasses {
			if n := bytes.Count(m.Labels, []byte{byte(digit)}); n != each {
				t.Errorf("%s has %d of digit %d, want %d", part, n, digit, each)
			}
		}
		if slices.IsSorted(m.Labels) {
			t.Errorf("%s is not shuffled", part)
		}
		for i := range m.Len() {
			image, here := string(m.image(i)), fmt.Sprintf("%s %d", part, i)
			if there, ok := seen[image]; ok {
				t.Errorf("%s is the same image as %s", here, there)
			}
			seen[image] = here
		}
	}
}

// contentSum returns the SHA-256 of the content of a file, unpacked if its name ends in .gz.
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

// The table in testdata/README.md has the sums of the files.
func TestTestdataREADME(t *testing.T) {
	readme := readText(t, "testdata/README.md")
	var files []string
	for _, pattern := range []string{"mnist/*.gz", "*.json", "npz/*.np?"} {
		some, _ := fs.Glob(os.DirFS("testdata"), pattern)
		files = append(files, some...)
	}
	if len(files) != 14 {
		t.Errorf("the files are %q", files)
	}
	for _, name := range files {
		file := strings.NewReader(readText(t, "testdata/"+name))
		if line := fmt.Sprintf("| `%s` | `%s` |", name, contentSum(t, file, name)); !strings.Contains(readme, line) {
			t.Errorf("testdata/README.md lacks the line %s", line)
		}
	}
}

func TestStats(t *testing.T) {
	images, labels := randomDigits(301)
	for i := range labels {
		images[i*MNISTPixels+5] = 0            // always blank
		images[i*MNISTPixels+6] = 201          // never varies
		images[i*MNISTPixels+7] = 254          // varies once, below
		images[i*MNISTPixels+8] = byte(i % 2)  // 0 and 1
		images[i*MNISTPixels+9] = byte(-i % 2) // 0 and 255
	}
	images[7] = 255
	stats := (&MNIST{Images: images, Labels: labels}).Stats()
	mean, std := stats.Mean, stats.Std
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
		if want := math.Sqrt(square / 301); math.Abs(mean[j]-naive) > 1e-14 || math.Abs(std[j]-want) > 1e-14 {
			t.Errorf("pixel %d: mean %v and std %v, want %v and %v", j, mean[j], std[j], naive, want)
		}
	}
	if mean[5] != 0 || mean[6] != 201.0/255 || std[5] != 0 || std[6] != 0 || std[7] == 0 {
		t.Errorf("constant pixels: mean %v, std %v", mean[5:8], std[5:8])
	}
	for _, s := range []Standardization{new(MNIST).Stats(), new(MNIST).StatsOfAll()} {
		if !math.IsNaN(s.Mean[0]) || !math.IsNaN(s.Std[0]) {
			t.Errorf("of no images: mean %v, std %v, want NaN", s.Mean[0], s.Std[0])
		}
	}
}

// The products wrap around, but their difference is exact, up to the most images and the most
// varied pixel for which it is below 2⁶⁴.
func TestStatsOfManyImages(t *testing.T) {
	const n = 1<<25 - 2
	for _, c := range []struct{ white, rest uint64 }{{0, 0}, {0, 1}, {1, 0}, {n / 2, 0}, {n - 1, 254}, {n, 0}} {
		sum, squares := 255*c.white+c.rest*(n-c.white), 255*255*c.white+c.rest*c.rest*(n-c.white)
		left, right := new(big.Int).SetUint64(squares), new(big.Int).SetUint64(sum)
		difference := left.Sub(left.Mul(left, big.NewInt(n)), right.Mul(right, right))
		variance, _ := new(big.Float).SetInt(difference).Float64()
		mean, std := pixelStats(n, sum, squares)
		if wantMean, wantStd := float64(sum)/(255*n), math.Sqrt(variance)/(255*n); mean != wantMean || std != wantStd {
			t.Errorf("%d images of 255, the others of %d: mean %v and std %v, want %v and %v", c.white, c.rest, mean, std, wantMean, wantStd)
		}
	}
}

// Batch gives the pixels and the labels of the index, standardized or not, also if the caller
// asks for some of the pixels.
func TestBatch(t *testing.T) {
	train := sample(t, "train")
	stats := train.Stats()
	mean, std := stats.Mean, stats.Std
	var x, y, some Matrix
	index := []int{3, 0, 3999, 3}
	for _, standardized := range []bool{false, true, false} {
		if train.Standardize(Standardization{}); standardized {
			train.Standardize(stats)
		}
		train.Batch(&x, &y, []int{9, 8, 7, 6}) // leaves something to overwrite
		train.Batch(&x, &y, index)
		if x.Rows != 4 || x.Cols != MNISTPixels || y.Rows != 4 || y.Cols != MNISTClasses {
			t.Fatalf("shapes %d×%d and %d×%d", x.Rows, x.Cols, y.Rows, y.Cols)
		}
		for i, k := range index {
			for j, p := range train.image(k) {
				want := float64(p) / 255
				if standardized {
					want -= mean[j]
					if std[j] != 0 {
						want /= std[j]
					}
				}
				if got := x.Row(i)[j]; math.Abs(got-want) > 1e-14*max(1, math.Abs(want)) {
					t.Fatalf("x(%d, %d) = %v, want %v", i, j, got, want)
				}
			}
			for c, got := range y.Row(i) {
				if want := c == int(train.Labels[k]); (got == 1) != want || (got == 0) == want {
					t.Fatalf("y(%d, %d) = %v for label %d", i, c, got, train.Labels[k])
				}
			}
		}
		train.batch(1, &some, &y, index, nil, []interval{{100, 107}, {300, 400}})
		for i := range index {
			if row := x.Row(i); !slices.Equal(some.Row(i), slices.Concat(row[100:107], row[300:400])) {
				t.Fatalf("some pixels of row %d are others", i)
			}
		}
	}
}

// A set made by hand needs no other call before Batch, and a panic says what is wrong with a set
// whose images and labels do not fit, or with an argument.
func TestMNISTByHand(t *testing.T) {
	images, labels := randomDigits(20)
	var x, y Matrix
	(&MNIST{Images: images, Labels: labels}).Batch(&x, &y, []int{13, 7})
	for j, p := range images[7*MNISTPixels : 8*MNISTPixels] {
		if got, want := x.Row(1)[j], float64(p)/255; math.Abs(got-want) > 0x1p-53 {
			t.Fatalf("pixel %d of %d becomes %v, want %v", j, p, got, want)
		}
	}
	if !slices.Equal(y.Row(1), []float64{0, 0, 0, 0, 0, 0, 0, 1, 0, 0}) {
		t.Errorf("label 7 becomes %v", y.Row(1))
	}
	wrong := bytes.Clone(labels)
	wrong[7] = 10
	(&MNIST{Images: images, Labels: wrong}).Batch(&x, &y, []int{6, 8}) // the wrong label is not asked for
	for _, test := range []struct {
		m    MNIST
		use  func(m *MNIST)
		want string
	}{
		{MNIST{Labels: labels}, func(m *MNIST) { m.Batch(&x, &y, []int{0}) }, "mlp: MNIST.Batch: Images has 0 bytes and Labels 20, want 784 bytes for each label"},
		{MNIST{Images: images}, func(m *MNIST) { m.Batch(&x, &y, []int{0}) }, "mlp: MNIST.Batch: Images has 15680 bytes and Labels 0, want 784 bytes for each label"},
		{MNIST{Images: images[1:], Labels: labels}, func(m *MNIST) { m.Slice(1, 2) }, "mlp: MNIST.Slice: Images has 15679 bytes and Labels 20, want 784 bytes for each label"},
		{MNIST{Images: images, Labels: labels[:19]}, func(m *MNIST) { m.Stats() }, "mlp: MNIST.Stats: Images has 15680 bytes and Labels 19, want 784 bytes for each label"},
		{MNIST{Images: images, Labels: wrong}, func(m *MNIST) { m.Batch(&x, &y, []int{6, 7}) }, "mlp: MNIST.Batch: label 10 at index 7, want 0 to 9"},
		{MNIST{}, func(m *MNIST) { m.Standardize(Standardization{make([]float64, MNISTPixels), make([]float64, 10)}) }, "mlp: Standardize: mean 1×784, std 1×10, want 1×784"},
		{MNIST{}, func(m *MNIST) { m.Standardize(Standardization{make([]float64, 10), make([]float64, MNISTPixels)}) }, "mlp: Standardize: mean 1×10, std 1×784, want 1×784"},
		{MNIST{}, func(*MNIST) { LoadMNIST(SampleMNIST(), "train", -1) }, "mlp: LoadMNIST: a limit of -1 images"},
	} {
		if got := panicOf(func() { test.use(&test.m) }); got != test.want {
			t.Errorf("panic %q, want %q", got, test.want)
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

// Over the images of a standardized set, each pixel has mean 0 and deviation 1.
func TestBatchIsStandardized(t *testing.T) {
	images, labels := randomDigits(200)
	m := &MNIST{Images: images, Labels: labels}
	m.Standardize(m.Stats())
	var x, y Matrix
	m.Batch(&x, &y, shuffle(make([]int, 200), 0, 0, true))
	for j := range MNISTPixels {
		var sum, square float64
		for i := range x.Rows {
			sum += x.Row(i)[j]
			square += x.Row(i)[j] * x.Row(i)[j]
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
	for range 2 {
		if n := testing.AllocsPerRun(10, func() { m.Batch(x, y, index) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
		m.Batch(x, y, index[:5]) // the last batch of an epoch may be smaller than the next
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

// fullMNIST returns the folder of full MNIST that $MNIST_DIR names, or skips the test.
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

// fullTrain is the training part of full MNIST. Tests that use it call fullMNIST first, and do
// not change it.
var fullTrain = sync.OnceValues(func() (*MNIST, error) { return LoadMNIST(os.DirFS(os.Getenv("MNIST_DIR")), "train", 0) })

// Full MNIST is read as its files have it, and a file of it is refused under another file's name.
func TestFullMNIST(t *testing.T) {
	fsys := fullMNIST(t)
	for part, want := range map[string][MNISTClasses]int{
		"train": {5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
		"t10k":  {980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009},
	} {
		m, err := fullTrain()
		if part == "t10k" {
			m, err = LoadMNIST(fsys, part, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%d images of MNIST", len(m.Labels)); m.String() != want {
			t.Errorf("%s is %v, want %s", part, m, want)
		}
		n := uint32(m.Len())
		for kind, file := range map[string][]byte{"images": idxFile(m.Images, n, 28, 28), "labels": idxFile(m.Labels, n)} {
			sum := fmt.Sprintf("%x", sha256.Sum256(file))
			if knownFiles[sum] != (knownFile{"MNIST", part + "-" + kind}) {
				t.Errorf("%s-%s have SHA-256 %s, which is %v", part, kind, sum, knownFiles[sum])
			}
		}
		var histogram [MNISTClasses]int
		for _, label := range m.Labels {
			histogram[label]++
		}
		if histogram != want {
			t.Errorf("%s has %v of the digits, want %v", part, histogram, want)
		}
		if cap(m.Images) != len(m.Images) {
			t.Errorf("%s images hold %d bytes for %d", part, cap(m.Images), len(m.Images))
		}
	}
	images, err := fs.ReadFile(fsys, "t10k-images-idx3-ubyte.gz")
	if err != nil {
		t.Fatal(err)
	}
	_, err = LoadMNIST(digitFiles(images, nil), "train", 0)
	if want := "train-images-idx3-ubyte: it holds the t10k-images of MNIST"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// Each image of the sample is one of the first 10,000 of MNIST's training part, and has its label.
func TestSampleIsMNIST(t *testing.T) {
	fullMNIST(t)
	full, err := fullTrain()
	if err != nil {
		t.Fatal(err)
	}
	label := map[string]byte{}
	for i := range 10_000 {
		label[string(full.image(i))] = full.Labels[i]
	}
	for _, part := range []string{"train", "t10k"} {
		m := sample(t, part)
		for i, got := range m.Labels {
			if want, ok := label[string(m.image(i))]; !ok || got != want {
				t.Errorf("%s %d: label %d, MNIST has %d (found: %v)", part, i, got, want, ok)
			}
		}
	}
}
