package workload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"

	"github.com/assay-dev/assay/history"
)

// A Run is one run of a journey, as a Go function sees it. Its methods are for
// the goroutine of that function only.
type Run struct {
	driver   *Driver
	client   *client
	lane     *generation
	name     string // the journey's, "" for setup and final steps
	key      string // what keys the seed: the journey's name, or the label of the steps
	n        uint64
	id       uint64 // of the journey's operation
	trace    string
	spans    *rand.Rand
	random   *rand.Rand
	vars     map[string]any
	degraded bool
	open     []*Pending
}

// N returns the run's ordinal among the runs of its journey, from 0.
func (r *Run) N() uint64 { return r.n }

// Rand returns the run's random numbers, which the seed, the journey and N decide.
func (r *Run) Rand() *rand.Rand {
	if r.random == nil {
		r.random = stream(r.driver.opts.Seed, r.key, r.n, "function")
	}
	return r.random
}

// UUID returns a UUID that the seed decides.
func (r *Run) UUID() string { return uuid(r.Rand()) }

// Trace returns the W3C trace-id that the run's requests carry.
func (r *Run) Trace() string { return r.trace }

// Degraded notes that the run succeeded in degraded mode.
func (r *Run) Degraded() { r.degraded = true }

// Data returns the run's value of a name in the journey's Data, nil when there is none.
func (r *Run) Data(name string) any { return r.vars[name] }

// Dial connects to a port of a service or instance through the links of the client.
func (r *Run) Dial(ctx context.Context, host string, port int) (net.Conn, error) {
	return r.driver.dial(ctx, "tcp", net.JoinHostPort(host, fmt.Sprint(port)))
}

// Do sends an HTTP request through the links of the client, with a traceparent,
// and records it as a step, which is ok when a response's header came. Redirects are not
// followed. The caller closes the response's body.
func (r *Run) Do(req *http.Request) (*http.Response, error) {
	op := r.begin(history.Step, req.Method+" "+req.URL.String())
	req = req.Clone(req.Context())
	req.Header.Set("traceparent", r.traceparent())
	resp, err := r.lane.http.RoundTrip(req)
	outcome := history.OK
	if err != nil {
		outcome, err = history.Maybe, because(req.Context(), err)
	}
	r.driver.end(op, r.driver.now(), outcome, false, err)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op.Name, err)
	}
	return resp, nil
}

// HTTP is Do for the common case: it returns the status and the whole body, up to the driver's limit.
func (r *Run) HTTP(ctx context.Context, method, url string, body io.Reader) (status int, reply []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, nil, err
	}
	resp, err := r.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	reply, err = readCapped(resp.Body, r.driver.opts.MaxBody, true)
	return resp.StatusCode, reply, err
}

// A Pending is an operation on a named object that has begun.
type Pending struct {
	run  *Run
	op   history.Op
	done bool
}

// Begin notes that an operation on a named object starts now. Key and input are
// what history.Of takes. An operation that is not ended when the run ends is maybe.
func (r *Run) Begin(op, object string, key, input any) (*Pending, error) {
	p := &Pending{run: r, op: r.begin(history.Model, op)}
	p.op.Object = object
	var err error
	if p.op.Key, err = history.Of(key); err != nil {
		return nil, fmt.Errorf("%s %s: key: %w", op, object, err)
	}
	if p.op.Input, err = history.Of(input); err != nil {
		return nil, fmt.Errorf("%s %s: input: %w", op, object, err)
	}
	r.open = append(r.open, p)
	return p, nil
}

// OK ends the operation: it took effect and returned output.
func (p *Pending) OK(output any) error {
	value, err := history.Of(output)
	if err != nil {
		return fmt.Errorf("%s %s: output: %w", p.op.Name, p.op.Object, err)
	}
	p.op.Output = value
	p.end(history.OK, nil)
	return nil
}

// Failed ends the operation: it certainly had no effect.
func (p *Pending) Failed(why error) { p.end(history.Failed, why) }

// Maybe ends the operation: whether it had an effect is not known.
func (p *Pending) Maybe(why error) { p.end(history.Maybe, why) }

func (p *Pending) end(outcome history.Outcome, why error) {
	if p.done {
		return
	}
	p.done = true
	p.run.driver.end(p.op, p.run.driver.now(), outcome, false, why)
	if outcome == history.Maybe && p.op.Client == p.run.client.name {
		p.run.client.renew()
	}
}

func (r *Run) begin(kind history.OpKind, name string) history.Op {
	now := r.driver.now()
	return history.Op{ID: r.driver.nextID(), Parent: r.id, Kind: kind, Client: r.client.name, Journey: r.name,
		Name: name, Scheduled: now, Call: now, Trace: r.trace}
}

// traceparent returns the header of the run's next request.
func (r *Run) traceparent() string {
	return fmt.Sprintf("00-%s-%016x-01", r.trace, r.spans.Uint64()|1)
}

// call runs the journey's Go function.
func (r *Run) call(ctx context.Context, f func(context.Context, *Run) error) (outcome history.Outcome, err error) {
	limit := r.driver.opts.FuncTimeout
	r.client.expect(r.driver.now() + limit)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, timeoutError{limit})
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			outcome, err = history.Failed, fmt.Errorf("the journey's function panicked: %v", p)
		}
		for _, p := range r.open {
			p.Maybe(errors.New("the run ended before the operation"))
		}
	}()
	err = f(ctx, r)
	var timeout interface{ Timeout() bool }
	switch {
	case err == nil:
		return history.OK, nil
	case ctx.Err() != nil, errors.As(err, &timeout) && timeout.Timeout():
		return history.Maybe, err
	}
	return history.Failed, err
}

// fillData draws the run's data.
func (r *Run) fillData(ctx context.Context, data []datum) error {
	r.vars[ordinalName] = int64(r.n)
	for _, d := range data {
		random := stream(r.driver.opts.Seed, r.key, r.n, "data "+d.name)
		chosen := d.choices[random.IntN(len(d.choices))]
		bind(r.vars, func() *rand.Rand { return random })
		value, err := chosen.fill(ctx, r.vars)
		if err != nil {
			return fmt.Errorf("data %s: %w", d.name, err)
		}
		r.vars[d.name] = value
	}
	return nil
}
