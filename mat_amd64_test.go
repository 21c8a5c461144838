//go:build amd64 && !purego

package mlp

import (
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"
)

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

// Each call of assembly is for full vectors, and for no more than callElements elements.
func TestInVectors(t *testing.T) {
	defer func(avx2 bool) { useAVX2 = avx2 }(useAVX2)
	useAVX2 = true
	for _, lanes := range []int{4, 8} {
		for _, n := range []int{0, 1, 3, 4, 7, 8, 13, callElements - 1, callElements, callElements + 9, 3*callElements + 8} {
			end := 0
			done := inVectors(n, lanes, func(from, to int) {
				if from != end || to <= from || to-from > callElements || (to-from)%lanes != 0 {
					t.Errorf("%d elements in vectors of %d: from %d to %d after %d", n, lanes, from, to, end)
				}
				end = to
			})
			if want := n / lanes * lanes; done != want || end != want {
				t.Errorf("%d elements in vectors of %d: %d are done and %d returned, want %d", n, lanes, end, done, want)
			}
		}
	}
}

// The scheduler can stop a goroutine in the middle of a long slice.
func TestElementwisePreemptible(t *testing.T) {
	if !useAVX2 {
		t.Skip("this processor has no AVX2")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	z := make([]float64, 1<<22)
	for range 50 {
		if stopsInside(z) {
			return
		}
	}
	t.Errorf("exp of %d elements cannot be stopped", len(z))
}

// stopsInside replaces -1 by e^-1 throughout z, stops all goroutines once that has begun,
// and reports whether z then ended with -1 still.
//
// ReadMemStats stops them. It waits until each goroutine reaches a place at which it can be
// stopped. One call of assembly for the whole slice has no such place before its end.
func stopsInside(z []float64) bool {
	for i := range z {
		z[i] = -1
	}
	isOld := func(v *float64) bool { // atomic, because the assembly may write it meanwhile
		return math.Float64frombits(atomic.LoadUint64((*uint64)(unsafe.Pointer(v)))) == -1
	}
	done := make(chan bool)
	go func() {
		exps(z)
		close(done)
	}()
	for isOld(&z[0]) {
		runtime.Gosched()
	}
	runtime.ReadMemStats(new(runtime.MemStats))
	inside := isOld(&z[len(z)-1])
	<-done
	return inside
}
