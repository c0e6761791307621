package payments

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// inside is how many can be served or wait.
const inside = acquirer + acquirerRoom

// callers talk at the same time, each with a patience, and return how many got which answer.
func callers(l lines, n int, patience time.Duration) map[codes.Code]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	answers := map[codes.Code]int{}
	for range n {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			err := l.talk(ctx)
			mu.Lock()
			defer mu.Unlock()
			answers[status.Code(err)]++
		})
	}
	all.Wait()
	return answers
}

func TestLinesTurnAwayWhomTheyCannotServe(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, start := newLimited(), time.Now()
		got := callers(l, 30, time.Second)
		if got[codes.OK] != inside || got[codes.ResourceExhausted] != 30-inside {
			t.Errorf("of 30 at once: %v", got)
		}
		if took := time.Since(start); took != 180*time.Millisecond {
			t.Errorf("the last was served after %v, want 180ms", took)
		}
		if got := callers(l, 1, time.Second); got[codes.OK] != 1 {
			t.Errorf("afterwards: %v", got)
		}
	})
}

func TestWhoLeavesTheRoomLeavesHisPlace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLimited()
		if got := callers(l, inside, 10*time.Millisecond); got[codes.DeadlineExceeded] != inside {
			t.Errorf("with little patience: %v", got)
		}
		if got := callers(l, inside, time.Second); got[codes.OK] != inside {
			t.Errorf("afterwards: %v", got)
		}
	})
}

// The queue serves those who left, so that those who come later leave, too.
func TestNoLimitServesThoseWhoLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l, start := newEndless(), time.Now()
		got := callers(l, 10*acquirer, 310*time.Millisecond)
		if got[codes.OK] != 5*acquirer || got[codes.DeadlineExceeded] != 5*acquirer {
			t.Errorf("of %d at once: %v, want half of them served within 310 ms, and none turned away", 10*acquirer, got)
		}
		if took := time.Since(start); took != 600*time.Millisecond {
			t.Errorf("the lines were taken for %v, want 600ms: those who left are served, too", took)
		}
	})
}
