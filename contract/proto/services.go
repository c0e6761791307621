package proto

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/assay-dev/assay/contract"
)

// services compares services of the same full name.
func (c *comparison) services() {
	for _, o := range sorted(c.old.services) {
		n, ok := c.new.services[o.FullName()]
		if !ok || n == o {
			continue
		}
		for i := range o.Methods().Len() {
			method := o.Methods().Get(i)
			if kept := n.Methods().ByName(method.Name()); kept != nil {
				c.method(method, kept)
				continue
			}
			c.report(change{rule: "RPC_NO_DELETE", subject: subjectOf(method), old: c.old.at(method, nil), new: c.new.at(n, nil), flow: contract.ToUs,
				text: fmt.Sprintf("method %s is gone", subjectOf(method)), try: "deprecate it, and remove it when nobody calls it any more",
				quiet:   quiet{contract.Change, "those who know the new version do not call it"},
				witness: func([]string) *contract.Witness { return c.callWitness(method) }})
		}
	}
}

func (c *comparison) method(o, n protoreflect.MethodDescriptor) {
	name := subjectOf(o)
	if was, is := o.Input().FullName(), n.Input().FullName(); was != is {
		old, new := c.places(o, n, inputNode)
		c.report(change{rule: "RPC_SAME_REQUEST_TYPE", subject: name, path: "request", old: old, new: new, flow: contract.ToUs,
			text: fmt.Sprintf("requests of %s were %s and are %s", name, was, is), try: "add a method that takes the new message",
			witness: func(enc []string) *contract.Witness {
				return c.typeWitness(o.Input(), n.Input(), c.flows.or(contract.ToUs), enc)
			}})
	}
	if was, is := o.Output().FullName(), n.Output().FullName(); was != is {
		old, new := c.places(o, n, outputNode)
		c.report(change{rule: "RPC_SAME_RESPONSE_TYPE", subject: name, path: "response", old: old, new: new, flow: contract.FromUs,
			text: fmt.Sprintf("responses of %s were %s and are %s", name, was, is), try: "add a method that returns the new message",
			witness: func(enc []string) *contract.Witness {
				return c.typeWitness(o.Output(), n.Output(), c.flows.or(contract.FromUs), enc)
			}})
	}
	old, new := c.places(o, n, nil)
	for _, s := range []struct {
		rule, part string
		was, is    bool
		flow       contract.Flow
	}{
		{"RPC_SAME_CLIENT_STREAMING", "requests", o.IsStreamingClient(), n.IsStreamingClient(), contract.ToUs},
		{"RPC_SAME_SERVER_STREAMING", "responses", o.IsStreamingServer(), n.IsStreamingServer(), contract.FromUs},
	} {
		if s.was != s.is {
			text := fmt.Sprintf("%s of %s were %s and are %s", s.part, name, streamed(s.was), streamed(s.is))
			c.report(change{rule: s.rule, subject: name, path: s.part, old: old, new: new, flow: s.flow, text: text, try: "add a method that streams",
				witness: func([]string) *contract.Witness { return streamWitness(o, s.part, s.was, s.is) }})
		}
	}
	c.idempotency(o, n)
}

func streamed(stream bool) string {
	if stream {
		return "a stream"
	}
	return "one message"
}

func (c *comparison) idempotency(o, n protoreflect.MethodDescriptor) {
	was := optionsOf[*descriptorpb.MethodOptions](o).GetIdempotencyLevel()
	is := optionsOf[*descriptorpb.MethodOptions](n).GetIdempotencyLevel()
	if was == is {
		return
	}
	old, new := c.places(o, n, optionNode("idempotency_level"))
	c.report(change{rule: "RPC_SAME_IDEMPOTENCY_LEVEL", subject: subjectOf(o), path: "option idempotency_level", old: old, new: new, flow: contract.ToUs,
		text: fmt.Sprintf("idempotency_level of %s was %s and is %s", subjectOf(o), was, is), modes: []string{"retry", "redelivery"},
		quiet:   quiet{contract.Change, "no call that was allowed is refused"},
		witness: func([]string) *contract.Witness { return idempotencyWitness(o, was, is) }})
}
