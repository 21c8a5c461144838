// Tests of .npz archives: what is written is read back to the last bit, by NumPy too;
// what is changed, cut short or claims too much is refused. One array is tested in
// npy_test.go.

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
	"strconv"
	"strings"
	"testing"
)

// openFile opens an archive that is in memory.
func openFile(file []byte) (*npz, error) { return openNPZ(bytes.NewReader(file), int64(len(file))) }

// npzFile returns the archive of the members.
func npzFile(t testing.TB, members ...npzMember) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := writeNPZ(&b, members...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// oddMatrix returns the numbers that a file is most likely to lose: negative zero,
// subnormals, infinities, NaNs with their payload.
func oddMatrix() *Matrix {
	x := NewMatrix(2, 6)
	copy(x.Data, []float64{1.0 / 3, math.Copysign(0, -1), math.Inf(1), math.Inf(-1), 5e-324, -math.MaxFloat64})
	for i, bits := range []uint64{
		0x7ff8000000000123, 0xfff8000000000001, 0x000fffffffffffff,
		0x3ff0000000000001, 0x8000000000000001, 0x7fefffffffffffff,
	} {
		x.Data[6+i] = math.Float64frombits(bits)
	}
	return x
}

func oddMembers() []npzMember {
	return []npzMember{
		{Name: "W1", Matrix: oddMatrix()},
		{Name: "run.json", Bytes: []byte(`{"Epochs": 20}`)},
		{Name: "b1", Matrix: NewMatrix(1, 3, 1, 2, 3)},
		{Name: "0×3", Matrix: NewMatrix(0, 3)},
		{Name: "m.W1", Matrix: NewMatrix(3, 0)},
		{Name: "empty", Bytes: nil},
	}
}

// identical reports whether x and y have the same shape and the same bits, those of
// NaNs included.
func identical(x, y *Matrix) bool {
	return x.Rows == y.Rows && x.Cols == y.Cols && slices.EqualFunc(x.Data, y.Data, func(a, b float64) bool {
		return math.Float64bits(a) == math.Float64bits(b)
	})
}

// compareNPZ reads an archive and says where it differs from the members. The error is
// that of an archive or a member that is refused.
func compareNPZ(file []byte, members []npzMember) (difference string, err error) {
	arrays, err := ReadNPZ(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return "", err
	}
	z, err := openFile(file)
	if err != nil {
		return "", err
	}
	var names []string
	for _, m := range members {
		if m.Matrix == nil {
			if got, err := z.bytes(m.Name, len(m.Bytes)); err != nil {
				return "", err
			} else if !bytes.Equal(got, m.Bytes) {
				return fmt.Sprintf("%s is %q, want %q", m.Name, got, m.Bytes), nil
			}
			continue
		}
		names = append(names, m.Name)
		if got := arrays[m.Name]; got == nil || !identical(got, m.Matrix) {
			return fmt.Sprintf("%s is %v, want %v", m.Name, got, m.Matrix), nil
		}
	}
	if !slices.Equal(z.arrays, names) || len(arrays) != len(names) {
		return fmt.Sprintf("names %q and %d arrays, want %q", z.arrays, len(arrays), names), nil
	}
	return "", nil
}

func TestNPZRoundTrip(t *testing.T) {
	big := fill(NewMatrix(300, 70), newRand())
	for _, members := range [][]npzMember{nil, oddMembers(), {{Name: "big", Matrix: big}}, {{Name: "dir/β 1", Matrix: NewMatrix(0, 0)}}} {
		if difference, err := compareNPZ(npzFile(t, members...), members); difference != "" || err != nil {
			t.Error(difference, err)
		}
	}
}

func TestWriteNPZIsReproducible(t *testing.T) {
	const want = "f9c7306a2b9b70b8a6aabb62b37b79bec1c0e11c0cb0785e1fe42aec3302853f"
	for range 2 {
		if got := fmt.Sprintf("%x", sha256.Sum256(npzFile(t, oddMembers()...))); got != want {
			t.Errorf("SHA-256 %s, want %s", got, want)
		}
	}
}

func TestWriteNPZErrors(t *testing.T) {
	one := NewMatrix(1, 1)
	for _, test := range []struct {
		want    string
		members []npzMember
	}{
		{"W1: two members of this name", []npzMember{{Name: "W1", Matrix: one}, {Name: "W1", Matrix: one}}},
		{"W1: two members of this name", []npzMember{{Name: "W1", Matrix: one}, {Name: "W1"}}},
		{`a member is named ""`, []npzMember{{Matrix: one}}},
		{`a member is named "W1.npy"`, []npzMember{{Name: "W1.npy"}}},
		{`a member is named "../W1"`, []npzMember{{Name: "b1", Matrix: one}, {Name: "../W1", Matrix: one}}},
		{`a member is named "/W1"`, []npzMember{{Name: "/W1", Matrix: one}}},
		{`a member is named "a\nb"`, []npzMember{{Name: "a\nb", Matrix: one}}},
		{`a member is named "\xff"`, []npzMember{{Name: "\xff", Matrix: one}}},
		{fmt.Sprintf("a member is named %q", strings.Repeat("x", 60)), []npzMember{{Name: strings.Repeat("x", 256), Matrix: one}}},
	} {
		var b bytes.Buffer
		err := writeNPZ(&b, test.members...)
		if err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if b.Len() > 0 {
			t.Errorf("%s: %d bytes written", test.want, b.Len())
		}
	}
	defer func() {
		if got, want := recover(), "mlp: writeNPZ: W1: 5 elements for 2×3"; got != want {
			t.Errorf("panic %v, want %s", got, want)
		}
	}()
	writeNPZ(io.Discard, npzMember{Name: "W1", Matrix: &Matrix{2, 3, make([]float64, 5)}})
}

func TestWriteNPZLimits(t *testing.T) {
	refused := func(want string, members ...npzMember) {
		t.Helper()
		var b bytes.Buffer
		err := writeNPZ(&b, members...)
		if err == nil || err.Error() != want || b.Len() > 0 {
			t.Errorf("%d bytes, error %v, want %s", b.Len(), err, want)
		}
	}
	refused("65535 members, over the limit of 65534", make([]npzMember, maxMembers+1)...)
	if testing.Short() {
		return
	}
	large := make([]byte, maxMember+1) // the bytes are never read or written, so they take no memory
	refused("a: 1073741825 bytes, over the limit of 1073741824", npzMember{Name: "a", Bytes: large})
	refused("d: the members up to here take 2147483649 bytes, over the limit of 2147483648 in all", npzMember{Name: "a", Bytes: large[1:]}, npzMember{Name: "b", Bytes: large[1:]}, npzMember{Name: "c"}, npzMember{Name: "d", Bytes: large[:1]})
}

// failing is a writer that takes left bytes and then fails with err.
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
	members := append(oddMembers(), npzMember{Name: "big", Matrix: NewMatrix(100, 100)})
	for n := range len(npzFile(t, members...)) {
		if n%97 == 0 {
			if err := writeNPZ(&failing{n, want}, members...); !errors.Is(err, want) {
				t.Errorf("failing after %d bytes: error %v", n, err)
			}
		}
	}
}

// A changed bit anywhere is an error, or changes nothing that can be read.
func TestNPZFlippedBits(t *testing.T) {
	members, harmless := oddMembers(), 0
	file := npzFile(t, members...)
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
	file := npzFile(t, append(oddMembers(), npzMember{Name: "inner", Bytes: npzFile(t, oddMembers()...)})...)
	for n := range file {
		if _, err := openFile(file[:n]); err == nil {
			t.Errorf("%d of %d bytes are an archive", n, len(file))
		}
	}
	for b := range 256 {
		if _, err := openFile(append(slices.Clone(file), byte(b))); err == nil {
			t.Errorf("an archive with byte %d after it is one", b)
		}
		if _, err := openFile(append([]byte{byte(b)}, file...)); err == nil {
			t.Errorf("an archive with byte %d before it is one", b)
		}
	}
}

// readerAt fails with err if it is asked for byte bad.
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
	file := npzFile(t, members...)
	for i := range file {
		z, err := openNPZ(readerAt{bytes.NewReader(file), int64(i), want}, int64(len(file)))
		for _, m := range members {
			if err == nil && m.Matrix != nil {
				_, err = z.matrix(m.Name)
			} else if err == nil {
				_, err = z.bytes(m.Name, 100)
			}
		}
		if !errors.Is(err, want) {
			t.Errorf("byte %d cannot be read: error %v", i, err)
		}
	}
}

// zipOf returns a zip of one member with this header, whether or not the header is
// true of the data.
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

// stored returns the true header of a member that is not packed.
func stored(name string, data []byte) zip.FileHeader {
	n := uint64(len(data))
	return zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE(data), CompressedSize64: n, UncompressedSize64: n}
}

// deflated packs the data of a member x.npy and returns a header that claims so many
// bytes unpacked.
func deflated(data []byte, claim uint64) ([]byte, zip.FileHeader) {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression)
	w.Write(data)
	w.Close()
	return b.Bytes(), zip.FileHeader{Name: "x.npy", Method: zip.Deflate, CRC32: crc32.ChecksumIEEE(data), CompressedSize64: uint64(b.Len()), UncompressedSize64: claim}
}

// addToDirectory puts s between the last entry of the directory and the record that
// ends the file, which counts s as part of the directory.
func addToDirectory(file []byte, s string) []byte {
	end := slices.Clone(file[len(file)-22:])
	binary.LittleEndian.PutUint32(end[12:], binary.LittleEndian.Uint32(end[12:])+uint32(len(s)))
	return slices.Concat(file[:len(file)-22], []byte(s), end)
}

// zip64Hidden returns a zip whose last entry has a comment that ends as the directory
// of a zip64 does. Package zip would read the other directory that the comment names.
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
	good := npzFile(t, oddMembers()...)
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
		{"the archive's directory does not hold exactly the 1 members that it claims", addToDirectory(manyMembers(1, 1, true), "garbage")},
		{"an .npz archive of too many members or bytes", zip64Hidden()},
	} {
		z, err := openFile(test.file)
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
		z, err := openFile(test.file)
		if err != nil {
			t.Errorf("%s: %v", test.want, err)
			continue
		}
		if x, err := z.matrix("x"); x != nil || err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
	}
	z, err := openFile(deflate(160))
	if err != nil {
		t.Fatal(err)
	}
	if x, err := z.matrix("x"); err != nil || !identical(x, NewMatrix(2, 2, 1, 2, 3, 4)) {
		t.Errorf("%v, error %v", x, err)
	}
}

func TestNPZNames(t *testing.T) {
	z, err := openFile(npzFile(t, oddMembers()...))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"W2", "run.json", "W1.npy", ""} {
		if x, err := z.matrix(name); x != nil || !errors.Is(err, fs.ErrNotExist) || err.Error() != name+": file does not exist in the archive" {
			t.Errorf("matrix(%q): %v, error %v", name, x, err)
		}
	}
	for _, name := range []string{"W1", "W1.npy", "run", ""} {
		if b, err := z.bytes(name, 1000); b != nil || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("bytes(%q): %q, error %v", name, b, err)
		}
	}
	for most, want := range map[int]string{13: "run.json: claims 14 bytes, over the limit of 13", -1: "run.json: claims 14 bytes, over the limit of -1"} {
		if b, err := z.bytes("run.json", most); b != nil || err == nil || err.Error() != want {
			t.Errorf("%q, error %v, want %s", b, err, want)
		}
	}
}

// wantNumPy returns the arrays that testdata/npz/make.py puts into savez.npz.
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
	for _, name := range []string{"savez.npz", "savez_compressed.npz"} {
		file := fixture(t, name)
		arrays, err := ReadNPZ(bytes.NewReader(file), int64(len(file)))
		if err != nil || len(arrays) != len(want) {
			t.Errorf("%s: %d arrays, want %d, error %v", name, len(arrays), len(want), err)
		}
		for array, x := range want {
			if got := arrays[array]; got == nil || got.Rows != x.Rows || got.Cols != x.Cols || !slices.EqualFunc(got.Data, x.Data, sameBits) {
				t.Errorf("%s: %s is %v, want %v", name, array, got, x)
			}
		}
	}
	if difference, err := compareNPZ(fixture(t, "stream.npz"), []npzMember{
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
	z, err := openFile(fixture(t, "refused.npz"))
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
	if len(z.arrays) != len(want) {
		t.Errorf("names %q", z.arrays)
	}
	for name, reason := range want {
		if x, err := z.matrix(name); x != nil || err == nil || err.Error() != name+": "+reason {
			t.Errorf("error %v, want %s: %s", err, name, reason)
		}
	}
}

// The table in testdata/README.md has the sums of the archives.
func TestNPZFixtureSums(t *testing.T) {
	readme, err := os.ReadFile("testdata/README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/npz/*.np?")
	if err != nil || len(files) != 8 {
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

// The data of a member follow its header and an extra field, whose length the header
// gives. So the data of two members can be the same bytes, and a thousand members can
// unpack to a thousand times the size of the file: such an archive is refused.
func TestNPZShared(t *testing.T) {
	data := "shared"
	fields := func(extra int) string { // what the two headers of a member have in common
		b := []byte{20, 0, 0, 0, 0, 0, 0, 0, 33, 0}
		for _, v := range []int{int(crc32.ChecksumIEEE([]byte(data))), len(data), len(data)} {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		return string(append(b, 1, 0, byte(extra), 0))
	}
	local := func(name string, extra int) string { return "PK\x03\x04" + fields(extra) + name }
	entry := func(name string, at int) string {
		return "PK\x01\x02\x14\x00" + fields(0) + strings.Repeat("\x00", 10) + string([]byte{byte(at), 0, 0, 0}) + name
	}
	open := func(body string, b int) error { // member a begins at byte 0 and member b at byte b
		directory := entry("a", 0) + entry("b", b)
		end := "PK\x05\x06\x00\x00\x00\x00\x02\x00\x02\x00" + string([]byte{byte(len(directory)), 0, 0, 0, byte(len(body)), 0, 0, 0, 0, 0})
		file := strings.NewReader(body + directory + end)
		z, err := openNPZ(file, file.Size())
		if err == nil {
			_, err = z.bytes("a", 100)
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

// withNumPy returns the name of a Python that has NumPy, or skips the test.
func withNumPy(t *testing.T) string {
	for _, python := range []string{"python3", "/usr/bin/python3"} {
		if exec.Command(python, "-c", "import numpy").Run() == nil {
			return python
		}
	}
	t.Skip("skipped: no python3 that imports numpy")
	return ""
}

// NumPy reads the bits that were written, and would write the same bytes.
func TestNumPyReads(t *testing.T) {
	python := withNumPy(t)
	members := oddMembers()
	file := filepath.Join(t.TempDir(), "ours.npz")
	if err := os.WriteFile(file, npzFile(t, members...), 0o666); err != nil {
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

// allocated returns how many bytes are allocated while f runs.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// All arrays together have a limit, and so has the memory that they take, even if each
// element becomes eight times as large.
func TestReadNPZLimits(t *testing.T) {
	z, err := openFile(npzFile(t, npzMember{Name: "a", Matrix: NewMatrix(2, 5)}, npzMember{Name: "b", Matrix: NewMatrix(1, 20)}))
	if err != nil {
		t.Fatal(err)
	}
	z.limit = 240
	if arrays, err := z.all(); err != nil || len(arrays) != 2 {
		t.Errorf("%d arrays, error %v", len(arrays), err)
	}
	z.limit, z.total = 239, 0
	want := "b: the arrays up to here take 240 bytes as float64, over the limit of 239 in all"
	if arrays, err := z.all(); arrays != nil || err == nil || err.Error() != want {
		t.Errorf("%d arrays, error %v, want %s", len(arrays), err, want)
	}
	bools := npyFile("{'descr': '|b1', 'fortran_order': False, 'shape': (4194304,)}", make([]byte, 4<<20)...)
	packed, h := deflated(bools, uint64(len(bools)))
	file := zipOf(t, packed, h)
	n := allocated(func() {
		if arrays, err := ReadNPZ(bytes.NewReader(file), int64(len(file))); err != nil || len(arrays["x"].Data) != 4<<20 {
			t.Errorf("%d arrays, error %v", len(arrays), err)
		}
	})
	if n > uint64(10*len(bools)) {
		t.Errorf("%d bytes allocated for an array of %d", n, len(bools))
	}
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
			if _, err := ReadNPZ(bytes.NewReader(file), int64(len(file))); err == nil {
				t.Errorf("%s: no error", name)
			}
		})
		if n > 1<<20 {
			t.Errorf("%s: %d bytes allocated for a file of %d", name, n, len(file))
		}
	}
}

// manyMembers returns a zip of n empty members that claims to have another number of
// them. If named is false, their names are empty. It is put together by hand, because
// package zip gives a zip of more than 65,535 members the directory of a zip64.
func manyMembers(n int, claim uint16, named bool) []byte {
	var file, directory []byte
	for i := range n {
		name := ""
		if named {
			name = strconv.Itoa(i)
		}
		entry, local := [46]byte{0: 'P', 'K', 1, 2}, [30]byte{0: 'P', 'K', 3, 4}
		binary.LittleEndian.PutUint16(entry[28:], uint16(len(name)))
		binary.LittleEndian.PutUint32(entry[42:], uint32(len(file)))
		directory = append(append(directory, entry[:]...), name...)
		binary.LittleEndian.PutUint16(local[26:], uint16(len(name)))
		file = append(append(file, local[:]...), name...)
	}
	end := [22]byte{0: 'P', 'K', 5, 6}
	binary.LittleEndian.PutUint16(end[10:], claim)
	binary.LittleEndian.PutUint32(end[12:], uint32(len(directory)))
	binary.LittleEndian.PutUint32(end[16:], uint32(len(file)))
	return slices.Concat(file, directory, end[:])
}

func TestNPZOfManyMembers(t *testing.T) {
	for _, n := range []int{0, 1, 1000, maxMembers} {
		z, err := openFile(manyMembers(n, uint16(n), true))
		if err != nil {
			t.Errorf("%d members: %v", n, err)
			continue
		}
		if b, err := z.bytes(fmt.Sprint(n-1), 0); n > 0 && (len(b) > 0 || err != nil) {
			t.Errorf("the last of %d members: %q, error %v", n, b, err)
		}
	}
	for _, test := range []struct {
		n     int
		claim uint16
		want  string
	}{
		{maxMembers + 1, maxMembers + 1, "an .npz archive of too many members or bytes"},
		{1 << 16, 0, "the archive's directory does not hold exactly the 0 members that it claims"},
		{1 << 16, 1, "the archive's directory: unexpected EOF"},
		{500_000, 41248, "an .npz archive of too many members or bytes"},
	} {
		file := manyMembers(test.n, test.claim, true)
		n := allocated(func() {
			if _, err := openFile(file); err == nil || err.Error() != test.want {
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
		if _, err := openFile(file); err == nil {
			t.Errorf("%d members without a name: no error", nameless)
		}
	})
	if n > uint64(10*len(file)+64<<20) {
		t.Errorf("%d members: %d bytes allocated for a file of %d", nameless, n, len(file))
	}
}

// A member has its name in the directory and before its data. They must be the same,
// so that no changed bit renames it.
func TestNPZChecksBothNames(t *testing.T) {
	file := npzFile(t, npzMember{Name: "W1", Matrix: NewMatrix(1, 1, 1)}, npzMember{Name: "W2", Matrix: NewMatrix(1, 1, 2)})
	local, entry := bytes.Index(file, []byte("W2")), bytes.LastIndex(file, []byte("W2"))
	for name, i := range map[string]int{"W2": local + 1, "W3": entry + 1, "W2 ": local - 4} {
		changed := slices.Clone(file)
		changed[i]++
		want := strings.TrimSpace(name) + ": its name in the directory differs from its name before the data"
		if _, err := openFile(changed); err == nil || err.Error() != want {
			t.Errorf("byte %d: error %v, want %s", i, err, want)
		}
	}
}

func FuzzNPZ(f *testing.F) {
	f.Add(npzFile(f, oddMembers()...))
	f.Add(npzFile(f))
	f.Add(manyMembers(3, 3, true))
	for _, name := range []string{"stream.npz", "refused.npz", "savez_compressed.npz"} {
		f.Add(fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		z, err := openFile(file)
		if err != nil {
			if s := err.Error(); s == "" || strings.ContainsAny(s, "\n\r\x00") {
				t.Fatalf("error %q", s)
			}
			return
		}
		var members []npzMember
		for _, name := range z.arrays {
			x, err := z.matrix(name)
			if err == nil {
				members = append(members, npzMember{Name: name, Matrix: x})
			} else if s := err.Error(); x != nil || !strings.HasPrefix(s, name+": ") || strings.ContainsAny(s, "\n\r\x00") {
				t.Fatalf("%s: %v, error %q", name, x, s)
			}
		}
		if difference, err := compareNPZ(npzFile(t, members...), members); difference != "" || err != nil {
			t.Fatalf("round trip: %s, error %v", difference, err)
		}
	})
}
