// Package terms compares what services promise about time, retries and idempotency, and holds it against the calls that they make.
package terms
