// Sums and norms of slices. Not here: the elementwise steps, which have assembly
// (mat_generic.go).

package mlp

import "math"

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

// norm returns √Σx² over the elements of all slices.
func norm(slices ...[]float64) float64 {
	squares := 0.0
	for _, x := range slices {
		_, s := absAndSquares(x)
		squares += s
	}
	return rootOfSquares(squares, slices...)
}

// outOfRange reports whether a sum of squares has overflowed, or is so small that some
// of the squares may have underflowed, as those of a vanished gradient do.
func outOfRange(squares float64) bool { return !(0x1p-900 < squares && squares < math.Inf(1)) }

// rootOfSquares returns the square root of squares, the sum of the slices' squares.
// If that sum is out of range, it is computed again from elements that are scaled by
// a power of two.
func rootOfSquares(squares float64, slices ...[]float64) float64 {
	if !outOfRange(squares) {
		return math.Sqrt(squares)
	}
	most := 0.0
	for _, x := range slices {
		for _, v := range x {
			most = max(most, math.Abs(v))
		}
	}
	if most == 0 || !finite(most) {
		return most
	}
	_, exponent := math.Frexp(most)
	squares = 0
	for _, x := range slices {
		for _, v := range x {
			v = math.Ldexp(v, -exponent)
			squares += float64(v * v)
		}
	}
	return math.Ldexp(math.Sqrt(squares), exponent)
}
