package nats_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// A cluster is three servers in this process. Each dials the others over wires of its own.
type cluster struct {
	t       *testing.T
	servers []*server.Server
	wires   [3][3]*wire // from, to
}

func start(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t}
	var ports [3]int
	for n := range ports {
		ports[n] = freePort(t)
	}
	for from := range 3 {
		for to := range 3 {
			if from != to {
				c.wires[from][to] = newWire(t, fmt.Sprintf("127.0.0.1:%d", ports[to]))
			}
		}
	}
	for n := range 3 {
		c.servers = append(c.servers, c.server(n, ports[n]))
	}
	for n, s := range c.servers {
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		if !s.ReadyForConnections(time.Minute) {
			t.Fatalf("server %d is not ready", n+1)
		}
	}
	c.until("the cluster has a leader", func() bool { return c.metaLeader() >= 0 })
	return c
}

func (c *cluster) server(n, port int) *server.Server {
	var routes []*url.URL
	for _, w := range c.wires[n] {
		if w != nil {
			routes = append(routes, &url.URL{Scheme: "nats", Host: w.listener.Addr().String()})
		}
	}
	// What servers tell one another about third ones leads nowhere, so that nobody goes around the wires.
	nowhere := fmt.Sprintf("127.0.0.1:%d", freePort(c.t))
	s, err := server.NewServer(&server.Options{ServerName: fmt.Sprintf("n%d", n+1), Host: "127.0.0.1", Port: server.RANDOM_PORT,
		JetStream: true, StoreDir: c.t.TempDir(), NoSigs: true, NoLog: true, Routes: routes,
		Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port, Advertise: nowhere, PoolSize: -1}})
	if err != nil {
		c.t.Fatal(err)
	}
	return s
}

// freePort is taken just now: servers must know each other's before they start.
func freePort(t *testing.T) int {
	l := belowEphemeral(t)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
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

func (c *cluster) metaLeader() int {
	for n, s := range c.servers {
		if s.JetStreamIsLeader() {
			return n
		}
	}
	return -1
}

// until waits for a condition.
func (c *cluster) until(what string, holds func() bool) {
	c.t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatalf("not after 60 s: %s", what)
		}
	}
}

// bucket makes a bucket of three replicas.
func (c *cluster) bucket(name string, direct bool) {
	js := c.dial(0)
	c.until("the bucket is made", func() bool {
		_, err := js.CreateStream(c.t.Context(), jetstream.StreamConfig{Name: "KV_" + name, Subjects: []string{"$KV." + name + ".>"}, Replicas: 3,
			MaxMsgsPerSubject: 1, Storage: jetstream.FileStorage, AllowRollup: true, DenyDelete: true, Discard: jetstream.DiscardNew, AllowDirect: direct})
		return err == nil
	})
}

func (c *cluster) dial(n int) jetstream.JetStream {
	conn, err := nats.Connect(c.servers[n].ClientURL(), nats.IgnoreDiscoveredServers())
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		c.t.Fatal(err)
	}
	return js
}

func (c *cluster) open(n int, bucket string) jetstream.KeyValue {
	js := c.dial(n)
	var kv jetstream.KeyValue
	c.until("the bucket opens", func() (ok bool) {
		var err error
		kv, err = js.KeyValue(c.t.Context(), bucket)
		return err == nil
	})
	return kv
}

// replica returns the number of a server that leads neither the cluster nor the bucket, so that nothing but it is missed.
func (c *cluster) replica(bucket string) int {
	far := -1
	c.until("the bucket has a leader, and its replicas are current", func() bool {
		stream, err := c.dial(c.metaLeader()).Stream(c.t.Context(), "KV_"+bucket)
		if err != nil {
			return false
		}
		cluster := stream.CachedInfo().Cluster
		current := 0
		for _, replica := range cluster.Replicas {
			if replica.Current {
				current++
			}
			if n := int(replica.Name[1] - '1'); n != c.metaLeader() {
				far = n
			}
		}
		return cluster.Leader != "" && current == 2 && far >= 0
	})
	return far
}

// cut cuts a server off from the others, for good.
func (c *cluster) cut(n int) {
	for m := range 3 {
		if m != n {
			c.wires[n][m].cut()
			c.wires[m][n].cut()
		}
	}
	c.until("the server is alone", func() bool { return c.servers[n].NumRoutes() == 0 })
}

// last is the number of the newest message that a server has of a bucket, whatever it would answer.
func (c *cluster) last(n int, bucket string) uint64 {
	info, err := c.servers[n].Jsz(&server.JSzOptions{Streams: true})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, account := range info.AccountDetails {
		for _, stream := range account.Streams {
			if stream.Name == "KV_"+bucket {
				return stream.State.LastSeq
			}
		}
	}
	c.t.Fatalf("server %d has no bucket %s", n+1, bucket)
	return 0
}
