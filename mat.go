// The matrix: row-major float64, its three products, softmax and standardization.
// Not here: how a product is computed (product.go) and anything that knows of a
// network.

package mlp

import (
	"fmt"
	"reflect"
)

// Matrix is a dense matrix of float64 in row-major order: element (i, j) is
// Data[i*Cols+j]. The zero value is an empty matrix ready for use.
type Matrix struct {
	Rows, Cols int
	Data       []float64
}

// NewMatrix returns a rows×cols matrix that holds the given elements, row by
// row. Without elements it holds zeros.
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

// Row returns row i, which shares z's storage.
func (z *Matrix) Row(i int) []float64 {
	return z.Data[i*z.Cols : (i+1)*z.Cols : (i+1)*z.Cols]
}

// Slice returns rows lo to hi-1, which share z's storage. It panics if they are out of
// range.
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

// Mul sets z = x·y, (m×k)·(k×n) = m×n, and returns z. A layer's output is such a
// product. Mul panics if the shapes do not fit, or if z shares storage with x or y.
func (z *Matrix) Mul(x, y *Matrix) *Matrix {
	return z.multiply("Mul", x.operand(), y.operand())
}

// TMul sets z = xᵀ·y, (k×m)ᵀ·(k×n) = m×n, and returns z. The gradient by a layer's
// weights is such a product. TMul panics as Mul does.
func (z *Matrix) TMul(x, y *Matrix) *Matrix {
	return z.multiply("TMul", x.operand().transpose(), y.operand())
}

// MulT sets z = x·yᵀ, (m×k)·(n×k)ᵀ = m×n, and returns z. The gradient by a layer's
// input is such a product. MulT panics as Mul does.
func (z *Matrix) MulT(x, y *Matrix) *Matrix {
	return z.multiply("MulT", x.operand(), y.operand().transpose())
}

// mustBeFilled panics unless x.Data has Rows·Cols elements.
func (x *Matrix) mustBeFilled(method string) {
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

// Normalize standardizes each column of z to mean 0 and standard deviation 1
// and returns z. A column that does not vary becomes zero. To standardize other rows
// alike, keep what FitStandardization returns.
func (z *Matrix) Normalize() *Matrix {
	z.mustBeFilled("Normalize")
	return FitStandardization(z).Apply(z, z)
}
