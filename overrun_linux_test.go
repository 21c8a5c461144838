// No kernel reads or writes beyond its operands: they lie in memory right before a page
// that cannot be touched, or right behind one. Nor is a file that is too large written.

package mlp

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"slices"
	"syscall"
	"testing"
	"unsafe"
)

// A fence is memory between two pages that cannot be read or written.
type fence struct{ pages []byte }

func newFence(t *testing.T, size int) fence {
	t.Helper()
	page := syscall.Getpagesize()
	size = (size + page - 1) / page * page
	all, err := syscall.Mmap(-1, 0, page+size+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Munmap(all) })
	for _, p := range [][]byte{all[:page], all[page+size:]} {
		if err := syscall.Mprotect(p, syscall.PROT_NONE); err != nil {
			t.Fatal(err)
		}
	}
	return fence{all[page : page+size : page+size]}
}

// bytes returns the last n bytes of the memory, or the first.
func (f fence) bytes(n int, atEnd bool) []byte {
	if atEnd {
		return f.pages[len(f.pages)-n:]
	}
	return f.pages[:n:n]
}

// floats returns the last n numbers of the memory, or the first, and gives them values.
func (f fence) floats(n int, atEnd bool) []float64 {
	if n == 0 {
		return nil
	}
	x := unsafe.Slice((*float64)(unsafe.Pointer(&f.bytes(8*n, atEnd)[0])), n)
	for i := range x {
		x[i] = float64(i%13) - 6
	}
	return x
}

func (f fence) matrix(rows, cols int, atEnd bool) *Matrix {
	return &Matrix{rows, cols, f.floats(rows*cols, atEnd)}
}

// fenced runs do twice, with operands at the end of their memory and at its beginning. If
// do touches a page that it must not, the test fails with the message of what. Products
// run on this goroutine alone, because only its faults become panics.
func fenced(t *testing.T, what func() string, do func(atEnd bool)) {
	t.Helper()
	defer withThreads(1)()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	for _, atEnd := range []bool{true, false} {
		func() {
			defer func() {
				if r := recover(); r != nil {
					t.Fatalf("%s %s, at the end %v: %v", Kernel(), what(), atEnd, r)
				}
			}()
			do(atEnd)
		}()
	}
}

// Touching either page next to a fence panics.
func TestFence(t *testing.T) {
	f := newFence(t, 100)
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	x := f.floats(5, true)
	for _, p := range []*float64{
		(*float64)(unsafe.Add(unsafe.Pointer(&x[0]), 8*5)),
		(*float64)(unsafe.Add(unsafe.Pointer(&f.pages[0]), -8)),
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the memory beyond a fence can be read")
				}
			}()
			x[0] = *p
		}()
	}
}

// Every m and n up to more than two tiles, and sums of more than one block of terms.
func TestProductsOverrun(t *testing.T) {
	const most = 2 * 96 * 2000 * 8
	fx, fy, fz := newFence(t, most), newFence(t, most), newFence(t, most)
	eachKernel(t, func(t *testing.T) {
		kernel := activeKernel()
		ms, ns, ks := 2*kernel.mr+2, 2*kernel.nr+2, []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 10}
		if testing.Short() {
			ks = []int{0, 1, 5, 8}
		}
		for m := range ms {
			for n := range ns {
				for _, k := range ks {
					overrun(t, m, k, n, fx, fy, fz)
				}
			}
		}
		for _, n := range []int{1, 4, 10, 13, 24, 25, 49, 95, 97, 193} {
			overrun(t, kernel.mr+1, 2*kernel.kc+1, n, fx, fy, fz)
			overrun(t, (packFrom+1)*kernel.mr+1, 20, n, fx, fy, fz) // b is packed
		}
		overrun(t, (packFromPage+1)*kernel.mr, 10, page, fx, fy, fz)
		overrun(t, (packFromPages+1)*kernel.mr, 10, 2*page, fx, fy, fz)
	})
}

func overrun(t *testing.T, m, k, n int, fx, fy, fz fence) {
	var name string
	var first []float64
	fenced(t, func() string { return fmt.Sprintf("%s %d×%d×%d", name, m, k, n) }, func(atEnd bool) {
		z := fz.matrix(m, n, atEnd)
		for i, set := range []func(){
			func() { z.Mul(fx.matrix(m, k, atEnd), fy.matrix(k, n, atEnd)) },
			func() { z.TMul(fx.matrix(k, m, atEnd), fy.matrix(k, n, atEnd)) },
			func() { z.MulT(fx.matrix(m, k, atEnd), fy.matrix(n, k, atEnd)) },
		} {
			name = [...]string{"Mul", "TMul", "MulT"}[i]
			set()
			if i == 0 && atEnd {
				first = slices.Clone(z.Data)
			} else if i == 0 && !slices.Equal(z.Data, first) {
				t.Fatalf("%s %s %d×%d×%d: the result depends on where the operands lie", Kernel(), name, m, k, n)
			}
		}
	})
}

// The elementwise steps, and the packing of a micro-panel, by rows and by columns.
func TestElementwiseOverrun(t *testing.T) {
	const most = 60 * 60 * 8
	f, g, h, p := newFence(t, most), newFence(t, most), newFence(t, most), newFence(t, most)
	eachKernel(t, func(t *testing.T) {
		for n := range 40 {
			for name, do := range map[string]func(z, x, y []float64, b []byte){
				"add":         func(z, x, _ []float64, _ []byte) { add(z, x) },
				"relu":        func(z, _, _ []float64, _ []byte) { relu(z) },
				"reluBack":    func(z, x, _ []float64, _ []byte) { reluBack(z, x) },
				"axpy":        func(z, x, _ []float64, _ []byte) { axpy(z, x, 0.5) },
				"xpay":        func(z, x, _ []float64, _ []byte) { xpay(z, x, 0.5) },
				"adamStep":    func(z, x, y []float64, _ []byte) { adamStep(z, x, y, x, new(adamFactors)) },
				"bytesTo":     func(z, x, y []float64, b []byte) { bytesTo(z, b, x, y) },
				"exps":        func(z, _, _ []float64, _ []byte) { exps(z) },
				"sigmoids":    func(z, _, _ []float64, _ []byte) { sigmoids(z) },
				"tanhs":       func(z, _, _ []float64, _ []byte) { tanhs(z) },
				"sigmoidBack": func(z, x, _ []float64, _ []byte) { sigmoidBack(z, x) },
				"tanhBack":    func(z, x, _ []float64, _ []byte) { tanhBack(z, x) },
			} {
				fenced(t, func() string { return fmt.Sprintf("%s of %d", name, n) }, func(atEnd bool) {
					do(f.floats(n, atEnd), g.floats(n, atEnd), h.floats(n, atEnd), p.bytes(n, atEnd))
				})
			}
		}
		lanes, width := activeKernel().lanes, activeKernel().nr
		for w := 1; w <= width; w++ {
			for k := 1; k <= 2*lanes+2; k++ {
				for _, stride := range []int{0, 1, 5} { // elements between the ends of the rows or columns
					fenced(t, func() string { return fmt.Sprintf("copy of %d×%d", k, w) }, func(atEnd bool) {
						pack(f.floats(k*width, atEnd), g.floats((k-1)*(w+stride)+w, atEnd), width, w, k, w+stride, 1)
					})
					fenced(t, func() string { return fmt.Sprintf("transposition of %d×%d", k, w) }, func(atEnd bool) {
						pack(f.floats(k*width, atEnd), g.floats((w-1)*(k+stride)+k, atEnd), width, w, k, 1, k+stride)
					})
				}
			}
		}
	})
}

func TestWriteNPZLimits(t *testing.T) {
	large := newFence(t, maxMember+1).bytes(maxMember+1, true) // they are never read or written, so they take no memory
	for want, members := range map[string][]npzMember{
		"a: 1073741825 bytes, over the limit of 1073741824": {{Name: "a", Bytes: large}},
		"d: the members up to here take 2147483649 bytes, over the limit of 2147483648 in all": {
			{Name: "a", Bytes: large[1:]}, {Name: "b", Bytes: large[1:]}, {Name: "c"}, {Name: "d", Bytes: large[:1]}},
	} {
		var b bytes.Buffer
		if err := writeNPZ(&b, members...); err == nil || err.Error() != want || b.Len() > 0 {
			t.Errorf("%d bytes, error %v, want %s", b.Len(), err, want)
		}
	}
}
