// -check: two tests of the gradient that know nothing of how it is computed.

package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"mlp"
)

// A checker holds the gradient of a loss on one batch against what it must be.
type checker struct {
	net  mlp.Network
	x, y *mlp.Matrix
	loss mlp.Loss
	w    io.Writer
}

// check is -check: the gradient of the first batch, before training. It leaves
// the network as it was.
func (j *job) check(w io.Writer) error {
	var x, y mlp.Matrix
	index := make([]int, min(j.batch, j.train.Len()))
	for i := range index {
		index[i] = i
	}
	j.train.Batch(&x, &y, index)
	c := &checker{j.Net, &x, &y, mlp.SoftmaxCrossEntropy, w}
	var averages []mlp.Matrix // Backward moves them
	for _, l := range j.Net {
		if l.Norm != nil {
			averages = append(averages, *mlp.NewMatrix(1, l.W.Cols, l.Norm.Mean.Data...), *mlp.NewMatrix(1, l.W.Cols, l.Norm.Var.Data...))
		}
	}
	var dy mlp.Matrix
	c.loss(&dy, j.Net.Forward(&x), &y)
	j.Net.Backward(&dy)
	for _, l := range j.Net {
		if l.Norm != nil {
			l.Norm.Mean, l.Norm.Var, averages = averages[0], averages[1], averages[2:]
		}
	}
	if err := c.balance(); err != nil {
		return fmt.Errorf("-check: %w", err)
	}
	if err := c.differences(j.seed); err != nil {
		return fmt.Errorf("-check: %w", err)
	}
	return nil
}

// balance holds the gradients in the layers against one another. A ReLU layer
// gives λa where its weights and bias are multiplied by λ > 0, which the next
// layer's weights could have done as well. So for any loss and any batch
//
//	⟨W[l+1], ∇W[l+1]⟩ = ⟨W[l], ∇W[l]⟩ + ⟨b[l], ∇b[l]⟩
//
// where nothing normalises layer l. (Du, Hu & Lee 2018, theorem 2.1, is what
// follows from it for gradient descent in the limit of small steps.)
func (c *checker) balance() error {
	found := false
	for i, l := range c.net[:len(c.net)-1] {
		if l.Act != mlp.ReLU || l.Norm != nil {
			continue
		}
		found = true
		next := c.net[i+1]
		above, size := dot(&next.W, &next.DW)
		weights, size1 := dot(&l.W, &l.DW)
		bias, size2 := dot(&l.B, &l.DB)
		below := weights + bias
		off := math.Abs(above-below) / max(size+size1+size2, math.SmallestNonzeroFloat64)
		fmt.Fprintf(c.w, "check: layer %d, ⟨W,∇W⟩ + ⟨b,∇b⟩ = %.6g; layer %d, ⟨W,∇W⟩ = %.6g; off by %.1e of their terms\n", i+1, below, i+2, above, off)
		if !(off <= 1e-12) {
			return fmt.Errorf("the gradients of layers %d and %d do not balance: %g and %g", i+1, i+2, below, above)
		}
	}
	if !found {
		fmt.Fprintln(c.w, "check: no ReLU layer without normalisation: nothing to balance")
	}
	return nil
}

// dot returns Σ w·g, and Σ |w·g|, to which rounding is relative.
func dot(w, g *mlp.Matrix) (sum, size float64) {
	for i, v := range w.Data {
		sum = math.FMA(v, g.Data[i], sum)
		size += math.Abs(v * g.Data[i])
	}
	return sum, size
}

// differences holds 32 elements of each gradient against the central
// difference of the loss.
func (c *checker) differences(seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	worst, n, small := 0.0, 0, 0
	for i, l := range c.net {
		arrays := map[string][2]*mlp.Matrix{"W": {&l.W, &l.DW}, "b": {&l.B, &l.DB}}
		if l.Norm != nil {
			arrays["gain"] = [2]*mlp.Matrix{&l.Norm.Gain, &l.Norm.DGain}
		}
		for _, name := range []string{"W", "b", "gain"} {
			array, ok := arrays[name]
			if !ok {
				continue
			}
			for range 32 {
				at := rng.IntN(len(array[0].Data))
				off, told, err := c.difference(array[0], array[1], at)
				if err != nil {
					return fmt.Errorf("layer %d, %s, element %d: %w", i+1, name, at, err)
				}
				worst, n = max(worst, off), n+1
				if !told {
					small++
				}
			}
		}
	}
	fmt.Fprintf(c.w, "check: %d derivatives agree with central differences, to %.1e of the largest in their layer", n, worst)
	if small > 0 {
		fmt.Fprintf(c.w, "; %d of them are too small to tell", small)
	}
	fmt.Fprintln(c.w)
	return nil
}

// difference returns by how much element at of the gradient g by w is off,
// relative to the largest of g, and whether that can be told from rounding.
// Where the loss has a kink, as ReLU makes them, any slope between those on its
// two sides is right.
func (c *checker) difference(w, g *mlp.Matrix, at int) (off float64, told bool, err error) {
	const h = 1e-5
	here, most := c.lossAt(w, at, 0), 0.0
	for _, v := range g.Data {
		most = max(most, math.Abs(v))
	}
	noise := 64 * 0x1p-52 * math.Abs(here) / h // of a difference of two losses
	tolerance := 1e-5*most + noise
	left, right := (here-c.lossAt(w, at, -h))/h, (c.lossAt(w, at, h)-here)/h
	got, central := g.Data[at], (left+right)/2
	off = math.Abs(got - central)
	switch kink := min(left, right)-tolerance <= got && got <= max(left, right)+tolerance; {
	case !(off <= tolerance) && !kink:
		return 0, true, fmt.Errorf("the gradient is %g, the difference of losses says %g", got, central)
	case off > tolerance || most <= noise:
		return 0, most > noise, nil
	}
	return off / most, true, nil
}

// lossAt returns the loss with element at of w moved by h.
func (c *checker) lossAt(w *mlp.Matrix, at int, h float64) float64 {
	old := w.Data[at]
	w.Data[at] = old + h
	loss := c.loss(nil, c.net.Forward(c.x), c.y)
	w.Data[at] = old
	return loss
}
