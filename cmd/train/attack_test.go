// Hostile input: model files that contradict themselves, names with control
// characters, random flags.

package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/training"
)

// A model file is refused with one printable line if its recipe does not fit its
// weights or has words that would control a terminal.
func TestModelContradictsItself(t *testing.T) {
	out := t.TempDir()
	must(t, quick("-out", out)...)
	network := func(act *mlp.Activation, sizes ...int) func(m *mlp.Model) {
		return func(m *mlp.Model) { m.Net, m.Input = mlp.NewNetwork(1, mlp.He, act, sizes...), mlp.Standardization{} }
	}
	recipe := func(key, value string) func(m *mlp.Model) { return func(m *mlp.Model) { m.Recipe[key] = value } }
	for reason, change := range map[string]func(m *mlp.Model){
		"5 inputs":       network(mlp.ReLU, 5, 16, 10),
		"7 outputs":      network(mlp.ReLU, 784, 16, 7),
		"-hidden 9":      network(mlp.ReLU, 784, 9, 10),
		"-act tanh":      network(mlp.Tanh, 784, 16, 10),
		`\x1b]0;title`:   recipe("data", "/\x1b]0;title\a\n"),
		`\x1b[2J`:        recipe("act", "\x1b[2J"),
		"-batch 0":       recipe("batch", "0"),
		"65537":          recipe("hidden", "65537"),
		"recipe lacks -": func(m *mlp.Model) { delete(m.Recipe, "seed") },
		"no epoch":       func(m *mlp.Model) { m.Run = mlp.Run{} },
	} {
		bad := changed(t, filepath.Join(out, training.ModelName), change)
		refused(t, []string{"-resume", bad, "-epochs", "9"}, reason)
		refused(t, []string{"-verify", bad}, reason)
	}
}

// The largest numbers that flags can have.
func TestHugeFlags(t *testing.T) {
	most := strconv.Itoa(math.MaxInt)
	want := must(t, quick("-batch", "300", "-schedule", "cosine", "-out", t.TempDir())...)
	if got := must(t, quick("-batch", most, "-schedule", "cosine", "-out", t.TempDir())...); got != want {
		t.Errorf("-batch %s:\n%s, -batch 300:\n%s", most, got, want)
	}
	for _, schedule := range []string{"constant", "cosine"} {
		stopped(t, quick("-limit", most, "-holdout", "0.9", "-epochs", most, "-schedule", schedule, "-out", t.TempDir())...)
	}
}

// A folder or a device in the place of a file is refused at once.
func TestNotAFile(t *testing.T) {
	dir := t.TempDir()
	for _, flag := range []string{"-load", "-resume", "-verify"} {
		refused(t, []string{flag, dir}, dir, "a folder, want a file")
	}
	refused(t, []string{"-load", "/dev/null"}, "/dev/null", "not a regular file")
	if err := os.Symlink("/dev/zero", filepath.Join(dir, "train-images-idx3-ubyte")); err != nil {
		t.Skip(err)
	}
	refused(t, []string{"-data", dir}, dir, "not a regular file")
}

// FuzzFlags takes command lines with NUL between the words, because no real word can
// have one.
func FuzzFlags(f *testing.F) {
	for _, s := range []string{"", "-h", "-lr 0.1 -batch 64", "-lr NaN", "-lr=1e-400", "-holdout 0x1p-3", "-seed 18446744073709551615",
		"-epochs 9223372036854775808", "-limit 007", "-shuffle=F", "-shuffle", "-act relu -init he -opt adam -momentum .5",
		"-load a -resume b", "-- x", "-no\nsuch", "-\x1b[2J", "-momentum=1e999", "-out=", "-hidden= -data= ",
		"-hidden 256,128", "-hidden 0", "-hidden -1", "-hidden 65536,65536", "-hidden +7", "-hidden 0x10", "-hidden 1,,2",
		"-hidden 99999999999999999999", "-hidden 3\n4", "-hidden ٣"} {
		f.Add(strings.ReplaceAll(s, " ", "\x00"))
	}
	f.Fuzz(func(t *testing.T, s string) {
		o, err := parse(strings.Split(s, "\x00"))
		if err != nil {
			line := cli.Plain(err.Error())
			if line == "" || strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("error %q", err)
			}
			return
		}
		if !(o.LR > 0 && o.LR <= math.MaxFloat64) || !(o.holdout >= 0 && o.holdout < 1) || !(o.Momentum > 0 && o.Momentum < 1) ||
			o.Batch < 1 || o.Epochs < 0 || o.Epochs == 0 && o.load == "" || o.limit < 0 ||
			o.Act.Value == nil || o.Init.Value == nil || o.Opt.Value == nil || o.Schedule.Value == nil || len(o.Hidden) > cli.MaxHidden {
			t.Fatalf("%q is accepted as %+v", s, o)
		}
		in, parameters := mlp.MNISTPixels, 0
		for _, n := range o.Hidden {
			parameters += (in + 1) * n
			if in = n; n < 1 || n > cli.MaxWidth || parameters > 1<<27 {
				t.Fatalf("widths %v", o.Hidden)
			}
		}
		if o.Epochs > 0 { // otherwise no model file keeps it
			same(t, o)
		}
	})
}

// same fails unless a recipe, which is what a model file keeps of a command line,
// gives the same options again.
func same(t *testing.T, j *job) {
	t.Helper()
	var args []string
	for name, value := range j.Args.All() {
		if name != "out" && value != "" || name == "hidden" {
			args = append(args, "-"+name+"="+value)
		}
	}
	again, err := parse(args)
	if err != nil {
		t.Fatalf("the recipe of %v: %v", args, err)
	}
	j.Out = again.Out
	if !maps.Equal(again.Args.All(), j.Args.All()) {
		t.Fatalf("%v became %v", j.Args.All(), again.Args.All())
	}
}

// tamper returns variants of a model file, by what is wrong with each: an array is
// missing, or it is empty, has another's shape, is transposed, or is filled with
// numbers that are too large, not numbers, negative or zero.
func tamper(t *testing.T, name string) map[string][]byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	good, err := mlp.ReadNPZ(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	words := memberOf(t, data, "run.json")
	names := slices.Sorted(maps.Keys(good))
	files := map[string][]byte{"run.json missing": npzOf(t, good, nil)}
	for i, name := range names {
		changed := maps.Clone(good)
		put := func(what string, x *mlp.Matrix) {
			if changed[name] = x; x == nil {
				delete(changed, name)
			}
			files[name+" "+what] = npzOf(t, changed, words)
		}
		x := good[name]
		put("missing", nil)
		put("empty", mlp.NewMatrix(0, 0))
		put("of another's shape", good[names[(i+3)%len(names)]])
		put("transposed", mlp.NewMatrix(x.Cols, x.Rows, x.Data...))
		for what, v := range map[string]float64{"huge": 1e308, "NaN": math.NaN(), "negative": -1, "zero": 0} {
			put(what, mlp.NewMatrix(x.Rows, x.Cols, slices.Repeat([]float64{v}, len(x.Data))...))
		}
	}
	return files
}

// Whatever a model file has, it is used, or refused with one line. CI asks for all.
func TestTamperedModels(t *testing.T) {
	for i, more := range []string{"-opt adam -norm batch", "-opt momentum -act tanh -patience 2"} {
		if i > 0 && !attack {
			break
		}
		dir := t.TempDir()
		small := []string{"-limit", "60", "-holdout", "0.2", "-out", dir}
		must(t, append(strings.Fields(more), append(small, "-hidden", "6,5", "-init", "he", "-epochs", "2")...)...)
		bad := filepath.Join(dir, "bad.npz")
		refusals, used := 0, 0
		files := tamper(t, filepath.Join(dir, training.ModelName))
		for n, what := range slices.Sorted(maps.Keys(files)) {
			if n%5 > 0 && !attack {
				continue
			}
			if err := os.WriteFile(bad, files[what], 0o666); err != nil {
				t.Fatal(err)
			}
			ways := [][]string{{"-resume", bad, "-epochs", "3"}, append(small, "-load", bad, "-epochs", "1"), {"-verify", bad}}
			if !attack {
				ways = ways[:1]
			}
			for _, args := range ways {
				stderr, code := command(t, context.Background(), io.Discard, args...)
				switch {
				case code == 0:
					used++
				case code == 1 && oneLine(last(stderr)):
					refusals++
				default:
					t.Errorf("%s, %v: exit code %d, standard error %q", what, args, code, stderr)
				}
			}
		}
		if t.Logf("%s: %d refused, %d used", more, refusals, used); refusals < used {
			t.Errorf("%s: %d refused, %d used", more, refusals, used)
		}
	}
}
