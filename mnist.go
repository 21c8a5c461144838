// The MNIST digits: finding and checking the two files of a part, and the data set
// that they make. Pixels stay bytes in memory; Batch turns them into numbers. Nothing
// is downloaded. The format of the files stands in idx.go, and which files are known
// by their checksum in known.go.

package mlp

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sync"
)

// An MNIST image has 28×28 = MNISTPixels grey values and shows one of MNISTClasses
// digits.
const (
	MNISTPixels  = 28 * 28
	MNISTClasses = 10
)

// WhereMNIST tells users where to get the four files and how to recognise them. A
// program should print it if the files are missing, because this package downloads
// nothing.
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

// MNIST is a set of images of digits and their labels, made by [LoadMNIST] or by
// hand from Images and Labels. [MNIST.Batch] scales the pixels to [0, 1] until
// [MNIST.Standardize] is called. Any number of goroutines may read it at a time.
type MNIST struct {
	Images []byte // Len()×MNISTPixels, each image row by row from the top left; 0 is paper, 255 is ink
	Labels []byte // Len() digits from 0 to 9

	imageSet, labelSet string    // the data sets that the two files are known to be of; empty if unknown
	scale, shift       []float64 // 1×MNISTPixels: x = p·scale + shift; nil stands for x = p/255
}

//go:embed testdata/mnist/*.gz testdata/mnist/LICENSE
var sampleFiles embed.FS

// SampleMNIST returns a folder that is embedded in this package: the four files, for
// [LoadMNIST], and their LICENSE. They hold 4,000 digits to train on and 1,000 to
// test on, 400 and 100 of each digit, all from MNIST's training part. Only a program
// that calls SampleMNIST carries the files.
func SampleMNIST() fs.FS {
	dir, err := fs.Sub(sampleFiles, "testdata/mnist")
	if err != nil {
		panic(err) // the path above is malformed
	}
	return dir
}

// LoadMNIST reads the first limit images of a part, "train" or "t10k", and their
// labels, or all of them if limit is 0 or there are no more. It panics if limit is
// negative.
//
// The part is two files in fsys: part-images-idx3-ubyte and part-labels-idx1-ubyte.
// The second hyphen may be a dot, and the name may end in .gz; a file may be gzipped
// whatever its name. Images must be of 28×28 pixels and labels from 0 to 9. LoadMNIST
// reads and checks both files whole, but keeps only what it returns. It recognises
// the files of MNIST, and the labels of Fashion-MNIST, by their SHA-256, and refuses
// one that stands in the place of another or beside images of another set.
//
// An error begins with the name of the file in fsys: if fsys is os.DirFS(dir), put
// dir + "/" before the error and it begins with the path. It wraps [fs.ErrNotExist]
// if a file is missing.
func LoadMNIST(fsys fs.FS, part string, limit int) (*MNIST, error) {
	if limit < 0 {
		panic(fmt.Sprintf("mlp: LoadMNIST: a limit of %d images", limit))
	}
	images, err := loadIDX(fsys, origin{part: part, kind: "images"}, nil, limit)
	if err != nil {
		return nil, err
	}
	labels, err := loadIDX(fsys, origin{part: part, kind: "labels"}, images, 0)
	if err != nil {
		return nil, err
	}
	if i := slices.IndexFunc(labels.data, func(label byte) bool { return label >= MNISTClasses }); i >= 0 {
		return nil, formatErrorf("%s: label %d at index %d, want 0 to 9", labels.name, labels.data[i], i)
	}
	if images.is.set != labels.is.set && images.is.set != "" && labels.is.set != "" {
		return nil, formatErrorf("%s: it holds the %v, beside the %v", labels.name, labels.is, images.is)
	}
	n := len(images.data) / MNISTPixels
	return &MNIST{
		Images: images.data, Labels: slices.Clone(labels.data[:n]), // without the labels past the limit
		imageSet: images.is.set, labelSet: labels.is.set,
	}, nil
}

// An mnistFile is one of the two files of a part.
type mnistFile struct {
	name string // in its folder
	dims []int
	data []byte // of the images or labels up to the limit
	is   origin // what its SHA-256 says it is; zero if unknown
}

// loadIDX finds and reads the file that should be want. For labels, images is the
// file that they must fit. A limit of 0 keeps all of the data.
func loadIDX(fsys fs.FS, want origin, images *mnistFile, limit int) (*mnistFile, error) {
	name, err := findIDX(fsys, want)
	if err != nil {
		return nil, err
	}
	f := &mnistFile{name: name}
	if err := f.read(fsys, want, images, limit); err != nil {
		return nil, fmt.Errorf("%s: %w", name, withoutPath(err))
	}
	return f, nil
}

// idxRank is the number of dimensions of the two kinds of files.
var idxRank = map[string]int{"images": 3, "labels": 1}

// findIDX returns the first spelling of the file's name that is in fsys. It skips
// folders, because some archives of MNIST unpack to a folder whose name is spelt one
// way, beside the file whose name is spelt the other way.
func findIDX(fsys fs.FS, want origin) (name string, err error) {
	stem, rank := want.part+"-"+want.kind, idxRank[want.kind]
	for _, spelling := range []string{"%s-idx%d-ubyte", "%s-idx%d-ubyte.gz", "%s.idx%d-ubyte", "%s.idx%d-ubyte.gz"} {
		name := fmt.Sprintf(spelling, stem, rank)
		info, err := fs.Stat(fsys, name)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir():
			continue
		case err != nil:
			return "", fmt.Errorf("%s: %w", name, withoutPath(err))
		case !info.Mode().IsRegular():
			return "", formatErrorf("%s: not a regular file", name) // to open a pipe would wait for its writer
		}
		return name, nil
	}
	return "", fmt.Errorf("%s-idx%d-ubyte: %w, nor %s.idx%d-ubyte, nor either with .gz", stem, rank, fs.ErrNotExist, stem, rank)
}

// withoutPath returns the cause of an error that names its file, for the name to be
// put before it only once.
func withoutPath(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err
	}
	return err
}

// read reads f's file. It reads the data of a file whose dimensions do not fit only
// if the file may be a known one, so that the error can say which.
func (f *mnistFile) read(fsys fs.FS, want origin, images *mnistFile, limit int) error {
	file, err := fsys.Open(f.name)
	if err != nil {
		return err
	}
	defer file.Close()
	r, err := newIDXReader(file)
	if err != nil {
		return err
	}
	f.dims = r.dims
	unfit := checkIDXDims(f.dims, want.kind, images)
	if unfit != nil && !mayBeKnown(f.dims) {
		return unfit
	}
	keep := r.size
	if limit > 0 {
		keep = r.size / f.dims[0] * min(f.dims[0], limit)
	}
	hash := sha256.New()
	hash.Write(r.header)
	if f.data, err = r.readData(keep, hash); err != nil {
		return err
	}
	f.is = origins[hex.EncodeToString(hash.Sum(nil))]
	if f.is.set != "" && (f.is.part != want.part || f.is.kind != want.kind) {
		return formatErrorf("it holds the %v", f.is)
	}
	return unfit
}

// checkIDXDims returns an error unless dims are those of a file of its kind, and of
// labels that fit the images.
func checkIDXDims(dims []int, kind string, images *mnistFile) error {
	switch rank := idxRank[kind]; {
	case len(dims) != rank && len(dims) == idxRank["images"]+idxRank["labels"]-rank:
		return formatErrorf("an IDX file of rank %d, want rank %d (are the images and the labels swapped?)", len(dims), rank)
	case len(dims) != rank:
		return formatErrorf("an IDX file of rank %d, want rank %d", len(dims), rank)
	case kind == "images" && (dims[0] == 0 || dims[1] != 28 || dims[2] != 28):
		return formatErrorf("%d images of %d×%d pixels, want some of 28×28", dims[0], dims[1], dims[2])
	case kind == "labels" && dims[0] != images.dims[0]:
		return formatErrorf("%d labels for the %d images of %s", dims[0], images.dims[0], images.name)
	}
	return nil
}

// Len returns the number of images.
func (m *MNIST) Len() int { return len(m.Labels) }

// mustFit panics unless there is one image for each label.
func (m *MNIST) mustFit(method string) {
	if len(m.Images) != len(m.Labels)*MNISTPixels {
		panic(fmt.Sprintf("mlp: MNIST.%s: Images has %d bytes and Labels %d, want %d bytes for each label", method, len(m.Images), len(m.Labels), MNISTPixels))
	}
}

// Slice returns images lo to hi-1 as a set of its own, standardized as m is now. The
// two sets share their storage.
func (m *MNIST) Slice(lo, hi int) *MNIST {
	m.mustFit("Slice")
	part := *m
	part.Labels = m.Labels[lo:hi:hi]
	part.Images = m.Images[lo*MNISTPixels : hi*MNISTPixels : hi*MNISTPixels]
	return &part
}

// Stats returns the mean and the standard deviation of each pixel over the images of
// m, both 1×MNISTPixels, with pixels scaled to [0, 1]. The deviation is the
// population's, as NumPy's std. Of n images with pixels p:
//
//	mean = Σp / 255n    std = √(n·Σp² − (Σp)²) / 255n
//
// All that stands before the root and the division is an integer, and exact below
// 2²⁵ images, so that std is 0 if and only if the pixel never varies. If m has no
// images, all are NaN.
func (m *MNIST) Stats() (mean, std []float64) {
	m.mustFit("Stats")
	var sum, squares [MNISTPixels]uint64
	for image := range slices.Chunk(m.Images, MNISTPixels) {
		for j, p := range image {
			sum[j] += uint64(p)
			squares[j] += uint64(p) * uint64(p)
		}
	}
	n := uint64(m.Len())
	mean, std = make([]float64, MNISTPixels), make([]float64, MNISTPixels)
	for j := range mean {
		mean[j] = float64(sum[j]) / float64(255*n)
		std[j] = math.Sqrt(float64(n*squares[j]-sum[j]*sum[j])) / float64(255*n)
	}
	return mean, std
}

// Standardize makes [MNIST.Batch] give x = (p/255 − mean) / std for a pixel p, or
// p/255 − mean if std is 0. Both slices are 1×MNISTPixels and come from
// [MNIST.Stats] of the training part, for the test part too:
//
//	mean, std := train.Stats()
//	train.Standardize(mean, std)
//	test.Standardize(mean, std)
//
// A pixel that never varies becomes a number within 2⁻⁵⁴ of zero, and exactly zero
// if it is always 0.
func (m *MNIST) Standardize(mean, std []float64) {
	if len(mean) != MNISTPixels || len(std) != MNISTPixels {
		panic(fmt.Sprintf("mlp: Standardize: mean 1×%d, std 1×%d, want 1×%d", len(mean), len(std), MNISTPixels))
	}
	m.scale, m.shift = pixelLine(mean, std)
}

// pixelLine returns the scale and the shift of x = p·scale + shift.
func pixelLine(mean, std []float64) (scale, shift []float64) {
	scale, shift = make([]float64, MNISTPixels), make([]float64, MNISTPixels)
	for j, s := range std {
		if s == 0 {
			s = 1
		}
		scale[j] = 1 / (255 * s)
		shift[j] = -mean[j] / s
	}
	return scale, shift
}

// unitScale and unitShift give x = p/255.
var unitScale, unitShift = pixelLine(make([]float64, MNISTPixels), make([]float64, MNISTPixels))

// Batch sets row i of x, len(index)×MNISTPixels, to the standardized pixels of image
// index[i], and row i of y, len(index)×MNISTClasses, to 1 for its label and 0 for the
// other digits. It reuses the storage of x and y. It panics if the lengths of Images
// and Labels do not fit, or a label is over 9.
func (m *MNIST) Batch(x, y *Matrix, index []int) {
	m.mustFit("Batch")
	for _, k := range index {
		if m.Labels[k] >= MNISTClasses {
			panic(fmt.Sprintf("mlp: MNIST.Batch: label %d at index %d, want 0 to 9", m.Labels[k], k))
		}
	}
	x.Reset(len(index), MNISTPixels)
	y.Reset(len(index), MNISTClasses)
	b := batches.Get().(*batch)
	*b = batch{m, x, y, index, m.scale, m.shift}
	if m.scale == nil {
		b.scale, b.shift = unitScale, unitShift
	}
	share((len(index)+batchRows-1)/batchRows, b)
	*b = batch{}
	batches.Put(b)
}

// A batch is a task for share: to fill x and y. A part of the task is batchRows rows.
type batch struct {
	m            *MNIST
	x, y         *Matrix
	index        []int
	scale, shift []float64
}

// Images stand anywhere in memory, and a processor cannot guess which comes next. So
// the image that is needed prefetchAhead rows later is asked for early, and is in the
// cache by then.
const batchRows, prefetchAhead = 16, 4

var batches = sync.Pool{New: func() any { return new(batch) }}

func (b *batch) part(c int) {
	for i := c * batchRows; i < min((c+1)*batchRows, len(b.index)); i++ {
		if i+prefetchAhead < len(b.index) {
			prefetch(b.m.image(b.index[i+prefetchAhead]))
		}
		k := b.index[i]
		bytesTo(b.x.Row(i), b.m.image(k), b.scale, b.shift)
		want := b.y.Row(i)
		clear(want)
		want[b.m.Labels[k]] = 1
	}
}

func (m *MNIST) image(i int) []byte { return m.Images[i*MNISTPixels : (i+1)*MNISTPixels] }
