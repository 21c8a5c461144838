package mlp

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func openNPZ(file []byte) (*NPZ, error) { return OpenNPZ(bytes.NewReader(file), int64(len(file))) }

func writeNPZ(t testing.TB, members ...Member) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteNPZ(&b, members...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oddMatrix holds what is easily lost on the way to a file and back.
func oddMatrix() *Matrix {
	x := NewMatrix(2, 6)
	copy(x.Data, []float64{1.0 / 3, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), 5e-324, -math.MaxFloat64})
	for i, bits := range []uint64{ // two NaNs first
		0x7ff8000000000123, 0xfff8000000000001, 0x000fffffffffffff,
		0x3ff0000000000001, 0x8000000000000001, 0x7fefffffffffffff,
	} {
		x.Data[6+i] = math.Float64frombits(bits)
	}
	return x
}

func oddMembers() []Member {
	return []Member{
		{Name: "W1", Matrix: oddMatrix()},
		{Name: "run.json", Bytes: []byte(`{"Epochs": 20}`)},
		{Name: "b1", Matrix: NewMatrix(1, 3, 1, 2, 3)},
		{Name: "0×3", Matrix: NewMatrix(0, 3)},
		{Name: "m.W1", Matrix: NewMatrix(3, 0)},
		{Name: "empty", Bytes: nil},
	}
}

// identical is equality to the last bit, of NaN too.
func identical(x, y *Matrix) bool {
	return x.Rows == y.Rows && x.Cols == y.Cols && slices.EqualFunc(x.Data, y.Data, func(a, b float64) bool {
		return math.Float64bits(a) == math.Float64bits(b)
	})
}

// compareNPZ says how an archive differs from the members: an error where it is
// refused, else what else was read.
func compareNPZ(file []byte, members []Member) (difference string, err error) {
	z, err := openNPZ(file)
	if err != nil {
		return "", err
	}
	var names []string
	for _, m := range members {
		if m.Matrix == nil {
			got, err := z.Bytes(m.Name, len(m.Bytes))
			if err != nil {
				return "", err
			}
			if !bytes.Equal(got, m.Bytes) {
				return fmt.Sprintf("%s is %q, want %q", m.Name, got, m.Bytes), nil
			}
			continue
		}
		names = append(names, m.Name)
		got, err := z.Matrix(m.Name)
		if err != nil {
			return "", err
		}
		if !identical(got, m.Matrix) {
			return fmt.Sprintf("%s is %v, want %v", m.Name, got, m.Matrix), nil
		}
	}
	if !slices.Equal(z.Names(), names) {
		return fmt.Sprintf("names %q, want %q", z.Names(), names), nil
	}
	return "", nil
}

func TestNPZRoundTrip(t *testing.T) {
	big := fill(NewMatrix(300, 70), newRand())
	for _, members := range [][]Member{nil, oddMembers(), {{Name: "big", Matrix: big}}, {{Name: "dir/β 1", Matrix: NewMatrix(0, 0)}}} {
		if difference, err := compareNPZ(writeNPZ(t, members...), members); difference != "" || err != nil {
			t.Error(difference, err)
		}
	}
}

func TestWriteNPZIsReproducible(t *testing.T) {
	const want = "f9c7306a2b9b70b8a6aabb62b37b79bec1c0e11c0cb0785e1fe42aec3302853f"
	for range 2 {
		if got := fmt.Sprintf("%x", sha256.Sum256(writeNPZ(t, oddMembers()...))); got != want {
			t.Errorf("SHA-256 %s, want %s", got, want)
		}
	}
}

func TestWriteNPZErrors(t *testing.T) {
	one := NewMatrix(1, 1)
	for _, test := range []struct {
		want    string
		members []Member
	}{
		{"W1: two members of this name", []Member{{Name: "W1", Matrix: one}, {Name: "W1", Matrix: one}}},
		{"W1: two members of this name", []Member{{Name: "W1", Matrix: one}, {Name: "W1"}}},
		{`a member is named ""`, []Member{{Matrix: one}}},
		{`a member is named "W1.npy"`, []Member{{Name: "W1.npy"}}},
		{`a member is named "../W1"`, []Member{{Name: "b1", Matrix: one}, {Name: "../W1", Matrix: one}}},
		{`a member is named "/W1"`, []Member{{Name: "/W1", Matrix: one}}},
		{`a member is named "a\nb"`, []Member{{Name: "a\nb", Matrix: one}}},
		{`a member is named "\xff"`, []Member{{Name: "\xff", Matrix: one}}},
		{fmt.Sprintf("a member is named %q", strings.Repeat("x", 60)), []Member{{Name: strings.Repeat("x", 256), Matrix: one}}},
	} {
		var b bytes.Buffer
		err := WriteNPZ(&b, test.members...)
		if err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if b.Len() > 0 {
			t.Errorf("%s: %d bytes written", test.want, b.Len())
		}
	}
	defer func() {
		if got, want := recover(), "mlp: WriteNPZ: W1: 5 elements for 2×3"; got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	WriteNPZ(io.Discard, Member{Name: "W1", Matrix: &Matrix{2, 3, make([]float64, 5)}})
}

func TestWriteNPZOfTooManyMembers(t *testing.T) {
	var b bytes.Buffer
	err := WriteNPZ(&b, append([]Member{{Name: "W1"}}, make([]Member, maxMembers)...)...)
	want := "W1: over the limits of 1073741824 bytes in a member, twice that and 65534 members in all"
	if err == nil || err.Error() != want || b.Len() > 0 {
		t.Errorf("%d bytes, error %v, want %s", b.Len(), err, want)
	}
}

// failing is a writer that takes so many bytes and then fails.
type failing struct {
	left int
	err  error
}

func (w *failing) Write(p []byte) (int, error) {
	n := min(len(p), w.left)
	if w.left -= n; n < len(p) {
		return n, w.err
	}
	return n, nil
}

func TestWriteNPZPassesErrorsOn(t *testing.T) {
	want := errors.New("the disk is full")
	members := append(oddMembers(), Member{Name: "big", Matrix: NewMatrix(100, 100)})
	for n := range len(writeNPZ(t, members...)) {
		if n%97 == 0 {
			if err := WriteNPZ(&failing{n, want}, members...); !errors.Is(err, want) {
				t.Errorf("failing after %d bytes: error %v", n, err)
			}
		}
	}
}

// A changed bit anywhere is an error or changes nothing that can be read.
func TestNPZFlippedBits(t *testing.T) {
	members, harmless := oddMembers(), 0
	file := writeNPZ(t, members...)
	for bit := range 8 * len(file) {
		flipped := slices.Clone(file)
		flipped[bit/8] ^= 1 << (bit % 8)
		difference, err := compareNPZ(flipped, members)
		if difference != "" {
			t.Errorf("bit %d of byte %d: %s", bit%8, bit/8, difference)
		}
		if err == nil {
			harmless++
		} else if s := err.Error(); strings.Contains(s, "\n") {
			t.Errorf("bit %d of byte %d: error %q", bit%8, bit/8, s)
		}
	}
	if harmless == 8*len(file) {
		t.Error("no flip was noticed")
	}
	t.Logf("%d of %d flips change nothing", harmless, 8*len(file))
}

func TestNPZTruncated(t *testing.T) {
	file := writeNPZ(t, append(oddMembers(), Member{Name: "inner", Bytes: writeNPZ(t, oddMembers()...)})...)
	for n := range file {
		if _, err := openNPZ(file[:n]); err == nil {
			t.Errorf("%d of %d bytes are an archive", n, len(file))
		}
	}
	for b := range 256 {
		if _, err := openNPZ(append(slices.Clone(file), byte(b))); err == nil {
			t.Errorf("an archive with byte %d after it is one", b)
		}
		if _, err := openNPZ(append([]byte{byte(b)}, file...)); err == nil {
			t.Errorf("an archive with byte %d before it is one", b)
		}
	}
}

// readerAt fails for what is before a certain byte.
type readerAt struct {
	io.ReaderAt
	bad int64
	err error
}

func (r readerAt) ReadAt(p []byte, off int64) (int, error) {
	if off <= r.bad && r.bad < off+int64(len(p)) {
		return 0, r.err
	}
	return r.ReaderAt.ReadAt(p, off)
}

func TestNPZPassesErrorsOn(t *testing.T) {
	want := errors.New("the disk is on fire")
	members := oddMembers()
	file := writeNPZ(t, members...)
	for i := range file {
		z, err := OpenNPZ(readerAt{bytes.NewReader(file), int64(i), want}, int64(len(file)))
		for _, m := range members {
			if err == nil && m.Matrix != nil {
				_, err = z.Matrix(m.Name)
			} else if err == nil {
				_, err = z.Bytes(m.Name, 100)
			}
		}
		if !errors.Is(err, want) {
			t.Errorf("byte %d cannot be read: error %v", i, err)
		}
	}
}

// zipOf makes a zip of one member as the header says, whatever the data are.
func zipOf(t testing.TB, data []byte, h zip.FileHeader) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	w, err := zw.CreateRaw(&h)
	if err == nil {
		_, err = w.Write(data)
	}
	if err := errors.Join(err, zw.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// stored is the header of a member that is true.
func stored(name string, data []byte) zip.FileHeader {
	n := uint64(len(data))
	return zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE(data), CompressedSize64: n, UncompressedSize64: n}
}

// deflated packs the data of a member x.npy and claims that size.
func deflated(data []byte, claim uint64) ([]byte, zip.FileHeader) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	w.Write(data)
	w.Close()
	return b.Bytes(), zip.FileHeader{Name: "x.npy", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(data), CompressedSize64: uint64(b.Len()), UncompressedSize64: claim}
}

// npy is the array that x is in an archive.
func npy(x *Matrix) []byte {
	var b bytes.Buffer
	if err := (Member{Matrix: x}).content(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// npyFile is an .npy array of version 1.0.
func npyFile(header string, data ...byte) []byte {
	file := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	return append(append(file, header...), data...)
}

// addToDirectory puts something between the last entry and the end.
func addToDirectory(file []byte, s string) []byte {
	end := slices.Clone(file[len(file)-22:])
	binary.LittleEndian.PutUint32(end[12:], binary.LittleEndian.Uint32(end[12:])+uint32(len(s)))
	return slices.Concat(file[:len(file)-22], []byte(s), end)
}

// zip64Hidden is a zip whose last comment ends as a zip64's directory does, and
// whose size makes package zip look there for another directory.
func zip64Hidden() []byte {
	file := manyMembers(1, 1, true)
	entry := file[31:]
	comment := make([]byte, math.MaxUint16-47)
	copy(comment[len(comment)-20:], "PK\x06\x07")
	comment[len(comment)-4] = 1
	binary.LittleEndian.PutUint16(entry[32:], uint16(len(comment)))
	return addToDirectory(file, string(comment))
}

func TestOpenNPZErrors(t *testing.T) {
	good := writeNPZ(t, oddMembers()...)
	array := npy(NewMatrix(1, 1, 7))
	twice := func(a, b string) []byte {
		var file bytes.Buffer
		zw := zip.NewWriter(&file)
		zw.Create(a)
		zw.Create(b)
		zw.Close()
		return file.Bytes()
	}
	commented := func() []byte {
		var file bytes.Buffer
		zw := zip.NewWriter(&file)
		zw.SetComment("a comment")
		zw.Close()
		return file.Bytes()
	}
	for _, test := range []struct {
		want string
		file []byte
	}{
		{`not an .npz archive: it begins with ""`, nil},
		{`not an .npz archive: it begins with "PK"`, good[:2]},
		{`not an .npz archive: it begins with "\x93NUM"`, array},
		{`not an .npz archive: it begins with "<htm"`, []byte("<html>")},
		{"an .npz archive that was cut short or added to", good[:4]},
		{"an .npz archive that was cut short or added to", good[:len(good)-1]},
		{"an .npz archive that was cut short or added to", append(slices.Clone(good), "garbage"...)},
		{"an .npz archive that was cut short or added to", commented()},
		{"an .npz archive that was cut short or added to", append(slices.Clone(good[:4]), good...)},
		{`a member is named "../x"`, zipOf(t, array, stored("../x.npy", array))},
		{`a member is named "/x"`, zipOf(t, array, stored("/x.npy", array))},
		{`a member is named "a/../../x"`, zipOf(t, array, stored("a/../../x.npy", array))},
		{`a member is named "x\x00"`, zipOf(t, array, stored("x\x00.npy", array))},
		{`a member is named "a\nb"`, zipOf(t, array, stored("a\nb.npy", array))},
		{`a member is named "dir/"`, zipOf(t, nil, stored("dir/", nil))},
		{fmt.Sprintf("a member is named %q", strings.Repeat("x", 60)), zipOf(t, array, stored(strings.Repeat("x", 60_000), array))},
		{"x: two members of this name", twice("x.npy", "x.npy")},
		{"x: two members of this name", twice("x", "x.npy")},
		{"an .npz archive that was cut short or added to", bytes.Replace(good, []byte("PK\x05\x06"), []byte("PK\x05\x07"), 1)},
		{"the archive's directory: not of just the 1 members that it claims", addToDirectory(manyMembers(1, 1, true), "garbage")},
		{"an .npz archive of too many members or bytes", zip64Hidden()},
	} {
		z, err := openNPZ(test.file)
		if z != nil || err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if !errors.As(err, new(FormatError)) {
			t.Errorf("%v: error of type %T", err, err)
		}
	}
}

func TestNPZMemberErrors(t *testing.T) {
	array := npy(NewMatrix(2, 2, 1, 2, 3, 4))
	with := func(change func(h *zip.FileHeader)) []byte {
		h := stored("x.npy", array)
		change(&h)
		return zipOf(t, array, h)
	}
	deflate := func(claim uint64) []byte { data, h := deflated(array, claim); return zipOf(t, data, h) }
	for _, test := range []struct {
		want string
		file []byte
	}{
		{"x: encrypted", with(func(h *zip.FileHeader) { h.Flags = 1 })},
		{"x: packed by method 12, want 0 (stored) or 8 (deflated)", with(func(h *zip.FileHeader) { h.Method = 12 })},
		{"x: stopped at byte 160 of 160: zip: checksum error", with(func(h *zip.FileHeader) { h.CRC32++ })},
		{"x: zip: checksum error", with(func(h *zip.FileHeader) { h.CRC32 = 0 })},
		{"x: stopped at byte 160 of 161: unexpected EOF", with(func(h *zip.FileHeader) { h.UncompressedSize64++ })},
		{"x: claims 1099511627776 bytes, over the limit of 1073741824", with(func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 40 })},
		{"x: claims 1099511627776 bytes, over the limit of 1073741824", deflate(1 << 40)},
		{"x: stopped at byte 0 of 1073741824: unexpected EOF", deflate(1 << 30)},
		{"x: stopped at byte 0 of 159: zip: not a valid zip file", deflate(159)},
	} {
		z, err := openNPZ(test.file)
		if err != nil {
			t.Errorf("%s: %v", test.want, err)
			continue
		}
		if x, err := z.Matrix("x"); x != nil || err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
	z, err := openNPZ(deflate(160))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := z.Matrix("x"); err != nil || !identical(x, NewMatrix(2, 2, 1, 2, 3, 4)) {
		t.Errorf("%v, error %v", x, err)
	}
}

func TestNPZNames(t *testing.T) {
	z, err := openNPZ(writeNPZ(t, oddMembers()...))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"W2", "run.json", "W1.npy", ""} {
		if x, err := z.Matrix(name); x != nil || !errors.Is(err, fs.ErrNotExist) || err.Error() != name+": file does not exist in the archive" {
			t.Errorf("Matrix(%q): %v, error %v", name, x, err)
		}
	}
	for _, name := range []string{"W1", "W1.npy", "run", ""} {
		if b, err := z.Bytes(name, 1000); b != nil || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Bytes(%q): %q, error %v", name, b, err)
		}
	}
	for most, want := range map[int]string{13: "run.json: claims 14 bytes, over the limit of 13", -1: "run.json: claims 14 bytes, over the limit of -1"} {
		if b, err := z.Bytes("run.json", most); b != nil || err == nil || err.Error() != want {
			t.Errorf("%q, error %v, want %s", b, err, want)
		}
	}
}

func TestParseNPYErrors(t *testing.T) {
	dict := func(descr, order, shape string) string {
		return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }"
	}
	of := func(descr, shape string) []byte { return npyFile(dict("'"+descr+"'", "False", shape)) }
	long := npyFile(dict("'<f8'", "False", "()")+strings.Repeat(" ", 60_000), make([]byte, 8)...)
	if x, err := parseNPY(long); err != nil || x.Rows != 1 || x.Cols != 1 {
		t.Errorf("a header of 60 kB: error %v", err)
	}
	for _, test := range []struct {
		want string
		file []byte
	}{
		{`not an .npy array: it begins with ""`, nil},
		{`not an .npy array: it begins with "hello,"`, []byte("hello, world")},
		{`not an .npy array: it begins with "\x93NUMPY"`, []byte("\x93NUMPY\x01")},
		{"an .npy array of version 4.0, want 1.0, 2.0 or 3.0", []byte("\x93NUMPY\x04\x00....")},
		{"an .npy array of version 0.0, want 1.0, 2.0 or 3.0", []byte("\x93NUMPY\x00\x00....")},
		{"an .npy array of version 1.1, want 1.0, 2.0 or 3.0", []byte("\x93NUMPY\x01\x01....")},
		{"an .npy header of 118 bytes, over the limit of 60", npy(NewMatrix(1, 1))[:70]},
		{"an .npy header of 4294967295 bytes, over the limit of 0", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff")},
		{"an .npy header of 65537 bytes, over the limit of 65536", append([]byte("\x93NUMPY\x02\x00\x01\x00\x01\x00"), make([]byte, 1<<17)...)},
		{"8 bytes of elements, want 1×2 of 8", npyFile(dict("'<f8'", "False", "(2,)"), make([]byte, 8)...)},
		{"9 bytes of elements, want 1×1 of 8", npyFile(dict("'<f8'", "False", "()"), make([]byte, 9)...)},
		{"0 bytes of elements, want 134217728×1 of 8", of("<f8", "(134217728, 1)")},
		{"shape (2, 3, 4) is of rank 3, want at most 2", of("<f8", "(2, 3, 4)")},
		{"shape (134217729,) is over the limit of 134217728 elements", of("<f8", "(134217729,)")},
		{"shape (0, 134217729) is over the limit of 134217728 elements", of("<f8", "(0, 134217729)")},
		{"shape (65536, 65536) is over the limit of 134217728 elements", of("|i1", "(65536, 65536)")},
		{"shape (4294967296, 4294967296) is over the limit of 134217728 elements", of("<f8", "(4294967296, 4294967296)")},
		{"shape (99999999999999999999999999,) is over the limit of 134217728 elements", of("<f8", "(99999999999999999999999999,)")},
		{`dtype "|O", want floats, integers or bools of at most 8 bytes`, of("|O", "()")},
		{`dtype "<f16", want floats, integers or bools of at most 8 bytes`, of("<f16", "()")},
		{`dtype "<f3", want floats, integers or bools of at most 8 bytes`, of("<f3", "()")},
		{`dtype "", want floats, integers or bools of at most 8 bytes`, of("", "()")},
		{`dtype "f8", want floats, integers or bools of at most 8 bytes`, of("f8", "()")},
		{`dtype "<<f8", want floats, integers or bools of at most 8 bytes`, of("<<f8", "()")},
		{`dtype "xf8", want floats, integers or bools of at most 8 bytes`, of("xf8", "()")},
		{`dtype "[<f8]", want floats, integers or bools of at most 8 bytes`, npyFile(dict("[<f8]", "False", "()"))},
	} {
		x, err := parseNPY(test.file)
		if x != nil || err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if !errors.As(err, new(FormatError)) {
			t.Errorf("%v: error of type %T", err, err)
		}
	}
}

func TestParseNPYHeader(t *testing.T) {
	data := make([]byte, 48)
	for _, header := range []string{
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }   \n",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}",
		"{'shape':(2,3),'fortran_order':False,'descr':'<f8'}",
		`{"fortran_order" : False , "shape" : ( 2 , 3 , ) , "descr" : "=f8" , }`,
		" \n{\t'shape': (2,\n3), 'descr': '|f8', 'fortran_order': True,}",
	} {
		if x, err := parseNPY(npyFile(header, data...)); err != nil || x.Rows != 2 || x.Cols != 3 {
			t.Errorf("%q: %v, error %v", header, x, err)
		}
	}
	for _, header := range []string{
		"", "{", "}", "{}", "nonsense", "{'descr': '<f8'}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)",
		"'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3),,}",
		"{'descr': '<f8' 'fortran_order': False, 'shape': (2, 3)}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), 'more': ()}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), 'shape': (2, 3)}",
		"{'descr': '<f8', 'fortran_order': False, 'descr': '<f8'}",
		"{'descr': '<f8', 'fortran_order': 0, 'shape': (2, 3)}",
		"{'descr': '<f8', 'fortran_order': false, 'shape': (2, 3)}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': [2, 3]}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (6)}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2 3)}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (-2, -3)}",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3,, )}",
		"{'descr': <f8, 'fortran_order': False, 'shape': (2, 3)}",
	} {
		want := fmt.Sprintf("a header that is not NumPy's: %.60q", strings.TrimSpace(header))
		if _, err := parseNPY(npyFile(header, data...)); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", header, err, want)
		}
	}
}

func TestParseNPYBools(t *testing.T) {
	x, err := parseNPY(npyFile("{'descr': '|b1', 'fortran_order': False, 'shape': (4,)}", 0, 1, 2, 255))
	if err != nil || !slices.Equal(x.Data, []float64{0, 1, 1, 1}) {
		t.Errorf("%v, error %v", x, err)
	}
}

// Every float16, by its definition.
func TestFloat16(t *testing.T) {
	for bits := range 1 << 16 {
		sign, exponent, mantissa := 1-2*float64(bits>>15), bits>>10&31, float64(bits&1023)
		want := sign * math.Ldexp(1+mantissa/1024, exponent-15)
		switch {
		case exponent == 31 && mantissa == 0:
			want = sign * math.Inf(1)
		case exponent == 31:
			want = math.NaN()
		case exponent == 0:
			want = math.Copysign(mantissa*0x1p-24, sign)
		}
		if got := float16(uint16(bits)); !sameBits(got, want) {
			t.Fatalf("%#04x is %v, want %v", bits, got, want)
		}
	}
}

// wantNumPy is what testdata/npz/make.py puts into savez.npz.
func wantNumPy() map[string]*Matrix {
	inf, negative := math.Inf(1), math.Copysign(0, -1)
	signed, unsigned := NewMatrix(2, 3, 0, -1, 127, -128, 2, 3), NewMatrix(2, 3, 0, 1, 127, 100, 2, 3)
	counted := NewMatrix(2, 3, 1, 2, 3, 4, 5, 6)
	want := map[string]*Matrix{
		"F": counted, "F_be": counted, "i1": signed, "u1": unsigned, "bool": NewMatrix(2, 2, 1, 0, 0, 1),
		"rank0": NewMatrix(1, 1, 2.5), "rank1": NewMatrix(1, 3, 1, 2, 3), "dir/β 1": NewMatrix(1, 1, 7),
		"0x3": NewMatrix(0, 3), "3x0": NewMatrix(3, 0), "empty": NewMatrix(1, 0),
		"i8_ends": NewMatrix(1, 2, -0x1p63, 0x1p63), "u8_end": NewMatrix(1, 1, 0x1p64),
	}
	for _, order := range []string{"<", ">"} {
		for _, size := range []string{"2", "4", "8"} {
			want[order+"i"+size], want[order+"u"+size] = signed, unsigned
		}
		want[order+"f8"] = NewMatrix(3, 3, inf, -inf, math.NaN(), negative, 5e-324, 0x1p-24, 1.0/3, -2.5, 65504)
		want[order+"f4"] = NewMatrix(3, 3, inf, -inf, math.NaN(), negative, 0, 0x1p-24, float64(float32(1.0/3)), -2.5, 65504)
		want[order+"f2"] = NewMatrix(3, 3, inf, -inf, math.NaN(), negative, 0, 0x1p-24, 1365.0/4096, -2.5, 65504)
	}
	return want
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	file, err := os.ReadFile("testdata/npz/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNumPyWrote(t *testing.T) {
	want := wantNumPy()
	for _, file := range []string{"savez.npz", "savez_compressed.npz"} {
		z, err := openNPZ(fixture(t, file))
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if len(z.Names()) != len(want) || z.Names()[0] != "F" || z.Names()[1] != "F_be" {
			t.Errorf("%s: names %q", file, z.Names())
		}
		for name, x := range want {
			got, err := z.Matrix(name)
			if err != nil {
				t.Errorf("%s: %v", file, err)
			} else if got.Rows != x.Rows || got.Cols != x.Cols || !slices.EqualFunc(got.Data, x.Data, sameBits) {
				t.Errorf("%s: %s is %v, want %v", file, name, got, x)
			}
		}
	}
	if difference, err := compareNPZ(fixture(t, "stream.npz"), []Member{
		{Name: "W1", Matrix: NewMatrix(2, 2, 1, 2, 3, 4)}, {Name: "b1", Matrix: NewMatrix(1, 2, 5, 6)},
	}); difference != "" || err != nil {
		t.Errorf("stream.npz: %s, error %v", difference, err)
	}
	for _, file := range []string{"version2.npy", "version3.npy"} {
		if x, err := parseNPY(fixture(t, file)); err != nil || !identical(x, NewMatrix(2, 2, 1, 2, 3, 4)) {
			t.Errorf("%s: %v, error %v", file, x, err)
		}
	}
}

func TestNumPyWroteWhatIsRefused(t *testing.T) {
	z, err := openNPZ(fixture(t, "refused.npz"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"rank3": "shape (2, 3, 4) is of rank 3, want at most 2"}
	for name, dtype := range map[string]string{
		"object": "|O", "unicode": "<U4", "bytes": "|S4", "record": "[('x', '<i4'), ('y', '<f8')]",
		"complex": "<c16", "time": "<M8[D]", "longdouble": "<f16",
	} {
		want[name] = fmt.Sprintf("dtype %q, want floats, integers or bools of at most 8 bytes", dtype)
	}
	if len(z.Names()) != len(want) {
		t.Errorf("names %q", z.Names())
	}
	for name, reason := range want {
		if x, err := z.Matrix(name); x != nil || err == nil || err.Error() != name+": "+reason {
			t.Errorf("error %v, want %s: %s", err, name, reason)
		}
	}
}

// The sums in testdata/README.md are those of the archives.
func TestNPZFixtureSums(t *testing.T) {
	readme, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/npz/*.np?")
	if err != nil || len(files) != 6 {
		t.Fatalf("%q, error %v", files, err)
	}
	for _, name := range files {
		name = filepath.Base(name)
		line := fmt.Sprintf("| `npz/%s` | `%x` |", name, sha256.Sum256(fixture(t, name)))
		if !bytes.Contains(readme, []byte(line)) {
			t.Errorf("testdata/README.md lacks the line %s", line)
		}
	}
}

// Two members whose headers, by the length of their extra fields, reach to the same
// bytes: a thousand of them would be a thousand times as much as the file.
func TestNPZShared(t *testing.T) {
	data := "shared"
	fields := func(extra int) string { // what both headers of a member have, from the version on
		b := []byte{20, 0, 0, 0, 0, 0, 0, 0, 33, 0}
		for _, v := range []int{int(crc32.ChecksumIEEE([]byte(data))), len(data), len(data)} {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		return string(append(b, 1, 0, byte(extra), 0))
	}
	local := func(name string, extra int) string { return "PK\x03\x04" + fields(extra) + name }
	open := func(body string, b int) error { // a begins at 0
		directory := ""
		for name, at := range map[string]int{"a": 0, "b": b} {
			directory += "PK\x01\x02\x14\x00" + fields(0) + strings.Repeat("\x00", 10) + string([]byte{byte(at), 0, 0, 0}) + name
		}
		end := "PK\x05\x06\x00\x00\x00\x00\x02\x00\x02\x00" + string([]byte{byte(len(directory)), 0, 0, 0, byte(len(body)), 0, 0, 0, 0, 0})
		file := strings.NewReader(body + directory + end)
		z, err := OpenNPZ(file, file.Size())
		if err == nil {
			_, err = z.Bytes("a", 100)
		}
		return err
	}
	first := local("a", 0) + data
	if err := open(first+local("b", 0)+data, len(first)); err != nil {
		t.Errorf("two members apart: %v", err)
	}
	second := local("b", 0)
	if err := open(local("a", len(second))+second+data, len(local("a", 0))); err == nil || !strings.Contains(err.Error(), "shares its bytes") {
		t.Errorf("two members of the same bytes: error %v", err)
	}
}

// withNumPy returns a Python that has NumPy.
func withNumPy(t *testing.T) string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import numpy").Run() == nil {
			return python
		}
	}
	t.Skip("skipped: no python3 that imports numpy")
	return ""
}

// NumPy reads the same bits, and writes the same bytes for an array.
func TestNumPyReads(t *testing.T) {
	python := withNumPy(t)
	members := oddMembers()
	file := filepath.Join(t.TempDir(), "ours.npz")
	if err := os.WriteFile(file, writeNPZ(t, members...), 0o666); err != nil {
		t.Fatal(err)
	}
	const script = `
import io, sys, zipfile
import numpy as np
sys.stdout.reconfigure(encoding="utf-8")
z = np.load(sys.argv[1], allow_pickle=False)
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
for name in z.files:
    x = z[name]
    if isinstance(x, bytes):
        print(name, "bytes", x.hex())
        continue
    assert x.flags.c_contiguous, name
    again = io.BytesIO()
    np.save(again, x)
    print(name, x.dtype.str, *x.shape, x.tobytes().hex(), again.getvalue() == z.zip.read(name + ".npy"))
`
	got, err := exec.Command(python, "-c", script, file).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	var want strings.Builder
	for _, m := range members {
		if m.Matrix == nil {
			fmt.Fprintln(&want, m.Name, "bytes", hex.EncodeToString(m.Bytes))
			continue
		}
		var data []byte
		for _, v := range m.Matrix.Data {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
		}
		fmt.Fprintln(&want, m.Name, "<f8", m.Matrix.Rows, m.Matrix.Cols, hex.EncodeToString(data), "True")
	}
	if s := strings.ReplaceAll(string(got), "\r\n", "\n"); s != want.String() {
		t.Errorf("NumPy reads\n%swant\n%s", s, want.String())
	}
}

// allocated returns how many bytes f takes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Memory follows the bytes that are there, not those that are claimed.
func TestNPZBelievesNoSize(t *testing.T) {
	claim := npyFile("{'descr': '<f8', 'fortran_order': False, 'shape': (134217720, 1), }")
	pack := func(data []byte, size uint64) []byte { packed, h := deflated(data, size); return zipOf(t, packed, h) }
	for name, file := range map[string][]byte{
		"shape":       zipOf(t, claim, stored("x.npy", claim)),
		"stored":      zipOf(t, claim, zip.FileHeader{Name: "x.npy", UncompressedSize64: maxMember, CompressedSize64: maxMember}),
		"deflated":    pack(claim, uint64(len(claim))),
		"claims":      pack(claim, maxMember),
		"bomb":        pack(append(slices.Clone(claim), make([]byte, 32<<20)...), maxMember),
		"wide header": pack([]byte("\x93NUMPY\x02\x00\xff\xff\xff\xff........"), 20),
	} {
		n := allocated(func() {
			z, err := openNPZ(file)
			if err == nil {
				_, err = z.Matrix("x")
			}
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		})
		if n > 1<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, n, len(file))
		}
	}
}

// manyMembers is a zip of n empty members, with names where named, put together
// here because there may be more of them than package zip would write so.
func manyMembers(n int, claim uint16, named bool) []byte {
	var file, directory []byte
	for i := range n {
		name := ""
		if named {
			name = fmt.Sprint(i)
		}
		entry := make([]byte, 46)
		copy(entry, "PK\x01\x02")
		binary.LittleEndian.PutUint16(entry[28:], uint16(len(name)))
		binary.LittleEndian.PutUint32(entry[42:], uint32(len(file)))
		directory = append(append(directory, entry...), name...)
		local := make([]byte, 30)
		copy(local, "PK\x03\x04")
		binary.LittleEndian.PutUint16(local[26:], uint16(len(name)))
		file = append(append(file, local...), name...)
	}
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[10:], claim)
	binary.LittleEndian.PutUint32(end[12:], uint32(len(directory)))
	binary.LittleEndian.PutUint32(end[16:], uint32(len(file)))
	return slices.Concat(file, directory, end)
}

func TestNPZOfManyMembers(t *testing.T) {
	for _, n := range []int{0, 1, 1000, maxMembers} {
		z, err := openNPZ(manyMembers(n, uint16(n), true))
		if err != nil {
			t.Errorf("%d members: %v", n, err)
			continue
		}
		if b, err := z.Bytes(fmt.Sprint(n-1), 0); n > 0 && (len(b) > 0 || err != nil) {
			t.Errorf("the last of %d members: %q, error %v", n, b, err)
		}
	}
	for _, test := range []struct {
		n     int
		claim uint16
		want  string
	}{
		{maxMembers + 1, maxMembers + 1, "an .npz archive of too many members or bytes"},
		{1 << 16, 0, "the archive's directory: not of just the 0 members that it claims"},
		{1 << 16, 1, "the archive's directory: unexpected EOF"},
		{500_000, 41248, "an .npz archive of too many members or bytes"},
	} {
		file := manyMembers(test.n, test.claim, true)
		n := allocated(func() {
			if _, err := openNPZ(file); err == nil || err.Error() != test.want {
				t.Errorf("%d members: error %v, want %s", test.n, err, test.want)
			}
		})
		if n > uint64(10*len(file)+64<<20) {
			t.Errorf("%d members: %d bytes allocated for a file of %d", test.n, n, len(file))
		}
	}
	const nameless = maxDirectory / 46
	file := manyMembers(nameless, nameless&math.MaxUint16, false)
	n := allocated(func() {
		if _, err := openNPZ(file); err == nil {
			t.Errorf("%d members without a name: no error", nameless)
		}
	})
	if n > uint64(10*len(file)+64<<20) {
		t.Errorf("%d members: %d bytes allocated for a file of %d", nameless, n, len(file))
	}
}

// A member's two names must be the same, so that no changed bit renames it.
func TestNPZChecksBothNames(t *testing.T) {
	file := writeNPZ(t, Member{Name: "W1", Matrix: NewMatrix(1, 1, 1)}, Member{Name: "W2", Matrix: NewMatrix(1, 1, 2)})
	local, entry := bytes.Index(file, []byte("W2")), bytes.LastIndex(file, []byte("W2"))
	for name, i := range map[string]int{"W2": local + 1, "W3": entry + 1, "W2 ": local - 4} {
		changed := slices.Clone(file)
		changed[i]++
		want := strings.TrimSpace(name) + ": has another name where its data are"
		if _, err := openNPZ(changed); err == nil || err.Error() != want {
			t.Errorf("byte %d: error %v, want %s", i, err, want)
		}
	}
}

func FuzzNPY(f *testing.F) {
	f.Add(npy(oddMatrix()))
	f.Add(npyFile("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 1)}", 1, 2, 3, 4))
	f.Add(npyFile("{'descr': '|O', 'fortran_order': False, 'shape': ()}"))
	f.Add(fixture(f, "version2.npy"))
	f.Add(fixture(f, "version3.npy"))
	f.Fuzz(func(t *testing.T, file []byte) {
		x, err := parseNPY(file)
		if err != nil {
			if s := err.Error(); x != nil || s == "" || strings.ContainsAny(s, "\n\r\x00") {
				t.Fatalf("%v, error %q", x, s)
			}
			return
		}
		if len(x.Data) != x.Rows*x.Cols || len(x.Data) > len(file) {
			t.Fatalf("%d elements for %d×%d from %d bytes", len(x.Data), x.Rows, x.Cols, len(file))
		}
		if again, err := parseNPY(npy(x)); err != nil || !identical(again, x) {
			t.Fatalf("round trip: %v, want %v, error %v", again, x, err)
		}
	})
}

func FuzzNPZ(f *testing.F) {
	f.Add(writeNPZ(f, oddMembers()...))
	f.Add(writeNPZ(f))
	f.Add(manyMembers(3, 3, true))
	for _, name := range []string{"stream.npz", "refused.npz", "savez_compressed.npz"} {
		f.Add(fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		z, err := openNPZ(file)
		if err != nil {
			if s := err.Error(); s == "" || strings.ContainsAny(s, "\n\r\x00") {
				t.Fatalf("error %q", s)
			}
			return
		}
		var members []Member
		for _, name := range z.Names() {
			x, err := z.Matrix(name)
			if err == nil {
				members = append(members, Member{Name: name, Matrix: x})
			} else if s := err.Error(); x != nil || !strings.HasPrefix(s, name+": ") || strings.ContainsAny(s, "\n\r\x00") {
				t.Fatalf("%s: %v, error %q", name, x, s)
			}
		}
		if difference, err := compareNPZ(writeNPZ(t, members...), members); difference != "" || err != nil {
			t.Fatalf("round trip: %s, error %v", difference, err)
		}
	})
}
