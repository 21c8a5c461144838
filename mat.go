// The matrix: row-major float64, and the three products of backpropagation. Not
// here: the kernels that compute a tile (mat_generic.go, mat_amd64.s), the
// goroutines that share the work (threads.go) and anything that knows of a network.

package mlp

import (
	"fmt"
	"reflect"
	"runtime"
)

// Matrix is a dense matrix of float64 in row-major order: element (i, j) is
// Data[i*Cols+j]. The zero value is an empty matrix ready for use.
type Matrix struct {
	Rows, Cols int
	Data       []float64
}

// NewMatrix returns a rows×cols matrix that holds the given elements, row by
// row, or zeros where none are given.
func NewMatrix(rows, cols int, elements ...float64) *Matrix {
	z := new(Matrix).Reset(rows, cols)
	if len(elements) > 0 && len(elements) != rows*cols {
		panic(fmt.Sprintf("mlp: NewMatrix: %d elements for %d×%d", len(elements), rows, cols))
	}
	copy(z.Data, elements)
	return z
}

// Reset makes z a rows×cols matrix, reusing its storage where that is large
// enough. The elements are unspecified.
func (z *Matrix) Reset(rows, cols int) *Matrix {
	n := rows * cols
	if rows < 0 || cols < 0 || cols > 0 && n/cols != rows {
		panic(fmt.Sprintf("mlp: a matrix of %d×%d", rows, cols))
	}
	if cap(z.Data) < n {
		z.Data = make([]float64, n)
	}
	z.Rows, z.Cols, z.Data = rows, cols, z.Data[:n]
	return z
}

// Row returns row i as a slice of z's storage.
func (z *Matrix) Row(i int) []float64 {
	return z.Data[i*z.Cols : (i+1)*z.Cols : (i+1)*z.Cols]
}

// Mul sets z = x·y, (m×k)·(k×n) = m×n, and returns z: the output of a layer.
func (z *Matrix) Mul(x, y *Matrix) *Matrix { return z.product(opMul, x, y, nil, nil) }

// TMul sets z = xᵀ·y, (k×m)ᵀ·(k×n) = m×n, and returns z: the gradient of a
// layer's weights.
func (z *Matrix) TMul(x, y *Matrix) *Matrix { return z.product(opTMul, x, y, nil, nil) }

// MulT sets z = x·yᵀ, (m×k)·(n×k)ᵀ = m×n, and returns z: the gradient of a
// layer's input.
func (z *Matrix) MulT(x, y *Matrix) *Matrix { return z.product(opMulT, x, y, nil, nil) }

type op int

const (
	opMul op = iota
	opTMul
	opMulT
)

// product is z = a·b, m×k by k×n, whatever the operands' layout: a's element
// (i, p) is a[i*ai+p*ak], b's element (p, j) is b[p*bk+j*bj]. The three
// products differ in these strides alone.
type product struct {
	z, a, b        []float64
	m, n, k        int
	ai, ak, bk, bj int
	inBlocks       bool // b is in blocks
	across, down   int  // the grid of chunks that z is shared out in
	then           finisher
}

// A finisher is what is done to the product's rows i0 to i1, columns j0 to j1
// once they are computed, while they are in the cache: in z, whose rows are ldz
// apart.
type finisher interface {
	finish(z []float64, ldz, i0, i1, j0, j1 int)
}

var (
	products = make(spares[product], 16)
	rooms    = make(spares[room], 256) // one for each thread at most
)

// A room is what one thread writes to while it computes a strip: panels copied from
// b, and the sums of a tile that only a finisher will see. Panels are put at the end
// of theirs, because a processor that reads down a matrix goes on to fetch what lies
// up to 90 KB behind it, the room of another thread perhaps, and from its cache: with
// panels there a step took 657 µs on two cores of Zen 5 that share no cache, 604 with
// them elsewhere.
type room struct {
	panels  [kBlock * stripCols]float64
	passing [maxRows * mostCols]float64
}

// product sets z to the product and applies then, unless nil, to all of it; where
// z is nil, only then sees it, and the sums must be short enough for one run of k.
// Where blocks is not nil, it holds y's elements.
func (z *Matrix) product(o op, x, y *Matrix, blocks []float64, then finisher) *Matrix {
	p := product{a: x.Data, b: y.Data, then: then}
	if blocks != nil {
		p.b, p.inBlocks = blocks, true
	}
	inner := 0
	switch o {
	case opMul:
		p.m, p.k, inner, p.n = x.Rows, x.Cols, y.Rows, y.Cols
		p.ai, p.ak, p.bk, p.bj = x.Cols, 1, y.Cols, 1
	case opTMul:
		p.m, p.k, inner, p.n = x.Cols, x.Rows, y.Rows, y.Cols
		p.ai, p.ak, p.bk, p.bj = 1, x.Cols, y.Cols, 1
	case opMulT:
		p.m, p.k, inner, p.n = x.Rows, x.Cols, y.Cols, y.Rows
		p.ai, p.ak, p.bk, p.bj = x.Cols, 1, 1, y.Cols
	}
	name := [...]string{"Mul", "TMul", "MulT"}[o]
	x.check(name) // the kernels go by the shape alone
	y.check(name)
	if p.k != inner {
		panic(fmt.Sprintf([...]string{
			"mlp: %s: shapes %d×%d · %d×%d",
			"mlp: %s: shapes (%d×%d)ᵀ · %d×%d",
			"mlp: %s: shapes %d×%d · (%d×%d)ᵀ"}[o], name, x.Rows, x.Cols, y.Rows, y.Cols))
	}
	if z == nil && p.k > kBlock {
		panic(fmt.Sprintf("mlp: %s: %d rows of a batch that was to have %d at most", name, p.k, kBlock))
	}
	if z != nil {
		z.Reset(p.m, p.n)
		if overlap(z.Data, x.Data) || overlap(z.Data, y.Data) {
			panic("mlp: " + name + ": the result shares storage with an operand")
		}
		p.z = z.Data
	}
	if p.grid() == 1 {
		p.part(0)
		return z
	}
	q := products.get()
	*q = p
	share(p.down*p.across, q)
	*q = product{}
	products.put(q)
	return z
}

// check panics where x has not the elements that its shape needs.
func (x *Matrix) check(name string) {
	n := len(x.Data)
	if x.Rows < 0 || x.Cols < 0 || n != x.Rows*x.Cols || x.Cols > 0 && n/x.Cols != x.Rows {
		panic(fmt.Sprintf("mlp: %s: %d elements for %d×%d", name, len(x.Data), x.Rows, x.Cols))
	}
}

// overlap reports whether x and y share elements.
func overlap(x, y []float64) bool {
	at := func(p *float64) uintptr { return reflect.ValueOf(p).Pointer() }
	return len(x) > 0 && len(y) > 0 && at(&x[0]) <= at(&y[len(y)-1]) && at(&y[0]) <= at(&x[len(x)-1])
}

// Chunks of z are what threads share out: columns, so that each needs its own part
// of b alone, or rows where there are more of them. Where b is copied, narrower
// chunks copy each column once: A·Bᵀ, 64×128×256, did 105 GFLOP/s with 32 columns
// and 97 with 64, on a 2.6 GHz EPYC (Zen 4) of 58 GFLOP/s a core, as are the figures
// below unless they say Zen 5. The more chunks, the more often a thread does what was
// another's: with 1, 2, 4 for each thread a step took 558, 548, 648 µs on Zen 5 where
// the two cores share no cache, and with 2 and 4 401 and 398 where they do. And to
// hand over a small product costs more than it takes: 64×10×128 did 44 GFLOP/s on two
// such cores and 77 on one.
const (
	chunksEach = 2       // for each thread, that one may do more than another
	chunkRows  = 8       // the fewest
	chunkCols  = 64      // the fewest where b is read in place
	copiedCols = 32      // the fewest where it is copied
	smallWork  = 1 << 16 // multiply-adds that are not worth a second goroutine
)

// A chunk is computed in strips of columns and runs of k so small that b's part
// stays in the second level of the cache while all of a's rows pass by, and a
// tile's rows of a in the first level while all of the strip does. With runs
// and strips of 512×96, 384×120, 256×192, 256×120, 192×240 one thread did 54.6,
// 54.5, 54.3, 54.0, 52.9 GFLOP/s at 2048³ and 54.9, 54.9, 54.4, 54.7, 54.2 at
// 1024³.
const (
	kBlock    = 512     // the longest run of k
	stripCols = 96      // a strip's columns at that, in whole tiles of every kernel; more where the run is shorter
	cached    = 1 << 16 // with more elements a does not stay in the second level beside a strip
)

// A strip of b is copied, so that its rows lie together, where it serves so many
// tiles that the copy costs nothing. With fewer it is better read in place: at
// 64×784×256 one thread did 56 GFLOP/s in place and 53 with a copy, at
// 1000×784×256 55 and 56; with AVX2 52 and 50, and 48 and 53. But rows that lie
// a multiple of 4 KiB apart compete for the same lines of the cache, which a
// kernel of narrow tiles waits for: 64×784×512 gave AVX2 38 in place and 46 with
// a copy, AVX-512 56 and 52.
const (
	manyTiles = 48
	someTiles = 4
	rivals    = 512 // elements
)

// Tiles of a strip are of one height but for the last, no taller than as many need be,
// because a low one waits for b's rows: of 10×10×300 one thread did 48 GFLOP/s as 5 + 5
// rows and 45 as 8 + 2.

// grid chooses the chunks and returns how many there are.
func (p *product) grid() int {
	p.down, p.across = 1, 1
	threads := runtime.GOMAXPROCS(0)
	if threads == 1 {
		return 1
	}
	most := min(chunksEach*threads, p.m*p.n*p.k/smallWork)
	cut := func(parts *int, size, least int) {
		for p.down*p.across < most && size/(2**parts) >= least {
			*parts *= 2
		}
	}
	unit, blocks := p.unit()
	if p.m > p.n && !blocks {
		cut(&p.down, p.m, chunkRows)
	}
	switch {
	case blocks:
		cut(&p.across, (p.n+unit-1)/unit, 1)
	case p.bj == 1:
		cut(&p.across, p.n, chunkCols)
	default:
		cut(&p.across, p.n, copiedCols)
	}
	cut(&p.down, p.m, chunkRows)
	return p.down * p.across
}

// unit is what z's columns are cut in: vectors, or blocks where the columns are
// those of weights in blocks, which the product reads or then updates.
func (p *product) unit() (cols int, blocks bool) {
	if p.bj == 1 && (p.inBlocks || p.z == nil) {
		return blockCols(p.n), true
	}
	_, lanes, _ := tileSize()
	return lanes, false
}

// part computes chunk c of z and finishes it.
func (p *product) part(c int) {
	rows, _, _ := tileSize()
	unit, blocks := p.unit()
	i0, i1 := evenly(p.m, rows, p.down, c%p.down)
	j0, j1 := evenly(p.n, unit, p.across, c/p.down)
	runs := max(1, (p.k+kBlock-1)/kBlock)
	for r := range runs {
		k0, k1 := split(p.k, runs, r)
		width := unit
		if !blocks {
			width = kBlock * stripCols / max(1, k1-k0) / unit * unit
		}
		strips := (j1 - j0 + width - 1) / width
		for s := range strips {
			s0, s1 := evenly(j1-j0, unit, strips, s)
			p.strip(i0, i1, j0+s0, j0+s1, k0, k1)
		}
	}
}

// from returns where b's element (k, j) and those after it lie, how far apart they
// are down and across, and where in k others begin, which lie elsewhere.
func (p *product) from(k, j int) (b []float64, bk, bj, end int) {
	at, bk, bj, end := k*p.bk+j*p.bj, p.bk, p.bj, p.k
	switch {
	case p.inBlocks && bj == 1: // of x·W, or of δ·Wᵀ where W is one column, which is the same
		begin, in, width := block(p.k, p.n, j)
		at, bk = begin+k*width+in, width
	case p.inBlocks:
		begin, in, width := block(p.n, p.k, k)
		at, bj, end = begin+j*width+in, width, k-in+width
	}
	return p.b[min(len(p.b), at):], bk, bj, end
}

// inPlace reports whether so many tiles had better read columns j0 to j1 of b, from
// row k0 on, where they lie.
func (p *product) inPlace(tiles, j0, j1, k0 int) bool {
	_, lanes, _ := tileSize()
	_, bk, bj, _ := p.from(k0, j0)
	return bj == 1 && (!wholeVectors() || (j1-j0)%lanes == 0) &&
		tiles <= manyTiles && (tiles <= someTiles || bk%rivals != 0 || lanes == 8)
}

// copy copies columns j0 to j1, rows k0 to k1 of b to r in panels of a tile's width.
func (p *product) copy(r *room, j0, j1, k0, k1 int) (panels []float64) {
	_, lanes, wide := tileSize()
	panels = r.panels[len(r.panels)-(k1-k0)*up(j1-j0, lanes):]
	for j := j0; j < j1; j += wide * lanes {
		w := min(wide*lanes, j1-j)
		for k := k0; k < k1; {
			b, bk, bj, end := p.from(k, j)
			end = min(end, k1)
			pack(panels[(j-j0)*(k1-k0)+(k-k0)*up(w, lanes):], b, up(w, lanes), w, end-k, bk, bj)
			k = end
		}
	}
	return panels
}

// strip adds to rows i0 to i1, columns j0 to j1 of z the terms k0 to k1 of
// their sums, the terms before k0 being there already, and finishes them when
// these are the last.
func (p *product) strip(i0, i1, j0, j1, k0, k1 int) {
	rows, lanes, wide := tileSize()
	width := wide * lanes
	t := tile{ldz: p.n, ai: p.ai, ak: p.ak, k: k1 - k0, accumulate: k0 > 0}
	inPlace, passing := p.inPlace((i1-i0)/rows, j0, j1, k0), p.z == nil
	b, bk, _, _ := p.from(k0, j0)
	var r *room
	if !inPlace || passing {
		r = rooms.get()
	}
	if !inPlace {
		b = p.copy(r, j0, j1, k0, k1)
	}
	if passing {
		t.ldz = j1 - j0
	}
	ahead := len(p.a) > cached
	rows = height(i1-i0, rows)
	for i := i0; i < i1; i += rows {
		t.rows = min(rows, i1-i)
		t.a = p.a[min(len(p.a), i*p.ai+k0*p.ak):]
		var z []float64
		if passing {
			z = r.passing[:]
		} else {
			z = p.z[i*p.n+j0:]
		}
		for j := j0; j < j1; j += width {
			t.cols = min(width, j1-j)
			if inPlace {
				t.b, t.bk = b[min(len(b), j-j0):], bk
			} else {
				t.b, t.bk = b[(j-j0)*t.k:], up(t.cols, lanes)
			}
			t.z = z[j-j0:]
			if ahead { // the tiles of a row share out the rows of the next
				next := i + rows + (j-j0)/width*2%rows
				t.prefetch = p.a[min(len(p.a), next*p.ai+k0*p.ak):]
			}
			multiply(&t)
		}
		if p.then != nil && k1 == p.k {
			p.then.finish(z, t.ldz, i, i+t.rows, j0, j1)
		}
	}
	if r != nil {
		rooms.put(r)
	}
}

// Blocks are the order of a layer's weights while they are trained: some columns
// after others, each block by rows. What one thread reads for x·W and then updates so
// lies together. By rows, its part of each row lay between another's, and where the
// processor fetched ahead it took that from the other's cache: on two cores of Zen 5
// that share none a step took 502 µs in blocks and 654 by rows, on two that do 401
// and 415.
const mostCols = 96 // that a block has

// blockCols returns how many columns the blocks of so many have: as many blocks as a
// power of two, which threads share out evenly, of whole vectors.
func blockCols(cols int) int {
	blocks := 1
	for blocks*mostCols < cols {
		blocks *= 2
	}
	return max(8, up((cols+blocks-1)/blocks, 8))
}

// block returns where in a rows×cols matrix the block of column j begins, where in
// the block that column is, and how many it has.
func block(rows, cols, j int) (begin, in, width int) {
	width = blockCols(cols)
	in = j % width
	return (j - in) * rows, in, min(width, cols-(j-in))
}

// toBlocks copies z's elements to blocks, and fromBlocks copies them back.
func (z *Matrix) toBlocks(blocks []float64) {
	z.eachBlockRow(blocks, func(row, block []float64) { copy(block, row) })
}

func (z *Matrix) fromBlocks(blocks []float64) {
	z.eachBlockRow(blocks, func(row, block []float64) { copy(row, block) })
}

func (z *Matrix) eachBlockRow(blocks []float64, do func(row, block []float64)) {
	for j := 0; j < z.Cols; j += blockCols(z.Cols) {
		begin, _, width := block(z.Rows, z.Cols, j)
		for i := range z.Rows {
			do(z.Row(i)[j:j+width], blocks[begin+i*width:][:width])
		}
	}
}

// height returns how many rows the tiles of n have, of as many as are needed.
func height(n, most int) int {
	tiles := max(1, (n+most-1)/most)
	return (n + tiles - 1) / tiles
}

// up returns n rounded up to whole units.
func up(n, unit int) int { return (n + unit - 1) / unit * unit }

// evenly is split in whole units, of which the last may not be full.
func evenly(n, unit, parts, i int) (from, to int) {
	from, to = split((n+unit-1)/unit, parts, i)
	return from * unit, min(to*unit, n)
}

// split returns the bounds of part i when n things are dealt out in parts as
// even as can be.
func split(n, parts, i int) (from, to int) {
	return n * i / parts, n * (i + 1) / parts
}
