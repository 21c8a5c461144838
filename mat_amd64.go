// The micro-kernel and the elementwise steps of amd64: the assembly of mat_amd64.s and vec_amd64.s for
// AVX-512, or for AVX2 with FMA, or else the Go of mat_generic.go.

//go:build amd64 && !purego

package mlp

import "math"

// Whether the processor and the operating system support AVX2 and AVX-512. Tests set
// these to false.
var useAVX2, useAVX512 = detect()

func detect() (avx2, avx512 bool) {
	const (
		osxsave, fma, avx  = 1 << 27, 1 << 12, 1 << 28 // CPUID 1, ECX
		avx2Bit, bmi2      = 1 << 5, 1 << 8            // CPUID 7, EBX
		avx512f, avx512dq  = 1 << 16, 1 << 17
		avx512bw, avx512vl = 1 << 30, 1 << 31
		ymmState, zmmState = 0x06, 0xe6 // XCR0: the registers that the system saves
	)
	highest, _, _ := cpuid(0, 0)
	_, _, features := cpuid(1, 0)
	if highest < 7 || !has(features, osxsave|fma|avx) {
		return false, false
	}
	_, extended, _ := cpuid(7, 0)
	state := xgetbv()
	avx2 = has(extended, avx2Bit|bmi2) && has(state, ymmState)
	avx512 = avx2 && has(extended, avx512f|avx512dq|avx512bw|avx512vl) && has(state, zmmState)
	return avx2, avx512
}

func has(word, bits uint32) bool { return word&bits == bits }

// cpuid returns three registers of a leaf and sub-leaf of CPUID.
func cpuid(leaf, sub uint32) (eax, ebx, ecx uint32)

// caches returns the bytes of a core's L1 data cache and of its L2 cache. Intel
// describes them in leaf 4, AMD in leaf 0x8000001D, in the same form (Intel, "Software
// Developer's Manual", volume 2A; AMD, "Architecture Programmer's Manual", volume 3).
func caches() (l1, l2 int) {
	leaf := uint32(4)
	if _, maker, _ := cpuid(0, 0); maker == 0x68747541 { // "Auth"enticAMD
		leaf = 0x8000001d
	}
	if highest, _, _ := cpuid(leaf&0x80000000, 0); highest < leaf {
		return smallL1, smallL2
	}
	return dataCaches(func(sub uint32) (eax, ebx, ecx uint32) { return cpuid(leaf, sub) })
}

// dataCaches returns the sizes of the caches that the sub-leaves describe, one each.
func dataCaches(describe func(sub uint32) (eax, ebx, ecx uint32)) (l1, l2 int) {
	l1, l2 = smallL1, smallL2
	for sub := range uint32(16) {
		eax, ebx, ecx := describe(sub)
		line, partitions, ways, sets := int(ebx&0xfff+1), int(ebx>>12&0x3ff+1), int(ebx>>22+1), int(ecx)+1
		size := line * partitions * ways * sets
		const none, data, unified = 0, 1, 3
		switch kind, level := eax&0x1f, eax>>5&7; {
		case kind == none:
			return l1, l2
		case kind == data && level == 1:
			l1 = size
		case kind == unified && level == 2:
			l2 = size
		}
	}
	return l1, l2
}

// pause tells the processor that this thread spins, so that a thread which shares the
// core gets on.
func pause()

// xgetbv returns the low half of the register XCR0.
func xgetbv() uint32

// activeKernel returns the best micro-kernel of the processor.
func activeKernel() *kernel {
	switch {
	case useAVX512:
		return &kernelAVX512
	case useAVX2:
		return &kernelAVX2
	}
	return &kernelGo
}

// microKernel computes one row of tiles.
func microKernel(t *tileRow) {
	switch {
	case useAVX512:
		microKernelAVX512(t)
	case useAVX2 && t.cols%4 == 0:
		microKernelAVX2(t)
	case useAVX2:
		var buffer [mrAVX2 * nrAVX2]float64
		others, last := t.splitLast(nrAVX2, buffer[:])
		if others.cols > 0 {
			microKernelAVX2(&others)
		}
		microKernelAVX2(&last)
		t.joinLast(nrAVX2, buffer[:])
	default:
		microKernelGo(t)
	}
}

// microKernelAVX512 takes any number of columns.
//
//go:noescape
func microKernelAVX512(t *tileRow)

// microKernelAVX2 takes a multiple of 4 columns.
//
//go:noescape
func microKernelAVX2(t *tileRow)

// pack is packGeneric.
func pack(panel, b []float64, nr, n, k, bk, bj int) {
	switch {
	case useAVX2 && bj == 1 && n%4 == 0:
		copyRowsAVX2(&panel[0], &b[0], k, n, nr, bk)
	case useAVX2 && bk == 1 && k >= 4:
		full := n &^ 3
		for j := 0; j < full; j += 4 {
			transposeAVX2(&panel[j], &b[j*bj], k, nr, bj)
		}
		if full < n {
			packGeneric(panel[full:], b[full*bj:], nr, n-full, k, bk, bj)
		}
	default:
		packGeneric(panel, b, nr, n, k, bk, bj)
	}
}

// copyRowsAVX2 copies height rows of width elements. The width is a multiple of four,
// and the strides are the elements from one row to the next.
//
//go:noescape
func copyRowsAVX2(to, from *float64, height, width, toStride, fromStride int)

// transposeAVX2 copies four rows of width elements, at least four, to four columns.
//
//go:noescape
func transposeAVX2(to, from *float64, width, toStride, fromStride int)

// callElements is the most elements of one call of an elementwise step in assembly. The
// scheduler cannot preempt assembly, so that a long slice is done in several calls.
const callElements = 64 << 10 / 8

// inVectors calls step for ranges of full vectors and returns how many of the n elements
// they cover. Without AVX2 that is none.
//
// It must not be inlined, or step would be inlined into it. The scheduler can preempt at the
// call of a Go function such as step, but hardly in a loop that only calls assembly.
//
//go:noinline
func inVectors(n, lanes int, step func(from, to int)) (done int) {
	if !useAVX2 {
		return 0
	}
	for full := n &^ (lanes - 1); done < full; {
		from := done
		done = min(from+callElements, full)
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

// oneSlice, twoSlices and threeSlices apply step to the full vectors of the slices, and
// return the rest of these.
func oneSlice(step func(z []float64), z []float64) (left []float64) {
	n := inVectors(len(z), 4, func(i, j int) { step(z[i:j]) })
	return z[n:]
}

func twoSlices(step func(z, x []float64), z, x []float64) (leftZ, leftX []float64) {
	n := inVectors(len(z), 4, func(i, j int) { step(z[i:j], x[i:j]) })
	return z[n:], x[n:]
}

func threeSlices(step func(z, x, y []float64), z, x, y []float64) (leftZ, leftX, leftY []float64) {
	n := inVectors(len(z), 4, func(i, j int) { step(z[i:j], x[i:j], y[i:j]) })
	return z[n:], x[n:], y[n:]
}

func relu(z []float64)             { reluGeneric(oneSlice(reluAVX2, z)) }
func exps(z []float64)             { expGeneric(oneSlice(expAVX2, z)) }
func sigmoids(z []float64)         { sigmoidGeneric(oneSlice(sigmoidAVX2, z)) }
func tanhs(z []float64)            { tanhGeneric(oneSlice(tanhAVX2, z)) }
func mul(z, x []float64)           { mulGeneric(twoSlices(mulAVX2, z, x)) }
func div(z, x []float64)           { divGeneric(twoSlices(divAVX2, z, x)) }
func reluBack(dz, a []float64)     { reluBackGeneric(twoSlices(reluBackAVX2, dz, a)) }
func sigmoidBack(dz, a []float64)  { sigmoidBackGeneric(twoSlices(sigmoidBackAVX2, dz, a)) }
func tanhBack(dz, a []float64)     { tanhBackGeneric(twoSlices(tanhBackAVX2, dz, a)) }
func addProduct(z, x, y []float64) { addProductGeneric(threeSlices(addProductAVX2, z, x, y)) }
func scale(z, x, y []float64)      { scaleGeneric(threeSlices(scaleAVX2, z, x, y)) }

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

// The steps in assembly take a number of full vectors, at least one: four elements each
// with AVX2, and eight with AVX-512. The first slice gives the length of all. bytesAVX2
// takes any number of elements from four.
func reluAVX2(z []float64)
func expAVX2(z []float64)
func sigmoidAVX2(z []float64)
func tanhAVX2(z []float64)
func mulAVX2(z, x []float64)
func divAVX2(z, x []float64)
func reluBackAVX2(dz, a []float64)
func sigmoidBackAVX2(dz, a []float64)
func tanhBackAVX2(dz, a []float64)
func addProductAVX2(z, x, y []float64)
func scaleAVX2(z, x, y []float64)
func axpyAVX2(z, x []float64, s float64)
func axpyAVX512(z, x []float64, s float64)
func xpayAVX2(z, x []float64, s float64)

//go:noescape
func bytesAVX2(z []float64, p []byte, scale, shift []float64)

//go:noescape
func adamAVX2(w, g, m, v []float64, f *adamFactors)

//go:noescape
func adamAVX512(w, g, m, v []float64, f *adamFactors)

// prefetch asks the processor to bring p to the L1 cache.
//
//go:noescape
func prefetch(p []byte)

// expConstants is what the assembly of exp, sigmoid and tanh reads.
type expConstants struct {
	log2e, toInt, ln2Hi, ln2Lo float64
	low, high, tanhHigh        float64
	half, one, two, minusZero  float64
	taylor                     [len(taylor)]float64
}

var expTable = expConstants{
	log2e: math.Log2E, toInt: toInt, ln2Hi: ln2Hi, ln2Lo: ln2Lo,
	low: expLow, high: expHigh, tanhHigh: tanhHigh,
	half: 0.5, one: 1, two: 2, minusZero: math.Copysign(0, -1),
	taylor: taylor,
}
