// Tests of the .npy reader: headers as NumPy and others write them, every kind of
// element, and what is refused. Files that NumPy wrote are read in npz_test.go.

package mlp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// npy returns x as an .npy file.
func npy(x *Matrix) []byte {
	var b bytes.Buffer
	if err := writeNPY(&b, x); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// npyFile returns an .npy file of version 1.0 with this header and these elements.
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
	if x, err := parseNPY(long); err != nil || x.Rows != 1 || x.Cols != 1 {
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
