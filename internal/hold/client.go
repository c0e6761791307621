package hold

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

// ErrTornDown reports a call on an environment that its holder has torn down
// without being asked by this client: the controller was silent for too long, or the holder was told to end.
var ErrTornDown = errors.New("the environment was torn down")

// ErrHolderDied reports a call on an environment whose holder died without a word.
var ErrHolderDied = errors.New("the holder died")

// errHungUp reports a call on a connection that this client has closed.
var errHungUp = errors.New("the environment is closed")

// cancelGrace is how long a cancelled call waits for the holder to let go of it.
// Without it a heal that follows a cancelled inject could overtake it.
const cancelGrace = 5 * time.Second

// tornDownError is what each call returns once the environment is gone.
func tornDownError(id, reason string) error {
	return &remoteError{fmt.Sprintf("environment %s was torn down: %s", id, reason), ErrTornDown}
}

// A client is one connection to a holder.
type client struct {
	id        string // of the environment, for errors
	w         *wire
	lastWords func() string // what a dead holder left to explain itself, for errors

	mu    sync.Mutex
	next  int
	calls map[int]*call
	hung  bool   // this side closed it
	gone  error  // why there are no more answers; nil while there are
	word  string // the holder's reason for tearing down
	done  chan struct{}
	first chan struct{} // closed at the first word that it is gone, which is before done
}

// A call waits for its last reply.
type call struct {
	progress func(string)
	reply    chan response // one
}

func newClient(id string, conn net.Conn, lastWords func() string) *client {
	c := &client{id: id, w: newWire(conn), lastWords: lastWords, calls: map[int]*call{}, done: make(chan struct{}), first: make(chan struct{})}
	go c.read()
	return c
}

// read delivers what the holder says until it says nothing more.
func (c *client) read() {
	for {
		var r response
		if err := c.w.receive(&r); err != nil {
			c.finish(err)
			return
		}
		c.deliver(r)
	}
}

func (c *client) deliver(r response) {
	switch {
	case r.Gone != "":
		c.mu.Lock()
		defer c.mu.Unlock()
		c.word = r.Gone
		c.refuse(tornDownError(c.id, r.Gone))
		return
	case r.ID == 0 && r.Error != nil: // the holder ends a connection it does not understand
		c.mu.Lock()
		defer c.mu.Unlock()
		c.refuse(fromWire(r.Error))
		return
	}
	c.mu.Lock()
	call := c.calls[r.ID]
	c.mu.Unlock()
	switch {
	case call == nil: // given up
	case r.Progress != "":
		call.progress(r.Progress)
	default:
		c.forget(r.ID) // a second reply has nowhere to go
		call.reply <- r
	}
}

// refuse fails all calls, present and later ones. The first reason counts.
func (c *client) refuse(reason error) {
	if c.gone == nil {
		c.gone = reason
		close(c.first)
	}
}

// finish ends the client: there will be no more answers.
func (c *client) finish(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hung {
		c.refuse(fmt.Errorf("environment %s: %w", c.id, errHungUp))
	} else {
		c.refuse(fmt.Errorf("environment %s: %w (%v)%s", c.id, ErrHolderDied, cause, c.lastWords()))
	}
	c.w.conn.Close()
	close(c.done)
}

// hangUp closes the connection.
func (c *client) hangUp() {
	c.mu.Lock()
	c.hung = true
	c.mu.Unlock()
	c.w.conn.Close()
}

// lost returns why there are no more answers, nil while there are.
func (c *client) lost() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.gone
}

// ping keeps the lease until the connection ends.
func (c *client) ping() {
	ticker := time.NewTicker(pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-ticker.C:
			c.w.send(request{Ping: true})
		}
	}
}

// call asks the holder for one thing and decodes its answer into result, which
// may be nil. When ctx ends it cancels, and waits a little for the answer to that.
func (c *client) call(ctx context.Context, verb string, args, result any) error {
	return c.callProgress(ctx, verb, args, result, func(string) {})
}

func (c *client) callProgress(ctx context.Context, verb string, args, result any, progress func(string)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	raw, err := json.Marshal(args)
	if err != nil {
		return err
	}
	id, waiting, err := c.register(progress)
	if err != nil {
		return err
	}
	defer c.forget(id)
	if err := c.w.send(request{ID: id, Verb: verb, Args: raw}); err != nil {
		return c.sendError(err)
	}
	r, err := c.wait(ctx, id, waiting)
	if err != nil {
		return err
	}
	if r.Error != nil {
		return fromWire(r.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(r.Result, result)
}

func (c *client) register(progress func(string)) (int, *call, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone != nil {
		return 0, nil, c.gone
	}
	c.next++
	waiting := &call{progress: progress, reply: make(chan response, 1)}
	c.calls[c.next] = waiting
	return c.next, waiting, nil
}

func (c *client) forget(id int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, id)
}

// sendError prefers the reason for which the connection ended over how that was noticed.
func (c *client) sendError(err error) error {
	select {
	case <-c.first:
		return c.lost()
	case <-time.After(time.Second):
		return err
	}
}

// wait returns the reply. A reply that is there already wins over the end of the connection.
func (c *client) wait(ctx context.Context, id int, waiting *call) (response, error) {
	select {
	case r := <-waiting.reply:
		return r, nil
	case <-c.first:
		return c.lastReply(waiting)
	case <-ctx.Done():
	}
	c.w.send(request{Cancel: id})
	select {
	case r := <-waiting.reply:
		if r.Error != nil && r.Error.Kind == "canceled" {
			return r, &remoteError{r.Error.Text, ctx.Err()} // that it was a deadline is known only here
		}
		return r, nil
	case <-c.first:
		return c.lastReply(waiting)
	case <-time.After(cancelGrace):
		return response{}, fmt.Errorf("%w (the holder has not let go of it after %v)", context.Cause(ctx), cancelGrace)
	}
}

func (c *client) lastReply(waiting *call) (response, error) {
	select {
	case r := <-waiting.reply:
		return r, nil
	default:
		return response{}, c.lost()
	}
}
