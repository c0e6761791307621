package proto

import (
	"fmt"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/assay-dev/assay/contract"
)

// callWitness is a call of a method that is gone.
func (c *comparison) callWitness(m protoreflect.MethodDescriptor) *contract.Witness {
	service, ok := c.new.services[m.Parent().FullName()]
	reason := fmt.Sprintf("UNIMPLEMENTED: unknown method %s for service %s", m.Name(), m.Parent().FullName())
	switch {
	case !ok:
		reason = fmt.Sprintf("UNIMPLEMENTED: unknown service %s", m.Parent().FullName())
	case service.Methods().ByName(m.Name()) != nil:
		return nil
	}
	return &contract.Witness{What: "call", Encoding: "text", Document: callOf(m), Allowed: "old", Refused: "new", Reason: reason}
}

func callOf(m protoreflect.MethodDescriptor) string {
	return fmt.Sprintf("POST /%s/%s", m.Parent().FullName(), m.Name())
}

// serviceWitness is a call of the first method of a service that is gone.
func (c *comparison) serviceWitness(s protoreflect.ServiceDescriptor) *contract.Witness {
	if s.Methods().Len() == 0 {
		return nil
	}
	return c.callWitness(s.Methods().Get(0))
}

func (c *comparison) packageWitness(file protoreflect.FileDescriptor) *contract.Witness {
	for i := range file.Services().Len() {
		if w := c.serviceWitness(file.Services().Get(i)); w != nil {
			return w
		}
	}
	return nil
}

func streamWitness(m protoreflect.MethodDescriptor, part string, was, is bool) *contract.Witness {
	return &contract.Witness{What: "call", Encoding: "text", Document: fmt.Sprintf("%s with %s: %s", callOf(m), part, streamed(was)), Allowed: "old", Refused: "new",
		Reason: fmt.Sprintf("%s are %s", part, streamed(is))}
}

// idempotencyWitness is a call that clients were allowed to make, and are no more.
func idempotencyWitness(m protoreflect.MethodDescriptor, was, is descriptorpb.MethodOptions_IdempotencyLevel) *contract.Witness {
	const none, idempotent = descriptorpb.MethodOptions_NO_SIDE_EFFECTS, descriptorpb.MethodOptions_IDEMPOTENT
	w := &contract.Witness{What: "call", Encoding: "text", Allowed: "old", Refused: "new", Reason: "idempotency_level is " + is.String()}
	switch {
	case was == none && is != none:
		w.Document = fmt.Sprintf("GET /%s/%s", m.Parent().FullName(), m.Name())
	case was == idempotent && is != none:
		w.Document = callOf(m) + ", sent again after it timed out"
	default:
		return nil
	}
	return w
}
