package workload_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/reflection/grpc_reflection_v1alpha"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
)

// health answers SERVING, or with the code that the service's name asks for.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
}

func (health) Check(ctx context.Context, req *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	if len(md.Get("traceparent")) != 1 {
		return nil, status.Error(codes.InvalidArgument, "no traceparent")
	}
	switch req.Service {
	case "hang":
		if _, ok := ctx.Deadline(); !ok {
			return nil, status.Error(codes.InvalidArgument, "no deadline was sent")
		}
		<-ctx.Done()
		return nil, ctx.Err()
	case "none":
		return nil, status.Error(codes.NotFound, "no such service")
	}
	_ = grpc.SetTrailer(ctx, metadata.Pairs("echo", strings.Join(md.Get("x-key"), ",")))
	return &grpc_health_v1.HealthCheckResponse{Status: grpc_health_v1.HealthCheckResponse_SERVING}, nil
}

func serveGRPC(t *testing.T, register func(*grpc.Server)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health{})
	register(s)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	v1 := serveGRPC(t, func(s *grpc.Server) { reflection.Register(s) })
	alpha := serveGRPC(t, func(s *grpc.Server) {
		grpc_reflection_v1alpha.RegisterServerReflectionServer(s, reflection.NewServer(reflection.ServerOptions{Services: s}))
	})
	silent := serveGRPC(t, func(*grpc.Server) {})
	protoset := filepath.Join(t.TempDir(), "health.protoset")
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{
		protodesc.ToFileDescriptorProto(grpc_health_v1.File_grpc_health_v1_health_proto)}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(protoset, set, 0o600); err != nil {
		t.Fatal(err)
	}
	ok := `code == "OK" && body.status == "SERVING" && headers["echo"] == "k"`
	tests := []struct {
		name, target, method string
		step                 workload.Step
		want, model          history.Outcome
		message              string
	}{
		{"reflection", v1, "", workload.Step{Expect: ok}, history.OK, history.OK, ""},
		{"reflection v1alpha", alpha, "", workload.Step{Expect: ok}, history.OK, history.OK, ""},
		{"protoset", silent, "", workload.Step{Expect: ok, Protoset: protoset}, history.OK, history.OK, ""},
		{"no reflection", silent, "", workload.Step{}, history.Failed, history.Failed, "a server without reflection needs protoset"},
		{"deadline", v1, "", workload.Step{Message: map[string]any{"service": "hang"}, Timeout: 2 * time.Second}, history.Maybe, history.Maybe, `expected code == "OK", got code "DEADLINE_EXCEEDED"`},
		{"expected deadline", v1, "", workload.Step{Message: map[string]any{"service": "hang"}, Timeout: 2 * time.Second, Expect: `code == "DEADLINE_EXCEEDED"`}, history.OK, history.OK, ""},
		{"code", v1, "", workload.Step{Message: map[string]any{"service": "none"}}, history.Failed, history.Maybe, `got code "NOT_FOUND"`},
		{"certain", v1, "", workload.Step{Message: map[string]any{"service": "none"}, Failed: `message == "no such service"`}, history.Failed, history.Failed, `got code "NOT_FOUND"`},
		{"refused", closedPort(t), "", workload.Step{}, history.Failed, history.Failed, "refused"},
		{"no such method", v1, "grpc.health.v1.Health/Chek", workload.Step{}, history.Failed, history.Failed, `did you mean "Check"?`},
		{"no such service", v1, "grpc.health.v1.Healt/Check", workload.Step{}, history.Failed, history.Failed, `did you mean "grpc.health.v1.Health"?`},
		{"streaming", v1, "grpc.health.v1.Health/Watch", workload.Step{}, history.Failed, history.Failed, "streaming"},
		{"no such field", v1, "", workload.Step{Message: map[string]any{"servic": "x"}}, history.Failed, history.Failed, "message is no grpc.health.v1.HealthCheckRequest"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := test.step
			if test.method == "" {
				test.method = "grpc.health.v1.Health/Check"
			}
			s.GRPC = test.target + "/" + test.method
			if s.Expect == "" {
				s.Expect = `code == "OK"`
			}
			if s.Timeout == 0 {
				s.Timeout = 20 * time.Second
			}
			s.Headers = map[string]string{"X-Key": "k"}
			s.Record = []workload.Record{{Op: "append", Object: "o", Value: "item"}}
			op, rec := one(t, workload.Options{}, s)
			if op.Outcome != test.want || !strings.Contains(op.Error, test.message) {
				t.Errorf("got %v %q, want %v %q", op.Outcome, op.Error, test.want, test.message)
			}
			if model := rec.kind(history.Model); len(model) != 1 || model[0].Outcome != test.model {
				t.Errorf("model operations: %+v", model)
			}
		})
	}
}
