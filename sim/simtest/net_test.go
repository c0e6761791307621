package simtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// serve is an ordinary server, which knows nothing of the simulation but that it notes events.
func serve(s *sim.Sim) {
	var mu sync.Mutex
	kv := map[string]string{}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /{k}", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		kv[r.PathValue("k")] = string(b)
		mu.Unlock()
		s.Event("put %s %s", r.PathValue("k"), b)
	})
	mux.HandleFunc("GET /{k}", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		v := kv[r.PathValue("k")]
		mu.Unlock()
		io.WriteString(w, v)
	})
	ln, err := net.Listen("tcp", ":8080")
	if err != nil {
		s.T().Error(err)
		return
	}
	http.Serve(ln, mux)
}

func talk(s *sim.Sim) {
	client := &http.Client{Timeout: 300 * time.Millisecond, Transport: &http.Transport{MaxIdleConnsPerHost: 2}}
	defer client.CloseIdleConnections()
	for k := range 25 {
		url := fmt.Sprintf("http://node%d:8080/k%d", 1+rand.IntN(3), rand.IntN(5))
		method, body := "GET", ""
		if rand.IntN(2) == 0 {
			method, body = "PUT", fmt.Sprint(k)
		}
		req, _ := http.NewRequest(method, url, strings.NewReader(body))
		resp, err := client.Do(req)
		if err != nil {
			s.Event("%s %s: %v", method, url, err)
			continue
		}
		b, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		sim.Reachable("an answer")
		s.Event("%s %s: %d %s %v", method, url, resp.StatusCode, b, err)
	}
}

// net/http between hosts, with loss, a partition, a crash and a restart.
func TestHTTPBetweenHosts(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(sim.Link{Latency: 2 * time.Millisecond, Jitter: 3 * time.Millisecond, Loss: 0.02})
		for i := range 3 {
			s.Host(fmt.Sprintf("node%d", i+1)).Boot(func() { serve(s) })
		}
		var wg sync.WaitGroup
		for i := range 4 {
			wg.Add(1)
			s.Host(fmt.Sprintf("client%d", i+1)).Go(func() {
				defer wg.Done()
				talk(s)
			})
		}
		time.Sleep(100 * time.Millisecond)
		s.Partition([]*sim.Host{s.Host("client1")}, []*sim.Host{s.Host("node2")})
		time.Sleep(400 * time.Millisecond)
		s.Heal()
		s.Host("node3").Crash()
		time.Sleep(200 * time.Millisecond)
		s.Host("node3").Restart()
		wg.Wait()
	})
}

func TestUDP(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(sim.Link{Latency: time.Millisecond, Jitter: 9 * time.Millisecond, Loss: 0.1, Duplicate: 0.1, Late: 0.1})
		s.Host("dns").Go(func() {
			pc, err := net.ListenPacket("udp", ":53")
			if err != nil {
				t.Error(err)
				return
			}
			b := make([]byte, 1500)
			for {
				n, from, err := pc.ReadFrom(b)
				if err != nil {
					return
				}
				s.Event("%s from %s", b[:n], from)
				pc.WriteTo(append([]byte("re "), b[:n]...), from)
			}
		})
		s.Host("client").Do(func() {
			c, err := net.Dial("udp", "dns:53")
			if err != nil {
				t.Error(err)
				return
			}
			defer c.Close()
			for i := range 20 {
				fmt.Fprintf(c, "m%d", i)
			}
			b := make([]byte, 1500)
			for {
				c.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
				n, err := c.Read(b)
				if err != nil {
					s.Event("%v", err)
					return
				}
				sim.Reachable("an answer")
				s.Event("%s", b[:n])
			}
		})
	})
}

func TestUnix(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		echo := func() {
			ln, err := net.Listen("unix", "/run/echo")
			if err != nil {
				t.Error(err)
				return
			}
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				go io.Copy(c, c)
			}
		}
		for _, name := range []string{"a", "b"} { // the path is each host's own
			h := s.Host(name)
			h.Go(echo)
			time.Sleep(time.Millisecond)
			ok := h.Do(func() {
				c, err := net.Dial("unix", "/run/echo")
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprint(c, name)
				b := make([]byte, 1)
				if _, err := io.ReadFull(c, b); err != nil || string(b) != name {
					t.Errorf("got %q, %v, want %q", b, err, name)
				}
			})
			if !ok {
				t.Error("the host did not do it")
			}
		}
	})
}

// What a network does, one property after the other.
func TestNetworkProperties(t *testing.T) {
	for name, f := range map[string]func(*testing.T, *sim.Sim){
		"refused": func(t *testing.T, s *sim.Sim) {
			s.Host("up")
			if _, err := net.Dial("tcp", "up:80"); err == nil || !strings.Contains(err.Error(), "connection refused") {
				t.Errorf("got %v, want connection refused", err)
			}
		},
		"unknown name": func(t *testing.T, s *sim.Sim) {
			if _, err := net.Dial("tcp", "nowhere:80"); err == nil || !strings.Contains(err.Error(), "no such host") {
				t.Errorf("got %v, want no such host", err)
			}
		},
		"nobody at a host that is down": func(t *testing.T, s *sim.Sim) {
			s.Host("down").Crash()
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			var d net.Dialer
			if _, err := d.DialContext(ctx, "tcp", "down:80"); err == nil || s.Now() < 5*time.Second {
				t.Errorf("got %v after %v, want a timeout after 5s", err, s.Now())
			}
		},
		"a partition holds bytes back": func(t *testing.T, s *sim.Sim) {
			a, b := s.Host("a"), s.Host("b")
			got := make(chan time.Duration, 1)
			b.Go(func() {
				ln, _ := net.Listen("tcp", ":80")
				c, err := ln.Accept()
				if err != nil {
					return
				}
				io.ReadFull(c, make([]byte, 1))
				got <- s.Now()
			})
			time.Sleep(time.Millisecond)
			a.Go(func() {
				c, err := net.Dial("tcp", "b:80")
				if err != nil {
					t.Error(err)
					return
				}
				s.Partition([]*sim.Host{a}, []*sim.Host{b})
				c.Write([]byte("x"))
				time.Sleep(10 * time.Second)
				s.Heal()
			})
			if at := <-got; at < 10*time.Second || at > 11*time.Second {
				t.Errorf("the byte came at %v, want soon after 10s", at)
			}
		},
		"a peer that restarted resets": func(t *testing.T, s *sim.Sim) {
			s.Host("b").Boot(func() {
				ln, _ := net.Listen("tcp", ":80")
				for {
					if _, err := ln.Accept(); err != nil {
						return
					}
				}
			})
			time.Sleep(time.Millisecond)
			c, err := net.Dial("tcp", "b:80")
			if err != nil {
				t.Fatal(err)
			}
			s.Host("b").Restart()
			c.Write([]byte("x"))
			if _, err := c.Read(make([]byte, 1)); err == nil || !strings.Contains(err.Error(), "reset") {
				t.Errorf("got %v, want a reset", err)
			}
		},
		"ports have names": func(t *testing.T, s *sim.Sim) {
			s.Host("b").Go(func() { http.ListenAndServe(":http", http.NotFoundHandler()) })
			time.Sleep(time.Millisecond)
			c, err := net.Dial("tcp", "b:http")
			if err != nil {
				t.Fatal(err)
			}
			c.Close()
			if _, err := net.Dial("tcp", "b:https"); !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), ":443") {
				t.Errorf("got %v, want port 443 to refuse", err)
			}
			if _, err := net.Dial("tcp", "b:nothing-has-this-name"); err == nil || !strings.Contains(err.Error(), "unknown port") {
				t.Errorf("got %v, want an unknown port", err)
			}
		},
		"a rate takes time": func(t *testing.T, s *sim.Sim) {
			s.Links(sim.Link{Rate: 1 << 20})
			s.Host("b").Go(func() {
				ln, _ := net.Listen("tcp", ":80")
				c, _ := ln.Accept()
				c.Write(make([]byte, 10<<20))
				c.Close()
			})
			time.Sleep(time.Millisecond)
			c, err := net.Dial("tcp", "b:80")
			if err != nil {
				t.Fatal(err)
			}
			if n, err := io.Copy(io.Discard, c); n != 10<<20 || err != nil || s.Now() < 9*time.Second || s.Now() > 11*time.Second {
				t.Errorf("%d bytes, %v, after %v; want 10 MiB after 10s", n, err, s.Now())
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim.Run(t, func(s *sim.Sim) { f(s.T(), s) })
		})
	}
}

// The default transport of net/http is each host's own: none uses another's connections, and none is left to the next simulation.
func TestDefaultTransport(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Host("server").Boot(func() {
			t.Error(http.ListenAndServe(":80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, r.RemoteAddr)
			})))
		})
		time.Sleep(10 * time.Millisecond)
		seen := map[string]string{} // address of each connection, by host
		ask := func() {
			resp, err := http.Get("http://server/")
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			b, _ := io.ReadAll(resp.Body)
			host, port, _ := net.SplitHostPort(string(b))
			if was := seen[host]; was != "" && was != port {
				t.Errorf("%s came from ports %s and %s: its connection was not kept", host, was, port)
			}
			seen[host] = port
		}
		for range 3 {
			for _, name := range []string{"a", "b"} {
				s.Host(name).Do(ask)
			}
			ask() // on no host
		}
		if len(seen) != 3 {
			t.Errorf("three clients had connections %v", seen)
		}
	})
}
