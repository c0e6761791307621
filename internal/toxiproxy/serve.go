package toxiproxy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sync"
	"time"
)

// Options of a Serve. Listen and Place are needed.
type Options struct {
	Listen     string // of the API, host:port; port 0 takes a free one
	Place      Place
	Config     []byte // what POST /populate takes, nil: nothing
	Seed       uint64
	KeepToxics bool   // toxics are on disk, too, and come back
	Stay       bool   // leave the holder when ctx ends
	Once       bool   // the place is removed at the end, where nothing goes wrong
	Version    string // of the program
	// Ready is called once, when the API answers.
	Ready func(api string, holder Info, attached bool) `json:"-"`
}

// ErrHolderGone reports that the holder ended while its API was served.
var ErrHolderGone = errors.New("the holder of the proxies has ended, and traffic is cut")

// errStopped reports that somebody else asked the holder to end.
var errStopped = errors.New("the proxies were stopped")

// A ConfigError reports proxies that the API refused.
type ConfigError struct {
	Status int // as the API answered
	Text   string
}

func (e *ConfigError) Error() string { return e.Text }

// Serve serves the API until ctx ends, and ends the holder then, unless it is to stay. Where the place
// has a holder it goes on with that one, its seed and its toxics.
func Serve(ctx context.Context, opts Options) error {
	if !filepath.IsAbs(opts.Place.Dir) {
		return fmt.Errorf("the folder of proxies %q is not an absolute path", opts.Place.Dir)
	}
	l, err := net.Listen("tcp", opts.Listen)
	if err != nil {
		return fmt.Errorf("serve the API (another address: --listen): %w", err)
	}
	defer l.Close()
	holder, gone, attached, err := reach(ctx, l.Addr().String(), opts)
	if err != nil {
		return err
	}
	err = serve(ctx, l, holder, gone, opts, attached)
	switch {
	case errors.Is(err, errStopped):
		return nil
	case opts.Stay && err == nil, attached && err != nil, errors.Is(err, ErrHolderGone):
		return err
	}
	return errors.Join(err, end(ctx, holder, opts))
}

// reach finds the holder of the place or starts one.
func reach(ctx context.Context, api string, opts Options) (holder *remote, gone <-chan error, attached bool, err error) {
	for {
		holder, err = attach(opts.Place)
		if err != nil {
			return nil, nil, false, err
		}
		attached = holder != nil
		if !attached {
			holder, err = spawn(ctx, holderArgs{opts.Place, opts.Seed, opts.KeepToxics, opts.Version})
		}
		if err == nil {
			gone, err = holder.watch(ctx, api)
		}
		if err == nil || !attached || ctx.Err() != nil {
			return holder, gone, attached, err
		}
		if err := holder.awaitEnd(ctx); err != nil { // it was dying just then
			return nil, nil, false, err
		}
	}
}

// endLimit is how long connections and files of a holder may take to go.
const endLimit = 10 * time.Second

func end(ctx context.Context, holder *remote, opts Options) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endLimit)
	defer cancel()
	err := holder.stop(ctx)
	if err == nil && opts.Once {
		err = opts.Place.Remove()
	}
	return err
}

func serve(ctx context.Context, l net.Listener, holder *remote, gone <-chan error, opts Options, attached bool) error {
	api := l.Addr().String()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := holder.populate(ctx, opts.Config); err != nil {
		return err
	}
	info, err := holder.info(ctx)
	if err != nil {
		return err
	}
	r := &relay{holder: holder, conns: map[net.Conn]bool{}}
	go r.accept(ctx, l)
	opts.Ready(api, info, attached)
	select {
	case <-ctx.Done():
		err = nil
	case err = <-gone:
		if ctx.Err() != nil { // we hung up
			err = nil
		}
	}
	l.Close()
	r.close()
	return err
}

// populate sends the proxies of a file to the holder, as a client would.
func (r *remote) populate(ctx context.Context, config []byte) error {
	if config == nil {
		return nil
	}
	answer, err := r.ask(ctx, apiSocket, "POST", "/populate", config)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	var e apiError
	if err := json.NewDecoder(answer.Body).Decode(&e); err != nil {
		return err
	}
	if e.Message != "" {
		return &ConfigError{answer.StatusCode, e.Message}
	}
	return nil
}

// A relay passes connections of API clients on to the holder, byte for byte.
type relay struct {
	holder *remote
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	conns  map[net.Conn]bool
}

func (r *relay) accept(ctx context.Context, l net.Listener) {
	for {
		c, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // such as no file descriptors left
			select {
			case <-ctx.Done():
				return
			case <-time.After(5 * time.Millisecond):
			}
		default:
			r.begin(ctx, c)
		}
	}
}

// begin passes a connection on, unless all are being closed.
func (r *relay) begin(ctx context.Context, c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		c.Close()
		return
	}
	r.conns[c] = true
	r.wg.Go(func() { r.pass(ctx, c) })
}

func (r *relay) pass(ctx context.Context, c net.Conn) {
	defer r.forget(c)
	inner, err := r.holder.dial(ctx, apiSocket)
	if err != nil {
		return
	}
	if !r.track(inner) {
		inner.Close()
		return
	}
	defer r.forget(inner)
	var wg sync.WaitGroup
	wg.Go(func() { shovel(inner, c) })
	wg.Go(func() { shovel(c, inner) })
	wg.Wait()
}

// shovel copies one direction, and its end.
func shovel(to, from net.Conn) {
	_, err := io.Copy(to, from)
	if half, ok := to.(interface{ CloseWrite() error }); ok && err == nil {
		_ = half.CloseWrite()
		return
	}
	to.Close()
}

// track notes a connection, unless all are being closed.
func (r *relay) track(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.closed {
		r.conns[c] = true
	}
	return !r.closed
}

func (r *relay) forget(c net.Conn) {
	c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

func (r *relay) close() {
	r.mu.Lock()
	r.closed = true
	for c := range r.conns {
		c.Close()
	}
	r.mu.Unlock()
	r.wg.Wait()
}
