//go:build ignore

// Growth times products of every size from 1 to 300 on one thread. It prints a line
// of comma-separated values for each product: what grows, the other dimensions, the
// size, m, k, n, the nanoseconds of the fastest call, and GFLOP/s. On standard error
// it says how many products took longer than a larger product that contains them.
//
//	go run testdata/perf/growth.go > growth.csv
//
// With -chart it draws the products as well, and with -limit the processor's own
// limit, which peak.c prints:
//
//	go run testdata/perf/growth.go -limit 58.7 -chart growth.svg > growth.csv
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"runtime"
	"time"

	"mlp"
)

const (
	sizes  = 300
	rounds = 25
	least  = 30e3 // nanoseconds of one measurement
)

// A line of the chart: the dimensions in grows grow, and the others stay at rest.
type line struct {
	grows string // "m", "k", "n" or "mkn"
	rest  int
}

func lines() (all []line) {
	for _, grows := range []string{"m", "k", "n"} {
		for _, rest := range []int{10, 64, 300} {
			all = append(all, line{grows, rest})
		}
	}
	return append(all, line{"mkn", 0})
}

func (l line) shape(size int) (m, k, n int) {
	shape := [3]int{l.rest, l.rest, l.rest}
	for i, name := range "mkn" {
		for _, g := range l.grows {
			if g == name {
				shape[i] = size
			}
		}
	}
	return shape[0], shape[1], shape[2]
}

func main() {
	limit := flag.Float64("limit", 0, "the processor's limit in GFLOP/s, to draw a line at")
	chart := flag.String("chart", "", "the `file` to draw the chart to")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	best := measure()
	if err := write(best); err != nil {
		log.Fatal(err)
	}
	report(best)
	if *chart != "" {
		if err := os.WriteFile(*chart, figure(best, *limit).SVG(), 0o666); err != nil {
			log.Fatal(err)
		}
	}
}

// gflops returns the speed of a product of that size which took so many nanoseconds.
func (l line) gflops(size int, ns float64) float64 {
	m, k, n := l.shape(size)
	return 2 * float64(m*k*n) / ns
}

// write prints all products to standard output.
func write(best map[line][]float64) error {
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "grows,rest,size,m,k,n,ns,gflops")
	for _, l := range lines() {
		for size := 1; size <= sizes; size++ {
			m, k, n := l.shape(size)
			ns := best[l][size]
			fmt.Fprintf(out, "%s,%d,%d,%d,%d,%d,%.0f,%.2f\n", l.grows, l.rest, size, m, k, n, ns, l.gflops(size, ns))
		}
	}
	return out.Flush()
}

// measure returns the nanoseconds of the fastest call of each product. It measures
// all products many times over, so that a disturbance of the machine does not fall on
// one product alone.
func measure() map[line][]float64 {
	best := map[line][]float64{}
	x, y, z := matrix(1), matrix(2), matrix(3)
	for i := range sizes * sizes {
		x.Data[i], y.Data[i] = math.Sin(float64(i)), math.Cos(float64(i))
	}
	for _, l := range lines() {
		best[l] = make([]float64, sizes+1)
		for i := range best[l] {
			best[l][i] = math.Inf(1)
		}
	}
	for range rounds {
		for _, l := range lines() {
			for size := 1; size <= sizes; size++ {
				m, k, n := l.shape(size)
				best[l][size] = min(best[l][size], call(z, x.Reset(m, k), y.Reset(k, n), best[l][size]))
			}
		}
	}
	return best
}

// matrix returns storage for matrix i of three. Each begins at another place in its
// page, because a load waits for an earlier store to the same place in another page.
// None begins near the end of its page, because stores across the end are slow.
func matrix(i int) *mlp.Matrix {
	return &mlp.Matrix{Data: make([]float64, sizes*sizes+512)[i*40:]}
}

// call returns the nanoseconds of z.Mul(x, y). From guess, about as many, it chooses
// how many calls to time together.
func call(z, x, y *mlp.Matrix, guess float64) float64 {
	z.Mul(x, y)
	calls := 1 + int(least/min(guess, least))
	start := time.Now()
	for range calls {
		z.Mul(x, y)
	}
	return float64(time.Since(start).Nanoseconds()) / float64(calls)
}

// report prints how many products took at least a twentieth longer than a larger one.
func report(best map[line][]float64) {
	for _, l := range lines() {
		slower, worst, at := 0, 1.0, 0
		least := math.Inf(1)
		for size := sizes; size > 0; size-- {
			ns := best[l][size]
			if ns > 1.05*least {
				slower++
			}
			if ns/least > worst {
				worst, at = ns/least, size
			}
			least = min(least, ns)
		}
		fmt.Fprintf(os.Stderr, "%s grows, the rest is %d: %d of %d products took 5 %% longer than a larger one; the worst took %.2f times as long, at size %d\n",
			l.grows, l.rest, slower, sizes, worst, at)
	}
}

// figure draws a chart for each dimension that grows.
func figure(best map[line][]float64, limit float64) *mlp.Figure {
	f := &mlp.Figure{
		Title:   "GFLOP/s of a product by its size, one thread",
		Caption: "m×k by k×n in float64. One dimension grows from 1 to 300 while the other two are 10, 64 or 300; in the last chart all three grow. The limit is what the processor can do from its registers.",
		SameY:   true,
	}
	titles := map[string]string{"m": "m grows", "k": "k grows", "n": "n grows", "mkn": "m = k = n grow"}
	for _, l := range lines() {
		s := mlp.Series{Name: fmt.Sprintf("the others are %d", l.rest)}
		if l.rest == 0 {
			s.Name = "all grow"
		}
		for size := 1; size <= sizes; size++ {
			s.X, s.Y = append(s.X, float64(size)), append(s.Y, l.gflops(size, best[l][size]))
		}
		if last := len(f.Charts) - 1; last < 0 || f.Charts[last].Title != titles[l.grows] {
			c := mlp.Chart{Title: titles[l.grows], XLabel: l.grows, YLabel: "GFLOP/s"}
			if l.rest == 0 {
				c.XLabel = "m, k and n"
			}
			if limit > 0 {
				c.Guides = []mlp.Guide{{Label: "limit", Y: limit}}
			}
			f.Charts = append(f.Charts, c)
		}
		c := &f.Charts[len(f.Charts)-1]
		c.Series = append(c.Series, s)
	}
	return f
}
