package etcd_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.uber.org/zap"
)

// A cluster is three members of etcd in this process.
type cluster struct {
	t       *testing.T
	members []*embed.Etcd
}

func start(t *testing.T) *cluster {
	t.Helper()
	ports := freePorts(t, 6)
	var peers []string
	for n := range 3 {
		peers = append(peers, fmt.Sprintf("m%d=http://127.0.0.1:%d", n+1, ports[n]))
	}
	c := &cluster{t: t}
	for n := range 3 {
		config := embed.NewConfig()
		config.Name, config.Dir = fmt.Sprintf("m%d", n+1), t.TempDir()
		config.ListenPeerUrls, config.ListenClientUrls = []url.URL{local(ports[n])}, []url.URL{local(ports[3+n])}
		config.AdvertisePeerUrls, config.AdvertiseClientUrls = config.ListenPeerUrls, config.ListenClientUrls
		config.InitialCluster = strings.Join(peers, ",")
		config.UnsafeNoFsync = true // nobody pulls the plug of this machine
		config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(zap.NewNop())
		member, err := embed.StartEtcd(config)
		if err != nil {
			t.Fatalf("start member %d: %v", n+1, err)
		}
		t.Cleanup(member.Close)
		c.members = append(c.members, member)
	}
	for n, member := range c.members {
		select {
		case <-member.Server.ReadyNotify():
		case <-time.After(30 * time.Second):
			t.Fatalf("member %d is not ready after 30 s", n+1)
		}
	}
	return c
}

func local(port int) url.URL { return url.URL{Scheme: "http", Host: fmt.Sprintf("127.0.0.1:%d", port)} }

// freePorts are taken just now: members must know each other's before they start.
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

// follower returns the number of a member that does not lead.
func (c *cluster) follower() int {
	for n, member := range c.members {
		if member.Server.Leader() != member.Server.MemberID() {
			return n
		}
	}
	c.t.Fatal("every member leads")
	return -1
}

// cut drops all messages between one member and the others, in both directions, until the returned function is called.
func (c *cluster) cut(n int) (heal func()) {
	c.each(n, func(a, b *embed.Etcd) { a.Server.CutPeer(b.Server.MemberID()) })
	return func() {
		c.each(n, func(a, b *embed.Etcd) { a.Server.MendPeer(b.Server.MemberID()) })
		c.catchUp(n)
	}
}

// each goes through the directions between one member and the others.
func (c *cluster) each(n int, do func(a, b *embed.Etcd)) {
	for m, other := range c.members {
		if m != n {
			do(c.members[n], other)
			do(other, c.members[n])
		}
	}
}

// behind is by how many revisions a member is behind the furthest one.
func (c *cluster) behind(n int) int64 {
	most := int64(0)
	for _, member := range c.members {
		most = max(most, member.Server.KV().Rev())
	}
	return most - c.members[n].Server.KV().Rev()
}

func (c *cluster) catchUp(n int) {
	for deadline := time.Now().Add(30 * time.Second); c.behind(n) > 0; {
		if time.Now().After(deadline) {
			c.t.Fatalf("member %d is %d revisions behind 30 s after it was healed", n+1, c.behind(n))
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *cluster) dial(ctx context.Context, n int) (*clientv3.Client, error) {
	return clientv3.New(clientv3.Config{Context: context.WithoutCancel(ctx), Endpoints: []string{c.members[n].Config().AdvertiseClientUrls[0].String()},
		DialTimeout: 5 * time.Second, Logger: zap.NewNop()})
}
