package retry

import "sync"

// A Budget bounds how many retries a process makes in all, whatever each caller would do by itself: every request earns a
// part of a retry, and every retry costs a whole one. While little fails nobody notices. When everything fails, the
// retries are a share of the requests and not a multiple. Safe for concurrent use; the zero value allows none.
type Budget struct {
	Earn float64 // by a request
	Most float64 // that can be saved up

	mu    sync.Mutex
	saved float64
}

// NewBudget returns a budget that is full.
func NewBudget(earn, most float64) *Budget { return &Budget{Earn: earn, Most: most, saved: most} }

// Request notes a request.
func (b *Budget) Request() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.saved = min(b.Most, b.saved+b.Earn)
}

// Retry reports whether there is enough for a retry, and spends it.
func (b *Budget) Retry() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.saved < 1 {
		return false
	}
	b.saved--
	return true
}
