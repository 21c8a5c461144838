// The MNIST digits: finding and checking the two files of a part, and the data set
// that they make. Pixels stay bytes in memory, and Batch turns them into numbers. Not
// here: the format of the files (idx.go), the list of known files (known.go) and
// downloads, which this package never makes.

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

// WhereMNIST tells users where to get the four files and how to recognise them. This
// package downloads nothing. A program should print WhereMNIST if a file is missing.
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

	imageSet, labelSet string    // the data sets of the two files, if they are known; otherwise empty
	scale, shift       []float64 // 1×MNISTPixels: x = p·scale + shift; nil means x = p/255
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
// The part is two files in fsys. The images of "train" are in the first of these that
// exists, and the names for "t10k" and for the labels, with idx1, are like them:
//
//	train-images-idx3-ubyte
//	train-images-idx3-ubyte.gz
//	train-images.idx3-ubyte
//	train-images.idx3-ubyte.gz
//
// A file may be gzipped whatever its name. Images must have 28×28 pixels, and labels must
// be from 0 to 9. LoadMNIST reads and checks both files whole, but keeps only what it
// returns. It recognises the files of MNIST, and the labels of Fashion-MNIST, by their
// SHA-256. It refuses a known file under another file's name, and labels of one set
// beside images of another.
//
// An error begins with the name of the file in fsys. For os.DirFS(dir),
// dir + "/" + err.Error() begins with the file's path. The error wraps
// [fs.ErrNotExist] if a file is missing.
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
	if images.known.set != labels.known.set && images.known.set != "" && labels.known.set != "" {
		return nil, formatErrorf("%s: it holds the %v, beside the %v", labels.name, labels.known, images.known)
	}
	n := len(images.data) / MNISTPixels
	return &MNIST{
		Images: images.data, Labels: slices.Clone(labels.data[:n]), // without the labels past the limit
		imageSet: images.known.set, labelSet: labels.known.set,
	}, nil
}

// An mnistFile is one of the two files of a part.
type mnistFile struct {
	name  string // in its folder
	dims  []int
	data  []byte // the images or labels up to the limit
	known origin // the known file that has this SHA-256; zero if none has
}

// loadIDX finds and reads the file that should be want. If it has the labels, they must
// fit images. A limit of 0 keeps all of the data.
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
// folders, because some archives of MNIST unpack to a file and a folder whose names
// differ only in their spelling.
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
	return "", fmt.Errorf("%s-idx%d-ubyte: %w, nor does %s.idx%d-ubyte, with or without .gz", stem, rank, fs.ErrNotExist, stem, rank)
}

// withoutPath returns the cause of an error that names its file. The caller names the
// file, so the error must not name it again.
func withoutPath(err error) error {
	if e, ok := err.(*fs.PathError); ok {
		return e.Err
	}
	return err
}

// read reads f's file. If the dimensions do not fit, it reads the data only if the file
// may be a known one, so that the error can say which one it is.
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
	f.known = knownFiles[hex.EncodeToString(hash.Sum(nil))]
	if f.known.set != "" && (f.known.part != want.part || f.known.kind != want.kind) {
		return formatErrorf("it holds the %v", f.known)
	}
	return unfit
}

// checkIDXDims returns an error unless a file of that kind may have these dimensions. If
// it has the labels, there must be one for each of the images.
func checkIDXDims(dims []int, kind string, images *mnistFile) error {
	switch rank := idxRank[kind]; {
	case len(dims) != rank && len(dims) == idxRank["images"]+idxRank["labels"]-rank:
		return formatErrorf("an IDX file of rank %d, want rank %d (are the images and the labels swapped?)", len(dims), rank)
	case len(dims) != rank:
		return formatErrorf("an IDX file of rank %d, want rank %d", len(dims), rank)
	case kind == "images" && (dims[0] == 0 || dims[1] != 28 || dims[2] != 28):
		return formatErrorf("%d images of %d×%d pixels, want one or more of 28×28", dims[0], dims[1], dims[2])
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
// m, with pixels scaled to [0, 1]. The standard deviation is the population's, like
// NumPy's std. For n images with the pixels p:
//
//	mean = Σp / 255n    std = √(n·Σp² − (Σp)²) / 255n
//
// The sums and the difference are integers, and exact for fewer than 2²⁵ images. So std
// is 0 if and only if the pixel never varies. If m has no images, all values are NaN.
func (m *MNIST) Stats() Standardization {
	m.mustFit("Stats")
	var sum, squares [MNISTPixels]uint64
	for image := range slices.Chunk(m.Images, MNISTPixels) {
		for j, p := range image {
			sum[j] += uint64(p)
			squares[j] += uint64(p) * uint64(p)
		}
	}
	n := uint64(m.Len())
	s := Standardization{make([]float64, MNISTPixels), make([]float64, MNISTPixels)}
	for j := range s.Mean {
		s.Mean[j], s.Std[j] = pixelStats(n, sum[j], squares[j])
	}
	return s
}

// StatsOfAll returns one mean and one standard deviation for all pixels: those of all
// pixels of all images. Images that are deformed need it: a pixel that is rarely lit has
// so small a deviation of its own that a stroke which is moved there becomes enormous.
func (m *MNIST) StatsOfAll() Standardization {
	m.mustFit("StatsOfAll")
	var sum, squares uint64
	for _, p := range m.Images {
		sum += uint64(p)
		squares += uint64(p) * uint64(p)
	}
	n := float64(len(m.Images))
	mean := float64(sum) / n
	std := math.Sqrt(float64(squares)/n - float64(mean*mean))
	return Standardization{slices.Repeat([]float64{mean / 255}, MNISTPixels), slices.Repeat([]float64{std / 255}, MNISTPixels)}
}

// pixelStats returns the mean and the standard deviation of a pixel over n images, from
// the sum of its values and the sum of their squares. The two products may wrap around,
// but their difference is below 2⁶⁴ for fewer than 2²⁵ images, so it is exact.
func pixelStats(n, sum, squares uint64) (mean, std float64) {
	return float64(sum) / float64(255*n), math.Sqrt(float64(n*squares-sum*sum)) / float64(255*n)
}

// Standardize makes [MNIST.Batch] give x = (p/255 − Mean) / Std for a pixel p, or
// p/255 − Mean if Std is 0, or p/255 if s is the zero value. Use the [MNIST.Stats] of the
// training part for the test part too:
//
//	stats := train.Stats()
//	train.Standardize(stats)
//	test.Standardize(stats)
//
// A pixel that never varies becomes a number within 2⁻⁵⁴ of zero, and exactly zero
// if it is always 0.
func (m *MNIST) Standardize(s Standardization) {
	if s.Mean == nil && s.Std == nil {
		m.scale, m.shift = nil, nil
		return
	}
	if len(s.Mean) != MNISTPixels || len(s.Std) != MNISTPixels {
		panic(fmt.Sprintf("mlp: Standardize: mean 1×%d, std 1×%d, want 1×%d", len(s.Mean), len(s.Std), MNISTPixels))
	}
	m.scale, m.shift = pixelLine(s.Mean, s.Std)
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
// other digits. It reuses the storage of x and y. It panics if Images does not have
// MNISTPixels bytes for each label, or if a label is over 9.
func (m *MNIST) Batch(x, y *Matrix, index []int) { m.batch(x, y, index, nil, allPixels) }

var allPixels = []interval{{0, MNISTPixels}}

// batch is Batch of these pixels of the images or, if epoch is not nil, of their deformed
// versions.
func (m *MNIST) batch(x, y *Matrix, index []int, epoch *deformedEpoch, pixels []interval) {
	m.mustFit("Batch")
	for _, k := range index {
		if m.Labels[k] >= MNISTClasses {
			panic(fmt.Sprintf("mlp: MNIST.Batch: label %d at index %d, want 0 to 9", m.Labels[k], k))
		}
	}
	x.Reset(len(index), total(pixels))
	y.Reset(len(index), MNISTClasses)
	b := batchTasks.Get().(*batchTask)
	*b = batchTask{m, epoch, x, y, index, pixels, m.scale, m.shift}
	if m.scale == nil {
		b.scale, b.shift = unitScale, unitShift
	}
	share(ceil(len(index), batchRows), b)
	*b = batchTask{}
	batchTasks.Put(b)
}

// A batchTask is a task for share: to fill x and y. A part of the task is batchRows rows.
type batchTask struct {
	m            *MNIST
	epoch        *deformedEpoch // nil if the images are not deformed
	x, y         *Matrix
	index        []int
	pixels       []interval
	scale, shift []float64
}

// The images of a batch are in no order in memory, so a processor cannot guess which one
// comes next. part asks for each image prefetchAhead rows before it is needed, so that the
// image is in the cache by then.
const batchRows, prefetchAhead = 16, 4

var batchTasks = sync.Pool{New: func() any { return new(batchTask) }}

func (b *batchTask) part(c int) {
	var paper canvas
	var deformed [MNISTPixels]byte
	for i := c * batchRows; i < min((c+1)*batchRows, len(b.index)); i++ {
		if i+prefetchAhead < len(b.index) {
			prefetch(b.m.image(b.index[i+prefetchAhead]))
		}
		k := b.index[i]
		image := b.m.image(k)
		if b.epoch != nil {
			paper.set(image)
			b.epoch.deform(&deformed, &paper, k)
			image = deformed[:]
		}
		row := b.x.Row(i)
		for _, p := range b.pixels {
			bytesTo(row[:p.len()], image[p.lo:p.hi], b.scale[p.lo:], b.shift[p.lo:])
			row = row[p.len():]
		}
		want := b.y.Row(i)
		clear(want)
		want[b.m.Labels[k]] = 1
	}
}

func (m *MNIST) image(i int) []byte { return m.Images[i*MNISTPixels : (i+1)*MNISTPixels] }
