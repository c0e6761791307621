package history

import (
	"cmp"
	"slices"
)

// NumberAttempts sets Attempt on each exchange and sorts them by start: the
// n-th exchange of one request between the same two services is attempt n.
//
// Exchanges are of one request when they share method, path and trace-id. A
// trace that has several different requests to one path needs an idempotency
// key to tell them apart; without trace and key every exchange is a first attempt.
// service maps an instance to its service, so that a retry may reach another instance.
func NumberAttempts(exchanges []Exchange, service func(instance string) string) {
	slices.SortStableFunc(exchanges, func(a, b Exchange) int { return cmp.Compare(a.Start, b.Start) })
	seen := map[[6]string]int{}
	for i := range exchanges {
		x := &exchanges[i]
		x.Attempt = 1
		if x.Trace() == "" && x.Idempotency == "" {
			continue
		}
		request := [6]string{service(x.Src), service(x.Dst), x.Method, x.Path, x.Trace(), x.Idempotency}
		if x.Idempotency != "" {
			request[4] = "" // a retry may start a new trace
		}
		seen[request]++
		x.Attempt = seen[request]
	}
}
