package plain_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/internal/env/plain"
	"github.com/assay-dev/assay/system"
)

// writeCertificate writes DIR/NAME.pem and NAME.key: a certificate for host, by an authority of its own in NAME-ca.pem.
func writeCertificate(t *testing.T, dir, name, host string) {
	t.Helper()
	sign := func(c, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) []byte {
		c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(time.Now().UnixNano()), time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, c, by, key.Public(), byKey)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	write := func(file, kind string, der []byte) {
		if err := os.WriteFile(filepath.Join(dir, name+file), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	caKey, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: name + " authority"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	write("-ca.pem", "CERTIFICATE", sign(ca, ca, caKey, caKey))
	leaf := &x509.Certificate{Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	write(".pem", "CERTIFICATE", sign(leaf, ca, key, caKey))
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write(".key", "PRIVATE KEY", der)
}

// tlsSystem is a caller a and a server b, whose certificate is in dir.
func tlsSystem(t *testing.T, dir string, opened *system.TLS) system.System {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := system.Service{Name: "b", Replicas: 1, Ports: []int{8443, 8444}, TLS: opened, Ready: system.Ready{TCP: 8443, Timeout: patience}, Process: system.Process{
		Command: []string{self}, Env: map[string]string{tlsVar: "server", "IP": "{{ip}}", "CERT": filepath.Join(dir, "b.pem"), "KEY": filepath.Join(dir, "b.key")}}}
	a := system.Service{Name: "a", Replicas: 1, Ports: []int{7070}, Ready: system.Ready{HTTP: "7070/"}, Process: system.Process{
		Command: []string{self}, Env: map[string]string{tlsVar: "caller", "LISTEN": "{{ip}}:7070", "PEER": "https://b:8443", "PEER_GRPC": "b:8444"}}}
	if opened != nil {
		b.Ready = system.Ready{HTTP: "8443/healthz", Timeout: patience}
		a.Process.Env["SSL_CERT_FILE"] = "{{ca}}"
	}
	return system.System{Name: "tls", Dir: dir, Seed: 1, Services: []system.Service{a, b}}
}

func arm(t *testing.T, env *plain.Env, rule system.Rule) (heal func()) {
	t.Helper()
	if err := env.SetRule(t.Context(), "x", []system.Link{{From: "a-1", To: "b-1"}}, rule); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := env.ClearRule(t.Context(), "x"); err != nil {
			t.Fatal(err)
		}
	}
}

func files(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range []string{"exchanges.jsonl", "env.jsonl"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	return all.String()
}

// Rules of requests hit what is inside TLS that is opened, on connections that are there already, and heal.
func TestTLSOpened(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeCertificate(t, dir, "b", "b")
	opts := options(t)
	env := startWith(t, tlsSystem(t, dir, &system.TLS{Open: []int{8443, 8444}, CA: "b-ca.pem", Name: "b"}), opts)
	records := record(t, env)
	proto := map[string]string{"1": "HTTP/1.1", "2": "HTTP/2.0"}
	says := func(over, path, want string) time.Duration {
		t.Helper()
		began := time.Now()
		if got := must(t, env, "GET", "a", "/?over="+over+"&path="+path); !strings.HasPrefix(got, want) {
			t.Errorf("over %s, %s: %q, want %q", over, path, got, want)
		}
		return time.Since(began)
	}
	fine := func() {
		t.Helper()
		for over, name := range proto {
			says(over, "/no", "200 "+name+" /no")
		}
		says("grpc", "", "OK")
	}
	fine()
	heal := arm(t, env, system.Rule{Kind: system.Abort, Status: 503, Match: &system.Match{Path: "/no"}, Text: "abort-503"})
	for over, name := range proto {
		says(over, "/no", "503 ")
		says(over, "/yes", "200 "+name+" /yes")
	}
	says("grpc", "", "OK")
	heal()
	fine()
	heal = arm(t, env, system.Rule{Kind: system.Abort, Code: "RESOURCE_EXHAUSTED", Match: &system.Match{Path: "/grpc.health.v1.Health/*"}})
	says("grpc", "", "ResourceExhausted")
	says("1", "/no", "200 ")
	heal()
	heal = arm(t, env, system.Rule{Kind: system.Delay, Delay: 300 * time.Millisecond, Match: &system.Match{Path: "/slow"}})
	for over := range proto {
		if took := says(over, "/slow", "200 "); took < 300*time.Millisecond {
			t.Errorf("over %s: a request that is delayed by 300ms took %v", over, took)
		}
	}
	heal()
	if err := node(t, env, "b-1").(system.Restarter).Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "gRPC is back", func() bool { return must(t, env, "GET", "a", "/?over=grpc") == "OK " })
	fine()
	if err := env.StopRecording(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := files(t, records)
	mustSay(t, text, `"path":"/no"`, `"status":503`, `"protocol":"http/1.1"`, `"protocol":"http/2"`, `"protocol":"grpc"`, `"code":"RESOURCE_EXHAUSTED"`, "abort-503", `"by_fault":true`)
	if strings.Contains(text, "hush") {
		t.Error("a secret of a request is in the records")
	}
	trusted, err := os.ReadFile(filepath.Join(opts.StateDir, "ca.pem"))
	if err != nil || strings.Count(string(trusted), "BEGIN CERTIFICATE") != 2 || strings.Contains(string(trusted), "PRIVATE") {
		t.Errorf("what instances trust is %s, %v", trusted, err)
	}
	clientOf(t, env, "assay, for one run")
}

// clientOf dials b as the load driver does, and looks at whose certificate it is shown.
func clientOf(t *testing.T, env *plain.Env, issuer string) {
	t.Helper()
	text, err := env.Trusted(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	addr, err := env.Addr(t.Context(), system.Client, "b", 8443)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := tls.Dial("tcp", addr, &tls.Config{ServerName: "b", RootCAs: roots, InsecureSkipVerify: len(text) == 0})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if got := conn.ConnectionState().PeerCertificates[0].Issuer.CommonName; got != issuer {
		t.Errorf("the certificate is by %q, want %q", got, issuer)
	}
}

// TLS that nobody said to open passes: the caller is shown the instance's own certificate, no rule hits, and that is counted.
func TestTLSPasses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeCertificate(t, dir, "b", "b")
	env := start(t, tlsSystem(t, dir, nil))
	defer arm(t, env, system.Rule{Kind: system.Abort, Status: 503})()
	clientOf(t, env, "b authority")
	if got := must(t, env, "GET", "a", "/?over=1&path=/x"); !strings.Contains(got, "certificate") {
		t.Errorf("the caller, which trusts nobody, got %q", got)
	}
	stats, err := env.LinkStats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stats {
		if s.From == "a-1" && s.To == "b-1" && (s.Sealed == 0 || s.Hit != 0) {
			t.Errorf("%d connections are sealed, %d requests hit", s.Sealed, s.Hit)
		}
	}
}

// A certificate that is not accepted is an error of the start, or told where the caller is the one that does not.
func TestTLSNotAccepted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeCertificate(t, dir, "b", "b")
	writeCertificate(t, dir, "x", "x")
	for name, c := range map[string]struct {
		opened system.TLS
		wants  []string
	}{
		"another authority": {system.TLS{Open: []int{8443}, CA: "x-ca.pem", Name: "b"}, []string{"b-1: TLS of port 8443: its certificate is not accepted", "unknown authority", "x-assay.tls of service b verifies it with x-ca.pem for the name b"}},
		"another name":      {system.TLS{Open: []int{8443}, CA: "b-ca.pem", Name: "c"}, []string{"b-1: TLS of port 8443", "valid for b, not c"}},
		"no file":           {system.TLS{Open: []int{8443}, CA: "none.pem", Name: "b"}, []string{"open TLS of service b", "none.pem", "no such file"}},
		"no certificate":    {system.TLS{Open: []int{8443}, CA: "b.key", Name: "b"}, []string{"b.key holds no certificate in PEM"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustSay(t, startFails(t, tlsSystem(t, dir, &c.opened)), c.wants...)
		})
	}
	t.Run("no TLS", func(t *testing.T) {
		t.Parallel()
		plain := serve("b", 1)
		plain.Ready, plain.TLS = system.Ready{TCP: 7070}, &system.TLS{Open: []int{7070}, Name: "b"}
		mustSay(t, startFails(t, of(plain)), "b-1: port 7070 does not speak TLS, and x-assay.tls of service b says so")
	})
	t.Run("after a restart", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		writeCertificate(t, dir, "b", "b")
		env := start(t, tlsSystem(t, dir, &system.TLS{Open: []int{8443, 8444}, CA: "b-ca.pem", Name: "b"}))
		writeCertificate(t, dir, "b", "b") // by another authority of the same name
		err := node(t, env, "b-1").(system.Restarter).Restart(t.Context())
		if err == nil {
			t.Fatal("it is ready with a certificate that is not accepted")
		}
		mustSay(t, err.Error(), "restart(b-1)", "its certificate is not accepted")
	})
	t.Run("by the caller", func(t *testing.T) {
		t.Parallel()
		sys := tlsSystem(t, dir, &system.TLS{Open: []int{8443, 8444}, Name: "b"})
		delete(sys.Services[0].Process.Env, "SSL_CERT_FILE")
		env := start(t, sys)
		records := record(t, env)
		if got := must(t, env, "GET", "a", "/?over=2&path=/x"); !strings.Contains(got, "unknown authority") {
			t.Errorf("the caller got %q", got)
		}
		if err := env.StopRecording(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustSay(t, files(t, records), "open TLS of a-1 -\\u003e b-1 (port 8443): a-1: remote error: tls: bad certificate (does it trust the run's certificate, {{ca}}?)")
	})
}
