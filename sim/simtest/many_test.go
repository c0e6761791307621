package simtest

import (
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// Two hundred hosts, each of which asks the next by its name, over a network that loses some, while every tenth crashes and comes back.
func TestManyHosts(t *testing.T) {
	const hosts = 200
	sim.Run(t, func(s *sim.Sim) {
		s.Links(sim.Link{Latency: time.Millisecond, Jitter: 4 * time.Millisecond, Loss: 0.01})
		name := func(i int) string { return fmt.Sprintf("h%03d", i%hosts) }
		for i := range hosts {
			s.Host(name(i)).Boot(func() { echo(t) })
		}
		time.Sleep(10 * time.Millisecond)
		var wg sync.WaitGroup
		answered := make([]bool, hosts)
		for i := range hosts {
			if i%10 == 0 {
				s.Host(name(i)).Restart()
			}
			wg.Add(1)
			go func() {
				defer wg.Done()
				s.Host(name(i)).Do(func() { answered[i] = asksUntil(name(i+1)+":7", 10) })
			}()
		}
		wg.Wait()
		for i, ok := range answered {
			if !ok {
				t.Errorf("%s had no answer", name(i))
			}
		}
	})
}

func echo(t *testing.T) {
	ln, err := net.Listen("tcp", ":7")
	if err != nil {
		t.Error(err)
		return
	}
	for {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

func asksUntil(addr string, tries int) bool {
	for range tries {
		c, err := net.DialTimeout("tcp", addr, 3*time.Second)
		if err != nil {
			continue
		}
		c.SetDeadline(time.Now().Add(5 * time.Second))
		fmt.Fprint(c, "hello")
		_, err = io.ReadFull(c, make([]byte, 5))
		c.Close()
		if err == nil {
			return true
		}
	}
	return false
}
