package mlp

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// fill gives z random elements in [-1, 1), a few of them zeros.
func fill(z *Matrix, rng *rand.Rand) *Matrix {
	for i := range z.Data {
		z.Data[i] = 2*rng.Float64() - 1
		if rng.IntN(20) == 0 {
			z.Data[i] = 0
		}
	}
	return z
}

func newRand() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// A runner is a test or a benchmark.
type runner[T any] interface {
	testing.TB
	Run(name string, f func(T)) bool
}

// sameBits reports whether x and y are equal to the last bit, any NaN being
// equal to any other.
func sameBits(x, y float64) bool {
	return math.Float64bits(x) == math.Float64bits(y) || x != x && y != y
}

// guarded returns a rows×cols matrix between guard words, and a function that
// reports whether they are untouched.
func guarded(rows, cols int) (*Matrix, func() bool) {
	const guard, word = 32, 12345.678
	n := rows * cols
	all := make([]float64, guard+n+guard)
	for i := range all {
		all[i] = word
	}
	z := &Matrix{rows, cols, all[guard : guard+n : guard+n]}
	return z, func() bool {
		for i, v := range all {
			if (i < guard || i >= guard+n) && v != word {
				return false
			}
		}
		return true
	}
}

// naive is the definition of the three products: each element is one chain of fused
// multiply-adds over p, from zero.
func naive(m, k, n int, a, b func(i, j int) float64) *Matrix {
	z := NewMatrix(m, n)
	for i := range m {
		row := z.Row(i)
		for p := range k {
			v := a(i, p)
			for j := range row {
				row[j] = math.FMA(v, b(p, j), row[j])
			}
		}
	}
	return z
}

func (z *Matrix) at(i, j int) float64 { return z.Data[i*z.Cols+j] }
func (z *Matrix) ta(i, j int) float64 { return z.Data[j*z.Cols+i] }

// keeper is an epilogue that keeps the result.
type keeper Matrix

func (m *keeper) apply(z []float64, stride, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		copy(m.Data[i*m.Cols+j0:i*m.Cols+j1], z[(i-i0)*stride:])
	}
}

// checkProducts compares the three products of one shape with naive, also of packed
// weights, and of a result that only an epilogue sees.
func checkProducts(t *testing.T, m, k, n int, rng *rand.Rand) {
	t.Helper()
	x, y := fill(NewMatrix(m, k), rng), fill(NewMatrix(k, n), rng)
	xt, yt := NewMatrix(k, m), NewMatrix(n, k)
	for i := range m {
		for p := range k {
			xt.Data[p*m+i] = x.at(i, p)
		}
	}
	for p := range k {
		for j := range n {
			yt.Data[j*k+p] = y.at(p, j)
		}
	}
	want := naive(m, k, n, x.at, y.at)
	packedOperand := func(y *Matrix) operand {
		var p packed
		p.pack(y)
		return p.operand()
	}
	for _, c := range []struct {
		name string
		set  func(z *Matrix) *Matrix
	}{
		{"Mul", func(z *Matrix) *Matrix { return z.Mul(x, y) }},
		{"TMul", func(z *Matrix) *Matrix { return z.TMul(xt, y) }},
		{"MulT", func(z *Matrix) *Matrix { return z.MulT(x, yt) }},
		{"Mul packed", func(z *Matrix) *Matrix { return z.multiply("Mul", x.operand(), packedOperand(y)) }},
		{"MulT packed", func(z *Matrix) *Matrix { return z.multiply("MulT", x.operand(), packedOperand(yt).transpose()) }},
		{"TMul seen by an epilogue", func(z *Matrix) *Matrix {
			z.Reset(m, n)
			p := newProduct("TMul", xt.operand().transpose(), y.operand(), (*keeper)(z))
			p.share()
			return z
		}},
	} {
		z, intact := guarded(m, n)
		c.set(z)
		if !intact() {
			t.Fatalf("%s %s %d×%d×%d wrote outside its result", Kernel(), c.name, m, k, n)
		}
		for i, v := range z.Data {
			if !sameBits(v, want.Data[i]) {
				t.Fatalf("%s %s %d×%d×%d: element %d is %v, want %v", Kernel(), c.name, m, k, n, i, v, want.Data[i])
			}
		}
	}
}

func TestProductsEveryShape(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rng := newRand()
		for _, m := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 17} {
			for n := 0; n <= 50; n++ {
				for _, k := range []int{0, 1, 2, 3, 8, 17} {
					checkProducts(t, m, k, n, rng)
				}
			}
		}
	})
}

func TestProductsBlocked(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, procs := range []int{1, 2, 7} {
			defer withThreads(procs)()
			for _, s := range [][3]int{{20, 784, 256}, {130, 513, 10}, {65, 64, 300}, {300, 65, 131}, {1, 1000, 10},
				{20, 200, 1216}, {9, 1025, 200}, {33, 3, 2000}, {450, 20, 61}, {60, 5, 1024}} {
				checkProducts(t, s[0], s[1], s[2], newRand())
			}
		}
	})
}

func TestShapesPanic(t *testing.T) {
	x, y := NewMatrix(64, 784), NewMatrix(785, 256)
	for _, c := range []struct {
		want string
		do   func()
	}{
		{"mlp: Mul: shapes 64×784 · 785×256", func() { new(Matrix).Mul(x, y) }},
		{"mlp: TMul: shapes (64×784)ᵀ · 785×256", func() { new(Matrix).TMul(x, y) }},
		{"mlp: MulT: shapes 64×784 · (785×256)ᵀ", func() { new(Matrix).MulT(x, y) }},
		{"mlp: NewMatrix: 3 elements for 2×2", func() { NewMatrix(2, 2, 1, 2, 3) }},
		{"mlp: Mul: the result shares storage with an operand", func() { q := NewMatrix(3, 3); q.Mul(q, NewMatrix(3, 3)) }},
	} {
		func() {
			defer func() {
				if got := recover(); got != c.want {
					t.Errorf("panic %v, want %q", got, c.want)
				}
			}()
			c.do()
		}()
	}
	half := NewMatrix(4, 2)
	(&Matrix{2, 2, half.Data[:4]}).Mul(&Matrix{2, 2, half.Data[4:]}, NewMatrix(2, 2)) // disjoint views are fine
}

func TestProductsDoNotAllocate(t *testing.T) {
	x, y, z := NewMatrix(64, 100), NewMatrix(100, 70), NewMatrix(64, 70)
	z.Mul(x, y)
	if n := testing.AllocsPerRun(100, func() { z.Mul(x, y) }); n > 0 {
		t.Errorf("Mul allocates %v times", n)
	}
}

// The shapes of the 784-256-128-10 network at batch 64, and square ones.
var shapes = []struct {
	op      string
	m, k, n int
}{
	{"Mul", 64, 784, 256}, {"Mul", 64, 256, 128}, {"Mul", 64, 128, 10},
	{"TMul", 784, 64, 256}, {"TMul", 256, 64, 128}, {"TMul", 128, 64, 10},
	{"MulT", 64, 128, 256}, {"MulT", 64, 10, 128},
	{"Mul", 1000, 784, 256}, {"Mul", 256, 256, 256}, {"Mul", 512, 512, 512},
	{"Mul", 1024, 1024, 1024}, {"Mul", 2048, 2048, 2048},
}

func BenchmarkMul(b *testing.B) {
	for _, s := range shapes {
		benchmarkProduct(b, s.op, s.m, s.k, s.n)
	}
}

// BenchmarkKernel is BenchmarkMul with each kernel. The largest shapes would take
// the one in Go a minute.
func BenchmarkKernel(b *testing.B) {
	eachKernel(b, func(b *testing.B) {
		for _, s := range shapes {
			if s.m < 512 || s.k < 512 || Kernel() != "Go" {
				benchmarkProduct(b, s.op, s.m, s.k, s.n)
			}
		}
	})
}

func benchmarkProduct(b *testing.B, op string, m, k, n int) {
	b.Run(fmt.Sprintf("op=%s/m=%d/k=%d/n=%d", op, m, k, n), func(b *testing.B) {
		x, y := NewMatrix(m, k), NewMatrix(k, n)
		product := (*Matrix).Mul
		switch op {
		case "TMul":
			x, product = NewMatrix(k, m), (*Matrix).TMul
		case "MulT":
			y, product = NewMatrix(n, k), (*Matrix).MulT
		}
		fill(x, newRand())
		fill(y, newRand())
		var z Matrix
		product(&z, x, y) // allocates z
		b.ResetTimer()
		for range b.N { // b.Loop would time the first of -cpu 1,2 with the last one's threads
			product(&z, x, y)
		}
		flop := 2 * float64(m) * float64(k) * float64(n)
		b.ReportMetric(flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
}

// Any number of threads gives the same bits, also if a strip begins within a panel and a part
// has rows of two strips.
func TestProductsOnManyThreads(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, threads := range []int{3, 7, 61} {
			defer withThreads(threads)()
			checkProducts(t, 75, 260, 200, newRand())
		}
	})
}

// Blocks of a few terms and columns, so that each product has several of each and all
// of their edges.
func TestProductsInSmallBlocks(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		k := activeKernel()
		defer func(was kernel) { *k = was }(*k)
		k.kc, k.nc = 8, k.nr+k.lanes
		for _, m := range []int{1, k.mr, 2*k.mr + 1} {
			for _, n := range []int{1, k.nr - 1, k.nr + k.lanes + 1, 3*k.nr + 2, 200} {
				for _, terms := range []int{0, 7, 8, 9, 10, 29} {
					checkProducts(t, m, terms, n, newRand())
				}
			}
		}
	})
}

// What the rule of the block sizes chooses for the first- and second-level caches of
// some processors.
func TestBlockSizes(t *testing.T) {
	for _, c := range []struct {
		processor string
		l1, l2    int // KiB
		kernel    kernel
		kc, nc    int
	}{
		{"Haswell, Skylake client", 32, 256, kernelAVX2, 144, 112},
		{"Zen 2, Zen 3", 32, 512, kernelAVX2, 144, 224},
		{"Alder Lake, performance core", 48, 1280, kernelAVX2, 216, 376},
		{"Gracemont, of a cluster of four", 32, 2048, kernelAVX2, 144, 904},
		{"Skylake server", 32, 1024, kernelAVX512, 256, 240},
		{"Zen 4", 32, 1024, kernelAVX512, 256, 240},
		{"Zen 5", 48, 1024, kernelAVX512, 384, 168},
		{"Sapphire Rapids", 48, 2048, kernelAVX512, 384, 336},
		{"Apple M1, Neoverse N1, any other arm64", smallL1 >> 10, smallL2 >> 10, kernelNEON, 128, 120},
	} {
		k := c.kernel.fit(c.l1<<10, c.l2<<10)
		if k.kc != c.kc || k.nc != c.nc {
			t.Errorf("%s, %s: KC %d, NC %d, want %d, %d", c.processor, k.name, k.kc, k.nc, c.kc, c.nc)
		}
		// The reasons of the rule.
		if near, block := 8*k.kc*k.near, 8*k.kc*k.nc; near > c.l1<<10/2 || block > c.l2<<10/2 && k.nc > 2*k.nr {
			t.Errorf("%s: %d bytes near of %d KiB, and a block of %d bytes in %d KiB", c.processor, near, c.l1, block, c.l2)
		}
		if k.mr > maxMR || k.nc%k.nr != 0 || k.nr%k.lanes != 0 || 8%k.lanes != 0 {
			t.Errorf("%+v: blocks not of whole tiles and vectors", k)
		}
	}
}

// However many threads there are, none has much more than its share to do. Each takes as
// many parts as any other, and here one takes the largest. The bound is a tenth above the
// share, and a rounding: a gradient's part has whole rows of a panel, and of 63 threads one
// has nine, where 8.1 would be its share.
func TestPartsAreEven(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, batch := range []int{64, 256} {
			for _, layer := range [][2]int{{784, 256}, {256, 128}} {
				w := new(packed)
				w.pack(NewMatrix(layer[0], layer[1]))
				x, dz := NewMatrix(batch, layer[0]).operand(), NewMatrix(batch, layer[1]).operand()
				for name, p := range map[string]product{
					"forward":           newProduct("", x, w.operand()),
					"input gradient":    newProduct("", dz, w.operand().transpose()),
					"weight gradient":   newProduct("", x.transpose(), dz),
					"forward, unpacked": newProduct("", x, NewMatrix(layer[0], layer[1]).operand()),
				} {
					if name != "weight gradient" {
						p.z = make([]float64, p.m*p.n)
					}
					for threads := 2; threads <= 64; threads++ {
						if threads > p.worthThreads() || name == "input gradient" && layer[0] == 784 {
							continue // not shared by so many, or not part of a step
						}
						checkParts(t, fmt.Sprintf("%s %s %d×%d×%d", Kernel(), name, p.m, p.k, p.n), p, threads)
					}
				}
			}
		}
	})
}

// Each thread does as many passes of a prediction as any other.
func TestPassesAreEven(t *testing.T) {
	for _, rows := range []int{5000, 10000, 60000} {
		for threads := 1; threads <= 64; threads++ {
			n := passes(rows, threads)
			most := ceil(n, threads) * ceil(rows, n)
			if share := float64(rows) / float64(threads); float64(most) > 1.1*share || ceil(rows, n) > maxPassRows {
				t.Errorf("%d rows on %d threads: %d passes, the busiest thread does %.2f of its share", rows, threads, n, float64(most)/share)
			}
		}
	}
}

func checkParts(t *testing.T, name string, p product, threads int) {
	p.cut(threads)
	sizes := make([]int, p.parts)
	for i := range sizes {
		for left := (interval{0, p.m * p.strips}).split(1, p.parts, i); left.len() > 0; {
			rows, cols := p.rectangle(left)
			sizes[i] += rows.len() * cols.len()
			left.lo += rows.len()
		}
	}
	slices.Sort(sizes)
	most, all := 0, 0
	for i, n := range sizes {
		if all += n; i >= len(sizes)-len(sizes)/threads {
			most += n
		}
	}
	if share := float64(p.m*p.n) / float64(threads); float64(most) > 1.11*share || all != p.m*p.n || len(sizes)%threads != 0 {
		t.Errorf("%s on %d threads: %d parts of %d strips, %d of %d elements, the busiest thread does %.2f of its share",
			name, threads, p.parts, p.strips, all, p.m*p.n, float64(most)/share)
	}
}
