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
	for _, rate := range []int64{100e3, 1e6, 10e6, 100e6, 500e6} {
		if err := b.throttleTo(rate, s.addr); err != nil {
			return err
		}
	}
	return nil
}

// throttleTo has proxies of its own: Toxiproxy may not get rid of this toxic any more, once a connection was closed in its flood.
func (b *bench) throttleTo(rate int64, server string) error {
	defer b.stopAll()
	ways, err := b.ways(server, toxiproxy, ours)
	if err != nil {
		return err
	}
	for _, p := range ways {
		err := p.arm(fault{false, system.Rule{Kind: system.Throttle, Rate: rate, Each: true}, "bandwidth", map[string]int64{"rate": rate / 1000}})
		if err != nil {
			return err
		}
	}
	all, err := b.compare(ways, 1, func(p *proxy) ([]float64, error) {
		got, err := rateThrough(p.addr, 2*time.Second)
		return []float64{got / float64(rate)}, err
	})
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("throttle of %s MB/s: measured / asked", number(float64(rate)/1e6)), "", all[0]).oursWithin(0.98, 1.02)
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
