package evidence

import (
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/verdict"
)

// Format is the version of the layout that this package writes. It reads all up to it.
const Format = 1

// Kinds of runs.
const (
	KindRun     = ""        // assay ran a system, and its records are here
	KindForeign = "foreign" // results of another tool, which no records of ours stand behind
	// KindContract is of contracts that were compared: nothing ran, so it has no records, no subjects and no grade. Both versions are among
	// its files. Of a contract, what its newest run says counts alone.
	KindContract = "contract"
	// KindSim is of simulated tests: Go code ran in one process, by sources and not by binaries. It has no subjects and no grade.
	// Of a test, what its newest run says counts alone.
	KindSim = "sim"
)

// ContractPrefix begins the names of results of contracts.
const ContractPrefix = "contract-"

// Grades of evidence, weakest first: how faithful the faults were.
const (
	GradeClaimed = "claimed" // another tool says so
	GradeStream  = "stream"  // links were bent by proxies
	GradePacket  = "packet"  // links were bent packet by packet
)

// Grades returns all grades, weakest first.
func Grades() []string { return []string{GradeClaimed, GradeStream, GradePacket} }

// DefaultLayer is the layer of a result that names none.
const DefaultLayer = "integration"

// Layers returns the layers of testing that a result can belong to.
func Layers() []string {
	return []string{"component", "contract", DefaultLayer, "chaos", "production"}
}

// Meta is run.json: what was run, where and when.
type Meta struct {
	ID          string    `json:"id"`               // set by Create
	Format      int       `json:"format,omitempty"` // set by Create; 0 is 1
	Kind        string    `json:"kind,omitempty"`   // KindRun, KindForeign, KindContract or KindSim
	Tool        string    `json:"tool,omitempty"`   // of a run that is no KindRun: "junit", "ctrf", "go test", "assay contract", "assay sim"
	Started     time.Time `json:"started"`          // UTC; Create takes now where it is zero
	Version     string    `json:"version"`          // of assay
	Args        []string  `json:"args,omitempty"`
	Seed        uint64    `json:"seed"`
	Commit      string    `json:"commit,omitempty"`  // of the user's tree: an attribute, the subjects' digests say what ran
	Changes     string    `json:"changes,omitempty"` // digest of what the tree's tracked files had that is in no commit, "" for nothing
	Dirty       bool      `json:"dirty,omitempty"`   // the tree had changes that are in no commit
	OS          string    `json:"os"`
	Arch        string    `json:"arch"`
	Grade       string    `json:"grade"`       // how faithful links are: "stream" or "packet"
	Environment string    `json:"environment"` // "plain", …
	Defect      string    `json:"defect,omitempty"`
	Control     bool      `json:"control,omitempty"`
	Experiments []string  `json:"experiments,omitempty"` // planned, in order
	Against     []string  `json:"against,omitempty"`     // commits that contracts were compared with
}

// Subject is one service with the digest of what ran. subjects.json is a list of them.
type Subject struct {
	Service   string   `json:"service"`
	Instances []string `json:"instances"`
	Binary    string   `json:"binary,omitempty"` // path of the file that ran
	SHA256    string   `json:"sha256,omitempty"` // of that file as Digest writes it, or of it and what fills the service's data folders
}

// Declaration is declaration.json: what the run was asked to prove, so that a
// journey or cell that somebody deleted is missed and not forgotten.
type Declaration struct {
	System   string    `json:"system"`
	Journeys []Journey `json:"journeys"`
	Cells    []Cell    `json:"cells,omitempty"`
	// Required is what the gate's policy demanded, expanded to cells.
	Required []Requirement `json:"required,omitempty"`
	// Experiments are all that there were, also those that claim no cell.
	Experiments []Defined   `json:"experiments,omitempty"`
	Conditions  []Condition `json:"conditions,omitempty"` // of the policy
	// Contracts are all that the project names: each is to be compared.
	Contracts []Contract `json:"contracts,omitempty"`
	// WaiversMax is how far ahead the policy lets waivers expire; 0 where it does not say.
	WaiversMax time.Duration `json:"waivers_max,omitempty"`
}

// A Contract is one that a project names, and who answers for it.
type Contract struct {
	Name  string `json:"name"`
	Owner string `json:"owner,omitempty"`
}

// Defined is an experiment and the digest of what defines it: itself, the journeys that it drives and the final steps.
type Defined struct {
	Name       string `json:"name"`
	Definition string `json:"definition"`
}

// A Condition is one of a policy, as it is written.
type Condition struct {
	Name   string `json:"name"`
	Expect string `json:"expect"`
}

// A Requirement is a cell that a policy demands, and how strict it is about the evidence.
type Requirement struct {
	Journey string        `json:"journey"`
	Mode    string        `json:"mode"`
	Same    string        `json:"same,omitempty"`    // "digests", "commit" or "ancestor"; "" for any
	MaxAge  time.Duration `json:"max_age,omitempty"` // 0 for any
	Grade   string        `json:"grade,omitempty"`   // at least; "" for any
}

// A Journey is a row of the matrix.
type Journey struct {
	Name  string `json:"name"`
	Owner string `json:"owner,omitempty"`
}

// A Cell is one failure mode of one journey, and the experiment that is to prove it.
type Cell struct {
	Journey    string `json:"journey"`
	Mode       string `json:"mode"`
	Experiment string `json:"experiment,omitempty"`
}

// End is end.json, written last: a run without it was cut short.
type End struct {
	Ended       time.Time         `json:"ended"`
	Verdict     verdict.Verdict   `json:"verdict"`
	Reason      string            `json:"reason,omitempty"`
	Exit        int               `json:"exit"`                  // the command's exit code
	Interrupted bool              `json:"interrupted,omitempty"` // a signal ended the run; its records are partial
	Files       map[string]string `json:"files"`                 // path below the run: digest; set by Seal
}

// ExperimentResult is judged-N.json: what was concluded from
// the records of one experiment.
type ExperimentResult struct {
	Name     string            `json:"name"`
	Title    string            `json:"title,omitempty"`
	Owner    string            `json:"owner,omitempty"`
	Layer    string            `json:"layer,omitempty"` // one of Layers; "" is DefaultLayer
	Verdict  verdict.Verdict   `json:"verdict"`
	Reason   string            `json:"reason"` // one sentence
	Checks   []Checked         `json:"checks,omitempty"`
	Modes    map[string][]Mode `json:"modes,omitempty"` // by journey
	Effects  []Effect          `json:"effects,omitempty"`
	Recovery *Recovery         `json:"recovery,omitempty"` // nil where nothing was injected
	Phases   []Phase           `json:"phases,omitempty"`
	Problems []string          `json:"problems,omitempty"` // what kept the verdict from being a pass, besides the checks
	// CannotFail are expectations, as "PHASE: EXPRESSION", that held in every control. They prove nothing, so with one the verdict is no pass.
	CannotFail []string `json:"cannot_fail,omitempty"`
	// Definition is the digest of what defined the experiment when it ran, as in Defined; "" for other tools' results.
	Definition string `json:"definition,omitempty"`
	// WaivedUntil is set where breaks of a contract are all that keeps it from a pass, and each of them is waived: the first waiver ends then.
	WaivedUntil time.Time `json:"waived_until,omitzero"`
	Replay      string    `json:"replay,omitempty"` // the command that runs it again
	// Seeds are those of a simulated test, nil of others.
	Seeds *Seeds `json:"seeds,omitempty"`
	// Inputs are the digests of the record files that were judged, by name, so that a judgement belongs to its records.
	// AddJudgement sets it, and Run, Judged and Sum.
	Inputs  map[string]string `json:"inputs,omitempty"`
	Run     string            `json:"run,omitempty"`
	Judged  time.Time         `json:"judged,omitzero"`
	Version string            `json:"version,omitempty"` // of the assay that judged
	// Sum is the digest of the file with nothing between the quotes of this field: a judgement
	// that is added after the seal is not under it.
	Sum string `json:"sum,omitempty"`
}

// Seeds are those that a simulated test had, all from the first to the last.
type Seeds struct {
	First  uint64  `json:"first"`
	Last   uint64  `json:"last"`
	Mode   string  `json:"mode,omitempty"`   // that all of them had, "" for each its own
	Failed *uint64 `json:"failed,omitempty"` // one that failed, and failed again
}

// Tried says whether a seed that failed is among them, by the mode that it failed in.
func (s *Seeds) Tried(failed *Seeds) bool {
	return s != nil && failed != nil && failed.Failed != nil && s.Mode == failed.Mode && s.First <= *failed.Failed && *failed.Failed <= s.Last
}

// Checked is one check's result and the phase it was asked in.
type Checked struct {
	Phase string `json:"phase"` // "steady before", "during", "steady after", "expect", "rollback", "driver", "effect"
	check.Result
}

// A Mode is a failure mode of a journey, and whether the records prove that it was met.
type Mode struct {
	Name   string `json:"name"`
	Proved bool   `json:"proved"`
	Text   string `json:"text"` // what was seen, or what was missing
}

// An Effect is what was observed of one fault on one target.
type Effect struct {
	Fault    string `json:"fault"` // in its text form
	Target   string `json:"target"`
	Observed bool   `json:"observed"`
	Text     string `json:"text"`
}

// Recovery is how long the journeys took to be well again.
type Recovery struct {
	Recovered  bool          `json:"recovered"`
	FromInject time.Duration `json:"from_inject"`
	FromHeal   time.Duration `json:"from_heal"`
	Text       string        `json:"text,omitempty"`
}

// A Phase is a stretch of an experiment on the run's time axis.
type Phase struct {
	Name string        `json:"name"`
	From time.Duration `json:"from"`
	To   time.Duration `json:"to"`
}
