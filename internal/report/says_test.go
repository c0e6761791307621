package report

import (
	"strings"
	"testing"
)

// Each check of an object says in words what it measures, and of what.
func TestSays(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"no_lost", "once", "ordered", "linearizable", "sequential", "monotonic_reads", "read_your_writes", "monotonic_writes", "writes_follow_reads",
		"read_uncommitted", "read_committed", "repeatable_read", "snapshot_isolation", "serializable", "strict_serializable"} {
		if got := says(name + `("ledger")`); !strings.Contains(got, "ledger") || strings.Contains(got, "%") {
			t.Errorf("%s: got %q", name, got)
		}
	}
	if got, want := says(`linearizable("ledger", "kv")`), "order of the operations on ledger, in real time, as a kv"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := says(`unheard_of("ledger")`); got != "" {
		t.Errorf("got %q for a check that has no words", got)
	}
}
