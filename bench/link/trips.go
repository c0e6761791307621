package main

import (
	"fmt"
	"slices"
	"time"
)

const tripBytes = 256

func trips(b *bench) error {
	s, err := serve(echo)
	if err != nil {
		return err
	}
	defer s.close()
	ways, err := b.ways(s.addr, direct, plain, toxiproxy, ours)
	if err != nil {
		return err
	}
	for _, conns := range []int{1, 16} {
		each := 16000 / (conns + 3)
		all, err := b.compare(ways, 3, func(p *proxy) ([]float64, error) { return measureTrips(p, conns, each) })
		if err != nil {
			return err
		}
		what := fmt.Sprintf("round trip of 256 B, %d connections: ", conns)
		b.add(what+"p50", "µs", all[0]).against(plain).ratioAtMost(1.05)
		b.add(what+"p99", "µs", all[1]).against(plain)
		b.add(what+"processor time", "µs/trip", all[2]).against(plain)
	}
	return nil
}

// measureTrips returns p50 and p99 of round trips, and the processor time of the proxy for each, in µs.
func measureTrips(p *proxy, conns, each int) ([]float64, error) {
	open, err := dialAll(p.addr, conns)
	if err != nil {
		return nil, err
	}
	defer closeAll(open)
	type outcome struct {
		took []time.Duration
		err  error
	}
	outcomes := make(chan outcome, conns)
	used := p.cpu()
	for _, c := range open {
		go func() {
			var o outcome
			o.took, o.err = times(each, func() error { return trip(c, make([]byte, tripBytes)) })
			outcomes <- o
		}()
	}
	var took []time.Duration
	for range conns {
		o := <-outcomes
		if o.err != nil {
			err = o.err
		}
		took = append(took, o.took...)
	}
	cost := micros(p.cpu()-used) / float64(len(took))
	p50, p99 := quantiles(took)
	return []float64{micros(p50), micros(p99), cost}, err
}

// times says how long each of n calls took.
func times(n int, do func() error) ([]time.Duration, error) {
	took := make([]time.Duration, 0, n)
	for range n {
		begin := time.Now()
		if err := do(); err != nil {
			return took, err
		}
		took = append(took, time.Since(begin))
	}
	return took, nil
}

func quantiles(took []time.Duration) (p50, p99 time.Duration) {
	if len(took) == 0 {
		return 0, 0
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100]
}

func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 }
func millis(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e6 }

// delay measures how much later than 5 ms after its question an answer comes. The round trip itself is in it.
func delay(b *bench) error {
	const by = 5 * time.Millisecond
	s, err := serve(echo)
	if err != nil {
		return err
	}
	defer s.close()
	ways, err := b.ways(s.addr, toxiproxy, ours)
	if err != nil {
		return err
	}
	for _, p := range ways {
		if err := p.arm(delayed(by, false)); err != nil {
			return err
		}
	}
	for _, conns := range []int{1, 16} {
		all, err := b.compare(ways, 2, func(p *proxy) ([]float64, error) {
			got, err := measureTrips(p, conns, 200)
			if err != nil {
				return nil, err
			}
			return []float64{got[0]/1e3 - millis(by), got[1]/1e3 - millis(by)}, nil
		})
		if err != nil {
			return err
		}
		what := fmt.Sprintf("delay of 5 ms, %d connections: late, ", conns)
		p50 := b.add(what+"p50", "ms", all[0]).against(toxiproxy)
		if conns == 1 {
			p50.oursAtMost(0.2)
		}
		b.add(what+"p99", "ms", all[1]).against(toxiproxy)
	}
	return nil
}
