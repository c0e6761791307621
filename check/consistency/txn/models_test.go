package txn

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/verdict"
)

// Each anomaly planted in lists and in registers: what is found, the weakest models that it rules out, and the strongest that may
// hold all the same. A case without a history does not exist for that type: lists show more.
func TestAnomaliesRuleOutModels(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, lists, registers string
		also                   [2]string // found with it, of lists and of registers
		not, may               string
	}{
		{"G0", "0:ax1ay2 1:ax2ay1 2:rx12 3:ry12", "0:ry1wx1wy2 1:rx1wx2wy1", [2]string{"", "G1c"}, "read-uncommitted", ""},
		{"G0-process", "0@1-2:ay2 0@3-4:ax1 1@1-9:ax2ay1 2@1-9:rx12 3@1-9:ry12", "0@1-2:rz2wz3 0@3-4:wx1 1@1-9:rx1wx2wz2",
			[2]string{"", "G1c-process"}, "strong-session-read-uncommitted", "serializable"},
		{"G0-realtime", "0@1-2:ay2 1@1-9:ax2ay1 2@1-9:rx12 3@1-9:ry12 4@3-4:ax1", "0@1-2:rz2wz3 3@3-4:wx1 1@1-9:rx1wx2wz2",
			[2]string{"", "G1c-realtime"}, "strong-read-uncommitted", "strong-session-serializable"},
		{"G1a", "0:ax1! 1:rx1", "0:wx1! 1:rx1", [2]string{}, "read-committed", "strong-read-uncommitted"},
		{"G1b", "0:ax1ax2 1:rx1", "0:wx1wx2 1:rx1", [2]string{"G-single", ""}, "read-committed", "strong-read-uncommitted"},
		{"G1c", "0:ax1ry1 1:ay1rx1", "0:wx1ry1 1:wy1rx1", [2]string{}, "read-committed", "strong-read-uncommitted"},
		{"G1c-process", "0@1-2:rx1 0@3-4:ay1 1@1-4:ry1ax1", "0@1-2:rx1 0@3-4:wy1 1@1-4:ry1wx1", [2]string{},
			"strong-session-read-committed", "serializable strong-read-uncommitted"},
		{"G1c-realtime", "0@1-2:rx1 1@1-4:ry1ax1 2@3-4:ay1", "0@1-2:rx1 1@1-4:ry1wx1 2@3-4:wy1", [2]string{},
			"strong-read-committed", "strong-session-serializable strong-read-uncommitted"},
		{"G-single", "0:ax1ay1 1:rx1ry", "0:wx1wy1 1:rx1ry", [2]string{},
			"repeatable-read consistent-view", "cursor-stability read-atomic strong-read-committed"},
		{"G-single-process", "0@1-2:ax1 0@3-4:rx", "0@1-2:wx1 0@3-4:rx", [2]string{},
			"strong-session-consistent-view", "serializable strong-read-committed"},
		{"G-single-realtime", "0@1-2:ax1 1@3-4:rx", "0@1-2:wx1 1@3-4:rx", [2]string{},
			"strong-consistent-view", "strong-session-serializable strong-read-committed"},
		{"G-nonadjacent", "0:ax1 1:ay1 2:rx1ry 3:rxry1", "0:wx1 1:wy1 2:rx1ry 3:rxry1", [2]string{},
			"repeatable-read snapshot-isolation", "read-atomic strong-consistent-view"},
		{"G-nonadjacent-process", "0@1-9:ax1 1@1-2:ay1 1@3-9:rx 2@1-9:rx1ry", "0@1-9:wx1 1@1-2:wy1 1@3-9:rx 2@1-9:rx1ry", [2]string{},
			"strong-session-snapshot-isolation", "serializable strong-consistent-view"},
		{"G-nonadjacent-realtime", "0@1-9:ax1 1@1-2:ay1 2@1-9:rx1ry 3@3-9:rx", "0@1-9:wx1 1@1-2:wy1 2@1-9:rx1ry 3@3-9:rx", [2]string{},
			"strong-snapshot-isolation", "strong-session-serializable strong-consistent-view"},
		{"G2-item", "0:rxay1 1:ryax1", "0:rxwy1 1:rywx1", [2]string{}, "repeatable-read", "strong-snapshot-isolation"},
		{"G2-item-process", "1@1-2:ay1 1@3-4:rx 2@1-4:ax1ry", "1@1-2:wy1 1@3-4:rx 2@1-4:wx1ry", [2]string{},
			"strong-session-serializable", "serializable strong-snapshot-isolation"},
		{"G2-item-realtime", "1@1-2:ay1 3@3-4:rx 2@1-4:ax1ry", "1@1-2:wy1 3@3-4:rx 2@1-4:wx1ry", [2]string{},
			"strict-serializable", "strong-session-serializable strong-snapshot-isolation"},
		{"internal", "0:ax1rx", "0:wx1rx", [2]string{}, "read-atomic", "repeatable-read strong-consistent-view"},
		{"future-read", "0:rx1ax1", "0:rx1wx1", [2]string{}, "read-committed", "strong-read-uncommitted"},
		{"dirty-update", "0:ax1! 1:ax2 2:rx12", "", [2]string{"G1a"}, "read-committed", "strong-read-uncommitted"},
		{"lost-update", "0:rxax1 1:rxax2", "0:rxwx1 1:rxwx2", [2]string{"G2-item", "G2-item"},
			"cursor-stability", "read-atomic strong-read-committed"},
		{"duplicate-elements", "0:ax1 1:rx11", "", [2]string{}, "read-uncommitted", ""},
		{"incompatible-order", "0:ax1 1:ax2 2:rx12 3:rx21", "", [2]string{}, "read-committed", "strong-read-uncommitted"},
		{"torn-appends", "0:ax1ax2ax3 1:rx213", "", [2]string{}, "read-committed", "strong-read-uncommitted"},
		{"cyclic-versions", "", "0:rx3wx1 1:rx1wx2 2:rx2wx3", [2]string{"", "G0 G1c"}, "read-uncommitted", ""},
		{"garbage-read", "0:rx7", "0:rx7", [2]string{}, "read-uncommitted", ""},
	}
	planted := map[string]bool{}
	for _, c := range cases {
		planted[c.name] = true
		for typ, text := range []string{c.lists, c.registers} {
			if text == "" {
				continue
			}
			t.Run(fmt.Sprintf("%s/%v", c.name, DataType(typ)), func(t *testing.T) {
				t.Parallel()
				h := build(t, DataType(typ), parse(t, text))
				res := Check(t.Context(), h, StrictSerializable)
				want := append(strings.Fields(c.also[typ]), c.name)
				slices.Sort(want)
				if got := slices.Sorted(maps.Keys(res.Count)); !slices.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
				if not, may := joined(res.Not), joined(res.May); not != c.not || may != c.may {
					t.Errorf("got not %q, may %q; want not %q, may %q", not, may, c.not, c.may)
				}
				for _, m := range Models() { // ruled out are those, and all that imply one of them
					out := slices.ContainsFunc(weaker()[m], func(w Model) bool { return slices.Contains(res.Not, w) })
					if got := res.rulesOut(m); got != out {
						t.Errorf("got that %s is ruled out %v, want %v", m, got, out)
					}
					if res := Check(t.Context(), h, m); (res.Verdict == verdict.Fail) != out {
						t.Errorf("%s by itself: got %v (%s), want that it fails %v", m, res.Verdict, res.Reason, out)
					}
				}
				if err := Certify(h, StrictSerializable, res); err != nil {
					t.Error(err)
				}
			})
		}
	}
	for _, row := range modelTable() {
		for _, name := range strings.Fields(row.forbids) {
			if !planted[name] && !strings.HasPrefix(name, "no-") {
				t.Errorf("%s is planted nowhere", name)
			}
		}
	}
}

func joined(models []Model) string {
	var names []string
	for _, m := range models {
		names = append(names, string(m))
	}
	return strings.Join(names, " ")
}

// That y2 is later than y1 follows only from that x2 is later than x1, which itself is inferred: two rounds find what one does not.
func TestFixedPoint(t *testing.T) {
	t.Parallel()
	h := build(t, Register, parse(t, "0:wx1wy1wa1wz1 1:ra1rx2 2:wx2wb1 3:rb1ry2 4:rzwy2"))
	g := newRegisters(h, byData)
	steps := saturateSteps
	for round := range 4 {
		m := byData.upTo(onSingle) &^ anyRW
		cyclic := len(g.graph(byData).components(byData.upTo(onSingle)).big) > 0
		if cyclic != (round >= 2) {
			t.Errorf("after %d rounds: got a cycle %v", round, cyclic)
		}
		if more := g.inferFrom(g.graph(byData), m, 3*int32(onSingle), &steps, func() bool { return false }); more != (round < 2) {
			t.Errorf("round %d: got that there is more %v", round, more)
		}
	}
	res := Check(t.Context(), h, Serializable)
	if res.Count["G-single"] == 0 || Certify(h, Serializable, res) != nil {
		t.Errorf("got %v: %s, %v", res.Verdict, res.Reason, Certify(h, Serializable, res))
	}
}

// Each of two transactions must write the next version of a key of its own: then the versions make a cycle, which nobody sees.
func TestUnseenCycleIsNotCursorStable(t *testing.T) {
	t.Parallel()
	h := build(t, ListAppend, parse(t, "0:ryay1ax3 1:ay2rxax4"))
	if res := Check(t.Context(), h, CursorStability); res.Verdict == verdict.Pass {
		t.Errorf("got pass: %s", res.Reason)
	}
}
