// NumPy's .npz archives, which are zip files of .npy arrays. Not here: how one array is
// read and written (npy.go) and what the arrays of a model mean (model.go).

package mlp

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"strconv"
	"strings"
)

const (
	maxMember    = 1 << 30       // bytes of a member, unpacked, and of the float64s of an array
	maxArchive   = 2 * maxMember // bytes of the float64s of all arrays that are read, and of all members that are written
	maxMembers   = 1<<16 - 2     // more members need the zip64 format
	maxDirectory = 20 << 20      // bytes: maxMembers entries with the longest names
)

// ReadNPZ reads all arrays of an .npz archive of size bytes, and returns them by the
// names that np.load shows. It leaves out members of the archive that are not arrays.
//
// An array of rank 0 becomes 1×1, one of rank 1 with n elements becomes 1×n, and one
// of rank 2 keeps its shape. The elements may be floats, integers or bools of at most
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
	return z.all()
}

// all reads all arrays.
func (z *npz) all() (map[string]*Matrix, error) {
	arrays := map[string]*Matrix{}
	for _, name := range z.arrays {
		x, err := z.matrix(name)
		if err != nil {
			return nil, err
		}
		arrays[name] = x
	}
	return arrays, nil
}

// An npzMember is one entry of an archive: an array, or bytes that NumPy does not
// interpret.
type npzMember struct {
	Name   string  // of an array: without .npy
	Matrix *Matrix // nil for bytes
	Bytes  []byte
}

// writeNPZ writes an archive of the members, in their order, as numpy.savez does:
// arrays of little-endian float64 in C order, not compressed. The same members give
// the same bytes. Before it writes anything, it returns an error if a member could not be
// read again, and panics if the elements of a matrix do not fill its shape.
func writeNPZ(w io.Writer, members ...npzMember) error {
	if err := checkMembers(members); err != nil {
		return err
	}
	zw := zip.NewWriter(w)
	for _, m := range members {
		if err := m.write(zw); err != nil {
			return err
		}
	}
	return zw.Close()
}

// checkMembers returns an error for members that openNPZ would refuse, or that it could
// not read.
func checkMembers(members []npzMember) error {
	if len(members) > maxMembers {
		return formatErrorf("%d members, over the limit of %d", len(members), maxMembers)
	}
	seen, total := map[string]bool{}, int64(0)
	for _, m := range members {
		if m.Matrix != nil {
			m.Matrix.mustBeFilled("writeNPZ: " + m.Name)
		}
		if err := checkName(m.Name, seen); err != nil {
			return err
		}
		if m.size() > maxMember {
			return formatErrorf("%s: %d bytes, over the limit of %d", m.Name, m.size(), maxMember)
		}
		if total += m.size(); total > maxArchive {
			return formatErrorf("%s: the members up to here take %d bytes, over the limit of %d in all", m.Name, total, int64(maxArchive))
		}
	}
	return nil
}

// size returns how many bytes m.content writes.
func (m npzMember) size() int64 {
	if m.Matrix == nil {
		return int64(len(m.Bytes))
	}
	return npyHeaderSize + 8*int64(len(m.Matrix.Data))
}

// write adds m to the zip. It puts the size and the checksum before the data, because some
// programs need them there. So it writes the content twice, the first time only to
// compute the checksum. The date is 1 January 1980, like NumPy's.
func (m npzMember) write(zw *zip.Writer) error {
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

// content writes the bytes, or the array as an .npy file.
func (m npzMember) content(w io.Writer) error {
	if m.Matrix == nil {
		_, err := w.Write(m.Bytes)
		return err
	}
	return writeNPY(w, m.Matrix)
}

// checkName adds name to those seen. It refuses a name that was seen before, or that is
// not a short, printable, relative path: an error may quote each name that it accepts.
func checkName(name string, seen map[string]bool) error {
	odd := func(r rune) bool { return !strconv.IsPrint(r) }
	if len(name) > 255 || !fs.ValidPath(name) || strings.HasSuffix(name, ".npy") || strings.ContainsFunc(name, odd) {
		return formatErrorf("a member is named %.60q", name)
	}
	if seen[name] {
		return FormatError(name + ": two members of this name")
	}
	seen[name] = true
	return nil
}

// An npz is an opened archive, whose members are read when they are asked for. Only one
// goroutine may use it at a time.
type npz struct {
	arrays []string             // their names, in the archive's order
	files  map[string]*zip.File // all members by name without .npy
	total  int64                // bytes of the float64s of all arrays that were read
	limit  int64                // the most that total may become
}

// openNPZ opens the archive of size bytes in r and reads its directory, under the
// limits that ReadNPZ documents.
func openNPZ(r io.ReaderAt, size int64) (*npz, error) {
	begin, count, err := findDirectory(r, size)
	if err != nil {
		return nil, err
	}
	zr, err := zip.NewReader(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return nil, fmt.Errorf("the archive's directory: %w", err)
	}
	z, seen := &npz{files: map[string]*zip.File{}, limit: maxArchive}, map[string]bool{}
	check := entryCheck{r: r, at: begin, unclaimed: begin}
	for _, f := range zr.File {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if err := checkName(name, seen); err != nil {
			return nil, err
		}
		if err := check.next(f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		z.files[name] = f
		if isArray {
			z.arrays = append(z.arrays, name)
		}
	}
	if len(zr.File) != count || check.at != size-22 {
		return nil, formatErrorf("the archive's directory does not hold exactly the %d members that it claims", count)
	}
	return z, nil
}

// findDirectory returns where the directory of the zip begins and how many entries it
// has. It reads the record of 22 bytes that ends a zip:
//
//	0  0        at        size-22      size
//	|  members  |  directory  |  record  |
//
// The record must be the last 22 bytes, and the directory must end at the record. Package
// zip would search for a record, and might find another one.
func findDirectory(r io.ReaderAt, size int64) (at int64, count int, err error) {
	var start [4]byte
	if n, err := r.ReadAt(start[:], 0); err != nil && err != io.EOF {
		return 0, 0, err
	} else if s := string(start[:n]); s != "PK\x03\x04" && s != "PK\x05\x06" {
		return 0, 0, formatErrorf("not an .npz archive: it begins with %q", s)
	}
	var tail [20 + 22]byte // a zip64 has 20 bytes more before the record
	n := max(0, min(size, int64(len(tail))))
	if read, err := r.ReadAt(tail[int64(len(tail))-n:], size-n); int64(read) < n {
		return 0, 0, err
	}
	record := tail[20:]
	at, count = int64(binary.LittleEndian.Uint32(record[16:])), int(binary.LittleEndian.Uint16(record[10:]))
	directory := int64(binary.LittleEndian.Uint32(record[12:]))
	switch {
	case string(record[:4]) != "PK\x05\x06" || at+directory+22 != size:
		return 0, 0, FormatError("an .npz archive that was cut short or added to")
	case count > maxMembers || directory > maxDirectory || string(tail[:4]) == "PK\x06\x07":
		return 0, 0, FormatError("an .npz archive of too many members or bytes")
	}
	return at, count, nil
}

// An entryCheck compares the entries of the directory, one after the other, with the
// members that they describe.
type entryCheck struct {
	r         io.ReaderAt
	at        int64 // the byte at which the next entry begins
	unclaimed int64 // how many of the bytes before the directory no member has claimed yet
}

// next checks the next entry, which is that of f. All members together must not claim more
// bytes than there are before the directory, because members that share their bytes could
// unpack to many times the size of the file.
func (c *entryCheck) next(f *zip.File) error {
	header, err := c.header(f)
	if err != nil {
		return err
	}
	if f.CompressedSize64 > uint64(max(0, c.unclaimed-header)) {
		return FormatError("shares its bytes with other members")
	}
	c.unclaimed -= header + int64(f.CompressedSize64)
	c.at += int64(46 + len(f.Name) + len(f.Extra) + len(f.Comment))
	return nil
}

// header returns the size of the header before the data of f. The name of a member is in
// its entry and in this header, and no checksum covers it, so the two must be the same.
func (c *entryCheck) header(f *zip.File) (size int64, err error) {
	var entry [46]byte
	if n, err := c.r.ReadAt(entry[:], c.at); n < len(entry) {
		return 0, err
	}
	local := make([]byte, 30+len(f.Name))
	n, err := c.r.ReadAt(local, int64(binary.LittleEndian.Uint32(entry[42:])))
	if err != nil && err != io.EOF {
		return 0, err
	}
	if n < len(local) || int(binary.LittleEndian.Uint16(local[26:])) != len(f.Name) || string(local[30:]) != f.Name {
		return 0, FormatError("its name in the directory differs from its name before the data")
	}
	return int64(len(local)) + int64(binary.LittleEndian.Uint16(local[28:])), nil
}

// has reports whether there is an array of that name.
func (z *npz) has(name string) bool {
	f := z.files[name]
	return f != nil && f.Name == name+".npy"
}

// matrix reads the array of that name. If there is none, the error wraps
// fs.ErrNotExist.
func (z *npz) matrix(name string) (*Matrix, error) {
	var x *Matrix
	data, err := z.read(name, name+".npy", maxMember)
	if err == nil {
		x, err = parseNPY(data)
	}
	if err == nil {
		if z.total += 8 * int64(len(x.Data)); z.total > z.limit {
			err = formatErrorf("the arrays up to here take %d bytes as float64, over the limit of %d in all", z.total, z.limit)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return x, nil
}

// bytes reads the member of that name, which is not an array and has at most limit bytes.
// If there is none, the error wraps fs.ErrNotExist.
func (z *npz) bytes(name string, limit int) ([]byte, error) {
	data, err := z.read(name, name, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// read reads the member that is called file in the zip. It unpacks the member twice: the
// first time it keeps nothing, and checks the size and the checksum that the directory
// claims; the second time it unpacks into memory of that size.
func (z *npz) read(name, file string, limit int) ([]byte, error) {
	f := z.files[name]
	switch {
	case f == nil || f.Name != file:
		return nil, fmt.Errorf("%w in the archive", fs.ErrNotExist)
	case f.Flags&1 != 0:
		return nil, FormatError("encrypted")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return nil, formatErrorf("packed by method %d, want 0 (stored) or 8 (deflated)", f.Method)
	case f.UncompressedSize64 > uint64(max(limit, 0)):
		return nil, formatErrorf("claims %d bytes, over the limit of %d", f.UncompressedSize64, limit)
	}
	sum := crc32.NewIEEE()
	if err := unpackMember(sum, f); err != nil {
		return nil, err
	}
	if sum.Sum32() != f.CRC32 { // package zip does not compare a checksum of 0
		return nil, zip.ErrChecksum
	}
	data := bytes.NewBuffer(make([]byte, 0, f.UncompressedSize64+bytes.MinRead))
	err := unpackMember(data, f)
	return data.Bytes(), err
}

// unpackMember writes the content of f to w. At the end of the content package zip
// compares the size and the checksum.
func unpackMember(w io.Writer, f *zip.File) error {
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
