package hold

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A killed controller's environment is healed and torn down by its holder, with no recovery.
func TestLeaseEndsWithTheController(t *testing.T) {
	t.Parallel()
	c := startController(t)
	began := time.Now()
	c.signal(syscall.SIGKILL)
	eventually(t, "nothing is left", func() bool { return len(leftovers(c.info)) == 0 })
	t.Logf("clean %v after the kill", time.Since(began).Round(time.Millisecond))
	wantJournal(t, c.sys, "set-rule slow [a-1 -> b-1] cut 0s", "pause a-1", "clear-rule slow", "resume a-1", "close")
}

// A controller that is stopped loses the lease, and learns it when it is continued.
func TestLeaseEndsWithSilence(t *testing.T) {
	t.Parallel()
	c := startController(t)
	began := time.Now()
	c.signal(syscall.SIGSTOP)
	eventually(t, "nothing is left", func() bool { return len(leftovers(c.info)) == 0 })
	took := time.Since(began)
	t.Logf("clean %v after the stop", took.Round(time.Millisecond))
	if took < defaultLease-2*pingEvery {
		t.Errorf("torn down after %v, before the lease was over", took)
	}
	wantJournal(t, c.sys, "set-rule slow [a-1 -> b-1] cut 0s", "pause a-1", "clear-rule slow", "resume a-1", "close")
	c.signal(syscall.SIGCONT)
	c.in.Write([]byte("\n"))
	if line := c.line(); !strings.Contains(line, "was torn down: its controller was silent for 2") {
		t.Errorf("the first call of the controller that came back: %q", line)
	}
}

// Pings that wait unread while the holder itself was stopped are not the controller's silence.
func TestLeaseOutlivesAStoppedHolder(t *testing.T) {
	t.Parallel()
	opts := testOptions(t)
	opts.Lease = 2 * time.Second // as by default: a busy machine pings late
	env := mustStart(t, "fake", testSystem(t, "a"), opts)
	if err := syscall.Kill(env.Info().PID, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	timer := time.NewTimer(3 * opts.Lease)
	<-timer.C // real time must pass here
	if err := syscall.Kill(env.Info().PID, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if _, err := env.Snapshot(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLeaseWatch(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if silent := newLease(time.Hour).watch(ctx); silent != 0 {
		t.Errorf("ended: got %v, want 0", silent)
	}
	if silent := newLease(time.Millisecond).watch(t.Context()); silent < time.Millisecond {
		t.Errorf("never renewed: got %v", silent)
	}
}
