// The micro-kernel of arm64: the assembly of mat_arm64.s for NEON.

//go:build arm64 && !purego

package mlp

// Every arm64 processor has NEON. Tests set it to false.
var useNEON = true

// pause tells the processor that this thread spins, so that a thread which shares the
// core gets on.
func pause()

// activeKernel returns the micro-kernel of NEON, or in tests that of Go.
func activeKernel() *kernel {
	if useNEON {
		return &kernelNEON
	}
	return &kernelGo
}

// microKernel computes one row of tiles.
func microKernel(t *tileRow) {
	switch {
	case useNEON && t.cols%4 == 0:
		microKernelNEON(t)
	case useNEON:
		var buffer [mrNEON * nrNEON]float64
		others, last := t.splitLast(nrNEON, buffer[:])
		if others.cols > 0 {
			microKernelNEON(&others)
		}
		microKernelNEON(&last)
		t.joinLast(nrNEON, buffer[:])
	default:
		microKernelGo(t)
	}
}

// microKernelNEON takes a multiple of 4 columns.
//
//go:noescape
func microKernelNEON(t *tileRow)
