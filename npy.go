// One array as NumPy writes it, an .npy file: a header that is a line of Python, then
// the elements. Not here: the archives of such files (npz.go).

package mlp

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	npyHeaderSize = 128     // bytes that writeNPY and NumPy write before the elements
	maxNPYHeader  = 1 << 16 // the most bytes that the line of a file may have
)

// writeNPY writes x as NumPy saves an array of float64.
func writeNPY(w io.Writer, x *Matrix) error {
	const start = "\x93NUMPY\x01\x00\x76\x00" // version 1.0, and a line of 0x76 = 118 bytes, line break included
	line := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", x.Rows, x.Cols)
	if _, err := fmt.Fprintf(w, "%s%-*s\n", start, npyHeaderSize-len(start)-1, line); err != nil {
		return err
	}
	return writeElements(w, x.Data)
}

// writeElements writes x as little-endian float64.
func writeElements(w io.Writer, x []float64) error {
	buffer := make([]byte, 0, min(8*len(x), 1<<13))
	for some := range slices.Chunk(x, 1<<10) {
		buffer = buffer[:0]
		for _, v := range some {
			buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(v))
		}
		if _, err := w.Write(buffer); err != nil {
			return err
		}
	}
	return nil
}

// parseNPY returns the array of an .npy file. Nothing may follow its elements.
func parseNPY(file []byte) (*Matrix, error) {
	line, elements, err := cutNPYHeader(file)
	if err != nil {
		return nil, err
	}
	h, err := parseNPYHeader(line)
	if err != nil {
		return nil, err
	}
	if len(elements) != h.rows*h.cols*h.item {
		return nil, formatErrorf("%d bytes of elements, want %d×%d of %d", len(elements), h.rows, h.cols, h.item)
	}
	x := NewMatrix(h.rows, h.cols)
	for k := range x.Data {
		at := k
		if h.fortran { // element k of the file is in row k%rows and column k/rows
			at = k%h.rows*h.cols + k/h.rows
		}
		x.Data[at] = h.number(elements[k*h.item:])
	}
	return x, nil
}

// cutNPYHeader returns the line that describes the array, and the elements.
func cutNPYHeader(file []byte) (line string, elements []byte, err error) {
	if start := file[:min(len(file), 6)]; string(start) != "\x93NUMPY" {
		return "", nil, formatErrorf("not an .npy array: it begins with %q", start)
	}
	if len(file) < 12 { // no header is so short
		return "", nil, formatErrorf("an .npy array that was cut short after %d bytes", len(file))
	}
	start, length := 10, uint32(binary.LittleEndian.Uint16(file[8:]))
	switch major, minor := file[6], file[7]; {
	case major < 1 || major > 3 || minor != 0:
		return "", nil, formatErrorf("an .npy array of version %d.%d, want 1.0, 2.0 or 3.0", major, minor)
	case major > 1:
		start, length = 12, binary.LittleEndian.Uint32(file[8:])
	}
	rest := file[start:]
	switch {
	case length > maxNPYHeader:
		return "", nil, formatErrorf("the header claims %d bytes, over the limit of %d", length, maxNPYHeader)
	case int(length) > len(rest):
		return "", nil, formatErrorf("the header claims %d bytes, %d are left", length, len(rest))
	}
	return string(rest[:length]), rest[length:], nil
}

// npyHeader is what the line says about the elements.
type npyHeader struct {
	rows, cols int
	fortran    bool                   // the elements are in the file column by column
	item       int                    // bytes of an element
	number     func(b []byte) float64 // decodes the element at the start of b
}

// npyEntry matches one entry of the line, with the comma after it. The line is a dict
// in Python, such as {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }.
var npyEntry = regexp.MustCompile(`^\s*(?:` +
	`["']descr["']\s*:\s*('[^']*'|"[^"]*"|\[.*\])|` +
	`["']fortran_order["']\s*:\s*(True|False)|` +
	`["']shape["']\s*:\s*(\(\s*\)|\((?:\s*\d+\s*,)+(?:\s*\d+)?\s*\))` +
	`)\s*(?:,|$)`)

// parseNPYHeader reads the line, which must have each of the three entries once.
func parseNPYHeader(line string) (h npyHeader, err error) {
	line = strings.TrimSpace(line)
	rest := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(line, "{"), "}"))
	var values [4]string // of the whole match, descr, fortran_order and shape
	entries := 0
	for m := npyEntry.FindStringSubmatch(rest); m != nil; m = npyEntry.FindStringSubmatch(rest) {
		for i, s := range m {
			values[i] += s
		}
		rest = rest[len(m[0]):]
		entries++
	}
	descr, order, shape := values[1], values[2], values[3]
	braces := len(line) >= 2 && line[0] == '{' && line[len(line)-1] == '}'
	if !braces || rest != "" || entries != 3 || descr == "" || order == "" || shape == "" {
		return h, formatErrorf("a header that is not NumPy's: %.60q", line)
	}
	h.fortran = order == "True"
	if h.rows, h.cols, err = parseShape(shape); err == nil {
		h.item, h.number, err = parseDescr(descr)
	}
	return h, err
}

// parseShape reads the shape: () is 1×1, (n,) is 1×n, and (rows, cols) is rows×cols.
func parseShape(shape string) (rows, cols int, err error) {
	fields := strings.FieldsFunc(shape, func(r rune) bool { return r < '0' || r > '9' })
	shape = strings.Join(strings.Fields(shape), " ") // on one line, because an error may quote it
	if len(fields) > 2 {
		return 0, 0, formatErrorf("shape %.60s is of rank %d, want at most 2", shape, len(fields))
	}
	sizes := [2]int64{1, 1}
	for i, s := range fields {
		n, err := strconv.ParseInt(s, 10, 32)
		sizes[2-len(fields)+i] = n
		if err != nil || n > maxMember/8 || sizes[0]*sizes[1] > maxMember/8 {
			return 0, 0, formatErrorf("shape %.60s is over the limit of %d elements", shape, maxMember/8)
		}
	}
	return int(sizes[0]), int(sizes[1]), nil
}

// parseDescr reads a dtype in quotes, such as '<f8': the byte order, the kind and the
// size in bytes. The order is big-endian if it is >, and little-endian if it is <, =
// or |.
func parseDescr(descr string) (item int, number func(b []byte) float64, err error) {
	var order binary.ByteOrder = binary.LittleEndian
	descr = strings.Trim(descr, `'"`)
	first, kind := descr[:min(1, len(descr))], descr[min(1, len(descr)):]
	if first == ">" {
		order = binary.BigEndian
	}
	number = map[string]func(b []byte) float64{
		"f8": func(b []byte) float64 { return math.Float64frombits(order.Uint64(b)) },
		"f4": func(b []byte) float64 { return float64(math.Float32frombits(order.Uint32(b))) },
		"f2": func(b []byte) float64 { return float16(order.Uint16(b)) },
		"i8": func(b []byte) float64 { return float64(int64(order.Uint64(b))) },
		"i4": func(b []byte) float64 { return float64(int32(order.Uint32(b))) },
		"i2": func(b []byte) float64 { return float64(int16(order.Uint16(b))) },
		"i1": func(b []byte) float64 { return float64(int8(b[0])) },
		"u8": func(b []byte) float64 { return float64(order.Uint64(b)) },
		"u4": func(b []byte) float64 { return float64(order.Uint32(b)) },
		"u2": func(b []byte) float64 { return float64(order.Uint16(b)) },
		"u1": func(b []byte) float64 { return float64(b[0]) },
		"b1": func(b []byte) float64 { return float64(min(b[0], 1)) },
	}[kind]
	if number == nil || !strings.Contains("<>=|", first) {
		return 0, nil, formatErrorf("dtype %.60q, want floats, integers or bools of at most 8 bytes", descr)
	}
	return int(kind[1] - '0'), number, nil
}

// float16 decodes an IEEE 754 binary16. It moves the sign, the exponent and the mantissa to
// their places in a float64. Then the exponent is too small by the difference of the two
// biases, 1023 − 15 = 1008, so the number is multiplied by 2¹⁰⁰⁸.
func float16(bits uint16) float64 {
	wide := uint64(bits&0x8000)<<48 | uint64(bits&0x7fff)<<42
	if bits&0x7c00 == 0x7c00 { // infinite, or not a number
		return math.Float64frombits(wide | 0x7ff<<52)
	}
	return math.Float64frombits(wide) * 0x1p1008
}
