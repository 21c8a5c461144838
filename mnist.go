// The MNIST digits: a reader of IDX files and the data set made of four of them.
// Pixels stay bytes here and become standardized numbers as a batch is gathered.
// Nothing is downloaded and nothing is printed.

package mlp

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
)

// An MNIST image is 28×28 = Pixels grey values and shows one of Classes digits.
const (
	Pixels  = 28 * 28
	Classes = 10
)

// WhereMNIST is for a program to print that has not found the four files, as
// nothing here downloads them.
const WhereMNIST = `MNIST is four files: train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz,
t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz. Two public mirrors are
  https://storage.googleapis.com/cvdf-datasets/mnist/
  https://ossci-datasets.s3.amazonaws.com/mnist/
and the SHA-256 of the files' content, unpacked, in that order:
  ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db
  65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5
  0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7
  ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2
`

// maxIDX is the most bytes that the header of an IDX file may claim: 1 GiB.
// MNIST takes 47 MB and the largest of its relatives, EMNIST, 640 MB.
const maxIDX = 1 << 30

// A FormatError says why the content of a file is not what it should be.
type FormatError string

func (e FormatError) Error() string { return string(e) }

// ReadIDX reads r, an IDX file of unsigned bytes, gzipped or not, to its end.
// Element (i, j, k) of data is data[(i*dims[1]+j)*dims[2]+k], and so on for any
// rank from 1; where a dimension is 0, data are empty.
//
// Nothing that the header claims is believed: memory grows with the bytes that
// are there, to at most four times as many, and a claim of more than
// 1 GiB is refused. The error is a [FormatError] for what is no such file, wraps
// [io.ErrUnexpectedEOF] where the file is cut short, and is not nil for bytes
// left over or a wrong gzip checksum.
func ReadIDX(r io.Reader) (dims []int, data []byte, err error) {
	return readIDX(r, func(_ []int, size int) (int, io.Writer, error) { return size, io.Discard, nil })
}

// readIDX does so and, before it reads the size bytes of data, asks look if the
// dimensions fit, how many of the bytes to keep, and who else is to see them all.
func readIDX(r io.Reader, look func(dims []int, size int) (keep int, all io.Writer, err error)) (dims []int, data []byte, err error) {
	br := bufio.NewReaderSize(r, 1<<16)
	if b, _ := br.Peek(2); string(b) == "\x1f\x8b" {
		zr, err := gzip.NewReader(br)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip header: %w", err)
		}
		br = bufio.NewReader(zr)
	}
	dims, size, err := readIDXHeader(br)
	if err != nil {
		return nil, nil, err
	}
	keep, all, err := look(dims, size)
	if err == nil {
		data, err = readIDXData(br, 4+4*len(dims), size, keep, all)
	}
	if err != nil {
		return nil, nil, err
	}
	return dims, data, nil
}

// readIDXHeader reads the magic number and the dimensions; size is their product.
func readIDXHeader(r *bufio.Reader) (dims []int, size int, err error) {
	start, err := r.Peek(4)
	if err != nil {
		return nil, 0, stoppedAt(len(start), 4, err)
	}
	head := make([]byte, 4+4*int(start[3]))
	if err := checkIDXMagic(r); err != nil {
		return nil, 0, err
	}
	if n, err := io.ReadFull(r, head); err != nil {
		return nil, 0, stoppedAt(n, len(head), err)
	}
	product := uint64(1) // at most maxIDX times a uint32: it cannot overflow
	for b := head[4:]; len(b) > 0; b = b[4:] {
		d := uint64(binary.BigEndian.Uint32(b))
		if d > maxIDX || product*d > maxIDX {
			return nil, 0, FormatError(fmt.Sprintf("the header claims %d × %d bytes, over the limit of %d", product, d, maxIDX))
		}
		product *= d
		dims = append(dims, int(d))
	}
	return dims, int(product), nil
}

// checkIDXMagic looks at what r begins with: 0, 0, the type 8, the rank.
func checkIDXMagic(r *bufio.Reader) error {
	types := map[byte]string{8: "uint8", 9: "int8", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}
	start, _ := r.Peek(512)
	switch kind := types[start[2]]; {
	case start[0] != 0 || start[1] != 0 || kind == "":
		text := bytes.ToLower(start)
		if bytes.Contains(text, []byte("<html")) || bytes.Contains(text, []byte("<!doctype html")) {
			return FormatError("an HTML page, not an IDX file")
		}
		return FormatError(fmt.Sprintf("not an IDX file: it begins with %q", start[:4]))
	case kind != "uint8":
		return FormatError("an IDX file of " + kind + ", want uint8")
	case start[3] == 0:
		return FormatError("an IDX file of rank 0, want 1 or more")
	}
	return nil
}

// readIDXData reads the size bytes that follow a header, writes them to all and
// returns the first of them. It demands that r ends there, which makes gzip compare
// its checksum. The slice trebles as it fills and ends at exactly keep.
func readIDXData(r *bufio.Reader, header, size, keep int, all io.Writer) (data []byte, err error) {
	for have := 0; have < keep; {
		grown := make([]byte, min(keep, max(3*have, 1<<16)))
		copy(grown, data)
		data = grown
		n, err := io.ReadFull(r, data[have:])
		have += n
		if err != nil {
			return nil, stoppedAt(header+have, header+size, err)
		}
	}
	all.Write(data)
	if n, err := io.CopyN(all, r, int64(size-keep)); err != nil {
		return nil, stoppedAt(header+keep+int(n), header+size, err)
	}
	switch _, err := r.ReadByte(); err {
	case io.EOF:
		return data, nil
	case nil:
		return nil, FormatError(fmt.Sprintf("bytes left over after the %d that the header claims", header+size))
	default:
		return nil, stoppedAt(header+size, header+size, err)
	}
}

// stoppedAt says where a file, unpacked, could not be read further.
func stoppedAt(at, size int, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("stopped at byte %d of %d: %w", at, size, err)
}

// MNIST is one part of the data set, made by [LoadMNIST]. As it comes, [MNIST.Batch]
// scales the pixels to [0, 1]; see [MNIST.Standardize]. It is safe for concurrent
// use by readers.
type MNIST struct {
	Images []byte // Len()×Pixels, row by row from the top left; 0 is paper, 255 ink
	Labels []byte // Len() digits, 0 to 9
	Known  string // whose they are, where their SHA-256 tells: MNIST, "labels of Fashion-MNIST", or nothing

	scale, shift []float64 // 1×Pixels: x = p·scale + shift
}

//go:embed testdata/mnist/*.gz testdata/mnist/LICENSE
var sampleFiles embed.FS

// Sample returns the folder of the four files that are part of this package, and
// of their LICENSE: 4,000 digits to train and 1,000 to test on, 400 and 100 of
// each, taken from MNIST's training part. A program that does not call it does not
// carry them.
func Sample() fs.FS {
	dir, err := fs.Sub(sampleFiles, "testdata/mnist")
	if err != nil {
		panic(err) // the path above is malformed
	}
	return dir
}

// LoadMNIST reads one part, "train" or "t10k", from the two files of it in fsys:
// part-images-idx3-ubyte and part-labels-idx1-ubyte. Either may have a dot for
// the second hyphen, and may be gzipped, whatever its name says, with or without
// .gz. The images are 28×28 and the labels 0 to 9. A file that is known to be
// another part's, or another set's than the file beside it, is refused.
//
// An error begins with the name of the file in fsys, so that dir + "/" + the
// error holds the path where fsys is os.DirFS(dir). It wraps [fs.ErrNotExist]
// where a file is missing.
func LoadMNIST(fsys fs.FS, part string) (*MNIST, error) {
	return LoadMNISTN(fsys, part, math.MaxInt)
}

// LoadMNISTN is LoadMNIST of the first n images, or of all if there are no more; it
// panics if n is below 1. It reads and checks both files whole, but keeps only what
// it returns.
func LoadMNISTN(fsys fs.FS, part string, n int) (*MNIST, error) {
	if n < 1 {
		panic(fmt.Sprintf("mlp: LoadMNISTN: the first %d images", n))
	}
	images, err := loadIDX(fsys, n, origin{part: part, kind: "images"}, 3, func(d []int) error {
		if d[0] == 0 || d[1] != 28 || d[2] != 28 {
			return FormatError(fmt.Sprintf("%d images of %d×%d pixels, want some of 28×28", d[0], d[1], d[2]))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	labels, err := loadIDX(fsys, math.MaxInt, origin{part: part, kind: "labels"}, 1, func(d []int) error {
		if d[0] != images.dims[0] {
			return FormatError(fmt.Sprintf("%d labels for the %d images of %s", d[0], images.dims[0], images.name))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(labels.data, func(label byte) bool { return label >= Classes }); i >= 0 {
		return nil, FormatError(fmt.Sprintf("%s: label %d at index %d, want 0 to 9", labels.name, labels.data[i], i))
	}
	known, err := sameSet(images.is, labels.is)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", labels.name, err)
	}
	n = len(images.data) / Pixels
	m := &MNIST{Images: images.data, Labels: slices.Clone(labels.data[:n]), Known: known}
	m.Standardize(make([]float64, Pixels), make([]float64, Pixels)) // x = p/255
	return m, nil
}

// An idx is what an IDX file holds, and what it is known to be.
type idx struct {
	name string
	dims []int
	data []byte
	is   origin
}

// loadIDX reads the file that should be want, of the given rank and of dimensions
// that fit, under the first of its spellings that is there, and keeps the first of
// its images or labels. Folders are passed over: some archives of MNIST unpack to a
// folder of one spelling beside the file of the other.
func loadIDX(fsys fs.FS, first int, want origin, rank int, fit func(dims []int) error) (*idx, error) {
	stem := want.part + "-" + want.kind
	for _, format := range []string{"%s-idx%d-ubyte", "%s-idx%d-ubyte.gz", "%s.idx%d-ubyte", "%s.idx%d-ubyte.gz"} {
		f := &idx{name: fmt.Sprintf(format, stem, rank)}
		info, err := fs.Stat(fsys, f.name)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
			continue
		}
		if err == nil && !info.Mode().IsRegular() {
			err = FormatError("not a regular file") // a pipe would be waited for
		}
		if err == nil {
			err = f.read(fsys, first, want, rank, fit)
		}
		if e, ok := err.(*fs.PathError); ok {
			err = e.Err // which names the file once more
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		return f, nil
	}
	return nil, fmt.Errorf("%s-idx%d-ubyte: %w, nor %s.idx%d-ubyte, nor either with .gz", stem, rank, fs.ErrNotExist, stem, rank)
}

// read reads f's file. Of what does not fit it reads the data only where they may
// be known, to say what they are.
func (f *idx) read(fsys fs.FS, first int, want origin, rank int, fit func(dims []int) error) error {
	r, err := fsys.Open(f.name)
	if err != nil {
		return err
	}
	defer r.Close()
	fitRank := func(dims []int) error {
		if err := checkRank(dims, rank); err != nil {
			return err
		}
		return fit(dims)
	}
	h := sha256.New()
	f.dims, f.data, err = readIDX(r, func(dims []int, size int) (int, io.Writer, error) {
		keep := size / max(1, dims[0]) * min(dims[0], first)
		if mayBeKnown(dims) {
			h.Write(idxHeader(dims))
			return keep, h, nil
		}
		return keep, io.Discard, fitRank(dims)
	})
	if err != nil {
		return err
	}
	if f.is = origins[hex.EncodeToString(h.Sum(nil))]; f.is.set != "" && (f.is.part != want.part || f.is.kind != want.kind) {
		return FormatError(fmt.Sprintf("it holds the %v", f.is))
	}
	return fitRank(f.dims)
}

func checkRank(dims []int, rank int) error {
	if len(dims) == rank {
		return nil
	}
	swapped := ""
	if len(dims)+rank == 1+3 {
		swapped = " (are the images and the labels swapped?)"
	}
	return FormatError(fmt.Sprintf("an IDX file of rank %d, want rank %d%s", len(dims), rank, swapped))
}

// Len returns the number of images.
func (m *MNIST) Len() int { return len(m.Labels) }

// Slice returns images lo to hi-1, which m must have, as a part of its own. It
// shares the storage of m, and has the standardization that m has now.
func (m *MNIST) Slice(lo, hi int) *MNIST {
	part := *m
	part.Labels = m.Labels[lo:hi:hi]
	part.Images = m.Images[lo*Pixels : hi*Pixels : hi*Pixels]
	return &part
}

// Stats returns each pixel's mean and standard deviation (the population's, as
// np.std) over the images of m, with pixels scaled to [0, 1]:
//
//	mean = Σp / 255n    std = √(n·Σp² − (Σp)²) / 255n
//
// Everything before the root and the division is an integer and exact below
// 2²⁵ images, so that std is 0 just where a pixel never varies. Without any
// image both are NaN.
func (m *MNIST) Stats() (mean, std []float64) {
	var sum, squares [Pixels]uint64
	for image := range slices.Chunk(m.Images, Pixels) {
		for j, p := range image {
			sum[j] += uint64(p)
			squares[j] += uint64(p) * uint64(p)
		}
	}
	n := uint64(m.Len())
	mean, std = make([]float64, Pixels), make([]float64, Pixels)
	for j := range mean {
		mean[j] = float64(sum[j]) / float64(255*n)
		std[j] = math.Sqrt(float64(n*squares[j]-sum[j]*sum[j])) / float64(255*n)
	}
	return mean, std
}

// Standardize makes [MNIST.Batch] give x = (p/255 − mean) / std for a pixel p, or
// p/255 − mean where std is 0. Both are 1×Pixels, from the training part's
// [MNIST.Stats] for every part:
//
//	mean, std := train.Stats()
//	train.Standardize(mean, std)
//	test.Standardize(mean, std)
//
// A pixel that never varied comes out within 2⁻⁵⁴ of zero, and as exactly zero
// if it was blank.
func (m *MNIST) Standardize(mean, std []float64) {
	if len(mean) != Pixels || len(std) != Pixels {
		panic(fmt.Sprintf("mlp: Standardize: mean 1×%d, std 1×%d, want 1×%d", len(mean), len(std), Pixels))
	}
	m.scale, m.shift = make([]float64, Pixels), make([]float64, Pixels)
	for j, s := range std {
		if s == 0 {
			s = 1
		}
		m.scale[j] = 1 / (255 * s)
		m.shift[j] = -mean[j] / s
	}
}

// Batch sets row i of x, len(index)×Pixels, to image index[i], standardized, and
// row i of y, len(index)×Classes, to 1 for its label and 0 for the others. It
// reuses the storage of x and y.
func (m *MNIST) Batch(x, y *Matrix, index []int) {
	x.Reset(len(index), Pixels)
	y.Reset(len(index), Classes)
	g := gathers.get()
	*g = gather{m, x, y, index}
	share((len(index)+gatherRows-1)/gatherRows, g)
	*g = gather{}
	gathers.put(g)
}

// gather is a batch under way.
type gather struct {
	m     *MNIST
	x, y  *Matrix
	index []int
}

// A part is gatherRows rows, and asks for the image that is gatherAhead rows on: to
// gather 64 images took one thread 15 µs with 2 or 4 rows, 20 with 8, and 29 where
// each was waited for.
const gatherRows, gatherAhead = 16, 4

func (m *MNIST) image(i int) []byte { return m.Images[i*Pixels : (i+1)*Pixels] }

var gathers = make(spares[gather], 16)

func (g *gather) part(c int) {
	m := g.m
	for i := c * gatherRows; i < min((c+1)*gatherRows, len(g.index)); i++ {
		if i+gatherAhead < len(g.index) {
			prefetch(m.image(g.index[i+gatherAhead]))
		}
		k := g.index[i]
		bytesTo(g.x.Row(i), m.image(k), m.scale, m.shift)
		want := g.y.Row(i)
		clear(want)
		want[m.Labels[k]] = 1
	}
}
