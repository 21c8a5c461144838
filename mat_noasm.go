// The other side of the build tags of mat_amd64.go and mat_arm64.go: no assembly,
// the kernels in Go.

//go:build (!amd64 && !arm64) || purego

package mlp

func activeKernel() *kernel { return &kernelGo }
func multiply(t *tile)      { multiplyGeneric(t) }

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
