// How much memory a file can make the process take: at most ten times its content
// and 64 MiB. The content is the unpacked bytes that such a file may have, 47 MB of an
// image file for example. For a file that only claims to have more, it is the file.

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/training"
)

// The command that bounded starts prints its exit code and its peak resident size in KiB,
// from /proc. The size that wait reports would include the parent's at the start.
func init() {
	if os.Getenv("TRAIN_PEAK") != "" {
		code := run(context.Background(), os.Args[1:], io.Discard, os.Stderr)
		status, _ := os.ReadFile("/proc/self/status")
		_, peak, _ := strings.Cut(string(status), "VmHWM:")
		fmt.Println(code, strings.Fields(peak)[0])
		os.Exit(0)
	}
}

// bounded runs the command on a file with that much content. It must end with code
// and, if that is 1, with one line that has the reason.
func bounded(t *testing.T, content int, code int, reason string, args ...string) {
	t.Helper()
	if info, _ := debug.ReadBuildInfo(); slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector has memory of its own")
	}
	c := program(args...)
	c.Env = append(os.Environ(), "TRAIN_PEAK=1")
	var stdout, stderr strings.Builder
	c.Stdout, c.Stderr = &stdout, &stderr
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %v: %s", args, err, stderr.String())
	}
	var got, peak int
	if _, err := fmt.Sscan(stdout.String(), &got, &peak); err != nil || peak == 0 {
		t.Fatalf("%v: %v: %s", args, err, stdout.String())
	}
	line := last(stderr.String())
	if got != code || code == 1 && (!oneLine(line) || !strings.Contains(line, reason)) {
		t.Errorf("%v: exit code %d, standard error %q, want %q", args, got, stderr.String(), reason)
	}
	if most := 10*content>>10 + 64<<10; peak > most {
		t.Errorf("%s: a peak of %d KiB for a content of %d, the limit is %d", reason, peak, content>>10, most)
	}
	t.Logf("peak %4d MiB, limit %5d MiB: %s", peak>>10, (10*content>>20)+64, strings.TrimSpace(line))
}

// header is an IDX header with the given dimensions.
func header(dims ...uint32) []byte {
	b := []byte{0, 0, 8, byte(len(dims))}
	for _, d := range dims {
		b = binary.BigEndian.AppendUint32(b, d)
	}
	return b
}

// bomb is a header and n times 16 MiB of zeros, gzipped to a thousandth.
func bomb(head []byte, n int) []byte {
	zeros := zipped(make([]byte, 16<<20)) // a member of gzip's, of which many make a file
	return append(zipped(head), bytes.Repeat(zeros, n)...)
}

func TestBoundedIDX(t *testing.T) {
	if !attack {
		t.Skip("$MLP_ATTACK is not set")
	}
	const GiB = 64 // times 16 MiB
	full := 60000*28*28 + 16
	for _, c := range []struct {
		images, labels []byte
		content        int
		reason         string
	}{
		{header(1<<32-1, 28, 28), nil, 16, "claims"},
		{zipped(header(1<<32-1, 28, 28)), nil, 40, "claims"},
		{zipped(header(1<<20, 28, 28)), nil, 40, "stopped at byte 16"},
		{bomb(header(60000, 28, 28), GiB), nil, full, "left over"},
		{bomb(header(60000, 784), GiB), nil, 1 << 20, "rank 2"},
		{bomb(header(1<<30), GiB), nil, 1 << 20, "swapped"},
		{bomb(header(1, 1<<15, 1<<15), GiB), nil, 1 << 20, "1 images of 32768×32768"},
		{idx(9, 28, 28), bomb(header(1<<30), GiB), 1 << 20, "1073741824 labels"},
		{idx(9, 28, 28), bomb(header(9), GiB), 1 << 20, "left over"},
		{idx(9, 28, 28), bomb(header(60000), GiB), 1 << 20, "left over"},
		{bytes.Repeat(zipped(nil), 1<<16), nil, 1 << 20, "stopped at byte 0"},
	} {
		dir := t.TempDir()
		for name, file := range map[string][]byte{"train-images-idx3-ubyte.gz": c.images, "train-labels-idx1-ubyte.gz": c.labels} {
			if err := os.WriteFile(filepath.Join(dir, name), file, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		bounded(t, c.content, 1, c.reason, "-data", dir, "-out", filepath.Join(dir, "out"))
	}
}

func TestBoundedNPZ(t *testing.T) {
	if !attack {
		t.Skip("$MLP_ATTACK is not set")
	}
	array := func(descr string, rows, cols, item int) []byte {
		return append(npyHeader(descr, rows, cols), make([]byte, rows*cols*item)...)
	}
	var thousand, layers []entry
	for i := range 1001 {
		thousand = append(thousand, entry{name: fmt.Sprintf("%d.npy", i), data: array("<f8", 1, 1, 8)})
		for _, letter := range "Wb" {
			layers = append(layers, entry{name: fmt.Sprintf("%c%d.npy", letter, i+1), data: array("|u1", 1, 1, 1)})
		}
	}
	const many = 20 << 20
	one := array("<f8", 1, 1, 8)
	cases := []struct {
		reason  string
		content int // 0: the file's size
		entries []entry
	}{
		{"its 4294967295 bytes are not in the archive", 0, []entry{{name: "W1.npy", data: one, claim: 1 << 40}}},
		{"claims 4026531840 bytes", 0, []entry{{name: "W1.npy", data: one, claim: 15 << 28, packed: true}}},
		{"stopped at byte 136 of 1073741824", 0, []entry{{name: "W1.npy", data: one, claim: 1 << 30, packed: true}}},
		{"more than the 99 bytes that it claims", 0, []entry{{name: "W1.npy", data: one, claim: 99, packed: true}}},
		{"bytes of elements", 0, []entry{{name: "W1.npy", data: npyHeader("<f8", 1<<13, 1<<13)}}},
		{"over the limit of", 0, []entry{{name: "W1.npy", data: npyHeader("<f8", 1<<30, 1<<30)}}},
		{"W1: file does not exist", 0, thousand},
		{"more than 1000 layers", 0, layers},
		{"a member is named", 0, []entry{{name: "../../W1.npy"}}},
		{"a member is named", 0, []entry{{name: strings.Repeat("W", 60000)}}},
		{"over the limit of 1048576", 0, []entry{{name: "W1.npy", data: one}, {name: "b1.npy", data: one},
			{name: "run.json", data: make([]byte, many), packed: true}}},
		{"not NumPy's", 0, []entry{{name: "W1.npy", data: append([]byte("\x93NUMPY\x01\x00\xff\xff"), bytes.Repeat([]byte("{"), 65535)...), packed: true}}},
		{"history: not of float64", 0, []entry{{name: "W1.npy", data: one}, {name: "b1.npy", data: one},
			{name: "history.npy", data: array("|u1", 1000, 7, 1), packed: true}}},
		{"b1: file does not exist", many, []entry{{name: "W1.npy", data: array("|u1", 1, many, 1), packed: true}}}, // each of its bytes becomes a number of eight
	}
	for _, c := range cases {
		file := zipOf(t, c.entries...)
		name := filepath.Join(t.TempDir(), "file.npz")
		if err := os.WriteFile(name, file, 0o666); err != nil {
			t.Fatal(err)
		}
		bounded(t, max(c.content, len(file)), 1, c.reason, "-load", name)
	}
}

// If a recipe has another network than the file, that network is not built.
func TestBoundedVerify(t *testing.T) {
	dir := t.TempDir()
	must(t, quick("-hidden", "8,8", "-epochs", "1", "-out", dir)...)
	name := changed(t, filepath.Join(dir, training.ModelName), func(m *mlp.Model) { m.Recipe["hidden"] = "65536,1000" })
	bounded(t, 1<<16, 1, "its layers have -hidden 8,8, its recipe has -hidden 65536,1000", "-verify", name)
}

// Ordinary data take far less, too.
func TestBoundedRun(t *testing.T) {
	bounded(t, 0, 0, "", quick("-out", t.TempDir())...)
	if dir := os.Getenv("MNIST_DIR"); dir != "" && attack {
		bounded(t, 70000*(28*28+1), 0, "", "-data", dir, "-epochs", "1", "-hidden", "8", "-out", t.TempDir())
	}
}
