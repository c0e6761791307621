package link

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// serveTLS serves HTTP/1.1 and HTTP/2 over TLS, and returns a pool that trusts it.
func serveTLS(t *testing.T) (netip.AddrPort, *x509.CertPool) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, r.Proto+" "+r.URL.Path+" "+strconv.FormatInt(n, 10))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	return addrPort(server.Listener.Addr()), pool
}

func tlsClient(t *testing.T, roots *x509.CertPool, two bool) *http.Client {
	t.Helper()
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "example.com"}, ForceAttemptHTTP2: two}
	if !two {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: 20 * time.Second}
}

func TestRequestsTLS(t *testing.T) {
	t.Parallel()
	authority, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	trusting := x509.NewCertPool()
	trusting.AppendCertsFromPEM(authority.PEM())
	for _, two := range []bool{false, true} {
		m, r := recordedMesh(t)
		web, real := serveTLS(t)
		addr := freeAddr(t)
		pick := func(string, uint64) (string, netip.AddrPort, bool) { return "b-1", web, true }
		if err := m.Listen(t.Context(), Front{Src: "a-1", Host: "b", Addr: addr, Pick: pick, Authority: authority}); err != nil {
			t.Fatal(err)
		}
		base, proto := "https://"+addr.String(), map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[two]
		// Unarmed: the caller sees the instance's own certificate.
		if code, body, err := load(tlsClient(t, real, two), base+"/a"); err != nil || code != 200 || body != proto+" /a 0" {
			t.Fatal(code, body, err)
		}
		setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/no"}})
		c := tlsClient(t, trusting, two)
		for range 3 {
			if code, body, err := load(c, base+"/yes"); err != nil || code != 200 || body != proto+" /yes 0" {
				t.Fatal(code, body, err)
			}
			if code, _, err := load(c, base+"/no"); err != nil || code != 503 {
				t.Fatal(code, err)
			}
		}
		long, err := c.Post(base+"/long", "text/plain", strings.NewReader(strings.Repeat("x", 1<<20)))
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(long.Body); err != nil || string(body) != proto+" /long 1048576" {
			t.Error(string(body), err)
		}
		long.Body.Close()
		// A caller that does not trust the authority notices.
		if _, _, err := load(tlsClient(t, real, two), base+"/a"); err == nil {
			t.Error("a caller took a certificate that it does not trust")
		}
		setRule(t, m, system.Rule{Kind: system.Truncate, Bytes: 3})
		if _, body, err := load(c, base+"/yes"); err == nil || body != "HTT" {
			t.Error(body, err)
		}
		for _, x := range r.await(t, 8) {
			if x.ByFault != (x.Path == "/no") {
				t.Errorf("%+v", x)
			}
		}
	}
}

// A server that speaks first is not kept waiting for a handshake that never comes, nor taken for TLS.
func TestAuthorityOtherProtocol(t *testing.T) {
	t.Parallel()
	authority, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	m := newTestMesh(t, Options{})
	server := serveTCP(t, echo)
	addr := freeAddr(t)
	pick := func(string, uint64) (string, netip.AddrPort, bool) { return "b-1", server, true }
	if err := m.Listen(t.Context(), Front{Src: "a-1", Host: "b", Addr: addr, Pick: pick, Authority: authority}); err != nil {
		t.Fatal(err)
	}
	setRule(t, m, system.Rule{Kind: system.Abort, Status: 503})
	c := dial(t, addr)
	if _, err := c.Write([]byte("hello\n")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 6)
	if _, err := io.ReadFull(c, got); err != nil || string(got) != "hello\n" {
		t.Error(string(got), err)
	}
}
