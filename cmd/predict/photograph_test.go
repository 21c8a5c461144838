// Digits of MNIST as a person would photograph them, read by the command.

package main

import (
	"bytes"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/mnist"
)

// side is how many rows and columns a digit has.
const side = 28

// photograph is a digit written with a pen on a sheet of paper: dark ink on light paper,
// 300×300 pixels. The digit's field of 28×28 takes 70 to 100 % of each side and does not
// lie in the middle. A lamp stands on one side, the corners are darker than the middle, and the
// camera has noise.
func photograph(digit []byte, rng *rand.Rand) *image.Gray {
	const size = 300
	between := func(lo, hi float64) float64 { return lo + (hi-lo)*rng.Float64() }
	img := image.NewGray(image.Rect(0, 0, size, size))
	k := size / side * between(0.7, 1)
	cx, cy := size*between(0.44, 0.56), size*between(0.44, 0.56)
	paper, across, down, corners := between(0.65, 0.9), between(-0.25, 0.25), between(-0.25, 0.25), between(0, 0.1)
	ink, noise := between(0.35, 0.85), between(0.01, 0.04)
	for y := range size {
		for x := range size {
			u, v := 2*float64(x)/size-1, 2*float64(y)/size-1
			light := paper * (1 + across*u + down*v - corners*(u*u+v*v))
			edge := bilinear(digit, (float64(x)+0.5-cx)/k+side/2-0.5, (float64(y)+0.5-cy)/k+side/2-0.5)
			stroke := min(max(0.5+4*(edge-0.5), 0), 1) // a pen's edge is sharp
			value := light*(1-ink*stroke) + noise*rng.NormFloat64()
			img.Pix[y*size+x] = uint8(255*min(max(value, 0), 1) + 0.5)
		}
	}
	return img
}

// bilinear returns a digit's ink, from 0 to 1, at a point between its pixels' middles.
func bilinear(digit []byte, x, y float64) float64 {
	i, j := int(math.Floor(x)), int(math.Floor(y))
	at := func(i, j int) float64 {
		if i < 0 || i >= side || j < 0 || j >= side {
			return 0
		}
		return float64(digit[j*side+i]) / 255
	}
	s, t := x-float64(i), y-float64(j)
	return (1-t)*((1-s)*at(i, j)+s*at(i+1, j)) + t*((1-s)*at(i, j+1)+s*at(i+1, j+1))
}

// Photographs of digits are read nearly as well as the digits: those of the sample and, if
// CI asks for it, those of MNIST's test part, by a network that has learnt all of MNIST.
func TestPhotographs(t *testing.T) {
	if testing.Short() {
		t.Skip("it is long")
	}
	n := 8
	if os.Getenv("MLP_ATTACK") != "" {
		n = 40
	}
	model, test := trained()
	readPhotographs(t, model, test, n, 1000/n, 0.9)
}

func TestPhotographsOfMNIST(t *testing.T) {
	folder := os.Getenv("MNIST_DIR")
	if os.Getenv("MLP_ATTACK") == "" || folder == "" {
		t.Skip("$MLP_ATTACK or $MNIST_DIR is not set")
	}
	train, err := mnist.Load(folder, "train", 20000)
	if err != nil {
		t.Fatal(err)
	}
	test, err := mnist.Load(folder, "t10k", 0)
	if err != nil {
		t.Fatal(err)
	}
	m := &mlp.Model{Net: mnist.Network(1, mlp.He, mlp.ReLU, false, 256, 128), Input: train.Stats()}
	train.Standardize(m.Input)
	if _, err := mlp.Train(t.Context(), m.Net, train, mlp.Config{Rate: 0.1, Epochs: 5, Batch: 64}); err != nil {
		t.Fatal(err)
	}
	readPhotographs(t, m, test, 200, 50, 0.95)

	// Several digits in each, of every kind that the script draws.
	name := filepath.Join(t.TempDir(), "model.npz")
	write(t, name, fileOf(m))
	table, err := exec.Command("go", "run", "./testdata/photographs.go", "-data", folder, "-n", "16", "go", "run", ".", "-model", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", table)
	var pictures, counted, exact, digits, right int
	var counts, rights float64
	last := string(table[bytes.LastIndex(table, []byte("all ")):])
	if _, err := fmt.Sscanf(last, "all %d %d %f%% %d %d %d %f%%", &pictures, &counted, &counts, &exact, &digits, &right, &rights); err != nil || counts < 75 || rights < 80 {
		t.Errorf("%v, %q: want the right number of digits in 75 %% of the pictures and 80 %% of the digits", err, last)
	}
}

// readPhotographs photographs n digits of a test part, every step-th. Of those that the model
// reads right as they are, the command must read that share right.
func readPhotographs(t *testing.T, model *mlp.Model, test *mlp.MNIST, n, step int, share float64) {
	t.Helper()
	dir, rng := t.TempDir(), rand.New(rand.NewPCG(1, 2))
	write(t, filepath.Join(dir, "model.npz"), fileOf(model))
	photos := []string{"-model", filepath.Join(dir, "model.npz")}
	raw := append(photos, "-raw")
	for i := range n {
		digit := test.Images[i*step*mlp.MNISTPixels:][:mlp.MNISTPixels]
		photo, plain := filepath.Join(dir, fmt.Sprintf("%d.png", i)), filepath.Join(dir, fmt.Sprintf("%d-28.png", i))
		write(t, photo, encoded(t, photograph(digit, rng)))
		write(t, plain, encoded(t, &image.Gray{Pix: digit, Stride: side, Rect: image.Rect(0, 0, side, side)}))
		photos, raw = append(photos, photo), append(raw, plain)
	}
	asIs, _, _ := command(t, nil, raw...)
	photographed, stderr, _ := command(t, nil, photos...)
	right, known := 0, 0
	for i := range n {
		want := fmt.Sprintf(".png\t%d\t", test.Labels[i*step])
		if strings.Contains(asIs, fmt.Sprintf("/%d-28%s", i, want)) {
			known++
			if strings.Contains(photographed, fmt.Sprintf("/%d%s", i, want)) && strings.Count(photographed, fmt.Sprintf("/%d.png\t", i)) == 1 {
				right++
			}
		}
	}
	t.Logf("%d of %d", right, known)
	if known < n*3/4 || float64(right) < share*float64(known) {
		t.Errorf("of %d photographs %d were read right, %d of the digits; %s", n, right, known, stderr)
	}
}
