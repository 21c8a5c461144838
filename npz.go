// NumPy's .npz archives, which are zip files of .npy arrays. The arrays themselves are
// read and written in npy.go, and what the arrays of a model mean stands in model.go.

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
	maxMembers   = 1<<16 - 2     // a zip with more needs another directory, zip64's
	maxDirectory = 20 << 20      // bytes: maxMembers entries with the longest names
)

// ReadNPZ reads all arrays of an .npz archive, size bytes long, and returns them by
// the names that np.load shows. Members of the archive that are not arrays are left
// out.
//
// An array of rank 0 becomes 1×1, one of rank 1 with n elements becomes 1×n, and one
// of rank 2 keeps its shape. The elements may be floats, integers or bools of at most
// 8 bytes, in either byte order and in C or Fortran order. Integers beyond 2⁵³ are
// rounded.
//
// ReadNPZ does not trust the sizes that an archive claims: it takes at most ten times
// as much memory as the members have bytes, unpacked, and 64 MiB. An array may have
// 1 GiB of float64s, all arrays together 2 GiB, and an archive 65,534 members, whose
// names must be different, printable, relative paths. Nothing may stand before the
// archive or after it. An error is one line, and names the array if one is at fault. A
// changed bit is an error, or changes nothing that is read.
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
	for _, name := range z.Names() {
		x, err := z.Matrix(name)
		if err != nil {
			return nil, err
		}
		arrays[name] = x
	}
	return arrays, nil
}

// An npzMember is one entry of an archive: an array, or bytes that NumPy leaves
// alone.
type npzMember struct {
	Name   string  // of an array: without .npy
	Matrix *Matrix // nil for bytes
	Bytes  []byte
}

// writeNPZ writes an archive of the members, in their order, as numpy.savez does:
// arrays of little-endian float64 in C order, not compressed. The same members give
// the same bytes. If a member cannot be read again, nothing is written.
func writeNPZ(w io.Writer, members ...npzMember) error {
	seen, total := map[string]bool{}, int64(0)
	for _, m := range members {
		if m.Matrix != nil {
			m.Matrix.mustBeFilled("writeNPZ: " + m.Name)
		}
		if err := checkName(m.Name, seen); err != nil {
			return err
		}
		if total += m.size(); m.size() > maxMember || total > maxArchive || len(members) > maxMembers {
			return formatErrorf("%s: over the limits of %d bytes in a member, twice that and %d members in all", m.Name, maxMember, maxMembers)
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

// size returns how many bytes m.content writes.
func (m npzMember) size() int64 {
	if m.Matrix == nil {
		return int64(len(m.Bytes))
	}
	return npyHeaderSize + 8*int64(len(m.Matrix.Data))
}

// write adds m to the zip. Size and checksum stand before the data, because some
// programs need them there, so content is written twice, first for its checksum. The
// date is 1 January 1980, as NumPy's.
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

// checkName adds name to those seen. It refuses a name that was seen before, or is
// not a short, printable, relative path, so that each name can stand in an error.
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

// An npz is an opened archive, whose members are read when they are asked for.
// Goroutines may share it if they may share its reader.
type npz struct {
	arrays []string             // their names, in the archive's order
	files  map[string]*zip.File // all members by name without .npy
	total  int64                // bytes of the float64s of the arrays that were read
	limit  int64                // the most that total may become
}

// openNPZ opens the archive of size bytes in r and reads its directory, under the
// limits that ReadNPZ documents.
func openNPZ(r io.ReaderAt, size int64) (*npz, error) {
	at, count, err := findDirectory(r, size)
	if err != nil {
		return nil, err
	}
	zr, err := zip.NewReader(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return nil, fmt.Errorf("the archive's directory: %w", err)
	}
	z, seen := &npz{files: map[string]*zip.File{}, limit: maxArchive}, map[string]bool{}
	left := at // bytes before the directory that no member has claimed yet
	for _, f := range zr.File {
		name, isArray := strings.CutSuffix(f.Name, ".npy")
		if err := checkName(name, seen); err != nil {
			return nil, err
		}
		header, err := checkEntry(r, at, f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if f.CompressedSize64 > uint64(max(0, left-header)) {
			return nil, FormatError(name + ": shares its bytes with other members")
		}
		left -= header + int64(f.CompressedSize64)
		at += int64(46 + len(f.Name) + len(f.Extra) + len(f.Comment)) // to the next entry
		z.files[name] = f
		if isArray {
			z.arrays = append(z.arrays, name)
		}
	}
	if len(zr.File) != count || at != size-22 {
		return nil, formatErrorf("the archive's directory: not of just the %d members that it claims", count)
	}
	return z, nil
}

// findDirectory returns where the directory of the zip begins and how many entries it
// has. It reads the record of 22 bytes that ends a zip:
//
//	0  0        at        size-22      size
//	|  members  |  directory  |  record  |
//
// The record must be the last 22 bytes and the directory must end where the record
// begins. Package zip would search for a record, and might find another.
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

// checkEntry returns the size of the header before the data of f, whose entry in the
// directory begins at byte at. A member has its name in both places, and no checksum
// covers them, so checkEntry compares the names.
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
func (z *npz) Names() []string { return z.arrays }

// Matrix reads the array of that name. If there is none, the error wraps
// fs.ErrNotExist.
func (z *npz) Matrix(name string) (*Matrix, error) {
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

// Bytes reads a member that is not an array and has at most limit bytes. If there is
// none of that name, the error wraps fs.ErrNotExist.
func (z *npz) Bytes(name string, limit int) ([]byte, error) {
	data, err := z.read(name, name, limit)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return data, nil
}

// read reads the member that is called file in the zip. It unpacks it twice: first to
// check the size and the checksum that the directory claims, keeping nothing, and only
// then into memory of that size.
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

// unpackMember writes the content of f to w. At its end package zip compares the size
// and the checksum.
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
