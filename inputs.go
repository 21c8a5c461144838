// The inputs that are zero in every sample, which training leaves out. Not here: how
// weights are packed without them (packed.go).

package mlp

import "slices"

// liveInputs returns the inputs that are not zero in every sample of data, in ascending
// order. It returns nil if there is no other input, and if data may give other samples at
// another time. A tenth of MNIST's pixels are always black, and standardized they are
// zeros.
//
// A term 0·w changes no bit of a finite sum. An optimizer of this package does not move a
// weight whose gradient is zero in every step, if there is no decay. So a step computes the
// same bits without the zeros and their weights.
func liveInputs(data Dataset) []interval {
	if fixedBatch(data) == nil {
		return nil
	}
	var x, y Matrix
	var live []bool
	index := shuffle(make([]int, data.Len()), 0, 0, true)
	for some := range slices.Chunk(index, evaluationRows) {
		data.Batch(&x, &y, some)
		live = append(live, make([]bool, x.Cols-len(live))...)
		for i := range x.Rows {
			for j, v := range x.Row(i) {
				if v != 0 {
					live[j] = true
				}
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
