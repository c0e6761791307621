package release

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/assay-dev/assay/evidence"
	"github.com/assay-dev/assay/internal/gate"
	"github.com/assay-dev/assay/verdict"
)

// A change spoils a copy of a run. errSame says that there was nothing to spoil.
type change func(*evidence.Run) error

var errSame = errors.New("it would be the same")

// evidence spoils every run that the decision rests on: its files as they lie, and what it says, sealed again.
func (m *mutator) evidence() error {
	for _, id := range slices.Sorted(maps.Keys(m.cited)) {
		m.judgeCards("drop", OnFile, "run "+id, slices.DeleteFunc(slices.Clone(m.whole), func(c evidence.Card) bool { return c.ID == id }))
		if err := m.files(id); err != nil {
			return err
		}
		if err := m.runs(id); err != nil {
			return err
		}
		for _, x := range m.cited[id] {
			if err := m.results(id, x); err != nil {
				return err
			}
		}
	}
	return nil
}

// cites returns the experiments that a decision rests on, by run.
func cites(d gate.Decision) map[string][]string {
	cited := map[string][]string{}
	for _, c := range d.Clauses {
		if c.Kind == gate.KindContract {
			continue // spoiled by itself: there are no records to judge again
		}
		for _, e := range c.Evidence {
			if e.Run != "" && !c.Waived && !slices.Contains(cited[e.Run], e.Experiment) {
				cited[e.Run] = append(cited[e.Run], e.Experiment)
			}
		}
	}
	return cited
}

// files spoils each file of a run, and leaves the seal as it is.
func (m *mutator) files(id string) error {
	original, err := m.store.Open(id)
	if err != nil {
		return err
	}
	return filepath.WalkDir(original.Dir(), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(original.Dir(), path)
		if err != nil {
			return err
		}
		for _, c := range []struct {
			kind  string
			spoil func([]byte) []byte
		}{
			{"drop", nil}, {"empty", func([]byte) []byte { return nil }}, {"truncate", func(b []byte) []byte { return b[:len(b)/2] }},
			{"duplicate", func(b []byte) []byte { return slices.Concat(b, b) }}, {"NaN", replaceNumber},
		} {
			if err := m.try(c.kind, OnFile, id, name, nil, func(r *evidence.Run) error { return rewrite(filepath.Join(r.Dir(), name), c.spoil) }); err != nil {
				return err
			}
		}
		return nil
	})
}

// replaceNumber puts NaN in the place of the first number of a JSON text.
func replaceNumber(text []byte) []byte {
	at := bytes.Index(text, []byte(": "))
	for i := at + 2; at >= 0 && i < len(text); i++ {
		if text[i] >= '0' && text[i] <= '9' && (text[i-1] == ' ' || text[i-1] == ':') {
			return slices.Concat(text[:i], []byte("NaN"), text[i+1:])
		}
	}
	return text
}

// rewrite replaces a file by what spoil makes of it, nil for removing it. The file may be linked to the original, so it is not written to.
func rewrite(path string, spoil func([]byte) []byte) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if spoil == nil {
		return os.Remove(path)
	}
	changed := spoil(content)
	if bytes.Equal(changed, content) {
		return errSame
	}
	return errors.Join(os.Remove(path), os.WriteFile(path, changed, 0o644))
}

// runs spoils what a run says of itself.
func (m *mutator) runs(id string) error {
	shift := func(by time.Duration) change {
		return resealed(func(r *evidence.Run, end *evidence.End) error {
			end.Ended = end.Ended.Add(by)
			return rewriteJSON(r, "run.json", func(meta *evidence.Meta) { meta.Started = meta.Started.Add(by) })
		})
	}
	subjects := func(spoil func(*[]evidence.Subject)) change {
		return resealed(func(r *evidence.Run, _ *evidence.End) error { return rewriteJSON(r, "subjects.json", spoil) })
	}
	for _, c := range []struct {
		kind, target string
		do           change
	}{
		{"stale", "by a hundred years", shift(-100 * 365 * 24 * time.Hour)},
		{"stale", "by a clock that is a day ahead", shift(time.Since(m.facts.Matrix.At) + 48*time.Hour)},
		{"swap digest", "of its subjects", subjects(func(s *[]evidence.Subject) {
			if len(*s) > 0 {
				(*s)[0].SHA256 = "sha256:" + strings.Repeat("0", 64)
			}
		})},
		{"empty", "its subjects", subjects(func(s *[]evidence.Subject) { *s = nil })},
		{"empty", "its declaration", resealed(func(r *evidence.Run, _ *evidence.End) error {
			return rewriteJSON(r, "declaration.json", func(d *evidence.Declaration) { *d = evidence.Declaration{System: "another"} })
		})},
		{"truncate", "before its seal", func(r *evidence.Run) error { return os.Remove(filepath.Join(r.Dir(), "end.json")) }},
	} {
		if m.simulated(id) && strings.HasSuffix(c.target, "subjects") {
			continue // it has none
		}
		if err := m.try(c.kind, OnContent, id, c.target, nil, c.do); err != nil {
			return err
		}
	}
	original, err := m.store.Open(id)
	if err != nil {
		return err
	}
	twice := filepath.Join(m.dir, "twice", "runs", id+"-again")
	if err := link(original.Dir(), twice); err != nil {
		return err
	}
	copied, err := reopen(filepath.Join(m.dir, "twice"), id+"-again")
	if err != nil {
		return err
	}
	m.judgeCards("duplicate", OnFile, "run "+id, append([]evidence.Card{copied.Card()}, m.whole...))
	return nil
}

// spoiled is one way to spoil a result.
type spoiled struct {
	kind, target string
	do           change
}

// simulated says whether a run is of simulated tests.
func (m *mutator) simulated(id string) bool {
	return slices.ContainsFunc(m.whole, func(c evidence.Card) bool { return c.ID == id && c.Meta.Kind == evidence.KindSim })
}

// results spoils what one experiment of a run came to.
func (m *mutator) results(id, x string) error {
	judged := func(spoil func(*evidence.ExperimentResult)) change {
		return resealed(func(r *evidence.Run, _ *evidence.End) error { return rejudge(r, x, spoil) })
	}
	records := func(spoil func([]byte) []byte) change {
		return resealed(func(r *evidence.Run, _ *evidence.End) error {
			return rewrite(filepath.Join(r.Dir(), "x", x, "ops.jsonl"), spoil)
		})
	}
	forged := func(name, old, new string) change { // the result is signed again, over other records
		return resealed(func(r *evidence.Run, _ *evidence.End) error {
			return errors.Join(rewrite(filepath.Join(r.Dir(), "x", x, name), func(b []byte) []byte { return bytes.ReplaceAll(b, []byte(old), []byte(new)) }),
				rejudge(r, x, func(*evidence.ExperimentResult) {}))
		})
	}
	changes := []spoiled{
		{"drop", "its folder", resealed(func(r *evidence.Run, _ *evidence.End) error { return os.RemoveAll(filepath.Join(r.Dir(), "x", x)) })},
		{"empty", "its result", judged(func(r *evidence.ExperimentResult) { *r = evidence.ExperimentResult{Name: x} })},
		{"empty", "its checks", judged(func(r *evidence.ExperimentResult) { r.Checks = nil })},
		{"empty", "its modes", judged(func(r *evidence.ExperimentResult) { r.Modes = nil })},
		{"skip", "its verdict", judged(func(r *evidence.ExperimentResult) { r.Verdict, r.Reason = verdict.Unknown, "skipped" })},
		{"skip", "one check", judged(func(r *evidence.ExperimentResult) { r.Checks[0].Verdict = verdict.Unknown })},
		{"NaN", "measured", judged(func(r *evidence.ExperimentResult) { r.Checks[len(r.Checks)-1].Measured = "NaN" })},
	}
	recorded := []spoiled{
		{"drop", "one check", judged(func(r *evidence.ExperimentResult) { r.Checks = r.Checks[1:] })},
		{"drop", "what was observed, and the result stays", forged("events.jsonl", `"kind":"effect"`, `"kind":"note"`)},
		{"skip", "that operations failed, and the result stays", forged("ops.jsonl", `"outcome":"ok"`, `"outcome":"failed"`)},
		{"empty", "what was asked of it, in the plan", resealed(func(r *evidence.Run, _ *evidence.End) error { return lenient(r, x) })},
		{"duplicate", "that it passes, judged after the seal over records that failed", m.overruled(x)},
		{"truncate", "its records", records(func(b []byte) []byte { return b[:len(b)/2] })},
		{"duplicate", "its records", records(func(b []byte) []byte { return slices.Concat(b, b) })},
		{"drop", "its records", records(nil)},
	}
	if !m.simulated(id) { // which has no records, and is judged by none
		changes = append(changes, recorded...)
	}
	for _, c := range changes {
		if err := m.try(c.kind, OnContent, id, x+": "+c.target, []string{x}, c.do); err != nil {
			return err
		}
	}
	m.imported(id, x)
	for _, r := range m.facts.Declaration.Required {
		err := m.try("skip", OnContent, id, x+": the proof of "+r.Journey+": "+r.Mode, []string{x}, resealed(func(run *evidence.Run, _ *evidence.End) error {
			same := true
			return errors.Join(rejudge(run, x, func(result *evidence.ExperimentResult) { same = !unprove(result, r) }), sameIf(same))
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

// lenient takes from the plan what an experiment expects.
func lenient(r *evidence.Run, x string) error {
	return rewriteJSON(r, "plan.json", func(plan *map[string]any) {
		planned, _ := (*plan)["experiments"].([]any)
		for _, one := range planned {
			if one, ok := one.(map[string]any); ok && one["name"] == x {
				delete(one, "during")
				delete(one, "expect")
				delete(one, "steady")
			}
		}
	})
}

// overruled makes an experiment fail, seals that, and adds the judgement that there was.
func (m *mutator) overruled(x string) change {
	return func(r *evidence.Run) error {
		whole, err := r.Result(x)
		if err != nil {
			return err
		}
		err = resealed(func(r *evidence.Run, _ *evidence.End) error {
			return errors.Join(rewrite(filepath.Join(r.Dir(), "x", x, "ops.jsonl"), func(b []byte) []byte {
				return bytes.ReplaceAll(b, []byte(`"outcome":"ok"`), []byte(`"outcome":"failed"`))
			}), rejudge(r, x, func(result *evidence.ExperimentResult) { result.Verdict = verdict.Fail }))
		})(r)
		whole.Judged = whole.Judged.Add(time.Second)
		return errors.Join(err, r.AddJudgement(x, whole))
	}
}

// imported takes an experiment's result away, and lets another tool say the same under its name.
func (m *mutator) imported(id, x string) {
	cards := slices.Clone(m.whole)
	i := slices.IndexFunc(cards, func(c evidence.Card) bool { return c.ID == id })
	own := slices.IndexFunc(cards[i].Results, func(r evidence.CardResult) bool { return r.Name == x })
	foreign := cards[i]
	foreign.ID, foreign.Meta.ID, foreign.Meta.Kind, foreign.Meta.Grade, foreign.Meta.Experiments = id+"-import", id+"-import", evidence.KindForeign, evidence.GradeClaimed, nil
	foreign.Results = []evidence.CardResult{cards[i].Results[own]}
	cards[i].Results = slices.Delete(slices.Clone(cards[i].Results), own, own+1)
	m.judgeCards("swap", OnContent, "run "+id+": "+x+": its result for an import of that name", append([]evidence.Card{foreign}, cards...))
}

func sameIf(same bool) error {
	if same {
		return errSame
	}
	return nil
}

// unprove takes one proof back, and says whether there was one.
func unprove(result *evidence.ExperimentResult, r evidence.Requirement) bool {
	for i, mode := range result.Modes[r.Journey] {
		if mode.Name == r.Mode && mode.Proved {
			result.Modes[r.Journey][i].Proved = false
			return true
		}
	}
	return false
}

// try spoils a fresh copy of a run and decides on it. The doubted experiments are judged again from their records, as they would be for a decision;
// the others' are as they were.
func (m *mutator) try(kind, on, id, target string, doubted []string, do change) error {
	original, err := m.store.Open(id)
	if err != nil {
		return err
	}
	dir := filepath.Join(m.dir, "one")
	defer os.RemoveAll(dir)
	if err := link(original.Dir(), filepath.Join(dir, "runs", id)); err != nil {
		return err
	}
	copied, err := reopen(dir, id)
	if err != nil {
		return err
	}
	switch err := do(copied); {
	case errors.Is(err, errSame):
		return nil
	case err != nil:
		return fmt.Errorf("%s %s of run %s: %w", kind, target, id, err)
	}
	card := copied.Card()
	if card.Refused == "" {
		card = derive(m.ctx, copied, nil, card, doubted, "")
	}
	cards := slices.Clone(m.whole)
	cards[slices.IndexFunc(cards, func(c evidence.Card) bool { return c.ID == id })] = card
	m.judgeCards(kind, on, "run "+id+": "+target, cards)
	return nil
}

func reopen(dir, id string) (*evidence.Run, error) {
	store, err := evidence.OpenStore(dir)
	if err != nil {
		return nil, err
	}
	return store.Open(id)
}

// link makes a copy of a folder that shares its files, or has copies of them where file systems differ.
func link(from, to string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o755)
		}
		if err := os.Link(path, filepath.Join(to, rel)); err == nil {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), content, 0o644)
	})
}

// resealed changes a run, and seals it again as if it had always been so.
func resealed(do func(*evidence.Run, *evidence.End) error) change {
	return func(r *evidence.Run) error {
		end, err := r.End()
		if err == nil {
			err = os.Remove(filepath.Join(r.Dir(), "end.json"))
		}
		if err == nil {
			err = do(r, &end)
		}
		if err != nil {
			return err
		}
		return r.Seal(end)
	}
}

func rewriteJSON[T any](r *evidence.Run, name string, spoil func(*T)) error {
	return rewrite(filepath.Join(r.Dir(), name), func(content []byte) []byte {
		var v T
		if err := json.Unmarshal(content, &v); err != nil {
			return nil
		}
		spoil(&v)
		changed, err := json.Marshal(v)
		if err != nil {
			return nil
		}
		return changed
	})
}

// rejudge replaces the judgements of an experiment by a spoiled one that is whole in itself.
func rejudge(r *evidence.Run, x string, spoil func(*evidence.ExperimentResult)) error {
	result, err := r.Result(x)
	if err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(r.Dir(), "x", x, "judged-*.json"))
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	spoil(&result)
	return r.AddJudgement(x, result)
}
