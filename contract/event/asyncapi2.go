package event

import "strings"

// read2 turns a document of version 2 into the shape of version 3. There, publish is what others may publish, and so what
// this application receives.
func (d *document) read2() error {
	channels, err := d.each(d.root.key("channels"))
	if err != nil {
		return err
	}
	for _, at := range channels {
		c := &channel{named: at, address: at.name}
		d.channels = append(d.channels, c)
		for _, verb := range []string{"publish", "subscribe"} {
			if err := d.operation2(c, verb); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *document) operation2(c *channel, verb string) error {
	at, err := d.member(c.loc, verb)
	if err != nil || at.n == nil {
		return err
	}
	op := &operation{named: named{or2(at.str("operationId"), verb+" "+c.name), at}, action: "receive", channel: c}
	if verb == "subscribe" {
		op.action = "send"
	}
	if op.traits, err = d.traits(at); err != nil {
		return err
	}
	msg, err := d.member(at, "message")
	if err != nil {
		return err
	}
	switch {
	case msg.n == nil:
	case msg.n.get("oneOf") != nil:
		op.messages, err = d.messages(msg.key("oneOf"))
	default:
		var m *message
		if m, err = d.message(named{"0", msg}); err == nil {
			op.messages = []*message{m}
		}
	}
	for i, m := range op.messages {
		if strings.Trim(m.name, "0123456789") == "" {
			op.messages[i].name = "message " + m.name
		}
		c.messages = append(c.messages, m)
	}
	d.operations = append(d.operations, op)
	return err
}
