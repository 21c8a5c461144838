// The declarations of mat_amd64.s and the choice among its kernels: AVX-512,
// AVX2 with FMA, or the Go of mat_generic.go.

//go:build amd64 && !purego

package mlp

import "math"

// What the processor and the operating system offer; tests switch them off. halves
// is set on AMD's family 19h, whose Zen 4 works on vectors of 512 bits in two halves.
var useAVX2, useAVX512, halves = detect()

func detect() (avx2, avx512, halves bool) {
	const (
		osxsave, fma, avx  = 1 << 27, 1 << 12, 1 << 28 // CPUID 1, ECX
		avx2Bit, bmi2      = 1 << 5, 1 << 8            // CPUID 7, EBX
		avx512f, avx512dq  = 1 << 16, 1 << 17
		avx512bw, avx512vl = 1 << 30, 1 << 31
		ymmState, zmmState = 0x06, 0xe6           // XCR0: what the system saves
		amd, zen4          = 0x68747541, 0xa00f00 // CPUID 0, EBX: "Auth"; CPUID 1, EAX: the family
	)
	highest, maker, _ := cpuid(0)
	model, _, features := cpuid(1)
	if highest < 7 || !has(features, osxsave|fma|avx) {
		return false, false, false
	}
	_, extended, _ := cpuid(7)
	state := xgetbv()
	avx2 = has(extended, avx2Bit|bmi2) && has(state, ymmState)
	avx512 = avx2 && has(extended, avx512f|avx512dq|avx512bw|avx512vl) && has(state, zmmState)
	return avx2, avx512, maker == amd && model&0xff00f00 == zen4
}

func has(word, bits uint32) bool { return word&bits == bits }

// cpuid returns the registers of CPUID's given leaf, sub-leaf 0.
func cpuid(leaf uint32) (eax, ebx, ecx uint32)

// xgetbv returns the low half of XCR0.
func xgetbv() uint32

func activeKernel() *kernel {
	switch {
	case useAVX512:
		return &kernelAVX512
	case useAVX2:
		return &kernelAVX2
	}
	return &kernelGo
}

func multiply(t *tile) {
	switch {
	case useAVX512 && t.rows >= 6 && (t.cols == 9 || t.cols == 10):
		multiplyTenAVX512(t)
	case useAVX512:
		multiplyAVX512(t)
	case useAVX2 && t.cols%4 == 0:
		multiplyAVX2(t)
	case useAVX2:
		var z [6 * padded]float64
		u := t.pad(z[:])
		multiplyAVX2(&u)
		t.unpad(z[:])
	default:
		multiplyGeneric(t)
	}
}

// multiplyAVX512 takes up to 8 rows and 24 columns.
//
//go:noescape
func multiplyAVX512(t *tile)

// multiplyTenAVX512 takes 6 to 8 rows and 9 or 10 columns.
//
//go:noescape
func multiplyTenAVX512(t *tile)

// multiplyAVX2 takes up to 6 rows and 4 or 8 columns.
//
//go:noescape
func multiplyAVX2(t *tile)

// copyRowsAVX2 copies rows of width elements, a multiple of four.
//
//go:noescape
func copyRowsAVX2(to, from *float64, height, width, toStride, fromStride int)

// transposeAVX2 makes four rows of width elements, at least four, columns.
//
//go:noescape
func transposeAVX2(to, from *float64, width, toStride, fromStride int)

// pack copies w columns of b, which begin with from and are bj apart, k rows
// bk apart, to panel, whose rows are width apart and, where the kernel reads whole vectors,
// filled up with zeros.
func pack(panel, from []float64, width, w, k, bk, bj int) {
	switch {
	case useAVX2 && bj == 1 && w%4 == 0:
		copyRowsAVX2(&panel[0], &from[0], k, w, width, bk)
	case useAVX2 && bk == 1 && k >= 4:
		fours := w &^ 3
		for c := 0; c < fours; c += 4 {
			transposeAVX2(&panel[c], &from[c*bj], k, width, bj)
		}
		if fours < width {
			packGeneric(panel, from, width, fours, w, k, bk, bj)
		}
	default:
		packGeneric(panel, from, width, 0, w, k, bk, bj)
	}
}

// The elementwise steps take a multiple of four elements, or of eight, a length they have
// from their first slice.

//go:noescape
func addAVX2(z, x []float64)

//go:noescape
func reluAVX2(z []float64)

//go:noescape
func reluBackAVX2(dz, a []float64)

//go:noescape
func axpyAVX2(z, x []float64, s float64)

// axpyAVX512 takes any number of elements.
//
//go:noescape
func axpyAVX512(z, x []float64, s float64)

//go:noescape
func xpayAVX2(z, x []float64, s float64)

//go:noescape
func adamAVX2(w, g, m, v []float64, f *adamFactors)

//go:noescape
func adamAVX512(w, g, m, v []float64, f *adamFactors)

//go:noescape
func bytesAVX2(z []float64, p []byte, scale, shift []float64)

//go:noescape
func bytesAVX512(z []float64, p []byte, scale, shift []float64)

//go:noescape
func expAVX2(z []float64)

//go:noescape
func sigmoidAVX2(z []float64)

//go:noescape
func tanhAVX2(z []float64)

//go:noescape
func sigmoidBackAVX2(dz, a []float64)

//go:noescape
func tanhBackAVX2(dz, a []float64)

// prefetch asks for p to be brought to the cache.
//
//go:noescape
func prefetch(p []byte)

// expTable is what the assembly needs beside taylor.
var expTable = [...]float64{math.Log2E, whole, ln2Hi, ln2Lo, 1, expLow, expHigh, tanhHigh, 0.5, 2, math.Copysign(0, -1)}

// fours returns how many of n elements the assembly does. It is not called for
// none, which is all where a processor lacks the instructions.
func fours(n int) int {
	if useAVX2 {
		return n &^ 3
	}
	return 0
}

func add(z, x []float64) {
	n := fours(len(z))
	if n > 0 {
		addAVX2(z[:n], x[:n])
	}
	addGeneric(z[n:], x[n:])
}

func relu(z []float64) {
	n := fours(len(z))
	if n > 0 {
		reluAVX2(z[:n])
	}
	reluGeneric(z[n:])
}

func reluBack(dz, a []float64) {
	n := fours(len(dz))
	if n > 0 {
		reluBackAVX2(dz[:n], a[:n])
	}
	reluBackGeneric(dz[n:], a[n:])
}

func axpy(z, x []float64, s float64) {
	if useAVX512 {
		axpyAVX512(z, x[:len(z)], s)
		return
	}
	n := fours(len(z))
	if n > 0 {
		axpyAVX2(z[:n], x[:n], s)
	}
	axpyGeneric(z[n:], x[n:], s)
}

func xpay(z, x []float64, s float64) {
	n := fours(len(z))
	if n > 0 {
		xpayAVX2(z[:n], x[:n], s)
	}
	xpayGeneric(z[n:], x[n:], s)
}

func adamStep(w, g, m, v []float64, f *adamFactors) {
	n := fours(len(w))
	if useAVX512 {
		n = len(w) &^ 7
		adamAVX512(w[:n], g[:n], m[:n], v[:n], f)
	} else if n > 0 {
		adamAVX2(w[:n], g[:n], m[:n], v[:n], f)
	}
	adamStepGeneric(w[n:], g[n:], m[n:], v[n:], f)
}

func bytesTo(z []float64, p []byte, scale, shift []float64) {
	n := fours(len(z))
	if useAVX512 {
		n = len(z) &^ 7
		bytesAVX512(z[:n], p[:n], scale[:n], shift[:n])
	} else if n > 0 {
		bytesAVX2(z[:n], p[:n], scale[:n], shift[:n])
	}
	bytesGeneric(z[n:], p[n:], scale[n:], shift[n:])
}

func exps(z []float64) {
	n := fours(len(z))
	if n > 0 {
		expAVX2(z[:n])
	}
	expGeneric(z[n:])
}

func sigmoids(z []float64) {
	n := fours(len(z))
	if n > 0 {
		sigmoidAVX2(z[:n])
	}
	sigmoidGeneric(z[n:])
}

func tanhs(z []float64) {
	n := fours(len(z))
	if n > 0 {
		tanhAVX2(z[:n])
	}
	tanhGeneric(z[n:])
}

func sigmoidBack(dz, a []float64) {
	n := fours(len(dz))
	if n > 0 {
		sigmoidBackAVX2(dz[:n], a[:n])
	}
	sigmoidBackGeneric(dz[n:], a[n:])
}

func tanhBack(dz, a []float64) {
	n := fours(len(dz))
	if n > 0 {
		tanhBackAVX2(dz[:n], a[:n])
	}
	tanhBackGeneric(dz[n:], a[n:])
}
