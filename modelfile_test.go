package mlp

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestModelFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "m.npz")
	if _, err := ReadModelFile(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: error %v", err)
	}
	m := &Model{Net: NewNetwork(1, He, ReLU, 4, 3, 2)}
	want := m.Net.Fingerprint()
	if err := os.WriteFile(filepath.Join(dir, ".m.npz.tmp"), []byte("left by a kill"), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second replaces the first
		if err := m.WriteFile(name); err != nil {
			t.Fatal(err)
		}
	}
	// What cannot be written leaves the earlier file.
	m.Net[0].W.Data[0] = math.NaN()
	if err := m.WriteFile(name); err == nil || err.Error() != name+": W1: element (0, 0) is NaN" {
		t.Errorf("a model with NaN: error %v", err)
	}
	if again, err := ReadModelFile(name); err != nil || again.Net.Fingerprint() != want {
		t.Errorf("read again: error %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("%d files are left, want 1", len(files))
	}
	if _, err := ReadModelFile(dir); err == nil || err.Error() != dir+": a folder, want a file" {
		t.Errorf("a folder: error %v", err)
	}
	if err := os.WriteFile(name, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadModelFile(name); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
		t.Errorf("no archive: error %v", err)
	}
	m.Net[0].W.Data[0] = 0
	if err := m.WriteFile(filepath.Join(dir, "none", "m.npz")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: error %v", err)
	}
}
