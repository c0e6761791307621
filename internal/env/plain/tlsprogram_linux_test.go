package plain_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// tlsVar makes this binary one of two services: "server" speaks HTTPS on 8443 and gRPC over TLS on 8444, "caller" calls it on
// request, as any Go program would.
const tlsVar = "PLAIN_TEST_TLS"

func tlsProgram(role string) {
	if role == "caller" {
		c := newTLSCaller(os.Getenv("PEER"), os.Getenv("PEER_GRPC"))
		fmt.Fprintln(os.Stderr, http.ListenAndServe(os.Getenv("LISTEN"), c))
		os.Exit(1)
	}
	certificate, err := tls.LoadX509KeyPair(os.Getenv("CERT"), os.Getenv("KEY"))
	if err != nil {
		panic(err)
	}
	rpc := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	grpc_health_v1.RegisterHealthServer(rpc, health.NewServer())
	l, err := net.Listen("tcp", os.Getenv("IP")+":8444")
	if err != nil {
		panic(err)
	}
	go func() { _ = rpc.Serve(l) }()
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto+" "+r.URL.Path) })
	fmt.Fprintln(os.Stderr, http.ListenAndServeTLS(os.Getenv("IP")+":8443", os.Getenv("CERT"), os.Getenv("KEY"), answer))
	os.Exit(1)
}

// A tlsCaller keeps its connections, and trusts what its environment says (SSL_CERT_FILE).
type tlsCaller struct {
	base string
	http map[string]*http.Client
	rpc  *grpc.ClientConn
}

func newTLSCaller(base, target string) *tlsCaller {
	rpc, err := grpc.NewClient("passthrough:///"+target, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{})))
	if err != nil {
		panic(err)
	}
	one := &http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{}}
	return &tlsCaller{base: base, rpc: rpc, http: map[string]*http.Client{"1": {Transport: one}, "2": {Transport: &http.Transport{ForceAttemptHTTP2: true}}}}
}

func (c *tlsCaller) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	switch over := r.FormValue("over"); over {
	case "":
	case "grpc":
		_, err := grpc_health_v1.NewHealthClient(c.rpc).Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		fmt.Fprintf(w, "%s %s", status.Code(err), status.Convert(err).Message())
	default:
		q, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+r.FormValue("path"), nil)
		if err != nil {
			panic(err)
		}
		q.Header.Set("Authorization", "Bearer hush")
		response, err := c.http[over].Do(q)
		if err != nil {
			fmt.Fprint(w, err)
			return
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		fmt.Fprint(w, response.StatusCode, " ", string(text), " ", err)
	}
}
