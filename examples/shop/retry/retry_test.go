package retry_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/assay-dev/assay/examples/shop/retry"
)

func TestPause(t *testing.T) {
	t.Parallel()
	p := retry.Policy{Base: 100 * time.Millisecond, Max: 500 * time.Millisecond}
	for _, c := range []struct {
		name    string
		attempt int
		dice    float64
		want    time.Duration
	}{
		{"the luckiest do not wait", 3, 0, 0},
		{"half of the base", 0, 0.5, 50 * time.Millisecond},
		{"doubled", 2, 0.5, 200 * time.Millisecond},
		{"no longer than the limit", 9, 1, 500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := p.Pause(c.attempt, func() float64 { return c.dice }); got != c.want {
				t.Errorf("Pause(%d) with dice %v: got %v, want %v", c.attempt, c.dice, got, c.want)
			}
		})
	}
}

func TestDo(t *testing.T) {
	t.Parallel()
	passing, fatal := errors.New("passing"), errors.New("fatal")
	policy := retry.Policy{Attempts: 3, Base: time.Second}
	for _, c := range []struct {
		name    string
		answers []error
		want    error
		calls   int
		took    time.Duration // with dice at one half: 0.5 s, then 1 s
	}{
		{"works", []error{nil}, nil, 1, 0},
		{"works in the end", []error{passing, passing, nil}, nil, 3, 1500 * time.Millisecond},
		{"gives up", []error{passing, passing, passing}, passing, 3, 1500 * time.Millisecond},
		{"does not repeat what will not pass", []error{passing, fatal}, fatal, 2, 500 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				start, calls := time.Now(), 0
				err := policy.Do(t.Context(), func() float64 { return 0.5 }, func(err error) bool { return err == passing },
					func(context.Context) error { calls++; return c.answers[calls-1] })
				if err != c.want || calls != c.calls || time.Since(start) != c.took {
					t.Errorf("got %v after %d calls in %v, want %v after %d in %v", err, calls, time.Since(start), c.want, c.calls, c.took)
				}
			})
		})
	}
}

func TestDoEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		down := errors.New("down")
		err := retry.Policy{Base: time.Second}.Do(ctx, func() float64 { return 1 }, func(error) bool { return true },
			func(context.Context) error { return down })
		if err != down || ctx.Err() == nil {
			t.Errorf("got %v with context %v, want the last error at the context's end", err, ctx.Err())
		}
	})
}
