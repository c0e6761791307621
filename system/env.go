package system

import (
	"context"
	"fmt"
	"time"
)

// An Env is a running system: local processes, containers, a simulation.
//
// An Env may also be a [Linker], a [Recorder], a [Restorer], a [Snapshotter], a [Rewriter] or a [Truster]; under load it is a [Surger].
// All methods are safe for concurrent use. system/systemtest is the suite that every Env passes.
type Env interface {
	// System returns the topology that runs.
	System() System
	// Nodes returns one Node for each instance, in the order of System.Instances.
	Nodes() []Node
	// Addr returns the "host:port" that from (an instance, or Client) dials to
	// reach port of host (an instance or a service).
	Addr(ctx context.Context, from, host string, port int) (string, error)
	// Close heals what is broken, stops what runs, and leaves nothing behind.
	Close(ctx context.Context) error
}

// A Node is one instance in an environment.
//
// A Node may also be a [Killer], a [Pauser], a [Restarter], a [Prober] or an [Inspector].
type Node interface {
	Instance() Instance
	// State returns what the environment believes of the instance.
	State(ctx context.Context) (State, error)
}

// A State is what an environment believes of an instance.
type State string

const (
	Starting State = "starting" // runs, and was not ready yet
	IsReady  State = "ready"
	Unready  State = "unready" // runs, was ready, and does not answer as ready now
	Paused   State = "paused"
	Exited   State = "exited"  // ended by itself or by a fault
	Stopped  State = "stopped" // ended because it was asked to
)

// A Killer is a Node that can be killed at once, and started again.
type Killer interface {
	Kill(ctx context.Context) error
	// Start starts it and returns when it is ready.
	Start(ctx context.Context) error
}

// A Pauser is a Node whose processes can be stopped in their tracks, and continued.
type Pauser interface {
	Pause(ctx context.Context) error
	Resume(ctx context.Context) error
}

// A Restarter is a Node that can be stopped as its operator would, and started again.
type Restarter interface {
	// Restart returns when it is ready again.
	Restart(ctx context.Context) error
}

// A Prober is a Node that can be asked a question the topology declares.
type Prober interface {
	// Probe returns the answer as CEL gave it: nil, bool, int64, float64, string,
	// []any or map[string]any. No answer in time is an error.
	Probe(ctx context.Context, name string) (any, error)
}

// An Inspector is a Node whose processes can be looked at by another path than
// the one that starts and breaks them.
type Inspector interface {
	Inspect(ctx context.Context) (Inspection, error)
}

// An Inspection is what the operating system says of an instance.
type Inspection struct {
	Processes []Proc `json:"processes"` // all that carry the instance's mark, daemonised ones included
}

// A Proc is one process.
type Proc struct {
	ID      ProcID `json:"id"`
	Stopped bool   `json:"stopped"` // by a signal (state T)
	Command string `json:"command"`
}

// A ProcID names a process for good: a pid alone is used again, and starts over after a boot.
type ProcID struct {
	Boot  string `json:"boot"`
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks since boot
}

// A Link is the direction of data from one instance to another, whoever dialled.
type Link struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// String returns "a -> b".
func (l Link) String() string { return l.From + " -> " + l.To }

// A Linker is an Env whose links can be bent and are counted.
type Linker interface {
	// SetRule arms rule on links under an id of the caller's, at once for live
	// connections too. Setting an id again replaces it.
	SetRule(ctx context.Context, id string, links []Link, rule Rule) error
	// ClearRule removes the rule. An id that is not set is no error.
	ClearRule(ctx context.Context, id string) error
	// LinkStats returns counters that only grow, one for each link that was ever used.
	LinkStats(ctx context.Context) ([]LinkStats, error)
}

// ResidenceBuckets is how many buckets LinkStats.Residence has.
const ResidenceBuckets = 36

// LinkStats counts what passed, or did not, from one instance to another. It is
// measured at the sockets' ends, not where rules are applied; what no end can show is counted by the rules.
type LinkStats struct {
	Link
	BytesIn  int64 `json:"bytes_in"`  // read from the sender
	BytesOut int64 `json:"bytes_out"` // written to the receiver
	Dials    int64 `json:"dials"`     // connections From opened to To
	Stalled  int64 `json:"stalled"`   // dials that were left unanswered
	Refused  int64 `json:"refused"`   // dials that were reset
	Reset    int64 `json:"reset"`     // live connections that a rule reset
	Live     int64 `json:"live"`      // connections open now; the one that shrinks
	// Residence counts chunks by the time between read and write: bucket i holds
	// those of [2^i, 2^(i+1)) microseconds, bucket 0 also all below.
	Residence [ResidenceBuckets]int64 `json:"residence"`

	// Ends counts ends of streams (FIN) passed on to the receiver, and EndWait sums how long each was in the link.
	Ends    int64         `json:"ends,omitempty"`
	EndWait time.Duration `json:"end_wait_ns,omitempty"`

	// What rules did. None of these grows on a link that no rule is set on.
	Bent      int64         `json:"bent,omitempty"`         // chunks and ends that rules of bytes held back, cut into pieces, lost or took; a cut or a delay counts here, too
	Lost      int64         `json:"lost,omitempty"`         // chunks that a drop lost, each of which arrives late
	Discarded int64         `json:"discarded,omitempty"`    // bytes taken and thrown away, by a blackhole or behind a limit
	Throttled time.Duration `json:"throttled_ns,omitempty"` // how long bytes waited for a rate, summed over connections
	Slices    int64         `json:"slices,omitempty"`       // how often a slice cut a chunk: n-1 for one that came out in n pieces
	Closed    int64         `json:"closed,omitempty"`       // live connections that a rule closed with FIN, by a limit or a blackhole; on the rule's direction

	// Of rules of requests, on the link that the request takes, while such a rule is set there.
	Requests int64 `json:"requests,omitempty"` // requests that began
	Matched  int64 `json:"matched,omitempty"`  // those of them that a rule's Match fits, whatever its trigger says; once for each rule
	Hit      int64 `json:"hit,omitempty"`      // those that a rule answered, delayed or changed the response of; counted when it is done
	Unedited int64 `json:"unedited,omitempty"` // connections that passed as they were, from some point on: TLS, no HTTP, or what can be read in two ways

	// Of connections with TLS, on the dialler's direction.
	Sealed   int64 `json:"sealed,omitempty"`   // those that passed with their TLS on: nobody sees the requests in them
	Unopened int64 `json:"unopened,omitempty"` // those that were to be opened and failed, by a certificate that somebody did not accept

	// Rules are the rules that are set on the link now, sorted by ID. Those that were cleared are gone from it.
	Rules []RuleStats `json:"rules,omitempty"`
}

// Rule returns what the rule with the id did on the link, all zero for one that is not set there.
func (s LinkStats) Rule(id string) RuleStats {
	for _, r := range s.Rules {
		if r.ID == id {
			return r
		}
	}
	return RuleStats{ID: id}
}

// RuleStats counts what one rule did on one link since it was set. Where several rules are set on a link, only these tell whose doing it was.
type RuleStats struct {
	ID      string `json:"id"`
	Matched int64  `json:"matched,omitempty"` // of a rule of requests: those that its Match fits, whatever its trigger says
	// Hit is what the rule did something to. Of a rule of requests: requests, counted when it is done. Of reset and limit:
	// connections. Of refuse: dials and connections. Of cut: chunks, ends and dials. Of throttle: how often bytes had to
	// wait. Of slice: how often it cut a chunk. Of slowclose: ends. Of drop: chunks that it lost. Of delay and blackhole: chunks and ends.
	Hit int64 `json:"hit,omitempty"`
}

// A Surger is an Env whose load can be raised. Environments do not drive load: whoever does offers this power for them.
type Surger interface {
	// Surge multiplies the arrival rate of a journey, under an id of the caller's, until it is calmed.
	Surge(ctx context.Context, id, journey string, factor float64) error
	// Calm returns the journeys that an id surged to their own rate, at once. An id that is not set is no error.
	Calm(ctx context.Context, id string) error
	// Arrivals tells of every journey under load when its operations were due, by the records and not by the schedule.
	Arrivals(ctx context.Context) (Arrivals, error)
}

// Arrivals are the operations of a load up to a moment.
type Arrivals struct {
	Now time.Duration
	Due map[string][]time.Duration // by journey, in any order; an empty list where none came yet
}

// A Recorder is an Env that writes down what it sees itself: changes of state,
// answers of probes and leaks as history.Event in DIR/env.jsonl, requests on
// links as history.Exchange in DIR/exchanges.jsonl, and what rules chose as history.Decision in DIR/decisions.jsonl. Whoever sees a thing writes it, so a
// controller that dies loses no record.
type Recorder interface {
	// Record starts writing to dir. Epoch is the run's start on CLOCK_MONOTONIC.
	// A recording that is on is ended first. Probes are asked every 250 ms while recording.
	Record(ctx context.Context, dir string, epoch time.Duration) error
	// StopRecording flushes and closes the files.
	StopRecording(ctx context.Context) error
}

// A Restorer is an Env that can go back to a state it had.
type Restorer interface {
	// Checkpoint makes the present state the one that Restore returns to.
	Checkpoint(ctx context.Context) error
	// Restore returns to it, with every instance ready.
	Restore(ctx context.Context) error
}

// A Rewriter is an Env that can put the addresses that from must dial into a
// text that names services.
type Rewriter interface {
	Rewrite(ctx context.Context, from, text string) (string, error)
}

// A Truster is an Env that may end TLS on links with certificates of its own.
type Truster interface {
	// Trusted returns the certificates, in PEM, that whoever dials in the environment has to trust: its own, and those that instances'
	// are verified with. None: nothing ends TLS.
	Trusted(ctx context.Context) ([]byte, error)
}

// A Logger is an Env that keeps what instances print.
type Logger interface {
	// Log returns the last lines of the instance's output, oldest first.
	Log(ctx context.Context, instance string, lines int) ([]string, error)
}

// UnsupportedError reports that a target lacks a power that a fault needs.
type UnsupportedError struct {
	Target string // an instance, or the environment's name
	Power  string // such as "Killer"
}

// Error returns "x is no system.Killer in this environment".
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s is no system.%s in this environment", e.Target, e.Power)
}
