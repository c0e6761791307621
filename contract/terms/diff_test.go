package terms

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

const base = `service: orders
operations:
  POST /orders:
    deadline: 2s
    work: 50ms
    key: {header: Idempotency-Key, retention: 24h}
    retry: {on: [503, 429, timeout], attempts: 4, backoff: {initial: 100ms, factor: 2, max: 1s, jitter: 0.5}}
    retry-after: 5s
    limit: 100/s
    calls:
      - call: payments shop.v1.Payments/Charge
        timeout: 300ms
        key: forward
        retry: {on: [UNAVAILABLE, timeout], attempts: 3, backoff: {initial: 50ms}, retry-after: true}
        degrades: true
      - {call: stock GET /stock, timeout: 100ms}
  GET /orders:
    deadline: 500ms
  PUT /orders/1:
    deadline: 1s
    key: {header: Old-Key, retention: 1h, required: true}
  POST /bare: {safe: false}
  send orders.paid:
    delivery: {guarantee: at-least-once, order-by: order_id, dedup: 10m, redeliveries: 5, redeliver-after: 30s}
  receive carrier.done:
    idempotent: true
    delivery: {guarantee: at-least-once, dedup: 1h}
`

func memory(name, text string) contract.Source {
	return contract.Source{Name: name, FS: fstest.MapFS{"terms.yaml": {Data: []byte(text)}}, Path: "terms.yaml"}
}

func diffed(t testing.TB, old, new string) contract.Diff {
	t.Helper()
	d, err := Diff(t.Context(), memory("old", old), memory("new", new), contract.Options{Contract: "orders"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// An edit is one change of base: what is replaced by what, and the rules that find it, each with its severity and who refuses the witness.
type edit struct{ from, to, want string }

func edits() []edit {
	return []edit{
		{"deadline: 2s", "deadline: 3s", "deadline-raised break old"},
		{"    deadline: 2s\n", "", "deadline-removed break old"},
		{"deadline: 2s", "deadline: 1500ms", "deadline-lowered break old"},
		{"work: 50ms", "work: 60ms", "work-changed change"},
		{"GET /orders:\n", "GET /orders:\n    safe: false\n", "safe-dropped break old, idempotent-dropped break old"},
		{"GET /orders:\n", "GET /orders:\n    safe: false\n    idempotent: true\n", "safe-dropped break old"},
		{"PUT /orders/1:\n", "PUT /orders/1:\n    safe: true\n", "safe-promised change"},
		{"idempotent: true", "idempotent: false", "idempotent-dropped break old"},
		{"    idempotent: true\n", "", "idempotent-dropped break old"},
		{"PUT /orders/1:\n", "PUT /orders/1:\n    idempotent: false\n", "idempotent-by-key change"},
		{"POST /orders:\n", "POST /orders:\n    idempotent: true\n", "idempotent-promised change"},
		{"    key: {header: Idempotency-Key, retention: 24h}\n", "", "key-dropped break old"},
		{"    key: {header: Old-Key, retention: 1h, required: true}\n", "", "key-unneeded change"},
		{"header: Idempotency-Key", "field: request_id", "key-renamed break old"},
		{"retention: 24h}", "retention: 24h, required: true}", "key-required break new"},
		{", required: true", "", "key-optional change"},
		{"retention: 24h", "retention: 10s", "key-retention-lowered break old"},
		{"retention: 24h", "retention: 12h", "key-retention-lowered risk old"},
		{"retention: 1h, r", "retention: 30m, r", "key-unneeded change"},
		{"header: Old-Key", "header: New-Key", "key-unneeded change"},
		{"retention: 24h", "retention: 48h", "key-retention-raised change"},
		{"GET /orders:\n", "GET /orders:\n    key: {field: id, retention: 1m}\n", "key-honoured change"},
		{"    retry: {on: [503, 429, timeout], attempts: 4, backoff: {initial: 100ms, factor: 2, max: 1s, jitter: 0.5}}\n", "", "retry-removed break new"},
		{"GET /orders:\n", "GET /orders:\n    retry: {attempts: 2}\n", "retry-added change"},
		{"[503, 429, timeout]", "[503, timeout]", "retryable-code-removed break new"},
		{"[503, 429, timeout]", "[503, 429]", "retryable-code-removed break new"},
		{"[503, 429, timeout]", "[503, 429, 502, timeout]", "retryable-code-added change"},
		{"attempts: 4", "attempts: 2", "attempts-lowered break new"},
		{"attempts: 4, ", "", "attempts-raised change"},
		{"initial: 100ms", "initial: 200ms", "backoff-raised break new"},
		{"jitter: 0.5", "jitter: 0.2", "backoff-raised break new"},
		{"max: 1s", "max: 300ms", "backoff-lowered change"},
		{"max: 1s", "max: 2s", "backoff-lowered change"}, // the 4 attempts never get there
		{"factor: 2", "factor: 3", "backoff-raised break new"},
		{"limit: 100/s", "limit: 80/s", "limit-lowered break new"},
		{"limit: 100/s", "limit: 5990/m", "limit-lowered break new"},
		{"limit: 100/s", "limit: 120/s", "limit-raised change"},
		{"    limit: 100/s\n", "", "limit-removed change"},
		{"GET /orders:\n", "GET /orders:\n    limit: 7/h\n", "limit-added risk new"},
		{"retry-after: 5s", "retry-after: 10s", "retry-after-raised break old"},
		{"retry-after: 5s", "retry-after: 1s", "retry-after-lowered change"},
		{"    retry-after: 5s\n", "", "retry-after-lowered change"},
		{"GET /orders:\n", "GET /orders:\n    retry-after: 1s\n", "retry-after-declared change"},
		{"  GET /orders:\n    deadline: 500ms\n", "", "terms-removed break old"},
		{"  POST /bare: {safe: false}\n", "", "terms-removed risk"},
		{"  GET /orders:\n", "  GET /other: {deadline: 1s}\n  GET /orders:\n", "terms-added change"},
		{"POST /bare: {safe: false}", "POST /bare: {safe: false, deadline: 1s}", "deadline-added change"},
		{"guarantee: at-least-once, order-by: order_id, dedup: 10m, redeliveries: 5, redeliver-after: 30s", "guarantee: at-most-once, order-by: order_id, dedup: 10m, redeliver-after: 30s", "delivery-weakened break old, redeliveries-lowered break old"},
		{"guarantee: at-least-once, order", "guarantee: exactly-once, order", "delivery-strengthened change"},
		{"at-least-once, dedup: 1h", "exactly-once, dedup: 1h", "delivery-weakened break new"},
		{"at-least-once, dedup: 1h", "at-least-once, order-by: id, dedup: 1h", "order-changed break new"},
		{"order-by: order_id", "order-by: customer", "order-changed break old"},
		{"order-by: order_id, ", "", "order-changed break old"},
		{"dedup: 10m", "dedup: 1m", "dedup-lowered break old"},
		{"dedup: 10m", "dedup: 5m", "dedup-lowered risk old"},
		{"dedup: 1h", "dedup: 30m", "dedup-unneeded change"},
		{"dedup: 10m", "dedup: 20m", "dedup-raised change"},
		{"redeliveries: 5", "redeliveries: 3", "redeliveries-lowered break old"},
		{"redeliveries: 5, ", "", "redeliveries-lowered break old"},
		{"redeliveries: 5", "redeliveries: 8", "redeliveries-raised risk old"},
		{"redeliver-after: 30s", "redeliver-after: 10s", "redeliver-after-lowered break old"},
		{", redeliver-after: 30s", "", "redeliver-after-lowered break old"},
		{"redeliver-after: 30s", "redeliver-after: 1m", "redeliver-after-raised change"},
		{"    delivery: {guarantee: at-least-once, dedup: 1h}\n", "", "delivery-removed break old"},
		{"send orders.paid:\n", "send orders.sent:\n    delivery: {guarantee: at-most-once}\n  send orders.paid:\n", "terms-added change"},
		{"timeout: 300ms", "timeout: 200ms", "call-timeout-lowered break old"},
		{"timeout: 300ms", "timeout: 400ms", "call-timeout-raised change"},
		{"        timeout: 300ms\n", "", "call-timeout-raised change"},
		{"        key: forward\n", "", "call-key-dropped break old"},
		{"key: forward", "key: fresh", "call-key-changed risk"},
		{"timeout: 100ms}", "timeout: 100ms, key: fresh}", "call-key-added change"},
		{"attempts: 3", "attempts: 5", "call-attempts-raised risk old"},
		{"attempts: 3", "attempts: 2", "call-attempts-lowered change"},
		{"[UNAVAILABLE, timeout]", "[UNAVAILABLE, INTERNAL, timeout]", "call-code-added risk old"},
		{"[UNAVAILABLE, timeout]", "[timeout]", "call-code-removed change"},
		{"initial: 50ms", "initial: 20ms", "call-backoff-lowered risk old"},
		{"initial: 50ms", "initial: 80ms", "call-backoff-changed change"},
		{"retry-after: true", "retry-after: false", "call-retry-after-dropped break old"},
		{"timeout: 100ms}", "timeout: 100ms, retry: {attempts: 1, retry-after: true}}", "call-retry-after-honoured change"},
		{"        degrades: true\n", "", "call-needed risk"},
		{"timeout: 100ms}", "timeout: 100ms, degrades: true}", "call-degrades change"},
		{"      - {call: stock GET /stock, timeout: 100ms}\n", "", "call-removed change"},
		{"timeout: 100ms}\n", "timeout: 100ms}\n      - {call: stock GET /stock, timeout: 100ms}\n", "call-added change"},
		{"      - {call: stock GET /stock, timeout: 100ms}\n  GET", "      - parallel: [{call: stock GET /stock, timeout: 100ms}]\n  GET", ""},
		{"service: orders", "service: shop", "terms-removed break old, terms-removed risk, terms-added change"},
	}
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, e := range edits() {
		t.Run(e.from+" to "+e.to, func(t *testing.T) {
			t.Parallel()
			if strings.Count(base, e.from) < 1 {
				t.Fatalf("base has no %q", e.from)
			}
			d := diffed(t, base, strings.Replace(base, e.from, e.to, 1))
			seen := map[string]bool{}
			for _, f := range d.Findings {
				one := f.Rule + " " + string(f.Severity)
				if f.Witness != nil {
					one += " " + f.Witness.Refused
				}
				if f.Kind != contract.Terms || f.Contract != "orders" || f.Text == "" || f.New.Line == 0 && f.Old.Line == 0 {
					t.Errorf("incomplete: %+v", f)
				}
				if f.Severity == contract.Break && (f.Witness == nil || len(f.Modes) == 0 || f.Try == "") {
					t.Errorf("a break without witness, mode or what to try: %+v", f)
				}
				seen[one] = true
			}
			for _, want := range strings.Split(e.want, ", ") {
				if want != "" && !seen[want] {
					t.Errorf("got %v, want %s", seen, want)
				}
				delete(seen, want)
			}
			if e.from != "service: orders" && len(seen) > 0 {
				t.Errorf("also found %v", seen)
			}
			if len(d.Gaps) > 0 {
				t.Errorf("gaps: %v", d.Gaps)
			}
		})
	}
}

// Two versions that are the same are proven, one proof for each operation.
func TestSame(t *testing.T) {
	t.Parallel()
	d := diffed(t, base, base)
	if len(d.Findings)+len(d.Gaps) > 0 || len(d.Proofs) != 6 || d.Verdict() != verdict.Pass {
		t.Errorf("%+v", d)
	}
	none := contract.Source{Name: "none", FS: fstest.MapFS{"a.yaml": {Data: []byte("openapi: 3.0.0\npaths: {}\n")}}, Path: "."}
	d, err := Diff(t.Context(), none, none, contract.Options{})
	if err != nil || d.Verdict() != verdict.Unknown || len(d.Gaps) != 1 {
		t.Errorf("%+v, %v", d, err)
	}
}

// Every rule is met by an edit, or by the pairs below, which base has no room for.
func TestEveryRule(t *testing.T) {
	t.Parallel()
	met := map[string]bool{}
	note := func(old, new string) {
		for _, f := range diffed(t, old, new).Findings {
			met[f.Rule] = true
		}
	}
	for _, e := range edits() {
		note(base, strings.Replace(base, e.from, e.to, 1))
	}
	one := func(name, terms string) string { return "service: s\noperations:\n  " + name + ": {" + terms + "}\n" }
	for _, p := range pairsOfTerms() {
		note(one(p[0], p[1]), one(p[0], p[2]))
	}
	for _, r := range append(rules(), callRules()...) {
		if !met[r.id] {
			t.Errorf("no test meets %s", r.id)
		}
	}
}

// pairsOfTerms are operations, their terms, and those of the next version.
func pairsOfTerms() [][3]string {
	return [][3]string{
		{"s.A/B", "deadline: 1s", "deadline: 1s, safe: false"},
		{"s.A/B", "retry: {attempts: 1}", "deadline: 1s"},
		{"s.A/B", "retry: {on: [UNAVAILABLE], attempts: 2, backoff: {initial: 1s}}", "retry: {on: [UNAVAILABLE], attempts: 2, backoff: {initial: 1s}}, retry-after: 5s"},
		{"send a", "work: 1s", "delivery: {guarantee: at-most-once}"},
		{"receive a", "delivery: {guarantee: at-most-once, order-by: id}", "delivery: {guarantee: at-most-once}"},
		{"GET /a", "calls: [{call: b GET /b}]", "calls: [{call: b GET /b, timeout: 1s}]"},
	}
}
