// How a product is computed: the loops around the micro-kernel, the packing of b,
// and the parts that threads share out. Not here: the micro-kernels
// (mat_generic.go and the assembly) and the worker pool (threads.go).

package mlp

import (
	"fmt"
	"math"
	"sync"
)

// The product z = a·b, m×k by k×n, is computed as in Goto & van de Geijn,
// "Anatomy of High-Performance Matrix Multiplication" (2008), and in BLIS (Van Zee
// & van de Geijn 2015), by five loops. Theirs keep a block of a in the second-level
// cache while b passes by. Here a and b change places, because a vector register
// holds part of a row, and rows of b and z are contiguous:
//
//	for ic, in steps of MC        rows of a and z
//	  for pc, in steps of KC      terms of the sums
//	    for jc, in steps of NC    columns of b and z; pack b's block
//	      for ir, in steps of MR  rows of a tile
//	        for jr, in steps of NR: the micro-kernel adds MR×KC · KC×NR to a tile
//	        after the last terms: the epilogues are applied to these rows
//
//	                     jc          jr: NR columns
//	           k       ┌───┬──────┬─┬─┬─┬───┐
//	      ┌────┬────┐  │   │      │ │ │ │   │
//	  ic  │    │    │  │   ├──────┼─┼─┼─┤   │ pc   KC×NC of b: stays in the second-level
//	      │    ├────┤  │   │      │ │ │ │   │      cache for all ir
//	  ir  │    │▒▒▒▒│  │   └──────┴─┴─┴─┘   │
//	  MR  │    ├────┤  └────────────────────┘
//	      │    │    │     MR×KC of a: stays in the first-level cache for all jr
//	      └────┴────┘       a tile, MR×NR of z: stays in registers for all terms
//	       pc   KC
//
// Each element of z is one chain of fused multiply-adds in ascending order of the
// terms. If a sum has more than KC terms, each later block continues the chain from the
// value in z. So no block size changes a bit of the result.

// An operand is a matrix as a product reads it: element (i, j) is
// data[i*down+j*across]. If panel is not 0, it is packed weights, whose rows have a
// different stride in each panel.
type operand struct {
	data         []float64
	rows, cols   int
	down, across int
	transposed   bool
	panel        int // columns of a panel
}

func (x *Matrix) operand() operand {
	return operand{data: x.Data, rows: x.Rows, cols: x.Cols, down: x.Cols, across: 1}
}

func (o operand) transpose() operand {
	o.rows, o.cols = o.cols, o.rows
	o.down, o.across = o.across, o.down
	o.transposed = !o.transposed
	return o
}

// at returns the data from element (i, j) on, and the strides there.
func (o *operand) at(i, j int) (data []float64, down, across int) {
	start, down, across := i*o.down+j*o.across, o.down, o.across
	if o.panel > 0 && o.transposed {
		begin, width := panelOf(o.cols, o.rows, o.panel, i)
		start, across = begin+j*width+i%o.panel, width
	} else if o.panel > 0 {
		begin, width := panelOf(o.rows, o.cols, o.panel, j)
		start, down = begin+i*width+j%o.panel, width
	}
	return o.data[min(len(o.data), start):], down, across
}

// rowsFrom returns how many rows, from row i on, have the same strides.
func (o *operand) rowsFrom(i int) int {
	if o.panel > 0 && o.transposed {
		return o.panel - i%o.panel
	}
	return o.rows - i
}

// shape writes the shape of the matrix, with ᵀ if the operand is its transpose.
func (o *operand) shape() string {
	if o.transposed {
		return fmt.Sprintf("(%d×%d)ᵀ", o.cols, o.rows)
	}
	return fmt.Sprintf("%d×%d", o.rows, o.cols)
}

// An epilogue is applied to each finished part of a product by the thread that computed
// the part, while it is in the cache: rows i0 to i1-1, columns j0 to j1-1. z begins with
// element (i0, j0), and its rows are stride apart.
type epilogue interface {
	apply(z []float64, stride, i0, i1, j0, j1 int)
}

// A product is z = a·b, m×k by k×n, and what is done to its result.
type product struct {
	a, b          operand
	m, n, k       int
	method        string
	z             []float64 // nil if only the epilogues see the result
	epilogues     [2]epilogue
	strips, parts int // see part
}

var products = sync.Pool{New: func() any { return new(product) }}

// multiply sets z = a·b, applies the epilogues and returns z.
func (z *Matrix) multiply(method string, a, b operand, epilogues ...epilogue) *Matrix {
	p := newProduct(method, a, b, epilogues...)
	p.storeIn(z)
	p.share()
	return z
}

// newProduct returns the product a·b, whose epilogues, two at most, are applied in
// order. Method is the name for a panic.
func newProduct(method string, a, b operand, epilogues ...epilogue) product {
	p := product{a: a, b: b, m: a.rows, n: b.cols, k: a.cols, method: method}
	copy(p.epilogues[:], epilogues)
	a.mustBeFilled(method)
	b.mustBeFilled(method)
	if a.cols != b.rows {
		panic(fmt.Sprintf("mlp: %s: shapes %s · %s", method, a.shape(), b.shape()))
	}
	return p
}

// storeIn gives z the shape of the result and has the product store it there.
func (p *product) storeIn(z *Matrix) {
	z.Reset(p.m, p.n)
	if overlap(z.Data, p.a.data) || overlap(z.Data, p.b.data) {
		panic("mlp: " + p.method + ": the result shares storage with an operand")
	}
	p.z = z.Data
}

// mustBeFilled panics if the operand does not have the elements of its shape, because
// the kernels do not check bounds.
func (o *operand) mustBeFilled(method string) {
	(&Matrix{o.rows, o.cols, o.data}).mustBeFilled(method)
}

// An interval is the indices from lo to hi-1.
type interval struct{ lo, hi int }

func (v interval) len() int { return v.hi - v.lo }

// total returns how many indices the intervals have.
func total(intervals []interval) (n int) {
	for _, v := range intervals {
		n += v.len()
	}
	return n
}

// split cuts v in parts of nearly equal length, in multiples of unit, and returns part i.
func (v interval) split(unit, parts, i int) interval {
	units := int64(ceil(v.len(), unit))
	bound := func(i int) int { return int(units*int64(i)/int64(parts)) * unit }
	return interval{v.lo + bound(i), min(v.lo+bound(i+1), v.hi)}
}

// part computes part i. The result is cut in strips of columns, whose rows are counted strip
// after strip. A part is a run of these rows. The parts have the same number of rows, or
// some have one more. For example 3 parts of 2 strips:
//
//	┌────────┬────────┐
//	│ part 0 │ part 1 │
//	│        ├────────┤
//	├────────┤ part 2 │
//	│ part 1 │        │
//	└────────┴────────┘
func (p *product) part(i int) {
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	for left := (interval{0, p.m * p.strips}).split(1, p.parts, i); left.len() > 0; {
		rows, cols := p.rectangle(left)
		left.lo += rows.len()
		for ic := rows.lo; ic < rows.hi; ic += blockRows {
			p.rowBlock(w, interval{ic, min(ic+blockRows, rows.hi)}, cols)
		}
	}
}

// rectangle returns the rows of v that lie in one strip with the first of them, and the
// columns of that strip. v counts rows strip after strip.
func (p *product) rectangle(v interval) (rows, cols interval) {
	strip, row := v.lo/p.m, v.lo%p.m
	return interval{row, min(p.m, row+v.len())}, interval{0, p.n}.split(p.columnUnit(), p.strips, strip)
}

// rowBlock does the loops pc and jc. A block has up to KC terms, or up to an eighth more if
// that saves a block. A block of b has at most KC·NC elements, so that a block with fewer
// terms may have more columns, and it is part of one panel if the columns are those of
// packed weights. If no matrix holds the result, a block has all terms.
func (p *product) rowBlock(w *workspace, rows, cols interval) {
	kernel := activeKernel()
	blocks := max(1, ceil(p.k-kernel.kc/8, kernel.kc))
	if p.z == nil {
		blocks = 1 // the sums of a block would be lost
	}
	for pc := range blocks {
		terms := interval{0, p.k}.split(1, blocks, pc)
		widest := max(1, kernel.kc*kernel.nc/max(1, terms.len())/kernel.nr) * kernel.nr
		width := roundUp(ceil(cols.len(), max(1, ceil(cols.len(), widest))), kernel.nr)
		for jc := cols.lo; jc < cols.hi; {
			end := min(jc+width, cols.hi)
			if p.panels() {
				end = min(roundUp(jc+1, panelCols(p.n)), cols.hi)
			}
			p.block(w, rows, interval{jc, end}, terms)
			jc = end
		}
	}
}

// block does the loop ir, and the micro-kernel does jr: it adds the terms of one block to
// rows×cols of z and, if these terms are the last, applies the epilogues.
func (p *product) block(w *workspace, rows, cols, terms interval) {
	kernel := activeKernel()
	t := tileRow{ldz: p.n, ai: p.a.down, ak: p.a.across, k: terms.len(), accumulate: terms.lo > 0}
	if p.z == nil {
		t.ldz = cols.len()
	}
	var b []float64
	b, t.bk, t.next = p.packOrReadInPlace(w, rows, cols, terms)
	for ir := rows.lo; ir < rows.hi; ir += t.rows {
		t.rows = tileHeight(rows.hi-ir, kernel.mr)
		t.a, _, _ = p.a.at(ir, terms.lo)
		z := w.tiles[:]
		if p.z != nil {
			z = p.z[ir*p.n+cols.lo:]
		}
		t.z, t.b, t.cols = z, b, cols.len()
		multiply(&t)
		if terms.hi == p.k {
			p.finish(z, t.ldz, ir, ir+t.rows, cols)
		}
	}
}

func (p *product) finish(z []float64, stride, i0, i1 int, cols interval) {
	for _, e := range p.epilogues {
		if e != nil {
			e.apply(z, stride, i0, i1, cols.lo, cols.hi)
		}
	}
}

// tileHeight returns the height of the next tile if left rows are left. A tile with few
// rows does too little work for each row of b that it loads, so that the last two tiles
// share their rows if the last would have less than half of MR.
func tileHeight(left, mr int) int {
	if mr < left && left < mr+mr/2 {
		return (left + 1) / 2
	}
	return min(left, mr)
}

// A workspace is what one thread writes to while it computes a block: b's block packed,
// and one row of tiles if no matrix holds the result. A processor prefetches past the end
// of what it reads. If another thread's workspace begins there, its first bytes leave that
// thread's cache. So a packed block stands at the end of its array.
type workspace struct {
	packed []float64
	tiles  [maxMR * maxPanel]float64
}

// blockOf returns room for a packed block of n elements.
func (w *workspace) blockOf(n int) []float64 {
	if n > len(w.packed) {
		kernel := activeKernel()
		w.packed = make([]float64, max(n, kernel.kc*kernel.nc))
	}
	return w.packed[len(w.packed)-n:]
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// packOrReadInPlace returns b's block of these terms and columns as the micro-kernel reads
// it, the stride of its rows, and how many elements lie from one tile's columns to the next
// tile's. rows are the rows of a that use the block. The block is part of b itself, or a copy
// in micro-panels of NR columns. For example 3×6 elements with NR = 4, by their places in
// memory:
//
//	in place, stride 10     packed, stride 4
//	 0  1  2  3  4  5       0  1  2  3 │ 12 13  ·  ·
//	10 11 12 13 14 15       4  5  6  7 │ 16 17  ·  ·
//	20 21 22 23 24 25       8  9 10 11 │ 20 21  ·  ·
//
// No kernel uses what lies behind the last column.
func (p *product) packOrReadInPlace(w *workspace, rows, cols, terms interval) (block []float64, stride, next int) {
	data, down, across := p.b.at(terms.lo, cols.lo)
	nr := activeKernel().nr
	if terms.len() > 0 && readInPlace(rows.len(), cols.len(), down, across) {
		return data, down, nr
	}
	packed := w.blockOf(terms.len() * roundUp(cols.len(), nr))
	for jr := 0; jr < cols.len(); jr += nr {
		n := min(nr, cols.len()-jr)
		microPanel := packed[jr*terms.len():]
		for i := terms.lo; i < terms.hi; {
			from, down, across := p.b.at(i, cols.lo+jr)
			rows := min(p.b.rowsFrom(i), terms.hi-i)
			pack(microPanel[(i-terms.lo)*nr:], from, nr, n, rows, down, across)
			i += rows
		}
	}
	return packed, nr, nr * terms.len()
}

// A block of b is packed if more than so many rows of tiles use its copy: then the copy
// costs little beside what it saves. It saves more if b's rows are a multiple of a page
// apart, because then they share a few sets of the first-level cache, and of the second if
// they are a multiple of two pages apart.
const (
	packFrom      = 40
	packFromPage  = 8
	packFromPages = 3
	page          = 4096 / 8 // elements
)

// readInPlace reports whether so many rows of a read a block of b in place, whose
// elements have the given strides. A kernel of whole vectors cannot if the last vector
// is not full.
func readInPlace(rows, cols, down, across int) bool {
	kernel := activeKernel()
	if across != 1 || kernel.wholeVectors && cols%kernel.lanes != 0 {
		return false
	}
	from := packFrom
	if down%(2*page) == 0 {
		from = packFromPages
	} else if down%page == 0 {
		from = packFromPage
	}
	return rows/kernel.mr <= from
}

// Threads share out parts of z.
const (
	partsPerThread = 2       // so that a thread that is done early can do another's
	minShared      = 1 << 16 // multiply-adds that are worth a thread

	// What a part costs beside its own elements, in rows and columns: each part packs its
	// block of b, or waits for it, and shares lines of the cache with the parts beside it.
	extraRows, extraCols = 8, 4
)

// compute computes the product on the calling goroutine.
func (p *product) compute() {
	p.strips, p.parts = 1, 1
	p.part(0)
}

// share computes the product on several threads, if it has enough multiply-adds.
func (p *product) share() {
	threads := min(maxThreads(), p.worthThreads())
	if threads > 1 {
		p.cut(threads)
	}
	if p.parts <= 1 {
		p.compute()
		return
	}
	q := products.Get().(*product) // so that p does not escape to the heap
	*q = *p
	share(p.parts, q)
	*q = product{}
	products.Put(q)
}

// worthThreads returns how many threads the product is worth.
func (p *product) worthThreads() int {
	return int(min(int64(p.m)*int64(p.n)*int64(p.k)/minShared, math.MaxInt32))
}

// cut chooses the strips and the parts that are done first, if each thread takes as many
// parts as any other.
func (p *product) cut(threads int) {
	columns := ceil(p.n, p.columnUnit())
	least := math.Inf(1)
	for parts := threads; parts <= partsPerThread*threads; parts += threads {
		for strips := 1; strips <= min(columns, parts); strips++ {
			rows, cols := ceil(p.m*strips, parts), ceil(columns, strips)*p.columnUnit()
			part := float64(rows+extraRows) * float64(cols+extraCols)
			// Of two cuts that are done at about the same time, the one of smaller parts is
			// better: if a thread is interrupted, another does its last part.
			if most := (float64(parts/threads) + 0.1) * part; most < least {
				least, p.strips, p.parts = most, strips, min(parts, p.m*strips)
			}
		}
	}
}

// ceil returns n/d, rounded up.
func ceil(n, d int) int { return (n + d - 1) / d }

// panels reports whether z's columns are those of packed weights, which the product reads
// or an epilogue updates.
func (p *product) panels() bool { return p.b.panel > 0 && !p.b.transposed || p.z == nil }

// columnUnit returns the unit of a strip's width: a panel, if an epilogue updates weights, or
// else a line of the cache, which no two threads should write to.
func (p *product) columnUnit() int {
	if p.z == nil {
		return panelCols(p.n)
	}
	return 8
}

// roundUp returns n rounded up to whole units.
func roundUp(n, unit int) int { return ceil(n, unit) * unit }
