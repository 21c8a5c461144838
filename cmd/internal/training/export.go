// -export: a model as a file for other programs.

package training

import (
	"errors"
	"fmt"
	"go/token"
	"io"
	"path/filepath"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
)

// Export is the flags of a model's file for other programs.
type Export struct{ file, pkg string }

// Define adds the flags to the command line.
func (e *Export) Define(f *cli.Flags) {
	f.Add("export", &e.file)
	f.Add("package", &e.pkg)
}

// IsSet reports whether there is something to write.
func (e *Export) IsSet() bool { return e.file != "" }

// Validate returns an error if the ending of the file is of no kind, or for -package without
// a file in Go.
func (e *Export) Validate() error {
	switch ending := filepath.Ext(e.file); {
	case e.pkg != "" && ending != ".go":
		return errors.New("-package is for -export FILE.go")
	case e.pkg != "" && !token.IsIdentifier(e.pkg):
		return fmt.Errorf("-package %.60q: want a name of Go's", e.pkg)
	case e.file != "" && ending != ".onnx" && ending != ".go" && ending != ".c" && ending != ".js":
		return fmt.Errorf("-export %s: want a FILE.onnx, FILE.go, FILE.c or FILE.js", e.file)
	}
	return nil
}

// Write writes a model, and says so. Grey is that of mlp.Export.
func (e *Export) Write(m *mlp.Model, grey bool, stderr io.Writer) error {
	as := mlp.Export{Grey: grey, Package: e.pkg}
	err := mlp.WriteFile(e.file, func(w io.Writer) error {
		if kind := strings.TrimPrefix(filepath.Ext(e.file), "."); kind != "onnx" {
			return m.WriteSource(w, kind, as)
		}
		return m.WriteONNX(w, as)
	})
	if err != nil {
		return fmt.Errorf("-export %w", err)
	}
	fmt.Fprintf(stderr, "written to %s: %s\n", cli.Plain(filepath.Dir(e.file)), cli.Plain(filepath.Base(e.file)))
	return nil
}
