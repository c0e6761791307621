package simrun

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Limits of the search for other seeds that fail in the same way. They share processes, so that a thousand seeds of a small
// simulation take less than a second.
const (
	mostLeads = 12
	mostSeeds = 4000
	seekShare = 4 // one part in so many of the time that is left
)

// A seeker looks for other seeds that fail in the same way as a failure does.
type seeker struct {
	bin     *program
	test    string
	run     int // of its simulations
	sign    string
	mode    string // "" for each seed's own
	workers int
	tell    func(seeds, found int)

	most limits
	sought
}

// sought is what a search for leads took.
type sought struct{ runs, seeds int }

// A block is some seeds for one process.
type block struct {
	mode string
	from uint64
	n    int
}

// block returns block number i of those after a seed: two of each size, one in the seeds' own modes, and one in a mode with few
// preemptions and nobody's priority, which leaves little to undo.
func (k *seeker) block(i int, after uint64) block {
	b := block{k.mode, after + 1, 8}
	for j := range i {
		b.from += uint64(8 << min(j/2, 4))
	}
	b.n <<= min(i/2, 4)
	if i%2 == 1 {
		b.mode = "uniform/16"
	}
	return b
}

// seek returns leads in order of their seeds. Which they are does not depend on how many processes run at once, as long as there is time.
func (k *seeker) seek(ctx context.Context, after uint64, until time.Time) (found []lead, err error) {
	part, cancel := context.WithDeadline(ctx, time.Now().Add(time.Until(until)/seekShare))
	defer cancel()
	for next := 0; len(found) < mostLeads && k.seeds < mostSeeds; next += k.workers {
		failed, err := k.failing(part, next, after)
		for i := 0; i < len(failed) && err == nil; i++ {
			found, err = k.recorded(part, failed[i], found)
		}
		if part.Err() != nil {
			return found, ctx.Err()
		}
		if err != nil {
			return nil, err
		}
		k.tell(k.seeds, len(found))
	}
	return found, nil
}

// failing runs some blocks at once, and returns the seeds that failed as blocks of one.
func (k *seeker) failing(ctx context.Context, first int, after uint64) ([]block, error) {
	failed, errs := make([][]block, k.workers), make([]error, k.workers)
	var wg sync.WaitGroup
	for w := range k.workers {
		b := k.block(first+w, after)
		k.seeds += b.n
		wg.Go(func() { failed[w], errs[w] = k.among(ctx, ofWorker(w), b) })
	}
	wg.Wait()
	return slices.Concat(failed...), cmp.Or(errs...)
}

// among runs a block in one process, and what is left of it in another where one ended with a seed.
func (k *seeker) among(ctx context.Context, name string, b block) (failed []block, err error) {
	for end := b.from + uint64(b.n); b.from < end; {
		p, err := k.bin.run(ctx, start{name: name, tests: exactly(k.test), seed: b.from, step: 1, count: int(end - b.from), mode: b.mode, most: k.most})
		if err != nil {
			return nil, err
		}
		for _, r := range p.all() {
			if r.Test == k.test && r.Run == k.run && r.Failed {
				failed = append(failed, block{b.mode, r.Seed, 1})
			}
		}
		b.from = p.last(b.from) + 1
	}
	return failed, nil
}

// recorded adds a seed that fails in the same way in a process of its own, too, with its decisions.
func (k *seeker) recorded(ctx context.Context, b block, found []lead) ([]lead, error) {
	if len(found) == mostLeads {
		return found, nil
	}
	p, err := k.bin.run(ctx, start{name: "a", tests: exactly(k.test), seed: b.from, run: k.run, mode: b.mode, record: true, most: k.most})
	if err != nil {
		return found, err
	}
	k.runs++
	r := p.of(subject{k.test, b.from, k.run})
	if k.bin.signature(r, p.output) != k.sign {
		return found, nil
	}
	if all, err := readDecisions(p.record); err == nil { // one that died may have left none
		found = append(found, lead{b.from, r.Mode, all})
	}
	return found, nil
}

// seek looks for other seeds, for the shrinker of a failure.
func (x *explorer) seek(f *Failure, sign string, until time.Time) func(context.Context, limits) ([]lead, sought, error) {
	return func(ctx context.Context, most limits) ([]lead, sought, error) {
		k := &seeker{bin: x.bin, test: f.Test, run: f.Run, sign: sign, mode: x.o.Mode, workers: x.o.Workers, most: most, tell: func(seeds, found int) {
			x.o.Progress(fmt.Sprintf("shrinking %s: %d of %s fail in the same way", f.Test, found, plural(seeds, "other seed")))
		}}
		found, err := k.seek(ctx, f.Seed, until)
		return found, k.sought, err
	}
}
