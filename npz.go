// NumPy's files: a .npy file is an array, and an .npz archive is a zip of such files. Readers
// of other formats share FormatError and stoppedAt.

package mlp

import (
	"archive/zip"
	"bytes"
	"compress/flate"
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
	maxMember    = 1 << 30       // bytes of a member, unpacked, and of the float64s of an array
	maxArchive   = 2 * maxMember // bytes of all members that are written, and of the float64s of all arrays that are read
	maxMembers   = 1<<16 - 2     // more members need the zip64 format
	maxDirectory = 20 << 20      // bytes: maxMembers entries with the longest names
	maxNPYHeader = 1 << 16       // bytes of the header of an array
)

// A FormatError says what is wrong with the content of a file.
type FormatError string

func (e FormatError) Error() string { return string(e) }

// formatErrorf formats like fmt.Sprintf and returns the text as a FormatError.
func formatErrorf(format string, args ...any) error {
	return FormatError(fmt.Sprintf(format, args...))
}

// stoppedAt wraps err, the reason why reading stopped after at of size unpacked bytes. It
// turns io.EOF into io.ErrUnexpectedEOF, because more bytes were due.
func stoppedAt(at, size int, err error) error {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("stopped at byte %d of %d: %w", at, size, err)
}

// ReadNPZ reads all arrays of an .npz archive of size bytes, and returns them by the
// names that np.load shows. It leaves out members of the archive that are not arrays.
//
// An array of rank 0 becomes 1×1, one of rank 1 with n elements becomes 1×n, one of rank 2
// keeps its shape, and one of rank 3, k×n×m, becomes k·n×m. The elements may be floats, integers or bools of at most
// 8 bytes, in either byte order and in C or Fortran order. Integers beyond 2⁵³ are
// rounded.
//
// ReadNPZ does not trust the sizes that an archive claims: it takes at most 64 MiB plus
// ten times the unpacked bytes of the members. As float64, one array may have 1 GiB, and
// all arrays together 2 GiB. An archive may have 65,534 members, whose names must be
// different, printable, relative paths. r must have nothing before the archive or after
// it. An error is one line, and names the array if one is at fault. If one bit of the
// archive is changed, ReadNPZ fails or returns the same arrays.
func ReadNPZ(r io.ReaderAt, size int64) (map[string]*Matrix, error) {
	z, err := openNPZ(r, size)
	if err != nil {
		return nil, err
	}
	arrays := map[string]*Matrix{}
	for _, name := range z.arrays {
		arrays[name] = new(Matrix)
		if err := z.matrix(arrays[name], name); err != nil {
			return nil, err
		}
	}
	return arrays, nil
}

// An npz is an open archive, whose members are read when they are asked for. Only one
// goroutine may use it at a time.
type npz struct {
	r       io.ReaderAt
	arrays  []string            // their names, in the archive's order
	members map[string]zipEntry // all members, by name without .npy
	total   int64               // bytes of the float64s of all arrays that were read
	limit   int64               // the most that total may become

	// Of a model's file: how many networks W1 has, or 0 if it has two axes, which of them is being
	// read, and the arrays of all of them.
	networks, network int
	stacks            map[string]*Matrix
}

// A zipEntry is what the directory of the archive says about a member.
type zipEntry struct {
	isArray       bool // the name in the archive ends with .npy
	flags, method uint16
	sum           uint32 // CRC-32 of the unpacked bytes
	at            int64  // the first of the packed bytes
	packed, size  int64  // how many bytes the member has in the archive, and unpacked
}

// openNPZ opens the archive of size bytes in r, under the limits that ReadNPZ documents. It
// reads the directory itself, because package zip would look for one in other places too.
//
//	0           begin     size-22      size
//	|  members  |  directory  |  record  |
//
// An entry of the directory has 46 bytes of numbers at fixed places, then the name of the
// member, an extra field and a comment.
func openNPZ(r io.ReaderAt, size int64) (*npz, error) {
	directory, count, err := readDirectory(r, size)
	if err != nil {
		return nil, err
	}
	z := &npz{r: r, members: map[string]zipEntry{}, limit: maxArchive}
	unclaimed := size - 22 - int64(len(directory)) // bytes that no member has claimed yet
	for ; count > 0 && len(directory) >= 46 && string(directory[:4]) == "PK\x01\x02"; count-- {
		field := func(at int) int { return int(binary.LittleEndian.Uint16(directory[at:])) }
		wide := func(at int) int64 { return int64(binary.LittleEndian.Uint32(directory[at:])) }
		nameEnd := 46 + field(28)
		end := nameEnd + field(30) + field(32)
		if end > len(directory) {
			break
		}
		inZip := string(directory[46:nameEnd])
		name, isArray := strings.CutSuffix(inZip, ".npy")
		if !isPlain(name) {
			return nil, formatErrorf("a member is named %.60q", name)
		}
		if _, ok := z.members[name]; ok {
			return nil, FormatError(name + ": two members of this name")
		}
		e := zipEntry{isArray, uint16(field(8)), uint16(field(10)), uint32(wide(16)), 0, wide(20), wide(24)}
		header := wide(42)
		if e.at, err = dataOf(r, header, inZip); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		// Members that share their bytes could unpack to many times the size of the file.
		if unclaimed -= e.at + e.packed - header; unclaimed < 0 {
			return nil, formatErrorf("%s: its %d bytes are not in the archive, or are another member's too", name, e.packed)
		}
		if z.members[name] = e; isArray {
			z.arrays = append(z.arrays, name)
		}
		directory = directory[end:]
	}
	if count > 0 || len(directory) > 0 {
		return nil, FormatError("the archive's directory does not hold exactly the members that it claims")
	}
	return z, nil
}

// readDirectory returns the directory of the archive, and how many entries it claims to
// have. The record of 22 bytes that ends a zip says both. It must be the last 22 bytes of
// the file, without a comment after it, and the directory must end at the record.
func readDirectory(r io.ReaderAt, size int64) (directory []byte, count int, err error) {
	var start [4]byte
	if n, err := r.ReadAt(start[:], 0); err != nil && err != io.EOF {
		return nil, 0, err
	} else if s := string(start[:n]); s != "PK\x03\x04" && s != "PK\x05\x06" {
		return nil, 0, formatErrorf("not an .npz archive: it begins with %q", s)
	}
	var tail [20 + 22]byte // a zip64 has 20 bytes more before the record
	n := max(0, min(size, int64(len(tail))))
	if read, err := r.ReadAt(tail[int64(len(tail))-n:], size-n); int64(read) < n {
		return nil, 0, err
	}
	record := tail[20:]
	count = int(binary.LittleEndian.Uint16(record[10:]))
	length, begin := binary.LittleEndian.Uint32(record[12:]), int64(binary.LittleEndian.Uint32(record[16:]))
	switch {
	case string(record[:4]) != "PK\x05\x06" || string(record[20:]) != "\x00\x00" || begin+int64(length)+22 != size:
		return nil, 0, FormatError("an .npz archive that was cut short or added to")
	case count > maxMembers || length > maxDirectory || string(tail[:4]) == "PK\x06\x07":
		return nil, 0, FormatError("an .npz archive of too many members or bytes")
	}
	directory = make([]byte, length)
	if n, err := r.ReadAt(directory, begin); n < len(directory) {
		return nil, 0, err
	}
	return directory, count, nil
}

// dataOf returns the offset of a member's data, which follow a header that repeats its name. No
// checksum covers the two names, so they must be the same.
func dataOf(r io.ReaderAt, header int64, name string) (at int64, err error) {
	b := make([]byte, 30+len(name))
	n, err := r.ReadAt(b, header)
	if err != nil && err != io.EOF {
		return 0, err
	}
	length, extra := int(binary.LittleEndian.Uint16(b[26:])), int64(binary.LittleEndian.Uint16(b[28:]))
	if n < len(b) || string(b[:4]) != "PK\x03\x04" || length != len(name) || string(b[30:]) != name {
		return 0, FormatError("its name in the directory differs from its name before the data")
	}
	return header + int64(len(b)) + extra, nil
}

// isPlain reports whether a name is a short, printable, relative path, so that an error may
// quote it.
func isPlain(name string) bool {
	odd := func(r rune) bool { return !strconv.IsPrint(r) }
	return len(name) <= 255 && fs.ValidPath(name) && !strings.HasSuffix(name, ".npy") && !strings.ContainsFunc(name, odd)
}

// has reports whether there is an array of that name.
func (z *npz) has(name string) bool { return z.members[name].isArray }

// matrix sets x to the array of that name. If there is none, the error wraps fs.ErrNotExist.
func (z *npz) matrix(x *Matrix, name string) error {
	_, err := z.stacked(x, name)
	return err
}

// stacked is matrix. It returns the length of the first of three axes, or 0.
func (z *npz) stacked(x *Matrix, name string) (stack int, err error) {
	data, err := z.read(name, true, maxMember)
	if err == nil {
		stack, err = parseNPY(x, data)
	}
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	if z.total += 8 * int64(len(x.Data)); z.total > z.limit {
		return 0, formatErrorf("%s: the arrays up to here take %d bytes as float64, over the limit of %d in all", name, z.total, z.limit)
	}
	return stack, nil
}

// layer sets x to the array of that name or, in the file of an ensemble, to the part of the
// network that is being read. The first array, W1, says how many networks there are.
func (z *npz) layer(x *Matrix, name string) error {
	if z.stacks != nil && z.networks == 0 {
		stack, err := z.stacked(x, name)
		if err == nil && stack > 0 {
			err = formatErrorf("%s: three axes, W1 has two", name)
		}
		return err
	}
	all := z.stacks[name]
	if all == nil {
		all = new(Matrix)
		stack, err := z.stacked(all, name)
		switch {
		case err != nil:
			return err
		case stack > maxNetworks:
			return formatErrorf("%s: of %d networks, more than %d", name, stack, maxNetworks)
		case z.stacks == nil:
			z.networks, z.stacks = stack, map[string]*Matrix{}
			if stack == 0 {
				*x = *all
				return nil
			}
		case stack != z.networks:
			return formatErrorf("%s: the first of three axes is %d, that of W1 is %d", name, stack, z.networks)
		}
		z.stacks[name] = all
	}
	size := len(all.Data) / max(1, z.networks)
	copy(x.Reset(all.Rows/max(1, z.networks), all.Cols).Data, all.Data[z.network*size:])
	return nil
}

// read returns the unpacked bytes, at most limit, of the member of that name. If there is
// none that is an array's file, or none that is not, the error wraps fs.ErrNotExist. read
// unpacks a member twice: the first time it keeps nothing and checks the size that the
// directory claims; the second time it unpacks into memory of that size.
func (z *npz) read(name string, isArray bool, limit int64) ([]byte, error) {
	e, ok := z.members[name]
	switch {
	case !ok || e.isArray != isArray:
		return nil, fmt.Errorf("%w in the archive", fs.ErrNotExist)
	case e.flags&1 != 0:
		return nil, FormatError("encrypted")
	case e.method != zip.Store && e.method != zip.Deflate:
		return nil, formatErrorf("packed by method %d, want 0 (stored) or 8 (deflated)", e.method)
	case e.size > limit:
		return nil, formatErrorf("claims %d bytes, over the limit of %d", e.size, limit)
	}
	if err := z.unpack(io.Discard, e); err != nil {
		return nil, err
	}
	data := bytes.NewBuffer(make([]byte, 0, e.size))
	err := z.unpack(data, e)
	return data.Bytes(), err
}

// unpack writes the content of a member to w. It returns an error unless the content has
// the size and the checksum that the directory claims.
func (z *npz) unpack(w io.Writer, e zipEntry) error {
	var r io.Reader = io.NewSectionReader(z.r, e.at, e.packed)
	if e.method == zip.Deflate {
		r = flate.NewReader(r)
	}
	sum := crc32.NewIEEE()
	n, err := io.CopyN(io.MultiWriter(w, sum), r, e.size+1)
	switch {
	case err == nil:
		return formatErrorf("unpacks to more than the %d bytes that it claims", e.size)
	case err != io.EOF || n < e.size:
		return stoppedAt(int(n), int(e.size), err)
	case sum.Sum32() != e.sum:
		return FormatError("its checksum is wrong")
	}
	return nil
}

// parseNPY sets x to the array of a .npy file: six bytes that name the format, two of its
// version, the length of the header, the header, and the elements, which nothing may follow. It
// returns the length of the first of three axes, which x has as rows, or 0.
func parseNPY(x *Matrix, file []byte) (stack int, err error) {
	if start := file[:min(len(file), 6)]; string(start) != "\x93NUMPY" {
		return 0, formatErrorf("not an .npy array: it begins with %q", start)
	}
	if len(file) < 12 { // no header is so short
		return 0, formatErrorf("an .npy array that was cut short after %d bytes", len(file))
	}
	rest, length := file[10:], uint32(binary.LittleEndian.Uint16(file[8:]))
	switch major, minor := file[6], file[7]; {
	case major < 1 || major > 3 || minor != 0:
		return 0, formatErrorf("an .npy array of version %d.%d, want 1.0, 2.0 or 3.0", major, minor)
	case major > 1:
		rest, length = file[12:], binary.LittleEndian.Uint32(file[8:])
	}
	switch {
	case length > maxNPYHeader:
		return 0, formatErrorf("the header claims %d bytes, over the limit of %d", length, maxNPYHeader)
	case int(length) > len(rest):
		return 0, formatErrorf("the header claims %d bytes, %d are left", length, len(rest))
	}
	header, elements := strings.TrimSpace(string(rest[:length])), rest[length:]
	inside, hasEnd := strings.CutSuffix(header, "}")
	items := npyItems.FindStringSubmatch(inside)
	if !hasEnd || items == nil || slices.Contains(items, "") {
		return 0, formatErrorf("a header that is not NumPy's: %.60q", header)
	}
	descr, order, shape := strings.Trim(items[1], `'"`), items[2], items[3]
	axes, err := parseShape(shape)
	if err != nil {
		return 0, err
	}
	size, number, err := parseDescr(descr)
	if err != nil {
		return 0, err
	}
	n, rows, cols := max(1, axes[0]), axes[1], axes[2]
	if len(elements) != n*rows*cols*size {
		return 0, formatErrorf("%d bytes of elements, want %s of %d", len(elements), strings.TrimPrefix(fmt.Sprintf("%d×%d×%d", axes[0], rows, cols), "0×"), size)
	}
	x.Reset(n*rows, cols)
	for k := range x.Data {
		at := k
		if order == "True" { // Fortran's: the first index runs fastest
			at = (k%n*rows+k/n%rows)*cols + k/n/rows
		}
		x.Data[at] = number(elements[k*size:])
	}
	return axes[0], nil
}

// npyItems matches a header without its last brace. The header is a dict in Python, such as
// {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }, whose items may have any order.
// The groups are their values. One is empty if its item is missing and another is there twice.
var npyItems = regexp.MustCompile(`^\{(?:\s*(?:` +
	`["']descr["']\s*:\s*('[^']*'|"[^"]*"|\[.*\])|` +
	`["']fortran_order["']\s*:\s*(True|False)|` +
	`["']shape["']\s*:\s*(\(\s*\)|\((?:\s*\d+\s*,)+(?:\s*\d+)?\s*\))` +
	`)\s*(?:,|$)){3}\s*$`)

// parseShape reads the shape: () is 1×1, (n,) is 1×n, and (rows, cols) is rows×cols. The first
// of the axes is 0 unless there are three.
func parseShape(shape string) (axes [3]int, err error) {
	fields := strings.FieldsFunc(shape, func(r rune) bool { return r < '0' || r > '9' })
	shape = strings.Join(strings.Fields(shape), " ") // on one line, because an error may quote it
	if len(fields) > 3 {
		return axes, formatErrorf("shape %.60s is of rank %d, want at most 3", shape, len(fields))
	}
	axes, elements := [3]int{0, 1, 1}, int64(1)
	for i, s := range fields {
		n, err := strconv.ParseInt(s, 10, 32)
		axes[3-len(fields)+i] = int(n)
		if elements *= n; err != nil || n > maxMember/8 || elements > maxMember/8 {
			return axes, formatErrorf("shape %.60s is over the limit of %d elements", shape, maxMember/8)
		}
	}
	if len(fields) == 3 && axes[0] == 0 {
		return axes, formatErrorf("shape %.60s has no elements in three axes", shape)
	}
	return axes, nil
}

// parseDescr reads a dtype, such as <f8: the byte order, the kind and the size in bytes.
// The order is big-endian if it is >, and little-endian if it is <, = or |.
func parseDescr(descr string) (size int, number func(b []byte) float64, err error) {
	var order binary.ByteOrder = binary.LittleEndian
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

// An npzMember is a member to be written: an array, or bytes that NumPy does not
// interpret.
type npzMember struct {
	Name   string  // of an array: without .npy
	Matrix *Matrix // nil for bytes
	Stack  int     // the length of the first of three axes, which is a part of the rows, or 0 if there are two
	Bytes  []byte
	Cols   int // if it is not 0, the bytes are an array of uint8 with so many columns
}

// isArray reports whether NumPy interprets the member.
func (m npzMember) isArray() bool { return m.Matrix != nil || m.Cols > 0 }

// writeNPZ writes an archive of the members, in their order, as numpy.savez does: arrays of
// little-endian float64, or of uint8, in C order, not compressed. The same members give the same bytes.
// The names must be ones that openNPZ accepts. Before writeNPZ writes anything, it returns an
// error if the members are larger than an archive may be, and panics if the elements of a
// matrix do not fill its shape.
func writeNPZ(w io.Writer, members ...npzMember) error {
	total := int64(0)
	for _, m := range members {
		if m.Matrix != nil {
			m.Matrix.mustBeFilled("writeNPZ: " + m.Name)
		}
		if m.size() > maxMember {
			return fmt.Errorf("%s: %d bytes, over the limit of %d", m.Name, m.size(), maxMember)
		}
		if total += m.size(); total > maxArchive {
			return fmt.Errorf("%s: the members up to here take %d bytes, over the limit of %d in all", m.Name, total, int64(maxArchive))
		}
	}
	if b, ok := w.(*bytes.Buffer); ok {
		const around = 512 // bytes of the archive for each member, and more than enough
		b.Grow(int(total) + around*(len(members)+1))
	}
	zw := zip.NewWriter(w)
	for _, m := range members {
		name, size, sum := m.Name, uint64(m.size()), crc32.NewIEEE()
		if m.isArray() {
			name += ".npy"
		}
		// Some programs need the size and the checksum before the data. So the content is
		// written twice, the first time only to compute the checksum.
		m.write(sum)
		to, err := zw.CreateRaw(&zip.FileHeader{
			Name: name, Flags: 1 << 11, Method: zip.Store, // the flag says that the name is UTF-8
			CreatorVersion: 20, ReaderVersion: 20, ModifiedDate: 1<<5 | 1, // 1 January 1980, like NumPy's
			CRC32: sum.Sum32(), CompressedSize64: size, UncompressedSize64: size,
		})
		if err == nil {
			err = m.write(to)
		}
		if err != nil {
			return err
		}
	}
	return zw.Close()
}

const npyHeaderSize = 128 // bytes before the elements, as NumPy writes them

// size returns how many bytes m.write writes.
func (m npzMember) size() int64 {
	size := int64(len(m.Bytes))
	if m.Matrix != nil {
		size = 8 * int64(len(m.Matrix.Data))
	}
	if m.isArray() {
		size += npyHeaderSize
	}
	return size
}

// write writes the bytes, or the array as a .npy file.
func (m npzMember) write(w io.Writer) error {
	var descr, shape string
	switch x := m.Matrix; {
	case !m.isArray():
		_, err := w.Write(m.Bytes)
		return err
	case x == nil:
		descr, shape = "|u1", fmt.Sprintf("%d, %d", len(m.Bytes)/m.Cols, m.Cols)
	case m.Stack > 0:
		descr, shape = "<f8", fmt.Sprintf("%d, %d, %d", m.Stack, x.Rows/m.Stack, x.Cols)
	default:
		descr, shape = "<f8", fmt.Sprintf("%d, %d", x.Rows, x.Cols)
	}
	const start = "\x93NUMPY\x01\x00\x76\x00" // version 1.0, and a header of 0x76 = 118 bytes, line break included
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape)
	if _, err := fmt.Fprintf(w, "%s%-*s\n", start, npyHeaderSize-len(start)-1, header); err != nil {
		return err
	}
	if m.Matrix == nil {
		_, err := w.Write(m.Bytes)
		return err
	}
	return writeElements(w, m.Matrix.Data)
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
