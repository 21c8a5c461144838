// Tests of the MNIST data set: its files and their names, what is refused, and the
// numbers that Batch makes of the pixels. The IDX format is tested in idx_test.go.

package mlp

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
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
)

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
				m, err := LoadMNIST(fsys, "train", 0)
				if err != nil {
					t.Errorf("%v: %v", fsys, err)
				} else if m.Len() != 12 || !bytes.Equal(m.Images, images) || !bytes.Equal(m.Labels, labels) {
					t.Errorf("%v: other digits than were written", fsys)
				}
			}
		}
	}
}

// With a limit, both files are read and checked to their ends, but only the first
// images and labels are kept.
func TestLoadMNISTLimit(t *testing.T) {
	images, labels := randomDigits(12)
	whole, labelled := idxFile(images, 12, 28, 28), idxFile(labels, 12)
	load := func(images, labels []byte, n int) (*MNIST, error) {
		return LoadMNIST(fstest.MapFS{"train-images-idx3-ubyte": {Data: images}, "train-labels-idx1-ubyte": {Data: labels}}, "train", n)
	}
	for n := range 14 {
		m, err := load(gzipped(whole), labelled, n)
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
	defer func() {
		if got, want := recover(), "mlp: LoadMNIST: a limit of -1 images"; got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	load(whole, labelled, -1)
}

// A gzipped file may lack .gz, a file that is not gzipped may end in it, and a folder
// may have the name of a file.
func TestLoadMNISTNamesMislead(t *testing.T) {
	images, labels := randomDigits(3)
	m, err := LoadMNIST(fstest.MapFS{
		"t10k-images-idx3-ubyte/t10k-images-idx3-ubyte": {Data: []byte("not this one")},
		"t10k-images.idx3-ubyte":                        {Data: gzipped(idxFile(images, 3, 28, 28))},
		"t10k-labels-idx1-ubyte.gz":                     {Data: idxFile(labels, 3)},
	}, "t10k", 0)
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
		{nil, goodLabels, I + ": file does not exist, nor does train-images.idx3-ubyte, with or without .gz"},
		{goodImages, nil, L + ": file does not exist, nor does train-labels.idx1-ubyte, with or without .gz"},
		{goodLabels, goodImages, I + ": an IDX file of rank 1, want rank 3 (are the images and the labels swapped?)"},
		{goodImages, goodImages, L + ": an IDX file of rank 3, want rank 1 (are the images and the labels swapped?)"},
		{idxFile(images, 12, 784), goodLabels, I + ": an IDX file of rank 2, want rank 3"},
		{idxFile(images, 6, 28, 56), goodLabels, I + ": 6 images of 28×56 pixels, want one or more of 28×28"},
		{idxFile(nil, 6, 28, 56), goodLabels, I + ": 6 images of 28×56 pixels, want one or more of 28×28"}, // the data are not read
		{goodImages, idxFile(make([]byte, 10000), 10000), L + ": 10000 labels for the 12 images of " + I},
		{idxFile(nil, 0, 28, 28), idxFile(nil, 0), I + ": 0 images of 28×28 pixels, want one or more of 28×28"},
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
		m, err := LoadMNIST(fsys, "train", 0)
		if m != nil || err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if strings.Contains(test.want, "exist") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%v: error of type %T", err, err)
		}
	}
}

// The error for a file that cannot be read names the file only once. A file that is
// not regular is not opened.
func TestLoadMNISTUnreadable(t *testing.T) {
	pipe := fstest.MapFS{"train-images-idx3-ubyte": {Mode: fs.ModeNamedPipe}}
	for want, fsys := range map[string]fs.FS{
		"train-images-idx3-ubyte: permission denied":  locked{},
		"train-images-idx3-ubyte: file is closed":     lockedFile{},
		"train-images-idx3-ubyte: not a regular file": pipe,
	} {
		if _, err := LoadMNIST(fsys, "train", 0); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// locked is a folder that cannot be looked into, lockedFile one whose files cannot be
// opened.
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

func TestSample(t *testing.T) {
	for part, each := range map[string]int{"train": 400, "t10k": 100} {
		m, err := LoadMNIST(SampleMNIST(), part, 0)
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
		m, err := LoadMNIST(SampleMNIST(), part, 0)
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

// contentSum returns the SHA-256 of the content of a file, unpacked if its name ends
// in .gz.
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
	readme, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"mnist/train-images-idx3-ubyte.gz", "mnist/train-labels-idx1-ubyte.gz",
		"mnist/t10k-images-idx3-ubyte.gz", "mnist/t10k-labels-idx1-ubyte.gz", "numpy.json", "sklearn.json",
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
		images[i*MNISTPixels+5] = 0            // always blank
		images[i*MNISTPixels+6] = 201          // never varies
		images[i*MNISTPixels+7] = 254          // varies once, below
		images[i*MNISTPixels+8] = byte(i % 2)  // 0 and 1
		images[i*MNISTPixels+9] = byte(-i % 2) // 0 and 255
	}
	images[7] = 255
	m := &MNIST{Images: images, Labels: labels}
	stats := m.Stats()
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

// The products wrap around, but their difference is exact, up to the most images and the
// most varied pixel for which it is below 2⁶⁴.
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

func TestStatsOfNothing(t *testing.T) {
	for _, s := range []Standardization{new(MNIST).Stats(), new(MNIST).StatsOfAll()} {
		if !math.IsNaN(s.Mean[0]) || !math.IsNaN(s.Std[0]) {
			t.Errorf("mean %v, std %v, want NaN", s.Mean[0], s.Std[0])
		}
	}
}

func TestBatch(t *testing.T) {
	train, err := LoadMNIST(SampleMNIST(), "train", 0)
	if err != nil {
		t.Fatal(err)
	}
	stats := train.Stats()
	mean, std := stats.Mean, stats.Std
	var x, y Matrix
	index := []int{3, 0, 3999, 3}
	for _, standardized := range []bool{false, true} {
		if standardized {
			train.Standardize(stats)
		}
		train.Batch(&x, &y, []int{9, 8, 7, 6}) // leaves something to overwrite
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

// A set made by hand needs no other call before Batch, and a panic says what is wrong
// with a set whose images and labels do not fit.
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
	} {
		func() {
			defer func() {
				if got := recover(); got != test.want {
					t.Errorf("panic %v, want %s", got, test.want)
				}
			}()
			test.use(&test.m)
		}()
	}
	(&MNIST{Images: images, Labels: wrong}).Batch(&x, &y, []int{6, 8}) // the wrong label is not asked for
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
	m.Batch(x, y, index[:5]) // the last batch of an epoch may be smaller than the next
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
	new(MNIST).Standardize(Standardization{})
	new(MNIST).Standardize(Standardization{make([]float64, MNISTPixels), make([]float64, 10)})
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

// fullTrain is the training part of full MNIST. Tests that use it call fullMNIST first,
// and do not change it.
var fullTrain = sync.OnceValues(func() (*MNIST, error) { return LoadMNIST(os.DirFS(os.Getenv("MNIST_DIR")), "train", 0) })

func TestFullMNIST(t *testing.T) {
	fsys := fullMNIST(t)
	for _, test := range []struct {
		part           string
		images, labels string // SHA-256 of the content of the files
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
		m, err := fullTrain()
		if test.part == "t10k" {
			m, err = LoadMNIST(fsys, test.part, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("%d images of MNIST", len(m.Labels)); m.String() != want {
			t.Errorf("%s is %v, want %s", test.part, m, want)
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

// Each image of the sample is one of the first 10,000 of MNIST's training part, and
// has its label.
func TestSampleIsMNIST(t *testing.T) {
	fullMNIST(t)
	full, err := fullTrain()
	if err != nil {
		t.Fatal(err)
	}
	label := map[string]byte{}
	for i := range 10_000 {
		label[string(full.Slice(i, i+1).Images)] = full.Labels[i]
	}
	for _, part := range []string{"train", "t10k"} {
		m, err := LoadMNIST(SampleMNIST(), part, 0)
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
