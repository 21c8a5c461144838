package files

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// inFolder is what a folder has: the content of each file, and "folder" for a folder.
func inFolder(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if all[e.Name()] = string(text); err != nil {
			all[e.Name()] = "folder"
		}
	}
	return all
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "b"), []byte("0"), 0o666)
	os.WriteFile(filepath.Join(dir, "another's"), []byte("0"), 0o666)
	for i, want := range []string{"map[a:1 another's:0 b:1]", "map[a:2 another's:0]", "map[a:3 another's:0 b:3]"} {
		n := fmt.Append(nil, i+1)
		files := []File{{"a", n}, {"b", n}}
		if i == 1 {
			files[1].Content = nil
		}
		for range 2 {
			if err := Replace(dir, files...); err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(inFolder(t, dir)); got != want {
				t.Errorf("files %s, want %s", got, want)
			}
		}
	}
}

// If a file cannot be written, none is replaced. If one cannot be replaced, those
// before it are, and no hidden file stays.
func TestReplaceObstructed(t *testing.T) {
	for obstacle, want := range map[string]string{
		".b.tmp/full": "map[.b.tmp:folder a:1 b:1 c:1]",
		"b/full":      "map[a:2 b:folder c:1]",
	} {
		dir := t.TempDir()
		files := func(n string) []File { return []File{{"a", []byte(n)}, {"b", []byte(n)}, {"c", []byte(n)}} }
		if err := Replace(dir, files("1")...); err != nil {
			t.Fatal(err)
		}
		os.Remove(filepath.Join(dir, filepath.Dir(obstacle)))
		if err := os.MkdirAll(filepath.Join(dir, obstacle), 0o777); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			err := Replace(dir, files("2")...)
			if err == nil || strings.ContainsAny(err.Error(), "\n") {
				t.Errorf("%s: error %v", obstacle, err)
			}
			if got := fmt.Sprint(inFolder(t, dir)); got != want {
				t.Errorf("%s: files %s, want %s", obstacle, got, want)
			}
		}
	}
}

// A temporary file of a killed process is removed, and a link is not written through.
func TestLeftBehind(t *testing.T) {
	dir, precious := t.TempDir(), filepath.Join(t.TempDir(), "precious")
	os.WriteFile(precious, []byte("x"), 0o666)
	os.WriteFile(filepath.Join(dir, ".a.tmp"), []byte("half"), 0o666)
	for _, name := range []string{".b.tmp", "b"} {
		if err := os.Symlink(precious, filepath.Join(dir, name)); err != nil {
			t.Skip(err)
		}
	}
	if err := Replace(dir, File{"a", []byte("1")}, File{"b", []byte("2")}); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(inFolder(t, dir)); got != "map[a:1 b:2]" {
		t.Errorf("files %s", got)
	}
	if text, _ := os.ReadFile(precious); string(text) != "x" {
		t.Errorf("a file in another folder has become %q", text)
	}
}

func TestClaim(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "folder")
	for _, exists := range []bool{false, false, true, true} { // only a folder that Claim made is removed
		if exists {
			os.MkdirAll(dir, 0o777)
		}
		release, err := Claim(dir, "a", "b")
		if err != nil {
			t.Fatal(err)
		}
		release()
		if _, err := os.Stat(dir); (err == nil) != exists {
			t.Errorf("the folder was there: %t; now: %v", exists, err)
		} else if exists && len(inFolder(t, dir)) > 0 {
			t.Errorf("files %v", inFolder(t, dir))
		}
	}
	os.Mkdir(filepath.Join(dir, "b"), 0o777)
	for range 2 { // the lock of a claim that failed is gone
		if _, err := Claim(dir, "a", "b"); err == nil || !strings.Contains(err.Error(), "b: a folder is in the place of the file") {
			t.Errorf("a folder in a file's place: %v", err)
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o666)
	for _, bad := range []string{file, filepath.Join(file, "below")} {
		if _, err := Claim(bad, "a"); err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: error %v", bad, err)
		}
	}
}

// A folder is claimed once at a time. What a process that was killed has left is no
// obstacle, whatever the file has.
func TestLock(t *testing.T) {
	dir := t.TempDir()
	for _, left := range []string{"", "1\n", "99999999\n", "no number"} {
		os.WriteFile(filepath.Join(dir, lockName), []byte(left), 0o666)
		release, err := Claim(dir)
		if err != nil {
			t.Fatalf("%q is in the lock's file: %v", left, err)
		}
		if _, err := Claim(dir); err == nil || err.Error() != fmt.Sprintf("%s: process %d writes here", dir, os.Getpid()) {
			t.Errorf("claimed twice: %v", err)
		}
		release()
	}
	if len(inFolder(t, dir)) > 0 {
		t.Errorf("files %v", inFolder(t, dir))
	}
}

// A child process replaces three files by files of the next number, over and over, until
// it is killed, some time after it has replaced them once. Then each file has one number
// only, and none has a smaller number than a file that is replaced after it.
func TestReplaceKilled(t *testing.T) {
	names := []string{"table", "chart", "model"}
	if dir := os.Getenv("CLI_REPLACE_CHILD"); dir != "" {
		for i, _ := strconv.Atoi(os.Getenv("CLI_REPLACE_FIRST")); ; i++ {
			var files []File
			for _, name := range names {
				files = append(files, File{name, bytes.Repeat(fmt.Append(nil, i, "\n"), 400000)})
			}
			if err := Replace(dir, files...); err != nil {
				t.Fatal(err)
			}
			fmt.Println("replaced")
		}
	}
	kills := 10
	if os.Getenv("MLP_ATTACK") != "" {
		kills = 100
	}
	dir, first := t.TempDir(), 1
	for range kills {
		c := exec.Command(os.Args[0], "-test.run", "^TestReplaceKilled$")
		c.Env = append(os.Environ(), "CLI_REPLACE_CHILD="+dir, "CLI_REPLACE_FIRST="+strconv.Itoa(first))
		stdout, err := c.StdoutPipe()
		if err == nil {
			err = c.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		io.ReadFull(stdout, make([]byte, len("replaced\n")))
		time.Sleep(time.Duration(rand.IntN(60000)) * time.Microsecond)
		c.Process.Kill()
		output, _ := io.ReadAll(stdout)
		if c.Wait(); c.ProcessState.ExitCode() != -1 {
			t.Fatalf("the child: %v: %s", c.ProcessState, output)
		}
		before := 1 << 30
		for _, name := range names {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			line, _, _ := strings.Cut(string(text), "\n")
			n, err := strconv.Atoi(line)
			if err != nil || string(text) != strings.Repeat(line+"\n", 400000) {
				t.Fatalf("%s is not whole: it begins with %.20q and has %d bytes", name, text, len(text))
			}
			if n > before {
				t.Fatalf("%s has number %d, the file before it %d", name, n, before)
			}
			before, first = n, n+1
		}
	}
	if first <= kills {
		t.Errorf("the files have reached number %d", first-1)
	}
}
