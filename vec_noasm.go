// The elementwise steps of processors without assembly of them: the Go of mat_generic.go. arm64 is one,
// because there the compiler makes math.FMA one instruction.

//go:build !amd64 || purego

package mlp

func relu(z []float64)               { reluGeneric(z) }
func exps(z []float64)               { expGeneric(z) }
func sigmoids(z []float64)           { sigmoidGeneric(z) }
func tanhs(z []float64)              { tanhGeneric(z) }
func mul(z, x []float64)             { mulGeneric(z, x) }
func div(z, x []float64)             { divGeneric(z, x) }
func reluBack(dz, a []float64)       { reluBackGeneric(dz, a) }
func sigmoidBack(dz, a []float64)    { sigmoidBackGeneric(dz, a) }
func tanhBack(dz, a []float64)       { tanhBackGeneric(dz, a) }
func addProduct(z, x, y []float64)   { addProductGeneric(z, x, y) }
func scale(z, x, y []float64)        { scaleGeneric(z, x, y) }
func axpy(z, x []float64, s float64) { axpyGeneric(z, x, s) }
func xpay(z, x []float64, s float64) { xpayGeneric(z, x, s) }
func prefetch([]byte)                {}

func adamStep(w, g, m, v []float64, f *adamFactors)         { adamStepGeneric(w, g, m, v, f) }
func bytesTo(z []float64, p []byte, scale, shift []float64) { bytesGeneric(z, p, scale, shift) }

// caches returns the smallest caches, because nothing says how large they are.
func caches() (l1, l2 int) { return smallL1, smallL2 }

func pack(panel, b []float64, nr, n, k, bk, bj int) { packGeneric(panel, b, nr, n, k, bk, bj) }
