// The goroutines that share work, and what they keep from one task to the next. Not
// here: how a product, a prediction or a batch is cut in parts.

package mlp

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A task is work in numbered parts that may run at the same time.
type task interface{ part(i int) }

// crew is the goroutines that help one caller of share at a time. They spin
// between two tasks, because to wake a sleeping thread costs as much as a
// small product, and they end when none has come for a while.
var crew struct {
	sync.Mutex               // held by the caller who is being helped
	task       task          // written before left, while nobody is inside
	left       atomic.Uint64 // parts not yet taken: the first and, in the upper half, the one after the last
	inside     atomic.Int64  // helpers who may be at a part
	helpers    atomic.Int64
	panicked   atomic.Pointer[any] // what a helper's part panicked with
}

// patience is how many times a helper looks for work before it ends. With
// 200000, a fraction of a millisecond, a training step took 684 µs on two threads
// of Zen 4, with 20000, less than it takes to gather a batch, 707, with 2000 790.
const patience = 200000

// share runs parts 0 to n-1 of t, on as many goroutines as GOMAXPROCS allows,
// and returns when all are done. Where the crew is at work for another, or
// shared work is shared again, the caller does it alone. A panic ends the task, and
// is the caller's whoever was at the part.
func share(n int, t task) {
	if n > 1 {
		if helpers := runtime.GOMAXPROCS(0) - 1; helpers > 0 && crew.TryLock() {
			defer disband()
			crew.task = t
			crew.left.Store(uint64(n) << 32)
			for range min(int64(helpers), int64(n-1)) - crew.helpers.Load() {
				crew.helpers.Add(1)
				go help()
			}
			takeParts(true)
			return
		}
	}
	for i := range n {
		t.part(i)
	}
}

// disband waits for the helpers. After a panic they find no more parts.
func disband() {
	if first, end := unpack(crew.left.Load()); first < end {
		crew.left.Store(0)
	}
	for spin := 1; crew.inside.Load() > 0; spin++ {
		if spin%1024 == 0 {
			runtime.Gosched()
		}
	}
	crew.task = nil
	panicked := crew.panicked.Swap(nil)
	crew.Unlock()
	if panicked != nil {
		panic(*panicked)
	}
}

func help() {
	defer crew.helpers.Add(-1)
	for spin := 1; spin < patience; spin++ {
		if first, end := unpack(crew.left.Load()); first < end {
			assist()
			spin = 0
		}
	}
}

func assist() {
	crew.inside.Add(1)
	defer crew.inside.Add(-1)
	finished := false
	defer func() {
		if r := recover(); r != nil || !finished {
			value := r // allocated here, not at every call
			if r == nil {
				value = "mlp: a part of a task ended its goroutine"
			}
			crew.panicked.Store(&value)
			crew.left.Store(0)
		}
	}()
	takeParts(false)
	finished = true
}

// takeParts does parts until none is left: the caller of share from the first
// on and its helpers from the last on, so that from one task to the next the
// same columns of a network come to the same thread and its cache.
func takeParts(fromFirst bool) {
	for {
		left := crew.left.Load()
		first, end := unpack(left)
		switch {
		case first >= end:
			return
		case fromFirst && crew.left.CompareAndSwap(left, left+1):
			crew.task.part(first)
		case !fromFirst && crew.left.CompareAndSwap(left, left-1<<32):
			crew.task.part(end - 1)
		}
	}
}

func unpack(left uint64) (first, end int) {
	return int(left & (1<<32 - 1)), int(left >> 32)
}

// A spare list keeps what is needed again and again. Unlike a sync.Pool it is
// not emptied by the garbage collector, so that a step never allocates.
type spares[T any] chan *T

func (s spares[T]) get() *T {
	select {
	case v := <-s:
		return v
	default:
		return new(T)
	}
}

func (s spares[T]) put(v *T) {
	select {
	case s <- v:
	default:
	}
}
