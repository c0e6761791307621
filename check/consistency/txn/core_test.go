package txn

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// Of what has no order a few transactions are named that have none, and whoever checks that tries their orders; a claim that there
// is none is refused where there is one.
func TestNoOrderIsCertified(t *testing.T) {
	t.Parallel()
	without, with, smaller := 0, 0, 0
	for seed := range rounds(600) {
		rng := rand.New(rand.NewPCG(uint64(seed), 12))
		typ := DataType(seed % 2)
		txns := randomSmall(rng, typ)
		h := build(t, typ, txns)
		if unfit(h) != "" || len(txns) > 4 {
			continue
		}
		for kind, has := range map[string]bool{"no-serial-order": serializable(typ, txns, byData), "no-serial-order-realtime": serializable(typ, txns, byTime),
			"no-snapshot-order": snapshots(typ, txns)} {
			l := byData
			if strings.HasSuffix(kind, "-realtime") {
				l = byTime
			}
			c := &checking{ctx: t.Context(), h: h, most: orderSteps}
			if typ == Register {
				c.live = newRegisters(h, l).live
			} else {
				c.live = newLists(h).live
			}
			certifier := &certifier{h: h}
			a := Anomaly{Name: kind}
			r := newReporter(h)
			for i := range h.Len() {
				certifier.mops = append(certifier.mops, h.Mops(i))
				if c.live[i] {
					a.Txns = append(a.Txns, i)
				}
			}
			if typ == Register {
				newRegisters(h, l).direct(r)
			} else {
				newLists(h).direct(r)
			}
			if len(r.found) > 0 {
				continue // what single reads show; no order is looked for
			}
			split := kind == "no-snapshot-order"
			if !has {
				if _, end := c.search(h.graph(l), split); end != none {
					t.Fatalf("seed %d: got %s of what has no order: %v\n%s", seed, kind, end, show(txns))
				}
				a.Txns = c.core(l, split)
				without++
				if len(a.Txns) < len(txns) {
					smaller++
				}
			} else {
				with++
			}
			if err := certifier.noOrder(a); (err != nil) != has || errors.Is(err, ErrNotChecked) {
				t.Fatalf("seed %d: %s of %v: got %v, and there is an order: %v\n%s", seed, kind, a.Txns, err, has, show(txns))
			}
		}
	}
	if without == 0 || with == 0 || smaller == 0 {
		t.Errorf("got %d without an order, %d smaller, and %d with one", without, smaller, with)
	}
	t.Log(without, "without,", smaller, "smaller,", with, "with")
}

// Certify says yes only to what it checked, and no to what is wrong.
func TestCertifyRefuses(t *testing.T) {
	t.Parallel()
	stale := "0@1-2:wx1 1@3-4:wx2 2@5-6:rx1"
	for _, c := range []struct {
		name    string
		typ     DataType
		history string
		model   Model
		change  func(res *Result)
		checked bool // or else it is not even wrong
	}{
		{"nothing that is forbidden", ListAppend, "0:rxay1 1:ryax1", ReadCommitted, func(*Result) {}, false},
		{"undecided", ListAppend, "0:ax1 1:ax2", Serializable, func(*Result) {}, false},
		{"an order that is none", Register, "0:wx1 1:rx1", Serializable, func(r *Result) { slices.Reverse(r.Order) }, true},
		{"an order without one", Register, "0:wx1 1:rx1", Serializable, func(r *Result) { r.Order = r.Order[:1] }, true},
		{"a pass without an order", Register, "0:wx1 1:rx1", Serializable, func(r *Result) { r.Order = nil }, true},
		{"a fail without an anomaly", Register, "0:wx1 1:rx", StrictSerializable, func(r *Result) { r.Verdict = verdict.Fail }, true},
		{"a fail by what the model allows", Register, stale, StrictSerializable, func(r *Result) { r.Anomalies[0].Name = "G2" }, true},
		{"a version that was seen", Register, "0:wx1wy1 1:rx1ry", Serializable, func(r *Result) {
			for i := range r.Anomalies[0].Cycle {
				if st := &r.Anomalies[0].Cycle[i]; st.Kind == "rw" {
					st.Key, st.Value = history.Int('x'-'a'), history.Int(1)
				}
			}
		}, true},
		{"versions in no order", Register, "0:wx1 1:wx2 2:rx1 3:rx2", Serializable, func(r *Result) {
			x := history.Int('x' - 'a')
			*r = Result{Verdict: verdict.Fail, Anomalies: []Anomaly{{Name: "G0", Txns: []int{0, 1}, Cycle: []Step{
				{From: 0, To: 1, Kind: "ww", Key: x, Value: history.Int(2)}, {From: 1, To: 0, Kind: "ww", Key: x, Value: history.Int(1)}}}}}
		}, true},
		{"no order of what has one", Register, "0:wx1 1:rx1", Serializable, func(r *Result) {
			*r = Result{Verdict: verdict.Fail, Anomalies: []Anomaly{{Name: "no-serial-order", Txns: []int{0, 1}}}}
		}, true},
		{"no snapshots of what has some", Register, "0:rxwy1 1:rywx1", SnapshotIsolation, func(r *Result) {
			*r = Result{Verdict: verdict.Fail, Anomalies: []Anomaly{{Name: "no-snapshot-order", Txns: []int{0, 1}}}}
		}, true},
		{"too many orders", Register, "0:wx1 1:wx2 2:wx3 3:wx4 4:wx5 5:wx6 6:wx7 7:wx8 8:wx9 9:rx0", Serializable, func(r *Result) {
			*r = Result{Verdict: verdict.Fail, Anomalies: []Anomaly{{Name: "no-serial-order", Txns: []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}}}
		}, false},
	} {
		h := build(t, c.typ, parse(t, c.history))
		res := Check(t.Context(), h, c.model)
		c.change(&res)
		if err := Certify(h, c.model, res); err == nil || errors.Is(err, ErrNotChecked) == c.checked {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}

// What was not tried to the end is not left out.
func TestCoreWithinSteps(t *testing.T) {
	t.Parallel()
	h := build(t, Register, parse(t, "0:wz1 1:rxwy1 2:rywx1"))
	for _, c := range []struct {
		most int
		want []int
	}{{orderSteps, []int{1, 2}}, {1, []int{0, 1, 2}}} {
		checking := &checking{ctx: t.Context(), h: h, live: []bool{true, true, true}, most: c.most}
		if got := checking.core(byData, false); !slices.Equal(got, c.want) {
			t.Errorf("with %d steps: got %v, want %v", c.most, got, c.want)
		}
	}
}
