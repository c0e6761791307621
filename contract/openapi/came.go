package openapi

import (
	"regexp"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// absent is a part that came or went. oasdiff says so of most; requests are added that show it, and what it keeps silent about.
func (c *comparison) absent(op *pairing, path string) {
	c.showAbsent(op, path)
	if _, owner := op.both(path); owner || c.spoken(op, path) || c.spokenAbove(op, path) {
		return
	}
	if p, isNew := op.newParts[path]; isNew {
		c.came(op, p)
		return
	}
	c.went(op, op.oldParts[path])
}

// spokenAbove says whether what came or went came or went with what it is a part of.
func (c *comparison) spokenAbove(op *pairing, path string) bool {
	for i := strings.LastIndexAny(path, "."); i > 0; i = strings.LastIndexAny(path[:i], ".") {
		_, inOld := op.oldParts[path[:i]]
		_, inNew := op.newParts[path[:i]]
		if inOld != inNew && c.spoken(op, path[:i]) {
			return true
		}
	}
	return false
}

// stays settles what oasdiff takes for gone or new, and both versions have: a header in other case, a parameter that moved between an
// operation and its path, a media type in other words.
func (c *comparison) stays(op *pairing, path string) {
	for _, made := range c.touching(op, path, func(f contract.Finding) bool { return f.Path == path && existence.MatchString(f.Rule) }) {
		made.settled = "both versions have it"
	}
}

var existence = regexp.MustCompile(`^request-parameter-removed|^new-(optional|required)-request-(default-)?parameter|^new-request-path-parameter|` +
	`^(required|optional)-response-header-removed|^response-header-added|^request-body-media-type-(added|removed)|^response-media-type-(added|removed)`)

// both returns whether both versions have a part.
func (op *pairing) both(path string) (p part, both bool) {
	_, inOld := op.oldParts[path]
	p, inNew := op.newParts[path]
	return p, inOld && inNew
}

// a is what a part is called in the ids of rules.
func (p part) noun() string {
	switch {
	case p.what == "request" && p.at != "":
		return "request-parameter"
	case p.what == "request" && p.media == "":
		return "request-body"
	case p.what == "request":
		return "request-body-media-type"
	case p.at != "":
		return "response-header"
	case p.media != "":
		return "response-media-type"
	}
	return "response-status"
}

func (p part) required() bool { return p.node.get("required").isTrue() }

// came is a part that only the new version has, and that no range of the old one covers.
func (c *comparison) came(op *pairing, p part) {
	f := contract.Finding{Rule: p.noun() + "-added", Severity: contract.Change, Flow: p.flow, Text: "it was added", New: p.node.place()}
	switch toUs := p.flow == contract.ToUs; {
	case toUs && p.required() && (p.at != "" || p.media == ""):
		f.Severity, f.Text = contract.Break, "it was added, and is demanded of those who do not know it"
		if !op.turned() {
			f.Witness = lacking(op, p.where())
		}
	case !toUs && op.turned() && p.media != "" && p.at == "":
		f.Severity, f.Text = contract.Break, "it is sent to those who do not know it"
	case !toUs && p.noun() == "response-status" && strings.HasPrefix(p.status, "2"):
		f.Severity, f.Text = contract.Risk, "a caller that waits for another success takes no note of it"
	}
	c.add(op, p.path, f)
}

// went is a part that only the old version has, and that no range of the new one covers.
func (c *comparison) went(op *pairing, p part) {
	f := contract.Finding{Rule: p.noun() + "-removed", Severity: contract.Risk, Flow: p.flow, Text: "it was removed: harms who relies on it", Old: p.node.place()}
	switch toUs := p.flow == contract.ToUs; {
	case toUs && (p.media != "" && p.at == "" || p.noun() == "response-status"):
		f.Severity, f.Text = contract.Break, "it was removed, and those who know the old version send it"
	case !toUs && p.at != "" && p.required():
		f.Severity, f.Text = contract.Break, "it was always sent, and is no longer"
	case !toUs && p.noun() == "request-body":
		f.Severity, f.Text = contract.Break, "it was sent, and is no longer"
	case !toUs && p.noun() == "request-body-media-type":
		f.Severity, f.Text = contract.Change, "it is no longer sent: others are, which the old version names"
	case !toUs && p.noun() == "response-media-type":
		f.Severity, f.Text = contract.Break, "callers that ask for it get another"
	}
	c.add(op, p.path, f)
}

func (p part) where() string {
	if p.at == "" {
		return "body"
	}
	return p.at
}

func lacking(op *pairing, at string) *contract.Witness {
	return &contract.Witness{What: "request", Encoding: "text", Document: op.name, At: at, Allowed: "old", Refused: "new",
		Reason: "the request lacks what is required"}
}

// showAbsent gives requests to the findings about what only one version asks for or understands.
func (c *comparison) showAbsent(op *pairing, path string) {
	after, isNew := op.newParts[path]
	before := op.oldParts[path]
	for _, made := range c.touching(op, path, func(f contract.Finding) bool { return f.Severity == contract.Break && f.Witness == nil }) {
		if made.Path != path && !within(path, made.Path) {
			continue
		}
		switch {
		case op.turned():
		case isNew && after.what == "request" && after.required():
			made.Witness = lacking(op, after.where())
		case !isNew && before.what == "request" && before.media != "" && before.at == "" && made.Path == path:
			made.Witness = &contract.Witness{What: "request", Encoding: "text", Document: op.name, At: "header Content-Type: " + before.media,
				Allowed: "old", Refused: "new", Reason: "no body has this media type"}
		}
	}
}

// demanded compares whether a part may be left out: of what they send it must not become a duty, and of what we send no favour.
func (c *comparison) demanded(op *pairing, before, after part) {
	if before.required() == after.required() || before.media != "" && before.at == "" {
		return
	}
	if (after.flow == contract.ToUs) != after.required() {
		if !c.spoken(op, after.path) {
			c.prove(op.name, after.path, "rule: less is demanded, or more is sent", 0)
		}
		return
	}
	var witness *contract.Witness
	word, text := "-became-required", "it could be left out, and is demanded now"
	if !after.required() {
		word, text = "-became-optional", "it was always sent, and may be left out now"
	} else if !op.turned() {
		witness = lacking(op, after.where())
	}
	found := false
	for _, made := range c.touching(op, after.path, func(f contract.Finding) bool { return strings.HasSuffix(f.Rule, word) }) {
		if made.Path == after.path {
			found = true
			made.Severity = contract.Break
			if made.Witness == nil {
				made.Witness = witness
			}
		}
	}
	if !found {
		c.add(op, after.path, contract.Finding{Rule: after.noun() + word, Severity: contract.Break, Flow: after.flow, Text: text, Witness: witness,
			Old: before.node.place(), New: after.node.place()})
	}
}
