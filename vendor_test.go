// The package in the vendor folder of another module, built and tested without a
// network. The README's commands for this are run by readme_test.go.

package mlp

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const vendoringMain = `package main

import (
	"context"
	"fmt"
	"mlp"
)

func learn() (mlp.History, error) {
	train, err := mlp.LoadMNIST(mlp.SampleMNIST(), "train", 0)
	if err != nil {
		return nil, err
	}
	net := mlp.NewNetwork(1, mlp.He, mlp.ReLU, mlp.MNISTPixels, 16, mlp.MNISTClasses)
	return mlp.Train(context.Background(), net, train, mlp.Config{Rate: 0.1, Epochs: 1, Batch: 64})
}

func main() { fmt.Println(learn()) }
`

const vendoringTest = `package main

import "testing"

func TestLearn(t *testing.T) {
	if h, err := learn(); err != nil || h[0].Metric < 0.8 {
		t.Fatal(h, err)
	}
}
`

// inModule runs a command in dir, in which no module can be downloaded, and returns what
// it prints.
func inModule(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	c := exec.Command(name, args...)
	c.Dir = dir
	c.Env = append(append(os.Environ(), "GOPROXY=off", "GOSUMDB=off", "GOWORK=off", "GOFLAGS=-mod=mod", "CGO_ENABLED=0"), env...)
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s %v: %v\n%s", env, name, args, err, out)
	}
	return string(out)
}

// vendoring makes dir a module with this package in its vendor folder. Nothing in it
// refers to the folder that the package came from.
func vendoring(t *testing.T, dir string) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"main.go": vendoringMain, "main_test.go": vendoringTest, "go.mod": "module digits\n\ngo 1.25\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	inModule(t, dir, nil, "go", "mod", "edit", "-require", "mlp@v0.0.0", "-replace", "mlp="+here)
	inModule(t, dir, nil, "go", "mod", "vendor")
	inModule(t, dir, nil, "go", "mod", "edit", "-dropreplace", "mlp", "-replace", "mlp=./gone")
	list := filepath.Join(dir, "vendor", "modules.txt")
	text := strings.ReplaceAll(readText(t, list), "=> "+here, "=> ./gone")
	if err := os.WriteFile(list, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

var vendored = []string{"GOFLAGS=-mod=vendor -trimpath"}

// sameProgram builds the program of each folder. It fails unless they are the same, byte for byte.
func sameProgram(t *testing.T, env []string, dirs ...string) {
	t.Helper()
	var programs []string
	for _, dir := range dirs {
		inModule(t, dir, env, "go", "build", "-o", "digits")
		programs = append(programs, readText(t, filepath.Join(dir, "digits")))
	}
	if programs[0] != programs[1] {
		t.Errorf("%v: the same program built in another folder differs", env)
	}
}

// The same program comes out of two folders, byte for byte; its test passes; and the
// licence of the digits is copied with them.
func TestVendored(t *testing.T) {
	if os.Getenv("MLP_ATTACK") == "" {
		t.Skip("$MLP_ATTACK is not set")
	}
	dirs := []string{t.TempDir(), filepath.Join(t.TempDir(), "elsewhere")}
	vendoring(t, dirs[0])
	if err := os.CopyFS(dirs[1], os.DirFS(dirs[0])); err != nil {
		t.Fatal(err)
	}
	sameProgram(t, vendored, dirs...)
	if _, err := os.Stat(filepath.Join(dirs[0], "vendor/mlp/testdata/mnist/LICENSE")); err != nil {
		t.Error("the digits have lost their licence: ", err)
	}
	inModule(t, dirs[0], vendored, "go", "test", "-count", "1", "./...")
	deps := regexp.MustCompile(`(?m)^\tdep\t\S+`).FindAllString(inModule(t, dirs[0], nil, "go", "version", "-m", "digits"), -1)
	if len(deps) != 1 || deps[0] != "\tdep\tmlp" {
		t.Errorf("dependencies %q, want mlp alone", deps)
	}
}

// The package and its commands depend on no other module.
func TestNoDependencies(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if modules := inModule(t, here, nil, "go", "list", "-m", "all"); modules != "mlp\n" {
		t.Errorf("modules %q, want mlp alone", modules)
	}
}

// TestVendoredEverywhere does the same for other systems and processors, without running
// the programs. It compiles the standard library for each, which takes minutes the
// first time, so CI asks for it by name.
func TestVendoredEverywhere(t *testing.T) {
	if os.Getenv("MLP_ATTACK") == "" {
		t.Skip("$MLP_ATTACK is not set")
	}
	a, b := t.TempDir(), t.TempDir()
	vendoring(t, a)
	if err := os.CopyFS(b, os.DirFS(a)); err != nil {
		t.Fatal(err)
	}
	for _, target := range strings.Fields(`linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
		freebsd/amd64 freebsd/arm64 linux/riscv64 linux/s390x linux/ppc64le linux/386 js/wasm`) {
		system, processor, _ := strings.Cut(target, "/")
		env := append([]string{"GOOS=" + system, "GOARCH=" + processor}, vendored...)
		sameProgram(t, env, a, b)
		inModule(t, a, env, "go", "test", "-c", "-o", os.DevNull)
		here, _ := os.Getwd()
		inModule(t, here, append(env, "GOFLAGS=-trimpath"), "go", "vet", "./...")
		t.Log(target)
	}
}
