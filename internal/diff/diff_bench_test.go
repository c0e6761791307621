package diff

import "testing"

// What it costs to reduce one run of some 100,000 operations.
func BenchmarkReduce(b *testing.B) {
	in := world{before: 300, fault: 500, after: 500, rate: 51}.drawn(1)
	b.ReportMetric(float64(len(in.Ops)), "ops")
	for b.Loop() {
		reduce("slow", in, 1)
	}
}
