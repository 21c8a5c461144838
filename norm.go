// Batch normalisation. A file of its own because it is the one part of a layer that
// training and prediction compute differently.

package mlp

import "math"

// BatchNorm normalises each column of z = x·W, n×out, before the bias is added
// (Ioffe & Szegedy 2015, algorithms 1 and 2):
//
//	ẑ = (z - μ)/√(σ² + 1e-5), y = Gain·ẑ + B
//
// Forward takes μ and σ² from the n rows it is given, Predict from the running
// averages Mean and Var. Each Backward moves Mean and Var a tenth of the way to its
// batch's μ and σ²·n/(n-1). A batch of one row has no variance: ẑ is zero, and Train
// leaves out a last batch of one row.
type BatchNorm struct {
	Gain, DGain Matrix // 1×out, and the loss's gradient by it
	Mean, Var   Matrix // 1×out

	hat       Matrix // the last Forward's ẑ, n×out
	mean, dev Matrix // the last Forward's μ and √(σ² + 1e-5), 1×out
	factors   Matrix // what backward computes for each column, 3×out
}

const (
	normEpsilon = 1e-5
	averageRate = 0.1
)

// NewBatchNorm returns the normalisation of a layer of width units: Gain and Var are
// one, Mean is zero.
func NewBatchNorm(width int) *BatchNorm {
	b := &BatchNorm{Gain: *NewMatrix(1, width), Mean: *NewMatrix(1, width), Var: *NewMatrix(1, width)}
	for j := range width {
		b.Gain.Data[j], b.Var.Data[j] = 1, 1
	}
	return b
}

// forward sets z to Gain·ẑ + shift.
func (b *BatchNorm) forward(z, shift *Matrix) {
	n := float64(z.Rows)
	b.hat.Reset(z.Rows, z.Cols)
	mean, dev := b.mean.Reset(1, z.Cols).Data, b.dev.Reset(1, z.Cols).Data
	clear(mean)
	clear(dev)
	for i := range z.Rows {
		add(mean, z.Row(i))
	}
	for j := range mean {
		mean[j] /= n
	}
	for i := range z.Rows {
		d := b.hat.Row(i) // z - μ, for now
		copy(d, z.Row(i))
		sub(d, mean)
		addProduct(dev, d, d)
	}
	for j, squares := range dev {
		dev[j] = math.Sqrt(squares/n + normEpsilon)
	}
	for i := range z.Rows {
		row, hat := z.Row(i), b.hat.Row(i)
		div(hat, dev)
		copy(row, shift.Data)
		addProduct(row, b.Gain.Data, hat)
	}
}

// backward takes dz, the loss's gradient by Gain·ẑ + B, sets dB and DGain, and
// makes dz the gradient by x·W. As μ and σ depend on every row, so does the gradient of
// each row:
//
//	dz = Gain/√(σ² + ε)·(dz - dB/n - ẑ·DGain/n)
func (b *BatchNorm) backward(dz, dB *Matrix) {
	n := float64(dz.Rows)
	dGain := b.DGain.Reset(1, dz.Cols).Data
	clear(dB.Data)
	clear(dGain)
	for i := range dz.Rows {
		row, hat := dz.Row(i), b.hat.Row(i)
		add(dB.Data, row)
		addProduct(dGain, row, hat)
	}
	b.factors.Reset(3, dz.Cols)
	factor, slope, shift := b.factors.Row(0), b.factors.Row(1), b.factors.Row(2)
	for j := range factor {
		factor[j], slope[j], shift[j] = b.Gain.Data[j]/b.dev.Data[j], -(dGain[j] / n), dB.Data[j]/n
	}
	for i := range dz.Rows {
		row := dz.Row(i)
		sub(row, shift)
		addProduct(row, b.hat.Row(i), slope)
		mul(row, factor)
	}
	b.updateAverages(n)
}

// updateAverages updates Mean and Var from the last Forward's n rows. A single row has
// no variance and is left out.
func (b *BatchNorm) updateAverages(n float64) {
	if n < 2 {
		return
	}
	for j, mean := range b.mean.Data {
		variance := max(0, math.FMA(b.dev.Data[j], b.dev.Data[j], -normEpsilon)) * n / (n - 1)
		b.Mean.Data[j] = math.FMA(averageRate, mean-b.Mean.Data[j], b.Mean.Data[j])
		b.Var.Data[j] = math.FMA(averageRate, variance-b.Var.Data[j], b.Var.Data[j])
	}
}

// affine sets scale and shift, 1×out, so that with the running averages
// Gain·ẑ + bias = scale·z + shift.
func (b *BatchNorm) affine(scale, shift, bias *Matrix) {
	scale.Reset(1, bias.Cols)
	shift.Reset(1, bias.Cols)
	for j, v := range b.Var.Data {
		scale.Data[j] = b.Gain.Data[j] / math.Sqrt(v+normEpsilon)
		shift.Data[j] = math.FMA(-b.Mean.Data[j], scale.Data[j], bias.Data[j])
	}
}
