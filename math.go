// Functions of one number whose bits are the same on every processor: exp, log, sigmoid,
// tanh and powers; and random numbers. Go's own exp and log are assembly on some processors
// and differ there in the last bit.

package mlp

import (
	"math"
	"math/rand/v2"
)

const (
	ln2Hi = 0x1.62e42fefa39efp-1  // ln 2, rounded to a float64
	ln2Lo = 0x1.abc9e3b39803fp-56 // ln 2 - ln2Hi, rounded
	toInt = 0x1.8p52              // x + toInt - toInt is x rounded to an integer

	expLow, expHigh = -746, 710 // e^x is 0 below and +Inf above
	tanhHigh        = 20        // tanh x is 1 above
)

// taylor holds 1/2!, 1/3!, … 1/13!, the coefficients of e^r. For |r| ≤ ln(2)/2 the next
// term is below 5e-18, a twentieth of a unit in the last place of e^r.
var taylor = [...]float64{
	1.0 / 2, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
	1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800,
}

// reduce returns an integer n and a p with e^x = 2^n·(1+p) and |p| < 0.42, for an x from
// expLow to expHigh.
func reduce(x float64) (n, p float64) {
	n = math.FMA(x, math.Log2E, toInt) - toInt
	r := math.FMA(-n, ln2Lo, math.FMA(-n, ln2Hi, x))
	q := taylor[len(taylor)-1]
	for i := len(taylor) - 2; i >= 0; i-- {
		q = math.FMA(q, r, taylor[i])
	}
	return n, math.FMA(float64(q*r), r, r)
}

// power is 2^n for an integer n from -1022 to 1023.
func power(n float64) float64 {
	return math.Float64frombits(uint64(int64(n)+1023) << 52)
}

// exp is e^x, within 1.25 units in the last place.
func exp(x float64) float64 {
	if x != x {
		return x
	}
	n, p := reduce(max(expLow, min(expHigh, x)))
	half := math.Floor(n * 0.5) // in two steps, so that 2^n may leave the range
	return float64((1 + p) * power(half) * power(n-half))
}

// sigmoid is 1/(1+e^-x), within 3 units in the last place. For negative x it is computed
// as e^x/(1+e^x), so that e^-x cannot overflow.
func sigmoid(x float64) float64 {
	e := exp(-math.Abs(x))
	if x < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

// tanh is t/(t+2) with t = e^2|x| - 1, and the sign of x, within 3 units in the last
// place. Near zero n is 0 and t is p, so that no digits cancel.
func tanh(x float64) float64 {
	if x != x {
		return x
	}
	n, p := reduce(2 * min(tanhHigh, math.Abs(x)))
	t := math.FMA(power(n), p, power(n)-1)
	return math.Copysign(t/(t+2), x)
}

// log is ln x, within one unit in the last place, as FreeBSD's e_log.c computes it: with
// x = 2^k·(1+f) and s = f/(2+f), ln(1+f) = 2s + s·R(s²).
func log(x float64) float64 {
	switch {
	case x != x || x > math.MaxFloat64:
		return x
	case x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	}
	f, e := math.Frexp(x)
	if f < math.Sqrt2/2 {
		f, e = f*2, e-1
	}
	f--
	k := float64(e)
	s := f / (2 + f)
	z := s * s
	r := 0.0
	for _, c := range [...]float64{1.479819860511658591e-01, 1.531383769920937332e-01,
		1.818357216161805012e-01, 2.222219843214978396e-01, 2.857142874366239149e-01,
		3.999999999940941908e-01, 6.666666666666735130e-01} {
		r = math.FMA(r, z, c)
	}
	r = float64(r * z)
	h := float64(f*f) / 2
	const hi, lo = 6.93147180369123816490e-01, 1.90821492927058770002e-10
	return float64(k*hi) - ((h - (float64(s*(h+r)) + float64(k*lo))) - f)
}

// intPower returns xⁿ by repeated squaring.
func intPower(x float64, n int) float64 {
	z := 1.0
	for ; n > 0; n >>= 1 {
		if n&1 != 0 {
			z = float64(z * x)
		}
		x = float64(x * x)
	}
	return z
}

// normal returns a source of numbers from N(0, 1), by Marsaglia's polar method. The
// standard library's NormFloat64 may differ in the last bit between processors.
func normal(seed uint64) func() float64 {
	rng := rand.NewPCG(seed, 0)
	uniform := func() float64 { return float64(float64(rng.Uint64()>>11)*0x1p-52) - 1 }
	var spare float64
	var haveSpare bool
	return func() float64 {
		if haveSpare {
			haveSpare = false
			return spare
		}
		for {
			u, v := uniform(), uniform()
			s := float64(u*u) + float64(v*v)
			if 0 < s && s < 1 {
				f := math.Sqrt(-2 * log(s) / s)
				spare, haveSpare = float64(v*f), true
				return float64(u * f)
			}
		}
	}
}

// splitMix returns number n of the generator SplitMix64 (Steele, Lea & Flood 2014).
func splitMix(seed, n uint64) uint64 {
	z := seed + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}
