package link

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/system"
)

// answers is a gRPC service whose behaviour is the name it is asked for.
type answers struct {
	grpc_health_v1.UnimplementedHealthServer
	calls atomic.Int64
}

func (a *answers) Check(ctx context.Context, in *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	n := a.calls.Add(1)
	switch in.Service {
	case "wait":
		<-ctx.Done()
		return nil, ctx.Err()
	case "flaky":
		if n%3 != 0 {
			return nil, status.Error(codes.Unavailable, "not now")
		}
	case "none":
		return nil, status.Error(codes.NotFound, "no such service")
	}
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

func (a *answers) Watch(in *grpc_health_v1.HealthCheckRequest, out grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	for range 10 {
		if err := out.Send(&grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}); err != nil {
			return err
		}
	}
	if in.Service == "wait" {
		<-out.Context().Done()
	}
	return nil
}

const retries = `{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 4, "initialBackoff": "0.01s",
	"maxBackoff": "0.01s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`

func serveGRPC(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, &answers{})
	go func() { _ = server.Serve(l) }()
	t.Cleanup(server.Stop)
	return addrPort(l.Addr())
}

// grpcThrough returns a client of a service behind the mesh, from a-1 to b-1.
func grpcThrough(t *testing.T, m *Mesh) grpc_health_v1.HealthClient {
	t.Helper()
	front := openFront(t, m, "a-1", "b", "b-1", serveGRPC(t))
	conn, err := grpc.NewClient(front.String(), grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDefaultServiceConfig(retries))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return grpc_health_v1.NewHealthClient(conn)
}

func ask(name string) *grpc_health_v1.HealthCheckRequest {
	return &grpc_health_v1.HealthCheckRequest{Service: name}
}

const checkPath = "/grpc.health.v1.Health/Check"

func TestGRPCUnary(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	c := grpcThrough(t, m)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", traceparent, "idempotency-key", "key-1", "x-auth-token", "abc")
	for range 20 { // the table of headers grows and is used
		if _, err := c.Check(ctx, ask("ok")); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range r.await(t, 20) {
		if x.Protocol != "grpc" || x.Path != checkPath || x.Code != "OK" || x.Status != 200 || x.Error != "" || x.Method != "POST" {
			t.Errorf("%+v", x)
		}
		if x.Traceparent != traceparent || x.Idempotency != digest("key-1") || x.Header["x-auth-token"] != redactedText {
			t.Errorf("%+v", x)
		}
		if x.RequestBytes == 0 || x.ResponseBytes == 0 || x.First < x.Start || x.End < x.First {
			t.Errorf("%+v", x)
		}
	}
}

// Retries inside the client are an exchange each, numbered by the key they share.
func TestGRPCRetry(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	c := grpcThrough(t, m)
	ctx := metadata.AppendToOutgoingContext(t.Context(), "idempotency-key", "key-1")
	if _, err := c.Check(ctx, ask("flaky")); err != nil {
		t.Fatal(err)
	}
	all := r.await(t, 3)
	history.NumberAttempts(all, serviceOf)
	var got []string
	for _, x := range all {
		got = append(got, fmt.Sprintf("%d %s", x.Attempt, x.Code))
	}
	if want := []string{"1 UNAVAILABLE", "2 UNAVAILABLE", "3 OK"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestGRPCTrailersOnly(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	if _, err := grpcThrough(t, m).Check(t.Context(), ask("none")); status.Code(err) != codes.NotFound {
		t.Fatal(err)
	}
	if x := r.await(t, 1)[0]; x.Code != "NOT_FOUND" || x.Status != 200 || x.Error != "" || x.ResponseBytes != 0 {
		t.Errorf("%+v", x)
	}
}

func TestGRPCDeadline(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	c := grpcThrough(t, m)
	if _, err := c.Check(t.Context(), ask("ok")); err != nil {
		t.Fatal(err)
	}
	set(t, m, "slow", system.Rule{Kind: system.Delay, Delay: time.Hour, Text: "delay"}, ab("b-1", "a-1"))
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	if _, err := c.Check(ctx, ask("ok")); status.Code(err) != codes.DeadlineExceeded {
		t.Fatal(err)
	}
	x := r.await(t, 2)[1]
	if x.Deadline < 100*time.Millisecond || x.Deadline > 3*time.Second {
		t.Errorf("deadline %s, want just under 3s", x.Deadline)
	}
	if x.Error != gaveUp || !slices.Equal(x.Faults, []string{"delay"}) {
		t.Errorf("%+v", x)
	}
}

func TestGRPCCancel(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	c := grpcThrough(t, m)
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := c.Watch(ctx, ask("wait"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	cancel()
	if x := r.await(t, 1)[0]; x.Error != gaveUp || x.Status != 200 || x.First == 0 || !strings.HasSuffix(x.Path, "/Watch") {
		t.Errorf("%+v", x)
	}
}

func TestGRPCStream(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	stream, err := grpcThrough(t, m).Watch(t.Context(), ask("ok"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; err == nil; n++ {
		_, err = stream.Recv()
	}
	if x := r.await(t, 1)[0]; n != 11 || x.Code != "OK" || x.Error != "" || x.ResponseBytes != 10*7 {
		t.Errorf("%d messages, %+v", n, x)
	}
}

// A connection that a rule resets ends its calls, and the client's next try is another exchange.
func TestGRPCReset(t *testing.T) {
	t.Parallel()
	m, r := recordedMesh(t)
	c := grpcThrough(t, m)
	result := make(chan error, 1)
	go func() {
		_, err := c.Check(t.Context(), ask("wait"))
		result <- err
	}()
	eventually(t, "the call is under way", func() bool { return statsOf(m, "a-1", "b-1").BytesOut > 100 })
	eventually(t, "settings are exchanged", func() bool { return statsOf(m, "b-1", "a-1").BytesOut > 20 })
	set(t, m, "no", system.Rule{Kind: system.Refuse}, ab("a-1", "b-1"))
	err := <-result
	if status.Code(err) != codes.Unavailable {
		t.Errorf("got %v", err)
	}
	if x := r.await(t, 1)[0]; x.Error != wasReset || !slices.Equal(x.Faults, []string{"refuse a-1 -> b-1"}) {
		t.Errorf("%+v", x)
	}
	clearRule(t, m, "no")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if _, err := c.Check(ctx, ask("ok"), grpc.WaitForReady(true)); err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	r.await(t, 2)
}
