// A drawing becomes what cmd/predict makes of a picture of it. Here is that comparison;
// what becomes of pictures is in package picture.

package report

import (
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"testing"

	"mlp"
	"mlp/cmd/internal/picture"
)

// Strokes, also across a test digit and beyond the edge, become the same bytes, whatever
// bounds a pixel.
func testCenter(t *testing.T, b *browser) {
	m := trained(t, mlp.ReLU, false, false, 1)
	_, test := sample(t, 20)
	b.open(mustHTML(t, m, test))
	rng := rand.New(rand.NewPCG(1, 2))
	rounds := 2
	if os.Getenv("MLP_ATTACK") != "" {
		rounds = 12
	}
	for round := range rounds {
		if b.click("#clear"); round%4 == 3 {
			b.click(fmt.Sprintf("#starts button:nth-child(%d)", 1+round/4))
		}
		box := b.place("#draw")
		for range 1 + round%3 {
			var points [][2]float64
			x, y, direction := 0.2+0.6*rng.Float64(), 0.2+0.6*rng.Float64(), 7*rng.Float64()
			for range 2 + rng.IntN(8) {
				points = append(points, [2]float64{box[0] + x*box[2], box[1] + y*box[3]})
				direction += rng.Float64() - 0.5
				x, y = x+0.1*math.Cos(direction), y+0.1*math.Sin(direction)
			}
			b.mouse(points...)
		}
		compareDrawing(t, b, m)
	}
}

// compareDrawing compares mlp.image() with what the package makes of the canvas.
func compareDrawing(t *testing.T, b *browser, m *mlp.Model) {
	t.Helper()
	var alpha, got []int
	b.eval("(c => [...c.getContext('2d').getImageData(0, 0, 280, 280).data].filter((_, i) => i % 4 === 3))(document.querySelector('#draw'))", &alpha)
	b.eval("mlp.image()", &got)
	ink := image.NewGray(image.Rect(0, 0, 280, 280))
	for i, v := range alpha {
		ink.Pix[i] = byte(v)
	}
	want := picture.Center(ink)
	picture.Bound(want, m.Input)
	for i, p := range want.Pix {
		if got[i] != int(p) {
			t.Fatalf("pixel %d is %d, want %d", i, got[i], p)
		}
	}
}
