package sim

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// decision is laid out like the struct in the overlay's runtime.
type decision struct {
	kind, n, choice, goroutine uint32
	index                      uint64
	now                        uint64
	key, target, otherName     uint64
	pcs                        [12]uintptr
	other, ops                 uint32
	host, otherHost            uint32
	from, to                   uint32
	otherPCs                   [12]uintptr
}

// Kinds of decisions, as the runtime numbers them, and the other records of a trace: a goroutine runs, time goes on, the program
// said something, something was sent (key: when it arrives, 0 for never; target: addresses; n: bytes).
func kinds() []string {
	return []string{"pick", "yield", "select", "timer", "env", "disk", "run", "time", "note", "message"}
}

// A Decision is one choice that a run made and that a plain one would not have: the log of a run has those alone. Choice
// is one of N; 0 is what happens without a reason: the goroutine that waited longest, no preemption, cases
// of a select as they are written, no loss. So a smaller log is a plainer run.
type Decision struct {
	Kind      string   `json:"kind"`  // pick, yield, select, timer, env, disk
	Index     uint64   `json:"index"` // among the decisions of its kind, from 1
	Choice    uint64   `json:"choice"`
	N         uint64   `json:"n"`
	Goroutine uint32   `json:"goroutine,omitempty"` // that was chosen, was preempted, or chose
	AtNS      uint64   `json:"at_ns"`               // simulated
	Where     []string `json:"where,omitempty"`     // function file:line, innermost first
	Note      string   `json:"note,omitempty"`      // what it did, in words: of disk

	// The decision's name: what the goroutine is and what it has done so far. It stays when other decisions are left out.
	Key    uint64 `json:"key,string,omitempty"`
	Target uint64 `json:"target,string,omitempty"` // name of the goroutine
	Ops    uint32 `json:"ops,omitempty"`           // what it has done

	// Of a pick: who had waited longest, and would have run. Of a preemption: who ran then.
	Other      uint32   `json:"other,omitempty"`
	OtherName  uint64   `json:"other_name,string,omitempty"`
	OtherWhere []string `json:"other_where,omitempty"`

	Host      string `json:"host,omitempty"`       // of the goroutine
	OtherHost string `json:"other_host,omitempty"` // of the other
	From      string `json:"from,omitempty"`       // of something sent, where the choice is about that
	To        string `json:"to,omitempty"`
}

// writeDecisions writes the log of the last run as JSON lines.
func (s *Sim) writeDecisions(path string) (err error) {
	var res result
	rtLast(&res)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriter(f)
	enc := json.NewEncoder(w)
	for i := range res.logged {
		var d decision
		rtRecord(int(i), &d)
		line := Decision{
			Kind: kinds()[d.kind], Index: d.index, Choice: uint64(d.choice), N: uint64(d.n), Goroutine: d.goroutine, AtNS: d.now,
			Where: frames(d.pcs[:], 8), Key: d.key, Target: d.target, Ops: d.ops, Other: d.other, OtherName: d.otherName, OtherWhere: frames(d.otherPCs[:], 8),
			Host: s.hostOf(d.host), OtherHost: s.hostOf(d.otherHost), From: s.hostAt(d.from), To: s.hostAt(d.to),
		}
		if line.Kind == "disk" {
			line.Note = s.notes[line.Index]
		}
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	return w.Flush()
}

// hostOf is the name of an incarnation's host, "" for none. It and hostAt are called when the simulation has ended.
func (s *Sim) hostOf(id uint32) string {
	if i := int(id); i > 0 && i <= len(s.world.byID) {
		return s.world.byID[i-1].name
	}
	return ""
}

// hostAt is the name of an address's host. What is of no host is the test's.
func (s *Sim) hostAt(ip uint32) string {
	for _, h := range s.world.hosts {
		if h.ip == ip {
			return h.name
		}
	}
	if ip == 0 {
		return ""
	}
	return "the test"
}

// frames names program counters, those of Go's own machinery left out where there are others.
func frames(pcs []uintptr, most int) []string {
	n := slices.Index(pcs, 0)
	if n < 0 {
		n = len(pcs)
	}
	if n == 0 {
		return nil
	}
	var all, ours []string
	it := runtime.CallersFrames(pcs[:n])
	for {
		f, more := it.Next()
		if f.Function != "" {
			line := fmt.Sprintf("%s %s:%d", f.Function, short(f.File), f.Line)
			all = append(all, line)
			if !machinery(f.Function) {
				ours = append(ours, line)
			}
		}
		if !more {
			break
		}
	}
	if len(ours) > 0 {
		all = ours
	}
	return all[:min(len(all), most)]
}

func machinery(function string) bool {
	for _, p := range []string{"(*Sim).Swarm", "(*swarm).", "kindsOfFaults."} {
		if strings.HasPrefix(function, "github.com/assay-dev/assay/sim."+p) {
			return false // what it draws is told by where that is
		}
	}
	for _, p := range []string{"runtime.", "sync.", "internal/", "time.", "testing.", "testing/synctest.", "github.com/assay-dev/assay/sim."} {
		if strings.HasPrefix(function, p) {
			return true
		}
	}
	return false
}

func short(file string) string {
	return filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
}

// sortedPoints is called when the simulation has ended, like eventLines.
func (s *Sim) sortedPoints() []Point {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Point
	byName := func(a, b point) int { return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.kind, b.kind)) }
	for _, key := range slices.SortedFunc(maps.Keys(s.points), byName) {
		all = append(all, *s.points[key])
	}
	return all
}

func (s *Sim) eventLines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, e := range s.events[max(0, len(s.events)-200):] {
		host := ""
		if e.host != "" {
			host = e.host + ": "
		}
		lines = append(lines, fmt.Sprintf("%12.6fs %s%s", e.at.Seconds(), host, e.text))
	}
	return lines
}
