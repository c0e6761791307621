package contracts

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/contract"
	"github.com/assay-dev/assay/internal/spec"
	"github.com/assay-dev/assay/verdict"
)

// What calls come to is computed over all contracts of a project: its parts stand in an OpenAPI, an AsyncAPI, a file of terms and one beside .proto files.
const (
	ordersAPI = `openapi: 3.0.3
info: {title: orders, version: "1"}
x-assay: {service: orders}
paths:
  /orders:
    post:
      x-assay:
        deadline: 2s
        calls:
          - {call: payments shop.Payments/Charge, timeout: 500ms, retry: {on: [UNAVAILABLE], attempts: 3, backoff: {initial: 100ms}}}
      responses: {"201": {description: ok}}
`
	paymentsTerms = `service: payments
operations:
  shop.Payments/Charge:
    deadline: 500ms
    idempotent: true
    retry: {on: [UNAVAILABLE], attempts: 3, backoff: {initial: 100ms}}
    calls:
      - {call: bank POST /debits, timeout: 400ms}
`
	bankTerms = `service: bank
operations:
  POST /debits: {deadline: 400ms, idempotent: true}
`
	eventsAPI = `asyncapi: 3.0.0
info: {title: events, version: "1"}
x-assay: {service: orders}
channels: {paid: {address: orders.paid, messages: {}}}
operations:
  sendPaid:
    action: send
    channel: {$ref: '#/channels/paid'}
    x-assay: {delivery: {guarantee: at-least-once, redeliveries: 5, redeliver-after: 1m}}
`
	shipTerms = `service: shipping
operations:
  receive orders.paid: {work: 1s, idempotent: false, delivery: {guarantee: at-least-once, dedup: 1h}}
`
	paymentsProto = `syntax = "proto3";
package shop;
message Q {}
service Payments { rpc Charge(Q) returns (Q); }
`
)

func together() map[string]string {
	return map[string]string{"assay.yaml": "system: t", "api/orders.yaml": ordersAPI, "pb/pay.proto": paymentsProto, "pb/terms.yaml": paymentsTerms,
		"bank.yaml": bankTerms, "events.yaml": eventsAPI, "ship.yaml": shipTerms}
}

// checked compares the files of a project that are here with those of main.
func checkProject(t *testing.T, edits ...string) Report {
	t.Helper()
	for i := 0; i < len(edits); i += 3 {
		edit(t, edits[i], edits[i+1], edits[i+2])
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	project := &spec.Project{File: "assay.yaml", Dir: dir, Name: "t", Contracts: []spec.Contract{{Name: "orders", Path: "api/orders.yaml"}, {Name: "payments", Path: "pb", Kind: "proto"},
		{Name: "bank", Path: "bank.yaml"}, {Name: "events", Path: "events.yaml"}, {Name: "shipping", Path: "ship.yaml"}}}
	r, err := Check(t.Context(), project, CheckOptions{Against: "main", Now: time.Now(), Seed: 1, Documents: 20})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestCallsAcrossContracts(t *testing.T) {
	for _, c := range []struct {
		name     string
		edits    []string // file, old, new
		verdict  verdict.Verdict
		contract string // that the finding or gap belongs to
		rule     string // "" for a gap
		text     string
		ends     []string
	}{
		{"all fits", nil, verdict.Pass, "", "", "", nil},
		{"a callee takes longer, and its caller does not wait so long", []string{"pb/terms.yaml", "deadline: 500ms", "deadline: 600ms"}, verdict.Fail,
			"orders", "timeout-too-short", "waits 500ms for payments shop.Payments/Charge, which promises to answer within 600ms", []string{"pb/terms.yaml:4:5"}},
		{"a callee's callee takes longer", []string{"bank.yaml", "deadline: 400ms", "deadline: 700ms"}, verdict.Fail,
			"payments", "timeout-too-short", "waits 400ms for bank POST /debits, which promises to answer within 700ms", []string{"bank.yaml:3:18"}},
		{"retries do not fit into the deadline", []string{"api/orders.yaml", "attempts: 3", "attempts: 5"}, verdict.Fail,
			"orders", "deadline-exceeded", "payments 5 × (500ms + backoff 100ms, 200ms, 400ms, 800ms) = 4s", []string{"api/orders.yaml:10:13"}},
		{"a callee is no longer idempotent", []string{"pb/terms.yaml", "idempotent: true", "idempotent: false"}, verdict.Fail,
			"orders", "retry-unsafe", "makes up to 3 attempts of payments shop.Payments/Charge, which is not idempotent", []string{"pb/terms.yaml:5:5"}},
		{"attempts multiply along a path", []string{"pb/terms.yaml", "timeout: 400ms}", "timeout: 20ms, retry: {on: [timeout], attempts: 4, backoff: {initial: 1ms}}}", "bank.yaml", "400ms", "20ms"}, verdict.Fail,
			"bank", "amplification", "up to 12 times for one call of orders POST /orders (3 × 4)", []string{"api/orders.yaml:10:13", "pb/terms.yaml:8:9"}},
		{"a receiver forgets before the sender is done", []string{"ship.yaml", "dedup: 1h", "dedup: 2m"}, verdict.Fail,
			"shipping", "dedup-too-short", "remembers events for 2m, and orders send orders.paid delivers them again for up to 5 × 1m = 5m", []string{"events.yaml:9:52"}},
		{"a callee is declared nowhere", []string{"api/orders.yaml", "payments shop", "wallet shop"}, verdict.Unknown,
			"orders", "", "nothing is declared of wallet shop.Payments/Charge", nil},
		{"terms twice", []string{"bank.yaml", "operations:\n", "operations:\n  shop.Payments/Charge: {}\n", "bank.yaml", "service: bank", "service: payments"}, verdict.Fail,
			"bank", "", "it has terms twice, here and at pb/terms.yaml:3:3", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			inRepo(t, together())
			r := checkProject(t, c.edits...)
			if r.Verdict != c.verdict {
				t.Errorf("got %s (%s), want %s", r.Verdict, r.Reason, c.verdict)
			}
			if c.verdict == verdict.Pass {
				for _, one := range r.Results {
					if len(one.Gaps) > 0 {
						t.Errorf("%s: %+v", one.Contract, one.Gaps)
					}
				}
				return
			}
			if !says(r, c.contract, c.rule, c.text, c.ends) {
				for _, one := range r.Results {
					t.Logf("%s: %s %+v %+v", one.Contract, one.Reason, one.Findings, one.Gaps)
				}
				t.Errorf("%s has no %s that says %q with %v", c.contract, c.rule, c.text, c.ends)
			}
		})
	}
}

// says looks for a finding, or without a rule for a gap.
func says(r Report, name, rule, text string, ends []string) bool {
	for _, one := range r.Results {
		if one.Contract != name {
			continue
		}
		gap := func(g contract.Gap) bool { return rule == "" && strings.Contains(g.Why, text) && g.At.Line > 0 }
		finding := func(f Found) bool {
			var at []string
			for _, e := range f.Ends {
				at = append(at, e.At.String())
			}
			return f.Rule == rule && strings.Contains(f.Text, text) && f.New.Line > 0 && f.Contract == name && f.ID != "" && slices.Equal(at, ends)
		}
		return slices.ContainsFunc(one.Gaps, gap) || slices.ContainsFunc(one.Findings, finding)
	}
	return false
}

// Terms in a file that a description refers to are not read, and that is said.
func TestTermsElsewhere(t *testing.T) {
	inRepo(t, map[string]string{"a.yaml": "openapi: 3.0.3\ninfo: {title: t, version: '1'}\npaths:\n  /a: {$ref: a/path.yaml}\n", "a/path.yaml": "get:\n  x-assay: {deadline: 1s}\n  responses: {'200': {description: ok}}\n"})
	r, err := Diff(t.Context(), "main:a.yaml", "a.yaml", Choice{Seed: 1})
	if err != nil || r.Verdict != verdict.Unknown || r.Results[0].Gaps[0].At.String() != "a/path.yaml:2" {
		t.Errorf("got %s (%s), %v: %+v", r.Verdict, r.Reason, err, r.Results)
	}
}

// Terms that stand where nobody reads them are a mistake, and not passed over.
func TestStrayedTerms(t *testing.T) {
	inRepo(t, together())
	r := checkProject(t, "api/orders.yaml", "    post:\n", "    x-assay: {deadline: 1s}\n    post:\n")
	if r.Results[0].Verdict != verdict.Unknown || !strings.Contains(r.Results[0].Gaps[0].Why, "api/orders.yaml:6:5: x-assay is not read here") {
		t.Errorf("got %s: %+v", r.Results[0].Verdict, r.Results[0].Gaps)
	}
}
