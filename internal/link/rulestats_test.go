package link

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// Each rule of bytes has its own count: the first line of each case is set with what hits, the second with what hits nothing.
func TestEachRuleOfBytesCountsForItself(t *testing.T) {
	t.Parallel()
	for _, rule := range []system.Rule{
		{Kind: system.Delay, Delay: 20 * time.Millisecond},
		{Kind: system.Drop, Loss: 0.5},
		{Kind: system.Throttle, Rate: 100_000},
		{Kind: system.Slice, Bytes: 100},
		{Kind: system.SlowClose, Delay: 20 * time.Millisecond},
		{Kind: system.Limit, Bytes: 10},
		{Kind: system.Reset, When: system.Trigger{After: 10}},
		{Kind: system.Refuse},
		{Kind: system.Blackhole, When: system.Trigger{After: 10}},
		{Kind: system.Cut, When: system.Trigger{P: 1, For: patience}},
	} {
		t.Run(string(rule.Kind), func(t *testing.T) {
			t.Parallel()
			m := newTestMesh(t, Options{Seed: 7})
			front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) }))
			set(t, m, "hits", rule, ab("a-1", "b-1"))
			idle := rule
			idle.When.Nth, idle.When.P = 1e9, 0
			set(t, m, "idle", idle, ab("a-1", "b-1"))
			set(t, m, "elsewhere", rule, ab("a-2", "b-1"))
			eventually(t, "the rule hits", func() bool {
				if c, err := tryDial(front, patience); err == nil { // a drop may spare all of a connection
					_, _ = c.Write(random(80_000))
					_ = c.CloseWrite()
					t.Cleanup(func() { c.Close() })
				}
				return statsOf(m, "a-1", "b-1").Rule("hits").Hit > 0
			})
			s := statsOf(m, "a-1", "b-1")
			if n := s.Rule("idle").Hit; n != 0 || len(s.Rules) != 2 {
				t.Errorf("the rule that touches nothing has %d hits: %+v", n, s.Rules)
			}
			if err := m.ClearRule("hits"); err != nil {
				t.Fatal(err)
			}
			if s := statsOf(m, "a-1", "b-1"); len(s.Rules) != 1 {
				t.Errorf("a rule that was cleared is still there: %+v", s.Rules)
			}
		})
	}
}

// Two aborts on one link, of which one matches nothing: what the other does is not its doing.
func TestEachRuleOfRequestsCountsForItself(t *testing.T) {
	t.Parallel()
	bothVersions(t, func(t *testing.T, m *Mesh, _ *records, c *http.Client, base string) {
		setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/no"}})
		for id, path := range map[string]string{"none": "/never", "seconds": "/x"} {
			if err := m.SetRule(id, []system.Link{benchLink}, system.Rule{Kind: system.Abort, Status: 500, Match: &system.Match{Path: path}, When: system.Trigger{Nth: 2}}); err != nil {
				t.Fatal(err)
			}
		}
		for _, path := range []string{"/no", "/x", "/no", "/no"} {
			_, _, _ = load(c, base+path)
		}
		for id, want := range map[string]system.RuleStats{"test": {Matched: 3, Hit: 3}, "none": {}, "seconds": {Matched: 1}} {
			want.ID = id
			if got := laneOf(m).Rule(id); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		}
	})
}

// A connection that no rule of requests can edit is counted once.
func TestUneditedIsCounted(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	setRule(t, m, system.Rule{Kind: system.Abort, Status: 503})
	hello := append([]byte{22, 3, 1, 0, 5}, bytes.Repeat([]byte{1}, 5)...) // as TLS begins
	for _, first := range [][]byte{hello, []byte("*1\r\n$4\r\nPING\r\n"), []byte("POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx")} {
		c := dial(t, front)
		if err := say(c, string(first), patience); err != nil {
			t.Error(err)
		}
	}
	if s := laneOf(m); s.Unedited != 3 || s.Hit != 0 {
		t.Errorf("%d unedited, %d hit", s.Unedited, s.Hit)
	}
}

// A request whose chunk a drop lost says which, and one that lost nothing says nothing.
func TestLostIsRecorded(t *testing.T) {
	t.Parallel()
	bothVersions(t, func(t *testing.T, m *Mesh, recs *records, c *http.Client, base string) {
		of := func(path string) (found []history.Exchange) {
			for _, x := range recs.list() {
				if x.Path == path {
					found = append(found, x)
				}
			}
			return found
		}
		_, _, _ = load(c, base+"/before")
		set(t, m, "all", system.Rule{Kind: system.Drop, Loss: 0.5, Seed: 1, Text: "drop all"}, benchLink)
		set(t, m, "none", system.Rule{Kind: system.Drop, Loss: 1e-12, Text: "drop none"}, benchLink)
		for laneOf(m).Rule("all").Hit == 0 {
			_, _, _ = load(c, base+"/lost")
		}
		_ = m.ClearRule("all")
		_, _, _ = load(c, base+"/after")
		eventually(t, "all is recorded", func() bool { return len(of("/after")) == 1 })
		lost := 0
		for _, x := range of("/lost") {
			if len(x.Lost) == 1 && x.Lost[0] == "drop all" {
				lost++
			} else if len(x.Lost) > 0 {
				t.Errorf("%+v", x)
			}
		}
		if lost == 0 {
			t.Error("no request says that it lost something")
		}
		for _, path := range []string{"/before", "/after"} {
			if x := of(path)[0]; len(x.Lost) > 0 {
				t.Errorf("%+v", x)
			}
		}
	})
}
