// -check: two tests of the gradient that know nothing of how it is computed.

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"mlp"
)

// A checker holds the gradient of a loss on one batch against what it must be.
type checker struct {
	ctx  context.Context
	net  mlp.Network
	x, y *mlp.Matrix
	loss mlp.Loss
	w    io.Writer
}

// check is -check: the gradient of the first images, a batch of them, before
// training. It checks a copy of the network, with biases drawn from N(0, 0.1²)
// added: where they are zero, they have no part in the balance, and a deep
// unit's z is so near ReLU's kink that no difference is small enough.
func (j *job) check(ctx context.Context, w io.Writer) error {
	var x, y mlp.Matrix
	index := make([]int, min(j.batch, j.train.Len()))
	for i := range index {
		index[i] = i
	}
	j.train.Batch(&x, &y, index)
	var file bytes.Buffer
	if err := (&mlp.Model{Net: j.Net}).Write(&file); err != nil {
		return err
	}
	m, err := mlp.ReadModel(bytes.NewReader(file.Bytes()), int64(file.Len()))
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(j.seed, 2))
	for _, l := range m.Net {
		for i := range l.B.Data {
			l.B.Data[i] += float64(0.1 * rng.NormFloat64())
		}
	}
	var dy mlp.Matrix
	mlp.SoftmaxCrossEntropy(&dy, m.Net.Forward(&x), &y)
	m.Net.Backward(&dy)
	c := &checker{ctx, m.Net, &x, &y, mlp.SoftmaxCrossEntropy, w}
	if err = c.balance(); err == nil {
		err = c.differences(j.seed)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("-check: %w", err)
	}
	return err
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
				if c.ctx.Err() != nil {
					return context.Cause(c.ctx)
				}
				at := rng.IntN(len(array[0].Data))
				off, told, err := c.difference(array[0], array[1], at)
				if err != nil {
					return fmt.Errorf("layer %d, %s, element %d: %w", i+1, name, at, err)
				}
				n++
				if told {
					worst = max(worst, off)
				} else {
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
// relative to the largest of g, and whether that can be told from the rounding
// of the losses. It is right if it agrees with the difference over one of three
// distances: over the longer ones rounding is less, on the shorter ones there
// are fewer of the kinks that ReLU makes. At a kink any slope between those on
// its two sides is right.
func (c *checker) difference(w, g *mlp.Matrix, at int) (off float64, told bool, err error) {
	got, here, most := g.Data[at], c.lossAt(w, at, 0), 0.0
	for _, v := range g.Data {
		most = max(most, math.Abs(v))
	}
	for _, h := range []float64{1e-5, 1e-6, 1e-7} {
		noise := 64 * 0x1p-52 * math.Abs(here) / h
		tolerance := 1e-5*most + noise
		left, right := (here-c.lossAt(w, at, -h))/h, (c.lossAt(w, at, h)-here)/h
		off = math.Abs(got - (left+right)/2)
		if off <= tolerance {
			return off / most, most > 100*noise, nil
		}
		if min(left, right)-tolerance <= got && got <= max(left, right)+tolerance {
			return 0, true, nil
		}
		err = fmt.Errorf("the gradient is %g, the difference of losses says %g", got, (left+right)/2)
	}
	return off, true, err
}

// lossAt returns the loss with element at of w moved by h.
func (c *checker) lossAt(w *mlp.Matrix, at int, h float64) float64 {
	old := w.Data[at]
	w.Data[at] = old + h
	loss := c.loss(nil, c.net.Forward(c.x), c.y)
	w.Data[at] = old
	return loss
}
