package linear

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/verdict"
)

// A recall is the slow and obvious search with a memory: which operations came, and the states they led to, in words.
type recall struct {
	*trial
	been map[string]bool
}

func (t recall) order() bool {
	if t.all&^t.done == 0 {
		return true
	}
	key := fmt.Sprint(t.done, t.states)
	if t.been[key] {
		return false
	}
	t.been[key] = true
	for i := range t.ops {
		bit := uint64(1) << i
		if t.done&bit != 0 || t.before[i]&^t.done != 0 {
			continue
		}
		state := &t.states[t.part[i]]
		was := *state
		if next := was.step(&t.ops[i]); next != nil {
			*state, t.done = next, t.done|bit
			if t.order() {
				return true
			}
			*state, t.done = was, t.done&^bit
		}
	}
	return false
}

// words makes a walker that prints its states, for a recall.
func (s *states[S]) String() string {
	var all []string
	for _, state := range s.all {
		all = append(all, fmt.Sprint(state))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}

// crowded draws a history of which all operations overlap many others, and which is nearly right: each takes effect at a moment, as the
// model allows, and then some say something else.
func crowded(r *rand.Rand, m Model, n int, draw drawer) []history.Op {
	ops := make([]history.Op, n)
	moments := make([]int, n)
	for i := range ops {
		call := r.IntN(3 * n)
		took := r.IntN(4 * n)
		ops[i] = history.Op{ID: uint64(i) + 1, Kind: history.Model, Object: "x", Call: time.Duration(call), Return: time.Duration(call + took), Outcome: history.OK}
		moments[i] = call + r.IntN(took+1)
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(moments[a], moments[b]) })
	drawn := func(i int) history.Op {
		op := ops[i]
		op.Client = fmt.Sprint(i)
		draw(r, &op)
		return op
	}
	state := m.walk()
	for _, i := range order {
		op := drawn(i)
		for range 20 {
			if state.step(&op) != nil {
				break
			}
			op = drawn(i)
		}
		next := state.step(&op)
		switch {
		case next == nil:
			op.Outcome = history.Failed
		case r.IntN(8) == 0:
			op.Outcome, op.Output = history.Maybe, history.Value{}
			if next = state.step(&op); next == nil || r.IntN(3) == 0 {
				next = state // it never happened
			}
		}
		if ops[i] = op; op.Outcome != history.Failed {
			state = next
		}
	}
	for range r.IntN(3) {
		i := r.IntN(n)
		if ops[i].Outcome == history.OK {
			ops[i] = drawn(i)
		}
	}
	return ops
}

// Crowded histories of up to 16 operations have the verdicts of the slow search.
func TestCrowded(t *testing.T) {
	t.Parallel()
	all := drawers()
	all["unordered bag"] = drawBag
	for name, draw := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := bag()
			if name != m.name {
				m, _ = Named(name)
			}
			counts := map[verdict.Verdict]int{}
			n := 100
			if full() {
				n = 30_000
			}
			for seed := range seeds(n) {
				r := rand.New(rand.NewPCG(seed, 14))
				size := 12 // as far as the slow search goes
				if name == "queue" || name == "log" || name == "multi-register" || name == "counter" || name == "unordered bag" {
					size = 6
				}
				ops := crowded(r, m, 4+r.IntN(size), draw)
				var took []history.Op
				for _, op := range ops {
					if op.Outcome != history.Failed {
						took = append(took, op)
					}
				}
				want := verdict.Fail
				if (recall{newTrial(m, took, false), map[string]bool{}}).order() {
					want = verdict.Pass
				}
				for _, o := range []Options{{Search: true, WholeCore: seed%4 != 0}, {WholeCore: true}} {
					res := Check(context.Background(), m, ops, o)
					if res.Verdict != want {
						t.Fatalf("seed %d: %v by %s, want %v:\n%s", seed, res.Verdict, res.Engine, want, show(ops))
					}
					if res.Verdict == verdict.Fail && o.WholeCore {
						continue // its core is the whole, which was tried
					}
					if err := Certify(m, ops, res); err != nil && !errors.Is(err, ErrLarge) {
						t.Fatalf("seed %d: %v: %v by %s:\n%s", seed, err, res.Verdict, res.Engine, show(ops))
					}
				}
				counts[want]++
			}
			t.Logf("%d histories: %v", n, counts)
			if counts[verdict.Pass] < n/20 || counts[verdict.Fail] < n/50 && name != "lease" {
				t.Errorf("the histories are one-sided: %v", counts)
			}
		})
	}
}

// bag is a user's model that is nondeterministic: a take without a known value takes any.
func bag() Model {
	return New(Spec[string]{
		Name: "unordered bag",
		Step: func(s string, op *history.Op) []string {
			if op.Name == "put" {
				b := []byte(s + op.Input.String())
				slices.Sort(b)
				return []string{string(b)}
			}
			if s == "" {
				return one(op.Output.IsNil(), s)
			}
			var next []string
			for i := range len(s) {
				if op.Outcome == history.Maybe || op.Output.String() == s[i:i+1] {
					next = append(next, s[:i]+s[i+1:])
				}
			}
			return next
		},
	})
}

func drawBag(r *rand.Rand, op *history.Op) {
	if op.Name, op.Input = "put", small(r); r.IntN(2) == 0 {
		op.Name, op.Input, op.Output = "take", history.Value{}, value(r)
	}
}
