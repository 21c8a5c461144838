package mlp

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"
)

// settled waits until no more goroutines run than before.
func settled(t *testing.T, before int) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
	}
}

// withThreads has n threads compute, whatever processors there are, until the function
// that it returns is called.
func withThreads(n int) (restore func()) {
	procs, cores := runtime.GOMAXPROCS(n), processors
	processors = func() int { return n }
	return func() {
		runtime.GOMAXPROCS(procs)
		processors = cores
	}
}

// trainTogether starts n trainings side by side. Each must give the weights of one that runs alone.
func trainTogether(t *testing.T, wg *sync.WaitGroup, n int) {
	train := func() string {
		net := NewNetwork(1, He, ReLU, 4, 200, 100, 2)
		if _, err := Train(context.Background(), net, blobs(100), Config{Rate: 0.1, Epochs: 3, Batch: 33}); err != nil {
			t.Error(err)
		}
		return net.Fingerprint()
	}
	alone := train()
	for range n {
		wg.Go(func() {
			if got := train(); got != alone {
				t.Errorf("weights %s, trained alone %s", got, alone)
			}
		})
	}
}

// Networks train side by side, and no goroutine is left behind.
func TestTrainSideBySide(t *testing.T) {
	before := runtime.NumGoroutine()
	var wg sync.WaitGroup
	trainTogether(t, &wg, 4)
	wg.Wait()
	settled(t, before)
}

// Twenty goroutines predict with one network, of inputs they share, while two
// others train networks of their own: every number is what it is alone.
func TestPredictTogether(t *testing.T) {
	defer withThreads(4)()
	before := runtime.NumGoroutine()
	net := NewNetwork(1, He, Tanh, 40, 300, 200, 5)
	net[0].Norm = NewBatchNorm(300)
	weights := net.Fingerprint()
	var inputs, want []*Matrix
	for _, rows := range []int{1, 7, 64, 300, 1024} {
		x := fill(NewMatrix(rows, 40), newRand())
		inputs = append(inputs, x)
		want = append(want, net.Predict(new(Matrix), x))
	}
	const predictors, rounds = 20, 10
	var wg sync.WaitGroup
	trainTogether(t, &wg, 2)
	for g := range predictors {
		wg.Go(func() {
			var y Matrix
			for i := range rounds {
				k := (g + i) % len(inputs)
				if net.Predict(&y, inputs[k]); !slices.Equal(y.Data, want[k].Data) {
					t.Errorf("goroutine %d, round %d: %d rows come out otherwise than alone", g, i, y.Rows)
					return
				}
			}
		})
	}
	wg.Wait()
	if net.Fingerprint() != weights {
		t.Error("a prediction changed the weights")
	}
	settled(t, before)
}

// Each thread does as many passes of a prediction as any other.
func TestPassesAreEven(t *testing.T) {
	for _, rows := range []int{5000, 10000, 60000} {
		for threads := 1; threads <= 64; threads++ {
			n := passes(rows, threads)
			most := ceil(n, threads) * ceil(rows, n)
			if share := float64(rows) / float64(threads); float64(most) > 1.1*share || ceil(rows, n) > maxPassRows {
				t.Errorf("%d rows on %d threads: %d passes, the busiest thread does %.2f of its share", rows, threads, n, float64(most)/share)
			}
		}
	}
}

// An activation that changes GOMAXPROCS, as a container's limit may on the way: each
// row is predicted all the same.
func TestPredictWhileProcessorsChange(t *testing.T) {
	defer withThreads(7)()
	var once *sync.Once
	act := &Activation{"odd", func([]float64) { once.Do(func() { runtime.GOMAXPROCS(2) }) }, func(_, _ []float64) {}}
	net := NewNetwork(1, He, act, 40, 30, 5)
	x, want := fill(NewMatrix(250, 40), newRand()), (*Matrix)(nil)
	for range 20 {
		once = new(sync.Once)
		runtime.GOMAXPROCS(7)
		y := net.Predict(new(Matrix), x)
		if want == nil {
			want = net.Predict(new(Matrix), x)
		}
		if !slices.Equal(y.Data, want.Data) {
			t.Fatal("the outputs are others")
		}
	}
}

// A training that is cancelled in any of its steps leaves no goroutine, and a network
// that can be trained again.
func TestCancelLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	for stop := range 12 { // an epoch has four batches
		ctx, cancel := context.WithCancel(context.Background())
		steps := 0
		config := Config{Rate: 0.1, Epochs: 10, Batch: 25, Loss: func(dy, y, want *Matrix) float64 {
			if y.Rows == 25 { // an evaluation has 100 rows
				if steps++; steps == stop+1 {
					cancel()
				}
			}
			return SoftmaxCrossEntropy(dy, y, want)
		}}
		net := NewNetwork(1, He, ReLU, 4, 200, 100, 2)
		if h, err := Train(ctx, net, blobs(100), config); !errors.Is(err, context.Canceled) || steps != stop+1 || len(h) != (stop+1)/4 {
			t.Errorf("cancelled in step %d: %d steps, %d epochs, error %v", stop+1, steps, len(h), err)
		}
		if _, err := Train(context.Background(), net, blobs(100), Config{Rate: 0.1, Epochs: 1, Batch: 33}); err != nil {
			t.Errorf("trained again: %v", err)
		}
		cancel()
	}
	settled(t, before)
}

// slow is a task of a hundred parts. It panics in the first part, which the caller
// takes, once a worker has begun with the last, or else in the last part.
type slow struct {
	atLast      bool
	quiet       bool // does not panic
	begun, done atomic.Int64
}

func (s *slow) part(i int) {
	for i == 0 && s.begun.Load() == 0 {
		runtime.Gosched()
	}
	if i == 99 {
		s.begun.Add(1)
	}
	if !s.quiet && (i == 0 && !s.atLast || i == 99 && s.atLast) {
		panic(s)
	}
	time.Sleep(time.Millisecond)
	s.done.Add(1)
}

// leaving is a task whose last part, which a worker takes, ends its goroutine.
type leaving struct{ slow }

func (l *leaving) part(i int) {
	l.slow.part(i)
	if i == 99 {
		runtime.Goexit()
	}
}

func TestParallelForAfterGoexit(t *testing.T) {
	defer withThreads(4)()
	l := new(leaving)
	l.quiet = true
	pool.alone.Store(0) // another test may have left it
	if got := panicOf(func() { parallelFor(maxThreads(), 100, l) }); got != "mlp: a part of shared work called runtime.Goexit" {
		t.Errorf("panic %q", got)
	}
	new(counter).check(t)
}

// A counter counts how often each part is done.
type counter [50]atomic.Int64

func (e *counter) part(i int) { e[i].Add(1) }

// check shares 50 parts and fails unless each is done once.
func (c *counter) check(t *testing.T) {
	t.Helper()
	parallelFor(maxThreads(), len(c), c)
	for i := range c {
		if n := c[i].Load(); n != 1 {
			t.Fatalf("part %d was done %d times", i, n)
		}
	}
}

// A task that panics is over when the caller recovers, whoever it was that panicked,
// and the next one is shared as ever. The caller recovers what the part panicked with.
func TestParallelForAfterPanic(t *testing.T) {
	defer withThreads(4)()
	pool.alone.Store(0) // another test may have left it
	for round := range 40 {
		s := &slow{atLast: round%2 == 1}
		func() {
			defer func() {
				if r := recover(); r != s {
					t.Fatalf("round %d: the caller recovers %v", round, r)
				}
			}()
			parallelFor(maxThreads(), 100, s)
		}()
		done := s.done.Load()
		new(counter).check(t)
		if s.done.Load() != done || done > 50 {
			t.Fatalf("%d parts of 100 were done, %d after the panic", s.done.Load(), s.done.Load()-done)
		}
	}
}

// A user's activation that panics, sometimes in the calling goroutine and sometimes in a
// worker, always does so with its own value.
func TestActivationPanics(t *testing.T) {
	defer withThreads(2)()
	pool.alone.Store(0)
	var calls atomic.Int64
	var worker bool
	caller, inWorker := goroutine(), 0
	net := NewNetwork(1, He, &Activation{"odd", func([]float64) {
		if calls.Add(1) == 100 {
			worker = goroutine() != caller
			panic(fs.ErrClosed)
		}
	}, func(_, _ []float64) {}}, 100, 200, 2)
	x := NewMatrix(100, 100)
	for range 100 {
		calls.Store(0)
		func() {
			defer func() {
				if r := recover(); r != fs.ErrClosed {
					t.Errorf("in a worker %v: the caller recovers %v", worker, r)
				}
			}()
			net.Forward(x)
		}()
		if worker {
			inWorker++
		}
	}
	t.Logf("%d of 100 in a worker", inWorker)
}

// goroutine returns the number of the goroutine that calls it.
func goroutine() string { return strings.Fields(string(debug.Stack()))[1] }

// A program that nobody saves ends with the stack of the worker that panicked.
func TestWorkerStack(t *testing.T) {
	if os.Getenv("MLP_PANIC") != "" {
		defer withThreads(4)()
		parallelFor(maxThreads(), 100, &slow{atLast: true})
	}
	c := exec.Command(os.Args[0], "-test.run", "^TestWorkerStack$")
	c.Env = append(os.Environ(), "MLP_PANIC=1")
	out, err := c.CombinedOutput()
	worker := strings.Index(string(out), "(*slow).part")
	if caller := strings.LastIndex(string(out), "parallelFor"); err == nil || worker < 0 || caller < worker {
		t.Errorf("%v\n%s", err, out)
	}
}

// Two goroutines that share work at the same time do without workers afterwards, for a
// while.
func TestAloneAfterMeeting(t *testing.T) {
	defer withThreads(2)()
	defer pool.alone.Store(0)
	pool.alone.Store(0)
	pool.Lock() // as if another caller were being served
	parallelFor(maxThreads(), 2, new(counter))
	pool.Unlock()
	for range aloneAfterContention {
		if claimWorkers() {
			t.Fatal("the workers are claimed a moment after two callers have met")
		}
	}
	if !claimWorkers() {
		t.Fatal("the workers are never claimed again")
	}
	releaseWorkers()
}

// Callers that count at the same moment do not count below zero, which would end all
// workers.
func TestCountAlone(t *testing.T) {
	defer pool.alone.Store(0)
	for range 2000 {
		pool.alone.Store(1)
		var both sync.WaitGroup
		for range 2 {
			both.Go(func() { countAlone() })
		}
		both.Wait()
		if n := pool.alone.Load(); n != 0 {
			t.Fatalf("%d calls are left", n)
		}
	}
}

// What a prediction with a wide network took is given back.
func TestMemoryReturns(t *testing.T) {
	heap := func() uint64 {
		var m runtime.MemStats
		for range 3 { // a sync.Pool keeps what it has for one more collection
			runtime.GC()
		}
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	x := NewMatrix(128, 4)
	before := heap()
	NewNetwork(1, He, ReLU, 4, 20000, 4).Predict(new(Matrix), x)
	if after := heap(); after > before+1<<20 {
		t.Errorf("%d bytes are kept", after-before)
	}
}

// A pacedLoop is a loop whose rounds take what a simulation says, by a clock of its own.
type pacedLoop struct {
	pace
	time time.Duration
}

// A simulation says how long the round takes that begins at a time, on so many threads.
type simulation func(at time.Duration, threads int) time.Duration

// run returns how many rounds are begun before a time.
func (l *pacedLoop) run(until time.Duration, round simulation) (rounds int) {
	l.now = func() time.Duration { return l.time }
	for ; l.time < until; rounds++ {
		threads := l.begin()
		l.time += round(l.time, threads)
		l.end(1)
	}
	return rounds
}

// bestFixed returns the most rounds that are begun before a time with a fixed number of threads, and the number.
func bestFixed(until time.Duration, round func() simulation) (rounds, threads int) {
	for fixed := 1; ; fixed = min(2*fixed, maxThreads()) {
		n, next := 0, round()
		for at := time.Duration(0); at < until; n++ {
			at += next(at, fixed)
		}
		if n > rounds {
			rounds, threads = n, fixed
		}
		if fixed == maxThreads() {
			return rounds, threads
		}
	}
}

const us, ms = time.Microsecond, time.Millisecond

// twoThreads is rounds that take so long on one and on two threads.
func twoThreads(one, two time.Duration) func() simulation {
	return func() simulation {
		return func(_ time.Duration, threads int) time.Duration { return []time.Duration{one, two}[threads-1] }
	}
}

// beside is rounds beside another process, from one time to another. Every six milliseconds the worker waits
// for three, because the other process has its processor.
func beside(from, to time.Duration, round func() simulation) func() simulation {
	return func() simulation {
		next := round()
		return func(at time.Duration, threads int) time.Duration {
			took := next(at, threads)
			if threads > 1 && from <= at && at < to && at/(6*ms) != (at+took)/(6*ms) {
				took += 3 * ms
			}
			return took
		}
	}
}

// underQuota is rounds of a process that may use a tenth of a second of processor time in each tenth of a
// second, as a container may whose limit is one processor.
func underQuota(round func() simulation) func() simulation {
	return func() simulation {
		next, left, period := round(), 100*ms, time.Duration(0)
		return func(at time.Duration, threads int) time.Duration {
			if p := at / (100 * ms); p != period {
				left, period = 100*ms, p
			}
			took := next(at, threads)
			if left -= took * time.Duration(threads); left < 0 {
				took = (period+1)*100*ms - at
			}
			return took
		}
	}
}

// manyThreads is steps of a network: its products by the model of product.cut, at 60 GFLOP/s for each thread, and
// two microseconds for each product that threads share.
func manyThreads(batch int, sizes ...int) func() simulation {
	times := map[int]time.Duration{}
	return func() simulation {
		return func(_ time.Duration, threads int) time.Duration {
			if took, ok := times[threads]; ok {
				return took
			}
			seconds := 0.0
			product := func(m, k, n int) {
				p := product{m: m, k: k, n: n}
				p.cut(threads)
				rows, cols := ceil(m*p.strips, p.parts), ceil(n, p.strips)
				if p.parts > 1 {
					rows, cols, seconds = rows+extraRows, cols+extraCols, seconds+2e-6
				}
				seconds += float64(ceil(p.parts, threads)) * float64(rows*cols*k) / 30e9
			}
			for i := range len(sizes) - 1 {
				in, out := sizes[i], sizes[i+1]
				product(batch, in, out)
				product(in, batch, out)
				if i > 0 {
					product(batch, out, in)
				}
			}
			times[threads] = time.Duration(1e9 * seconds)
			return times[threads]
		}
	}
}

// A pace is nearly as fast as the best fixed number of threads, whatever the processors do meanwhile, and
// faster than any if that changes.
func TestPace(t *testing.T) {
	alone := twoThreads(1400*us, 800*us)
	for _, c := range []struct {
		what    string
		threads int
		until   time.Duration
		round   func() simulation
		share   float64 // of the rounds with the best fixed number
	}{
		{"alone", 2, 1500 * ms, alone, 0.98},
		{"caches far apart", 2, 1500 * ms, twoThreads(1400*us, 1800*us), 0.98},
		{"no difference", 2, 1500 * ms, twoThreads(1400*us, 1400*us), 0.99},
		{"rounds of seconds", 2, 60000 * ms, twoThreads(1400*ms, 750*ms), 0.98},
		{"beside a process", 2, 1500 * ms, beside(0, time.Hour, alone), 0.98},
		{"beside a process at first", 2, 1500 * ms, beside(0, 300*ms, alone), 0.98},
		{"beside a process for a while", 2, 4000 * ms, beside(1000*ms, 3000*ms, alone), 1.02},
		{"a quota of one processor", 2, 1500 * ms, underQuota(alone), 0.97},
		{"a quota, longer", 2, 30000 * ms, underQuota(alone), 0.97},
		{"784-32-10", 64, 1500 * ms, manyThreads(32, 784, 32, 10), 0.98},
		{"784-256-128-10", 64, 1500 * ms, manyThreads(64, 784, 256, 128, 10), 0.98},
		{"784-256-128-10 on six", 6, 1500 * ms, manyThreads(64, 784, 256, 128, 10), 0.98},
		{"784-2048-2048-10", 64, 3000 * ms, manyThreads(128, 784, 2048, 2048, 10), 0.98},
		{"4096-4096", 64, 60000 * ms, manyThreads(4096, 4096, 4096), 0.98},
	} {
		t.Run(c.what, func(t *testing.T) {
			defer withThreads(c.threads)()
			l := new(pacedLoop)
			got := l.run(c.until, c.round())
			want, threads := bestFixed(c.until, c.round)
			if share := float64(got) / float64(want); share < c.share || l.used.most > c.threads {
				t.Errorf("%.3f of the rounds on %d threads, want %.2f; it used %v", share, threads, c.share, l.used)
			} else {
				t.Logf("%.3f of the rounds on %d threads; it used %v, best %d", share, threads, l.used, 1<<l.best)
			}
		})
	}
}

func TestQuota(t *testing.T) {
	const none = math.MaxInt32
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, c := range []struct {
		what string
		root fstest.MapFS
		want int
	}{
		{"no control groups", fstest.MapFS{}, none},
		{"one processor", fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/cpu.max": file("100000 100000\n")}, 1},
		{"rounded up", fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/cpu.max": file("150000 100000\n")}, 2},
		{"no limit", fstest.MapFS{"proc/self/cgroup": file("0::/a\n"), "sys/fs/cgroup/a/cpu.max": file("max 100000\n")}, none},
		{"the group around it", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/cpu.max": file("max 100000\n"),
			"sys/fs/cgroup/a/cpu.max": file("300000 100000\n")}, 3},
		{"version 1", fstest.MapFS{"proc/self/cgroup": file("5:memory:/m\n4:cpu,cpuacct:/d/e\n"),
			"sys/fs/cgroup/cpu,cpuacct/d/e/cpu.cfs_quota_us": file("200000\n"), "sys/fs/cgroup/cpu,cpuacct/d/e/cpu.cfs_period_us": file("100000\n"),
			"sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": file("-1\n"), "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": file("100000\n")}, 2},
		{"nonsense", fstest.MapFS{"proc/self/cgroup": file("cpu\n0::../../x\n:::"), "sys/fs/cgroup/cpu.max": file("1e300 1e-300 7\n")}, none},
	} {
		if got := quota(c.root); got != c.want {
			t.Errorf("%s: %d processors, want %d", c.what, got, c.want)
		}
	}
}
