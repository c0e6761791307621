// Package payments moves money, over gRPC: once per idempotency key, however often it is asked.
package payments

import (
	"context"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	pb "github.com/assay-dev/assay/examples/shop/paymentspb"
)

// acquirerLimit is what the acquirer charges at once: it does not lend.
const acquirerLimit = 50_000_00

// Defect names a mechanism to leave out. The zero value leaves out nothing.
type Defect string

// NoLimit lets callers wait without end, and serves those who have left.
const NoLimit Defect = "no-limit"

// Config is what the instance is told.
type Config struct {
	Listener net.Listener // closed by Run
	Folder   string       // where the book is kept
	Defect   Defect
}

// Run serves until ctx is done, then lets calls end for a second.
func Run(ctx context.Context, c Config) error {
	book, err := Open(c.Folder)
	if err != nil {
		return err
	}
	defer book.Close()
	server := grpc.NewServer()
	var to lines = newLimited()
	if c.Defect == NoLimit {
		to = newEndless()
	}
	pb.RegisterPaymentsServer(server, &payments{book: book, acquirer: to})
	healthpb.RegisterHealthServer(server, health.NewServer())
	reflection.Register(server)
	go func() {
		<-ctx.Done()
		time.AfterFunc(time.Second, server.Stop)
		server.GracefulStop()
	}()
	return server.Serve(c.Listener)
}

type payments struct {
	pb.UnimplementedPaymentsServer
	book     *Book
	acquirer lines
}

// Charge asks the acquirer before it writes: a caller who left meanwhile has not been charged.
func (p *payments) Charge(ctx context.Context, r *pb.ChargeRequest) (*pb.ChargeResponse, error) {
	if r.GetIdempotencyKey() == "" || r.GetAmountCents() <= 0 {
		return nil, status.Error(codes.InvalidArgument, "a charge needs an idempotency_key and an amount_cents above 0")
	}
	if c, ok := p.book.Find(r.GetIdempotencyKey()); ok {
		return answer(c), nil
	}
	if err := p.acquirer.talk(ctx); err != nil {
		return nil, err
	}
	c, err := p.book.Enter(Charge{ID: "ch-" + r.GetIdempotencyKey(), Key: r.GetIdempotencyKey(), OrderID: r.GetOrderId(),
		AmountCents: r.GetAmountCents(), Declined: r.GetAmountCents() > acquirerLimit})
	if err != nil {
		return nil, status.Error(codes.Internal, err.Error())
	}
	return answer(c), nil
}

func (p *payments) GetCharge(_ context.Context, r *pb.GetChargeRequest) (*pb.ChargeResponse, error) {
	c, ok := p.book.Find(r.GetIdempotencyKey())
	if !ok {
		return nil, status.Errorf(codes.NotFound, "no charge has the key %q", r.GetIdempotencyKey())
	}
	return answer(c), nil
}

func answer(c Charge) *pb.ChargeResponse {
	state := pb.State_STATE_PAID
	if c.Declined {
		state = pb.State_STATE_DECLINED
	}
	return &pb.ChargeResponse{ChargeId: c.ID, State: state, AmountCents: c.AmountCents}
}
