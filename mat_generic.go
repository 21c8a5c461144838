// The micro-kernel and the elementwise steps in Go: the definition of every bit, and what
// a processor without assembly runs. There is no build tag, so that one test binary
// compares them with the assembly.

package mlp

import "math"

// A tileRow is one call of a micro-kernel: a row of tiles, at most MR rows high, each tile
// NR columns wide. Its rows×cols elements of z become a·b or, if accumulate is set, z + a·b.
// Each element is one chain of fused multiply-adds over p from 0 to k-1, which starts from
// zero or from what z holds.
//
// Element (i, j) of z is z[i*ldz+j], element (i, p) of a is a[i*ai+p*ak], and element
// (p, j) of b is b[p*bk+j] in the first tile. The b of each further tile begins next
// elements after that of the tile before. A micro-kernel may change z, b and cols.
type tileRow struct {
	z, a, b                              []float64
	ldz, ai, ak, bk, next, k, rows, cols int
	accumulate                           bool
}

func microKernelGo(t *tileRow) {
	for ; t.cols > 0; t.skip(1, nrGo) {
		for i := 0; i < t.rows; i += mrGo {
			if t.rows-i >= mrGo && t.cols >= nrGo {
				t.fullTile(i)
				continue
			}
			for r := i; r < min(i+mrGo, t.rows); r++ {
				for c := range min(nrGo, t.cols) {
					t.element(r, c)
				}
			}
		}
	}
}

// skip leaves out the first tiles, each nr columns wide.
func (t *tileRow) skip(tiles, nr int) {
	t.z = t.z[min(len(t.z), tiles*nr):]
	t.b = t.b[min(len(t.b), tiles*t.next):]
	t.cols -= tiles * nr
}

// element computes element (i, j) of the first tile.
func (t *tileRow) element(i, j int) {
	sum := 0.0
	if t.accumulate {
		sum = t.z[i*t.ldz+j]
	}
	for p := range t.k {
		sum = math.FMA(t.a[i*t.ai+p*t.ak], t.b[p*t.bk+j], sum)
	}
	t.z[i*t.ldz+j] = sum
}

// fullTile computes the 2×4 elements from (i, 0) to (i+1, 3) of the first tile.
func (t *tileRow) fullTile(i int) {
	z0, z1 := t.z[i*t.ldz:][:nrGo], t.z[(i+1)*t.ldz:][:nrGo]
	var c00, c01, c02, c03, c10, c11, c12, c13 float64
	if t.accumulate {
		c00, c01, c02, c03 = z0[0], z0[1], z0[2], z0[3]
		c10, c11, c12, c13 = z1[0], z1[1], z1[2], z1[3]
	}
	x, y := i*t.ai, (i+1)*t.ai
	for p := range t.k {
		a0, a1, b := t.a[x], t.a[y], t.b[p*t.bk:][:nrGo]
		c00 = math.FMA(a0, b[0], c00)
		c01 = math.FMA(a0, b[1], c01)
		c02 = math.FMA(a0, b[2], c02)
		c03 = math.FMA(a0, b[3], c03)
		c10 = math.FMA(a1, b[0], c10)
		c11 = math.FMA(a1, b[1], c11)
		c12 = math.FMA(a1, b[2], c12)
		c13 = math.FMA(a1, b[3], c13)
		x += t.ak
		y += t.ak
	}
	z0[0], z0[1], z0[2], z0[3] = c00, c01, c02, c03
	z1[0], z1[1], z1[2], z1[3] = c10, c11, c12, c13
}

// splitLast serves a micro-kernel that writes full vectors of four columns, if t.cols is not a
// multiple of four. It splits t into the tiles before the last, which may be none, and the last
// tile. That is widened to full vectors, and its z becomes buffer, because in t's z a full vector
// would overwrite what follows. If t accumulates, splitLast copies the tile's elements to buffer.
func (t *tileRow) splitLast(nr int, buffer []float64) (others, last tileRow) {
	others, last = *t, *t
	last.skip(t.cols/nr, nr)
	others.cols -= last.cols
	if t.accumulate {
		for i := range t.rows {
			copy(buffer[i*nr:][:last.cols], last.z[i*t.ldz:])
		}
	}
	last.z, last.ldz, last.cols = buffer, nr, roundUp(last.cols, 4)
	return others, last
}

// joinLast copies the last tile's result from the buffer to z.
func (t *tileRow) joinLast(nr int, buffer []float64) {
	first := t.cols / nr * nr
	for i := range t.rows {
		copy(t.z[i*t.ldz+first:], buffer[i*nr:][:t.cols-first])
	}
}

// packGeneric copies k rows and n columns of b to a micro-panel: element (p, j) of b,
// b[p*bk+j*bj], becomes panel[p*nr+j]. The other elements of the panel stay as they are. A
// micro-kernel of full vectors reads some of them, for columns of the result that nobody reads.
func packGeneric(panel, b []float64, nr, n, k, bk, bj int) {
	for p := range k {
		for j := range n {
			panel[p*nr+j] = b[p*bk+j*bj]
		}
	}
}

// The elementwise steps. The first slice is changed and gives the number of elements.

// add is z += x. A product by 1 is exact, so that the fused sum is rounded like a sum.
func add(z, x []float64) { axpy(z, x, 1) }

// sub is z -= x.
func sub(z, x []float64) { axpy(z, x, -1) }

// mulGeneric is z *= x.
func mulGeneric(z, x []float64) {
	for i, v := range x[:len(z)] {
		z[i] *= v
	}
}

// divGeneric is z /= x.
func divGeneric(z, x []float64) {
	for i, v := range x[:len(z)] {
		z[i] /= v
	}
}

// addProductGeneric is z += x·y, fused.
func addProductGeneric(z, x, y []float64) {
	for i, v := range x[:len(z)] {
		z[i] = math.FMA(v, y[i], z[i])
	}
}

// scaleGeneric is z = z·x + y, fused.
func scaleGeneric(z, x, y []float64) {
	for i, v := range x[:len(z)] {
		z[i] = math.FMA(z[i], v, y[i])
	}
}

// axpyGeneric is z = s·x + z, fused.
func axpyGeneric(z, x []float64, s float64) {
	for i, v := range x[:len(z)] {
		z[i] = math.FMA(s, v, z[i])
	}
}

// xpayGeneric is z = x + s·z, fused.
func xpayGeneric(z, x []float64, s float64) {
	for i, v := range x[:len(z)] {
		z[i] = math.FMA(s, z[i], v)
	}
}

// bytesGeneric is z = p·scale + shift, fused.
func bytesGeneric(z []float64, p []byte, scale, shift []float64) {
	for i, v := range p[:len(z)] {
		z[i] = math.FMA(float64(v), scale[i], shift[i])
	}
}

// reluGeneric is z = max(0, z); NaN stays NaN.
func reluGeneric(z []float64) {
	for i, v := range z {
		if v < 0 {
			z[i] = 0
		}
	}
}

// reluBackGeneric multiplies dz by 1 if a > 0, else by 0, which keeps NaN.
func reluBackGeneric(dz, a []float64) {
	for i, v := range a[:len(dz)] {
		if !(v > 0) {
			dz[i] *= 0
		}
	}
}

// expGeneric, sigmoidGeneric and tanhGeneric are z = e^z, σ(z) and tanh z.
func expGeneric(z []float64)     { elementwise(z, exp) }
func sigmoidGeneric(z []float64) { elementwise(z, sigmoid) }
func tanhGeneric(z []float64)    { elementwise(z, tanh) }

func elementwise(z []float64, f func(x float64) float64) {
	for i, v := range z {
		z[i] = f(v)
	}
}

// sigmoidBackGeneric is dz *= a·(1-a).
func sigmoidBackGeneric(dz, a []float64) {
	for i, v := range a[:len(dz)] {
		dz[i] *= v * (1 - v)
	}
}

// tanhBackGeneric is dz *= 1-a².
func tanhBackGeneric(dz, a []float64) {
	for i, v := range a[:len(dz)] {
		dz[i] *= 1 - float64(v*v)
	}
}

// adamFactors are the factors and divisors of step t of Adam (Kingma & Ba 2015,
// Algorithm 1): rest1 is 1-β1, rest2 is 1-β2, correct1 is 1-β1ᵗ, correct2 is 1-β2ᵗ, and
// rate is negative.
type adamFactors struct {
	beta1, rest1, beta2, rest2, correct1, correct2, epsilon, rate float64

	// For the assembly: 1/correct1 and 1/correct2, all bits but the sign, and the range of
	// magnitudes in which a quotient needs no division.
	inverse1, inverse2, magnitude, least, most float64
}

func newAdamFactors(t int, beta1, rate float64) adamFactors {
	const beta2, epsilon = 0.999, 1e-8
	correct1, correct2 := 1-intPower(beta1, t), 1-intPower(beta2, t)
	return adamFactors{beta1, 1 - beta1, beta2, 1 - beta2, correct1, correct2, epsilon, -rate,
		1 / correct1, 1 / correct2, math.Float64frombits(1<<63 - 1), 0x1p-900, 0x1p900}
}

// adamStepGeneric updates the moments m and v with the gradient g, and w with both.
func adamStepGeneric(w, g, m, v []float64, f *adamFactors) {
	for i, d := range g[:len(w)] {
		m[i] = math.FMA(f.beta1, m[i], float64(f.rest1*d))
		v[i] = math.FMA(f.beta2, v[i], float64(float64(f.rest2*d)*d))
		w[i] = math.FMA(f.rate, m[i]/f.correct1/(math.Sqrt(v[i]/f.correct2)+f.epsilon), w[i])
	}
}
