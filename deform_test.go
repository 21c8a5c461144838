package mlp

import "testing"

func BenchmarkDeform(b *testing.B) {
	m, err := LoadMNIST(SampleMNIST(), "train", 0)
	if err != nil {
		b.Fatal(err)
	}
	d, err := m.Deform(UsualDeformation, 1, 10)
	if err != nil {
		b.Fatal(err)
	}
	e := d.Epoch(1).(*deformedEpoch)
	var paper canvas
	var to [MNISTPixels]byte
	for i := 0; b.Loop(); i++ {
		k := i % m.Len()
		paper.set(m.image(k))
		e.deform(&to, &paper, k)
	}
}
