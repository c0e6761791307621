package terms

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/verdict"
)

// shop is a system in which all fits.
const shop = `service: api
operations:
  POST /checkout:
    deadline: 4s
    work: 20ms
    limit: 20/s
    key: {header: Idempotency-Key, retention: 24h}
    retry: {on: [503], attempts: 2, backoff: {initial: 1s}}
    calls:
      - parallel:
        - {call: stock GET /stock, timeout: 200ms}
        - {call: prices GET /price, timeout: 100ms, degrades: true}
      - call: payments POST /charges
        timeout: 800ms
        key: forward
        retry: {on: [503, timeout], attempts: 3, backoff: {initial: 100ms}, retry-after: true}
      - {call: api send orders.paid, timeout: 50ms}
---
service: stock
operations:
  GET /stock: {deadline: 200ms}
---
service: prices
operations:
  GET /price: {deadline: 300ms}
---
service: payments
operations:
  POST /charges:
    deadline: 800ms
    limit: 60/s
    key: {header: Idempotency-Key, retention: 1h}
    retry: {on: [503, 429], attempts: 3, backoff: {initial: 100ms}}
    retry-after: 150ms
---
service: api
operations:
  send orders.paid:
    delivery: {guarantee: at-least-once, order-by: order_id, redeliveries: 5, redeliver-after: 30s}
---
service: shipping
operations:
  receive orders.paid:
    deadline: 10s
    idempotent: false
    delivery: {guarantee: at-least-once, order-by: order_id, dedup: 10m}
`

func system(t testing.TB, text string) []Terms {
	t.Helper()
	files := fstest.MapFS{}
	for i, one := range strings.Split(text, "---\n") {
		files[string(rune('a'+i))+".yaml"] = &fstest.MapFile{Data: []byte(one)}
	}
	all, err := Read(t.Context(), contract.Source{Name: "shop", FS: files, Path: "."})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func checked(t testing.TB, text string, opts CheckOptions) Result {
	t.Helper()
	r, err := Check(t.Context(), system(t, text), opts)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCheckPasses(t *testing.T) {
	t.Parallel()
	r := checked(t, shop, CheckOptions{Contract: "shop"})
	if len(r.Findings)+len(r.Gaps) > 0 || r.Verdict() != verdict.Pass {
		t.Fatalf("%+v\n%+v", r.Findings, r.Gaps)
	}
	if got, want := r.Times[0].Sum, "work 20ms + the longest of (stock 200ms, prices 100ms) + payments 3 × (800ms + backoff 150ms, 200ms) + api 50ms"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := short(r.Times[0].Worst), "3.02s"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if r, _ := Check(t.Context(), nil, CheckOptions{}); r.Verdict() != verdict.Unknown {
		t.Errorf("nothing at all is %s", r.Verdict())
	}
}

// A breach is one change of shop, the rule or gap that finds it, and what its text has.
type breach struct{ from, to, want, text string }

func breaches() []breach {
	return []breach{
		{"deadline: 4s", "deadline: 2s", "deadline-exceeded", "promises 2s, and takes up to work 20ms + the longest of (stock 200ms, prices 100ms) + payments 3 × (800ms + backoff 150ms, 200ms) + api 50ms = 3.02s"},
		{"    deadline: 4s\n", "", "gap deadline", "3.02s"},
		{"timeout: 200ms", "timeout: 150ms", "timeout-too-short", "waits 150ms for stock GET /stock, which promises to answer within 200ms"},
		{"GET /stock: {deadline: 200ms}", "GET /stock: {safe: true}", "gap calls.stock GET /stock.timeout", "declares no deadline"},
		{"GET /stock: {deadline: 200ms}", "GET /stock: {work: 300ms}", "timeout-too-short", "takes up to 300ms"},
		{"timeout: 100ms, degrades: true", "timeout: 100ms", "timeout-too-short", "300ms"},
		{"stock GET /stock, timeout: 200ms", "stock GET /stock", "no-timeout", "api POST /checkout → stock GET /stock"},
		{"attempts: 3, backoff: {initial: 100ms}, retry-after: true", "backoff: {initial: 100ms}, retry-after: true", "no-attempts", "without limit: api POST /checkout → payments POST /charges"},
		{"        key: forward\n", "", "retry-unsafe", "makes up to 3 attempts of payments POST /charges, which is not idempotent, and honours header Idempotency-Key, which is not sent"},
		{"    key: {header: Idempotency-Key, retention: 1h}\n", "", "retry-unsafe", "honours no key"},
		{"payments POST /charges\n", "pay pay.v1.Pay/Charge\n", "gap calls", "nothing is declared"},
		{"retention: 1h", "retention: 5s", "key-retention-short", "for up to 7.17s"},
		{"    retry: {on: [503], attempts: 2, backoff: {initial: 1s}}\n", "", "gap calls.payments POST /charges.key", "nothing says for how long"},
		{"retention: 1h}", "retention: 1h, required: true}", "", ""},
		{"        key: forward\n        retry: {on: [503, timeout], attempts: 3, backoff: {initial: 100ms}, retry-after: true}\n#required", "", "key-missing", "sends no key"},
		{"on: [503, timeout]", "on: [502, timeout]", "code-not-retryable", "again on 502"},
		{"on: [503, timeout], ", "", "gap calls.payments POST /charges.retry.on", "does not say what"},
		{"on: [503, 429], ", "", "gap calls.payments POST /charges.retry.on", "does not say what may be retried"},
		{"attempts: 3, backoff: {initial: 100ms}}", "attempts: 2, backoff: {initial: 100ms}}", "attempts-exceeded", "makes 3 attempts of payments POST /charges, which allows 2"},
		{"attempts: 3, backoff: {initial: 100ms}}", "attempts: 3, backoff: {initial: 300ms}}", "backoff-too-short", "attempt 2 of payments POST /charges after 100ms, which asks for 300ms"},
		{"retry-after: true", "retry-after: false", "retry-after-ignored", "up to 150ms"},
		{", retry-after: true", "", "gap calls.payments POST /charges.retry.retry-after", "does not say"},
		{"limit: 60/s", "limit: 50/s", "limit-exceeded", "takes 50/s, and its callers come to 60/s: api POST /checkout 20/s × 3"},
		{"    limit: 20/s\n", "", "gap limit", "not declared"},
		{"GET /stock: {deadline: 200ms}", "GET /stock: {deadline: 200ms, calls: [{call: api POST /checkout, timeout: 10ms, degrades: true}]}", "call-cycle", "api POST /checkout → stock GET /stock → api POST /checkout"},
		{"redeliveries: 5", "redeliveries: 10", "amplification", "up to 11 times for one call of api POST /checkout (1 × 11), and 10 is the limit"},
		{"dedup: 10m", "dedup: 1m", "dedup-too-short", "5 × 30s = 2m30s"},
		{", dedup: 10m", "", "redelivery-unsafe", "remembers none"},
		{"    idempotent: false\n    delivery: {guarantee: at-least-once, order-by: order_id, dedup: 10m}", "    work: 1s", "gap idempotent", "neither"},
		{", redeliveries: 5, redeliver-after: 30s", "", "gap delivery.dedup", "nothing says"},
		{"deadline: 10s", "deadline: 40s", "redelivered-while-handled", "takes up to 40s (deadline), and api send orders.paid delivers again after 30s"},
		{"    deadline: 10s\n", "", "gap deadline", "does not say how long"},
		{"at-least-once, order-by: order_id, dedup", "exactly-once, order-by: order_id, dedup", "delivery-too-weak", "needs exactly-once"},
		{"order-by: order_id, redeliveries", "order-by: customer, redeliveries", "order-missing", "by order_id, and api send orders.paid keeps order by customer"},
		{"    delivery: {guarantee: at-least-once, order-by: order_id, redeliveries: 5, redeliver-after: 30s}\n", "    work: 1ms\n", "gap delivery", "does not say how it delivers"},
		{"receive orders.paid", "receive orders.sent", "gap ", "nothing declared sends orders.sent"},
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := shop
	for _, b := range breaches() {
		t.Run(b.want+" "+b.to, func(t *testing.T) {
			t.Parallel()
			text := good
			if from, ok := strings.CutSuffix(b.from, "#required"); ok {
				text = strings.Replace(text, "retention: 1h}", "retention: 1h, required: true}", 1)
				b.from = from
			}
			if !strings.Contains(text, b.from) {
				t.Fatalf("shop has no %q", b.from)
			}
			r := checked(t, strings.Replace(text, b.from, b.to, 1), CheckOptions{})
			holds(t, r, b)
		})
	}
}

// holds looks for what a breach wants among findings and gaps.
func holds(t *testing.T, r Result, b breach) {
	t.Helper()
	if b.want == "" {
		if r.Verdict() != verdict.Pass {
			t.Errorf("%+v %+v", r.Findings, r.Gaps)
		}
		return
	}
	path, gap := strings.CutPrefix(b.want, "gap ")
	found := false
	for _, f := range r.Findings {
		if f.Rule == b.want && strings.Contains(f.Text, b.text) {
			found = true
		}
		if f.Witness == nil && f.Rule != "call-cycle" && f.Rule != "amplification" && f.Rule != "no-attempts" || f.New.Line == 0 || len(f.Modes) == 0 || f.Try == "" {
			t.Errorf("incomplete: %+v", f)
		}
	}
	for _, g := range r.Gaps {
		found = found || gap && strings.HasPrefix(g.Path, path) && strings.Contains(g.Why, b.text) && g.At.Line > 0
	}
	if !found {
		t.Errorf("%s with %q not among\n%+v\n%+v", b.want, b.text, r.Findings, r.Gaps)
	}
	if want := map[bool]verdict.Verdict{true: verdict.Unknown, false: verdict.Fail}[gap]; r.Verdict() != want {
		t.Errorf("%s, want %s: %+v %+v", r.Verdict(), want, r.Findings, r.Gaps)
	}
}

// The paths are reported whether or not they are too long, and the limit is the caller's to set.
func TestAmplification(t *testing.T) {
	t.Parallel()
	r := checked(t, shop, CheckOptions{Amplification: 5})
	if len(r.Findings) != 1 || r.Findings[0].Rule != "amplification" || r.Findings[0].Subject != "shipping receive orders.paid" {
		t.Errorf("%+v", r.Findings)
	}
	if len(r.Paths) != 5 || r.Paths[3].Calls != 6 || r.Paths[3].Product != "1 × 6" {
		t.Errorf("%+v", r.Paths)
	}
}

// A chain of thousands, with and without a way back to its begin, costs neither memory nor time.
func TestLargeSystems(t *testing.T) {
	t.Parallel()
	for _, back := range []bool{false, true} {
		const n = 5000
		var all []Terms
		for i := range n {
			o := Operation{Name: "POST /x", Stages: [][]Call{{{Service: fmt.Sprint("s", i+1), Operation: "POST /x", Timeout: 1}}}}
			if i == n-1 {
				o.Stages = nil
			}
			if back && i > 0 {
				o.Stages = append(o.Stages, []Call{{Service: "s0", Operation: "POST /x", Timeout: 1}})
			}
			all = append(all, Terms{Service: fmt.Sprint("s", i), Operations: []Operation{o}})
		}
		r, err := Check(t.Context(), all, CheckOptions{})
		if err != nil || back != (r.Verdict() == verdict.Fail) || r.Verdict() == verdict.Pass {
			t.Errorf("%v, %v", r.Verdict(), err)
		}
	}
}

// The same terms give the same answer, byte for byte, however often they are asked.
func TestDeterministic(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("deadline: 4s", "deadline: 1s", "retry-after: true", "retry-after: false", "dedup: 10m", "dedup: 1m", "order_id, redeliveries", "x, redeliveries").Replace(shop)
	first := fmt.Sprintf("%+v", values(checked(t, text, CheckOptions{})))
	for range 20 {
		if got := fmt.Sprintf("%+v", values(checked(t, text, CheckOptions{}))); got != first {
			t.Fatalf("got %s, want %s", got, first)
		}
	}
}

func values(r Result) []any {
	var all []any
	for _, f := range r.Findings {
		if f.Witness != nil {
			all = append(all, *f.Witness)
		}
		f.Witness = nil
		all = append(all, f)
	}
	return append(all, r.Gaps, r.Proofs, r.Times, r.Paths)
}
