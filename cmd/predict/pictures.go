// Reading digits in pictures: a line for each, and what the network was shown.

package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/files"
	"mlp/cmd/internal/picture"
)

// A reader reads the pictures that the command line names.
type reader struct {
	*options
	model  *mlp.Model
	stdin  io.Reader
	stdout io.Writer
	stderr io.Writer
}

// A reading is what is printed of a picture.
type reading struct {
	File                string    `json:"file"`
	Digit               int       `json:"digit"`
	Probability         float64   `json:"probability"`
	RunnerUp            int       `json:"runner_up"`
	RunnerUpProbability float64   `json:"runner_up_probability"`
	Probabilities       []float64 `json:"probabilities"` // of the digits 0 to 9
	Unlike              bool      `json:"unlike"`        // it does not look like a digit
}

// errOutput says that standard output takes no more, so that reading on is of no use.
var errOutput = errors.New("standard output")

// readAll reads all pictures and returns the exit code. An error of one does not keep the
// others from being read.
func (r *reader) readAll(ctx context.Context, stderr io.Writer) (code int) {
	if r.save != "" {
		release, err := files.Claim(r.save, r.savedName(0))
		if err != nil {
			return cli.Exit("predict", fmt.Errorf("-save %s: %w", r.save, err), r.stdout, stderr)
		}
		defer release()
	}
	for i := range r.pictures {
		err := context.Cause(ctx)
		if err == nil {
			err = r.read(i)
		}
		code = max(code, cli.Exit("predict", err, r.stdout, stderr))
		if errors.Is(err, errOutput) || errors.Is(err, context.Canceled) {
			return code
		}
	}
	return code
}

// read reads picture i, prints its line and saves what the network was shown.
func (r *reader) read(i int) error {
	digit, plain, err := r.digit(r.pictures[i])
	if err != nil {
		return err
	}
	var y mlp.Matrix
	m := *r.model
	m.Deskew = m.Deskew && r.raw // without -raw, digit has done it
	p := m.Predict(&y, mlp.SamplesOf(setOf(digit)).X).Softmax().Row(0)
	first := mlp.Argmax(p)
	if math.IsNaN(p[first]) {
		return fmt.Errorf("%s: the network's output is not finite", r.pictures[i])
	}
	others := slices.Clone(p)
	others[first] = -1
	second := mlp.Argmax(others)
	if err := r.print(&reading{r.pictures[i], first, p[first], second, p[second], p, r.unlike(r.pictures[i], plain)}); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	if r.save == "" {
		return nil
	}
	return r.saveDigit(i, digit)
}

// unlike reports whether the digit of a file does not look like one, and says so on standard error.
func (r *reader) unlike(name string, plain *image.Gray) bool {
	f := r.model.Familiarity
	if f == nil || !f.Compare(setOf(plain))[0].Unlike {
		return false
	}
	fmt.Fprintf(r.stderr, "%s: does not look like a digit\n", cli.Plain(name))
	return true
}

// digit returns what the network is to be shown of a file, or of standard input if its name
// is -, and the same before its slant was normalised. An error names the file.
func (r *reader) digit(name string) (digit, plain *image.Gray, err error) {
	from := r.stdin
	if name != "-" {
		f, _, err := files.OpenRegular(name)
		if err != nil {
			return nil, nil, err
		}
		defer f.Close()
		from = f
	}
	img, err := picture.Read(from)
	switch {
	case err != nil:
	case r.raw:
		digit, err = picture.Raw(img)
	default:
		var ink *image.Gray
		if ink, err = picture.Ink(img); err == nil {
			digit = picture.Center(ink)
			if plain = digit; r.model.Deskew {
				digit = &image.Gray{Pix: setOf(digit).Deskew().Images, Stride: digit.Stride, Rect: digit.Rect}
			}
			picture.Bound(digit, r.model.Input)
		}
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return digit, cmp.Or(plain, digit), nil
}

// setOf returns a data set of one digit.
func setOf(digit *image.Gray) *mlp.MNIST {
	return &mlp.MNIST{Images: digit.Pix, Labels: []byte{0}}
}

// print prints the line of a picture.
func (r *reader) print(p *reading) error {
	if r.json {
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		_, err = r.stdout.Write(append(escape(text), '\n'))
		return err
	}
	_, err := fmt.Fprintf(r.stdout, "%s\t%d\t%.4f\t%d\t%.4f\n", cli.Plain(p.File), p.Digit, p.Probability, p.RunnerUp, p.RunnerUpProbability)
	return err
}

// escape replaces each character of a JSON text that cannot be printed, which can only
// stand in a string, by JSON's escape. To a terminal it might be a command, and it might
// turn the direction of writing.
func escape(text []byte) (escaped []byte) {
	for _, r := range string(text) {
		if strconv.IsPrint(r) {
			escaped = utf8.AppendRune(escaped, r)
			continue
		}
		for _, unit := range utf16.AppendRune(nil, r) {
			escaped = fmt.Appendf(escaped, `\u%04x`, unit)
		}
	}
	return escaped
}

// savedName returns the name of the file for picture i. The number keeps apart pictures
// of one name in several folders.
func (r *reader) savedName(i int) string {
	name := filepath.Base(r.pictures[i])
	if r.pictures[i] == "-" {
		name = "stdin"
	}
	return fmt.Sprintf("%04d-%s.png", i+1, strings.TrimSuffix(name, filepath.Ext(name)))
}

// saveDigit writes what the network was shown of picture i, unless that would replace one
// of the pictures.
func (r *reader) saveDigit(i int, digit *image.Gray) error {
	target := filepath.Join(r.save, r.savedName(i))
	if slices.ContainsFunc(r.pictures, func(name string) bool { return files.Same(name, target) }) {
		return fmt.Errorf("%s: one of the pictures is in the place of the file", target)
	}
	return mlp.WriteFile(target, func(w io.Writer) error { return png.Encode(w, digit) })
}
