// How a camera was held, and the picture turned upright.

package picture

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
)

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

// A turned picture is another, seen as its orientation says.
type turned struct {
	image.RGBA64Image
	orientation int
}

// upright returns the picture as it was seen through the camera.
func upright(img image.Image, orientation int) image.Image {
	if from, ok := img.(image.RGBA64Image); ok && orientation > 1 {
		return turned{from, orientation}
	}
	return img
}

// sideways reports whether columns of the picture are rows of the file.
func (t turned) sideways() bool { return t.orientation >= 5 }

// Bounds begin at (0, 0).
func (t turned) Bounds() image.Rectangle {
	size := t.RGBA64Image.Bounds().Size()
	if t.sideways() {
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
	if t.sideways() {
		x, y = y, x
	}
	from := t.RGBA64Image.Bounds().Min
	return t.RGBA64Image.RGBA64At(from.X+x, from.Y+y)
}

func (t turned) At(x, y int) color.Color { return t.RGBA64At(x, y) }
