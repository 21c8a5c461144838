//go:build arm64 && !purego

package mlp

// eachKernel runs f with the assembly and with the Go kernel.
func eachKernel[T runner[T]](t T, f func(t T)) {
	defer func() { useNEON = true }()
	for _, useNEON = range []bool{false, true} {
		t.Run(Kernel(), f)
	}
}
