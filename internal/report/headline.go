package report

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/verdict"
)

// A Headline is the first thing to read of an experiment that did not pass: which journey, under which
// fault, missed which limit by how much, and what to do about it.
type Headline struct {
	Verdict    verdict.Verdict `json:"verdict"`
	Experiment string          `json:"experiment"`
	Phase      string          `json:"phase,omitempty"`
	Journey    string          `json:"journey,omitempty"`
	Fault      string          `json:"fault,omitempty"`
	Check      string          `json:"check,omitempty"`
	Says       string          `json:"says,omitempty"` // what the check measures, in words; "" where it has no such words
	Limit      string          `json:"limit,omitempty"`
	Measured   string          `json:"measured,omitempty"`
	Missed     string          `json:"missed,omitempty"` // by how much
	Reason     string          `json:"reason"`
	More       int             `json:"more,omitempty"`  // other checks that are no pass
	Error      *ErrorCount     `json:"error,omitempty"` // the commonest error of the journey
	NotOK      int64           `json:"not_ok,omitempty"`
	First      uint64          `json:"first_failure,omitempty"`
	Pos        string          `json:"pos,omitempty"` // file:line:column of the expectation, else of the experiment
	Replay     string          `json:"replay,omitempty"`
	Elsewhere  bool            `json:"replay_elsewhere,omitempty"` // Replay is of the machine that ran it
}

// driverPhase is the phase of the check of the load driver.
const driverPhase = "driver"

// Driver says whether the load driver decided: then nothing is said about the system, and the figures are the driver's own.
func (h Headline) Driver() bool { return h.Phase == driverPhase && h.Verdict == verdict.Unknown }

// MeasuredOf names the measured figure.
func (h Headline) MeasuredOf() string {
	if h.Driver() {
		return "the driver's lateness"
	}
	return "measured"
}

// headlines makes one headline for each experiment that is no pass, failures first.
func (r *Report) headlines(plan plan) {
	for _, x := range r.Experiments {
		if x.Verdict != verdict.Pass && !x.Control {
			r.Headlines = append(r.Headlines, r.headline(plan, x))
		}
	}
	slices.SortStableFunc(r.Headlines, func(a, b Headline) int { return order(a.Verdict) - order(b.Verdict) })
}

func (r *Report) headline(plan plan, x Experiment) Headline {
	h := Headline{Verdict: x.Verdict, Experiment: x.Name, Fault: x.FaultText, Reason: x.Reason, Replay: x.Replay, Pos: x.Pos, First: x.First}
	if c, ok := x.decisive(); ok {
		h.Phase, h.Check, h.Limit, h.Measured = c.Phase, c.Check, c.Limit, c.Measured
		h.Says, h.Missed = says(c.Check), missed(c.Limit, c.Measured)
		h.Reason = strings.TrimPrefix(x.Reason, c.Phase+": ")
		h.Journey = plan.journeyOf(c.Check, x.Name)
		h.Pos = cmp.Or(x.Positions[c.Phase+": "+c.Check], x.Pos)
		h.More = -1
	} else {
		h.Journey = plan.journeyOf("", x.Name)
	}
	for _, c := range x.Checks {
		if c.Verdict != verdict.Pass {
			h.More++
		}
	}
	h.More = max(h.More, 0)
	h.Pos = r.place(h.Pos)
	if h.Driver() {
		h.First = 0 // what went wrong with operations says nothing while the driver is what was wrong
		return h
	}
	for _, j := range x.Journeys {
		if j.Name == h.Journey && len(j.Errors) > 0 {
			h.Error, h.NotOK = &j.Errors[0], j.Failed+j.Maybe
		}
	}
	return h
}

// place puts the folder of the user's files before a position.
func (r *Report) place(pos string) string {
	if pos == "" || r.files == "" || r.files == "." || strings.HasPrefix(pos, "/") {
		return pos
	}
	return strings.TrimSuffix(r.files, "/") + "/" + pos
}

// decisive returns the check that the experiment's reason is of, else the first that is as bad as the whole.
func (x Experiment) decisive() (evidence.Checked, bool) {
	for _, c := range x.Checks {
		if c.Verdict != verdict.Pass && c.Reason != "" && strings.HasSuffix(x.Reason, c.Reason) {
			return c, true
		}
	}
	i := slices.IndexFunc(x.Checks, func(c evidence.Checked) bool { return c.Verdict == x.Verdict })
	if i < 0 || x.Verdict == verdict.Pass {
		return evidence.Checked{}, false
	}
	return x.Checks[i], true
}

// journeyOf returns the journey to name for a check: one whose name or recorded object it quotes, else the first
// that the experiment covers or loads.
func (p plan) journeyOf(check, experiment string) string {
	for _, quoted := range regexp.MustCompile(`"[^"]*"|'[^']*'`).FindAllString(check, -1) {
		name := quoted[1 : len(quoted)-1]
		for _, j := range p.Journeys {
			if j.Name == name {
				return name
			}
			for _, step := range j.Steps {
				for _, record := range step.Record {
					if record.Object == name {
						return j.Name
					}
				}
			}
		}
	}
	x := p.experiment(experiment)
	for _, load := range x.Load {
		if _, covered := x.Covers[load.Journey]; covered || len(x.Covers) == 0 {
			return load.Journey
		}
	}
	return ""
}

// comparison is a check of the form SIGNAL("NAME") OP NUMBER.
var comparison = regexp.MustCompile(`^\s*([a-z0-9_]+)\(\s*(?:"([^"]*)"|'([^']*)')\s*\)\s*(>=|<=|==|>|<)\s*([0-9.]+)\s*$`)

// A Limit is a comparison of one journey's signal with a number, and where on the time axis it was judged.
type Limit struct {
	Signal  string          `json:"signal"` // "success", "p95_ms", …
	Op      string          `json:"op"`
	Value   float64         `json:"value"`
	From    time.Duration   `json:"from"`
	To      time.Duration   `json:"to"`
	Verdict verdict.Verdict `json:"verdict"`
}

// limits gives each journey the comparisons that were made with it.
func (e *Experiment) limits() {
	for _, c := range e.Checks {
		parts := comparison.FindStringSubmatch(c.Check)
		if parts == nil {
			continue
		}
		value, err := strconv.ParseFloat(parts[5], 64)
		from, to := e.window(c.Phase)
		i := slices.IndexFunc(e.Journeys, func(j Journey) bool { return j.Name == parts[2]+parts[3] })
		if err != nil || to <= from || i < 0 {
			continue
		}
		e.Journeys[i].Limits = append(e.Journeys[i].Limits, Limit{parts[1], parts[4], value, from, to, c.Verdict})
	}
}

// window is the stretch of the time axis that a phase of checks judges.
func (e *Experiment) window(phase string) (from, to time.Duration) {
	begin := func(names ...string) time.Duration {
		for _, name := range names {
			for _, p := range e.Course {
				if p.Name == name {
					return p.From
				}
			}
		}
		return 0
	}
	switch phase {
	case "steady before":
		return begin("before"), begin("fault")
	case "during":
		return begin("fault"), begin("healed", "drain")
	case "steady after":
		return begin("after"), begin("drain")
	case "expect", "guard":
		return begin("before"), begin("drain")
	}
	return 0, 0
}

// says puts what a check measures into words.
func says(check string) string {
	words := map[string]string{
		"success": "share of %s that ended well", "degraded": "share of %s that ended in degraded mode", "count": "operations of %s",
		"rate": "operations of %s each second", "failures": "operations of %s that did not end well", "max_ms": "longest latency of %s, in ms",
		"no_lost": "acknowledged appends to %s that are gone", "once": "appends to %s that are gone or there twice",
		"ordered": "order of %s", "converged": "instances of %s at the same position after the heal", "linearizable": "order of the operations on %s, in real time",
		"sequential": "order of the operations on %s, for each client", "monotonic_reads": "reads of each client on %s: none goes back",
		"read_your_writes": "reads of each client on %s: what it wrote, or newer", "monotonic_writes": "writes of each client on %s: seen in its order",
		"writes_follow_reads": "writes of each client on %s: seen after what it had read",
		"read_uncommitted":    "isolation of the transactions on %s: no write between the writes of another one", "read_committed": "isolation of the transactions on %s: nothing read that was not committed",
		"repeatable_read": "isolation of the transactions on %s: what was read stays so until the end", "snapshot_isolation": "isolation of the transactions on %s: each reads one moment, and none overwrites another one's",
		"serializable": "isolation of the transactions on %s: as if one after the other", "strict_serializable": "isolation of the transactions on %s: as if one after the other, in the order of real time",
	}
	call := regexp.MustCompile(`^\s*([a-z0-9_]+)\(\s*["']([^"']*)["']\s*(?:,\s*["']([^"']*)["']\s*)?\)`).FindStringSubmatch(check)
	switch {
	case check == "driver kept its schedule":
		return "how late the load driver started operations, at p99"
	case strings.HasPrefix(check, "recovery.from_inject_s"):
		return "seconds from the first inject until all was well again"
	case strings.HasPrefix(check, "recovery.from_heal_s"):
		return "seconds from the last heal until all was well again"
	case call == nil:
		return ""
	}
	if q := regexp.MustCompile(`^p([0-9]+)_ms$`).FindStringSubmatch(call[1]); q != nil {
		return fmt.Sprintf("latency that %s %% of %s stayed below, in ms", q[1], call[2])
	}
	if text, ok := words[call[1]]; ok {
		text = fmt.Sprintf(text, call[2])
		if call[3] != "" {
			text += ", as a " + call[3]
		}
		return text
	}
	return ""
}

// missed returns by how much a limit such as ">= 0.95" was missed, and "" where that is no number or it was not missed.
func missed(limit, measured string) string {
	m := regexp.MustCompile(`^\s*(?:.*\s)?(>=|<=|>|<)\s*([0-9.]+)(.*)$`).FindStringSubmatch(limit)
	n := regexp.MustCompile(`^\s*([0-9.]+)`).FindString(measured)
	if m == nil || n == "" {
		return ""
	}
	want, err := strconv.ParseFloat(m[2], 64)
	got, err2 := strconv.ParseFloat(strings.TrimSpace(n), 64)
	if err != nil || err2 != nil {
		return ""
	}
	by := got - want
	if strings.HasPrefix(m[1], ">") {
		by = want - got
	}
	if by < 0 || by == 0 && len(m[1]) == 2 {
		return ""
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(math.Round(by*1e4)/1e4, 'f', 4, 64), "0"), ".") + m[3]
}
