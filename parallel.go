// The worker pool: the goroutines that share the parts of a task.

package mlp

import (
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// A task is work in numbered parts that may run at the same time.
type task interface{ part(i int) }

// pool is the worker goroutines, which serve one caller of parallelFor at a time. Between
// two tasks a worker spins, because waking a sleeping thread costs as much as a small
// product. It ends if no task comes for a while.
var pool struct {
	sync.Mutex                             // held by the caller whom the workers serve
	task       task                        // written before left, while no worker is busy
	left       atomic.Uint64               // the parts that nobody has taken: first | end<<32
	busy       atomic.Int64                // workers inside serve
	workers    atomic.Int64                // workers that have not ended
	failure    atomic.Pointer[workerPanic] // of a worker's part
	alone      atomic.Int64                // how many of the next calls of parallelFor do without workers
}

const (
	// spinTime is how long a worker looks for work before it ends: long enough to last
	// from one product of a training step to the next.
	spinTime = 300 * time.Microsecond
	// looks is how many times a goroutine that waits looks before it reads the clock.
	looks = 64
	// aloneAfterContention is how many calls of parallelFor do without workers after two
	// callers have met: the program's own goroutines then keep the processors busy.
	aloneAfterContention = 1024
)

// parallelFor does parts 0 to n-1 of t, on as many threads as there may be, and returns
// when all are done. The caller does all parts itself if the workers serve another caller,
// or if two callers have met in one of the last calls. A part must not call parallelFor
// with several parts: that counts as a second caller.
//
// If a part panics, on whatever goroutine, no further part begins, and parallelFor panics
// with the same value once the parts that have begun are done.
func parallelFor(n int, t task) {
	if n > 1 && claimWorkers() {
		defer releaseWorkers()
		pool.task = t
		pool.left.Store(uint64(n) << 32)
		for range int64(min(n, maxThreads())-1) - pool.workers.Load() {
			pool.workers.Add(1)
			go work()
		}
		takeParts(true)
		return
	}
	for i := range n {
		t.part(i)
	}
}

// claimWorkers reports whether the caller may use the workers. If so, it must release them.
func claimWorkers() bool {
	if maxThreads() == 1 || countAlone() {
		return false
	}
	if !pool.TryLock() {
		pool.alone.Store(aloneAfterContention)
		return false
	}
	return true
}

// countAlone reports whether this call of parallelFor does without workers, and counts it.
func countAlone() bool {
	n := pool.alone.Load()
	if n > 0 {
		pool.alone.CompareAndSwap(n, n-1) // or else another caller has counted
	}
	return n > 0
}

// releaseWorkers waits until no worker is busy. It calls Gosched only if it has waited for
// long, because that may wake a thread, which takes a processor from a worker if GOMAXPROCS
// is more than there are processors.
func releaseWorkers() {
	pool.left.Store(0) // parts are left if the caller's part panicked
	begin := time.Now()
	for look := 1; pool.busy.Load() > 0; look++ {
		if pause(); look%looks == 0 && time.Since(begin) > spinTime {
			runtime.Gosched()
		}
	}
	pool.task = nil
	failure := pool.failure.Swap(nil)
	pool.Unlock()
	if failure != nil {
		failure.raise()
	}
}

// work is the body of a worker: it looks for parts until it has found none for spinTime,
// and ends at once if two callers have met.
func work() {
	defer pool.workers.Add(-1)
	last := time.Now()
	for look := 1; pool.alone.Load() == 0; look++ {
		if first, end := unpackParts(pool.left.Load()); first < end {
			serve()
			last = time.Now()
		}
		if pause(); look%looks == 0 && time.Since(last) > spinTime {
			return
		}
	}
}

// processors is how many processors this process may use. Tests set it.
var processors = runtime.NumCPU()

// maxThreads returns how many threads compute at the same time: no more than there are
// processors, because a thread that spins takes the place of one that computes.
func maxThreads() int { return min(runtime.GOMAXPROCS(0), processors) }

// serve does parts of the task, and hands a panic on to the caller of parallelFor.
func serve() {
	pool.busy.Add(1)
	defer pool.busy.Add(-1)
	finished := false
	defer func() {
		if finished {
			return
		}
		pool.failure.Store(newWorkerPanic(recover()))
		pool.left.Store(0)
	}()
	takeParts(false)
	finished = true
}

// takeParts does parts until none is left. The caller of parallelFor takes the first part
// that is left and the workers take the last, so that from one task to the next the same
// columns of a network come to the same thread and its cache.
func takeParts(fromFirst bool) {
	for {
		left := pool.left.Load()
		first, end := unpackParts(left)
		switch {
		case first >= end:
			return
		case fromFirst && pool.left.CompareAndSwap(left, left+1):
			pool.task.part(first)
		case !fromFirst && pool.left.CompareAndSwap(left, left-1<<32):
			pool.task.part(end - 1)
		}
	}
}

func unpackParts(left uint64) (first, end int) {
	return int(left & (1<<32 - 1)), int(left >> 32)
}

// A workerPanic is what a worker's part panicked with, and the worker's stack.
type workerPanic struct {
	value any
	stack []byte
}

// newWorkerPanic keeps what a deferred function of the worker has recovered.
func newWorkerPanic(value any) *workerPanic {
	if value == nil {
		value = "mlp: a part of shared work called runtime.Goexit"
	}
	return &workerPanic{value, debug.Stack()}
}

// raise panics with the worker's value. If nobody recovers it, the program's last words begin
// with the worker's stack, because that is an earlier panic, which the value replaces.
func (p *workerPanic) raise() {
	defer func() { panic(p.value) }()
	panic("in a worker of mlp:\n\n" + string(p.stack))
}

// together calls f(0) to f(n-1), several at the same time: as many as there may be threads. If
// one panics, no further begins, and together panics with the same value. Unlike the parts of
// a task, f may call parallelFor.
func together(n int, f func(i int)) {
	if n == 1 {
		f(0)
		return
	}
	var next atomic.Int64
	var failure atomic.Pointer[workerPanic]
	var all sync.WaitGroup
	for range min(n, maxThreads()) {
		all.Go(func() {
			finished := false
			defer func() {
				if !finished {
					failure.Store(newWorkerPanic(recover()))
				}
			}()
			for failure.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					break
				}
				f(i)
			}
			finished = true
		})
	}
	all.Wait()
	if p := failure.Load(); p != nil {
		p.raise()
	}
}
