package event

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// messages compares the messages that flow one way. Those are the same that have the same name, or are alone in both versions.
func (c *comparison) messages(sub subject, old, new []*message, at contract.Place) error {
	pairs := map[*message]*message{}
	var gone, added []*message
	for _, m := range old {
		if i := slices.IndexFunc(new, func(n *message) bool { return n.name == m.name }); i >= 0 {
			pairs[m] = new[i]
		} else {
			gone = append(gone, m)
		}
	}
	for _, m := range new {
		if !slices.ContainsFunc(old, func(o *message) bool { return o.name == m.name }) {
			added = append(added, m)
		}
	}
	if len(gone) == 1 && len(added) == 1 {
		pairs[gone[0]] = added[0]
		c.found(sub, "asyncapi-message-renamed", contract.Change, gone[0].name, fmt.Sprintf("%s is now %s", gone[0].name, added[0].name), "", gone[0].place(), added[0].place())
		gone, added = nil, nil
	}
	for _, m := range gone {
		c.messageGone(sub, m, new, at)
	}
	for _, m := range added {
		severity, text := contract.Change, "the message is new"
		if sub.flow == contract.FromUs {
			severity, text = contract.Risk, "the message is new: neighbours that read the channel get what they do not know"
		}
		c.found(sub, "asyncapi-message-added", severity, m.name, text, "see that readers pass over messages that they do not know", at, m.place())
	}
	for _, m := range old {
		if n := pairs[m]; n != nil {
			if err := c.message(sub, m, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// messageGone is a break, unless each event of the message is one of another that is still there.
func (c *comparison) messageGone(sub subject, m *message, takers []*message, at contract.Place) {
	const try = "keep it until no neighbour sends it or waits for it"
	if by, ok := c.covered(m, takers); ok && sub.flow == contract.ToUs {
		c.found(sub, "asyncapi-message-removed", contract.Risk, m.name, fmt.Sprintf("%s is gone: each of its payloads is one of %s, if nobody tells them apart by name or header", m.name, by), try, m.place(), at)
		return
	}
	c.lostEvent(sub, "asyncapi-message-removed", m.name, fmt.Sprintf("%s is gone", m.name), try, strings.TrimPrefix(strings.TrimPrefix(sub.name, "receive "), "send "), []*message{m}, takers, m.place(), at)
}

func (c *comparison) message(sub subject, old, new *message) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	sub.path = old.name
	before := len(c.findings) + len(c.gaps) + len(c.proofs)
	for _, step := range []func(subject, *message, *message) error{c.contentType, c.correlation, c.messageBindings, c.payload, c.headers} {
		if err := step(sub, old, new); err != nil {
			return err
		}
	}
	if err := c.others(sub, old.loc, new.loc, "contentType", "correlationId", "bindings", "payload", "headers", "schemaFormat", "traits"); err != nil {
		return err
	}
	if err := c.traits(sub, old.traits, new.traits, "contentType", "correlationId", "bindings", "payload", "headers", "schemaFormat"); err != nil {
		return err
	}
	if len(c.findings)+len(c.gaps)+len(c.proofs) == before {
		c.proofs = append(c.proofs, sub.proof("same"))
	}
	return nil
}

// both returns a member of either message, traits included.
func (c *comparison) both(old, new *message, key string) (was, is loc, err error) {
	if was, err = old.has(c.old, key); err != nil {
		return
	}
	is, err = new.has(c.new, key)
	return
}

func scalarText(x loc, fallback string) string {
	if x.n == nil {
		return fallback
	}
	return x.n.text
}

func (c *comparison) contentType(sub subject, old, new *message) error {
	was, is, err := c.both(old, new, "contentType")
	if err != nil {
		return err
	}
	from, to := scalarText(was, c.old.contentType), scalarText(is, c.new.contentType)
	switch {
	case from == to:
	case from == "":
		c.found(sub, "asyncapi-content-type", contract.Risk, "contentType", fmt.Sprintf("the content type is declared now: %s", to), "", old.place(), is.place())
	default:
		c.gone(sub, "asyncapi-content-type", "contentType", fmt.Sprintf("the content type was %s and is %s", from, or2(to, "not declared")),
			"add a message with the other content type", "a message of type "+from, old.place(), new.place())
	}
	return nil
}

func (c *comparison) correlation(sub subject, old, new *message) error {
	was, is, err := c.both(old, new, "correlationId")
	if err != nil {
		return err
	}
	from, to := scalarText(was.key("location"), ""), scalarText(is.key("location"), "")
	switch {
	case from == to:
	case from == "":
		c.found(sub, "asyncapi-correlation-id", contract.Change, "correlationId", fmt.Sprintf("the correlation id stands at %s now", to), "", old.place(), is.place())
	default:
		c.gone(sub, "asyncapi-correlation-id", "correlationId", fmt.Sprintf("the correlation id was at %s and is %s", from, or2(to, "gone")),
			"keep it where it was", "a message with its correlation id at "+from, was.place(), new.place())
	}
	return nil
}

func (c *comparison) messageBindings(sub subject, old, new *message) error {
	return c.bindings(sub, "message", "", old.loc, new.loc, old.traits, new.traits)
}
