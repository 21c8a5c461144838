// The inputs that are zero in every sample, which training leaves out. Not here: how
// weights are packed without them (packed.go).

package mlp

import "slices"

// liveInputs returns the inputs that are not zero in every sample of data, and those whose
// weights have a running value that is not zero, in ascending order. It returns nil if none
// is left out, and if data may give other samples at another time. In MNIST, 67 of the 784
// pixels are always black, and standardized they are zeros.
//
// If w is finite, adding 0·w changes nothing of a sum but the sign of a zero. An optimizer
// of this package does not move a weight if its gradient is zero in every step, its running
// values are zero and there is no decay. So a step computes the same without the zeros and
// their weights.
func liveInputs(data Dataset, inputs int, running *runningValues) []interval {
	if fixedBatch(data) == nil {
		return nil
	}
	live := make([]bool, inputs)
	for _, slot := range running {
		for i := range slot[0].Rows {
			live[i] = live[i] || slices.ContainsFunc(slot[0].Row(i), func(v float64) bool { return v != 0 })
		}
	}
	var x, y Matrix
	index := shuffle(make([]int, data.Len()), 0, 0, true)
	for some := range slices.Chunk(index, evaluationRows) {
		if data.Batch(&x, &y, some); x.Cols != inputs {
			return nil
		}
		for i := range x.Rows {
			for j, v := range x.Row(i) {
				live[j] = live[j] || v != 0
			}
		}
		if !slices.Contains(live, false) {
			return nil
		}
	}
	var intervals []interval
	for lo := 0; lo < len(live); {
		hi := lo
		for hi < len(live) && live[hi] == live[lo] {
			hi++
		}
		if live[lo] {
			intervals = append(intervals, interval{lo, hi})
		}
		lo = hi
	}
	return intervals
}

// fixedBatch returns the function that gives batches of some inputs of data, or nil if data
// is not of a type whose samples are known not to change.
func fixedBatch(data Dataset) func(x, y *Matrix, index []int, inputs []interval) {
	switch d := data.(type) {
	case Samples:
		return d.batch
	case WeightedSamples:
		return d.batch
	case *MNIST:
		return func(x, y *Matrix, index []int, inputs []interval) { d.batch(x, y, index, nil, inputs) }
	}
	return nil
}

// mayLeaveOut reports whether a step with this configuration leaves weights as they are if
// their inputs are zero.
func (c *Config) mayLeaveOut() bool {
	known := []*Optimizer{SGD, Momentum, Adam, AdamW}
	return c.Decay == 0 && slices.Contains(known, c.Optimizer)
}
