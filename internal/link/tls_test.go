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
	return &http.Client{Transport: transport, Timeout: patience}
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
		opened := &TLS{Authority: authority, Roots: real, Name: "example.com"}
		if err := m.Listen(t.Context(), Front{Src: "a-1", Host: "b", Addr: addr, Pick: pick, TLS: opened}); err != nil {
			t.Fatal(err)
		}
		base, proto := "https://"+addr.String(), map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[two]
		c := tlsClient(t, trusting, two)
		if code, body, err := load(c, base+"/a"); err != nil || code != 200 || body != proto+" /a 0" {
			t.Fatal(code, body, err)
		}
		// The connection that is there is hit, too.
		setRule(t, m, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/no"}})
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
		eventually(t, "the caller that did not trust is counted", func() bool { return m.Stats()[0].Unopened > 0 })
		if sealed := m.Stats()[0].Sealed; sealed != 0 {
			t.Error(sealed, "connections were not opened")
		}
		for _, x := range r.await(t, 9) {
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
	if err := m.Listen(t.Context(), Front{Src: "a-1", Host: "b", Addr: addr, Pick: pick, TLS: &TLS{Authority: authority}}); err != nil {
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

// Without a TLS the caller sees the instance's own certificate, rules of requests hit nothing, and the connection is counted.
func TestSealed(t *testing.T) {
	t.Parallel()
	m, _ := recordedMesh(t)
	web, real := serveTLS(t)
	addr := freeAddr(t)
	pick := func(string, uint64) (string, netip.AddrPort, bool) { return "b-1", web, true }
	if err := m.Listen(t.Context(), Front{Src: "a-1", Host: "b", Addr: addr, Pick: pick}); err != nil {
		t.Fatal(err)
	}
	for want := range 2 { // before and with a rule
		if code, _, err := load(tlsClient(t, real, true), "https://"+addr.String()+"/a"); err != nil || code != 200 {
			t.Fatal(code, err)
		}
		if got := m.Stats(); got[0].Sealed != int64(want)+1 || got[0].Hit != 0 {
			t.Errorf("%+v", got[0])
		}
		setRule(t, m, system.Rule{Kind: system.Abort, Status: 503})
	}
}

// Whichever certificate is not accepted, by whom is told, and the caller gets an alert and no reset.
func TestTLSTrouble(t *testing.T) {
	t.Parallel()
	authority, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	trusting := x509.NewCertPool()
	trusting.AppendCertsFromPEM(authority.PEM())
	web, real := serveTLS(t)
	pick := func(string, uint64) (string, netip.AddrPort, bool) { return "b-1", web, true }
	for name, c := range map[string]struct {
		roots, caller *x509.CertPool
		name          string
		told, got     string
	}{
		"instance of another authority": {trusting, trusting, "example.com", "its certificate is not accepted: x509: certificate signed by unknown authority", "remote error: tls"},
		"instance of another name":      {real, trusting, "b.test", "not b.test", "remote error: tls"},
		"caller with another authority": {real, real, "example.com", "a-1: remote error: tls: ", "unknown authority"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newTestMesh(t, Options{})
			addr, told := freeAddr(t), make(chan error, 8)
			opened := &TLS{Authority: authority, Roots: c.roots, Name: c.name, Trouble: func(err error) { told <- err }}
			if err := m.Listen(t.Context(), Front{Src: "a-1", Host: "b", Addr: addr, Pick: pick, TLS: opened}); err != nil {
				t.Fatal(err)
			}
			_, _, err := load(tlsClient(t, c.caller, false), "https://"+addr.String()+"/a")
			if err == nil || !strings.Contains(err.Error(), c.got) {
				t.Errorf("the caller got %v, want %q", err, c.got)
			}
			if err := <-told; !strings.HasPrefix(err.Error(), "open TLS of a-1 -> b-1") || !strings.Contains(err.Error(), c.told) {
				t.Errorf("told %v, want %q", err, c.told)
			}
			if got := m.Stats(); got[0].Unopened != 1 || got[0].Refused != 0 {
				t.Errorf("%+v", got[0])
			}
		})
	}
}

// A cut leaves the handshake unanswered until the heal, and a caller that left meanwhile costs nothing; a refuse resets it.
func TestTLSCut(t *testing.T) {
	t.Parallel()
	authority, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	trusting := x509.NewCertPool()
	trusting.AppendCertsFromPEM(authority.PEM())
	m := newTestMesh(t, Options{Owner: func(netip.AddrPort, netip.AddrPort) (string, bool) { return "a-1", true }})
	web, _ := serveTLS(t)
	addr := freeAddr(t)
	pick := func(string, uint64) (string, netip.AddrPort, bool) { return "b-1", web, true }
	if err := m.Listen(t.Context(), Front{Host: "b", Addr: addr, Pick: pick, TLS: &TLS{Authority: authority}}); err != nil {
		t.Fatal(err)
	}
	links := []system.Link{{From: "a-1", To: "b-1"}}
	if err := m.SetRule("x", links, system.Rule{Kind: system.Cut}); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, _, err := load(tlsClient(t, trusting, true), "https://"+addr.String()+"/a")
		answered <- err
	}()
	eventually(t, "the dial is left unanswered", func() bool { s := m.Stats(); return len(s) > 0 && s[0].Stalled == 1 })
	select {
	case err := <-answered:
		t.Fatal("answered while cut:", err)
	default:
	}
	if err := m.ClearRule("x"); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Error(err)
	}
	if err := m.SetRule("x", links, system.Rule{Kind: system.Refuse}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := load(tlsClient(t, trusting, true), "https://"+addr.String()+"/a"); err == nil {
		t.Error("answered while refused")
	}
}
