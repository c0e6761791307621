// Package payments is a service that charges each payment once, and a client that asks again when it gets no answer in time.
// Neither knows of simulations. Its test is one: assay sim ./examples/sim/payments
package payments

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// A Service charges. Requests with one key are one payment.
type Service struct {
	// Careless plants a defect: the key is looked up and noted in two steps.
	Careless bool
	// Bank does the charge, where that is somebody else's work. Nil is nothing.
	Bank func()

	mu      sync.Mutex
	seen    map[string]bool
	charged int
}

// Charged is how often it charged.
func (s *Service) Charged() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.charged
}

func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Idempotency-Key")
	if s.first(key) {
		if s.Bank != nil {
			s.Bank()
		}
		s.mu.Lock()
		s.charged++
		s.seen[key] = true
		s.mu.Unlock()
	}
	fmt.Fprintln(w, "paid")
}

// first reports whether a key is new, and notes it.
func (s *Service) first(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	if s.seen[key] {
		return false
	}
	if !s.Careless {
		s.seen[key] = true
	}
	return true
}

// Pay asks for a payment until it is paid, or ctx ends. Each try has a deadline of its own.
func Pay(ctx context.Context, client *http.Client, url, key string) error {
	for {
		err := try(ctx, client, url, key)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
	}
}

func try(ctx context.Context, client *http.Client, url, key string) error {
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Idempotency-Key", key)
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
