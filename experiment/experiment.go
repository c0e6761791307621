// Package experiment runs an experiment on a running system, and judges its records.
//
// An experiment is: load, steady before, break, watch, heal, steady after,
// check. Running and judging are apart: [Run] leaves records, and [Judge]
// concludes from records alone, so a stored run can be judged again.
package experiment

import (
	"fmt"
	"time"

	"github.com/assay-dev/assay/fault"
	"github.com/assay-dev/assay/workload"
)

// An Experiment says how a system is broken and what must hold.
type Experiment struct {
	Name   string          `json:"name"` // the file's name without its ending
	Title  string          `json:"title,omitempty"`
	Owner  string          `json:"owner,omitempty"`
	Load   []workload.Load `json:"load"`
	Steady []Expectation   `json:"steady,omitempty"` // hold before the first fault, and after all are healed
	During []Expectation   `json:"during,omitempty"` // hold from the first inject to the last heal
	Expect []Expectation   `json:"expect,omitempty"` // hold over the whole experiment
	// Guard holds over the whole experiment, too, whatever breaks: no control has to break it.
	Guard  []Expectation       `json:"guard,omitempty"`
	Stop   []Condition         `json:"stop,omitempty"`
	Method []Action            `json:"method"`           // in order of At
	Hold   time.Duration       `json:"hold,omitempty"`   // how long actions without For stay after the last action, default 5s
	Settle time.Duration       `json:"settle,omitempty"` // from the last heal to the window of steady after, default 2s
	After  time.Duration       `json:"after,omitempty"`  // length of that window, default as long as before
	Covers map[string][]string `json:"covers,omitempty"` // journey: modes
	// ControlDefects are what a control run plants beside the fault at full strength, never healed.
	ControlDefects []string `json:"control_defects,omitempty"`
	Pos            string   `json:"pos,omitempty"`
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
//
// It is written to a plan with the fault in text form.
type Action struct {
	At    time.Duration // since the load started
	For   time.Duration // 0: until the end of the method
	Fault fault.Fault
	Pos   string
}

// Modes are the failure modes a cell of the matrix can have, in the matrix's order.
func Modes() []string {
	return []string{"replication", "failover", "retry", "timeout", "degraded", "partition", "loss", "latency", "restart", "pause", "skew",
		"disk", "rebalance", "redelivery", "dependency", "overload", "zone", "version-skew", "rollback"}
}

// ActionID names the injection of action i (from 0) of the experiment, in an
// environment and as the key of its seeded choices.
func ActionID(experiment string, i int) string { return fmt.Sprintf("%s/%d", experiment, i+1) }
