package mlp

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// An elementwise step, and its definition in mat_generic.go.
type step struct {
	name     string
	do, want func(z []float64)
}

// steps are all of them, with y and p as their other operands.
func steps(x, y []float64, p []byte) []step {
	return []step{
		{"add", func(z []float64) { add(z, y) }, func(z []float64) { addition(z, y, 1) }},
		{"sub", func(z []float64) { sub(z, y) }, func(z []float64) { addition(z, y, -1) }},
		{"mul", func(z []float64) { mul(z, y) }, func(z []float64) { mulGeneric(z, y) }},
		{"div", func(z []float64) { div(z, y) }, func(z []float64) { divGeneric(z, y) }},
		{"addProduct", func(z []float64) { addProduct(z, y, x) }, func(z []float64) { addProductGeneric(z, y, x) }},
		{"scale", func(z []float64) { scale(z, y, x) }, func(z []float64) { scaleGeneric(z, y, x) }},
		{"relu", relu, reluGeneric},
		{"reluBack", func(z []float64) { reluBack(z, y) }, func(z []float64) { reluBackGeneric(z, y) }},
		{"exp", exps, expGeneric},
		{"sigmoid", sigmoids, sigmoidGeneric},
		{"sigmoidBack", func(z []float64) { sigmoidBack(z, y) }, func(z []float64) { sigmoidBackGeneric(z, y) }},
		{"tanh", tanhs, tanhGeneric},
		{"tanhBack", func(z []float64) { tanhBack(z, y) }, func(z []float64) { tanhBackGeneric(z, y) }},
		{"axpy", func(z []float64) { axpy(z, y, -0.1) }, func(z []float64) { axpyGeneric(z, y, -0.1) }},
		{"xpay", func(z []float64) { xpay(z, y, 0.9) }, func(z []float64) { xpayGeneric(z, y, 0.9) }},
		{"bytesTo", func(z []float64) { bytesTo(z, p, y, x) }, func(z []float64) { bytesGeneric(z, p, y, x) }},
	}
}

// addition is z += sign·x, without a fused multiply-add.
func addition(z, x []float64, sign float64) {
	for i, v := range x {
		z[i] += float64(sign * v)
	}
}

// lengths are those with every number of whole vectors and of elements beside them, and
// one that takes more than one call of assembly.
func lengths() []int {
	n := make([]int, 40)
	for i := range n {
		n[i] = i
	}
	return append(n, 1<<13+13)
}

// mixed returns n random numbers, every third of them a special one.
func mixed(n int, rng *rand.Rand) []float64 {
	special := [...]float64{0, math.Copysign(0, -1), nan, inf, -inf, 1, -1, 5e-324, -5e-324}
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
		if rng.IntN(3) == 0 {
			x[i] = special[rng.IntN(len(special))]
		}
	}
	return x
}

func TestElementwise(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		rng := newRand()
		for _, n := range lengths() {
			x, y, p := mixed(n, rng), mixed(n, rng), make([]byte, n)
			for i := range p {
				p[i] = byte(rng.Uint32())
			}
			for _, s := range steps(x, y, p) {
				z, intact := guarded(1, n)
				copy(z.Data, x)
				s.do(z.Data)
				want := slices.Clone(x)
				s.want(want)
				for i := range want {
					if !sameBits(z.Data[i], want[i]) {
						t.Fatalf("%s %s of %d elements: element %d (x=%v y=%v) is %v, want %v", Kernel(), s.name, n, i, x[i], y[i], z.Data[i], want[i])
					}
				}
				if !intact() {
					t.Fatalf("%s %s of %d elements wrote outside its slice", Kernel(), s.name, n)
				}
			}
		}
	})
}

// Adam gives the same weights, and the same m and v, in every form.
func TestAdamEveryKernel(t *testing.T) {
	f := newAdamFactors(3, 0.9, 0.1)
	eachKernel(t, func(t *testing.T) {
		rng := newRand()
		for _, n := range lengths() {
			got, intact := guarded(4, n)
			fill(got, rng)
			clear(got.Row(1)[:n/2]) // Half the gradients are zero; for half of those,
			clear(got.Row(2)[:n/4]) // every earlier gradient was zero too.
			for i, v := range got.Row(3) {
				got.Row(3)[i] = v * v
			}
			clear(got.Row(3)[:n/4])
			want := NewMatrix(4, n, got.Data...)
			adamStep(got.Row(0), got.Row(1), got.Row(2), got.Row(3), &f)
			adamStepGeneric(want.Row(0), want.Row(1), want.Row(2), want.Row(3), &f)
			for i, v := range want.Data {
				if !sameBits(got.Data[i], v) {
					t.Fatalf("%s: %d weights: element %d of w, g, m and v is %v, want %v", Kernel(), n, i, got.Data[i], v)
				}
			}
			if !intact() {
				t.Fatalf("%s: %d weights: wrote outside", Kernel(), n)
			}
		}
	})
}

// The quotients that the assembly computes without a division are those of a division, for
// moments of any bits, for zeros of both signs, around the ends of the range that needs
// none, and for quotients that are hard to round, at any step.
func TestAdamQuotients(t *testing.T) {
	const n = 1 << 12
	edges := [...]float64{0x1p-900, 0x1p900, 0x1p-1022, 5e-324, math.MaxFloat64, 1, 0x1p-960}
	eachKernel(t, func(t *testing.T) {
		rng := newRand()
		for _, step := range []int{1, 2, 3, 7, 100, 355, 1000, 30000, 1 << 30} {
			f := newAdamFactors(step, 0.9, 1)
			f.beta1, f.beta2, f.rest1, f.rest2, f.epsilon = 1, 1, 0, 0, 0 // m and v stay as they are
			got := NewMatrix(4, n)
			hard := append(hardToRound(f.correct1), 1)
			for i := range n {
				m, v := math.Float64frombits(rng.Uint64()), math.Float64frombits(rng.Uint64())
				switch i / 8 % 4 { // a vector with an extreme lane divides, so that most must have none
				case 0:
					m, v = rng.NormFloat64(), rng.Float64()
				case 1:
					m, v = math.Ldexp(1+rng.Float64(), rng.IntN(1700)-850), math.Ldexp(1+rng.Float64(), rng.IntN(1700)-850)
				case 2:
					e := edges[rng.IntN(len(edges))]
					m, v = math.Float64frombits(math.Float64bits(e)+rng.Uint64N(8)-4), e
				}
				if i/8%4 == 3 && i/8%8 > 3 {
					m, v = hard[rng.IntN(len(hard))], 1
				} else if rng.IntN(9) == 0 {
					m, v = math.Copysign(0, m), 0
				}
				got.Row(0)[i], got.Row(2)[i], got.Row(3)[i] = math.Copysign(0, v), m, v
			}
			want := NewMatrix(4, n, got.Data...)
			adamStep(got.Row(0), got.Row(1), got.Row(2), got.Row(3), &f)
			adamStepGeneric(want.Row(0), want.Row(1), want.Row(2), want.Row(3), &f)
			for i, v := range want.Row(0) {
				if !sameBits(got.Data[i], v) {
					t.Fatalf("%s, step %d: m %v and v %v move the weight to %v, want %v", Kernel(), step, want.Row(2)[i], want.Row(3)[i], got.Data[i], v)
				}
			}
		}
	})
}

// hardToRound returns numbers whose quotients by d are as near as can be to the middle
// between two floating-point numbers. With d = b·2^e for an odd b, and a·2⁵⁴ = q·b + r for an
// odd q, a·2⁵³/b is r/2b from the middle q/2.
func hardToRound(d float64) (all []float64) {
	fraction, _ := math.Frexp(d)
	b := int64(fraction * (1 << 53))
	for b%2 == 0 {
		b /= 2
	}
	if b < 1<<40 {
		return nil // too few bits for a quotient that is hard to round
	}
	big2, bigB := new(big.Int).Lsh(big.NewInt(1), 54), big.NewInt(b)
	inverse := new(big.Int).ModInverse(big2, bigB)
	for r := int64(-301); r < 302; r += 2 {
		a := new(big.Int).Mul(inverse, big.NewInt(r))
		a.Mod(a, bigB)
		q := new(big.Int).Div(new(big.Int).Mul(a, big2), bigB)
		if q.Bit(0) == 1 {
			all = append(all, float64(a.Int64()))
		}
	}
	return all
}

// On numbers made of any bits, and around the ends of the range, exp, sigmoid and tanh
// equal their definitions. All processors with AVX2 run the same code here, so that one
// pass is enough.
func TestExpAnyBits(t *testing.T) {
	edges := [...]float64{0, 710, -746, 709.782712893384, -708.3964185322641, -745.1332191019411, 20, math.Ln2 / 2, 1e-300}
	rng := newRand()
	x := make([]float64, 1<<17)
	for i := range x {
		switch i % 4 {
		case 0:
			x[i] = math.Float64frombits(rng.Uint64())
		case 1:
			x[i] = 1600*rng.Float64() - 800
		case 2:
			x[i] = 4*rng.Float64() - 2
		case 3: // around where results overflow, underflow, lose bits or saturate
			x[i] = math.Float64frombits(math.Float64bits(edges[rng.IntN(len(edges))]) + rng.Uint64N(64) - 32)
			if rng.IntN(2) == 0 {
				x[i] = -x[i]
			}
		}
	}
	for _, s := range []step{{"exp", exps, expGeneric}, {"sigmoid", sigmoids, sigmoidGeneric}, {"tanh", tanhs, tanhGeneric}} {
		got, want := slices.Clone(x), slices.Clone(x)
		s.do(got)
		s.want(want)
		for i, v := range x {
			if !sameBits(got[i], want[i]) {
				t.Fatalf("%s %s(%v) = %v, want %v", Kernel(), s.name, v, got[i], want[i])
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
