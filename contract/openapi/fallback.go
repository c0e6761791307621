package openapi

import (
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// instead returns what of a version speaks of a part that it does not have: a status by its class or by default, a media type by a range.
func instead(parts map[string]part, p part) (part, bool) {
	status := p.status
	if _, named := parts["response."+status]; status != "" && !named {
		if status = fallbackOf(parts, status); status == "" {
			return part{}, false
		}
	}
	path := p.path
	if status != p.status {
		path = "response." + status + strings.TrimPrefix(path, "response."+p.status)
	}
	if found, ok := parts[path]; ok {
		return found, true
	}
	if p.media == "" || p.at != "" {
		return part{}, false
	}
	body := strings.TrimSuffix(path, mediaPath("", plainMedia(p.media)))
	for _, media := range mediaRanges(plainMedia(p.media)) {
		if found, ok := parts[mediaPath(body, media)]; ok {
			return found, true
		}
	}
	return part{}, false
}

func fallbackOf(parts map[string]part, status string) string {
	for _, other := range fallbackStatuses(status) {
		if _, ok := parts["response."+other]; ok {
			return other
		}
	}
	return ""
}

// onlyThere is a part that one version names. Where the other speaks of it by a range, both are compared; else it came or went.
func (c *comparison) onlyThere(op *pairing, path string) {
	before, inOld := op.oldParts[path]
	after, inNew := op.newParts[path]
	covered := false
	if inOld {
		after, covered = instead(op.newParts, before)
		after.path, after.media, after.at = before.path, before.media, before.at
	} else {
		before, covered = instead(op.oldParts, after)
		before.path, before.media, before.at = after.path, after.media, after.at
	}
	if !covered {
		c.absent(op, path)
		return
	}
	c.comparePart(op, before, after)
	c.demanded(op, before, after)
	c.covered(op, path, inNew)
	if !c.spoken(op, path) {
		c.prove(op.name, path, "rule: a range of the other version covers it", 0)
	}
}

// covered settles what oasdiff says of a part that is gone or new, and that a range of the other version speaks of.
func (c *comparison) covered(op *pairing, path string, isNew bool) {
	rules := []string{"request-body-media-type-removed", "response-success-status-removed"}
	if isNew {
		rules = []string{"response-success-status-added"}
	}
	p, _ := op.either(path)
	byDefault := p.status != "" && fallbackOf(op.newParts, p.status) == "default"
	for _, made := range c.touching(op, path, func(f contract.Finding) bool { return slices.Contains(rules, f.Rule) }) {
		if within(path, made.Path) && !byDefault {
			made.settled = "a range of the other version covers it"
		}
	}
}

// uncovered looks at the statuses that the old version answered by class or default and the new one names: what came with the class
// and does not come with the status.
func (c *comparison) uncovered(op *pairing) {
	for _, path := range op.paths() {
		p, ok := op.newParts[path]
		if _, named := op.oldParts["response."+p.status]; !ok || named || p.status == "" || path != "response."+p.status {
			continue
		}
		class := fallbackOf(op.oldParts, p.status)
		if class == "" {
			continue
		}
		for _, name := range op.under("response." + class) {
			lost, inOld := op.oldParts[name.path]
			lost.path, lost.status = path+strings.TrimPrefix(name.path, "response."+class), p.status
			if _, kept := op.newParts[lost.path]; kept || !inOld || lost.path == path {
				continue
			}
			if _, kept := instead(op.newParts, lost); !kept {
				c.lost(op, lost, class)
			}
		}
	}
}

// lost is a body or header that came with a class of statuses, and no longer with one of them.
func (c *comparison) lost(op *pairing, p part, class string) {
	f := contract.Finding{Rule: "response-media-type-removed", Severity: contract.Break, Flow: p.flow, Old: p.node.place(),
		Text: "the status " + p.status + " was answered as " + class + " with this body, and is no longer"}
	if p.at != "" {
		f.Rule, f.Text = "response-header-removed", "the status "+p.status+" was answered as "+class+" with this header, and is no longer"
		if !p.node.get("required").isTrue() {
			f.Severity = contract.Risk
		}
	}
	if p.flow == contract.ToUs {
		f.Severity = contract.Break // they send it, and nobody reads it
	}
	c.add(op, p.path, f)
}
