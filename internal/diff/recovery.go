package diff

import (
	"errors"
	"time"

	"github.com/assay-dev/assay/check/slo"
	"github.com/assay-dev/assay/history"
)

// recovery reduces how long the journeys took to be well again. A run gives one number of it.
func (r *reduction) recovery() {
	inject, heal, end := faultTimes(r.in.Events)
	if inject < 0 || end < 0 {
		return
	}
	p := phase{name: wholePhase, from: inject, to: end}
	if heal < 0 || heal > end {
		return // a fault that was not healed under load has no recovery
	}
	found, err := slo.Recover(r.in, nil, inject, heal, end)
	fromInject, fromHeal := estimate{value: found.FromInject.Seconds(), n: 1}, estimate{value: found.FromHeal.Seconds(), n: 1}
	switch {
	case errors.Is(err, slo.ErrNotRecovered):
		fromInject, fromHeal = estimate{value: (end - inject).Seconds(), n: 1, least: true}, estimate{value: (end - heal).Seconds(), n: 1, least: true}
	case err != nil:
		fromInject, fromHeal = estimate{lacks: err.Error()}, estimate{lacks: err.Error()}
	}
	r.put(p, allJourneys, FromInject, fromInject)
	r.put(p, allJourneys, FromHeal, fromHeal)
}

// faultTimes returns the first inject, the last heal and the end of the load, -1 for what did not happen.
func faultTimes(events []history.Event) (inject, heal, end time.Duration) {
	inject, heal, end = -1, -1, -1
	for _, e := range events {
		switch {
		case e.Kind == history.Inject && (inject < 0 || e.At < inject):
			inject = e.At
		case e.Kind == history.Heal:
			heal = max(heal, e.At)
		case e.Kind == history.Phase && e.Name == "drain" && end < 0:
			end = e.At
		}
	}
	return inject, heal, end
}
