package broker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/examples/shop/trace"
)

// OrderPaid is the event on PaidSubject.
type OrderPaid struct {
	ID  string `json:"id"`
	SKU string `json:"sku"`
	Qty int    `json:"qty"`
}

// Message is the event as it travels: its id lets the broker drop a second copy, its traceparent continues the trace.
func (e OrderPaid) Message(traceparent string) (*nats.Msg, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("broker: event %s: %w", e.ID, err)
	}
	msg := nats.NewMsg(PaidSubject)
	msg.Data = data
	msg.Header.Set(nats.MsgIdHdr, e.ID)
	if parent, ok := trace.Parse(traceparent); ok {
		msg.Header.Set(trace.Header, parent.Child().String())
	}
	return msg, nil
}

// Publish sends msg until the broker has acknowledged it, or ctx is done.
func (b *Broker) Publish(ctx context.Context, msg *nats.Msg) error {
	return b.Do(ctx, func(ctx context.Context) error {
		_, err := b.JS.PublishMsg(ctx, msg)
		return err
	})
}

// PublishOnce sends msg unless its subject has a message already: "once" has no time window, unlike a message id. It
// returns nil only when the one message is known to be kept.
func (b *Broker) PublishOnce(ctx context.Context, stream string, msg *nats.Msg) error {
	err := b.Do(ctx, func(ctx context.Context) error {
		_, err := b.JS.PublishMsg(ctx, msg, jetstream.WithExpectLastSequencePerSubject(0))
		return err
	})
	var api *jetstream.APIError
	if !errors.As(err, &api) {
		return err
	}
	if api.ErrorCode != jetstream.JSErrCodeStreamWrongLastSequence && api.ErrorCode != jetstream.JSErrCodeStreamWrongLastSequenceConstant {
		return err
	}
	// Refused, but perhaps in favour of a copy that is still in flight and may yet be lost with its leader: look.
	return b.kept(ctx, stream, msg.Subject)
}

func (b *Broker) kept(ctx context.Context, stream, subject string) error {
	return b.Do(ctx, func(ctx context.Context) error {
		s, err := b.JS.Stream(ctx, stream)
		if err != nil {
			return err
		}
		_, err = s.GetLastMsgForSubject(ctx, subject)
		return err
	})
}
