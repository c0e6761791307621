package workload

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/internal/expr"
)

// Options say what a Driver drives, and how. Only Journeys is required.
type Options struct {
	Journeys []Journey
	Load     []Load
	Duration time.Duration // of the load; 0: until the context ends
	Seed     uint64        // decides schedules, data, UUIDs and trace-ids, keyed by journey and run

	// Record is called for each operation when it ends, concurrently. Nil drops them.
	Record func(history.Op)
	// Now reads the run's clock, which must be monotonic. Default: time since New.
	Now func() time.Duration
	// Resolve returns the "host:port" to dial for port of host; it is asked once per
	// connection. Nil, and hosts that are IP addresses: dialled as they are.
	Resolve func(ctx context.Context, host string, port int) (string, error)
	// Rewrite puts addresses into the words of exec steps. Nil leaves them as they are.
	Rewrite func(ctx context.Context, text string) (string, error)

	// Trust returns certificates, in PEM, that are trusted beside those of this machine; it is asked before the first
	// connection with TLS. Nil: none.
	Trust func(ctx context.Context) ([]byte, error)

	MaxInFlight int           // default 10000; arrivals beyond it are recorded as failed, with an error that starts with Saturated
	Drain       time.Duration // how long runs in flight may go on after the load, default 30s
	FuncTimeout time.Duration // of one run of a Go function, default 30s
	MaxBody     int64         // bytes of a reply or of a command's output, default 4 MB

	// Lanes is among how many sets of connections the runs are dealt, default 16.
	// One set would reuse one connection, and one instance of a service would get all the load.
	Lanes int
	// ConnAge is when a lane replaces its connections, default 5s, so that an instance that
	// comes back gets load again.
	ConnAge     time.Duration
	NoKeepAlive bool // a connection per HTTP request

	Dir   string      // working directory of exec steps and of relative protosets
	Env   []string    // "NAME=value" added to the environment of exec steps
	Funcs []expr.Func // offered to all expressions
}

func (o Options) withDefaults() Options {
	start := time.Now()
	if o.Now == nil {
		o.Now = func() time.Duration { return time.Since(start) }
	}
	if o.Record == nil {
		o.Record = func(history.Op) {}
	}
	o.MaxInFlight = cmp.Or(o.MaxInFlight, 10000)
	o.Drain = cmp.Or(o.Drain, 30*time.Second)
	o.FuncTimeout = cmp.Or(o.FuncTimeout, 30*time.Second)
	o.MaxBody = cmp.Or(o.MaxBody, 4<<20)
	o.Lanes = cmp.Or(o.Lanes, 16)
	o.ConnAge = cmp.Or(o.ConnAge, 5*time.Second)
	return o
}

// A Driver drives journeys. One Driver serves one history: the ids of its
// operations are unique. Its methods are safe for concurrent use, except that one load runs at a time.
type Driver struct {
	opts     Options
	journeys map[string]*Compiled
	loads    []*load
	lanes    []*lane
	clients  clients
	protos   protos
	pools    pools
	ids      atomic.Uint64
	turn     atomic.Uint64
	stepRuns atomic.Uint64
	surges   surges
	trust    trust

	recording sync.RWMutex
	closed    bool
}

// A load is a journey on its schedule.
type load struct {
	journey  *Compiled
	rate     Load
	arrivals arrivals
	first    uint64        // the number of the run that arrival 0 starts
	limit    time.Duration // all the time that the journey's steps may take
}

func (l *load) name() string { return l.journey.journey.Name }

// New compiles the journeys and returns a Driver that has not started. The caller closes it.
func New(opts Options) (*Driver, error) {
	d := &Driver{opts: opts.withDefaults(), journeys: map[string]*Compiled{}}
	var problems []error
	for _, j := range opts.Journeys {
		compiled, err := Compile(j, opts.Funcs...)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		if d.journeys[j.Name] != nil {
			problems = append(problems, fmt.Errorf("two journeys are called %q", j.Name))
		}
		d.journeys[j.Name] = compiled
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	for _, l := range opts.Load {
		loaded, err := d.load(l)
		if err != nil {
			return nil, err
		}
		d.loads = append(d.loads, loaded)
	}
	for range d.opts.Lanes {
		d.lanes = append(d.lanes, &lane{driver: d})
	}
	return d, nil
}

func (d *Driver) load(l Load) (*load, error) {
	journey := d.journeys[l.Journey]
	if journey == nil {
		var names []string
		for name := range d.journeys {
			names = append(names, name)
		}
		if near := expr.Suggest(l.Journey, names); near != "" {
			return nil, fmt.Errorf("load: no journey is called %q (did you mean %q?)", l.Journey, near)
		}
		return nil, fmt.Errorf("load: no journey is called %q", l.Journey)
	}
	if !(l.Rate > 0 && l.Rate <= maxRate) {
		return nil, fmt.Errorf("load: %s: rate %v is not above 0 and at most %v per second", l.Journey, l.Rate, maxRate)
	}
	limit := time.Duration(0)
	for _, s := range journey.steps {
		limit += max(s.Timeout, s.Eventually)
	}
	if journey.journey.Func != nil {
		limit = d.opts.FuncTimeout
	}
	return &load{journey: journey, rate: l, limit: limit}, nil
}

func (d *Driver) limit(journey string) time.Duration {
	for _, l := range d.loads {
		if l.name() == journey {
			return l.limit
		}
	}
	return 0
}

// Drive makes a Driver, drives its load and closes it.
func Drive(ctx context.Context, opts Options) (Stats, error) {
	d, err := New(opts)
	if err != nil {
		return Stats{}, err
	}
	stats, err := d.Drive(ctx)
	return stats, errors.Join(err, d.Close())
}

// Close ends what the driver still has open. Operations that end later are not recorded.
func (d *Driver) Close() error {
	d.recording.Lock()
	d.closed = true
	d.recording.Unlock()
	d.clients.close()
	for _, l := range d.lanes {
		l.close()
	}
	d.pools.close()
	return nil
}

func (d *Driver) now() time.Duration { return d.opts.Now() }

func (d *Driver) nextID() uint64 { return d.ids.Add(1) }

// record passes an operation on. It does nothing once the driver is closed, so
// whoever reads the records then has all of them.
func (d *Driver) record(op history.Op) {
	d.recording.RLock()
	defer d.recording.RUnlock()
	if !d.closed {
		d.opts.Record(op)
	}
}

func (d *Driver) end(op history.Op, at time.Duration, outcome history.Outcome, degraded bool, why error) history.Op {
	op.Return, op.Outcome, op.Degraded = at, outcome, degraded
	if why != nil {
		op.Error = why.Error()
	}
	d.record(op)
	return op
}

// dial connects to the "host:port" of a URL through the links of the client.
func (d *Driver) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	dialler := net.Dialer{Timeout: 15 * time.Second}
	target, err := d.resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	return dialler.DialContext(ctx, network, target)
}

func (d *Driver) resolve(ctx context.Context, addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || d.opts.Resolve == nil || net.ParseIP(host) != nil {
		return addr, err
	}
	number, err := net.LookupPort("tcp", port)
	if err != nil {
		return "", err
	}
	target, err := d.opts.Resolve(ctx, host, number)
	if err != nil {
		return "", fmt.Errorf("address of %s: %w", addr, err)
	}
	return target, nil
}

// rewrite puts addresses into text.
func (d *Driver) rewrite(ctx context.Context, text string) (string, error) {
	if d.opts.Rewrite == nil {
		return text, nil
	}
	rewritten, err := d.opts.Rewrite(ctx, text)
	if err != nil {
		return "", fmt.Errorf("addresses in %q: %w", strings.TrimSpace(text), err)
	}
	return rewritten, nil
}
