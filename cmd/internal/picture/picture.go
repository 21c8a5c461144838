// Package picture turns a picture of a digit, a photograph or a drawing, into 28×28 grey
// values like those of MNIST: Read, Ink, Center and Bound, in this order.
package picture

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	_ "image/gif" // the formats that Read knows
	_ "image/jpeg"
	_ "image/png"
	"io"
	"strings"
)

// The limits of a picture. A good camera's have 50 million pixels.
const (
	maxBytes  = 64 << 20
	maxPixels = 64e6
)

// Read decodes a PNG, a JPEG or the first image of a GIF and turns it upright if its
// camera says how it was held. It returns an error if the picture has no pixels or more
// than 64 million, before it decodes them, or if the file is longer than 64 MiB.
func Read(r io.Reader) (image.Image, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, err
	}
	switch header, _, err := image.DecodeConfig(bytes.NewReader(data)); {
	case len(data) == 0:
		return nil, errors.New("the file is empty")
	case errors.Is(err, image.ErrFormat):
		return nil, errors.New("not a PNG, JPEG or GIF picture")
	case err != nil:
		return nil, damaged(err)
	case header.Width <= 0 || header.Height <= 0:
		return nil, fmt.Errorf("a picture of %d×%d pixels", header.Width, header.Height)
	case float64(header.Width)*float64(header.Height) > maxPixels:
		return nil, fmt.Errorf("a picture of %d×%d pixels, over the limit of 64 million", header.Width, header.Height)
	case len(data) > maxBytes:
		return nil, errors.New("the file is over the limit of 64 MiB")
	}
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, damaged(err)
	}
	if img.Bounds().Empty() { // as an image on the screen of a GIF may be
		return nil, errors.New("the first image has no pixels")
	}
	return upright(img, orientation(data)), nil
}

// damaged says of an error of a decoder what it means for the file.
func damaged(err error) error {
	text := err.Error() // decoders do not wrap io.ErrUnexpectedEOF
	if strings.HasSuffix(text, "EOF") || strings.HasSuffix(text, "not enough pixel data") {
		return errors.New("the picture is cut short")
	}
	return fmt.Errorf("the picture is damaged: %w", err)
}

// Raw returns a picture of 28×28 pixels as its grey values, 255 for white. What is
// transparent counts as black.
func Raw(img image.Image) (*image.Gray, error) {
	if size := img.Bounds().Size(); size != image.Pt(side, side) {
		return nil, fmt.Errorf("a picture of %d×%d pixels, want %d×%d", size.X, size.Y, side, side)
	}
	digit := image.NewGray(image.Rect(0, 0, side, side))
	for i, l := range lightOf(img, 1).over(0) {
		digit.Pix[i] = uint8(l*255 + 0.5)
	}
	return digit, nil
}
