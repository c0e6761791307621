package report

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// A browser is a headless Chromium that is spoken to through a pipe: messages of the DevTools protocol, each ended by a zero byte.
type browser struct {
	t       testing.TB
	in      *os.File
	replies chan message
	next    int
	session string

	mu     sync.Mutex
	events []message
}

type message struct {
	ID        int             `json:"id,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
}

// openBrowser starts Chromium with one page, or skips the test where there is none.
func openBrowser(t testing.TB) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium is on the PATH: how the page looks and acts in a browser was not tested")
	}
	toRead, in, err := os.Pipe()
	check0(t, err)
	out, toWrite, err := os.Pipe()
	check0(t, err)
	cmd := exec.Command(path, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars",
		"--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{toRead, toWrite}
	check0(t, cmd.Start())
	toRead.Close()
	toWrite.Close()
	b := &browser{t: t, in: in, replies: make(chan message, 16)}
	go b.listen(out)
	t.Cleanup(func() {
		_, _ = fmt.Fprintf(in, `{"id":1000000,"method":"Browser.close"}`+"\x00")
		stopped := time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		stopped.Stop()
		in.Close()
		out.Close()
	})
	b.attach()
	return b
}

func (b *browser) listen(out *os.File) {
	defer close(b.replies)
	r := bufio.NewReaderSize(out, 1<<20)
	for {
		text, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(text[:len(text)-1], &m) != nil {
			continue
		}
		if m.ID != 0 {
			b.replies <- m
			continue
		}
		b.mu.Lock()
		b.events = append(b.events, m)
		b.mu.Unlock()
	}
}

func (b *browser) attach() {
	targets := b.call("Target.getTargets", nil)
	var list struct {
		TargetInfos []struct{ TargetID, Type string }
	}
	check0(b.t, json.Unmarshal(targets, &list))
	for _, target := range list.TargetInfos {
		if target.Type == "page" {
			var attached struct{ SessionID string }
			check0(b.t, json.Unmarshal(b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}), &attached))
			b.session = attached.SessionID
		}
	}
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		b.call(domain+".enable", nil)
	}
}

func (b *browser) call(method string, params any) json.RawMessage {
	b.t.Helper()
	b.next++
	request := map[string]any{"id": b.next, "method": method}
	if params != nil {
		request["params"] = params
	}
	if b.session != "" {
		request["sessionId"] = b.session
	}
	text, err := json.Marshal(request)
	check0(b.t, err)
	_, err = b.in.Write(append(text, 0))
	check0(b.t, err)
	limit := time.After(3 * time.Minute)
	for {
		select {
		case m, ok := <-b.replies:
			if !ok {
				b.t.Fatalf("%s: the browser ended", method)
			}
			if m.ID != b.next {
				continue
			}
			if m.Error != nil {
				b.t.Fatalf("%s: %s", method, m.Error)
			}
			return m.Result
		case <-limit:
			b.t.Fatalf("%s: no answer within three minutes", method)
		}
	}
}

// show opens a file in a window of some width, in light or dark.
func (b *browser) show(path string, width int, scheme string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": max(width*9/16, 800), "deviceScaleFactor": 1, "mobile": width < 500})
	b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}}})
	b.mu.Lock()
	b.events = nil
	b.mu.Unlock()
	b.call("Page.navigate", map[string]any{"url": "file://" + path})
	deadline := time.Now().Add(2 * time.Minute)
	for !b.saw("Page.loadEventFired") {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s was not loaded within two minutes", path)
		}
		time.Sleep(5 * time.Millisecond) // the condition is an event of another process
	}
}

func (b *browser) saw(method string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range b.events {
		if m.Method == method {
			return true
		}
	}
	return false
}

// of returns the parameters of all events of a method since the page was opened.
func (b *browser) of(methods ...string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	for _, m := range b.events {
		for _, method := range methods {
			if m.Method == method {
				list = append(list, string(m.Params))
			}
		}
	}
	return list
}

// eval returns the value of a JavaScript expression.
func eval[T any](b *browser, script string) T {
	b.t.Helper()
	var reply struct {
		Result           struct{ Value T }
		ExceptionDetails json.RawMessage
	}
	check0(b.t, json.Unmarshal(b.call("Runtime.evaluate", map[string]any{"expression": script, "returnByValue": true, "awaitPromise": true}), &reply))
	if reply.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", script, reply.ExceptionDetails)
	}
	return reply.Result.Value
}

// press sends a key as a keyboard does.
func (b *browser) press(key string, code int) {
	for _, kind := range []string{"rawKeyDown", "keyUp"} {
		b.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": key, "windowsVirtualKeyCode": code})
	}
}

// picture writes what lies between two heights of the page to a file.
func (b *browser) picture(path string, from, to, width int) {
	var shot struct{ Data string }
	check0(b.t, json.Unmarshal(b.call("Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true,
		"clip": map[string]any{"x": 0, "y": from, "width": width, "height": to - from, "scale": 1}}), &shot))
	data, err := base64.StdEncoding.DecodeString(shot.Data)
	check0(b.t, err)
	check0(b.t, os.MkdirAll(filepath.Dir(path), 0o755))
	check0(b.t, os.WriteFile(path, data, 0o644))
}
