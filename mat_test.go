package mlp

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
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

func (z *Matrix) at(i, j int) float64 { return z.Data[i*z.Cols+j] }

// Operands may share storage with each other.
func TestAliases(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		x := fill(NewMatrix(20, 20), newRand())
		for name, c := range map[string]struct{ got, want *Matrix }{
			"Mul":  {new(Matrix).Mul(x, x), naive(x, x)},
			"TMul": {new(Matrix).TMul(x, x), naive(transposed(x), x)},
			"MulT": {new(Matrix).MulT(x, x), naive(x, transposed(x))},
		} {
			if !slices.Equal(c.got.Data, c.want.Data) {
				t.Errorf("%s %s of a matrix and itself is wrong", Kernel(), name)
			}
		}
	})
}

// What does not fit panics with the method's name and the shapes. A result must not share
// storage with an operand, also if both are parts of one longer slice.
func TestMatrixPanics(t *testing.T) {
	all := make([]float64, 100)
	view := func(lo int) *Matrix { return &Matrix{3, 3, all[lo : lo+9 : lo+9]} }
	long := &Matrix{4, 2, all[:8]}                               // with storage behind it
	wide, third := 1<<(strconv.IntSize/2), int(math.MaxUint/3+1) // wide·wide overflows to 0, and 3·third to 2
	shares := "the result shares storage with an operand"
	shared := "the gradient shares storage with the output or with the targets"
	for i, c := range []struct {
		want string
		do   func()
	}{
		{"mlp: Mul: shapes 64×784 · 785×256", func() { new(Matrix).Mul(NewMatrix(64, 784), NewMatrix(785, 256)) }},
		{"mlp: TMul: shapes (64×784)ᵀ · 785×256", func() { new(Matrix).TMul(NewMatrix(64, 784), NewMatrix(785, 256)) }},
		{"mlp: MulT: shapes 64×784 · (785×256)ᵀ", func() { new(Matrix).MulT(NewMatrix(64, 784), NewMatrix(785, 256)) }},
		{"mlp: NewMatrix: 3 elements for 2×2", func() { NewMatrix(2, 2, 1, 2, 3) }},
		{"mlp: Reset: a matrix of -1×3", func() { NewMatrix(-1, 3) }},
		{"mlp: Row: row 7 of 4×2", func() { long.Row(7) }},
		{"mlp: Row: row 4 of 4×2", func() { long.Row(4) }},
		{"mlp: Row: row -1 of 4×2", func() { long.Row(-1) }},
		{"", func() { long.Row(3) }},
		{"mlp: Mul: " + shares, func() { view(0).Mul(view(8), view(50)) }},
		{"mlp: TMul: " + shares, func() { view(8).TMul(view(50), view(0)) }},
		{"mlp: MulT: " + shares, func() { view(8).MulT(view(8), view(8)) }},
		{"mlp: Mul: " + shares, func() { long.Mul(&Matrix{1, 2, all[6:8]}, &Matrix{2, 1, all[20:22]}) }}, // long becomes 1×1
		{"", func() { view(0).Mul(view(9), view(18)) }},
		{"", func() { long.Mul(&Matrix{4, 2, all[8:16]}, &Matrix{2, 2, all[16:20]}) }},
		{"mlp: SoftmaxCrossEntropy: " + shared, func() { SoftmaxCrossEntropy(view(0), view(0), view(50)) }},
		{"mlp: SquaredError: " + shared, func() { SquaredError(view(5), view(50), view(0)) }},
		{"", func() { SquaredError(view(0), view(9), view(9)) }},
		{"mlp: Mul: 4 elements for 3×3", func() { new(Matrix).Mul(&Matrix{3, 3, all[:4]}, view(0)) }},
		{"mlp: TMul: 10 elements for 3×3", func() { new(Matrix).TMul(view(0), &Matrix{3, 3, all[:10]}) }},
		{fmt.Sprintf("mlp: MulT: 0 elements for %d×%d", wide, wide), func() { new(Matrix).MulT(&Matrix{wide, wide, nil}, view(0)) }},
		{"mlp: Mul: 9 elements for -3×-3", func() { new(Matrix).Mul(&Matrix{-3, -3, all[:9]}, view(0)) }},
		{fmt.Sprintf("mlp: Mul: 2 elements for %d×3", third), func() { new(Matrix).Mul(&Matrix{third, 3, all[:2]}, view(0)) }},
		{fmt.Sprintf("mlp: Reset: a matrix of %d×%d", wide, wide), func() { new(Matrix).Mul(&Matrix{wide, 0, nil}, &Matrix{0, wide, nil}) }},
	} {
		if got := panicOf(c.do); got != c.want {
			t.Errorf("case %d: panic %q, want %q", i, got, c.want)
		}
	}
}

// panicOf returns what f panics with, as text.
func panicOf(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

// A product that panics leaves its result as it was. Whether it panics does not depend on
// whether its result needs new storage.
func TestPanicLeavesResult(t *testing.T) {
	x := &Matrix{2, 3, []float64{1, 2, 3, 4, 5, 6, 0, 0}}
	x.Data = x.Data[:6]
	for _, c := range []struct {
		z       *Matrix
		columns int // of the other operand
	}{{x, 3}, {x, 2}, {x, 4}, {x, 50}, {&Matrix{Data: x.Data[:0]}, 3}, {&Matrix{1, 1, x.Data[5:6]}, 50}} {
		before := *c.z
		got := panicOf(func() { c.z.Mul(x, NewMatrix(3, c.columns)) })
		if want := "mlp: Mul: the result shares storage with an operand"; got != want {
			t.Errorf("%d×%d, for %d columns: panic %q, want %q", before.Rows, before.Cols, c.columns, got, want)
		}
		panicOf(func() { c.z.Mul(x, NewMatrix(4, c.columns)) })
		if z := c.z; z.Rows != before.Rows || z.Cols != before.Cols || len(z.Data) != len(before.Data) || cap(z.Data) != cap(before.Data) {
			t.Errorf("%d×%d became %d×%d", before.Rows, before.Cols, z.Rows, z.Cols)
		}
	}
}

// A column that does not vary is shifted and not divided, and rows that were not fitted
// are standardized by the fitted ones.
func TestStandardization(t *testing.T) {
	x := NewMatrix(3, 3, 1, 5, 0.1, 2, 5, 0.1, 6, 5, 0.1)
	s := FitStandardization(x)
	if want := []float64{3, 5, 0.1}; !slices.Equal(s.Mean, want) {
		t.Errorf("mean %v, want %v", s.Mean, want)
	}
	if want := []float64{math.Sqrt(14.0 / 3), 0, 0}; !slices.Equal(s.Std, want) {
		t.Errorf("std %v, want %v", s.Std, want)
	}
	var z Matrix
	s.Apply(&z, NewMatrix(1, 3, 10, 7, 0.1))
	if want := []float64{7 / math.Sqrt(14.0/3), 2, 0}; !slices.Equal(z.Data, want) {
		t.Errorf("other rows become %v, want %v", z.Data, want)
	}
	if (Standardization{}).Apply(&z, x); !slices.Equal(z.Data, x.Data) {
		t.Errorf("without a mean rows become %v, want %v", z.Data, x.Data)
	}
	want := "mlp: Standardization.Apply: mean 1×3, std 1×3 for 2 columns"
	if got := panicOf(func() { s.Apply(&z, NewMatrix(1, 2)) }); got != want {
		t.Errorf("panic %q, want %q", got, want)
	}
}

func TestNormalizeColumns(t *testing.T) {
	z := NewMatrix(3, 2, 1, 0.1, 2, 0.1, 6, 0.1).Normalize()
	for i := range 3 {
		if z.at(i, 1) != 0 {
			t.Errorf("a column that never varies became %v", z.at(i, 1))
		}
	}
	if s := z.at(0, 0) + z.at(1, 0) + z.at(2, 0); math.Abs(s) > 1e-15 {
		t.Errorf("the mean is %v", s/3)
	}
	new(Matrix).Normalize()
	for _, far := range []float64{1e-170, 1e-300, 1e160, 1e300} { // whose squares are 0 or infinite
		if z := NewMatrix(2, 1, -far, far).Normalize(); math.Abs(z.Data[0]+1) > 1e-15 || math.Abs(z.Data[1]-1) > 1e-15 {
			t.Errorf("±%v became %v", far, z.Data)
		}
	}
}

// Squares that no float64 holds do not spoil a norm.
func TestNorm(t *testing.T) {
	for _, c := range []struct {
		parts [][]float64
		want  float64
	}{
		{nil, 0},
		{[][]float64{{0, 0}, {}}, 0},
		{[][]float64{{3}, {-4}}, 5},
		{[][]float64{{3e-200, -4e-200}}, 5e-200},
		{[][]float64{{3e-161, -4e-161}}, 5e-161}, // their squares are subnormal
		{[][]float64{{-3e200}, {4e200}}, 5e200},
		{[][]float64{{5e-324}}, 5e-324},
		{[][]float64{{math.MaxFloat64, 0}}, math.MaxFloat64},
		{[][]float64{{1, math.Inf(-1)}}, math.Inf(1)},
		{[][]float64{{1}, {math.NaN()}}, math.NaN()},
	} {
		if got := norm(slices.Concat(c.parts...)); !(math.Abs(got-c.want) <= 1e-15*c.want) && math.Float64bits(got) != math.Float64bits(c.want) {
			t.Errorf("the norm of %v is %v, want %v", c.parts, got, c.want)
		}
	}
}
