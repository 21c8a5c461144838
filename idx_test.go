// Tests of the IDX reader: whole files, cut and changed ones, and headers that claim
// what is not there. The sample's files are flipped and cut in attack_test.go.

package mlp

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

// idxFile returns an IDX file: a header with these dimensions, then data.
func idxFile(data []byte, dims ...uint32) []byte {
	file := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		file = binary.BigEndian.AppendUint32(file, d)
	}
	return append(file, data...)
}

func gzipped(data []byte) []byte {
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	z.Write(data)
	z.Close()
	return file.Bytes()
}

// endless is a file of zeros that never ends. It counts how many bytes were read.
type endless struct{ read int }

func (z *endless) Read(p []byte) (int, error) {
	clear(p)
	z.read += len(p)
	return len(p), nil
}

func TestReadIDX(t *testing.T) {
	big := make([]byte, 300_001) // the slice of data grows several times
	for i := range big {
		big[i] = byte(i * i >> 3)
	}
	for _, test := range []struct {
		data []byte
		dims []uint32
	}{
		{[]byte{7}, []uint32{1}},
		{[]byte{1, 2, 3, 4, 5, 6}, []uint32{6}},
		{[]byte{1, 2, 3, 4, 5, 6}, []uint32{1, 2, 3}},
		{[]byte("<!doctype html>"), []uint32{15}},
		{[]byte{9}, slices.Repeat([]uint32{1}, 255)},
		{nil, []uint32{0}},
		{nil, []uint32{0, 28, 28}},
		{big[:1<<16], []uint32{1 << 16}},
		{big[:1<<16+1], []uint32{1<<16 + 1}},
		{big, []uint32{300_001}},
	} {
		plain := idxFile(test.data, test.dims...)
		zipped := gzipped(plain)
		for name, r := range map[string]io.Reader{
			"plain":   bytes.NewReader(plain),
			"gzip":    bytes.NewReader(zipped),
			"bytes":   iotest.OneByteReader(bytes.NewReader(zipped)),
			"members": io.MultiReader(bytes.NewReader(gzipped(plain[:3])), bytes.NewReader(gzipped(plain[3:]))),
		} {
			dims, data, err := ReadIDX(r)
			if err != nil || fmt.Sprint(dims) != fmt.Sprint(test.dims) || !bytes.Equal(data, test.data) {
				t.Errorf("%v %s: dims %v, %d bytes, error %v", test.dims, name, dims, len(data), err)
			}
			if len(data) != cap(data) {
				t.Errorf("%v %s: %d bytes held for %d", test.dims, name, cap(data), len(data))
			}
		}
	}
}

func TestReadIDXErrors(t *testing.T) {
	good := idxFile([]byte{1, 2, 3, 4, 5, 6}, 2, 3)
	badSum := gzipped(good)
	badSum[len(badSum)-8] ^= 1
	page := []byte("\n<!DOCTYPE html>\n<html><body>404 Not Found</body></html>\n")
	for _, test := range []struct {
		name string
		file []byte
		want string
	}{
		{"empty", nil, "stopped at byte 0 of 4: unexpected EOF"},
		{"cut header", good[:9], "stopped at byte 9 of 12: unexpected EOF"},
		{"cut data", good[:15], "stopped at byte 15 of 18: unexpected EOF"},
		{"cut in gzip", gzipped(good[:15]), "stopped at byte 15 of 18: unexpected EOF"},
		{"cut gzip header", gzipped(good)[:5], "gzip header: unexpected EOF"},
		{"checksum", badSum, "stopped at byte 18 of 18: gzip: invalid checksum"},
		{"tail", append(good, 0), "bytes left over after the 18 that the header claims"},
		{"tail in gzip", gzipped(append(good, 0)), "bytes left over after the 18 that the header claims"},
		{"tail after gzip", append(gzipped(good), "garbage of any sort"...), "stopped at byte 18 of 18: gzip: invalid header"},
		{"short tail after gzip", append(gzipped(good), 0), "stopped at byte 18 of 18: unexpected EOF"},
		{"twice", append(gzipped(good), gzipped(good)...), "bytes left over after the 18 that the header claims"},
		{"HTML", page, "an HTML page, not an IDX file"},
		{"HTML in gzip", gzipped(page), "an HTML page, not an IDX file"},
		{"text", []byte("AccessDenied"), `not an IDX file: it begins with "Acce"`},
		{"zip", []byte("PK\x03\x04...."), `not an IDX file: it begins with "PK\x03\x04"`},
		{"zeros", make([]byte, 64), `not an IDX file: it begins with "\x00\x00\x00\x00"`},
		{"magic", []byte{0, 1, 8, 1, 0, 0, 0, 0}, `not an IDX file: it begins with "\x00\x01\b\x01"`},
		{"float32", []byte{0, 0, 13, 1, 0, 0, 0, 0}, "an IDX file of float32, want uint8"},
		{"rank 0", []byte{0, 0, 8, 0}, "an IDX file without dimensions"},
		{"2³² wide", idxFile(nil, 0, math.MaxUint32), "the header claims 0 × 4294967295 bytes, over the limit of 1073741824"},
		{"2⁴⁸", idxFile(nil, 65536, 65536, 65536), "the header claims 65536 × 65536 bytes, over the limit of 1073741824"},
		{"2⁶⁴", idxFile(nil, 1<<30, 1<<30, 16), "the header claims 1073741824 × 1073741824 bytes, over the limit of 1073741824"},
	} {
		dims, data, err := ReadIDX(bytes.NewReader(test.file))
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: error %v, want %s", test.name, err, test.want)
		}
		var format FormatError
		if strings.Contains(test.want, "EOF") != errors.Is(err, io.ErrUnexpectedEOF) ||
			strings.Contains(test.want, "IDX") && !errors.As(err, &format) {
			t.Errorf("%s: error of type %T", test.name, err)
		}
		if dims != nil || data != nil {
			t.Errorf("%s: dims %v and %d bytes beside the error", test.name, dims, len(data))
		}
	}
}

func TestReadIDXTruncated(t *testing.T) {
	plain := idxFile([]byte("twelve bytes"), 3, 4)
	for _, file := range [][]byte{plain, gzipped(plain)} {
		for n := range file {
			if _, _, err := ReadIDX(bytes.NewReader(file[:n])); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d of %d bytes: error %v", n, len(file), err)
			}
		}
	}
}

func TestReadIDXFlippedBits(t *testing.T) {
	want := []byte("a few bytes, a few bytes")
	file, refused := gzipped(idxFile(want, 2, 12)), 0
	for bit := range 8 * len(file) {
		flipped := slices.Clone(file)
		flipped[bit/8] ^= 1 << (bit % 8)
		_, data, err := ReadIDX(bytes.NewReader(flipped))
		if err != nil {
			refused++
		} else if !bytes.Equal(data, want) {
			t.Errorf("bit %d of byte %d: read %q without an error", bit%8, bit/8, data)
		}
	}
	if header := 8 * 10; refused < 8*len(file)-header || refused == 8*len(file) {
		t.Errorf("%d of %d flips are refused, want all outside gzip's header and not all inside", refused, 8*len(file))
	}
}

func TestReadIDXPassesErrorsOn(t *testing.T) {
	want := errors.New("the disk is on fire")
	file := idxFile(make([]byte, 20), 20)
	for n := range file {
		r := io.MultiReader(bytes.NewReader(file[:n]), iotest.ErrReader(want))
		if _, _, err := ReadIDX(r); !errors.Is(err, want) {
			t.Errorf("failing after %d bytes: error %v", n, err)
		}
	}
}

// Memory and time grow with the bytes that are there, not with those that the header
// claims.
func TestReadIDXBelievesNoHeader(t *testing.T) {
	for _, dims := range [][]uint32{
		{math.MaxUint32, 28, 28},
		{math.MaxUint32},
		{1 << 20, 28, 28}, // within the limit
	} {
		for _, file := range [][]byte{idxFile(make([]byte, 10), dims...), gzipped(idxFile(make([]byte, 10), dims...))} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := ReadIDX(bytes.NewReader(file))
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; err == nil || n > 1<<20 {
				t.Errorf("%v with 10 bytes there: %d bytes allocated, error %v", dims, n, err)
			}
		}
	}
	for _, dims := range [][]uint32{{100}, {0}, {math.MaxUint32, 28, 28}} {
		var tail endless
		if _, _, err := ReadIDX(io.MultiReader(bytes.NewReader(idxFile(nil, dims...)), &tail)); err == nil || tail.read > 1<<16 {
			t.Errorf("%v: %d bytes read from an endless file, error %v", dims, tail.read, err)
		}
	}
}

// However much a header claims, the memory grows with the bytes that are there. All
// that ReadIDX allocates is the pieces of its slice of data, each three times as long as
// the one before, and some buffers. The last two pieces, which it holds at the same time,
// are four times the data, and all pieces are 4.5 times the data.
func TestReadIDXMemory(t *testing.T) {
	for _, n := range []int{0, 1 << 16, 3<<16 + 1, 16 << 16, 27 << 16} {
		plain := idxFile(make([]byte, n), 1<<20, 28, 28)
		for _, file := range [][]byte{plain, gzipped(plain)} {
			got := allocated(func() {
				if _, _, err := ReadIDX(bytes.NewReader(file)); !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Errorf("%d bytes of data: error %v", n, err)
				}
			})
			if most := uint64(n*9/2 + 256<<10); got > most {
				t.Errorf("%d bytes of data: %d bytes allocated, want at most %d", n, got, most)
			}
		}
	}
}

func FuzzReadIDX(f *testing.F) {
	good := idxFile([]byte{1, 2, 3, 4, 5, 6}, 1, 2, 3)
	f.Add(good)
	f.Add(gzipped(good))
	f.Add(idxFile(nil, 0))
	f.Add(idxFile([]byte{1}, 65536, 65536))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, file []byte) {
		dims, data, err := ReadIDX(bytes.NewReader(file))
		if err != nil {
			if s := err.Error(); dims != nil || data != nil || s == "" || strings.Contains(s, "\n") {
				t.Fatalf("dims %v, %d bytes, error %q", dims, len(data), s)
			}
			return
		}
		size := 1
		sizes := make([]uint32, len(dims))
		for i, d := range dims {
			size *= d
			sizes[i] = uint32(d)
		}
		if size != len(data) || len(dims) == 0 {
			t.Fatalf("dims %v of %d bytes", dims, len(data))
		}
		again, same, err := ReadIDX(bytes.NewReader(idxFile(data, sizes...)))
		if err != nil || !slices.Equal(again, dims) || !bytes.Equal(same, data) {
			t.Fatalf("round trip: dims %v, want %v, error %v", again, dims, err)
		}
	})
}
