// The micro-kernels and their block sizes. A file of its own because it is what one
// changes for a new processor. Not here: the micro-kernels themselves (mat_generic.go
// and the assembly).

package mlp

// A kernel is a micro-kernel with the numbers that the product is tuned by.
// testdata/perf/README.md has the measurements that chose them. The workspace of a
// product has room for the largest MR, KC and NC of all kernels. NR and 8 must be
// multiples of the lanes.
type kernel struct {
	name         string
	mr, nr       int  // rows and columns of a register tile: its sums fill the registers
	mc           int  // rows of a that stay in the last-level cache while b's blocks pass by
	kc           int  // terms: MR·KC elements of a stay in the first-level cache
	nc           int  // columns: KC·NC elements of b stay in the second-level cache
	lanes        int  // elements of a vector
	wholeVectors bool // it reads and writes whole vectors only, also at the end of a row
}

var (
	kernelAVX512 = kernel{name: "AVX-512", mr: 8, nr: 24, mc: 1024, kc: 512, nc: 96, lanes: 8}
	kernelAVX2   = kernel{name: "AVX2", mr: 6, nr: 8, mc: 1024, kc: 512, nc: 96, lanes: 4, wholeVectors: true}
	kernelNEON   = kernel{name: "NEON", mr: 4, nr: 12, mc: 1024, kc: 512, nc: 96, lanes: 4, wholeVectors: true}
	kernelGo     = kernel{name: "Go", mr: 2, nr: 4, mc: 1024, kc: 512, nc: 96, lanes: 4}
)

// The largest MR, KC and NC of all kernels.
const maxMR, maxKC, maxNC = 8, 512, 96

// Kernel names the kernel in use: AVX-512, AVX2, NEON or Go.
func Kernel() string { return activeKernel().name }
