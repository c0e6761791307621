package otel

import (
	"context"
	"os"
	"testing"
	"testing/synctest"

	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"
)

// A cancelling exporter gives the caller's context up while it exports.
type cancelling struct {
	exporter
	cancel func()
	gone   chan struct{}
}

func (c cancelling) ExportSpans(context.Context, []trace.ReadOnlySpan) error {
	c.cancel()
	<-c.gone
	return nil
}

// TestForced brings the bad order about: the context ends during the export.
func TestForced(t *testing.T) {
	if os.Getenv("CATALOGUE_FORCED") == "" {
		t.Skip("CATALOGUE_FORCED is not set")
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		gone := make(chan struct{})
		spans := trace.NewBatchSpanProcessor(cancelling{cancel: cancel, gone: gone})
		for _, s := range (tracetest.SpanStubs{{Name: "job", SpanContext: sampled()}}).Snapshots() {
			spans.OnEnd(s)
		}
		_ = spans.ForceFlush(ctx)
		close(gone)
		if err := spans.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}

func sampled() oteltrace.SpanContext {
	return oteltrace.NewSpanContext(oteltrace.SpanContextConfig{TraceID: oteltrace.TraceID{1}, SpanID: oteltrace.SpanID{1}, TraceFlags: oteltrace.FlagsSampled})
}
