package txn

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

var (
	txnForm = regexp.MustCompile(`^(\d+)(?:@(\d+)-(\d+))?:((?:[awr][a-z]\d*)+)([?!]?)$`)
	mopForm = regexp.MustCompile(`[awr][a-z]\d*`)
)

// parse reads transactions as PROCESS@CALL-RETURN:OPS, where ax1 appends 1 to x, rx12 reads 1 and 2 from x, wx1 writes. Without times
// all are concurrent. A ? makes the outcome unknown, a ! makes it failed.
func parse(t testing.TB, text string) []small {
	t.Helper()
	var txns []small
	for _, token := range strings.Fields(text) {
		part := txnForm.FindStringSubmatch(token)
		if part == nil {
			t.Fatalf("%q is no transaction", token)
		}
		x := small{ret: 100, outcome: map[string]history.Outcome{"": history.OK, "?": history.Maybe, "!": history.Failed}[part[5]]}
		fmt.Sscan(part[1], &x.process)
		if part[2] != "" {
			fmt.Sscan(part[2], &x.call)
			fmt.Sscan(part[3], &x.ret)
		}
		for _, op := range mopForm.FindAllString(part[4], -1) {
			m := smallOp{write: op[0] != 'r', key: int64(op[1] - 'a')}
			for _, digit := range op[2:] {
				m.value = int64(digit - '0')
				m.list = append(m.list, m.value)
			}
			x.mops = append(x.mops, m)
		}
		txns = append(txns, x)
	}
	slices.SortStableFunc(txns, func(a, b small) int { return cmp.Compare(a.call, b.call) })
	return txns
}

// Each kind of anomaly, planted, and a history near it that has none.
func TestAnomalies(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, history, want string }{
		{"none", "0:ax1 1:rx1", ""},
		{"G0", "0:ax1ay2 1:ax2ay1 2:rx12 3:ry12", "G0"},
		{"G0 across processes", "0@1-2:ay1 0@3-4:ax1 1@1-9:ax2ay2 2@1-9:rx12 3@1-9:ry12", ""},
		{"G0 by process", "0@1-2:ay2 0@3-4:ax1 1@1-9:ax2ay1 2@1-9:rx12 3@1-9:ry12", "G0-process"},
		{"G0 by time", "0@1-2:ay2 1@1-9:ax2ay1 2@1-9:rx12 3@1-9:ry12 4@3-4:ax1", "G0-realtime"},
		{"G1a", "0:ax1! 1:rx1", "G1a"},
		{"a failed append that nobody sees", "0:ax1! 1:rx", ""},
		{"G1b", "0:ax1ax2 1:rx1 2:rx12", "G-single G1b"},
		{"G1c", "0:ax1ry1 1:ay1rx1", "G1c"},
		{"G1c by process", "0@1-2:rx1 0@3-4:ay1 1@1-4:ry1ax1", "G1c-process"},
		{"G1c by time", "0@1-2:rx1 1@1-4:ry1ax1 2@3-4:ay1", "G1c-realtime"},
		{"G-single", "0:ax1ay1 1:rx1ry", "G-single"},
		{"G-single by process", "0@1-2:ax1 0@3-4:rx", "G-single-process"},
		{"G-single by time", "0@1-2:ax1 1@3-4:rx", "G-single-realtime"},
		{"a stale read that overlaps", "0@1-3:ax1 1@3-4:rx", ""},
		{"long fork", "0:ax1 1:ay1 2:rx1ry 3:rxry1", "G-nonadjacent"},
		{"long fork by process", "0@1-9:ax1 1@1-2:ay1 1@3-9:rx 2@1-9:rx1ry", "G-nonadjacent-process"},
		{"long fork by time", "0@1-9:ax1 1@1-2:ay1 2@1-9:rx1ry 3@3-9:rx", "G-nonadjacent-realtime"},
		{"long fork behind shorter cycles", "0:ax1rv 1:ay1rp 2:rx1ryrq1 3:rxry1ru1 4:av1au1 5:ap1aq1", "G-nonadjacent G2-item"},
		{"write skew", "0:rxay1 1:ryax1", "G2-item"},
		{"write skew by process", "1@1-2:ay1 1@3-4:rx 2@1-4:ax1ry", "G2-item-process"},
		{"write skew by time", "1@1-2:ay1 3@3-4:rx 2@1-4:ax1ry", "G2-item-realtime"},
		{"internal", "0:ax1 1:rx1rx", "G-single internal"},
		{"internal append", "0:ax1rx", "internal"},
		{"future read", "0:rx1ax1", "future-read"},
		{"lost update", "0:rxax1 1:rxax2 2:rx1", "G-single G2-item lost-update"},
		{"lost update that nobody reads", "0:rxax1 1:rxax2", "G2-item lost-update"},
		{"duplicate", "0:ax1 1:rx11", "duplicate-elements"},
		{"incompatible order", "0:ax1 1:ax2 2:rx12 3:rx21", "incompatible-order"},
		{"dirty update", "0:ax1! 1:ax2 2:rx12", "G1a dirty-update"},
		{"garbage", "0:rx7", "garbage-read"},
		{"an append of unknown outcome that was seen", "0:ax1ay1? 1:rx1ry", "G-single"},
		{"an append of unknown outcome that was not", "0:ax1ay1? 1:rxry", ""},
		{"stale by a process that runs several at once", "1@4-6:ax2 1@5-6:ry 1@7-8:rx", "G-single-process"},
		{"by the first of two unknown outcomes of a process", "1@1-2:rx1 1@3-4:ay1? 1@5-6:az1? 2@1-9:ry1ax1", "G1c-process"},
		{"a long tail", "0:ax1 0:ax2 0:ax3 0:ax4 0:ax5 0:ax6 1:rx", ""},
		{"a long tail with a cycle", "0:ax1 1:ax2 2:ax3ay2 3:ax4 4:ax5 5:ax6 6:rxry2", "G-single"},
		{"a reader within a long tail", "0:ax1 1:ax2 2:ax3ay2 3:ax4 4:ax5 5:ax6 6:rxry2ax7", "G-single"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := build(t, ListAppend, parse(t, c.history))
			res := Check(t.Context(), h, StrictSerializable)
			if got := strings.Join(slices.Sorted(maps.Keys(res.Count)), " "); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if want := c.want == ""; (res.Verdict == verdict.Pass) != want {
				t.Errorf("got %v: %s", res.Verdict, res.Reason)
			}
			if err := certified(h, StrictSerializable, res); err != nil {
				t.Error(err)
			}
			for _, a := range res.Anomalies {
				t.Log(a.Name, a.Text)
			}
		})
	}
}

// The same of registers, whose versions are in the order that reads, processes and time give them.
func TestRegisterAnomalies(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, history, want string }{
		{"none", "0:wx1 1:rx1", ""},
		{"G1a", "0:wx1! 1:rx1", "G1a"},
		{"G1b", "0:wx1wx2 1:rx1", "G1b"},
		{"G1c", "0:wx1ry1 1:wy1rx1", "G1c"},
		{"G-single", "0:wx1wy1 1:rx1ry", "G-single"},
		{"G-single by time", "0@1-2:wx1 1@3-4:rx", "G-single-realtime"},
		{"G-single by process", "0@1-2:wx1 0@3-4:rx", "G-single-process"},
		{"stale by time", "0@1-2:wx1 1@3-4:wx2 2@5-6:rx1", "G-single-realtime"},
		{"stale and concurrent", "0@1-2:wx1 1@3-9:wx2 2@5-6:rx1", ""},
		{"write skew", "0:rxwy1 1:rywx1", "G2-item"},
		{"long fork", "0:wx1 1:wy1 2:rx1ry 3:rxry1", "G-nonadjacent"},
		{"lost update", "0:wx1 1:rx1wx2 2:rx1wx3", "G2-item lost-update"},
		{"internal", "0:wx1rx", "internal"},
		{"future read", "0:rx1wx1", "future-read"},
		{"garbage", "0:rx7", "garbage-read"},
		{"a write of unknown outcome that was seen", "0:wx1wy1? 1:rx1ry", "G-single"},
		{"a write of unknown outcome that was not", "0:wx1wy1? 1:rxry", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := build(t, Register, parse(t, c.history))
			res := Check(t.Context(), h, StrictSerializable)
			if got := strings.Join(slices.Sorted(maps.Keys(res.Count)), " "); got != c.want {
				t.Errorf("got %q, want %q: %s", got, c.want, res.Reason)
			}
			if err := certified(h, StrictSerializable, res); err != nil {
				t.Error(err)
			}
		})
	}
}
