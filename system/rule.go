package system

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A RuleKind says what a Rule does to a link.
type RuleKind string

// Rules of bytes, whatever protocol they are of.
const (
	Delay     RuleKind = "delay"     // bytes arrive later
	Throttle  RuleKind = "throttle"  // bytes arrive at most at a rate
	Cut       RuleKind = "cut"       // bytes stall until the heal; new dials time out
	Drop      RuleKind = "drop"      // chunks are lost, and arrive as late as TCP would have sent them again
	Blackhole RuleKind = "blackhole" // bytes are taken and thrown away; a connection that lost some is reset at the heal
	Reset     RuleKind = "reset"     // connections end with a RST
	Refuse    RuleKind = "refuse"    // new dials are reset, and live connections too
	SlowClose RuleKind = "slowclose" // the end of a stream arrives later
	Slice     RuleKind = "slice"     // bytes arrive in small pieces
	Limit     RuleKind = "limit"     // the connection is closed after so many bytes
)

// Rules of requests: HTTP/1.1, HTTP/2 and gRPC. Set on the link that the request takes. A Delay with a Match is one, too.
const (
	Abort    RuleKind = "abort"    // the request is answered here, and does not arrive
	Truncate RuleKind = "truncate" // the response ends early, and says so
	Body     RuleKind = "body"     // the body of the response is replaced
	Header   RuleKind = "header"   // a header of the response is set, or taken away
)

// RuleKinds are all kinds.
func RuleKinds() []RuleKind {
	return []RuleKind{Delay, Throttle, Cut, Drop, Blackhole, Reset, Refuse, SlowClose, Slice, Limit, Abort, Truncate, Body, Header}
}

// A Distribution says how a delay is spread around its mean.
type Distribution string

const (
	Uniform Distribution = "uniform" // in Delay±Jitter; the zero value means this
	Normal  Distribution = "normal"  // with the standard deviation Jitter
	Pareto  Distribution = "pareto"  // Delay is the shortest, and Jitter the mean of what comes on top (shape 3): a long tail
)

// A Rule is what happens to the data on a link while the rule is set. Which fields mean something depends on the kind.
type Rule struct {
	Kind RuleKind `json:"kind"`
	// Delay is of delay, and of slowclose; of slice the pause between pieces; of reset and blackhole how long after its trigger a
	// connection is reset or closed (0: of reset at once, of blackhole never).
	Delay  time.Duration `json:"delay,omitempty"`
	Jitter time.Duration `json:"jitter,omitempty"`
	Dist   Distribution  `json:"dist,omitempty"`
	Loss   float64       `json:"loss,omitempty"`   // of drop: how likely a chunk is lost, 0 to 1
	Rate   int64         `json:"rate,omitempty"`   // of throttle: bytes per second, of all connections of the link together, or of each
	Each   bool          `json:"each,omitempty"`   // of throttle: each connection has the rate for itself
	Bytes  int64         `json:"bytes,omitempty"`  // of slice the mean size of a piece, of limit and truncate how many pass
	Spread int64         `json:"spread,omitempty"` // of slice: pieces are of Bytes±Spread
	When   Trigger       `json:"when,omitzero"`
	Match  *Match        `json:"match,omitempty"`  // nil: connections and not requests
	Status int           `json:"status,omitempty"` // of abort: HTTP status
	Code   string        `json:"code,omitempty"`   // of abort: gRPC status name, such as UNAVAILABLE
	Name   string        `json:"name,omitempty"`   // of header
	Value  string        `json:"value,omitempty"`  // of header ("" takes it away) and body
	Seed   uint64        `json:"seed,omitempty"`
	Text   string        `json:"text,omitempty"` // the fault in its text form, for records
}

// A Trigger says which connections of a link a rule touches, and when. The zero value means all, always.
// Connections are counted by link from 1 since the rule was set, in the order in which they are accepted: those that were there
// before are the n-th of none. What is drawn with P is drawn for them, too.
type Trigger struct {
	Nth   uint64        `json:"nth,omitempty"`   // only the n-th connection, or with a Match the n-th request that matches
	First uint64        `json:"first,omitempty"` // only the first n
	After int64         `json:"after,omitempty"` // only once so many bytes have passed on the connection, in the link's direction
	Data  bool          `json:"data,omitempty"`  // of reset: only once bytes or an end come; they are held and do not arrive
	P     float64       `json:"p,omitempty"`     // only with this probability, drawn for each connection or request; 0 means 1
	From  time.Duration `json:"from,omitempty"`  // only so long after the rule was set
	For   time.Duration `json:"for,omitempty"`   // and only for so long from then on; 0: until the heal
}

// A Match says which requests a rule touches. The zero value means all of them.
type Match struct {
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`   // of the URL without its query, or "/package.Service/Method"; a * stands for any text
	Header string `json:"header,omitempty"` // the name of a header that there must be
	Value  string `json:"value,omitempty"`  // what it must be; a * stands for any text; "" for anything
	// Key is the name of a header: requests are counted by what it says, each value for itself. "" counts all together.
	Key     string `json:"key,omitempty"`
	Attempt int    `json:"attempt,omitempty"` // only the n-th attempt of a request; see history.NumberAttempts
}

// OfRequests says whether the rule is one of requests.
func (r Rule) OfRequests() bool {
	return r.Match != nil || ofRequests(r.Kind)
}

func ofRequests(k RuleKind) bool {
	return slices.Contains([]RuleKind{Abort, Truncate, Body, Header}, k)
}

// Check says what is wrong with the rule.
func (r Rule) Check() error {
	if !slices.Contains(RuleKinds(), r.Kind) {
		var kinds []string
		for _, k := range RuleKinds() {
			kinds = append(kinds, string(k))
		}
		return fmt.Errorf("no rule is called %q (allowed: %s)", r.Kind, strings.Join(kinds, ", "))
	}
	if r.Delay < 0 || r.Jitter < 0 || r.Rate < 0 || r.Bytes < 0 || r.Spread < 0 || r.When.After < 0 || r.When.From < 0 || r.When.For < 0 {
		return fmt.Errorf("%s: no amount can be negative", r.Kind)
	}
	if !(r.When.P >= 0 && r.When.P <= 1) { // NaN, too
		return fmt.Errorf("%s: p is a probability from 0 to 1, not %v", r.Kind, r.When.P)
	}
	if !slices.Contains([]Distribution{"", Uniform, Normal, Pareto}, r.Dist) {
		return fmt.Errorf("%s: no distribution is called %q (allowed: %s, %s, %s)", r.Kind, r.Dist, Uniform, Normal, Pareto)
	}
	if r.When.Nth > 0 && r.When.First > 0 {
		return fmt.Errorf("%s: either the n-th or the first n", r.Kind)
	}
	if r.Match != nil && r.Kind != Delay && !ofRequests(r.Kind) {
		return fmt.Errorf("%s bends connections, not requests", r.Kind)
	}
	if r.When.Data && r.Kind != Reset {
		return fmt.Errorf("%s: only a reset waits for data", r.Kind)
	}
	return r.checkAmounts()
}

func (r Rule) checkAmounts() error {
	switch r.Kind {
	case Drop:
		if !(r.Loss > 0 && r.Loss <= 1) {
			return fmt.Errorf("drop: a loss is above 0 and at most 1, not %v", r.Loss)
		}
	case Throttle:
		if r.Rate == 0 {
			return errors.New("throttle needs a rate above zero")
		}
	case Slice, Limit:
		if r.Bytes == 0 && r.Kind == Slice {
			return errors.New("slice needs a size above zero")
		}
		if r.Spread > r.Bytes {
			return fmt.Errorf("slice: pieces of %d±%d bytes would have none", r.Bytes, r.Spread)
		}
	case Abort:
		if (r.Status == 0) == (r.Code == "") {
			return errors.New("abort needs an HTTP status or a gRPC code")
		}
		if r.Status != 0 && (r.Status < 200 || r.Status > 599) {
			return fmt.Errorf("abort: %d is no final HTTP status", r.Status)
		}
	case Header:
		if r.Name == "" {
			return errors.New("header needs a name")
		}
	case Cut, Refuse:
		if r.When.After != 0 {
			return fmt.Errorf("%s is of dials and all that follows, not of bytes", r.Kind)
		}
	}
	return nil
}
