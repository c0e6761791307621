package simtest

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// A swarm breaks what it says, and all is whole when it is over.
func TestSwarm(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		s.Links(sim.Link{Latency: 2 * time.Millisecond})
		var hosts []*sim.Host
		for i := range 3 {
			h := s.Host(fmt.Sprintf("server%d", i))
			h.Boot(func() { serveAll(t) })
			h.Do(func() { h.Disk().WriteFile("/file", []byte("x"), 0o666) })
			hosts = append(hosts, h)
		}
		began := time.Now()
		watchSwarm(s, hosts)
		s.Swarm(sim.Swarm{Hosts: hosts, For: 5 * time.Second})
		time.Sleep(3 * time.Minute) // who waits for a host that crashed is told
		for _, h := range hosts {
			sim.Always(h.Up(), "a host is up again", h)
			now := s.Now()
			h.Do(func() {
				sim.Always(wall(began) == now, "a clock is right again", wall(began))
				f, err := h.Disk().Create("/again")
				if err == nil {
					_, err = f.Write([]byte("x"))
				}
				if err == nil {
					err = f.Sync()
				}
				sim.Always(err == nil, "a disk is well again", err)
			})
		}
		s.Host("last").Do(func() {
			for _, h := range hosts {
				start := s.Now()
				_, err := fetchOK(h.Name())
				sim.Always(err == nil, "a host answers", err)
				sim.Always(s.Now()-start < 20*time.Millisecond, "without delay", s.Now()-start)
			}
		})
	})
}

func serveAll(t *testing.T) {
	go func() {
		c, err := net.ListenPacket("udp", ":9")
		if err != nil {
			t.Error(err)
			return
		}
		for b := make([]byte, 10); ; {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			c.WriteTo(b[:n], from)
		}
	}()
	if err := http.ListenAndServe(":80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") })); err != nil {
		t.Error(err)
	}
}

func fetchOK(host string) (string, error) {
	r, err := (&http.Client{Timeout: time.Second}).Get("http://" + host + "/")
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	return string(b), err
}

// wall is how long the host's wall clock says it is.
func wall(began time.Time) time.Duration { return time.Now().Round(0).Sub(began.Round(0)) }

// watchSwarm notes what goes wrong.
func watchSwarm(s *sim.Sim, hosts []*sim.Host) {
	client, began := s.Host("client"), time.Now()
	client.Go(func() {
		for range 400 {
			time.Sleep(10 * time.Millisecond)
			now := s.Now()
			for _, h := range hosts {
				sim.Sometimes(!h.Up(), "a host is down")
				h.Go(func() {
					off := wall(began) - now
					sim.Sometimes(off > time.Second || off < -time.Second, "a clock is off")
				})
			}
		}
	})
	client.Go(func() {
		for range 100 {
			time.Sleep(20 * time.Millisecond)
			start := s.Now()
			_, err := fetchOK(hosts[0].Name())
			sim.Sometimes(err != nil, "no answer")
			sim.Sometimes(err == nil && s.Now()-start > 20*time.Millisecond, "a late answer")
		}
	})
	client.Go(func() { datagrams(hosts[1].Addr().String()) })
	for _, h := range hosts {
		h.Go(func() {
			for range 100 {
				time.Sleep(20 * time.Millisecond)
				start := s.Now()
				err := h.Disk().WriteFile("/file", []byte("x"), 0o666)
				sim.Sometimes(err != nil, "a disk fails")
				sim.Sometimes(err == nil && s.Now()-start > 30*time.Millisecond, "a disk is slow")
			}
		})
	}
}

func datagrams(to string) {
	c, err := net.Dial("udp", to+":9")
	if err != nil {
		return
	}
	go func() {
		for i := range 200 {
			time.Sleep(5 * time.Millisecond)
			fmt.Fprint(c, i)
		}
	}()
	for last := -1; ; {
		b := make([]byte, 10)
		n, err := c.Read(b)
		if err != nil {
			return
		}
		var i int
		fmt.Sscan(string(b[:n]), &i)
		sim.Sometimes(i == last, "a datagram came twice")
		sim.Sometimes(i < last, "a datagram was overtaken")
		sim.Sometimes(i > last+1, "a datagram was lost")
		last = max(last, i)
	}
}
