// Package experiment runs an experiment on a running system, and judges its records.
//
// An experiment is: load, steady before, break, watch, heal, steady after,
// check. Running and judging are apart: [Run] leaves records, and [Judge]
// concludes from records alone, so a stored run can be judged again.
package experiment

import (
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/workload"
)

// An Experiment says how a system is broken and what must hold.
type Experiment struct {
	Name   string // the file's name without its ending
	Title  string
	Owner  string
	Load   []workload.Load
	Steady []Expectation // hold before the first fault, and after all are healed
	During []Expectation // hold from the first inject to the last heal
	Expect []Expectation // hold over the whole experiment
	Stop   []Condition
	Method []Action            // in order of At
	Hold   time.Duration       // how long actions without For stay after the last action, default 5s
	Settle time.Duration       // from the last heal to the window of steady after, default 2s
	After  time.Duration       // length of that window, default as long as before
	Covers map[string][]string // journey: modes
	// ControlDefect is the defect that a control run plants; "" means full strength, never healed.
	ControlDefect string
	Pos           string
}

// An Expectation is a CEL expression over the experiment's signals, and where it stands.
type Expectation struct {
	Text string `json:"text"`
	Pos  string `json:"pos,omitempty"`
}

// A Condition stops the experiment when When held for For.
type Condition struct {
	When Expectation   `json:"when"`
	For  time.Duration `json:"for"`
}

// An Action is a fault on the experiment's time axis.
type Action struct {
	At    time.Duration // since the load started
	For   time.Duration // 0: until the end of the method
	Fault fault.Fault
	Pos   string
}

// Modes are the failure modes a cell of the matrix can have, in the matrix's order.
func Modes() []string {
	return []string{"replication", "failover", "retry", "timeout", "partition", "loss", "latency", "restart", "pause", "skew",
		"disk", "rebalance", "redelivery", "dependency", "overload", "zone", "version-skew", "rollback"}
}
