package openapi

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/oasdiff/oasdiff/checker"

	"github.com/assay-dev/assay/contract"
)

// A claim is a finding, and what it speaks of.
type claim struct {
	contract.Finding
	parts   []string // prefixes of the parts it is about; none is the whole operation
	library bool     // of oasdiff
	still   bool     // it names a property that both versions have
	settled string   // why it is none, where that was proven
}

// translate turns a change that oasdiff reports into a finding. It returns false for what only a clock decides.
func (c *comparison) translate(change checker.Change) (claim, bool) {
	id := change.GetId()
	if strings.Contains(id, "sunset-date-") {
		return claim{}, false // "is the date at least N days from now": now is no part of a contract
	}
	f := contract.Finding{Rule: id, Kind: contract.OpenAPI, Contract: c.opts.Contract, Severity: severityOf(id, change.GetLevel()),
		Text: changeText(change), Flow: flowOf(id)}
	op := c.operationOf(change)
	if op == nil {
		if strings.HasPrefix(id, "webhook-") {
			return claim{}, false // each of its methods is told by itself
		}
		f.Subject = strings.TrimSpace(change.GetOperation() + " " + change.GetPath())
		if f.Subject == "" {
			f.Subject = "components"
		}
		c.placeElsewhere(&f, change)
		return claim{Finding: f, library: true}, true
	}
	f.Subject = op.subject()
	made := claim{Finding: f, library: true}
	c.locate(&made, op, change)
	c.sunset(&made.Finding, op)
	if op.turned() {
		return made, made.retell()
	}
	return made, true
}

// operationOf finds the operation that a change is about. To oasdiff callbacks are webhooks.
func (c *comparison) operationOf(change checker.Change) *pairing {
	path := change.GetPath()
	if name, ok := strings.CutPrefix(path, "webhook:"); ok {
		if strings.HasPrefix(name, "callback:") {
			path = name
		}
		return c.byKey[change.GetOperation()+" "+path]
	}
	return c.byKey[operationKey(change.GetOperation(), path)]
}

func operationKey(method, path string) string {
	return method + " " + parameterName.ReplaceAllString(path, "{}")
}

func changeText(change checker.Change) string {
	l := checker.NewDefaultLocalizer()
	text := change.GetUncolorizedText(l)
	if comment := change.GetComment(l); comment != "" {
		text += ". " + comment
	}
	return text
}

// severities are those that differ from oasdiff's, which shares its other ones.
func severities() map[string]contract.Severity {
	return map[string]contract.Severity{
		// A request with a name that is gone is refused, and so is one whose name stands in another field.
		"request-body-discriminator-mapping-deleted":            contract.Break,
		"request-property-discriminator-mapping-deleted":        contract.Break,
		"request-body-discriminator-property-name-changed":      contract.Break,
		"request-property-discriminator-property-name-changed":  contract.Break,
		"response-body-discriminator-property-name-changed":     contract.Break,
		"response-property-discriminator-property-name-changed": contract.Break,
		// A caller that picks a type by name meets one that it does not know.
		"response-body-discriminator-mapping-added":       contract.Risk,
		"response-property-discriminator-mapping-added":   contract.Risk,
		"response-body-discriminator-removed":             contract.Risk,
		"response-property-discriminator-removed":         contract.Risk,
		"request-body-discriminator-added":                contract.Risk,
		"request-property-discriminator-added":            contract.Risk,
		"request-body-discriminator-mapping-changed":      contract.Risk,
		"request-property-discriminator-mapping-changed":  contract.Risk,
		"response-body-discriminator-mapping-changed":     contract.Risk,
		"response-property-discriminator-mapping-changed": contract.Risk,
		// Callers handle errors by status. What was answered with this one is answered with another, of which nobody said that it means
		// the same. It is no break: the old version never promised that the error would occur.
		"response-non-success-status-removed": contract.Risk,
		// A caller that waits for 200 takes no note of 202.
		"response-success-status-added": contract.Risk,
		// Announced removals. Whether the date has passed depends on the day, so people decide.
		"api-removed-with-deprecation":                        contract.Risk,
		"api-removed-before-sunset":                           contract.Risk,
		"api-path-removed-with-deprecation":                   contract.Risk,
		"api-path-removed-before-sunset":                      contract.Risk,
		"request-parameter-removed-with-deprecation":          contract.Risk,
		"request-parameter-removed-before-sunset":             contract.Risk,
		"request-property-removed-with-deprecation":           contract.Risk,
		"request-property-removed-before-sunset":              contract.Risk,
		"response-required-property-removed-with-deprecation": contract.Risk,
		"response-required-property-removed-before-sunset":    contract.Risk,
		// A caller that reads an optional field or header has to do without it, which the old version allowed.
		"response-optional-property-removed": contract.Risk,
		"optional-response-header-removed":   contract.Risk,
	}
}

func severityOf(id string, level checker.Level) contract.Severity {
	if s, ok := severities()[id]; ok {
		return s
	}
	switch level {
	case checker.ERR:
		return contract.Break
	case checker.WARN:
		return contract.Risk
	}
	return contract.Change
}

var isResponse = regexp.MustCompile(`(^|-)response-`)
var isRequest = regexp.MustCompile(`(^|-)(request|parameter)-`)

func flowOf(id string) contract.Flow {
	switch {
	case isResponse.MatchString(id):
		return contract.FromUs
	case isRequest.MatchString(id):
		return contract.ToUs
	}
	return ""
}

// sunset names the date of an announced removal, and makes the two rules that only the clock tells apart one.
func (c *comparison) sunset(f *contract.Finding, op *pairing) {
	if before, ok := strings.CutSuffix(f.Rule, "-before-sunset"); ok {
		f.Rule = before + "-with-deprecation"
	}
	if !strings.HasSuffix(f.Rule, "-with-deprecation") {
		return
	}
	if date := op.oldNode.get("x-sunset").str(); date != "" {
		f.Text = fmt.Sprintf("removed after it was deprecated with the sunset date %s: harms who still calls it", date)
		f.Try = "release it after " + date + ", once nobody calls it"
		return
	}
	f.Text += ": it was deprecated, harms who still uses it"
	f.Try = "give a sunset date (x-sunset), and remove it after that"
}

// placeElsewhere finds the place of what is no operation that both versions have.
func (c *comparison) placeElsewhere(f *contract.Finding, change checker.Change) {
	f.Old, f.New = c.old.pathPlace(change.GetPath()), c.new.pathPlace(change.GetPath())
	for _, arg := range change.GetArgs() {
		name, ok := arg.(string)
		if !ok || change.GetPath() != "" {
			continue
		}
		for _, group := range []string{"schemas", "securitySchemes"} {
			x, y := c.old.root.get("components").get(group).get(name), c.new.root.get("components").get(group).get(name)
			if x != nil || y != nil {
				f.Path, f.Old, f.New = "components."+group+"."+name, x.place(), y.place()
				return
			}
		}
	}
	if f.Path == "" && f.Old.Line == 0 && f.New.Line == 0 {
		f.Old, f.New = c.old.root.place(), c.new.root.place()
	}
}

func (d *document) pathPlace(path string) contract.Place {
	if n := d.root.get("paths").get(path); n != nil {
		return n.at
	}
	if n := d.root.get("webhooks").get(strings.TrimPrefix(path, "webhook:")); n != nil {
		return n.at
	}
	return d.root.get("paths").place()
}
