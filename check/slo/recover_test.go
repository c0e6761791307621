package slo

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// Operations are one a second, as in journeys; the inject is at 3 s and the heal at 6 s.
func TestRecover(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, ops            string
		fromInject, fromHeal time.Duration
		err                  error
	}{
		{"none was hurt", "kkkkkkkkkkkk", 0, 0, nil},
		{"what was bad before the inject does not count", "fffkkkkkkkkk", 0, 0, nil},
		{"hurt while injected only", "kkkfffkkkkkk", 2, 0, nil},
		{"well again before the heal", "kkkfkkkkkkkk", 0, 0, nil},
		{"hurt after the heal too", "kkkfffffkkkk", 4, 1, nil},
		{"a relapse counts", "kkkfkkkkmkkk", 5, 2, nil},
		{"degraded is well", "kkkfddddkkdd", 0, 0, nil},
		{"the last one is bad", "kkkfffkkkkkf", 0, 0, ErrNotRecovered},
		{"the last one is unknown", "kkkfffkkkkkm", 0, 0, ErrNotRecovered},
		{"bad to the end", "kkkfffffffff", 0, 0, ErrNotRecovered},
		{"nothing driven after the heal", "kkkfff", 0, 0, ErrNoData},
		{"nothing driven after the inject", "kkk", 0, 0, ErrNoData},
		{"the driver fell silent, its last one bad", "kkkfffkkf   ", 0, 0, ErrNotRecovered},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := Recover(journeys(tt.ops), []string{"j"}, 3*time.Second, 6*time.Second, 12*time.Second)
			want := Recovery{tt.fromInject * time.Second, tt.fromHeal * time.Second}
			if got != want || !errors.Is(err, tt.err) || err != nil && tt.err == nil {
				t.Errorf("Recover = %+v, %v, want %+v, %v", got, err, want, tt.err)
			}
		})
	}
}

func TestRecoverTail(t *testing.T) {
	t.Parallel()
	// 60 operations after the heal, one a second: the last tenth is six of them.
	ops := strings.Repeat("k", 54) + "fkkkkk"
	if _, err := Recover(journeys(ops), nil, 0, 0, 60*time.Second); !errors.Is(err, ErrNotRecovered) {
		t.Errorf("one of the last tenth is bad: %v", err)
	}
	ops = strings.Repeat("k", 53) + "fkkkkkk"
	if r, err := Recover(journeys(ops), nil, 0, 0, 60*time.Second); err != nil || r.FromHeal != 53*time.Second {
		t.Errorf("the last tenth is well: %+v, %v", r, err)
	}
	// The last second holds more than a tenth: ten a second, for two seconds.
	in := journeys(strings.Repeat("k", 11) + "f" + strings.Repeat("k", 8))
	for i := range in.Ops {
		in.Ops[i].Scheduled /= 10
	}
	if _, err := Recover(in, nil, 0, 0, 2*time.Second); !errors.Is(err, ErrNotRecovered) {
		t.Errorf("one of the last second is bad: %v", err)
	}
}

// A rare journey that stays broken is not outvoted by a busy one.
func TestRecoverAsksEachJourney(t *testing.T) {
	t.Parallel()
	in := journeys(strings.Repeat("k", 100))
	in.Ops = append(in.Ops, history.Op{Journey: "rare", Outcome: history.Failed, Scheduled: 60 * time.Second})
	for _, journeys := range [][]string{nil, {"j", "rare"}} {
		if _, err := Recover(in, journeys, time.Second, 2*time.Second, 0); !errors.Is(err, ErrNotRecovered) {
			t.Errorf("Recover of %q: %v", journeys, err)
		}
	}
	if _, err := Recover(in, []string{"j"}, time.Second, 2*time.Second, 0); err != nil {
		t.Errorf("Recover of j alone: %v", err)
	}
	if _, err := Recover(in, []string{"j", "absent"}, time.Second, 2*time.Second, 0); !errors.Is(err, ErrNoData) {
		t.Errorf("Recover of a journey that nobody drove: %v", err)
	}
}

func TestRecoverWithoutHeal(t *testing.T) {
	t.Parallel()
	if _, err := Recover(journeys("kkkkkk"), nil, 3*time.Second, 0, 0); !errors.Is(err, ErrNoData) {
		t.Errorf("never healed: %v", err)
	}
	if _, err := Recover(check.Input{}, nil, 0, 0, 0); !errors.Is(err, ErrNoData) {
		t.Errorf("no operations at all: %v", err)
	}
}
