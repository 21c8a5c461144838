// A real browser for tests: headless Chromium, driven through the pipe of its DevTools
// protocol (https://chromedevtools.github.io/devtools-protocol), in which a zero byte
// ends each JSON message.

package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A browser shows one page.
type browser struct {
	t       *testing.T
	in      io.Writer
	replies chan message
	session string
	last    int // the number of the last command
	url     string

	requests []string // the addresses of all requests but those for the page and for data in it
	errors   []string // what the console says of errors
}

// A message is a reply to the command with its number, or an event with its method.
type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  struct{ Message string }
}

// newBrowser starts Chromium. If there is none, the test is skipped.
func newBrowser(t *testing.T) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("no browser: install Debian's chromium")
	}
	toBrowser, in, err1 := os.Pipe()
	out, fromBrowser, err2 := os.Pipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	c := exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir())
	c.ExtraFiles = []*os.File{toBrowser, fromBrowser} // the descriptors 3 and 4
	c.Env = append(os.Environ(), "HOME="+t.TempDir())
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	toBrowser.Close()
	fromBrowser.Close()
	b := &browser{t: t, in: in, replies: make(chan message, 1000)}
	go b.listen(out)
	t.Cleanup(func() {
		b.send("Browser.close", nil)
		ended := time.AfterFunc(10*time.Second, func() { c.Process.Kill() })
		c.Wait()
		ended.Stop()
		in.Close()
	})
	b.attach()
	return b
}

// listen passes on what the browser says.
func (b *browser) listen(out io.Reader) {
	defer close(b.replies)
	r := bufio.NewReader(out)
	for {
		text, err := r.ReadBytes(0)
		var m message
		if err != nil || json.Unmarshal(bytes.TrimRight(text, "\x00"), &m) != nil {
			return
		}
		b.replies <- m
	}
}

// attach makes an empty page, and commands go to it from then on.
func (b *browser) attach() {
	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var session struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &session)
	b.session = session.SessionID
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil, nil)
	}
	b.prefer("light")
}

// prefer makes the page light or dark, and without motion, so that it does not scroll
// under the mouse.
func (b *browser) prefer(scheme string) {
	feature := func(name, value string) map[string]any { return map[string]any{"name": name, "value": value} }
	features := []any{feature("prefers-color-scheme", scheme), feature("prefers-reduced-motion", "reduce")}
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": features}, nil)
}

// send sends a command.
func (b *browser) send(method string, params any) {
	b.last++
	command := map[string]any{"id": b.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if b.session != "" && !strings.HasPrefix(method, "Browser.") {
		command["sessionId"] = b.session
	}
	text, err := json.Marshal(command)
	if err == nil {
		_, err = b.in.Write(append(text, 0))
	}
	if err != nil {
		b.t.Error(err)
	}
}

// call sends a command and stores its result.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.send(method, params)
	m := b.await(method, func(m message) bool { return m.ID == b.last })
	if m.Error.Message != "" {
		b.t.Fatalf("%s: %s", method, m.Error.Message)
	}
	if result != nil {
		if err := json.Unmarshal(m.Result, result); err != nil {
			b.t.Fatalf("%s: %v in %s", method, err, m.Result)
		}
	}
}

// await takes note of messages until one is wanted.
func (b *browser) await(what string, wanted func(message) bool) message {
	b.t.Helper()
	late := time.After(time.Minute)
	for {
		select {
		case m, ok := <-b.replies:
			if !ok {
				b.t.Fatalf("%s: the browser has ended", what)
			}
			b.note(m)
			if wanted(m) {
				return m
			}
		case <-late:
			b.t.Fatalf("%s: the browser does not answer", what)
		}
	}
}

// note takes note of errors and requests.
func (b *browser) note(m message) {
	var p struct {
		Type, Message string
		Request       struct{ URL string }
		Entry         struct{ Level, Text string }
	}
	json.Unmarshal(m.Params, &p) // of another event it is another type, and nothing is read
	switch {
	case m.Method == "Network.requestWillBeSent" && p.Request.URL != b.url && !strings.HasPrefix(p.Request.URL, "data:"):
		b.requests = append(b.requests, p.Request.URL)
	case m.Method == "Runtime.exceptionThrown", m.Method == "Runtime.consoleAPICalled" && p.Type == "error":
		b.errors = append(b.errors, string(m.Params))
	case m.Method == "Log.entryAdded" && p.Entry.Level == "error":
		b.errors = append(b.errors, p.Entry.Text)
	case m.Method == "Page.javascriptDialogOpening":
		b.errors = append(b.errors, "a dialog: "+p.Message)
		b.send("Page.handleJavaScriptDialog", map[string]any{"accept": true})
	}
}

// open shows a page from a file.
func (b *browser) open(html []byte) {
	b.t.Helper()
	name := filepath.Join(b.t.TempDir(), "report.html")
	if err := os.WriteFile(name, html, 0o666); err != nil {
		b.t.Fatal(err)
	}
	b.url = "file://" + name
	b.call("Page.navigate", map[string]any{"url": b.url}, nil)
	b.await("loading", func(m message) bool { return m.Method == "Page.loadEventFired" })
}

// eval stores the value of an expression, for which it waits if it is a promise.
func (b *browser) eval(expression string, result any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails any
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true}, &r)
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%.100s: %v", expression, r.ExceptionDetails)
	}
	if result != nil {
		if err := json.Unmarshal(r.Result.Value, result); err != nil {
			b.t.Fatalf("%.100s: %v in %.100s", expression, err, r.Result.Value)
		}
	}
}

// frame waits until the page has been drawn anew.
func (b *browser) frame() {
	b.eval("new Promise(f => requestAnimationFrame(() => requestAnimationFrame(() => f(0))))", nil)
}

// mouse presses the button at the first of some points in the window, moves to the others
// and releases it at the last.
func (b *browser) mouse(points ...[2]float64) {
	b.t.Helper()
	event := func(kind string, p [2]float64, buttons int) {
		b.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": p[0], "y": p[1], "button": "left", "buttons": buttons, "clickCount": 1}, nil)
	}
	event("mouseMoved", points[0], 0)
	event("mousePressed", points[0], 1)
	for _, p := range points[1:] {
		event("mouseMoved", p, 1)
		b.frame()
	}
	event("mouseReleased", points[len(points)-1], 0)
	b.frame()
}

// place returns the left, top, width and height in the window of the element that a
// selector finds, after scrolling to it.
func (b *browser) place(selector string) (box [4]float64) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		e.scrollIntoView({block: 'center', behavior: 'instant'});
		const r = e.getBoundingClientRect();
		return [r.left, r.top, r.width, r.height];
	})()`, selector), &box)
	return box
}

// click clicks with the mouse in the middle of an element.
func (b *browser) click(selector string) {
	b.t.Helper()
	box := b.place(selector)
	b.mouse([2]float64{box[0] + box[2]/2, box[1] + box[3]/2})
}

// healthy fails the test if the page has made a request or an error.
func (b *browser) healthy() {
	b.t.Helper()
	b.frame()
	if len(b.requests) > 0 || len(b.errors) > 0 {
		b.t.Errorf("requests %q, errors %q", b.requests, b.errors)
	}
	b.requests, b.errors = nil, nil
}

// A pageTest looks at a page.
type pageTest struct {
	name string
	test func(t *testing.T, b *browser)
}

// inBrowser runs tests, all in one browser, and fails those whose page is not healthy.
func inBrowser(t *testing.T, tests []pageTest) {
	if testing.Short() {
		t.Skip("a browser takes seconds")
	}
	b := newBrowser(t)
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			b.t = t
			c.test(t, b)
			b.healthy()
		})
	}
	b.t = t
}
