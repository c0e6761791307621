package simsystem

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/sim"
	"github.com/assay-dev/assay/system"
)

// topology is that of the suite of environments: three instances of web, which call one of store.
func topology() system.System {
	return system.System{Name: "suite", Services: []system.Service{
		{Name: "store", Replicas: 1, Ports: []int{7070}, Zones: []string{"a", "b"}}, {Name: "web", Replicas: 3, Ports: []int{7070}, Zones: []string{"a", "b"}}}}
}

// a bench is the suite's system, which answers with the name of the instance.
type bench struct {
	env *Env
	s   *sim.Sim
}

func run(t *testing.T, f func(t *testing.T, b *bench)) {
	sim.Run(t, func(s *sim.Sim) {
		b := &bench{env: New(s, topology()), s: s}
		for _, i := range topology().Instances() {
			s.Host(i.Name).Boot(func() { serve(i.Name) })
		}
		time.Sleep(10 * time.Millisecond)
		f(s.T(), b)
		if err := b.env.Close(context.Background()); err != nil {
			s.T().Error(err)
		}
	})
}

func serve(name string) {
	answer := func(from string) string {
		c := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := c.Get(from)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		text, _ := io.ReadAll(resp.Body)
		return string(text)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/name", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, name) })
	mux.HandleFunc("/call", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer("http://store-1:7070/name")) })
	mux.HandleFunc("/data", func(w http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) })
	_ = http.ListenAndServe(":7070", mux)
}

// ask is a request by the load driver, and how long it took.
func (b *bench) ask(method, host, path, body string) (text string, took time.Duration, err error) {
	began := time.Now()
	ok := b.s.Host(system.Client).Do(func() {
		var addr string
		if addr, err = b.env.Addr(context.Background(), system.Client, host, 7070); err != nil {
			return
		}
		c := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		var req *http.Request
		if req, err = http.NewRequest(method, "http://"+addr+path, strings.NewReader(body)); err != nil {
			return
		}
		var resp *http.Response
		if resp, err = c.Do(req); err != nil {
			return
		}
		defer resp.Body.Close()
		var all []byte
		all, err = io.ReadAll(resp.Body)
		text = string(all)
	})
	if !ok {
		err = errors.New("the client is down")
	}
	return text, time.Since(began), err
}

// uploads says how long the slowest upload to web-1 took, and how many failed.
func (b *bench) uploads(data string, times int) (longest time.Duration, failed int) {
	for range times {
		_, took, err := b.ask("PUT", "web-1", "/data", data)
		longest = max(longest, took)
		if err != nil {
			failed++
		}
	}
	return longest, failed
}

func (b *bench) mustGet(t *testing.T, host, path, want string) {
	t.Helper()
	if got, _, err := b.ask("GET", host, path, ""); got != want || err != nil {
		t.Errorf("%s%s: %q, %v; want %q", host, path, got, err, want)
	}
}

func TestNodesAndAddresses(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		for i, n := range b.env.Nodes() {
			if state, err := n.State(context.Background()); n.Instance() != topology().Instances()[i] || state != system.IsReady || err != nil {
				t.Errorf("node %+v is %v, %v", n.Instance(), state, err)
			}
			b.mustGet(t, n.Instance().Name, "/name", n.Instance().Name)
		}
		reached := map[string]bool{}
		for range 60 {
			text, _, err := b.ask("GET", "web", "/name", "")
			if err != nil {
				t.Error(err)
			}
			reached[text] = true
		}
		if b.s.Seeded() && len(reached) > 3 {
			t.Errorf("web is %v", reached)
		}
		b.mustGet(t, "web-2", "/call", "store-1")
		for _, bad := range [][2]string{{system.Client, "nobody"}, {"nobody", "web"}} {
			if addr, err := b.env.Addr(context.Background(), bad[0], bad[1], 7070); err == nil {
				t.Errorf("%s has an address for %s: %s", bad[0], bad[1], addr)
			}
		}
	})
}

// What is killed does not answer and is left out of its service; it comes back as another process.
func TestKill(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		ctx := context.Background()
		f := fault.Kill("web-1")
		active, err := f.Inject(ctx, b.env, fault.Options{Seed: 1, ID: "k"})
		if err != nil {
			t.Fatal(err)
		}
		for range 10 {
			if text, _, err := b.ask("GET", "web", "/name", ""); text == "web-1" || err != nil {
				t.Errorf("web is %q, %v", text, err)
			}
		}
		if _, _, err := b.ask("GET", "web-1", "/name", ""); err == nil {
			t.Error("web-1 answers")
		}
		if effects, err := active.Effect(ctx); err != nil || !fault.Observed(effects) {
			t.Errorf("effect %+v, %v", effects, err)
		}
		if err := active.Heal(ctx); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Millisecond)
		b.mustGet(t, "web-1", "/name", "web-1")
	})
}

// Each fault of links does what it says to its link, others go on, its effect is seen, and it heals.
func TestLinkFaults(t *testing.T) {
	for name, row := range map[string]struct {
		fault string
		times int
		least time.Duration // that the slowest upload takes
		fails bool          // all of them
	}{
		"delay":    {"delay(client -> web-1, 400ms±100ms)", 1, 300 * time.Millisecond, false},
		"normal":   {"delay(client -> web-1, 400ms±100ms, dist=normal)", 1, 200 * time.Millisecond, false},
		"pareto":   {"delay(client -> web-1, 400ms±100ms, dist=pareto)", 1, 400 * time.Millisecond, false},
		"throttle": {"throttle(client -> web-1, 100KB/s)", 1, 900 * time.Millisecond, false},
		"drop":     {"drop(client -> web-1, 50%)", 10, 200 * time.Millisecond, false},
		"cut":      {"cut(client <-> web-1)", 1, 2 * time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			run(t, func(t *testing.T, b *bench) {
				ctx := context.Background()
				f, err := fault.Parse(row.fault)
				if err != nil {
					t.Fatal(err)
				}
				data := strings.Repeat("x", 100_000)
				active, err := f.Inject(ctx, b.env, fault.Options{Seed: b.s.Seed(), ID: "f"})
				if err != nil {
					t.Fatal(err)
				}
				took, failed := b.uploads(data, row.times)
				if took < row.least || row.fails && failed < row.times || !row.fails && failed == row.times {
					t.Errorf("the slowest of %d uploads took %v, %d failed", row.times, took, failed)
				}
				if _, took, err := b.ask("PUT", "web-2", "/data", "x"); took > 100*time.Millisecond || err != nil {
					t.Errorf("another link: %v, %v", took, err)
				}
				if effects, err := active.Effect(ctx); err != nil || !fault.Observed(effects) {
					t.Errorf("effect %+v, %v", effects, err)
				}
				if err := active.Heal(ctx); err != nil {
					t.Error(err)
				}
				time.Sleep(10 * time.Second) // what was sent under the fault is over
				if _, took, err := b.ask("PUT", "web-1", "/data", data); took > 100*time.Millisecond || err != nil {
					t.Errorf("after the heal: %v, %v", took, err)
				}
			})
		})
	}
}

// A fault that is not there is not observed.
func TestNoEffect(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		active, err := fault.Cut("web-1", "store-1").Inject(context.Background(), b.env, fault.Options{ID: "f"})
		if err != nil {
			t.Fatal(err)
		}
		if effects, err := active.Effect(context.Background()); err != nil || fault.Observed(effects) {
			t.Errorf("nothing was sent, and the effect is %+v, %v", effects, err)
		}
	})
}

func TestRefusals(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		for text, want := range map[string]string{
			"pause(web-1)":                              "web-1 is no system.Pauser in this environment",
			"kill(web[role=leader])":                    `declares no probe "role"`,
			"surge(checkout, 3x)":                       "system.Surger",
			"reset(client -> web-1)":                    "simulated links cannot reset: they can [delay throttle drop cut]",
			"refuse(client -> web-1)":                   "simulated links cannot refuse",
			`abort(client -> web-1, 503, path="/pay*")`: "simulated links cannot abort",
			"delay(client -> web-1, 1s, nth=3)":         "delay takes no nth",
			"kill(nobody)":                              "nobody",
		} {
			f, err := fault.Parse(text)
			if err != nil {
				t.Error(err)
				continue
			}
			before := b.s.Host("web-1").Incarnation()
			_, err = b.env.Run([]Action{{Fault: fault.Kill("web-1")}, {Fault: f}})
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, want %s", text, err, want)
			}
			if b.s.Host("web-1").Incarnation() != before {
				t.Errorf("%s: the plan began", text)
			}
		}
	})
}

// A plan acts at its times, on targets that the seed chooses.
func TestPlan(t *testing.T) {
	run(t, func(t *testing.T, b *bench) {
		plan, err := ParsePlan(`
			# one of three, and then the store is cut off
			- {at: 1s, for: 2s, fault: "kill(web, mode=one)"}
			{at: 5s, for: 1s, fault: 'cut(web <-> store)'}`)
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.env.Run(plan)
		if err != nil {
			t.Fatal(err)
		}
		down := func() (names []string) {
			for _, n := range b.env.Nodes() {
				if state, _ := n.State(context.Background()); state != system.IsReady {
					names = append(names, n.Instance().Name)
				}
			}
			return names
		}
		time.Sleep(500 * time.Millisecond)
		if got := down(); got != nil {
			t.Errorf("before the plan %v are down", got)
		}
		time.Sleep(time.Second)
		if got := down(); len(got) != 1 || !strings.HasPrefix(got[0], "web-") {
			t.Errorf("while one is killed %v are down", got)
		} else {
			for i, name := range []string{"web-1", "web-2", "web-3"} {
				sim.Sometimes(slices.Contains(got, name), fmt.Sprintf("web-%d is the one", i+1))
			}
		}
		time.Sleep(2500 * time.Millisecond)
		if got := down(); got != nil {
			t.Errorf("after the heal %v are down", got)
		}
		time.Sleep(1100 * time.Millisecond)
		if _, took, err := b.ask("GET", "web-2", "/call", ""); err == nil && took < 800*time.Millisecond {
			t.Errorf("web-2 reaches store in %v", took)
		}
		if err := r.Wait(); err != nil {
			t.Error(err)
		}
		time.Sleep(10 * time.Second)
		b.mustGet(t, "web-2", "/call", "store-1")
	})
}

func TestParsePlan(t *testing.T) {
	t.Parallel()
	plan, err := ParsePlan("{at: 5s, for: 2s, fault: \"kill(orders, mode=one)\"}\n- {fault: cut(a <-> b), at: 0s}")
	if err != nil || len(plan) != 2 || plan[0].String() != `{at: 5s, for: 2s, fault: "kill(orders, mode=one)"}` || plan[1].String() != `{at: 0s, fault: "cut(a <-> b)"}` {
		t.Errorf("%v, %v", plan, err)
	}
	for text, want := range map[string]string{
		"":                              "plan:1:1: it has no action",
		"\nkill(a)":                     "plan:2:1: an action is written",
		"{at: 5s}":                      "plan:1:1: an action needs at and fault",
		"  {at: five, fault: kill(a)}":  `plan:1:4: time: invalid duration "five"`,
		"{at: -1s, fault: kill(a)}":     "plan:1:2: -1s is before the plan begins",
		"{at: 5s, fault: kil(a)}":       `plan:1:10: `,
		"{at: 5s, when: 3, fault: x}":   `plan:1:10: an action has no key "when" (allowed: at, for, fault)`,
		"{at: 5s, at: 6s, fault: kill}": "plan:1:10: want a key that was not there yet",
	} {
		if _, err := ParsePlan(text); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
