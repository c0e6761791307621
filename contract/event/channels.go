package event

import (
	"fmt"
	"slices"
	"strings"

	"github.com/assay-dev/assay/contract"
)

// shape is an address without the names of its parameters, which are not sent.
func shape(address string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(address, "{")
		b.WriteString(before)
		_, after, closed := strings.Cut(rest, "}")
		if !ok || !closed {
			b.WriteString(address[len(before):])
			return b.String()
		}
		b.WriteString("{}")
		address = after
	}
}

// counterparts pairs channels: by address, then by key.
func (c *comparison) counterparts() map[*channel]*channel {
	pairs, taken := map[*channel]*channel{}, map[*channel]bool{}
	shapes := map[*channel]string{}
	for _, ch := range append(slices.Clone(c.old.channels), c.new.channels...) {
		shapes[ch] = shape(ch.address)
	}
	for _, fits := range []func(old, new *channel) bool{
		func(old, new *channel) bool { return old.address == new.address && old.name == new.name },
		func(old, new *channel) bool { return old.address != "" && shapes[old] == shapes[new] },
		func(old, new *channel) bool { return old.name == new.name },
	} {
		for _, old := range c.old.channels {
			if pairs[old] != nil {
				continue
			}
			i := slices.IndexFunc(c.new.channels, func(new *channel) bool { return !taken[new] && fits(old, new) })
			if i >= 0 {
				pairs[old], taken[c.new.channels[i]] = c.new.channels[i], true
			}
		}
	}
	return pairs
}

func label(ch *channel) string { return or2(ch.address, ch.name) }

func (c *comparison) channels() error {
	pairs := c.counterparts()
	known := map[*channel]bool{}
	for _, old := range c.old.channels {
		new := pairs[old]
		if new == nil {
			c.lostEvent(c.subject(contract.Both, "channel %s", label(old)), "asyncapi-channel-removed", "",
				fmt.Sprintf("the channel %s is gone: events on it are not read, or not sent, any more", label(old)),
				"keep it until no neighbour uses it", c.concrete(old, "", ""), old.messages, nil, old.place(), c.new.root.key("channels").place())
			continue
		}
		known[new] = true
		if err := c.channel(old, new); err != nil {
			return err
		}
	}
	for _, new := range c.new.channels {
		if !known[new] {
			c.found(c.subject(contract.Both, "channel %s", label(new)), "asyncapi-channel-added", contract.Change, "", "the channel is new", "",
				c.old.root.place(), new.place())
		}
	}
	return nil
}

func (c *comparison) channel(old, new *channel) error {
	sub := c.subject(contract.Both, "channel %s", label(old))
	if shape(old.address) != shape(new.address) {
		c.lostEvent(sub, "asyncapi-channel-address", "address", fmt.Sprintf("the address was %q and is %q: neighbours use the old", old.address, new.address),
			"add a channel with the new address, and use both for a while", c.concrete(old, "", ""), old.messages, nil, old.place(), new.place())
	} else if old.address != new.address || old.name != new.name {
		c.found(sub, "asyncapi-channel-renamed", contract.Change, "", fmt.Sprintf("%s (%s) is now %s (%s): the same on the wire", old.name, old.address, new.name, new.address),
			"", old.place(), new.place())
	}
	if err := c.parameters(sub, old, new); err != nil {
		return err
	}
	was, is := c.old.serversOf(old), c.new.serversOf(new)
	if said := old.n.get("servers") != nil || new.n.get("servers") != nil; said && !slices.Equal(was, is) {
		c.found(sub, "asyncapi-channel-servers", contract.Risk, "servers", fmt.Sprintf("it was on the servers %s and is on %s", strings.Join(was, ", "), strings.Join(is, ", ")), "",
			old.place(), new.place())
	}
	if err := c.bindings(sub, "channel", old.address, old.loc, new.loc, nil, nil); err != nil {
		return err
	}
	if err := c.others(sub, old.loc, new.loc, "address", "parameters", "servers", "bindings", "messages", "publish", "subscribe"); err != nil {
		return err
	}
	return c.actions(old, new)
}

func (c *comparison) parameters(sub subject, old, new *channel) error {
	was, err := c.old.each(old.key("parameters"))
	if err != nil {
		return err
	}
	is, err := c.new.each(new.key("parameters"))
	if err != nil {
		return err
	}
	for _, p := range was {
		q, ok := find(is, p.name)
		at := subject{kind: sub.kind, name: sub.name, path: "parameters." + p.name, flow: sub.flow, opts: sub.opts}
		if !ok {
			if shape(old.address) == shape(new.address) {
				c.found(at, "asyncapi-parameter-renamed", contract.Change, "", "the parameter is gone: the address has the same shape", "", p.place(), new.place())
			}
			continue
		}
		if err := c.parameter(at, old, p, q.loc); err != nil {
			return err
		}
	}
	for _, q := range is {
		if _, ok := find(was, q.name); !ok {
			c.found(sub, "asyncapi-parameter-added", contract.Change, "parameters."+q.name, "the parameter is declared now", "", old.place(), q.place())
		}
	}
	return nil
}

func (c *comparison) parameter(sub subject, ch *channel, p named, new loc) error {
	old := p.loc
	was, is := values(old.n.get("enum")), values(new.n.get("enum"))
	for _, v := range was {
		if len(is) > 0 && !slices.Contains(is, v) {
			c.lostEvent(sub, "asyncapi-parameter-value-removed", "enum", fmt.Sprintf("%q is no longer a value of it: events at such addresses find nobody", v),
				"keep the value until nobody uses it", c.concrete(ch, p.name, v), ch.messages, nil, old.place(), new.place())
		}
	}
	for _, v := range is {
		if len(was) > 0 && !slices.Contains(was, v) {
			c.found(sub, "asyncapi-parameter-value-added", contract.Change, "enum", fmt.Sprintf("%q is a new value of it", v), "", old.place(), new.place())
		}
	}
	if (len(was) == 0) != (len(is) == 0) {
		c.found(sub, "asyncapi-parameter-values", contract.Risk, "enum", "its values are listed in one of the versions only", "", old.place(), new.place())
	}
	if err := c.value(sub, "asyncapi-parameter-location", contract.Break, "location", old, new, "keep the location"); err != nil {
		return err
	}
	if err := c.value(sub, "asyncapi-parameter-default", contract.Risk, "default", old, new, ""); err != nil {
		return err
	}
	return c.others(sub, old, new, "enum", "location", "default")
}

func values(n *node) []string {
	var all []string
	if n != nil {
		for _, item := range n.items {
			all = append(all, item.text)
		}
	}
	return all
}
