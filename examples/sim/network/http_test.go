package network

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// slow is what the hosts of these tests are linked by.
var slow = sim.Link{Latency: 2 * time.Millisecond, Jitter: 8 * time.Millisecond, Loss: 0.01}

// The default client of net/http, whose transport is a package variable, asks a server that crashes in between.
func TestHTTP(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(slow)
		server := s.Host("shop")
		server.Boot(func() { t.Error(http.ListenAndServe(":80", greeter(s))) })
		done := asks(s, http.DefaultClient, "http://shop/ann")
		time.Sleep(time.Duration(s.Choose(200)) * time.Millisecond)
		server.Crash()
		time.Sleep(time.Second)
		server.Restart()
		<-done
	})
}

// The same over TLS, by a certificate made for the simulation, whose clock begins in the year 2000.
func TestTLS(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(slow)
		cert, roots, err := certificate("shop")
		if err != nil {
			t.Fatal(err)
		}
		server := s.Host("shop")
		server.Boot(func() {
			srv := http.Server{Addr: ":443", Handler: second(greeter(s)), TLSConfig: &tls.Config{Certificates: []tls.Certificate{cert}}}
			t.Error(srv.ListenAndServeTLS("", ""))
		})
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true}
		done := asks(s, &http.Client{Transport: transport}, "https://shop/ann")
		time.Sleep(time.Duration(s.Choose(200)) * time.Millisecond)
		s.Isolate(server)
		time.Sleep(time.Second)
		s.Heal()
		<-done
	})
}

func greeter(s *sim.Sim) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Event("%s %s", r.Proto, r.URL.Path)
		fmt.Fprintf(w, "hello %s", r.URL.Path[1:])
	})
}

// second notes whether a request came by HTTP/2.
func second(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sim.Sometimes(r.ProtoMajor == 2, "HTTP/2")
		h.ServeHTTP(w, r)
	})
}

// asks sends requests one after the other, from a host of its own, until ten were answered.
func asks(s *sim.Sim, client *http.Client, url string) (done chan struct{}) {
	done = make(chan struct{})
	s.Host("client").Go(func() {
		defer close(done)
		defer client.CloseIdleConnections()
		answered := 0
		for range 200 {
			text, err := ask(client, url)
			s.Event("%q %v", text, err)
			if err == nil {
				sim.Always(text == "hello ann", "answers are whole", text)
				answered++
			}
			sim.Sometimes(err != nil, "a request fails")
			if answered == 10 {
				return
			}
		}
		sim.Unreachable("two hundred requests", answered, " were answered")
	})
	return done
}

func ask(client *http.Client, url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return string(b), err
}

// certificate makes one for a name, and the pool that trusts it.
func certificate(name string) (tls.Certificate, *x509.CertPool, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, nil, err
	}
	roots := x509.NewCertPool()
	roots.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, roots, nil
}
