package main

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/system"
)

// throttle compares the rate at the receiver with the one that was asked for.
func throttle(b *bench) error {
	s, err := serve(flood)
	if err != nil {
		return err
	}
	defer s.close()
	ways, err := b.ways(s.addr, toxiproxy, ours)
	if err != nil {
		return err
	}
	for _, rate := range []int64{100e3, 1e6, 10e6, 100e6, 500e6} {
		limit := fault{false, system.Rule{Kind: system.Throttle, Rate: rate}, "bandwidth", map[string]int64{"rate": rate / 1000}}
		all, err := b.compare(ways, 1, func(p *proxy) ([]float64, error) {
			if err := p.arm(limit); err != nil {
				return nil, err
			}
			got, err := rateThrough(p.addr, 2*time.Second)
			if err != nil {
				return nil, err
			}
			return []float64{got / float64(rate)}, p.heal()
		})
		if err != nil {
			return err
		}
		b.add(fmt.Sprintf("throttle of %s MB/s: measured / asked", number(float64(rate)/1e6)), "", all[0]).oursWithin(0.98, 1.02)
	}
	return nil
}

// rateThrough returns how many bytes a second come through, measured from a read after the first 5 % of the time to the last.
func rateThrough(addr string, length time.Duration) (float64, error) {
	c, err := dial(addr)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	if err := c.SetReadDeadline(time.Now().Add(2 * length)); err != nil {
		return 0, err
	}
	buf := make([]byte, 256<<10)
	begin := time.Now()
	var from, last time.Time
	var bytes int64
	for time.Since(begin) < length {
		n, err := c.Read(buf)
		if err != nil {
			return 0, err
		}
		last = time.Now()
		switch {
		case !from.IsZero():
			bytes += int64(n)
		case last.Sub(begin) > length/20:
			from = last
		}
	}
	return float64(bytes) / last.Sub(from).Seconds(), nil
}
