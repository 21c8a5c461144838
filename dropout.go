// Dropout: which outputs of a layer a step of training leaves out. A file of its own
// because it is the one part of training a layer that is random.

package mlp

import (
	"math"
	"math/rand/v2"
)

// A dropout drops outputs of a layer in one step, and scales the others up so that the
// expectation of each output stays (Srivastava et al. 2014, "inverted"). It is an epilogue
// of the layer's product, after the activation. What it drops depends on the seed, the
// step, the layer, and the output's row and column alone, because each is drawn from a
// hash of its number and not from a stream of random numbers.
type dropout struct {
	layer *Layer
	key   uint64
	least uint64  // of 16 random bits, the least number that keeps an output
	scale float64 // of an output that is kept
}

// begin prepares layer number i for a step of a batch of so many rows.
func (d *dropout) begin(l *Layer, rows int, seed uint64, step, i int) {
	var rng rand.PCG
	rng.Seed(seed, 1<<63|uint64(step*maxLayers+i)) // the order of samples has the seeds below
	least := min(uint64(l.Dropout*(1<<16)+0.5), 1<<16-1)
	*d = dropout{l, rng.Uint64(), least, 1 << 16 / float64(1<<16-least)}
	l.mask.Reset(rows, l.W.Cols)
	l.dropped.Reset(rows, l.W.Cols)
}

func (d *dropout) apply(z []float64, stride, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		mask, out := d.layer.mask.Row(i)[j0:j1], d.layer.dropped.Row(i)[j0:j1]
		d.draw(mask, i*d.layer.mask.Cols+j0)
		copy(out, z[(i-i0)*stride:])
		mul(out, mask)
	}
}

// draw sets mask, whose first element is number at of the layer's outputs, to 0 for those
// that are dropped and to the scale for the others. One hash has the bits of four.
func (d *dropout) draw(mask []float64, at int) {
	kept := math.Float64bits(d.scale)
	var random uint64
	for j := range mask {
		if k := at + j; j == 0 || k%4 == 0 {
			random = splitMix(d.key, uint64(k/4)) >> (k % 4 * 16)
		}
		bits := kept // chosen without a branch, which no processor could predict
		if random&(1<<16-1) < d.least {
			bits = 0
		}
		mask[j] = math.Float64frombits(bits)
		random >>= 16
	}
}

// splitMix returns number n of the generator SplitMix64 (Steele, Lea & Flood 2014).
func splitMix(seed, n uint64) uint64 {
	z := seed + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
