// The choice between the products' micro-kernels, NEON or the Go of mat_generic.go, and
// the declaration of mat_arm64.s. Not here: the elementwise steps, which have no assembly
// on arm64 (elementwise_noasm.go).

//go:build arm64 && !purego

package mlp

// Every arm64 processor has NEON. Tests set it to false.
var useNEON = true

// pause tells the processor that this thread spins, so that a thread which shares the
// core gets on.
func pause()

// caches returns the smallest caches, because the system does not tell.
func caches() (l1, l2 int) { return smallL1, smallL2 }

// activeKernel returns the micro-kernel of NEON, or in tests that of Go.
func activeKernel() *kernel {
	if useNEON {
		return &kernelNEON
	}
	return &kernelGo
}

// multiply computes one row of tiles.
func multiply(t *tileRow) {
	switch {
	case useNEON && t.cols%4 == 0:
		multiplyNEON(t)
	case useNEON:
		others, last := t.splitLast(kernelNEON.nr)
		if others.cols > 0 {
			multiplyNEON(&others)
		}
		var z [4 * paddedCols]float64
		padded := last.pad(z[:])
		multiplyNEON(&padded)
		last.unpad(z[:])
	default:
		multiplyGeneric(t)
	}
}

// multiplyNEON computes at most 4 rows of tiles, of a multiple of 4 columns.
//
//go:noescape
func multiplyNEON(t *tileRow)

// pack copies k rows of w columns of b to a micro-panel, as packGeneric says.
func pack(panel, from []float64, width, w, k, bk, bj int) {
	packGeneric(panel, from, width, 0, w, k, bk, bj)
}
