// The elementwise steps of processors for which there is no assembly of them. arm64 is
// one: there the compiler makes math.FMA one instruction.

//go:build !amd64 || purego

package mlp

func add(z, x []float64)             { addGeneric(z, x) }
func sub(z, x []float64)             { subGeneric(z, x) }
func mul(z, x []float64)             { mulGeneric(z, x) }
func div(z, x []float64)             { divGeneric(z, x) }
func addProduct(z, x, y []float64)   { addProductGeneric(z, x, y) }
func scale(z, x, y []float64)        { scaleGeneric(z, x, y) }
func relu(z []float64)               { reluGeneric(z) }
func reluBack(dz, a []float64)       { reluBackGeneric(dz, a) }
func axpy(z, x []float64, s float64) { axpyGeneric(z, x, s) }
func xpay(z, x []float64, s float64) { xpayGeneric(z, x, s) }
func exps(z []float64)               { expGeneric(z) }
func sigmoids(z []float64)           { sigmoidGeneric(z) }
func sigmoidBack(dz, a []float64)    { sigmoidBackGeneric(dz, a) }
func tanhs(z []float64)              { tanhGeneric(z) }
func tanhBack(dz, a []float64)       { tanhBackGeneric(dz, a) }
func prefetch([]byte)                {}

func adamStep(w, g, m, v []float64, f *adamFactors) { adamStepGeneric(w, g, m, v, f) }

func bytesTo(z []float64, p []byte, scale, shift []float64) { bytesGeneric(z, p, scale, shift) }
