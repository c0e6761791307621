package workload_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/assay-dev/assay/workload"
)

// BenchmarkDrive makes runs of one HTTP step against a server in this process
// at 5,000/s, and reports how late they began. The time of a run is not its result:
// the schedule decides that.
func BenchmarkDrive(b *testing.B) {
	url := serve(b, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") })
	j := workload.Journey{Name: "get", Steps: []workload.Step{{Call: "GET " + url, Expect: "status == 200"}}}
	for b.Loop() {
		stats, err := workload.Drive(b.Context(), workload.Options{Journeys: []workload.Journey{j}, Seed: seed,
			Load: []workload.Load{{Journey: "get", Rate: 5000}}, Duration: 3 * time.Second})
		if err != nil || stats.OK != stats.Runs {
			b.Fatal(stats, err)
		}
		b.ReportMetric(float64(stats.Lateness.P50.Microseconds()), "p50-late-µs")
		b.ReportMetric(float64(stats.Lateness.P99.Microseconds()), "p99-late-µs")
	}
}
