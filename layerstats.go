// Layer statistics: six measures of how each layer learns. A file of its own because
// training does not need them.

package mlp

// LayerStats are measures of one layer at one step of the training. The gradients
// and the update are those of the step's batch. The activations are those of the
// first 256 training samples or, in Epoch.First, of the batch. The gradients are the
// loss's, after Config.Clip and without Config.Decay.
//
// DeltaNorm is ‖∂L/∂b‖. For the mean loss that is the norm of the error term
// δ = ∂L/∂z summed over the batch: the speed of learning in Nielsen, "Neural Networks
// and Deep Learning", chapter 5. Unlike GradMeanAbs and GradNorm, it does not depend on
// how many inputs the layer has and how large they are.
type LayerStats struct {
	GradMeanAbs   float64 // mean |∇W|, the article's measure
	GradNorm      float64 // ‖∇W‖
	DeltaNorm     float64 // ‖∇b‖
	ActivationStd float64 // standard deviation of the activations

	// InactiveFraction is the fraction of units whose derivative, averaged over the
	// samples, is at most a tenth of the activation's derivative at 0. Such a unit is
	// dead, if the activation is ReLU, or saturated.
	InactiveFraction float64
	UpdateRatio      float64 // ‖ΔW‖/‖W‖, or 0 if W was all zeros
}

// measureUpdate measures l's gradients and what update does to its weights. It keeps
// the weights before the update in before.
func (s *LayerStats) measureUpdate(l *Layer, before *Matrix, update func()) {
	total, squares := absAndSquares(l.DW.Data)
	s.GradMeanAbs = total / float64(len(l.DW.Data))
	s.GradNorm, s.DeltaNorm = rootOfSquares(squares, l.DW.Data), norm(l.DB.Data)
	size := norm(l.W.Data)
	copy(before.Reset(l.W.Rows, l.W.Cols).Data, l.W.Data)
	update()
	axpy(before.Data, l.W.Data, -1)
	if moved := norm(before.Data); moved > 0 && size > 0 {
		s.UpdateRatio = moved / size
	}
}

// measureLayers measures the activations of all layers in a forward pass whose output is y.
func (p *forwardPass) measureLayers(net Network, y *Matrix, stats []LayerStats) {
	for i, l := range net {
		a := y
		if i < len(net)-1 {
			a = &p.outputs[i]
		}
		stats[i].measureActivations(l.Act, a)
	}
}

// measureActivations measures the activations a, n×out, of n samples.
func (s *LayerStats) measureActivations(act *Activation, a *Matrix) {
	slopeAtZero := []float64{1, 0}
	act.Forward(slopeAtZero[1:])
	act.Backward(slopeAtZero[:1], slopeAtZero[1:])
	slopes, total := make([]float64, a.Cols), make([]float64, a.Cols)
	for i := range a.Rows {
		for j := range slopes {
			slopes[j] = 1
		}
		act.Backward(slopes, a.Row(i))
		add(total, slopes)
	}
	inactive := 0
	for _, slope := range total {
		if slope <= slopeAtZero[0]/10*float64(a.Rows) {
			inactive++
		}
	}
	s.InactiveFraction = float64(inactive) / float64(a.Cols)
	_, s.ActivationStd = moments(a.Data)
}

// A lossRise follows the loss from step to step.
type lossRise struct {
	losses [6]float64 // of the last steps, the newest last
	seen   int
	most   float64 // the largest rise over five consecutive steps, each of which raised the loss
}

func (r *lossRise) add(loss float64) {
	copy(r.losses[:], r.losses[1:])
	r.losses[5] = loss
	if r.seen++; r.seen < len(r.losses) {
		return
	}
	for i, v := range r.losses[:5] {
		if !(v < r.losses[i+1]) {
			return
		}
	}
	r.most = max(r.most, loss-r.losses[0])
}
