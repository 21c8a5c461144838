// The micro-kernel, the elementwise steps and exp and log in Go, which every processor
// can run. The assembly must give the same bits. This file has no build tag, so that one
// test binary compares both.

package mlp

import "math"

// A tileRow is the work of one call of a micro-kernel: tiles of NR columns beside one
// another. Its rows×cols elements of z, at most MR rows, become a·b or, if accumulate is
// set, z + a·b. Each element is one chain of fused multiply-adds over p from 0 to k-1. The
// chain starts from zero or from what z holds.
//
// Element (i, j) of z is z[i*ldz+j], element (i, p) of a is a[i*ai+p*ak], and element
// (p, j) of b is b[p*bk+j] for the columns of the first tile. For the columns of the next
// tile, b begins next elements later. A micro-kernel may change z, b and cols.
type tileRow struct {
	z, a, b                              []float64
	ldz, ai, ak, bk, next, k, rows, cols int
	accumulate                           bool
}

func multiplyGeneric(t *tileRow) {
	const mr, nr = 2, 4
	for ; t.cols > 0; t.skip(nr, 1) {
		for i := 0; i < t.rows; i += mr {
			if t.rows-i >= mr && t.cols >= nr {
				t.whole(i)
				continue
			}
			for r := i; r < min(i+mr, t.rows); r++ {
				for c := range min(nr, t.cols) {
					t.single(r, c)
				}
			}
		}
	}
}

// skip leaves out the first tiles, which have nr columns each.
func (t *tileRow) skip(nr, tiles int) {
	t.z = t.z[min(len(t.z), tiles*nr):]
	t.b = t.b[min(len(t.b), tiles*t.next):]
	t.cols -= tiles * nr
}

// single computes element (i, j) of the first tile.
func (t *tileRow) single(i, j int) {
	sum := 0.0
	if t.accumulate {
		sum = t.z[i*t.ldz+j]
	}
	for p := range t.k {
		sum = math.FMA(t.a[i*t.ai+p*t.ak], t.b[p*t.bk+j], sum)
	}
	t.z[i*t.ldz+j] = sum
}

// whole computes the 2×4 elements from (i, 0) to (i+1, 3) of the first tile.
func (t *tileRow) whole(i int) {
	z0, z1 := t.z[i*t.ldz:][:4], t.z[(i+1)*t.ldz:][:4]
	var c00, c01, c02, c03, c10, c11, c12, c13 float64
	if t.accumulate {
		c00, c01, c02, c03 = z0[0], z0[1], z0[2], z0[3]
		c10, c11, c12, c13 = z1[0], z1[1], z1[2], z1[3]
	}
	x, y := i*t.ai, (i+1)*t.ai
	for p := range t.k {
		a0, a1, b := t.a[x], t.a[y], t.b[p*t.bk:][:4]
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

// Some micro-kernels write only whole vectors of four columns. If a row's last vector is
// not full, they compute the last tile in a copy whose rows have paddedCols elements, the
// largest NR of these kernels.
const paddedCols = 12

// splitLast returns the other tiles and the last tile, whose last vector is not full.
func (t *tileRow) splitLast(nr int) (others, last tileRow) {
	others, last = *t, *t
	last.skip(nr, t.cols/nr)
	others.cols -= last.cols
	return others, last
}

// pad returns a copy of t, which is one tile, whose result is in z, with whole vectors. If
// t accumulates, pad first copies t's result to z.
func (t *tileRow) pad(z []float64) tileRow {
	if t.accumulate {
		for i := range t.rows {
			copy(z[i*paddedCols:][:t.cols], t.z[i*t.ldz:])
		}
	}
	padded := *t
	padded.z, padded.ldz, padded.cols = z, paddedCols, roundUp(t.cols, 4)
	return padded
}

// unpad copies the result from z back to t.
func (t *tileRow) unpad(z []float64) {
	for i := range t.rows {
		copy(t.z[i*t.ldz:], z[i*paddedCols:][:t.cols])
	}
}

// packGeneric copies k rows of the columns first to w-1 of b to a micro-panel. from begins
// with column 0; bj is the stride between columns and bk between rows. A row of the
// micro-panel has width elements. Those from w on are zeros, which no kernel uses.
func packGeneric(panel, from []float64, width, first, w, k, bk, bj int) {
	for p := range k {
		row := panel[p*width:][:width]
		clear(row[w:])
		for j := first; j < w; j++ {
			row[j] = from[p*bk+j*bj]
		}
	}
}

// The elementwise steps. The first slice is changed and gives the number of elements.

// addGeneric is z += x.
func addGeneric(z, x []float64) {
	for i, v := range x[:len(z)] {
		z[i] += v
	}
}

// subGeneric is z -= x.
func subGeneric(z, x []float64) {
	for i, v := range x[:len(z)] {
		z[i] -= v
	}
}

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
		m[i] = math.FMA(f.beta1, m[i], f.rest1*d)
		v[i] = math.FMA(f.beta2, v[i], float64(f.rest2*d)*d)
		w[i] = math.FMA(f.rate, m[i]/f.correct1/(math.Sqrt(v[i]/f.correct2)+f.epsilon), w[i])
	}
}

// bytesGeneric is z = p·scale + shift, fused.
func bytesGeneric(z []float64, p []byte, scale, shift []float64) {
	for i, v := range p[:len(z)] {
		z[i] = math.FMA(float64(v), scale[i], shift[i])
	}
}

// expGeneric, sigmoidGeneric and tanhGeneric are z = e^z, σ(z) and tanh z.
func expGeneric(z []float64) {
	for i, v := range z {
		z[i] = exp(v)
	}
}

func sigmoidGeneric(z []float64) {
	for i, v := range z {
		z[i] = sigmoid(v)
	}
}

func tanhGeneric(z []float64) {
	for i, v := range z {
		z[i] = tanh(v)
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

// The package has an exponential and a logarithm of its own, because Go's are assembly
// on some processors and differ there in the last bit.

const (
	ln2Hi = 0x1.62e42fefa39efp-1  // ln 2 rounded to a float64
	ln2Lo = 0x1.abc9e3b39803fp-56 // ln 2 - ln2Hi, rounded
	whole = 0x1.8p52              // x + whole - whole is x rounded to a whole number

	expLow, expHigh = -746, 710 // e^x is 0 below and +Inf above
	tanhHigh        = 20        // tanh x is 1 above
)

// taylor holds 1/2!, 1/3!, … 1/13!, the coefficients of e^r. For |r| ≤ ln(2)/2 the next
// term is below 5e-18, a twentieth of a unit in the last place of e^r.
var taylor = [...]float64{
	1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
	1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800,
}

// reduce returns a whole number n and a p with e^x = 2^n·(1+p) and |p| < 0.42, for an x
// from expLow to expHigh.
func reduce(x float64) (n, p float64) {
	n = math.FMA(x, math.Log2E, whole) - whole
	r := math.FMA(-n, ln2Lo, math.FMA(-n, ln2Hi, x))
	q := taylor[len(taylor)-1]
	for i := len(taylor) - 2; i >= 0; i-- {
		q = math.FMA(q, r, taylor[i])
	}
	return n, math.FMA(float64(q*r), r, r)
}

// power is 2^n for a whole n from -1022 to 1023.
func power(n float64) float64 {
	return math.Float64frombits(uint64(int64(n)+1023) << 52)
}

// exp is e^x, within 1.25 units in the last place.
func exp(x float64) float64 {
	if x != x {
		return x
	}
	n, p := reduce(max(expLow, min(expHigh, x)))
	half := math.Floor(n * 0.5) // in two steps, so that 2^n may leave the range
	return (1 + p) * power(half) * power(n-half)
}

// sigmoid is 1/(1+e^-x), within 3 units in the last place. For negative x it is computed
// as e^x/(1+e^x), so that e^-x cannot overflow.
func sigmoid(x float64) float64 {
	e := exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// tanh is t/(t+2) with t = e^2|x| - 1, and the sign of x, within 3 units in the last
// place. Near zero n is 0 and t is p, so that no digits cancel.
func tanh(x float64) float64 {
	if x != x {
		return x
	}
	n, p := reduce(2 * min(tanhHigh, math.Abs(x)))
	t := math.FMA(power(n), p, power(n)-1)
	return math.Copysign(t/(t+2), x)
}

// log is ln x, within one unit in the last place, as FreeBSD's e_log.c computes it: with
// x = 2^k·(1+f) and s = f/(2+f), ln(1+f) = 2s + s·R(s²).
func log(x float64) float64 {
	switch {
	case x != x || x > math.MaxFloat64:
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, e = f*2, e-1
	}
	f--
	k := float64(e)
	s := f / (2 + f)
	z := s * s
	r := 0.0
	for _, c := range [...]float64{1.479819860511658591e-01, 1.531383769920937332e-01,
		1.818357216161805012e-01, 2.222219843214978396e-01, 2.857142874366239149e-01,
		3.999999999940941908e-01, 6.666666666666735130e-01} {
		r = math.FMA(r, z, c)
	}
	r = float64(r * z)
	h := 0.5 * float64(f*f)
	const hi, lo = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	return float64(k*hi) - ((h - (float64(s*(h+r)) + float64(k*lo))) - f)
}
