package sim

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What makes no sense is refused where it is said.
func TestMisuse(t *testing.T) {
	t.Parallel()
	s := &Sim{}
	for _, tt := range []struct {
		says string
		do   func()
	}{
		{"Link.Loss is 2: it is a chance, from 0 to 1", func() { s.Links(Link{Loss: 2}) }},
		{"Link.Late is -1", func() { s.Link(nil, nil, Link{Late: -1}) }},
		{"Link.Duplicate is NaN", func() { s.Links(Link{Duplicate: math.NaN()}) }},
		{"a latency of -1s", func() { s.Links(Link{Latency: -time.Second}) }},
		{`Host("")`, func() { s.Host("") }},
		{`Host("10.0.0.9")`, func() { s.Host("10.0.0.9") }},
		{"Choose(0)", func() { s.Choose(0) }},
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, tt.says) {
					t.Errorf("%q, want %q", got, tt.says)
				}
			}()
			tt.do()
		}()
	}
}

// A history that nobody judges says neither yes nor no, and an empty one nothing.
func TestHistoryWithoutCheck(t *testing.T) {
	for _, ops := range []int{0, 1} {
		s := &Sim{run: &run{}, points: map[point]*Point{}}
		synctest.Test(t, func(t *testing.T) {
			s.start(t)
			h := s.History("x")
			for range ops {
				h.Begin("c1", "read", nil).OK(1)
			}
			s.stop()
		})
		s.judge(&testing.T{})
		if points := s.sortedPoints(); len(points) != ops || ops == 1 && (points[0].Kind != undecided || points[0].Broken != "it has operations, and no Check judges them") {
			t.Errorf("%d operations: %+v", ops, points)
		}
	}
}
