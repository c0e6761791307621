package report

import (
	"bytes"
	"syscall"
	"testing"
	"time"
)

// Ten minutes at 500 journeys a second: 300,000 of them, with 600,000 steps and 600,000 exchanges, some 570 MB of
// records. The page is written, too, and every byte of the run is compared with its seal.
func BenchmarkReport10min(b *testing.B) { benchmark(b, 500, 2) }

// A million journeys, two million steps and no exchanges, 900 MB of records.
func BenchmarkReportMillion(b *testing.B) { benchmark(b, 1667, 0) }

func benchmark(b *testing.B, rate, exchanges int) {
	s := failing()
	s.rate, s.length, s.exchange = rate, 10*time.Minute, exchanges
	run := s.make(b)
	var page bytes.Buffer
	b.ReportAllocs()
	before := processor()
	for b.Loop() {
		r, err := Build(run, Options{})
		if err != nil {
			b.Fatal(err)
		}
		page.Reset()
		if err := r.HTML(&page); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(page.Len())/1e3, "page-kB")
	b.ReportMetric((processor()-before).Seconds()/float64(b.N), "processor-s/op") // of all processors: what a busy machine does not change
}

// processor is the processor time that this process has used.
func processor() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
