// Package retry is an HTTP client that asks again: each attempt has a deadline of its own, and all of them together another.
//
//	c := retry.New(http.DefaultTransport, retry.Options{Attempts: 3, Try: 10 * time.Millisecond, Total: 50 * time.Millisecond})
//	body, err := c.Get(ctx, "http://stock/42")
//
// It is an example for a search over orders: with [Options].Defect it hands, in one order of many, one request's answer to another.
package retry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// A Defect leaves a mechanism out.
type Defect string

// Reuse keeps the channel over which an attempt answers for the next call, once it was found empty. An attempt looks whether its call
// is still there before it answers; the call may go between the look and the answer.
const Reuse Defect = "reuse"

// Options of a client.
type Options struct {
	Attempts int           // at most this many
	Try      time.Duration // the deadline of an attempt
	Total    time.Duration // the deadline of all
	Defect   Defect
}

// A Client asks again. It may be used by any number of goroutines.
type Client struct {
	http    http.Client
	options Options
	mu      sync.Mutex
	spare   []chan answer
}

type answer struct {
	body string
	err  error
}

// New returns a client over a transport.
func New(t http.RoundTripper, o Options) *Client {
	return &Client{http: http.Client{Transport: t}, options: o}
}

// Get returns the body of the first good answer, or the error of the last attempt. It returns when all of Total has gone.
func (c *Client) Get(ctx context.Context, url string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.options.Total)
	defer cancel()
	var last answer
	for range c.options.Attempts {
		if last = c.try(ctx, url); last.err == nil || ctx.Err() != nil {
			break
		}
	}
	if last.err != nil {
		return "", fmt.Errorf("get %s: %w", url, last.err)
	}
	return last.body, nil
}

func (c *Client) try(ctx context.Context, url string) answer {
	ctx, cancel := context.WithTimeout(ctx, c.options.Try)
	defer cancel()
	answers := c.channel()
	go func() {
		body, err := c.fetch(ctx, url)
		if ctx.Err() != nil {
			return // nobody waits for it
		}
		answers <- answer{body, err}
	}()
	select {
	case a := <-answers:
		c.keep(answers)
		return a
	case <-ctx.Done():
		cancel()
		c.keep(answers)
		return answer{err: ctx.Err()}
	}
}

func (c *Client) fetch(ctx context.Context, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", response.Status)
	}
	return string(body), err
}

// channel returns a channel with room for one answer, so that who answers too late does not block.
func (c *Client) channel() chan answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.spare); n > 0 {
		last := c.spare[n-1]
		c.spare = c.spare[:n-1]
		return last
	}
	return make(chan answer, 1)
}

func (c *Client) keep(answers chan answer) {
	if c.options.Defect != Reuse {
		return
	}
	select {
	case <-answers: // come at the last moment
	default:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spare = append(c.spare, answers)
}
