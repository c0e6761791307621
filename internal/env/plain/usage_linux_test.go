package plain_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/telemetry"
)

// series reads what was recorded so far, as a map from name and instance to the last value.
func lastValues(t *testing.T, dir string) map[string]float64 {
	t.Helper()
	file, err := os.Open(filepath.Join(dir, "series.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	series, err := telemetry.ReadAll(file)
	if err != nil && !errors.Is(err, telemetry.ErrCut) {
		t.Fatal(err)
	}
	last := map[string]float64{}
	for _, s := range series {
		last[s.Name+" "+s.Labels["instance"]] = s.Points[len(s.Points)-1].Value
	}
	return last
}

// What an instance uses is recorded with that of a process that left its group and its parent.
func TestRecordsUsage(t *testing.T) {
	t.Parallel()
	busy := system.Service{Name: "busy", Replicas: 1, Process: system.Process{Command: []string{"sh", "-c",
		`(setsid sh -c 'exec 7</dev/null; while :; do :; done' &) ; exec sleep 1000`}}}
	opts := options(t)
	opts.Client = os.Getpid() // of this test, which is the holder, too
	env := startWith(t, of(busy, serve("idle", 1)), opts)
	dir := record(t, env)
	var last map[string]float64
	deadline := time.Now().Add(patience)
	for last["cpu_seconds busy-1"] < 0.05 {
		if time.Now().After(deadline) {
			t.Fatalf("after %v: %v", patience, last)
		}
		time.Sleep(50 * time.Millisecond)
		last = lastValues(t, dir)
	}
	if err := env.StopRecording(t.Context()); err != nil {
		t.Fatal(err)
	}
	last = lastValues(t, dir)
	for _, tt := range []struct {
		name     string
		from, to float64
	}{
		{"rss_bytes busy-1", 1 << 17, 64 << 20}, {"threads busy-1", 2, 2}, {"open_fds busy-1", 6, 20},
		{"cpu_seconds idle-1", 0, 1}, {"rss_bytes idle-1", 1 << 20, 256 << 20}, {"threads idle-1", 3, 100}, {"open_fds idle-1", 4, 50},
		{"rss_bytes client", 1 << 20, 1 << 31},
	} {
		if got, ok := last[tt.name]; !ok || got < tt.from || got > tt.to {
			t.Errorf("%s: got %v, want %v to %v", tt.name, got, tt.from, tt.to)
		}
	}
}

// What one look at all instances costs, on a machine with as many processes as there are.
func BenchmarkLook(b *testing.B) {
	env := benchEnv(b, 0)
	defer closeBench(b, env)
	look := plain.LookForBench(env)
	for b.Loop() {
		if err := look(); err != nil {
			b.Fatal(err)
		}
	}
}
