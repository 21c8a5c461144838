//go:build (!amd64 && !arm64) || purego

package mlp

// eachKernel runs f with the one kernel there is.
func eachKernel[T runner[T]](t T, f func(t T)) { t.Run(Kernel(), f) }
