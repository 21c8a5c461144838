//go:build amd64 && !purego

package mlp

import "testing"

// eachKernel runs f with each kernel that this processor has, the one for AVX-512,
// unless time is short, also as it is where vectors are worked on in halves.
func eachKernel[T runner[T]](t T, f func(t T)) {
	defer func(a, b, c bool) { useAVX2, useAVX512, halves = a, b, c }(useAVX2, useAVX512, halves)
	have2, have512 := useAVX2, useAVX512
	for _, k := range []struct{ avx2, avx512, halves bool }{
		{false, false, false}, {true, false, false}, {true, true, false}, {true, true, true},
	} {
		if k.avx2 && !have2 || k.avx512 && !have512 {
			t.Logf("this processor lacks a kernel: AVX2 %v, AVX-512 %v", have2, have512)
			continue
		}
		if k.halves && testing.Short() {
			continue
		}
		useAVX2, useAVX512, halves = k.avx2, k.avx512, k.halves
		name := Kernel()
		if halves {
			name += " in halves"
		}
		t.Run(name, f)
	}
}
