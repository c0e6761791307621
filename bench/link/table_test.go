package main

import (
	"strings"
	"testing"
)

func TestMedianAndRatio(t *testing.T) {
	s := samples{ours: {1, 2, 9}, plain: {2, 2, 3}}
	if got, want := s.median(ours), 2.0; got != want {
		t.Errorf("median: got %v, want %v", got, want)
	}
	// Of the rounds' ratios 0.5, 1 and 3, not of the medians.
	if got, want := s.ratio(ours, plain), 1.0; got != want {
		t.Errorf("ratio: got %v, want %v", got, want)
	}
	if got, want := median([]float64{4, 1, 3, 2}), 2.5; got != want {
		t.Errorf("median of four: got %v, want %v", got, want)
	}
}

// An aim that was missed is said so, and without the other there is no comparison and no verdict.
func TestAims(t *testing.T) {
	for _, tt := range []struct {
		name  string
		s     samples
		lines string
	}{
		{"met", samples{ours: {1}, plain: {2}}, "0.50 of plain | ≤ 0.60, met"},
		{"missed", samples{ours: {2}, plain: {2}}, "1.00 of plain | ≤ 0.60, **missed**"},
		{"no other", samples{ours: {2}}, "| 2 |  |  |"},
	} {
		b := &bench{}
		b.add("x", "s", tt.s).against(plain).ratioAtMost(0.6)
		if got := b.result.markdown(); !strings.Contains(got, tt.lines) {
			t.Errorf("%s: got %s, want %s in it", tt.name, got, tt.lines)
		}
	}
}

// What is compared is what was sent.
func TestTripsDirect(t *testing.T) {
	s, err := serve(echo)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	if got, err := measureTrips(&proxy{addr: s.addr}, 2, 3); err != nil || len(got) != 3 {
		t.Errorf("got %v, %v", got, err)
	}
	if err := halfClose(s.addr); err != nil {
		t.Errorf("half-close: %v", err)
	}
}
