// The declarations of mat_arm64.s and what feeds its one kernel. Not here: the
// elementwise steps, which are those of mat_generic.go, because the compiler
// makes math.FMA one instruction.

//go:build arm64 && !purego

package mlp

// Every arm64 has NEON; tests switch it off.
var useNEON = true

func activeKernel() *kernel {
	if useNEON {
		return &kernelNEON
	}
	return &kernelGo
}

func multiply(t *tile) {
	switch {
	case useNEON && t.cols%4 == 0:
		multiplyNEON(t)
	case useNEON:
		var z [4 * padded]float64
		u := t.pad(z[:])
		multiplyNEON(&u)
		t.unpad(z[:])
	default:
		multiplyGeneric(t)
	}
}

// multiplyNEON takes up to 4 rows and 4, 8 or 12 columns.
//
//go:noescape
func multiplyNEON(t *tile)

func pack(panel, from []float64, width, w, k, bk, bj int) {
	packGeneric(panel, from, width, 0, w, k, bk, bj)
}

func add(z, x []float64)             { addGeneric(z, x) }
func relu(z []float64)               { reluGeneric(z) }
func reluBack(dz, a []float64)       { reluBackGeneric(dz, a) }
func axpy(z, x []float64, s float64) { axpyGeneric(z, x, s) }
func xpay(z, x []float64, s float64) { xpayGeneric(z, x, s) }
func adamStep(w, g, m, v []float64, f *adamFactors) {
	adamStepGeneric(w, g, m, v, f)
}
func bytesTo(z []float64, p []byte, scale, shift []float64) {
	bytesGeneric(z, p, scale, shift)
}
func exps(z []float64)            { expGeneric(z) }
func sigmoids(z []float64)        { sigmoidGeneric(z) }
func tanhs(z []float64)           { tanhGeneric(z) }
func sigmoidBack(dz, a []float64) { sigmoidBackGeneric(dz, a) }
func tanhBack(dz, a []float64)    { tanhBackGeneric(dz, a) }
func prefetch([]byte)             {}
