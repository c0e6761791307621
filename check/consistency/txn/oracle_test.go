package txn

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// rounds is how many random histories a test looks at: seconds of them, or many by ASSAY_CONSISTENCY_FULL.
func rounds(short int) int {
	if os.Getenv("ASSAY_CONSISTENCY_FULL") != "" {
		return 100 * short
	}
	return short
}

// A small is a transaction of a small history, for deciding by trying all.
type small struct {
	process   int64
	call, ret int64
	outcome   history.Outcome
	mops      []smallOp
}

type smallOp struct {
	write bool
	key   int64
	value int64
	list  []int64 // read; a register is a list of its value
}

func build(t testing.TB, typ DataType, txns []small) *History {
	t.Helper()
	b := NewBuilder(typ)
	for _, s := range txns {
		b.Begin(history.Int(s.process), time.Duration(s.call))
		for _, m := range s.mops {
			switch {
			case m.write:
				b.WriteInt(m.key, m.value)
			case s.outcome != history.OK:
				b.ReadUnknown(history.Int(m.key))
			case typ == Register && len(m.list) == 0:
				b.ReadValue(history.Int(m.key), history.Value{})
			case typ == Register:
				b.ReadInt(m.key, m.list[0])
			default:
				b.ReadInts(m.key, m.list)
			}
		}
		b.End(s.outcome, time.Duration(s.ret))
	}
	h, err := b.History()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// certified returns what is wrong with a result. A small fail must be checked; what cannot be checked else is fine.
func certified(h *History, model Model, res Result) error {
	err := Certify(h, model, res)
	if errors.Is(err, ErrNotChecked) && (res.Verdict != verdict.Fail || h.Len() > 8) {
		return nil
	}
	return err
}

func show(txns []small) string {
	s := ""
	for i, x := range txns {
		s += fmt.Sprintf("T%d p%d [%d,%d] %v:", i, x.process, x.call, x.ret, x.outcome)
		for _, m := range x.mops {
			if m.write {
				s += fmt.Sprintf(" w%d=%d", m.key, m.value)
			} else {
				s += fmt.Sprintf(" r%d=%v", m.key, m.list)
			}
		}
		s += "\n"
	}
	return s
}

// randomSmall runs transactions step by step against one store, with reads that may be of any earlier state, or of all.
func randomSmall(rng *rand.Rand, typ DataType) []small {
	n := 2 + rng.IntN(4)
	keys := int64(1 + rng.IntN(3))
	stale, dirty := rng.IntN(3) == 0, rng.IntN(4) == 0
	txns := make([]small, n)
	clock := int64(0)
	value := int64(0)
	committed := map[int64][][]int64{} // all versions of a key
	for k := range keys {
		committed[k] = [][]int64{{}}
	}
	own := make([]map[int64][]int64, n)
	left := make([]int, n)
	busy := map[int64]bool{}
	var active []int
	started := 0
	for started < n || len(active) > 0 {
		clock += int64(rng.IntN(2))
		if started < n && (len(active) == 0 || rng.IntN(3) == 0) {
			p := int64(rng.IntN(3))
			if busy[p] {
				p = 10 + int64(started)
			}
			busy[p] = true
			txns[started] = small{process: p, call: clock, outcome: history.OK}
			own[started], left[started] = map[int64][]int64{}, 1+rng.IntN(3)
			active = append(active, started)
			started++
			continue
		}
		at := rng.IntN(len(active))
		t := active[at]
		x := &txns[t]
		if left[t] == 0 {
			x.ret = clock
			busy[x.process] = false
			active = slices.Delete(active, at, at+1)
			if r := rng.IntN(12); r < 2 {
				x.outcome = history.Outcome(map[int]history.Outcome{0: history.Maybe, 1: history.Failed}[r])
			}
			if x.outcome == history.OK || x.outcome == history.Maybe && rng.IntN(2) == 0 {
				for k, vs := range own[t] {
					now := committed[k][len(committed[k])-1]
					if typ == Register {
						now = nil
					}
					committed[k] = append(committed[k], append(slices.Clone(now), vs...))
				}
			}
			continue
		}
		left[t]--
		k := rng.Int64N(keys)
		if rng.IntN(2) == 0 {
			value++
			x.mops = append(x.mops, smallOp{write: true, key: k, value: value})
			if typ == Register {
				own[t][k] = nil
			}
			own[t][k] = append(own[t][k], value)
			if dirty && rng.IntN(3) == 0 {
				now := committed[k][len(committed[k])-1]
				if typ == Register {
					now = nil
				}
				committed[k] = append(committed[k], append(slices.Clone(now), value))
			}
			continue
		}
		list := committed[k][len(committed[k])-1]
		if stale && rng.IntN(2) == 0 {
			list = committed[k][rng.IntN(len(committed[k]))]
		}
		if typ == Register && len(own[t][k]) > 0 {
			list = nil
		}
		list = slices.Clone(list)
		for _, v := range own[t][k] {
			if !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
		x.mops = append(x.mops, smallOp{key: k, list: list})
	}
	return txns
}

// effects calls try with each set of transactions that may have taken effect, until it holds.
func effects(txns []small, try func([]int) bool) bool {
	var sure, maybe []int
	for i, x := range txns {
		switch x.outcome {
		case history.OK:
			sure = append(sure, i)
		case history.Maybe:
			maybe = append(maybe, i)
		}
	}
	for bits := range 1 << len(maybe) {
		set := slices.Clone(sure)
		for i, t := range maybe {
			if bits>>i&1 == 1 {
				set = append(set, t)
			}
		}
		if try(set) {
			return true
		}
	}
	return false
}

// permute calls try with each order of a set, until it holds.
func permute(set []int, at int, try func([]int) bool) bool {
	if at == len(set) {
		return try(set)
	}
	for i := at; i < len(set); i++ {
		set[at], set[i] = set[i], set[at]
		if permute(set, at+1, try) {
			return true
		}
		set[at], set[i] = set[i], set[at]
	}
	return false
}

// runs says whether reads of a transaction return what they returned on a state, and writes to it.
func (x small) runs(typ DataType, state map[int64][]int64) bool {
	for _, m := range x.mops {
		switch {
		case m.write && typ == Register:
			state[m.key] = []int64{m.value}
		case m.write:
			state[m.key] = append(slices.Clone(state[m.key]), m.value)
		case x.outcome == history.OK && !slices.Equal(state[m.key], m.list):
			return false
		}
	}
	return true
}

// serializable decides by trying all orders; at a level that keep the order of processes, or of time.
func serializable(typ DataType, txns []small, l level) bool {
	return effects(txns, func(set []int) bool {
		return permute(set, 0, func(order []int) bool {
			state := map[int64][]int64{}
			for i, t := range order {
				for _, before := range order[:i] {
					a, b := txns[t], txns[before]
					if a.outcome != history.OK {
						continue
					}
					if l == byTime && a.ret < b.call || l >= byProcess && a.process == b.process && a.ret <= b.call && t < before {
						return false
					}
				}
				if !txns[t].runs(typ, state) {
					return false
				}
			}
			return true
		})
	})
}

func TestAgainstAllOrders(t *testing.T) {
	t.Parallel()
	verdicts := map[string]int{}
	for seed := range rounds(2500) {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		txns := randomSmall(rng, ListAppend)
		h := build(t, ListAppend, txns)
		for _, model := range []Model{Serializable, SessionSerializable, StrictSerializable} {
			res := Check(t.Context(), h, model)
			if err := certified(h, model, res); err != nil {
				t.Fatalf("seed %d: %s: %v\n%s", seed, model, err, show(txns))
			}
			if res.Verdict == verdict.Unknown {
				continue
			}
			verdicts[string(model)+" "+res.Verdict.String()]++
			want := verdict.Fail
			if serializable(ListAppend, txns, model.need()) {
				want = verdict.Pass
			}
			if res.Verdict != want {
				t.Fatalf("seed %d: %s: got %v (%s), want %v\n%s", seed, model, res.Verdict, res.Reason, want, show(txns))
			}
			if res.Verdict == verdict.Pass && res.Order == nil {
				t.Fatalf("seed %d: %s passes without an order\n%s", seed, model, show(txns))
			}
		}
	}
	t.Log(verdicts)
}

// Of registers the order of versions is inferred, and where that does not decide, all orders are tried.
func TestRegistersAgainstAllOrders(t *testing.T) {
	t.Parallel()
	verdicts := map[string]int{}
	for seed := range rounds(2500) {
		rng := rand.New(rand.NewPCG(uint64(seed), 2))
		txns := randomSmall(rng, Register)
		h := build(t, Register, txns)
		for _, model := range []Model{Serializable, SessionSerializable, StrictSerializable} {
			res := Check(t.Context(), h, model)
			if err := certified(h, model, res); err != nil {
				t.Fatalf("seed %d: %s: %v\n%s", seed, model, err, show(txns))
			}
			if res.Verdict == verdict.Unknown {
				continue
			}
			may := serializable(Register, txns, model.need())
			if (res.Verdict == verdict.Pass) != may {
				t.Fatalf("seed %d: %s: got %v (%s)\n%s", seed, model, res.Verdict, res.Reason, show(txns))
			}
			verdicts[fmt.Sprintf("%s %v", model, res.Verdict)]++
			for name := range res.Count {
				if strings.HasPrefix(name, "no-") {
					verdicts[name]++
				}
			}
		}
	}
	t.Log(verdicts)
}
