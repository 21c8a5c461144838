// Standardization: the mean and the deviation of each input, which a model carries so
// that its inputs can be raw. Not here: the statistics of MNIST's pixels (mnist.go).

package mlp

import "fmt"

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
		panic(fmt.Sprintf("mlp: Standardization.Apply: mean 1×%d, std 1×%d for %d columns", len(s.Mean), len(s.Std), x.Cols))
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
