//go:build amd64 && !purego

package mlp

import (
	"math"
	"runtime"
	"sync/atomic"
	"testing"
	"unsafe"
)

// Each call of assembly is for whole vectors, and for no more than callElements elements.
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
