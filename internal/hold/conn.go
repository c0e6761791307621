package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
)

// A conn is one client of the holder.
type conn struct {
	h     *holder
	w     *wire
	owner bool

	broken  *broken        // by this client
	working sync.WaitGroup // its requests

	mu      sync.Mutex
	running map[int]context.CancelFunc
}

// errLater says that the reply is sent when the environment is torn down.
var errLater = errors.New("replied to after the teardown")

// serve answers one client until it is gone or says what is no request.
func (h *holder) serve(netConn net.Conn, owner bool) {
	defer netConn.Close()
	c := &conn{h: h, w: newWire(netConn), owner: owner, broken: newBroken(), running: map[int]context.CancelFunc{}}
	ctx, cancel := context.WithCancel(h.ctx)
	err := c.hello()
	if err == nil {
		err = c.loop(ctx)
	}
	cancel()
	h.mu.Lock()
	delete(h.conns, c)
	h.mu.Unlock()
	if err != nil {
		c.w.send(response{Error: toWire(err)})
	}
	if !owner {
		c.healGuest()
	}
}

// hello reads the first request and answers it.
func (c *conn) hello() error {
	var r request
	var a helloArgs
	err := c.w.receive(&r)
	if err == nil && r.Verb != "hello" {
		err = fmt.Errorf("the first request is %q", r.Verb)
	}
	if err == nil {
		err = json.Unmarshal(r.Args, &a)
	}
	if err != nil {
		return fmt.Errorf("this socket speaks assay's holder protocol, which starts with a hello: %w", err)
	}
	if a.Version != version {
		return versionError(a.Version)
	}
	if c.owner && a.Lease > 0 {
		c.h.lease.limit.Store(int64(a.Lease))
	}
	w, err := c.h.join(c)
	if err != nil {
		return err
	}
	w.Version = version
	return c.reply(r.ID, w, nil)
}

// join makes c one of those who are told when the environment ends.
func (h *holder) join(c *conn) (welcome, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return welcome{}, tornDownError(h.place.ID, context.Cause(h.ctx).Error())
	}
	h.conns[c] = true
	return h.welcome, nil
}

// loop takes requests until the client is gone.
func (c *conn) loop(ctx context.Context) error {
	for {
		var r request
		err := c.w.receive(&r)
		if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("not a request: %w", err)
		}
		if c.owner {
			c.h.lease.renew()
		}
		switch {
		case r.Ping:
		case r.Cancel != 0:
			c.cancel(r.Cancel)
		case r.ID > 0 && r.Verb != "":
			c.begin(ctx, r)
		default:
			return errors.New("not a request: want an id above 0 and a verb, or cancel, or ping")
		}
	}
}

func (c *conn) cancel(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.running[id]; cancel != nil {
		cancel()
	}
}

// begin does a request beside the others.
func (c *conn) begin(ctx context.Context, r request) {
	if err := c.h.enter(); err != nil {
		c.reply(r.ID, nil, err)
		return
	}
	ctx, err := c.enter(ctx, r.ID)
	if err != nil {
		c.h.requests.Done()
		c.reply(r.ID, nil, err)
		return
	}
	c.working.Add(1)
	go func() {
		defer c.working.Done()
		result, err := c.do(ctx, r)
		c.leave(r.ID)
		c.h.requests.Done()
		if !errors.Is(err, errLater) {
			c.reply(r.ID, result, err)
		}
	}()
}

// enter makes request id one that can be cancelled.
func (c *conn) enter(ctx context.Context, id int) (context.Context, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running[id] != nil {
		return nil, fmt.Errorf("request %d is running already", id)
	}
	ctx, c.running[id] = context.WithCancel(ctx)
	return ctx, nil
}

func (c *conn) leave(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running[id]()
	delete(c.running, id)
}

// enter counts a request in, unless the environment is ending: the teardown waits for those that are in.
func (h *holder) enter() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ctx.Err() != nil {
		return tornDownError(h.place.ID, context.Cause(h.ctx).Error())
	}
	h.requests.Add(1)
	return nil
}

func (c *conn) do(ctx context.Context, r request) (any, error) {
	switch r.Verb {
	case "start":
		return c.start(ctx, r)
	case "close":
		if !c.owner {
			return nil, errors.New("only the owner closes an environment")
		}
		c.endWith(r.ID, errClosed, nil)
		return nil, errLater
	}
	if r.Verb == "broken" {
		return c.h.broken.list(), nil
	}
	var a verbArgs
	if len(r.Args) > 0 {
		if err := json.Unmarshal(r.Args, &a); err != nil {
			return nil, fmt.Errorf("arguments of %s: %w", r.Verb, err)
		}
	}
	return c.act(ctx, r.Verb, a)
}

func (c *conn) start(ctx context.Context, r request) (any, error) {
	if !c.owner {
		return nil, errors.New("only the owner starts an environment")
	}
	var a startArgs
	err := json.Unmarshal(r.Args, &a)
	if err == nil {
		var w welcome
		w, err = c.h.start(ctx, a, func(line string) { c.w.send(response{ID: r.ID, Progress: line}) })
		if err == nil {
			return w, nil
		}
	}
	c.endWith(r.ID, fmt.Errorf("its start failed: %w", err), err)
	return nil, errLater
}

// endWith ends the environment, and replies to request id with err and what the teardown had to say.
func (c *conn) endWith(id int, reason, err error) {
	c.h.mu.Lock()
	defer c.h.mu.Unlock()
	if c.h.ctx.Err() == nil {
		c.h.last = func(teardown error) { c.reply(id, nil, joinTeardown(err, teardown)) }
	}
	c.h.end(reason)
}

// joinTeardown keeps the identity of err for a reply, which carries one.
func joinTeardown(err, teardown error) error {
	if err == nil || teardown == nil {
		return errors.Join(err, teardown)
	}
	return fmt.Errorf("%w\nand its teardown: %v", err, teardown)
}

// act does a verb on the running environment, and remembers what it breaks.
func (c *conn) act(ctx context.Context, name string, a verbArgs) (any, error) {
	do, ok := verbs()[name]
	if !ok {
		return nil, fmt.Errorf("there is no verb %q", name)
	}
	c.h.mu.Lock()
	env := c.h.env
	c.h.mu.Unlock()
	if env == nil {
		return nil, errors.New("the environment has not started")
	}
	for _, b := range []*broken{c.h.broken, c.broken} {
		b.before(name, a, !c.owner)
	}
	result, err := do(ctx, env, a)
	if err == nil {
		for _, b := range []*broken{c.h.broken, c.broken} {
			b.after(name, a)
		}
	}
	return result, err
}

func (c *conn) reply(id int, result any, err error) error {
	r := response{ID: id, Error: toWire(err)}
	if err == nil {
		text, marshal := json.Marshal(result)
		if marshal != nil {
			r.Error = toWire(fmt.Errorf("the answer cannot be sent: %w", marshal))
		}
		r.Result = text
	}
	if err := c.w.send(r); err == nil || r.Error != nil {
		return err
	}
	return c.w.send(response{ID: id, Error: &wireError{Text: "the answer could not be sent"}})
}
