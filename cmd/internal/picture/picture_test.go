// Files that are pictures, damaged pictures and no pictures, and how a camera was held.

package picture

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"runtime"
	"strings"
	"testing"
)

// header is the beginning of a PNG that claims to have so many pixels.
func header(w, h uint32) []byte {
	chunk := append([]byte("IHDR"), make([]byte, 13)...)
	binary.BigEndian.PutUint32(chunk[4:], w)
	binary.BigEndian.PutUint32(chunk[8:], h)
	chunk[12], chunk[13] = 8, 6
	file := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), chunk...)
	return binary.BigEndian.AppendUint32(file, crc32.ChecksumIEEE(chunk))
}

// figure is a picture of 3×2 pixels that is different in each.
func figure() *image.Gray {
	return &image.Gray{Pix: []byte{10, 60, 110, 150, 200, 250}, Stride: 3, Rect: image.Rect(0, 0, 3, 2)}
}

func encoded(t testing.TB, img image.Image, format string) []byte {
	t.Helper()
	var b bytes.Buffer
	err := map[string]func() error{
		"png":  func() error { return png.Encode(&b, img) },
		"jpeg": func() error { return jpeg.Encode(&b, img, &jpeg.Options{Quality: 100}) },
		"gif":  func() error { return gif.Encode(&b, img, nil) },
	}[format]()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRead(t *testing.T) {
	for _, format := range []string{"png", "jpeg", "gif"} {
		file := encoded(t, figure(), format)
		img, err := Read(bytes.NewReader(file))
		if err != nil || img.Bounds().Size() != image.Pt(3, 2) {
			t.Errorf("%s: %v", format, err)
		}
		for n := range len(file) - 1 {
			if img, err := Read(bytes.NewReader(file[:n])); err == nil && (img == nil || format == "png" && n < len(file)-12) || err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("%s, the first %d of %d bytes: error %v", format, n, len(file), err)
			}
		}
	}
}

// noPixels is a GIF with a screen of 10×10 pixels and an image of none.
const noPixels = "GIF89a\x0a\x00\x0a\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x01\x2c\x00;"

func TestReadRefuses(t *testing.T) {
	whole := encoded(t, figure(), "png")
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-18] ^= 1
	wide := encoded(t, figure(), "jpeg")
	at := bytes.Index(wide, []byte{0xFF, 0xC0}) // start of frame
	copy(wide[at+5:], []byte{0xFF, 0xFF, 0xFF, 0xFF})
	for want, file := range map[string][]byte{
		"the file is empty":                                         nil,
		"not a PNG, JPEG or GIF picture":                            []byte("%PDF-1.7 a document"),
		"over the limit of 64 million":                              header(100000, 100000),
		"a picture of 65535×65535 pixels, over":                     wide,
		"cut short":                                                 whole[:len(whole)-20],
		"the picture is damaged: png: invalid format: zlib: inv":    flipped,
		"the picture is damaged: png: invalid format: non-positive": header(0, 0),
		"a picture of 0×0 pixels":                                   []byte("GIF89a\x00\x00\x00\x00\x00\x00\x00;"),
		"the first image has no pixels":                             []byte(noPixels),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Read(bytes.NewReader(file))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
			t.Errorf("%s: %d bytes were taken", want, took)
		}
	}
	if _, err := Read(bytes.NewReader(append(whole, make([]byte, maxBytes)...))); err == nil || err.Error() != "the file is over the limit of 64 MiB" {
		t.Errorf("a long file: error %v", err)
	}
}

func TestRaw(t *testing.T) {
	img := image.NewNRGBA(image.Rect(3, 4, 3+side, 4+side))
	img.Set(3, 4, color.White)
	img.Set(4, 4, color.NRGBA{255, 255, 255, 128})
	img.Set(3, 5, color.Gray{77})
	for x, c := range []color.RGBA{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}} {
		img.Set(3+x, 6, c)
	}
	digit, err := Raw(img)
	if err == nil && !bytes.Equal(digit.Pix[2*side:2*side+3], []byte{76, 150, 29}) {
		t.Errorf("red, green and blue are %v, want 0.299, 0.587 and 0.114 of 255", digit.Pix[2*side:2*side+3])
	}
	if err != nil || digit.Pix[0] != 255 || digit.Pix[1] != 128 || digit.Pix[side] != 77 || digit.Pix[2] != 0 {
		t.Errorf("%v, error %v", digit.Pix[:side+1], err)
	}
	for v := range 256 {
		img.Set(3, 4, color.Gray{uint8(v)})
		if digit, _ := Raw(img); int(digit.Pix[0]) != v {
			t.Errorf("grey %d has become %d", v, digit.Pix[0])
		}
	}
	if _, err := Raw(figure()); err == nil || err.Error() != "a picture of 3×2 pixels, want 28×28" {
		t.Errorf("error %v", err)
	}
}

// exif is a JPEG file that begins with a camera's note of how it was held, in either order
// of bytes.
func exif(file []byte, order binary.AppendByteOrder, orientation uint16) []byte {
	tiff := []byte("MM")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		tiff = []byte("II")
	}
	tiff = order.AppendUint32(order.AppendUint16(tiff, 42), 8)
	tiff = order.AppendUint16(tiff, 2) // entries
	for _, entry := range [][2]uint16{{0x0100, 9}, {0x0112, orientation}} {
		tiff = order.AppendUint32(order.AppendUint16(order.AppendUint16(tiff, entry[0]), 3), 1)
		tiff = order.AppendUint16(order.AppendUint16(tiff, entry[1]), 0)
	}
	segment := append([]byte("Exif\x00\x00"), tiff...)
	head := binary.BigEndian.AppendUint16([]byte{0xFF, 0xD8, 0xFF, 0xE1}, uint16(len(segment)+2))
	return append(append(head, segment...), file[2:]...)
}

// The eight orientations, as Exif's table has them: on which side of the picture the
// file's first row and its first column are.
func TestOrientation(t *testing.T) {
	want := map[uint16]string{
		1: "abc def",  // top, left
		2: "cba fed",  // top, right
		3: "fed cba",  // bottom, right
		4: "def abc",  // bottom, left
		5: "ad be cf", // left, top
		6: "da eb fc", // right, top
		7: "fc eb da", // right, bottom
		8: "cf be ad", // left, bottom
		9: "abc def",  // none
	}
	letters := image.NewGray(image.Rect(0, 0, 48, 32)) // 16×16 pixels for each
	for i := range letters.Pix {
		letters.Pix[i] = uint8(10 + 40*(i%48/16+3*(i/48/16)))
	}
	file := encoded(t, letters, "jpeg")
	for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
		for o, want := range want {
			img, err := Read(bytes.NewReader(exif(file, order, o)))
			if err != nil {
				t.Fatal(err)
			}
			var rows []string
			for y := 8; y < img.Bounds().Dy(); y += 16 {
				row := ""
				for x := 8; x < img.Bounds().Dx(); x += 16 {
					row += string(rune('a' + (color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y+10)/40))
				}
				rows = append(rows, row)
			}
			if got := strings.Join(rows, " "); got != want {
				t.Errorf("orientation %d: %s, want %s", o, got, want)
			}
		}
	}
}

// Whatever a file says of its orientation, reading it does not fail.
func FuzzOrientation(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff"))
	f.Add(exif([]byte{0xFF, 0xD8}, binary.BigEndian, 6))
	f.Add(exif([]byte{0xFF, 0xD8}, binary.LittleEndian, 8))
	f.Fuzz(func(t *testing.T, file []byte) {
		if o := orientation(file); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
	})
}

// Whatever a file has in it, reading it gives an error or a picture with pixels, as many
// as its header says at most, and each digit that is found in it lies in it and has ink. The pictures are small,
// so that many are tried.
func FuzzPicture(f *testing.F) {
	stroke := image.NewGray(image.Rect(0, 0, side, side))
	copy(stroke.Pix[400:], bytes.Repeat([]byte{255}, 15))
	for _, img := range []image.Image{figure(), stroke} {
		for _, format := range []string{"png", "jpeg", "gif"} {
			f.Add(encoded(f, img, format))
		}
	}
	f.Add(exif(encoded(f, stroke, "jpeg"), binary.BigEndian, 6))
	f.Add([]byte(noPixels))
	f.Fuzz(func(t *testing.T, file []byte) {
		header, _, err := image.DecodeConfig(bytes.NewReader(file))
		if err == nil && header.Width*header.Height > 1600 {
			return
		}
		img, err := Read(bytes.NewReader(file))
		if err != nil {
			return
		}
		if size := img.Bounds().Size(); size.X*size.Y == 0 || size.X*size.Y > header.Width*header.Height {
			t.Fatalf("%v pixels, the header says %d×%d", size, header.Width, header.Height)
		}
		digits, err := Find(img, certain)
		if (err == nil) != (len(digits) > 0) || len(digits) > maxDigits {
			t.Errorf("%d digits, error %v", len(digits), err)
		}
		for _, d := range digits {
			if Center(Thicken(d.Ink)) == nil || d.Box.Empty() || !d.Box.In(image.Rectangle{Max: img.Bounds().Size()}) {
				t.Errorf("the ink at %v gives no digit", d.Box)
			}
		}
		if raw, err := Raw(img); (err == nil) != (img.Bounds().Size() == image.Pt(side, side)) || err == nil && len(raw.Pix) != side*side {
			t.Errorf("%d grey values of %v, error %v", len(raw.Pix), img.Bounds(), err)
		}
	})
}
