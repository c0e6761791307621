package simtest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/assay-dev/assay/sim"
)

// Names are those of the simulation alone: nobody asks the machine's own resolver, and no time goes by.
func TestNames(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		addr := s.Host("Server").Addr().String()
		if s.Host("server") != s.Host("SERVER") {
			t.Error("letters make another host")
		}
		s.Host("client").Do(func() {
			for _, name := range []string{"Server", "server", "SERVER", "server.", "Server."} {
				if all, err := net.LookupHost(name); err != nil || !slices.Equal(all, []string{addr}) {
					t.Errorf("%s: %v, %v; want %s", name, all, err, addr)
				}
			}
			if all, err := net.LookupAddr(addr); err != nil || !slices.Equal(all, []string{"Server."}) {
				t.Errorf("name of %s: %v, %v", addr, all, err)
			}
			if all, err := net.LookupAddr("127.0.0.1"); err != nil || !slices.Equal(all, []string{"localhost."}) {
				t.Errorf("name of 127.0.0.1: %v, %v", all, err)
			}
			if name, err := net.LookupCNAME("Server"); err != nil || name != "server." {
				t.Errorf("canonical name: %q, %v", name, err)
			}
			for what, look := range map[string]func() error{
				"LookupHost":  func() error { _, err := net.LookupHost("nowhere"); return err },
				"LookupCNAME": func() error { _, err := net.LookupCNAME("nowhere"); return err },
				"LookupAddr":  func() error { _, err := net.LookupAddr("10.9.9.9"); return err },
				"LookupSRV":   func() error { _, _, err := net.LookupSRV("http", "tcp", "Server"); return err },
				"LookupMX":    func() error { _, err := net.LookupMX("Server"); return err },
				"LookupNS":    func() error { _, err := net.LookupNS("Server"); return err },
				"LookupTXT":   func() error { _, err := net.LookupTXT("Server"); return err },
			} {
				var dns *net.DNSError
				if err := look(); !errors.As(err, &dns) || !dns.IsNotFound {
					t.Errorf("%s: %v, want no such host", what, err)
				}
			}
		})
		if s.Now() > time.Second {
			t.Errorf("it took %v", s.Now())
		}
	})
}

// A host looks like a machine of its own to those who run on it.
func TestOwnMachine(t *testing.T) {
	sim.Run(t, func(s *sim.Sim) {
		for _, h := range []*sim.Host{s.Host("a"), s.Host("b")} {
			h.Do(func() {
				if name, err := os.Hostname(); name != h.Name() || err != nil {
					t.Errorf("hostname %q, %v; want %q", name, err, h.Name())
				}
				addrs, err := net.InterfaceAddrs()
				if got, want := fmt.Sprint(addrs), fmt.Sprintf("[127.0.0.1/8 %v/8]", h.Addr()); got != want || err != nil {
					t.Errorf("addresses %s, %v; want %s", got, err, want)
				}
				all, err := net.Interfaces()
				if err != nil || len(all) != 2 || all[0].Name != "lo" || all[1].Name != "eth0" {
					t.Errorf("interfaces %v, %v", all, err)
				}
				one, err := net.InterfaceByName("eth0")
				if err != nil {
					t.Fatal(err)
				}
				if addrs, err := one.Addrs(); err != nil || fmt.Sprint(addrs) != fmt.Sprintf("[%v/8]", h.Addr()) {
					t.Errorf("of eth0: %v, %v", addrs, err)
				}
			})
		}
		if name, err := os.Hostname(); name != "localhost" || err != nil {
			t.Errorf("on no host: %q, %v", name, err)
		}
	})
}
