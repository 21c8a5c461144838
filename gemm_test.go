package mlp

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// naive is the definition of the product: each element is one chain of fused multiply-adds
// over p, from zero.
func naive(x, y *Matrix) *Matrix {
	z := NewMatrix(x.Rows, y.Cols)
	for i := range z.Rows {
		row := z.Row(i)
		for p, v := range x.Row(i) {
			for j, w := range y.Row(p) {
				row[j] = math.FMA(v, w, row[j])
			}
		}
	}
	return z
}

func transposed(x *Matrix) *Matrix {
	z := NewMatrix(x.Cols, x.Rows)
	for i := range z.Data {
		z.Data[i] = x.at(i%x.Rows, i/x.Rows)
	}
	return z
}

// An adder is an epilogue that adds the result to a matrix, so that it shows if an element
// is seen twice, or before its last term.
type adder Matrix

func (m *adder) apply(z []float64, stride, i0, i1, j0, j1 int) {
	for i := i0; i < i1; i++ {
		for j, v := range z[(i-i0)*stride:][:j1-j0] {
			m.Data[i*m.Cols+j0+j] += v
		}
	}
}

// checkProducts compares x·y with naive, as it is computed by the three products, by one
// goroutine alone, and as an epilogue sees it.
func checkProducts(t *testing.T, x, y *Matrix) {
	t.Helper()
	m, k, n := x.Rows, x.Cols, y.Cols
	xt, yt, want := transposed(x), transposed(y), naive(x, y)
	for _, c := range []struct {
		name string
		set  func(z *Matrix)
	}{
		{"Mul", func(z *Matrix) { z.Mul(x, y) }},
		{"TMul", func(z *Matrix) { z.TMul(xt, y) }},
		{"MulT", func(z *Matrix) { z.MulT(x, yt) }},
		{"MulT alone", func(z *Matrix) { z.product(1, "MulT", x.operand(), yt.operand().transpose(), nil) }},
		{"TMul seen by an epilogue", func(z *Matrix) {
			for i := range z.Data {
				z.Data[i] = math.Copysign(0, -1) // which leaves what is added as it is, also a zero
			}
			new(Matrix).product(maxThreads(), "TMul", xt.operand().transpose(), y.operand(), (*adder)(z))
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

func checkShape(t *testing.T, m, k, n int, rng *rand.Rand) {
	t.Helper()
	checkProducts(t, fill(NewMatrix(m, k), rng), fill(NewMatrix(k, n), rng))
}

func TestProductsEveryShape(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rng := newRand()
		for _, m := range []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 15, 16, 17} {
			for n := 0; n <= 50; n++ {
				for _, k := range []int{0, 1, 2, 3, 8, 17} {
					checkShape(t, m, k, n, rng)
				}
			}
		}
	})
}

// Sums of several blocks, in place and packed, on any number of threads, also if a part has
// rows of two strips.
func TestProductsBlocked(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for _, threads := range []int{1, 2, 7} {
			defer withThreads(threads)()
			for _, s := range [][3]int{{20, 784, 256}, {130, 513, 10}, {65, 64, 300}, {300, 65, 131}, {1, 1000, 10},
				{20, 200, 1216}, {9, 1025, 200}, {33, 3, 2000}, {450, 20, 61}, {60, 5, 1024}, {1030, 2, 9}} {
				checkShape(t, s[0], s[1], s[2], newRand())
			}
		}
		for _, threads := range []int{3, 7, 61} {
			defer withThreads(threads)()
			checkShape(t, 75, 260, 200, newRand())
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
					checkShape(t, m, terms, n, newRand())
				}
			}
		}
	})
}

// A NaN, an infinity or a number that overflows reaches the elements of the product that
// depend on it, and no others. 0·NaN and 0·∞ are NaN, also in a tile that is padded.
func TestSpecialsInProducts(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		kernel := activeKernel()
		for _, m := range []int{1, kernel.mr, 2*kernel.mr + 1} {
			for _, n := range []int{1, kernel.lanes - 1, 10, kernel.nr + 1, 2*kernel.nr + 3} {
				for _, k := range []int{1, 5, kernel.kc + 3} {
					for i, v := range []float64{nan, inf, -inf, math.MaxFloat64, 5e-324} {
						for inY := range 2 {
							x, y := fill(NewMatrix(m, k), newRand()), fill(NewMatrix(k, n), newRand())
							x.Data[len(x.Data)/2], y.Data[len(y.Data)/2] = 0, 0
							data := [...][]float64{x.Data, y.Data}[inY]
							data[i*7%len(data)] = v
							checkProducts(t, x, y)
						}
					}
				}
			}
		}
	})
}

func TestProductsDoNotAllocate(t *testing.T) {
	skipUnderRaceDetector(t)
	for _, threads := range []int{1, 2} {
		defer withThreads(threads)()
		x, y, z := NewMatrix(64, 100), NewMatrix(100, 71), NewMatrix(64, 71)
		seen := (*adder)(NewMatrix(64, 71))
		product := func() { z.product(maxThreads(), "Mul", x.operand(), y.operand(), seen) }
		product()
		if n := testing.AllocsPerRun(100, product); n > 0 {
			t.Errorf("%d threads: a product allocates %v times", threads, n)
		}
	}
}

// What the rule of the block sizes chooses for the L1 and L2 caches of some processors.
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
		if panels, block := 8*k.kc*k.fromL1, 8*k.kc*k.nc; panels > c.l1<<10/2 || block > c.l2<<10/2 && k.nc > 2*k.nr {
			t.Errorf("%s: micro-panels of %d bytes in %d KiB, a block of %d bytes in %d KiB", c.processor, panels, c.l1, block, c.l2)
		}
		if k.nc%k.nr != 0 || k.nr%k.lanes != 0 || columnUnit%k.lanes != 0 {
			t.Errorf("%+v: blocks not of full tiles and vectors", k)
		}
	}
}

// The parts of an interval cover it in order, and differ by one unit at most.
func TestIntervalSplit(t *testing.T) {
	for _, unit := range []int{1, 8, 24} {
		for length := range 200 {
			for parts := 1; parts < 20; parts++ {
				v := interval{5, 5 + length}
				at, short, long := v.lo, length, 0
				for i := range parts {
					part := v.split(unit, parts, i)
					if units := roundUp(part.len(), unit); part.lo == at && (part.len() == units || part.hi == v.hi) {
						at, short, long = part.hi, min(short, units), max(long, units)
					}
				}
				if at != v.hi || long-short > unit {
					t.Fatalf("%v in %d parts, in units of %d: they end at %d, and have %d to %d", v, parts, unit, at, short, long)
				}
			}
		}
	}
}

// However many threads there are, none has much more than its share to do. Each takes as
// many parts as any other, and here one takes the largest. The bound is a tenth above the
// share.
func TestPartsAreEven(t *testing.T) {
	for _, batch := range []int{64, 256} {
		for _, layer := range [][2]int{{784, 256}, {256, 128}} {
			in, out := layer[0], layer[1]
			for name, p := range map[string]product{
				"forward":         {m: batch, k: in, n: out},
				"input gradient":  {m: batch, k: out, n: in},
				"weight gradient": {m: in, k: batch, n: out},
			} {
				for threads := 2; threads <= 64; threads++ {
					if threads > p.worthThreads() || name == "input gradient" && in == 784 {
						continue // not shared by so many, or not part of a step
					}
					checkParts(t, fmt.Sprintf("%s %d×%d×%d", name, p.m, p.k, p.n), p, threads)
				}
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
	if share := float64(p.m*p.n) / float64(threads); float64(most) > 1.1*share || all != p.m*p.n || len(sizes)%threads != 0 {
		t.Errorf("%s on %d threads: %d parts of %d strips, %d of %d elements, the busiest thread does %.2f of its share",
			name, threads, p.parts, p.strips, all, p.m*p.n, float64(most)/share)
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
