package mlp

// Matrix is a dense matrix of float64 in row-major order: element (i, j) is
// Data[i*Cols+j]. The zero value is an empty matrix ready for use.
type Matrix struct {
	Rows, Cols int
	Data       []float64
}

// NewMatrix returns a rows×cols matrix of zeros.
func NewMatrix(rows, cols int) *Matrix {
	return new(Matrix).Reset(rows, cols)
}

// Reset makes z a rows×cols matrix, reusing its storage where that is large
// enough. The elements are unspecified.
func (z *Matrix) Reset(rows, cols int) *Matrix {
	if cap(z.Data) < rows*cols {
		z.Data = make([]float64, rows*cols)
	}
	z.Rows, z.Cols, z.Data = rows, cols, z.Data[:rows*cols]
	return z
}
