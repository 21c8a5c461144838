//go:build amd64 && !purego

package mlp

import "testing"

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

// The sub-leaves that a Zen 3 and a Sapphire Rapids give, and one that describes nothing.
func TestDataCaches(t *testing.T) {
	type leaf struct{ eax, ebx, ecx uint32 }
	for _, c := range []struct {
		name   string
		leaves []leaf
		l1, l2 int
	}{
		{"Zen 3", []leaf{{0x4121, 0x1c0003f, 63}, {0x4122, 0x1c0003f, 63}, {0x4143, 0x1c0003f, 1023}, {0x3c163, 0x3c0003f, 32767}, {}}, 32 << 10, 512 << 10},
		{"Sapphire Rapids", []leaf{{0x4121, 0x2c0003f, 63}, {0x4122, 0x1c0003f, 63}, {0x4143, 0x3c0003f, 2047}, {}}, 48 << 10, 2 << 20},
		{"none", []leaf{{}}, smallL1, smallL2},
	} {
		l1, l2 := dataCaches(func(sub uint32) (eax, ebx, ecx uint32) {
			l := c.leaves[sub]
			return l.eax, l.ebx, l.ecx
		})
		if l1 != c.l1 || l2 != c.l2 {
			t.Errorf("%s: %d and %d, want %d and %d", c.name, l1, l2, c.l1, c.l2)
		}
	}
	if l1, l2 := caches(); l1 < 16<<10 || l1 > 1<<20 || l2 < 128<<10 || l2 > 64<<20 {
		t.Errorf("this processor has caches of %d and %d bytes", l1, l2)
	}
}
