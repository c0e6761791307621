package proto

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/contract"
)

// benchTree returns a tree of 1,000 messages in 50 files, and what changes made of it.
func benchTree(mutations int) (old, new map[string]string) {
	g := newGenTree(1, 50, 10) // each message has one within
	old = g.print()
	for range mutations {
		g.mutate()
	}
	return old, g.print()
}

// BenchmarkBuf compares trees of 1,000 messages, by turns with us and with buf's native binary, and reports both medians
// and their ratio. buf reads files from disk, and so do we; it starts a process, and we do not.
func BenchmarkBuf(b *testing.B) {
	bin := bufBinary(b)
	for _, mutations := range []int{1, 300} {
		b.Run(fmt.Sprintf("mutations=%d", mutations), func(b *testing.B) {
			old, new := benchTree(mutations)
			oldDir, newDir := writeTree(b, old), writeTree(b, new)
			config := `{"version":"v2","breaking":{"use":["WIRE_JSON"]}}`
			env := append(os.Environ(), "BUF_CACHE_DIR="+b.TempDir())
			var ours, theirs []time.Duration
			for b.Loop() {
				start := time.Now()
				if _, err := DiffRules(b.Context(), folder(oldDir), folder(newDir), contract.Options{}, Rules{Use: []string{WireJSON}}); err != nil {
					b.Fatal(err)
				}
				ours = append(ours, time.Since(start))
				cmd := exec.Command(bin, "breaking", ".", "--config", config, "--against", oldDir, "--against-config", config, "--error-format", "json")
				cmd.Dir, cmd.Env = newDir, env
				start = time.Now()
				if err := cmd.Run(); cmd.ProcessState == nil {
					b.Fatal(err)
				}
				theirs = append(theirs, time.Since(start))
			}
			b.ReportMetric(float64(median(ours).Microseconds())/1000, "ours-ms")
			b.ReportMetric(float64(median(theirs).Microseconds())/1000, "buf-ms")
			b.ReportMetric(float64(median(ours))/float64(median(theirs)), "ratio")
		})
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
