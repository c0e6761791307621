package diff

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/assay-dev/assay/check/slo"
	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/telemetry"
)

// processors reduces what an operation cost each service. Its blocks are the sampler's rounds that lie within the
// phase: what is read between two samples would hang together with its neighbours.
func (r *reduction) processors(p phase) {
	used := map[string]map[time.Duration]float64{} // by service: what was used up to a round
	for _, s := range r.in.Series {
		if s.Name != telemetry.CPUSeconds {
			continue
		}
		service := r.in.Service(s.Labels["instance"])
		if service == client {
			continue
		}
		if used[service] == nil {
			used[service] = map[time.Duration]float64{}
		}
		for _, point := range s.Points {
			if point.At >= p.from && point.At <= p.to {
				used[service][point.At] += point.Value
			}
		}
	}
	for service, at := range used {
		if rounds := slices.Sorted(maps.Keys(at)); len(rounds) > 1 {
			r.put(p, service, CPU, r.cost(p, rounds, at))
		}
	}
}

// quantum is how far the processor time of an instance may be off, in seconds: the kernel counts hundredths for each process.
const quantum = 0.01

func (r *reduction) cost(p phase, rounds []time.Duration, at map[time.Duration]float64) estimate {
	num, den := make([]float64, len(rounds)-1), make([]float64, len(rounds)-1)
	for i := range num {
		num[i] = 1000 * max(0, at[rounds[i+1]]-at[rounds[i]])
	}
	for _, op := range r.in.Ops {
		if i, _ := slices.BinarySearch(rounds, op.Scheduled+1); op.Kind == history.Journey && i > 0 && i < len(rounds) {
			den[i-1]++
		}
	}
	n := sum(den)
	if n == 0 {
		return estimate{lacks: "an operation between two samples"}
	}
	e := estimate{value: sum(num) / n, n: int64(n), seconds: len(num)}
	if len(num) < leastBlocks {
		e.lacks = fmt.Sprintf("%d whole rounds of the sampler (there are %d)", leastBlocks, len(num))
		return e
	}
	e.spread = max(ratioSpread(num, den, draws(len(num), key(0, p.name))), 1000*quantum/n)
	return e
}

// memory reduces the most that any instance of each service held.
func (r *reduction) memory(p phase) {
	in := r.in
	in.From, in.To = p.from, p.to
	for _, s := range in.Series {
		service := in.Service(s.Labels["instance"])
		if s.Name != telemetry.RSSBytes || service == client {
			continue
		}
		if peak, err := slo.PeakRSS(in, service); err == nil && peak > 0 {
			r.put(p, service, RSS, estimate{value: peak / 1e6, n: 1})
		}
	}
}
