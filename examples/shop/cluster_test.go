package shop_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/assay-dev/assay/examples/shop/broker"
	"github.com/assay-dev/assay/examples/shop/fulfilment"
	"github.com/assay-dev/assay/examples/shop/orders"
	"github.com/assay-dev/assay/examples/shop/payments"
)

// shop is the whole shop in this process: three NATS servers, and the services a test starts.
type shop struct {
	t        *testing.T
	nats     string
	nodes    []*server.Server
	payments net.Listener // open from the start: until payments runs, it is silent
	stop     map[string]func()
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{t: t, payments: listen(t), stop: map[string]func(){}}
	ports := freePorts(t, 3)
	var clients []string
	for n := range 3 {
		s.nodes = append(s.nodes, node(t, n, ports))
		clients = append(clients, s.nodes[n].ClientURL())
	}
	s.nats = strings.Join(clients, ",")
	return s
}

func node(t *testing.T, n int, ports []int) *server.Server {
	t.Helper()
	var routes []*url.URL
	for _, port := range ports {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	s, err := server.NewServer(&server.Options{ServerName: fmt.Sprintf("nats-%d", n+1), Host: "127.0.0.1", Port: server.RANDOM_PORT,
		JetStream: true, StoreDir: t.TempDir(), NoSigs: true, Routes: routes,
		Cluster: server.ClusterOpts{Name: "shop", Host: "127.0.0.1", Port: ports[n]}})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(time.Minute) {
		t.Fatalf("nats-%d is not ready", n+1)
	}
	return s
}

// freePorts are taken just now: servers of a cluster must know each other's before they start.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	var ports []int
	for range n {
		l := belowEphemeral(t)
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

// belowEphemeral listens at a port that the kernel gives to nobody else once it is closed.
func belowEphemeral(t *testing.T) net.Listener {
	t.Helper()
	for range 10_000 {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000))); err == nil {
			return l
		}
	}
	t.Fatal("no port in 10000..30000 is free")
	return nil
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// start runs a service under a name until stopped, and returns its URL.
func (s *shop) start(name string, l net.Listener, run func(context.Context) error) string {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	stopped := false
	s.stop[name] = func() {
		if cancel(); !stopped {
			stopped = true
			if err := <-done; err != nil {
				s.t.Errorf("%s ended with %v", name, err)
			}
		}
	}
	s.t.Cleanup(s.stop[name])
	return "http://" + l.Addr().String()
}

func (s *shop) startPayments() {
	folder := s.t.TempDir()
	s.start("payments", s.payments, func(ctx context.Context) error {
		return payments.Run(ctx, payments.Config{Listener: s.payments, Folder: folder})
	})
}

func (s *shop) startOrders(name string, d orders.Defect) string {
	l := listen(s.t)
	return s.ready(s.start(name, l, func(ctx context.Context) error {
		return orders.Run(ctx, orders.Config{Listener: l, NATS: s.nats, Payments: s.payments.Addr().String(), Defect: d})
	}))
}

func (s *shop) startFulfilment(d fulfilment.Defect) string {
	l := listen(s.t)
	return s.ready(s.start("fulfilment", l, func(ctx context.Context) error {
		return fulfilment.Run(ctx, fulfilment.Config{Listener: l, NATS: s.nats, Defect: d})
	}))
}

func (s *shop) connect() *broker.Broker {
	b, err := broker.Connect(s.nats, "test")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(b.Close)
	return b
}
