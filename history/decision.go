package history

import "time"

// A Decision is what one rule of a fault chose for one connection, or for one request, of a link: whether it is hit.
type Decision struct {
	At    time.Duration `json:"at"`
	Rule  string        `json:"rule"`            // its id in the environment
	Fault string        `json:"fault,omitempty"` // that set it, in its text form, as in Exchange.Faults
	From  string        `json:"from"`            // the link, in the direction of the data that the rule bends
	To    string        `json:"to"`
	Conn  uint64        `json:"conn"`           // as Exchange.Conn
	Nth   uint64        `json:"nth,omitempty"`  // of connections: of those of the link since the rule was set, 0 for one from before; of requests: of those that count together, see fault's nth
	Draw  *float64      `json:"draw,omitempty"` // in [0, 1): one below the fault's p hits; nil: nothing was drawn
	Hit   bool          `json:"hit"`

	// Of requests alone.
	Request uint64 `json:"request,omitempty"` // as Exchange.Request
	Method  string `json:"method,omitempty"`
	Path    string `json:"path,omitempty"` // without its query, cut at 200 bytes
	// Key is what the draw is keyed by besides seed, link and rule, as a digest, and Again how many draws there had been with the same.
	Key   string `json:"key,omitempty"`
	Again uint64 `json:"again,omitempty"`

	// LeftOut is of the last record alone, which has nothing else: how many decisions there was no room for.
	LeftOut uint64 `json:"left_out,omitempty"`
}
