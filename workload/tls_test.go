package workload_test

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/workload"
)

// Steps over HTTPS and gRPC over TLS trust what Trust returns beside the machine's own, and nobody else.
func TestTrust(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	t.Cleanup(web.Close)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rpc := grpc.NewServer(grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: web.TLS.Certificates})))
	grpc_health_v1.RegisterHealthServer(rpc, health{})
	reflection.Register(rpc)
	go func() { _ = rpc.Serve(l) }()
	t.Cleanup(rpc.Stop)
	trusted := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	// example.com is what the certificate of httptest is for.
	at := map[string]string{"web": web.Listener.Addr().String(), "rpc": l.Addr().String()}
	steps := map[string]workload.Step{
		"http": {Call: "GET https://example.com:1/", Expect: `status == 200 && body == "hello"`},
		"grpc": {GRPC: "tls://example.com:2/grpc.health.v1.Health/Check", Expect: `code == "OK"`},
	}
	for name, step := range steps {
		for _, trusts := range []bool{true, false} {
			opts := workload.Options{
				Resolve: func(_ context.Context, _ string, port int) (string, error) {
					return at[map[int]string{1: "web", 2: "rpc"}[port]], nil
				},
				Trust: func(context.Context) ([]byte, error) {
					if trusts {
						return trusted, nil
					}
					return nil, nil
				},
			}
			step.Timeout = 20 * time.Second
			if !trusts {
				step.Timeout = 2 * time.Second
			}
			op, _ := one(t, opts, step)
			if want := map[bool]history.Outcome{true: history.OK, false: history.Failed}[trusts]; op.Outcome != want {
				t.Errorf("%s, trusted %v: %v %q, want %v", name, trusts, op.Outcome, op.Error, want)
			}
			if !trusts && !strings.Contains(op.Error, "unknown authority") {
				t.Errorf("%s: %q does not say why", name, op.Error)
			}
		}
	}
}
