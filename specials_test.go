// NaN and infinities follow the rules of IEEE 754 in every kernel. Operands that share
// storage work; a result that shares storage with an operand panics.

package mlp

import (
	"fmt"
	"math"
	"strconv"
	"testing"
)

// A NaN, an infinity or a number that overflows reaches the elements of the product that
// depend on it, and no others. 0·NaN and 0·∞ are NaN, also in a tile that is padded.
func TestSpecialsInProducts(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		kernel := activeKernel()
		for _, m := range []int{1, kernel.mr, 2*kernel.mr + 1} {
			for _, n := range []int{1, kernel.lanes - 1, 10, kernel.nr + 1, 2*kernel.nr + 3} {
				for _, k := range []int{1, 5, kernel.kc + 3} {
					for i, v := range []float64{nan, inf, -inf, math.MaxFloat64, 5e-324} {
						special(t, m, k, n, i*7, v)
					}
				}
			}
		}
	})
}

// special replaces one element of x by v, then one of y, and compares the products with
// naive.
func special(t *testing.T, m, k, n, at int, v float64) {
	t.Helper()
	for _, inY := range []bool{false, true} {
		x, y := fill(NewMatrix(m, k), newRand()), fill(NewMatrix(k, n), newRand())
		y.Data[len(y.Data)/2] = 0
		x.Data[len(x.Data)/2] = 0
		if inY {
			y.Data[at%len(y.Data)] = v
		} else {
			x.Data[at%len(x.Data)] = v
		}
		xt, yt := NewMatrix(k, m), NewMatrix(n, k)
		for i := range xt.Data {
			xt.Data[i] = x.ta(i/m, i%m)
		}
		for i := range yt.Data {
			yt.Data[i] = y.ta(i/k, i%k)
		}
		want := naive(m, k, n, x.at, y.at)
		for name, z := range map[string]*Matrix{"Mul": new(Matrix).Mul(x, y), "TMul": new(Matrix).TMul(xt, y), "MulT": new(Matrix).MulT(x, yt)} {
			for i, got := range z.Data {
				if !sameBits(got, want.Data[i]) {
					t.Fatalf("%s %s %d×%d×%d with %v in y %v: element %d is %v, want %v", Kernel(), name, m, k, n, v, inY, i, got, want.Data[i])
				}
			}
		}
	}
}

// The activations and their derivatives at NaN, infinities and zeros. At an infinity the
// derivative is its limit: 0 or, for ReLU at +∞, 1.
func TestSpecialsInActivations(t *testing.T) {
	negative := math.Copysign(0, -1)
	eachKernel(t, func(t *testing.T) {
		for _, c := range []struct {
			act      *Activation
			z, a, dz float64 // a = f(z), and what a gradient of 3 becomes
		}{
			{ReLU, inf, inf, 3}, {ReLU, -inf, 0, 0}, {ReLU, nan, nan, 0}, {ReLU, negative, negative, 0}, {ReLU, 5e-324, 5e-324, 3},
			{Sigmoid, inf, 1, 0}, {Sigmoid, -inf, 0, 0}, {Sigmoid, nan, nan, nan}, {Sigmoid, negative, 0.5, 0.75},
			{Tanh, inf, 1, 0}, {Tanh, -inf, -1, 0}, {Tanh, nan, nan, nan}, {Tanh, negative, negative, 3},
			{Linear, inf, inf, 3}, {Linear, nan, nan, 3},
		} {
			for _, n := range []int{1, 4, 7} { // less than a vector, one vector, and both
				a, dz := make([]float64, n), make([]float64, n)
				for i := range a {
					a[i], dz[i] = c.z, 3
				}
				c.act.Forward(a)
				c.act.Backward(dz, a)
				for i := range a {
					if !sameBits(a[i], c.a) || !sameBits(dz[i], c.dz) {
						t.Errorf("%s %s of %v: %v, gradient %v, want %v and %v", Kernel(), c.act.Name, c.z, a[i], dz[i], c.a, c.dz)
					}
				}
				for _, v := range []float64{nan, inf, -inf} { // the gradient may be infinite or NaN itself: 0·∞ is NaN
					for i := range a {
						dz[i] = v
					}
					c.act.Backward(dz, a)
					for i := range a {
						if want := c.dz / 3 * v; !sameBits(dz[i], want) {
							t.Errorf("%s %s back at %v: gradient %v becomes %v, want %v", Kernel(), c.act.Name, c.z, v, dz[i], want)
						}
					}
				}
			}
		}
	})
}

// If the output or the target holds NaN, the loss is NaN. If one holds an infinity, the
// loss is infinite or NaN. There is one exception: a logit of -∞ is a probability of 0,
// and the loss is finite if the target is 0 there too.
func TestSpecialsInLosses(t *testing.T) {
	for _, l := range losses {
		for at := range 3 {
			for _, v := range []float64{nan, inf, -inf} {
				for _, inWant := range []bool{false, true} {
					y, want := NewMatrix(2, 3, .2, .3, .5, .3, .3, .4), NewMatrix(2, 3, 0, 1, 0, 1, 0, 0)
					if inWant {
						want.Data[at] = v
					} else {
						y.Data[at] = v
					}
					loss := l.loss(nil, y, want)
					nothing := l.name == "SoftmaxCrossEntropy" && v == -inf && !inWant && want.Data[at] == 0
					if finite(loss) != nothing || v != v && loss == loss {
						t.Errorf("%s with %v at %d (in what is wanted: %v) is %v", l.name, v, at, inWant, loss)
					}
				}
			}
		}
	}
}

// Operands may share storage with each other. A result that shares storage with an
// operand panics with the method's name, also if both are parts of one longer slice.
func TestAliases(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		x := fill(NewMatrix(20, 20), newRand())
		for name, c := range map[string]struct {
			got  *Matrix
			a, b func(i, j int) float64
		}{
			"Mul":  {new(Matrix).Mul(x, x), x.at, x.at},
			"TMul": {new(Matrix).TMul(x, x), x.ta, x.at},
			"MulT": {new(Matrix).MulT(x, x), x.at, x.ta},
		} {
			for i, want := range naive(20, 20, 20, c.a, c.b).Data {
				if !sameBits(c.got.Data[i], want) {
					t.Fatalf("%s %s of a matrix and itself: element %d is %v, want %v", Kernel(), name, i, c.got.Data[i], want)
				}
			}
		}
	})
	all := make([]float64, 100)
	view := func(lo int) *Matrix { return &Matrix{3, 3, all[lo : lo+9 : lo+9]} }
	wide, third := 1<<(strconv.IntSize/2), int(math.MaxUint/3+1) // wide·wide overflows to 0, and 3·third to 2
	shares := "the result shares storage with an operand"
	loss := "mlp: loss: the gradient shares storage with the output or with what is wanted"
	for i, c := range []struct {
		want string
		do   func()
	}{
		{"mlp: Mul: " + shares, func() { view(0).Mul(view(8), view(50)) }},
		{"mlp: TMul: " + shares, func() { view(8).TMul(view(50), view(0)) }},
		{"mlp: MulT: " + shares, func() { view(8).MulT(view(8), view(8)) }},
		{"", func() { view(0).Mul(view(9), view(18)) }},
		{loss, func() { SoftmaxCrossEntropy(view(0), view(0), view(50)) }},
		{loss, func() { SquaredError(view(5), view(50), view(0)) }},
		{"", func() { SquaredError(view(0), view(9), view(9)) }},
		{"mlp: Mul: 4 elements for 3×3", func() { new(Matrix).Mul(&Matrix{3, 3, all[:4]}, view(0)) }},
		{"mlp: TMul: 10 elements for 3×3", func() { new(Matrix).TMul(view(0), &Matrix{3, 3, all[:10]}) }},
		{fmt.Sprintf("mlp: MulT: 0 elements for %d×%d", wide, wide), func() { new(Matrix).MulT(&Matrix{wide, wide, nil}, view(0)) }},
		{"mlp: Mul: 9 elements for -3×-3", func() { new(Matrix).Mul(&Matrix{-3, -3, all[:9]}, view(0)) }},
		{fmt.Sprintf("mlp: Mul: 2 elements for %d×3", third), func() { new(Matrix).Mul(&Matrix{third, 3, all[:2]}, view(0)) }},
		{fmt.Sprintf("mlp: Reset: a matrix of %d×%d", wide, wide), func() { new(Matrix).Mul(&Matrix{wide, 0, nil}, &Matrix{0, wide, nil}) }},
		{"mlp: Reset: a matrix of -1×3", func() { NewMatrix(-1, 3) }},
	} {
		got := ""
		func() {
			defer func() {
				if r := recover(); r != nil {
					got = fmt.Sprint(r)
				}
			}()
			c.do()
		}()
		if got != c.want {
			t.Errorf("case %d: panic %q, want %q", i, got, c.want)
		}
	}
}
