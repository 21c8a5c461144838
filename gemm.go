// The product z = a·b: five loops around a micro-kernel, the packing of b, the parts that
// threads share, and the table of micro-kernels.

package mlp

import (
	"fmt"
	"math"
	"sync"
)

// The product z = a·b, m×k by k×n, is computed as in Goto & van de Geijn, "Anatomy of
// High-Performance Matrix Multiplication" (2008), and in BLIS (Van Zee & van de Geijn
// 2015), by five loops. Theirs keep a block of a in the L2 cache while b passes by. Here a
// and b change places, because a vector register holds part of a row, and the rows of b and
// z are contiguous:
//
//	for ic, in steps of MC        rows of a and z
//	  for pc, in steps of KC      terms of the sums
//	    for jc, in steps of NC    columns of b and z; pack b's block
//	      for ir, in steps of MR  rows of a tile
//	        for jr, in steps of NR: the micro-kernel adds MR×KC · KC×NR to a tile
//	        after the last terms: the epilogue is applied to these rows
//
//	                     jc          jr: NR columns
//	           k       ┌───┬──────┬─┬─┬─┬───┐
//	      ┌────┬────┐  │   │      │ │ │ │   │
//	  ic  │    │    │  │   ├──────┼─┼─┼─┤   │ pc   KC×NC of b: stays in the L2 cache
//	      │    ├────┤  │   │      │ │ │ │   │      for all ir
//	  ir  │    │▒▒▒▒│  │   └──────┴─┴─┴─┘   │
//	  MR  │    ├────┤  └────────────────────┘
//	      │    │    │     MR×KC of a: stays in the L1 cache for all jr
//	      └────┴────┘       a tile, MR×NR of z: stays in registers for all terms
//	       pc   KC
//
// Each element of z is one chain of fused multiply-adds in ascending order of the terms. If
// a sum has several blocks of terms, each later block continues the chain from the value in
// z. So no block size changes a bit of the result.

// An operand is a matrix as a product reads it: element (i, j) is
// data[i*rowStride+j*colStride].
type operand struct {
	data                 []float64
	rows, cols           int
	rowStride, colStride int
	transposed           bool
}

func (x *Matrix) operand() operand { return operand{x.Data, x.Rows, x.Cols, x.Cols, 1, false} }

func (o operand) transpose() operand {
	return operand{o.data, o.cols, o.rows, o.colStride, o.rowStride, !o.transposed}
}

// from returns the data from element (i, j) on. An operand without elements has none.
func (o *operand) from(i, j int) []float64 {
	return o.data[min(len(o.data), i*o.rowStride+j*o.colStride):]
}

// shape writes the shape of the matrix, with ᵀ if the operand is its transpose.
func (o *operand) shape() string {
	if o.transposed {
		return fmt.Sprintf("(%d×%d)ᵀ", o.cols, o.rows)
	}
	return fmt.Sprintf("%d×%d", o.rows, o.cols)
}

// An epilogue is applied to each finished piece of a product, rows i0 to i1-1 and columns j0
// to j1-1, while it is in the cache. z begins with element (i0, j0), and its rows are stride
// apart.
type epilogue interface {
	apply(z []float64, stride, i0, i1, j0, j1 int)
}

// A product is z = a·b, m×k by k×n, and what is done to the result.
type product struct {
	a, b          operand
	z             []float64
	m, n, k       int
	epilogue      epilogue // nil if there is none
	strips, parts int      // see part
}

var products = sync.Pool{New: func() any { return new(product) }}

// product sets z = a·b on at most so many threads, applies the epilogue, if it is not nil, and
// returns z. It panics, in the name of method, if the shapes do not fit or z shares storage
// with an operand; z is then as it was.
func (z *Matrix) product(threads int, method string, a, b operand, e epilogue) *Matrix {
	for _, o := range [...]operand{a, b} { // because the kernels do not check bounds
		(&Matrix{o.rows, o.cols, o.data}).mustBeFilled(method)
	}
	if a.cols != b.rows {
		panic(fmt.Sprintf("mlp: %s: shapes %s · %s", method, a.shape(), b.shape()))
	}
	m, n := a.rows, b.cols
	storage := z.Data[:min(cap(z.Data), max(len(z.Data), m*n))] // what z has, and what Reset may add
	if overlap(storage, a.data) || overlap(storage, b.data) {
		panic("mlp: " + method + ": the result shares storage with an operand")
	}
	if z.Reset(m, n); m*n == 0 {
		return z
	}
	p := products.Get().(*product)
	*p = product{a: a, b: b, z: z.Data, m: m, n: n, k: a.cols, epilogue: e}
	p.cut(threads)
	parallelFor(threads, p.parts, p)
	*p = product{}
	products.Put(p)
	return z
}

// An interval is the indices from lo to hi-1.
type interval struct{ lo, hi int }

func (v interval) len() int { return v.hi - v.lo }

// split cuts v in parts of nearly equal length, in multiples of unit, and returns part i.
func (v interval) split(unit, parts, i int) interval {
	units := int64(ceil(v.len(), unit))
	bound := func(i int) int { return int(units*int64(i)/int64(parts)) * unit }
	return interval{v.lo + bound(i), min(v.lo+bound(i+1), v.hi)}
}

// ceil returns n/d, rounded up.
func ceil(n, d int) int { return (n + d - 1) / d }

// roundUp returns n rounded up to whole units.
func roundUp(n, unit int) int { return ceil(n, unit) * unit }

// Threads share out parts of z.
const (
	partsPerThread = 2       // so that a thread that is done early can do another's
	minShared      = 1 << 16 // multiply-adds that are worth a thread
	columnUnit     = 8       // a cache line: no two threads should write to one

	// What a part costs beside its own elements, in rows and columns: it packs its blocks of
	// b, and shares cache lines with the parts beside it.
	extraRows, extraCols = 8, 4
	// If a row of z goes on in another strip, prefetching takes lines of that strip from the
	// thread that writes to them. That costs as much as overrunCols/k columns of k terms.
	overrunCols = 1000
)

// cut chooses the strips and the parts for so many threads, or fewer if the product is not
// worth so many: those that are done first, if each thread takes as many parts as any other.
func (p *product) cut(threads int) {
	p.strips, p.parts = 1, 1
	if threads = min(threads, p.worthThreads()); threads <= 1 {
		return
	}
	columns := ceil(p.n, columnUnit)
	least := math.Inf(1)
	for parts := threads; parts <= partsPerThread*threads; parts += threads {
		for strips := 1; strips <= min(columns, parts); strips++ {
			rows, cols := ceil(p.m*strips, parts), ceil(columns, strips)*columnUnit
			if cols += extraCols; strips > 1 {
				cols += overrunCols / p.k
			}
			part := float64(rows+extraRows) * float64(cols)
			// Of two cuts that are done at about the same time, the one of smaller parts is
			// better: if a thread is interrupted, another does its last part.
			if most := (float64(parts/threads) + 0.1) * part; most < least {
				least, p.strips, p.parts = most, strips, min(parts, p.m*strips)
			}
		}
	}
}

func (p *product) worthThreads() int {
	return int(min(int64(p.m)*int64(p.n)*int64(p.k)/minShared, math.MaxInt32))
}

// part computes part i. z is cut in strips of columns, whose rows are counted strip after
// strip. A part is a run of these rows. The parts have the same number of rows, or some
// have one more. For example 3 parts of 2 strips:
//
//	┌────────┬────────┐
//	│ part 0 │ part 1 │
//	│        ├────────┤
//	├────────┤ part 2 │
//	│ part 1 │        │
//	└────────┴────────┘
func (p *product) part(i int) {
	for left := (interval{0, p.m * p.strips}).split(1, p.parts, i); left.len() > 0; {
		rows, cols := p.rectangle(left)
		p.compute(rows, cols)
		left.lo += rows.len()
	}
}

// rectangle returns the rows of v that lie in one strip with the first of them, and the
// columns of that strip. v counts rows strip after strip.
func (p *product) rectangle(v interval) (rows, cols interval) {
	strip, row := v.lo/p.m, v.lo%p.m
	return interval{row, min(p.m, row+v.len())}, interval{0, p.n}.split(columnUnit, p.strips, strip)
}

// compute computes rows×cols of z by the five loops. The outer three cut what they run over
// in the fewest blocks of nearly equal size: at most MC rows, 9/8·KC terms, and KC·NC elements
// of b.
func (p *product) compute(rows, cols interval) {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	kernel := activeKernel()
	rowBlocks := ceil(rows.len(), blockRows)
	for ic := range rowBlocks {
		rows := rows.split(1, rowBlocks, ic)
		termBlocks := max(1, ceil(p.k, kernel.kc*9/8))
		for pc := range termBlocks {
			terms := interval{0, p.k}.split(1, termBlocks, pc)
			widest := max(1, kernel.kc*kernel.nc/max(1, terms.len())/kernel.nr) * kernel.nr
			colBlocks := ceil(cols.len(), widest)
			for jc := range colBlocks {
				p.block(w, rows, cols.split(kernel.nr, colBlocks, jc), terms)
			}
		}
	}
}

// block does the loop ir, and the micro-kernel does jr: they add the terms of one block to
// rows×cols of z. If these terms are the last, the epilogue follows.
func (p *product) block(w *workspace, rows, cols, terms interval) {
	t := tileRow{ldz: p.n, ai: p.a.rowStride, ak: p.a.colStride, k: terms.len(), accumulate: terms.lo > 0}
	var b []float64
	b, t.bk, t.next = p.packOrReadInPlace(w, rows, cols, terms)
	mr := activeKernel().mr
	for ir := rows.lo; ir < rows.hi; ir += t.rows {
		z := p.z[ir*p.n+cols.lo:]
		t.z, t.a, t.b = z, p.a.from(ir, terms.lo), b
		t.rows, t.cols = min(rows.hi-ir, mr), cols.len()
		if left := rows.hi - ir; mr < left && left < mr+mr/2 {
			// A low tile does too little work for each row of b that it loads. So the last two
			// share their rows if the last would have less than half of MR.
			t.rows = (left + 1) / 2
		}
		microKernel(&t)
		if p.epilogue != nil && terms.hi == p.k {
			p.epilogue.apply(z, p.n, ir, ir+t.rows, cols.lo, cols.hi)
		}
	}
}

// A workspace is the array to which one thread packs blocks of b.
type workspace struct{ packed []float64 }

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// packOrReadInPlace returns b's block of these terms and columns as the micro-kernel reads
// it, the stride of its rows, and how many elements lie from one tile's columns to the next
// tile's. rows are the rows of a that use the block. The block is part of b itself, or a
// copy in micro-panels of NR columns. For example 3×6 elements with NR = 4, by their places
// in memory:
//
//	in place, stride 10     packed, stride 4
//	 0  1  2  3  4  5       0  1  2  3 │ 12 13  ·  ·
//	10 11 12 13 14 15       4  5  6  7 │ 16 17  ·  ·
//	20 21 22 23 24 25       8  9 10 11 │ 20 21  ·  ·
//
// No result depends on what lies behind the last column.
func (p *product) packOrReadInPlace(w *workspace, rows, cols, terms interval) (block []float64, stride, next int) {
	kernel := activeKernel()
	nr := kernel.nr
	if p.b.readInPlace(rows.len(), cols.len()) || terms.len() == 0 {
		return p.b.from(terms.lo, cols.lo), p.b.rowStride, nr
	}
	size := terms.len() * roundUp(cols.len(), nr)
	if size > len(w.packed) {
		w.packed = make([]float64, max(size, kernel.kc*kernel.nc))
	}
	// A block is right-aligned, because hardware prefetching overruns it: behind it may lie
	// another thread's workspace, whose beginning that thread seldom uses.
	packed := w.packed[len(w.packed)-size:]
	for jr := 0; jr < cols.len(); jr += nr {
		pack(packed[jr*terms.len():], p.b.from(terms.lo, cols.lo+jr),
			nr, min(nr, cols.len()-jr), terms.len(), p.b.rowStride, p.b.colStride)
	}
	return packed, nr, nr * terms.len()
}

// A block of b is packed if more than so many rows of tiles use the copy. It pays earlier if
// b's rows are a multiple of half a page or of a page apart, because then they share a few
// sets of the L1 cache, and of the L2 cache if they are a multiple of two pages apart.
const (
	packFrom         = 40
	packFromHalfPage = 15
	packFromPage     = 8
	packFromPages    = 3
	page             = 4096 / 8 // elements
)

// readInPlace reports whether so many rows of a read blocks of so many columns in place. A
// kernel of full vectors cannot if the last vector of a row is not full.
func (b *operand) readInPlace(rows, cols int) bool {
	kernel := activeKernel()
	if b.colStride != 1 || kernel.fullVectors && cols%kernel.lanes != 0 {
		return false
	}
	from := packFrom
	switch stride := b.rowStride; {
	case stride%(2*page) == 0:
		from = packFromPages
	case stride%page == 0:
		from = packFromPage
	case stride%(page/2) == 0:
		from = packFromHalfPage
	}
	return rows/kernel.mr <= from
}

// A kernel is a micro-kernel with the numbers that the product is tuned by.
// testdata/perf/README.md has the measurements that chose them.
type kernel struct {
	name        string
	mr, nr      int  // rows and columns of a tile: its sums fill the registers
	fromL1      int  // float64s per term that must come from L1: MR+NR, or MR if b streams from L2
	lanes       int  // float64s of a vector; NR and 8 are multiples of it
	fullVectors bool // it reads and writes full vectors only, also at the end of a row

	kc, nc int // terms and columns of a block of b; see fit
}

// MR and NR of the micro-kernels, for the assembly too.
const (
	mrAVX512, nrAVX512 = 8, 24
	mrAVX2, nrAVX2     = 6, 8
	mrNEON, nrNEON     = 4, 12
	mrGo, nrGo         = 2, 4

	// blockRows is MC, the most rows of a that pass by a row of blocks of b: MC·KC elements
	// of a stay in the last-level cache meanwhile.
	blockRows = 1024
)

// A narrow tile of AVX2 or NEON reads so many bytes for each multiply-add that both
// micro-panels must come from L1. A tile of AVX-512 reads fewer, and only a's micro-panel,
// which all tiles of a row use, must stay there.
var (
	kernelAVX512 = kernel{name: "AVX-512", mr: mrAVX512, nr: nrAVX512, fromL1: mrAVX512, lanes: 8}.fit(caches())
	kernelAVX2   = kernel{name: "AVX2", mr: mrAVX2, nr: nrAVX2, fromL1: mrAVX2 + nrAVX2, lanes: 4,
		fullVectors: true}.fit(caches())
	kernelNEON = kernel{name: "NEON", mr: mrNEON, nr: nrNEON, fromL1: mrNEON + nrNEON, lanes: 4,
		fullVectors: true}.fit(caches())
	kernelGo = kernel{name: "Go", mr: mrGo, nr: nrGo, fromL1: mrGo + nrGo, lanes: 4}.fit(caches())
)

// fit chooses the block sizes for caches of so many bytes. Half of a cache is left to what
// passes by, and to a thread that shares it:
//
//   - KC terms of the micro-panels that must come from L1 fill half of it.
//   - A block of b, KC·NC elements, fills half of L2, in whole tiles, and stays there while
//     all rows of a pass by.
func (k kernel) fit(l1, l2 int) kernel {
	const bytes = 8
	k.kc = max(64, l1/2/bytes/k.fromL1/8*8)
	k.nc = max(2, l2/2/bytes/k.kc/k.nr) * k.nr
	return k
}

// The smallest caches of the processors in use, for a processor that does not tell.
const smallL1, smallL2 = 32 << 10, 256 << 10

// Kernel names the kernel in use: AVX-512, AVX2, NEON or Go.
func Kernel() string { return activeKernel().name }
