// The IDX format, which the MNIST files have, gzipped or not. Not here: what the numbers
// mean (mnist.go).

package mlp

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
)

// maxIDX is the most bytes of data that the header of an IDX file may claim: 1 GiB. The
// files of MNIST, Fashion-MNIST and EMNIST are all smaller.
const maxIDX = 1 << 30

// ReadIDX reads r to its end. r is an IDX file of unsigned bytes and may be gzipped. The
// file is an array: dims are its sizes, one for each dimension, and data are its elements
// in row-major order. If it has three dimensions, element (i, j, k) is
// data[(i*dims[1]+j)*dims[2]+k]. If a dimension is 0, data is empty.
//
// ReadIDX does not trust the header. It refuses one that claims more than 1 GiB, and at
// no time does it hold more than four times the unpacked bytes that were read and
// 256 KiB. The error is a [FormatError] if r is not such a file, and wraps
// [io.ErrUnexpectedEOF] if r ends too early. Bytes left over and a wrong gzip checksum are
// errors too.
func ReadIDX(r io.Reader) (dims []int, data []byte, err error) {
	f, err := newIDXReader(r)
	if err != nil {
		return nil, nil, err
	}
	data, err = f.readData(f.size, io.Discard)
	if err != nil {
		return nil, nil, err
	}
	return f.dims, data, nil
}

// An idxReader is an IDX file whose header has been read and whose data follow.
type idxReader struct {
	r      *bufio.Reader
	header []byte
	dims   []int
	size   int // bytes of data that the header claims: the product of dims
}

// newIDXReader reads the header: the magic number and the dimensions.
func newIDXReader(file io.Reader) (*idxReader, error) {
	r, err := gunzipped(file)
	if err != nil {
		return nil, err
	}
	magic, err := r.Peek(4)
	if err != nil {
		return nil, stoppedAt(len(magic), 4, err)
	}
	header := make([]byte, 4+4*int(magic[3]))
	if err := checkIDXMagic(r); err != nil {
		return nil, err
	}
	if n, err := io.ReadFull(r, header); err != nil {
		return nil, stoppedAt(n, len(header), err)
	}
	f, product := &idxReader{r: r, header: header}, uint64(1)
	for b := header[4:]; len(b) > 0; b = b[4:] {
		d := uint64(binary.BigEndian.Uint32(b))
		if d > maxIDX || product*d > maxIDX { // product*d cannot overflow, because neither factor is over 2³⁰
			return nil, formatErrorf("the header claims %d × %d bytes, over the limit of %d", product, d, maxIDX)
		}
		product *= d
		f.dims = append(f.dims, int(d))
	}
	f.size = int(product)
	return f, nil
}

// gunzipped returns a reader of r's content, unpacked if r begins like a gzip file.
func gunzipped(r io.Reader) (*bufio.Reader, error) {
	br := bufio.NewReaderSize(r, 1<<16)
	if start, _ := br.Peek(2); string(start) != "\x1f\x8b" {
		return br, nil
	}
	zr, err := gzip.NewReader(br)
	if err != nil {
		return nil, fmt.Errorf("gzip header: %w", err)
	}
	return bufio.NewReader(zr), nil
}

// checkIDXMagic returns an error unless r begins with 0, 0, 8 for the type uint8 and
// a number of dimensions that is not 0. The caller has made sure that r has four bytes.
func checkIDXMagic(r *bufio.Reader) error {
	types := map[byte]string{8: "uint8", 9: "int8", 11: "int16", 12: "int32", 13: "float32", 14: "float64"}
	start, _ := r.Peek(512)
	switch kind := types[start[2]]; {
	case start[0] != 0 || start[1] != 0 || kind == "":
		text := bytes.ToLower(start)
		if bytes.Contains(text, []byte("<html")) || bytes.Contains(text, []byte("<!doctype html")) {
			return FormatError("an HTML page, not an IDX file")
		}
		return formatErrorf("not an IDX file: it begins with %q", start[:4])
	case kind != "uint8":
		return FormatError("an IDX file of " + kind + ", want uint8")
	case start[3] == 0:
		return FormatError("an IDX file without dimensions")
	}
	return nil
}

// readData reads all of the data, writes them to all, and returns the first keep bytes of
// them. It reads to the end of the file, because gzip compares its checksum only there,
// and returns an error if more bytes follow.
func (f *idxReader) readData(keep int, all io.Writer) (data []byte, err error) {
	header := len(f.header)
	for have := 0; have < keep; { // data trebles each time it is full, so that its size follows the bytes that are there
		grown := make([]byte, min(keep, max(3*have, 1<<16)))
		copy(grown, data)
		data = grown
		n, err := io.ReadFull(f.r, data[have:])
		have += n
		if err != nil {
			return nil, stoppedAt(header+have, header+f.size, err)
		}
	}
	all.Write(data)
	if n, err := io.CopyN(all, f.r, int64(f.size-keep)); err != nil {
		return nil, stoppedAt(header+keep+int(n), header+f.size, err)
	}
	switch _, err := f.r.ReadByte(); err {
	case io.EOF:
		return data, nil
	case nil:
		return nil, formatErrorf("bytes left over after the %d that the header claims", header+f.size)
	default:
		return nil, stoppedAt(header+f.size, header+f.size, err)
	}
}
