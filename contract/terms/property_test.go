package terms

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// randomSystem is a small graph of calls without cycles: each operation may call those after it.
func randomSystem(r *rand.Rand, forward bool) []Terms {
	n := 2 + r.IntN(3)
	var all []Terms
	for i := range n {
		o := Operation{Name: "POST /x", Key: &Key{Name: "header K", Retention: time.Hour}, Work: time.Duration(r.IntN(3)) * time.Millisecond, Deadline: time.Duration(1+r.IntN(30)) * time.Millisecond,
			Retry: &Retry{On: []string{"503"}, Attempts: 1 + r.IntN(2), Backoff: Backoff{Initial: time.Millisecond, Factor: 2}}}
		if r.IntN(2) == 0 {
			o.RetryAfter = time.Duration(r.IntN(4)) * time.Millisecond
		}
		for k := i + 1; k < n; k++ {
			if forward && k > i+1 || !forward && r.IntN(2) == 0 {
				continue
			}
			honours := r.IntN(2) == 0
			c := Call{Service: fmt.Sprint("s", k), Operation: "POST /x", Timeout: time.Duration(1+r.IntN(9)) * time.Millisecond, Key: "forward"}
			if r.IntN(4) > 0 {
				c.Retry = &Retry{On: []string{"503"}, Attempts: 1 + r.IntN(3), RetryAfter: &honours, Backoff: Backoff{Initial: time.Millisecond, Factor: float64(1 + r.IntN(2)), Max: 3 * time.Millisecond, Jitter: 0.5}}
			}
			if last := len(o.Stages) - 1; last >= 0 && r.IntN(3) == 0 {
				o.Stages[last] = append(o.Stages[last], c)
			} else {
				o.Stages = append(o.Stages, []Call{c})
			}
		}
		all = append(all, Terms{Service: fmt.Sprint("s", i), Operations: []Operation{o}})
	}
	return all
}

// ends returns every time that a call may take: each attempt is answered at once or never, well or badly, with or without
// Retry-After, and each wait is the shortest or the longest.
func ends(c Call, callee Operation) map[time.Duration]bool {
	all := map[time.Duration]bool{}
	var attempt func(n int, at time.Duration)
	attempt = func(n int, at time.Duration) {
		for _, took := range []time.Duration{0, c.Timeout} {
			all[at+took] = true // a good answer, or the last attempt
			if n >= c.Attempts() {
				continue
			}
			b := c.Retry.Backoff
			for _, wait := range []time.Duration{b.Least(n), b.Most(n)} {
				attempt(n+1, at+took+wait)
				if isTrue(c.Retry.RetryAfter) {
					attempt(n+1, at+took+max(wait, callee.RetryAfter))
				}
			}
		}
	}
	attempt(1, 0)
	return all
}

// brute returns the longest that an operation takes, trying every combination of what its calls may take.
func brute(o Operation, all map[string]Operation) (longest time.Duration) {
	var stage func(i int, at time.Duration)
	stage = func(i int, at time.Duration) {
		if i == len(o.Stages) {
			longest = max(longest, at)
			return
		}
		together := map[time.Duration]bool{0: true}
		for _, c := range o.Stages[i] {
			next := map[time.Duration]bool{}
			for d := range ends(c, all[c.Target()]) {
				for other := range together {
					next[max(d, other)] = true
				}
			}
			together = next
		}
		for d := range together {
			stage(i+1, at+d)
		}
	}
	stage(0, 0)
	stage(0, o.Work)
	return longest
}

// arrivals are the times at which the last operation of a chain gets calls, in the run that puts off the most, and the earliest that one can come.
func arrivals(o Operation, at time.Duration, slow bool, all map[string]Operation) (times []time.Duration) {
	if len(o.Stages) == 0 {
		return []time.Duration{at}
	}
	c := o.Stages[0][0]
	if slow {
		at += o.Work
	}
	for n := 1; n <= c.Attempts(); n++ {
		times = append(times, arrivals(all[c.Target()], at, n > 1 || slow, all)...)
		if n < c.Attempts() {
			wait := c.Retry.Backoff.Most(n)
			if isTrue(c.Retry.RetryAfter) {
				wait = max(wait, all[c.Target()].RetryAfter)
			}
			at += c.Timeout + wait
		}
	}
	return times
}

// executed counts how often an operation runs for one run of another when every call fails, by the way from one to the other.
func executed(o Operation, way string, all map[string]Operation, counts map[string]int) {
	for i, stage := range o.Stages {
		for k, c := range stage {
			next := fmt.Sprintf("%s>%d.%d %s", way, i, k, c.Target())
			for range c.Attempts() {
				counts[next]++
				executed(all[c.Target()], next, all, counts)
			}
		}
	}
}

// What Check computes is what the worst run comes to: no more, and no less.
func TestWorstCases(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		systems := randomSystem(r, false)
		g := newGraph(systems)
		all := map[string]Operation{}
		for _, n := range g.nodes {
			all[n.name] = n.Operation
		}
		busiest := map[string]int{}
		for _, n := range g.nodes {
			if got, _, _ := n.worst(); got != brute(n.Operation, all) {
				t.Fatalf("seed %d: %s takes %v by the algebra, and %v at worst", seed, n.name, got, brute(n.Operation, all))
			}
			if len(n.callers) == 0 {
				counts := map[string]int{}
				executed(n.Operation, n.name, all, counts)
				for way, count := range counts {
					name := way[len(way)-len("s0 POST /x"):]
					busiest[name] = max(busiest[name], count)
				}
			}
		}
		for _, n := range g.nodes {
			if p, ok := n.path(); ok && p.Calls != busiest[n.name] {
				t.Fatalf("seed %d: %s is called %d times by the algebra, and %d at worst", seed, n.name, p.Calls, busiest[n.name])
			}
		}
	}
}

// In a chain that forwards a key the last callee sees it again for as long as Check says.
func TestSpreadOfKeys(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		systems := randomSystem(rand.New(rand.NewPCG(seed, 2)), true)
		g := newGraph(systems)
		all := map[string]Operation{}
		for _, n := range g.nodes {
			all[n.name] = n.Operation
		}
		last, root := g.nodes[len(g.nodes)-1], g.nodes[0]
		got, ok := last.spread()
		at := time.Duration(0)
		var seen []time.Duration
		for n := 1; n <= root.Retry.Attempts; n++ {
			seen = append(seen, arrivals(root.Operation, at, n > 1, all)...)
			at += root.Deadline + max(root.Retry.Backoff.Most(n), root.RetryAfter)
		}
		if want := slices.Max(seen) - slices.Min(seen); !ok || got != want {
			t.Fatalf("seed %d: the key comes for %v by the algebra (%v), and for %v at worst", seed, got, ok, want)
		}
	}
}
