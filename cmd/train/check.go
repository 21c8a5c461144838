// -check: two tests of the gradient that do not depend on how it is computed.

package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"

	"mlp"
	"mlp/cmd/internal/cli"
)

// A gradientTest compares the gradient of a loss on one batch, which is in the
// network's layers, with what it must be.
type gradientTest struct {
	ctx  context.Context
	net  mlp.Network
	x, y *mlp.Matrix
	loss mlp.Loss
	w    io.Writer
}

// testGradient is -check: before training it tests the gradient of the first batch of
// images, taken in order. It tests a copy of the network and adds noise from N(0, 0.1²)
// to the copy's biases. If they were zero, the balance would not depend on them, and units
// far from the input would have a z so close to 0, where ReLU has no derivative, that no
// difference would be small enough.
func (j *job) testGradient(ctx context.Context, w io.Writer) error {
	x, y := cli.FirstBatch(j.train, min(j.Batch, j.train.Len()))
	net := j.Net.Clone()
	rng := rand.New(rand.NewPCG(j.Seed, 2))
	for _, l := range net {
		for i := range l.B.Data {
			l.B.Data[i] += float64(0.1 * rng.NormFloat64())
		}
	}
	var dy mlp.Matrix
	mlp.SoftmaxCrossEntropy(&dy, net.Forward(x), y)
	net.Backward(&dy)
	g := &gradientTest{ctx, net, x, y, mlp.SoftmaxCrossEntropy, w}
	err := g.balance()
	if err == nil {
		err = g.differences(j.Seed)
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("-check: %w", err)
	}
	return err
}

// balance compares the gradients of neighbouring layers. If the weights and the bias
// of a ReLU layer are multiplied by λ > 0, so are its activations, just as if the
// next layer's weights were multiplied by λ instead. So for any loss and any batch
//
//	⟨W[l+1], ∇W[l+1]⟩ = ⟨W[l], ∇W[l]⟩ + ⟨b[l], ∇b[l]⟩
//
// if layer l has no normalisation. (In the limit of small steps, theorem 2.1 of Du,
// Hu & Lee 2018 follows from it.)
func (g *gradientTest) balance() error {
	found := false
	for i, l := range g.net[:len(g.net)-1] {
		if l.Act != mlp.ReLU || l.Norm != nil {
			continue
		}
		found = true
		next := g.net[i+1]
		above, size := dot(&next.W, &next.DW)
		weights, size1 := dot(&l.W, &l.DW)
		bias, size2 := dot(&l.B, &l.DB)
		below := weights + bias
		off := math.Abs(above-below) / max(size+size1+size2, math.SmallestNonzeroFloat64)
		fmt.Fprintf(g.w, "check: layer %d, ⟨W,∇W⟩ + ⟨b,∇b⟩ = %.6g; layer %d, ⟨W,∇W⟩ = %.6g; off by %.1e of their terms\n", i+1, below, i+2, above, off)
		if !(off <= 1e-12) {
			return fmt.Errorf("the gradients of layers %d and %d do not balance: %g and %g", i+1, i+2, below, above)
		}
	}
	if !found {
		fmt.Fprintln(g.w, "check: no ReLU layer without normalisation: nothing to balance")
	}
	return nil
}

// dot returns Σ w·d, and Σ |w·d|, which its rounding error is relative to.
func dot(w, d *mlp.Matrix) (sum, size float64) {
	for i, v := range w.Data {
		sum = math.FMA(v, d.Data[i], sum)
		size += math.Abs(v * d.Data[i])
	}
	return sum, size
}

// An array is a layer's parameters of one kind and the gradient by them.
type array struct {
	name string
	w, d *mlp.Matrix
}

func arraysOf(l *mlp.Layer) []array {
	all := []array{{"W", &l.W, &l.DW}, {"b", &l.B, &l.DB}}
	if l.Norm != nil {
		all = append(all, array{"gain", &l.Norm.Gain, &l.Norm.DGain})
	}
	return all
}

// differences compares 32 elements of each gradient with the central difference of
// the loss.
func (g *gradientTest) differences(seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	worst, compared, small := 0.0, 0, 0
	for i, l := range g.net {
		for _, a := range arraysOf(l) {
			for range 32 {
				if g.ctx.Err() != nil {
					return context.Cause(g.ctx)
				}
				at := rng.IntN(len(a.w.Data))
				off, visible, err := g.difference(a.w, a.d, at)
				if err != nil {
					return fmt.Errorf("layer %d, %s, element %d: %w", i+1, a.name, at, err)
				}
				if visible {
					compared++
					worst = max(worst, off)
				} else {
					small++
				}
			}
		}
	}
	fmt.Fprintf(g.w, "check: %d derivatives agree with central differences, to %.1e of the largest in their layer", compared, worst)
	if small > 0 {
		fmt.Fprintf(g.w, "; %d more are too small to compare", small)
	}
	fmt.Fprintln(g.w)
	return nil
}

// difference compares element at of d, the gradient by w, with the difference of the
// losses on its two sides. If they disagree, it returns an error. If they agree, off is
// how far they are apart, relative to the largest element of d, and visible is whether
// that largest element is a hundred times what the rounding of the losses can make.
//
// It tries three distances, and the element is right if it agrees at one of them: at
// a longer distance rounding matters less, at a shorter one there are fewer of the
// kinks that ReLU makes. At a kink any slope between those of its two sides is right,
// and off is 0.
func (g *gradientTest) difference(w, d *mlp.Matrix, at int) (off float64, visible bool, err error) {
	got, here, most := d.Data[at], g.lossAt(w, at, 0), 0.0
	for _, v := range d.Data {
		most = max(most, math.Abs(v))
	}
	for _, h := range []float64{1e-5, 1e-6, 1e-7} {
		noise := 64 * 0x1p-52 * math.Abs(here) / h
		tolerance := 1e-5*most + noise
		left, right := (here-g.lossAt(w, at, -h))/h, (g.lossAt(w, at, h)-here)/h
		if off := math.Abs(got - (left+right)/2); off <= tolerance {
			return off / most, most > 100*noise, nil
		}
		if min(left, right)-tolerance <= got && got <= max(left, right)+tolerance {
			return 0, most > 100*noise, nil
		}
		err = fmt.Errorf("the gradient is %g, the difference of losses says %g", got, (left+right)/2)
	}
	return 0, false, err
}

// lossAt returns the loss with h added to element at of w.
func (g *gradientTest) lossAt(w *mlp.Matrix, at int, h float64) float64 {
	old := w.Data[at]
	w.Data[at] = old + h
	loss := g.loss(nil, g.net.Forward(g.x), g.y)
	w.Data[at] = old
	return loss
}
