package experiment

import (
	"context"
	"slices"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/system"
	"github.com/assay-dev/assay/workload"
)

// under returns the environment that action i is injected into: where its fault asks for the load, the experiment's own
// driver offers that.
func (r *run) under(i int, f fault.Fault) system.Env {
	if !slices.Contains(f.Powers(), "Surger") {
		return r.env
	}
	l := &loaded{Env: r.env, run: r, from: r.x.Method[i].At, to: r.x.ends()[i]}
	if r.opts.Control { // never healed
		l.to = 0
	}
	return l
}

// loaded is an environment under load. What a surge adds is bounded by the times of its action and not by the moment at
// which somebody got to inject and heal it, so that one seed gives the same arrivals in every run.
type loaded struct {
	system.Env
	run      *run
	from, to time.Duration
}

func (l *loaded) Surge(_ context.Context, id, journey string, factor float64) error {
	return l.run.drive.Surge(id, workload.Surge{Journey: journey, Factor: factor, From: l.from, To: l.to})
}

func (l *loaded) Calm(_ context.Context, id string) error {
	l.run.drive.Calm(id)
	return nil
}

// Arrivals reads what was recorded, and asks for what is still under way: in an overload that may be most of it.
func (l *loaded) Arrivals(context.Context) (system.Arrivals, error) {
	open := l.run.drive.Open() // first: what ends meanwhile is found among the records
	arrivals := system.Arrivals{Now: l.run.rec.now(), Due: map[string][]time.Duration{}}
	for _, journey := range l.run.drive.Loaded() {
		arrivals.Due[journey] = nil
	}
	seen := map[workload.Open]bool{}
	l.run.rec.each(func(journey string, scheduled time.Duration) {
		arrivals.Due[journey] = append(arrivals.Due[journey], scheduled)
		seen[workload.Open{Journey: journey, Scheduled: scheduled}] = true
	})
	for _, o := range open {
		if !seen[workload.Open{Journey: o.Journey, Scheduled: o.Scheduled}] {
			arrivals.Due[o.Journey] = append(arrivals.Due[o.Journey], o.Scheduled)
		}
	}
	return arrivals, nil
}
