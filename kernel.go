// The table of micro-kernels and of what the product is tuned by for each. A file of
// its own because it is what one changes for a new processor. Not here: the
// micro-kernels themselves (mat_generic.go and the assembly).

package mlp

// A kernel is a micro-kernel with what the product is tuned by for it. What chose the
// numbers stands in testdata/perf/README.md.
type kernel struct {
	name         string
	mr, nr       int  // rows and columns of a register tile: its sums fill the registers
	mc           int  // rows of a that stay in the last-level cache while b's blocks pass by
	kc           int  // terms: MR·KC elements of a stay in the first-level cache
	nc           int  // columns: KC·NC elements of b stay in the second-level cache
	lanes        int  // elements of a vector
	wholeVectors bool // it reads b's rows in whole vectors only, so that b must be readable there
}

var (
	kernelAVX512 = kernel{"AVX-512", 8, 24, 1024, 512, 96, 8, false}
	kernelAVX2   = kernel{"AVX2", 6, 8, 1024, 512, 96, 4, true}
	kernelNEON   = kernel{"NEON", 4, 12, 1024, 512, 96, 4, true} // a vector is a pair of registers
	kernelGo     = kernel{"Go", 2, 4, 1024, 512, 96, 4, false}
)

// The largest MR, KC and NC of all kernels.
const maxMR, maxKC, maxNC = 8, 512, 96

// Kernel names the kernel in use: AVX-512, AVX2, NEON or Go.
func Kernel() string { return activeKernel().name }
