// Archives for the tests: such as NumPy writes, and such as are refused.

package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"maps"
	"slices"
	"testing"

	"mlp"
)

// npyHeader is the beginning of an array's file.
func npyHeader(descr string, rows, cols int) []byte {
	return fmt.Appendf(nil, "\x93NUMPY\x01\x00%c\x00%-117s\n", 118, fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%d, %d), }", descr, rows, cols))
}

// An entry is a member of an archive.
type entry struct {
	name   string
	data   []byte
	packed bool
	claim  uint64 // the size that the archive states for it; 0 is the true one
}

func zipOf(t *testing.T, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, CRC32: crc32.ChecksumIEEE(e.data), UncompressedSize64: uint64(len(e.data))}
		data := e.data
		if e.packed {
			var packed bytes.Buffer
			w, _ := flate.NewWriter(&packed, flate.BestSpeed)
			w.Write(data)
			w.Close()
			data, h.Method = packed.Bytes(), zip.Deflate
		}
		if e.claim > 0 {
			h.UncompressedSize64 = e.claim
		}
		h.CompressedSize64 = uint64(len(data))
		w, err := z.CreateRaw(h)
		if err == nil {
			_, err = w.Write(data)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	z.Close()
	return b.Bytes()
}

// npzOf is an archive as numpy.savez writes it, with run.json unless words is nil.
func npzOf(t *testing.T, arrays map[string]*mlp.Matrix, words []byte) []byte {
	t.Helper()
	var entries []entry
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		x := arrays[name]
		data := bytes.NewBuffer(npyHeader("<f8", x.Rows, x.Cols))
		binary.Write(data, binary.LittleEndian, x.Data)
		entries = append(entries, entry{name: name + ".npy", data: data.Bytes()})
	}
	if words != nil {
		entries = append(entries, entry{name: "run.json", data: words})
	}
	return zipOf(t, entries...)
}

// memberOf returns the content of an archive's member.
func memberOf(t *testing.T, archive []byte, name string) []byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	data, err := fs.ReadFile(z, name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
