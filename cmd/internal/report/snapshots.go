// Snapshots: the network after some earlier epochs of its run, for the page's slider.

package report

import (
	"bytes"
	"cmp"
	"compress/flate"
	"encoding/base64"
	"math"
	"slices"

	"mlp"
)

// maxPage bounds, in bytes, the JSON of a page that has snapshots. With script and texts the
// page stays below 4 MB.
const maxPage = 3_800_000

// Snapshots are what a network was after some epochs, in order, with eight bits for a weight.
type Snapshots []snapshot

type snapshot struct {
	Epoch  int
	Layers []units
	bytes  []byte // each layer's weights, row by row: a weight is its byte, as an int8, times the Step of its unit
}

type units struct{ Step, B floats }

// Take adds the network of m if it is due, in a run of so many epochs. A run calls Take before
// its first epoch and after each. The first network is due, and those after epochs 1, 2, 4, 8
// and so on: the powers of 2 or, if the page had more than ten networks then, of a larger
// number. With Patience the network has the weights of the best epoch, and counts as that
// epoch's. Take adds nothing if the page has no room, and nothing of an ensemble, whose
// answer is not that of one network.
func (s *Snapshots) Take(m *mlp.Model, epochs int) {
	n, epoch := len(m.Run.History), 0
	if n > 0 {
		epoch = m.Run.History.Best().N
	}
	due, base := 1.0, max(2, math.Pow(float64(epochs), 1.0/8))
	for math.Ceil(due) < float64(n) {
		due *= base
	}
	past := len(*s)
	if len(m.Others) > 0 || 8*m.Net.Parameters() > maxPage || past > 0 && (math.Ceil(due) != float64(n) || (*s)[past-1].Epoch == epoch) {
		return
	}
	now := snapshot{Epoch: epoch, bytes: make([]byte, 0, m.Net.Parameters())}
	for _, l := range m.Net {
		step := make(floats, l.W.Cols)
		for i := range l.W.Rows {
			for j, w := range l.W.Row(i) {
				step[j] = max(step[j], math.Abs(w)/127)
			}
		}
		for i := range l.W.Rows {
			for j, w := range l.W.Row(i) {
				now.bytes = append(now.bytes, byte(int8(math.RoundToEven(w/cmp.Or(step[j], 1)))))
			}
		}
		scale, b := normalisation(l)
		for j := range step {
			step[j] *= scale[j]
		}
		if slices.ContainsFunc(step, notFinite) || slices.ContainsFunc(b, notFinite) {
			return
		}
		now.Layers = append(now.Layers, units{step, b})
	}
	*s = append(*s, now)
}

// before returns the snapshots of epochs before the last one, and their bytes packed to at
// most so many in base64. For that it leaves some out: at first every second.
func (s Snapshots) before(last, most int) (fitting Snapshots, packed []byte) {
	fitting = slices.DeleteFunc(slices.Clone(s), func(s snapshot) bool { return s.Epoch >= last })
	packed = fitting.pack()
	for at := 1; len(fitting) > 0 && base64.StdEncoding.EncodedLen(len(packed)) > most; at++ {
		fitting = slices.Delete(fitting, at%len(fitting), at%len(fitting)+1)
		packed = fitting.pack()
	}
	return fitting, packed
}

// pack compresses the bytes of all snapshots: those of the first, and of each other what they
// are above the one before, modulo 256, which is mostly small.
func (s Snapshots) pack() []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.HuffmanOnly) // which fails only for an unknown level
	for i, now := range s {
		rises := slices.Clone(now.bytes)
		for j := range rises {
			if i > 0 {
				rises[j] -= s[i-1].bytes[j]
			}
		}
		w.Write(rises)
	}
	w.Close() // to a buffer, which does not fail
	return b.Bytes()
}
