// How a product is computed: the loops around the micro-kernel, the packing of b,
// and the parts that threads share out. Not here: the micro-kernels
// (mat_generic.go and the assembly) and the worker pool (threads.go).

package mlp

import (
	"fmt"
	"runtime"
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
//	      for ir, in steps of MR  a tile's rows of a; afterwards the epilogue
//	        for jr, in steps of NR: the micro-kernel adds MR×KC · KC×NR to a tile
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
// terms. Where a sum has several blocks of KC terms, the chain goes on from what z
// holds. So no block size changes a bit of the result.

// An operand is a matrix as a product reads it: element (i, j) is
// data[i*down+j*across]. Packed weights are an operand as well; then the strides
// differ from panel to panel, and at returns them.
type operand struct {
	data         []float64
	rows, cols   int
	down, across int
	transposed   bool
	panel        int // columns of a panel of packed weights; 0 if they are not packed
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

// at returns the elements from (i, j) on, with the strides between them, and the
// number of rows until the elements go on in another panel.
func (o *operand) at(i, j int) (data []float64, down, across, rows int) {
	start, down, across, rows := i*o.down+j*o.across, o.down, o.across, o.rows-i
	if o.panel > 0 && o.transposed {
		begin, width := panelOf(o.cols, o.rows, o.panel, i)
		start, across, rows = begin+j*width+i%o.panel, width, width-i%o.panel
	} else if o.panel > 0 {
		begin, width := panelOf(o.rows, o.cols, o.panel, j)
		start, down = begin+i*width+j%o.panel, width
	}
	return o.data[min(len(o.data), start):], down, across, rows
}

// shape is the operand's shape as its matrix has it.
func (o *operand) shape() string {
	if o.transposed {
		return fmt.Sprintf("(%d×%d)ᵀ", o.cols, o.rows)
	}
	return fmt.Sprintf("%d×%d", o.rows, o.cols)
}

// An epilogue is applied to each finished part of a product, while the part is in the
// cache, by the thread that computed it: rows i0 to i1-1 and columns j0 to j1-1 of the
// result begin at z, and their rows lie stride apart.
type epilogue interface {
	apply(z []float64, stride, i0, i1, j0, j1 int)
}

// A product is z = a·b, m×k by k×n, and what is done to its result.
type product struct {
	z            []float64 // nil if only the epilogues see the result
	a, b         operand
	m, n, k      int
	epilogues    [2]epilogue
	down, across int // the grid of parts that threads share out
}

var products = sync.Pool{New: func() any { return new(product) }}

// multiply sets z = a·b, applies the epilogues and returns z; see newProduct.
func (z *Matrix) multiply(method string, a, b operand, epilogues ...epilogue) *Matrix {
	p := newProduct(z, method, a, b, epilogues...)
	p.share()
	return z
}

// newProduct gives z the shape of a·b and returns the product that sets z and applies
// the epilogues, of which there are at most two, in order. If z is nil, only they see
// the result; then a sum may have no more than KC terms.
func newProduct(z *Matrix, method string, a, b operand, epilogues ...epilogue) product {
	p := product{a: a, b: b, m: a.rows, n: b.cols, k: a.cols}
	copy(p.epilogues[:], epilogues)
	a.mustBeFilled(method)
	b.mustBeFilled(method)
	if a.cols != b.rows {
		panic(fmt.Sprintf("mlp: %s: shapes %s · %s", method, a.shape(), b.shape()))
	}
	if z == nil && p.k > activeKernel().kc {
		panic(fmt.Sprintf("mlp: %s: %d terms in a sum that no matrix holds, more than a block of %d", method, p.k, activeKernel().kc))
	}
	if z != nil {
		z.Reset(p.m, p.n)
		if overlap(z.Data, a.data) || overlap(z.Data, b.data) {
			panic("mlp: " + method + ": the result shares storage with an operand")
		}
		p.z = z.Data
	}
	return p
}

// mustBeFilled panics if the operand does not have the elements of its shape. The
// kernels go by the shape alone.
func (o *operand) mustBeFilled(method string) {
	(&Matrix{o.rows, o.cols, o.data}).mustBeFilled(method)
}

// An interval is the indices from lo to hi-1.
type interval struct{ lo, hi int }

func (v interval) len() int { return v.hi - v.lo }

// split returns part i of the parts that v is cut in, as even as can be, in whole
// units. The last unit may not be full.
func (v interval) split(unit, parts, i int) interval {
	units := (v.len() + unit - 1) / unit
	return interval{v.lo + units*i/parts*unit, min(v.lo+units*(i+1)/parts*unit, v.hi)}
}

// part computes part c of the grid.
func (p *product) part(c int) {
	size := activeKernel()
	rows := interval{0, p.m}.split(size.mr, p.down, c%p.down)
	cols := interval{0, p.n}.split(p.columnUnit(), p.across, c/p.down)
	w := workspaces.Get().(*workspace)
	defer workspaces.Put(w)
	for ic := rows.lo; ic < rows.hi; ic += size.mc {
		p.rowBlock(w, interval{ic, min(ic+size.mc, rows.hi)}, cols)
	}
}

// rowBlock does the loops pc and jc. A block of b has at most KC·NC elements, so that
// it has more columns if it has fewer terms.
func (p *product) rowBlock(w *workspace, rows, cols interval) {
	size, unit := activeKernel(), p.columnUnit()
	blocks := max(1, (p.k+size.kc-1)/size.kc)
	for pc := range blocks {
		terms := interval{0, p.k}.split(1, blocks, pc)
		width := unit
		if !p.alongPanels() {
			width = size.kc * size.nc / max(1, terms.len()) / unit * unit
		}
		strips := (cols.len() + width - 1) / width
		for jc := range strips {
			p.block(w, rows, cols.split(unit, strips, jc), terms)
		}
	}
}

// block does the loops ir and jr: it adds the terms of one block to rows×cols of z
// and, if these terms are the last, applies the epilogues.
func (p *product) block(w *workspace, rows, cols, terms interval) {
	size := activeKernel()
	t := tile{ldz: p.n, ai: p.a.down, ak: p.a.across, k: terms.len(), accumulate: terms.lo > 0}
	b := p.packOrReadInPlace(w, rows, cols, terms)
	if p.z == nil {
		t.ldz = cols.len()
	}
	height := evenHeight(rows.len(), size.mr)
	for ir := rows.lo; ir < rows.hi; ir += height {
		t.rows = min(height, rows.hi-ir)
		t.a, _, _, _ = p.a.at(ir, terms.lo)
		z := w.tiles[:]
		if p.z != nil {
			z = p.z[ir*p.n+cols.lo:]
		}
		for jr := 0; jr < cols.len(); jr += size.nr {
			t.cols = min(size.nr, cols.len()-jr)
			t.z = z[jr:]
			t.b, t.bk = b.microPanel(jr, t.cols, t.k)
			t.prefetch = p.prefetch(ir+height, jr, terms.lo)
			multiply(&t)
		}
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

// evenHeight returns the height of the tiles of n rows: as many tiles as are needed
// at height mr, with their rows shared out evenly, because a low tile leaves the
// processor waiting for b.
func evenHeight(n, mr int) int {
	tiles := max(1, (n+mr-1)/mr)
	return (n + tiles - 1) / tiles
}

// If a has more elements than this, it does not stay in the second-level cache beside
// a block of b, so that the kernel prefetches the next tile's rows of a.
const prefetchFrom = 1 << 16

// prefetch returns two of the rows of a that the tile in row i needs. The tiles of one
// row share out the rows of the next.
func (p *product) prefetch(i, jr, pc int) []float64 {
	if len(p.a.data) <= prefetchFrom {
		return nil
	}
	size := activeKernel()
	row, _, _, _ := p.a.at(i+jr/size.nr*2%size.mr, pc)
	return row
}

// A workspace is what one thread writes to while it computes a block: b's block packed,
// and one row of tiles if no matrix holds the result. A packed block is put at the end
// of its array. A processor that reads down a matrix prefetches what lies behind it,
// which may be the workspace of another thread, and would take what lies at its
// beginning from that thread's cache.
type workspace struct {
	packed [maxKC * maxNC]float64
	tiles  [maxMR * maxPanel]float64
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

// A blockOfB is a block of b as the micro-kernel reads it: in place, with rows stride
// apart, or, if stride is 0, packed in micro-panels of NR columns. For example 3×6
// elements with NR = 4, in the order in which they lie in memory:
//
//	in place, stride 10     packed
//	 0  1  2  3  4  5       0  1  2  3 │ 12 13
//	10 11 12 13 14 15       4  5  6  7 │ 14 15
//	20 21 22 23 24 25       8  9 10 11 │ 16 17
//
// The rows of the last micro-panel are filled up with zeros to whole vectors.
type blockOfB struct {
	data   []float64
	stride int
}

// microPanel returns the micro-panel of cols columns that begins with column jr, and
// the stride of its rows.
func (b *blockOfB) microPanel(jr, cols, terms int) (data []float64, stride int) {
	if b.stride > 0 {
		return b.data[min(len(b.data), jr):], b.stride
	}
	return b.data[jr*terms:], roundUp(cols, activeKernel().lanes)
}

// packOrReadInPlace returns the block of b with these terms and columns, which the
// given rows of a are multiplied by.
func (p *product) packOrReadInPlace(w *workspace, rows, cols, terms interval) blockOfB {
	data, down, across, _ := p.b.at(terms.lo, cols.lo)
	if readInPlace(rows.len(), cols.len(), down, across) {
		return blockOfB{data, max(1, down)}
	}
	size := activeKernel()
	lanes := size.lanes
	packed := w.packed[len(w.packed)-terms.len()*roundUp(cols.len(), lanes):]
	for jr := 0; jr < cols.len(); jr += size.nr {
		n := min(size.nr, cols.len()-jr)
		width := roundUp(n, lanes)
		microPanel := packed[jr*terms.len():]
		for i := terms.lo; i < terms.hi; {
			from, down, across, rows := p.b.at(i, cols.lo+jr)
			rows = min(rows, terms.hi-i)
			pack(microPanel[(i-terms.lo)*width:], from, width, n, rows, down, across)
			i += rows
		}
	}
	return blockOfB{data: packed}
}

// A block of b is packed if its copy serves more than packFrom rows of tiles: then the
// copy costs little beside what it saves. Rows that lie a multiple of a page apart
// compete for the same lines of the first-level cache; a kernel whose tiles are
// narrower than that many lines waits for them, and gains by packing from
// packFromPages on.
const (
	packFrom      = 48
	packFromPages = 4
	page          = 4096 / 8 // elements
)

// readInPlace reports whether a block of b with the given strides is read in place by
// the tiles of so many rows. A kernel that reads whole vectors needs whole vectors.
func readInPlace(rows, cols, down, across int) bool {
	size := activeKernel()
	tiles := rows / size.mr
	if across != 1 || size.wholeVectors && cols%size.lanes != 0 || tiles > packFrom {
		return false
	}
	return tiles <= packFromPages || down%page != 0 || size.nr > 16
}

// Threads share out parts of z: columns first, so that each thread needs its own part
// of b alone, or rows if z has more rows than columns.
const (
	partsPerThread = 2       // so that a thread that is done early can do another's
	minPartRows    = 8       // the fewest rows of a part
	minPartCols    = 64      // the fewest columns, if b's rows are contiguous
	minPackedCols  = 32      // the fewest if b is transposed, so that each column is packed once
	minShared      = 1 << 16 // multiply-adds that are worth a second goroutine
)

// compute computes the product on the calling goroutine.
func (p *product) compute() {
	p.down, p.across = 1, 1
	p.part(0)
}

// share computes the product on several threads, if that is worth it.
func (p *product) share() {
	p.down, p.across = 1, 1
	threads := runtime.GOMAXPROCS(0)
	if threads > 1 {
		p.cut(min(partsPerThread*threads, p.m*p.n*p.k/minShared))
	}
	if p.down*p.across == 1 {
		p.part(0)
		return
	}
	q := products.Get().(*product) // p itself stays on the stack
	*q = *p
	share(p.down*p.across, q)
	*q = product{}
	products.Put(q)
}

// cut chooses a grid of at most so many parts.
func (p *product) cut(most int) {
	double := func(parts *int, size, least int) {
		for p.down*p.across < most && size/(2**parts) >= least {
			*parts *= 2
		}
	}
	if p.m > p.n && !p.alongPanels() {
		double(&p.down, p.m, minPartRows)
	}
	switch {
	case p.alongPanels():
		unit := p.columnUnit()
		double(&p.across, (p.n+unit-1)/unit, 1)
	case p.b.across == 1:
		double(&p.across, p.n, minPartCols)
	default:
		double(&p.across, p.n, minPackedCols)
	}
	double(&p.down, p.m, minPartRows)
}

// alongPanels reports whether z's columns are those of packed weights, which the
// product reads or an epilogue updates, so that threads share out whole panels.
func (p *product) alongPanels() bool {
	return p.b.panel > 0 && !p.b.transposed || p.z == nil
}

// columnUnit returns how many columns of z are cut together.
func (p *product) columnUnit() int {
	if p.alongPanels() {
		return panelCols(p.n)
	}
	return activeKernel().lanes
}

// roundUp returns n rounded up to whole units.
func roundUp(n, unit int) int { return (n + unit - 1) / unit * unit }

// split returns the bounds of part i of the parts that n things are cut in, as even
// as can be.
func split(n, parts, i int) (lo, hi int) { return n * i / parts, n * (i + 1) / parts }
