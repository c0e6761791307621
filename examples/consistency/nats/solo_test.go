package nats_test

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/assay-dev/assay/examples/consistency/nats"
)

// A single is one server in this process, which can be restarted.
type single struct {
	t      *testing.T
	folder string
	port   int

	mu     sync.Mutex
	server *server.Server
}

func solo(t *testing.T) *single {
	t.Helper()
	s := &single{t: t, folder: t.TempDir(), port: freePort(t)}
	s.serve()
	t.Cleanup(s.stop)
	return s
}

func (s *single) serve() {
	var err error
	s.server, err = server.NewServer(&server.Options{ServerName: "n1", Host: "127.0.0.1", Port: s.port, JetStream: true, StoreDir: s.folder, NoSigs: true, NoLog: true})
	if err != nil {
		s.t.Error(err)
		return
	}
	s.server.Start()
	if !s.server.ReadyForConnections(time.Minute) {
		s.t.Error("the server is not ready after 30 s")
	}
}

func (s *single) stop() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

func (s *single) restart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	s.serve()
}

// dial connects over a line, or, if it is nil, without one.
func (s *single) dial(l *line) (jetstream.JetStream, error) {
	options := []client.Option{client.ReconnectWait(5 * time.Millisecond), client.ReconnectJitter(0, 0), client.MaxReconnects(-1), client.Timeout(30 * time.Second)}
	if l != nil {
		options = append(options, client.SetCustomDialer(l))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	conn, err := client.Connect(s.server.ClientURL(), options...)
	if err != nil {
		return nil, err
	}
	s.t.Cleanup(conn.Close)
	return jetstream.New(conn)
}

// bucket opens a bucket, and makes it where there is none.
func (s *single) bucket(ctx context.Context, name string, storage jetstream.StorageType) (jetstream.KeyValue, error) {
	js, err := s.dial(nil)
	if err != nil {
		return nil, err
	}
	return js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, Storage: storage})
}

// A crasher restarts the server once, after so many numbers were acknowledged.
type crasher struct {
	server *single
	after  int
	mu     sync.Mutex
	adds   int
}

// A fragile set is used while its server is restarted.
type fragile struct {
	nats.Set
	crash *crasher
}

func (f fragile) Add(ctx context.Context, value int64) error {
	err := f.Set.Add(ctx, value)
	if err == nil {
		f.crash.added()
	}
	return err
}

func (c *crasher) added() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.adds++; c.adds == c.after {
		c.server.restart()
	}
}

func (c *crasher) done() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.adds >= c.after
}

// losses counts answers that were lost.
type losses struct{ n atomic.Int64 }

func (l *losses) count() int64 { return l.n.Load() }

// A line is what a client dials over. Where it is told to, it loses the next answer, and breaks.
type line struct {
	losses *losses
	lose   atomic.Bool
}

// Dial connects.
func (l *line) Dial(network, address string) (net.Conn, error) {
	conn, err := net.Dial(network, address)
	return lossy{conn, l}, err
}

type lossy struct {
	net.Conn
	line *line
}

func (l lossy) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if n > 0 && l.line.lose.Swap(false) {
		l.line.losses.n.Add(1)
		l.Conn.Close()
		return 0, io.EOF
	}
	return n, err
}

// A forgetful queue is used over a line that loses the answer to every fifth number.
type forgetful struct {
	*nats.Queue
	line *line
}

func (f forgetful) Enqueue(ctx context.Context, value int64) error {
	f.line.lose.Store(value%5 == 0)
	return f.Queue.Enqueue(ctx, value)
}
