//go:build arm64 && !purego

package mlp

import "testing"

// eachKernel runs f with the assembly and with the Go kernel.
func eachKernel(t *testing.T, f func(t *testing.T)) {
	defer func() { useNEON = true }()
	for _, useNEON = range []bool{false, true} {
		t.Run(Kernel(), f)
	}
}
