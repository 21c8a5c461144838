// The MNIST digits as a data set: the IDX files that hold them, the files that are known by their checksum,
// and batches. Pixels stay bytes in memory, and Batch turns them into numbers.

package mlp

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"sync"
)

// An MNIST image has 28×28 = MNISTPixels grey values and shows one of MNISTClasses digits.
const (
	MNISTPixels  = 28 * 28
	MNISTClasses = 10
)

// MNIST is a set of images of digits and their labels, made by [LoadMNIST] or by hand from Images and
// Labels. [MNIST.Batch] scales the pixels to [0, 1] until [MNIST.Standardize] is called. Any number of
// goroutines may read it at a time.
type MNIST struct {
	Images []byte // Len()×MNISTPixels, each image row by row from the top left; 0 is paper, 255 is ink
	Labels []byte // Len() digits from 0 to 9

	check        func() (source string, err error) // reads the files to their ends; source is for String. nil if there are none
	scale, shift []float64                         // 1×MNISTPixels: x = p·scale + shift; nil means x = p/255
}

// WhereMNIST tells users where to get the four files and how to recognise them. This package downloads
// nothing. A program should print WhereMNIST if a file is missing.
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

// A knownFile names a file that is recognised: its data set, and how its name begins.
type knownFile struct{ set, stem string }

func (k knownFile) String() string { return k.stem + " of " + k.set }

// knownFiles has the known files by the SHA-256 of their unpacked content, because the same content is
// found compressed in different ways.
var knownFiles = map[string]knownFile{
	"ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db": {"MNIST", "train-images"},
	"65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5": {"MNIST", "train-labels"},
	"0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7": {"MNIST", "t10k-images"},
	"ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2": {"MNIST", "t10k-labels"},
	"bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9": {"Fashion-MNIST", "train-labels"},
	"0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34": {"Fashion-MNIST", "t10k-labels"},
}

//go:embed testdata/mnist/*.gz testdata/mnist/LICENSE
var sampleFiles embed.FS

// SampleMNIST returns a folder that is embedded in this package: the four files, for [LoadMNIST], and their
// LICENSE. They hold 4,000 digits to train on and 1,000 to test on, 400 and 100 of each digit, all from
// MNIST's training part. Only a program that calls SampleMNIST carries the files.
func SampleMNIST() fs.FS {
	dir, _ := fs.Sub(sampleFiles, "testdata/mnist") // an error would mean that this path is malformed
	return dir
}

// LoadMNIST reads the first limit images of a part, "train" or "t10k", and their labels, or all of them if
// limit is 0 or there are no more. It panics if limit is negative.
//
// The part is two files in fsys. The images of "train" are in the first of these that exists:
// train-images-idx3-ubyte, train-images-idx3-ubyte.gz, train-images.idx3-ubyte and
// train-images.idx3-ubyte.gz. The names for "t10k" and for the labels, with idx1, are like them. A file may
// be gzipped whatever its name. Images must have 28×28 pixels, and labels must be from 0 to 9. LoadMNIST
// reads and checks both files whole, but keeps only what it returns. It expects at most eight unpacked bytes for each
// byte of a file, and makes room for so many at once. It recognises the files of MNIST, and
// the labels of Fashion-MNIST, by their SHA-256. It refuses a known file under another file's name, and
// labels of one set beside images of another.
//
// An error begins with the name of the file in fsys. For os.DirFS(dir), dir + "/" + err.Error() begins with
// the file's path. The error wraps [fs.ErrNotExist] if a file is missing.
func LoadMNIST(fsys fs.FS, part string, limit int) (*MNIST, error) {
	m, err := openMNIST("LoadMNIST", fsys, part, limit)
	if err == nil {
		err = m.Check()
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// OpenMNIST is LoadMNIST, but returns as soon as it has the images. A goroutine reads and checks what the files
// have after them, and [MNIST.Check] waits for it.
func OpenMNIST(fsys fs.FS, part string, limit int) (*MNIST, error) {
	m, err := openMNIST("OpenMNIST", fsys, part, limit)
	if err == nil {
		go m.Check()
	}
	return m, err
}

// Check waits until the files that m is from are read to their ends. It returns the error that LoadMNIST would
// have returned.
func (m *MNIST) Check() error {
	if m.check == nil {
		return nil
	}
	_, err := m.check()
	return err
}

// openMNIST reads the images up to the limit and all labels. Check reads the rest of the images' file.
func openMNIST(method string, fsys fs.FS, part string, limit int) (*MNIST, error) {
	if limit < 0 {
		panic(fmt.Sprintf("mlp: %s: a limit of %d images", method, limit))
	}
	var images, labels mnistFile
	if err := images.open(fsys, part+"-images", 3, nil, limit); err != nil {
		return nil, err
	}
	err := labels.open(fsys, part+"-labels", 1, &images, 0)
	if err == nil {
		err = labels.finish()
	}
	if i := slices.IndexFunc(labels.data, func(label byte) bool { return label >= MNISTClasses }); err == nil && i >= 0 {
		err = formatErrorf("%s: label %d at index %d, want 0 to 9", labels.name, labels.data[i], i)
	}
	if err != nil { // the error of the first file comes first
		return nil, cmp.Or(images.finish(), err)
	}
	kept := slices.Clone(labels.data[:len(images.data)/MNISTPixels]) // without the labels past the limit
	return &MNIST{Images: images.data, Labels: kept, check: sync.OnceValues(func() (string, error) {
		if err := images.finish(); err != nil {
			return "", err
		}
		return sourceOf(&images, &labels)
	})}, nil
}

// sourceOf returns what MNIST.String says of the files, after the number of images.
func sourceOf(images, labels *mnistFile) (source string, err error) {
	switch set, labelSet := images.known.set, labels.known.set; {
	case set == "" && labelSet == "":
	case set == "":
		source = ", labels of " + labelSet
	case labelSet == "":
		source = " of " + set + ", unknown labels"
	case labelSet == set:
		source = " of " + set
	default:
		err = formatErrorf("%s: it holds the %v, beside the %v", labels.name, labels.known, images.known)
	}
	return source, err
}

// An mnistFile is one of the two files of a part.
type mnistFile struct {
	name   string       // in its folder
	dims   []int        // n×28×28 images, or n labels
	data   []byte       // the images or labels up to the limit
	finish func() error // reads the rest, closes the file and sets known; to be called once
	known  knownFile    // zero if the file is not known
}

// open finds the file whose name begins with stem, of images, of rank 3, or of the labels of images, of rank 1.
// It reads the first limit of them, or all if limit is 0. A file whose dimensions are wrong is read whole if a
// known file has these dimensions, so that the error can name that file.
func (f *mnistFile) open(fsys fs.FS, stem string, rank int, images *mnistFile, limit int) (err error) {
	named := func(err error) error {
		if e, ok := err.(*fs.PathError); ok {
			err = e.Err // e names the file, as the error below does
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", f.name, err)
		}
		return err
	}
	if f.name, err = findMNISTFile(fsys, stem, rank); err != nil {
		return named(err)
	}
	file, err := fsys.Open(f.name)
	if err != nil {
		return named(err)
	}
	var unfit error
	var rest func() error
	hash := sha256.New()
	room := 0
	if info, err := file.Stat(); err == nil {
		const unpacked = 8 // bytes for each of the file, at most; digits have five
		room = unpacked * int(min(info.Size(), maxIDX/unpacked))
	}
	f.dims, f.data, rest, err = readIDX(file, hash, room, limit, func(dims []int) error {
		unfit = checkMNISTDims(dims, rank, images)
		isDigits := len(dims) == 1 || slices.Equal(dims[1:], []int{28, 28})
		if isDigits && (dims[0] == 60000 || dims[0] == 10000) {
			return nil
		}
		return unfit
	})
	if err != nil {
		file.Close()
		return named(err)
	}
	f.finish = func() error {
		defer file.Close()
		if err := rest(); err != nil {
			return named(err)
		}
		f.known = knownFiles[fmt.Sprintf("%x", hash.Sum(nil))]
		if f.known.set != "" && f.known.stem != stem {
			return named(formatErrorf("it holds the %v", f.known))
		}
		return nil
	}
	if unfit != nil {
		return cmp.Or(f.finish(), named(unfit))
	}
	return nil
}

// findMNISTFile returns the first spelling of the file's name that is in fsys. With an error, the name is
// the one that the error is about. Folders do not count, because some archives of MNIST unpack to a file
// and a folder whose names differ only in their spelling.
func findMNISTFile(fsys fs.FS, stem string, rank int) (name string, err error) {
	for _, spelling := range []string{"%s-idx%d-ubyte", "%s-idx%d-ubyte.gz", "%s.idx%d-ubyte", "%s.idx%d-ubyte.gz"} {
		name = fmt.Sprintf(spelling, stem, rank)
		info, err := fs.Stat(fsys, name)
		switch {
		case errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir():
			continue
		case err == nil && !info.Mode().IsRegular():
			err = FormatError("not a regular file") // to open a pipe would wait for its writer
		}
		return name, err
	}
	name = fmt.Sprintf("%s-idx%d-ubyte", stem, rank)
	return name, fmt.Errorf("%w, nor does %s.idx%d-ubyte, with or without .gz", fs.ErrNotExist, stem, rank)
}

// checkMNISTDims returns an error unless dims are those of a file of images, of rank 3, or of the labels of
// images, of rank 1.
func checkMNISTDims(dims []int, rank int, images *mnistFile) error {
	switch {
	case len(dims) == 4-rank:
		return formatErrorf("an IDX file of rank %d, want rank %d (are the images and the labels swapped?)", len(dims), rank)
	case len(dims) != rank:
		return formatErrorf("an IDX file of rank %d, want rank %d", len(dims), rank)
	case rank == 3 && (dims[0] == 0 || dims[1] != 28 || dims[2] != 28):
		return formatErrorf("%d images of %d×%d pixels, want one or more of 28×28", dims[0], dims[1], dims[2])
	case rank == 1 && dims[0] != images.dims[0]:
		return formatErrorf("%d labels for the %d images of %s", dims[0], images.dims[0], images.name)
	}
	return nil
}

// ReadIDX reads r to its end. r is an IDX file of unsigned bytes and may be gzipped. The file is an array:
// dims are its sizes, one for each dimension, and data are its elements in row-major order. If it has three
// dimensions, element (i, j, k) is data[(i*dims[1]+j)*dims[2]+k]. If a dimension is 0, data is empty.
//
// ReadIDX does not trust the header. It refuses one that claims more than 1 GiB, and at no time does it
// hold more than four times the unpacked bytes that were read and 256 KiB. The error is a [FormatError] if
// r is not such a file, and wraps [io.ErrUnexpectedEOF] if r ends too early. Bytes left over and a wrong
// gzip checksum are errors too.
func ReadIDX(r io.Reader) (dims []int, data []byte, err error) {
	dims, data, rest, err := readIDX(r, io.Discard, 0, 0, func([]int) error { return nil })
	if err == nil {
		err = rest()
	}
	if err != nil {
		return nil, nil, err
	}
	return dims, data, nil
}

const maxIDX = 1 << 30 // the most bytes of data that the header of an IDX file may claim

// readIDX is ReadIDX, but returns the data of the first limit images or labels, or of all if limit is 0, and
// leaves what follows to rest. It writes what it reads, unpacked, to all. It has room for so many bytes from the
// beginning. If check returns an error for the dimensions, readIDX returns that error and reads no data.
func readIDX(file io.Reader, all io.Writer, room, limit int, check func(dims []int) error) (dims []int, data []byte, rest func() error, err error) {
	packed := bufio.NewReaderSize(file, 1<<16)
	var unpacked io.Reader = packed
	if start, _ := packed.Peek(2); string(start) == "\x1f\x8b" {
		if unpacked, err = gzip.NewReader(packed); err != nil {
			return nil, nil, nil, fmt.Errorf("gzip header: %w", err)
		}
	}
	r := bufio.NewReader(io.TeeReader(unpacked, all))
	magic, err := r.Peek(512)
	if len(magic) < 4 {
		return nil, nil, nil, stoppedAt(len(magic), 4, err)
	}
	if err := checkIDXMagic(magic); err != nil {
		return nil, nil, nil, err
	}
	header := make([]byte, 4+4*int(magic[3]))
	if n, err := io.ReadFull(r, header); err != nil {
		return nil, nil, nil, stoppedAt(n, len(header), err)
	}
	product := uint64(1)
	for b := header[4:]; len(b) > 0; b = b[4:] {
		d := uint64(binary.BigEndian.Uint32(b))
		if d > maxIDX || product*d > maxIDX { // product*d cannot overflow, because neither factor is over 2³⁰
			return nil, nil, nil, formatErrorf("the header claims %d × %d bytes, over the limit of %d", product, d, maxIDX)
		}
		product *= d
		dims = append(dims, int(d))
	}
	if err := check(dims); err != nil {
		return nil, nil, nil, err
	}
	start, size := len(header), int(product)
	keep := size
	if limit > 0 && dims[0] > limit {
		keep = size / dims[0] * limit
	}
	for have := 0; have < keep; { // data trebles when it is full: its size follows the bytes that are there
		grown := make([]byte, min(keep, max(3*have, room, 1<<16)))
		copy(grown, data)
		data = grown
		n, err := io.ReadFull(r, data[have:])
		have += n
		if err != nil {
			return nil, nil, nil, stoppedAt(start+have, start+size, err)
		}
	}
	rest = func() error {
		left := int64(size - keep)
		n, err := io.CopyN(io.Discard, r, left+1) // to the end of the file, where gzip compares its checksum
		switch {
		case err == nil:
			return formatErrorf("bytes left over after the %d that the header claims", start+size)
		case err != io.EOF || n < left:
			return stoppedAt(start+keep+int(n), start+size, err)
		}
		return nil
	}
	return dims, data, rest, nil
}

// checkIDXMagic returns an error unless start is that of an IDX file of unsigned bytes: two zeros, the type
// 8, and a number of dimensions that is not 0.
func checkIDXMagic(start []byte) error {
	types := map[byte]string{8: "uint8", 9: "int8", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}
	switch kind := types[start[2]]; {
	case start[0] != 0 || start[1] != 0 || kind == "":
		text := bytes.ToLower(start)
		if bytes.Contains(text, []byte("<html")) || bytes.Contains(text, []byte("<!doctype html")) {
			return FormatError("an HTML page, not an IDX file")
		}
		return formatErrorf("not an IDX file: it begins with %q", start[:4])
	case kind != "uint8":
		return FormatError("an IDX file of " + kind + ", want uint8")
	case start[3] == 0:
		return FormatError("an IDX file without dimensions")
	}
	return nil
}

// Len returns the number of images.
func (m *MNIST) Len() int { return len(m.Labels) }

func (m *MNIST) image(i int) []byte { return m.Images[i*MNISTPixels : (i+1)*MNISTPixels] }

// mustFit panics unless there is one image for each label.
func (m *MNIST) mustFit(method string) {
	if len(m.Images) != len(m.Labels)*MNISTPixels {
		panic(fmt.Sprintf("mlp: MNIST.%s: Images has %d bytes and Labels %d, want %d bytes for each label",
			method, len(m.Images), len(m.Labels), MNISTPixels))
	}
}

// String says how many images m has and, if their files are known, which data set they are of: "4000
// images", "60000 images of MNIST", "10000 images, labels of Fashion-MNIST" if only the labels are known,
// or "10000 images of MNIST, unknown labels".
// String waits as [MNIST.Check] does.
func (m *MNIST) String() string {
	source := ""
	if m.check != nil {
		source, _ = m.check()
	}
	return fmt.Sprintf("%d images%s", m.Len(), source)
}

// Slice returns images lo to hi-1 as a set of its own, standardized as m is now. The sets share storage.
func (m *MNIST) Slice(lo, hi int) *MNIST {
	m.mustFit("Slice")
	part := *m
	part.Labels = m.Labels[lo:hi:hi]
	part.Images = m.Images[lo*MNISTPixels : hi*MNISTPixels : hi*MNISTPixels]
	return &part
}

// Stats returns the mean and the standard deviation of each pixel over the images of m, with pixels scaled
// to [0, 1]. The standard deviation is the population's, like NumPy's std. For n images with the pixels p:
//
//	mean = Σp / 255n    std = √(n·Σp² − (Σp)²) / 255n
//
// The difference is exact for fewer than 2²⁵ images, so that std is 0 if and only if the pixel never
// varies. If m has no images, all values are NaN.
func (m *MNIST) Stats() Standardization {
	m.mustFit("Stats")
	var sum, squares [MNISTPixels]uint64
	for image := range slices.Chunk(m.Images, MNISTPixels) {
		for j, p := range image {
			sum[j] += uint64(p)
			squares[j] += uint64(p) * uint64(p)
		}
	}
	s := Standardization{make([]float64, MNISTPixels), make([]float64, MNISTPixels)}
	for j := range s.Mean {
		s.Mean[j], s.Std[j] = pixelStats(uint64(m.Len()), sum[j], squares[j])
	}
	return s
}

// pixelStats returns the mean and the standard deviation of a pixel over n images, from the sums of its
// values and of their squares. The products n·Σp² and (Σp)² may wrap around, but their difference is below
// 2⁶⁴ for fewer than 2²⁵ images, so it is exact.
func pixelStats(n, sum, squares uint64) (mean, std float64) {
	return float64(sum) / float64(255*n), math.Sqrt(float64(n*squares-sum*sum)) / float64(255*n)
}

// StatsOfAll returns one mean and one standard deviation for all pixels: those of all pixels of all images.
// Deformed images need it: a pixel that is rarely lit has so small a deviation of its own that a stroke
// which is moved there becomes enormous.
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
	return Standardization{
		Mean: slices.Repeat([]float64{mean / 255}, MNISTPixels),
		Std:  slices.Repeat([]float64{std / 255}, MNISTPixels),
	}
}

// Standardize makes [MNIST.Batch] give x = (p/255 − Mean) / Std for a pixel p, or p/255 − Mean if Std is 0,
// or p/255 if s is the zero value. Use the [MNIST.Stats] of the training part for the test part too. A
// pixel that never varies becomes a number within 2⁻⁵⁴ of zero, and exactly zero if it is always 0.
func (m *MNIST) Standardize(s Standardization) {
	if s.Mean == nil && s.Std == nil {
		m.scale, m.shift = nil, nil
		return
	}
	if len(s.Mean) != MNISTPixels || len(s.Std) != MNISTPixels {
		panic(fmt.Sprintf("mlp: Standardize: mean 1×%d, std 1×%d, want 1×%d", len(s.Mean), len(s.Std), MNISTPixels))
	}
	m.scale, m.shift = make([]float64, MNISTPixels), make([]float64, MNISTPixels)
	for j, std := range s.Std {
		std = cmp.Or(std, 1)
		m.scale[j], m.shift[j] = 1/(255*std), -s.Mean[j]/std
	}
}

// unitScale and unitShift give x = p/255.
var unitScale, unitShift = slices.Repeat([]float64{1.0 / 255}, MNISTPixels), make([]float64, MNISTPixels)

// Batch sets row i of x, len(index)×MNISTPixels, to the standardized pixels of image index[i], and row i of
// y, len(index)×MNISTClasses, to 1 for its label and 0 for the other digits. It reuses the storage of x and
// y. It panics if Images does not have MNISTPixels bytes for each label, or if a label is over 9.
func (m *MNIST) Batch(x, y *Matrix, index []int) { m.batchOn(maxThreads(), x, y, index) }

func (m *MNIST) batchOn(threads int, x, y *Matrix, index []int) {
	m.batch(threads, x, y, index, nil, allPixels)
}

var allPixels = []interval{{0, MNISTPixels}}

// batch is Batch of these pixels alone, on at most so many threads, of the images or, if epoch is not nil, of their deformed versions.
func (m *MNIST) batch(threads int, x, y *Matrix, index []int, epoch *deformedEpoch, inputs []interval) {
	m.mustFit("Batch")
	for _, k := range index {
		if m.Labels[k] >= MNISTClasses {
			panic(fmt.Sprintf("mlp: MNIST.Batch: label %d at index %d, want 0 to 9", m.Labels[k], k))
		}
	}
	x.Reset(len(index), total(inputs))
	y.Reset(len(index), MNISTClasses)
	b := batchTasks.Get().(*batchTask)
	*b = batchTask{m, epoch, x, y, index, inputs, m.scale, m.shift}
	if m.scale == nil {
		b.scale, b.shift = unitScale, unitShift
	}
	parallelFor(threads, ceil(len(index), batchRows), b)
	*b = batchTask{} // the pool must keep no matrix alive
	batchTasks.Put(b)
}

// A batchTask is a task for parallelFor: to fill x and y. A part of the task is batchRows rows.
type batchTask struct {
	m            *MNIST
	epoch        *deformedEpoch // nil if the images are not deformed
	x, y         *Matrix
	index        []int
	inputs       []interval
	scale, shift []float64
}

// batchTasks makes Batch allocate nothing.
var batchTasks = sync.Pool{New: func() any { return new(batchTask) }}

// The images of a batch are in no order in memory, so a processor cannot guess which one comes next. part
// asks for each image prefetchAhead rows before it is needed, so that the image is in the cache by then.
const batchRows, prefetchAhead = 16, 4

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
			b.epoch.deform(&deformed, &paper, k)
			image = deformed[:]
		}
		row := b.x.Row(i)
		for _, in := range b.inputs {
			bytesTo(row[:in.len()], image[in.lo:in.hi], b.scale[in.lo:], b.shift[in.lo:])
			row = row[in.len():]
		}
		want := b.y.Row(i)
		clear(want)
		want[b.m.Labels[k]] = 1
	}
}
