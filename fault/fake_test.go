package fault_test

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
)

// shop has two orders in two zones, three payments of another owner, and a
// database whose instances know their role.
func shop() system.System {
	return system.System{Name: "shop", Services: []system.Service{
		{Name: "db", Owner: "team-data", Zones: []string{"a", "b", "c"}, Replicas: 3, Probes: map[string]system.Probe{"role": {}}},
		{Name: "orders", Owner: "team-orders", Zones: []string{"a", "b"}, Replicas: 2},
		{Name: "payments", Owner: "team-payments", Replicas: 3},
	}}
}

// fake is an environment that keeps processes and counters in memory. Idle makes
// its injectors do nothing: they report success and leave everything as it was.
type fake struct {
	sys  system.System
	idle bool

	mu     sync.Mutex
	nodes  []system.Node
	byName map[string]*node
	rules  map[string][]system.Link
	rule   map[string]system.Rule
	stats  map[system.Link]*system.LinkStats
	fail   error // of SetRule, ClearRule, Surge, Calm and Arrivals

	now    time.Duration
	due    map[string][]time.Duration
	surges map[string]map[string]float64 // by id and journey
}

func newFake(idle bool) *fake {
	f := &fake{sys: shop(), idle: idle, byName: map[string]*node{}, rules: map[string][]system.Link{}, rule: map[string]system.Rule{}, stats: map[system.Link]*system.LinkStats{},
		due: map[string][]time.Duration{"checkout": nil, "status": nil}, surges: map[string]map[string]float64{}}
	for i, instance := range f.sys.Instances() {
		n := &node{env: f, instance: instance, pid: 100 * (i + 1), running: true, role: "follower"}
		f.nodes, f.byName[instance.Name] = append(f.nodes, n), n
	}
	f.byName["db-1"].role = "leader"
	return f
}

func (f *fake) System() system.System { return f.sys }
func (f *fake) Nodes() []system.Node  { return f.nodes }
func (f *fake) Addr(context.Context, string, string, int) (string, error) {
	return "", errors.New("no addresses")
}
func (f *fake) Close(context.Context) error { return nil }

func (f *fake) SetRule(_ context.Context, id string, links []system.Link, rule system.Rule) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	if !f.idle {
		f.rules[id], f.rule[id] = links, rule
	}
	return nil
}

func (f *fake) ClearRule(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail != nil {
		return f.fail
	}
	delete(f.rules, id)
	delete(f.rule, id)
	return nil
}

func (f *fake) LinkStats(context.Context) ([]system.LinkStats, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []system.LinkStats
	for _, s := range f.stats {
		copied := *s
		copied.Rules = slices.Clone(s.Rules)
		all = append(all, copied)
	}
	return all, nil
}

// send offers a chunk, which is a request and the whole of a connection too, to a link and lets the rules do what they say, at once.
func (f *fake) send(from, to string, bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.link(from, to)
	s.Dials++
	c := &chunk{bytes: bytes, stayed: 50 * time.Microsecond}
	for id, links := range f.rules {
		if slices.Contains(links, s.Link) {
			c.bend(s, id, f.rule[id])
		}
	}
	s.BytesIn += bytes
	if c.gone {
		return
	}
	s.BytesOut += bytes
	s.Ends++
	s.EndWait += c.endWait
	s.Residence[bits.Len64(uint64(c.stayed.Microseconds()))-1] += max(c.pieces, 1)
}

type chunk struct {
	bytes           int64
	stayed, endWait time.Duration
	pieces          int64
	gone            bool
}

// bend does what a rule says, to every chunk and request, or to the n-th of the link.
func (c *chunk) bend(s *system.LinkStats, id string, rule system.Rule) {
	own := ruleOf(s, id)
	if rule.OfRequests() {
		s.Requests++
		s.Matched++
		own.Matched++
	}
	if nth := rule.When.Nth; nth != 0 && s.Dials != int64(nth) {
		return
	}
	if rule.OfRequests() {
		s.Hit++
		own.Hit++
		return
	}
	own.Hit++
	s.Bent++
	switch rule.Kind {
	case system.Cut:
		c.gone = true
	case system.Refuse:
		s.Refused++
		c.gone, s.BytesIn = true, s.BytesIn-c.bytes
	case system.Delay:
		c.stayed += rule.Delay
	case system.Throttle:
		s.Throttled += time.Duration(float64(c.bytes) / float64(rule.Rate) * float64(time.Second))
		c.gone = true // not yet
	case system.Drop:
		s.Lost++
		c.stayed += 200 * time.Millisecond
	case system.Blackhole:
		s.Discarded += c.bytes
		c.gone = true
	case system.Reset:
		s.Reset++
		c.gone = true
	case system.SlowClose:
		c.endWait += rule.Delay
	case system.Slice:
		c.pieces += c.bytes / rule.Bytes
		s.Slices += c.pieces
	case system.Limit:
		s.Closed++
	}
}

// ruleOf returns the counters of a rule on a link.
func ruleOf(s *system.LinkStats, id string) *system.RuleStats {
	for i := range s.Rules {
		if s.Rules[i].ID == id {
			return &s.Rules[i]
		}
	}
	s.Rules = append(s.Rules, system.RuleStats{ID: id})
	return &s.Rules[len(s.Rules)-1]
}

// hit counts hits of the rule test/1 on a link.
func hit(s *system.LinkStats, n int64) { ruleOf(s, "test/1").Hit += n }

func (f *fake) link(from, to string) *system.LinkStats {
	l := system.Link{From: from, To: to}
	if f.stats[l] == nil {
		f.stats[l] = &system.LinkStats{Link: l}
	}
	return f.stats[l]
}

func (f *fake) Surge(_ context.Context, id, journey string, factor float64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == nil && !f.idle {
		if f.surges[id] == nil {
			f.surges[id] = map[string]float64{}
		}
		f.surges[id][journey] = factor
	}
	return f.fail
}

func (f *fake) Calm(_ context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fail == nil {
		delete(f.surges, id)
	}
	return f.fail
}

func (f *fake) Arrivals(context.Context) (system.Arrivals, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	due := map[string][]time.Duration{}
	for journey, list := range f.due {
		due[journey] = slices.Clone(list)
	}
	return system.Arrivals{Now: f.now, Due: due}, f.fail
}

// load lets both journeys arrive 20 times a second for d, and as often as surges say.
func (f *fake) load(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for journey := range f.due {
		rate := 20.0
		for _, journeys := range f.surges {
			rate *= max(1, journeys[journey])
		}
		for i := range int(d.Seconds() * rate) {
			f.due[journey] = append(f.due[journey], f.now+time.Duration(float64(i)/rate*float64(time.Second)))
		}
	}
	f.now += d
}

type node struct {
	env      *fake
	instance system.Instance

	mu       sync.Mutex
	pid      int
	running  bool
	stopped  bool
	role     string
	mute     bool  // does not answer probes
	fail     error // of Kill, Pause and Restart
	healFail error // of Start and Resume
	heals    int
	probes   int
	onProbe  func(n int)
}

func (n *node) Instance() system.Instance { return n.instance }

func (n *node) State(context.Context) (system.State, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case !n.running:
		return system.Exited, nil
	case n.stopped:
		return system.Paused, nil
	}
	return system.IsReady, nil
}

// act does what a power does, unless the environment is idle or the node is told to fail.
func (n *node) act(fail error, do func()) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if fail == nil && !n.env.idle {
		do()
	}
	return fail
}

func (n *node) Kill(context.Context) error { return n.act(n.fail, func() { n.running = false }) }
func (n *node) Start(context.Context) error {
	return n.act(n.healFail, func() { n.heals++; n.running = true; n.pid++ })
}
func (n *node) Pause(context.Context) error { return n.act(n.fail, func() { n.stopped = true }) }
func (n *node) Resume(context.Context) error {
	return n.act(n.healFail, func() { n.heals++; n.stopped = false })
}
func (n *node) Restart(context.Context) error { return n.act(n.fail, func() { n.pid++ }) }

func (n *node) Probe(ctx context.Context, name string) (any, error) {
	n.mu.Lock()
	n.probes++
	probes, role, mute, onProbe := n.probes, n.role, n.mute, n.onProbe
	n.mu.Unlock()
	if onProbe != nil {
		onProbe(probes)
	}
	if mute {
		return nil, errors.New("connection refused")
	}
	return role, nil
}

func (n *node) Inspect(context.Context) (system.Inspection, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if !n.running {
		return system.Inspection{}, nil
	}
	procs := []system.Proc{{ID: system.ProcID{Boot: "b", PID: n.pid, Start: 7}, Stopped: n.stopped, Command: n.instance.Service}}
	return system.Inspection{Processes: procs}, nil
}

// powerless is an environment whose nodes and links can be looked at by nobody.
type powerless struct{ sys system.System }

type bare struct{ instance system.Instance }

func (b bare) Instance() system.Instance                   { return b.instance }
func (b bare) State(context.Context) (system.State, error) { return system.IsReady, nil }

func (p powerless) System() system.System { return p.sys }
func (p powerless) Nodes() []system.Node {
	var nodes []system.Node
	for _, i := range p.sys.Instances() {
		nodes = append(nodes, bare{i})
	}
	return nodes
}
func (p powerless) Addr(context.Context, string, string, int) (string, error) {
	return "", errors.New("no addresses")
}
func (p powerless) Close(context.Context) error { return nil }

func mustParse(t *testing.T, text string) fault.Fault {
	t.Helper()
	f, err := fault.Parse(text)
	if err != nil {
		t.Fatalf("Parse(%q): %v", text, err)
	}
	return f
}

func inject(t *testing.T, env system.Env, text string) fault.Active {
	t.Helper()
	active, err := mustParse(t, text).Inject(t.Context(), env, fault.Options{Seed: 7, ID: "test/1"})
	if err != nil {
		t.Fatalf("inject %s: %v", text, err)
	}
	return active
}

func effects(t *testing.T, active fault.Active) []fault.Effect {
	t.Helper()
	seen, err := active.Effect(t.Context())
	if err != nil {
		t.Fatalf("effect: %v", err)
	}
	return seen
}

func describe(seen []fault.Effect) string {
	text := ""
	for _, e := range seen {
		text += fmt.Sprintf("%s observed=%v idle=%v: %s\n", e.Target, e.Observed, e.Idle, e.Text)
	}
	return text
}
