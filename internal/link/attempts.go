package link

import "sync"

// attempts counts requests as history.NumberAttempts does, while a rule wants to know. All methods are safe for concurrent use, also of nil.
type attempts struct {
	mu   sync.Mutex
	seen map[[6]string]int
}

func newAttempts() *attempts { return &attempts{seen: map[[6]string]int{}} }

// count returns the how manieth attempt of its request the flight is, as far as it is known now, and 0 where nobody wants to know.
func (a *attempts) count(f *flight, service func(string) string) int {
	if a == nil {
		return 0
	}
	x := &f.x
	trace := x.Trace()
	if trace == "" && x.Idempotency == "" {
		return 1
	}
	if x.Idempotency != "" {
		trace = "" // a retry may start a new trace
	}
	request := [6]string{service(x.Src), service(x.Dst), x.Method, x.Path, trace, x.Idempotency}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.seen[request]; !known && len(a.seen) >= maxKeys {
		return 0
	}
	a.seen[request]++
	return a.seen[request]
}
