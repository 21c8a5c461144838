// The products of processors without assembly for them: the Go of mat_generic.go.

//go:build (!amd64 && !arm64) || purego

package mlp

func pause() {}

// caches returns the smallest caches, because nothing says how large they are.
func caches() (l1, l2 int) { return smallL1, smallL2 }

func activeKernel() *kernel { return &kernelGo }
func multiply(t *tileRow)   { multiplyGeneric(t) }

// pack copies w columns and k rows of b to a micro-panel, as packGeneric says.
func pack(panel, from []float64, width, w, k, bk, bj int) {
	packGeneric(panel, from, width, 0, w, k, bk, bj)
}
