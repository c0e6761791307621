package consistency

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// Converged returns the checker that the instances of a service agree once all
// faults are healed: that their last answers to the probe "position" after the
// last heal are equal. It is unknown unless each instance that is named by the
// run's events answered after the heal, and there are at least two.
func Converged(service string) check.Checker {
	return &checker{"converged", service, "", judgeConverged}
}

func judgeConverged(_ context.Context, service string, in check.Input) check.Result {
	healed, err := lastHeal(in.Events)
	if err != nil {
		return unknown("%v", err)
	}
	positions := positions(in, service, healed)
	var lines []string
	var silent []string
	distinct := map[string]bool{}
	for _, instance := range slices.Sorted(maps.Keys(positions)) {
		value := positions[instance]
		if value.IsNil() {
			silent = append(silent, instance)
			continue
		}
		distinct[text(value)] = true
		lines = append(lines, fmt.Sprintf("%s=%v", instance, value))
	}
	switch answers := strings.Join(lines, " "); {
	case len(lines) == 0:
		return unknown("no instance of %q answered the probe \"position\" after the last heal", service)
	case len(positions) < 2:
		return unknown("%q has one instance only: %s", service, answers)
	case len(distinct) > 1:
		res := fail(nil, "the instances of %q differ after the last heal: %s", service, answers)
		res.Limit, res.Measured = "1 position", fmt.Sprintf("%d positions", len(distinct))
		return res
	case len(silent) > 0:
		return unknown("%s did not answer the probe \"position\" after the last heal (%s)", strings.Join(silent, ", "), answers)
	default:
		res := pass("all %d instances of %q agree: %s", len(lines), service, answers)
		res.Limit, res.Measured = "1 position", "1 position"
		return res
	}
}

// lastHeal returns when the last fault was healed, and 0 where none was injected.
func lastHeal(events []history.Event) (time.Duration, error) {
	var healed time.Duration
	injected, any := false, false
	for _, event := range events {
		switch event.Kind {
		case history.Inject:
			injected = true
		case history.Heal:
			any = true
			healed = max(healed, event.At)
		}
	}
	if injected && !any {
		return 0, fmt.Errorf("a fault was injected and none was healed")
	}
	return healed, nil
}

// positions returns the last position of each instance that the events name, nil for
// those that did not answer after the heal.
func positions(in check.Input, service string, healed time.Duration) map[string]history.Value {
	last := map[string]history.Value{}
	at := map[string]time.Duration{}
	for _, event := range in.Events {
		if event.Kind != history.Probe && event.Kind != history.State || serviceOf(in, event.Target) != service {
			continue
		}
		if _, ok := last[event.Target]; !ok {
			last[event.Target] = history.Value{}
		}
		if event.Kind == history.Probe && event.Name == "position" && event.At >= healed && event.At >= at[event.Target] {
			last[event.Target], at[event.Target] = event.Value, event.At
		}
	}
	return last
}

func serviceOf(in check.Input, instance string) string {
	if in.Service == nil {
		return instance
	}
	return in.Service(instance)
}
