// Arrays in files as NumPy writes and reads them: an .npz archive is a zip of .npy
// arrays. Not here: what the arrays mean, and files; readers, writers and the name
// of a file in an error are the caller's.

package mlp

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	maxMember    = 1 << 30 // bytes of a member, and of the float64s made of it
	maxMembers   = 1<<16 - 2
	maxDirectory = 20 << 20 // bytes: maxMembers with the longest names
	maxNPYHeader = 1 << 16  // bytes; NumPy writes 118
)

// A Member is one entry of an .npz archive: an array, or bytes that NumPy lets be.
type Member struct {
	Name   string  // of an array without .npy, as np.load shows it
	Matrix *Matrix // nil for bytes
	Bytes  []byte
}

// WriteNPZ writes an archive of the members, in their order, as numpy.savez does:
// arrays as little-endian float64 in C order, nothing compressed. The same members
// give the same bytes. A member that it refuses leaves w as it was.
func WriteNPZ(w io.Writer, members ...Member) error {
	seen, total := map[string]bool{}, int64(0)
	for _, m := range members {
		if m.Matrix != nil {
			m.Matrix.check("WriteNPZ: " + m.Name)
		}
		if err := checkName(m.Name, seen); err != nil {
			return err
		}
		if total += m.size(); m.size() > maxMember || total > 2*maxMember || len(members) > maxMembers {
			return FormatError(fmt.Sprintf("%s: over the limits of %d bytes in a member, twice that and %d members in all", m.Name, maxMember, maxMembers))
		}
	}
	zw := zip.NewWriter(w)
	for _, m := range members {
		if err := m.write(zw); err != nil {
			return err
		}
	}
	return zw.Close()
}

func (m Member) size() int64 {
	if m.Matrix == nil {
		return int64(len(m.Bytes))
	}
	return 128 + 8*int64(len(m.Matrix.Data))
}

// write adds m to the zip. Sizes and checksum stand before the data, as some
// programs want them, and the date is 1 January 1980, as NumPy's.
func (m Member) write(zw *zip.Writer) error {
	name, size, sum := m.Name, uint64(m.size()), crc32.NewIEEE()
	if m.Matrix != nil {
		name += ".npy"
	}
	if err := m.content(sum); err != nil {
		return err
	}
	w, err := zw.CreateRaw(&zip.FileHeader{
		Name: name, Flags: 1 << 11, Method: zip.Store, // the flag says that the name is UTF-8
		CreatorVersion: 20, ReaderVersion: 20, ModifiedDate: 1<<5 | 1,
		CRC32: sum.Sum32(), CompressedSize64: size, UncompressedSize64: size,
	})
	if err != nil {
		return err
	}
	return m.content(w)
}

// content writes the bytes, or the array as NumPy saves it: 128 bytes of header,
// then the elements.
func (m Member) content(w io.Writer) error {
	if m.Matrix == nil {
		_, err := w.Write(m.Bytes)
		return err
	}
	dict := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", m.Matrix.Rows, m.Matrix.Cols)
	if _, err := fmt.Fprintf(w, "\x93NUMPY\x01\x00%c\x00%-117s\n", 118, dict); err != nil {
		return err
	}
	return writeElements(w, m.Matrix.Data)
}

// writeElements writes x as little-endian float64.
func writeElements(w io.Writer, x []float64) error {
	some := make([]byte, 0, min(8*len(x), 1<<13))
	for chunk := range slices.Chunk(x, 1<<10) {
		some = some[:0]
		for _, v := range chunk {
			some = binary.LittleEndian.AppendUint64(some, math.Float64bits(v))
		}
		if _, err := w.Write(some); err != nil {
			return err
		}
	}
	return nil
}

// checkName refuses names that are not short, plain, relative paths, or not new,
// so that what is left can stand in an error and in NumPy's list.
func checkName(name string, seen map[string]bool) error {
	odd := func(r rune) bool { return !strconv.IsPrint(r) }
	if len(name) > 255 || !fs.ValidPath(name) || strings.HasSuffix(name, ".npy") || strings.ContainsFunc(name, odd) {
		return FormatError(fmt.Sprintf("a member is named %.60q", name))
	}
	if seen[name] {
		return FormatError(name + ": two members of this name")
	}
	seen[name] = true
	return nil
}

// An NPZ is an opened archive. It is safe for concurrent use if its reader is.
type NPZ struct {
	arrays []string
	files  map[string]*zip.File // by name without .npy
}

// OpenNPZ opens the archive of size bytes in r and reads its directory. Members
// are read when they are asked for.
//
// An archive has at most 65,534 members, names that differ and are plain, and
// nothing before it or after. No size in it is believed: memory grows with the
// bytes that are there, and an array has at most 1 GiB. An error is one line; a
// changed bit either leads to one or changes nothing that can be read.
func OpenNPZ(r io.ReaderAt, size int64) (*NPZ, error) {
	at, count, err := findDirectory(r, size)
	if err != nil {
		return nil, err
	}
	zr, err := zip.NewReader(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return nil, fmt.Errorf("the archive's directory: %w", err)
	}
	z, seen := &NPZ{files: map[string]*zip.File{}}, map[string]bool{}
	room := at // for the members, before the directory
	for _, f := range zr.File {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if err := checkName(name, seen); err != nil {
			return nil, err
		}
		header, err := checkEntry(r, at, f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if f.CompressedSize64 > uint64(max(0, room-header)) {
			return nil, FormatError(name + ": shares its bytes with other members")
		}
		room -= header + int64(f.CompressedSize64)
		at += int64(46 + len(f.Name) + len(f.Extra) + len(f.Comment))
		z.files[name] = f
		if isArray {
			z.arrays = append(z.arrays, name)
		}
	}
	if len(zr.File) != count || at != size-22 {
		return nil, FormatError(fmt.Sprintf("the archive's directory: not of just the %d members that it claims", count))
	}
	return z, nil
}

// findDirectory looks at the record that ends a zip, so that package zip, which
// would search for one, takes no other: it is the last 22 bytes, before it is a
// directory of the size it gives, and before that as many bytes as it says.
func findDirectory(r io.ReaderAt, size int64) (at int64, count int, err error) {
	var start [4]byte
	if n, err := r.ReadAt(start[:], 0); err != nil && err != io.EOF {
		return 0, 0, err
	} else if s := string(start[:n]); s != "PK\x03\x04" && s != "PK\x05\x06" {
		return 0, 0, FormatError(fmt.Sprintf("not an .npz archive: it begins with %q", s))
	}
	var tail [20 + 22]byte // a record of a zip64 comes first
	n := max(0, min(size, int64(len(tail))))
	if read, err := r.ReadAt(tail[int64(len(tail))-n:], size-n); int64(read) < n {
		return 0, 0, err
	}
	end := tail[20:]
	at, count = int64(binary.LittleEndian.Uint32(end[16:])), int(binary.LittleEndian.Uint16(end[10:]))
	directory := int64(binary.LittleEndian.Uint32(end[12:]))
	switch {
	case string(end[:4]) != "PK\x05\x06" || at+directory+22 != size:
		return 0, 0, FormatError("an .npz archive that was cut short or added to")
	case count > maxMembers || directory > maxDirectory || string(tail[:4]) == "PK\x06\x07":
		return 0, 0, FormatError("an .npz archive of too many members or bytes")
	}
	return at, count, nil
}

// checkEntry compares the two places that name a member: the entry at this offset,
// which f is of, and the header before the data, whose bytes it counts. No checksum
// covers them.
func checkEntry(r io.ReaderAt, at int64, f *zip.File) (header int64, err error) {
	var entry [46]byte
	if n, err := r.ReadAt(entry[:], at); n < len(entry) {
		return 0, err
	}
	local := make([]byte, 30+len(f.Name))
	n, err := r.ReadAt(local, int64(binary.LittleEndian.Uint32(entry[42:])))
	if err != nil && err != io.EOF {
		return 0, err
	}
	if n < len(local) || int(binary.LittleEndian.Uint16(local[26:])) != len(f.Name) || string(local[30:]) != f.Name {
		return 0, FormatError("has another name where its data are")
	}
	return int64(len(local)) + int64(binary.LittleEndian.Uint16(local[28:])), nil
}

// Names returns the names of the arrays, without .npy, in the archive's order.
func (z *NPZ) Names() []string { return z.arrays }

// Matrix reads an array of rank 0, as 1×1, 1, as 1×n, or 2. Its elements may be
// floats, integers, rounded beyond 2⁵³, or bools, of either byte and index order.
func (z *NPZ) Matrix(name string) (*Matrix, error) {
	var x *Matrix
	data, err := z.read(name, name+".npy", maxMember)
	if err == nil {
		x, err = parseNPY(data)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return x, nil
}

// Bytes reads a member that is no array and has at most most bytes. The error
// wraps [fs.ErrNotExist], as Matrix's does, where there is no such member.
func (z *NPZ) Bytes(name string, most int) ([]byte, error) {
	data, err := z.read(name, name, most)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// read reads a member, called file in the zip, twice: the first time it keeps
// nothing and learns that the size and the checksum in the directory are true.
func (z *NPZ) read(name, file string, most int) ([]byte, error) {
	f := z.files[name]
	switch {
	case f == nil || f.Name != file:
		return nil, fmt.Errorf("%w in the archive", fs.ErrNotExist)
	case f.Flags&1 != 0:
		return nil, FormatError("encrypted")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return nil, FormatError(fmt.Sprintf("packed by method %d, want 0 (stored) or 8 (deflated)", f.Method))
	case f.UncompressedSize64 > uint64(max(most, 0)):
		return nil, FormatError(fmt.Sprintf("claims %d bytes, over the limit of %d", f.UncompressedSize64, most))
	}
	sum := crc32.NewIEEE()
	if err := copyMember(sum, f); err != nil {
		return nil, err
	}
	if sum.Sum32() != f.CRC32 { // package zip takes 0 for none
		return nil, zip.ErrChecksum
	}
	data := bytes.NewBuffer(make([]byte, 0, f.UncompressedSize64+bytes.MinRead))
	err := copyMember(data, f)
	return data.Bytes(), err
}

// copyMember unpacks f to w, to its end, where package zip compares size and sum.
func copyMember(w io.Writer, f *zip.File) error {
	r, err := f.Open()
	if err != nil {
		return stoppedAt(0, int(f.UncompressedSize64), err)
	}
	defer r.Close()
	n, err := io.Copy(w, r)
	if err != nil {
		return stoppedAt(int(n), int(f.UncompressedSize64), err)
	}
	return nil
}

// parseNPY makes the matrix of an .npy array.
func parseNPY(data []byte) (*Matrix, error) {
	text, data, err := cutNPYHeader(data)
	if err != nil {
		return nil, err
	}
	h, err := parseNPYHeader(text)
	if err != nil {
		return nil, err
	}
	if len(data) != h.rows*h.cols*h.item {
		return nil, FormatError(fmt.Sprintf("%d bytes of elements, want %d×%d of %d", len(data), h.rows, h.cols, h.item))
	}
	x := NewMatrix(h.rows, h.cols)
	for k := range x.Data {
		at := k
		if h.fortran {
			at = k%h.rows*h.cols + k/h.rows
		}
		x.Data[at] = h.number(data[k*h.item:])
	}
	return x, nil
}

// cutNPYHeader returns the text that describes an array, and its elements' bytes.
func cutNPYHeader(data []byte) (text string, elements []byte, err error) {
	if len(data) < 12 || string(data[:6]) != "\x93NUMPY" {
		return "", nil, FormatError(fmt.Sprintf("not an .npy array: it begins with %q", data[:min(len(data), 6)]))
	}
	start, length := 10, uint32(binary.LittleEndian.Uint16(data[8:]))
	switch major, minor := data[6], data[7]; {
	case major < 1 || major > 3 || minor != 0:
		return "", nil, FormatError(fmt.Sprintf("an .npy array of version %d.%d, want 1.0, 2.0 or 3.0", major, minor))
	case major > 1:
		start, length = 12, binary.LittleEndian.Uint32(data[8:])
	}
	if data = data[start:]; length > maxNPYHeader || int(length) > len(data) {
		return "", nil, FormatError(fmt.Sprintf("an .npy header of %d bytes, over the limit of %d", length, min(maxNPYHeader, len(data))))
	}
	return string(data[:length]), data[length:], nil
}

// npyHeader is what the bytes of an array are.
type npyHeader struct {
	rows, cols int
	fortran    bool // column by column
	item       int  // bytes of an element
	number     func(b []byte) float64
}

// npyEntry is one entry of a header, whose text is a dict of Python: a dtype, an
// order or a shape, followed by a comma or the end.
var npyEntry = regexp.MustCompile(`^\s*(?:` +
	`["']descr["']\s*:\s*('[^']*'|"[^"]*"|\[.*\])|` +
	`["']fortran_order["']\s*:\s*(True|False)|` +
	`["']shape["']\s*:\s*(\(\s*\)|\((?:\s*\d+\s*,)+(?:\s*\d+)?\s*\))` +
	`)\s*(?:,|$)`)

// parseNPYHeader makes sense of {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }.
func parseNPYHeader(text string) (h npyHeader, err error) {
	text = strings.TrimSpace(text)
	rest := strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}"))
	var values [4]string
	entries := 0
	for m := npyEntry.FindStringSubmatch(rest); m != nil; m = npyEntry.FindStringSubmatch(rest) {
		for i, s := range m {
			values[i] += s
		}
		rest = rest[len(m[0]):]
		entries++
	}
	descr, order, shape := values[1], values[2], values[3]
	if rest != "" || entries != 3 || descr == "" || order == "" || shape == "" || len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return h, FormatError(fmt.Sprintf("a header that is not NumPy's: %.60q", text))
	}
	h.fortran = order == "True"
	if h.rows, h.cols, err = parseShape(shape); err == nil {
		h.item, h.number, err = parseDescr(descr)
	}
	return h, err
}

// parseShape reads (), (n,) or (rows, cols).
func parseShape(shape string) (rows, cols int, err error) {
	fields := strings.FieldsFunc(shape, func(r rune) bool { return r < '0' || r > '9' })
	shape = strings.Join(strings.Fields(shape), " ")
	if len(fields) > 2 {
		return 0, 0, FormatError(fmt.Sprintf("shape %.60s is of rank %d, want at most 2", shape, len(fields)))
	}
	sizes := [2]int64{1, 1}
	for i, s := range fields {
		n, err := strconv.ParseInt(s, 10, 32)
		sizes[2-len(fields)+i] = n
		if err != nil || n > maxMember/8 || sizes[0]*sizes[1] > maxMember/8 {
			return 0, 0, FormatError(fmt.Sprintf("shape %.60s is over the limit of %d elements", shape, maxMember/8))
		}
	}
	return int(sizes[0]), int(sizes[1]), nil
}

// parseDescr reads a dtype in quotes, such as '<f8': byte order, kind, bytes. All
// orders but > are little-endian.
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
		return 0, nil, FormatError(fmt.Sprintf("dtype %.60q, want floats, integers or bools of at most 8 bytes", descr))
	}
	return int(kind[1] - '0'), number, nil
}

// float16 is the number that the bits are in IEEE 754's binary16: their fields,
// moved to where float64 has them, and the difference in bias.
func float16(bits uint16) float64 {
	wide := uint64(bits&0x8000)<<48 | uint64(bits&0x7fff)<<42
	if bits&0x7c00 == 0x7c00 { // infinite, or not a number
		return math.Float64frombits(wide | 0x7ff<<52)
	}
	return math.Float64frombits(wide) * 0x1p1008
}
