package link

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// journalled collects decisions from now on, and returns them when the journal is off.
func journalled(m *Mesh) func() []history.Decision {
	var all []history.Decision
	m.SetJournal(nil, func(d history.Decision) { all = append(all, d) })
	return func() []history.Decision {
		m.SetJournal(nil, nil)
		return all
	}
}

// A crowd is 64 clients that ask at the same time.
type crowd struct {
	two    bool // over HTTP/2, together on one connection
	others bool // and another link has traffic of its own
	path   func(client int) string
	key    func(client, n int) string // nil: none
}

// decisions lets a crowd ask ten times each, and returns what a rule of 20 % chose, without what depends on who came first, sorted.
func (c crowd) decisions(t *testing.T, seed uint64) []string {
	t.Helper()
	m := newTestMesh(t, Options{Seed: seed})
	end := journalled(m)
	web := serveWeb(t)
	front := openFront(t, m, "a-1", "b", "b-1", web)
	setRule(t, m, system.Rule{Kind: system.Header, Name: "X-Hit", Value: "1", Text: "a fault", When: system.Trigger{P: 0.2}})
	set(t, m, "elsewhere", system.Rule{Kind: system.Abort, Status: 500, When: system.Trigger{P: 0.5}}, ab("z-1", "b-1"))
	var wg sync.WaitGroup
	if c.others {
		other, front := webClient(t, c.two), openFront(t, m, "z-1", "b", "b-1", web)
		for range 4 {
			wg.Go(func() {
				for i := range 50 {
					_, _, _ = load(other, "http://"+front.String()+"/x"+strconv.Itoa(i))
				}
			})
		}
	}
	var mu sync.Mutex
	hit := 0
	shared := webClient(t, c.two)
	for client := range 64 {
		wg.Go(func() {
			for n := range 10 {
				q, _ := http.NewRequest("GET", "http://"+front.String()+c.path(client), nil)
				if c.key != nil {
					q.Header.Set("Idempotency-Key", c.key(client, n))
				}
				r, err := shared.Do(q)
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, r.Body)
				r.Body.Close()
				if r.Header.Get("X-Hit") != "" {
					mu.Lock()
					hit++
					mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
	var lines []string
	hits := 0
	for _, d := range end() {
		if d.From != "a-1" {
			continue
		}
		if d.Hit {
			hits++
		}
		if d.Draw == nil || d.Hit != (*d.Draw < 0.2) || d.Conn == 0 || d.Request == 0 || d.Rule != "test" || d.Fault != "a fault" {
			t.Fatalf("%+v", d)
		}
		lines = append(lines, fmt.Sprint(d.Rule, d.From, d.To, d.Method, d.Path, d.Key, d.Again, *d.Draw, d.Hit))
	}
	if len(lines) != 640 || hits != hit {
		t.Errorf("%d decisions for 640 requests, %d hits for %d that were hit", len(lines), hits, hit)
	}
	slices.Sort(lines)
	return lines
}

// The same seed gives the same journal, however requests are scheduled, and another link's traffic changes nothing: with keys,
// and without, as long as what differs in method or path is told apart.
func TestJournalSeed(t *testing.T) {
	t.Parallel()
	same := func(int) string { return "/x" }
	for _, c := range []crowd{
		{path: same, key: func(client, n int) string { return fmt.Sprintf("client-%d-%d", client, n) }},
		{path: same},
		{path: func(client int) string { return "/client/" + strconv.Itoa(client) }},
	} {
		want := c.decisions(t, 7)
		for i := range 3 {
			c.two, c.others = i%2 == 0, i > 0
			if got := c.decisions(t, 7); !slices.Equal(got, want) {
				t.Errorf("run %d: the journal is another", i)
			}
		}
		if got := c.decisions(t, 8); slices.Equal(got, want) {
			t.Error("another seed gives the same journal")
		}
	}
}

// Without keys a client that is the only one to ask for a path is hit at the same of its requests, whoever else is there.
func TestKeylessRequestsOfOnePath(t *testing.T) {
	t.Parallel()
	of := func(others int) (hit []int) {
		m := newTestMesh(t, Options{Seed: 7})
		front := openFront(t, m, "a-1", "b", "b-1", serveWeb(t))
		setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, When: system.Trigger{P: 0.2}})
		var wg sync.WaitGroup
		for range others {
			c := webClient(t, false)
			wg.Go(func() {
				for range 30 {
					_, _, _ = load(c, "http://"+front.String()+"/others")
				}
			})
		}
		c := webClient(t, false)
		for n := range 50 {
			if code, _, _ := load(c, "http://"+front.String()+"/mine"); code == 503 {
				hit = append(hit, n)
			}
		}
		wg.Wait()
		return hit
	}
	if alone, crowded := of(0), of(16); !slices.Equal(alone, crowded) || len(alone) == 0 {
		t.Errorf("alone %v, crowded %v", alone, crowded)
	}
}

// A trace keys a draw, whatever numbers its spans have.
func TestSpansDoNotKeyDraws(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{Seed: 7})
	end := journalled(m)
	front := openFront(t, m, "a-1", "b", "b-1", serveWeb(t))
	setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, When: system.Trigger{P: 0.5}})
	for _, span := range []string{"00f067aa0ba902b7", "00f067aa0ba902b8"} {
		q, _ := http.NewRequest("GET", "http://"+front.String()+"/x", nil)
		q.Header.Set("Traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-"+span+"-01")
		r, err := webClient(t, false).Do(q)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
	}
	if all := end(); len(all) != 2 || all[0].Key != all[1].Key || all[0].Again != 0 || all[1].Again != 1 {
		t.Errorf("%+v", all)
	}
}

// Connections of any protocol are in the journal once for each rule: chosen or not, the n-th, with what was drawn.
func TestJournalOfConnections(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{Seed: 7})
	front := openFront(t, m, "a-1", "b", "b-1", serveTCP(t, echo))
	if got := echoes(t, front, 1); got != "." {
		t.Fatal(got)
	}
	eventually(t, "that connection is gone", func() bool { return len(m.connections()) == 0 })
	old := dial(t, front)
	if err := say(old, "x", patience); err != nil {
		t.Fatal(err)
	}
	end := journalled(m)
	set(t, m, "second", system.Rule{Kind: system.Reset, When: system.Trigger{Nth: 2, Data: true}, Text: "reset"}, ab("a-1", "b-1"))
	set(t, m, "all", system.Rule{Kind: system.Delay, Delay: time.Millisecond}, ab("a-1", "b-1"))
	set(t, m, "some", system.Rule{Kind: system.Delay, Delay: time.Millisecond, When: system.Trigger{P: 0.5}}, ab("b-1", "a-1"))
	if got := echoes(t, front, 3); got != ".x." {
		t.Fatal(got)
	}
	got := map[string][]string{}
	for _, d := range end() {
		text := fmt.Sprint(d.Nth, " ", d.Hit)
		if d.Rule == "some" {
			text = fmt.Sprint(d.Nth, " ", d.Draw != nil && d.Hit == (*d.Draw < 0.5))
		}
		got[d.Rule] = append(got[d.Rule], text)
	}
	for rule, want := range map[string][]string{
		"second": {"0 false", "1 false", "2 true", "3 false"},
		"all":    {"0 true", "1 true", "2 true", "3 true"},
		"some":   {"0 true", "1 true", "2 true", "3 true"},
	} {
		if !slices.Equal(got[rule], want) {
			t.Errorf("%s: %q, want %q", rule, got[rule], want)
		}
	}
}

// What there is no room for is counted, and misses take no room from hits.
func TestJournalIsBounded(t *testing.T) {
	t.Parallel()
	m := newTestMesh(t, Options{})
	end := journalled(m)
	j := m.journal.Load()
	for range maxMisses + 3 {
		j.add(history.Decision{}, 1)
	}
	for range maxHits + 4 {
		j.add(history.Decision{Hit: true}, 1)
	}
	all := end()
	if len(all) != maxHits+maxMisses+1 || all[len(all)-1].LeftOut != 7 {
		t.Errorf("%d decisions, the last %+v", len(all), all[len(all)-1])
	}
}
