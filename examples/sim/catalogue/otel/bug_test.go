// Package otel holds the batch span processor of go.opentelemetry.io/otel/sdk to a promise: a flush that is given up leaves nothing.
//
// Until v1.34.0 the goroutine that exports for ForceFlush handed its result over a channel without room; where the caller had
// gone, it waited for ever. https://github.com/open-telemetry/opentelemetry-go/issues/6360
//
// The order it takes: the context ends after the flush has reached the exporter and before its result is taken. The bubble itself
// objects: a goroutine is blocked when the test ends.
package otel

import (
	"context"
	"testing"

	"github.com/assay-dev/assay/sim"
	"go.opentelemetry.io/otel/sdk/trace"
)

type exporter struct{}

func (exporter) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (exporter) Shutdown(context.Context) error                          { return nil }

func TestOtel(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		t := s.T()
		spans := trace.NewBatchSpanProcessor(exporter{})
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go cancel()
		_ = spans.ForceFlush(ctx) // done or given up: both are fine
		if err := spans.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
