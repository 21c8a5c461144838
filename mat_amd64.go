// The choice among the products' micro-kernels: AVX-512, AVX2 with FMA, or the Go of
// mat_generic.go, and the declarations of mat_amd64.s. Not here: the elementwise steps
// (elementwise_amd64.go).

//go:build amd64 && !purego

package mlp

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

// caches returns the bytes of a core's first- and second-level data caches. Intel
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
		kind, level := eax&0x1f, eax>>5&7
		if kind == 0 {
			break
		}
		line, partitions, ways, sets := int(ebx&0xfff+1), int(ebx>>12&0x3ff+1), int(ebx>>22+1), int(ecx)+1
		const data, unified = 1, 3
		if size := line * partitions * ways * sets; kind == data && level == 1 {
			l1 = size
		} else if kind == unified && level == 2 {
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

// multiply computes one row of tiles.
func multiply(t *tileRow) {
	switch {
	case useAVX512:
		multiplyAVX512(t)
	case useAVX2 && t.cols%4 == 0:
		multiplyAVX2(t)
	case useAVX2:
		others, last := t.splitLast(kernelAVX2.nr)
		if others.cols > 0 {
			multiplyAVX2(&others)
		}
		var z [6 * paddedCols]float64
		padded := last.pad(z[:])
		multiplyAVX2(&padded)
		last.unpad(z[:])
	default:
		multiplyGeneric(t)
	}
}

// multiplyAVX512 computes at most 8 rows of tiles, of any number of columns.
//
//go:noescape
func multiplyAVX512(t *tileRow)

// multiplyAVX2 computes at most 6 rows of tiles, of a multiple of 4 columns.
//
//go:noescape
func multiplyAVX2(t *tileRow)

// pack copies k rows of w columns of b to a micro-panel. The columns begin with from; bj is
// the stride between columns and bk between rows. A row of the micro-panel has width
// elements, of which no kernel uses those from w on.
func pack(panel, from []float64, width, w, k, bk, bj int) {
	switch {
	case useAVX2 && bj == 1 && w%4 == 0:
		copyRowsAVX2(&panel[0], &from[0], k, w, width, bk)
	case useAVX2 && bk == 1 && k >= 4:
		whole := w &^ 3
		for c := 0; c < whole; c += 4 {
			transposeAVX2(&panel[c], &from[c*bj], k, width, bj)
		}
		if whole < w {
			packGeneric(panel, from, width, whole, w, k, bk, bj)
		}
	default:
		packGeneric(panel, from, width, 0, w, k, bk, bj)
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
