package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/verdict"
)

// MaxAhead is how far the clock of whoever left evidence may be ahead of the reader's.
const MaxAhead = 5 * time.Minute

// A Card is what a run proves, without its records: all that a matrix or a gate reads.
type Card struct {
	Summary
	System   string       `json:"system,omitempty"` // of the declaration
	Subjects []Subject    `json:"subjects,omitempty"`
	Results  []CardResult `json:"results,omitempty"`
	// Refused says why nothing of this run counts: it was changed, cannot be read, or is of a newer version. "" where it counts.
	Refused string `json:"refused,omitempty"`
	claimed string // the id in run.json
}

// A CardResult is the newest judgement of one experiment, without its checks.
type CardResult struct {
	Name       string            `json:"name"`
	Owner      string            `json:"owner,omitempty"`
	Layer      string            `json:"layer"`
	Verdict    verdict.Verdict   `json:"verdict"`
	Reason     string            `json:"reason"`
	Modes      map[string][]Mode `json:"modes,omitempty"`
	Recovery   *Recovery         `json:"recovery,omitempty"`
	CannotFail int               `json:"cannot_fail,omitempty"` // how many expectations cannot
	Checks     int               `json:"checks"`                // how many there were
	Replay     string            `json:"replay,omitempty"`
	Seeds      *Seeds            `json:"seeds,omitempty"` // of a simulated test
	Judged     time.Time         `json:"judged"`
	Sum        string            `json:"sum"` // of the judgement
	Definition string            `json:"definition,omitempty"`
	// WaivedUntil is of a contract, as in ExperimentResult.
	WaivedUntil time.Time `json:"waived_until,omitzero"`
	// Later says that it was judged after the run was sealed: only judging the records once more tells whether it is true.
	Later bool `json:"later,omitempty"`
	// Derived names the program that judged the records once more here and concluded the same. "" where none did.
	Derived string `json:"derived,omitempty"`
}

// Card reads a run and verifies it in full: every file against the seal, every judgement against its records.
// It returns a card whatever it finds; what is wrong is in Refused.
func (r *Run) Card() Card {
	card := Card{Summary: r.Summary()}
	if meta, err := r.Meta(); err == nil {
		card.claimed = meta.ID
	}
	if card.Status == Corrupt {
		card.Refused = card.Reason
		return card
	}
	files, kept, err := r.read(func(*os.File) error { return nil }, carded)
	if err != nil {
		card.Refused = fmt.Sprintf("evidence: run %s: %v", r.ID(), err)
		return card
	}
	var errs [6]error
	var sealed map[string]string
	if card.Status == Complete {
		var end End
		if end, errs[1] = r.End(); errs[1] == nil {
			sealed, errs[1] = end.Files, r.compare(end.Files, files)
		}
	}
	text := func(name string) ([]byte, error) {
		if content, ok := kept[name]; ok {
			return content, nil
		}
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	card.System, errs[2] = systemIn(text)
	errs[0] = card.readable()
	errs[3] = subjectsIn(text, &card.Subjects)
	errs[4] = r.cardResults(&card, sealed, files, text)
	errs[5] = card.agrees()
	for i, err := range errs {
		early := card.endedEarly() && errors.Is(err, fs.ErrNotExist) // it may lack what comes late
		if err != nil && !(early && i >= 2) {
			card.Refused = err.Error()
			if i >= 2 && i <= 3 {
				card.Refused = fmt.Sprintf("evidence: run %s: %v", r.ID(), err)
			}
			card.Results = nil
			break
		}
	}
	return card
}

// Verdict returns what the run came to as a whole: what its end says, and no better than its experiments, those that were planned and left no judgement too.
func (c Card) Verdict() verdict.Verdict {
	if c.End == nil {
		return verdict.Unknown
	}
	all := []verdict.Verdict{c.End.Verdict}
	for _, r := range c.Results {
		all = append(all, r.Verdict)
	}
	for _, name := range c.Meta.Experiments {
		if !slices.ContainsFunc(c.Results, func(r CardResult) bool { return r.Name == name }) {
			all = append(all, verdict.Unknown)
		}
	}
	return verdict.Merge(all...)
}

// agrees says whether the end is one that the run's experiments can have come to.
func (c Card) agrees() error {
	if c.End == nil || c.End.Verdict != verdict.Pass {
		return nil
	}
	for _, r := range c.Results {
		if !r.Later && r.Verdict != verdict.Pass {
			return fmt.Errorf("evidence: run %s says that it passed, and its experiment %s came to %s", c.ID, r.Name, r.Verdict)
		}
	}
	return nil
}

// endedEarly says whether the run was cut short, interrupted, or broke.
func (c Card) endedEarly() bool {
	return c.Status != Complete || c.End != nil && (c.End.Interrupted || c.End.Reason != "")
}

// carded names the files that a card is made of.
func carded(name string) bool {
	return name == "declaration.json" || name == "subjects.json" || isJudgement(name)
}

// systemIn reads the system's name, and no more of a declaration that may be long.
func systemIn(text func(string) ([]byte, error)) (string, error) {
	content, err := text("declaration.json")
	if err != nil {
		return "", err
	}
	for in := json.NewDecoder(bytes.NewReader(content)); ; {
		token, err := in.Token()
		if err != nil {
			return "", fmt.Errorf("declaration.json cannot be read: %w", err)
		}
		if token != "system" {
			continue
		}
		var system string
		if err := in.Decode(&system); err != nil {
			return "", fmt.Errorf("declaration.json cannot be read: %w", err)
		}
		return system, nil
	}
}

func subjectsIn(text func(string) ([]byte, error), into *[]Subject) error {
	content, err := text("subjects.json")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(content, into); err != nil {
		return fmt.Errorf("subjects.json cannot be read: %w", err)
	}
	seen := map[string]bool{}
	for _, s := range *into {
		if seen[s.Service] || s.SHA256 != "" && !strings.HasPrefix(s.SHA256, "sha256:") {
			return fmt.Errorf("subjects.json has %s twice, or with the digest %q", s.Service, s.SHA256)
		}
		seen[s.Service] = true
	}
	return nil
}

// readable says whether this version understands the run, and whether it is what its folder says.
func (c Card) readable() error {
	meta := c.Meta
	switch {
	case c.claimed != "" && c.claimed != c.ID: // one that died early may say nothing yet
		return fmt.Errorf("evidence: run %s says that it is run %s", c.ID, c.claimed)
	case meta.Format > Format:
		return fmt.Errorf("evidence: run %s is of format %d, and this assay reads up to %d: use a newer one", c.ID, meta.Format, Format)
	case !slices.Contains([]string{KindRun, KindForeign, KindContract, KindSim}, meta.Kind):
		return fmt.Errorf("evidence: run %s is of a kind that this assay does not know, %q", c.ID, meta.Kind)
	case meta.Kind == KindRun && c.End != nil && c.System == "" && c.End.Reason == "" && !c.End.Interrupted:
		return fmt.Errorf("evidence: run %s names no system", c.ID)
	case meta.Kind == KindForeign && meta.Grade != GradeClaimed:
		return fmt.Errorf("evidence: run %s is of another tool, and says its grade is %q", c.ID, meta.Grade)
	case meta.Grade != "" && !slices.Contains(Grades(), meta.Grade):
		return fmt.Errorf("evidence: run %s has a grade that this assay does not know, %q", c.ID, meta.Grade)
	case c.End != nil && c.End.Ended.Before(meta.Started):
		return fmt.Errorf("evidence: run %s ended at %v, before it started at %v", c.ID, c.End.Ended, meta.Started)
	}
	return nil
}

func (r *Run) cardResults(card *Card, sealed, files map[string]string, text func(string) ([]byte, error)) error {
	names, err := r.Experiments()
	if err != nil {
		return err
	}
	numbers := map[string][]int{}
	for name := range files {
		if isJudgement(name) {
			parts := strings.Split(name, "/")
			numbers[parts[1]] = append(numbers[parts[1]], judgementNumber(parts[2]))
		}
	}
	for _, name := range names {
		slices.Sort(numbers[name])
		results, err := r.judgements(name, numbers[name], text)
		if errors.Is(err, fs.ErrNotExist) && card.endedEarly() {
			continue
		}
		var result ExperimentResult
		if err == nil {
			result = results[len(results)-1]
			err = belongs(result, name, sealed)
		}
		if err != nil {
			return err
		}
		if result.Name == name { // controls are stored under other names, and prove nothing by themselves
			one := cardResult(result)
			one.Later = sealed != nil && !underSeal(sealed, files, name, result.Sum, text)
			card.Results = append(card.Results, one)
		}
	}
	return nil
}

// underSeal says whether a judgement is one of those that the seal is over.
func underSeal(sealed, files map[string]string, experiment, sum string, text func(string) ([]byte, error)) bool {
	for name := range files {
		if _, ok := sealed[name]; !ok || !isJudgement(name) || strings.Split(name, "/")[1] != experiment {
			continue
		}
		if content, err := text(name); err == nil && bytes.Contains(content, []byte(`"sum": "`+sum+`"`)) {
			return true
		}
	}
	return false
}

// belongs says whether a judgement is of the records that lie beside it, and can be what a judge concluded.
func belongs(r ExperimentResult, experiment string, sealed map[string]string) error {
	for name, digest := range r.Inputs {
		if sealed != nil && sealed["x/"+experiment+"/"+name] != digest {
			return fmt.Errorf("evidence: the judgement of %s is of other records than %s", experiment, name)
		}
	}
	for _, name := range recordFiles() {
		_, stored := sealed["x/"+experiment+"/"+name]
		if _, judged := r.Inputs[name]; stored && !judged {
			return fmt.Errorf("evidence: the judgement of %s left out %s", experiment, name)
		}
	}
	for _, name := range []string{"ops.jsonl", "events.jsonl"} {
		if _, judged := r.Inputs[name]; !judged && r.Definition != "" {
			return fmt.Errorf("evidence: the judgement of %s is of no %s", experiment, name)
		}
	}
	return r.consistent()
}

// consistent refuses a result that no judge can have concluded: its verdict must follow from its checks.
func (r ExperimentResult) consistent() error {
	for journey, modes := range r.Modes {
		for i, m := range modes {
			if slices.ContainsFunc(modes[:i], func(other Mode) bool { return other.Name == m.Name }) {
				return fmt.Errorf("evidence: %s speaks twice of %s: %s", r.Name, journey, m.Name)
			}
		}
	}
	if r.Verdict != verdict.Pass {
		return nil
	}
	var parts []verdict.Verdict
	for _, c := range r.Checks {
		parts = append(parts, c.Verdict)
		if c.Verdict == verdict.Pass && !number(c.Measured) {
			return fmt.Errorf("evidence: %s passes with the check %s, which measured %q", r.Name, c.Check, c.Measured)
		}
	}
	if len(parts) == 0 {
		return fmt.Errorf("evidence: %s passes without a check", r.Name)
	}
	if v := verdict.Merge(parts...); v != verdict.Pass {
		return fmt.Errorf("evidence: %s passes, and its checks are together %s", r.Name, v)
	}
	if len(r.Problems)+len(r.CannotFail) > 0 {
		return fmt.Errorf("evidence: %s passes in spite of %q", r.Name, slices.Concat(r.Problems, r.CannotFail))
	}
	return nil
}

// number refuses measured values that are no number. Most are text with a unit.
func number(measured string) bool {
	measured = strings.ToLower(measured)
	return !strings.Contains(measured, "nan") && !strings.HasPrefix(strings.TrimLeft(measured, "+-"), "inf")
}

func cardResult(r ExperimentResult) CardResult {
	c := CardResult{Name: r.Name, Owner: r.Owner, Layer: r.Layer, Verdict: r.Verdict, Reason: r.Reason, Modes: r.Modes, Recovery: r.Recovery,
		CannotFail: len(r.CannotFail), Checks: len(r.Checks), Replay: r.Replay, Seeds: r.Seeds, Judged: r.Judged, Sum: r.Sum, Definition: r.Definition, WaivedUntil: r.WaivedUntil}
	if c.Layer == "" {
		c.Layer = DefaultLayer
	}
	return c
}

// AsOf returns the card as it counts at a moment: evidence of a clock that is ahead of it is refused,
// since nobody can tell how old it is.
func (c Card) AsOf(now time.Time) Card {
	latest := c.Meta.Started
	if c.End != nil && c.End.Ended.After(latest) {
		latest = c.End.Ended
	}
	for _, r := range c.Results {
		if r.Judged.After(latest) {
			latest = r.Judged
		}
	}
	if ahead := latest.Sub(now); ahead > MaxAhead && c.Refused == "" {
		c.Refused = fmt.Sprintf("evidence: run %s has a clock that is %v ahead of this one: its age cannot be told", c.ID, ahead.Round(time.Second))
		c.Results = nil
	}
	return c
}
