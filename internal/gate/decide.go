package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/matrix"
	"github.com/assay-dev/assay/verdict"
)

// Facts are all that decides.
type Facts struct {
	Matrix      matrix.Matrix
	Policy      Policy
	Declaration evidence.Declaration
	Base        *evidence.Declaration // nil: nobody compared
	BaseName    string                // what was compared with, or why nothing was
	BaseCommits []string              // of the base; none where nobody compared
	BaseErr     string                // what kept the base from being read: nothing was shown to be kept
	Candidate   Candidate
	// Ancestors are the commits among the evidence's that the candidate's descends from.
	Ancestors map[string]bool
	Newest    *evidence.Card               // the newest whole run of the system, nil for none
	Command   func(words ...string) string // a command to paste; words follow the program's name
	Path      string                       // of the project, for commands
}

// A Candidate is what is to be released.
type Candidate struct {
	Digests map[string]string `json:"digests,omitempty"` // by service
	Commit  string            `json:"commit,omitempty"`
	Dirty   bool              `json:"dirty,omitempty"`   // the tree has changes beside the commit
	Changes string            `json:"changes,omitempty"` // digest of what tracked files have beside the commit
	From    string            `json:"from"`              // who says so: "flags", "run ID"
	Problem string            `json:"problem,omitempty"`
}

// A Decision is what the gate says, and why.
type Decision struct {
	Verdict   verdict.Verdict `json:"verdict"`
	Reason    string          `json:"reason"` // one sentence
	System    string          `json:"system"`
	At        time.Time       `json:"at"`
	Policy    PolicyRef       `json:"policy"`
	Candidate Candidate       `json:"candidate"`
	Base      string          `json:"base"`
	Clauses   []Clause        `json:"clauses"`
	Waivers   []WaiverUse     `json:"waivers,omitempty"`
	Flip      Flip            `json:"flip"`
}

// A PolicyRef names the policy that was applied.
type PolicyRef struct {
	File   string `json:"file,omitempty"`
	Digest string `json:"digest,omitempty"`
	Folder string `json:"folder,omitempty"` // that File is in, as the user wrote it
	Name   string `json:"name"`             // "gate.yaml" or "the default policy"
}

// Kinds of clauses.
const (
	KindCell      = "cell"      // a required cell
	KindCondition = "condition" // a condition of the policy
	KindContract  = "contract"  // a contract of the project breaks nobody
	KindBase      = "base"      // what the base branch asks for is still asked for
	KindWhole     = "evidence"  // no evidence was forged, cut or is unreadable
	KindCandidate = "candidate" // it is known what is to be released
)

// A Clause is one thing that a release needs.
type Clause struct {
	Name      string          `json:"name"`
	Kind      string          `json:"kind"`
	Journey   string          `json:"journey,omitempty"`
	Mode      string          `json:"mode,omitempty"`
	Condition string          `json:"condition,omitempty"`
	Contract  string          `json:"contract,omitempty"`
	Verdict   verdict.Verdict `json:"verdict"` // without its waiver
	Reason    string          `json:"reason"`
	Owner     string          `json:"owner,omitempty"`
	Waived    bool            `json:"waived,omitempty"`
	Evidence  []Citation      `json:"evidence,omitempty"`
	Pos       string          `json:"pos,omitempty"` // in the policy
	// Ways are the alternatives to make it pass, each a set of changes that all are needed. None where nobody can tell.
	Ways [][]Change `json:"ways,omitempty"`
}

// A Citation is a piece of evidence that a clause rests on.
type Citation struct {
	Run        string          `json:"run"`
	Experiment string          `json:"experiment"`
	Verdict    verdict.Verdict `json:"verdict"`
	At         time.Time       `json:"at"`
	Age        matrix.Age      `json:"age"`
	Owner      string          `json:"owner,omitempty"`
	Layer      string          `json:"layer,omitempty"`
	Grade      string          `json:"grade,omitempty"`
	Sum        string          `json:"sum"` // of the judgement
	Problem    string          `json:"problem,omitempty"`
}

// passes says whether the clause lets a release through, by itself or by a waiver.
func (c Clause) passes() bool { return c.Verdict == verdict.Pass || c.Waived }

// Decide applies the policy. It never fails: what cannot be told is unknown.
func Decide(ctx context.Context, f Facts) Decision {
	d := Decision{System: f.Declaration.System, At: f.Matrix.At, Candidate: f.Candidate, Base: f.BaseName,
		Policy: PolicyRef{File: f.Policy.File, Digest: f.Policy.Digest, Name: f.Policy.File, Folder: f.Path}}
	if f.Policy.File == "" {
		d.Policy.Name = "the default policy"
	}
	d.Clauses = slices.Concat(f.whole(), f.candidate(), f.base(), f.cells(), f.contracts(), f.conditions(ctx))
	d.waive(f)
	d.conclude()
	d.Flip = flip(d.Clauses, f)
	return d
}

func (d *Decision) conclude() {
	counts := map[verdict.Verdict]int{}
	var verdicts []verdict.Verdict
	waived, cells := 0, 0
	var first *Clause
	for i, c := range d.Clauses {
		v := c.Verdict
		if c.Kind == KindCell {
			cells++
		}
		if c.Waived {
			waived++
			v = verdict.Pass
		}
		counts[v]++
		verdicts = append(verdicts, v)
		if v != verdict.Pass && (first == nil || v == verdict.Fail && first.Verdict != verdict.Fail) {
			first = &d.Clauses[i]
		}
	}
	if cells == 0 { // a policy that asks for nothing shows nothing
		verdicts = append(verdicts, verdict.Unknown)
		d.Reason = "the policy requires no cell"
	}
	d.Verdict = verdict.Merge(verdicts...)
	switch {
	case first != nil:
		d.Reason = fmt.Sprintf("%s: %s", first.Name, first.Reason)
	case d.Verdict == verdict.Pass:
		d.Reason = fmt.Sprintf("%d of %d clauses hold", len(d.Clauses)-waived, len(d.Clauses))
		if waived > 0 {
			d.Reason += fmt.Sprintf(", %d waived", waived)
		}
	}
}

// candidate says whether it is known what is to be released.
func (f Facts) candidate() []Clause {
	c := Clause{Name: "candidate", Kind: KindCandidate, Verdict: verdict.Pass, Reason: "as " + f.Candidate.From + " says"}
	if f.Candidate.Problem != "" {
		c.Verdict, c.Reason = verdict.Unknown, f.Candidate.Problem
		c.Ways = [][]Change{{f.rerunAll()}, {f.name()}}
	}
	return []Clause{c}
}

// whole says whether all evidence in the store can be trusted.
func (f Facts) whole() []Clause {
	c := Clause{Name: "evidence is whole", Kind: KindWhole, Verdict: verdict.Pass, Reason: fmt.Sprintf("%d runs verify", f.Matrix.Runs)}
	if len(f.Matrix.Refused) == 0 {
		return []Clause{c}
	}
	var reasons []string
	var changes []Change
	for _, r := range f.Matrix.Refused {
		reasons = append(reasons, r.Reason)
		changes = append(changes, f.remove(r.Run))
	}
	c.Verdict, c.Reason, c.Ways = verdict.Unknown, strings.Join(reasons, "; "), [][]Change{changes}
	return []Clause{c}
}
