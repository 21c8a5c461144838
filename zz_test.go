package mlp

import (
	"bytes"
	"testing"
)

func written(t *testing.T, m *Model) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func read(file []byte) (*Model, error) { return ReadModel(bytes.NewReader(file), int64(len(file))) }
