package fulfilment

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/examples/shop/broker"
	"github.com/assay-dev/assay/examples/shop/serve"
)

// Shipments is the answer to GET /shipments.
type Shipments struct {
	Orders  []string `json:"orders"`  // ids in the order of the carrier's book, as often as they are in it
	Pending int      `json:"pending"` // events not acknowledged yet
}

// api shows the carrier's book as it is: it hides no duplicates.
type api struct {
	broker   *broker.Broker
	consumer jetstream.Consumer
}

func (a *api) routes(ready func() bool) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /shipments", a.shipments)
	return serve.Health(mux, ready)
}

func (a *api) shipments(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	info, err := a.consumer.Info(ctx) // before the book: what was pending then may be in it
	if err != nil {
		serve.Error(w, http.StatusServiceUnavailable, err)
		return
	}
	orders, err := a.read(ctx)
	if err != nil {
		serve.Error(w, http.StatusServiceUnavailable, err)
		return
	}
	serve.JSON(w, http.StatusOK, Shipments{orders, int(info.NumPending) + info.NumAckPending})
}

// read returns the whole book, up to the entry that was last when it was asked.
func (a *api) read(ctx context.Context) ([]string, error) {
	stream, err := a.broker.JS.Stream(ctx, broker.ShipmentsStream)
	if err != nil {
		return nil, err
	}
	last := stream.CachedInfo().State.LastSeq
	if last == 0 {
		return []string{}, nil
	}
	reader, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return nil, err
	}
	messages, err := reader.Messages()
	if err != nil {
		return nil, err
	}
	defer messages.Stop()
	return collect(ctx, messages, last)
}

func collect(ctx context.Context, messages jetstream.MessagesContext, last uint64) ([]string, error) {
	var orders []string
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, err
		}
		orders = append(orders, strings.TrimPrefix(msg.Subject(), broker.ShipmentPrefix))
		if meta, err := msg.Metadata(); err != nil || meta.Sequence.Stream >= last {
			return orders, err
		}
	}
}
