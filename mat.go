// The matrix, row-major float64: its three products, softmax and standardization, and the
// sums, norms and moments of slices.

package mlp

import (
	"fmt"
	"math"
	"reflect"
)

// Matrix is a dense matrix of float64 in row-major order: element (i, j) is
// Data[i*Cols+j]. The zero value is an empty matrix ready for use.
type Matrix struct {
	Rows, Cols int
	Data       []float64
}

// NewMatrix returns a rows×cols matrix of the given elements, row by row, or of zeros if there
// are none.
func NewMatrix(rows, cols int, elements ...float64) *Matrix {
	z := new(Matrix).Reset(rows, cols)
	if len(elements) > 0 && len(elements) != rows*cols {
		panic(fmt.Sprintf("mlp: NewMatrix: %d elements for %d×%d", len(elements), rows, cols))
	}
	copy(z.Data, elements)
	return z
}

// Reset gives z the shape rows×cols. Its elements are then unspecified. Reset reuses
// z.Data if its capacity is large enough.
func (z *Matrix) Reset(rows, cols int) *Matrix {
	n := rows * cols
	if rows < 0 || cols < 0 || cols > 0 && n/cols != rows {
		panic(fmt.Sprintf("mlp: Reset: a matrix of %d×%d", rows, cols))
	}
	if cap(z.Data) < n {
		z.Data = make([]float64, n)
	}
	z.Rows, z.Cols, z.Data = rows, cols, z.Data[:n]
	return z
}

// Clone returns a copy of z.
func (z *Matrix) Clone() *Matrix {
	z.mustBeFilled("Clone")
	return NewMatrix(z.Rows, z.Cols, z.Data...)
}

// Row returns row i, which shares z's storage. It panics if z has no such row.
func (z *Matrix) Row(i int) []float64 {
	if uint(i) >= uint(z.Rows) {
		z.panicRow(i)
	}
	return z.Data[i*z.Cols:][:z.Cols:z.Cols]
}

// panicRow stands alone so that Row is inlined.
//
//go:noinline
func (z *Matrix) panicRow(i int) {
	panic(fmt.Sprintf("mlp: Row: row %d of %d×%d", i, z.Rows, z.Cols))
}

// Slice returns rows lo to hi-1, which share z's storage. It panics if z has no such rows.
func (z *Matrix) Slice(lo, hi int) *Matrix {
	if !(0 <= lo && lo <= hi && hi <= z.Rows) {
		panic(fmt.Sprintf("mlp: Matrix.Slice: rows %d to %d of %d", lo, hi, z.Rows))
	}
	return new(Matrix).setRows(z, lo, hi)
}

// setRows makes z a view of rows lo to hi-1 of x and returns z.
func (z *Matrix) setRows(x *Matrix, lo, hi int) *Matrix {
	*z = Matrix{hi - lo, x.Cols, x.Data[lo*x.Cols : hi*x.Cols : hi*x.Cols]}
	return z
}

// Mul sets z = x·y, (m×k)·(k×n) = m×n, and returns z. A layer's output is such a product.
// Mul panics if the shapes do not fit, or if z shares storage with x or y. It then leaves z
// as it was.
func (z *Matrix) Mul(x, y *Matrix) *Matrix {
	return z.product(maxThreads(), "Mul", x.operand(), y.operand(), nil)
}

// TMul sets z = xᵀ·y, (k×m)ᵀ·(k×n) = m×n, and returns z. The gradient by a layer's
// weights is such a product. TMul panics as Mul does.
func (z *Matrix) TMul(x, y *Matrix) *Matrix {
	return z.product(maxThreads(), "TMul", x.operand().transpose(), y.operand(), nil)
}

// MulT sets z = x·yᵀ, (m×k)·(n×k)ᵀ = m×n, and returns z. The gradient by a layer's
// input is such a product. MulT panics as Mul does.
func (z *Matrix) MulT(x, y *Matrix) *Matrix {
	return z.product(maxThreads(), "MulT", x.operand(), y.operand().transpose(), nil)
}

// sumRows sets z, 1×n, to the sum of the rows of x, m×n.
func (z *Matrix) sumRows(x *Matrix) {
	clear(z.Data)
	for i := range x.Rows {
		add(z.Data, x.Row(i))
	}
}

// mustBeFilled panics unless x.Data has Rows·Cols elements.
func (x *Matrix) mustBeFilled(method string) {
	if x == nil {
		panic("mlp: " + method + ": the matrix is nil")
	}
	n := len(x.Data)
	if x.Rows < 0 || x.Cols < 0 || n != x.Rows*x.Cols || x.Cols > 0 && n/x.Cols != x.Rows {
		panic(fmt.Sprintf("mlp: %s: %d elements for %d×%d", method, len(x.Data), x.Rows, x.Cols))
	}
}

// overlap reports whether x and y share elements.
func overlap(x, y []float64) bool {
	at := func(p *float64) uintptr { return reflect.ValueOf(p).Pointer() }
	return len(x) > 0 && len(y) > 0 && at(&x[0]) <= at(&y[len(y)-1]) && at(&y[0]) <= at(&x[len(x)-1])
}

// Softmax replaces each row of z by its softmax, e^zⱼ / Σ e^zⱼ, and returns z.
func (z *Matrix) Softmax() *Matrix {
	z.mustBeFilled("Softmax")
	z.expShifted(z)
	for i := range z.Rows {
		row := z.Row(i)
		total := sum(row)
		for j := range row {
			row[j] /= total
		}
	}
	return z
}

// expShifted sets each row of z to e^(x - max x), which cannot overflow.
func (z *Matrix) expShifted(x *Matrix) {
	for i := range x.Rows {
		row, most := z.Row(i), largest(x.Row(i))
		for j, v := range x.Row(i) {
			row[j] = v - most
		}
	}
	exps(z.Data[:x.Rows*x.Cols])
}

// Normalize standardizes each column of z to mean 0 and standard deviation 1 and returns z.
// To standardize other rows alike, keep what FitStandardization returns.
func (z *Matrix) Normalize() *Matrix {
	z.mustBeFilled("Normalize")
	return FitStandardization(z).Apply(z, z)
}

// Standardization makes inputs comparable: x = (raw - Mean)/Std for each column, or
// raw - Mean if the column's Std is 0. Mean and Std are 1×in. The zero value leaves its
// input as it is.
type Standardization struct{ Mean, Std []float64 }

// FitStandardization returns the mean and the population's standard deviation of each
// column of x. For a column that does not vary they are its value and 0, so that Apply
// makes it zero.
func FitStandardization(x *Matrix) Standardization {
	x.mustBeFilled("FitStandardization")
	s := Standardization{make([]float64, x.Cols), make([]float64, x.Cols)}
	column := make([]float64, x.Rows)
	for j := range x.Cols {
		varies := false
		for i := range column {
			column[i] = x.Row(i)[j]
			varies = varies || column[i] != column[0]
		}
		if varies {
			s.Mean[j], s.Std[j] = moments(column)
		} else if len(column) > 0 {
			s.Mean[j] = column[0]
		}
	}
	return s
}

// Apply sets z to the standardized rows of x, n×in, and returns z, which may be x.
func (s Standardization) Apply(z, x *Matrix) *Matrix {
	x.mustBeFilled("Apply")
	if s.Mean != nil && (len(s.Mean) != x.Cols || len(s.Std) != x.Cols) {
		panic(fmt.Sprintf("mlp: Standardization.Apply: mean 1×%d, std 1×%d for %d columns",
			len(s.Mean), len(s.Std), x.Cols))
	}
	z.Reset(x.Rows, x.Cols)
	for i := range x.Rows {
		row := z.Row(i)
		copy(row, x.Row(i))
		for j, mean := range s.Mean {
			if row[j] -= mean; s.Std[j] != 0 {
				row[j] /= s.Std[j]
			}
		}
	}
	return z
}

func finite(x float64) bool { return x-x == 0 }

func sum(x []float64) (total float64) {
	for _, v := range x {
		total += v
	}
	return total
}

// largest returns the largest element, NaN if one is NaN, and -Inf for no elements.
func largest(x []float64) float64 {
	most := math.Inf(-1)
	for _, v := range x {
		most = max(most, v)
	}
	return most
}

// Argmax returns the index of the largest element of x, the first of several. Of a row of
// outputs or of targets that is the class.
func Argmax(x []float64) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// moments returns the mean and the population's standard deviation of x.
func moments(x []float64) (mean, std float64) {
	n, squares := float64(len(x)), 0.0
	mean = sum(x) / n
	for _, v := range x {
		squares = math.FMA(v-mean, v-mean, squares)
	}
	if outOfRange(squares) {
		centred := make([]float64, len(x))
		for i, v := range x {
			centred[i] = v - mean
		}
		return mean, norm(centred) / math.Sqrt(n)
	}
	return mean, math.Sqrt(squares / n)
}

// absAndSquares returns Σ|x| and Σx². It adds up in two chains, so that an addition
// need not wait for the one before it.
func absAndSquares(x []float64) (abs, squares float64) {
	var a0, a1, s0, s1 float64
	for ; len(x) >= 2; x = x[2:] {
		a0 += math.Abs(x[0])
		a1 += math.Abs(x[1])
		s0 = math.FMA(x[0], x[0], s0)
		s1 = math.FMA(x[1], x[1], s1)
	}
	for _, v := range x {
		a0 += math.Abs(v)
		s0 = math.FMA(v, v, s0)
	}
	return a0 + a1, s0 + s1
}

// norm returns √Σx².
func norm(x []float64) float64 {
	_, squares := absAndSquares(x)
	return rootOfSquares(squares, x)
}

// outOfRange reports whether a sum of squares has overflowed, or is so small that some
// of the squares may have underflowed, as those of a vanished gradient do.
func outOfRange(squares float64) bool { return !(0x1p-900 < squares && squares < math.Inf(1)) }

// rootOfSquares returns the square root of squares, the sum of x's squares. If that sum is
// out of range, it is computed again from elements that are scaled by a power of two.
func rootOfSquares(squares float64, x []float64) float64 {
	if !outOfRange(squares) {
		return math.Sqrt(squares)
	}
	most := 0.0
	for _, v := range x {
		most = max(most, math.Abs(v))
	}
	if most == 0 || !finite(most) {
		return most
	}
	_, exponent := math.Frexp(most)
	squares = 0
	for _, v := range x {
		v = math.Ldexp(v, -exponent)
		squares += float64(v * v)
	}
	return math.Ldexp(math.Sqrt(squares), exponent)
}
