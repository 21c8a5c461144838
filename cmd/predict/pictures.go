// Reading digits in pictures: a line for each, and what the network was shown.

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"math"
	"os"
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
	stderr *os.File
}

// A reading is what is printed of a digit.
type reading struct {
	File                string    `json:"file"`
	Digit               int       `json:"digit"`
	Probability         float64   `json:"probability"`
	RunnerUp            int       `json:"runner_up"`
	RunnerUpProbability float64   `json:"runner_up_probability"`
	Probabilities       []float64 `json:"probabilities"` // of the digits 0 to 9
	Box                 [4]int    `json:"box"`           // x, y, width and height in pixels of the upright picture
	Unlike              bool      `json:"unlike"`        // it does not look like a digit
}

// errOutput says that standard output takes no more, so that reading on is of no use.
var errOutput = errors.New("standard output")

// readAll reads all pictures and returns the exit code. An error of one does not keep the
// others from being read.
func (r *reader) readAll(ctx context.Context) (code int) {
	if r.save != "" {
		release, err := files.Claim(r.save, r.savedName(0, 0))
		if err != nil {
			return cli.Exit("predict", fmt.Errorf("-save %s: %w", r.save, err), r.stdout, r.stderr)
		}
		defer release()
	}
	for i := range r.pictures {
		err := context.Cause(ctx)
		if err == nil {
			err = r.read(i)
		}
		code = max(code, cli.Exit("predict", err, r.stdout, r.stderr))
		if errors.Is(err, errOutput) || errors.Is(err, context.Canceled) {
			return code
		}
	}
	return code
}

// read reads the digits of picture i, prints a line for each and saves what the network was
// shown. On standard error it says the number that each row of several digits forms, and which of them
// may be more than one.
func (r *reader) read(i int) error {
	name := r.pictures[i]
	from := r.stdin
	if name != "-" {
		f, _, err := files.OpenRegular(name)
		if err != nil {
			return err
		}
		defer f.Close()
		from = f
	}
	var found []picture.Digit
	img, err := picture.Read(from)
	switch {
	case err != nil:
	case r.raw:
		found = []picture.Digit{{Box: image.Rect(0, 0, 28, 28)}}
		found[0].Ink, err = picture.Raw(img)
	default:
		found, err = picture.Find(img, func(ink *image.Gray) float64 {
			p := r.probabilities(r.shown(picture.Center(picture.Thicken(ink))))
			return p[mlp.Argmax(p)]
		})
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	rows := []string{}
	for n, d := range found {
		digit, err := r.readDigit(i, n, d)
		if err != nil {
			return err
		}
		for len(rows) <= d.Row {
			rows = append(rows, "")
		}
		rows[d.Row] += strconv.Itoa(digit)
		if d.Wide {
			fmt.Fprintf(r.stderr, "%s: %s may be touching digits\n", cli.Plain(name), box(d.Box))
		}
	}
	for _, row := range rows {
		if len(found) > 1 {
			fmt.Fprintf(r.stderr, "%s: %s\n", cli.Plain(name), row)
		}
	}
	return nil
}

// readDigit reads digit n of picture i, prints its line and saves what the network was shown.
func (r *reader) readDigit(i, n int, d picture.Digit) (int, error) {
	plain, shown := d.Ink, d.Ink
	if !r.raw {
		plain = picture.Center(picture.Thicken(d.Ink))
		shown = r.shown(plain)
	}
	p := r.probabilities(shown)
	first := mlp.Argmax(p)
	if math.IsNaN(p[first]) {
		return 0, fmt.Errorf("%s: the network's output is not finite", r.pictures[i])
	}
	others := slices.Clone(p)
	others[first] = -1
	second := mlp.Argmax(others)
	unlike := r.model.Familiarity != nil && r.model.Familiarity.Compare(setOf(plain))[0].Unlike
	if unlike {
		fmt.Fprintf(r.stderr, "%s: %s does not look like a digit\n", cli.Plain(r.pictures[i]), box(d.Box))
	}
	b := d.Box
	if err := r.print(&reading{r.pictures[i], first, p[first], second, p[second], p, [4]int{b.Min.X, b.Min.Y, b.Dx(), b.Dy()}, unlike}); err != nil {
		return 0, fmt.Errorf("%w: %w", errOutput, err)
	}
	if r.save == "" {
		return first, nil
	}
	return first, r.saveDigit(i, n, shown)
}

// shown returns what the network is to be shown of a digit.
func (r *reader) shown(plain *image.Gray) *image.Gray {
	digit := &image.Gray{Pix: slices.Clone(plain.Pix), Stride: plain.Stride, Rect: plain.Rect}
	if r.model.Deskew {
		digit.Pix = setOf(digit).Deskew().Images
	}
	picture.Bound(digit, r.model.Input)
	return digit
}

// probabilities returns the network's answer to what it is shown.
func (r *reader) probabilities(shown *image.Gray) []float64 {
	m := *r.model
	m.Deskew = m.Deskew && r.raw // without -raw, shown has done it
	return m.Predict(&mlp.Matrix{}, mlp.SamplesOf(setOf(shown)).X).Softmax().Row(0)
}

// box writes a box as x,y,w,h.
func box(b image.Rectangle) string {
	return fmt.Sprintf("%d,%d,%d,%d", b.Min.X, b.Min.Y, b.Dx(), b.Dy())
}

// setOf returns a data set of one digit.
func setOf(digit *image.Gray) *mlp.MNIST {
	return &mlp.MNIST{Images: digit.Pix, Labels: []byte{0}}
}

// print prints the line of a digit.
func (r *reader) print(p *reading) error {
	if r.json {
		text, err := json.Marshal(p)
		if err != nil {
			return err
		}
		_, err = r.stdout.Write(append(escape(text), '\n'))
		return err
	}
	_, err := fmt.Fprintf(r.stdout, "%s\t%d\t%.4f\t%d\t%.4f\t%d,%d,%d,%d\n",
		cli.Plain(p.File), p.Digit, p.Probability, p.RunnerUp, p.RunnerUpProbability, p.Box[0], p.Box[1], p.Box[2], p.Box[3])
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

// savedName returns the name of the file for digit n of picture i. The number keeps apart
// pictures of one name in several folders.
func (r *reader) savedName(i, n int) string {
	name := filepath.Base(r.pictures[i])
	if r.pictures[i] == "-" {
		name = "stdin"
	}
	name = fmt.Sprintf("%04d-%s", i+1, strings.TrimSuffix(name, filepath.Ext(name)))
	if n > 0 {
		name += fmt.Sprintf("-%d", n+1)
	}
	return name + ".png"
}

// saveDigit writes what the network was shown of digit n of picture i, unless that would
// replace one of the pictures.
func (r *reader) saveDigit(i, n int, digit *image.Gray) error {
	target := filepath.Join(r.save, r.savedName(i, n))
	if slices.ContainsFunc(r.pictures, func(name string) bool { return files.Same(name, target) }) {
		return fmt.Errorf("%s: one of the pictures is in the place of the file", target)
	}
	return mlp.WriteFile(target, func(w io.Writer) error { return png.Encode(w, digit) })
}
