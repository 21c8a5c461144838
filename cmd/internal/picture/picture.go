// Package picture turns a picture of digits, a photograph or a drawing, into 28×28 grey
// values like those of MNIST for each: Read, Find, Thicken, Center and Bound, in this order.
package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
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
	if from, ok := img.(image.RGBA64Image); ok {
		if o := orientation(data); o > 1 {
			img = turned{from, o}
		}
	}
	return img, nil
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
	lit, _ := brightness(img, 1)
	for i, l := range lit.v {
		digit.Pix[i] = uint8(l*255 + 0.5)
	}
	return digit, nil
}

// orientation returns the orientation that a JPEG file gives, from 1 to 8, or 1 if it
// gives none. It is the entry 0x0112 in the first directory of the TIFF structure that
// the file's APP1 segment holds (Exif 2.3, sections 4.5.4 and 4.6.4).
func orientation(file []byte) int {
	if !bytes.HasPrefix(file, []byte{0xFF, 0xD8}) {
		return 1
	}
	for file = file[2:]; len(file) >= 4 && file[0] == 0xFF && file[1] != 0xDA; {
		size := int(binary.BigEndian.Uint16(file[2:])) // of the segment without its marker
		if size < 2 || size+2 > len(file) {
			return 1
		}
		if tiff, ok := bytes.CutPrefix(file[4:2+size], []byte("Exif\x00\x00")); ok && file[1] == 0xE1 {
			return tiffOrientation(tiff)
		}
		file = file[2+size:]
	}
	return 1
}

func tiffOrientation(tiff []byte) int {
	var order binary.ByteOrder = binary.BigEndian
	if bytes.HasPrefix(tiff, []byte("II")) {
		order = binary.LittleEndian
	}
	if len(tiff) < 8 || uint64(order.Uint32(tiff[4:])) > uint64(len(tiff)-2) {
		return 1
	}
	directory := tiff[order.Uint32(tiff[4:]):]
	n := int(order.Uint16(directory))
	for entry := directory[2:]; n > 0 && len(entry) >= 12; n, entry = n-1, entry[12:] {
		if value := int(order.Uint16(entry[8:])); order.Uint16(entry) == 0x0112 && 1 <= value && value <= 8 {
			return value
		}
	}
	return 1
}

// A turned picture is another, upright: as it was seen through the camera.
type turned struct {
	image.RGBA64Image
	orientation int
}

// Bounds begin at (0, 0). From orientation 5 on, columns of the picture are rows of the file.
func (t turned) Bounds() image.Rectangle {
	size := t.RGBA64Image.Bounds().Size()
	if t.orientation >= 5 {
		size.X, size.Y = size.Y, size.X
	}
	return image.Rectangle{Max: size}
}

// RGBA64At follows the table of Exif's section 4.6.4: on which side of the picture the
// file's first row and first column are.
func (t turned) RGBA64At(x, y int) color.RGBA64 {
	b := t.Bounds()
	switch t.orientation {
	case 2, 3, 6, 7:
		x = b.Dx() - 1 - x
	}
	switch t.orientation {
	case 3, 4, 7, 8:
		y = b.Dy() - 1 - y
	}
	if t.orientation >= 5 {
		x, y = y, x
	}
	from := t.RGBA64Image.Bounds().Min
	return t.RGBA64Image.RGBA64At(from.X+x, from.Y+y)
}

func (t turned) At(x, y int) color.Color { return t.RGBA64At(x, y) }
