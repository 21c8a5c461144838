// Files that were damaged on the way: flipped bits, cuts, a byte more. The readers refuse
// such a file, or they return what the undamaged file holds.

package mlp

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// flips returns how many bits to flip in the sample's files, and in a model's.
func flips() int {
	if os.Getenv("MLP_ATTACK") == "" {
		return 200
	}
	return 2000
}

// flip returns file with one of its bits changed: by turns in its first bytes, in its last
// bytes and, twice, anywhere.
func flip(file []byte, i int, rng *rand.Rand) (changed []byte, bit int) {
	end := min(len(file), 64)
	switch i % 4 {
	case 0:
		bit = rng.IntN(8 * end)
	case 1:
		bit = 8*(len(file)-end) + rng.IntN(8*end)
	default:
		bit = rng.IntN(8 * len(file))
	}
	changed = slices.Clone(file)
	changed[bit/8] ^= 1 << (bit % 8)
	return changed, bit
}

// sampleFile returns one of the sample's files and its content.
func sampleFile(t *testing.T, name string) (file, data []byte, dims []int) {
	t.Helper()
	file, err := fs.ReadFile(SampleMNIST(), name)
	if err == nil {
		dims, data, err = ReadIDX(bytes.NewReader(file))
	}
	if err != nil {
		t.Fatal(err)
	}
	return file, data, dims
}

var sampleNames = []string{"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"}

// A flip in gzip's header, for example in the date, does not change the digits, so the file
// may be accepted.
func TestSampleFlippedBits(t *testing.T) {
	for _, name := range sampleNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, want, wantDims := sampleFile(t, name)
			rng, accepted, n := rand.New(rand.NewPCG(6, uint64(len(file)))), 0, flips()/8
			if strings.Contains(name, "labels") {
				n = 3 * flips() / 8
			}
			for i := range n {
				changed, bit := flip(file, i, rng)
				dims, data, err := ReadIDX(bytes.NewReader(changed))
				if err == nil {
					accepted++
				} else if strings.Contains(err.Error(), "\n") {
					t.Errorf("error %q", err)
				}
				if err == nil && (!slices.Equal(dims, wantDims) || !bytes.Equal(data, want)) {
					t.Errorf("bit %d of byte %d: accepted, and other digits", bit%8, bit/8)
				}
			}
			t.Logf("%d of %d flips change nothing", accepted, n)
			if accepted > n/5 {
				t.Errorf("%d of %d flips are accepted", accepted, n)
			}
		})
	}
}

func TestSampleCutAndAddedTo(t *testing.T) {
	for _, name := range sampleNames {
		file, _, _ := sampleFile(t, name)
		for _, b := range []byte{0, 1, 0x1f, 0xff} {
			if _, _, err := ReadIDX(bytes.NewReader(append(slices.Clip(file), b))); err == nil {
				t.Errorf("%s with byte %d after it is accepted", name, b)
			}
		}
		step := 1 + len(file)/10
		if strings.HasPrefix(name, "t10k-labels") {
			step = 1
		}
		for n := 0; n < len(file); n += step {
			if _, _, err := ReadIDX(bytes.NewReader(file[:n])); err == nil {
				t.Errorf("%d bytes of %s's %d are accepted", n, name, len(file))
			}
		}
	}
}

// trainedModel returns a model with normalisation, standardization, a history and a recipe,
// and its file.
func trainedModel(t testing.TB, widths ...int) (*Model, []byte) {
	t.Helper()
	sizes := append(append([]int{MNISTPixels}, widths...), MNISTClasses)
	m := &Model{Net: NewNetwork(1, He, Tanh, sizes...), Recipe: map[string]string{"lr": "0.01", "opt": "adam"}}
	m.Net[0].Norm = NewBatchNorm(sizes[1])
	train, _ := sampleDigits(t)
	train = train.Slice(0, 100)
	m.Input = train.Stats()
	m.Run.History = mustTrain(t, m.Net, train, Config{Optimizer: Adam, Rate: 0.01, Epochs: 2, Batch: 32})
	return m, written(t, m)
}

// accepts reports whether ReadModel accepts a file that was changed. It fails if ReadModel
// accepts the file and its content differs from the original's: written again, the model
// must give the bytes of the original.
func accepts(t *testing.T, what string, changed, file []byte) bool {
	t.Helper()
	m, err := read(changed)
	if err != nil {
		if s := err.Error(); s == "" || strings.Contains(s, "\n") {
			t.Errorf("%s: error %q", what, s)
		}
		return false
	}
	if !bytes.Equal(written(t, m), file) {
		t.Errorf("%s: accepted, and another model", what)
	}
	return true
}

func TestModelFlippedBits(t *testing.T) {
	_, file := trainedModel(t, 16)
	if !accepts(t, "as it is", file, file) {
		t.Fatal("the model itself is refused")
	}
	rng, accepted, n := rand.New(rand.NewPCG(6, 6)), 0, flips()
	for i := range n {
		changed, bit := flip(file, i, rng)
		if accepts(t, fmt.Sprintf("bit %d of byte %d", bit%8, bit/8), changed, file) {
			accepted++
		}
	}
	t.Logf("%d of %d flips in %d bytes change nothing", accepted, n, len(file))
	if accepted > n/5 {
		t.Errorf("%d of %d flips are accepted", accepted, n)
	}
}

func TestModelCutAndAddedTo(t *testing.T) {
	m := &Model{Net: NewNetwork(1, He, ReLU, 2, 3, 2), Input: Standardization{[]float64{1, 2}, []float64{3, 0}}, Recipe: map[string]string{"a": "b"}}
	file := written(t, m)
	for n := range file {
		if accepts(t, fmt.Sprintf("%d of %d bytes", n, len(file)), file[:n], file) {
			t.Errorf("%d of %d bytes are accepted", n, len(file))
		}
	}
	for b := range 256 {
		for _, changed := range [][]byte{append(slices.Clip(file), byte(b)), append([]byte{byte(b)}, file...)} {
			if accepts(t, fmt.Sprintf("byte %d more", b), changed, file) {
				t.Errorf("byte %d more is accepted", b)
			}
		}
	}
}

// FuzzGzipIDX packs a file, flips a bit of it and adds bytes to it. ReadIDX must return what
// it returns for the unpacked file, or an error.
func FuzzGzipIDX(f *testing.F) {
	good := idxFile([]byte{1, 2, 3, 4, 5, 6}, 1, 2, 3)
	f.Add(good, uint32(0), []byte{})
	f.Add(good, uint32(75), []byte{})
	f.Add(good, uint32(0), []byte{0})
	f.Add(good[:9], uint32(0), gzipped(good[9:]))
	f.Add(gzipped(good), uint32(9), gzipped(nil))
	f.Add(idxFile(make([]byte, 1000), 10, 10, 10), uint32(300), []byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, plain []byte, bit uint32, tail []byte) {
		dims, data, err := ReadIDX(bytes.NewReader(gzipped(plain)))
		if len(plain) < 2 || string(plain[:2]) != "\x1f\x8b" { // unpacked once, not twice
			wantDims, want, wantErr := ReadIDX(bytes.NewReader(plain))
			if fmt.Sprint(err) != fmt.Sprint(wantErr) || !slices.Equal(dims, wantDims) || !bytes.Equal(data, want) {
				t.Fatalf("packed: %v, error %v; unpacked: %v, error %v", dims, err, wantDims, wantErr)
			}
		}
		file := gzipped(plain)
		file[int(bit/8)%len(file)] ^= byte(1 << (bit % 8))
		if flipped, other, err := ReadIDX(bytes.NewReader(file)); err == nil && (!slices.Equal(flipped, dims) || !bytes.Equal(other, data)) {
			t.Fatalf("bit %d of byte %d: accepted as %v", bit%8, int(bit/8)%len(file), flipped)
		}
		// Another member may follow, because a file may be packed in pieces.
		if longer, other, err2 := ReadIDX(bytes.NewReader(append(gzipped(plain), tail...))); err == nil && err2 == nil &&
			(!slices.Equal(longer, dims) || !bytes.Equal(other, data)) {
			t.Fatalf("with %q behind it: accepted as %v", tail, longer)
		}
	})
}
