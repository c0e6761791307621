package scaffold

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/internal/schema"
)

// A proposed experiment is one file of the plan.
type proposed struct{ name, text string }

// experiments proposes four, each of which holds for a healthy system. Only the first names modes that count: the
// others prove a mode where the journey goes through what they break, which nobody knows yet.
func (t *topology) experiments(entry *service) []proposed {
	all := []proposed{killed(entry)}
	needs := slices.Clone(entry.needs)
	slices.SortStableFunc(needs, func(a, b *service) int { return rank(a) - rank(b) })
	if len(needs) == 0 {
		return append(all, paused(entry), slow("client", entry, entry), refusing("client", entry, entry))
	}
	at := func(i int) *service { return needs[i%len(needs)] }
	return append(all, dependencyKilled(entry, at(0)), slow(entry.Name, at(1), entry), refusing(entry.Name, at(2), entry))
}

// rank puts stores before brokers and caches, and those before other services: what keeps data is asked first.
func rank(s *service) int {
	order := []string{"postgres", "redis", "nats"}
	if i := slices.Index(order, s.kind); i >= 0 {
		return i
	}
	return len(order)
}

// file writes what all experiments share around their own lines.
func file(j, title, own string) string {
	return fmt.Sprintf(`# yaml-language-server: $schema=%s
title: %s
load: {%s: 20/s}
steady: ['success("%[3]s") >= 0.99']   # before the fault, and again when it is healed
%[4]s`, schema.URL("experiment"), title, j, strings.ReplaceAll(own, "JOURNEY", j))
}

func killed(s *service) proposed {
	return proposed{s.Name + "-killed", file(s.answers(), fmt.Sprintf("%s comes back after it was killed", s.Name),
		fmt.Sprintf(`expect: ['recovery.from_heal_s < 5.0']
method: [{at: 2s, for: 1s, fault: "kill(%s, mode=one)"}]   # with two replicas, add: during: ['success("JOURNEY") >= 0.9']
settle: 2s
after: 2s
covers: {JOURNEY: [restart]}
`, s.Name))}
}

func paused(s *service) proposed {
	return proposed{s.Name + "-paused", file(s.answers(), fmt.Sprintf("%s answers again after it stood still", s.Name),
		fmt.Sprintf(`expect: ['recovery.from_heal_s < 3.0']
method: [{at: 2s, for: 1s, fault: "pause(%s, mode=one)"}]   # as a long garbage collection, or a machine that swaps
settle: 2s
after: 2s
`, s.Name))}
}

// failover is what replaces dependencyKilled where somebody can take over.
func failover(entry, s *service) proposed {
	return proposed{s.Name + "-failover", file(entry.through(), fmt.Sprintf("Another instance of %s takes over when the one that leads dies", s.Name),
		fmt.Sprintf(`expect: ['recovery.from_inject_s < 15.0', 'converged("%[1]s")']
method: [{at: 2s, for: 8s, fault: "kill(%[1]s[role=leader], mode=one)"}]
settle: 4s
after: 2s
covers: {JOURNEY: [failover]}
`, s.Name))}
}

func dependencyKilled(entry, s *service) proposed {
	if s.stands {
		return failover(entry, s)
	}
	return proposed{s.Name + "-killed", file(entry.through(), fmt.Sprintf("%s is well again when %s is back", entry.Name, s.Name),
		fmt.Sprintf(`expect: ['recovery.from_heal_s < 10.0']
method: [{at: 2s, for: 2s, fault: "kill(%s, mode=one)"}]
# If %[2]s shall do without %[1]s for a while, say so, and it is checked:
#   during: ['success("JOURNEY") >= 0.99']
settle: 4s
after: 2s
`, s.Name, entry.Name))}
}

func slow(from string, to, entry *service) proposed {
	return proposed{slowName(from, to), file(entry.through(), fmt.Sprintf("%s answers in time when %s is slow", entry.Name, reached(from, to)),
		fmt.Sprintf(`during: ['success("JOURNEY") >= 0.99', 'p95_ms("JOURNEY") < 1500']
method: [{at: 2s, for: 3s, fault: "delay(%[1]s -> %[2]s, 100ms)"}]
# Unknown, because nothing was observed? Then the journey does not go there: let it.
# To prove the mode timeout, make the delay longer than your deadline, and "for" longer than the delay; let the step say
# what it then answers (degraded: …), and add: covers: {JOURNEY: [timeout]}
settle: 2s
after: 2s
`, from, to.Name))}
}

func slowName(from string, to *service) string {
	if from == "client" {
		return to.Name + "-far-away"
	}
	return to.Name + "-slow"
}

func reached(from string, to *service) string {
	if from == "client" {
		return "the network to it"
	}
	return to.Name
}

func refusing(from string, to, entry *service) proposed {
	title := fmt.Sprintf("%s reconnects when %s resets its connections", entry.Name, to.Name)
	if from == "client" {
		title = fmt.Sprintf("%s takes connections again after it reset them", entry.Name)
	}
	return proposed{to.Name + "-refusing", file(entry.through(), title,
		fmt.Sprintf(`expect: ['recovery.from_heal_s < 3.0']
# Short and often: a caller that tries again gets through. Where yours does, say so, and it is checked:
#   during: ['success("JOURNEY") >= 0.95']
#   covers: {JOURNEY: [retry]}
method:
  - {at: 2s, for: 200ms, fault: "refuse(%[1]s -> %[2]s)"}
  - {at: 3s, for: 200ms, fault: "refuse(%[1]s -> %[2]s)"}
  - {at: 4s, for: 200ms, fault: "refuse(%[1]s -> %[2]s)"}
settle: 2s
after: 2s
`, from, to.Name))}
}
