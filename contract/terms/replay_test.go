package terms

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// A world replays the text of a witness: a server, a broker and a caller as plain counters. It shares no code with the judge.
type world struct {
	begun    map[string]time.Duration // of calls
	ended    map[string]time.Duration
	keys     map[string]string
	code     map[string]string
	asked    map[string]time.Duration
	first    map[string]time.Duration // the first effect, by key of a call or by event
	any      bool                     // something took effect
	arrived  map[string]int
	lastCome map[string]time.Duration
	attrs    map[string]map[string]string
}

func newWorld() *world {
	d := func() map[string]time.Duration { return map[string]time.Duration{} }
	return &world{d(), d(), map[string]string{}, map[string]string{}, d(), d(), false, map[string]int{}, d(), map[string]map[string]string{}}
}

var line = regexp.MustCompile(`^t=(\S+) (?:(?P<call>call) (\d+) (?:without a key|of .*|with (\S+)=(\S+))|answer to call (\d+): ([^,]+)(?:, Retry-After (\S+))?|the (server|caller) gives up call (\d+).*|(call|event) (\d+) takes effect|(\d+) calls within (\S+)|event (\d+) is (sent|delivered|given up)(?: \((.*)\))?)$`)

func took(t *testing.T, text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// step returns whether the line is against the terms of that side.
func (w *world) step(t *testing.T, o Operation, text string, who side) bool {
	m := line.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no line of a schedule: %q", text)
	}
	at := took(t, m[1])
	switch {
	case m[2] == "call":
		return w.called(o, at, m[3], m[4], m[5]) && who != server
	case m[6] != "":
		w.ended[m[6]], w.code[m[6]] = at, m[7]
		if m[8] != "" {
			w.asked[m[6]] = took(t, m[8])
		}
		late := o.Deadline > 0 && at-w.begun[m[6]] > o.Deadline
		return who == server && (late || o.RetryAfter > 0 && w.asked[m[6]] > o.RetryAfter)
	case m[9] != "":
		w.ended[m[10]], w.code[m[10]] = at, "timeout"
		short := o.Deadline > 0 && at-w.begun[m[10]] < o.Deadline
		return short && (who == server && m[9] == "server" || who == calling && m[9] == "caller")
	case m[11] != "":
		return w.effect(o, at, m[11], m[12]) && who == server
	case m[13] != "":
		return who != server && o.Limit > 0 && float64(number(m[13]))/took(t, m[14]).Seconds() > o.Limit+1e-9
	}
	return w.event(o, at, m[15], m[16], m[17]) && who == server
}

func number(text string) (n int) {
	fmt.Sscan(text, &n)
	return n
}

func (w *world) called(o Operation, at time.Duration, n, keyName, key string) bool {
	w.begun[n] = at
	if key != "" {
		w.keys[n] = keyName + "=" + key
	}
	if o.Key != nil && o.Key.Required && keyName != strings.ReplaceAll(o.Key.Name, " ", ":") {
		return true
	}
	i := number(n)
	if i == 1 {
		return false
	}
	before := fmt.Sprint(i - 1)
	if o.Retry == nil || o.Retry.Attempts > 0 && i > o.Retry.Attempts || !slices.Contains(o.Retry.On, w.code[before]) {
		return true
	}
	wait := o.Retry.Backoff.Initial // by hand: doubled as often as there were retries, cut at the most, less the jitter
	for range i - 2 {
		wait = time.Duration(float64(wait) * o.Retry.Backoff.Factor)
	}
	if o.Retry.Backoff.Max > 0 {
		wait = min(wait, o.Retry.Backoff.Max)
	}
	wait -= time.Duration(float64(wait) * o.Retry.Backoff.Jitter)
	waited := at - w.ended[before]
	return waited < wait-time.Microsecond || o.RetryAfter > 0 && waited < w.asked[before]
}

func (w *world) effect(o Operation, at time.Duration, what, n string) bool {
	again := w.any
	w.any = true
	if isTrue(o.safe()) || again && isTrue(o.idempotent()) {
		return true
	}
	id, window := n, time.Duration(-1)
	if what == "call" {
		id = w.keys[n]
		if o.Key != nil && strings.HasPrefix(id, strings.ReplaceAll(o.Key.Name, " ", ":")+"=") {
			window = o.Key.Retention
		}
	} else if o.Delivery != nil && o.Delivery.Dedup > 0 {
		window = o.Delivery.Dedup
	}
	first, known := w.first[id]
	if !known {
		w.first[id] = at
		return false
	}
	when := at
	if what == "call" {
		when = w.begun[n]
	}
	return window >= 0 && when-first <= window
}

func (w *world) event(o Operation, at time.Duration, n, what, attrs string) bool {
	d := o.Delivery
	if what == "sent" {
		w.attrs[n] = map[string]string{}
		for _, one := range strings.Split(attrs, ", ") {
			k, v, _ := strings.Cut(one, "=")
			w.attrs[n][k] = v
		}
	}
	if d == nil || what == "sent" {
		return false
	}
	count := w.arrived[n]
	if what == "given up" {
		lost := count == 0 && d.Guarantee != "at-most-once"
		return lost || count > 0 && d.Redeliveries != nil && count < 1+*d.Redeliveries
	}
	w.arrived[n]++
	gap := at - w.lastCome[n]
	w.lastCome[n] = at
	if count > 0 && (d.Guarantee != "at-least-once" || gap < d.RedeliverAfter || d.Redeliveries != nil && count > *d.Redeliveries) {
		return true
	}
	for other, attrs := range w.attrs {
		if number(other) < number(n) && w.arrived[other] == 0 && d.OrderBy != "" && attrs[d.OrderBy] != "" && attrs[d.OrderBy] == w.attrs[n][d.OrderBy] {
			return true
		}
	}
	return false
}

// replay returns whether a side breaks the terms in the schedule.
func replay(t *testing.T, o Operation, document string, who side) bool {
	t.Helper()
	w, broken := newWorld(), false
	for _, text := range strings.Split(document, "\n") {
		broken = w.step(t, o, text, who) || broken
	}
	return broken
}

func sideOf(id string) side {
	for _, r := range callRules() {
		if r.id == id {
			return r.who
		}
	}
	for _, r := range rules() {
		if r.id == id {
			return r.who
		}
	}
	return server // terms-removed
}

// Every witness of every edit is broken by the one version and kept by the other, as a second implementation sees it.
func TestWitnessesReplay(t *testing.T) {
	t.Parallel()
	replayed := 0
	for _, e := range edits() {
		changed := strings.Replace(base, e.from, e.to, 1)
		for _, f := range diffed(t, base, changed).Findings {
			if f.Witness == nil {
				continue
			}
			old, new := termsOf(t, base, f.Subject, f.Path), termsOf(t, changed, f.Subject, f.Path)
			who := sideOf(f.Rule)
			got := [2]bool{replay(t, old, f.Witness.Document, who), replay(t, new, f.Witness.Document, who)}
			want := [2]bool{f.Witness.Refused == "old", f.Witness.Refused == "new"}
			if got != want {
				t.Errorf("%s %q to %q: broken by old and new %v, want %v:\n%s", f.Rule, e.from, e.to, got, want, f.Witness.Document)
			}
			replayed++
		}
	}
	if replayed < 45 {
		t.Errorf("only %d witnesses", replayed)
	}
}

// termsOf finds what a finding is about: an operation, or one of its calls. An operation that is gone promises nothing.
func termsOf(t *testing.T, text, subject, path string) Operation {
	t.Helper()
	f := parse("terms.yaml", []byte(text))
	all := f.terms()
	for _, o := range all.Operations {
		if all.Service+" "+o.Name != subject {
			continue
		}
		for _, n := range numbered(o) {
			if strings.HasPrefix(path, "calls."+n.name+".") {
				return n.Call.terms()
			}
		}
		return o
	}
	_, name, _ := strings.Cut(subject, " ")
	no := false
	return Operation{Name: name, Safe: &no, Idempotent: &no}
}

// The witness of a call that asks for more than its callee allows is kept by the call's own terms, and broken by the callee's; that of
// something done twice has it happen twice.
func TestBreachesReplay(t *testing.T) {
	t.Parallel()
	met := map[string]bool{}
	for _, b := range breaches() {
		if strings.HasPrefix(b.want, "gap") || strings.Contains(b.from, "#") {
			continue
		}
		text := strings.Replace(shop, b.from, b.to, 1)
		for _, f := range checked(t, text, CheckOptions{}).Findings {
			if f.Witness == nil {
				continue
			}
			document, yes := f.Witness.Document, true
			switch f.Rule {
			case "attempts-exceeded", "backoff-too-short", "code-not-retryable", "retry-after-ignored":
				e := newGraph(system(t, text)).named["api POST /checkout"].calls[2]
				if replay(t, e.call.terms().unkeyed(), document, calling) {
					t.Errorf("%s: the call would not do that:\n%s", f.Rule, document)
				}
				yes = replay(t, e.to.Operation, document, caller)
			case "retry-unsafe", "redelivery-unsafe", "key-retention-short", "dedup-too-short", "redelivered-while-handled":
				yes = replay(t, Operation{Name: "x", Idempotent: &yes}, document, server)
			case "deadline-exceeded":
				yes = strings.HasSuffix(f.Text, lastTime(document))
			case "limit-exceeded":
				yes = replay(t, Operation{Limit: 50}, document, caller) && !replay(t, Operation{Limit: 60}, document, caller)
			default:
				continue
			}
			if met[f.Rule] = true; !yes {
				t.Errorf("%s: nothing is broken by\n%s", f.Rule, document)
			}
		}
	}
	if len(met) != 11 {
		t.Errorf("met %v", met)
	}
}

func (o Operation) unkeyed() Operation {
	o.Key = nil
	return o
}

func lastTime(document string) string {
	lines := strings.Split(document, "\n")
	at, _, _ := strings.Cut(strings.TrimPrefix(lines[len(lines)-1], "t="), " ")
	return at
}
