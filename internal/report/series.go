package report

import "time"

// A Point is what happened in one stretch of the time axis to the operations of one journey that were scheduled in it.
type Point struct {
	At       time.Duration `json:"at"` // where the stretch begins
	OK       int64         `json:"ok"` // degraded ones included
	Degraded int64         `json:"degraded,omitempty"`
	Failed   int64         `json:"failed,omitempty"`
	Maybe    int64         `json:"maybe,omitempty"`
	P50      time.Duration `json:"p50"`
	P95      time.Duration `json:"p95"`
	P99      time.Duration `json:"p99"`
}

// Count is how many operations were scheduled in the stretch.
func (p Point) Count() int64 { return p.OK + p.Failed + p.Maybe }

const (
	finest     = 50 * time.Millisecond // the narrowest stretch
	mostPoints = 600                   // more are folded, two into one
	fewPoints  = 60                    // fewer are not folded for being thin
	thin       = 8                     // operations in a stretch, below which its share of failures says little
)

// slots count operations in stretches of one width. Whenever there would be more than mostPoints of them, the
// width doubles, so that memory does not grow with the run and the ends of stretches always meet.
type slots struct {
	width time.Duration
	list  []slot
}

type slot struct {
	ok, degraded, failed, maybe int64
	latency                     histogram
}

func (s *slot) merge(other *slot) {
	s.ok += other.ok
	s.degraded += other.degraded
	s.failed += other.failed
	s.maybe += other.maybe
	s.latency.merge(&other.latency)
}

// at returns the slot that holds t.
func (s *slots) at(t time.Duration) *slot {
	if s.width == 0 {
		s.width = finest
	}
	for int(t/s.width) >= mostPoints {
		s.fold()
	}
	i := int(t / s.width)
	if i >= len(s.list) {
		s.list = append(s.list, make([]slot, i+1-len(s.list))...)
	}
	return &s.list[i]
}

// fold doubles the width.
func (s *slots) fold() {
	s.width *= 2
	for i := range s.list {
		if i%2 == 1 {
			s.list[i/2].merge(&s.list[i])
		} else {
			s.list[i/2] = s.list[i]
		}
	}
	s.list = s.list[:(len(s.list)+1)/2]
}

// merge adds other, which it may change.
func (s *slots) merge(other *slots) {
	if s.width == 0 {
		s.width = finest
	}
	for other.width != 0 && other.width < s.width {
		other.fold()
	}
	for s.width < other.width {
		s.fold()
	}
	for i := range other.list {
		s.at(time.Duration(i) * s.width).merge(&other.list[i])
	}
}

// points returns the slots as points, folded until there are at most so many and they are not thin.
func (s *slots) points(most int) []Point {
	var total int64
	for i := range s.list {
		total += s.list[i].latency.total
	}
	for len(s.list) > most || len(s.list) > fewPoints && total/int64(len(s.list)) < thin {
		s.fold()
	}
	points := make([]Point, len(s.list))
	for i := range s.list {
		x := &s.list[i]
		points[i] = Point{At: time.Duration(i) * s.width, OK: x.ok, Degraded: x.degraded, Failed: x.failed, Maybe: x.maybe,
			P50: x.latency.quantile(0.50), P95: x.latency.quantile(0.95), P99: x.latency.quantile(0.99)}
	}
	return points
}
