package toxiproxy

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const slow = `{"type":"latency","attributes":{"latency":400}}`

// The API process is killed, and everything goes on: connections, toxics, and with the next process the API.
func TestKillAPI(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	first := serveIn(t, place, nil)
	addr := first.api.proxy("echo", upstream(t, echo))
	first.api.toxic("echo", slow)
	c := dial(t, addr)
	says(t, c, "before")
	_, before := first.api.do("GET", "/proxies", "")
	first.kill()
	if took := says(t, c, "between"); took < 400*time.Millisecond {
		t.Errorf("a toxic of 400 ms took %v", took)
	}
	says(t, dial(t, addr), "another")
	second := serveIn(t, place, nil)
	if !second.attached || second.holder != first.holder {
		t.Errorf("the second attached: %t, to %d, want %d", second.attached, second.holder, first.holder)
	}
	if _, after := second.api.do("GET", "/proxies", ""); after != before {
		t.Errorf("got %s, want %s", after, before)
	}
	second.api.must("DELETE", "/proxies/echo/toxics/latency_downstream", "")
	eventually(t, "without a toxic there is no delay", func() bool { return says(t, c, "after") < 400*time.Millisecond })
}

// The holder is killed: traffic is cut, the API says so and ends with an error, and the next start brings the proxies back.
func TestKillHolder(t *testing.T) {
	t.Parallel()
	for name, keep := range map[string]bool{"without toxics": false, "with toxics": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := newPlace(t)
			first := serveIn(t, place, map[string]any{"KeepToxics": keep})
			addr := first.api.proxy("echo", upstream(t, echo))
			first.api.must("POST", "/proxies", `{"name":"off","listen":"127.0.0.1:0","upstream":"x:1","enabled":false}`)
			first.api.toxic("echo", slow)
			c := dial(t, addr)
			says(t, c, "before")
			if err := syscall.Kill(first.holder, syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			if _, err := c.Read(make([]byte, 1)); err == nil {
				t.Error("the connection outlived its holder")
			}
			refused := func() bool { // the kernel closes what the dead held one by one
				c, err := net.Dial("tcp", addr)
				if err == nil {
					c.Close()
				}
				return err != nil
			}
			eventually(t, "nobody accepts for the proxy without a holder", refused)
			if err := first.cmd.Wait(); err == nil || !strings.Contains(first.stderr.String(), ErrHolderGone.Error()) {
				t.Errorf("the API ended with %v: %s", err, first.stderr)
			}
			second := serveIn(t, place, map[string]any{"KeepToxics": keep})
			if second.attached || second.holder == first.holder || second.problems != 0 {
				t.Errorf("the second start: %+v", second)
			}
			late := func() bool { return says(t, dial(t, addr), "after") >= 400*time.Millisecond }
			if keep && !late() {
				t.Error("the toxics were kept, and after the start there is no delay")
			}
			if !keep {
				eventually(t, "without toxics there is no delay", func() bool { return !late() })
			}
			if second.api.must("GET", "/proxies/off", "").Enabled {
				t.Error("a disabled proxy came back enabled")
			}
		})
	}
}

// Both are killed at once, at any moment of many changes: what was answered is there.
func TestKillBothWhileChanging(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	known := map[string]bool{}
	for round := range 4 {
		s := serveIn(t, place, nil)
		for name := range known {
			if status, text := s.api.do("GET", "/proxies/"+name, ""); status != 200 {
				t.Fatalf("round %d: %s was answered and is gone: %s", round, name, text)
			}
		}
		time.AfterFunc(time.Duration(20+30*round)*time.Millisecond, func() {
			_ = syscall.Kill(s.holder, syscall.SIGKILL)
			_ = s.cmd.Process.Kill()
		})
		for i := 0; ; i++ {
			name := "p" + string(rune('a'+round)) + strings.Repeat("x", i)
			if _, err := (&quiet{s.api.url}).create(name); err != nil {
				break
			}
			known[name] = true
		}
		_ = s.cmd.Wait()
	}
	if len(known) < 4 {
		t.Errorf("only %d proxies were made", len(known))
	}
}

// A proxy whose port was taken meanwhile comes back disabled, said as a problem, and enabled once the port is free.
func TestPortTakenMeanwhile(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	first := serveIn(t, place, nil)
	addr := first.api.proxy("echo", upstream(t, echo))
	_ = first.cmd.Process.Signal(syscall.SIGTERM)
	if err := first.cmd.Wait(); err != nil {
		t.Fatalf("asked to end: %v\n%s", err, first.stderr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatalf("the port of an ended proxy is taken: %v", err)
	}
	second := serveIn(t, place, nil)
	if second.problems != 1 || second.api.must("GET", "/proxies/echo", "").Enabled {
		t.Errorf("%d problems, want 1 and a disabled proxy", second.problems)
	}
	second.api.proxy("other", "x:1") // writes all: that it is wanted must not get lost
	_ = second.cmd.Process.Signal(syscall.SIGTERM)
	_ = second.cmd.Wait()
	l.Close()
	third := serveIn(t, place, nil)
	if !third.api.must("GET", "/proxies/echo", "").Enabled {
		t.Error("the proxy did not come back")
	}
	says(t, dial(t, addr), "after")
}

// An end that was asked for leaves proxies on disk and nothing else: no process, no socket, no lock.
func TestEndLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, once := range map[string]bool{"kept": false, "once": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := newPlace(t)
			s := serveIn(t, place, map[string]any{"Once": once})
			s.api.proxy("echo", "x:1")
			_ = s.cmd.Process.Signal(syscall.SIGTERM)
			if err := s.cmd.Wait(); err != nil {
				t.Fatalf("%v\n%s", err, s.stderr)
			}
			if running, err := place.Running(); running || err != nil {
				t.Errorf("running: %t, %v", running, err)
			}
			eventually(t, "the holder is gone", func() bool { return syscall.Kill(s.holder, 0) != nil })
			var left []string
			entries, _ := os.ReadDir(place.Dir)
			for _, e := range entries {
				left = append(left, e.Name())
			}
			want := "holder.log lock proxies.json"
			if once {
				want = ""
			}
			if got := strings.Join(left, " "); got != want {
				t.Errorf("left: %q, want %q", got, want)
			}
		})
	}
}

// Two starts at the same moment come to one holder.
func TestStartTwice(t *testing.T) {
	t.Parallel()
	place := newPlace(t)
	found := make(chan int, 4)
	for range cap(found) {
		go func() { found <- serveIn(t, place, nil).holder }()
	}
	first := <-found
	for range cap(found) - 1 {
		if other := <-found; other != first {
			t.Errorf("holders %d and %d", first, other)
		}
	}
}

// A state that cannot be read stops the start, and is left as it is.
func TestBrokenState(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"{": "is no state of proxies", `{"format":99}`: "has the format 99"} {
		place := newPlace(t)
		if err := os.MkdirAll(place.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(place.Dir, stateName)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := Serve(t.Context(), Options{Listen: "127.0.0.1:0", Place: place, Ready: func(string, Info, bool) { t.Error("it started") }})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
		if got, _ := os.ReadFile(path); string(got) != text {
			t.Errorf("the state was changed to %s", got)
		}
	}
}

// A folder with a long path has its sockets elsewhere, and works alike.
func TestLongPath(t *testing.T) {
	t.Parallel()
	place := Place{ID: "test", Dir: filepath.Join(t.TempDir(), strings.Repeat("long", 40))}
	sockets := place.sockets()
	if sockets == place.Dir {
		t.Fatalf("sockets in %s", sockets)
	}
	s := serveIn(t, place, nil)
	says(t, dial(t, s.api.proxy("echo", upstream(t, echo))), "x")
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, s.stderr)
	}
	if r, err := attach(place); r != nil || err != nil { // a look makes nothing
		t.Errorf("after the end: %v, %v", r, err)
	}
	if _, err := os.Lstat(sockets); err == nil {
		t.Errorf("%s stays", sockets)
	}
}

// The holder does not serve to API clients what only this program may ask.
func TestControlIsNotTheAPI(t *testing.T) {
	t.Parallel()
	s := serveIn(t, newPlace(t), nil)
	for _, path := range []string{"/info", "/alive", "/stop"} {
		if status, _ := s.api.do("POST", path, ""); status != 404 {
			t.Errorf("%s: %d", path, status)
		}
	}
	var list map[string]json.RawMessage
	if _, text := s.api.do("GET", "/proxies", ""); json.Unmarshal([]byte(text), &list) != nil || len(list) != 0 {
		t.Errorf("got %s", text)
	}
}
