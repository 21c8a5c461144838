// The micro-kernels and their block sizes. A file of its own because it is what one
// changes for a new processor. Not here: the micro-kernels themselves (mat_generic.go
// and the assembly), and what the processor says of its caches (mat_amd64.go).

package mlp

// A kernel is a micro-kernel with the numbers that the product is tuned by.
// testdata/perf/README.md has the measurements that chose them.
type kernel struct {
	name         string
	mr, nr       int  // rows and columns of a register tile: its sums fill the registers
	near         int  // elements, for each term, that the kernel needs from the first-level cache
	lanes        int  // elements of a vector; NR and 8 are multiples of it
	wholeVectors bool // it reads and writes whole vectors only, also at the end of a row

	kc, nc int // terms and columns in a block of b; see fit
}

// A narrow tile of AVX2 or NEON reads so many bytes for each multiply-add that both
// micro-panels must come from the first-level cache. A tile of AVX-512 reads fewer, and
// only a's micro-panel, which all tiles of a row use, needs to stay there.
var (
	kernelAVX512 = kernel{name: "AVX-512", mr: 8, nr: 24, near: 8, lanes: 8}.fit(caches())
	kernelAVX2   = kernel{name: "AVX2", mr: 6, nr: 8, near: 6 + 8, lanes: 4, wholeVectors: true}.fit(caches())
	kernelNEON   = kernel{name: "NEON", mr: 4, nr: 12, near: 4 + 12, lanes: 4, wholeVectors: true}.fit(caches())
	kernelGo     = kernel{name: "Go", mr: 2, nr: 4, near: 2 + 4, lanes: 4}.fit(caches())
)

const (
	// maxMR is the largest MR of all kernels.
	maxMR = 8
	// blockRows is MC, how many rows of a pass by a row of blocks of b: MC·KC elements of
	// a stay in the last-level cache meanwhile.
	blockRows = 1024
)

// fit chooses the block sizes for caches of so many bytes. Half of a cache is left to
// what passes by, and to a thread that shares it:
//
//   - KC terms of the micro-panels that must be near fill half of the first level.
//   - A block of b, KC·NC elements, fills half of the second level, in whole tiles. It
//     stays there while all rows of a pass by.
func (k kernel) fit(l1, l2 int) kernel {
	const bytes = 8
	k.kc = max(64, l1/2/bytes/k.near/8*8)
	k.nc = max(2, l2/2/bytes/k.kc/k.nr) * k.nr
	return k
}

// The smallest caches of the processors in use, for a processor that does not tell.
const smallL1, smallL2 = 32 << 10, 256 << 10

// Kernel names the kernel in use: AVX-512, AVX2, NEON or Go.
func Kernel() string { return activeKernel().name }
