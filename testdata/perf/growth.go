//go:build ignore

// Growth times products of every size from 1 to 300, on one thread, and writes
// a line for each: what grows, the other dimensions, the size, m, k, n, the
// nanoseconds of the fastest call and GFLOP/s. It says on standard error which
// product took longer than a larger one that contains it.
//
//	go run testdata/perf/growth.go > testdata/perf/growth.csv
//
// With the name of such a file it says the same of it, and draws it with the
// processor's own limit:
//
//	go run testdata/perf/growth.go -limit 58.7 testdata/perf/growth.csv > testdata/svg/growth.svg
package main

import (
	"bufio"
	"encoding/csv"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"runtime"
	"strconv"
	"time"

	"mlp"
)

const (
	sizes  = 300
	rounds = 25
	least  = 30e3 // nanoseconds of one measurement
)

// A line of the chart: m, k, n or all of them grow, the rest stay as they are.
type line struct {
	grows string
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
	limit := flag.Float64("limit", 0, "GFLOP/s to draw a line at")
	flag.Parse()
	if flag.NArg() == 1 {
		draw(flag.Arg(0), *limit)
		return
	}
	runtime.GOMAXPROCS(1)
	best := measure()
	out := bufio.NewWriter(os.Stdout)
	fmt.Fprintln(out, "grows,rest,size,m,k,n,ns,gflops")
	for _, l := range lines() {
		for size := 1; size <= sizes; size++ {
			m, k, n := l.shape(size)
			ns := best[l][size]
			fmt.Fprintf(out, "%s,%d,%d,%d,%d,%d,%.0f,%.2f\n", l.grows, l.rest, size, m, k, n, ns, 2*float64(m*k*n)/ns)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
	report(best)
}

// measure returns the nanoseconds of the fastest call of each product. It goes
// through all of them again and again, so that what disturbs the machine for a
// while does not fall on one of them.
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

// matrix returns room for a matrix that begins elsewhere in its page than the
// others: else a load waits for a store to the same place in another page. And
// not at the end of its page, which a store takes long to cross.
func matrix(i int) *mlp.Matrix {
	return &mlp.Matrix{Data: make([]float64, sizes*sizes+512)[i*40:]}
}

// call returns the nanoseconds of z.Mul(x, y), which are about guess.
func call(z, x, y *mlp.Matrix, guess float64) float64 {
	z.Mul(x, y)
	calls := 1 + int(least/min(guess, least))
	start := time.Now()
	for range calls {
		z.Mul(x, y)
	}
	return float64(time.Since(start).Nanoseconds()) / float64(calls)
}

// report prints the products that took a twentieth longer than a larger one.
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
		fmt.Fprintf(os.Stderr, "%s grows, the rest is %d: %d of %d slower by a twentieth than a larger one, the worst %.2f times at %d\n",
			l.grows, l.rest, slower, sizes, worst, at)
	}
}

func draw(file string, limit float64) {
	f, err := os.Open(file)
	if err != nil {
		log.Fatal(err)
	}
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		log.Fatal(err)
	}
	figure := mlp.Figure{
		Title:   "GFLOP/s of a product by its size, one thread",
		Caption: "m×k by k×n in float64. One dimension grows from 1 to 300 while the other two are 10, 64 or 300; in the last chart all three grow. The limit is what the processor can do from its registers.",
		Columns: 2, SameY: true,
	}
	best := map[line][]float64{}
	titles := map[string]string{"m": "m grows", "k": "k grows", "n": "n grows", "mkn": "m = k = n grow"}
	for _, l := range lines() {
		best[l] = []float64{0}
		s := mlp.Series{Name: fmt.Sprintf("the others are %d", l.rest)}
		if l.rest == 0 {
			s.Name = "all grow"
		}
		for _, row := range rows {
			if row[0] == l.grows && row[1] == strconv.Itoa(l.rest) {
				best[l] = append(best[l], number(row[6]))
				s.X, s.Y = append(s.X, number(row[2])), append(s.Y, number(row[7]))
			}
		}
		if last := len(figure.Charts) - 1; last < 0 || figure.Charts[last].Title != titles[l.grows] {
			c := mlp.Chart{Title: titles[l.grows], XLabel: l.grows, YLabel: "GFLOP/s"}
			if l.rest == 0 {
				c.XLabel = "m, k and n"
			}
			if limit > 0 {
				c.Guides = []mlp.Guide{{Label: "limit", Y: limit}}
			}
			figure.Charts = append(figure.Charts, c)
		}
		c := &figure.Charts[len(figure.Charts)-1]
		c.Series = append(c.Series, s)
	}
	if _, err := os.Stdout.Write(figure.SVG()); err != nil {
		log.Fatal(err)
	}
	report(best)
}

func number(s string) float64 {
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		log.Fatal(err)
	}
	return v
}
