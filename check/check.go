// Package check defines checkers and what they conclude.
//
// A checker reads the records of a run and never a running system, so that
// yesterday's run can be judged by today's checker. What it cannot decide is
// unknown: no data is never a pass.
package check

import (
	"context"
	"time"

	"github.com/assay-dev/assay/history"
	"github.com/assay-dev/assay/telemetry"
	"github.com/assay-dev/assay/verdict"
)

// Input is what a run leaves behind for checkers to read. Checkers must not modify it.
type Input struct {
	Ops       []history.Op       // in order of ID
	Events    []history.Event    // in order of At
	Exchanges []history.Exchange // in order of Start, attempts numbered
	Series    []telemetry.Series
	// From and To bound the window that is judged: operations that were scheduled
	// in [From, To). A zero To means no bound.
	From, To time.Duration
	// Service maps an instance to its service, and other names to themselves. Nil maps all to themselves.
	Service func(instance string) string
	// Zones is the zone of every instance, "" of one that has none. Nil: nobody knows.
	Zones map[string]string
}

// In says whether something scheduled at t belongs to the window.
func (in Input) In(t time.Duration) bool { return t >= in.From && (in.To == 0 || t < in.To) }

// A Result is a verdict with its reasons.
type Result struct {
	Check   string          `json:"check"` // as it was written, such as `no_lost("orders")`
	Verdict verdict.Verdict `json:"verdict"`
	Reason  string          `json:"reason"` // one sentence
	// Limit and Measured stand side by side in reports: ">= 0.99" and "0.8731". Empty where a check has none.
	Limit    string `json:"limit,omitempty"`
	Measured string `json:"measured,omitempty"`
	// Witness are the operations that show a Fail, smallest set first found; at most 20.
	Witness []history.Op `json:"witness,omitempty"`
	// Model names the decision procedure, where there is a choice.
	Model string `json:"model,omitempty"`
}

// A Checker concludes from records. It is safe for concurrent use.
type Checker interface {
	// String returns the checker as it is written in an expression.
	String() string
	// Check judges the records. It ends with Unknown when ctx ends first.
	Check(ctx context.Context, in Input) Result
}
