package spec

import (
	"github.com/assay-dev/assay/internal/expr"
)

// A Param says what a signal's argument names.
type Param string

const (
	JourneyParam  Param = "journey"
	ServiceParam  Param = "service"
	CallerParam   Param = "calling service" // a service, or the load driver
	PositionParam Param = "service with a probe \"position\""
	ObjectParam   Param = "object"
	ModelParam    Param = "model"
)

// A Signal is a function of experiments' expressions.
type Signal struct {
	Name   string
	Params []Param
	More   []Param // arguments that may be left out
}

// Signals are the functions that experiments' expressions may call. docs/files.md says what they return.
func Signals() []Signal {
	var all []Signal
	add := func(params []Param, names ...string) {
		for _, name := range names {
			all = append(all, Signal{Name: name, Params: params})
		}
	}
	add([]Param{JourneyParam}, "success", "degraded", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "count", "rate", "failures")
	add([]Param{CallerParam}, "cpu_cores", "rss_mb")
	add([]Param{CallerParam, ServiceParam}, "attempts_max", "retries")
	add([]Param{JourneyParam, ServiceParam}, "amplification")
	add([]Param{ObjectParam}, "no_lost", "once", "ordered")
	all = append(all, Signal{"linearizable", []Param{ObjectParam}, []Param{ModelParam}}, Signal{"sequential", []Param{ObjectParam}, []Param{ModelParam}})
	add([]Param{ObjectParam}, "monotonic_reads", "read_your_writes", "monotonic_writes", "writes_follow_reads")
	add([]Param{ObjectParam}, "read_uncommitted", "read_committed", "repeatable_read", "snapshot_isolation", "serializable", "strict_serializable")
	add([]Param{PositionParam}, "converged")
	return all
}

// recoveryName is the one variable of experiments' expressions.
const recoveryName = "recovery"

// recoveryFields are what it holds.
func recoveryFields() []string { return []string{"from_inject_s", "from_heal_s"} }

// SignalNames are the names of experiments' expressions. The functions are not bound: they are for compiling only.
func SignalNames() expr.Names {
	names := expr.Names{Vars: []string{recoveryName}}
	for _, s := range Signals() {
		names.Funcs = append(names.Funcs, expr.Func{Name: s.Name})
	}
	return names
}
