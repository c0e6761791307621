package report

import (
	"testing"
	"time"
)

// BenchmarkReport10min builds the report of ten minutes at 500 journeys a second: 300,000 of them, with
// 600,000 steps and 600,000 exchanges, some 600 MB of records.
func BenchmarkReport10min(b *testing.B) {
	s := failing()
	s.rate, s.length = 500, 10*time.Minute
	run := s.make(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Build(run, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
