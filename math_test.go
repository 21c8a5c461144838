package mlp

import (
	"math"
	"math/big"
	"testing"
)

func newBig(x float64) *big.Float { return new(big.Float).SetPrec(256).SetFloat64(x) }

// bigExp is e^x for |x| < 800, with an error below 1e-50 of it: Taylor's series for
// x/2^20, squared twenty times.
func bigExp(x float64) *big.Float {
	r, one, z := newBig(math.Ldexp(x, -20)), newBig(1), newBig(1)
	for i := 14.0; i > 0; i-- {
		z.Quo(z.Mul(z, r), newBig(i))
		z.Add(z, one)
	}
	for range 20 {
		z.Mul(z, z)
	}
	return z
}

// bigSigmoid is 1/(1+e^-x).
func bigSigmoid(x float64) *big.Float {
	z := bigExp(-x)
	return z.Quo(newBig(1), z.Add(z, newBig(1)))
}

// bigTanh is (e^2x-1)/(e^2x+1), or x where x³/3 is too small to matter.
func bigTanh(x float64) *big.Float {
	if math.Abs(x) < 0x1p-40 {
		return newBig(x)
	}
	z := bigExp(2 * x)
	return z.Quo(newBig(0).Sub(z, newBig(1)), newBig(0).Add(z, newBig(1)))
}

// bigLog is ln x, by one step of Newton's method from y, which is ln x nearly:
// ln x = y + d - d²/2 + … with d = x·e^-y - 1.
func bigLog(x, y float64) *big.Float {
	d := bigExp(-y)
	d.Sub(d.Mul(d, newBig(x)), newBig(1))
	return d.Add(d, newBig(y))
}

// ulps is the distance of got from want in units of the last place of want.
func ulps(got float64, want *big.Float) float64 {
	w, _ := want.Float64()
	w = math.Abs(w)
	unit := newBig(math.Nextafter(w, math.Inf(1)) - w)
	d := newBig(got)
	d.Quo(d.Sub(d, want), unit)
	u, _ := d.Float64()
	return math.Abs(u)
}

// The bounds are those of the functions' comments. Each range is tried at random places
// and where its worst error is known to lie.
func TestExpLogTanh(t *testing.T) {
	of := func(f func(x float64) *big.Float) func(x, y float64) *big.Float {
		return func(x, _ float64) *big.Float { return f(x) }
	}
	rng := newRand()
	for _, c := range []struct {
		name             string
		f                func(x float64) float64
		want             func(x, y float64) *big.Float
		bound            float64
		low, high, worst float64
	}{
		{"exp", exp, of(bigExp), 1.25, -708.3, 709.78, 222.86468660607557},
		{"exp near 0", exp, of(bigExp), 1.25, -10, 10, 3.8133966906133785},
		{"exp near its end", exp, of(bigExp), 1.25, -745.1, -708.3, -745.1},
		{"log", log, bigLog, 1, 0, 1e300, 1e-300},
		{"log near 1", log, bigLog, 1, 0.5, 2, 1.4079384429436468},
		{"log near its end", log, bigLog, 1, 0, 0x1p-1022, 5e-324},
		{"sigmoid", sigmoid, of(bigSigmoid), 3, -745, 40, -4.148022234841392},
		{"sigmoid near 0", sigmoid, of(bigSigmoid), 3, -5, 5, -4.14430582038492},
		{"tanh", tanh, of(bigTanh), 3, -22, 22, 0.20468842225415984},
		{"tanh near 0", tanh, of(bigTanh), 3, -0.25, 0.25, -0.20475089036984429},
		{"tanh nearer 0", tanh, of(bigTanh), 3, -1e-3, 1e-3, 1e-300},
	} {
		for i := range 2000 {
			x := c.worst
			if i > 0 {
				x = c.low + (c.high-c.low)*rng.Float64()
			}
			y := c.f(x)
			want := c.want(x, y)
			if u := ulps(y, want); !(u <= c.bound) {
				t.Errorf("%s(%v) = %v, want %v: %.2f units in the last place", c.name, x, y, want, u)
				break
			}
		}
	}
}

func TestExpLogTanhAtTheEnds(t *testing.T) {
	zero := math.Copysign(0, -1)
	for _, c := range []struct {
		name    string
		f       func(x float64) float64
		x, want float64
	}{
		{"exp", exp, 0, 1}, {"exp", exp, zero, 1}, {"exp", exp, 5e-324, 1}, {"exp", exp, -1e-310, 1},
		{"exp", exp, inf, inf}, {"exp", exp, -inf, 0}, {"exp", exp, nan, nan}, {"exp", exp, 1e308, inf}, {"exp", exp, -1e308, 0},
		{"exp", exp, 709.79, inf}, {"exp", exp, -745.2, 0}, {"exp", exp, -745.1, 5e-324},
		{"exp", exp, 709.78, 1.7928227943945155e+308}, // NumPy's number; Go's assembly for amd64 is wrong here
		{"log", log, 0, -inf}, {"log", log, zero, -inf}, {"log", log, 1, 0}, {"log", log, -1, nan},
		{"log", log, inf, inf}, {"log", log, -inf, nan}, {"log", log, nan, nan}, {"log", log, -5e-324, nan},
		{"log", log, 5e-324, -744.4400719213812}, // here too
		{"sigmoid", sigmoid, 0, 0.5}, {"sigmoid", sigmoid, zero, 0.5}, {"sigmoid", sigmoid, 5e-324, 0.5},
		{"sigmoid", sigmoid, inf, 1}, {"sigmoid", sigmoid, -inf, 0}, {"sigmoid", sigmoid, nan, nan},
		{"sigmoid", sigmoid, 1e308, 1}, {"sigmoid", sigmoid, -1e308, 0},
		{"tanh", tanh, 0, 0}, {"tanh", tanh, zero, zero}, {"tanh", tanh, 5e-324, 5e-324}, {"tanh", tanh, -1e-310, -1e-310},
		{"tanh", tanh, inf, 1}, {"tanh", tanh, -inf, -1}, {"tanh", tanh, nan, nan}, {"tanh", tanh, 1e308, 1}, {"tanh", tanh, -1e308, -1},
	} {
		if got := c.f(c.x); !sameBits(got, c.want) {
			t.Errorf("%s(%v) = %v, want %v", c.name, c.x, got, c.want)
		}
	}
}

// The numbers of SplitMix64's author: vigna.di.unimi.it/splitmix64.c, seed 1234567.
func TestSplitMix(t *testing.T) {
	for i, want := range []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431} {
		if got := splitMix(1234567, uint64(i+1)); got != want {
			t.Errorf("number %d is %d, want %d", i, got, want)
		}
	}
}
