// Package report shows a trained network as one page of HTML, which a browser opens from
// its file, without a server and without a library: of a network that reads digits here, and of a
// table's model in tables.go. Another page trains a network. What they compute in the browser is in
// page.js, digits.js, tables.js and playground.js, how they look in style.css and playground.css, and
// their parts are in template.html, tables.html and playground.html.
package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mlp"
	"mlp/cmd/internal/cli"
	"mlp/cmd/internal/doctor"
	"mlp/cmd/internal/mnist"
	"mlp/cmd/internal/training"
)

var (
	//go:embed template.html
	templateText string
	//go:embed style.css
	style string
	//go:embed page.js
	common string
	//go:embed digits.js
	digitsScript string
	//go:embed playground.html
	playgroundText string
	//go:embed playground.css
	playgroundStyle string
	//go:embed playground.js
	playgroundScript string

	page       = template.Must(template.New("report").Option("missingkey=error").Parse(templateText))
	playground = template.Must(template.Must(page.Clone()).New("playground").Parse(playgroundText))
)

// Playground returns a page that trains a small network on points of a plane.
func Playground() ([]byte, error) {
	return write(playground, style+playgroundStyle, playgroundScript, map[string]any{
		"Title": "Watch it vanish", "Name": "Watch it vanish", "Figures": []fact{}, "Parts": []fact{}, "JSON": template.JS("null"),
		"Lead": "A small network learns, here in your browser, to tell blue points from orange ones. Disturb it, and see its gradient vanish.",
	})
}

// A fact is a line of a list: a name, and what it is.
type fact struct{ Name, Text string }

// maxParameters bounds the page to about 35 MB.
const maxParameters = 1 << 22

// HTML returns the page of a model, which lies in a file. test has the digits whose mistakes the
// page shows, as their own file has them, and about says in a line what they are. findings is nil if no doctor
// has looked at the run. earlier is what the run kept of its epochs, for a slider, and may be
// nil. The same arguments, with the same kernel, give the same bytes.
// HTML returns an error if the network is not one from 784 pixels to ten digits, if it has
// an activation that the page cannot compute, if it has more than four million parameters,
// if its answer to a digit is not finite, or if a number that the page computes with is not. Of
// an ensemble the page shows the first network.
func HTML(m *mlp.Model, file string, test *mlp.MNIST, about string, findings []doctor.Finding, earlier Snapshots) ([]byte, error) {
	if len(m.Net) == 0 {
		return nil, errors.New("a network without layers")
	}
	if err := mnist.Check(m.Net); err != nil {
		return nil, err
	}
	summary := training.Summary(m.Net)
	if n := len(m.Others); n > 0 {
		summary += fmt.Sprintf(", the first of %d that are averaged", n+1)
		first := *m
		first.Others = nil
		m = &first
	}
	if err := check(m, maxParameters); err != nil {
		return nil, err
	}
	d, err := newData(m, test)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(d) // which also escapes what would end the script's element
	if err == nil && len(earlier) > 0 {
		d.Earlier, d.Packed = earlier.before(d.Epoch, maxPage-len(text))
		text, err = json.Marshal(d)
	}
	if err != nil {
		return nil, err
	}
	return write(page, style, digitsScript, map[string]any{
		"Title": "See it think: " + summary, "Name": "See it think", "Data": d, "JSON": template.JS(text),
		"Lead": "A network that was trained to read digits, on one page. It computes here, in your browser; nothing is sent.",
		"Figures": []fact{
			{"Network", summary}, {"Parameters", grouped(m.Net.Parameters())},
			{"Reads right", fmt.Sprintf("%.2f %% of all %s test digits", 100*d.accuracy, grouped(test.Len()))},
			{"Test loss", fmt.Sprintf("%.4f", d.loss)},
		},
		"Parts": []fact{{"drawing", "Draw"}, {"units", "Units"}, {"mistakes", "Mistakes"}, {"sure", "How sure"},
			{"history", "History"}, {"break", "Break it"}, {"facts", "What it is"}},
		"Layers": m.Net, "Facts": facts(m, training.Train, file, fact{"test digits", about}),
		"Test": grouped(test.Len()), "Unlike": d.unlike, "Temperature": m.Temperature,
		"Confusion": d.confusion, "Epochs": len(m.Run.History), "Examined": findings != nil, "Findings": findings,
		"Normalised": slices.ContainsFunc(m.Net, func(l *mlp.Layer) bool { return l.Norm != nil }),
	})
}

// check returns an error for a model that has more parameters than most, or that the page cannot
// compute.
func check(m *mlp.Model, most int) error {
	if n := (1 + len(m.Others)) * m.Net.Parameters(); n > most {
		return fmt.Errorf("a network of %d parameters, the page of which would be too large: it may have %d", n, most)
	}
	for i, l := range m.Net {
		if known, err := mlp.ActivationByName(l.Act.Name); err != nil || known != l.Act {
			return fmt.Errorf("layer %d: the page cannot compute its activation %.60q, only relu, sigmoid, tanh and linear",
				i+1, l.Act.Name)
		}
	}
	return nil
}

// write returns a page of these parts. Its script, after what all pages share, is a block, so
// that its names are not the window's. Its policy allows the page its own style and script,
// pictures that it makes itself, and nothing else: no request and no other script.
func write(page *template.Template, style, script string, parts map[string]any) ([]byte, error) {
	script = "'use strict';\n{\n" + common + script + "}\n"
	digest := func(text string) string {
		sum := sha256.Sum256([]byte(text))
		return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	parts["Policy"] = "default-src 'none'; script-src " + digest(script) + "; style-src " + digest(style) + "; img-src data:; base-uri 'none'; form-action 'none'"
	parts["Style"], parts["Script"] = template.CSS(style), template.JS(script)
	var b bytes.Buffer
	b.Grow(len(parts["JSON"].(template.JS)) + 1<<17) // and more than enough for all else
	err := page.Execute(&b, parts)
	return b.Bytes(), err
}

// grouped writes a number with a comma before each three digits.
func grouped(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// facts says what the model is and how it can be trained again.
func facts(m *mlp.Model, command, file string, first fact) []fact {
	all := []fact{first}
	if flags := commandLine(command, m.Recipe); flags != "" {
		all = append(all, fact{"trained by", "go run ./cmd/" + command + flags})
		if name, ok := shellWord(file); ok {
			all = append(all, fact{"trained again and compared by", "go run ./cmd/" + command + " -verify=" + name})
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Recipe)) {
		if what, ok := strings.CutPrefix(key, "sha256 "); ok {
			all = append(all, fact{"SHA-256 of the " + what + " part", m.Recipe[key]})
		}
	}
	return append(all, fact{"SHA-256 of the weights", m.Net.Fingerprint()}, fact{"kernel", mlp.Kernel()})
}

// commandLine returns the recipe's flags as one pastes them into a shell, or nothing if one of
// them cannot be pasted. A recipe comes with a model, from wherever the model comes: only the
// command's flags are for a command line, without those that no recipe keeps.
func commandLine(command string, recipe map[string]string) (flags string) {
	for _, name := range cli.Names(command) {
		value, ok := recipe[name]
		if !ok || slices.Contains([]string{"best", "out", "resume", "verify", "model", "export", "package"}, name) || value == "" && name != "hidden" {
			continue
		}
		word, ok := shellWord(value)
		if !ok {
			return ""
		}
		flags += " -" + name + "=" + word
	}
	return flags
}

// plainWord is what a shell takes as it is.
var plainWord = regexp.MustCompile("^[A-Za-z0-9._,/=+-]*$")

// shellWord returns a value as a shell takes it after a flag. A value with a character that
// cannot be printed, such as one that ends the line in a terminal, is none.
func shellWord(value string) (word string, ok bool) {
	switch {
	case strings.ContainsFunc(value, func(r rune) bool { return !strconv.IsPrint(r) }):
		return "", false
	case plainWord.MatchString(value):
		return value, true
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'", true
}
