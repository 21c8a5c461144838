// The elementwise steps of amd64: the assembly of elementwise_amd64.s does whole
// vectors, and mat_generic.go does what is left, or everything on a processor without
// AVX2. Not here: what the steps compute, which mat_generic.go says.

//go:build amd64 && !purego

package mlp

import "math"

// callElements is the most elements of one call of assembly. The scheduler cannot preempt
// assembly, so that a long slice is done in several calls.
const callElements = 64 << 10 / 8

// inVectors calls step for ranges of whole vectors and returns how many of the n elements
// they cover. Without AVX2 that is none.
//
// It must not be inlined. The scheduler can preempt at the call of a Go function, which
// each call of step then is. It hardly can in a loop that only calls assembly.
//
//go:noinline
func inVectors(n, lanes int, step func(from, to int)) (done int) {
	if !useAVX2 {
		return 0
	}
	for whole := n &^ (lanes - 1); done < whole; {
		from := done
		done = min(from+callElements, whole)
		step(from, done)
	}
	return done
}

// widestVector returns the lanes of the widest vectors that the processor has.
func widestVector() int {
	if useAVX512 {
		return 8
	}
	return 4
}

func add(z, x []float64) {
	n := inVectors(len(z), 4, func(i, j int) { addAVX2(z[i:j], x[i:j]) })
	addGeneric(z[n:], x[n:])
}

func sub(z, x []float64) {
	n := inVectors(len(z), 4, func(i, j int) { subAVX2(z[i:j], x[i:j]) })
	subGeneric(z[n:], x[n:])
}

func mul(z, x []float64) {
	n := inVectors(len(z), 4, func(i, j int) { mulAVX2(z[i:j], x[i:j]) })
	mulGeneric(z[n:], x[n:])
}

func div(z, x []float64) {
	n := inVectors(len(z), 4, func(i, j int) { divAVX2(z[i:j], x[i:j]) })
	divGeneric(z[n:], x[n:])
}

func addProduct(z, x, y []float64) {
	n := inVectors(len(z), 4, func(i, j int) { addProductAVX2(z[i:j], x[i:j], y[i:j]) })
	addProductGeneric(z[n:], x[n:], y[n:])
}

func scale(z, x, y []float64) {
	n := inVectors(len(z), 4, func(i, j int) { scaleAVX2(z[i:j], x[i:j], y[i:j]) })
	scaleGeneric(z[n:], x[n:], y[n:])
}

func relu(z []float64) {
	n := inVectors(len(z), 4, func(i, j int) { reluAVX2(z[i:j]) })
	reluGeneric(z[n:])
}

func reluBack(dz, a []float64) {
	n := inVectors(len(dz), 4, func(i, j int) { reluBackAVX2(dz[i:j], a[i:j]) })
	reluBackGeneric(dz[n:], a[n:])
}

func axpy(z, x []float64, s float64) {
	n := inVectors(len(z), widestVector(), func(i, j int) {
		if useAVX512 {
			axpyAVX512(z[i:j], x[i:j], s)
		} else {
			axpyAVX2(z[i:j], x[i:j], s)
		}
	})
	axpyGeneric(z[n:], x[n:], s)
}

func xpay(z, x []float64, s float64) {
	n := inVectors(len(z), 4, func(i, j int) { xpayAVX2(z[i:j], x[i:j], s) })
	xpayGeneric(z[n:], x[n:], s)
}

func adamStep(w, g, m, v []float64, f *adamFactors) {
	n := inVectors(len(w), widestVector(), func(i, j int) {
		if useAVX512 {
			adamAVX512(w[i:j], g[i:j], m[i:j], v[i:j], f)
		} else {
			adamAVX2(w[i:j], g[i:j], m[i:j], v[i:j], f)
		}
	})
	adamStepGeneric(w[n:], g[n:], m[n:], v[n:], f)
}

func bytesTo(z []float64, p []byte, scale, shift []float64) {
	if n := len(z); useAVX2 && n >= 4 { // in one call: no image is longer than callElements
		bytesAVX2(z, p[:n], scale[:n], shift[:n])
	} else {
		bytesGeneric(z, p, scale, shift)
	}
}

func exps(z []float64) {
	n := inVectors(len(z), 4, func(i, j int) { expAVX2(z[i:j]) })
	expGeneric(z[n:])
}

func sigmoids(z []float64) {
	n := inVectors(len(z), 4, func(i, j int) { sigmoidAVX2(z[i:j]) })
	sigmoidGeneric(z[n:])
}

func sigmoidBack(dz, a []float64) {
	n := inVectors(len(dz), 4, func(i, j int) { sigmoidBackAVX2(dz[i:j], a[i:j]) })
	sigmoidBackGeneric(dz[n:], a[n:])
}

func tanhs(z []float64) {
	n := inVectors(len(z), 4, func(i, j int) { tanhAVX2(z[i:j]) })
	tanhGeneric(z[n:])
}

func tanhBack(dz, a []float64) {
	n := inVectors(len(dz), 4, func(i, j int) { tanhBackAVX2(dz[i:j], a[i:j]) })
	tanhBackGeneric(dz[n:], a[n:])
}

// The steps in assembly take a whole number of vectors, at least one, unless a comment says
// otherwise. A vector has four elements with AVX2 and eight with AVX-512. The first slice
// gives the length of all.

//go:noescape
func addAVX2(z, x []float64)

//go:noescape
func subAVX2(z, x []float64)

//go:noescape
func mulAVX2(z, x []float64)

//go:noescape
func divAVX2(z, x []float64)

//go:noescape
func addProductAVX2(z, x, y []float64)

//go:noescape
func scaleAVX2(z, x, y []float64)

//go:noescape
func reluAVX2(z []float64)

//go:noescape
func reluBackAVX2(dz, a []float64)

//go:noescape
func axpyAVX2(z, x []float64, s float64)

//go:noescape
func axpyAVX512(z, x []float64, s float64)

//go:noescape
func xpayAVX2(z, x []float64, s float64)

//go:noescape
func adamAVX2(w, g, m, v []float64, f *adamFactors)

//go:noescape
func adamAVX512(w, g, m, v []float64, f *adamFactors)

// bytesAVX2 takes four elements or more, and not only whole vectors.
//
//go:noescape
func bytesAVX2(z []float64, p []byte, scale, shift []float64)

//go:noescape
func expAVX2(z []float64)

//go:noescape
func sigmoidAVX2(z []float64)

//go:noescape
func sigmoidBackAVX2(dz, a []float64)

//go:noescape
func tanhAVX2(z []float64)

//go:noescape
func tanhBackAVX2(dz, a []float64)

// prefetch asks the processor to bring p to the first-level cache.
//
//go:noescape
func prefetch(p []byte)

// expConstants is what the assembly of exp, sigmoid and tanh reads.
type expConstants struct {
	log2e, whole, ln2Hi, ln2Lo float64
	low, high, tanhHigh        float64
	half, one, two, minusZero  float64
	taylor                     [len(taylor)]float64
}

var expTable = expConstants{
	log2e: math.Log2E, whole: whole, ln2Hi: ln2Hi, ln2Lo: ln2Lo,
	low: expLow, high: expHigh, tanhHigh: tanhHigh,
	half: 0.5, one: 1, two: 2, minusZero: math.Copysign(0, -1),
	taylor: taylor,
}
