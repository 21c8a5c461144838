//go:build amd64 && !purego

package mlp

// eachKernel runs f with each micro-kernel that this processor has.
func eachKernel[T runner[T]](t T, f func(t T)) {
	defer func(avx2, avx512 bool) { useAVX2, useAVX512 = avx2, avx512 }(useAVX2, useAVX512)
	have2, have512 := useAVX2, useAVX512
	for _, k := range []struct{ avx2, avx512 bool }{{false, false}, {true, false}, {true, true}} {
		if k.avx2 && !have2 || k.avx512 && !have512 {
			t.Logf("this processor lacks a micro-kernel: AVX2 %v, AVX-512 %v", have2, have512)
			continue
		}
		useAVX2, useAVX512 = k.avx2, k.avx512
		t.Run(Kernel(), f)
	}
}
