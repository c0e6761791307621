// Package terms compares what services promise about time, retries and idempotency, and holds it against the calls that they make.
//
// A service's terms stand in a file of their own, or under x-assay in the operations of OpenAPI and AsyncAPI:
//
//	service: orders
//	operations:
//	  POST /orders:
//	    deadline: 2s
//	    key: {header: Idempotency-Key, retention: 24h}
//	    retry: {on: [503], attempts: 3, backoff: {initial: 100ms}}
//	    calls:
//	      - {call: payments POST /charges, timeout: 300ms, key: forward, retry: {on: [503, timeout], attempts: 3, backoff: {initial: 50ms}}}
//
// [Diff] compares two versions of them. Its witness is a schedule that one version allows and the other does not. [Check] takes the terms of a
// whole system and computes what its calls come to: how long each operation takes at worst, how often it may be called, what is done twice.
// What neither can tell, because it is not declared, is a gap.
package terms
