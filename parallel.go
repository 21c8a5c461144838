// The worker pool: the goroutines that share the parts of a task. How many of them a loop uses.

package mlp

import (
	"io/fs"
	"math"
	"math/bits"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
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
	most       atomic.Int64                // how many of them the last caller could use; any others end
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

// parallelFor does parts 0 to n-1 of t on at most so many threads, and returns when all are done. The caller does all parts itself if the workers serve another caller,
// or if two callers have met in one of the last calls. A part must not call parallelFor
// with several parts: that counts as a second caller.
//
// If a part panics, on whatever goroutine, no further part begins, and parallelFor panics
// with the same value once the parts that have begun are done.
func parallelFor(threads, n int, t task) {
	if threads = min(threads, maxThreads()); threads > 1 && n > 1 && claimWorkers() {
		defer releaseWorkers()
		pool.task = t
		pool.most.Store(int64(threads - 1))
		pool.left.Store(uint64(n) << 32)
		for range int64(min(threads, n)-1) - pool.workers.Load() {
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
	if countAlone() {
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
// and ends at once if two callers have met, or if there are more workers than the caller can use.
func work() {
	isCounted := true
	defer func() {
		if isCounted {
			pool.workers.Add(-1)
		}
	}()
	last := time.Now()
	for look := 1; pool.alone.Load() == 0; look++ {
		first, end := unpackParts(pool.left.Load())
		if n := pool.workers.Load(); n > pool.most.Load() && pool.workers.CompareAndSwap(n, n-1) {
			isCounted = false
			return
		}
		if first < end {
			serve()
			last = time.Now()
		}
		if pause(); look%looks == 0 && time.Since(last) > spinTime {
			return
		}
	}
}

// processors returns how many processors this process may use. Tests set it.
var processors = sync.OnceValue(func() int { return min(runtime.NumCPU(), quota(os.DirFS("/"))) })

// maxThreads returns how many threads compute at the same time: no more than there are
// processors, because a thread that spins takes the place of one that computes.
func maxThreads() int { return min(runtime.GOMAXPROCS(0), processors()) }

// quota returns how many processors' time the process may use by the control groups of Linux,
// as containers have them, rounded up; or a large number if there is no limit. The runtime's
// GOMAXPROCS follows such limits too, but it is at least 2.
func quota(root fs.FS) int {
	numbers := func(name string) (numbers []float64) {
		text, _ := fs.ReadFile(root, name)
		for _, word := range strings.Fields(string(text)) {
			n, _ := strconv.ParseFloat(word, 64) // 0 for "max"
			numbers = append(numbers, n)
		}
		return numbers
	}
	least := math.MaxInt32
	groups, _ := fs.ReadFile(root, "proc/self/cgroup")
	for _, line := range strings.Split(string(groups), "\n") { // number:controllers:/path
		fields := strings.SplitN(line, ":", 3)
		if len(fields) < 3 {
			continue
		}
		for group := path.Clean("/" + fields[2]); ; group = path.Dir(group) { // and the groups around it
			var limit []float64 // microseconds of processor time in a period, and the period
			if fields[1] == "" {
				limit = numbers(path.Join("sys/fs/cgroup", group, "cpu.max"))
			} else if slices.Contains(strings.Split(fields[1], ","), "cpu") {
				dir := path.Join("sys/fs/cgroup", fields[1], group)
				limit = append(numbers(dir+"/cpu.cfs_quota_us"), numbers(dir+"/cpu.cfs_period_us")...)
			}
			if len(limit) == 2 && limit[0] > 0 && limit[1] > 0 {
				least = min(least, int(min(math.Ceil(limit[0]/limit[1]), math.MaxInt32)))
			}
			if group == "/" {
				break
			}
		}
	}
	return least
}

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

// A pace finds, while a loop runs, how many threads make its rounds fastest. Any number gives the
// same bits, so it may change from one round to the next.
//
// The numbers are 1, 2, 4, … and maxThreads(). A pace knows how fast the rounds were with each number
// that it has tried, and uses the fastest. Now and then it tries the next lower or the next higher
// number for a block of rounds. Tries cost at most a hundredth of the time.
type pace struct {
	now   func() time.Duration // the time; nil is the system's
	loops int                  // if there are several, each on a goroutine of its own, each uses one thread

	most   int     // maxThreads() in the last round
	speeds []speed // with 1<<i threads
	best   int     // the index of the fastest
	inUse  int     // the index of the number in use: best, or one beside it that is tried
	aside  int     // 1 if the next try is of more threads than best, -1 if of fewer
	gap    int     // how many blocks pass from one try to the next
	wait   int     // how many of them are left

	began       time.Duration // when the round under way began
	block       speed         // of the block under way
	total, lost time.Duration // what all rounds took, and how much less they would have without tries
	used        threadRange
}

// A threadRange is the fewest and the most threads that were used; zeros are none.
type threadRange struct{ fewest, most int }

func (r threadRange) and(s threadRange) threadRange {
	if r.most == 0 || s.most == 0 {
		return threadRange{r.fewest + s.fewest, r.most + s.most}
	}
	return threadRange{min(r.fewest, s.fewest), max(r.most, s.most)}
}

// A speed is the rows that were computed in some seconds.
type speed struct{ rows, seconds float64 }

// perSecond is 0 if nothing was computed yet.
func (s speed) perSecond() float64 { return s.rows / max(s.seconds, 1e-9) }

const (
	// A block is longer than the few milliseconds for which another thread gets a processor.
	blockTime = 8 * time.Millisecond
	// A speed is the mean of about so many blocks, the latest of which count most: of a time in which
	// a process that has a quota computes and waits.
	blocksOfSpeed = 8
	longestGap    = 64                   // blocks
	firstTries    = 5 * time.Millisecond // what tries may cost beside their share of the time
)

var clockStart = time.Now()

func (p *pace) clock() time.Duration {
	if p.now != nil {
		return p.now()
	}
	return time.Since(clockStart)
}

// begin begins a round, and returns how many threads it shall use.
func (p *pace) begin() int {
	most := maxThreads()
	computing := min(most, p.loops)
	if p.loops > 1 {
		most = 1
	}
	if most != p.most {
		last := bits.Len(uint(most - 1))
		*p = pace{now: p.now, loops: p.loops, used: p.used,
			most: most, speeds: make([]speed, last+1), best: last, inUse: last, aside: -1, gap: 1}
	}
	threads := min(1<<p.inUse, most)
	computing = max(computing, threads)
	p.used = p.used.and(threadRange{computing, computing})
	p.began = p.clock()
	return threads
}

// end ends a round of so many rows. At the end of a block it chooses the number for the next.
func (p *pace) end(rows int) {
	took := p.clock() - p.began
	if p.total += took; p.total == took { // the first round is slower: it allocates
		return
	}
	p.block.rows += float64(rows)
	p.block.seconds += took.Seconds()
	if len(p.speeds) == 1 || p.block.seconds < blockTime.Seconds() {
		return
	}
	block, before, wasTry := p.block, p.best, p.inUse != p.best
	p.block = speed{}
	s := &p.speeds[p.inUse]
	s.rows += block.rows - s.rows/blocksOfSpeed
	s.seconds += block.seconds - s.seconds/blocksOfSpeed
	for i := range p.speeds {
		if p.speeds[i].perSecond() > p.speeds[p.best].perSecond() {
			p.best = i
		}
	}
	p.wait--
	switch {
	case p.best != before:
		p.gap, p.wait = 1, 1
	case wasTry:
		p.lost += time.Duration(1e9 * max(0, block.seconds-block.rows/p.speeds[p.best].perSecond()))
		p.gap = min(2*p.gap, longestGap)
		p.wait = p.gap
	}
	p.inUse = p.best
	if p.wait <= 0 {
		p.try(took)
	}
}

// try uses another number in the next block, if it may cost so much. A round took so long.
func (p *pace) try(round time.Duration) {
	i := p.best + p.aside
	if i < 0 || i >= len(p.speeds) {
		p.aside = -p.aside
		i = p.best + p.aside
	}
	share := 0.5 // of the speed of best, if i was not tried
	if known := p.speeds[i].perSecond(); known > 0 {
		share = known / p.speeds[p.best].perSecond()
	}
	cost := time.Duration(float64(max(blockTime, round)) * (1 - share))
	if p.lost+cost <= firstTries+p.total/100 {
		p.inUse, p.aside = i, -p.aside
	}
}
