package simtest

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// near reports whether two durations differ by a quantum at most.
func near(a, b time.Duration) bool { return max(a-b, b-a) <= time.Millisecond }

// A clock that runs fast shows more time than has passed, and its owner's waits are over early; one that runs slow the other way round.
func TestDrift(t *testing.T) {
	for name, ppm := range map[string]int{"fast": 100_000, "slow": -100_000, "a little fast": 500, "exact": 0} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, func(s *sim.Sim) {
				h := s.Host("h")
				h.Clock(time.Hour)
				h.Drift(ppm)
				runs := func(d time.Duration) time.Duration { return time.Duration(float64(d) * 1e6 / float64(1e6+ppm)) }
				h.Do(func() {
					for what, f := range waitsOf(s) {
						shown, passed := time.Now(), s.Now()
						f(10 * time.Second)
						if got := time.Since(shown); !near(got, 10*time.Second) {
							t.Errorf("%s: its clock shows %v, want 10s", what, got)
						}
						if got, want := s.Now()-passed, runs(10*time.Second); !near(got, want) {
							t.Errorf("%s: it took %v, want %v", what, got, want)
						}
					}
				})
			})
		})
	}
}

// waitsOf are ways to wait for a time.
func waitsOf(s *sim.Sim) map[string]func(d time.Duration) {
	return map[string]func(d time.Duration){
		"sleep": time.Sleep,
		"timer": func(d time.Duration) { <-time.NewTimer(d).C },
		"reset": func(d time.Duration) {
			timer := time.NewTimer(time.Hour)
			timer.Reset(d)
			<-timer.C
		},
		"ticker": func(d time.Duration) {
			tick := time.NewTicker(d / 100)
			defer tick.Stop()
			for range 100 {
				<-tick.C
			}
		},
		"context": func(d time.Duration) {
			ctx, cancel := context.WithTimeout(context.Background(), d)
			defer cancel()
			<-ctx.Done()
		},
		"deadline": func(d time.Duration) {
			pc, err := net.ListenPacket("udp", ":0")
			if err != nil {
				s.T().Error(err)
				return
			}
			defer pc.Close()
			pc.SetReadDeadline(time.Now().Add(d))
			if _, _, err := pc.ReadFrom(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				s.T().Error(err)
			}
		},
	}
}

// A wall clock that is set moves no duration: what was measured, how long a wait takes, when a deadline is over. It is seen in what
// a clock shows, and in times of other hosts, and so of another life of the same.
func TestClockIsSet(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h, other := s.Host("h"), s.Host("other")
		var before, after, others time.Time
		h.Do(func() {
			for _, ahead := range []time.Duration{time.Hour, -10 * time.Minute, 0} {
				before = time.Now()
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				shown := before.Round(0)
				h.Clock(ahead)
				if got := time.Until(must(ctx.Deadline())); got != time.Minute {
					t.Errorf("set to %v: a deadline is %v away, want 1m", ahead, got)
				}
				<-ctx.Done()
				cancel()
				after = time.Now()
				if got := after.Sub(before); got != time.Minute || time.Since(before) != got || !after.After(before) {
					t.Errorf("set to %v: %v passed, want 1m", ahead, got)
				}
				if got, want := after.Round(0).Sub(shown), time.Minute; ahead == time.Hour && got != want+time.Hour || ahead < 0 && got != want-70*time.Minute {
					t.Errorf("set to %v: its clock shows %v more", ahead, got)
				}
			}
			h.Clock(time.Hour)
			before = time.Now()
		})
		other.Do(func() { others = time.Now() })
		h.Restart()
		h.Do(func() { h.Clock(0); after = time.Now() })
		if got := before.Sub(others); !near(got, time.Hour) {
			t.Errorf("one host's clock is %v ahead of the other's, want 1h", got)
		}
		if got := before.Sub(after); !near(got, time.Hour) {
			t.Errorf("the clock was %v ahead before the restart, want 1h", got)
		}
	})
}

func must[T any](v T, ok bool) T {
	if !ok {
		panic("not there")
	}
	return v
}

// What a drift is too small for stays as it was, a clock goes on over a restart, and others' clocks are their own.
func TestDriftElsewhere(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		h := s.Host("h")
		h.Drift(-200)
		h.Do(func() {
			for range 100 {
				time.Sleep(time.Millisecond)
			}
			if got := s.Now(); got != 100*time.Millisecond {
				t.Errorf("a hundred sleeps of 1ms took %v", got)
			}
		})
		time.Sleep(10_000*time.Second - s.Now())
		h.Crash()
		time.Sleep(10_000 * time.Second)
		h.Restart()
		now := time.Now()
		h.Do(func() {
			if got := time.Until(now); !near(got, 4*time.Second) {
				t.Errorf("after 20,000s with 200 ppm it is %v behind, want 4s", got)
			}
		})
		s.Host("other").Do(func() {
			if got := time.Since(now); got > time.Second {
				t.Errorf("the other host's clock is off by %v", got)
			}
		})
		h.Drift(0)
		time.Sleep(10_000 * time.Second)
		now = time.Now()
		h.Do(func() {
			if got := time.Until(now); !near(got, 4*time.Second) {
				t.Errorf("it drifts on: %v", got)
			}
		})
	})
}

// Instants are multiples of the quantum, unless there is none.
func TestQuantum(t *testing.T) {
	for _, tt := range []struct{ quantum, sleep, want time.Duration }{
		{0, 1, time.Millisecond},
		{0, time.Millisecond, time.Millisecond},
		{0, 1500 * time.Microsecond, 2 * time.Millisecond},
		{5 * time.Millisecond, 6 * time.Millisecond, 10 * time.Millisecond},
		{-1, 1, 1},
	} {
		t.Run(tt.sleep.String()+" by "+tt.quantum.String(), func(t *testing.T) {
			sim.RunWith(t, sim.Options{Quantum: tt.quantum}, func(s *sim.Sim) {
				time.Sleep(tt.sleep)
				if got := s.Now(); s.Seeded() && got != tt.want {
					t.Errorf("a sleep of %v with a quantum of %v took %v, want %v", tt.sleep, tt.quantum, got, tt.want)
				}
			})
		})
	}
}
