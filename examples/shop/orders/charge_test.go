package orders

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/assay-dev/assay/examples/shop/paymentspb"
	"github.com/assay-dev/assay/examples/shop/trace"
)

// bank answers each call with the next of codes; after them, and with codes.OK, it charges. codes.DeadlineExceeded
// says nothing until the caller gives up.
type bank struct {
	pb.PaymentsClient
	codes   []codes.Code
	calls   []metadata.MD
	bounded bool // the last call had a deadline
}

func (b *bank) Charge(ctx context.Context, _ *pb.ChargeRequest, _ ...grpc.CallOption) (*pb.ChargeResponse, error) {
	sent, _ := metadata.FromOutgoingContext(ctx)
	b.calls = append(b.calls, sent)
	_, b.bounded = ctx.Deadline()
	code := codes.OK
	if len(b.calls) <= len(b.codes) {
		code = b.codes[len(b.calls)-1]
	}
	if code == codes.DeadlineExceeded {
		<-ctx.Done()
	}
	if code != codes.OK {
		return nil, status.Error(code, "as told")
	}
	return &pb.ChargeResponse{State: pb.State_STATE_PAID}, nil
}

func TestCharge(t *testing.T) {
	t.Parallel()
	down, silent := codes.Unavailable, codes.DeadlineExceeded
	for _, c := range []struct {
		name   string
		defect Defect
		codes  []codes.Code
		want   codes.Code
		calls  int
	}{
		{"paid at once", "", nil, codes.OK, 1},
		{"an attempt is repeated", "", []codes.Code{down, silent}, codes.OK, 3},
		{"four attempts", "", []codes.Code{down, down, down, down}, down, 4},
		{"a refusal is not repeated", "", []codes.Code{codes.InvalidArgument}, codes.InvalidArgument, 1},
		{"no-retry: one attempt", NoRetry, []codes.Code{down}, down, 1},
		{"no-retry: charges in good weather", NoRetry, nil, codes.OK, 1},
		{"no-outbox: retries", NoOutbox, []codes.Code{down}, codes.OK, 2},
		{"who is busy is left alone", "", []codes.Code{codes.ResourceExhausted}, codes.ResourceExhausted, 1},
		{"eager-retry: two layers", EagerRetry, []codes.Code{down, down, down, down, down, down, down, down, down}, down, 9},
		{"eager-retry: charges in good weather", EagerRetry, nil, codes.OK, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := &bank{codes: c.codes}
				_, err := newCharger(b, c.defect).charge(t.Context(), Order{ID: "key-12345"})
				if status.Code(err) != c.want || len(b.calls) != c.calls || !b.bounded {
					t.Errorf("got %v after %d calls, deadline %v; want %v after %d, with a deadline", err, len(b.calls), b.bounded, c.want, c.calls)
				}
			})
		})
	}
}

func TestChargeStaysInBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		silent := codes.DeadlineExceeded
		b, start := &bank{codes: []codes.Code{silent, silent, silent, silent, silent}}, time.Now()
		if _, err := newCharger(b, "").charge(t.Context(), Order{}); err == nil || time.Since(start) > budgetLimit {
			t.Errorf("got %v after %v, want an error within %v", err, time.Since(start), budgetLimit)
		}
		if len(b.calls) < 2 {
			t.Errorf("got %d attempts, want more than one", len(b.calls))
		}
	})
}

// When nobody is answered, retries become as many as requests and no more.
func TestChargeStaysInTheBudgetOfRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bank{}
		for range 1000 {
			b.codes = append(b.codes, codes.Unavailable)
		}
		c := newCharger(b, "")
		for range 100 {
			_, _ = c.charge(t.Context(), Order{ID: "key-12345"})
		}
		if len(b.calls) < 200 || len(b.calls) > 200+retriesSaved {
			t.Errorf("%d calls for 100 orders, want about two each", len(b.calls))
		}
	})
}

// Eager retries do not wait: all nine are made before anything can have changed.
func TestEagerRetriesDoNotWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		down := codes.Unavailable
		b, start := &bank{codes: []codes.Code{down, down, down, down, down, down, down, down}}, time.Now()
		if _, err := newCharger(b, EagerRetry).charge(t.Context(), Order{}); err != nil || time.Since(start) != 0 {
			t.Errorf("got %v after %v, want the ninth to be answered at once", err, time.Since(start))
		}
	})
}

func TestNoDeadlineHasNone(t *testing.T) {
	t.Parallel()
	b := &bank{}
	if _, err := newCharger(b, NoDeadline).charge(t.Context(), Order{}); err != nil || b.bounded {
		t.Errorf("got %v, deadline %v; want neither", err, b.bounded)
	}
}

func TestAttemptsAreSpansOfOneTrace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, span := &bank{codes: []codes.Code{codes.Unavailable}}, trace.New()
		if _, err := newCharger(b, "").charge(trace.With(t.Context(), span), Order{ID: "key-12345"}); err != nil {
			t.Fatal(err)
		}
		first, _ := trace.Parse(b.calls[0].Get(trace.Header)[0])
		second, _ := trace.Parse(b.calls[1].Get(trace.Header)[0])
		if first.TraceID != span.TraceID || second.TraceID != span.TraceID || first.SpanID == second.SpanID {
			t.Errorf("attempts %v and %v of %v, want one trace and two spans", first, second, span)
		}
		if key := b.calls[1].Get("idempotency-key"); len(key) != 1 || key[0] != "key-12345" {
			t.Errorf("the second attempt has idempotency-key %v", key)
		}
	})
}
