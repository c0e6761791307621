package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/assay-dev/assay/check"
	"github.com/assay-dev/assay/verdict"
)

// A madeRun is a run written at once, without a sync for each file.
type madeRun struct {
	id      string
	files   map[string]string // by name below the run
	cut     bool              // it gets no seal
	later   map[string]string // judgements that are added after the seal
	started time.Time
}

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func jsonOf(v any) string {
	text, err := indented(v)
	if err != nil {
		panic(err)
	}
	return text
}

// smallRun returns a run of twelve files or so, as a run of one small experiment leaves them.
func smallRun(n int) madeRun {
	started := time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute)
	id := fmt.Sprintf("%s-%06x", started.Format("20060102-150405.000000"), n)
	r := madeRun{id: id, started: started, files: map[string]string{}, later: map[string]string{}}
	for name, v := range map[string]any{
		"run.json":         Meta{ID: id, Format: Format, Started: started, Seed: uint64(n), Grade: GradeStream},
		"plan.json":        map[string]any{"seed": n, "experiments": []string{"killed"}},
		"declaration.json": Declaration{System: "register", Journeys: []Journey{{Name: "write", Owner: "team"}}},
		"subjects.json":    []Subject{{Service: "register", Instances: []string{"register-1"}, SHA256: digestOf("binary")}},
		"timings.json":     []int{1, 2, 3},
	} {
		r.files[name] = jsonOf(v)
	}
	line := fmt.Sprintf(`{"id":%d,"name":"write","outcome":"ok","call":1000000,"return":2000000,"value":"v"}`+"\n", n)
	for name, lines := range map[string]int{"files/assay.yaml": 20, "files/experiments/killed.yaml": 10, "logs/register-1.log": 30,
		"x/killed/ops.jsonl": 60, "x/killed/events.jsonl": 10, "x/killed/env.jsonl": 20, "x/killed/exchanges.jsonl": 60} {
		r.files[name] = strings.Repeat(line, lines)
	}
	return r.proving(verdict.Pass, "restart")
}

// proving returns the run with that conclusion of its own.
func (r madeRun) proving(v verdict.Verdict, modes ...string) madeRun {
	result := ExperimentResult{Name: "killed", Verdict: v, Reason: "9 of 9 checks hold", Judged: r.started,
		Checks: []Checked{{Phase: "expect", Result: check.Result{Check: "success", Verdict: v}}}, Modes: map[string][]Mode{}}
	for _, mode := range modes {
		result.Modes["write"] = append(result.Modes["write"], Mode{Name: mode, Proved: true, Text: "it was seen"})
	}
	return r.with("x/killed/judged-1.json", r.sign(result))
}

// sign returns the text of a judgement of the run, as AddJudgement writes it.
func (r madeRun) sign(result ExperimentResult) string {
	result.Run, result.Inputs = r.id, map[string]string{}
	for _, name := range recordFiles() {
		if text, ok := r.files["x/"+result.Name+"/"+name]; ok {
			result.Inputs[name] = digestOf(text)
		}
	}
	text := strings.TrimSuffix(jsonOf(struct {
		ExperimentResult
		Sum string `json:"sum"`
	}{result, ""}), "\"\"\n}\n")
	return text + `"` + sumOf([]byte(text+"\"\"\n}\n"), "") + "\"\n}\n"
}

// judged adds a judgement after the seal, as number n.
func (r madeRun) judged(n int, text string) madeRun {
	r.later = maps.Clone(r.later)
	r.later["x/killed/"+judgementName(n)] = r.sign(ExperimentResult{Name: "killed", Reason: text, Judged: r.started.Add(time.Hour)})
	return r
}

// with returns the run with one more file, or one less where the text is "".
func (r madeRun) with(name, text string) madeRun {
	r.files = maps.Clone(r.files)
	if r.files[name] = text; text == "" {
		delete(r.files, name)
	}
	return r
}

func (r madeRun) cutShort() madeRun {
	r.cut = true
	return r
}

// at returns a copy that was taken of the run before its seal, when it had come that far of its way.
func (r madeRun) at(part, of int) madeRun {
	r = r.cutShort()
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		switch {
		case growing(name):
			text := r.files[name]
			r = r.with(name, text[:len(text)*part/of])
		case name == "timings.json" || isJudgement(name):
			r = r.with(name, "")
		}
	}
	return r
}

// longer returns the run with more in a file than it ever had.
func (r madeRun) longer(name string) madeRun { return r.with(name, r.files[name]+"x") }

// all returns the run's files with its seal.
func (r madeRun) all() map[string]string {
	all := maps.Clone(r.files)
	if !r.cut {
		end := End{Ended: r.started, Verdict: verdict.Pass, Files: map[string]string{}}
		for name, text := range r.files {
			end.Files[name] = digestOf(text)
		}
		all["end.json"] = jsonOf(end)
	}
	maps.Copy(all, r.later)
	return all
}

func (r madeRun) write(t testing.TB, s *Store) string {
	t.Helper()
	dir := filepath.Join(s.runs(), r.id)
	for name, text := range r.all() {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func storeOf(t testing.TB, runs ...madeRun) *Store {
	t.Helper()
	store, err := OpenStore(filepath.Join(t.TempDir(), ".assay"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		r.write(t, store)
	}
	return store
}

// held returns what a store holds: by run, the fixed files and the set of judgements of each experiment.
func held(t testing.TB, s *Store) string {
	t.Helper()
	ids, err := s.ids()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, id := range ids {
		found, err := contentOf(filepath.Join(s.runs(), id), nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, digest := range found {
			if isJudgement(name) {
				name = filepath.Dir(name) + "/judged"
			}
			lines = append(lines, id+" "+name+" "+digest)
		}
	}
	slices.Sort(lines)
	return strings.Join(slices.Compact(lines), "\n")
}

// whole fails unless each sealed run of the store is as it was sealed, and nothing is under way.
func whole(t testing.TB, s *Store) {
	t.Helper()
	list, err := s.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, sum := range list {
		run := &Run{dir: filepath.Join(s.runs(), sum.ID)}
		if err := run.Verify(); err != nil && sum.Status != CutShort {
			t.Errorf("run %s is %s: %v", sum.ID, sum.Status, err)
		}
	}
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.Name() != "runs" {
			t.Errorf("%s is left in the store", entry.Name())
		}
	}
}

func brief(m Merged) string {
	text := fmt.Sprintf("%d added, %d judged, %d same, %d refused", len(m.Added), len(m.Judged), len(m.Same), len(m.Refused))
	if len(m.Replaced)+len(m.Earlier) > 0 {
		text += fmt.Sprintf(", %d replaced, %d earlier", len(m.Replaced), len(m.Earlier))
	}
	for _, r := range m.Refused {
		text += "\n" + r.String()
	}
	return text
}

func TestMergedIsPlainJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal((&merger{}).merged())
	if want := `{"added":[],"cut_short":[],"judged":[],"replaced":[],"earlier":[],"same":[],"judgements":0,"refused":[]}`; err != nil || string(text) != want {
		t.Errorf("got %s, %v, want %s", text, err, want)
	}
}
