package event

import (
	"fmt"
	"slices"

	"github.com/assay-dev/assay/contract"
)

// actions compares what the application does on a channel. Operations are grouped by action: how many there are of one, and what
// they are called, nobody sees on the wire.
func (c *comparison) actions(old, new *channel) error {
	used := false
	for _, action := range []string{"receive", "send"} {
		was, is := doing(c.old, old, action), doing(c.new, new, action)
		used = used || len(was)+len(is) > 0
		if err := c.action(action, old, new, was, is); err != nil {
			return err
		}
	}
	if used {
		return nil
	}
	return c.messages(c.subject(contract.Both, "channel %s", label(old)), old.messages, new.messages, new.place()) // nobody says which way
}

func doing(d *document, ch *channel, action string) []*operation {
	var all []*operation
	for _, op := range d.operations {
		if op.channel == ch && op.action == action {
			all = append(all, op)
		}
	}
	return all
}

func flowOf(action string) contract.Flow {
	if action == "send" {
		return contract.FromUs
	}
	return contract.ToUs
}

func (c *comparison) action(action string, old, new *channel, was, is []*operation) error {
	sub := c.subject(flowOf(action), "%s %s", action, label(old))
	switch {
	case len(was) == 0 && len(is) == 0:
		return nil
	case len(is) == 0:
		text := fmt.Sprintf("the application does not %s here any more: ", action)
		if action == "send" {
			text += "those who wait for its events get none"
		} else {
			text += "nobody reads what neighbours send"
		}
		c.lostEvent(sub, "asyncapi-operation-removed", "", text, "keep the operation until no neighbour relies on it", c.concrete(old, "", ""), said(was), nil, was[0].place(), new.place())
		return nil
	case len(was) == 0:
		c.found(sub, "asyncapi-operation-added", contract.Change, "", "the operation is new", "", old.place(), is[0].place())
		return nil
	}
	if err := c.details(sub, was, is); err != nil {
		return err
	}
	return c.messages(sub, said(was), said(is), is[0].place())
}

// said lists the messages of operations, each once.
func said(ops []*operation) []*message {
	var all []*message
	for _, op := range ops {
		for _, m := range op.messages {
			if !slices.ContainsFunc(all, func(known *message) bool { return known.n == m.n }) {
				all = append(all, m)
			}
		}
	}
	return all
}

// details compares what operations say beside their messages, pair by pair.
func (c *comparison) details(sub subject, was, is []*operation) error {
	for i, old := range was {
		j := slices.IndexFunc(is, func(op *operation) bool { return op.name == old.name })
		if j < 0 {
			j = min(i, len(is)-1)
			c.found(sub, "asyncapi-operation-renamed", contract.Change, old.name, fmt.Sprintf("the operation %s is now %s: the same on the wire", old.name, is[j].name),
				"", old.place(), is[j].place())
		}
		if err := c.pair(sub, old, is[j]); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) pair(sub subject, old, new *operation) error {
	was, err := winner(c.old.inherited(old.loc, old.traits, "security"))
	if err != nil {
		return err
	}
	is, err := winner(c.new.inherited(new.loc, new.traits, "security"))
	if err != nil {
		return err
	}
	if err := c.security(sub, was, is, old.place(), new.place()); err != nil {
		return err
	}
	if err := c.bindings(sub, "operation", "", old.loc, new.loc, old.traits, new.traits); err != nil {
		return err
	}
	if err := c.traits(sub, old.traits, new.traits, "bindings", "security"); err != nil {
		return err
	}
	if err := c.reply(sub, old, new); err != nil {
		return err
	}
	return c.others(sub, old.loc, new.loc, "action", "channel", "messages", "message", "reply", "bindings", "security", "traits")
}

// reply compares replies, which flow the other way.
func (c *comparison) reply(sub subject, old, new *operation) error {
	was, err := c.old.member(old.loc, "reply")
	if err != nil {
		return err
	}
	is, err := c.new.member(new.loc, "reply")
	if err != nil || was.n == nil && is.n == nil {
		return err
	}
	back := sub
	back.name += ", reply"
	back.flow = map[contract.Flow]contract.Flow{contract.ToUs: contract.FromUs, contract.FromUs: contract.ToUs}[sub.flow]
	switch {
	case is.n == nil:
		return c.replyGone(back, was, new)
	case was.n == nil:
		severity := contract.Change
		if back.flow == contract.ToUs {
			severity = contract.Risk
		}
		c.found(back, "asyncapi-reply-added", severity, "", "there is a reply now", "", old.place(), is.place())
		return nil
	}
	if err := c.value(back, "asyncapi-reply-address", contract.Break, "location", was.key("address"), is.key("address"), "keep the address"); err != nil {
		return err
	}
	return c.replies(back, was, is)
}

func (c *comparison) replyGone(back subject, was loc, new *operation) error {
	at, err := c.old.member(was, "channel")
	if err != nil {
		return err
	}
	ch := c.old.channelAt(at)
	messages, err := c.old.chosen(was.key("messages"), ch)
	if err != nil {
		return err
	}
	address := was.key("address").str("location")
	if ch != nil {
		address = c.concrete(ch, "", "")
	}
	c.lostEvent(back, "asyncapi-reply-removed", "", "there is no reply any more", "keep the reply until nobody waits for it", or2(address, "the caller's address"), messages, nil, was.place(), new.place())
	return nil
}

func (c *comparison) replies(back subject, was, is loc) error {
	oldAt, err := c.old.member(was, "channel")
	if err != nil {
		return err
	}
	newAt, err := c.new.member(is, "channel")
	if err != nil {
		return err
	}
	oldChannel, newChannel := c.old.channelAt(oldAt), c.new.channelAt(newAt)
	old, err := c.old.chosen(was.key("messages"), oldChannel)
	if err != nil {
		return err
	}
	if from, to := addressOf(oldChannel), addressOf(newChannel); shape(from) != shape(to) {
		text := fmt.Sprintf("replies were on %q and are on %q", from, to)
		if oldChannel != nil {
			from = c.concrete(oldChannel, "", "")
		}
		c.lostEvent(back, "asyncapi-reply-address", "channel", text, "keep the channel", or2(from, "the caller's address"), old, nil, was.place(), is.place())
	}
	new, err := c.new.chosen(is.key("messages"), newChannel)
	if err != nil {
		return err
	}
	return c.messages(back, old, new, is.place())
}

func addressOf(ch *channel) string {
	if ch == nil {
		return ""
	}
	return ch.address
}
