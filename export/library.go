//go:build ignore

// The functions of a model that is written as Go. A file has those that it needs, and those of
// digits.go, math.go and mat_generic.go that they call.

package export

import "math"

func take(z, x []float64, n int, scale float64) {
	for i, v := range x[:n] {
		z[i] = v / scale
	}
}

func deskewTo(y, x []float64) {
	copy(y, x[:side*side])
	deskewRow(y[:side*side])
}

func standardize(y, mean, std []float64, n int) {
	for j := range y[:n] {
		y[j] = (y[j] - mean[j]) / std[j]
	}
}

// quantity sets an input to v or, if that is missing, to the mean. So do the others.
func quantity(z []float64, at int, v float64, mean []float64) {
	if z[at] = v; v != v {
		z[at] = mean[at]
	}
}

func bins(z []float64, at int, v float64, mean, edges []float64, n int) {
	for k := range n {
		switch a, b := edges[k], edges[k+1]; {
		case v != v:
			z[at+k] = mean[at+k]
		case v <= a:
			z[at+k] = 0
		case v < b:
			z[at+k] = (v - a) / (b - a)
		default:
			z[at+k] = 1
		}
	}
}

func category(z []float64, at int, v float64, mean []float64, n int) {
	copy(z[at:at+n], mean[at:])
	if 0 <= v && v < float64(n) {
		for k := range n {
			z[at+k] = 0
			if v == float64(k) {
				z[at+k] = 1
			}
		}
	}
}

func gap(z []float64, at int, v float64) {
	if z[at] = 0; v != v {
		z[at] = 1
	}
}

// dense sets y to x·w. Each sum is one chain of fused multiply-adds.
func dense(y, x, w []float64, m, n int) {
	zero(y, n)
	for i, v := range x[:m] {
		for j, u := range w[i*n : (i+1)*n] {
			y[j] = math.FMA(v, u, y[j])
		}
	}
}

func addTo(y, b []float64, n int) {
	for j := range y[:n] {
		y[j] += b[j]
	}
}

func zero(y []float64, n int) { clear(y[:n]) }

func affine(y, scale, shift []float64, n int) { scaleGeneric(y[:n], scale, shift) }

func relus(y []float64, n int) { reluGeneric(y[:n]) }

func sigmoids(y []float64, n int) { elementwise(y[:n], sigmoid) }

func tanhs(y []float64, n int) { elementwise(y[:n], tanh) }

func softmax(y []float64, n int) {
	most, total := math.Inf(-1), 0.0
	for _, v := range y[:n] {
		most = max(most, v)
	}
	for j := range y[:n] {
		y[j] = exp(y[j] - most)
		total += y[j]
	}
	for j := range y[:n] {
		y[j] /= total
	}
}

func meanOfClasses(y []float64, n int, k float64) {
	for j := range y[:n] {
		y[j] = logOf(y[j] / k)
	}
}

func logOf(p float64) float64 { return log(max(p, 0x1p-1022)) }

// addLabels adds the probabilities with the logits z to y, and one less them to rest.
func addLabels(y, rest, z []float64, n int) {
	for j := range y[:n] {
		y[j] += sigmoid(z[j])
		rest[j] += sigmoid(-z[j])
	}
}

func meanOfLabels(y, rest []float64, n int, k float64) {
	for j := range y[:n] {
		y[j] = logOf(y[j]/k) - logOf(rest[j]/k)
	}
}

func divide(y []float64, n int, k float64) {
	for j := range y[:n] {
		y[j] /= k
	}
}

func restore(y, mean, std []float64, n int) {
	for j := range y[:n] {
		y[j] = float64(y[j]*std[j]) + mean[j]
	}
}
