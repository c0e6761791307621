package sim

import (
	"testing"
)

func TestModes(t *testing.T) {
	t.Parallel()
	seen := map[uint64]int{}
	for seed := range uint64(1000) {
		m := modeOf(seed)
		seen[m.kind]++
		got, err := parseMode(m.String())
		if err != nil || got != m {
			t.Fatalf("parseMode(%q) = %+v, %v, want %+v", m, got, err, m)
		}
	}
	for _, kind := range []uint64{fifo, uniform, pct, pos} {
		if seen[kind] < 40 {
			t.Errorf("of 1000 seeds %d have mode %v", seen[kind], mode{kind: kind})
		}
	}
	if _, err := parseMode("random"); err == nil {
		t.Error("a mode that does not exist is taken")
	}
}

// Zero options have limits, and those below zero have none.
func TestOptions(t *testing.T) {
	t.Parallel()
	var c config
	Options{}.fill(&c)
	if want := (config{quantum: 1e6, maxTime: 24 * 3600e9, maxSteps: 20e6, stall: 120e9}); c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
	Options{Quantum: -1, Limit: -1, Steps: 7, Stall: -1}.fill(&c)
	if want := (config{maxSteps: 7}); c != want {
		t.Errorf("got %+v, want %+v", c, want)
	}
}

func TestParseSettings(t *testing.T) {
	t.Parallel()
	got := parseSettings("seed=7;step=0;mode=pct/2/64;report=/tmp/r;record=/tmp/d;replay=/tmp/o;overrides=3")
	want := settings{seed: 7, mode: "pct/2/64", report: "/tmp/r", record: "/tmp/d", replay: "/tmp/o", overrides: 3}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := parseSettings("1"); got != (settings{step: 1}) {
		t.Errorf("got %+v", got)
	}
}

// Without the overlay the simulation runs, on synctest alone, and hosts skip the test.
func TestPlain(t *testing.T) {
	if built {
		t.Skip("this binary has the overlay")
	}
	ran := false
	Run(t, func(s *Sim) {
		ran = !s.Seeded() && s.Seed() == 0
		Always(true, "holds")
		Sometimes(true, "seen")
		s.Event("event")
	})
	if !ran {
		t.Error("it did not run, or says that it was seeded")
	}
	var skipped bool
	t.Run("hosts", func(t *testing.T) {
		t.Cleanup(func() { skipped = t.Skipped() })
		Run(t, func(s *Sim) {
			s.Host("a")
			t.Error("a host without the overlay")
		})
	})
	if !skipped {
		t.Error("a test with hosts was not skipped")
	}
}
