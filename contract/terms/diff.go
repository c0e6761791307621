package terms

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// Diff compares two versions of terms. A witness is a schedule that one of them allows and the other refuses: of moments, one a line.
func Diff(ctx context.Context, old, new contract.Source, opts contract.Options) (contract.Diff, error) {
	d := contract.Diff{Contract: opts.Contract, Kind: contract.Terms, Old: old.Name, New: new.Name, Seed: opts.Seed}
	before, err := Read(ctx, old)
	if err != nil {
		return d, err
	}
	after, err := Read(ctx, new)
	if err != nil {
		return d, err
	}
	c := comparison{&d}
	for _, pair := range match(before, after, func(t Terms) string { return t.Service }) {
		if err := ctx.Err(); err != nil {
			return d, err
		}
		c.service(pair.old, pair.new)
	}
	if len(before)+len(after) == 0 {
		d.Gaps = append(d.Gaps, contract.Gap{Contract: opts.Contract, Subject: new.Name, Why: "neither version declares terms"})
	}
	d.Sort()
	return d, nil
}

// A pair is what has the same name in both versions; nil where one has none.
type pair[T any] struct{ old, new *T }

// match pairs by name, in the order of the new version, and then what only the old has.
func match[T any](old, new []T, name func(T) string) []pair[T] {
	before := map[string]*T{}
	for i := range old {
		before[name(old[i])] = &old[i]
	}
	var all []pair[T]
	for i := range new {
		all = append(all, pair[T]{before[name(new[i])], &new[i]})
		delete(before, name(new[i]))
	}
	for i := range old {
		if before[name(old[i])] == &old[i] {
			all = append(all, pair[T]{&old[i], nil})
		}
	}
	return all
}

type comparison struct{ *contract.Diff }

func (c comparison) service(old, new *Terms) {
	switch {
	case old == nil:
		old = &Terms{Service: new.Service, At: contract.Place{}}
	case new == nil:
		new = &Terms{Service: old.Service, At: contract.Place{}}
	}
	for _, p := range match(old.Operations, new.Operations, func(o Operation) string { return o.Name }) {
		subject := old.Service + " "
		switch {
		case p.old == nil:
			c.add(contract.Finding{Rule: "terms-added", Severity: contract.Change, Subject: subject + p.new.Name, New: p.new.At, Text: "has terms, where there were none"})
		case p.new == nil:
			c.add(removed(subject, *p.old, new.At))
		default:
			c.operation(subject+p.old.Name, *p.old, *p.new)
		}
	}
}

// removed is the finding of an operation whose terms are gone. Terms that promised nothing, such as those of its calls alone, break nobody.
func removed(subject string, old Operation, at contract.Place) contract.Finding {
	f := contract.Finding{Rule: "terms-removed", Severity: contract.Break, Flow: contract.Both, Subject: subject + old.Name, Old: old.At, New: at,
		Text: "has no terms any more: nothing that callers rely on is promised", Try: "declare the terms again, or remove the operation when nobody calls it",
		Modes: []string{"retry", "timeout", "version-skew"}, Witness: witness(old, bare(old.Name), unpromised(old), server)}
	if f.Witness == nil && retried(old) {
		f.Witness = witness(old, bare(old.Name), again(old, old), caller)
	}
	if f.Witness == nil {
		f.Severity, f.Modes = contract.Risk, nil
	}
	return f
}

func bare(name string) Operation {
	no := false
	return Operation{Name: name, Safe: &no, Idempotent: &no}
}

func (c comparison) add(f contract.Finding) {
	f.Kind, f.Contract = contract.Terms, c.Contract
	c.Findings = append(c.Findings, f)
}

// operation compares the terms of one operation. Each field that changed is found by a rule, or is a gap.
func (c comparison) operation(subject string, old, new Operation) {
	found := len(c.Findings)
	for _, r := range rules() {
		if r.applies(old, new) {
			c.add(r.finding(subject, old, new))
		}
	}
	paths := map[string]bool{}
	for _, f := range c.Findings[found:] {
		paths[f.Path] = true
	}
	for _, field := range compared() {
		if o, n := field.value(old), field.value(new); o != n && !told(field.path, paths) {
			c.Gaps = append(c.Gaps, contract.Gap{Contract: c.Contract, Subject: subject, Path: field.path, Why: fmt.Sprintf("changed from %s to %s, and no rule says what that means", o, n), At: new.at(field.path)})
		}
	}
	c.calls(subject, old, new)
	if len(c.Findings) == found {
		c.Proofs = append(c.Proofs, contract.Proof{Contract: c.Contract, Subject: subject, By: "same"})
	}
}

// told says whether there is a finding of a field, or of the mapping that it is in.
func told(path string, found map[string]bool) bool {
	mapping, _, _ := strings.Cut(path, ".")
	return found[path] || found[mapping]
}

// calls compares the calls that an operation makes, by callee, the nth to one with the nth.
func (c comparison) calls(subject string, old, new Operation) {
	before, after := numbered(old), numbered(new)
	for _, p := range match(before, after, func(n nth) string { return n.name }) {
		switch {
		case p.old == nil:
			c.add(contract.Finding{Rule: "call-added", Severity: contract.Change, Flow: contract.FromUs, Subject: subject, Path: "calls." + p.new.name, New: p.new.At,
				Text: "calls " + p.new.Target() + ", and did not", Try: "check the system's terms: this takes time of the operation's, and asks for capacity of the callee's"})
		case p.new == nil:
			c.add(contract.Finding{Rule: "call-removed", Severity: contract.Change, Flow: contract.FromUs, Subject: subject, Path: "calls." + p.old.name, Old: p.old.At, New: new.At,
				Text: "does not call " + p.old.Target() + " any more"})
		default:
			c.call(subject, p.old, p.new)
		}
	}
	if shape(before) != shape(after) && len(before) == len(after) {
		c.add(contract.Finding{Rule: "calls-reordered", Severity: contract.Change, Flow: contract.FromUs, Subject: subject, Path: "calls", Old: old.at("calls"), New: new.at("calls"),
			Text: "makes its calls in another order, or at once where it was one after the other"})
	}
}

func (c comparison) call(subject string, old, new *nth) {
	for _, r := range callRules() {
		if before, after := old.terms(), new.terms(); r.applies(before, after) {
			f := r.finding(subject, before, after)
			f.Path = "calls." + new.name + "." + f.Path
			f.Text = new.Target() + ": " + f.Text
			c.add(f)
		}
	}
}

// An nth is a call and its name among those of its operation: the callee, and a number from the second to the same.
type nth struct {
	Call
	name  string
	stage int
}

func numbered(o Operation) []nth {
	var all []nth
	seen := map[string]int{}
	for i, stage := range o.Stages {
		for _, c := range stage {
			name := c.Target()
			if seen[name]++; seen[name] > 1 {
				name = fmt.Sprintf("%s#%d", name, seen[name])
			}
			all = append(all, nth{c, name, i})
		}
	}
	return all
}

// shape tells orders of calls apart; what is called at once has no order.
func shape(all []nth) string {
	var lines []string
	for _, n := range all {
		lines = append(lines, fmt.Sprintf("%04d %s", n.stage, n.name))
	}
	slices.Sort(lines)
	return fmt.Sprint(lines)
}

// terms returns the call as an operation would declare it, so that one judge does for both: its timeout is the deadline.
func (c Call) terms() Operation {
	o := Operation{Name: c.Target(), Deadline: c.Timeout, Retry: c.Retry, At: c.At, places: c.places}
	if c.Retry == nil {
		o.Retry = &Retry{Attempts: 1, Backoff: Backoff{Factor: 2}}
	}
	if c.Key != "" {
		o.Key = &Key{Name: c.Key + "-key", Required: true}
	}
	if c.Retry != nil && isTrue(c.Retry.RetryAfter) {
		o.RetryAfter = 1 // any that is asked for is waited
	}
	o.Safe = &c.Degrades // no such thing as a safe call: this only carries the field to its rule
	return o
}

// witness returns the schedule if one version allows it and the other does not.
func witness(old, new Operation, s *schedule, who side) *contract.Witness {
	if s == nil {
		return nil
	}
	before, after := judge(old, s, who), judge(new, s, who)
	w := contract.Witness{What: "call", Encoding: "text", Document: s.String(), Allowed: "old", Refused: "new", Reason: after}
	if s.events() {
		w.What = "event"
	}
	switch {
	case (before == "") == (after == ""):
		return nil
	case before != "":
		w.Allowed, w.Refused, w.Reason = "new", "old", before
	}
	return &w
}

func (s *schedule) events() bool {
	return slices.ContainsFunc(s.moments, func(m moment) bool { return m.what == delivers || m.what == sends })
}
