// Model files that no program would write: archives put together from arrays and
// bytes, as a test wants them. The package itself writes only whole models.

package main

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"mlp"
)

// member is an array of an archive, or bytes if matrix is nil.
type member struct {
	name   string
	matrix *mlp.Matrix
	bytes  []byte
}

// archive returns the members as numpy.savez writes them.
func archive(t *testing.T, members []member) []byte {
	t.Helper()
	var b bytes.Buffer
	zw := zip.NewWriter(&b)
	for _, m := range members {
		name, content := m.name, m.bytes
		if m.matrix != nil {
			name, content = m.name+".npy", npyFile(m.matrix)
		}
		w, err := zw.CreateHeader(&zip.FileHeader{Name: name})
		if err == nil {
			_, err = w.Write(content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// npyFile returns x as numpy.save writes an array of float64.
func npyFile(x *mlp.Matrix) []byte {
	line := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", x.Rows, x.Cols)
	file, err := binary.Append(fmt.Appendf(nil, "\x93NUMPY\x01\x00\x76\x00%-117s\n", line), binary.LittleEndian, x.Data)
	if err != nil {
		panic(err)
	}
	return file
}
