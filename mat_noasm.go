// The products where there is no assembly for them: the Go of mat_generic.go.

//go:build (!amd64 && !arm64) || purego

package mlp

// Kernel names the micro-kernel in use: AVX-512, AVX2, NEON or Go.
func Kernel() string { return "Go" }

func tileSize() (mr, lanes, vectors int) { return genericRows, genericLanes, genericVectors }
func wholeVectors() bool                 { return false }
func multiply(t *tile)                   { multiplyGeneric(t) }

func pack(panel, from []float64, width, w, k, bk, bj int) {
	packGeneric(panel, from, width, 0, w, k, bk, bj)
}
