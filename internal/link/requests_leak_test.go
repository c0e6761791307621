package link

import (
	"crypto/x509"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/system"
)

// Close leaves no goroutine and no file descriptor while requests wait, over HTTP/1.1, HTTP/2 and TLS. It counts those of the whole
// process, so it runs alone.
func TestRequestsCloseLeavesNothing(t *testing.T) {
	goroutines, files := settledCounts()
	for range 3 {
		closeWaiting(t)
	}
	deadline := time.Now().Add(patience)
	for {
		g, f := settledCounts()
		if g <= goroutines && f <= files {
			return
		}
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Fatalf("goroutines %d -> %d, files %d -> %d\n%s", goroutines, g, files, f, buf[:runtime.Stack(buf, true)])
		}
	}
}

func closeWaiting(t *testing.T) {
	authority, err := NewAuthority(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	trusting := x509.NewCertPool()
	trusting.AddCert(authority.certificate)
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	m := NewMesh(Options{ServiceOf: serviceOf})
	plain, tls := freeAddr(t), freeAddr(t)
	for addr, to := range map[netip.AddrPort]netip.AddrPort{plain: addrPort(server.Listener.Addr()), tls: addrPort(secure.Listener.Addr())} {
		pick := func(string, uint64) (string, netip.AddrPort, bool) { return "b-1", to, true }
		if err := m.Listen(t.Context(), Front{Src: "a-1", Host: "b", Addr: addr, Pick: pick, TLS: &TLS{Authority: authority}}); err != nil {
			t.Fatal(err)
		}
	}
	setRule(t, m, system.Rule{Kind: system.Delay, Delay: time.Hour, Match: &system.Match{Path: "/wait"}})
	clients := []*http.Client{webClient(t, false), webClient(t, true), tlsClient(t, trusting, false)}
	var wg sync.WaitGroup
	for i, c := range clients {
		base := "http://" + plain.String()
		if i == 2 {
			base = "https://" + tls.String()
		}
		for range 5 {
			wg.Go(func() {
				_, _, _ = load(c, base+"/go")
				_, _, _ = load(c, base+"/wait")
			})
		}
	}
	eventually(t, "requests wait", func() bool { return laneOf(m).Matched == 15 })
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	for _, c := range clients {
		c.CloseIdleConnections()
	}
	server.Close()
	secure.Close()
	wg.Wait()
}
