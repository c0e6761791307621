package slo

import (
	"fmt"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/history"
)

// Amplification returns how many requests reached service to for each operation of the journey, in the window: whoever
// sent them, and at whichever layer they were repeated. It counts the exchanges that carry the trace of one of the
// journey's operations; what services do on their own, in traces of their own, is not the journey's.
//
// Retries of one layer add up, and those of two layers multiply: this is what grows in a retry storm. No request at all
// is ErrNoData and not 0, so that a limit cannot pass because nothing was traced.
func Amplification(in check.Input, journey, to string) (float64, error) {
	ops, err := operations(in, journey)
	if err != nil {
		return 0, err
	}
	traces := map[string]bool{} // also of operations before the window, whose requests come in it
	for _, op := range in.Ops {
		if op.Kind == history.Journey && op.Journey == journey && op.Trace != "" {
			traces[op.Trace] = true
		}
	}
	requests := 0
	for _, x := range in.Exchanges {
		if traces[x.Trace()] && service(in, x.Dst) == to && in.In(x.Start) {
			requests++
		}
	}
	if requests == 0 {
		return 0, fmt.Errorf("no request with a trace of %s reached %s %s: %w", journey, to, window(in), ErrNoData)
	}
	return float64(requests) / float64(len(ops)), nil
}
