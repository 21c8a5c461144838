// Tests of .npz archives and the arrays in them: what is written is read back to the last bit,
// by NumPy too; what is changed, cut short or claims too much is refused.

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
	"sync"
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

// arrayOf returns an array of an archive.
func arrayOf(z *npz, name string) (*Matrix, error) {
	x := new(Matrix)
	if err := z.matrix(x, name); err != nil {
		return nil, err
	}
	return x, nil
}

// parsed returns the array of a .npy file.
func parsed(file []byte) (*Matrix, error) {
	x := new(Matrix)
	if _, err := parseNPY(x, file); err != nil {
		return nil, err
	}
	return x, nil
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
			if got, err := z.read(m.Name, false, int64(len(m.Bytes))); err != nil {
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
	const want = "f9c7306a2b9b70b8a6aabb62b37b79bec1c0e11c0cb0785e1fe42aec3302853f"
	if got := fmt.Sprintf("%x", sha256.Sum256(npzFile(t, oddMembers()...))); got != want {
		t.Errorf("SHA-256 %s, want %s", got, want)
	}
}

func TestWriteNPZOfMissingElements(t *testing.T) {
	short := npzMember{Name: "W1", Matrix: &Matrix{2, 3, make([]float64, 5)}}
	if got := panicOf(func() { writeNPZ(io.Discard, short) }); got != "mlp: writeNPZ: W1: 5 elements for 2×3" {
		t.Errorf("panic %q", got)
	}
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
		if difference != "" || err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("bit %d of byte %d: %s, error %v", bit%8, bit/8, difference, err)
		}
		if err == nil {
			harmless++
		}
	}
	if t.Logf("%d of %d flips change nothing", harmless, 8*len(file)); harmless > 2*len(file) {
		t.Error("too few flips were noticed")
	}
}

func TestNPZTruncated(t *testing.T) {
	file := npzFile(t, append(oddMembers(), npzMember{Name: "inner", Bytes: npzFile(t, oddMembers()...)})...)
	for n := range file {
		if _, err := openFile(file[:n]); err == nil {
			t.Errorf("%d of %d bytes are an archive", n, len(file))
		}
	}
	for b := range 256 {
		for _, longer := range [][]byte{append(slices.Clone(file), byte(b)), append([]byte{byte(b)}, file...)} {
			if _, err := openFile(longer); err == nil {
				t.Errorf("an archive with byte %d more is one", b)
			}
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
				_, err = arrayOf(z, m.Name)
			} else if err == nil {
				_, err = z.read(m.Name, false, 100)
			}
		}
		if !errors.Is(err, want) {
			t.Errorf("byte %d cannot be read: error %v", i, err)
		}
	}
}

// rawHeaders returns the two headers of a member, whether or not they are true: the one before
// its data, which claims an extra field of so many bytes, and its entry in the directory, which
// says where that header begins.
func rawHeaders(h zip.FileHeader, extra byte, at int) (local, entry []byte) {
	le := binary.LittleEndian
	both := le.AppendUint16(le.AppendUint16([]byte{20, 0}, h.Flags), h.Method)
	both = le.AppendUint32(append(both, 0, 0, 33, 0), h.CRC32)
	both = le.AppendUint32(le.AppendUint32(both, uint32(h.CompressedSize64)), uint32(h.UncompressedSize64))
	both = le.AppendUint16(both, uint16(len(h.Name)))
	local = slices.Concat([]byte("PK\x03\x04"), both, []byte{extra, 0}, []byte(h.Name))
	entry = slices.Concat([]byte("PK\x01\x02\x14\x00"), both, make([]byte, 12))
	return local, append(le.AppendUint32(entry, uint32(at)), h.Name...)
}

// rawZip returns a zip that claims to have so many members. Package zip would write a zip of
// more than 65,535 members as a zip64.
func rawZip(claim int, body, directory []byte) []byte {
	le := binary.LittleEndian
	end := le.AppendUint16([]byte("PK\x05\x06\x00\x00\x00\x00\x00\x00"), uint16(claim))
	end = le.AppendUint32(le.AppendUint32(end, uint32(len(directory))), uint32(len(body)))
	return slices.Concat(body, directory, end, []byte{0, 0})
}

// zipOf returns a zip of one member with this header.
func zipOf(data []byte, h zip.FileHeader) []byte {
	local, entry := rawHeaders(h, 0, 0)
	return rawZip(1, append(local, data...), entry)
}

// empty returns the members of these names, without data, and the directory of their zip.
func empty(names ...string) (body, directory []byte) {
	for _, name := range names {
		local, entry := rawHeaders(zip.FileHeader{Name: name}, 0, len(body))
		body, directory = append(body, local...), append(directory, entry...)
	}
	return body, directory
}

// numbers returns n names.
func numbers(n int) (names []string) {
	for i := range n {
		names = append(names, strconv.Itoa(i))
	}
	return names
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

// An error of an archive is exactly one line. That of a member names it.
func TestNPZErrors(t *testing.T) {
	good, array := npzFile(t, oddMembers()...), npy(NewMatrix(2, 2, 1, 2, 3, 4))
	var commented bytes.Buffer
	zw := zip.NewWriter(&commented)
	zw.SetComment("a comment")
	zw.Close()
	raw := func(claim int, names ...string) []byte {
		body, directory := empty(names...)
		return rawZip(claim, body, directory)
	}
	with := func(change func(h *zip.FileHeader)) []byte {
		h := stored("x.npy", array)
		change(&h)
		return zipOf(array, h)
	}
	deflate := func(claim uint64) []byte { data, h := deflated(array, claim); return zipOf(data, h) }
	body, directory := empty("0")
	// Package zip would read the directory of a zip64 that this comment names.
	comment := make([]byte, 1000)
	copy(comment[980:], "PK\x06\x07")
	hidden := slices.Concat(directory, comment)
	binary.LittleEndian.PutUint16(hidden[32:], 1000)
	// The data of a member follow its header and an extra field, whose length the header gives.
	// So the data of two members can be the same bytes.
	header := stored("a", []byte("shared"))
	a, entryA := rawHeaders(header, 0, 0)
	header.Name = "b"
	b, entryB := rawHeaders(header, 0, len(a))
	a[28] = byte(len(b)) // of a's extra field
	shared := rawZip(2, slices.Concat(a, b, []byte("shared")), slices.Concat(entryA, entryB))
	// A member has its name in the directory and before its data.
	two := raw(2, "W1", "W2")
	renamed := func(at int) []byte {
		file := slices.Clone(two)
		file[at]++
		return file
	}
	local, entry := bytes.Index(two, []byte("W2")), bytes.LastIndex(two, []byte("W2"))
	const cut, inexact = "an .npz archive that was cut short or added to", "the archive's directory does not hold exactly the members that it claims"
	for _, test := range []struct {
		want string
		file []byte
	}{
		{`not an .npz archive: it begins with ""`, nil},
		{`not an .npz archive: it begins with "PK"`, good[:2]},
		{`not an .npz archive: it begins with "\x93NUM"`, array},
		{`not an .npz archive: it begins with "<htm"`, []byte("<html>")},
		{cut, good[:4]},
		{cut, good[:len(good)-1]},
		{cut, append(slices.Clone(good), "garbage"...)},
		{cut, commented.Bytes()},
		{cut, append(slices.Clone(good[:len(good)-1]), 1)}, // a comment of 256 bytes is missing
		{cut, append(slices.Clone(good[:4]), good...)},
		{cut, bytes.Replace(good, []byte("PK\x05\x06"), []byte("PK\x05\x07"), 1)},
		{`a member is named "../x"`, raw(1, "../x.npy")},
		{`a member is named "/x"`, raw(1, "/x.npy")},
		{`a member is named "a/../../x"`, raw(1, "a/../../x.npy")},
		{`a member is named "x\x00"`, raw(1, "x\x00.npy")},
		{`a member is named "a\nb"`, raw(1, "a\nb.npy")},
		{`a member is named "\xff"`, raw(1, "\xff.npy")},
		{`a member is named "x.npy"`, raw(1, "x.npy.npy")},
		{`a member is named "dir/"`, raw(1, "dir/")},
		{`a member is named ""`, raw(1, ".npy")},
		{fmt.Sprintf("a member is named %q", strings.Repeat("x", 60)), raw(1, strings.Repeat("x", 256)+".npy")},
		{fmt.Sprintf("a member is named %q", strings.Repeat("x", 60)), raw(1, strings.Repeat("x", 60_000))},
		{"x: two members of this name", raw(2, "x.npy", "x.npy")},
		{"x: two members of this name", raw(2, "x", "x.npy")},
		{inexact, raw(0, "x")},
		{inexact, raw(3, "x", "y")},
		{inexact, rawZip(1, body, append(slices.Clone(directory), "garbage"...))},
		{inexact, rawZip(1, body, directory[:len(directory)-1])},
		{inexact, rawZip(2, body, append(slices.Clone(directory), make([]byte, 46)...))},
		{"an .npz archive of too many members or bytes", rawZip(1, body, hidden)},
		{"an .npz archive of too many members or bytes", rawZip(0, append([]byte("PK\x03\x04"), hidden...), nil)},
		{"b: its 6 bytes are not in the archive, or are another member's too", shared},
		{"W2: its name in the directory differs from its name before the data", renamed(local + 1)},
		{"W3: its name in the directory differs from its name before the data", renamed(entry + 1)},
		{"W2: its name in the directory differs from its name before the data", renamed(local - 4)},
		{"W2: its name in the directory differs from its name before the data", renamed(local - 30)},
		{"0: its name in the directory differs from its name before the data", rawZip(1, append([]byte("PK\x03\x04"), body...), directory)},
		{"0: its 0 bytes are not in the archive, or are another member's too", rawZip(1, bytes.Replace(body, []byte("\x00\x000"), []byte("\x01\x000"), 1), directory)},
		{"x: its 4294967295 bytes are not in the archive, or are another member's too", with(func(h *zip.FileHeader) { h.CompressedSize64 = 1<<32 - 1 })},
		{"x: encrypted", with(func(h *zip.FileHeader) { h.Flags = 1 })},
		{"x: packed by method 12, want 0 (stored) or 8 (deflated)", with(func(h *zip.FileHeader) { h.Method = 12 })},
		{"x: its checksum is wrong", with(func(h *zip.FileHeader) { h.CRC32++ })},
		{"x: its checksum is wrong", with(func(h *zip.FileHeader) { h.CRC32 = 0 })},
		{"x: stopped at byte 160 of 161: unexpected EOF", with(func(h *zip.FileHeader) { h.UncompressedSize64++ })},
		{"x: unpacks to more than the 159 bytes that it claims", with(func(h *zip.FileHeader) { h.UncompressedSize64-- })},
		{"x: claims 4026531840 bytes, over the limit of 1073741824", with(func(h *zip.FileHeader) { h.UncompressedSize64 = 15 << 28 })},
		{"x: claims 4026531840 bytes, over the limit of 1073741824", deflate(15 << 28)},
		{"x: stopped at byte 160 of 1073741824: unexpected EOF", deflate(1 << 30)},
		{"x: unpacks to more than the 159 bytes that it claims", deflate(159)},
		{"x: stopped at byte 6 of 160: unexpected EOF", with(func(h *zip.FileHeader) { h.Method = zip.Deflate })},
	} {
		arrays, err := ReadNPZ(bytes.NewReader(test.file), int64(len(test.file)))
		if arrays != nil || err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if !errors.As(err, new(FormatError)) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v: error of type %T", err, err)
		}
	}
	packed := deflate(160)
	if arrays, err := ReadNPZ(bytes.NewReader(packed), int64(len(packed))); err != nil || !identical(arrays["x"], NewMatrix(2, 2, 1, 2, 3, 4)) {
		t.Errorf("%v, error %v", arrays, err)
	}
}

func TestNPZNames(t *testing.T) {
	z, err := openFile(npzFile(t, oddMembers()...))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"W2", "run.json", "W1.npy", ""} {
		x, err := arrayOf(z, name)
		if want := name + ": file does not exist in the archive"; x != nil || !errors.Is(err, fs.ErrNotExist) || err.Error() != want {
			t.Errorf("matrix(%q): %v, error %v", name, x, err)
		}
	}
	for _, name := range []string{"W1", "W1.npy", "run", ""} {
		if b, err := z.read(name, false, 1000); b != nil || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("read(%q): %q, error %v", name, b, err)
		}
	}
	if b, err := z.read("run.json", false, 13); b != nil || fmt.Sprint(err) != "claims 14 bytes, over the limit of 13" {
		t.Errorf("%q, error %v", b, err)
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
	stack := NewMatrix(6, 4)
	for i := range stack.Data {
		stack.Data[i] = float64(i)
	}
	want["rank3"], want["rank3F"] = stack, stack
	return want
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	return []byte(readText(t, "testdata/npz/"+name))
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
		if x, err := parsed(fixture(t, file)); err != nil || !identical(x, NewMatrix(2, 2, 1, 2, 3, 4)) {
			t.Errorf("%s: %v, error %v", file, x, err)
		}
	}
}

func TestNumPyWroteWhatIsRefused(t *testing.T) {
	z, err := openFile(fixture(t, "refused.npz"))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"rank4": "shape (2, 3, 4, 5) is of rank 4, want at most 3"}
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
		if x, err := arrayOf(z, name); x != nil || err == nil || err.Error() != name+": "+reason {
			t.Errorf("error %v, want %s: %s", err, name, reason)
		}
	}
}

// withNumPy returns the name of a Python that has NumPy, or skips the test.
func withNumPy(t *testing.T) string {
	python := numPyFound()
	if python == "" {
		t.Skip("skipped: no python3 that imports numpy")
	}
	t.Setenv("OPENBLAS_NUM_THREADS", "1") // NumPy starts faster without its threads
	return python
}

var numPyFound = sync.OnceValue(func() string {
	for _, python := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(python, "-c", "import importlib.util as u; exit(not u.find_spec('numpy'))").Run() == nil {
			return python
		}
	}
	return ""
})

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
	z.limit = 239
	if a, err := arrayOf(z, "a"); err != nil || len(a.Data) != 10 {
		t.Errorf("a: error %v", err)
	}
	want := "b: the arrays up to here take 240 bytes as float64, over the limit of 239 in all"
	if b, err := arrayOf(z, "b"); b != nil || fmt.Sprint(err) != want {
		t.Errorf("error %v, want %s", err, want)
	}
	z.limit, z.total = 240, 80
	if _, err := arrayOf(z, "b"); err != nil {
		t.Error(err)
	}
	bools := npyFile("{'descr': '|b1', 'fortran_order': False, 'shape': (4194304,)}", make([]byte, 4<<20)...)
	packed, h := deflated(bools, uint64(len(bools)))
	file := zipOf(packed, h)
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
	pack := func(data []byte, size uint64) []byte { packed, h := deflated(data, size); return zipOf(packed, h) }
	for name, file := range map[string][]byte{
		"shape":       zipOf(claim, stored("x.npy", claim)),
		"stored":      zipOf(claim, zip.FileHeader{Name: "x.npy", UncompressedSize64: maxMember, CompressedSize64: maxMember}),
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

func TestNPZOfManyMembers(t *testing.T) {
	for _, n := range []int{0, 1, 1000, maxMembers} {
		body, directory := empty(numbers(n)...)
		if z, err := openFile(rawZip(n, body, directory)); err != nil || len(z.members) != n {
			t.Errorf("%d members: %v", n, err)
		}
	}
	const inexact, tooMany = "the archive's directory does not hold exactly the members that it claims", "an .npz archive of too many members or bytes"
	for _, test := range []struct {
		names []string
		claim int
		want  string
	}{
		{numbers(maxMembers + 1), maxMembers + 1, tooMany},
		{numbers(1 << 16), 0, inexact},
		{numbers(1 << 16), 1, inexact},
		{numbers(500_000), 500_000, tooMany},
		{make([]string, maxDirectory/46), maxDirectory / 46, `a member is named ""`},
	} {
		if len(test.names) > 1<<16 && os.Getenv("MLP_ATTACK") == "" {
			continue
		}
		body, directory := empty(test.names...)
		file := rawZip(test.claim, body, directory)
		n := allocated(func() {
			if _, err := openFile(file); fmt.Sprint(err) != test.want {
				t.Errorf("%d members: error %v, want %s", len(test.names), err, test.want)
			}
		})
		if n > uint64(10*len(file)+64<<20) {
			t.Errorf("%d members: %d bytes allocated for a file of %d", len(test.names), n, len(file))
		}
	}
}

func FuzzNPZ(f *testing.F) {
	f.Add(npzFile(f, oddMembers()...))
	f.Add(npzFile(f))
	body, directory := empty(numbers(3)...)
	f.Add(rawZip(3, body, directory))
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
			x, err := arrayOf(z, name)
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

// npy returns x as a .npy file.
func npy(x *Matrix) []byte {
	var b bytes.Buffer
	npzMember{Matrix: x}.write(&b)
	return b.Bytes()
}

// npyFile returns a .npy file of version 1.0 with this header and these elements.
func npyFile(header string, data ...byte) []byte {
	file := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	return append(append(file, header...), data...)
}

func TestParseNPYErrors(t *testing.T) {
	dict := func(descr, order, shape string) string {
		return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }"
	}
	of := func(descr, shape string) []byte { return npyFile(dict("'"+descr+"'", "False", shape)) }
	long := npyFile(dict("'<f8'", "False", "()")+strings.Repeat(" ", 60_000), make([]byte, 8)...)
	if x, err := parsed(long); err != nil || x.Rows != 1 || x.Cols != 1 {
		t.Errorf("a header of 60 kB: error %v", err)
	}
	for _, test := range []struct {
		want string
		file []byte
	}{
		{`not an .npy array: it begins with ""`, nil},
		{`not an .npy array: it begins with "hello,"`, []byte("hello, world")},
		{`not an .npy array: it begins with "\x93NUMP"`, []byte("\x93NUMP")},
		{"an .npy array that was cut short after 6 bytes", []byte("\x93NUMPY")},
		{"an .npy array that was cut short after 11 bytes", npy(NewMatrix(1, 1))[:11]},
		{"an .npy array of version 4.0, want 1.0, 2.0 or 3.0", []byte("\x93NUMPY\x04\x00....")},
		{"an .npy array of version 0.0, want 1.0, 2.0 or 3.0", []byte("\x93NUMPY\x00\x00....")},
		{"an .npy array of version 1.1, want 1.0, 2.0 or 3.0", []byte("\x93NUMPY\x01\x01....")},
		{"the header claims 118 bytes, 60 are left", npy(NewMatrix(1, 1))[:70]},
		{"the header claims 4294967295 bytes, over the limit of 65536", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff")},
		{"the header claims 65537 bytes, over the limit of 65536", append([]byte("\x93NUMPY\x02\x00\x01\x00\x01\x00"), make([]byte, 1<<17)...)},
		{"8 bytes of elements, want 1×2 of 8", npyFile(dict("'<f8'", "False", "(2,)"), make([]byte, 8)...)},
		{"9 bytes of elements, want 1×1 of 8", npyFile(dict("'<f8'", "False", "()"), make([]byte, 9)...)},
		{"0 bytes of elements, want 134217728×1 of 8", of("<f8", "(134217728, 1)")},
		{"shape (2, 3, 4, 5) is of rank 4, want at most 3", of("<f8", "(2, 3, 4, 5)")},
		{"shape (0, 3, 4) has no elements in three axes", of("<f8", "(0, 3, 4)")},
		{"8 bytes of elements, want 2×3×4 of 8", npyFile(dict("'<f8'", "False", "(2,3,4)"), make([]byte, 8)...)},
		{"shape (65536, 65536, 65536) is over the limit of 134217728 elements", of("|i1", "(65536, 65536, 65536)")},
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
		x, err := parsed(test.file)
		if x != nil || err == nil || err.Error() != test.want {
			t.Errorf("error %v, want %s", err, test.want)
		}
		if !errors.As(err, new(FormatError)) {
			t.Errorf("%v: error of type %T", err, err)
		}
	}
}

func TestParseNPYHeader(t *testing.T) {
	x, err := parsed(npyFile("{'descr': '|b1', 'fortran_order': False, 'shape': (4,)}", 0, 1, 2, 255))
	if err != nil || !slices.Equal(x.Data, []float64{0, 1, 1, 1}) {
		t.Errorf("bools: %v, error %v", x, err)
	}
	data := make([]byte, 48)
	for _, header := range []string{
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }   \n",
		"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3)}",
		"{'shape':(2,3),'fortran_order':False,'descr':'<f8'}",
		`{"fortran_order" : False , "shape" : ( 2 , 3 , ) , "descr" : "=f8" , }`,
		" \n{\t'shape': (2,\n3), 'descr': '|f8', 'fortran_order': True,}",
	} {
		if x, err := parsed(npyFile(header, data...)); err != nil || x.Rows != 2 || x.Cols != 3 {
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
		if _, err := parsed(npyFile(header, data...)); err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", header, err, want)
		}
	}
}

// Every float16 is the number that its fields define.
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

func FuzzNPY(f *testing.F) {
	f.Add(npy(oddMatrix()))
	f.Add(npyFile("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 1)}", 1, 2, 3, 4))
	f.Add(npyFile("{'descr': '|O', 'fortran_order': False, 'shape': ()}"))
	f.Add(fixture(f, "version2.npy"))
	f.Add(fixture(f, "version3.npy"))
	f.Fuzz(func(t *testing.T, file []byte) {
		x, err := parsed(file)
		if err != nil {
			if s := err.Error(); x != nil || s == "" || strings.ContainsAny(s, "\n\r\x00") {
				t.Fatalf("%v, error %q", x, s)
			}
			return
		}
		if len(x.Data) != x.Rows*x.Cols || len(x.Data) > len(file) {
			t.Fatalf("%d elements for %d×%d from %d bytes", len(x.Data), x.Rows, x.Cols, len(file))
		}
		if again, err := parsed(npy(x)); err != nil || !identical(again, x) {
			t.Fatalf("round trip: %v, want %v, error %v", again, x, err)
		}
	})
}
