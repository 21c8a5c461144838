//go:build (!amd64 && !arm64) || purego

package mlp

import "testing"

// eachKernel runs f with the one kernel there is.
func eachKernel(t *testing.T, f func(t *testing.T)) { t.Run(Kernel(), f) }
