package network

import (
	"context"
	"net"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"

	"github.com/assay-dev/assay/sim"
)

// gRPC's own health service, asked over one connection while its host is cut off and crashes.
func TestGRPC(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(slow)
		server := s.Host("health")
		server.Boot(func() {
			ln, err := net.Listen("tcp", ":50051")
			if err != nil {
				t.Error(err)
				return
			}
			srv := grpc.NewServer()
			grpc_health_v1.RegisterHealthServer(srv, health.NewServer())
			t.Error(srv.Serve(ln))
		})
		done := make(chan struct{})
		s.Host("client").Go(func() {
			defer close(done)
			checks(t, s)
		})
		time.Sleep(time.Duration(s.Choose(300)) * time.Millisecond)
		s.Isolate(server)
		time.Sleep(time.Second)
		s.Heal()
		time.Sleep(time.Duration(s.Choose(300)) * time.Millisecond)
		server.Crash()
		time.Sleep(time.Second)
		server.Restart()
		<-done
	})
}

// checks asks until twenty calls were answered.
func checks(t *testing.T, s *sim.Sim) {
	conn, err := grpc.NewClient("dns:///health:50051", grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Error(err)
		return
	}
	defer conn.Close()
	client := grpc_health_v1.NewHealthClient(conn)
	answered := 0
	for range 500 {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		resp, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		cancel()
		s.Event("%v %v", resp.GetStatus(), err)
		sim.Sometimes(err != nil, "a call fails")
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		sim.Always(resp.GetStatus() == grpc_health_v1.HealthCheckResponse_SERVING, "it serves", resp.GetStatus())
		if answered++; answered == 20 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	sim.Unreachable("five hundred calls", answered, " were answered")
}
