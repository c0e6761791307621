package orders

import (
	"context"
	"math/rand/v2"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	pb "github.com/assay-dev/assay/examples/shop/paymentspb"
	"github.com/assay-dev/assay/examples/shop/retry"
	"github.com/assay-dev/assay/examples/shop/trace"
)

// How long orders lets payments think. Four attempts of 300 ms do not always fit the budget, which is what counts.
const (
	attemptLimit = 300 * time.Millisecond
	budgetLimit  = 1200 * time.Millisecond
	settleLimit  = time.Second
)

// charger asks payments for the money of one order.
type charger interface {
	charge(ctx context.Context, o Order) (State, error)
}

// attempt is one RPC, under a span of its own.
type attempt struct{ client pb.PaymentsClient }

func (a attempt) charge(ctx context.Context, o Order) (State, error) {
	ctx = metadata.AppendToOutgoingContext(ctx, trace.Header, trace.From(ctx).Child().String(), "idempotency-key", o.ID)
	answer, err := a.client.Charge(ctx, &pb.ChargeRequest{OrderId: o.ID, AmountCents: o.AmountCents, IdempotencyKey: o.ID})
	if err != nil {
		return "", err
	}
	if answer.GetState() == pb.State_STATE_PAID {
		return Paid, nil
	}
	return Declined, nil
}

// bounded gives up on next after limit.
type bounded struct {
	next  charger
	limit time.Duration
}

func (b bounded) charge(ctx context.Context, o Order) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	return b.next.charge(ctx, o)
}

// What orders may spend on retries in all: when payments answer nobody, they are asked twice for each order and not four
// times, by each instance.
const (
	retriesEarned = 1
	retriesSaved  = 10
)

// retrying repeats next when payments could not be reached or did not answer in time: nothing else is worth a second
// try. Payments that say they are busy get none.
type retrying struct {
	next   charger
	policy retry.Policy
	budget *retry.Budget // nil: no limit
}

func (r retrying) charge(ctx context.Context, o Order) (state State, err error) {
	again := passing
	if r.budget != nil {
		r.budget.Request()
		again = func(err error) bool { return passing(err) && r.budget.Retry() }
	}
	err = r.policy.Do(ctx, rand.Float64, again, func(ctx context.Context) error {
		state, err = r.next.charge(ctx, o)
		return err
	})
	return state, err
}

func passing(err error) bool {
	code := status.Code(err)
	return code == codes.Unavailable || code == codes.DeadlineExceeded
}

// newCharger puts together what stands between a checkout and payments. A defect leaves its part out.
func newCharger(client pb.PaymentsClient, d Defect) charger {
	once := attempt{client}
	patience := retry.Policy{Attempts: 4, Base: 100 * time.Millisecond, Max: 800 * time.Millisecond}
	switch d {
	case NoRetry:
		return bounded{once, attemptLimit}
	case NoDeadline:
		return retrying{once, patience, retry.NewBudget(retriesEarned, retriesSaved)}
	case EagerRetry:
		eager := retry.Policy{Attempts: 3} // without a pause
		return retrying{retrying{bounded{once, attemptLimit}, eager, nil}, eager, nil}
	default:
		return bounded{retrying{bounded{once, attemptLimit}, patience, retry.NewBudget(retriesEarned, retriesSaved)}, budgetLimit}
	}
}

// dial prepares a connection that comes back within moments of payments' return: by default gRPC's pauses grow to
// two minutes.
func dial(address string) (*grpc.ClientConn, error) {
	pause := backoff.Config{BaseDelay: 20 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 200 * time.Millisecond}
	return grpc.NewClient("passthrough:///"+address,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: pause, MinConnectTimeout: 500 * time.Millisecond}))
}
