// The micro-kernel of processors without assembly: the Go of mat_generic.go.

//go:build (!amd64 && !arm64) || purego

package mlp

func pause()                 {}
func activeKernel() *kernel  { return &kernelGo }
func microKernel(t *tileRow) { microKernelGo(t) }
